
--
-- trace_record: what became of a trace
--

CREATE FUNCTION nanoseconds_between(from_ns bigint, to_ns bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION nanoseconds_between(bigint, bigint) IS 'to_ns - from_ns, or the nearest bigint';

CREATE FUNCTION nanoseconds_interval(nanoseconds bigint) RETURNS interval
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION nanoseconds_interval(bigint) IS 'the whole microseconds of a duration';

CREATE FUNCTION trace_record_views() RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
SELECT $script$
CREATE VIEW @store@.trace_records AS
SELECT t.trace_id,
	(SELECT s.attributes ->> 'symbol.object_id' FROM @store@.spans s
		WHERE s.trace_id OPERATOR(@extension@.=) t.trace_id AND s.attributes ->> 'symbol.object_id' IS NOT NULL
		ORDER BY s.start_ns, s.span_id LIMIT 1) AS object_id,
	t.first_seen, t.last_updated,
	ARRAY(SELECT r.region FROM (
			SELECT coalesce(s.attributes ->> 'region', s.attributes ->> 'cloud.region',
				s.resource ->> 'region', s.resource ->> 'cloud.region') AS region, s.start_ns
			FROM @store@.spans s WHERE s.trace_id OPERATOR(@extension@.=) t.trace_id) r
		WHERE r.region IS NOT NULL
		GROUP BY r.region ORDER BY min(r.start_ns), r.region) AS regions,
	t.is_complete AS complete
FROM @store@.traces t;
COMMENT ON VIEW @store@.trace_records IS 'one row for each trace: its object, when it was seen, where it came through, whether it is over';

CREATE VIEW @store@.trace_summaries AS
SELECT r.trace_id, r.object_id, a.span_count,
	a.symbols_encoded, a.symbols_transmitted, a.symbols_received, a.symbols_dropped,
	@extension@.nanoseconds_interval(a.end_to_end_ns) AS end_to_end_latency,
	@extension@.nanoseconds_interval(a.encode_ns) AS encode_duration,
	@extension@.nanoseconds_interval(a.transmit_median_ns) AS transmit_duration_median,
	@extension@.nanoseconds_interval(a.decode_ns) AS decode_duration,
	r.regions,
	CASE WHEN t.is_symbolic THEN a.is_decoded ELSE t.is_complete AND NOT a.is_failed END AS success,
	a.error, a.end_to_end_ns, a.encode_ns, a.transmit_median_ns, a.decode_ns
FROM @store@.trace_records r
JOIN @store@.traces t ON t.trace_id OPERATOR(@extension@.=) r.trace_id
CROSS JOIN LATERAL (
	SELECT count(*) AS span_count,
		coalesce(sum(s.symbols) FILTER (WHERE s.kind IN ('encode', 'generate_repair')), 0)::bigint AS symbols_encoded,
		coalesce(sum(s.symbols) FILTER (WHERE s.kind IN ('transmit', 'retransmit')), 0)::bigint AS symbols_transmitted,
		coalesce(sum(s.symbols) FILTER (WHERE s.kind = 'receive'), 0)::bigint AS symbols_received,
		coalesce(sum(s.symbols) FILTER (WHERE s.status = 'dropped'), 0)::bigint AS symbols_dropped,
		@extension@.nanoseconds_between(min(s.start_ns) FILTER (WHERE s.kind = 'encode'),
			max(s.end_ns) FILTER (WHERE s.kind = 'decode')) AS end_to_end_ns,
		(array_agg(s.duration ORDER BY s.start_ns, s.span_id)
			FILTER (WHERE s.kind = 'encode' AND s.duration IS NOT NULL))[1] AS encode_ns,
		round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.duration)
			FILTER (WHERE s.kind IN ('transmit', 'retransmit')))::bigint AS transmit_median_ns,
		(array_agg(s.duration ORDER BY s.end_ns DESC, s.span_id)
			FILTER (WHERE s.kind = 'decode' AND s.duration IS NOT NULL))[1] AS decode_ns,
		coalesce(bool_or(s.kind = 'decode' AND s.status = 'ok' AND s.end_ns IS NOT NULL), false) AS is_decoded,
		coalesce(bool_or(s.parent_span_id IS NULL AND s.status = 'error'), false) AS is_failed,
		(array_agg(s.status_message ORDER BY s.start_ns, s.span_id)
			FILTER (WHERE s.status = 'error' AND s.status_message IS NOT NULL))[1] AS error
	FROM (SELECT v.*, @extension@.nanoseconds_between(v.start_ns, v.end_ns) AS duration,
			CASE WHEN v.attributes ->> 'symbol.count' ~ '^[0-9]{1,12}(\.0*)?$'
				THEN (v.attributes ->> 'symbol.count')::numeric ELSE 1 END AS symbols
		FROM @store@.spans v WHERE v.trace_id OPERATOR(@extension@.=) r.trace_id) s) a;
COMMENT ON VIEW @store@.trace_summaries IS 'one row for each trace: its symbols, how long they took, and whether they came through';
COMMENT ON COLUMN @store@.trace_summaries.end_to_end_latency IS 'from the start of the first encode span to the end of the last decode span';
COMMENT ON COLUMN @store@.trace_summaries.encode_duration IS 'of the first encode span that has ended';
COMMENT ON COLUMN @store@.trace_summaries.transmit_duration_median IS 'of the transmit and retransmit spans that have ended';
COMMENT ON COLUMN @store@.trace_summaries.decode_duration IS 'of the last decode span that has ended';
$script$
$function$;
COMMENT ON FUNCTION trace_record_views() IS 'script that makes the views of records and summaries of a trace store';

CREATE FUNCTION trace_record(store name, of_trace trace_id, OUT trace_id trace_id, OUT object_id text,
	OUT first_seen timestamptz, OUT last_updated timestamptz, OUT regions text[], OUT complete boolean) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 1;
COMMENT ON FUNCTION trace_record(name, trace_id) IS 'a trace''s object, when it was seen, where it came through, whether it is over';

CREATE FUNCTION trace_summary(store name, of_trace trace_id, OUT trace_id trace_id, OUT object_id text,
	OUT span_count bigint, OUT symbols_encoded bigint, OUT symbols_transmitted bigint, OUT symbols_received bigint,
	OUT symbols_dropped bigint, OUT end_to_end_latency interval, OUT encode_duration interval,
	OUT transmit_duration_median interval, OUT decode_duration interval, OUT regions text[], OUT success boolean,
	OUT error text, OUT end_to_end_ns bigint, OUT encode_ns bigint, OUT transmit_median_ns bigint, OUT decode_ns bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 1;
COMMENT ON FUNCTION trace_summary(name, trace_id) IS 'a trace''s symbols, how long they took, and whether they came through';
