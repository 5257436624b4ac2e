# Merged tables: what is dumped and restored, and counts that all sessions share, also after a
# restart, a crash, and when their file is broken, full or not to be opened.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('main', q{distributed.node = 'berlin'});
my $file = $node->data_dir . '/distributed.merges';
my $counts = q{SELECT inserted, merged, unchanged, conflicts, own_dots FROM merge_status() WHERE table_name = 'items'::regclass};

$node->safe_psql('postgres', q{
	CREATE SCHEMA ext;
	CREATE EXTENSION distributed SCHEMA ext;
	CREATE ROLE reader;
	CREATE TABLE "My items" ("The id" text PRIMARY KEY, hits ext.gcounter NOT NULL DEFAULT '{}', note text);
	INSERT INTO "My items" VALUES ('old', '{"berlin": 3}', 'it''s');
	GRANT SELECT, DELETE ON "My items" TO reader;
	SELECT ext.enable_merge('"My items"', concurrent_update => 'remove');
	INSERT INTO "My items" VALUES ('gone', '{}', 'x'), ('new', '{}', 'y');
	DELETE FROM "My items" WHERE "The id" = 'gone'});

# A dump makes the same again, row by row, hidden columns and all.
my $all = q{SELECT * FROM "My items" ORDER BY 1};
my $status = q{SELECT table_name, plain_columns, concurrent_update, key_columns, lattice_columns, stamped_columns FROM ext.merge_status()
	WHERE table_name::text LIKE '%items%'};
my $made = q{
	SELECT c.relname, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2;
	SELECT relname, relacl, reloptions FROM pg_class WHERE relname LIKE 'My items%' AND relkind = 'r' ORDER BY 1;
	SELECT obj_description('"My items_removed"'::regclass), * FROM "My items_removed";
	SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '~merge_arrivals'};
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'a merged table is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], '... and restored');
foreach my $query ($all, $status, $made)
{
	is($node->safe_psql('restored', $query), $node->safe_psql('postgres', $query), '... the same as before');
}
is($node->safe_psql('restored', q{SELECT problems FROM ext.merge_status()}), '{"the companion may be dropped alone, as after a restore"}', '... but for what a dump does not keep');
$node->safe_psql('restored', q{SELECT ext.enable_merge('"My items"', concurrent_update => 'remove')});
is($node->safe_psql('restored', q{SELECT problems FROM ext.merge_status()}), '{}', '... which enable_merge mends');
is($node->safe_psql('restored', $made), $node->safe_psql('postgres', $made), '... and changes nothing else');
is($node->safe_psql('restored', q{DELETE FROM "My items" RETURNING "The id"}), "old\nnew", 'rows are deleted there');
is($node->safe_psql('restored', q{SELECT string_agg("The id", ' ' ORDER BY "The id") FROM "My items_removed"}), 'gone new old', '... and known to be');
# rows that are restored alone are what they were
my $rows_only = $node->basedir . '/rows.sql';
$node->safe_psql('postgres', 'CREATE DATABASE refilled');
$node->command_ok([ 'pg_dump', '-s', '-d', $node->connstr('postgres'), '-f', $dump ], 'the definition is dumped');
$node->command_ok([ 'pg_dump', '-a', '--column-inserts', '-d', $node->connstr('postgres'), '-f', $rows_only ], '... and the rows');
$node->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('refilled'), '-f', $_ ], "... and restored: $_") for $dump, $rows_only;
is($node->safe_psql('refilled', $all), $node->safe_psql('postgres', $all), '... the same as before');
# the table and the extension may have moved by now
$node->safe_psql('restored', q{
	ALTER TABLE "My items" RENAME TO goods;
	ALTER EXTENSION distributed SET SCHEMA public;
	INSERT INTO goods VALUES ('a', '{}', 'b'); DELETE FROM goods WHERE note = 'b';
	SELECT enable_merge('goods', concurrent_update => 'remove')});
is($node->safe_psql('restored', q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname ~ 'goods|items'}),
	'My items_removed goods', 'the companion is known by whatever name it has');
$node->safe_psql('restored', 'SELECT disable_merge($$goods$$)');
is($node->safe_psql('restored', q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname ~ 'goods|items'}),
	'goods', '... and goes with merging');

# Several sessions at once count every row.
my $sessions = 4;
my $rows = 2000;
$node->safe_psql('postgres', q{
	ALTER DATABASE postgres SET search_path = public, ext;
	SET search_path = public, ext;
	CREATE TABLE items (id text PRIMARY KEY, hits gcounter NOT NULL DEFAULT '{}');
	SELECT enable_merge('items', 'none')});
my $arrive = sub { my ($id, $hits, $from, $to) = @_;
	return "SET session_replication_role = replica; INSERT INTO items (id, hits, _merge) SELECT $id, $hits, '{\"arrives\": true, \"context\": {\"x\": 7}, \"live\": {\"x\": 7}}' FROM generate_series($from, $to) i" };
my @running = map { { sql => $arrive->("'session $_ row ' || i % 1000", q{'{"x": 1}'}, 1, $rows) } } 1 .. $sessions;
foreach (@running)
{
	$_->{out} = '';
	$_->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $_->{sql} ], '<', '/dev/null', '>&', \$_->{out});
}
is(scalar(grep { $_->{run}->finish } @running), $sessions, "$sessions sessions");
my $expected = join '|', $sessions * 1000, 0, $sessions * ($rows - 1000), 0, 0;
is($node->safe_psql('postgres', $counts), $expected, '... count every row');
is($node->safe_psql('restored', 'SELECT count(*) FROM merge_status() WHERE inserted > 0'), '0', '... of their database');
$node->restart;
is($node->safe_psql('postgres', $counts), $expected, 'counts outlive a restart');
crash_and_restart($node);
is($node->safe_psql('postgres', $counts), $expected, '... and a crash');
$node->psql('postgres', 'BEGIN; ' . $arrive->(q{'session 1 row 0'}, q{'{"x": 1}'}, 1, 1) . '; ROLLBACK');
$expected = join '|', $sessions * 1000, 0, $sessions * ($rows - 1000) + 1, 0, 0;
is($node->safe_psql('postgres', $counts), $expected, 'what is rolled back has arrived');

# Files that are no good are replaced; one that cannot be used is no reason not to replicate.
sub spoil
{
	my ($name, $change, $expected) = @_;

	$node->stop;
	$change->();
	$node->start;
	my ($status, $out, $err) = $node->psql('postgres', $arrive->(q{'session 1 row 0'}, q{'{"x": 1}'}, 1, 3));
	is($status, 0, "$name: rows arrive");
	is($node->safe_psql('postgres', $counts), $expected, '... and are counted from there');
	return $err;
}

sub overwrite
{
	my ($offset, $bytes) = @_;

	open my $handle, '+<:raw', $file or die "$file: $!";
	seek $handle, $offset, 0;
	print $handle $bytes;
	close $handle or die "$file: $!";
	return;
}

spoil('no file', sub { unlink $file or die "$file: $!" }, '0|0|3|0|0');
spoil('a file that is as it was', sub { }, '0|0|6|0|0');
spoil('an empty file', sub { truncate $file, 0 or die "$file: $!" }, '0|0|3|0|0');
spoil('a file cut short', sub { truncate $file, 100 or die "$file: $!" }, '0|0|3|0|0');
spoil('a file that is too long', sub { open my $handle, '>>', $file or die; print $handle 'x'; close $handle or die }, '0|0|3|0|0');
spoil('a file of something else', sub { overwrite(0, 'SQLite format 3') }, '0|0|3|0|0');
spoil('a full file', sub { overwrite(64, pack('Q8', 1 << 40, (0) x 7) x 4096) }, '0|0|0|0|0');
spoil('no file any more', sub { unlink $file or die "$file: $!" }, '0|0|3|0|0');
my $err = spoil('a file that cannot be opened', sub { unlink $file or die "$file: $!"; mkdir $file or die "$file: $!" }, '0|0|0|0|0');
is(() = $err =~ /WARNING:  could not open file "distributed\.merges"/g, 1, '... with one warning in a session');
spoil('one that can', sub { rmdir $file or die "$file: $!" }, '0|0|3|0|0');

# A standby shows what was copied, and its own.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', $counts), '0|0|3|0|0', 'a standby tells the counts of the copy');
$standby->stop;
$node->stop;
done_testing();
