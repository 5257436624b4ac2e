
-- What every timestamp has besides an order: extremes, BRIN.

CREATE FUNCTION @T@_larger(@T@, @T@) RETURNS @T@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION @T@_smaller(@T@, @T@) RETURNS @T@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @T@_larger(@T@, @T@) IS 'the later of two';
COMMENT ON FUNCTION @T@_smaller(@T@, @T@) IS 'the earlier of two';

CREATE AGGREGATE max(@T@) (
	SFUNC = @T@_larger, STYPE = @T@, COMBINEFUNC = @T@_larger, PARALLEL = SAFE, SORTOP = >
);
CREATE AGGREGATE min(@T@) (
	SFUNC = @T@_smaller, STYPE = @T@, COMBINEFUNC = @T@_smaller, PARALLEL = SAFE, SORTOP = <
);
COMMENT ON AGGREGATE max(@T@) IS 'the latest of all @T@ input values';
COMMENT ON AGGREGATE min(@T@) IS 'the earliest of all @T@ input values';

CREATE OPERATOR CLASS @T@_minmax_ops DEFAULT FOR TYPE @T@ USING brin AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 pg_catalog.brin_minmax_opcinfo(internal),
	FUNCTION 2 pg_catalog.brin_minmax_add_value(internal, internal, internal, internal),
	FUNCTION 3 pg_catalog.brin_minmax_consistent(internal, internal, internal),
	FUNCTION 4 pg_catalog.brin_minmax_union(internal, internal, internal),
	STORAGE @T@;
COMMENT ON OPERATOR CLASS @T@_minmax_ops USING brin IS 'earliest and latest @T@ of a block range';
COMMENT ON OPERATOR FAMILY @T@_minmax_ops USING brin IS 'earliest and latest @T@ of a block range';
