/*
 * otlp_value.c
 *		Parts of OTLP's attributes: numbers, bytes, the order of keys, faults.
 *
 * The order of the keys of a list, and of the lists in it, is kept beside it
 * where jsonb, which sorts keys, would lose it: outer lists first, and those in
 * one list in the sorted order of its keys.  For a list of one key, or none,
 * there is nothing; for others numbers of seven bits a byte, low ones first, all
 * bytes but the last with their highest bit:
 *
 *		2n			n keys that came in the sorted order
 *		2n + 1		n keys that did not, then, as they came, for each its place
 *					in the sorted order
 *
 * Source: opentelemetry-proto, common.proto; the OTLP specification, "JSON
 * Protobuf Encoding"; the JSON mapping of proto3.
 */
#include "core/compat.h"

#include <ctype.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "trace/otlp_value.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Bytes of a faulty value that an error shows. */
#define EXCERPT_MOST 60

/* What can be done about a fault, if there is nothing better to say. */
#define FAULT_HINT "Correct this or leave it out: a payload with a fault is refused as a whole."

/* Digits that a double keeps of any decimal number. */
#define DOUBLE_DIGITS 15

/*
 * Faults
 */

/* The beginning of a text, for an error's detail. */
const char *
otlp_excerpt(const char *text, int length)
{
	if (length <= EXCERPT_MOST)
		return pnstrdup(text, (Size) length);
	return psprintf("%.*s...", pg_mbcliplen(text, length, EXCERPT_MOST), text);
}

void
otlp_fault(const OtlpSource *source, int sqlstate, const char *hint, const char *detail, ...)
{
	StringInfoData text;

	initStringInfo(&text);
	source->locate(source, &text);
	if (source->key)
		appendStringInfo(&text,
						 "attribute \"%s\": ", otlp_excerpt(source->key, source->key_length));
	for (;;)
	{
		va_list arguments;
		int needed;

		va_start(arguments, detail);
		needed = appendStringInfoVA(&text, detail, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&text, needed);
	}
	ereport(ERROR,
			(errcode(sqlstate), errmsg("invalid OTLP/JSON"), errdetail_internal("%s", text.data),
			 errhint("%s", hint ? hint : FAULT_HINT)));
}

const char *
otlp_value_name(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "a string";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "a boolean";
		default:
			return jsonb_is_object(value) ? "an object" : "an array";
	}
}

void
otlp_source_init(OtlpSource *source, bool hygiene,
				 void (*locate)(const OtlpSource *source, StringInfo detail))
{
	source->hygiene = hygiene;
	source->locate = locate;
	source->key = NULL;
	source->key_length = 0;
	source->nkeys = 0;
	source->maxkeys = 256;
	source->keys = palloc(sizeof(OtlpKey) * source->maxkeys);
}

/*
 * Numbers
 */

typedef enum NumberFault
{
	NUMBER_FINE,
	NUMBER_MALFORMED,
	NUMBER_FRACTION,
	NUMBER_TOO_GREAT
} NumberFault;

/* A JSON number, such as 15, 1.50 or 1.5e1, that is whole. */
static NumberFault
otlp_read_whole(const char *text, int length, int64 *number)
{
	const char *end = text + length;
	bool negative = false;
	bool dot = false;
	int digits = 0;  /* read so far, without leading zeros */
	int zeros = 0;   /* that may be in front of more digits */
	int64 point = 0; /* digits behind the point */
	int64 exponent = 0;
	uint64 value = 0;
	const char *at = text;

	if (at < end && *at == '-')
	{
		negative = true;
		at++;
	}
	if (at == end || !isdigit((unsigned char) *at))
		return NUMBER_MALFORMED;
	for (; at < end; at++)
	{
		if (*at == '.' && !dot && at + 1 < end && isdigit((unsigned char) at[1]))
		{
			dot = true;
			continue;
		}
		if (!isdigit((unsigned char) *at))
			break;
		point += dot;
		if (*at == '0')
		{
			if (digits > 0)
				zeros++;
			continue;
		}
		/* more digits than any number has, or those of one */
		digits += zeros + 1;
		if (digits <= 19)
		{
			for (; zeros > 0; zeros--)
				value *= 10;
			value = value * 10 + (uint64) (*at - '0');
		}
		zeros = 0;
	}
	if (at < end && (*at == 'e' || *at == 'E'))
	{
		bool below = false;

		at++;
		if (at < end && (*at == '+' || *at == '-'))
			below = *at++ == '-';
		if (at == end)
			return NUMBER_MALFORMED;
		for (; at < end && isdigit((unsigned char) *at); at++)
			exponent = Min(exponent * 10 + (*at - '0'), MaxAllocSize);
		if (below)
			exponent = -exponent;
	}
	if (at < end)
		return NUMBER_MALFORMED;
	*number = 0;
	if (digits == 0)
		return NUMBER_FINE;
	/* the number is value * 10^exponent now */
	exponent += zeros - point;
	if (exponent < 0)
		return NUMBER_FRACTION;
	if (digits + exponent > 19)
		return NUMBER_TOO_GREAT;
	for (; exponent > 0; exponent--)
		value *= 10;
	if (value > (uint64) PG_INT64_MAX + negative)
		return NUMBER_TOO_GREAT;
	*number = negative ? (int64) (0 - value) : (int64) value;
	return NUMBER_FINE;
}

/* Is this a whole number of 64 bits? */
bool
otlp_is_integer(const char *text)
{
	int64 number;

	return otlp_read_whole(text, (int) strlen(text), &number) == NUMBER_FINE;
}

/* The text of a number that may also be a string, as proto3 allows. */
static const char *
otlp_number_text(const OtlpSource *source, const JsonbValue *value, const char *name, int *length)
{
	const char *text;

	if (value->type == jbvString)
	{
		*length = value->val.string.len;
		return value->val.string.val;
	}
	if (value->type != jbvNumeric)
		otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL, "%s is %s, not a number.",
				   name, otlp_value_name(value));
	text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	*length = (int) strlen(text);
	return text;
}

int64
otlp_integer(const OtlpSource *source, const JsonbValue *value, const char *name, int64 least,
			 int64 most)
{
	int length;
	const char *text = otlp_number_text(source, value, name, &length);
	int64 number = 0;

	switch (otlp_read_whole(text, length, &number))
	{
		case NUMBER_MALFORMED:
			otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
					   "%s is no number: \"%s\".", name, otlp_excerpt(text, length));
		case NUMBER_FRACTION:
			otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
					   "%s is not a whole number: %s.", name, otlp_excerpt(text, length));
		case NUMBER_FINE:
			if (number >= least && number <= most)
				break;
			/* FALLTHROUGH */
		default:
			otlp_fault(source, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, NULL,
					   "%s is not from " INT64_FORMAT " to " INT64_FORMAT ": %s.", name, least,
					   most, otlp_excerpt(text, length));
	}
	if (value->type == jbvNumeric)
		pfree((char *) text);
	return number;
}

/* Is this a number of JSON's, of no more digits than a double keeps, without needless zeros? */
static bool
otlp_is_short_decimal(const char *text, int length, bool *has_point)
{
	int digits = 0;

	*has_point = false;
	for (int i = 0; i < length; i++)
	{
		if (text[i] == '.')
			*has_point = true;
		else if (text[i] != '-')
			digits++;
	}
	return digits <= DOUBLE_DIGITS &&
		!(*has_point && text[length - 1] == '0' && text[length - 2] != '.');
}

static Numeric
otlp_numeric(const char *text)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* A double as a number that has a fraction, and no digits but those needed. */
static Numeric
otlp_double_numeric(double number)
{
	char shortest[DOUBLE_SHORTEST_DECIMAL_LEN];
	char *text;

	double_to_shortest_decimal_buf(number, shortest);
	text = DatumGetCString(
		DirectFunctionCall1(numeric_out, NumericGetDatum(otlp_numeric(shortest))));
	return otlp_numeric(strchr(text, '.') ? text : psprintf("%s.0", text));
}

/* Is this how JSON writes a number? */
static bool
otlp_is_number(const char *text)
{
	if (*text == '-')
		text++;
	if (!isdigit((unsigned char) *text))
		return false;
	text += strspn(text, "0123456789");
	if (*text == '.')
	{
		if (!isdigit((unsigned char) text[1]))
			return false;
		text += 1 + strspn(text + 1, "0123456789");
	}
	if (*text == 'e' || *text == 'E')
	{
		text++;
		if (*text == '+' || *text == '-')
			text++;
		if (!isdigit((unsigned char) *text))
			return false;
		text += strspn(text, "0123456789");
	}
	return *text == '\0';
}

/* A double: a number, or the name of one that JSON has no number for. */
const char *
otlp_read_double(const OtlpSource *source, const JsonbValue *value, Numeric *number)
{
	static const char *const names[] = {"NaN", "Infinity", "-Infinity"};
	bool has_point;
	int length;
	const char *text = otlp_number_text(source, value, "doubleValue", &length);
	double parsed;

	if (value->type == jbvNumeric && otlp_is_short_decimal(text, length, &has_point))
	{
		*number = has_point ? value->val.numeric : otlp_numeric(psprintf("%s.0", text));
		return NULL;
	}
	for (int i = 0; i < (int) lengthof(names) && value->type == jbvString; i++)
	{
		if (length == (int) strlen(names[i]) && memcmp(text, names[i], (Size) length) == 0)
			return names[i];
	}
	text = pnstrdup(text, (Size) length);
	if (!otlp_is_number(text))
		otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "doubleValue is no number: \"%s\".", otlp_excerpt(text, length));
	parsed = strtod(text, NULL);
	if (isinf(parsed))
		otlp_fault(source, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, NULL,
				   "doubleValue is out of range: %s.", otlp_excerpt(text, length));
	if (parsed == 0 && signbit(parsed))
		return "-0";
	*number = otlp_double_numeric(parsed);
	return NULL;
}

/*
 * Bytes
 */

/*
 * Base64 as OTLP has it, or with the letters that URLs may have, or without
 * padding; append it as OTLP has it.
 */
static bool
otlp_append_base64(StringInfo out, const char *text, int length)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	int padding = 0;

	while (padding < 2 && length > 0 && text[length - 1] == '=')
	{
		length--;
		padding++;
	}
	if (length % 4 == 1 || (padding > 0 && (length + padding) % 4 != 0))
		return false;
	enlargeStringInfo(out, length + 4);
	for (int i = 0; i < length; i++)
	{
		char letter = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
		const char *found = letter == '\0' ? NULL : strchr(letters, letter);

		if (found == NULL)
			return false;
		/* bits of the last letter that belong to no byte are 0 */
		if (i == length - 1 && length % 4 != 0)
			letter = letters[(found - letters) & (length % 4 == 2 ? 0x30 : 0x3c)];
		appendStringInfoCharMacro(out, letter);
	}
	for (; length % 4 != 0; length++)
		appendStringInfoCharMacro(out, '=');
	return true;
}

/* Bytes in base64, as a string. */
JsonbValue
otlp_read_bytes(const OtlpSource *source, const JsonbValue *value)
{
	StringInfoData base64;
	JsonbValue text;

	if (value->type != jbvString)
		otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL, "bytesValue is %s.",
				   otlp_value_name(value));
	initStringInfo(&base64);
	if (!otlp_append_base64(&base64, value->val.string.val, value->val.string.len))
		otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "bytesValue is not base64: \"%s\".",
				   otlp_excerpt(value->val.string.val, value->val.string.len));
	text.type = jbvString;
	text.val.string.val = base64.data;
	text.val.string.len = base64.len;
	return text;
}

/*
 * The order of keys
 */

void
otlp_order_init(OtlpOrder *order)
{
	initStringInfo(&order->bytes);
	order->differs = false;
}

void
otlp_order_start(OtlpOrder *order)
{
	resetStringInfo(&order->bytes);
	order->differs = false;
}

void
otlp_order_append(StringInfo out, uint64 number)
{
	for (; number >= 0x80; number >>= 7)
		appendStringInfoChar(out, (char) (number & 0x7f) | (char) 0x80);
	appendStringInfoChar(out, (char) number);
}

bool
otlp_order_next(OtlpOrderCursor *cursor, uint64 *number)
{
	*number = 0;
	for (int shift = 0; cursor->next < cursor->end && shift < 64; shift += 7)
	{
		uint8 byte = *cursor->next++;

		*number |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* Would an object of this key alone look like one of those that stand for something else? */
bool
otlp_is_wrapper_name(const char *key, int length)
{
	switch (length)
	{
		case 10:
			return memcmp(key, "bytesValue", 10) == 0;
		case 11:
			return memcmp(key, "doubleValue", 11) == 0 || memcmp(key, "kvlistValue", 11) == 0;
		default:
			return false;
	}
}
