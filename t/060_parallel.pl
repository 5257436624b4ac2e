# merge() and meet() give one answer, however the server divides the work: in one process, in
# parallel workers, partition by partition, in spilled batches, in sorted groups, in windows.
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

$node->stop;
done_testing();
