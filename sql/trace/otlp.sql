--
-- otlp: OpenTelemetry's traces into a store, and out of it
--

CREATE FUNCTION otlp_spans(payload jsonb, hygiene boolean DEFAULT true,
	OUT trace_id trace_id, OUT span_id span_id, OUT parent_span_id span_id, OUT start_ns bigint, OUT end_ns bigint,
	OUT kind span_kind, OUT status span_status, OUT otlp_kind smallint, OUT name text, OUT status_message text,
	OUT attributes jsonb, OUT events jsonb, OUT links jsonb, OUT trace_state text, OUT flags bigint, OUT resource jsonb,
	OUT scope_name text, OUT scope_version text, OUT scope_attributes jsonb, OUT dropped_attributes_count bigint,
	OUT dropped_events_count bigint, OUT dropped_links_count bigint, OUT scope_dropped_attributes_count bigint,
	OUT resource_dropped_attributes_count bigint, OUT scope_schema_url text, OUT resource_schema_url text,
	OUT key_order bytea) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 500;
COMMENT ON FUNCTION otlp_spans(jsonb, boolean) IS 'the spans of an OTLP/JSON payload, as rows of a trace store';

CREATE FUNCTION ingest_otlp(store name, payload jsonb,
	OUT received bigint, OUT stored bigint, OUT updated bigint, OUT duplicates bigint) RETURNS record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION ingest_otlp(name, jsonb) IS 'store the spans of an OTLP/JSON payload, those that are new or have ended now';

CREATE FUNCTION to_otlp(store name, trace_id trace_id) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION to_otlp(name, trace_id) IS 'a trace as OTLP/JSON, as it came in';

CREATE FUNCTION otlp_canonical(payload jsonb) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION otlp_canonical(jsonb) IS 'an OTLP/JSON payload in the form in which to_otlp writes it';
