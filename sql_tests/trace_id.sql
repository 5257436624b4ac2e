-- Ids of traces: text, casts, order, indexes.

\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.fault(command text, OUT state text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;

-- text: 32 digits, read in any case, written in lower case
SELECT input, input::trace_id, is_nil(input::trace_id), trace_id(input::trace_id) FROM (VALUES
	('5b8efff798038103d269b633813fc60c'), ('5B8EFFF798038103D269B633813FC60C'), ('00000000000000000000000000000000'),
	('00000000000000000000000000000001'), ('ffffffffffffffffffffffffffffffff'), ('aBcDeF0123456789aBcDeF0123456789')) v (input);
SELECT trace_id('5b8efff798038103d269b633813fc60c'), trace_id_send('5b8efff798038103d269b633813fc60c'), pg_column_size('5b8efff798038103d269b633813fc60c'::trace_id);
SELECT input, f.state, f.detail FROM (VALUES (''), ('5b8e'), ('5b8efff798038103d269b633813fc60'), ('5b8efff798038103d269b633813fc60c0'), (' 5b8efff798038103d269b633813fc60'),
	('5b8efff798038103d269b633813fc60g'), ('5b8efff7-9803-8103-d269-b633813fc6'), ('0x5b8efff798038103d269b633813fc6'), ('5b8efff798038103d269b633813fc6é'), ('ééééééééééééé-é5b8')) v (input),
	pg_temp.fault(format('SELECT %L::trace_id', input)) f;
SELECT 'x'::trace_id;

-- casts: the same bytes as uuid and bytea
SELECT id::uuid AS uuid, id::bytea AS bytea, id::uuid::trace_id = id AND id::bytea::trace_id = id AS back
FROM unnest('{5b8efff798038103d269b633813fc60c,00000000000000000000000000000000,fffffffffffffffffffffffffffffffe}'::trace_id[]) id;
SELECT command, f.state, f.message, f.detail FROM (VALUES
	('SELECT ''\x5b''::bytea::trace_id'), ('SELECT ''''::bytea::trace_id'), ('SELECT decode(repeat(''00'', 17), ''hex'')::trace_id'), ('SELECT 1::trace_id')) v (command),
	pg_temp.fault(command) f;
CREATE TEMP TABLE kept (id trace_id, u uuid, b bytea);
INSERT INTO kept VALUES (gen_random_uuid(), random_trace_id(), random_trace_id()), ('\x0102030405060708090a0b0c0d0e0f10'::bytea, '5b8efff798038103d269b633813fc60c'::trace_id, '5b8efff798038103d269b633813fc60c'::trace_id);
SELECT * FROM kept WHERE b = '\x5b8efff798038103d269b633813fc60c';

-- random ids are different, and not nil
SELECT count(DISTINCT id), bool_or(is_nil(id)) AS any_nil FROM (SELECT random_trace_id() AS id FROM generate_series(1, 10000)) s;

-- order: that of the bytes, and of uuid
CREATE TEMP TABLE ids AS SELECT md5(i::text)::uuid::trace_id AS id FROM generate_series(1, 5000) i
	UNION ALL SELECT overlay(md5('same') placing to_hex(i % 10) FROM 32)::uuid::trace_id FROM generate_series(1, 100) i;
SELECT count(*) AS out_of_order FROM (SELECT id, lag(id) OVER (ORDER BY id) AS before FROM ids) s
WHERE before > id OR before::uuid > id::uuid OR before::bytea > id::bytea;
SELECT a < b AS "<", a <= b AS "<=", a = b AS "=", a <> b AS "<>", a >= b AS ">=", a > b AS ">", trace_id_cmp(a, b) < 0 AS cmp,
	trace_id_hash(a) = trace_id_hash(b) AS hash, trace_id_hash_extended(a, 7) = trace_id_hash_extended(b, 7) AS extended
FROM (VALUES ('7fffffffffffffffffffffffffffffff'::trace_id, '80000000000000000000000000000000'::trace_id),
	('00000000000000000000000000000001', '00000000000000000000000000000001'), ('01000000000000000000000000000000', '00ffffffffffffffffffffffffffffff')) v (a, b);
SELECT count(DISTINCT id), count(*) FROM ids;
ANALYZE ids;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM ids a JOIN ids b USING (id);
SELECT count(*) FROM ids a JOIN ids b USING (id);
SET enable_mergejoin = on;
SET enable_hashjoin = off;
SELECT count(*) FROM ids a JOIN ids b USING (id);
RESET ALL;
CREATE INDEX ids_btree ON ids (id);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM ids WHERE id < '00100000000000000000000000000000';
SELECT count(*), bool_and(id::text ~ '^5') FROM ids WHERE id BETWEEN trace_id '50000000000000000000000000000000' AND '5fffffffffffffffffffffffffffffff';
DROP INDEX ids_btree;
CREATE INDEX ids_hash ON ids USING hash (id);
EXPLAIN (COSTS OFF) SELECT id FROM ids WHERE id = 'c4ca4238a0b923820dcc509a6f75849b';
SELECT id FROM ids WHERE id = 'c4ca4238a0b923820dcc509a6f75849b';
DROP TABLE ids, kept;
