-- Replicas that change at random and exchange states and deltas at random end up with the
-- same bytes, and with what the operations, taken one by one, say.
--
-- Five replicas are five rows of a table.  10,000 times, one of them changes, or takes the
-- state of another, or what it lacks of it.  Each also keeps a vector clock, and the log of
-- operations has the clocks: from these alone, without the types under test, the outcome is
-- worked out anew.

\set SHOW_CONTEXT never
SET jit = off;
SET max_parallel_workers_per_gather = 0;
\set seed 0.20261125
SELECT set_config('convergence.seed', :'seed', false) AS seed;

-- $2 is a key, $3 a value, $4 an amount, $5 a time; times tie often.
CREATE TABLE verbs (type text, verb text, share integer, change text);
INSERT INTO verbs VALUES
	('vclock', 'tick', 1, 'tick(s, node)'),
	('gcounter', 'count', 1, 'increment(s, $4, node)'),
	('pncounter', 'count', 1, 'increment(s, $4, node)'),
	('pncounter', 'down', 1, 'decrement(s, $4, node)'),
	('lww_register', 'put', 1, 'set(s, $3, $5, node)'),
	('lww_map', 'put', 3, 'put(s, $2, $3, $5, node)'),
	('lww_map', 'remove', 1, 'remove(s, $2, $5, node)'),
	('mv_register', 'put', 1, 'set(s, $3, node)'),
	('orset', 'put', 6, 'add(s, $2, node)'),
	('orset', 'remove', 3, 'remove(s, $2)'),
	('orset', 'clear', 1, 'clear(s)'),
	('or_map', 'put', 2, 'put(s, $2, $3, node)'),
	('or_map', 'remove', 1, 'remove(s, $2)'),
	('ew_flag', 'put', 1, 'enable(s, node)'),
	('ew_flag', 'remove', 1, 'disable(s)'),
	('dw_flag', 'put', 1, 'disable(s, node)'),
	('dw_flag', 'remove', 1, 'enable(s)'),
	-- what is reported depends on the amount; of most obligations nobody ever reports that they were aborted
	('obligation_lattice', 'observe', 1, 'observe(s, $2, node, reported($2, $4))');
CREATE FUNCTION reported(key text, amount bigint) RETURNS lattice_state LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN amount = 1 AND key < 'k3' THEN 'aborted' WHEN amount < 3 THEN 'committed' WHEN amount < 50 THEN 'reserved' ELSE 'unknown' END::lattice_state
$$;

CREATE TABLE log (type text, node text, verb text, key text, value text, amount bigint, at hlc, clock vclock);

CREATE PROCEDURE converge(type text, steps integer) LANGUAGE plpgsql AS $$
DECLARE
	-- what a replica a takes of another, b: its state, or what it lacks of it
	ways text[] := ARRAY['a.s | b.s', CASE
		WHEN to_regprocedure(format('delta(%1$s,%1$s)', type)) IS NOT NULL THEN 'a.s | delta(b.s, a.s)'
		WHEN to_regprocedure(format('delta(%s,vclock)', type)) IS NOT NULL THEN 'a.s | delta(b.s, context(a.s))'
		ELSE 'b.s | a.s' END];
	take text := 'UPDATE replica a SET s = %s, clock = a.clock | b.clock FROM replica b WHERE a.node = $1 AND b.node = $2';
	node text;
	other text;
	turn record;
	clock vclock;
BEGIN
	PERFORM setseed(current_setting('convergence.seed')::double precision);
	EXECUTE format('CREATE TABLE replica (node text PRIMARY KEY, s %I DEFAULT ''{}'', clock vclock DEFAULT ''{}'')', type);
	INSERT INTO replica SELECT 'n' || n FROM generate_series(1, 5) n;
	COMMIT;
	FOR step IN 1 .. steps LOOP
		node := 'n' || 1 + floor(random() * 5);
		other := 'n' || 1 + floor(random() * 5);
		IF random() < 0.25 THEN
			EXECUTE format(take, ways[1 + floor(random() * 2)]) USING node, other;
			INSERT INTO log (type, node, verb) VALUES (type, node, 'merge');
		ELSE
			SELECT v.*, 'k' || floor(random() * 12) AS key, 'v' || floor(random() * 500) AS value,
				1 + floor(random() * 100)::bigint AS amount, (floor(random() * 1000) || '.0')::hlc AS at
			INTO turn FROM verbs v, generate_series(1, v.share) WHERE v.type = converge.type ORDER BY random() LIMIT 1;
			EXECUTE format('UPDATE replica SET s = %s, clock = tick(clock, node) WHERE node = $1 RETURNING clock', turn.change)
				INTO STRICT clock USING node, turn.key, turn.value, turn.amount, turn.at;
			INSERT INTO log VALUES (type, node, turn.verb, turn.key, turn.value, turn.amount, turn.at, clock);
		END IF;
		-- so that old versions of the five rows can go
		IF step % 20 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
	-- at last everyone hears of everything
	FOR node, other IN SELECT a.node, b.node FROM replica a, replica b ORDER BY random() LOOP
		EXECUTE format(take, ways[1 + floor(random() * 2)]) USING node, other;
	END LOOP;
	FOR node, other IN SELECT a.node, b.node FROM replica a, replica b ORDER BY random() LOOP
		EXECUTE format(take, ways[1 + floor(random() * 2)]) USING node, other;
	END LOOP;
	EXECUTE format('INSERT INTO outcome SELECT %L, count(DISTINCT s), count(DISTINCT %I(s)), max(s::text), bool_and(s = (SELECT merge(s) FROM replica)) FROM replica',
		type, type || '_send');
	DROP TABLE replica;
	COMMIT;
END
$$;
CREATE TABLE outcome (type text PRIMARY KEY, values_found bigint, images_found bigint, s text, is_the_merge boolean);

SELECT format('CALL converge(%L, 10000)', type) FROM (SELECT DISTINCT type FROM verbs) v ORDER BY type \gexec

-- every replica has the same bytes
SELECT o.type, o.values_found, o.images_found, o.is_the_merge, l.steps
FROM outcome o, LATERAL (SELECT count(*) FROM log l WHERE l.type = o.type) l (steps) ORDER BY o.type;

-- what was done last at each node, of each verb and key; what came before it at its node it has seen
CREATE VIEW last_done AS
SELECT DISTINCT ON (type, verb, key, node) type, verb, key, node, value, clock
FROM log WHERE verb <> 'merge' ORDER BY type, verb, key, node, total(clock) DESC;
-- writes that no write or removal of their key has seen, and of a set no clearing of it
CREATE VIEW alive AS
SELECT * FROM last_done w WHERE verb = 'put' AND NOT EXISTS (
	SELECT FROM last_done r WHERE r.type = w.type AND w.clock << r.clock AND (r.verb = 'clear' OR r.key = w.key));
-- the same where a type has no keys
CREATE VIEW alive_of_all AS
SELECT * FROM last_done w WHERE verb = 'put' AND NOT EXISTS (
	SELECT FROM last_done r WHERE r.type = w.type AND w.clock << r.clock);
-- the greatest write of each key: time, node, a value before a removal, value
CREATE VIEW winners AS
SELECT DISTINCT ON (type, key) type, key, CASE verb WHEN 'put' THEN value END AS value, at, node
FROM log WHERE type = 'lww_map' ORDER BY type, key, at DESC NULLS LAST, node COLLATE "C" DESC, verb = 'put' DESC, value COLLATE "C" DESC;

-- counters: the value is the sum of all operations
SELECT o.type, value(o.s::gcounter) = (SELECT sum(amount) FROM log l WHERE l.type = o.type AND verb = 'count') AS adds_up,
	value(o.s::gcounter) > 100000 AS not_nothing
FROM outcome o WHERE o.type = 'gcounter';
SELECT o.type, value(o.s::pncounter) = (SELECT sum(CASE verb WHEN 'count' THEN amount ELSE -amount END) FROM log l WHERE l.type = o.type AND verb <> 'merge') AS adds_up
FROM outcome o WHERE o.type = 'pncounter';
SELECT o.type, o.s::vclock = (SELECT merge(clock) FROM log l WHERE l.type = o.type) AS same,
	total(o.s::vclock) = (SELECT count(*) FROM log l WHERE l.type = o.type AND verb = 'tick') AS adds_up
FROM outcome o WHERE o.type = 'vclock';

-- last writer wins
SELECT o.type, (value(o.s::lww_register), stamp(o.s::lww_register), node(o.s::lww_register)) =
	(SELECT value, at, node FROM log l WHERE l.type = o.type AND verb = 'put' ORDER BY at DESC, node COLLATE "C" DESC, value COLLATE "C" DESC LIMIT 1) AS same
FROM outcome o WHERE o.type = 'lww_register';
SELECT o.type, o.s::jsonb = (SELECT jsonb_object_agg(key, jsonb_build_object('value', value, 'at', at, 'node', node)) FROM winners w WHERE key IS NOT NULL) AS same
FROM outcome o WHERE o.type = 'lww_map';

-- obligations: every report, whenever it was made
SELECT o.type, o.s::obligation_lattice = (SELECT observe(key, node, reported(key, amount)) FROM log l WHERE l.type = o.type AND verb = 'observe') AS same,
	(SELECT count(DISTINCT state) > 2 AND bool_or(state = 'conflict') FROM entries(o.s::obligation_lattice)) AS not_nothing
FROM outcome o WHERE o.type = 'obligation_lattice';

-- dots: what no later operation has seen
SELECT o.type, elements(o.s::orset) = ARRAY(SELECT DISTINCT key COLLATE "C" FROM alive a WHERE a.type = o.type ORDER BY 1) AS same
FROM outcome o WHERE o.type = 'orset';
SELECT o.type, siblings(o.s::mv_register) = ARRAY(SELECT DISTINCT value COLLATE "C" FROM alive_of_all a WHERE a.type = o.type ORDER BY 1) AS same
FROM outcome o WHERE o.type = 'mv_register';
SELECT o.type, (SELECT jsonb_object_agg(key, to_jsonb("values")) FROM each(o.s::or_map)) =
	(SELECT jsonb_object_agg(key, list) FROM (SELECT key, jsonb_agg(DISTINCT value COLLATE "C") FROM alive a WHERE a.type = o.type GROUP BY key) k (key, list)) AS same
FROM outcome o WHERE o.type = 'or_map';
-- a flag with a surviving write: of enabling for one, of disabling for the other
SELECT o.type, CASE o.type WHEN 'ew_flag' THEN value(o.s::ew_flag) ELSE NOT value(o.s::dw_flag) END = EXISTS (
	SELECT FROM last_done w WHERE w.type = o.type AND verb = 'put' AND NOT EXISTS (
		SELECT FROM last_done r WHERE r.type = o.type AND r.verb = 'remove' AND w.clock << r.clock)) AS same
FROM outcome o WHERE o.type IN ('ew_flag', 'dw_flag') ORDER BY o.type;

-- no tombstones: after 10,000 steps a set is as large as its elements and five nodes
SELECT o.type, jsonb_array_length(coalesce(o.s::jsonb -> 'cloud', '[]')) AS gaps, pg_column_size(o.s::orset) < 200 AS small
FROM outcome o WHERE o.type = 'orset';

DROP VIEW last_done, alive, alive_of_all, winners CASCADE;
DROP TABLE verbs, log, outcome;
DROP PROCEDURE converge;
DROP FUNCTION reported;
