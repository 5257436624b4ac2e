# Trace stores in the world: other schemas, other owners, traps in the path, dumps, replication,
# partitions; and memory that does not grow with what comes in.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('main', "distributed.node = 'here'");
my $version = $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')});
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';

# Two traces: an order over two services, which fails at the bank, and one of symbols.
my $payload = q{{"resourceSpans": [
	{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}, {"key": "cloud.region", "value": {"stringValue": "eu-1"}}]},
	 "scopeSpans": [{"scope": {"name": "http", "version": "1.2"}, "spans": [
		{"traceId": "0000000000000000000000000000000A", "spanId": "0000000000000001", "name": "POST /order", "kind": 2,
		 "startTimeUnixNano": "1544712660000000001", "endTimeUnixNano": "1544712660100000000",
		 "attributes": [{"key": "order", "value": {"intValue": "7"}}, {"key": "a.b", "value": {"doubleValue": 72.5}}]},
		{"traceId": "0000000000000000000000000000000A", "spanId": "0000000000000002", "parentSpanId": "0000000000000001", "name": "charge", "kind": 3,
		 "startTimeUnixNano": "1544712660020000000", "endTimeUnixNano": "1544712660090000000"}]}]},
	{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "bank"}}]},
	 "scopeSpans": [{"spans": [
		{"traceId": "0000000000000000000000000000000a", "spanId": "0000000000000003", "parentSpanId": "0000000000000002", "name": "charge", "kind": 2,
		 "startTimeUnixNano": "1544712660030000000", "endTimeUnixNano": "1544712660085000000", "status": {"code": 2, "message": "declined"},
		 "events": [{"timeUnixNano": "1544712660040000000", "name": "asked", "attributes": [{"key": "whom", "value": {"stringValue": "issuer"}}]}]},
		{"traceId": "0000000000000000000000000000000b", "spanId": "0000000000000004", "name": "encode", "startTimeUnixNano": "1544712661000000000", "endTimeUnixNano": "1544712661000001000",
		 "attributes": [{"key": "span.kind", "value": {"stringValue": "encode"}}, {"key": "symbol.count", "value": {"intValue": 5}}, {"key": "symbol.object_id", "value": {"stringValue": "o-1"}}]},
		{"traceId": "0000000000000000000000000000000b", "spanId": "0000000000000005", "parentSpanId": "0000000000000004", "name": "decode", "startTimeUnixNano": "1544712662000000000", "endTimeUnixNano": "1544712662000001000",
		 "attributes": [{"key": "span.kind", "value": {"stringValue": "decode"}}], "status": {"code": 1}}]}]}]}};
$payload =~ s/\s+/ /g;

# Every function and view, by names written out: S is the extension's schema, T the store.
my $use = q{
	SELECT i.received, i.stored, i.duplicates FROM S.ingest_otlp('T', '} . $payload . q{') i;
	SELECT S.to_otlp('T', '0000000000000000000000000000000a') = S.otlp_canonical(payload) FROM (SELECT jsonb_set(jsonb_set('} . $payload . q{'::jsonb,
		'{resourceSpans,1,scopeSpans,0,spans}', jsonb_build_array('} . $payload . q{'::jsonb #> '{resourceSpans,1,scopeSpans,0,spans,0}')), '{x}', '1') AS payload) p;
	SELECT trace_id, span_count, error_count, services, root_name FROM S.find_traces('T', 'bank', 'charge', '{"error": "true", "whom": "issuer"}');
	SELECT trace_id FROM S.find_traces('T', start_min => '2018-12-13', start_max => '2018-12-14', duration_min => '1 us', max_traces => 1);
	SELECT span_id FROM S.find_spans('T', tags => '{"order": 7}');
	SELECT string_agg(s, ' ' ORDER BY s) FROM S.services('T') s;
	SELECT operation, kind FROM S.operations('T', 'shop');
	SELECT string_agg(span_id::text || depth || enter || leave, ' ') FROM S.span_tree('T', '0000000000000000000000000000000a');
	SELECT (SELECT span_id FROM S.children('T', '0000000000000000000000000000000a', '0000000000000001')), (SELECT count(*) FROM S.descendants('T', '0000000000000000000000000000000a', '0000000000000001')),
		(SELECT count(*) FROM S.ancestors('T', '0000000000000000000000000000000a', '0000000000000003')), (SELECT count(*) FROM S.siblings('T', '0000000000000000000000000000000a', '0000000000000003')),
		(SELECT count(*) FROM S.trace_findings('T', '0000000000000000000000000000000a'));
	SELECT sum(section_end - section_start) FROM S.critical_path('T', '0000000000000000000000000000000a');
	SELECT service_name, operation, traces FROM S.critical_path_summary('T') ORDER BY 1, 2;
	SELECT sum(self_ns) FROM S.self_time('T', '0000000000000000000000000000000a');
	SELECT caller, callee, calls, errors FROM S.service_graph('T');
	SELECT object_id, regions, complete FROM S.trace_record('T', '0000000000000000000000000000000b');
	SELECT span_count, symbols_encoded, success FROM S.trace_summary('T', '0000000000000000000000000000000b');
	SELECT count(*) FROM T.trace_records;
	SELECT count(*) FROM T.trace_summaries;
	SELECT S.to_jaeger('T', '0000000000000000000000000000000a') #>> '{data,0,traceID}', S.trace_svg('T', '0000000000000000000000000000000a') LIKE '<svg %';
	SELECT S.end_span('T', S.start_span('T', 'by hand', kind => 'client', service => 'cron')) >= 0;
	SELECT name, service_name, kind, status FROM T.spans WHERE service_name = 'cron';
	SELECT S.evict_traces('T', 2);
	SELECT string_agg(right(trace_id::text, 1), ' ' ORDER BY trace_id) FROM T.traces WHERE trace_id::text LIKE '0000%';
	SELECT S.evict_traces('T', 0)};
my $used = join "\n", '5|5|0', 't', '0000000000000000000000000000000a|3|1|{bank,shop}|POST /order', '0000000000000000000000000000000b', '0000000000000001', 'bank shop',
	'POST /order|server', 'charge|client', '0000000000000001013 0000000000000002123 0000000000000003233', '0000000000000002|2|2|0|0', '99999999',
	'bank|charge|1', 'bank|encode|1', 'shop|POST /order|1', 'shop|charge|1', '99999999', 'shop|bank|1|1', 'o-1|{}|t', '2|5|t', '2', '2', '0000000000000000000000000000000a|t', 't',
	'by hand|cron|client|ok', '1', 'b', '2';

sub answer
{
	my ($database, $role, $sql) = @_;
	my ($status, $out, $err) = $node->psql($database, $sql, extra_params => [ '-U', $role ], on_error_stop => 0);

	return join "\n", grep { $_ ne '' } $out, $err;
}

# A schema of its own for the extension, which is not on the path; a user who is no superuser.
$node->safe_psql('postgres', q{CREATE ROLE plain LOGIN; CREATE DATABASE app OWNER plain; CREATE DATABASE traps OWNER plain; CREATE DATABASE copy OWNER plain});
is(answer('app', 'plain', q{CREATE SCHEMA "Odd schema"; CREATE EXTENSION distributed SCHEMA "Odd schema"; SELECT "Odd schema".create_trace_store('My store', '1 day'), "Odd schema".create_trace_store('own')}),
	'"My store".spans|own.spans', 'two stores of a user who is no superuser');
sub used_in
{
	my ($database, $extension, $store) = @_;
	my $sql = $use;

	$sql =~ s/\bS\./$extension./g;
	$sql =~ s/'T'/'$store'/g;
	$sql =~ s/\bT\./"$store"./g;
	return answer($database, 'plain', $sql);
}
is(used_in('app', '"Odd schema"', 'own'), $used, 'everything works by qualified names');
is(used_in('app', '"Odd schema"', 'My store'), $used, '... in a store with partitions, too');
is(answer('app', 'plain', q{ALTER SCHEMA "My store" RENAME TO "His"}) . $node->safe_psql('app', 'CREATE SCHEMA elsewhere; ALTER EXTENSION distributed SET SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO plain'),
	'', 'the store gets another name, the extension another schema');
is(used_in('app', 'elsewhere', 'His'), $used, '... and everything works as before');

# Traps where the extension is: better matches than the server's own for what is used on its types.
is(answer('traps', 'plain', q{
	CREATE SCHEMA s; CREATE EXTENSION distributed SCHEMA s; CREATE TABLE s.caught (what text);
	CREATE FUNCTION s.unnest(s.trace_id[]) RETURNS SETOF s.trace_id LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.caught VALUES ('unnest'); RETURN QUERY SELECT pg_catalog.unnest($1); END $$;
	CREATE FUNCTION s.count(s.trace_id) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.caught VALUES ('count'); RETURN 1; END $$;
	CREATE FUNCTION s.format(text, s.trace_id) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.caught VALUES ('format'); RETURN ''; END $$;
	CREATE FUNCTION s.enum_range(s.span_kind) RETURNS s.span_kind[] LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.caught VALUES ('enum_range'); RETURN '{}'; END $$;
	CREATE FUNCTION s.to_jsonb(s.span_kind) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.caught VALUES ('to_jsonb'); RETURN '1'; END $$;
	CREATE FUNCTION s.to_jsonb(s.span_id) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.caught VALUES ('to_jsonb'); RETURN '1'; END $$;
	CREATE FUNCTION s.concat(s.span_id) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.caught VALUES ('concat'); RETURN '1'; END $$;
	CREATE FUNCTION s.trap(s.span_status, s.span_status) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.caught VALUES ('='); RETURN true; END $$;
	CREATE FUNCTION s.trap(s.span_kind, s.span_kind) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.caught VALUES ('='); RETURN true; END $$;
	CREATE OPERATOR s.= (LEFTARG = s.span_status, RIGHTARG = s.span_status, FUNCTION = s.trap);
	CREATE OPERATOR s.= (LEFTARG = s.span_kind, RIGHTARG = s.span_kind, FUNCTION = s.trap);
	CREATE OPERATOR s.>= (LEFTARG = s.span_kind, RIGHTARG = s.span_kind, FUNCTION = s.trap);
	CREATE OPERATOR s.<> (LEFTARG = s.span_status, RIGHTARG = s.span_status, FUNCTION = s.trap);
	SELECT s.create_trace_store('trapped')}), 'trapped.spans', 'traps are set');
is(used_in('traps', 's', 'trapped'), $used, 'everything works beside them');
is(answer('traps', 'plain', 'SELECT what, count(*) FROM s.caught GROUP BY 1'), '', '... and falls into none');
is(answer('traps', 'plain', q{SELECT count(*) FROM s.caught, s.unnest('{0000000000000000000000000000000a}'::s.trace_id[]); SELECT count(*) FROM s.caught}), "0\n1", '... which are sharp');

# Dump and restore, with spans in it.
$node->safe_psql('app', qq{SET search_path = elsewhere; SELECT create_trace_partitions('His', '2018-12-13', '2018-12-15'); SELECT ingest_otlp('His', '$payload'), ingest_otlp('own', '$payload'); UPDATE "His".options SET hygiene = false});
my $content = q{SELECT (SELECT md5(string_agg(s::text, ' ' ORDER BY span_id)) FROM "His".spans s), (SELECT md5(string_agg(t::text, ' ' ORDER BY trace_id)) FROM own.traces t),
	(SELECT count(*) FROM "His".trace_summaries), (SELECT hygiene FROM "His".options), (SELECT count(*) FROM pg_inherits WHERE inhparent = '"His".spans'::regclass)};
my $before = $node->safe_psql('app', $content);
PostgreSQL::Test::Utils::run_log([ 'pg_dump', '-f', $dump, $node->connstr('app') ]);
$node->safe_psql('copy', "\\i $dump");
is($node->safe_psql('copy', $content), $before, 'stores come back by pg_dump');
$node->safe_psql('copy', q{DELETE FROM own.spans; DELETE FROM own.traces; DELETE FROM "His".spans; DELETE FROM "His".traces});
is(used_in('copy', 'elsewhere', 'His'), $used, '... and work, the one with partitions');
is(used_in('copy', 'elsewhere', 'own'), $used, '... and the other');

# Logical replication of a store.
my $replica = new_node('replica');
$replica->safe_psql('postgres', q{CREATE EXTENSION distributed; SELECT create_trace_store('traces')});
$node->safe_psql('postgres', q{CREATE EXTENSION distributed; SELECT create_trace_store('traces'); CREATE PUBLICATION traces FOR TABLE traces.spans, traces.traces});
$node->safe_psql('postgres', "SELECT ingest_otlp('traces', '$payload')");
$replica->safe_psql('postgres', sprintf(q{CREATE SUBSCRIPTION traces CONNECTION '%s' PUBLICATION traces}, $node->connstr('postgres') =~ s/'/''/gr));
$replica->poll_query_until('postgres', q{SELECT count(*) = 5 FROM traces.spans});
$node->safe_psql('postgres', q{SELECT end_span('traces', start_span('traces', 'late', service => 'cron'))});
$node->wait_for_catchup('traces');
my $spans = q{SELECT md5(string_agg(s::text, ' ' ORDER BY span_id)), (SELECT md5(string_agg(t::text, ' ' ORDER BY trace_id)) FROM traces.traces t) FROM traces.spans s};
is($replica->safe_psql('postgres', $spans), $node->safe_psql('postgres', $spans), 'a store is replicated');
is($replica->safe_psql('postgres', q{SELECT root_name FROM find_traces('traces', 'bank', tags => '{"error": true}')}), 'POST /order', '... and can be asked there');
$replica->safe_psql('postgres', 'DROP SUBSCRIPTION traces');
$replica->stop;

# What a session keeps does not grow with what it has ingested.
if ($version >= 140000)
{
	my $growth = $node->safe_psql('postgres', q{
		CREATE TABLE payloads AS SELECT n, jsonb_build_object('resourceSpans', jsonb_build_array(jsonb_build_object('scopeSpans', jsonb_build_array(jsonb_build_object('spans',
			(SELECT jsonb_agg(jsonb_build_object('traceId', md5(n || ' ' || i / 10), 'spanId', substr(md5(n || '.' || i), 1, 16), 'name', 'x', 'startTimeUnixNano', (n * 1000 + i)::text, 'endTimeUnixNano', (n * 1000 + i + 5)::text,
				'attributes', jsonb_build_array(jsonb_build_object('key', 'k', 'value', jsonb_build_object('stringValue', repeat('v', 100))))))
			FROM generate_series(1, 100) i)))))) AS payload FROM generate_series(1, 200) n;
		CREATE FUNCTION used() RETURNS bigint LANGUAGE sql AS 'SELECT sum(used_bytes)::bigint FROM pg_backend_memory_contexts';
		CREATE PROCEDURE ingest(first integer, last integer) LANGUAGE plpgsql AS $$ BEGIN
			FOR i IN first .. last LOOP PERFORM ingest_otlp('traces', payload) FROM payloads WHERE n = i; PERFORM count(*) FROM find_traces('traces', tags => '{"k": "v"}');
				PERFORM count(*) FROM critical_path('traces', md5(i || ' 1')::uuid::trace_id); END LOOP; END $$;
		CALL ingest(1, 20);
		CREATE TEMP TABLE before AS SELECT used() AS bytes;
		CALL ingest(21, 200);
		SELECT used() - bytes FROM before});
	cmp_ok($growth, '<', 200000, "a session that ingests 18,000 spans keeps nothing of them ($growth bytes)");
}

$node->stop;
done_testing();
