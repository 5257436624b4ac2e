/*
 * flat_value.h
 *		Looking into attributes, which are JSON objects of keys and values.
 *
 * What JSON has no form for stands there as OTLP has it, in an object of one
 * member: {"bytesValue": ..}, {"doubleValue": ..} or {"kvlistValue": ..}.
 */
#ifndef DISTRIBUTED_FLAT_VALUE_H
#define DISTRIBUTED_FLAT_VALUE_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

static inline bool
flat_is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static inline bool
flat_is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

static inline bool
flat_is_text(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && value->val.string.len == (int) strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/* What an object has for a key, or NULL; also if it is no object. */
static inline JsonbValue *
flat_member(const JsonbValue *object, const char *key)
{
	if (!flat_is_object(object))
		return NULL;
	return getKeyJsonValueFromContainer(object->val.binary.data, key, (int) strlen(key), NULL);
}

/* The same, if it is the only member. */
static inline JsonbValue *
flat_only_member(const JsonbValue *object, const char *key)
{
	if (!flat_is_object(object) || JsonContainerSize(object->val.binary.data) != 1)
		return NULL;
	return flat_member(object, key);
}

/* The list in {"values": [...]}, as OTLP writes arrays and lists of keys and values; or NULL. */
static inline JsonbValue *
flat_values(const JsonbValue *object)
{
	JsonbValue *values = flat_only_member(object, "values");

	return values != NULL && flat_is_array(values) ? values : NULL;
}

/* A whole JSON document as a value. */
static inline void
flat_root(JsonbValue *value, Jsonb *json)
{
	value->type = jbvBinary;
	value->val.binary.data = &json->root;
	value->val.binary.len = (int) VARSIZE(json) - VARHDRSZ;
}

/* Begin to walk through an object or array. */
static inline JsonbIterator *
flat_walk(const JsonbValue *container)
{
	return JsonbIteratorInit(container->val.binary.data);
}

/* The next member of an object, or false at its end. */
static inline bool
flat_next_member(JsonbIterator **walk, JsonbValue *key, JsonbValue *value)
{
	JsonbIteratorToken token = JsonbIteratorNext(walk, key, true);

	if (token == WJB_BEGIN_OBJECT)
		token = JsonbIteratorNext(walk, key, true);
	return token == WJB_KEY && JsonbIteratorNext(walk, value, true) == WJB_VALUE;
}

/* The next element of an array, or false at its end. */
static inline bool
flat_next_element(JsonbIterator **walk, JsonbValue *element)
{
	JsonbIteratorToken token = JsonbIteratorNext(walk, element, true);

	if (token == WJB_BEGIN_ARRAY)
		token = JsonbIteratorNext(walk, element, true);
	return token == WJB_ELEM;
}

/* The object, or array, that a column has; an error if it has something else. */
extern Jsonb *flat_column(Datum json, bool object, const char *column);

/* Writing JSON text. */
extern void flat_begin_item(StringInfo out);
extern void flat_append_text(StringInfo out, const JsonbValue *text);
extern void flat_append_json(StringInfo out, const JsonbValue *value);
extern char *flat_number(const JsonbValue *number);

#endif /* DISTRIBUTED_FLAT_VALUE_H */
