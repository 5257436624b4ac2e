# What servers have, to be compared with one another, and with what clients did.
package Chaos::State;

use strict;
use warnings FATAL => 'all';

use Chaos::Workload;
use JSON::PP ();

# digests(CLUSTER, NAME): of all tables; of the rows that are there, with the hidden columns, for these decide what happens next.
sub digests
{
	my ($cluster, $name) = @_;
	my @digests;

	for my $table (@Chaos::Workload::tables)
	{
		my $key = join ', ', @{ $table->{key} };
		my ($all) = $cluster->ask($name,
			"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY $key)) FROM $table->{name} t WHERE is_present(_merge_presence)");
		my ($live) = $cluster->ask($name, "SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY $key)) FROM $table->{name}_live t");
		push @digests, join ' ', map { $_ // '' } @$all, @$live;
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
			$rows{ $_->[0] }{$name} = $_->[1] for $cluster->ask($name, "SELECT $key, t::text FROM $table->{name} t WHERE is_present(_merge_presence)");
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
	for my $row ($ask->('SELECT id, title, body, "Size", views, tags, _merge_presence FROM notes WHERE is_present(_merge_presence)'))
	{
		my ($id, $title, $body, $size, $views, $tags, $presence) = @$row;
		my $elements = $json->decode($tags)->{elements};
		$writes{'notes.title'}{$id} = $title;
		$writes{'notes.body'}{$id} = $body;
		$writes{'notes.Size'}{$id} = $size;
		$counter->('notes.views', $id, $views);
		$dots->('notes.tags', "$id/$_", @{ $elements->{$_} }) for keys %$elements;
		$dots->('notes', $id, @{ $json->decode($presence)->{enabled} });
	}
	for my $row ($ask->('SELECT id, title, _merge_presence FROM drafts WHERE is_present(_merge_presence)'))
	{
		$writes{'drafts.title'}{ $row->[0] } = $row->[1];
		$dots->('drafts', $row->[0], @{ $json->decode($row->[2])->{enabled} });
	}
	for my $row ($ask->('SELECT id, number, _merge_presence FROM parcels WHERE is_present(_merge_presence)'))
	{
		$writes{'parcels.number'}{ $row->[0] } = $row->[1];
		$dots->('parcels', $row->[0], @{ $json->decode($row->[2])->{enabled} });
	}
	return { inc => \%inc, dots => \%dots, writes => \%writes };
}

1;
