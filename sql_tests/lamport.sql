-- Lamport timestamps.

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

SELECT '0'::lamport, ' 42 '::lamport, '007'::lamport, '9223372036854775807'::lamport;

SELECT input, f.* FROM (VALUES (''), (' '), ('x'), ('1x'), ('1 2'), ('-1'), ('+1'), ('1.0'), ('1e3'),
	('0x10'), ('9223372036854775808'), ('99999999999999999999')) v (input),
	pg_temp.fault(format('SELECT %L::lamport', input)) f;
SELECT 'noon'::lamport;

SELECT tick('0'::lamport), receive('3'::lamport, '7'), receive('7'::lamport, '3'),
	receive('5'::lamport, '5');
SELECT command, f.* FROM (VALUES
	('SELECT tick(''9223372036854775807''::lamport)'),
	('SELECT receive(''1''::lamport, ''9223372036854775807'')'),
	('SELECT (-1)::bigint::lamport'), ('SELECT (-1)::lamport')) v (command), pg_temp.fault(command) f;

SELECT 5::bigint::lamport, 5::lamport, '5'::lamport::bigint + 1 AS six, lamport(7);
CREATE TEMP TABLE counters (n bigint);
INSERT INTO counters VALUES ('9'::lamport);
SELECT n FROM counters;
CREATE TEMP TABLE stamps (t lamport);
INSERT INTO stamps VALUES (5), (6::bigint), ('7');
SELECT t FROM stamps;

-- order
SELECT a < b AS "<", a <= b AS "<=", a = b AS "=", a <> b AS "<>", a >= b AS ">=", a > b AS ">"
FROM (VALUES ('1'::lamport, '2'::lamport), ('2', '2'), ('10', '9')) v (a, b);
SELECT max(t), min(t) FROM (VALUES ('3'::lamport), (NULL), ('20'), ('1')) v (t);
SELECT max(t), min(t) FROM (VALUES (NULL::lamport)) v (t);
SELECT t FROM (VALUES ('10'::lamport), ('9'), ('100')) v (t) ORDER BY t DESC;

SELECT lamport_send('258');
SELECT pg_column_size('1'::lamport) AS bytes;

-- indexes: btree, hash, BRIN
CREATE TABLE lamport_events (t lamport);
INSERT INTO lamport_events SELECT i::lamport FROM generate_series(1, 20000::bigint) i;
CREATE INDEX lamport_btree ON lamport_events (t);
ANALYZE lamport_events;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT t FROM lamport_events WHERE t < '4' ORDER BY t;
SELECT t FROM lamport_events WHERE t < '4' ORDER BY t;
SELECT max(t), min(t) FROM lamport_events;
DROP INDEX lamport_btree;
CREATE INDEX lamport_hash ON lamport_events USING hash (t);
EXPLAIN (COSTS OFF) SELECT t FROM lamport_events WHERE t = '77';
SELECT t FROM lamport_events WHERE t = '77';
DROP INDEX lamport_hash;
RESET enable_bitmapscan;
CREATE INDEX lamport_brin ON lamport_events USING brin (t) WITH (pages_per_range = 1);
EXPLAIN (COSTS OFF) SELECT count(*) FROM lamport_events WHERE t BETWEEN '500' AND '700';
SELECT count(*) FROM lamport_events WHERE t BETWEEN '500' AND '700';
SELECT count(*) FROM lamport_events WHERE t > '19990';
RESET enable_seqscan;
DROP TABLE lamport_events;
