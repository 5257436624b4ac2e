--
-- ew_flag: flags whose enabling wins
--

-- @include io T=ew_flag

CREATE TYPE ew_flag (
	INPUT = ew_flag_in, OUTPUT = ew_flag_out, RECEIVE = ew_flag_recv, SEND = ew_flag_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main
);
COMMENT ON TYPE ew_flag IS 'flag: enabling wins over a concurrent disabling';

-- @include order T=ew_flag C=dot_type LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=ew_flag C=dot_type SPACE=2048
-- @include json T=ew_flag

-- changing

CREATE FUNCTION enable(flag ew_flag, node text DEFAULT local_node()) RETURNS ew_flag
AS 'MODULE_PATHNAME', 'ew_flag_enable' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION enable(ew_flag, text) IS 'switch the flag on';

-- This makes no dot: the node is checked, but makes no difference.
CREATE FUNCTION disable(flag ew_flag) RETURNS ew_flag
AS 'MODULE_PATHNAME', 'ew_flag_disable' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION disable(ew_flag) IS 'switch the flag off';

CREATE FUNCTION disable(flag ew_flag, node text) RETURNS ew_flag
AS 'MODULE_PATHNAME', 'ew_flag_disable' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION disable(ew_flag, text) IS 'switch the flag off';

-- reading

CREATE FUNCTION value(flag ew_flag) RETURNS boolean
AS 'MODULE_PATHNAME', 'ew_flag_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION value(ew_flag) IS 'is the flag on?';

-- replication

CREATE FUNCTION context(flag ew_flag) RETURNS vclock
AS 'MODULE_PATHNAME', 'dot_type_context' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION context(ew_flag) IS 'what has been seen: of each node the dots without a gap';

CREATE FUNCTION delta(flag ew_flag, seen vclock) RETURNS ew_flag
AS 'MODULE_PATHNAME', 'dot_type_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(ew_flag, vclock) IS 'what a replica that has seen that context lacks';
