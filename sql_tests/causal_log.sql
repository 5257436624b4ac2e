-- Writing causal logs: create_causal_log, log_event, and plain inserts.

\set SHOW_CONTEXT never
SET distributed.node = 'berlin';

-- creating
SELECT create_causal_log('orders');
SELECT attname, atttypid::regtype, attnotnull, attcollation::regcollation, pg_get_expr(adbin, adrelid) AS "default"
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = 'orders'::regclass AND attnum > 0 ORDER BY attnum;
SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'orders'::regclass ORDER BY 1;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype IN ('c', 'p') ORDER BY 1;
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'orders'::regclass;
SELECT obj_description('orders'::regclass, 'pg_class'), relowner::regrole::text = current_user AS mine FROM pg_class WHERE oid = 'orders'::regclass;
-- names are SQL names
CREATE SCHEMA "Log room";
SELECT create_causal_log('"Log room"."The ""log"""') AS name;
SELECT create_causal_log('MixedCase') AS name, create_causal_log('pg_temp.passing') AS temporary;
SELECT relpersistence FROM pg_class WHERE oid = 'passing'::regclass;
-- the table that was made, not one that hides it
CREATE TEMPORARY TABLE hidden (x integer);
SELECT create_causal_log('hidden')::oid <> 'hidden'::regclass AS other, create_causal_log('public.hidden2') AS name;
SELECT create_causal_log('orders');
SELECT create_causal_log('nowhere.orders');
SELECT create_causal_log('a.b.c');
SELECT create_causal_log('');
SELECT create_causal_log('a b; DROP TABLE orders');
SELECT create_causal_log(NULL) IS NULL AS nothing;
BEGIN;
SET LOCAL search_path = '';
SELECT public.create_causal_log('lost');
ROLLBACK;

-- log_event: its result is the event's clock
SELECT log_event('orders', '{"order": 1, "what": "placed"}');
SELECT log_event('orders', '{"order": 1, "what": "asked to pay"}', '{"berlin": 1}', 'tokyo');
SELECT log_event('orders', '{"order": 2}', node => 'tokyo');
SELECT log_event('orders', '{"order": 1, "what": "paid"}', '{"berlin": 1, "tokyo": 2}');
-- without a content; without having received anything
SELECT log_event('orders', NULL), log_event('orders', NULL, NULL, NULL);
-- what was received may be old, or of one's own
SELECT log_event('orders', '"old"', '{"tokyo": 1}'), log_event('orders', '"own"', '{"berlin": 3}');
-- several in a statement
SELECT log_event('orders', to_jsonb(i), node => 'lima') FROM generate_series(1, 3) i;
SELECT origin, seq, clock, event FROM orders ORDER BY origin, seq;
-- timestamps grow along a node, and from cause to effect
SELECT count(*) FROM orders a JOIN orders b ON a.clock << b.clock WHERE a.at >= b.at;

-- arguments
SELECT log_event(NULL, '{}');
SELECT log_event('orders', '{}', node => '');
SELECT log_event('orders', '{}', node => repeat('x', 256));
SELECT clock -> repeat('x', 255) AS seq FROM log_event('orders', '{}', node => repeat('x', 255)) clock;
SELECT log_event('orders', '{}', '{"full": 9223372036854775807}', 'full');
SELECT log_event('orders', '{}', '{"full": 9223372036854775806}', 'full');
SELECT log_event('orders', '{}', node => 'full');
SET distributed.node = '';
SELECT log_event('orders', '{}');
SELECT log_event('orders', '{}', NULL, NULL);
INSERT INTO orders (event) VALUES ('{}');
SET distributed.node = 'berlin';
SELECT log_event('pg_class', '{}');
SELECT log_event('orders_pkey', '{}');
SELECT log_event(1, '{}');

-- a log that was lost: others know of events that it does not have
SELECT create_causal_log('found') AS name;
SELECT log_event('found', '"back again"', '{"berlin": 41, "tokyo": 7}');
SELECT log_event('found', '"and on"');

-- plain inserts
SELECT create_causal_log('plain') AS name;
INSERT INTO plain (event) VALUES ('"one"') RETURNING origin, seq, clock, event;
-- in one statement, and what the clock column says is what was received
INSERT INTO plain (event, clock) VALUES ('"two"', NULL), ('"three"', '{"tokyo": 3}'), ('"four"', '{"lima": 1, "berlin": 2}')
	RETURNING seq, clock, event;
INSERT INTO plain (origin, event) SELECT CASE WHEN i % 2 = 0 THEN 'tokyo' END, to_jsonb(i) FROM generate_series(1, 4) i
	RETURNING origin, seq, clock, event;
INSERT INTO plain DEFAULT VALUES RETURNING origin, seq, clock, event;
-- the timestamp is the trigger's, too
INSERT INTO plain (at, event) VALUES ('17.0', '"when"') RETURNING seq, at > hlc(now(), 0) AS stamped;
-- a row with a number is complete
INSERT INTO plain (origin, seq, clock, at, event) VALUES ('lima', 3, '{"lima": 3}', '17.0', '"a copy"') RETURNING *;
COPY plain (origin, seq, clock, event) FROM stdin;
oslo	2	{"oslo": 2, "lima": 3}	"another"
\.
COPY plain (origin, event) FROM stdin;
oslo	"a new one"
oslo	"and one more"
\.
SELECT origin, seq, clock, event FROM plain WHERE origin IN ('lima', 'oslo') ORDER BY origin, seq;
SELECT log_event('plain', '"after the copy"', node => 'lima');
-- what is wrong with it is seen
\set VERBOSITY terse
INSERT INTO plain (origin, seq, clock) VALUES ('lima', 9, '{"lima": 8}');
INSERT INTO plain (origin, seq, clock) VALUES ('lima', 0, '{}');
INSERT INTO plain (origin, seq, clock) VALUES ('lima', 3, '{"lima": 3}');
INSERT INTO plain (origin, seq) VALUES ('lima', 9);
\set VERBOSITY default
INSERT INTO plain (origin, event) VALUES ('', '{}');
INSERT INTO plain (origin, event) VALUES (repeat('x', 256), '{}');
INSERT INTO plain (origin, seq, clock, event) VALUES ('lima', 3, '{"lima": 3}', '"again"') ON CONFLICT DO NOTHING;
SELECT origin, count(*), max(seq) FROM plain GROUP BY origin ORDER BY origin;
SELECT count(*) FROM plain a JOIN plain b ON a.clock << b.clock AND a.origin = b.origin AND a.origin <> 'lima' WHERE a.at >= b.at;

-- what is rolled back has not happened
BEGIN;
SELECT log_event('plain', '"never"');
SAVEPOINT here;
INSERT INTO plain (event) VALUES ('"neither"') RETURNING seq;
ROLLBACK TO here;
SELECT log_event('plain', '"nor this"');
ROLLBACK;
SELECT log_event('plain', '"but this"');

-- tables of users
CREATE TABLE "Odd table" (id serial, "Who" text, clock vclock, event text, seq integer, origin varchar(8), PRIMARY KEY (origin, seq));
SELECT log_event('"Odd table"', '"a string is the text"'), log_event('"Odd table"', '{"an": "object"}', '{"tokyo": 1}'), log_event('"Odd table"', NULL);
SELECT * FROM "Odd table" ORDER BY id;
SELECT log_event('"Odd table"', '1', node => 'too long a name');
CREATE TRIGGER stamp BEFORE INSERT ON "Odd table" FOR EACH ROW EXECUTE FUNCTION causal_log_stamp();
INSERT INTO "Odd table" (event) VALUES ('by trigger') RETURNING *;
INSERT INTO "Odd table" (origin, event) VALUES ('tokyo', 'by trigger') RETURNING *;
SET distributed.node = 'too long a name';
INSERT INTO "Odd table" (event) VALUES ('by trigger');
SET distributed.node = 'berlin';
INSERT INTO "Odd table" (origin, seq, clock) VALUES ('big', 2147483647, '{"big": 2147483647}');
SELECT log_event('"Odd table"', '1', node => 'big');
INSERT INTO "Odd table" (origin) VALUES ('big');
-- other types of events
CREATE TABLE kinds (origin name, seq bigint, clock vclock, event json);
SELECT log_event('kinds', '{"a":   1}'), log_event('kinds', NULL), log_event('kinds', 'null');
SELECT * FROM kinds;
ALTER TABLE kinds ALTER event TYPE integer USING 17;
SELECT log_event('kinds', '18'), log_event('kinds', '"19"');
SELECT log_event('kinds', '"x"');
ALTER TABLE kinds DROP event;
SELECT log_event('kinds', NULL);
SELECT log_event('kinds', '18');
ALTER TABLE kinds ADD event bytea, ADD at hlc;
SELECT log_event('kinds', '"\\xabcd"');
SELECT seq, clock, event, at IS NOT NULL AS at FROM kinds ORDER BY seq;
-- the statements of this session follow what happens to the table
ALTER TABLE kinds RENAME TO sorts;
CREATE TABLE kinds (LIKE sorts);
SELECT log_event('kinds', NULL), log_event('sorts', NULL);
ALTER SCHEMA "Log room" RENAME TO "Log cellar";
CREATE SCHEMA "Log room";
SELECT create_causal_log('"Log room"."The ""log"""') AS name;
SELECT log_event('"Log cellar"."The ""log"""', '1'), log_event('"Log cellar"."The ""log"""', '2');
ALTER SCHEMA "Log cellar" RENAME TO "Log attic";
ALTER SCHEMA "Log room" RENAME TO "Log cellar";
SELECT log_event('"Log attic"."The ""log"""', '3'), log_event('"Log cellar"."The ""log"""', '1');
DROP TABLE "Log cellar"."The ""log""";
SELECT create_causal_log('"Log cellar"."The ""log"""') AS name;
SELECT log_event('"Log cellar"."The ""log"""', '1');
-- a number that is generated
CREATE TABLE generated (origin text, clock vclock, event jsonb, seq bigint GENERATED ALWAYS AS (clock -> origin) STORED, PRIMARY KEY (origin, seq));
SELECT log_event('generated', '1'), log_event('generated', '2', '{"tokyo": 5}');
SELECT * FROM generated;
CREATE TRIGGER stamp BEFORE INSERT ON generated FOR EACH ROW EXECUTE FUNCTION causal_log_stamp();
INSERT INTO generated (event) VALUES ('3');
-- numbers of another kind: the clock does not fall behind them
CREATE TABLE unchecked (origin text, seq bigint, clock vclock);
INSERT INTO unchecked VALUES ('berlin', 7, '{"berlin": 2}'), ('berlin', NULL, '{"berlin": 9}'), ('tokyo', 3, NULL), ('lima', -5, '{}');
SELECT log_event('unchecked', NULL), log_event('unchecked', NULL, node => 'tokyo'), log_event('unchecked', NULL, node => 'lima');
-- a view
CREATE VIEW recent AS SELECT origin, seq, clock, event FROM orders WHERE origin IN ('berlin', 'viewer');
SELECT log_event('recent', '"by a view"', node => 'viewer');
-- partitions
CREATE TABLE parted (origin text, seq bigint, clock vclock, event jsonb, PRIMARY KEY (origin, seq)) PARTITION BY RANGE (seq);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (3);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (3) TO (MAXVALUE);
SELECT log_event('parted', '1'), log_event('parted', '2'), log_event('parted', '3'), log_event('parted_high', '4');
SELECT log_event('parted_low', '5');
SELECT tableoid::regclass, * FROM parted ORDER BY seq;
CREATE TABLE by_origin (origin text NOT NULL DEFAULT local_node(), seq bigint, clock vclock, event jsonb) PARTITION BY LIST (origin);
CREATE TABLE by_origin_berlin PARTITION OF by_origin FOR VALUES IN ('berlin');
CREATE TRIGGER stamp BEFORE INSERT ON by_origin FOR EACH ROW EXECUTE FUNCTION causal_log_stamp();
INSERT INTO by_origin (event) VALUES ('1'), ('2') RETURNING tableoid::regclass, *;
INSERT INTO by_origin_berlin (event) VALUES ('3') RETURNING *;
SELECT log_event('by_origin', '4');
-- not a log
CREATE TABLE no_clock (origin text, seq bigint);
CREATE TABLE wrong_clock (origin text, seq bigint, clock jsonb);
CREATE TRIGGER stamp BEFORE INSERT ON no_clock FOR EACH ROW EXECUTE FUNCTION causal_log_stamp();
CREATE TRIGGER stamp BEFORE INSERT ON wrong_clock FOR EACH ROW EXECUTE FUNCTION causal_log_stamp();
SELECT log_event('no_clock', NULL);
SELECT log_event('wrong_clock', NULL);
INSERT INTO no_clock (origin) VALUES ('a');
INSERT INTO wrong_clock (clock) VALUES ('{}');
-- not the right trigger
CREATE TRIGGER after_it AFTER INSERT ON unchecked FOR EACH ROW EXECUTE FUNCTION causal_log_stamp();
INSERT INTO unchecked (origin) VALUES ('a');
DROP TRIGGER after_it ON unchecked;
CREATE TRIGGER all_of_it BEFORE INSERT ON unchecked EXECUTE FUNCTION causal_log_stamp();
INSERT INTO unchecked (origin) VALUES ('a');
DROP TRIGGER all_of_it ON unchecked;
CREATE TRIGGER changes BEFORE UPDATE ON unchecked FOR EACH ROW EXECUTE FUNCTION causal_log_stamp();
UPDATE unchecked SET seq = NULL;
SELECT causal_log_stamp();

-- triggers of the user: they may drop an event, log one, or change the table
CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.event = '"drop me"' THEN NULL ELSE NEW END; END $$;
CREATE TRIGGER a_drop BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION drop_it();
SELECT log_event('plain', '"drop me"') IS NULL AS dropped, log_event('plain', '"keep me"') IS NULL AS dropped;
-- changing privileges makes every session plan its statements anew
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF (NEW.event -> 'times')::integer > 0 THEN
		EXECUTE 'GRANT SELECT ON echo TO PUBLIC';
		PERFORM log_event('echo', jsonb_build_object('times', (NEW.event -> 'times')::integer - 1), '{"tokyo": 1}', 'tokyo');
		PERFORM log_event('echo', '{"after": true}');
	END IF;
	RETURN NULL;
END
$$;
SELECT create_causal_log('echo') AS name;
CREATE TRIGGER echo AFTER INSERT ON echo FOR EACH ROW EXECUTE FUNCTION log_it();
SELECT log_event('echo', '{"times": 2}');
SELECT log_event('echo', '{"times": 1}', node => 'lima');
SELECT origin, seq, clock, event FROM echo ORDER BY origin, seq;

-- privileges are the caller's
CREATE ROLE log_reader;
GRANT SELECT ON plain TO log_reader;
SET ROLE log_reader;
SELECT log_event('plain', '{}', node => 'x');
SELECT log_event('orders', '{}', node => 'x');
INSERT INTO plain (origin, event) VALUES ('x', '{}');
RESET ROLE;
GRANT INSERT ON plain TO log_reader;
SET ROLE log_reader;
SELECT log_event('plain', '{}', node => 'x');
INSERT INTO plain (origin, event) VALUES ('x', '{}') RETURNING seq;
RESET ROLE;
REVOKE ALL ON plain FROM log_reader;
DROP ROLE log_reader;
BEGIN READ ONLY;
SELECT log_event('plain', '{}');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT log_event('echo', '{}'), log_event('echo', '{}');
COMMIT;

DROP VIEW recent;
DROP TABLE orders, hidden, public.hidden, hidden2, mixedcase, passing, found, plain, "Odd table", kinds, sorts, generated,
	unchecked, parted, by_origin, no_clock, wrong_clock, echo;
SET client_min_messages = warning;
DROP SCHEMA "Log attic", "Log cellar" CASCADE;
DROP FUNCTION drop_it, log_it;
