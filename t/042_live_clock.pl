# hlc_now() and hlc_receive(): one clock for all sessions and databases, also after a crash,
# with a wall clock that stands still or goes back, on a standby, with and without preloading.
use strict;
use warnings FATAL => 'all';

use FindBin;
use IPC::Run;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $sessions = 8;
my $calls = 100_000;

# start_psql(NODE, DATABASE, SQL): a session in the background; its handle and output.
sub start_psql
{
	my ($node, $database, $sql) = @_;
	my %session = (out => '', err => '');

	$session{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr($database), '-v', 'ON_ERROR_STOP=1', '-c', $sql ],
		'<', '/dev/null', '>', \$session{out}, '2>', \$session{err});
	return \%session;
}

# create(NODE): the extension in two databases.
sub create
{
	my ($node) = @_;

	$node->safe_psql('postgres', 'CREATE EXTENSION distributed; CREATE DATABASE other');
	$node->safe_psql('other', 'CREATE EXTENSION distributed');
	return;
}

foreach my $preloaded (0, 1)
{
	my $how = $preloaded ? 'preloaded' : 'not preloaded';
	my $node = new_node($preloaded ? 'preloaded' : 'plain',
		$preloaded ? q{shared_preload_libraries = 'distributed'} : ());

	create($node);
	$node->safe_psql($_, 'CREATE TABLE times (session int, i int, t hlc)') foreach qw(postgres other);

	# Many sessions of two databases at once, some of which also receive.
	my @running = map {
		my $call = $_ % 4 ? 'hlc_now()'
		  : q{CASE WHEN i % 100 = 0 THEN hlc_receive(hlc(clock_timestamp() + '1 ms')) ELSE hlc_now() END};

		start_psql($node, $_ % 2 ? 'postgres' : 'other',
			"INSERT INTO times SELECT $_, i, $call FROM generate_series(1, $calls) i");
	} 1 .. $sessions;
	is(scalar(grep { $_->{run}->finish } @running), $sessions, "$how: $sessions sessions at once");
	my $others = $node->safe_psql('other', 'COPY times TO STDOUT');
	my $file = PostgreSQL::Test::Utils::tempdir() . '/times';
	PostgreSQL::Test::Utils::append_to_file($file, "$others\n");
	$node->safe_psql('postgres', "COPY times FROM '$file'");
	is( $node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT t), count(DISTINCT session) FROM times'),
		join('|', ($sessions * $calls) x 2, $sessions),
		"$how: $sessions times $calls times, all of them distinct");
	is( $node->safe_psql('postgres', q{
			SELECT count(*) FILTER (WHERE t <= before)
			FROM (SELECT t, lag(t) OVER (PARTITION BY session ORDER BY i) FROM times) s (t, before)}),
		'0', "$how: in each session increasing");
	cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM times WHERE logical(t) > 0'),
		'>', 0, "$how: counters were needed");

	# What happens after, in whichever session, is later.
	my @times = map { $node->safe_psql($_ % 2 ? 'postgres' : 'other', 'SELECT hlc_now()') } 1 .. 20;
	is( $node->safe_psql('postgres', sprintf(q{
			SELECT count(*) FILTER (WHERE t <= before) FROM (SELECT t, lag(t) OVER (ORDER BY i)
			FROM unnest('{%s}'::hlc[]) WITH ORDINALITY u (t, i)) s (t, before)}, join ',', @times)),
		'0', "$how: one session after the other, increasing");

	# Neither WAL nor a transaction id.
	my $plan = $node->safe_psql('postgres', q{
		BEGIN; EXPLAIN (ANALYZE, WAL, COSTS OFF)
			SELECT count(hlc_now()), count(hlc_receive('17.0')) FROM generate_series(1, 100000);
		SELECT pg_current_xact_id_if_assigned() IS NOT NULL; COMMIT});
	like($plan, qr/rows=100000/, "$how: 200,000 times");
	unlike($plan, qr/WAL:/, "$how: ... write no WAL");
	like($plan, qr/^f$/m, "$how: ... need no transaction id");
	$node->stop;
}

# From here on the clock is far ahead of the wall clock: only what is kept makes it go on.
my $node = new_node('main', q{distributed.max_clock_offset = '2h'}, 'restart_after_crash = on');
create($node);

sub now { return $node->safe_psql('postgres', 'SELECT hlc_now()') }

# later(EARLIER, LATER): by the type's own order, and by less than a minute.
sub later
{
	my ($earlier, $later, $name) = @_;

	is($node->safe_psql('postgres', "SELECT '$later'::hlc > '$earlier', '$later'::hlc - '$earlier' < '1 min'"),
		't|t', $name);
	return;
}

my $ahead = $node->safe_psql('postgres', q{SELECT hlc_receive(hlc(clock_timestamp() + '1 h', 5))});
like($ahead, qr{/6\z}, 'a received time is followed, counter and all');
later($ahead, now(), '... by all sessions');
is($node->safe_psql('postgres', q{SELECT clock_offset > '59 min' FROM hlc_status()}), 't', '... as the status tells');

# kill -9 under load: nothing that a client has seen comes again.
sub killed_under_load
{
	my ($name, $kill) = @_;
	my @running = map { start_psql($node, $_ % 2 ? 'postgres' : 'other',
			'COPY (SELECT hlc_now() FROM (SELECT generate_series(1, 100000000)) endless) TO STDOUT') } 1 .. 4;

	foreach (1 .. 600)
	{
		$_->{run}->pump_nb foreach @running;
		last if 4 == grep { length $_->{out} > 100_000 } @running;
		select undef, undef, undef, 0.1;
	}
	$kill->();
	eval { $_->{run}->finish } foreach @running;
	my @seen = map { split /\n/, $_->{out} =~ s/[^\n]*\z//r } @running;
	my %distinct = map { $_ => 1 } @seen;
	is(scalar(keys %distinct), scalar(@seen), "$name: " . @seen . ' times seen, all of them distinct');
	my ($last) = sort { $b->[0] cmp $a->[0] || $b->[1] <=> $a->[1] } map { [ split m{/} ] } @seen;
	$node->poll_query_until('postgres', 'SELECT true') or die "$name: no server";
	later("$last->[0]/$last->[1]", now(), "$name: later than the last of them");
	return;
}

killed_under_load('server killed', sub { crash_and_restart($node) });
killed_under_load('session killed', sub {
	my ($pid) = $node->safe_psql('postgres',
		q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT hlc_now%' LIMIT 1});
	kill 'KILL', $pid });

# Restarts: also with another number of cells.
my $before = now();
$node->restart;
later($before, now(), 'later after a restart');
$before = now();
$node->append_conf('postgresql.conf', 'max_connections = 77');
$node->restart;
later($before, now(), 'later after a restart with fewer connections');

# A wall clock that goes back, for all sessions, over a restart and without one.
$before = now();
$node->append_conf('postgresql.conf', q{distributed.test_clock = '-5min'});
$node->reload;
$node->poll_query_until('postgres', q{SELECT wall_clock < clock_timestamp() - interval '4 min' FROM hlc_status()})
  or die 'the setting does not arrive';
later($before, now(), 'later while the wall clock is behind');
$node->restart;
later($before, now(), '... and after a restart');
$node->append_conf('postgresql.conf', q{distributed.test_clock = ''});

# A copy of the data directory, as a standby.
$node->restart;
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$before = now();
is( $standby->safe_psql('postgres', q{
		SELECT pg_is_in_recovery(), count(t), count(DISTINCT t) FROM (SELECT hlc_now() FROM generate_series(1, 1000)) s (t)}),
	't|1000|1000', 'on a standby');
is( $standby->safe_psql('postgres', qq{SELECT hlc_receive('$before') > '$before', shared, refusals FROM hlc_status()}),
	't|t|0', '... which also receives');
isnt(($standby->psql('postgres', q{SELECT hlc_receive(hlc(clock_timestamp() + '5 h'))}))[0], 0, '... and refuses');
is($standby->safe_psql('postgres', 'SELECT refusals FROM hlc_status()'), '1', '... and counts that');
$standby->stop;
$node->stop;

# A clock that stands still: exact times.
$node = new_node('still', q{distributed.test_clock = '@4102444800000000000'});
create($node);
is(join(' ', now(), map { $node->safe_psql('other', 'SELECT hlc_now()') } 1 .. 3),
	join(' ', map { "2100-01-01T00:00:00.000000000Z/$_" } 0 .. 3), 'the counter goes on where the wall clock does not');
is( $node->safe_psql('postgres', q{
		SELECT hlc_receive('2100-01-01T00:00:00.3Z/41'); SELECT hlc_now();
		SELECT hlc_receive('2100-01-01T00:00:00.3Z/4294967294'); SELECT hlc_now(); SELECT hlc_now();
		SELECT hlc_receive('2100-01-01T00:00:00.5Z/0'); SELECT hlc_receive('2099-12-31T00:00:00Z/99')}),
	join("\n", map { "2100-01-01T00:00:00.$_" } '300000000Z/42', '300000000Z/43', '300000000Z/4294967295',
		'300000001Z/0', '300000001Z/1', '500000000Z/1', '500000000Z/2'),
	'receiving; a full counter moves on by a nanosecond');
like(($node->psql('postgres', q{SELECT hlc_receive('2100-01-01T00:00:00.500000001Z/0')}))[2],
	qr/received time is too far ahead.*\n.*2100-01-01T00:00:00\.500000001Z\/0, the local clock shows 2100-01-01T00:00:00\.000000000Z\/0: 500\.000 ms ahead, and distributed\.max_clock_offset is 500 ms/,
	'a nanosecond too far ahead is refused, with both times and the offset');
is($node->safe_psql('postgres', 'SELECT last_time, clock_offset, max_clock_offset, refusals, shared FROM hlc_status()'),
	'2100-01-01T00:00:00.500000000Z/2|00:00:00.5|00:00:00.5|1|t', 'what the status tells');
$node->restart;
is(now(), '2100-01-01T00:00:00.500000001Z/1', 'a restart rounds up to a nanosecond');

# What was written before the operating system went down may be lost, and a file may be broken:
# then the clock starts as far ahead of the wall clock as it can have been. A missing file is a
# new server's.
my $file = $node->data_dir . '/distributed.clock';

sub spoil
{
	my ($name, $change, $expected) = @_;

	$node->stop;
	$change->();
	$node->start;
	is(now(), $expected, $name);
	return;
}

sub overwrite
{
	my ($offset, $bytes) = @_;

	open my $handle, '+<:raw', $file or die "$file: $!";
	seek $handle, $offset, 0;
	print $handle $bytes;
	close $handle or die "$file: $!";
	return;
}

my $word = 72;    # where the file keeps the time
spoil('an older time of another boot', sub { overwrite(32, 'x' x 36); overwrite($word, pack 'q', 4102444800000000000) },
	'2100-01-01T00:00:00.500000000Z/1');
spoil('a later time of another boot', sub { overwrite(32, 'x' x 36); overwrite($word, pack 'q', 4102444801000000000) },
	'2100-01-01T00:00:01.000000000Z/1');
spoil('no file', sub { unlink $file or die "$file: $!" }, '2100-01-01T00:00:00.000000000Z/0');
spoil('an empty file', sub { truncate $file, 0 or die "$file: $!" }, '2100-01-01T00:00:00.000000000Z/0');
spoil('a file cut short', sub { truncate $file, 100 or die "$file: $!" }, '2100-01-01T00:00:00.500000000Z/1');
spoil('a file of something else', sub { overwrite(0, 'SQLite format 3') }, '2100-01-01T00:00:00.500000000Z/1');
spoil('a cell that does not exist', sub { overwrite($word, "\xFF" x 8) }, '2100-01-01T00:00:00.500000000Z/1');
$node->stop;
chmod 0, $file;
$node->start;
SKIP:
{
	skip 'this user may read everything', 1 if $> == 0;
	like(($node->psql('postgres', 'SELECT hlc_now()'))[2], qr/could not open file "distributed\.clock": Permission denied/,
		'a file that cannot be read is an error');
}
chmod 0600, $file;
like(now(), qr/^2100-01-01/, '... until it can');
$node->stop;
done_testing();
