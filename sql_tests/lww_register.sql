-- Last-writer-wins registers: text, writing, ties, merge, order.

\set SHOW_CONTEXT never
SET timezone = 'Asia/Tokyo';
SET datestyle = 'SQL, DMY';
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

-- text: members in any order, every text form of a time
SELECT input, input::lww_register FROM (VALUES
	('{}'),
	(' { } '),
	('{"value": "x", "at": "2026-11-22T13:00:00.123456789Z/7", "node": "a"}'),
	('{"node":"a","at":"2026-11-22T13:00:00Z","value":"x"}'),
	('{"value": "x", "at": "2026-11-22 15:00:00.5+02", "node": "a"}'),
	('{"value": "x", "at": " 2026-11-22t13:00:00z/3 ", "node": "a"}'),
	('{"value": "x", "at": "17.0", "node": "a"}'),
	('{"value": "x", "at": "-1.5", "node": "a"}'),
	('{"value": "x", "at": "9223372036854775807.4294967295", "node": "a"}'),
	('{"value": "x", "at": "-9223372036854775808.0", "node": "a"}'),
	('{"value": "", "at": "17.0", "node": "a"}'),
	('{"value": "null", "at": "17.0", "node": "a"}'),
	('{"value": "{\"n\": 1}", "at": "17.0", "node": "a"}'),
	('{"value": "\u00e4\"\\\n", "at": "17.0", "node": "\u65e5本"}')) v (input);
SELECT value(r) = '😀' AS same, octet_length(value(r)), r::text = '{"value": "😀", "at": "1970-01-01T00:00:00.000000017Z/0", "node": "a"}' AS text
FROM (VALUES ('{"value": "\ud83d\ude00", "at": "17.0", "node": "a"}'::lww_register)) v (r);

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), ('{"value": "x"'), ('{} x'), ('null'), ('1'), ('"x"'), ('[]'), ('{value: "x"}'),
	('{"value": "x"}'), ('{"at": "17.0", "node": "a"}'), ('{"value": "x", "node": "a"}'), ('{"value": "x", "at": "17.0"}'),
	('{"key": "x"}'), ('{"value": "x", "at": "17.0", "node": "a", "dot": 1}'), ('{"Value": "x", "at": "17.0", "node": "a"}'),
	('{"value": "x", "value": "x", "at": "17.0", "node": "a"}'), ('{"value": "x", "at": "17.0", "node": "a", "node": "b"}'),
	('{"value": null, "at": "17.0", "node": "a"}'), ('{"value": 1, "at": "17.0", "node": "a"}'),
	('{"value": true, "at": "17.0", "node": "a"}'), ('{"value": {}, "at": "17.0", "node": "a"}'),
	('{"value": ["x"], "at": "17.0", "node": "a"}'),
	('{"value": "x", "at": 17.0, "node": "a"}'), ('{"value": "x", "at": null, "node": "a"}'),
	('{"value": "x", "at": "", "node": "a"}'), ('{"value": "x", "at": "17", "node": "a"}'),
	('{"value": "x", "at": "yesterday", "node": "a"}'), ('{"value": "x", "at": "2026-11-22T13:00:00", "node": "a"}'),
	('{"value": "x", "at": "2026-02-29T13:00:00Z", "node": "a"}'), ('{"value": "x", "at": "17.0 x", "node": "a"}'),
	('{"value": "x", "at": "17.4294967296", "node": "a"}'), ('{"value": "x", "at": "9223372036854775808.0", "node": "a"}'),
	('{"value": "x", "at": "9999-12-31T00:00:00Z", "node": "a"}'),
	('{"value": "x", "at": "17.0", "node": ""}'), ('{"value": "x", "at": "17.0", "node": null}'),
	('{"value": "x", "at": "17.0", "node": 1}'),
	('{"value": "x\u0000", "at": "17.0", "node": "a"}')) v (input),
	pg_temp.fault(format('SELECT %L::lww_register', input)) f;
SELECT f.* FROM pg_temp.fault(format('SELECT %L::lww_register', '{"value": "x", "at": "17.0", "node": "' || repeat('ä', 128) || '"}')) f;
SELECT octet_length(node(('{"value": "x", "at": "17.0", "node": "' || repeat('x', 255) || '"}')::lww_register)) AS longest_name;
-- the hint shows the form
SELECT 'x'::lww_register;

-- writing: a write that comes late changes nothing
SELECT lww_register('x', '17.3', 'a'), set('{}'::lww_register, 'x', '17.3', 'a') = lww_register('x', '17.3', 'a') AS same;
SELECT at, node, value, value(r) AS now, node(r), r = lww_register(value, at, node) AS alone, r = old AS unchanged
FROM (VALUES (lww_register('m', '17.3', 'm'))) o (old),
	(VALUES ('18.0'::hlc, 'a', 'a'), ('17.4', 'a', 'a'), ('17.3', 'n', 'a'), ('17.3', 'mm', 'a'), ('17.3', 'm', 'n'), ('17.3', 'm', 'mm'),
		('17.3', 'm', 'm'), ('17.3', 'm', 'l'), ('17.3', 'm', ''), ('17.3', 'l', 'z'), ('17.3', 'M', 'z'), ('17.2', 'z', 'z'),
		('16.9', 'z', 'z'), ('-17.3', 'z', 'z')) v (at, node, value),
	set(old, value, at, node) r;
-- at the local node
SELECT lww_register('x', '17.0');
SELECT set('{}'::lww_register, 'x', '17.0');
SET distributed.node = 'here';
SELECT lww_register('x', '17.0'), set(lww_register('x', '17.0', 'a'), 'y', '17.1'), set(lww_register('x', '17.1', 'a'), 'y', '17.0') AS late;
RESET distributed.node;
SELECT command, f.* FROM (VALUES
	('SELECT lww_register(''x'', ''17.0'', '''')'),
	('SELECT lww_register(''x'', ''17.0'', repeat(''n'', 256))'),
	('SELECT lww_register(''x'', ''17'', ''a'')'),
	('SELECT set(lww_register(''x'', ''17.0'', ''a''), ''y'', ''16.0'', '''')'),
	('SELECT set(lww_register(''x'', ''17.0'', ''a''), ''y'', ''18.0'', repeat(''n'', 256))')) v (command),
	pg_temp.fault(command) f;

-- reading: null if never written, which is not the empty value
SELECT value(r), stamp(r), node(r), value(r) IS NULL AS unset FROM (VALUES ('{}'::lww_register),
	('{"value": "", "at": "2026-11-22T13:00:00.5Z/7", "node": "a"}'), ('{"value": "x", "at": "-1.5", "node": "日本"}'),
	(lww_register('late', '9223372036854775807.4294967295', 'z'))) v (r);
SELECT pg_typeof(value('{}'::lww_register)) AS value, pg_typeof(stamp('{}'::lww_register)) AS stamp, pg_typeof(node('{}'::lww_register)) AS node;
CREATE TEMP TABLE titles (id integer, title lww_register DEFAULT '{}');
INSERT INTO titles VALUES (1);
UPDATE titles SET title = set(title, 'soup', '17.0', 'a');
SELECT id, value(title), title FROM titles;

-- merge and inclusion, each case both ways: the later time wins, then the greater node, then the greater
-- value, by bytes
SELECT a ->> 'value' AS a, b ->> 'value' AS b, value(x | y) AS merged, node(x | y), stamp(x | y),
	(x | y) = (y | x) AND merge(x, y) = (x | y) AND (x | y) IN (x, y) AS same, x <@ y AS "<@", x @> y AS "@>"
FROM (VALUES
	('{}'::jsonb, '{}'::jsonb),
	('{}', '{"value": "x", "at": "-9223372036854775808.0", "node": "a"}'),
	('{"value": "x", "at": "17.0", "node": "a"}', '{"value": "x", "at": "17.0", "node": "a"}'),
	('{"value": "z", "at": "17.9", "node": "z"}', '{"value": "a", "at": "18.0", "node": "a"}'),
	('{"value": "z", "at": "-1.9", "node": "z"}', '{"value": "a", "at": "0.0", "node": "a"}'),
	('{"value": "z", "at": "-2.0", "node": "z"}', '{"value": "a", "at": "-1.0", "node": "a"}'),
	('{"value": "z", "at": "17.9", "node": "z"}', '{"value": "a", "at": "17.10", "node": "a"}'),
	('{"value": "z", "at": "17.2147483647", "node": "z"}', '{"value": "a", "at": "17.2147483648", "node": "a"}'),
	('{"value": "z", "at": "17.0", "node": "a"}', '{"value": "a", "at": "17.0", "node": "b"}'),
	('{"value": "z", "at": "17.0", "node": "a"}', '{"value": "a", "at": "17.0", "node": "aa"}'),
	('{"value": "z", "at": "17.0", "node": "b"}', '{"value": "a", "at": "17.0", "node": "aa"}'),
	('{"value": "z", "at": "17.0", "node": "B"}', '{"value": "a", "at": "17.0", "node": "a"}'),
	('{"value": "z", "at": "17.0", "node": "z"}', '{"value": "a", "at": "17.0", "node": "ä"}'),
	('{"value": "x", "at": "17.0", "node": "a"}', '{"value": "y", "at": "17.0", "node": "a"}'),
	('{"value": "", "at": "17.0", "node": "a"}', '{"value": "x", "at": "17.0", "node": "a"}'),
	('{"value": "x", "at": "17.0", "node": "a"}', '{"value": "xy", "at": "17.0", "node": "a"}'),
	('{"value": "xy", "at": "17.0", "node": "a"}', '{"value": "y", "at": "17.0", "node": "a"}'),
	('{"value": "Z", "at": "17.0", "node": "a"}', '{"value": "a", "at": "17.0", "node": "a"}'),
	('{"value": "z", "at": "17.0", "node": "a"}', '{"value": "ä", "at": "17.0", "node": "a"}'),
	('{"value": "9", "at": "17.0", "node": "a"}', '{"value": "10", "at": "17.0", "node": "a"}')) v (a, b),
	LATERAL (SELECT a::lww_register, b::lww_register) w (x, y);
SELECT merge(r) AS all_of_them FROM (VALUES (lww_register('x', '17.0', 'a')), (NULL), (lww_register('y', '18.0', 'a')),
	('{}'), (lww_register('z', '16.0', 'z'))) v (r);
SELECT merge(r) AS unset FROM (VALUES ('{}'::lww_register), (NULL), ('{}')) v (r);
SELECT merge(r) IS NULL AS none FROM (VALUES (NULL::lww_register)) v (r);
SELECT merge(r) IS NULL AS none FROM (SELECT '{}'::lww_register WHERE false) v (r);
SELECT i, value(merge(r) OVER (ORDER BY i)) AS running
FROM (VALUES (1, lww_register('x', '17.0', 'a')), (2, lww_register('y', '18.0', 'a')), (3, lww_register('z', '16.0', 'a'))) v (i, r) ORDER BY i;
SELECT lww_register(NULL, '17.0', 'a') IS NULL AND lww_register('x', NULL, 'a') IS NULL AND lww_register('x', '17.0', NULL) IS NULL AND
	set(NULL::lww_register, 'x', '17.0', 'a') IS NULL AND set('{}'::lww_register, NULL, '17.0', 'a') IS NULL AND
	(NULL::lww_register | '{}') IS NULL AND (NULL::lww_register <@ '{}') IS NULL AND value(NULL::lww_register) IS NULL AS strict;

-- two replicas that both write: whatever ties, both keep the same
SELECT value(berlin | tokyo), berlin | tokyo AS merged, berlin | tokyo | tokyo | berlin = (tokyo | berlin) AS same
FROM (SELECT set(r, 'stew', '18.0', 'berlin'), set(r, 'ramen', '18.0', 'tokyo')
	FROM (VALUES (lww_register('soup', '17.0', 'berlin'))) v (r)) v (berlin, tokyo);

-- the order for sorting: never written, then by time, node and value; equal is equal, and hashes alike
SELECT r FROM (VALUES (lww_register('x', '18.0', 'a')), ('{}'), (lww_register('x', '17.1', 'a')), (lww_register('x', '17.0', 'b')),
	(lww_register('y', '17.0', 'a')), (lww_register('x', '17.0', 'a')), (lww_register('', '17.0', 'a')), (lww_register('x', '-17.0', 'a')),
	(lww_register('x', '17.10', 'a')), (lww_register('x', '17.9', 'a')), (lww_register('x', '2026-11-22T13:00:00Z', 'a')),
	(lww_register('x', '-9223372036854775808.0', 'a')), (lww_register('x', '9223372036854775807.4294967295', 'a'))) v (r) ORDER BY r;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", a = b AS "=", a <> b AS "<>",
	lww_register_hash(a) = lww_register_hash(b) AS hash
FROM (VALUES ('{}'::lww_register, lww_register('x', '-5.0', 'a')),
	('{"value": "x", "at": "1970-01-01T09:00:00.000000017+09", "node": "a"}', lww_register('x', '17.0', 'a')),
	(lww_register('x', '17.0', 'b'), lww_register('y', '17.0', 'a'))) v (a, b);
SELECT r, count(*) FROM (VALUES (lww_register('x', '17.0', 'a')), (lww_register('y', '17.0', 'a')), (set(lww_register('w', '16.0', 'b'), 'x', '17.0', 'a'))) v (r)
GROUP BY r ORDER BY r;

-- jsonb and json; because of the cast to json, rows nest
SELECT lww_register('x', '17.3', 'a')::jsonb, lww_register('x', '17.3', 'a')::json;
SELECT '{"node": "a", "at": "17.3", "value": "x"}'::jsonb::lww_register, '{}'::jsonb::lww_register, '{}'::lww_register::jsonb,
	'{"node": "a", "at": "17.3", "value": "x"}'::text::lww_register AS of_text;
SELECT to_jsonb(v), row_to_json(v) FROM (VALUES (1, lww_register('x', '17.3', 'a'))) v (id, title);
SELECT command, f.* FROM (VALUES
	('SELECT ''{"value": 1, "at": "17.0", "node": "a"}''::jsonb::lww_register'),
	('SELECT ''{"value": "x"}''::jsonb::lww_register'),
	('SELECT ''"x"''::jsonb::lww_register'),
	('SELECT ''null''::jsonb::lww_register')) v (command), pg_temp.fault(command) f;

-- size: 8 bytes if never written, else 20, the value and the node's name, and 1 to 4 for each of the
-- value's length and the logical counter, unless it is 0
SELECT pg_column_size('{}'::lww_register) AS empty, pg_column_size(lww_register('', '17.0', 'a')) AS no_value,
	pg_column_size(lww_register('x', '17.0', 'a')) AS value, pg_column_size(lww_register('x', '17.255', 'berlin')) AS logical,
	pg_column_size(lww_register(repeat('x', 255), '17.256', 'a')) AS longer, pg_column_size(lww_register(repeat('x', 256), '17.65536', 'a')) AS longest;
-- binary image, version 1
SELECT lww_register_send(lww_register('xy', '258.7', 'abc')), lww_register_send('{}') AS empty;
SELECT lww_register_send(lww_register('', '-1.4294967295', 'a')) AS before_1970;

-- value and time can be indexed
CREATE TEMP TABLE pages (id integer, title lww_register);
INSERT INTO pages SELECT i, lww_register('title ' || i, hlc(timestamptz '2026-11-22 13:00:00+00' + i * interval '1 s', i), 'n' || i % 3)
FROM generate_series(1, 1000) i;
INSERT INTO pages VALUES (0, '{}');
CREATE INDEX pages_value ON pages (value(title));
CREATE INDEX pages_stamp ON pages (stamp(title));
ANALYZE pages;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id, title FROM pages WHERE value(title) = 'title 77';
SELECT id, title FROM pages WHERE value(title) = 'title 77';
EXPLAIN (COSTS OFF) SELECT id FROM pages WHERE stamp(title) > '2026-11-22T13:16:38Z/998' ORDER BY stamp(title);
SELECT id, stamp(title) FROM pages WHERE stamp(title) > '2026-11-22T13:16:38Z/998' ORDER BY stamp(title);
SELECT id FROM pages WHERE value(title) IS NULL;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- large values: compressed or not, out of line, sorted and merged
CREATE TEMP TABLE large (n integer, r lww_register);
INSERT INTO large SELECT n, lww_register(repeat('0123456789', n * 10000), ('17.' || n % 4)::hlc, 'a') FROM generate_series(1, 4) n;
ALTER TABLE large ALTER r SET STORAGE EXTERNAL;
INSERT INTO large SELECT n + 4, r | '{}' FROM large;
SELECT n, octet_length(value(r)), stamp(r), pg_column_size(r) < octet_length(value(r)) AS compressed FROM large ORDER BY r, n;
SELECT octet_length(value(merge(r))), merge(r) = (SELECT r FROM large WHERE n = 3) AS same FROM large;
SELECT count(DISTINCT r) FROM large;
