/*
 * grafana.c
 *		Attributes, events and links in the form in which Grafana's panels read
 *		them: tags as arrays of {key, value}.
 *
 * The views of a store that use it are in sql/trace/grafana.sql.
 *
 * Source: Grafana, TraceSpanRow and TraceLog of @grafana/data.
 */
#include "core/compat.h"

#include "trace/span_tags.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

static JsonbValue
grafana_string(const char *text)
{
	JsonbValue value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = (int) strlen(text);
	return value;
}

static void
grafana_push_member(JsonbParseState **state, const char *name, JsonbValue *value)
{
	JsonbValue key = grafana_string(name);

	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_VALUE, value);
}

static void
grafana_push_pair(JsonbParseState **state, JsonbValue *key, JsonbValue *value)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	grafana_push_member(state, "key", key);
	grafana_push_member(state, "value", value);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* The members of an object as elements {key, value} of the array that is being built. */
static void
grafana_push_pairs(JsonbParseState **state, JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue key;
	JsonbValue value;
	JsonbValue inner;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type == jbvBinary && span_tag_unwrap(value.val.binary.data, &inner))
			value = inner;
		grafana_push_pair(state, &key, &value);
	}
}

PG_FUNCTION_INFO_V1(key_values);
Datum
key_values(PG_FUNCTION_ARGS)
{
	Jsonb *object = PG_GETARG_JSONB_P(0);
	JsonbParseState *state = NULL;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes must be a JSON object")));
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	grafana_push_pairs(&state, &object->root);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

/* A member of an object, of this type; false if there is none. */
static bool
grafana_member(JsonbContainer *object, const char *name, int type, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, name, (int) strlen(name), value) != NULL &&
		(int) value->type == type;
}

/* The attributes of an event or link; NULL if it has none. */
static JsonbContainer *
grafana_attributes(JsonbContainer *item)
{
	JsonbValue attributes;

	if (!grafana_member(item, "attributes", jbvBinary, &attributes) ||
		!JsonContainerIsObject(attributes.val.binary.data))
		return NULL;
	return attributes.val.binary.data;
}

/* The time of an event in milliseconds, exactly. */
static JsonbValue
grafana_milliseconds(JsonbContainer *event)
{
	Datum millionth = DirectFunctionCall3(numeric_in, CStringGetDatum("0.000001"),
										  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	JsonbValue value;

	if (!grafana_member(event, "time_ns", jbvNumeric, &value))
	{
		value.type = jbvNull;
		return value;
	}
	value.val.numeric = DatumGetNumeric(
		DirectFunctionCall1(numeric_trim_scale,
							DirectFunctionCall2(numeric_mul, NumericGetDatum(value.val.numeric),
												millionth)));
	return value;
}

static void
grafana_push_log(JsonbParseState **state, JsonbContainer *event)
{
	JsonbContainer *attributes = grafana_attributes(event);
	JsonbValue timestamp = grafana_milliseconds(event);
	JsonbValue fields = grafana_string("fields");
	JsonbValue key = grafana_string("event");
	JsonbValue name;
	JsonbValue own;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	grafana_push_member(state, "timestamp", &timestamp);
	pushJsonbValue(state, WJB_KEY, &fields);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	/* the name is a field, as in Jaeger, unless there is one of its key */
	if (grafana_member(event, "name", jbvString, &name) && name.val.string.len > 0 &&
		(attributes == NULL ||
		 getKeyJsonValueFromContainer(attributes, key.val.string.val, key.val.string.len, &own) ==
			 NULL))
		grafana_push_pair(state, &key, &name);
	if (attributes)
		grafana_push_pairs(state, attributes);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
grafana_push_reference(JsonbParseState **state, JsonbContainer *link)
{
	JsonbContainer *attributes = grafana_attributes(link);
	JsonbValue type = grafana_string("FOLLOWS_FROM");
	JsonbValue tags = grafana_string("tags");
	JsonbValue id;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	grafana_push_member(state, "refType", &type);
	if (grafana_member(link, "trace_id", jbvString, &id))
		grafana_push_member(state, "traceID", &id);
	if (grafana_member(link, "span_id", jbvString, &id))
		grafana_push_member(state, "spanID", &id);
	pushJsonbValue(state, WJB_KEY, &tags);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	if (attributes)
		grafana_push_pairs(state, attributes);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Each object of an array in another form. */
static Datum
grafana_each(Jsonb *items, void (*push)(JsonbParseState **state, JsonbContainer *item))
{
	JsonbParseState *state = NULL;

	if (!JB_ROOT_IS_ARRAY(items) || JB_ROOT_IS_SCALAR(items))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("events and links must be a JSON array")));
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < JB_ROOT_COUNT(items); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(&items->root, i);

		if (item->type == jbvBinary && JsonContainerIsObject(item->val.binary.data))
			push(&state, item->val.binary.data);
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

PG_FUNCTION_INFO_V1(grafana_logs);
Datum
grafana_logs(PG_FUNCTION_ARGS)
{
	return grafana_each(PG_GETARG_JSONB_P(0), grafana_push_log);
}

PG_FUNCTION_INFO_V1(grafana_references);
Datum
grafana_references(PG_FUNCTION_ARGS)
{
	return grafana_each(PG_GETARG_JSONB_P(0), grafana_push_reference);
}
