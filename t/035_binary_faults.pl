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
sub i8 { pack 'C', @_ }
sub i32 { pack 'N', @_ }
sub i64 { pack 'q>', @_ }
sub name { pack 'N/a*', @_ }

my $a1 = name('a') . i64(1);
my $b2 = name('b') . i64(2);

for (
	# valid
	[ vclock => i8(1) . i32(0), '{}', 'the empty clock' ],
	[ vclock => i8(1) . i32(2) . $a1 . $b2, '{"a": 1, "b": 2}', 'two nodes' ],
	[ vclock => i8(1) . i32(2) . $b2 . $a1, '{"a": 1, "b": 2}', 'nodes in another order' ],
	[ lamport => i8(1) . i64(17), '17', 'a timestamp' ],
	[ hlc => i8(1) . i64(17) . i32(3), '1970-01-01T00:00:00.000000017Z/3', 'a timestamp' ],
	# versions
	[ vclock => '', '22P03: The image ends within the version: bytes needed 1, left 0.', 'nothing' ],
	[ vclock => i8(0) . i32(0), '22P03: Version 0 is unknown; this server reads versions 1 to 1.', 'version 0' ],
	[ vclock => i8(2) . i32(0), '22P03: Version 2 is unknown; this server reads versions 1 to 1.', 'a later version' ],
	[ lamport => i8(2) . i64(1), '22P03: Version 2 is unknown; this server reads versions 1 to 1.', 'a later version' ],
	[ hlc => i8(255) . i64(1) . i32(0), '22P03: Version 255 is unknown; this server reads versions 1 to 1.', 'a later version' ],
	# truncated
	[ vclock => i8(1) . "\0\0", '22P03: The image ends within the number of nodes: bytes needed 4, left 2.', 'half a count' ],
	[ vclock => i8(1) . i32(2) . $a1, '22P03: The bytes left, 13, are too few for the number of nodes, 2.', 'a node too few' ],
	[ vclock => i8(1) . i32(0xffffffff), '22P03: The bytes left, 0, are too few for the number of nodes, 4294967295.', 'an enormous count' ],
	[ vclock => i8(1) . i32(1) . i32(9) . 'abcdefghi', '22P03: The image ends within a counter: bytes needed 8, left 0.', 'no counter' ],
	[ vclock => i8(1) . i32(1) . i32(0x7fffffff) . 'a' . i64(1), '22P03: The image ends within a node name: bytes needed 2147483647, left 9.', 'an enormous name' ],
	[ lamport => i8(1) . "\0\0\0", '22P03: The image ends within the counter: bytes needed 8, left 3.', 'half a counter' ],
	[ hlc => i8(1) . i64(17) . "\0", '22P03: The image ends within the logical counter: bytes needed 4, left 1.', 'half a logical counter' ],
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
	[ hlc => i8(1) . i64(1) . i32(0) . 'x', '22P03: Bytes after the end of the image: 1.', 'a byte too many' ])
{
	my ($type, $image, $expected, $what) = @$_;

	is(received($type, $image), $expected, "$type: $what");
}

done_testing();
