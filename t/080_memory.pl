# What a statement keeps in memory does not grow with its rows.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('memory', 'max_parallel_workers_per_gather = 0', 'jit = off');

if ($node->safe_psql('postgres', q{SELECT current_setting('server_version_num')}) < 140000)
{
	plan skip_all => 'sessions show their memory contexts since PostgreSQL 14';
}
$node->safe_psql('postgres', 'CREATE EXTENSION distributed');

# Aggregates: the contexts are looked at while the aggregate's state is still there.
$node->safe_psql('postgres', q{
	CREATE TABLE clocks AS
		SELECT i, ('{"a": ' || i || ', "b": ' || i % 977 || ', "c": ' || i % 7 + 1 || '}')::vclock AS same,
			vclock('n' || i % 50, i) | vclock('all', i) AS other
		FROM generate_series(1, 200000) i;
	CREATE FUNCTION memory_after(expression text, n integer, OUT state bigint, OUT session bigint)
	LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format($q$
			SELECT (SELECT sum(used_bytes) FROM pg_backend_memory_contexts WHERE name = 'distributed merge state'),
				(SELECT sum(used_bytes) FROM pg_backend_memory_contexts)
			FROM (SELECT %s AS m FROM (SELECT * FROM clocks LIMIT %s) c OFFSET 0) s WHERE m IS NOT NULL$q$,
			expression, n)
		INTO state, session;
	END $$;
});
for my $expression ('merge(same)', 'meet(same)', 'merge(other)')
{
	my $result = $node->safe_psql(
		'postgres', qq{
		SELECT FROM memory_after('$expression', 2000) a, memory_after('$expression', 200000) b;
		SELECT few.state > 0, many.state = few.state, abs(many.session - few.session) < 100000
		FROM memory_after('$expression', 2000) few, memory_after('$expression', 200000) many;});
	$result =~ s/^\s+//;
	is($result, 't|t|t', "$expression of 200,000 rows takes the state that 2,000 rows take, and nothing per row");
}

# An exclusion constraint checks each candidate in the memory of the whole statement; the
# copies that detoasting makes once stayed there.
is( $node->safe_psql(
		'postgres', q{
	CREATE TABLE versions (clock vclock, EXCLUDE USING gist (clock WITH ||));
	ALTER TABLE versions ALTER clock SET STORAGE external;
	CREATE TABLE peak (bytes bigint);
	CREATE FUNCTION measure() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO peak SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name = 'ExecutorState';
		RETURN NEW;
	END $$;
	CREATE TRIGGER measure BEFORE INSERT ON versions FOR EACH ROW EXECUTE FUNCTION measure();
	INSERT INTO versions
		SELECT (SELECT merge(vclock('node-' || i, n)) FROM generate_series(1, 3000) i) FROM generate_series(1, 100) n;
	SELECT (SELECT count(*) FROM versions), max(bytes) < 5000000 FROM peak;}),
	'100|t',
	'an exclusion constraint on large clocks keeps no copies of them');

done_testing();
