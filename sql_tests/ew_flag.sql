-- Enable-wins flags: text, changes, merge, deltas.

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

-- text: dots by node and counter
SELECT input, input::ew_flag, value(input::ew_flag) FROM (VALUES
	('{}'),
	(' { "enabled" : [ ] , "context" : { } , "cloud" : [ ] } '),
	('{"context": {"a": 2}}'),
	('{"context": {"a": 1, "b": 0}, "enabled": [["a", 1]]}'),
	('{"enabled": [["b", 1], ["a", 2], ["a", 1]], "context": {"b": 1, "a": 2}}'),
	('{"enabled": [["日本", 1]], "context": {"日本": 1}}'),
	('{"enabled": [["a", 9223372036854775807]], "context": {"a": 9223372036854775807}}'),
	('{"enabled": [["a", 8]], "context": {"a": 2, "b": 1}, "cloud": [["b", 2, 4], ["a", 7, 9]]}')) v (input);

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), ('{'), ('{} x'), ('null'), ('true'), ('[]'), ('"x"'),
	('{"disabled": []}'), ('{"value": true}'), ('{"enabled": [], "enabled": []}'),
	('{"enabled": true}'), ('{"enabled": {}}'), ('{"enabled": ["a", 1], "context": {"a": 1}}'),
	('{"enabled": [["a"]]}'), ('{"enabled": [["a", 1, 2]]}'), ('{"enabled": [[1, "a"]]}'), ('{"enabled": [["a", "1"]]}'), ('{"enabled": [["", 1]]}'),
	('{"enabled": [["a", 0]], "context": {"a": 1}}'), ('{"enabled": [["a", -1]], "context": {"a": 1}}'),
	('{"enabled": [["a", 1.5]], "context": {"a": 1}}'), ('{"enabled": [["a", 9223372036854775808]], "context": {"a": 1}}'),
	('{"enabled": [["a", 1]]}'), ('{"enabled": [["a", 2]], "context": {"a": 1}}'),
	('{"enabled": [["a", 5]], "context": {"a": 1}, "cloud": [["a", 3, 4], ["a", 6, 7]]}'),
	('{"enabled": [["a", 1], ["a", 1]], "context": {"a": 1}}'),
	('{"context": {"a": 9223372036854775808}}'), ('{"context": {"a": 1, "a": 1}}'),
	('{"cloud": {}}'), ('{"cloud": [["a", 4, 3]]}'), ('{"cloud": [["a", 3, 9223372036854775808]]}'),
	('{"enabled": [["a\u0000", 1]], "context": {"a": 1}}')) v (input),
	pg_temp.fault(format('SELECT %L::ew_flag', input)) f;
-- the hint shows the form
SELECT 'true'::ew_flag;

-- changing: enabling has a new dot in place of those it sees, disabling removes those it sees
SELECT enable('{}'::ew_flag, 'a'), enable(enable('{}'::ew_flag, 'a'), 'a') AS again, enable(enable('{}'::ew_flag, 'b'), 'a') AS by_another;
SELECT disable('{}'::ew_flag, 'a') AS untouched, disable(enable('{}'::ew_flag, 'a'), 'b'), enable(disable(enable('{}'::ew_flag, 'a'), 'a'), 'a') AS back;
SELECT enable('{"cloud": [["a", 5, 6]]}'::ew_flag, 'a') AS behind_the_cloud, enable('{"context": {"b": 1}, "cloud": [["a", 5, 6]]}'::ew_flag, 'b') AS beside_it,
	enable('{"context": {"a": 9223372036854775806}}'::ew_flag, 'a') AS last_dot, disable('{"enabled": [["a", 9223372036854775807]], "context": {"a": 9223372036854775807}}'::ew_flag, 'a') AS without_a_dot;
SELECT command, f.* FROM (VALUES
	('SELECT enable(''{}''::ew_flag)'), ('SELECT disable(''{}''::ew_flag)'), ('SELECT disable(''{}''::ew_flag, '''')'),
	('SELECT enable(''{}''::ew_flag, '''')'), ('SELECT enable(''{}''::ew_flag, repeat(''n'', 256))'),
	('SELECT enable(''{"context": {"a": 9223372036854775807}}''::ew_flag, ''a'')'),
	('SELECT enable(''{"cloud": [["a", 9223372036854775807, 9223372036854775807]]}''::ew_flag, ''a'')')) v (command), pg_temp.fault(command) f;
SET distributed.node = 'here';
SELECT enable('{}'::ew_flag) AS at_the_local_node, disable(enable('{}'::ew_flag)) AS and_back;
RESET distributed.node;
SELECT value(NULL::ew_flag) IS NULL AND enable(NULL::ew_flag, 'a') IS NULL AND disable(NULL::ew_flag, 'a') IS NULL AND
	(NULL::ew_flag | '{}') IS NULL AND context(NULL::ew_flag) IS NULL AND delta('{}'::ew_flag, NULL) IS NULL AS strict;

-- reading
SELECT value('{}'::ew_flag) AS untouched, value(enable('{}'::ew_flag, 'a')) AS enabled, value(disable('{}'::ew_flag, 'a')) AS disabled,
	value(disable(enable('{}'::ew_flag, 'a'), 'a')) AS off_again, value(enable(disable('{}'::ew_flag, 'a'), 'a')) AS on_again;
SELECT context('{}'::ew_flag), context('{"enabled": [["a", 1]], "context": {"a": 2, "b": 1}, "cloud": [["a", 5, 6]]}'::ew_flag) AS without_cloud;

-- enabling wins over a concurrent disabling; a disabling takes back what it saw, and only that
CREATE TEMP TABLE replicas (name text COLLATE "C", f ew_flag);
INSERT INTO replicas VALUES ('base', enable('{}'::ew_flag, 'a'));
INSERT INTO replicas
SELECT v.* FROM replicas, LATERAL (VALUES ('enables b', enable(f, 'b')), ('enables c', enable(f, 'c')), ('disables', disable(f, 'd')),
	('later', enable(disable(f, 'a'), 'a'))) v;
INSERT INTO replicas SELECT 'saw b', disable(a.f | b.f, 'd') FROM replicas a, replicas b WHERE a.name = 'base' AND b.name = 'enables b';
SELECT a.name, b.name, value(a.f) AS a, value(b.f) AS b, value(a.f | b.f), a.f | b.f AS merged, a.f <@ b.f AS "<@", a.f @> b.f AS "@>"
FROM replicas a JOIN replicas b ON a.name < b.name ORDER BY 1, 2;
SELECT bool_and((a.f | b.f) = merge(b.f, a.f) AND (a.f | b.f) @> a.f AND b.f <@ (a.f | b.f) AND (a.f @> b.f) = (b.f <@ a.f)) AS lattice FROM replicas a, replicas b;
-- after all have met, one change that has seen everything settles it; no old replica undoes that
SELECT value(merge(f)), merge(f), disable(merge(f), 'd') AS settled, value(disable(merge(f), 'd')) AS to FROM replicas;
WITH settled AS (SELECT disable(merge(f), 'd') AS s FROM replicas)
SELECT bool_and(s | f = s) AS stays FROM replicas, settled;

-- the aggregate skips nulls; its state is not handed out
SELECT merge(f) AS of_nulls FROM (VALUES (NULL::ew_flag)) v (f);
SELECT i, merge(f) OVER (ORDER BY i) AS running, disable(merge(f) OVER (ORDER BY i), 'z') AS touched
FROM (VALUES (1, enable('{}'::ew_flag, 'a')), (2, NULL), (3, enable('{}'::ew_flag, 'b')), (4, disable(enable('{}'::ew_flag, 'a'), 'a'))) v (i, f)
ORDER BY i;

-- the order for sorting: by dots known, then the one with more live dots first
SELECT name, value(f) FROM (SELECT * FROM replicas UNION ALL VALUES ('nothing', '{}'::ew_flag)) v ORDER BY f, name;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", ew_flag_cmp(a, b), a = b AS "=", a <> b AS "<>"
FROM (VALUES (enable('{}'::ew_flag, 'a'), disable(enable('{}'::ew_flag, 'a'), 'a')), (enable('{}'::ew_flag, 'a'), enable('{}'::ew_flag, 'a')),
	(enable('{}'::ew_flag, 'b'), enable('{}'::ew_flag, 'a'))) v (a, b);

-- deltas: an empty context gives the whole; else the dots not seen, and those known to be gone
SELECT name, delta(f, '{}') = f AS whole, delta(f, '{"a": 1}') AS since_base, delta(f, context(f)) AS nothing_new FROM replicas ORDER BY name;
SELECT bool_and(a.f | delta(b.f, context(a.f)) = (a.f | b.f)) AS complete, count(*) FROM replicas a, replicas b;
-- out of order and repeated
CREATE TEMP TABLE sent AS
SELECT f1, delta(f2, context(f1)) AS d2, delta(f3, context(f2)) AS d3, f3
FROM (SELECT enable('{}'::ew_flag, 'a')) v1 (f1), LATERAL (SELECT disable(f1, 'a')) v2 (f2), LATERAL (SELECT enable(f2, 'a')) v3 (f3);
SELECT d2, d3 FROM sent;
SELECT '{}' | d3 AS first_of_all, f1 | d3 | d2 = f3 AS in_disorder, f1 | d2 | d3 | d2 | f1 | d3 = f3 AS repeated FROM sent;

-- jsonb, json, text
SELECT f::jsonb = f::text::jsonb AND f::jsonb::ew_flag = f AND f::json::text = f::text AS same, f::jsonb -> 'enabled' AS dots FROM replicas WHERE name = 'base';
SELECT f.* FROM pg_temp.fault('SELECT ''{"enabled": [["a", 1]]}''::jsonb::ew_flag') f;

-- sizes and the binary image, version 1
SELECT pg_column_size('{}'::ew_flag) AS empty, pg_column_size(enable('{}'::ew_flag, 'a')) AS one, pg_column_size(enable('{}'::ew_flag, 'a') | enable('{}'::ew_flag, 'b')) AS two;
SELECT ew_flag_send('{"enabled": [["cd", 5], ["a", 258]], "context": {"a": 258}, "cloud": [["cd", 4, 5]]}');
