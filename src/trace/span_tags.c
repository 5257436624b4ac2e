/*
 * span_tags.c
 *		Tags of spans, as Jaeger's storage queries understand them.
 *
 * A tag is a key and a value.  A span has it if one of its attributes, or one
 * of an event, a link, the scope or the resource, has this key and value; so do
 * some keys that Jaeger keeps as tags and OTLP as fields: error, span.kind,
 * otel.status_code, otel.scope.name and a few more.  Values are compared as
 * texts, for Jaeger's UI sends all of them as strings: 123 is "123".
 *
 * The index on tags holds 64-bit hashes of key and value.  It may find too much
 * and never too little; span_has_tags looks at the spans themselves.  What is
 * hashed are therefore texts in which all that may be equal is the same: of
 * numbers the shortest form without exponent, of arrays and objects the text
 * without blanks.
 *
 * Source: Jaeger, internal/storage/v2/memory (what matches).
 */
#include "core/compat.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "trace/span_tags.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

/* Keys that stand for fields of the span. */
#define TAG_SERVICE         "service.name"
#define TAG_ERROR           "error"
#define TAG_STATUS          "otel.status_code"
#define TAG_SCOPE_NAME      "otel.scope.name"
#define TAG_SCOPE_VERSION   "otel.scope.version"
#define TAG_RESOURCE_PREFIX "resource."

/* Numbers written with an exponent beyond this are compared as they are written. */
#define TAG_EXPONENT_MOST 400
#define TAG_NUMBER_MOST   1000

/* Bytes that are not ours, not terminated. */
typedef struct Slice
{
	const char *bytes;
	int length;
} Slice;

static inline Slice
slice_of(const char *text)
{
	return (Slice){text, (int) strlen(text)};
}

static inline Slice
slice_of_text(const text *value)
{
	return (Slice){VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value)};
}

static inline bool
slice_equal(Slice a, Slice b)
{
	return a.length == b.length && memcmp(a.bytes, b.bytes, (Size) a.length) == 0;
}

static inline bool
slice_is(Slice slice, const char *text)
{
	return slice_equal(slice, slice_of(text));
}

static inline bool
slice_is_word(Slice slice, const char *word)
{
	return slice.length == (int) strlen(word) &&
		pg_strncasecmp(slice.bytes, word, (Size) slice.length) == 0;
}

/*
 * Values as texts
 */

/* Is this a number as JSON has it?  If so, where its exponent begins, or 0. */
static bool
tag_reads_as_number(Slice text, int *exponent)
{
	int i = 0;
	int digits;

#define DIGITS_FROM(at) \
	for (digits = 0; (at) < text.length && isdigit((unsigned char) text.bytes[at]); (at)++) \
	digits++

	*exponent = 0;
	if (i < text.length && text.bytes[i] == '-')
		i++;
	if (i == text.length || !isdigit((unsigned char) text.bytes[i]))
		return false;
	if (text.bytes[i] == '0')
		i++;
	else
	{
		DIGITS_FROM(i);
	}
	if (i < text.length && text.bytes[i] == '.')
	{
		i++;
		DIGITS_FROM(i);
		if (digits == 0)
			return false;
	}
	if (i < text.length && (text.bytes[i] == 'e' || text.bytes[i] == 'E'))
	{
		*exponent = i++;
		if (i < text.length && (text.bytes[i] == '+' || text.bytes[i] == '-'))
			i++;
		DIGITS_FROM(i);
		if (digits == 0)
			return false;
	}
	return i == text.length;
#undef DIGITS_FROM
}

/* The shortest form of a number that has no exponent. */
static Slice
tag_shortest_number(Slice number)
{
	if (memchr(number.bytes, '.', (Size) number.length) != NULL)
	{
		while (number.bytes[number.length - 1] == '0')
			number.length--;
		if (number.bytes[number.length - 1] == '.')
			number.length--;
	}
	if (slice_is(number, "-0"))
		number = slice_of("0");
	return number;
}

/* A text of JSON without the blanks between its parts. */
static Slice
tag_without_blanks(Slice json)
{
	char *out = palloc((Size) json.length);
	bool quoted = false;
	int length = 0;

	for (int i = 0; i < json.length; i++)
	{
		char c = json.bytes[i];

		if (quoted && c == '\\' && i + 1 < json.length)
			out[length++] = json.bytes[i++];
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && isspace((unsigned char) c))
			continue;
		out[length++] = json.bytes[i];
	}
	return (Slice){out, length};
}

/* One text for all that may be equal. */
static Slice
tag_canonical(Slice text)
{
	int exponent;

	if (text.length == 0)
		return text;
	if (text.bytes[0] == '[' || text.bytes[0] == '{')
		return tag_without_blanks(text);
	if (!tag_reads_as_number(text, &exponent))
		return text;
	if (exponent > 0)
	{
		long shift = strtol(pnstrdup(text.bytes + exponent + 1,
									 (Size) (text.length - exponent - 1)),
							NULL, 10);

		if (text.length > TAG_NUMBER_MOST || shift < -TAG_EXPONENT_MOST ||
			shift > TAG_EXPONENT_MOST)
			return text;
		text = slice_of(DatumGetCString(DirectFunctionCall1(
			numeric_out,
			DirectFunctionCall3(numeric_in,
								CStringGetDatum(pnstrdup(text.bytes, (Size) text.length)),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)))));
	}
	return tag_shortest_number(text);
}

/* What OTLP has and JSON has not is wrapped, {"bytesValue": "AA=="}: the value in it. */
bool
span_tag_unwrap(JsonbContainer *container, JsonbValue *value)
{
	static const char *const wrappers[] = {"bytesValue", "doubleValue"};

	if (!JsonContainerIsObject(container) || JsonContainerSize(container) != 1)
		return false;
	for (int i = 0; i < (int) lengthof(wrappers); i++)
	{
		if (getKeyJsonValueFromContainer(container, wrappers[i], (int) strlen(wrappers[i]),
										 value) != NULL)
			return value->type == jbvString;
	}
	return false;
}

static Slice
tag_text(const JsonbValue *value)
{
	JsonbValue inner;

	switch (value->type)
	{
		case jbvString:
			return (Slice){value->val.string.val, value->val.string.len};
		case jbvNumeric:
			return slice_of(DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
		case jbvBool:
			return slice_of(value->val.boolean ? "true" : "false");
		case jbvBinary:
			if (span_tag_unwrap(value->val.binary.data, &inner))
				return (Slice){inner.val.string.val, inner.val.string.len};
			return slice_of(JsonbToCString(NULL, value->val.binary.data, value->val.binary.len));
		default:
			return slice_of("");
	}
}

/*
 * The tags of a span
 */

typedef struct SpanFields
{
	Jsonb *attributes;
	Jsonb *events;
	Jsonb *links;
	text *scope_name;
	text *scope_version;
	Jsonb *scope_attributes;
	Jsonb *resource;
} SpanFields;

static Jsonb *
span_fields_jsonb(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_JSONB_P(argument);
}

static text *
span_fields_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_TEXT_PP(argument);
}

/* The first arguments of both functions. */
#define SPAN_FIELDS 7

static void
span_fields_read(SpanFields *fields, FunctionCallInfo fcinfo)
{
	fields->attributes = span_fields_jsonb(fcinfo, 0);
	fields->events = span_fields_jsonb(fcinfo, 1);
	fields->links = span_fields_jsonb(fcinfo, 2);
	fields->scope_name = span_fields_text(fcinfo, 3);
	fields->scope_version = span_fields_text(fcinfo, 4);
	fields->scope_attributes = span_fields_jsonb(fcinfo, 5);
	fields->resource = span_fields_jsonb(fcinfo, 6);
}

/* Called with the attributes of one place, an object; true ends the walk. */
typedef bool (*AttributesVisitor)(void *state, JsonbContainer *attributes);

static bool
tags_visit_object(Jsonb *attributes, AttributesVisitor visit, void *state)
{
	return attributes && JB_ROOT_IS_OBJECT(attributes) && visit(state, &attributes->root);
}

static bool
tags_visit_items(Jsonb *items, AttributesVisitor visit, void *state)
{
	if (items == NULL || !JB_ROOT_IS_ARRAY(items) || JB_ROOT_IS_SCALAR(items))
		return false;
	for (uint32 i = 0; i < JB_ROOT_COUNT(items); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(&items->root, i);
		JsonbValue attributes;

		if (item->type == jbvBinary && JsonContainerIsObject(item->val.binary.data) &&
			getKeyJsonValueFromContainer(item->val.binary.data, "attributes",
										 (int) strlen("attributes"), &attributes) != NULL &&
			attributes.type == jbvBinary && JsonContainerIsObject(attributes.val.binary.data) &&
			visit(state, attributes.val.binary.data))
			return true;
	}
	return false;
}

/* Visit the attributes of all places where a tag may stand. */
static bool
tags_visit(const SpanFields *fields, AttributesVisitor visit, void *state)
{
	return tags_visit_object(fields->attributes, visit, state) ||
		tags_visit_items(fields->events, visit, state) ||
		tags_visit_items(fields->links, visit, state) ||
		tags_visit_object(fields->scope_attributes, visit, state) ||
		tags_visit_object(fields->resource, visit, state);
}

/*
 * Hashes
 */

static int64
span_tag_hash(Slice key, Slice text)
{
	text = tag_canonical(text);
	return (int64) hash_bytes_extended((const unsigned char *) text.bytes, text.length,
									   hash_bytes_extended((const unsigned char *) key.bytes,
														   key.length, 0));
}

typedef struct HashList
{
	Datum *items;
	int count;
	int capacity;
} HashList;

static void
hash_list_add(HashList *list, Slice key, Slice text)
{
	if (list->count == list->capacity)
	{
		list->capacity *= 2;
		list->items = repalloc(list->items, sizeof(Datum) * (Size) list->capacity);
	}
	list->items[list->count++] = Int64GetDatum(span_tag_hash(key, text));
}

static bool
hash_list_add_attributes(void *state, JsonbContainer *attributes)
{
	JsonbIterator *iterator = JsonbIteratorInit(attributes);
	JsonbValue item;
	Slice key = {NULL, 0};
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = (Slice){item.val.string.val, item.val.string.len};
		else if (token == WJB_VALUE)
			hash_list_add(state, key, tag_text(&item));
	}
	return false;
}

PG_FUNCTION_INFO_V1(span_tags);
Datum
span_tags(PG_FUNCTION_ARGS)
{
	HashList list = {NULL, 0, 32};
	SpanFields fields;

	span_fields_read(&fields, fcinfo);
	list.items = palloc(sizeof(Datum) * (Size) list.capacity);
	tags_visit(&fields, hash_list_add_attributes, &list);
	if (fields.scope_name)
		hash_list_add(&list, slice_of(TAG_SCOPE_NAME), slice_of_text(fields.scope_name));
	if (fields.scope_version)
		hash_list_add(&list, slice_of(TAG_SCOPE_VERSION), slice_of_text(fields.scope_version));
	if (!PG_ARGISNULL(SPAN_FIELDS))
		hash_list_add(&list, slice_of(TAG_SERVICE), slice_of_text(PG_GETARG_TEXT_PP(SPAN_FIELDS)));
	if (!PG_ARGISNULL(SPAN_FIELDS + 1) && PG_GETARG_BOOL(SPAN_FIELDS + 1))
		hash_list_add(&list, slice_of(TAG_STATUS), slice_of("error"));
	PG_RETURN_ARRAYTYPE_P(construct_array(list.items, list.count, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * Has a span all tags that are asked for?
 */

typedef struct WantedTag
{
	Slice key;
	Slice text;
	Slice canonical;
	bool is_string;
} WantedTag;

static void
wanted_tag_init(WantedTag *tag, const JsonbValue *key, const JsonbValue *value)
{
	tag->key = (Slice){key->val.string.val, key->val.string.len};
	tag->text = tag_text(value);
	tag->canonical = tag_canonical(tag->text);
	tag->is_string = value->type == jbvString;
}

/* Two strings are equal if they are the same; else it matters what they read as. */
static bool
wanted_tag_is(const WantedTag *tag, const JsonbValue *value)
{
	Slice text = tag_text(value);

	return slice_equal(tag->text, text) ||
		(!(tag->is_string && value->type == jbvString) &&
		 slice_equal(tag->canonical, tag_canonical(text)));
}

static bool
wanted_tag_in_attributes(void *state, JsonbContainer *attributes)
{
	const WantedTag *tag = state;
	JsonbValue value;

	return getKeyJsonValueFromContainer(attributes, tag->key.bytes, tag->key.length, &value) !=
		NULL &&
		wanted_tag_is(tag, &value);
}

/* Does the tag stand for this key, which may have several names? */
static bool
wanted_tag_names(const WantedTag *tag, const char *name, const char *other)
{
	return slice_is(tag->key, name) || slice_is(tag->key, other);
}

static bool
wanted_tag_names_status(const WantedTag *tag)
{
	return wanted_tag_names(tag, TAG_STATUS, "span.status");
}

static bool
wanted_tag_names_scope(const WantedTag *tag)
{
	return wanted_tag_names(tag, TAG_SCOPE_NAME, "scope.name") ||
		slice_is(tag->key, "otel.library.name");
}

static bool
wanted_tag_names_scope_version(const WantedTag *tag)
{
	return wanted_tag_names(tag, TAG_SCOPE_VERSION, "scope.version") ||
		slice_is(tag->key, "otel.library.version");
}

/* If the key begins with "resource.", the tag that only the resource may have. */
static bool
wanted_tag_of_resource(const WantedTag *tag, WantedTag *inner)
{
	int prefix = (int) strlen(TAG_RESOURCE_PREFIX);

	if (tag->key.length <= prefix ||
		memcmp(tag->key.bytes, TAG_RESOURCE_PREFIX, (Size) prefix) != 0)
		return false;
	*inner = *tag;
	inner->key.bytes += prefix;
	inner->key.length -= prefix;
	return true;
}

/* Is a text one of true and false, as Go's strconv.ParseBool reads them? */
static bool
slice_reads_as_boolean(Slice slice, bool *value)
{
	*value = slice_is(slice, "1") || slice_is_word(slice, "t") || slice_is_word(slice, "true");
	return *value || slice_is(slice, "0") || slice_is_word(slice, "f") ||
		slice_is_word(slice, "false");
}

static bool
wanted_tag_found(WantedTag *tag, const SpanFields *fields, const text *kind, const text *status,
				 const text *status_message)
{
	bool failed = slice_is(slice_of_text(status), "error");
	bool wanted;
	WantedTag inner;

	if (slice_is(tag->key, TAG_ERROR) && slice_reads_as_boolean(tag->text, &wanted) && !wanted)
	{
		/* all that error=true does not find */
		inner = *tag;
		inner.text = inner.canonical = slice_of("true");
		inner.is_string = false;
		return !failed && !tags_visit(fields, wanted_tag_in_attributes, &inner);
	}
	if (tags_visit(fields, wanted_tag_in_attributes, tag))
		return true;
	if (slice_is(tag->key, TAG_ERROR))
		return failed && slice_reads_as_boolean(tag->text, &wanted);
	if (wanted_tag_names_status(tag))
		return slice_is_word(tag->text, pnstrdup(VARDATA_ANY(status), VARSIZE_ANY_EXHDR(status)));
	if (slice_is(tag->key, "span.kind"))
		return slice_is_word(tag->text, kind ? text_to_cstring(kind) : "unspecified");
	if (slice_is(tag->key, "otel.status_description"))
		return status_message && slice_equal(tag->text, slice_of_text(status_message));
	if (wanted_tag_names_scope(tag))
		return fields->scope_name && slice_equal(tag->text, slice_of_text(fields->scope_name));
	if (wanted_tag_names_scope_version(tag))
		return fields->scope_version &&
			slice_equal(tag->text, slice_of_text(fields->scope_version));
	if (wanted_tag_of_resource(tag, &inner))
		return tags_visit_object(fields->resource, wanted_tag_in_attributes, &inner);
	return false;
}

/* Called for each tag that is asked for; false ends the walk. */
typedef bool (*WantedTagVisitor)(void *state, WantedTag *tag);

static bool
wanted_tags_visit(const Jsonb *tags, WantedTagVisitor visit, void *state)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &tags->root));
	JsonbValue key;
	JsonbValue value;
	JsonbIteratorToken token;
	WantedTag tag;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		wanted_tag_init(&tag, &key, &value);
		if (!visit(state, &tag))
			return false;
	}
	return true;
}

typedef struct TaggedSpan
{
	SpanFields fields;
	text *kind;
	text *status;
	text *status_message;
} TaggedSpan;

static bool
tagged_span_has(void *state, WantedTag *tag)
{
	const TaggedSpan *span = state;

	return wanted_tag_found(tag, &span->fields, span->kind, span->status, span->status_message);
}

PG_FUNCTION_INFO_V1(span_has_tags);
Datum
span_has_tags(PG_FUNCTION_ARGS)
{
	const Jsonb *tags = span_fields_jsonb(fcinfo, SPAN_FIELDS + 3);
	TaggedSpan span;

	if (tags == NULL)
		PG_RETURN_BOOL(true);
	span_tags_check(tags);
	span_fields_read(&span.fields, fcinfo);
	span.kind = span_fields_text(fcinfo, SPAN_FIELDS);
	span.status = span_fields_text(fcinfo, SPAN_FIELDS + 1);
	if (span.status == NULL)
		span.status = cstring_to_text("unset");
	span.status_message = span_fields_text(fcinfo, SPAN_FIELDS + 2);
	PG_RETURN_BOOL(wanted_tags_visit(tags, tagged_span_has, &span));
}

void
span_tags_check(const Jsonb *tags)
{
	if (!JB_ROOT_IS_OBJECT(tags))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("tags must be a JSON object"),
				 errhint("Give a value for each key, such as {\"http.method\": \"GET\"}.")));
}

/*
 * Conditions that an index on span_tags answers
 */

typedef struct IndexConditions
{
	StringInfo sql;
	const char *expression;
	StringInfoData all; /* hashes that a span must have */
	bool found;         /* is there any condition but the service? */
} IndexConditions;

static void
index_conditions_add(IndexConditions *conditions, Slice key, Slice text)
{
	appendStringInfo(&conditions->all, "%s" INT64_FORMAT, conditions->all.len > 0 ? "," : "",
					 span_tag_hash(key, text));
}

/* The span has the attribute, or what the other key and text tell. */
static bool
index_conditions_add_either(IndexConditions *conditions, const WantedTag *tag, Slice key,
							Slice text)
{
	appendStringInfo(conditions->sql, " AND %s && '{" INT64_FORMAT "," INT64_FORMAT "}'::int8[]",
					 conditions->expression, span_tag_hash(tag->key, tag->text),
					 span_tag_hash(key, text));
	return conditions->found = true;
}

static bool
index_conditions_add_tag(void *state, WantedTag *tag)
{
	IndexConditions *conditions = state;
	WantedTag inner;
	bool wanted;

	if (slice_is(tag->key, TAG_ERROR) && slice_reads_as_boolean(tag->text, &wanted))
		return !wanted ||
			index_conditions_add_either(conditions, tag, slice_of(TAG_STATUS), slice_of("error"));
	if (wanted_tag_names_status(tag))
		return !slice_is_word(tag->text, "error") ||
			index_conditions_add_either(conditions, tag, slice_of(TAG_STATUS), slice_of("error"));
	if (slice_is(tag->key, "span.kind") || slice_is(tag->key, "otel.status_description"))
		return true;
	if (wanted_tag_names_scope(tag))
		return index_conditions_add_either(conditions, tag, slice_of(TAG_SCOPE_NAME), tag->text);
	if (wanted_tag_names_scope_version(tag))
		return index_conditions_add_either(conditions, tag, slice_of(TAG_SCOPE_VERSION), tag->text);
	if (wanted_tag_of_resource(tag, &inner))
		return index_conditions_add_either(conditions, tag, inner.key, inner.text);
	index_conditions_add(conditions, tag->key, tag->text);
	return conditions->found = true;
}

/*
 * Append to a condition, for an expression of span_tags, what must be true of
 * its hashes if a span has the tags, and is of the service (which may be NULL).
 * False if that says nothing about the tags.
 */
bool
span_tags_index_conditions(StringInfo sql, const char *expression, const Jsonb *tags,
						   const text *service)
{
	IndexConditions conditions;

	conditions.sql = sql;
	conditions.expression = expression;
	conditions.found = false;
	initStringInfo(&conditions.all);
	wanted_tags_visit(tags, index_conditions_add_tag, &conditions);
	if (service && conditions.found)
		index_conditions_add(&conditions, slice_of(TAG_SERVICE), slice_of_text(service));
	if (conditions.all.len > 0)
		appendStringInfo(sql, " AND %s @> '{%s}'::int8[]", expression, conditions.all.data);
	return conditions.found;
}
