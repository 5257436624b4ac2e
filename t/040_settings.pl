# The setting distributed.node: who may set it, where, and what an unset or wrong one does.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('main');
my $version = $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')});
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
my ($database, $user) = ('postgres', $superuser);

# What a new session of $user in $database answers: rows, or errors such as "ERROR:  55000".
sub answer
{
	my ($sql, $verbosity) = @_;
	my ($status, $out, $err) = $node->psql(
		$database, $sql,
		extra_params => [ '-U', $user, '-v', 'VERBOSITY=' . ($verbosity || 'sqlstate') ],
		on_error_stop => 0);

	return join "\n", grep { $_ ne '' } map { s/^psql:<stdin>:\d+: //mgr } $out, $err;
}

$node->safe_psql('postgres', q{
	CREATE ROLE owner LOGIN;
	CREATE ROLE other LOGIN;
	CREATE DATABASE app OWNER owner;
});
($database, $user) = ('app', 'owner');
is(answer('CREATE EXTENSION distributed'), '', 'the owner of a database installs the extension');

# Unset
is(answer('SELECT local_node()'), 'ERROR:  55000', 'without a name local_node() is an error');
like(
	answer('SELECT local_node()', 'default'),
	qr/the local node has no name.*DETAIL: .*"distributed\.node".*HINT: .*SET distributed\.node/s,
	'... that names the setting and says how to set it');
is(answer(q{SELECT tick(vclock '{}')}),
	'ERROR:  55000', '... and so is a function that is given no node');
is(answer(q{SELECT tick(vclock '{}', 'x')}), '{"x": 1}', '... but not one that is given a node');
is(answer(q{SET distributed.node = ''; SELECT local_node()}),
	'ERROR:  55000', 'an empty name is none');
is(answer('SELECT local_node() FROM (SELECT 1 WHERE false) none'),
	'', 'no error where no name is needed');

# In a session
is(answer(q{SET distributed.node = 's'; SELECT local_node(), tick(vclock '{"s": 4, "t": 1}')}),
	's|{"s": 5, "t": 1}', 'a session names itself; tick() counts for it');
is( answer(q{SET distributed.node = 's';
		SELECT receive(vclock '{"s": 4}', vclock '{"t": 9}'), get(tick(vclock '{}'), 's')}),
	'{"s": 5, "t": 9}|1', 'receive() counts for it, too');
is( answer(q{SELECT vclock '{}'; SET distributed.node = 'late'; SELECT local_node()}),
	"{}\nlate", 'the name can be set after the library is loaded');
is( answer(q{
		SET distributed.node = 'outer';
		BEGIN; SET LOCAL distributed.node = 'inner'; SELECT local_node(); ROLLBACK;
		SELECT local_node();
		CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql SET distributed.node = 'function'
			AS 'SELECT local_node()';
		SELECT pg_temp.f(), local_node();
		RESET distributed.node; SELECT local_node()}),
	"inner\nouter\nfunction|outer\nERROR:  55000",
	'SET LOCAL, SET of a function, and RESET end where they should');
is( answer(q{
		CREATE TABLE event (id int, clock vclock DEFAULT tick(vclock '{}'));
		SET distributed.node = 'first'; INSERT INTO event VALUES (1);
		SET distributed.node = 'second'; INSERT INTO event VALUES (2);
		PREPARE p AS SELECT tick(clock) FROM event WHERE id = 1; EXECUTE p;
		SET distributed.node = 'third'; EXECUTE p;
		SELECT clock FROM event ORDER BY id}),
	join("\n", '{"first": 1, "second": 1}', '{"first": 1, "third": 1}', '{"first": 1}', '{"second": 1}'),
	'column defaults and prepared statements use the name of the moment');

# The replicated types: what a change at node "s" makes of a value.  Functions take a node
# instead, operators do not.
my $at = '"at": "1970-01-01T00:00:00.000000017Z/0", "node": "s"';
my %changes = (
	q{increment(gcounter '{}' NODE)} => '{"s": 1}',
	q{increment(gcounter '{}', 7 NODE)} => '{"s": 7}',
	q{gcounter '{}' + 7} => '{"s": 7}',
	q{increment(pncounter '{}' NODE)} => '{"s": [1, 0]}',
	q{decrement(pncounter '{}', 7 NODE)} => '{"s": [0, 7]}',
	q{reset(pncounter '{"s": [5, 2]}' NODE)} => '{"s": [5, 5]}',
	q{pncounter '{}' + 7} => '{"s": [7, 0]}',
	q{pncounter '{}' - 7} => '{"s": [0, 7]}',
	q{lww_register('v', '17.0' NODE)} => qq({"value": "v", $at}),
	q{set(lww_register '{}', 'v', '17.0' NODE)} => qq({"value": "v", $at}),
	q{lww_map(jsonb '{"k": "v"}', '17.0' NODE)} => qq({"k": {"value": "v", $at}}),
	q{put(lww_map '{}', 'k', 'v', '17.0' NODE)} => qq({"k": {"value": "v", $at}}),
	q{remove(lww_map '{}', 'k', '17.0' NODE)} => qq({"k": {"value": null, $at}}),
	q{set(mv_register '{}', 'v' NODE)} => '{"values": [{"value": "v", "dot": ["s", 1]}], "context": {"s": 1}}',
	q{add(orset '{}', 'x' NODE)} => '{"elements": {"x": [["s", 1]]}, "context": {"s": 1}}',
	q{orset '{}' + 'x'} => '{"elements": {"x": [["s", 1]]}, "context": {"s": 1}}',
	q{put(or_map '{}', 'k', 'v' NODE)} => '{"entries": {"k": [{"value": "v", "dot": ["s", 1]}]}, "context": {"s": 1}}',
	q{enable(ew_flag '{}' NODE)} => '{"enabled": [["s", 1]], "context": {"s": 1}}',
	q{disable(dw_flag '{}' NODE)} => '{"disabled": [["s", 1]], "context": {"s": 1}}');
for my $change (sort keys %changes)
{
	my $local = $change =~ s/ NODE//r;
	my $given = $change =~ s/ NODE/, node => 's'/r;

	is(answer("SELECT $local"), 'ERROR:  55000', "$local without a name is an error");
	is(answer("SELECT $local FROM (SELECT 1 WHERE false) none"), '', '... only where it is called');
	is(answer("SET distributed.node = 's'; SELECT $local"), $changes{$change}, '... and counts for the name');
	is(answer("SELECT $given"), $changes{$change}, '... as it does for a node that is given') if $given ne $change;
}
is( $node->safe_psql('app', q{
		SELECT count(*) FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
		WHERE pg_get_function_arguments(p.oid) LIKE '%DEFAULT local_node()%'
			AND proname NOT IN ('tick', 'receive', 'log_event') AND p.oid::regprocedure::text
				NOT IN ('disable(ew_flag,text)', 'enable(dw_flag,text)')}),
	scalar(grep { / NODE/ } keys %changes) - 1, '... and these are all such functions, increment twice');
is( answer(q{SELECT orset '{"elements": {"x": [["a", 1]]}, "context": {"a": 1}}' - 'x',
		value(gcounter '{"a": 1}'), gcounter '{"a": 1}' | '{"b": 2}'}),
	'{"elements": {}, "context": {"a": 1}}|1|{"a": 1, "b": 2}', 'what is no change by a node needs no name');

# An operator that counts for the local node is planned as what it is: not the same for ever.
is( answer(q{CREATE TABLE tally (id int, c gcounter DEFAULT gcounter '{}' + 1, s orset DEFAULT orset '{}' + 'x');
		SET distributed.node = 'first'; INSERT INTO tally VALUES (1);
		SET plan_cache_mode = force_generic_plan;
		PREPARE p AS UPDATE tally SET c = c + 2, s = s + 'y' WHERE id = 1 RETURNING c, elements(s);
		PREPARE q AS SELECT gcounter '{}' + 1, increment(gcounter '{}');
		EXECUTE p; EXECUTE q;
		SET distributed.node = 'second'; EXECUTE p; EXECUTE q; INSERT INTO tally VALUES (2);
		SELECT id, c, s FROM tally ORDER BY id}),
	join("\n", '{"first": 3}|{x,y}', '{"first": 1}|{"first": 1}', '{"first": 3, "second": 2}|{x,y}',
		'{"second": 1}|{"second": 1}',
		'1|{"first": 3, "second": 2}|{"elements": {"x": [["first", 1]], "y": [["second", 1]]}, "context": {"first": 2, "second": 1}}',
		'2|{"second": 1}|{"elements": {"x": [["second", 1]]}, "context": {"second": 1}}'),
	'operators in defaults and prepared statements use the name of the moment');
is( answer(q{CREATE INDEX ON tally ((c + 1)); CREATE INDEX ON tally (increment(c));
		CREATE INDEX ON tally ((s + 'x')); CREATE INDEX ON tally (add(s, 'x'));
		ALTER TABLE tally ADD counted gcounter GENERATED ALWAYS AS (c + 1) STORED}),
	join("\n", ('ERROR:  42P17') x 5), '... so they can be neither indexed nor generated');
is( answer(q{CREATE INDEX ON tally (value(c)); CREATE INDEX ON tally (increment(c, 1, 'n')); CREATE INDEX ON tally ((s - 'x'));
		ALTER TABLE tally ADD counted gcounter GENERATED ALWAYS AS (increment(c, 1, 'n')) STORED;
		SELECT id, counted FROM tally ORDER BY id}),
	qq(1|{"first": 3, "n": 1, "second": 2}\n2|{"n": 1, "second": 1}), '... but with a node given they can');
is( answer(q{SET distributed.node = 's'; EXPLAIN (COSTS OFF, VERBOSE)
		SELECT gcounter '{}' + 1, increment(gcounter '{}'), increment(gcounter '{}', 1, 'n')}) =~ s/\s+/ /gr,
	q{Result Output: ('{}'::gcounter + '1'::bigint), increment('{}'::gcounter, '1'::bigint, local_node()), '{"n": 1}'::gcounter},
	'... and are folded to a constant');
is(answer('DROP TABLE tally'), '', 'done with it');

# By role and database, without superuser
is(answer(q{ALTER ROLE owner SET distributed.node = 'role'}),
	'ERROR:  42501', 'before the library is loaded the server cannot know that users may set it');
is( answer(q{SELECT vclock '{}'; ALTER DATABASE app SET distributed.node = 'database'}),
	'{}', 'once it is loaded the owner of a database gives it a name');
is(answer('SELECT local_node()'), 'database', 'new sessions have the name of their database');
$user = 'other';
is(answer('SELECT local_node()'), 'database', '... sessions of others, too');
is(answer(q{SELECT vclock '{}'; ALTER DATABASE app SET distributed.node = 'mine'}),
	"{}\nERROR:  42501", 'others cannot name the database');
is(answer(q{SELECT vclock '{}'; ALTER ROLE other SET distributed.node = 'role'}),
	'{}', 'a role names itself');
is(answer(q{SELECT local_node(), tick(vclock '{}')}),
	'role|{"role": 1}', 'new sessions of the role have its name, rather than that of the database');
is(answer(q{SET distributed.node = 'session'; SELECT local_node()}),
	'session', '... unless they set another');
is(answer(q{SELECT vclock '{}'; ALTER ROLE other IN DATABASE app SET distributed.node = 'both'}),
	'{}', 'a role names itself in one database');
is(answer('SELECT local_node()'), 'both', '... which goes before both');
$user = 'owner';
is(answer('SELECT local_node()'), 'database', 'the name of one role is not that of another');
is(answer(q{SELECT vclock '{}'; ALTER DATABASE app RESET distributed.node}), '{}', 'and away');
is(answer('SELECT local_node()'), 'ERROR:  55000', '... the name is gone');

SKIP:
{
	skip 'privileges on settings are known since 15', 2 if $version < 150000;

	$node->safe_psql('app', 'GRANT SET ON PARAMETER distributed.node TO owner');
	is(answer(q{ALTER ROLE owner SET distributed.node = 'granted'}),
		'', 'with GRANT SET ON PARAMETER it takes no loading');
	is(answer('SELECT local_node(); ALTER ROLE owner RESET distributed.node'),
		'granted', '... and works');
}

# By superuser and configuration
($database, $user) = ('app', $superuser);
is(answer(q{ALTER ROLE owner IN DATABASE app SET distributed.node = 'both'}),
	'', 'a superuser needs to load nothing');
$user = 'owner';
is(answer('SELECT local_node()'), 'both', '... for a role in a database');
$node->safe_psql('app', 'ALTER ROLE owner IN DATABASE app RESET distributed.node');
$node->append_conf('postgresql.conf', "distributed.node = 'configured'");
$node->reload;
is(answer('SELECT local_node()'), 'configured', "a name in postgresql.conf is the server's");
$node->append_conf('postgresql.conf', "distributed.node = ''");
$node->reload;
is(answer('SELECT local_node()'), 'ERROR:  55000', '... until it is taken away');

# Names that are none
is( answer(q{SELECT vclock '{}'; SELECT set_config('distributed.node', repeat('n', 255), false) = local_node();
		SELECT set_config('distributed.node', repeat('n', 256), false); SELECT length(local_node())}),
	"{}\nt\n255\nERROR:  22023", '255 bytes are a name, 256 are refused and the name stays');
is( answer(q{SELECT vclock '{}';
		SELECT set_config('distributed.node', repeat('ä', 127) || 'a', false) = local_node();
		SELECT set_config('distributed.node', repeat('ä', 128), false); SELECT length(local_node())}),
	"{}\nt\n128\nERROR:  22023", '... bytes, not characters');
like(
	answer(q{SELECT vclock '{}'; SELECT set_config('distributed.node', repeat('n', 256), false)},
		'default'),
	qr/invalid value for parameter "distributed\.node".*DETAIL:  A node name has at most 255 bytes/s,
	'... with an error that says so');
is( answer(q{SELECT set_config('distributed.node', repeat('n', 256), false) IS NULL;
		SELECT local_node()}),
	"f\nWARNING:  22023\nERROR:  55000",
	'a long name set before the library is loaded is dropped with a warning, not cut');
is( answer(q{SELECT vclock '{}'; SET distributed.node = 'quote"back\slash'; SELECT tick(vclock '{}');
		SELECT tick(vclock '{}') = tick(vclock '{}')::text::vclock}),
	qq({}\n{"quote\\"back\\\\slash": 1}\nt), 'a name of strange characters is a name');

# A setting is bytes, whose encoding is that of the database where it was set.
$node->safe_psql('postgres', q{
	CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
	CREATE ROLE traveller LOGIN;
	});
$node->safe_psql('latin', q{
	SELECT format('ALTER ROLE traveller SET distributed.node = %L', 'n' || chr(233)) \gexec
	});
($database, $user) = ('latin', $superuser);
is(answer('CREATE EXTENSION distributed'), '', 'the extension in a database of another encoding');
$user = 'traveller';
is(answer(q{SELECT length(local_node()), octet_length(local_node())}),
	'2|2', 'a name that is valid where it was set');
$database = 'app';
is(answer(q{SELECT octet_length(nodes(tick(vclock '{}'))::text)}),
	'ERROR:  22021', '... is an error, not a broken clock, where it is not valid');
is( answer(q{SELECT gcounter '{}' + 1; SELECT orset '{}' + 'x'; SELECT lww_register('v', '17.0');
		SELECT length(node(lww_register('v', '17.0', 'n')))}),
	join("\n", '1', ('ERROR:  22021') x 3), '... nor a broken counter, set or register');

# Misspelt settings
($database, $user) = ('app', 'owner');
if ($version >= 150000)
{
	is(answer(q{SELECT vclock '{}'; SET distributed.nodes = 'x'}),
		"{}\nERROR:  42602", 'a misspelt setting is an error');
	is( answer(q{SET distributed.nodes = 'x'; SELECT vclock '{}'; SHOW distributed.nodes}),
		"{}\nWARNING:  42602\nERROR:  42704", '... a warning, and removed, if it comes too early');
}
else
{
	is(answer(q{SET distributed.nodes = 'x'; SELECT vclock '{}'}),
		"{}\nWARNING:  42704", 'a misspelt setting is a warning when the library is loaded');
}

# Parallel workers
is( answer(q{
		CREATE TABLE many AS SELECT vclock('n' || i % 7, i) AS clock, increment(gcounter '{}', i, 'n') AS c,
			add(orset '{}', 'e' || i, 'n') AS s FROM generate_series(1, 2000) i;
		ALTER TABLE many SET (parallel_workers = 2);
		SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
		SET parallel_leader_participation = off;
		SET distributed.node = 'leader';
		SELECT count(*), count(*) FILTER (WHERE tick(clock) -> 'leader' = 1),
			count(*) FILTER (WHERE get(c + 5, 'leader') = 5),
			count(*) FILTER (WHERE context(s + 'x') = '{"leader": 1, "n": 1}') FROM many;
		CREATE TABLE plan (line json);
		DO $$ DECLARE plan json; BEGIN
			EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM many WHERE tick(clock) -> ''leader'' = 1'
				INTO plan;
			INSERT INTO plan VALUES (plan);
		END $$;
		SELECT line::text ~ '"Workers Launched": 2', line::text ~ '"Actual Loops": 2' FROM plan}),
	"2000|2000|2000|2000\nt|t", 'parallel workers count for the same node as their leader');

$node->stop;
done_testing();
