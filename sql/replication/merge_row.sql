--
-- merge_row: the triggers of a merged table and of its companion
--

CREATE FUNCTION merge_row() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_row() IS 'trigger of merged tables: merge rows that arrive, stamp those that are written here';

CREATE FUNCTION merge_after() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_after() IS 'trigger of merged tables: keep what is to be known of rows that were deleted, and take it up where one is inserted again';

CREATE FUNCTION merge_removed() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_removed() IS 'trigger of companions of merged tables: merge what arrives there into the table, and let nobody else write';

CREATE FUNCTION merge_truncate() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_truncate() IS 'trigger of merged tables: refuse TRUNCATE';

-- The constraint of merged tables. One with the mark of a row that arrives has passed by the trigger.
CREATE FUNCTION is_merged(stamp row_stamp) RETURNS boolean
AS 'MODULE_PATHNAME', 'merge_row_is_merged' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION is_merged(row_stamp) IS 'true, or an error if a row has arrived and was not merged';

-- of version 1.0
CREATE FUNCTION is_present(presence ew_flag) RETURNS boolean
AS 'MODULE_PATHNAME', 'merge_row_is_present' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION is_present(ew_flag) IS 'is a row of a merged table of version 1.0 there, or was it removed?';

