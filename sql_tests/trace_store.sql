-- Stores of traces: what is in them, who owns them, how their traces are kept.

\set SHOW_CONTEXT never
\pset null -
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

-- a schema of its own, for whoever may create one; all of it is the caller's
CREATE ROLE regress_tracer;
SELECT current_database() AS database \gset
GRANT CREATE ON DATABASE :"database" TO regress_tracer;
SET ROLE regress_tracer;
SELECT create_trace_store('traces');
SELECT create_trace_store('My "Store"', hygiene => false);
RESET ROLE;
SELECT count(*) > 0 AS any, bool_and(pg_get_userbyid(relowner) = 'regress_tracer') AS owned FROM pg_class WHERE relnamespace = 'traces'::regnamespace;
SELECT bool_and(pg_get_userbyid(proowner) = 'regress_tracer') AS owned FROM pg_proc WHERE pronamespace = 'traces'::regnamespace;
SELECT count(*) AS members FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
WHERE d.deptype = 'e' AND c.relnamespace IN ('traces'::regnamespace, '"My ""Store"""'::regnamespace);
SELECT hygiene, clock_skew_tolerance, partition_width FROM traces.options;
SELECT hygiene FROM "My ""Store""".options;
SELECT column_name, data_type, is_nullable, coalesce(column_default, generation_expression, identity_generation) AS filled_by
FROM information_schema.columns WHERE table_schema = 'traces' AND table_name = 'spans' ORDER BY ordinal_position;

-- into a schema that is there, but not twice
CREATE SCHEMA there;
SELECT create_trace_store('there');
SELECT f.* FROM (VALUES ('SELECT create_trace_store(''there'')'), ('SELECT create_trace_store(NULL)'), ('SELECT create_trace_store(''pg_store'')'),
	('SELECT create_trace_store(''w'', ''-1 day'')'), ('SELECT create_trace_store(''w'', ''999 ms'')'), ('SELECT create_trace_store(''w'', ''1 month 1 day'')'), ('SELECT create_trace_store(''w$body$w'')'), ('SELECT evict_traces(''nowhere'', 1)'), ('SELECT evict_traces(''pg_catalog'', 1)')) v (command), pg_temp.fault(command) f;
SELECT count(*) AS left_behind FROM pg_namespace WHERE nspname = 'w';
SET ROLE regress_tracer;
SELECT f.* FROM pg_temp.fault('SELECT evict_traces(''there'', 1)') f;
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA there CASCADE;

-- what the search path says does not matter
CREATE SCHEMA decoy;
CREATE FUNCTION decoy.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint';
CREATE TABLE decoy.spans (x integer);
SET search_path = decoy, public;
SELECT create_trace_store('elsewhere');
INSERT INTO elsewhere.spans (trace_id, span_id, start_ns, name) VALUES ('0000000000000000000000000000000a', '000000000000000a', 5, 'x');
SELECT trace_id, start_ns, end_ns, span_count, is_complete FROM elsewhere.traces;
RESET search_path;
DROP SCHEMA decoy, elsewhere CASCADE;

-- spans: what a row must be
INSERT INTO traces.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name, kind, resource) VALUES
	('0000000000000000000000000000000a', '0000000000000001', NULL, 1000, 2000, 'root', 'server', '{"service.name": "shop"}'),
	('0000000000000000000000000000000a', '0000000000000002', '0000000000000001', 1100, 1900, 'child', 'client', '{}');
SELECT span_id, parent_span_id, start_ns, end_ns, kind, status, name, service_name, attributes, events, links FROM traces.spans ORDER BY arrival;
SELECT f.state, f.message FROM (VALUES
	('00000000000000000000000000000000', '0000000000000001', 1, 2), ('0000000000000000000000000000000b', '0000000000000000', 1, 2),
	('0000000000000000000000000000000b', '0000000000000001', 2, 1), ('0000000000000000000000000000000a', '0000000000000001', 1, 2)) v (trace, span, began, ended),
	pg_temp.fault(format('INSERT INTO traces.spans (trace_id, span_id, start_ns, end_ns, name) VALUES (%L, %L, %s, %s, ''x'')', trace, span, began, ended)) f;

-- traces: kept by whatever writes spans
SELECT trace_id, start_ns, end_ns, span_count, root_ended, is_symbolic, is_decoded, is_complete FROM traces.traces;
COPY traces.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name, kind) FROM stdin;
0000000000000000000000000000000a	0000000000000003	0000000000000001	900	2100	copied	producer
0000000000000000000000000000000b	0000000000000001	\N	50	\N	begun	\N
0000000000000000000000000000000c	0000000000000001	\N	60	70	encode	encode
0000000000000000000000000000000d	0000000000000002	0000000000000001	60	70	orphan	\N
\.
SELECT trace_id, start_ns, end_ns, span_count, root_ended, is_symbolic, is_decoded, is_complete FROM traces.traces ORDER BY trace_id;
-- the root of b ends, c is decoded with an error, d stays without its root
UPDATE traces.spans SET end_ns = 55 WHERE trace_id = '0000000000000000000000000000000b';
INSERT INTO traces.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name, kind, status) VALUES
	('0000000000000000000000000000000c', '0000000000000002', '0000000000000001', 80, 90, 'decode', 'decode', 'in_progress');
SELECT trace_id, is_decoded, is_complete FROM traces.traces WHERE trace_id = '0000000000000000000000000000000c';
UPDATE traces.spans SET status = 'error' WHERE name = 'decode';
SELECT trace_id, start_ns, end_ns, span_count, root_ended, is_symbolic, is_decoded, is_complete FROM traces.traces ORDER BY trace_id;
SELECT bool_and(first_seen <= last_updated AND last_updated <= clock_timestamp()) AS in_time FROM traces.traces;
-- the store goes by another name
ALTER SCHEMA traces RENAME TO spoor;
INSERT INTO spoor.spans (trace_id, span_id, start_ns, name) VALUES ('0000000000000000000000000000000e', '0000000000000001', 1, 'x');
SELECT trace_id, span_count FROM spoor.traces WHERE trace_id = '0000000000000000000000000000000e';
-- nothing is noted of a transaction that was rolled back
BEGIN;
INSERT INTO spoor.spans (trace_id, span_id, start_ns, name) VALUES ('0000000000000000000000000000000f', '0000000000000001', 1, 'x');
ROLLBACK;
SELECT count(*) FROM spoor.traces WHERE trace_id = '0000000000000000000000000000000f';
-- a span may have a clock and a timestamp, and so be compared with state and with other spans
UPDATE spoor.spans SET clock = tick(vclock '{"shop": 4}', 'shop'), at = '1970-01-01T00:00:00.000001Z/0' WHERE name = 'root';
UPDATE spoor.spans SET clock = receive(vclock '{"bank": 2}', '{"shop": 5}', 'bank') WHERE name = 'child';
SELECT a.name, causal_order(a.clock, b.clock), b.name, a.at FROM spoor.spans a JOIN spoor.spans b ON a.clock << b.clock;

-- the trigger is for such tables only
CREATE TABLE other (x integer);
CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION trace_store_note();
SELECT f.* FROM pg_temp.fault('INSERT INTO other VALUES (1)') f;
SELECT f.* FROM pg_temp.fault('SELECT trace_store_note()') f;
DROP TABLE other;

-- partitions, by days and by months
SELECT create_trace_store('daily', '1 day');
SET timezone = 'Europe/Berlin';
SELECT create_trace_partitions('daily', '2026-11-22 13:00+00', '2026-11-24 00:00:01+00'), create_trace_partitions('daily', '2026-11-24 12:00+00', '2026-11-25 12:00+00');
SELECT create_trace_store('monthly', '1 month');
SELECT create_trace_partitions('monthly', '2026-01-31+00', '2026-03-01+00');
-- several months: wherever one begins, the partitions are the same
SELECT create_trace_store('quarterly', '3 months'), create_trace_store('yearly', '1 year');
SELECT create_trace_partitions('quarterly', '2026-02-01+00', '2026-02-02+00'), create_trace_partitions('quarterly', '1969-11-01+00', '1970-01-01+00'), create_trace_partitions('quarterly', '2026-03-31 23:59+00', '2026-04-01 00:01+00');
SELECT create_trace_partitions('yearly', '2026-12-31+00', '2027-01-01 00:00:01+00'), create_trace_partitions('yearly', '2026-01-01+00', '2028-01-01+00');
SELECT i.inhrelid::regclass AS partition, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent IN ('daily.spans'::regclass, 'monthly.spans'::regclass, 'quarterly.spans'::regclass, 'yearly.spans'::regclass) ORDER BY i.inhrelid::regclass::text COLLATE "C";
INSERT INTO daily.spans (trace_id, span_id, start_ns, name) VALUES
	('0000000000000000000000000000000a', '0000000000000001', 1795305600000000000, 'in a partition'), ('0000000000000000000000000000000a', '0000000000000002', 5, 'in no other');
SELECT tableoid::regclass, name FROM daily.spans ORDER BY start_ns;
SELECT trace_id, span_count FROM daily.traces;
SELECT f.* FROM (VALUES ('SELECT create_trace_partitions(''spoor'', ''2026-01-01'', ''2026-01-02'')'), ('SELECT create_trace_partitions(''daily'', ''-infinity'', ''2026-01-02'')'),
	('SELECT create_trace_partitions(''daily'', ''1970-01-01+00'', ''2261-01-02+00'')')) v (command), pg_temp.fault(command) f;
SELECT create_trace_partitions('daily', '2026-01-02+00', '2026-01-02+00');

-- what only looks like a store, or is none any more, gives errors or odd answers, and is never read as what it is not
CREATE SCHEMA looks;
CREATE FUNCTION pg_temp.look(type_of_ids text, type_of_texts text, type_of_json text, type_of_times text, value_of_ids text, value_of_texts text, value_of_json text, value_of_times text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	spans text := (SELECT string_agg(format('%L::%s AS %I', v, t, attname), ', ') FROM (
		SELECT attname, CASE WHEN typname = 'trace_id' THEN type_of_ids WHEN typname IN ('text', 'bytea') THEN type_of_texts WHEN typname = 'jsonb' THEN type_of_json WHEN typname IN ('int8', 'int2') THEN type_of_times ELSE format_type(t.oid, NULL) END AS t,
			CASE WHEN typname = 'trace_id' THEN value_of_ids WHEN typname = 'span_id' THEN '0000000000000001' WHEN typname IN ('text', 'bytea') THEN value_of_texts WHEN typname = 'jsonb' THEN value_of_json WHEN typname IN ('int8', 'int2') THEN value_of_times
				WHEN typname = 'span_kind' THEN 'server' WHEN typname = 'span_status' THEN 'ok' END AS v
		FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid WHERE attrelid = 'spoor.spans'::regclass AND attnum > 0) a);
	command text;
BEGIN
	EXECUTE format('CREATE TABLE looks.spans AS SELECT %s', spans);
	EXECUTE format('CREATE TABLE looks.traces AS SELECT %1$L::%2$s AS trace_id, %3$L::%4$s AS start_ns, %3$L::%4$s AS end_ns, now() AS last_updated, true AS is_complete', value_of_ids, type_of_ids, value_of_times, type_of_times);
	EXECUTE format('CREATE TABLE looks.options AS SELECT %1$L::%2$s AS hygiene, %3$L::%4$s AS clock_skew_tolerance, %1$L::%2$s AS partition_width', value_of_texts, type_of_texts, value_of_times, type_of_times);
	EXECUTE format('CREATE TABLE looks.trace_records AS SELECT trace_id, %L::%s AS object_id, now() AS a, 1 AS b, 2 AS c, 3 AS d FROM looks.spans', value_of_times, type_of_times);
	FOREACH command IN ARRAY ARRAY['find_traces(''looks'')', 'find_traces(''looks'', tags => ''{"a": 1}'')', 'find_spans(''looks'')', 'services(''looks'')', 'operations(''looks'', ''x'')', 'span_tree(''looks'', $1)', 'children(''looks'', $1, ''0000000000000001'')',
		'critical_path(''looks'', $1)', 'critical_path_summary(''looks'')', 'self_time(''looks'', $1)', 'service_graph(''looks'')', 'to_otlp(''looks'', $1)', 'to_jaeger(''looks'', $1)', 'trace_svg(''looks'', $1)', 'trace_record(''looks'', $1)',
		'end_span(''looks'', ''{"traceparent": "00-0000000000000000000000000000000a-0000000000000001-00"}'')', 'evict_traces(''looks'', 0)', 'create_trace_partitions(''looks'', ''2026-01-01'', ''2026-01-02'')', 'ingest_otlp(''looks'', ''{}'')']
	LOOP
		BEGIN
			EXECUTE 'SELECT count(*) FROM ' || command USING '0000000000000000000000000000000a'::trace_id;
			RETURN NEXT split_part(command, '(', 1) || ': no error';
		EXCEPTION WHEN OTHERS THEN
			RETURN NEXT split_part(command, '(', 1) || ': ' || CASE WHEN SQLSTATE IN ('22004', '22023', '55000', 'P0002') THEN SQLERRM ELSE SQLSTATE END;
		END;
	END LOOP;
	DROP TABLE looks.spans, looks.traces, looks.options, looks.trace_records;
END $$;
-- of other types
SELECT * FROM pg_temp.look('span_id', 'bigint', 'bigint', 'text', '000000000000000a', '4096', '4096', '4096');
SELECT * FROM pg_temp.look('trace_id', 'numeric', 'jsonb', 'numeric', '0000000000000000000000000000000a', '4096', '{}', '1e30');
SELECT * FROM pg_temp.look('trace_id', 'integer', 'text', 'timestamptz', '0000000000000000000000000000000a', '4096', '{}', '2026-01-01');
-- with nulls, and with other JSON
SELECT * FROM pg_temp.look('trace_id', 'text', 'jsonb', 'bigint', '0000000000000000000000000000000a', NULL, NULL, NULL);
SELECT * FROM pg_temp.look('trace_id', 'text', 'jsonb', 'bigint', NULL, 'x', NULL, '1');
SELECT * FROM pg_temp.look('trace_id', 'text', 'jsonb', 'bigint', '0000000000000000000000000000000a', 'false', '[{"attributes": [1]}, 2, "x", null]', '1');
SELECT * FROM pg_temp.look('trace_id', 'text', 'jsonb', 'bigint', '0000000000000000000000000000000a', 'true', '"x"', '9223372036854775807');
SELECT * FROM pg_temp.look('trace_id', 'text', 'jsonb', 'bigint', '0000000000000000000000000000000a', 'on', '{"a": {"time_ns": [], "name": {}, "trace_id": 1, "doubleValue": 1, "kvlistValue": {"values": [1]}}, "time_ns": "x"}', '-9223372036854775808');
DROP SCHEMA looks CASCADE;

DROP SCHEMA daily, monthly, quarterly, yearly, spoor, "My ""Store""" CASCADE;
REVOKE CREATE ON DATABASE :"database" FROM regress_tracer;
DROP ROLE regress_tracer;
