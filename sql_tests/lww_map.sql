-- Last-writer-wins maps: text, put and remove, documents, merge, deltas.

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

-- text: keys sorted by bytes, a removed key has the value null
SELECT input, input::lww_map FROM (VALUES
	('{}'),
	(' { } '),
	('{"k": {"value": "x", "at": "2026-11-22T13:00:00.123456789Z/7", "node": "a"}}'),
	('{"k":{"node":"a","at":"2026-11-22 15:00:00+02","value":"x"}}'),
	('{"k": {"value": null, "at": "17.0", "node": "a"}}'),
	('{"l": {"value": "", "at": "17.3", "node": "b"}, "k": {"value": "null", "at": "-1.5", "node": "a"}}'),
	('{"": {"value": "empty key", "at": "17.0", "node": "a"}}'),
	('{"\u00e4\"\\\n": {"value": "\u00f6", "at": "17.0", "node": "\u65e5本"}}')) v (input);
SELECT keys('{"b": {"value": "1", "at": "17.0", "node": "n"}, "": {"value": "2", "at": "17.0", "node": "n"}, "a": {"value": "3", "at": "17.0", "node": "n"},
	"B": {"value": "4", "at": "17.0", "node": "n"}, "aa": {"value": "5", "at": "17.0", "node": "n"}, "10": {"value": "6", "at": "17.0", "node": "n"},
	"9": {"value": "7", "at": "17.0", "node": "n"}, "ä": {"value": "8", "at": "17.0", "node": "n"}, "z": {"value": "9", "at": "17.0", "node": "n"}}'::lww_map) AS sorted;

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), ('{"k": {'), ('{} x'), ('null'), ('1'), ('"x"'), ('[]'), ('{k: {}}'),
	('{"k": "x"}'), ('{"k": null}'), ('{"k": ["x"]}'), ('{"k": {}}'), ('{"value": "x", "at": "17.0", "node": "a"}'),
	('{"k": {"value": "x"}}'), ('{"k": {"at": "17.0", "node": "a"}}'), ('{"k": {"value": null, "at": "17.0"}}'),
	('{"k": {"value": "x", "at": "17.0", "node": "a", "removed": true}}'),
	('{"k": {"value": "x", "value": null, "at": "17.0", "node": "a"}}'),
	('{"k": {"value": "x", "at": "17.0", "node": "a"}, "k": {"value": "x", "at": "17.0", "node": "a"}}'),
	('{"k": {"value": "x", "at": "17.0", "node": "a"}, "l": {}, "k": {"value": null, "at": "18.0", "node": "a"}}'),
	('{"k": {"value": 1, "at": "17.0", "node": "a"}}'), ('{"k": {"value": false, "at": "17.0", "node": "a"}}'),
	('{"k": {"value": {}, "at": "17.0", "node": "a"}}'), ('{"k": {"value": [], "at": "17.0", "node": "a"}}'),
	('{"k": {"value": "x", "at": 17, "node": "a"}}'), ('{"k": {"value": "x", "at": "17", "node": "a"}}'),
	('{"k": {"value": null, "at": "now", "node": "a"}}'), ('{"k": {"value": "x", "at": "17.4294967296", "node": "a"}}'),
	('{"k": {"value": "x", "at": "17.0", "node": ""}}'), ('{"k": {"value": "x", "at": "17.0", "node": null}}'),
	('{"ok": {"value": "x", "at": "17.0", "node": "a"}, "k": {"value": "x", "at": "17.0", "node": 1}}'),
	('{"k\u0000": {"value": "x", "at": "17.0", "node": "a"}}')) v (input),
	pg_temp.fault(format('SELECT %L::lww_map', input)) f;
SELECT f.* FROM pg_temp.fault(format('SELECT %L::lww_map', '{"k": {"value": "x", "at": "17.0", "node": "' || repeat('ä', 128) || '"}}')) f;
-- the hint shows the form
SELECT 'x'::lww_map;

-- writing
SELECT put('{}'::lww_map, 'k', 'x', '17.3', 'a') AS put, put('{}'::lww_map, '', '', '17.3', 'a') AS empty, remove('{}'::lww_map, 'k', '17.3', 'a') AS remove;
SELECT put(put('{}'::lww_map, 'l', 'y', '17.0', 'a'), 'k', 'x', '18.0', 'b') AS two, remove(put('{}'::lww_map, 'k', 'x', '17.0', 'a'), 'l', '18.0', 'b') AS absent;
-- a write that comes late changes nothing, and what stays names only the nodes that it needs
SELECT what, at, node, value, r -> 'k' AS k, r = CASE WHEN what = 'remove' THEN remove('{}', 'k', at, node) ELSE put('{}', 'k', value, at, node) END AS alone, r = old AS unchanged
FROM (VALUES (put('{}'::lww_map, 'k', 'm', '17.3', 'm'))) o (old),
	(VALUES ('put', '17.4'::hlc, 'a', 'a'), ('put', '17.3', 'n', 'a'), ('put', '17.3', 'm', 'n'), ('put', '17.3', 'm', 'm'), ('put', '17.3', 'm', 'l'),
		('put', '17.3', 'l', 'z'), ('put', '17.2', 'z', 'z'), ('remove', '18.0', 'a', NULL), ('remove', '17.4', 'a', NULL), ('remove', '17.3', 'n', NULL),
		('remove', '17.3', 'm', NULL), ('remove', '17.3', 'l', NULL), ('remove', '17.2', 'z', NULL)) v (what, at, node, value),
	LATERAL (SELECT CASE WHEN what = 'remove' THEN remove(old, 'k', at, node) ELSE put(old, 'k', value, at, node) END) w (r);
-- a removal stays, to tell older writes that they are older
SELECT what, at, node, value, r -> 'k' AS k, r = old AS unchanged
FROM (VALUES (remove('{}'::lww_map, 'k', '17.3', 'm'))) o (old),
	(VALUES ('put', '17.4'::hlc, 'a', 'x'), ('put', '17.3', 'n', 'x'), ('put', '17.3', 'm', 'x'), ('put', '17.3', 'm', ''), ('put', '17.3', 'l', 'x'),
		('put', '17.2', 'z', 'x'), ('remove', '17.4', 'a', NULL), ('remove', '17.3', 'n', NULL), ('remove', '17.3', 'm', NULL), ('remove', '17.2', 'z', NULL)) v (what, at, node, value),
	LATERAL (SELECT CASE WHEN what = 'remove' THEN remove(old, 'k', at, node) ELSE put(old, 'k', value, at, node) END) w (r);
-- at the local node
SELECT put('{}'::lww_map, 'k', 'x', '17.0');
SELECT remove('{}'::lww_map, 'k', '17.0');
SELECT lww_map('{"k": "x"}', '17.0');
SET distributed.node = 'here';
SELECT put('{}'::lww_map, 'k', 'x', '17.0'), remove('{}'::lww_map, 'k', '17.0'), lww_map('{"k": "x"}', '17.0');
RESET distributed.node;
SELECT command, f.* FROM (VALUES
	('SELECT put(''{}''::lww_map, ''k'', ''x'', ''17.0'', '''')'),
	('SELECT put(put(''{}''::lww_map, ''k'', ''x'', ''17.0'', ''a''), ''k'', ''y'', ''16.0'', '''')'),
	('SELECT put(''{}''::lww_map, ''k'', ''x'', ''17.0'', repeat(''n'', 256))'),
	('SELECT put(''{}''::lww_map, ''k'', ''x'', ''17'', ''a'')'),
	('SELECT remove(''{}''::lww_map, ''k'', ''17.0'', '''')'),
	('SELECT remove(''{}''::lww_map, ''k'', ''17.0'', repeat(''n'', 256))'),
	('SELECT lww_map(''{}'', ''17.0'', '''')'),
	('SELECT lww_map(''{"k": "x"}'', ''17.0'', repeat(''n'', 256))'),
	('SELECT lww_map(''[{"k": "x"}]'', ''17.0'', ''a'')'),
	('SELECT lww_map(''"x"'', ''17.0'', ''a'')'),
	('SELECT lww_map(''null'', ''17.0'', ''a'')')) v (command),
	pg_temp.fault(command) f;

-- reading: what was removed is not there
CREATE TEMP TABLE carts (m lww_map);
INSERT INTO carts SELECT remove(put(put(put(put(remove('{}', 'removed', '17.0', 'a'), 'pear', '3', '17.1', 'b'), 'fig', '', '18.0', 'a'), 'Äpfel', '5', '17.2', 'c'), 'plum', '2', '17.3', 'a'), 'plum', '17.4', 'z');
SELECT w.* FROM carts, json_each(m::json) w;
SELECT key, m -> key AS "->", get(m, key) AS get, m -> key IS NULL AS null, m ? key AS "?", contains(m, key) AS contains
FROM carts, (VALUES ('pear'), ('fig'), ('Äpfel'), ('plum'), ('removed'), ('none'), (''), ('pea'), ('pears')) v (key);
SELECT keys(m), document(m) FROM carts;
SELECT w.* FROM carts, each(m) w ORDER BY at;
SELECT n, key, value FROM (VALUES (1, lww_map('{"y": "1", "x": "2"}', '17.0', 'a')), (2, '{}'), (3, lww_map('{"": "3", "gone": null}', '17.0', 'a'))) v (n, m), each(m);
SELECT keys('{}'::lww_map), document('{}'::lww_map), keys(remove('{}'::lww_map, 'k', '17.0', 'a')) AS removed, document(remove('{}'::lww_map, 'k', '17.0', 'a')) AS removed,
	pg_typeof(document('{}'::lww_map));
SELECT document(put('{}'::lww_map, E'"\\\n', E'ä"\\\t日本', '17.0', 'a')), document(put('{}'::lww_map, 'k', '😀', '17.0', 'a')) = '{"k": "😀"}' AS same;

-- a document: strings as they are, null removes a key, anything else in its JSON form
SELECT key, value, m ? key AS "?" FROM (VALUES (lww_map('{"string": "x y", "empty": "", "quoted": "\"x\"", "word": "null", "number": 1.50, "large": 12345678901234567890.5,
	"negative": -0.001, "true": true, "false": false, "object": {"b": [1, null, "x"], "a": {}}, "array": [ ], "null": null}', '17.0', 'a'))) v (m), each(m);
SELECT lww_map('{"gone": null, "bb": "2", "a": 1}', '17.3', 'n') AS map, lww_map('{}', '17.0', 'a') AS empty;
-- the document of a document with only strings is that document
SELECT document(lww_map(d, '17.0', 'a')) = d AS same FROM (VALUES ('{"b": "1", "aa": "", "": "x\"\\\nä"}'::jsonb)) v (d);
-- it is as if each member had been written
SELECT lww_map('{"b": "2", "aa": "1", "gone": null}', '17.0', 'n') = remove(put(put('{}'::lww_map, 'aa', '1', '17.0', 'n'), 'b', '2', '17.0', 'n'), 'gone', '17.0', 'n') AS same;
-- and merging one changes the keys that it has
SELECT document(m | lww_map('{"colour": "red", "size": null}', '18.0', 'b')) AS later, document(m | lww_map('{"colour": "red", "size": null}', '16.0', 'b')) AS earlier
FROM (VALUES (lww_map('{"colour": "blue", "size": 42, "price": 10}', '17.0', 'a'))) v (m);

-- merge and inclusion, each case both ways: each key for itself, the later time wins, then the greater node,
-- then a value over a removal, then the greater value, by bytes
SELECT a ->> 'k' AS k, a ->> 'at' AS at, a ->> 'node' AS node, b ->> 'k' AS k, b ->> 'at' AS at, b ->> 'node' AS node, x | y AS merged,
	(x | y) = (y | x) AND merge(x, y) = (x | y) AND (x | y) IN (x, y) AS same, x <@ y AS "<@", x @> y AS "@>"
FROM (VALUES
	('{"k": null, "at": "17.0", "node": "a"}'::jsonb, '{"k": "x", "at": "17.0", "node": "a"}'::jsonb),
	('{"k": null, "at": "17.0", "node": "a"}', '{"k": "", "at": "17.0", "node": "a"}'),
	('{"k": null, "at": "17.0", "node": "b"}', '{"k": "x", "at": "17.0", "node": "a"}'),
	('{"k": null, "at": "17.1", "node": "a"}', '{"k": "x", "at": "17.0", "node": "b"}'),
	('{"k": null, "at": "17.0", "node": "a"}', '{"k": "x", "at": "18.0", "node": "a"}'),
	('{"k": null, "at": "17.0", "node": "a"}', '{"k": null, "at": "17.0", "node": "a"}'),
	('{"k": null, "at": "17.0", "node": "a"}', '{"k": null, "at": "17.0", "node": "b"}'),
	('{"k": "x", "at": "17.0", "node": "a"}', '{"k": "y", "at": "17.0", "node": "a"}'),
	('{"k": "z", "at": "17.0", "node": "a"}', '{"k": "ä", "at": "17.0", "node": "a"}'),
	('{"k": "z", "at": "17.0", "node": "B"}', '{"k": "y", "at": "17.0", "node": "a"}'),
	('{"k": "z", "at": "-1.9", "node": "z"}', '{"k": "y", "at": "0.0", "node": "a"}')) v (a, b),
	LATERAL (SELECT lww_map(jsonb_build_object('k', a -> 'k'), (a ->> 'at')::hlc, a ->> 'node'), lww_map(jsonb_build_object('k', b -> 'k'), (b ->> 'at')::hlc, b ->> 'node')) w (x, y);
SELECT document(a) AS a, document(b) AS b, document(a | b) AS merged, (a | b) = (b | a) AND merge(a, b) = (a | b) AS same, a <@ b AS "<@", a @> b AS "@>",
	document(delta(a, b)) AS delta, document(delta(b, a)) AS back, b | delta(a, b) = (a | b) AND a | delta(b, a) = (a | b) AS as_the_whole
FROM (VALUES
	('{}'::lww_map, '{}'::lww_map),
	('{}', lww_map('{"k": "x"}', '17.0', 'a')),
	('{}', lww_map('{"k": null}', '17.0', 'a')),
	(lww_map('{"k": "x"}', '17.0', 'a'), lww_map('{"l": "x"}', '17.0', 'a')),
	(lww_map('{"k": "x", "l": "x"}', '17.0', 'a'), lww_map('{"k": "x"}', '17.0', 'a')),
	(lww_map('{"k": "x", "l": "x"}', '17.0', 'a'), lww_map('{"k": "y"}', '18.0', 'a')),
	(lww_map('{"k": "x", "l": "x"}', '17.0', 'a'), lww_map('{"k": null, "l": "y", "m": "y"}', '18.0', 'b')),
	(lww_map('{"k": "x"}', '17.0', 'a') | lww_map('{"l": "y"}', '19.0', 'a'), lww_map('{"k": "z", "l": "z"}', '18.0', 'b'))) v (a, b);
-- a delta brings removals, and its bytes are those of its writes alone
SELECT delta(a, b), delta(b, a) AS back, delta(a, b) = lww_map('{"m": null}', '17.0', 'a') | lww_map('{"n": null}', '17.0', 'z') AS alone FROM (VALUES (
	lww_map('{"k": "x", "l": "x", "m": null}', '17.0', 'a') | lww_map('{"n": null}', '17.0', 'z'),
	lww_map('{"k": "x", "o": null}', '17.0', 'a') | lww_map('{"l": "y"}', '17.0', 'b'))) v (a, b);
SELECT delta(m, '{}') = m AS whole, delta(m, m) AS nothing, delta('{}'::lww_map, m) AS nothing FROM carts;
SELECT merge(m) AS all_of_them FROM (VALUES (lww_map('{"k": "x", "l": "x"}', '17.0', 'a')), (NULL), ('{}'), (lww_map('{"k": null}', '18.0', 'a')),
	(lww_map('{"l": "z"}', '16.0', 'z'))) v (m);
SELECT merge(m) IS NULL AS none FROM (VALUES (NULL::lww_map)) v (m);
SELECT merge(m) IS NULL AS none FROM (SELECT '{}'::lww_map WHERE false) v (m);
SELECT i, document(merge(m) OVER (ORDER BY i)) AS running
FROM (VALUES (1, lww_map('{"k": "x"}', '17.0', 'a')), (2, lww_map('{"l": "y"}', '18.0', 'a')), (3, lww_map('{"k": null}', '18.0', 'a')), (4, lww_map('{"k": "z"}', '17.9', 'z'))) v (i, m) ORDER BY i;
SELECT put(NULL::lww_map, 'k', 'x', '17.0', 'a') IS NULL AND put('{}'::lww_map, 'k', NULL, '17.0', 'a') IS NULL AND remove('{}'::lww_map, NULL, '17.0', 'a') IS NULL AND
	lww_map(NULL, '17.0', 'a') IS NULL AND ('{}'::lww_map -> NULL) IS NULL AND (NULL::lww_map ? 'k') IS NULL AND (NULL::lww_map | '{}') IS NULL AND
	(NULL::lww_map <@ '{}') IS NULL AND delta('{}'::lww_map, NULL) IS NULL AND document(NULL::lww_map) IS NULL AS strict;
SELECT count(*) FROM each(NULL::lww_map);

-- two replicas that both write, one of them late: each key has its own last writer
SELECT document(berlin | tokyo), berlin | tokyo | tokyo | berlin = (tokyo | berlin) AS same
FROM (SELECT put(remove(m, 'size', '18.0', 'berlin'), 'colour', 'red', '18.0', 'berlin'), put(put(m, 'size', '43', '17.5', 'tokyo'), 'colour', 'green', '18.0', 'tokyo')
	FROM (VALUES (lww_map('{"colour": "blue", "size": 42, "price": 10}', '17.0', 'berlin'))) v (m)) v (berlin, tokyo);

-- the order for sorting: by the number of keys, removed ones too, then key by key and its time, node and value;
-- equal is equal, and hashes alike
SELECT m FROM (VALUES (lww_map('{"k": "x"}', '18.0', 'a')), ('{}'), (lww_map('{"k": "x"}', '17.1', 'a')), (lww_map('{"k": "x"}', '17.0', 'b')), (lww_map('{"k": "x"}', '17.0', 'a')),
	(lww_map('{"k": ""}', '17.0', 'a')), (lww_map('{"k": null}', '17.0', 'a')), (lww_map('{"j": "z"}', '19.0', 'z')), (lww_map('{"": "x"}', '20.0', 'a')), (lww_map('{"": "x"}', '-20.0', 'a')),
	(lww_map('{"": null}', '20.0', 'a')), (lww_map('{"a": null, "b": null}', '1.0', 'a')), (lww_map('{"a": null, "aa": null}', '1.0', 'a')), (lww_map('{"kk": "x"}', '1.0', 'a'))) v (m) ORDER BY m;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", a = b AS "=", a <> b AS "<>", lww_map_hash(a) = lww_map_hash(b) AS hash
FROM (VALUES (lww_map('{"k": null}', '17.0', 'a'), lww_map('{"k": ""}', '17.0', 'a')),
	('{"l": {"value": null, "at": "17.0", "node": "a"}, "k": {"node": "a", "value": "x", "at": "1970-01-01T00:00:00.000000017Z"}}', lww_map('{"k": "x", "l": null}', '17.0', 'a')),
	(lww_map('{"k": "x", "l": "x"}', '17.0', 'a'), lww_map('{"z": "z"}', '18.0', 'z'))) v (a, b);
SELECT m, count(*) FROM (VALUES (lww_map('{"k": "x"}', '17.0', 'a')), ('{}'), (put(lww_map('{"k": "w"}', '16.0', 'b'), 'k', 'x', '17.0', 'a')), (lww_map('{"k": null}', '17.0', 'a'))) v (m)
GROUP BY m ORDER BY m;

-- jsonb and json; because of the cast to json, rows nest
SELECT m::jsonb, m::json FROM (VALUES (lww_map('{"l": null, "k": "x"}', '17.3', 'a'))) v (m);
SELECT m::jsonb::lww_map = m AND m::text::lww_map = m AND m::json::text::lww_map = m AS same FROM carts;
SELECT '{}'::lww_map::jsonb, '{}'::jsonb::lww_map;
SELECT to_jsonb(v), row_to_json(v) FROM (VALUES (1, lww_map('{"k": "x"}', '17.3', 'a'))) v (id, doc);
SELECT command, f.* FROM (VALUES
	('SELECT ''{"k": "x"}''::jsonb::lww_map'),
	('SELECT ''{"k": {"value": 1, "at": "17.0", "node": "a"}}''::jsonb::lww_map'),
	('SELECT ''[]''::jsonb::lww_map')) v (command), pg_temp.fault(command) f;

-- size: 8 bytes if empty; else 11, the keys and the values, the nodes' names and 1 for each, and for each key 8
-- for its time and 1 each for where key and value end, which node, logical counter and removal, of which those
-- that are 0 throughout take none
SELECT pg_column_size('{}'::lww_map) AS empty, pg_column_size(lww_map('{"k": "x"}', '17.0', 'a')) AS one, pg_column_size(lww_map('{"k": null}', '17.0', 'a')) AS removed,
	pg_column_size(lww_map('{"k": "x", "l": "y"}', '17.0', 'a')) AS two, pg_column_size(lww_map('{"k": "x", "l": null}', '17.3', 'a')) AS logical_and_removed,
	pg_column_size(put(lww_map('{"k": "x"}', '17.0', 'a'), 'l', 'y', '17.0', 'b')) AS two_nodes;
-- binary image, version 1
SELECT lww_map_send(put(lww_map('{"k": null}', '258.7', 'abc'), 'lm', 'xy', '1.0', 'd')), lww_map_send('{}') AS empty;

-- many keys, in and out of order: the same bytes
CREATE TEMP TABLE writes AS
SELECT i, 'key-' || i * 7919 % 1000 AS key, ('17.' || i)::hlc AS at, 'n' || i % 5 AS node FROM generate_series(1, 5000) i;
CREATE TEMP TABLE merged AS SELECT merge(put('{}', key, 'v' || i, at, node) ORDER BY i) AS m FROM writes;
SELECT cardinality(keys(m)), m -> 'key-919' AS "key-919", m = (SELECT merge(put('{}', key, 'v' || i, at, node) ORDER BY i DESC) FROM writes) AS backward,
	m = (SELECT merge(put('{}', key, 'v' || i, at, node)) FROM writes WHERE i > 4000) AS last_of_each, m = m::text::lww_map AS text FROM merged;
SELECT cardinality(keys(cut)), cut ? 'key-20' AS removed, cut ? 'key-21' AS kept, delta(cut, m) = gone AS delta, m <@ cut AS "<@", cut <@ m AS back
FROM merged, (SELECT lww_map(jsonb_object_agg('key-' || i * 10, 'null'::jsonb), '18.0', 'n0') FROM generate_series(0, 99) i) v (gone), LATERAL (SELECT m | gone) w (cut);

-- the value of a key can be indexed
CREATE TEMP TABLE goods (id integer, doc lww_map);
INSERT INTO goods SELECT i, lww_map(jsonb_build_object('name', 'thing ' || i, 'colour', (ARRAY['red', 'green', 'blue'])[1 + i % 3]), '17.0', 'a') FROM generate_series(1, 1000) i;
UPDATE goods SET doc = remove(doc, 'name', '18.0', 'b') WHERE id % 100 = 77;
CREATE INDEX goods_name ON goods ((doc -> 'name'));
ANALYZE goods;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM goods WHERE doc -> 'name' = 'thing 78';
SELECT id, document(doc) FROM goods WHERE doc -> 'name' = 'thing 78';
SELECT id, document(doc) FROM goods WHERE doc -> 'name' = 'thing 77';
SELECT id FROM goods WHERE doc -> 'name' IS NULL ORDER BY id LIMIT 3;
