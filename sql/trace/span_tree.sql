--
-- span_tree: the spans of a trace as a tree
--

CREATE TYPE span_node AS (
	span_id span_id, parent_span_id span_id, depth integer, enter integer, leave integer, finding text,
	service_name text, name text, kind span_kind, status span_status, start_ns bigint, end_ns bigint,
	skew_ns bigint, adjusted_start_ns bigint, adjusted_end_ns bigint
);
COMMENT ON TYPE span_node IS 'a span in its tree: b is below a if b.enter > a.enter and b.leave <= a.leave; skew_ns is what to add to its times';

CREATE FUNCTION span_tree(store name, trace_id trace_id) RETURNS SETOF span_node
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION span_tree(name, trace_id) IS 'the spans of a trace in depth-first order';

CREATE FUNCTION children(store name, trace_id trace_id, span_id span_id) RETURNS SETOF span_node
AS 'MODULE_PATHNAME', 'span_tree_children' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION children(name, trace_id, span_id) IS 'the spans whose parent is a span';

CREATE FUNCTION descendants(store name, trace_id trace_id, span_id span_id) RETURNS SETOF span_node
AS 'MODULE_PATHNAME', 'span_tree_descendants' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 100;
COMMENT ON FUNCTION descendants(name, trace_id, span_id) IS 'the spans below a span';

CREATE FUNCTION ancestors(store name, trace_id trace_id, span_id span_id) RETURNS SETOF span_node
AS 'MODULE_PATHNAME', 'span_tree_ancestors' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION ancestors(name, trace_id, span_id) IS 'the spans above a span, the root first';

CREATE FUNCTION siblings(store name, trace_id trace_id, span_id span_id) RETURNS SETOF span_node
AS 'MODULE_PATHNAME', 'span_tree_siblings' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION siblings(name, trace_id, span_id) IS 'the other spans that name the parent of a span';

CREATE FUNCTION trace_findings(store name, trace_id trace_id,
	OUT finding text, OUT span_id span_id, OUT explanation text) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION trace_findings(name, trace_id) IS 'what is odd about a trace: missing parents, cycles, several roots, repeated ids, clocks that differ';
