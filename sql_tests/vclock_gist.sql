-- GiST index on vector clocks: all six operators, equal answers to a scan.

\set SHOW_CONTEXT never
CREATE TABLE gist_events (id integer, clock vclock);

-- 8 nodes gossip; seed 42
DO $$
DECLARE
	clocks vclock[] := array_fill('{}'::vclock, ARRAY[8]);
	n integer;
BEGIN
	PERFORM setseed(0.42);
	FOR i IN 1..5000 LOOP
		n := 1 + floor(random() * 8);
		IF random() < 0.4 THEN
			clocks[n] := receive(clocks[n], clocks[1 + floor(random() * 8)::integer], 'node-' || n);
		ELSE
			clocks[n] := tick(clocks[n], 'node-' || n);
		END IF;
		INSERT INTO gist_events VALUES (i, clocks[n]);
	END LOOP;
END
$$;
-- and some that fit nowhere
INSERT INTO gist_events VALUES (5001, '{}'), (5002, NULL), (5003, '{"stranger": 7}'),
	(5004, '{"node-1": 9223372036854775807}'), (5005, '{"node-1": 4294967296, "stranger": 1}');

-- every operator, asked for many clocks: the index finds what a scan finds,
-- whether it is scanned for rows or for a bitmap
CREATE FUNCTION pg_temp.answer(operator text, question vclock, method text, OUT ids text)
LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT count(*) || md5(string_agg(id::text, '','' ORDER BY id)) FROM gist_events WHERE clock %s %L', operator, question);
	line text;
	plan text := '';
BEGIN
	PERFORM set_config('enable_seqscan', (method = 'Seq Scan')::text, true),
		set_config('enable_indexscan', (method = 'Index Scan')::text, true),
		set_config('enable_bitmapscan', (method = 'Bitmap Index Scan')::text, true);
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || line;
	END LOOP;
	IF strpos(plan, '->  ' || method) = 0 THEN
		RAISE EXCEPTION 'no % in this plan: %', method, plan;
	END IF;
	EXECUTE query INTO ids;
END
$$;
CREATE FUNCTION pg_temp.compare(OUT operator text, OUT questions bigint, OUT differing bigint, OUT hits bigint)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	by_scan text;
	question vclock;
BEGIN
	FOREACH operator IN ARRAY '{<<,>>,||,<@,@>,=}'::text[] LOOP
		questions := 0; differing := 0; hits := 0;
		FOR question IN
			SELECT clock FROM gist_events WHERE id % 151 = 0 OR id BETWEEN 5001 AND 5010
			UNION ALL VALUES ('{"node-1": 100}'::vclock), ('{"node-1": 100, "none": 5}'), ('{"none": 1}'),
				('{"node-1": 500, "node-2": 500, "node-3": 500, "node-4": 500, "node-5": 500, "node-6": 500, "node-7": 500, "node-8": 500}')
		LOOP
			CONTINUE WHEN question IS NULL;
			by_scan := pg_temp.answer(operator, question, 'Seq Scan');
			questions := questions + 1;
			IF by_scan IS DISTINCT FROM pg_temp.answer(operator, question, 'Index Scan') OR
				by_scan IS DISTINCT FROM pg_temp.answer(operator, question, 'Bitmap Index Scan') THEN
				differing := differing + 1;
			END IF;
			IF by_scan IS NOT NULL THEN
				hits := hits + 1;
			END IF;
		END LOOP;
		RETURN NEXT;
	END LOOP;
END
$$;

-- built at once (by sorting, where the server can)
CREATE INDEX gist_clock ON gist_events USING gist (clock);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM gist_events WHERE clock || '{"node-1": 9}';
EXPLAIN (COSTS OFF) SELECT id FROM gist_events WHERE '{"node-1": 9}' << clock;
RESET enable_seqscan;
SELECT operator, questions, differing, hits > 0 AS found FROM pg_temp.compare();
DROP INDEX gist_clock;

-- built row by row, pages splitting on the way
CREATE INDEX gist_clock ON gist_events USING gist (clock);
TRUNCATE gist_events;
DO $$
DECLARE
	clocks vclock[] := array_fill('{}'::vclock, ARRAY[8]);
	n integer;
BEGIN
	PERFORM setseed(0.43);
	FOR i IN 1..5000 LOOP
		n := 1 + floor(random() * 8);
		-- two halves that never hear of each other
		IF random() < 0.4 THEN
			clocks[n] := receive(clocks[n], clocks[1 + (n - 1) / 4 * 4 + floor(random() * 4)::integer], 'node-' || n);
		ELSE
			clocks[n] := tick(clocks[n], 'node-' || n);
		END IF;
		INSERT INTO gist_events VALUES (i, clocks[n]);
	END LOOP;
END
$$;
SELECT operator, questions, differing, hits > 0 AS found FROM pg_temp.compare();
-- updates and deletes
UPDATE gist_events SET clock = tick(clock, 'node-1') WHERE id % 10 = 0;
DELETE FROM gist_events WHERE id % 7 = 0;
VACUUM gist_events;
SELECT operator, questions, differing, hits > 0 AS found FROM pg_temp.compare();
DROP INDEX gist_clock;

-- clocks too large for a key: the index keeps what fits and checks the rest
TRUNCATE gist_events;
INSERT INTO gist_events
SELECT n, (SELECT merge(vclock('node-' || i, 1 + (n * 31 + i * n) % 50 + n)) FROM generate_series(1, 40 + n % 400) i)
FROM generate_series(1, 1000) n;
INSERT INTO gist_events VALUES (5001, (SELECT merge(vclock('node-' || i, i)) FROM generate_series(1, 20000) i)),
	(5002, '{}'), (5003, '{"node-1": 4294967296}');
CREATE INDEX gist_clock ON gist_events USING gist (clock);
SELECT operator, questions, differing, hits > 0 AS found FROM pg_temp.compare();
INSERT INTO gist_events SELECT id + 10000, tick(clock, 'late') FROM gist_events WHERE id <= 500;
SELECT operator, questions, differing, hits > 0 AS found FROM pg_temp.compare();
DROP INDEX gist_clock;

-- together with another column
CREATE INDEX gist_both ON gist_events USING gist (int4range(id, id, '[]'), clock);
SELECT operator, questions, differing, hits > 0 AS found FROM pg_temp.compare();
SET enable_seqscan = off;
SELECT count(*) FROM gist_events
WHERE int4range(id, id, '[]') && '[1,50)' AND clock @> '{"node-1": 2}';
RESET enable_seqscan;
DROP INDEX gist_both;

-- a causal history can be a constraint: no two concurrent versions of one document
CREATE TABLE versions (clock vclock, EXCLUDE USING gist (clock WITH ||));
INSERT INTO versions VALUES ('{"a": 1}'), ('{"a": 1, "b": 1}'), ('{"a": 2, "b": 1}');
INSERT INTO versions VALUES ('{"a": 1, "b": 2}');
DROP TABLE versions, gist_events;

-- keys can be looked at, not entered
SELECT '{}'::vclock_box;
