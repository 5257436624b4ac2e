/*
 * otlp_flatten.c
 *		Attributes of OTLP/JSON in the form in which they are stored.
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
 * Values are written as jsonb at once: nothing is allocated for each of them.
 */
#include "core/compat.h"

#include "miscadmin.h"
#include "trace/attribute_hygiene.h"
#include "trace/otlp_value.h"
#include "utils/memutils.h"

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
 * The lists that are flattened
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
 * Values
 */

/* Must bytes be cut, and so become a text? */
static bool
otlp_is_cut(const OtlpSource *source, const JsonbValue *base64)
{
	return source->hygiene && base64->val.string.len > HYGIENE_VALUE_MOST;
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
