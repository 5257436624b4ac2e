-- Vector clocks: merging, comparing, sorting, growth, the GiST index, size and memory.

CREATE TABLE documents AS SELECT id, clock::jsonb AS clock FROM clocks LIMIT 50000;
VACUUM (FREEZE, ANALYZE) documents;
\echo '==> merging and comparing'
CALL compare('merge(clock) : max(octet_length(raw))',
	'SELECT merge(clock) FROM clocks', 'SELECT max(octet_length(raw)) FROM raws', 2.0);
CALL compare('meet(clock) : max(octet_length(raw))',
	'SELECT meet(clock) FROM clocks', 'SELECT max(octet_length(raw)) FROM raws', 2.0);
CALL compare('clock << $1 : octet_length(raw) > 0',
	$$SELECT count(*) FROM clocks WHERE clock << '{"node-0": 500000, "node-1": 500000, "node-2": 500000, "node-3": 500000, "node-4": 500000, "node-5": 500000, "node-6": 500000, "node-7": 500000}'$$,
	'SELECT count(*) FROM raws WHERE octet_length(raw) > 0', 2.0);
CALL compare('clock || $1 : octet_length(raw) > 0',
	$$SELECT count(*) FROM clocks WHERE clock || '{"node-0": 500000, "node-1": 500000, "node-2": 500000, "node-3": 500000, "node-4": 500000, "node-5": 500000, "node-6": 500000, "node-7": 500000}'$$,
	'SELECT count(*) FROM raws WHERE octet_length(raw) > 0', 2.0);

-- what users write today
CREATE FUNCTION jsonb_clock_merge(a jsonb, b jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
	node text;
	counter bigint;
BEGIN
	FOR node, counter IN SELECT key, value::bigint FROM jsonb_each_text(b) LOOP
		IF coalesce((a ->> node)::bigint, 0) < counter THEN
			a := jsonb_set(a, ARRAY[node], to_jsonb(counter));
		END IF;
	END LOOP;
	RETURN a;
END
$$;
CREATE AGGREGATE jsonb_clock_merge(jsonb) (SFUNC = jsonb_clock_merge, STYPE = jsonb);
DO $$
BEGIN
	IF (SELECT merge(clock::vclock) FROM documents) <> (SELECT jsonb_clock_merge(clock)::vclock FROM documents) THEN
		RAISE EXCEPTION 'the two merges disagree';
	END IF;
END
$$;
CREATE TABLE clocks_50k AS SELECT clock FROM clocks LIMIT 50000;
VACUUM (FREEZE, ANALYZE) clocks_50k;
CALL compare('jsonb and PL/pgSQL : merge(clock), 50k rows',
	'SELECT merge(clock) FROM clocks_50k', 'SELECT jsonb_clock_merge(clock) FROM documents', 40, false);

\echo '==> sorting and grouping'
CREATE TABLE clocks_200k AS SELECT clock FROM clocks LIMIT 200000;
CREATE TABLE raws_200k AS SELECT raw FROM raws LIMIT 200000;
VACUUM (FREEZE, ANALYZE) clocks_200k;
VACUUM (FREEZE, ANALYZE) raws_200k;
CALL compare('ORDER BY clock : ORDER BY raw, 200k rows',
	'SELECT count(*) FROM (SELECT clock FROM clocks_200k ORDER BY clock OFFSET 0) s',
	'SELECT count(*) FROM (SELECT raw FROM raws_200k ORDER BY raw OFFSET 0) s', 2.0);
SET enable_sort = off;
CALL compare('hash aggregation of clock : of raw, 200k groups',
	'SELECT count(*) FROM (SELECT clock, count(*) FROM clocks_200k GROUP BY clock) s',
	'SELECT count(*) FROM (SELECT raw, count(*) FROM raws_200k GROUP BY raw) s', 1.5);
RESET enable_sort;

-- a clock that knows of fewer nodes: the general path
CALL compare('clock << $1 of 2 other nodes : octet_length(raw) > 0',
	$$SELECT count(*) FROM clocks WHERE clock << '{"node-2": 500000, "node-x": 500000}'$$,
	'SELECT count(*) FROM raws WHERE octet_length(raw) > 0', 3.0);

\echo '==> growth'
CREATE TABLE clocks_10k AS SELECT clock FROM clocks LIMIT 10000;
CREATE TABLE clocks_100k AS SELECT clock FROM clocks LIMIT 100000;
CREATE VIEW clocks_1m AS SELECT clock FROM clocks;
VACUUM (FREEZE, ANALYZE) clocks_10k;
VACUUM (FREEZE, ANALYZE) clocks_100k;
-- The smaller table is read ten times, so that both sides take equally long.
SELECT format('CALL compare(%L, %L, %L, 11, scale => 10)',
	format('%s, %s rows : %s rows', label, larger, smaller),
	format('SELECT %s FROM %s', query, large),
	format('SELECT count(v) FROM generate_series(1, 10) g, LATERAL (SELECT %s AS v FROM %s WHERE g > 0) s', query, small))
FROM (VALUES ('clocks_100k', 'clocks_10k', '100k', '10k'), ('clocks_1m', 'clocks_100k', '1M', '100k')) t (large, small, larger, smaller),
	(VALUES ('merge', 'merge(clock)'), ('<<', $$count(*) FILTER (WHERE clock << '{"node-0": 500000, "node-1": 500000, "node-2": 500000, "node-3": 500000, "node-4": 500000, "node-5": 500000, "node-6": 500000, "node-7": 500000}')$$)) q (label, query) \gexec

-- 20,000 rows each; a fourfold step may cost 11^log10(4) = 4.24 times as much
SELECT format('CREATE TABLE clocks_of_%1$s AS SELECT random_clock(%1$s) AS clock FROM generate_series(1, 20000)', k)
FROM unnest('{4,16,64,256}'::integer[]) k \gexec
SELECT format('VACUUM (FREEZE, ANALYZE) clocks_of_%s', k) FROM unnest('{4,16,64,256}'::integer[]) k \gexec
SELECT format('CALL compare(%L, %L, %L, 4.24)', format('merge of %s nodes : %s nodes', k * 4, k),
	format('SELECT merge(clock) FROM clocks_of_%s', k * 4), format('SELECT merge(clock) FROM clocks_of_%s', k))
FROM unnest('{4,16,64}'::integer[]) k \gexec
SELECT format('CALL compare(%L, %L, %L, 4.24)', format('<@ of %s nodes : %s nodes', k * 4, k),
	format('SELECT count(*) FROM clocks_of_%s WHERE clock <@ (SELECT merge(clock) FROM (SELECT clock FROM clocks_of_%1$s LIMIT 100) s)', k * 4),
	format('SELECT count(*) FROM clocks_of_%s WHERE clock <@ (SELECT merge(clock) FROM (SELECT clock FROM clocks_of_%1$s LIMIT 100) s)', k))
FROM unnest('{4,16,64}'::integer[]) k \gexec

-- every row brings nodes of its own
CREATE TABLE strangers AS SELECT i, vclock('node-' || i, i) AS clock FROM generate_series(1, 200000) i;
CREATE TABLE strangers_20k AS SELECT i, clock FROM strangers LIMIT 20000;
VACUUM (FREEZE, ANALYZE) strangers;
VACUUM (FREEZE, ANALYZE) strangers_20k;
CALL compare('merge into 200k nodes : into 20k nodes', 'SELECT merge(clock) FROM strangers', 'SELECT merge(clock) FROM strangers_20k', 12);

\echo '==> index'
-- 8 nodes that gossip: half of the events receive from another node
CREATE TABLE events (id integer, clock vclock);
DO $$
DECLARE
	clocks vclock[] := array_fill('{}'::vclock, ARRAY[8]);
	n integer;
BEGIN
	FOR i IN 1 .. 200000 LOOP
		n := 1 + floor(random() * 8);
		IF random() < 0.5 THEN
			clocks[n] := receive(clocks[n], clocks[1 + floor(random() * 8)::integer], 'node-' || n - 1);
		ELSE
			clocks[n] := tick(clocks[n], 'node-' || n - 1);
		END IF;
		INSERT INTO events VALUES (i, clocks[n]);
	END LOOP;
END
$$;
CREATE TABLE event_bytes AS SELECT id, random_bytes(id, pg_column_size(clock) - 1) AS raw FROM events;
VACUUM (FREEZE, ANALYZE) events;
VACUUM (FREEZE, ANALYZE) event_bytes;
CALL compare('GiST build on clock : btree build on raw, 200k rows',
	'CREATE INDEX gist_clock ON events USING gist (clock)', 'CREATE INDEX btree_raw ON event_bytes (raw)', 10,
	undo => 'DROP INDEX IF EXISTS gist_clock, btree_raw');
CREATE INDEX gist_clock ON events USING gist (clock);
VACUUM ANALYZE events;

-- answers first: every operator, 50 clocks
CREATE FUNCTION answers(with_index boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	question vclock;
	operator text;
	answer text;
	answers text := '';
BEGIN
	PERFORM set_config('enable_seqscan', (NOT with_index)::text, true),
		set_config('enable_bitmapscan', with_index::text, true), set_config('enable_indexscan', with_index::text, true);
	FOR question IN SELECT clock FROM events WHERE id % 4000 = 77 LOOP
		FOREACH operator IN ARRAY '{<<,>>,||,<@,@>,=}'::text[] LOOP
			EXECUTE format('SELECT count(*) || '':'' || coalesce(sum(id), 0) FROM events WHERE clock %s %L', operator, question) INTO answer;
			answers := answers || answer || ',';
		END LOOP;
	END LOOP;
	RETURN answers;
END
$$;
DO $$
BEGIN
	IF answers(true) <> answers(false) THEN
		RAISE EXCEPTION 'the index answers differently';
	END IF;
END
$$;
SELECT clock AS question FROM events WHERE id = 100000 \gset
CREATE FUNCTION concurrent_with(question vclock, with_index boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	found bigint;
BEGIN
	PERFORM set_config('enable_seqscan', (NOT with_index)::text, true),
		set_config('enable_bitmapscan', with_index::text, true), set_config('enable_indexscan', with_index::text, true);
	EXECUTE format('SELECT count(*) FROM events WHERE clock || %L', question) INTO found;
	RETURN found;
END
$$;
SELECT concurrent_with(:'question', true) * 100.0 / 200000 AS matching \gset
SELECT format('clock || $1 by GiST : by sequential scan (%s %% match)', round(:matching, 3)) AS what \gset
SELECT format('SELECT concurrent_with(%L, true)', :'question') AS ours, format('SELECT concurrent_with(%L, false)', :'question') AS yardstick \gset
CALL compare(:'what', :'ours', :'yardstick', 0.05);

\echo '==> size and memory'
INSERT INTO measured (what, ours, yardstick, unit, ratio, bound)
SELECT 'bytes of a clock of 8 nodes : 8 + 8 x (1 + 6 + 4)', max(size), 8 + 8 * (1 + 6 + 4), 'bytes', max(size) / (8.0 + 8 * (1 + 6 + 4)), 1.0
FROM (SELECT pg_column_size(random_clock(8)) FROM generate_series(1, 1000)) s (size);
INSERT INTO measured (what, ours, yardstick, unit, ratio, bound)
SELECT 'bytes of a clock of 256 nodes : 8 + sum(1 + length + 4)', max(size), max(allowed), 'bytes', max(size / allowed), 1.0
FROM (SELECT pg_column_size(clock)::numeric, 8 + (SELECT sum(1 + length(n) + 4) FROM unnest(nodes(clock)) n)
	FROM (SELECT random_clock(256) FROM generate_series(1, 100)) c (clock)) s (size, allowed);
INSERT INTO measured (what, ours, yardstick, unit, ratio, bound)
SELECT 'bytes with 64-bit counters : 8 + sum(1 + length + 8)', pg_column_size(clock), 8 + (SELECT sum(1 + length(n) + 8) FROM unnest(nodes(clock)) n), 'bytes',
	pg_column_size(clock)::numeric / (8 + (SELECT sum(1 + length(n) + 8) FROM unnest(nodes(clock)) n)), 1.0
FROM (VALUES ('{"node-0": 5000000000, "node-1": 6000000000, "node-2": 7000000000}'::vclock)) v (clock);

-- The memory contexts of this session while the aggregate's state is still
-- there: all of them, after few rows and after all rows.
CREATE FUNCTION memory_after(source regclass, OUT state bigint, OUT everything bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($q$
		SELECT (SELECT sum(used_bytes) FROM pg_backend_memory_contexts WHERE name = 'distributed merge state'),
			(SELECT sum(used_bytes) FROM pg_backend_memory_contexts)
		FROM (SELECT merge(clock) AS m FROM %s OFFSET 0) s WHERE m IS NOT NULL$q$, source) INTO state, everything;
END
$$;
SELECT current_setting('server_version_num')::integer >= 140000 AS has_contexts \gset
\if :has_contexts
SELECT memory_after('clocks_10k'), memory_after('clocks') \g /dev/null
INSERT INTO measured (what, ours, yardstick, unit, ratio, bound)
SELECT 'memory of the state after all rows : after 10k rows', many.state, few.state, 'bytes', many.state::numeric / few.state, 1.0
FROM memory_after('clocks') many, memory_after('clocks_10k') few;
INSERT INTO measured (what, ours, yardstick, unit, ratio, bound)
SELECT 'memory of the session after all rows : after 10k rows', many.everything, few.everything, 'bytes', many.everything::numeric / few.everything, 1.01
FROM memory_after('clocks') many, memory_after('clocks_10k') few;
\endif
