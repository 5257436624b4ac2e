-- The hybrid logical clock of the server. Times differ from run to run, so what
-- is shown is how they stand to one another; t/042_live_clock.pl has the rest.

\set SHOW_CONTEXT never
\set VERBOSITY terse

-- close to the wall clock, and later than everything before
SELECT physical(hlc_now()) - clock_timestamp() BETWEEN '-1 s' AND '1 s' AS close;
SELECT count(*), count(DISTINCT t), bool_and(t > before) AS increasing
FROM (SELECT t, lag(t) OVER (ORDER BY i) FROM (SELECT i, hlc_now() AS t FROM generate_series(1, 10000) i OFFSET 0) n) s (t, before)
WHERE before IS NOT NULL;

-- a received time pulls the clock ahead; its counter goes on from there
SELECT received > remote AS later, nanoseconds(received) = nanoseconds(remote) AS same_nanosecond, logical(received),
	after > received AS goes_on, nanoseconds(after) = nanoseconds(remote) AS still_ahead, logical(after)
FROM (SELECT remote, received, hlc_now() AS after
	FROM (SELECT remote, hlc_receive(remote) AS received
		FROM (SELECT hlc(clock_timestamp() + '400 ms', 7) AS remote OFFSET 0) r OFFSET 0) s OFFSET 0) t;

-- a counter that is full moves on by a nanosecond
SELECT nanoseconds(received) - nanoseconds(remote) AS nanoseconds, logical(received)
FROM (SELECT remote, hlc_receive(remote) AS received
	FROM (SELECT hlc(clock_timestamp() + '450 ms', 4294967295) AS remote OFFSET 0) r OFFSET 0) s;
SELECT pg_sleep(0.5);

-- a time of the past changes nothing
SELECT hlc_receive('17.3') > '2026-01-01T00:00:00Z' AS now, hlc_receive('-17.3') > '2026-01-01T00:00:00Z' AS now;
SELECT hlc_receive(NULL);

-- too far ahead
SELECT hlc_receive(hlc(clock_timestamp() + '1 h')) \g /dev/null
SELECT * FROM hlc_receive('2262-04-11T23:47:16.854775807Z/4294967295') \g /dev/null
\set VERBOSITY sqlstate
SELECT hlc_receive('2262-04-11T23:47:16.854775807Z/4294967295');
SET distributed.max_clock_offset = 0;
SELECT hlc_receive(hlc(clock_timestamp() + '10 ms'));
SET distributed.max_clock_offset = '2 s';
SELECT hlc_receive(hlc(clock_timestamp() + '10 ms')) > '17.0' AS received;
RESET distributed.max_clock_offset;
SHOW distributed.max_clock_offset;
SET distributed.max_clock_offset = -1;
SET distributed.test_clock = 'yesterday';
SET distributed.test_clock = '@';
SET distributed.test_clock = '@99999999999999999999';
\set VERBOSITY terse

-- the message names both times and the offset
DO $$
DECLARE
	said text;
	advice text;
BEGIN
	PERFORM hlc_receive(hlc(clock_timestamp() + '1 h'));
EXCEPTION WHEN datetime_field_overflow THEN
	GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
	RAISE INFO '%', regexp_replace(regexp_replace(said, '\d{4}-\S+Z/\d+', 'TIME', 'g'), '\d+\.\d+ ms', 'N ms');
	RAISE INFO '%', advice;
END
$$;

-- what the clock says of itself; refusals are counted
SELECT last_time > '2026-01-01T00:00:00Z' AS used, wall_clock - clock_timestamp() BETWEEN '-1 s' AND '1 s' AS wall_clock,
	clock_offset BETWEEN '-5 s' AND '5 s' AS near, clock_offset = physical(last_time) - wall_clock AS is_their_difference,
	max_clock_offset, shared
FROM hlc_status();
SELECT refusals FROM hlc_status() \gset
SELECT hlc_receive(hlc(clock_timestamp() + '1 h')) \g /dev/null
SELECT refusals - :refusals AS refused_since FROM hlc_status();

-- a clock that stands still, or is behind: the counter goes on
BEGIN;
SELECT hlc_now() AS before \gset
SET LOCAL distributed.test_clock = '-400ms';
SELECT t1 > :'before' AS later, nanoseconds(t2) = nanoseconds(t1) AS same_nanosecond, logical(t2) - logical(t1) AS counted,
	t1 - :'before'::hlc < '400 ms' AS not_ahead
FROM (SELECT hlc_now() AS t1 OFFSET 0) a, LATERAL (SELECT hlc_now() AS t2 WHERE t1 IS NOT NULL OFFSET 0) b;
COMMIT;
SHOW distributed.test_clock;

-- in a read-only transaction; in a default; and no transaction id is used
BEGIN READ ONLY;
SELECT hlc_now() > '2026-01-01T00:00:00Z' AS read_only, hlc_receive('17.0') > '17.0' AS received;
COMMIT;
CREATE TABLE live_notes (at hlc DEFAULT hlc_now(), note text);
INSERT INTO live_notes (note) VALUES ('first'), ('second'), ('third');
SELECT note FROM live_notes ORDER BY at;
BEGIN;
SELECT hlc_now() > '17.0' AS now, hlc_receive('17.0') > '17.0' AS received;
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
COMMIT;
DROP TABLE live_notes;

-- its settings are for superusers: a session that could move the clock moves everybody's
CREATE ROLE live_clock_user;
SET ROLE live_clock_user;
SELECT hlc_now() > '17.0' AS everybody_may_ask;
SET distributed.max_clock_offset = '1 h';
SET distributed.test_clock = '-1 s';
RESET ROLE;
DROP ROLE live_clock_user;
