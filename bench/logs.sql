-- Causal logs: questions to a log of 1M events, races, and concurrent writers.

-- Events of 8 nodes that gossip: half of them receive from another node.
CREATE PROCEDURE fill_log(target regclass, count integer, keys integer) LANGUAGE plpgsql AS $$
DECLARE
	clocks vclock[] := array_fill('{}'::vclock, ARRAY[8]);
	n integer;
BEGIN
	FOR i IN 1 .. count LOOP
		n := 1 + floor(random() * 8);
		IF random() < 0.5 THEN
			clocks[n] := receive(clocks[n], clocks[1 + floor(random() * 8)::integer], 'node-' || n - 1);
		ELSE
			clocks[n] := tick(clocks[n], 'node-' || n - 1);
		END IF;
		EXECUTE format('INSERT INTO %s VALUES ($1, $2, $3, $4, $5)', target) USING 'node-' || n - 1,
			clocks[n] -> ('node-' || n - 1), clocks[n], hlc(now(), i), jsonb_build_object('key', floor(random() * keys));
	END LOOP;
END
$$;

\echo '==> a log of 1M events'
SELECT setseed(0.20261122) \g /dev/null
CREATE TABLE log (origin text COLLATE "C", seq bigint, clock vclock, at hlc, event jsonb);
CALL fill_log('log', 1000000, 1000);
ALTER TABLE log ADD PRIMARY KEY (origin, seq);
CREATE INDEX ON log USING gist (clock);
VACUUM (FREEZE, ANALYZE) log;
-- an event with about 1000 in its past
SELECT origin AS q_origin, seq AS q_seq, clock AS q FROM log ORDER BY abs(total(clock) - 1001), origin LIMIT 1 \gset
CREATE TABLE wanted AS SELECT origin, seq FROM log WHERE clock << :'q';
VACUUM (FREEZE, ANALYZE) wanted;
DO $$
BEGIN
	IF (SELECT count(*) FROM wanted) NOT BETWEEN 990 AND 1010 THEN
		RAISE EXCEPTION 'the past has another size';
	END IF;
END
$$;
-- often enough to be measured well
CREATE FUNCTION repeatedly(statement text, times integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	found bigint;
BEGIN
	FOR i IN 1 .. times LOOP
		EXECUTE statement INTO found;
	END LOOP;
	RETURN found;
END
$$;
SELECT format('SELECT count(event) FROM causal_past(''log'', %L, %s)', :'q_origin', :'q_seq') AS past,
	format('SELECT count(event) FROM causal_past(''log'', %L)', :'q') AS past_of_clock \gset
DO $$
BEGIN
	IF EXISTS (SELECT FROM wanted w FULL JOIN causal_past('log', (SELECT clock FROM log ORDER BY abs(total(clock) - 1001), origin LIMIT 1)) p
			USING (origin, seq) WHERE w.seq IS NULL OR p.clock IS NULL) THEN
		RAISE EXCEPTION 'the past differs';
	END IF;
END
$$;
CALL compare('causal_past of an event, 1000 of 1M events : 1000 rows by primary key',
	format('SELECT repeatedly(%L, 20)', :'past'), $$SELECT repeatedly('SELECT count(event) FROM wanted JOIN log USING (origin, seq)', 20)$$, 5.0);
CALL compare('causal_past of a clock, 1000 of 1M events : 1000 rows by primary key',
	format('SELECT repeatedly(%L, 20)', :'past_of_clock'), $$SELECT repeatedly('SELECT count(event) FROM wanted JOIN log USING (origin, seq)', 20)$$, 5.0);

\echo '==> races'
CREATE TABLE log_100k (LIKE log);
CALL fill_log('log_100k', 100000, 1000);
VACUUM (FREEZE, ANALYZE) log_100k;
DO $$
BEGIN
	IF (SELECT md5(string_agg(r::text, ',' ORDER BY r)) FROM (SELECT key, a_origin, a_seq, b_origin, b_seq FROM races('log_100k', $k$event -> 'key'$k$)) r)
		<> (SELECT md5(string_agg(r::text, ',' ORDER BY r)) FROM (
			SELECT (a.event -> 'key')::text, a.origin, a.seq, b.origin, b.seq FROM log_100k a JOIN log_100k b
			ON a.event -> 'key' = b.event -> 'key' AND a.clock #<# b.clock AND a.clock || b.clock) r) THEN
		RAISE EXCEPTION 'races differ';
	END IF;
END
$$;
CALL compare('races of 100k events with 1000 keys : hash join on the key',
	$$SELECT count(b_seq) FROM races('log_100k', $k$event -> 'key'$k$)$$,
	$$SELECT count(b.seq) FROM log_100k a JOIN log_100k b ON a.event -> 'key' = b.event -> 'key'$$, 3.0);

\echo '==> concurrent writers'
-- Let 8 sessions run a statement a number of times each, with :client_id 0 to 7 and :i rising.
CREATE FUNCTION by_sessions(statement text, times integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	script text := E'\\set i :i + 1\n' || statement;
BEGIN
	EXECUTE format('COPY written_by FROM PROGRAM %L', format(
		'printf %%s %s | %s/pgbench -n -M prepared -c 8 -j 2 -t %s -D i=%s -f - -h %s -p %s -U %s %s 2>&1 | grep -c "tps = "',
		'''' || replace(script, '''', '''\''''') || '''', (SELECT setting FROM pg_config WHERE name = 'BINDIR'), times,
		(SELECT coalesce(max(seq), 0) FROM plain_log), current_setting('unix_socket_directories'), current_setting('port'),
		current_user, current_database()));
END
$$;
CREATE TABLE written_by (sessions text);
SELECT create_causal_log('written_log') \g /dev/null
CREATE TABLE plain_log (LIKE written_log, PRIMARY KEY (origin, seq));
CREATE INDEX ON plain_log USING gist (clock);
-- all nodes know all the others
SELECT vclock_of.clock AS everyone FROM (SELECT merge(vclock('node-' || n, 1)) FROM generate_series(0, 7) n) vclock_of (clock) \gset
INSERT INTO written_log (origin, seq, clock, event) SELECT 'node-' || n, 1, :'everyone', '{"key": 17}' FROM generate_series(0, 7) n;
INSERT INTO plain_log SELECT * FROM written_log;
CALL compare('the same inserts : log_event by 8 sessions, a node each',
	$$SELECT by_sessions('SELECT log_event(''written_log'', ''{"key": 17}'', node => ''node-'' || :client_id)', 4000)$$,
	format('SELECT by_sessions(%L, 4000)', format($$INSERT INTO plain_log VALUES ('node-' || :client_id, :i, advance(%L, 'node-' || :client_id, :i), hlc_now(), '{"key": 17}')$$, :'everyone')),
	0.6, false);
-- Events of one node are one after another, so each waits for the one before it to commit.
CALL compare('the same inserts, one after another : log_event by 8 sessions of one node',
	$$SELECT by_sessions('SELECT log_event(''written_log'', ''{"key": 17}'', node => ''node-0'')', 4000)$$,
	format('SELECT by_sessions(%L, 4000)', format($$INSERT INTO plain_log SELECT 'node-0', :i + :client_id * 1000000, advance(%L, 'node-0', :i + :client_id * 1000000), hlc_now(), '{"key": 17}' FROM pg_advisory_xact_lock(17)$$, :'everyone')),
	0.6, false);
DO $$
BEGIN
	IF EXISTS (SELECT FROM written_log GROUP BY origin HAVING count(*) <> max(seq))
		OR (SELECT count(*) FROM written_log) <> (SELECT count(*) FROM plain_log) THEN
		RAISE EXCEPTION 'events were lost';
	END IF;
END
$$;
