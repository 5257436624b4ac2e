
--
-- merge_setup: having servers send their rows to one another
--

-- Not strict: without tables, all that are merged.
CREATE FUNCTION create_merge_publication(name name, tables regclass[] DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION create_merge_publication(name, regclass[]) IS 'publish merged tables to servers that merge, or bring the publication up to date';

-- by itself, since an upgrade from 1.0 makes it anew
-- @fragment replication/merge_commands
