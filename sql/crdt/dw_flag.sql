--
-- dw_flag: flags whose disabling wins
--

-- @include io T=dw_flag

CREATE TYPE dw_flag (
	INPUT = dw_flag_in, OUTPUT = dw_flag_out, RECEIVE = dw_flag_recv, SEND = dw_flag_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main
);
COMMENT ON TYPE dw_flag IS 'flag: disabling wins over a concurrent enabling';

-- @include order T=dw_flag C=dot_type LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=dw_flag C=dot_type SPACE=2048
-- @include json T=dw_flag

-- changing

-- This makes no dot: the node is checked, but makes no difference.
CREATE FUNCTION enable(flag dw_flag) RETURNS dw_flag
AS 'MODULE_PATHNAME', 'dw_flag_enable' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION enable(dw_flag) IS 'switch the flag on';

CREATE FUNCTION enable(flag dw_flag, node text) RETURNS dw_flag
AS 'MODULE_PATHNAME', 'dw_flag_enable' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION enable(dw_flag, text) IS 'switch the flag on';

CREATE FUNCTION disable(flag dw_flag, node text DEFAULT local_node()) RETURNS dw_flag
AS 'MODULE_PATHNAME', 'dw_flag_disable' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION disable(dw_flag, text) IS 'switch the flag off';

-- reading

CREATE FUNCTION value(flag dw_flag) RETURNS boolean
AS 'MODULE_PATHNAME', 'dw_flag_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION value(dw_flag) IS 'is the flag on?';

-- replication

CREATE FUNCTION context(flag dw_flag) RETURNS vclock
AS 'MODULE_PATHNAME', 'dot_type_context' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION context(dw_flag) IS 'what has been seen: of each node the dots without a gap';

CREATE FUNCTION delta(flag dw_flag, seen vclock) RETURNS dw_flag
AS 'MODULE_PATHNAME', 'dot_type_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(dw_flag, vclock) IS 'what a replica that has seen that context lacks';
