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

-- Let some sessions of a server call a function a million times each, at the same time.
CREATE FUNCTION live_calls(server text, sessions integer, call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM dblink_send_query(server || n, format('SELECT count(%s) FROM generate_series(1, 1000000)', call))
	FROM generate_series(1, sessions) n;
	PERFORM FROM generate_series(1, sessions) n, dblink_get_result(server || n) s (calls bigint);
	PERFORM FROM generate_series(1, sessions) n, dblink_get_result(server || n) s (calls bigint);
END
$$;

\echo '==> the live clock'
CALL compare('hlc_now() : clock_timestamp(), preloaded, 1M calls',
	$$SELECT live_calls('preloaded', 1, 'hlc_now()')$$, $$SELECT live_calls('preloaded', 1, 'clock_timestamp()')$$, 1.5);
CALL compare('hlc_now() : clock_timestamp(), not preloaded, 1M calls',
	$$SELECT live_calls('plain', 1, 'hlc_now()')$$, $$SELECT live_calls('plain', 1, 'clock_timestamp()')$$, 10);
CALL compare('calls per second: two sessions : one, hlc_now()',
	$$SELECT live_calls('preloaded', 2, 'hlc_now()')$$, $$SELECT live_calls('preloaded', 1, 'hlc_now()')$$, 1.6, false, 2);
SELECT dblink_disconnect(server || n) FROM unnest('{plain,preloaded}'::text[]) server, generate_series(1, 2) n \g /dev/null
