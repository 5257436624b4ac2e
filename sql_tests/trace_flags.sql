-- Flags of a trace: text, meaning, casts, order.

\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.fault(command text, OUT state text, OUT message text, OUT detail text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END
$$;

SELECT flags, is_sampled(flags), is_debug(flags), flags::integer, flags::integer::trace_flags = flags AS back, trace_flags_send(flags), pg_column_size(flags)
FROM unnest('{00,01,02,03,80,fe,FF}'::trace_flags[]) flags;
-- every byte there is
SELECT count(*), count(DISTINCT flags), bool_and(flags::text = lpad(to_hex(i), 2, '0') AND flags::text::trace_flags = flags AND flags::integer = i
	AND is_sampled(flags) = (i & 1 > 0) AND is_debug(flags) = (i & 2 > 0)) AS right
FROM generate_series(0, 255) i, LATERAL (SELECT i::trace_flags) f (flags);
SELECT input, f.state, f.detail FROM (VALUES (''), ('1'), ('001'), ('0g'), ('é'), ('-1')) v (input), pg_temp.fault(format('SELECT %L::trace_flags', input)) f;
SELECT '1'::trace_flags;
SELECT command, f.state, f.message, f.detail FROM (VALUES ('SELECT 256::trace_flags'), ('SELECT (-1)::trace_flags')) v (command), pg_temp.fault(command) f;
SELECT string_agg(flags::text, ' ' ORDER BY flags DESC) AS sorted, count(DISTINCT flags) FROM unnest('{80,7f,00,ff,01,7f}'::trace_flags[]) flags;
SELECT a < b AS "<", a <= b AS "<=", a = b AS "=", a <> b AS "<>", a >= b AS ">=", a > b AS ">", trace_flags_cmp(a, b) < 0 AS cmp,
	trace_flags_hash(a) = trace_flags_hash(b) AS hash, trace_flags_hash_extended(a, 7) = trace_flags_hash_extended(b, 7) AS extended
FROM (VALUES ('7f'::trace_flags, '80'::trace_flags), ('01', '01'), ('ff', '00')) v (a, b);
CREATE TEMP TABLE traces AS SELECT (i % 256)::trace_flags AS flags FROM generate_series(1, 5000) i;
ANALYZE traces;
CREATE INDEX traces_btree ON traces (flags);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*) FROM traces WHERE flags >= 'fe';
EXPLAIN (COSTS OFF) SELECT flags FROM traces WHERE flags > 'fe' ORDER BY flags;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM traces a JOIN (SELECT DISTINCT flags FROM traces) b USING (flags);
DROP TABLE traces;
