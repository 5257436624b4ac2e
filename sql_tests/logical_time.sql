-- A time of any of the logical clocks.

\set SHOW_CONTEXT never

-- text
SELECT t, t::logical_time FROM (VALUES ('{"lamport": 5}'), ('{"lamport": 0}'), ('{"lamport": 9223372036854775807}'),
	('{"vector": {}}'), ('{"vector": {"b": 1, "a": 2, "c": 0}}'), ('{"hybrid": "17.0"}'),
	('{"hybrid": "2026-11-22 15:00:00.5+02"}'), (' { "hybrid" : "2026-11-22T13:00:00.123456789Z/7" } ')) v (t);

-- malformed
SELECT ''::logical_time;
SELECT '5'::logical_time;
SELECT '{}'::logical_time;
SELECT '[]'::logical_time;
SELECT '{"lamport": 1, "vector": {}}'::logical_time;
SELECT '{"lamport": 1, "lamport": 1}'::logical_time;
SELECT '{"lamport": 1, "node": "a"}'::logical_time;
SELECT '{"lamport": "1"}'::logical_time;
SELECT '{"lamport": 1.5}'::logical_time;
SELECT '{"lamport": -1}'::logical_time;
SELECT '{"lamport": 9223372036854775808}'::logical_time;
SELECT '{"vector": [1]}'::logical_time;
SELECT '{"vector": {"a": 1, "a": 2}}'::logical_time;
SELECT '{"vector": {"": 1}}'::logical_time;
SELECT '{"hybrid": 17}'::logical_time;
SELECT '{"hybrid": "17"}'::logical_time;
SELECT '{"hybrid": "2026-02-30T00:00:00Z"}'::logical_time;
SELECT '{"Lamport": 1}'::logical_time;

-- casts: implicit from what it may be, explicit back
SELECT lamport '5'::logical_time AS lamport, vclock '{"a": 1}'::logical_time AS vector, hlc '17.3'::logical_time AS hybrid;
SELECT kind(lamport '5'), kind(vclock '{"a": 1}'), kind(hlc '17.3');
SELECT '{"lamport": 5}'::logical_time::lamport, '{"vector": {"a": 1}}'::logical_time::vclock, '{"hybrid": "17.3"}'::logical_time::hlc;
SELECT '{"lamport": 5}'::logical_time::vclock;
SELECT '{"vector": {}}'::logical_time::hlc;
SELECT '{"hybrid": "1.1"}'::logical_time::lamport;
SELECT t::jsonb, t::json, t::jsonb::logical_time = t AS same
FROM unnest('{"{\"lamport\": 5}","{\"vector\": {\"a\": 1}}","{\"hybrid\": \"17.3\"}"}'::logical_time[]) t;
SELECT to_jsonb(t) FROM (VALUES ('{"lamport": 5}'::logical_time)) v (t);

-- causal order: only vectors tell
WITH times (n, t) AS (VALUES (1, '{"lamport": 5}'::logical_time), (2, '{"lamport": 6}'), (3, '{"vector": {"a": 1}}'),
	(4, '{"vector": {"a": 2}}'), (5, '{"vector": {"b": 1}}'), (6, '{"hybrid": "17.3"}'), (7, '{"hybrid": "18.0"}'))
SELECT a.t AS a, string_agg(causal_order(a.t, b.t)::text, ' ' ORDER BY b.n) AS to_1_7 FROM times a, times b GROUP BY a.n, a.t ORDER BY a.n;
SELECT causal_order(vclock '{"a": 1}', '{"vector": {"a": 2}}'::logical_time) AS mixed_types, causal_order(hlc '1.0', lamport '7'),
	causal_order('{"a": 1}', '{"a": 2}') AS untyped_is_vclock;
SELECT tick('{}', 'x') AS untyped_is_vclock, receive('{"a": 1}', '{"b": 2}', 'x') AS untyped_is_vclock;

-- order: by kind, then causes before effects
SELECT t FROM (VALUES ('{"hybrid": "17.3"}'::logical_time), ('{"vector": {"a": 1, "b": 1}}'), ('{"lamport": 9223372036854775807}'),
	('{"hybrid": "-5.0"}'), ('{"vector": {"a": 1}}'), ('{"lamport": 0}'), ('{"hybrid": "17.2"}'), ('{"vector": {}}'),
	('{"vector": {"a": 9223372036854775807, "b": 9223372036854775807}}'), ('{"lamport": 3}'), ('{"lamport": 2}')) v (t) ORDER BY t;

-- its comparison operators, indexes and hash agree with that order; seed 42
SELECT setseed(0.42) \g /dev/null
CREATE TABLE logical_times AS
SELECT i, CASE i % 3 WHEN 0 THEN floor(random() * 50)::bigint::lamport::logical_time
	WHEN 1 THEN merge(vclock('n1', floor(random() * 9)::bigint), vclock('n2', floor(random() * 9)::bigint))::logical_time
	ELSE (floor(random() * 40) - 20 || '.' || floor(random() * 3))::hlc::logical_time END AS t
FROM generate_series(1, 600) i;
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE (a.t #<# b.t)::integer + (a.t = b.t)::integer + (a.t #># b.t)::integer <> 1) AS not_total,
	count(*) FILTER (WHERE (a.t #<=# b.t) <> (a.t #<# b.t OR a.t = b.t) OR (a.t #>=# b.t) <> (a.t #># b.t OR a.t = b.t)
		OR (a.t <> b.t) = (a.t = b.t)) AS disagree,
	count(*) FILTER (WHERE (a.t = b.t) <> (logical_time_send(a.t) = logical_time_send(b.t))) AS not_canonical,
	count(*) FILTER (WHERE a.t = b.t AND logical_time_hash(a.t) <> logical_time_hash(b.t)) AS hash_differs,
	count(*) FILTER (WHERE causal_order(a.t, b.t) = 'before' AND NOT a.t #<# b.t) AS effect_first
FROM logical_times a, logical_times b;
SELECT count(*) FILTER (WHERE t #<# before) AS out_of_order FROM (SELECT t, lag(t) OVER (ORDER BY t) FROM logical_times) s (t, before);
SELECT count(*) FILTER (WHERE t::text::logical_time <> t OR t::jsonb::logical_time <> t) AS text_differs FROM logical_times;
CREATE INDEX ON logical_times USING btree (t);
CREATE INDEX ON logical_times USING hash (t);
SET enable_seqscan = off;
SELECT count(*) = (SELECT count(*) FROM logical_times b, logical_times a WHERE a.i = 7 AND b.t #<=# a.t) AS by_index
FROM logical_times WHERE t #<=# (SELECT t FROM logical_times WHERE i = 7);
RESET enable_seqscan;

-- binary
SELECT logical_time_send(t) FROM unnest('{"{\"lamport\": 5}","{\"vector\": {\"a\": 1}}","{\"hybrid\": \"17.3\"}"}'::logical_time[]) t;
CREATE TABLE logical_copies (LIKE logical_times);
SELECT current_setting('data_directory') || '/distributed_logical.' || pg_backend_pid() AS file \gset
COPY logical_times TO :'file' (FORMAT binary);
SELECT format('cat %1$L && rm %1$L', :'file') AS command \gset
COPY logical_copies FROM PROGRAM :'command' (FORMAT binary);
SELECT count(*), count(*) FILTER (WHERE a.t = b.t) AS same FROM logical_times a FULL JOIN logical_copies b USING (i);
DROP TABLE logical_times, logical_copies;

-- sizes as stored: 4 (1 on disk) + 1 + 8, the clock's, or 12
SELECT pg_column_size(lamport '5'::logical_time), pg_column_size(vclock '{"a": 1}'::logical_time) - pg_column_size(vclock '{"a": 1}') AS more,
	pg_column_size(hlc '17.3'::logical_time);
