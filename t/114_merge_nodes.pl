# What servers tell one another of the rows that they have, and purging by it: nothing that is still
# under way is taken for seen, and a key that comes back after its row was purged loses nothing.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use IPC::Run;
use Test::More;

my %node;

# start_node(NAME): a server with a merged table and a publication of it.
sub start_node
{
	my ($name) = @_;

	$node{$name} = new_node($name, "distributed.node = '$name'", 'max_prepared_transactions = 5', 'autovacuum = off');
	query($name, q{
		CREATE EXTENSION distributed;
		CREATE TABLE pages (id text PRIMARY KEY, hits gcounter NOT NULL DEFAULT '{}');
		SELECT enable_merge('pages', 'none');
		CREATE PUBLICATION merged FOR TABLE pages, pages_removed, merge_nodes, merge_nodes_removed WITH (publish = 'insert, update')});
}

sub query
{
	my ($name, $sql) = @_;
	return $node{$name}->safe_psql('postgres', $sql);
}

sub follow
{
	my ($name, $from) = @_;
	query($name, "CREATE SUBSCRIPTION ${name}_from_$from CONNECTION '" . $node{$from}->connstr . " dbname=postgres' PUBLICATION merged");
	$node{$name}->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r')})
	  or die "the tables of $from are not copied to $name";
}

# settle(NAME...): what each server has, the others have.
sub settle
{
	for (1 .. @_)
	{
		for my $from (@_)
		{
			$node{$from}->wait_for_catchup("${_}_from_$from") for grep { $_ ne $from } @_;
		}
	}
}

# acknowledge(NAME...): on each server, three times; what was committed before is then seen by all.
sub acknowledge
{
	for (1 .. 3)
	{
		query($_, 'SELECT acknowledge_removals()') for @_;
		settle(@_);
	}
}

sub pages
{
	my ($name) = @_;
	return query($name, q{SELECT id, hits, true FROM pages UNION ALL SELECT id, hits, false FROM pages_removed ORDER BY id});
}

sub purge
{
	my ($name) = @_;
	return query($name, q{SELECT purge_removed('pages')});
}

sub hit
{
	my ($name, $id) = @_;
	return query($name, "UPDATE pages SET hits = increment(hits, 1) WHERE id = '$id'");
}

# One server: a removal that is not committed holds the horizon back, whoever acknowledges.

start_node('a');
query('a', q{INSERT INTO pages VALUES ('prepared'), ('open'), ('done')});
acknowledge('a');
my $before = query('a', 'SELECT nanoseconds(hlc_now())');
query('a', q{BEGIN; DELETE FROM pages WHERE id = 'prepared'; PREPARE TRANSACTION 'removal'});
acknowledge('a');
is(query('a', qq{SELECT get(seen, 'a') < $before FROM merge_nodes}), 't', 'the last transaction, which is prepared, holds the horizon back');
query('a', q{DELETE FROM pages WHERE id = 'done'});
acknowledge('a');
is(purge('a'), '0', '... and so what is committed after it');
query('a', q{COMMIT PREPARED 'removal'});
acknowledge('a');
is(purge('a'), '2', '... until it is committed');

# A second horizon is noted when the first is reached, so transactions that overlap do not hold it up for ever.
query('a', q{DELETE FROM pages WHERE id = 'open'});
query('a', q{BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 't1'});
query('a', 'SELECT acknowledge_removals()');
for my $n (2 .. 5)
{
	my $last = $n - 1;
	query('a', "BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 't$n'");
	query('a', 'SELECT acknowledge_removals()');
	query('a', "COMMIT PREPARED 't$last'");
	query('a', 'SELECT acknowledge_removals()');
}
is(purge('a'), '1', 'transactions that overlap do not hold purging up for ever');
query('a', q{COMMIT PREPARED 't5'});

# Sessions that acknowledge at the same time, beside others that write.
my @sessions = (
	start_sessions($node{a}, 3, 50, 'SELECT acknowledge_removals();'),
	start_sessions($node{a}, 2, 100, "INSERT INTO pages VALUES (random()::text);\nDELETE FROM pages;"));
is(join('', map { session_errors($_) } @sessions), '', 'several sessions acknowledge, and write');
acknowledge('a');
cmp_ok(purge('a'), '>', 0, '... and all is purged');
is(pages('a'), '', '... which leaves nothing');

# Two servers.

start_node('b');
follow('b', 'a');
follow('a', 'b');
query('a', q{INSERT INTO pages VALUES ('x', '{"a": 7}'), ('y', '{"a": 7}'), ('z', '{"a": 7}')});
settle('a', 'b');
hit('b', $_) for 'x', 'y';
acknowledge('a', 'b');
is(pages('a'), "x|{\"a\": 7, \"b\": 1}|t\ny|{\"a\": 7, \"b\": 1}|t\nz|{\"a\": 7}|t", 'two servers have the rows');

# What has not arrived is not purged, and what was written meanwhile stays.
query('b', 'ALTER SUBSCRIPTION b_from_a DISABLE');
query('a', 'DELETE FROM pages');
for (1 .. 3)
{
	query($_, 'SELECT acknowledge_removals()') for 'a', 'b';
	$node{b}->wait_for_catchup('a_from_b');
}
is(purge('a'), '0', 'what a peer has not seen is not purged');
hit('b', 'y');
query('b', 'ALTER SUBSCRIPTION b_from_a ENABLE');
settle('a', 'b');
is(pages($_), "x|{\"a\": 7, \"b\": 1}|f\ny|{\"a\": 7, \"b\": 2}|t\nz|{\"a\": 7}|f", "what was written at the same time is there, on $_") for 'a', 'b';

# One purges; the key comes back there, and begins anew, while the other still has the removed row.
acknowledge('a', 'b');
is(purge('a'), '2', 'what all have seen is purged');
is(pages('b'), "x|{\"a\": 7, \"b\": 1}|f\ny|{\"a\": 7, \"b\": 2}|t\nz|{\"a\": 7}|f", '... and still there on the other server');
query('b', 'ALTER SUBSCRIPTION b_from_a DISABLE');
query('a', q{INSERT INTO pages VALUES ('x', '{"a": 1}'), ('z', '{"a": 1}')});
hit('a', $_) for 'x', 'z';
query('b', 'ALTER SUBSCRIPTION b_from_a ENABLE');
settle('a', 'b');
hit('b', $_) for 'x', 'z';
hit('a', $_) for 'x', 'z';
settle('a', 'b');
is(pages($_), "x|{\"a\": 3, \"b\": 1}|t\ny|{\"a\": 7, \"b\": 2}|t\nz|{\"a\": 3, \"b\": 1}|t", "a key that comes back begins anew, and loses nothing, on $_") for 'a', 'b';
is(purge('b'), '0', '... and there is nothing to purge');

# The other way round: removed and inserted by different servers, and purged by the one that removed.
query('a', q{DELETE FROM pages WHERE id <> 'y'});
settle('a', 'b');
acknowledge('a', 'b');
is(purge('b'), '2', 'the other server purges');
query('b', q{INSERT INTO pages VALUES ('x', '{"b": 1}')});
settle('a', 'b');
hit($_, 'x') for 'a', 'b';
settle('a', 'b');
is(purge('a'), '1', '... and only the other row is left to purge');
is(pages($_), "x|{\"a\": 1, \"b\": 2}|t\ny|{\"a\": 7, \"b\": 2}|t", "the same the other way round, on $_") for 'a', 'b';

# Removed again at the same time as it is written on: the removal that is newer than the new row holds.
query('a', q{DELETE FROM pages WHERE id = 'x'});
settle('a', 'b');
is(pages($_), "x|{\"a\": 1, \"b\": 2}|f\ny|{\"a\": 7, \"b\": 2}|t", "a new row is removed as any other, on $_") for 'a', 'b';
acknowledge('a', 'b');
is(purge($_), '1', "... and purged, on $_") for 'a', 'b';

# A third server joins, and holds purging up from when it is known.

start_node('c');
follow('c', 'b');
follow('b', 'c');
is(pages('c'), "y|{\"a\": 7, \"b\": 2}|t", 'a third server joins');
sub settle_line
{
	for (1 .. 2)
	{
		settle('a', 'b');
		settle('b', 'c');
	}
}
query('c', 'SELECT acknowledge_removals()');
settle_line();
query('c', q{INSERT INTO pages VALUES ('z', '{"c": 1}')});
settle_line();
query('a', q{DELETE FROM pages WHERE id = 'z'});
settle_line();
query('c', 'ALTER SUBSCRIPTION c_from_b DISABLE');
for (1 .. 4)
{
	query($_, 'SELECT acknowledge_removals()') for 'a', 'b', 'c';
	settle('a', 'b');
	$node{c}->wait_for_catchup('b_from_c');
}
is(purge('a'), '0', '... and holds up what it has not acknowledged');
query('c', 'ALTER SUBSCRIPTION c_from_b ENABLE');
for (1 .. 4)
{
	query($_, 'SELECT acknowledge_removals()') for 'a', 'b', 'c';
	settle_line();
}
is(purge($_), '1', "... until it has, and the removal is known all along the line, on $_") for 'a', 'b', 'c';

# A subscription without a copy does not hear of nodes that had been there, and may know too few to purge.
query('c', 'DROP SUBSCRIPTION c_from_b');
query('c', q{CREATE SUBSCRIPTION c_from_b CONNECTION '} . $node{b}->connstr . q{ dbname=postgres' PUBLICATION merged WITH (copy_data = false)});
my $seen = query('c', q{SELECT seen FROM merge_nodes WHERE node = 'c'});
query('c', 'SELECT acknowledge_removals()') for 1 .. 3;
is(query('c', q{SELECT seen FROM merge_nodes WHERE node = 'c'}), $seen, 'who has heard of nobody by a subscription acknowledges nothing');
query('b', 'SELECT acknowledge_removals()');
settle_line();
query('c', 'SELECT acknowledge_removals()') for 1 .. 3;
isnt(query('c', q{SELECT seen FROM merge_nodes WHERE node = 'c'}), $seen, '... until it has');

# By a link that lags behind there come rows as they were before their removal, of which the other link has told.
follow('c', 'a');
follow('a', 'c');
acknowledge('a', 'b', 'c');
query('c', 'ALTER SUBSCRIPTION c_from_a DISABLE');
query('a', q{INSERT INTO pages VALUES ('v', '{"a": 7}')});
settle_line();
query('a', q{DELETE FROM pages WHERE id = 'v'});
for (1 .. 4)
{
	query($_, 'SELECT acknowledge_removals()') for 'a', 'b', 'c';
	settle_line();
}
is(purge($_), '0', "what has come by one link may still come by the other, so it is not purged on $_") for 'b', 'c';
query('c', q{INSERT INTO pages VALUES ('v', '{"a": 7, "c": 1}')});
query('c', 'ALTER SUBSCRIPTION c_from_a ENABLE');
settle('a', 'b', 'c');
is(query($_, q{SELECT hits, nodes(context(_merge)), (SELECT string_agg(k, ',') FROM jsonb_object_keys(_merge::jsonb -> 'live') k) FROM pages WHERE id = 'v'}),
	'{"a": 7, "c": 1}|{a,c}|c', "... and there is nothing left of the row that was removed, on $_") for 'a', 'b', 'c';
query('a', q{DELETE FROM pages WHERE id = 'v'});
acknowledge('a', 'b', 'c');
is(purge($_), '1', "... and when it has come by both, it is purged on $_") for 'a', 'b', 'c';
query('c', 'DROP SUBSCRIPTION c_from_a');
query('a', 'DROP SUBSCRIPTION a_from_c');
query('c', 'SELECT acknowledge_removals()');
is(query('c', 'SELECT count(*) FROM merge_local_links WHERE subscription NOT IN (SELECT oid FROM pg_subscription)'), '0', 'what a subscription has brought is forgotten with it');
acknowledge('a', 'b');
settle_line();

# It writes, and is lost before it says that it has; what it has written can be purged when it is forgotten.
query('c', q{INSERT INTO pages VALUES ('w', '{"c": 1}')});
settle_line();
query('b', 'DROP SUBSCRIPTION b_from_c');
query('c', 'DROP SUBSCRIPTION c_from_b');
query('a', q{DELETE FROM pages WHERE id = 'w'});
acknowledge('a', 'b');
is(purge('a'), '0', 'a server that is lost holds purging up');
query('b', q{SELECT forget_node('c')});
settle('a', 'b');
is(purge('a'), '0', '... and once it is forgotten, what it wrote last still does');
acknowledge('a', 'b') for 1 .. 2;
is(purge($_), '1', "... until all know that nothing more comes from it, on $_") for 'a', 'b';
is(query($_, q{SELECT seen -> 'c' FROM merge_nodes WHERE node = 'a'}), '9223372036854775807', "... which they have told one another, on $_") for 'a', 'b';

# A session that has been connected under an old name cannot go on, whatever it has written before.
my ($out, $err) = ('', '');
my $script = "INSERT INTO pages VALUES ('before'); SELECT 'written'; SELECT pg_sleep(1.5); INSERT INTO pages VALUES ('after');\n";
my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node{b}->connstr('postgres') ], '<', \$script, '>', \$out, '2>', \$err);
$session->pump until $out =~ /written/;
query('b', 'SELECT new_incarnation()');
$session->finish;
like($err, qr/node "b" has been retired/, 'a session that has an old name cannot write');
query('b', q{INSERT INTO pages VALUES ('now')});
like(query('b', q{SELECT string_agg(id || ':' || (nodes(context(_merge)))[1], ' ' ORDER BY id) FROM pages WHERE id IN ('before', 'after', 'now')}),
	qr/^before:b now:b\.[0-9a-f]{8}$/, '... and others write under the new one');

# A name that is removed while a session makes it known stays removed.
($out, $err) = ('', '');
$script = "SET session_replication_role = replica; BEGIN; INSERT INTO merge_nodes_removed VALUES ('late', '{}', '{\"arrives\": true, \"context\": {\"a\": 9}}'); SELECT 'removed'; SELECT pg_sleep(1.5); COMMIT;\n";
$session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node{b}->connstr('postgres') ], '<', \$script, '>', \$out, '2>', \$err);
$session->pump until $out =~ /removed/;
like(($node{b}->psql('postgres', q{SET distributed.node = 'late'; SELECT acknowledge_removals()}))[2], qr/ERROR:  node "late" has been forgotten meanwhile/, 'a name that is removed while it is made known cannot be used');
$session->finish;
is(query('b', q{SELECT (SELECT count(*) FROM merge_nodes WHERE node = 'late'), (SELECT count(*) FROM merge_nodes_removed WHERE node = 'late')}), '0|1', '... and is not there');

done_testing();
