/*
 * tracestate.c
 *		The header field "tracestate".
 *
 * W3C Trace Context, Level 2, section 3.3: a list of key=value, one for each
 * tracing system that took part, the latest first:
 *
 *		rojo=00f067aa0ba902b7,congo=t61rcWkgMzE
 *
 * Blanks around a member are no part of it, and members may be empty; the
 * canonical form has neither.  The order is kept, for it tells.
 */
#include "core/compat.h"

#include "core/json_tree.h"
#include "trace/header_field.h"
#include "trace/tracestate.h"

typedef struct TracestateKey
{
	const char *text;
	Size length;
} TracestateKey;

static bool
is_key_character(char c, Size place)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return true;
	return place > 0 && (c == '_' || c == '-' || c == '*' || c == '/' || c == '@');
}

static bool
is_value_character(char c, Size place)
{
	return c >= ' ' && c <= '~' && c != ',' && c != '=';
}

/* The key or the value of the member of that number. */
static bool
check_part(const char *text, Size length, const char *part, int number,
		   bool (*is_allowed)(char c, Size place), const InputSource *source)
{
	if (length == 0)
		return input_malformed(source, "The %s of member %d of the tracestate is empty.", part,
							   number);
	for (Size i = 0; i < length; i++)
	{
		if (is_allowed(text[i], i))
			continue;
		if (text[i] > ' ' && text[i] <= '~')
			return input_malformed(
				source,
				"Character %zu, \"%c\", of the %s of member %d of the tracestate is not allowed.",
				i + 1, text[i], part, number);
		return input_malformed(
			source, "Character %zu of the %s of member %d of the tracestate is not allowed.", i + 1,
			part, number);
	}
	if (length > TRACESTATE_PART_MOST)
		return input_malformed(
			source, "The %s of member %d of the tracestate has %zu characters, more than %d.", part,
			number, length, TRACESTATE_PART_MOST);
	return true;
}

/* Append the canonical form, which is empty if no member has anything. */
bool
tracestate_read(const char *text, Size length, const InputSource *source, StringInfo canonical)
{
	TracestateKey keys[TRACESTATE_MEMBERS_MOST];
	const char *end = text + length;
	int nkeys = 0;

	for (int number = 1;; number++)
	{
		const char *comma = memchr(text, ',', end - text);
		const char *member = text;
		Size size = (comma ? comma : end) - text;

		if (number > TRACESTATE_MEMBERS_MOST)
			return input_malformed(source, "The tracestate has more than %d members.",
								   TRACESTATE_MEMBERS_MOST);
		header_trim(&member, &size);
		if (size > 0)
		{
			const char *equals = memchr(member, '=', size);
			Size key_length;

			if (equals == NULL)
				return input_malformed(source, "Member %d of the tracestate has no \"=\".", number);
			key_length = equals - member;
			if (!check_part(member, key_length, "key", number, is_key_character, source) ||
				!check_part(equals + 1, size - key_length - 1, "value", number, is_value_character,
							source))
				return false;
			for (int i = 0; i < nkeys; i++)
			{
				if (keys[i].length == key_length && memcmp(keys[i].text, member, key_length) == 0)
					return input_malformed(source,
										   "Key %s of the tracestate occurs more than once.",
										   json_tree_quote(member, (int) key_length));
			}
			keys[nkeys].text = member;
			keys[nkeys++].length = key_length;
			if (nkeys > 1)
				appendStringInfoChar(canonical, ',');
			appendBinaryStringInfo(canonical, member, (int) size);
		}
		if (comma == NULL)
			return true;
		text = comma + 1;
	}
}
