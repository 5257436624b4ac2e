
--
-- local_node: the name of this node
--

CREATE FUNCTION local_node() RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION local_node() IS 'name of this node: the setting distributed.node';
