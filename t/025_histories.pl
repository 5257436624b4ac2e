# Histories with the outcomes that an independent implementation found for them.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $file = shared_data('crdt-histories.jsonl');

plan skip_all => 'no shared data with reference histories' unless defined $file;

my $node = new_node('histories');
my @history = split /\n/, slurp_file($file);

$node->safe_psql('postgres',
	"CREATE EXTENSION distributed; CREATE TABLE history (n serial PRIMARY KEY, h jsonb NOT NULL);\n"
	  . join '', map { s/'/''/gr =~ s/^(.*)$/INSERT INTO history (h) VALUES ('$1');\n/r } @history);

# Every history of the file is accounted for.
my %replicated = map { $_ => 15 } qw(gcounter pncounter orset mv lww);
my %states = (join => 7, lease => 6);
my %count = (vclock => 100, %replicated, %states, saga => 37);

is_deeply({ map { split /\|/ } split /\n/, $node->safe_psql('postgres',
		q{SELECT h ->> 't', count(*) FROM history GROUP BY 1}) },
	\%count, 'the file has histories of these types, and so many of each');
is(scalar(@history), 225, '... 225 in all');

# Pairs of vector clocks: how they stand to each other, and their merge.
my $pairs = q{
	SELECT (h -> 'a')::vclock AS a, (h -> 'b')::vclock AS b, h ->> 'order' AS expected,
		(h -> 'merge')::vclock AS merged
	FROM history WHERE h ->> 't' = 'vclock'};

is($node->safe_psql('postgres', "SELECT count(*) FROM ($pairs) p"), $count{vclock},
	'all pairs of vector clocks are read');
for my $check (
	[ 'causal_order' => 'causal_order(a, b)::text = expected' ],
	[ '<<' => "(a << b) = (expected = 'before')" ],
	[ '>>' => "(a >> b) = (expected = 'after')" ],
	[ '||' => "(a || b) = (expected = 'concurrent')" ],
	[ '=' => "(a = b) = (expected = 'equal')" ],
	[ '<@' => "(a <@ b) = (expected IN ('before', 'equal'))" ],
	[ '@>' => "(a @> b) = (expected IN ('after', 'equal'))" ],
	[ 'merge' => 'merge(a, b) = merged AND merge(b, a) = merged AND vclock_send(a | b) = vclock_send(merged)' ])
{
	my ($name, $condition) = @$check;
	is($node->safe_psql('postgres', "SELECT a, b, expected FROM ($pairs) p WHERE ($condition) IS NOT TRUE"),
		'', "$name agrees on every pair");
}

# Pairs of states, and their join, either way around.
my %state_type = (join => 'lattice_state', lease => 'lease_state');

for my $what (sort keys %states)
{
	my $joins = qq{
		SELECT h ->> 'a' AS a, h ->> 'b' AS b, h ->> 'r' AS expected, (h ->> 'a')::$state_type{$what} AS x,
			(h ->> 'b')::$state_type{$what} AS y, (h ->> 'r')::$state_type{$what} AS r
		FROM history WHERE h ->> 't' = '$what'};

	is($node->safe_psql('postgres', "SELECT count(*) FROM ($joins) j WHERE ARRAY[x, y, r]::text[] = ARRAY[a, b, expected]"),
		$states{$what}, "$state_type{$what}: all pairs are read");
	is($node->safe_psql('postgres', "SELECT a, b, expected FROM ($joins) j
			WHERE (x | y = r AND y | x = r AND x <@ r AND r @> y AND (x <@ y) = (r = y)) IS NOT TRUE"),
		'', '... and joined as expected');
}

# Replicated values: each replica's outcome, and that of all of them merged.  In the
# expressions s is the state, node the replica's name, op the operation, such as
# ["set", 0, "v1", 5]: a verb, a replica (for a merge: the one that takes), arguments.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE subject (t text PRIMARY KEY, type text, outcome text);
INSERT INTO subject VALUES
	('gcounter', 'gcounter', 'to_jsonb(value(s))'),
	('pncounter', 'pncounter', 'to_jsonb(value(s))'),
	('orset', 'orset', 'to_jsonb(elements(s))'),
	('mv', 'mv_register', 'to_jsonb(siblings(s))'),
	('lww', 'lww_register', 'to_jsonb(value(s))');
CREATE TABLE verb (t text, verb text, change text, PRIMARY KEY (t, verb));
INSERT INTO verb VALUES
	('gcounter', 'inc', 'increment(s, (op ->> 2)::bigint, node)'),
	('pncounter', 'inc', 'increment(s, (op ->> 2)::bigint, node)'),
	('pncounter', 'dec', 'decrement(s, (op ->> 2)::bigint, node)'),
	('orset', 'add', 'add(s, op ->> 2, node)'),
	('orset', 'rem', 'remove(s, op ->> 2)'),
	('mv', 'set', 'set(s, op ->> 2, node)'),
	('lww', 'set', $$ set(s, op ->> 2, ((op ->> 3) || '.0')::hlc, node) $$);

-- A row for each replica, that of all merged being null.  "images" counts the different
-- binary images among the replicas after each has merged all, in two orders.
CREATE TABLE outcome (n integer, t text, replica integer, expected jsonb, found jsonb, operations bigint, images bigint);

CREATE PROCEDURE replay(n integer, h jsonb) LANGUAGE plpgsql AS $$
DECLARE
	what subject := (SELECT s FROM subject s WHERE s.t = h ->> 't');
	operations bigint := 0;
	change text;
	changed bigint;
	op jsonb;
BEGIN
	EXECUTE format('CREATE TEMP TABLE replica (r integer PRIMARY KEY, node text, s %s DEFAULT ''{}'')', what.type);
	-- names sort as numbers do
	INSERT INTO replica (r, node)
		SELECT r, 'r' || lpad(r::text, 3, '0') FROM generate_series(0, (h ->> 'replicas')::integer - 1) r;
	FOR op IN SELECT o FROM jsonb_array_elements(h -> 'ops') WITH ORDINALITY a (o, i) ORDER BY i LOOP
		IF op ->> 0 = 'merge' THEN
			change := 's | (SELECT s FROM replica WHERE r = (op ->> 2)::integer)';
		ELSE
			SELECT v.change INTO STRICT change FROM verb v WHERE v.t = h ->> 't' AND v.verb = op ->> 0;
		END IF;
		EXECUTE format('UPDATE replica SET s = %s FROM (SELECT $1 AS op) a WHERE r = (op ->> 1)::integer', change) USING op;
		GET DIAGNOSTICS changed = ROW_COUNT;
		ASSERT changed = 1, format('history %s: no such replica: %s', n, op);
		operations := operations + 1;
	END LOOP;

	EXECUTE format($q$
		INSERT INTO outcome (n, t, replica, expected, found, operations)
		SELECT $1, $2, r, $3 -> r, coalesce(%s, 'null'), $4 FROM replica$q$, what.outcome)
		USING n, h ->> 't', h -> 'expect', operations;
	EXECUTE format($q$
		WITH RECURSIVE
			upward AS (
				SELECT r, s, 0 AS next FROM replica
				UNION ALL SELECT u.r, u.s | o.s, next + 1 FROM upward u JOIN replica o ON o.r = next),
			downward AS (
				SELECT r, s, (SELECT max(r) FROM replica) AS next FROM replica
				UNION ALL SELECT d.r, o.s | d.s, next - 1 FROM downward d JOIN replica o ON o.r = next),
			merged AS (
				SELECT s FROM upward WHERE next > (SELECT max(r) FROM replica)
				UNION ALL SELECT s FROM downward WHERE next < 0
				UNION ALL SELECT merge(s) FROM replica)
		INSERT INTO outcome
		SELECT $1, $2, null, $3, min(coalesce(%s, 'null')::text)::jsonb, $4, count(DISTINCT %s_send(s))
		FROM merged$q$, what.outcome, what.type)
		USING n, h ->> 't', h -> 'converged', operations;
	DROP TABLE replica;
END
$$;

DO $$
DECLARE
	history history;
BEGIN
	FOR history IN SELECT * FROM history h WHERE h.h ->> 't' IN (SELECT t FROM subject) ORDER BY n LOOP
		CALL replay(history.n, history.h);
	END LOOP;
END
$$;
SQL

for my $type (sort keys %replicated)
{
	my $outcomes = "FROM outcome WHERE t = '$type'";

	is($node->safe_psql('postgres', "SELECT count(DISTINCT n) $outcomes AND replica IS NULL"),
		$replicated{$type}, "$type: every history is replayed");
	is($node->safe_psql('postgres', "
		SELECT sum(operations) = (SELECT sum(jsonb_array_length(h -> 'ops')) FROM history WHERE h ->> 't' = '$type')
			AND min(operations) > 0 $outcomes AND replica IS NULL"),
		't', '... every operation of them');
	is($node->safe_psql('postgres', "
		SELECT count(*) = (SELECT sum(jsonb_array_length(h -> 'expect')) FROM history WHERE h ->> 't' = '$type')
		$outcomes AND replica IS NOT NULL"), 't', '... and every replica');
	is($node->safe_psql('postgres', "
		SELECT n, replica, expected, found $outcomes
			AND replica IS NOT NULL AND (found::text = expected::text) IS NOT TRUE"),
		'', '... with the outcome that is expected of each replica');
	is($node->safe_psql('postgres', "
		SELECT n, expected, found $outcomes
			AND replica IS NULL AND (found::text = expected::text) IS NOT TRUE"),
		'', '... and of all of them merged');
	is($node->safe_psql('postgres', "SELECT n, images $outcomes AND replica IS NULL AND images IS DISTINCT FROM 1"),
		'', '... in the same bytes, whatever the order of merging');
}

# Sagas: what each node reported, and one constraint of all or nothing, or none.  The outcomes
# are the conflicts of two nodes, and whether anything is wrong with the constraint.  "phantoms"
# counts something else there, and never finds it; what we call so makes "violated" true.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE saga AS
	SELECT n, h, coalesce(observe(o.key, s.key, o.value::lattice_state) FILTER (WHERE o.key IS NOT NULL), '{}') AS l,
		CASE WHEN h -> 'constraint' = '[]' THEN '{}'
			ELSE ARRAY[('k', 'all_or_nothing', ARRAY(SELECT jsonb_array_elements_text(h -> 'constraint')))]::saga_constraint[] END AS constraints
	FROM history, jsonb_each(h -> 'snapshots') s LEFT JOIN jsonb_each_text(s.value) o ON true
	WHERE h ->> 't' = 'saga' GROUP BY n, h;
SQL

is($node->safe_psql('postgres', 'SELECT count(*) FROM saga'), $count{saga}, 'saga: every history is read');
is($node->safe_psql('postgres', q{
	SELECT count(*) = (SELECT count(*) FROM saga, jsonb_each(h -> 'snapshots') s, jsonb_each(s.value))
	FROM saga, entries(l)}), 't', '... every report of them');
is($node->safe_psql('postgres', q{
	SELECT n, h -> 'conflicts', found FROM saga, LATERAL (
		SELECT coalesce(jsonb_agg(jsonb_build_array(obligation, node_a, state_a, node_b, state_b)), '[]')
		FROM check_sagas(l, constraints) WHERE finding = 'pairwise_conflict') f (found)
	WHERE (found = h -> 'conflicts') IS NOT TRUE}),
	'', '... with the conflicts that are expected, in order');
is($node->safe_psql('postgres', q{
	SELECT n, h -> 'violated', found FROM saga, LATERAL (
		SELECT to_jsonb(count(*) > 0) FROM check_sagas(l, constraints) WHERE finding IN ('violation', 'phantom')) f (found)
	WHERE (found = h -> 'violated') IS NOT TRUE}),
	'', '... and the constraint broken where it is expected to be');
is($node->safe_psql('postgres', q{
	SELECT sum(jsonb_array_length(h -> 'conflicts')) > 10 AND count(*) FILTER (WHERE h -> 'violated' = 'true') BETWEEN 10 AND 30
		AND count(*) FILTER (WHERE h -> 'phantoms' <> '0') = 0 FROM saga}),
	't', '... which is of all sorts');

done_testing();
