
--
-- vclock: vector clocks
--

CREATE TYPE causal_order AS ENUM ('before', 'after', 'equal', 'concurrent');
COMMENT ON TYPE causal_order IS 'how one event stands to another under happened-before';

-- @include io T=vclock

-- Clocks are read whenever they are compared, so they stay in the row if they can.
-- The types of time have a category of their own, L: among them, text of no type
-- is taken for a vector clock.
CREATE TYPE vclock (
	INPUT = vclock_in, OUTPUT = vclock_out, RECEIVE = vclock_recv, SEND = vclock_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main,
	CATEGORY = 'L', PREFERRED = true
);
COMMENT ON TYPE vclock IS 'vector clock: number of known events of each node';

-- @include order T=vclock C=vclock LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=vclock C=vclock SPACE=2048
-- @include json T=vclock

-- making and changing

CREATE FUNCTION vclock(node text, counter bigint) RETURNS vclock
AS 'MODULE_PATHNAME', 'vclock_make' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vclock(text, bigint) IS 'clock that knows of one node only';

CREATE FUNCTION tick(clock vclock, node text DEFAULT local_node()) RETURNS vclock
AS 'MODULE_PATHNAME', 'vclock_tick' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tick(vclock, text) IS 'the clock of the next event of a node';

CREATE FUNCTION advance(clock vclock, node text, counter bigint) RETURNS vclock
AS 'MODULE_PATHNAME', 'vclock_advance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION advance(vclock, text, bigint) IS 'raise one counter to at least the given one';

CREATE FUNCTION receive(local vclock, remote vclock, node text DEFAULT local_node()) RETURNS vclock
AS 'MODULE_PATHNAME', 'vclock_receive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION receive(vclock, vclock, text) IS 'the clock of receiving a message: merge, then tick';

CREATE FUNCTION project(clock vclock, nodes text[]) RETURNS vclock
AS 'MODULE_PATHNAME', 'vclock_project' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION project(vclock, text[]) IS 'the clock restricted to some nodes';

-- reading

CREATE FUNCTION get(clock vclock, node text) RETURNS bigint
AS 'MODULE_PATHNAME', 'vclock_get' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION get(vclock, text) IS 'counter of a node, 0 if absent';

CREATE OPERATOR -> (LEFTARG = vclock, RIGHTARG = text, FUNCTION = get);
COMMENT ON OPERATOR -> (vclock, text) IS 'counter of a node, 0 if absent';

CREATE FUNCTION nodes(clock vclock) RETURNS text[]
AS 'MODULE_PATHNAME', 'vclock_nodes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nodes(vclock) IS 'nodes that count at least 1, sorted by their bytes';

CREATE FUNCTION node_count(clock vclock) RETURNS integer
AS 'MODULE_PATHNAME', 'vclock_node_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION node_count(vclock) IS 'number of nodes that count at least 1';

CREATE FUNCTION is_zero(clock vclock) RETURNS boolean
AS 'MODULE_PATHNAME', 'vclock_is_zero' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION is_zero(vclock) IS 'does the clock know of no event?';

CREATE FUNCTION total(clock vclock) RETURNS numeric
AS 'MODULE_PATHNAME', 'vclock_total' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION total(vclock) IS 'sum of all counters';

CREATE FUNCTION each(clock vclock, OUT node text, OUT counter bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'vclock_each' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8;
COMMENT ON FUNCTION each(vclock) IS 'one row for each node and its counter';

-- causal order

CREATE FUNCTION causal_order(a vclock, b vclock) RETURNS causal_order
AS 'MODULE_PATHNAME', 'vclock_causal_order' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION causal_order(vclock, vclock) IS 'how a stands to b: before, after, equal or concurrent';

CREATE FUNCTION vclock_before(vclock, vclock) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vclock_after(vclock, vclock) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vclock_concurrent(vclock, vclock) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vclock_before(vclock, vclock) IS 'implementation of << operator';
COMMENT ON FUNCTION vclock_after(vclock, vclock) IS 'implementation of >> operator';
COMMENT ON FUNCTION vclock_concurrent(vclock, vclock) IS 'implementation of || operator';

CREATE OPERATOR << (
	LEFTARG = vclock, RIGHTARG = vclock, FUNCTION = vclock_before,
	COMMUTATOR = >>, RESTRICT = matchingsel, JOIN = matchingjoinsel
);
CREATE OPERATOR >> (
	LEFTARG = vclock, RIGHTARG = vclock, FUNCTION = vclock_after,
	COMMUTATOR = <<, RESTRICT = matchingsel, JOIN = matchingjoinsel
);
CREATE OPERATOR || (
	LEFTARG = vclock, RIGHTARG = vclock, FUNCTION = vclock_concurrent,
	COMMUTATOR = ||, RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR << (vclock, vclock) IS 'happened before';
COMMENT ON OPERATOR >> (vclock, vclock) IS 'happened after';
COMMENT ON OPERATOR || (vclock, vclock) IS 'concurrent: neither happened before the other';

-- greatest lower bound

CREATE FUNCTION meet(vclock, vclock) RETURNS vclock
AS 'MODULE_PATHNAME', 'vclock_meet_with' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meet(vclock, vclock) IS 'what both have seen: the lesser counter of each node';

CREATE OPERATOR & (LEFTARG = vclock, RIGHTARG = vclock, FUNCTION = meet, COMMUTATOR = &);
COMMENT ON OPERATOR & (vclock, vclock) IS 'meet: what both have seen';

CREATE AGGREGATE meet(vclock) (
	SFUNC = meet, STYPE = vclock, COMBINEFUNC = meet, PARALLEL = SAFE, SSPACE = 2048
);
COMMENT ON AGGREGATE meet(vclock) IS 'what everyone has seen; null if there are no clocks';

-- replication

CREATE FUNCTION context(clock vclock) RETURNS vclock
AS 'MODULE_PATHNAME', 'vclock_context' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION context(vclock) IS 'what has been seen: the clock itself';

CREATE FUNCTION delta(clock vclock, seen vclock) RETURNS vclock
AS 'MODULE_PATHNAME', 'vclock_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(vclock, vclock) IS 'what a replica that has seen that context lacks';
