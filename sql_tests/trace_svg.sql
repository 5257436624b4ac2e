-- Pictures of traces.

\set SHOW_CONTEXT never
\set VERBOSITY default
SELECT create_trace_store('My Store');

-- without the style sheet
CREATE FUNCTION pg_temp.drawing(svg text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(svg, '<style>.*</style>\n', '')
$$;
CREATE FUNCTION pg_temp.id(n bigint) RETURNS trace_id LANGUAGE sql AS $$
	SELECT lpad(n::text, 32, '0')::trace_id
$$;
-- the spans of a trace: times are in microseconds since 13:00
CREATE FUNCTION pg_temp.add(trace bigint, span bigint, parent bigint, from_us numeric, to_us numeric, service text, name text,
	status span_status DEFAULT 'unset', events jsonb DEFAULT '[]', message text DEFAULT NULL, attributes jsonb DEFAULT '{}') RETURNS bigint
LANGUAGE sql AS $$
	INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, start_ns, end_ns, resource, name, status, events, status_message, attributes)
	VALUES (pg_temp.id(trace), span::span_id, parent::span_id, 1795352400000000000 + from_us * 1000, 1795352400000000000 + to_us * 1000,
		jsonb_build_object('service.name', service), name, status, events, message, attributes)
	RETURNING span_id::bigint
$$;

-- one that failed, one with events, one that has not ended, an orphan, a cycle
SELECT pg_temp.add(1, 1, NULL, 0, 1200, 'shop', 'POST /order');
SELECT pg_temp.add(1, 2, 1, 100, 700, 'stock', 'reserve', 'ok', '[{"name": "lock", "time_ns": 1795352400000200000}, {"name": "wait", "time_ns": 1795352400000200100}]');
SELECT pg_temp.add(1, 3, 1, 700, 1100, 'bank', 'charge', 'error', message => 'declined', attributes => '{"amount": 12}');
SELECT pg_temp.add(1, 4, 2, 300, NULL, 'stock', 'count');
SELECT pg_temp.add(1, 5, 99, 1000, 1150, 'mail', 'send');
SELECT pg_temp.add(1, 6, 7, 20, 40, 'shop', 'turn');
SELECT pg_temp.add(1, 7, 6, 30, 40, 'shop', 'round');
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.drawing(trace_svg('My Store', pg_temp.id(1)));
-- a few of them: the critical path, and what it hangs from
SELECT pg_temp.drawing(trace_svg('My Store', pg_temp.id(1), 3));
\pset format aligned
\pset tuples_only off

-- names of rows, with what is left out
CREATE FUNCTION pg_temp.names(svg text) RETURNS TABLE (row_name text) LANGUAGE sql AS $$
	SELECT regexp_replace(m[1], '<[^>]*>', '', 'g') FROM regexp_matches(svg, '<text class="name"[^>]*?>(.*?)</text>', 'g') m
$$;
SELECT n, array(SELECT row_name FROM pg_temp.names(trace_svg('My Store', pg_temp.id(1), n))) AS rows FROM generate_series(1, 7) n;

-- A trace of 400 spans: a row each, one below the other; bars where they belong; texts beside them
INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name, resource, status)
SELECT pg_temp.id(2), n::span_id, CASE WHEN n > 1 THEN 1 + (n * 7919) % (n - 1) / 2 END::span_id, (n * 10 - (n % 7) * 3) * 1000,
	(n * 10 + (n * 104729) % 1000) * 1000, 'operation ' || n, jsonb_build_object('service.name', 'service ' || n % 5),
	CASE WHEN n % 50 = 0 THEN 'error' ELSE 'ok' END::span_status
FROM generate_series(1::bigint, 400) n;
CREATE TEMP TABLE bars AS
	SELECT m[1] AS colour, m[2] AS operation, h[1]::integer AS y, h[2]::integer AS pitch, b[1]::numeric AS x, b[2]::integer AS top, b[3]::numeric AS width,
		b[4]::integer AS height, t[1]::numeric AS text_x, t[2]::integer AS text_y
	FROM regexp_split_to_table(trace_svg('My Store', pg_temp.id(2)), '\n<g class="') row,
		regexp_match(row, '^(c\d+)[^>]*><title>service \d: (operation \d+)\n') m, regexp_match(row, '<rect class="hit" x="0" y="(\d+)" width="1000" height="(\d+)"/>') h,
		regexp_match(row, '<rect class="bar" x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="(\d+)"') b, regexp_match(row, '<text class="took" x="([\d.]+)" y="(\d+)"') t
	WHERE m IS NOT NULL;
SELECT count(*), count(DISTINCT operation) AS operations, count(DISTINCT y) AS rows, bool_and(top >= y AND top + height <= y + pitch) AS in_row,
	bool_and(text_x > x + width) AS beside, bool_and(text_x + 80 < 1000) AS inside, min(pitch), max(pitch) FROM bars;
SELECT max(y) - min(y) = 399 * min(pitch) AS without_gaps FROM bars;
-- as long as they took
WITH s AS (
	SELECT name, start_ns - min(start_ns) OVER () AS start, end_ns - start_ns AS took, max(end_ns) OVER () - min(start_ns) OVER () AS total
	FROM "My Store".spans WHERE trace_id = pg_temp.id(2)),
axis AS (SELECT min(x) AS x, 908 - min(x) AS length FROM bars)
SELECT max(abs(b.x - axis.x - start * length / total)) < 0.1 AS at_start, max(abs(b.width - greatest(took * length / total, 2))) < 0.1 AS as_long
FROM bars b JOIN s ON name = operation, axis;
-- children stand below their parents: in the order of the forest
SELECT count(*), bool_and(sb.y > pb.y) AS below
FROM "My Store".spans s JOIN "My Store".spans p ON p.trace_id = s.trace_id AND p.span_id = s.parent_span_id
	JOIN bars sb ON sb.operation = s.name JOIN bars pb ON pb.operation = p.name WHERE s.trace_id = pg_temp.id(2);
-- the critical path is drawn where it is
WITH s AS (SELECT min(start_ns) AS start, max(end_ns) - min(start_ns) AS total FROM "My Store".spans WHERE trace_id = pg_temp.id(2)),
axis AS (SELECT min(x) AS x, 908 - min(x) AS length FROM bars),
drawn AS (
	SELECT m[1]::numeric AS x1, m[2]::integer - 6 AS y, m[3]::numeric AS x2
	FROM regexp_match(trace_svg('My Store', pg_temp.id(2)), '<path class="critical" pointer-events="none" d="([^"]*)"') path,
		regexp_matches(path[1], 'M([\d.]+) (\d+)H([\d.]+)', 'g') m),
path AS (
	SELECT axis.x + (c.section_start - s.start) * length / total AS x1, axis.x + (c.section_end - s.start) * length / total AS x2, b.y
	FROM critical_path('My Store', pg_temp.id(2)) c JOIN "My Store".spans p ON p.trace_id = pg_temp.id(2) AND p.span_id = c.span_id
		JOIN bars b ON b.operation = p.name, s, axis)
SELECT count(*) > 5 AS sections, (SELECT count(*) FROM drawn) = count(*) AS as_many,
	count(*) = count(*) FILTER (WHERE EXISTS (SELECT FROM drawn d WHERE d.y = path.y AND abs(d.x1 - path.x1) < 0.1
		AND abs(d.x2 - greatest(path.x2, path.x1 + 1)) < 0.1)) AS in_place
FROM path;
-- a colour for each service, a sign for each error (and one in the legend)
SELECT count(DISTINCT colour) AS colours, count(DISTINCT (colour, right(operation, 1)::integer % 5)) AS services FROM bars;
SELECT count(*) FROM regexp_matches(trace_svg('My Store', pg_temp.id(2)), '<use xlink:href="#sign"', 'g');
-- sizes
SELECT n AS spans, (SELECT m[1] || ' px per row, letters of ' || (regexp_match(svg, 'class="rows" font-size="(\d+)"'))[1] || ' px, ' ||
	(SELECT count(*) FROM pg_temp.names(svg)) || ' rows' FROM regexp_match(svg, '<rect class="hit" x="0" y="\d+" width="1000" height="(\d+)"') m) AS size,
	(regexp_match(svg, '&#8230; and [^<]*'))[1] AS rest
FROM unnest('{10,40,41,120,121,300,301}'::integer[]) n, trace_svg('My Store', pg_temp.id(2), n) svg;
-- more than is shown
INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name)
SELECT pg_temp.id(3), n::span_id, CASE WHEN n > 1 THEN 1 + n % 10 END::span_id, n, n + n % 100, 'x' || n FROM generate_series(1::bigint, 1500) n;
SELECT (SELECT count(*) FROM pg_temp.names(svg)) AS rows, (regexp_match(svg, '&#8230; and [^<]*'))[1] AS rest,
	(SELECT sum(substring(row_name FROM '\+(\d+)$')::integer) FROM pg_temp.names(svg)) AS below
FROM trace_svg('My Store', pg_temp.id(3)) svg;
-- a chain
INSERT INTO "My Store".spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name)
SELECT pg_temp.id(4), n::span_id, nullif(n - 1, 0)::span_id, n, 2500 - n, 'x' || n FROM generate_series(1::bigint, 1200) n;
SELECT count(*), (regexp_match(svg, '&#8230; and [^<]*'))[1] AS rest, min(m[1]::integer), max(m[1]::integer)
FROM trace_svg('My Store', pg_temp.id(4)) svg, regexp_matches(svg, '<text class="name" x="(\d+)"', 'g') m GROUP BY svg;

-- times of any size, on an axis in fitting units
SELECT count(pg_temp.add(100 + n, 1, NULL, -2000000000000000, -2000000000000000 + took / 1000.0, 's', 'o'))
FROM unnest('{0,1,17,999,1000,1234,99949,99950,999499,999500,1000000,2500000,59994000000,59996000000,60000000000,3599999999999,3600000000000,
	90000000000000,86400000000000000,9000000000000000000}'::bigint[]) WITH ORDINALITY t (took, n);
SELECT took || ' ns' AS took, (regexp_match(svg, '<text class="took"[^>]*>([^<]*)<'))[1] AS shown,
	array_to_string(array(SELECT m[1] FROM regexp_matches(svg, '<text class="tick"[^>]*>([^<]*)<', 'g') m), ', ') AS ticks
FROM (SELECT trace_id, end_ns - start_ns AS took FROM "My Store".spans WHERE trace_id > pg_temp.id(100)) t, trace_svg('My Store', t.trace_id) svg
ORDER BY t.trace_id;
-- as far apart as can be
INSERT INTO "My Store".spans (trace_id, span_id, start_ns, end_ns, name) VALUES
	(pg_temp.id(5), 1::bigint::span_id, -9223372036854775808, -9223372036854775808, 'first'),
	(pg_temp.id(5), 2::bigint::span_id, 9223372036854775807, 9223372036854775807, 'last');
SELECT (regexp_match(svg, 'class="soft">([^<]*)<'))[1] AS header, array(SELECT m[1] FROM regexp_matches(svg, '<rect class="bar" x="([\d.]+)"', 'g') m) AS x
FROM trace_svg('My Store', pg_temp.id(5)) svg;

-- whatever a text holds, it stays text; long ones are cut, and whole in the title
SELECT pg_temp.add(6, 1, NULL, 0, 10, '<a & "b">', '</title>&lt; ]]> ''q''' || chr(1) || chr(8) || E'\t\n', 'error',
	'[{"name": "<&>", "time_ns": 1795352400000005000}]', '<m>', '{"<k>": "&"}');
SELECT pg_temp.add(6, 2, 1, 0, 10, repeat('s', 300), repeat('o', 300));
SELECT pg_temp.add(6, 3, 1, 0, 10, repeat(U&'\6F22', 100), repeat(U&'\05D0', 100));
SELECT pg_temp.add(6, 4, 1, 0, 10, 'short', repeat('o', 300));
SELECT pg_temp.add(6, 5, 1, 0, 10, repeat('s', 300), 'short');
SELECT pg_temp.add(6, 6, 1, 0, 10, '', '');
SELECT regexp_replace(row_name, '(.)\1{4,}', '\1(...)', 'g') AS row_name, length(row_name) FROM pg_temp.names(trace_svg('My Store', pg_temp.id(6)));
SELECT regexp_replace(m[1], '(.)\1{9,}', '\1(...)', 'g') AS title, length(m[1]) FROM regexp_matches(trace_svg('My Store', pg_temp.id(6)), '<title>([^<]*)<', 'g') m;

-- events of other forms, as whoever writes them by hand may have them
SELECT pg_temp.add(7, 1, NULL, 0, 10, 's', 'o', events => '[1, null, "x", {"name": "no time"}, {"time_ns": 1795352400000005000.7}, {"name": 5, "time_ns": 1e30},
	{"name": "early", "time_ns": -5}, {"name": "odd", "time_ns": "1795352400000005000"}]');
SELECT m[1] AS x, m[2] AS title FROM regexp_matches(trace_svg('My Store', pg_temp.id(7)), '<path class="event" d="M([\d.]+)[^>]*><title>([^<]*)<', 'g') m;

-- null, and errors
SELECT trace_svg(NULL, pg_temp.id(1)) IS NULL AS store, trace_svg('My Store', NULL) IS NULL AS trace, trace_svg('My Store', pg_temp.id(1), NULL) IS NULL AS most;
SELECT trace_svg('My Store', pg_temp.id(77));
SELECT trace_svg('my store', pg_temp.id(1));
SELECT trace_svg('My Store', pg_temp.id(1), 0);

SET client_min_messages = warning;
DROP SCHEMA "My Store" CASCADE;
