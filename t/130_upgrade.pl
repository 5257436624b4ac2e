# From 1.0 to 1.1: version 1.0 is built as it stood, filled with values of every type, logs, clocks,
# sagas, traces and merged tables, and brought up to date by a role that is no superuser.  Nothing is
# lost, the catalog is that of a fresh 1.1, and so is what pg_dump says.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use OldServer;
use Test::More;

plan skip_all => OldServer::lacks() if OldServer::lacks();

my $server = OldServer->new('old');

sub psql { return $server->psql(@_) }

# What is said on standard error, by a statement that fails or, if so told, succeeds.
sub psql_error
{
	my ($database, $role, $sql, $succeeds) = @_;
	my ($done, $out, $err) = $server->try($database, $role, $sql);

	is($done, !!$succeeds, ($succeeds ? 'succeeds: ' : 'fails: ') . $sql =~ s/\s+/ /gr);
	return $err;
}

psql('postgres', 'postgres', q{CREATE ROLE dbo LOGIN; CREATE ROLE visitor LOGIN; CREATE DATABASE old OWNER dbo; CREATE DATABASE new OWNER dbo; GRANT pg_read_server_files, pg_write_server_files TO dbo;});
for my $database (qw(old new))
{
	psql($database, 'postgres', 'ALTER SCHEMA public OWNER TO dbo');
}

# What users make, with 1.0 and later with 1.1.
my $fill = q{
	CREATE EXTENSION distributed;
	-- the setting is known when the library is
	SELECT '{}'::vclock;
	DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET distributed.node = %L', current_database(), 'a'); END $$;
	SET distributed.node = 'a';
	CREATE TABLE every (id integer PRIMARY KEY, v vclock, t lamport, h hlc, r hlcrange, l logical_time, g gcounter, p pncounter,
		w lww_register, m lww_map, mv mv_register, s orset, o or_map, e ew_flag, d dw_flag, st lattice_state, le lease_state,
		ob obligation_lattice, ti trace_id, si span_id, tf trace_flags, tc trace_context);
	INSERT INTO every SELECT i, vclock('a', i) | vclock('b', 7), i::lamport, (i || '.1')::hlc, hlcrange((i || '.0')::hlc, NULL), '{"vector": {"a": 1}}',
		increment('{}'::gcounter, i, 'a'), decrement(increment('{}'::pncounter, i, 'a'), 3, 'b'), lww_register('x' || i, '17.0', 'a'), put('{}'::lww_map, 'k' || i % 7, 'v', '17.0', 'a'),
		set('{}'::mv_register, 'x', 'a'), add(add('{}'::orset, 'e' || i % 50, 'a'), 'f', 'b'), put('{}'::or_map, 'k' || i % 7, 'v', 'a'), enable('{}'::ew_flag, 'a'), disable('{}'::dw_flag, 'a'),
		'reserved', 'active', observe('{}'::obligation_lattice, 'o' || i % 11, 'a', CASE WHEN i % 40 = 0 THEN 'conflict' ELSE 'committed' END::lattice_state), random_trace_id(), random_span_id(), '01',
		'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' FROM generate_series(1, 1000) i;
	CREATE INDEX every_v ON every USING gist (v);
	CREATE INDEX every_s ON every USING gin (s);
	CREATE INDEX every_o ON every USING gin (ob);
	CREATE INDEX every_h ON every (h);
	CREATE INDEX every_b ON every USING brin (t);
	SELECT create_causal_log('log');
	SELECT log_event('log', jsonb_build_object('n', i)) FROM generate_series(1, 10) i;
	SELECT create_clock('c', 'vector', 'a');
	SELECT clock_tick('c') FROM generate_series(1, 5);
	CREATE TABLE rules OF saga_constraint (PRIMARY KEY (name));
	INSERT INTO rules VALUES ('order', 'all_or_nothing', '{reserve,charge,ship}'), ('paid', 'implies', '{ship,charge}'), ('carrier', 'mutual_exclusion', '{ship,fly}');
	CREATE TABLE sagas (id text PRIMARY KEY, seen obligation_lattice, own saga_constraint[], found consistency_report[]);
	INSERT INTO sagas VALUES
		('phantom', '{"reserve": {"a": "committed", "c": "committed"}, "charge": {"a": "committed", "b": "committed"}, "ship": {"b": "committed", "c": "committed"}}'),
		('violation', '{"ship": {"a": "committed"}, "fly": {"b": "committed"}, "charge": {"a": "aborted"}}'),
		('conflict', '{"charge": {"a": "committed", "b": "aborted"}, "reserve": {"a": "reserved"}}'),
		('fine', '{"reserve": {"a": "committed"}, "charge": {"a": "committed"}, "ship": {"a": "committed"}}');
	UPDATE sagas SET own = ARRAY[(id, 'implies', '{fly,charge}')]::saga_constraint[];
	UPDATE sagas SET found = ARRAY(SELECT f::consistency_report FROM check_sagas(seen, own) f);
	SELECT create_trace_store('traces');
	SELECT start_span('traces', 'root', service => 's');
	CREATE TABLE accounts (id text PRIMARY KEY, owner text, n gcounter NOT NULL DEFAULT '{}', tags orset NOT NULL DEFAULT '{}');
	INSERT INTO accounts VALUES ('old', 'before merging');
	SELECT enable_merge('accounts');
	INSERT INTO accounts VALUES ('x', 'alice', increment('{}'::gcounter, 5));
	INSERT INTO accounts VALUES ('y', 'bob'), ('gone', 'carol');
	UPDATE accounts SET n = n + 2, tags = tags + 'red' WHERE id = 'x';
	DELETE FROM accounts WHERE id = 'gone';
	SELECT create_merge_publication('merge', '{accounts}');
	SELECT acknowledge_removals();
	SELECT acknowledge_removals();
};
psql('old', 'dbo', $fill);
my $image = "$server->{top}/every.bin";
my %asked = (
	values => q{SELECT md5(string_agg(e::text, E'\n' ORDER BY id)) FROM every e},
	log => q{SELECT string_agg(l::text, E'\n' ORDER BY seq) FROM log l},
	clock => q{SELECT clock_now('c')},
	rules => q{SELECT string_agg(r::text, E'\n' ORDER BY name) FROM rules r},
	sagas => q{SELECT string_agg(s::text, E'\n' ORDER BY id) FROM sagas s},
	findings => q{SELECT string_agg(concat(id, f), E'\n' ORDER BY id, n) FROM sagas, check_sagas(seen, own || (SELECT array_agg(r::saga_constraint ORDER BY name) FROM rules r)) WITH ORDINALITY f (finding, c, o, a, sa, b, sb, m, e, n)},
	summaries => q{SELECT string_agg(concat(id, s), E'\n' ORDER BY id, n) FROM sagas, saga_summary(seen, own || (SELECT array_agg(r::saga_constraint ORDER BY name) FROM rules r)) WITH ORDINALITY s (c, k, state, missing, n)},
	kinds => q{SELECT string_agg(DISTINCT finding, ' ' ORDER BY finding) FROM sagas, check_sagas(seen, (SELECT array_agg(r::saga_constraint) FROM rules r))},
	spans => q{SELECT string_agg(s::text, E'\n' ORDER BY arrival) FROM traces.spans s},
	traces => q{SELECT string_agg(t::text, E'\n' ORDER BY trace_id) FROM traces.traces t},
	accounts => q{SELECT string_agg(a::text, E'\n' ORDER BY id) FROM accounts a},
	nodes => q{SELECT string_agg(concat(node, seen), E'\n' ORDER BY node) FROM merge_nodes n},
	status => q{SELECT table_name, plain_columns, concurrent_update, lattice_columns FROM merge_status() WHERE table_name <> 'merge_nodes'::regclass});
my %before = map { $_ => psql('old', 'dbo', $asked{$_}) } keys %asked;
is(join(' ', grep { $before{$_} eq '' } sort keys %before), '', 'there is something of each kind to lose');
is($before{kinds}, 'pairwise_conflict phantom violation', 'sagas have findings of every kind');
psql('old', 'dbo', "COPY every TO '$image' (FORMAT binary)");
is(psql('old', 'dbo', q{SELECT extversion FROM pg_extension WHERE extname = 'distributed'}), '1.0', 'this is version 1.0');

$server->install_this;
$server->restart;
psql('new', 'dbo', $fill);
is(psql('new', 'dbo', q{SELECT extversion FROM pg_extension WHERE extname = 'distributed'}), '1.1', 'a fresh installation is version 1.1');
is_deeply({ map { $_ => psql('old', 'dbo', $asked{$_}) } keys %asked }, \%before, 'the new library serves the old catalog');
psql('old', 'dbo', 'ALTER EXTENSION distributed UPDATE');
is(psql('old', 'dbo', q{SELECT extversion FROM pg_extension WHERE extname = 'distributed'}), '1.1', 'who owns the database brings it up to date');

is_deeply({ map { $_ => psql('old', 'dbo', $asked{$_}) } keys %asked }, \%before, 'values, logs, clocks, sagas, spans and merged tables are what they were');
is(psql('new', 'dbo', "CREATE TEMP TABLE image (LIKE every); COPY image FROM '$image' (FORMAT binary); " . $asked{values} =~ s/FROM every/FROM image/r),
	$before{values}, 'binary images of 1.0 are read');

is(psql('old', 'dbo', q{SELECT told = ARRAY[0, 0, get(seen, node)] AND told[3] > 0 AND claimed IS NULL FROM merge_local_nodes JOIN merge_nodes USING (node)}), 't', 'what the server has told is noted');

# indexes that 1.0 made give what a scan gives
for (
	[ gist => q{v << '{"a": 10, "b": 7}'}, 9 ],
	[ gin => q{s ? 'e7'}, 20 ],
	[ 'gin on states' => q{has_conflicts(ob)}, 25 ],
	[ btree => q{h < '11.0'}, 10 ],
	[ brin => q{t < '11'}, 10 ])
{
	my ($kind, $condition, $count) = @$_;
	my $plan = psql('old', 'dbo', "SET enable_seqscan = off; EXPLAIN (COSTS OFF) SELECT count(*) FROM every WHERE $condition");

	like($plan, qr/Index/, "$kind: the index is used");
	is(psql('old', 'dbo', "SET enable_seqscan = off; SELECT count(*) FROM every WHERE $condition"), $count, "$kind: it finds what is there");
}

# what was in use goes on
my $hidden = q{SELECT string_agg(concat_ws(' ', id, context(_merge), stamp(_merge, 'owner'), node(_merge, 'owner')), E'\n' ORDER BY id) FROM };
my $hidden_before = psql('old', 'dbo', q{SELECT string_agg(concat_ws(' ', id, context(_merge_presence), _merge_stamps::jsonb -> 'owner' ->> 'at', _merge_stamps::jsonb -> 'owner' ->> 'node'), E'\n' ORDER BY id) FROM accounts});
like(psql_error('old', 'dbo', q{UPDATE accounts SET n = n + 1 WHERE id = 'x'}), qr/rows of "accounts" are merged in the form of version 1.0.*Call enable_merge again/s, 'merged tables of 1.0 take no writes until they are converted');
is(psql('old', 'dbo', q{SELECT problems FROM merge_status()}), '{"merged in the form of version 1.0"}', 'and merge_status tells');
psql('old', 'dbo', q{CREATE VIEW on_live AS SELECT count(*) FROM accounts_live});
like(psql_error('old', 'dbo', q{SELECT enable_merge('accounts')}, 1), qr/view public.accounts_live stays, since others depend on it.*table "accounts" is no longer in publication "merge"/s, 'converting tells what it does to others');
is(psql('old', 'dbo', $hidden . q{(SELECT id, _merge FROM accounts UNION ALL SELECT id, _merge FROM accounts_removed) r}), $hidden_before, 'stamps keep their times and nodes');
is(psql('old', 'dbo', q{SELECT string_agg(concat_ws(' ', id, owner, n, tags), E'\n' ORDER BY id) FROM accounts}), <<'END' =~ s/\n\z//r, 'values stay, removed rows go');
old before merging {} {}
x alice {"a": 7} {"elements": {"red": [["a", 1]]}, "context": {"a": 1}}
y bob {} {}
END
is(psql('old', 'dbo', q{SELECT string_agg(id, ' ') FROM accounts_removed}), 'gone', 'to the companion');
is(psql('old', 'dbo', q{SELECT * FROM on_live}), '3', 'a view that is needed stays');
psql('old', 'dbo', q{DROP VIEW on_live, accounts_live});
is(psql('old', 'dbo', q{SELECT problems FROM merge_status()}), '{}', 'the table is a merged one of 1.1');
is(psql('old', 'dbo', q{UPDATE accounts SET n = n + 1, owner = 'dave' WHERE id = 'x'; INSERT INTO accounts VALUES ('gone', 'again', increment('{}'::gcounter, 2)); SELECT string_agg(concat(id, value(n)), ' ' ORDER BY id) FROM accounts}), 'gone2 old0 x8 y0', 'merged tables take writes');
is(psql('old', 'dbo', q{DO $$ BEGIN PERFORM create_merge_publication('merge'); END $$; SELECT count(*) FROM pg_publication_tables}), '4', 'and are published again');
is(psql('old', 'dbo', q{SELECT clock_tick('c')}), '{"vector": {"a": 6}}', 'clocks go on');
is(psql('old', 'dbo', q{SELECT log_event('log', '{}') IS NOT NULL}), 't', 'logs go on');
is(psql('old', 'dbo', q{SELECT '{"context": {"a": 1}}'::row_stamp | '{"context": {"b": 1}}'}), '{"context": {"a": 1, "b": 1}}', 'what is new is there');

# The catalog: all that belongs to the extension, and what that brings along (row types, columns,
# indexes).  Each entry is a catalog, the catalog and the column that tell whose its rows are, and what
# to do with columns.  Every column counts, nulls too, but for those that are undef here: object
# identifiers, statistics, and what tells how a table came about rather than what it is, such as holes
# that dropped columns leave.  What refers to another row, or has such numbers in it, is read by names,
# through a cast or SQL in which x is the row.
my @catalogs = (
	[ pg_proc => 'pg_proc', 'oid', { oid => undef, pronamespace => 'regnamespace', proowner => 'regrole', prolang => '(SELECT lanname FROM pg_language WHERE oid = x.prolang)',
		provariadic => 'regtype', prorettype => 'regtype', proargtypes => 'oid[]::regtype[]', proallargtypes => 'regtype[]', protrftypes => 'regtype[]',
		proargdefaults => 'pg_get_expr(x.proargdefaults, 0)' } ],
	[ pg_aggregate => 'pg_proc', 'aggfnoid', { aggfnoid => undef, aggtranstype => 'regtype', aggmtranstype => 'regtype', aggsortop => 'regoperator' } ],
	[ pg_type => 'pg_type', 'oid', { oid => undef, typnamespace => 'regnamespace', typowner => 'regrole', typrelid => 'regclass', typelem => 'regtype', typarray => 'regtype',
		typbasetype => 'regtype', typcollation => 'regcollation', typdefaultbin => 'pg_get_expr(x.typdefaultbin, 0)' } ],
	[ pg_enum => 'pg_type', 'enumtypid', { oid => undef, enumtypid => undef,
		enumsortorder => '(SELECT count(*) FROM pg_enum e WHERE e.enumtypid = x.enumtypid AND e.enumsortorder < x.enumsortorder)' } ],
	[ pg_range => 'pg_type', 'rngtypid', { rngtypid => undef, rngsubtype => 'regtype', rngmultitypid => undef, rngcollation => 'regcollation',
		rngsubopc => describe('pg_opclass', 'rngsubopc') } ],
	[ pg_operator => 'pg_operator', 'oid', { oid => undef, oprnamespace => 'regnamespace', oprowner => 'regrole', oprleft => 'regtype', oprright => 'regtype', oprresult => 'regtype',
		oprcom => 'regoperator', oprnegate => 'regoperator' } ],
	[ pg_cast => 'pg_cast', 'oid', { oid => undef, castsource => 'regtype', casttarget => 'regtype', castfunc => 'regprocedure' } ],
	[ pg_opfamily => 'pg_opfamily', 'oid', { oid => undef, opfmethod => describe('pg_am', 'opfmethod'), opfnamespace => 'regnamespace', opfowner => 'regrole' } ],
	[ pg_opclass => 'pg_opclass', 'oid', { oid => undef, opcmethod => describe('pg_am', 'opcmethod'), opcnamespace => 'regnamespace', opcowner => 'regrole',
		opcfamily => describe('pg_opfamily', 'opcfamily'), opcintype => 'regtype', opckeytype => 'regtype' } ],
	[ pg_amop => 'pg_opfamily', 'amopfamily', { oid => undef, amopfamily => undef, amoplefttype => 'regtype', amoprighttype => 'regtype', amopopr => 'regoperator',
		amopmethod => describe('pg_am', 'amopmethod'), amopsortfamily => describe('pg_opfamily', 'amopsortfamily') } ],
	[ pg_amproc => 'pg_opfamily', 'amprocfamily', { oid => undef, amprocfamily => undef, amproclefttype => 'regtype', amprocrighttype => 'regtype', amproc => 'regprocedure' } ],
	[ pg_class => 'pg_class', 'oid', { oid => undef, relnamespace => 'regnamespace', reltype => 'regtype', reloftype => 'regtype', relowner => 'regrole', relam => describe('pg_am', 'relam'),
		map { $_ => undef } qw(relnatts relfilenode relpages reltuples relallvisible relallfrozen reltoastrelid relhasindex relfrozenxid relminmxid) } ],
	[ pg_attribute => 'pg_class', 'attrelid', { attrelid => undef, atttypid => 'regtype', attcollation => 'regcollation',
		attnum => '(SELECT count(*) FROM pg_attribute a WHERE a.attrelid = x.attrelid AND a.attnum BETWEEN 1 AND x.attnum AND NOT a.attisdropped)',
		attcacheoff => undef, atthasmissing => undef, attmissingval => undef }, 'attnum > 0 AND NOT attisdropped' ],
	[ pg_attrdef => 'pg_attrdef', 'oid', { oid => undef, adrelid => undef, adnum => undef, adbin => 'pg_get_expr(x.adbin, x.adrelid)' } ],
	[ pg_constraint => 'pg_constraint', 'oid', { oid => undef, connamespace => 'regnamespace', conrelid => 'regclass', contypid => 'regtype', conindid => 'regclass',
		conparentid => undef, confrelid => 'regclass', conkey => undef, confkey => undef, conbin => 'pg_get_constraintdef(x.oid)' } ],
	[ pg_index => 'pg_class', 'indexrelid', { indexrelid => undef, indrelid => 'regclass', indkey => 'pg_get_indexdef(x.indexrelid)', indcollation => 'oid[]::regcollation[]',
		indclass => "(SELECT array_agg(pg_describe_object('pg_opclass'::regclass, c, 0)) FROM unnest(x.indclass) c)", indcheckxmin => undef, indexprs => undef, indpred => undef } ],
	[ pg_trigger => 'pg_trigger', 'oid', { oid => undef, tgrelid => undef, tgparentid => undef, tgfoid => 'regprocedure', tgconstrrelid => 'regclass', tgconstrindid => 'regclass',
		tgconstraint => describe('pg_constraint', 'tgconstraint'), tgattr => 'pg_get_triggerdef(x.oid)', tgqual => undef } ],
	[ pg_extension => 'pg_extension', 'oid', { oid => undef, extowner => 'regrole', extnamespace => 'regnamespace', extconfig => 'regclass[]' } ],
	[ pg_description => undef, 'objoid', { objoid => undef, classoid => undef, objsubid => describe('x.classoid', 'objoid', 'objsubid') } ],
	[ pg_init_privs => undef, 'objoid', { objoid => undef, classoid => undef, objsubid => describe('x.classoid', 'objoid', 'objsubid') } ],
	[ pg_depend => undef, 'objid', { classid => undef, objid => undef, refclassid => undef, objsubid => describe('x.classid', 'objid', 'objsubid'),
		refobjid => describe('x.refclassid', 'refobjid', 'refobjsubid'), refobjsubid => undef } ]);

# describe(CATALOG, COLUMN, [PART]): SQL for the name of what a column refers to.
sub describe
{
	my ($catalog, $column, $part) = @_;

	$catalog = "'$catalog'::regclass" unless $catalog =~ /^x\./;
	return "pg_describe_object($catalog, x.$column, " . ($part ? "x.$part" : 0) . ')';
}

# rows_of(CATALOG): SQL for its rows that tell of the extension.
sub rows_of
{
	my ($catalog, $of, $key, $columns, $where) = @{ $_[0] };
	my $class = $of ? "'$of'::regclass" : 'x.' . ($key eq 'objid' ? 'classid' : 'classoid');
	my $out = join ',', grep { !defined $columns->{$_} } sort keys %$columns;
	my $named = join ', ', map { "'$_', " . ($columns->{$_} =~ /^[a-z]+(\[\](::.*)?)?$/ ? "x.$_\::$columns->{$_}" : $columns->{$_}) } grep { defined $columns->{$_} } sort keys %$columns;

	return "SELECT concat_ws(' ', '$catalog', i.type, i.identity, to_jsonb(x) - '{$out}'::text[] || jsonb_build_object($named))
		FROM $catalog x JOIN member m ON m.classid = $class AND m.objid = x.$key, pg_identify_object(m.classid, m.objid, 0) i WHERE " . ($where || 'true');
}

my $members = q{
	WITH RECURSIVE depends AS MATERIALIZED (SELECT classid, objid, refclassid, refobjid FROM pg_depend WHERE deptype IN ('e', 'i', 'a')),
		closure (classid, objid) AS (
			SELECT 'pg_extension'::regclass::oid, oid FROM pg_extension WHERE extname = 'distributed'
			UNION SELECT d.classid, d.objid FROM closure c JOIN depends d ON d.refclassid = c.classid AND d.refobjid = c.objid),
		-- without the tables behind tables, whose names are numbers, and without what users publish
		member AS MATERIALIZED (SELECT * FROM closure c WHERE classid <> 'pg_publication_rel'::regclass
			AND coalesce((SELECT schema FROM pg_identify_object(classid, objid, 0)), '') <> 'pg_toast')};
my $catalog = "$members SELECT line FROM (" . join("\nUNION ALL ", map { rows_of($_) } @catalogs) . ') told (line) ORDER BY line COLLATE "C"';

# different(LINES, LINES): those that only the one or only the other has, as often as it has more.
sub different
{
	my ($fresh, $updated) = @_;
	my %count;

	$count{$_}++ for @$fresh;
	$count{$_}-- for @$updated;
	return join "\n", map { ($count{$_} > 0 ? '- ' : '+ ') . $_ } grep { $count{$_} } sort keys %count;
}

# catalog_of(DATABASE, [CHANGE]): its lines, or what they would be after a change.
sub catalog_of
{
	my ($database, $change) = @_;

	return [ split /\n/, psql($database, 'postgres', $change ? "BEGIN; $change; $catalog; ROLLBACK" : $catalog) ];
}

my $fresh = catalog_of('new');
cmp_ok(scalar @$fresh, '>', 5000, 'the catalog says a lot');
is(different($fresh, catalog_of('old')), '', 'an updated database has what a fresh one has, and nothing else');
my %kinds = map { (split / /)[0] => 1 } @$fresh;
is(join(' ', grep { !$kinds{$_} } map { $_->[0] } @catalogs), '', 'there is something of each catalog to compare');
is(psql('new', 'postgres', "$members SELECT DISTINCT classid::regclass FROM member WHERE classid::regclass::text NOT IN (" . join(', ', map { "'$_->[0]'" } @catalogs) . ')'),
	'', 'and nothing of any other');

# The comparison sees what it is there for ...
for (
	[ 'the owner of an operator' => 'ALTER OPERATOR || (vclock, vclock) OWNER TO visitor' ],
	[ 'the owner of an operator class' => 'ALTER OPERATOR CLASS vclock_ops USING btree OWNER TO visitor' ],
	[ 'the owner of an operator family' => 'ALTER OPERATOR FAMILY vclock_ops USING btree OWNER TO visitor' ],
	[ 'the owner of a function' => 'ALTER FUNCTION check_sagas OWNER TO visitor' ],
	[ 'the owner of a table' => 'ALTER TABLE merge_local_links OWNER TO visitor' ],
	[ 'who may call a function' => 'GRANT EXECUTE ON FUNCTION forget_node(text) TO visitor' ],
	[ 'a null that became empty' => q{UPDATE pg_proc SET probin = '' WHERE oid = 'trace_store_tables'::regproc} ],
	[ 'a comment' => q{COMMENT ON FUNCTION check_sagas IS NULL} ],
	[ 'a column of a row type' => 'ALTER TYPE saga_constraint RENAME ATTRIBUTE obligations TO obliged CASCADE' ],
	[ 'a label of an enum' => q{ALTER TYPE span_kind RENAME VALUE 'encode' TO 'code'} ],
	[ 'a trigger that does not fire' => 'ALTER TABLE merge_nodes DISABLE TRIGGER "~merge_truncate"' ],
	[ 'what is not a member' => 'ALTER EXTENSION distributed DROP FUNCTION saga_summary(obligation_lattice, saga_constraint[])' ])
{
	my ($what, $change) = @$_;
	isnt(different($fresh, catalog_of('new', $change)), '', "seen: $what");
}
for (
	[ 'the order of columns' => 'ALTER TABLE merge_nodes ADD p integer, ADD q integer', 'ALTER TABLE merge_nodes ADD q integer, ADD p integer' ],
	[ 'a default' => 'ALTER TABLE merge_nodes ADD p integer DEFAULT 1', 'ALTER TABLE merge_nodes ADD p integer DEFAULT 2' ],
	[ 'a constraint' => q{ALTER TABLE merge_nodes ADD CONSTRAINT c CHECK (node <> 'p')}, q{ALTER TABLE merge_nodes ADD CONSTRAINT c CHECK (node <> 'q')} ],
	[ 'an index' => q{CREATE INDEX i ON merge_nodes (lower(node)) WHERE node > 'p'}, q{CREATE INDEX i ON merge_nodes (lower(node)) WHERE node > 'q'} ],
	[ 'a trigger' => map { "CREATE TRIGGER t BEFORE UPDATE ON merge_nodes FOR EACH ROW WHEN (NEW.node > '$_') EXECUTE FUNCTION suppress_redundant_updates_trigger()" } qw(p q) ])
{
	my ($what, @changes) = @$_;
	isnt(different(map { catalog_of('new', $_) } @changes), '', "seen: $what");
}
# ... and not what is no difference
is(different(catalog_of('new', 'ALTER TABLE merge_nodes ADD p integer'), catalog_of('new', 'ALTER TABLE merge_nodes ADD hole integer; ALTER TABLE merge_nodes DROP hole, ADD p integer')),
	'', 'not seen: the hole that a dropped column leaves');

# dump_of(DATABASE): the schema as pg_dump tells it.  A key against injections is another each time.
sub dump_of
{
	my ($database) = @_;
	my ($done, $out, $err) = $server->run('pg_dump', '--schema-only', '-U', 'postgres', $database);

	$done or BAIL_OUT("pg_dump $database: $err");
	return $out =~ s/^\\(un)?restrict \w+$//mgr;
}

my $dump = dump_of('new');
like($dump, qr/CREATE TABLE public\.$_ /, "pg_dump tells of $_") for qw(every rules log accounts);
ok($dump eq dump_of('old'), 'what users made with 1.0 is dumped as what they make with 1.1, byte for byte')
  or diag(different([ split /\n/, $dump ], [ split /\n/, dump_of('old') ]));
# of an extension a dump has no more than its name: the same where its objects are nobody's
psql($_, 'postgres', q{DELETE FROM pg_depend WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'distributed'); DELETE FROM pg_init_privs WHERE objoid > 16383}) for qw(old new);
$dump = dump_of('new');
like($dump, qr/CREATE $_ /, "pg_dump tells of \L$_") for qw(FUNCTION AGGREGATE TYPE OPERATOR CAST), 'OPERATOR CLASS';
ok($dump eq dump_of('old'), 'all objects of an updated 1.0 are dumped as those of a fresh 1.1, byte for byte')
  or diag(different([ split /\n/, $dump ], [ split /\n/, dump_of('old') ]));

$server->stop;
done_testing();
