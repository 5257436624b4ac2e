# What goes wrong in a chaos run.  Every fault runs in a process of its own, which does the harm, waits,
# and heals it; meanwhile others begin, except that none takes what another one has taken.
package Chaos::Faults;

use strict;
use warnings FATAL => 'all';

use Chaos::Workload;
use POSIX ();
use Time::HiRes qw(sleep time);

# kind => how often (weight), what it picks (a sub that returns what it takes, and its parameters), and
# what it does. The picks are made of random numbers of the run's main process, so they repeat with the seed.
my %faults = (
	crash => { weight => 6, picks => \&_a_server, does => \&_crash, what => 'kill -9 of a postmaster, and a start' },
	walsender => { weight => 3, picks => \&_a_server, does => sub { _kill(@_, 'walsender', 'KILL') }, what => 'kill -9 of a walsender, so that the server restarts' },
	apply => { weight => 3, picks => \&_a_server, does => sub { _kill(@_, 'logical replication%worker', 'KILL') }, what => 'kill -9 of an apply worker, so that the server restarts' },
	terminate => { weight => 6, picks => \&_a_server, does => sub { _kill(@_, $_[1]{side} ? 'walsender' : 'logical replication%worker', 'TERM') }, what => 'an apply worker or a walsender terminated' },
	cut => { weight => 8, picks => \&_a_link, does => sub { _cut(@_, 'refuse') }, what => 'one link cut: connections are dropped, and refused' },
	split => { weight => 5, picks => \&_a_pair, does => sub { _cut(@_, 'refuse') }, what => 'two servers cut off from one another, both ways' },
	isolate => { weight => 3, picks => \&_an_island, does => sub { _cut(@_, 'refuse') }, what => 'a server cut off from all others' },
	stall => { weight => 6, picks => \&_a_link, does => sub { _cut(@_, $_[1]{silence}) }, what => 'one link swallows what is sent, in one direction or both, and tells nobody' },
	disable => { weight => 6, picks => \&_a_subscription, does => \&_disable, what => 'a subscription disabled, and enabled' },
	hold => { weight => 6, picks => \&_any_server, does => \&_hold, what => 'a client leaves a transaction open, with rows locked' },
	poison => { weight => 3, picks => \&_poisoned_link, does => \&_poison, what => 'a row that one server cannot take: skip, and resync' },
	freeze => { weight => 5, picks => \&_a_server, does => \&_freeze, what => 'processes of a server, some or all, stand still (SIGSTOP)' },
	clock => { weight => 3, picks => \&_a_clock, does => \&_clock, what => 'the wall clock of a server jumps, and comes back' },
	schema => { weight => 2, picks => sub { return { takes => [ 'schema', map { "server $_" } $_[0]{chaos}->members ] } }, does => \&_schema, what => 'a table gets a column, on one server after the other' },
	purge => { weight => 7, picks => sub { return { takes => ['purge'] } }, does => \&_purge, what => 'all servers acknowledge and purge removals' });

# A server joins at a time of the run, not at random; see Chaos::run.
my %join = (does => \&_join, what => 'a server joins, with copies made under load');

sub what { my ($kind) = @_; return $kind eq 'join' ? $join{what} : $faults{$kind}{what} }

# new(CHAOS, KIND...): those that may happen.
sub new
{
	my ($class, $chaos, @kinds) = @_;

	return bless {
		chaos => $chaos, cluster => $chaos->{cluster}, kinds => \@kinds, running => {}, taken => {}, number => 0,
		wheel => [ map { ($_) x $faults{$_}{weight} } @kinds ] }, $class;
}

# begin(): a random fault, if what it takes is free: its kind, or nothing.
sub begin
{
	my ($self) = @_;

	return if !@{ $self->{wheel} };
	my $kind = $self->{wheel}[ int rand @{ $self->{wheel} } ];
	my $pick = $faults{$kind}{picks}->($self);
	$pick->{seconds} //= 0.3 + rand 2.5;
	return if grep { $self->{taken}{$_} } @{ $pick->{takes} };
	return $self->_fork($kind, $pick, $faults{$kind}{does});
}

# join_server(NAME): let it join.
sub join_server
{
	my ($self, $name) = @_;

	return $self->_fork('join', { takes => [ "server $name", 'schema' ], server => $name }, $join{does});
}

# takes(WHAT): has a fault taken that?
sub takes { my ($self, $what) = @_; return $self->{taken}{$what} }

sub _fork
{
	my ($self, $kind, $pick, $does) = @_;

	++$self->{number};
	my $pid = fork // die "fork: $!\n";
	if (!$pid)
	{
		@SIG{qw(INT TERM)} = ('DEFAULT', 'DEFAULT');
		$pick->{number} = $self->{number};
		my $start = time;
		my $told = eval { $does->($self, $pick) };
		my $error = $@;
		chomp $error;
		$error =~ s/\s*\n\s*/; /g;
		$self->{chaos}->tell_fault($start, $kind, $pick, $error eq '' ? $told // '' : "FAILED: $error");
		POSIX::_exit($error eq '' ? 0 : 1);
	}
	$self->{running}{$pid} = { kind => $kind, takes => $pick->{takes}, server => $pick->{server} };
	$self->{taken}{$_} = 1 for @{ $pick->{takes} };
	return $kind;
}

# ended(PID, STATUS): a process has ended; the fault that it was, if it was one.
sub ended
{
	my ($self, $pid, $status) = @_;
	my $fault = delete $self->{running}{$pid} or return;

	delete $self->{taken}{$_} for @{ $fault->{takes} };
	return { %$fault, failed => $status != 0 };
}

sub running { my ($self) = @_; return scalar keys %{ $self->{running} } }
sub pids { my ($self) = @_; return keys %{ $self->{running} } }

#
# What they pick
#

sub _one { return $_[ int rand @_ ] }
sub _link_name { my ($link) = @_; return "$link->[0]$link->[1]" }

sub _a_server
{
	my ($self) = @_;
	my $server = _one($self->{chaos}->members);

	return { server => $server, takes => ["server $server"], side => int rand 2 };
}

sub _any_server { my ($self) = @_; return { server => _one($self->{chaos}->members), takes => [], seconds => 1 + rand 2, seed => int rand 1e6 } }

sub _a_link
{
	my ($self) = @_;
	my $link = _one($self->{cluster}->all_links);

	return { links => [$link], takes => [ 'link ' . _link_name($link) ], seconds => 0.5 + rand 4, silence => _one(qw(stall deafen mute)) };
}

sub _a_subscription
{
	my ($self) = @_;
	my $link = _one($self->{cluster}->links);

	return { links => [$link], takes => [ 'link ' . _link_name($link) ] };
}

sub _a_pair
{
	my ($self) = @_;
	my $link = _one($self->{cluster}->all_links);
	my @links = grep { $_->[0] eq $link->[0] && $_->[1] eq $link->[1] || $_->[0] eq $link->[1] && $_->[1] eq $link->[0] } $self->{cluster}->all_links;

	return { links => \@links, takes => [ map { 'link ' . _link_name($_) } @links ], seconds => 0.5 + rand 4 };
}

sub _a_clock
{
	my ($self) = @_;
	my $server = _one($self->{chaos}->members);

	return { server => $server, takes => ["clock $server"], by => _one('10min', '10min', '-10min', '2s', '-2s') };
}

sub _an_island
{
	my ($self) = @_;
	my $server = _one($self->{chaos}->members);
	my @links = grep { $_->[0] eq $server || $_->[1] eq $server } $self->{cluster}->all_links;

	return { server => $server, links => \@links, takes => [ map { 'link ' . _link_name($_) } @links ], seconds => 0.5 + rand 4 };
}

sub _poisoned_link
{
	my ($self) = @_;
	my $link = _one($self->{cluster}->links);
	my ($publisher, $subscriber) = @$link;
	my @links = grep { $_->[1] eq $subscriber } $self->{cluster}->links;

	# what is known of removals is not true for a server that has left out a transaction
	return { links => [$link], takes => [ 'purge', "server $publisher", "server $subscriber", map { 'link ' . _link_name($_) } @links ] };
}

#
# What they do: their result is what there is to tell of it
#

sub _crash
{
	my ($self, $pick) = @_;

	$self->{cluster}->kill_postmaster($pick->{server});
	sleep $pick->{seconds};
	$self->{cluster}->start($pick->{server});
	return sprintf 'down for %.1f s', $pick->{seconds};
}

sub _kill
{
	my ($self, $pick, $type, $signal) = @_;
	my @pids;

	for (1 .. 50)
	{
		@pids = map { $_->[0] } $self->{cluster}->ask($pick->{server},
			'SELECT pid FROM pg_stat_activity WHERE backend_type LIKE ? AND backend_type !~ ? ORDER BY pid', $type, 'launcher');
		last if @pids;
		sleep 0.1;
	}
	die "there is no $type\n" if !@pids;
	my $pid = $pids[ $pick->{number} % @pids ];
	kill $signal, $pid;
	$self->{cluster}->insist(60, sub { $self->{cluster}->ask_one($pick->{server}, 'SELECT 1') });
	return "$pid, a $type" =~ tr/%/ /r;
}

# Some of them, or all.
sub _freeze
{
	my ($self, $pick) = @_;
	my $cluster = $self->{cluster};
	my @pids = map { $_->[0] } $cluster->ask($pick->{server}, 'SELECT pid FROM pg_stat_activity WHERE backend_type ~ ? AND pid <> pg_backend_pid() ORDER BY pid',
		$pick->{side} ? '.' : '^(walsender|logical replication .*worker|client backend)$');

	@pids = $pick->{side} ? ($cluster->postmaster($pick->{server}), @pids) : $pids[ $pick->{number} % @pids ];
	kill 'STOP', @pids;
	sleep $pick->{seconds};
	kill 'CONT', @pids;
	return sprintf '%d for %.1f s', scalar @pids, $pick->{seconds};
}

# As an administrator would see it: the time of day is wrong for some seconds.
sub _clock
{
	my ($self, $pick) = @_;
	my ($server, $cluster) = ($pick->{server}, $self->{cluster});

	$cluster->insist(60, sub { $cluster->tell($server, q{LOAD 'distributed'}, "ALTER SYSTEM SET distributed.test_clock = '$pick->{by}'", 'SELECT pg_reload_conf()') });
	sleep $pick->{seconds};
	$cluster->insist(60, sub { $cluster->tell($server, q{LOAD 'distributed'}, 'ALTER SYSTEM RESET distributed.test_clock', 'SELECT pg_reload_conf()') });
	return sprintf 'by %s for %.1f s', $pick->{by}, $pick->{seconds};
}

# A column is added as doc/active-active.md says, while all go on.
sub _schema
{
	my ($self, $pick) = @_;
	my $cluster = $self->{cluster};
	my @servers = sort { ($a cmp $b) * ($pick->{number} % 2 ? 1 : -1) } $self->{chaos}->members;
	my $column = "new_$pick->{number}";

	for my $step ("ALTER TABLE notes ADD COLUMN IF NOT EXISTS $column text DEFAULT 'new'", q{SELECT enable_merge('notes')}, q{SELECT create_merge_publication('merge')})
	{
		for my $server (@servers)
		{
			$cluster->insist(120, sub { $cluster->tell($server, q{SET lock_timeout = '2s'}, $step) });
		}
	}
	open my $file, '>>', "$cluster->{directory}/columns" or die "columns: $!\n";
	print $file "$column\n";
	close $file or die "columns: $!\n";
	return "$column, " . join ' ', @servers;
}

sub _cut
{
	my ($self, $pick, $mode) = @_;

	$self->{cluster}{relay}->mode(_link_name($_), $mode) for @{ $pick->{links} };
	sleep $pick->{seconds};
	$self->{cluster}{relay}->mode(_link_name($_), 'pass') for @{ $pick->{links} };
	return sprintf '%s for %.1f s', $mode, $pick->{seconds};
}

sub _disable
{
	my ($self, $pick) = @_;
	my ($link, $cluster) = ($pick->{links}[0], $self->{cluster});
	my $subscription = $cluster->subscription($link);

	$cluster->insist(60, sub { $cluster->tell($link->[1], "ALTER SUBSCRIPTION $subscription DISABLE") });
	sleep $pick->{seconds};
	$cluster->insist(60, sub { $cluster->tell($link->[1], "ALTER SUBSCRIPTION $subscription ENABLE") });
	return sprintf 'for %.1f s', $pick->{seconds};
}

# A client of the fault's own, whose operations count as the others'.
sub _client
{
	my ($self, $pick, $server) = @_;

	my $client = Chaos::Workload->new($self->{cluster}, $server, 100 + $pick->{number}, $pick->{seed} // $pick->{number});
	$self->{cluster}->insist(60, sub { $client->connected or die "$server does not answer\n" });
	return $client;
}

sub _hold
{
	my ($self, $pick) = @_;
	my $client = $self->_client($pick, $pick->{server});

	my $outcome = $client->transact(sub {
		my ($done) = @_;
		$client->operate($done) for 1 .. 4;
		sleep $pick->{seconds};
	});
	$client->{ledger}->close;
	return sprintf 'for %.1f s, %s', $pick->{seconds}, $outcome;
}

sub _purge
{
	my ($self, $pick) = @_;
	my ($cluster, $purged, $left, $unreached) = ($self->{cluster}, 0, 0, 0);

	for my $server ($self->{chaos}->members)
	{
		eval { $cluster->ask($server, 'SELECT acknowledge_removals()'); 1 } or ++$unreached;
	}
	sleep 0.5;
	for my $server ($self->{chaos}->members)
	{
		for my $table ($self->{chaos}->deletable)
		{
			eval {
				$purged += $cluster->ask_one($server, "SELECT purge_removed('$table')");
				$left += $cluster->ask_one($server, "SELECT count(*) FROM ${table}_removed");
				1;
			} or ++$unreached;
		}
	}
	return "$purged rows, $left are left" . ($unreached ? ", $unreached calls failed" : '');
}

# One server has a constraint that a row of another breaks.  Which of its subscriptions gets there first
# is up to them: the one that fails is told to leave out the transaction, and its publisher, once the
# constraint is gone, sends the tables again.
sub _poison
{
	my ($self, $pick) = @_;
	my $cluster = $self->{cluster};
	my ($publisher, $subscriber) = @{ $pick->{links}[0] };
	my ($number, $name) = (-$pick->{number}, "poison_$pick->{number}");

	$cluster->insist(60, sub {
		$cluster->tell($subscriber, q{SET lock_timeout = '2s'}, "ALTER TABLE parcels DROP CONSTRAINT IF EXISTS $name, ADD CONSTRAINT $name CHECK (number <> $number) NOT VALID");
	});
	my $told = eval {
		my $client = $self->_client($pick, $publisher);
		my $outcome = $client->transact(sub { my ($done) = @_; $client->operate($done) for 1 .. 2; push @$done, $client->parcel(10_000 + $pick->{number}, $number) });
		$client->{ledger}->close;
		return "the row was not written: $outcome" if $outcome ne 'acknowledged';

		my ($link, $lsn) = $self->_wait_for_poison($subscriber, $name);
		my $subscription = $cluster->subscription($link);
		$cluster->insist(30, sub { $self->_skip($link, $subscription, $lsn) });
		$cluster->insist(60, sub { $cluster->tell($subscriber, q{SET lock_timeout = '2s'}, "ALTER TABLE parcels DROP CONSTRAINT IF EXISTS $name") });
		$self->_wait_for_skip($subscriber, $subscription) if $cluster->{version} >= 15;
		my @tables = $self->{chaos}->tables;
		$cluster->insist(60, sub { $cluster->ask($link->[0], "SELECT resync('$_')") for @tables });
		return "$subscription has skipped " . ($lsn // 'up to now') . ", $link->[0] has sent all again";
	};
	my $error = $@;
	$cluster->insist(60, sub { $cluster->tell($subscriber, q{SET lock_timeout = '2s'}, "ALTER TABLE parcels DROP CONSTRAINT IF EXISTS $name") });
	die $error if !$told;
	return $told;
}

# The link whose worker has failed, and, from version 15 on, where the transaction ends, as the log tells.
sub _wait_for_poison
{
	my ($self, $subscriber, $name) = @_;
	my $cluster = $self->{cluster};

	for (1 .. 200)
	{
		my (%worker, $link);
		for my $line ($cluster->log_lines($subscriber))
		{
			my ($pid) = $line =~ /^\S+ \S+ \S+ \[(\d+)\]/;
			$worker{$pid} = $1 if defined $pid && $line =~ /apply worker for subscription "(\w+)" has started/;
			if (defined $pid && $line =~ /violates check constraint "\Q$name\E"/)
			{
				($link) = grep { $_->[1] eq $subscriber && $cluster->subscription($_) eq ($worker{$pid} // '') } $cluster->links;
				return ($link) if $link && $cluster->{version} < 15;
			}
			return ($link, $1) if $link && $line =~ m{finished at ([0-9A-F]+/[0-9A-F]+)};
		}
		sleep 0.3;
	}
	die "the row has not arrived\n";
}

# Before version 15 a worker can only be told to go on after all that the publisher has written: what
# else is left out then, the publisher sends again, too.
sub _skip
{
	my ($self, $link, $subscription, $lsn) = @_;
	my ($cluster, $subscriber) = ($self->{cluster}, $link->[1]);

	if ($cluster->{version} >= 15)
	{
		$cluster->tell($subscriber, "ALTER SUBSCRIPTION $subscription SKIP (lsn = '$lsn')");
		return;
	}
	$cluster->tell($subscriber, "ALTER SUBSCRIPTION $subscription DISABLE");
	my $now = $cluster->ask_one($link->[0], 'SELECT pg_current_wal_lsn()');
	$cluster->insist(10, sub {
		$cluster->ask($subscriber, q{SELECT pg_replication_origin_advance('pg_' || oid, ?) FROM pg_subscription WHERE subname = ?}, $now, $subscription);
	});
	$cluster->tell($subscriber, "ALTER SUBSCRIPTION $subscription ENABLE");
	return;
}

sub _wait_for_skip
{
	my ($self, $subscriber, $subscription) = @_;
	my $cluster = $self->{cluster};

	for (1 .. 100)
	{
		return if ($cluster->ask_one($subscriber, 'SELECT subskiplsn FROM pg_subscription WHERE subname = ?', $subscription) // '') eq '0/0';
		sleep 0.1;
	}
	die "$subscription has not skipped the transaction\n";
}

sub _join
{
	my ($self, $pick) = @_;
	my $start = time;

	$self->{chaos}->join_server($pick->{server});
	return sprintf 'copies were made in %.1f s', time - $start;
}

1;
