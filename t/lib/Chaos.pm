# A chaos run: servers that merge one another's rows, clients that write to all of them at once, faults;
# then peace, and the questions whether all servers have the same, all that was acknowledged, and nothing
# more to say to one another.
#
#     my $chaos = Chaos->new(directory => $short_path, bindir => $bindir, seed => 1, seconds => 20);
#     $chaos->set_up;
#     $chaos->run;
#     $chaos->settle;
#     print $chaos->report;           # $chaos->passed tells how it went
#     $chaos->stop;
#
# script/chaos is Chaos::main; doc/reliability.md says what all this is for.
package Chaos;

use strict;
use warnings FATAL => 'all';

use Chaos::Cluster;
use Chaos::Faults;
use Chaos::Ledger;
use Chaos::Options;
use Chaos::Report;
use Chaos::State;
use Chaos::Workload;
use IO::Handle;
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

# new(OPTION => VALUE...): see Chaos::Options; directory and bindir tell where the run and PostgreSQL's
# programs are.
sub new
{
	my ($class, %options) = @_;

	return bless {
		Chaos::Options::check(%options), findings => {}, fault_count => {}, members => [], acknowledged => 0, children => {} }, $class;
}

sub say_
{
	my ($self, @text) = @_;

	print sprintf('%6.1f s  ', time - ($self->{begun} // time)), @text, "\n" if !$self->{quiet};
	return;
}

sub members { my ($self) = @_; return @{ $self->{members} } }
sub tables { return map { $_->{name} } @Chaos::Workload::tables }
sub deletable { return qw(notes drafts branches visits) }

#
# Setting up
#

sub set_up
{
	my ($self) = @_;
	my @names = ('a' .. 'h')[ 0 .. $self->{nodes} - 1 ];

	STDOUT->autoflush(1);
	$self->{begun} = time;
	$self->say_("starting $self->{nodes} servers, in a $self->{topology}; seed $self->{seed}");
	$self->{cluster} = my $cluster = Chaos::Cluster->new($self->{directory}, $self->{bindir}, $self->{topology});
	$cluster->reserve($_) for @names, $self->{join} ? 'j' : ();
	for my $name (@names)
	{
		$cluster->start($name);
		$self->_make_tables($name);
	}
	$cluster->add_links(my @links = $cluster->plan(@names));
	$self->_subscribe($_, 'copy_data = true') for @links;
	for my $name (@names)
	{
		$cluster->insist(60, sub { die "not all tables are copied\n" if $cluster->ask_one($name, q{SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'}) });
	}
	$self->{members} = \@names;
	$self->sabotage if $self->{sabotage} eq 'trigger';
	return;
}

# sabotage(): one server no longer merges, which the checks must find.
sub sabotage
{
	my ($self) = @_;

	$self->{cluster}->tell($self->{members}[-1], map { qq{DROP TRIGGER "~merge_row" ON $_} } qw(counters carts));
	return;
}

# restore(): a server goes back to what it was some seconds ago, and goes on under its name.  It must notice.
sub restore
{
	my ($self) = @_;
	my $name = $self->{members}[0];
	my $cluster = $self->{cluster};

	$cluster->backup($name);
	$self->more(3);
	$self->end_clients;
	$cluster->restore($name);
	return;
}

sub _make_tables
{
	my ($self, $name) = @_;
	my $list = join ', ', map { "'$_'" } $self->tables;

	$self->{cluster}->tell($name, 'CREATE EXTENSION distributed',
		(map { $_->{sql} } @Chaos::Workload::tables),
		(map { "ALTER TABLE notes ADD COLUMN $_ text DEFAULT 'new'" } Chaos::Workload::new_columns($self->{cluster})),
		(map { "SELECT enable_merge('$_->{name}', $_->{rule})" } @Chaos::Workload::tables),
		"SELECT create_merge_publication('merge', ARRAY[$list]::regclass[])");
	return;
}

# Tables are copied even where there are no rows yet: what servers know of one another is a table, too.
sub _subscribe
{
	my ($self, $link, @options) = @_;
	my $cluster = $self->{cluster};

	push @options, 'disable_on_error = false' if $cluster->{version} >= 15;
	push @options, 'origin = any' if $cluster->{version} >= 16;
	$cluster->tell($link->[1], sprintf q{CREATE SUBSCRIPTION %s CONNECTION '%s' PUBLICATION merge WITH (%s)},
		$cluster->subscription($link), $cluster->connection($link), join ', ', @options);
	return;
}

# join_server(NAME): by the commands, and in the order, that merge_subscription_commands prints; only
# the connections are those of our links.  Called in a process of its own, while all goes on.
sub join_server
{
	my ($self, $name) = @_;
	my $cluster = $self->{cluster};
	my $peers = JSON::PP->new->canonical->encode({ map { $_ => "host=$_" } $self->members, $name });
	my $shape = $self->{topology} eq 'star' ? 'star' : 'mesh';       # of a one-way ring's links we know better

	$cluster->start($name);
	$self->_make_tables($name);
	my @commands = $cluster->insist(60, sub {
		$cluster->ask($self->{members}[0], q{SELECT node, command FROM merge_subscription_commands(?, ?, 'merge', ?, ?) ORDER BY step},
			$peers, $shape, $shape eq 'star' ? $self->{members}[0] : undef, $name);
	});
	for my $link ($cluster->all_links)
	{
		die "the commands leave out $link->[0] to $link->[1]\n"
		  if grep({ $_ eq $name } @$link) && !grep { $_->[0] eq $link->[1] && index($_->[1], 'CREATE SUBSCRIPTION ' . $cluster->subscription($link) . ' ') >= 0 } @commands;
	}
	for my $command (@commands)
	{
		my ($server, $text) = @$command;
		my ($link) = grep { $text =~ /\b\Q${\ $cluster->subscription($_) }\E\b/ } $cluster->all_links or next;
		# what \gexec would run, where there is no such subscription
		$text =~ s/^SELECT \$\$(CREATE SUBSCRIPTION .*)\$\$ WHERE NOT EXISTS .*$/$1/;
		$text =~ s/CONNECTION '[^']*'/"CONNECTION '" . $cluster->connection($link) . "'"/e;
		$cluster->insist(120, sub {
			if ($text =~ /^CREATE SUBSCRIPTION/)
			{
				# an attempt that broke off may have left the slot behind, or all be done
				return if $cluster->ask_one($server, 'SELECT count(*) FROM pg_subscription WHERE subname = ?', $cluster->subscription($link));
				$cluster->ask($link->[0], q{SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ? AND NOT active}, $cluster->subscription($link));
			}
			$cluster->tell($server, $text);
		});
	}
	return;
}

# tell_fault(START, KIND, PICK, TEXT): write down what has happened, as the process of a fault.
sub tell_fault
{
	my ($self, $start, $kind, $pick, $text) = @_;
	my $where = $pick->{links} ? join ' ', map { join '->', @$_ } @{ $pick->{links} } : $pick->{server} // 'all';
	my $line = sprintf "%8.2f s  %-10s %-12s %s\n", $start - $self->{loaded}, $kind, $where, $text;

	open my $file, '>>', "$self->{directory}/faults" or die "$self->{directory}/faults: $!\n";
	syswrite $file, $line;
	print $line if $self->{verbose} || $text =~ /^FAILED/;
	return;
}

#
# The run
#

sub run
{
	my ($self, $seconds) = @_;
	my $end = $self->{operations} ? undef : time + ($seconds // $self->{seconds});
	my $length = $end ? $end - time : $self->{operations} / $self->{rate};

	srand $self->{seed};
	$self->{loaded} = time;
	pipe $self->{progress}, $self->{tell} or die "pipe: $!\n";
	$self->{progress}->blocking(0);
	$self->{faults} = Chaos::Faults->new($self, @{ $self->{faults} });
	$self->say_("clients begin, $self->{clients} for each server");
	$self->_start_clients($_) for $self->members;

	my ($next, $said, $join) = (time + 1, time, $self->{join} ? time + 0.35 * $length : undef);
	while (!defined $end || time < $end)
	{
		$self->_wait(0.05);
		last if $self->{operations} && $self->{acknowledged} >= $self->{operations};
		if ($join && time > $join && !$self->{faults}->takes('schema'))
		{
			$self->{cluster}->add_links($self->{cluster}->plan($self->members, 'j'));
			$self->{faults}->join_server('j');
			$join = undef;
		}
		if (time > $next)
		{
			$self->{faults}->begin;
			$next = time + $self->{pause} * (0.5 + rand);
		}
		if (time > $said + 10)
		{
			$said = time;
			$self->say_("$self->{acknowledged} operations acknowledged, " . $self->fault_total . ' faults');
		}
	}
	$self->{loaded_for} = time - $self->{loaded};
	return;
}

# more(SECONDS): go on, without faults.
sub more
{
	my ($self, $seconds) = @_;

	local @$self{qw(operations faults join)} = (0, [], 0);
	return $self->run($seconds);
}

sub _start_clients
{
	my ($self, $name) = @_;

	for my $which (1 .. $self->{clients})
	{
		my $number = ++$self->{client_number};
		my $pid = fork // die "fork: $!\n";
		if (!$pid)
		{
			$SIG{INT} = 'IGNORE';
			my $pause = $self->{clients} * ($self->{nodes} + $self->{join}) / $self->{rate};
			my $ok = eval { Chaos::Workload->new($self->{cluster}, $name, $number, $self->{seed}, first => $which == 1)->run($pause, $self->{tell}); 1 };
			print STDERR "client $number of $name: $@" if !$ok;
			POSIX::_exit($ok ? 0 : 1);
		}
		$self->{children}{$pid} = "client $number of $name";
	}
	return;
}

# _wait(SECONDS): see what children tell, and which have ended.
sub _wait
{
	my ($self, $seconds) = @_;

	die "interrupted\n" if $self->{interrupted};
	vec(my $bits = '', fileno($self->{progress}), 1) = 1;
	if (select($bits, undef, undef, $seconds) > 0 && sysread $self->{progress}, my $text, 65536)
	{
		$self->{acknowledged} += $_ for split /\n/, $text;
	}
	while ((my $pid = waitpid -1, POSIX::WNOHANG()) > 0)
	{
		my $status = $?;
		my $fault = $self->{faults}->ended($pid, $status);
		if (!$fault)
		{
			my $child = delete $self->{children}{$pid};
			$self->_find('broken', "$child has ended") if defined $child && $status;
			next;
		}
		++$self->{fault_count}{ $fault->{kind} }{ $fault->{failed} ? 'failed' : 'done' };
		$self->_find('broken', "a fault, $fault->{kind}, did not go as it should") if $fault->{failed};
		if ($fault->{kind} eq 'join')
		{
			if (!$fault->{failed})
			{
				push @{ $self->{members} }, $fault->{server};
				$self->{cluster}->accept_links;
				$self->say_("server $fault->{server} has joined");
				$self->_start_clients($fault->{server}) if !$self->{stopping};
			}
		}
	}
	return;
}

sub fault_total { my ($self) = @_; my $sum = 0; $sum += ($_->{done} // 0) + ($_->{failed} // 0) for values %{ $self->{fault_count} }; return $sum }

sub _find
{
	my ($self, $word, $text) = @_;

	push @{ $self->{findings}{$word} }, $text;
	return;
}

#
# The end
#

# Tell the clients to stop, and wait for them and for the faults that are under way.
sub end_clients
{
	my ($self) = @_;
	my $end = time + 180;

	kill 'TERM', keys %{ $self->{children} };
	while (%{ $self->{children} } || $self->{faults}->running)
	{
		$self->_wait(0.05);
		if (time > $end)
		{
			$self->_find('broken', 'clients or faults do not end: ' . join ', ', values %{ $self->{children} }, map { $_->{kind} } values %{ $self->{faults}{running} });
			kill 'KILL', keys %{ $self->{children} }, $self->{faults}->pids;
			sleep 0.5;
			last;
		}
	}
	return;
}

sub settle
{
	my ($self) = @_;
	my $cluster = $self->{cluster};

	local $self->{stopping} = 1;
	$self->say_('clients stop, faults are healed');
	$self->end_clients;
	$cluster->{relay}->mode("$_->[0]$_->[1]", 'pass') for $cluster->all_links;
	for my $name ($self->members)
	{
		$cluster->insist(90, sub { $cluster->ask_one($name, 'SELECT 1') });
		for my $row ($cluster->ask($name, 'SELECT subname FROM pg_subscription WHERE NOT subenabled'))
		{
			$self->_find('broken', "$row->[0] was left disabled");
			$cluster->tell($name, "ALTER SUBSCRIPTION $row->[0] ENABLE");
		}
	}
	$self->_converge;
	if ($self->{converged})
	{
		# a server that has ceased to merge may have the same by chance, and refuses to purge
		$self->_find('unpurged', $@) if !eval { $self->_purge_all; 1 };
		$self->_compare;
		$self->_rest;
	}
	$self->_check;
	my ($errors, $unexpected, $crashes) = Chaos::Report::read_logs($cluster, $self->members);
	$self->{worker_errors} = $errors;
	$self->_find('unexpected', "$_ ($unexpected->{$_} times)") for sort keys %$unexpected;
	$self->_find('crashed', "$_ ($crashes->{$_} times)") for sort keys %$crashes;
	return;
}

# Have all subscribers confirmed all that their publishers have written until now?
sub _wait_for_slots
{
	my ($self, $end) = @_;
	my $cluster = $self->{cluster};
	my %now = map { $_ => $cluster->ask_one($_, 'SELECT pg_current_wal_lsn()') } $self->members;

	while (1)
	{
		my @behind = grep {
			!$cluster->ask_one($_->[0], 'SELECT confirmed_flush_lsn >= ? FROM pg_replication_slots WHERE slot_name = ?', $now{ $_->[0] }, $cluster->subscription($_))
		} $cluster->links;
		return 1 if !@behind;
		if (time > $end)
		{
			$self->_find('divergent', 'these have not received all: ' . join ' ', map { $cluster->subscription($_) } @behind);
			return 0;
		}
		die "interrupted\n" if $self->{interrupted};
		sleep 0.1;
	}
}

# All servers have the same, and all slots have been confirmed to the end, twice in a row.
sub _converge
{
	my ($self) = @_;
	my $cluster = $self->{cluster};
	my ($start, $same, $first) = (time, 0);
	my $end = $start + $self->{patience};

	while ($same < 2)
	{
		last if !eval { $self->_wait_for_slots($end) } && time > $end;
		die $@ if $@ eq "interrupted\n";
		my $time = time;
		my %digests = map { join("\n", Chaos::State::digests($cluster, $_)) => 1 } $self->members;
		$same = keys %digests == 1 ? $same + 1 : 0;
		$first = $same ? $first // $time : undef;
		last if time > $end;
		sleep 0.2 if !$same;
	}
	$self->{converged} = $same >= 2;
	$self->{converged_in} = ($first // time) - $start;
	$self->say_(sprintf $self->{converged} ? 'all have the same after %.1f s' : 'not the same after %.1f s', $self->{converged_in});
	return if $self->{converged};
	my @differences = Chaos::State::differences($cluster, $self->members);
	$self->{divergent_rows} = @differences;
	$self->_find('divergent', @differences . ' rows differ; here are the first') if @differences;
	for my $difference (@differences[ 0 .. ($#differences > 4 ? 4 : $#differences) ])
	{
		my ($table, $row, $has) = @$difference;
		$self->_find('divergent', join "\n      ", "$table, row $row:", map {
			my $text = $has->{$_} // 'no row';
			$text =~ s/(\S{60})\S{20,}/$1.../g;
			"$_: " . substr $text, 0, 1500;
		} $self->members);
	}
	return;
}

# When all have seen all, no removed row need be left anywhere, unless it was written by a clock that was ahead.
sub _purge_all
{
	my ($self) = @_;
	my $cluster = $self->{cluster};
	my $left;

	for (1 .. 40)
	{
		$cluster->ask($_, 'SELECT acknowledge_removals()') for $self->members;
		sleep 0.3;
		$left = 0;
		for my $name ($self->members)
		{
			for my $table ($self->deletable)
			{
				$self->{purged} += $cluster->ask_one($name, "SELECT purge_removed('$table')");
				$left += $cluster->ask_one($name, "SELECT count(*) FROM ${table}_removed WHERE NOT EXISTS "
					. '(SELECT FROM jsonb_each_text(_merge::jsonb -> $$context$$) c WHERE c.value::numeric > extract(epoch FROM clock_timestamp()) * 1e9)');
			}
		}
		last if !$left;
	}
	$self->_find('unpurged', "$left removed rows are left, though all servers have seen all") if $left;
	return;
}

# What the extension itself says of the replicas.
sub _compare
{
	my ($self) = @_;
	my %status = map { $_ => 0 } qw(inserted merged unchanged conflicts own_dots);

	for my $table ($self->tables)
	{
		my %digests = map { $self->{cluster}->ask_one($_, "SELECT string_agg(digest, ' ') FROM compare_replicas('$table')") // '' => 1 } $self->members;
		$self->_find('divergent', "compare_replicas says that $table differs") if keys %digests > 1;
	}
	for my $name ($self->members)
	{
		my ($row) = $self->{cluster}->ask($name, 'SELECT ' . join(', ', map { "sum($_)" } sort keys %status) . ' FROM merge_status()');
		my $column = 0;
		$status{$_} += $row->[ $column++ ] // 0 for sort keys %status;
	}
	$self->{status} = \%status;
	$self->_find('reused', "$status{own_dots} rows told a server of writes of its own that it does not know") if $status{own_dots};
	return;
}

# Nothing is written, and nothing decoded, once all have the same.  Left out are what PostgreSQL writes
# by itself, checkpoints and the list of running transactions; autovacuum is turned off.
sub _rest
{
	my ($self) = @_;
	my $cluster = $self->{cluster};

	$cluster->tell($_, q{ALTER SYSTEM SET autovacuum = off}, q{SELECT pg_reload_conf()}, 'CHECKPOINT') for $self->members;
	for my $attempt (1 .. 4)
	{
		# vacuum that is under way may end first
		sleep 1;
		my %before = map { $_ => $cluster->position($_) } $self->members;
		sleep 3;
		my %after = map { $_ => $cluster->position($_) } $self->members;
		my @busy = map { $cluster->done_between($_, $before{$_}, $after{$_}) } $self->members;
		if (!@busy) { $self->{at_rest} = 1; last }
		$self->_find('restless', $_) for $attempt == 4 ? @busy : ();
	}
	$cluster->tell($_, q{ALTER SYSTEM RESET autovacuum}, q{SELECT pg_reload_conf()}) for $self->members;
	return;
}

sub ledger
{
	my ($self, $omit) = @_;
	my $ledger = Chaos::Ledger->load($omit, glob "$self->{directory}/ledger.*");

	$ledger->{clocks} = 1 if $self->{fault_count}{clock};
	return $ledger;
}


sub _check
{
	my ($self) = @_;
	my @names = $self->{converged} ? $self->{members}[0] : $self->members;

	$self->{ledger} = $self->ledger($self->{sabotage} eq 'ledger');
	for my $name (@names)
	{
		$self->_find($_->[0], "$name: $_->[1]") for $self->{ledger}->check(Chaos::State::contents($self->{cluster}, $name));
	}
	for my $error (sort keys %{ $self->{ledger}{errors} })
	{
		# deadlock, serialization, unique, foreign key, lock not available, cancelled, shut down or crashed, connection
		next if $error =~ /^(40P01|40001|2350[35]|55P03|57P0[1-5]|57014|08|S8006|25P02)/;
		$self->_find('unexpected', "clients got SQLSTATE $error $self->{ledger}{errors}{$error} times");
	}
	return;
}

sub report { my ($self) = @_; return Chaos::Report::report($self) }
sub passed { my ($self) = @_; return $self->{converged} && $self->{at_rest} && !%{ $self->{findings} } }

# stop(): end all processes of the run.
sub stop
{
	my ($self) = @_;

	kill 'KILL', keys %{ $self->{children} }, $self->{faults} && ref $self->{faults} eq 'Chaos::Faults' ? $self->{faults}->pids : ();
	$self->{cluster}->stop_all if $self->{cluster};
	return;
}

# main(ARGUMENT...): what script/chaos runs; its exit code.
sub main
{
	my (@arguments) = @_;
	my $chaos = Chaos->new(Chaos::Options::parse(@arguments));
	local @SIG{qw(INT TERM HUP)} = (sub { $chaos->{interrupted} = 1 }) x 3;
	local $SIG{PIPE} = 'IGNORE';

	my $ok = eval { $chaos->set_up; $chaos->run; $chaos->settle; 1 };
	my $error = $@;
	print $chaos->report if $ok;
	eval { $chaos->stop; 1 } or warn $@;
	return $chaos->passed ? 0 : 1 if $ok;
	my $when = $chaos->{loaded} ? sprintf '%.0f s after clients began', time - $chaos->{loaded} : 'before clients began';
	print $chaos->{interrupted} ? "interrupted $when, seed $chaos->{seed}: nothing was checked\n" : "ended early, $when, seed $chaos->{seed}: $error";
	return $chaos->{interrupted} ? 130 : 1;
}

1;
