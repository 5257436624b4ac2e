--
-- or_map: add-wins maps of multi-value registers
--

-- @include io T=or_map

CREATE TYPE or_map (
	INPUT = or_map_in, OUTPUT = or_map_out, RECEIVE = or_map_recv, SEND = or_map_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE or_map IS 'add-wins map: all values of concurrent writes of each key';

-- @include order T=or_map C=dot_type LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=or_map C=dot_type SPACE=2048
-- @include json T=or_map

-- changing

CREATE FUNCTION put(map or_map, key text, value text, node text DEFAULT local_node()) RETURNS or_map
AS 'MODULE_PATHNAME', 'or_map_put' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION put(or_map, text, text, text) IS 'give a key a value in place of all that it is seen to have';

CREATE FUNCTION remove(map or_map, key text) RETURNS or_map
AS 'MODULE_PATHNAME', 'or_map_remove' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION remove(or_map, text) IS 'remove a key, as far as its values are seen';

-- reading

CREATE FUNCTION get(map or_map, key text) RETURNS text[]
AS 'MODULE_PATHNAME', 'or_map_get' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION get(or_map, text) IS 'the concurrent values of a key, sorted by their bytes; null if it is missing';

CREATE OPERATOR -> (LEFTARG = or_map, RIGHTARG = text, FUNCTION = get);
COMMENT ON OPERATOR -> (or_map, text) IS 'the concurrent values of a key; null if it is missing';

CREATE FUNCTION contains(map or_map, key text) RETURNS boolean
AS 'MODULE_PATHNAME', 'or_map_has' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contains(or_map, text) IS 'is the key in the map?';

CREATE OPERATOR ? (LEFTARG = or_map, RIGHTARG = text, FUNCTION = contains, RESTRICT = matchingsel, JOIN = matchingjoinsel);
COMMENT ON OPERATOR ? (or_map, text) IS 'is the key in the map?';

CREATE FUNCTION keys(map or_map) RETURNS text[]
AS 'MODULE_PATHNAME', 'or_map_keys' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION keys(or_map) IS 'the keys, sorted by their bytes';

CREATE FUNCTION each(map or_map, OUT key text, OUT "values" text[]) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'or_map_each' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION each(or_map) IS 'one row for each key and its concurrent values';

-- replication

CREATE FUNCTION context(map or_map) RETURNS vclock
AS 'MODULE_PATHNAME', 'dot_type_context' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION context(or_map) IS 'what has been seen: of each node the dots without a gap';

CREATE FUNCTION delta(map or_map, seen vclock) RETURNS or_map
AS 'MODULE_PATHNAME', 'dot_type_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(or_map, vclock) IS 'what a replica that has seen that context lacks';
