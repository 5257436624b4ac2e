-- Freeing rows that were removed.

\set SHOW_CONTEXT never

CREATE PROCEDURE clear_nodes() LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE merge_nodes DISABLE TRIGGER USER;
	DELETE FROM merge_nodes;
	DELETE FROM merge_local_nodes;
	ALTER TABLE merge_nodes ENABLE ALWAYS TRIGGER "~merge_row";
	ALTER TABLE merge_nodes ENABLE ALWAYS TRIGGER "~merge_truncate";
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
CREATE VIEW rows AS SELECT id, hits, is_present(_merge_presence) AS present FROM "purge me"."some rows" ORDER BY id;

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

-- a key that comes again begins anew; that of a row that was not purged goes on
INSERT INTO "purge me"."some rows" (id, hits) VALUES (1, '{"mp_a": 1}'), (3, '{"mp_a": 1}');
TABLE rows;

-- removals of other nodes; of those that are seen in part
SET session_replication_role = replica;
INSERT INTO "purge me"."some rows" (id, _merge_presence) VALUES
	(4, '{"context": {"mp_b": 100}}'), (5, '{"context": {"mp_b": 100, "mp_c": 200}}'), (6, '{"enabled": [["mp_b", 50]], "context": {"mp_b": 50}}');
RESET session_replication_role;
SELECT purge_removed('"purge me"."some rows"', '{}'), purge_removed('"purge me"."some rows"', '{"mp_b": 99, "mp_c": 300}');
SELECT purge_removed('"purge me"."some rows"', '{"mp_b": 100, "mp_c": 199}');
TABLE rows;
SELECT purge_removed('"purge me"."some rows"', '{"mp_b": 100, "mp_c": 200}');
TABLE rows;
SELECT purge_removed(NULL), purge_removed('"purge me"."some rows"', NULL);

-- a foreign key applies as to any other delete
CREATE TABLE "purge me".parts (id integer REFERENCES "purge me"."some rows");
INSERT INTO "purge me".parts VALUES (6);
DELETE FROM "purge me"."some rows" WHERE id = 6;
SELECT purge_removed('"purge me"."some rows"', '{"mp_a": 9223372036854775807, "mp_b": 100}');
DELETE FROM "purge me".parts;
SELECT purge_removed('"purge me"."some rows"', '{"mp_a": 9223372036854775807, "mp_b": 100}');

-- what is refused
SELECT purge_removed('"purge me".parts');
SELECT purge_removed('rows');
SELECT purge_removed(0);
SELECT purge_removed('merge_nodes');
CREATE ROLE purge_stranger;
CREATE ROLE purge_owner;
CREATE ROLE purge_member IN ROLE purge_owner;
GRANT USAGE ON SCHEMA "purge me" TO purge_stranger, purge_owner;
ALTER TABLE "purge me"."some rows" OWNER TO purge_owner;
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
CREATE PROCEDURE "purge me".exchange() LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	SET LOCAL distributed.node = 'mp_b';
	INSERT INTO "purge there".sets SELECT * FROM "purge me".sets;
	SET LOCAL distributed.node = 'mp_a';
	INSERT INTO "purge me".sets SELECT * FROM "purge there".sets;
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
DROP VIEW rows;
SET client_min_messages = warning;
DROP SCHEMA "purge me", "purge there" CASCADE;
RESET client_min_messages;
DROP ROLE purge_stranger, purge_member, purge_owner;
RESET distributed.node;
CALL clear_nodes();
DELETE FROM merge_local_purged;
DROP PROCEDURE clear_nodes, acknowledge_until_now;
