/*
 * otlp_value.c
 *		Attributes of OTLP/JSON, and the flat form in which they are stored.
 *
 * OTLP writes attributes as a list of {"key", "value"}, the value an object
 * that names its kind: {"stringValue": "x"}, {"intValue": "5"}.  Stored, they
 * are one JSON object, so that SQL can ask for attributes ->> 'key':
 *
 *		string, boolean		the same
 *		int					a number without a fraction
 *		double				a number with one, such as 1.0
 *		array				an array
 *		kvlist				an object
 *		none				null
 *		bytes				{"bytesValue": "<base64>"}
 *		NaN, Infinity, -Infinity, -0	{"doubleValue": "NaN"} and so on
 *		a kvlist that repeats a key, or whose only key is bytesValue,
 *		doubleValue or kvlistValue		{"kvlistValue": {"values": [...]}}, as in OTLP
 *
 * So each kind can be told from the others, and OTLP be restored.  In a list of
 * attributes OTLP allows each key once; of those that repeat one, the last
 * value holds.
 *
 * jsonb sorts keys.  Their order as it came is kept beside it, for each list
 * and the lists in it, outer ones first, and those in one list in the sorted
 * order of its keys.  For a list of one key, or none, there is nothing; for
 * others numbers of seven bits a byte, low ones first, the last byte without
 * its highest bit:
 *
 *		2n			n keys that came in the sorted order
 *		2n + 1		n keys that did not, then, as they came, for each its place
 *					in the sorted order
 *
 * Values are written as jsonb at once: nothing is allocated for each of them.
 *
 * Source: opentelemetry-proto, common.proto; the OTLP specification, "JSON
 * Protobuf Encoding"; the JSON mapping of proto3.
 */
#include "core/compat.h"

#include <ctype.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "trace/attribute_hygiene.h"
#include "trace/otlp_value.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Bytes of a faulty value that an error shows. */
#define EXCERPT_MOST 60

/* Digits that a double keeps of any decimal number. */
#define DOUBLE_DIGITS 15

/* Lists up to this length are sorted by insertion. */
#define INSERTION_SORT_MOST 16

/* Lists up to this length need no memory for the order of their keys. */
#define SHORT_LIST 64

typedef enum OtlpKind
{
	OTLP_NONE,
	OTLP_STRING,
	OTLP_BOOL,
	OTLP_INT,
	OTLP_DOUBLE,
	OTLP_ARRAY,
	OTLP_KVLIST,
	OTLP_BYTES
} OtlpKind;

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
			 hint ? errhint("%s", hint) : 0));
}

static const char *
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
static const char *
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
static JsonbValue
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

/* Must bytes be cut, and so become a text? */
static bool
otlp_is_cut(const OtlpSource *source, const JsonbValue *base64)
{
	return source->hygiene && base64->val.string.len > HYGIENE_VALUE_MOST;
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

/* Note the order of "count" sorted keys, whose places are less than "places". */
static void
otlp_order_note(OtlpOrder *order, const OtlpKey *keys, uint32 count, uint32 places)
{
	uint32 short_ranks[SHORT_LIST + 1];
	uint32 *ranks = short_ranks;
	bool differs = false;

	if (count < 2)
		return;
	for (uint32 i = 1; i < count && !differs; i++)
		differs = keys[i].place < keys[i - 1].place;
	otlp_order_append(&order->bytes, 2 * (uint64) count + differs);
	if (!differs)
		return;
	order->differs = true;
	if (places > lengthof(short_ranks))
		ranks = palloc(sizeof(uint32) * places);
	memset(ranks, 0xff, sizeof(uint32) * places);
	for (uint32 i = 0; i < count; i++)
		ranks[keys[i].place] = i;
	for (uint32 i = 0; i < places; i++)
	{
		if (ranks[i] != PG_UINT32_MAX)
			otlp_order_append(&order->bytes, ranks[i]);
	}
	if (ranks != short_ranks)
		pfree(ranks);
}

/*
 * Flattening
 */

/* Which of AnyValue's fields this is, by its name in JSON or in the protocol's definition. */
static OtlpKind
otlp_kind(const char *name, int length)
{
#define IS(literal) (memcmp(name, literal, sizeof(literal) - 1) == 0)
	switch (length)
	{
		case 8:
			return IS("intValue") ? OTLP_INT : OTLP_NONE;
		case 9:
			return IS("boolValue") ? OTLP_BOOL : IS("int_value") ? OTLP_INT : OTLP_NONE;
		case 10:
			return IS("arrayValue") ? OTLP_ARRAY
				: IS("bytesValue")  ? OTLP_BYTES
				: IS("bool_value")  ? OTLP_BOOL
									: OTLP_NONE;
		case 11:
			return IS("stringValue") ? OTLP_STRING
				: IS("doubleValue")  ? OTLP_DOUBLE
				: IS("kvlistValue")  ? OTLP_KVLIST
				: IS("array_value")  ? OTLP_ARRAY
				: IS("bytes_value")  ? OTLP_BYTES
									 : OTLP_NONE;
		case 12:
			return IS("string_value") ? OTLP_STRING
				: IS("double_value")  ? OTLP_DOUBLE
				: IS("kvlist_value")  ? OTLP_KVLIST
									  : OTLP_NONE;
		default:
			return OTLP_NONE;
	}
#undef IS
}

/* The one field of an AnyValue. */
static OtlpKind
otlp_open_value(const OtlpSource *source, const JsonbContainer *any, JsonbValue *content)
{
	OtlpKind kind = OTLP_NONE;
	JsonbValue value;
	JsonbScan scan;
	const char *name;
	int length;

	if (any == NULL)
		return OTLP_NONE;
	jsonb_scan_open(&scan, any);
	while (jsonb_scan_member(&scan, &name, &length, &value))
	{
		OtlpKind found = value.type == jbvNull ? OTLP_NONE : otlp_kind(name, length);

		if (found == OTLP_NONE)
			continue;
		if (kind != OTLP_NONE)
			otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
					   "The value is of two kinds at once.");
		kind = found;
		*content = value;
	}
	return kind;
}

/* The list in an ArrayValue or KeyValueList, or NULL. */
static const JsonbContainer *
otlp_values(const OtlpSource *source, const JsonbValue *content, const char *what)
{
	const JsonbContainer *found = NULL;
	JsonbValue value = {0};
	JsonbScan scan;
	const char *name;
	int length;

	if (!jsonb_is_object(content))
		otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL, "%s is %s, not an object.",
				   what, otlp_value_name(content));
	jsonb_scan_open(&scan, content->val.binary.data);
	while (jsonb_scan_member(&scan, &name, &length, &value))
	{
		if (length != 6 || memcmp(name, "values", 6) != 0 || value.type == jbvNull)
			continue;
		if (!jsonb_is_array(&value))
			otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
					   "The values of %s are %s, not an array.", what, otlp_value_name(&value));
		found = value.val.binary.data;
	}
	return found;
}

/* An element of an array of values. */
static const JsonbContainer *
otlp_element(const OtlpSource *source, const JsonbValue *element)
{
	if (!jsonb_is_object(element))
		otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "An element of an array is %s, not an object.", otlp_value_name(element));
	return element->val.binary.data;
}

static void
otlp_read_key(OtlpSource *source, const JsonbValue *element, OtlpKey *key)
{
	JsonbValue value;
	JsonbScan scan;
	const char *name;
	int length;

	if (!jsonb_is_object(element))
		otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "An attribute is %s, not an object.", otlp_value_name(element));
	key->key = "";
	key->length = 0;
	key->overflow = 0;
	key->value = NULL;
	jsonb_scan_open(&scan, element->val.binary.data);
	while (jsonb_scan_member(&scan, &name, &length, &value))
	{
		if (value.type == jbvNull)
			continue;
		if (length == 3 && memcmp(name, "key", 3) == 0)
		{
			if (value.type != jbvString)
				otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
						   "The key of an attribute is %s, not a string.", otlp_value_name(&value));
			key->key = value.val.string.val;
			key->length = value.val.string.len;
		}
		else if (length == 5 && memcmp(name, "value", 5) == 0)
		{
			if (!jsonb_is_object(&value))
			{
				source->key = key->key;
				source->key_length = key->length;
				otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION,
						   "Write {\"stringValue\": \"...\"} or another kind of value.",
						   "The value is %s, not an object.", otlp_value_name(&value));
			}
			key->value = value.val.binary.data;
		}
	}
}

/* Push the attributes of a list, in the order in which they came; how many. */
static uint32
otlp_gather(OtlpSource *source, const JsonbContainer *list)
{
	uint32 count;
	JsonbValue element;
	JsonbScan scan;

	CHECK_FOR_INTERRUPTS();
	if (list == NULL)
		return 0;
	count = JsonContainerSize(list);
	if (count > source->maxkeys - source->nkeys)
	{
		while (count > source->maxkeys - source->nkeys)
			source->maxkeys *= 2;
		source->keys = repalloc_huge(source->keys, sizeof(OtlpKey) * (Size) source->maxkeys);
	}
	jsonb_scan_open(&scan, list);
	for (uint32 i = 0; jsonb_scan_element(&scan, &element); i++)
	{
		OtlpKey *key = &source->keys[source->nkeys + i];

		otlp_read_key(source, &element, key);
		key->place = i;
	}
	source->nkeys += count;
	return count;
}

static int
otlp_key_compare(const void *a, const void *b)
{
	const OtlpKey *x = a;
	const OtlpKey *y = b;
	int order = jsonb_key_compare(x->key, x->length, y->key, y->length);

	return order ? order : x->place < y->place ? -1 : 1;
}

static void
otlp_sort(OtlpKey *keys, uint32 count)
{
	if (count > INSERTION_SORT_MOST)
	{
		qsort(keys, count, sizeof(OtlpKey), otlp_key_compare);
		return;
	}
	for (uint32 i = 1; i < count; i++)
	{
		OtlpKey key = keys[i];
		uint32 j = i;

		for (; j > 0 && otlp_key_compare(&keys[j - 1], &key) > 0; j--)
			keys[j] = keys[j - 1];
		if (j < i)
			keys[j] = key;
	}
}

static bool
otlp_same_key(const OtlpKey *a, const OtlpKey *b)
{
	return jsonb_key_compare(a->key, a->length, b->key, b->length) == 0;
}

static bool
otlp_has_repeated_key(const OtlpKey *keys, uint32 count)
{
	for (uint32 i = 1; i < count; i++)
	{
		if (otlp_same_key(&keys[i - 1], &keys[i]))
			return true;
	}
	return false;
}

/* Of sorted keys that are the same keep the last value, in the first one's place. */
static uint32
otlp_drop_repeated_keys(OtlpKey *keys, uint32 count)
{
	uint32 kept = 0;

	for (uint32 i = 0; i < count; i++)
	{
		if (kept > 0 && otlp_same_key(&keys[kept - 1], &keys[i]))
		{
			keys[kept - 1].value = keys[i].value;
			keys[kept - 1].overflow = keys[i].overflow;
		}
		else
			keys[kept++] = keys[i];
	}
	return kept;
}

/* Would an object of this key alone look like one of those that stand for something else? */
static bool
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

static void
otlp_check_depth(const OtlpSource *source, int depth)
{
	check_stack_depth();
	if (depth > OTLP_DEPTH_MOST)
		otlp_fault(source, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL,
				   "Values are nested more than %d levels deep.", OTLP_DEPTH_MOST);
}

static void
otlp_put_text(const OtlpSource *source, const JsonbValue *value, StringInfo image,
			  JsonbWriter *parent)
{
	const char *text = value->val.string.val;
	int length = value->val.string.len;
	char *cleaned = NULL;

	if (value->type != jbvString)
		otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "stringValue is %s, not a string.", otlp_value_name(value));
	if (source->hygiene && hygiene_clean_text(text, length, &cleaned, &length))
		text = cleaned;
	jsonb_put_string(image, parent, text, (Size) length);
	if (cleaned)
		pfree(cleaned);
}

static void
otlp_put_bool(const OtlpSource *source, const JsonbValue *value, StringInfo image,
			  JsonbWriter *parent)
{
	if (value->type != jbvBool)
		otlp_fault(source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "boolValue is %s, not a boolean.", otlp_value_name(value));
	jsonb_put_boolean(image, parent, value->val.boolean);
}

static bool
otlp_is_secret(const OtlpSource *source, const OtlpKey *key)
{
	return source->hygiene && hygiene_key_is_secret(key->key, key->length);
}

static void otlp_put_any(OtlpSource *source, const JsonbContainer *any, StringInfo image,
						 JsonbWriter *parent, int depth);

/* The pushed attributes from "first" on as a list as OTLP has it. */
static void
otlp_put_key_values(OtlpSource *source, uint32 first, uint32 count, StringInfo image,
					JsonbWriter *parent, int depth)
{
	JsonbWriter list;

	jsonb_open(image, &list, false, count);
	for (uint32 i = 0; i < count; i++)
	{
		OtlpKey key = source->keys[first + i];
		bool secret = otlp_is_secret(source, &key);
		bool has_value = secret || key.value != NULL;
		JsonbWriter member;
		JsonbWriter value;

		jsonb_open(image, &member, true, (key.length > 0) + has_value);
		if (key.length > 0)
			jsonb_put_literal(image, &member, "key");
		if (has_value)
			jsonb_put_literal(image, &member, "value");
		if (key.length > 0)
			jsonb_put_string(image, &member, key.key, (Size) key.length);
		if (secret)
		{
			jsonb_open(image, &value, true, 1);
			jsonb_put_literal(image, &value, "stringValue");
			jsonb_put_literal(image, &value, HYGIENE_REDACTED);
			jsonb_close_into(image, &value, &member);
		}
		else if (has_value)
			otlp_put_any(source, key.value, image, &member, depth);
		jsonb_close_into(image, &member, &list);
	}
	jsonb_close_into(image, &list, parent);
}

/* A value as OTLP has it. */
static void
otlp_put_any(OtlpSource *source, const JsonbContainer *any, StringInfo image, JsonbWriter *parent,
			 int depth)
{
	static const char *const names[] =
		{"",           "stringValue", "boolValue", "intValue", "doubleValue",
		 "arrayValue", "kvlistValue", "bytesValue"};
	JsonbValue content;
	OtlpKind kind = otlp_open_value(source, any, &content);
	const JsonbContainer *values;
	JsonbWriter value;
	JsonbWriter inner;
	JsonbValue element;
	JsonbScan scan;
	const char *name;
	Numeric number;

	otlp_check_depth(source, depth);
	if (kind == OTLP_BYTES)
	{
		content = otlp_read_bytes(source, &content);
		if (otlp_is_cut(source, &content))
			kind = OTLP_STRING;
	}
	jsonb_open(image, &value, true, kind == OTLP_NONE ? 0 : 1);
	if (kind != OTLP_NONE)
		jsonb_put_string(image, &value, names[kind], strlen(names[kind]));
	switch (kind)
	{
		case OTLP_NONE:
			break;
		case OTLP_STRING:
			otlp_put_text(source, &content, image, &value);
			break;
		case OTLP_BOOL:
			otlp_put_bool(source, &content, image, &value);
			break;
		case OTLP_INT:
			name = psprintf(INT64_FORMAT,
							otlp_integer(source, &content, "intValue", PG_INT64_MIN, PG_INT64_MAX));
			jsonb_put_string(image, &value, name, strlen(name));
			break;
		case OTLP_DOUBLE:
			name = otlp_read_double(source, &content, &number);
			if (name)
				jsonb_put_string(image, &value, name, strlen(name));
			else
				jsonb_put_numeric(image, &value, number);
			break;
		case OTLP_BYTES:
			jsonb_put_string(image, &value, content.val.string.val, (Size) content.val.string.len);
			break;
		case OTLP_ARRAY:
		case OTLP_KVLIST:
			values = otlp_values(source, &content, names[kind]);
			if (values && JsonContainerSize(values) == 0)
				values = NULL;
			jsonb_open(image, &inner, true, values ? 1 : 0);
			if (values)
				jsonb_put_literal(image, &inner, "values");
			if (values && kind == OTLP_KVLIST)
			{
				uint32 first = source->nkeys;
				uint32 count = otlp_gather(source, values);

				otlp_put_key_values(source, first, count, image, &inner, depth + 1);
				source->nkeys = first;
			}
			else if (values)
			{
				JsonbWriter list;

				jsonb_scan_open(&scan, values);
				jsonb_open(image, &list, false, scan.count);
				while (jsonb_scan_element(&scan, &element))
					otlp_put_any(source, otlp_element(source, &element), image, &list, depth + 1);
				jsonb_close_into(image, &list, &inner);
			}
			jsonb_close_into(image, &inner, &value);
			break;
	}
	jsonb_close_into(image, &value, parent);
}

static void otlp_flatten_value(OtlpSource *source, const JsonbContainer *any, StringInfo image,
							   JsonbWriter *parent, OtlpOrder *order, int depth);

/* The pushed attributes from "first" on, sorted and without repeated keys, as an object. */
static void
otlp_flatten_keys(OtlpSource *source, uint32 first, uint32 count, uint32 places, StringInfo image,
				  JsonbWriter *object, OtlpOrder *order, int depth)
{
	bool outermost = depth == 0;

	jsonb_open(image, object, true, count);
	otlp_order_note(order, &source->keys[first], count, places);
	for (uint32 i = 0; i < count; i++)
		jsonb_put_string(image, object, source->keys[first + i].key,
						 (Size) source->keys[first + i].length);
	for (uint32 i = 0; i < count; i++)
	{
		OtlpKey key = source->keys[first + i];

		if (outermost)
		{
			source->key = key.key;
			source->key_length = key.length;
		}
		if (key.overflow != 0)
			jsonb_put_integer(image, object, key.overflow);
		else if (otlp_is_secret(source, &key))
			jsonb_put_literal(image, object, HYGIENE_REDACTED);
		else
			otlp_flatten_value(source, key.value, image, object, order, depth + 1);
	}
	if (outermost)
		source->key = NULL;
}

/* A kvlist as an object, or as it is where that would not say the same. */
static void
otlp_flatten_kvlist(OtlpSource *source, const JsonbContainer *list, StringInfo image,
					JsonbWriter *parent, OtlpOrder *order, int depth)
{
	uint32 first = source->nkeys;
	uint32 count = otlp_gather(source, list);
	JsonbWriter object;

	otlp_sort(&source->keys[first], count);
	if (otlp_has_repeated_key(&source->keys[first], count) ||
		(count == 1 && otlp_is_wrapper_name(source->keys[first].key, source->keys[first].length)))
	{
		JsonbWriter values;

		source->nkeys = first;
		count = otlp_gather(source, list);
		jsonb_open(image, &object, true, 1);
		jsonb_put_literal(image, &object, "kvlistValue");
		jsonb_open(image, &values, true, 1);
		jsonb_put_literal(image, &values, "values");
		otlp_put_key_values(source, first, count, image, &values, depth + 1);
		jsonb_close_into(image, &values, &object);
	}
	else
		otlp_flatten_keys(source, first, count, count, image, &object, order, depth);
	jsonb_close_into(image, &object, parent);
	source->nkeys = first;
}

static void
otlp_flatten_value(OtlpSource *source, const JsonbContainer *any, StringInfo image,
				   JsonbWriter *parent, OtlpOrder *order, int depth)
{
	JsonbValue content;
	OtlpKind kind = otlp_open_value(source, any, &content);
	const JsonbContainer *values;
	const char *name;
	JsonbWriter inner;
	JsonbValue element;
	JsonbScan scan;
	Numeric number;

	otlp_check_depth(source, depth);
	switch (kind)
	{
		case OTLP_NONE:
			jsonb_put_null(image, parent);
			break;
		case OTLP_STRING:
			otlp_put_text(source, &content, image, parent);
			break;
		case OTLP_BOOL:
			otlp_put_bool(source, &content, image, parent);
			break;
		case OTLP_INT:
			jsonb_put_integer(image, parent,
							  otlp_integer(source, &content, "intValue", PG_INT64_MIN,
										   PG_INT64_MAX));
			break;
		case OTLP_DOUBLE:
			name = otlp_read_double(source, &content, &number);
			if (name)
			{
				jsonb_open(image, &inner, true, 1);
				jsonb_put_literal(image, &inner, "doubleValue");
				jsonb_put_string(image, &inner, name, strlen(name));
				jsonb_close_into(image, &inner, parent);
			}
			else
				jsonb_put_numeric(image, parent, number);
			break;
		case OTLP_BYTES:
			content = otlp_read_bytes(source, &content);
			if (otlp_is_cut(source, &content))
				otlp_put_text(source, &content, image, parent);
			else
			{
				jsonb_open(image, &inner, true, 1);
				jsonb_put_literal(image, &inner, "bytesValue");
				jsonb_put_string(image, &inner, content.val.string.val,
								 (Size) content.val.string.len);
				jsonb_close_into(image, &inner, parent);
			}
			break;
		case OTLP_ARRAY:
			values = otlp_values(source, &content, "arrayValue");
			jsonb_open(image, &inner, false, values ? JsonContainerSize(values) : 0);
			if (values)
			{
				jsonb_scan_open(&scan, values);
				while (jsonb_scan_element(&scan, &element))
					otlp_flatten_value(source, otlp_element(source, &element), image, &inner, order,
									   depth + 1);
			}
			jsonb_close_into(image, &inner, parent);
			break;
		case OTLP_KVLIST:
			otlp_flatten_kvlist(source, otlp_values(source, &content, "kvlistValue"), image, parent,
								order, depth);
			break;
	}
}

static bool
otlp_is_overflow(const OtlpKey *key)
{
	return jsonb_key_compare(key->key, key->length, HYGIENE_OVERFLOW,
							 sizeof(HYGIENE_OVERFLOW) - 1) == 0;
}

/* How many attributes had been left out before, if that is what a value says. */
static int64
otlp_earlier_overflow(const OtlpSource *source, const OtlpKey *key)
{
	JsonbValue content;

	if (otlp_open_value(source, key->value, &content) != OTLP_INT)
		return 0;
	return Max(otlp_integer(source, &content, "intValue", PG_INT64_MIN, PG_INT64_MAX), 0);
}

/* Leave out those of the pushed attributes that are too many, and count them. */
static uint32
otlp_limit(OtlpSource *source, uint32 first, uint32 count)
{
	OtlpKey *keys = &source->keys[first];
	OtlpKey *overflow;
	int64 left_out = 0;
	int64 earlier = 0;
	uint32 kept = 0;

	if (!source->hygiene || count <= HYGIENE_ATTRIBUTES_MOST)
		return count;
	/* the count itself is not counted, so that cleaning again changes nothing */
	for (uint32 i = 0; i < count; i++)
		left_out += !otlp_is_overflow(&keys[i]);
	left_out -= HYGIENE_ATTRIBUTES_MOST;
	if (left_out <= 0)
		return count;
	for (uint32 i = 0; i < count; i++)
	{
		if (otlp_is_overflow(&keys[i]))
			earlier = otlp_earlier_overflow(source, &keys[i]);
		else if (kept < HYGIENE_ATTRIBUTES_MOST)
		{
			keys[kept] = keys[i];
			keys[kept].place = kept;
			kept++;
		}
	}
	overflow = &keys[kept];
	overflow->key = HYGIENE_OVERFLOW;
	overflow->length = sizeof(HYGIENE_OVERFLOW) - 1;
	overflow->value = NULL;
	overflow->place = kept;
	overflow->overflow = Min(earlier, PG_INT64_MAX - left_out) + left_out;
	return kept + 1;
}

void
otlp_flatten(OtlpSource *source, const JsonbContainer *list, StringInfo image, JsonbWriter *parent,
			 OtlpOrder *order)
{
	uint32 first = source->nkeys;
	uint32 places = otlp_limit(source, first, otlp_gather(source, list));
	uint32 count;
	JsonbWriter object;

	otlp_sort(&source->keys[first], places);
	count = otlp_drop_repeated_keys(&source->keys[first], places);
	otlp_flatten_keys(source, first, count, places, image, &object, order, 0);
	source->nkeys = first;
	if (parent)
		jsonb_close_into(image, &object, parent);
}

/*
 * Restoring
 */

/* An object that is one value as OTLP has it. */
static bool
otlp_is_wrapper(const JsonbContainer *object)
{
	JsonbScan scan;
	JsonbValue value;
	const char *key;
	int length;

	if (JsonContainerSize(object) != 1)
		return false;
	jsonb_scan_open(&scan, object);
	return jsonb_scan_member(&scan, &key, &length, &value) && otlp_is_wrapper_name(key, length) &&
		(length == 11 && key[0] == 'k' ? jsonb_is_object(&value) : value.type == jbvString);
}

/* Pass over what is noted of a value. */
static void
otlp_order_skip(OtlpOrderCursor *order, const JsonbContainer *container)
{
	bool is_object = JsonContainerIsObject(container);
	JsonbScan scan;
	JsonbValue value;
	const char *key;
	int length;
	uint64 number;

	check_stack_depth();
	if (is_object && otlp_is_wrapper(container))
		return;
	if (is_object && JsonContainerSize(container) > 1 && otlp_order_next(order, &number) &&
		number % 2 == 1)
	{
		for (uint64 count = number / 2; count > 0 && otlp_order_next(order, &number); count--)
			;
	}
	jsonb_scan_open(&scan, container);
	while (is_object ? jsonb_scan_member(&scan, &key, &length, &value)
					 : jsonb_scan_element(&scan, &value))
	{
		if (value.type == jbvBinary)
			otlp_order_skip(order, value.val.binary.data);
	}
}

/* A member of an object that is being restored. */
typedef struct FlatMember
{
	const char *key;
	int length;
	JsonbValue value;
	OtlpOrderCursor order; /* of what is in the value */
} FlatMember;

/*
 * The places of "count" members, in the order in which they came, or NULL if
 * that is the sorted one, or unknown: someone changed the attributes.
 */
static uint32 *
otlp_order_read(OtlpOrderCursor *order, uint32 count)
{
	uint32 *places;
	bool *seen;
	uint64 number;
	bool broken;

	if (count < 2 || !otlp_order_next(order, &number))
		return NULL;
	broken = number / 2 != count;
	if (!broken && number % 2 == 0)
		return NULL;
	places = palloc_extended(sizeof(uint32) * (Size) count, MCXT_ALLOC_HUGE);
	seen = palloc_extended(sizeof(bool) * (Size) count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < count && !broken; i++)
	{
		broken = !otlp_order_next(order, &number) || number >= count || seen[number];
		if (!broken)
		{
			places[i] = (uint32) number;
			seen[number] = true;
		}
	}
	pfree(seen);
	if (!broken)
		return places;
	order->next = order->end;
	pfree(places);
	return NULL;
}

static void otlp_unflatten_value(const JsonbValue *flat, StringInfo image, JsonbWriter *parent,
								 OtlpOrderCursor *order);

static void
otlp_put_kind(StringInfo image, JsonbWriter *value, const char *kind)
{
	jsonb_open(image, value, true, 1);
	jsonb_put_string(image, value, kind, strlen(kind));
}

/* The object or array in ArrayValue or KeyValueList, which leave out an empty one. */
static void
otlp_unflatten_container(const JsonbContainer *flat, StringInfo image, JsonbWriter *value,
						 OtlpOrderCursor *order)
{
	JsonbWriter values;
	bool empty = JsonContainerSize(flat) == 0;

	jsonb_open(image, &values, true, empty ? 0 : 1);
	if (!empty)
	{
		jsonb_put_literal(image, &values, "values");
		if (JsonContainerIsObject(flat))
			otlp_unflatten(flat, NULL, 0, image, &values, order);
		else
		{
			JsonbWriter list;
			JsonbScan scan;
			JsonbValue element;

			jsonb_scan_open(&scan, flat);
			jsonb_open(image, &list, false, scan.count);
			while (jsonb_scan_element(&scan, &element))
				otlp_unflatten_value(&element, image, &list, order);
			jsonb_close_into(image, &list, &values);
		}
	}
	jsonb_close_into(image, &values, value);
}

static void
otlp_unflatten_value(const JsonbValue *flat, StringInfo image, JsonbWriter *parent,
					 OtlpOrderCursor *order)
{
	JsonbWriter value;
	char *text;
	int64 whole;

	check_stack_depth();
	switch (flat->type)
	{
		case jbvNull:
			jsonb_open(image, &value, true, 0);
			break;
		case jbvString:
			otlp_put_kind(image, &value, "stringValue");
			jsonb_put_string(image, &value, flat->val.string.val, (Size) flat->val.string.len);
			break;
		case jbvBool:
			otlp_put_kind(image, &value, "boolValue");
			jsonb_put_boolean(image, &value, flat->val.boolean);
			break;
		case jbvNumeric:
			text = DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(flat->val.numeric)));
			/* a whole number that is none of OTLP's was not made of one */
			if (strchr(text, '.') ||
				otlp_read_whole(text, (int) strlen(text), &whole) != NUMBER_FINE)
			{
				otlp_put_kind(image, &value, "doubleValue");
				jsonb_put_numeric(image, &value, flat->val.numeric);
			}
			else
			{
				otlp_put_kind(image, &value, "intValue");
				jsonb_put_string(image, &value, text, strlen(text));
			}
			pfree(text);
			break;
		default:
			if (JsonContainerIsArray(flat->val.binary.data))
			{
				otlp_put_kind(image, &value, "arrayValue");
				otlp_unflatten_container(flat->val.binary.data, image, &value, order);
			}
			else if (otlp_is_wrapper(flat->val.binary.data))
			{
				jsonb_put_container(image, parent, flat->val.binary.data,
									(Size) flat->val.binary.len);
				return;
			}
			else
			{
				otlp_put_kind(image, &value, "kvlistValue");
				otlp_unflatten_container(flat->val.binary.data, image, &value, order);
			}
			break;
	}
	jsonb_close_into(image, &value, parent);
}

void
otlp_unflatten(const JsonbContainer *object, const OtlpLabel *labels, uint32 nlabels,
			   StringInfo image, JsonbWriter *parent, OtlpOrderCursor *order)
{
	uint32 count = JsonContainerSize(object);
	uint32 *places = otlp_order_read(order, count);
	FlatMember *members = palloc_extended(sizeof(FlatMember) * Max((Size) count, 1),
										  MCXT_ALLOC_HUGE);
	JsonbWriter list;
	JsonbScan scan;

	CHECK_FOR_INTERRUPTS();
	jsonb_scan_open(&scan, object);
	for (uint32 i = 0; i < count; i++)
	{
		jsonb_scan_member(&scan, &members[i].key, &members[i].length, &members[i].value);
		/* in this order the lists in the values were noted */
		members[i].order = *order;
		if (places && members[i].value.type == jbvBinary)
			otlp_order_skip(order, members[i].value.val.binary.data);
	}
	jsonb_open(image, &list, false, count + nlabels);
	for (uint32 i = 0; i < count; i++)
	{
		FlatMember *member = &members[places ? places[i] : i];
		bool has_key = member->length > 0;
		bool has_value = member->value.type != jbvNull;
		JsonbWriter entry;

		jsonb_open(image, &entry, true, has_key + has_value);
		if (has_key)
			jsonb_put_literal(image, &entry, "key");
		if (has_value)
			jsonb_put_literal(image, &entry, "value");
		if (has_key)
			jsonb_put_string(image, &entry, member->key, (Size) member->length);
		if (has_value)
			otlp_unflatten_value(&member->value, image, &entry, places ? &member->order : order);
		jsonb_close_into(image, &entry, &list);
	}
	for (uint32 i = 0; i < nlabels; i++)
	{
		JsonbWriter entry;
		JsonbWriter value;

		jsonb_open(image, &entry, true, 2);
		jsonb_put_literal(image, &entry, "key");
		jsonb_put_literal(image, &entry, "value");
		jsonb_put_string(image, &entry, labels[i].key, strlen(labels[i].key));
		otlp_put_kind(image, &value, "stringValue");
		jsonb_put_string(image, &value, labels[i].value, strlen(labels[i].value));
		jsonb_close_into(image, &value, &entry);
		jsonb_close_into(image, &entry, &list);
	}
	jsonb_close_into(image, &list, parent);
	pfree(members);
	if (places)
		pfree(places);
}
