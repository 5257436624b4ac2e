-- Records and summaries of traces.

\set SHOW_CONTEXT never
CREATE SCHEMA trace_record_test;
SET search_path = trace_record_test, public;
SELECT create_trace_store('Kept Records') AS store;
CREATE FUNCTION trace(number bigint) RETURNS trace_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT lpad(number::text, 32, '0')::trace_id $$;
CREATE FUNCTION span(number bigint) RETURNS span_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT number::span_id $$;
-- spans of a trace, in milliseconds
CREATE FUNCTION add(trace bigint, span bigint, parent bigint, kind span_kind, start_ms numeric, end_ms numeric, status span_status DEFAULT 'ok',
	attributes jsonb DEFAULT '{}', resource jsonb DEFAULT '{}', message text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO "Kept Records".spans (trace_id, span_id, parent_span_id, kind, name, start_ns, end_ns, status, attributes, resource, status_message)
	VALUES (trace(trace), span(span), span(parent), kind, coalesce(kind::text, 'span'), start_ms * 1000000, end_ms * 1000000, status, attributes, resource, message) $$;

-- 1: an object is encoded in one region, sent, partly lost, and decoded in another
SELECT add(1, 1, NULL, 'encode', 0, 100.000001, 'ok', '{"symbol.object_id": "obj-1", "symbol.count": 10, "region": "eu"}');
SELECT add(1, 2, 1, 'generate_repair', 100, 110, 'ok', '{"symbol.object_id": "obj-1", "symbol.count": 2, "cloud.region": "eu"}');
SELECT add(1, 10 + i, 1, 'transmit', 100 + i * 10, 150 + i * 11, CASE WHEN i = 3 THEN 'dropped'::span_status ELSE 'ok' END, jsonb_build_object('symbol.id', i), '{"region": "atlantic"}') FROM generate_series(0, 3) i;
SELECT add(1, 20, 1, 'retransmit', 200, 400, 'ok', '{"symbol.id": 3}');
SELECT add(1, 30 + i, 10 + i, 'receive', 150 + i * 10, 151 + i * 10, 'ok', jsonb_build_object('symbol.id', i), '{"cloud.region": "us"}') FROM generate_series(0, 2) i;
SELECT object_id, regions, complete FROM trace_record('Kept Records', trace(1));
SELECT add(1, 40, 1, 'decode', 300, 320.5, 'error', '{"symbol.count": 3, "region": "us"}', message => 'too few symbols');
SELECT add(1, 41, 1, 'decode', 400, 420.7, 'ok', '{"symbol.count": 4, "region": "us"}');
SELECT add(1, 42, 1, 'acknowledge', 421, 422);
SELECT object_id, regions, complete FROM trace_record('Kept Records', trace(1));
\x
SELECT * FROM trace_summary('Kept Records', trace(1));

-- 2: a trace of calls, the root of which has failed; 3: it went well, though a span had not; 4: it has not ended; 5: the root is not here
SELECT add(2, 2, 1, 'client', 2, 3, 'error', '{"region": "b"}', message => 'second'), add(2, 1, NULL, 'server', 0, 5, 'error', '{"region": "a"}', message => 'first'), add(2, 3, 1, NULL, 1, 2, 'error', '{"region": "b"}');
SELECT add(3, 1, NULL, 'server', 0, 5, 'unset', '{"region": ""}'), add(3, 2, 1, 'client', 1, 2, 'error', '{"region": null, "cloud.region": "c"}', '{"region": "d"}');
SELECT add(4, 1, NULL, 'server', 0, NULL, 'in_progress');
SELECT add(5, 1, 9, 'server', 0, 1, message => 'all is well');
\x
SELECT trace_id, span_count, end_to_end_latency, encode_duration, transmit_duration_median, decode_duration, regions, success, error FROM "Kept Records".trace_summaries ORDER BY trace_id;
SELECT trace_id, object_id, regions, complete, first_seen <= last_updated AS seen FROM "Kept Records".trace_records ORDER BY trace_id;

-- 6: nothing has ended; 7: decoded in vain; 8: sent without encoding, or so it seems; 9: counts that are none; 10: the object has a name later; 11: clocks that go wrong
SELECT add(6, 1, NULL, 'encode', 0, NULL, 'in_progress', '{"symbol.count": 7}'), add(6, 2, 1, 'transmit', 1, NULL, 'in_progress'), add(6, 3, 1, 'decode', 1, NULL, 'in_progress');
SELECT add(7, 1, NULL, 'encode', 0, 1), add(7, 2, 1, 'decode', 1, 2, 'error'), add(7, 3, 1, 'decode', 3, 4, 'cancelled');
SELECT add(8, 1, NULL, 'transmit', 0, 1), add(8, 2, NULL, 'transmit', 0, 2), add(8, 3, NULL, 'receive', 5, 6, 'dropped', '{"symbol.count": 5}');
SELECT add(9, i, NULL, 'receive', i, i, 'ok', jsonb_build_object('symbol.count', n)) FROM (VALUES (1, '"12"'::jsonb), (2, '1.0'), (3, '-4'), (4, '1.5'), (5, 'null'), (6, '[3]'), (7, '"many"'), (8, '1e300'), (9, '0')) v (i, n);
SELECT add(10, 1, NULL, 'encode', 0, 1, 'ok', '{"symbol.object_id": null}'), add(10, 2, NULL, 'transmit', 5, 6, 'ok', '{"symbol.object_id": "late"}'), add(10, 3, NULL, 'transmit', 4, 5, 'ok', '{"symbol.object_id": 17}');
SELECT add(11, 1, NULL, 'encode', 10, 12), add(11, 2, 1, 'decode', 4, 5);
SELECT trace_id, object_id, symbols_encoded, symbols_transmitted, symbols_received, symbols_dropped, end_to_end_ns, encode_ns, transmit_median_ns, decode_ns, success, error FROM "Kept Records".trace_summaries WHERE span_count > 0 ORDER BY trace_id OFFSET 5;
SELECT trace_id, complete FROM "Kept Records".trace_records ORDER BY trace_id OFFSET 5;

-- durations
SELECT nanoseconds_between(1, 3), nanoseconds_between(3, 1), nanoseconds_between(-9223372036854775808, 1), nanoseconds_between(1, -9223372036854775808), nanoseconds_between(NULL, 1);
SELECT nanoseconds_interval(1999), nanoseconds_interval(-1999), nanoseconds_interval(3600000000000), nanoseconds_interval(9223372036854775807), nanoseconds_interval(NULL);

-- traces that are not there
SELECT * FROM trace_record('Kept Records', trace(99));
SELECT * FROM trace_summary('Kept Records', trace(99));
SELECT * FROM trace_record('No Store', trace(1));
SELECT * FROM trace_record('Kept Records', 'abc');
SELECT count(*) FROM trace_record('Kept Records', NULL);
SELECT count(*) FROM trace_summary(NULL, trace(1));

SET client_min_messages = warning;
DROP SCHEMA trace_record_test, "Kept Records" CASCADE;
