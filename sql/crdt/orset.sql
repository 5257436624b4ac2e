--
-- orset: observed-remove sets
--

-- @include io T=orset

CREATE TYPE orset (
	INPUT = orset_in, OUTPUT = orset_out, RECEIVE = orset_recv, SEND = orset_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE orset IS 'observed-remove set: additions win over concurrent removals';

-- @include order T=orset C=dot_type LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=orset C=dot_type SPACE=2048
-- @include json T=orset

-- changing

CREATE FUNCTION add(set orset, element text, node text DEFAULT local_node()) RETURNS orset
AS 'MODULE_PATHNAME', 'orset_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION add(orset, text, text) IS 'add an element';

CREATE FUNCTION orset_plus(orset, text) RETURNS orset
AS 'MODULE_PATHNAME', 'orset_add' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION orset_plus(orset, text) IS 'implementation of + operator';

CREATE OPERATOR + (LEFTARG = orset, RIGHTARG = text, FUNCTION = orset_plus);
COMMENT ON OPERATOR + (orset, text) IS 'add an element at the local node';

CREATE FUNCTION remove(set orset, element text) RETURNS orset
AS 'MODULE_PATHNAME', 'orset_remove' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION remove(orset, text) IS 'remove an element, as far as its additions are seen';

CREATE OPERATOR - (LEFTARG = orset, RIGHTARG = text, FUNCTION = remove);
COMMENT ON OPERATOR - (orset, text) IS 'remove an element';

CREATE FUNCTION clear(set orset) RETURNS orset
AS 'MODULE_PATHNAME', 'orset_clear' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clear(orset) IS 'remove all elements, as far as their additions are seen';

-- A partial state is a set of its own rows, and sets are united by those: not
-- by merge, for parallel workers number the same dots.

CREATE FUNCTION orset_agg_transition(orset, text, text) RETURNS orset
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION orset_agg_combine(orset, orset) RETURNS orset
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION orset_agg_transition(orset, text, text) IS 'aggregate transition function';
COMMENT ON FUNCTION orset_agg_combine(orset, orset) IS 'aggregate combine function';

CREATE AGGREGATE orset_agg(element text, node text) (
	SFUNC = orset_agg_transition, STYPE = orset, COMBINEFUNC = orset_agg_combine,
	PARALLEL = SAFE, SSPACE = 8192
);
COMMENT ON AGGREGATE orset_agg(text, text) IS 'new set of elements, each added by its node';

-- reading

CREATE FUNCTION contains(set orset, element text) RETURNS boolean
AS 'MODULE_PATHNAME', 'orset_has' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contains(orset, text) IS 'is the element in the set?';

CREATE OPERATOR ? (LEFTARG = orset, RIGHTARG = text, FUNCTION = contains, RESTRICT = matchingsel, JOIN = matchingjoinsel);
COMMENT ON OPERATOR ? (orset, text) IS 'is the element in the set?';

CREATE FUNCTION contains_all(set orset, elements text[]) RETURNS boolean
AS 'MODULE_PATHNAME', 'orset_has_all' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contains_all(orset, text[]) IS 'are all elements in the set?';

CREATE OPERATOR @> (LEFTARG = orset, RIGHTARG = text[], FUNCTION = contains_all, RESTRICT = matchingsel, JOIN = matchingjoinsel);
COMMENT ON OPERATOR @> (orset, text[]) IS 'are all elements in the set?';

CREATE FUNCTION contains_any(set orset, elements text[]) RETURNS boolean
AS 'MODULE_PATHNAME', 'orset_has_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contains_any(orset, text[]) IS 'is any of the elements in the set?';

CREATE OPERATOR && (LEFTARG = orset, RIGHTARG = text[], FUNCTION = contains_any, RESTRICT = matchingsel, JOIN = matchingjoinsel);
COMMENT ON OPERATOR && (orset, text[]) IS 'is any of the elements in the set?';

CREATE FUNCTION elements(set orset) RETURNS text[]
AS 'MODULE_PATHNAME', 'orset_elements' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elements(orset) IS 'the elements, sorted by their bytes';

CREATE FUNCTION cardinality(set orset) RETURNS integer
AS 'MODULE_PATHNAME', 'orset_cardinality' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cardinality(orset) IS 'number of elements';

CREATE FUNCTION each(set orset, OUT element text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'orset_each' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION each(orset) IS 'one row for each element';

-- replication

CREATE FUNCTION context(set orset) RETURNS vclock
AS 'MODULE_PATHNAME', 'dot_type_context' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION context(orset) IS 'what has been seen: of each node the dots without a gap';

CREATE FUNCTION delta(set orset, seen vclock) RETURNS orset
AS 'MODULE_PATHNAME', 'dot_type_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(orset, vclock) IS 'what a replica that has seen that context lacks';
