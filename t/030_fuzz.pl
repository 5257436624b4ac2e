# Every type, fuzzed through text and binary input: see the head of fuzz.c.
#
#   FUZZ_COUNT, FUZZ_SEED    inputs per type and channel (default 40000), seed (default 1)
#
# The default is for every day; in full, as before a release or after a change of a reader:
#
#   FUZZ_COUNT=100000 script/test --no-lint --only tap 030_fuzz
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

sub pg_config
{
	my ($option) = @_;
	my $program = $ENV{PG_CONFIG} || 'pg_config';
	my $value = `$program $option`;

	chomp $value;
	return $value;
}

my $source = "$FindBin::Bin/fuzz.c";
my $include = pg_config('--includedir');
my ($compiler) = split ' ', pg_config('--cc');

plan skip_all => "no libpq-fe.h in $include" unless -e "$include/libpq-fe.h";
plan skip_all => 'no C compiler' if system("$compiler --version >/dev/null 2>&1") != 0;

my $fuzz = PostgreSQL::Test::Utils::tempdir() . '/fuzz';
my $libraries = pg_config('--libdir');

is( system($compiler, qw(-O1 -Wall -Wextra), "-I$include", $source, "-L$libraries",
		"-Wl,-rpath,$libraries", '-lpq', '-o', $fuzz),
	0,
	'fuzz.c compiles');

# Its log would hold every error that is meant to happen.
my $node = new_node('fuzz', 'log_min_messages = panic');
my $count = $ENV{FUZZ_COUNT} || 40000;
my $seed = $ENV{FUZZ_SEED} || 1;
my @types = split ' ', `$fuzz --types`;

$node->safe_psql('postgres', 'CREATE EXTENSION distributed');
cmp_ok(scalar @types, '>', 0, 'there are types to fuzz');
foreach my $type (@types)
{
	my @channels = map { { name => $_, out => '', err => '' } } qw(text binary);

	# both at once
	foreach my $channel (@channels)
	{
		my @command = ($fuzz, '--seed', $seed, '--count', $count, $node->connstr('postgres'),
			$type, $channel->{name});

		$channel->{run} = IPC::Run::start(\@command, '>', \$channel->{out}, '2>', \$channel->{err});
	}
	foreach my $channel (@channels)
	{
		ok($channel->{run}->finish,
			"$count inputs of $type as $channel->{name}: an error, or a value that stays what it is");
		diag("$channel->{out}$channel->{err}");
	}
}
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server is still there');
$node->stop;
done_testing();
