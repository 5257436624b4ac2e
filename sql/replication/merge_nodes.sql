--
-- merge_nodes
--

CREATE FUNCTION stable_removals() RETURNS vclock
AS 'MODULE_PATHNAME' LANGUAGE C STABLE;
CREATE TABLE merge_nodes (node text PRIMARY KEY, seen vclock NOT NULL);
