--
-- merge_table: making tables merged ones
--

CREATE FUNCTION enable_merge("table" regclass, plain_columns text DEFAULT 'lww', concurrent_update text DEFAULT 'keep', prune boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION enable_merge(regclass, text, text, boolean) IS 'from now on, merge rows of a table that arrive by logical replication';

CREATE FUNCTION disable_merge("table" regclass, drop_columns boolean DEFAULT true) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION disable_merge(regclass, boolean) IS 'make a merged table an ordinary one again';

CREATE FUNCTION merge_live_delete() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_live_delete() IS 'of version 1.0, which had views of merged tables: an error';
