-- Counters that go up and down: text, counting, reset, merge, order, casts.

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

-- text: sorted by bytes, a node that counts neither way dropped
SELECT input, input::pncounter FROM (VALUES
	('{}'),
	(' { } '),
	('{"a": [5, 2]}'),
	('{"b":[0,3],"a":[ 1 , 0 ]}'),
	('{"a": [0, 0], "b": [2, 2]}'),
	('{"a": [0, 0]}'),
	('{"B": [1, 0], "a": [2, 0], "aa": [0, 3], "10": [4, 0], "9": [5, 1]}'),
	('{"\u00e4\"\\\n": [1, 0], "日本": [0, 2]}'),
	('{"a": [4294967295, 4294967296]}'),
	('{"a": [9223372036854775807, 9223372036854775807]}')) v (input);

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), ('{"a": [1, 2'), ('{"a": [1, 2]} x'), ('null'), ('1'), ('"a"'), ('[]'), ('[1, 2]'), ('{a: [1, 2]}'),
	('{"a": [1, 0], "a": [1, 0]}'), ('{"a": [0, 0], "a": [1, 0]}'), ('{"": [1, 0]}'),
	('{"a": 1}'), ('{"a": []}'), ('{"a": [1]}'), ('{"a": [1, 2, 3]}'), ('{"a": {"up": 1}}'), ('{"a": null}'),
	('{"a": [-1, 0]}'), ('{"a": [0, -1]}'), ('{"a": [1.5, 0]}'), ('{"a": [1, 2.0]}'), ('{"a": [1e3, 0]}'),
	('{"a": [9223372036854775808, 0]}'), ('{"a": [0, 99999999999999999999999999999]}'),
	('{"a": ["1", 0]}'), ('{"a": [1, null]}'), ('{"a": [true, 0]}'), ('{"a": [1, {}]}'), ('{"a": [[1], 2]}'),
	('{"a\u0000b": [1, 0]}')) v (input),
	pg_temp.fault(format('SELECT %L::pncounter', input)) f;
SELECT f.* FROM pg_temp.fault(format('SELECT %L::pncounter', '{"' || repeat('ä', 128) || '": [1, 0]}')) f;
SELECT value(('{"' || repeat('x', 255) || '": [1, 3]}')::pncounter) AS longest_name;
-- the hint shows the form
SELECT '{a}'::pncounter;

-- counting
SELECT increment('{}'::pncounter, 3, 'a') AS up, decrement('{}'::pncounter, 3, 'a') AS down,
	decrement('{"a": [3, 0]}'::pncounter, 4, 'a') AS below_zero, increment('{"b": [1, 1]}'::pncounter, node => 'a') AS one_up,
	decrement('{"b": [1, 1]}'::pncounter, node => 'a') AS one_down;
SELECT increment('{"a": [4294967295, 7]}'::pncounter, 1, 'a') AS widens, decrement('{"a": [7, 4294967295]}'::pncounter, 1, 'a') AS widens,
	decrement('{"a": [4294967296, 1], "b": [1, 0]}'::pncounter, 1, 'b') AS stays_wide;
SELECT increment('{"a": [3, 1]}'::pncounter, 0, 'a') AS no_op, decrement('{}'::pncounter, 0, 'a') AS adds_no_node,
	increment('{"a": [3, 1]}'::pncounter, 9223372036854775804, 'a') AS greatest,
	decrement('{"a": [3, 1]}'::pncounter, 9223372036854775806, 'a') AS least;
SELECT increment('{}'::pncounter);
SELECT decrement('{}'::pncounter);
SELECT '{}'::pncounter - 0;
SELECT reset('{}'::pncounter);
SET distributed.node = 'here';
SELECT increment('{}'::pncounter), decrement('{"here": [1, 0]}'::pncounter, 5), '{"there": [1, 0]}'::pncounter + 2 - 3 + 4 AS plus_minus,
	'{"a": [1, 0]}'::pncounter - 0 AS no_op;
SELECT command, f.* FROM (VALUES
	('SELECT increment(''{}''::pncounter, -1, ''a'')'),
	('SELECT decrement(''{}''::pncounter, -1, ''a'')'),
	('SELECT ''{}''::pncounter + -1'),
	('SELECT ''{}''::pncounter - -9223372036854775808'),
	('SELECT ''{}''::pncounter - 9223372036854775808'),
	('SELECT increment(''{"a": [9223372036854775807, 1]}''::pncounter, 1, ''a'')'),
	('SELECT decrement(''{"a": [1, 9223372036854775807]}''::pncounter, 1, ''a'')'),
	('SELECT decrement(''{"a": [1, 3]}''::pncounter, 9223372036854775805, ''a'')'),
	('SELECT decrement(''{"a": [9223372036854775807, 0]}''::pncounter, 9223372036854775807, ''a'')'),
	('SELECT decrement(''{"a": [0, 9223372036854775807]}''::pncounter, 0, ''a'')'),
	('SELECT decrement(''{"a": [0, 9223372036854775807]}''::pncounter, 1, ''b'')'),
	('SELECT increment(''{}''::pncounter, 1, '''')'),
	('SELECT decrement(''{}''::pncounter, 0, '''')'),
	('SELECT decrement(''{}''::pncounter, 1, repeat(''n'', 256))'),
	('SELECT 1 - ''{}''::pncounter')) v (command),
	pg_temp.fault(command) f;

-- reset takes back what has been observed, by counting as far the other way at one node
SELECT c, value(c), reset(c, 'a') AS reset, value(reset(c, 'a')) AS then, reset(c, 'z') AS elsewhere,
	reset(reset(c, 'a'), 'a') = reset(c, 'a') AS once
FROM (VALUES
	('{}'::pncounter),
	('{"a": [5, 2]}'),
	('{"a": [2, 5]}'),
	('{"a": [5, 5]}'),
	('{"a": [5, 0], "b": [0, 5]}'),
	('{"a": [5, 0], "b": [4, 1]}'),
	('{"b": [4, 1], "c": [0, 9]}'),
	('{"a": [9223372036854775807, 0]}'),
	('{"a": [0, 4294967296]}')) v (c);
SELECT reset('{"a": [1, 0]}'::pncounter) AS here, reset('{}'::pncounter) AS nothing;
-- what was counted elsewhere at that time keeps its effect
SELECT reset | counted AS merged, value(reset | counted), reset <@ (reset | counted) AS "<@"
FROM (SELECT reset(c, 'a'), decrement(increment(c, 10, 'b'), 4, 'b') FROM (VALUES ('{"a": [3, 0], "b": [1, 0]}'::pncounter)) v (c)) v (reset, counted);
-- two nodes that reset at that time take the same count back twice; resetting the merged counter mends it
SELECT a | b AS merged, value(a | b), reset(a | b, 'b') AS again, value(reset(a | b, 'b')) AS mended
FROM (SELECT reset(c, 'a'), reset(c, 'b') FROM (VALUES ('{"a": [3, 0], "b": [2, 0]}'::pncounter)) v (c)) v (a, b);
-- one node's resets of one state are one reset
SELECT a | b AS merged, value(a | b)
FROM (SELECT reset(c, 'a'), reset(c, 'a') FROM (VALUES ('{"a": [3, 0], "b": [2, 0]}'::pncounter)) v (c)) v (a, b);
SELECT command, f.* FROM (VALUES
	('SELECT reset(''{"a": [1, 0]}''::pncounter, '''')'),
	('SELECT reset(''{}''::pncounter, repeat(''n'', 256))'),
	('SELECT reset(''{"a": [3, 9223372036854775807], "b": [9223372036854775807, 0]}''::pncounter, ''a'')'),
	('SELECT reset(''{"a": [9223372036854775807, 3], "b": [0, 9223372036854775807]}''::pncounter, ''a'')'),
	('SELECT reset(''{"a": [9223372036854775807, 0], "b": [1, 0]}''::pncounter, ''c'')'),
	('SELECT reset(''{"a": [0, 9223372036854775807], "b": [0, 9223372036854775807]}''::pncounter, ''c'')')) v (command),
	pg_temp.fault(command) f;
RESET distributed.node;

-- reading: the value may be greater or less than any bigint
SELECT value('{}'::pncounter) AS none, value('{"a": [3, 1], "b": [4, 0]}'::pncounter), value('{"a": [1, 3], "b": [0, 4]}'::pncounter) AS below_zero,
	value('{"a": [3, 0], "b": [0, 3]}'::pncounter) AS even, pg_typeof(value('{}'::pncounter));
SELECT value('{"a": [9223372036854775807, 0], "b": [9223372036854775807, 1], "c": [9223372036854775807, 0]}'::pncounter) AS great,
	value('{"a": [0, 9223372036854775807], "b": [1, 9223372036854775807], "c": [0, 9223372036854775807]}'::pncounter) AS small,
	value('{"a": [9223372036854775807, 9223372036854775807], "b": [9223372036854775807, 9223372036854775807], "c": [9223372036854775806, 9223372036854775807]}'::pncounter) AS near;
SELECT get('{"a": [3, 1], "b": [4, 9]}'::pncounter, 'a'), get('{"a": [3, 1], "b": [4, 9]}'::pncounter, 'b') AS below_zero,
	get('{"a": [3, 1]}'::pncounter, 'none') AS absent, get('{}'::pncounter, '') AS empty_name,
	get('{"a": [9223372036854775807, 0]}'::pncounter, 'a') AS greatest, get('{"a": [0, 9223372036854775807]}'::pncounter, 'a') AS least;
SELECT '{"a": [3, 1], "b": [0, 4]}'::pncounter::bigint, '{"a": [3, 1], "b": [0, 4]}'::pncounter::numeric,
	'{"a": [9223372036854775807, 0], "b": [1, 1]}'::pncounter::bigint AS greatest,
	'{"a": [0, 9223372036854775807], "b": [0, 1]}'::pncounter::bigint AS least, '{}'::pncounter::bigint AS none;
SELECT command, f.* FROM (VALUES
	('SELECT ''{"a": [9223372036854775807, 0], "b": [1, 0]}''::pncounter::bigint'),
	('SELECT ''{"a": [0, 9223372036854775807], "b": [0, 2]}''::pncounter::bigint'),
	('SELECT ''{"a": [0, 9223372036854775807], "b": [0, 2]}''::pncounter::numeric'),
	('SELECT ''{"a": [1, 0]}''::pncounter::integer'),
	('SELECT 1::bigint::pncounter')) v (command), pg_temp.fault(command) f;
CREATE TEMP TABLE counts (total numeric, small bigint);
INSERT INTO counts VALUES ('{"a": [1, 0], "b": [0, 2]}'::pncounter, '{"a": [5, 1]}'::pncounter);
SELECT * FROM counts;

-- merge and inclusion, each case both ways
SELECT a, b, a | b AS "|", (a | b) = (b | a) AND merge(a, b) = (a | b) AS same, a <@ b AS "<@",
	a @> b AS "@>", delta(a, b), delta(b, a) AS back
FROM (VALUES
	('{}'::pncounter, '{}'::pncounter),
	('{}', '{"a": [1, 0]}'),
	('{"a": [0, 1]}', '{}'),
	('{"a": [1, 2]}', '{"a": [1, 2]}'),
	('{"a": [1, 0]}', '{"a": [0, 1]}'),
	('{"a": [5, 2]}', '{"a": [3, 4]}'),
	('{"a": [5, 2]}', '{"a": [5, 4]}'),
	('{"a": [1, 1], "b": [5, 0]}', '{"a": [3, 0], "b": [2, 0]}'),
	('{"a": [1, 0], "b": [1, 2]}', '{"a": [1, 0], "b": [2, 2]}'),
	('{"a": [1, 0], "c": [5, 1]}', '{"b": [3, 0], "c": [0, 7]}'),
	('{"a": [4294967296, 1]}', '{"a": [1, 4294967296]}')) v (a, b);
-- a delta does for its receiver what the whole does
SELECT delta(a, b), b | delta(a, b) = (a | b) AS as_the_whole, b | a AS merged
FROM (VALUES ('{"a": [3, 1], "b": [2, 2], "c": [0, 1]}'::pncounter, '{"a": [3, 1], "b": [2, 1], "d": [1, 0]}'::pncounter)) v (a, b);
SELECT merge(c) AS all_of_them, value(merge(c)) FROM (VALUES ('{"a": [1, 3], "b": [4, 0]}'::pncounter), (NULL),
	('{"a": [2, 1], "b": [3, 1], "c": [0, 1]}'), ('{"b": [4, 0]}')) v (c);
SELECT merge(c) IS NULL AS none FROM (VALUES (NULL::pncounter)) v (c);
SELECT merge(c) IS NULL AS none FROM (SELECT '{}'::pncounter WHERE false) v (c);
SELECT i, merge(c) OVER (ORDER BY i) AS running, value(merge(c) OVER (ORDER BY i))
FROM (VALUES (1, '{"a": [1, 2]}'::pncounter), (2, '{"a": [5, 1]}'), (3, '{"c": [0, 7]}')) v (i, c) ORDER BY i;
SELECT increment(NULL::pncounter, 1, 'a') IS NULL AND decrement('{}'::pncounter, NULL, 'a') IS NULL AND
	reset(NULL::pncounter, 'a') IS NULL AND (NULL::pncounter | '{}') IS NULL AND (NULL::pncounter <@ '{}') IS NULL AND
	value(NULL::pncounter) IS NULL AND delta('{}'::pncounter, NULL) IS NULL AS strict;

-- two replicas that both count
SELECT berlin | tokyo AS merged, value(berlin | tokyo), berlin | tokyo | tokyo | berlin = (tokyo | berlin) AS same
FROM (SELECT increment(c, 2, 'berlin'), decrement(c, 3, 'tokyo')
	FROM (VALUES ('{"berlin": [1, 0], "tokyo": [1, 0]}'::pncounter)) v (c)) v (berlin, tokyo);

-- the order for sorting: by all that was counted, up and down, then by nodes, then by increments, then
-- by decrements; not by value, which may fall while the counter grows
SELECT c, value(c) FROM (VALUES ('{"a": [2, 0]}'::pncounter), ('{}'), ('{"b": [0, 1]}'), ('{"a": [0, 1]}'), ('{"a": [1, 0]}'),
	('{"b": [1, 0]}'), ('{"a": [1, 1]}'), ('{"a": [0, 2]}'), ('{"a": [1, 0], "b": [0, 1]}'), ('{"a": [0, 1], "b": [1, 0]}'),
	('{"a": [256, 1]}'), ('{"a": [1, 256]}')) v (c) ORDER BY c;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", a = b AS "=", a <> b AS "<>",
	pncounter_hash(a) = pncounter_hash(b) AS hash
FROM (VALUES ('{"a": [1, 0]}'::pncounter, '{"a": [1, 1]}'::pncounter), ('{"a": [1, 0], "b": [0, 2]}', '{"b":[0,2],"a":[1,0],"c":[0,0]}'),
	('{"a": [1, 0]}', '{"a": [0, 1]}')) v (a, b);
SELECT c, count(*) FROM (VALUES ('{"a": [0, 1]}'::pncounter), ('{"b": [1, 0]}'), ('{"a": [0, 1], "b": [0, 0]}')) v (c) GROUP BY c ORDER BY c;

-- jsonb and json; because of the cast to json, rows nest
SELECT '{"b": [2, 0], "a": [1, 1]}'::pncounter::jsonb, '{"b": [2, 0], "a": [1, 1]}'::pncounter::json,
	'{"b": [2, 1], "a": [0, 0]}'::jsonb::pncounter, '{"a": [1, 0]}'::text::pncounter;
SELECT to_jsonb(v), row_to_json(v) FROM (VALUES (1, '{"a": [9223372036854775807, 1]}'::pncounter)) v (id, stock);
SELECT command, f.* FROM (VALUES
	('SELECT ''{"a": [1.5, 0]}''::jsonb::pncounter'),
	('SELECT ''{"a": 1}''::jsonb::pncounter'),
	('SELECT ''7''::jsonb::pncounter')) v (command), pg_temp.fault(command) f;

-- size: 8 bytes, per node 1 and its name and twice 4, or twice 8 if a counter needs it
SELECT pg_column_size('{}'::pncounter) AS empty, pg_column_size('{"ab": [1, 0], "c": [0, 4294967295]}'::pncounter) AS narrow,
	pg_column_size('{"ab": [1, 0], "c": [0, 4294967296]}'::pncounter) AS wide;
-- binary image, version 1
SELECT pncounter_send('{"ab": [258, 1], "c": [0, 2]}'), pncounter_send('{}') AS empty;

-- the value can be indexed
CREATE TEMP TABLE stocks (id integer, stock pncounter);
INSERT INTO stocks SELECT i, decrement(increment('{}'::pncounter, i, 'a'), i * i / 100, 'b') FROM generate_series(1, 1000) i;
CREATE INDEX stocks_value ON stocks (value(stock));
ANALYZE stocks;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM stocks WHERE value(stock) < -8970 ORDER BY value(stock);
SELECT id, value(stock) FROM stocks WHERE value(stock) < -8970 ORDER BY value(stock);
EXPLAIN (COSTS OFF) SELECT id FROM stocks WHERE value(stock) = -11;
SELECT id, stock FROM stocks WHERE value(stock) = -11;
