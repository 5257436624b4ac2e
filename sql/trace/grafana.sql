
--
-- grafana: views as Grafana's panels read them
--

CREATE FUNCTION key_values(object jsonb) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION key_values(jsonb) IS 'the members of a JSON object as an array of {key, value}';

CREATE FUNCTION grafana_logs(events jsonb) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION grafana_logs(jsonb) IS 'events of a span as an array of {timestamp, fields}';

CREATE FUNCTION grafana_references(links jsonb) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION grafana_references(jsonb) IS 'links of a span as an array of {refType, traceID, spanID, tags}';

CREATE FUNCTION grafana_views() RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
SELECT $script$
CREATE INDEX traces_by_text ON @store@.traces ((trace_id::text));
COMMENT ON INDEX @store@.traces_by_text IS 'for the views for Grafana, where ids are texts';

CREATE VIEW @store@.grafana_spans AS
SELECT t.trace_id::text AS "traceID", s.span_id::text AS "spanID", s.parent_span_id::text AS "parentSpanID",
	s.name AS "operationName", s.service_name AS "serviceName", @extension@.key_values(s.resource) AS "serviceTags",
	(s.start_ns / 1000000::numeric)::float8 AS "startTime",
	(@extension@.nanoseconds_between(s.start_ns, coalesce(s.end_ns, s.start_ns)) / 1000000::numeric)::float8 AS "duration",
	@extension@.key_values(CASE WHEN s.status = 'error' THEN jsonb '{"error": true}' || s.attributes ELSE s.attributes END) AS "tags",
	@extension@.grafana_logs(s.events) AS "logs", @extension@.grafana_references(s.links) AS "references",
	coalesce(s.kind::text, 'unspecified') AS "kind",
	CASE s.status WHEN 'ok' THEN 1 WHEN 'error' THEN 2 ELSE 0 END AS "statusCode",
	s.status_message AS "statusMessage",
	s.scope_name AS "instrumentationLibraryName", s.scope_version AS "instrumentationLibraryVersion",
	s.trace_state AS "traceState"
FROM @store@.traces t JOIN @store@.spans s ON s.trace_id OPERATOR(@extension@.=) t.trace_id;
COMMENT ON VIEW @store@.grafana_spans IS 'spans for Grafana''s traces panel; choose one "traceID"';

CREATE VIEW @store@.grafana_traces AS
SELECT t.trace_id::text AS "traceID", a."traceName", a."traceService",
	(t.start_ns / 1000000::numeric)::float8 AS "startTime",
	(@extension@.nanoseconds_between(t.start_ns, coalesce(t.end_ns, t.start_ns)) / 1000000::numeric)::float8 AS "duration",
	a."spanCount", a."errorCount", a."services", t.is_complete AS "complete",
	timestamptz '1970-01-01 00:00:00+00' + @extension@.nanoseconds_interval(t.start_ns) AS "time"
FROM @store@.traces t
CROSS JOIN LATERAL (
	SELECT count(*) AS "spanCount", count(*) FILTER (WHERE s.status = 'error') AS "errorCount",
		string_agg(DISTINCT s.service_name, ', ' ORDER BY s.service_name) AS "services",
		(array_agg(s.name ORDER BY s.parent_span_id IS NOT NULL, s.start_ns, s.span_id))[1] AS "traceName",
		(array_agg(s.service_name ORDER BY s.parent_span_id IS NOT NULL, s.start_ns, s.span_id))[1] AS "traceService"
	FROM @store@.spans s WHERE s.trace_id OPERATOR(@extension@.=) t.trace_id) a;
COMMENT ON VIEW @store@.grafana_traces IS 'traces for a table in Grafana';

CREATE VIEW @store@.grafana_trace_nodes AS
SELECT t.trace_id::text AS "traceID", s.span_id::text AS id, s.service_name AS title, s.name AS subtitle,
	(@extension@.nanoseconds_between(s.start_ns, coalesce(s.end_ns, s.start_ns)) / 1000000::numeric)::float8 AS mainstat,
	(@extension@.nanoseconds_between(t.start_ns, s.start_ns) / 1000000::numeric)::float8 AS secondarystat,
	CASE s.status WHEN 'error' THEN 0 ELSE 1 END::float8 AS arc__success,
	CASE s.status WHEN 'error' THEN 1 ELSE 0 END::float8 AS arc__errors
FROM @store@.traces t JOIN @store@.spans s ON s.trace_id OPERATOR(@extension@.=) t.trace_id;
COMMENT ON VIEW @store@.grafana_trace_nodes IS 'spans for Grafana''s node graph: duration and start in the trace (ms); choose one "traceID"';

CREATE VIEW @store@.grafana_trace_edges AS
SELECT t.trace_id::text AS "traceID", p.span_id::text || '-' || s.span_id::text AS id,
	p.span_id::text AS source, s.span_id::text AS target,
	(@extension@.nanoseconds_between(s.start_ns, coalesce(s.end_ns, s.start_ns)) / 1000000::numeric)::float8 AS mainstat,
	(@extension@.nanoseconds_between(p.start_ns, s.start_ns) / 1000000::numeric)::float8 AS secondarystat
FROM @store@.traces t JOIN @store@.spans s ON s.trace_id OPERATOR(@extension@.=) t.trace_id
JOIN @store@.spans p ON p.trace_id OPERATOR(@extension@.=) s.trace_id AND p.span_id OPERATOR(@extension@.=) s.parent_span_id;
COMMENT ON VIEW @store@.grafana_trace_edges IS 'parents and children for Grafana''s node graph: duration and start in the parent (ms); choose one "traceID"';

CREATE VIEW @store@.grafana_calls AS
SELECT p.service_name AS source, s.service_name AS target, s.start_ns, s.end_ns
FROM @store@.spans s JOIN @store@.spans p ON p.trace_id OPERATOR(@extension@.=) s.trace_id AND p.span_id OPERATOR(@extension@.=) s.parent_span_id
WHERE p.service_name <> s.service_name;
COMMENT ON VIEW @store@.grafana_calls IS 'spans whose parent is of another service';

-- Before 14 the bodies are texts, read with the path of the caller: they use nothing of the
-- extension but through views.
CREATE FUNCTION @store@.grafana_trace(trace_id text) RETURNS SETOF @store@.grafana_spans
LANGUAGE sql STABLE STRICT PARALLEL SAFE
-- @since 14
BEGIN ATOMIC
-- @end
-- @before 14
AS $body$
-- @end
	SELECT v.* FROM @store@.grafana_spans v
	WHERE v."traceID" = lower(replace($1, '-', '')) ORDER BY v."startTime", v."spanID";
-- @since 14
END;
-- @end
-- @before 14
$body$;
-- @end
COMMENT ON FUNCTION @store@.grafana_trace(text) IS 'the spans of a trace for Grafana''s traces panel';

CREATE FUNCTION @store@.grafana_service_nodes(from_ms bigint DEFAULT NULL, to_ms bigint DEFAULT NULL)
RETURNS TABLE (id text, title text, subtitle text, mainstat double precision, secondarystat bigint,
	arc__success double precision, arc__errors double precision)
LANGUAGE sql STABLE PARALLEL SAFE
-- @since 14
BEGIN ATOMIC
-- @end
-- @before 14
AS $body$
-- @end
	SELECT s.service_name, s.service_name,
		trim_scale(round(100.0 * count(*) FILTER (WHERE s.status = 'error') / count(*), 2)) || '% errors',
		round(avg((s.end_ns::numeric - s.start_ns) / 1000000), 3)::float8, count(*),
		count(*) FILTER (WHERE s.status <> 'error') / count(*)::float8,
		count(*) FILTER (WHERE s.status = 'error') / count(*)::float8
	FROM @store@.spans s
	WHERE ($1 IS NULL OR s.start_ns >= $1 * 1000000) AND ($2 IS NULL OR s.start_ns < $2 * 1000000)
	GROUP BY s.service_name;
-- @since 14
END;
-- @end
-- @before 14
$body$;
-- @end
COMMENT ON FUNCTION @store@.grafana_service_nodes(bigint, bigint) IS 'services for Grafana''s node graph, of spans that start in a time range';

CREATE FUNCTION @store@.grafana_service_edges(from_ms bigint DEFAULT NULL, to_ms bigint DEFAULT NULL)
RETURNS TABLE (id text, source text, target text, mainstat bigint, secondarystat double precision)
LANGUAGE sql STABLE PARALLEL SAFE
-- @since 14
BEGIN ATOMIC
-- @end
-- @before 14
AS $body$
-- @end
	SELECT c.source || ' -> ' || c.target, c.source, c.target, count(*),
		round(avg((c.end_ns::numeric - c.start_ns) / 1000000), 3)::float8
	FROM @store@.grafana_calls c
	WHERE ($1 IS NULL OR c.start_ns >= $1 * 1000000) AND ($2 IS NULL OR c.start_ns < $2 * 1000000)
	GROUP BY c.source, c.target;
-- @since 14
END;
-- @end
-- @before 14
$body$;
-- @end
COMMENT ON FUNCTION @store@.grafana_service_edges(bigint, bigint) IS 'calls between services for Grafana''s node graph, of spans that start in a time range';

CREATE VIEW @store@.grafana_nodes AS SELECT * FROM @store@.grafana_service_nodes();
COMMENT ON VIEW @store@.grafana_nodes IS 'services for Grafana''s node graph: mean duration of their spans (ms), and how many';
CREATE VIEW @store@.grafana_edges AS SELECT * FROM @store@.grafana_service_edges();
COMMENT ON VIEW @store@.grafana_edges IS 'calls between services for Grafana''s node graph: how many, and their mean duration (ms)';
$script$
$function$;
COMMENT ON FUNCTION grafana_views() IS 'script that makes the views of a trace store for Grafana';
