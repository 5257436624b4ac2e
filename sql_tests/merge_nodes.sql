-- Servers that tell one another what they have seen. One server plays all of them here;
-- t/114_merge_nodes.pl has several.

\set SHOW_CONTEXT never

-- other tests have left nodes, and ours are to be gone at the end
CREATE PROCEDURE clear_nodes() LANGUAGE plpgsql AS $$
DECLARE
	part text;
BEGIN
	FOREACH part IN ARRAY '{merge_nodes,merge_nodes_removed}'::text[] LOOP
		EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', part);
		EXECUTE format('DELETE FROM %I', part);
		EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER "~merge_truncate"', part);
	END LOOP;
	DELETE FROM merge_local_nodes;
	ALTER TABLE merge_nodes ENABLE ALWAYS TRIGGER "~merge_row", ENABLE ALWAYS TRIGGER "~merge_after";
	ALTER TABLE merge_nodes_removed ENABLE ALWAYS TRIGGER "~merge_removed";
END
$$;
-- what comes from another node
CREATE PROCEDURE arrive(node text, seen vclock, at bigint) LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	INSERT INTO merge_nodes VALUES (node, seen, format('{"arrives": true, "live": {"%s": %s}, "context": {"%1$s": %2$s}}', node, at)::row_stamp);
	SET LOCAL session_replication_role = origin;
END
$$;
-- other sessions, such as those that analyze tables, may delay it
CREATE PROCEDURE acknowledge_until_now() LANGUAGE plpgsql AS $$
DECLARE
	now CONSTANT bigint := nanoseconds(hlc_now());
BEGIN
	FOR i IN 1 .. 1000 LOOP
		IF get(acknowledge_removals(), local_node()) >= now THEN
			RETURN;
		END IF;
		COMMIT;
		PERFORM pg_sleep(0.01);
	END LOOP;
	RAISE 'transactions do not end';
END
$$;
CALL clear_nodes();

-- nobody is known, and nothing is known by everyone
SELECT stable_removals();
SELECT acknowledge_removals();

-- a node notes a time, and has seen its own rows up to then when all transactions have ended
SET distributed.node = 'mn_a';
SELECT nanoseconds(hlc_now()) AS before \gset
SELECT acknowledge_removals();
SELECT nanoseconds(hlc_now()) AS after \gset
SELECT node, seen, is_present(_merge), nodes(context(_merge)) FROM merge_nodes;
SELECT node, horizon BETWEEN :before AND :after AS now, until <= pg_current_xact_id() AS before_this_one FROM merge_local_nodes;
CALL acknowledge_until_now();
SELECT node, seen -> node > :after AS has_seen, stable_removals() = seen AS alone FROM merge_nodes;

-- not in the transaction that noted it
BEGIN;
SELECT acknowledge_removals() AS seen \gset
SELECT acknowledge_removals() = :'seen' AS same, horizon > get(:'seen'::vclock, node) AS noted FROM merge_local_nodes;
ROLLBACK;

-- of others it has seen what they told of themselves, which came behind their rows; of this one they
-- have heard what it has told, which here is what we say
SELECT told[1] > 0 AS started, told[2] = seen -> node AND told[3] = told[2] OR told[2] < told[3] AS first_and_last FROM merge_local_nodes JOIN merge_nodes USING (node);
UPDATE merge_local_nodes SET told = '{0,1,40}' || told;
CALL arrive('mn_b', '{"mn_b": 50, "mn_a": 30, "mn_c": 20}', 45);
SELECT project(acknowledge_removals(), '{mn_b,mn_c}');
SELECT stable_removals();
CALL arrive('mn_c', '{"mn_b": 40, "mn_a": 35, "mn_c": 60}', 55);
SELECT stable_removals();
SELECT project(acknowledge_removals(), '{mn_b,mn_c}');
SELECT stable_removals();
-- clocks only grow
CALL arrive('mn_c', '{"mn_b": 10, "mn_a": 36, "mn_c": 50}', 56);
SELECT project(acknowledge_removals(), '{mn_b,mn_c}');
SELECT seen FROM merge_nodes WHERE node = 'mn_c';
SELECT stable_removals();

-- one that has seen nothing yet holds all up
CALL arrive('mn_d', '{}', 1);
SELECT project(acknowledge_removals(), '{mn_b,mn_c,mn_d}');
SELECT stable_removals();
-- until it is forgotten
SELECT forget_node('mn_d');
SELECT stable_removals();
SELECT node FROM merge_nodes ORDER BY node;
SELECT node, is_present(_merge) FROM merge_nodes_removed;
SELECT project(acknowledge_removals(), '{mn_b,mn_c,mn_d}');
SELECT forget_node('mn_d');
SELECT forget_node('mn_e');
SELECT forget_node('mn_a');
SELECT forget_node(NULL);
-- who was forgotten may not go on
SET distributed.node = 'mn_d';
SELECT acknowledge_removals();
SET distributed.node = 'mn_a';

-- an acknowledgement that it sent before it heard of that makes no difference
CALL arrive('mn_d', '{"mn_d": 7}', 1);
SELECT count(*) FROM merge_nodes WHERE node = 'mn_d';
SELECT count(*) FROM merge_nodes_removed WHERE node = 'mn_d';
-- when all others have heard of it, this node has all of its rows
CALL acknowledge_until_now();
SELECT seen -> 'mn_d' AS seen FROM merge_nodes WHERE node = 'mn_a';
SELECT project(seen, '{mn_a}') AS seen FROM merge_nodes WHERE node = 'mn_a' \gset
CALL arrive('mn_b', :'seen', 45);
CALL acknowledge_until_now();
SELECT seen -> 'mn_d' AS seen FROM merge_nodes WHERE node = 'mn_a';
SELECT project(seen, '{mn_a}') AS seen FROM merge_nodes WHERE node = 'mn_a' \gset
CALL arrive('mn_c', :'seen', 55);
CALL acknowledge_until_now();
SELECT seen -> 'mn_d' AS seen FROM merge_nodes WHERE node = 'mn_a';

-- what it is said to have told, and has not, proves that it was restored from an old copy, or has a double
BEGIN;
UPDATE merge_local_nodes SET told = '{0,1,40,1,100,200}', claimed = NULL WHERE node = 'mn_a';
CALL arrive('mn_e', '{"mn_a": 40}', 45);
CALL arrive('mn_f', '{"mn_a": 100, "mn_e": 300}', 45);
CALL arrive('mn_g', '{"mn_a": 9223372036854775807}', 45);
SELECT claimed FROM merge_local_nodes WHERE node = 'mn_a';
SAVEPOINT heard;
CALL arrive('mn_h', '{"mn_a": 41}', 45);
CALL arrive('mn_i', '{"mn_a": 41}', 45);
CALL arrive('mn_j', '{"mn_a": 201}', 45);
SELECT claimed FROM merge_local_nodes WHERE node = 'mn_a';
-- so it does not say that it has all its rows
SELECT seen FROM merge_nodes WHERE node = 'mn_a' \gset
SELECT acknowledge_removals() = :'seen' AS unchanged;
\set VERBOSITY terse
SET LOCAL client_min_messages = warning;
SELECT new_incarnation() <> 'mn_a' AS named;
SELECT acknowledge_removals() IS NOT NULL AS acknowledged;
RESET client_min_messages;
\set VERBOSITY default
ROLLBACK TO heard;
-- also of one that has told nothing
DELETE FROM merge_local_nodes;
CALL arrive('mn_e', '{"mn_a": 99}', 45);
SELECT node, told, claimed FROM merge_local_nodes;
-- a copy has another directory
DELETE FROM pg_subscription_rel;
UPDATE merge_local_nodes SET claimed = NULL, home = 0;
SELECT acknowledge_removals() IS NOT NULL AS acknowledged;
SELECT acknowledge_removals() IS NOT NULL AS acknowledged;
-- of more than 32 starts, the first count as one
UPDATE merge_local_nodes SET claimed = NULL, horizon = 500, until = '3', told = (SELECT array_agg(v ORDER BY i, n) FROM generate_series(1, 32) i, unnest(ARRAY[i, 10 * i, 10 * i + 5]) WITH ORDINALITY u (v, n));
SELECT acknowledge_removals() -> 'mn_a' > 500 AS told;
SELECT array_length(told, 1) / 3 AS starts, told[1:6] AS first, told[95:96] AS last FROM merge_local_nodes;
ROLLBACK;

-- while tables are being copied, an acknowledgement might overtake their rows
BEGIN;
SET LOCAL allow_system_table_mods = on;
INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) VALUES (1, 'merge_nodes'::regclass, 'd'), (1, 'merge_local_nodes'::regclass, 'r');
CALL arrive('mn_b', '{"mn_b": 99}', 98);
SELECT project(acknowledge_removals(), '{mn_b}');
UPDATE pg_subscription_rel SET srsubstate = 'r';
-- nor what has not come by all subscriptions; nor anything, where one has told of nobody
SELECT project(acknowledge_removals(), '{mn_b}');
INSERT INTO merge_local_links VALUES (1, 'mn_c', 98);
SELECT project(acknowledge_removals(), '{mn_b}');
INSERT INTO merge_local_links VALUES (1, 'mn_b', 98), (2, 'mn_b', 7);
SELECT project(acknowledge_removals(), '{mn_b}');
TABLE merge_local_links;
ROLLBACK;

-- a copy of a server takes a new name, and its old one is retired
SELECT new_incarnation() ~ '^mn_a\.[0-9a-f]{8}$' AS named;
SELECT local_node() AS node \gset
SELECT setconfig @> ARRAY['distributed.node=' || local_node()] AS set_for_all
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database() AND setrole = 0;
SELECT regexp_replace(node, '[0-9a-f]{8}', 'x') AS node, seen -> 'mn_a' > 0 AS has_seen, is_present(_merge) FROM merge_nodes WHERE node ~ '^mn_a' ORDER BY node;
SELECT count(*) FROM merge_local_nodes;
SELECT stable_removals();
CALL acknowledge_until_now();
-- again
\set VERBOSITY terse
SET client_min_messages = warning;
BEGIN;
SELECT new_incarnation() ~ '^mn_a\.[0-9a-f]{8}$' AS named, local_node() <> :'node' AS another;
ROLLBACK;
SELECT local_node() = :'node' AS the_same_again;
SELECT node ~ '^mn_a\.' AS new_name, is_present(_merge) FROM merge_nodes WHERE node ~ '^mn_a' ORDER BY node;
-- with the row's removal, for a name that nobody has heard of too
BEGIN;
SELECT new_incarnation(forget => true) <> '' AS named;
SET LOCAL distributed.node = 'mn_g';
SELECT new_incarnation(true) <> '' AS named;
SELECT regexp_replace(node, '[0-9a-f]{8}', 'x') AS node, is_present(_merge) FROM (TABLE merge_nodes UNION ALL TABLE merge_nodes_removed) n WHERE node ~ '^mn_[ag]' ORDER BY 1, 2;
ROLLBACK;
-- a name that nobody has heard of is retired here; long ones are cut between characters
SET distributed.node = 'mn_äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää';
SELECT octet_length(local_node());
SELECT octet_length(name), name ~ 'ä\.[0-9a-f]{8}$' AS named FROM new_incarnation() name;
SELECT left(node, 4) AS node, retired FROM merge_local_nodes WHERE node ~ '^mn_ä';
RESET client_min_messages;
\set VERBOSITY default
-- what only looks like the suffix
SET distributed.node = '.12345678';
SELECT new_incarnation() ~ '^\.12345678\.[0-9a-f]{8}$' AS named;
RESET distributed.node;
SELECT new_incarnation();
-- a role's own name would win
CREATE ROLE merge_named;
ALTER ROLE merge_named SET distributed.node = 'mn_role';
SET distributed.node = 'mn_f';
SELECT new_incarnation() <> 'mn_f' AS named;
DROP ROLE merge_named;

-- Sessions that write hear that their name was forgotten elsewhere.
SELECT local_node() AS node \gset
SET distributed.node = 'mn_w';
CREATE TABLE written (id integer PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}');
SELECT enable_merge('written');
INSERT INTO written VALUES (1);
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO merge_nodes_removed VALUES ('mn_w', '{}', '{"arrives": true, "context": {"mn_b": 9}}');
COMMIT;
INSERT INTO written VALUES (2);
SELECT acknowledge_removals();
SELECT id FROM written;
SET client_min_messages = warning;
DROP TABLE written CASCADE;
RESET client_min_messages;
SET distributed.node = :'node';

-- roles: everybody may look, few may say something
CREATE ROLE merge_stranger;
SET ROLE merge_stranger;
SELECT count(*) > 0 AS known FROM merge_nodes;
SELECT stable_removals();
SELECT acknowledge_removals();
SELECT forget_node('mn_b');
SELECT new_incarnation();
INSERT INTO merge_nodes VALUES ('mn_x');
RESET ROLE;
GRANT EXECUTE ON FUNCTION acknowledge_removals(), new_incarnation(boolean) TO merge_stranger;
SET ROLE merge_stranger;
SELECT acknowledge_removals() IS NOT NULL AS may;
SELECT current_user;
SELECT new_incarnation() AS not_its_database;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION acknowledge_removals(), new_incarnation(boolean) FROM merge_stranger;
DROP ROLE merge_stranger;

-- the table is a merged one, and keeps its rules
TRUNCATE merge_nodes;
TRUNCATE merge_nodes_removed;
DELETE FROM merge_nodes_removed;
\set VERBOSITY terse
INSERT INTO merge_nodes VALUES ('');
\set VERBOSITY default
UPDATE merge_nodes SET seen = '{}' WHERE node = 'mn_b';
BEGIN READ ONLY;
SELECT acknowledge_removals();
ROLLBACK;
-- who owns it may add to it what he likes: nothing of it is run by the functions
CREATE FUNCTION regress_pwn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run as %', current_user; RETURN NEW; END $$;
CREATE FUNCTION regress_pwned(anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'run as %', current_user; RETURN true; END $$;
BEGIN;
CREATE CONSTRAINT TRIGGER pwn AFTER INSERT OR UPDATE ON merge_nodes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regress_pwn();
CREATE TRIGGER pwn_before BEFORE INSERT OR UPDATE ON merge_nodes FOR EACH ROW EXECUTE FUNCTION regress_pwn();
ALTER TABLE merge_nodes ADD CHECK (regress_pwned(seen)) NOT VALID;
SELECT acknowledge_removals() IS NOT NULL AS done;
SELECT acknowledge_removals() IS NOT NULL AS done;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
BEGIN;
SET LOCAL client_min_messages = error;
CREATE INDEX pwn ON merge_nodes (regress_pwned(seen));
SELECT acknowledge_removals();
ROLLBACK;
BEGIN;
ALTER TABLE merge_nodes RENAME COLUMN seen TO saw;
SELECT stable_removals();
ROLLBACK;
-- a column that must not be null gets no null, a key is that which finds nodes
BEGIN;
SET LOCAL distributed.node = 'mn_new';
ALTER TABLE merge_nodes ADD COLUMN note text NOT NULL DEFAULT 'x';
SELECT acknowledge_removals();
ROLLBACK;
BEGIN;
ALTER TABLE merge_nodes DROP CONSTRAINT merge_nodes_pkey, ADD PRIMARY KEY (node, _merge);
SELECT stable_removals();
ROLLBACK;
DROP FUNCTION regress_pwn, regress_pwned;
SELECT stable_removals();

RESET distributed.node;
SELECT format('ALTER DATABASE %I RESET distributed.node', current_database()) \gexec
CALL clear_nodes();
DROP PROCEDURE clear_nodes, arrive, acknowledge_until_now;
