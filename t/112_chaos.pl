# Servers under faults: half a minute of script/chaos, with a fixed seed, and what shows that it would
# notice.  See doc/reliability.md; longer runs, other topologies: script/chaos --help.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use Test::More;

eval { require DBD::Pg; 1 } or plan skip_all => 'needs the Perl module DBD::Pg';
require Chaos;

my $bindir = `pg_config --bindir`;
chomp $bindir;
$bindir = "$1/bin" if ($ENV{PG_CONFIG} // '') =~ m{^(.*)/bin/pg_config$};
my $directory = File::Temp->newdir('chaos.XXXX', TMPDIR => 1);
my $chaos = Chaos->new(
	directory => "$directory", bindir => $bindir, seed => 112, seconds => 11, rate => 600, pause => 0.7, patience => 90, quiet => 1);
END { my $status = $?; $chaos->stop if $chaos; $? = $status }

sub findings { my (@words) = @_; return join "\n", map { @{ $chaos->{findings}{$_} || [] } } @words }

$chaos->set_up;
$chaos->run;
$chaos->settle;
note $chaos->report;

ok($chaos->{converged}, sprintf 'all servers have the same, %.1f s after the last fault', $chaos->{converged_in});
is(findings('divergent'), '', '... as far as the extension itself can tell, too');
ok($chaos->{at_rest}, '... and then nothing is written, and nothing decoded');
is(findings('restless'), '', '... by anyone');
is(findings('lost'), '', 'nothing that was acknowledged is lost');
is(findings('resurrected'), '', '... nothing that was removed is back');
is(findings('surplus'), '', '... nothing is there that nobody has written');
is(findings('reused', 'foreseen', 'odd'), '', '... and no dot is used twice');
is(findings('unpurged'), '', 'what was removed can be purged in the end');
is(findings('unexpected'), '', 'clients and apply workers had no errors that the faults do not explain');
is(findings('broken', 'crashed'), '', '... and servers, clients and faults have worked as they should');
cmp_ok($chaos->{ledger}->total('acknowledged'), '>', 300, 'there was work');
cmp_ok($chaos->fault_total, '>=', 5, '... and there were faults');
is_deeply([ $chaos->members ], [ 'a', 'b', 'c', 'j' ], '... and a server has joined');
ok($chaos->passed, 'so the run has passed');

# Does it notice?
my $state = Chaos::State::contents($chaos->{cluster}, 'a');
my @found = $chaos->ledger('omit')->check($state);
is(join(' ', map { $_->[0] } @found), 'surplus', 'an increment that is not in the ledger is noticed');
my ($cart) = grep { %{ $state->{dots}{'carts.items'}{$_} } } sort keys %{ $state->{dots}{'carts.items'} };
delete $state->{dots}{'carts.items'}{$cart};
@found = $chaos->ledger->check($state);
is(join(' ', grep { $_ ne 'lost' } map { $_->[0] } @found), '', '... an element that is gone is');
like($found[0][1] // '', qr{\Qcarts.items of $cart:\E}, "... with what it was, in cart $cart");
my ($note) = sort keys %{ $state->{dots}{notes} };
delete $state->{dots}{notes}{$note};
isnt(scalar(grep { $_->[1] =~ /^notes of \Q$note\E:/ } $chaos->ledger->check($state)), 0, '... and a row');
my ($title) = sort keys %{ $state->{writes}{'notes.title'} };
$state->{writes}{'notes.title'}{$title} = 'nonsense';
is(scalar(grep { $_->[1] =~ /^notes.title of \Q$title\E is nonsense/ } $chaos->ledger->check($state)), 1, '... and a value that nobody has written');

$chaos->sabotage;
$chaos->{findings} = {};
$chaos->{patience} = 3;
$chaos->more(4);
$chaos->settle;
ok(!$chaos->passed, 'a server that ceases to merge is noticed');
isnt(findings('lost', 'divergent'), '', '... by what is lost, or differs');

# A server that is what it was some seconds ago, and goes on under its name, is told.
my $own = 'SELECT sum(own_dots) FROM merge_status()';
$chaos->restore;
$chaos->more(3);
$chaos->end_clients;
cmp_ok($chaos->{cluster}->insist(30, sub { $chaos->{cluster}->ask_one('a', $own) || die "no row has told it\n" }), '>', 0, 'a server that was restored from a copy hears of writes of its own that it has not made');
isnt(scalar(grep { /WARNING:  a row of table "\w+" brings writes of this node, "a", that this server has not made/ } $chaos->{cluster}->log_lines('a')), 0, '... and says so');

$chaos->stop;
undef $chaos;
done_testing();
