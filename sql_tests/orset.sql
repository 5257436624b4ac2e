-- Observed-remove sets: text, changes, merge, deltas, orset_agg.

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

-- text: elements sorted by bytes, dots by node and counter, an empty cloud left out
SELECT input, input::orset FROM (VALUES
	('{}'),
	(' { "elements" : { } , "context" : { } , "cloud" : [ ] } '),
	('{"elements": {}}'),
	('{"context": {"a": 2}}'),
	('{"context": {"a": 1, "b": 0}, "elements": {"x": [["a", 1]]}}'),
	('{"elements": {"b": [["n", 1]], "": [["n", 4]], "a": [["n", 3]], "B": [["n", 2]], "aa": [["n", 5]]}, "context": {"n": 5}}'),
	('{"elements": {"x": [["b", 1], ["a", 2], ["a", 1]]}, "context": {"b": 1, "a": 2}}'),
	('{"elements": {"\u00e4\"\\\n": [["日本", 1]], "日本": [["日本", 2]]}, "context": {"日本": 2}}'),
	('{"elements": {"x": [["a", 9223372036854775807]]}, "context": {"a": 9223372036854775807}}')) v (input);
SELECT elements('{"elements": {"\ud83d\ude00": [["a", 1]]}, "context": {"a": 1}}'::orset) = ARRAY[U&'\+01F600'] AS beyond_16_bits;

-- the cloud: any order, coalesced where ranges touch or overlap, part of the context where
-- they touch that
SELECT input, input::orset FROM (VALUES
	('{"cloud": [["b", 5, 6], ["a", 9, 9], ["a", 3, 4]]}'),
	('{"cloud": [["a", 5, 6], ["a", 3, 4], ["a", 8, 9]]}'),
	('{"cloud": [["a", 3, 7], ["a", 4, 5], ["a", 6, 9]]}'),
	('{"context": {"a": 2}, "cloud": [["a", 3, 4], ["a", 6, 6]]}'),
	('{"context": {"a": 2}, "cloud": [["a", 6, 6], ["a", 5, 5], ["a", 3, 4]]}'),
	('{"context": {"a": 9}, "cloud": [["a", 3, 4]]}'),
	('{"cloud": [["a", 1, 1]]}'),
	('{"cloud": [["a", 9223372036854775806, 9223372036854775807]]}'),
	('{"elements": {"x": [["a", 8], ["a", 3]]}, "cloud": [["a", 7, 9], ["a", 3, 3]]}')) v (input);

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), ('{'), ('{} x'), ('null'), ('[]'), ('"x"'), ('{a,b}'),
	('{"element": {}}'), ('{"values": []}'), ('{"elements": {}, "elements": {}}'),
	('{"elements": ["x"]}'), ('{"elements": {"x": 1}}'), ('{"elements": {"x": ["a", 1]}, "context": {"a": 1}}'),
	('{"elements": {"x": []}}'),
	('{"elements": {"x": [["a", 1]], "x": [["a", 2]]}, "context": {"a": 2}}'),
	('{"elements": {"x": [["a", 1], ["a", 1]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["a", 1]], "y": [["a", 1]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["a", 1]]}}'),
	('{"elements": {"x": [["a", 2]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["b", 1]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["a", 5]]}, "context": {"a": 1}, "cloud": [["a", 3, 4], ["a", 6, 7]]}'),
	('{"elements": {"x": [["a", 0]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["a", -1]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["a", 1.5]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["a", "1"]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["a", 9223372036854775808]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["a", 1, 2]]}, "context": {"a": 2}}'),
	('{"elements": {"x": [[1, "a"]]}, "context": {"a": 1}}'),
	('{"context": []}'), ('{"context": {"a": -1}}'), ('{"context": {"a": 9223372036854775808}}'),
	('{"context": {"": 1}}'), ('{"context": {"a": 1, "a": 1}}'),
	('{"cloud": {}}'), ('{"cloud": [1]}'), ('{"cloud": [["a", 1]]}'), ('{"cloud": [["a", 4, 3]]}'),
	('{"cloud": [["a", 0, 3]]}'), ('{"cloud": [["a", 3, 9223372036854775808]]}'), ('{"cloud": [["", 3, 4]]}'),
	('{"elements": {"x\u0000y": [["a", 1]]}, "context": {"a": 1}}'),
	('{"elements": {"x": [["a\u0000", 1]]}, "context": {"a": 1}}')) v (input),
	pg_temp.fault(format('SELECT %L::orset', input)) f;
SELECT f.* FROM pg_temp.fault(format('SELECT %L::orset', '{"context": {"' || repeat('x', 256) || '": 1}}')) f;
SELECT f.* FROM pg_temp.fault(format('SELECT %L::orset', '{"cloud": [["' || repeat('x', 256) || '", 2, 3]]}')) f;
SELECT context(add('{}', 'x', repeat('x', 255))) = vclock(repeat('x', 255), 1) AS longest;
-- the hint shows the form
SELECT '{a,b}'::orset;

-- changing
SELECT add('{}', 'x', 'a'), add(add('{}', 'x', 'a'), 'y', 'b') AS two, add(add('{}', 'x', 'a'), 'x', 'a') AS again,
	add(add('{}', 'x', 'b'), 'x', 'a') AS by_another, add('{}', '', 'a') AS empty_element;
SELECT remove(add(add('{}', 'x', 'a'), 'y', 'a'), 'x') AS removed, remove(add('{}', 'x', 'a'), 'y') AS absent,
	remove('{}'::orset, 'x') AS nothing, clear(add(add('{}', 'x', 'a'), 'y', 'b')), clear('{}'::orset) AS cleared;
SELECT add('{"cloud": [["a", 5, 6]]}', 'x', 'a') AS behind_the_cloud,
	add('{"context": {"b": 1}, "cloud": [["a", 5, 6]]}', 'x', 'b') AS beside_it;
-- at the local node
SELECT command, f.* FROM (VALUES ('SELECT add(''{}'', ''x'')'), ('SELECT ''{}''::orset + ''x''')) v (command), pg_temp.fault(command) f;
SET distributed.node = 'here';
SELECT add('{}', 'x'), '{}'::orset + 'x' + 'y' - 'x' AS operators;
RESET distributed.node;

SELECT command, f.* FROM (VALUES
	('SELECT add(''{}'', ''x'', '''')'),
	('SELECT add(''{}'', ''x'', repeat(''n'', 256))'),
	('SELECT add(''{"context": {"a": 9223372036854775807}}'', ''x'', ''a'')'),
	('SELECT add(''{"cloud": [["a", 9223372036854775807, 9223372036854775807]]}'', ''x'', ''a'')'),
	('SELECT contains_all(''{}''::orset, ''{a,null}'')'),
	('SELECT add(''{}'', ''x'', ''a'') && ''{null}''::text[]'),
	('SELECT add(''{}'', ''x'', ''a'') @> ''{x,y}''')) v (command), pg_temp.fault(command) f;
SELECT add('{"context": {"a": 9223372036854775806}}', 'x', 'a') AS last_dot,
	remove('{"elements": {"x": [["a", 9223372036854775807]]}, "context": {"a": 9223372036854775807}}'::orset, 'x');

-- reading
CREATE TEMP TABLE fruit AS
SELECT remove(add(add(add(add('{}', 'fig', 'a'), 'apple', 'b'), 'äpfel', 'a'), 'pear', 'a'), 'pear') AS s;
SELECT s, elements(s), cardinality(s), context(s) FROM fruit;
SELECT contains(s, 'fig'), s ? 'apple' AS "?", s ? 'pear' AS removed, s ? '' AS empty, s ? 'fi' AS beginning FROM fruit;
SELECT list, contains_all(s, list), s @> list AS "@>", contains_any(s, list), s && list AS "&&" FROM fruit, (VALUES
	('{}'::text[]), ('{fig}'), ('{apple,fig}'), ('{fig,fig}'), ('{fig,pear}'), ('{pear}'), ('{pear,plum}'),
	('{{fig,apple},{äpfel,fig}}'), ('{fig,apple,äpfel,x}')) v (list);
SELECT each(s) FROM fruit;
SELECT n, element FROM (VALUES (1, add(add('{}', 'y', 'a'), 'x', 'a')), (2, '{}'), (3, add('{}', '', 'a'))) v (n, s), each(s);
SELECT elements('{}'::orset), cardinality('{}'::orset), context('{}'::orset), context('{"context": {"b": 2}, "cloud": [["a", 5, 6], ["b", 4, 4]]}'::orset) AS without_cloud;

-- strict: null in, null out
SELECT add(NULL::orset, 'x', 'a') IS NULL AND (NULL::orset | '{}') IS NULL AND (NULL::orset ? 'x') IS NULL AND
	delta('{}'::orset, NULL) IS NULL AND (NULL::orset @> NULL::text[]) IS NULL AS strict;

-- merge: additions of both, and an element that two nodes added has two dots
SELECT a | b AS merged, merge(b, a) = (a | b) AS same, a <@ b AS "<@", a @> b AS "@>", (a | b) @> a AND b <@ (a | b) AS above
FROM (VALUES
	('{}'::orset, '{}'::orset),
	('{}', add('{}', 'x', 'a')),
	(add('{}', 'x', 'a'), add('{}', 'y', 'b')),
	(add('{}', 'x', 'a'), add('{}', 'x', 'b')),
	(add('{}', 'x', 'a'), remove(add('{}', 'x', 'a'), 'x')),
	(add(add('{}', 'x', 'a'), 'x', 'a'), add('{}', 'x', 'a')),
	('{"context": {"a": 2}}', '{"cloud": [["a", 3, 3], ["a", 5, 5]]}')) v (a, b);

-- an addition wins over a concurrent removal; a removal removes what it saw, and only that
CREATE TEMP TABLE replicas (name text COLLATE "C", s orset);
INSERT INTO replicas VALUES ('base', add(add('{}', 'x', 'a'), 'y', 'a'));
INSERT INTO replicas
SELECT v.* FROM replicas, LATERAL (VALUES ('removes', remove(s, 'x')), ('clears', clear(s)), ('re-adds', add(s, 'x', 'b')),
	('adds', add(s, 'z', 'c')), ('back', add(remove(s, 'x'), 'x', 'a'))) v;
SELECT a.name, b.name, elements(a.s | b.s), a.s | b.s AS merged, a.s <@ b.s AS "<@"
FROM replicas a JOIN replicas b ON a.name < b.name ORDER BY 1, 2;
SELECT elements(merge(s)), merge(s) FROM replicas;
-- both removed it: it stays away, whatever old replica comes
SELECT elements(merge(s)) FROM replicas WHERE name IN ('base', 'removes', 'clears');

-- the order for sorting: by dots known, then the one with more elements first
SELECT name FROM replicas ORDER BY s, name;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", orset_cmp(a, b), a = b AS "=", a <> b AS "<>"
FROM (VALUES (add('{}', 'x', 'a'), clear(add('{}', 'x', 'a'))), (add('{}', 'x', 'a'), add('{}', 'x', 'a'))) v (a, b);

-- the aggregate skips nulls; its state is not handed out
SELECT merge(s) AS of_nulls FROM (VALUES (NULL::orset)) v (s);
SELECT i, merge(s) OVER (ORDER BY i) AS running, elements(merge(s) OVER (ORDER BY i) + 'q') AS touched
FROM (VALUES (1, add('{}', 'x', 'a')), (2, NULL), (3, clear(add('{}', 'x', 'a'))), (4, add('{}', 'x', 'b'))) v (i, s), set_config('distributed.node', 'z', true) ORDER BY i;

-- deltas: an empty context gives the whole; else what is new, and what went
SELECT delta(s, '{}') = s AS whole, delta(s, context(s)) AS nothing_new, delta(s, '{"a": 9, "z": 1}') AS ahead FROM fruit;
SELECT name, delta(s, '{"a": 2}'), '{"elements": {"x": [["a", 1]], "y": [["a", 2]]}, "context": {"a": 2}}' | delta(s, '{"a": 2}') = s AS complete FROM replicas ORDER BY name;
SELECT delta(remove(s, 'fig'), context(s)) AS a_removal, delta(s, '{"a": 1}') AS removed_unseen FROM fruit;

-- out of order: the later delta leaves a gap, the earlier fills it
CREATE TEMP TABLE sent AS
SELECT s1, delta(s2, context(s1)) AS d2, delta(s3, context(s2)) AS d3, delta(s4, context(s3)) AS d4, s4
FROM (SELECT add('{}', 'p', 'a')) v1 (s1), LATERAL (SELECT add(s1, 'q', 'a')) v2 (s2),
	LATERAL (SELECT add(remove(s2, 'p'), 'r', 'a')) v3 (s3), LATERAL (SELECT add(s3, 'q', 'a')) v4 (s4);
SELECT d2, d3, d4 FROM sent;
SELECT s1 | d4 AS gap, context(s1 | d4), (s1 | d4) <@ s4 AS "<@" FROM sent;
SELECT s1 | d4 | d2 AS narrower, s1 | d4 | d2 | d3 = s4 AS filled, s1 | d4 | d2 | d3 | d2 = s4 AS repeated,
	s1 | d4 | delta(s4, context(s1 | d4)) = s4 AS asked_again FROM sent;

-- jsonb, json, text
SELECT s::jsonb = s::text::jsonb AND s::jsonb::orset = s AND s::json::text = s::text AS same FROM fruit;
SELECT jsonb_typeof(s::jsonb -> 'elements') FROM fruit;
SELECT f.* FROM pg_temp.fault('SELECT ''{"elements": {"x": [["a", 1]]}}''::jsonb::orset') f;

-- sizes and the binary image, version 1
SELECT pg_column_size('{}'::orset) AS empty, pg_column_size(add('{}', 'x', 'a')) AS one,
	pg_column_size(add(add('{}', 'x', 'a'), 'y', 'b')) AS two;
SELECT orset_send(add(add('{"cloud": [["cd", 4, 5]]}', 'xy', 'a'), '', 'a'));

-- orset_agg: the same bytes whatever the order of rows; repeated elements count once
CREATE TABLE orset_rows AS
SELECT i, CASE WHEN i % 10 = 0 THEN NULL ELSE 'e' || i % 700 END AS element, 'n' || i % 3 AS node FROM generate_series(1, 20000) i;
SELECT orset_agg(element, node), orset_agg(element, node ORDER BY element DESC) = orset_agg(element, node) AS same
FROM (VALUES ('y', 'a'), ('x', 'b'), ('x', 'a'), (NULL, 'a'), ('', 'a'), ('x', 'a'), (NULL, NULL)) v (element, node);
SELECT orset_agg(element, node) IS NULL AS no_rows FROM orset_rows WHERE false;
SELECT orset_agg(element, node) AS no_element FROM orset_rows WHERE element IS NULL AND i < 50;
SELECT f.* FROM pg_temp.fault('SELECT orset_agg(''x'', NULL)') f;
SELECT f.* FROM pg_temp.fault('SELECT orset_agg(''x'', '''')') f;
SELECT node, cardinality(s), context(s), md5(orset_send(s)) = md5(orset_send(t)) AS same_bytes
FROM (SELECT node, orset_agg(element, node), orset_agg(element, node ORDER BY md5(i::text)) FROM orset_rows GROUP BY node) g (node, s, t) ORDER BY node;
SELECT i, orset_agg(element, node) OVER (ORDER BY i) FROM (VALUES (1, 'b', 'n'), (2, 'a', 'n'), (3, NULL, 'n'), (4, 'b', 'm')) v (i, element, node) ORDER BY i;
-- in parallel, where each worker numbers the same dots
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS SELECT orset_agg(element, node) AS s FROM orset_rows;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT orset_agg(element, node) FROM orset_rows;
SELECT cardinality(s), context(s), s = (SELECT orset_agg(element, node) FROM orset_rows) AS same FROM serial;
RESET ALL;
DROP TABLE orset_rows;

-- a delta is as small as the change: 10 additions and 1,000 scattered removals in 100,000 elements
CREATE TEMP TABLE large AS
SELECT (SELECT orset_agg('element ' || i, 'a') FROM generate_series(1, 100000) i) AS old, NULL::orset AS added, NULL::orset AS cut;
DO $$
DECLARE
	s orset := (SELECT old FROM large);
BEGIN
	FOR i IN 1..10 LOOP
		s := add(s, 'new ' || i, 'a');
	END LOOP;
	UPDATE large SET added = s;
	FOR i IN 1..1000 LOOP
		s := remove(s, 'element ' || i * 97);
	END LOOP;
	UPDATE large SET cut = s;
END
$$;
SELECT cardinality(old), cardinality(added), cardinality(cut), pg_column_size(delta(added, context(old))) < 2048 AS small,
	pg_column_size(delta(cut, context(old))) < 16384 AS still_small, old | delta(added, context(old)) = added AS complete,
	old | delta(cut, context(old)) = cut AS and_removed, added | delta(cut, context(old)) = cut AS in_steps
FROM large;

-- many rows, of which one join sorts 100,000 elements and more: by whatever way they are merged,
-- the bytes are the same, and nothing is lost that is not removed
CREATE TEMP TABLE changes AS
SELECT i, format('{"elements": {%s}, "cloud": [["n%s", %s, %s]]}', elements, i % 8, first, first + 19)::orset AS s
FROM generate_series(1, 8000) i, LATERAL (SELECT i / 8 * 20 + 1) f (first),
	LATERAL (SELECT string_agg(format('"%s": [["n%s", %s]]', CASE j % 3 WHEN 0 THEN md5(i || ':' || j) WHEN 1 THEN 'the same beginning ' || i || ':' || j ELSE i || '' || j END,
		i % 8, first + j), ', ') FROM generate_series(0, CASE WHEN i % 10 = 0 THEN -1 ELSE 19 END) j) e (elements);
CREATE TEMP TABLE merged AS SELECT merge(s) AS s FROM changes;
SELECT merge(s) = (SELECT s FROM merged) AS shuffled FROM (SELECT s FROM changes ORDER BY md5(i::text)) c;
SELECT k, merge(part) = (SELECT s FROM merged) AS in_parts FROM unnest('{7,90,1000}'::integer[]) k, LATERAL (SELECT merge(s) FROM changes GROUP BY i % k) p (part) GROUP BY k ORDER BY k;
WITH RECURSIVE folded AS (
	SELECT 0 AS n, '{}'::orset AS s
	UNION ALL SELECT n + 1, f.s | p.part FROM folded f JOIN LATERAL (SELECT merge(c.s) FROM changes c WHERE c.i % 20 = f.n) p (part) ON n < 20)
SELECT (SELECT s FROM folded ORDER BY n DESC LIMIT 1) = s AS one_by_one FROM merged;
SELECT cardinality(s), context(s) FROM merged;
-- half of the elements are removed by rows that know only their dots
WITH late (i, s) AS (
	SELECT i, s FROM changes
	UNION ALL SELECT i, format('{"cloud": [["n%s", %s, %s]]}', i % 8, i / 8 * 20 + 1, i / 8 * 20 + 20)::orset FROM changes WHERE i % 2 = 0)
SELECT cardinality(merge(s)) AS left, merge(s) = (SELECT merge(s) FROM (SELECT s FROM late ORDER BY md5(i::text)) l) AS shuffled FROM late;
