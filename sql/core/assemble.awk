# Concatenate the SQL fragments of the extension, or make an upgrade script.
#
#   awk -v use=STATEMENT -v major=N -v rooms=DIR -f assemble.awk FILE...
#
# A line "-- @include FILE A=x B=y" is replaced by DIR/core/FILE.sql, in which @A@
# becomes x and @B@ becomes y: what all types have in common is written once.
# A line "-- @fragment ROOM/NAME" is replaced by DIR/ROOM/NAME.sql, as if that stood
# there: how an upgrade script makes a feature that is new.
# Lines from "-- @since N" to "-- @end" are for PostgreSQL N and newer, those from
# "-- @before N" to "-- @end" for older ones.
# The statement is what loads the script.

function include(line,    words, n, i, pair, value, file, text, found) {
	n = split(line, words, " ")
	file = rooms "/core/" words[3] ".sql"
	found = 0
	while ((getline text < file) > 0) {
		found = 1
		for (i = 4; i <= n; i++) {
			split(words[i], pair, "=")
			# the value is what follows the first "=", for it may hold others
			value = substr(words[i], length(pair[1]) + 2)
			text = substitute(text, "@" pair[1] "@", value)
		}
		sub(/ ;$/, ";", text)
		print text
	}
	if (!found) {
		print "assemble.awk: cannot read " file > "/dev/stderr"
		exit 1
	}
	close(file)
}

# Not gsub: in its replacement "&" has a meaning of its own.
function substitute(text, name, value,    at, done) {
	done = ""
	while ((at = index(text, name)) > 0) {
		done = done substr(text, 1, at - 1) value
		text = substr(text, at + length(name))
	}
	return done text
}

BEGIN {
	print "\\echo Use \"" use "\" to load this file. \\quit"
}

# Fragments have no fragments in them.
function fragment(name,    file, line, found) {
	file = rooms "/" name ".sql"
	found = 0
	while ((getline line < file) > 0) {
		found = 1
		process(line)
	}
	if (!found) {
		print "assemble.awk: cannot read " file > "/dev/stderr"
		exit 1
	}
	close(file)
}

function process(line,    words) {
	split(line, words, " ")
	if (line ~ /^-- @since /) skipping = major + 0 < words[3] + 0
	else if (line ~ /^-- @before /) skipping = major + 0 >= words[3] + 0
	else if (line ~ /^-- @end$/) skipping = 0
	else if (skipping) return
	else if (line ~ /^-- @include /) include(line)
	else if (line ~ /^-- @fragment /) fragment(words[3])
	else print line
}

{ process($0) }
