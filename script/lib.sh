# Shared by the scripts of this directory:  . "$(dirname "$0")/lib.sh"
#
# Everything happens in a work directory under ${TMPDIR:-/tmp}: a private copy of
# PostgreSQL (its programs find their files relative to themselves, so the copy is a
# complete, separate installation), a copy of the sources, the servers. What the system
# has installed is read, never changed; only need_packages adds Debian packages.
#
# A script usually does:
#     open_workdir; choose_postgres; private_postgres; copy_source
#     build_extension; start_server; psql -c 'create extension distributed'
# The work directory is removed, and its servers are stopped, when the script ends.
# shellcheck shell=bash
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)    # top of the checkout
keep=${keep:-no}                                               # yes: leave $work behind
work=''                                                        # set by open_workdir
no_cluster='' no_cluster_directory=''                          # see _forbid_cluster
# The commit that is version 1.0, from which an upgrade starts.
readonly version_1_0=e69b586c2d88ea1115971019b17e8b350fdf08e8

# Nothing of the caller's PostgreSQL, make, perl or language settings may leak in.
for _name in ${!PG@} MAKEFLAGS MFLAGS MAKELEVEL COPT PROFILE PROVE_TESTS PROVE_FLAGS \
	HARNESS_OPTIONS PERL5LIB PERL5OPT CDPATH LANGUAGE LC_CTYPE LC_MESSAGES LC_COLLATE; do
	[[ $_name == PG_MAJOR ]] || unset "$_name"
done
export LC_ALL=C PSQLRC=/dev/null
PATH=$PATH:/usr/sbin:/sbin
# Where the tests find the shared data: next to the checkout, where present.
if [[ -z ${DISTRIBUTED_SHARED_DATA:-} && -d $project/../shared/data ]]; then
	DISTRIBUTED_SHARED_DATA=$(cd "$project/../shared/data" && pwd -P)
fi
export DISTRIBUTED_SHARED_DATA=${DISTRIBUTED_SHARED_DATA:-} DISTRIBUTED_1_0=

# say TEXT...: announce a step.
say() { printf '==> %s\n' "$*"; }

# die TEXT...: say what is wrong and what to do, and end the script.
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# help FILE: print the comment at the head of a script as its help text.
help() { sed -n '2,/^[^#]/ { s/^# \{0,1\}//; t p; d; :p; p }' "$1"; }

is_root() { (( EUID == 0 )); }

can_install() { is_root || [[ -n $(command -v sudo) ]]; }

# as_root CMD...: run as root, through sudo if need be.
as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

# as_user CMD...: run unprivileged (PostgreSQL refuses root): as `nobody` if we are root.
as_user() {
	if is_root; then
		set -- setpriv --reuid="$(id -u nobody)" --regid="$(id -g nobody)" --clear-groups -- "$@"
	fi
	"$@" 8>&- 9>&-                                  # servers must not hold our output open
}

# quietly LOG CMD...: run with the output going to $work/LOG; on failure show its end.
quietly() {
	local log=$work/$1 status=0
	shift
	"$@" >>"$log" 2>&1 </dev/null || status=$?
	(( status == 0 )) || { printf '%s\n' "failed: $*" "the end of its output:" >&2
		tail -n 40 "$log" >&2; }
	return "$status"
}

# open_workdir: create $work, owned by the unprivileged user, and make it HOME and TMPDIR.
open_workdir() {
	local base=${TMPDIR:-/tmp}
	[[ -z $work ]] || return 0
	# socket paths end at 107 bytes, and make splits paths at blanks
	if [[ ! $base =~ ^/[A-Za-z0-9_./@%+-]{0,49}$ ]]; then
		say "using /tmp: TMPDIR must be an absolute path, short and plain"
		base=/tmp
	fi
	exec 8>&1 9>&2                                  # for close_workdir; ends here if closed
	work=$(mktemp -d "$base/distributed.XXXXXX") || die "cannot write to $base: set TMPDIR"
	trap close_workdir EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$work/home" "$work/tmp"
	printf '[safe]\n\tdirectory = *\n' >"$work/home/.gitconfig"
	! is_root || chown -R "$(id -u nobody):$(id -g nobody)" "$work"
	as_user test -w "$work" ||
		die "user nobody cannot enter $base: set TMPDIR to a directory open to every user"
	export HOME=$work/home TMPDIR=$work/tmp
	cd "$work"
}

# close_workdir: stop every server under $work, remove it. Runs by itself at exit, and
# then calls at_exit STATUS, where a script has defined that.
close_workdir() {
	local status=$? file pid
	trap '' HUP INT TERM
	exec >&8 2>&9                                   # a signal may come while we are quiet
	_allow_cluster
	cd /
	while read -r file; do
		pid=$(head -n 1 "$file" 2>/dev/null) || continue
		[[ $(readlink "/proc/$pid/cwd") == "${file%/*}" ]] || continue
		kill -QUIT "$pid" 2>/dev/null || continue
		for _ in {1..50}; do [[ -d /proc/$pid ]] || break; sleep 0.1; done
	done < <(find "$work" -name postmaster.pid 2>/dev/null)
	if [[ $keep == yes ]]; then
		say "kept $work"
	else
		rm -rf "$work"
	fi
	[[ $(type -t at_exit) != function ]] || at_exit "$status"
	exit "$status"
}

# installed PACKAGE: is this Debian package installed?
installed() {
	[[ $(dpkg-query -W -f ' ${db:Status-Status}' "$1" 2>/dev/null) == *" installed"* ]]
}

# In a session of its own: Ctrl-C must not stop dpkg half way.
_apt() {
	as_root setsid -w env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
		apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# _known PACKAGE...: can apt install them, as far as its lists tell?
_known() {
	local package
	for package; do
		[[ $(apt-cache policy "${package%%=*}" 2>/dev/null) == *"Candidate: "[!\(]* ]] || return 1
	done
}

# _refresh: bring apt's lists up to date, once, if we may.
_refresh() {
	[[ -z ${_refreshed:-} ]] && can_install || return 0
	say "updating apt's package lists"
	quietly apt.log _apt -o APT::Update::Error-Mode=any update ||
		echo "some package lists could not be updated: check network and package sources" >&2
	_refreshed=yes
}

_install() {
	local command=(_apt install --no-install-recommends --no-upgrade "$@")
	_known "$@" || _refresh
	_known "$@" || die "this machine's package sources do not offer all of: $*"
	"${command[@]}" >>"$work/apt.log" 2>&1 </dev/null && return 0
	_refresh                                        # the lists may have been outdated
	quietly apt.log "${command[@]}" || die "apt could not install $*"
}

# _forbid_cluster, _allow_cluster: shall a new PostgreSQL get its usual `main` cluster?
_forbid_cluster() {
	local directory=/etc/postgresql-common/createcluster.d
	no_cluster=$directory/distributed-no-cluster.conf
	if [[ ! -d $directory ]]; then
		no_cluster_directory=$directory
		as_root mkdir "$directory"
	fi
	as_root sh -c "echo 'create_main_cluster = false' >$no_cluster"
}
_allow_cluster() {
	[[ -z $no_cluster ]] || as_root rm -f "$no_cluster"
	[[ -z $no_cluster_directory ]] || as_root rmdir --ignore-fail-on-non-empty "$no_cluster_directory"
	no_cluster='' no_cluster_directory=''
}

# _beside PACKAGE SIBLING: name PACKAGE in the version of SIBLING, if that is installed: a newer
# one would pull along the server, and so restart its clusters.
_beside() {
	local version
	if ! installed "$2"; then echo "$1"; return; fi
	version=$(dpkg-query -W -f '${Version}\n' "$2" | head -n 1)
	_known "$1" || _refresh >&2
	if [[ -n $(apt-cache show "$1=$version" 2>/dev/null) ]]; then
		echo "$1=$version"
	elif [[ $(pg_lsclusters --no-header 2>/dev/null) == *" online"* ]]; then
		die "$1 is not to be had in the version of your $2, $version. Upgrade that first, which" \
			"restarts running clusters: apt-get install $2"
	else
		echo "$1"
	fi
}

# need_packages PACKAGE...: install those Debian packages that are missing. Running
# services are left alone, and a new PostgreSQL does not get its usual `main` cluster.
need_packages() {
	local package missing=()
	if [[ -z $(command -v dpkg-query) ]]; then
		die "this is no Debian system; have the counterparts of these installed: $*"
	fi
	for package; do
		installed "$package" && continue
		case $package in
			postgresql-server-dev-*) package=$(_beside "$package" "${package/server-dev-/}") ;;
			libpq-dev) package=$(_beside libpq-dev libpq5) ;;
		esac || exit
		missing+=("$package")
	done
	(( ${#missing[@]} )) || return 0
	can_install || die "neither root nor sudo: have root run: apt-get install ${missing[*]}"
	say "installing ${missing[*]}"
	if [[ " ${missing[*]}" =~ " postgresql-"[0-9] ]]; then
		installed postgresql-common || _install postgresql-common
		_forbid_cluster
	fi
	_install "${missing[@]}"
	_allow_cluster
}

# choose_postgres [PACKAGE...]: set PG_MAJOR (default: the version this Debian carries) and
# install it, what it takes to build and test an extension for it, and the packages.
choose_postgres() {
	if [[ -z ${PG_MAJOR:-} ]]; then
		_known postgresql || _refresh
		_known postgresql || die "apt knows no PostgreSQL: check network and package sources, have root run: apt-get update"
		PG_MAJOR=$(apt-cache policy postgresql | sed -n 's/^ *Candidate: \([0-9]*\).*/\1/p')
	fi
	[[ $PG_MAJOR =~ ^[0-9]+$ ]] || die "PG_MAJOR must be a number such as 15, not '$PG_MAJOR'"
	export PG_MAJOR
	need_packages "postgresql-$PG_MAJOR" "postgresql-server-dev-$PG_MAJOR" libpq-dev \
		gcc libc6-dev make perl libipc-run-perl "$@"
}

# private_postgres: copy PostgreSQL $PG_MAJOR to $work/pg; set PG_CONFIG, PGBIN and PATH.
private_postgres() {
	local usr=$work/pg/usr directory
	say "copying PostgreSQL $PG_MAJOR to $work/pg"
	as_user mkdir -p "$usr/lib/postgresql" "$usr/share/postgresql"
	as_user cp -a "/usr/lib/postgresql/$PG_MAJOR" "$usr/lib/postgresql/"
	as_user cp -a "/usr/share/postgresql/$PG_MAJOR" "$usr/share/postgresql/"
	for directory in /usr/include /usr/lib/*-linux-*; do
		as_user ln -s "$directory" "$work/pg$directory"
	done
	PGBIN=$usr/lib/postgresql/$PG_MAJOR/bin
	PG_CONFIG=$PGBIN/pg_config
	# Debian's pg_config of PostgreSQL 13 names the original directories: translate those.
	if [[ $("$PG_CONFIG" --sharedir) != "$work"/* ]]; then
		as_user mv "$PG_CONFIG" "$PG_CONFIG.real"
		as_user tee "$PG_CONFIG" >/dev/null <<-END
			#!/bin/sh
			case "\$1" in
				--*dir | --includedir-server | --pgxs) '$PG_CONFIG.real' "\$1" | sed 's|^/usr|$usr|' ;;
				*) exec '$PG_CONFIG.real' "\$@" ;;
			esac
		END
		as_user chmod 755 "$PG_CONFIG"
	fi
	export PGBIN PG_CONFIG PATH=$PGBIN:$PATH
}

# project_files: list the project's files, NUL-separated, without what git ignores.
# Works in a git checkout of any owner, and without git in an unpacked archive.
project_files() (
	cd "$project"
	if [[ ! -e .git || -z $(command -v git) ]] || ! git ls-files -coz --exclude-standard; then
		find . -name .git -prune -o ! -type d -print0
	fi | while IFS= read -r -d "" entry; do
		if [[ -e $entry || -L $entry ]]; then printf "%s\0" "$entry"; fi
	done
)

# copy_source: copy the sources to $work/src and the shared data to $work/data, set
# $source; from here on the checkout itself is neither read nor written. Where the
# checkout has its history, DISTRIBUTED_1_0 is an archive of version 1.0, for
# t/lib/OldServer.pm.
copy_source() {
	source=$work/src
	say "copying the sources to $source"
	as_user mkdir "$source"
	project_files | tar -C "$project" --null --no-recursion -T - -cf - |
		as_user tar -C "$source" -xf -
	quietly make.log as_user make -s -C "$source" clean ||
		die "make clean failed in a copy of $project"
	if [[ -n $DISTRIBUTED_SHARED_DATA ]]; then
		as_user mkdir "$work/data"
		tar -C "$DISTRIBUTED_SHARED_DATA" --mode=u+w -cf - . | as_user tar -C "$work/data" -xf -
		DISTRIBUTED_SHARED_DATA=$work/data
	fi
	if git -C "$project" archive "$version_1_0" >"$work/1.0.tar" 2>/dev/null; then
		DISTRIBUTED_1_0=$work/1.0.tar
	fi
}

# build_extension [MAKE_ARGUMENT...]: build $source, install it into the private copy.
build_extension() {
	say "building"
	quietly make.log as_user make -s -C "$source" -j"$(nproc)" "$@" || die "the build failed"
	quietly make.log as_user make -s -C "$source" install "$@" || die "make install failed"
}

# start_server [NAME [SETTING...]]: start the server NAME (default: main), created at first
# use, with its data in $work/NAME, its log in $work/NAME.log, and lines such as
# "wal_level = logical" added to its configuration. It has a port of its own on the unix
# sockets in $work, and no TCP. psql and its kin then talk to it (see use_server).
declare -A _ports=()
start_server() {
	local name=${1:-main} data
	data=$work/$name
	say "starting server $name"
	if [[ ! -d $data ]]; then
		_ports[$name]=$((5432 + ${#_ports[@]}))
		quietly initdb.log as_user "$PGBIN/initdb" -D "$data" -U postgres -A trust -E UTF8 \
			--no-locale --no-sync || die "initdb failed"
		as_user tee -a "$data/postgresql.conf" >/dev/null <<-END
			listen_addresses = ''
			unix_socket_directories = '$work'
			port = ${_ports[$name]}
			cluster_name = '$name'
			fsync = off
			full_page_writes = off
			synchronous_commit = off
			wal_level = logical
			log_line_prefix = '%m [%p] %q%a '
		END
	fi
	(( $# < 2 )) || printf '%s\n' "${@:2}" | as_user tee -a "$data/postgresql.conf" >/dev/null
	quietly pg_ctl.log as_user "$PGBIN/pg_ctl" start -w -t 120 -D "$data" -l "$data.log" ||
		{ tail -n 20 "$data.log" >&2; die "server $name did not start"; }
	use_server "$name"
}

# use_server NAME: point PGHOST, PGPORT, PGUSER and PGDATABASE at a started server.
use_server() {
	export PGHOST=$work PGPORT=${_ports[$1]} PGUSER=postgres PGDATABASE=postgres
}

# stop_server [NAME [MODE]]: stop a server; MODE is fast (default) or immediate (a crash).
# start_server NAME starts it again.
stop_server() {
	quietly pg_ctl.log as_user "$PGBIN/pg_ctl" stop -w -D "$work/${1:-main}" -m "${2:-fast}" ||
		die "server ${1:-main} did not stop"
}

# start_mesh NAME...: start servers that can subscribe to one another, with the extension, and set
# the array mesh to how each is reached, as a connection string.
start_mesh() {
	local name
	mesh=()
	for name; do
		# a link that failed, or was cut, is back at once
		start_server "$name" 'wal_retrieve_retry_interval = 200ms' \
			"max_worker_processes = $((16 + 4 * $#))" "max_logical_replication_workers = $((8 + 2 * $#))"
		psql -Xqc 'create extension distributed'
		mesh+=("host=$work port=$PGPORT user=postgres dbname=postgres")
	done
}

# leave_servers NAME/DATABASE...: leave them running, and tell how to reach and how to stop them.
leave_servers() {
	local database
	trap - EXIT
	say "the servers keep running; talk to them:"
	for database; do
		echo "    $PGBIN/psql -h $work -p ${_ports[${database%%/*}]} -U postgres ${database#*/}    # ${database%%/*}"
	done
	say "stop and remove them:"
	echo "    kill \$(sed -sn 1p $work/*/postmaster.pid); sleep 1; rm -rf $work"
}
