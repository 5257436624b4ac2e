-- Questions to causal logs: past and future, direct causes, depth, frontier, cuts, races.

\set SHOW_CONTEXT never
SET distributed.node = 'here';
SELECT create_causal_log('story') AS name;
-- berlin writes to tokyo, who writes to lima; meanwhile each goes on
SELECT log_event('story', '{"key": "x"}', node => 'berlin');
SELECT log_event('story', '{"key": "x"}', node => 'lima');
SELECT log_event('story', '{"key": "y"}', '{"berlin": 1}', 'tokyo');
SELECT log_event('story', '{"key": "y"}', node => 'berlin');
SELECT log_event('story', '{"key": "x"}', '{"berlin": 1, "tokyo": 1}', 'lima');
SELECT log_event('story', NULL, node => 'tokyo');

SELECT origin, seq, clock, event FROM causal_past('story', 'lima', 2);
SELECT origin, seq, clock, event FROM causal_future('story', 'berlin', 1);
SELECT origin, seq, clock, event FROM concurrent_with('story', 'lima', 2);
SELECT origin, seq FROM causal_past('story', 'berlin', 1);
SELECT origin, seq FROM causal_past('story', '{"tokyo": 1}'::vclock);
SELECT origin, seq FROM causal_past('story', '{"berlin": 2, "tokyo": 9}'::vclock);
SELECT origin, seq FROM causal_future('story', '{"tokyo": 1}'::vclock);
SELECT origin, seq FROM concurrent_with('story', '{"elsewhere": 1}'::vclock);
SELECT count(*) FROM causal_past('story', '{}'::vclock);
SELECT count(*) FROM causal_future('story', '{}'::vclock);
SELECT origin, seq, clock, event FROM causal_parents('story', 'lima', 2);
SELECT * FROM causal_parents('story');
SELECT * FROM causal_depth('story');
SELECT causal_depth('story', 'lima', 2) AS lima, causal_depth('story', 'berlin', 1) AS berlin;
SELECT origin, seq, clock, event FROM frontier('story');
SELECT cut, is_consistent_cut('story', cut) FROM (VALUES ('{}'::vclock), ('{"berlin": 1}'), ('{"tokyo": 1}'), ('{"berlin": 1, "tokyo": 1}'),
	('{"lima": 1}'), ('{"lima": 2, "berlin": 2}'), ('{"berlin": 2, "lima": 2, "tokyo": 2}'),
	-- more than there is, of whom there is nothing
	('{"berlin": 100, "lima": 100, "tokyo": 100}'), ('{"nobody": 5}'), ('{"berlin": 1, "tokyo": 100}')) v (cut);
SELECT * FROM races('story', 'event ->> ''key''');
SELECT * FROM races('story', 'l.origin');
-- the same event for several keys
SELECT * FROM races('story', 'unnest(ARRAY[event ->> ''key'', ''all''])');
-- timestamps and their types
SELECT bool_and(f.at = s.at), pg_typeof(max(f.at)) FROM causal_future('story', '{}'::vclock) f JOIN story s USING (origin, seq);

-- nulls, and what is not there
SELECT count(*) FROM causal_past('story', NULL::vclock);
SELECT count(*) FROM causal_past(NULL, '{"a": 1}'::vclock);
SELECT causal_depth('story', 'berlin', NULL) IS NULL AND is_consistent_cut('story', NULL) IS NULL AS nothing;
SELECT * FROM causal_past('story', 'berlin', 3);
SELECT * FROM causal_future('story', 'oslo', 1);
SELECT * FROM concurrent_with('story', 'berlin', 0);
SELECT * FROM causal_parents('story', 'berlin', -1);
SELECT causal_depth('story', '', 1);
SELECT * FROM frontier('pg_class');
SELECT * FROM causal_past('story_pkey', '{}'::vclock);
SELECT is_consistent_cut(1, '{}');
-- the key is an expression and nothing else
SELECT * FROM races('story', '');
SELECT * FROM races('story', 'event, seq');
SELECT * FROM races('story', 'event AS key');
SELECT * FROM races('story', 'event FROM story');
SELECT * FROM races('story', 'event; DROP TABLE story');
SELECT * FROM races('story', 'event)::text AS key FROM story l --');
SELECT * FROM races('story', 'event -- a comment') WHERE a_seq = b_seq;
SELECT * FROM races('story', 'event /*');
SELECT * FROM races('story', '''x''::text UNION SELECT ''y''');
SELECT * FROM races('story', 'event ORDER BY 1');
SELECT * FROM races('story', 'event LIMIT 1');
SELECT * FROM races('story', 'DISTINCT event');
SELECT * FROM races('story', 'event INTO TEMP theft');
SELECT * FROM races('story', 'event FOR UPDATE');
\set VERBOSITY terse
SELECT * FROM races('story', '*');
SELECT * FROM races('story', '%s %n');
SELECT * FROM races('story', 'evnt');
SELECT * FROM races('story', 'count(*)');
SELECT * FROM races('story', '1 / (seq - 1)');
\set VERBOSITY default
SELECT * FROM races('story', 'NULL');
SELECT count(*) FROM races('story', '(SELECT count(*) FROM story)');

-- Everything against its definition: 140 events of 7 nodes; of the messages, some
-- are old.  The server's random() is not the same in all versions.
CREATE FUNCTION arbitrary(what text, number integer, below integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || substr(md5(what || number), 1, 7))::bit(28)::integer % below
$$;
SELECT create_causal_log('random') AS name;
DO $$
DECLARE
	message vclock;
BEGIN
	FOR i IN 1 .. 140 LOOP
		message := NULL;
		IF i > 10 AND arbitrary('receives', i, 2) = 0 THEN
			SELECT clock INTO message FROM random ORDER BY at OFFSET greatest(0, i - 2 - arbitrary('message', i, 20)) LIMIT 1;
		END IF;
		PERFORM log_event('random', jsonb_build_object('key', arbitrary('key', i, 10)), message, 'node-' || arbitrary('node', i, 7));
	END LOOP;
END
$$;
-- the same in other tables: with what is needed and no more; out of order; by a view
CREATE TABLE "Bare" (seq integer, clock vclock, origin varchar(20));
INSERT INTO "Bare" SELECT seq, clock, origin FROM random ORDER BY md5(clock::text);
CREATE VIEW seen AS SELECT clock, seq, origin::name AS origin, event::text AS event, at::text AS at FROM random;
CREATE TABLE parts (LIKE random, PRIMARY KEY (origin, seq)) PARTITION BY LIST (origin);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN ('node-0', 'node-1', 'node-2');
CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT * FROM random;
CREATE TABLE keyed (at hlc, origin varchar(20), seq integer, event text, clock vclock, UNIQUE (origin, seq));
INSERT INTO keyed SELECT at, origin, seq, event, clock FROM random;
ANALYZE random;
ANALYZE keyed;

-- what the answers have to be
CREATE TABLE true_past AS SELECT e.origin, e.seq, p.origin AS p_origin, p.seq AS p_seq, p.clock FROM random e JOIN random p ON p.clock << e.clock;
CREATE TABLE true_past_of AS SELECT e.origin, e.seq, p.origin AS p_origin, p.seq AS p_seq, p.clock
	FROM random e JOIN random p ON p.clock << (e.clock | '{"node-1": 3}');
CREATE TABLE true_concurrent AS SELECT e.origin, e.seq, p.origin AS p_origin, p.seq AS p_seq, p.clock FROM random e JOIN random p ON p.clock || e.clock;
CREATE TABLE true_parents AS SELECT e.origin, e.seq, p.origin AS p_origin, p.seq AS p_seq FROM random e JOIN random p ON p.clock << e.clock
	WHERE NOT EXISTS (SELECT FROM random m WHERE p.clock << m.clock AND m.clock << e.clock);
CREATE TABLE true_depth AS
WITH RECURSIVE chain (origin, seq, depth) AS (
	SELECT origin, seq, 1::bigint FROM random
	UNION
	SELECT e.origin, e.seq, depth + 1 FROM chain JOIN true_parents e ON (e.p_origin, e.p_seq) = (chain.origin, chain.seq))
SELECT origin, seq, max(depth) AS depth FROM chain GROUP BY origin, seq;
CREATE TABLE true_frontier AS SELECT origin, seq, clock FROM random e WHERE NOT EXISTS (SELECT FROM random m WHERE e.clock << m.clock);
-- random ones, what an event or two know, and too much of one
CREATE TABLE cuts AS
SELECT ('{' || string_agg(format('"node-%s": %s', n, arbitrary('cut', i * 7 + n, 30)), ', ') || '}')::vclock AS cut
FROM generate_series(1, 50) i, generate_series(0, 6) n GROUP BY i
UNION ALL SELECT clock FROM random
UNION ALL SELECT a.clock | b.clock FROM random a JOIN random b ON a.seq = b.seq AND a.seq % 5 = 0 AND a.origin < b.origin
UNION ALL SELECT advance(clock, 'node-3', (clock -> 'node-3') + 1) FROM random WHERE seq % 3 = 0;
CREATE TABLE true_cuts AS SELECT cut, NOT EXISTS (SELECT FROM true_past p WHERE p.seq <= cut -> p.origin AND p.p_seq > cut -> p.p_origin) AS consistent FROM cuts;
CREATE TABLE true_races AS SELECT a.event ->> 'key' AS key, a.origin AS a_origin, a.seq AS a_seq, b.origin AS b_origin, b.seq AS b_seq
	FROM random a JOIN random b ON a.event -> 'key' = b.event -> 'key' AND a.clock || b.clock AND a.clock #<# b.clock;

CREATE FUNCTION differences(log regclass, OUT question text, OUT rows bigint, OUT differing bigint) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	asked text;
	defined text;
BEGIN
	FOR question, asked, defined IN VALUES
		('past', 'SELECT e.origin, e.seq, p.origin, p.seq, p.clock FROM random e, causal_past(%L, e.origin, e.seq) p', 'SELECT * FROM true_past'),
		('past of a clock', 'SELECT e.origin, e.seq, p.origin, p.seq, p.clock FROM random e, causal_past(%L, e.clock | ''{"node-1": 3}'') p',
			'SELECT * FROM true_past_of'),
		('future', 'SELECT p.origin, p.seq, e.origin, e.seq, e.clock FROM random e, causal_future(%L, e.origin, e.seq) p', 'SELECT * FROM true_past'),
		('concurrent', 'SELECT e.origin, e.seq, p.origin, p.seq, p.clock FROM random e, concurrent_with(%L, e.origin, e.seq) p',
			'SELECT * FROM true_concurrent'),
		('parents of each', 'SELECT e.origin, e.seq, p.origin, p.seq FROM random e, causal_parents(%L, e.origin, e.seq) p', 'SELECT * FROM true_parents'),
		('parents of all', 'SELECT * FROM causal_parents(%L)', 'SELECT * FROM true_parents'),
		('depth of each', 'SELECT origin, seq, causal_depth(%L, origin, seq) FROM random', 'SELECT * FROM true_depth'),
		('depth of all', 'SELECT * FROM causal_depth(%L)', 'SELECT * FROM true_depth'),
		('frontier', 'SELECT origin, seq, clock FROM frontier(%L)', 'SELECT * FROM true_frontier'),
		('cuts', 'SELECT cut, is_consistent_cut(%L, cut) FROM cuts', 'SELECT * FROM true_cuts'),
		('races', 'SELECT * FROM races(%L, $k$(SELECT r.event ->> ''key'' FROM random r WHERE r.clock = l.clock)$k$)', 'SELECT * FROM true_races')
	LOOP
		EXECUTE format('WITH asked AS (%s), defined AS (%s) SELECT (SELECT count(*) FROM defined),
			(SELECT count(*) FROM (SELECT * FROM asked EXCEPT ALL SELECT * FROM defined) x)
				+ (SELECT count(*) FROM (SELECT * FROM defined EXCEPT ALL SELECT * FROM asked) x)',
			format(asked, log), defined) INTO rows, differing;
		RETURN NEXT;
	END LOOP;
END
$$;
SELECT count(*), count(*) FILTER (WHERE is_consistent_cut('random', cut)) AS consistent FROM cuts;
SELECT log, question, rows, differing FROM unnest('{random,"\"Bare\"",seen,parts,keyed}'::regclass[]) log, differences(log);
-- by index or not, the answers are the same
-- (a plan that cannot but scan would be compiled, for it seems to cost very much)
SET jit = off;
SET enable_seqscan = off;
SELECT question, rows, differing FROM differences('random');
SET enable_bitmapscan = off;
SELECT question, rows, differing FROM differences('keyed');
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET jit;
-- causes come first
CREATE FUNCTION in_order(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	ordered boolean;
BEGIN
	EXECUTE format('SELECT bool_and(clock #># previous) FROM (SELECT clock, lag(clock) OVER () AS previous FROM %s) s WHERE previous IS NOT NULL', query) INTO ordered;
	RETURN ordered;
END
$$;
SELECT in_order('causal_past(''random'', ''{"node-1": 12, "node-2": 12, "node-3": 12, "node-4": 12}''::vclock)') AS past,
	in_order('causal_future(''random'', ''{"node-1": 4}''::vclock)') AS future,
	in_order('concurrent_with(''random'', ''{"node-1": 12, "node-2": 12, "node-3": 12, "node-4": 12}''::vclock)') AS concurrent,
	in_order('frontier(''random'')') AS frontier;
-- what comes as jsonb, whatever it was
SELECT pg_typeof(event), event FROM causal_past('keyed', 'node-1', 2) LIMIT 1;
SELECT pg_typeof(at), at, pg_typeof(event) FROM causal_past('seen', 'node-1', 2) LIMIT 1;
SELECT at, event FROM causal_past('"Bare"', 'node-1', 2) LIMIT 1;

-- a log whose clocks are wrong: what a clock counts but does not include is not its past
CREATE TABLE wrong (origin text, seq bigint, clock vclock);
INSERT INTO wrong VALUES ('a', 1, '{"a": 1, "c": 5}'), ('a', 2, '{"a": 2}'), ('b', 1, '{"a": 2, "b": 1}'), ('b', 1, '{"a": 2, "b": 1}'),
	(NULL, 1, '{"x": 1}'), ('n', NULL, '{"n": 1}'), ('n', 2, NULL);
SELECT origin, seq FROM concurrent_with('wrong', '{"z": 1}'::vclock);
SELECT * FROM causal_parents('wrong');
SELECT origin, seq FROM causal_parents('wrong', 'b', 1);
SELECT * FROM races('wrong', '1');
SELECT * FROM causal_depth('wrong');
SELECT causal_depth('wrong', 'b', 1);
SELECT * FROM causal_past('wrong', 'n', 2);
SELECT origin, seq, clock FROM frontier('wrong');
SELECT is_consistent_cut('wrong', '{"a": 2}'), is_consistent_cut('wrong', '{"a": 1}');
-- a log of nothing
CREATE TABLE empty (origin text, seq bigint, clock vclock, PRIMARY KEY (origin, seq));
SELECT (SELECT count(*) FROM causal_past('empty', '{"a": 1}'::vclock)) AS past, (SELECT count(*) FROM frontier('empty')) AS frontier,
	(SELECT count(*) FROM races('empty', 'origin')) AS races, (SELECT count(*) FROM causal_parents('empty')) AS parents,
	(SELECT count(*) FROM causal_depth('empty')) AS depths, is_consistent_cut('empty', '{"a": 1}') AS consistent;

-- a clock of very many nodes, and names that need quotes
INSERT INTO empty SELECT 'it''s \ "n' || i || '"', 1, vclock('it''s \ "n' || i || '"', 1) FROM generate_series(1, 150) i;
INSERT INTO empty SELECT 'all', 1, merge(clock) | '{"all": 1}' FROM empty;
SELECT count(*) FROM causal_past('empty', 'all', 1);
SELECT count(*) FROM causal_parents('empty', 'all', 1);
SELECT count(*) FROM causal_past('empty', $${"it's \\ \"n1\"": 7, "it's \\ \"n2\"": 1}$$::vclock);
SELECT origin, seq FROM causal_future('empty', 'it''s \ "n77"', 1);
SELECT origin, seq FROM frontier('empty');

-- privileges are the caller's, and so is the search path of a key
CREATE ROLE log_stranger;
SET ROLE log_stranger;
SELECT count(*) FROM causal_past('random', '{"node-1": 3}'::vclock);
SELECT count(*) FROM races('random', 'event');
RESET ROLE;
DROP ROLE log_stranger;
CREATE SCHEMA keys;
CREATE FUNCTION keys.of_event(jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1 ->> 'key' $$;
\set VERBOSITY terse
SELECT count(*) FROM races('random', 'of_event(event)');
\set VERBOSITY default
SET search_path = keys, public;
SELECT count(*) FROM races('random', 'of_event(event)');
SELECT count(*) FROM races('random', 'keys.of_event(event) COLLATE "C"');
RESET search_path;

-- logs grow while they are read: an answer is of one moment
BEGIN;
SELECT log_event('story', '{"key": "z"}', node => 'lima') FROM generate_series(1, 2);
SELECT origin, seq FROM frontier('story');
ROLLBACK;
SELECT origin, seq FROM frontier('story');

SET client_min_messages = warning;
DROP SCHEMA keys CASCADE;
DROP VIEW seen;
DROP TABLE story, random, "Bare", parts, keyed, wrong, empty, cuts, true_past, true_past_of, true_concurrent, true_parents, true_depth,
	true_frontier, true_cuts, true_races;
DROP FUNCTION arbitrary, differences, in_order;
