--
-- trace_retention: forgetting old traces
--

-- Not strict: either limit may be left out.
CREATE FUNCTION evict_traces(store name, max_traces bigint DEFAULT NULL, max_age interval DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION evict_traces(name, bigint, interval) IS 'delete traces that are too many or too old, complete and old ones first; how many';

CREATE FUNCTION drop_trace_partitions(store name, until_time timestamptz) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION drop_trace_partitions(name, timestamptz) IS 'drop the empty partitions of the time before; how many';
