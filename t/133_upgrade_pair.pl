# Two linked servers of version 1.0, whose merged tables are in use, are brought to 1.1 by "From 1.0 to 1.1"
# in doc/active-active.md, word by word, one server after the other.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use OldServer;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => OldServer::lacks() if OldServer::lacks();

my @names = qw(a b);
my %server;
$server{$_} = OldServer->new($_, 'wal_retrieve_retry_interval = 200ms', 'wal_receiver_status_interval = 1s', 'autovacuum = off') for @names;

sub query { my ($name, $sql) = @_; return $server{$name}->psql('shop', 'postgres', $sql) }

# set_up(): what merge_subscription_commands prints on a, each on its server.
sub set_up
{
	my $peers = join ', ', map { "\"$_\": \"" . $server{$_}->connstr('shop') . '"' } @names;

	for (split /\n/, query('a', "SET distributed.node = 'a'; SELECT node || ' ' || command FROM merge_subscription_commands('{$peers}')"))
	{
		my ($name, $command) = /^(\w+) (.*)$/ or die "no command: $_";
		query($name, $command);
	}
	return;
}

# answers(SQL): of all servers, when they have come to give the same one; or else as they are after a while.
sub answers
{
	my ($sql) = @_;
	my $until = time + 30;
	my %found;

	do
	{
		sleep 0.2 if %found;
		%found = map { $_ => query($_, $sql) } @names;
	} until (time > $until || $found{a} eq $found{b});
	return \%found;
}

sub both { my ($name, $sql, $answer) = @_; is_deeply(answers($sql), { map { $_ => $answer } @names }, $name); return }

# agree(NAME): all rows are the same, when all has arrived.
sub agree
{
	my ($name) = @_;

	for my $table (qw(customers carts merge_nodes))
	{
		my $found = answers("SELECT rows, digest FROM compare_replicas('$table')");
		is($found->{a}, $found->{b}, "$name: $table");
	}
	return;
}

# --- in use

for my $name (@names)
{
	$server{$name}->psql('postgres', 'postgres', 'CREATE DATABASE shop');
	query($name, q{
		CREATE EXTENSION distributed VERSION '1.0';
		CREATE TABLE customers (customer text PRIMARY KEY, visits gcounter NOT NULL DEFAULT '{}', wants orset NOT NULL DEFAULT '{}', address text, phone text);
		CREATE TABLE carts (id integer PRIMARY KEY, items pncounter NOT NULL DEFAULT '{}', note text);
		CREATE TABLE orders (id integer PRIMARY KEY)});
}
query('a', q{SET distributed.node = 'a'; INSERT INTO customers (customer, address) VALUES ('old', 'before merging'); SELECT enable_merge('customers'), enable_merge('carts', 'lww', 'remove')});
set_up();
query('a', q{INSERT INTO customers (customer, visits, wants, address) SELECT c, gcounter '{}' + 1, orset '{}' + 'soup', 'of a' FROM unnest('{ada,bob,cleo,dora}'::text[]) c; INSERT INTO carts VALUES (1, pncounter '{}' + 5), (2, pncounter '{}' + 5), (3, pncounter '{}' + 5)});
both('rows of 1.0 arrive', 'SELECT count(*) FROM customers_live', '5');
query('b', q{UPDATE customers SET visits = visits + 2, wants = wants - 'soup' + 'rice', phone = '1234' WHERE customer IN ('ada', 'bob'); UPDATE carts SET items = items - 2, note = 'b' WHERE id = 2; DELETE FROM customers WHERE customer = 'cleo'});
query('a', q{UPDATE customers SET address = 'moved', wants = wants + 'fish' WHERE customer IN ('ada', 'old'); DELETE FROM carts_live WHERE id = 3});
query('b', q{DELETE FROM customers_live WHERE customer = 'dora'; INSERT INTO customers (customer) VALUES ('eve')});
query('b', q{CREATE VIEW regulars AS SELECT customer FROM customers_live WHERE value(visits) > 2});
query($_, q{SELECT acknowledge_removals()}) for @names;
my $rows = q{SELECT string_agg(concat_ws(' ', customer, visits, wants, address, phone), E'\n' ORDER BY customer) FROM customers};
my $carts = q{SELECT string_agg(concat_ws(' ', id, items, note), E'\n' ORDER BY id) FROM carts};

# --- 1. Stop writing merged tables on all servers, and wait until all links have caught up.

agree('1.0');
my %before = (customers => query('a', "${rows}_live"), carts => query('a', "${carts}_live"));
is(query('b', "${rows}_live"), $before{customers}, 'servers of 1.0 have the same rows');
is($before{customers}, <<'END' =~ s/\n\z//r, '... all of them');
ada {"a": 1, "b": 2} {"elements": {"fish": [["a", 2]], "rice": [["b", 1]]}, "context": {"a": 2, "b": 1}} moved 1234
bob {"a": 1, "b": 2} {"elements": {"rice": [["b", 1]]}, "context": {"a": 1, "b": 1}} of a 1234
eve {} {}
old {} {"elements": {"fish": [["a", 1]]}, "context": {"a": 1}} moved
END

# --- 2. On all servers, drop the subscriptions that carry them.

for my $name (@names)
{
	query($name, "DROP SUBSCRIPTION $_") for split /\n/, query($name, 'SELECT subname FROM pg_subscription');
}
is(query($_, 'SELECT count(*) FROM pg_replication_slots'), '0', "no slot is left on $_") for @names;

# --- 3. On each server: make install, restart, ALTER EXTENSION distributed UPDATE, and enable_merge.

for my $name (@names)
{
	$server{$name}->install_this;
	$server{$name}->restart;
	query($name, 'ALTER EXTENSION distributed UPDATE');
	my ($done, $out, $err) = $server{$name}->try('shop', 'postgres', q{UPDATE customers SET phone = '0'});
	like($err, qr/merged in the form of version 1.0/, "until then a table takes no writes, on $name");
	($done, $out, $err) = $server{$name}->try('shop', 'postgres', q{SELECT enable_merge('customers'); SELECT enable_merge('carts', 'lww', 'remove')});
	ok($done, "merged tables are brought to this version, on $name") or diag $err;
	like($err, qr/table "$_" is no longer in publication "merge"/, "... and it says so: $_") for qw(customers carts);
	is($err =~ /view public.customers_live stays, since others depend on it/ ? 'stays' : 'goes', $name eq 'b' ? 'stays' : 'goes', '... and what becomes of the view');
	is(query($name, $rows), $before{customers}, '... with the same rows');
	is(query($name, $carts), $before{carts}, '... also where removals win');
	is(query($name, q{SELECT string_agg(customer, ' ' ORDER BY customer), (SELECT string_agg(id::text, ' ') FROM carts_removed) FROM customers_removed}), 'cleo dora|3', '... and with what was removed');
	query($name, 'INSERT INTO orders SELECT count(*) FROM orders');
}
is(query('b', 'SELECT string_agg(customer, $$ $$ ORDER BY customer) FROM regulars'), 'ada bob', 'a view that others need shows the same');

# --- 4. Link them again.

set_up();
both('nothing is there twice', $rows, $before{customers});
both('... also where removals win', $carts, $before{carts});
agree('1.1');
is(query($_, q{SELECT string_agg(concat_ws(' ', table_name, problems, own_dots, incomplete), ', ' ORDER BY table_name::text) FROM merge_status()}), 'carts {} 0 0, customers {} 0 0', "no problems on $_") for @names;
is(query($_, q{SELECT string_agg(concat_ws(' ', table_name, plain_columns, concurrent_update), ', ' ORDER BY table_name::text) FROM merge_status()}), 'carts lww remove, customers lww keep', "... and the options are what they were, on $_") for @names;

# A row that comes late, as it was before its removal, stays removed.
for my $name (@names)
{
	query($name, q{SET session_replication_role = replica; INSERT INTO customers (customer, visits, _merge)
		SELECT customer, visits, (_merge::jsonb || jsonb_build_object('arrives', true, 'live', jsonb_build_object('a', _merge::jsonb -> 'context' -> 'a')))::row_stamp FROM customers_removed WHERE customer = 'cleo'});
	is(query($name, q{UPDATE customers SET phone = 'late' WHERE customer IN ('cleo', 'dora') RETURNING customer}), '', "a late write does not bring back what was removed, on $name");
}
both('... anywhere', $rows, $before{customers});

# Writes travel both ways.
query('a', q{UPDATE customers SET visits = visits + 1, address = 'by a' WHERE customer = 'ada'; DELETE FROM customers WHERE customer = 'eve'; UPDATE carts SET items = items + 1 WHERE id = 1});
query('b', q{UPDATE customers SET visits = visits + 1, phone = 'by b' WHERE customer = 'ada'; INSERT INTO customers (customer, visits) VALUES ('cleo', gcounter '{}' + 1); UPDATE carts SET note = 'by b' WHERE id = 1; DELETE FROM carts WHERE id = 2});
both('writes travel both ways', q{SELECT string_agg(concat_ws(' ', customer, value(visits), address, phone), ', ' ORDER BY customer) FROM customers}, 'ada 5 by a by b, bob 3 of a 1234, cleo 2, old 0 moved');
both('... and removals', q{SELECT string_agg(concat_ws(' ', id, value(items), note), ', ') FROM carts}, '1 6 by b');
agree('in the end');

# What was removed with 1.0 is purged.
my $until = time + 30;
do
{
	query($_, 'SELECT acknowledge_removals()') for @names;
	sleep 0.3;
	query($_, q{SELECT purge_removed('customers'), purge_removed('carts')}) for @names;
} until (time > $until || join('', map { query($_, 'SELECT (SELECT count(*) FROM customers_removed) + (SELECT count(*) FROM carts_removed)') } @names) eq '00');
cmp_ok(time, '<', $until, 'what was removed with 1.0 can be purged');
agree('after purging');

$_->stop for values %server;
done_testing();
