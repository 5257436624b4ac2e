/*
 * flat_value.c
 *		Attributes as plain JSON, without the types that OTLP knows.
 */
#include "core/compat.h"

#include "core/json_tree.h"
#include "miscadmin.h"
#include "trace/flat_value.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

Jsonb *
flat_column(Datum json, bool object, const char *column)
{
	Jsonb *value = DatumGetJsonbP(json);

	if (object ? !JB_ROOT_IS_OBJECT(value) : !JB_ROOT_IS_ARRAY(value) || JB_ROOT_IS_SCALAR(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of a span must be a JSON %s", column,
						object ? "object" : "array")));
	return value;
}

/* Begin a member or an element: a comma, unless it is the first. */
void
flat_begin_item(StringInfo out)
{
	char last = out->data[out->len - 1];

	if (last != '[' && last != '{')
		appendStringInfoChar(out, ',');
}

void
flat_append_text(StringInfo out, const JsonbValue *text)
{
	json_tree_append_string(out, text->val.string.val, text->val.string.len);
}

char *
flat_number(const JsonbValue *number)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number->val.numeric)));
}

/* Are these the digits of an integer, as JSON has it? */
static bool
is_integer(const JsonbValue *text)
{
	const char *digits = text->val.string.val;
	int length = text->val.string.len;
	int from = length > 0 && digits[0] == '-' ? 1 : 0;

	for (int i = from; i < length; i++)
	{
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	}
	return length == from + 1 || (length > from && digits[from] != '0');
}

/* Protobuf's JSON may leave out what is empty. */
static bool
is_empty(const JsonbValue *object)
{
	return flat_is_object(object) && JsonContainerSize(object->val.binary.data) == 0;
}

/* A value as OTLP writes it, without its type. */
static void
append_any(StringInfo out, const JsonbValue *any)
{
	static const char *const scalars[] = {"stringValue", "boolValue", "doubleValue", "bytesValue"};
	JsonbValue *inner;

	check_stack_depth();
	if (is_empty(any))
	{
		/* no value */
		appendStringInfoString(out, "null");
		return;
	}
	for (int i = 0; i < (int) lengthof(scalars); i++)
	{
		if ((inner = flat_only_member(any, scalars[i])) != NULL)
		{
			flat_append_json(out, inner);
			return;
		}
	}
	if ((inner = flat_only_member(any, "intValue")) != NULL)
	{
		/* which may be a string */
		if (inner->type == jbvString && is_integer(inner))
			appendBinaryStringInfo(out, inner->val.string.val, inner->val.string.len);
		else
			flat_append_json(out, inner);
	}
	else if ((inner = flat_only_member(any, "arrayValue")) != NULL &&
			 (inner = flat_values(inner)) != NULL)
	{
		JsonbIterator *walk = flat_walk(inner);
		JsonbValue element;

		appendStringInfoChar(out, '[');
		while (flat_next_element(&walk, &element))
		{
			flat_begin_item(out);
			append_any(out, &element);
		}
		appendStringInfoChar(out, ']');
	}
	else if ((inner = flat_only_member(any, "arrayValue")) != NULL && is_empty(inner))
		appendStringInfoString(out, "[]");
	else if ((inner = flat_only_member(any, "kvlistValue")) != NULL && is_empty(inner))
		appendStringInfoString(out, "{}");
	else
		flat_append_json(out, any);
}

static void
append_pairs(StringInfo out, const JsonbValue *pairs)
{
	JsonbIterator *walk = flat_walk(pairs);
	JsonbValue pair;

	appendStringInfoChar(out, '{');
	while (flat_next_element(&walk, &pair))
	{
		JsonbValue *key = flat_member(&pair, "key");
		JsonbValue *value = flat_member(&pair, "value");

		if (key == NULL || key->type != jbvString)
			continue;
		flat_begin_item(out);
		flat_append_text(out, key);
		appendStringInfoChar(out, ':');
		if (value)
			append_any(out, value);
		else
			appendStringInfoString(out, "null");
	}
	appendStringInfoChar(out, '}');
}

static int
compare_keys(const void *x, const void *y)
{
	const JsonbPair *a = x;
	const JsonbPair *b = y;
	int least = Min(a->key.val.string.len, b->key.val.string.len);
	int order = memcmp(a->key.val.string.val, b->key.val.string.val, least);

	return order != 0 ? order : a->key.val.string.len - b->key.val.string.len;
}

/* Members by the bytes of their keys, as Go writes a map. */
static void
append_object(StringInfo out, const JsonbValue *object)
{
	JsonbPair *pairs = palloc(sizeof(JsonbPair) * (JsonContainerSize(object->val.binary.data) + 1));
	JsonbIterator *walk = flat_walk(object);
	int count = 0;

	while (flat_next_member(&walk, &pairs[count].key, &pairs[count].value))
		count++;
	qsort(pairs, count, sizeof(JsonbPair), compare_keys);
	appendStringInfoChar(out, '{');
	for (int i = 0; i < count; i++)
	{
		flat_begin_item(out);
		flat_append_text(out, &pairs[i].key);
		appendStringInfoChar(out, ':');
		flat_append_json(out, &pairs[i].value);
	}
	appendStringInfoChar(out, '}');
	pfree(pairs);
}

/* A value as JSON without blanks. */
void
flat_append_json(StringInfo out, const JsonbValue *value)
{
	JsonbValue *inner;

	check_stack_depth();
	if (value->type == jbvString)
		flat_append_text(out, value);
	else if (value->type == jbvNumeric)
		appendStringInfoString(out, flat_number(value));
	else if (value->type == jbvBool)
		appendStringInfoString(out, value->val.boolean ? "true" : "false");
	else if (value->type != jbvBinary)
		appendStringInfoString(out, "null");
	else if (flat_is_array(value))
	{
		JsonbIterator *walk = flat_walk(value);
		JsonbValue element;

		appendStringInfoChar(out, '[');
		while (flat_next_element(&walk, &element))
		{
			flat_begin_item(out);
			flat_append_json(out, &element);
		}
		appendStringInfoChar(out, ']');
	}
	else if ((inner = flat_only_member(value, "bytesValue")) != NULL ||
			 (inner = flat_only_member(value, "doubleValue")) != NULL)
		flat_append_json(out, inner);
	else if ((inner = flat_only_member(value, "kvlistValue")) != NULL &&
			 (inner = flat_values(inner)) != NULL)
		append_pairs(out, inner);
	else
		append_object(out, value);
}
