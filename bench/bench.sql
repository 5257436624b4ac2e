-- What script/bench runs: speed and size, always against a yardstick in the same run.
--
-- Each row of the result is the median of :runs interleaved runs of two
-- queries, their ratio, and the bound that the ratio must keep.

\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '256MB';
SET maintenance_work_mem = '256MB';
SELECT setseed(0.20261122) \g /dev/null

CREATE EXTENSION dblink;

CREATE TABLE measured (
	ordinal serial, what text, ours numeric, yardstick numeric, unit text DEFAULT 'ms',
	ratio numeric, bound numeric, at_most boolean DEFAULT true
);

-- Time one statement, in milliseconds.
CREATE FUNCTION timed(statement text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz := clock_timestamp();
BEGIN
	EXECUTE statement;
	RETURN extract(epoch FROM clock_timestamp() - began) * 1000;
END
$$;

-- The same in a session of its own.  A session keeps some of the memory that it
-- has once got from the system, which in a virtual machine costs more than to
-- use it: only a small statement would find again all that it needs.
CREATE FUNCTION timed_apart(statement text, warm_up text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz;
	ended timestamptz;
BEGIN
	PERFORM dblink_connect('apart', format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'),
		current_setting('port'), current_database(), current_user));
	PERFORM dblink_exec('apart', 'SET max_parallel_workers_per_gather = 0; SET jit = off');
	PERFORM FROM dblink('apart', format('SELECT count(x) FROM (%s) s (x)', warm_up)) AS s (n bigint);
	began := clock_timestamp();
	PERFORM FROM dblink('apart', format('SELECT count(x) FROM (%s) s (x)', statement)) AS s (n bigint);
	ended := clock_timestamp();
	PERFORM dblink_disconnect('apart');
	RETURN extract(epoch FROM ended - began) * 1000;
END
$$;

-- Run two statements in turn, once to warm up and then runs times.  A third,
-- where given, restores the state after each; a fourth warms up sessions of
-- their own.
CREATE PROCEDURE compare(what text, ours text, yardstick text, bound numeric,
	at_most boolean DEFAULT true, scale numeric DEFAULT 1, undo text DEFAULT 'SELECT', warm_up text DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	a double precision[];
	b double precision[];
	x numeric;
	y numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		a[run] := CASE WHEN warm_up IS NULL THEN timed(ours) ELSE timed_apart(ours, warm_up) END;
		EXECUTE undo;
		b[run] := CASE WHEN warm_up IS NULL THEN timed(yardstick) ELSE timed_apart(yardstick, warm_up) END;
		EXECUTE undo;
	END LOOP;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(a[1:]) u;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO y FROM unnest(b[1:]) u;
	INSERT INTO measured (what, ours, yardstick, ratio, bound, at_most)
	VALUES (what, x, y, CASE WHEN at_most THEN x / y * scale ELSE y / x * scale END, bound, at_most);
	COMMIT;
END
$$;

SELECT set_config('bench.runs', :'runs', false) \g /dev/null

-- Bytes nobody can compress, as many as asked for.
CREATE FUNCTION random_bytes(seed bigint, size integer) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT substr(string_agg(sha512(int8send(seed * 1000 + i)), ''), 1, size) FROM generate_series(0, size / 64) i
$$;

-- Clocks of k nodes, node-0 and so on, with counters up to a million.
CREATE FUNCTION random_clock(k integer) RETURNS vclock LANGUAGE sql VOLATILE AS $$
	SELECT ('{' || string_agg(format('"node-%s": %s', n, 1 + floor(random() * 1000000)::integer), ', ') || '}')::vclock
	FROM generate_series(0, k - 1) n
$$;

SELECT :'only' IN ('', 'clocks') AS clocks, :'only' IN ('', 'crdt') AS crdt, :'only' IN ('', 'logs') AS logs,
	:'only' IN ('', 'live') AS live, :'only' IN ('', 'lattice') AS lattice,
	:'only' IN ('', 'traces') AS traces, :'only' IN ('', 'replication') AS replication,
	:'only' <> 'replication' AS fill \gset
\if :fill
\echo '==> filling tables'
CREATE TABLE clocks AS SELECT i AS id, random_clock(8) AS clock FROM generate_series(1, 1000000) i;
-- the same size to the byte: 1 byte of header each
CREATE TABLE raws AS SELECT id, random_bytes(id, pg_column_size(clock) - 1) AS raw FROM clocks;
VACUUM (FREEZE, ANALYZE) clocks;
VACUUM (FREEZE, ANALYZE) raws;
DO $$
BEGIN
	IF (SELECT avg(pg_column_size(clock)) FROM clocks) <> (SELECT avg(pg_column_size(raw)) FROM raws) THEN
		RAISE EXCEPTION 'the yardstick has rows of another size';
	END IF;
END
$$;
\endif

\if :clocks
\ir clocks.sql
\endif
\if :crdt
\ir crdt.sql
\endif
\if :logs
\ir logs.sql
\endif
\if :live
\ir live.sql
\endif
\if :lattice
\ir lattice.sql
\endif
\if :traces
\ir traces.sql
\endif
\if :replication
\ir replication.sql
\endif

\pset format unaligned
\pset tuples_only on
\o :result
SELECT '| measured | ours | yardstick | ratio | bound | |';
SELECT '|---|--:|--:|--:|--:|---|';
SELECT format('| `%s` | %s %s | %s %s | %s | %s %s | %s |', replace(what, '|', '\|'),
	round(ours, CASE unit WHEN 'ms' THEN 2 ELSE 0 END), unit, round(yardstick, CASE unit WHEN 'ms' THEN 2 ELSE 0 END), unit,
	round(ratio, 3), CASE WHEN at_most THEN '<=' ELSE '>=' END, bound,
	CASE WHEN at_most AND ratio <= bound OR NOT at_most AND ratio >= bound THEN 'met' ELSE 'MISSED' END)
FROM measured ORDER BY ordinal;
\o
