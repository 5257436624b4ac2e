-- Spans from SQL: clean_attributes, start_span, end_span, add_event, add_link.

\set SHOW_CONTEXT never
SET distributed.node = 'shop';
SET TimeZone = 'UTC';

-- clean_attributes: secrets, whatever the case, and inside of values
SELECT clean_attributes('{"Authorization": "Basic QQ==", "x_auth_token": 1, "AUTH-TOKEN": null, "cookies": ["a"], "set-cookie": {"a": 1}, "session.id": true,
	"db.password": "p", "passwd": "p", "aSecretKey": "s", "private_key": "k", "private-key": "k", "api_key": "k", "my-api-key-2": "k", "x-api-key": "k",
	"X-Amz-Security-Token": "t", "credentials": "c", "bearer": "b", "tokens": 5}');
SELECT clean_attributes('{"author": "x", "cook": "x", "pass": "x", "sess ion": "x", "apikey": "x", "private key": "x", "secre": "x", "toke": "x", "": "x", "credential": "x", "bear": "x"}');
SELECT clean_attributes('{"request": {"headers": [{"Cookie": "a=b"}, {"host": "h"}]}, "list": [["token"], {"token": "t"}]}');
-- values in the form of OTLP
SELECT clean_attributes('{"o": {"kvlistValue": {"values": [{"key": "password", "value": {"intValue": "5"}}, {"key": "host", "value": {"stringValue": "a\tb"}},
	{"key": "more", "value": {"arrayValue": {"values": [{"kvlistValue": {"values": [{"key": "token", "value": {"boolValue": true}}, {"key": "token"}]}}]}}}]}}}');
-- control bytes
SELECT clean_attributes(jsonb_build_object('a', E'\x01\t\n\r\x1f\x7f ~', 'b', jsonb_build_array(E'x\ny'), E'k\ney', 'v'));
-- length, in bytes; cut between characters
SELECT key, octet_length(value), length(value), right(value, 22) AS "end"
FROM jsonb_each_text(clean_attributes(jsonb_build_object('1024', repeat('x', 1024), '1025', repeat('x', 1025), 'wide', repeat('ü', 513), 'odd', 'x' || repeat('ü', 512),
	'wider', 'xyz' || repeat('𝄞', 400), 'bytes', jsonb_build_object('bytesValue', repeat('AAAA', 300)), 'few bytes', jsonb_build_object('bytesValue', 'AAAA'),
	'cut control', repeat(E'\n', 2000))));
SELECT clean_attributes(jsonb_build_object('a', jsonb_build_object('kvlistValue', jsonb_build_object('values', jsonb_build_array(
	jsonb_build_object('key', 'b', 'value', jsonb_build_object('bytesValue', repeat('AAAA', 300)))))))) #> '{a,kvlistValue,values,0,value}' ? 'stringValue' AS is_text;
-- the hash is FNV-1a of all bytes
WITH RECURSIVE value (v, bytes) AS (SELECT v, convert_to(v, 'UTF8') FROM (VALUES (E'a\nü' || repeat('xyz', 400))) t (v)),
hash (i, h) AS (
	SELECT 0, 14695981039346656037 FROM value
	UNION ALL
	SELECT i + 1, mod((h - mod(h, 256) + (mod(h, 256)::integer # get_byte(bytes, i))) * 1099511628211, 18446744073709551616) FROM hash, value WHERE i < length(bytes))
SELECT i AS bytes, right(clean_attributes(jsonb_build_object('a', v)) ->> 'a', 20) = '...#' || lpad(to_hex(div(h, 4294967296)::bigint), 8, '0') || lpad(to_hex(mod(h, 4294967296)::bigint), 8, '0') AS same
FROM hash, value WHERE i = length(bytes);
-- number: the first 64 of jsonb's order
SELECT c -> '_overflow_attributes' AS left_out, (SELECT count(*) FROM jsonb_object_keys(c)) AS keys, c ? 'key 064' AS last, c ? 'key 065' AS beyond
FROM (SELECT clean_attributes(jsonb_object_agg('key ' || to_char(i, 'FM000'), i)) FROM generate_series(1, 100) i) t (c);
SELECT clean_attributes(jsonb_object_agg(i::text, i)) ? '_overflow_attributes' AS overflow FROM generate_series(1, 64) i;
-- to clean what is clean changes nothing; more that is left out is counted
CREATE TEMPORARY TABLE cleaned AS
	SELECT clean_attributes(jsonb_build_object('t', repeat('ü', 2000), 'token', 1, 'c', E'\n', 'b', jsonb_build_object('bytesValue', repeat('AAAA', 300)),
		'o', jsonb_build_object('kvlistValue', jsonb_build_object('values', jsonb_build_array(jsonb_build_object('key', 'secret', 'value', jsonb_build_object('intValue', 1))))))
		|| jsonb_object_agg('k' || i, i)) AS c FROM generate_series(1, 100) i;
SELECT clean_attributes(c) = c AS same, c -> '_overflow_attributes' AS left_out, clean_attributes(c || '{"zzzzz": 1, "yyyyy": 2}') -> '_overflow_attributes' AS more FROM cleaned;
SELECT clean_attributes('{"_overflow_attributes": "x\ny"}'), clean_attributes('{"_overflow_attributes": 5}'),
	clean_attributes(jsonb_object_agg('k' || i, i) || '{"_overflow_attributes": 9223372036854775807}') -> '_overflow_attributes' AS greatest,
	clean_attributes(jsonb_object_agg('k' || i, i) || '{"_overflow_attributes": "x"}') -> '_overflow_attributes' AS no_number
FROM generate_series(1, 65) i;
SELECT clean_attributes('{}'), clean_attributes(NULL) IS NULL AS nothing;
SELECT clean_attributes('[]');
SELECT clean_attributes('"x"');
SELECT clean_attributes('null');
SELECT length(clean_attributes(jsonb_build_object('deep', (repeat('[{"a": ', 2000) || '"x\n"' || repeat('}]', 2000))::jsonb))::text) AS length;

-- a root: its context has what is random, the rest is as told
SELECT create_trace_store('recording');
SET distributed.test_clock = '@1544712660000000999';
SELECT start_span('recording', 'POST /orders', kind => 'server', attributes => '{"http.route": "/orders", "session": "s", "region": "eu"}',
	clock => '{"shop": 1}', at => '2018-12-13T14:51:00Z/1') AS root \gset
SELECT is_nil(trace_id(:'root'::trace_context)) AS nil, trace_flags(:'root'::trace_context), region(:'root'::trace_context), created_at_ns(:'root'::trace_context),
	parent_span_id(:'root'::trace_context), tracestate(:'root'::trace_context);
SELECT name, parent_span_id, kind, status, start_ns, end_ns, attributes, resource, flags, trace_state, clock, at, otlp_kind
FROM recording.spans WHERE (trace_id, span_id) = (trace_id(:'root'::trace_context), span_id(:'root'::trace_context));
SELECT span_count, root_ended, is_complete FROM recording.traces;
-- a child inherits
SELECT start_span('recording', 'reserve', :'root', attributes => '{"n": 1.50}', service => 'stock') AS child \gset
SELECT trace_id(:'child'::trace_context) = trace_id(:'root'::trace_context) AS same_trace, parent_span_id(:'child'::trace_context) = span_id(:'root'::trace_context) AS child,
	region(:'child'::trace_context), span_id(:'child'::trace_context) = span_id(:'root'::trace_context) AS same_span;
-- what happens in it
SET distributed.test_clock = '@1544712660000001999';
SELECT add_event('recording', :'child', 'retry', '{"attempt": 2, "token": "t"}');
SELECT add_event('recording', :'child', '', NULL, '2018-12-13 14:51:00.000002');
SELECT add_link('recording', :'child', '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "a=1"}', '{"why": "batch"}');
SELECT add_link('recording', :'child', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-00');
SELECT end_span('recording', :'child', 'error', 'sold out', '{"n": 2, "left": 0}') AS nanoseconds;
SELECT name, kind, status, status_message, start_ns, end_ns, attributes, service_name, events, links
FROM recording.spans WHERE span_id = span_id(:'child'::trace_context);
-- the clock of the end includes that of the start
SELECT end_span('recording', :'root', clock => '{"stock": 4}', at => '2018-12-13T14:51:01Z/0') AS nanoseconds;
SELECT status, clock, at, attributes, parent_span_id FROM recording.spans WHERE span_id = span_id(:'root'::trace_context);
SELECT span_count, root_ended, is_complete FROM recording.traces;

-- with what a header brought: no more than ids is needed
\set remote '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
SELECT start_span('recording', 'remote', jsonb_build_object('traceparent', :'remote', 'tracestate', 'v=1')::trace_context) AS ctx \gset
SELECT trace_id, parent_span_id, trace_state, flags FROM recording.spans WHERE name = 'remote';
SELECT end_span('recording', traceparent(:'ctx'::trace_context)::trace_context) AS nanoseconds;
SELECT status, end_ns FROM recording.spans WHERE name = 'remote';

-- kinds and statuses that OTLP lacks are attributes, too
SELECT start_span('recording', k::text, :'remote', k) IS NULL AS "null" FROM unnest(enum_range(NULL::span_kind)) k;
SELECT name, kind, otlp_kind, attributes FROM recording.spans WHERE trace_id = '0af7651916cd43dd8448eb211c80319c' AND name = kind::text ORDER BY kind;
SELECT end_span('recording', trace_context(trace_id, span_id), s) AS nanoseconds
FROM recording.spans JOIN (VALUES ('encode', 'ok'::span_status), ('transmit', 'dropped'), ('decode', 'cancelled'), ('internal', 'unset'), ('server', 'cancelled')) e (kind, s) ON name = e.kind;
SELECT name, status, attributes FROM recording.spans WHERE trace_id = '0af7651916cd43dd8448eb211c80319c' AND end_ns IS NOT NULL ORDER BY kind, name;
SELECT start_span('recording', 'no kind', :'remote', NULL, '{"span.status": "in_progress", "span.kind": "server"}') IS NULL AS "null";
SELECT kind, attributes FROM recording.spans WHERE name = 'no kind';
-- they cannot contradict
SELECT start_span('recording', 'wrong', kind => 'server', attributes => '{"span.kind": "decode"}');
SELECT start_span('recording', 'wrong', kind => NULL, attributes => '{"span.kind": "encode"}');
SELECT start_span('recording', 'wrong', attributes => '{"span.status": "dropped"}');
-- nor fall victim to the limit
SELECT end_span('recording', start_span('recording', 'many', :'remote', 'encode', (SELECT jsonb_object_agg('attribute ' || i, i) FROM generate_series(1, 70) i)), 'dropped',
	attributes => '{"attribute 99": 1, "b": 2}') AS nanoseconds;
SELECT attributes ->> 'span.kind' AS kind, attributes ->> 'span.status' AS status, attributes -> 'b' AS b, attributes -> '_overflow_attributes' AS left_out,
	(SELECT count(*) FROM jsonb_object_keys(attributes)) AS keys FROM recording.spans WHERE name = 'many';

-- the service: as told, else the node, else the application
SET distributed.node = '';
SET application_name = 'billing';
SELECT start_span('recording', 'by application', :'remote') IS NULL AS "null";
SET application_name = '';
SELECT start_span('recording', 'by nobody', :'remote') IS NULL AS "null";
SELECT start_span('recording', 'by word', :'remote', service => '') IS NULL AS "null";
SELECT name, service_name, resource FROM recording.spans WHERE name LIKE 'by %' ORDER BY name;

-- times that are told
INSERT INTO recording.spans (trace_id, span_id, start_ns, name, status, key_order) VALUES
	('000102030405060708090a0b0c0d0e0f', '0000000000000001', 1544712660000000999, 'ingested', 'unset', '\x01'),
	('000102030405060708090a0b0c0d0e0f', '0000000000000002', 1544712660000000999, 'same microsecond', 'unset', NULL),
	('000102030405060708090a0b0c0d0e0f', '0000000000000003', 1544712660000000999, 'clock set back', 'unset', NULL),
	('000102030405060708090a0b0c0d0e0f', '0000000000000004', 1544712660000000999, 'too early', 'unset', NULL);
SELECT start_span('recording', 'early', :'remote', start_time => '1969-12-31 23:59:59.5Z') AS early \gset
SELECT created_at(:'early'::trace_context), end_span('recording', :'early', end_time => '1969-12-31 23:59:59.75Z') AS nanoseconds;
SELECT start_ns, end_ns FROM recording.spans WHERE name = 'early';
SET distributed.test_clock = '@1544712660000000998';
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000001-00', end_time => '2018-12-13 14:51:01Z') AS nanoseconds;
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000002-00', end_time => '2018-12-13 14:51:00Z') AS nanoseconds;
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000003-00') AS nanoseconds;
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000004-00', end_time => '2018-12-13 14:50:59.999999Z');
SELECT name, status, end_ns, key_order FROM recording.spans WHERE trace_id = '000102030405060708090a0b0c0d0e0f' ORDER BY span_id;
SELECT start_span('recording', 'never', start_time => 'infinity');
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000004-00', end_time => '-infinity');
SELECT start_span('recording', 'never', start_time => '2262-04-11 23:47:17Z');
SELECT end_span('recording', start_span('recording', 'eternal', :'remote', start_time => '1677-09-21 00:12:43.145225Z'), end_time => '2262-04-11 23:47:16.854775Z') AS longest;
SELECT start_span('recording', 'first', :'remote', start_time => '1677-09-21 00:12:43.145225Z') IS NULL AS "null", start_span('recording', 'last', :'remote', start_time => '2262-04-11 23:47:16.854775Z') IS NULL AS "null";
SELECT start_ns FROM recording.spans WHERE name IN ('first', 'last') ORDER BY 1;

-- errors name the span
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000001-00');
SELECT add_event('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000001-00', 'late');
SELECT add_link('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000001-00', :'remote');
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-00000000000000ff-00');
SELECT add_event('recording', '00-000102030405060708090a0b0c0d0eff-0000000000000001-00', 'lost');
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000004-00', 'in_progress');
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000004-00', attributes => '[1]');
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000004-00', attributes => '{"span.status": "cancelled"}');
SELECT end_span('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000004-00', attributes => '{"span.kind": "encode"}');
SELECT start_span('recording', 'wrong', attributes => '5');
SELECT add_event('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000004-00', 'e', '"x"');
SELECT start_span('recording', NULL);
SELECT start_span(NULL, 'x');
SELECT end_span('recording', NULL);
SELECT end_span(NULL, :'remote');
SELECT end_span('recording', :'remote', NULL);
SELECT add_event('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000004-00', NULL);
SELECT add_link('recording', '00-000102030405060708090a0b0c0d0e0f-0000000000000004-00', NULL);
SELECT start_span('nowhere', 'x');
-- and nothing has changed
SELECT end_ns, attributes, events, links FROM recording.spans WHERE name = 'too early';

-- hygiene off; another store, whose name is odd; no search path
SELECT create_trace_store('Recording "Store"', hygiene => false);
BEGIN;
SET LOCAL search_path = '';
SELECT public.start_span('Recording "Store"', '', :'remote', attributes => '{"password": "p"}', service => E'a\nb') AS ctx \gset
SELECT public.add_event('Recording "Store"', :'ctx', E'e\n', '{"token": "t\n"}');
SELECT public.add_link('Recording "Store"', :'ctx', :'ctx', '{"token": "t"}');
SELECT public.end_span('Recording "Store"', :'ctx', attributes => '{"secret": "s"}');
ROLLBACK;
SELECT end_span('Recording "Store"', start_span('Recording "Store"', '', :'remote', attributes => '{"password": "p"}', service => E'a\nb'), 'cancelled', attributes => '{"secret": "s"}');
SELECT name, attributes, resource FROM "Recording ""Store""".spans;

-- a store with partitions
SELECT create_trace_store('recording_parts', '1 day');
SET distributed.test_clock = '@1544712660000000999';
SELECT create_trace_partitions('recording_parts', '2018-12-13Z', '2018-12-14Z');
SELECT end_span('recording_parts', start_span('recording_parts', 'inside', :'remote', start_time => '2018-12-13 14:51:00Z'), end_time => '2018-12-15Z'),
	end_span('recording_parts', start_span('recording_parts', 'outside', :'remote', start_time => '2018-12-15Z'), end_time => '2018-12-16Z');
SELECT tableoid::regclass, name, end_ns FROM recording_parts.spans ORDER BY name;
