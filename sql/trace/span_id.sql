--
-- span_id: ids of spans
--

-- @include io T=span_id

CREATE TYPE span_id (
	INPUT = span_id_in, OUTPUT = span_id_out, RECEIVE = span_id_recv, SEND = span_id_send,
	LIKE = bigint
);
COMMENT ON TYPE span_id IS 'id of a span: 8 bytes, written as 16 hexadecimal digits';

-- @include order T=span_id C=span_id LT=< LE=<= GE=>= GT=> LEAK=LEAKPROOF

CREATE FUNCTION random_span_id() RETURNS span_id
AS 'MODULE_PATHNAME', 'span_id_random' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION random_span_id() IS 'a new span id of 64 random bits, never nil';

CREATE FUNCTION is_nil(id span_id) RETURNS boolean
AS 'MODULE_PATHNAME', 'span_id_is_nil' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION is_nil(span_id) IS 'is it the id of zeros, which names no span?';

CREATE FUNCTION span_id_from_bytea(bytea) RETURNS span_id
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION span_id_to_bytea(span_id) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION span_id_from_bytea(bytea) IS 'convert bytea to span_id';
COMMENT ON FUNCTION span_id_to_bytea(span_id) IS 'convert span_id to bytea';

CREATE CAST (bytea AS span_id) WITH FUNCTION span_id_from_bytea(bytea) AS ASSIGNMENT;
CREATE CAST (span_id AS bytea) WITH FUNCTION span_id_to_bytea(span_id) AS ASSIGNMENT;
CREATE CAST (bigint AS span_id) WITHOUT FUNCTION;
CREATE CAST (span_id AS bigint) WITHOUT FUNCTION;
COMMENT ON CAST (bytea AS span_id) IS 'the id of 8 bytes';
COMMENT ON CAST (span_id AS bytea) IS 'the 8 bytes of the id';
COMMENT ON CAST (bigint AS span_id) IS 'the id of the same 64 bits';
COMMENT ON CAST (span_id AS bigint) IS 'the number of the same 64 bits, which may be negative';
