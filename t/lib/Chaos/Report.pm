# What there is to tell of a chaos run.
package Chaos::Report;

use strict;
use warnings FATAL => 'all';

use Chaos::Faults;

# Errors of apply workers and walsenders that faults explain.
my $expected = join '|', (
	'deadlock detected', 'could not connect to the publisher', 'could not receive data from WAL stream', 'could not send data to WAL stream',
	'could not start WAL streaming', 'could not receive database system identifier', 'data stream from publisher ended', 'terminating (logical replication|background worker|connection|walreceiver)',
	'violates check constraint "poison', 'could not send end-of-streaming', 'the database system is', 'could not (create|drop) (the )?replication slot',
	'could not fetch table info', 'could not receive list of replicated tables', 'could not start initial contents copy', 'invalid (socket|connection)',
	'canceling statement due to', 'replication slot "[^"]*" is active', 'replication slot "pg_N_sync_N_N" does not exist', 'connection to (server|client)', 'lock timeout', 'unexpected EOF', 'replication origin with (ID|OID) \S+ is already active',
	'table copy could not (start|finish|rollback)', 'could not accept SSL', 'server closed the connection');

# read_logs(CLUSTER, NAME...): what the servers' logs say: errors of apply workers and walsenders, those of them that
# no fault explains, and crashes that were not our doing, each as text -> number.
sub read_logs
{
	my ($cluster, @names) = @_;
	my (%errors, %unexpected, %crashes);
	# before version 15, columns are sent from when on there are any
	my $explained = $cluster->{version} < 15 ? qr/$expected|is missing replicated column/ : qr/$expected/;

	for my $name (@names)
	{
		for my $line ($cluster->log_lines($name))
		{
			$crashes{$1}++ if $line =~ /(PANIC: .*|TRAP: .*|terminated by signal (?!9:).*)/;
			my ($what, $text) = $line =~ /\] (logical replication [\w ]*worker|walsender|background worker)\b.*?(?:ERROR|FATAL):  (.*)/ or next;
			$text =~ s{"/[^"]*"}{"..."};
			$text =~ s/\d+/N/g;
			$text =~ s/"\w+_to_\w+"/"..."/;
			$text = "$what: $text";
			$unexpected{$text}++ if $text !~ $explained;
			$errors{ substr $text, 0, 110 }++;
		}
	}
	return (\%errors, \%unexpected, \%crashes);
}

sub _number { my ($value) = @_; 1 while $value =~ s/^(\d+)(\d{3})/$1,$2/; return $value }

# report(CHAOS): all of it, as text.
sub report
{
	my ($self) = @_;
	my ($ledger, @lines) = ($self->{ledger});
	my @outcomes = qw(acknowledged aborted indeterminate);

	push @lines, sprintf '%-28s %14s %10s %14s', 'operations', @outcomes;
	for my $kind (sort keys %{ $ledger->{count} })
	{
		push @lines, sprintf '  %-26s %14s %10s %14s', $kind, map { _number($ledger->{count}{$kind}{$_} // 0) } @outcomes;
	}
	push @lines, sprintf '  %-26s %14s %10s %14s', 'all', map { _number($ledger->total($_)) } @outcomes;
	push @lines, sprintf '  in %s transactions, %s of several operations; in %.0f s', _number($ledger->{transactions}), _number($ledger->{several}), $self->{loaded_for};
	push @lines, '  why transactions failed: ' . (join(', ', map { "$_ $ledger->{errors}{$_}" } sort keys %{ $ledger->{errors} }) || 'none did');
	push @lines, 'faults';
	for my $kind (sort keys %{ $self->{fault_count} })
	{
		my $count = $self->{fault_count}{$kind};
		push @lines, sprintf '  %-11s %5d  %s%s', $kind, ($count->{done} // 0) + ($count->{failed} // 0), Chaos::Faults::what($kind), $count->{failed} ? " ($count->{failed} went wrong)" : '';
	}
	push @lines, sprintf '  %-11s %5d', 'all', $self->fault_total;
	if ($self->{status})
	{
		push @lines, 'rows that arrived, as far as servers have counted since they last crashed', map { sprintf '  %-26s %14s', $_, _number($self->{status}{$_}) } qw(inserted merged unchanged conflicts);
		push @lines, sprintf '  %-26s %14s', 'purged in the end', _number($self->{purged});
	}
	push @lines, 'errors of apply workers and walsenders';
	my $errors = $self->{worker_errors};
	my @errors = sort { $errors->{$b} <=> $errors->{$a} || $a cmp $b } keys %$errors;
	push @lines, map { sprintf '  %5d  %s', $errors->{$_}, $_ } @errors[ 0 .. ($#errors > 9 ? 9 : $#errors) ];
	my %count = map { $_ => scalar @{ $self->{findings}{$_} || [] } } qw(lost resurrected surplus reused foreseen);
	push @lines, 'result', map { sprintf '  %-26s %s', @$_ } (
		[ 'lost', $count{lost} ],
		[ 'removed, but there', $count{resurrected} ],
		[ 'never written, but there', $count{surplus} ],
		[ 'dots used twice', $count{reused} ],
		[ 'divergent rows', $self->{divergent_rows} // 0 ],
		[ 'time to converge', $self->{converged} ? sprintf('%.1f s', $self->{converged_in}) : 'not within ' . $self->{patience} . ' s' ],
		[ 'WAL and decoding at rest', $self->{at_rest} ? 'none' : $self->{converged} ? 'goes on' : 'not looked at' ],
		[ 'servers', join(' ', $self->members) . ", $self->{topology}, PostgreSQL $self->{cluster}{version}" ],
		[ 'seed', $self->{seed} ],
		[ 'verdict', $self->passed ? 'passed' : 'FAILED' ]);
	for my $word (sort keys %{ $self->{findings} })
	{
		my @texts = @{ $self->{findings}{$word} };
		push @lines, "$word: " . @texts, map { "    $_" } @texts[ 0 .. ($#texts > 9 ? 9 : $#texts) ];
	}
	return join "\n", @lines, '';
}

1;
