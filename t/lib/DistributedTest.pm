# What the tests in t/ share.  PostgreSQL's own test modules do the work; they have had the
# same names in all supported branches since 13.5 and 14.1, but not the same defaults.
#
#     use FindBin;
#     use lib "$FindBin::Bin/lib";
#     use DistributedTest;
#     my $node = new_node('a', "distributed.node = 'a'");
#     is($node->safe_psql('postgres', 'select 1'), '1', 'it answers');
#     done_testing();
package DistributedTest;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use File::Temp;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(slurp_file);

our @EXPORT = qw(new_node crash_and_restart shared_data start_sessions session_errors);

# new_node(NAME, SETTING...): a started server of its own, ready for CREATE EXTENSION and for
# logical replication, with lines such as "work_mem = 1MB" in its configuration.  See
# perldoc PostgreSQL::Test::Cluster for its methods; it stops when the test ends.
sub new_node
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 'logical', extra => [qw(-E UTF8 --locale=C)]);
	$node->append_conf('postgresql.conf', join("\n",
		'max_connections = 50',
		'max_worker_processes = 20',
		'max_logical_replication_workers = 16',
		'max_replication_slots = 20',
		'max_wal_senders = 20',
		'wal_receiver_status_interval = 1s',
		@settings, ''));
	$node->start;
	return $node;
}

# crash_and_restart(NODE): kill the postmaster the hard way, and start it again once its last
# process has let go of the shared memory.
sub crash_and_restart
{
	my ($node) = @_;

	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;

	$node->kill9;
	for (1 .. 600)
	{
		select undef, undef, undef, 0.1;
		next if kill 0, $pid;
		return if $node->start(fail_ok => 1);
		$node->stop('immediate', fail_ok => 1);
	}
	die 'server ' . $node->name . " does not start after a crash\n";
}

# start_sessions(NODE, SESSIONS, TIMES, SCRIPT, [DATABASE]): a pgbench of so many sessions, each of which
# runs the script so many times, until session_errors is called.
sub start_sessions
{
	my ($node, $sessions, $times, $script, $database) = @_;
	my %run = (out => '', err => '', file => File::Temp->new);

	print { $run{file} } $script;
	$run{file}->flush;
	$run{handle} = IPC::Run::start(
		[ 'pgbench', '-n', '-c', $sessions, '-t', $times, '-f', $run{file}->filename, '-h', $node->host, '-p', $node->port, $database // 'postgres' ],
		'<', \undef, '>', \$run{out}, '2>', \$run{err});
	return \%run;
}

# session_errors(RUN): '' if all of it went well, when it has ended.  From version 15 on, pgbench only
# counts transactions that fail in a deadlock.
sub session_errors
{
	my ($run) = @_;

	$run->{handle}->finish;
	my @errors = grep { /ERROR|aborted/ } split /\n/, $run->{err};
	my ($done, $all) = $run->{out} =~ m{actually processed: (\d+)/(\d+)};
	push @errors, "$done of $all transactions" if defined $done && $done != $all;
	push @errors, 'no transactions' if !defined $done;
	return join "\n", @errors;
}

# shared_data([FILE]): path of the shared test data, or of a file in it; undef where the
# checkout has none.
sub shared_data
{
	my ($file) = @_;
	my $path = $ENV{DISTRIBUTED_SHARED_DATA} or return undef;

	$path .= "/$file" if defined $file;
	return -e $path ? $path : undef;
}

1;
