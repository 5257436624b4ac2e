--
-- merge_table: making tables merged ones
--

CREATE FUNCTION enable_merge("table" regclass, plain_columns text DEFAULT 'lww', concurrent_update text DEFAULT 'keep') RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION enable_merge(regclass, text, text) IS 'from now on, merge rows of a table that arrive by logical replication';

CREATE FUNCTION disable_merge("table" regclass, drop_columns boolean DEFAULT true) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION disable_merge(regclass, boolean) IS 'make a merged table an ordinary one again';

CREATE FUNCTION merge_status(OUT table_name regclass, OUT plain_columns text, OUT concurrent_update text,
	OUT key_columns text[], OUT lattice_columns text[], OUT stamped_columns text[],
	OUT inserted bigint, OUT merged bigint, OUT unchanged bigint, OUT conflicts bigint, OUT own_dots bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION merge_status() IS 'the merged tables of this database, and what became of rows that arrived there';

CREATE FUNCTION merge_live_delete() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_live_delete() IS 'trigger of views of merged tables: remove the row from its table';
