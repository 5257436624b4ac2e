-- The laws of every type: one line per type, and all of them are checked.
--
-- A lattice type is judged by merge, "|", "<@" and "#<#"; a scalar by max,
-- "the larger of two", "<=" and "<".  Both must keep one canonical image.

\set SHOW_CONTEXT never
SET jit = off;
\set seed 0.20261122
SELECT set_config('laws.seed', :'seed', false) AS seed;

CREATE TABLE law_types (type text PRIMARY KEY, kind text, make text);

-- make: an expression for the i-th random value; i = 0 is the least.
INSERT INTO law_types VALUES
	('vclock', 'lattice', $$
		(SELECT coalesce(merge(vclock('n' || floor(random() * 5),
			CASE floor(random() * 8) WHEN 0 THEN 4294967295 WHEN 1 THEN 4294967296
				ELSE floor(random() * 3)::bigint END)), '{}')
		FROM generate_series(1, i % 6)) $$),
	('lamport', 'scalar', $$
		CASE i % 4 WHEN 3 THEN 9223372036854775807 - floor(random() * 3)::bigint
			ELSE (i > 0)::integer * floor(random() * 5)::bigint END::lamport $$),
	('hlc', 'scalar', $$
		(CASE i % 4 WHEN 0 THEN '-9223372036854775808' WHEN 3 THEN '9223372036854775807'
			ELSE (floor(random() * 5) - 2)::text END || '.' ||
			CASE i % 8 WHEN 7 THEN '4294967295' ELSE ((i > 0)::integer * floor(random() * 3))::text END)::hlc $$);

-- What a law is called, how many cases were tried, how many broke it.
CREATE TABLE law_results (ordinal serial, type text, law text, cases bigint, broken bigint);

CREATE PROCEDURE judge(type text, law text, query text) LANGUAGE plpgsql AS $$
DECLARE
	cases bigint;
	broken bigint;
BEGIN
	EXECUTE format('SELECT count(*), count(*) FILTER (WHERE holds IS NOT TRUE) FROM (%s) q (holds)', query)
		INTO cases, broken;
	INSERT INTO law_results (type, law, cases, broken) VALUES (type, law, cases, broken);
END
$$;

CREATE PROCEDURE check_laws(type text, kind text, make text, seed double precision) LANGUAGE plpgsql AS $$
DECLARE
	joined text := CASE kind WHEN 'lattice' THEN '(%s | %s)' ELSE type || '_larger(%s, %s)' END;
	included text := CASE kind WHEN 'lattice' THEN '<@' ELSE '<=' END;
	includes text := CASE kind WHEN 'lattice' THEN '@>' ELSE '>=' END;
	sorts_before text := CASE kind WHEN 'lattice' THEN '#<#' ELSE '<' END;
	collect text := CASE kind WHEN 'lattice' THEN 'merge' ELSE 'max' END;
	image text := type || '_send';
	file text := current_setting('data_directory') || '/distributed_laws.' || pg_backend_pid();
	plan text;
	line text;
BEGIN
	PERFORM setseed(seed);
	EXECUTE format('CREATE TABLE law_values AS SELECT i AS n, %s AS v FROM generate_series(0, 39) i', make);

	-- the join
	CALL judge(type, 'join is commutative', format('SELECT %s = %s FROM law_values a, law_values b',
		format(joined, 'a.v', 'b.v'), format(joined, 'b.v', 'a.v')));
	CALL judge(type, 'join is associative', format('SELECT %s = %s FROM law_values a, law_values b, law_values c',
		format(joined, format(joined, 'a.v', 'b.v'), 'c.v'), format(joined, 'a.v', format(joined, 'b.v', 'c.v'))));
	CALL judge(type, 'join is idempotent', format('SELECT %s = a.v FROM law_values a', format(joined, 'a.v', 'a.v')));
	CALL judge(type, 'the least value changes nothing', format('SELECT %s = a.v FROM law_values a, law_values z WHERE z.n = 0',
		format(joined, 'a.v', 'z.v')));

	-- the order
	CALL judge(type, 'a <@ b if and only if a | b = b', format('SELECT (a.v %s b.v) = (%s = b.v) FROM law_values a, law_values b',
		included, format(joined, 'a.v', 'b.v')));
	CALL judge(type, '@> mirrors <@', format('SELECT (a.v %s b.v) = (b.v %s a.v) FROM law_values a, law_values b', included, includes));
	CALL judge(type, '<@ is antisymmetric', format('SELECT (a.v %1$s b.v AND b.v %1$s a.v) = (a.v = b.v) FROM law_values a, law_values b', included));
	CALL judge(type, 'sorting extends <@', format('SELECT a.v %s b.v FROM law_values a, law_values b WHERE a.v %s b.v AND a.v <> b.v',
		sorts_before, included));
	CALL judge(type, 'sorting is total', format('SELECT ((a.v %1$s b.v)::integer + (b.v %1$s a.v)::integer + (a.v = b.v)::integer) = 1 FROM law_values a, law_values b', sorts_before));
	CALL judge(type, 'sorting is transitive', format('SELECT a.v %1$s c.v FROM law_values a, law_values b, law_values c WHERE a.v %1$s b.v AND b.v %1$s c.v', sorts_before));
	CALL judge(type, 'ORDER BY is that order', format('SELECT NOT v %s before FROM (SELECT v, lag(v) OVER (ORDER BY v) FROM law_values) s (v, before) WHERE before IS NOT NULL', sorts_before));

	-- canonical bytes
	CALL judge(type, 'equal values have one image', format('SELECT (a.v = b.v) = (%1$s(a.v) = %1$s(b.v)) AND (a.v <> b.v) = (%1$s(a.v) <> %1$s(b.v)) FROM law_values a, law_values b', image));
	CALL judge(type, 'equal values have one hash', format('SELECT %1$s_hash(a.v) = %1$s_hash(b.v) AND %1$s_hash_extended(a.v, 7) = %1$s_hash_extended(b.v, 7) FROM law_values a, law_values b WHERE a.v = b.v', type));
	CALL judge(type, 'one image whatever the history', format($q$
		SELECT %1$s(%2$s) = %1$s(%3$s) AND %1$s(%2$s) = %1$s(%4$s)
		FROM law_values a, law_values b, law_values c$q$, image,
		format(joined, 'a.v', format(joined, 'b.v', 'c.v')),
		format(joined, format(joined, 'c.v', 'a.v'), format(joined, 'b.v', 'c.v')),
		format(joined, format(joined, 'b.v', 'b.v'), format(joined, 'c.v', 'a.v'))));
	CALL judge(type, 'one image whatever the order of rows', format($q$
		SELECT %1$s(all_at_once) = %1$s(shuffled)
		FROM (SELECT %2$s(v) FROM law_values) s (all_at_once),
			(SELECT k, (SELECT %2$s(v ORDER BY md5(k || ':' || n)) FROM law_values)
			FROM generate_series(1, 20) k) t (k, shuffled)$q$, image, collect));

	-- representations
	CALL judge(type, 'text reads back', format('SELECT %1$s(v::text::%2$s) = %1$s(v) AND v::text::%2$s::text = v::text FROM law_values', image, type));
	IF kind = 'lattice' THEN
		CALL judge(type, 'jsonb reads back', format('SELECT %1$s(v::jsonb::%2$s) = %1$s(v) AND v::jsonb = v::text::jsonb FROM law_values', image, type));
	END IF;
	EXECUTE format('CREATE TABLE law_copies (n integer, v %s)', type);
	EXECUTE format('COPY law_values TO %L (FORMAT binary)', file);
	EXECUTE format('COPY law_copies FROM PROGRAM %L (FORMAT binary)', format('cat ''%s'' && rm ''%1$s''', file));
	CALL judge(type, 'binary reads back', format('SELECT a.v = b.v AND a.v::text = b.v::text AND %1$s(a.v) = %1$s(b.v) FROM law_values a FULL JOIN law_copies b USING (n)', image));

	-- aggregates
	CALL judge(type, 'aggregate is the join of all', format($q$
		WITH RECURSIVE folded AS (
			SELECT n, v FROM law_values WHERE n = 0
			UNION ALL SELECT l.n, %s FROM folded f JOIN law_values l ON l.n = f.n + 1)
		SELECT %s(v) = (SELECT v FROM folded ORDER BY n DESC LIMIT 1) FROM law_values$q$, format(joined, 'f.v', 'l.v'), collect));
	CALL judge(type, 'aggregate of partial aggregates', format($q$
		SELECT (SELECT %1$s(part) FROM (SELECT %1$s(v) AS part FROM law_values GROUP BY n %% k) s) = (SELECT %1$s(v) FROM law_values)
		FROM generate_series(1, 20) k$q$, collect));
	CALL judge(type, 'aggregate skips nulls', format('SELECT %1$s(x) = (SELECT %1$s(v) FROM law_values) FROM (SELECT v FROM law_values UNION ALL SELECT NULL) s (x)', collect));
	CALL judge(type, 'aggregate of nothing is null', format('SELECT %s(v) IS NULL FROM law_values WHERE n < 0', collect));
	CALL judge(type, 'aggregate as window function', format($q$
		SELECT running = (SELECT %1$s(v) FROM law_values p WHERE p.n <= w.n) AND
			sliding = (SELECT %1$s(v) FROM law_values p WHERE p.n BETWEEN w.n - 2 AND w.n + 1)
		FROM (SELECT n, %1$s(v) OVER (ORDER BY n) AS running,
				%1$s(v) OVER (ORDER BY n ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS sliding FROM law_values) w$q$, collect));

	-- parallel: the plan must be what it claims, then the answers agree
	EXECUTE 'CREATE TABLE law_rows AS SELECT v.n, v.v FROM law_values v, generate_series(1, 250)';
	EXECUTE 'ANALYZE law_rows';
	PERFORM set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true),
		set_config('min_parallel_table_scan_size', '0', true), set_config('max_parallel_workers_per_gather', '2', true);
	plan := '';
	FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT %s(v) FROM law_rows', collect) LOOP
		plan := plan || line;
	END LOOP;
	CALL judge(type, 'parallel aggregate equals serial', format($q$
		SELECT %1$s = (SELECT %2$s(v) FROM law_values) AND %3$L ~ 'Gather.*Partial Aggregate'
		FROM (SELECT %2$s(v) FROM law_rows) s (%1$s)$q$, 'parallel', collect, plan));
	CALL judge(type, 'parallel groups equal serial', format($q$
		SELECT together = (SELECT %1$s(v) FROM law_values p WHERE p.n %% 7 = k)
		FROM (SELECT n %% 7, %1$s(v) FROM law_rows GROUP BY 1) s (k, together)$q$, collect));

	-- what some types have besides
	IF to_regprocedure(format('meet(%1$s,%1$s)', type)) IS NOT NULL THEN
		CALL judge(type, 'meet is commutative', 'SELECT (a.v & b.v) = (b.v & a.v) FROM law_values a, law_values b');
		CALL judge(type, 'meet is associative', 'SELECT ((a.v & b.v) & c.v) = (a.v & (b.v & c.v)) FROM law_values a, law_values b, law_values c');
		CALL judge(type, 'meet and join absorb each other', 'SELECT (a.v & (a.v | b.v)) = a.v AND (a.v | (a.v & b.v)) = a.v FROM law_values a, law_values b');
		CALL judge(type, 'a <@ b if and only if a & b = a', 'SELECT (a.v <@ b.v) = ((a.v & b.v) = a.v) FROM law_values a, law_values b');
		CALL judge(type, 'meet aggregate is the meet of all', $q$
			WITH RECURSIVE folded AS (
				SELECT n, v FROM law_values WHERE n = 1
				UNION ALL SELECT l.n, f.v & l.v FROM folded f JOIN law_values l ON l.n = f.n + 1)
			SELECT (SELECT meet(v) FROM law_values p WHERE p.n BETWEEN 1 AND f.n) = f.v FROM folded f$q$);
		CALL judge(type, 'parallel meet equals serial', 'SELECT meet(v) = (SELECT meet(v) FROM law_values WHERE n % 6 = 5) FROM law_rows WHERE n % 6 = 5');
	END IF;
	IF to_regprocedure(format('delta(%s,vclock)', type)) IS NOT NULL THEN
		CALL judge(type, 'a delta does what the whole does', 'SELECT (b.v | delta(a.v, context(b.v))) = (b.v | a.v) FROM law_values a, law_values b');
		CALL judge(type, 'a delta for nothing seen is the whole', 'SELECT delta(v, ''{}'') = v FROM law_values');
	END IF;

	DROP TABLE law_values, law_copies, law_rows;
END
$$;

DO $$
DECLARE
	t law_types;
BEGIN
	FOR t IN SELECT * FROM law_types ORDER BY type LOOP
		CALL check_laws(t.type, t.kind, t.make, current_setting('laws.seed')::double precision);
	END LOOP;
END
$$;
SELECT type, law, cases > 0 AS tried, broken FROM law_results ORDER BY ordinal;
SELECT type, sum(cases) > 10000 AS thorough FROM law_results GROUP BY type ORDER BY type;

DROP TABLE law_types, law_results;
DROP PROCEDURE check_laws, judge;
