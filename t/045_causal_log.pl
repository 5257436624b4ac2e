# Causal logs under concurrent sessions: nothing is lost, numbered twice or left out; what is
# rolled back has not happened; crashes and dumps keep what was committed.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use IPC::Run;
use Test::More;

my $node = new_node('writer', "distributed.node = 'here'", 'max_prepared_transactions = 5');
$node->safe_psql('postgres', 'CREATE EXTENSION distributed');

# Let some sessions run a script that often each; the errors, but for those that may occur.
sub by_sessions
{
	my ($sessions, $times, $script, $allowed) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/script.sql';
	my ($out, $err) = ('', '');

	open my $handle, '>', $file or die $!;
	print $handle $script;
	close $handle;
	IPC::Run::run([ 'pgbench', '-n', '-M', 'prepared', '-c', $sessions, '-j', 2, '-t', $times, '-f', $file,
			'-h', $node->host, '-p', $node->port, 'postgres' ], '>', \$out, '2>', \$err);
	return join "\n", grep { /ERROR|aborted/ && !($allowed && $_ =~ $allowed) } split /\n/, $err;
}

# What must hold for a log whatever was written at the same time: of each node the events are
# numbered from 1, each clock includes the one before it, and counts no event that is not there.
sub faults
{
	my ($log) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT 'gap', origin FROM $log GROUP BY origin HAVING count(*) <> max(seq) OR min(seq) <> 1
		UNION ALL SELECT 'forgotten', origin FROM (
			SELECT origin, clock, lag(clock) OVER (PARTITION BY origin ORDER BY seq) AS before FROM $log) s
			WHERE NOT before << clock
		UNION ALL SELECT 'out of time', origin FROM (
			SELECT origin, at, lag(at) OVER (PARTITION BY origin ORDER BY seq) AS before FROM $log) s
			WHERE before >= at
		UNION ALL SELECT 'unknown', node FROM (SELECT merge(clock) AS known FROM $log) m, each(known) e
			WHERE counter > (SELECT count(*) FROM $log WHERE origin = node)});
}

# Eight sessions, a node each; each receives from the next one.
$node->safe_psql('postgres', q{SELECT create_causal_log('gossip')});
is( by_sessions(8, 200, q{
		SELECT log_event('gossip', NULL, (SELECT clock FROM gossip WHERE origin = 'n' || (:client_id + 1) % 8 ORDER BY seq DESC LIMIT 1),
			'n' || :client_id);}),
	'', 'eight sessions of a node each log at the same time');
is($node->safe_psql('postgres', q{SELECT origin, count(*), max(seq) FROM gossip GROUP BY origin ORDER BY origin}),
	join("\n", map { "n$_|200|200" } 0 .. 7), '... all of it');
is(faults('gossip'), '', '... and in order');
cmp_ok($node->safe_psql('postgres', q{SELECT max(node_count(clock)) FROM gossip}), '==', 8, '... and hear of one another');
is($node->safe_psql('postgres', q{SELECT count(*) FROM frontier('gossip') f JOIN gossip g ON f.clock << g.clock}),
	'0', '... up to a frontier');

# Eight sessions of one node, by function and by plain inserts.
$node->safe_psql('postgres', q{SELECT create_causal_log('shared')});
is( by_sessions(8, 200, q{
		\set way random(1, 2)
		\if :way = 1
		SELECT log_event('shared', to_jsonb(:client_id::integer));
		\else
		INSERT INTO shared (event) VALUES (to_jsonb(:client_id::integer)), (to_jsonb(:client_id::integer));
		\endif}),
	'', 'eight sessions of one node log at the same time, by function and by plain inserts');
is(faults('shared'), '', '... one after another');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT event), count(*) >= 1600 FROM shared}), '8|t', '... all of them');
is($node->safe_psql('postgres', q{SELECT count(*) FROM races('shared', '1')}), '0', '... without a race');

# The same where some transactions fail, and in all isolation levels.
$node->safe_psql('postgres', q{
	SELECT create_causal_log('mixed');
	CREATE TABLE tally (client integer);
});
is( by_sessions(6, 150, q{
		\set way random(1, 4)
		\if :way = 1
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		\elif :way = 2
		BEGIN ISOLATION LEVEL SERIALIZABLE;
		\else
		BEGIN;
		\endif
		SELECT count(*) FROM tally;
		SELECT log_event('mixed', to_jsonb(:client_id::integer));
		INSERT INTO mixed (event, clock) VALUES (to_jsonb(:client_id::integer), vclock('elsewhere', :client_id + 1));
		\if :way = 3
		ROLLBACK;
		\else
		COMMIT;
		\endif}, qr/could not serialize access|Run was aborted/),
	'', 'transactions of all isolation levels, some of them rolled back: only serializable ones may fail');
is(faults('mixed') =~ s/unknown\|elsewhere//r, '', '... and leave no gaps');

# One session waits for the other, and sees what it did, also with an older snapshot.
my $first = $node->background_psql('postgres') if $node->can('background_psql');
SKIP:
{
	skip 'this version cannot drive two sessions', 8 if !$first || !$first->can('query_safe');
	my $second = $node->background_psql('postgres');
	my $third = $node->background_psql('postgres');

	$node->safe_psql('postgres', q{SELECT create_causal_log('two')});
	$second->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	is($second->query_safe('SELECT count(*) FROM two'), '0', 'an old snapshot is taken');
	$first->query_safe('BEGIN');
	is($first->query_safe(q{SELECT log_event('two', '"first"')}), '{"here": 1}', 'a session logs an event');
	is($third->query_safe(q{SELECT log_event('two', '"third"', node => 'there')}), '{"there": 1}', '... events of other nodes do not wait');
	$second->query_until(qr/started/, qq{\\echo started\nSELECT log_event('two', '"second"');\n});
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted})
	  or die 'the second session does not wait';
	$first->query_safe('COMMIT');
	is($second->query_safe('SELECT 1') =~ /1/ ? 1 : 0, 1, '... one of the same node does, until it is committed');
	is($second->query_safe(q{SELECT count(*) FROM two}), '1', '... and it still does not see it');
	$second->query_safe('COMMIT');
	is($node->safe_psql('postgres', q{SELECT seq, clock, event FROM two WHERE origin = 'here' ORDER BY seq}),
		qq{1|{"here": 1}|"first"\n2|{"here": 2}|"second"}, '... but comes after it');
	$first->query_safe(q{BEGIN; SELECT log_event('two', '"lost"')});
	$first->query_safe('ROLLBACK');
	is($third->query_safe(q{SELECT log_event('two', '"kept"')}), '{"here": 3}', 'what is rolled back has not happened');
	# a user's own advisory locks are others
	$first->query_safe(q{BEGIN; SELECT pg_advisory_xact_lock('two'::regclass::oid::integer, hashtext('here'))});
	is($third->query_safe(q{SELECT log_event('two', '"free"')}), '{"here": 4}', '... and advisory locks of users do not matter');
	$_->quit for $first, $second, $third;
}

# A prepared transaction has happened when it is committed, and until then others wait.
$node->safe_psql('postgres', q{
	SELECT create_causal_log('prepared');
	BEGIN; SELECT log_event('prepared', '"in doubt"'); PREPARE TRANSACTION 'doubt'});
my ($status, $out, $err) = $node->psql('postgres', q{SET lock_timeout = '100ms'; SELECT log_event('prepared', '"next"')});
like($err, qr/lock timeout/, 'a prepared transaction keeps its place');
is($node->safe_psql('postgres', q{SELECT log_event('prepared', '"other"', node => 'other')}), '{"other": 1}', '... at its node');

# A crash keeps what was committed, and the log goes on.
my $before = $node->safe_psql('postgres', q{SELECT count(*), md5(string_agg(g::text, ',' ORDER BY origin, seq)) FROM gossip g});
crash_and_restart($node);
is($node->safe_psql('postgres', q{SELECT count(*), md5(string_agg(g::text, ',' ORDER BY origin, seq)) FROM gossip g}),
	$before, 'a crash keeps the log');
is($node->safe_psql('postgres', q{SELECT clock -> 'n1' FROM log_event('gossip', '"after the crash"', node => 'n1') clock}), '201', '... which goes on');
($status, $out, $err) = $node->psql('postgres', q{SET lock_timeout = '100ms'; SELECT log_event('prepared', '"next"')});
like($err, qr/lock timeout/, '... and prepared transactions');
is($node->safe_psql('postgres', q{COMMIT PREPARED 'doubt'; SELECT log_event('prepared', '"next"')}), '{"here": 2}', '... which then commit');

# Dumped and restored, as a whole and as data only.
my $dump = PostgreSQL::Test::Utils::tempdir();
my $content = q{SELECT count(*), md5(string_agg(g::text, ',' ORDER BY origin, seq)), (SELECT obj_description('gossip'::regclass, 'pg_class')) FROM gossip g};
my $expected = $node->safe_psql('postgres', $content);
$node->command_ok([ 'pg_dump', '-f', "$dump/whole.sql", '-t', 'gossip', '-h', $node->host, '-p', $node->port, 'postgres' ], 'a log is dumped');
$node->command_ok([ 'pg_dump', '-a', '-f', "$dump/data.sql", '-t', 'gossip', '-h', $node->host, '-p', $node->port, 'postgres' ], '... also its data only');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->safe_psql('copy', 'CREATE EXTENSION distributed');
$node->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-f', "$dump/whole.sql", '-h', $node->host, '-p', $node->port, 'copy' ], '... and restored');
is($node->safe_psql('copy', $content), $expected, '... is the same');
is($node->safe_psql('copy', q{SELECT clock -> 'n1' FROM log_event('gossip', NULL, node => 'n1') clock}), '202', '... goes on');
is($node->safe_psql('copy', q{INSERT INTO gossip (event) VALUES ('"by trigger"') RETURNING origin, seq, clock}), 'here|1|{"here": 1}', '... with its trigger');
$node->safe_psql('copy', q{DROP TABLE gossip; SELECT create_causal_log('gossip')});
$node->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-f', "$dump/data.sql", '-h', $node->host, '-p', $node->port, 'copy' ],
	'the data goes into a log made anew');
is($node->safe_psql('copy', $content), $expected, '... and is the same');

# Made by somebody who is nobody.
$node->safe_psql('postgres', 'CREATE ROLE plain LOGIN; CREATE SCHEMA own AUTHORIZATION plain');
is( $node->safe_psql('postgres', q{
		SELECT create_causal_log('own.log');
		SELECT log_event('own.log', '1');
		SELECT relowner::regrole FROM pg_class WHERE oid = 'own.log'::regclass;
		SELECT count(*) FROM frontier('own.log')}, extra_params => [qw(-U plain)]),
	qq{own.log\n{"here": 1}\nplain\n1}, 'a log belongs to whoever creates it');

$node->stop;
done_testing();
