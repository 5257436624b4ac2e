/*
 * shiviz_regex.c
 *		Regular expressions as ShiViz takes them.
 *
 * ShiViz runs in a browser, so its expressions are JavaScript's, with the flag
 * that lets ^ and $ match at every line.  Here PostgreSQL's own engine matches
 * them, after a translation:
 *
 *		(?<name>..), (?P<name>..)	a plain group, whose number is noted
 *		.							[^\n\r]: in JavaScript it stops at line ends
 *		[\s\S] and its like			a dot, which matches any character
 *		\b, \B						\y, \Y
 *		\xhh						\u00hh, since \x takes all digits that follow
 *
 * All else means the same in both, or is an error here.  What no translation
 * can bring over is the preference among matches.  JavaScript decides it
 * quantifier by quantifier; here the first quantifier decides whether the
 * expression as a whole takes as much as possible or as little, and the others
 * divide that among themselves.
 *
 * Source: I. Beschastnikh, P. Wang, Y. Brun, M. Ernst, "Debugging distributed
 * systems", 2016, and the ShiViz program.
 */
#include "core/compat.h"

#include "catalog/pg_collation.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "time/shiviz_regex.h"
#include "utils/builtins.h"

struct ShivizRegex
{
	regex_t *compiled; /* in the server's cache of expressions */
	int groups[SHIVIZ_NGROUPS];
	int nmatches; /* as many as the last of the groups needs */
	regmatch_t *matches;
};

static const char *const group_names[SHIVIZ_NGROUPS] =
	{[SHIVIZ_HOST] = "host", [SHIVIZ_CLOCK] = "clock", [SHIVIZ_EVENT] = "event"};

/* The translation of one expression. */
typedef struct RegexTranslator
{
	const char *at;
	const char *end;
	StringInfoData out;
	int ngroups; /* groups so far that the engine numbers */
	int depth;   /* of parentheses */
	int look;    /* depth of the lookaround that we are in, or 0: groups in it have no number */
	int groups[SHIVIZ_NGROUPS];
} RegexTranslator;

static bool
translator_sees(const RegexTranslator *translator, const char *prefix)
{
	Size length = strlen(prefix);

	return (Size) (translator->end - translator->at) >= length &&
		memcmp(translator->at, prefix, length) == 0;
}

static void
translator_copy(RegexTranslator *translator, int length)
{
	appendBinaryStringInfo(&translator->out, translator->at, length);
	translator->at += length;
}

static bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void
translate_named_group(RegexTranslator *translator, int prefix)
{
	const char *name = translator->at + prefix;
	const char *end = name;

	while (end < translator->end && is_name_character(*end))
		end++;
	if (end == name || end == translator->end || *end != '>')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
				 errmsg("invalid regular expression: a group's name is not valid"),
				 errdetail(
					 "A name consists of letters, digits and underscores, as in (?<host>..).")));
	for (int group = 0; group < SHIVIZ_NGROUPS; group++)
	{
		if ((Size) (end - name) != strlen(group_names[group]) ||
			memcmp(name, group_names[group], end - name) != 0)
			continue;
		if (translator->groups[group] != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
					 errmsg("invalid regular expression: more than one group (?<%s>..)",
							group_names[group])));
		if (translator->look == 0)
			translator->groups[group] = translator->ngroups + 1;
	}
	translator->at = end + 1;
	appendStringInfoChar(&translator->out, '(');
}

static void
translate_open(RegexTranslator *translator)
{
	bool numbered = true;

	translator->depth++;
	if (translator_sees(translator, "(?=") || translator_sees(translator, "(?!") ||
		translator_sees(translator, "(?<=") || translator_sees(translator, "(?<!"))
	{
		if (translator->look == 0)
			translator->look = translator->depth;
		numbered = false;
		translator_copy(translator, strchr("=!", translator->at[2]) ? 3 : 4);
	}
	else if (translator_sees(translator, "(?<"))
		translate_named_group(translator, 3);
	else if (translator_sees(translator, "(?P<"))
		translate_named_group(translator, 4);
	else if (translator_sees(translator, "(?"))
	{
		numbered = false;
		translator_copy(translator, 2);
	}
	else
		translator_copy(translator, 1);
	if (numbered && translator->look == 0)
		translator->ngroups++;
}

static void
translate_close(RegexTranslator *translator)
{
	if (translator->look == translator->depth)
		translator->look = 0;
	translator->depth--;
	translator_copy(translator, 1);
}

static void
translate_escape(RegexTranslator *translator)
{
	if (translator->end - translator->at < 2)
	{
		translator_copy(translator, 1);
		return;
	}
	switch (translator->at[1])
	{
		case 'b':
			appendStringInfoString(&translator->out, "\\y");
			translator->at += 2;
			break;
		case 'B':
			appendStringInfoString(&translator->out, "\\Y");
			translator->at += 2;
			break;
		case 'x':
			appendStringInfoString(&translator->out, "\\u00");
			translator->at += 2;
			break;
		default:
			translator_copy(translator, 2);
	}
}

static void
translate_brackets(RegexTranslator *translator)
{
	static const char *const anything[] = {"[\\s\\S]", "[\\S\\s]", "[\\d\\D]",
										   "[\\D\\d]", "[\\w\\W]", "[\\W\\w]"};

	for (Size i = 0; i < lengthof(anything); i++)
	{
		if (translator_sees(translator, anything[i]))
		{
			appendStringInfoChar(&translator->out, '.');
			translator->at += strlen(anything[i]);
			return;
		}
	}
	translator_copy(translator, translator_sees(translator, "[^") ? 2 : 1);
	if (translator_sees(translator, "]"))
		translator_copy(translator, 1);
	while (translator->at < translator->end && *translator->at != ']')
	{
		if (translator_sees(translator, "\\x"))
			translate_escape(translator);
		else if (translator_sees(translator, "[:"))
		{
			/* a named class, whose own bracket does not end the set */
			do
				translator_copy(translator, 1);
			while (translator->at < translator->end && !translator_sees(translator, ":]"));
			translator_copy(translator, Min(2, translator->end - translator->at));
		}
		else
			translator_copy(translator,
							Min(*translator->at == '\\' ? 2 : 1, translator->end - translator->at));
	}
	if (translator->at < translator->end)
		translator_copy(translator, 1);
}

/*
 * Translate and compile an expression.  The result stays valid until the
 * caller has other expressions compiled.
 */
ShivizRegex *
shiviz_regex_compile(const char *source, int length)
{
	RegexTranslator translator = {.at = source, .end = source + length};
	ShivizRegex *regex = palloc0(sizeof(ShivizRegex));

	initStringInfo(&translator.out);
	while (translator.at < translator.end)
	{
		switch (*translator.at)
		{
			case '(':
				translate_open(&translator);
				break;
			case ')':
				translate_close(&translator);
				break;
			case '\\':
				translate_escape(&translator);
				break;
			case '[':
				translate_brackets(&translator);
				break;
			case '.':
				appendStringInfoString(&translator.out, "[^\\n\\r]");
				translator.at++;
				break;
			default:
				translator_copy(&translator, 1);
		}
	}
	/* the engine knows better what may be wrong with it than we do */
	regex->compiled = RE_compile_and_cache(cstring_to_text_with_len(translator.out.data,
																	translator.out.len),
										   REG_ADVANCED | REG_NLANCH, C_COLLATION_OID);
	for (int group = 0; group < SHIVIZ_NGROUPS; group++)
	{
		if (translator.groups[group] == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the regular expression needs a group (?<%s>..)", group_names[group]),
					 errdetail("It is: %s", pnstrdup(source, length)),
					 errhint("The groups (?<host>..), (?<clock>..) and (?<event>..) tell where an "
							 "event's host, clock and text are.")));
		regex->groups[group] = translator.groups[group];
		regex->nmatches = Max(regex->nmatches, translator.groups[group] + 1);
	}
	regex->matches = palloc(sizeof(regmatch_t) * regex->nmatches);
	return regex;
}

/*
 * The first match at or after "start", as a whole and of each ShivizGroup.
 */
bool
shiviz_regex_match(ShivizRegex *regex, const pg_wchar *text, Size length, Size start,
				   ShivizSpan *whole, ShivizSpan *groups)
{
	int result = pg_regexec(regex->compiled, text, length, start, NULL, regex->nmatches,
							regex->matches, 0);

	if (result == REG_NOMATCH)
		return false;
	if (result != REG_OKAY)
	{
		char message[100];

		CHECK_FOR_INTERRUPTS();
		pg_regerror(result, regex->compiled, message, sizeof(message));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
				 errmsg("regular expression failed: %s", message)));
	}
	whole->from = regex->matches[0].rm_so;
	whole->to = regex->matches[0].rm_eo;
	for (int group = 0; group < SHIVIZ_NGROUPS; group++)
	{
		groups[group].from = regex->matches[regex->groups[group]].rm_so;
		groups[group].to = regex->matches[regex->groups[group]].rm_eo;
	}
	return true;
}
