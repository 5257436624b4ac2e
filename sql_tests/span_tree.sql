-- The spans of a trace as a tree: numbering, relatives, oddities, clock skew.

\set SHOW_CONTEXT never
CREATE SCHEMA span_tree_test;
SET search_path = span_tree_test, public;
SELECT create_trace_store('My Store') AS store;
CREATE FUNCTION span(number bigint) RETURNS span_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT number::span_id $$;
CREATE FUNCTION trace(number bigint) RETURNS trace_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT lpad(to_hex(number), 32, '0')::trace_id $$;
CREATE FUNCTION number(id span_id) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT id::bigint $$;
-- spans of one trace, as an array of {span, parent (0: none), start, end (0: none)}
CREATE FUNCTION make_trace(number bigint, spans bigint[]) RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns)
	SELECT trace(number), span(spans[i][1]), span(nullif(spans[i][2], 0)), 'op ' || spans[i][1], spans[i][3], nullif(spans[i][4], 0)
	FROM generate_subscripts(spans, 1) i;
	SELECT array_length(spans, 1)::bigint $$;

-- 1 starts 2, 3 and 4; 3 starts 5 and 6, 5 starts 7; they arrive in no order
SELECT make_trace(1, '{{6,3,30,35},{7,5,26,27},{4,1,60,80},{1,0,10,100},{5,3,25,29},{2,1,12,20},{3,1,20,50}}');
SELECT number(span_id), number(parent_span_id) AS parent, depth, enter, leave, finding, service_name, name, kind, status, start_ns, end_ns FROM span_tree('My Store', trace(1));
SELECT pg_typeof(span_id), pg_typeof(parent_span_id), pg_typeof(kind), pg_typeof(status), skew_ns, adjusted_start_ns, adjusted_end_ns FROM span_tree('My Store', trace(1)) LIMIT 1;
CREATE FUNCTION relatives(trace_number bigint, span_number bigint, OUT children bigint[], OUT descendants bigint[], OUT ancestors bigint[], OUT siblings bigint[]) LANGUAGE sql AS $$
	SELECT ARRAY(SELECT number(span_id) FROM children('My Store', trace(trace_number), span(span_number))),
		ARRAY(SELECT number(span_id) FROM descendants('My Store', trace(trace_number), span(span_number))),
		ARRAY(SELECT number(span_id) FROM ancestors('My Store', trace(trace_number), span(span_number))),
		ARRAY(SELECT number(span_id) FROM siblings('My Store', trace(trace_number), span(span_number))) $$;
SELECT i AS span, r.* FROM generate_series(1, 7) i, relatives(1, i) r ORDER BY i;
-- relatives are the same rows
SELECT count(*), count(*) FILTER (WHERE r = t) AS same FROM descendants('My Store', trace(1), span(3)) r JOIN span_tree('My Store', trace(1)) t USING (span_id);
SELECT count(*) FROM trace_findings('My Store', trace(1));

-- kinds and states, each
INSERT INTO "My Store".spans (trace_id, span_id, name, start_ns, kind, status)
SELECT trace(2), span(row_number() OVER ()), 'x', 0, k, s FROM unnest(enum_range(NULL::span_kind)) k, unnest(enum_range(NULL::span_status)) s;
SELECT count(*), count(*) FILTER (WHERE t.kind = s.kind AND t.status = s.status) AS same
FROM span_tree('My Store', trace(2)) t JOIN "My Store".spans s USING (span_id) WHERE s.trace_id = trace(2);

-- ties: by id, which has no sign
SELECT make_trace(3, '{{-1,0,5,6},{3,-1,5,6},{2,-1,5,6},{-2,-1,5,6},{9,-1,4,6}}');
SELECT span_id, enter, leave FROM span_tree('My Store', trace(3));

-- parents that did not come: 3 and 4 name one, 6 another; 8 has not ended
SELECT make_trace(4, '{{1,0,10,50},{2,1,20,30},{3,77,15,25},{4,77,16,17},{5,3,18,19},{6,78,5,6},{8,1,40,0}}');
SELECT number(span_id), number(parent_span_id) AS parent, depth, enter, leave, finding, start_ns, end_ns FROM span_tree('My Store', trace(4));
SELECT finding, number(span_id), explanation FROM trace_findings('My Store', trace(4));
SELECT i AS span, r.* FROM generate_series(1, 6) i, relatives(4, i) r ORDER BY i;

-- cycles are cut at the span that starts first: 2 - 3 - 4, with 5 and 6 below; 7, its
-- own parent; 8 - 9, which start together; and 1, a root
SELECT make_trace(5, '{{4,3,30,31},{3,2,20,21},{2,4,25,26},{5,3,40,41},{6,5,50,51},{7,7,1,2},{9,8,60,61},{8,9,60,61},{1,0,99,100}}');
SELECT number(span_id), number(parent_span_id) AS parent, depth, enter, leave, finding, start_ns FROM span_tree('My Store', trace(5));
SELECT finding, number(span_id), explanation FROM trace_findings('My Store', trace(5));
SELECT i AS span, r.* FROM generate_series(1, 9) i, relatives(5, i) r ORDER BY i;
-- a longer one: only some of its spans are named
SELECT count(*) FROM (SELECT make_trace(6, array_agg(ARRAY[i, 1 + i % 7, i, 10] ORDER BY i)) FROM generate_series(1, 7) i) m;
SELECT finding, number(span_id), explanation FROM trace_findings('My Store', trace(6));

-- several roots
SELECT make_trace(7, '{{1,0,10,50},{2,0,20,30},{3,2,21,22},{4,0,5,6}}');
SELECT finding, number(span_id), explanation FROM trace_findings('My Store', trace(7));

-- an id that comes twice, which only partitions allow
SELECT create_trace_store('parts', partition_width => '1 day') AS store;
INSERT INTO parts.spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns) VALUES
	(trace(1), span(1), NULL, 'root', 10, 90), (trace(1), span(2), span(1), 'later', 30, 40),
	(trace(1), span(2), span(1), 'earlier', 20, 25), (trace(1), span(3), span(2), 'child', 32, 35);
SELECT number(span_id), number(parent_span_id) AS parent, depth, enter, leave, name FROM span_tree('parts', trace(1));
SELECT finding, number(span_id), explanation FROM trace_findings('parts', trace(1));
SELECT name FROM children('parts', trace(1), span(2));

-- structural queries, as in TraceQL: {a} >> {b}, {a} > {b}, {a} ~ {b}
CREATE TABLE tree AS SELECT number(span_id) AS span, t.* FROM span_tree('My Store', trace(1)) t;
SELECT a.span AS a, array_agg(b.span ORDER BY b.span) AS below
FROM tree a JOIN tree b ON b.enter > a.enter AND b.leave <= a.leave GROUP BY 1 ORDER BY 1;
SELECT a.span AS a, array_agg(b.span ORDER BY b.span) AS children
FROM tree a JOIN tree b ON b.enter > a.enter AND b.leave <= a.leave AND b.depth = a.depth + 1 GROUP BY 1 ORDER BY 1;

-- what is not there
\set VERBOSITY sqlstate
SELECT * FROM span_tree('My Store', trace(99));
SELECT * FROM children('My Store', trace(1), span(99));
SELECT * FROM descendants('My Store', trace(1), 'ffffffffffffffff');
SELECT * FROM ancestors('My Store', trace(1), span(0));
\set VERBOSITY default
SELECT * FROM siblings('My Store', trace(1), span(-1));
SELECT * FROM siblings('My Store', trace(99), span(1));
SELECT * FROM trace_findings('My Store', trace(99));
SELECT * FROM span_tree('my store', trace(1));
SELECT * FROM span_tree('public', trace(1));
SELECT count(*) FROM span_tree(NULL, trace(1));
SELECT count(*) FROM span_tree('My Store', NULL);
SELECT count(*) FROM children('My Store', trace(1), NULL);

-- Clock skew.  Host a calls host b, whose clock goes wrong; units are seconds.
CREATE TABLE cases (number bigint, span bigint, parent bigint, host text, kind span_kind, start_s numeric, end_s numeric, note text);
INSERT INTO cases VALUES
	(1, 1, NULL, 'a', NULL, 100, 110, NULL), (1, 2, 1, 'b', NULL, 102, 108, 'fits'),
	(2, 1, NULL, 'a', NULL, 100, 110, NULL), (2, 2, 1, 'b', NULL, 90, 96, 'to the middle: 102'),
		(2, 3, 2, 'b', NULL, 91, 99, 'moves with 2, though it stands out'), (2, 4, 3, 'b', NULL, 92, 93, 'moves with 3'),
		(2, 5, 2, 'c', NULL, 103, 104, 'fits where 2 is now'), (2, 6, 2, 'a', NULL, 90, 91, 'does not fit there'),
	(3, 1, NULL, 'a', NULL, 100, 110, NULL), (3, 2, 1, 'b', NULL, 200, 206, 'back to the middle'),
	(4, 1, NULL, 'a', NULL, 100, 110, NULL), (4, 2, 1, 'b', NULL, 105, 120, 'lasts longer, starts later: fits'),
		(4, 3, 1, 'c', NULL, 95, 107, 'lasts longer, starts earlier: to the start'),
	(5, 1, NULL, 'a', NULL, 100, 110, NULL), (5, 2, 1, 'b', NULL, 99.9, 105, 'tolerated'), (5, 3, 1, 'b', NULL, 105, 110.1, 'tolerated'),
		(5, 4, 1, 'b', NULL, 99.899999999, 105, 'not tolerated'), (5, 5, 1, 'b', NULL, 105, 110.100000001, 'not tolerated'),
		(5, 6, 1, 'b', NULL, 99.899999999, 109.9, 'not tolerated, lasts longer: to the start'),
	(6, 1, NULL, 'a', NULL, 100, 110, NULL), (6, 2, 1, 'a', NULL, 50, 60, 'the same host'),
	(7, 1, NULL, 'a', NULL, 100, 110, NULL), (7, 2, 1, 'b', NULL, 150, NULL, 'has not ended, starts later'), (7, 3, 1, 'b', NULL, 90, NULL, 'starts earlier'),
		(7, 4, 3, 'c', NULL, 95, 96, 'below one that has not ended: to its start'),
	(8, 1, NULL, 'a', 'producer', 100, 110, NULL), (8, 2, 1, 'b', 'consumer', 150, 151, 'takes its time'), (8, 3, 1, 'b', 'consumer', 90, 91, 'comes before it was sent'),
		(8, 4, 1, 'b', 'server', 150, 151, 'somebody waits'),
	(9, 1, 88, 'a', NULL, 100, 110, 'an orphan'), (9, 2, 1, 'b', NULL, 90, 91, NULL),
	(10, 1, NULL, 'a', NULL, 100, 101, NULL), (10, 2, 1, 'b', NULL, 0, 0.000000002, 'an odd rest'), (10, 3, 2, 'a', NULL, 100.5, 100.5, NULL);
INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, name, kind, start_ns, end_ns, resource)
SELECT trace(100 + number), span(span), span(parent), coalesce(note, ''), kind, start_s * 1000000000, end_s * 1000000000, jsonb_build_object('host.name', host, 'process.pid', span) FROM cases;
SELECT number - 100 AS number, number(t.span_id) AS span, t.skew_ns, t.adjusted_start_ns, t.adjusted_end_ns, t.adjusted_end_ns - t.adjusted_start_ns = t.end_ns - t.start_ns AS as_long, t.name
FROM generate_series(101, 110) number, span_tree('My Store', trace(number)) t ORDER BY number, t.enter;
SELECT number, number(f.span_id) AS span, f.explanation
FROM generate_series(102, 110) number, trace_findings('My Store', trace(number)) f WHERE f.finding = 'clock_skew';
-- the raw times are what they were
SELECT count(*) FROM cases c JOIN LATERAL span_tree('My Store', trace(100 + number)) t ON t.span_id = span(span)
WHERE (t.start_ns, t.end_ns) IS DISTINCT FROM ((start_s * 1000000000)::bigint, (end_s * 1000000000)::bigint);
-- the tolerance is an option of the store
UPDATE "My Store".options SET clock_skew_tolerance = '0';
SELECT number(span_id) AS span, skew_ns FROM span_tree('My Store', trace(105));
UPDATE "My Store".options SET clock_skew_tolerance = '1 hour';
SELECT sum(abs(skew_ns)) FROM generate_series(101, 110) number, span_tree('My Store', trace(number));
UPDATE "My Store".options SET clock_skew_tolerance = '10000 years';
SELECT sum(abs(skew_ns)) FROM generate_series(101, 110) number, span_tree('My Store', trace(number));
DELETE FROM "My Store".options;
SELECT number(span_id) AS span, skew_ns FROM span_tree('My Store', trace(105));
INSERT INTO "My Store".options DEFAULT VALUES;
-- who has one clock: host.id says it, or host.name, or ip, or else the whole resource
INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns, resource)
SELECT trace(120), span(i), CASE WHEN i > 1 THEN span(1) END, r::text, CASE i WHEN 1 THEN 5000000000 ELSE 0 END, 10000000000 - i, r
FROM unnest(ARRAY['{"host.id": "x", "host.name": "p"}', '{"host.id": "x", "host.name": "q"}', '{"host.id": "y", "host.name": "p"}',
	'{"host.name": "x"}', '{"ip": "x", "service.name": "s"}', '{"host.name": "p"}', '{}', '{"service.name": "s"}']::jsonb[]) WITH ORDINALITY AS v (r, i);
SELECT number(span_id) AS span, skew_ns <> 0 AS differs, name FROM span_tree('My Store', trace(120)) ORDER BY span_id;
INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns, resource)
SELECT trace(121), span(i), CASE WHEN i > 1 THEN span(1) END, r::text, CASE i WHEN 1 THEN 5000000000 ELSE 0 END, 10000000000 - i, r
FROM unnest(ARRAY['{"service.name": "s", "pid": 1}', '{"pid": 1, "service.name": "s"}', '{"service.name": "s", "pid": 2}']::jsonb[]) WITH ORDINALITY AS v (r, i);
SELECT number(span_id) AS span, skew_ns <> 0 AS differs, name FROM span_tree('My Store', trace(121)) ORDER BY span_id;
-- times at the ends of what can be told
INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns, resource)
SELECT trace(122), span(i), CASE WHEN i > 1 THEN span(i - 1) END, '', s, e, jsonb_build_object('ip', i::text)
FROM unnest(ARRAY[-9223372036854775808, 9223372036854775806, -9223372036854775808, -4611686018427387903, 4611686018427387902, 0],
	ARRAY[9223372036854775807, 9223372036854775807, -9223372036854775807, 4611686018427387903, 4611686018427387903, 1]) WITH ORDINALITY AS v (s, e, i);
SELECT number(span_id) AS span, skew_ns, adjusted_start_ns, adjusted_end_ns FROM span_tree('My Store', trace(122));

-- The numbering against a walk in SQL: 30 traces of up to 60 spans; of 15 spans one is an
-- orphan and one a root, and in each third trace parents are from anywhere, so that there
-- are cycles. The server's random() is not the same in all versions.
CREATE FUNCTION arbitrary(what text, number bigint, below integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || substr(md5(what || number), 1, 7))::bit(28)::integer % below $$;
CREATE TABLE random_spans AS
SELECT n, i, k, CASE i % 2 WHEN 0 THEN -1 ELSE 1 END * (i * 1000 + arbitrary('id', k, 1000)) AS id, arbitrary('start', k, 50) AS start,
	CASE WHEN i > 1 AND arbitrary('root', k, 15) > 0 THEN 1 + arbitrary('parent', k, CASE n % 3 WHEN 0 THEN 2 * n ELSE i - 1 END) END AS parent
FROM generate_series(1, 30) n, generate_series(1, 2 * n) i, LATERAL (SELECT n * 1000 + i) AS v (k);
INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns)
SELECT trace(1000 + c.n), span(c.id), span(CASE WHEN arbitrary('lost', c.k, 15) = 0 AND c.parent IS NOT NULL THEN 77 ELSE p.id END), '', c.start, c.start + arbitrary('length', c.k, 50)
FROM random_spans c LEFT JOIN random_spans p ON p.n = c.n AND p.i = c.parent;
-- the walk: what does not lead back to itself, with its way from the root
CREATE TABLE walk AS
WITH RECURSIVE spans AS (
	SELECT s.trace_id, s.span_id, p.span_id AS parent, s.start_ns, row_number() OVER (PARTITION BY s.trace_id ORDER BY s.start_ns, s.span_id) AS place
	FROM "My Store".spans s LEFT JOIN "My Store".spans p ON p.trace_id = s.trace_id AND p.span_id = s.parent_span_id
	WHERE s.trace_id > trace(1000)
), walk AS (
	SELECT trace_id, span_id, ARRAY[place] AS way FROM spans WHERE parent IS NULL
	UNION ALL
	SELECT c.trace_id, c.span_id, w.way || c.place FROM walk w JOIN spans c ON c.trace_id = w.trace_id AND c.parent = w.span_id
)
SELECT w.trace_id, w.span_id, row_number() OVER (PARTITION BY w.trace_id ORDER BY way) AS enter, cardinality(way) - 1 AS depth, way FROM walk w;
CREATE TABLE numbered AS SELECT trace(1000 + n) AS trace_id, t.* FROM generate_series(1, 30) n, span_tree('My Store', trace(1000 + n)) t;
SELECT count(*) AS spans, count(*) FILTER (WHERE finding = 'missing_parent') AS orphans, count(*) FILTER (WHERE finding = 'cycle') AS cycles,
	count(*) FILTER (WHERE parent_span_id IS NULL) AS roots, max(depth) FROM numbered;
-- where there are no cycles, the two are the same
CREATE TABLE compared AS SELECT trace_id, n.enter, n.leave, n.depth, w.enter AS w_enter, w.depth AS w_depth,
	w.enter - 1 + (SELECT count(*) FROM walk d WHERE d.trace_id = w.trace_id AND d.way[1:cardinality(w.way)] = w.way) AS w_leave
FROM numbered n JOIN walk w USING (trace_id, span_id)
WHERE NOT EXISTS (SELECT FROM numbered c WHERE c.trace_id = n.trace_id AND c.finding = 'cycle');
SELECT count(*) > 500 AS enough, count(*) FILTER (WHERE (enter, leave, depth) IS DISTINCT FROM (w_enter, w_leave, w_depth)) AS wrong FROM compared;
-- everywhere each span is there once, and intervals lie within one another as parents say
SELECT count(*) AS wrong FROM "My Store".spans s FULL JOIN numbered n USING (trace_id, span_id)
WHERE coalesce(trace_id > trace(1000), true) AND (s.name IS NULL OR n.enter IS NULL OR s.start_ns <> n.start_ns);
SELECT count(*) AS wrong FROM (SELECT row_number() OVER (PARTITION BY trace_id ORDER BY enter) AS place, * FROM numbered) n WHERE enter <> place;
SELECT count(*) AS wrong FROM numbered n LEFT JOIN numbered p ON p.trace_id = n.trace_id AND p.span_id = n.parent_span_id AND n.finding IS NULL
WHERE n.depth <> coalesce(p.depth + 1, 0) OR NOT coalesce(n.enter > p.enter AND n.leave <= p.leave, n.depth = 0) OR n.leave < n.enter;
-- relatives by the numbering are those by parents
SELECT count(*) AS wrong FROM numbered n, LATERAL (SELECT
	ARRAY(SELECT c.span_id::bigint FROM children('My Store', n.trace_id, n.span_id) c),
	ARRAY(SELECT c.span_id::bigint FROM numbered c WHERE c.trace_id = n.trace_id AND c.parent_span_id = n.span_id AND c.finding IS NULL ORDER BY c.start_ns, c.span_id),
	ARRAY(SELECT c.span_id::bigint FROM siblings('My Store', n.trace_id, n.span_id) c),
	ARRAY(SELECT c.span_id::bigint FROM numbered c WHERE c.trace_id = n.trace_id AND c.parent_span_id = n.parent_span_id AND c.span_id <> n.span_id ORDER BY c.enter)) AS r (a, b, c, d)
WHERE n.trace_id > trace(1020) AND (r.a <> r.b OR r.c <> r.d);

-- nothing recurses: a cycle of 100,000 spans
INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns)
SELECT trace(8), span(i), span(CASE i WHEN 1 THEN 100000 ELSE i - 1 END), '', i, i FROM generate_series(1, 100000) i;
SELECT count(*), max(depth), max(leave), min(leave), count(*) FILTER (WHERE finding = 'cycle') AS cut FROM span_tree('My Store', trace(8));
SELECT count(*), max(number(span_id)) FROM ancestors('My Store', trace(8), span(100000));

SET client_min_messages = warning;
DROP SCHEMA span_tree_test, "My Store", parts CASCADE;
