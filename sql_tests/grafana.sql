-- Views as Grafana's panels read them.

\set SHOW_CONTEXT never
CREATE SCHEMA grafana_test;
SET search_path = grafana_test, public;
SELECT create_trace_store('For Grafana') AS store;
CREATE FUNCTION trace(number bigint) RETURNS trace_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT lpad(number::text, 32, '0')::trace_id $$;
CREATE FUNCTION span(number bigint) RETURNS span_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT number::span_id $$;

-- built-in types only
SELECT c.relname AS view, string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, -1), ', ' ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = '"For Grafana"'::regnamespace AND c.relname ~ '^grafana' AND c.relkind = 'v' GROUP BY c.relname ORDER BY c.relname COLLATE "C";
SELECT count(*) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attnum > 0 AND t.typnamespace <> 'pg_catalog'::regnamespace
	AND a.attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = '"For Grafana"'::regnamespace AND relname ~ '^grafana');

INSERT INTO "For Grafana".spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name, kind, status, status_message, resource, scope_name, scope_version, trace_state, attributes, events, links) VALUES
	(trace(1), span(1), NULL, 1700000000000000000, 1700000000250500000, 'GET /', 'server', 'ok', NULL, '{"service.name": "shop", "host.name": "h1"}', 'lib', '1.0', 'a=b',
		'{"http.method": "GET", "bytes": 17, "cached": false, "ratio": 0.50, "body": {"bytesValue": "AAE="}, "list": [1, "x"], "map": {"k": null}, "nothing": null}',
		'[{"time_ns": 1700000000000001000, "name": "begin", "attributes": {"n": 1}}, {"time_ns": 1700000000250500000, "name": "end"}, {"time_ns": 1, "attributes": {"event": "own"}, "name": "other"}]',
		'[{"trace_id": "00000000000000000000000000000002", "span_id": "0000000000000001", "attributes": {"why": "batch"}}, {"trace_id": "00000000000000000000000000000003", "span_id": "0000000000000001"}]'),
	(trace(1), span(2), span(1), 1700000000010000000, 1700000000030000000, 'query', 'client', 'error', 'timed out', '{"service.name": "shop"}', NULL, NULL, NULL, '{}', '[]', '[]'),
	(trace(1), span(3), span(2), 1700000000012000000, 1700000000028000000, 'select', 'server', 'error', 'timed out', '{"service.name": "db"}', NULL, NULL, NULL, '{"error": "late"}', '[]', '[]'),
	(trace(1), span(4), span(1), 1700000000040000000, NULL, 'select', NULL, 'in_progress', NULL, '{"service.name": "db"}', NULL, NULL, NULL, '{}', '[]', '[]'),
	(trace(2), span(1), span(9), 1700000001000000001, 1700000001000000001, 'orphan', 'internal', 'unset', NULL, '{}', NULL, NULL, NULL, '{}', '[]', '[]');

\x
SELECT * FROM "For Grafana".grafana_spans WHERE "traceID" = '00000000000000000000000000000001' ORDER BY "startTime", "spanID";
\x
SELECT * FROM "For Grafana".grafana_spans EXCEPT ALL (SELECT * FROM "For Grafana".grafana_trace('00000000-0000-0000-0000-000000000001') UNION ALL SELECT * FROM "For Grafana".grafana_trace(upper('00000000000000000000000000000002')));
SELECT "spanID" FROM "For Grafana".grafana_trace('00000000000000000000000000000001');
SELECT count(*) FROM "For Grafana".grafana_trace('no id');
SELECT count(*) FROM "For Grafana".grafana_trace(NULL);
SELECT "traceID", "traceName", "traceService", "startTime", "duration", "spanCount", "errorCount", "services", "complete", "time" AT TIME ZONE 'UTC' AS time FROM "For Grafana".grafana_traces ORDER BY "startTime";
SELECT * FROM "For Grafana".grafana_nodes ORDER BY id;
SELECT * FROM "For Grafana".grafana_edges ORDER BY id;
SELECT * FROM "For Grafana".grafana_trace_nodes ORDER BY 1, 2;
SELECT * FROM "For Grafana".grafana_trace_edges ORDER BY 1, 2;
-- time ranges, from included, to not
SELECT id, secondarystat FROM "For Grafana".grafana_service_nodes(1700000000000, 1700000000012) ORDER BY id;
SELECT id, secondarystat FROM "For Grafana".grafana_service_nodes(from_ms => 1700000000012) ORDER BY id;
SELECT id, mainstat FROM "For Grafana".grafana_service_edges(to_ms => 1700000000013) ORDER BY id;

-- the parts
SELECT key_values('{}'), key_values('{"a": {"doubleValue": "NaN"}, "b": {"bytesValue": 1}, "c": {"bytesValue": "AA==", "d": 1}}'), key_values(NULL);
SELECT grafana_logs('[]'), grafana_logs('[{"time_ns": 1}, {"time_ns": 1234567, "attributes": {}}, {"time_ns": -1500000}, {"name": ""}, {"time_ns": "1", "name": "text"}, 17]');
SELECT grafana_logs('[{"time_ns": 123456789012345678901234567890}]'), grafana_references('[]'), grafana_references('[{}, null, {"trace_id": 1, "attributes": []}]');
SELECT key_values('[]');
SELECT key_values('1');
SELECT grafana_logs('{}');
SELECT grafana_references('"x"');

-- one trace is found by an index, also by its text
SET enable_seqscan = off;
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT count(*) FROM plan($$ SELECT * FROM "For Grafana".grafana_spans WHERE "traceID" = '00000000000000000000000000000001' $$) p WHERE p ~ 'Scan using traces_by_text|Scan on traces_by_text';
RESET enable_seqscan;

-- from 14 on, functions of a store know their tables, whatever their schema is called
SELECT current_setting('server_version_num')::integer >= 140000 AS bound \gset
\if :bound
ALTER SCHEMA "For Grafana" RENAME TO grafana_renamed;
SET search_path = grafana_renamed, grafana_test, public;
\else
SET search_path = "For Grafana", grafana_test, public;
\endif
SELECT id FROM grafana_nodes ORDER BY id;
SELECT count(*) FROM grafana_trace('00000000000000000000000000000001');

SET client_min_messages = warning;
DROP SCHEMA grafana_test CASCADE;
DROP SCHEMA IF EXISTS "For Grafana", grafana_renamed CASCADE;
