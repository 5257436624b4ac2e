-- Obligations: observing, checking sagas, looking up a state, the GIN index.

\echo '==> filling reports'
-- 100,000 obligations, each reported by 10 nodes, in no order.
CREATE TABLE reports AS
SELECT 'obligation-' || o AS obligation, 'node-' || n AS node, (CASE WHEN (o + n) % 7 = 0 THEN 'reserved' ELSE 'committed' END)::lattice_state AS state
FROM generate_series(1, 100000) o, generate_series(1, 10) n ORDER BY random();
CREATE TABLE reports_10 AS
SELECT 'obligation-' || o AS obligation, 'node-' || n AS node, (CASE WHEN (o + n) % 7 = 0 THEN 'reserved' ELSE 'committed' END)::lattice_state AS state
FROM generate_series(1, 1000000) o, generate_series(1, 10) n ORDER BY random();
VACUUM (FREEZE, ANALYZE) reports;
VACUUM (FREEZE, ANALYZE) reports_10;
DO $$
BEGIN
	IF (SELECT cardinality(obligations(l)) <> 100000 OR (SELECT count(*) FROM entries(l)) <> 1000000 OR state(l, 'obligation-17') <> 'committed'
			FROM (SELECT observe(obligation, node, state) FROM reports) o (l)) THEN
		RAISE EXCEPTION 'a report is lost';
	END IF;
END
$$;

\echo '==> observing'
CALL compare('observe(obligation, node, state) of 1M reports : jsonb_object_agg(obligation, state)',
	'SELECT observe(obligation, node, state) FROM reports', 'SELECT jsonb_object_agg(obligation, state) FROM reports', 3.0);
CALL compare('observe of 10M reports : 1M reports',
	'SELECT observe(obligation, node, state) FROM reports_10', 'SELECT observe(obligation, node, state) FROM reports', 12);
DROP TABLE reports_10;

\echo '==> looking up a state'
-- So many lookups in one value, which is read from its table once.
CREATE TABLE lattices AS
SELECT 100000 AS n, observe(obligation, node, state) AS l, jsonb_object_agg(obligation, state) AS j FROM reports
UNION ALL SELECT 1000, observe(obligation, node, state), jsonb_object_agg(obligation, state) FROM reports WHERE substr(obligation, 12)::integer <= 1000;
CREATE FUNCTION lookups(expression text, obligations integer) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT count(%s) FROM (SELECT l | l AS l, j || j AS j FROM lattices WHERE n = %s OFFSET 0) s, generate_series(1, 500000) i', expression, obligations)
$$;
SELECT lookups('state(l, ''obligation-'' || 1 + i % 100000)', 100000) AS ours, lookups('j -> (''obligation-'' || 1 + i % 100000)', 100000) AS yardstick,
	lookups('state(l, ''obligation-'' || 1 + i % 1000)', 1000) AS small \gset
CALL compare('state(l, obligation) of 100k obligations x 10 nodes : jsonb -> key of as many keys', :'ours', :'yardstick', 1.5);
CALL compare('state(l, obligation) of 100k obligations : 1k obligations', :'ours', :'small', 3);

\echo '==> checking sagas'
-- 10,000 constraints of 10 obligations each; a hundred sagas are in conflict with themselves.
CREATE TABLE sagas AS
SELECT s, ('saga-' || s, 'all_or_nothing', array_agg('obligation-' || s * 10 + o))::saga_constraint AS constraint_ FROM generate_series(0, 9999) s, generate_series(1, 10) o GROUP BY s;
CREATE TABLE checked AS SELECT observe(obligation, node, state) AS l, (SELECT array_agg(constraint_) FROM sagas) AS constraints
FROM (TABLE reports UNION ALL SELECT 'obligation-' || i * 1000 + 1, 'node-11', 'aborted' FROM generate_series(0, 99) i) r;
SELECT $$SELECT count(*) FROM (SELECT l, constraints FROM checked) c, check_sagas(l, constraints)$$ AS ours,
	$$SELECT count(*) FROM (SELECT obligation, merge(reported) FROM (SELECT l FROM checked) c, entries(l) GROUP BY obligation) s$$ AS yardstick \gset
CALL compare('check_sagas, 10k constraints on 1M reports : hash aggregate of the entries', :'ours', :'yardstick', 2.0);
CALL compare('saga_summary, the same : hash aggregate of the entries',
	$$SELECT count(*) FROM (SELECT l, constraints FROM checked) c, saga_summary(l, constraints)$$, :'yardstick', 2.0);

\echo '==> finding conflicts by index'
CREATE TABLE history AS
SELECT i AS id, observe('step-' || s, 'node-' || n, CASE WHEN i % 1000 = 0 AND n = 3 THEN 'aborted' ELSE 'committed' END::lattice_state) AS l
FROM generate_series(1, 200000) i, generate_series(1, 4) s, generate_series(1, 3) n GROUP BY i;
CREATE INDEX history_l ON history USING gin (l);
VACUUM (FREEZE, ANALYZE) history;
DO $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXPLAIN SELECT count(*) FROM history WHERE has_conflicts(l) LOOP
		plan := plan || line;
	END LOOP;
	IF plan !~ 'Bitmap Index Scan on history_l' OR (SELECT count(*) FROM history WHERE has_conflicts(l)) <> 200 THEN
		RAISE EXCEPTION 'the index is not asked: %', plan;
	END IF;
END
$$;
CALL compare('has_conflicts(l) of 200k rows by GIN : by sequential scan', 'SELECT count(*) FROM history WHERE has_conflicts(l)',
	'SELECT count(*) FROM (SELECT l FROM history OFFSET 0) s WHERE has_conflicts(l)', 0.05);
