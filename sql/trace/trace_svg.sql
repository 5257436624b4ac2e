--
-- trace_svg: pictures of traces
--

CREATE FUNCTION trace_svg(store name, trace_id trace_id, max_spans integer DEFAULT 1000) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION trace_svg(name, trace_id, integer) IS
	'timeline of a trace as SVG: a row for each span, the critical path, and what failed';
