-- Hybrid logical timestamps.

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

-- text: no setting changes it
SELECT input, input::hlc, nanoseconds(input::hlc), logical(input::hlc) FROM (VALUES
	('2026-11-22T13:00:00.123456789Z/7'),
	(' 2026-11-22 13:00:00Z '),
	('2026-11-22t13:00:00.5z'),
	('2026-11-22T13:00:00+02:00/3'),
	('2026-11-22T13:00:00-0130'),
	('2026-11-22T13:00:00+09'),
	('1970-01-01T00:00:00Z/0'),
	('1969-12-31T23:59:59.999999999Z'),
	('2024-02-29T00:00:00Z'),
	('2026-11-22T13:00:00Z/4294967295'),
	('1677-09-21T00:12:43.145224192Z'),
	('2262-04-11T23:47:16.854775807Z'),
	('17.0'), ('-1.5'), ('0.4294967295'),
	('9223372036854775807.0'), ('-9223372036854775808.0')) v (input);

SELECT input, f.* FROM (VALUES
	(''), ('now'), ('17'), ('17.'), ('.5'), ('17.0x'), ('17.0 18.0'), ('17.-1'), ('1e9.0'),
	('17.4294967296'), ('9223372036854775808.0'), ('-9223372036854775809.0'),
	('2026-13-22T13:00:00Z'), ('2026-00-22T13:00:00Z'), ('2026-02-29T13:00:00Z'),
	('2026-04-31T13:00:00Z'), ('2026-11-00T13:00:00Z'), ('0000-01-01T00:00:00Z'),
	('2026-11-22T24:00:00Z'), ('2026-11-22T13:60:00Z'), ('2026-11-22T13:00:60Z'),
	('2026-11-22'), ('2026-11-22T13:00Z'), ('2026-11-22T13:00:00'), ('2026-11-22T13:00:00.Z'),
	('2026-11-22T13:00:00.1234567891Z'), ('2026-11-22T13:00:00 Europe/Paris'),
	('2026-11-22T13:00:00+2'), ('2026-11-22T13:00:00+16:00'), ('2026-11-22T13:00:00+02:60'),
	('2026-11-22T13:00:00Z/'), ('2026-11-22T13:00:00Z/-1'), ('2026-11-22T13:00:00Z/x'),
	('2026-11-22T13:00:00Z/4294967296'), ('2026-11-22T13:00:00Z/1 2'),
	('1677-09-21T00:12:43.145224191Z'), ('2262-04-11T23:47:16.854775808Z'),
	('9999-12-31T23:59:59Z')) v (input),
	pg_temp.fault(format('SELECT %L::hlc', input)) f;
SELECT 'yesterday'::hlc;

-- parts
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT hlc('2026-11-22 13:00:00.123456+00', 7), hlc('1969-12-31 23:59:59.999999+00'),
	hlc(timestamptz 'epoch', 4294967295);
SELECT physical('2026-11-22T13:00:00.123456789Z/7'::hlc),
	'1969-12-31T23:59:59.999999999Z'::hlc::timestamptz AS rounded_down,
	nanoseconds('17.3'::hlc), logical('17.3'::hlc);
SELECT hlc(t, 3)::timestamptz = t AS exact
FROM (VALUES (timestamptz '1677-09-21 00:12:43.145225+00'), ('2262-04-11 23:47:16.854775+00'),
	('2000-01-01'), ('epoch')) v (t);
SELECT command, f.* FROM (VALUES
	('SELECT hlc(''infinity''::timestamptz, 0)'),
	('SELECT hlc(''-infinity''::timestamptz, 0)'),
	('SELECT hlc(''2263-01-01''::timestamptz, 0)'),
	('SELECT hlc(''1600-01-01''::timestamptz, 0)'),
	('SELECT hlc(''2026-01-01''::timestamptz, -1)'),
	('SELECT hlc(''2026-01-01''::timestamptz, 4294967296)')) v (command), pg_temp.fault(command) f;

-- differences
SELECT a - b AS difference FROM (VALUES
	('2026-11-22T13:00:00Z'::hlc, '2026-11-20T12:59:58.5Z'::hlc),
	('2026-11-20T12:59:58.5Z', '2026-11-22T13:00:00Z'),
	('17.5', '17.0'),
	('9223372036854775807.0', '-9223372036854775808.0')) v (a, b);

-- the clock: physical time if that advances, the counter if not
SELECT tick('2026-11-22T13:00:00Z/7'::hlc, '2026-11-22 13:00:01+00') AS advances,
	tick('2026-11-22T13:00:00Z/7'::hlc, '2026-11-22 13:00:00+00') AS stands,
	tick('2026-11-22T13:00:00Z/7'::hlc, '2026-11-22 12:00:00+00') AS goes_back;
SELECT receive(local, remote, now) FROM (VALUES
	('2026-11-22T13:00:00Z/7'::hlc, '2026-11-22T13:00:00Z/9'::hlc, timestamptz '2026-11-22 13:00:00+00'),
	('2026-11-22T13:00:00Z/7', '2026-11-22T13:00:02Z/3', '2026-11-22 13:00:01+00'),
	('2026-11-22T13:00:02Z/7', '2026-11-22T13:00:00Z/3', '2026-11-22 13:00:01+00'),
	('2026-11-22T13:00:00Z/7', '2026-11-22T13:00:01Z/3', '2026-11-22 13:00:02+00')) v (local, remote, now);
SELECT tick('2026-11-22T13:00:00Z/4294967295'::hlc, '2026-11-22 13:00:00+00') AS moves_on;
SELECT command, f.* FROM (VALUES
	('SELECT tick(''9223372036854775807.4294967295''::hlc, ''2026-01-01''::timestamptz)'),
	('SELECT tick(''17.0''::hlc, ''infinity''::timestamptz)')) v (command), pg_temp.fault(command) f;

-- a message's receipt is after its sending and after all local events, at any skew
SELECT count(*) AS events, bool_and(t > before AND t > remote) AS after_both
FROM (SELECT hlc(timestamptz 'epoch' + i % 7 * interval '1 second', i % 3) AS before,
		hlc(timestamptz 'epoch' + i % 5 * interval '1 second', i % 4) AS remote,
		timestamptz 'epoch' + i % 11 * interval '1 second' AS now
	FROM generate_series(1, 5000) i) e, receive(before, remote, now) t;

-- order
SELECT a < b AS "<", a <= b AS "<=", a = b AS "=", a <> b AS "<>", a >= b AS ">=", a > b AS ">"
FROM (VALUES ('1.0'::hlc, '1.1'::hlc), ('1.4294967295', '2.0'), ('-1.0', '0.0'), ('5.5', '5.5')) v (a, b);
SELECT max(t), min(t) FROM (VALUES ('3.0'::hlc), (NULL), ('3.1'), ('-3.1')) v (t);
SELECT max(t) FROM (VALUES (NULL::hlc)) v (t);
SELECT t FROM (VALUES ('3.2'::hlc), ('3.10'), ('-1.0'), ('2.9')) v (t) ORDER BY t;

SELECT hlc_send('258.3'), hlc_send('-1.4294967295');
SELECT pg_column_size('17.0'::hlc) AS bytes;
-- 12 bytes each also in an array, whose header takes 24
SELECT pg_column_size(array_agg(hlc(timestamptz 'epoch', i))) AS bytes FROM generate_series(1, 100) i;

-- ranges
SELECT hlcrange('1.0', '2.0'), '[1.0,2.0]'::hlcrange, 'empty'::hlcrange;
SELECT hlcrange('1.0', '3.0') @> '2.7'::hlc AS inside, hlcrange('1.0', '3.0') @> '3.0'::hlc AS at_end,
	hlcrange('1.0', '3.0') && hlcrange('2.0', '9.0') AS overlap,
	hlcrange('1.0', '3.0') * hlcrange('2.0', '9.0') AS intersection;
SELECT hlc_seconds_between('2026-11-22T13:00:00.000000001Z', '2026-11-22T13:00:00Z') AS nanosecond,
	hlc_seconds_between('1.0', '3000000001.0') AS negative,
	hlc_seconds_between('9223372036854775807.0', '-9223372036854775808.0') AS widest;
CREATE TEMP TABLE spans (during hlcrange, EXCLUDE USING gist (during WITH &&));
INSERT INTO spans SELECT hlcrange(hlc(timestamptz 'epoch' + i * interval '1 second'),
	hlc(timestamptz 'epoch' + (i + 1) * interval '1 second')) FROM generate_series(1, 500) i;
SELECT count(*) FROM spans WHERE during && '[1970-01-01T00:00:10Z,1970-01-01T00:00:20Z]';
INSERT INTO spans VALUES ('[1970-01-01T00:00:10.5Z,1970-01-01T00:00:10.6Z]');

-- indexes: btree, hash, BRIN
CREATE TABLE hlc_events (t hlc);
INSERT INTO hlc_events SELECT hlc(timestamptz 'epoch' + i / 10 * interval '1 ms', i % 10)
	FROM generate_series(0, 19999) i;
CREATE INDEX hlc_btree ON hlc_events (t);
ANALYZE hlc_events;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT t FROM hlc_events WHERE t < '0.3' ORDER BY t;
SELECT t FROM hlc_events WHERE t < '0.3' ORDER BY t;
SELECT max(t), min(t) FROM hlc_events;
DROP INDEX hlc_btree;
CREATE INDEX hlc_hash ON hlc_events USING hash (t);
EXPLAIN (COSTS OFF) SELECT t FROM hlc_events WHERE t = '1000000.7';
SELECT t FROM hlc_events WHERE t = '1000000.7';
DROP INDEX hlc_hash;
RESET enable_bitmapscan;
CREATE INDEX hlc_brin ON hlc_events USING brin (t) WITH (pages_per_range = 1);
EXPLAIN (COSTS OFF) SELECT count(*) FROM hlc_events WHERE t >= '1000000000.0' AND t < '1100000000.0';
SELECT count(*) FROM hlc_events WHERE t >= '1000000000.0' AND t < '1100000000.0';
RESET enable_seqscan;
DROP TABLE hlc_events;
