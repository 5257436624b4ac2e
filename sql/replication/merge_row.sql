--
-- merge_row: the triggers of a merged table
--

CREATE FUNCTION merge_row() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_row() IS 'trigger of merged tables: merge rows that arrive, stamp those that are written here';

CREATE FUNCTION merge_truncate() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_truncate() IS 'trigger of merged tables: refuse TRUNCATE';

CREATE FUNCTION is_present(presence ew_flag) RETURNS boolean
AS 'MODULE_PATHNAME', 'merge_row_is_present' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION is_present(ew_flag) IS 'is a row of a merged table there, or was it removed?';
