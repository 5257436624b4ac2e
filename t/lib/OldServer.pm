# A server in an installation of its own, which has version 1.0 of the extension, built as it stood, until
# it gets this version.
#
#     plan skip_all => OldServer::lacks() if OldServer::lacks();
#     my $server = OldServer->new('a', 'wal_level = logical');
#     $server->psql('postgres', 'postgres', 'CREATE EXTENSION distributed');
#     $server->install_this; $server->restart;
#     $server->psql('postgres', 'postgres', 'ALTER EXTENSION distributed UPDATE');
package OldServer;

use strict;
use warnings FATAL => 'all';

use FindBin;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $archive = $ENV{DISTRIBUTED_1_0};
my $bin = `$ENV{PG_CONFIG} --bindir` if $ENV{PG_CONFIG};
my ($installation, $place) = ($bin // '') =~ m{^(/.+?)(/usr/lib/postgresql/\d+/bin)$};
my @servers;

# lacks(): why there can be no such server, or ''.
sub lacks
{
	return 'no archive of version 1.0: the checkout has no history' unless $archive && -e $archive;
	return 'no private copy of PostgreSQL, as script/test makes' unless $installation;
	return '';
}

# new(NAME, [SETTING...]): it is started, with the role postgres, and trusts everybody on its socket.
sub new
{
	my ($class, $name, @settings) = @_;
	my $top = PostgreSQL::Test::Utils::tempdir($name);
	my $self = bless { name => $name, top => $top, pg => "$top/pg$place", data => "$top/data", log => "$top/log", sockets => PostgreSQL::Test::Utils::tempdir_short() }, $class;

	$self->_install_old;
	$self->must("'$self->{pg}/initdb' -D '$self->{data}' -U postgres -A trust -E UTF8 --no-locale --no-sync");
	append_to_file("$self->{data}/postgresql.conf", join "\n", "listen_addresses = ''", "unix_socket_directories = '$self->{sockets}'", 'fsync = off', 'wal_level = logical', @settings, '');
	push @servers, $self;
	$self->start;
	return $self;
}

END { my $status = $?; system("'$_->{pg}/pg_ctl' -D '$_->{data}' -m immediate stop >/dev/null 2>&1") for grep { -e "$_->{data}/postmaster.pid" } @servers; $? = $status }

# What the first server has installed, the others copy.
sub _install_old
{
	my ($self) = @_;
	my $from = @servers ? "$servers[0]{top}/pg" : $installation;

	$self->must("cp -a '$from' '$self->{top}/pg'");
	# the pg_config of some installations is a script that names its place
	$self->must("! grep -Iq . '$self->{pg}/pg_config' || sed -i 's|$from|$self->{top}/pg|g' '$self->{pg}/pg_config'");
	return if @servers;
	$self->must("rm -f '$self->{top}/pg'/usr/share/postgresql/*/extension/distributed*");
	$self->must("mkdir '$self->{top}/1.0' && tar -C '$self->{top}/1.0' -xf '$archive'");
	$self->_make("$self->{top}/1.0");
	return;
}

sub _make { my ($self, $source) = @_; $self->must("make -s -j2 -C '$source' PG_CONFIG='$self->{pg}/pg_config' with_llvm=no install"); return }

# install_this(): the extension of this checkout, in the place of the old one.
sub install_this { my ($self) = @_; $self->_make("$FindBin::Bin/.."); return }

# must(COMMAND): run it, or give up with the end of what it said.
sub must
{
	my ($self, $command) = @_;

	system("($command) >>'$self->{log}' 2>&1 </dev/null") == 0
	  or BAIL_OUT("failed: $command\n" . join '', grep { defined } (split /^/, slurp_file($self->{log}))[-20 .. -1]);
	return;
}

sub start { my ($self) = @_; $self->must("'$self->{pg}/pg_ctl' -w -D '$self->{data}' -l '$self->{top}/server.log' start"); return }
sub stop { my ($self) = @_; $self->must("'$self->{pg}/pg_ctl' -w -D '$self->{data}' -m fast stop"); return }
sub restart { my ($self) = @_; $self->stop; $self->start; return }
sub server_log { my ($self) = @_; return slurp_file("$self->{top}/server.log") }

# connstr(DATABASE): how others reach it.
sub connstr { my ($self, $database) = @_; return "host=$self->{sockets} user=postgres dbname=$database" }

# run(PROGRAM, ARGUMENT...): whether one of its programs succeeds, what it prints, and what it says on standard error.
sub run
{
	my ($self, $program, @arguments) = @_;
	my ($out, $err) = ('', '');
	my $done = IPC::Run::run([ "$self->{pg}/$program", '-h', $self->{sockets}, @arguments ], '<', \undef, '>', \$out, '2>', \$err);

	return (!!$done, $out, $err);
}

# try(DATABASE, ROLE, SQL): the same of statements.
sub try
{
	my ($self, $database, $role, $sql) = @_;
	my ($out, $err) = ('', '');
	my $done = IPC::Run::run([ "$self->{pg}/psql", '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $self->{sockets}, '-U', $role, $database ], '<', \$sql, '>', \$out, '2>', \$err);

	chomp $out;
	return (!!$done, $out, $err);
}

# psql(DATABASE, ROLE, SQL): what it prints; an error ends the test.
sub psql
{
	my ($self, @question) = @_;
	my ($done, $out, $err) = $self->try(@question);

	$done or BAIL_OUT("$question[2]\n$err");
	return $out;
}

1;
