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
		ELSE (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = prrelid AND attnum > 0 AND attname NOT IN ('note', 'who', 'total')) END AS columns
	FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid ORDER BY 1, prrelid::regclass::text COLLATE "C";
SELECT create_merge_publication('merge', ARRAY['carts', '"Seats"']::regclass[]);
SELECT * FROM pg_temp.published;
-- this server is known from now on
SELECT node, seen, is_present(_merge_presence) FROM merge_nodes WHERE node = 'berlin';

-- once more: brought up to date
ALTER TABLE carts ADD COLUMN likes gcounter NOT NULL DEFAULT '{}';
SELECT create_merge_publication('merge');
SELECT * FROM pg_temp.published;
SELECT create_merge_publication('merge', ARRAY['votes', 'merge_nodes']::regclass[]);
SELECT * FROM pg_temp.published;
SELECT create_merge_publication('merge', ARRAY['merge_nodes']::regclass[]);
SELECT * FROM pg_temp.published;

-- there is one
SELECT state, message, detail, replace(replace(replace(hint, ' (id, n, _merge_presence)', ''), ' (id, items, _merge_presence, _merge_stamps, likes)', ''), ' (seat, "the row", taken, _merge_presence, _merge_stamps)', '')
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
CREATE FUNCTION pg_temp.older(command text) RETURNS text LANGUAGE sql AS $$ SELECT replace(replace(command, ', disable_on_error = false', ''), ', origin = any', '') $$;
SELECT step, node, pg_temp.older(command) FROM merge_subscription_commands('{"paris": "host=p dbname=''my app''", "berlin": "host=b password=a\\b"}');
SELECT step, split_part(remark, ' copy_data', 1) FROM merge_subscription_commands('{"paris": "host=p", "berlin": "host=b"}') WHERE step IN (1, 2, 3, 6, 13, 14, 15);
-- what this server knows
SELECT count(*), bool_and(current_setting('server_version_num')::int < 150000 OR command ~ 'disable_on_error = false' AND remark ~ 'disable_on_error:'), bool_and(current_setting('server_version_num')::int < 160000 OR command ~ 'origin = any' AND remark ~ 'origin:'), bool_and(command ~ 'copy_data = true' AND remark ~ 'copy_data:')
	FROM merge_subscription_commands('{"paris": "host=p", "berlin": "host=b"}') WHERE command ~ '^CREATE SUB';

-- who subscribes to whom, in which order
CREATE FUNCTION pg_temp.links(VARIADIC arguments text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('SELECT string_agg(node || '' < '' || (regexp_match(command, ''CONNECTION ''''host=(.)''))[1], ''  '' ORDER BY step) FROM merge_subscription_commands(%s) WHERE command ~ ''^CREATE SUB''', array_to_string(arguments, ', ')) INTO answer;
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
SELECT node, count(*) FROM merge_subscription_commands('{"d": "host=d", "a": "host=a", "c": "host=c", "b": "host=b"}', joining => 'b') WHERE command !~ '^(CREATE SUB|DO)' GROUP BY node;
-- a ring of two has one edge
SELECT topology, pg_temp.links($$'{"a": "host=a", "b": "host=b"}'$$, quote_literal(topology)) FROM unnest('{mesh,ring,star}'::text[]) topology;

-- names: of slots, of publications
SELECT node, substring(command FROM 'SUBSCRIPTION (.*) WITH') FROM merge_subscription_commands('{"Köln-1": "host=x", "o''hara": "host=y"}', publication => 'My "pub"') WHERE command ~ '^CREATE SUB';
SELECT substring(command FROM 'node = (.*);'), substring(command FROM 'create_merge_publication.*') FROM merge_subscription_commands('{"Köln-1": "host=x", "o''hara": "host=y"}', publication => 'My "pub"') WHERE command ~ 'distributed.node|create_merge';
SELECT left(name, 54), name ~ '^[a-z_]{54}_[0-9a-f]{8}$', count(*) OVER (PARTITION BY name) FROM (SELECT substring(command FROM 'SUBSCRIPTION (.*) CONNECTION') AS name
	FROM merge_subscription_commands(jsonb_build_object(repeat('long', 20), 'host=a', repeat('long', 21), 'host=b')) WHERE command ~ '^CREATE SUB') s;

SELECT f.* FROM unnest(ARRAY[
	'NULL', '''[]''', '''3''', '''{}''', '''{"a": "host=a"}''', '''{"a": "host=a", "b": 5}''', '''{"a": "host=a", "b": ""}''', '''{"a": "host=a", "b": {"host": "b"}}''', '''{"": "host=a", "b": "host=b"}''',
	'jsonb_build_object(repeat(''x'', 256), ''host=a'', ''b'', ''host=b'')',
	'''{"a": "host=a", "b": "host=b"}'', ''tree''', '''{"a": "host=a", "b": "host=b"}'', NULL', '''{"a": "host=a", "b": "host=b"}'', publication => NULL',
	'''{"a": "host=a", "b": "host=b"}'', ''ring'', center => ''a''', '''{"a": "host=a", "b": "host=b"}'', ''star'', center => ''c''', '''{"a": "host=a", "b": "host=b"}'', joining => ''c''',
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
SELECT count(DISTINCT command) AS subscriptions FROM (SELECT jsonb_object_agg('n' || i, 'host=h' || i) FROM generate_series(1, 150) i) s (peers),
	merge_subscription_commands(peers) WHERE command ~ '^CREATE SUB';
RESET statement_timeout;

RESET distributed.node;
RESET search_path;
DROP SCHEMA "Shop" CASCADE;
