# What the clients of a chaos run do: random transactions, each with its outcome and all that the
# checks need to know of it written down (see Chaos::Ledger).
package Chaos::Workload;

use strict;
use warnings FATAL => 'all';

use Chaos::Ledger;
use Time::HiRes qw(sleep time);

# The tables. Each has a key, and columns or table options that are none too easy.
our @tables = (
	{ name => 'counters', key => ['id'], rule => q{'none'}, sql => q{
		CREATE TABLE counters (id integer PRIMARY KEY, hits gcounter NOT NULL DEFAULT '{}', balance pncounter NOT NULL DEFAULT '{}')} },
	{ name => 'carts', key => [ 'shop', 'id' ], rule => q{'none'}, sql => q{
		CREATE TABLE carts (shop text, id integer, items orset NOT NULL DEFAULT '{}', PRIMARY KEY (shop, id))} },
	{ name => 'registers', key => ['id'], rule => q{'none'}, sql => q{
		CREATE TABLE registers (id integer PRIMARY KEY, word lww_register NOT NULL DEFAULT '{}', doc or_map NOT NULL DEFAULT '{}')} },
	{ name => 'notes', key => ['id'], rule => q{'lww'}, sql => q{
		CREATE TABLE notes (id integer PRIMARY KEY, gone text, title text, body text, "Size" bigint, views gcounter NOT NULL DEFAULT '{}', tags orset NOT NULL DEFAULT '{}',
			title_length integer GENERATED ALWAYS AS (length(title)) STORED);
		ALTER TABLE notes DROP COLUMN gone} },
	{ name => 'drafts', key => ['id'], rule => q{'lww', 'remove'}, sql => q{
		CREATE TABLE drafts (id integer PRIMARY KEY, title text)} },
	{ name => 'parcels', key => ['id'], rule => q{'lww'}, sql => q{
		CREATE TABLE parcels (id integer PRIMARY KEY, number bigint)} },
	{ name => 'branches', key => ['id'], rule => q{'lww'}, sql => q{
		CREATE TABLE branches (id integer PRIMARY KEY, parent integer REFERENCES branches ON DELETE CASCADE, name text)} },
	{ name => 'visits', key => ['id'], rule => q{'lww'}, sql => q{
		CREATE TABLE visits (id integer PRIMARY KEY, place text, n gcounter NOT NULL DEFAULT '{}') PARTITION BY RANGE (id);
		CREATE TABLE visits_hot PARTITION OF visits FOR VALUES FROM (MINVALUE) TO (100);
		CREATE TABLE visits_cold PARTITION OF visits DEFAULT} });

# Columns that the table notes has got in the run, which a file lists.
sub new_columns
{
	my ($cluster) = @_;

	open my $file, '<', "$cluster->{directory}/columns" or return;
	chomp(my @columns = <$file>);
	return @columns;
}

# What is done how often; some needs a version of PostgreSQL.
my @kinds = (
	[ 18, 'increment' ], [ 6, 'upsert of a counter' ], [ 4, 'insert of a counter' ], [ 10, 'increment or decrement' ],
	[ 11, 'set add' ], [ 7, 'set remove' ], [ 6, 'map put' ], [ 3, 'map remove' ], [ 6, 'register write' ],
	[ 5, 'insert' ], [ 4, 'upsert' ], [ 10, 'update' ], [ 4, 'delete' ], [ 4, 'increment of a view count' ], [ 5, 'tag added' ], [ 2, 'tag removed' ],
	[ 3, 'insert (remove wins)' ], [ 4, 'update (remove wins)' ], [ 3, 'delete (remove wins)' ], [ 2, 'insert of a parcel' ],
	[ 3, 'upsert that adds what is excluded' ], [ 2, 'update of nothing' ], [ 3, 'MERGE', 15 ], [ 2, 'write of a new column' ],
	[ 4, 'insert of a branch' ], [ 3, 'update of a branch' ], [ 2, 'delete of branches' ],
	[ 4, 'insert of a visit' ], [ 5, 'increment of visits' ], [ 2, 'update of a visit' ], [ 2, 'delete of visits' ]);

# Text that pglz finds nothing in.
my $noise = join '', map { chr(33 + (($_ * 7919 + int($_ / 94) * 104_729 + $_ * $_ % 9973) % 94)) } 1 .. 60_000;
$noise =~ tr/\\'"/xyz/;

# new(CLUSTER, NODE, NUMBER, SEED): client NUMBER of the run, with its own stream of random numbers.  The
# option first: it is the one of its server that also acknowledges removals.
sub new
{
	my ($class, $cluster, $node, $number, $seed, %options) = @_;

	srand($seed * 1009 + $number);
	return bless {
		cluster => $cluster, node => $node, number => $number, count => 0, session => undef, acknowledged => 0, %options,
		wheel => [ map { my ($weight, $kind, $version) = @$_; ($kind) x ($cluster->{version} >= ($version // 0) ? $weight : 0) } @kinds ],
		ledger => Chaos::Ledger->append("$cluster->{directory}/ledger.$number", $node) }, $class;
}

sub _pick { return $_[ int rand @_ ] }

# A token that is written once in a run.
sub _token { my ($self) = @_; return "$self->{node}$self->{number}." . ++$self->{count} }
sub _number { my ($self) = @_; return $self->{number} * 10_000_000 + ++$self->{count} }

# Every tenth value is larger than a page.
sub _padded
{
	my ($self, $token) = @_;

	return $token if rand() >= 0.1;
	return "$token " . substr $noise, int rand 40_000, 8_500 + int rand 8_000;
}

# Keys: a few that all clients are at all the time, and some that come up after another, on all
# servers at about the same time.
sub _key
{
	my ($self, $hot) = @_;

	return 1 + int rand $hot if rand() < 0.8;
	return 1000 + int($self->{count} / 20) + int rand 5;
}

sub _ctx { my ($text) = @_; $text =~ tr/{}" //d; return $text eq '' ? '-' : $text }

# _dots(TEXT): "a:5,b:7" of a list of dots as the types print it.
sub _dots { my ($text) = @_; return join(',', map { tr/" //dr =~ s/,/:/r } ($text // '') =~ /\[("[^"]*", \d+)\]/g) || '-' }

# _presence(TEXT): dots and context of a row's presence.
sub _presence
{
	my ($text) = @_;
	my ($context) = $text =~ /"context": (\{.*?\})/;
	my ($dots) = $text =~ /"live": (\{.*?\})/;

	return map { defined $_ ? _ctx($_) : '-' } $dots, $context;
}

# The effect of a write of a row, by its stamp when the statement has ended: one that takes up what a
# removed row was is not what RETURNING has told.
sub _row
{
	my ($self, $table, $id) = @_;
	my ($row) = $self->_rows("SELECT _merge FROM $table WHERE id = \$1", $id);

	return "dot $table $id " . join ' ', _presence($row->[0]);
}

# _rows(STATEMENT, VALUE...): what it returns.
sub _rows
{
	my ($self, $statement, @values) = @_;
	my $handle = $self->{session}->prepare_cached($statement);

	$handle->execute(@values);
	return $handle->{NUM_OF_FIELDS} ? @{ $handle->fetchall_arrayref } : ();
}

# One operation: its effects, as the ledger notes them; none if there was nothing to do.
my %perform = (
	'increment' => sub {
		my ($self) = @_;
		my ($id, $by) = ($self->_key(12), 1 + int rand 3);
		return map { "inc counters.hits $id $by" } $self->_rows('UPDATE counters SET hits = hits + $1 WHERE id = $2 RETURNING id', $by, $id);
	},
	'upsert of a counter' => sub {
		my ($self) = @_;
		my ($id, $by) = ($self->_key(12), 1 + int rand 3);
		return map { "inc counters.hits $id $by" } $self->_rows(
			q{INSERT INTO counters AS c (id, hits) VALUES ($2, increment('{}'::gcounter, $1)) ON CONFLICT (id) DO UPDATE SET hits = c.hits + $1 RETURNING id}, $by, $id);
	},
	'insert of a counter' => sub {
		my ($self) = @_;
		my ($id, $by) = (1000 + int($self->{count} / 10) + int rand 5, 1 + int rand 3);
		return map { "inc counters.hits $id $by" } $self->_rows(
			q{INSERT INTO counters (id, hits) VALUES ($2, increment('{}'::gcounter, $1)) ON CONFLICT DO NOTHING RETURNING id}, $by, $id);
	},
	'increment or decrement' => sub {
		my ($self) = @_;
		my ($id, $by, $sign) = ($self->_key(12), 1 + int rand 3, _pick('+', '-'));
		return map { "inc counters.balance $id $sign$by" =~ tr/+//dr } $self->_rows(
			"UPDATE counters SET balance = balance $sign \$1 WHERE id = \$2 RETURNING id", $by, $id);
	},
	'set add' => sub {
		my ($self) = @_;
		my ($shop, $id, $element) = (_pick('north', q{o'south}), 1 + int rand 6, 'e' . int rand 10);
		$element .= '-' . substr $noise, 100 * length($element) + 900 * $id, 900 if $id > 4;       # these become large
		return map { "dot carts.items $shop/$id/" . substr($element, 0, 2) . ' ' . _dots($_->[0]) . ' ' . _ctx($_->[1]) } $self->_rows(
			q{INSERT INTO carts AS c (shop, id, items) VALUES ($1, $2, add('{}'::orset, $3)) ON CONFLICT (shop, id) DO UPDATE SET items = c.items + $3
				RETURNING items::jsonb -> 'elements' ->> $3, context(items)}, $shop, $id, $element);
	},
	'set remove' => sub {
		my ($self) = @_;
		my ($shop, $id, $element) = (_pick('north', q{o'south}), 1 + int rand 6, 'e' . int rand 10);
		$element .= '-' . substr $noise, 100 * length($element) + 900 * $id, 900 if $id > 4;
		return map { "drop carts.items $shop/$id/" . substr($element, 0, 2) . ' ' . _ctx($_->[0]) } $self->_rows(
			q{UPDATE carts SET items = items - $3 WHERE shop = $1 AND id = $2 AND contains(items, $3) RETURNING context(items)}, $shop, $id, $element);
	},
	'map put' => sub {
		my ($self) = @_;
		my ($id, $key, $token) = (1 + int rand 10, 'k' . int rand 4, $self->_token);
		return map { "dot registers.doc $id/$key " . _dots($_->[0]) . ' ' . _ctx($_->[1]) } $self->_rows(
			q{INSERT INTO registers AS r (id, doc) VALUES ($1, put('{}'::or_map, $2, $3)) ON CONFLICT (id) DO UPDATE SET doc = put(r.doc, $2, $3)
				RETURNING doc::jsonb -> 'entries' ->> $2, context(doc)}, $id, $key, $token);
	},
	'map remove' => sub {
		my ($self) = @_;
		my ($id, $key) = (1 + int rand 10, 'k' . int rand 4);
		return map { "drop registers.doc $id/$key " . _ctx($_->[0]) } $self->_rows(
			q{UPDATE registers SET doc = remove(doc, $2) WHERE id = $1 AND contains(doc, $2) RETURNING context(doc)}, $id, $key);
	},
	'register write' => sub {
		my ($self) = @_;
		my ($id, $token) = (1 + int rand 10, $self->_token);
		return map { "write registers.word $id $token" } $self->_rows(
			q{UPDATE registers SET word = set(word, $2, hlc_now()) WHERE id = $1 RETURNING id}, $id, $self->_padded($token));
	},
	'insert' => sub {
		my ($self) = @_;
		my ($id, $title, $body, $size) = ($self->_key(20), $self->_token, $self->_token, $self->_number);
		return map { ($self->_row('notes', $id), "write notes.title $id $title", "write notes.body $id $body", "write notes.Size $id $size") } $self->_rows(
			q{INSERT INTO notes (id, title, body, "Size") VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id}, $id, $title, $self->_padded($body), $size);
	},
	'upsert' => sub {
		my ($self) = @_;
		my ($id, $title, $body, $size) = ($self->_key(20), $self->_token, $self->_token, $self->_number);
		return map { ($self->_row('notes', $id), "write notes.title $id $title", "write notes.body $id $body", "write notes.Size $id $size") } $self->_rows(
			q{INSERT INTO notes (id, title, body, "Size") VALUES ($1, $2, $3, $4)
				ON CONFLICT (id) DO UPDATE SET title = excluded.title, body = excluded.body, "Size" = excluded."Size" RETURNING id}, $id, $title, $self->_padded($body), $size);
	},
	'update' => sub {
		my ($self) = @_;
		my ($id, $title) = ($self->_key(20), $self->_token);
		my $what = int rand 3;
		if ($what == 0)
		{
			return map { ($self->_row('notes', $id), "write notes.title $id $title") } $self->_rows(
				q{UPDATE notes SET title = $2 WHERE id = $1 RETURNING id}, $id, $title);
		}
		if ($what == 1)
		{
			my $size = $self->_number;
			return map { ($self->_row('notes', $id), "write notes.Size $id $size") } $self->_rows(
				q{UPDATE notes SET "Size" = $2 WHERE id = $1 RETURNING id}, $id, $size);
		}
		my $body = $self->_token;
		return map { ($self->_row('notes', $id), "write notes.title $id $title", "write notes.body $id $body") } $self->_rows(
			q{UPDATE notes SET title = $2, body = $3 WHERE id = $1 RETURNING id}, $id, $title, $self->_padded($body));
	},
	'delete' => sub { my ($self) = @_; return $self->_delete('notes', $self->_key(20)) },
	'increment of a view count' => sub {
		my ($self) = @_;
		my ($id, $by) = ($self->_key(20), 1 + int rand 3);
		return map { ("inc notes.views $id $by", $self->_row('notes', $id)) } $self->_rows(
			q{UPDATE notes SET views = views + $2 WHERE id = $1 RETURNING id}, $id, $by);
	},
	'tag added' => sub {
		my ($self) = @_;
		my ($id, $tag) = ($self->_key(20), 't' . int rand 5);
		return map { ($self->_row('notes', $id), "dot notes.tags $id/$tag " . _dots($_->[1]) . ' ' . _ctx($_->[2])) } $self->_rows(
			q{UPDATE notes SET tags = tags + $2 WHERE id = $1 RETURNING id, tags::jsonb -> 'elements' ->> $2, context(tags)}, $id, $tag);
	},
	'tag removed' => sub {
		my ($self) = @_;
		my ($id, $tag) = ($self->_key(20), 't' . int rand 5);
		return map { ($self->_row('notes', $id), "drop notes.tags $id/$tag " . _ctx($_->[1])) } $self->_rows(
			q{UPDATE notes SET tags = tags - $2 WHERE id = $1 AND contains(tags, $2) RETURNING id, context(tags)}, $id, $tag);
	},
	'insert (remove wins)' => sub {
		my ($self) = @_;
		my ($id, $title) = ($self->_key(10), $self->_token);
		return map { ($self->_row('drafts', $id), "write drafts.title $id $title") } $self->_rows(
			q{INSERT INTO drafts (id, title) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id}, $id, $title);
	},
	'update (remove wins)' => sub {
		my ($self) = @_;
		my ($id, $title) = ($self->_key(10), $self->_token);
		return map { "write drafts.title $id $title" } $self->_rows(q{UPDATE drafts SET title = $2 WHERE id = $1 RETURNING id}, $id, $title);
	},
	'delete (remove wins)' => sub { my ($self) = @_; return $self->_delete('drafts', $self->_key(10)) },
	'insert of a parcel' => sub {
		my ($self) = @_;
		my (undef, @effects) = @{ $self->parcel(1 + int rand 1000, $self->_number) };
		return @effects;
	},
	'upsert that adds what is excluded' => sub {
		my ($self) = @_;
		my ($id, $by) = ($self->_key(12), 1 + int rand 3);
		my $sum = _pick('excluded.hits', 'c.hits | excluded.hits', 'c.hits + value(excluded.hits)::bigint');
		return map { "inc counters.hits $id $by" } $self->_rows(
			qq{INSERT INTO counters AS c (id, hits) VALUES (\$2, increment('{}'::gcounter, \$1)) ON CONFLICT (id) DO UPDATE SET hits = $sum RETURNING id}, $by, $id);
	},
	'update of nothing' => sub {
		my ($self) = @_;
		my $id = $self->_key(20);
		return map { $self->_row('notes', $id) } $self->_rows(q{UPDATE notes SET title = title, body = body, views = views, tags = tags WHERE id = $1 RETURNING id}, $id);
	},
	'MERGE' => sub {
		my ($self) = @_;
		my ($id, $title, $body, $size) = ($self->_key(20), $self->_token, $self->_token, $self->_number);
		my $handle = $self->{session}->prepare_cached(
			q{MERGE INTO notes AS n USING (SELECT $1::integer AS id) AS s ON n.id = s.id WHEN MATCHED THEN UPDATE SET title = $2, body = $3, "Size" = $4
				WHEN NOT MATCHED THEN INSERT (id, title, body, "Size") VALUES (s.id, $2, $3, $4)});
		$handle->execute($id, $title, $self->_padded($body), $size);
		return ($self->_row('notes', $id), "write notes.title $id $title", "write notes.body $id $body", "write notes.Size $id $size");
	},
	'write of a new column' => sub {
		my ($self) = @_;
		my ($column) = reverse new_columns($self->{cluster}) or return ();
		my ($id, $token) = ($self->_key(20), $self->_token);
		return map { ($self->_row('notes', $id), "write notes.$column $id $token") } $self->_rows("UPDATE notes SET $column = \$2 WHERE id = \$1 RETURNING id", $id, $token);
	},
	'insert of a branch' => sub {
		my ($self) = @_;
		my ($id, $name) = (1 + int rand 30, $self->_token);
		return map { ($self->_row('branches', $id), "write branches.name $id $name") } $self->_rows(
			q{INSERT INTO branches (id, parent, name) VALUES ($1, (SELECT max(id) FROM branches WHERE id < $1::integer - $2::integer), $3) ON CONFLICT DO NOTHING RETURNING id}, $id, int rand 10, $name);
	},
	'update of a branch' => sub {
		my ($self) = @_;
		my ($id, $name) = (1 + int rand 30, $self->_token);
		return map { ($self->_row('branches', $id), "write branches.name $id $name") } $self->_rows(
			q{UPDATE branches SET parent = (SELECT max(id) FROM branches WHERE id < $1::integer - $2::integer), name = $3 WHERE id = $1 RETURNING id}, $id, int rand 10, $name);
	},
	'delete of branches' => sub { my ($self) = @_; return $self->_delete('branches', 1 + int rand 30) },
	'insert of a visit' => sub {
		my ($self) = @_;
		my ($id, $place, $by) = ($self->_key(15), $self->_token, 1 + int rand 3);
		return map { ($self->_row('visits', $id), "write visits.place $id $place", "inc visits.n $id $by") } $self->_rows(
			q{INSERT INTO visits AS v (id, place, n) VALUES ($1, $2, increment('{}'::gcounter, $3)) ON CONFLICT (id) DO UPDATE SET place = excluded.place, n = v.n | excluded.n RETURNING id}, $id, $place, $by);
	},
	'increment of visits' => sub {
		my ($self) = @_;
		my ($id, $by) = ($self->_key(15), 1 + int rand 3);
		return map { ("inc visits.n $id $by", $self->_row('visits', $id)) } $self->_rows(q{UPDATE visits SET n = n + $2 WHERE id = $1 RETURNING id}, $id, $by);
	},
	'update of a visit' => sub {
		my ($self) = @_;
		my ($id, $place) = ($self->_key(15), $self->_token);
		return map { ($self->_row('visits', $id), "write visits.place $id $place") } $self->_rows(q{UPDATE visits SET place = $2 WHERE id = $1 RETURNING id}, $id, $place);
	},
	'delete of visits' => sub { my ($self) = @_; return $self->_delete('visits', $self->_key(15)) });

# parcel(ID, NUMBER): put a number there, as one operation.
sub parcel
{
	my ($self, $id, $number) = @_;
	$self->_rows(
		q{INSERT INTO parcels AS p (id, number) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET number = excluded.number RETURNING id}, $id, $number);

	return [ 'insert of a parcel', $self->_row('parcels', $id), "write parcels.number $id $number" ];
}

# DELETE tells how many there were; what is known of the removed row, and of those that went with it, is in
# the companion.
sub _delete
{
	my ($self, $table, $id) = @_;
	my $handle = $self->{session}->prepare_cached("DELETE FROM $table WHERE id = \$1");

	return () if $handle->execute($id) < 1;
	return map { "drop $table $_->[0] " . (_presence($_->[1]))[1] } $self->_rows("SELECT id, _merge FROM ${table}_removed WHERE xmin = pg_current_xact_id()::xid");
}

# connected(): is there a session? Tries to have one.
sub connected
{
	my ($self) = @_;

	return 1 if $self->{session};
	$self->{session} = eval { $self->{cluster}->connect_to($self->{node}) } or return 0;
	return 1 if eval {
		$self->{session}->do(q{SET application_name = 'client'; SET statement_timeout = '30s'});
		1;
	};
	$self->_disconnect;
	return 0;
}

sub _disconnect
{
	my ($self) = @_;

	# prepared statements complain that they cannot be freed any more
	local $SIG{__WARN__} = sub { };
	eval { $self->{session}->disconnect };
	$self->{session} = undef;
	return;
}

# The SQLSTATE of what has failed; the driver's own, if there is no connection any more, mean nothing.
sub _state
{
	my ($session) = @_;
	my $state = $session->state;

	return $state =~ /^(57P|40)/ || $session->ping ? $state : '08006';
}

# transact(SUB): what SUB does in one transaction, which adds [kind, effect...] to the list that it
# gets. Its outcome: acknowledged, aborted or indeterminate.
sub transact
{
	my ($self, $sub) = @_;
	my ($session, $start, @done) = ($self->{session}, time);

	my $outcome = 'acknowledged';
	my $error = '';
	if (!eval { $session->begin_work; $sub->(\@done); 1 })
	{
		# before COMMIT is sent, nothing has happened
		$outcome = 'aborted';
		$error = _state($session);
		push @done, [ $self->{doing} ] if !@done;
		$self->_disconnect if !eval { $session->rollback; 1 } || !$session->ping;
	}
	elsif (!eval { $session->commit; 1 })
	{
		# the server says that it could not, or says nothing
		$error = _state($session);
		$outcome = $error =~ /^(40(?!003)|23|55P03)/ ? 'aborted' : 'indeterminate';
		$self->_disconnect;
	}
	@done = grep { @$_ > 1 || $outcome eq 'aborted' } @done;
	$self->{ledger}->note($outcome, $error, $start, time, @done) if @done;
	$self->{acknowledged} += @done if $outcome eq 'acknowledged';
	return $outcome;
}

# An increment without BEGIN and COMMIT: when the answer does not come, it may have been done.
sub step_alone
{
	my ($self) = @_;
	my ($session, $start) = ($self->{session}, time);
	my ($id, $by) = ($self->_key(12), 1 + int rand 3);
	my ($outcome, $error) = ('acknowledged', '');
	my $count = eval { $session->do('UPDATE counters SET hits = hits + $1 WHERE id = $2', undef, $by, $id) };

	++$self->{count};
	if (!$count)
	{
		$error = _state($session);
		$outcome = $session->ping ? 'aborted' : 'indeterminate';
		$self->_disconnect if $outcome eq 'indeterminate';
	}
	elsif ($count < 1) { return }
	$self->{ledger}->note($outcome, $error, $start, time, [ 'increment', "inc counters.hits $id $by" ]);
	++$self->{acknowledged} if $outcome eq 'acknowledged';
	return;
}

# operate(DONE): one random operation.
sub operate
{
	my ($self, $done) = @_;

	++$self->{count};
	my $kind = $self->{doing} = _pick(@{ $self->{wheel} });
	push @$done, [ $kind, $perform{$kind}->($self) ];
	return;
}

# step(): one random transaction: often of one operation, else of several, some of which may be undone.
sub step
{
	my ($self) = @_;

	return $self->step_alone if rand() < 0.1;
	my $many = rand() < 0.7 ? 1 : 2 + int rand 5;

	return $self->transact(sub {
		my ($done) = @_;
		for (1 .. $many)
		{
			if ($many == 1 || rand() > 0.1) { $self->operate($done); next }
			$self->{session}->do('SAVEPOINT s');
			$self->operate([]);
			$self->{session}->do('ROLLBACK TO s; RELEASE s');
		}
	});
}

# acknowledge(): tell the other servers what this one has seen, as a job of every server would.
sub acknowledge
{
	my ($self) = @_;

	return if eval { $self->{session}->do('SELECT acknowledge_removals()'); 1 };
	$self->_disconnect if !$self->{session}->ping;
	return;
}

# run(SECONDS BETWEEN TRANSACTIONS, HANDLE): until told to stop by SIGTERM. How many operations were
# acknowledged goes to the handle now and then.
sub run
{
	my ($self, $pause, $handle) = @_;
	my ($stop, $next, $told, $tell) = (0, time + rand $pause, 0, time);
	my $parent = getppid;
	my $acknowledge = $self->{first} ? time + rand 1 : undef;

	local $SIG{TERM} = sub { $stop = 1 };
	while (!$stop && getppid == $parent)
	{
		my $now = time;
		if ($now > $tell)
		{
			syswrite $handle, ($self->{acknowledged} - $told) . "\n";
			($told, $tell) = ($self->{acknowledged}, $now + 0.5);
		}
		if ($now < $next) { sleep($next - $now > 0.5 ? 0.5 : $next - $now); next }
		$next = $now - $next > 0.2 ? $now : $next + $pause;
		if (!$self->connected) { sleep 0.05; next }
		$self->step;
		if ($acknowledge && $now > $acknowledge && $self->{session})
		{
			$self->acknowledge;
			$acknowledge = $now + 1;
		}
	}
	syswrite $handle, ($self->{acknowledged} - $told) . "\n";
	$self->{ledger}->close;
	return;
}

1;
