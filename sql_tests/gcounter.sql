-- Grow-only counters: text, counting, merge, order, casts.

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

-- text: sorted by bytes, zero entries dropped
SELECT input, input::gcounter FROM (VALUES
	('{}'),
	(' { } '),
	('{"a": 1}'),
	('{"b":2,"a":1}'),
	('{"a": 0, "b": 1}'),
	('{"a": 0}'),
	('{"B": 1, "a": 2, "aa": 3, "10": 4, "9": 5}'),
	('{"\u00e4\"\\\n": 1, "日本": 2}'),
	('{"a": 4294967295, "b": 4294967296}'),
	('{"a": 9223372036854775807}')) v (input);

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), ('{"a": 1'), ('{"a": 1} x'), ('null'), ('1'), ('"a"'), ('[]'), ('{a: 1}'),
	('{"a": 1, "a": 1}'), ('{"a": 0, "a": 1}'), ('{"": 1}'),
	('{"a": -1}'), ('{"a": 1.5}'), ('{"a": 1.0}'), ('{"a": 1e3}'),
	('{"a": 9223372036854775808}'), ('{"a": 99999999999999999999999999999}'),
	('{"a": "1"}'), ('{"a": null}'), ('{"a": true}'), ('{"a": {}}'), ('{"a": [1, 0]}'),
	('{"a\u0000b": 1}')) v (input),
	pg_temp.fault(format('SELECT %L::gcounter', input)) f;
SELECT f.* FROM pg_temp.fault(format('SELECT %L::gcounter', '{"' || repeat('ä', 128) || '": 1}')) f;
SELECT value(('{"' || repeat('x', 255) || '": 1}')::gcounter) AS longest_name;
-- the hint shows the form
SELECT '{a}'::gcounter;

-- counting
SELECT increment('{}'::gcounter, 3, 'a') AS added, increment('{"a": 3}'::gcounter, 4, 'a') AS more,
	increment('{"b": 1}'::gcounter, node => 'a') AS one, increment('{"a": 4294967295}'::gcounter, 1, 'a') AS widens;
SELECT increment('{"a": 3}'::gcounter, 0, 'a') AS no_op, increment('{}'::gcounter, 0, 'a') AS adds_no_node,
	increment('{"a": 3}'::gcounter, 9223372036854775804, 'a') AS greatest;
SELECT increment('{}'::gcounter);
SELECT '{}'::gcounter + 1;
SELECT '{}'::gcounter + 0;
SET distributed.node = 'here';
SELECT increment('{}'::gcounter), increment('{"here": 1}'::gcounter, 5), '{"there": 1}'::gcounter + 2 + 3 AS plus,
	'{"a": 1}'::gcounter + 0 AS no_op;
SELECT command, f.* FROM (VALUES
	('SELECT increment(''{}''::gcounter, -1, ''a'')'),
	('SELECT ''{}''::gcounter + -9223372036854775808'),
	('SELECT ''{}''::gcounter + 9223372036854775808'),
	('SELECT increment(''{"a": 9223372036854775807}''::gcounter, 1, ''a'')'),
	('SELECT increment(''{"a": 3}''::gcounter, 9223372036854775805, ''a'')'),
	('SELECT increment(''{"a": 9223372036854775807}''::gcounter, 0, ''a'')'),
	('SELECT increment(''{"a": 9223372036854775807}''::gcounter, 1, ''b'')'),
	('SELECT increment(''{}''::gcounter, 1, '''')'),
	('SELECT increment(''{}''::gcounter, 0, '''')'),
	('SELECT increment(''{}''::gcounter, 1, repeat(''n'', 256))'),
	('SELECT ''{}''::gcounter - 1')) v (command),
	pg_temp.fault(command) f;
RESET distributed.node;

-- reading: the value may be greater than any bigint
SELECT value('{}'::gcounter) AS none, value('{"a": 3, "b": 4}'::gcounter), pg_typeof(value('{}'::gcounter)),
	value('{"a": 9223372036854775807, "b": 9223372036854775807, "c": 9223372036854775807}'::gcounter) AS great;
SELECT get('{"a": 3, "b": 4}'::gcounter, 'b'), get('{"a": 3}'::gcounter, 'none') AS absent,
	get('{}'::gcounter, '') AS empty_name;
SELECT '{"a": 3, "b": 4}'::gcounter::bigint, '{"a": 3, "b": 4}'::gcounter::numeric,
	'{"a": 9223372036854775807}'::gcounter::bigint AS greatest, '{}'::gcounter::bigint AS none;
SELECT command, f.* FROM (VALUES
	('SELECT ''{"a": 9223372036854775807, "b": 1}''::gcounter::bigint'),
	('SELECT ''{"a": 9223372036854775807, "b": 1}''::gcounter::numeric'),
	('SELECT ''{"a": 1}''::gcounter::integer'),
	('SELECT 1::bigint::gcounter')) v (command), pg_temp.fault(command) f;
CREATE TEMP TABLE counts (total numeric, small bigint);
INSERT INTO counts VALUES ('{"a": 1, "b": 2}'::gcounter, '{"a": 5}'::gcounter);
SELECT * FROM counts;

-- merge and inclusion, each case both ways
SELECT a, b, a | b AS "|", (a | b) = (b | a) AND merge(a, b) = (a | b) AS same, a <@ b AS "<@",
	a @> b AS "@>", delta(a, b)
FROM (VALUES
	('{}'::gcounter, '{}'::gcounter),
	('{}', '{"a": 1}'),
	('{"a": 1}', '{}'),
	('{"a": 1}', '{"a": 1}'),
	('{"a": 1, "b": 5}', '{"a": 3, "b": 2}'),
	('{"a": 1, "b": 1}', '{"a": 1, "b": 2}'),
	('{"a": 1, "c": 5}', '{"b": 3, "c": 7}'),
	('{"a": 4294967296, "b": 1}', '{"a": 1, "b": 4294967296}')) v (a, b);
-- a delta does for its receiver what the whole does
SELECT delta(a, b), b | delta(a, b) = (a | b) AS as_the_whole, b | a AS merged
FROM (VALUES ('{"a": 3, "b": 2, "c": 1}'::gcounter, '{"a": 3, "b": 1, "d": 1}'::gcounter)) v (a, b);
SELECT merge(c) AS all_of_them, value(merge(c)) FROM (VALUES ('{"a": 1, "b": 4}'::gcounter), (NULL),
	('{"a": 2, "b": 3, "c": 1}'), ('{"b": 4}')) v (c);
SELECT merge(c) IS NULL AS none FROM (VALUES (NULL::gcounter)) v (c);
SELECT merge(c) IS NULL AS none FROM (SELECT '{}'::gcounter WHERE false) v (c);
SELECT i, merge(c) OVER (ORDER BY i) AS running
FROM (VALUES (1, '{"a": 1, "b": 2}'::gcounter), (2, '{"a": 5, "b": 1}'), (3, '{"c": 7}')) v (i, c) ORDER BY i;
SELECT increment(NULL::gcounter, 1, 'a') IS NULL AND increment('{}'::gcounter, NULL, 'a') IS NULL AND
	(NULL::gcounter | '{}') IS NULL AND (NULL::gcounter <@ '{}') IS NULL AND value(NULL::gcounter) IS NULL AND
	delta('{}'::gcounter, NULL) IS NULL AS strict;

-- two replicas that both count
SELECT berlin | tokyo AS merged, value(berlin | tokyo), berlin | tokyo | tokyo | berlin = (tokyo | berlin) AS same
FROM (SELECT increment(c, 2, 'berlin'), increment(c, 3, 'tokyo')
	FROM (VALUES ('{"berlin": 1, "tokyo": 1}'::gcounter)) v (c)) v (berlin, tokyo);

-- the order for sorting: by value, then by nodes, then by counters; equal is equal, and hashes alike
SELECT c, value(c) FROM (VALUES ('{"a": 2}'::gcounter), ('{}'), ('{"b": 1}'), ('{"a": 1}'), ('{"b": 2}'),
	('{"a": 1, "b": 1}'), ('{"a": 256, "b": 1}'), ('{"a": 1, "b": 256}')) v (c) ORDER BY c;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", a = b AS "=", a <> b AS "<>",
	gcounter_hash(a) = gcounter_hash(b) AS hash
FROM (VALUES ('{"a": 1}'::gcounter, '{"a": 2}'::gcounter), ('{"a": 1, "b": 2}', '{"b":2,"a":1,"c":0}'),
	('{"c": 1}', '{"b": 1}')) v (a, b);
SELECT c, count(*) FROM (VALUES ('{"a": 1}'::gcounter), ('{"b": 1}'), ('{"a": 1, "b": 0}')) v (c) GROUP BY c ORDER BY c;

-- jsonb and json; because of the cast to json, rows nest
SELECT '{"b": 2, "a": 1}'::gcounter::jsonb, '{"b": 2, "a": 1}'::gcounter::json, '{"b": 2, "a": 0}'::jsonb::gcounter,
	'{"a": 1}'::text::gcounter;
SELECT to_jsonb(v), row_to_json(v) FROM (VALUES (1, '{"a": 9223372036854775807}'::gcounter)) v (id, likes);
SELECT command, f.* FROM (VALUES
	('SELECT ''{"a": 1.5}''::jsonb::gcounter'),
	('SELECT ''{"a": [1, 2]}''::jsonb::gcounter'),
	('SELECT ''7''::jsonb::gcounter')) v (command), pg_temp.fault(command) f;

-- size: 8 bytes, per node 1 and its name and 4, or 8 if a counter needs it; the image is that of a vclock
SELECT pg_column_size('{}'::gcounter) AS empty, pg_column_size('{"ab": 1, "c": 4294967295}'::gcounter) AS narrow,
	pg_column_size('{"ab": 1, "c": 4294967296}'::gcounter) AS wide;
SELECT gcounter_send('{"ab": 258, "c": 1}'), gcounter_send('{}') AS empty;

-- the value can be indexed
CREATE TEMP TABLE posts (id integer, likes gcounter);
INSERT INTO posts SELECT i, increment(increment('{}'::gcounter, i, 'a'), i / 2, 'b') FROM generate_series(1, 1000) i;
CREATE INDEX posts_likes ON posts (value(likes));
ANALYZE posts;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM posts WHERE value(likes) > 1495 ORDER BY value(likes);
SELECT id, value(likes) FROM posts WHERE value(likes) > 1495 ORDER BY value(likes);
EXPLAIN (COSTS OFF) SELECT id FROM posts WHERE value(likes) = 30;
SELECT id, likes FROM posts WHERE value(likes) = 30;
