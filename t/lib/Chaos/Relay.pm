# Links that can be cut: a process that passes bytes on between unix sockets, and stops doing so
# when told.  Each link has a socket on which it listens, as a client of libpq expects to find one,
# and one to which it connects.
#
#     my $relay = Chaos::Relay->start("$dir/relay");
#     $relay->open_link('ab', "$dir/ab/.s.PGSQL.5432", "$dir/.s.PGSQL.5432");
#     $relay->mode('ab', 'refuse');          # from any process that has forked from this one
#
# The modes:
#     pass      what comes is passed on
#     refuse    connections are dropped, new ones too: a reset, or a firewall that answers
#     stall     nothing gets through, and nobody is told: a cable that is pulled.  Ends that give up
#               do so by their own timeouts, and connect anew into the same silence
#     deafen    nothing gets through from the publisher to the subscriber
#     mute      nothing gets through from the subscriber to the publisher
package Chaos::Relay;

use strict;
use warnings FATAL => 'all';

use Errno qw(EAGAIN EWOULDBLOCK EINTR);
use IO::Select;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);

use constant CHUNK => 1 << 16;
use constant FULL => 1 << 18;      # so much waits at most for an end that does not read

my %stops = (                      # which directions a mode stops: up is to the publisher
	pass => {}, refuse => {}, stall => { up => 1, down => 1 }, deafen => { down => 1 }, mute => { up => 1 });

# start(PATH): a relay without links, in a process of its own, with its control socket at PATH.
sub start
{
	my ($class, $path) = @_;
	my $control = _listen($path);
	my $parent = $$;
	my $pid = fork // die "fork: $!\n";

	if (!$pid)
	{
		$SIG{INT} = 'IGNORE';
		$SIG{PIPE} = 'IGNORE';
		$SIG{TERM} = 'DEFAULT';
		my $ok = eval { _serve($control, $parent); 1 };
		warn "the relay ends: $@" if !$ok;
		require POSIX;
		POSIX::_exit($ok ? 0 : 1);
	}
	return bless { path => $path, pid => $pid }, $class;
}

sub open_link { my ($self, @link) = @_; return $self->_tell('open', @link) }
sub mode { my ($self, $name, $mode) = @_; return $self->_tell('mode', $name, $mode) }

# carried(): bytes that every link has carried, by name.
sub carried { my ($self) = @_; return { split /[ =]/, $self->_tell('carried') } }

sub stop
{
	my ($self) = @_;

	return if !kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
	return;
}

sub _tell
{
	my ($self, @words) = @_;
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $self->{path}) or die "no relay at $self->{path}: $!\n";

	syswrite $socket, "@words\n";
	my $answer = <$socket> // '';
	chomp $answer;
	die "the relay does not know what to do with: @words\n" if $answer !~ s/^ok ?//;
	return $answer;
}

sub _listen
{
	my ($path) = @_;

	unlink $path;
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 64) or die "cannot listen at $path: $!\n";
	$socket->blocking(0);
	return $socket;
}

# An end of a connection: {socket, link, peer => the other end, way => where what it sends goes,
# buffer => what waits to be written to it, ended => the peer has said all}.
sub _serve
{
	my ($control, $parent) = @_;
	my (%link, %end);              # by name; by file number
	my ($reads, $writes) = (IO::Select->new($control), IO::Select->new);

	my $close = sub {
		my ($end) = @_;
		for my $one ($end, $end->{peer})
		{
			next if !delete $end{ fileno($one->{socket}) // -1 };
			$reads->remove($one->{socket});
			$writes->remove($one->{socket});
			close $one->{socket};
		}
	};
	my $watch = sub {              # what to wait for, of one connection
		my ($end) = @_;
		for my $one ($end, $end->{peer})
		{
			next if !$end{ fileno($one->{socket}) // -1 };
			my $stopped = $stops{ $one->{link}{mode} };
			my $reading = !$stopped->{ $one->{way} } && length($one->{peer}{buffer}) < FULL && !$one->{peer}{ended};
			my $writing = length($one->{buffer}) && !$stopped->{ $one->{peer}{way} };
			$reading ? $reads->add($one->{socket}) : $reads->remove($one->{socket});
			$writing ? $writes->add($one->{socket}) : $writes->remove($one->{socket});
			if ($one->{ended} && !length $one->{buffer}) { $close->($one); return }
		}
	};
	my $accept = sub {
		my ($link) = @_;
		my $client = $link->{socket}->accept or return;
		my $server = $link->{mode} ne 'refuse' && IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $link->{target});
		if (!$server) { close $client; return }
		$_->blocking(0) for $client, $server;
		my $up = { socket => $client, link => $link, way => 'up', buffer => '', ended => 0 };
		my $down = { socket => $server, link => $link, way => 'down', buffer => '', ended => 0, peer => $up };
		$up->{peer} = $down;
		$end{ fileno $_->{socket} } = $_ for $up, $down;
		$watch->($up);
	};
	my $obey = sub {
		my $client = $control->accept or return;
		$client->blocking(1);
		my ($verb, $name, @rest) = split ' ', <$client> // '';
		my $answer = 'ok';
		if (($verb // '') eq 'open')
		{
			$link{$name} = { name => $name, mode => 'pass', socket => _listen($rest[0]), target => $rest[1], carried => 0 };
			$reads->add($link{$name}{socket});
		}
		elsif (($verb // '') eq 'mode' && $link{$name} && $stops{ $rest[0] })
		{
			$link{$name}{mode} = $rest[0];
			my @ends = grep { $_->{link}{name} eq $name } values %end;
			for my $one (@ends)
			{
				next if !$end{ fileno($one->{socket}) // -1 };
				$rest[0] eq 'refuse' ? $close->($one) : $watch->($one);
			}
		}
		elsif (($verb // '') eq 'carried')
		{
			$answer .= join '', map { " $_=$link{$_}{carried}" } sort keys %link;
		}
		else
		{
			$answer = 'what?';
		}
		syswrite $client, "$answer\n";
		close $client;
	};

	while (getppid() == $parent)
	{
		my ($readable, $writable) = IO::Select->select($reads, $writes, undef, 1);

		for my $socket (@{ $writable || [] })
		{
			my $one = $end{ fileno($socket) // -1 } or next;
			my $count = syswrite $socket, $one->{buffer}, CHUNK;
			if (defined $count) { substr($one->{buffer}, 0, $count, '') }
			elsif (!$!{EAGAIN} && !$!{EWOULDBLOCK} && !$!{EINTR}) { $close->($one); next }
			$watch->($one);
		}
		for my $socket (@{ $readable || [] })
		{
			my $number = fileno($socket) // next;
			if ($socket == $control) { $obey->(); next }
			my ($link) = grep { $_->{socket} == $socket } values %link;
			if ($link) { $accept->($link); next }
			my $one = $end{$number} or next;
			next if !$reads->exists($socket);
			my $count = sysread $socket, $one->{peer}{buffer}, CHUNK, length $one->{peer}{buffer};
			if ($count) { $one->{link}{carried} += $count }
			elsif (defined $count) { $one->{peer}{ended} = 1 }
			elsif (!$!{EAGAIN} && !$!{EWOULDBLOCK} && !$!{EINTR}) { $close->($one); next }
			$watch->($one);
		}
	}
	return;
}

1;
