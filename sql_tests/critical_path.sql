-- Where the time of traces went: critical path, self time, and which service calls which.

\set SHOW_CONTEXT never
CREATE SCHEMA critical_path_test;
SET search_path = critical_path_test, public;
SELECT create_trace_store('Traces') AS store;
CREATE FUNCTION span(number bigint) RETURNS span_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT number::span_id $$;
CREATE FUNCTION trace(number bigint) RETURNS trace_id LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT lpad(to_hex(number), 32, '0')::trace_id $$;
-- spans of one trace, as an array of {span, parent (0: none), start, end (-1: none)}
CREATE FUNCTION make_trace(number bigint, spans bigint[]) RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO "Traces".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns)
	SELECT trace(number), span(spans[i][1]), span(nullif(spans[i][2], 0)), 'op ' || spans[i][1], spans[i][3], nullif(spans[i][4], -1)
	FROM generate_subscripts(spans, 1) i;
	SELECT array_length(spans, 1)::bigint $$;
-- the path in its order, such as 1:80-100 2:60-80
CREATE FUNCTION path(number bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s:%s-%s', span_id::bigint, section_start, section_end), ' ' ORDER BY ordinality)
	FROM critical_path('Traces', trace(number)) WITH ORDINALITY $$;

-- one span; then two children, one after the other; then one that is done before the
-- other one ends, and is not waited for
SELECT make_trace(1, '{{1,0,100,130}}'), make_trace(2, '{{1,0,0,100},{2,1,10,30},{3,1,40,80}}'), make_trace(3, '{{1,0,0,100},{2,1,10,50},{3,1,30,80}}');
SELECT i, path(i) FROM generate_series(1, 3) i;
SELECT * FROM critical_path('Traces', trace(2));
-- down and up again: 3 and 4 within 2, 5 after it
SELECT make_trace(4, '{{1,0,0,1000},{2,1,100,600},{3,2,150,300},{4,2,400,550},{5,1,700,900},{6,5,750,800}}');
SELECT path(4);
-- a child after its parent is not waited for, nor is what is below it; nor one before it
SELECT make_trace(5, '{{1,0,0,100},{2,1,110,200},{3,2,120,130}}'), make_trace(6, '{{1,0,100,200},{2,1,10,90},{3,2,150,160}}'),
	make_trace(7, '{{1,0,100,200},{2,1,200,300}}'), make_trace(8, '{{1,0,100,200},{2,1,50,100}}');
SELECT i, path(i) FROM generate_series(5, 8) i;
-- a child counts as far as it lies within: it ends later; it starts earlier; both; and so does a
-- grandchild within what is left of the child
SELECT make_trace(9, '{{1,0,0,100},{2,1,60,180}}'), make_trace(10, '{{1,0,50,100},{2,1,20,80}}'), make_trace(11, '{{1,0,50,100},{2,1,20,180}}'),
	make_trace(12, '{{1,0,0,100},{2,1,60,180},{3,2,40,70}}'), make_trace(13, '{{1,0,0,100},{2,1,60,180},{3,2,90,200}}'), make_trace(14, '{{1,0,0,100},{2,1,60,180},{3,2,120,150}}');
SELECT i, path(i) FROM generate_series(9, 14) i;
-- 2 ends just when 3 starts: Jaeger passes it over; a nanosecond earlier it does not
SELECT make_trace(15, '{{1,0,0,100},{2,1,10,40},{3,1,40,100}}'), make_trace(16, '{{1,0,0,100},{2,1,10,39},{3,1,40,100}}');
-- two that end together: the one that starts first; if they do together, by id
SELECT make_trace(17, '{{1,0,0,100},{2,1,30,80},{3,1,20,80}}'), make_trace(18, '{{1,0,0,100},{3,1,20,80},{2,1,20,80}}');
-- spans without length
SELECT make_trace(19, '{{1,0,50,50},{2,1,50,50}}'), make_trace(20, '{{1,0,0,100},{2,1,50,50},{3,1,0,0},{4,1,100,100},{5,1,20,40}}');
SELECT i, path(i) FROM generate_series(15, 20) i;
-- what has not ended goes on until the last time known: a child, a root, all
SELECT make_trace(21, '{{1,0,0,100},{2,1,30,-1}}'), make_trace(22, '{{1,0,0,-1},{2,1,30,60},{3,1,50,90}}'), make_trace(23, '{{1,0,0,-1},{2,1,30,-1}}'), make_trace(24, '{{1,0,7,-1}}');
SELECT i, path(i) FROM generate_series(21, 24) i;
-- several roots, each with its path; orphans have none
SELECT make_trace(25, '{{1,0,50,100},{2,1,60,70},{3,0,0,200},{4,3,10,20},{5,99,30,40},{6,5,31,32}}');
SELECT path(25);
-- unless there is nothing else; and a cycle is cut
SELECT make_trace(26, '{{5,99,30,40},{6,5,31,32},{7,98,10,20}}'), make_trace(27, '{{1,2,0,100},{2,3,10,90},{3,1,20,80}}'), make_trace(28, '{{1,1,0,100}}');
SELECT i, path(i) FROM generate_series(26, 28) i;
-- before 1970, and as long as can be
SELECT make_trace(29, '{{1,0,-100,100},{2,1,-50,0},{3,1,0,20},{4,1,-80,-60}}'), make_trace(30, '{{1,0,-9223372036854775808,9223372036854775807},{2,1,-9223372036854775807,9223372036854775806}}');
SELECT i, path(i) FROM generate_series(29, 30) i;
-- nobody waits for the consumer of a message, nor for what it does; for others, yes
SELECT make_trace(30 + i, '{{1,0,0,100},{2,1,50,80},{3,2,60,70},{4,1,10,20}}') FROM generate_series(1, 4) i;
UPDATE "Traces".spans SET kind = k FROM (VALUES (31, 1, 'producer'::span_kind), (31, 2, 'consumer'), (32, 1, 'client'), (32, 2, 'consumer'),
	(33, 1, 'producer'), (33, 2, 'server'), (34, 1, 'consumer'), (34, 2, 'producer'), (34, 3, 'consumer')) v (n, i, k) WHERE trace_id = trace(n) AND span_id = span(i);
SELECT i, path(i) FROM generate_series(31, 34) i;

-- self time: children beside each other, overlapping, the same, one in the other, over the edges, outside, of no length
SELECT make_trace(40, '{{1,0,100,200},{2,1,110,120},{3,1,130,150},{4,1,140,160},{5,1,140,160},{6,1,142,143},{7,1,190,300},{8,1,50,105},{9,1,200,210},{10,1,90,100},{11,1,170,170}}');
SELECT span_id::bigint AS span, service_name, name, duration_ns, self_ns FROM self_time('Traces', trace(40));
SELECT i, s.span_id::bigint AS span, s.duration_ns, s.self_ns FROM unnest('{4,9,11,19,21,23,27}'::integer[]) i, self_time('Traces', trace(i)) s;
SELECT * FROM self_time('Traces', trace(30));

-- what is not there
SELECT * FROM critical_path('Traces', trace(99));
SELECT * FROM self_time('Traces', trace(99));
SELECT * FROM critical_path('nowhere', trace(1));
SELECT * FROM self_time('nowhere', trace(1));
SELECT * FROM critical_path_summary('nowhere');
SELECT * FROM service_graph('nowhere');
SELECT count(*) FROM critical_path('Traces', NULL);
SELECT count(*) FROM self_time(NULL, trace(1));

-- Three requests: web asks shop, which asks stock and writes to a queue.
SELECT create_trace_store('shop') AS store;
SELECT count(*) FROM critical_path_summary('shop') s;
SELECT count(*) FROM service_graph('shop') s;
CREATE FUNCTION ms(milliseconds numeric) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT 1700000000000000000 + (milliseconds * 1000000)::bigint $$;
INSERT INTO shop.spans (trace_id, span_id, parent_span_id, name, resource, kind, status, start_ns, end_ns)
SELECT trace(t), span(i), span(p), n, jsonb_build_object('service.name', s), k::span_kind, z::span_status, ms(a), ms(b) FROM (VALUES
	(1, 1, NULL, 'GET /', 'web', 'server', 'ok', 0, 100), (1, 2, 1, 'shop', 'web', 'client', 'unset', 10, 90),
	(1, 3, 2, 'list', 'shop', 'server', 'unset', 20, 80), (1, 4, 3, 'stock', 'shop', 'client', 'unset', 30, 60), (1, 5, 4, 'count', 'stock', 'server', 'unset', 40, 50),
	(2, 1, NULL, 'GET /', 'web', 'server', 'error', 1000, 1300), (2, 2, 1, 'shop', 'web', 'client', 'error', 1000, 1300),
	(2, 3, 2, 'list', 'shop', 'server', 'error', 1100, 1200), (2, 4, 3, 'stock', 'shop', 'client', 'error', 1100, 1150), (2, 5, 4, 'count', 'stock', 'server', 'ok', 1110, 1140),
	(2, 6, 3, 'told', 'mail', 'consumer', 'unset', 1120, 1121),
	(3, 1, NULL, 'GET /', 'web', 'server', 'unset', 2000, NULL), (3, 2, 1, 'shop', 'web', 'client', 'unset', 2000, NULL),
	(3, 3, 2, 'list', 'shop', 'server', 'unset', 2000, NULL), (3, 4, 3, 'stock', 'shop', 'client', 'unset', 2010, 2040),
	(3, 7, 88, 'lost', 'stock', 'server', 'unset', 2000, 2001)
) v (t, i, p, n, s, k, z, a, b);
SELECT * FROM service_graph('shop');
SELECT pg_typeof(caller), pg_typeof(callee), pg_typeof(calls), pg_typeof(errors), pg_typeof(mean_ns), pg_typeof(max_ns) FROM service_graph('shop') LIMIT 1;
SELECT i, s.service_name, s.name, (section_start - ms(0)) / 1000000 AS start_ms, (section_end - ms(0)) / 1000000 AS end_ms
FROM generate_series(1, 3) i, critical_path('shop', trace(i)) c JOIN shop.spans s USING (span_id) WHERE s.trace_id = trace(i);
SELECT service_name, operation, traces, sections, self_ns, round(share::numeric, 4) AS share FROM critical_path_summary('shop');
SELECT sum(share), sum(self_ns), (SELECT sum(section_end - section_start) FROM generate_series(1, 3) i, critical_path('shop', trace(i))) AS all_paths FROM critical_path_summary('shop');
-- of some traces; those that are not there do not matter
SELECT * FROM critical_path_summary('shop', ARRAY[trace(1), trace(99), NULL, trace(1)]);
SELECT count(*) FROM unnest(ARRAY[trace(99)]) t, LATERAL (SELECT * FROM critical_path_summary('shop', ARRAY[t]) UNION ALL SELECT * FROM critical_path_summary('shop', '{}'::trace_id[])) s;
-- by when they start: from the first time on, and before the second
SELECT note, (SELECT sum(calls) FROM service_graph('shop', f, u) WHERE caller = 'web') AS requests, (SELECT max(traces) FROM critical_path_summary('shop', f, u)) AS traces
FROM (VALUES ('the first and second', '2023-11-14 22:13:20Z'::timestamptz, '2023-11-14 22:13:22Z'::timestamptz), ('the second and third', '2023-11-14 22:13:20.000001Z', '2023-11-14 22:13:22.000001Z'),
	('none', '2023-11-14 22:13:21Z', '2023-11-14 22:13:21Z'), ('from the second', '2023-11-14 22:13:21Z', 'infinity'), ('until the second', '-infinity', '2023-11-14 22:13:21Z'),
	('all', '4000-01-01 BC', '9999-01-01'), ('too late', '9999-01-01', 'infinity'), ('backwards', 'infinity', '-infinity'), ('not asked', NULL, NULL)) v (note, f, u);
-- more than a bigint holds
SELECT * FROM critical_path_summary('Traces', ARRAY[trace(30)]);
INSERT INTO "Traces".spans (trace_id, span_id, name, start_ns, end_ns) SELECT trace(50 + i), span(1), '', 0, 9223372036854775807 FROM generate_series(1, 2) i;
SELECT * FROM critical_path_summary('Traces', ARRAY[trace(51)]);
SELECT * FROM critical_path_summary('Traces', ARRAY[trace(51), trace(52)]);

-- Everything against its definition, in SQL: 60 traces of up to 30 spans on few times, so
-- that they often meet; some roots, orphans, messages, and spans that have not ended.
-- The server's random() is not the same in all versions.
CREATE FUNCTION arbitrary(what text, number bigint, below integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || substr(md5(what || number), 1, 7))::bit(28)::integer % below $$;
INSERT INTO "Traces".spans (trace_id, span_id, parent_span_id, name, kind, resource, status, start_ns, end_ns)
SELECT trace(1000 + n), span(i), span(CASE WHEN i > 1 AND arbitrary('root', k, 20) > 0 THEN 1 + arbitrary('parent', k, least(i - 1, 1 + n / 2)) + 100 * (arbitrary('lost', k, 25) / 24) END),
	'op ' || arbitrary('op', k, 5), CASE arbitrary('kind', k, 4) WHEN 0 THEN 'producer'::span_kind WHEN 1 THEN 'consumer' WHEN 2 THEN 'client' END,
	jsonb_build_object('service.name', 's' || arbitrary('service', k, 3)), CASE arbitrary('error', k, 6) WHEN 0 THEN 'error'::span_status ELSE 'ok' END,
	s, CASE WHEN arbitrary('ended', k, 20) > 0 THEN s + arbitrary('length', k, 40) END
FROM generate_series(1, 60) n, generate_series(1, (n + 1) / 2) i, LATERAL (SELECT n * 1000 + i) AS v (k), LATERAL (SELECT arbitrary('start', k, 40)) AS w (s);
CREATE VIEW timed AS SELECT trace_id, span_id, parent_span_id, kind, start_ns, coalesce(end_ns, max(greatest(start_ns, end_ns)) OVER (PARTITION BY trace_id)) AS end_ns
FROM "Traces".spans WHERE trace_id > trace(1000);
SELECT count(*), count(*) FILTER (WHERE parent_span_id IS NULL) AS roots, count(*) FILTER (WHERE parent_span_id > span(100)) AS orphans, (SELECT count(*) FROM "Traces".spans WHERE trace_id > trace(1000) AND end_ns IS NULL) AS not_ended FROM timed;
-- spans as far as they lie within their parents
CREATE TABLE clipped AS
WITH RECURSIVE clipped AS (
	SELECT trace_id, span_id, NULL::span_id AS parent, kind, start_ns AS s, end_ns AS e, start_ns FROM timed WHERE parent_span_id IS NULL
	UNION ALL
	SELECT c.trace_id, c.span_id, p.span_id, c.kind, greatest(c.start_ns, p.s), least(c.end_ns, p.e), c.start_ns
	FROM clipped p JOIN timed c ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id
	WHERE (p.kind = 'producer' AND c.kind = 'consumer') IS NOT TRUE AND CASE WHEN c.start_ns >= p.s THEN c.start_ns < p.e ELSE c.end_ns > p.s END
)
SELECT * FROM clipped;
-- the path of one root: from the end back, step by step, each time looking at all children
CREATE FUNCTION slow_path(trace trace_id, root span_id) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	at clipped;
	child clipped;
	until bigint;
	back boolean := false;
	path text[] := '{}';
BEGIN
	SELECT * INTO at FROM clipped WHERE trace_id = trace AND span_id = root;
	until := at.e;
	LOOP
		SELECT * INTO child FROM clipped c WHERE c.trace_id = trace AND c.parent = at.span_id AND (c.e < until OR NOT back) ORDER BY c.e DESC, c.start_ns, c.span_id LIMIT 1;
		IF coalesce(child.e, at.s) < until THEN
			path := path || format('%s:%s-%s', at.span_id::bigint, coalesce(child.e, at.s), until);
		END IF;
		IF child.span_id IS NOT NULL THEN
			at := child;
			until := at.e;
			back := false;
		ELSE
			EXIT WHEN at.parent IS NULL;
			until := at.s;
			back := true;
			SELECT * INTO at FROM clipped c WHERE c.trace_id = trace AND c.span_id = at.parent;
		END IF;
	END LOOP;
	RETURN path;
END $$;
CREATE TABLE paths AS SELECT 1000 + n AS trace, p.* FROM generate_series(1, 60) n, critical_path('Traces', trace(1000 + n)) WITH ORDINALITY p;
SELECT count(*) AS traces, count(*) FILTER (WHERE f.path IS DISTINCT FROM s.path) AS wrong, sum(cardinality(f.path)) AS sections
FROM generate_series(1001, 1060) n,
	LATERAL (SELECT ARRAY(SELECT format('%s:%s-%s', span_id::bigint, section_start, section_end) FROM paths WHERE trace = n ORDER BY ordinality)) f (path),
	LATERAL (SELECT ARRAY(SELECT u FROM timed r, unnest(slow_path(trace_id, span_id)) WITH ORDINALITY p (u, o) WHERE trace_id = trace(n) AND parent_span_id IS NULL ORDER BY start_ns, span_id, o)) s (path);
-- with one root, sections lie end to end, from the root's end to its start
SELECT count(*) > 20 AS enough, count(*) FILTER (WHERE first_end <> root_end OR last_start <> root_start OR total <> root_end - root_start OR gaps > 0) AS wrong
FROM (SELECT trace_id, max(start_ns) AS root_start, max(end_ns) AS root_end FROM timed WHERE parent_span_id IS NULL GROUP BY 1 HAVING count(*) = 1) r
JOIN LATERAL (SELECT max(section_end) AS first_end, min(section_start) AS last_start, sum(section_end - section_start) AS total, count(*) FILTER (WHERE section_start <> following) AS gaps
	FROM (SELECT *, coalesce(lead(section_end) OVER w, section_start) AS following FROM paths WHERE trace(trace) = r.trace_id WINDOW w AS (ORDER BY ordinality)) p) p ON total IS NOT NULL;
-- self time: of the parts between any two times of children, those without a child
CREATE VIEW slow_self AS
SELECT p.trace_id, p.span_id, p.end_ns - p.start_ns AS duration, coalesce((SELECT sum(part.e - part.s)
	FROM (SELECT t AS s, lead(t) OVER (ORDER BY t) AS e FROM (
		SELECT p.start_ns AS t UNION SELECT p.end_ns
		UNION SELECT unnest(ARRAY[least(greatest(c.start_ns, p.start_ns), p.end_ns), least(greatest(c.end_ns, p.start_ns), p.end_ns)]) FROM timed c WHERE c.trace_id = p.trace_id AND c.parent_span_id = p.span_id) t) part
	WHERE NOT EXISTS (SELECT FROM timed c WHERE c.trace_id = p.trace_id AND c.parent_span_id = p.span_id AND c.start_ns < part.e AND c.end_ns > part.s)), 0) AS self
FROM timed p;
SELECT count(*), count(*) FILTER (WHERE (f.duration_ns, f.self_ns) IS DISTINCT FROM (s.duration, s.self)) AS wrong, count(DISTINCT self) > 10 AS enough
FROM generate_series(1, 60) n, self_time('Traces', trace(1000 + n)) f JOIN slow_self s USING (span_id) WHERE s.trace_id = trace(1000 + n);
-- the summary: the paths, added up
SELECT count(*), count(*) FILTER (WHERE f IS DISTINCT FROM s) AS wrong
FROM (SELECT service_name, operation, traces, sections, self_ns FROM critical_path_summary('Traces', ARRAY(SELECT trace(1000 + n) FROM generate_series(1, 60) n))) f
FULL JOIN (SELECT s.service_name, s.name AS operation, count(DISTINCT trace) AS traces, count(*) AS sections, sum(section_end - section_start)::bigint AS self_ns
	FROM paths p JOIN "Traces".spans s ON s.trace_id = trace(p.trace) AND s.span_id = p.span_id GROUP BY 1, 2) s USING (service_name, operation);
-- well nested: every path is as long as its root
INSERT INTO "Traces".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns)
WITH RECURSIVE nested AS (
	SELECT n, 1 AS i, NULL::integer AS parent, 0 AS s, 1000000 AS e FROM generate_series(1, 5) n
	UNION ALL
	SELECT n, c, i, cs, cs + arbitrary('length', n * 1000 + c, e - cs + 1)
	FROM nested, generate_series(3 * i - 1, 3 * i + 1) c, LATERAL (SELECT s + arbitrary('start', n * 1000 + c, (e - s) / 2 + 1)) AS v (cs) WHERE c <= 121
)
SELECT trace(2000 + n), span(i), span(parent), '', s, e FROM nested;
SELECT n, count(*) AS sections, sum(section_end - section_start) FROM generate_series(1, 5) n, critical_path('Traces', trace(2000 + n)) GROUP BY n ORDER BY n;

-- nothing recurses: a chain of 100,000 spans, whose path goes all the way down and up
INSERT INTO "Traces".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns)
SELECT trace(3000), span(i), span(nullif(i - 1, 0)), '', i, 1000000 - i FROM generate_series(1, 100000) i;
SELECT count(*), sum(section_end - section_start), min(section_start), max(section_end) FROM critical_path('Traces', trace(3000));
SELECT count(*), sum(self_ns) FROM self_time('Traces', trace(3000));
-- nor does a span with 50,000 children cost more than their sorting
INSERT INTO "Traces".spans (trace_id, span_id, parent_span_id, name, start_ns, end_ns)
SELECT trace(3001), span(i), CASE WHEN i > 1 THEN span(1) END, '', CASE WHEN i > 1 THEN 2 * i ELSE 0 END, CASE WHEN i > 1 THEN 2 * i + 1 ELSE 200000 END FROM generate_series(1, 50001) i;
SELECT count(*), sum(section_end - section_start) FROM critical_path('Traces', trace(3001));
SELECT count(*), max(self_ns) FROM self_time('Traces', trace(3001));

SET client_min_messages = warning;
DROP SCHEMA critical_path_test, "Traces", shop CASCADE;
