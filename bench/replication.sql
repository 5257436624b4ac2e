-- Merged tables, on three servers of their own: a, b and c.
--
-- a publishes a merged table; two databases of b subscribe to it: "merged", where what arrives is
-- merged, and "plain", with the same table and no triggers.  So both apply the same messages.
-- Then a and b are a pair, and with c a mesh.

CREATE TABLE places AS SELECT server || '_' || database AS session, server, database, (string_to_array(:'replicating_ports', ' '))[n] AS port
FROM (VALUES ('a', 'source', 1), ('b', 'merged', 2), ('b', 'plain', 2), ('a', 'mesh', 1), ('b', 'mesh', 2), ('c', 'mesh', 3), ('c', 'local', 3)) s (server, database, n);

-- Values travel in binary, where servers can do that: reading texts takes longer than merging.
SELECT current_setting('server_version_num')::integer >= 150000 AS column_lists,
	CASE WHEN current_setting('server_version_num')::integer >= 140000 THEN 'binary = true' ELSE 'copy_data = true' END AS options \gset
SELECT set_config('bench.options', :'options', false) \g /dev/null

-- Sessions, by the name of the server and the database; those of "gate" keep a worker waiting.
CREATE FUNCTION open_session(session text, port text, database text) RETURNS text LANGUAGE sql AS $$
	SELECT dblink_connect(session, format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'), port, database, current_user))
$$;
CREATE FUNCTION tell(session text, command text) RETURNS text LANGUAGE sql AS $$
	SELECT dblink_exec(session, command)
$$;
CREATE FUNCTION ask(session text, question text) RETURNS text LANGUAGE sql AS $$
	SELECT answer FROM dblink(session, format('SELECT (%s)::text', question)) s (answer text)
$$;
SELECT open_session('new', port, 'postgres'), tell('new', 'CREATE DATABASE ' || database), dblink_disconnect('new') FROM places \g /dev/null
SELECT open_session(session, port, database) FROM places \g /dev/null
SELECT open_session(session || '_gate', port, database) FROM places WHERE session IN ('b_merged', 'b_plain') \g /dev/null

SELECT tell(session, $sql$
	SET client_min_messages = warning;
	CREATE EXTENSION distributed;
	CREATE TABLE items (id bigint PRIMARY KEY, hits gcounter NOT NULL DEFAULT '{}', tags orset NOT NULL DEFAULT '{}');
	-- what two sessions change, who each have a column of it
	CREATE TABLE notes (id bigint PRIMARY KEY, title text, body text);
	-- what is told last in a round
	CREATE TABLE rounds (round integer PRIMARY KEY);
	CREATE PROCEDURE await_round(wanted integer) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. 60000 LOOP
			IF EXISTS (SELECT FROM rounds WHERE round = wanted) THEN
				RETURN;
			END IF;
			COMMIT;
			PERFORM pg_sleep(0.001);
		END LOOP;
		RAISE EXCEPTION 'round % does not arrive', wanted;
	END
	$$;
$sql$) FROM places \g /dev/null

-- Milliseconds that a process has been running on a CPU; exact while it sleeps.
CREATE FUNCTION cpu_time(pid text) RETURNS double precision LANGUAGE plpgsql AS $$
BEGIN
	-- it is about to
	PERFORM pg_sleep(0.02);
	RETURN split_part(pg_read_file(format('/proc/%s/schedstat', pid), 0, 100), ' ', 1)::double precision / 1e6;
END
$$;

-- A procedure that runs a statement on the rows "lo" to "hi" in one transaction, and on the next ones in the
-- next, in an order that jumps about.
CREATE FUNCTION define_work(session text, name text, statement text, transactions integer, size integer DEFAULT 1) RETURNS text LANGUAGE sql AS $$
	SELECT tell(session, format($sql$
		CREATE OR REPLACE PROCEDURE %I(round integer) LANGUAGE plpgsql AS $body$
		DECLARE
			lo bigint;
			hi bigint;
		BEGIN
			FOR i IN 0 .. %s LOOP
				lo := (i * 7919::bigint %% %s) * %s + 1;
				hi := lo + %s;
				%s;
				COMMIT;
			END LOOP;
		END
		$body$
	$sql$, name, transactions - 1, transactions, size, size - 1, statement))
$$;
\set update 'UPDATE items SET hits = hits + 1, tags = CASE WHEN tags ? ''on offer'' THEN tags - ''on offer'' ELSE tags + ''on offer'' END'
\set insert 'INSERT INTO items VALUES (round * 100000 + lo, ''{}''::gcounter + lo, ''{}''::orset + format(''element %s'', lo) + ''another element'')'

\echo '==> rows of three nodes'
-- What a node has written to each row: hits, and some tags.
CREATE PROCEDURE fill(session text, node text, tags integer, rows integer DEFAULT 0) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tell(session, format('SET distributed.node = %L', node));
	PERFORM tell(session, format('INSERT INTO items SELECT id FROM generate_series(1, %s) id', rows));
	PERFORM tell(session, format($sql$
		DO $do$
		BEGIN
			UPDATE items SET hits = hits + (1 + id * 7919 %% 1000003);
			FOR tag IN 1 .. %s LOOP
				UPDATE items SET tags = tags + ('element ' || id * 7919 %% 100000 + 100000 * (%s + tag));
			END LOOP;
		END
		$do$
	$sql$, tags, 10 * ascii(right(node, 1))));
	PERFORM tell(session, 'RESET distributed.node');
	PERFORM tell(session, 'VACUUM ANALYZE items');
END
$$;
SELECT ask(session, format('enable_merge(%L)', relation)) FROM places, unnest('{items,notes}'::text[]) relation WHERE session IN ('a_source', 'b_merged') \g /dev/null
SELECT tell('b_plain', $$ALTER TABLE items ADD _merge row_stamp NOT NULL DEFAULT '{}'$$) \g /dev/null
CALL fill('a_source', 'node-c', 3, 20000);
CALL fill('a_source', 'node-d', 3);
CALL fill('a_source', 'node-a', 3);
SELECT tell('a_source', $$INSERT INTO notes SELECT id, 'a title of some words ' || id, repeat('a body of some sentences. ', 5) FROM generate_series(1, 20000) id$$),
	tell('a_source', $$CREATE PUBLICATION source FOR TABLE items, rounds WITH (publish = 'insert, update')$$),
	tell('a_source', 'CREATE PUBLICATION for_merged'), tell('a_source', 'CREATE PUBLICATION for_plain') \g /dev/null
\if :column_lists
SELECT tell('a_source', 'ALTER PUBLICATION for_merged ADD TABLE notes (id, title, body, _merge)'),
	tell('a_source', 'ALTER PUBLICATION for_plain ADD TABLE notes (id, title, body)') \g /dev/null
\endif
SELECT tell(b.session, format($$CREATE SUBSCRIPTION of_%1$s CONNECTION 'host=%2$s port=%3$s dbname=%4$s user=%5$s' PUBLICATION source, for_%1$s WITH (%6$s)$$,
	b.database, current_setting('unix_socket_directories'), a.port, a.database, current_user, :'options'))
FROM places a, places b WHERE a.session = 'a_source' AND b.session IN ('b_merged', 'b_plain') \g /dev/null
CREATE PROCEDURE await_copies(reader text) LANGUAGE plpgsql AS $$
BEGIN
	WHILE ask(reader, 'EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate <> ''r'')')::boolean LOOP
		PERFORM pg_sleep(0.02);
	END LOOP;
END
$$;
CALL await_copies('b_merged');
CALL await_copies('b_plain');
-- and something that a does not know, of the same size: what arrives is merged, indeed
CALL fill('b_merged', 'node-d', 3);
SELECT tell('b_merged', $$UPDATE notes SET body = 'another ' || body$$) \g /dev/null

\echo '==> applying'
-- The time that a worker spends on a backlog, of which both get the same.
CREATE FUNCTION apply_time(reader text, round integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	pid text := ask(reader, 'SELECT pid FROM pg_stat_subscription WHERE relid IS NULL AND pid IS NOT NULL AND subname = ''of_'' || current_database()');
	began double precision := cpu_time(pid);
BEGIN
	PERFORM tell(reader || '_gate', 'COMMIT');
	PERFORM tell(reader, format('CALL await_round(%s)', round));
	RETURN cpu_time(pid) - began;
END
$$;
CREATE PROCEDURE compare_apply(what text, work text, bound numeric) LANGUAGE plpgsql AS $$
DECLARE
	merged double precision[];
	plain double precision[];
	round integer;
	x numeric;
	y numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		PERFORM tell(reader || '_gate', 'BEGIN'), tell(reader || '_gate', 'LOCK items, notes IN EXCLUSIVE MODE') FROM unnest('{b_merged,b_plain}'::text[]) reader;
		round := ask('a_source', 'SELECT count(*) FROM rounds');
		PERFORM tell('a_source', format('CALL %I(%s)', work, round));
		PERFORM tell('a_source', format('INSERT INTO rounds VALUES (%s)', round));
		FOR turn IN 0 .. 1 LOOP
			IF turn = run % 2 THEN
				merged[run] := apply_time('b_merged', round);
			ELSE
				plain[run] := apply_time('b_plain', round);
			END IF;
		END LOOP;
	END LOOP;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(merged[1:]) u;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO y FROM unnest(plain[1:]) u;
	INSERT INTO measured (what, ours, yardstick, ratio, bound) VALUES (what, x, y, x / y, bound);
	COMMIT;
END
$$;
SELECT define_work('a_source', 'one_row', :'update' || ' WHERE id = lo', 20000),
	define_work('a_source', 'many_rows', :'update' || ' WHERE id BETWEEN lo AND hi', 200, 100),
	define_work('a_source', 'insert_rows', :'insert', 20000),
	define_work('a_source', 'new_title', 'UPDATE notes SET title = ''title '' || round || '' of '' || lo WHERE id = lo', 20000)
\g /dev/null
CALL compare_apply('20k one-row transactions arrive : unmerged, 0.85 of its rate', 'one_row', 1.18);
CALL compare_apply('200 transactions of 100 rows arrive : unmerged', 'many_rows', 1.3);
-- what the worker does not do without us: it writes the same row again
SELECT tell('a_source', 'ALTER TABLE items DISABLE TRIGGER "~merge_row"') \g /dev/null
SELECT define_work('a_source', 'echo', 'UPDATE items SET hits = hits WHERE id = lo', 20000) \g /dev/null
CALL compare_apply('20k echoes arrive : unmerged', 'echo', 1.1);
SELECT define_work('a_source', 'echo', 'UPDATE items SET hits = hits WHERE id BETWEEN lo AND hi', 200, 100) \g /dev/null
CALL compare_apply('200 transactions of 100 echoes arrive : unmerged', 'echo', 1.1);
SELECT tell('a_source', 'ALTER TABLE items ENABLE ALWAYS TRIGGER "~merge_row"') \g /dev/null
CALL compare_apply('20k inserts arrive : unmerged', 'insert_rows', 2.0);
-- what a has written is everywhere, and what it does not know is still there
DO $$
DECLARE
	of_a text := 'SELECT sum(get(hits, ''node-a'') + get(hits, ''node-c'')) FROM items';
	of_d text := 'SELECT sum(get(hits, ''node-d'')) FROM items';
BEGIN
	IF ask('b_plain', of_a) <> ask('a_source', of_a) OR ask('b_merged', of_a) <> ask('a_source', of_a)
		OR ask('b_plain', of_d) <> ask('a_source', of_d) OR ask('b_merged', of_d)::numeric <> 2 * ask('a_source', of_d)::numeric THEN
		RAISE EXCEPTION 'what has arrived differs';
	END IF;
END
$$;
\if :column_lists
CALL compare_apply('20k one-row transactions arrive, a plain column : unmerged, 0.7 of its rate', 'new_title', 1.43);
DO $$
BEGIN
	IF ask('b_merged', $q$SELECT count(*) FROM notes WHERE title LIKE 'title % of ' || id AND body LIKE 'another %'$q$) <> '20000' THEN
		RAISE EXCEPTION 'what has arrived differs';
	END IF;
END
$$;
\endif
SELECT tell(session, 'DROP SUBSCRIPTION of_' || database) FROM places WHERE session IN ('b_merged', 'b_plain') \g /dev/null

\echo '==> writing'
SELECT ask('c_local', $$enable_merge('items')$$) \g /dev/null
CALL fill('c_local', 'node-a', 3, 20000);
CALL fill('c_local', 'node-b', 3);
CALL fill('c_local', 'node-c', 3);
SELECT tell('c_local', $$
	CREATE TABLE alone (id bigint PRIMARY KEY, hits gcounter NOT NULL DEFAULT '{}', tags orset NOT NULL DEFAULT '{}');
	INSERT INTO alone SELECT id, hits, tags FROM items;
$$), tell('c_local', 'VACUUM ANALYZE alone') \g /dev/null
SELECT define_work('c_local', relation || '_one_row', replace(:'update', 'items', relation) || ' WHERE id = lo', 20000),
	define_work('c_local', relation || '_many_rows', replace(:'update', 'items', relation) || ' WHERE id BETWEEN lo AND hi', 200, 100),
	define_work('c_local', relation || '_insert', replace(:'insert', 'items', relation), 20000)
FROM unnest('{items,alone}'::text[]) relation \g /dev/null
CREATE FUNCTION write_time(session text, work text, round integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	pid text := ask(session, 'pg_backend_pid()');
	began double precision := cpu_time(pid);
BEGIN
	PERFORM tell(session, format('CALL %I(%s)', work, round));
	RETURN cpu_time(pid) - began;
END
$$;
CREATE PROCEDURE compare_writes(what text, work text, bound numeric, ours text DEFAULT 'items', yardstick text DEFAULT 'alone', at_most boolean DEFAULT true) LANGUAGE plpgsql AS $$
DECLARE
	merged double precision[];
	plain double precision[];
	x numeric;
	y numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		merged[run] := write_time('c_local', ours || '_' || work, run + 1);
		plain[run] := write_time('c_local', yardstick || '_' || work, run + 1);
	END LOOP;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(merged[1:]) u;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO y FROM unnest(plain[1:]) u;
	INSERT INTO measured (what, ours, yardstick, ratio, bound, at_most) VALUES (what, x, y, x / y, bound, at_most);
	COMMIT;
END
$$;
CALL compare_writes('20k one-row updates here : unmerged', 'one_row', 2.0);
CALL compare_writes('200 updates of 100 rows here : unmerged', 'many_rows', 2.0);
CALL compare_writes('20k inserts here : unmerged', 'insert', 2.0);

-- The bytes of WAL of all these servers.
CREATE FUNCTION wal(sessions text[]) RETURNS numeric LANGUAGE sql AS $$
	SELECT sum(ask(session, 'pg_wal_lsn_diff(pg_current_wal_insert_lsn(), ''0/0'')')::numeric) FROM unnest(sessions) session
$$;
CREATE PROCEDURE compare_local_wal(what text, work text, writes integer, bound numeric, ours text, yardstick text, at_most boolean DEFAULT true) LANGUAGE plpgsql AS $$
DECLARE
	merged numeric[];
	plain numeric[];
	began numeric;
	x numeric;
	y numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		began := wal('{c_local}');
		PERFORM tell('c_local', format('CALL %I(%s)', ours || '_' || work, run + 100));
		merged[run] := (wal('{c_local}') - began) / writes;
		began := wal('{c_local}');
		PERFORM tell('c_local', format('CALL %I(%s)', yardstick || '_' || work, run + 100));
		plain[run] := (wal('{c_local}') - began) / writes;
	END LOOP;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(merged[1:]) u;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO y FROM unnest(plain[1:]) u;
	INSERT INTO measured (what, ours, yardstick, unit, ratio, bound, at_most) VALUES (what, x, y, 'bytes', x / y, bound, at_most);
	COMMIT;
END
$$;
-- ten plain columns, and three of lattice types: as rows of applications are
\set wide '(id bigint PRIMARY KEY, name text, street text, city text, country text, born date, seen timestamptz, points integer, rating numeric, notes text, flags integer)'
\set lattices '(id bigint PRIMARY KEY, hits gcounter NOT NULL DEFAULT ''{}'', balance pncounter NOT NULL DEFAULT ''{}'', tags orset NOT NULL DEFAULT ''{}'')'
SELECT tell('c_local', format('CREATE TABLE wide %s; CREATE TABLE wide_alone %1$s; CREATE TABLE wide_trigger %1$s; CREATE TABLE lattices %s; CREATE TABLE lattices_alone %2$s; CREATE TABLE lattices_trigger %2$s', :'wide', :'lattices')),
	ask('c_local', $$enable_merge('wide')$$), ask('c_local', $$enable_merge('lattices')$$) \g /dev/null
-- a trigger that does nothing: PostgreSQL locks the row before, and logs that
SELECT tell('c_local', format('CREATE TRIGGER nothing BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()', relation))
FROM unnest('{wide_trigger,lattices_trigger}'::text[]) relation \g /dev/null
\set row 'round * 1000000 + id, ''a name '' || id, ''a street '' || id, ''a city'', ''DE'', ''2000-01-01'', ''2026-01-01 12:00+00'', id, 1.5, ''some words of a note'', 7 FROM generate_series(lo, hi) id'
SELECT define_work('c_local', relation || '_insert', format('INSERT INTO %s SELECT %s', relation, :'row'), 200, 100),
	define_work('c_local', relation || '_update', format('UPDATE %s SET points = points + 1 WHERE id = 1000000 + lo', relation), 20000)
FROM unnest('{wide,wide_alone,wide_trigger}'::text[]) relation \g /dev/null
SELECT define_work('c_local', relation || '_count', format('UPDATE %s SET hits = hits + 1 WHERE id = lo', relation), 20000)
FROM unnest('{lattices,lattices_alone,lattices_trigger}'::text[]) relation \g /dev/null
CALL compare_writes('20k inserts of 10 plain columns : unmerged', 'insert', 2.0, 'wide', 'wide_alone');
CALL compare_local_wal('... WAL per row', 'insert', 20000, 1.3, 'wide', 'wide_alone');
INSERT INTO measured (what, ours, yardstick, unit, ratio, bound)
SELECT '... bytes per row, with the index', ours / rows, yardstick / rows, 'bytes', ours / yardstick, 1.3
FROM (SELECT ask('c_local', $$pg_total_relation_size('wide')$$)::numeric, ask('c_local', $$pg_total_relation_size('wide_alone')$$)::numeric, ask('c_local', 'SELECT count(*) FROM wide')::numeric) s (ours, yardstick, rows);
SELECT tell('c_local', 'CALL wide_trigger_insert(1)') \g /dev/null
SELECT tell('c_local', 'VACUUM ANALYZE ' || relation) FROM unnest('{wide,wide_alone,wide_trigger}'::text[]) relation \g /dev/null
CALL compare_writes('20k updates of 1 of 10 plain columns : unmerged', 'update', 1.5, 'wide', 'wide_alone');
CALL compare_local_wal('... WAL per row', 'update', 20000, 1.3, 'wide', 'wide_alone');
CALL compare_writes('... with a trigger that does nothing : without, for comparison', 'update', 0, 'wide_trigger', 'wide_alone', false);
CALL compare_local_wal('... WAL per row', 'update', 20000, 0, 'wide_trigger', 'wide_alone', false);
SELECT tell('c_local', format($$INSERT INTO %s (id, hits, balance, tags) SELECT id, '{}'::gcounter + 5, '{}'::pncounter + 5, '{}'::orset + 'a tag' + 'another' FROM generate_series(1, 20000) id$$, relation)),
	tell('c_local', 'VACUUM ANALYZE ' || relation)
FROM unnest('{lattices,lattices_alone,lattices_trigger}'::text[]) relation \g /dev/null
CALL compare_writes('20k updates of 1 of 3 lattice columns, counter + 1 : unmerged', 'count', 1.2, 'lattices', 'lattices_alone');
CALL compare_writes('... with a trigger that does nothing : without, for comparison', 'count', 0, 'lattices_trigger', 'lattices_alone', false);
-- a small column beside a large value
SELECT tell('c_local', 'CREATE TABLE large (id integer PRIMARY KEY, small integer, body text)'), ask('c_local', $$enable_merge('large')$$) \g /dev/null
SELECT tell('c_local', $$INSERT INTO large SELECT id, 0, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 32768) i) FROM generate_series(1, 10) id$$),
	define_work('c_local', 'large_update', 'UPDATE large SET small = small + 1', 1), tell('c_local', 'CALL large_update(0)') \g /dev/null
CREATE PROCEDURE measure_large() LANGUAGE plpgsql AS $$
DECLARE
	bytes numeric[];
	began numeric;
	x numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		began := wal('{c_local}');
		PERFORM tell('c_local', 'CALL large_update(1)');
		bytes[run] := (wal('{c_local}') - began) / 10;
	END LOOP;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(bytes[1:]) u;
	INSERT INTO measured (what, ours, yardstick, unit, ratio, bound) VALUES ('WAL per change of a number beside 1 MB of text : 600 bytes', x, 600, 'bytes', x / 600, 1);
	COMMIT;
END
$$;
CALL measure_large();
-- many rows that come to be merged
SELECT tell('c_local', 'CREATE TABLE many (id integer PRIMARY KEY, a text, b text); INSERT INTO many SELECT id, ''a'', ''b'' FROM generate_series(1, 1000000) id'), tell('c_local', 'VACUUM ANALYZE many') \g /dev/null
SELECT ask('c_local', $$pg_total_relation_size('many')$$) AS before \gset
CREATE PROCEDURE measure_enable(before numeric) LANGUAGE plpgsql AS $$
DECLARE
	times double precision[];
	began timestamptz;
	after numeric;
	x numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		PERFORM ask('c_local', $q$disable_merge('many', true)$q$) WHERE run > 0;
		began := clock_timestamp();
		PERFORM ask('c_local', $q$enable_merge('many')$q$);
		times[run] := extract(epoch FROM clock_timestamp() - began) * 1000;
	END LOOP;
	after := ask('c_local', $q$pg_total_relation_size('many')$q$);
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(times[1:]) u;
	INSERT INTO measured (what, ours, yardstick, ratio, bound) VALUES ('enable_merge of 1M rows : 0.5 s', x, 500, x / 500, 1);
	INSERT INTO measured (what, ours, yardstick, unit, ratio, bound) VALUES ('... its bytes afterwards : before', after, before, 'bytes', after / before, 1);
	COMMIT;
END
$$;
CALL measure_enable(:'before');

\echo '==> copying'
-- A table of 100k rows comes to a subscriber, which merges, or does not.
CREATE FUNCTION copy_time(reader text, run integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	publisher places := p FROM places p WHERE session = 'a_source';
	began timestamptz;
	ended timestamptz;
BEGIN
	PERFORM tell(reader, format('CREATE TABLE copied (id bigint PRIMARY KEY, name text, street text, city text, points integer)'));
	PERFORM ask(reader, $q$enable_merge('copied')$q$) WHERE reader = 'b_merged';
	PERFORM tell(reader, 'ALTER TABLE copied ADD _merge row_stamp NOT NULL DEFAULT ''{}''') WHERE reader <> 'b_merged';
	began := clock_timestamp();
	PERFORM tell(reader, format('CREATE SUBSCRIPTION copies_for_%s CONNECTION ''host=%s port=%s dbname=%s user=%s'' PUBLICATION copies WITH (copy_data = true)',
		reader, current_setting('unix_socket_directories'), publisher.port, publisher.database, current_user));
	WHILE ask(reader, 'EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate <> ''r'')')::boolean LOOP
		PERFORM pg_sleep(0.005);
	END LOOP;
	ended := clock_timestamp();
	IF ask(reader, 'SELECT count(*) FROM copied') <> '100000' THEN
		RAISE EXCEPTION 'rows are missing';
	END IF;
	PERFORM tell(reader, 'DROP SUBSCRIPTION copies_for_' || reader);
	PERFORM ask(reader, $q$disable_merge('copied')$q$) WHERE reader = 'b_merged';
	PERFORM tell(reader, 'DROP TABLE copied');
	RETURN extract(epoch FROM ended - began) * 1000;
END
$$;
SELECT tell('a_source', 'CREATE TABLE copied (id bigint PRIMARY KEY, name text, street text, city text, points integer)'), ask('a_source', $$enable_merge('copied')$$) \g /dev/null
SELECT tell('a_source', $$INSERT INTO copied SELECT id, 'a name ' || id, 'a street ' || id, 'a city', id FROM generate_series(1, 100000) id$$), tell('a_source', 'VACUUM ANALYZE copied'),
	tell('a_source', $$CREATE PUBLICATION copies FOR TABLE copied WITH (publish = 'insert, update')$$) \g /dev/null
CREATE PROCEDURE compare_copies() LANGUAGE plpgsql AS $$
DECLARE
	merged double precision[];
	plain double precision[];
	x numeric;
	y numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		merged[run] := copy_time('b_merged', run);
		plain[run] := copy_time('b_plain', run);
	END LOOP;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(merged[1:]) u;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO y FROM unnest(plain[1:]) u;
	INSERT INTO measured (what, ours, yardstick, ratio, bound) VALUES ('initial copy of 100k rows : unmerged', x, y, x / y, 2.0);
	COMMIT;
END
$$;
CALL compare_copies();

\echo '==> a pair and a mesh'
-- Wait until all servers have applied all that was written, and what comes of it.
CREATE PROCEDURE settle() LANGUAGE plpgsql AS $$
DECLARE
	now text;
	before text := '';
BEGIN
	FOR i IN 1 .. 3000 LOOP
		SELECT string_agg(ask(session, 'CASE WHEN EXISTS (SELECT FROM pg_stat_replication WHERE replay_lsn < pg_current_wal_lsn()) THEN ''behind'' ELSE pg_current_wal_lsn()::text END'), ' ' ORDER BY session)
		INTO now FROM places WHERE database = 'mesh' HAVING count(*) = 3;
		IF now = before AND now !~ 'behind' THEN
			RETURN;
		END IF;
		before := now;
		PERFORM pg_sleep(0.02);
	END LOOP;
	RAISE EXCEPTION 'the mesh does not come to rest';
END
$$;
CREATE PROCEDURE link(source text, target text, publication text DEFAULT 'mesh', options text DEFAULT current_setting('bench.options')) LANGUAGE plpgsql AS $$
DECLARE
	publisher places := p FROM places p WHERE session = source;
BEGIN
	PERFORM tell(target, format('CREATE SUBSCRIPTION %s_of_%s CONNECTION ''host=%s port=%s dbname=%s user=%s application_name=%s'' PUBLICATION %s WITH (slot_name = %s, %s)',
		publication, source, current_setting('unix_socket_directories'), publisher.port, publisher.database, current_user, target, publication,
		publication || '_for_' || target, options));
	CALL await_copies(target);
END
$$;
SELECT ask(session, $$enable_merge('items')$$), ask(session, $$create_merge_publication('mesh', '{items}')$$)
FROM places WHERE database = 'mesh' \g /dev/null
CALL fill('a_mesh', 'node-a', 5, 10000);
CALL link('a_mesh', 'b_mesh');
CALL link('b_mesh', 'a_mesh');
CALL fill('b_mesh', 'node-b', 5);
CALL settle();

CREATE PROCEDURE compare_wal(what text, ours text, yardstick text, updates integer, bound numeric, at_most boolean DEFAULT true, full_pages boolean DEFAULT false) LANGUAGE plpgsql AS $$
DECLARE
	pair numeric[];
	one numeric[];
	began numeric;
	x numeric;
	y numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		IF full_pages THEN
			PERFORM tell(session, 'CHECKPOINT') FROM unnest('{a_mesh,b_mesh}'::text[]) session;
		END IF;
		began := wal('{a_mesh,b_mesh}');
		PERFORM tell('a_mesh', format('CALL %I(%s)', ours, run));
		CALL settle();
		pair[run] := (wal('{a_mesh,b_mesh}') - began) / updates;
		began := wal('{a_mesh}');
		PERFORM tell('a_mesh', format('CALL %I(%s)', yardstick, run));
		one[run] := (wal('{a_mesh}') - began) / updates;
		CALL settle();
	END LOOP;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(pair[1:]) u;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO y FROM unnest(one[1:]) u;
	INSERT INTO measured (what, ours, yardstick, unit, ratio, bound, at_most) VALUES (what, x, y, 'bytes', x / y, bound, at_most);
	COMMIT;
END
$$;
SELECT tell(session, $$
	CREATE TABLE alone (id bigint PRIMARY KEY, hits gcounter NOT NULL DEFAULT '{}', tags orset NOT NULL DEFAULT '{}');
	INSERT INTO alone SELECT id, hits, tags FROM items;
$$), tell(session, 'VACUUM ANALYZE alone') FROM places WHERE database = 'mesh' \g /dev/null
SELECT define_work(session, relation || '_one_row', replace(:'update', 'items', relation) || ' WHERE id = lo', 10000),
	define_work(session, relation || '_many_rows', replace(:'update', 'items', relation) || ' WHERE id BETWEEN lo AND hi', 100, 100),
	define_work(session, relation || '_scattered', replace(:'update', 'items', relation) || ' WHERE id = (lo * 5 + round) % 10000 + 1', 2000),
	define_work(session, relation || '_less', replace(:'update', 'items', relation) || ' WHERE id = lo', 5000)
FROM places, unnest('{items,alone}'::text[]) relation WHERE database = 'mesh' \g /dev/null
CALL compare_wal('WAL per one-row update in a pair, of 260 bytes : unmerged, on one server', 'items_one_row', 'alone_one_row', 10000, 2.5);
CALL compare_wal('WAL per update of 100 rows in a pair, of 260 bytes : unmerged, on one server', 'items_many_rows', 'alone_many_rows', 10000, 2.5);
-- as PostgreSQL is set up by default: a page is written in full when it is first changed after a checkpoint
SELECT tell(session, 'ALTER SYSTEM SET full_page_writes = on'), ask(session, 'pg_reload_conf()') FROM places WHERE database = 'mesh' \g /dev/null
CALL compare_wal('the first of these with full pages, every fifth row per checkpoint', 'items_scattered', 'alone_scattered', 2000, 2.5, full_pages => true);
SELECT tell(session, 'ALTER SYSTEM RESET full_page_writes'), ask(session, 'pg_reload_conf()') FROM places WHERE database = 'mesh' \g /dev/null
-- what PostgreSQL itself makes of two servers; nothing is asked of it
SELECT tell('a_mesh', $$CREATE PUBLICATION alone FOR TABLE alone WITH (publish = 'insert, update')$$) \g /dev/null
CALL link('a_mesh', 'b_mesh', 'alone', 'copy_data = false');
CALL compare_wal('unmerged, and sent one way : on one server, for comparison', 'alone_one_row', 'alone_one_row', 10000, 0, false);
SELECT tell('b_mesh', 'DROP SUBSCRIPTION alone_of_a_mesh') \g /dev/null
-- 27 tags
CALL fill('a_mesh', 'node-a', 17);
CALL settle();
CALL fill('b_mesh', 'node-b', 17);
CALL settle();
SELECT tell('a_mesh', 'UPDATE alone SET hits = i.hits, tags = i.tags FROM items i WHERE i.id = alone.id'), tell('a_mesh', 'VACUUM ANALYZE alone') \g /dev/null
CALL compare_wal('WAL per one-row update in a pair, of 630 bytes : unmerged, on one server', 'items_one_row', 'alone_one_row', 10000, 2.5);
CALL compare_wal('WAL per update of 100 rows in a pair, of 630 bytes : unmerged, on one server', 'items_many_rows', 'alone_many_rows', 10000, 2.5);

CALL link('a_mesh', 'c_mesh');
CALL link('b_mesh', 'c_mesh');
CALL link('c_mesh', 'a_mesh');
CALL link('c_mesh', 'b_mesh');
CALL settle();
-- Each server tells all others of each update once, be it its own or not: N (N - 1) messages, of which those
-- that are no news end there.
CREATE FUNCTION messages() RETURNS numeric LANGUAGE sql AS $$
	SELECT sum(ask(session, '(SELECT inserted + merged + unchanged FROM merge_status() WHERE table_name = ''items''::regclass)')::numeric)
	FROM places WHERE database = 'mesh'
$$;
CREATE PROCEDURE count_messages(what text, updates integer, expected integer) LANGUAGE plpgsql AS $$
DECLARE
	counted numeric[];
	began numeric;
	x numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		began := messages();
		PERFORM tell('a_mesh', 'CALL items_less(0)');
		CALL settle();
		counted[run] := (messages() - began) / updates;
	END LOOP;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(counted[1:]) u;
	INSERT INTO measured (what, ours, yardstick, unit, ratio, bound) VALUES (what, x, expected, 'messages', x / expected, 1.0);
	COMMIT;
END
$$;
CALL count_messages('messages per update in a mesh of N = 3 : N (N - 1)', 5000, 6);
-- Let all servers of the mesh do the same at the same time, each in a session of its own.
CREATE PROCEDURE at_once(command text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM dblink_send_query(session, command) FROM places WHERE database = 'mesh';
	-- once for the result, once for its end
	FOR i IN 1 .. 2 LOOP
		PERFORM FROM places, dblink_get_result(session) s (status text) WHERE database = 'mesh';
	END LOOP;
END
$$;
CALL compare('5k updates on each of 3 servers of a mesh, until it is at rest : unmerged', 'DO $$ BEGIN CALL at_once(''CALL items_less(0)''); CALL settle(); END $$', $$CALL at_once('CALL alone_less(0)')$$, 20);
DO $$
BEGIN
	IF (SELECT count(DISTINCT ask(session, 'SELECT md5(string_agg(i::text, '' '' ORDER BY id)) FROM items i')) FROM places WHERE database = 'mesh') <> 1 THEN
		RAISE EXCEPTION 'the servers of the mesh differ';
	END IF;
END
$$;
SELECT dblink_disconnect(session) FROM unnest(dblink_get_connections()) session \g /dev/null
