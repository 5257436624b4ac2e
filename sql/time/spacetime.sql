-- pictures of a causal log

CREATE FUNCTION spacetime_svg(log regclass, origin text DEFAULT NULL, seq bigint DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'spacetime_svg' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION spacetime_svg(regclass, text, bigint) IS
	'space-time diagram of a causal log as SVG, with the past and future of a chosen event';

CREATE FUNCTION to_dot(log regclass) RETURNS text
AS 'MODULE_PATHNAME', 'spacetime_dot' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION to_dot(regclass) IS 'events of a causal log and their direct causes, for Graphviz';

CREATE FUNCTION to_mermaid(log regclass) RETURNS text
AS 'MODULE_PATHNAME', 'spacetime_mermaid' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION to_mermaid(regclass) IS 'events of a causal log and their direct causes, for Mermaid';
