# Beyond one server: two shards and a coordinator that sees them as partitions (postgres_fdw), and
# partial states that travel as text or binary values, as sharding engines send them.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

# What a session has set differs from server to server, and makes no difference.
my $coordinator = new_node('coordinator', "distributed.node = 'c'");
my @shards = (
	new_node('shard_0', "distributed.node = 'a'", "TimeZone = 'Asia/Kathmandu'", "DateStyle = 'German'", "bytea_output = 'escape'"),
	new_node('shard_1', "distributed.node = 'b'", "IntervalStyle = 'iso_8601'", 'extra_float_digits = -5'));
my $version = $coordinator->safe_psql('postgres', q{SELECT current_setting('server_version_num')});

my @types = qw(vclock gcounter pncounter lww_register lww_map mv_register orset or_map ew_flag dw_flag lattice_state lease_state obligation_lattice);
my $columns = 'id int, cart int, at hlc, stamp lamport, ' . join(', ', map { "$_ $_" } @types) . ', element text, node text, document jsonb';

sub ask { return $coordinator->safe_psql('postgres', $_[0]) }
sub plan_of { return ask('SET enable_partitionwise_aggregate = on; EXPLAIN (VERBOSE, COSTS OFF) ' . $_[0]) }

# merge of every column, under its name; and hashes of the bytes, in the order of g
my $merges = join ', ', map { "merge($_) AS $_" } @types;
sub digests
{
	my ($query) = @_;
	return 'SELECT ' . join(q{ || E'\n' || }, 'count(*)',
		map { "'$_ ' || md5(string_agg(format('%s %s', g, ${_}_send($_)), ' ' ORDER BY g))" } @types) . " FROM ($query) s";
}

# Some rows, but not all, and those that the local copy has
sub same_rows
{
	my ($table, $condition, $local_condition) = @_;
	my ($rows, $expected) = split /\n/, ask(join ';', map {
			"SELECT md5(string_agg(id::text, ' ' ORDER BY id)), count(*) BETWEEN 1 AND 1999 FROM $_" }
			("$table WHERE $condition", "local WHERE $local_condition"));

	like($rows, qr/t$/, "... some rows: $condition");
	is($rows, $expected, '... the right ones');
}

# The rows lie on the coordinator first.  Every fifth knows of its node's last six writes, and has
# none of them; the others know of their own, and have it.
$_->safe_psql('postgres', 'CREATE EXTENSION distributed') foreach ($coordinator, @shards);
ask(qq{
	SET jit = off;
	CREATE TABLE local ($columns);
	INSERT INTO local SELECT i, i % 40, hlc(timestamptz '2026-01-01 00:00Z' + i % 97 * interval '1 ms', i % 5), i::bigint::lamport,
		jsonb_build_object(node, counter, 'all', i % 50 + 1)::vclock, jsonb_build_object(node, i, 'all', i % 50 + 1)::gcounter,
		jsonb_build_object(node, ARRAY[i / 3, i % 1000])::pncounter,
		lww_register('v' || i % 41, ((i % 97) || '.0')::hlc, 'n' || i % 5),
		jsonb_build_object('k' || i % 30, jsonb_build_object('value', CASE WHEN i % 9 > 0 THEN 'v' || i % 43 END,
			'at', i % 19 || '.0', 'node', 'n' || i % 3))::lww_map,
		jsonb_build_object('values', array_remove(ARRAY[written], NULL), 'cloud', cloud)::mv_register,
		jsonb_build_object('elements', CASE WHEN removes THEN '{}' ELSE jsonb_build_object('é' || i % 700, jsonb_build_array(dot)) END, 'cloud', cloud)::orset,
		jsonb_build_object('entries', CASE WHEN removes THEN '{}' ELSE jsonb_build_object('é' || i % 700, jsonb_build_array(written)) END, 'cloud', cloud)::or_map,
		jsonb_build_object('enabled', CASE WHEN removes THEN '[]' ELSE jsonb_build_array(dot) END, 'cloud', cloud)::ew_flag,
		jsonb_build_object('disabled', CASE WHEN removes THEN '[]' ELSE jsonb_build_array(dot) END, 'cloud', cloud)::dw_flag,
		(ARRAY['unknown', 'reserved', 'committed', 'aborted', 'conflict'])[1 + i % (1 + i % 5)],
		CASE WHEN i % 40 < 30 THEN (ARRAY['unknown', 'active', 'released'])[1 + i % 3] ELSE (ARRAY['active', 'expired', 'released'])[1 + i % 3] END,
		jsonb_build_object('é' || i % 700, jsonb_build_object(node, (ARRAY['reserved', 'committed', 'committed', 'aborted'])[1 + i % (3 + (i % 97) / 96)]))::obligation_lattice,
		'é' || i % 700, node, jsonb_build_object('x' || i % 7, i)
	FROM generate_series(1, 2000) i, LATERAL (SELECT 'n' || i % 7, i / 7 + 1, i % 5 = 3) w (node, counter, removes),
		LATERAL (SELECT jsonb_build_array(jsonb_build_array(node, CASE WHEN removes THEN greatest(counter - 5, 1) ELSE counter END, counter)),
			jsonb_build_array(node, counter)) d (cloud, dot),
		LATERAL (SELECT CASE WHEN NOT removes THEN jsonb_build_object('value', 'v' || i % 13, 'dot', dot) END) v (written);
	UPDATE local SET vclock = NULL, orset = NULL, lww_register = NULL, lease_state = NULL, obligation_lattice = NULL WHERE id % 31 = 0;
	ANALYZE local;
});
my $total = ask(digests("SELECT 1 AS g, $merges FROM local"));
my $by_cart = ask(digests("SELECT cart AS g, $merges FROM local GROUP BY cart"));
like($total, qr/^1\nvclock \w{32}\n/, 'one row holds all');
like($by_cart, qr/^40\nvclock \w{32}\n/, 'there are forty carts');
$_->safe_psql('postgres', "CREATE TABLE carts ($columns); CREATE INDEX ON carts USING gin (elements(orset))") foreach @shards;

#
# Partitions on other servers
#
SKIP:
{
	skip 'postgres_fdw is not installed', 1
	  if !ask(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'});

	ask("CREATE EXTENSION postgres_fdw; CREATE TABLE carts ($columns) PARTITION BY HASH (cart)");
	foreach my $i (0, 1)
	{
		my ($host, $port) = ($shards[$i]->host, $shards[$i]->port);

		ask(qq{
			CREATE SERVER shard_$i FOREIGN DATA WRAPPER postgres_fdw
				OPTIONS (host '$host', port '$port', dbname 'postgres', extensions 'distributed');
			CREATE USER MAPPING FOR CURRENT_USER SERVER shard_$i;
			CREATE FOREIGN TABLE carts_$i PARTITION OF carts FOR VALUES WITH (MODULUS 2, REMAINDER $i)
				SERVER shard_$i OPTIONS (table_name 'carts');
		});
		ask("ALTER SERVER shard_$i OPTIONS (ADD async_capable 'true')") if $version >= 140000;
	}
	ask('INSERT INTO carts SELECT * FROM local; ANALYZE carts');
	is( ask('SELECT (SELECT count(*) FROM (TABLE carts EXCEPT ALL TABLE local) e), (SELECT count(*) FROM (TABLE local EXCEPT ALL TABLE carts) e),
			(SELECT count(*) > 500 FROM carts_0), (SELECT count(*) > 500 FROM carts_1)'),
		'0|0|t|t', 'every value comes back from the shards');

	# Conditions on our types are sent, for the extension is named in the server's option.
	foreach my $condition (
		q{gcounter #<# '{"n1": 500}'}, q{gcounter #>=# '{"n1": 500}'}, q{lww_map = '{"k7": {"value": "v7", "at": "7.0", "node": "n1"}}'},
		q{vclock <> '{"all": 8, "n0": 2}'}, q{vclock << '{"n1": 200, "all": 50}'}, q{vclock || '{"n1": 200, "all": 10}'},
		q{orset @> '{"cloud": [["n3", 7, 9]]}'}, q{orset <@ '{"context": {"n3": 100}}'}, q{at >= '2026-01-01 00:00:00.05Z/2'},
		q{stamp < '77'}, q{(gcounter | '{"n1": 1000}') = (gcounter | '{"n1": 1001}')}, q{value(gcounter) > 700}, q{value(pncounter) < 0},
		q{value(ew_flag)}, q{NOT value(dw_flag)}, q{cardinality(orset) > 0}, q{context(orset) @> '{"n1": 2}'}, q{total(vclock) < 20},
		q{lattice_state @> 'committed'}, q{NOT is_terminal(lattice_state)}, q{is_conflict(lattice_state & 'conflict')},
		q{obligation_lattice @@ 'aborted'}, q{NOT has_conflicts(obligation_lattice)}, q{NOT obligation_lattice @> '{"é3": {"n3": "reserved"}}'}, q{obligation_lattice ? element},
		q{state(obligation_lattice, element) = 'committed'}, q{has_conflicts(obligation_lattice | '{"é3": {"n1": "conflict"}}') AND has_state(obligation_lattice, 'reserved')}, q{lease_state #># 'active'}, q{lease_state | 'expired' = 'conflict'}, q{orset ? element}, q{get(gcounter, node) > 700}, q{vclock -> node > 280}, q{contains(or_map, element)}, q{or_map ? element})
	{
		my $plan = plan_of("SELECT id FROM carts WHERE $condition");

		like($plan, qr/(Remote SQL: SELECT id FROM public\.carts WHERE .*){2}/s, "sent to the shards: $condition");
		unlike($plan, qr/Filter:/, '... and not asked again here');
		same_rows('carts', $condition, $condition);
	}
	like(plan_of(q{SELECT id FROM carts_0 ORDER BY gcounter, at}),
		qr/^Foreign Scan.*Remote SQL: .* ORDER BY gcounter ASC NULLS LAST, at ASC NULLS LAST/s, 'a sort is sent');
	is( ask(q{SELECT md5(string_agg(id::text, ' ')) FROM (SELECT id FROM carts ORDER BY gcounter, at, id) s}),
		ask(q{SELECT md5(string_agg(id::text, ' ')) FROM (SELECT id FROM local ORDER BY gcounter, at, id) s}), '... in the same order');
	like(plan_of(q{UPDATE carts SET gcounter = gcounter | '{"all": 1}', orset = orset | '{}' WHERE id < 100}),
		qr/Foreign Update.*Remote SQL: UPDATE public\.carts SET .*OPERATOR\(public\.\|\)/s, 'a merge into rows of the shards is sent');
	is( ask(join ';', 'BEGIN', (map { qq{UPDATE $_ SET gcounter = gcounter | '{"all": 77}', orset = orset | '{"context": {"n1": 9}}' WHERE id < 100} } ('carts', 'local')),
			'SELECT count(*), count(*) FILTER (WHERE gcounter @> \'{"all": 77}\') FROM (TABLE carts INTERSECT ALL TABLE local) i', 'ROLLBACK'),
		'2000|99', '... and done as here');

	# postgres_fdw sends no condition that depends on a collation, unless a column of the foreign
	# table brings it along.  A text constant does not, here as with jsonb.
	foreach my $condition (q{orset ? 'é77'}, q{orset @> ARRAY['é77']}, q{lww_map -> 'k7' = 'v7'}, q{get(vclock, 'n1') = 7}, q{document ? 'x1'},
		q{obligation_lattice ? 'é77'}, q{obligation_lattice @> ARRAY['é77']})
	{
		like(plan_of("SELECT id FROM carts WHERE $condition"),
			qr/Filter:.*Remote SQL: SELECT [^\n]* FROM public\.carts$/ms, "not sent, for it has a text constant: $condition");
		same_rows('carts', $condition, $condition);
	}

	# The elements as a column of the foreign table do, and the shards have an index for them.
	$_->safe_psql('postgres', 'ANALYZE carts; CREATE VIEW cart_elements AS SELECT *, elements(orset) AS elements FROM carts') foreach @shards;
	ask(qq{CREATE TABLE cart_elements ($columns, elements text[]) PARTITION BY HASH (cart);} . join '', map {
			qq{CREATE FOREIGN TABLE cart_elements_$_ PARTITION OF cart_elements FOR VALUES WITH (MODULUS 2, REMAINDER $_)
				SERVER shard_$_ OPTIONS (table_name 'cart_elements');} } (0, 1));
	my $with_elements = plan_of(q{SELECT id FROM cart_elements WHERE elements @> ARRAY['é77']});
	like($with_elements, qr/Remote SQL: .* WHERE \(\(elements @> /, 'elements as a column: the condition is sent');
	unlike($with_elements, qr/Filter:/, '... and not asked again here');
	same_rows('cart_elements', q{elements @> ARRAY['é77']}, q{orset ? 'é77'});
	like($shards[0]->safe_psql('postgres', 'SET enable_seqscan = off; EXPLAIN (COSTS OFF) ' . ($with_elements =~ /Remote SQL: ([^\n]*)/)[0]),
		qr/Bitmap Index Scan on carts_elements_idx/, '... there by an index');

	# Groups by the partition key are merged on the shards; so are several keys with it among them.
	my $grouped = "SELECT cart AS g, $merges FROM carts GROUP BY cart";
	like(plan_of($grouped),
		qr/^Append(.*Foreign Scan.*Aggregate on .*Remote SQL: SELECT cart, (public\.merge\(\w+\)(, )?){13} FROM public\.carts GROUP BY 1){2}/s,
		'merge by the partition key: sent to the shards');
	unlike(plan_of($grouped), qr/Partial|Group Key/, '... nothing is left to merge here');
	is(ask("SET enable_partitionwise_aggregate = on; " . digests($grouped)), $by_cart, '... same bytes');
	is(ask(digests($grouped)), $by_cart, '... as without partition-wise aggregates');
	like(plan_of('SELECT cart, node, merge(orset) FROM carts GROUP BY cart, node'),
		qr/^Append(.*Remote SQL: SELECT cart, node, public\.merge\(orset\) FROM public\.carts GROUP BY 1, 2){2}/s, 'merge by the partition key and more: sent');
	like(plan_of('SELECT cart, merge(orset) FILTER (WHERE stamp < \'900\') FROM carts GROUP BY cart'),
		qr/^Append(.*Remote SQL: SELECT cart, public\.merge\(orset\) FILTER \(WHERE [^\n]* FROM public\.carts GROUP BY 1){2}/s, 'merge with FILTER: sent');
	like(plan_of('SELECT cart, orset_agg(element, node) FROM carts GROUP BY cart'),
		qr/^Append(.*Remote SQL: SELECT cart, public\.orset_agg\(element, node\) FROM public\.carts GROUP BY 1){2}/s, 'orset_agg of two columns: sent');
	like(plan_of('SELECT cart, observe(element, node, lattice_state) FROM carts GROUP BY cart'),
		qr/^Append(.*Remote SQL: SELECT cart, public\.observe\(element, node, lattice_state\) FROM public\.carts GROUP BY 1){2}/s, 'observe of three columns: sent');
	my ($observed, $observed_here) = map { "SELECT count(*), md5(string_agg(obligation_lattice_send(l)::text, ' ' ORDER BY cart)) FROM"
			. " (SELECT cart, observe(element, node, lattice_state) AS l FROM $_ GROUP BY cart) c" } ('carts', 'local');
	is(ask("SET enable_partitionwise_aggregate = on; $observed"), ask($observed_here), '... same bytes');
	my ($collected, $collected_here) = map { "SELECT count(*), md5(string_agg(orset_send(s)::text, ' ' ORDER BY cart)) FROM"
			. " (SELECT cart, orset_agg(element, node) AS s FROM $_ GROUP BY cart) c" } ('carts', 'local');
	is(ask("SET enable_partitionwise_aggregate = on; $collected"), ask($collected_here), '... same bytes');

	# Without the key every row is fetched: postgres_fdw sends no partial aggregates.
	my $all = "SELECT 1 AS g, $merges FROM carts";
	like(plan_of($all), qr/Aggregate.*Append(.*Foreign Scan.*Remote SQL: SELECT vclock, [^\n]* FROM public\.carts\b){2}/s,
		'a total merge: the rows are fetched');
	unlike(plan_of($all), qr/Remote SQL: [^\n]*merge/, '... and merged here');
	is(ask("SET enable_partitionwise_aggregate = on; " . digests($all)), $total, '... same bytes');
	is(ask(digests($all)), $total, '... as without partition-wise aggregates');
	like(plan_of('SELECT node, merge(orset) FROM carts GROUP BY node'),
		qr/Aggregate.*Append(.*Foreign Scan.*Remote SQL: SELECT (orset, node|node, orset) FROM public\.carts\b){2}/s, 'merge by another column: likewise');

	# To have the shards merge first, merge by the key below, and merge what comes of it.
	my $twice = "SELECT 1 AS g, $merges FROM ($grouped) s";
	like(plan_of($twice),
		qr/^Aggregate.*Append(.*Foreign Scan.*Remote SQL: SELECT [^\n]*public\.merge\(orset\)[^\n]* GROUP BY 1){2}/s, 'merge of the merges by the key: these are sent');
	is(ask("SET enable_partitionwise_aggregate = on; " . digests($twice)), $total, '... same bytes');
	like(plan_of($twice), qr/Async Foreign Scan.*Async Foreign Scan/s, '... to both shards at once') if $version >= 140000;

	# One foreign table is no partition of anything: its total is merged over there.
	my $union = "SELECT 1 AS g, $merges FROM (SELECT $merges FROM carts_0 UNION ALL SELECT $merges FROM carts_1) s";
	like(plan_of($union),
		qr/^Aggregate.*Append(.*Foreign Scan.*Remote SQL: SELECT [^\n]*public\.merge\(orset\)[^\n]* FROM public\.carts){2}/s, 'merge of the merges of each foreign table: these are sent');
	is(ask(digests($union)), $total, '... same bytes');

	# Or let each shard have a view of its merge; one state of each shard travels.
	$_->safe_psql('postgres', "CREATE VIEW merged AS SELECT $merges FROM carts") foreach @shards;
	ask("CREATE TABLE merged (shard int, " . join(', ', map { "$_ $_" } @types) . ") PARTITION BY LIST (shard);" . join '', map {
			"CREATE FOREIGN TABLE merged_$_ PARTITION OF merged FOR VALUES IN ($_) SERVER shard_$_ OPTIONS (table_name 'merged');" } (0, 1));
	my $view = "SELECT 1 AS g, $merges FROM merged";
	like(plan_of($view), qr/(Remote SQL: SELECT [^\n]* FROM public\.merged.*){2}/s, 'a view on each shard: its state is fetched');
	is(ask(digests($view)), $total, '... same bytes');
}

#
# Partial states as values, as sharding engines send them: printed by the output function of the
# type (or sent in binary), read over there, joined by the combine function
#
is( ask(q{SELECT count(*) > 12, bool_and(aggtranstype <> 'internal'::regtype), bool_and(aggtranstype = prorettype), bool_and(aggfinalfn = 0 AND aggserialfn = 0),
			bool_and(aggcombinefn <> 0), bool_and((SELECT proparallel FROM pg_proc c WHERE c.oid = aggcombinefn) = 's' AND p.proparallel = 's')
		FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'distributed')}),
	't|t|t|t|t|t', 'the state of every aggregate is a value of its type, and can be combined');
my $directory = PostgreSQL::Test::Utils::tempdir();
# How many states each shard sends: one for all its rows; or one for each cart, in any order
my %sent = (total => '', 'by cart' => 'GROUP BY cart ORDER BY md5(cart::text)');
my %aggregate = (orset_agg => [ 'orset', 'orset_agg(element, node)', 'orset_agg(text, text)' ],
	observe => [ 'obligation_lattice', 'observe(element, node, lattice_state)', 'observe(text, text, lattice_state)' ], map { $_ => [ $_, "merge($_)", "merge($_)" ] } @types);
foreach my $i (0, 1)
{
	# this time the even carts lie on one shard and the odd ones on the other
	ask("COPY (SELECT * FROM local WHERE cart % 2 = $i) TO '$directory/rows' (FORMAT binary)");
	$shards[$i]->safe_psql('postgres', "DROP TABLE IF EXISTS carts CASCADE; CREATE TABLE carts ($columns); COPY carts FROM '$directory/rows' (FORMAT binary);"
		. join '', map { my $name = $_; map { my $what = $_; map {
			"COPY (SELECT $aggregate{$name}[1] FROM carts $sent{$what}) TO '$directory/$name $what $_ $i' (FORMAT $_);"
		} ('text', 'csv', 'binary') } sort keys %sent } sort keys %aggregate);
}
foreach my $name (sort keys %aggregate)
{
	my ($type, $call, $signature) = @{ $aggregate{$name} };
	my $combine = ask("SELECT aggcombinefn FROM pg_aggregate WHERE aggfnoid = '$signature'::regprocedure");
	my $expected = ask("SELECT md5(${type}_send($call)) FROM local");

	ask("CREATE AGGREGATE combined_$name ($type) (SFUNC = $combine, STYPE = $type)");
	foreach my $what (sort keys %sent)
	{
		# and nulls, from shards that have no rows
		is( ask(join '', map { "
			CREATE TABLE partial_$_ (state $type);
			INSERT INTO partial_$_ VALUES (NULL);
			COPY partial_$_ FROM '$directory/$name $what $_ 0' (FORMAT $_);
			INSERT INTO partial_$_ VALUES (NULL);
			COPY partial_$_ FROM '$directory/$name $what $_ 1' (FORMAT $_);
			SELECT '$_', count(state), md5(${type}_send(combined_$name(state))) FROM partial_$_;
			DROP TABLE partial_$_;" } ('text', 'csv', 'binary')),
			join("\n", map { "$_|" . ($what eq 'total' ? 2 : 40) . "|$expected" } ('text', 'csv', 'binary')),
			"$name: partial states $what, as text, csv and binary, give the same bytes");
	}
}
my ($here, $there) = map { $_->safe_psql('postgres', 'SELECT merge(orset) FROM carts') } @shards;
is(ask("SELECT md5(orset_send('$here'::orset | '$there'))"), ask('SELECT md5(orset_send(merge(orset))) FROM local'), 'a state fits into a query as a literal');

$_->stop foreach ($coordinator, @shards);
done_testing();
