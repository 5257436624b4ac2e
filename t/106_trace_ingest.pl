# Ingestion beside itself: several sessions send batches that overlap, with spans in any order, while
# others end spans and evict traces.  Nobody waits for ever, nothing is lost, and the counts are right.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use IPC::Run;
use Test::More;

my $node = new_node('main', 'deadlock_timeout = 50ms');

sub query { return $node->safe_psql('postgres', $_[0]) }

# 100 batches, each of 120 of the 800 spans of 100 traces, in any order; half of them have not ended.
query(q{
	CREATE EXTENSION distributed;
	SELECT setseed(0.5);
	CREATE TABLE batches AS SELECT n, trace, span, ended, place FROM (
		SELECT n, trace, span, random() < 0.5 AS ended, row_number() OVER (PARTITION BY n ORDER BY random()) AS place
		FROM generate_series(1, 100) n, generate_series(1, 100) trace, generate_series(1, 8) span) b WHERE place <= 120;
	CREATE FUNCTION trace(number integer) RETURNS trace_id LANGUAGE sql AS $$ SELECT lpad(to_hex(number), 32, '0')::trace_id $$;
	CREATE TABLE payloads AS SELECT n, jsonb_build_object('resourceSpans', jsonb_build_array(jsonb_build_object('scopeSpans', jsonb_build_array(jsonb_build_object('spans',
		jsonb_agg(jsonb_build_object('traceId', lpad(to_hex(trace), 32, '0'), 'spanId', lpad(to_hex(span), 16, '0'), 'parentSpanId', CASE WHEN span > 1 THEN lpad('1', 16, '0') ELSE '' END, 'name', 'x',
			'startTimeUnixNano', (trace * 1000 + span)::text, 'endTimeUnixNano', CASE WHEN ended THEN trace * 1000 + span * 2 ELSE 0 END::text) ORDER BY place)))))) AS payload
	FROM batches GROUP BY n;
	ALTER TABLE payloads ADD PRIMARY KEY (n);
	CREATE TABLE sent (n integer, received bigint, stored bigint, updated bigint, duplicates bigint);
	-- a span ends, if it is there and has not ended
	CREATE FUNCTION finish(store name, trace integer, span integer) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM end_span(store, format('{"traceparent": "00-%s-%s-00"}', lpad(to_hex(trace), 32, '0'), lpad(to_hex(span), 16, '0'))::trace_context, end_time => '2026-01-01');
	EXCEPTION WHEN no_data_found OR object_not_in_prerequisite_state THEN
	END $$});

# What the table of traces says that is not so.
sub faults
{
	my ($store) = @_;

	return qq{SELECT t.trace_id, s.trace_id, t.span_count, s.count, t.root_ended, s.ended FROM $store.traces t FULL JOIN (
		SELECT trace_id, count(*), bool_or(parent_span_id IS NULL AND end_ns IS NOT NULL) AS ended, min(start_ns) AS first, max(end_ns) AS last
		FROM $store.spans GROUP BY trace_id) s ON s.trace_id = t.trace_id
		WHERE (t.span_count, t.root_ended, t.start_ns, t.end_ns) IS DISTINCT FROM (s.count, s.ended, s.first, s.last)};
}

# A batch, and what ingest_otlp says of it.
sub send_to
{
	return "\\set n random(1, 100)\nINSERT INTO sent SELECT :n, i.* FROM payloads p, ingest_otlp('$_[0]', p.payload) i WHERE p.n = :n;\n";
}

for my $case ([ 'traces', 'NULL' ], [ 'parts', q{'10 s'} ])
{
	my ($store, $width) = @$case;

	query("TRUNCATE sent; SELECT create_trace_store('$store', $width)");
	my $senders = start_sessions($node, 6, 100, send_to($store));
	my $enders = start_sessions($node, 2, 150, "\\set trace random(1, 100)\n\\set span random(1, 8)\nSELECT finish('$store', :trace, :span);\n");
	is(session_errors($senders), '', "$store: six sessions send the same spans in other orders, without deadlocks");
	is(session_errors($enders), '', '... while two end spans');
	is(query(faults($store)), '', '... and the traces are those of the spans');
	is(query("SELECT sum(stored) = (SELECT count(*) FROM $store.spans), bool_and(received = 120 AND received = stored + updated + duplicates) FROM sent"), 't|t', '... each of which was stored once');
	is(query(qq{SELECT count(*) FROM (SELECT trace, span, bool_or(ended) AS ended FROM sent JOIN batches USING (n) GROUP BY trace, span) b LEFT JOIN $store.spans s
		ON s.trace_id = trace(trace) AND s.span_id = span::bigint::span_id WHERE s.span_id IS NULL OR (ended AND s.end_ns IS NULL)}), '0', '... none of those that were sent is missing, or has not ended');
	is(query("SELECT count(*) FROM (SELECT FROM $store.spans GROUP BY trace_id, span_id HAVING count(*) > 1) s"), '0', '... and none is there twice');

	$senders = start_sessions($node, 4, 100, send_to($store));
	$enders = start_sessions($node, 1, 150, "\\set trace random(1, 100)\n\\set span random(1, 8)\nSELECT finish('$store', :trace, :span);\n");
	my $evicters = start_sessions($node, 2, 150, "SELECT evict_traces('$store', 10);\n");
	is(session_errors($senders), '', "$store: four sessions send spans of traces that are evicted, without deadlocks");
	is(session_errors($enders), '', '... while one ends spans');
	is(session_errors($evicters), '', '... and two evict');
	is(query(faults($store)), '', '... and the traces are those of the spans');
	is(query("SELECT evict_traces('$store', 0) > 0") . query("SELECT count(*) FROM $store.spans"), 't0', '... and all can go');
}

# In a snapshot that is older than a span, the same span is refused, not stored twice or lost.
query(q{SELECT create_trace_store('snapshot')});
my $script = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM snapshot.spans; SELECT 'begun'; SELECT pg_sleep(1); SELECT ingest_otlp('snapshot', payload) FROM payloads WHERE n = 1; COMMIT;\n";
my ($out, $err) = ('', '');
my $session = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres') ], '<', \$script, '>', \$out, '2>', \$err);
$session->pump until $out =~ /begun/;
is(query(q{SELECT stored FROM payloads, ingest_otlp('snapshot', payload) WHERE n = 1}), '120', 'a batch comes');
$session->finish;
like($err, qr/40001/, '... which an older transaction cannot send as well');
is(query('SELECT count(*) FROM snapshot.spans') . query(faults('snapshot')), '120', '... so it is there once');

$node->stop;
done_testing();
