--
-- jaeger: traces as Jaeger's user interface loads them
--

CREATE FUNCTION to_jaeger(store name, trace_id trace_id) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION to_jaeger(name, trace_id) IS 'a trace as the JSON that Jaeger''s user interface loads';
