# What a role gets that it must not have: the stories of those who tried.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('a');

$node->safe_psql('postgres', 'CREATE ROLE dbo LOGIN; CREATE ROLE mallory LOGIN; CREATE ROLE root SUPERUSER LOGIN; CREATE DATABASE shop OWNER dbo');
$node->safe_psql('shop', 'ALTER SCHEMA public OWNER TO dbo');

# as(ROLE, SQL): what it says besides answers, as an error or a warning.
sub as
{
	my ($role, $sql) = @_;
	my ($status, $out, $err) = $node->psql('shop', $sql, extra_params => [ '-U', $role ]);

	return $err;
}

is(as('dbo', q{
	CREATE EXTENSION distributed;
	SELECT '{}'::vclock;
	ALTER DATABASE shop SET distributed.node = 'a';
	SET distributed.node = 'a';
	CREATE TABLE orders (id integer PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}');
	SELECT enable_merge('orders');
	INSERT INTO orders VALUES (1, '{"a": 1}');
	SELECT acknowledge_removals()}), '', 'the owner of a database uses the extension');

# The owner of the database owns the extension, and takes a table out of it: what he puts in its place
# is scanned by C code, in the sessions of others, too.
for (
	[ merge_local_purged => q{BEGIN; INSERT INTO orders VALUES (2, '{"a": 1}'); ROLLBACK}, 'table_oid' ],
	[ merge_nodes => 'SELECT stable_removals()', 'node' ],
	[ merge_local_nodes => 'SELECT acknowledge_removals()', 'node' ])
{
	my ($table, $statement, $key) = @$_;

	is(as('dbo', "ALTER EXTENSION distributed DROP TABLE $table; ALTER TABLE $table RENAME TO was_$table"), '', "$table is taken out");
	for (
		[ 'a view' => "CREATE VIEW $table AS SELECT * FROM was_$table", "DROP VIEW $table" ],
		[ 'a view of the extension' => "CREATE VIEW $table AS SELECT * FROM was_$table; ALTER EXTENSION distributed ADD VIEW $table", "ALTER EXTENSION distributed DROP VIEW $table; DROP VIEW $table" ],
		[ 'a partitioned table of the extension' => "CREATE TABLE $table (LIKE was_$table) PARTITION BY LIST ($key); ALTER EXTENSION distributed ADD TABLE $table",
			"ALTER EXTENSION distributed DROP TABLE $table; DROP TABLE $table" ],
		[ 'another table' => "CREATE TABLE $table (LIKE was_$table)", "DROP TABLE $table" ],
		[ 'nothing' => 'SELECT 1', 'SELECT 1' ])
	{
		my ($what, $make, $drop) = @$_;

		is(as('dbo', $make), '', "$what in the place of $table can be made");
		for my $role (qw(dbo root))
		{
			like(as($role, $statement),
				qr/ERROR:  table "$table" of the extension is missing\n.*HINT:  If it was taken out: ALTER EXTENSION distributed ADD TABLE public\.$table\.\n?$/s,
				"$what in the place of $table is not taken for it, by $role");
		}
		is(as('dbo', $drop), '', "$what can be dropped again");
	}
	is(as('dbo', "ALTER TABLE was_$table RENAME TO $table; ALTER EXTENSION distributed ADD TABLE public.$table; $statement"), '', "$table is back by the command in the hint, and all is well");
}

# A table of somebody else's that looks like a merged one concerns nobody.
$node->safe_psql('shop', 'CREATE SCHEMA mal AUTHORIZATION mallory');
is(as('mallory', q{
	CREATE TABLE mal.t (id integer PRIMARY KEY, _merge_presence public.ew_flag);
	CREATE TRIGGER mine BEFORE INSERT ON mal.t FOR EACH ROW EXECUTE FUNCTION public.merge_row('lww', 'keep')}), '', 'mallory makes a trigger by hand');
is(as('dbo', 'SELECT count(*) FROM merge_status()'), '', 'nobody is warned of it');
like(as('mallory', 'SELECT count(*) FROM merge_status()'), qr/WARNING:  rows that arrive at table "t" are not merged/, 'but she is');

$node->stop;
done_testing();
