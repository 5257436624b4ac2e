-- Vector clocks: text, functions, causal order, merge and meet.

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
SELECT input, input::vclock FROM (VALUES
	('{}'),
	(' { } '),
	('{"a": 1}'),
	('{"b":2,"a":1}'),
	('{"a": 0, "b": 1}'),
	('{"a": 0}'),
	('{"B": 1, "a": 2, "A": 3, "aa": 4, "10": 5, "9": 6}'),
	('{"42795@thread[main,5,main]": 7}'),
	('{"\u00e4\"\\\n": 1, "日本": 2}'),
	('{"a": 4294967295, "b": 4294967296}'),
	('{"a": 9223372036854775807}')) v (input);

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), (' '), ('{'), ('{"a": 1'), ('{"a": 1} x'), ('{"a": 1}{}'), ('null'), ('1'), ('"a"'),
	('[]'), ('[["a", 1]]'), ('{"a"}'), ('{a: 1}'),
	('{"a": 1, "a": 1}'), ('{"a": 1, "b": 2, "a": 3}'), ('{"a": 0, "a": 1}'),
	('{"": 1}'), ('{"a": -1}'), ('{"a": -0}'), ('{"a": 1.5}'), ('{"a": 1.0}'), ('{"a": 1e3}'),
	('{"a": 9223372036854775808}'), ('{"a": 18446744073709551617}'),
	('{"a": 99999999999999999999999999999}'),
	('{"a": "1"}'), ('{"a": null}'), ('{"a": true}'), ('{"a": {}}'), ('{"a": [1]}'),
	('{"a": 01}'), ('{"a": +1}'), ('{"a\u0000b": 1}')) v (input),
	pg_temp.fault(format('SELECT %L::vclock', input)) f;
SELECT f.* FROM pg_temp.fault(format('SELECT %L::vclock', '{"' || repeat('ä', 128) || '": 1}')) f;
SELECT octet_length((nodes(('{"' || repeat('x', 255) || '": 1}')::vclock))[1]) AS longest;
-- the hint shows the form
SELECT '{a}'::vclock;

-- making and changing
SELECT vclock('a', 3), vclock('a', 0), vclock('a', 9223372036854775807);
SELECT tick('{"a": 1}'::vclock, 'a'), tick('{"a": 1}'::vclock, 'b'), tick('{"b": 1}'::vclock, 'a');
SELECT tick('{"a": 4294967295, "b": 1}'::vclock, 'a') AS widens,
	tick('{"a": 4294967296, "b": 1}'::vclock, 'b') AS stays_wide;
SELECT advance('{"a": 5}'::vclock, 'a', 7) AS raised, advance('{"a": 5}'::vclock, 'a', 3) AS kept,
	advance('{"a": 5}'::vclock, 'b', 0) AS no_op, advance('{"a": 5}'::vclock, 'b', 1) AS added;
SELECT receive('{"a": 1, "b": 5}'::vclock, '{"a": 3, "c": 1}', 'b');
SELECT project('{"a": 1, "b": 2, "c": 3}'::vclock, '{c,a,x,a}'), project('{"a": 1}'::vclock, '{}');

SELECT command, f.* FROM (VALUES
	('SELECT vclock('''', 1)'),
	('SELECT vclock(''a'', -1)'),
	('SELECT vclock(repeat(''n'', 256), 1)'),
	('SELECT tick(''{"a": 9223372036854775807}''::vclock, ''a'')'),
	('SELECT tick(''{}''::vclock, '''')'),
	('SELECT advance(''{}''::vclock, ''a'', -1)'),
	('SELECT receive(''{}''::vclock, ''{"a": 9223372036854775807}'', ''a'')'),
	('SELECT project(''{"a": 1}''::vclock, ''{a,null}'')')) v (command),
	pg_temp.fault(command) f;

-- reading
SELECT get('{"a": 1, "b": 2}'::vclock, 'b'), '{"a": 1, "b": 2}'::vclock -> 'a' AS arrow,
	'{"a": 1}'::vclock -> 'none' AS absent, '{}'::vclock -> '' AS empty_name;
SELECT nodes('{"b": 2, "a": 1}'::vclock), nodes('{}'::vclock), node_count('{"b": 2, "a": 1}'::vclock),
	is_zero('{}'::vclock), is_zero('{"a": 1}'::vclock);
SELECT total('{}'::vclock), total('{"a": 1, "b": 2}'::vclock),
	total('{"a": 9223372036854775807, "b": 9223372036854775807, "c": 9223372036854775807}'::vclock);
SELECT * FROM each('{"b": 2, "a": 1}'::vclock);
SELECT n, node, counter FROM (VALUES (1, '{"a": 1, "b": 2}'::vclock), (2, '{}'), (3, '{"c": 3}'))
	v (n, clock), each(clock) ORDER BY n, node;

-- strict: null in, null out
SELECT tick(NULL::vclock, 'a') IS NULL AND (NULL::vclock | '{}') IS NULL AND
	(NULL::vclock << '{}') IS NULL AS strict;

-- causal order: each case once, both ways
SELECT a, b, causal_order(a, b), a << b AS "<<", a >> b AS ">>", a || b AS "||", a <@ b AS "<@",
	a @> b AS "@>", a = b AS "=", a <> b AS "<>"
FROM (VALUES
	('{}'::vclock, '{}'::vclock),
	('{}', '{"a": 1}'),
	('{"a": 1}', '{}'),
	('{"a": 1}', '{"a": 1}'),
	('{"a": 1}', '{"a": 2}'),
	('{"a": 2, "b": 1}', '{"a": 1, "b": 1}'),
	('{"a": 1}', '{"b": 1}'),
	('{"a": 1, "b": 2}', '{"a": 2, "b": 1}'),
	('{"a": 1, "c": 1}', '{"a": 1, "b": 1, "c": 1}'),
	('{"a": 1, "c": 2}', '{"a": 1, "b": 1, "c": 1}'),
	('{"a": 4294967296}', '{"a": 1}'),
	('{"a": 1, "b": 1}', '{"a": 4294967296, "b": 1}'),
	('{"a": 4294967297, "b": 1}', '{"a": 4294967296, "b": 1}'),
	('{"a": 4294967296, "b": 1}', '{"a": 1, "b": 4294967296}')) v (a, b);

-- the order for sorting: by sum, then by nodes, then by counters
SELECT clock FROM (VALUES ('{"a": 2}'::vclock), ('{}'), ('{"b": 1}'), ('{"a": 1}'),
	('{"a": 1, "b": 1}'), ('{"b": 2}'), ('{"a": 256, "b": 1}'), ('{"a": 1, "b": 256}'),
	('{"ab": 1}'), ('{"a": 9223372036854775807, "b": 9223372036854775807, "c": 2}'),
	('{"a": 9223372036854775807, "b": 9223372036854775807, "c": 3}'),
	('{"a": 9223372036854775807}')) v (clock)
ORDER BY clock;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", vclock_cmp(a, b)
FROM (VALUES ('{"a": 1}'::vclock, '{"a": 2}'::vclock), ('{"a": 1}', '{"a": 1}'),
	('{"c": 1}', '{"b": 1}')) v (a, b);

-- merge and meet
SELECT a | b AS joined, merge(a, b) = (a | b) AS same, a & b AS met, meet(a, b) = (a & b) AS same
FROM (VALUES
	('{}'::vclock, '{"a": 1}'::vclock),
	('{"a": 1, "b": 5}', '{"a": 3, "b": 2}'),
	('{"a": 1, "c": 5}', '{"b": 3, "c": 7}'),
	('{"a": 4294967296, "b": 1}', '{"a": 1, "b": 4294967296}'),
	('{"a": 4294967296}', '{"a": 4294967297}'),
	('{"a": 1}', '{"b": 4294967296}')) v (a, b);
SELECT merge(clock), meet(clock) FROM (VALUES ('{"a": 1, "b": 4}'::vclock), (NULL),
	('{"a": 2, "b": 3, "c": 1}'), ('{"b": 9}')) v (clock);
SELECT merge(clock) IS NULL AND meet(clock) IS NULL AS none FROM (VALUES (NULL::vclock)) v (clock);
SELECT merge(clock) IS NULL AND meet(clock) IS NULL AS none
FROM (SELECT '{}'::vclock WHERE false) v (clock);
SELECT merge(clock) AS one, meet(clock) AS one FROM (VALUES ('{"a": 1}'::vclock)) v (clock);

-- new nodes on every row, narrow and wide, in and out of order
SELECT node_count(m), total(m), m -> 'n1' AS n1, m -> 'n5000' AS n5000
FROM (SELECT merge(vclock('n' || (i * 7919 % 5000 + 1), CASE WHEN i = 3 THEN 4294967296 ELSE i END))
	FROM generate_series(1, 10000) i) s (m);
SELECT merge(merge('{"a": 1}', vclock('n' || i, i))) = merge(vclock('n' || i, i)) | '{"a": 1}' AS same
FROM generate_series(1, 300) i;

-- an aggregate's state is not handed out: later rows do not change earlier results
SELECT i, merge(clock) OVER (ORDER BY i) AS running,
	merge(merge(clock) OVER (ORDER BY i), '{"z": 1}') AS touched,
	meet(clock) OVER (ORDER BY i DESC) AS meet_from_end
FROM (VALUES (1, '{"a": 1, "b": 2}'::vclock), (2, '{"a": 5, "b": 1}'), (3, '{"a": 3, "b": 7}')) v (i, clock)
ORDER BY i;

-- causal context and deltas
SELECT context('{"a": 1}'::vclock), delta('{"a": 3, "b": 2, "c": 1}'::vclock, '{"a": 3, "b": 1}'),
	delta('{"a": 3}'::vclock, '{}') AS whole, delta('{"a": 3}'::vclock, '{"a": 4}') AS nothing;

-- jsonb and text
SELECT '{"b": 2, "a": 1}'::vclock::jsonb, '{"b": 2, "a": 0}'::jsonb::vclock, '{"a": 1}'::text::vclock;
SELECT command, f.* FROM (VALUES
	('SELECT ''{"a": 1.5}''::jsonb::vclock'),
	('SELECT ''[1]''::jsonb::vclock'),
	('SELECT ''{"a": {"b": 1}}''::jsonb::vclock')) v (command), pg_temp.fault(command) f;
CREATE TEMP TABLE documents (body jsonb);
INSERT INTO documents VALUES ('{"a": 1}'::vclock);
SELECT body, jsonb_typeof(body -> 'a') FROM documents;

-- size: 8 bytes, per node 1 and its name and 4, or 8 if a counter needs it
SELECT pg_column_size('{}'::vclock) AS empty,
	pg_column_size('{"node-0": 1, "node-1": 2, "node-2": 3, "node-3": 4, "node-4": 5, "node-5": 6, "node-6": 7, "node-7": 1000000}'::vclock) AS narrow,
	pg_column_size('{"node-0": 4294967296, "node-1": 1}'::vclock) AS wide,
	pg_column_size(tick('{"a": 1}'::vclock, 'a')) = pg_column_size('{"a": 1}'::vclock) AS same;

-- binary image, version 1
SELECT vclock_send('{"ab": 258, "c": 1}');

-- an empty clock is a fine default, and a clock can be a key
CREATE TEMP TABLE replicas (name text, clock vclock DEFAULT '{}', PRIMARY KEY (clock, name));
INSERT INTO replicas VALUES ('x'), ('z');
INSERT INTO replicas VALUES ('y', '{"a": 1}');
INSERT INTO replicas VALUES ('x', '{"a": 0}');
SELECT * FROM replicas ORDER BY clock;
SELECT clock, count(*) FROM replicas GROUP BY clock ORDER BY clock;

-- large clocks: compressed, toasted, read in part
CREATE TEMP TABLE large AS
SELECT n, (SELECT merge(vclock('node-' || i, i * n)) FROM generate_series(1, n * 1000) i) AS clock
FROM generate_series(1, 3) n;
ALTER TABLE large ALTER clock SET STORAGE EXTERNAL;
INSERT INTO large SELECT n + 3, clock FROM large;
SELECT n, node_count(clock), clock -> 'node-1000' AS counter, total(clock) FROM large ORDER BY n;
SELECT a.n, b.n, causal_order(a.clock, b.clock) FROM large a, large b WHERE a.n = 1 ORDER BY b.n;
SELECT count(DISTINCT clock) FROM large;
SELECT merge(clock) = (SELECT clock FROM large WHERE n = 3) AS same FROM large;
SELECT n FROM large ORDER BY clock DESC, n;

-- project() of a large clock onto all of its nodes once took quadratic time
SET statement_timeout = '20s';
SELECT node_count(project(clock, nodes(clock) || ARRAY['', repeat('x', 300)])) AS all_of_them
FROM (SELECT merge(vclock('n' || i, i)) FROM generate_series(1, 200000) i) s (clock);
RESET statement_timeout;
