-- Pictures of a causal log.

\set SHOW_CONTEXT never
CREATE TABLE talk (origin text, seq bigint, clock vclock, at hlc, event jsonb);
INSERT INTO talk VALUES
	('a', 1, '{"a": 1}', '2026-11-22T13:00:00Z', '"ask"'),
	('b', 1, '{"b": 1}', '2026-11-22T13:00:00Z/1', '{"step": "boot"}'),
	('b', 2, '{"a": 1, "b": 2}', '2026-11-22T13:00:01Z', '"answer"'),
	('a', 2, '{"a": 2, "b": 2}', '2026-11-22T13:00:02Z', NULL),
	('b', 3, '{"a": 1, "b": 3}', NULL, '"done"');

-- without the style sheet and the arrow heads
CREATE FUNCTION pg_temp.drawing(svg text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(svg, '<style>.*</defs>\n', '')
$$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.drawing(spacetime_svg('talk'));
-- all is coloured by how it stands to the chosen event
SELECT pg_temp.drawing(spacetime_svg('talk', 'b', 2));
SELECT to_dot('talk');
SELECT to_mermaid('talk');
\pset format aligned
\pset tuples_only off

-- colours: those of past and future are the causal order's
CREATE FUNCTION pg_temp.colours(svg text) RETURNS TABLE (colour text, event text) LANGUAGE sql AS $$
	SELECT m[1], m[2] FROM regexp_matches(svg, '<g class="(\w+)"><title>(\w+ \d+)\n', 'g') m
$$;
CREATE FUNCTION pg_temp.arrows(svg text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT m[1] FROM regexp_matches(svg, '<path class="(\w+)" d="M\d+ \d+Q', 'g') m
$$;
SELECT * FROM pg_temp.colours(spacetime_svg('talk', 'b', 2));
SELECT * FROM pg_temp.arrows(spacetime_svg('talk', 'b', 2)) AS arrow;
SELECT * FROM pg_temp.arrows(spacetime_svg('talk', 'b', 1)) AS arrow;

-- 400 events of 6 nodes: in the picture all arrows point to the right,
-- no two events meet, and there is an arrow for each direct cause elsewhere
CREATE TABLE gossip (origin text, seq bigint, clock vclock, event text);
DO $$
DECLARE
	clocks vclock[] := array_fill('{}'::vclock, ARRAY[6]);
	dice bigint := 42;
	n integer;
BEGIN
	FOR i IN 1..400 LOOP
		dice := (dice * 1103515245 + 12345) % 2147483648;
		n := 1 + dice / 65536 % 6;
		IF dice / 4096 % 10 < 4 THEN
			clocks[n] := receive(clocks[n], clocks[1 + dice / 524288 % 6], 'node-' || n);
		ELSE
			clocks[n] := tick(clocks[n], 'node-' || n);
		END IF;
		INSERT INTO gossip VALUES ('node-' || n, clocks[n] -> ('node-' || n), clocks[n], 'event ' || i);
	END LOOP;
END
$$;
CREATE TEMP TABLE dots AS
	SELECT m[1] AS event, m[2]::integer AS x, m[3]::integer AS y
	FROM regexp_matches(spacetime_svg('gossip'),
		'<title>([^\n]*)\n[^<]*</title>(?:<use [^>]*>)?<circle cx="(\d+)" cy="(\d+)"', 'g') m;
CREATE TEMP TABLE arrows AS
	SELECT m[1]::integer AS x1, m[2]::integer AS y1, m[3]::integer AS x2, m[4]::integer AS y2
	FROM regexp_matches(spacetime_svg('gossip'), 'd="M(\d+) (\d+)Q\d+ \d+ (\d+) (\d+)"', 'g') m;
SELECT count(*), count(DISTINCT event) AS events, count(DISTINCT (x, y)) AS places,
	count(DISTINCT y) AS lanes FROM dots;
SELECT bool_and(x1 < x2) AS to_the_right, bool_and(y1 <> y2) AS across FROM arrows;
WITH cause AS (
	SELECT c.origin || ' ' || c.seq AS cause, e.origin || ' ' || e.seq AS effect
	FROM gossip c JOIN gossip e ON c.clock << e.clock
	WHERE c.origin <> e.origin AND NOT EXISTS
		(SELECT FROM gossip b WHERE c.clock << b.clock AND b.clock << e.clock)),
drawn AS (
	SELECT c.event AS cause, e.event AS effect
	FROM arrows JOIN dots c ON (c.x, c.y) = (x1, y1) JOIN dots e ON (e.x, e.y) = (x2, y2))
SELECT count(*), (SELECT count(*) FROM (TABLE cause EXCEPT ALL TABLE drawn) d) AS not_drawn,
	(SELECT count(*) FROM (TABLE drawn EXCEPT ALL TABLE cause) d) AS too_many
FROM cause;
-- a cause stands to the left of all its effects
SELECT count(*) FROM gossip a JOIN dots c ON c.event = a.origin || ' ' || a.seq
	JOIN gossip b ON a.clock << b.clock JOIN dots e ON e.event = b.origin || ' ' || b.seq
WHERE c.x >= e.x;
-- past and future are those of the clocks
SELECT colour, causal_order(g.clock, chosen.clock), count(*)
FROM pg_temp.colours(replace(spacetime_svg('gossip', 'node-3', 30), 'node-', 'node_')) c
	JOIN gossip g ON c.event = replace(g.origin, '-', '_') || ' ' || g.seq,
	gossip chosen WHERE chosen.origin = 'node-3' AND chosen.seq = 30
GROUP BY 1, 2 ORDER BY 1;
-- the other formats have the same causes, also those at the event's own node
SELECT count(*) AS causes, (SELECT count(*) FROM regexp_matches(to_dot('gossip'), ' -> ', 'g')) AS dot,
	(SELECT count(*) FROM regexp_matches(to_mermaid('gossip'), ' --> ', 'g')) AS mermaid
FROM gossip c JOIN gossip e ON c.clock << e.clock
WHERE NOT EXISTS (SELECT FROM gossip b WHERE c.clock << b.clock AND b.clock << e.clock);

-- whatever a text holds, it stays text
CREATE TABLE odd (origin text, seq bigint, clock vclock, event jsonb);
INSERT INTO odd VALUES
	('<a & "b">', 1, '{"<a & \"b\">": 1}', '"</title>&lt; ]]> \"q\" \u0001\b\t| {x} [y] \\N\n2nd"'),
	('- x', 1, '{"- x": 1}', '{"a": [1, "''"]}'),
	('1. end', 1, '{"1. end": 1}', '"end\\"');
\pset format unaligned
\pset tuples_only on
SELECT m[1] FROM regexp_matches(spacetime_svg('odd'), '<(?:title|text [^>]*class="name")>([^<]*)<', 'g') m;
SELECT to_dot('odd');
SELECT to_mermaid('odd');
\pset format aligned
\pset tuples_only off
-- long texts are cut, wherever they are shown
CREATE TABLE wordy AS SELECT 'node ' || repeat('x', 100) AS origin, 1::bigint AS seq,
	vclock('node ' || repeat('x', 100), 1) AS clock, repeat('y', 1000) AS event;
SELECT regexp_replace(m[1], '(.)\1{9,}', '\1(...)', 'g') AS text, length(m[1])
FROM regexp_matches(spacetime_svg('wordy', 'node ' || repeat('x', 100), 1), '<t(?:itle|ext)[^>]*>([^<]{30,})<', 'g') m;
SELECT length(m[1]) FROM regexp_matches(to_mermaid('wordy'), 'e1\["([^"]*)"', 'g') m;
-- nodes whose long names begin alike are told apart
INSERT INTO wordy SELECT origin || n, 1, vclock(origin || n, 1) FROM wordy, generate_series(1, 2) n;
SELECT m[1] AS name FROM regexp_matches(spacetime_svg('wordy'), '<text [^>]*class="name">([^<]*)<', 'g') m;

-- lanes that exchange messages are neighbours
CREATE TABLE pairs (origin text, seq bigint, clock vclock);
INSERT INTO pairs VALUES ('a', 1, '{"a": 1}'), ('b', 1, '{"b": 1}'), ('c', 1, '{"a": 1, "c": 1}'),
	('d', 1, '{"b": 1, "d": 1}');
SELECT string_agg(m[1], ' ') AS lanes FROM regexp_matches(spacetime_svg('pairs'), 'class="name">([^<]*)<', 'g') m;

-- a log without events; one whose clocks are wrong; a node's events that do not
-- know of one another
CREATE TABLE nothing (origin text, seq bigint, clock vclock);
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.drawing(spacetime_svg('nothing'));
SELECT to_dot('nothing');
SELECT to_mermaid('nothing');
\pset format aligned
\pset tuples_only off
CREATE TABLE wrong (origin text, seq bigint, clock vclock);
INSERT INTO wrong VALUES ('a', 1, '{"a": 1, "b": 5}'), ('a', 2, '{"a": 2}'), ('a', 2, '{"a": 2}'), ('b', -1, '{}'),
	('b', 5, '{"b": 5}'), ('c', NULL, '{"c": 1}');
SELECT event, place FROM (SELECT m[1] AS event, m[2]::integer AS place
	FROM regexp_matches(spacetime_svg('wrong'), '<g class="\w+"><title>([^\n]*)\n[^<]*</title>(?:<use [^>]*>)?<circle cx="(\d+)"', 'g') m) d
ORDER BY event COLLATE "C", place;

-- null, and errors
SELECT spacetime_svg(NULL) IS NULL AS svg, to_dot(NULL) IS NULL AS dot, to_mermaid(NULL) IS NULL AS mermaid;
SELECT spacetime_svg('talk', 'a');
SELECT spacetime_svg('talk', NULL, 1);
SELECT spacetime_svg('talk', 'a', 3);
SELECT spacetime_svg('talk', 'c', 1);
SELECT spacetime_svg('pg_class');
SELECT to_dot('pg_class');
SELECT to_mermaid('nowhere');

DROP TABLE talk, gossip, odd, wordy, pairs, nothing, wrong;
