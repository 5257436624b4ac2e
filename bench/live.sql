-- The live clock, on a server of its own with preloading and on this one without.

-- Sessions of their own, kept open: two on each server.
SELECT dblink_connect(server || n, format('host=%s port=%s dbname=postgres user=%s', current_setting('unix_socket_directories'), port, current_user))
FROM (VALUES ('plain', current_setting('port')), ('preloaded', :'preloaded_port')) s (server, port), generate_series(1, 2) n \g /dev/null
SELECT dblink_exec(server || n, 'SET max_parallel_workers_per_gather = 0; SET jit = off; SET work_mem = ''256MB''')
FROM unnest('{plain,preloaded}'::text[]) server, generate_series(1, 2) n \g /dev/null
DO $$
BEGIN
	IF (SELECT loaded FROM dblink('preloaded1', 'SHOW shared_preload_libraries') s (loaded text)) <> 'distributed'
		OR current_setting('shared_preload_libraries') <> '' THEN
		RAISE EXCEPTION 'preloading is not as the rows say';
	END IF;
END
$$;

-- Let some sessions of a server call a function so many times each, at the same time.
CREATE FUNCTION live_calls(server text, sessions integer, call text, times text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM dblink_send_query(server || n, format('SELECT count(%s) FROM %s', call, times))
	FROM generate_series(1, sessions) n;
	PERFORM FROM generate_series(1, sessions) n, dblink_get_result(server || n) s (calls bigint);
	PERFORM FROM generate_series(1, sessions) n, dblink_get_result(server || n) s (calls bigint);
END
$$;

\echo '==> the live clock'
CALL compare('hlc_now() : clock_timestamp(), preloaded, 1M calls',
	$$SELECT live_calls('preloaded', 1, 'hlc_now()', 'generate_series(1, 1000000)')$$,
	$$SELECT live_calls('preloaded', 1, 'clock_timestamp()', 'generate_series(1, 1000000)')$$, 1.5);
CALL compare('hlc_now() : clock_timestamp(), not preloaded, 1M calls',
	$$SELECT live_calls('plain', 1, 'hlc_now()', 'generate_series(1, 1000000)')$$,
	$$SELECT live_calls('plain', 1, 'clock_timestamp()', 'generate_series(1, 1000000)')$$, 10);
-- Calls per millisecond of all sessions together, in the same loop, while all of them are calling.
CREATE FUNCTION live_rate(sessions integer, call text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	rate numeric;
BEGIN
	PERFORM dblink_send_query('preloaded' || n, format('SELECT live_rate(%L)', call)) FROM generate_series(1, sessions) n;
	SELECT sum(s.rate) INTO rate FROM generate_series(1, sessions) n, dblink_get_result('preloaded' || n) s (rate numeric);
	PERFORM FROM generate_series(1, sessions) n, dblink_get_result('preloaded' || n) s (rate numeric);
	RETURN rate;
END
$$;
SELECT dblink_exec('preloaded1', $sql$
	CREATE FUNCTION live_rate(call text) RETURNS numeric LANGUAGE plpgsql AS $$
	DECLARE
		began timestamptz := clock_timestamp();
		calls bigint := 0;
	BEGIN
		WHILE clock_timestamp() < began + interval '1 s' LOOP
			EXECUTE format('SELECT count(%s) FROM generate_series(1, 1000000)', call);
			calls := calls + 1000000;
		END LOOP;
		RETURN calls / extract(epoch FROM clock_timestamp() - began) / 1000;
	END
	$$$sql$) \g /dev/null
CREATE PROCEDURE compare_rates(what text, call text, bound numeric) LANGUAGE plpgsql AS $$
DECLARE
	two numeric[];
	one numeric[];
	x numeric;
	y numeric;
BEGIN
	FOR run IN 0 .. current_setting('bench.runs')::integer LOOP
		two[run] := live_rate(2, call);
		one[run] := live_rate(1, call);
	END LOOP;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO x FROM unnest(two[1:]) u;
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO y FROM unnest(one[1:]) u;
	INSERT INTO measured (what, ours, yardstick, unit, ratio, bound, at_most)
	VALUES (what, x, y, 'calls/ms', x / y, bound, false);
	COMMIT;
END
$$;
CALL compare_rates('two sessions : one, hlc_now()', 'hlc_now()', 1.6);
-- what the machine itself makes of two sessions; nothing is asked of it
CALL compare_rates('two sessions : one, clock_timestamp(), for comparison', 'clock_timestamp()', 0);
SELECT dblink_disconnect(server || n) FROM unnest('{plain,preloaded}'::text[]) server, generate_series(1, 2) n \g /dev/null
