
-- Total order of @T@: comparison, btree and hash.

CREATE FUNCTION @T@_eq(@T@, @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@C@_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION @T@_ne(@T@, @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@C@_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION @T@_lt(@T@, @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@C@_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE @LEAK@;
CREATE FUNCTION @T@_le(@T@, @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@C@_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE @LEAK@;
CREATE FUNCTION @T@_gt(@T@, @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@C@_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE @LEAK@;
CREATE FUNCTION @T@_ge(@T@, @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@C@_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE @LEAK@;
CREATE FUNCTION @T@_cmp(@T@, @T@) RETURNS integer
AS 'MODULE_PATHNAME', '@C@_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE @LEAK@;
CREATE FUNCTION @T@_sortsupport(internal) RETURNS void
AS 'MODULE_PATHNAME', '@C@_sortsupport' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION @T@_hash(@T@) RETURNS integer
AS 'MODULE_PATHNAME', '@C@_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION @T@_hash_extended(@T@, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', '@C@_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @T@_eq(@T@, @T@) IS 'implementation of = operator';
COMMENT ON FUNCTION @T@_ne(@T@, @T@) IS 'implementation of <> operator';
COMMENT ON FUNCTION @T@_lt(@T@, @T@) IS 'implementation of @LT@ operator';
COMMENT ON FUNCTION @T@_le(@T@, @T@) IS 'implementation of @LE@ operator';
COMMENT ON FUNCTION @T@_gt(@T@, @T@) IS 'implementation of @GT@ operator';
COMMENT ON FUNCTION @T@_ge(@T@, @T@) IS 'implementation of @GE@ operator';
COMMENT ON FUNCTION @T@_cmp(@T@, @T@) IS 'less-equal-greater';
COMMENT ON FUNCTION @T@_sortsupport(internal) IS 'sort support';
COMMENT ON FUNCTION @T@_hash(@T@) IS 'hash';
COMMENT ON FUNCTION @T@_hash_extended(@T@, bigint) IS 'hash with a seed';

CREATE OPERATOR = (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = @T@_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = @T@_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR @LT@ (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = @T@_lt,
	COMMUTATOR = @GT@, NEGATOR = @GE@, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR @LE@ (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = @T@_le,
	COMMUTATOR = @GE@, NEGATOR = @GT@, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR @GT@ (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = @T@_gt,
	COMMUTATOR = @LT@, NEGATOR = @LE@, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR @GE@ (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = @T@_ge,
	COMMUTATOR = @LE@, NEGATOR = @LT@, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

COMMENT ON OPERATOR = (@T@, @T@) IS 'equal';
COMMENT ON OPERATOR <> (@T@, @T@) IS 'not equal';
COMMENT ON OPERATOR @LT@ (@T@, @T@) IS 'sorts before';
COMMENT ON OPERATOR @LE@ (@T@, @T@) IS 'sorts before, or equal';
COMMENT ON OPERATOR @GT@ (@T@, @T@) IS 'sorts after';
COMMENT ON OPERATOR @GE@ (@T@, @T@) IS 'sorts after, or equal';

CREATE OPERATOR CLASS @T@_ops DEFAULT FOR TYPE @T@ USING btree AS
	OPERATOR 1 @LT@,
	OPERATOR 2 @LE@,
	OPERATOR 3 =,
	OPERATOR 4 @GE@,
	OPERATOR 5 @GT@,
	FUNCTION 1 @T@_cmp(@T@, @T@),
	FUNCTION 2 @T@_sortsupport(internal),
	FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS @T@_ops USING btree IS 'total order of @T@';
COMMENT ON OPERATOR FAMILY @T@_ops USING btree IS 'total order of @T@';

CREATE OPERATOR CLASS @T@_ops DEFAULT FOR TYPE @T@ USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 @T@_hash(@T@),
	FUNCTION 2 @T@_hash_extended(@T@, bigint);
COMMENT ON OPERATOR CLASS @T@_ops USING hash IS 'equality of @T@';
COMMENT ON OPERATOR FAMILY @T@_ops USING hash IS 'equality of @T@';
