
--
-- find_traces: traces by their spans
--

CREATE FUNCTION span_tags(attributes jsonb, events jsonb, links jsonb, scope_name text, scope_version text,
	scope_attributes jsonb, resource jsonb, service_name text, is_error boolean) RETURNS bigint[]
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION span_tags(jsonb, jsonb, jsonb, text, text, jsonb, jsonb, text, boolean) IS 'hashes of all tags of a span, for an index';

CREATE FUNCTION span_has_tags(attributes jsonb, events jsonb, links jsonb, scope_name text, scope_version text,
	scope_attributes jsonb, resource jsonb, kind text, status text, status_message text, tags jsonb) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION span_has_tags(jsonb, jsonb, jsonb, text, text, jsonb, jsonb, text, text, text, jsonb) IS 'has a span all of these tags?';

-- Dear, so that a service is looked up in an index, and not by going through the newest spans of all.
CREATE FUNCTION span_name_key(name text) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION span_name_key(text) IS 'a name, or what stands for a long one in an index';

CREATE FUNCTION find_traces_indexes() RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
SELECT $script$
CREATE INDEX spans_by_time ON @store@.spans (start_ns);
CREATE INDEX spans_by_service ON @store@.spans (@extension@.span_name_key(service_name), start_ns);
CREATE INDEX spans_by_operation ON @store@.spans (@extension@.span_name_key(service_name), @extension@.span_name_key(name), kind);
CREATE INDEX spans_by_tag ON @store@.spans USING gin (@extension@.span_tags(attributes, events, links, scope_name, scope_version,
	scope_attributes, resource, service_name, status = 'error'));
COMMENT ON INDEX @store@.spans_by_time IS 'the newest spans of all';
COMMENT ON INDEX @store@.spans_by_service IS 'the newest spans of a service';
COMMENT ON INDEX @store@.spans_by_operation IS 'services, their operations, and their spans';
COMMENT ON INDEX @store@.spans_by_tag IS 'the spans that may have a tag';
$script$
$function$;
COMMENT ON FUNCTION find_traces_indexes() IS 'script that makes the indexes of a trace store';

-- Not strict: a null is no condition.
CREATE FUNCTION find_traces(store name, service text DEFAULT NULL, operation text DEFAULT NULL, tags jsonb DEFAULT NULL,
	start_min timestamptz DEFAULT NULL, start_max timestamptz DEFAULT NULL,
	duration_min interval DEFAULT NULL, duration_max interval DEFAULT NULL, max_traces integer DEFAULT 20,
	OUT trace_id trace_id, OUT start_ns bigint, OUT end_ns bigint, OUT span_count bigint, OUT error_count bigint,
	OUT services text[], OUT root_service text, OUT root_name text) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 20;
COMMENT ON FUNCTION find_traces(name, text, text, jsonb, timestamptz, timestamptz, interval, interval, integer)
	IS 'the most recent traces with a span that fulfils all conditions';

CREATE FUNCTION find_spans(store name, service text DEFAULT NULL, operation text DEFAULT NULL, tags jsonb DEFAULT NULL,
	start_min timestamptz DEFAULT NULL, start_max timestamptz DEFAULT NULL,
	duration_min interval DEFAULT NULL, duration_max interval DEFAULT NULL, max_spans integer DEFAULT 20,
	OUT trace_id trace_id, OUT span_id span_id, OUT start_ns bigint, OUT end_ns bigint,
	OUT service_name text, OUT name text, OUT kind span_kind, OUT status span_status) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 20;
COMMENT ON FUNCTION find_spans(name, text, text, jsonb, timestamptz, timestamptz, interval, interval, integer)
	IS 'the most recent spans that fulfil all conditions';

CREATE FUNCTION services(store name) RETURNS SETOF text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 20;
COMMENT ON FUNCTION services(name) IS 'the services that have spans in a store';

CREATE FUNCTION operations(store name, service text, OUT operation text, OUT kind span_kind) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 50;
COMMENT ON FUNCTION operations(name, text) IS 'the operations of a service, with the kinds of their spans';
