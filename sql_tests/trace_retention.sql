-- Forgetting traces: which go, and that nothing of them stays.

\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.fault(command text, OUT state text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
SELECT create_trace_store('traces');

-- eight traces of two spans each, which end an hour after another; those of even number have no end of their root
SET distributed.test_clock = '@1795352400000000000';   -- 2026-11-22 13:00
CREATE PROCEDURE pg_temp.fill() LANGUAGE sql AS $$
	INSERT INTO traces.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name)
	SELECT decode(lpad(i::text, 32, '0'), 'hex')::trace_id, s::bigint::span_id, CASE s WHEN 2 THEN 1::bigint::span_id END,
		1795352400000000000 - (10 - i) * 3600000000000, CASE WHEN s = 2 OR i % 2 = 1 THEN 1795352400000000000 - (9 - i) * 3600000000000 END, 'span ' || s
	FROM generate_series(1, 8) i, generate_series(1, 2) s ON CONFLICT DO NOTHING
$$;
CREATE FUNCTION pg_temp.left_over() RETURNS TABLE (trace text, is_complete boolean, ended text, spans bigint) LANGUAGE sql AS $$
	SELECT right(t.trace_id::text, 2), t.is_complete, to_timestamp(t.end_ns / 1e9) AT TIME ZONE 'UTC'::text, count(s)
	FROM traces.traces t FULL JOIN traces.spans s USING (trace_id) GROUP BY t.trace_id, t.is_complete, t.end_ns ORDER BY t.trace_id
$$;
CALL pg_temp.fill();
SELECT * FROM pg_temp.left_over();

-- without a limit, or one that is kept, all stay
SELECT evict_traces('traces'), evict_traces('traces', 8), evict_traces('traces', NULL, '9 hours'), evict_traces('traces', 100, '1 year');
-- too many: complete ones first, the oldest first
SELECT evict_traces('traces', 6);
SELECT * FROM pg_temp.left_over();
-- ... then incomplete ones
SELECT evict_traces('traces', max_traces => 3);
SELECT * FROM pg_temp.left_over();
SELECT evict_traces('traces', 0);
SELECT count(*) FROM traces.spans;
CALL pg_temp.fill();
-- too old: whether complete or not; those an hour, two and three hours old may stay
SELECT evict_traces('traces', max_age => '3 hours');
SELECT * FROM pg_temp.left_over();
-- both: the old ones count among those that are too many
SELECT evict_traces('traces', 1, '2 hours');
SELECT * FROM pg_temp.left_over();
-- a trace that comes back is new
CALL pg_temp.fill();
SELECT * FROM pg_temp.left_over();
-- what a trace's last span says counts, not its first
UPDATE traces.spans SET end_ns = 1795352400000000000 WHERE trace_id = '00000000000000000000000000000001' AND span_id = '0000000000000002';
SELECT evict_traces('traces', max_age => '2 hours');
SELECT * FROM pg_temp.left_over();
-- nothing remains of a rollback
BEGIN;
SELECT evict_traces('traces', 0);
ROLLBACK;
SELECT count(*) FROM traces.spans;

SELECT f.* FROM (VALUES ('SELECT evict_traces(''traces'', -1)'), ('SELECT evict_traces(''traces'', 1, ''-1 second'')'), ('SELECT evict_traces(NULL, 1)'), ('SELECT evict_traces(''none'', 1)'),
	('SELECT drop_trace_partitions(''traces'', ''infinity'')')) v (command), pg_temp.fault(command) f;

-- partitions go when they are empty
SELECT create_trace_store('daily', '1 day');
SELECT create_trace_partitions('daily', '2026-11-20+00', '2026-11-24+00');
INSERT INTO daily.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name)
SELECT decode(lpad(day::text, 32, '0'), 'hex')::trace_id, '0000000000000001', NULL, ns, ns + 5, 'x'
FROM generate_series(20, 23) day, CAST(extract(epoch FROM '2026-11-01 12:00+00'::timestamptz + (day - 1) * interval '1 day') * 1000000000 AS bigint) ns;
SELECT tableoid::regclass, count(*) FROM daily.spans GROUP BY 1 ORDER BY min(start_ns);
SELECT drop_trace_partitions('daily', '2026-11-24+00');
SELECT evict_traces('daily', max_age => '1 day');
SELECT drop_trace_partitions('daily', '2026-11-21 23:59+00'), drop_trace_partitions('daily', '2026-11-24+00'), drop_trace_partitions('traces', '2026-11-24+00');
SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'daily.spans'::regclass ORDER BY inhrelid::regclass::text;
SELECT tableoid::regclass, trace_id FROM daily.spans ORDER BY start_ns;

DROP SCHEMA traces, daily CASCADE;
