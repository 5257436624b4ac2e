-- The laws of every type: one line per type, and all of them are checked.
--
-- A lattice type is judged by merge, "|", "<@" and "#<#"; a scalar by max,
-- "the larger of two", "<=" and "<".  Both must keep one canonical image.

\set SHOW_CONTEXT never
SET jit = off;
\set seed 0.20261122
SELECT set_config('laws.seed', :'seed', false) AS seed;

CREATE TABLE law_types (type text PRIMARY KEY, kind text, make text);

-- Values with dots must have a history in common: four replicas that change,
-- merge, and send one another deltas, some of which are lost.  What they were
-- on the way is kept.
CREATE TABLE law_histories (type text, n integer, v text, PRIMARY KEY (type, n));
CREATE TABLE law_changes (type text PRIMARY KEY, changes text[]);
INSERT INTO law_changes VALUES
	('orset', ARRAY['add(%1$s, %3$L, %2$L)', 'add(%1$s, %3$L, %2$L)', 'add(%1$s, %3$L, %2$L)', 'remove(%1$s, %3$L)', 'clear(%1$s)']),
	('mv_register', ARRAY['set(%1$s, %3$L, %2$L)']),
	('or_map', ARRAY['put(%1$s, %3$L, %4$L, %2$L)', 'put(%1$s, %3$L, %4$L, %2$L)', 'remove(%1$s, %3$L)']),
	('ew_flag', ARRAY['enable(%1$s, %2$L)', 'disable(%1$s, %2$L)']),
	('dw_flag', ARRAY['enable(%1$s, %2$L)', 'disable(%1$s, %2$L)']);

CREATE PROCEDURE make_history(type text, changes text[], seed double precision) LANGUAGE plpgsql AS $$
DECLARE
	replicas text[] := array_fill('{}'::text, ARRAY[4]);
	here integer;
	there integer;
	unsent text;
	changed text;
BEGIN
	PERFORM setseed(seed);
	INSERT INTO law_histories VALUES (type, 0, '{}');
	FOR step IN 1 .. 39 * 4 LOOP
		here := 1 + floor(random() * 4);
		there := 1 + (here + floor(random() * 3)::integer) % 4;
		IF random() < 0.1 THEN
			EXECUTE format('SELECT (%L::%I | %L)::text', replicas[here], type, replicas[there]) INTO changed;
			replicas[here] := changed;
		ELSE
			-- a replica changes, and another gets its last change, but not what led there
			FOR change IN 1 .. 1 + floor(random() * 2)::integer LOOP
				unsent := replicas[there];
				EXECUTE format('SELECT (%s)::text', format(changes[1 + floor(random() * array_length(changes, 1))],
					format('%L::%I', unsent, type), 'n' || there, 'e' || floor(random() * 4), 'v' || floor(random() * 4)))
					INTO changed;
				replicas[there] := changed;
			END LOOP;
			IF random() < 0.5 THEN
				EXECUTE format('SELECT (%L::%I | delta(%L::%2$I, context(%4$L::%2$I)))::text', replicas[here], type, replicas[there], unsent)
					INTO changed;
				replicas[here] := changed;
			END IF;
		END IF;
		IF step % 4 = 0 THEN
			INSERT INTO law_histories VALUES (type, step / 4, replicas[here]);
		END IF;
	END LOOP;
END
$$;
DO $$
DECLARE
	t law_changes;
BEGIN
	FOR t IN SELECT * FROM law_changes ORDER BY type LOOP
		CALL make_history(t.type, t.changes, current_setting('laws.seed')::double precision);
	END LOOP;
END
$$;
SELECT type, count(DISTINCT v) > 30 AS many, bool_or(v ~ '"cloud"') AS with_gaps FROM law_histories GROUP BY type ORDER BY type;

-- make: an expression for the i-th random value; i = 0 is the least.
INSERT INTO law_types VALUES
	('vclock', 'lattice', $$
		(SELECT coalesce(merge(vclock('n' || floor(random() * 5),
			CASE floor(random() * 8) WHEN 0 THEN 4294967295 WHEN 1 THEN 4294967296
				ELSE floor(random() * 3)::bigint END)), '{}')
		FROM generate_series(1, i % 6)) $$),
	('gcounter', 'lattice', $$
		(SELECT coalesce(merge(increment('{}'::gcounter, CASE floor(random() * 8) WHEN 0 THEN 9223372036854775807
			ELSE floor(random() * 3)::bigint END, 'n' || floor(random() * 5))), '{}') FROM generate_series(1, i % 6)) $$),
	('pncounter', 'lattice', $$
		(SELECT coalesce(merge(increment(decrement('{}'::pncounter, floor(random() * 3)::bigint, 'n' || floor(random() * 5)),
			CASE floor(random() * 8) WHEN 0 THEN 4294967296 ELSE floor(random() * 3)::bigint END, 'n' || floor(random() * 5))), '{}')
		FROM generate_series(1, i % 6)) $$),
	('lww_register', 'lattice', $$
		CASE WHEN i > 0 THEN lww_register('v' || floor(random() * 3), (floor(random() * 3) - 1 || '.' || floor(random() * 2))::hlc, 'n' || floor(random() * 3)) ELSE '{}' END $$),
	('lww_map', 'lattice', $$
		(SELECT coalesce(merge(CASE WHEN random() < 0.3
				THEN remove('{}'::lww_map, 'k' || floor(random() * 4), (floor(random() * 3) || '.0')::hlc, 'n' || floor(random() * 3))
				ELSE put('{}'::lww_map, 'k' || floor(random() * 4), 'v' || floor(random() * 3), (floor(random() * 3) || '.0')::hlc, 'n' || floor(random() * 3)) END), '{}')
		FROM generate_series(1, i % 6)) $$),
	('orset', 'lattice', $$ (SELECT v::orset FROM law_histories WHERE type = 'orset' AND n = i) $$),
	('mv_register', 'lattice', $$ (SELECT v::mv_register FROM law_histories WHERE type = 'mv_register' AND n = i) $$),
	('or_map', 'lattice', $$ (SELECT v::or_map FROM law_histories WHERE type = 'or_map' AND n = i) $$),
	('ew_flag', 'lattice', $$ (SELECT v::ew_flag FROM law_histories WHERE type = 'ew_flag' AND n = i) $$),
	('dw_flag', 'lattice', $$ (SELECT v::dw_flag FROM law_histories WHERE type = 'dw_flag' AND n = i) $$),
	('obligation_lattice', 'lattice', $$
		(SELECT coalesce(observe('o' || floor(random() * 3), 'n' || floor(random() * 3),
			('{unknown,reserved,reserved,committed,aborted,conflict}'::lattice_state[])[1 + floor(random() * 6)]), '{}') FROM generate_series(1, i % 8)) $$),
	('row_stamp', 'lattice', $$
		(SELECT coalesce(merge(format('{"context": {"n%1$s": %2$s}, "live": {%3$s}, "row": %4$s, "columns": {"c%5$s": %6$s, "d": null}}', n, c,
			CASE WHEN random() < 0.6 THEN format('"n%s": %s', n, 1 + floor(random() * least(c, 4))) END,
			format('{"at": "%s.%s", "node": "n%s"%s}', floor(random() * 3), floor(random() * 2), floor(random() * 3),
				CASE WHEN random() < 0.5 THEN ', "hash": "000000000000000' || 1 + floor(random() * 3) || '"' END),
			floor(random() * 3), CASE WHEN random() < 0.2 THEN 'null' ELSE format('{"at": "%s.%s", "node": "m%s"%s}', floor(random() * 4), floor(random() * 2),
				floor(random() * 2), CASE WHEN random() < 0.5 THEN ', "hash": "000000000000000' || 1 + floor(random() * 3) || '"' END) END)::row_stamp), '{}')
		FROM (SELECT floor(random() * 4), CASE floor(random() * 8) WHEN 0 THEN 9214364837600034815 ELSE 1 + floor(random() * 4)::bigint END
			FROM generate_series(1, i % 6)) s (n, c)) $$),
	('lattice_state', 'lattice', $$
		('{unknown,reserved,committed,aborted,conflict}'::lattice_state[])[1 + CASE WHEN i < 5 THEN i ELSE floor(random() * 5) END::integer] $$),
	('lease_state', 'lattice', $$
		('{unknown,active,released,expired,conflict}'::lease_state[])[1 + CASE WHEN i < 5 THEN i ELSE floor(random() * 5) END::integer] $$),
	('lamport', 'scalar', $$
		CASE i % 4 WHEN 3 THEN 9223372036854775807 - floor(random() * 3)::bigint
			ELSE (i > 0)::integer * floor(random() * 5)::bigint END::lamport $$),
	('hlc', 'scalar', $$
		(CASE i % 4 WHEN 0 THEN '-9223372036854775808' WHEN 3 THEN '9223372036854775807'
			ELSE (floor(random() * 5) - 2)::text END || '.' ||
			CASE i % 8 WHEN 7 THEN '4294967295' ELSE ((i > 0)::integer * floor(random() * 3))::text END)::hlc $$);

-- Laws of one type: a query over law_values whose every row must be true.
CREATE TABLE own_laws (type text, law text, query text);

-- Does a context, in its JSON form, know a dot?
CREATE FUNCTION knows(v jsonb, dot jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce((v -> 'context' ->> (dot ->> 0))::bigint, 0) >= (dot ->> 1)::bigint
		OR EXISTS (SELECT FROM jsonb_array_elements(v -> 'cloud') r
			WHERE r -> 0 = dot -> 0 AND (dot ->> 1)::bigint BETWEEN (r ->> 1)::bigint AND (r ->> 2)::bigint)
$$;
INSERT INTO own_laws VALUES
	('orset', 'an addition wins over a concurrent removal',
		$$SELECT (remove(a.v, 'e1') | add(a.v, 'e1', 'else')) ? 'e1' FROM law_values a$$),
	('orset', 'a removal removes what it saw, and only that', $$
		SELECT (remove(a.v, 'e1') | b.v) ? 'e1' = EXISTS (
			SELECT FROM jsonb_array_elements(b.v::jsonb -> 'elements' -> 'e1') d WHERE NOT knows(a.v::jsonb, d))
		FROM law_values a, law_values b$$),
	('orset', 'clear is the removal of every element', $$
		SELECT (clear(a.v) | b.v) = ((a.v - 'e0' - 'e1' - 'e2' - 'e3') | b.v) FROM law_values a, law_values b$$),
	('orset', 'what was removed and added again survives an old replica', $$
		SELECT (add(remove(old, 'e1'), 'e1', 'else') | old | b.v) ? 'e1' AND NOT (remove(old, 'e1') | old) ? 'e1'
		FROM law_values b, LATERAL add(b.v, 'e1', 'n9') old$$),
	('orset', 'an addition is seen, a removal is not', $$
		SELECT add(v, 'x', 'n1') ? 'x' AND NOT remove(v, 'e1') ? 'e1' AND elements(clear(v)) = '{}' FROM law_values$$),
	('orset', 'the text has what the functions say', $$
		SELECT elements(v) = ARRAY(SELECT e COLLATE "C" FROM jsonb_object_keys(v::jsonb -> 'elements') e ORDER BY 1)
			AND cardinality(v) = cardinality(elements(v)) AND v @> elements(v)
			AND v && ARRAY['e1', 'x'] = v ? 'e1' FROM law_values$$),
	('ew_flag', 'enabling wins', $$SELECT value(enable(a.v, 'else') | disable(a.v, 'other')) FROM law_values a$$),
	('ew_flag', 'disabling disables what it saw', $$
		SELECT NOT value(disable(a.v, 'else') | a.v) AND (NOT a.v @> b.v OR NOT value(disable(a.v, 'else') | b.v)) FROM law_values a, law_values b$$),
	('dw_flag', 'disabling wins', $$SELECT NOT value(enable(a.v, 'else') | disable(a.v, 'other')) FROM law_values a$$),
	('dw_flag', 'enabling enables what it saw', $$
		SELECT value(enable(a.v, 'else') | a.v) AND (NOT a.v @> b.v OR value(enable(a.v, 'else') | b.v)) FROM law_values a, law_values b$$),
	('mv_register', 'concurrent values stay, what is seen goes', $$
		SELECT siblings(set(a.v, 'x', 'else') | set(a.v, 'y', 'other')) = '{x,y}'
			AND siblings(set(a.v | b.v, 'x', 'else') | b.v) = '{x}' FROM law_values a, law_values b$$),
	('or_map', 'a put wins over a concurrent removal', $$
		SELECT (remove(a.v, 'e1') | put(a.v, 'e1', 'x', 'else')) -> 'e1' = '{x}' FROM law_values a$$),
	('or_map', 'concurrent puts stay, what is seen goes', $$
		SELECT (put(a.v, 'e1', 'x', 'else') | put(a.v, 'e1', 'y', 'other')) -> 'e1' = '{x,y}'
			AND (put(a.v | b.v, 'e1', 'x', 'else') | b.v) -> 'e1' = '{x}'
			AND NOT (remove(a.v | b.v, 'e1') | b.v) ? 'e1' FROM law_values a, law_values b$$),
	('pncounter', 'an observed reset keeps concurrent changes', $$
		SELECT value(reset(a.v, 'else') | decrement(increment(a.v, 7, 'n1'), 2, 'n3')) = 5 AND value(reset(a.v, 'n1')) = 0 FROM law_values a$$),
	('pncounter', 'the value is the difference', $$
		SELECT value(v) = (SELECT coalesce(sum((p ->> 0)::numeric - (p ->> 1)::numeric), 0) FROM jsonb_each(v::jsonb) e (n, p)) FROM law_values$$),
	('gcounter', 'the value is the sum', $$
		SELECT value(v) = (SELECT coalesce(sum(p::numeric), 0) FROM jsonb_each(v::jsonb) e (n, p)) FROM law_values$$),
	('lww_register', 'a tie has one winner', $$
		SELECT (set(a.v, 'x', '9.0', 'n1') | set(a.v, 'y', '9.0', 'n1')) = (set(b.v, 'y', '9.0', 'n1') | set(a.v, 'x', '9.0', 'n1'))
			AND value(set(set(a.v, 'y', '9.0', 'n1'), 'x', '9.0', 'n1')) = 'y'
			AND value(set(set(a.v, 'y', '9.0', 'n1'), 'x', '9.0', 'n2')) = 'x' FROM law_values a, law_values b$$),
	('lww_register', 'the order is that of the stamps', $$
		SELECT (a.v <@ b.v) = ((stamp(a.v), node(a.v), value(a.v)) <= (stamp(b.v), node(b.v), value(b.v)))
		FROM law_values a, law_values b WHERE a.n > 0 AND b.n > 0$$),
	('lww_map', 'a tie has one winner', $$
		SELECT put(remove(v, 'k1', '9.0', 'n1'), 'k1', 'x', '9.0', 'n1') = remove(put(v, 'k1', 'x', '9.0', 'n1'), 'k1', '9.0', 'n1')
			AND remove(put(v, 'k1', 'x', '9.0', 'n1'), 'k1', '9.0', 'n1') -> 'k1' = 'x'
			AND NOT remove(put(v, 'k1', 'x', '9.0', 'n1'), 'k1', '9.0', 'n2') ? 'k1' FROM law_values$$),
	('obligation_lattice', 'a state is the join of its witnesses', $$
		SELECT state(a.v | b.v, o) = (state(a.v, o) | state(b.v, o)) AND state(a.v, o) = coalesce((SELECT merge(reported) FROM entries(a.v) WHERE obligation = o), 'unknown')
		FROM law_values a, law_values b, unnest('{o0,o1,o2}'::text[]) o$$),
	('obligation_lattice', 'to observe is to merge one report', $$
		SELECT observe(v, o, 'n1', s) = (v | observe('{}'::obligation_lattice, o, 'n1', s)) AND observe(v, o, 'n1', s) @> v
		FROM law_values, unnest('{o,o1,o11}'::text[]) o, unnest('{unknown,reserved,committed,aborted,conflict}'::lattice_state[]) s$$),
	('obligation_lattice', 'a contradiction is never merged away', $$
		SELECT (SELECT bool_and(state(a.v | b.v, obligation) = 'conflict') FROM conflicts(a.v)) IS NOT FALSE AND (has_conflicts(a.v | b.v) OR NOT has_conflicts(a.v))
		FROM law_values a, law_values b$$),
	('row_stamp', 'what a removal has seen is gone, what it has not seen stays', $$
		SELECT is_present((a.v::jsonb - 'live')::row_stamp | b.v) = (context(a.v) | context(b.v) = '{}' OR EXISTS (
			SELECT FROM jsonb_each(b.v::jsonb -> 'live') l (n, d) WHERE l.d::bigint > get(context(a.v), l.n)))
		FROM law_values a, law_values b$$),
	('row_stamp', 'what was seen is what either has seen', $$SELECT context(a.v | b.v) = (context(a.v) | context(b.v)) FROM law_values a, law_values b$$),
	('row_stamp', 'of every column the later write wins', $$
		SELECT (stamp(a.v | b.v, c), node(a.v | b.v, c)) IS NOT DISTINCT FROM CASE
			WHEN stamp(b.v, c) IS NULL OR (stamp(a.v, c), node(a.v, c)) > (stamp(b.v, c), node(b.v, c)) THEN (stamp(a.v, c), node(a.v, c))
			ELSE (stamp(b.v, c), node(b.v, c)) END
		FROM law_values a, law_values b, unnest('{c0,c1,c2,d,e}'::text[]) c$$),
	('lww_map', 'every key is a register', $$
		SELECT (a.v | b.v)::jsonb -> k IS NOT DISTINCT FROM nullif((coalesce(a.v::jsonb -> k, '{}')::text::lww_register | coalesce(b.v::jsonb -> k, '{}')::text::lww_register)::jsonb, '{}')
		FROM law_values a, law_values b, unnest('{k0,k1,k2,k3}'::text[]) k
		WHERE coalesce(a.v::jsonb -> k ->> 'value', b.v::jsonb -> k ->> 'value') IS NOT NULL
			AND (a.v::jsonb -> k -> 'value') IS DISTINCT FROM 'null' AND (b.v::jsonb -> k -> 'value') IS DISTINCT FROM 'null'$$);

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
	IF kind = 'lattice' AND to_regprocedure(format('%1$s_to_jsonb(%1$s)', type)) IS NOT NULL THEN
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
		CALL judge(type, 'deltas in any order, repeated, lost and sent again are the whole', $q$
			SELECT (a.v | d2 | d1) = whole AND (a.v | d1 | d2 | d2 | d1) = whole AND (a.v | d2 | delta(whole, context(a.v))) = whole
				AND (a.v | d2 | delta(whole, context(a.v | d2))) = whole
			FROM law_values a, law_values b, law_values c,
				LATERAL (SELECT a.v | b.v, a.v | b.v | c.v) s (half, whole),
				LATERAL (SELECT delta(half, context(a.v)), delta(whole, context(half))) d (d1, d2)$q$);
	END IF;
	IF to_regprocedure(format('delta(%1$s,%1$s)', type)) IS NOT NULL AND type <> 'vclock' THEN
		CALL judge(type, 'a delta is what the other lacks', 'SELECT (b.v | delta(a.v, b.v)) = (b.v | a.v) AND delta(a.v, b.v) <@ a.v AND delta(a.v, a.v | b.v) = z.v FROM law_values a, law_values b, law_values z WHERE z.n = 0');
	END IF;
	DECLARE
		own own_laws;
	BEGIN
		FOR own IN SELECT * FROM own_laws o WHERE o.type = check_laws.type ORDER BY o.law COLLATE "C" LOOP
			CALL judge(own.type, own.law, own.query);
		END LOOP;
	END;

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

DROP TABLE law_types, law_results, law_histories, law_changes, own_laws;
DROP PROCEDURE check_laws, judge, make_history;
DROP FUNCTION knows;
