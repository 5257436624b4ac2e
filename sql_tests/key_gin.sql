-- GIN indexes on the elements of sets and the keys of maps: equal answers to a
-- scan, whatever the elements are.

\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.fault(command text, OUT state text, OUT message text, OUT detail text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL;
END
$$;

SELECT opcname, amvalidate(o.oid) FROM pg_opclass o JOIN pg_am a ON a.oid = opcmethod
WHERE amname = 'gin' AND opcintype IN ('orset'::regtype, 'or_map'::regtype, 'lww_map'::regtype) ORDER BY 1;

-- Elements.  What is longer than 236 bytes is indexed by 220 of them, to a
-- character, and a hash; some differ only at the end, and some look like that
-- short form of another.
CREATE TABLE gin_elements (n serial, e text COLLATE "C");
INSERT INTO gin_elements (e) SELECT 'e' || i FROM generate_series(1, 20) i;
INSERT INTO gin_elements (e) VALUES (''), (' '), ('E1'), ('ä'), ('ä' || chr(776));
INSERT INTO gin_elements (e) SELECT repeat('k', i) FROM unnest('{219,220,232,233,234,236,237,238}'::integer[]) i;
INSERT INTO gin_elements (e) SELECT beginning || last FROM (VALUES (repeat('x', 299)), (repeat('x', 2999)),
	(repeat('ä', 150)), ('x' || repeat('ä', 150)), (repeat('日', 100)), ('x' || repeat('日', 1000)),
	(repeat(chr(128512), 60)), ('x' || repeat(chr(128512), 60)), ('xx' || repeat(chr(128512), 60)), ('xxx' || repeat(chr(128512), 750))) v (beginning),
	(VALUES ('a'), ('b')) w (last);
-- the short form: as many characters as fit in 220 bytes, and the hash of all
CREATE FUNCTION pg_temp.short_form(e text) RETURNS text LANGUAGE sql AS $$
	SELECT left(e, (SELECT count(*)::integer FROM generate_series(1, 220) i WHERE octet_length(left(e, i)) <= 220))
		|| lpad(to_hex(hashtextextended(e COLLATE "C", 0)), 16, '0')
$$;
INSERT INTO gin_elements (e) SELECT pg_temp.short_form(e) FROM gin_elements WHERE octet_length(e) > 236 AND e ~ 'a$' ORDER BY n;
SELECT count(*), count(DISTINCT e), count(*) FILTER (WHERE octet_length(e) > 236) AS long, max(octet_length(e)) AS longest,
	min(octet_length(pg_temp.short_form(e))) FILTER (WHERE octet_length(e) > 236) AS shortest_form, max(octet_length(pg_temp.short_form(e))) FILTER (WHERE octet_length(e) > 236) AS longest_form
FROM gin_elements;

-- What each row has, and what it had before it was removed.
CREATE TABLE gin_members (id integer, e text COLLATE "C", removed boolean);
CREATE INDEX ON gin_members (id);
CREATE TABLE gin_rows (id integer, s orset, m or_map, l lww_map) WITH (autovacuum_enabled = off);
CREATE PROCEDURE pg_temp.make_rows(first integer, last integer) LANGUAGE plpgsql AS $$
DECLARE
	made gin_rows;
	member gin_members;
BEGIN
	INSERT INTO gin_members
	SELECT i, e, (i + n) % 7 = 0 FROM generate_series(first, last) i, gin_elements
	WHERE (i * 7919 + n * 104729 + i * n * 31) % 211 < CASE WHEN octet_length(e) > 1000 THEN 3 ELSE 10 END AND i % 40 > 1;
	FOR i IN first..last LOOP
		made := ROW(i, '{}', '{}', '{}');
		IF i % 40 = 0 THEN
			made := ROW(i, NULL, NULL, NULL);
		END IF;
		FOR member IN SELECT * FROM gin_members WHERE id = i LOOP
			made.s := add(made.s, member.e, 'a');
			made.m := put(made.m, member.e, 'v', 'a');
			made.l := put(made.l, member.e, 'v', '1.0', 'a');
			IF member.removed THEN
				made.s := remove(made.s, member.e);
				made.m := remove(made.m, member.e);
				made.l := remove(made.l, member.e, '2.0', 'a');
			END IF;
		END LOOP;
		INSERT INTO gin_rows SELECT made.*;
	END LOOP;
END
$$;

-- Questions: one element, and a list that begins with it.
CREATE TABLE gin_questions (n serial, one text COLLATE "C", list text[]);
INSERT INTO gin_questions (one, list)
SELECT e, CASE n % 4 WHEN 0 THEN ARRAY[e] WHEN 1 THEN ARRAY[e, 'e' || n % 20] WHEN 2 THEN ARRAY[e, e, 'absent', ''] ELSE ARRAY[ARRAY[e, 'ä'], ARRAY['e1', left(e, 298) || 'a']] END
FROM (SELECT * FROM gin_elements UNION ALL VALUES (100, 'absent'), (101, 'e'), (102, repeat('x', 299) || 'c'), (103, 'x' || repeat('ä', 150) || 'c'),
	(104, repeat('k', 235)), (105, repeat('k', 221)), (106, pg_temp.short_form(repeat('x', 299) || 'b'))) v ORDER BY n;
INSERT INTO gin_questions (one, list) VALUES ('e5', '{}'), (NULL, NULL), ('e6', '{e6,e7,e8}'), ('e7', (SELECT array_agg(e ORDER BY n) FROM gin_elements));

-- The answers of the operators, and what they must be.
CREATE VIEW gin_answers AS
SELECT 'orset ?' AS operator, n, id FROM gin_questions JOIN gin_rows ON s ? one
UNION ALL SELECT 'orset @>', n, id FROM gin_questions JOIN gin_rows ON s @> list
UNION ALL SELECT 'orset &&', n, id FROM gin_questions JOIN gin_rows ON s && list
UNION ALL SELECT 'or_map ?', n, id FROM gin_questions JOIN gin_rows ON m ? one
UNION ALL SELECT 'lww_map ?', n, id FROM gin_questions JOIN gin_rows ON l ? one;
CREATE VIEW gin_truth AS
WITH has AS (SELECT DISTINCT n, id FROM gin_questions JOIN gin_members ON e = one WHERE NOT removed),
	asked AS (SELECT DISTINCT n, e FROM gin_questions, unnest(list) e),
	found AS (SELECT n, id, count(*) FROM asked JOIN gin_members USING (e) WHERE NOT removed GROUP BY n, id)
SELECT operator, n, id FROM has, (VALUES ('orset ?'), ('or_map ?'), ('lww_map ?')) v (operator)
UNION ALL SELECT 'orset &&', n, id FROM found
UNION ALL SELECT 'orset @>', n, id FROM found JOIN (SELECT n, count(*) FROM asked GROUP BY n) a USING (n, count)
UNION ALL SELECT 'orset @>', n, id FROM gin_questions, gin_rows WHERE list = '{}' AND s IS NOT NULL;

-- How many answers differ from the truth, by indexes and, where it is asked for, by a scan?
SET jit = off;
SET max_parallel_workers_per_gather = 0;
CREATE FUNCTION pg_temp.answers(by_index boolean) RETURNS TABLE (operator text, n integer, id integer) LANGUAGE plpgsql AS $$
DECLARE
	plan text;
BEGIN
	PERFORM set_config('enable_seqscan', (NOT by_index)::text, true), set_config('enable_bitmapscan', by_index::text, true);
	EXECUTE 'EXPLAIN (FORMAT JSON) TABLE gin_answers' INTO plan;
	IF (SELECT count(*) FROM regexp_matches(plan, 'Bitmap Index Scan', 'g')) <> by_index::integer * 5 THEN
		RAISE EXCEPTION 'not the plan to be tested: %', plan;
	END IF;
	RETURN QUERY EXECUTE 'TABLE gin_answers';
	PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true);
END
$$;
CREATE FUNCTION pg_temp.compare(with_scan boolean) RETURNS TABLE (operator text, answers bigint, by_index bigint, by_scan bigint) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE found AS SELECT 'truth' AS source, t.* FROM gin_truth t UNION ALL SELECT 'index', a.* FROM pg_temp.answers(true) a;
	IF with_scan THEN
		INSERT INTO found SELECT 'scan', a.* FROM pg_temp.answers(false) a;
	END IF;
	RETURN QUERY SELECT f.operator, count(*) FILTER (WHERE truth), count(*) FILTER (WHERE index <> truth), CASE WHEN with_scan THEN count(*) FILTER (WHERE scan <> truth) END
		FROM (SELECT f.operator, count(*) FILTER (WHERE source = 'truth') = 1 AS truth, count(*) FILTER (WHERE source = 'index') = 1 AS index, count(*) FILTER (WHERE source = 'scan') = 1 AS scan
			FROM found f GROUP BY f.operator, n, id) f
		GROUP BY f.operator ORDER BY f.operator COLLATE "C";
	DROP TABLE found;
END
$$;

-- an index that is there before the rows, of all columns, each row entered at once
CREATE INDEX gin_all ON gin_rows USING gin (s, m, l) WITH (fastupdate = off);
CALL pg_temp.make_rows(1, 1500);
SELECT count(*), count(s), count(*) FILTER (WHERE s = '{}') AS empty, count(*) FILTER (WHERE cardinality(s) = 0 AND s <> '{}') AS emptied, max(cardinality(s)), sum(cardinality(s)) FROM gin_rows;
SELECT * FROM pg_temp.compare(false);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM gin_rows WHERE s ? 'e1' AND m ? 'e15' AND l ? 'e8';
SELECT id FROM gin_rows WHERE s ? 'e1' AND m ? 'e15' AND l ? 'e8' ORDER BY id;
SELECT id FROM gin_members WHERE e IN ('e1', 'e15', 'e8') AND NOT removed GROUP BY id HAVING count(*) = 3 ORDER BY id;
DROP INDEX gin_all;

-- indexes that are built over rows, one for each type
CREATE INDEX gin_s ON gin_rows USING gin (s);
CREATE INDEX gin_m ON gin_rows USING gin (m);
CREATE INDEX gin_l ON gin_rows USING gin (l);
EXPLAIN (COSTS OFF) SELECT id FROM gin_rows WHERE s ? 'e1';
EXPLAIN (COSTS OFF) SELECT id FROM gin_rows WHERE s @> '{e1,e2}'::text[];
EXPLAIN (COSTS OFF) SELECT id FROM gin_rows WHERE s && '{e1,e2}'::text[];
EXPLAIN (COSTS OFF) SELECT id FROM gin_rows WHERE m ? 'e1';
EXPLAIN (COSTS OFF) SELECT id FROM gin_rows WHERE l ? 'e1';
SELECT * FROM pg_temp.compare(false);

-- no elements: every set has all of them, and none has any; rows without a set are left out
SELECT count(*) AS "all", count(*) FILTER (WHERE s IS NULL) AS "null" FROM gin_rows WHERE s @> '{}'::text[];
SELECT count(*) AS "any" FROM gin_rows WHERE s && '{}'::text[];
SELECT count(*) AS both, (SELECT count(*) FROM gin_rows WHERE s ? 'e1') AS one FROM gin_rows WHERE s @> '{}'::text[] AND s ? 'e1';
SELECT count(*) AS unknown FROM gin_rows WHERE s ? NULL OR s @> NULL::text[] OR s && NULL::text[] OR m ? NULL OR l ? NULL;
-- null among the elements is an error
SELECT command, f.* FROM (VALUES
	('SELECT count(*) FROM gin_rows WHERE s @> ''{e1,null}''::text[]'),
	('SELECT count(*) FROM gin_rows WHERE s && ''{null,e1}''::text[]')) v (command), pg_temp.fault(command) f;

-- Only what may be a short form is looked up again, and what only looks alike is then left out.
CREATE FUNCTION pg_temp.lookup(condition text, OUT hits bigint, OUT left_out bigint) LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON) SELECT id FROM gin_rows WHERE ' || condition INTO plan;
	hits := (plan -> 0 -> 'Plan' ->> 'Actual Rows')::numeric;
	left_out := coalesce(plan -> 0 -> 'Plan' ->> 'Rows Removed by Index Recheck', '0')::bigint;
END
$$;
SELECT what, hits > 0 AS found, left_out > 0 AS left_out
FROM (VALUES (1, 'short', 'e1'), (2, '232 bytes', repeat('k', 232)), (3, 'long', repeat('x', 299) || 'a'), (4, 'its short form', pg_temp.short_form(repeat('x', 299) || 'a')),
	(5, 'without an alike', repeat('x', 299) || 'b'), (6, 'characters', 'x' || repeat('ä', 150) || 'a'), (7, 'their short form', pg_temp.short_form('x' || repeat('ä', 150) || 'a'))) v (n, what, e),
	pg_temp.lookup(format('s ? %L', e)) ORDER BY n;
SELECT what, hits > 0 AS found, left_out > 0 AS left_out
FROM (VALUES (1, 'short', ARRAY['e1', 'e2']), (2, 'long', ARRAY[repeat('x', 299) || 'a']), (3, 'both', ARRAY[repeat('x', 299) || 'a', 'e1'])) v (n, what, e),
	pg_temp.lookup(format('s && %L::text[]', e)) ORDER BY n;

-- rows that wait in the pending list are found, and found again when they have moved
CALL pg_temp.make_rows(1501, 2000);
SELECT * FROM pg_temp.compare(false);
SELECT gin_clean_pending_list('gin_s') > 0 AND gin_clean_pending_list('gin_m') > 0 AND gin_clean_pending_list('gin_l') > 0 AS were_pending;
SELECT * FROM pg_temp.compare(false);

-- additions, removals and rows that go
UPDATE gin_rows SET s = add(s, 'late', 'b'), m = put(m, 'late', 'v', 'b'), l = put(l, 'late', 'v', '3.0', 'b') WHERE id % 6 = 0 AND s IS NOT NULL;
INSERT INTO gin_members SELECT id, 'late', false FROM gin_rows WHERE id % 6 = 0 AND s IS NOT NULL;
INSERT INTO gin_questions (one, list) VALUES ('late', '{e1,late}');
UPDATE gin_rows SET s = remove(remove(s, 'e5'), repeat('x', 299) || 'a'), m = remove(remove(m, 'e5'), repeat('x', 299) || 'a'),
	l = remove(remove(l, 'e5', '3.0', 'b'), repeat('x', 299) || 'a', '3.0', 'b') WHERE id % 4 = 0;
UPDATE gin_members SET removed = true WHERE id % 4 = 0 AND e IN ('e5', repeat('x', 299) || 'a');
DELETE FROM gin_rows WHERE id % 7 = 0;
DELETE FROM gin_members WHERE id % 7 = 0;
VACUUM gin_rows;
SELECT * FROM pg_temp.compare(true);

DROP VIEW gin_answers, gin_truth;
DROP TABLE gin_rows, gin_members, gin_questions, gin_elements;
