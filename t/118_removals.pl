# Two servers, and rows that come and go: each story is of a write that was lost, or a row that differed.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;
use Time::HiRes qw(sleep time);

my %server = map { $_ => new_node($_, 'autovacuum = off', 'wal_retrieve_retry_interval = 200ms', "distributed.node = '$_'") } qw(a b);
my $version = $server{a}->safe_psql('postgres', q{SELECT current_setting('server_version_num')});
my $any = $version >= 160_000 ? ', origin = any' : '';

sub query { my ($name, $sql) = @_; return $server{$name}->safe_psql('postgres', $sql) }

# caught_up(): what each has written until now, the other has, and what comes of it, too.
sub caught_up
{
	for (1 .. 2)
	{
		$server{$_}->wait_for_catchup("from_$_") for qw(a b);
	}
	return;
}

# both(NAME, SQL, ANSWER): the same answer on both servers.
sub both
{
	my ($name, $sql, $answer) = @_;
	caught_up();
	is(query($_, $sql), $answer, "$name, on $_") for qw(a b);
	is(query('a', q{SELECT digest FROM compare_replicas('items')}), query('b', q{SELECT digest FROM compare_replicas('items')}), '... and all is the same');
	return;
}

sub links { my ($on) = @_; query($_, join '', map { "ALTER SUBSCRIPTION from_$_ $on;" } $_ eq 'a' ? 'b' : 'a') for qw(a b); return }

for my $name (qw(a b))
{
	query($name, q{CREATE EXTENSION distributed; CREATE EXTENSION dblink;
		CREATE TABLE items (id integer PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}', note text, big text);
		SELECT enable_merge('items'), create_merge_publication('merge', '{items}')});
}
for my $name (qw(a b))
{
	my $other = $name eq 'a' ? 'b' : 'a';
	query($name, "CREATE SUBSCRIPTION from_$other CONNECTION '" . $server{$other}->connstr('postgres') =~ s/'/''/gr . "' PUBLICATION merge WITH (synchronous_commit = on$any)");
}
for my $name (qw(a b))
{
	$server{$name}->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r'}) or die 'tables are not copied';
}

# The DELETE's own dot comes after one of a clock that is ahead, and so after this server's clock.
query('a', q{SET distributed.test_clock = '10min'; INSERT INTO items (id, note) VALUES (1, 'ahead')});
caught_up();
query('b', 'DELETE FROM items WHERE id = 1');
both('a row of a clock that is ahead is removed', 'SELECT count(*) FROM items WHERE id = 1', '0');
query('b', q{INSERT INTO items (id, note) VALUES (1, 'again')});
both('... and inserted again by a clock that is right', 'SELECT note FROM items WHERE id = 1', 'again');

# An INSERT that waits for a DELETE to end was stamped before it.
my $here = q{'dbname=postgres port=' || current_setting('port') || ' host=''' || current_setting('unix_socket_directories') || ''' user=' || current_user};
query('b', q{INSERT INTO items (id, note) VALUES (2, 'old')});
caught_up();
query('b', qq{SELECT dblink_connect('other', $here);
	BEGIN;
	SELECT pg_advisory_lock(1);
	UPDATE items SET note = 'locked' WHERE id = 2;
	SELECT dblink_send_query('other', 'INSERT INTO items (id, note) VALUES (2, ''new'') ON CONFLICT (id) DO NOTHING');
	SELECT pg_sleep(0.3);
	DELETE FROM items WHERE id = 2;
	COMMIT;
	SELECT * FROM dblink_get_result('other') AS t (done text)});
my $inserted = query('b', 'SELECT count(*) FROM items WHERE id = 2');
query('b', qq{SELECT dblink_connect('other', $here); SELECT dblink_connect('third', $here);
	SELECT dblink_exec('other', 'INSERT INTO items (id, note) VALUES (3, ''old'')');
	BEGIN;
	DELETE FROM items WHERE id = 3;
	SELECT dblink_send_query('other', 'INSERT INTO items (id, note) VALUES (3, ''new'')');
	SELECT pg_sleep(0.3);
	COMMIT;
	SELECT * FROM dblink_get_result('other') AS t (done text)});
both('an INSERT that has waited for a DELETE', 'SELECT note FROM items WHERE id = 3', 'new');
is($inserted, '1', '... and one that does nothing if there is a row');
both('... is everywhere', 'SELECT note FROM items WHERE id = 2', 'new');

# ... and one whose DELETE began after it: the row was taken by another session in between.
query('b', qq{SELECT dblink_connect('other', $here);
	INSERT INTO items (id, note) VALUES (4, 'old');
	BEGIN;
	UPDATE items SET note = 'mine' WHERE id = 4;
	SELECT dblink_send_query('other', 'INSERT INTO items (id, note) VALUES (4, ''new'')');
	SELECT pg_sleep(0.3);
	DELETE FROM items WHERE id = 4;
	COMMIT;
	SELECT * FROM dblink_get_result('other') AS t (done text)});
both('... one whose DELETE came later', 'SELECT note FROM items WHERE id = 4', 'new');

# A trigger deletes what has just been inserted, as one does that works off a queue.
for my $name (qw(a b))
{
	query($name, q{CREATE FUNCTION work_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM items WHERE id = new.id; RETURN NULL; END $$;
		CREATE TRIGGER work_off AFTER INSERT ON items FOR EACH ROW WHEN (new.note = 'job') EXECUTE FUNCTION work_off()});
}
query('a', q{INSERT INTO items (id, note) VALUES (5, 'job')});
both('what a trigger has deleted again is gone', 'SELECT count(*) FROM items WHERE id = 5', '0');
both('... and known', 'SELECT count(*) FROM items_removed WHERE id = 5', '1');
query('a', q{INSERT INTO items (id, note) VALUES (5, 'job'), (6, 'job')});
both('... the second time, too', 'SELECT count(*) FROM items WHERE id IN (5, 6)', '0');
both('... and known', 'SELECT count(*) FROM items_removed WHERE id IN (5, 6)', '2');

# A large value of a key that is inserted again is told from what was there: b writes it at the same time.
query('a', q{INSERT INTO items (id, note) VALUES (7, 'first')});
caught_up();
query('a', 'DELETE FROM items WHERE id = 7');
caught_up();
links('DISABLE');
query('a', q{INSERT INTO items (id, big) SELECT 7, string_agg(md5(i::text), '') FROM generate_series(1, 500) i});
is(query('a', q{SELECT _merge::jsonb -> 'columns' -> 'big' ? 'hash' FROM items WHERE id = 7}), 't', 'the write of a large value says which, also in a row that takes up a removed one');
query('b', q{INSERT INTO items (id, big) VALUES (7, 'small')});
query('a', q{UPDATE items SET note = 'beside it' WHERE id = 7});
links('ENABLE');
caught_up();
is(query('a', 'SELECT md5(big), note FROM items WHERE id = 7'), query('b', 'SELECT md5(big), note FROM items WHERE id = 7'), '... so it is the same on both');

# A row is passed whole by a server whose companion has no column yet that the table here has.
query('a', q{SET distributed.test_clock = '20min'; INSERT INTO items (id, note) VALUES (8, 'ahead')});
caught_up();
query('b', 'DELETE FROM items WHERE id = 8');
caught_up();
links('DISABLE');
query($_, q{ALTER TABLE items ADD COLUMN more text DEFAULT 'more'}) for qw(a b);
query('a', q{SELECT enable_merge('items')});
query('b', q{INSERT INTO items (id, note) VALUES (8, 'by b, which passes it whole')});
links('ENABLE');
both('a column that is not sent yet has its default', 'SELECT more FROM items WHERE id = 8', 'more');
query($_, q{SELECT enable_merge('items'), create_merge_publication('merge')}) for qw(a b);
query('b', q{ALTER TABLE items ALTER COLUMN more SET DEFAULT 'less'; SELECT enable_merge('items')});
is(query('b', q{SELECT column_default FROM information_schema.columns WHERE table_name = 'items_removed' AND column_name = 'more'}), q{'less'::text}, '... as it is by now');
query('b', q{ALTER TABLE items ALTER COLUMN more DROP DEFAULT; SELECT enable_merge('items')});
is(query('b', q{SELECT column_default FROM information_schema.columns WHERE table_name = 'items_removed' AND column_name = 'more'}), '', '... or is not');
is(query($_, q{SELECT coalesce(problems::text, '') FROM merge_status()}), query('a', q{SELECT coalesce(problems::text, '') FROM merge_status()}), "no problems on $_") for qw(a b);

# What was counted before a removal that is purged here may come from where it is not: that is no sign of a restored server.
query('a', q{INSERT INTO items (id, n) VALUES (9, '{}'::gcounter + 2); DELETE FROM items WHERE id = 9});
caught_up();
for (1 .. 4)
{
	query($_, 'SELECT acknowledge_removals()') for qw(a b);
	caught_up();
}
is(query('a', q{SELECT purge_removed('items') > 0}), 't', 'a purges');
query('b', q{INSERT INTO items (id, n) VALUES (9, '{}'::gcounter + 1)});
both('a counter of a key that is inserted again where it is not purged', 'SELECT count(*) FROM items WHERE id = 9', '1');
is(query($_, 'SELECT sum(own_dots) FROM merge_status()'), '0', "no writes of its own that $_ does not know") for qw(a b);

$server{$_}->stop for qw(a b);
done_testing();
