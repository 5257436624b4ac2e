-- The triggers of a merged table, made by hand: enable_merge has a test of its own. A row arrives
-- where session_replication_role is replica; t/110_active_active.pl has real servers.

\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA merge_row_a;
CREATE SCHEMA merge_row_b;

-- the same table on two servers
CREATE PROCEDURE merge_row_a.make(place text, columns text, plain text DEFAULT 'lww', concurrent text DEFAULT 'keep', stamps boolean DEFAULT true)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DROP TABLE IF EXISTS %s', place);
	EXECUTE format('CREATE TABLE %s (%s)', place, columns);
	EXECUTE format('ALTER TABLE %s ADD _merge_presence ew_flag NOT NULL DEFAULT ''{}''', place);
	IF stamps THEN
		EXECUTE format('ALTER TABLE %s ADD _merge_stamps lww_map NOT NULL DEFAULT ''{}''', place);
	END IF;
	EXECUTE format('CREATE TRIGGER "~merge_row" BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION merge_row(%L, %L)', place, plain, concurrent);
	EXECUTE format('CREATE TRIGGER "~merge_truncate" BEFORE TRUNCATE ON %s EXECUTE FUNCTION merge_truncate()', place);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "~merge_row", ENABLE ALWAYS TRIGGER "~merge_truncate"', place);
END $$;
CREATE PROCEDURE merge_row_a.arrive(statement text) LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE statement;
	SET LOCAL session_replication_role = origin;
END $$;
-- hidden columns without their times
CREATE FUNCTION merge_row_a.stamps(m lww_map) RETURNS text LANGUAGE sql AS
$$ SELECT coalesce(string_agg(format('%s=%s@%s', key, coalesce(value ->> 'value', 'NULL'), value ->> 'node'), ' ' ORDER BY key), '-') FROM jsonb_each(m::jsonb) $$;
CREATE FUNCTION merge_row_a.presence(p ew_flag) RETURNS text LANGUAGE sql AS
$$ SELECT format('%s of %s', coalesce((SELECT string_agg(e ->> 0, ',' ORDER BY e ->> 0) FROM jsonb_array_elements(p::jsonb -> 'enabled') e), 'removed'), nodes(context(p))) $$;
SET search_path = merge_row_a, public;

-- A session here writes.
CALL make('merge_row_a.t', 'k text PRIMARY KEY, c gcounter DEFAULT ''{}'', s orset DEFAULT ''{}'', note text, n int DEFAULT 7');
INSERT INTO t VALUES ('k');
SET distributed.node = 'a';
INSERT INTO t (k, c, note) VALUES ('k', gcounter '{"a": 1}', 'one');
INSERT INTO t (k, n) VALUES ('l', NULL);
SELECT k, c, s, note, n, presence(_merge_presence), stamps(_merge_stamps) FROM t ORDER BY k;
UPDATE t SET c = c + 2, s = s + 'apple', note = NULL WHERE k = 'k' RETURNING k, c, s, note, n, presence(_merge_presence), stamps(_merge_stamps);
-- a column that is set to what it was is not written, and a row that is not changed is not touched
SELECT _merge_stamps AS stamps, _merge_presence AS presence FROM t WHERE k = 'k' \gset
UPDATE t SET note = NULL, n = n WHERE k = 'k' RETURNING _merge_stamps = :'stamps' AND _merge_presence = :'presence' AS as_before;
UPDATE t SET n = 8 WHERE k = 'k' RETURNING stamps(_merge_stamps), (:'stamps'::lww_map) <@ _merge_stamps AS later, (_merge_presence @> :'presence'::ew_flag) AND _merge_presence <> :'presence' AS written;
-- what may not be
UPDATE t SET c = '{}' WHERE k = 'k';
UPDATE t SET c = '{"a": 2, "b": 9}' WHERE k = 'k';
UPDATE t SET s = NULL WHERE k = 'k';
UPDATE t SET k = 'm' WHERE k = 'k';
UPDATE t SET _merge_presence = '{}';
UPDATE t SET _merge_stamps = '{}';
TRUNCATE t;
BEGIN; SET LOCAL session_replication_role = replica; TRUNCATE t; ROLLBACK;
-- one that is larger is fine, wherever it comes from
UPDATE t SET c = '{"a": 3, "b": 9}' WHERE k = 'k' RETURNING c;
INSERT INTO t (k) VALUES ('k') ON CONFLICT (k) DO NOTHING;
INSERT INTO t AS old (k) VALUES ('k') ON CONFLICT (k) DO UPDATE SET c = old.c + 1, note = 'again' RETURNING c, note, stamps(_merge_stamps);

-- Rows arrive.
CALL make('merge_row_b.t', 'note text, s orset DEFAULT ''{}'', c gcounter DEFAULT ''{}'', n int DEFAULT 7, k text PRIMARY KEY');
\set send 'INSERT INTO merge_row_b.t (k, c, s, _merge_presence, _merge_stamps) SELECT k, c, s, _merge_presence, _merge_stamps FROM merge_row_a.t'
\set back 'INSERT INTO merge_row_a.t (k, c, s, _merge_presence, _merge_stamps) SELECT k, c, s, _merge_presence, _merge_stamps FROM merge_row_b.t'
SET distributed.node = 'b';
CALL arrive(:'send');
SELECT k, c, s, note, n, presence(_merge_presence), stamps(_merge_stamps) FROM merge_row_b.t ORDER BY k;
SELECT (SELECT md5(string_agg(row(k, c, s, note, n, _merge_presence, _merge_stamps)::text, ' ' ORDER BY k)) FROM merge_row_a.t) =
	(SELECT md5(string_agg(row(k, c, s, note, n, _merge_presence, _merge_stamps)::text, ' ' ORDER BY k)) FROM merge_row_b.t) AS same;
-- again: nothing is written
SELECT array_agg(ctid ORDER BY k) AS places FROM merge_row_b.t \gset
CALL arrive(:'send');
CALL arrive('UPDATE merge_row_b.t b SET c = a.c, s = a.s, _merge_stamps = a._merge_stamps FROM merge_row_a.t a WHERE a.k = b.k');
CALL arrive('UPDATE merge_row_b.t SET c = ''{}'', s = NULL, note = ''stray'', n = 99');
SELECT array_agg(ctid ORDER BY k) = :'places' AS untouched, min(note) AS note, min(n) AS n FROM merge_row_b.t;
-- both write, at once: different columns of one row, and one column
UPDATE merge_row_b.t SET c = c + 10, s = s - 'apple' + 'pear', note = 'of b' WHERE k = 'k';
SET distributed.node = 'a';
UPDATE t SET c = c + 100, s = s + 'fig', n = 0 WHERE k = 'k';
UPDATE t SET note = 'of a, later' WHERE k = 'l';
SET distributed.node = 'b';
UPDATE merge_row_b.t SET note = 'of b, the last' WHERE k = 'l';
CALL arrive(:'send');
SET distributed.node = 'a';
CALL arrive(:'back');
SET distributed.node = 'b';
SELECT 'a' AS at, k, c, s, note, n, presence(_merge_presence), stamps(_merge_stamps) FROM t
UNION ALL SELECT 'b', k, c, s, note, n, presence(_merge_presence), stamps(_merge_stamps) FROM merge_row_b.t ORDER BY k, at;
-- NULL says less than any value
SET distributed.node = 'a';
INSERT INTO t (k, c) VALUES ('null', NULL);
SET distributed.node = 'b';
CALL arrive(:'send');
UPDATE merge_row_b.t SET c = '{"b": 1}' WHERE k = 'null';
CALL arrive(:'send');
SET distributed.node = 'a';
CALL arrive(:'back');
SET distributed.node = 'b';
SELECT a.c, b.c FROM t a JOIN merge_row_b.t b USING (k) WHERE k = 'null';
-- an UPDATE that brings another key is refused
CALL arrive('UPDATE merge_row_b.t SET k = ''other'' WHERE k = ''l''');

-- Who has seen a value writes later than it, though its clock is behind.
CALL arrive($$UPDATE merge_row_b.t SET _merge_stamps = '{"n": {"value": "1", "at": "2200-01-01T00:00:00Z/3", "node": "z"}}' WHERE k = 'l'$$);
UPDATE merge_row_b.t SET n = 2 WHERE k = 'l';
SELECT n, _merge_stamps::jsonb -> 'n' AS stamp FROM merge_row_b.t WHERE k = 'l';
-- of writes of one time the node decides, then the value
CALL arrive($$UPDATE merge_row_b.t SET _merge_stamps = '{"n": {"value": "5", "at": "2200-01-01T00:00:00Z/4", "node": "a"}}' WHERE k = 'l'$$);
SELECT n FROM merge_row_b.t WHERE k = 'l';
CALL arrive($$UPDATE merge_row_b.t SET _merge_stamps = '{"n": {"value": null, "at": "2200-01-01T00:00:00Z/4", "node": "c"}}' WHERE k = 'l'$$);
SELECT n FROM merge_row_b.t WHERE k = 'l';
-- a value that is none is an error, and nothing is changed
CALL arrive($$UPDATE merge_row_b.t SET _merge_stamps = '{"n": {"value": "many", "at": "2200-01-01T00:00:00Z/5", "node": "c"}}' WHERE k = 'l'$$);

-- Rows that are removed stay, for the peers, and come back when they are inserted again.
CALL make('merge_row_a.t', 'k text PRIMARY KEY, c gcounter DEFAULT ''{}'', s orset DEFAULT ''{}'', note text, n int DEFAULT 7');
CALL make('merge_row_b.t', 'note text, s orset DEFAULT ''{}'', c gcounter DEFAULT ''{}'', n int DEFAULT 7, k text PRIMARY KEY');
SET distributed.node = 'a';
INSERT INTO t (k, c, s, note) SELECT i, gcounter '{"a": 1}', orset '{}' + 'apple', 'one' FROM generate_series(1, 6) i;
SET distributed.node = 'b';
CALL arrive(:'send');
SET distributed.node = 'a';
DELETE FROM t WHERE k <= '5';
DELETE FROM t WHERE k = '1';
UPDATE t SET note = 'nobody is here' WHERE k = '1';
SELECT k, c, s, is_present(_merge_presence), presence(_merge_presence) FROM t ORDER BY k;
-- concurrently, b has changed two of them, and removed one itself
SET distributed.node = 'b';
UPDATE merge_row_b.t SET note = 'still needed' WHERE k = '2';
UPDATE merge_row_b.t SET s = s + 'pear' WHERE k = '3';
DELETE FROM merge_row_b.t WHERE k = '4';
CALL arrive(:'send');
SET distributed.node = 'a';
CALL arrive(:'back');
SET distributed.node = 'b';
SELECT 'a' AS at, k, c, s, note, is_present(_merge_presence), presence(_merge_presence) FROM t
UNION ALL SELECT 'b', k, c, s, note, is_present(_merge_presence), presence(_merge_presence) FROM merge_row_b.t ORDER BY k, at;
-- inserted again: sets begin empty, counters go on, and no dot is used twice
SET distributed.node = 'a';
INSERT INTO t (k, c, s, note) VALUES ('1', gcounter '{"a": 5}', orset '{}' + 'fig', 'two'), ('4', '{}', '{}', NULL);
INSERT INTO t (k, c) VALUES ('5', '{"elsewhere": 1}');
INSERT INTO t (k, c, n) VALUES ('5', '{"a": 1, "elsewhere": 1}', NULL);
INSERT INTO t (k) VALUES ('6');
SELECT k, c, s, note, n, presence(_merge_presence), stamps(_merge_stamps) FROM t WHERE is_present(_merge_presence) ORDER BY k;
SET distributed.node = 'b';
CALL arrive(:'send');
SELECT k, c, s, note, n, presence(_merge_presence), stamps(_merge_stamps) FROM merge_row_b.t WHERE is_present(_merge_presence) ORDER BY k;
-- a DELETE that arrives, from a publisher that does not merge, removes like one from here
CALL arrive('DELETE FROM merge_row_b.t WHERE k = ''6''');
SELECT is_present(_merge_presence), presence(_merge_presence) FROM merge_row_b.t WHERE k = '6';
RESET distributed.node;
CALL arrive('DELETE FROM merge_row_b.t WHERE k = ''1''');
SELECT is_present(_merge_presence) FROM merge_row_b.t WHERE k = '1';

-- What else begins anew, or goes on.
CALL make('merge_row_a.u', 'k int PRIMARY KEY, v vclock, p pncounter, r lww_register, m mv_register, f ew_flag, g dw_flag, om or_map, lm lww_map, o obligation_lattice, l lattice_state', stamps => false);
SET distributed.node = 'a';
CREATE VIEW merge_row_a.fresh (k, v, p, r, m, f, g, om, lm, o, l) AS SELECT 1, vclock('{"a": 2}'), pncounter('{"a": [3, 1]}'), lww_register('x', '1.0', 'a'),
	set(mv_register '{}', 'v', 'a'), enable(ew_flag '{}', 'a'), disable(dw_flag '{}', 'a'), put(or_map '{}', 'k', 'v', 'a'),
	put(lww_map '{}', 'k', 'v', '1.0', 'a'), observe(obligation_lattice '{}', 'ob', 'a', 'reserved'), 'reserved'::lattice_state;
INSERT INTO u SELECT * FROM fresh;
DELETE FROM u;
INSERT INTO u SELECT * FROM fresh;
\x
SELECT v, p, r, m, f, g, om, lm, o, l FROM u;
\x
DELETE FROM u;
INSERT INTO u (k) VALUES (1);
\x
SELECT v, p, r, m, f, g, om, lm, o, l FROM u;
\x

-- An update does not keep a row that is removed concurrently, where that is chosen.
CALL make('merge_row_a.t', 'k text PRIMARY KEY, c gcounter DEFAULT ''{}'', s orset DEFAULT ''{}''', concurrent => 'remove', stamps => false);
CALL make('merge_row_b.t', 'k text PRIMARY KEY, c gcounter DEFAULT ''{}'', s orset DEFAULT ''{}''', concurrent => 'remove', stamps => false);
\set send 'INSERT INTO merge_row_b.t SELECT * FROM merge_row_a.t'
\set back 'INSERT INTO merge_row_a.t SELECT * FROM merge_row_b.t'
INSERT INTO t VALUES ('x'), ('y');
SET distributed.node = 'b';
CALL arrive(:'send');
SET distributed.node = 'a';
DELETE FROM t;
SET distributed.node = 'b';
UPDATE merge_row_b.t SET c = c + 1 WHERE k = 'x';
DELETE FROM merge_row_b.t WHERE k = 'y';
INSERT INTO merge_row_b.t VALUES ('y');
CALL arrive(:'send');
SET distributed.node = 'a';
CALL arrive(:'back');
SET distributed.node = 'b';
SELECT 'a' AS at, k, c, is_present(_merge_presence) FROM t
UNION ALL SELECT 'b', k, c, is_present(_merge_presence) FROM merge_row_b.t ORDER BY k, at;

-- Texts of plain columns mean the same whatever the settings are.
CREATE TYPE merge_row_a.mood AS ENUM ('so', 'so la la');
CREATE TYPE merge_row_a.pair AS (x int, y text);
CREATE DOMAIN merge_row_a.few AS int CHECK (VALUE < 10);
CALL make('merge_row_a.p', 'k int PRIMARY KEY, d date, ts timestamptz, i interval, f float8, f4 float4, n numeric, b bytea, j jsonb, a text[], e mood, p pair, r regclass, m money, few few, v varchar(3), bool boolean');
CALL make('merge_row_b.p', 'k int PRIMARY KEY, d date, ts timestamptz, i interval, f float8, f4 float4, n numeric, b bytea, j jsonb, a text[], e mood, p pair, r regclass, m money, few few, v varchar(3), bool boolean');
SET distributed.node = 'a';
SET datestyle = 'German'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = -10; SET bytea_output = 'escape'; SET timezone = 'Asia/Kolkata';
INSERT INTO p VALUES (1, '31.12.2026', '31.12.2026 23:59:59.5', 'P1Y2M-3DT4H', 0.1::float8 + 0.2, 1.1, 1e-20, '\001\002abc', '{"a": [1, null]}', '{a,NULL,"b c"}', 'so la la', '(1,"a,b")', 'merge_row_a.p', '12.34', 9, 'abc', false);
SHOW datestyle;
RESET datestyle; RESET intervalstyle; RESET extra_float_digits; RESET bytea_output; SET timezone = 'UTC';
SELECT key, value FROM p, each(_merge_stamps) ORDER BY key;
SET distributed.node = 'b';
CALL arrive('INSERT INTO merge_row_b.p (k, _merge_presence, _merge_stamps) SELECT k, _merge_presence, _merge_stamps FROM merge_row_a.p');
SELECT (SELECT row(p.*)::text FROM merge_row_b.p) = (SELECT row(p.*)::text FROM p) AS same;
SET search_path = merge_row_b, public, merge_row_a;
UPDATE merge_row_a.p SET r = 'merge_row_b.p';
CALL arrive('UPDATE merge_row_b.p b SET _merge_stamps = a._merge_stamps FROM merge_row_a.p a');
SELECT r::oid = 'merge_row_b.p'::regclass AS qualified FROM merge_row_b.p;
SET search_path = merge_row_a, public;
RESET timezone;

SET distributed.node = 'a';

-- Tables of all sorts: a key of several columns, a dropped one, generated ones, identity, a domain, defaults.
CREATE DOMAIN merge_row_a.growing AS gcounter;
CALL make('merge_row_a.t', 'gone int, region text, no int, total numeric GENERATED ALWAYS AS (value(c)) STORED, c growing NOT NULL DEFAULT ''{}'', id int GENERATED ALWAYS AS IDENTITY, "Not Null" text NOT NULL, PRIMARY KEY (no, region)');
ALTER TABLE t DROP gone;
INSERT INTO t (region, no, "Not Null") VALUES ('eu', 1, 'yes');
UPDATE t SET c = c + 3;
CALL arrive($$INSERT INTO t (region, no, c, _merge_presence, _merge_stamps) VALUES
	('eu', 1, '{"b": 4}', '{"enabled": [["b", 1]], "context": {"b": 1}}', '{"Not Null": {"value": "no", "at": "1.0", "node": "b"}}'),
	('us', 1, '{"b": 4}', '{"enabled": [["b", 1]], "context": {"b": 1}}', '{"Not Null": {"value": "no", "at": "1.0", "node": "b"}}')$$);
SELECT region, no, total, c, "Not Null" FROM t ORDER BY region;

-- A large value that is not sent, because it is unchanged, is what is there.
CALL make('merge_row_a.t', 'k int PRIMARY KEY, s orset DEFAULT ''{}'', c gcounter DEFAULT ''{}'', doc text');
ALTER TABLE t ALTER s SET STORAGE external, ALTER doc SET STORAGE external;
INSERT INTO t (k, s, doc) SELECT 1, orset_agg(md5(i::text), 'a'), string_agg(md5(i::text), '') FROM generate_series(1, 1000) i;
SELECT pg_column_size(s) > 30000 AS large, md5(s::text) AS s, md5(doc) AS doc FROM t \gset
CALL arrive('UPDATE t SET c = ''{"b": 1}''');
SELECT :'large' AS large, c, md5(s::text) = :'s' AS s, md5(doc) = :'doc' AS doc FROM t;
DELETE FROM t;
INSERT INTO t (k, doc) VALUES (1, 'new');
SELECT cardinality(s), c, doc FROM t;
VACUUM t;
SELECT cardinality(s), c, doc FROM t;

-- An error inside leaves nothing behind.
CALL make('merge_row_a.t', 'k int PRIMARY KEY, c gcounter CHECK (value(c) < 10)', stamps => false);
INSERT INTO t VALUES (1, '{"a": 1}');
DO $$
BEGIN
	SET LOCAL session_replication_role = replica;
	FOR i IN 1 .. 3 LOOP
		BEGIN
			INSERT INTO merge_row_a.t VALUES (1, '{"b": 20}');
		EXCEPTION WHEN check_violation THEN
			RAISE WARNING 'caught: %', sqlerrm;
		END;
	END LOOP;
	INSERT INTO merge_row_a.t VALUES (1, '{"b": 2}'), (2, '{"b": 2}');
END $$;
SELECT k, c FROM t ORDER BY k;
-- other triggers write to the table as well
CREATE FUNCTION merge_row_a.more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.k < 10 THEN
		INSERT INTO merge_row_a.t VALUES (10 * NEW.k, NEW.c) ON CONFLICT (k) DO UPDATE SET c = merge_row_a.t.c | EXCLUDED.c;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER more AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION more();
ALTER TABLE t ENABLE ALWAYS TRIGGER more;
CALL arrive($$INSERT INTO t VALUES (1, '{"b": 5}'), (3, '{"b": 1}')$$);
DELETE FROM t WHERE k = 2;
SELECT k, c, is_present(_merge_presence) FROM t ORDER BY k;

-- A row that brings writes of this node that it has not made: somebody else uses its name.
CALL arrive($$INSERT INTO t VALUES (4, '{}', '{"enabled": [["a", 1]], "context": {"a": 1}}')$$);
SELECT presence(_merge_presence) FROM t WHERE k = 4;

-- Who may delete need not be one who may update.
CREATE ROLE merge_row_clerk;
GRANT USAGE ON SCHEMA merge_row_a TO merge_row_clerk;
GRANT SELECT, DELETE ON t TO merge_row_clerk;
SET ROLE merge_row_clerk;
DELETE FROM t WHERE k = 1;
UPDATE t SET c = c + 1;
RESET ROLE;
SELECT k, is_present(_merge_presence) FROM t WHERE k = 1;
REVOKE ALL ON t FROM merge_row_clerk;
REVOKE ALL ON SCHEMA merge_row_a FROM merge_row_clerk;
DROP ROLE merge_row_clerk;

-- Tables that are not what they should be.
CREATE TABLE bad (k int PRIMARY KEY, c gcounter);
CREATE TRIGGER m AFTER INSERT ON bad FOR EACH ROW EXECUTE FUNCTION merge_row('lww', 'keep');
INSERT INTO bad VALUES (1);
DROP TRIGGER m ON bad;
CREATE TRIGGER m BEFORE INSERT ON bad FOR EACH ROW EXECUTE FUNCTION merge_row('lww');
INSERT INTO bad VALUES (1);
DROP TRIGGER m ON bad;
CREATE TRIGGER m BEFORE INSERT OR UPDATE ON bad FOR EACH ROW EXECUTE FUNCTION merge_row('lww', 'keep');
INSERT INTO bad VALUES (1);
ALTER TABLE bad ADD _merge_presence int;
INSERT INTO bad VALUES (1);
ALTER TABLE bad DROP _merge_presence, ADD _merge_presence ew_flag;
INSERT INTO bad VALUES (1);
ALTER TABLE bad ADD note text;
INSERT INTO bad VALUES (2);
UPDATE bad SET c = '{}';
ALTER TABLE bad ADD _merge_stamps orset;
UPDATE bad SET c = '{}';
ALTER TABLE bad DROP _merge_stamps, DROP CONSTRAINT bad_pkey;
UPDATE bad SET c = '{}';
SELECT merge_row();
SELECT merge_truncate();

-- Keys are equal where their index has them equal, and stay as they are: 1.00 arrives where 1.0 is.
CREATE FUNCTION arrives_equal(type text, here text, there text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	CALL make('merge_row_a.eq', format('k %s PRIMARY KEY, c gcounter DEFAULT ''{}'', note text', type));
	EXECUTE format('INSERT INTO eq (k, c) VALUES (%L, ''{"a": 1}'')', here);
	-- a server with the other key has counted, too, and sends what it has by an INSERT, and later by an UPDATE
	CALL arrive(format('INSERT INTO eq (k, c, _merge_presence) VALUES (%L, ''{"b": 2}'', ''{"enabled": [["b", 9]], "context": {"b": 9}}'')', there));
	CALL arrive(format('UPDATE eq SET k = %L, c = ''{"b": 5}'' WHERE k = %L', there, here));
	-- and so do sessions here
	EXECUTE format('UPDATE eq SET k = %L, c = c + 3, note = ''x''', there);
	EXECUTE format('UPDATE eq SET k = %L', there);
	SELECT string_agg(k::text || ' ' || c::text || ' ' || coalesce(note, '-'), ', ') INTO found FROM eq;
	RETURN found;
END
$$;
SET distributed.node = 'a';
SELECT type, here, there, arrives_equal(type, here, there) FROM (VALUES ('numeric', '1.0', '1.00'), ('float8', '0', '-0'), ('interval', '1 day', '24:00:00'),
	('numeric[]', '{1.0,2}', '{1,2.000}'), ('text', 'a', 'a')) v (type, here, there);
UPDATE eq SET k = 'b';
DROP TABLE eq;

RESET client_min_messages;
RESET distributed.node;
SET client_min_messages = warning;
DROP SCHEMA merge_row_a, merge_row_b CASCADE;
