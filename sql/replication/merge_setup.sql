
--
-- merge_setup: having servers send their rows to one another
--

-- Not strict: without tables, all that are merged.
CREATE FUNCTION create_merge_publication(name name, tables regclass[] DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION create_merge_publication(name, regclass[]) IS 'publish merged tables to servers that merge, or bring the publication up to date';

CREATE FUNCTION merge_subscription_commands(peers jsonb, topology text DEFAULT 'mesh', publication name DEFAULT 'merge', center text DEFAULT NULL, joining text DEFAULT NULL)
RETURNS TABLE (step integer, node text, command text, remark text)
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION merge_subscription_commands(jsonb, text, name, text, text) IS 'the commands, in order, by which servers come to merge one another''s rows';
