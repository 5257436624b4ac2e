-- Publications of merged tables, and the commands that link servers.

\set SHOW_CONTEXT never
SET client_min_messages = error;   -- wal_level may be anything here
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
CREATE SCHEMA "Shop";
SET search_path = "Shop", public;
SET distributed.node = 'berlin';
CREATE TABLE carts (id text PRIMARY KEY, items orset NOT NULL DEFAULT '{}', note text);
CREATE TABLE "Seats" (seat int, "the row" int, taken ew_flag NOT NULL DEFAULT '{}', who text, total int GENERATED ALWAYS AS (seat + "the row") STORED, PRIMARY KEY ("the row", seat));
CREATE TABLE votes (id int PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}');
CREATE TABLE plain (id int PRIMARY KEY);

-- nothing is merged
SELECT f.* FROM pg_temp.fault('SELECT create_merge_publication(''merge'')') f;
SELECT f.* FROM pg_temp.fault($$SELECT merge_subscription_commands('{"a": "host=a", "b": "host=b"}')$$) f;
SELECT enable_merge('carts'), enable_merge('"Seats"', 'lww', 'remove'), enable_merge('votes', 'none');

-- refused
SELECT f.* FROM unnest(ARRAY[
	'SELECT create_merge_publication(NULL, ARRAY[''carts''::regclass])',
	'SELECT create_merge_publication(''merge'', ''{}'')',
	'SELECT create_merge_publication(''merge'', ARRAY[''carts''::regclass, NULL])',
	'SELECT create_merge_publication(''merge'', ARRAY[''carts'', ''votes'', ''carts'']::regclass[])',
	'SELECT create_merge_publication(''merge'', ARRAY[''plain''::regclass])',
	'SET LOCAL distributed.node = ''''; SELECT create_merge_publication(''merge'', ARRAY[''votes''::regclass])']) command, pg_temp.fault(command) f;
SELECT count(*) FROM pg_publication WHERE pubname = 'merge';

-- what is published, and in which columns, where there are lists of them
CREATE VIEW pg_temp.published AS SELECT p.pubname, r.prrelid::regclass, concat_ws(' ', CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END, CASE WHEN pubdelete THEN 'delete' END, CASE WHEN pubtruncate THEN 'truncate' END) AS publish,
	CASE WHEN to_jsonb(r) ? 'prattrs' THEN (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute a WHERE attrelid = prrelid AND to_jsonb(r)->'prattrs' @> to_jsonb(attnum))
		ELSE (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = prrelid AND attnum > 0 AND NOT attisdropped AND attname <> 'total') END AS columns
	FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid ORDER BY 1, prrelid::regclass::text COLLATE "C";
SELECT create_merge_publication('merge', ARRAY['carts', '"Seats"']::regclass[]);
SELECT * FROM pg_temp.published;
-- this server is known from now on
SELECT node, seen, is_present(_merge) FROM merge_nodes WHERE node = 'berlin';

-- once more: brought up to date
ALTER TABLE carts ADD COLUMN likes gcounter NOT NULL DEFAULT '{}';
SELECT enable_merge('carts');
SELECT create_merge_publication('merge');
SELECT * FROM pg_temp.published;
SELECT create_merge_publication('merge', ARRAY['votes', 'merge_nodes']::regclass[]);
SELECT * FROM pg_temp.published;
SELECT create_merge_publication('merge', ARRAY['merge_nodes']::regclass[]);
SELECT * FROM pg_temp.published;

-- there is one
SELECT state, message, detail, regexp_replace(hint, ' \([^)]*\)', '', 'g')
	FROM pg_temp.fault('SELECT create_merge_publication(''other'')');
CREATE PUBLICATION "Other" FOR TABLE plain;
SELECT f.state, f.message FROM pg_temp.fault('SELECT create_merge_publication(''Other'')') f;
DROP PUBLICATION merge;
SELECT f.* FROM pg_temp.fault('SELECT create_merge_publication(''Other'')') f;
-- which publishes no more than that
ALTER PUBLICATION "Other" ADD TABLE merge_nodes;
SELECT f.* FROM pg_temp.fault('SELECT create_merge_publication(''Other'')') f;
DROP PUBLICATION "Other";

-- by others than the owner of the extension
CREATE ROLE regress_publisher;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_publisher', current_database()) \gexec
GRANT USAGE, CREATE ON SCHEMA "Shop" TO regress_publisher;
SET ROLE regress_publisher;
CREATE TABLE mine (id int PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}');
SELECT enable_merge('mine', 'none');
SELECT f.* FROM pg_temp.fault('SELECT create_merge_publication(''merge'', ARRAY[''mine'', ''votes'']::regclass[])') f;
SELECT f.* FROM pg_temp.fault('SELECT create_merge_publication(''merge'', ''{merge_nodes}'')') f;
SELECT create_merge_publication('merge', ARRAY['mine']::regclass[]);
SELECT create_merge_publication('merge', ARRAY['mine']::regclass[]);
SELECT f.* FROM pg_temp.fault('SELECT create_merge_publication(''merge'', ARRAY[''mine'', ''votes'']::regclass[])') f;
SELECT current_user;
RESET ROLE;
SELECT pubname, prrelid::regclass, pubowner::regrole FROM pg_publication p JOIN pg_publication_rel ON prpubid = p.oid ORDER BY prrelid::regclass::text;
DROP PUBLICATION merge;
DROP OWNED BY regress_publisher;
DROP ROLE regress_publisher;

-- commands: for two
CREATE FUNCTION pg_temp.oldest(command text) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(command, ', (binary = false|streaming = off|two_phase = false|disable_on_error = false|origin = any)', '', 'g') $$;
\a
SELECT step, node, pg_temp.oldest(command) AS command FROM merge_subscription_commands('{"paris": "host=p dbname=''my app''", "berlin": "host=b password=a\\b"}');
SELECT step, split_part(remark, ' copy_data', 1) AS remark FROM merge_subscription_commands('{"paris": "host=p", "berlin": "host=b dbname=shop"}') WHERE step IN (1, 2, 3, 4, 7, 8, 9, 14, 15, 16, 17);
\a
-- what this server knows, and why, is said of all that differs from version to version
SELECT count(*), bool_and(command ~ 'copy_data = true' AND remark ~ 'copy_data:') AS copy, bool_and(command ~ 'synchronous_commit = ''on''' AND remark ~ 'synchronous_commit:') AS flushed,
	bool_and(version < 14 OR command ~ ', binary = false, streaming = off') AS "14", bool_and(version < 15 OR command ~ ', two_phase = false, disable_on_error = false' AND remark ~ 'disable_on_error:') AS "15", bool_and(version < 16 OR command ~ ', origin = any\)' AND remark ~ 'origin:') AS "16"
	FROM merge_subscription_commands('{"paris": "host=p", "berlin": "host=b"}'), (SELECT current_setting('server_version_num')::int / 10000) v (version) WHERE command ~ 'CREATE SUB';
-- every command is one line
SELECT count(*) FROM merge_subscription_commands('{"paris": "host=p", "berlin": "host=b"}') WHERE command ~ '\n';

-- as whom to connect, and what that role needs
\a
SELECT step, node, command, remark FROM merge_subscription_commands('{"paris": "host=p user=link dbname=shop", "berlin": "host=b"}') WHERE command ~ 'ROLE|GRANT' ORDER BY step;
ALTER TABLE carts ENABLE ROW LEVEL SECURITY;
SELECT command, remark FROM merge_subscription_commands('{"paris": "host=p user=''o\\''hara $$''", "berlin": "host=b"}') WHERE command ~ 'ROLE' ORDER BY step;
ALTER TABLE carts DISABLE ROW LEVEL SECURITY;
\a
SELECT conninfo, substring(command FROM 'ROLE (.*?);') AS role, substring(remark FROM 'host (.*?) ADDRESS') AS pg_hba
	FROM unnest(ARRAY['host=b', 'user=link', 'user = link  dbname= shop', 'dbname=shop user=''my link''', 'user=a user=b', 'user='''' host=b', 'user=my\ link', 'user=''it\''s'' dbname=''a\\b''', 'password=''user=x'' user=y',
		'postgresql://', 'postgresql://b', 'postgresql://link@b', 'postgres://link:secret@b:5432/shop?sslmode=require', 'postgresql://b/shop?user=link', 'postgresql://my%20link:x@[::1]:5432,b:5433/my%2Fshop', 'postgresql:///shop?host=/tmp&user=link&dbname=other', 'postgresql://b?user=link', 'postgresql://%6Cink@b/']) WITH ORDINALITY c (conninfo, nr)
	LEFT JOIN LATERAL (SELECT command, remark FROM merge_subscription_commands(jsonb_build_object('x', conninfo, 'y', 'host=y')) WHERE command ~ 'CREATE ROLE') m ON true ORDER BY nr;
-- these run here, as often as one likes
SELECT command FROM merge_subscription_commands('{"paris": "host=p user=regress_link", "berlin": "host=b"}') WHERE command ~ 'ROLE|GRANT|enable_merge' AND node = 'paris' ORDER BY step \gexec
SELECT command FROM merge_subscription_commands('{"paris": "host=p user=regress_link", "berlin": "host=b"}') WHERE command ~ 'ROLE|GRANT|enable_merge' AND node = 'paris' ORDER BY step \gexec
SELECT rolcanlogin, rolreplication, rolbypassrls, rolsuper, has_table_privilege(rolname, 'carts', 'SELECT') AS reads, has_table_privilege(rolname, 'carts', 'INSERT') AS writes FROM pg_roles WHERE rolname = 'regress_link';
DROP OWNED BY regress_link;
DROP ROLE regress_link;
-- statements stay legible, whatever is in them
SELECT substring(command FROM '.*WITH') AS command FROM merge_subscription_commands('{"paris": "host=p password=a$$b$q$", "berlin": "host=b"}') WHERE command ~ 'CREATE SUB' ORDER BY step;
-- how much room links need
SELECT peers, node, substring(command FROM 'senders'', ''(\d+)') AS senders, substring(command FROM 'worker_processes'', ''(\d+)') AS processes FROM unnest('{3,5}'::int[]) peers,
	merge_subscription_commands((SELECT jsonb_object_agg('n' || i, 'host=h') FROM generate_series(1, peers) i), 'star') WHERE command ~ 'wal_level' AND node IN ('n1', 'n2') ORDER BY 1, 2;

-- who subscribes to whom, in which order
CREATE FUNCTION pg_temp.links(VARIADIC arguments text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('SELECT string_agg(node || '' < '' || (regexp_match(command, ''CONNECTION ''''host=(.)''))[1], ''  '' ORDER BY step) FROM merge_subscription_commands(%s) WHERE command ~ ''CREATE SUB''', array_to_string(arguments, ', ')) INTO answer;
	RETURN answer;
END
$$;
SELECT topology, pg_temp.links($$'{"d": "host=d", "a": "host=a", "c": "host=c", "b": "host=b"}'$$, quote_literal(topology)) FROM unnest('{mesh,ring,star}'::text[]) topology;
SELECT pg_temp.links($$'{"d": "host=d", "a": "host=a", "c": "host=c", "b": "host=b"}'$$, $$'star'$$, $$center => 'c'$$);
-- the first one is this server, if it is among them
SET distributed.node = 'c';
SELECT topology, pg_temp.links($$'{"d": "host=d", "a": "host=a", "c": "host=c", "b": "host=b"}'$$, quote_literal(topology)) FROM unnest('{mesh,ring,star}'::text[]) topology;
-- one joins: what concerns it
SELECT topology, pg_temp.links($$'{"d": "host=d", "a": "host=a", "c": "host=c", "b": "host=b"}'$$, quote_literal(topology), $$joining => 'b'$$) FROM unnest('{mesh,ring,star}'::text[]) topology;
SELECT pg_temp.links($$'{"d": "host=d", "a": "host=a", "c": "host=c", "b": "host=b"}'$$, $$'star'$$, $$joining => 'a'$$);
SELECT node, count(*) FROM merge_subscription_commands('{"d": "host=d", "a": "host=a", "c": "host=c", "b": "host=b"}', joining => 'b') WHERE command !~ 'CREATE SUB|merge_copy_wait' GROUP BY node;
-- a ring of two has one edge
SELECT topology, pg_temp.links($$'{"a": "host=a", "b": "host=b"}'$$, quote_literal(topology)) FROM unnest('{mesh,ring,star}'::text[]) topology;

-- one leaves
\a
SELECT step, node, command FROM merge_subscription_commands('{"a": "host=a", "c": "host=c", "b": "host=b"}', leaving => 'b');
SELECT step, node, remark FROM merge_subscription_commands('{"a": "host=a", "b": "host=b"}', leaving => 'b');
\a
CREATE FUNCTION pg_temp.acts(VARIADIC arguments text[]) RETURNS TABLE (act text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT node || '': '' || coalesce(substring(command FROM ''(?:CREATE|DROP) SUBSCRIPTION \w+''), substring(command FROM ''merge_copy_wait|forget_node|DROP PUBLICATION|pg_current_wal_lsn''), ''drop slot '' || substring(command FROM ''slot_name = ''''(\w+)'')) FROM merge_subscription_commands(%s) ORDER BY step', array_to_string(arguments, ', '));
END
$$;
-- in a ring its neighbours are linked before, if they are not yet
SELECT topology, string_agg(act, ', ') AS acts FROM unnest('{mesh,ring,star}'::text[]) topology, pg_temp.acts($$'{"d": "host=d", "a": "host=a", "c": "host=c", "b": "host=b"}'$$, quote_literal(topology), $$leaving => 'd'$$) WHERE act ~ 'CREATE|wait|wal_lsn|forget' GROUP BY 1 ORDER BY 1;
SELECT string_agg(act, ', ') AS acts FROM pg_temp.acts($$'{"a": "host=a", "c": "host=c", "b": "host=b"}'$$, $$'ring'$$, $$leaving => 'c'$$);
-- a server that has no merged tables any more may print that
BEGIN;
SELECT count(disable_merge(table_name)) FROM merge_status();
SELECT count(*) FROM merge_subscription_commands('{"a": "host=a", "b": "host=b"}', leaving => 'b');
ROLLBACK;
-- nothing happens where there is nothing
SELECT command FROM merge_subscription_commands('{"a": "host=a", "b": "host=b"}', leaving => 'b') ORDER BY step \gexec

-- names: of slots, of publications
SELECT node, substring(command FROM 'SUBSCRIPTION (.*) WITH \(') FROM merge_subscription_commands('{"Köln-1": "host=x", "o''hara": "host=y"}', publication => 'My "pub"') WHERE command ~ 'CREATE SUB';
SELECT substring(command FROM 'node = (.*);'), substring(command FROM 'create_merge_publication.*') FROM merge_subscription_commands('{"Köln-1": "host=x", "o''hara": "host=y"}', publication => 'My "pub"') WHERE command ~ 'distributed.node|create_merge';
SELECT left(name, 54), name ~ '^[a-z_]{54}_[0-9a-f]{8}$', count(*) OVER (PARTITION BY name) FROM (SELECT substring(command FROM 'SUBSCRIPTION (.*) CONNECTION') AS name
	FROM merge_subscription_commands(jsonb_build_object(repeat('long', 20), 'host=a', repeat('long', 21), 'host=b')) WHERE command ~ 'CREATE SUB') s;

SELECT f.* FROM unnest(ARRAY[
	'NULL', '''[]''', '''3''', '''{}''', '''{"a": "host=a"}''', '''{"a": "host=a", "b": 5}''', '''{"a": "host=a", "b": ""}''', '''{"a": "host=a", "b": {"host": "b"}}''', '''{"": "host=a", "b": "host=b"}''',
	'jsonb_build_object(repeat(''x'', 256), ''host=a'', ''b'', ''host=b'')',
	'''{"a": "host=a", "b": "host=b"}'', ''tree''', '''{"a": "host=a", "b": "host=b"}'', NULL', '''{"a": "host=a", "b": "host=b"}'', publication => NULL',
	'''{"a": "host=a", "b": "host=b"}'', ''ring'', center => ''a''', '''{"a": "host=a", "b": "host=b"}'', ''star'', center => ''c''', '''{"a": "host=a", "b": "host=b"}'', joining => ''c''',
	'''{"a": "host=a", "b": "host=b"}'', leaving => ''c''', '''{"a": "host=a", "b": "host=b"}'', joining => ''a'', leaving => ''b''', '''{"a": "host=a", "b": "host=b", "c": "host=c"}'', ''star'', leaving => ''a''',
	'''{"a-b": "host=a", "a_b": "host=b"}''']) arguments, pg_temp.fault('SELECT merge_subscription_commands(' || arguments || ')') f;

-- what is no connection string is told at once, and whose it is; the server's own words differ from version to version
CREATE FUNCTION pg_temp.context(conninfo text, OUT state text, OUT context text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM merge_subscription_commands(jsonb_build_object('berlin', 'host=a', 'berlin2', conninfo));
	state := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, context = PG_EXCEPTION_CONTEXT;
	context := split_part(context, E'\n', 1);
END
$$;
SELECT conninfo, f.* FROM unnest('{hots=b,b,"host=b port","host=''b","postgresql://b:5432/shop","host=b options=-cgeqo=off"}'::text[]) conninfo, pg_temp.context(conninfo) f;
-- many servers take no more than their links do
SET statement_timeout = '30s';
SELECT count(DISTINCT command) AS subscriptions FROM (SELECT jsonb_object_agg('n' || i, 'host=h' || i) FROM generate_series(1, 240) i) s (peers),
	merge_subscription_commands(peers) WHERE command ~ 'CREATE SUB';
RESET statement_timeout;

-- waiting for copies that cannot be; t/131_links.pl has those that can
CREATE SUBSCRIPTION regress_merge_idle CONNECTION 'host=nowhere' PUBLICATION merge WITH (connect = false, slot_name = NONE);
SELECT f.* FROM unnest(ARRAY['SELECT merge_copy_wait(''regress_merge_idle'')', 'SELECT merge_copy_wait(''nothing'')', 'SELECT merge_copy_wait(''regress_merge_idle'', ''0'')', 'SELECT merge_copy_wait(''regress_merge_idle'', ''-1 day'')']) command, pg_temp.fault(command) f;
SELECT merge_copy_wait(NULL), merge_copy_wait('nothing', NULL);
DROP SUBSCRIPTION regress_merge_idle;

RESET distributed.node;
RESET search_path;
DROP SCHEMA "Shop" CASCADE;
