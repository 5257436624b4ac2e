# Jaeger's storage queries with their fixtures: what find_traces finds, and what it does not.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use JSON::PP;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $directory = shared_data('jaeger-storage');

plan skip_all => 'no shared data with queries of Jaeger' unless defined $directory;

my $node = new_node('jaeger');
my $json = JSON::PP->new->canonical->allow_nonref;
my @fixtures = sort grep { !/queries/ } map { m{([^/]+)\.json$} } glob "$directory/*.json";
my @queries = @{$json->decode(slurp_file("$directory/queries.json"))};
my %trace;

sub literal
{
	my ($value) = @_;

	return defined $value ? "'" . $value =~ s/'/''/gr . "'" : 'NULL';
}

# What a query asks, as SQL by the argument's name; durations are in nanoseconds.
sub arguments
{
	my ($query) = @_;
	my %arguments = (
		service => literal($query->{ServiceName}),
		operation => literal($query->{OperationName}),
		tags => $query->{Tags} ? literal($json->encode($query->{Tags})) : 'NULL',
		start_min => literal($query->{StartTimeMin}),
		start_max => literal($query->{StartTimeMax}),
		duration_min => "interval '1 microsecond' * $query->{DurationMin} / 1000",
		duration_max => "interval '1 microsecond' * $query->{DurationMax} / 1000",
		max_traces => $query->{NumTraces});

	return \%arguments;
}

sub found
{
	my ($arguments) = @_;

	return $node->safe_psql('postgres',
		"SELECT trace_id FROM find_traces('jaeger', "
		  . join(', ', map { "$_ => $arguments->{$_}" } sort keys %$arguments)
		  . ') ORDER BY trace_id');
}

# The conditions of a query, each so changed that it is not true, by what is changed.
sub opposites
{
	my ($query) = @_;
	my $tags = $query->{Tags} // {};
	my %opposites = (
		'another service' => {service => q{'nobody'}},
		'another operation' => {operation => q{'nothing'}},
		'a tag more' => {tags => literal($json->encode({%$tags, other => 'value'}))},
		'a later start' => {start_min => q{'2017-01-26 16:46:31.639876+00'}},
		'an earlier start' => {start_max => q{'2017-01-26 16:46:31.639874+00'}},
		'a longer duration' => {duration_min => q{'101 microseconds'}},
		'a shorter duration' => {duration_max => q{'-1 microsecond'}});

	for my $key (keys %$tags)
	{
		$opposites{"another value of $key"} = {tags => literal($json->encode({%$tags, $key => 'other'}))};
		$opposites{"another key than $key"} = {
			tags => literal($json->encode({(map { $_ => $tags->{$_} } grep { $_ ne $key } keys %$tags), "$key." => $tags->{$key}}))};
	}
	return \%opposites;
}

$node->safe_psql('postgres', "CREATE EXTENSION distributed; SELECT create_trace_store('jaeger', hygiene => false)");
for my $fixture (@fixtures)
{
	my $text = slurp_file("$directory/$fixture.json");

	($trace{$fixture}) = $text =~ /"traceId":\s*"(\w+)"/;
	$node->safe_psql('postgres', 'SELECT ingest_otlp(' . literal('jaeger') . ', ' . literal($text) . ')');
}
is(scalar(@fixtures), 10, 'there are ten traces');
is(scalar(@queries), 8, '... and eight queries');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT trace_id) FROM jaeger.spans'), 10, 'every trace is stored');

for my $many (0, 1)
{
	# first the newest spans are all; then an index has to lead to the others
	$node->safe_psql('postgres', q{
		INSERT INTO jaeger.spans (trace_id, span_id, start_ns, end_ns, name, resource)
		SELECT random_trace_id(), random_span_id(), 1485449191639875000, 1485449191639875000 + i, 'filler', s.resource
		FROM jaeger.spans s, generate_series(200000, 201100) i}) if $many;
	for my $query (@queries)
	{
		my $name = $query->{Caption};
		my $arguments = arguments($query->{Query});
		my $opposites = opposites($query->{Query});
		my $expected = join "\n", sort map { $trace{$_} } @{$query->{ExpectedFixtures}};

		if ($many)
		{
			# fillers match what asks for the service alone
			$arguments->{duration_max} = q{'150 microseconds'} if $arguments->{duration_max} =~ /\* 0 /;
			$arguments->{max_traces} = 5;
		}
		is(found($arguments), $expected, "$name: found");
		if ($query->{Query}{Tags})
		{
			my %texts = map { $_ => $query->{Query}{Tags}{$_} . '' } keys %{$query->{Query}{Tags}};

			$texts{$_} =~ s/^1$/true/ for grep { ref $query->{Query}{Tags}{$_} } keys %texts;
			is(found({%$arguments, tags => literal($json->encode(\%texts))}), $expected, '... also by texts, as the UI sends them');
		}
		is(found({%$arguments, %{$opposites->{$_}}}), '', "... but not with $_") for sort keys %$opposites;
	}
}

done_testing();
