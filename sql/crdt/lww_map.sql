--
-- lww_map: maps in which the last writer of each key wins
--

-- @include io T=lww_map

CREATE TYPE lww_map (
	INPUT = lww_map_in, OUTPUT = lww_map_out, RECEIVE = lww_map_recv, SEND = lww_map_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE lww_map IS 'last-writer-wins map: the last write of each key, or its removal';

-- @include order T=lww_map C=stamped_type LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=lww_map C=stamped_type SPACE=2048
-- @include json T=lww_map

-- writing

CREATE FUNCTION lww_map(document jsonb, at hlc, node text DEFAULT local_node()) RETURNS lww_map
AS 'MODULE_PATHNAME', 'lww_map_from_document' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION lww_map(jsonb, hlc, text) IS 'map of the members of a JSON object, written at one time; null removes a key';

CREATE FUNCTION put(map lww_map, key text, value text, at hlc, node text DEFAULT local_node()) RETURNS lww_map
AS 'MODULE_PATHNAME', 'lww_map_put' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION put(lww_map, text, text, hlc, text) IS 'write a key; a write that comes late changes nothing';

CREATE FUNCTION remove(map lww_map, key text, at hlc, node text DEFAULT local_node()) RETURNS lww_map
AS 'MODULE_PATHNAME', 'lww_map_remove' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION remove(lww_map, text, hlc, text) IS 'remove a key; a removal that comes late changes nothing';

-- reading

CREATE FUNCTION get(map lww_map, key text) RETURNS text
AS 'MODULE_PATHNAME', 'lww_map_get' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION get(lww_map, text) IS 'value of a key; null if it is missing or removed';

CREATE OPERATOR -> (LEFTARG = lww_map, RIGHTARG = text, FUNCTION = get);
COMMENT ON OPERATOR -> (lww_map, text) IS 'value of a key; null if it is missing or removed';

CREATE FUNCTION contains(map lww_map, key text) RETURNS boolean
AS 'MODULE_PATHNAME', 'lww_map_has' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contains(lww_map, text) IS 'does the key have a value?';

CREATE OPERATOR ? (LEFTARG = lww_map, RIGHTARG = text, FUNCTION = contains, RESTRICT = matchingsel, JOIN = matchingjoinsel);
COMMENT ON OPERATOR ? (lww_map, text) IS 'does the key have a value?';

CREATE FUNCTION keys(map lww_map) RETURNS text[]
AS 'MODULE_PATHNAME', 'lww_map_keys' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION keys(lww_map) IS 'keys that have a value, sorted by their bytes';

CREATE FUNCTION each(map lww_map, OUT key text, OUT value text, OUT at hlc, OUT node text) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'lww_map_each' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION each(lww_map) IS 'one row for each key that has a value';

CREATE FUNCTION document(map lww_map) RETURNS jsonb
AS 'MODULE_PATHNAME', 'lww_map_document' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION document(lww_map) IS 'keys and values, without stamps and removals';

-- replication

CREATE FUNCTION delta(map lww_map, other lww_map) RETURNS lww_map
AS 'MODULE_PATHNAME', 'stamped_type_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(lww_map, lww_map) IS 'the writes that another replica lacks';
