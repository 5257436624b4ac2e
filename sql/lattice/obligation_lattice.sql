--
-- obligation_lattice: obligations, and what their witnesses have reported
--

-- @include io T=obligation_lattice

CREATE TYPE obligation_lattice (
	INPUT = obligation_lattice_in, OUTPUT = obligation_lattice_out,
	RECEIVE = obligation_lattice_recv, SEND = obligation_lattice_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE obligation_lattice IS 'obligations, and the state of each that each of its witnesses has reported';

-- @include order T=obligation_lattice C=obligation_lattice LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=obligation_lattice C=obligation_lattice SPACE=2048
-- @include json T=obligation_lattice

-- reporting

CREATE FUNCTION observe(l obligation_lattice, obligation text, node text, state lattice_state) RETURNS obligation_lattice
AS 'MODULE_PATHNAME', 'obligation_lattice_observe' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION observe(obligation_lattice, text, text, lattice_state) IS 'with one more report; it joins what the node reported before';

CREATE FUNCTION observe_transition(obligation_lattice, text, text, lattice_state) RETURNS obligation_lattice
AS 'MODULE_PATHNAME', 'obligation_lattice_observe_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION observe_transition(obligation_lattice, text, text, lattice_state) IS 'aggregate transition function';

CREATE AGGREGATE observe(obligation text, node text, state lattice_state) (
	SFUNC = observe_transition, STYPE = obligation_lattice, COMBINEFUNC = merge,
	PARALLEL = SAFE, SSPACE = 8192
);
COMMENT ON AGGREGATE observe(text, text, lattice_state) IS 'all reports; null if there are none';

-- reading

CREATE FUNCTION state(l obligation_lattice, obligation text) RETURNS lattice_state
AS 'MODULE_PATHNAME', 'obligation_lattice_state' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION state(obligation_lattice, text) IS 'join of what the witnesses of an obligation have reported';

CREATE FUNCTION obligations(l obligation_lattice) RETURNS text[]
AS 'MODULE_PATHNAME', 'obligation_lattice_obligations' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION obligations(obligation_lattice) IS 'the obligations, sorted by their bytes';

CREATE FUNCTION witnesses(l obligation_lattice, obligation text) RETURNS text[]
AS 'MODULE_PATHNAME', 'obligation_lattice_witnesses' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION witnesses(obligation_lattice, text) IS 'nodes that have reported on an obligation, sorted by their bytes';

CREATE FUNCTION entries(l obligation_lattice, OUT obligation text, OUT state lattice_state, OUT node text, OUT reported lattice_state) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'obligation_lattice_entries' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION entries(obligation_lattice) IS 'one row for each obligation and witness';

CREATE FUNCTION conflicts(l obligation_lattice, OUT obligation text, OUT state lattice_state, OUT node text, OUT reported lattice_state) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'obligation_lattice_conflicts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION conflicts(obligation_lattice) IS 'one row for each witness of an obligation that is in conflict';

-- asking whether

CREATE FUNCTION has_state(l obligation_lattice, state lattice_state) RETURNS boolean
AS 'MODULE_PATHNAME', 'obligation_lattice_has_state' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION has_state(obligation_lattice, lattice_state) IS 'is any obligation in that state?';

CREATE OPERATOR @@ (LEFTARG = obligation_lattice, RIGHTARG = lattice_state, FUNCTION = has_state, RESTRICT = matchingsel, JOIN = matchingjoinsel);
COMMENT ON OPERATOR @@ (obligation_lattice, lattice_state) IS 'is any obligation in that state?';

CREATE FUNCTION has_conflicts_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'obligation_lattice_has_conflicts_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION has_conflicts_support(internal) IS 'planner support of has_conflicts';

CREATE FUNCTION has_conflicts(l obligation_lattice) RETURNS boolean
AS 'MODULE_PATHNAME', 'obligation_lattice_has_conflicts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SUPPORT has_conflicts_support;
COMMENT ON FUNCTION has_conflicts(obligation_lattice) IS 'is any obligation in conflict?';

CREATE FUNCTION contains(l obligation_lattice, obligation text) RETURNS boolean
AS 'MODULE_PATHNAME', 'obligation_lattice_has' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contains(obligation_lattice, text) IS 'has anybody reported on the obligation?';

CREATE OPERATOR ? (LEFTARG = obligation_lattice, RIGHTARG = text, FUNCTION = contains, RESTRICT = matchingsel, JOIN = matchingjoinsel);
COMMENT ON OPERATOR ? (obligation_lattice, text) IS 'has anybody reported on the obligation?';

CREATE FUNCTION contains_all(l obligation_lattice, obligations text[]) RETURNS boolean
AS 'MODULE_PATHNAME', 'obligation_lattice_has_all' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contains_all(obligation_lattice, text[]) IS 'has anybody reported on each of the obligations?';

CREATE OPERATOR @> (LEFTARG = obligation_lattice, RIGHTARG = text[], FUNCTION = contains_all, RESTRICT = matchingsel, JOIN = matchingjoinsel);
COMMENT ON OPERATOR @> (obligation_lattice, text[]) IS 'has anybody reported on each of the obligations?';

CREATE FUNCTION contains_any(l obligation_lattice, obligations text[]) RETURNS boolean
AS 'MODULE_PATHNAME', 'obligation_lattice_has_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contains_any(obligation_lattice, text[]) IS 'has anybody reported on any of the obligations?';

CREATE OPERATOR && (LEFTARG = obligation_lattice, RIGHTARG = text[], FUNCTION = contains_any, RESTRICT = matchingsel, JOIN = matchingjoinsel);
COMMENT ON OPERATOR && (obligation_lattice, text[]) IS 'has anybody reported on any of the obligations?';

-- replication

CREATE FUNCTION delta(l obligation_lattice, other obligation_lattice) RETURNS obligation_lattice
AS 'MODULE_PATHNAME', 'obligation_lattice_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(obligation_lattice, obligation_lattice) IS 'the reports that another replica lacks';

-- indexes on obligations and states

CREATE FUNCTION obligation_gin_extract(obligation_lattice, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION obligation_gin_query(obligation_lattice, internal, smallint, internal, internal, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION obligation_gin_consistent(internal, smallint, obligation_lattice, integer, internal, internal, internal) RETURNS "char"
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION obligation_gin_extract(obligation_lattice, internal, internal) IS 'GIN support';
COMMENT ON FUNCTION obligation_gin_query(obligation_lattice, internal, smallint, internal, internal, internal, internal) IS 'GIN support';
COMMENT ON FUNCTION obligation_gin_consistent(internal, smallint, obligation_lattice, integer, internal, internal, internal) IS 'GIN support';

CREATE OPERATOR CLASS obligation_lattice_ops DEFAULT FOR TYPE obligation_lattice USING gin AS
	OPERATOR 9 ? (obligation_lattice, text),
	OPERATOR 7 @> (obligation_lattice, text[]),
	OPERATOR 3 && (obligation_lattice, text[]),
	OPERATOR 16 @@ (obligation_lattice, lattice_state),
	FUNCTION 1 pg_catalog.bttext_pattern_cmp(text, text),
	FUNCTION 2 obligation_gin_extract(obligation_lattice, internal, internal),
	FUNCTION 3 obligation_gin_query(obligation_lattice, internal, smallint, internal, internal, internal, internal),
	FUNCTION 6 obligation_gin_consistent(internal, smallint, obligation_lattice, integer, internal, internal, internal),
	STORAGE text;
COMMENT ON OPERATOR CLASS obligation_lattice_ops USING gin IS 'obligations, and the states that any of them is in';
COMMENT ON OPERATOR FAMILY obligation_lattice_ops USING gin IS 'obligations, and the states that any of them is in';
