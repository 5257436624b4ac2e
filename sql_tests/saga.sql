-- Sagas: conflicts between nodes, phantoms, violations of constraints, and how far a saga has come.

\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.fault(command text, OUT state text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;

-- three nodes, each of which saw two of three commits: all pairs agree, and nobody saw all
CREATE TEMP TABLE reports (obligation text, node text, state lattice_state);
INSERT INTO reports VALUES
	('reserve', 'a', 'committed'), ('charge', 'a', 'committed'),
	('charge', 'b', 'committed'), ('ship', 'b', 'committed'),
	('reserve', 'c', 'committed'), ('ship', 'c', 'committed');
CREATE TEMP TABLE rules OF saga_constraint (PRIMARY KEY (name));
INSERT INTO rules VALUES ('order-7', 'all_or_nothing', '{reserve,charge,ship}');
CREATE TEMP VIEW findings AS SELECT f.* FROM check_sagas(
	(SELECT observe(obligation, node, state) FROM reports), (SELECT array_agg(r::saga_constraint) FROM rules r)) f;
CREATE TEMP VIEW summary AS SELECT s.* FROM saga_summary(
	(SELECT observe(obligation, node, state) FROM reports), (SELECT array_agg(r::saga_constraint) FROM rules r)) s;
SELECT finding, constraint_name, merged, explanation FROM findings;
SELECT * FROM summary;
-- a late report settles it
INSERT INTO reports VALUES ('reserve', 'b', 'committed');
SELECT * FROM findings;
SELECT * FROM summary;
-- but one of the opposite does not
INSERT INTO reports VALUES ('ship', 'a', 'aborted');
SELECT finding, constraint_name, obligation, node_a, state_a, node_b, state_b, merged FROM findings;
SELECT explanation FROM findings;
SELECT * FROM summary;

-- conflicts: every pair of nodes, by bytes, of every obligation; a node that only contradicts itself
SELECT finding, obligation, node_a, state_a, node_b, state_b, merged, constraint_name IS NULL AS alone, explanation FROM check_sagas(
	'{"x": {"ä": "aborted", "b": "committed", "Z": "aborted", "c": "reserved", "d": "unknown", "e": "committed"},
	"self": {"a": "conflict"}, "both": {"a": "conflict", "b": "unknown", "c": "reserved"}, "two": {"a": "conflict", "b": "conflict"},
	"fine": {"a": "committed", "b": "reserved", "c": "unknown"}, "X": {"a": "aborted", "b": "committed"}}', '{}');
SELECT obligation, node_a, node_b, explanation
FROM (SELECT observe('o', 'a', s) FROM unnest('{aborted,committed}'::lattice_state[]) s) v (l), check_sagas(l, '{}');
SELECT count(*) FROM check_sagas('{}', '{}');

-- all or nothing
CREATE TEMP TABLE tries (id serial, l obligation_lattice, kind text, obligations text[]);
CREATE TEMP VIEW tried AS
	SELECT id, l, t.obligations, f.finding, f.obligation, f.merged, s.state, s.missing, f.explanation
	FROM tries t, LATERAL (SELECT ARRAY[('k', t.kind, t.obligations)]::saga_constraint[]) c (c),
		LATERAL saga_summary(l, c) s LEFT JOIN LATERAL check_sagas(l, c) f ON f.constraint_name = s.constraint_name
	ORDER BY id;
INSERT INTO tries (kind, obligations, l) SELECT 'all_or_nothing', '{p,q,r}', l::obligation_lattice FROM unnest(ARRAY[
	'{}',
	'{"other": {"a": "committed"}}',
	'{"p": {"a": "reserved", "b": "unknown"}, "r": {"c": "reserved"}}',
	'{"p": {"a": "committed", "b": "reserved"}, "r": {"c": "reserved"}}',
	'{"p": {"a": "committed"}, "q": {"a": "committed"}, "r": {"c": "reserved"}}',
	'{"p": {"a": "aborted"}, "q": {"a": "aborted", "b": "aborted"}, "r": {"a": "reserved", "b": "aborted"}}',
	'{"p": {"a": "aborted"}, "q": {"a": "aborted"}, "r": {"a": "aborted", "b": "aborted"}}',
	'{"p": {"a": "committed"}, "q": {"b": "aborted", "c": "aborted"}, "r": {"c": "reserved"}}',
	'{"p": {"a": "committed", "b": "aborted"}, "q": {"b": "committed"}, "r": {"c": "aborted"}}',
	'{"p": {"a": "committed", "b": "aborted"}, "r": {"a": "reserved"}}',
	'{"p": {"a": "committed", "b": "aborted"}, "q": {"a": "aborted", "b": "committed"}, "r": {"a": "conflict"}}',
	'{"p": {"a": "conflict"}, "q": {"a": "conflict"}, "r": {"a": "conflict"}}']) l;
SELECT l, finding, obligation, merged, state, missing FROM tried;
SELECT id, explanation FROM tried WHERE explanation IS NOT NULL;
-- of one obligation
TRUNCATE tries RESTART IDENTITY;
INSERT INTO tries (kind, obligations, l) SELECT 'all_or_nothing', '{p}', l::obligation_lattice FROM unnest(ARRAY[
	'{"p": {"a": "reserved"}}', '{"p": {"a": "reserved", "b": "committed"}}', '{"p": {"a": "committed", "b": "aborted"}}', '{"p": {"a": "conflict"}}']) l;
SELECT l, finding, merged, state, missing, explanation FROM tried WHERE finding IS DISTINCT FROM 'pairwise_conflict';

-- mutual exclusion
TRUNCATE tries RESTART IDENTITY;
INSERT INTO tries (kind, obligations, l) SELECT 'mutual_exclusion', '{p,q,r}', l::obligation_lattice FROM unnest(ARRAY[
	'{}',
	'{"p": {"a": "committed", "b": "reserved"}, "q": {"b": "aborted"}}',
	'{"p": {"a": "committed"}, "q": {"b": "aborted"}, "r": {"a": "aborted", "b": "aborted"}}',
	'{"p": {"a": "committed", "b": "committed"}, "q": {"b": "aborted"}, "r": {"a": "aborted", "b": "aborted"}}',
	'{"p": {"a": "aborted"}, "q": {"a": "aborted"}, "r": {"a": "aborted"}}',
	'{"p": {"a": "committed"}, "r": {"b": "committed"}}',
	'{"p": {"a": "committed"}, "q": {"a": "committed"}, "r": {"b": "committed"}}',
	'{"p": {"a": "committed"}, "q": {"a": "committed", "b": "aborted"}}']) l;
SELECT l, finding, obligation, merged, state, missing FROM tried;
SELECT id, explanation FROM tried WHERE explanation IS NOT NULL;

-- implication; the first is the premise, however the others sort
TRUNCATE tries RESTART IDENTITY;
INSERT INTO tries (kind, obligations, l) SELECT 'implies', '{q,r,p,q,r}', l::obligation_lattice FROM unnest(ARRAY[
	'{}',
	'{"q": {"a": "reserved"}, "p": {"b": "committed"}}',
	'{"q": {"a": "aborted"}, "p": {"b": "committed"}}',
	'{"q": {"a": "committed", "b": "reserved"}, "p": {"b": "committed"}}',
	'{"q": {"a": "committed"}, "p": {"b": "committed"}, "r": {"b": "aborted"}}',
	'{"q": {"a": "committed"}, "p": {"b": "committed"}, "r": {"b": "committed", "a": "reserved"}}',
	'{"q": {"a": "committed"}, "p": {"b": "committed", "a": "committed"}, "r": {"a": "committed"}}',
	'{"q": {"a": "conflict"}, "p": {"b": "committed"}}',
	'{"q": {"a": "aborted"}, "p": {"b": "conflict"}}']) l;
SELECT l, finding, obligation, merged, state, missing FROM tried;
SELECT id, explanation FROM tried WHERE explanation IS NOT NULL;

-- sentences stay sentences, however large the saga is and whatever the names are
CREATE TEMP TABLE crowd AS SELECT observe('o' || lpad(o::text, 2, '0'), 'n' || lpad(n::text, 2, '0'),
	CASE WHEN n = o THEN 'reserved' ELSE 'committed' END::lattice_state) AS l
	FROM generate_series(1, 20) o, generate_series(1, 20) n;
SELECT f.constraint_name, f.explanation FROM crowd, LATERAL (SELECT array_agg('o' || lpad(o::text, 2, '0')) FROM generate_series(1, 20) o) v (o),
	check_sagas(l, ARRAY[('all', 'all_or_nothing', o), ('four', 'all_or_nothing', '{o01,o02,o03,o04}'), ('unsettled', 'all_or_nothing', o || '{x1,x2,x3,x4,x5}'),
	('one unsettled', 'all_or_nothing', '{o01,x1}'), ('exclusive', 'mutual_exclusion', o), ('implies', 'implies', o || '{x1,x2,x3,x4}'),
	('implies one', 'implies', '{o01,x1}')]::saga_constraint[]) f;
SELECT f.explanation FROM crowd, LATERAL (SELECT l | observe('o' || lpad(o::text, 2, '0'), 'n99', 'aborted')
		FROM generate_series(1, 6) o) v (disputed),
	LATERAL (SELECT array_agg('o' || lpad(o::text, 2, '0')) FROM generate_series(1, 20) o) w (o),
	check_sagas(disputed, ARRAY[('all', 'all_or_nothing', o)]::saga_constraint[]) f WHERE finding = 'violation';
SELECT f.explanation FROM check_sagas('{"say \"x\"": {"a\\b": "committed", "\n": "aborted"}, "日本": {"a": "committed"}}',
	ARRAY[('tab	', 'all_or_nothing', ARRAY['say "x"', '日本']), ('日', 'mutual_exclusion', ARRAY['日本', '"'])]::saga_constraint[]) f;

-- the order of constraints and of obligations does not matter, nor the array's dimensions
CREATE TEMP TABLE ways (way integer, c saga_constraint[]);
INSERT INTO ways VALUES
	(1, ARRAY[('b', 'all_or_nothing', '{p,q,r}'), ('B', 'mutual_exclusion', '{p,q}'), ('ä', 'implies', '{p,q,r}'), ('a', 'all_or_nothing', '{p}')]::saga_constraint[]),
	(2, ARRAY[('a', 'all_or_nothing', '{p,p,p}'), ('ä', 'implies', '{p,r,q,p}'), ('B', 'mutual_exclusion', '{q,p,q}'), ('b', 'all_or_nothing', '{r,q,p,r}')]::saga_constraint[]),
	(3, ARRAY[ARRAY[('B', 'mutual_exclusion', '{q,p}'), ('ä', 'implies', '{p,r,q}')], ARRAY[('a', 'all_or_nothing', '{p}'), ('b', 'all_or_nothing', '{{r,p},{q,p}}')]]::saga_constraint[]);
SELECT count(DISTINCT found) AS findings, count(DISTINCT told) AS summaries FROM ways,
	LATERAL (VALUES ('{"p": {"a": "committed"}, "q": {"b": "committed"}}'::obligation_lattice)) v (l),
	LATERAL (SELECT array_agg(f ORDER BY n)::text FROM check_sagas(l, c) WITH ORDINALITY f (a, b, c, d, e, g, h, i, j, n)) w (found),
	LATERAL (SELECT array_agg(s ORDER BY n)::text FROM saga_summary(l, c) WITH ORDINALITY s (a, b, c, d, n)) x (told);
SELECT constraint_name, finding, obligation FROM ways, check_sagas('{"p": {"a": "committed"}, "q": {"b": "committed"}}', c) WHERE way = 2;
SELECT constraint_name, kind, state, missing FROM ways, saga_summary('{"p": {"a": "committed"}, "q": {"b": "committed"}}', c) WHERE way = 3;

-- nothing of nothing; as an expression; the types of the columns
SELECT count(*) FROM check_sagas(NULL, '{}');
SELECT count(*) FROM check_sagas('{}', NULL);
SELECT count(*) FROM saga_summary(NULL, ARRAY[('k', 'implies', '{a,b}')]::saga_constraint[]);
SELECT count(*) FROM saga_summary('{}', '{}');
SELECT (check_sagas('{"o": {"a": "conflict"}}', '{}')).finding;
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'consistency_report'::regclass ORDER BY attnum;
SELECT provolatile, proisstrict, proparallel, proretset FROM pg_proc WHERE proname IN ('check_sagas', 'saga_summary');

-- every fault names its part
SELECT c AS constraints, f.* FROM (VALUES
	('NULL'), ('(''k'', ''implies'', ''{a,b}''), NULL'),
	('(NULL, ''implies'', ''{a,b}'')'), ('('''', ''implies'', ''{a,b}'')'),
	('(''k'', NULL, ''{a,b}'')'), ('(''k'', '''', ''{a,b}'')'), ('(''k'', ''implie'', ''{a,b}'')'), ('(''k"'', ''ALL_OR_NOTHING'', ''{a,b}'')'),
	('(''k'', ''implies'', NULL)'), ('(''k'', ''all_or_nothing'', ''{}'')'), ('(''k'', ''mutual_exclusion'', ''{}'')'),
	('(''k'', ''implies'', ''{}'')'), ('(''k'', ''all_or_nothing'', ''{a,NULL}'')'), ('(''k'', ''implies'', ''{NULL,b}'')'),
	('(''k'', ''mutual_exclusion'', ''{a,b,""}'')'), ('(''k'', ''implies'', ''{a}'')'), ('(''k'', ''implies'', ''{a,a,a}'')'),
	('(''k'', ''implies'', ''{a,b}''), (''j'', ''implies'', ''{a,b}''), (''k'', ''all_or_nothing'', ''{c}'')')) v (c),
	pg_temp.fault('SELECT check_sagas(''{}'', ARRAY[' || c || ']::saga_constraint[])') f;
SELECT f.* FROM pg_temp.fault('SELECT saga_summary(''{}'', ARRAY[(''k'', ''xor'', ''{a,b}'')]::saga_constraint[])') f;
-- not even a type that its owner has changed is read for what it was
BEGIN;
DROP VIEW findings, summary, tried;
DROP TABLE rules, ways;
ALTER TYPE saga_constraint ALTER ATTRIBUTE kind TYPE integer CASCADE;
SELECT f.* FROM pg_temp.fault('SELECT check_sagas(''{}'', ARRAY[(''k'', 1, ''{a,b}'')]::saga_constraint[])') f;
ROLLBACK;

-- 10,000 streams of reports, as random as md5 makes them, the same on every server
\set seed 20261125
SELECT :seed AS seed;
CREATE TEMP TABLE stream_report AS
	SELECT s AS stream, i, 'o' || (1 + d[1] % (1 + s % 4)) AS obligation, 'n' || (1 + d[2] % (1 + s / 4 % 4)) AS node,
		(CASE s / 16 % 4
			WHEN 0 THEN '{committed,committed,committed,committed,committed,committed,reserved,unknown}'
			WHEN 1 THEN '{aborted,aborted,aborted,aborted,aborted,reserved,reserved,unknown}'
			WHEN 2 THEN '{committed,committed,committed,committed,aborted,reserved,reserved,unknown}'
			ELSE '{unknown,reserved,committed,aborted,unknown,reserved,committed,conflict}' END::text[])[1 + d[3] % 8] AS state
	FROM generate_series(1, 10000) s, generate_series(1, 16) i,
		LATERAL (SELECT md5(:seed || ' ' || s || ' ' || i)) m (m),
		LATERAL (SELECT ARRAY(SELECT ('x' || substr(m, 1 + 4 * k, 4))::bit(16)::integer FROM generate_series(0, 3) k)) d (d)
	WHERE i = 1 OR d[4] % 17 > s / 64 % 16;
CREATE TEMP TABLE stream_rule AS
	SELECT s AS stream, 'k' || k AS name, (ARRAY['all_or_nothing', 'all_or_nothing', 'mutual_exclusion', 'implies'])[k] AS kind,
		CASE WHEN k = 1 THEN ARRAY(SELECT 'o' || o FROM generate_series(1, 1 + s % 4) o)
			ELSE ARRAY['o' || (1 + d[1] % 4), 'o' || (1 + (d[1] + 1) % 4)] || ARRAY(SELECT 'o' || (1 + d[o] % 5) FROM generate_series(2, 1 + d[5] % 4) o)
		END AS obligations
	FROM generate_series(1, 10000) s, generate_series(1, 4) k,
		LATERAL (SELECT md5(:seed || ' rule ' || s || ' ' || k)) m (m),
		LATERAL (SELECT ARRAY(SELECT ('x' || substr(m, 1 + 4 * j, 4))::bit(16)::integer FROM generate_series(0, 4) j)) d (d);
CREATE TEMP TABLE stream_rules AS
	SELECT stream, array_agg((name, kind, obligations)::saga_constraint ORDER BY md5(stream || name)) AS rules FROM stream_rule GROUP BY stream;

-- each in three orders with reports repeated, and from parts that overlap, merged: one image, the same findings
CREATE TEMP TABLE stream_lattice AS
	SELECT stream, way, observe(obligation, node, state::lattice_state ORDER BY md5(way || ' ' || i || ' ' || repeated)) AS l
	FROM stream_report, generate_series(1, 3) way, generate_series(1, 2) repeated
	WHERE repeated = 1 OR (i + way) % 3 > 0 GROUP BY stream, way
	UNION ALL
	SELECT stream, 4, merge(l ORDER BY part DESC) FROM (
		SELECT stream, part, observe(obligation, node, state::lattice_state) FROM stream_report, generate_series(0, 2) part
		WHERE i % 3 <> part GROUP BY stream, part) p (stream, part, l) GROUP BY stream;
SELECT count(*) AS streams, count(*) FILTER (WHERE images <> 1 OR ways <> 4) AS of_several_images
FROM (SELECT count(DISTINCT obligation_lattice_send(l)) AS images, count(*) AS ways FROM stream_lattice GROUP BY stream) v;
CREATE TEMP TABLE found AS SELECT l.stream, l.way, f.* FROM stream_lattice l JOIN stream_rules USING (stream),
	check_sagas(l, rules) WITH ORDINALITY f (finding, constraint_name, obligation, node_a, state_a, node_b, state_b, merged, explanation, row);
CREATE TEMP TABLE told AS SELECT l.stream, l.way, s.* FROM stream_lattice l JOIN stream_rules USING (stream), saga_summary(l, rules) s;
SELECT count(*) AS differing_findings FROM (
	SELECT stream, f FROM (SELECT stream, way, array_agg((to_jsonb(f) - 'way')::text ORDER BY row) FROM found f GROUP BY stream, way) v (stream, way, f)
	GROUP BY stream, f HAVING count(*) <> 4) w;
SELECT count(*) AS differing_summaries FROM (
	SELECT stream, constraint_name, state, missing FROM told GROUP BY 1, 2, 3, 4 HAVING count(*) <> 4) v;

-- the same from the definitions: what each node said, what is merged of each constraint's obligations
CREATE TEMP TABLE said AS
	SELECT stream, obligation, node, CASE
		WHEN bool_or(state = 'conflict') OR bool_or(state = 'committed') AND bool_or(state = 'aborted') THEN 'conflict'
		WHEN bool_or(state = 'committed') THEN 'committed' WHEN bool_or(state = 'aborted') THEN 'aborted'
		WHEN bool_or(state = 'reserved') THEN 'reserved' ELSE 'unknown' END AS state
	FROM stream_report GROUP BY stream, obligation, node;
CREATE TEMP TABLE item AS
	SELECT r.stream, r.name, r.kind, r.obligation, r.premise, CASE
		WHEN bool_or(state = 'conflict') OR bool_or(state = 'committed') AND bool_or(state = 'aborted') THEN 'conflict'
		WHEN bool_or(state = 'committed') THEN 'committed' WHEN bool_or(state = 'aborted') THEN 'aborted'
		WHEN bool_or(state = 'reserved') THEN 'reserved' ELSE 'unknown' END AS merged
	FROM (SELECT DISTINCT stream, name, kind, o AS obligation, o = obligations[1] AS premise FROM stream_rule, unnest(obligations) o) r
	LEFT JOIN said USING (stream, obligation) GROUP BY 1, 2, 3, 4, 5;
CREATE INDEX ON said (stream, obligation);
ANALYZE said, item;
-- of how many obligations of a constraint has a node reported the merged state?
CREATE TEMP TABLE seen AS
	SELECT stream, name, node, count(*) FILTER (WHERE state = merged) AS reported
	FROM item JOIN said USING (stream, obligation) GROUP BY stream, name, node;
CREATE TEMP TABLE verdict AS
	SELECT v.*, CASE
		WHEN kind = 'all_or_nothing' AND outcomes > 1 OR kind = 'mutual_exclusion' AND committed > 1
			OR kind = 'implies' AND premise = 'committed' AND committed < items THEN 'violation'
		WHEN kind = 'all_or_nothing' AND outcomes = 1 AND (terminal < items OR NOT whole) THEN 'phantom' END AS finding
	FROM (SELECT i.*, EXISTS (SELECT FROM seen s WHERE s.stream = i.stream AND s.name = i.name AND s.reported = items) AS whole
		FROM (SELECT stream, name, kind, count(*) AS items, max(obligation) FILTER (WHERE premise) AS first, max(merged) FILTER (WHERE premise) AS premise,
			count(DISTINCT merged) FILTER (WHERE merged IN ('committed', 'aborted', 'conflict')) AS outcomes,
			max(merged) FILTER (WHERE merged IN ('committed', 'aborted', 'conflict')) AS outcome,
			count(*) FILTER (WHERE merged IN ('committed', 'aborted', 'conflict')) AS terminal,
			count(*) FILTER (WHERE merged = 'committed') AS committed, count(*) FILTER (WHERE merged = 'conflict') AS conflict
		FROM item GROUP BY stream, name, kind) i) v;
CREATE TEMP TABLE expected AS
	SELECT stream, finding, constraint_name, obligation, node_a, state_a, node_b, state_b, merged,
		row_number() OVER (PARTITION BY stream ORDER BY constraint_name COLLATE "C" NULLS FIRST, obligation COLLATE "C", node_a COLLATE "C", node_b COLLATE "C") AS row
	FROM (
		SELECT stream, 'pairwise_conflict', NULL, obligation, a.node, a.state, b.node, b.state, 'conflict'
		FROM said a JOIN said b USING (stream, obligation)
		WHERE a.node < b.node AND ('conflict' IN (a.state, b.state) OR a.state IN ('committed', 'aborted') AND b.state IN ('committed', 'aborted') AND a.state <> b.state)
		UNION ALL
		SELECT stream, 'pairwise_conflict', NULL, obligation, min(node), 'conflict', NULL, NULL, 'conflict'
		FROM said GROUP BY stream, obligation HAVING count(*) = 1 AND min(state) = 'conflict'
		UNION ALL
		SELECT stream, finding, name, CASE kind WHEN 'implies' THEN first END, NULL, NULL, NULL, NULL,
			CASE WHEN kind <> 'all_or_nothing' THEN 'committed' WHEN finding = 'phantom' THEN outcome END
		FROM verdict WHERE finding IS NOT NULL) e (stream, finding, constraint_name, obligation, node_a, state_a, node_b, state_b, merged);
CREATE TEMP VIEW plain AS SELECT stream, finding, constraint_name, obligation, node_a, state_a::text, node_b, state_b::text, merged::text, row FROM found WHERE way = 1;
SELECT count(*) AS disagreements FROM ((TABLE expected EXCEPT ALL TABLE plain) UNION ALL (TABLE plain EXCEPT ALL TABLE expected)) v;
SELECT f.finding, r.kind, f.merged, count(*) FROM found f LEFT JOIN stream_rule r ON r.stream = f.stream AND r.name = f.constraint_name
	WHERE way = 1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT count(*) FILTER (WHERE node_b IS NULL) AS of_one_node, count(DISTINCT stream) AS of_streams FROM found WHERE way = 1 AND constraint_name IS NULL;
SELECT count(*) FILTER (WHERE position(to_json(coalesce(constraint_name, obligation))::text IN explanation) = 0) AS without_name,
	count(*) FILTER (WHERE position(to_json(node_a)::text IN explanation) = 0 OR position(to_json(node_b)::text IN explanation) = 0) AS without_node,
	count(*) FILTER (WHERE finding = 'phantom' AND position('reported' IN explanation) = 0) AS without_reason FROM found;

CREATE TEMP TABLE progress AS
	SELECT stream, name AS constraint_name, kind, CASE
		WHEN conflict > 0 OR finding = 'violation' THEN 'conflict'
		WHEN kind = 'implies' AND premise = 'aborted' THEN 'aborted'
		WHEN kind = 'implies' AND premise <> 'committed' OR kind <> 'implies' AND terminal < items THEN 'open'
		WHEN NOT whole THEN 'phantom'
		WHEN committed > 0 THEN 'committed' ELSE 'aborted' END AS state, outcome
	FROM verdict;
CREATE TEMP TABLE expected_summary AS
	SELECT stream, constraint_name, kind, state, coalesce(jsonb_object_agg(node, lacks) FILTER (WHERE lacks IS NOT NULL), '{}') AS missing
	FROM progress LEFT JOIN (
		SELECT stream, name AS constraint_name, node, jsonb_object_agg(obligation, due)
		FROM (SELECT s.stream, s.name, s.node, i.obligation, CASE WHEN i.merged IN ('committed', 'aborted') THEN i.merged WHEN p.kind = 'all_or_nothing' THEN p.outcome END AS due
			FROM progress p JOIN seen s ON s.stream = p.stream AND s.name = p.constraint_name AND p.state IN ('open', 'phantom')
			JOIN item i ON i.stream = s.stream AND i.name = s.name) v
		LEFT JOIN said w USING (stream, obligation, node) WHERE (w.state = due) IS NOT TRUE
		GROUP BY stream, name, node) l (stream, constraint_name, node, lacks) USING (stream, constraint_name)
	GROUP BY stream, constraint_name, kind, state;
CREATE TEMP VIEW plain_summary AS SELECT stream, constraint_name, kind, state, missing FROM told WHERE way = 1;
SELECT count(*) AS disagreements FROM ((TABLE expected_summary EXCEPT ALL TABLE plain_summary) UNION ALL (TABLE plain_summary EXCEPT ALL TABLE expected_summary)) v;
SELECT kind, state, count(*), count(*) FILTER (WHERE missing <> '{}') AS with_missing FROM plain_summary GROUP BY 1, 2 ORDER BY 1, 2;

-- any one of the nodes that lack something can settle it; what is not decided yet may be aborted
SELECT t.state, count(*) > 3000 AS many, count(*) FILTER (WHERE s.state NOT IN ('committed', 'aborted') OR s.missing <> '{}') AS not_settled
FROM told t JOIN stream_lattice l ON l.stream = t.stream AND l.way = 1 AND t.way = 1
JOIN stream_rule r ON r.stream = t.stream AND r.name = t.constraint_name, jsonb_each(missing) n,
	LATERAL (SELECT observe(o.key, n.key, coalesce(o.value, 'aborted')::lattice_state) FROM jsonb_each_text(n.value) o) o (more),
	LATERAL saga_summary(l | more, ARRAY[(r.name, r.kind, r.obligations)]::saga_constraint[]) s
GROUP BY t.state ORDER BY t.state;
