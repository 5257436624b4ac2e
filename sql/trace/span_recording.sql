--
-- span_recording: spans from SQL, and what attributes may hold
--

CREATE FUNCTION clean_attributes(attributes jsonb) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clean_attributes(jsonb) IS 'attributes as a store keeps them: without secrets and control bytes, of limited length and number';

-- Not strict: most of what they are told may be left out.
CREATE FUNCTION start_span(store name, name text, parent trace_context DEFAULT NULL, kind span_kind DEFAULT 'internal', attributes jsonb DEFAULT '{}', service text DEFAULT NULL, clock vclock DEFAULT NULL, at hlc DEFAULT NULL, start_time timestamptz DEFAULT NULL) RETURNS trace_context
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION start_span(name, text, trace_context, span_kind, jsonb, text, vclock, hlc, timestamptz) IS 'record the start of a span; its context, to be passed on';

CREATE FUNCTION end_span(store name, context trace_context, status span_status DEFAULT 'ok', message text DEFAULT NULL, attributes jsonb DEFAULT '{}', clock vclock DEFAULT NULL, at hlc DEFAULT NULL, end_time timestamptz DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION end_span(name, trace_context, span_status, text, jsonb, vclock, hlc, timestamptz) IS 'record the end of a span; nanoseconds that it took';

CREATE FUNCTION add_event(store name, context trace_context, name text, attributes jsonb DEFAULT '{}', event_time timestamptz DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION add_event(name, trace_context, text, jsonb, timestamptz) IS 'record an event in a span that has not ended';

CREATE FUNCTION add_link(store name, context trace_context, linked trace_context, attributes jsonb DEFAULT '{}') RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION add_link(name, trace_context, trace_context, jsonb) IS 'record a link from a span that has not ended to another span';
