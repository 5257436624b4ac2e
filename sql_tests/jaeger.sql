-- Traces as the JSON that Jaeger's user interface loads.

\set SHOW_CONTEXT never
SELECT create_trace_store('jaeger');

-- the example of OTLP, and a child of it
INSERT INTO jaeger.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, kind, status, status_message, name, attributes, events, links,
	trace_state, flags, resource, scope_name, scope_version, dropped_attributes_count, dropped_events_count, dropped_links_count)
VALUES
	('5b8efff798038103d269b633813fc60c', 'eee19b7ec3c1b173', NULL, 1544712660000000000, 1544712661500000999, 'server', 'ok', NULL, 'I''m a "server" span',
	 '{"my.span.attr": "some value"}', '[]', '[]', NULL, 257, '{"service.name": "my.service", "host.cpus": 8}', 'my.library', '1.0.0', NULL, NULL, NULL),
	('5b8efff798038103d269b633813fc60c', 'eee19b7ec3c1b174', 'eee19b7ec3c1b173', 1544712660000001999, 1544712661000000000, 'client', 'error', 'no route', 'call',
	 '{"http.status_code": 500}',
	 '[{"time_ns": 1544712660500000000, "name": "exception", "attributes": {"exception.type": "IOError", "retry": true}, "dropped_attributes_count": 2},
	   {"time_ns": 1544712660600000000},
	   {"time_ns": 1544712660700000000, "name": "hidden", "attributes": {"event": "shown"}}]',
	 '[{"trace_id": "00000000000000000000000000000abc", "span_id": "0000000000000def", "attributes": {"why": "batch"}},
	   {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "00000000000000ff", "attributes": {"opentracing.ref_type": "child_of"}}]',
	 'vendor=1', 256, '{"service.name": "other"}', NULL, NULL, 1, 2, 3);
SELECT jsonb_pretty(to_jaeger('jaeger', '5b8efff798038103d269b633813fc60c'));

-- what kind of value a tag has
CREATE FUNCTION tags(attributes jsonb, kind span_kind DEFAULT NULL, status span_status DEFAULT 'unset')
RETURNS TABLE (key text, type text, value jsonb) LANGUAGE sql AS $$
	DELETE FROM jaeger.spans WHERE trace_id = '000102030405060708090a0b0c0d0e0f';
	INSERT INTO jaeger.spans (trace_id, span_id, start_ns, end_ns, name, attributes, kind, status)
	VALUES ('000102030405060708090a0b0c0d0e0f', '0000000000000001', 0, 0, 'tags', attributes, kind, status);
	SELECT t.key, t.type, t.value
	FROM jsonb_to_recordset(to_jaeger('jaeger', '000102030405060708090a0b0c0d0e0f') #> '{data,0,spans,0,tags}') AS t (key text, type text, value jsonb);
$$;
SELECT * FROM tags('{"text": "a\"b", "empty": "", "yes": true, "no": false, "nothing": null}');
SELECT * FROM tags('{"int": 42, "negative": -1, "zero": 0, "double": 72.5, "whole double": 1.0, "safe": 9007199254740991, "unsafe": 9007199254740992, "-unsafe": -9007199254740992, "greatest": 9223372036854775807, "beyond": 9223372036854775808}');
SELECT * FROM tags('{"bytes": {"bytesValue": "AAEC"}, "nan": {"doubleValue": "NaN"}, "-inf": {"doubleValue": "-Infinity"}}');
SELECT key, type, value #>> '{}' AS value FROM tags('{"array": ["a", 1, 2.50, null, true, []], "object": {"z": 1, "aa": {"b": []}, "b": {}}, "not bytes": {"bytesValue": 1}, "not alone": {"doubleValue": "NaN", "x": 1}, "in": [{"bytesValue": "AAEC"}, {"doubleValue": "NaN"}]}');
SELECT key, type, value #>> '{}' AS value FROM tags('{"twice": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}, {"key": "a", "value": {"stringValue": "1"}},
	{"key": "b", "value": {"arrayValue": {"values": [{"boolValue": true}, {"doubleValue": 1.5}, {}, {"intValue": "-7"}, {"intValue": "007"}, {"arrayValue": {}}, {"kvlistValue": {}}, {"arrayValue": 1}]}}},
	{"key": "c", "value": {"kvlistValue": {"values": [{"key": "d", "value": {"bytesValue": "AA=="}}, {"key": "e"}]}}}]}}, "not a list": {"kvlistValue": {"values": 1}}}');
-- kind and status become tags, unless an attribute says the same
SELECT * FROM tags('{}', 'internal', 'error');
SELECT * FROM tags('{"error": true, "span.kind": "encode", "otel.status_code": "ERROR"}', 'encode', 'error');
SELECT * FROM tags('{"error": "disk full", "span.kind": "odd"}', 'server', 'error');
SELECT * FROM tags('{"span.status": "cancelled"}', NULL, 'cancelled');
SELECT * FROM tags('{}', 'transmit', 'dropped');
SELECT * FROM tags('{}');
DROP FUNCTION tags;

-- order: by start, then as they came; one process for each resource
INSERT INTO jaeger.spans (trace_id, span_id, start_ns, end_ns, name, resource) VALUES
	('0af7651916cd43dd8448eb211c80319c', 'b000000000000003', 2000, 3000, 'third', '{"service.name": "a"}'),
	('0af7651916cd43dd8448eb211c80319c', 'b000000000000002', 1000, 3000, 'first', '{"service.name": "b"}'),
	('0af7651916cd43dd8448eb211c80319c', 'b000000000000001', 1000, 3000, 'second', '{"service.name": "a"}'),
	('0af7651916cd43dd8448eb211c80319c', 'b000000000000004', 3000, 3000, 'fourth', '{"service.name": "a", "host": "h"}'),
	('0af7651916cd43dd8448eb211c80319c', 'b000000000000005', 3000, 3000, 'fifth', '{}');
SELECT s.* FROM jsonb_to_recordset(to_jaeger('jaeger', '0af7651916cd43dd8448eb211c80319c') #> '{data,0,spans}')
	AS s ("operationName" text, "startTime" bigint, duration bigint, "processID" text, flags integer);
SELECT p.* FROM jsonb_each(to_jaeger('jaeger', '0af7651916cd43dd8448eb211c80319c') #> '{data,0,processes}') p;

-- what is odd: no end, a missing parent, a circle of parents, warnings of others
INSERT INTO jaeger.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name, attributes, links) VALUES
	('0000000000000000a3ce929d0e0e4736', 'c000000000000001', NULL, 1000, NULL, 'unfinished', '{}', '[]'),
	('0000000000000000a3ce929d0e0e4736', 'c000000000000002', 'c0000000000000ff', 2000, 3000, 'orphan', '{"jaeger.internal.warnings": ["clock was adjusted", 5]}', '[]'),
	('0000000000000000a3ce929d0e0e4736', 'c000000000000003', 'c000000000000004', 3000, 9000, 'circle', '{}', '[]'),
	('0000000000000000a3ce929d0e0e4736', 'c000000000000004', 'c000000000000003', 4000, 8000, 'circle below', '{}', '[]'),
	('0000000000000000a3ce929d0e0e4736', 'c000000000000005', 'c000000000000005', 5000, 5000, 'self', '{}', '[]'),
	('0000000000000000a3ce929d0e0e4736', 'c000000000000006', 'c000000000000001', 6000, 6999, 'follows',
	 '{}', '[{"trace_id": "0000000000000000a3ce929d0e0e4736", "span_id": "c000000000000001"}, {"trace_id": "0000000000000000a3ce929d0e0e4736", "span_id": "c000000000000002"}]'),
	('0000000000000000a3ce929d0e0e4736', 'c000000000000007', 'c000000000000001', -6999, 9223372036854775807, 'long', '{}', '[1, {}, {"trace_id": 5}, {"trace_id": "x", "span_id": "y"}]');
UPDATE jaeger.spans SET events = '[1, {}, {"time_ns": "x", "name": 5, "attributes": [1]}]' WHERE name = 'long';
SELECT s."operationName", s."traceID", s."references", s.duration, s.warnings
FROM jsonb_to_recordset(to_jaeger('jaeger', '0000000000000000a3ce929d0e0e4736') #> '{data,0,spans}')
	AS s ("operationName" text, "traceID" text, "references" jsonb, duration bigint, warnings jsonb);
SELECT to_jaeger('jaeger', '0000000000000000a3ce929d0e0e4736') #> '{data,0,traceID}' AS trace,
	to_jaeger('jaeger', '0000000000000000a3ce929d0e0e4736') #> '{data,0,spans,0,logs}' AS logs,
	to_jaeger('jaeger', '0000000000000000a3ce929d0e0e4736') #> '{data,0,spans,2,tags}' AS tags;

-- a deep value
INSERT INTO jaeger.spans (trace_id, span_id, start_ns, end_ns, name, attributes)
VALUES ('d0000000000000000000000000000001', '0000000000000001', 0, 0, 'deep', jsonb_build_object('deep', (repeat('[', 3000) || repeat(']', 3000))::jsonb));
SELECT length(to_jaeger('jaeger', 'd0000000000000000000000000000001') #>> '{data,0,spans,0,tags,0,value}');

-- whose store, and where the names are
SELECT create_trace_store('Jaeger "Store"');
INSERT INTO "Jaeger ""Store""".spans (trace_id, span_id, start_ns, name) VALUES ('5b8efff798038103d269b633813fc60c', 'eee19b7ec3c1b173', 0, 'elsewhere');
SELECT to_jaeger('Jaeger "Store"', '5b8efff798038103d269b633813fc60c') #> '{data,0,spans,0,operationName}' AS name;
BEGIN;
SET LOCAL search_path = '';
SELECT pg_catalog.length(public.to_jaeger('jaeger', '5b8efff798038103d269b633813fc60c')::text) AS length;
ROLLBACK;

-- arguments
SELECT to_jaeger('jaeger', 'ffffffffffffffffffffffffffffffff');
SELECT to_jaeger('jaeger', '00000000000000000000000000000000');
SELECT to_jaeger('Jaeger store', '5b8efff798038103d269b633813fc60c');
SELECT to_jaeger('public', '5b8efff798038103d269b633813fc60c');
SELECT to_jaeger(NULL, '5b8efff798038103d269b633813fc60c') IS NULL AS nothing, to_jaeger('jaeger', NULL) IS NULL AS nothing;
