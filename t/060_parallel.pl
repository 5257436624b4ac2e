# merge(), meet(), orset_agg() and observe() give one answer, however the server divides the work: in one process,
# in parallel workers, partition by partition, in spilled batches, in sorted groups, in windows.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('main', 'max_parallel_workers = 8', 'work_mem = 64MB');
my $version = $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')});

sub rows
{
	my ($settings, $query) = @_;
	return $node->safe_psql('postgres', "$settings; $query");
}

sub plan_of
{
	my ($settings, $query) = @_;
	return rows($settings, "EXPLAIN (COSTS OFF) $query");
}

# Three shapes of clocks: the same nodes in all rows (a), nodes that come and go (b), and
# nodes of their own in every row (c); now and then a wide counter, a null, an empty clock.
$node->safe_psql('postgres', q{
	CREATE EXTENSION distributed;
	SELECT setseed(0.5);
	CREATE TABLE event (id int, part int, grp int, wide_grp int, a vclock, b vclock, c vclock, at hlc, stamp lamport)
		PARTITION BY LIST (part);
	CREATE TABLE event_0 PARTITION OF event FOR VALUES IN (0);
	CREATE TABLE event_1 PARTITION OF event FOR VALUES IN (1);
	CREATE TABLE event_2 PARTITION OF event FOR VALUES IN (2);
	INSERT INTO event
		SELECT i, i % 3, i % 10, i % 7000,
			jsonb_build_object('x', i % 1000 + 1, 'y', i * 7919 % 1009 + 1,
				'z', CASE WHEN i % 5000 = 0 THEN 4294967296 + i ELSE i % 11 + 1 END)::vclock,
			CASE WHEN i % 101 = 0 THEN NULL WHEN i % 1013 = 0 THEN '{}' ELSE jsonb_build_object(
				'n' || i % 17, i, 'all', i % 50 + 1, 'm' || (random() * 40)::int, 1)::vclock END,
			vclock('own' || i, i),
			hlc(timestamptz '2026-01-01 00:00Z' + i * interval '1 ms', i % 5), (i * 7919 % 30011)::bigint::lamport
		FROM generate_series(1, 30000) i;
	CREATE TABLE flat AS SELECT * FROM event;
	VACUUM ANALYZE event; VACUUM ANALYZE flat;
});

my $serial = 'SET max_parallel_workers_per_gather = 0; SET enable_partitionwise_aggregate = off';
my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;'
  . ' SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 4';
my $workers_only = "$parallel; SET parallel_leader_participation = off";
my $partitionwise = 'SET enable_partitionwise_aggregate = on; SET max_parallel_workers_per_gather = 0';
my $both = "$parallel; SET enable_partitionwise_aggregate = on";

# The expected answers come from no aggregate of ours: jsonb and max() in SQL.
my $expected = $node->safe_psql('postgres', q{
	SELECT string_agg(column_name || ' ' || what, E'\n' ORDER BY column_name) FROM (
		SELECT column_name, md5(jsonb_object_agg(key, greatest)::text) || ' ' || count(*) FROM (
			SELECT 'a' AS column_name, key, max(value::bigint) AS greatest FROM flat, jsonb_each_text(a::jsonb) GROUP BY key
			UNION ALL SELECT 'b', key, max(value::bigint) FROM flat, jsonb_each_text(b::jsonb) GROUP BY key
			UNION ALL SELECT 'c', key, max(value::bigint) FROM flat, jsonb_each_text(c::jsonb) GROUP BY key) s
		GROUP BY column_name) t (column_name, what)});
my $total = q{SELECT merge(a) AS a, merge(b) AS b, merge(c) AS c FROM TABLE};
my $digest = q{SELECT 'a ' || md5(a::jsonb::text) || ' ' || node_count(a) || E'\n' || 'b ' || md5(b::jsonb::text)
	|| ' ' || node_count(b) || E'\n' || 'c ' || md5(c::jsonb::text) || ' ' || node_count(c) FROM (TOTAL) s};

foreach my $case (
	[ 'flat', $serial, 'one process', qr/^Aggregate\n  ->  Seq Scan/ ],
	[ 'flat', $parallel, 'parallel workers', qr/Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan/s ],
	[ 'flat', $workers_only, 'workers without their leader', qr/Finalize Aggregate.*Gather.*Partial Aggregate/s ],
	[ 'event', $serial, 'one process over partitions', qr/^Aggregate\n  ->  Append/ ],
	[ 'event', $partitionwise, 'partition by partition', qr/Finalize Aggregate.*Append(.*Partial Aggregate){3}/s ],
	[ 'event', $both, 'parallel and partition by partition',
		qr/Finalize Aggregate.*Gather.*Parallel Append(.*Partial Aggregate){3}/s ])
{
	my ($table, $settings, $name, $plan) = @$case;
	my $query = $total =~ s/TABLE/$table/r;

	like(plan_of($settings, $query), $plan, "the plan of merge: $name");
	is(rows($settings, $digest =~ s/TOTAL/$query/r), $expected, "merge as jsonb has it: $name");
}

# Worker processes really did their share.
like(
	rows($workers_only, 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' . $total =~ s/TABLE/flat/r),
	qr/Workers Launched: [1-4]\n.*Partial Aggregate \(actual rows=1(\.00)? loops=[1-4]\)/s,
	'worker processes were launched and aggregated');

# What everyone has seen
my $meet = $node->safe_psql('postgres', q{
	SELECT jsonb_object_agg(key, least) FROM (SELECT key, min(value::bigint) AS least FROM flat, jsonb_each_text(a::jsonb) GROUP BY key) s});
$meet = join '|', $meet, '{}', '{}';
foreach my $case ([ 'flat', $serial, 'one process' ], [ 'flat', $parallel, 'parallel workers' ],
	[ 'event', $partitionwise, 'partition by partition' ], [ 'event', $both, 'both' ])
{
	my ($table, $settings, $name) = @$case;
	is(rows($settings, "SELECT meet(a), meet(b), meet(c) FROM $table"), $meet, "meet as jsonb has it: $name");
}
like(plan_of($both, 'SELECT meet(a) FROM event'), qr/Finalize Aggregate.*Partial Aggregate/s, 'meet is pushed down');

# Groups: ten large ones, and thousands of small ones that do not fit into memory
my $groups = q{SELECT GRP AS g, merge(a) AS a, merge(b) AS b, merge(c) AS c, meet(a) AS m, meet(b) AS n,
	max(at) AS x, min(at) AS y, max(stamp) AS z FROM TABLE GROUP BY GRP};
my $groups_digest = q{SELECT count(*), md5(string_agg(s::text, E'\n' ORDER BY g)) FROM (GROUPS) s};

foreach my $grp ('grp', 'wide_grp', 'part')
{
	my $query = $groups =~ s/GRP/$grp/gr;
	my $flat = $query =~ s/TABLE/flat/r;
	my $event = $query =~ s/TABLE/event/r;
	my $reference = rows("$serial; SET enable_hashagg = off", $groups_digest =~ s/GROUPS/$flat/r);

	like($reference, $grp eq 'grp' ? qr/^10\|/ : $grp eq 'part' ? qr/^3\|/ : qr/^7000\|/, "groups by $grp: how many");
	is($node->safe_psql('postgres', $groups_digest =~ s/GROUPS/
			SELECT g, (SELECT merge(a) FROM unnest(as_) a) AS a, (SELECT merge(b) FROM unnest(bs) b) AS b,
				(SELECT merge(c) FROM unnest(cs) c) AS c, (SELECT meet(a) FROM unnest(as_) a) AS m,
				(SELECT meet(b) FROM unnest(bs) b) AS n, x, y, z
			FROM (SELECT $grp AS g, array_agg(a) AS as_, array_agg(b) AS bs, array_agg(c) AS cs,
				max(at) AS x, min(at) AS y, max(stamp) AS z FROM flat GROUP BY $grp) s/r),
		$reference, "groups by $grp: as each alone");
	foreach my $case (
		[ $flat, "$serial; SET enable_sort = off", 'hashed', qr/HashAggregate/ ],
		[ $flat, "$parallel; SET enable_hashagg = off", 'sorted in workers', qr/Finalize GroupAggregate.*Gather Merge.*Sort/s ],
		[ $flat, $parallel, 'parallel', qr/Gather/ ],
		[ $event, $partitionwise, 'partition by partition', qr/Append.*Aggregate.*Aggregate.*Aggregate/s ],
		[ $event, $both, 'both', qr/Gather/ ])
	{
		my ($sql, $settings, $name, $plan) = @$case;

		# so many groups are hardly worth partial states: there the planner may do otherwise
		like(plan_of($settings, $sql), $plan, "groups by $grp: plan, $name") if $grp ne 'wide_grp';
		is(rows($settings, $groups_digest =~ s/GROUPS/$sql/r), $reference, "groups by $grp: $name");
	}
	next if $grp ne 'wide_grp';

	my $spill = "$serial; SET enable_sort = off; SET work_mem = '64kB'";
	$spill .= '; SET hash_mem_multiplier = 1';
	like( rows($spill, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) $flat"),
		qr/Batches: \d\d.*Disk Usage: \d+kB/s, 'a hash aggregation of many groups is spilled to disk');
	is(rows($spill, $groups_digest =~ s/GROUPS/$flat/r), $reference, "groups by $grp: spilled");
	is(rows("$both; SET work_mem = '64kB'; SET hash_mem_multiplier = 1", $groups_digest =~ s/GROUPS/$event/r),
		$reference, "groups by $grp: spilled in workers and partitions");
}

# From 17 on a sort keeps tuples in memory whose pieces cannot be freed one by one, and a state
# becomes a value right there.
foreach my $sorted ('a', 'b', 'c')
{
	is( rows($serial, qq{SELECT count(*), bool_and(m = (SELECT merge($sorted) FROM flat i WHERE i.grp = o.grp)) FROM (
			SELECT grp, merge($sorted) AS m FROM flat GROUP BY grp ORDER BY m, grp) o}),
		'10|t', "groups sorted by their merge of $sorted");
}

# DISTINCT, ORDER BY, FILTER, grouping sets
is( rows($serial, q{SELECT md5(string_agg(s::text, E'\n' ORDER BY part, grp)) FROM (
		SELECT part, grp, merge(b), merge(b) FILTER (WHERE id % 2 = 0), merge(DISTINCT a), merge(b ORDER BY id DESC)
		FROM flat GROUP BY GROUPING SETS ((part), (grp), ())) s}),
	rows($serial, q{SELECT md5(string_agg(s::text, E'\n' ORDER BY part, grp)) FROM (
		SELECT part, NULL::int AS grp, merge(b), (SELECT merge(b) FROM flat i WHERE id % 2 = 0 AND i.part = o.part), merge(a), merge(b) FROM flat o GROUP BY part
		UNION ALL SELECT NULL, grp, merge(b), (SELECT merge(b) FROM flat i WHERE id % 2 = 0 AND i.grp = o.grp), merge(a), merge(b) FROM flat o GROUP BY grp
		UNION ALL SELECT NULL, NULL, merge(b), (SELECT merge(b) FROM flat i WHERE id % 2 = 0), merge(a), merge(b) FROM flat) s}),
	'grouping sets, FILTER, DISTINCT and ORDER BY change nothing');
is(rows($serial, 'SELECT merge(a) IS NULL, meet(a) IS NULL, merge(b) FILTER (WHERE b IS NULL) IS NULL FROM flat WHERE false'),
	't|t|t', 'no rows give null');

# Windows: the aggregate's state goes on being used after its value was handed out.
my @frames = (
	'ORDER BY id',
	'ORDER BY id ROWS BETWEEN 5 PRECEDING AND CURRENT ROW',
	'ORDER BY id ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING EXCLUDE CURRENT ROW',
	'ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
	'PARTITION BY grp ORDER BY id',
	'PARTITION BY grp ORDER BY id / 100 RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW',
	'PARTITION BY grp ORDER BY id GROUPS BETWEEN 2 PRECEDING AND 1 FOLLOWING',
	'PARTITION BY grp');
$node->safe_psql('postgres', 'CREATE TABLE small AS SELECT * FROM flat WHERE id <= 400');
foreach my $frame (@frames)
{
	# by way of array_agg, whose value over the same frame is then merged alone
	is( rows($serial, "SELECT id, merge(b) OVER w, merge(c) OVER w, meet(a) OVER w FROM small WINDOW w AS ($frame) ORDER BY id"),
		rows($serial, "SELECT id, (SELECT merge(b) FROM unnest(bs) b), (SELECT merge(c) FROM unnest(cs) c),
			(SELECT meet(a) FROM unnest(as_) a) FROM (SELECT id, array_agg(b) OVER w AS bs, array_agg(c) OVER w AS cs,
			array_agg(a) OVER w AS as_ FROM small WINDOW w AS ($frame)) s ORDER BY id"),
		"window ($frame)");
}
is( rows($serial, q{SELECT merge(m) = max(m_last), count(DISTINCT m), bool_and(m @> c), bool_and(NOT previous @> m) FROM (
		SELECT c, m, lag(m) OVER (ORDER BY id) AS previous, last_value(m) OVER () AS m_last
		FROM (SELECT id, c, merge(c) OVER (ORDER BY id) AS m FROM small) s) t} =~ s/max\(m_last\)/merge(m_last)/r),
	't|400|t|t', 'values that a window handed out stay as they were while it goes on');
is( rows($serial, q{SELECT merge(m) = (SELECT merge(b) FROM small), meet(m) = (SELECT merge(b) FROM small WHERE id = 1) FROM (
		SELECT merge(b) OVER (ORDER BY id) AS m FROM small) s}),
	't|t', 'aggregates of what a window hands out, without a copy in between');
is( rows($serial, q{SELECT count(*) FILTER (WHERE m | c = m), count(*) FILTER (WHERE merge(m, '{"late": 1}') @> m),
		count(*) FILTER (WHERE NOT m @> '{"late": 1}') FROM (SELECT c, merge(c) OVER (ORDER BY id) AS m FROM small) s}),
	'400|400|400', 'functions on what a window hands out do not change it');

# A state is a value, wherever it is computed.
is( rows($serial, q{SELECT merge(s) = (SELECT merge(b) FROM flat) FROM (SELECT merge(b) AS s FROM flat GROUP BY wide_grp) t}),
	't', 'merging the merges of groups is merging all');
is( rows("$parallel; SET " . ($version >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode') . ' = on', q{
		SELECT merge(a) = (SELECT merge(a) FROM small), merge(c) = (SELECT merge(c) FROM small) FROM (
			SELECT merge(a) OVER w AS a, merge(c) OVER w AS c FROM small WINDOW w AS (ORDER BY id)) s}),
	't|t', 'windows and aggregates in a forced worker');

#
# The CRDTs: states of ten types, elements to be collected by orset_agg, and reports by observe
#
my @types = qw(gcounter pncounter lww_register lww_map mv_register orset or_map ew_flag dw_flag obligation_lattice);
my %type_of = (collected => 'orset', observed => 'obligation_lattice', map { $_ => $_ } @types);
my @columns = (@types, 'collected', 'observed');

# What the aggregates collect, and each of them over arrays of that
my @collected = qw(element node obligation witness reported);
my $collect = '(SELECT orset_agg(e, n) FROM unnest(element, node) u (e, n)) AS collected,'
  . ' (SELECT observe(o, w, s) FROM unnest(obligation, witness, reported) u (o, w, s)) AS observed';

# One aggregate of each, under its column's name, with whatever follows its arguments.
sub aggregates
{
	my ($before, $after, $behind) = @_;
	return join ', ', (map { "merge($before$_$after) $behind AS $_" } @types),
	  "orset_agg(${before}element, node$after) $behind AS collected",
	  "observe(${before}obligation, witness, reported$after) $behind AS observed";
}

# For each column, a hash of the bytes of all rows, in the order of g.
sub digests
{
	my ($query) = @_;
	return 'SELECT ' . join(q{ || E'\n' || }, 'count(*)',
		map { "'$_ ' || md5(string_agg(format('%s %s', g, $type_of{$_}_send($_)), ' ' ORDER BY g))" } @columns)
	  . " FROM ($query) s";
}

# Write number i is made by node i % 7, whose dots have no gaps; some are made by nodes that write
# only once, instead.  A state knows of the dots first to last of one node, and has what was written
# under those from kept on: mostly its own write; in some states two, and two more removed; in some
# none, and twenty removed, or half of all. Stamps tie, and so do stamps and nodes. Reports repeat,
# are overtaken, and contradict each other.
$node->safe_psql('postgres', q{
	SET jit = off;
	CREATE TABLE state (id int, part int, grp int, wide_grp int, gcounter gcounter, pncounter pncounter,
		lww_register lww_register, lww_map lww_map, mv_register mv_register, orset orset, or_map or_map, ew_flag ew_flag,
		dw_flag dw_flag, obligation_lattice obligation_lattice, element text, node text, obligation text, witness text, reported lattice_state) PARTITION BY LIST (part);
	CREATE TABLE state_0 PARTITION OF state FOR VALUES IN (0);
	CREATE TABLE state_1 PARTITION OF state FOR VALUES IN (1);
	CREATE TABLE state_2 PARTITION OF state FOR VALUES IN (2);
	WITH change AS (
		SELECT i, node, last, CASE WHEN once OR NOT removes AND NOT two THEN last WHEN half THEN 1
				ELSE greatest(last - CASE WHEN removes THEN 20 ELSE 3 END, 1) END AS first,
			CASE WHEN once THEN last WHEN removes THEN last + 1 WHEN two THEN greatest(last - 1, 1) ELSE last END AS kept
		FROM generate_series(1, 6000) i, LATERAL (SELECT i % 499 = 7, i % 53 = 3 OR i % 4999 = 17, i % 4999 = 17, i % 11 = 5)
				k (once, removes, half, two),
			LATERAL (SELECT CASE WHEN once THEN 'own' || i ELSE 'n' || i % 7 END,
				CASE WHEN once THEN 1 WHEN half THEN i / 14 + 1 ELSE i / 7 + 1 END) d (node, last)),
	dot AS (
		SELECT change.*, jsonb_build_array(jsonb_build_array(node, first, last)) AS cloud, s.*
		FROM change, LATERAL (
			SELECT coalesce(jsonb_agg(dot), '[]') AS dots, coalesce(jsonb_object_agg('é' || n % 3000, jsonb_build_array(dot)), '{}') AS elements,
				coalesce(jsonb_object_agg('k' || n % 2000, jsonb_build_array(written)), '{}') AS entries,
				coalesce(jsonb_agg(written), '[]') AS values
			FROM (SELECT i - (last - counter) * 7 AS n, jsonb_build_array(node, counter) AS dot FROM generate_series(kept, last) counter) w,
				LATERAL (SELECT jsonb_build_object('value', 'v' || n % 13, 'dot', dot) AS written) v) s)
	INSERT INTO state
		SELECT i, i % 3, i % 10, i / 8, CASE WHEN empty THEN '{}' ELSE jsonb_build_object(node, i, 'all', i % 50 + 1)::gcounter END,
			jsonb_build_object(node, ARRAY[i / 3, i % 1000], 'n' || i * 3 % 7, ARRAY[5, i % 7 * 1000000000::bigint])::pncounter,
			CASE WHEN empty THEN '{}' ELSE jsonb_build_object('value', 'v' || i % 41, 'at', i % 97 || '.0', 'node', 'n' || i % 5)::lww_register END,
			jsonb_build_object('k' || i % 30, stamped, 'own' || i % 1000, stamped)::lww_map,
			jsonb_build_object('values', values, 'cloud', cloud)::mv_register,
			CASE WHEN empty THEN '{}' ELSE jsonb_build_object('elements', elements, 'cloud', cloud)::orset END,
			jsonb_build_object('entries', entries, 'cloud', cloud)::or_map,
			jsonb_build_object('enabled', dots, 'cloud', cloud)::ew_flag,
			CASE WHEN empty THEN '{}' ELSE jsonb_build_object('disabled', dots, 'cloud', cloud)::dw_flag END,
			CASE WHEN empty THEN '{}' ELSE jsonb_build_object('o' || i % 40, jsonb_build_object(node, said, 'é', 'unknown'),
				'own' || i % 1000, jsonb_build_object('n' || i % 3, said))::obligation_lattice END,
			CASE WHEN i % 37 > 0 THEN 'é' || i % 500 END, node,
			CASE WHEN i % 41 > 0 THEN 'o' || i % 60 END, CASE WHEN i % 41 > 0 THEN 'n' || i % 11 END, CASE WHEN i % 41 > 0 THEN said::lattice_state END
		FROM dot, LATERAL (SELECT (ARRAY['reserved', 'unknown', 'committed', 'reserved', 'aborted', 'conflict'])[1 + i / 13 % (2 + i % 5)]) r (said),
			LATERAL (SELECT i % 103 = 0, jsonb_build_object('value', CASE WHEN i % 9 > 0 THEN 'v' || i % 43 END,
			'at', i % 19 || '.0', 'node', 'n' || i % 3)) v (empty, stamped);
	UPDATE state SET gcounter = NULL, lww_map = NULL, orset = NULL, ew_flag = NULL, obligation_lattice = NULL WHERE id % 101 = 0;
	UPDATE state SET pncounter = NULL, mv_register = NULL, or_map = NULL, lww_register = NULL WHERE id % 107 = 0;
	CREATE TABLE flat_state AS SELECT * FROM state ORDER BY id;
	VACUUM ANALYZE state; VACUUM ANALYZE flat_state;
});

# The expected states, again from no aggregate of ours.  An entry survives if no row knows its dot
# without having it.
$node->safe_psql('postgres', q{
	SET jit = off;
	CREATE FUNCTION known(state jsonb, OUT node text, OUT counter bigint) RETURNS SETOF record LANGUAGE sql STABLE AS $$
		SELECT key, generate_series(1, value::bigint) FROM jsonb_each_text(state -> 'context')
		UNION ALL SELECT r ->> 0, generate_series((r ->> 1)::bigint, (r ->> 2)::bigint) FROM jsonb_array_elements(state -> 'cloud') r $$;
	CREATE FUNCTION entries(state jsonb, OUT key text, OUT value text, OUT dot jsonb) RETURNS SETOF record LANGUAGE sql STABLE AS $$
		SELECT NULL, v ->> 'value', v -> 'dot' FROM jsonb_array_elements(state -> 'values') v
		UNION ALL SELECT k, NULL, d FROM jsonb_each(state -> 'elements') e (k, ds), jsonb_array_elements(ds) d
		UNION ALL SELECT k, v ->> 'value', v -> 'dot' FROM jsonb_each(state -> 'entries') e (k, vs), jsonb_array_elements(vs) v
		UNION ALL SELECT NULL, NULL, d FROM jsonb_array_elements(coalesce(state -> 'enabled', state -> 'disabled')) d $$;
	CREATE TABLE causal AS
		SELECT type, state FROM flat_state, LATERAL (VALUES ('mv_register', mv_register::jsonb), ('orset', orset::jsonb),
			('or_map', or_map::jsonb), ('ew_flag', ew_flag::jsonb), ('dw_flag', dw_flag::jsonb)) v (type, state);
	CREATE TABLE known_dot AS SELECT type, node COLLATE "C" AS node, counter, count(*) AS rows FROM causal, known(state) GROUP BY 1, 2, 3;
	CREATE TABLE surviving AS
		SELECT type, key, value, node, counter, jsonb_build_array(node, counter) AS dot FROM known_dot JOIN (
			SELECT type, key, value, dot ->> 0 AS node, (dot ->> 1)::bigint AS counter, count(*) AS rows
			FROM causal, entries(state) GROUP BY type, key, value, dot) e USING (type, node, counter, rows);
	CREATE TABLE context AS
		SELECT type, jsonb_build_object('context', coalesce(jsonb_object_agg(node, last) FILTER (WHERE first = 1), '{}'),
			'cloud', jsonb_agg(jsonb_build_array(node, first, last)) FILTER (WHERE first > 1)) AS context
		FROM (SELECT type, node, min(counter) AS first, max(counter) AS last FROM (
				SELECT *, counter - row_number() OVER (PARTITION BY type, node ORDER BY counter) AS island FROM known_dot) k
			GROUP BY type, node, island) r GROUP BY type;
	CREATE TABLE numbered AS
		SELECT element, node, row_number() OVER (PARTITION BY node ORDER BY element COLLATE "C") AS n
		FROM (SELECT DISTINCT element, node FROM flat_state WHERE element IS NOT NULL) d;
	CREATE TABLE report AS
		SELECT 'merged' AS name, o.key AS obligation, w.key AS witness, w.value AS said
			FROM flat_state, jsonb_each(obligation_lattice::jsonb) o, jsonb_each_text(o.value) w
		UNION ALL SELECT 'observed', obligation, witness, reported::text FROM flat_state WHERE reported IS NOT NULL;
	CREATE TABLE joined AS
		SELECT name, jsonb_object_agg(obligation, witnesses)::obligation_lattice AS reports FROM (
			SELECT name, obligation, jsonb_object_agg(witness, CASE
				WHEN said @> '{conflict}' OR said @> '{committed,aborted}' THEN 'conflict' WHEN said @> '{committed}' THEN 'committed'
				WHEN said @> '{aborted}' THEN 'aborted' WHEN said @> '{reserved}' THEN 'reserved' ELSE 'unknown' END) AS witnesses
			FROM (SELECT name, obligation, witness, array_agg(said) AS said FROM report GROUP BY 1, 2, 3) r GROUP BY 1, 2) o
		GROUP BY name;
	CREATE TABLE expected AS SELECT 1 AS g,
		(SELECT jsonb_object_agg(key, greatest)::gcounter FROM (
			SELECT key, max(value::bigint) AS greatest FROM flat_state, jsonb_each_text(gcounter::jsonb) GROUP BY key) s) AS gcounter,
		(SELECT jsonb_object_agg(key, jsonb_build_array(up, down))::pncounter FROM (
			SELECT key, max((value ->> 0)::bigint) AS up, max((value ->> 1)::bigint) AS down
			FROM flat_state, jsonb_each(pncounter::jsonb) GROUP BY key) s) AS pncounter,
		(SELECT r::lww_register FROM (SELECT lww_register::jsonb FROM flat_state) s (r)
			WHERE r ->> 'value' IS NOT NULL
			ORDER BY (r ->> 'at')::hlc DESC, r ->> 'node' COLLATE "C" DESC, r ->> 'value' COLLATE "C" DESC LIMIT 1) AS lww_register,
		(SELECT jsonb_object_agg(key, value)::lww_map FROM (
			SELECT DISTINCT ON (key) key, value FROM flat_state, jsonb_each(lww_map::jsonb)
			ORDER BY key, (value ->> 'at')::hlc DESC, value ->> 'node' COLLATE "C" DESC, value ->> 'value' COLLATE "C" DESC NULLS LAST) s) AS lww_map,
		(SELECT (context || jsonb_build_object('values', (SELECT jsonb_agg(jsonb_build_object('value', value, 'dot', dot))
			FROM surviving WHERE type = 'mv_register')))::mv_register FROM context WHERE type = 'mv_register') AS mv_register,
		(SELECT (context || jsonb_build_object('elements', (SELECT jsonb_object_agg(key, dots)
			FROM (SELECT key, jsonb_agg(dot) AS dots FROM surviving WHERE type = 'orset' GROUP BY key) s)))::orset
			FROM context WHERE type = 'orset') AS orset,
		(SELECT (context || jsonb_build_object('entries', (SELECT jsonb_object_agg(key, vs)
			FROM (SELECT key, jsonb_agg(jsonb_build_object('value', value, 'dot', dot)) AS vs FROM surviving WHERE type = 'or_map' GROUP BY key) s)))::or_map
			FROM context WHERE type = 'or_map') AS or_map,
		(SELECT (context || jsonb_build_object('enabled', (SELECT jsonb_agg(dot) FROM surviving WHERE type = 'ew_flag')))::ew_flag
			FROM context WHERE type = 'ew_flag') AS ew_flag,
		(SELECT (context || jsonb_build_object('disabled', (SELECT jsonb_agg(dot) FROM surviving WHERE type = 'dw_flag')))::dw_flag
			FROM context WHERE type = 'dw_flag') AS dw_flag,
		(SELECT jsonb_build_object('elements', (SELECT jsonb_object_agg(element, dots) FROM (
				SELECT element, jsonb_agg(jsonb_build_array(node, n)) AS dots FROM numbered GROUP BY element) s),
			'context', (SELECT jsonb_object_agg(node, last) FROM (SELECT node, max(n) AS last FROM numbered GROUP BY node) s))::orset) AS collected,
		(SELECT reports FROM joined WHERE name = 'merged') AS obligation_lattice,
		(SELECT reports FROM joined WHERE name = 'observed') AS observed;
});
is( $node->safe_psql('postgres', q{
		SELECT (SELECT count(*) FROM context WHERE jsonb_array_length(context -> 'cloud') > 10),
			count(*) FILTER (WHERE survived BETWEEN rows * 0.3 AND rows * 0.7), bool_and(cardinality(orset) BETWEEN 1500 AND 2500)
		FROM expected, (SELECT type, count(*) FROM known_dot GROUP BY type) k (type, rows)
			JOIN (SELECT type, count(*) FROM surviving GROUP BY type) s (type, survived) USING (type)}),
	'5|5|t', 'of what was written, a part survives, and gaps remain in what is known');
is( $node->safe_psql('postgres', q{
		SELECT count(DISTINCT r.reported), count(DISTINCT r.obligation), count(DISTINCT r.node), bool_or(r.state <> r.reported) FROM expected, entries(observed) r
		UNION ALL SELECT count(DISTINCT r.reported), count(DISTINCT r.obligation), count(DISTINCT r.node), bool_or(r.state <> r.reported)
			FROM expected, entries(obligation_lattice) r}),
	"4|60|11|t\n5|1040|21|t", 'of what was reported, every state remains');
my $expected_states = $node->safe_psql('postgres', digests('SELECT * FROM expected'));
my $total_state = 'SELECT 1 AS g, ' . aggregates('', '', '') . ' FROM TABLE';

foreach my $case (
	[ 'flat_state', $serial, 'one process', qr/^Aggregate\n  ->  Seq Scan/ ],
	[ 'flat_state', $parallel, 'parallel workers', qr/Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan/s ],
	[ 'flat_state', $workers_only, 'workers without their leader', qr/Finalize Aggregate.*Gather.*Partial Aggregate/s ],
	[ 'state', $serial, 'one process over partitions', qr/^Aggregate\n  ->  Append/ ],
	[ 'state', $partitionwise, 'partition by partition', qr/Finalize Aggregate.*Append(.*Partial Aggregate){3}/s ],
	[ 'state', $both, 'parallel and partition by partition',
		qr/Finalize Aggregate.*Gather.*Parallel Append(.*Partial Aggregate){3}/s ])
{
	my ($table, $settings, $name, $plan) = @$case;
	my $query = $total_state =~ s/TABLE/$table/r;

	like(plan_of($settings, $query), $plan, "the plan for states: $name");
	is(rows($settings, digests($query)), $expected_states, "states are merged as jsonb has it: $name");
}

# Groups: ten large ones, many that do not fit into memory, and the partitions themselves
foreach my $grp ('grp', 'wide_grp', 'part')
{
	my ($flat, $event) = map { "SELECT $grp AS g, " . aggregates('', '', '') . " FROM $_ GROUP BY $grp" } ('flat_state', 'state');
	my $reference = $node->safe_psql('postgres', digests('SELECT g, '
		. join(', ', map { "(SELECT merge(s) FROM unnest($_) s) AS $_" } @types)
		. ", $collect FROM (SELECT $grp AS g, "
		. join(', ', map { "array_agg($_) AS $_" } @types, @collected) . " FROM flat_state GROUP BY $grp) s"));

	like($reference, $grp eq 'grp' ? qr/^10\n/ : $grp eq 'part' ? qr/^3\n/ : qr/^751\n/, "states by $grp: how many groups");
	foreach my $case (
		[ $flat, "$serial; SET enable_sort = off", 'hashed', qr/HashAggregate/ ],
		[ $flat, "$serial; SET enable_hashagg = off", 'sorted', qr/GroupAggregate.*Sort/s ],
		[ $flat, "$parallel; SET enable_hashagg = off", 'sorted in workers', qr/Finalize GroupAggregate.*Gather Merge.*Sort/s ],
		[ $flat, "$parallel; SET enable_sort = off", 'hashed in workers', qr/Finalize HashAggregate.*Gather.*Partial HashAggregate/s ],
		[ $event, "$partitionwise; SET enable_sort = off", 'partition by partition', $grp eq 'part'
			? qr/^Append(\n +->  HashAggregate.*){3}/s : qr/^Finalize HashAggregate.*Append(.*Partial HashAggregate){3}/s ],
		[ $event, $both, 'both', qr/Gather/ ])
	{
		my ($sql, $settings, $name, $plan) = @$case;

		# of many groups the planner may expect nothing from partial states
		like(plan_of($settings, $sql), $plan, "states by $grp: plan, $name") if $grp ne 'wide_grp';
		is(rows($settings, digests($sql)), $reference, "states by $grp: $name");
	}
	next if $grp ne 'wide_grp';

	my $spill = "$serial; SET enable_sort = off; SET work_mem = '64kB'; SET hash_mem_multiplier = 1";
	like(rows($spill, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) $flat"),
		qr/Batches: \d+.*Disk Usage: \d+kB/s, 'a hash aggregation of states is spilled to disk');
	is(rows($spill, digests($flat)), $reference, "states by $grp: spilled");
	is(rows("$both; SET work_mem = '64kB'; SET hash_mem_multiplier = 1", digests($event)),
		$reference, "states by $grp: spilled in workers and partitions");
}

# DISTINCT and ORDER BY within the aggregate change nothing, except that no partial states are made.
foreach my $case ([ 'DISTINCT ', '' ], [ '', ' ORDER BY id DESC' ], [ '', ' ORDER BY gcounter, orset, id' ])
{
	my ($before, $after) = @$case;
	my $query = 'SELECT 1 AS g, ' . aggregates($before, $after, '') . ' FROM flat_state';

	unlike(plan_of($both, $query =~ s/flat_state/state/r), qr/Partial/, "merge(${before}state$after): no partial states");
	is(rows($_, digests($query =~ s/flat_state/state/r)), $expected_states, "merge(${before}state$after)") foreach ($serial, $both);
}

# FILTER goes with partial states.
my $filtered = rows($serial, digests('SELECT 1 AS g, ' . aggregates('', '', '') . ' FROM flat_state WHERE id % 3 > 0 AND id > 100'));
foreach my $case (
	[ 'flat_state', $serial, 'one process', qr/^Aggregate/ ],
	[ 'flat_state', $parallel, 'parallel', qr/Gather.*Partial/s ],
	[ 'state', $partitionwise, 'partition by partition', qr/Append.*Partial/s ],
	[ 'state', $both, 'both', qr/Gather.*Append.*Partial/s ])
{
	my ($table, $settings, $name, $plan) = @$case;
	my $query = 'SELECT 1 AS g, ' . aggregates('', '', 'FILTER (WHERE id % 3 > 0 AND id > 100)') . " FROM $table";

	like(plan_of($settings, $query), $plan, "states with FILTER: plan, $name");
	is(rows($settings, digests($query)), $filtered, "states with FILTER are the merge of those rows: $name");
}
is( rows($serial, digests('SELECT coalesce(part, 10 + grp, 100) AS g, ' . aggregates('', '', '')
		. ' FROM flat_state GROUP BY GROUPING SETS ((part), (grp), ())')),
	rows($serial, digests('SELECT part AS g, ' . aggregates('', '', '') . ' FROM flat_state GROUP BY part'
		. ' UNION ALL SELECT 10 + grp, ' . aggregates('', '', '') . ' FROM flat_state GROUP BY grp'
		. ' UNION ALL SELECT 100, ' . aggregates('', '', '') . ' FROM flat_state')),
	'states in grouping sets');
is(rows($serial, digests('SELECT 1 AS g, ' . join(', ', map { "merge($_) AS $_" } @types) . ', (SELECT collected FROM expected) AS collected, (SELECT observed FROM expected) AS observed'
		. ' FROM (SELECT ' . aggregates('', '', '') . ' FROM flat_state GROUP BY wide_grp) s')),
	$expected_states, 'merging the merged states of groups is merging all');
is(rows($serial, 'SELECT ' . join(' AND ', map { "merge($_) IS NULL" } @types) . ' AND orset_agg(element, node) IS NULL AND observe(obligation, witness, reported) IS NULL FROM flat_state WHERE false'),
	't', 'no rows give null for every type');

# Windows over states: the state goes on being used after its value was handed out.
$node->safe_psql('postgres', 'CREATE TABLE few AS SELECT * FROM flat_state WHERE id BETWEEN 2450 AND 2569');
foreach my $frame (@frames)
{
	is(rows($serial, digests('SELECT id AS g, ' . aggregates('', '', 'OVER w') . " FROM few WINDOW w AS ($frame)")),
		rows($serial, digests('SELECT id AS g, ' . join(', ', map { "(SELECT merge(s) FROM unnest($_) s) AS $_" } @types)
			. ", $collect FROM (SELECT id, " . join(', ', map { "array_agg($_) OVER w AS $_" } @types, @collected) . " FROM few WINDOW w AS ($frame)) s")),
		"states in a window ($frame)");
}
foreach my $type (@types)
{
	# "alone" is the merge of the rows so far, made for each row anew
	my $held = "SELECT id, $type AS own, merge($type) OVER (ORDER BY id) AS m FROM few";

	is(rows($serial, "SELECT count(*) > 100, count(DISTINCT m) > 10, bool_and(m = alone AND previous IS NOT DISTINCT FROM previous_alone
				AND first IS NOT DISTINCT FROM first_alone) FROM (
			SELECT m, alone, lag(m) OVER w AS previous, lag(alone) OVER w AS previous_alone,
				first_value(m) OVER w AS first, first_value(alone) OVER w AS first_alone
			FROM ($held) s JOIN (SELECT o.id, (SELECT merge($type) FROM few i WHERE i.id <= o.id) AS alone FROM few o) t USING (id) WINDOW w AS (ORDER BY id)) u"),
		't|t|t', "$type: values that a window handed out stay as they were while it goes on");
	is(rows($serial, "SELECT bool_and((m | own) = m AND merge(own, m) = m AND own <@ m), bool_and((m | later) = (later | m)),
				bool_and(md5(${type}_send(m)) = md5(${type}_send(alone)))
			FROM (SELECT s.*, later, (SELECT merge($type) FROM few i WHERE i.id <= s.id) AS alone
				FROM ($held) s, (SELECT $type AS later FROM few WHERE id = 2569) l) t"),
		't|t|t', "$type: functions on what a window hands out do not change it");
	is(rows($serial, "SELECT merge(m) = (SELECT merge($type) FROM few), merge(m) FILTER (WHERE id <= 2500) = (SELECT merge($type) FROM few WHERE id <= 2500)
			FROM ($held) s"),
		't|t', "$type: aggregates of what a window hands out");
}
foreach my $case (
	[ 'orset_agg(element, node)', q{cardinality(m | '{"context": {"n1": 1}}') <= cardinality(m)} ],
	[ 'observe(obligation, witness, reported)', q{NOT m @> (m | '{"late": {"a": "aborted"}}') AND observe(m, 'late', 'b', 'unknown') @> m} ])
{
	my ($aggregate, $changes) = @$case;

	is( rows($serial, qq{SELECT count(DISTINCT m) > 10, bool_and(m = alone AND previous IS NOT DISTINCT FROM previous_alone),
				bool_and($changes AND m = alone) FROM (
			SELECT m, alone, previous, lag(alone) OVER (ORDER BY id) AS previous_alone FROM (SELECT id, m, lag(m) OVER (ORDER BY id) AS previous
				FROM (SELECT id, $aggregate OVER (ORDER BY id) AS m FROM few) s) s
				JOIN (SELECT o.id, (SELECT $aggregate FROM few i WHERE i.id <= o.id) AS alone FROM few o) t USING (id)) u}),
		't|t|t', "$aggregate: what a window handed out stays as it was");
}
is( rows("$parallel; SET " . ($version >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode') . ' = on',
		digests('SELECT id AS g, ' . aggregates('', '', 'OVER w') . ' FROM few WINDOW w AS (ORDER BY id)')),
	rows($serial, digests('SELECT id AS g, ' . aggregates('', '', 'OVER w') . ' FROM few WINDOW w AS (ORDER BY id)')),
	'states in a window, in a forced worker');

# Sagas are checked by workers as well.
my $checked = q{SELECT part, finding, constraint_name, count(*), min(explanation) FROM flat_state,
	check_sagas(obligation_lattice | '{"all": {"a": "committed"}}', ARRAY[('one', 'mutual_exclusion', '{all,own7,own107}'), ('two', 'implies', '{all,o1}')]::saga_constraint[])
	GROUP BY part, finding, constraint_name ORDER BY part, finding, constraint_name};
like(plan_of($parallel, $checked), qr/Gather.*Partial.*Function Scan on check_sagas/s, 'the plan of check_sagas: parallel workers');
is(rows($parallel, $checked), rows($serial, $checked), 'workers find in sagas what one process finds');
like(rows($serial, $checked), qr/\|pairwise_conflict\|.*\|violation\|one\|/s, '... which is something of every kind');

#
# States of one byte, passed by value, some of them null
#
$node->safe_psql('postgres', q{
	CREATE TABLE step (id int, part int, grp int, wide_grp int, step lattice_state, lease lease_state) PARTITION BY LIST (part);
	CREATE TABLE step_0 PARTITION OF step FOR VALUES IN (0);
	CREATE TABLE step_1 PARTITION OF step FOR VALUES IN (1);
	CREATE TABLE step_2 PARTITION OF step FOR VALUES IN (2);
	INSERT INTO step SELECT i, i % 3, i % 10, i / 8,
		CASE WHEN i % 7 > 0 THEN (ARRAY['unknown', 'reserved', 'committed', 'aborted', 'conflict'])[1 + i / 10 % (1 + i % 5)] END,
		CASE WHEN i / 8 % 11 > 0 THEN (ARRAY['released', 'active', 'expired', 'unknown', 'conflict'])[1 + i / 8 % (1 + i % 3)] END
	FROM generate_series(1, 20000) i;
	CREATE TABLE flat_step AS SELECT * FROM step;
	VACUUM ANALYZE step; VACUUM ANALYZE flat_step;
});

# The join and the meet of a column of states, unknown < one < left, right < conflict, by their names alone.
sub by_name
{
	my ($column, $one, $left, $right) = @_;
	my %some = map { $_ => "bool_or($column\::text = '$_')" } ('unknown', $one, $left, $right, 'conflict');

	return qq{CASE WHEN $some{conflict} OR $some{$left} AND $some{$right} THEN 'conflict' WHEN $some{$left} THEN '$left'
			WHEN $some{$right} THEN '$right' WHEN $some{$one} THEN '$one' WHEN $some{unknown} THEN 'unknown' END,
		CASE WHEN $some{unknown} THEN 'unknown' WHEN $some{$one} OR $some{$left} AND $some{$right} THEN '$one'
			WHEN $some{$left} THEN '$left' WHEN $some{$right} THEN '$right' WHEN $some{conflict} THEN 'conflict' END};
}
my $by_name = by_name('step', qw(reserved committed aborted)) . ', ' . by_name('lease', qw(active released expired));
my $by_aggregate = 'merge(step), meet(step), merge(lease), meet(lease)';
foreach my $grp ('1', 'grp', 'wide_grp')
{
	my $digest = "SELECT count(*), count(DISTINCT step) + count(DISTINCT lease), md5(string_agg(s::text, ' ' ORDER BY g))"
	  . " FROM (SELECT $grp AS g, WHAT FROM TABLE GROUP BY 1) s (g, step, least_step, lease, least_lease)";
	my $reference = rows($serial, $digest =~ s/WHAT/$by_name/r =~ s/TABLE/flat_step/r);

	like($reference, { 1 => qr/^1\|2\|/, grp => qr/^10\|[5-9]\|/, wide_grp => qr/^2501\|[6-9]\|/ }->{$grp}, "one-byte states by $grp: how many");
	foreach my $case (
		[ 'flat_step', $serial, 'one process' ], [ 'flat_step', $parallel, 'parallel workers' ], [ 'step', $partitionwise, 'partition by partition' ],
		[ 'step', $both, 'both' ], [ 'flat_step', "$serial; SET enable_hashagg = off", 'sorted' ])
	{
		my ($table, $settings, $name) = @$case;

		is(rows($settings, $digest =~ s/WHAT/$by_aggregate/r =~ s/TABLE/$table/r), $reference, "one-byte states by $grp, as their names have it: $name");
	}
}
like(plan_of($both, "SELECT $by_aggregate FROM step"), qr/Finalize Aggregate.*Gather.*Parallel Append(.*Partial Aggregate){3}/s,
	'one-byte states: parallel and partition by partition');
foreach my $frame (@frames)
{
	is( rows($serial, "SELECT id, merge(step) OVER w, meet(step) OVER w, merge(lease) OVER w FROM step WHERE id <= 400 WINDOW w AS ($frame) ORDER BY id"),
		rows($serial, "SELECT id, (SELECT merge(s) FROM unnest(steps) s), (SELECT meet(s) FROM unnest(steps) s), (SELECT merge(s) FROM unnest(leases) s)
			FROM (SELECT id, array_agg(step) OVER w AS steps, array_agg(lease) OVER w AS leases FROM step WHERE id <= 400 WINDOW w AS ($frame)) s ORDER BY id"),
		"one-byte states in a window ($frame)");
}

$node->stop;
done_testing();
