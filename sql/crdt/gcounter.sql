--
-- gcounter: grow-only counters
--

-- @include io T=gcounter

CREATE TYPE gcounter (
	INPUT = gcounter_in, OUTPUT = gcounter_out, RECEIVE = gcounter_recv, SEND = gcounter_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main
);
COMMENT ON TYPE gcounter IS 'grow-only counter: a count of each node, and their sum';

-- @include order T=gcounter C=gcounter LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=gcounter C=gcounter SPACE=2048
-- @include json T=gcounter

-- counting

CREATE FUNCTION increment(counter gcounter, by bigint DEFAULT 1, node text DEFAULT local_node()) RETURNS gcounter
AS 'MODULE_PATHNAME', 'gcounter_increment' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION increment(gcounter, bigint, text) IS 'count further at a node';

CREATE FUNCTION gcounter_plus(gcounter, bigint) RETURNS gcounter
AS 'MODULE_PATHNAME', 'gcounter_increment' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gcounter_plus(gcounter, bigint) IS 'implementation of + operator';

CREATE OPERATOR + (LEFTARG = gcounter, RIGHTARG = bigint, FUNCTION = gcounter_plus);
COMMENT ON OPERATOR + (gcounter, bigint) IS 'count further at the local node';

-- reading

CREATE FUNCTION value(counter gcounter) RETURNS numeric
AS 'MODULE_PATHNAME', 'gcounter_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION value(gcounter) IS 'the count: the sum over all nodes';

CREATE FUNCTION get(counter gcounter, node text) RETURNS bigint
AS 'MODULE_PATHNAME', 'gcounter_get' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION get(gcounter, text) IS 'count of one node, 0 if absent';

CREATE FUNCTION gcounter_to_bigint(gcounter) RETURNS bigint
AS 'MODULE_PATHNAME', 'gcounter_to_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gcounter_to_bigint(gcounter) IS 'the count as bigint';

CREATE CAST (gcounter AS numeric) WITH FUNCTION value(gcounter) AS ASSIGNMENT;
COMMENT ON CAST (gcounter AS numeric) IS 'the count';
CREATE CAST (gcounter AS bigint) WITH FUNCTION gcounter_to_bigint(gcounter) AS ASSIGNMENT;
COMMENT ON CAST (gcounter AS bigint) IS 'the count';

-- replication

CREATE FUNCTION delta(counter gcounter, other gcounter) RETURNS gcounter
AS 'MODULE_PATHNAME', 'gcounter_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(gcounter, gcounter) IS 'the counts that another replica lacks';
