# Named clocks: several sessions, transactions, a crash, dump and restore, another schema.
use strict;
use warnings FATAL => 'all';

use FindBin;
use IPC::Run;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $sessions = 4;
my $ticks = 300;
my $node = new_node('main', q{distributed.node = 'main'});

sub query { return $node->safe_psql($_[1] || 'postgres', $_[0]) }

query(q{
	CREATE EXTENSION distributed;
	CREATE TABLE ticked (clock text, session int, i int, t logical_time);
	SELECT create_clock('l', 'lamport'), create_clock('v', 'vector'), create_clock('h', 'hybrid')});

# Two sessions never get the same time; each transaction ticks all three clocks.
my @running = map {
	my $session = $_;
	my $sql = '\set ON_ERROR_STOP on' . "\n" . join "\n", map {
		"INSERT INTO ticked VALUES ('l', $session, $_, clock_tick('l')), ('v', $session, $_, clock_tick('v')), ('h', $session, $_, clock_tick('h'));"
	} 1 .. $ticks;
	my %run = (out => '', err => '');
	$run{handle} = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('postgres') ], '<', \$sql, '>', \$run{out}, '2>', \$run{err});
	\%run
} 1 .. $sessions;
is(scalar(grep { $_->{handle}->finish } @running), $sessions, "$sessions sessions tick three clocks $ticks times each")
  or diag(map { $_->{err} } @running);
is( query('SELECT clock, count(*), count(DISTINCT t) FROM ticked GROUP BY 1 ORDER BY 1'),
	join("\n", map { "$_|" . join '|', ($sessions * $ticks) x 2 } qw(h l v)), 'all their times are distinct');
is( query(q{SELECT count(*) FILTER (WHERE t #<=# before)
	FROM (SELECT t, lag(t) OVER (PARTITION BY clock, session ORDER BY i) FROM ticked) s (t, before)}),
	'0', 'in each session increasing');
is(query(q{SELECT clock_now('l'), clock_now('v')}),
	sprintf('{"lamport": %d}|{"vector": {"main": %d}}', ($sessions * $ticks) x 2), 'every tick counts once');
is(query(q{SELECT max(t::hlc) = clock_now('h')::hlc FROM ticked WHERE clock = 'h'}), 't', 'the last time is the clock\'s');

# A second session waits for the first; what is rolled back has not happened.
foreach my $end (qw(ROLLBACK COMMIT))
{
	my $before = query(q{SELECT clock_now('l')::lamport});
	my ($out, $err) = ('', '');
	my $first = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
		'<', \"BEGIN; SELECT clock_tick('l')::lamport, 'ticked'; SELECT pg_sleep(1); $end;\n", '>', \$out, '2>', \$err);
	$first->pump until $out =~ /ticked/;
	is(query(q{SELECT clock_now('l')::lamport}), $before, "$end: others see the clock as it was");
	my $second = query(q{SELECT clock_tick('l')::lamport});
	$first->finish;
	is($second, $before + ($end eq 'COMMIT' ? 2 : 1), "$end: another session ticks after that");
}
my ($status, $out, $err) = $node->psql('postgres', q{
	BEGIN ISOLATION LEVEL REPEATABLE READ;
	SELECT count(*) FROM ticked;
	\! psql -Xq -d "} . $node->connstr('postgres') . q{" -c "SELECT clock_tick('l')" >/dev/null
	SELECT clock_tick('l');
	COMMIT}, extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
like($err, qr/ERROR:  40001/, 'a transaction that does not see the last tick cannot tick');

# Durable
my $clocks = query('SELECT name, now FROM named_clocks ORDER BY name');
crash_and_restart($node);
is(query('SELECT name, now FROM named_clocks ORDER BY name'), $clocks, 'clocks survive a crash');

# Dump and restore: the clocks go on, for their owner; also in another schema.
query(q{
	CREATE ROLE keeper LOGIN;
	SET ROLE keeper; SELECT create_clock('kept', 'vector', 'n'), clock_tick('kept')});
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $file, $node->connstr('postgres') ], 'dumps');
query('CREATE DATABASE restored');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr('restored') ], 'restores');
is(query('SELECT name, now FROM named_clocks ORDER BY name', 'restored'), query('SELECT name, now FROM named_clocks ORDER BY name'),
	'the same clocks');
is(query(q{SET ROLE keeper; SELECT clock_tick('kept')}, 'restored'), '{"vector": {"n": 2}}', 'a clock goes on for its owner');

query(q{CREATE SCHEMA "Odd ""one"; ALTER EXTENSION distributed SET SCHEMA "Odd ""one"}, 'restored');
is( query(q{SET search_path = ''; SET ROLE keeper;
		RESET ROLE; GRANT USAGE ON SCHEMA "Odd ""one" TO keeper; SET ROLE keeper;
		SELECT "Odd ""one".clock_tick('kept');
		SELECT "Odd ""one".clock_receive('kept', '{"vector": {"m": 7}}');
		SELECT "Odd ""one".create_clock('new', 'hybrid') IS NOT NULL;
		SELECT "Odd ""one".drop_clock('new')}, 'restored'),
	join("\n", '{"vector": {"n": 3}}', '{"vector": {"m": 7, "n": 4}}', 't', ''),
	'in a schema that was renamed and is not on the search path');

# Names of ours in the caller's path are not taken for the extension's, nor operators.
is( query(q{
		CREATE SCHEMA trap; SET search_path = trap, pg_catalog;
		CREATE TABLE trap.named_clocks (name text, node text, now text, owner oid);
		CREATE FUNCTION trap.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
		CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.never);
		SET search_path = trap, pg_catalog, public;
		SELECT public.clock_tick('v') IS NOT NULL}),
	't', 'the search path does not matter');
$node->stop;
done_testing();
