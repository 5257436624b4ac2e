--
-- merge_nodes
--

CREATE FUNCTION stable_removals() RETURNS vclock
AS 'MODULE_PATHNAME' LANGUAGE C STABLE;
