-- row_stamp: is a row of a replicated table there, and who wrote which of its
-- columns when.

\set VERBOSITY default

-- text
SELECT '{}'::row_stamp, ' { "live" : {} , "context": {}, "columns": {} } '::row_stamp AS empty_members;
SELECT '{"columns": {"name": {"node": "b", "at": "3.1"}, "new": null, "big": {"at": "2.0", "node": "a", "hash": "00000000000000ff"}}, "row": {"at": "2.0", "node": "a", "hash": "fedcba9876543210"}, "live": {"a": 2}, "context": {"b": 9, "a": 2}}'::row_stamp;
-- a column that says what the row says is not listed, unless it has a hash
SELECT '{"row": {"at": "2.0", "node": "a", "hash": "0000000000000001"}, "columns": {"x": {"at": "2.0", "node": "a"}, "y": {"at": "2.0", "node": "a", "hash": "0000000000000001"}}}'::row_stamp;
SELECT '{"columns": {"x": null}}'::row_stamp AS no_write_in_no_row;
-- the order of members, and what counts nothing, make no difference
SELECT '{"context": {"b": 1, "a": 2, "c": 0}, "live": {"b": 1, "a": 0}}'::row_stamp = '{"live": {"b": 1}, "context": {"a": 2, "b": 1}}'::row_stamp AS same;
SELECT '{"context": {"ä\n": 1}, "row": {"at": "1.0", "node": "\"é"}, "columns": {"\u0041 b": {"at": "2.0", "node": "日本"}}}'::row_stamp;
SELECT '{"context": {"a": 1}}'::jsonb::row_stamp, '{"context": {"a": 1}}'::row_stamp::jsonb, to_jsonb('{"context": {"a": 1}}'::row_stamp), '{"context": {"a": 1}}'::row_stamp::json;

-- the limits themselves
SELECT '{"context": {"a": 9214364837600034815}, "live": {"a": 9214364837600034815}, "row": {"at": "9214364837600034815.4294967295", "node": "a"}, "columns": {"c": {"at": "0.0", "node": "a"}}}'::row_stamp;
SELECT length(('{"context": {"' || repeat('n', 255) || '": 1}, "columns": {"' || repeat('c', 63) || '": null}, "row": {"at": "0.0", "node": "' || repeat('n', 255) || '"}}')::row_stamp::text);

-- bad input
CREATE FUNCTION fault(value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	PERFORM value::row_stamp;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || SQLERRM || ': ' || detail || CASE WHEN hint LIKE 'Write it as JSON, such as {%' THEN '' ELSE ' ' || hint END;
END
$$;
SELECT v AS value, fault(v) FROM (VALUES
	('{'), ('[]'), ('7'), ('{"at": 1}'), ('{"context": []}'), ('{"context": {"a": "1"}}'), ('{"context": {"a": 1.5}}'), ('{"context": {"a": -1}}'),
	('{"context": {"": 1}}'), ('{"context": {"a": 1, "a": 1}}'), ('{"context": {}, "context": {}}'),
	('{"context": {"a": 9214364837600034816}}'), ('{"context": {"a": 9223372036854775808}}'),
	('{"live": {"a": 1}}'), ('{"context": {"a": 1}, "live": {"a": 2}}'),
	('{"row": null}'), ('{"row": {}}'), ('{"row": {"at": "1.0"}}'), ('{"row": {"node": "a"}}'), ('{"row": {"at": 1, "node": "a"}}'), ('{"row": {"at": "x", "node": "a"}}'),
	('{"row": {"at": "1.0", "node": ""}}'), ('{"row": {"at": "-1.0", "node": "a"}}'), ('{"row": {"at": "9214364837600034816.0", "node": "a"}}'),
	('{"row": {"at": "1.0", "node": "a", "hash": 1}}'), ('{"row": {"at": "1.0", "node": "a", "hash": "1"}}'), ('{"row": {"at": "1.0", "node": "a", "hash": "000000000000000G"}}'),
	('{"row": {"at": "1.0", "node": "a", "hash": "00000000000000FF"}}'), ('{"row": {"at": "1.0", "node": "a", "hash": "0000000000000000"}}'), ('{"row": {"at": "1.0", "node": "a", "by": 1}}'),
	('{"columns": []}'), ('{"columns": {"": null}}'), ('{"columns": {"a": null, "a": null}}'), ('{"columns": {"a": 1}}'), ('{"columns": {"a": {"at": "1.0"}}}')) t (v);
SELECT fault('{"context": {"' || repeat('n', 256) || '": 1}}'), fault('{"columns": {"' || repeat('c', 64) || '": null}}'), fault('{"row": {"at": "1.0", "node": "' || repeat('n', 256) || '"}}');
SELECT '{"context": {"a": 1}, "live": {"a": 2}}'::row_stamp;
DROP FUNCTION fault;

-- presence: a write that a removal has not seen survives it
SELECT v, is_present(v) FROM (VALUES ('{}'::row_stamp), ('{"context": {"a": 1}, "live": {"a": 1}}'), ('{"context": {"a": 1}}'), ('{"row": {"at": "1.0", "node": "a"}}')) t (v);
SELECT v, is_present(v) FROM (VALUES
	('{"context": {"a": 1}, "live": {"a": 1}}'::row_stamp | '{"context": {"a": 1, "b": 5}}'),
	('{"context": {"a": 2}, "live": {"a": 2}}'::row_stamp | '{"context": {"a": 1, "b": 5}}'),
	('{"context": {"a": 1, "b": 6}, "live": {"b": 6}}'::row_stamp | '{"context": {"a": 2}, "live": {"a": 2}}'),
	('{"context": {"a": 1, "b": 6}, "live": {"b": 6}}'::row_stamp | '{"context": {"a": 1, "b": 6, "c": 7}}'),
	('{}'::row_stamp | '{"context": {"a": 1}}')) t (v);
SELECT context('{"context": {"a": 1, "b": 2}, "live": {"b": 1}, "row": {"at": "1.0", "node": "c"}}'::row_stamp), context('{}'::row_stamp);

-- writes: of every column the later one
WITH joined (v) AS (SELECT '{"row": {"at": "5.0", "node": "a"}, "columns": {"x": {"at": "9.0", "node": "a"}, "y": {"at": "2.0", "node": "a"}, "z": null}}'::row_stamp |
	'{"row": {"at": "6.0", "node": "b"}, "columns": {"w": {"at": "1.0", "node": "b"}, "x": {"at": "8.0", "node": "b"}, "z": null}}')
SELECT c AS column, stamp(v, c), node(v, c) FROM joined, unnest('{w,x,y,z,others}'::text[]) c;
SELECT '{"row": {"at": "5.0", "node": "a", "hash": "0000000000000009"}}'::row_stamp | '{"row": {"at": "5.0", "node": "b", "hash": "0000000000000001"}}' AS node_decides;
SELECT '{"row": {"at": "5.0", "node": "a", "hash": "0000000000000009"}}'::row_stamp | '{"row": {"at": "5.1", "node": "a"}}' AS logical_decides;
SELECT stamp('{}'::row_stamp, 'x') IS NULL AS never, node('{}'::row_stamp, 'x') IS NULL AS nobody;

-- order
SELECT a <@ b AS included, a @> b AS includes, a #<# b AS before FROM (VALUES
	('{}'::row_stamp, '{"context": {"a": 1}}'::row_stamp),
	('{"context": {"a": 1}, "live": {"a": 1}}', '{"context": {"a": 1}}'),
	('{"context": {"a": 2}}', '{"context": {"b": 1}}'),
	('{"row": {"at": "1.0", "node": "a"}}', '{"row": {"at": "1.0", "node": "b"}}'),
	('{"row": {"at": "1.0", "node": "a"}}', '{"columns": {"x": {"at": "2.0", "node": "a"}}}')) t (a, b);
SELECT merge(v) FROM (VALUES ('{"context": {"a": 1}, "live": {"a": 1}}'::row_stamp), ('{"context": {"b": 1}, "live": {"b": 1}}'), (NULL)) t (v);

-- many nodes and columns
WITH many (v) AS (SELECT ('{"context": {' || string_agg(format('"n%s": %s', i, i), ', ') || '}, "live": {' || string_agg(format('"n%s": %s', i, i), ', ') || '}, "columns": {' ||
	string_agg(format('"c%s": {"at": "%s.%s", "node": "m%s"}', i, i, i % 3, i % 50), ', ') || '}}')::row_stamp FROM generate_series(1, 1000) i)
SELECT is_present(v), node_count(context(v)), stamp(v, 'c77'), node(v, 'c77'), v | v = v AS idempotent, v::text::row_stamp = v AS reads_back, '{}'::row_stamp <@ v AS included FROM many;

-- how many bytes it takes
CREATE TABLE stamps (v row_stamp);
INSERT INTO stamps VALUES ('{"context": {"berlin": 1790000000000000000}, "live": {"berlin": 1790000000000000000}, "row": {"at": "1790000000000000000.0", "node": "berlin", "hash": "fedcba9876543210"}}'),
	('{"context": {"berlin": 1790000086400000000}, "live": {"berlin": 1790000086400000000}, "row": {"at": "1790000000000000000.0", "node": "berlin", "hash": "fedcba9876543210"}, "columns": {"status": {"at": "1790000086400000000.0", "node": "berlin"}}}');
SELECT pg_column_size(v) AS bytes, jsonb_object_keys(coalesce(v::jsonb -> 'columns', '{"-": 0}')) AS listed FROM stamps;
DROP TABLE stamps;

-- a value on its way to another server has a mark, which says nothing of the row
SELECT '{"arrives": true, "context": {"a": 1}}'::row_stamp, '{"arrives": true, "context": {"a": 1}}'::row_stamp = '{"context": {"a": 1}}' AS equal,
	hash_any = hash_other AS hashes, '{"arrives": true, "context": {"a": 1}}'::row_stamp | '{}' AS joined
FROM (SELECT row_stamp_hash('{"arrives": true, "context": {"a": 1}}'), row_stamp_hash('{"context": {"a": 1}}')) h (hash_any, hash_other);
SELECT '{"arrives": false}'::row_stamp;
SELECT '{"arrives": 1}'::row_stamp;
-- then it may have a time that is not to be written
SELECT '{"context": {"a": 9223372036854775806}}'::row_stamp;
SELECT '{"arrives": true, "context": {"a": 9223372036854775806}, "row": {"at": "9223372036854775806.0", "node": "a"}}'::row_stamp;
SELECT '{"arrives": true, "context": {"a": 9223372036854775807}}'::row_stamp;
SELECT is_merged('{"context": {"a": 1}}'), is_merged(NULL);
SELECT is_merged('{"arrives": true}');

-- from the two hidden columns of version 1.0
SELECT row_stamp('{"enabled": [["a", 5], ["b", 3]], "context": {"a": 7, "b": 3}}', '{"x": {"value": "1", "at": "17.5", "node": "c"}, "y": {"value": null, "at": "18.0", "node": "a"}}');
SELECT row_stamp('{}', '{}'), row_stamp('{"context": {"a": 7}}', '{"x": {"value": "1", "at": "1960-01-01T00:00:00Z/0", "node": "c"}}'), row_stamp(NULL, '{}') IS NULL AS nothing;
