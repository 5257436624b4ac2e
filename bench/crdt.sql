-- Counters, sets and maps: merging, growth, changing, deltas, the GIN index.

-- Sets of n elements, a tenth of which the other side does not have, scattered among the rest.
CREATE FUNCTION set_of(n integer, side text) RETURNS orset LANGUAGE sql AS $$
	SELECT merge(s) FROM (
		SELECT orset_agg('element ' || to_char(i, 'FM000000'), 'node-' || i % 4) FROM generate_series(1, n) i WHERE i % 10 > 0
		UNION ALL
		SELECT orset_agg('element ' || to_char(i, 'FM000000') || side, side) FROM generate_series(1, n) i WHERE i % 10 = 0) s (s)
$$;

CREATE TABLE set_pairs (n integer PRIMARY KEY, a orset, b orset, c jsonb, d jsonb, raw bytea);
INSERT INTO set_pairs (n, a, b) SELECT n, set_of(n, 'x'), set_of(n, 'y') FROM unnest('{100,1000,10000,100000}'::integer[]) n;
UPDATE set_pairs SET c = (SELECT jsonb_object_agg(e, i) FROM unnest(elements(a)) WITH ORDINALITY u (e, i)),
	d = (SELECT jsonb_object_agg(e, i) FROM unnest(elements(b)) WITH ORDINALITY u (e, i)),
	raw = random_bytes(n, pg_column_size(a | a) / 2);
DO $$
BEGIN
	IF EXISTS (SELECT FROM set_pairs WHERE cardinality(a | b) <> n / 10 * 11 OR elements(a | b) <>
			ARRAY(SELECT e COLLATE "C" FROM jsonb_object_keys(c || d) e ORDER BY 1)) THEN
		RAISE EXCEPTION 'set and document disagree';
	END IF;
END
$$;
-- A statement that reads a pair once and computes an expression so many times.
CREATE FUNCTION repeated(expression text, elements integer, times integer) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT count(%s) FROM (SELECT n, a | a AS a, b | b AS b, c || c AS c, d || d AS d, raw || raw AS raw FROM set_pairs WHERE n = %s OFFSET 0) p, '
		'LATERAL generate_series(1, %s + 0 * n) g', expression, elements, times)
$$;

\echo '==> merging sets'
-- Both sides are merged equally often, and so often that reading them first hardly weighs.
SELECT format('CALL compare(%L, %L, %L, 11)', format('a | b of %s elements : %s elements', n * 10, n),
	repeated('a | b', n * 10, times), repeated('a | b', n, times))
FROM (VALUES (100, 10000), (1000, 2000), (10000, 400)) v (n, times) \gexec
SELECT repeated('a | b', 10000, 100) AS ours, repeated('c || d', 10000, 100) AS yardstick \gset
CALL compare('a | b of 10k elements : jsonb || jsonb of as many keys', :'ours', :'yardstick', 1.0);


-- Adding an element does not take the set apart.
SELECT repeated('add(a, ''new'', ''node-1'')', 10000, 2000) AS ours, repeated('set_byte(raw, 0, 1)', 10000, 2000) AS yardstick \gset
CALL compare('adding to 10k elements : copying as many bytes', :'ours', :'yardstick', 3.0);
SELECT repeated('remove(a, ''element 005001'')', 10000, 2000) AS ours \gset
CALL compare('removing from 10k elements : copying as many bytes', :'ours', :'yardstick', 3.0);

\echo '==> merging rows of sets'
-- 20 elements each, all different: once as the changes of 8 replicas, once each row from a
-- replica of its own.
CREATE TABLE set_rows AS
SELECT i AS id,
	(format('{"elements": {%s}, "cloud": [["node-%s", %s, %s]]}', of_eight, i % 8, i / 8 * 20 + 1, i / 8 * 20 + 20))::orset AS changes,
	(format('{"elements": {%s}, "context": {"node-%s": 20}}', of_one, i))::orset AS replicas
FROM generate_series(1, 100000) i,
	LATERAL (SELECT string_agg(format('"element %s/%s": [["node-%s", %s]]', i, j, i % 8, i / 8 * 20 + j), ', '),
		string_agg(format('"element %s/%s": [["node-%s", %s]]', i, j, i, j), ', ') FROM generate_series(1, 20) j) e (of_eight, of_one);
CREATE TABLE set_rows_10k AS SELECT * FROM set_rows LIMIT 10000;
CREATE TABLE set_rows_1k AS SELECT * FROM set_rows LIMIT 1000;
VACUUM (FREEZE, ANALYZE) set_rows;
VACUUM (FREEZE, ANALYZE) set_rows_10k;
VACUUM (FREEZE, ANALYZE) set_rows_1k;
DO $$
BEGIN
	IF (SELECT cardinality(merge(changes)) <> 200000 OR cardinality(merge(replicas)) <> 200000 FROM set_rows_10k) THEN
		RAISE EXCEPTION 'an element is lost';
	END IF;
END
$$;
SELECT format('CALL compare(%L, %L, %L, 12, warm_up => %L)', format('merge of %s sets of 20 elements, %s : %s', larger, label, smaller),
	format('SELECT merge(%s) FROM %s', column_name, large), format('SELECT merge(%s) FROM %s', column_name, small),
	format('SELECT merge(%s) FROM (SELECT * FROM set_rows_1k LIMIT 10) s', column_name))
FROM (VALUES ('set_rows_10k', 'set_rows_1k', '10k', '1k'), ('set_rows', 'set_rows_10k', '100k', '10k')) t (large, small, larger, smaller),
	(VALUES ('changes', 'of 8 nodes'), ('replicas', 'of a node each')) c (column_name, label) \gexec

CREATE TABLE elements AS SELECT 'element ' || (i * 7919) % 100000 AS element FROM generate_series(1, 100000) i;
VACUUM (FREEZE, ANALYZE) elements;
CALL compare('orset_agg of 100k elements : array_agg(DISTINCT element)',
	$$SELECT orset_agg(element, 'node-1') FROM elements$$, 'SELECT array_agg(DISTINCT element) FROM elements', 3.0);

\echo '==> merging counters'
CREATE TABLE counters AS SELECT clock::text::gcounter AS c FROM clocks;
CREATE TABLE numbers AS SELECT value(c) AS n FROM counters;
VACUUM (FREEZE, ANALYZE) counters;
VACUUM (FREEZE, ANALYZE) numbers;
CALL compare('merge(gcounter) : max(octet_length(raw))',
	'SELECT merge(c) FROM counters', 'SELECT max(octet_length(raw)) FROM raws', 2.0);
CALL compare('merge(gcounter) : sum(numeric) of as many rows',
	'SELECT merge(c) FROM counters', 'SELECT sum(n) FROM numbers', 3.0);

\echo '==> index on elements'
-- 10 elements of 100,000 each: one in ten thousand rows has a given one
CREATE TABLE tagged AS
SELECT i AS id, (SELECT orset_agg('tag-' || (i * 10::bigint + j) * 7919 % 100000, 'node-1') FROM generate_series(1, 10) j) AS s
FROM generate_series(1, 1000000) i;
CREATE INDEX ON tagged USING gin (s);
VACUUM (FREEZE, ANALYZE) tagged;
CREATE FUNCTION tagged_with(tag text, with_index boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	found bigint;
BEGIN
	PERFORM set_config('enable_seqscan', (NOT with_index)::text, true), set_config('enable_bitmapscan', with_index::text, true);
	EXECUTE format('SELECT count(*) FROM tagged WHERE s ? %L', tag) INTO found;
	IF found <> 100 THEN
		RAISE EXCEPTION '% rows are tagged %', found, tag;
	END IF;
	RETURN found;
END
$$;
CALL compare('by sequential scan : s ? $1 by GIN, 1M rows, 0.01 % match',
	$$SELECT tagged_with('tag-4242', true)$$, $$SELECT tagged_with('tag-4242', false)$$, 200, false);

\echo '==> size of deltas'
CREATE TABLE changed AS SELECT orset_agg('element ' || i, 'node-1') AS old FROM generate_series(1, 100000) i;
ALTER TABLE changed ADD added orset, ADD cut orset;
DO $$
DECLARE
	s orset := (SELECT old FROM changed);
BEGIN
	FOR i IN 1 .. 10 LOOP
		s := add(s, 'new ' || i, 'node-1');
	END LOOP;
	UPDATE changed SET added = s;
	FOR i IN 1 .. 1000 LOOP
		s := remove(s, 'element ' || i * 97);
	END LOOP;
	UPDATE changed SET cut = s;
	IF (SELECT old | delta(cut, context(old)) <> cut FROM changed) THEN
		RAISE EXCEPTION 'the delta does not do what the whole does';
	END IF;
END
$$;
INSERT INTO measured (what, ours, yardstick, unit, ratio, bound)
SELECT 'delta of 100k elements, 10 are new : 2 KB', pg_column_size(delta(added, context(old))), 2048, 'bytes',
	pg_column_size(delta(added, context(old))) / 2048.0, 1.0 FROM changed;
INSERT INTO measured (what, ours, yardstick, unit, ratio, bound)
SELECT 'the same, and 1,000 scattered removals : 16 KB', pg_column_size(delta(cut, context(old))), 16384, 'bytes',
	pg_column_size(delta(cut, context(old))) / 16384.0, 1.0 FROM changed;
