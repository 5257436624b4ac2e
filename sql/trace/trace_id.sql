--
-- trace_id: ids of traces
--

-- @include io T=trace_id

CREATE TYPE trace_id (
	INPUT = trace_id_in, OUTPUT = trace_id_out, RECEIVE = trace_id_recv, SEND = trace_id_send,
	LIKE = uuid
);
COMMENT ON TYPE trace_id IS 'id of a trace: 16 bytes, written as 32 hexadecimal digits';

-- @include order T=trace_id C=trace_id LT=< LE=<= GE=>= GT=> LEAK=LEAKPROOF

CREATE FUNCTION random_trace_id() RETURNS trace_id
AS 'MODULE_PATHNAME', 'trace_id_random' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION random_trace_id() IS 'a new trace id of 128 random bits, never nil';

CREATE FUNCTION is_nil(id trace_id) RETURNS boolean
AS 'MODULE_PATHNAME', 'trace_id_is_nil' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION is_nil(trace_id) IS 'is it the id of zeros, which names no trace?';

CREATE FUNCTION trace_id_from_bytea(bytea) RETURNS trace_id
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION trace_id_to_bytea(trace_id) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION trace_id_from_bytea(bytea) IS 'convert bytea to trace_id';
COMMENT ON FUNCTION trace_id_to_bytea(trace_id) IS 'convert trace_id to bytea';

CREATE CAST (bytea AS trace_id) WITH FUNCTION trace_id_from_bytea(bytea) AS ASSIGNMENT;
CREATE CAST (trace_id AS bytea) WITH FUNCTION trace_id_to_bytea(trace_id) AS ASSIGNMENT;
CREATE CAST (uuid AS trace_id) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (trace_id AS uuid) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (bytea AS trace_id) IS 'the id of 16 bytes';
COMMENT ON CAST (trace_id AS bytea) IS 'the 16 bytes of the id';
COMMENT ON CAST (uuid AS trace_id) IS 'the id of the same bytes';
COMMENT ON CAST (trace_id AS uuid) IS 'the uuid of the same bytes';
