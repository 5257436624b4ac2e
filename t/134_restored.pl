# A server that was restored from an old copy and goes on under its name, and a copy that was started beside
# its original: neither goes unnoticed.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %node = map { $_ => new_node($_, 'wal_retrieve_retry_interval = 200ms', 'autovacuum = off') } qw(a b);

sub query
{
	my ($name, $sql) = @_;
	return $node{$name}->safe_psql('postgres', $sql);
}

# told(NAME, SQL): what is said on standard error.
sub told
{
	my ($name, $sql) = @_;
	return ($node{$name}->psql('postgres', $sql))[2];
}

sub follow
{
	my ($name, $from) = @_;
	query($name, "CREATE SUBSCRIPTION ${name}_from_$from CONNECTION '" . $node{$from}->connstr . " dbname=postgres' PUBLICATION merge");
	$node{$name}->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r')})
	  or die "the tables of $from are not copied to $name";
}

sub settle
{
	for (1 .. 2)
	{
		$node{b}->wait_for_catchup('a_from_b');
		$node{a}->wait_for_catchup('b_from_a');
	}
}

sub acknowledge
{
	for (1 .. 3)
	{
		query($_, 'SELECT acknowledge_removals()') for @_;
		settle() if @_ > 1;
	}
}

# said(NAME, PATTERN): wait for it in the log.
sub said
{
	my ($name, $pattern) = @_;

	for (1 .. 300)
	{
		return 1 if slurp_file($node{$name}->logfile) =~ $pattern;
		select undef, undef, undef, 0.1;
	}
	return 0;
}

my $heard = qr/WARNING:  others have heard of "a" what this server has not told/;
my $copied = qr/WARNING:  this server, "a", is a copy, or its files have been moved/;

for my $name (qw(a b))
{
	query($name, "ALTER DATABASE postgres SET distributed.node = '$name'");
	query($name, q{
		CREATE EXTENSION distributed;
		CREATE TABLE pages (id text PRIMARY KEY, hits gcounter NOT NULL DEFAULT '{}');
		DO $$ BEGIN PERFORM enable_merge('pages', 'none'); PERFORM create_merge_publication('merge', '{pages}'); END $$});
}
follow('b', 'a');
follow('a', 'b');
query('a', q{INSERT INTO pages VALUES ('x', gcounter '{}' + 10)});
acknowledge('a', 'b');
acknowledge('a', 'b');

# what is told before and after a restart or a crash was told by the same server
crash_and_restart($node{a});
acknowledge('a', 'b');
$node{a}->restart;
acknowledge('a', 'b');
is(query('a', q{SELECT array_length(told, 1) / 3 FROM merge_local_nodes}), '3', 'a server notes what it has told, by its starts');
is(query('a', q{SELECT claimed FROM merge_local_nodes}), '', '... and hears nothing else');
is(query('a', q{SELECT own_dots FROM merge_status()}), '0', '... nor writes that it has not made');

# A copy of a is made and put back, while b has gone on hearing of it.
$node{a}->stop;
my $data = $node{a}->data_dir;
my $old = PostgreSQL::Test::Utils::tempdir();
system("cp -a '$data' '$old/data'") == 0 or die 'cannot copy';
$node{a}->start;
query('a', q{UPDATE pages SET hits = hits + 100});
settle();
acknowledge('a', 'b');
query('b', 'ALTER SUBSCRIPTION b_from_a DISABLE');
$node{a}->stop;
system("rm -rf '$data'/* && cp -a '$old/data/.' '$data'") == 0 or die 'cannot restore';
$node{a}->start;

# It tells new times at once, later than what it has forgotten.
query('a', q{UPDATE pages SET hits = hits + 1}) for 1 .. 60;
query('b', 'SELECT acknowledge_removals()') for 1 .. 2;
ok(said('a', $heard), 'a restored server is told by what the others have heard of it');
unlike(slurp_file($node{a}->logfile), $copied, '... though its directory is the same');
like(told('a', 'SELECT acknowledge_removals()'), qr/WARNING:  nothing is acknowledged by a server whose name has been used elsewhere\n.*new_incarnation/s, '... and whenever it acknowledges');
my $seen = query('a', q{SELECT seen FROM merge_nodes WHERE node = 'a'});
query('a', 'SELECT acknowledge_removals()') for 1 .. 3;
is(query('a', q{SELECT seen FROM merge_nodes WHERE node = 'a'}), $seen, '... which tells nobody that it has its rows');
query('b', q{UPDATE pages SET hits = hits + 1});
$node{a}->poll_query_until('postgres', q{SELECT own_dots > 0 FROM merge_status()}) or die 'own_dots stays 0';
ok(said('a', qr/a row of table "pages" brings writes of this node, "a", that this server has not made/), '... and by rows that bring what it has not counted');

# Under a new name all is well, once it is linked anew.
my $name = query('a', 'SELECT new_incarnation(true)');
like($name, qr/^a\.[0-9a-f]{8}$/, 'it gets a new name');
query('b', "ALTER SUBSCRIPTION b_from_a SET (slot_name = NONE)");
query('b', 'DROP SUBSCRIPTION b_from_a');
query('a', q{SELECT pg_drop_replication_slot('b_from_a')});
query('a', 'DROP SUBSCRIPTION a_from_b');
follow('a', 'b');
follow('b', 'a');
query('a', q{UPDATE pages SET hits = hits + 5});
settle();
is(query('b', q{SELECT value(hits) - get(hits, 'a') FROM pages}), '6', '... and what it writes counts');
acknowledge('a', 'b');
is(query($_, q{SELECT digest FROM compare_replicas('pages')}), query('b', q{SELECT digest FROM compare_replicas('pages')}), "... on $_") for 'a', 'b';
unlike(told('a', 'SELECT acknowledge_removals()'), qr/WARNING/, '... and it acknowledges again');
like(told('a', q{SET distributed.node = 'a'; UPDATE pages SET hits = hits + 1}), qr/node "a" has been retired/, '... though not as what it was');

# A copy of b, started as it is, takes what is meant for its original.
acknowledge('a', 'b');
$node{b}->backup('base');
$node{b}->stop;
$node{copy} = PostgreSQL::Test::Cluster->new('copy');
$node{copy}->init_from_backup($node{b}, 'base');
$node{copy}->start;
query('a', q{UPDATE pages SET hits = hits + 5});
query('a', 'SELECT acknowledge_removals()') for 1 .. 2;
$node{a}->wait_for_catchup('b_from_a', 'flush');
ok(said('copy', qr/WARNING:  this server, "b", is a copy, or its files have been moved/), 'a careless copy is told by its log');
like(told('copy', 'SELECT acknowledge_removals()'), qr/WARNING:  this server, "b", is a copy.*new_incarnation/s, '... and when it acknowledges');
$node{copy}->stop;
$node{b}->start;
settle();
isnt(query('b', q{SELECT value(hits) FROM pages}), query('a', q{SELECT value(hits) FROM pages}), '... what it has taken, its original lacks');
unlike(slurp_file($node{b}->logfile), qr/is a copy, or its files have been moved/, '... which is none');
query('a', q{SELECT resync('pages')});
settle();
is(query('b', q{SELECT digest FROM compare_replicas('pages')}), query('a', q{SELECT digest FROM compare_replicas('pages')}), '... until it is sent again');

$_->stop for @node{qw(a b)};
done_testing();
