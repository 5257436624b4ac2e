--
-- merge_status: the merged tables of a database
--

CREATE FUNCTION merge_status(OUT table_name regclass, OUT plain_columns text, OUT concurrent_update text,
	OUT key_columns text[], OUT lattice_columns text[], OUT stamped_columns text[],
	OUT inserted bigint, OUT merged bigint, OUT unchanged bigint, OUT conflicts bigint, OUT own_dots bigint,
	OUT incomplete bigint, OUT problems text[]) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION merge_status() IS 'the merged tables of this database, what became of rows that arrived there, and what is to be mended';
