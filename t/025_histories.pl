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
	"CREATE EXTENSION distributed; CREATE TABLE history (h jsonb);\n"
	  . join '', map { s/'/''/gr =~ s/^(.*)$/INSERT INTO history VALUES ('$1');\n/r } @history);

# Pairs of vector clocks: how they stand to each other, and their merge.
my $pairs = q{
	SELECT (h -> 'a')::vclock AS a, (h -> 'b')::vclock AS b, h ->> 'order' AS expected,
		(h -> 'merge')::vclock AS merged
	FROM history WHERE h ->> 't' = 'vclock'};

is($node->safe_psql('postgres', "SELECT count(*) FROM ($pairs) p"),
	scalar(grep { /"t": ?"vclock"/ } @history), 'all pairs of vector clocks are read');
cmp_ok(scalar(grep { /"t": ?"vclock"/ } @history), '>=', 100, '... and they are many');
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

done_testing();
