-- Which tables can be merged, and what makes them merged ones. Rows: merge_row; servers: t/.

\set SHOW_CONTEXT never
CREATE SCHEMA mt;
SET search_path = mt, public;

-- what tests look at: columns, triggers
CREATE VIEW columns_of AS
	SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
		pg_get_expr(d.adbin, d.adrelid) AS default_value, col_description(c.oid, a.attnum) AS comment
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') ORDER BY c.relname, a.attnum;
CREATE VIEW triggers_of AS
	SELECT c.relname, pg_get_triggerdef(t.oid, true) AS definition, t.tgenabled
	FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal ORDER BY c.relname, t.tgname;

CREATE TABLE items (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), hits gcounter NOT NULL DEFAULT '{}',
	name text COLLATE "C", price numeric(8, 2) DEFAULT 1, size int GENERATED ALWAYS AS (length(name)) STORED, tags orset);
INSERT INTO items (name) VALUES ('bolt'), ('nut');
INSERT INTO items (name, price) VALUES (NULL, NULL);

-- a node must have a name
SELECT enable_merge('items');
SET distributed.node = 'berlin';
CREATE TABLE rows_before AS SELECT ctid AS place, id FROM items;
SELECT pg_relation_filenode('items') AS file \gset
SELECT enable_merge('items');
SELECT * FROM columns_of WHERE relname LIKE 'items%';
SELECT * FROM triggers_of WHERE relname LIKE 'items%';
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN ('items'::regclass, 'items_removed'::regclass) AND contype IN ('c', 'p') ORDER BY 1;
SELECT relkind, relowner = (SELECT relowner FROM pg_class WHERE oid = 'items'::regclass) AS same_owner, obj_description(oid, 'pg_class')
FROM pg_class WHERE oid = 'items_removed'::regclass;
SELECT * FROM merge_status() WHERE table_name = 'items'::regclass;

-- no row is rewritten: rows that were there have one dot, and were written before everything
SELECT pg_relation_filenode('items') = :file AS same_file, (SELECT count(*) FROM rows_before b JOIN items i ON i.ctid = b.place AND i.id = b.id) AS same_places;
SELECT count(*), count(DISTINCT _merge), bool_and(is_present(_merge)) AS present, bool_and(nodes(context(_merge)) = '{berlin}') AS of_berlin,
	min(stamp(_merge, 'name')::text), min(node(_merge, 'name')) FROM items;
SELECT bool_and(get(context(_merge), 'berlin') BETWEEN nanoseconds(hlc(clock_timestamp() - interval '1 h')) AND nanoseconds(hlc_now())) AS recent FROM items;

-- again: nothing changes
CREATE TABLE before AS SELECT ctid AS place, * FROM items;
CREATE TABLE objects_before AS SELECT oid FROM pg_trigger WHERE tgrelid IN ('items'::regclass, 'items_removed'::regclass) UNION ALL SELECT oid FROM pg_constraint WHERE conrelid = 'items'::regclass;
SELECT enable_merge('items'), enable_merge('items');
SELECT count(*) FROM before b JOIN items i ON i.ctid = b.place AND i._merge = b._merge;
SELECT count(*) - (SELECT count(*) FROM objects_before) AS changed FROM objects_before b WHERE EXISTS (SELECT FROM pg_trigger t WHERE t.oid = b.oid) OR EXISTS (SELECT FROM pg_constraint c WHERE c.oid = b.oid);
-- other options: another trigger
SELECT enable_merge('items', concurrent_update => 'remove');
SELECT definition FROM triggers_of WHERE relname = 'items' AND definition LIKE '%merge_row(%';
SELECT enable_merge('items');

-- an ordinary table: DELETE counts, and a row is deleted once
DELETE FROM items WHERE name = 'bolt' RETURNING name, size;
DELETE FROM items WHERE name = 'bolt' RETURNING name;
WITH one AS (DELETE FROM items WHERE name = 'nut' RETURNING id), two AS (DELETE FROM items WHERE name = 'nut' RETURNING id)
SELECT (SELECT count(*) FROM one) + (SELECT count(*) FROM two) AS deleted;
SELECT count(*) FROM items;
SELECT hits, name, price, tags FROM items_removed;

-- a column more: the companion gets it, and a warning of values that are each server's own
ALTER TABLE items ADD COLUMN color text DEFAULT 'grey', ADD COLUMN likes pncounter, ADD COLUMN token uuid DEFAULT gen_random_uuid();
SELECT problems FROM merge_status() WHERE table_name = 'items'::regclass;
SELECT enable_merge('items');
SELECT lattice_columns, stamped_columns, problems FROM merge_status() WHERE table_name = 'items'::regclass;
SELECT attname, type FROM columns_of WHERE relname = 'items_removed';
-- a column less
ALTER TABLE items DROP COLUMN color, DROP COLUMN token;
SELECT enable_merge('items');
SELECT attname FROM columns_of WHERE relname = 'items_removed';
-- columns that have another name, and another type
ALTER TABLE items RENAME COLUMN price TO cost;
ALTER TABLE items RENAME COLUMN likes TO fans;
ALTER TABLE items ALTER COLUMN cost TYPE numeric(10, 3) USING cost * 100;
SELECT enable_merge('items');
SELECT attname, type FROM columns_of WHERE relname = 'items_removed';
SELECT name, cost FROM items;
-- also of the key
ALTER TABLE items RENAME COLUMN id TO item_id;
DELETE FROM items WHERE name IS NULL;
SELECT enable_merge('items');
DELETE FROM items;
SELECT attname, type FROM columns_of WHERE relname = 'items_removed';
-- the key is another
CREATE TABLE rekeyed (a int PRIMARY KEY, b int NOT NULL, n gcounter);
SELECT enable_merge('rekeyed');
INSERT INTO rekeyed (a, b) VALUES (1, 1), (2, 2);
DELETE FROM rekeyed WHERE a = 1;
ALTER TABLE rekeyed DROP CONSTRAINT rekeyed_pkey, ADD PRIMARY KEY (b, a);
INSERT INTO rekeyed (a, b) VALUES (3, 3);
SELECT enable_merge('rekeyed');
INSERT INTO rekeyed (a, b) VALUES (3, 3);

-- a unique index that is made later is told
CREATE UNIQUE INDEX items_name ON items (name);
SELECT problems FROM merge_status() WHERE table_name = 'items'::regclass;
DROP INDEX items_name;

-- a table that moves, and one of odd names
CREATE SCHEMA "Odd ""one""";
ALTER TABLE items RENAME TO "It's ""things""";
ALTER TABLE "It's ""things""" SET SCHEMA "Odd ""one""";
SELECT enable_merge('"Odd ""one"""."It''s ""things"""');
SELECT table_name, key_columns, problems FROM merge_status() WHERE table_name::text LIKE '%things%';
INSERT INTO "Odd ""one"""."It's ""things""" (name) VALUES ('screw');
DELETE FROM "Odd ""one"""."It's ""things""" RETURNING name;
SELECT disable_merge('"Odd ""one"""."It''s ""things"""');
SELECT relname, attname FROM columns_of WHERE relname LIKE 'It%' OR relname LIKE 'items%';
DROP SCHEMA "Odd ""one""" CASCADE;
-- sessions that have used a table do not take another of its name for it
CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, n gcounter DEFAULT '{}');
SELECT enable_merge('app.t');
INSERT INTO app.t VALUES (1);
CREATE FUNCTION sent(s row_stamp) RETURNS row_stamp LANGUAGE sql AS $$ SELECT (s::jsonb || '{"arrives": true}')::row_stamp $$;
PREPARE arrives AS INSERT INTO app.t (id, n, _merge) VALUES ($1, '{"b": 1}', '{"arrives": true, "context": {"b": 7}, "live": {"b": 7}}');
SET session_replication_role = replica;
EXECUTE arrives (2);
RESET session_replication_role;
ALTER SCHEMA app RENAME TO app_old;
CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, n gcounter DEFAULT '{}');
SET session_replication_role = replica;
INSERT INTO app_old.t (id, n, _merge) VALUES (3, '{"b": 1}', '{"arrives": true, "context": {"b": 7}, "live": {"b": 7}}'), (1, '{"b": 1}', '{"arrives": true, "context": {"b": 7}, "live": {"b": 7}}');
RESET session_replication_role;
DELETE FROM app_old.t WHERE id = 2;
SELECT id, n FROM app_old.t ORDER BY id;
SELECT count(*) FROM app.t;
DROP SCHEMA app_old, app CASCADE;

CREATE TABLE "Quoted" ("The key" text, "user" int, "Value" text, "select" gcounter, PRIMARY KEY ("user", "The key"));
INSERT INTO "Quoted" VALUES ('a"b', 1, 'x', '{}');
SELECT enable_merge('"Quoted"');
DELETE FROM "Quoted" RETURNING "The key", "user", "Value", "select";
SELECT key_columns, lattice_columns, stamped_columns FROM merge_status() WHERE table_name = '"Quoted"'::regclass;
INSERT INTO "Quoted" VALUES ('a"b', 1, 'y', gcounter '{}' + 1);
SELECT disable_merge('"Quoted"');
SELECT * FROM "Quoted";
CREATE TABLE a_table_of_a_name_that_is_as_long_as_a_name_of_a_table_can_be_ (id text PRIMARY KEY);
SELECT enable_merge('a_table_of_a_name_that_is_as_long_as_a_name_of_a_table_can_be_');
SELECT relname FROM pg_class WHERE relname LIKE 'a\_table%' AND relkind = 'r' ORDER BY 1;
SELECT enable_merge('a_table_of_a_name_that_is_as_long_as_a_name_of_a_table_can_be_');
DROP TABLE a_table_of_a_name_that_is_as_long_as_a_name_of_a_table_can_be_;
SELECT relname FROM pg_class WHERE relname LIKE 'a\_table%' AND relkind = 'r' ORDER BY 1;

-- keys whose operators are elsewhere, domains, and a replica identity that is no primary key
CREATE DOMAIN label AS text;
CREATE DOMAIN visits AS gcounter;
CREATE TABLE tagged (a label NOT NULL, b int NOT NULL, c vclock, v visits, note text);
CREATE UNIQUE INDEX tagged_key ON tagged (b, a) INCLUDE (note);
ALTER TABLE tagged REPLICA IDENTITY USING INDEX tagged_key;
SELECT enable_merge('tagged');
SELECT key_columns, lattice_columns, stamped_columns FROM merge_status() WHERE table_name = 'tagged'::regclass;
INSERT INTO tagged VALUES ('x', 1, '{"a": 1}', '{}'), ('y', 1, '{}', '{}');
DELETE FROM tagged WHERE a = 'x';
SELECT a, b, c, v FROM tagged;
SELECT a, b, c, v FROM tagged_removed;
DROP TABLE tagged;
CREATE TABLE clocks (at hlc PRIMARY KEY, n gcounter);
SELECT enable_merge('clocks', 'none');
INSERT INTO clocks VALUES ('17.0', '{}'), ('18.0', '{}');
DELETE FROM clocks WHERE at = '17.0';
-- a first plain column
ALTER TABLE clocks ADD COLUMN place text;
INSERT INTO clocks VALUES ('19.0');
SELECT problems FROM merge_status() WHERE table_name = 'clocks'::regclass;
SELECT enable_merge('clocks', 'none');
SELECT enable_merge('clocks');
SELECT plain_columns, stamped_columns FROM merge_status() WHERE table_name = 'clocks'::regclass;
INSERT INTO clocks (at, place) VALUES ('19.0', 'here');
SELECT at, place FROM clocks;
-- the companion goes with merging; the column may stay
SELECT disable_merge('clocks', drop_columns => false);
SELECT relname, attname, type FROM columns_of WHERE relname LIKE 'clocks%';
SELECT count(*) FROM triggers_of WHERE relname LIKE 'clocks%';
CREATE TABLE stamps_before AS SELECT at, _merge FROM clocks;
SELECT enable_merge('clocks');
SELECT count(*) FROM stamps_before JOIN clocks USING (at, _merge);
SELECT disable_merge('clocks');
SELECT relname, attname FROM columns_of WHERE relname LIKE 'clocks%';
SELECT disable_merge('clocks');
DROP TABLE clocks;

-- what is published is not disabled
CREATE TABLE sent_out (id text PRIMARY KEY, name text);
SELECT enable_merge('sent_out');
SET client_min_messages = error;
SELECT create_merge_publication('mt_pub', '{sent_out}');
RESET client_min_messages;
SELECT disable_merge('sent_out');
ALTER PUBLICATION mt_pub DROP TABLE mt.sent_out, mt.sent_out_removed;
SELECT disable_merge('sent_out');
DROP PUBLICATION mt_pub;
-- a companion is not dropped alone, and goes with its table
SELECT enable_merge('sent_out');
DROP TABLE sent_out_removed;
SELECT disable_merge('sent_out_removed');
BEGIN;
DROP TABLE sent_out_removed CASCADE;
SELECT problems FROM merge_status() WHERE table_name = 'sent_out'::regclass;
SAVEPOINT s;
INSERT INTO sent_out VALUES ('x');
ROLLBACK TO s;
SELECT enable_merge('sent_out');
SELECT problems FROM merge_status() WHERE table_name = 'sent_out'::regclass;
INSERT INTO sent_out VALUES ('x');
ROLLBACK;
DROP TABLE sent_out;
SELECT to_regclass('sent_out_removed');

-- names that stamps have and the table lacks are dropped on demand
CREATE TABLE pruned (id int PRIMARY KEY, a text, b text);
SELECT enable_merge('pruned');
INSERT INTO pruned VALUES (1, 'x', 'y'), (2, 'x', 'y');
UPDATE pruned SET b = 'z' WHERE id = 1;
ALTER TABLE pruned DROP COLUMN b;
SELECT enable_merge('pruned');
SELECT id, _merge::jsonb ? 'columns' AS listed FROM pruned ORDER BY id;
SELECT enable_merge('pruned', prune => true);
SELECT id, _merge::jsonb ? 'columns' AS listed FROM pruned ORDER BY id;

-- partitions: one companion for the whole, and rows of each are merged
CREATE TABLE parted (region text, id int, n gcounter DEFAULT '{}', note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_eu (note text, id int NOT NULL, gone int, region text NOT NULL, n gcounter DEFAULT '{}', PRIMARY KEY (id, region));
ALTER TABLE parted_eu DROP gone;
ALTER TABLE parted ATTACH PARTITION parted_eu FOR VALUES IN ('eu');
CREATE TABLE parted_us PARTITION OF parted FOR VALUES IN ('us');
INSERT INTO parted VALUES ('eu', 1), ('us', 1);
SELECT enable_merge('parted');
SELECT relname, attname FROM columns_of WHERE relname LIKE 'parted%' AND attname LIKE '\_%' OR relname = 'parted_removed';
SELECT table_name, key_columns, problems FROM merge_status() WHERE table_name::text LIKE 'parted%';
SELECT enable_merge('parted_us');
INSERT INTO parted (region, id, n, note) VALUES ('eu', 2, gcounter '{}' + 1, 'x'), ('us', 2, gcounter '{}' + 1, 'y') RETURNING region, id, n, note;
DELETE FROM parted WHERE id = 2;
SELECT region, id, n, note FROM parted_removed ORDER BY region;
INSERT INTO parted (region, id, n) VALUES ('eu', 2, gcounter '{}' + 1);
SET session_replication_role = replica;
INSERT INTO parted_removed (region, id, n, _merge) VALUES ('us', 1, '{"b": 5}', '{"arrives": true, "context": {"b": 9, "berlin": 9223372036854775000}}');
INSERT INTO parted_removed (region, id, n, note, _merge) VALUES ('us', 7, '{"b": 5}', 'whole', '{"arrives": true, "context": {"b": 9}, "live": {"b": 9}, "row": {"at": "9.0", "node": "b"}}');
INSERT INTO parted (region, id, n, note, _merge) VALUES ('eu', 2, '{"b": 5}', 'later', '{"arrives": true, "context": {"b": 9}, "live": {"b": 9}, "row": {"at": "2200-01-01T00:00:00Z/0", "node": "b"}}');
RESET session_replication_role;
SELECT tableoid::regclass, region, id, n, note FROM parted ORDER BY id, region;
SELECT region, id, n FROM parted_removed ORDER BY region, id;
INSERT INTO parted (region, id) VALUES ('asia', 1);
TRUNCATE parted_us;
-- one that comes and goes
CREATE TABLE parted_asia PARTITION OF parted FOR VALUES IN ('asia');
SELECT problems FROM merge_status() WHERE table_name = 'parted'::regclass;
INSERT INTO parted (region, id) VALUES ('asia', 1);
TRUNCATE parted_asia;
SELECT enable_merge('parted');
ALTER TABLE parted DETACH PARTITION parted_asia;
SELECT enable_merge('parted');
SELECT problems FROM merge_status() WHERE table_name = 'parted'::regclass;
INSERT INTO parted (region, id) VALUES ('us', 8);
-- one whose rows are told by something else
CREATE UNIQUE INDEX parted_us_other ON parted_us (id);
ALTER TABLE parted_us REPLICA IDENTITY USING INDEX parted_us_other;
SELECT enable_merge('parted');
ALTER TABLE parted_us REPLICA IDENTITY DEFAULT;
SELECT disable_merge('parted');
SELECT relname, attname FROM columns_of WHERE relname LIKE 'parted%' AND attname LIKE '\_%';
DROP TABLE parted, parted_asia;

-- a table of version 1.0: it has two hidden columns, removed rows in it, and a view
CREATE TABLE old_form (id text PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}', note text, _merge_presence ew_flag NOT NULL DEFAULT '{}', _merge_stamps lww_map NOT NULL DEFAULT '{}');
INSERT INTO old_form VALUES ('there', '{"berlin": 2}', 'x', '{"enabled": [["berlin", 7]], "context": {"berlin": 7, "rome": 3}}', '{"note": {"value": "x", "at": "17.0", "node": "rome"}}'),
	('removed', '{"berlin": 2}', 'y', '{"context": {"berlin": 9}}', '{"note": {"value": "y", "at": "18.5", "node": "berlin"}}'), ('never', '{}', NULL, '{}', '{}');
CREATE TRIGGER "~merge_row" BEFORE INSERT OR UPDATE OR DELETE ON old_form FOR EACH ROW EXECUTE FUNCTION merge_row('lww', 'keep');
CREATE TRIGGER "~merge_truncate" BEFORE TRUNCATE ON old_form EXECUTE FUNCTION merge_truncate();
ALTER TABLE old_form ENABLE ALWAYS TRIGGER "~merge_row", ENABLE ALWAYS TRIGGER "~merge_truncate";
CREATE VIEW old_form_live AS SELECT t.id, t.n, t.note FROM old_form t WHERE is_present(t._merge_presence);
CREATE TRIGGER "~merge_delete" INSTEAD OF DELETE ON old_form_live FOR EACH ROW EXECUTE FUNCTION merge_live_delete();
DELETE FROM old_form_live;
INSERT INTO old_form VALUES ('new');
DELETE FROM old_form;
SELECT problems FROM merge_status() WHERE table_name = 'old_form'::regclass;
CREATE TABLE old_child (parent text CONSTRAINT to_old REFERENCES old_form);
INSERT INTO old_child VALUES ('removed');
SET client_min_messages = error;
SELECT enable_merge('old_form');
DROP TABLE old_child;
RESET client_min_messages;
BEGIN;
CREATE VIEW above AS SELECT count(*) FROM old_form_live;
SELECT enable_merge('old_form');
SELECT * FROM above;
SELECT count(*) FROM old_form_live;
ROLLBACK;
SELECT enable_merge('old_form');
SELECT * FROM old_form ORDER BY id;
SELECT * FROM old_form_removed;
SELECT to_regclass('old_form_live');
SELECT problems FROM merge_status() WHERE table_name = 'old_form'::regclass;
INSERT INTO old_form (id, n) VALUES ('removed', gcounter '{}' + 1);
SELECT id, n, note FROM old_form ORDER BY id;
SELECT merge_live_delete();

-- who may: the owner, and who is a member of it
CREATE ROLE regress_owner;
CREATE ROLE regress_member IN ROLE regress_owner;
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA mt TO PUBLIC;
CREATE SCHEMA owned AUTHORIZATION regress_owner;
GRANT USAGE ON SCHEMA owned TO PUBLIC;
SET ROLE regress_owner;
CREATE TABLE owned.accounts (id text PRIMARY KEY, balance pncounter NOT NULL DEFAULT '{}', note text);
INSERT INTO owned.accounts VALUES ('a', '{}', 'note a'), ('b', '{}', 'note b'), ('c', '{}', 'note c');
GRANT SELECT, DELETE ON owned.accounts TO regress_reader;
SET ROLE regress_reader;
SELECT enable_merge('owned.accounts');
SELECT disable_merge('owned.accounts');
SET ROLE regress_owner;
SELECT enable_merge('owned.accounts');
-- what is removed is the owner's to see
SET ROLE regress_reader;
DELETE FROM owned.accounts WHERE id = 'a';
SELECT * FROM owned.accounts_removed;
-- row security holds
SET ROLE regress_owner;
ALTER TABLE owned.accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY may_see ON owned.accounts FOR SELECT USING (true);
CREATE POLICY may_delete ON owned.accounts FOR DELETE USING (id = 'b');
SELECT enable_merge('owned.accounts');
SET ROLE regress_reader;
DELETE FROM owned.accounts RETURNING id;
RESET ROLE;
-- an owner's companion goes along to another owner
ALTER TABLE owned.accounts OWNER TO CURRENT_USER;
INSERT INTO owned.accounts VALUES ('d');
SELECT enable_merge('owned.accounts');
ALTER TABLE owned.accounts_removed OWNER TO CURRENT_USER;
SET client_min_messages = error;
SELECT enable_merge('owned.accounts');
RESET client_min_messages;
INSERT INTO owned.accounts (id) VALUES ('d');
SELECT problems FROM merge_status() WHERE table_name = 'owned.accounts'::regclass;
DROP SCHEMA owned CASCADE;
REVOKE USAGE ON SCHEMA mt FROM PUBLIC;
DROP ROLE regress_member, regress_owner, regress_reader;

-- Refused: what is no ordinary table
CREATE TABLE plain (id text PRIMARY KEY, name text);
CREATE VIEW v AS SELECT * FROM plain;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM plain;
CREATE SEQUENCE s;
CREATE TYPE composite AS (a int);
CREATE TEMPORARY TABLE temporary_one (id text PRIMARY KEY);
CREATE UNLOGGED TABLE unlogged_one (id text PRIMARY KEY);
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
INSERT INTO texted DEFAULT VALUES RETURNING id;
ALTER TABLE drawing ALTER COLUMN tenant SET DEFAULT local_node();
SELECT enable_merge('drawing');
INSERT INTO drawing DEFAULT VALUES RETURNING tenant, id;

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
ALTER TABLE plain ADD COLUMN _merge text;
SELECT enable_merge('plain');
ALTER TABLE plain DROP COLUMN _merge, ADD COLUMN _merge row_stamp;
SELECT enable_merge('plain');
ALTER TABLE plain DROP COLUMN _merge;
CREATE TABLE plain_removed (id text PRIMARY KEY, name text, _merge row_stamp NOT NULL DEFAULT '{}');
SELECT enable_merge('plain');
-- one that only looks like it: of another owner
CREATE ROLE regress_mallory;
ALTER TABLE plain_removed OWNER TO regress_mallory;
CREATE TRIGGER "~merge_removed" BEFORE INSERT OR UPDATE OR DELETE ON plain_removed FOR EACH ROW EXECUTE FUNCTION merge_removed();
SELECT enable_merge('plain');
DROP TABLE plain_removed;
DROP ROLE regress_mallory;
CREATE VIEW plain_removed AS SELECT id FROM plain;
SELECT enable_merge('plain');
DROP VIEW plain_removed;
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
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated := NEW.updated + 1; RETURN NEW; END $$;
CREATE TABLE late (id text PRIMARY KEY, updated int);
CREATE TRIGGER "~touch" BEFORE UPDATE ON late FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER "~zzz" BEFORE INSERT ON late FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER "~zzzz" AFTER INSERT ON late FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER "~off" BEFORE INSERT ON late FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE late DISABLE TRIGGER "~off";
CREATE TRIGGER touch BEFORE UPDATE ON late FOR EACH ROW EXECUTE FUNCTION touch();
SELECT enable_merge('late');

-- other people's triggers by our functions disturb nobody
CREATE TABLE spoof (id int PRIMARY KEY);
CREATE TRIGGER "~merge_row" BEFORE INSERT ON spoof FOR EACH ROW EXECUTE FUNCTION merge_row();
CREATE TABLE spoof_two (id int PRIMARY KEY);
CREATE TRIGGER other BEFORE INSERT ON spoof_two FOR EACH ROW EXECUTE FUNCTION merge_row('lww', 'keep');
SELECT table_name FROM merge_status() WHERE table_name::text LIKE 'spoof%';
SELECT enable_merge('spoof'), enable_merge('spoof_two');
DROP TRIGGER other ON spoof_two;
INSERT INTO spoof VALUES (1);
INSERT INTO spoof_two VALUES (1);
SELECT table_name, problems FROM merge_status() WHERE table_name::text LIKE 'spoof%';

-- counts are those of all sessions, and are forgotten with merging
CREATE TABLE counts (id text PRIMARY KEY, n gcounter, name text);
SELECT enable_merge('counts');
SELECT inserted, merged, unchanged, conflicts, own_dots FROM merge_status() WHERE table_name = 'counts'::regclass;
SET session_replication_role = replica;
INSERT INTO counts (id, n, _merge) SELECT id, n::gcounter, '{"arrives": true, "context": {"x": 7}, "live": {"x": 7}}' FROM (VALUES ('a', '{"x": 1}'), ('b', '{"x": 1}'), ('a', '{"x": 1}'), ('a', '{"y": 1}')) v (id, n);
UPDATE counts SET n = '{"z": 1}', _merge = '{"arrives": true, "context": {"x": 7}, "live": {"x": 7}}' WHERE id = 'b';
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
SELECT problems FROM merge_status() WHERE table_name = 'restored'::regclass;
SELECT enable_merge('restored');
SELECT problems FROM merge_status() WHERE table_name = 'restored'::regclass;

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
