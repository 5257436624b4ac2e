--
-- trace_context: contexts of spans
--

-- @include io T=trace_context

CREATE TYPE trace_context (
	INPUT = trace_context_in, OUTPUT = trace_context_out, RECEIVE = trace_context_recv, SEND = trace_context_send,
	INTERNALLENGTH = VARIABLE, STORAGE = extended
);
COMMENT ON TYPE trace_context IS 'context of a span: traceparent, tracestate, region, time of creation, baggage';

-- @include order T=trace_context C=trace_context LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=

-- @include json T=trace_context

-- making

CREATE FUNCTION trace_context(trace_id trace_id, span_id span_id, trace_flags trace_flags DEFAULT '00', tracestate text DEFAULT NULL, parent_span_id span_id DEFAULT NULL, region text DEFAULT NULL, created_at timestamptz DEFAULT NULL, baggage jsonb DEFAULT NULL) RETURNS trace_context
AS 'MODULE_PATHNAME', 'trace_context_make' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION trace_context(trace_id, span_id, trace_flags, text, span_id, text, timestamptz, jsonb) IS 'a context of these parts';

CREATE FUNCTION trace_context_from_headers(traceparent text, tracestate text DEFAULT NULL, baggage text DEFAULT NULL) RETURNS trace_context
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION trace_context_from_headers(text, text, text) IS 'the context that header fields carry';

CREATE FUNCTION new_trace_context(region text DEFAULT NULL, trace_flags trace_flags DEFAULT '01') RETURNS trace_context
AS 'MODULE_PATHNAME', 'trace_context_new' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION new_trace_context(text, trace_flags) IS 'a context of a new trace, with random ids, made now';

CREATE FUNCTION child(context trace_context) RETURNS trace_context
AS 'MODULE_PATHNAME', 'trace_context_child' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION child(trace_context) IS 'the context of a new span whose parent is the span of this one';

-- reading

CREATE FUNCTION traceparent(context trace_context) RETURNS text
AS 'MODULE_PATHNAME', 'trace_context_traceparent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION traceparent(trace_context) IS 'the header field traceparent';

CREATE FUNCTION tracestate(context trace_context) RETURNS text
AS 'MODULE_PATHNAME', 'trace_context_tracestate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tracestate(trace_context) IS 'the header field tracestate, or null';

CREATE FUNCTION baggage_header(context trace_context) RETURNS text
AS 'MODULE_PATHNAME', 'trace_context_baggage_header' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION baggage_header(trace_context) IS 'the header field baggage, or null';

CREATE FUNCTION baggage(context trace_context) RETURNS jsonb
AS 'MODULE_PATHNAME', 'trace_context_baggage' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION baggage(trace_context) IS 'keys and values of the baggage';

CREATE FUNCTION baggage(context trace_context, key text) RETURNS text
AS 'MODULE_PATHNAME', 'trace_context_baggage_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION baggage(trace_context, text) IS 'the value of a key of the baggage, or null';

CREATE FUNCTION trace_id(context trace_context) RETURNS trace_id
AS 'MODULE_PATHNAME', 'trace_context_trace_id' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION trace_id(trace_context) IS 'the trace';

CREATE FUNCTION span_id(context trace_context) RETURNS span_id
AS 'MODULE_PATHNAME', 'trace_context_span_id' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION span_id(trace_context) IS 'the span';

CREATE FUNCTION parent_span_id(context trace_context) RETURNS span_id
AS 'MODULE_PATHNAME', 'trace_context_parent_span_id' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION parent_span_id(trace_context) IS 'the parent of the span, or null';

CREATE FUNCTION trace_flags(context trace_context) RETURNS trace_flags
AS 'MODULE_PATHNAME', 'trace_context_flags' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION trace_flags(trace_context) IS 'the flags of the trace';

CREATE FUNCTION region(context trace_context) RETURNS text
AS 'MODULE_PATHNAME', 'trace_context_region' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION region(trace_context) IS 'the region that the span is in, or null';

CREATE FUNCTION created_at(context trace_context) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'trace_context_created_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION created_at(trace_context) IS 'when the context was made, to the microsecond, or null';

CREATE FUNCTION created_at_ns(context trace_context) RETURNS bigint
AS 'MODULE_PATHNAME', 'trace_context_created_at_ns' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION created_at_ns(trace_context) IS 'when the context was made, in nanoseconds since 1970, or null';

-- passing on

CREATE FUNCTION to_bytes(context trace_context) RETURNS bytea
AS 'MODULE_PATHNAME', 'trace_context_to_bytes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION to_bytes(trace_context) IS 'the context as bytes that other programs read; without the tracestate';

CREATE FUNCTION from_bytes(bytes bytea) RETURNS trace_context
AS 'MODULE_PATHNAME', 'trace_context_from_bytes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION from_bytes(bytea) IS 'the context that to_bytes has written';
