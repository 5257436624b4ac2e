# What a role gets that it must not have: the stories of those who tried.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use IPC::Run;
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
	[ merge_nodes => 'SELECT stable_removals()', 'node' ],
	[ merge_nodes_removed => 'SELECT acknowledge_removals()', 'node' ])
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

# Tables that only C code writes are not his.
for my $table (qw(merge_local_nodes merge_local_links merge_local_purged))
{
	like(as('dbo', $_), qr/ERROR:  (must be owner of table|permission denied for table) $table/, "refused: $_")
	  for "ALTER EXTENSION distributed DROP TABLE $table", "ALTER TABLE $table RENAME TO other", "DELETE FROM $table";
}

# A table of somebody else's that looks like a merged one concerns nobody.
$node->safe_psql('shop', 'CREATE SCHEMA mal AUTHORIZATION mallory');
is(as('mallory', q{
	CREATE TABLE mal.t (id integer PRIMARY KEY, _merge public.row_stamp);
	CREATE TRIGGER mine BEFORE INSERT ON mal.t FOR EACH ROW EXECUTE FUNCTION public.merge_row('lww', 'keep');
	CREATE TABLE mal.u (id integer PRIMARY KEY);
	CREATE TRIGGER "~merge_row" BEFORE INSERT ON mal.u FOR EACH ROW EXECUTE FUNCTION public.merge_row()}), '', 'mallory makes triggers by hand');
for my $role (qw(dbo mallory))
{
	is(as($role, 'SELECT count(*) FROM merge_status()'), '', "nobody is warned of it, as $role");
	is($node->safe_psql('shop', q{SELECT string_agg(table_name::text, ' ') FROM merge_status()}), 'orders', '... and it is not listed');
}

# A planted companion is not taken for ours, wherever it is.
is(as('mallory', q{
	CREATE TABLE mal.victim_removed (id integer PRIMARY KEY, body text, _merge public.row_stamp NOT NULL DEFAULT '{}');
	CREATE TRIGGER "~merge_removed" BEFORE INSERT OR UPDATE OR DELETE ON mal.victim_removed FOR EACH ROW EXECUTE FUNCTION public.merge_removed();
	CREATE FUNCTION mal.pwn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('INSERT INTO mal.ran VALUES (%L)', current_user); RETURN coalesce(NEW, OLD); END $$;
	CREATE TABLE mal.ran (by_role text);
	GRANT USAGE ON SCHEMA mal TO PUBLIC; GRANT INSERT ON mal.ran TO PUBLIC;
	CREATE TRIGGER pwn BEFORE INSERT OR DELETE ON mal.victim_removed FOR EACH ROW EXECUTE FUNCTION mal.pwn();
	ALTER TABLE mal.victim_removed ENABLE ALWAYS TRIGGER pwn}), '', 'mallory plants a companion');
is(as('dbo', q{CREATE TABLE victim (id integer PRIMARY KEY, body text); SELECT enable_merge('victim'); INSERT INTO victim VALUES (1, 'x'); DELETE FROM victim}), '', 'dbo merges a table of that name');
is($node->safe_psql('shop', 'SELECT count(*) FROM mal.victim_removed'), '0', 'nothing of it is in what mallory has planted');
like(as('mallory', q{CREATE CONSTRAINT TRIGGER mine AFTER INSERT ON mal.u FROM public.victim_removed FOR EACH ROW EXECUTE FUNCTION public.merge_after()}), qr/permission denied for table victim_removed/,
	'nor can a table of hers refer to a companion of others');

# Triggers of the owner of merge_nodes do not run in the name of who calls.
is(as('dbo', q{
	CREATE TABLE ran (by_role text); GRANT INSERT ON ran TO PUBLIC;
	CREATE FUNCTION pwn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('INSERT INTO ran VALUES (%L)', current_user); RETURN NEW; END $$;
	CREATE FUNCTION pwned(anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN EXECUTE format('INSERT INTO ran VALUES (%L)', current_user); RETURN true; END $$;
	CREATE CONSTRAINT TRIGGER pwn AFTER INSERT OR UPDATE ON merge_nodes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pwn();
	CREATE TRIGGER pwn_before BEFORE INSERT OR UPDATE ON merge_nodes FOR EACH ROW EXECUTE FUNCTION pwn();
	ALTER TABLE merge_nodes ENABLE ALWAYS TRIGGER pwn, ENABLE ALWAYS TRIGGER pwn_before, ADD CONSTRAINT pwned CHECK (pwned(seen)) NOT VALID}), '', 'dbo puts triggers and a constraint on merge_nodes');
is(as('root', q{SET distributed.node = 'a'; SELECT acknowledge_removals(); SELECT pg_sleep(0.1); SELECT acknowledge_removals(); SELECT purge_removed('orders'); SELECT forget_node('b')}) =~ s/\S*ERROR:  node "b" does not exist\n.*//sr =~ s/^psql:\S+ //r, '', 'root acknowledges and purges');
is(as('root', q{SET distributed.node = 'a'; SELECT create_merge_publication('merge', '{orders}')}), '', '... and publishes');
is($node->safe_psql('shop', 'SELECT string_agg(DISTINCT by_role, $$ $$) FROM ran'), '', '... and nothing of it runs');
for my $local (qw(merge_local_nodes merge_local_links merge_local_purged))
{
	like(as('dbo', "CREATE TRIGGER pwn BEFORE INSERT ON $local FOR EACH ROW EXECUTE FUNCTION pwn()"), qr/permission denied for table $local|must be owner/, "dbo cannot put one on $local");
	like(as('dbo', "UPDATE $local SET horizon = 1"), qr/ERROR/, '... nor write it');
}
is(as('dbo', 'DROP TRIGGER pwn ON merge_nodes; DROP TRIGGER pwn_before ON merge_nodes; ALTER TABLE merge_nodes DROP CONSTRAINT pwned'), '', 'they are dropped');
$node->safe_psql('shop', 'DROP PUBLICATION IF EXISTS merge');

# Nor is anything believed of what he makes of its columns, nor a null left where readers rely on none.
for (
	[ 'another type' => q{ALTER TABLE merge_nodes DROP COLUMN seen, ADD COLUMN seen jsonb NOT NULL DEFAULT '{}'}, qr/Column "seen" is missing, is null, or has another type/ ],
	[ 'no column' => 'ALTER TABLE merge_nodes RENAME COLUMN seen TO saw', qr/Column "seen" is missing/ ],
	[ 'nulls' => q{ALTER TABLE merge_nodes ALTER COLUMN seen DROP NOT NULL, DISABLE TRIGGER "~merge_row"; UPDATE merge_nodes SET seen = NULL}, qr/Column "seen" is missing, is null/ ],
	[ 'another key' => 'ALTER TABLE merge_nodes DROP CONSTRAINT merge_nodes_pkey, ADD PRIMARY KEY (seen)', qr/It has another primary key/ ],
	[ 'another identity' => q{ALTER TABLE merge_nodes REPLICA IDENTITY FULL}, qr/or another replica identity/ ],
	[ 'a generated column' => q{ALTER TABLE merge_nodes ADD COLUMN g boolean GENERATED ALWAYS AS (octet_length(node) > 3) STORED}, qr/or a generated column/ ],
	[ 'a column that is not null' => 'ALTER TABLE merge_nodes ADD COLUMN note text NOT NULL DEFAULT $$x$$', qr/null value in column "note"/ ])
{
	my ($what, $change, $error) = @$_;
	like(as('dbo', "BEGIN; $change; SET LOCAL distributed.node = 'other'; SELECT acknowledge_removals()"), $error, "refused: merge_nodes with $what");
}
is(as('dbo', q{ALTER TABLE orders_removed ADD COLUMN note text NOT NULL DEFAULT 'x'}), '', 'a companion gets a column that is not null');
like(as('dbo', q{SET distributed.node = 'a'; DELETE FROM orders}), qr/null value in column "note" of table "orders_removed"/, '... and no row with a null there, which would be read as something else');
is(as('dbo', q{ALTER TABLE orders_removed DROP COLUMN note}), '', 'it is dropped');

# A companion is altered while a session that knows its columns waits for it.
is(as('dbo', q{SET distributed.node = 'a'; CREATE TABLE waits (id integer PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}'); SELECT enable_merge('waits'); INSERT INTO waits SELECT generate_series(1, 9)}), '', 'a table');
my ($out, $err) = ('', '');
my $waits = "SET distributed.node = 'a'; DELETE FROM waits WHERE id < 5; DELETE FROM waits WHERE id = 5; SELECT 'knows'; SELECT pg_sleep(1.5); DELETE FROM waits WHERE id = 9;\n";
my $waiting = IPC::Run::start([ 'psql', '-XAtq', '-U', 'dbo', '-d', $node->connstr('shop') ], '<', \$waits, '>', \$out, '2>', \$err);
$waiting->pump until $out =~ /knows/;
is(as('dbo', 'BEGIN; ALTER TABLE waits_removed DROP COLUMN n, ADD COLUMN m bigint DEFAULT 7; SELECT pg_sleep(3); COMMIT'), '', 'it is altered');
$waiting->finish;
like($err, qr/ERROR:  (table "waits_removed" has been altered meanwhile|column "n" of merged table "waits" is not in its companion)/, '... and a session that has waited for it looks again');
is($node->safe_psql('shop', q{SELECT string_agg(id::text, ' ' ORDER BY id) FROM waits}), '6 7 8 9', '... and deletes nothing that would be forgotten');

# No function sets the role of rows that arrive while code of owners runs: what an owner's triggers and
# constraints do is done as in any session.
is(as('mallory', q{
	CREATE TABLE mal.mine (id integer PRIMARY KEY, n public.gcounter NOT NULL DEFAULT '{}', note text);
	CREATE FUNCTION mal.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO mal.ran VALUES (current_setting('session_replication_role')); RETURN NEW; END $$;
	CREATE FUNCTION mal.looks(integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO mal.ran VALUES (current_setting('session_replication_role')); RETURN true; END $$;
	CREATE TRIGGER look BEFORE INSERT OR UPDATE ON mal.mine FOR EACH ROW EXECUTE FUNCTION mal.look();
	ALTER TABLE mal.mine ENABLE ALWAYS TRIGGER look, ADD CHECK (mal.looks(id));
	INSERT INTO mal.mine VALUES (1)}), '', 'mallory has a table whose trigger and constraint look at the role');
is(as('root', q{SET distributed.node = 'a'; SET client_min_messages = error; DELETE FROM mal.ran; SELECT enable_merge('mal.mine'); SELECT resync('mal.mine'); UPDATE mal.mine SET n = n + 1; SELECT enable_merge('mal.mine')}), '', 'root merges, and sends it again');
is($node->safe_psql('shop', q{SELECT string_agg(DISTINCT by_role, ' ') FROM mal.ran}), 'origin', '... in no other role');

# An INSERT that takes up a removed row shows nothing of it.
is(as('dbo', q{
	CREATE TABLE tenants (id integer PRIMARY KEY, tenant text, secret lww_register NOT NULL DEFAULT '{}', n gcounter NOT NULL DEFAULT '{}');
	SELECT enable_merge('tenants');
	INSERT INTO tenants VALUES (1, 'alice', lww_register('TOPSECRET', '1.0', 'a'), '{"a": 42}');
	DELETE FROM tenants;
	ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON tenants USING (tenant = current_user);
	GRANT SELECT, INSERT ON tenants TO mallory}), '', 'a row of alice is removed');
unlike(($node->psql('shop', q{SET distributed.node = 'a'; INSERT INTO tenants (id, tenant) VALUES (1, 'mallory') RETURNING *}, extra_params => [ '-U', 'mallory' ]))[1], qr/TOPSECRET|"a": 42\b/, 'who inserts its key is told nothing of it');
like(as('mallory', 'SELECT * FROM tenants_removed'), qr/permission denied/, '... nor by the companion');

# A DELETE runs no trigger as the table's owner.
is(as('dbo', q{
	CREATE TABLE theirs (id integer PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}');
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ran VALUES (concat(tg_op, ' ', current_user)); RETURN coalesce(NEW, OLD); END $$;
	CREATE TRIGGER note BEFORE INSERT OR UPDATE OR DELETE ON theirs FOR EACH ROW EXECUTE FUNCTION note();
	SELECT enable_merge('theirs');
	INSERT INTO theirs VALUES (1); DELETE FROM ran;
	GRANT SELECT, DELETE ON theirs TO mallory}), '', 'a table with a trigger that notes who');
is(as('mallory', q{SET distributed.node = 'a'; DELETE FROM theirs}), '', 'mallory deletes a row');
is($node->safe_psql('shop', q{SELECT string_agg(by_role, ', ') FROM ran}), 'DELETE mallory', '... and that is what has happened, as mallory');

# Nobody writes the hidden column.
is(as('dbo', 'GRANT INSERT, UPDATE ON theirs TO mallory; GRANT ALL ON theirs_removed TO mallory'), '', 'mallory may write');
for (
	[ q{INSERT INTO theirs VALUES (2, '{}', '{"context": {"a": 9214364837600034815}, "live": {"a": 9214364837600034815}}')}, qr/cannot insert a value into column "_merge"/ ],
	[ q{INSERT INTO theirs VALUES (2, '{}', '{"arrives": true, "context": {"a": 5}, "live": {"a": 5}}')}, qr/has the mark of one that arrives/ ],
	[ q{INSERT INTO theirs (id) VALUES (3); UPDATE theirs SET _merge = '{}'}, qr/column "_merge" of merged table "theirs" cannot be updated/ ],
	[ q{COPY theirs FROM STDIN;
4	{}	{"context": {"a": 5}, "live": {"a": 5}}
\.}, qr/cannot insert a value into column "_merge"/ ],
	[ q{INSERT INTO theirs_removed VALUES (7)}, qr/are written by merging only/ ],
	[ q{UPDATE theirs_removed SET n = '{}'}, qr/are written by merging only/ ],
	[ q{DELETE FROM theirs_removed}, qr/are written by merging only/ ],
	[ q{SET session_replication_role = replica}, qr/permission denied/ ])
{
	my ($statement, $error) = @$_;
	like(as('mallory', "SET distributed.node = 'a'; $statement"), $error, "refused: $statement");
}
is($node->safe_psql('shop', q{SELECT count(*) FROM theirs_removed}), '1', 'what was removed is still known');

$node->stop;
done_testing();
