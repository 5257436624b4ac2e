# A real client: OpenTelemetry's SDK for JavaScript makes spans and headers, pg brings them here.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use File::Copy;
use IPC::Run;
use Test::More;

my ($version) = (`node --version 2>/dev/null` || '') =~ /^v(\d+\.\d+)/;
plan skip_all => 'there is no Node.js 18.19 or newer' unless defined $version && $version >= 18.19;
plan skip_all => 'there is no npm' unless `npm --version 2>/dev/null`;

my $dir = PostgreSQL::Test::Utils::tempdir();
copy("$FindBin::Bin/client/$_", "$dir/$_") or die "$_: $!" for qw(package.json client.js);
my ($out, $err) = ('', '');
unless (eval {
		IPC::Run::run(
			[ qw(npm install --no-audit --no-fund --no-package-lock --ignore-scripts --fetch-retries=1 --fetch-timeout=20000),
				'--prefix', $dir, '--cache', "$dir/cache" ],
			'<', \undef, '>', \$out, '2>', \$err, init => sub { chdir $dir }, IPC::Run::timeout(180));
	})
{
	diag($err);
	plan skip_all => 'npm cannot install the client\'s packages';
}

my $node = new_node('main');
sub query { return $node->safe_psql('postgres', $_[0]) }

query(q{
	CREATE EXTENSION distributed;
	SELECT create_trace_store('traces'), create_trace_store('exact', hygiene => false);
	CREATE TABLE payloads (payload jsonb);
	CREATE TABLE requests (context trace_context, trace_id trace_id, span_id span_id)});
{
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres', PGUSER => query('SELECT current_user'));

	ok(IPC::Run::run([ 'node', "$dir/client.js" ], '<', \undef, '>', \$out, '2>', \$err), 'a program with the SDK runs') or diag($err);
}

# What the SDK says of its spans is what is in the table.
$out =~ s/'/''/g;
query("CREATE TABLE said AS SELECT '$out'::jsonb AS said");
query(q{CREATE VIEW made AS SELECT s.* FROM said, jsonb_to_recordset(said -> 'spans') AS s (
	trace_id trace_id, span_id span_id, parent_span_id span_id, name text, kind span_kind, status span_status, status_message text,
	start_ns bigint, end_ns bigint, service_name text, scope_name text, scope_version text, attributes jsonb, events jsonb,
	dropped_events_count bigint, links jsonb)});
is(query('SELECT count(*), count(DISTINCT trace_id) FROM made'), '70|20', 'ten orders are 70 spans of 20 traces');
is(query('SELECT count(*) FROM traces.spans JOIN made USING (trace_id, span_id)'), '70', 'all of them are here');
is( query(q{SELECT trace_id, span_id, parent_span_id, name, kind, status, status_message, start_ns, end_ns, service_name, scope_name, scope_version, dropped_events_count FROM made
	EXCEPT SELECT trace_id, span_id, parent_span_id, name, kind, status, status_message, start_ns, end_ns, service_name, scope_name, scope_version, dropped_events_count FROM traces.spans}),
	'', '... to the nanosecond');
is(query('SELECT count(*), sum(span_count), bool_and(is_complete) FROM traces.traces'), '20|70|t', '... in traces that are complete');
is(query(q{SELECT attributes - ARRAY['note', 'http.request.header.authorization'] FROM made WHERE name = 'POST /order'
	EXCEPT ALL SELECT attributes - ARRAY['note', 'http.request.header.authorization'] FROM traces.spans WHERE name = 'POST /order'}),
	'', '... with their attributes');
is(query(q{SELECT DISTINCT attributes ->> 'note', attributes ->> 'http.request.header.authorization', attributes -> 'order.items' FROM traces.spans WHERE name = 'POST /order'}),
	'line_line|<redacted>|["soup", "bread", "čaj 🍵"]', '... which are cleaned');
is( query(q{SELECT count(*) FROM (SELECT trace_id, span_id, e ->> 'name', (e ->> 'time_ns')::bigint FROM made, jsonb_array_elements(events) e
	EXCEPT SELECT trace_id, span_id, e ->> 'name', (e ->> 'time_ns')::bigint FROM traces.spans, jsonb_array_elements(events) e) s}),
	'0', '... and their events');
is(query(q{SELECT count(*), min(dropped_events_count) FROM traces.spans WHERE dropped_events_count > 0}), '10|2', '... but those that the SDK has dropped, which are counted');
is( query(q{SELECT count(*), count(*) FILTER (WHERE e #>> '{attributes,exception.message}' = 'card declined' AND e #>> '{attributes,exception.type}' = 'Error')
	FROM traces.spans, jsonb_array_elements(events) e WHERE status = 'error'}), '5|5', 'five charges failed, and tell why');
is(query(q{SELECT count(*) FROM traces.spans s, jsonb_array_elements(links) l JOIN traces.spans o ON o.trace_id::text = l ->> 'trace_id' AND o.span_id::text = l ->> 'span_id'
	WHERE s.name = 'send mail' AND o.name = 'POST /order' AND l #>> '{attributes,why}' = 'order'}), '10', 'mails are linked to their orders');
is(query(q{SELECT count(*), max(span_count) FROM find_traces('traces', 'bank', 'charge', '{"error": "true"}')}), '5|6', 'they are found');

# Once more, without cleaning: what goes out is what came in, and coming again changes nothing.
query(q{SELECT ingest_otlp('exact', payload) FROM payloads});
my $flat = q{SELECT r -> 'resource' AS resource, c -> 'scope' AS scope, span FROM %s AS p (payload), jsonb_array_elements(payload -> 'resourceSpans') r,
	jsonb_array_elements(r -> 'scopeSpans') c, jsonb_array_elements(c -> 'spans') span};
my $sent = sprintf $flat, '(SELECT otlp_canonical(payload) FROM payloads)';
my $kept = sprintf $flat, q{(SELECT to_otlp('exact', trace_id) FROM exact.traces)};
is(query("SELECT (SELECT count(*) FROM ($sent) s), (SELECT count(*) FROM ($kept) k), (SELECT count(*) FROM ($sent EXCEPT $kept) d)"), '70|70|0', 'to_otlp gives what came in');
query(q{CREATE TABLE before AS SELECT * FROM exact.spans; SELECT ingest_otlp('exact', payload) FROM payloads});
is(query('SELECT count(*), (SELECT count(*) FROM (TABLE exact.spans EXCEPT TABLE before) d) FROM exact.spans'), '70|0', 'what comes again changes nothing');

# The headers that it injected.
is(query('SELECT count(*) FROM requests'), '20', '20 requests had a header');
is(query('SELECT count(*) FROM requests WHERE trace_id(context) <> trace_id OR span_id(context) <> span_id OR NOT is_sampled(trace_flags(context))'), '0', 'a traceparent is read as it was meant');
is( query(q{SELECT count(*), string_agg(DISTINCT s.name, ', '), bool_and(p.span_id = r.span_id) FROM requests r
	JOIN traces.spans p ON p.trace_id = trace_id(r.context) AND p.span_id = span_id(r.context)
	JOIN traces.spans s ON s.trace_id = p.trace_id AND s.parent_span_id = p.span_id}), '20|charge, reserve|t', 'requests join the spans that they caused');
is(query(q{SELECT count(*) FROM said, jsonb_array_elements(said -> 'headers') h WHERE traceparent((h ->> 'traceparent')::trace_context) <> h ->> 'traceparent'}), '0', '... and it is written as it came');

$node->stop;
done_testing();
