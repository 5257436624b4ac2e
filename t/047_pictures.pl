# Pictures of causal logs and of traces: well-formed in databases of any encoding, and right in a
# browser.
use strict;
use warnings FATAL => 'all';

use Compress::Zlib;
use File::Temp qw(tempdir);
use FindBin;
use IPC::Run;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $directory = tempdir(CLEANUP => 1);
my $node = new_node('pictures');

# A log of a few nodes that gossip; the same each time.
my $gossip = q{
create table NAME (origin text, seq bigint, clock vclock, at hlc, event jsonb);
do $$
declare
	clocks vclock[] := array_fill('{}'::vclock, array[NODES]);
	dice bigint := 42;
	n integer;
begin
	for i in 1..EVENTS loop
		dice := (dice * 1103515245 + 12345) % 2147483648;
		n := 1 + dice / 65536 % NODES;
		if dice / 4096 % 10 < 4 then
			clocks[n] := receive(clocks[n], clocks[1 + dice / 524288 % NODES], 'node-' || n);
		else
			clocks[n] := tick(clocks[n], 'node-' || n);
		end if;
		insert into NAME values ('node-' || n, clocks[n] -> ('node-' || n), clocks[n],
			hlc('2026-11-22T13:00:00Z'::timestamptz + i * interval '1 ms', 0), to_jsonb('event ' || i));
	end loop;
end
$$};

sub make_log
{
	my ($name, $events, $nodes) = @_;
	$node->safe_psql('postgres',
		$gossip =~ s/NAME/$name/gr =~ s/EVENTS/$events/gr =~ s/NODES/$nodes/gr);
	return;
}

# A trace of nested calls: every 4th span has an event, some failed, one has not ended.
my $calls = q{
insert into traces.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name, resource, status, events)
select lpad('SPANS', 32, '0')::trace_id, n::bigint::span_id, parent::bigint::span_id, from_ns,
	case when n <> 9 then from_ns + SPANS * 1000000::bigint / (depth * depth * 2) end,
	'operation ' || n, jsonb_build_object('service.name', 'service ' || n % 6),
	(case when n % 20 = 8 then 'error' else 'ok' end)::span_status,
	case when n % 4 = 2 then jsonb_build_array(jsonb_build_object('name', 'event ' || n, 'time_ns', from_ns + 1000)) else '[]' end
from (select n, nullif(n / 5 + (n > 1)::integer, 0) as parent, n * 400000 + 1795352400000000000 as from_ns,
		ceil(ln(4 * n + 1) / ln(5))::integer as depth
	from generate_series(1, SPANS::bigint) n) s};

# problem(SVG): the first thing that keeps it from being well-formed XML, or ''.
sub problem
{
	my ($svg) = @_;
	my @open;

	while ($svg =~ /\G(?:<(\/?)(\w+)((?:\s+[\w:-]+="(?:[^<&"]|&(?:\w+|#\d+);)*")*)(\/?)>|((?:[^<&]++|&(?:lt|gt|amp|quot|#\d+);)+))/gc)
	{
		my ($closing, $name, $empty, $text) = ($1, $2, $4, $5);
		return 'a forbidden character' if defined $text && $text =~ /[\x00-\x08\x0B\x0C\x0E-\x1F]/;
		next if defined $text || $empty;
		if (!$closing) { push @open, $name }
		elsif (!@open || pop(@open) ne $name) { return "</$name> closes nothing" }
	}
	return 'not XML: ' . substr($svg, pos($svg) // 0, 60) if (pos($svg) // 0) < length $svg;
	return @open ? "<$open[0]> is not closed" : '';
}

sub slurp
{
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/;
	return <$file>;
}

# draws(NAME, SQL, DATABASE, OPTION...): the picture, which must be well-formed, and its file.
sub draws
{
	my ($name, $sql, $database, @options) = @_;
	my $svg = $node->safe_psql($database // 'postgres', $sql, @options);
	my $path = "$directory/" . $name =~ tr/a-z0-9/_/cr . '.svg';

	open my $file, '>', $path or die "$path: $!";
	print $file $svg;
	close $file;
	is(problem($svg), '', "$name: well-formed");
	return ($svg, $path);
}

$node->safe_psql('postgres', 'create extension distributed');
make_log('few', 20, 4);
make_log('many', 800, 10);
make_log('huge', 100_000, 20);
my ($few, $few_path) = draws('20 events', q{select spacetime_svg('few')});
my ($many, $many_path) = draws('800 events', q{select spacetime_svg('many')});
my ($chosen, $chosen_path) = draws('800 events, one of them chosen',
	q{select spacetime_svg('many', 'node-3', 20)});

# The picture in the documentation is that of the log there.
{
	my ($log) = slurp("$FindBin::Bin/../doc/spacetime.md") =~ /```sql\n(CREATE TABLE orders.*?)```/s;
	$node->safe_psql('postgres', $log);
	my ($picture) = draws('the log of the documentation', q{select spacetime_svg('orders', 'stock', 3)});
	is("$picture\n", slurp("$FindBin::Bin/../doc/spacetime.svg"), 'the picture of the documentation');
}

# Traces.
$node->safe_psql('postgres', q{select create_trace_store('traces')});
$node->safe_psql('postgres', $calls =~ s/SPANS/$_/gr) for 10, 500, 100_000;
my ($calls_10, $calls_10_path) = draws('10 spans', q{select trace_svg('traces', lpad('10', 32, '0')::trace_id)});
my ($calls_500, $calls_500_path) = draws('500 spans', q{select trace_svg('traces', lpad('500', 32, '0')::trace_id)});
{
	my ($trace) = slurp("$FindBin::Bin/../doc/trace_svg.md") =~ /```sql\n(SELECT create_trace_store.*?)```/s;
	$node->safe_psql('postgres', $trace);
	my ($picture) = draws('the trace of the documentation', q{select trace_svg('shop', '5b8efff798038103d269b633813fc60c')});
	is("$picture\n", slurp("$FindBin::Bin/../doc/trace.svg"), 'the picture of that trace');
}
{
	my ($svg) = draws('100,000 spans', q{select trace_svg('traces', lpad('100000', 32, '0')::trace_id)});
	is(() = $svg =~ /class="hit"/g, 1000, '100,000 spans: 1,000 rows');
	like($svg, qr/>&#8230; and 99000 more spans</, '100,000 spans: and told how many more');
	cmp_ok(length $svg, '<', 2_000_000, '100,000 spans: of a size that can be used');
}

# Whatever names are made of: markup, control bytes, great length, wide letters, those that run
# from right to left and what turns the direction, letters of several parts.
my %hostile = (
	markup => q(<script>alert("1")</script>&amp;]]><!--'), controls => "a\x01\x08\x1B[31m\t\r\nb\x7F", long => 'x' x 100_000,
	wide => "\xE6\xBC\xA2" x 200, 'right to left' => "\xD7\x90\xD7\x91 " x 50, turned => "\xE2\x80\xAEabc\xEF\xBF\xBE",
	parts => "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9" x 30, empty => '');
{
	my $values = join ', ', map { my $text = $hostile{$_}; "(decode('" . unpack('H*', $text) . "', 'hex'))" } sort keys %hostile;
	$node->safe_psql('postgres', qq{
		insert into traces.spans (trace_id, span_id, parent_span_id, start_ns, end_ns, name, resource, status, status_message, events, attributes)
		select lpad('66', 32, '0')::trace_id, n::bigint::span_id, nullif(n - 1, 0)::bigint::span_id, n, 100, name,
			jsonb_build_object('service.name', name), 'error', name,
			jsonb_build_array(jsonb_build_object('name', name, 'time_ns', 50)), jsonb_build_object(name, name)
		from (select row_number() over () as n, convert_from(bytes, 'UTF8') as name from (values $values) v (bytes)) s});
}
my ($odd, $odd_path) = draws('hostile names', q{select trace_svg('traces', lpad('66', 32, '0')::trace_id)});
is(() = $odd =~ /class="hit"/g, scalar keys %hostile, 'hostile names: a row each');
ok(index($odd, "x" x 100_000 . ": " . "x" x 100_000 . "\n") > 0, 'hostile names: all of it in the title');

# Names and events are cut between characters, a wide one counting twice.
{
	$node->safe_psql('postgres', q{create table wide as
		select repeat(chr(28450), 20) || chr(n) || 'x' as origin, 1::bigint as seq,
			vclock(repeat(chr(28450), 20) || chr(n) || 'x', 1) as clock, repeat(chr(28450), 400) as event
		from unnest('{28451,28515}'::integer[]) n});
	my ($wide) = draws('wide characters', q{select spacetime_svg('wide')});
	my $letter = qr/\xE6\xBC\xA2/;
	my @names = $wide =~ /class="name">&#8230;([^<]*)</g;
	is(scalar(grep { /^(?:$letter)*\xE6[\xBC\xBD]\xA3x$/ } @names), 2, 'wide characters: names begin with a whole one');
	like($wide, qr/\n(?:$letter){299}\xE2\x80\xA6\n/, 'wide characters: half of 600');
}

# Large logs, and waiting no longer.
is($node->safe_psql('postgres',
	q{select (length(spacetime_svg('huge')) - length(replace(spacetime_svg('huge'), '<circle ', ''))) / 8}),
	'100000', '100,000 events');
for my $call ("spacetime_svg('huge')", "to_dot('huge')", "to_mermaid('huge')",
	"trace_svg('traces', lpad('100000', 32, '0')::trace_id, 100000)")
{
	my (undef, undef, $error) = $node->psql('postgres',
		qq{set statement_timeout = '100ms'; select length($call)});
	like($error, qr/statement timeout/, "$call: can be stopped");
}

# Another schema, nothing on the search path.
$node->safe_psql('postgres', 'create database elsewhere');
$node->safe_psql('elsewhere', q{create schema "my tools"; create extension distributed schema "my tools";
	create schema logs; create table logs."my log" (origin text, seq bigint, clock "my tools".vclock);
	insert into logs."my log" values ('a', 1, '{"a": 1}'), ('b', 1, '{"a": 1, "b": 1}')});
my ($elsewhere) = draws('another schema',
	q{set search_path = ''; select "my tools".spacetime_svg('logs."my log"', 'b', 1)}, 'elsewhere');
like($elsewhere, qr/>1 in its past</, 'another schema: the past');
$node->safe_psql('elsewhere', q{set search_path = ''; select "my tools".create_trace_store('My Store');
	insert into "My Store".spans (trace_id, span_id, start_ns, end_ns, name, events)
		values ('5b8efff798038103d269b633813fc60c', '00f067aa0ba902b7', 0, 9, 'work', '[{"name": "here", "time_ns": 5}]')});
like((draws('a store elsewhere', q{set search_path = '';
	select "my tools".trace_svg('My Store', '5b8efff798038103d269b633813fc60c')}, 'elsewhere'))[0],
	qr/>work<.*<title>here\nat 5 ns</s, 'another schema: a trace');
like($node->safe_psql('elsewhere', q{set search_path = ''; select "my tools".to_dot('logs."my log"')}),
	qr/label="logs\.\\"my log\\""[^>]*e1 -> e2$/m, 'another schema: Graphviz');

# Databases of other encodings: references by number, which no conversion can hurt.
for my $encoding ('LATIN1', 'EUC_JP', 'SQL_ASCII')
{
	my $database = lc $encoding;

	$node->safe_psql('postgres',
		"create database $database encoding '$encoding' template template0 lc_collate 'C' lc_ctype 'C'");
	my $word = $encoding eq 'EUC_JP' ? "\xE6\xBC\xA2" : "\xC3\xA9";      # a Chinese letter, an e with acute
	my $number = $encoding eq 'EUC_JP' ? 28450 : 233;
	$node->safe_psql($database, 'create extension distributed');
	$node->safe_psql($database, "set client_encoding = " . ($encoding eq 'SQL_ASCII' ? 'SQL_ASCII' : 'UTF8') . ";
		create table log (origin text, seq bigint, clock vclock, event text);
		insert into log values ('$word', 1, vclock('$word', 1), 'say $word')");
	my ($svg) = draws($encoding, q{select spacetime_svg('log')}, $database);
	like($svg, qr/class="name">&#$number;<.*<title>&#$number; 1\nsay &#$number;\n/s, "$encoding: references");
	is($svg =~ tr/\x80-\xFF//, 0, "$encoding: ASCII only");
	$node->safe_psql($database, "set client_encoding = " . ($encoding eq 'SQL_ASCII' ? 'SQL_ASCII' : 'UTF8') . ";
		select create_trace_store('traces');
		insert into traces.spans (trace_id, span_id, start_ns, end_ns, name, resource)
			values ('5b8efff798038103d269b633813fc60c', '00f067aa0ba902b7', 0, 9000, 'say $word', '{\"service.name\": \"$word\"}')");
	my ($trace) = draws("$encoding, a trace", q{select trace_svg('traces', '5b8efff798038103d269b633813fc60c')}, $database);
	like($trace, qr/<title>&#$number;: say &#$number;\n.*>say &#$number;<.*>9 &#181;s</s, "$encoding: references in a trace");
	is($trace =~ tr/\x80-\xFF//, 0, "$encoding: a trace in ASCII only");
	like($node->safe_psql($database, q{select to_dot('log')}), qr/"1: say &#$number;"/, "$encoding: Graphviz");
	like($node->safe_psql($database, q{select to_mermaid('log')}), qr/"1: say #$number;"/, "$encoding: Mermaid");
}
$node->safe_psql('sql_ascii', q{update log set event = 'say ' || convert_from('\xe9', 'SQL_ASCII')});
like((draws('unknown bytes', q{select spacetime_svg('log')}, 'sql_ascii'))[0], qr/\nsay &#65533;\n/,
	'unknown bytes: replaced');

# The same, seen with a browser.
my ($browser) = grep { -x } map { my $program = $_; map { "$_/$program" } split /:/, $ENV{PATH} }
	qw(chromium chromium-browser google-chrome);

# screenshot(FILE, WIDTH, HEIGHT): rows of pixels 'rrggbb' as the browser shows it; undef if it fails.
sub screenshot
{
	my ($path, $width, $height) = @_;
	my $png = "$path.png";
	my $profile = tempdir(CLEANUP => 1);
	my $log = '';

	# the window has a frame, of which the screenshot shows nothing
	my $done = eval {
		IPC::Run::run([ $browser, qw(--headless --no-sandbox --disable-gpu --disable-dev-shm-usage
			--disable-quic --no-first-run --disable-background-networking --disable-component-update
			--disable-sync --hide-scrollbars --force-device-scale-factor=1 --force-color-profile=srgb),
			"--user-data-dir=$profile", "--screenshot=$png", "--window-size=$width," . ($height + 200),
			"file://$path" ], '<', '/dev/null', '>&', \$log, IPC::Run::timeout(120));
	};
	diag($@ . $log) unless $done && -s $png;
	return -s $png ? pixels($png) : undef;
}

# pixels(FILE): the rows of a PNG of 8 bits per channel, not interlaced (section 9 of its standard).
sub pixels
{
	my ($path) = @_;
	my $png = slurp($path);
	my ($width, $height, $depth, $type) = unpack 'x16 N N C C', $png;
	my $data = '';
	my $size = { 2 => 3, 6 => 4 }->{$type} or die "$path: colour type $type";
	my @above = (0) x ($width * $size);
	my @rows;

	for (my $at = 8; $at < length $png;)
	{
		my ($length, $chunk) = unpack "x$at N a4", $png;
		$data .= substr $png, $at + 8, $length if $chunk eq 'IDAT';
		$at += 12 + $length;
	}
	$data = uncompress($data);
	for my $y (0 .. $height - 1)
	{
		my ($filter, @row) = unpack 'C*', substr $data, $y * ($width * $size + 1), $width * $size + 1;
		for my $i (0 .. $#row)
		{
			my $left = $i < $size ? 0 : $row[$i - $size];
			my $up = $above[$i];
			my $add = 0;
			if ($filter == 1) { $add = $left }
			elsif ($filter == 2) { $add = $up }
			elsif ($filter == 3) { $add = ($left + $up) >> 1 }
			elsif ($filter == 4)
			{
				my $corner = $i < $size ? 0 : $above[$i - $size];
				my ($a, $b, $c) = map { abs($left + $up - $corner - $_) } $left, $up, $corner;
				$add = $a <= $b && $a <= $c ? $left : $b <= $c ? $up : $corner;
			}
			$row[$i] = ($row[$i] + $add) & 255;
		}
		push @rows, [ map { sprintf '%02x%02x%02x', @row[ $_ * $size .. $_ * $size + 2 ] } 0 .. $width - 1 ];
		@above = @row;
	}
	return \@rows;
}

# shows(NAME, SVG, FILE): each dot in the window has its colour, and each lane its name.
sub shows
{
	my ($name, $svg, $path) = @_;
	my ($width, $height) = $svg =~ /width="(\d+)" height="(\d+)"/;
	my ($light_style) = $svg =~ /<style>(.*?)\@media/s;
	my %colour = $light_style =~ /\.(\w+)\{color:#([0-9a-f]{6})\}/g;
	my ($dots, $lanes, $wrong, $unnamed) = (0, 0, '', '');

	$width = 1200 if $width > 1200;
	my $rows = screenshot($path, $width, $height);
	while ($svg =~ /<g class="(\w+)"><title>([^<]*)<\/title>(?:<use [^>]*>|<circle class="ring"[^>]*>)*<circle cx="(\d+)" cy="(\d+)"/g)
	{
		my ($class, $title, $x, $y) = ($1, $2, $3, $4);
		next if $x >= $width;
		$dots++;
		$wrong ||= "$title at $x, $y: $rows->[$y][$x]" if $rows->[$y][$x] ne $colour{$class};
	}
	while ($svg =~ /<text x="(\d+)" y="(\d+)" class="name">([^<]*)</g)
	{
		my ($x, $y, $lane) = ($1, $2, $3);
		my $paper = $rows->[$y][0];
		$lanes++;
		$unnamed ||= $lane unless grep { $_ ne $paper } map { @$_[ $x .. $x + 40 ] } @$rows[ $y - 9 .. $y ];
	}
	cmp_ok($dots, '>=', 20, "$name: has events in the window");
	is($wrong, '', "$name: $dots dots");
	is($unnamed, '', "$name: $lanes names of lanes");
	return $rows;
}

# shows_calls(NAME, SVG, FILE): bars have their services' colours, the names of their rows are there, what
# failed is marked in red, and the critical path is dark where it passes and nowhere else.
sub shows_calls
{
	my ($name, $svg, $path) = @_;
	my ($width, $height) = $svg =~ /width="(\d+)" height="(\d+)"/;
	my ($style) = $svg =~ /<style>(.*?)\@media/s;
	my %colour = $style =~ /\.(c\d+)\{color:#([0-9a-f]{6})\}/g;
	my ($critical) = $svg =~ /<path class="critical" pointer-events="none" d="([^"]*)"/;
	my %counts = map { $_ => 0 } qw(bars failed events sections);
	my ($uncoloured, $unnamed, $unmarked, $covered, $astray) = ('') x 5;
	my %section;

	$height = 3000 if $height > 3000;
	my $rows = screenshot($path, $width, $height);
	push @{ $section{$2} }, [ $1, $3 ] while $critical =~ /M([\d.]+) (\d+)H([\d.]+)/g;
	for my $row (split /\n(?=<g class="c\d)/, $svg)
	{
		my ($class, $failed) = $row =~ /^<g class="(c\d+)( failed)?">/ or next;
		my ($title) = $row =~ /<title>([^<\n]*)/;
		my ($y, $pitch) = $row =~ /class="hit" x="0" y="(\d+)" width="\d+" height="(\d+)"/;
		my ($x) = $row =~ /class="name" x="(\d+)"/;
		my ($from, $top, $wide, $high) = $row =~ /class="bar" x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="(\d+)"/ or next;
		last if $y + $pitch > $height;
		my ($middle, $last) = ($top + int($high / 2), $from + $wide);
		my $line = $rows->[ $top + 1 ];
		my $paper = $rows->[ $y + 1 ][0];

		# a pixel of the bar that no event covers, as most are
		my @bar = map { $line->[$_] } int($from) + 2 .. int($last) - 3;
		my @coloured = grep { $_ eq $colour{$class} } @bar;
		$counts{bars} += @bar > 4;
		$uncoloured ||= "$title at $from, $top: $bar[0]" if @bar > 4 && @coloured < @bar / 2;
		$unnamed ||= $title unless $title eq ': ' || grep { $_ ne $paper } map { @$_[ $x .. $x + 20 ] } @$rows[ $y + 2 .. $y + $pitch - 3 ];
		# names end where the axis begins: there is a gap
		my ($clip) = $svg =~ /<clipPath id="names"><rect width="(\d+)"/;
		$covered ||= $title if grep { $_->[ $clip + 4 ] ne $paper } @$rows[ $y + 1 .. $y + $pitch - 2 ];
		if ($failed)
		{
			my @red = grep { my ($r, $g, $b) = map { hex } /../g; $r > 150 && $g < 90 && $b < 90 }
				map { @$_[ 0 .. $x ] } @$rows[ $y .. $y + $pitch - 1 ];
			$counts{failed}++;
			$unmarked ||= $title unless @red > 10;
			# the frame, in the middle of its line
			my ($r, $g, $b) = map { hex } $rows->[$top][ int(($from + $last) / 2) ] =~ /../g;
			$unmarked ||= "$title: frame" if $wide > 10 && !($r > 150 && $g < 110 && $b < 120);
		}
		$counts{events}++ while $row =~ /class="event" d="/g;
		for my $section (@{ $section{$middle} || $section{ $y + $pitch / 2 } || [] })
		{
			my ($a, $b) = @$section;
			$counts{sections}++;
			next if $b - $a < 4;
			my $pixel = $rows->[ $y + $pitch / 2 ][ int(($a + $b) / 2) ];
			$astray ||= "$title at $a to $b: $pixel" unless $pixel eq '101828';
		}
	}
	cmp_ok($counts{bars}, '>', 5, "$name: bars");
	is($uncoloured, '', "$name: $counts{bars} bars in the colours of their services");
	is($unnamed, '', "$name: names");
	is($covered, '', "$name: names stay in their column");
	cmp_ok($counts{failed}, '>', 0, "$name: errors");
	is($unmarked, '', "$name: $counts{failed} errors marked");
	cmp_ok($counts{events}, '>', 1, "$name: events");
	cmp_ok($counts{sections}, '>', 1, "$name: critical path");
	is($astray, '', "$name: $counts{sections} sections of it");
	return $rows;
}

SKIP:
{
	skip 'no chromium', 1 unless defined $browser;
	my (undef, $path) = draws('an event', q{select spacetime_svg('log')}, 'latin1');
	skip "$browser does not run here", 1 unless defined screenshot($path, 720, 300);
	shows('20 events in a browser', $few, $few_path);
	shows('800 events in a browser', $many, $many_path);
	my $rows = shows('a chosen event in a browser', $chosen, $chosen_path);
	my %pixels;
	$pixels{$_}++ for map { @$_ } @$rows;
	cmp_ok($pixels{$_} // 0, '>', 500, "a chosen event in a browser: $_") for qw(2f6bd8 e06a1b b4bac5);
	shows_calls('10 spans in a browser', $calls_10, $calls_10_path);
	shows_calls('500 spans in a browser', $calls_500, $calls_500_path);
	shows_calls('hostile names in a browser', $odd, $odd_path);
}

done_testing();
