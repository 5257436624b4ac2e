-- Ids of traces, against uuid.

\echo '==> joining by trace_id'
CREATE TABLE trace_ids AS SELECT random_trace_id() AS id FROM generate_series(1, 1000000);
ALTER TABLE trace_ids ADD u uuid;
UPDATE trace_ids SET u = id;
CREATE TABLE by_trace_id AS SELECT id FROM trace_ids ORDER BY md5(id::text);
CREATE TABLE by_uuid AS SELECT id::uuid AS u FROM by_trace_id;
CREATE TABLE of_trace_id AS SELECT id FROM trace_ids;
CREATE TABLE of_uuid AS SELECT u FROM trace_ids;
DROP TABLE trace_ids;
VACUUM (FREEZE, ANALYZE) by_trace_id, by_uuid, of_trace_id, of_uuid;
CALL compare('join of 1M rows by trace_id : by uuid', 'SELECT count(*) FROM of_trace_id JOIN by_trace_id USING (id)', 'SELECT count(*) FROM of_uuid JOIN by_uuid USING (u)', 1.1);
CALL compare('sort of 1M trace_id : uuid', 'SELECT count(*) FROM (SELECT id FROM by_trace_id ORDER BY id OFFSET 0) s', 'SELECT count(*) FROM (SELECT u FROM by_uuid ORDER BY u OFFSET 0) s', 1.1);

-- Spans: requests of ten spans over four services, in OTLP batches of 500, as a collector sends them.

\echo '==> making 1M spans'
CREATE TABLE payloads AS
WITH span AS (
	SELECT t, n, (ARRAY['shop', 'bank', 'stock', 'mail'])[1 + n % 4] AS service, 1795352400000000000 + t::bigint * 1000000 + n * 10000 AS began
	FROM generate_series(0, 99999) t, generate_series(0, 9) n
), made AS (
	SELECT t / 50 AS batch, service, t, n, jsonb_build_object(
		'traceId', md5('trace ' || t), 'spanId', substr(md5(t || ' span ' || n), 1, 16),
		'parentSpanId', CASE WHEN n > 0 THEN substr(md5(t || ' span ' || (n - 1) / 2), 1, 16) ELSE '' END,
		'name', 'operation ' || n, 'kind', 1 + n % 5, 'startTimeUnixNano', began::text, 'endTimeUnixNano', (began + 5000000 - n * 20000)::text,
		'attributes', jsonb_build_array(
			jsonb_build_object('key', 'http.request.method', 'value', jsonb_build_object('stringValue', 'GET')),
			jsonb_build_object('key', 'url.path', 'value', jsonb_build_object('stringValue', '/order/' || t % 1000)),
			jsonb_build_object('key', 'http.response.status_code', 'value', jsonb_build_object('intValue', (200 + t % 3)::text)),
			jsonb_build_object('key', 'order.total', 'value', jsonb_build_object('doubleValue', t % 1000 + 0.5)),
			jsonb_build_object('key', 'order.rush', 'value', jsonb_build_object('boolValue', t % 2 = 0)),
			jsonb_build_object('key', 'user.id', 'value', jsonb_build_object('stringValue', 'user-' || t % 20000))),
		'events', CASE WHEN n % 3 = 0 THEN jsonb_build_array(jsonb_build_object('timeUnixNano', (began + 1000)::text, 'name', 'accepted',
			'attributes', jsonb_build_array(jsonb_build_object('key', 'queue', 'value', jsonb_build_object('intValue', (t % 7)::text))))) ELSE '[]' END,
		'status', CASE WHEN t % 50 = 0 AND n = 9 THEN '{"code": 2, "message": "declined"}' ELSE '{}'::jsonb END) AS span
	FROM span
), of_service AS (
	SELECT batch, service, jsonb_build_object(
		'resource', jsonb_build_object('attributes', jsonb_build_array(
			jsonb_build_object('key', 'service.name', 'value', jsonb_build_object('stringValue', service)),
			jsonb_build_object('key', 'host.name', 'value', jsonb_build_object('stringValue', service || '-1')),
			jsonb_build_object('key', 'process.pid', 'value', jsonb_build_object('intValue', '4711')))),
		'scopeSpans', jsonb_build_array(jsonb_build_object('scope', '{"name": "http", "version": "1.2.3"}'::jsonb, 'spans', jsonb_agg(span ORDER BY t, n)))) AS spans
	FROM made GROUP BY batch, service
)
SELECT batch, jsonb_build_object('resourceSpans', jsonb_agg(spans ORDER BY service)) AS payload FROM of_service GROUP BY batch;
VACUUM (FREEZE, ANALYZE) payloads;

-- The same rows, as one writes that in SQL.
CREATE FUNCTION flat(attributes jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(jsonb_object_agg(a ->> 'key', CASE
		WHEN a -> 'value' ? 'intValue' THEN to_jsonb((a #>> '{value,intValue}')::bigint)
		WHEN a -> 'value' ? 'stringValue' THEN a #> '{value,stringValue}'
		WHEN a -> 'value' ? 'boolValue' THEN a #> '{value,boolValue}'
		ELSE a #> '{value,doubleValue}' END), '{}')
	FROM jsonb_array_elements(attributes) a
$$;
CREATE VIEW in_sql AS
SELECT batch, (span ->> 'traceId')::trace_id AS trace_id, (span ->> 'spanId')::span_id AS span_id, nullif(span ->> 'parentSpanId', '')::span_id AS parent_span_id,
	(span ->> 'startTimeUnixNano')::bigint AS start_ns, (span ->> 'endTimeUnixNano')::bigint AS end_ns,
	(ARRAY['internal', 'server', 'client', 'producer', 'consumer'])[(span ->> 'kind')::integer]::span_kind AS kind,
	(ARRAY['unset', 'ok', 'error'])[1 + coalesce((span #>> '{status,code}')::integer, 0)]::span_status AS status,
	span ->> 'name' AS name, span #>> '{status,message}' AS status_message, flat(span -> 'attributes') AS attributes,
	(SELECT coalesce(jsonb_agg(jsonb_build_object('time_ns', (e ->> 'timeUnixNano')::bigint, 'name', e ->> 'name', 'attributes', flat(e -> 'attributes'))), '[]')
		FROM jsonb_array_elements(span -> 'events') e) AS events,
	'[]'::jsonb AS links, r.flat AS resource, s #>> '{scope,name}' AS scope_name, s #>> '{scope,version}' AS scope_version
FROM payloads, LATERAL (SELECT r, flat(r #> '{resource,attributes}') FROM jsonb_array_elements(payload -> 'resourceSpans') r OFFSET 0) r,
	jsonb_array_elements(r -> 'scopeSpans') s, jsonb_array_elements(s -> 'spans') span;
CREATE VIEW in_c AS SELECT batch, s.* FROM payloads, otlp_spans(payload, hygiene => false) s;
DO $$
BEGIN
	IF EXISTS (SELECT * FROM in_sql WHERE batch < 20 EXCEPT SELECT batch, trace_id, span_id, parent_span_id, start_ns, end_ns, kind, status, name, status_message,
			attributes, events, links, resource, scope_name, scope_version FROM in_c WHERE batch < 20)
		OR (SELECT count(*) FROM in_sql WHERE batch < 20) <> (SELECT count(*) FROM in_c WHERE batch < 20) THEN
		RAISE EXCEPTION 'the yardstick has other rows';
	END IF;
END
$$;
\echo '==> reading OTLP'
CALL compare('rows of 100k spans of OTLP/JSON : in SQL', 'SELECT count(attributes) FROM in_c WHERE batch < 200', 'SELECT count(attributes) FROM (SELECT attributes, events, trace_id, span_id, parent_span_id, start_ns, end_ns, kind, status, name, status_message, resource, scope_name, scope_version FROM in_sql WHERE batch < 200 OFFSET 0) s', 5, at_most => false);

\echo '==> ingesting'
SELECT create_trace_store('bench'), create_trace_store('ready') \g /dev/null
-- as they come from a client: without blanks, and not compressed
CREATE TABLE texts (batch integer, payload text);
ALTER TABLE texts ALTER payload SET STORAGE EXTERNAL;
INSERT INTO texts SELECT batch, replace(replace(payload::text, ': ', ':'), ', ', ',') FROM payloads;
VACUUM (FREEZE, ANALYZE) texts;
SELECT sum(stored) FROM texts, ingest_otlp('ready', payload::jsonb) WHERE batch < 200 \g /dev/null
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns FROM pg_attribute WHERE attrelid = 'ready.spans'::regclass AND attnum > 0 AND attgenerated = '' AND attname <> 'arrival' \gset
SELECT quote_literal(current_setting('data_directory') || '/ready.copy') AS file \gset
COPY (SELECT :columns FROM ready.spans ORDER BY arrival) TO :file;
TRUNCATE ready.spans, ready.traces;
SELECT format('COPY ready.spans (%s) FROM %s', :'columns', :'file') AS copy \gset
CALL compare('100k spans of OTLP/JSON text into a store : COPY of the rows', $$SELECT sum(stored) FROM texts, ingest_otlp('bench', payload::jsonb) WHERE batch < 200$$, :'copy', 1.5,
	undo => 'TRUNCATE bench.spans, bench.traces, ready.spans, ready.traces');
CALL compare('100k spans of OTLP jsonb into a store : COPY of the rows', $$SELECT sum(stored) FROM payloads, ingest_otlp('bench', payload) WHERE batch < 200$$, :'copy', 1.5,
	undo => 'TRUNCATE bench.spans, bench.traces, ready.spans, ready.traces');
CALL compare('1M spans into a store : 100k spans', $$SELECT sum(stored) FROM texts, ingest_otlp('bench', payload::jsonb)$$, $$SELECT sum(stored) FROM texts, ingest_otlp('ready', payload::jsonb) WHERE batch < 200$$, 12,
	undo => 'TRUNCATE bench.spans, bench.traces, ready.spans, ready.traces');

\echo '==> asking 1M spans'
SELECT sum(stored) FROM texts, ingest_otlp('bench', payload::jsonb) \g /dev/null
DROP TABLE texts;
VACUUM (FREEZE, ANALYZE) bench.spans, bench.traces;
-- by indexes only: nothing there is scanned (what was counted shows up a second later)
SELECT pg_sleep(2) \g /dev/null
SELECT sum(seq_scan) AS scans FROM pg_stat_user_tables WHERE schemaname = 'bench' AND relname IN ('spans', 'traces') \gset
SELECT count(*) FROM find_traces('bench', 'bank', tags => '{"user.id": "user-777"}') \g /dev/null
SELECT count(*) FROM find_traces('bench', 'bank', tags => '{"http.request.method": "GET"}') \g /dev/null
SELECT count(*) FROM find_traces('bench', 'bank', 'operation 1', tags => '{"user.id": "nobody"}') \g /dev/null
SELECT pg_sleep(2) \g /dev/null
SELECT sum(seq_scan) > :scans AS scanned FROM pg_stat_user_tables WHERE schemaname = 'bench' AND relname IN ('spans', 'traces') \gset
\if :scanned
DO $$ BEGIN RAISE EXCEPTION 'find_traces has scanned a table'; END $$;
\endif
CALL compare('find_traces of 1M spans, service and a rare tag : scan of the spans', $$SELECT count(*) FROM find_traces('bench', 'bank', tags => '{"user.id": "user-777"}')$$,
	$$SELECT count(*) FROM bench.spans WHERE service_name = 'bank' AND attributes ->> 'user.id' = 'user-777'$$, 0.05);
CALL compare('find_traces of 1M spans, service and a frequent tag : scan of the spans', $$SELECT count(*) FROM find_traces('bench', 'bank', tags => '{"http.request.method": "GET"}')$$,
	$$SELECT count(*) FROM bench.spans WHERE service_name = 'bank' AND attributes ->> 'http.request.method' = 'GET'$$, 0.05);

\echo '==> critical paths'
-- children of a common parent, and of one another
SELECT create_trace_store('deep') \g /dev/null
INSERT INTO deep.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name)
SELECT decode(lpad(size::text, 32, '0'), 'hex')::trace_id, n::bigint::span_id, CASE WHEN n > 1 THEN (n / 8 + 1)::bigint::span_id END,
	1000000000::bigint * n / size, 2000000000 - 900000000::bigint * n / size, 'span'
FROM unnest(ARRAY[1000, 10000]) size, generate_series(1, size) n;
VACUUM (FREEZE, ANALYZE) deep.spans;
CALL compare('critical_path of 10k spans : of 1k', $$SELECT count(*) FROM critical_path('deep', '00000000000000000000000000010000')$$, $$SELECT count(*) FROM generate_series(1, 1) g, critical_path('deep', '00000000000000000000000000001000')$$, 12);
