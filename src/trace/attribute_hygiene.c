/*
 * attribute_hygiene.c
 *		What attributes may not keep: secrets, control bytes, great length.
 *
 * The rules are those of a collector that cleans what it passes on.  A value
 * whose key contains the name of a secret is redacted.  Of other texts, control
 * bytes become "_", and what is over 1,024 bytes is cut at a character and gets
 * "...#" and the FNV-1a hash of the whole, so that long values can still be told
 * apart.  What has been cut is recognized and not cut again: cleaning a clean
 * value changes nothing.
 */
#include "core/compat.h"

#include "core/input.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "trace/attribute_hygiene.h"
#include "trace/flat_value.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

/*
 * In lower case.  What contains one of these needs no entry of its own:
 * auth_token, auth-token and x-amz-security-token contain token, set-cookie
 * contains cookie, and x-api-key contains api-key.
 */
static const struct
{
	const char *name;
	int length;
} secrets[] = {
	{"authorization", 13}, {"api_key", 7},      {"api-key", 7},  {"bearer", 6},
	{"cookie", 6},         {"credentials", 11}, {"password", 8}, {"passwd", 6},
	{"private_key", 11},   {"private-key", 11}, {"session", 7},  {"secret", 6},
	{"token", 5},
};

#define SHORTEST_SECRET 5

/* Bytes that a secret's name may begin with, by their last five bits: a, b, c, p, s, t. */
#define SECRET_BEGINNINGS \
	(1U << ('a' & 31) | 1U << ('b' & 31) | 1U << ('c' & 31) | 1U << ('p' & 31) | \
	 1U << ('s' & 31) | 1U << ('t' & 31))

/* Between the kept part of a value and the hash of all of it. */
#define CUT_MARK         "...#"
#define CUT_MARK_BYTES   4
#define HASH_DIGITS      16
#define CUT_SUFFIX_BYTES (CUT_MARK_BYTES + HASH_DIGITS)

static inline char
ascii_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

static inline bool
ascii_starts_with(const char *text, const char *lower, int length)
{
	for (int i = 0; i < length; i++)
	{
		if (ascii_lower(text[i]) != lower[i])
			return false;
	}
	return true;
}

/* Must the value of this key be redacted?  Asked for each attribute of each span. */
bool
hygiene_key_is_secret(const char *key, int length)
{
	for (int i = 0; i + SHORTEST_SECRET <= length; i++)
	{
		if (likely((SECRET_BEGINNINGS >> (key[i] & 31) & 1) == 0))
			continue;
		for (int j = 0; j < (int) lengthof(secrets); j++)
		{
			if (ascii_lower(key[i]) == secrets[j].name[0] && secrets[j].length <= length - i &&
				ascii_starts_with(key + i, secrets[j].name, secrets[j].length))
				return true;
		}
	}
	return false;
}

static inline bool
is_control(char byte)
{
	return (unsigned char) byte < 0x20 || byte == 0x7f;
}

static bool
has_control(const char *text, int length)
{
	for (int i = 0; i < length; i++)
	{
		if (unlikely(is_control(text[i])))
			return true;
	}
	return false;
}

/* FNV-1a, 64 bits. */
static uint64
hygiene_hash(const char *text, int length)
{
	uint64 hash = UINT64CONST(0xcbf29ce484222325);

	for (int i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) text[i]) * UINT64CONST(0x100000001b3);
	return hash;
}

/* Is this what hygiene_clean_text makes of a long value? */
static bool
is_cut(const char *text, int length)
{
	const char *suffix = text + length - CUT_SUFFIX_BYTES;

	/* a character at the cut has at most so many bytes */
	if (length > HYGIENE_VALUE_MOST + CUT_SUFFIX_BYTES ||
		length <= HYGIENE_VALUE_MOST + CUT_SUFFIX_BYTES - MAX_MULTIBYTE_CHAR_LEN ||
		memcmp(suffix, CUT_MARK, CUT_MARK_BYTES) != 0)
		return false;
	for (int i = CUT_MARK_BYTES; i < CUT_SUFFIX_BYTES; i++)
	{
		if (!((suffix[i] >= '0' && suffix[i] <= '9') || (suffix[i] >= 'a' && suffix[i] <= 'f')))
			return false;
	}
	return true;
}

/*
 * A value without control bytes and cut to length; false if it is fine as it is,
 * else *cleaned is palloc'd, without a NUL at its end.
 */
bool
hygiene_clean_text(const char *text, int length, char **cleaned, int *cleaned_length)
{
	bool cut = length > HYGIENE_VALUE_MOST && !is_cut(text, length);
	int kept = cut ? pg_mbcliplen(text, length, HYGIENE_VALUE_MOST) : length;
	char *out;

	if (!cut && !has_control(text, length))
		return false;
	out = palloc(kept + CUT_SUFFIX_BYTES + 1);
	for (int i = 0; i < kept; i++)
		out[i] = is_control(text[i]) ? '_' : text[i];
	if (cut)
		kept += sprintf(out + kept, CUT_MARK "%016llx",
						(unsigned long long) hygiene_hash(text, length));
	*cleaned = out;
	*cleaned_length = kept;
	return true;
}

/*
 * Attributes in their flat form
 *
 * Values that JSON has no form for stand there as OTLP has them, in objects such
 * as {"bytesValue": "..."}; so do values inside of {"kvlistValue": ...}.
 */

static void clean_value(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value);
static void clean_any_value(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value);

static void
push_key(JsonbParseState **state, const char *name)
{
	JsonbValue key;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = (int) strlen(name);
	pushJsonbValue(state, WJB_KEY, &key);
}

static void
push_text(JsonbParseState **state, JsonbIteratorToken token, const char *text, int length)
{
	JsonbValue value;
	char *cleaned;

	if (hygiene_clean_text(text, length, &cleaned, &length))
		text = cleaned;
	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = length;
	pushJsonbValue(state, token, &value);
}

static void
push_redacted(JsonbParseState **state)
{
	push_text(state, WJB_VALUE, HYGIENE_REDACTED, (int) strlen(HYGIENE_REDACTED));
}

/* Bytes, if they are too long to be kept as such, become a text that is cut. */
static bool
is_long_text(const JsonbValue *value)
{
	return value->type == jbvString && value->val.string.len > HYGIENE_VALUE_MOST;
}

typedef void (*CleanElement)(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value);

static void
clean_array(JsonbParseState **state, const JsonbValue *array, CleanElement clean)
{
	JsonbIterator *walk = flat_walk(array);
	JsonbValue element;

	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	while (flat_next_element(&walk, &element))
		clean(state, WJB_ELEM, &element);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* {"values": [...]}, as OTLP writes arrays and lists of keys and values. */
static void
clean_values(JsonbParseState **state, const JsonbValue *values, CleanElement clean)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_key(state, "values");
	clean_array(state, values, clean);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
clean_member(JsonbParseState **state, JsonbValue *key, JsonbValue *value)
{
	pushJsonbValue(state, WJB_KEY, key);
	if (hygiene_key_is_secret(key->val.string.val, key->val.string.len))
		push_redacted(state);
	else
		clean_value(state, WJB_VALUE, value);
}

static void
clean_object(JsonbParseState **state, const JsonbValue *object)
{
	JsonbIterator *walk = flat_walk(object);
	JsonbValue key;
	JsonbValue value;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	while (flat_next_member(&walk, &key, &value))
		clean_member(state, &key, &value);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* {"key": "...", "value": AnyValue} */
static void
clean_key_value(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *pair)
{
	JsonbValue *key = flat_member(pair, "key");
	JsonbValue *value = flat_member(pair, "value");

	if (key == NULL || key->type != jbvString || value == NULL ||
		JsonContainerSize(pair->val.binary.data) != 2)
	{
		clean_value(state, token, pair);
		return;
	}
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_key(state, "key");
	pushJsonbValue(state, WJB_VALUE, key);
	push_key(state, "value");
	if (hygiene_key_is_secret(key->val.string.val, key->val.string.len))
	{
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		push_key(state, "stringValue");
		push_redacted(state);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	else
		clean_any_value(state, WJB_VALUE, value);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* A value as OTLP writes it: {"stringValue": "..."} and so on. */
static void
clean_any_value(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value)
{
	JsonbValue *inner;

	check_stack_depth();
	if ((inner = flat_only_member(value, "bytesValue")) != NULL && is_long_text(inner))
	{
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		push_key(state, "stringValue");
		push_text(state, WJB_VALUE, inner->val.string.val, inner->val.string.len);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	else if ((inner = flat_only_member(value, "arrayValue")) != NULL &&
			 (inner = flat_values(inner)) != NULL)
	{
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		push_key(state, "arrayValue");
		clean_values(state, inner, clean_any_value);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	else
		clean_value(state, token, value);
}

static void
clean_value(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value)
{
	JsonbValue *inner;

	check_stack_depth();
	if (value->type == jbvString)
		push_text(state, token, value->val.string.val, value->val.string.len);
	else if (flat_is_array(value))
		clean_array(state, value, clean_value);
	else if (!flat_is_object(value))
		pushJsonbValue(state, token, value);
	else if ((inner = flat_only_member(value, "bytesValue")) != NULL && is_long_text(inner))
		push_text(state, token, inner->val.string.val, inner->val.string.len);
	else if ((inner = flat_only_member(value, "kvlistValue")) != NULL &&
			 (inner = flat_values(inner)) != NULL)
	{
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		push_key(state, "kvlistValue");
		clean_values(state, inner, clean_key_value);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	else
		clean_object(state, value);
}

/* How many attributes had been left out before, if that is what a value says. */
static int64
earlier_overflow(const JsonbValue *value)
{
	uint64 count;
	Datum token;

	if (value->type != jbvNumeric)
		return 0;
	token = DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric));
	return input_counter(DatumGetCString(token), &count) == INPUT_FINE ? (int64) count : 0;
}

PG_FUNCTION_INFO_V1(clean_attributes);
Datum
clean_attributes(PG_FUNCTION_ARGS)
{
	Jsonb *attributes = PG_GETARG_JSONB_P(0);
	JsonbParseState *state = NULL;
	JsonbIterator *walk;
	JsonbValue key;
	JsonbValue value;
	JsonbValue overflow_key;
	JsonbValue overflow;
	bool overflowed = false;
	int64 left_out = 0;
	int kept = 0;

	if (!JB_ROOT_IS_OBJECT(attributes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes must be a JSON object, not a JSON %s",
						text_to_cstring(DatumGetTextPP(
							DirectFunctionCall1(jsonb_typeof, JsonbPGetDatum(attributes)))))));
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	walk = JsonbIteratorInit(&attributes->root);
	while (flat_next_member(&walk, &key, &value))
	{
		if (flat_is_text(&key, HYGIENE_OVERFLOW))
		{
			/* not one of those that are counted, so that cleaning again changes nothing */
			overflow_key = key;
			overflow = value;
			overflowed = true;
		}
		else if (kept < HYGIENE_ATTRIBUTES_MOST)
		{
			clean_member(&state, &key, &value);
			kept++;
		}
		else
			left_out++;
	}
	if (left_out > 0)
	{
		int64 earlier = overflowed ? earlier_overflow(&overflow) : 0;

		push_key(&state, HYGIENE_OVERFLOW);
		overflow.type = jbvNumeric;
		overflow.val.numeric = DatumGetNumeric(
			DirectFunctionCall1(int8_numeric,
								Int64GetDatum(Min(earlier, PG_INT64_MAX - left_out) + left_out)));
		pushJsonbValue(&state, WJB_VALUE, &overflow);
	}
	else if (overflowed)
		clean_member(&state, &overflow_key, &overflow);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
