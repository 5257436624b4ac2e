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
		CREATE TABLE many AS SELECT vclock('n' || i % 7, i) AS clock FROM generate_series(1, 2000) i;
		ALTER TABLE many SET (parallel_workers = 2);
		SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
		SET parallel_leader_participation = off;
		SET distributed.node = 'leader';
		SELECT count(*), count(*) FILTER (WHERE tick(clock) -> 'leader' = 1) FROM many;
		CREATE TABLE plan (line json);
		DO $$ DECLARE plan json; BEGIN
			EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM many WHERE tick(clock) -> ''leader'' = 1'
				INTO plan;
			INSERT INTO plan VALUES (plan);
		END $$;
		SELECT line::text ~ '"Workers Launched": 2', line::text ~ '"Actual Loops": 2' FROM plan}),
	"2000|2000\nt|t", 'parallel workers count for the same node as their leader');

$node->stop;
done_testing();
