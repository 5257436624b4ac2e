/*
 * input.c
 *		How every type reports a value that it cannot accept.
 *
 * The same readers serve text, jsonb, binary images and function arguments;
 * what differs is only the SQLSTATE (22P02 for text, 22P03 for binary, 22003
 * for a number that does not fit) and whether the error may be soft.  An
 * InputSource carries that difference through them.
 */
#include "core/compat.h"

#include "core/input.h"
#include "mb/pg_wchar.h"
#include "utils/json.h"

InputSource
input_from_text(const char *type_name, const char *hint, struct Node *escontext)
{
	InputSource source = {type_name,
						  hint,
						  ERRCODE_INVALID_TEXT_REPRESENTATION,
						  gettext_noop("invalid input syntax for type %s"),
						  NULL,
						  NULL,
						  escontext};

	return source;
}

InputSource
input_from_binary(const char *type_name)
{
	InputSource source = {type_name,
						  NULL,
						  ERRCODE_INVALID_BINARY_REPRESENTATION,
						  gettext_noop("invalid binary representation of type %s"),
						  NULL,
						  NULL,
						  NULL};

	return source;
}

InputSource
input_from_arguments(const char *type_name)
{
	InputSource source = {type_name,
						  NULL,
						  ERRCODE_INVALID_TEXT_REPRESENTATION,
						  gettext_noop("invalid argument for type %s"),
						  NULL,
						  NULL,
						  NULL};

	return source;
}

/*
 * Raise or save one fault.  The detail names the offending part and its place,
 * the message the type, the hint the form that would have been accepted.
 */
static void
input_report(const InputSource *source, int sqlstate, const char *message, const char *detail)
{
	if (source->key || source->place)
	{
		StringInfoData buf;

		initStringInfo(&buf);
		if (source->place)
			appendStringInfoString(&buf, source->place);
		if (source->key)
		{
			appendStringInfoString(&buf, "Key ");
			escape_json(&buf, source->key);
			appendStringInfoString(&buf, ": ");
		}
		appendStringInfoString(&buf, detail);
		detail = buf.data;
	}
	errsave(source->escontext,
			(errcode(sqlstate), errmsg(message, source->type_name),
			 errdetail_internal("%s", detail), source->hint ? errhint("%s", source->hint) : 0));
}

static char *input_format_detail(const char *format, va_list args) pg_attribute_printf(1, 0);

static char *
input_format_detail(const char *format, va_list args)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (;;)
	{
		va_list attempt;
		int needed;

		va_copy(attempt, args);
		needed = appendStringInfoVA(&buf, format, attempt);
		va_end(attempt);
		if (needed == 0)
			return buf.data;
		enlargeStringInfo(&buf, needed);
	}
}

bool
input_malformed(const InputSource *source, const char *detail, ...)
{
	va_list args;

	va_start(args, detail);
	input_report(source, source->sqlstate, source->message, input_format_detail(detail, args));
	va_end(args);
	return false;
}

/* A part of an image that should come in order does not. */
bool
input_unordered(const InputSource *source, const char *subject)
{
	InputSource hinted = *source;

	hinted.hint = "The order of an image is that of its sender's encoding: between databases of "
				  "different encodings send text.";
	return input_malformed(&hinted, "%s is not in order, or occurs more than once.", subject);
}

bool
input_out_of_range(const InputSource *source, const char *detail, ...)
{
	va_list args;

	va_start(args, detail);
	input_report(source, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
				 gettext_noop("value out of range for type %s"), input_format_detail(detail, args));
	va_end(args);
	return false;
}

/* Save what the server says when it throws for this character. */
static void
input_save_unconvertible(const InputSource *source, const char *text, int length, int from, int to)
{
	int size = Min(Min(pg_encoding_mblen(from == PG_SQL_ASCII ? to : from, text), length), 8);
	StringInfoData bytes;

	initStringInfo(&bytes);
	for (int i = 0; i < size; i++)
		appendStringInfo(&bytes, "%s0x%02x", i > 0 ? " " : "", (uint8) text[i]);
	if (from == PG_SQL_ASCII)
		errsave(source->escontext,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("invalid byte sequence for encoding \"%s\": %s", pg_encoding_to_char(to),
						bytes.data)));
	else
		errsave(source->escontext,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("character with byte sequence %s in encoding \"%s\" has no equivalent in "
						"encoding \"%s\"",
						bytes.data, pg_encoding_to_char(from), pg_encoding_to_char(to))));
}

const char *
input_convert(const InputSource *source, const char *text, int length, int from, int to)
{
	if (source->escontext)
	{
		int done = compat_convertible(text, length, from, to);

		if (done < length)
		{
			input_save_unconvertible(source, text + done, length - done, from, to);
			return NULL;
		}
	}
	return from == GetDatabaseEncoding() ? pg_server_to_any(text, length, to)
										 : pg_any_to_server(text, length, from);
}

/*
 * Read the number "token" as a counter, 0 to 2^63-1: decimal digits and
 * nothing else, since a counter counts events.
 */
InputFault
input_counter(const char *token, uint64 *counter)
{
	uint64 value = 0;
	bool fits = true;
	const char *digit;

	if (token[0] == '-')
		return INPUT_NEGATIVE;
	for (digit = token; *digit; digit++)
	{
		if (*digit < '0' || *digit > '9')
			return INPUT_NOT_WHOLE;
		/* once it does not fit, the rest is only looked at for other characters */
		if (value > (PG_INT64_MAX - (uint64) (*digit - '0')) / 10)
			fits = false;
		else
			value = value * 10 + (*digit - '0');
	}
	if (digit == token)
		return INPUT_MISSING;
	*counter = value;
	return fits ? INPUT_FINE : INPUT_TOO_GREAT;
}

/*
 * Report what input_counter found.  "subject" begins the sentence, such as:
 * The counter of "a".
 */
bool
input_counter_fault(const InputSource *source, InputFault fault, const char *subject,
					const char *token)
{
	switch (fault)
	{
		case INPUT_FINE:
			break;
		case INPUT_MISSING:
			return input_malformed(source, "%s is missing.", subject);
		case INPUT_NOT_WHOLE:
			return input_malformed(source, "%s is not a whole number: %s.", subject, token);
		case INPUT_NEGATIVE:
			return input_out_of_range(source, "%s is negative: %s.", subject, token);
		case INPUT_TOO_GREAT:
			return input_out_of_range(source, "%s is greater than " INT64_FORMAT ": %s.", subject,
									  PG_INT64_MAX, token);
	}
	return true;
}

/* A counter or an amount given to a function of "type_name". */
uint64
input_counter_argument(int64 counter, const char *noun, const char *type_name)
{
	if (counter < 0)
	{
		InputSource source = input_from_arguments(type_name);

		input_out_of_range(&source, "The %s " INT64_FORMAT " is negative.", noun, counter);
	}
	return (uint64) counter;
}
