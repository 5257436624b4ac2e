-- OTLP/JSON in and out: ingest_otlp, to_otlp, otlp_spans, otlp_canonical.

\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA otlp_test;
SET search_path = otlp_test, public;
SELECT create_trace_store('otlp_plain', hygiene => false) AS store;

-- the example of the specification, as it is there
SELECT * FROM ingest_otlp('otlp_plain', '{"resourceSpans": [{
	"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
	"scopeSpans": [{
		"scope": {"name": "my.library", "version": "1.0.0", "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]},
		"spans": [{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "parentSpanId": "EEE19B7EC3C1B173",
			"name": "I''m a server span", "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000", "kind": 2,
			"attributes": [{"key": "my.span.attr", "value": {"stringValue": "some value"}}]}]}]}]}');
\x on
SELECT * FROM otlp_plain.spans;
\x off
SELECT jsonb_pretty(to_otlp('otlp_plain', '5b8efff798038103d269b633813fc60c'));
SELECT trace_id, start_ns, end_ns, span_count, is_complete FROM otlp_plain.traces;

-- One span at a time, with all that a span can have.
CREATE FUNCTION payload(span text, resource text DEFAULT NULL, scope text DEFAULT NULL) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('resourceSpans', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('resource', resource::jsonb)) || jsonb_build_object('scopeSpans',
		jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('scope', scope::jsonb)) || jsonb_build_object('spans', jsonb_build_array(span::jsonb))))))
$$;
CREATE FUNCTION span(rest text DEFAULT '', id integer DEFAULT 1) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT payload(format('{"traceId": "0000000000000000000000000000000a", "spanId": "%s", "startTimeUnixNano": "1000", "name": "s"%s}',
		lpad(id::text, 16, '0'), CASE WHEN rest <> '' THEN ', ' || rest ELSE '' END))
$$;
CREATE FUNCTION attributes(list text, hygiene boolean DEFAULT false) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT attributes FROM otlp_spans(span('"attributes": ' || list), hygiene)
$$;
-- does a list of attributes come back as it is?
CREATE FUNCTION restored(list jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT otlp_canonical(span('"attributes": ' || list::text)) = span('"attributes": ' || list::text)
$$;

-- every kind of value, flat
SELECT v.value, attributes(format('[{"key": "k", "value": %s}]', v.value)) -> 'k' AS flat, restored(format('[{"key": "k", "value": %s}]', v.value)::jsonb)
FROM (VALUES (1, '{"stringValue": "x"}'), (2, '{"stringValue": ""}'), (3, '{"boolValue": false}'), (4, '{"intValue": "0"}'), (5, '{"intValue": "-9223372036854775808"}'),
	(6, '{"doubleValue": 72.5}'), (7, '{"doubleValue": 1.0}'), (8, '{"doubleValue": "NaN"}'), (9, '{"doubleValue": "-Infinity"}'), (10, '{"doubleValue": "-0"}'),
	(11, '{"bytesValue": "AAAwOQ=="}'), (12, '{"bytesValue": ""}'),
	(13, '{"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}, {}]}}'), (14, '{"arrayValue": {}}'),
	(15, '{"kvlistValue": {"values": [{"key": "b", "value": {"intValue": "1"}}, {"key": "a"}]}}'), (16, '{"kvlistValue": {}}'),
	-- lists that would be taken for something else
	(17, '{"kvlistValue": {"values": [{"key": "bytesValue", "value": {"stringValue": "AA=="}}]}}'),
	(18, '{"kvlistValue": {"values": [{"key": "doubleValue", "value": {"intValue": "5"}}]}}'),
	(19, '{"kvlistValue": {"values": [{"key": "kvlistValue", "value": {"kvlistValue": {}}}]}}'),
	(20, '{"kvlistValue": {"values": [{"key": "bytesValue"}, {"key": "other"}]}}'),
	(21, '{"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": true}}, {"key": "a", "value": {"bytesValue": "AA=="}}]}}'),
	(22, '{"kvlistValue": {"values": [{"value": {"stringValue": "of no key"}}]}}')) v (n, value) ORDER BY n;
-- nothing at all
SELECT attributes('[{"key": "a"}, {"key": "b", "value": {}}, {"key": "c", "value": null}, {}]') AS flat,
	restored('[{"key": "a"}, {"key": "b"}, {"key": "c"}, {}]') AS restored;
-- numbers in the other forms that proto3 reads
SELECT attributes(format('[{"key": "k", "value": %s}]', v.value)) -> 'k' AS flat
FROM (VALUES (1, '{"intValue": 5}'), (2, '{"intValue": 1.5e18}'), (3, '{"intValue": "1.5e18"}'), (4, '{"intValue": 5.0}'), (5, '{"intValue": "-1e2"}'),
	(6, '{"intValue": "9223372036854775807"}'), (7, '{"doubleValue": 5}'), (8, '{"doubleValue": "5"}'), (9, '{"doubleValue": "1.50"}'), (10, '{"doubleValue": 1e22}'),
	(11, '{"doubleValue": 0.1000000000000000055511151231257827}'), (12, '{"doubleValue": 1e-400}'), (13, '{"doubleValue": 123456789012345678901234567890}'),
	(14, '{"bytesValue": "-_-_"}'), (15, '{"bytesValue": "AAAwOQ"}'), (16, '{"bytesValue": "AB=="}'),
	(17, '{"int_value": 5, "unknown": {}, "stringValue": null}'), (18, '{"kvlist_value": {"values": [{"key": "a", "value": {"string_value": "x"}}]}}'),
	(19, '{"unknownValue": 1}')) v (n, value) ORDER BY n;
-- doubles keep every bit
SELECT count(*) AS lost FROM (SELECT (('x' || substr(md5(i::text), 1, 13))::bit(52)::bigint::float8 * power(10::float8, i % 300 - 150)) FROM generate_series(1, 500) i) v (d)
WHERE (otlp_canonical(span(format('"attributes": [{"key": "k", "value": {"doubleValue": "%s"}}]', d)))
	#>> '{resourceSpans,0,scopeSpans,0,spans,0,attributes,0,value,doubleValue}')::float8 <> d;
-- of a key that is repeated the last value holds, in the first one's place
SELECT attributes(l) AS flat, otlp_canonical(span('"attributes": ' || l)) #> '{resourceSpans,0,scopeSpans,0,spans,0,attributes}' AS canonical
FROM (VALUES ('[{"key": "b", "value": {"intValue": "1"}}, {"key": "a"}, {"key": "b", "value": {"intValue": "2"}}, {"key": "c"}]')) v (l);
-- the order of keys, in lists in lists, of more keys than a byte counts
SELECT bool_and(restored(l)) FROM (
	SELECT jsonb_agg(jsonb_build_object('key', 'k' || i * 7919 % n) ORDER BY i) FROM (VALUES (1), (2), (3), (16), (17), (64), (65), (127), (128), (129), (300), (1000)) c (n),
		generate_series(0, n - 1) i GROUP BY n) v (l);
SELECT restored('[{"key": "z", "value": {"kvlistValue": {"values": [{"key": "y", "value": {"arrayValue": {"values": [{"kvlistValue": {"values": [{"key": "c"}, {"key": "b"}, {"key": "a"}]}},
		{"kvlistValue": {"values": [{"key": "a"}, {"key": "b"}]}}]}}}, {"key": "x", "value": {"kvlistValue": {"values": [{"key": "2"}, {"key": "1"}]}}}]}}},
	{"key": "a", "value": {"kvlistValue": {"values": [{"key": "q"}, {"key": "p"}]}}}]');

-- kind and status: OTLP's, or what attributes name
SELECT v.rest, kind, status, otlp_kind, key_order, otlp_canonical(span(v.rest)) = span(v.rest) AS restored FROM (VALUES (1, '"kind": 1'), (2, '"kind": 5'), (3, '"kind": 9'),
	(4, '"kind": 2, "status": {"code": 1}'), (5, '"status": {"code": 2, "message": "why"}'),
	(6, '"attributes": [{"key": "span.kind", "value": {"stringValue": "encode"}}], "kind": 1'),
	(7, '"attributes": [{"key": "span.kind", "value": {"stringValue": "decode"}}], "kind": 3'),
	(8, '"attributes": [{"key": "span.kind", "value": {"stringValue": "transmit"}}]'),
	(9, '"attributes": [{"key": "span.kind", "value": {"stringValue": "server"}}], "kind": 3'),
	(10, '"attributes": [{"key": "span.kind", "value": {"intValue": "1"}}], "kind": 3'),
	(11, '"attributes": [{"key": "span.status", "value": {"stringValue": "cancelled"}}]'),
	(12, '"attributes": [{"key": "span.status", "value": {"stringValue": "in_progress"}}], "status": {"code": 2}'),
	(13, '"attributes": [{"key": "span.status", "value": {"stringValue": "error"}}]')) v (n, rest), otlp_spans(span(v.rest), false) ORDER BY n;
SELECT kind, status FROM otlp_spans(span('"kind": "SPAN_KIND_PRODUCER", "status": {"code": "STATUS_CODE_ERROR"}'));

-- events and links, counts, states, flags, schemas
\x on
SELECT events, links, trace_state, flags, dropped_attributes_count, dropped_events_count, dropped_links_count
FROM otlp_spans(span('"traceState": "a=1,b=2", "flags": 257, "droppedAttributesCount": 1, "droppedEventsCount": 2, "droppedLinksCount": 4294967295,
	"events": [{"timeUnixNano": "1001", "name": "e", "attributes": [{"key": "b", "value": {"intValue": "1"}}, {"key": "a"}], "droppedAttributesCount": 3}, {}, {"attributes": []}],
	"links": [{"traceId": "0000000000000000000000000000000B", "spanId": "000000000000000C", "traceState": "x=y", "flags": 1, "attributes": [{"key": "l"}], "droppedAttributesCount": 4},
		{"attributes": [{"key": "to nowhere"}]}, {"traceId": "00000000000000000000000000000000", "spanId": ""}]'));
SELECT resource, scope_name, scope_version, scope_attributes, resource_dropped_attributes_count, scope_dropped_attributes_count, resource_schema_url, scope_schema_url
FROM otlp_spans('{"resourceSpans": [{"resource": {"attributes": [{"key": "r"}], "droppedAttributesCount": 5}, "schemaUrl": "http://r",
	"scopeSpans": [{"scope": {"name": "n", "version": "v", "attributes": [{"key": "s"}], "droppedAttributesCount": 6}, "schemaUrl": "http://s",
		"spans": [{"traceId": "0000000000000000000000000000000a", "spanId": "0000000000000001", "startTimeUnixNano": 1}]}]}]}');
\x off
-- names of the protocol's definition, of old exporters, nulls, unknown fields
SELECT otlp_canonical('{"unknown": 1, "resource_spans": [{"resource": {"dropped_attributes_count": 1, "name": 5}, "schema_url": "u", "scope_spans": [{"scope": null, "spans": [
	{"trace_id": "0000000000000000000000000000000A", "span_id": "0000000000000001", "parent_span_id": "0000000000000000", "start_time_unix_nano": 1.0, "end_time_unix_nano": "2e0",
		"trace_state": "", "dropped_events_count": "1", "dropped_links_count": null, "events": [{"time_unix_nano": 5, "dropped_attributes_count": 1}], "links": [], "status": {}, "kind": 0}]}],
	"instrumentationLibrarySpans": [{"instrumentationLibrary": {"name": "old"}, "spans": [
	{"traceId": "0000000000000000000000000000000a", "spanId": "0000000000000002", "parentSpanId": "", "startTimeUnixNano": 1, "endTimeUnixNano": "0"}]}]}]}');
-- groups that are the same become one, empty ones vanish
SELECT otlp_canonical(jsonb_build_object('resourceSpans', (SELECT jsonb_agg(span('', i) #> '{resourceSpans,0}' ORDER BY i) FROM generate_series(1, 3) i) || '[{}, {"scopeSpans": [{}]}]'::jsonb));
SELECT otlp_canonical('{}') AS a, otlp_canonical('{"resourceSpans": []}') AS b, otlp_canonical('{"resourceSpans": null}') AS c, (SELECT count(*) FROM otlp_spans('{}')) AS rows;

-- Once and not twice; who has ended takes the place of who had not.
SELECT * FROM ingest_otlp('otlp_plain', span('', 5));
SELECT * FROM ingest_otlp('otlp_plain', span('"kind": 3', 5));
SELECT * FROM ingest_otlp('otlp_plain', span('"endTimeUnixNano": "2000", "kind": 2', 5));
SELECT * FROM ingest_otlp('otlp_plain', span('"endTimeUnixNano": "3000", "kind": 3', 5));
SELECT start_ns, end_ns, kind FROM otlp_plain.spans WHERE trace_id = '0000000000000000000000000000000a';
SELECT span_count, root_ended, is_complete FROM otlp_plain.traces WHERE trace_id = '0000000000000000000000000000000a';
-- several in one payload: the first that has ended
CREATE FUNCTION together(a jsonb, b jsonb, c jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('resourceSpans', (a -> 'resourceSpans') || (b -> 'resourceSpans') || coalesce(c -> 'resourceSpans', '[]'))
$$;
SELECT * FROM ingest_otlp('otlp_plain', together(span('"kind": 1', 6), span('"endTimeUnixNano": "2000", "kind": 2', 6), span('"endTimeUnixNano": "3000", "kind": 3', 6)));
SELECT * FROM ingest_otlp('otlp_plain', together(span('"kind": 4', 7), span('"kind": 5', 7), span('"kind": 5', 8)));
SELECT * FROM ingest_otlp('otlp_plain', together(span('"kind": 5', 7), span('"endTimeUnixNano": "3000", "kind": 3', 7), span('', 9)));
SELECT span_id, end_ns, kind FROM otlp_plain.spans WHERE trace_id = '0000000000000000000000000000000a' ORDER BY arrival;
SELECT * FROM ingest_otlp('otlp_plain', '{}');
-- a store with partitions, where ids are unique with the start only
SELECT create_trace_store('Odd "OTLP"', '1 day', false) AS store;
SELECT * FROM ingest_otlp('Odd "OTLP"', together(span('', 1), span('', 2)));
SELECT * FROM ingest_otlp('Odd "OTLP"', together(span('"startTimeUnixNano": "900"', 1), span('"startTimeUnixNano": "200000000000000"', 2), span('', 3)));
SELECT * FROM ingest_otlp('Odd "OTLP"', together(span('"startTimeUnixNano": "200000000000000", "endTimeUnixNano": "200000000000001"', 1), span('', 3)));
SELECT span_id, start_ns, end_ns FROM "Odd ""OTLP""".spans ORDER BY arrival;
SELECT span_count, start_ns FROM "Odd ""OTLP""".traces;

-- Hygiene, as the store has it.
SELECT attributes('[{"key": "Authorization", "value": {"stringValue": "Basic abc"}}, {"key": "x-api-key", "value": {"intValue": "5"}}, {"key": "text", "value": {"stringValue": "a\tb\u001bc"}},
	{"key": "list", "value": {"kvlistValue": {"values": [{"key": "password"}, {"key": "ok", "value": {"stringValue": "ok"}}]}}},
	{"key": "twice", "value": {"kvlistValue": {"values": [{"key": "token", "value": {"intValue": "1"}}, {"key": "token", "value": {"stringValue": "x"}}, {"key": "t", "value": {"stringValue": "\n"}}]}}}]', true);
SELECT l -> 'long' ->> 0 = repeat('x', 1024) || right(l -> 'long' ->> 0, 20) AS cut, right(l -> 'long' ->> 0, 20) AS mark, l ->> 'bytes' = repeat('A', 1024) || right(l ->> 'bytes', 20) AS bytes_too
FROM (SELECT attributes('[{"key": "long", "value": {"arrayValue": {"values": [{"stringValue": "' || repeat('x', 1025) || '"}]}}}, {"key": "bytes", "value": {"bytesValue": "' || repeat('A', 1028) || '"}}]', true)) v (l);
-- the first 64 stay
SELECT count(*), max(value::text) FILTER (WHERE key = '_overflow_attributes') AS overflow, bool_and(key LIKE 'k_' OR key < 'k64' OR key = '_overflow_attributes') AS first_ones
FROM (VALUES ((SELECT jsonb_agg(jsonb_build_object('key', 'k' || i) ORDER BY i) FROM generate_series(0, 99) i))) v (l), jsonb_each(attributes(l::text, true));
SELECT count(*), max(value::text) FILTER (WHERE key = '_overflow_attributes') AS overflow
FROM (VALUES ((SELECT jsonb_agg(jsonb_build_object('key', 'k' || i) ORDER BY i) || '[{"key": "_overflow_attributes", "value": {"intValue": "5"}}]' FROM generate_series(1, 64) i))) v (l), jsonb_each(attributes(l::text, true));
SELECT count(*), max(value::text) FILTER (WHERE key = '_overflow_attributes') AS overflow
FROM (VALUES ((SELECT jsonb_agg(jsonb_build_object('key', 'k' || i) ORDER BY i) || '[{"key": "_overflow_attributes", "value": {"intValue": "5"}}]' FROM generate_series(1, 66) i))) v (l), jsonb_each(attributes(l::text, true));
SELECT create_trace_store('otlp_clean') AS store;
SELECT * FROM ingest_otlp('otlp_clean', payload(span('"attributes": [{"key": "password", "value": {"stringValue": "p"}}], "events": [{"attributes": [{"key": "token"}]}]') #>> '{resourceSpans,0,scopeSpans,0,spans,0}',
	'{"attributes": [{"key": "api_key", "value": {"stringValue": "r"}}]}', '{"attributes": [{"key": "cookie", "value": {"stringValue": "s"}}]}'));
SELECT attributes, events, resource, scope_attributes FROM otlp_clean.spans;
UPDATE otlp_clean.options SET hygiene = false;
SELECT * FROM ingest_otlp('otlp_clean', span('"attributes": [{"key": "password", "value": {"stringValue": "p"}}]', 2));
SELECT attributes FROM otlp_clean.spans WHERE span_id = '0000000000000002';

-- What was changed by hand, or recorded here, is written, too.
INSERT INTO otlp_clean.spans (trace_id, span_id, start_ns, name, kind, status, attributes, events, links, resource)
VALUES ('0000000000000000000000000000000c', '0000000000000001', 5, 'recorded', 'encode', 'cancelled', '{"a": 1, "b": {"bytesValue": 5}, "c": 123456789012345678901}',
	'[{"time_ns": 7, "name": "e"}, {}, 5]', '[{"attributes": 5, "flags": null}]', '{"bytesValue": "x"}');
SELECT jsonb_pretty(to_otlp('otlp_clean', '0000000000000000000000000000000c') -> 'resourceSpans');
SELECT kind, status FROM otlp_spans(to_otlp('otlp_clean', '0000000000000000000000000000000c') #- '{resourceSpans,0,scopeSpans,0,spans,0,events}' #- '{resourceSpans,0,scopeSpans,0,spans,0,links}');
SELECT * FROM ingest_otlp('otlp_clean', span('"traceId": "0000000000000000000000000000000d", "attributes": [{"key": "b"}, {"key": "a", "value": {"kvlistValue": {"values": [{"key": "d"}, {"key": "c"}]}}}]', 3));
UPDATE otlp_clean.spans SET attributes = attributes || '{"new": 1}' WHERE trace_id = '0000000000000000000000000000000d';
SELECT to_otlp('otlp_clean', '0000000000000000000000000000000d') #> '{resourceSpans,0,scopeSpans,0,spans,0,attributes}' AS attributes;
UPDATE otlp_clean.spans SET attributes = '{"x": 1, "y": 2}', key_order = o FROM (VALUES ('\xffffffffffffffffff'::bytea)) v (o) WHERE trace_id = '0000000000000000000000000000000d';
SELECT to_otlp('otlp_clean', '0000000000000000000000000000000d') #> '{resourceSpans,0,scopeSpans,0,spans,0,attributes}' AS attributes;
SELECT bool_and(to_otlp('otlp_clean', trace_id) IS NOT NULL) FROM otlp_clean.spans;

-- Errors name the span, and nothing is stored.
SELECT * FROM ingest_otlp('otlp_plain', together(span('', 100), span('"endTimeUnixNano": "999"', 101)));
SELECT count(*) FROM otlp_plain.spans WHERE span_id IN ('0000000000000100', '0000000000000101');
CREATE FUNCTION fault(payload jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	RETURN 'rows: ' || count(*) FROM otlp_spans(payload);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || SQLERRM || ': ' || detail || CASE WHEN hint NOT LIKE 'Correct this%' THEN ' (' || hint || ')' ELSE '' END;
END $$;
SELECT fault(payload(v.span)) FROM (VALUES (1, '5'), (2, '{}'), (3, '{"traceId": "0000000000000000000000000000000a"}'), (4, '{"traceId": "00000000000000000000000000000000", "spanId": "0000000000000001"}'),
	(5, '{"traceId": "0000000000000000000000000000000a", "spanId": "0000000000000000"}'), (6, '{"traceId": "0a", "spanId": "0000000000000001"}'),
	(7, '{"traceId": "0000000000000000000000000000000g", "spanId": "0000000000000001"}'), (8, '{"traceId": 5, "spanId": "0000000000000001"}'),
	(9, '{"traceId": "0000000000000000000000000000000a", "spanId": "W4scbu3Ctw8="}'),
	(10, '{"traceId": "0000000000000000000000000000000a", "spanId": "000000000000000f"}'),
	(11, '{"traceId": "0000000000000000000000000000000a", "spanId": "000000000000000f", "startTimeUnixNano": 0}')) v (n, span) ORDER BY n;
SELECT fault(span(v.rest, 77)) FROM (VALUES (1, '"endTimeUnixNano": "999"'), (2, '"startTimeUnixNano": "-1"'), (3, '"startTimeUnixNano": "9223372036854775808"'),
	(4, '"startTimeUnixNano": 1.5'), (5, '"startTimeUnixNano": "1e999999999999999999999"'), (6, '"endTimeUnixNano": "tomorrow"'), (7, '"endTimeUnixNano": {}'), (8, '"parentSpanId": "abc"'),
	(9, '"name": 5'), (10, '"kind": -1'), (11, '"kind": 32768'), (12, '"kind": "SPAN_KIND_OTHER"'), (13, '"kind": true'), (14, '"status": {"code": 3}'), (15, '"status": 5'), (16, '"status": {"message": 5}'),
	(17, '"flags": 4294967296'), (18, '"traceState": []'), (19, '"droppedEventsCount": -1'), (20, '"attributes": {}'), (21, '"attributes": [5]'), (22, '"attributes": [{"key": 5}]'),
	(23, '"attributes": [{"key": "k", "value": 5}]'), (24, '"attributes": [{"key": "k", "value": {"stringValue": 5}}]'), (25, '"attributes": [{"key": "k", "value": {"boolValue": "true"}}]'),
	(26, '"attributes": [{"key": "k", "value": {"intValue": "x"}}]'), (27, '"attributes": [{"key": "k", "value": {"intValue": 1.5}}]'), (28, '"attributes": [{"key": "k", "value": {"intValue": "9223372036854775808"}}]'),
	(29, '"attributes": [{"key": "k", "value": {"doubleValue": "x"}}]'), (30, '"attributes": [{"key": "k", "value": {"doubleValue": 1e400}}]'), (31, '"attributes": [{"key": "k", "value": {"bytesValue": "A"}}]'),
	(32, '"attributes": [{"key": "k", "value": {"bytesValue": "AA*="}}]'), (33, '"attributes": [{"key": "k", "value": {"arrayValue": []}}]'), (34, '"attributes": [{"key": "k", "value": {"arrayValue": {"values": {}}}}]'),
	(35, '"attributes": [{"key": "k", "value": {"arrayValue": {"values": [null]}}}]'), (36, '"attributes": [{"key": "k", "value": {"kvlistValue": {"values": [[]]}}}]'),
	(37, '"attributes": [{"key": "k", "value": {"stringValue": "x", "intValue": 1}}]'), (38, '"events": [{}, {"timeUnixNano": -1}]'), (39, '"events": [5]'), (40, '"events": 5'),
	(41, '"events": [{"attributes": [{"key": "k", "value": {"intValue": true}}]}]'), (42, '"links": [{"traceId": "0a"}]'), (43, '"links": [{}, {}, {"spanId": "000000000000000x"}]'),
	(44, '"attributes": [{"key": "' || repeat('long', 50) || '", "value": {"intValue": "' || repeat('5', 100) || '"}}]')) v (n, rest) ORDER BY n;
SELECT fault(v.p::jsonb) FROM (VALUES (1, '5'), (2, '[]'), (3, '{"resourceSpans": {}}'), (4, '{"resourceSpans": [5]}'), (5, '{"resourceSpans": [{}, {"scopeSpans": 5}]}'), (6, '{"resourceSpans": [{"scopeSpans": [{}, 5]}]}'),
	(7, '{"resourceSpans": [{"scopeSpans": [{"spans": {}}]}]}'), (8, '{"resourceSpans": [{"resource": []}]}'), (9, '{"resourceSpans": [{"resource": {"attributes": [{"key": "k", "value": {"intValue": "x"}}]}, "scopeSpans": []}]}'),
	(10, '{"resourceSpans": [{"scopeSpans": [{"scope": {"name": 5}}]}]}'), (11, '{"resourceSpans": [{"instrumentationLibrarySpans": [{"spans": [{}]}]}]}'), (12, '{"resourceSpans": [{"schemaUrl": 5}]}')) v (n, p) ORDER BY n;
-- depth: 100 levels, as many as there may be, and one more
SELECT n, fault(span(format('"attributes": [{"key": "k", "value": %s}]', repeat('{"arrayValue": {"values": [', n) || '{"stringValue": "deep"}' || repeat(']}}', n)))),
	fault(span(format('"attributes": [{"key": "k", "value": %s}]', repeat('{"kvlistValue": {"values": [{"key": "n", "value": ', n) || '{}' || repeat('}]}}', n))))
FROM (VALUES (100), (499), (500)) v (n);
SELECT restored(format('[{"key": "k", "value": %s}]', repeat('{"kvlistValue": {"values": [{"key": "z", "value": {"intValue": "1"}}, {"key": "b"}, {"key": "a", "value": ', 100) || '{"stringValue": "deep"}'
	|| repeat('}]}}', 100))::jsonb);
-- 10 MB
SELECT restored(jsonb_build_array(jsonb_build_object('key', 'k', 'value', jsonb_build_object('stringValue', repeat('0123456789', 1000000)))));
SELECT length(attributes('[{"key": "k", "value": {"stringValue": "' || repeat('0123456789', 1000000) || '"}}]', true) ->> 'k');
-- stores and traces that are not there, nulls
SELECT * FROM ingest_otlp('nowhere', '{}');
SELECT * FROM ingest_otlp('public', '{}');
SELECT to_otlp('otlp_plain', '0000000000000000000000000000ffff');
SELECT ingest_otlp('otlp_plain', NULL) IS NULL AND to_otlp('otlp_plain', NULL) IS NULL AND otlp_canonical(NULL) IS NULL AS nothing, (SELECT count(*) FROM otlp_spans(NULL)) AS rows;

DROP SCHEMA otlp_test, otlp_plain, "Odd ""OTLP""", otlp_clean CASCADE;
