--
-- key_gin: GIN indexes on the elements of sets and the keys of maps
--

CREATE FUNCTION key_gin_extract(orset, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'key_gin_extract' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION key_gin_query(orset, internal, smallint, internal, internal, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'key_gin_query' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION key_gin_consistent(internal, smallint, orset, integer, internal, internal, internal) RETURNS "char"
AS 'MODULE_PATHNAME', 'key_gin_consistent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION key_gin_extract(orset, internal, internal) IS 'GIN support';
COMMENT ON FUNCTION key_gin_query(orset, internal, smallint, internal, internal, internal, internal) IS 'GIN support';
COMMENT ON FUNCTION key_gin_consistent(internal, smallint, orset, integer, internal, internal, internal) IS 'GIN support';

CREATE OPERATOR CLASS orset_ops DEFAULT FOR TYPE orset USING gin AS
	OPERATOR 9 ? (orset, text),
	OPERATOR 7 @> (orset, text[]),
	OPERATOR 3 && (orset, text[]),
	FUNCTION 1 pg_catalog.bttext_pattern_cmp(text, text),
	FUNCTION 2 key_gin_extract(orset, internal, internal),
	FUNCTION 3 key_gin_query(orset, internal, smallint, internal, internal, internal, internal),
	FUNCTION 6 key_gin_consistent(internal, smallint, orset, integer, internal, internal, internal),
	STORAGE text;
COMMENT ON OPERATOR CLASS orset_ops USING gin IS 'elements of orset';
COMMENT ON OPERATOR FAMILY orset_ops USING gin IS 'elements of orset';

CREATE FUNCTION key_gin_extract(or_map, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'key_gin_extract' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION key_gin_query(or_map, internal, smallint, internal, internal, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'key_gin_query' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION key_gin_consistent(internal, smallint, or_map, integer, internal, internal, internal) RETURNS "char"
AS 'MODULE_PATHNAME', 'key_gin_consistent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION key_gin_extract(or_map, internal, internal) IS 'GIN support';
COMMENT ON FUNCTION key_gin_query(or_map, internal, smallint, internal, internal, internal, internal) IS 'GIN support';
COMMENT ON FUNCTION key_gin_consistent(internal, smallint, or_map, integer, internal, internal, internal) IS 'GIN support';

CREATE OPERATOR CLASS or_map_ops DEFAULT FOR TYPE or_map USING gin AS
	OPERATOR 9 ? (or_map, text),
	FUNCTION 1 pg_catalog.bttext_pattern_cmp(text, text),
	FUNCTION 2 key_gin_extract(or_map, internal, internal),
	FUNCTION 3 key_gin_query(or_map, internal, smallint, internal, internal, internal, internal),
	FUNCTION 6 key_gin_consistent(internal, smallint, or_map, integer, internal, internal, internal),
	STORAGE text;
COMMENT ON OPERATOR CLASS or_map_ops USING gin IS 'keys of or_map';
COMMENT ON OPERATOR FAMILY or_map_ops USING gin IS 'keys of or_map';

CREATE FUNCTION key_gin_extract(lww_map, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'key_gin_extract' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION key_gin_query(lww_map, internal, smallint, internal, internal, internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'key_gin_query' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION key_gin_consistent(internal, smallint, lww_map, integer, internal, internal, internal) RETURNS "char"
AS 'MODULE_PATHNAME', 'key_gin_consistent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION key_gin_extract(lww_map, internal, internal) IS 'GIN support';
COMMENT ON FUNCTION key_gin_query(lww_map, internal, smallint, internal, internal, internal, internal) IS 'GIN support';
COMMENT ON FUNCTION key_gin_consistent(internal, smallint, lww_map, integer, internal, internal, internal) IS 'GIN support';

CREATE OPERATOR CLASS lww_map_ops DEFAULT FOR TYPE lww_map USING gin AS
	OPERATOR 9 ? (lww_map, text),
	FUNCTION 1 pg_catalog.bttext_pattern_cmp(text, text),
	FUNCTION 2 key_gin_extract(lww_map, internal, internal),
	FUNCTION 3 key_gin_query(lww_map, internal, smallint, internal, internal, internal, internal),
	FUNCTION 6 key_gin_consistent(internal, smallint, lww_map, integer, internal, internal, internal),
	STORAGE text;
COMMENT ON OPERATOR CLASS lww_map_ops USING gin IS 'keys of lww_map';
COMMENT ON OPERATOR FAMILY lww_map_ops USING gin IS 'keys of lww_map';
