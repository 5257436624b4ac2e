-- Ids of spans: text, casts, order, indexes.

\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.fault(command text, OUT state text, OUT message text, OUT detail text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END
$$;

-- text: 16 digits, read in any case, written in lower case
SELECT input, input::span_id, is_nil(input::span_id), input::span_id::bigint, input::span_id::bytea,
	input::span_id::bigint::span_id = input::span_id AND input::span_id::bytea::span_id = input::span_id AS back FROM (VALUES
	('eee19b7ec3c1b174'), ('EEE19B7EC3C1B174'), ('0000000000000000'), ('0000000000000001'), ('7fffffffffffffff'), ('8000000000000000'), ('ffffffffffffffff')) v (input);
SELECT span_id('eee19b7ec3c1b174'), span_id_send('eee19b7ec3c1b174'), pg_column_size('eee19b7ec3c1b174'::span_id);
SELECT input, f.state, f.detail FROM (VALUES (''), ('eee1'), ('eee19b7ec3c1b1740'), ('eee19b7ec3c1b17g'), (' eee19b7ec3c1b17'), ('-ee19b7ec3c1b174')) v (input),
	pg_temp.fault(format('SELECT %L::span_id', input)) f;
SELECT 'x'::span_id;
SELECT command, f.state, f.message, f.detail FROM (VALUES
	('SELECT ''\x5b''::bytea::span_id'), ('SELECT decode(repeat(''00'', 9), ''hex'')::span_id'), ('SELECT 1.5::span_id')) v (command), pg_temp.fault(command) f;

-- random ids are different, and not nil
SELECT count(DISTINCT id), bool_or(is_nil(id)) AS any_nil FROM (SELECT random_span_id() AS id FROM generate_series(1, 10000)) s;

-- order: that of the bytes; of the numbers, unsigned
CREATE TEMP TABLE ids AS SELECT decode(substr(md5(i::text), 1, 16), 'hex')::span_id AS id FROM generate_series(1, 5000) i;
SELECT count(*) AS out_of_order FROM (SELECT id, lag(id) OVER (ORDER BY id) AS before FROM ids) s WHERE before > id OR before::bytea > id::bytea;
SELECT a < b AS "<", a <= b AS "<=", a = b AS "=", a <> b AS "<>", a >= b AS ">=", a > b AS ">", span_id_cmp(a, b) < 0 AS cmp,
	span_id_hash(a) = span_id_hash(b) AS hash, span_id_hash_extended(a, 7) = span_id_hash_extended(b, 7) AS extended
FROM (VALUES ('7fffffffffffffff'::span_id, '8000000000000000'::span_id), ('0000000000000001', '0000000000000001'), ('0100000000000000', '00ffffffffffffff')) v (a, b);
ANALYZE ids;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM ids a JOIN ids b USING (id);
SET enable_mergejoin = on;
SET enable_hashjoin = off;
SELECT count(*) FROM ids a JOIN ids b USING (id);
RESET ALL;
CREATE INDEX ids_btree ON ids (id);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM ids WHERE id > 'ff80000000000000' ORDER BY id;
SELECT id FROM ids WHERE id > 'ff80000000000000' ORDER BY id;
DROP INDEX ids_btree;
CREATE INDEX ids_hash ON ids USING hash (id);
EXPLAIN (COSTS OFF) SELECT id FROM ids WHERE id = 'c4ca4238a0b92382';
SELECT id FROM ids WHERE id = 'c4ca4238a0b92382';
DROP TABLE ids;
