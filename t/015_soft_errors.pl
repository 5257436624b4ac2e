# On servers that can (16 and newer), invalid text is handed back as a soft error: it neither
# throws nor aborts the transaction, and says the same as the hard error does.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('soft');

if ($node->safe_psql('postgres', q{SELECT current_setting('server_version_num')}) < 160000)
{
	plan skip_all => 'soft errors came with PostgreSQL 16';
}
$node->safe_psql('postgres', 'CREATE EXTENSION distributed');

my %valid = (
	vclock => [ '{}', '{"a": 1}', ' {"b": 2, "a": 1} ' ],
	lamport => [ '0', ' 9223372036854775807 ' ],
	hlc => [ '17.0', '2026-11-22T13:00:00.123456789Z/7' ],
	hlcrange => [ 'empty', '[17.0,18.0)' ]);
my @invalid = (
	# type, text, SQLSTATE, part of the detail
	[ vclock => '', '22P02', 'ended unexpectedly' ],
	[ vclock => '{"a": 1} 2', '22P02', 'Expected end of input' ],
	[ vclock => '[]', '22P02', 'an array, not an object' ],
	[ vclock => '{"a": 1, "a": 2}', '22P02', '"a" occurs more than once' ],
	[ vclock => '{"": 1}', '22P02', 'name is empty' ],
	[ vclock => '{"' . 'x' x 256 . '": 1}', '22P02', 'has 256 bytes, more than 255' ],
	[ vclock => '{"a": -1}', '22003', 'negative: -1' ],
	[ vclock => '{"a": 1.5}', '22P02', 'not a whole number: 1.5' ],
	[ vclock => '{"a": 9223372036854775808}', '22003', 'greater than 9223372036854775807' ],
	[ vclock => '{"a": "1"}', '22P02', 'a string, not a number' ],
	[ lamport => '', '22P02', 'missing' ],
	[ lamport => '-1', '22003', 'negative' ],
	[ lamport => '1 2', '22P02', 'not a whole number' ],
	[ lamport => '9223372036854775808', '22003', 'greater than' ],
	[ hlc => 'noon', '22P02', 'neither a timestamp nor' ],
	[ hlc => '17.0x', '22P02', 'trailing text' ],
	[ hlc => '2026-13-22T13:00:00Z', '22P02', 'no month 13' ],
	[ hlc => '2026-11-22T13:00:00Z/4294967296', '22003', 'greater than 4294967295' ],
	[ hlc => '9999-01-01T00:00:00Z', '22003', 'after 2262-04-11' ],
	[ hlcrange => '[17.0,noon)', '22P02', 'neither a timestamp nor' ]);

for my $type (sort keys %valid)
{
	for my $text (@{ $valid{$type} })
	{
		is($node->safe_psql('postgres', "SELECT pg_input_is_valid('$text', '$type')"),
			't', "$type accepts $text");
	}
}
for (@invalid)
{
	my ($type, $text, $state, $detail) = @$_;
	my $short = length $text > 40 ? substr($text, 0, 40) . '...' : $text;

	is( $node->safe_psql(
			'postgres',
			"SELECT pg_input_is_valid(t, '$type'), sql_error_code, strpos(detail, '$detail') > 0
			FROM (VALUES ('$text')) v (t), pg_input_error_info(t, '$type')"),
		"f|$state|t",
		"$type declines \"$short\" softly: $state, $detail");
}

# COPY goes on after a bad row
if ($node->safe_psql('postgres', q{SELECT current_setting('server_version_num')}) >= 170000)
{
	is( $node->safe_psql(
			'postgres', q{
		CREATE TABLE clocks (id integer, clock vclock, at hlc);
		COPY clocks FROM stdin WITH (ON_ERROR ignore);
1	{"a": 1}	17.0
2	{"a": 1, "a": 1}	17.0
3	{"a": 3}	noon
4	{"a": 4}	18.0
\.
		SELECT string_agg(id || ':' || clock::text, ' ' ORDER BY id) FROM clocks}),
		'1:{"a": 1} 4:{"a": 4}',
		'COPY with ON_ERROR ignore keeps the good rows');
}

done_testing();
