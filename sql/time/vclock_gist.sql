
--
-- vclock_gist: GiST index on vector clocks
--

CREATE TYPE vclock_box;

CREATE FUNCTION vclock_box_in(cstring) RETURNS vclock_box
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vclock_box_out(vclock_box) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vclock_box_in(cstring) IS 'I/O';
COMMENT ON FUNCTION vclock_box_out(vclock_box) IS 'I/O';

-- Not compressed: keys are small and read often.
CREATE TYPE vclock_box (
	INPUT = vclock_box_in, OUTPUT = vclock_box_out,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = external
);
COMMENT ON TYPE vclock_box IS 'key of a GiST index on vector clocks; not for use in tables';

CREATE FUNCTION vclock_gist_consistent(internal, vclock, smallint, oid, internal) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vclock_gist_union(internal, internal) RETURNS vclock_box
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vclock_gist_compress(internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vclock_gist_penalty(internal, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vclock_gist_picksplit(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vclock_gist_same(vclock_box, vclock_box, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vclock_gist_sortsupport(internal) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vclock_gist_consistent(internal, vclock, smallint, oid, internal) IS 'GiST support';
COMMENT ON FUNCTION vclock_gist_union(internal, internal) IS 'GiST support';
COMMENT ON FUNCTION vclock_gist_compress(internal) IS 'GiST support';
COMMENT ON FUNCTION vclock_gist_penalty(internal, internal, internal) IS 'GiST support';
COMMENT ON FUNCTION vclock_gist_picksplit(internal, internal) IS 'GiST support';
COMMENT ON FUNCTION vclock_gist_same(vclock_box, vclock_box, internal) IS 'GiST support';
COMMENT ON FUNCTION vclock_gist_sortsupport(internal) IS 'GiST support';

CREATE OPERATOR CLASS vclock_gist_ops DEFAULT FOR TYPE vclock USING gist AS
	OPERATOR 1 <<,
	OPERATOR 2 >>,
	OPERATOR 3 ||,
	OPERATOR 4 <@,
	OPERATOR 5 @>,
	OPERATOR 6 =,
	FUNCTION 1 vclock_gist_consistent(internal, vclock, smallint, oid, internal),
	FUNCTION 2 vclock_gist_union(internal, internal),
	FUNCTION 3 vclock_gist_compress(internal),
	FUNCTION 5 vclock_gist_penalty(internal, internal, internal),
	FUNCTION 6 vclock_gist_picksplit(internal, internal),
	FUNCTION 7 vclock_gist_same(vclock_box, vclock_box, internal),
	STORAGE vclock_box;
COMMENT ON OPERATOR CLASS vclock_gist_ops USING gist IS 'causal order of vector clocks';
COMMENT ON OPERATOR FAMILY vclock_gist_ops USING gist IS 'causal order of vector clocks';

-- Building by sorting.
-- @since 14
ALTER OPERATOR FAMILY vclock_gist_ops USING gist ADD
	FUNCTION 11 (vclock) vclock_gist_sortsupport(internal);
-- @end
