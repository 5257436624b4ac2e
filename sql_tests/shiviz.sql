-- Logs in the form of ShiViz: read, refused, and written.

\set SHOW_CONTEXT never
\pset null '(null)'

-- two lines for each event, in either order, which is found out
SELECT * FROM shiviz_events(E'open\na {"a": 1}\nsend\na {"a": 2}\nreceive\nb {"a": 2, "b": 1}\n');
SELECT * FROM shiviz_events(E'a {"a": 1}\nopen\na {"a": 2}\nsend\nb {"a": 2, "b": 1}\nreceive');
-- blank lines between, blanks behind, CRLF, a byte order mark
SELECT * FROM shiviz_events(U&'\FEFF\000A \000A' || E'open\r\na\t {"a": 1} \t\r\n\r\n \t\nsend\r\na {"a":2}\r\n\r\n');
-- a log without events
SELECT * FROM shiviz_events('');
SELECT * FROM shiviz_events(E'\n \r\n\t\n');
SELECT * FROM shiviz_events(NULL);
SELECT * FROM shiviz_events(NULL, '(?<host>)');
-- texts may contain anything: what counts is the position
SELECT * FROM shiviz_events(E'a tab\ta backslash \\N and a {"brace": 1}\na {"a": 1}\n\na {"a": 2}\n'
	'params {"timeout": 30}\na {"a":3}\n\\.\n[b,{1}] {"[b,{1}]": 1, "a": 3}\na {"a": 9}\na {"a": 4}\n');
SELECT * FROM shiviz_events(E'a {"a": 1}\n\na {"a": 2}\nlast\n');
-- the counter of the own host is the number; others may be 0
SELECT * FROM shiviz_events(E'late\na {"b": 0, "a": 7}\n');
-- in a query, with the columns of a causal log
SELECT e.origin, e.seq, causal_order(e.clock, f.clock)
FROM shiviz_events(E'x\na {"a": 1}\ny\nb {"b": 1}\nz\nb {"b": 2, "a": 1}') e,
	shiviz_events(E'y\nb {"b": 1}') f;

-- malformed lines: number, text and reason
CREATE FUNCTION broken(from_text text, to_text text) RETURNS TABLE (origin text, seq bigint, clock vclock, event text, line integer)
LANGUAGE sql AS $$
	SELECT * FROM shiviz_events(replace(E'start\na {"a": 1}\ngo on\na {"a": 2}\nstart\nb {"b": 1}\n', from_text, to_text))
$$;
SELECT * FROM broken('2}', '2');
SELECT * FROM broken('a {"a": 2}', '{"a": 2}');
SELECT * FROM broken(E'a {"a": 2}\n', '');
SELECT * FROM broken(E'go on\n', '');
SELECT * FROM broken('go on', E'Traceback:\ngo on');
SELECT * FROM broken('1}' || E'\n', E'1}\nthe end\n');
SELECT * FROM shiviz_events(E'start\na {"a": 1}\nthe end');
-- the order of lines is that of the first event
SELECT * FROM shiviz_events(E'a {"a": 1}\nstart\ngo on\nb {"b": 1}\nstart\n');
SELECT * FROM shiviz_events(E'a {"a": 1}\nstart\na {"a": 2}\nb {"b": 1}\nstart\n');
SELECT * FROM shiviz_events(E'a {"a": 1}\nstart\na {"a": 2}\n');
-- clocks, which vclock reads
SELECT * FROM broken('2}', 'x}');
SELECT * FROM broken('2}', '2,}');
SELECT * FROM broken('2}', '-2}');
SELECT * FROM broken('2}', '2.5}');
SELECT * FROM broken('2}', '9223372036854775808}');
SELECT * FROM broken('2}', '2, "a": 2}');
SELECT * FROM broken('{"a": 2}', '{"a": {"b": 1}}');
SELECT * FROM broken('{"b": 1}', '{"a": 1}');
SELECT * FROM broken('2}', '1}');
-- a long line is cut
SELECT * FROM broken('go on', repeat('go on and ', 100) || E'on\nand on');
\set VERBOSITY sqlstate
SELECT * FROM broken('2}', '2');
SELECT * FROM broken('2}', 'x}');
SELECT * FROM broken('2}', '9223372036854775808}');
\set VERBOSITY default

-- an expression of one's own
SELECT * FROM shiviz_events(E'12:00 [a] open @ {"a": 1}\n12:01 [a] send @ b @ {"a": 2}\n',
	'^(?<date>\S+) \[(?<host>\S+)\] (?<event>.*?) @ (?<clock>\{.*\})$');
SELECT * FROM shiviz_events(E'{"a": 1}\nhost a\nopen\n\n{"a": 2}\nhost a\n\n',
	'(?P<clock>{.*})\nhost (?P<host>\S*)\n(?P<event>.*)');
-- several events on a line, and text around them
SELECT * FROM shiviz_events(E'<a {"a": 1} open> <a {"a": 2} close>\n\n<b {"b": 1} open> and no more\n',
	'<(?<host>\w) (?<clock>{[^}]*}) (?<event>[^>]*)>');
-- an event's text may be missing, and a match empty
SELECT * FROM shiviz_events(E'a {"a": 1} open\nb {"b": 1}\n', '^((?<host>\w) (?<clock>{.*?})(?: (?<event>.*))?)?$');
-- what JavaScript means
SELECT line, event FROM shiviz_events(E'x-y/z a{"a":1}\n', '(?<event>\b\x78[\x2d\/]y\/\w) (?<host>.)(?<clock>{[\s\S]*?})');
SELECT line, event FROM shiviz_events(E'one\ntwo|a|{"a": 1}\n|three|a|{"a": 2}\n',
	'(?<event>[\s\S]*?)\|(?=(.))(?<host>\w)\|(?<clock>{.*?})(?:\n\||$)');
SELECT line, event FROM shiviz_events(E'[)] a {"a": 1}', '(?<event>[[)\]]*) (?<host>[^] [:digit:]]) (?<clock>{.*})(?!.)');
SELECT line, event FROM shiviz_events(E'aa a {"a": 1}\nab b {"b": 1}', '^(?:(?<event>(.)\2)|\w+) (?<host>.) (?<clock>.*)$');
-- the first quantifier decides for the whole expression
SELECT event FROM shiviz_events('a {"a": 1} one; two;', '(?<host>\w+) (?<clock>{.*}) (?<event>.*?;)');
SELECT event FROM shiviz_events('a {"a": 1} one; two;', '(?<host>\w+?) (?<clock>{.*}) (?<event>.*;)');
-- in capitals or not, whatever the collation
SELECT event FROM shiviz_events('A {"A": 1} x' COLLATE "POSIX", '(?i)(?<host>a) (?<clock>{.*}) (?<event>.*)');

-- lines of no event
SELECT * FROM shiviz_events(E'start\na {"a": 1}\nnothing\n  \n go on\na {"a": 2}\n', '^(?<event>\w+)\n(?<host>\S*) (?<clock>{.*})');
SELECT * FROM shiviz_events(E'nothing\n', '(?<host>a)(?<clock>{.*})(?<event>x)');
SELECT * FROM shiviz_events(E'a {"a": 1} x\n\n\nnothing\n', '(?<host>a) (?<clock>{.*}) (?<event>x)');
SELECT * FROM shiviz_events(E'\nx  {"a": 1}\n', '(?<event>x) (?<host>\w*) (?<clock>{.*})');
SELECT * FROM shiviz_events(E'x a {"a": 1}\nx a\n', '(?<event>x) (?<host>\w*)( (?<clock>{.*}))?');
-- (a carriage return ends lines, too)
\set VERBOSITY terse
SELECT * FROM shiviz_events(E'a {"a": 1} open\rand more\n', '(?<host>\w) (?<clock>{.*}) (?<event>.*)');
\set VERBOSITY default
SELECT * FROM shiviz_events(E'x a {"a": 1}\n\nx b {"a": 1}\n', '(?<event>x) (?<host>\w*) (?<clock>{.*})');
-- expressions that cannot be used
SELECT * FROM shiviz_events('', '(?<host>(?<clock>(?<event>');
SELECT * FROM shiviz_events('', '(?<clock>.)(?<event>.)');
SELECT * FROM shiviz_events('', '(?=(?<host>.))(?<clock>.)(?<event>.)');
SELECT * FROM shiviz_events('', '(?<host>.)(?<host>.)');
SELECT * FROM shiviz_events('', '(?<ho st>.)');
SELECT * FROM shiviz_events('', '(?<host>.)(?<clock>.)(?<event>[)');
SELECT * FROM shiviz_events('', '(?<host>.)(?<clock>.)(?<event>)\');
SELECT * FROM shiviz_events('', '');
\set VERBOSITY sqlstate
SELECT * FROM shiviz_events('', '(?<host>(?<clock>(?<event>');
SELECT * FROM shiviz_events('', '(?<clock>.)(?<event>.)');
\set VERBOSITY default

-- a log that brings its expression along, and what divides executions
SELECT * FROM shiviz_events(E'(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\na {"a": 1}\nopen\n');
SELECT * FROM shiviz_events(E'(?<host>\\w) (?<clock>{.*}) (?<event>.*)\r\n\r\na {"a": 1} open\r\nb {"b": 1} open\r\n');
SELECT * FROM shiviz_events(E'(?<host>\\w) (?<clock>{.*}) (?<event>.*)\n\na {"a": 1} open\nb (\n');
SELECT * FROM shiviz_events(E'(?<host>\\w) (?<clock>{.*}) (?<event>.*)\n=== (?<trace>.*)\na {"a": 1} open\n');
-- a given one wins
SELECT * FROM shiviz_events(E'(?<host>\\w) (?<clock>{.*}) (?<event>.*)\n\na {"a": 1} open\n', '(?<host>\w) (?<clock>{.*}) (?<event>..)');
SELECT * FROM shiviz_events(E'(?<host>\\w) (?<clock>{.*}) (?<event>.*)');

-- Export. Import, export, import: the same events; export again: the same text.
CREATE TABLE log (origin text, seq bigint, clock vclock, event text);
CREATE FUNCTION survives(OUT events bigint, OUT lost bigint, OUT new bigint, OUT same_text boolean) LANGUAGE plpgsql AS $$
DECLARE
	written text := to_shiviz('log');
BEGIN
	CREATE TABLE log_again AS SELECT * FROM shiviz_events(written);
	SELECT count(*), count(*) FILTER (WHERE a.origin IS NULL), count(*) FILTER (WHERE l.origin IS NULL)
	INTO events, lost, new
	FROM log l FULL JOIN log_again a ON l.origin = a.origin AND l.seq = a.seq AND l.clock = a.clock AND l.event = a.event;
	same_text := to_shiviz('log_again') = written;
	DROP TABLE log_again;
END
$$;
SELECT to_shiviz('log'), survives();
INSERT INTO log VALUES ('b', 1, '{"b": 1, "a": 2}', 'receive'), ('a', 2, '{"a": 2}', 'send'),
	('c', 1, '{"c": 1}', 'alone'), ('a', 1, '{"a": 1}', 'open');
SELECT to_shiviz('log');
SELECT survives();
-- an empty text still has a line
UPDATE log SET event = '' WHERE origin = 'b';
SELECT to_shiviz('log');
SELECT survives();
-- and null is written as one
UPDATE log SET event = NULL WHERE origin = 'b';
SELECT to_shiviz('log');
-- several lines
UPDATE log SET event = E'line\n\n===\nline\n' WHERE origin = 'b';
SELECT to_shiviz('log');
SELECT survives();
-- all that could be taken for something else, alone and together
CREATE TABLE nasty (nr serial, event text);
INSERT INTO nasty (event) VALUES (''), (' '), (E'\t'), (E'\n'), (E'\n\n\n'), (E'\r'), (E'\r\n'), (E'a\r\nb\r\n'), (E'a\rb'),
	('a {"a": 1}'), ('b {"b": 7}  '), (' {"a": 1}'), ('x {}'), ('x {"y"'), ('{"a": 1}'), (E'x\t{"x": 1} and so on'),
	('==='), (E'\n==='), (E'\n===\n'), (E'===\n====\n=====\n'), (E'\n===\n--- a\n{"a": 1}\nopen\n==='), ('--- a'), (E'--- a\n{"a": 1}'),
	('(?<event>.*)\n(?<host>\S*) (?<clock>{.*})'), ('(?<clock>'), ('=== (?<trace>.*)'), (U&'\FEFFmark'), (U&'\2028\00A0\0085'),
	('  blanks around  '), ('\'), ('\n'), ('"'), ('ünïcödé “quotes”'), (E'\001\x7f'), (repeat('long ', 10000)), (repeat(E'lines\n', 1000));
CREATE TABLE survivors (nr integer, place integer, events bigint, lost bigint, new bigint, same_text boolean);
DO $$
DECLARE
	candidate record;
BEGIN
	FOR candidate IN SELECT * FROM nasty ORDER BY nr LOOP
		FOR place IN 0..3 LOOP   -- the only event, the first, in the middle, the last
			TRUNCATE log;
			INSERT INTO log VALUES ('a', 1, '{"a": 1}', candidate.event);
			INSERT INTO log SELECT 'a', n, vclock('a', n), 'before' FROM generate_series(1, place - 1) n WHERE place > 1;
			UPDATE log SET seq = place, clock = vclock('a', place) WHERE event = candidate.event AND place > 1;
			INSERT INTO log SELECT 'a', n, vclock('a', n), 'after' FROM generate_series(place + 1, 3) n WHERE place > 0;
			INSERT INTO survivors SELECT candidate.nr, place, s.* FROM survives() s;
		END LOOP;
	END LOOP;
END
$$;
SELECT count(*) AS logs, sum(events) AS events, sum(lost + new) AS changed, count(*) FILTER (WHERE NOT same_text) AS unstable
FROM survivors;
TRUNCATE log;
INSERT INTO log SELECT 'a', nr, vclock('a', nr), event FROM nasty;
SELECT survives();
-- hosts
TRUNCATE log;
INSERT INTO log SELECT host, 1, vclock(host, 1), 'x' FROM unnest(ARRAY['a', 'b\c', 'd"e', '{', '}', '[f,{1}]', '===', '---', 'é', '{"g":', repeat('h', 255)]) host;
SELECT survives();
UPDATE log SET event = '' WHERE origin IN ('b\c', 'd"e', '{');
SELECT survives();
SELECT left(to_shiviz('log'), 90);
UPDATE log SET origin = origin || ' {"' || origin, clock = vclock(origin || ' {"' || origin, 1) WHERE length(origin) < 9;
SELECT survives();
INSERT INTO log SELECT host, 1, vclock(host, 1), 'x' FROM unnest(ARRAY[' ', E'\r', E'a\r', E' \t', 'a b', '--- a']) host;
SELECT survives();
INSERT INTO log VALUES (E'a\nb', 1, vclock(E'a\nb', 1), 'x');
SELECT to_shiviz('log');
-- numbers that would not come back
TRUNCATE log;
INSERT INTO log VALUES ('a', 2, '{"a": 3}', 'x');
SELECT to_shiviz('log');
UPDATE log SET seq = 3;
INSERT INTO log SELECT * FROM log;
SELECT to_shiviz('log');
TRUNCATE log;
INSERT INTO log VALUES ('a', 0, '{}', 'x');
SELECT to_shiviz('log');

-- events of other types, and none; a view
CREATE TABLE json_log (origin text, seq bigint, clock vclock, event jsonb);
INSERT INTO json_log VALUES ('a', 1, '{"a": 1}', '"open"'), ('a', 2, '{"a": 2}', '{"key": "x", "n": [1, null]}'), ('a', 3, '{"a": 3}', 'null'),
	('a', 4, '{"a": 4}', NULL), ('a', 5, '{"a": 5}', '"a\nb"');
SELECT to_shiviz('json_log');
-- on its way it may get other line ends, which then are those of all texts
SELECT origin, seq, event FROM shiviz_events(replace(to_shiviz('json_log'), E'\n', E'\r\n'));
CREATE VIEW bare AS SELECT origin, seq, clock FROM json_log WHERE seq < 3;
SELECT to_shiviz('bare');
CREATE VIEW gone AS SELECT origin, seq, clock, event FROM json_log WHERE false;
SELECT to_shiviz('gone') = '' AS nothing;
SELECT to_shiviz(NULL);
SELECT to_shiviz('nasty');

DROP VIEW bare, gone;
DROP TABLE log, json_log, nasty, survivors;
DROP FUNCTION broken, survives;
