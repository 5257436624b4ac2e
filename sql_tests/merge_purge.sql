-- Freeing rows that were removed.

\set SHOW_CONTEXT never

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
SET distributed.node = 'mp_a';

CREATE SCHEMA "purge me";
CREATE TABLE "purge me"."some rows" (
	id integer PRIMARY KEY,
	hits gcounter NOT NULL DEFAULT '{}'
);
INSERT INTO "purge me"."some rows" SELECT i, gcounter '{"mp_a": 7}' FROM generate_series(1, 3) i;
SELECT enable_merge('"purge me"."some rows"', 'none');
CREATE VIEW rows AS SELECT id, hits, true AS present FROM "purge me"."some rows" UNION ALL SELECT id, hits, false FROM "purge me"."some rows_removed" ORDER BY id;

-- nothing was removed
SELECT purge_removed('"purge me"."some rows"', '{"mp_a": 9223372036854775807}');

-- what is removed stays until everyone has seen that: with nobody known, for ever
DELETE FROM "purge me"."some rows" WHERE id <= 2;
SELECT purge_removed('"purge me"."some rows"');
TABLE rows;
CALL acknowledge_until_now();
DELETE FROM "purge me"."some rows" WHERE id = 3;
SELECT purge_removed('"purge me"."some rows"');
TABLE rows;
SELECT purge_removed('"purge me"."some rows"');

-- a key that comes again begins anew, whether its removal was purged, or is known by everyone, or goes on
INSERT INTO "purge me"."some rows" (id, hits) VALUES (1, '{"mp_a": 1}'), (3, '{"mp_a": 1}');
TABLE rows;

-- removals of other nodes; of those that are seen in part
SET session_replication_role = replica;
INSERT INTO "purge me"."some rows_removed" (id, _merge) VALUES (4, '{"arrives": true, "context": {"mp_b": 100}}'), (5, '{"arrives": true, "context": {"mp_b": 100, "mp_c": 200}}');
INSERT INTO "purge me"."some rows" (id, hits, _merge) VALUES (6, '{}', '{"arrives": true, "live": {"mp_b": 50}, "context": {"mp_b": 50}}');
RESET session_replication_role;
SELECT purge_removed('"purge me"."some rows"', '{}'), purge_removed('"purge me"."some rows"', '{"mp_b": 99, "mp_c": 300}');
SELECT purge_removed('"purge me"."some rows"', '{"mp_b": 100, "mp_c": 199}');
TABLE rows;
SELECT purge_removed('"purge me"."some rows"', '{"mp_b": 100, "mp_c": 200}');
TABLE rows;
SELECT purge_removed(NULL), purge_removed('"purge me"."some rows"', NULL);

-- a foreign key applies when a row is deleted, and never when its removal is purged
CREATE TABLE "purge me".parts (id integer REFERENCES "purge me"."some rows");
INSERT INTO "purge me".parts VALUES (6);
DELETE FROM "purge me"."some rows" WHERE id = 6;
DELETE FROM "purge me".parts;
DELETE FROM "purge me"."some rows" WHERE id = 6;
SELECT purge_removed('"purge me"."some rows"', '{"mp_a": 9223372036854775807, "mp_b": 100}');
-- also of a table to itself, where a child has got another parent meanwhile
CREATE TABLE "purge me".cat (id text PRIMARY KEY, parent text REFERENCES "purge me".cat ON DELETE CASCADE, n gcounter DEFAULT '{}');
SET client_min_messages = error;
SELECT enable_merge('"purge me".cat');
RESET client_min_messages;
INSERT INTO "purge me".cat VALUES ('root', NULL), ('p', 'root'), ('kid', 'root');
DELETE FROM "purge me".cat WHERE id = 'p';
INSERT INTO "purge me".cat VALUES ('q', 'root'), ('other', 'q');
DELETE FROM "purge me".cat WHERE id = 'q';
SELECT id FROM "purge me".cat_removed ORDER BY id;
SELECT purge_removed('"purge me".cat', '{"mp_a": 9223372036854775807}');
SELECT id FROM "purge me".cat ORDER BY id;

-- what is refused
SELECT purge_removed('"purge me".parts');
SELECT purge_removed('rows');
SELECT purge_removed(0);
SELECT purge_removed('merge_nodes');
SELECT purge_removed('"purge me"."some rows_removed"');
CREATE TABLE "purge me".parted (part integer, id integer, PRIMARY KEY (part, id)) PARTITION BY LIST (part);
CREATE TABLE "purge me".part1 PARTITION OF "purge me".parted FOR VALUES IN (1);
SELECT enable_merge('"purge me".parted', 'none');
INSERT INTO "purge me".parted VALUES (1, 1);
DELETE FROM "purge me".parted;
SELECT purge_removed('"purge me".part1');
SELECT purge_removed('"purge me".parted', '{"mp_a": 9223372036854775807}');
CREATE ROLE purge_stranger;
CREATE ROLE purge_owner;
CREATE ROLE purge_member IN ROLE purge_owner;
GRANT USAGE ON SCHEMA "purge me" TO purge_stranger, purge_owner;
ALTER TABLE "purge me"."some rows" OWNER TO purge_owner;
ALTER TABLE "purge me"."some rows_removed" OWNER TO purge_owner;
GRANT ALL ON "purge me"."some rows" TO purge_stranger;
DELETE FROM "purge me"."some rows" WHERE id = 1;
SET ROLE purge_stranger;
SELECT purge_removed('"purge me"."some rows"');
SET ROLE purge_member;
SELECT purge_removed('"purge me"."some rows"', '{"mp_a": 9223372036854775807}');
SELECT current_user;
RESET ROLE;
TABLE rows;

-- A key comes again at two servers: at one that has purged the row, and at one that has not yet, and where the
-- new row goes on from the old one. What the first adds must not look like what was in the old row.
CREATE SCHEMA "purge there";
CREATE TABLE "purge me".sets (k text PRIMARY KEY, s orset, f ew_flag);
CREATE TABLE "purge there".sets (k text PRIMARY KEY, s orset, f ew_flag);
SELECT enable_merge('"purge me".sets'), enable_merge('"purge there".sets');
CREATE FUNCTION "purge me".sent(s row_stamp) RETURNS row_stamp LANGUAGE sql AS $$ SELECT (s::jsonb || '{"arrives": true}')::row_stamp $$;
CREATE PROCEDURE "purge me".exchange() LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	SET LOCAL distributed.node = 'mp_b';
	INSERT INTO "purge there".sets SELECT k, s, f, "purge me".sent(_merge) FROM "purge me".sets;
	INSERT INTO "purge there".sets_removed SELECT k, s, f, "purge me".sent(_merge) FROM "purge me".sets_removed;
	SET LOCAL distributed.node = 'mp_a';
	INSERT INTO "purge me".sets SELECT k, s, f, "purge me".sent(_merge) FROM "purge there".sets;
	INSERT INTO "purge me".sets_removed SELECT k, s, f, "purge me".sent(_merge) FROM "purge there".sets_removed;
	SET LOCAL session_replication_role = origin;
END $$;
INSERT INTO "purge me".sets VALUES ('fruit', orset '{}' + 'apple' + 'plum');
CALL "purge me".exchange();
DELETE FROM "purge me".sets;
CALL "purge me".exchange();
SELECT purge_removed('"purge me".sets', '{"mp_a": 9223372036854775807}');
INSERT INTO "purge me".sets VALUES ('fruit', orset '{}' + 'pear');
SELECT k, s FROM "purge me".sets;
SET distributed.node = 'mp_b';
INSERT INTO "purge there".sets VALUES ('fruit', orset '{}' + 'fig');
CALL "purge me".exchange();
SELECT k, a.s AS here, b.s AS there FROM "purge me".sets a FULL JOIN "purge there".sets b USING (k);
-- also in other rows, in columns that get a value later, and in a session that has been writing all the time
SET distributed.node = 'mp_a';
INSERT INTO "purge me".sets VALUES ('other', '{}'), ('none', NULL), ('foreign', add('{}', 'x', 'mp_c'));
UPDATE "purge me".sets SET s = s + 'x' WHERE k = 'other';
UPDATE "purge me".sets SET s = '{}'::orset + 'x', f = enable(ew_flag '{}') WHERE k = 'none';
SELECT k, s, f FROM "purge me".sets WHERE k <> 'fruit' ORDER BY k;
SELECT last_dot FROM merge_local_purged WHERE table_oid = '"purge me".sets'::regclass;
-- nor must a new row be taken for an old one, by a peer that has its removal still: whatever the clock says, it is later
SET distributed.node = 'mp_a';
SELECT nanoseconds(hlc_now()) + 3600000000000 AS later \gset
SET session_replication_role = replica;
INSERT INTO "purge me".sets_removed (k, _merge) VALUES ('later', format('{"arrives": true, "context": {"mp_a": %s, "mp_b": %s}}', :later, 2 * :later)::row_stamp);
RESET session_replication_role;
SELECT purge_removed('"purge me".sets', format('{"mp_a": %s, "mp_b": %s}', :later, 2 * :later)::vclock);
SELECT last_time - :later AS last_time FROM merge_local_purged WHERE table_oid = '"purge me".sets'::regclass;
INSERT INTO "purge me".sets VALUES ('later');
SELECT get(context(_merge), 'mp_a') > :later AS later, get(context(_merge), 'mp_a') < 2 * :later AS only_by_its_own FROM "purge me".sets WHERE k = 'later';
-- that is kept where rows of others are purged later
INSERT INTO "purge me".sets VALUES ('last');
SET distributed.node = 'mp_b';
DELETE FROM "purge me".sets WHERE k = 'last';
SET distributed.node = 'mp_c';
SELECT purge_removed('"purge me".sets', '{"mp_a": 9223372036854775807, "mp_b": 9223372036854775807}');
SELECT last_time - :later AS last_time FROM merge_local_purged WHERE table_oid = '"purge me".sets'::regclass;
DROP VIEW rows;
SET client_min_messages = warning;
DROP SCHEMA "purge me", "purge there" CASCADE;
RESET client_min_messages;
DROP ROLE purge_stranger, purge_member, purge_owner;
RESET distributed.node;
CALL clear_nodes();
DELETE FROM merge_local_purged;
DROP PROCEDURE clear_nodes, acknowledge_until_now;
