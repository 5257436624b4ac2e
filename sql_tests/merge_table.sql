-- Which tables can be merged, and what makes them merged ones. Rows: merge_row; servers: t/.

\set SHOW_CONTEXT never
CREATE SCHEMA mt;
SET search_path = mt, public;

-- what tests look at: columns, triggers, the view
CREATE VIEW columns_of AS
	SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
		pg_get_expr(d.adbin, d.adrelid) AS default_value, col_description(c.oid, a.attnum) AS comment
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v') ORDER BY c.relname, a.attnum;
CREATE VIEW triggers_of AS
	SELECT c.relname, pg_get_triggerdef(t.oid, true) AS definition, t.tgenabled
	FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal ORDER BY c.relname, t.tgname;

CREATE TABLE items (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), hits gcounter NOT NULL DEFAULT '{}',
	name text, price numeric(8, 2) DEFAULT 1, size int GENERATED ALWAYS AS (length(name)) STORED, tags orset);
INSERT INTO items (name) VALUES ('bolt'), ('nut');
INSERT INTO items (name, price) VALUES (NULL, NULL);

-- a node must have a name
SELECT enable_merge('items');
SET distributed.node = 'berlin';
SELECT enable_merge('items');
SELECT * FROM columns_of WHERE relname LIKE 'items%';
SELECT * FROM triggers_of WHERE relname LIKE 'items%';
SELECT relkind, relowner = (SELECT relowner FROM pg_class WHERE oid = 'items'::regclass) AS same_owner, obj_description(oid, 'pg_class'),
	current_setting('server_version_num')::int < 150000 OR 'security_invoker=true' = ANY (reloptions) AS as_the_caller
FROM pg_class WHERE oid = 'items_live'::regclass;
SELECT * FROM merge_status() WHERE table_name = 'items'::regclass;

-- rows that were there have one dot, and stamps of before everything
SELECT count(*), count(DISTINCT _merge_presence), bool_and(is_present(_merge_presence)) AS present,
	bool_and(nodes(context(_merge_presence)) = '{berlin}') AS of_berlin FROM items;
SELECT bool_and(get(context(_merge_presence), 'berlin') BETWEEN nanoseconds(hlc(clock_timestamp() - interval '1 h')) AND nanoseconds(hlc_now())) AS recent FROM items;
SELECT name, _merge_stamps FROM items ORDER BY name;

-- again: nothing changes
CREATE TABLE before AS SELECT ctid AS place, * FROM items;
CREATE TABLE view_before AS SELECT 'items_live'::regclass::oid AS oid;
CREATE TABLE triggers_before AS SELECT oid FROM pg_trigger WHERE tgrelid = 'items'::regclass;
SELECT enable_merge('items'), enable_merge('items');
SELECT count(*) FROM before b JOIN items i ON i.ctid = b.place AND i._merge_presence = b._merge_presence AND i._merge_stamps = b._merge_stamps;
SELECT 'items_live'::regclass::oid = oid AS same_view FROM view_before;
SELECT count(*) FROM triggers_before JOIN pg_trigger USING (oid);

-- other options: another trigger
SELECT enable_merge('items', concurrent_update => 'remove');
SELECT * FROM triggers_of WHERE relname = 'items';
SELECT enable_merge('items');

-- writing and deleting by the view
DELETE FROM items_live WHERE name = 'bolt' RETURNING name, size;
DELETE FROM items_live WHERE name = 'bolt';
UPDATE items_live SET hits = hits + 5, name = 'nuts' WHERE name = 'nut' RETURNING name, hits, size;
INSERT INTO items_live (name) VALUES ('screw') RETURNING name, hits, price;
INSERT INTO items_live (id, name) SELECT id, 'second bolt' FROM items WHERE name = 'bolt';
SELECT name, hits, price FROM items_live ORDER BY name;
DELETE FROM items_live WHERE name LIKE 'n%' OR name = 'second bolt';
SELECT name, is_present(_merge_presence) AS present FROM items ORDER BY name;
-- a row is removed once
WITH one AS (DELETE FROM items_live WHERE name = 'screw' RETURNING id), two AS (DELETE FROM items_live WHERE name = 'screw' RETURNING id)
SELECT (SELECT count(*) FROM one) + (SELECT count(*) FROM two) AS deleted;
SELECT count(*) FROM items_live;
-- what is removed and inserted in one transaction
BEGIN;
INSERT INTO items_live (name) VALUES ('washer');
DELETE FROM items_live WHERE name = 'washer';
ROLLBACK;
EXPLAIN (COSTS OFF) UPDATE items_live SET name = name WHERE id = gen_random_uuid();

-- a column more: enable_merge takes it up
CREATE VIEW cheap AS SELECT name, price FROM items_live WHERE price < 2;
ALTER TABLE items ADD COLUMN color text DEFAULT 'grey', ADD COLUMN likes pncounter;
SELECT enable_merge('items');
SELECT attname FROM columns_of WHERE relname = 'items_live';
SELECT lattice_columns, stamped_columns FROM merge_status() WHERE table_name = 'items'::regclass;
INSERT INTO items_live (name) VALUES ('rivet') RETURNING color;
-- a column less: the view has to go, and all that is made of it
ALTER TABLE items DROP COLUMN color;
DROP VIEW items_live CASCADE;
ALTER TABLE items DROP COLUMN color;
SELECT enable_merge('items');
SELECT attname FROM columns_of WHERE relname = 'items_live';
-- a column that has another name
ALTER TABLE items RENAME COLUMN price TO cost;
CREATE VIEW cheap AS SELECT name, price FROM items_live WHERE price < 2;
SELECT enable_merge('items');
DROP VIEW cheap;
SELECT enable_merge('items');
SELECT attname FROM columns_of WHERE relname = 'items_live';
-- also of the key
ALTER TABLE items RENAME COLUMN id TO item_id;
DELETE FROM items_live;

-- a table that moves, and one of odd names
CREATE SCHEMA "Odd ""one""";
ALTER TABLE items RENAME TO "It's ""things""";
ALTER TABLE "It's ""things""" SET SCHEMA "Odd ""one""";
SELECT enable_merge('"Odd ""one"""."It''s ""things"""');
SELECT table_name, key_columns FROM merge_status() WHERE table_name::text LIKE '%things%';
SELECT 'items_live'::regclass;
SELECT name FROM "Odd ""one"""."It's ""things""_live";
SELECT disable_merge('"Odd ""one"""."It''s ""things"""');
SELECT attname FROM columns_of WHERE relname LIKE 'It%';
SELECT count(*) FROM "Odd ""one"""."It's ""things""";
DROP SCHEMA "Odd ""one""" CASCADE;

CREATE TABLE "Quoted" ("The key" text, "user" int, "Value" text, "select" gcounter, PRIMARY KEY ("user", "The key"));
INSERT INTO "Quoted" VALUES ('a"b', 1, 'x', '{}');
SELECT enable_merge('"Quoted"');
DELETE FROM "Quoted_live" RETURNING *;
DELETE FROM "Quoted_live" RETURNING *;
SELECT key_columns, lattice_columns, stamped_columns FROM merge_status() WHERE table_name = '"Quoted"'::regclass;
SELECT disable_merge('"Quoted"');
-- what was removed does not come back
SELECT * FROM "Quoted";
CREATE TABLE a_table_of_a_name_that_is_as_long_as_a_name_of_a_table_can_be_ (id text PRIMARY KEY);
SELECT enable_merge('a_table_of_a_name_that_is_as_long_as_a_name_of_a_table_can_be_');
SELECT relname FROM pg_class WHERE relname LIKE 'a\_table%' AND relkind = 'v';
SELECT enable_merge('a_table_of_a_name_that_is_as_long_as_a_name_of_a_table_can_be_');
DROP TABLE a_table_of_a_name_that_is_as_long_as_a_name_of_a_table_can_be_ CASCADE;

-- keys whose operators are elsewhere, domains, and a replica identity that is no primary key
CREATE DOMAIN label AS text;
CREATE DOMAIN visits AS gcounter;
CREATE TABLE tagged (a label NOT NULL, b int NOT NULL, c vclock, v visits, note text);
CREATE UNIQUE INDEX tagged_key ON tagged (b, a) INCLUDE (note);
ALTER TABLE tagged REPLICA IDENTITY USING INDEX tagged_key;
SELECT enable_merge('tagged');
SELECT key_columns, lattice_columns, stamped_columns FROM merge_status() WHERE table_name = 'tagged'::regclass;
INSERT INTO tagged_live VALUES ('x', 1, '{"a": 1}', '{}'), ('y', 1, '{}', '{}');
DELETE FROM tagged_live WHERE a = 'x';
SELECT * FROM tagged_live;
DROP TABLE tagged CASCADE;
CREATE TABLE clocks (at hlc PRIMARY KEY, n gcounter);
SELECT enable_merge('clocks', 'none');
INSERT INTO clocks VALUES ('17.0', '{}'), ('18.0', '{}');
DELETE FROM clocks_live WHERE at = '17.0';
SELECT at FROM clocks_live;
SELECT attname, type FROM columns_of WHERE relname = 'clocks';
-- a first plain column
ALTER TABLE clocks ADD COLUMN place text;
INSERT INTO clocks VALUES ('19.0');
SELECT enable_merge('clocks', 'none');
SELECT enable_merge('clocks');
SELECT plain_columns, stamped_columns FROM merge_status() WHERE table_name = 'clocks'::regclass;
INSERT INTO clocks_live (at, place) VALUES ('19.0', 'here');
SELECT at, place FROM clocks_live;
SELECT disable_merge('clocks', drop_columns => false);
SELECT attname, type FROM columns_of WHERE relname LIKE 'clocks%';
SELECT count(*) FROM triggers_of WHERE relname LIKE 'clocks%';
SELECT count(*) FROM clocks;
CREATE TABLE stamps_before AS SELECT at, _merge_stamps, _merge_presence FROM clocks;
SELECT enable_merge('clocks');
SELECT count(*) FROM stamps_before JOIN clocks USING (at, _merge_stamps, _merge_presence);
SELECT disable_merge('clocks', drop_columns => false);
SELECT disable_merge('clocks');
SELECT attname FROM columns_of WHERE relname LIKE 'clocks%';
SELECT disable_merge('clocks');
DROP TABLE clocks;

-- triggers of the table do not see that rows are stamped
CREATE TABLE watched (id text PRIMARY KEY, name text, updated int DEFAULT 0);
INSERT INTO watched VALUES ('a', 'x'), ('b', 'y');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated := NEW.updated + 1; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION touch();
SELECT enable_merge('watched');
SELECT id, name, updated, _merge_stamps -> 'updated' AS stamped FROM watched ORDER BY id;
UPDATE watched SET name = 'z' WHERE id = 'a';
SELECT id, name, updated FROM watched_live ORDER BY id;
SHOW session_replication_role;
-- a view of somebody else's
CREATE VIEW of_presence AS SELECT id, _merge_presence FROM watched;
SELECT disable_merge('watched');
SELECT count(*) FROM triggers_of WHERE relname = 'watched';
DROP TABLE watched CASCADE;

-- who may: the owner, and who is a member of it
CREATE ROLE regress_owner;
CREATE ROLE regress_member IN ROLE regress_owner;
CREATE ROLE regress_reader;
CREATE ROLE regress_writer;
CREATE ROLE "regress Other";
GRANT USAGE ON SCHEMA mt TO PUBLIC;
CREATE SCHEMA owned AUTHORIZATION regress_owner;
GRANT USAGE ON SCHEMA owned TO PUBLIC;
SET ROLE regress_owner;
CREATE TABLE owned.accounts (id text PRIMARY KEY, balance pncounter NOT NULL DEFAULT '{}', note text, secret text);
INSERT INTO owned.accounts VALUES ('a', '{}', 'note a', 'secret a'), ('b', '{}', 'note b', 'secret b'), ('c', '{}', 'note c', 'secret c');
GRANT SELECT, DELETE ON owned.accounts TO regress_reader;
GRANT SELECT (id, note), UPDATE (note) ON owned.accounts TO "regress Other" WITH GRANT OPTION;
GRANT SELECT, UPDATE (note) ON owned.accounts TO regress_writer;
GRANT TRUNCATE ON owned.accounts TO PUBLIC;
SET ROLE regress_reader;
SELECT enable_merge('owned.accounts');
SELECT disable_merge('owned.accounts');
SET ROLE regress_member;
SELECT enable_merge('owned.accounts');
RESET ROLE;
SELECT c.relname, a.grantee::regrole, a.privilege_type, a.is_grantable
FROM pg_class c, aclexplode(c.relacl) a WHERE c.relname LIKE 'accounts%' AND a.grantee <> c.relowner AND c.relkind = 'v' AND a.grantee <> 0 ORDER BY 1, 2::text, 3;
SELECT c.relname, b.attname, a.grantee::regrole, a.privilege_type, a.is_grantable
FROM pg_class c JOIN pg_attribute b ON b.attrelid = c.oid, aclexplode(b.attacl) a WHERE c.relname LIKE 'accounts%' ORDER BY 1, 2, 3::text, 4;
SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'owned.accounts_live'::regclass;
SET ROLE "regress Other";
SELECT secret FROM owned.accounts_live;
DELETE FROM owned.accounts_live;
SET ROLE regress_writer;
UPDATE owned.accounts_live SET note = 'changed' WHERE id = 'b' RETURNING note;
UPDATE owned.accounts_live SET secret = 'changed';
SET ROLE regress_reader;
DELETE FROM owned.accounts_live WHERE id = 'a';
UPDATE owned.accounts_live SET note = 'x';
SET ROLE regress_owner;
REVOKE DELETE ON owned.accounts FROM regress_reader;
SET ROLE regress_reader;
DELETE FROM owned.accounts_live WHERE id = 'b';
-- row security holds in the view, for DELETE too
SET ROLE regress_owner;
GRANT DELETE ON owned.accounts TO regress_reader;
ALTER TABLE owned.accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY may_see ON owned.accounts FOR SELECT USING (true);
CREATE POLICY may_delete ON owned.accounts FOR DELETE USING (id = 'b');
SELECT enable_merge('owned.accounts');
SET ROLE regress_reader;
DELETE FROM owned.accounts_live RETURNING id;
SELECT id FROM owned.accounts_live ORDER BY id;
RESET ROLE;
SELECT disable_merge('owned.accounts');
-- a superuser makes the view for the owner, wherever the table is
ALTER TABLE owned.accounts DISABLE ROW LEVEL SECURITY;
ALTER TABLE owned.accounts SET SCHEMA mt;
SELECT enable_merge('accounts');
SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'accounts_live'::regclass;
-- the view goes along with its table to another owner
ALTER TABLE accounts OWNER TO CURRENT_USER;
SELECT enable_merge('accounts');
SELECT relowner = (SELECT relowner FROM pg_class WHERE oid = 'accounts'::regclass) AS same_owner
FROM pg_class WHERE oid = 'accounts_live'::regclass;
DROP TABLE accounts CASCADE;
DROP SCHEMA owned;
REVOKE USAGE ON SCHEMA mt FROM PUBLIC;
DROP ROLE regress_member, regress_owner, regress_reader, regress_writer, "regress Other";

-- Refused: what is no ordinary table
CREATE TABLE plain (id text PRIMARY KEY, name text);
CREATE VIEW v AS SELECT * FROM plain;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM plain;
CREATE SEQUENCE s;
CREATE TYPE composite AS (a int);
CREATE TEMPORARY TABLE temporary_one (id text PRIMARY KEY);
CREATE UNLOGGED TABLE unlogged_one (id text PRIMARY KEY);
CREATE TABLE parted (id text PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE part PARTITION OF parted DEFAULT;
CREATE TABLE parent (id text PRIMARY KEY);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE typed OF composite (PRIMARY KEY (a));
CREATE TABLE ruled (id text PRIMARY KEY);
CREATE RULE ignore AS ON DELETE TO ruled DO INSTEAD NOTHING;
CREATE FOREIGN DATA WRAPPER mt_wrapper;
CREATE SERVER mt_server FOREIGN DATA WRAPPER mt_wrapper;
CREATE FOREIGN TABLE foreign_one (id text) SERVER mt_server;
SELECT enable_merge('v');
SELECT enable_merge('mv');
SELECT enable_merge('s');
SELECT enable_merge('composite');
SELECT enable_merge('plain_pkey');
SELECT enable_merge('foreign_one');
SELECT enable_merge('temporary_one');
SELECT enable_merge('unlogged_one');
SELECT enable_merge('parted');
SELECT enable_merge('part');
SELECT enable_merge('parent');
SELECT enable_merge('child');
SELECT enable_merge('typed');
SELECT enable_merge('ruled');
SELECT enable_merge('named_clocks');
SELECT enable_merge('pg_class');
SELECT enable_merge(0);
SELECT enable_merge(NULL);
SELECT disable_merge('v');
SELECT disable_merge('plain');

-- rows that nothing tells from others
CREATE TABLE keyless (id text NOT NULL);
SELECT enable_merge('keyless');
ALTER TABLE keyless ADD CONSTRAINT keyless_key PRIMARY KEY (id) DEFERRABLE;
SELECT enable_merge('keyless');
ALTER TABLE plain REPLICA IDENTITY FULL;
SELECT enable_merge('plain');
ALTER TABLE plain REPLICA IDENTITY NOTHING;
SELECT enable_merge('plain');
ALTER TABLE plain REPLICA IDENTITY DEFAULT;
CREATE TABLE identity_gone (id text NOT NULL, other text PRIMARY KEY);
CREATE UNIQUE INDEX identity_gone_key ON identity_gone (id);
ALTER TABLE identity_gone REPLICA IDENTITY USING INDEX identity_gone_key;
SELECT enable_merge('identity_gone');
DROP INDEX identity_gone_key;
SELECT enable_merge('identity_gone');

-- two rows of which one cannot be there
CREATE TABLE twice (id text PRIMARY KEY, name text UNIQUE, email text, room int);
SELECT enable_merge('twice');
ALTER TABLE twice DROP CONSTRAINT twice_name_key;
CREATE UNIQUE INDEX twice_email ON twice (lower(email)) WHERE name IS NULL;
SELECT enable_merge('twice');
DROP INDEX twice_email;
ALTER TABLE twice ADD CONSTRAINT one_each EXCLUDE USING btree (room WITH =);
SELECT enable_merge('twice');
ALTER TABLE twice DROP CONSTRAINT one_each;

-- keys that two servers make alike
CREATE TABLE numbered (id serial PRIMARY KEY, n gcounter);
SELECT enable_merge('numbered');
CREATE TABLE identified (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY);
SELECT enable_merge('identified');
CREATE TABLE texted (id text PRIMARY KEY DEFAULT 'order-' || nextval('mt.s'));
SELECT enable_merge('texted');
CREATE DOMAIN drawn AS bigint DEFAULT nextval('mt.s');
CREATE TABLE drawing (tenant text, id drawn, PRIMARY KEY (tenant, id));
SELECT enable_merge('drawing');
-- ... unless the key has the node's name
ALTER TABLE texted ALTER COLUMN id SET DEFAULT local_node() || '-' || nextval('mt.s');
SELECT enable_merge('texted');
INSERT INTO texted_live DEFAULT VALUES RETURNING id;
ALTER TABLE drawing ALTER COLUMN tenant SET DEFAULT local_node();
SELECT enable_merge('drawing');
INSERT INTO drawing_live DEFAULT VALUES RETURNING *;

-- keys that change, or do not travel
CREATE TABLE counted (n gcounter PRIMARY KEY);
SELECT enable_merge('counted');
CREATE DOMAIN tally AS pncounter;
CREATE TABLE tallied (id text, t tally, PRIMARY KEY (id, t));
SELECT enable_merge('tallied');
CREATE TABLE computed (a int, id int GENERATED ALWAYS AS (a * 2) STORED PRIMARY KEY);
SELECT enable_merge('computed');

-- plain columns, and columns of our names
SELECT enable_merge('plain', 'none');
SELECT enable_merge('twice', 'none');
SELECT enable_merge('plain', 'last');
SELECT enable_merge('plain', 'lww', 'KEEP');
ALTER TABLE plain ADD COLUMN _merge_stamps text;
SELECT enable_merge('plain');
ALTER TABLE plain DROP COLUMN _merge_stamps, ADD COLUMN _merge_presence boolean;
SELECT enable_merge('plain');
ALTER TABLE plain DROP COLUMN _merge_presence;
CREATE TABLE plain_live (id int);
SELECT enable_merge('plain');
DROP TABLE plain_live;
CREATE VIEW plain_live AS SELECT id FROM plain;
SELECT enable_merge('plain');
DROP VIEW plain_live;
-- nothing is left of it
SELECT attname FROM columns_of WHERE relname = 'plain';
SELECT count(*) FROM triggers_of WHERE relname = 'plain';

-- Warned of: foreign keys
CREATE TABLE customers (id text PRIMARY KEY, name text);
CREATE TABLE orders (id text PRIMARY KEY, customer text CONSTRAINT orders_customer REFERENCES customers, parent text CONSTRAINT orders_parent REFERENCES orders);
SELECT enable_merge('orders');
SELECT enable_merge('customers');
-- CHECK: what one row cannot violate, but the merge of two can
CREATE DOMAIN few AS gcounter CHECK (value(VALUE) < 10);
CREATE TABLE checked (id text PRIMARY KEY CHECK (id <> ''), low int CONSTRAINT alone CHECK (low > 0), high int, n gcounter, f few,
	twice_low int GENERATED ALWAYS AS (low * 2) STORED,
	CONSTRAINT with_the_key CHECK (id <> high::text), CONSTRAINT two_columns CHECK (low < high), CONSTRAINT merged CHECK (value(n) < 100),
	CONSTRAINT whole CHECK (checked IS NOT NULL), CONSTRAINT of_generated CHECK (twice_low < 1000));
SELECT enable_merge('checked');
-- row security
CREATE TABLE secured (id text PRIMARY KEY);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
SELECT enable_merge('secured');
-- triggers that come after ours
CREATE TABLE late (id text PRIMARY KEY, updated int);
CREATE TRIGGER "~touch" BEFORE UPDATE ON late FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER "~zzz" BEFORE INSERT ON late FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER "~zzzz" AFTER INSERT ON late FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER "~off" BEFORE INSERT ON late FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE late DISABLE TRIGGER "~off";
CREATE TRIGGER touch BEFORE UPDATE ON late FOR EACH ROW EXECUTE FUNCTION touch();
SELECT enable_merge('late');

-- the trigger of views belongs to views of merged tables
CREATE VIEW two AS SELECT c.id FROM customers c, late l;
CREATE TRIGGER wrong INSTEAD OF DELETE ON two FOR EACH ROW EXECUTE FUNCTION merge_live_delete();
INSERT INTO customers VALUES ('a', 'Ann');
INSERT INTO late VALUES ('a', 1);
DELETE FROM two;
CREATE VIEW nameless AS SELECT name FROM customers;
CREATE TRIGGER wrong INSTEAD OF DELETE ON nameless FOR EACH ROW EXECUTE FUNCTION merge_live_delete();
DELETE FROM nameless;
CREATE TRIGGER wrong BEFORE DELETE ON late FOR EACH ROW EXECUTE FUNCTION merge_live_delete();
DELETE FROM late;
SELECT merge_live_delete();

-- counts are those of all sessions, and are forgotten with merging
CREATE TABLE counts (id text PRIMARY KEY, n gcounter, name text);
SELECT enable_merge('counts');
SELECT inserted, merged, unchanged, conflicts, own_dots FROM merge_status() WHERE table_name = 'counts'::regclass;
SET session_replication_role = replica;
INSERT INTO counts VALUES ('a', '{"x": 1}'), ('b', '{"x": 1}'), ('a', '{"x": 1}'), ('a', '{"y": 1}');
UPDATE counts SET n = '{"z": 1}' WHERE id = 'b';
RESET session_replication_role;
SELECT inserted, merged, unchanged, conflicts, own_dots FROM merge_status() WHERE table_name = 'counts'::regclass;
\c -
SET search_path = mt, public;
SET distributed.node = 'berlin';
SELECT inserted, merged, unchanged, conflicts, own_dots FROM merge_status() WHERE table_name = 'counts'::regclass;
SELECT disable_merge('counts');
SELECT enable_merge('counts');
SELECT inserted, merged, unchanged, conflicts, own_dots FROM merge_status() WHERE table_name = 'counts'::regclass;

-- counts can be read by all
CREATE ROLE regress_reader;
SET ROLE regress_reader;
SELECT count(*) FROM merge_status() WHERE table_name::text LIKE '%counts';
RESET ROLE;
DROP ROLE regress_reader;

-- triggers that were disabled and enabled again, as pg_restore --disable-triggers does
CREATE TABLE restored (id int PRIMARY KEY, n gcounter);
SELECT enable_merge('restored');
ALTER TABLE restored DISABLE TRIGGER ALL;
ALTER TABLE restored ENABLE TRIGGER ALL;
SELECT table_name FROM merge_status() WHERE table_name = 'restored'::regclass;
SELECT enable_merge('restored');
SELECT table_name FROM merge_status() WHERE table_name = 'restored'::regclass;

-- what cannot be changed now is told by the server
BEGIN;
DECLARE open_cursor CURSOR FOR SELECT * FROM counts;
MOVE open_cursor;
SELECT enable_merge('counts', concurrent_update => 'remove');
ROLLBACK;
BEGIN READ ONLY;
SELECT enable_merge('plain');
ROLLBACK;
BEGIN READ ONLY;
SELECT disable_merge('counts');
ROLLBACK;
-- all or nothing
BEGIN;
SELECT enable_merge('plain');
SELECT count(*) FROM triggers_of WHERE relname LIKE 'plain%';
ROLLBACK;
SELECT count(*) FROM triggers_of WHERE relname LIKE 'plain%';

-- The loop over merge_status that comes to mind leaves merge_nodes alone, which is nobody's to disable.
SELECT count(*) FROM merge_status() WHERE table_name = 'merge_nodes'::regclass;
SELECT disable_merge('merge_nodes');

SET client_min_messages = warning;
DROP SCHEMA mt CASCADE;
DROP SERVER mt_server CASCADE;
DROP FOREIGN DATA WRAPPER mt_wrapper;
