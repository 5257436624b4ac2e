-- Digests of replicas, and sending rows again. t/110_active_active.pl does it between servers.

\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.fault(command text, OUT state text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
CREATE SCHEMA repair;
SET search_path = repair, public;
SET distributed.node = 'a';

-- two copies of a table, whose columns have another order, and of which some were dropped
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE spot AS (name text, size numeric);
CREATE TABLE one (key text PRIMARY KEY, n pncounter NOT NULL DEFAULT '{}', at timestamptz, lasts interval, ratio float8, raw bytea, price numeric, feels mood[], place spot, about regclass, pay money, total int GENERATED ALWAYS AS (length(key)) STORED);
CREATE TABLE two (gone int, place spot, about regclass, price numeric, raw bytea, ratio float8, lasts interval, at timestamptz, key text PRIMARY KEY, pay money, feels mood[], n pncounter NOT NULL DEFAULT '{}');
ALTER TABLE two DROP COLUMN gone;
INSERT INTO one VALUES ('x', increment('{}'::pncounter, 1), '2026-01-02 03:04:05.678+00', '1 day -00:00:01', 0.1::float8 + 0.2::float8, '\x00ff', 1.50, '{happy,NULL}', '("a b",1.0)', 'one'),
	('y', '{}', NULL, NULL, 'NaN', '', NULL, NULL, NULL, NULL), ('Z', '{}', 'infinity', '-1 mon', '-0', NULL, 'NaN', '{}', '(,)', NULL), ('é', '{}', NULL, NULL, NULL, '\x5c', 0, NULL, NULL, 'pg_class');
INSERT INTO two (key, n, at, lasts, ratio, raw, price, feels, place, about) SELECT key, n, at, lasts, ratio, raw, price, feels, place, about FROM one;
SELECT * FROM compare_replicas('one');
SELECT * FROM compare_replicas('two');
-- settings make no difference
SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kolkata'; SET IntervalStyle = sql_standard; SET extra_float_digits = -15; SET bytea_output = escape; SET quote_all_identifiers = on; SET client_encoding = latin1; SET search_path = public, repair; SET enable_indexscan = off; SET row_security = off;
SELECT * FROM compare_replicas('repair.two');
SHOW DateStyle; SHOW search_path;
RESET DateStyle; RESET TimeZone; RESET IntervalStyle; RESET extra_float_digits; RESET bytea_output; RESET quote_all_identifiers; RESET client_encoding; RESET enable_indexscan; RESET row_security;
SET search_path = repair, public;
-- whatever differs does: NULL and '', scale, sign, a name of a column
CREATE FUNCTION pg_temp.differs(change text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	before text := digest FROM compare_replicas('one');
	after text;
BEGIN
	EXECUTE change;
	after := digest FROM compare_replicas('two');
	RAISE EXCEPTION '%', before <> after;
EXCEPTION WHEN raise_exception THEN
	RETURN SQLERRM = 'true' OR SQLERRM = 't';
END
$$;
SELECT change, pg_temp.differs(change) FROM unnest('{SELECT,"UPDATE two SET raw = NULL WHERE key = ''y''","UPDATE two SET price = 1.5 WHERE key = ''x''","UPDATE two SET ratio = 0 WHERE key = ''Z''","UPDATE two SET n = increment(n, 1) WHERE key = ''y''","UPDATE two SET key = ''yy'' WHERE key = ''y''",
	"DELETE FROM two WHERE key = ''y''","INSERT INTO two (key) VALUES (''w'')","ALTER TABLE two RENAME at TO since","ALTER TABLE two ADD COLUMN more int","ALTER TABLE two ADD COLUMN more int GENERATED ALWAYS AS (1) STORED"}'::text[]) change;

-- ranges: of as many rows each, one in two of them at each border, by the order of bytes
CREATE TABLE many (part text, number int, n gcounter NOT NULL DEFAULT '{}', PRIMARY KEY (part, number));
INSERT INTO many SELECT part, number FROM unnest('{a,B,"c d"}'::text[]) part, generate_series(8, 11) number;
SELECT range, first_key, last_key, rows FROM compare_replicas('many', 3);
SELECT range, first_key, last_key, rows FROM compare_replicas('many', 100);
SELECT range, first_key, last_key, rows FROM compare_replicas('many', 2, '["B", 10]', '["a", "9"]');
SELECT range, first_key, last_key, rows FROM compare_replicas('many', 2, '["a", 9]', '["a", 9]');
SELECT range, first_key, last_key, rows FROM compare_replicas('many', 2, '["b", 9]', '["b", 10]');
SELECT range, first_key, last_key, rows FROM compare_replicas('many', 2, '["b", 9]', '["B", 10]');
-- the same for the same bounds, on any server
SELECT bool_and(r.digest = s.digest AND r.rows = s.rows), count(*), sum(r.rows) FROM compare_replicas('many', 5) r, compare_replicas('many', 1, r.first_key, r.last_key) s;
-- what differs is within bounds
CREATE TABLE less (LIKE many INCLUDING ALL);
INSERT INTO less SELECT * FROM many;
DELETE FROM less WHERE part = 'a' AND number = 10;
SELECT r.range, r.first_key, r.last_key, r.rows, s.rows FROM compare_replicas('many', 5) r, compare_replicas('less', 1, r.first_key, r.last_key) s WHERE r.digest <> s.digest;
SELECT r.range, r.first_key, r.last_key, r.rows, s.rows FROM compare_replicas('less', 5) r, compare_replicas('many', 1, r.first_key, r.last_key) s WHERE r.digest <> s.digest;
-- nothing has a digest, too
DELETE FROM less;
SELECT range, first_key, last_key, rows, digest FROM compare_replicas('less', 5);

-- keys of other types: of this extension, of domains, not of the default collation
CREATE DOMAIN code AS varchar(5);
CREATE TABLE typed (id trace_id, at hlc, day date, code code, flag boolean, n gcounter, PRIMARY KEY (id, at, day, code, flag));
INSERT INTO typed SELECT lpad(i::text, 32, '0')::trace_id, ('2026-01-01T00:00:00Z/' || i)::hlc, '2026-01-01'::date - i, 'c' || i, i % 2 = 0 FROM generate_series(1, 6) i;
SELECT r.*, s.digest = r.digest AS same FROM compare_replicas('typed', 3) r, compare_replicas('typed', 1, r.first_key, r.last_key) s;

-- who may read may compare
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA repair TO regress_reader;
GRANT SELECT ON many TO regress_reader;
SET ROLE regress_reader;
SELECT rows FROM compare_replicas('many');
SELECT f.* FROM pg_temp.fault('SELECT compare_replicas(''less'')') f;
RESET ROLE;
-- all of it, or not
ALTER TABLE many ENABLE ROW LEVEL SECURITY;
SET ROLE regress_reader;
SELECT f.state, f.message FROM pg_temp.fault('SELECT compare_replicas(''many'')') f;
SELECT f.* FROM pg_temp.fault('SELECT resync(''many'')') f;
RESET ROLE;
ALTER TABLE many DISABLE ROW LEVEL SECURITY;

-- merged tables: the rows that are there
SELECT enable_merge('many');
SELECT rows AS before FROM compare_replicas('many');
DELETE FROM many WHERE part = 'a';
SELECT rows AS after FROM compare_replicas('many');

-- resync: nothing happens to rows, those that were removed are written anew
CREATE FUNCTION pg_temp.written(command text, OUT answer bigint, OUT rows_changed bigint, OUT removed_anew bigint) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMPORARY TABLE before AS SELECT ctid AS place, * FROM many;
	CREATE TEMPORARY TABLE removed_before AS SELECT ctid AS place, * FROM many_removed;
	EXECUTE command INTO answer;
	SELECT count(*) INTO rows_changed FROM before b FULL JOIN (SELECT ctid AS place, * FROM many) m ON b::text = m::text WHERE b IS NULL OR m IS NULL;
	SELECT count(*) INTO removed_anew FROM many_removed m WHERE NOT EXISTS (SELECT FROM removed_before b WHERE b.place = m.ctid);
	IF EXISTS (SELECT part, number, n, _merge FROM removed_before EXCEPT SELECT part, number, n, _merge FROM many_removed) OR (SELECT count(*) FROM removed_before) <> (SELECT count(*) FROM many_removed) THEN
		RAISE 'different';
	END IF;
	DROP TABLE before, removed_before;
END
$$;
SELECT * FROM pg_temp.written('SELECT resync(''many'')');
SELECT * FROM pg_temp.written('SELECT resync(''many'', ''["B", 9]'', ''["B", 10]'')');
SELECT * FROM pg_temp.written('SELECT resync(''many'', from_key => ''["a", 11]'')');
SELECT * FROM pg_temp.written('SELECT resync(''many'', to_key => ''["B", 8]'')');
SELECT * FROM pg_temp.written('SELECT resync(''many'', ''["z", 1]'')');
SHOW session_replication_role;
-- of rows with identities, generated and large columns, and to which others refer
CREATE TABLE parents (id int PRIMARY KEY, no int GENERATED ALWAYS AS IDENTITY (START 7), tags orset NOT NULL DEFAULT '{}', big text, twice int GENERATED ALWAYS AS (2) STORED, "odd ""name" text);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE);
SET client_min_messages = error;
SELECT f.message FROM pg_temp.fault('SELECT enable_merge(''parents'')') f;
RESET client_min_messages;
INSERT INTO parents (id, big, "odd ""name") SELECT 1, string_agg(md5(i::text), ''), 'odd' FROM generate_series(1, 1000) i;
INSERT INTO children SELECT 1, id FROM parents;
CREATE TEMPORARY TABLE kept AS SELECT * FROM parents;
SELECT resync('parents');
SELECT count(*), count(k) FROM parents p LEFT JOIN kept k ON p::text = k::text;
SELECT count(*) FROM children;
-- of nobody else
GRANT ALL ON many TO regress_reader;
SET ROLE regress_reader;
SELECT f.* FROM pg_temp.fault('SELECT resync(''many'')') f;
RESET ROLE;
-- by an owner who is no superuser
ALTER TABLE many OWNER TO regress_reader;
ALTER TABLE many_removed OWNER TO regress_reader;
SET ROLE regress_reader;
SELECT resync('many');
SHOW session_replication_role;
RESET ROLE;
-- nothing of a table is run for it
CREATE FUNCTION repair.ran() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran'; END $$;
CREATE TRIGGER ran BEFORE INSERT OR UPDATE OR DELETE ON many FOR EACH ROW EXECUTE FUNCTION ran();
CREATE TRIGGER ran BEFORE INSERT OR UPDATE OR DELETE ON many_removed FOR EACH ROW EXECUTE FUNCTION ran();
ALTER TABLE many ENABLE ALWAYS TRIGGER ran, ADD CONSTRAINT small CHECK (number < 11) NOT VALID;
ALTER TABLE many_removed ENABLE ALWAYS TRIGGER ran;
SELECT resync('many') > 0 AS sent;
DROP FUNCTION repair.ran CASCADE;

SELECT f.* FROM unnest(ARRAY['SELECT compare_replicas(NULL)', 'SELECT compare_replicas(''many'', NULL)', 'SELECT compare_replicas(''many'', 0)', 'SELECT compare_replicas(''many'', 1, ''5'')', 'SELECT compare_replicas(''many'', 1, ''{}'')',
	'SELECT compare_replicas(''many'', 1, NULL, ''["a"]'')', 'SELECT compare_replicas(''many'', 1, NULL, ''["a", null]'')', 'SELECT compare_replicas(''many'', 1, NULL, ''["a", "b"]'')',
	'ALTER TABLE many DROP CONSTRAINT many_pkey; SELECT compare_replicas(''many'')', 'SELECT resync(NULL)', 'SELECT resync(''less'')', 'SELECT resync(''many'', ''[]'')', 'SELECT resync(''many_removed'')']) command, pg_temp.fault(command) f;

RESET search_path;
RESET distributed.node;
SET client_min_messages = warning;
DROP SCHEMA repair CASCADE;
DROP ROLE regress_reader;
