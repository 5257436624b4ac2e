--
-- trace_flags: flags of a trace
--

-- @include io T=trace_flags

CREATE TYPE trace_flags (
	INPUT = trace_flags_in, OUTPUT = trace_flags_out, RECEIVE = trace_flags_recv, SEND = trace_flags_send,
	INTERNALLENGTH = 1, PASSEDBYVALUE, ALIGNMENT = char, STORAGE = plain
);
COMMENT ON TYPE trace_flags IS 'flags of a trace: a byte, written as 2 hexadecimal digits';

-- @include order T=trace_flags C=trace_flags LT=< LE=<= GE=>= GT=> LEAK=LEAKPROOF

CREATE FUNCTION is_sampled(flags trace_flags) RETURNS boolean
AS 'MODULE_PATHNAME', 'trace_flags_is_sampled' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION is_sampled(trace_flags) IS 'does the caller record the trace?';

CREATE FUNCTION is_debug(flags trace_flags) RETURNS boolean
AS 'MODULE_PATHNAME', 'trace_flags_is_debug' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION is_debug(trace_flags) IS 'is everything to be recorded?';

CREATE FUNCTION trace_flags_from_integer(integer) RETURNS trace_flags
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION trace_flags_to_integer(trace_flags) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION trace_flags_from_integer(integer) IS 'convert integer to trace_flags';
COMMENT ON FUNCTION trace_flags_to_integer(trace_flags) IS 'convert trace_flags to integer';

CREATE CAST (integer AS trace_flags) WITH FUNCTION trace_flags_from_integer(integer);
CREATE CAST (trace_flags AS integer) WITH FUNCTION trace_flags_to_integer(trace_flags) AS ASSIGNMENT;
COMMENT ON CAST (integer AS trace_flags) IS 'the flags of that number, 0 to 255';
COMMENT ON CAST (trace_flags AS integer) IS 'the flags as a number';
