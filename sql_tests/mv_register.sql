-- Multi-value registers: text, writing, siblings, merge, deltas.

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

-- text: values by node and counter of their dots
SELECT input, input::mv_register FROM (VALUES
	('{}'),
	(' { "values" : [ ] , "context" : { } , "cloud" : [ ] } '),
	('{"context": {"a": 2}}'),
	('{"values": [{"value": "x", "dot": ["a", 3]}], "context": {"a": 3}}'),
	('{"context": {"a": 3, "b": 0}, "values": [{"dot": ["a", 3], "value": "x"}]}'),
	('{"values": [{"value": "x", "dot": ["b", 1]}, {"value": "z", "dot": ["a", 2]}, {"value": "y", "dot": ["a", 1]}], "context": {"b": 1, "a": 2}}'),
	('{"values": [{"value": "x", "dot": ["b", 1]}, {"value": "x", "dot": ["a", 1]}], "context": {"a": 1, "b": 1}}'),
	('{"values": [{"value": "", "dot": ["a", 1]}], "context": {"a": 1}}'),
	('{"values": [{"value": "\u00e4\"\\\n日本", "dot": ["日本", 1]}], "context": {"日本": 1}}'),
	('{"values": [{"value": "x", "dot": ["a", 9223372036854775807]}], "context": {"a": 9223372036854775807}}'),
	('{"values": [{"value": "x", "dot": ["a", 8]}], "context": {"a": 2, "b": 1}, "cloud": [["b", 2, 4], ["a", 7, 9]]}')) v (input);

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), ('{'), ('{} x'), ('null'), ('[]'), ('"x"'),
	('{"value": "x"}'), ('{"elements": {}}'), ('{"values": [], "values": []}'),
	('{"values": {}}'), ('{"values": "x"}'), ('{"values": ["x"]}'), ('{"values": [["a", 1]], "context": {"a": 1}}'),
	('{"values": [{}]}'),
	('{"values": [{"value": "x"}], "context": {"a": 1}}'),
	('{"values": [{"dot": ["a", 1]}], "context": {"a": 1}}'),
	('{"values": [{"value": 1, "dot": ["a", 1]}], "context": {"a": 1}}'),
	('{"values": [{"value": null, "dot": ["a", 1]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["a", 1], "at": 1}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "value": "y", "dot": ["a", 1]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": "a"}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["a"]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["a", 0]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["a", -1]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["a", 1e0]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["a", 9223372036854775808]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["", 1]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["a", 1]}]}'),
	('{"values": [{"value": "x", "dot": ["a", 2]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["a", 2]}], "context": {"a": 1}, "cloud": [["a", 3, 3]]}'),
	('{"values": [{"value": "x", "dot": ["a", 1]}, {"value": "y", "dot": ["a", 1]}], "context": {"a": 1}}'),
	('{"values": [{"value": "x", "dot": ["a", 1]}, {"value": "x", "dot": ["a", 1]}], "context": {"a": 1}}'),
	('{"context": {"a": 9223372036854775808}}'), ('{"context": {"a": 1, "a": 2}}'),
	('{"cloud": [["a", 4, 3]]}'), ('{"cloud": [["a", 3, 9223372036854775808]]}'),
	('{"values": [{"value": "x\u0000", "dot": ["a", 1]}], "context": {"a": 1}}')) v (input),
	pg_temp.fault(format('SELECT %L::mv_register', input)) f;
-- the hint shows the form
SELECT 'x'::mv_register;

-- writing takes the place of all values that are seen
SELECT set('{}'::mv_register, 'x', 'a'), set(set('{}'::mv_register, 'x', 'a'), 'x', 'a') AS again,
	set(set('{}'::mv_register, 'x', 'a'), 'y', 'b') AS by_another, set('{}'::mv_register, '', 'a') AS empty_value;
SELECT set('{"cloud": [["a", 5, 6]]}'::mv_register, 'x', 'a') AS behind_the_cloud,
	set('{"values": [{"value": "x", "dot": ["a", 6]}], "context": {"b": 1}, "cloud": [["a", 5, 6]]}'::mv_register, 'y', 'b') AS beside_it,
	set('{"context": {"a": 9223372036854775806}}'::mv_register, 'x', 'a') AS last_dot;
SELECT command, f.* FROM (VALUES
	('SELECT set(''{}''::mv_register, ''x'')'),
	('SELECT set(''{}''::mv_register, ''x'', '''')'),
	('SELECT set(''{}''::mv_register, ''x'', repeat(''n'', 256))'),
	('SELECT set(''{"context": {"a": 9223372036854775807}}''::mv_register, ''x'', ''a'')'),
	('SELECT set(''{"cloud": [["a", 9223372036854775807, 9223372036854775807]]}''::mv_register, ''x'', ''a'')')) v (command), pg_temp.fault(command) f;
SET distributed.node = 'here';
SELECT set('{}'::mv_register, 'x') AS at_the_local_node;
RESET distributed.node;
SELECT set(NULL::mv_register, 'x', 'a') IS NULL AND set('{}'::mv_register, NULL, 'a') IS NULL AND siblings(NULL) IS NULL AND
	(NULL::mv_register | '{}') IS NULL AND delta('{}'::mv_register, NULL) IS NULL AS strict;

-- concurrent writes stand side by side, until one that has seen them
CREATE TEMP TABLE replicas (name text COLLATE "C", r mv_register);
INSERT INTO replicas VALUES ('base', set('{}'::mv_register, 'soup', 'a'));
INSERT INTO replicas
SELECT v.* FROM replicas, LATERAL (VALUES ('b', set(r, 'tea', 'b')), ('c', set(r, 'bread', 'c')), ('d', set(r, 'tea', 'd')), ('twice', set(set(r, 'rice', 'a'), 'beans', 'a'))) v;
INSERT INTO replicas SELECT 'all', merge(r) FROM replicas;
INSERT INTO replicas SELECT 'decides', set(r, 'bread', 'e') FROM replicas WHERE name = 'all';
SELECT name, siblings(r), is_conflicted(r), context(r), r FROM replicas ORDER BY name;
SELECT siblings('{}'::mv_register), is_conflicted('{}'::mv_register), siblings('{"context": {"a": 1}}'::mv_register) AS nothing_left;
-- sorted by bytes; equal values are one sibling, and no conflict
SELECT siblings(merge(set('{}'::mv_register, v, 'n' || n))) FROM (VALUES (1, 'b'), (2, 'B'), (3, 'ä'), (4, ''), (5, 'b'), (6, 'bb')) v (n, v);
SELECT siblings(b.r | d.r), is_conflicted(b.r | d.r), b.r | d.r AS merged FROM replicas b, replicas d WHERE b.name = 'b' AND d.name = 'd';
SELECT a.name, b.name, siblings(a.r | b.r), (a.r | b.r) = merge(b.r, a.r) AS same, a.r <@ b.r AS "<@", a.r @> b.r AS "@>",
	(a.r | b.r) @> a.r AND b.r <@ (a.r | b.r) AS above
FROM replicas a JOIN replicas b ON a.name < b.name ORDER BY 1, 2;
-- a decision that saw two of three leaves the third
SELECT siblings(set(b.r | c.r, 'both', 'b') | third.r) FROM replicas b, replicas c, replicas third WHERE b.name = 'b' AND c.name = 'c' AND third.name = 'twice';
-- an old replica brings nothing back
SELECT siblings(merge(r)), merge(r) = (SELECT r FROM replicas WHERE name = 'decides') AS same FROM replicas;
-- two writers under one name: both lose what they wrote, but replicas agree
SELECT x | y AS merged, (y | x) = (x | y) AND (x | y | x) = (x | y) AND x <@ (x | y) AS agreed
FROM (VALUES (set('{}'::mv_register, 'x', 'a'), set('{}'::mv_register, 'y', 'a'))) v (x, y);

-- the aggregate skips nulls; its state is not handed out
SELECT merge(r) AS of_nulls FROM (VALUES (NULL::mv_register)) v (r);
SELECT i, merge(r) OVER (ORDER BY i) AS running, siblings(set(merge(r) OVER (ORDER BY i), 'q', 'z')) AS touched
FROM (VALUES (1, set('{}'::mv_register, 'x', 'a')), (2, NULL), (3, set('{}'::mv_register, 'y', 'b')), (4, set(set('{}'::mv_register, 'x', 'a'), 'z', 'a'))) v (i, r)
ORDER BY i;

-- the order for sorting: by dots known, then the one with more values first
SELECT name FROM (SELECT * FROM replicas UNION ALL VALUES ('nothing', '{}'::mv_register), ('lost', '{"context": {"a": 1}}')) v ORDER BY r, name;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", mv_register_cmp(a, b), a = b AS "=", a <> b AS "<>"
FROM (VALUES (set('{}'::mv_register, 'x', 'a'), '{"context": {"a": 1}}'::mv_register), (set('{}'::mv_register, 'x', 'a'), set('{}'::mv_register, 'x', 'a')),
	(set('{}'::mv_register, 'x', 'b'), set('{}'::mv_register, 'x', 'a'))) v (a, b);

-- deltas: an empty context gives the whole; else the values not seen, and what is known to be gone
SELECT name, delta(r, '{}') = r AS whole, delta(r, '{"a": 1}') AS since_base, delta(r, context(r)) AS nothing_new FROM replicas ORDER BY name;
SELECT bool_and(a.r | delta(b.r, context(a.r)) = (a.r | b.r)) AS complete, count(*) FROM replicas a, replicas b;
-- out of order and repeated: a later write knows what it replaced, so the earlier then changes nothing
CREATE TEMP TABLE sent AS
SELECT r1, delta(r2, context(r1)) AS d2, delta(r3, context(r2)) AS d3, r3
FROM (SELECT set('{}'::mv_register, 'one', 'a')) v1 (r1), LATERAL (SELECT set(r1, 'two', 'a')) v2 (r2), LATERAL (SELECT set(r2, 'three', 'a')) v3 (r3);
SELECT d2, d3 FROM sent;
SELECT '{}' | d3 AS first_of_all, set('{}'::mv_register, 'zero', 'z') | d3 | d2 AS beside, r1 | d3 | d2 = r3 AS filled, r1 | d3 | d2 | d3 | d2 | r1 = r3 AS repeated
FROM sent;

-- jsonb, json, text
SELECT r::jsonb = r::text::jsonb AND r::jsonb::mv_register = r AND r::json::text = r::text AS same, jsonb_typeof(r::jsonb -> 'values')
FROM replicas WHERE name = 'all';
SELECT f.* FROM pg_temp.fault('SELECT ''{"values": [{"value": "x", "dot": ["a", 1]}]}''::jsonb::mv_register') f;

-- sizes and the binary image, version 1
SELECT pg_column_size('{}'::mv_register) AS empty, pg_column_size(set('{}'::mv_register, 'x', 'a')) AS one,
	pg_column_size(set('{}'::mv_register, 'x', 'a') | set('{}'::mv_register, 'y', 'b')) AS two;
SELECT mv_register_send('{"values": [{"value": "xy", "dot": ["cd", 5]}, {"value": "", "dot": ["a", 258]}], "context": {"a": 258}, "cloud": [["cd", 4, 5]]}');
