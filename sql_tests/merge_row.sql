-- The triggers of merged tables. A row arrives where session_replication_role is replica, with the
-- mark that a walsender gives it; t/110_active_active.pl has real servers.

\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET distributed.node = 'a';
CREATE SCHEMA merge_row_a;
CREATE SCHEMA merge_row_b;

-- the same table on two servers
CREATE PROCEDURE merge_row_a.make(name text, columns text, concurrent text DEFAULT 'keep') LANGUAGE plpgsql AS $$
DECLARE
	place text;
BEGIN
	FOR place IN VALUES ('merge_row_a'), ('merge_row_b') LOOP
		EXECUTE format('DROP TABLE IF EXISTS %I.%I', place, name);
		EXECUTE format('CREATE TABLE %I.%I (%s)', place, name, columns);
		PERFORM enable_merge(format('%I.%I', place, name)::regclass, concurrent_update => concurrent);
	END LOOP;
END $$;
CREATE FUNCTION merge_row_a.sent(s row_stamp) RETURNS row_stamp LANGUAGE sql AS $$ SELECT (s::jsonb || '{"arrives": true}')::row_stamp $$;
CREATE PROCEDURE merge_row_a.arrive(statement text) LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE statement;
	SET LOCAL session_replication_role = origin;
END $$;
-- all rows of a table, and what is known of removed ones, as a peer that copies them gets them
CREATE PROCEDURE merge_row_a.copy_rows(name text, from_place text, to_place text) LANGUAGE plpgsql AS $$
DECLARE
	part text;
	columns text;
BEGIN
	FOREACH part IN ARRAY ARRAY[name, name || '_removed'] LOOP
		SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
		WHERE attrelid = format('%I.%I', from_place, part)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> '_merge';
		CALL merge_row_a.arrive(format('INSERT INTO %I.%I (%s, _merge) SELECT %3$s, merge_row_a.sent(_merge) FROM %I.%2$I', to_place, part, columns, from_place));
	END LOOP;
END $$;
CREATE PROCEDURE merge_row_a.there(name text DEFAULT 't') LANGUAGE sql AS $$ SELECT set_config('distributed.node', 'b', false); CALL merge_row_a.copy_rows(name, 'merge_row_a', 'merge_row_b') $$;
CREATE PROCEDURE merge_row_a.back(name text DEFAULT 't') LANGUAGE sql AS $$ SELECT set_config('distributed.node', 'a', false); CALL merge_row_a.copy_rows(name, 'merge_row_b', 'merge_row_a') $$;
-- the hidden column without its times
CREATE FUNCTION merge_row_a.who(s row_stamp) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce((SELECT string_agg(key, ',' ORDER BY key) FROM jsonb_each(s::jsonb -> 'live')), 'removed'), 'of', nodes(context(s))::text,
		'row', s::jsonb -> 'row' ->> 'node', (SELECT string_agg(key || '=' || coalesce(value ->> 'node', '-'), ' ' ORDER BY key) FROM jsonb_each(s::jsonb -> 'columns')))
$$;
CREATE FUNCTION merge_row_a.digest(name text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	same boolean;
BEGIN
	EXECUTE format('SELECT (SELECT coalesce(string_agg(a::text, '' '' ORDER BY a::text), '''') FROM (SELECT * FROM merge_row_a.%1$I) a) = (SELECT coalesce(string_agg(b::text, '' '' ORDER BY b::text), '''') FROM (SELECT * FROM merge_row_b.%1$I) b)
		AND (SELECT count(*) FROM merge_row_a.%1$I_removed) = (SELECT count(*) FROM merge_row_b.%1$I_removed)', name) INTO same;
	RETURN same;
END $$;
SET search_path = merge_row_a, public;

-- A session here writes.
CALL make('t', 'k text PRIMARY KEY, c gcounter DEFAULT ''{}'', s orset DEFAULT ''{}'', note text, n int DEFAULT 7');
RESET distributed.node;
INSERT INTO t VALUES ('k');
SET distributed.node = 'a';
INSERT INTO t (k, c, note) VALUES ('k', gcounter '{}' + 1, 'one'), ('l', '{}', NULL);
SELECT k, c, s, note, n, who(_merge) FROM t ORDER BY k;
UPDATE t SET c = c + 2, s = s + 'apple', note = NULL WHERE k = 'k' RETURNING k, c, s, note, n, who(_merge);
-- a column that is set to what it was is not written; but the row is, so that what a peer's worker has missed while it moved comes back
SELECT _merge AS stamp FROM t WHERE k = 'k' \gset
UPDATE t SET note = NULL, n = n WHERE k = 'k' RETURNING stamp(_merge, 'note') = stamp(:'stamp'::row_stamp, 'note') AS not_written, _merge @> :'stamp'::row_stamp AND _merge <> :'stamp'::row_stamp AS seen;
-- how large is it?
SELECT k, pg_column_size(_merge) <= 40 AS small FROM t WHERE k = 'l';
-- what may not be
UPDATE t SET c = '{}' WHERE k = 'k';
\echo :LAST_ERROR_SQLSTATE
UPDATE t SET c = '{"a": 2, "b": 9}' WHERE k = 'k';
UPDATE t SET s = NULL WHERE k = 'k';
UPDATE t SET k = 'm' WHERE k = 'k';
UPDATE t SET _merge = '{}';
TRUNCATE t;
TRUNCATE t_removed;
BEGIN; SET LOCAL session_replication_role = replica; TRUNCATE t; ROLLBACK;
-- one that is larger is fine, wherever it comes from
UPDATE t SET c = '{"a": 3, "b": 9}' WHERE k = 'k' RETURNING c;

-- An INSERT adds, also where it meets a row.
CALL make('t', 'k text PRIMARY KEY, c gcounter DEFAULT ''{}'', p pncounter DEFAULT ''{}'', s orset DEFAULT ''{}'', r lww_register DEFAULT ''{}'', m mv_register DEFAULT ''{}'', om or_map DEFAULT ''{}''');
INSERT INTO t (k) VALUES ('k') ON CONFLICT (k) DO NOTHING;
INSERT INTO t (k, c) VALUES ('k', gcounter '{}' + 1) ON CONFLICT (k) DO UPDATE SET c = EXCLUDED.c RETURNING c;
INSERT INTO t (k, c) VALUES ('k', gcounter '{}' + 1) ON CONFLICT (k) DO UPDATE SET c = EXCLUDED.c RETURNING c;
INSERT INTO t (k, c) VALUES ('k', gcounter '{}' + 1) ON CONFLICT (k) DO UPDATE SET c = t.c | EXCLUDED.c RETURNING c;
INSERT INTO t (k, c) VALUES ('k', gcounter '{}' + 1) ON CONFLICT (k) DO UPDATE SET c = t.c + 1 RETURNING c;
INSERT INTO t (k, c) VALUES ('k', gcounter '{}' + 1) ON CONFLICT (k) DO UPDATE SET c = t.c + value(EXCLUDED.c)::bigint RETURNING c;
-- many in one statement, and others that are not mentioned stay
INSERT INTO t (k, c, p, s) SELECT 'k' || i % 2, gcounter '{}' + 1, pncounter '{}' - 2, orset '{}' + i::text FROM generate_series(1, 2) i
ON CONFLICT (k) DO UPDATE SET c = EXCLUDED.c, p = EXCLUDED.p RETURNING k, c, p, s;
INSERT INTO t (k, c, p, s) SELECT 'k' || i % 2, gcounter '{}' + 1, pncounter '{}' - 2, orset '{}' + i::text FROM generate_series(3, 4) i
ON CONFLICT (k) DO UPDATE SET c = EXCLUDED.c, p = EXCLUDED.p, s = EXCLUDED.s RETURNING k, c, p, s;
INSERT INTO t (k, m, om, r) VALUES ('x', set(mv_register '{}', 'one'), put(or_map '{}', 'key', 'one'), lww_register('one', '1.0'));
INSERT INTO t (k, m, om, r) VALUES ('x', set(mv_register '{}', 'two'), put(or_map '{}', 'key', 'two'), lww_register('two', '2.0'))
ON CONFLICT (k) DO UPDATE SET m = EXCLUDED.m, om = EXCLUDED.om, r = EXCLUDED.r RETURNING siblings(m), om -> 'key' AS om, value(r) AS r;
-- with a trigger of the user's that runs statements of its own
CREATE FUNCTION merge_row_a.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM count(*) FROM merge_row_a.t; RETURN NEW; END $$;
CREATE TRIGGER look BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION look();
INSERT INTO t (k, c) VALUES ('k', gcounter '{}' + 1) ON CONFLICT (k) DO UPDATE SET c = EXCLUDED.c RETURNING c;
-- an UPDATE that sets a value of old, in the same session, is an error as any
UPDATE t SET c = '{"a": 1}' WHERE k = 'k';
-- MERGE inserts and updates as others do
DO $$
BEGIN
	IF current_setting('server_version_num')::int < 150000 THEN
		UPDATE merge_row_a.t SET c = c + 10 WHERE k = 'k';
		INSERT INTO merge_row_a.t (k, c) VALUES ('merged', gcounter '{}' + 10);
	ELSE
		EXECUTE $m$MERGE INTO merge_row_a.t USING (VALUES ('k'), ('merged')) v (k) ON t.k = v.k WHEN MATCHED THEN UPDATE SET c = t.c + 10 WHEN NOT MATCHED THEN INSERT (k, c) VALUES (v.k, gcounter '{}' + 10)$m$;
	END IF;
END $$;
SELECT k, c FROM t WHERE k IN ('k', 'merged') ORDER BY k;

-- Rows arrive.
CALL make('t', 'k text PRIMARY KEY, c gcounter DEFAULT ''{}'', s orset DEFAULT ''{}'', note text, n int DEFAULT 7');
INSERT INTO t (k, c, s, note) VALUES ('k', gcounter '{}' + 1, orset '{}' + 'apple', 'one'), ('l', '{}', '{}', NULL);
CALL there();
SELECT k, c, s, note, n, who(_merge) FROM merge_row_b.t ORDER BY k;
SELECT digest('t');
-- again: nothing is written
SELECT array_agg(ctid ORDER BY k) AS places FROM merge_row_b.t \gset
CALL there();
SELECT array_agg(ctid ORDER BY k) = :'places' AS untouched FROM merge_row_b.t;
-- both write, at once: different columns of one row, and one column
UPDATE merge_row_b.t SET c = c + 10, s = s - 'apple' + 'pear', note = 'of b' WHERE k = 'k';
SET distributed.node = 'a';
UPDATE t SET c = c + 100, s = s + 'fig', n = 0 WHERE k = 'k';
UPDATE t SET note = 'of a' WHERE k = 'l';
SET distributed.node = 'b';
UPDATE merge_row_b.t SET note = 'of b, the last' WHERE k = 'l';
CALL there();
CALL back();
SELECT k, c, s, note, n, who(_merge) FROM t ORDER BY k;
SELECT digest('t');
-- NULL says less than any value
INSERT INTO t (k, c) VALUES ('null', NULL);
CALL there();
UPDATE merge_row_b.t SET c = '{"b": 1}' WHERE k = 'null';
CALL there();
CALL back();
SELECT a.c, b.c FROM t a JOIN merge_row_b.t b USING (k) WHERE k = 'null';
-- a mark is nothing without the role, nor the role without the mark
INSERT INTO t (k, _merge) VALUES ('forged', '{"arrives": true}');
\echo :LAST_ERROR_SQLSTATE
UPDATE t SET _merge = sent(_merge);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO t_removed (k, _merge) VALUES ('forged', '{"arrives": true}');
\echo :LAST_ERROR_SQLSTATE
CALL arrive('INSERT INTO t (k, c) VALUES (''here'', gcounter ''{}'' + 1)');
SELECT c, who(_merge) FROM t WHERE k = 'here';
-- an UPDATE that brings another key is refused
CALL arrive('UPDATE t SET k = ''other'', _merge = sent(_merge) WHERE k = ''l''');

-- Who has seen a value writes later than it, though its clock is behind; and the clock stays.
CALL arrive($$UPDATE t SET n = 1, _merge = '{"arrives": true, "columns": {"n": {"at": "2200-01-01T00:00:00Z/3", "node": "z"}}}' WHERE k = 'l'$$);
UPDATE t SET n = 2 WHERE k = 'l';
SELECT n, _merge::jsonb -> 'columns' -> 'n' AS stamp FROM t WHERE k = 'l';
INSERT INTO t (k) VALUES ('now');
SELECT physical(stamp(_merge, 'note')) BETWEEN now() - interval '1 minute' AND now() + interval '1 minute' AS now FROM t WHERE k = 'now';
-- of writes of one time the node decides
CALL arrive($$UPDATE t SET n = 5, _merge = '{"arrives": true, "columns": {"n": {"at": "2200-01-01T00:00:00.000000001Z/0", "node": "Z"}}}' WHERE k = 'l'$$);
SELECT n FROM t WHERE k = 'l';
CALL arrive($$UPDATE t SET n = NULL, _merge = '{"arrives": true, "columns": {"n": {"at": "2200-01-01T00:00:00.000000001Z/0", "node": "c"}}}' WHERE k = 'l'$$);
SELECT n FROM t WHERE k = 'l';

-- A stamp at the end of time (a broken clock's) stops no later write.
CALL arrive($$INSERT INTO t (k, n, _merge) VALUES ('end', 1, '{"arrives": true, "context": {"z": 9214364837600034815}, "live": {"z": 9214364837600034815}, "row": {"at": "9214364837.600034815", "node": "z"}}')$$);
CALL arrive($$INSERT INTO t (k, n, _merge) VALUES ('end', 2, '{"arrives": true, "context": {"z": 9214364837600034815}, "live": {"z": 9214364837600034815}, "row": {"at": "9214364837600034815.0", "node": "z"}}')$$);
UPDATE t SET n = 3 WHERE k = 'end' RETURNING n, context(_merge) -> 'a' AS dot;
UPDATE t SET n = 4 WHERE k = 'end' RETURNING n, context(_merge) -> 'a' AS dot;
DELETE FROM t WHERE k = 'end';
INSERT INTO t (k, n) VALUES ('end', 5);
UPDATE t SET n = 6 WHERE k = 'end' RETURNING n, context(_merge) -> 'a' AS dot;

-- Rows that are removed are gone; what is known of them is in the companion.
CALL make('t', 'k text PRIMARY KEY, c gcounter DEFAULT ''{}'', p pncounter DEFAULT ''{}'', s orset DEFAULT ''{}'', note text, n int DEFAULT 7');
INSERT INTO t (k, c, p, s, note) SELECT i, gcounter '{}' + 1, pncounter '{}' + 5, orset '{}' + 'apple', 'one' FROM generate_series(1, 6) i;
CALL there();
SET distributed.node = 'a';
WITH d AS (DELETE FROM t WHERE k <= '5' RETURNING k, note) SELECT count(*), min(note) FROM d;
DELETE FROM t WHERE k = '1';
UPDATE t SET note = 'nobody is here' WHERE k = '1';
SELECT k, c, p, s, note, n, who(_merge) FROM t_removed ORDER BY k;
-- concurrently, b has changed two of them, and removed one itself
SET distributed.node = 'b';
UPDATE merge_row_b.t SET note = 'still needed' WHERE k = '2';
UPDATE merge_row_b.t SET s = s + 'pear' WHERE k = '3';
DELETE FROM merge_row_b.t WHERE k = '4';
CALL there();
CALL back();
SELECT k, c, s, note, who(_merge) FROM t ORDER BY k;
SELECT k, who(_merge) FROM t_removed ORDER BY k;
SELECT digest('t');
-- inserted again: sets begin empty, counters that only grow go on, others begin at 0, and no dot is used twice; nothing of it is returned
SET distributed.node = 'a';
INSERT INTO t (k, c, p, s, note) VALUES ('1', gcounter '{}' + 5, pncounter '{}' + 1, orset '{}' + 'fig', 'two'), ('4', '{}', '{}', '{}', NULL) RETURNING k, c, p, s, note, who(_merge);
INSERT INTO t (k, c) VALUES ('5', '{"elsewhere": 1}');
SELECT k, value(c) AS c, value(p) AS p, s, note, n, who(_merge) FROM t ORDER BY k;
SELECT k FROM t_removed ORDER BY k;
CALL there();
SELECT k, value(c) AS c, value(p) AS p, s, note, n, who(_merge) FROM merge_row_b.t ORDER BY k;
SELECT digest('t');
-- deleted and inserted by one statement, where the DELETE ends after the INSERT
SET distributed.node = 'a';
WITH d AS (DELETE FROM t WHERE k = '1' RETURNING k) INSERT INTO t (k, c, note) SELECT k, gcounter '{}' + 2, 'three' FROM d;
SELECT k, value(c) AS c, s, note, who(_merge) FROM t WHERE k = '1';
SELECT k FROM t_removed;
-- in one transaction, more than once
BEGIN;
DELETE FROM t WHERE k = '2';
INSERT INTO t (k, c) VALUES ('2', gcounter '{}' + 1);
DELETE FROM t WHERE k = '2';
INSERT INTO t (k, c, note) VALUES ('2', gcounter '{}' + 1, 'again');
COMMIT;
SELECT k, value(c) AS c, note, who(_merge) FROM t WHERE k = '2';
CALL there();
CALL back();
SELECT digest('t');
-- a row that has gone arrives again, and one whose removal comes first
DELETE FROM t WHERE k = '6';
CALL arrive($$INSERT INTO t (k, c, note, _merge) SELECT k, c, note, sent(_merge) FROM merge_row_b.t WHERE k = '6'$$);
SELECT count(*) FROM t WHERE k = '6';
CALL there();
SELECT digest('t');
-- nobody else writes the companion
UPDATE t_removed SET c = NULL;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM t_removed;
\echo :LAST_ERROR_SQLSTATE

-- An update does not keep a row that is removed concurrently, where that is chosen; one that is inserted again stays.
CALL make('t', 'k text PRIMARY KEY, c gcounter DEFAULT ''{}''', 'remove');
SET distributed.node = 'a';
INSERT INTO t VALUES ('x'), ('y');
CALL there();
SET distributed.node = 'a';
DELETE FROM t;
SET distributed.node = 'b';
UPDATE merge_row_b.t SET c = c + 1 WHERE k = 'x';
DELETE FROM merge_row_b.t WHERE k = 'y';
INSERT INTO merge_row_b.t VALUES ('y');
CALL there();
CALL back();
SELECT k, c FROM t;
SELECT k, c FROM t_removed;
SELECT digest('t');

-- One time for all rows of a transaction; a new one where a row has it already.
CALL make('t', 'k int PRIMARY KEY, n int');
BEGIN;
INSERT INTO t VALUES (1), (2);
INSERT INTO t VALUES (3);
UPDATE t SET n = 1 WHERE k = 1;
INSERT INTO t VALUES (4);
COMMIT;
SELECT count(DISTINCT stamp(_merge, 'k')) AS times, min(k), max(k) FROM t GROUP BY stamp(_merge, 'k') ORDER BY 2;
SELECT stamp(_merge, 'n') > stamp(_merge, 'k') AS later, stamp(_merge, 'n') = (SELECT stamp(_merge, 'n') FROM t WHERE k = 4) AS goes_on FROM t WHERE k = 1;

-- Tables of all sorts: a key of several columns, a dropped one, generated ones, identity, a domain, defaults.
CREATE DOMAIN merge_row_a.growing AS gcounter;
CALL make('t', 'gone int, region text, no int, total numeric GENERATED ALWAYS AS (value(c)) STORED, c merge_row_a.growing NOT NULL DEFAULT ''{}'', id int GENERATED ALWAYS AS IDENTITY, "Not Null" text NOT NULL, PRIMARY KEY (no, region)');
ALTER TABLE t DROP gone;
ALTER TABLE t_removed DROP gone;
INSERT INTO t (region, no, "Not Null") VALUES ('eu', 1, 'yes');
UPDATE t SET c = c + 3;
CALL arrive($$INSERT INTO t (region, no, c, id, "Not Null", _merge) OVERRIDING SYSTEM VALUE VALUES
	('eu', 1, '{"b": 4}', 9, 'no', '{"arrives": true, "context": {"b": 1}, "live": {"b": 1}, "row": {"at": "1.0", "node": "b"}}'),
	('us', 1, '{"b": 4}', 9, 'no', '{"arrives": true, "context": {"b": 1}, "live": {"b": 1}, "row": {"at": "1.0", "node": "b"}}')$$);
SELECT region, no, total, c, id, "Not Null" FROM t ORDER BY region;
DELETE FROM t WHERE region = 'us';
SELECT * FROM t_removed WHERE false;
SELECT region, no, c FROM t_removed;
INSERT INTO t (region, no, "Not Null") VALUES ('us', 1, 'yes');
SELECT region, no, total, c FROM t WHERE region = 'us';

-- A large value that is not sent, because it is unchanged, is what is there: a stamp does not vouch for it.
CALL make('t', 'k int PRIMARY KEY, c gcounter DEFAULT ''{}'', small text, doc text');
INSERT INTO t (k, small, doc) SELECT 1, 'x', string_agg(md5(i::text), '') FROM generate_series(1, 1000) i;
CALL there();
SET distributed.node = 'a';
UPDATE t SET doc = (SELECT string_agg(md5(i::text), '') FROM generate_series(1001, 2000) i);
UPDATE t SET small = 'y';
CALL arrive('UPDATE merge_row_b.t b SET small = a.small, c = a.c, _merge = merge_row_a.sent(a._merge) FROM merge_row_a.t a WHERE a.k = b.k');
SELECT a.small = b.small AS small, a.doc = b.doc AS doc, (SELECT incomplete FROM merge_status() WHERE table_name = 'merge_row_b.t'::regclass) AS incomplete FROM t a JOIN merge_row_b.t b USING (k);
-- until it is sent whole
CALL there();
SELECT digest('t');
-- a small column beside it takes little of the log
SELECT pg_column_size(_merge) < 150 AS small FROM t;

-- one that is small by now, of another type, comes with its write
CALL make('t', 'k int PRIMARY KEY, doc text, long text');
INSERT INTO t (k, doc, long) SELECT 1, string_agg(md5(i::text), ''), repeat('7', 30) FROM generate_series(1, 1000) i;
SELECT _merge::jsonb -> 'columns' -> 'long' ? 'hash' AS hashed FROM t;
ALTER TABLE t ALTER long TYPE int USING length(long);
ALTER TABLE merge_row_b.t ALTER long TYPE int USING length(long);
SELECT enable_merge('t'), enable_merge('merge_row_b.t');
CALL arrive($$INSERT INTO merge_row_b.t VALUES (1, 'of old', 1, '{"arrives": true, "context": {"z": 5}, "live": {"z": 5}, "row": {"at": "5.0", "node": "z"}}')$$);
CALL there();
SELECT long, length(doc) FROM merge_row_b.t;
SET distributed.node = 'a';

-- A column that the sender's table lacks is not taken for written.
CALL make('t', 'k int PRIMARY KEY, a text');
ALTER TABLE merge_row_b.t ADD b text DEFAULT 'of b', ADD z int;
SELECT enable_merge('merge_row_b.t');
SET distributed.node = 'b';
INSERT INTO merge_row_b.t (k, a, b, z) VALUES (1, 'one', 'written', 2);
SET distributed.node = 'a';
INSERT INTO t VALUES (1, 'of a, later');
CALL there();
SELECT k, a, b, z, who(_merge) FROM merge_row_b.t;
-- values from before a column was added are those of the server that says so
UPDATE merge_row_b.t SET b = b, z = z WHERE k = 1;
SELECT k, a, b, z, who(_merge) FROM merge_row_b.t;

-- An error inside leaves nothing behind.
CALL make('t', 'k int PRIMARY KEY, c gcounter CHECK (value(c) < 10)');
INSERT INTO t VALUES (1, '{"a": 1}');
DO $$
BEGIN
	SET LOCAL session_replication_role = replica;
	FOR i IN 1 .. 3 LOOP
		BEGIN
			INSERT INTO merge_row_a.t VALUES (1, '{"b": 20}', '{"arrives": true, "context": {"b": 5}, "live": {"b": 5}}');
		EXCEPTION WHEN check_violation THEN
			RAISE WARNING 'caught: %', sqlerrm;
		END;
	END LOOP;
	INSERT INTO merge_row_a.t VALUES (1, '{"b": 2}', '{"arrives": true, "context": {"b": 5}, "live": {"b": 5}}'), (2, '{"b": 2}', '{"arrives": true, "context": {"b": 5}, "live": {"b": 5}}');
END $$;
SELECT k, c FROM t ORDER BY k;
-- triggers fire as on any table, those for rows that arrive where they arrive
CREATE TABLE merge_row_a.told (what text);
CREATE FUNCTION merge_row_a.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO merge_row_a.told VALUES (concat_ws(' ', tg_when, tg_op, coalesce(NEW.k, OLD.k)));
	RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER tell BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER tell_after AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO t VALUES (3, '{}');
UPDATE t SET c = c + 1 WHERE k = 3;
DELETE FROM t WHERE k = 3;
SELECT * FROM told;
DELETE FROM told;
ALTER TABLE t ENABLE REPLICA TRIGGER tell, ENABLE REPLICA TRIGGER tell_after;
INSERT INTO t VALUES (4, '{}');
CALL arrive($$INSERT INTO t VALUES (4, '{"b": 1}', '{"arrives": true, "context": {"b": 5}, "live": {"b": 5}}'), (5, '{"b": 1}', '{"arrives": true, "context": {"b": 5}, "live": {"b": 5}}')$$);
CALL arrive($$INSERT INTO t_removed VALUES (5, '{"b": 1}', '{"arrives": true, "context": {"b": 6}}')$$);
SELECT * FROM told;
SELECT k, c FROM t ORDER BY k;

-- A row that brings writes of this node that it has not made: somebody else uses its name.
SET distributed.node = 'a';
CALL arrive($$INSERT INTO t VALUES (6, '{}', '{"arrives": true, "context": {"a": 1}, "live": {"a": 1}}')$$);
CALL make('u', 'k int PRIMARY KEY, c gcounter DEFAULT ''{}'', s orset DEFAULT ''{}''');
INSERT INTO u VALUES (1, gcounter '{}' + 1), (2, gcounter '{}' + 1);
CALL arrive($$UPDATE u SET c = '{"a": 7}', _merge = '{"arrives": true}' WHERE k = 1$$);
CALL arrive($$UPDATE u SET s = '{"elements": {"x": [["a", 3]]}, "context": {"a": 3}}', _merge = '{"arrives": true}' WHERE k = 2$$);
SELECT own_dots FROM merge_status() WHERE table_name = 'u'::regclass;

-- Who may delete need not be one who may update, nor may he write the hidden column.
CREATE ROLE merge_row_clerk;
GRANT USAGE ON SCHEMA merge_row_a TO merge_row_clerk;
GRANT SELECT, INSERT, DELETE ON u TO merge_row_clerk;
SET ROLE merge_row_clerk;
DELETE FROM u WHERE k = 1;
UPDATE u SET c = c + 1;
INSERT INTO u VALUES (3, '{}', '{}', '{"context": {"a": 9214364837600034815}, "live": {"a": 9214364837600034815}}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO u_removed VALUES (3);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO u (k) VALUES (3);
RESET ROLE;
SELECT k FROM u ORDER BY k;
REVOKE ALL ON u FROM merge_row_clerk;
REVOKE ALL ON SCHEMA merge_row_a FROM merge_row_clerk;
DROP ROLE merge_row_clerk;
-- the owner restores what was dumped, as it was
SELECT _merge AS stamp FROM u WHERE k = 2 \gset
SELECT _merge AS gone FROM u_removed \gset
CALL make('u', 'k int PRIMARY KEY, c gcounter DEFAULT ''{}'', s orset DEFAULT ''{}''');
INSERT INTO u VALUES (2, '{"a": 1}', '{}', :'stamp');
INSERT INTO u_removed VALUES (1, '{"a": 1}', '{}', :'gone');
SELECT _merge = :'stamp'::row_stamp AS as_it_was FROM u;
INSERT INTO u (k, c) VALUES (1, gcounter '{}' + 1);
SELECT k, c FROM u WHERE k = 1;

-- The trigger is not enabled for rows that arrive, as after ALTER TABLE .. ENABLE TRIGGER USER: they do not overwrite.
ALTER TABLE u DISABLE TRIGGER USER;
ALTER TABLE u ENABLE TRIGGER USER;
CALL arrive($$UPDATE u SET c = '{"b": 1}', _merge = '{"arrives": true}'$$);
\echo :LAST_ERROR_SQLSTATE
SELECT k, c FROM u ORDER BY k;
SELECT enable_merge('u');
CALL arrive($$UPDATE u SET c = '{"b": 1}', _merge = '{"arrives": true}'$$);
SELECT k, c FROM u ORDER BY k;

-- Keys are equal where their index has them equal, and stay as they are: 1.00 arrives where 1.0 is.
CREATE FUNCTION arrives_equal(type text, here text, there text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	CALL make('eq', format('k %s PRIMARY KEY, c gcounter DEFAULT ''{}'', note text', type));
	EXECUTE format('INSERT INTO eq (k, c) VALUES (%L, ''{"a": 1}'')', here);
	-- a server with the other key has counted, too, and sends what it has by an INSERT, and later by an UPDATE
	CALL arrive(format('INSERT INTO eq (k, c, _merge) VALUES (%L, ''{"b": 2}'', ''{"arrives": true, "context": {"b": 9}, "live": {"b": 9}}'')', there));
	CALL arrive(format('UPDATE eq SET k = %L, c = ''{"b": 5}'', _merge = ''{"arrives": true, "context": {"b": 10}, "live": {"b": 10}}'' WHERE k = %L', there, here));
	-- and so do sessions here
	EXECUTE format('UPDATE eq SET k = %L, c = c + 3, note = ''x''', there);
	EXECUTE format('UPDATE eq SET k = %L', there);
	SELECT string_agg(k::text || ' ' || c::text || ' ' || coalesce(note, '-'), ', ') INTO found FROM eq;
	-- its removal is found by the other key
	CALL arrive(format('INSERT INTO eq_removed (k, _merge) SELECT %L, (_merge::jsonb - ''live'' || ''{"arrives": true}'')::row_stamp FROM eq', there));
	SELECT found || ', then ' || (SELECT count(*) FROM eq) INTO found;
	RETURN found;
END
$$;
SELECT type, here, there, arrives_equal(type, here, there) FROM (VALUES ('numeric', '1.0', '1.00'), ('float8', '0', '-0'), ('interval', '1 day', '24:00:00'),
	('numeric[]', '{1.0,2}', '{1,2.000}'), ('text', 'a', 'a')) v (type, here, there);

-- Tables that are not what they should be.
CREATE TABLE bad (k int PRIMARY KEY, c gcounter);
CREATE TRIGGER m AFTER INSERT ON bad FOR EACH ROW EXECUTE FUNCTION merge_row('lww', 'keep');
INSERT INTO bad VALUES (1);
DROP TRIGGER m ON bad;
CREATE TRIGGER "~merge_row" BEFORE INSERT ON bad FOR EACH ROW EXECUTE FUNCTION merge_row('lww');
INSERT INTO bad VALUES (1);
DROP TRIGGER "~merge_row" ON bad;
CREATE TRIGGER "~merge_row" BEFORE INSERT OR UPDATE ON bad FOR EACH ROW EXECUTE FUNCTION merge_row('lww', 'keep');
INSERT INTO bad VALUES (1);
ALTER TABLE bad ADD _merge int;
INSERT INTO bad VALUES (1);
ALTER TABLE bad DROP _merge, ADD _merge row_stamp;
INSERT INTO bad VALUES (1);
CREATE TRIGGER "~merge_removed" BEFORE INSERT ON merge_row_a.told FOR EACH ROW EXECUTE FUNCTION merge_removed();
INSERT INTO told VALUES ('x');
SELECT merge_row();
SELECT merge_after();
SELECT merge_removed();
SELECT merge_truncate();

RESET distributed.node;
DROP SCHEMA merge_row_a, merge_row_b CASCADE;
