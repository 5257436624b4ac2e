--
-- lww_register: registers in which the last writer wins
--

-- @include io T=lww_register

CREATE TYPE lww_register (
	INPUT = lww_register_in, OUTPUT = lww_register_out, RECEIVE = lww_register_recv, SEND = lww_register_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE lww_register IS 'last-writer-wins register: a value, its time and its node';

-- @include order T=lww_register C=stamped_type LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=lww_register C=stamped_type SPACE=2048
-- @include json T=lww_register

-- writing

CREATE FUNCTION lww_register(value text, at hlc, node text DEFAULT local_node()) RETURNS lww_register
AS 'MODULE_PATHNAME', 'lww_register_make' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lww_register(text, hlc, text) IS 'register with one write';

CREATE FUNCTION set(register lww_register, value text, at hlc, node text DEFAULT local_node()) RETURNS lww_register
AS 'MODULE_PATHNAME', 'lww_register_set' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION set(lww_register, text, hlc, text) IS 'write a value; a write that comes late changes nothing';

-- reading

CREATE FUNCTION value(register lww_register) RETURNS text
AS 'MODULE_PATHNAME', 'lww_register_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION value(lww_register) IS 'the value; null if never written';

CREATE FUNCTION stamp(register lww_register) RETURNS hlc
AS 'MODULE_PATHNAME', 'lww_register_stamp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION stamp(lww_register) IS 'when the value was written';

CREATE FUNCTION node(register lww_register) RETURNS text
AS 'MODULE_PATHNAME', 'lww_register_node' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION node(lww_register) IS 'where the value was written';
