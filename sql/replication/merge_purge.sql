--
-- merge_purge: free the rows that were removed, once everyone has seen that
--

CREATE FUNCTION purge_removed("table" regclass, stable vclock DEFAULT stable_removals()) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION purge_removed(regclass, vclock) IS 'delete the rows of a merged table that were removed, and are known to be by everyone; how many';
