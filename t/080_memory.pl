# What a statement keeps in memory does not grow with its rows.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('memory', 'max_parallel_workers_per_gather = 0', 'jit = off');

if ($node->safe_psql('postgres', q{SELECT current_setting('server_version_num')}) < 140000)
{
	plan skip_all => 'sessions show their memory contexts since PostgreSQL 14';
}
$node->safe_psql('postgres', 'CREATE EXTENSION distributed');

# Aggregates: the contexts are looked at while the aggregate's state is still there.
$node->safe_psql('postgres', q{
	CREATE TABLE clocks AS
		SELECT i, ('{"a": ' || i || ', "b": ' || i % 977 || ', "c": ' || i % 7 + 1 || '}')::vclock AS same,
			vclock('n' || i % 50, i) | vclock('all', i) AS other
		FROM generate_series(1, 200000) i;
	CREATE FUNCTION memory_after(expression text, n integer, OUT state bigint, OUT session bigint)
	LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format($q$
			SELECT (SELECT sum(used_bytes) FROM pg_backend_memory_contexts WHERE name = 'distributed merge state'),
				(SELECT sum(used_bytes) FROM pg_backend_memory_contexts)
			FROM (SELECT %s AS m FROM (SELECT * FROM clocks LIMIT %s) c OFFSET 0) s WHERE m IS NOT NULL$q$,
			expression, n)
		INTO state, session;
	END $$;
});
for my $expression ('merge(same)', 'meet(same)', 'merge(other)')
{
	my $result = $node->safe_psql(
		'postgres', qq{
		SELECT FROM memory_after('$expression', 2000) a, memory_after('$expression', 200000) b;
		SELECT few.state > 0, many.state = few.state, abs(many.session - few.session) < 100000
		FROM memory_after('$expression', 2000) few, memory_after('$expression', 200000) many;});
	$result =~ s/^\s+//;
	is($result, 't|t|t', "$expression of 200,000 rows takes the state that 2,000 rows take, and nothing per row");
}

# The states of sets, registers and maps are joined a batch at a time: rows that repeat what
# was there take no more than the batch.
$node->safe_psql('postgres', q{
	CREATE TABLE distinct_states AS
		SELECT j, increment(increment(gcounter '{}', j + 1, 'a'), j % 7, 'b') AS g,
			decrement(increment(pncounter '{}', j + 1, 'a'), j % 7, 'b') AS p,
			(SELECT orset_agg('e' || n, 'n' || j) FROM generate_series(j, j + 20) n) AS s,
			remove(add(add(orset '{}', 'x', 'n' || j), 'y', 'n' || j), 'x') AS r,
			put(or_map '{}', 'k' || j % 11, 'v' || j, 'n' || j) AS o, set(mv_register '{}', 'v' || j, 'n' || j % 5) AS m,
			lww_map(jsonb_build_object('k' || j % 11, 'v' || j, 'l' || j, j), format('%s.0', j)::hlc, 'n' || j % 7) AS d,
			lww_register('v' || j, format('%s.0', j)::hlc, 'n') AS l, enable(ew_flag '{}', 'n' || j) AS e,
			disable(dw_flag '{}', 'n' || j) AS w,
			observe(observe(obligation_lattice '{}', 'o' || j, 'n' || j % 7, 'committed'), 'o' || j % 3, 'n' || j % 7, 'aborted') AS b
		FROM generate_series(0, 499) j;
	DROP TABLE clocks;
	CREATE TABLE clocks AS
		SELECT d.*, 'e' || i % 500 AS element, 'n' || i % 5 AS node, lattice_state 'reserved' AS state FROM generate_series(1, 200000) i JOIN distinct_states d ON j = i % 500
		ORDER BY i;
});
for my $expression ('merge(g)', 'merge(p)', 'merge(l)', 'merge(d)', 'merge(m)', 'merge(s)', 'merge(r)', 'merge(o)',
	'merge(e)', 'merge(w)', 'orset_agg(element, node)', 'merge(b)', 'observe(element, node, state)')
{
	my $result = $node->safe_psql(
		'postgres', qq{
		SELECT FROM memory_after('$expression', 2000) a, memory_after('$expression', 200000) b;
		SELECT few.state > 0, many.state <= 2 * few.state, abs(many.session - few.session) < few.state + 100000
		FROM memory_after('$expression', 2000) few, memory_after('$expression', 200000) many;});
	$result =~ s/^\s+//;
	is($result, 't|t|t', "$expression of 200,000 rows takes at most twice the state that 2,000 rows take, and nothing per row");
}

# Sagas are checked row by row, and what was found of one row is gone with the next.
for my $function ('check_sagas', 'saga_summary')
{
	my $result = $node->safe_psql(
		'postgres', qq{
		CREATE TEMP TABLE checked (rows int, found bigint, bytes bigint);
		DO \$\$ DECLARE n int; f bigint; BEGIN
			FOREACH n IN ARRAY '{100,100,20000}'::int[] LOOP
				INSERT INTO checked SELECT n, count(*), max((SELECT sum(used_bytes) FROM pg_backend_memory_contexts WHERE number > 0))
				FROM (SELECT row_number() OVER () AS number FROM (SELECT b FROM clocks LIMIT n) c,
					$function(b, ARRAY[('all', 'all_or_nothing', '{o0,o1,o2}'), ('if', 'implies', '{o1,o2}')]::saga_constraint[])) s
				WHERE number % (n / 10) = 0;
			END LOOP;
		END \$\$;
		SELECT bool_and(found > 0), max(bytes) - min(bytes) < 200000 FROM checked});
	is($result, 't|t', "$function of 20,000 rows takes the memory that 100 rows take");
}

# An exclusion constraint checks each candidate in the memory of the whole statement; the
# copies that detoasting makes once stayed there.
is( $node->safe_psql(
		'postgres', q{
	CREATE TABLE versions (clock vclock, EXCLUDE USING gist (clock WITH ||));
	ALTER TABLE versions ALTER clock SET STORAGE external;
	CREATE TABLE peak (bytes bigint);
	CREATE FUNCTION measure() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO peak SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name = 'ExecutorState';
		RETURN NEW;
	END $$;
	CREATE TRIGGER measure BEFORE INSERT ON versions FOR EACH ROW EXECUTE FUNCTION measure();
	INSERT INTO versions
		SELECT (SELECT merge(vclock('node-' || i, n)) FROM generate_series(1, 3000) i) FROM generate_series(1, 100) n;
	SELECT (SELECT count(*) FROM versions), max(bytes) < 5000000 FROM peak;}),
	'100|t',
	'an exclusion constraint on large clocks keeps no copies of them');

# So do sorts, which compare in the memory of the whole statement, too.  All values here begin
# the sort with the same key, so that they are compared in full.
$node->safe_psql('postgres', q{
	CREATE TABLE large (i int, c vclock, g gcounter, p pncounter, m mv_register, s orset, o or_map, d lww_map, r lww_register,
		e ew_flag, w dw_flag, b obligation_lattice);
	DO $$ DECLARE name text; BEGIN
		FOREACH name IN ARRAY ARRAY['c', 'g', 'p', 'm', 's', 'o', 'd', 'r', 'e', 'w', 'b'] LOOP
			EXECUTE format('ALTER TABLE large ALTER %I SET STORAGE external', name);
		END LOOP;
	END $$;
	INSERT INTO large
		SELECT i, (names || jsonb_build_object('z' || i, 1))::vclock, (names || jsonb_build_object('z' || i, 1))::gcounter,
			(pairs || jsonb_build_object('z' || i, '[1, 1]'::jsonb))::pncounter, set(mv_register '{}', repeat('v', 60000) || i, 'n'),
			(SELECT orset_agg('element ' || lpad(n::text, 6, '0') || CASE WHEN n = 3000 THEN i ELSE 0 END, 'n') FROM generate_series(1, 3000) n),
			put(or_map '{}', 'k', repeat('v', 60000) || i, 'n'), put(lww_map '{}', 'k', repeat('v', 60000) || i, '17.0', 'n'),
			lww_register(repeat('v', 60000) || i, '17.0', 'n'), jsonb_build_object('context', names || jsonb_build_object('z' || i, 1))::ew_flag,
			jsonb_build_object('context', names || jsonb_build_object('z' || i, 1))::dw_flag,
			(SELECT observe('obligation ' || lpad(n::text, 6, '0') || CASE WHEN n = 3000 THEN i ELSE 0 END, 'n', 'reserved') FROM generate_series(1, 3000) n)
		FROM generate_series(1, 100) i,
			(SELECT jsonb_object_agg('node ' || n, 1), jsonb_object_agg('node ' || n, '[1, 0]'::jsonb) FROM generate_series(1, 3000) n) a (names, pairs);
});
for my $column (qw(c g p m s o d r e w b))
{
	is( $node->safe_psql(
			'postgres', qq{
		SELECT min(octet_length($column\::text)) > 30000, bool_and(pg_column_size($column) > 20000), count(DISTINCT $column) FROM large;
		CREATE TEMP TABLE found AS
			SELECT (SELECT sum(used_bytes) FROM pg_backend_memory_contexts) AS bytes FROM (SELECT i FROM large ORDER BY 1 OFFSET 0) s LIMIT 1;
		INSERT INTO found
			SELECT (SELECT sum(used_bytes) FROM pg_backend_memory_contexts) FROM (SELECT $column FROM large ORDER BY 1 OFFSET 0) s LIMIT 1;
		SELECT max(bytes) - min(bytes) < 1000000 FROM found}),
		"t|t|100\nt", "a sort by a large $column keeps no copies");
}

# Indexes: GIN takes the values apart, btree compares what was compressed.
is( $node->safe_psql(
		'postgres', q{
	CREATE TABLE indexed (s orset, o or_map, d lww_map, b orset, l obligation_lattice, EXCLUDE USING btree (b WITH =), EXCLUDE USING hash (b WITH =));
	CREATE INDEX ON indexed USING gin (s, o, d, l) WITH (fastupdate = off);
	CREATE INDEX pending ON indexed USING gin (s, o, d, l);
	ALTER TABLE indexed ALTER s SET STORAGE external;
	ALTER TABLE indexed ALTER l SET STORAGE external;
	CREATE INDEX ON indexed (b, d) WHERE d ? 'no such key';
	TRUNCATE peak;
	CREATE OR REPLACE FUNCTION measure() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO peak SELECT sum(used_bytes) FROM pg_backend_memory_contexts;
		RETURN NEW;
	END $$;
	CREATE TRIGGER measure BEFORE INSERT ON indexed FOR EACH ROW EXECUTE FUNCTION measure();
	INSERT INTO indexed
		SELECT s, put(or_map '{}', repeat('k', 60000) || i, 'v', 'n'), put(lww_map '{}', repeat('k', 60000) || i, 'v', '17.0', 'n'),
			add(orset '{}', repeat('x', 100000) || i, 'n'), b FROM large;
	SELECT count(*), max(bytes) - min(bytes) < 2000000 FROM peak;
	SET enable_seqscan = off;
	TRUNCATE peak;
	INSERT INTO peak SELECT (SELECT sum(used_bytes) FROM pg_backend_memory_contexts)
		FROM (SELECT count(*) FROM indexed WHERE d ? 'none') q (n) WHERE n >= 0;
	INSERT INTO peak SELECT (SELECT sum(used_bytes) FROM pg_backend_memory_contexts)
		FROM (SELECT count(*) FROM indexed WHERE s @> '{element 0000010,element 0000020}'::text[] AND o ? (repeat('k', 60000) || 7)) q (n) WHERE n = 1;
	INSERT INTO peak SELECT (SELECT sum(used_bytes) FROM pg_backend_memory_contexts)
		FROM (SELECT count(*) FROM indexed WHERE l ? 'obligation 0000010' AND NOT has_conflicts(l)) q (n) WHERE n = 100;
	SELECT count(*), max(bytes) - min(bytes) < 1000000 FROM peak}),
	"100|t\n3|t",
	'indexes on large sets and maps keep no copies of them, when filled and when searched');

# Rows of merged tables, written here and arriving: the last of a statement finds the memory that an early one found,
# but for the 32 bytes that PostgreSQL keeps per row for a trigger with a condition, as the one that looks.
$node->safe_psql('postgres', q{
	SET distributed.node = 'a';
	CREATE TABLE merged (k int PRIMARY KEY, c gcounter DEFAULT '{}', s orset DEFAULT '{}', note text);
	SELECT enable_merge('merged');
	INSERT INTO merged SELECT i, '{"a": 1}', orset '{}' + 'x', 'n' FROM generate_series(1, 20000) i;
	CREATE TABLE arriving AS SELECT k, c | gcounter '{"b": 3}' AS c, add(s, 'y', 'b') AS s, (_merge::jsonb || '{"arrives": true}')::row_stamp AS _merge FROM merged;
	CREATE TABLE found (statement text, k int, bytes bigint);
	CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO found SELECT TG_ARGV[0], coalesce(NEW.k, OLD.k), sum(used_bytes) FROM pg_backend_memory_contexts;
		RETURN coalesce(NEW, OLD);
	END $$;
	CREATE TRIGGER look_old BEFORE DELETE ON merged FOR EACH ROW WHEN (OLD.k IN (100, 20000)) EXECUTE FUNCTION look();
	CREATE TRIGGER look BEFORE INSERT OR UPDATE ON merged FOR EACH ROW WHEN (NEW.k IN (100, 20000)) EXECUTE FUNCTION look();
	ALTER TABLE merged ENABLE ALWAYS TRIGGER look;
});
for my $statement (
	[ 'origin', 'UPDATE merged m SET c = m.c + 1, note = m.note || 1 FROM (SELECT k FROM merged ORDER BY k) o WHERE o.k = m.k' ],
	[ 'replica', 'UPDATE merged m SET c = a.c, s = a.s, _merge = a._merge FROM (SELECT * FROM arriving ORDER BY k) a WHERE a.k = m.k' ],
	[ 'replica', 'INSERT INTO merged (k, c, s, _merge) SELECT * FROM arriving ORDER BY k' ],
	[ 'origin', 'DELETE FROM merged' ],
	[ 'origin', "INSERT INTO merged (k, s) SELECT i, orset '{}' + 'z' FROM generate_series(1, 20000) i" ])
{
	is( $node->safe_psql(
			'postgres', qq{
		SET distributed.node = 'a';
		SET enable_hashjoin = off;
		SET enable_mergejoin = off;
		SET session_replication_role = $statement->[0];
		TRUNCATE found;
		$statement->[1];
		SELECT count(DISTINCT k), max(bytes) - min(bytes) < 900000 FROM found}),
		'2|t', "$statement->[1] ($statement->[0]) keeps nothing per row");
}

done_testing();
