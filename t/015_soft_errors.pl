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
	hlcrange => [ 'empty', '[17.0,18.0)' ],
	logical_time => [ '{"lamport": 5}', '{"vector": {"a": 1}}', '{"hybrid": "17.0"}' ],
	gcounter => [ '{}', ' {"b": 2, "a": 9223372036854775807} ' ],
	pncounter => [ '{}', '{"a": [5, 2], "b": [0, 0]}' ],
	lww_register => [ '{}', '{"value": "x", "at": "17.0", "node": "a"}' ],
	lww_map => [ '{}', '{"k": {"value": null, "at": "2026-11-22T13:00:00Z/7", "node": "a"}}' ],
	mv_register => [ '{}', '{"values": [{"value": "x", "dot": ["a", 3]}], "context": {"a": 3}}' ],
	orset => [ '{}', '{"elements": {"x": [["c", 8]]}, "context": {"a": 1}, "cloud": [["c", 7, 9]]}' ],
	or_map => [ '{}', '{"entries": {"k": [{"value": "x", "dot": ["a", 1]}]}, "context": {"a": 1}}' ],
	ew_flag => [ '{}', '{"enabled": [["a", 1]], "context": {"a": 1}}' ],
	dw_flag => [ '{}', '{"disabled": [["a", 1]], "context": {"a": 1}}' ],
	trace_id => [ '5b8efff798038103d269b633813fc60c', '5B8EFFF798038103D269B633813FC60C' ],
	span_id => [ 'eee19b7ec3c1b174', '0000000000000000' ],
	trace_flags => [ '00', '01', 'FF' ],
	trace_context => [ '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x',
		'{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=1", "created_at": "2026-11-22T13:00:00Z", "baggage": "k=v;p"}' ],
	lattice_state => [ 'unknown', 'reserved', 'committed', 'aborted', 'conflict' ],
	lease_state => [ 'unknown', 'active', 'released', 'expired', 'conflict' ],
	obligation_lattice => [ '{}', '{"o": {"a": "committed", "b": "unknown"}}', ' {"{": {"é": "conflict"}} ' ],
	row_stamp => [ '{}', '{"context": {"a": 2}, "live": {"a": 1}, "row": {"at": "17.0", "node": "a", "hash": "00000000000000ff"}, "columns": {"x": null}}' ]);
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
	[ hlcrange => '[17.0,noon)', '22P02', 'neither a timestamp nor' ],
	[ logical_time => '{}', '22P02', 'kind of the logical time is missing' ],
	[ logical_time => '{"lamport": 1, "vector": {}}', '22P02', 'of one kind, not both' ],
	[ logical_time => '{"lamport": "1"}', '22P02', 'a string, not a number' ],
	[ logical_time => '{"lamport": -1}', '22003', 'negative: -1' ],
	[ logical_time => '{"vector": {"a": 1, "a": 1}}', '22P02', '"a" occurs more than once' ],
	[ logical_time => '{"hybrid": 17}', '22P02', 'a number, not a string' ],
	[ logical_time => '{"hybrid": "noon"}', '22P02', 'neither a timestamp nor' ],
	[ gcounter => '{"a": [1]}', '22P02', 'an array, not a number' ],
	[ gcounter => '{"a": -1}', '22003', 'negative: -1' ],
	[ pncounter => '{"a": 1}', '22P02', 'not an array of 2 counters' ],
	[ pncounter => '{"a": [1, 2], "a": [1, 2]}', '22P02', '"a" occurs more than once' ],
	[ pncounter => '{"a": [1, 9223372036854775808]}', '22003', 'greater than 9223372036854775807' ],
	[ lww_register => '[]', '22P02', 'an array, not an object' ],
	[ lww_register => '{"value": "x", "at": "17.0"}', '22P02', 'has no "node"' ],
	[ lww_register => '{"value": null, "at": "17.0", "node": "a"}', '22P02', '"value" is null, not a string' ],
	[ lww_register => '{"value": "x", "at": "noon", "node": "a"}', '22P02', 'neither a timestamp nor' ],
	[ lww_register => '{"value": "x", "at": "17.0", "node": ""}', '22P02', 'name is empty' ],
	[ lww_map => '{"k": {"value": 1, "at": "17.0", "node": "a"}}', '22P02', 'not a string or null' ],
	[ lww_map => '{"k": {"value": "x", "at": "9999-01-01T00:00:00Z", "node": "a"}}', '22003', 'after 2262-04-11' ],
	[ lww_map => '{"k": {}, "k": {}}', '22P02', 'Key "k" occurs more than once' ],
	[ mv_register => '{"values": {}}', '22P02', 'an object, not an array' ],
	[ mv_register => '{"values": [{"dot": ["a", 1]}], "context": {"a": 1}}', '22P02', 'no string "value"' ],
	[ mv_register => '{"values": [{"value": "x"}], "context": {"a": 1}}', '22P02', 'no "dot"' ],
	[ orset => '{"element": {}}', '22P02', 'unknown member "element"' ],
	[ orset => '{"context": {}, "context": {}}', '22P02', 'the member "context" more than once' ],
	[ orset => '{"context": {"a": -1}}', '22003', 'negative: -1' ],
	[ orset => '{"elements": {"x": [["a", 2]]}, "context": {"a": 1}}', '22P02', 'not in the context' ],
	[ orset => '{"elements": {"x": [["b", 1]]}, "context": {"a": 1}}', '22P02', 'not in the context' ],
	[ orset => '{"elements": {"x": [["a", 1]], "y": [["a", 1]]}, "context": {"a": 1}}', '22P02', 'dot ["a", 1] occurs more than once' ],
	[ orset => '{"elements": {"x": []}}', '22P02', 'has no dot' ],
	[ orset => '{"elements": {"x": [["a", 0]]}, "context": {"a": 1}}', '22P02', 'dots count from 1' ],
	[ orset => '{"elements": {"x": [["a", 9223372036854775808]]}, "context": {"a": 1}}', '22003', 'greater than 9223372036854775807' ],
	[ orset => '{"cloud": [["a", 4, 3]]}', '22P02', 'ends before it begins' ],
	[ orset => '{"cloud": [["a", 4]]}', '22P02', 'not an array of a node and its first and last counter' ],
	[ or_map => '{"entries": []}', '22P02', 'an array, not an object' ],
	[ or_map => '{"entries": {"k": [["a", 1]]}, "context": {"a": 1}}', '22P02', 'an array, not an object' ],
	[ ew_flag => '{"disabled": []}', '22P02', 'unknown member "disabled"' ],
	[ ew_flag => '{"enabled": [["a"]]}', '22P02', 'not an array of a node and its counter' ],
	[ dw_flag => '{"disabled": [["a", 1], ["a", 1]], "context": {"a": 1}}', '22P02', 'occurs more than once' ],
	[ trace_id => '5b8e', '22P02', '32 digits are needed; the length of the text is 4.' ],
	[ trace_id => '5b8efff798038103d269b633813fc60g', '22P02', 'Character 32, "g", is no hexadecimal digit.' ],
	[ span_id => '', '22P02', '16 digits are needed; the length of the text is 0.' ],
	[ trace_flags => '0x', '22P02', 'Character 2, "x", is no hexadecimal digit.' ],
	[ trace_context => '', '22P02', 'The length of the traceparent is 0, less than 55.' ],
	[ trace_context => 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '22P02', 'Version ff of the traceparent is forbidden.' ],
	[ trace_context => '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', '22P02', 'Character 5 of the traceparent, within the trace id, is no lower-case hexadecimal digit.' ],
	[ trace_context => '00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01', '22P02', 'Character 36 of the traceparent, behind the trace id, is no dash.' ],
	[ trace_context => '00-00000000000000000000000000000000-b7ad6b7169203331-01', '22P02', 'The trace id is nil.' ],
	[ trace_context => '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', '22P02', 'The span id is nil.' ],
	[ trace_context => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x', '22P02', 'in version 00 it is 55' ],
	[ trace_context => '{"traceparent": ', '22P02', 'ended unexpectedly' ],
	[ trace_context => '{}', '22P02', 'has no "traceparent"' ],
	[ trace_context => '{"traceparent": 1}', '22P02', 'is a number, not a string' ],
	[ trace_context => '{"trace_parent": ""}', '22P02', 'unknown member "trace_parent"' ],
	(map { my ($member, $state, $detail) = @$_; [ trace_context => '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ' . $member . '}', $state, $detail ] }
		[ '"tracestate": "a"', '22P02', 'Member 1 of the tracestate has no "="' ],
		[ '"tracestate": "A=1"', '22P02', 'Character 1, "A", of the key of member 1 of the tracestate is not allowed' ],
		[ '"tracestate": "a="', '22P02', 'The value of member 1 of the tracestate is empty' ],
		[ '"tracestate": "a=' . 'x' x 257 . '"', '22P02', 'has 257 characters, more than 256' ],
		[ '"tracestate": "a=1,a=2"', '22P02', 'Key "a" of the tracestate occurs more than once' ],
		[ '"tracestate": "' . ',' x 32 . '"', '22P02', 'more than 32 members' ],
		[ '"parent_span_id": "0000000000000000"', '22P02', 'parent span id is nil' ],
		[ '"parent_span_id": "x"', '22P02', 'The parent span id: 16 digits are needed' ],
		[ '"region": ""', '22P02', 'region is empty' ],
		[ '"region": "' . 'x' x 65536 . '"', '22P02', 'more than 65535' ],
		[ '"created_at": "noon"', '22P02', '"noon" is no time' ],
		[ '"created_at": "2026-13-22T13:00:00Z"', '22P02', 'no month 13' ],
		[ '"created_at": "1969-12-31T23:59:59Z"', '22003', 'before 1970' ],
		[ '"created_at": "9999-01-01T00:00:00Z"', '22003', 'after 2262-04-11' ],
		[ '"baggage": 1', '22P02', 'is a number, not an object or a string' ],
		[ '"baggage": {"a": 1}', '22P02', 'Key "a": The value is a number, not a string' ],
		[ '"baggage": {"a": "1", "a": "1"}', '22P02', 'Key "a" of the baggage occurs more than once' ],
		[ '"baggage": {"a b": "1"}', '22P02', 'Character 2 of key "a b" of the baggage is not one of a token' ],
		[ '"baggage": {"a": {"properties": "p"}}', '22P02', 'has no "value"' ],
		[ '"baggage": "a"', '22P02', 'Member 1 of the baggage has no "="' ],
		[ '"baggage": "a=%4"', '22P02', 'a percent sign without two hexadecimal digits' ],
		[ '"baggage": "a=%00"', '22P02', 'which no text can hold' ],
		[ '"baggage": "a=1;"', '22P02', 'A property of the baggage is empty' ],
		[ '"baggage": {"a": "' . 'x' x 65535 . '"}', '22P02', 'more than 65536 bytes as a header field' ]),
	[ lattice_state => '', '22P02', 'There is no state "".' ],
	[ lattice_state => 'released', '22P02', 'There is no state "released".' ],
	[ lattice_state => ' reserved', '22P02', 'There is no state " reserved".' ],
	[ lease_state => 'Active', '22P02', 'There is no state "Active".' ],
	[ lease_state => 'committed', '22P02', 'There is no state "committed".' ],
	[ obligation_lattice => '{"o": {"a": "committed"}', '22P02', 'ended unexpectedly' ],
	[ obligation_lattice => '[]', '22P02', 'an array, not an object' ],
	[ obligation_lattice => '{"": {"a": "reserved"}}', '22P02', 'name is empty' ],
	[ obligation_lattice => '{"o": "committed"}', '22P02', 'reports are a string, not an object' ],
	[ obligation_lattice => '{"o": {}}', '22P02', 'has no witness' ],
	[ obligation_lattice => '{"o": {"": "reserved"}}', '22P02', 'name is empty' ],
	[ obligation_lattice => '{"o": {"' . 'x' x 256 . '": "reserved"}}', '22P02', 'has 256 bytes, more than 255' ],
	[ obligation_lattice => '{"o": {"a": 1}}', '22P02', 'reported is a number, not a string' ],
	[ obligation_lattice => '{"o": {"a": "released"}}', '22P02', 'reported "released", which is no state' ],
	[ obligation_lattice => '{"o": {"a": "reserved", "a": "reserved"}}', '22P02', 'Witness "a" occurs more than once' ],
	[ obligation_lattice => '{"o": {"a": "reserved"}, "o": {"b": "reserved"}}', '22P02', 'Obligation "o" occurs more than once' ],
	[ row_stamp => '{', '22P02', 'ended unexpectedly' ],
	[ row_stamp => '[]', '22P02', 'an array, not an object' ],
	[ row_stamp => '{"rows": {}}', '22P02', 'unknown member "rows"' ],
	[ row_stamp => '{"context": {"": 1}}', '22P02', 'name is empty' ],
	[ row_stamp => '{"context": {"a": 9214364837600034816}}', '22003', 'greater than 9214364837600034815' ],
	[ row_stamp => '{"context": {"a": 1}, "live": {"a": 2}}', '22P02', 'greater than its context' ],
	[ row_stamp => '{"row": {"at": "17.0"}}', '22P02', 'has no "node"' ],
	[ row_stamp => '{"row": {"at": "noon", "node": "a"}}', '22P02', 'neither a timestamp nor' ],
	[ row_stamp => '{"row": {"at": "-1.0", "node": "a"}}', '22003', 'before 1970' ],
	[ row_stamp => '{"row": {"at": "1.0", "node": "a", "hash": "ff"}}', '22P02', 'not a string of 16 hexadecimal digits' ],
	[ row_stamp => '{"columns": []}', '22P02', 'an array, not an object' ],
	[ row_stamp => '{"columns": {"x": null, "x": null}}', '22P02', 'Column "x" occurs more than once' ],
	[ row_stamp => '{"columns": {"' . 'x' x 64 . '": null}}', '22P02', 'has 64 bytes, more than 63' ]);

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

# In databases of other encodings, what they lack characters for, and what is no text outside
for (
	[ LATIN1 => '"baggage": "a=%E2%82%AC"', '22P05', 'character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"' ],
	[ SQL_ASCII => '"baggage": {"a": "x\\xe2\\x82"}', '22021', 'invalid byte sequence for encoding "UTF8": 0xe2 0x82' ],
	[ SQL_ASCII => '"region": "\\xff"', '22021', 'invalid byte sequence for encoding "UTF8": 0xff' ])
{
	my ($encoding, $member, $state, $message) = @$_;
	my $database = lc $encoding;
	my $text = "E'" . '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ' . $member . "}'";

	if ($node->safe_psql('postgres', "SELECT count(*) FROM pg_database WHERE datname = '$database'") == 0)
	{
		$node->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
		$node->safe_psql($database, 'CREATE EXTENSION distributed');
	}
	is( $node->safe_psql($database, "SELECT sql_error_code, message FROM pg_input_error_info($text, 'trace_context')"),
		"$state|$message", "$encoding: a trace_context with $member is declined softly");
	my ($status, undef, $stderr) = $node->psql($database, "SELECT trace_context $text");
	like($stderr, qr/ERROR:  \Q$message\E/, '... and says the same as the hard error');
}
is( $node->safe_psql('latin1', q{SELECT pg_input_is_valid('{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": "a=%C3%A9"}', 'trace_context')}),
	't', 'LATIN1: what it has is accepted');

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
