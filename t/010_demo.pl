# examples/ and what script/demo shows: logs with vector clocks, loaded and asked; carts, merged;
# sagas, checked; traces, asked; three servers that write to one table.
use strict;
use warnings FATAL => 'all';

use File::Temp qw(tempdir);
use FindBin;
use IPC::Run;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $examples = "$FindBin::Bin/../examples";
my $orders = "$examples/orders.log";
my $directory = tempdir(CLEANUP => 1);
my $node = new_node('demo');
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$ENV{PGDATABASE} = 'postgres';
$node->safe_psql('postgres', 'create extension distributed');

# run(COMMAND...): its exit status, output and messages.
sub run
{
	my ($out, $err) = ('', '');
	IPC::Run::run([@_], '<', '/dev/null', '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

sub query { return $node->safe_psql('postgres', $_[0]) }

# analyse(SETTING...): the questions and their answers.
sub analyse
{
	my ($status, $out, $err) =
		run('psql', '-X', (map { ('-v', $_) } @_), '-f', "$examples/analyse.sql");
	return $status == 0 && $err eq '' ? $out : "failed: $out$err";
}

# file(NAME, TEXT): path of a new file.
sub file
{
	my ($name, $text) = @_;
	open my $file, '>', "$directory/$name" or die "$directory/$name: $!";
	print $file $text;
	close $file;
	return "$directory/$name";
}

sub text_of
{
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	return <$file>;
}

# loads_piped(NAME, FILE, REDIRECTION): the same from standard input.
sub loads_piped
{
	my ($name, $file, $redirection) = @_;
	query('drop table if exists events cascade');
	my ($status, $out, $err) = run('bash', '-c', sprintf($redirection, "$examples/load", $file));
	is("$status$err", '0', "$name: loads");
	return;
}

# loads(NAME, ARGUMENT...): load into a new table.
sub loads
{
	my ($name, @arguments) = @_;
	query('drop table if exists events cascade');
	my ($status, $out, $err) = run("$examples/load", @arguments);
	is("$status$err", '0', "$name: loads");
	return;
}

# refuses(NAME, PATTERN, LINE, TEXT, ARGUMENT...): says why, which line, shows it, loads nothing.
sub refuses
{
	my ($name, $pattern, $line, $text, @arguments) = @_;
	my $before = query('select count(*), sum(hashtext(e::text)::bigint) from events e');
	my ($status, $out, $err) = run("$examples/load", @arguments);
	isnt($status, 0, "$name: refused");
	like($err, $pattern, "$name: told why");
	like($err, qr/\bline $line\b.*?\Q$text\E/is, "$name: number and text of the line");
	like($err, qr/^load: \Q$arguments[-1]\E: nothing was loaded$/m, "$name: told what");
	is(query('select count(*), sum(hashtext(e::text)::bigint) from events e'), $before,
		"$name: nothing was loaded");
	return;
}

# counts(NAME, EVENTS, ORIGINS, CAUSAL, CONCURRENT, WIDTH): of the log that is loaded.
my $direct = 'select count(*), count(distinct origin) from events;
	select count(*) filter (where a.clock << b.clock), count(*) filter (where a.clock || b.clock) / 2
	from events a, events b';

sub counts
{
	my ($name, $events, $origins, $causal, $concurrent, $width) = @_;
	is(query($direct), "$events|$origins\n$causal|$concurrent", "$name: counts");
	my $answer = analyse();
	like($answer, qr/^ +$events \| +$origins$/m, "$name: shows events and origins");
	like($answer, qr/^ +$causal \| +$concurrent$/m, "$name: shows pairs");
	like($answer, qr/^ +width *\n-+\n +$width$/m, "$name: shows the width");
	unlike($answer, qr/^Note: (?!names are cut)/m, "$name: nothing amiss with its clocks");
	cmp_ok(scalar(split /\n/, $answer), '<', 200, "$name: keeps it short");

	# The ways that large logs take.
	my (undef, $out) = run('psql', '-XqAt', '-f', "$examples/widest_antichain.sql",
		'-c', 'select sum(known), bool_and(consistent) from pg_temp.events_known()',
		'-c', 'create temp table w as select * from pg_temp.widest_antichain()',
		'-c', 'select count(*), count(distinct origin) from w',
		'-c', 'select count(*) from w a, w b where a.clock || b.clock');
	is($out, "$causal|t\n$width|$width\n" . $width * ($width - 1) . "\n",
		"$name: counts without comparing pairs, an antichain of that width");
	return;
}

# survives(NAME): the log that is loaded comes back from its export with all its events, and from
# its form for texts of several lines, too.
sub survives
{
	my ($name) = @_;
	my $different = q{
		select count(*) from (select origin, seq, clock, event #>> '{}' as event from events) e
		full join shiviz_events(written) w on (e.origin, e.seq, e.clock, e.event)
			= (w.origin, w.seq, w.clock, w.event) where e.origin is null or w.origin is null};
	is(query(qq{
		create table again (like events including defaults);
		insert into again (origin, seq, clock, event)
			select origin, seq, clock, to_jsonb(event) from shiviz_events(to_shiviz('events'));
		select ($different) from to_shiviz('events') written;
		select to_shiviz('again') = to_shiviz('events');
		update events set event = to_jsonb(event #>> '{}' || E'\n===\n'), line = null;
		select ($different) from to_shiviz('events') written;
		drop table again}), "0\nt\n0", "$name: survives export and import");
	return;
}

# Logs of real systems. Widths: checked with a bipartite matching over all pairs.
SKIP:
{
	my %expected = (
		voldemort => [ 864, 20, 314312, 58504, 18 ],
		simpledb => [ 509, 5, 112349, 16937, 5 ],
		facebook => [ 47, 4, 1013, 68, 3 ]);
	skip 'no shared data (DISTRIBUTED_SHARED_DATA)', 9 * keys %expected
		unless defined shared_data('shiviz');
	for my $log (sort keys %expected)
	{
		loads($log, shared_data("shiviz/$log.log"));
		counts($log, @{ $expected{$log} });
		survives($log);
	}
}

# Three replicas of a table of shopping carts: what is shown before, after, and once more.
{
	my ($status, $out, $err) = run('psql', '-X', '-f', "$examples/cart.sql");
	is("$status$err", '0', 'carts: runs');
	like($out, qr/^\ berlin\ +\|\ ada\ +\|\ \{bread\}\ +\|\ +2\ \|\ \{"slot":\ "morning",\ "address":\ "1\ Elm\ St"\}\n
		\ lima\ +\|\ ada\ +\|\ \{bread,soup\}\ +\|\ +5\ .*\n
		\ tokyo\ +\|\ ada\ +\|\ \{noodles,soup\}\ +\|\ +7\ .*\n
		\ tokyo\ +\|\ bob\ +\|\ \{rice\}/mx, 'carts: they diverge');
	like($out, qr/^insert into cart\nselect customer, merge\(items\), merge\(quantity\), merge\(delivery\)\nfrom .*?\ngroup by customer;$/ms,
		'carts: one statement merges them');
	like($out, qr/^ ada +\| \{noodles,soup\} +\| +8 \| \{"slot": "evening", "address": "2 Oak St"\}\n bob +\| \{rice\} +\| +1 \| \{\}$/m,
		'carts: what comes out');
	like($out, qr/^ +2 \| +0$/m, 'carts: merged again, nothing changes');
	like($out, qr/^ +6 \| +1 \| +1 \| +1$/m, 'carts: one sequence of bytes in all six orders');
	like($out, qr/^ \{noodles,soup\} \| t$/m, 'carts: a delta brings a replica up to date');
	# (a session drops its temporary tables after psql has gone)
	ok($node->poll_query_until('postgres', q(select count(*) = 0 from pg_class where relname ~ '^cart')),
		'carts: nothing is left behind');
}

# What three nodes report of a saga: pairs that agree, a phantom, settled, a conflict; a lease.
{
	my ($status, $out, $err) = run('psql', '-X', '-f', "$examples/saga.sql");
	is("$status$err", '0', 'saga: runs');
	like($out, qr/^ berlin and lima +(\| committed ){3}\| f\n berlin and tokyo +(\| committed ){3}\| f\n lima and tokyo +(\| committed ){3}\| f$/m,
		'saga: every pair agrees');
	like($out, qr/^phantom: constraint "order-7": .*"berlin" .*"ship".*"lima" .*"charge".*"tokyo" .*"pack"/m,
		'saga: nobody has seen it, and what each lacks');
	like($out, qr/^ phantom \| \{"lima": \{"charge": "committed"\}, "tokyo": \{"pack": "committed"\}, "berlin": \{"ship": "committed"\}\}$/m,
		'saga: what is missing');
	like($out, qr/^ committed \| \{\}\n.*?^ +0\n/ms, 'saga: a late report settles it');
	like($out, qr/^ +1000 \| +1$/m, 'saga: one value whatever the order of reports');
	like($out, qr/^pairwise_conflict: .*"berlin" .*"tokyo".*\npairwise_conflict: .*"lima" .*"tokyo".*\nviolation: constraint "order-7": .*"charge" is in conflict/m,
		'saga: a contradiction, and who is in it');
	like($out, qr/^ printer \| +1 \| conflict \| t +\| \{"tokyo": "expired", "berlin": "released"\}\n printer \| +2 \| active +\| f/m,
		'saga: a lease in conflict, with both witnesses');
	ok($node->poll_query_until('postgres', q(select count(*) = 0 from pg_class where relname in ('reports', 'sagas', 'merged', 'rules', 'leases'))),
		'saga: nothing is left behind');
}

# Traces of thirty orders: what comes in, which one failed, why, and what the replica did not know.
{
	my ($status, $out, $err) = run('psql', '-X', '-v', "svg=$directory/order.svg", '-f', "$examples/trace.sql");
	is("$status$err", '0', 'trace: runs');
	like($out, qr/^ +298 \| +298 \| +0 \| +0\n.*^ +298 \| +0 \| +0 \| +298$/ms, 'trace: sent twice, stored once');
	like($out, qr/^ <redacted> \| +30$/m, 'trace: no token came in');
	my ($failed) = $out =~ /^ ([0-9a-f]{32}) \| web POST \/orders \| +8 \| +1 \| \{orders,payments,stock,web\}$/m;
	ok(defined $failed, 'trace: finds the one that failed');
	like($out, qr/^ $failed$/m, 'trace: and that it was slow');
	like($out, qr/^ web: POST \/orders +\| +0\.0 .*\n   orders: PlaceOrder .*(\n.*){2}\n     stock: Reserve .*\| error\n       stock: SELECT item FOR UPDATE /m,
		'trace: as a tree');
	like($out, qr/waited_ms *\n-[-+]+\n stock: SELECT item FOR UPDATE \| +176\.0$/m, 'trace: what it waited for');
	like($out, qr/share *\n-[-+]+\n payments: POST \/authorize +\| +30 /m, 'trace: what all waited for');
	like($out, qr/^ orders \| stock +\| +30 \| +1 /m, 'trace: who calls whom');
	like($out, qr/^ tokyo +\| +50 \| delivered \| concurrent +\| +16$/m, 'trace: what the replica did not know');
	like(text_of("$directory/order.svg"), qr/^<svg .*trace $failed .*>SELECT item FOR UPDATE<.*<\/svg>\n\z/s, 'trace: the picture');
	is(query(q(select count(*) from pg_namespace where nspname = 'shop')), '0', 'trace: no store is left behind');
	($status, $out, $err) = run('psql', '-X', '-v', 'keep=on', '-f', "$examples/trace.sql");
	is("$status$err", '0', 'trace: runs, and keeps the store');
	is(query('select count(*) from shop.spans'), '298', 'trace: the store is kept');
	query('set client_min_messages = warning; drop schema shop cascade');
}

# Three servers that write to one table: at once, while one is cut off, and after that.
{
	my @servers = map { new_node($_, 'wal_retrieve_retry_interval = 200ms') } qw(berlin lima tokyo);
	$_->safe_psql('postgres', 'create extension distributed') foreach @servers;
	my ($status, $out, $err) = run("$examples/active-active", map { $_->connstr('postgres') } @servers);
	is("$status$err", '0', 'active-active: runs');
	like($out, qr/^ada   visits   300 +300 +300\n +wants    bread soup +bread soup +bread soup\n +address  1 Elm St +1 Elm St +1 Elm St\n/m,
		'active-active: writes at once all count');
	like($out, qr/^ada   visits   301 +301 +302 +<- differ\n(.*\n){2}bob   visits   \(no row\) +\(no row\) +1 +<- differ\n(.*\n){2}carol visits   \(no row\) /m,
		'active-active: cut off, they go on');
	like($out, qr/^ada   visits   303 +303 +303\n +wants    bread rice soup +bread rice soup +bread rice soup\n +address  (9 Sakura +){2}9 Sakura\nbob   visits   1 +1 +1\n(.*\n){2}dan   visits   7 +7 +7\n.*\n +address  (\S \w+ +){2}\S \w+\n\n/m,
		'active-active: healed, they agree');
	like($out, qr/^berlin   (\w{32})\nlima     \1\ntokyo    \1\n/m, 'active-active: byte for byte');
	like($out, qr/^berlin( +[1-9][0-9]*){4}\nlima( +[1-9][0-9]*){4}\ntokyo( +[1-9][0-9]*){4}\n/m, 'active-active: counts what became of rows');
	$_->stop foreach @servers;
}

# Our own recording.
loads('orders', $orders);
counts('orders', 192, 5, 16665, 1671, 5);
like(analyse('origin=shop', 'seq=24'), qr/number 24 of shop\b.*order 4: stock says sold out/s,
	'asked about a chosen event');
cmp_ok(scalar(split /\n/, analyse('all=on')), '>', 192 * 2, 'all events');
cmp_ok(length analyse('rows=1'), '<', length analyse(), 'few rows');
like(analyse('origin=shop', 'seq=1000'), qr/origin shop has no event 1000: it has 1 to 102/,
	'no such event');
like(analyse('origin=shoe', 'seq=1'), qr/there is no origin shoe: there are payments-1, .*, stock/,
	'no such origin');

# Of each event: its past, future and direct causes, as the questions ask for them and as they are
# defined.
is(query(q{
	select count(*),
		count(*) filter (where array(select origin || seq from causal_past('events', c.origin, c.seq) e order by e.clock)
			<> array(select e.origin || seq from events e where e.clock << c.clock order by e.clock)),
		count(*) filter (where array(select origin || seq from causal_future('events', c.origin, c.seq) e order by e.clock)
			<> array(select e.origin || seq from events e where e.clock >> c.clock order by e.clock)),
		count(*) filter (where array(select origin || seq from causal_parents('events', c.origin, c.seq) e order by e.clock)
			<> array(select e.origin || seq from events e where e.clock << c.clock and not exists
				(select from events b where e.clock << b.clock and b.clock << c.clock) order by e.clock))
	from events c}), '192|0|0|0', 'past, future and direct causes of every event');

# Other shapes of the same log.
my $rows = 'select md5(string_agg(origin || clock || event, chr(10) order by origin, seq)) from events';
my $same = query($rows);
my $text = text_of($orders);
loads('clock first', file('clock_first.log', $text =~ s/(.*)\n(.*)\n/$2\n$1\n/gr));
is(query($rows), $same, 'clock first: the same events');
loads_piped('standard input', $orders, '%s <%s');
is(query($rows), $same, 'standard input: the same events');
loads_piped('a pipe', $orders, '%s - < <(cat %s)');
is(query($rows), $same, 'a pipe: the same events');
loads('blanks', file('blanks.log', "\xEF\xBB\xBF\n" . $text =~ s/\}\n/} \t\r\n\r\n\n/gr));
is(query($rows), $same, 'blank lines and ends, CRLF, a byte order mark: the same events');
loads('ShiViz header', file('header.log', '(?<event>.*)\n(?<host>\S*) (?<clock>{.*})' . "\n\n$text"));
is(query($rows), $same, 'with the first lines of a ShiViz file: the same events');
loads('own expression', '--regex', '^(?<date>\S+) \[(?<host>\S+)\] (?<event>.*?) @ (?<clock>\{.*\})$',
	file('own.log', $text =~ s/(.*)\n(\S+) (.*)\n/2026-11-22 [$2] $1 @ $3\n/gr));
is(query($rows), $same, 'own expression: the same events');
loads('expression over three lines', '--regex',
	'(?<clock>{.*})\nhost (?<host>\S*)\n(?<event>.*)',
	file('three.log', $text =~ s/(.*)\n(\S+) (.*)\n/$3\nhost $2\n$1\n\n/gr));
is(query($rows), $same, 'expression over three lines: the same events');
loads('odd texts', file('odd.log', <<'END'));
a tab	a backslash \N, a :variable and a {"brace": 1}
a {"a": 1}

a {"a": 2}
'; drop table events; --
a {"a":3}
é “ü”
é {"é": 1}
END
is(query(q(select origin, seq, event #>> '{}', line from events order by line)), <<'END' =~ s/\n\z//r,
a|1|a tab	a backslash \N, a :variable and a {"brace": 1}|2
a|2||4
a|3|'; drop table events; --|6
é|1|é “ü”|8
END
	'odd texts and hosts, an empty text');

# Malformed lines, refused beside a log that is there.
my $good = "start\na {\"a\": 1}\ngo on\na {\"a\": 2}\nstart\nb {\"b\": 1}\n";
sub broken { my ($from, $to) = @_; return file('broken.log', $good =~ s/\Q$from\E/$to/r) }
query('delete from events');
loads('good', file('good.log', $good));
query(q(update events set origin = 'earlier ' || origin, clock = vclock('earlier ' || origin, seq)));
refuses('no clock', qr/clock is missing in the line below/, 3, 'go on', broken("a {\"a\": 2}\n", ''));
refuses('no number', qr/Token "x" is invalid/, 4, 'a {"a": x}', broken('2}', 'x}'));
refuses('too large', qr/greater than/, 4, 'a {"a": 9223372036854775808}', broken('2}', '9223372036854775808}'));
refuses('own host missing', qr/does not count its own host, "b"/, 6, 'b {"a": 1}',
	broken('{"b": 1}', '{"a": 1}'));
refuses('event twice', qr/Event 1 of host "a" is there already, in line 2/, 4, 'a {"a": 1}',
	broken('2}', '1}'));
query(q(insert into events (origin, seq, clock, line) values ('b', 1, vclock('b', 1), 77)));
refuses('event of an earlier log', qr/event 1 of host b is in the table already.*from line 77/s, 6,
	'b {"b": 1}', file('broken.log', $good));
refuses('not UTF-8', qr/not UTF-8/, 3, 'go ?', broken('go on', "go \xE9"));
refuses('own expression', qr/finds no event here/, 3, 'go on', '--regex',
	'^(?<event>\w+)\n(?<host>\S*) (?<clock>{.*})', broken("nothing\n", ''));
refuses('several executions', qr/several executions/, 2, '=== (?<trace>.*)',
	file('broken.log', "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n=== (?<trace>.*)\n$good"));

for my $case (
	[ 'an expression with an error', qr/invalid regular expression/, '--regex', '(?<host>(?<clock>(?<event>' ],
	[ 'an expression without host', qr/needs a group \(\?<host>/, '--regex', '(?<clock>.)(?<event>.)' ],
	[ 'no such log', qr/cannot read/, "$directory/none.log" ],
	[ 'an empty log', qr/no events/, file('empty.log', '') ],
	[ 'zero bytes', qr/zero bytes/, file('zero.log', "a\0\na {\"a\": 1}\n") ],
	[ 'an unknown option', qr/unknown option/, '--fast' ])
{
	my ($name, $pattern, @arguments) = @$case;
	my ($status, $out, $err) = run("$examples/load", @arguments,
		$arguments[0] eq '--regex' ? $orders : ());
	isnt($status, 0, "$name: refused");
	like($err, $pattern, "$name: told why");
}

# Clocks that contradict each other can be loaded, but are pointed out.
loads('gap', file('gap.log', "late\na {\"a\": 5}\nx\nb {\"a\": 7, \"b\": 1}\n"));
like(analyse(), qr/count 6 more events than the log has/, 'events that the log lacks');
loads('wrong', file('wrong.log', "x\na {\"a\": 1, \"b\": 1}\ny\na {\"a\": 2}\nz\nb {\"b\": 1}\n"));
like(analyse(), qr/1 times a clock counts an event without .*\nline 4:/, 'a clock that forgets');
query('delete from events');
like(analyse(), qr/is empty/, 'an empty table');

# A new recording.
my ($status, $out, $err) = run("$examples/record", '--server', "$directory/new.log");
is("$status$err", '0', 'records');
loads('new recording', "$directory/new.log");
is(query('select count(*), count(distinct origin), total(merge(clock)) from events'), '192|5|192',
	'new recording: all events of all processes');
is(query(q(select count(*) from events a, events b where a.event = '"order 7: tell stock: reserve"'
	and b.event = '"order 7: stock says reserved"' and a.clock << b.clock)), '1',
	'new recording: question before answer');
cmp_ok(query('select count(*) from events a, events b where a.clock || b.clock'), '>', 0,
	'new recording: not everything waited for everything');

done_testing();
