# The options of a chaos run, and what they may be; needs no more than Perl itself.
package Chaos::Options;

use strict;
use warnings FATAL => 'all';

use Getopt::Long ();

our @kinds = qw(crash walsender apply terminate cut split isolate stall disable hold poison purge freeze clock schema);
our %defaults = (
	nodes => 3, seconds => 60, seed => 1, topology => 'mesh', operations => 0, clients => 3, rate => 500, pause => 1.5,
	faults => join(',', @kinds), join => 1, sabotage => '', patience => 240, verbose => 0, quiet => 0);

# parse(ARGUMENT...): the options, as a hash; ends the program with code 2 if they are none.
sub parse
{
	my (@arguments) = @_;
	my %options;

	if (!Getopt::Long::GetOptionsFromArray(\@arguments, \%options, qw(nodes=i seconds=f seed=i topology=s operations=i clients=i rate=f pause=f
		faults=s sabotage=s patience=f directory=s bindir=s join! verbose)) || @arguments || !eval { check(%options) })
	{
		my $error = $@ || (@arguments ? "what is @arguments?\n" : '');
		print STDERR $error, "try --help\n";
		exit 2;
	}
	return %options;
}

# check(OPTION => VALUE...): all options, with faults as a list; dies of one that makes no sense.
sub check
{
	my %options = (%defaults, @_);

	$options{faults} = [ grep { $_ ne '' && $_ ne 'none' } split /,/, $options{faults} ];
	for my $kind (@{ $options{faults} })
	{
		die "there is no fault $kind, only @kinds\n" if !grep { $_ eq $kind } @kinds;
	}
	die "a topology is mesh, ring or star\n" if $options{topology} !~ /^(mesh|ring|star)$/;
	die "sabotage is trigger or ledger\n" if $options{sabotage} !~ /^(trigger|ledger|)$/;
	die "from 2 to 8 servers, please\n" if $options{nodes} < 2 || $options{nodes} > 8;
	for my $name (qw(seconds clients rate pause patience))
	{
		die "$name must be more than 0\n" if $options{$name} <= 0;
	}
	die "operations and the seed must not be negative\n" if $options{operations} < 0 || $options{seed} < 0;
	return %options;
}

1;
