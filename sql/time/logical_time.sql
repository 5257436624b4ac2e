
--
-- logical_time: a time of any of the logical clocks
--

CREATE TYPE logical_clock_kind AS ENUM ('lamport', 'vector', 'hybrid');
COMMENT ON TYPE logical_clock_kind IS 'kind of a logical clock';

-- @include io T=logical_time

CREATE TYPE logical_time (
	INPUT = logical_time_in, OUTPUT = logical_time_out,
	RECEIVE = logical_time_recv, SEND = logical_time_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main, CATEGORY = 'L'
);
COMMENT ON TYPE logical_time IS 'time of a logical clock: Lamport, vector or hybrid';

-- @include order T=logical_time C=logical_time LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include json T=logical_time

CREATE FUNCTION logical_time(lamport) RETURNS logical_time
AS 'MODULE_PATHNAME', 'logical_time_lamport' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION logical_time(vclock) RETURNS logical_time
AS 'MODULE_PATHNAME', 'logical_time_vclock' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION logical_time(hlc) RETURNS logical_time
AS 'MODULE_PATHNAME', 'logical_time_hlc' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION logical_time(lamport) IS 'convert lamport to logical_time';
COMMENT ON FUNCTION logical_time(vclock) IS 'convert vclock to logical_time';
COMMENT ON FUNCTION logical_time(hlc) IS 'convert hlc to logical_time';

CREATE CAST (lamport AS logical_time) WITH FUNCTION logical_time(lamport) AS IMPLICIT;
CREATE CAST (vclock AS logical_time) WITH FUNCTION logical_time(vclock) AS IMPLICIT;
CREATE CAST (hlc AS logical_time) WITH FUNCTION logical_time(hlc) AS IMPLICIT;
COMMENT ON CAST (lamport AS logical_time) IS 'a logical time of kind lamport';
COMMENT ON CAST (vclock AS logical_time) IS 'a logical time of kind vector';
COMMENT ON CAST (hlc AS logical_time) IS 'a logical time of kind hybrid';

CREATE FUNCTION logical_time_as_lamport(logical_time) RETURNS lamport
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION logical_time_as_vclock(logical_time) RETURNS vclock
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION logical_time_as_hlc(logical_time) RETURNS hlc
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION logical_time_as_lamport(logical_time) IS 'convert logical_time to lamport';
COMMENT ON FUNCTION logical_time_as_vclock(logical_time) IS 'convert logical_time to vclock';
COMMENT ON FUNCTION logical_time_as_hlc(logical_time) IS 'convert logical_time to hlc';

CREATE CAST (logical_time AS lamport) WITH FUNCTION logical_time_as_lamport(logical_time);
CREATE CAST (logical_time AS vclock) WITH FUNCTION logical_time_as_vclock(logical_time);
CREATE CAST (logical_time AS hlc) WITH FUNCTION logical_time_as_hlc(logical_time);
COMMENT ON CAST (logical_time AS lamport) IS 'the Lamport timestamp that it must be';
COMMENT ON CAST (logical_time AS vclock) IS 'the vector clock that it must be';
COMMENT ON CAST (logical_time AS hlc) IS 'the hybrid timestamp that it must be';

CREATE FUNCTION kind(clock logical_time) RETURNS logical_clock_kind
AS 'MODULE_PATHNAME', 'logical_time_kind' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION kind(logical_time) IS 'which kind of clock the time is of';

CREATE FUNCTION causal_order(a logical_time, b logical_time) RETURNS causal_order
AS 'MODULE_PATHNAME', 'logical_time_causal_order' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION causal_order(logical_time, logical_time) IS 'how a stands to b: vectors compare, all else is concurrent';
