-- What the extension puts into the catalogs, as a whole.

CREATE VIEW members AS
SELECT d.classid, d.objid, d.objsubid, pg_describe_object(d.classid, d.objid, d.objsubid) AS object
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'distributed' AND d.deptype = 'e';

-- every operator class is complete
SELECT o.opcname, a.amname, amvalidate(o.oid)
FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod
	JOIN members m ON m.classid = 'pg_opclass'::regclass AND m.objid = o.oid
ORDER BY 1, 2;

-- every object has a comment (but arrays, and the row types of tables)
SELECT object FROM members
WHERE obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)) IS NULL
	AND object !~ '\[\]$'
	AND NOT (classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_class WHERE reltype = objid))
ORDER BY 1;

-- every function is strict and parallel safe, and none is volatile, except: the
-- live clock, which goes on, and random ids; what writes tables, and what reads
-- them, for a temporary one is the leader's; what has arguments that may be left
-- out; and an aggregate over several arguments, which begins with a null state
SELECT p.oid::regprocedure, p.proisstrict, p.proparallel, p.provolatile
FROM pg_proc p JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE p.prokind = 'f' AND NOT (p.proisstrict AND p.proparallel = 's' AND p.provolatile <> 'v')
	-- constructors of ranges and multiranges are the server's
	AND p.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'internal')
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- comparisons of scalars may pass a security barrier, and so use an index behind one
SELECT string_agg(p.proname, ' ' ORDER BY p.proname) AS leakproof
FROM pg_proc p JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE p.proleakproof;

-- every aggregate combines partial states, which are of its own type
SELECT a.aggfnoid::regprocedure, a.aggtranstype::regtype AS state, a.aggcombinefn <> 0 AS combines,
	p.proparallel
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
	JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
ORDER BY a.aggfnoid::regprocedure::text COLLATE "C";

-- every operator that answers yes or no has estimators, and between values of one
-- type a commutator
SELECT o.oid::regoperator FROM pg_operator o
	JOIN members m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
WHERE o.oprresult = 'boolean'::regtype AND (o.oprrest = 0 OR o.oprjoin = 0 OR (o.oprcom = 0 AND o.oprleft = o.oprright))
ORDER BY o.oid::regoperator::text COLLATE "C";

-- operators on types of ours only: none shadows one of the server's
SELECT o.oid::regoperator FROM pg_operator o
	JOIN members m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
	JOIN pg_operator s ON s.oprname = o.oprname AND s.oprleft = o.oprleft AND s.oprright = o.oprright AND s.oid <> o.oid;

-- the planner learns from statistics how selective an operator is: over 1,000
-- clocks in a chain the estimate is near the truth
CREATE TABLE chain AS SELECT vclock('a', i) AS clock FROM generate_series(1, 1000) i;
ANALYZE chain;
CREATE FUNCTION pg_temp.estimate(condition text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) SELECT FROM chain WHERE ' || condition INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END
$$;
SELECT condition, actual, estimated BETWEEN actual * 0.9 - 10 AND actual * 1.1 + 10 AS near
FROM (VALUES
	('clock << ''{"a": 301}''', 300), ('clock >> ''{"a": 300}''', 700), ('clock <@ ''{"a": 500}''', 500),
	('clock @> ''{"a": 901}''', 100), ('clock = ''{"a": 5}''', 1), ('clock <> ''{"a": 5}''', 999),
	('clock || ''{"b": 1}''', 1000), ('clock || ''{"a": 5}''', 0)) v (condition, actual),
	pg_temp.estimate(condition) estimated;
DROP TABLE chain;

-- joins and grouping on a clock may use each method there is
CREATE TABLE left_side AS SELECT vclock('n' || i % 7, i) AS clock FROM generate_series(1, 500) i;
CREATE TABLE right_side AS SELECT vclock('n' || i % 7, i) AS clock FROM generate_series(100, 700) i;
ANALYZE left_side, right_side;
SET enable_nestloop = off;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM left_side JOIN right_side USING (clock);
SELECT count(*) FROM left_side JOIN right_side USING (clock);
SET enable_hashjoin = off;
SET enable_mergejoin = on;
EXPLAIN (COSTS OFF) SELECT count(*) FROM left_side JOIN right_side USING (clock);
SELECT count(*) FROM left_side JOIN right_side USING (clock);
RESET ALL;
DROP TABLE left_side, right_side;

DROP VIEW members;
