--
-- pncounter: counters that go up and down
--

-- @include io T=pncounter

CREATE TYPE pncounter (
	INPUT = pncounter_in, OUTPUT = pncounter_out, RECEIVE = pncounter_recv, SEND = pncounter_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main
);
COMMENT ON TYPE pncounter IS 'counter: increments and decrements of each node';

-- @include order T=pncounter C=pncounter LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=pncounter C=pncounter SPACE=2048
-- @include json T=pncounter

-- counting

CREATE FUNCTION increment(counter pncounter, by bigint DEFAULT 1, node text DEFAULT local_node()) RETURNS pncounter
AS 'MODULE_PATHNAME', 'pncounter_increment' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION increment(pncounter, bigint, text) IS 'count up at a node';

CREATE FUNCTION decrement(counter pncounter, by bigint DEFAULT 1, node text DEFAULT local_node()) RETURNS pncounter
AS 'MODULE_PATHNAME', 'pncounter_decrement' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decrement(pncounter, bigint, text) IS 'count down at a node';

CREATE FUNCTION pncounter_plus(pncounter, bigint) RETURNS pncounter
AS 'MODULE_PATHNAME', 'pncounter_increment' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pncounter_plus(pncounter, bigint) IS 'implementation of + operator';

CREATE FUNCTION pncounter_minus(pncounter, bigint) RETURNS pncounter
AS 'MODULE_PATHNAME', 'pncounter_decrement' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pncounter_minus(pncounter, bigint) IS 'implementation of - operator';

CREATE OPERATOR + (LEFTARG = pncounter, RIGHTARG = bigint, FUNCTION = pncounter_plus);
COMMENT ON OPERATOR + (pncounter, bigint) IS 'count up at the local node';

CREATE OPERATOR - (LEFTARG = pncounter, RIGHTARG = bigint, FUNCTION = pncounter_minus);
COMMENT ON OPERATOR - (pncounter, bigint) IS 'count down at the local node';

CREATE FUNCTION reset(counter pncounter, node text DEFAULT local_node()) RETURNS pncounter
AS 'MODULE_PATHNAME', 'pncounter_reset' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION reset(pncounter, text) IS 'take back what has been observed; concurrent changes keep their effect';

-- reading

CREATE FUNCTION value(counter pncounter) RETURNS numeric
AS 'MODULE_PATHNAME', 'pncounter_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION value(pncounter) IS 'the count: all increments less all decrements';

CREATE FUNCTION get(counter pncounter, node text) RETURNS bigint
AS 'MODULE_PATHNAME', 'pncounter_get' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION get(pncounter, text) IS 'what one node contributes, 0 if absent';

CREATE FUNCTION pncounter_to_bigint(pncounter) RETURNS bigint
AS 'MODULE_PATHNAME', 'pncounter_to_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pncounter_to_bigint(pncounter) IS 'the count as bigint';

CREATE CAST (pncounter AS numeric) WITH FUNCTION value(pncounter) AS ASSIGNMENT;
COMMENT ON CAST (pncounter AS numeric) IS 'the count';
CREATE CAST (pncounter AS bigint) WITH FUNCTION pncounter_to_bigint(pncounter) AS ASSIGNMENT;
COMMENT ON CAST (pncounter AS bigint) IS 'the count';

-- replication

CREATE FUNCTION delta(counter pncounter, other pncounter) RETURNS pncounter
AS 'MODULE_PATHNAME', 'pncounter_delta' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION delta(pncounter, pncounter) IS 'the counts that another replica lacks';
