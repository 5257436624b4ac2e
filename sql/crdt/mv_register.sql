--
-- mv_register: registers that keep concurrent values
--

-- @include io T=mv_register

CREATE TYPE mv_register (
	INPUT = mv_register_in, OUTPUT = mv_register_out, RECEIVE = mv_register_recv, SEND = mv_register_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE mv_register IS 'multi-value register: all values of concurrent writes';

-- @include order T=mv_register C=dot_type LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=mv_register C=dot_type SPACE=2048
-- @include json T=mv_register

-- writing

CREATE FUNCTION set(register mv_register, value text, node text DEFAULT local_node()) RETURNS mv_register
AS 'MODULE_PATHNAME', 'mv_register_set' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION set(mv_register, text, text) IS 'write a value in place of all that are seen';

-- reading

CREATE FUNCTION siblings(register mv_register) RETURNS text[]
AS 'MODULE_PATHNAME', 'mv_register_siblings' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION siblings(mv_register) IS 'the concurrent values, sorted by their bytes';

CREATE FUNCTION is_conflicted(register mv_register) RETURNS boolean
AS 'MODULE_PATHNAME', 'mv_register_is_conflicted' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION is_conflicted(mv_register) IS 'are there different concurrent values?';

-- replication

CREATE FUNCTION context(register mv_register) RETURNS vclock
AS 'MODULE_PATHNAME', 'dot_type_context' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION context(mv_register) IS 'what has been seen: of each node the dots without a gap';

CREATE FUNCTION delta(register mv_register, seen vclock) RETURNS mv_register
AS 'MODULE_PATHNAME', 'dot_type_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(mv_register, vclock) IS 'what a replica that has seen that context lacks';
