# The extension is trusted, lives in any schema, and leaves nothing behind.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('main', "distributed.node = 'here'");
my $version = $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')});
my $database = 'app';

# What a new session of the role "plain" answers: rows, or errors such as "ERROR:  55000".
sub answer
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql(
		$database, $sql,
		extra_params => [qw(-U plain -v VERBOSITY=sqlstate)],
		on_error_stop => 0);

	return join "\n", grep { $_ ne '' } map { s/^psql:<stdin>:\d+: //mgr } $out, $err;
}

# Everything in the catalogs that is not the server's own.
my $everything = q{
	SELECT string_agg(what, E'\n' ORDER BY what COLLATE "C") FROM (
		SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d
			WHERE d.objid >= 16384 AND d.classid <> 'pg_rewrite'::regclass
		UNION SELECT 'extension ' || extname FROM pg_extension
		UNION SELECT 'type ' || typname FROM pg_type WHERE oid >= 16384
		UNION SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE oid >= 16384
		UNION SELECT 'operator ' || oid::regoperator FROM pg_operator WHERE oid >= 16384
		UNION SELECT 'operator class ' || opcname FROM pg_opclass WHERE oid >= 16384
		UNION SELECT 'operator family ' || opfname FROM pg_opfamily WHERE oid >= 16384
		UNION SELECT 'cast ' || castsource::regtype || castfunc FROM pg_cast WHERE oid >= 16384
		UNION SELECT 'comment ' || count(*) FROM pg_description WHERE objoid >= 16384
	) s (what)};

# Who may install it
$node->safe_psql('postgres', q{
	CREATE ROLE plain LOGIN;
	CREATE DATABASE app;
	CREATE DATABASE public_app;
});
is(answer('CREATE EXTENSION distributed'),
	'ERROR:  42501', 'without CREATE on the database the extension is not installed');
$node->safe_psql('postgres', 'GRANT CREATE ON DATABASE app, public_app TO plain');
my $before = $node->safe_psql('app', $everything);
is( answer(q{CREATE SCHEMA "Odd schema"; CREATE EXTENSION distributed SCHEMA "Odd schema";
		SELECT extowner::regrole FROM pg_extension WHERE extname = 'distributed'}),
	'plain', 'with it, it is, by a role that is no superuser, in a schema of its own');
is(answer(q{CREATE FUNCTION f() RETURNS void LANGUAGE c AS '$libdir/distributed', 'local_node'}),
	'ERROR:  42501', '... who thereby gains no right to define C functions');

# The schema is named in every expression; nothing depends on the search_path.
my $use = q{
	SELECT S.local_node(), S.tick(S.vclock('a', 1)), S.receive(S.vclock('a', 1), S.vclock('b', 2));
	SELECT S.causal_order(S.vclock('a', 1), S.vclock('a', 2)),
		S.vclock('a', 1) OPERATOR(S.<<) S.vclock('a', 2),
		S.vclock('a', 1) OPERATOR(S.||) S.vclock('b', 2),
		S.vclock('a', 1) OPERATOR(S.|) S.vclock('b', 2),
		S.vclock('a', 1) OPERATOR(S.&) S.vclock('a', 2),
		S.vclock('a', 7) OPERATOR(S.->) 'a';
	SELECT '{"a": 1}'::jsonb::S.vclock, S.vclock('a', 1)::jsonb, S.lamport(5)::bigint, 5::bigint::S.lamport;
	SELECT S.merge(clock), S.meet(clock) FROM S.sample;
	SELECT S.max(at), S.min(at), S.max(stamp), S.min(stamp) FROM S.sample;
	SELECT string_agg(id::text, ' ' ORDER BY clock), count(DISTINCT clock) FROM S.sample;
	SELECT id FROM S.sample WHERE clock OPERATOR(S.@>) '{"a": 2}' ORDER BY id;
	SELECT S.sum_of(clock) FROM S.sample WHERE clock OPERATOR(S.=) '{"a": 3}';
	SELECT a.id FROM S.sample a JOIN S.sample b ON a.clock OPERATOR(S.=) b.clock WHERE b.id = 2;
	SELECT S.hlcrange('1.0', '2.0') @> '1.5'::S.hlc, (S.hlc '3000000000.0' OPERATOR(S.-) S.hlc '1000000000.0');
	SELECT node, counter FROM S.each(S.vclock '{"a": 1, "b": 2}');
	SELECT S.increment(S.gcounter '{}'), S.gcounter '{"a": 1}' OPERATOR(S.+) 2, S.value(S.gcounter '{"a": 1, "b": 2}'),
		S.pncounter '{"a": [1, 0]}' OPERATOR(S.-) 2, S.reset(S.pncounter '{"a": [1, 0]}'), S.pncounter '{"a": [1, 3]}'::bigint;
	SELECT S.add(S.orset '{}', 'x'), S.orset '{}' OPERATOR(S.+) 'x' OPERATOR(S.-) 'x', S.orset '{}' OPERATOR(S.?) 'x',
		S.context(S.orset '{"cloud": [["a", 1, 2]]}'), S.delta(S.orset '{"context": {"a": 1}}', '{"a": 1}');
	SELECT S.value(S.lww_register('v', '17.0')), S.document(S.lww_map(jsonb '{"k": 1}', '17.0')),
		S.put(S.lww_map '{}', 'k', 'v', '17.0') OPERATOR(S.->) 'k', S.siblings(S.set(S.mv_register '{}', 'v')),
		S.put(S.or_map '{}', 'k', 'v') OPERATOR(S.->) 'k', S.value(S.enable(S.ew_flag '{}')), S.value(S.disable(S.dw_flag '{}'));
	SELECT S.lattice_state 'committed' OPERATOR(S.|) 'aborted', S.lease_state 'released' OPERATOR(S.&) 'expired', S.is_terminal(S.lease_state 'expired'),
		S.is_conflict(S.lattice_state 'aborted'), S.lattice_state 'reserved' OPERATOR(S.<@) 'aborted', 'active'::text::S.lease_state::text;
	SELECT S.is_nil(S.span_id '0000000000000000'), S.random_trace_id()::uuid::S.trace_id OPERATOR(S.<>) '5b8efff798038103d269b633813fc60c', S.is_sampled('01'::S.trace_flags);
	SELECT S.merge(step), S.meet(lease), string_agg(id::text, ' ' ORDER BY step, lease DESC) FROM S.crdt WHERE step OPERATOR(S.#>=#) 'reserved';
	SELECT S.merge(l), S.observe('step ' || id, 'n', step), string_agg(id::text, ' ' ORDER BY l) FROM S.crdt;
	SELECT S.state(l, 'ship'), S.has_conflicts(l), l OPERATOR(S.@@) 'aborted', l OPERATOR(S.?) 'pay', S.witnesses(l, 'ship'), S.obligations(l),
		S.delta(l, '{"ship": {"a": "committed"}}'), l::jsonb::S.obligation_lattice OPERATOR(S.=) l, S.observe(l, 'pay', S.local_node(), 'aborted')
		OPERATOR(S.@>) l FROM S.crdt WHERE id = 1;
	SELECT e.* FROM S.crdt, S.entries(l) e WHERE id = 2;
	SELECT id FROM S.crdt WHERE S.has_conflicts(l) OR l OPERATOR(S.@>) '{ship,pay}'::text[];
	SELECT finding, constraint_name, c.obligation, node_a, state_a, node_b, state_b, merged FROM S.crdt, S.check_sagas(l, ARRAY(SELECT rule::S.saga_constraint FROM S.rule)) c;
	SELECT constraint_name, s.kind, state, missing FROM S.saga_summary('{"pay": {"a": "committed"}, "ship": {"b": "committed"}}',
		ARRAY[('order', 'all_or_nothing', '{pay,ship}')]::S.saga_constraint[]) s;
	SELECT S.merge(c), S.merge(p), S.merge(r), S.merge(d), S.merge(m), S.merge(s), S.merge(o), S.merge(e), S.merge(w) FROM S.crdt;
	SELECT S.orset_agg(element, 'a') FROM S.crdt, S.each(s) element;
	SELECT key, value, at, node FROM S.crdt, S.each(d) WHERE id = 2;
	SELECT key, values FROM S.crdt, S.each(o) WHERE id = 1;
	SELECT string_agg(id::text, ' ' ORDER BY s) FROM S.crdt WHERE s OPERATOR(S.?) 'x' OR s OPERATOR(S.@>) '{y,z}'::text[] OR d OPERATOR(S.?) 'k';
	SELECT id FROM S.crdt WHERE s OPERATOR(S.&&) '{z}'::text[] AND o OPERATOR(S.?) 'l' AND S.value(c) > 1;
	SELECT a.id FROM S.crdt a JOIN S.crdt b ON a.s OPERATOR(S.<@) b.s WHERE b.id = 2 ORDER BY a.id;
	SELECT S.log_event('S.log', '"x"'), S.log_event('S.log', '"y"', '{"here": 1}', 'there'), S.log_event('S.log', NULL, '{"there": 1}');
	INSERT INTO S.log (event) VALUES ('"z"') RETURNING seq, clock;
	SELECT (SELECT string_agg(seq::text, ' ') FROM S.causal_past('S.log', 'here', 3)), (SELECT string_agg(event::text, ' ') FROM S.causal_future('S.log', 'here', 1)),
		(SELECT count(*) FROM S.concurrent_with('S.log', '{"x": 1}'::S.vclock)), (SELECT seq FROM S.frontier('S.log')),
		(SELECT count(*) FROM S.causal_parents('S.log')), (SELECT origin FROM S.causal_parents('S.log', 'there', 1)),
		(SELECT max(depth) FROM S.causal_depth('S.log')), S.causal_depth('S.log', 'here', 2), S.is_consistent_cut('S.log', '{"there": 1}'),
		(SELECT count(*) FROM S.races('S.log', 'l.event'));
	SELECT S.to_shiviz('S.log') LIKE '%{"here": 1}%', S.spacetime_svg('S.log', 'here', 1) LIKE '<svg %', S.to_dot('S.log') LIKE 'digraph %', S.to_mermaid('S.log') LIKE '%flowchart %';
	SELECT origin, seq, clock, event, line FROM S.shiviz_events(E'x\na {"a": 1}');
	DELETE FROM S.log;
	SELECT S.hlc_now() OPERATOR(S.>) '17.0', S.hlc_receive('17.0') OPERATOR(S.>) '17.0', shared FROM S.hlc_status();
	SELECT S.kind(S.vclock '{}'), S.causal_order(S.lamport '1', S.vclock '{}'), (S.logical_time '{"hybrid": "17.0"}')::S.hlc;
	SELECT S.create_clock('c', 'vector'), S.clock_tick('c'), S.clock_receive('c', '{"vector": {"b": 2}}'), S.clock_now('c'), S.drop_clock('c') IS NOT NULL;
	INSERT INTO S.sample (id) VALUES (4) RETURNING id, clock, stamp, born;
	DELETE FROM S.sample WHERE id = 4};
my $used = join "\n",
	'here|{"a": 1, "here": 1}|{"a": 1, "b": 2, "here": 1}',
	'before|t|t|{"a": 1, "b": 2}|{"a": 1}|7',
	'{"a": 1}|{"a": 1}|5|5',
	'{"a": 3, "b": 1}|{"a": 1}',
	'1970-01-01T00:00:00.000000003Z/0|1970-01-01T00:00:00.000000001Z/0|3|1',
	'1 3 2|3', '2', '3', '3', '2', 't|00:00:02', 'a|1', 'b|2',
	'{"here": 1}|{"a": 1, "here": 2}|3|{"a": [1, 0], "here": [0, 2]}|{"a": [1, 0], "here": [0, 1]}|-2',
	'{"elements": {"x": [["here", 1]]}, "context": {"here": 1}}|{"elements": {}, "context": {"here": 1}}|f|{"a": 2}|'
	  . '{"elements": {}, "context": {"a": 1}}',
	'v|{"k": "1"}|v|{v}|{v}|t|f', 'conflict|active|t|f|t|active', 't|t|t', 'conflict|active|2 1',
	'{"pay": {"b": "reserved"}, "ship": {"a": "committed", "b": "conflict"}}|{"step 1": {"n": "conflict"}, "step 2": {"n": "reserved"}}|2 1',
	'conflict|t|f|f|{a,b}|{ship}|{"ship": {"b": "aborted"}}|t|t',
	'pay|reserved|b|reserved', 'ship|conflict|b|conflict', '1', '2',
	'pairwise_conflict||ship|a|committed|b|aborted|conflict', 'phantom|order||||||conflict',
	'pairwise_conflict||ship|b|conflict|||conflict', 'phantom|order||||||conflict',
	'order|all_or_nothing|phantom|{"a": {"ship": "committed"}, "b": {"pay": "committed"}}',
	'{"a": 3, "b": 1}|{"a": [0, 1]}|{"value": "y", "at": "1970-01-01T00:00:00.000000018Z/0", "node": "b"}|'
	  . '{"k": {"value": "v", "at": "1970-01-01T00:00:00.000000017Z/0", "node": "b"}}|'
	  . '{"values": [{"value": "v", "dot": ["a", 1]}, {"value": "w", "dot": ["b", 1]}], "context": {"a": 1, "b": 1}}|'
	  . '{"elements": {"y": [["b", 1]], "z": [["b", 2]]}, "context": {"a": 1, "b": 2}}|'
	  . '{"entries": {"k": [{"value": "v", "dot": ["a", 1]}], "l": [{"value": "w", "dot": ["b", 1]}]}, "context": {"a": 1, "b": 1}}|'
	  . '{"enabled": [["a", 1]], "context": {"a": 1}}|{"disabled": [], "context": {"a": 1}}',
	'{"elements": {"x": [["a", 1]], "y": [["a", 2]], "z": [["a", 3]]}, "context": {"a": 3}}',
	'k|v|1970-01-01T00:00:00.000000017Z/0|b', 'k|{v}', '1 2', '2', '1', '2',
	'{"here": 1}|{"here": 1, "there": 1}|{"here": 2, "there": 1}', '3|{"here": 3, "there": 1}', '1 1 2|"y" "z"|4|3|3|here|4|3|f|0',
	't|t|t|t', 'a|1|{"a": 1}|x|2', 't|t|t', 'vector|concurrent|1970-01-01T00:00:00.000000017Z/0',
	'{"vector": {}}|{"vector": {"here": 1}}|{"vector": {"b": 2, "here": 2}}|{"vector": {"b": 2, "here": 2}}|t',
	'4|{}|0|{"here": 1}';

sub used_in
{
	my ($schema) = @_;
	return answer($use =~ s/\bS\./$schema./gr);
}

is( answer((q{
		CREATE TABLE S.sample (id int PRIMARY KEY, clock S.vclock NOT NULL DEFAULT '{}', stamp S.lamport DEFAULT 0::bigint::S.lamport,
			at S.hlc DEFAULT '0.0', born S.vclock DEFAULT S.tick('{}'::S.vclock),
			total numeric GENERATED ALWAYS AS (S.total(clock)) STORED);
		INSERT INTO S.sample VALUES (1, '{"a": 1, "b": 1}', '1', '1.0'), (2, '{"a": 3}', '2', '2.0'),
			(3, '{"a": 2, "b": 1}', '3', '3.0');
		CREATE INDEX by_cause ON S.sample USING gist (clock);
		CREATE INDEX by_order ON S.sample (clock);
		CREATE INDEX by_hash ON S.sample USING hash (clock);
		CREATE INDEX by_block ON S.sample USING brin (at, stamp);
		CREATE INDEX by_node ON S.sample ((clock OPERATOR(S.->) 'a'));
		CREATE TABLE S.crdt (id int PRIMARY KEY, c S.gcounter DEFAULT '{}', p S.pncounter, r S.lww_register, d S.lww_map, m S.mv_register,
			s S.orset, o S.or_map, e S.ew_flag, w S.dw_flag, born S.gcounter DEFAULT S.increment('{}'::S.gcounter),
			total numeric GENERATED ALWAYS AS (S.value(p)) STORED, step S.lattice_state DEFAULT 'reserved', lease S.lease_state DEFAULT 'active',
			doubtful boolean GENERATED ALWAYS AS (S.is_conflict(step) OR S.has_conflicts(l)) STORED, l S.obligation_lattice DEFAULT '{}');
		CREATE TABLE S.rule OF S.saga_constraint (CHECK (kind <> ''));
		INSERT INTO S.rule VALUES ('order', 'all_or_nothing', '{pay,ship}');
		INSERT INTO S.crdt VALUES
			(1, '{"a": 1, "b": 1}', '{"a": [0, 1]}', S.lww_register('x', '17.0', 'a'), '{}', S.set('{}', 'v', 'a'),
				S.add('{}'::S.orset, 'x', 'a'), S.put('{}'::S.or_map, 'k', 'v', 'a'), S.enable('{}'::S.ew_flag, 'a'), S.disable('{}'::S.dw_flag, 'a')),
			(2, '{"a": 3}', '{}', S.lww_register('y', '18.0', 'b'), S.put('{}', 'k', 'v', '17.0', 'b'), S.set('{}'::S.mv_register, 'w', 'b'),
				S.remove(S.add(S.add(S.add('{}'::S.orset, 'x', 'a'), 'y', 'b'), 'z', 'b'), 'x'), S.put('{}'::S.or_map, 'l', 'w', 'b'), '{}',
				S.enable(S.disable('{}'::S.dw_flag, 'a'), 'b'));
		UPDATE S.crdt SET step = 'conflict'::text, lease = 'released', l = '{"ship": {"a": "committed", "b": "aborted"}}' WHERE id = 1;
		UPDATE S.crdt SET l = S.observe(S.observe('{}'::S.obligation_lattice, 'ship', 'b', 'conflict'), 'pay', 'b', 'reserved') WHERE id = 2;
		CREATE INDEX by_step ON S.crdt (step, lease);
		CREATE INDEX by_lease ON S.crdt USING hash (lease);
		CREATE INDEX by_element ON S.crdt USING gin (s);
		CREATE INDEX by_key ON S.crdt USING gin (d, o);
		CREATE INDEX by_obligation ON S.crdt USING gin (l);
		CREATE INDEX by_agreement ON S.crdt (l) WHERE NOT S.has_conflicts(l);
		CREATE INDEX by_inclusion ON S.crdt (c, s, d, m);
		CREATE INDEX by_state ON S.crdt USING hash (s);
		CREATE INDEX by_value ON S.crdt (S.value(c));
		CREATE INDEX by_context ON S.crdt (S.context(s)) WHERE S.value(e);
		SELECT FROM S.create_causal_log('S.log');
		CREATE FUNCTION S.sum_of(S.vclock) RETURNS numeric LANGUAGE sql IMMUTABLE
			AS $$ SELECT S.total($1) $$;
	}) =~ s/\bS\./"Odd schema"./gr),
	'', 'tables, defaults, generated columns and every kind of index by qualified names');
is(used_in('"Odd schema"'), $used, 'functions, defaults, operators, aggregates, casts by qualified names');
is( answer(q{SET enable_seqscan = off; SET search_path = pg_catalog;
		EXPLAIN (COSTS OFF) SELECT id FROM "Odd schema".sample WHERE clock OPERATOR("Odd schema".<<) '{"a": 9}'})
	=~ /Index Scan (using|on) by_cause/ ? 1 : 0,
	1, 'the GiST index is used');
for my $case (
	[ by_element => 's OPERATOR(S.?) \'x\'' ], [ by_element => 's OPERATOR(S.@>) \'{x,y}\'::text[]' ],
	[ by_element => 's OPERATOR(S.&&) \'{x,y}\'::text[]' ], [ by_key => 'd OPERATOR(S.?) \'k\'' ],
	[ by_key => 'o OPERATOR(S.?) \'k\'' ], [ by_inclusion => 'c OPERATOR(S.#<#) \'{"a": 9}\'' ],
	[ by_step => 'step OPERATOR(S.#>#) \'aborted\'' ], [ by_lease => 'lease OPERATOR(S.=) \'released\'' ],
	[ by_obligation => 'l OPERATOR(S.?) \'pay\'' ], [ by_obligation => 'S.has_conflicts(l)' ], [ by_obligation => 'l OPERATOR(S.@@) \'reserved\'' ],
	[ by_state => 's OPERATOR(S.=) \'{}\'' ], [ by_value => 'S.value(c) > 7' ])
{
	my ($index, $condition) = @$case;

	like(answer("SET enable_seqscan = off; SET search_path = pg_catalog; EXPLAIN (COSTS OFF) SELECT id FROM S.crdt WHERE $condition"
				=~ s/\bS\./"Odd schema"./gr),
		qr/(Index Scan using|Bitmap Index Scan on) $index/, "the index $index is used: $condition");
}

# It moves
is(answer('CREATE SCHEMA elsewhere; ALTER EXTENSION distributed SET SCHEMA elsewhere'),
	'ERROR:  42501', 'the owner cannot move a trusted extension, whose objects are not his');
is($node->psql('app', 'ALTER EXTENSION distributed SET SCHEMA elsewhere'),
	0, 'a superuser moves the extension to another schema');
is(answer(q{SELECT count(*) FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass
		WHERE d.deptype = 'e' AND p.pronamespace <> 'elsewhere'::regnamespace
			AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'distributed')}),
	'0', '... with every function');
is( answer(q{ALTER TABLE "Odd schema".sample SET SCHEMA elsewhere;
		ALTER TABLE "Odd schema".crdt SET SCHEMA elsewhere;
		ALTER TABLE "Odd schema".rule SET SCHEMA elsewhere;
		ALTER TABLE "Odd schema".log SET SCHEMA elsewhere;
		DROP FUNCTION "Odd schema".sum_of;
		CREATE FUNCTION elsewhere.sum_of(elsewhere.vclock) RETURNS numeric LANGUAGE sql IMMUTABLE
			AS $$ SELECT elsewhere.total($1) $$}),
	'', '... and its user along');
is(used_in('elsewhere'), $used, 'everything works as before');
is(answer('SET search_path = elsewhere; SELECT id FROM sample WHERE clock @> \'{"a": 2}\' AND clock << \'{"a": 9, "b": 9}\' ORDER BY id'),
	"2\n3", '... also by way of the search_path');
is(answer(q{SET search_path = elsewhere; SET enable_seqscan = off;
		SELECT id FROM crdt WHERE s ? 'x'; SELECT id FROM crdt WHERE s && '{z}' AND o ? 'l' AND value(c) + 1 > 2; SELECT value(merge(c) + 1) FROM crdt;
		SELECT id FROM crdt WHERE has_conflicts(l) AND l ? 'pay'}),
	"1\n2\n5\n2", '... for the replicated types, too');
is( $node->psql('app',
		'ALTER EXTENSION distributed SET SCHEMA "Odd schema"; ALTER EXTENSION distributed SET SCHEMA elsewhere'),
	0, '... and back and forth');

# It goes
is(answer('DROP EXTENSION distributed'), 'ERROR:  2BP01', 'it is not dropped from under a table');
is(answer('SET client_min_messages = error; DROP EXTENSION distributed CASCADE; DROP TABLE elsewhere.sample, elsewhere.crdt, elsewhere.log;
		DROP SCHEMA elsewhere, "Odd schema" CASCADE'),
	'', '... but with CASCADE');
is($node->safe_psql('app', $everything), $before, '... and leaves nothing behind');
is(answer('CREATE SCHEMA again; CREATE EXTENSION distributed SCHEMA again; DROP EXTENSION distributed; DROP SCHEMA again'),
	'', 'it can be installed again in the same database');
is($node->safe_psql('app', $everything), $before, '... and leaves nothing again');

# Objects that lie in wait in the schema where it is installed.  They take arguments of any
# type or a variable number of them: if the script of the extension or its functions resolved
# a name to one of these, it would run with the rights of whoever installs or uses it.
$database = 'public_app';
$node->safe_psql('public_app', q{GRANT CREATE ON SCHEMA public TO plain});
my @names = split ' ', $node->safe_psql('app', q{
	CREATE EXTENSION distributed;
	SELECT string_agg(DISTINCT proname, ' ') FROM pg_proc p JOIN pg_depend d
		ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'distributed';
	DROP EXTENSION distributed});
my @operators = ('=', '<>', '<', '<=', '>', '>=', '<@', '@>', '<<', '>>', '||', '|', '&', '->', '-',
	'+', '?', '&&', '@@', '#<#', '#<=#', '#>=#', '#>#');
my $traps = join "\n",
	'CREATE TABLE caught (what text);',
	map({ my $name = $_;
		  map { my ($suffix, $arguments) = @$_;
			qq{CREATE FUNCTION public."$name"($arguments) RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN
				INSERT INTO public.caught VALUES ('$name$suffix'); RETURN true; END \$\$;} }
			['1', 'anyelement'], ['2', 'anyelement, anyelement'], ['*', 'VARIADIC text[]'], ['3', 'anyelement, anyelement, anyelement'] }
		@names, 'current_setting'),
	map { qq{CREATE OPERATOR public.$_ (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = public.merge);} }
	@operators;
is(answer($traps), '', scalar(@names) . ' traps for functions, ' . scalar(@operators) . ' for operators are set');
is(answer('SELECT merge(1, 2), 1 OPERATOR(public.#<#) 2; SELECT count(*) FROM caught; DELETE FROM caught'),
	"t|t\n2", '... and sharp');
is(answer('CREATE EXTENSION distributed SCHEMA public; SELECT count(*) FROM caught'),
	'0', 'none is called when the extension is installed');
is( $node->safe_psql('public_app', q{
		SELECT count(*) FROM pg_depend d JOIN pg_extension e ON e.extname = 'distributed'
			AND d.refobjid <> e.oid
		JOIN pg_depend member ON member.refobjid = e.oid AND member.deptype = 'e'
			AND member.classid = d.classid AND member.objid = d.objid
		WHERE d.refobjid >= 16384 AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
			AND NOT EXISTS (SELECT FROM pg_depend other WHERE other.classid = d.refclassid
				AND other.objid = d.refobjid AND other.refobjid = e.oid AND other.deptype = 'e')
			AND NOT EXISTS (SELECT FROM pg_depend other JOIN pg_depend upper ON upper.classid = other.refclassid
				AND upper.objid = other.refobjid AND upper.refobjid = e.oid AND upper.deptype = 'e'
				WHERE other.classid = d.refclassid AND other.objid = d.refobjid AND other.deptype = 'i')}),
	'0', '... and no object of the extension refers to one');
is( answer(q{
		CREATE TABLE sample AS SELECT vclock('a'::text, i::bigint) AS clock FROM generate_series(1, 20) i;
		CREATE INDEX ON sample USING gist (clock);
		CREATE INDEX ON sample (clock);
		CREATE INDEX ON sample USING hash (clock);
		SELECT tick(vclock '{}'), receive(vclock '{}', vclock '{"b": 2}'), merge(clock), meet(clock) FROM sample;
		SELECT causal_order(vclock '{}', vclock '{}'), vclock '{}' << vclock '{}', (vclock '{}')::jsonb;
		SET enable_seqscan = off;
		SELECT count(*) FROM sample WHERE clock << vclock '{"a": 5}';
		SELECT count(*) FROM sample WHERE clock = vclock '{"a": 5}';
		SELECT count(*) FROM sample WHERE clock #<# vclock '{"a": 5}';
		SELECT increment(gcounter '{}'), gcounter '{}' + 1::bigint, pncounter '{}' - 1::bigint, reset(pncounter '{"a": [1, 0]}') = pncounter '{}';
		CREATE TABLE sets AS SELECT add(orset '{}', 'e' || i::text, 'n' || i::text) AS s, put(or_map '{}', 'k'::text, 'v' || i % 2, 'n' || i::text) AS o,
			lww_map(jsonb_build_object('k', i), hlc '17.0', 'a'::text) AS d FROM generate_series(1, 20) i;
		CREATE INDEX ON sets USING gin (s, o, d);
		CREATE INDEX ON sets (s, o, d);
		SELECT count(*) FROM sets WHERE s ? 'e5'::text;
		SELECT count(*) FROM sets WHERE s @> ARRAY['e5'] OR s && ARRAY['e6', 'e7'];
		SELECT count(*) FROM sets WHERE o ? 'k'::text AND d ? 'k'::text AND s #># orset '{}';
		SELECT merge(s) @> ARRAY['e1', 'e20'], cardinality(merge(s)), merge(o) -> 'k'::text, merge(d) -> 'k'::text,
			cardinality(orset_agg(element, 'a'::text)) FROM sets, each(s) element;
		SELECT lattice_state 'committed' | lattice_state 'aborted', lease_state 'active' & lease_state 'expired', merge(lattice_state 'reserved', lattice_state 'aborted'),
			is_terminal(lease_state 'active'), is_conflict(lattice_state 'conflict'), lease_state 'active' <@ lease_state 'expired';
		SELECT merge(s), meet(s), count(DISTINCT s), max(s::text) FROM unnest('{reserved,aborted}'::lattice_state[]) s;
		CREATE TABLE sagas AS SELECT observe(obligation_lattice '{}', 'o' || i::text, 'n'::text, lattice_state 'reserved') |
			observe(obligation_lattice '{}', 'all'::text, 'n' || i::text, (ARRAY['reserved', 'conflict'])[1 + i % 2]::lattice_state) AS l FROM generate_series(1, 20) i;
		CREATE INDEX ON sagas USING gin (l);
		CREATE INDEX ON sagas (l);
		SELECT count(*) FROM sagas WHERE l ? 'o5'::text;
		SELECT count(*) FROM sagas WHERE l @> ARRAY['o5', 'all'] OR l && ARRAY['o6', 'o7'];
		SELECT count(*) FROM sagas WHERE has_conflicts(l);
		SELECT count(*) FROM sagas WHERE l @@ lattice_state 'conflict' AND l #># obligation_lattice '{}';
		SELECT state(merge(l), 'all'::text), pg_catalog.cardinality(obligations(merge(l))), pg_catalog.cardinality(witnesses(merge(l), 'all'::text)), has_state(merge(l), lattice_state 'reserved'),
			(SELECT count(*) FROM entries(merge(l))), (SELECT count(*) FROM conflicts(merge(l))), delta(merge(l), merge(l)) = obligation_lattice '{}' FROM sagas;
		SELECT observe(o, 'n'::text, lattice_state 'reserved') FROM unnest(ARRAY['x', 'y']) o;
		SELECT (SELECT count(*) FROM check_sagas(merge(l), rules)), (SELECT count(*) FROM saga_summary(merge(l), rules)) FROM sagas,
			(VALUES (ARRAY[('both'::text, 'all_or_nothing'::text, ARRAY['all', 'o5'])]::saga_constraint[])) r (rules) GROUP BY rules;
		SELECT max(h), min(h), hlcrange(min(h), max(h)) FROM (VALUES (hlc '1.0'), (hlc '2.0')) v (h);
		SELECT FROM create_causal_log('log'::text);
		SELECT log_event('log'::regclass, jsonb '"x"'), log_event('log'::regclass, jsonb '"y"', vclock '{"here": 1}', 'there'::text);
		INSERT INTO log (event) VALUES ('"z"');
		SELECT (SELECT count(*) FROM causal_past('log'::regclass, 'here'::text, 2::bigint)), (SELECT count(*) FROM causal_future('log'::regclass, vclock '{"here": 1}')),
			(SELECT count(*) FROM concurrent_with('log'::regclass, 'here'::text, 2::bigint)), (SELECT count(*) FROM frontier('log'::regclass)),
			(SELECT count(*) FROM causal_parents('log'::regclass)), (SELECT count(*) FROM causal_parents('log'::regclass, 'there'::text, 1::bigint)),
			(SELECT count(*) FROM causal_depth('log'::regclass)), causal_depth('log'::regclass, 'there'::text, 1::bigint),
			is_consistent_cut('log'::regclass, vclock '{"there": 1}'), (SELECT count(*) FROM races('log'::regclass, '1'::text));
		SELECT to_shiviz('log'::regclass) <> '', spacetime_svg('log'::regclass) <> '', to_dot('log'::regclass) <> '', to_mermaid('log'::regclass) <> '';
		SELECT count(*) FROM shiviz_events(E'x\na {"a": 1}'::text);
		SELECT hlc_receive(hlc '17.0') < hlc_now(), create_clock('c'::text, 'vector'::logical_clock_kind), clock_tick('c'::text),
			clock_receive('c'::text, logical_time '{"vector": {"b": 2}}'), clock_now('c'::text), drop_clock('c'::text) IS NOT NULL;
		SELECT count(*) FROM caught}),
	join("\n", '{"here": 1}|{"b": 2, "here": 1}|{"a": 20}|{"a": 1}', 'equal|f|{}', 4, 1, 4,
		'{"here": 1}|{"here": 1}|{"here": [0, 1]}|f', 1, 3, 20, 't|20|{v0,v1}|9|20',
		'conflict|active|aborted|f|t|t', 'aborted|reserved|2|reserved',
		1, 3, 10, 10, 'conflict|21|20|t|40|20|t', '{"x": {"n": "reserved"}, "y": {"n": "reserved"}}', '146|1',
		'1970-01-01T00:00:00.000000002Z/0|1970-01-01T00:00:00.000000001Z/0|'
		  . '[1970-01-01T00:00:00.000000001Z/0,1970-01-01T00:00:00.000000002Z/0)',
		'{"here": 1}|{"here": 1, "there": 1}', '1|2|1|2|2|1|3|2|f|1', 't|t|t|t', 1,
		't|{"vector": {}}|{"vector": {"here": 1}}|{"vector": {"b": 2, "here": 2}}|{"vector": {"b": 2, "here": 2}}|t', 0),
	'... nor when it is used by unqualified names');

$node->stop;
done_testing();
