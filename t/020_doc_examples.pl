# The examples of README.md and doc/ print what the pages say.
use strict;
use warnings FATAL => 'all';

use File::Temp;
use FindBin;
use lib "$FindBin::Bin/lib";
use DistributedTest;
use Test::More;

my $top = "$FindBin::Bin/..";
my $node = new_node('docs');

$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;

# run_examples(FILE): the exit code of script/doc-examples and what it prints.
sub run_examples
{
	my ($file) = @_;
	my $printed = qx('$^X' '$top/script/doc-examples' '$file' 2>&1);

	return ($? >> 8, $printed);
}

for my $file ("$top/README.md", sort glob "$top/doc/*.md")
{
	my ($status, $printed) = run_examples($file);
	my $notes = '';
	my $name = $file =~ s/^\Q$top\E\///r;

	for my $line (split /^/, $printed)
	{
		if ($line =~ /^(not )?ok - .*:(\d+)$/)
		{
			ok(!$1, "$name, line $2") or diag($notes);
			$notes = '';
		}
		else
		{
			$notes .= $line;
		}
	}
	is($notes, '', "$name: nothing else went wrong");
}

# Whatever the extension makes is documented, and what the pages refer to is there.
my $text = '';
for my $file ("$top/README.md", sort glob "$top/doc/*.md")
{
	my $directory = $file =~ s/[^\/]*$//r;
	my $name = $file =~ s/^\Q$top\E\///r;

	open my $handle, '<', $file or die "$file: $!";
	my $page = do { local $/; <$handle> };
	close $handle;
	$text .= $page;
	my @missing = grep { !/^\w+:/ && !-e "$directory$_" } $page =~ /\]\(([^)#\s]+)[^)]*\)/g;
	is("@missing", '', "$name: the pages that it refers to exist");
}
$text =~ s/\\\|/|/g;    # as in tables

my $members = $node->safe_psql('postgres', q{
	CREATE EXTENSION distributed;
	SELECT DISTINCT coalesce(proname, typname, opcname, oprname)
	FROM pg_depend d
	LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = objid
	LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = objid
	LEFT JOIN pg_opclass c ON d.classid = 'pg_opclass'::regclass AND c.oid = objid
	LEFT JOIN pg_operator o ON d.classid = 'pg_operator'::regclass AND o.oid = objid
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'distributed')
	AND coalesce(proname, typname, opcname, oprname) !~ '^_'
	ORDER BY 1});
for my $member (split /\n/, $members)
{
	ok($text =~ /(?<![\w#<>=|&@-])\Q$member\E(?![\w#<>=|&@-])/, "documented: $member");
}

# The runner itself must notice what it is there to notice.
my $page = File::Temp->new(SUFFIX => ".md");
my %pages = (
	"```sql\nSELECT 1;\n```\n```text\n ?column?\n----------\n        1\n(1 row)\n```\n" => 0,
	"```sql\nSELECT 2;\n```\n```text\n ?column?\n----------\n        1\n(1 row)\n```\n" => 1,
	"```sql\nSELECT 1;\n```\n" => 1,
	"```sql\nSET work_mem = '1MB';\n```\n" => 0,
	"```sql\nSET work_mem = '1MB';\n```\n```text\nSET\n```\n" => 1,
	"```sql\nSELECT 1/0;\n```\n```text\nERROR:  division by zero\n```\n" => 0,
	"```sql\nSELECT 1/0;\n```\n" => 1);

for my $text (sort keys %pages)
{
	open my $handle, '>', $page or die "$page: $!";
	print $handle $text;
	close $handle;
	my ($status, $printed) = run_examples($page);

	is($status, $pages{$text}, ($pages{$text} ? 'refused: ' : 'accepted: ') . ($text =~ s/\n/ /gr));
}

done_testing();
