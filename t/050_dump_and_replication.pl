# What is stored comes back the same: by pg_dump, logical replication, a streaming replica, and
# recovery after a crash.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('origin', "distributed.node = 'origin'");
my $version = $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')});
my $dump = PostgreSQL::Test::Utils::tempdir();

# Every row of every table as text, in one hash.
my $content = q{SELECT string_agg(name || ' ' || digest, E'\n' ORDER BY name) FROM (
	SELECT 'state', count(*) || ' ' || md5(string_agg(s::text, E'\n' ORDER BY id)) FROM state s
	UNION ALL SELECT 'replica', count(*) || ' ' || md5(string_agg(r::text, E'\n' ORDER BY id)) FROM replica r
	UNION ALL SELECT 'large', count(*) || ' ' || md5(string_agg(l::text, E'\n' ORDER BY id)) FROM large l
	UNION ALL SELECT 'rule', count(*) || ' ' || md5(string_agg(r::text, E'\n' ORDER BY name)) FROM rule r
	UNION ALL SELECT 'hashed', count(*) || ' ' || md5(string_agg(h::text, E'\n' ORDER BY clock, at, stamp, elements)) FROM hashed h
) c (name, digest)};

# Questions that an index answers, by table.
my %questions = (
	state => [
		q{clock << '{"a": 300, "b": 900, "c": 900}'}, q{clock >> '{"a": 100, "b": 20}'},
		q{clock || '{"a": 200, "b": 50, "c": 10}'}, q{clock <@ '{"a": 900, "b": 50, "c": 90}'},
		q{clock @> '{"a": 700, "b": 30}'}, q{clock = '{"a": 17, "b": 18, "c": 5}'},
		q{clock #<# '{"a": 200}'}, q{at < '1000000123.0'}, q{at = '1000000017.2'}, q{stamp >= '990'},
		q{during @> '1000000100.0'::hlc} ],
	replica => [
		q{elements ? 'e777'}, q{elements @> '{e701,é706}'::text[]}, q{elements && '{e17,e18,nowhere}'::text[]},
		q{lists ? 'k17'}, q{document ? 'ü"\\'}, q{counter #<# '{"a": 17}'}, q{counter = '{"a": 101, "b": 3}'},
		q{document = lww_map('{"k13": "v302", "ü\"\\\\": 302}', '302.1', 'a') | remove(lww_map '{}', 'k17', '302.2', 'b')},
		q{value(balance) < -100}, q{conflict #>=# '{}' AND is_conflicted(conflict)},
		q{step = 'conflict'}, q{step #># 'committed' AND lease = 'expired'}, q{lease = 'active'},
		q{seen ? 'o777'}, q{seen @> '{ship,o701}'::text[]}, q{seen && '{o17,o18,nowhere}'::text[]}, q{seen @@ 'aborted'},
		q{has_conflicts(seen) AND seen ? 'ü"\\'}, q{seen = '{}' AND NOT has_conflicts(seen)} ]);

# The rows that questions find, with or without indexes.
sub answers
{
	my ($server, $database, $with_index) = @_;
	my $settings = $with_index ? 'SET enable_seqscan = off' : 'SET enable_indexscan = off; SET enable_bitmapscan = off;'
		. ' SET enable_indexonlyscan = off';

	return join "\n", map {
		my $table = $_;
		map { $server->safe_psql($database, "$settings; SELECT count(*), md5(string_agg(id::text, ' ' ORDER BY id)) FROM $table WHERE $_") }
			@{ $questions{$table} }
	} sort keys %questions;
}

sub indexes_agree
{
	my ($server, $database, $where) = @_;
	my $by_scan = answers($server, $database, 0);

	is(answers($server, $database, 1), $by_scan, "$where: indexes and scans find the same rows");
	unlike($by_scan, qr/^0\|/m, "$where: ... and there are some for every question");
}

my $tables = q{
	CREATE TABLE state (
		id int PRIMARY KEY,
		clock vclock NOT NULL DEFAULT '{}',
		stamp lamport,
		at hlc,
		during hlcrange,
		born vclock DEFAULT tick(vclock '{}'),
		total numeric GENERATED ALWAYS AS (total(clock)) STORED,
		as_json jsonb GENERATED ALWAYS AS (clock::jsonb) STORED,
		merged vclock GENERATED ALWAYS AS (clock | '{"generated": 1}') STORED,
		history vclock[] CHECK (NOT history[1] >> history[2]));
	CREATE INDEX state_cause ON state USING gist (clock);
	CREATE INDEX state_order ON state (clock, at);
	CREATE INDEX state_hash ON state USING hash (clock);
	CREATE INDEX state_block ON state USING brin (at, stamp);
	CREATE INDEX state_stamp ON state (stamp);
	CREATE INDEX state_at ON state USING hash (at);
	CREATE INDEX state_during ON state USING gist (during);
	CREATE INDEX state_expression ON state ((clock -> 'a')) WHERE clock @> '{"a": 2}';
	CREATE TABLE replica (
		id int PRIMARY KEY,
		counter gcounter NOT NULL DEFAULT '{}',
		balance pncounter DEFAULT '{}',
		register lww_register,
		document lww_map DEFAULT '{}',
		conflict mv_register,
		elements orset DEFAULT '{}',
		lists or_map,
		enabled ew_flag,
		disabled dw_flag DEFAULT '{}',
		step lattice_state NOT NULL DEFAULT 'unknown',
		lease lease_state,
		seen obligation_lattice DEFAULT '{}',
		born orset DEFAULT orset '{}' + 'born',
		total numeric GENERATED ALWAYS AS (value(balance)) STORED,
		as_json jsonb GENERATED ALWAYS AS (elements::jsonb) STORED,
		plain jsonb GENERATED ALWAYS AS (document(document)) STORED,
		merged gcounter GENERATED ALWAYS AS (counter | '{"generated": 1}') STORED,
		doubtful boolean GENERATED ALWAYS AS (is_conflict(step) OR is_conflict(lease) OR has_conflicts(seen)) STORED,
		history orset[] CHECK (history[1] <@ history[2]));
	CREATE INDEX replica_elements ON replica USING gin (elements);
	CREATE INDEX replica_lists ON replica USING gin (lists);
	CREATE INDEX replica_document ON replica USING gin (document);
	CREATE INDEX replica_seen ON replica USING gin (seen);
	CREATE INDEX replica_sagas ON replica (seen) WHERE NOT has_conflicts(seen);
	CREATE INDEX replica_order ON replica (counter, elements);
	CREATE INDEX replica_hash ON replica USING hash (document);
	CREATE INDEX replica_value ON replica (value(balance));
	CREATE INDEX replica_step ON replica (step, lease);
	CREATE INDEX replica_lease ON replica USING hash (lease);
	CREATE INDEX replica_conflict ON replica (conflict, lists) WHERE is_conflicted(conflict);
	CREATE TABLE rule OF saga_constraint (PRIMARY KEY (name), CHECK (kind <> ''));
	CREATE TABLE large (id int PRIMARY KEY, clock vclock, elements orset);
	CREATE INDEX large_cause ON large USING gist (clock);
	ALTER TABLE large ALTER COLUMN clock SET STORAGE external;
	CREATE TABLE hashed (clock vclock DEFAULT '{}', at hlc, stamp lamport, elements orset, document lww_map)
		PARTITION BY HASH (clock, at, elements);
	CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 0);
	CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 1);
	CREATE TABLE hashed_2 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 2);
	CREATE VIEW known AS SELECT merge(clock) AS everything, meet(clock) AS everyone FROM state;
	CREATE VIEW converged AS SELECT merge(counter) AS counter, merge(balance) AS balance, merge(register) AS register,
		document(merge(document)) AS document, merge(conflict) AS conflict, cardinality(merge(elements)) AS elements,
		merge(lists) -> 'k1' AS list, value(merge(enabled)) AS enabled, value(merge(disabled)) AS disabled,
		merge(step) AS step, meet(lease) AS lease, state(merge(seen), 'ship') AS ship, cardinality(obligations(merge(seen))) AS obligations,
		orset_agg(value(register), 'v') AS registered FROM replica;
	CREATE VIEW found AS SELECT finding, constraint_name, c.merged, count(*) AS times, md5(string_agg(explanation, E'\n' ORDER BY id, c.obligation, node_a, node_b)) AS explained
		FROM replica, check_sagas(seen, ARRAY(SELECT r::saga_constraint FROM rule AS r)) AS c GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
	CREATE VIEW summary AS SELECT s.constraint_name, s.kind, s.state, count(*) AS times, md5(string_agg(s.missing::text, E'\n' ORDER BY id)) AS missing
		FROM replica, saga_summary(seen, (SELECT array_agg(r::saga_constraint) FROM rule AS r)) AS s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
};

# Rows FIRST to LAST.
sub fill
{
	my ($first, $last) = @_;
	$node->safe_psql('postgres', qq{
		INSERT INTO state (id, clock, stamp, at, during, history)
		SELECT i,
			CASE WHEN i % 97 = 0 THEN '{}' WHEN i % 89 = 0 THEN jsonb_build_object('ü"\\', i, 'wide', 4294967296 + i)::vclock
				ELSE jsonb_build_object('a', i, 'b', i % 37 + i / 10, 'c', i % 12)::vclock END,
			CASE WHEN i % 50 > 0 THEN i::bigint::lamport END,
			CASE WHEN i % 51 > 0 THEN format('%s.%s', 1000000000 + i, i % 3)::hlc END,
			hlcrange(format('%s.0', 1000000000 + i)::hlc, CASE WHEN i % 7 > 0 THEN format('%s.5', 1000000000 + i * 3)::hlc END),
			ARRAY[vclock('a', i), vclock('a', i) | vclock('b', 1), NULL]
		FROM generate_series($first, $last) i;
		INSERT INTO replica (id, counter, balance, register, document, conflict, elements, lists, enabled, disabled, step, lease, seen, history)
		SELECT i,
			CASE WHEN i % 97 = 0 THEN '{}' WHEN i % 89 = 0 THEN jsonb_build_object('ü"\\', i, 'wide', 4294967296 + i)::gcounter
				ELSE increment(increment(gcounter '{}', i, 'a'), i % 7, 'b') END,
			decrement(increment(pncounter '{}', i, 'a'), i % 13 * 100, 'b'),
			CASE WHEN i % 50 > 0 THEN lww_register('value ' || i % 20, format('%s.%s', 1000000000 + i, i % 3)::hlc, 'n' || i % 5) END,
			lww_map(jsonb_build_object('k' || i % 17, 'v' || i, 'ü"\\', i), format('%s.1', i)::hlc, 'a')
				| remove(lww_map '{}', 'k' || i % 19, format('%s.2', i)::hlc, 'b'),
			CASE WHEN i % 51 > 0 THEN set(mv_register '{}', 'x' || i % 5, 'a') | set('{}', 'x' || i % 7, 'b') END,
			remove((SELECT orset_agg('e' || n, 'n' || n % 3) FROM generate_series(i, i + 5) n) | add('{}', 'é' || i + 5, 'ü'), 'e' || i + 2)
				| '{"cloud": [["c", 7, 9]]}',
			put(put(or_map '{}', 'k' || i % 31, 'v' || i % 4, 'a'), 'ü', '', 'b') | put('{}', 'k' || i % 31, 'w', 'c'),
			CASE i % 3 WHEN 0 THEN '{}' WHEN 1 THEN enable(ew_flag '{}', 'a') WHEN 2 THEN disable(enable(ew_flag '{}', 'a'), 'a') END,
			CASE i % 4 WHEN 0 THEN '{}' WHEN 1 THEN disable(dw_flag '{}', 'a') WHEN 2 THEN enable(disable(dw_flag '{}', 'a'), 'a') END,
			(ARRAY['unknown', 'reserved', 'committed', 'aborted', 'conflict'])[1 + i % 5], CASE i % 7 WHEN 0 THEN 'active'
				WHEN 1 THEN 'released' WHEN 2 THEN 'expired' WHEN 3 THEN lease_state 'released' | 'expired' END,
			CASE WHEN i % 41 = 0 THEN '{}' ELSE (SELECT observe((ARRAY['reserve', 'charge', 'ship', 'ü"\\', 'o' || i])[1 + n % 5], 'n' || (i + n / 5) % 4,
				(ARRAY['unknown', 'reserved', 'committed', 'committed', 'committed', 'aborted', 'conflict'])[2 + i % 3 + (i / 3 + n) * n % (1 + i % 4)]::lattice_state)
				FROM generate_series(0, 9) n) END,
			ARRAY[add('{}', 'e' || i, 'a'), clear(add('{}', 'e' || i, 'a')), NULL]
		FROM generate_series($first, $last) i;
		INSERT INTO large
		SELECT i, (SELECT jsonb_object_agg('node ' || i % 5 || ' ' || md5(n::text), n * i)::vclock FROM generate_series(1, 1500) n),
			(SELECT orset_agg(md5(n::text || i), 'node ' || n % 5) FROM generate_series(1, 1500) n)
		FROM generate_series($first, $first + ($last - $first) / 50) i;
		INSERT INTO hashed SELECT clock, at, stamp, elements, document FROM state JOIN replica USING (id) WHERE id BETWEEN $first AND $last;
	});
}

$node->safe_psql('postgres', 'CREATE EXTENSION distributed');
$node->safe_psql('postgres', $tables);
fill(1, 1000);
$node->safe_psql('postgres', q{INSERT INTO rule VALUES ('order', 'all_or_nothing', '{reserve,charge,ship}'), ('paid', 'implies', '{ship,charge}'),
	('"ü"', 'mutual_exclusion', ARRAY['ship', 'ü"\\'])});
$node->safe_psql('postgres', q{
	INSERT INTO state (id, stamp, at, during) VALUES
		(-1, '0', '-9223372036854775808.0', 'empty'),
		(-2, '9223372036854775807', '9223372036854775807.4294967295', '(,)'),
		(-3, NULL, NULL, NULL);
	UPDATE state SET clock = vclock(repeat('n', 255), 9223372036854775807) WHERE id = -2;
	INSERT INTO replica (id) VALUES (-1), (-2), (-3);
	UPDATE replica SET document = NULL, elements = NULL, balance = NULL, disabled = NULL, seen = NULL WHERE id = -1;
	UPDATE replica SET counter = increment(gcounter '{"b": 9223372036854775807}', 9223372036854775807, repeat('n', 255)),
		balance = '{"a": [9223372036854775807, 0], "b": [9223372036854775807, 1]}',
		register = lww_register('', '-9223372036854775808.4294967295', repeat('n', 255)),
		document = put('{}', '', repeat('long ', 1000), '9223372036854775807.4294967295', 'n'),
		conflict = '{"values": [{"value": "", "dot": ["a", 9223372036854775807]}], "cloud": [["a", 9223372036854775806, 9223372036854775807]]}',
		elements = '{"elements": {"": [["a", 1], ["b", 9223372036854775807]]}, "context": {"a": 1, "b": 9223372036854775807}, "cloud": [["a", 3, 4], ["c", 2, 2]]}',
		enabled = '{"enabled": [["a", 2], ["b", 1]], "context": {"b": 5}, "cloud": [["a", 2, 2]]}',
		seen = observe(observe(obligation_lattice '{}', repeat('long ', 1000), repeat('n', 255), 'conflict'), ' ', '"é"', 'unknown')
		WHERE id = -2;
});
my $original = $node->safe_psql('postgres', $content);
is($node->safe_psql('postgres', q{SELECT min(node_count(clock)), bool_and(pg_column_size(clock) > 20000),
		min(cardinality(elements)), bool_and(pg_column_size(elements) > 20000) FROM large}),
	'1500|t|1500|t', 'the large clocks and sets are large, and toasted');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT tableoid) FROM hashed}), '3', 'rows in every hash partition');
indexes_agree($node, 'postgres', 'before');
foreach my $table (sort keys %questions)
{
	foreach my $question (@{ $questions{$table} })
	{
		like($node->safe_psql('postgres', "SET enable_seqscan = off; EXPLAIN (COSTS OFF) SELECT id FROM $table WHERE $question"),
			qr/(Index Scan using|Bitmap Index Scan on) ${table}_/, "an index answers: $question");
	}
}

#
# Dump and restore
#
foreach my $case (
	[ 'plain' ], [ 'plain', '--inserts', '--column-inserts' ], [ 'custom' ], [ 'directory', '--load-via-partition-root' ])
{
	my ($format, @options) = @$case;
	my $name = join ' ', $format, @options;
	my $file = "$dump/" . $name =~ s/\W/_/gr;
	my $database = 'restored_' . $name =~ s/\W/_/gr;

	$node->command_ok([ 'pg_dump', '-F', $format, @options, '-f', $file, $node->connstr('postgres') ], "pg_dump, $name");
	$node->safe_psql('postgres', qq{CREATE DATABASE "$database" TEMPLATE template0});
	if ($format eq 'plain')
	{
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', $file ], 'restore');
	}
	else
	{
		$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr($database), $file ], 'restore');
	}
	is($node->safe_psql($database, $content), $original, "$name: every value is restored as it was");
	is($node->safe_psql($database, "SELECT * FROM $_"), $node->safe_psql('postgres', "SELECT * FROM $_"), "$name: view $_, too")
		foreach qw(known converged found summary);
	indexes_agree($node, $database, $name);
	$node->safe_psql($database, 'INSERT INTO state (id) VALUES (0)');
	is($node->safe_psql($database, 'SELECT clock, born, total, as_json, merged FROM state WHERE id = 0'),
		'{}|{"origin": 1}|0|{}|{"generated": 1}', "$name: defaults and generated columns are restored");
	$node->safe_psql($database, 'INSERT INTO replica (id) VALUES (0)');
	is($node->safe_psql($database, 'SELECT counter, balance, elements, disabled, step, lease, seen, doubtful, born, total, as_json, plain, merged FROM replica WHERE id = 0'),
		'{}|{}|{}|{}|unknown||{}||{"elements": {"born": [["origin", 1]]}, "context": {"origin": 1}}|0|{}|{}|{"generated": 1}', "$name: ... for the replicated types");
}

# Not by the text of the script, but by what it makes: a second dump is the first one.
sub dumped
{
	my ($database) = @_;
	my ($out, $err);

	IPC::Run::run([ 'pg_dump', '--schema-only', $node->connstr($database) ], '>', \$out, '2>', \$err) or die $err;
	return $out =~ s/^\\(un)?restrict .*\n//mgr;
}
is(dumped('restored_plain'), dumped('postgres'), 'a dump of the restored database is the same');
like(dumped('restored_plain'), qr/^CREATE TABLE public\.rule OF public\.saga_constraint /m, '... a table of constraints is one of their type');

# COPY
my %columns = (
	state => 'clock, stamp, at, during, history',
	replica => 'counter, balance, register, document, conflict, elements, lists, enabled, disabled, step, lease, seen, history');
foreach my $table (sort keys %columns)
{
	foreach my $format ('text', 'csv', 'binary')
	{
		$node->safe_psql('postgres', qq{
			CREATE TABLE copied AS SELECT $columns{$table} FROM $table LIMIT 0;
			COPY (SELECT $columns{$table} FROM $table) TO '$dump/copied' (FORMAT $format);
			COPY copied FROM '$dump/copied' (FORMAT $format);
		});
		is( $node->safe_psql('postgres', qq{
				SELECT count(*), (SELECT count(*) FROM (SELECT $columns{$table} FROM $table
					EXCEPT ALL SELECT * FROM copied) s) FROM copied; DROP TABLE copied}),
			'1003|0', "COPY, $format: every value of $table comes back");
	}
}

#
# Logical replication: the types travel as values, in text and in binary
#
my @modes = ('off');
push @modes, 'on' if $version >= 140000;
my $subscriber = new_node('subscriber');
my $publisher = $node->connstr . ' dbname=postgres';

$node->safe_psql('postgres', 'CREATE PUBLICATION everything FOR TABLE state, replica, rule, large, hashed WITH (publish_via_partition_root = true);
	ALTER TABLE hashed REPLICA IDENTITY FULL; ALTER TABLE hashed_0 REPLICA IDENTITY FULL;
	ALTER TABLE hashed_1 REPLICA IDENTITY FULL; ALTER TABLE hashed_2 REPLICA IDENTITY FULL');
foreach my $mode (@modes)
{
	my $options = $version >= 140000 ? "WITH (binary = $mode)" : '';

	$subscriber->safe_psql('postgres', "CREATE DATABASE binary_$mode");
	$subscriber->safe_psql("binary_$mode", "CREATE EXTENSION distributed; $tables");
	$subscriber->safe_psql("binary_$mode", "CREATE SUBSCRIPTION binary_$mode CONNECTION '$publisher' PUBLICATION everything $options");
}

sub replicated
{
	my ($what) = @_;
	my $expected = $node->safe_psql('postgres', $content);

	foreach my $mode (@modes)
	{
		$subscriber->poll_query_until("binary_$mode",
			q{SELECT count(*) = 5 AND bool_and(srsubstate IN ('r', 's')) FROM pg_subscription_rel})
		  or die 'the subscription is not synchronized';
		$node->wait_for_catchup("binary_$mode");
		is($subscriber->safe_psql("binary_$mode", $content), $expected, "logical replication, binary = $mode: $what");
		is($subscriber->safe_psql("binary_$mode", 'TABLE found; TABLE summary'), $node->safe_psql('postgres', 'TABLE found; TABLE summary'), '... of sagas the same is found');
		indexes_agree($subscriber, "binary_$mode", "subscriber, binary = $mode, $what");
	}
}
replicated('the copy at the start');
fill(1001, 1500);
replicated('inserts');
$node->safe_psql('postgres', q{
	UPDATE state SET clock = clock | tick('{"a": 1}'::vclock), at = tick(at, '2033-05-18 03:33:20Z') WHERE id % 4 = 0;
	UPDATE state SET stamp = tick(stamp) WHERE stamp < '9223372036854775807';
	UPDATE large SET id = id + 100000 WHERE id % 3 = 0;	-- the toasted clock itself does not travel
	UPDATE large SET clock = tick(clock), elements = elements + 'new' WHERE id % 5 = 0;
	UPDATE replica SET counter = counter + 1, balance = balance - 3, elements = elements + 'new' - ('e' || id) WHERE id % 4 = 0;
	UPDATE replica SET register = set(register, 'z', '2033-05-18 03:33:20Z'), document = remove(document, 'k1', '2033-05-18 03:33:20Z'),
		conflict = set(conflict, 'y'), lists = put(lists, 'ü', 'new'), enabled = enable(enabled), disabled = enable(disabled) WHERE id % 3 = 0;
	UPDATE replica SET step = step | 'aborted', lease = lease | 'expired', seen = observe(seen, 'ship', 'late', 'aborted') WHERE id % 5 = 0;
	UPDATE rule SET kind = 'mutual_exclusion' WHERE name = 'paid';
	DELETE FROM replica WHERE id % 11 = 0 AND id > 0;
	DELETE FROM state WHERE id % 11 = 0 AND id > 0;
	UPDATE hashed SET stamp = tick(stamp) WHERE stamp < '500';
	UPDATE hashed SET clock = tick(clock) WHERE at < '1000000100.0';	-- to another partition
	UPDATE hashed SET elements = elements - 'e155', document = put(document, 'k', 'v', at) WHERE elements ? 'e155';
	DELETE FROM hashed WHERE at > '1000000400.0'});
replicated('updates and deletes');
$subscriber->safe_psql("binary_$_", "DROP SUBSCRIPTION binary_$_") for @modes;
$subscriber->stop;

#
# Streaming and crashes: what the indexes write to the log is enough to repeat it
#
$node->backup('base');
my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init_from_backup($node, 'base', has_streaming => 1);
$replica->start;
fill(2001, 4000);
$node->safe_psql('postgres', q{
	DELETE FROM state WHERE id % 3 = 0 AND id > 2000; VACUUM state;
	DELETE FROM replica WHERE id % 3 = 0 AND id > 2000; VACUUM replica;
	CREATE TABLE extra AS SELECT id, clock, elements FROM state JOIN replica USING (id);
	CREATE INDEX ON extra USING gist (clock); CREATE INDEX ON extra USING gin (elements);
	REINDEX INDEX state_cause; REINDEX INDEX replica_elements; REINDEX INDEX replica_seen; CHECKPOINT});
fill(5001, 6000);
$node->wait_for_catchup($replica, 'replay', $node->lsn('insert'));
my $streamed = $node->safe_psql('postgres', $content);
is($replica->safe_psql('postgres', $content), $streamed, 'a streaming replica has every value');
indexes_agree($replica, 'postgres', 'streaming replica');
is($replica->safe_psql('postgres', q{SELECT tick(merge(clock)) -> 'origin' FROM state}), '2', 'a replica computes, too');
is($replica->safe_psql('postgres', "SELECT * FROM $_->[0]"), $node->safe_psql('postgres', "SELECT * FROM $_->[0]"), "... $_->[1]")
	foreach ([ converged => 'merges of all types' ], [ found => 'what does not fit in sagas' ], [ summary => 'and how they stand' ]);
$replica->promote;
is($replica->safe_psql('postgres', q{INSERT INTO state (id) VALUES (7000) RETURNING clock, born}),
	'{}|{"origin": 1}', 'a promoted replica goes on');
$replica->stop;

# A crash right behind a checkpoint, with inserts, page splits and deletions to be repeated, and
# with a transaction under way that must not be seen.
$node->safe_psql('postgres', 'CHECKPOINT');
fill(8001, 12000);
$node->safe_psql('postgres', "DELETE FROM $_ WHERE id % 5 = 0 AND id > 8000; VACUUM $_") foreach qw(state replica);
$node->safe_psql('postgres', 'BEGIN; DELETE FROM state; INSERT INTO state (id, clock) VALUES (99999, \'{"lost": 1}\');
	DELETE FROM replica; INSERT INTO replica (id, elements) VALUES (99999, add(orset \'{}\', \'lost\'));
	ROLLBACK');
my $committed = $node->safe_psql('postgres', $content);
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', $content), $committed, 'after a crash everything committed is there, and nothing else');
indexes_agree($node, 'postgres', 'after a crash');
is($node->safe_psql('postgres', 'CREATE EXTENSION amcheck;
	SELECT bt_index_check(i::regclass, true) FROM unnest(ARRAY[\'state_order\', \'state_stamp\', \'replica_order\', \'replica_value\', \'replica_step\', \'replica_sagas\', \'replica_conflict\']) i') =~ s/\s//gr,
	'', 'the btrees are sound and complete') if -e ($ENV{PG_SHAREDIR} || `pg_config --sharedir` =~ s/\n//r) . '/extension/amcheck.control';

$node->stop;
done_testing();
