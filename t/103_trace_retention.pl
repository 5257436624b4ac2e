# Eviction beside ingestion: a trace is there whole or not at all, the table of traces tells the
# truth about the spans, and nobody waits for ever.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use IPC::Run;
use Test::More;

my $node = new_node('main', 'deadlock_timeout = 100ms');

sub query { return $node->safe_psql('postgres', $_[0]) }

query(q{
	CREATE EXTENSION distributed;
	SELECT create_trace_store('traces');
	CREATE TABLE seen (what text);
	CREATE FUNCTION span(trace integer, number integer, ended boolean) RETURNS void LANGUAGE sql AS $$
		INSERT INTO traces.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name)
		SELECT decode(lpad(to_hex(trace), 32, '0'), 'hex')::trace_id, number::bigint::span_id, CASE WHEN number > 1 THEN 1::bigint::span_id END,
			trace, CASE WHEN ended THEN trace + number END, 'span'
		ON CONFLICT (trace_id, span_id) DO UPDATE SET end_ns = excluded.end_ns WHERE spans.end_ns IS NULL
	$$});

# What the table of traces says that is not so.
my $faults = q{
	SELECT t.trace_id, s.trace_id, t.span_count, s.count, t.root_ended, s.ended
	FROM traces.traces t FULL JOIN (
		SELECT trace_id, count(*), bool_or(parent_span_id IS NULL AND end_ns IS NOT NULL) AS ended, min(start_ns) AS first, max(end_ns) AS last
		FROM traces.spans GROUP BY trace_id) s ON s.trace_id = t.trace_id
	WHERE (t.span_count, t.root_ended, t.start_ns, t.end_ns) IS DISTINCT FROM (s.count, s.ended, s.first, s.last)};

# Each transaction brings a whole trace, in three statements; two sessions evict all the time, one looks.

my $writers = start_sessions($node, 4, 150, q{
	\set trace random(1, 1000000)
	BEGIN;
	SELECT span(:trace, 1, true);
	SELECT span(:trace, 2, true), span(:trace, 3, true);
	SELECT span(:trace, 4, true);
	COMMIT;});
my $evicters = start_sessions($node, 2, 200, q{SELECT evict_traces('traces', 10);});
my $reader = start_sessions($node, 1, 200,
	"INSERT INTO seen SELECT 'part of a trace' FROM traces.spans GROUP BY trace_id HAVING count(*) <> 4;\n"
	  . "INSERT INTO seen SELECT 'fault' FROM ($faults) f;\n");
is(session_errors($writers), '', 'four sessions write traces');
is(session_errors($evicters), '', '... while two evict');
is(session_errors($reader), '', '... and one looks');
is(query('SELECT what, count(*) FROM seen GROUP BY 1'), '', 'nobody ever sees part of a trace');
is(query($faults), '', 'the traces are those of the spans');
query(q{SELECT evict_traces('traces', 10)});
is(query('SELECT count(*), count(DISTINCT trace_id) FROM traces.spans'), '40|10', 'ten traces are left');

# Sessions add to the same traces, end spans, and repeat what is there, in any order.
query(q{DROP SCHEMA traces CASCADE; SELECT create_trace_store('traces')});
$writers = start_sessions($node, 4, 250, q{
	\set trace random(1, 40)
	\set number random(1, 5)
	\set ended random(0, 1)
	SELECT span(:trace, :number, :ended = 1);});
$evicters = start_sessions($node, 2, 250, q{SELECT evict_traces('traces', 5);});
is(session_errors($writers), '', 'four sessions add to traces that are evicted, without deadlocks');
is(session_errors($evicters), '', '... nor have those that evict');
is(query($faults), '', '... and the traces are those of the spans');

# A trace that is being written is passed over, and eviction does not wait.
query(q{SELECT evict_traces('traces', 0); SELECT span(1, 1, true), span(2, 1, true)});
my $script = "BEGIN; SELECT span(1, 2, true); SELECT 'written'; SELECT pg_sleep(1.5); COMMIT;\n";
my ($out, $err) = ('', '');
my $writer = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$script, '>', \$out, '2>', \$err);
$writer->pump until $out =~ /written/;
is(query(q{SET statement_timeout = '1s'; SELECT evict_traces('traces', 0)}), '1', 'eviction passes over a trace that is being written');
$writer->finish;
is(query('SELECT trace_id, span_count FROM traces.traces'), '00000000000000000000000000000001|2', '... which is there, whole');

# The same if a span of it is being changed.
query(q{SELECT evict_traces('traces', 0); SELECT span(1, 1, false), span(1, 2, true)});
$script = "BEGIN; SELECT FROM traces.spans WHERE span_id = '0000000000000001' FOR UPDATE; SELECT 'locked'; SELECT pg_sleep(1.5); SELECT span(1, 1, true); COMMIT;\n";
($out, $err) = ('', '');
$writer = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$script, '>', \$out, '2>', \$err);
$writer->pump until $out =~ /locked/;
is(query(q{SET statement_timeout = '1s'; SELECT evict_traces('traces', 0)}), '0', 'eviction passes over a trace one of whose spans is locked');
$writer->finish;
is($err, '', '... which can end');
is(query('SELECT span_count, is_complete FROM traces.traces'), '2|t', '... and is there, whole');

# A server that crashes while it evicts has evicted a trace or not.
query(q{SELECT span(i, n, true) FROM generate_series(1, 2000) i, generate_series(1, 4) n});
my $evicter = start_sessions($node, 1, 1000, q{
	SELECT evict_traces('traces', (SELECT count(*) - 20 FROM traces.traces));});
select undef, undef, undef, 0.4;
crash_and_restart($node);
$evicter->{handle}->finish;
is(query($faults), '', 'after a crash the traces are those of the spans');
is(query('SELECT count(*) FROM (SELECT FROM traces.spans WHERE trace_id <> \'00000000000000000000000000000001\' GROUP BY trace_id HAVING count(*) <> 4) s'), '0', '... all of them whole');

$node->stop;
done_testing();
