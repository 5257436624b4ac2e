-- Add-wins maps of multi-value registers: text, changes, merge, deltas.

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

-- text: keys sorted by bytes, values by node and counter of their dots
SELECT input, input::or_map FROM (VALUES
	('{}'),
	(' { "entries" : { } , "context" : { } , "cloud" : [ ] } '),
	('{"context": {"a": 2}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 1]}]}, "context": {"a": 1}}'),
	('{"context": {"a": 1, "b": 0}, "entries": {"k": [{"dot": ["a", 1], "value": "x"}]}}'),
	('{"entries": {"b": [{"value": "x", "dot": ["n", 1]}], "": [{"value": "", "dot": ["n", 4]}], "a": [{"value": "z", "dot": ["n", 3]}], "B": [{"value": "y", "dot": ["n", 2]}]}, "context": {"n": 4}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["b", 1]}, {"value": "x", "dot": ["a", 2]}, {"value": "y", "dot": ["a", 1]}]}, "context": {"b": 1, "a": 2}}'),
	('{"entries": {"\u00e4\"\\\n": [{"value": "日本\n", "dot": ["日本", 1]}]}, "context": {"日本": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 9223372036854775807]}]}, "context": {"a": 9223372036854775807}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 8]}]}, "context": {"a": 2, "b": 1}, "cloud": [["b", 2, 4], ["a", 7, 9]]}')) v (input);

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), ('{'), ('{} x'), ('null'), ('[]'), ('"x"'),
	('{"k": "x"}'), ('{"elements": {}}'), ('{"entries": {}, "entries": {}}'),
	('{"entries": []}'), ('{"entries": {"k": "x"}}'), ('{"entries": {"k": {"value": "x", "dot": ["a", 1]}}, "context": {"a": 1}}'),
	('{"entries": {"k": []}}'), ('{"entries": {"k": ["x"]}}'), ('{"entries": {"k": [["a", 1]]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{}]}}'),
	('{"entries": {"k": [{"value": "x"}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"dot": ["a", 1]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": null, "dot": ["a", 1]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": 1, "dot": ["a", 1]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 1], "at": 1}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 1], "dot": ["a", 1]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 1]}], "k": [{"value": "y", "dot": ["a", 2]}]}, "context": {"a": 2}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 1]}, {"value": "y", "dot": ["a", 1]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 1]}], "l": [{"value": "x", "dot": ["a", 1]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 1]}]}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 2]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 0]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", -1]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 9223372036854775808]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x", "dot": ["a", 1, 2]}]}, "context": {"a": 2}}'),
	('{"context": {"a": 9223372036854775808}}'), ('{"context": {"": 1}}'),
	('{"cloud": [["a", 4, 3]]}'), ('{"cloud": [["a", 3, 9223372036854775808]]}'),
	('{"entries": {"k\u0000": [{"value": "x", "dot": ["a", 1]}]}, "context": {"a": 1}}'),
	('{"entries": {"k": [{"value": "x\u0000", "dot": ["a", 1]}]}, "context": {"a": 1}}')) v (input),
	pg_temp.fault(format('SELECT %L::or_map', input)) f;
-- the hint shows the form
SELECT 'x'::or_map;

-- changing
SELECT put('{}'::or_map, 'k', 'x', 'a'), put(put('{}'::or_map, 'k', 'x', 'a'), 'j', 'y', 'b') AS two,
	put(put('{}'::or_map, 'k', 'x', 'a'), 'k', 'x', 'a') AS again, put(put('{}'::or_map, 'k', 'x', 'b'), 'k', 'y', 'a') AS by_another,
	put('{}'::or_map, '', '', 'a') AS empty_key;
SELECT remove(put(put('{}'::or_map, 'k', 'x', 'a'), 'j', 'y', 'a'), 'k') AS removed, remove(put('{}'::or_map, 'k', 'x', 'a'), 'j') AS absent,
	remove('{}'::or_map, 'k') AS nothing, put(remove(put('{}'::or_map, 'k', 'x', 'a'), 'k'), 'k', 'y', 'a') AS back;
SELECT put('{"cloud": [["a", 5, 6]]}'::or_map, 'k', 'x', 'a') AS behind_the_cloud,
	put('{"context": {"a": 9223372036854775806}}'::or_map, 'k', 'x', 'a') AS last_dot;
SELECT command, f.* FROM (VALUES
	('SELECT put(''{}''::or_map, ''k'', ''x'')'),
	('SELECT put(''{}''::or_map, ''k'', ''x'', '''')'),
	('SELECT put(''{}''::or_map, ''k'', ''x'', repeat(''n'', 256))'),
	('SELECT put(''{"context": {"a": 9223372036854775807}}''::or_map, ''k'', ''x'', ''a'')'),
	('SELECT put(''{"cloud": [["a", 9223372036854775807, 9223372036854775807]]}''::or_map, ''k'', ''x'', ''a'')')) v (command), pg_temp.fault(command) f;
SET distributed.node = 'here';
SELECT put('{}'::or_map, 'k', 'x') AS at_the_local_node;
RESET distributed.node;
SELECT put(NULL::or_map, 'k', 'x', 'a') IS NULL AND put('{}'::or_map, 'k', NULL, 'a') IS NULL AND remove('{}'::or_map, NULL) IS NULL AND
	(NULL::or_map | '{}') IS NULL AND (NULL::or_map -> 'k') IS NULL AND delta('{}'::or_map, NULL) IS NULL AS strict;

-- reading
CREATE TEMP TABLE menu AS
SELECT remove(merge(m), 'gone') AS m FROM (VALUES
	(put(put(put('{}'::or_map, 'main', 'soup', 'a'), '', 'nothing', 'a'), 'gone', 'x', 'a')),
	(put(put(put('{}', 'main', 'rice', 'b'), 'äpfel', 'two', 'b'), '', 'anything', 'b')),
	(put(put('{}', 'main', 'soup', 'c'), 'Drink', '', 'c'))) v (m);
SELECT m, keys(m), context(m) FROM menu;
SELECT key, m -> key AS "->", get(m, key), m ? key AS "?", contains(m, key) FROM menu, (VALUES ('main'), (''), ('Drink'), ('äpfel'), ('gone'), ('mai'), ('mainx')) v (key);
SELECT e.* FROM menu, each(m) e;
SELECT each(m) FROM menu;
SELECT keys('{}'::or_map), context('{}'::or_map), '{}'::or_map -> '' AS absent, '{}'::or_map ? '' AS "?", (SELECT count(*) FROM each('{}'::or_map)),
	context('{"context": {"b": 2}, "cloud": [["a", 5, 6]]}'::or_map) AS without_cloud;

-- a put wins over a concurrent removal, concurrent puts are kept, a later one
-- replaces what it saw; keys do not touch one another
CREATE TEMP TABLE replicas (name text COLLATE "C", m or_map);
INSERT INTO replicas VALUES ('base', put(put('{}'::or_map, 'k', 'x', 'a'), 'other', 'o', 'a'));
INSERT INTO replicas
SELECT v.* FROM replicas, LATERAL (VALUES ('removes', remove(m, 'k')), ('puts y', put(m, 'k', 'y', 'b')), ('puts z', put(m, 'k', 'z', 'c')),
	('back', put(remove(m, 'k'), 'k', 'again', 'a')), ('empties', remove(remove(m, 'k'), 'other'))) v;
SELECT a.name, b.name, keys(a.m | b.m), (a.m | b.m) -> 'k' AS k, a.m | b.m AS merged, a.m <@ b.m AS "<@"
FROM replicas a JOIN replicas b ON a.name < b.name ORDER BY 1, 2;
SELECT bool_and((a.m | b.m) = merge(b.m, a.m) AND (a.m | b.m) @> a.m AND b.m <@ (a.m | b.m) AND (a.m @> b.m) = (b.m <@ a.m)) AS lattice FROM replicas a, replicas b;
SELECT merge(m), put(merge(m), 'k', 'one', 'd') AS decided, put(merge(m), 'k', 'one', 'd') @> merge(m) AS "@>" FROM replicas;
-- removing merged siblings removes those that are there, and a put that comes late survives
SELECT remove(a.m | b.m, 'k') AS removed, remove(a.m | b.m, 'k') | c.m AS late
FROM replicas a, replicas b, replicas c WHERE a.name = 'puts y' AND b.name = 'back' AND c.name = 'puts z';
-- both removed it: it stays away, whatever old replica comes
SELECT merge(m) FROM replicas WHERE name IN ('base', 'removes', 'empties');

-- the aggregate skips nulls; its state is not handed out
SELECT merge(m) AS of_nulls FROM (VALUES (NULL::or_map)) v (m);
SELECT i, merge(m) OVER (ORDER BY i) AS running, keys(put(merge(m) OVER (ORDER BY i), 'q', 'q', 'z')) AS touched
FROM (VALUES (1, put('{}'::or_map, 'k', 'x', 'a')), (2, NULL), (3, put('{}', 'j', 'y', 'b')), (4, remove(put('{}', 'k', 'x', 'a'), 'k'))) v (i, m)
ORDER BY i;

-- the order for sorting: by dots known, then the one with more values first
SELECT name FROM (SELECT * FROM replicas UNION ALL VALUES ('nothing', '{}'::or_map)) v ORDER BY m, name;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", or_map_cmp(a, b), a = b AS "=", a <> b AS "<>"
FROM (VALUES (put('{}'::or_map, 'k', 'x', 'a'), remove(put('{}'::or_map, 'k', 'x', 'a'), 'k')), (put('{}', 'k', 'x', 'a'), put('{}', 'k', 'x', 'a')),
	(put('{}', 'kx', '', 'a'), put('{}', 'k', 'x', 'a'))) v (a, b);

-- deltas: an empty context gives the whole; else the values not seen, and what is known to be gone
SELECT name, delta(m, '{}') = m AS whole, delta(m, '{"a": 2}') AS since_base FROM replicas ORDER BY name;
SELECT delta(m, context(m)) AS nothing_new, delta(remove(m, 'main'), context(m)) AS a_removal FROM menu;
SELECT bool_and(a.m | delta(b.m, context(a.m)) = (a.m | b.m)) AS complete, count(*) FROM replicas a, replicas b;
-- out of order and repeated: the later leaves a gap, the earlier fills it
CREATE TEMP TABLE sent AS
SELECT m1, delta(m2, context(m1)) AS d2, delta(m3, context(m2)) AS d3, delta(m4, context(m3)) AS d4, m4
FROM (SELECT put('{}'::or_map, 'j', 'one', 'a')) v1 (m1), LATERAL (SELECT put(m1, 'k', 'two', 'a')) v2 (m2),
	LATERAL (SELECT put(remove(m2, 'j'), 'l', 'three', 'a')) v3 (m3), LATERAL (SELECT put(m3, 'k', 'four', 'a')) v4 (m4);
SELECT d2, d3, d4 FROM sent;
SELECT m1 | d4 AS gap, context(m1 | d4), (m1 | d4) <@ m4 AS "<@", m1 | d4 | d2 AS narrower FROM sent;
SELECT m1 | d4 | d2 | d3 = m4 AS filled, m1 | d4 | d2 | d3 | d2 | d4 | m1 = m4 AS repeated, m1 | d4 | delta(m4, context(m1 | d4)) = m4 AS asked_again FROM sent;

-- jsonb, json, text
SELECT m::jsonb = m::text::jsonb AND m::jsonb::or_map = m AND m::json::text = m::text AS same, jsonb_typeof(m::jsonb -> 'entries') FROM menu;
SELECT f.* FROM pg_temp.fault('SELECT ''{"entries": {"k": [{"value": "x", "dot": ["a", 1]}]}}''::jsonb::or_map') f;

-- sizes and the binary image, version 1
SELECT pg_column_size('{}'::or_map) AS empty, pg_column_size(put('{}'::or_map, 'k', 'x', 'a')) AS one,
	pg_column_size(put(put('{}'::or_map, 'k', 'x', 'a'), 'j', 'y', 'b')) AS two, pg_column_size(put('{}'::or_map, 'k', 'x', 'a') | put('{}', 'k', 'y', 'b')) AS one_key;
SELECT or_map_send('{"entries": {"k": [{"value": "xy", "dot": ["cd", 5]}, {"value": "", "dot": ["a", 258]}], "": [{"value": "z", "dot": ["a", 2]}]}, "context": {"a": 258}, "cloud": [["cd", 4, 5]]}');
