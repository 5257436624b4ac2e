# What servers have, to be compared with one another, and with what clients did.
package Chaos::State;

use strict;
use warnings FATAL => 'all';

use Chaos::Workload;
use JSON::PP ();

# digests(CLUSTER, NAME): of all tables, with the hidden column, for that decides what happens next, whatever
# the order of columns.
sub digests
{
	my ($cluster, $name) = @_;
	my @digests;

	for my $table (@Chaos::Workload::tables)
	{
		my $key = join ', ', @{ $table->{key} };
		my ($all) = $cluster->ask($name,
			"SELECT count(*), md5(string_agg(md5(to_jsonb(t)::text), '' ORDER BY $key)) FROM $table->{name} t");
		push @digests, join ' ', map { $_ // '' } @$all;
	}
	return @digests;
}

# differences(CLUSTER, NAME...): [table, row, name -> what is there] of the rows that are not the same on all servers.
sub differences
{
	my ($cluster, @names) = @_;
	my @differences;

	for my $table (@Chaos::Workload::tables)
	{
		my $key = join " || '/' || ", map { "$_\::text" } @{ $table->{key} };
		my %rows;
		for my $name (@names)
		{
			$rows{ $_->[0] }{$name} = $_->[1] for $cluster->ask($name, "SELECT $key, to_jsonb(t)::text FROM $table->{name} t");
		}
		for my $row (sort keys %rows)
		{
			my %versions = map { $_ // 'no row' => 1 } @{ $rows{$row} }{@names};
			push @differences, [ $table->{name}, $row, $rows{$row} ] if keys %versions > 1;
		}
	}
	return @differences;
}

# contents(CLUSTER, NAME): what a server has, in the form in which Chaos::Ledger looks for it: inc -> set -> key ->
# node -> [up, down], dots -> set -> key -> "node:number", writes -> set -> key -> value.
sub contents
{
	my ($cluster, $name) = @_;
	my (%inc, %dots, %writes);
	my $json = JSON::PP->new;
	my $ask = sub { return $cluster->ask($name, $_[0]) };
	my $counter = sub {
		my ($set, $key, $text) = @_;
		my $nodes = $json->decode($text);
		$inc{$set}{$key} = { map { $_ => ref $nodes->{$_} ? $nodes->{$_} : [ $nodes->{$_}, 0 ] } keys %$nodes };
	};
	my $dots = sub {
		my ($set, $key, @dots) = @_;
		$dots{$set}{$key}{"$_->[0]:$_->[1]"} = 1 for @dots;
	};

	my $live = sub { my $nodes = $json->decode($_[0] // '{}'); return map { [ $_, $nodes->{$_} ] } keys %$nodes };

	for my $row ($ask->('SELECT id, hits, balance FROM counters'))
	{
		$counter->('counters.hits', @$row[ 0, 1 ]);
		$counter->('counters.balance', @$row[ 0, 2 ]);
	}
	for my $row ($ask->('SELECT shop, id, items FROM carts'))
	{
		my $elements = $json->decode($row->[2])->{elements};
		$dots->('carts.items', "$row->[0]/$row->[1]/" . substr($_, 0, 2), @{ $elements->{$_} }) for keys %$elements;
	}
	for my $row ($ask->('SELECT id, value(word), doc FROM registers'))
	{
		my $entries = $json->decode($row->[2])->{entries};
		$writes{'registers.word'}{ $row->[0] } = $row->[1];
		$dots->('registers.doc', "$row->[0]/$_", map { $_->{dot} } @{ $entries->{$_} }) for keys %$entries;
	}
	for my $row ($ask->('SELECT id, title, body, "Size", views, tags, _merge::jsonb ->> $$live$$ FROM notes'))
	{
		my ($id, $title, $body, $size, $views, $tags, $presence) = @$row;
		my $elements = $json->decode($tags)->{elements};
		$writes{'notes.title'}{$id} = $title;
		$writes{'notes.body'}{$id} = $body;
		$writes{'notes.Size'}{$id} = $size;
		$counter->('notes.views', $id, $views);
		$dots->('notes.tags', "$id/$_", @{ $elements->{$_} }) for keys %$elements;
		$dots->('notes', $id, $live->($presence));
	}
	for my $row ($ask->('SELECT id, title, _merge::jsonb ->> $$live$$ FROM drafts'))
	{
		$writes{'drafts.title'}{ $row->[0] } = $row->[1];
		$dots->('drafts', $row->[0], $live->($row->[2]));
	}
	for my $row ($ask->('SELECT id, number, _merge::jsonb ->> $$live$$ FROM parcels'))
	{
		$writes{'parcels.number'}{ $row->[0] } = $row->[1];
		$dots->('parcels', $row->[0], $live->($row->[2]));
	}
	for my $row ($ask->('SELECT id, name, _merge::jsonb ->> $$live$$ FROM branches'))
	{
		$writes{'branches.name'}{ $row->[0] } = $row->[1];
		$dots->('branches', $row->[0], $live->($row->[2]));
	}
	for my $row ($ask->('SELECT id, place, n, _merge::jsonb ->> $$live$$ FROM visits'))
	{
		$writes{'visits.place'}{ $row->[0] } = $row->[1];
		$counter->('visits.n', @$row[ 0, 2 ]);
		$dots->('visits', $row->[0], $live->($row->[3]));
	}
	for my $column (Chaos::Workload::new_columns($cluster))
	{
		$writes{"notes.$column"}{ $_->[0] } = $_->[1] for $ask->("SELECT id, $column FROM notes WHERE $column <> 'new'");
	}
	return { inc => \%inc, dots => \%dots, writes => \%writes };
}

1;
