# The servers of a chaos run, and the links between them.  Servers are real ones, on unix sockets
# only; every link from a publisher to a subscriber goes through the relay (Chaos::Relay).
package Chaos::Cluster;

use strict;
use warnings FATAL => 'all';

use Chaos::Relay;
use DBI;
use File::Path ();
use Time::HiRes qw(sleep time);

use constant FIRST_PORT => 5432;

# new(DIRECTORY, BINDIR, TOPOLOGY): the directory's path must be short, for the sake of the sockets.
sub new
{
	my ($class, $directory, $bindir, $topology) = @_;
	my $self = bless { directory => $directory, bindir => $bindir, topology => $topology, port => {}, links => [], all_links => [] }, $class;

	$self->{relay} = Chaos::Relay->start("$directory/relay");
	($self->{version}) = `'$bindir/postgres' --version` =~ /(\d+)/ or die "no PostgreSQL at $bindir\n";
	return $self;
}

# Settings that every server has, and why.
sub settings
{
	return <<'END';
listen_addresses = ''
wal_level = logical
max_connections = 80
max_worker_processes = 40
max_logical_replication_workers = 24
max_sync_workers_per_subscription = 4
max_replication_slots = 40
max_wal_senders = 40
shared_buffers = 64MB
jit = off
log_line_prefix = '%m [%p] %b %q%a '
# A killed postmaster is no crash of the system: what has been written to the kernel stays.  But it
# must have been written when a commit is acknowledged, or losses would be PostgreSQL's.
synchronous_commit = on
fsync = off
full_page_writes = off
# Faults take seconds here, not minutes.
wal_sender_timeout = 3s
wal_receiver_timeout = 3s
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 200ms
deadlock_timeout = 100ms
# All that is done in the background is done often; transactions that are decoded spill to disk.
checkpoint_timeout = 30s
max_wal_size = 1GB
autovacuum_naptime = 5s
logical_decoding_work_mem = 64kB
END
}

# reserve(NAME): create a server, which start starts.  Each is made by initdb: the slots by which tables
# are copied are told apart by the server's identifier, which a copy of a server shares.  Every second one
# has the library preloaded: clocks and counts are then in shared memory.
sub reserve
{
	my ($self, $name) = @_;
	my $number = keys %{ $self->{port} };
	my $data = "$self->{directory}/$name";

	$self->{port}{$name} = FIRST_PORT + $number;
	$self->_run("$name.start", 'initdb', '-D', $data, qw(-U postgres -A trust -E UTF8 --no-locale --no-sync), $self->{version} >= 18 ? '--no-data-checksums' : ());
	open my $file, '>>', "$data/postgresql.conf" or die "$data/postgresql.conf: $!\n";
	print $file $self->settings, "unix_socket_directories = '$self->{directory}'\n", "port = $self->{port}{$name}\n",
	  "cluster_name = '$name'\n", "distributed.node = '$name'\n", $number % 2 ? () : "shared_preload_libraries = 'distributed'\n";
	close $file;
	return;
}

sub servers { my ($self) = @_; return sort keys %{ $self->{port} } }

# plan(NAME...): [publisher, subscriber] of the links that these servers need and do not have.
sub plan
{
	my ($self, @names) = @_;
	my @pairs;

	if ($self->{topology} eq 'mesh')
	{
		@pairs = map { my $one = $_; map { [ $one, $_ ] } grep { $_ ne $one } @names } @names;
	}
	elsif ($self->{topology} eq 'star')
	{
		@pairs = map { [ $names[0], $_ ], [ $_, $names[0] ] } @names[ 1 .. $#names ];
	}
	elsif ($self->{topology} eq 'ring')
	{
		# one way round: what a server says comes back to it by way of all others
		@pairs = map { [ $names[$_], $names[ ($_ + 1) % @names ] ] } 0 .. $#names;
	}
	else
	{
		die "there is no topology $self->{topology}: mesh, ring or star\n";
	}
	return grep { my $pair = $_; !grep { $_->[0] eq $pair->[0] && $_->[1] eq $pair->[1] } $self->all_links } @pairs;
}

# add_links(LINK...): let the relay know them.  They count as links, on which a subscription is, from the
# first call on, later ones when accept_links is called.
sub add_links
{
	my ($self, @links) = @_;

	for my $link (@links)
	{
		my ($publisher, $subscriber) = @$link;
		my $directory = "$self->{directory}/$publisher$subscriber";
		mkdir $directory or die "$directory: $!\n";
		my $socket = ".s.PGSQL.$self->{port}{$publisher}";
		$self->{relay}->open_link("$publisher$subscriber", "$directory/$socket", "$self->{directory}/$socket");
		push @{ $self->{all_links} }, $link;
	}
	$self->accept_links if !@{ $self->{links} };
	return;
}

sub accept_links { my ($self) = @_; $self->{links} = [ @{ $self->{all_links} } ]; return }
sub links { my ($self) = @_; return @{ $self->{links} } }
sub all_links { my ($self) = @_; return @{ $self->{all_links} } }

# subscription(LINK): its name, and that of its slot, as merge_subscription_commands names them.
sub subscription { my ($self, $link) = @_; return "merge_$link->[0]_to_$link->[1]" }

# connection(LINK): for libpq, how the subscriber reaches the publisher.
sub connection
{
	my ($self, $link) = @_;
	my ($publisher, $subscriber) = @$link;

	return "host=$self->{directory}/$publisher$subscriber port=$self->{port}{$publisher} user=postgres dbname=postgres";
}

# connect_to(NAME): a session of its own; dies if the server is down.
sub connect_to
{
	my ($self, $name, %attributes) = @_;

	return DBI->connect("dbi:Pg:dbname=postgres;host=$self->{directory};port=$self->{port}{$name};connect_timeout=10;options='-c client_min_messages=error'", 'postgres', '',
		{ RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1, AutoInactiveDestroy => 1, %attributes });
}

# ask(NAME, STATEMENT, VALUE...): the rows of a query, in a session of its own.
sub ask
{
	my ($self, $name, $statement, @values) = @_;
	my $session = $self->connect_to($name);
	my $rows = eval {
		$session->do(q{SET statement_timeout = '60s'});
		$session->selectall_arrayref($statement, undef, @values);
	};
	my $error = $@;

	$session->disconnect;
	die $error if !$rows;
	return @$rows;
}

sub ask_one { my ($self, @question) = @_; my ($row) = $self->ask(@question); return $row ? $row->[0] : undef }

# tell(NAME, STATEMENT...): run them, each on its own, in one session.
sub tell
{
	my ($self, $name, @statements) = @_;
	my $session = $self->connect_to($name);

	my $done = eval {
		$session->do($_) for @statements;
		1;
	};
	my $error = $@;
	$session->disconnect;
	die $error if !$done;
	return;
}

# insist(SECONDS, SUB): call it until it does not die.
sub insist
{
	my ($self, $seconds, $attempt) = @_;
	my $end = time + $seconds;

	while (1)
	{
		my @result;
		return wantarray ? @result : $result[0] if eval { @result = $attempt->(); 1 };
		die $@ if time > $end;
		sleep 0.1;
	}
}

sub postmaster
{
	my ($self, $name) = @_;

	open my $file, '<', "$self->{directory}/$name/postmaster.pid" or return;
	my ($pid) = (<$file> // '') =~ /^(\d+)/;
	return $pid;
}

# kill_postmaster(NAME): the hard way.  Its children notice, some of them not before they have ended
# what they are at.
sub kill_postmaster
{
	my ($self, $name) = @_;
	my $pid = $self->postmaster($name);

	kill 'KILL', $pid if $pid;
	return;
}

# start(NAME): start a server, also one whose last incarnation has not let go of its memory yet.
sub start
{
	my ($self, $name) = @_;
	my $directory = $self->{directory};
	my $end = time + 60;

	while (1)
	{
		return if eval {
			$self->_run("$name.start", 'pg_ctl', 'start', '-w', '-t', 60, '-s', '-D', "$directory/$name", '-l', "$directory/$name.log");
			1;
		};
		die $@ if time > $end;
		sleep 0.1;
	}
}

# backup(NAME), restore(NAME): what a server has, and back to that.
sub backup
{
	my ($self, $name) = @_;

	$self->_stop($name);
	$self->_copy($name, "$name.backup");
	$self->start($name);
	return;
}

sub restore
{
	my ($self, $name) = @_;

	$self->_stop($name);
	File::Path::remove_tree("$self->{directory}/$name");
	$self->_copy("$name.backup", $name);
	$self->start($name);
	return;
}

sub _stop { my ($self, $name) = @_; return $self->_run("$name.start", 'pg_ctl', 'stop', '-w', '-s', '-m', 'fast', '-D', "$self->{directory}/$name") }

sub _copy
{
	my ($self, $from, $to) = @_;

	system('cp', '-a', "$self->{directory}/$from", "$self->{directory}/$to") == 0 or die "cp has failed\n";
	return;
}

# stop_all(): end all servers and the relay, at once.
sub stop_all
{
	my ($self) = @_;

	for my $name (grep { $self->postmaster($_) } $self->servers)
	{
		eval { $self->_run("$name.start", 'pg_ctl', 'stop', '-s', '-m', 'immediate', '-D', "$self->{directory}/$name"); 1 } or warn $@;
	}
	$self->{relay}->stop;
	return;
}

# position(NAME): the end of its WAL, and how many transactions it has decoded (which versions before 14 do not tell).
sub position
{
	my ($self, $name) = @_;
	my $lsn = $self->ask_one($name, 'SELECT pg_current_wal_insert_lsn()');
	my $decoded = $self->{version} < 14 ? 0 : $self->ask_one($name, 'SELECT sum(total_txns) FROM pg_stat_replication_slots');

	return [ $lsn, $decoded // 0 ];
}

# done_between(NAME, POSITION, POSITION): what it has decoded and written meanwhile, as texts, without what
# PostgreSQL writes by itself.
sub done_between
{
	my ($self, $name, $before, $after) = @_;
	my (@done, %records);

	push @done, "$name has decoded " . ($after->[1] - $before->[1]) . ' transactions' if $after->[1] != $before->[1];
	return @done if $after->[0] eq $before->[0];
	open my $dump, '-|', "$self->{bindir}/pg_waldump", '-q', '-p', "$self->{directory}/$name/pg_wal", '-s', $before->[0], '-e', $after->[0] or die "pg_waldump: $!\n";
	while (my $line = <$dump>)
	{
		my ($manager, $what) = $line =~ /^rmgr: (\S+).*desc: (\S+)/ or next;
		++$records{"$manager $what"} if "$manager $what" !~ /^(Standby RUNNING_XACTS|XLOG (CHECKPOINT_\w+|SWITCH))/;
	}
	close $dump or die "$name has written up to $after->[0], which cannot be read\n";
	push @done, "$name has written " . join ', ', map { "$records{$_} $_" } sort keys %records if %records;
	return @done;
}

# log_lines(NAME): of a server, all of them.
sub log_lines
{
	my ($self, $name) = @_;

	open my $file, '<', "$self->{directory}/$name.log" or return;
	return <$file>;
}

# _run(LOG, PROGRAM, ARGUMENT...): run a program of PostgreSQL's, with its output going to a file.
sub _run
{
	my ($self, $log, $program, @arguments) = @_;
	my $file = "$self->{directory}/$log.out";

	my $pid = fork // die "fork: $!\n";
	if (!$pid)
	{
		require POSIX;
		POSIX::setsid();           # the terminal's interrupt is for us, not for servers
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $file;
		open STDERR, '>&', \*STDOUT;
		exec "$self->{bindir}/$program", @arguments or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	die "$program has failed: see $file\n" if $?;
	return;
}

1;
