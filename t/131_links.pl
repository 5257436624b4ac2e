# Servers are linked, a third one joins, a lost slot is made good, servers leave: by the commands that are
# printed, and those of the manual, word by word, by a role that is no superuser where it connects, each of
# them twice.  And whoever waits for a copy that cannot be is told so.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use IPC::Run;
use Test::More;
use Time::HiRes qw(sleep time);

my @settings = ('autovacuum = off', 'wal_retrieve_retry_interval = 1s', 'wal_level = logical');
my %server = map { $_ => new_node($_, @settings) } qw(berlin tokyo);
my $version = $server{berlin}->safe_psql('postgres', q{SELECT current_setting('server_version_num')});

sub query
{
	my ($name, $sql) = @_;
	return $server{$name}->safe_psql('shop', $sql);
}

# settle(CHECK): wait until it is true.
sub settle
{
	my ($check) = @_;
	my $until = time + 60;

	until ($check->())
	{
		return 0 if time > $until;
		sleep 0.1;
	}
	return 1;
}

# equals(NAME, SQL, EXPECTED, SERVER...): in the end, all of them say that.
sub equals
{
	my ($name, $sql, $expected, @names) = @_;

	settle(sub { !grep { query($_, $sql) ne $expected } @names });
	is(query($_, $sql), $expected, "$name: $_") for @names;
	return;
}

# run_command(SERVER, COMMAND): as typed in psql; what it says if it fails, or ''.
sub run_command
{
	my ($name, $command) = @_;
	my ($status, $out, $err) = $server{$name}->psql('shop', $command, timeout => 600);

	return $status != 0 || $err =~ /ERROR|FATAL/ ? $err || "status $status" : '';
}

my $role = 'user=link';

sub peers
{
	return q('{) . join(', ', map { qq("$_": ") . 'host=' . $server{$_}->host . ' port=' . $server{$_}->port . qq( $role dbname=shop") } @_) . q(}');
}

# commands(SERVER, ARGUMENTS): those that are printed there, as [server, command, remark].
sub commands
{
	my ($name, $arguments) = @_;
	my @commands = map { [ split /\t/ ] }
	  split /\n/, query($name, qq{SELECT concat_ws(E'\\t', node, command, remark) FROM merge_subscription_commands($arguments) ORDER BY step});

	cmp_ok(scalar(@commands), '>', 5, @commands . " commands: $arguments");
	return @commands;
}

# run_all(NAME, TIMES, COMMAND...): each so many times.
sub run_all
{
	my ($what, $times, @commands) = @_;
	my @failed;

	for my $command (@commands)
	{
		for (1 .. $times)
		{
			my $error = run_command(@$command[0, 1]);
			push @failed, "$command->[0]: $command->[1]: $error" if $error ne '';
		}
	}
	is(join("\n", @failed), '', $what);
	return;
}

# links(SERVER...): subscriptions, and the slots that are in use, with the numbers by which they were made.
sub links
{
	return join ' ', map { query($_, q{SELECT string_agg(subname || ':' || oid, ',' ORDER BY subname) FROM pg_subscription}) // '', query($_, q{SELECT string_agg(slot_name, ',' ORDER BY slot_name) FROM pg_replication_slots}) // '' } @_;
}

# make_shop(SERVER): a database with tables, none of which is merged.
sub make_shop
{
	my ($name) = @_;

	$server{$name}->safe_psql('postgres', 'CREATE DATABASE shop');
	query($name, q{
		CREATE EXTENSION distributed;
		CREATE SCHEMA "Front";
		CREATE TABLE items (key text PRIMARY KEY, n pncounter NOT NULL DEFAULT '{}', note text);
		CREATE TABLE "Front"."Seats" (seat integer PRIMARY KEY, taken orset NOT NULL DEFAULT '{}', who text);
		-- whose rows nobody sees but the owner, and whoever may pass by policies
		ALTER TABLE "Front"."Seats" ENABLE ROW LEVEL SECURITY});
	return;
}

my $all_items = q{SELECT string_agg(concat_ws(':', key, value(n), note), ' ' ORDER BY key) FROM items};
my $all_seats = q{SELECT string_agg(concat_ws(':', seat, elements(taken), who), ' ' ORDER BY seat) FROM "Front"."Seats"};

# --- two servers

make_shop($_) for qw(berlin tokyo);
query('berlin', q{INSERT INTO items (key, note) VALUES ('old', 'berlin'); INSERT INTO "Front"."Seats" VALUES (1, '{}', 'ada'); ALTER DATABASE shop SET distributed.node = 'berlin'});
query('tokyo', q{INSERT INTO items (key, note) VALUES ('older', 'tokyo')});
query('berlin', q{SELECT enable_merge('items'), enable_merge('"Front"."Seats"')});
my @pair = commands('berlin', peers(qw(berlin tokyo)));
run_all('two servers are linked by what is printed', 1, @pair);
query('berlin', q{INSERT INTO items (key, n, note) VALUES ('new', pncounter '{}' + 5, 'b')});
query('tokyo', q{INSERT INTO "Front"."Seats" VALUES (2, orset '{}' + 'x', 'bob')});
settle(sub { query('tokyo', q{SELECT count(*) FROM items WHERE key = 'new'}) eq '1' });
query('tokyo', q{UPDATE items SET n = n + 2 WHERE key = 'new'});
equals('rows go both ways', $all_items, 'new:7:b old:0:berlin older:0:tokyo', qw(berlin tokyo));
equals('... also those that policies hide', $all_seats, '1:{}:ada 2:{x}:bob', qw(berlin tokyo));
is(query($_, q{SELECT rolsuper, rolreplication, rolcanlogin FROM pg_roles WHERE rolname = 'link'}), 'f|t|t', "$_: the others connect as a role that may do that, and little else") for qw(berlin tokyo);
is(query('tokyo', 'SELECT subsynccommit FROM pg_subscription'), 'on', 'what has arrived is on disk before anybody sees it');

my $before = links(qw(berlin tokyo));
run_all('all of it again', 2, @pair);
is(links(qw(berlin tokyo)), $before, '... changes nothing');
equals('... and loses nothing', $all_items, 'new:7:b old:0:berlin older:0:tokyo', qw(berlin tokyo));

# --- a slot is lost

query('berlin', q{ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'});
$server{berlin}->reload;
query('tokyo', 'ALTER SUBSCRIPTION merge_berlin_to_tokyo DISABLE');
settle(sub { query('berlin', q{SELECT active FROM pg_replication_slots WHERE slot_name = 'merge_berlin_to_tokyo'}) eq 'f' });
query('berlin', q{INSERT INTO items (key, note) VALUES ('missed', 'b'); UPDATE items SET n = n + 10 WHERE key = 'new'});
settle(sub {
	query('berlin', 'SELECT pg_switch_wal()');
	query('berlin', q{CREATE TABLE waste AS SELECT 1; DROP TABLE waste; CHECKPOINT});
	return query('berlin', q{SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'merge_berlin_to_tokyo'}) eq 'lost';
});
is(query('berlin', q{SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'merge_berlin_to_tokyo'}), 'lost', 'a slot is lost');
query('berlin', q{ALTER SYSTEM RESET max_slot_wal_keep_size});
$server{berlin}->reload;
query('tokyo', 'ALTER SUBSCRIPTION merge_berlin_to_tokyo ENABLE');
query('tokyo', q{UPDATE items SET n = n + 100 WHERE key = 'new'});
run_all('what was printed does not take another slot for the lost one', 1, @pair);
is(query('berlin', q{SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'merge_berlin_to_tokyo'}), 'lost', '... it is still lost');
is(query('tokyo', q{SELECT count(*) FROM items WHERE key = 'missed'}), '0', '... and what was missed still missing');

# what the manual says, which has these names
open my $manual, '<', "$FindBin::Bin/../doc/active-active.md" or die "active-active.md: $!";
my $text = do { local $/; <$manual> };
close $manual;
my ($recipe) = $text =~ /^\*\*A slot is lost\.\*\*.*?^```text\n(.*?)^```/ms or die 'the manual does not say what to do about a lost slot';
my @recipe = map { /^-- on (\w+)\n(.*)/s ? [ $1, $2 ] : () } split /^(?=-- on )/m, $recipe;
is(join(' ', map { $_->[0] } @recipe), 'tokyo berlin', 'the manual has commands for both');
run_all('... which run', 1, @recipe);
run_all('... and then all that was printed, again', 2, @pair);
equals('what was missed is there', $all_items, 'missed:0:b new:117:b old:0:berlin older:0:tokyo', qw(berlin tokyo));
query('berlin', q{INSERT INTO items (key) VALUES ('after')});
equals('... and what comes later comes', $all_items, 'after:0 missed:0:b new:117:b old:0:berlin older:0:tokyo', qw(berlin tokyo));

# --- a third server joins, which is not ready for it

$server{oslo} = new_node('oslo', @settings, 'max_replication_slots = 1', 'max_logical_replication_workers = 2');
make_shop('oslo');
query('oslo', q{INSERT INTO items (key, note) VALUES ('fjord', 'oslo'); INSERT INTO "Front"."Seats" SELECT i FROM generate_series(10, 12) i});
my @join = commands('berlin', peers(qw(berlin tokyo oslo)) . q{, joining => 'oslo'});

my ($check) = grep { $_->[0] eq 'oslo' } @join;
my $error = run_command(@$check);
like($error, qr/ERROR:  settings of this server do not suffice for its links/, 'settings that do not suffice are told');
my ($change) = $error =~ /^HINT:  (.*;) Then restart it\.$/m;
is($change, 'ALTER SYSTEM SET max_replication_slots = 4; ALTER SYSTEM SET max_logical_replication_workers = 4;', '... with what to do');
$server{oslo}->psql('shop', $_) for split /(?<=;) /, $change;
$server{oslo}->restart;
is(run_command(@$check), '', '... after which they do');

my ($links) = grep { $join[$_][1] =~ /CREATE SUBSCRIPTION/ } 0 .. $#join;
run_all('the commands before the first link', 2, @join[0 .. $links - 1]);

# an earlier attempt has left its slot
query('berlin', q{SELECT pg_create_logical_replication_slot('merge_berlin_to_oslo', 'pgoutput')});
# and a grant is forgotten
query('berlin', 'REVOKE SELECT ON items FROM link');
my ($from_berlin) = grep { $join[$_][1] =~ /CREATE SUBSCRIPTION merge_berlin_to_oslo/ } 0 .. $#join;
run_all('links to the server that joins', 2, @join[$links .. $from_berlin - 1]);
like(run_command(@{ $join[$from_berlin] }), qr/replication slot "merge_berlin_to_oslo" already exists/, 'a slot that is left over is in the way');
my ($where, $drop) = $join[$from_berlin][2] =~ /on (\w+): (SELECT pg_drop_replication_slot\('\w+'\);)/;
is(run_command($where, $drop), '', '... until the command of the remark drops it');
is(run_command(@{ $join[$from_berlin] }), '', '... and then it is made');

my $begin = time;
$error = run_command(@{ $join[ $from_berlin + 1 ] });
my $took = time - $begin;
like($error, qr/ERROR:  subscription "merge_berlin_to_oslo" fails to copy its tables, again and again/, 'a copy that is refused ends the wait');
like($error, qr/^DETAIL:  .* tables are in step; not: public\.items \(being copied\)\./m, '... which tells the tables');
like($error, qr/The worker that applies runs;/, '... the workers');
like($error, qr/apply_error_count 0, sync_error_count [1-9]/, '... the errors') if $version >= 150000;
like($error, qr/^HINT:  .*GRANT SELECT/m, '... and what usually is wrong');
cmp_ok($took, '<', $version >= 150000 ? 60 : 590, sprintf '... after %.1f s', $took);
cmp_ok($took, '>', 29, '... and not at once');
run_all('the printed grant, and all the rest', 2, @join);
my $items = 'after:0 fjord:0:oslo missed:0:b new:117:b old:0:berlin older:0:tokyo';
equals('all have the rows of all', $all_items, $items, qw(berlin tokyo oslo));
equals('... of each table', $all_seats, '1:{}:ada 2:{x}:bob 10:{} 11:{} 12:{}', qw(berlin tokyo oslo));

# --- waiting

my $wait = 'SELECT merge_copy_wait';
is(query('oslo', "$wait('merge_tokyo_to_oslo')"), '6', 'a wait that is over tells the number of tables');
query('oslo', 'ALTER SUBSCRIPTION merge_tokyo_to_oslo DISABLE');
is(query('oslo', "$wait('merge_tokyo_to_oslo')"), '6', '... also where the subscription is disabled by now');
query('oslo', 'ALTER SUBSCRIPTION merge_tokyo_to_oslo ENABLE');

# a table comes while the publisher waits for a transaction, before it lets it be copied
$_->safe_psql('shop', q{CREATE TABLE later (key integer PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}'); SELECT enable_merge('later'); SELECT create_merge_publication('merge')}) for @server{qw(oslo berlin tokyo)};
query('berlin', 'INSERT INTO later SELECT generate_series(1, 200000); GRANT SELECT ON later, later_removed TO link');
my %holder = (in => "BEGIN; SELECT txid_current() > 0;\n\\echo open\n", out => '', err => '');
my $holder = IPC::Run::start([ 'psql', '-XAtq', '-d', $server{berlin}->connstr('shop') ], '<', \$holder{in}, '>', \$holder{out}, '2>', \$holder{err});
IPC::Run::pump($holder) until $holder{out} =~ /open/;
query('tokyo', 'ALTER SUBSCRIPTION merge_berlin_to_tokyo REFRESH PUBLICATION');
$begin = time;
like(run_command('tokyo', "$wait('merge_berlin_to_tokyo', '3 s')"), qr/subscription "merge_berlin_to_tokyo" has made no progress for 3 s\n.*later \(being copied\)/, 'a copy that does not move ends the wait');
cmp_ok(time - $begin, '>', 2.9, '... when the time is over');

# it sees what others commit in any transaction, and does not mind how long the whole takes
my %waiter = (out => '', err => '');
my $waiter = IPC::Run::start([ 'psql', '-XAtq', '-d', $server{tokyo}->connstr('shop'), '-c', "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; $wait('merge_berlin_to_tokyo', '2 s')" ], '<', \undef, '>', \$waiter{out}, '2>', \$waiter{err});
sleep 0.5;
$holder{in} .= "COMMIT;\n\\q\n";
$holder->finish;
$waiter->finish;
is($waiter{err}, '', 'a copy that goes on is waited for');
like($waiter{out}, qr/^8$/m, '... to its end');
is(query('tokyo', 'SELECT count(*) FROM later'), '200000', '... when all rows are there');

# no worker
query('tokyo', q{ALTER SYSTEM SET max_logical_replication_workers = 0});
$server{tokyo}->restart;
query('tokyo', q{DROP TABLE later CASCADE; CREATE TABLE later (key integer PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}'); SELECT enable_merge('later'); ALTER SUBSCRIPTION merge_berlin_to_tokyo REFRESH PUBLICATION});
like(run_command('tokyo', "$wait('merge_berlin_to_tokyo', '3 s')"), qr/no worker runs for subscription "merge_berlin_to_tokyo"\n.*The worker that applies does not run; workers that copy: 0/, 'a server without workers is told');
query('tokyo', 'ALTER SUBSCRIPTION merge_berlin_to_tokyo DISABLE');
like(run_command('tokyo', "$wait('merge_berlin_to_tokyo')"), qr/subscription "merge_berlin_to_tokyo" is disabled\n.*6 of its 8 tables/, 'a subscription that is disabled, too');
query('tokyo', 'ALTER SUBSCRIPTION merge_berlin_to_tokyo ENABLE');
query('tokyo', q{ALTER SYSTEM RESET max_logical_replication_workers});
$server{tokyo}->restart;
is(query('tokyo', "$wait('merge_berlin_to_tokyo')"), '8', '... and has copied when it has some');

# --- a server leaves

query('tokyo', q{UPDATE items SET n = n + 1000, note = 'farewell' WHERE key = 'new'});
my @leave = commands('berlin', peers(qw(berlin tokyo oslo)) . q{, leaving => 'tokyo'});
run_all('a server leaves', 2, @leave);
$items =~ s/new:117:b/new:1117:farewell/;
is(query($_, $all_items), $items, "$_: what it had written is there") for qw(berlin oslo);
is(links('tokyo'), ' ', 'it is linked to nobody');
is(query($_, q{SELECT (SELECT string_agg(subname, ',') FROM pg_subscription) || ' ' || (SELECT string_agg(slot_name, ',') FROM pg_replication_slots)}),
	$_ eq 'berlin' ? 'merge_oslo_to_berlin merge_berlin_to_oslo' : 'merge_berlin_to_oslo merge_oslo_to_berlin', "$_: nothing but the other one is linked") for qw(berlin oslo);
equals('nobody waits for it', q{SELECT string_agg(node, ',' ORDER BY node) FROM merge_nodes}, 'berlin,oslo', qw(berlin oslo));
query('tokyo', q{INSERT INTO items (key) VALUES ('alone')});
query('oslo', q{UPDATE items SET n = n + 1 WHERE key = 'fjord'});
equals('the others go on', $all_items, $items =~ s/fjord:0/fjord:1/r, qw(berlin oslo));

# --- one is gone for good, and its server's processes with it

$server{oslo}->stop('immediate');
run_all('a server that is gone leaves', 2, grep { $_->[0] ne 'oslo' } commands('berlin', peers(qw(berlin oslo)) . q{, leaving => 'oslo'}));
is(links('berlin'), ' ', 'nothing of it is left');
is(query('berlin', q{SELECT string_agg(node, ',' ORDER BY node) FROM merge_nodes}), 'berlin', '... and nobody waits for it');

$server{$_}->stop for qw(berlin tokyo);
done_testing();
