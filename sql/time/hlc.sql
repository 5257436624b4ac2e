
--
-- hlc: hybrid logical timestamps
--

-- @include io T=hlc

CREATE TYPE hlc (
	INPUT = hlc_in, OUTPUT = hlc_out, RECEIVE = hlc_recv, SEND = hlc_send,
	INTERNALLENGTH = 12, ALIGNMENT = int4, CATEGORY = 'L'
);
COMMENT ON TYPE hlc IS 'hybrid logical timestamp: nanoseconds since 1970 and a logical counter';

-- @include order T=hlc C=hlc LT=< LE=<= GE=>= GT=> LEAK=LEAKPROOF
-- @include scalar T=hlc

CREATE FUNCTION hlc(physical timestamptz, logical bigint DEFAULT 0) RETURNS hlc
AS 'MODULE_PATHNAME', 'hlc_make' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hlc(timestamptz, bigint) IS 'timestamp of a time and a logical counter';

CREATE FUNCTION physical(hlc) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'hlc_physical' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION physical(hlc) IS 'the physical part, rounded down to a microsecond';

CREATE FUNCTION nanoseconds(hlc) RETURNS bigint
AS 'MODULE_PATHNAME', 'hlc_nanoseconds' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nanoseconds(hlc) IS 'the physical part: nanoseconds since 1970-01-01 UTC';

CREATE FUNCTION logical(hlc) RETURNS bigint
AS 'MODULE_PATHNAME', 'hlc_logical' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION logical(hlc) IS 'the logical counter: 0 to 2^32-1';

CREATE CAST (hlc AS timestamptz) WITH FUNCTION physical(hlc) AS ASSIGNMENT;
COMMENT ON CAST (hlc AS timestamptz) IS 'the physical part, rounded down to a microsecond';

CREATE FUNCTION hlc_minus(hlc, hlc) RETURNS interval
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hlc_minus(hlc, hlc) IS 'implementation of - operator';

CREATE OPERATOR - (LEFTARG = hlc, RIGHTARG = hlc, FUNCTION = hlc_minus);
COMMENT ON OPERATOR - (hlc, hlc) IS 'physical time between two timestamps';

CREATE FUNCTION tick(clock hlc, now timestamptz) RETURNS hlc
AS 'MODULE_PATHNAME', 'hlc_tick_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tick(hlc, timestamptz) IS 'the timestamp of the next event, at the given physical time';

CREATE FUNCTION receive(local hlc, remote hlc, now timestamptz) RETURNS hlc
AS 'MODULE_PATHNAME', 'hlc_receive_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION receive(hlc, hlc, timestamptz) IS 'the timestamp of receiving a message, at the given physical time';

CREATE FUNCTION hlc_seconds_between(hlc, hlc) RETURNS double precision
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hlc_seconds_between(hlc, hlc) IS 'seconds from the second to the first, for range statistics';

CREATE TYPE hlcrange AS RANGE (
	SUBTYPE = hlc, SUBTYPE_OPCLASS = hlc_ops, SUBTYPE_DIFF = hlc_seconds_between
);
COMMENT ON TYPE hlcrange IS 'range of hybrid logical timestamps';
COMMENT ON FUNCTION hlcrange(hlc, hlc) IS 'range from the first up to, without, the second';
COMMENT ON FUNCTION hlcrange(hlc, hlc, text) IS 'range with the given bounds, such as []';

-- Multiranges come with the range.
-- @since 14
COMMENT ON TYPE hlcmultirange IS 'multirange of hybrid logical timestamps';
COMMENT ON CAST (hlcrange AS hlcmultirange) IS 'multirange of one range';
COMMENT ON FUNCTION hlcmultirange() IS 'the empty multirange';
COMMENT ON FUNCTION hlcmultirange(hlcrange) IS 'multirange of one range';
COMMENT ON FUNCTION hlcmultirange(hlcrange[]) IS 'multirange of several ranges';
-- @end
