# Binary images that are not those of a value: each fault has its SQLSTATE and names the part.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $node = new_node('binary');
my $file = $node->basedir . '/image';

$node->safe_psql('postgres', 'CREATE EXTENSION distributed');

# received(TYPE, IMAGE): what COPY makes of a file with that one value: its text, or the
# SQLSTATE and the detail of the error.
sub received
{
	my ($type, $image) = @_;

	open my $copy, '>:raw', $file or die "$file: $!";
	print $copy "PGCOPY\n\xff\r\n\0", pack('NN', 0, 0), pack('nN', 1, length $image), $image,
	  pack('n', 0xffff);
	close $copy or die "$file: $!";
	my ($status, $out, $err) = $node->psql(
		'postgres', qq{
		\\set VERBOSITY verbose
		CREATE TEMP TABLE one (v $type);
		COPY one FROM '$file' (FORMAT binary);
		SELECT v FROM one});
	return $out if $status == 0;
	my ($state) = $err =~ /ERROR:  (\w{5}): /;
	my ($detail) = $err =~ /DETAIL:  (.*)/;
	return ($state // $err) . ': ' . ($detail // '');
}

# parts of images: int8, int32, int64, a counted name
sub i8 { pack 'C*', @_ }
sub i32 { pack 'N', @_ }
sub i64 { pack 'q>', @_ }
sub name { pack 'N/a*', @_ }

my $a1 = name('a') . i64(1);
my $b2 = name('b') . i64(2);

# Dot stores: a context of nodes, each with its prefix and further ranges (first, last), then
# the number of entries and what is given of them.
sub node { my ($name, $prefix, @ranges) = @_; name($name) . i64($prefix) . i32(@ranges / 2) . pack('(q>)*', @ranges) }
sub context { i8(1) . i32(scalar @_) . join '', @_ }
sub dot { i32($_[0]) . i64($_[1]) }
my $ab = context(node('a', 2), node('b', 1));

# Stamped maps: a write at 17.3 by node "a".
sub written { i64(17) . i32(3) . name('a') . i8(0) . name($_[0]) }
sub removed { i64(17) . i32(3) . name('a') . i8(1) . name('') }
my $at = '"at": "1970-01-01T00:00:00.000000017Z/3", "node": "a"';

# Obligations: the reports of their witnesses, name and state each.
sub report { name($_[0]) . i8($_[1]) }
sub obligation { my ($name, @reports) = @_; name($name) . i32(scalar @reports) . join '', @reports }
sub obligations { i8(1) . i32(scalar @_) . join '', @_ }

# Row stamps: nodes with context and live dot, the write of the row, and those of columns.
sub seen { my ($name, $context, $live) = @_; name($name) . i64($context) . i64($live) }
sub wrote { my ($time, $node, $hash) = @_; i8(1) . i64($time) . i32(3) . name($node) . i64($hash // 0) }
sub stamped { my ($row, $nodes, @columns) = @_; i8(1) . i32(scalar @$nodes) . join('', @$nodes) . $row . i32(@columns / 2) . join '', map { $_ % 2 ? $columns[$_] : name($columns[$_]) } 0 .. $#columns }

# Contexts of spans: version, ids, flags and time, then strings and the items of the baggage.
sub span { my ($time, $tracestate, $region, @items) = @_; i8(1, 1 .. 16, 17 .. 24, (0) x 8, 3) . i64($time) . name($tracestate) . name($region) . i32(scalar @items) . join '', @items }
sub item { join '', map { name($_) } @_ }
my $traceparent = '"traceparent": "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-03"';

for (
	# valid
	[ vclock => i8(1) . i32(0), '{}', 'the empty clock' ],
	[ vclock => i8(1) . i32(2) . $a1 . $b2, '{"a": 1, "b": 2}', 'two nodes' ],
	[ vclock => i8(1) . i32(2) . $b2 . $a1, '{"a": 1, "b": 2}', 'nodes in another order' ],
	[ lamport => i8(1) . i64(17), '17', 'a timestamp' ],
	[ hlc => i8(1) . i64(17) . i32(3), '1970-01-01T00:00:00.000000017Z/3', 'a timestamp' ],
	[ logical_time => i8(1) . i8(0) . i64(17), '{"lamport": 17}', 'a Lamport timestamp' ],
	[ logical_time => i8(1) . i8(1) . i32(2) . $b2 . $a1, '{"vector": {"a": 1, "b": 2}}', 'a vector clock in another order' ],
	[ logical_time => i8(1) . i8(2) . i64(17) . i32(3), '{"hybrid": "1970-01-01T00:00:00.000000017Z/3"}', 'a hybrid timestamp' ],
	[ gcounter => i8(1) . i32(2) . $b2 . $a1, '{"a": 1, "b": 2}', 'nodes in another order' ],
	[ pncounter => i8(1) . i32(2) . $a1 . i64(0) . name('b') . i64(0) . i64(2), '{"a": [1, 0], "b": [0, 2]}', 'up and down' ],
	[ ew_flag => context() . i32(0), '{}', 'a flag that nobody touched' ],
	[ ew_flag => $ab . i32(1) . dot(1, 1), '{"enabled": [["b", 1]], "context": {"a": 2, "b": 1}}', 'an enabled flag' ],
	[ dw_flag => $ab . i32(2) . dot(0, 2) . dot(1, 1), '{"disabled": [["a", 2], ["b", 1]], "context": {"a": 2, "b": 1}}', 'a flag disabled twice' ],
	[ mv_register => $ab . i32(2) . dot(0, 1) . name('x') . dot(1, 1) . name(''), '{"values": [{"value": "x", "dot": ["a", 1]}, {"value": "", "dot": ["b", 1]}], "context": {"a": 2, "b": 1}}', 'two values' ],
	[ orset => $ab . i32(3) . name('') . dot(1, 1) . name('x') . dot(0, 1) . name('x') . dot(0, 2), '{"elements": {"": [["b", 1]], "x": [["a", 1], ["a", 2]]}, "context": {"a": 2, "b": 1}}', 'two elements' ],
	[ orset => context(node('a', 2, 4, 4, 6, 9), node('c', 0, 2, 3)) . i32(1) . name('x') . dot(0, 4), '{"elements": {"x": [["a", 4]]}, "context": {"a": 2}, "cloud": [["a", 4, 4], ["a", 6, 9], ["c", 2, 3]]}', 'a cloud' ],
	[ or_map => $ab . i32(2) . name('k') . dot(0, 2) . name('x') . name('l') . dot(0, 1) . name('y'), '{"entries": {"k": [{"value": "x", "dot": ["a", 2]}], "l": [{"value": "y", "dot": ["a", 1]}]}, "context": {"a": 2, "b": 1}}', 'two keys' ],
	[ lww_register => i8(1) . i32(0), '{}', 'a register that was never written' ],
	[ lww_register => i8(1) . i32(1) . written('x'), qq({"value": "x", $at}), 'a written register' ],
	[ lww_map => i8(1) . i32(2) . name('k') . removed() . name('l') . written(''), qq({"k": {"value": null, $at}, "l": {"value": "", $at}}), 'a removed and a written key' ],
	[ lattice_state => i8(1, 0), 'unknown', 'the least state' ],
	[ trace_id => i8(1, 0 .. 15), '000102030405060708090a0b0c0d0e0f', 'an id of a trace' ],
	[ span_id => i8(1, 255, 1 .. 7), 'ff01020304050607', 'an id of a span' ],
	[ trace_flags => i8(1, 254), 'fe', 'flags' ],
	[ trace_context => span(0, '', ''), "{$traceparent}", 'a context of ids and flags' ],
	[ trace_context => span(1, 'b=1,a= 2', 'eu', item('A', '', ''), item('a', "\xc3\xa9", 'p;q=%20')), qq({$traceparent, "tracestate": "b=1,a= 2", "region": "eu", "created_at": "1970-01-01T00:00:00.000000001Z", "baggage": {"A": "", "a": {"value": "\xc3\xa9", "properties": "p;q=%20"}}}), 'a context with all there is but a parent' ],
	[ lattice_state => i8(1, 3), 'aborted', 'a state' ],
	[ lease_state => i8(1, 4), 'conflict', 'the greatest state' ],
	[ obligation_lattice => obligations(), '{}', 'no obligations' ],
	[ obligation_lattice => obligations(obligation('o', report('a', 0), report('b', 4)), obligation('p', report('a', 3))), '{"o": {"a": "unknown", "b": "conflict"}, "p": {"a": "aborted"}}', 'two obligations' ],
	[ row_stamp => stamped(i8(0), []), '{}', 'a stamp that knows nothing' ],
	[ row_stamp => stamped(wrote(17, 'a', 255), [ seen('b', 9, 0), seen('a', 17, 16) ], y => i8(0), x => wrote(18, 'b')), qq({"context": {"a": 17, "b": 9}, "live": {"a": 16}, "row": {$at, "hash": "00000000000000ff"}, "columns": {"x": {"at": "1970-01-01T00:00:00.000000018Z/3", "node": "b"}, "y": null}}), 'nodes and columns in another order' ],
	# versions
	[ vclock => '', '22P03: The image ends within the version: bytes needed 1, left 0.', 'nothing' ],
	[ vclock => i8(0) . i32(0), '22P03: Version 0 is unknown; this server reads versions 1 to 1.', 'version 0' ],
	[ vclock => i8(2) . i32(0), '22P03: Version 2 is unknown; this server reads versions 1 to 1.', 'a later version' ],
	[ lamport => i8(2) . i64(1), '22P03: Version 2 is unknown; this server reads versions 1 to 1.', 'a later version' ],
	map({ [ $_ => i8(2) . i32(0), '22P03: Version 2 is unknown; this server reads versions 1 to 1.', 'a later version' ] }
		qw(logical_time gcounter pncounter lww_register lww_map mv_register orset or_map ew_flag dw_flag obligation_lattice row_stamp)),
	[ hlc => i8(255) . i64(1) . i32(0), '22P03: Version 255 is unknown; this server reads versions 1 to 1.', 'a later version' ],
	[ trace_id => i8(1, 0 .. 14), '22P03: The image ends within the trace id: bytes needed 1, left 0.', 'an id cut off' ],
	[ trace_id => i8(1, 0 .. 16), '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	[ span_id => i8(2, 0 .. 7), '22P03: Version 2 is unknown; this server reads versions 1 to 1.', 'a later version' ],
	[ span_id => i8(1, 0 .. 6), '22P03: The image ends within the span id: bytes needed 1, left 0.', 'an id cut off' ],
	[ trace_flags => i8(1), '22P03: The image ends within the flags: bytes needed 1, left 0.', 'no flags' ],
	[ trace_context => i8(2, 1 .. 100), '22P03: Version 2 is unknown; this server reads versions 1 to 1.', 'a later version' ],
	[ lattice_state => i8(0, 1), '22P03: Version 0 is unknown; this server reads versions 1 to 1.', 'version 0' ],
	[ lease_state => i8(2, 1), '22P03: Version 2 is unknown; this server reads versions 1 to 1.', 'a later version' ],
	[ obligation_lattice => i8(0) . i32(0), '22P03: Version 0 is unknown; this server reads versions 1 to 1.', 'version 0' ],
	# truncated
	[ vclock => i8(1) . "\0\0", '22P03: The image ends within the number of nodes: bytes needed 4, left 2.', 'half a count' ],
	[ vclock => i8(1) . i32(2) . $a1, '22P03: The bytes left, 13, are too few for the number of nodes, 2.', 'a node too few' ],
	[ vclock => i8(1) . i32(0xffffffff), '22P03: The bytes left, 0, are too few for the number of nodes, 4294967295.', 'an enormous count' ],
	[ vclock => i8(1) . i32(1) . i32(9) . 'abcdefghi', '22P03: The image ends within a counter: bytes needed 8, left 0.', 'no counter' ],
	[ vclock => i8(1) . i32(1) . i32(0x7fffffff) . 'a' . i64(1), '22P03: The image ends within a node name: bytes needed 2147483647, left 9.', 'an enormous name' ],
	[ lamport => i8(1) . "\0\0\0", '22P03: The image ends within the counter: bytes needed 8, left 3.', 'half a counter' ],
	[ hlc => i8(1) . i64(17) . "\0", '22P03: The image ends within the logical counter: bytes needed 4, left 1.', 'half a logical counter' ],
	[ logical_time => i8(1), '22P03: The image ends within the kind: bytes needed 1, left 0.', 'no kind' ],
	[ logical_time => i8(1) . i8(0) . i32(0), '22P03: The image ends within the counter: bytes needed 8, left 4.', 'half a counter' ],
	[ logical_time => i8(1) . i8(1) . i32(2) . $a1, '22P03: The bytes left, 13, are too few for the number of nodes, 2.', 'a node too few' ],
	[ logical_time => i8(1) . i8(2) . i64(17), '22P03: The image ends within the logical counter: bytes needed 4, left 0.', 'no logical counter' ],
	[ gcounter => i8(1) . i32(2) . $a1, '22P03: The bytes left, 13, are too few for the number of nodes, 2.', 'a node too few' ],
	[ pncounter => i8(1) . i32(1) . name('abcdefghi') . i64(1), '22P03: The image ends within a counter: bytes needed 8, left 0.', 'no second counter' ],
	[ pncounter => i8(1) . i32(1) . $a1, '22P03: The bytes left, 13, are too few for the number of nodes, 1.', 'one counter of two' ],
	[ orset => i8(1) . i32(1) . name('a') . i64(1), '22P03: The bytes left, 13, are too few for the number of nodes, 1.', 'a context cut off' ],
	[ orset => i8(1) . i32(1) . name('a') . i64(1) . i32(2) . i64(3), '22P03: The bytes left, 8, are too few for the number of ranges, 2.', 'a range cut off' ],
	[ orset => i8(1) . i32(1) . name('a') . i64(1) . i32(0xffffffff), '22P03: The bytes left, 0, are too few for the number of ranges, 4294967295.', 'an enormous number of ranges' ],
	[ orset => $ab, '22P03: The image ends within the number of entries: bytes needed 4, left 0.', 'no number of entries' ],
	[ orset => $ab . i32(0xffffffff), '22P03: The bytes left, 0, are too few for the number of entries, 4294967295.', 'an enormous number of entries' ],
	[ orset => $ab . i32(1) . i32(0x7fffffff) . dot(0, 1) . 'x', '22P03: The image ends within a key: bytes needed 2147483647, left 13.', 'an enormous element' ],
	[ orset => $ab . i32(1) . name('a longer element') . dot(0, 1) =~ s/.{8}$//sr, '22P03: The image ends within a counter: bytes needed 8, left 0.', 'half a dot' ],
	[ orset => $ab . i32(1) . name('a longer element'), '22P03: The image ends within a node: bytes needed 4, left 0.', 'no dot' ],
	[ mv_register => $ab . i32(1) . dot(0, 1) . i32(9) . 'x', '22P03: The image ends within a value: bytes needed 9, left 1.', 'a value cut off' ],
	[ or_map => $ab . i32(1) . name('k') . dot(0, 1), '22P03: The bytes left, 17, are too few for the number of entries, 1.', 'no value' ],
	[ ew_flag => $ab . i32(2) . dot(0, 1), '22P03: The bytes left, 12, are too few for the number of entries, 2.', 'a dot too few' ],
	[ lww_register => i8(1) . i32(1) . i64(17) . i32(3), '22P03: The bytes left, 12, are too few for the number of writes, 1.', 'a write cut off' ],
	[ lww_register => i8(1) . i32(1) . i64(17) . i32(3) . name('abcdefgh') . i8(0), '22P03: The image ends within a value: bytes needed 4, left 0.', 'no value' ],
	[ lww_map => i8(1) . i32(0xffffffff), '22P03: The bytes left, 0, are too few for the number of writes, 4294967295.', 'an enormous number of writes' ],
	[ lww_map => i8(1) . i32(1) . i32(0x7fffffff) . written('long enough'), '22P03: The image ends within a key: bytes needed 2147483647, left 33.', 'an enormous key' ],
	[ lattice_state => '', '22P03: The image ends within the version: bytes needed 1, left 0.', 'nothing' ],
	[ lease_state => i8(1), '22P03: The image ends within the state: bytes needed 1, left 0.', 'no state' ],
	[ obligation_lattice => '', '22P03: The image ends within the version: bytes needed 1, left 0.', 'nothing' ],
	[ obligation_lattice => i8(1) . "\0", '22P03: The image ends within the number of obligations: bytes needed 4, left 1.', 'half a count' ],
	[ obligation_lattice => i8(1) . i32(0xffffffff), '22P03: The bytes left, 0, are too few for the number of obligations, 4294967295.', 'an enormous number of obligations' ],
	[ obligation_lattice => i8(1) . i32(2) . obligation('o', report('a', 1)), '22P03: The bytes left, 15, are too few for the number of obligations, 2.', 'an obligation too few' ],
	[ obligation_lattice => i8(1) . i32(2) . obligation('o', report('a', 1), report('long enough', 1)), '22P03: The image ends within an obligation: bytes needed 4, left 0.', 'one obligation of two' ],
	[ obligation_lattice => i8(1) . i32(1) . i32(0x7fffffff) . 'long enough', '22P03: The image ends within an obligation: bytes needed 2147483647, left 11.', 'an enormous obligation' ],
	[ obligation_lattice => i8(1) . i32(1) . name('long enough') . "\0", '22P03: The image ends within the number of witnesses: bytes needed 4, left 1.', 'no number of witnesses' ],
	[ obligation_lattice => i8(1) . i32(1) . name('long enough') . i32(2) . report('a', 1), '22P03: The bytes left, 6, are too few for the number of witnesses, 2.', 'a witness too few' ],
	[ obligation_lattice => i8(1) . i32(1) . name('o') . i32(0xffffffff) . report('a', 1), '22P03: The bytes left, 6, are too few for the number of witnesses, 4294967295.', 'an enormous number of witnesses' ],
	[ obligation_lattice => i8(1) . i32(1) . name('o') . i32(2) . report('long enough', 1), '22P03: The image ends within a node name: bytes needed 4, left 0.', 'one witness of two' ],
	[ obligation_lattice => i8(1) . i32(1) . name('o') . i32(1) . i32(0x7fffffff) . 'ab', '22P03: The image ends within a node name: bytes needed 2147483647, left 2.', 'an enormous witness' ],
	[ obligation_lattice => i8(1) . i32(1) . name('o') . i32(1) . name('ab'), '22P03: The image ends within a state: bytes needed 1, left 0.', 'no state' ],
	# corrupt
	[ vclock => i8(1) . i32(1) . $a1 . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	[ vclock => i8(1) . i32(2) . $a1 . $a1, '22P03: Node "a" occurs more than once.', 'a node twice' ],
	[ vclock => i8(1) . i32(1) . name('') . i64(1) . 'x', '22P03: A node name is empty.', 'an empty name' ],
	[ vclock => i8(1) . i32(1) . name('x' x 256) . i64(1), '22P03: Node name "' . 'x' x 32 . '..." has 256 bytes, more than 255.', 'a long name' ],
	[ vclock => i8(1) . i32(1) . name('a') . i64(0), '22P03: Node "a" counts nothing.', 'a counter of 0' ],
	[ vclock => i8(1) . i32(1) . name('a') . i64(-1), '22003: The counter of "a" is greater than 9223372036854775807.', 'a counter above 2^63-1' ],
	[ vclock => i8(1) . i32(1) . name("\xff") . i64(1), '22021: ', 'a name of no encoding' ],
	[ vclock => i8(1) . i32(1) . name("a\0b") . i64(1), '22021: ', 'a name with NUL' ],
	[ lamport => i8(1) . i64(-1), '22003: The counter is greater than 9223372036854775807.', 'a counter above 2^63-1' ],
	[ lamport => i8(1) . i64(1) . 'xy', '22P03: Bytes after the end of the image: 2.', 'bytes too many' ],
	[ hlc => i8(1) . i64(1) . i32(0) . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	[ logical_time => i8(1) . i8(3) . i64(1), '22P03: There is no kind 3 of logical time.', 'an unknown kind' ],
	[ logical_time => i8(1) . i8(0) . i64(-1), '22003: The counter is greater than 9223372036854775807.', 'a counter above 2^63-1' ],
	[ logical_time => i8(1) . i8(1) . i32(1) . name('a') . i64(0), '22P03: Node "a" counts nothing.', 'a counter of 0' ],
	[ logical_time => i8(1) . i8(2) . i64(1) . i32(0) . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	[ gcounter => i8(1) . i32(1) . name('a') . i64(0), '22P03: Node "a" counts nothing.', 'a counter of 0' ],
	[ gcounter => i8(1) . i32(1) . name('a') . i64(-1), '22003: The counter of "a" is greater than 9223372036854775807.', 'a counter above 2^63-1' ],
	[ gcounter => i8(1) . i32(2) . $a1 . $a1, '22P03: Node "a" occurs more than once.', 'a node twice' ],
	[ gcounter => i8(1) . i32(1) . $a1 . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	[ pncounter => i8(1) . i32(1) . name('a') . i64(0) . i64(0), '22P03: Node "a" counts nothing.', 'counters of 0' ],
	[ pncounter => i8(1) . i32(1) . name('a') . i64(1) . i64(-1), '22003: The counter of "a" is greater than 9223372036854775807.', 'a counter above 2^63-1' ],
	# corrupt contexts
	[ orset => context(node('b', 1), node('a', 2)) . i32(0), '22P03: Node "a" is not in order, or occurs more than once.', 'nodes in another order' ],
	[ orset => context(node('a', 1), node('a', 2)) . i32(0), '22P03: Node "a" is not in order, or occurs more than once.', 'a node twice' ],
	[ orset => context(node('a', 0)) . i32(0), '22P03: Node "a" counts nothing.', 'a node of which nothing is known' ],
	[ orset => context(node('', 1)) . i32(0), '22P03: A node name is empty.', 'an empty name' ],
	[ orset => context(node('x' x 256, 1)) . i32(0), '22P03: Node name "' . 'x' x 32 . '..." has 256 bytes, more than 255.', 'a long name' ],
	[ orset => context(node('a', -1)) . i32(0), '22003: The counter of "a" is greater than 9223372036854775807.', 'a prefix above 2^63-1' ],
	[ orset => context(node('a', 1, 5, -1)) . i32(0), '22003: A range of "a" exceeds 9223372036854775807.', 'a range that ends above 2^63-1' ],
	[ orset => context(node('a', 1, -5, 7)) . i32(0), '22003: A range of "a" exceeds 9223372036854775807.', 'a range that begins above 2^63-1' ],
	[ orset => context(node('a', 1, 2, 3)) . i32(0), '22P03: The ranges of "a" are not sorted and apart.', 'a range that touches the prefix' ],
	[ orset => context(node('a', 0, 1, 3)) . i32(0), '22P03: The ranges of "a" are not sorted and apart.', 'a prefix as a range' ],
	[ orset => context(node('a', 0, 0, 3)) . i32(0), '22P03: The ranges of "a" are not sorted and apart.', 'a range from 0' ],
	[ orset => context(node('a', 1, 3, 4, 5, 6)) . i32(0), '22P03: The ranges of "a" are not sorted and apart.', 'ranges that touch' ],
	[ orset => context(node('a', 1, 6, 7, 3, 4)) . i32(0), '22P03: The ranges of "a" are not sorted and apart.', 'ranges in another order' ],
	[ orset => context(node('a', 1, 4, 3)) . i32(0), '22P03: The ranges of "a" are not sorted and apart.', 'a range that ends before it begins' ],
	[ orset => context(node('a', 9223372036854775807, 9223372036854775807, 9223372036854775807)) . i32(0), '22P03: The ranges of "a" are not sorted and apart.', 'a range behind the last counter' ],
	# corrupt entries
	[ orset => $ab . i32(1) . name('x') . dot(2, 1), '22P03: Element "x" has a dot of node number 2, which is not in the context.', 'a dot of no node' ],
	[ orset => $ab . i32(1) . name('x') . dot(0xffffffff, 1), '22P03: Element "x" has a dot of node number 4294967295, which is not in the context.', 'a dot of an enormous node' ],
	[ orset => $ab . i32(1) . name('x') . dot(1, 2), '22P03: Element "x" has the dot ["b", 2], which is not in the context.', 'a dot behind the prefix' ],
	[ orset => context(node('a', 1, 3, 4)) . i32(1) . name('x') . dot(0, 2), '22P03: Element "x" has the dot ["a", 2], which is not in the context.', 'a dot between prefix and range' ],
	[ orset => $ab . i32(1) . name('x') . dot(0, 0), '22P03: Element "x" has the dot ["a", 0], which is not in the context.', 'dot 0' ],
	[ orset => $ab . i32(1) . name('x') . dot(0, -1), '22003: A counter is greater than 9223372036854775807.', 'a dot above 2^63-1' ],
	[ orset => $ab . i32(2) . name('y') . dot(0, 1) . name('x') . dot(0, 2), '22P03: Element "x" is not in order, or occurs more than once.', 'elements in another order' ],
	[ orset => $ab . i32(2) . name('x') . dot(0, 2) . name('x') . dot(0, 1), '22P03: Element "x" is not in order, or occurs more than once.', 'dots in another order' ],
	[ orset => $ab . i32(2) . name('x') . dot(0, 1) . name('x') . dot(0, 1), '22P03: Element "x" is not in order, or occurs more than once.', 'an entry twice' ],
	[ orset => $ab . i32(2) . name('x') . dot(0, 1) . name('y') . dot(0, 1), '22P03: The dot ["a", 1] occurs more than once.', 'a dot of two elements' ],
	[ orset => $ab . i32(1) . name("\xff") . dot(0, 1), '22021: ', 'an element of no encoding' ],
	[ orset => $ab . i32(1) . name("x\0y") . dot(0, 1), '22021: ', 'an element with NUL' ],
	[ orset => $ab . i32(0) . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	[ mv_register => $ab . i32(2) . dot(1, 1) . name('x') . dot(0, 1) . name('y'), '22P03: An entry is not in order, or occurs more than once.', 'values in another order' ],
	[ mv_register => $ab . i32(1) . dot(1, 2) . name('x'), '22P03: An entry has the dot ["b", 2], which is not in the context.', 'a dot behind the prefix' ],
	[ mv_register => $ab . i32(1) . dot(0, 1) . name("\xc0\x80"), '22021: ', 'a value of no encoding' ],
	[ or_map => $ab . i32(2) . name('k') . dot(0, 1) . name('x') . name('k') . dot(0, 1) . name('y'), '22P03: The dot ["a", 1] occurs more than once.', 'a dot with two values' ],
	[ or_map => context() . i32(1) . name('k') . dot(0, 1) . name('x'), '22P03: Key "k" has a dot of node number 0, which is not in the context.', 'no context' ],
	[ ew_flag => $ab . i32(2) . dot(0, 1) . dot(0, 1), '22P03: The flag is not in order, or occurs more than once.', 'a dot twice' ],
	[ ew_flag => $ab . i32(1) . dot(1, 2), '22P03: The flag has the dot ["b", 2], which is not in the context.', 'a dot behind the prefix' ],
	[ dw_flag => $ab . i32(1) . dot(2, 1), '22P03: The flag has a dot of node number 2, which is not in the context.', 'a dot of no node' ],
	# corrupt writes
	[ lww_register => i8(1) . i32(2) . written('x') . written('y'), '22P03: A register has 2 writes, more than 1.', 'two writes' ],
	[ lww_register => i8(1) . i32(1) . removed(), '22P03: The mark of a removal is 1.', 'a removal' ],
	[ lww_register => i8(1) . i32(1) . i64(17) . i32(3) . name('') . i8(0) . name('long enough'), '22P03: A node name is empty.', 'an empty name' ],
	[ lww_register => i8(1) . i32(1) . written('x') . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	[ lww_register => i8(1) . i32(1) . written("\xff"), '22021: ', 'a value of no encoding' ],
	[ lww_map => i8(1) . i32(1) . name('k') . i64(17) . i32(3) . name('a') . i8(2) . name(''), '22P03: The mark of a removal is 2.', 'an unknown mark' ],
	[ lww_map => i8(1) . i32(1) . name('k') . i64(17) . i32(3) . name('a') . i8(1) . name('x'), '22P03: Key "k" is removed and has a value.', 'a removal with a value' ],
	[ lww_map => i8(1) . i32(2) . name('l') . written('x') . name('k') . written('y'), '22P03: Key "k" is not in order, or occurs more than once.', 'keys in another order' ],
	[ lww_map => i8(1) . i32(2) . name('k') . written('x') . name('k') . removed(), '22P03: Key "k" is not in order, or occurs more than once.', 'a key twice' ],
	[ lww_map => i8(1) . i32(1) . name('k') . i64(17) . i32(3) . name('x' x 256) . i8(0) . name(''), '22P03: Node name "' . 'x' x 32 . '..." has 256 bytes, more than 255.', 'a long name' ],
	[ lww_map => i8(1) . i32(1) . name("\xff") . written('x'), '22021: ', 'a key of no encoding' ],
	# corrupt contexts of spans
	[ trace_context => i8(1, (0) x 16, 1 .. 100), '22P03: The trace id is nil.', 'no trace' ],
	[ trace_context => i8(1, 1 .. 16, (0) x 100), '22P03: The span id is nil.', 'no span' ],
	[ trace_context => span(-1, '', ''), '22003: The time of creation is greater than 9223372036854775807.', 'a time above 2^63-1' ],
	[ trace_context => span(0, 'a=1 ', ''), '22P03: The tracestate is not in its canonical form.', 'a tracestate with a blank' ],
	[ trace_context => span(0, ',', ''), '22P03: The tracestate is not in its canonical form.', 'a tracestate of nothing' ],
	[ trace_context => span(0, 'a=1,a=2', ''), '22P03: Key "a" of the tracestate occurs more than once.', 'a tracestate with a key twice' ],
	[ trace_context => span(0, '', 'x' x 65536), '22P03: The region has 65536 bytes, more than 65535.', 'a long region' ],
	[ trace_context => span(0, '', "\xff"), '22021: ', 'a region of no encoding' ],
	[ trace_context => span(0, '', "a\0b"), '22021: ', 'a region with NUL' ],
	[ trace_context => span(0, '', '', item('b', '', ''), item('a', '', '')), '22P03: A key of the baggage is not in order, or occurs more than once.', 'keys in another order' ],
	[ trace_context => span(0, '', '', item('a', '', ''), item('a', '1', '')), '22P03: A key of the baggage is not in order, or occurs more than once.', 'a key twice' ],
	[ trace_context => span(0, '', '', item('', 'x', '')), '22P03: A key of the baggage is empty.', 'an empty key' ],
	[ trace_context => span(0, '', '', item('a b', '', '')), '22P03: Character 2 of key "a b" of the baggage is not one of a token.', 'a key that is no token' ],
	[ trace_context => span(0, '', '', item('a', '', 'p ')), '22P03: Properties of the baggage are not in their canonical form.', 'properties with a blank' ],
	[ trace_context => span(0, '', '', item('a', '', 'p=%41')), '22P03: Properties of the baggage are not in their canonical form.', 'properties with a needless percent sign' ],
	[ trace_context => span(0, '', '', item('a', '', 'p;')), '22P03: A property of the baggage is empty.', 'an empty property' ],
	[ trace_context => span(0, '', '', item('a', 'x' x 40000, ''), item('b', 'x' x 40000, '')), '22P03: The baggage has more than 65536 bytes as a header field.', 'more than 64 KiB' ],
	[ trace_context => span(0, '', '') . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	[ trace_context => substr(span(0, '', ''), 0, -4) . i32(0x7fffffff), '22P03: The bytes left, 0, are too few for the number of baggage items, 2147483647.', 'an enormous number of items' ],
	# a whole one, cut off anywhere
	map({ [ trace_context => substr(span(1, 'a=1', 'eu', item('k', 'v', 'p')), 0, $_), qr/^22P03: The (image ends within|bytes left, \d+, are too few for) /, "$_ bytes of a context" ] } 0 .. length(span(1, 'a=1', 'eu', item('k', 'v', 'p'))) - 1),
	# states that there are not
	[ lattice_state => i8(1, 5), '22P03: There is no state number 5.', 'the number behind the last' ],
	[ lattice_state => i8(1, 1, 1), '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	[ lease_state => i8(1, 255), '22P03: There is no state number 255.', 'the greatest number' ],
	[ obligation_lattice => obligations(obligation('o', report('a', 5))), '22P03: There is no state number 5.', 'the number behind the last' ],
	[ obligation_lattice => obligations(obligation('o', report('a', 1), report('b', 255))), '22P03: There is no state number 255.', 'the greatest number' ],
	# corrupt reports
	[ obligation_lattice => obligations(obligation('long enough for more')), '22P03: Obligation "long enough for more" has no witness.', 'no witness' ],
	[ obligation_lattice => obligations(obligation('', report('a', 1), report('b', 1))), q(22P03: An obligation's name is empty.), 'an empty obligation' ],
	[ obligation_lattice => obligations(obligation('p', report('a', 1)), obligation('o', report('a', 1))), '22P03: Obligation "o" is not in order, or occurs more than once.', 'obligations in another order' ],
	[ obligation_lattice => obligations(obligation('o', report('a', 1)), obligation('o', report('b', 1))), '22P03: Obligation "o" is not in order, or occurs more than once.', 'an obligation twice' ],
	[ obligation_lattice => obligations(obligation('o', report('b', 1), report('a', 1))), '22P03: Witness "a" is not in order, or occurs more than once.', 'witnesses in another order' ],
	[ obligation_lattice => obligations(obligation('o', report('a', 1), report('a', 2))), '22P03: Witness "a" is not in order, or occurs more than once.', 'a witness twice' ],
	[ obligation_lattice => obligations(obligation('o', report('', 1), report('ab', 1))), '22P03: A node name is empty.', 'an empty name' ],
	[ obligation_lattice => obligations(obligation('o', report('x' x 256, 1))), '22P03: Node name "' . 'x' x 32 . '..." has 256 bytes, more than 255.', 'a long name' ],
	[ obligation_lattice => obligations(obligation("\xff", report('a', 1))), '22021: ', 'an obligation of no encoding' ],
	[ obligation_lattice => obligations(obligation("o\0", report('a', 1))), '22021: ', 'an obligation with NUL' ],
	[ obligation_lattice => obligations(obligation('o', report("\xc3", 1))), '22021: ', 'a witness of no encoding' ],
	[ obligation_lattice => obligations(obligation('o', report("a\0b", 1))), '22021: ', 'a witness with NUL' ],
	[ obligation_lattice => obligations(obligation('o', report('a', 1))) . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	# a whole image, cut off anywhere
	[ row_stamp => stamped(i8(0), [ seen('a', 1, 2) ]), '22P03: The live dot of "a" is greater than its context.', 'a dot that was not seen' ],
	[ row_stamp => stamped(i8(0), [ seen('a', 0, 0) ]), '22P03: Node "a" counts nothing.', 'a node of which nothing was seen' ],
	[ row_stamp => stamped(i8(0), [ seen('a', 1, 0), seen('a', 1, 1) ]), '22P03: Node "a" occurs more than once.', 'a node twice' ],
	[ row_stamp => stamped(i8(0), [ seen('a', 9214364837600034816, 0) ]), '22003: The context of "a" is greater than 9214364837600034815.', 'a dot after which there is none' ],
	[ row_stamp => stamped(i8(4), []), '22P03: The mark of a write is 4.', 'another mark' ],
	[ row_stamp => stamped(wrote(-1, 'a'), []), '22003: The time of a write is before 1970 or after 9214364837600034815 nanoseconds of it.', 'a time before 1970' ],
	[ row_stamp => stamped(wrote(1, ''), []), '22P03: A node name is empty.', 'a write of nobody' ],
	[ row_stamp => stamped(i8(0), [], '', wrote(1, 'a')), q(22P03: A column's name is empty.), 'an empty column' ],
	[ row_stamp => stamped(i8(0), [], 'x' x 64, wrote(1, 'a')), '22P03: Column name "' . 'x' x 32 . '..." has 64 bytes, more than 63.', 'a long column' ],
	[ row_stamp => stamped(i8(0), [], x => wrote(1, 'a'), x => wrote(2, 'a')), '22P03: Column "x" occurs more than once.', 'a column twice' ],
	[ row_stamp => stamped(wrote(1, 'a', 7), [], x => wrote(1, 'a')), '22P03: Column "x" says what the row says.', 'a column that need not be listed' ],
	[ row_stamp => stamped(i8(0), [], x => i8(0)), '22P03: Column "x" says what the row says.', 'a column that was not written in a row that was not' ],
	[ row_stamp => i8(1) . i32(0) . i8(0) . i32(0xffffffff), '22P03: The bytes left, 0, are too few for the number of columns, 4294967295.', 'an enormous number of columns' ],
	[ row_stamp => stamped(wrote(1, "\xff"), []), '22021: ', 'a node of no encoding' ],
	[ row_stamp => stamped(i8(0), []) . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ],
	map({ [ row_stamp => substr(stamped(wrote(1, 'a'), [ seen('a', 1, 1) ], x => wrote(2, 'b')), 0, $_), qr/^22P03: The (image ends within|bytes left, \d+, are too few for) /, "$_ bytes of an image" ] } 0 .. 86),
	map({ [ obligation_lattice => substr(obligations(obligation('o', report('a', 1))), 0, $_), qr/^22P03: The (image ends within|bytes left, \d+, are too few for) /, "$_ bytes of an image" ] } 0 .. 19))
{
	my ($type, $image, $expected, $what) = @$_;

	if (ref $expected)
	{
		like(received($type, $image), $expected, "$type: $what");
	}
	else
	{
		is(received($type, $image), $expected, "$type: $what");
	}
}

done_testing();
