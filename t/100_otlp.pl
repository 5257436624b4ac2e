# OTLP/JSON in and out: the payloads of others, arbitrary ones, and hostile ones.
#
#   OTLP_COUNT, OTLP_SEED    hostile payloads (default 5000), seed (default 1)
#
# The default is for every day; in full, as before a release or after a change of the reader:
#
#   OTLP_COUNT=100000 script/test --no-lint --only tap 100_otlp
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $count = $ENV{OTLP_COUNT} || 5000;
my $seed = $ENV{OTLP_SEED} || 1;
my $node = new_node('otlp', 'log_min_messages = panic');

note "seed $seed";
srand $seed;
$node->safe_psql('postgres', q{
	CREATE EXTENSION distributed;
	SELECT create_trace_store('plain', hygiene => false);
	SELECT create_trace_store('parts', '1 day', false);
	CREATE TABLE payload (n serial PRIMARY KEY, what text, p jsonb, canonical jsonb)});

# fill(WHAT, [PAYLOAD, CANONICAL], ...): payloads, as JSON, and what is expected of them.
sub fill
{
	my ($what, @payloads) = @_;
	my $rows = '';

	foreach my $payload (@payloads)
	{
		my ($text, $canonical) = map { defined $_ ? s/\\/\\\\/gr : '\N' } @$payload[0, 1];

		$rows .= "$what\t$text\t$canonical\n";
	}
	$node->safe_psql('postgres', "COPY payload (what, p, canonical) FROM STDIN;\n$rows\\.\n");
}

# The payloads that others wrote.
my @files = map { glob("$_/*.json") } grep { defined } map { shared_data($_) } qw(otlp jaeger-storage);

SKIP:
{
	skip 'no shared data with payloads', 4 unless @files;

	fill('file', map { [ slurp_file($_) =~ s/\s*\n\s*//gr, undef ] } grep { !/queries\.json$/ } @files);
	is($node->safe_psql('postgres', q{
		SELECT n FROM payload, ingest_otlp('plain', p) i WHERE what = 'file'
			AND (received > 0 AND stored = received AND updated = 0 AND duplicates = 0) IS NOT TRUE}),
		'', 'the payloads of others are read, every span of them');
	is($node->safe_psql('postgres', q{
		SELECT n FROM payload, ingest_otlp('plain', p) i WHERE what = 'file'
			AND (stored = 0 AND updated = 0 AND duplicates = received) IS NOT TRUE}),
		'', '... once: sent again, none is new');
	is($node->safe_psql('postgres', q{
		SELECT n FROM payload, LATERAL (SELECT trace_id FROM otlp_spans(p) LIMIT 1) s
		WHERE what = 'file' AND (to_otlp('plain', trace_id) = otlp_canonical(p)) IS NOT TRUE}),
		'', '... and come back as they went in');
	is($node->safe_psql('postgres', q{
		SELECT count(*) > 0 AND bool_and(otlp_canonical(otlp_canonical(p)) = otlp_canonical(p))
		FROM payload WHERE what = 'file'}), 't', '... in canonical form');
}

# Arbitrary payloads.  A value is written twice: in the canonical form, and in another that
# says the same: names of the protocol's definition, ids in upper case, numbers that are strings
# and strings that are numbers, names of enums, nulls, unknown fields.
sub pick { return $_[ int rand @_ ] }
sub chance { return rand() < $_[0] }

my @words = ('a', 'b', 'zz', 'http.method', 'key', 'value', 'values', 'bytesValue', 'doubleValue', 'kvlistValue',
	'stringValue', '', 'k' x 130, 'Schl\u00fcssel', '\u6f22\u5b57', '\"\\\\/', 'x\ty', 'span.kind', 'span.status');

sub hex_id { return join '', map { sprintf '%02x', 1 + int rand 255 } 1 .. $_[0] }

# Each of these returns the two forms of a value.
sub member
{
	my ($name, $canonical, $other) = @_;

	$other = $canonical unless defined $other;
	return [ qq{"$name": $canonical}, sprintf('"%s": %s', chance(0.3) ? $name =~ s/([A-Z])/_\l$1/gr : $name, $other) ];
}

sub object
{
	my @members = @_;
	my @others = map { $_->[1] } @members;

	push @others, pick('"unknown": {"traceId": []}', '"traceid": 5', '"zzz": null', '"name2": "x"') if chance(0.1);
	@others = sort { rand() <=> 0.5 } @others if chance(0.2);
	return [ '{' . join(', ', map { $_->[0] } @members) . '}', '{' . join(', ', @others) . '}' ];
}

sub array
{
	return [ map { my $i = $_; '[' . join(', ', map { $_->[$i] } @_) . ']' } 0, 1 ] if @_;
	return [ '[]', '[]' ];
}

sub text { my $text = '"' . join('', map { pick(@words) } 1 .. pick(1, 1, 1, 2)) . '"'; return $text }
sub number { my $n = pick(1 + int rand 100, 4294967295, 1 + int rand 4294967295); return [ $n, pick($n, qq{"$n"}, "$n.0") ] }

sub long
{
	my $n = pick(1, 255, int rand 1e9, '9223372036854775807', '1544712660000000000', '15' . '0' x 17);

	$n = 1 if $n eq '0';
	return [ qq{"$n"}, pick(qq{"$n"}, $n, $n =~ /^(\d+?)(0+)$/ ? $1 . 'e' . length $2 : $n) ];
}

sub any_value
{
	my ($depth) = @_;
	my $kind = pick(qw(string string int double bool bytes none), $depth < 3 ? qw(array kvlist) : ());
	my $n;

	return object() if $kind eq 'none';
	return object(member('stringValue', text())) if $kind eq 'string';
	return object(member('boolValue', pick('true', 'false'))) if $kind eq 'bool';
	if ($kind eq 'int')
	{
		$n = pick(0, -1, int(rand 2000) - 1000, '9223372036854775807', '-9223372036854775808');
		return object(member('intValue', qq{"$n"}, pick(qq{"$n"}, $n, "$n.00")));
	}
	if ($kind eq 'double')
	{
		my $d = pick('"NaN"', '"Infinity"', '"-Infinity"', '"-0"', '0.0', '1.0', '72.5', '-0.1', '1e300', '5e-324',
			'1.7976931348623157e308', '0.1234567890123456', '123456789012345680.0', int(rand 1e6) / 64);

		return object(member('doubleValue', $d, $d =~ /"/ ? $d : pick($d, qq{"$d"}, $d =~ /^\d+\.\d+$/ ? "${d}000e0" : $d)));
	}
	if ($kind eq 'bytes')
	{
		$n = pick('', 'AA==', 'AAA=', 'AAAA', '+/+/', 'AAAwOQ==', 'abcdefgh');
		return object(member('bytesValue', qq{"$n"}, '"' . (chance(0.5) ? $n : $n =~ tr{+/}{-_}r =~ s/=//gr) . '"'));
	}
	if ($kind eq 'array')
	{
		my @values = map { any_value($depth + 1) } 1 .. pick(0, 1, 2, 3);

		return object(member('arrayValue', @{ list_of(@values) }));
	}
	return object(member('kvlistValue',
		@{ list_of(map { key_value($_, $depth + 1) } map { pick(@words) } 1 .. (chance(0.05) ? 20 : pick(0, 1, 1, 2, 3))) }));
}

# {"values": [...]}, which canonically is {} if there are none.
sub list_of
{
	return @_ ? object(member('values', @{ array(@_) })) : [ '{}', pick('{}', '{"values": []}', '{"values": null}') ];
}

sub key_value
{
	my ($key, $depth) = @_;
	my $value = any_value($depth);

	return object(
		$key eq '' ? () : member('key', qq{"$key"}),
		$value->[0] eq '{}' ? () : member('value', @$value));
}

# Of attributes each key is there once.  What chooses kind and status is not in the canonical form.
sub attributes
{
	my ($extra) = @_;
	my %seen;
	my @keys = grep { !$seen{$_}++ } map { chance(0.5) ? pick(@words) : 'k' . int rand 1000 } 1 .. (chance(0.02) ? 100 : pick(0, 1, 2, 5, 10));

	push @keys, $extra if $extra;
	return () unless @keys;
	return member('attributes', @{ array(map { key_value($_, 0) } @keys) });
}

sub maybe { my ($probability, @member) = @_; return chance($probability) ? @member : () }

sub event
{
	return object(
		maybe(0.9, member('name', text() =~ s/^""$/"e"/r)), maybe(0.9, member('timeUnixNano', @{ long() })), attributes(),
		maybe(0.2, member('droppedAttributesCount', @{ number() })));
}

sub id_member
{
	my ($name, $bytes) = @_;
	my $id = hex_id($bytes);

	return member($name, qq{"$id"}, pick(qq{"$id"}, uc qq{"$id"}));
}

sub link_to
{
	return object(
		maybe(0.9, id_member('traceId', 16)), maybe(0.9, id_member('spanId', 8)),
		maybe(0.3, member('traceState', '"a=b"')), maybe(0.5, member('flags', @{ number() })), attributes(),
		maybe(0.2, member('droppedAttributesCount', @{ number() })));
}

my @kinds = qw(UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER);
my @codes = qw(UNSET OK ERROR);

sub span
{
	my ($trace_id) = @_;
	my $start = 1 + int rand 1e15;
	my $end = $start + int rand 1e15;
	my $kind = int rand 6;
	my $code = int rand 3;
	my @status = (
		$code ? member('code', $code, pick($code, qq{"STATUS_CODE_$codes[$code]"})) : (),
		maybe(0.3, member('message', '"why"')));

	return object(
		member('traceId', qq{"$trace_id"}, pick(qq{"$trace_id"}, uc qq{"$trace_id"})), id_member('spanId', 8),
		maybe(0.8, id_member('parentSpanId', 8)), maybe(0.9, member('name', text() =~ s/^""$/"n"/r)),
		$kind ? member('kind', $kind, pick($kind, qq{"SPAN_KIND_$kinds[$kind]"})) : (),
		member('startTimeUnixNano', qq{"$start"}, pick(qq{"$start"}, $start)),
		maybe(0.9, member('endTimeUnixNano', qq{"$end"}, pick(qq{"$end"}, $end))),
		maybe(0.3, member('traceState', '"vendor=x,other=y"')), maybe(0.3, member('flags', @{ number() })), attributes(),
		chance(0.4) ? member('events', @{ array(map { event() } 1 .. (chance(0.1) ? 40 : pick(1, 2))) }) : (),
		chance(0.3) ? member('links', @{ array(map { link_to() } 1 .. pick(1, 3)) }) : (),
		@status ? member('status', @{ object(@status) }) : (),
		map { maybe(0.2, member("dropped${_}Count", @{ number() })) } qw(Attributes Events Links));
}

my $groups = 0;

# A resource or scope: each is another one, since those that are the same become one.
sub group
{
	my ($name) = @_;

	$groups++;
	return member($name, @{ object(
		$name eq 'scope' ? (maybe(0.9, member('name', text() =~ s/^""$/"s"/r)), maybe(0.5, member('version', '"1.0"'))) : (),
		attributes("group $groups"), maybe(0.1, member('droppedAttributesCount', @{ number() }))) });
}

sub payload
{
	my $trace_id = hex_id(16);
	my $schema = '"https://opentelemetry.io/schemas/1.30.0"';
	my @resources = map { object(
		group('resource'),
		member('scopeSpans', @{ array(map { object(
			group('scope'), member('spans', @{ array(map { span($trace_id) } 1 .. pick(1, 2, 5)) }),
			maybe(0.3, member('schemaUrl', $schema))) } 1 .. pick(1, 2)) }),
		maybe(0.3, member('schemaUrl', $schema))) } 1 .. pick(1, 1, 2);

	return object(member('resourceSpans', @{ array(@resources) }));
}

my @payloads = map { payload() } 1 .. 450;

fill('canonical', map { [ $_->[0], $_->[0] ] } @payloads);
fill('other', map { [ $_->[1], $_->[0] ] } @payloads);
my $spans = $node->safe_psql('postgres', q{
	SELECT count(*) FROM payload, otlp_spans(canonical, false) WHERE what = 'canonical'});

cmp_ok($spans, '>', 2000, "$spans arbitrary spans are read");
is($node->safe_psql('postgres', q{
	SELECT n, what FROM payload WHERE what <> 'file' AND (otlp_canonical(p) = canonical) IS NOT TRUE}),
	'', '... in any form, and written in the canonical one');
is($node->safe_psql('postgres', q{
	SELECT c.n FROM payload c JOIN payload o USING (canonical),
		LATERAL (SELECT array_agg(s.*::text) AS a FROM otlp_spans(c.p, false) s) x,
		LATERAL (SELECT array_agg(s.*::text) AS b FROM otlp_spans(o.p, false) s) y
	WHERE c.what = 'canonical' AND o.what = 'other' AND (a = b) IS NOT TRUE}),
	'', '... as the same rows');
foreach my $store ('plain', 'parts')
{
	is($node->safe_psql('postgres', qq{
		SELECT n FROM payload, ingest_otlp('$store', p) i WHERE what = 'other'
			AND (received > 0 AND stored = received AND updated = 0 AND duplicates = 0) IS NOT TRUE}),
		'', "... into a store ($store)");
	is($node->safe_psql('postgres', qq{
		SELECT n FROM payload, ingest_otlp('$store', p) i WHERE what = 'canonical'
			AND (stored = 0 AND updated + duplicates = received AND updated = 0) IS NOT TRUE}),
		'', '... once');
	is($node->safe_psql('postgres', qq{
		SELECT n FROM payload, LATERAL (SELECT trace_id FROM otlp_spans(p) LIMIT 1) s
		WHERE what = 'canonical' AND (to_otlp('$store', trace_id) = canonical) IS NOT TRUE}),
		'', '... and out of it as they went in');
}

# The simple columns, as SQL has them.
is($node->safe_psql('postgres', q{
	WITH expected AS (
		SELECT (s ->> 'traceId')::trace_id AS trace_id, (s ->> 'spanId')::span_id AS span_id,
			(s ->> 'parentSpanId')::span_id AS parent_span_id,
			(s ->> 'startTimeUnixNano')::bigint AS start_ns, (s ->> 'endTimeUnixNano')::bigint AS end_ns,
			coalesce(s ->> 'name', '') AS name, s #>> '{status,message}' AS status_message,
			(ARRAY['unset', 'ok', 'error'])[coalesce((s #>> '{status,code}')::integer, 0) + 1] AS code,
			s ->> 'traceState' AS trace_state, (s ->> 'flags')::bigint AS flags,
			(s ->> 'droppedAttributesCount')::bigint AS dropped_attributes, (s ->> 'droppedEventsCount')::bigint AS dropped_events,
			(s ->> 'droppedLinksCount')::bigint AS dropped_links, ss #>> '{scope,name}' AS scope_name,
			ss #>> '{scope,version}' AS scope_version, ss ->> 'schemaUrl' AS scope_url, rs ->> 'schemaUrl' AS resource_url,
			jsonb_array_length(coalesce(s -> 'events', '[]')) AS events, jsonb_array_length(coalesce(s -> 'links', '[]')) AS links,
			(SELECT array_agg(coalesce(a ->> 'key', '') ORDER BY coalesce(a ->> 'key', '') COLLATE "C")
				FROM jsonb_array_elements(s -> 'attributes') a) AS keys,
			(SELECT jsonb_object_agg(coalesce(a ->> 'key', ''), a #> '{value,stringValue}')
				FROM jsonb_array_elements(s -> 'attributes') a WHERE a #> '{value,stringValue}' IS NOT NULL) AS texts
		FROM payload, jsonb_array_elements(p -> 'resourceSpans') rs, jsonb_array_elements(rs -> 'scopeSpans') ss,
			jsonb_array_elements(ss -> 'spans') s WHERE what = 'canonical'),
	found AS (SELECT s.* FROM payload, otlp_spans(p, false) s WHERE what = 'canonical')
	SELECT count(*), bool_and((f.parent_span_id, f.start_ns, f.end_ns, f.name, f.status_message, f.status::text, f.trace_state, f.flags)
		IS NOT DISTINCT FROM (e.parent_span_id, e.start_ns, e.end_ns, e.name, e.status_message, e.code, e.trace_state, e.flags)
		AND (f.dropped_attributes_count, f.dropped_events_count, f.dropped_links_count, f.scope_name, f.scope_version)
		IS NOT DISTINCT FROM (e.dropped_attributes, e.dropped_events, e.dropped_links, e.scope_name, e.scope_version)
		AND (f.scope_schema_url, f.resource_schema_url, jsonb_array_length(f.events), jsonb_array_length(f.links))
		IS NOT DISTINCT FROM (e.scope_url, e.resource_url, e.events, e.links)
		AND (SELECT array_agg(k ORDER BY k COLLATE "C") FROM jsonb_object_keys(f.attributes) k) IS NOT DISTINCT FROM e.keys
		AND f.attributes @> coalesce(e.texts, '{}'))
	FROM expected e JOIN found f USING (trace_id, span_id)}),
	"$spans|t", '... with the columns that plain SQL finds');

# Cleaning while reading is what clean_attributes does.
is($node->safe_psql('postgres', q{
	SELECT n FROM payload, otlp_spans(p, true) c JOIN otlp_spans(p, false) o USING (trace_id, span_id)
	WHERE what = 'canonical' AND (SELECT count(*) FROM jsonb_object_keys(o.attributes)) <= 64
		AND c.attributes <> clean_attributes(o.attributes) AND o.attributes::text NOT LIKE '%kvlistValue%'}),
	'', 'attributes are cleaned as clean_attributes does');

# Hostile payloads: some of those above with something of them changed.
my @names = qw(traceId spanId parentSpanId name kind startTimeUnixNano endTimeUnixNano attributes events links status
	code message key value values intValue doubleValue stringValue bytesValue kvlistValue arrayValue boolValue
	timeUnixNano trace_id scope resource spans scopeSpans resourceSpans schemaUrl flags droppedAttributesCount
	instrumentationLibrarySpans instrumentationLibrary traceState);
my @scalars = (qw(null true false 0 1 -1 1.5 1e18 1e19 1e400 -1e-400 18446744073709551616 "" "0" "x" "NaN" "1e5" "1e999999999999"
	"-9223372036854775809" "00000000000000000000000000000000" "0000000000000000" "5b8efff798038103d269b633813fc60c"
	"eee19b7ec3c1b174" "=" "====" "A" "AA=A" "\u0001" "SPAN_KIND_SERVER" "STATUS_CODE_OK" [] {} [[]] [{}] [null]),
	'{"stringValue": "x"}', '{"key": "k", "value": {"intValue": "1"}}', '{"bytesValue": "AA", "intValue": 5}');

# parts(JSON): where its values and keys are, as [start, end, is it a key?].
sub parts
{
	my ($text) = @_;
	my (@parts, @open);

	while ($text =~ /\G[\s,:]*(?:([\[{])|([\]}])|("(?:[^"\\]|\\.)*")(?=\s*(:?))|([^\s,:\[\]{}"]+))/gc)
	{
		if (defined $1) { push @open, $-[1] }
		elsif (defined $2) { push @parts, [ pop @open, $+[2], 0 ] }
		elsif (defined $3) { push @parts, [ $-[3], $+[3], $4 eq ':' ] }
		else { push @parts, [ $-[5], $+[5], 0 ] }
	}
	return @parts;
}

sub deep
{
	my ($value) = @_;
	my ($before, $after) = @{ pick([ '{"arrayValue": {"values": [', ']}}' ], [ '{"kvlistValue": {"values": [{"key": "k", "value": ', '}]}}' ]) };
	my $levels = pick(3, 100, 600);

	return $before x $levels . $value . $after x $levels;
}

# mutate(JSON, PARTS): the same with some of its parts changed.
sub mutate
{
	my ($text, $parts) = @_;
	my $end = length $text;

	if (chance(0.1))
	{
		substr($text, int rand $end, 1 + int rand 3) = pick('', '"', '{', '}', '[', ']', ',', ':', '0', '\\', '\u0000', 'null');
		return $text;
	}

	# from the end to the beginning, so that the others stay where they are
	foreach my $part (sort { $b->[0] <=> $a->[0] } map { pick(@$parts) } 1 .. pick(1, 1, 1, 2, 5))
	{
		my ($from, $to, $is_key) = @$part;
		my $old = substr $text, $from, $to - $from;

		next if $to > $end;
		$end = $from;
		if ($is_key)
		{
			substr($text, $from, $to - $from) = pick(map({ qq{"$_"} } pick(@names)), $old =~ s/([A-Z])/_\l$1/gr);
			next;
		}

		my $other = pick(grep { !$_->[2] } map { pick(@$parts) } 1 .. 5) || $part;
		my $copy = $other->[1] <= $end ? substr $text, $other->[0], $other->[1] - $other->[0] : 'null';

		substr($text, $from, $to - $from) = pick((pick(@scalars)) x 4, $copy, $copy, "[$old]", "[$old, $old]", "$old, $old",
			sprintf('{"%s": %s}', pick(@names), $old), deep(pick($old, '{"stringValue": "deep"}')),
			'[{"key": "deep", "value": ' . deep('{"stringValue": "deep"}') . '}]', '"' . 'x' x pick(1000, 1025, 5000) . '"');
	}
	return $text;
}

$node->safe_psql('postgres', q{
	CREATE TABLE hostile (t text);
	CREATE FUNCTION attempt(t text, hygiene boolean) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		payload jsonb := t;
		canonical jsonb := otlp_canonical(payload);
		rows bigint := count(*) FROM otlp_spans(payload, hygiene);
		result record;
	BEGIN
		IF otlp_canonical(canonical) <> canonical THEN
			RETURN 'not canonical';
		END IF;
		SELECT * INTO result FROM ingest_otlp('plain', payload);
		IF result.received <> rows OR result.stored + result.updated + result.duplicates <> rows THEN
			RETURN 'rows lost';
		END IF;
		RETURN 'rows';
	END $$;
	CREATE FUNCTION outcome(t text, hygiene boolean) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN attempt(t, hygiene);
	EXCEPTION WHEN OTHERS THEN
		RETURN CASE WHEN SQLSTATE LIKE '22%' OR SQLERRM = 'invalid OTLP/JSON' THEN 'error' ELSE SQLSTATE || ' ' || SQLERRM END;
	END $$});

my @seeds = map { [ $_, [ parts($_) ] ] } grep { length $_ < 5000 } map { @$_ } @payloads;
my %outcomes;

for (my $done = 0; $done < $count; $done += 5000)
{
	my $rows = join '', map { mutate(@{ pick(@seeds) }) =~ s/\\/\\\\/gr . "\n" } 1 .. ($count - $done < 5000 ? $count - $done : 5000);

	$node->safe_psql('postgres', "TRUNCATE hostile;\nCOPY hostile FROM STDIN;\n$rows\\.\n");
	foreach (split /\n/, $node->safe_psql('postgres',
			'SELECT o, count(*) FROM hostile, LATERAL (SELECT outcome(t, length(t) % 2 = 0) AS o) a GROUP BY o'))
	{
		my ($outcome, $times) = /^(.*)\|(\d+)$/;

		$outcomes{$outcome} += $times;
	}
}
is_deeply([ sort keys %outcomes ], [qw(error rows)], "$count hostile payloads: an error, or rows");
note join ', ', map { "$outcomes{$_} $_" } sort keys %outcomes;
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM plain.spans s, LATERAL (SELECT to_otlp('plain', s.trace_id) IS NULL AS n) o WHERE n}),
	'0', '... and all that was stored can be written');
$node->stop;
done_testing();
