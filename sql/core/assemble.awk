# Concatenate the SQL fragments of the extension.
#
#   awk -v extension=NAME -v major=N -v templates=DIR -f assemble.awk FRAGMENT...
#
# A line "-- @include FILE A=x B=y" is replaced by DIR/FILE.sql, in which @A@
# becomes x and @B@ becomes y: what all types have in common is written once.
# Lines from "-- @since N" to "-- @end" are for PostgreSQL N and newer, those from
# "-- @before N" to "-- @end" for older ones.

function include(line,    words, n, i, pair, value, file, text, found) {
	n = split(line, words, " ")
	file = templates "/" words[3] ".sql"
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
	print "\\echo Use \"CREATE EXTENSION " extension "\" to load this file. \\quit"
}

/^-- @since / { skipping = major + 0 < $3 + 0; next }
/^-- @before / { skipping = major + 0 >= $3 + 0; next }
/^-- @end$/ { skipping = 0; next }
skipping { next }
/^-- @include / { include($0); next }
{ print }
