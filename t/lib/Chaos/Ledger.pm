# What clients did, as far as they know, and whether a server has it.
#
# A line for every transaction: its outcome, the SQLSTATE if it failed, when it began and when its
# outcome was known, and its operations with their effects, separated by tabs:
#     kind|effect|effect...
# Effects are what a replica is later asked for:
#     inc SET KEY N              this node has counted N, which may be negative
#     dot SET KEY DOTS CONTEXT   an addition, and what it left: DOTS are "node:number", the latest of
#                                this node is the new one; CONTEXT is all that was seen then
#     drop SET KEY CONTEXT       a removal, and all that it had seen
#     write SET KEY TOKEN        the last writer wins
# A SET is a column, or a table, whose rows' presence is then meant.
package Chaos::Ledger;

use strict;
use warnings FATAL => 'all';

# What is in rows that are removed begins anew with the row, if that has been purged.
my %reborn = map { $_ => 1 } qw(notes.views notes.tags visits.n);

# All servers have one clock, unless it is put forward and back; this is how much later it must be to count
# as later.
use constant SOON => 0.005;

sub append
{
	my ($class, $file, $node) = @_;

	open my $handle, '>>', $file or die "$file: $!\n";
	return bless { handle => $handle, node => $node }, $class;
}

sub note
{
	my ($self, $outcome, $error, $start, $end, @operations) = @_;

	print { $self->{handle} } join("\t", $outcome, $self->{node}, $error, sprintf('%.6f', $start), sprintf('%.6f', $end),
		map { join '|', @$_ } @operations), "\n" or die "the ledger: $!\n";
	return;
}

sub close
{
	my ($self) = @_;

	close $self->{handle} or die "the ledger: $!\n";
	return;
}

# load(OMIT, FILE...): what is in the files.  OMIT: leave out the first acknowledged increment, which
# the checks must then find.
sub load
{
	my ($class, $omit, @files) = @_;
	my $self = bless {
		count => {},               # kind -> outcome -> number
		errors => {},              # SQLSTATE -> number
		transactions => 0, several => 0, large => 0,
		incs => {},                # of sets that are reborn: set -> key -> [[node, number, start]], what is certain
		inc => {},                 # set -> key -> node -> [acknowledged +, -, indeterminate +, -]
		dots => {},                # set -> key -> [[node, number, start, end, sure]]
		seen => {},                # set -> key -> [[context, start, end, sure, own dot]]
		writes => {},              # set -> key -> token -> [start, end, sure, node]
		clocks => 0,               # have clocks been put forward or back?
	}, $class;

	for my $file (@files)
	{
		open my $handle, '<', $file or die "$file: $!\n";
		while (my $line = <$handle>)
		{
			chomp $line;
			my ($outcome, $node, $error, $start, $end, @operations) = split /\t/, $line;
			++$self->{transactions};
			++$self->{several} if @operations > 1;
			++$self->{errors}{$error} if $error ne '';
			for my $operation (@operations)
			{
				my ($kind, @effects) = split /\|/, $operation;
				++$self->{count}{$kind}{$outcome};
				next if $outcome eq 'aborted';
				if ($omit && $outcome eq 'acknowledged' && $kind eq 'increment') { $omit = 0; next }
				$self->_effect($_, $node, $start, $end, $outcome eq 'acknowledged' ? 1 : 0) for @effects;
			}
		}
	}
	return $self;
}

sub _effect
{
	my ($self, $effect, $node, $start, $end, $sure) = @_;
	my ($verb, $set, $key, @rest) = split / /, $effect;

	if ($verb eq 'inc')
	{
		my $sum = $self->{inc}{$set}{$key}{$node} ||= [ 0, 0, 0, 0 ];
		push @{ $self->{incs}{$set}{$key} }, [ $node, $rest[0], $start ] if $sure && $reborn{$set};
		$sum->[ ($sure ? 0 : 2) + ($rest[0] < 0 ? 1 : 0) ] += abs $rest[0];
	}
	elsif ($verb eq 'dot')
	{
		my ($dots, $context) = @rest;
		my ($own) = sort { $b <=> $a } map { /^\Q$node\E:(\d+)$/ ? $1 : () } split /,/, $dots;
		push @{ $self->{odd} }, "$effect, of $node, has no dot of its own" if !$own;
		push @{ $self->{dots}{$set}{$key} }, [ $node, $own, $start, $end, $sure ] if $own;
		push @{ $self->{seen}{$set}{$key} }, [ $context, $start, $end, $sure, "$node:" . ($own // 0) ];
	}
	elsif ($verb eq 'drop')
	{
		push @{ $self->{seen}{$set}{$key} }, [ $rest[0], $start, $end, $sure, '' ];
	}
	elsif ($verb eq 'write')
	{
		$self->{writes}{$set}{$key}{ $rest[0] } = [ $start, $end, $sure, $node ];
	}
	return;
}

# acknowledged(): the number of operations.
sub total { my ($self, $outcome) = @_; my $sum = 0; $sum += $_->{$outcome} // 0 for values %{ $self->{count} }; return $sum }

# check(STATE): what is wrong with what a server has, as [word, text] each; see Chaos::State::contents.
sub check
{
	my ($self, $state) = @_;
	my @found = map { [ 'odd', $_ ] } @{ $self->{odd} || [] };

	$self->_check_counters($state, \@found);
	$self->_check_dots($state, \@found);
	$self->_check_writes($state, \@found);
	return @found;
}

sub _check_counters
{
	my ($self, $state, $found) = @_;

	for my $set (sort keys %{ $self->{inc} })
	{
		my ($table) = $set =~ /^(\w+)/;
		for my $key (sort keys %{ $self->{inc}{$set} })
		{
			my $kept = !$reborn{$set};
			my $nodes = $self->{inc}{$set}{$key};
			for my $node (sort keys %$nodes)
			{
				my $has = $state->{inc}{$set}{$key}{$node} || [ 0, 0 ];
				if (!$kept && $state->{dots}{$table}{$key})
				{
					# what was counted when no removal was to come is there
					my ($removed, $sure) = ($self->_last_removal($table, $key), 0);
					$sure += $_->[1] for grep { $_->[0] eq $node && $_->[2] > $removed } @{ $self->{incs}{$set}{$key} };
					push @$found, [ 'lost', "$set of row $key: $node has counted $sure since its last removal, the value has $has->[0]" ] if $has->[0] < $sure;
				}
				for my $side (0, 1)
				{
					my ($sure, $maybe, $value) = ($nodes->{$node}[$side], $nodes->{$node}[ 2 + $side ], $has->[$side]);
					my $text = "$set of row $key: $node has counted " . ($maybe ? "$sure to " . ($sure + $maybe) : $sure) . ($side ? ' down' : '') . ", the value has $value";
					push @$found, [ 'lost', $text ] if $value < $sure && $kept;
					push @$found, [ 'surplus', $text ] if $value > $sure + $maybe;
				}
			}
		}
		for my $key (sort keys %{ $state->{inc}{$set} || {} })
		{
			for my $node (sort keys %{ $state->{inc}{$set}{$key} })
			{
				push @$found, [ 'surplus', "$set of row $key: $node has counted nothing, the value has @{ $state->{inc}{$set}{$key}{$node} }" ]
				  if !$self->{inc}{$set}{$key}{$node};
			}
		}
	}
	return;
}

# _last_removal(TABLE, KEY): when the last one ended, which may not have been acknowledged; 0 if there was none.
sub _last_removal
{
	my ($self, $table, $key) = @_;
	my $last = 0;

	for my $seen (grep { $_->[4] eq '' } @{ $self->{seen}{$table}{$key} || [] })
	{
		$last = $seen->[2] if $seen->[2] > $last;
	}
	return $last;
}

# An addition is there unless a removal, or a later addition in its place, had seen it: if one that is
# certain had, it is not there.  Had seen it means that it says so, and that it did not end before the addition began.
# In rows that are reborn dots are used again; there it is only asked for what was added after the last removal
# of the row.
sub _check_dots
{
	my ($self, $state, $found) = @_;

	for my $set (sort keys %{ $self->{dots} })
	{
		my %used;
		for my $key (sort keys %{ $self->{dots}{$set} })
		{
			my ($row) = $set =~ /\./ ? $key =~ m{^(.*)/} : ($key);
			my %has = %{ $state->{dots}{$set}{$key} || {} };
			my %known;
			my ($after, $table) = (0, $set =~ /^(\w+)/);
			if ($reborn{$set})
			{
				next if !$state->{dots}{$table}{$row};
				$after = $self->_last_removal($table, $row);
			}
			my @seen = map {
				my ($context, $start, $end, $sure, $own) = @$_;
				{ context => { $context eq '-' ? () : map { /^(.*):(\d+)$/ } split /,/, $context }, end => $end, sure => $sure, own => $own }
			} sort { $a->[2] <=> $b->[2] } @{ $self->{seen}{$set}{$key} };

			# the highest number of each node that anything says to have seen, until then
			my (%until, $at);
			$at = 0;
			for my $dot (sort { $a->[2] <=> $b->[2] } @{ $self->{dots}{$set}{$key} })
			{
				my ($node, $number, $start, $end, $sure) = @$dot;
				$known{"$node:$number"} = 1;
				next if $start <= $after;
				push @$found, [ 'reused', "$set of $row: $node:$number is the dot of two additions" ] if $sure && !$reborn{$set} && $used{$row}{"$node:$number"}++;
				for (; $at < @seen && $seen[$at]{end} < $start; ++$at)
				{
					next if !$seen[$at]{sure};
					my $context = $seen[$at]{context};
					for my $one (keys %$context)
					{
						$until{$one} = $context->{$one} if !defined $until{$one} || $until{$one} < $context->{$one};
					}
				}
				push @$found, [ 'foreseen', "$set of $key: $node:$number was seen before it was made" ] if $sure && !$reborn{$set} && ($until{$node} // 0) >= $number;

				my ($removed, $maybe) = (0, 0);
				for (my $i = $at; $i < @seen && !$removed; ++$i)
				{
					next if ($seen[$i]{context}{$node} // 0) < $number || $seen[$i]{own} eq "$node:$number";
					$seen[$i]{sure} ? $removed = 1 : $maybe = 1;
				}
				if ($has{"$node:$number"})
				{
					push @$found, [ 'resurrected', "$set of $key: $node:$number was removed, but is there" ] if $removed && $sure && !$reborn{$set};
				}
				elsif ($sure && !$removed && !$maybe)
				{
					push @$found, [ 'lost', "$set of $key: $node:$number is not there, and nobody has removed it" ];
				}
			}
			next if $reborn{$set};
			push @$found, map { [ 'surplus', "$set of $key: $_ is there, and nobody has added it" ] } grep { !$known{$_} } sort keys %has;
		}
	}
	return;
}

# The last writer wins: nothing may stand that was written before another write even began.  Where clocks
# went wrong, this holds for the writes of one server only.
sub _check_writes
{
	my ($self, $state, $found) = @_;

	for my $set (sort keys %{ $self->{writes} })
	{
		for my $key (sort keys %{ $self->{writes}{$set} })
		{
			next if !exists $state->{writes}{$set}{$key};
			my $writes = $self->{writes}{$set}{$key};
			my ($token) = ($state->{writes}{$set}{$key} // '') =~ /^(\S*)/;
			my $winner = $writes->{$token};
			my ($last) = sort { $writes->{$b}[0] <=> $writes->{$a}[0] }
			  grep { $writes->{$_}[2] && (!$self->{clocks} || !$winner || $writes->{$_}[3] eq $winner->[3]) } keys %$writes;

			if (!$winner)
			{
				push @$found, $token ne '' ? [ 'surplus', "$set of $key is $token, which nobody has written there" ]
				  : $last ? [ 'lost', "$set of $key is not set, though $last was written" ] : ();
			}
			elsif (defined $last && $writes->{$last}[0] > $winner->[1] + SOON)
			{
				push @$found, [ 'lost', "$set of $key is $token, but $last was written later, by " . sprintf('%.3f s', $writes->{$last}[0] - $winner->[1]) ];
			}
		}
	}
	return;
}

1;
