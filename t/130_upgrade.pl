# From 1.0 to 1.1: version 1.0 is built as it stood, filled with values of every type, logs, clocks,
# traces and merged tables, and brought up to date by a role that is no superuser.  Nothing is lost,
# and the catalog is that of a fresh 1.1.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $archive = $ENV{DISTRIBUTED_1_0};
my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
my $bin = `$pg_config --bindir`;
chomp $bin;
my ($installation, $place) = $bin =~ m{^(/.+?)(/usr/lib/postgresql/\d+/bin)$};

plan skip_all => 'no archive of version 1.0: the checkout has no history' unless $archive && -e $archive;
plan skip_all => 'no private copy of PostgreSQL, as script/test makes' unless $installation;

# An installation of its own, into which 1.0 goes.
my $top = PostgreSQL::Test::Utils::tempdir();
my $pg = "$top/pg$place";
my $log = "$top/log";

# must(COMMAND): run it, or give up with the end of what it said.
sub must
{
	my ($command) = @_;

	system("($command) >>'$log' 2>&1 </dev/null") == 0
	  or BAIL_OUT("failed: $command\n" . join '', (split /^/, slurp_file($log))[-20 .. -1]);
}

must("cp -a '$installation' '$top/pg' && mkdir '$top/1.0' && tar -C '$top/1.0' -xf '$archive'");
# the pg_config of some installations is a script that names its place
must("! grep -Iq . '$pg/pg_config' || sed -i 's|$installation|$top/pg|g' '$pg/pg_config'");
must("rm -f '$top/pg'/usr/share/postgresql/*/extension/distributed*");
must("make -s -C '$top/1.0' PG_CONFIG='$pg/pg_config' with_llvm=no install");

my $data = "$top/data";
my $sockets = PostgreSQL::Test::Utils::tempdir_short();
must("'$pg/initdb' -D '$data' -U postgres -A trust -E UTF8 --no-locale --no-sync");
append_to_file("$data/postgresql.conf", "listen_addresses = ''\nunix_socket_directories = '$sockets'\nfsync = off\nwal_level = logical\n");
END { system("'$pg/pg_ctl' -D '$data' -m immediate stop >/dev/null 2>&1") if $pg && -e "$data/postmaster.pid"; }

sub start { must("'$pg/pg_ctl' -w -D '$data' -l '$top/server.log' start") }
sub stop { must("'$pg/pg_ctl' -w -D '$data' -m fast stop") }

# psql(DATABASE, ROLE, SQL): what it prints; an error ends the test.
sub psql
{
	my ($database, $role, $sql) = @_;
	my ($out, $err) = ('', '');
	my $done = IPC::Run::run([ "$pg/psql", '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $sockets, '-U', $role, $database ], '<', \$sql, '>', \$out, '2>', \$err);

	$done or BAIL_OUT("$sql\n$err");
	chomp $out;
	return $out;
}

start();
psql('postgres', 'postgres', q{CREATE ROLE dbo LOGIN; CREATE ROLE visitor LOGIN; CREATE DATABASE old OWNER dbo; CREATE DATABASE new OWNER dbo; GRANT pg_read_server_files, pg_write_server_files TO dbo;});
for my $database (qw(old new))
{
	psql($database, 'postgres', 'ALTER SCHEMA public OWNER TO dbo');
}

psql('old', 'dbo', q{
	CREATE EXTENSION distributed;
	-- the setting is known when the library is
	SELECT '{}'::vclock;
	ALTER DATABASE old SET distributed.node = 'a';
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
});
my $image = "$top/every.bin";
my %asked = (
	values => q{SELECT md5(string_agg(e::text, E'\n' ORDER BY id)) FROM every e},
	log => q{SELECT string_agg(l::text, E'\n' ORDER BY seq) FROM log l},
	clock => q{SELECT clock_now('c')},
	spans => q{SELECT count(*), max(name) FROM traces.spans},
	accounts => q{SELECT string_agg(a::text, E'\n' ORDER BY id) FROM accounts a},
	nodes => q{SELECT string_agg(n::text, E'\n' ORDER BY node) FROM merge_nodes n},
	status => q{SELECT table_name, plain_columns, concurrent_update, lattice_columns FROM merge_status() WHERE table_name <> 'merge_nodes'::regclass});
my %before = map { $_ => psql('old', 'dbo', $asked{$_}) } keys %asked;
psql('old', 'dbo', "COPY every TO '$image' (FORMAT binary)");
is(psql('old', 'dbo', q{SELECT extversion FROM pg_extension WHERE extname = 'distributed'}), '1.0', 'this is version 1.0');
stop();

must("make -s -C '$FindBin::Bin/..' PG_CONFIG='$pg/pg_config' with_llvm=no install");
start();
psql('new', 'dbo', 'CREATE EXTENSION distributed');
is(psql('new', 'dbo', q{SELECT extversion FROM pg_extension WHERE extname = 'distributed'}), '1.1', 'a fresh installation is version 1.1');
is_deeply({ map { $_ => psql('old', 'dbo', $asked{$_}) } keys %asked }, \%before, 'the new library serves the old catalog');
psql('old', 'dbo', 'ALTER EXTENSION distributed UPDATE');
is(psql('old', 'dbo', q{SELECT extversion FROM pg_extension WHERE extname = 'distributed'}), '1.1', 'who owns the database brings it up to date');

is_deeply({ map { $_ => psql('old', 'dbo', $asked{$_}) } keys %asked }, \%before, 'values, logs, clocks, spans and merged tables are what they were');
psql('new', 'dbo', 'CREATE TABLE every (id integer PRIMARY KEY, v vclock, t lamport, h hlc, r hlcrange, l logical_time, g gcounter, p pncounter,
	w lww_register, m lww_map, mv mv_register, s orset, o or_map, e ew_flag, d dw_flag, st lattice_state, le lease_state,
	ob obligation_lattice, ti trace_id, si span_id, tf trace_flags, tc trace_context)');
psql('new', 'dbo', "COPY every FROM '$image' (FORMAT binary)");
is(psql('new', 'dbo', $asked{values}), $before{values}, 'binary images of 1.0 are read');

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
is(psql('old', 'dbo', q{UPDATE accounts SET n = n + 1, owner = 'dave' WHERE id = 'x'; SELECT value(n) FROM accounts_live WHERE id = 'x'}), '8', 'merged tables take writes');
is(psql('old', 'dbo', q{SELECT clock_tick('c')}), '{"vector": {"a": 6}}', 'clocks go on');
is(psql('old', 'dbo', q{SELECT log_event('log', '{}') IS NOT NULL}), 't', 'logs go on');
is(psql('old', 'dbo', q{SELECT '{"context": {"a": 1}}'::row_stamp | '{"context": {"b": 1}}'}), '{"context": {"a": 1, "b": 1}}', 'what is new is there');

# The catalog, by names: all that belongs to the extension, and what it says of each.
my $catalog = q{
	WITH member AS (SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
			WHERE e.extname = 'distributed' AND d.deptype = 'e'),
		rel AS (SELECT c.* FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid),
		told (line) AS (
			SELECT concat_ws('|', 'member', i.type, i.identity, obj_description(m.objid, m.classid::regclass::name)) FROM member m, pg_identify_object(m.classid, m.objid, 0) i
			UNION ALL SELECT concat_ws('|', 'function', p.oid::regprocedure, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prosrc, p.probin, p.prokind,
				p.provolatile, p.proparallel, p.proisstrict, p.proleakproof, p.prosecdef, p.procost, p.prorows, p.prosupport, p.proowner::regrole, p.proacl, p.proconfig)
				FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
			UNION ALL SELECT concat_ws('|', 'aggregate', a.aggfnoid, a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggtranstype::regtype, a.aggtransspace, a.aggsortop::regoperator, a.agginitval)
				FROM pg_aggregate a JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = a.aggfnoid
			UNION ALL SELECT concat_ws('|', 'type', t.oid::regtype, t.typlen, t.typbyval, t.typtype, t.typcategory, t.typispreferred, t.typinput, t.typoutput, t.typreceive, t.typsend,
				t.typalign, t.typstorage, t.typowner::regrole, t.typacl, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
				FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
			UNION ALL SELECT concat_ws('|', 'operator', o.oid::regoperator, o.oprcode, o.oprcom::regoperator, o.oprnegate::regoperator, o.oprrest, o.oprjoin, o.oprcanhash, o.oprcanmerge)
				FROM pg_operator o JOIN member m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
			UNION ALL SELECT concat_ws('|', 'cast', c.castsource::regtype, c.casttarget::regtype, c.castfunc::regprocedure, c.castcontext, c.castmethod)
				FROM pg_cast c JOIN member m ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid
			UNION ALL SELECT concat_ws('|', 'amop', f.opfname, am.amname, a.amopstrategy, a.amopopr::regoperator, a.amoppurpose)
				FROM pg_amop a JOIN member m ON m.classid = 'pg_opfamily'::regclass AND m.objid = a.amopfamily JOIN pg_opfamily f ON f.oid = a.amopfamily JOIN pg_am am ON am.oid = f.opfmethod
			UNION ALL SELECT concat_ws('|', 'amproc', f.opfname, am.amname, a.amprocnum, a.amproclefttype::regtype, a.amproc::regprocedure)
				FROM pg_amproc a JOIN member m ON m.classid = 'pg_opfamily'::regclass AND m.objid = a.amprocfamily JOIN pg_opfamily f ON f.oid = a.amprocfamily JOIN pg_am am ON am.oid = f.opfmethod
			UNION ALL SELECT concat_ws('|', 'opclass', o.opcname, o.opcmethod, o.opcintype::regtype, o.opcdefault, o.opckeytype::regtype)
				FROM pg_opclass o JOIN member m ON m.classid = 'pg_opclass'::regclass AND m.objid = o.oid
			UNION ALL SELECT concat_ws('|', 'relation', r.oid::regclass, r.relkind, r.relowner::regrole, r.relacl, r.reloptions, r.relpersistence) FROM rel r
			UNION ALL SELECT concat_ws('|', 'column', r.oid::regclass, a.attname, a.attnum, a.atttypid::regtype, a.attnotnull, a.attcollation, pg_get_expr(d.adbin, d.adrelid), col_description(r.oid, a.attnum))
				FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
			UNION ALL SELECT concat_ws('|', 'constraint', r.oid::regclass, c.conname, pg_get_constraintdef(c.oid)) FROM rel r JOIN pg_constraint c ON c.conrelid = r.oid
			UNION ALL SELECT concat_ws('|', 'index', i.indrelid::regclass, pg_get_indexdef(i.indexrelid)) FROM rel r JOIN pg_index i ON i.indrelid = r.oid
			UNION ALL SELECT concat_ws('|', 'trigger', r.oid::regclass, pg_get_triggerdef(t.oid), t.tgenabled) FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid
			UNION ALL SELECT concat_ws('|', 'extension', e.extowner::regrole, e.extrelocatable, e.extversion, e.extconfig::regclass[], e.extcondition) FROM pg_extension e WHERE e.extname = 'distributed')
	SELECT line FROM told ORDER BY line COLLATE "C"};
my @fresh = split /\n/, psql('new', 'postgres', $catalog);
my @updated = split /\n/, psql('old', 'postgres', $catalog);
my %fresh = map { $_ => 1 } @fresh;
my %updated = map { $_ => 1 } @updated;
cmp_ok(scalar @fresh, '>', 1500, 'the catalog says a lot');
is(join("\n", grep { !$updated{$_} } @fresh), '', 'an updated database has all that a fresh one has');
is(join("\n", grep { !$fresh{$_} } @updated), '', 'and nothing else');

stop();
done_testing();
