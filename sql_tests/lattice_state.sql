-- States of obligations: the table of joins and what it follows from, merge and meet, order, casts.

\set SHOW_CONTEXT never
SET jit = off;
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

-- the states: text, image, size, what to ask of them
CREATE TEMP TABLE states (s lattice_state PRIMARY KEY);
INSERT INTO states VALUES ('unknown'), ('reserved'), ('committed'), ('aborted'), ('conflict');
SELECT s, lattice_state_send(s), pg_column_size(s), is_terminal(s), is_conflict(s) FROM states ORDER BY s;
SELECT typlen, typbyval, typalign, typstorage FROM pg_type WHERE oid = 'lattice_state'::regtype;

-- all joins, all meets, all inclusions: of the row's state and the column's
SELECT s AS "|", s | 'unknown' AS unknown, s | 'reserved' AS reserved, s | 'committed' AS committed, s | 'aborted' AS aborted,
	s | 'conflict' AS conflict FROM states ORDER BY s;
SELECT s AS "&", s & 'unknown' AS unknown, s & 'reserved' AS reserved, s & 'committed' AS committed, s & 'aborted' AS aborted,
	s & 'conflict' AS conflict FROM states ORDER BY s;
SELECT s AS "<@", s <@ 'unknown' AS unknown, s <@ 'reserved' AS reserved, s <@ 'committed' AS committed, s <@ 'aborted' AS aborted,
	s <@ 'conflict' AS conflict FROM states ORDER BY s;
SELECT s AS "@>", s @> 'unknown' AS unknown, s @> 'reserved' AS reserved, s @> 'committed' AS committed, s @> 'aborted' AS aborted,
	s @> 'conflict' AS conflict FROM states ORDER BY s;
SELECT bool_and(merge(a.s, b.s) = (a.s | b.s)) AS merge, bool_and(meet(a.s, b.s) = (a.s & b.s)) AS meet,
	bool_and(lattice_state_contained(a.s, b.s) = (a.s <@ b.s)) AS contained, bool_and(lattice_state_contains(a.s, b.s) = (a.s @> b.s)) AS contains
FROM states a, states b;

-- The same from the drawing of the lattice alone, which says what lies directly
-- below what, by plain SQL over text: the closure of that, then of each two
-- states the bound below all their upper bounds, and the one above all their
-- lower bounds.
CREATE TEMP TABLE covers (lower text, upper text);
INSERT INTO covers VALUES ('unknown', 'reserved'), ('reserved', 'committed'), ('reserved', 'aborted'), ('committed', 'conflict'), ('aborted', 'conflict');
CREATE TEMP VIEW below (low, high) AS
	WITH RECURSIVE below AS (
		SELECT lower AS low, lower AS high FROM covers
		UNION SELECT upper, upper FROM covers
		UNION SELECT low, upper FROM below JOIN covers ON high = lower)
	TABLE below;
CREATE TEMP TABLE bounds AS
	SELECT a, b, (a, b) IN (TABLE below) AS included,
		ARRAY(SELECT j FROM unnest(uppers) j WHERE NOT EXISTS (SELECT FROM unnest(uppers) other WHERE (j, other) NOT IN (TABLE below))) AS joins,
		ARRAY(SELECT m FROM unnest(lowers) m WHERE NOT EXISTS (SELECT FROM unnest(lowers) other WHERE (other, m) NOT IN (TABLE below))) AS meets
	FROM (SELECT DISTINCT low FROM below) x (a), (SELECT DISTINCT low FROM below) y (b),
		LATERAL (SELECT array_agg(high) FROM below p JOIN below q USING (high) WHERE p.low = a AND q.low = b) u (uppers),
		LATERAL (SELECT array_agg(low) FROM below p JOIN below q USING (low) WHERE p.high = a AND q.high = b) l (lowers);
SELECT count(*) AS pairs, count(*) FILTER (WHERE joins = ARRAY[(a::lattice_state | b::lattice_state)::text]) AS joins,
	count(*) FILTER (WHERE meets = ARRAY[(a::lattice_state & b::lattice_state)::text]) AS meets,
	count(*) FILTER (WHERE included = (a::lattice_state <@ b::lattice_state)) AS contained,
	count(*) FILTER (WHERE included = (b::lattice_state @> a::lattice_state)) AS contains
FROM bounds;
-- terminal is what has nothing above it but the contradiction
SELECT low AS state, bool_and(high IN (low, 'conflict')) AS terminal, bool_and(high IN (low, 'conflict')) = is_terminal(low::lattice_state) AS same
FROM below GROUP BY low ORDER BY low::lattice_state;
-- and back: what "<@" knows, drawn
SELECT a.s AS lower, b.s AS upper, (a.s::text, b.s::text) IN (TABLE covers) AS drawn FROM states a JOIN states b ON a.s <@ b.s AND a.s <> b.s
WHERE NOT EXISTS (SELECT FROM states c WHERE a.s <@ c.s AND c.s <@ b.s AND c.s NOT IN (a.s, b.s)) ORDER BY 1, 2;

-- aggregates: nulls are skipped; no rows, or none but nulls, give null
SELECT merge(s), meet(s) FROM (VALUES ('reserved'::lattice_state), (NULL), ('committed'), ('reserved')) v (s);
SELECT merge(s), meet(s) FROM (VALUES ('committed'::lattice_state), ('aborted')) v (s);
SELECT merge(s), meet(s) FROM (VALUES ('unknown'::lattice_state)) v (s);
SELECT merge(s) IS NULL AS merge, meet(s) IS NULL AS meet FROM (VALUES (NULL::lattice_state), (NULL)) v (s);
SELECT merge(s) IS NULL AS merge, meet(s) IS NULL AS meet FROM states WHERE false;
CREATE TEMP TABLE reports (n integer, what text, s lattice_state);
INSERT INTO reports VALUES (1, 'a', 'reserved'), (2, 'b', 'reserved'), (3, 'a', 'committed'), (4, 'b', NULL), (5, 'a', 'unknown'),
	(6, 'b', 'aborted'), (7, 'a', 'aborted'), (8, 'c', NULL);
SELECT what, merge(s), meet(s), merge(s) FILTER (WHERE n < 6) AS earlier, count(*) FROM reports GROUP BY what ORDER BY what;
SELECT n, what, s, merge(s) OVER (PARTITION BY what ORDER BY n) AS so_far,
	merge(s) OVER (PARTITION BY what ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS of_two,
	meet(s) OVER (PARTITION BY what ORDER BY n) AS least FROM reports ORDER BY what, n;
SELECT what FROM reports GROUP BY what HAVING is_conflict(merge(s));

-- the order for sorting is that of the numbers, and has no "<"
SELECT a.s, string_agg(b.s::text, ' ' ORDER BY b.s) FILTER (WHERE a.s #<# b.s) AS "#<#", string_agg(b.s::text, ' ' ORDER BY b.s) FILTER (WHERE a.s #># b.s) AS "#>#",
	count(*) FILTER (WHERE a.s #<=# b.s) AS "#<=#", count(*) FILTER (WHERE a.s #>=# b.s) AS "#>=#",
	count(*) FILTER (WHERE a.s = b.s) AS "=", count(*) FILTER (WHERE a.s <> b.s) AS "<>"
FROM states a, states b GROUP BY a.s ORDER BY a.s;
SELECT lattice_state_cmp(a.s, b.s) AS cmp, count(*), bool_and(lattice_state_hash(a.s) = lattice_state_hash(b.s)) AS same_hash,
	bool_and(lattice_state_hash_extended(a.s, 7) = lattice_state_hash_extended(b.s, 7)) AS same_extended
FROM states a, states b GROUP BY 1 ORDER BY 1;
SELECT n, s FROM reports ORDER BY s DESC NULLS LAST, n;
SELECT f.state, f.message FROM pg_temp.fault('SELECT ''reserved''::lattice_state < ''committed''') f;

-- indexes
CREATE TABLE lattice_state_rows (id integer, s lattice_state NOT NULL DEFAULT 'unknown');
INSERT INTO lattice_state_rows SELECT i, CASE i % 500 WHEN 0 THEN 'conflict' WHEN 1 THEN 'aborted' WHEN 2 THEN 'reserved' ELSE 'committed' END::lattice_state
FROM generate_series(1, 2000) i;
CREATE INDEX lattice_state_btree ON lattice_state_rows (s, id);
ANALYZE lattice_state_rows, states;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id, s FROM lattice_state_rows WHERE s #># 'committed' ORDER BY s, id;
SELECT id, s FROM lattice_state_rows WHERE s #># 'committed' ORDER BY s, id;
EXPLAIN (COSTS OFF) SELECT id FROM lattice_state_rows WHERE s = 'conflict' ORDER BY id;
DROP INDEX lattice_state_btree;
CREATE INDEX lattice_state_hash ON lattice_state_rows USING hash (s);
EXPLAIN (COSTS OFF) SELECT id FROM lattice_state_rows WHERE s = 'reserved';
SELECT count(*), min(id), max(id) FROM lattice_state_rows WHERE s = 'reserved';
DROP INDEX lattice_state_hash;
CREATE INDEX lattice_state_partial ON lattice_state_rows (id) WHERE is_conflict(s);
EXPLAIN (COSTS OFF) SELECT id FROM lattice_state_rows WHERE is_conflict(s) AND id > 1000 ORDER BY id;
SELECT id FROM lattice_state_rows WHERE is_conflict(s) AND id > 1000 ORDER BY id;
RESET enable_seqscan;
RESET enable_bitmapscan;
-- the primary key of this table
INSERT INTO states VALUES ('conflict');

-- DISTINCT, grouping, joins, set operations: sorted and hashed
SET enable_hashagg = off;
SELECT DISTINCT s FROM lattice_state_rows ORDER BY s;
RESET enable_hashagg;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT s, count(*) FROM lattice_state_rows GROUP BY s;
SELECT sum(n) AS rows, count(*) AS states FROM (SELECT s, count(*) AS n FROM lattice_state_rows GROUP BY s) g;
RESET enable_sort;
SET enable_nestloop = off;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM lattice_state_rows a JOIN states b USING (s);
SELECT b.s, count(a.id) FROM states b LEFT JOIN lattice_state_rows a USING (s) GROUP BY b.s ORDER BY b.s;
SET enable_hashjoin = off;
SET enable_mergejoin = on;
SELECT b.s, count(a.id) FROM states b LEFT JOIN lattice_state_rows a USING (s) GROUP BY b.s ORDER BY b.s;
RESET enable_nestloop;
RESET enable_hashjoin;
SELECT s FROM states EXCEPT SELECT s FROM lattice_state_rows;
DROP TABLE lattice_state_rows;

-- casts: in expressions they are written out, in assignments not
SELECT 'reserved'::text::lattice_state AS of_text, 'reserved'::varchar::lattice_state AS of_varchar, 'committed'::lattice_state::text AS text, upper('committed'::lattice_state::text);
CREATE TEMP TABLE letters (label text, name varchar);
INSERT INTO letters SELECT s, s FROM states;
INSERT INTO letters VALUES ('committed'::lattice_state, 'committed'::lattice_state | 'aborted');
SELECT label, name FROM letters ORDER BY label COLLATE "C", name COLLATE "C";
CREATE TEMP TABLE copies (s lattice_state);
INSERT INTO copies SELECT label FROM letters;
UPDATE copies SET s = 'conflict'::text WHERE s = 'committed';
SELECT s, count(*) FROM copies GROUP BY s ORDER BY s;
INSERT INTO copies SELECT 'x'::text;
SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod FROM pg_cast
WHERE 'lattice_state'::regtype IN (castsource, casttarget) ORDER BY 1::text COLLATE "C";

-- binary: version 1 and the number of the state
SELECT string_agg(encode(lattice_state_send(s), 'hex'), ' ' ORDER BY s) AS images FROM states;

-- arrays, and in rows no space is lost
SELECT '{unknown,NULL,conflict}'::lattice_state[] AS list, ('{committed,aborted}'::lattice_state[])[2], 'reserved' = ANY ('{committed,reserved}'::lattice_state[]) AS any,
	array_agg(s ORDER BY s DESC) AS all_of_them FROM states;
SELECT pg_column_size(array_agg(s)) AS of_5, pg_column_size(array_agg(s) || array_agg(s)) AS of_10 FROM states;
SELECT pg_column_size(ROW(a.s, a.s, a.s, a.s)) - pg_column_size(ROW(a.s)) AS three_more FROM states a WHERE is_conflict(a.s);

-- COPY
CREATE TEMP TABLE loaded (n integer, s lattice_state);
COPY loaded FROM STDIN;
1	reserved
2	\N
3	conflict
\.
COPY loaded FROM STDIN;
4	committed
5	 committed
\.
COPY loaded (s, n) TO STDOUT (FORMAT csv, HEADER);

-- null in, null out
SELECT (NULL | s) IS NULL AND (s & NULL) IS NULL AND (s <@ NULL) IS NULL AND (NULL @> s) IS NULL AND is_terminal(NULL::lattice_state) IS NULL
	AND is_conflict(NULL::lattice_state) IS NULL AND (s = NULL) IS NULL AND (s #<# NULL) IS NULL AS strict FROM states WHERE is_conflict(s);

-- what is no state: labels are taken as they are, without blanks, in lower case
SELECT 'done'::lattice_state;
SELECT quote_literal(input) AS input, f.state, f.message, f.detail
FROM (VALUES (''), (' '), (' reserved'), ('reserved '), (E'reserved\n'), ('Reserved'), ('reserve'), ('reservedx'), ('released'), ('null'), ('0'), ('"reserved"'), ('{}'),
	(repeat('reserved', 3)), ('ä')) v (input), pg_temp.fault(format('SELECT %L::lattice_state', input)) f;
SELECT command, f.state, f.message, f.detail FROM (VALUES
	('SELECT ''reserved''::lattice_state | ''done'''), ('SELECT ''{reserved,done}''::lattice_state[]'), ('SELECT ''done''::text::lattice_state'),
	('SELECT max(s) FROM states'), ('SELECT 1::lattice_state'), ('SELECT ''reserved''::lattice_state::integer'), ('SELECT ''reserved''::lattice_state = ''reserved''::text')) v (command),
	pg_temp.fault(command) f;
