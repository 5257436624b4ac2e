-- What witnesses report of obligations: text, reporting, merge, order, casts, the GIN index.

\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.fault(command text, OUT state text, OUT message text, OUT detail text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL;
END
$$;

-- text: obligations and witnesses sorted by bytes; a report of unknown is a report
SELECT input, input::obligation_lattice FROM (VALUES
	('{}'),
	(' { } '),
	('{"ob-1": {"a": "committed", "b": "reserved"}}'),
	('{"b":{"z":"aborted","a" : "unknown"} , "a":{"n":"conflict"}}'),
	('{"B": {"n": "reserved"}, "a": {"n": "reserved"}, "aa": {"n": "reserved"}, "10": {"B": "reserved", "a": "aborted", "aa": "aborted", "9": "unknown"}, "9": {"n": "reserved"}}'),
	('{"\u00e4\"\\\n": {"日本": "committed"}, "日本": {"\u00e4\"\\\n": "aborted"}}'),
	('{" ": {" ": "committed"}}')) v (input);

-- every fault has its SQLSTATE and names the part
SELECT input, f.state, f.message, f.detail
FROM (VALUES
	(''), ('{"a": {"n": "committed"}'), ('{"a": {"n": "committed"}} x'), ('null'), ('1'), ('"a"'), ('[]'), ('{a: {}}'),
	('{"a": "committed"}'), ('{"a": []}'), ('{"a": null}'), ('{"a": {}}'),
	('{"": {"n": "committed"}}'), ('{"a": {"": "committed"}}'),
	('{"a": {"n": "comitted"}}'), ('{"a": {"n": "Committed"}}'), ('{"a": {"n": " committed"}}'), ('{"a": {"n": ""}}'), ('{"a": {"n": "active"}}'),
	('{"a": {"n": 2}}'), ('{"a": {"n": null}}'), ('{"a": {"n": {}}}'), ('{"a": {"n": ["committed"]}}'), ('{"a": {"n": true}}'),
	('{"a": {"n": "committed"}, "a": {"m": "committed"}}'), ('{"a": {"n": "committed", "n": "committed"}}'),
	('{"a\u0000b": {"n": "committed"}}'), ('{"a": {"n\u0000": "committed"}}')) v (input),
	pg_temp.fault(format('SELECT %L::obligation_lattice', input)) f;
SELECT f.state, f.message, left(f.detail, 60) AS detail FROM pg_temp.fault(format('SELECT %L::obligation_lattice', '{"o": {"' || repeat('n', 256) || '": "committed"}}')) f;
SELECT length((obligations(l))[1]) AS long_obligation, length((witnesses(l, repeat('o', 3000)))[1]) AS longest_witness
FROM (VALUES (('{"' || repeat('o', 3000) || '": {"' || repeat('n', 255) || '": "reserved"}}')::obligation_lattice)) v (l);
-- the hint shows the form
SELECT '{a}'::obligation_lattice;

-- reporting: a later report of a node joins its earlier one
SELECT observe('{}'::obligation_lattice, 'o', 'a', 'reserved') AS first,
	observe('{"o": {"a": "reserved"}}'::obligation_lattice, 'o', 'a', 'committed') AS later,
	observe('{"o": {"a": "committed"}}'::obligation_lattice, 'o', 'a', 'reserved') AS late,
	observe('{"o": {"a": "committed"}}'::obligation_lattice, 'o', 'a', 'committed') AS again,
	observe('{"o": {"a": "committed"}}'::obligation_lattice, 'o', 'a', 'aborted') AS contradicts_itself;
-- wherever the report comes to stand
SELECT o, n, observe('{"b": {"b": "reserved", "d": "aborted"}, "d": {"c": "committed"}}'::obligation_lattice, o, n, 'committed') AS observed
FROM unnest('{a,b,c,d,e}'::text[]) o, unnest('{a,b,c,d,e}'::text[]) n ORDER BY o, n;
SELECT observe('{}'::obligation_lattice, 'o', 'n', 'unknown') AS unknown, observe('{"o": {"n": "reserved"}}'::obligation_lattice, 'o', 'n', 'unknown') AS less;
SELECT command, f.* FROM (VALUES
	('SELECT observe(''{}''::obligation_lattice, '''', ''n'', ''committed'')'),
	('SELECT observe(''{}''::obligation_lattice, ''o'', '''', ''committed'')'),
	('SELECT observe(''{}''::obligation_lattice, ''o'', repeat(''n'', 256), ''committed'')'),
	('SELECT observe(''{}''::obligation_lattice, ''o'', ''n'', ''done'')')) v (command), pg_temp.fault(command) f;
SELECT observe(NULL::obligation_lattice, 'o', 'n', 'committed') IS NULL AND observe('{}'::obligation_lattice, NULL, 'n', 'committed') IS NULL AND
	observe('{}'::obligation_lattice, 'o', NULL, 'committed') IS NULL AND observe('{}'::obligation_lattice, 'o', 'n', NULL) IS NULL AND
	state(NULL::obligation_lattice, 'o') IS NULL AND state('{}'::obligation_lattice, NULL) IS NULL AND obligations(NULL::obligation_lattice) IS NULL AND
	has_conflicts(NULL) IS NULL AND (NULL::obligation_lattice @@ 'conflict') IS NULL AND delta('{}'::obligation_lattice, NULL) IS NULL AS strict;

-- the aggregate: reports late, twice, in any order, and half of them missing
CREATE TABLE reports (id serial, obligation text, node text, state lattice_state);
INSERT INTO reports (obligation, node, state) VALUES
	('charge', 'berlin', 'reserved'), ('charge', 'berlin', 'committed'), ('charge', 'tokyo', 'committed'),
	('ship', 'berlin', 'reserved'), ('ship', 'tokyo', 'aborted'), ('ship', 'lima', 'committed'), ('ship', 'lima', 'committed'),
	('notify', 'lima', 'unknown');
SELECT observe(obligation, node, state) AS observed FROM reports;
SELECT count(DISTINCT obligation_lattice_send(l)) AS images FROM (
	SELECT (SELECT observe(obligation, node, state ORDER BY md5(k || '/' || id)) FROM reports) FROM generate_series(1, 50) k
	UNION ALL SELECT (SELECT observe(obligation, node, state ORDER BY md5(k || '/' || id)) FROM (TABLE reports UNION ALL TABLE reports) r) FROM generate_series(1, 50) k
	UNION ALL SELECT (SELECT merge(part) FROM (SELECT observe(obligation, node, state) AS part FROM reports GROUP BY id % k) p) FROM generate_series(1, 8) k
	UNION ALL SELECT (SELECT merge(observe('{}'::obligation_lattice, obligation, node, state)) FROM reports)) o (l);
SELECT node, observe(obligation, node, state) AS view FROM reports GROUP BY node ORDER BY node;
SELECT id, observe(obligation, node, state) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS sliding FROM reports ORDER BY id;
SELECT observe(obligation, node, state) IS NULL AS none FROM reports WHERE id < 0;
-- a row without a report, of an outer join, is skipped; half a report is an error
SELECT observe(obligation, node, state) AS observed FROM (VALUES (NULL, NULL, NULL), ('o', 'n', 'reserved'::lattice_state), (NULL, NULL, NULL)) v (obligation, node, state);
SELECT observe(obligation, node, state) IS NULL AS none FROM (VALUES (NULL::text, NULL::text, NULL::lattice_state)) v (obligation, node, state);
SELECT command, f.* FROM (VALUES
	('SELECT observe(NULL, ''n'', ''committed'')'),
	('SELECT observe(''o'', NULL, ''committed'')'),
	('SELECT observe(''o'', ''n'', NULL)'),
	('SELECT observe(''o'', NULL, NULL)'),
	('SELECT observe('''', ''n'', ''committed'')'),
	('SELECT observe(''o'', '''', ''committed'')'),
	('SELECT observe(o, n, s::lattice_state) FROM (VALUES (''o'', ''n'', ''committed''), (''o'', ''n'', ''finished'')) v (o, n, s)'),
	('SELECT observe_transition(NULL, ''o'', ''n'', ''committed'')')) v (command), pg_temp.fault(command) f;

-- reading
SELECT observe(obligation, node, state) AS l FROM reports \gset
SELECT o, state(:'l'::obligation_lattice, o), witnesses(:'l'::obligation_lattice, o), :'l'::obligation_lattice ? o AS "?"
FROM unnest('{charge,notify,ship,ch,chargeback,"",zzz}'::text[]) o;
SELECT obligations(:'l'::obligation_lattice), obligations('{}') AS none, witnesses('{}', 'o') AS nobody, state('{}'::obligation_lattice, 'o');
SELECT * FROM entries(:'l');
SELECT * FROM entries('{}');
SELECT * FROM conflicts(:'l');
SELECT * FROM conflicts('{"o": {"n": "conflict"}, "p": {"m": "committed", "n": "reserved"}}');
SELECT l, has_conflicts(l), l @@ 'conflict' AS "@@", (SELECT array_agg(s) FROM unnest('{unknown,reserved,committed,aborted,conflict}'::lattice_state[]) s WHERE l @@ s) AS states,
	l @> ARRAY['o', 'p'] AS "@>", l && ARRAY['o', 'x'] AS "&&"
FROM (VALUES ('{}'::obligation_lattice), ('{"o": {"n": "unknown"}}'), ('{"o": {"m": "committed", "n": "reserved"}}'), ('{"o": {"m": "committed", "n": "aborted"}}'),
	('{"o": {"m": "conflict"}, "p": {"m": "reserved"}}'), ('{"p": {"m": "committed"}, "q": {"m": "reserved", "n": "aborted"}}')) v (l);
SELECT l @> ARRAY[]::text[] AS all_of_none, l && ARRAY[]::text[] AS any_of_none FROM (VALUES ('{}'::obligation_lattice)) v (l);
SELECT command, f.* FROM (VALUES
	('SELECT ''{}''::obligation_lattice @> ARRAY[''o'', NULL]'),
	('SELECT ''{}''::obligation_lattice && ARRAY[NULL, ''o'']'),
	('SELECT ''{}''::obligation_lattice @@ ''conflicted''')) v (command), pg_temp.fault(command) f;

-- the state of an obligation is the join of its witnesses, and their order does not matter
SELECT bool_and(state(l, 'o') = (a | b | c) AND state(m, 'o') = state(l, 'o')) AS is_the_join, count(*)
FROM unnest('{unknown,reserved,committed,aborted,conflict}'::lattice_state[]) a, unnest('{unknown,reserved,committed,aborted,conflict}'::lattice_state[]) b,
	unnest('{unknown,reserved,committed,aborted,conflict}'::lattice_state[]) c,
	observe(observe(observe('{}'::obligation_lattice, 'o', 'x', a), 'o', 'y', b), 'o', 'z', c) l,
	observe(observe(observe('{}'::obligation_lattice, 'o', 'x', c), 'o', 'y', a), 'o', 'z', b) m;

-- merge, inclusion and delta, each case both ways
SELECT a, b, a | b AS "|", (a | b) = (b | a) AND merge(a, b) = (a | b) AS same, a <@ b AS "<@",
	a @> b AS "@>", delta(a, b), delta(b, a) AS back
FROM (VALUES
	('{}'::obligation_lattice, '{}'::obligation_lattice),
	('{}', '{"o": {"n": "unknown"}}'),
	('{"o": {"n": "reserved"}}', '{"o": {"n": "committed"}}'),
	('{"o": {"n": "committed"}}', '{"o": {"n": "aborted"}}'),
	('{"o": {"m": "committed"}}', '{"o": {"n": "aborted"}}'),
	('{"o": {"n": "committed"}}', '{"p": {"n": "committed"}}'),
	('{"a": {"n": "reserved"}, "c": {"l": "committed", "m": "aborted"}}', '{"a": {"n": "reserved"}, "b": {"z": "unknown"}, "c": {"k": "reserved", "m": "committed"}}')) v (a, b);
-- many at once, with conflicts that no row had
SELECT merge(l) FROM (VALUES ('{"o": {"n": "committed"}}'::obligation_lattice), ('{"o": {"n": "aborted", "m": "reserved"}}'), (NULL), ('{"o": {"n": "reserved"}, "p": {"m": "unknown"}}'),
	('{"o": {"n": "committed"}}'), ('{"p": {"m": "aborted"}}'), ('{"p": {"m": "committed"}}')) v (l);

-- the order for sorting: by the number of reports; what is included comes first
SELECT l FROM (VALUES ('{"o": {"n": "committed"}}'::obligation_lattice), ('{}'), ('{"o": {"n": "unknown"}}'), ('{"o": {"n": "conflict"}}'), ('{"o": {"n": "aborted"}}'),
	('{"p": {"n": "unknown"}}'), ('{"o": {"m": "conflict"}}'), ('{"o": {"m": "unknown", "n": "unknown"}}'), ('{"o": {"n": "unknown"}, "p": {"n": "unknown"}}')) v (l) ORDER BY l;
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a #># b AS "#>#", a #>=# b AS "#>=#", a = b AS "=", a <> b AS "<>",
	obligation_lattice_hash(a) = obligation_lattice_hash(b) AS hash
FROM (VALUES ('{"o": {"n": "reserved"}}'::obligation_lattice, '{"o": {"n": "aborted"}}'::obligation_lattice),
	('{"o": {"m": "reserved", "n": "aborted"}}', '{"o":{"n":"aborted","m":"reserved"}}'), ('{"o": {"n": "reserved"}}', '{}')) v (a, b);
SELECT l, count(*) FROM (VALUES ('{"o": {"n": "reserved"}}'::obligation_lattice), ('{"o":{"n":"reserved"}}'), ('{}')) v (l) GROUP BY l ORDER BY l;

-- jsonb and json; because of the cast to json, rows nest
SELECT '{"o": {"n": "reserved"}}'::obligation_lattice::jsonb, '{"o": {"n": "reserved"}}'::obligation_lattice::json,
	'{"p": {"n": "aborted"}, "o": {"n": "reserved", "m": "committed"}}'::jsonb::obligation_lattice;
SELECT to_jsonb(v) FROM (VALUES (1, '{"o": {"n": "reserved"}}'::obligation_lattice)) v (id, l);
SELECT command, f.* FROM (VALUES
	('SELECT ''{"o": {"n": "gone"}}''::jsonb::obligation_lattice'),
	('SELECT ''7''::jsonb::obligation_lattice')) v (command), pg_temp.fault(command) f;

-- size: a few bytes for each report, besides the name of each obligation and of each witness, once
SELECT pg_column_size('{}'::obligation_lattice) AS empty, pg_column_size('{"ob": {"n": "reserved"}}'::obligation_lattice) AS one,
	pg_column_size('{"ob": {"n": "reserved", "m": "reserved"}}'::obligation_lattice) AS two,
	pg_column_size(l) AS "100 obligations of 10 witnesses"
FROM (SELECT observe('obligation-' || 100 + i, 'node-' || j, 'committed') FROM generate_series(0, 99) i, generate_series(0, 9) j) o (l);
-- binary image, version 1
SELECT obligation_lattice_send('{"ob": {"n": "reserved", "m": "conflict"}, "a": {"n": "unknown"}}'), obligation_lattice_send('{}') AS empty;

-- many obligations: a large value is searched, not taken apart
CREATE TABLE large AS SELECT observe('obligation ' || i, 'node ' || j, CASE WHEN i % 1000 = 0 AND j = 3 THEN 'aborted' ELSE 'committed' END::lattice_state) AS l
FROM generate_series(1, 20000) i, generate_series(1, 3) j;
SELECT cardinality(obligations(l)) AS obligations, (SELECT count(*) FROM entries(l)) AS reports,
	(SELECT count(*) FROM conflicts(l)) AS in_conflict, state(l, 'obligation 777'), state(l, 'obligation 2000'), state(l, 'obligation 20001'),
	l::text::obligation_lattice = l AS text_reads_back, l | l = l AS idempotent
FROM large;
SELECT count(*) AS changed, count(*) FILTER (WHERE state(m, 'obligation ' || i) = 'conflict') AS in_conflict, bool_and(delta(m, l) = observe('{}', 'obligation ' || i, 'node 2', 'conflict')) AS only_that
FROM large, generate_series(1, 20000, 4001) i, observe(l, 'obligation ' || i, 'node 2', 'aborted') m;
DROP TABLE large;

-- the GIN index: answers are those of a scan, whatever the obligations are called
CREATE TABLE sagas (id integer, l obligation_lattice) WITH (autovacuum_enabled = off);
INSERT INTO sagas
SELECT i, CASE WHEN i % 50 > 0 THEN (SELECT coalesce(observe(
	CASE k % 7 WHEN 5 THEN repeat('long ', 60) || (i + k) % 5 WHEN 6 THEN 'sconflict' ELSE 'step ' || (i * k) % 37 END,
	'node ' || (i + k) % 3, ('{unknown,reserved,committed,committed,aborted}'::lattice_state[])[1 + (i * 7 + k * k * 3 + j) % 5]), '{}') FROM generate_series(1, i % 9) k, generate_series(0, (i % 3 = 0)::integer) j) END
FROM generate_series(1, 3000) i;
CREATE INDEX sagas_l ON sagas USING gin (l);
INSERT INTO sagas SELECT id + 3000, l FROM sagas;   -- some wait in the list of pending entries
ANALYZE sagas;
CREATE TABLE questions (n serial, condition text);
INSERT INTO questions (condition) VALUES ('has_conflicts(l)');
INSERT INTO questions (condition) SELECT format('l @@ %L', s) FROM unnest('{unknown,reserved,committed,aborted,conflict}'::lattice_state[]) s;
INSERT INTO questions (condition) SELECT format('l ? %L', o) FROM unnest(ARRAY['step 0', 'step 7', 'step', 'conflict', 'sconflict', 'ostep 7', '', repeat('long ', 60) || 3, repeat('long ', 60) || 9]) o;
INSERT INTO questions (condition) SELECT format('l %s %L::text[]', operator, list)
FROM unnest('{@>,&&}'::text[]) operator, (VALUES (ARRAY['step 1', 'step 2']), (ARRAY['sconflict']), (ARRAY[repeat('long ', 60) || 1, repeat('long ', 60) || 2]), ('{}'), ('{absent,step 3}')) w (list);
INSERT INTO questions (condition) VALUES ('l ? ''step 3'' AND l @@ ''conflict'''), ('has_conflicts(l) AND NOT l ? ''sconflict''');
CREATE FUNCTION pg_temp.answer(condition text, indexed boolean, OUT rows bigint, OUT ids text, OUT by_index boolean) LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	PERFORM set_config('enable_seqscan', (NOT indexed)::text, true), set_config('enable_bitmapscan', indexed::text, true);
	EXECUTE format('SELECT count(*), md5(string_agg(id::text, '','' ORDER BY id)) FROM sagas WHERE %s', condition) INTO rows, ids;
	FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT id FROM sagas WHERE %s', condition) LOOP
		by_index := coalesce(by_index, false) OR line ~ 'Bitmap Index Scan on sagas_l';
	END LOOP;
END
$$;
SELECT left(condition, 60) AS condition, i.rows, i.ids IS NOT DISTINCT FROM s.ids AND i.rows = s.rows AS same, i.by_index, s.by_index AS scan_by_index
FROM questions, pg_temp.answer(condition, true) i, pg_temp.answer(condition, false) s ORDER BY n;
SELECT gin_clean_pending_list('sagas_l') > 0 AS moved;
SELECT bool_and(i.ids IS NOT DISTINCT FROM s.ids AND i.rows = s.rows) AS same FROM questions, pg_temp.answer(condition, true) i, pg_temp.answer(condition, false) s;
-- "all rows in conflict" is an index scan, by the function as by the operator
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM sagas WHERE has_conflicts(l);
EXPLAIN (COSTS OFF) SELECT id FROM sagas WHERE l @@ 'conflict' AND l ? 'step 3';
RESET enable_seqscan;
-- and the planner knows how many there are
CREATE FUNCTION pg_temp.estimate(condition text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) SELECT FROM sagas WHERE ' || condition INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END
$$;
SELECT pg_temp.estimate('has_conflicts(l)') = pg_temp.estimate('l @@ ''conflict''') AS equal,
	pg_temp.estimate('has_conflicts(l)') BETWEEN 0.8 * count(*) AND 1.25 * count(*) AS near FROM sagas WHERE has_conflicts(l);
-- without an index on it, has_conflicts is what it is
SELECT count(*) FROM (SELECT l FROM sagas OFFSET 0) s WHERE has_conflicts(l);
CREATE INDEX sagas_btree ON sagas (l);
SELECT count(*) > 0 AS found FROM sagas WHERE has_conflicts(l);

DROP TABLE sagas, questions, reports;
