-- Traces by their spans: services, operations, tags, times, durations.

\set SHOW_CONTEXT never
CREATE SCHEMA find_traces_test;
SET search_path = find_traces_test, public;
SELECT create_trace_store('Found Spans') AS store;
CREATE FUNCTION trace(number bigint) RETURNS trace_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT lpad(number::text, 32, '0')::trace_id $$;
CREATE FUNCTION span(number bigint) RETURNS span_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT number::span_id $$;
-- the traces that are found, in order
CREATE FUNCTION found(tags jsonb DEFAULT NULL, service text DEFAULT NULL, operation text DEFAULT NULL) RETURNS integer[] LANGUAGE sql AS $$
	SELECT ARRAY(SELECT ltrim(f.trace_id::text, '0')::integer FROM find_traces('Found Spans', service, operation, tags) f) $$;
\set second '1000000000::bigint'

-- 1: all tags on one span; 2: in all places of one span; 3: on two spans
INSERT INTO "Found Spans".spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name, status, kind, resource, scope_name, scope_version, scope_attributes, attributes, events, links) VALUES
	(trace(1), span(1), NULL, 1 * :second, 2 * :second, 'GET /', 'ok', 'server', '{"service.name": "shop", "where": "resource"}', NULL, NULL, '{}',
		'{"text": "x", "int": 123, "double": 72.5, "whole": 1.0, "true": true, "false": false, "null": null, "empty": ""}', '[]', '[]'),
	(trace(2), span(1), NULL, 2 * :second, 4 * :second, 'GET /', 'error', 'client', '{"service.name": "shop", "int": 123}', 'lib', '1.10', '{"double": 72.5}',
		'{"text": "x", "where": "span"}', '[{"time_ns": 1, "name": "e"}, {"time_ns": 2, "attributes": {"true": true, "where": "event"}}]',
		'[{"trace_id": "00000000000000000000000000000001", "attributes": {"false": false, "where": "link"}}]'),
	(trace(3), span(1), NULL, 3 * :second, NULL, 'POST /', 'unset', NULL, '{"service.name": "shop"}', NULL, NULL, '{"where": "scope"}', '{"text": "x"}', '[]', '[]'),
	(trace(3), span(2), span(1), 3 * :second + 1, 3 * :second + 2001, 'read', 'error', 'internal', '{"service.name": "stock"}', NULL, NULL, '{}', '{"int": 123}', '[]', '[]'),
	(trace(4), span(1), span(9), 4 * :second, 4 * :second, 'read', 'dropped', 'receive', '{}', NULL, NULL, '{}', '{"text": "y", "error": "timeout"}', '[]', '[]');

-- every column; most recent first
SELECT * FROM find_traces('Found Spans');
SELECT * FROM find_traces('Found Spans', max_traces => 2);
SELECT pg_typeof(f.trace_id), count(*) FROM find_traces('Found Spans', max_traces => NULL) f GROUP BY 1;
SELECT trace_id, span_id, start_ns, end_ns, service_name, name, kind, status FROM find_spans('Found Spans', max_spans => 3);
SELECT found(service => 'shop'), found(service => 'unknown_service'), found(service => 'nobody'), found(service => '');
SELECT found(operation => 'read'), found(service => 'stock', operation => 'read'), found(service => 'shop', operation => 'read'), found(operation => '');

-- all conditions hold for one span
SELECT found('{"text": "x"}'), found('{"int": 123}'), found('{"text": "x", "int": 123}'), found('{"int": 123}', 'shop'), found('{"error": "true"}', operation => 'POST /');
-- a tag may be anywhere on it
SELECT place, found(jsonb_build_object('where', place)) FROM unnest(ARRAY['resource', 'span', 'event', 'link', 'scope', 'nowhere']) place;
SELECT found('{"text": "x", "int": 123, "double": 72.5, "true": true, "false": false}'), found('{"where": "event", "int": 123, "text": "y"}');

-- values as they are, and as texts
SELECT tags, found(tags) FROM (VALUES ('{"int": 123}'::jsonb), ('{"int": "123"}'), ('{"int": 123.0}'), ('{"int": "1.23e2"}'), ('{"int": 124}'), ('{"int": "0123"}'), ('{"int": true}'),
	('{"double": 72.5}'), ('{"double": "72.5"}'), ('{"double": "72.50"}'), ('{"double": "72,5"}'), ('{"whole": 1}'), ('{"whole": "1"}'), ('{"whole": "1.0"}'),
	('{"true": true}'), ('{"true": "true"}'), ('{"true": "TRUE"}'), ('{"true": 1}'), ('{"false": "false"}'),
	('{"null": null}'), ('{"null": ""}'), ('{"null": "null"}'), ('{"empty": ""}'), ('{"empty": null}'), ('{"absent": null}'),
	('{"text": "X"}'), ('{"Text": "x"}'), ('{"": ""}'), ('{}'), ('{"text": ["x"]}')) v (tags);
-- strings are not numbers
INSERT INTO "Found Spans".spans (trace_id, span_id, start_ns, name, attributes) VALUES
	(trace(5), span(1), 5 * :second, 'odd', '{"n": "1.0", "array": [1, "a b", {"k": null}], "map": {"b": 1.50, "a": [true]}, "bytes": {"bytesValue": "AAAwOQ=="}, "nan": {"doubleValue": "NaN"},
		"big": 123456789012345678901234567890, "tiny": 0.00000000001, "zero": {"doubleValue": "-0"}, "wrapped": {"kvlistValue": {"values": []}}, "e9": "1e999999999", "minus": -0.0}');
SELECT tags, found(tags) FROM (VALUES ('{"n": "1.0"}'::jsonb), ('{"n": "1"}'), ('{"n": "1.00"}'), ('{"n": 1}'),
	('{"array": [1, "a b", {"k": null}]}'), ('{"array": "[1,\"a b\",{\"k\":null}]"}'), ('{"array": "[1, \"a b\", {\"k\": null}]"}'), ('{"array": "[1,\"ab\",{\"k\":null}]"}'), ('{"array": [1]}'),
	('{"map": {"a": [true], "b": 1.50}}'), ('{"map": {"a": [true]}}'), ('{"array": 1}'), ('{"bytes": "AAAwOQ=="}'), ('{"bytes": {"bytesValue": "AAAwOQ=="}}'), ('{"bytes": "AAAwOQ"}'),
	('{"nan": "NaN"}'), ('{"big": "123456789012345678901234567890"}'), ('{"big": 1.2345678901234567890123456789e29}'), ('{"tiny": "1e-11"}'), ('{"zero": "-0"}'),
	('{"wrapped": {"kvlistValue": {"values": []}}}'), ('{"e9": "1e999999999"}'), ('{"e9": "1e999999998"}'), ('{"minus": "0"}'), ('{"minus": "-0"}')) v (tags);

-- keys that stand for fields
SELECT tags, found(tags) FROM (VALUES ('{"error": true}'::jsonb), ('{"error": "true"}'), ('{"error": "T"}'), ('{"error": 1}'), ('{"error": false}'), ('{"error": "false"}'), ('{"error": "timeout"}'), ('{"error": "nonsense"}'),
	('{"span.kind": "server"}'), ('{"span.kind": "CLIENT"}'), ('{"span.kind": "receive"}'), ('{"span.kind": "unspecified"}'), ('{"span.kind": 1}'),
	('{"otel.status_code": "ERROR"}'), ('{"otel.status_code": "OK"}'), ('{"otel.status_code": "unset"}'), ('{"span.status": "error"}'), ('{"span.status": "dropped"}'),
	('{"otel.scope.name": "lib"}'), ('{"scope.name": "lib"}'), ('{"otel.library.name": "lib"}'), ('{"scope.name": "Lib"}'), ('{"otel.scope.version": "1.10"}'), ('{"scope.version": "1.10"}'), ('{"scope.version": "1.1"}'),
	('{"resource.where": "resource"}'), ('{"resource.where": "span"}'), ('{"resource.int": "123"}'), ('{"resource.": ""}'), ('{"service.name": "stock"}')) v (tags);
-- an attribute of such a key counts, too
INSERT INTO "Found Spans".spans (trace_id, span_id, start_ns, name, status_message, attributes) VALUES
	(trace(6), span(1), 6 * :second, 'fields', 'it broke', '{"error": true, "span.kind": "odd", "otel.scope.name": "own", "resource.x": 1, "otel.status_code": "ERROR"}');
SELECT found('{"error": "true"}'), found('{"error": "false"}'), found('{"span.kind": "odd"}'), found('{"otel.scope.name": "own"}'), found('{"resource.x": "1"}'),
	found('{"otel.status_code": "ERROR"}'), found('{"otel.status_description": "it broke"}');

-- times, inclusive
SELECT ARRAY(SELECT f.start_ns FROM find_traces('Found Spans', start_min => lower, start_max => upper) f) FROM (VALUES
	('1970-01-01 00:00:02+00'::timestamptz, '1970-01-01 00:00:03+00'::timestamptz), ('1970-01-01 00:00:02.000001+00', '1970-01-01 00:00:02.999999+00'),
	(NULL, '1970-01-01 00:00:01+00'), ('1970-01-01 00:00:06+00', NULL), ('-infinity', 'infinity'), ('infinity', NULL), (NULL, '-infinity'), ('1970-01-01 00:00:04+00', '1970-01-01 00:00:02+00'),
	('1000-01-01', '290000-01-01'), ('2300-01-01', NULL), (NULL, '4000-01-01 BC')) v (lower, upper);
SELECT ARRAY(SELECT f.start_ns FROM find_traces('Found Spans', duration_min => lower, duration_max => upper) f) FROM (VALUES
	('1 s'::interval, '2 s'::interval), ('1.000001 s', NULL), (NULL, '1 s'), ('0', '2 us'), ('0', '0'), ('2 us', '2 us'), ('3 us', '999 ms'), ('10000 years', NULL), (NULL, '178000000 years'), (NULL, '-1 s'), ('-1 s', NULL), ('1 mon', '1 day')) v (lower, upper);
-- spans that have not ended have no duration, those that are too long the longest
INSERT INTO "Found Spans".spans (trace_id, span_id, start_ns, end_ns, name) VALUES (trace(7), span(1), -9000000000000000000, 9000000000000000000, 'eternal');
SELECT f.root_name FROM find_traces('Found Spans', duration_min => '200 years') f;

-- nothing to find
SELECT count(*) FROM find_traces(NULL);
SELECT count(*) FROM find_spans(NULL, 'shop');
SELECT count(*) FROM find_traces('Found Spans', tags => 'null');
SELECT count(*) FROM find_traces('Found Spans', tags => '["text"]');
SELECT count(*) FROM find_spans('Found Spans', tags => '1');
SELECT count(*) FROM find_traces('Found Spans', max_traces => 0);
SELECT count(*) FROM find_spans('Found Spans', max_spans => -1);
SELECT count(*) FROM find_traces('No Store');
SELECT count(*) FROM services('pg_catalog');
SELECT find_traces('Found Spans', 'stock');

-- services and operations
SELECT * FROM services('Found Spans');
SELECT * FROM operations('Found Spans', 'shop');
SELECT * FROM operations('Found Spans', 'unknown_service');
SELECT count(*) FROM operations('Found Spans', 'nobody');
SELECT count(*) FROM operations('Found Spans', NULL);

-- many spans: windows, ties, and traces of many spans make no difference
SELECT create_trace_store('find_many') AS store;
INSERT INTO find_many.spans (trace_id, span_id, start_ns, end_ns, name, status, kind, resource, attributes)
SELECT trace(1 + i % 750), span(i + 1), i / 3 * 1000, i / 3 * 1000 + i % 700 * 1000, 'op ' || i % 7, CASE WHEN i % 50 = 0 THEN 'error'::span_status ELSE 'ok' END, CASE WHEN i % 2 = 0 THEN 'client'::span_kind END,
	jsonb_build_object('service.name', CASE WHEN i < 200 THEN 'old' WHEN i % 1000 = 0 THEN 'small' ELSE 'big' END), jsonb_build_object('i', i, 'mod 3', i % 3, 'mod 997', i % 997)
FROM generate_series(0, 5999) i;
CREATE FUNCTION differ(service text, operation text, tags jsonb, duration interval, most integer) RETURNS TABLE (n bigint, expected trace_id, found trace_id) LANGUAGE sql AS $$
	SELECT e.n, e.trace_id, f.trace_id FROM (
		SELECT row_number() OVER (ORDER BY max(s.start_ns) DESC, s.trace_id) AS n, s.trace_id FROM find_many.spans s
		WHERE (service IS NULL OR s.service_name = service) AND (operation IS NULL OR s.name = operation) AND (duration IS NULL OR (s.end_ns - s.start_ns) * interval '1 us' / 1000 >= duration)
			AND (tags IS NULL OR s.attributes @> (tags - 'error')) AND (tags -> 'error' IS NULL OR s.status = 'error')
		GROUP BY s.trace_id ORDER BY n LIMIT most) e
	FULL JOIN (SELECT row_number() OVER () AS n, f.trace_id FROM find_traces('find_many', service, operation, tags, duration_min => duration, max_traces => most) f) f USING (n)
	WHERE e.trace_id IS DISTINCT FROM f.trace_id $$;
SELECT service, operation, tags, duration, most, d.* FROM unnest(ARRAY[NULL, 'big', 'old']) service, unnest(ARRAY[NULL, 'op 3']) operation,
	unnest(ARRAY[NULL, '{"mod 3": 1}', '{"i": 4000}', '{"mod 997": 5}', '{"mod 3": 2, "mod 997": 100}', '{"i": -1}', '{"error": true}', '{"error": true, "mod 3": 0}']::jsonb[]) tags,
	unnest(ARRAY[NULL, '600 us']::interval[]) duration, unnest(ARRAY[2, 300, NULL]) most, differ(service, operation, tags, duration, most) d LIMIT 5;
SELECT * FROM services('find_many');
SELECT operation, array_agg(kind ORDER BY kind) FROM operations('find_many', 'old') GROUP BY operation ORDER BY operation COLLATE "C" LIMIT 2;

-- the index finds all that there is to find
SET enable_seqscan = off;
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT trim(p) FROM plan($$ SELECT * FROM find_many.spans s WHERE span_tags(s.attributes, s.events, s.links, s.scope_name, s.scope_version, s.scope_attributes, s.resource, s.service_name, s.status = 'error') @> '{1}' $$) p WHERE p ~ 'Index Scan';
RESET enable_seqscan;
SELECT span_has_tags(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"a": 1}') AS nothing, span_has_tags(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS no_condition,
	span_has_tags('1', '{}', '[1, {"attributes": 2}]', NULL, NULL, '[]', '"x"', NULL, NULL, NULL, '{"a": 1}') AS odd, cardinality(span_tags(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) AS none,
	cardinality(span_tags('{"a": 1, "b": 2}', '[{"attributes": {"c": 1}}, 1]', '{}', 'n', 'v', '{"d": 1}', '{"service.name": "s"}', 's', true)) AS tags;

-- names longer than what an index holds, alike at their beginnings: they are kept, found exactly, and told apart
CREATE FUNCTION noise(seed text, bytes integer) RETURNS text LANGUAGE sql AS $$ SELECT left(string_agg(md5(seed || i), '' ORDER BY i), bytes) FROM generate_series(1, bytes / 32 + 1) i $$;
CREATE TABLE long_names AS SELECT i, CASE WHEN i < 10 THEN noise('name', 300) || i WHEN i < 20 THEN noise('name', 100000) || i WHEN i < 30 THEN left(repeat(chr(128512), 300), i + 40) WHEN i < 40 THEN repeat('ä', 300) || i
	WHEN i = 40 THEN 'a' || repeat('ä', 150) ELSE left(noise('name', 300), 210 + i) END AS name FROM generate_series(1, 90) i;
SELECT create_trace_store('find_long') AS store;
INSERT INTO find_long.spans (trace_id, span_id, start_ns, name, kind, resource)
SELECT trace(s.i * 1000 + n.i), span(1), s.i * 1000 + n.i, n.name, CASE WHEN n.i % 2 = 0 THEN 'server'::span_kind END, jsonb_build_object('service.name', s.name) FROM long_names s, long_names n WHERE s.i IN (1, 2, 10, 11, 26, 40, 45, 46) OR n.i = 1;
SELECT count(*), max(octet_length(name)) FROM find_long.spans;
SELECT count(*), bool_and(s.service = e.name) FROM (SELECT service, row_number() OVER () AS place FROM services('find_long') service) s JOIN (SELECT name, row_number() OVER (ORDER BY name) AS place FROM long_names) e USING (place);
SELECT s.i, count(*), count(DISTINCT o.operation), bool_and(n.name IS NOT NULL AND (o.kind = 'server') IS NOT DISTINCT FROM CASE WHEN n.i % 2 = 0 THEN true END) FROM long_names s CROSS JOIN LATERAL operations('find_long', s.name) o LEFT JOIN long_names n ON n.name = o.operation
	WHERE s.i IN (1, 2, 11, 26) GROUP BY s.i ORDER BY s.i;
SELECT bool_and(f.traces = ARRAY[s.i * 1000 + n.i] AND f.spans = f.traces) FROM long_names s, long_names n, LATERAL (SELECT ARRAY(SELECT t.start_ns::integer FROM find_traces('find_long', s.name, n.name) t) AS traces,
	ARRAY(SELECT t.start_ns::integer FROM find_spans('find_long', s.name, n.name) t) AS spans) f WHERE s.i IN (1, 11, 26, 45) AND n.i % 5 IN (0, 1);
SELECT count(*), min(start_ns), max(start_ns) FROM long_names, find_traces('find_long', name, max_traces => NULL) WHERE i = 11;
SELECT count(*) FROM long_names, find_traces('find_long', left(name, 99999)) WHERE i = 11;
SELECT octet_length(span_name_key(name)) AS bytes, count(*), count(DISTINCT span_name_key(name)), bool_and(span_name_key(name) = convert_to(name, 'UTF8')) AS same FROM long_names GROUP BY 1 ORDER BY 1;
SELECT span_name_key(left(repeat('x', 300), 256)) = convert_to(left(repeat('x', 300), 224), 'UTF8') || sha256(convert_to(left(repeat('x', 300), 256), 'UTF8')) AS of_256, span_name_key('') AS of_none;
-- traces of such a store are written and summed up as others are
SELECT length(r."traceName") FROM find_long.grafana_traces r WHERE r."traceID" = trace(11015)::text;
SELECT length(to_otlp('find_long', trace(11015)) #>> '{resourceSpans,0,scopeSpans,0,spans,0,name}');

-- a span of 100,000 attributes
INSERT INTO find_long.spans (trace_id, span_id, start_ns, name, attributes) SELECT trace(1), span(1), 1, 'many', jsonb_object_agg('key ' || i, i) FROM generate_series(1, 100000) i;
SELECT found.name, found.start_ns FROM find_spans('find_long', tags => '{"key 77777": 77777, "key 1": "1"}') found;

-- partitioned stores
SELECT create_trace_store('find_parts', partition_width => '1 day') AS store;
SELECT create_trace_partitions('find_parts', '1970-01-01 00:00+00', '1970-01-03 00:00+00');
INSERT INTO find_parts.spans (trace_id, span_id, start_ns, end_ns, name, resource, attributes)
SELECT trace(i), span(1), i * 3600 * :second, i * 3600 * :second + 5, 'x', '{"service.name": "s"}', jsonb_build_object('even', i % 2 = 0) FROM generate_series(1, 60) i;
SELECT array_agg(f.start_ns / 3600 / :second) FROM find_traces('find_parts', 's', NULL, '{"even": "true"}', max_traces => 10) f;
SELECT array_agg(f.start_ns / 3600 / :second) FROM find_traces('find_parts', 's', start_max => '1970-01-01 06:00+00', max_traces => 3) f;

SET client_min_messages = warning;
DROP SCHEMA find_traces_test, "Found Spans", find_many, find_parts, find_long CASCADE;
