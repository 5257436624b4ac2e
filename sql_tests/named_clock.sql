-- Clocks that all sessions share; t/043_named_clock.pl has several sessions.

\set SHOW_CONTEXT never

-- a clock of each kind; vectors count for a node
SET distributed.node = 'berlin';
SELECT create_clock('l', 'lamport'), create_clock('v', 'vector'), create_clock('w', 'vector', 'tokyo');
SELECT logical_time '{"hybrid": "1970-01-01T00:00:00Z/0"}' = create_clock('h', 'hybrid') AS never;
SELECT clock_now('l'), clock_now('v'), clock_now('w');
SELECT clock_tick('l'), clock_tick('l'), clock_tick('v'), clock_tick('v'), clock_tick('w');
SELECT clock_now('l'), clock_now('v'), clock_now('w');

-- receive merges, then ticks
SELECT clock_receive('l', lamport '41'), clock_receive('l', lamport '7'),
	clock_receive('v', vclock '{"tokyo": 5, "berlin": 1}'), clock_receive('w', clock_now('v'));
-- of another kind: a local tick
SELECT clock_receive('l', vclock '{"x": 9}'), clock_receive('v', lamport '99'), clock_receive('w', hlc '17.0');
-- hybrid: close to the wall clock, later than what was received
SELECT clock_tick('h')::hlc - hlc(clock_timestamp()) BETWEEN '-1 s' AND '1 s' AS close;
SELECT logical(received) AS logical, nanoseconds(received) = nanoseconds(remote) AS same_nanosecond,
	clock_now('h')::hlc = received AS is_now, clock_tick('h')::hlc > received AS goes_on
FROM (SELECT remote, clock_receive('h', remote)::hlc AS received FROM (SELECT hlc(clock_timestamp() + '400 ms', 7) AS remote OFFSET 0) r OFFSET 0) s;
\set VERBOSITY terse
SELECT clock_receive('h', hlc(clock_timestamp() + '1 h'));
\set VERBOSITY default
SELECT name, kind, node, CASE kind WHEN 'hybrid' THEN NULL ELSE now END AS now, owner = current_user::regrole AS mine
FROM named_clocks ORDER BY name;

-- a rolled-back tick has not happened
BEGIN;
SELECT clock_tick('l'), create_clock('gone', 'lamport');
ROLLBACK;
SELECT clock_now('l');
SELECT clock_now('gone');
BEGIN;
SELECT clock_tick('v');
SAVEPOINT s;
SELECT clock_tick('v');
ROLLBACK TO s;
SELECT clock_tick('v');
COMMIT;

-- in one statement each call is an event
SELECT array_agg(clock_tick('l')::lamport) FROM generate_series(1, 5);

-- a timestamp that cannot be exceeded; the clock stays what it was
SELECT clock_receive('l', lamport '9223372036854775806');
SELECT clock_tick('l');
SELECT clock_now('l');

-- what is refused
SELECT create_clock('l', 'vector');
SELECT create_clock('', 'vector');
SELECT create_clock(NULL, 'vector');
SELECT create_clock('x', NULL);
SELECT create_clock('x', 'atomic');
SELECT create_clock('x', 'vector', '');
SELECT create_clock('x', 'vector', repeat('n', 256));
SELECT clock_tick('x'), clock_tick(NULL);
SELECT clock_receive('x', lamport '1');
SELECT drop_clock('x');
RESET distributed.node;
SELECT create_clock('x', 'vector');
SELECT clock_tick('v') AS has_a_node_of_its_own;
BEGIN READ ONLY;
SELECT clock_now('w');
SELECT clock_tick('w');
ROLLBACK;

-- roles: everybody reads; a clock ticks for its owner, and for members of that role
CREATE ROLE clock_team;
CREATE ROLE clock_member IN ROLE clock_team;
CREATE ROLE clock_stranger;
SET ROLE clock_team;
SELECT create_clock('team', 'lamport');
SET ROLE clock_member;
SELECT clock_tick('team');
SET ROLE clock_stranger;
SELECT clock_now('team'), current_user;
SELECT count(*) FROM named_clocks WHERE name = 'team';
SELECT clock_tick('team');
SELECT current_user;
SELECT drop_clock('team');
UPDATE named_clocks SET now = lamport '0';
DELETE FROM named_clocks;
RESET ROLE;
SELECT clock_tick('team') AS superusers_may;

-- the table keeps its rules
INSERT INTO named_clocks VALUES ('bad', 'vector', 'n', lamport '1', current_user::regrole);

SELECT drop_clock('l'), drop_clock('v'), drop_clock('w'), drop_clock('h'), drop_clock('team');
SELECT * FROM named_clocks;
DROP ROLE clock_member, clock_team, clock_stranger;
