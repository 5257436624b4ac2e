
-- What every lattice type has: merge and inclusion.  C is what the names of
-- its C functions begin with.

CREATE FUNCTION merge(@T@, @T@) RETURNS @T@
AS 'MODULE_PATHNAME', '@C@_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION merge(@T@, @T@) IS 'join: the least value that includes both';

CREATE AGGREGATE merge(@T@) (
	SFUNC = merge, STYPE = @T@, COMBINEFUNC = merge, PARALLEL = SAFE, SSPACE = @SPACE@
);
COMMENT ON AGGREGATE merge(@T@) IS 'join of all values; null if there are none';

CREATE OPERATOR | (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = merge, COMMUTATOR = |
);
COMMENT ON OPERATOR | (@T@, @T@) IS 'merge: the least value that includes both';

CREATE FUNCTION @T@_contained(@T@, @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@C@_contained' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION @T@_contains(@T@, @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@C@_contains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @T@_contained(@T@, @T@) IS 'implementation of <@ operator';
COMMENT ON FUNCTION @T@_contains(@T@, @T@) IS 'implementation of @> operator';

CREATE OPERATOR <@ (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = @T@_contained,
	COMMUTATOR = @>, RESTRICT = matchingsel, JOIN = matchingjoinsel
);
CREATE OPERATOR @> (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = @T@_contains,
	COMMUTATOR = <@, RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <@ (@T@, @T@) IS 'is already included in';
COMMENT ON OPERATOR @> (@T@, @T@) IS 'already includes';
