--
-- critical_path: where the time of traces went
--

CREATE FUNCTION critical_path(store name, trace_id trace_id,
	OUT span_id span_id, OUT section_start bigint, OUT section_end bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 100;
COMMENT ON FUNCTION critical_path(name, trace_id) IS 'what a trace waited for, from its end back; nanoseconds since 1970';

CREATE FUNCTION critical_path_summary(store name, from_time timestamptz DEFAULT '-infinity', until_time timestamptz DEFAULT 'infinity',
	OUT service_name text, OUT operation text, OUT traces bigint, OUT sections bigint, OUT self_ns bigint, OUT share double precision) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'critical_path_summary_between' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 100;
CREATE FUNCTION critical_path_summary(store name, trace_ids trace_id[],
	OUT service_name text, OUT operation text, OUT traces bigint, OUT sections bigint, OUT self_ns bigint, OUT share double precision) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'critical_path_summary_of' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10000 ROWS 100;
COMMENT ON FUNCTION critical_path_summary(name, timestamptz, timestamptz) IS 'which operations the traces that start in a time range waited for';
COMMENT ON FUNCTION critical_path_summary(name, trace_id[]) IS 'which operations some traces waited for';

CREATE FUNCTION self_time(store name, trace_id trace_id,
	OUT span_id span_id, OUT service_name text, OUT name text, OUT duration_ns bigint, OUT self_ns bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION self_time(name, trace_id) IS 'how long each span lasted, and for how long of that no child of it ran';

CREATE FUNCTION service_graph(store name, from_time timestamptz DEFAULT '-infinity', until_time timestamptz DEFAULT 'infinity',
	OUT caller text, OUT callee text, OUT calls bigint, OUT errors bigint, OUT mean_ns bigint, OUT max_ns bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 100;
COMMENT ON FUNCTION service_graph(name, timestamptz, timestamptz) IS 'which service calls which, in the traces that start in a time range';
