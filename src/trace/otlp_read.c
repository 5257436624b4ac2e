/*
 * otlp_read.c
 *		Spans of OTLP/JSON.
 *
 * The payload is read where it lies, each object once: jsonb keeps members
 * sorted, so a sorted list of the known names finds all fields in one pass.
 * What a resource or scope says is made ready once for all its spans.
 *
 * Read is what exporters write: fields by their names in JSON or in the
 * protocol's definition (traceId, trace_id), null for absent, 64-bit numbers as
 * strings or numbers, enums as numbers or names; unknown fields are ignored.
 * Exporters older than OTLP 0.15 say instrumentationLibrary for scope.
 *
 * Source: opentelemetry-proto, trace.proto; the OTLP specification, "JSON
 * Protobuf Encoding"; the JSON mapping of proto3.
 */
#include "core/compat.h"

#include "miscadmin.h"
#include "trace/hex_id.h"
#include "trace/otlp_read.h"
#include "trace/span_forest.h"
#include "utils/memutils.h"

#define PAYLOAD_HINT "A payload has the form {\"resourceSpans\": [...]}."
#define ID_HINT      "Ids are hexadecimal digits: 32 of a trace, 16 of a span."

/* The status of each of OTLP's numbers: unset, ok, error. */
static const int otlp_statuses[] = {0, 2, SPAN_STATUS_ERROR};

/* Has OTLP a number for a status? */
bool
otlp_status_is_known(int status)
{
	return status == otlp_statuses[0] || status == otlp_statuses[1] || status == otlp_statuses[2];
}

/* The number that a kind has in OTLP, if nothing else is said. */
int
otlp_kind_default(int kind)
{
	return kind < 0 ? 0 : kind <= SPAN_KIND_CONSUMER ? kind + 1 : OTLP_KIND_INTERNAL;
}

/* The same of a status: what OTLP has no number for has not been set there. */
int
otlp_status_default(int status)
{
	return status == otlp_statuses[1] ? 1 : status == otlp_statuses[2] ? OTLP_STATUS_ERROR : 0;
}

/*
 * Fields
 */

typedef enum OtlpField
{
	FIELD_ATTRIBUTES,
	FIELD_CODE,
	FIELD_DROPPED_ATTRIBUTES,
	FIELD_DROPPED_EVENTS,
	FIELD_DROPPED_LINKS,
	FIELD_END,
	FIELD_EVENTS,
	FIELD_FLAGS,
	FIELD_KIND,
	FIELD_LINKS,
	FIELD_MESSAGE,
	FIELD_NAME,
	FIELD_PARENT_SPAN_ID,
	FIELD_RESOURCE,
	FIELD_RESOURCE_SPANS,
	FIELD_SCHEMA_URL,
	FIELD_SCOPE,
	FIELD_SCOPE_SPANS,
	FIELD_SPAN_ID,
	FIELD_SPANS,
	FIELD_START,
	FIELD_STATUS,
	FIELD_TIME,
	FIELD_TRACE_ID,
	FIELD_TRACE_STATE,
	FIELD_VERSION
} OtlpField;

typedef struct FieldName
{
	const char *name;
	int length;
	OtlpField field;
} FieldName;

#define FIELD(name, field) \
	{ \
		name, sizeof(name) - 1, field \
	}

/* Each list in the order of jsonb: shorter names first. */
static const FieldName payload_fields[] = {
	FIELD("resourceSpans", FIELD_RESOURCE_SPANS),
	FIELD("resource_spans", FIELD_RESOURCE_SPANS),
};

static const FieldName resource_spans_fields[] = {
	FIELD("resource", FIELD_RESOURCE),
	FIELD("schemaUrl", FIELD_SCHEMA_URL),
	FIELD("schema_url", FIELD_SCHEMA_URL),
	FIELD("scopeSpans", FIELD_SCOPE_SPANS),
	FIELD("scope_spans", FIELD_SCOPE_SPANS),
	FIELD("instrumentationLibrarySpans", FIELD_SCOPE_SPANS),
	FIELD("instrumentation_library_spans", FIELD_SCOPE_SPANS),
};

static const FieldName scope_spans_fields[] = {
	FIELD("scope", FIELD_SCOPE),
	FIELD("spans", FIELD_SPANS),
	FIELD("schemaUrl", FIELD_SCHEMA_URL),
	FIELD("schema_url", FIELD_SCHEMA_URL),
	FIELD("instrumentationLibrary", FIELD_SCOPE),
	FIELD("instrumentation_library", FIELD_SCOPE),
};

/* Of a resource and of a scope. */
static const FieldName group_fields[] = {
	FIELD("name", FIELD_NAME),
	FIELD("version", FIELD_VERSION),
	FIELD("attributes", FIELD_ATTRIBUTES),
	FIELD("droppedAttributesCount", FIELD_DROPPED_ATTRIBUTES),
	FIELD("dropped_attributes_count", FIELD_DROPPED_ATTRIBUTES),
};

static const FieldName span_fields[] = {
	FIELD("kind", FIELD_KIND),
	FIELD("name", FIELD_NAME),
	FIELD("flags", FIELD_FLAGS),
	FIELD("links", FIELD_LINKS),
	FIELD("events", FIELD_EVENTS),
	FIELD("spanId", FIELD_SPAN_ID),
	FIELD("status", FIELD_STATUS),
	FIELD("span_id", FIELD_SPAN_ID),
	FIELD("traceId", FIELD_TRACE_ID),
	FIELD("trace_id", FIELD_TRACE_ID),
	FIELD("attributes", FIELD_ATTRIBUTES),
	FIELD("traceState", FIELD_TRACE_STATE),
	FIELD("trace_state", FIELD_TRACE_STATE),
	FIELD("parentSpanId", FIELD_PARENT_SPAN_ID),
	FIELD("parent_span_id", FIELD_PARENT_SPAN_ID),
	FIELD("endTimeUnixNano", FIELD_END),
	FIELD("droppedLinksCount", FIELD_DROPPED_LINKS),
	FIELD("startTimeUnixNano", FIELD_START),
	FIELD("droppedEventsCount", FIELD_DROPPED_EVENTS),
	FIELD("end_time_unix_nano", FIELD_END),
	FIELD("dropped_links_count", FIELD_DROPPED_LINKS),
	FIELD("dropped_events_count", FIELD_DROPPED_EVENTS),
	FIELD("start_time_unix_nano", FIELD_START),
	FIELD("droppedAttributesCount", FIELD_DROPPED_ATTRIBUTES),
	FIELD("dropped_attributes_count", FIELD_DROPPED_ATTRIBUTES),
};

static const FieldName status_fields[] = {
	FIELD("code", FIELD_CODE),
	FIELD("message", FIELD_MESSAGE),
};

static const FieldName event_fields[] = {
	FIELD("name", FIELD_NAME),
	FIELD("attributes", FIELD_ATTRIBUTES),
	FIELD("timeUnixNano", FIELD_TIME),
	FIELD("time_unix_nano", FIELD_TIME),
	FIELD("droppedAttributesCount", FIELD_DROPPED_ATTRIBUTES),
	FIELD("dropped_attributes_count", FIELD_DROPPED_ATTRIBUTES),
};

static const FieldName link_fields[] = {
	FIELD("flags", FIELD_FLAGS),
	FIELD("spanId", FIELD_SPAN_ID),
	FIELD("span_id", FIELD_SPAN_ID),
	FIELD("traceId", FIELD_TRACE_ID),
	FIELD("trace_id", FIELD_TRACE_ID),
	FIELD("attributes", FIELD_ATTRIBUTES),
	FIELD("traceState", FIELD_TRACE_STATE),
	FIELD("trace_state", FIELD_TRACE_STATE),
	FIELD("droppedAttributesCount", FIELD_DROPPED_ATTRIBUTES),
	FIELD("dropped_attributes_count", FIELD_DROPPED_ATTRIBUTES),
};

typedef struct FieldScan
{
	JsonbScan scan;
	const FieldName *names; /* those not yet passed */
	const FieldName *end;
} FieldScan;

/*
 * The next field that is known and not null; false after the last.  *name, as
 * the payload has it, is of static storage.
 */
static bool
field_next(FieldScan *fields, const FieldName **name, JsonbValue *value)
{
	const char *key;
	int length;

	while (jsonb_scan_member(&fields->scan, &key, &length, value))
	{
		int order = 1;

		while (fields->names < fields->end &&
			   (order = jsonb_key_compare(fields->names->name, fields->names->length, key,
										  length)) < 0)
			fields->names++;
		if (fields->names == fields->end)
			return false;
		if (order == 0 && value->type != jbvNull)
		{
			*name = fields->names;
			return true;
		}
	}
	return false;
}

/*
 * Reading
 */

typedef struct OtlpReader
{
	OtlpSource source; /* must be first */
	OtlpConsume consume;
	void *state;

	/* where the reader is */
	uint32 resource_index;
	uint32 scope_index;
	uint32 span_index;
	const char *scopes_name; /* scopeSpans, or what older exporters say */
	bool in_scope;
	bool in_span;
	const JsonbContainer *span_bytes; /* of the span, once it is known to be an object */
	const char *part;                 /* events or links, or NULL */
	uint32 part_index;

	MemoryContext span_context; /* for what one span needs */
	OtlpGroup resource;
	OtlpGroup scope;
	OtlpSpan span;
	Jsonb *no_parts; /* an empty array */
	StringInfoData resource_image;
	StringInfoData scope_image;
	StringInfoData attribute_image;
	StringInfoData event_image;
	StringInfoData link_image;
	OtlpOrder resource_order;
	OtlpOrder scope_order;
	OtlpOrder attribute_order;
	OtlpOrder event_order;
	OtlpOrder link_order;
} OtlpReader;

/* One of the ids of a span, as it came, if it is one. */
static bool
otlp_peek_id(const JsonbContainer *span, const char *name, const char *other_name, int digits,
			 JsonbValue *id)
{
	const char *names[] = {name, other_name};
	JsonbValue value;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		const char *text;

		if (!getKeyJsonValueFromContainer((JsonbContainer *) span, names[i], (int) strlen(names[i]),
										  &value) ||
			value.type != jbvString || value.val.string.len != digits)
			continue;
		text = pnstrdup(value.val.string.val, (Size) digits);
		if (strspn(text, "0123456789abcdefABCDEF") == (size_t) digits &&
			strspn(text, "0") < (size_t) digits)
		{
			*id = value;
			return true;
		}
	}
	return false;
}

/* Name the span that is being read, by its ids if it has them, or else by its place. */
static void
otlp_locate(const OtlpSource *source, StringInfo detail)
{
	const OtlpReader *reader = (const OtlpReader *) source;
	JsonbValue trace_id;
	JsonbValue span_id;

	if (reader->span_bytes &&
		otlp_peek_id(reader->span_bytes, "traceId", "trace_id", 2 * TRACE_ID_BYTES, &trace_id) &&
		otlp_peek_id(reader->span_bytes, "spanId", "span_id", 2 * SPAN_ID_BYTES, &span_id))
		appendStringInfo(detail, "In span %.*s of trace %.*s", span_id.val.string.len,
						 span_id.val.string.val, trace_id.val.string.len, trace_id.val.string.val);
	else
	{
		appendStringInfo(detail, "In resourceSpans[%u]", reader->resource_index);
		if (reader->in_scope)
			appendStringInfo(detail, ".%s[%u]", reader->scopes_name, reader->scope_index);
		if (reader->in_span)
			appendStringInfo(detail, ".spans[%u]", reader->span_index);
	}
	if (reader->part)
		appendStringInfo(detail, ", %s[%u]", reader->part, reader->part_index);
	appendStringInfoString(detail, ": ");
}

static void
otlp_fields(FieldScan *fields, const JsonbContainer *object, const FieldName *names, int count)
{
	jsonb_scan_open(&fields->scan, object);
	fields->names = names;
	fields->end = names + count;
}

#define OTLP_FIELDS(fields, object, names) otlp_fields(fields, object, names, lengthof(names))

static const JsonbContainer *
otlp_object(const OtlpReader *reader, const JsonbValue *value, const char *name)
{
	if (!jsonb_is_object(value))
		otlp_fault(&reader->source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "%s is not an object.", name);
	return value->val.binary.data;
}

static const JsonbContainer *
otlp_array(const OtlpReader *reader, const JsonbValue *value, const char *name)
{
	if (!jsonb_is_array(value))
		otlp_fault(&reader->source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "%s is not an array.", name);
	return value->val.binary.data;
}

/* A text; an empty one is as good as none. */
static OtlpBytes
otlp_text(const OtlpReader *reader, const JsonbValue *value, const char *name)
{
	OtlpBytes text = {NULL, 0};

	if (value->type != jbvString)
		otlp_fault(&reader->source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "%s is not a string.", name);
	if (value->val.string.len > 0)
	{
		text.data = value->val.string.val;
		text.length = value->val.string.len;
	}
	return text;
}

/* An id; false if there is none, or one of zeros only. */
static bool
otlp_id(const OtlpReader *reader, const JsonbValue *value, const char *name, uint8 *id, Size size)
{
	OtlpBytes text = otlp_text(reader, value, name);
	bool nil = true;

	if (text.length == 0)
		return false;
	if ((Size) text.length != 2 * size)
		otlp_fault(&reader->source, ERRCODE_INVALID_TEXT_REPRESENTATION, ID_HINT,
				   "%s has %d characters instead of %zu: \"%s\".", name, text.length, 2 * size,
				   otlp_excerpt(text.data, text.length));
	for (Size i = 0; i < size; i++)
	{
		int high = hex_digit_value(text.data[2 * i]);
		int low = hex_digit_value(text.data[2 * i + 1]);

		if (high < 0 || low < 0)
			otlp_fault(&reader->source, ERRCODE_INVALID_TEXT_REPRESENTATION, ID_HINT,
					   "%s has characters other than hexadecimal digits: \"%s\".", name,
					   otlp_excerpt(text.data, text.length));
		id[i] = (uint8) ((unsigned) high << 4 | (unsigned) low);
		nil = nil && id[i] == 0;
	}
	return !nil;
}

static int64
otlp_time(const OtlpReader *reader, const JsonbValue *value, const char *name)
{
	return otlp_integer(&reader->source, value, name, 0, PG_INT64_MAX);
}

static int64
otlp_count(const OtlpReader *reader, const JsonbValue *value, const char *name)
{
	return otlp_integer(&reader->source, value, name, 0, PG_UINT32_MAX);
}

/* An enum: a number, or one of its names. */
static int
otlp_enum(const OtlpReader *reader, const JsonbValue *value, const char *name,
		  const char *const *names, int count, int most)
{
	if (value->type == jbvString)
	{
		for (int i = 0; i < count; i++)
		{
			if (value->val.string.len == (int) strlen(names[i]) &&
				memcmp(value->val.string.val, names[i], strlen(names[i])) == 0)
				return i;
		}
	}
	return (int) otlp_integer(&reader->source, value, name, 0, most);
}

static OtlpBytes
otlp_order_bytes(const OtlpOrder *order)
{
	OtlpBytes bytes = {NULL, 0};

	if (order->differs)
	{
		bytes.data = order->bytes.data;
		bytes.length = order->bytes.len;
	}
	return bytes;
}

/* A resource or scope, or none if object is NULL. */
static void
otlp_read_group(OtlpReader *reader, const JsonbContainer *object, bool is_scope, OtlpGroup *group,
				StringInfo image, OtlpOrder *order)
{
	const JsonbContainer *attributes = NULL;
	const FieldName *name;
	FieldScan fields;
	JsonbValue value;

	memset(group, 0, sizeof(OtlpGroup));
	if (object)
		OTLP_FIELDS(&fields, object, group_fields);
	while (object && field_next(&fields, &name, &value))
	{
		switch (name->field)
		{
			case FIELD_ATTRIBUTES:
				attributes = otlp_array(reader, &value, name->name);
				break;
			case FIELD_DROPPED_ATTRIBUTES:
				group->dropped_attributes = otlp_count(reader, &value, name->name);
				break;
			case FIELD_NAME:
				if (is_scope)
					group->name = otlp_text(reader, &value, name->name);
				break;
			case FIELD_VERSION:
				if (is_scope)
					group->version = otlp_text(reader, &value, name->name);
				break;
			default:
				break;
		}
	}
	jsonb_image_start(image);
	otlp_order_start(order);
	otlp_flatten(&reader->source, attributes, image, NULL, order);
	group->attributes = jsonb_image_finish(image);
	group->order = otlp_order_bytes(order);
}

static void
otlp_read_status(OtlpReader *reader, const JsonbContainer *object)
{
	static const char *const codes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
	const FieldName *name;
	FieldScan fields;
	JsonbValue value;

	OTLP_FIELDS(&fields, object, status_fields);
	while (field_next(&fields, &name, &value))
	{
		if (name->field == FIELD_CODE)
			reader->span.otlp_status = otlp_enum(reader, &value, "status.code", codes,
												 lengthof(codes), OTLP_STATUS_ERROR);
		else
			reader->span.status_message = otlp_text(reader, &value, "status.message");
	}
}

/* Members that an event or link has, beside those it always has. */
typedef struct OtlpPart
{
	OtlpBytes name;
	OtlpBytes trace_state;
	int64 time;
	int64 flags;
	int64 dropped_attributes;
	uint8 trace_id[TRACE_ID_BYTES];
	uint8 span_id[SPAN_ID_BYTES];
	bool has_trace_id;
	bool has_span_id;
	const JsonbContainer *attributes;
} OtlpPart;

static void
otlp_read_part(OtlpReader *reader, const JsonbContainer *object, const FieldName *names, int count,
			   OtlpPart *part)
{
	const FieldName *name;
	FieldScan fields;
	JsonbValue value;

	memset(part, 0, sizeof(OtlpPart));
	otlp_fields(&fields, object, names, count);
	while (field_next(&fields, &name, &value))
	{
		switch (name->field)
		{
			case FIELD_NAME:
				part->name = otlp_text(reader, &value, name->name);
				break;
			case FIELD_TIME:
				part->time = otlp_time(reader, &value, name->name);
				break;
			case FIELD_FLAGS:
				part->flags = otlp_count(reader, &value, name->name);
				break;
			case FIELD_TRACE_ID:
				/* a link to nowhere may have a nil id, or none */
				otlp_id(reader, &value, name->name, part->trace_id, TRACE_ID_BYTES);
				part->has_trace_id = value.val.string.len > 0;
				break;
			case FIELD_SPAN_ID:
				otlp_id(reader, &value, name->name, part->span_id, SPAN_ID_BYTES);
				part->has_span_id = value.val.string.len > 0;
				break;
			case FIELD_TRACE_STATE:
				part->trace_state = otlp_text(reader, &value, name->name);
				break;
			case FIELD_ATTRIBUTES:
				part->attributes = otlp_array(reader, &value, name->name);
				if (JsonContainerSize(part->attributes) == 0)
					part->attributes = NULL;
				break;
			case FIELD_DROPPED_ATTRIBUTES:
				part->dropped_attributes = otlp_count(reader, &value, name->name);
				break;
			default:
				break;
		}
	}
}

static void
otlp_put_event(OtlpReader *reader, const OtlpPart *event, StringInfo image, JsonbWriter *list)
{
	JsonbWriter object;

	jsonb_open(image, &object, true,
			   1 + (event->name.length > 0) + (event->attributes != NULL) +
				   (event->dropped_attributes > 0));
	if (event->name.length > 0)
		jsonb_put_literal(image, &object, "name");
	jsonb_put_literal(image, &object, "time_ns");
	if (event->attributes)
		jsonb_put_literal(image, &object, "attributes");
	if (event->dropped_attributes > 0)
		jsonb_put_literal(image, &object, "dropped_attributes_count");
	if (event->name.length > 0)
		jsonb_put_string(image, &object, event->name.data, (Size) event->name.length);
	jsonb_put_integer(image, &object, event->time);
	if (event->attributes)
		otlp_flatten(&reader->source, event->attributes, image, &object, &reader->event_order);
	if (event->dropped_attributes > 0)
		jsonb_put_integer(image, &object, event->dropped_attributes);
	jsonb_close_into(image, &object, list);
}

static void
otlp_put_id(StringInfo image, JsonbWriter *object, const uint8 *id, Size size)
{
	char *text = hex_id_write(id, size);

	jsonb_put_string(image, object, text, 2 * size);
	pfree(text);
}

static void
otlp_put_link(OtlpReader *reader, const OtlpPart *link, StringInfo image, JsonbWriter *list)
{
	JsonbWriter object;

	jsonb_open(image, &object, true,
			   (link->flags > 0) + link->has_span_id + link->has_trace_id +
				   (link->attributes != NULL) + (link->trace_state.length > 0) +
				   (link->dropped_attributes > 0));
	if (link->flags > 0)
		jsonb_put_literal(image, &object, "flags");
	if (link->has_span_id)
		jsonb_put_literal(image, &object, "span_id");
	if (link->has_trace_id)
		jsonb_put_literal(image, &object, "trace_id");
	if (link->attributes)
		jsonb_put_literal(image, &object, "attributes");
	if (link->trace_state.length > 0)
		jsonb_put_literal(image, &object, "trace_state");
	if (link->dropped_attributes > 0)
		jsonb_put_literal(image, &object, "dropped_attributes_count");
	if (link->flags > 0)
		jsonb_put_integer(image, &object, link->flags);
	if (link->has_span_id)
		otlp_put_id(image, &object, link->span_id, SPAN_ID_BYTES);
	if (link->has_trace_id)
		otlp_put_id(image, &object, link->trace_id, TRACE_ID_BYTES);
	if (link->attributes)
		otlp_flatten(&reader->source, link->attributes, image, &object, &reader->link_order);
	if (link->trace_state.length > 0)
		jsonb_put_string(image, &object, link->trace_state.data, (Size) link->trace_state.length);
	if (link->dropped_attributes > 0)
		jsonb_put_integer(image, &object, link->dropped_attributes);
	jsonb_close_into(image, &object, list);
}

/* The events or links of a span, flat, and the order of their attributes. */
static Jsonb *
otlp_read_parts(OtlpReader *reader, const JsonbContainer *array, bool is_event, StringInfo image)
{
	JsonbWriter list;
	JsonbScan scan;
	JsonbValue element;
	OtlpPart part;

	reader->part = is_event ? "events" : "links";
	jsonb_scan_open(&scan, array);
	jsonb_image_start(image);
	jsonb_open(image, &list, false, scan.count);
	while (jsonb_scan_element(&scan, &element))
	{
		const JsonbContainer *object;

		reader->part_index = scan.next - 1;
		object = otlp_object(reader, &element, "The element");
		if (is_event)
		{
			otlp_read_part(reader, object, event_fields, lengthof(event_fields), &part);
			otlp_put_event(reader, &part, image, &list);
		}
		else
		{
			otlp_read_part(reader, object, link_fields, lengthof(link_fields), &part);
			otlp_put_link(reader, &part, image, &list);
		}
	}
	reader->part = NULL;
	return jsonb_image_finish(image);
}

/* Which of the labels from "first" on is a span's attribute, or -1. */
static int
otlp_find_label(const Jsonb *attributes, const char *key, const char *const *labels, int first,
				int count)
{
	JsonbValue value;

	if (!getKeyJsonValueFromContainer((JsonbContainer *) &attributes->root, key, (int) strlen(key),
									  &value) ||
		value.type != jbvString)
		return -1;
	for (int i = first; i < count; i++)
	{
		if (value.val.string.len == (int) strlen(labels[i]) &&
			memcmp(value.val.string.val, labels[i], (Size) value.val.string.len) == 0)
			return i;
	}
	return -1;
}

/* Kind and status: what OTLP has numbers for, unless attributes name others. */
static void
otlp_decide(OtlpSpan *span)
{
	int kind = otlp_find_label(span->attributes, "span.kind", span_kind_labels,
							   SPAN_KIND_CONSUMER + 1, span_kind_count);
	int status = otlp_find_label(span->attributes, "span.status", span_status_labels, 1,
								 span_status_count);

	if (kind >= 0)
		span->kind = kind;
	else if (span->otlp_kind >= OTLP_KIND_INTERNAL && span->otlp_kind <= OTLP_KIND_CONSUMER)
		span->kind = span->otlp_kind - 1;
	else
		span->kind = -1;
	if (status >= 0 && !otlp_status_is_known(status))
		span->status = status;
	else
		span->status = otlp_statuses[span->otlp_status];
}

static void
otlp_read_span(OtlpReader *reader, const JsonbContainer *object)
{
	static const char *const kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
										"SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
										"SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
	OtlpSpan *span = &reader->span;
	const JsonbContainer *attributes = NULL;
	const FieldName *name;
	bool has_trace_id = false;
	bool has_span_id = false;
	FieldScan fields;
	JsonbValue value;

	memset(span, 0, sizeof(OtlpSpan));
	reader->span_bytes = object;
	span->resource = &reader->resource;
	span->scope = &reader->scope;
	otlp_order_start(&reader->event_order);
	otlp_order_start(&reader->link_order);
	OTLP_FIELDS(&fields, object, span_fields);
	while (field_next(&fields, &name, &value))
	{
		switch (name->field)
		{
			case FIELD_KIND:
				span->otlp_kind = otlp_enum(reader, &value, "kind", kinds, lengthof(kinds),
											PG_INT16_MAX);
				break;
			case FIELD_NAME:
				span->name = otlp_text(reader, &value, name->name);
				break;
			case FIELD_FLAGS:
				span->flags = otlp_count(reader, &value, name->name);
				break;
			case FIELD_LINKS:
				span->links = otlp_read_parts(reader, otlp_array(reader, &value, name->name), false,
											  &reader->link_image);
				break;
			case FIELD_EVENTS:
				span->events = otlp_read_parts(reader, otlp_array(reader, &value, name->name), true,
											   &reader->event_image);
				break;
			case FIELD_SPAN_ID:
				has_span_id = otlp_id(reader, &value, name->name, span->span_id, SPAN_ID_BYTES);
				break;
			case FIELD_STATUS:
				otlp_read_status(reader, otlp_object(reader, &value, name->name));
				break;
			case FIELD_TRACE_ID:
				has_trace_id = otlp_id(reader, &value, name->name, span->trace_id, TRACE_ID_BYTES);
				break;
			case FIELD_ATTRIBUTES:
				attributes = otlp_array(reader, &value, name->name);
				break;
			case FIELD_TRACE_STATE:
				span->trace_state = otlp_text(reader, &value, name->name);
				break;
			case FIELD_PARENT_SPAN_ID:
				span->has_parent = otlp_id(reader, &value, name->name, span->parent_span_id,
										   SPAN_ID_BYTES);
				break;
			case FIELD_END:
				span->end = otlp_time(reader, &value, name->name);
				break;
			case FIELD_START:
				span->start = otlp_time(reader, &value, name->name);
				break;
			case FIELD_DROPPED_LINKS:
				span->dropped_links = otlp_count(reader, &value, name->name);
				break;
			case FIELD_DROPPED_EVENTS:
				span->dropped_events = otlp_count(reader, &value, name->name);
				break;
			case FIELD_DROPPED_ATTRIBUTES:
				span->dropped_attributes = otlp_count(reader, &value, name->name);
				break;
			default:
				break;
		}
	}
	if (!has_trace_id)
		otlp_fault(&reader->source, ERRCODE_INVALID_TEXT_REPRESENTATION, ID_HINT,
				   "traceId is missing, or has only zeros.");
	if (!has_span_id)
		otlp_fault(&reader->source, ERRCODE_INVALID_TEXT_REPRESENTATION, ID_HINT,
				   "spanId is missing, or has only zeros.");
	if (span->start == 0)
		otlp_fault(&reader->source, ERRCODE_INVALID_TEXT_REPRESENTATION, NULL,
				   "startTimeUnixNano is missing, or 0.");
	span->has_ended = span->end != 0;
	if (span->has_ended && span->end < span->start)
		otlp_fault(&reader->source, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
				   "The end, " INT64_FORMAT ", is before the start, " INT64_FORMAT ".", span->end,
				   span->start);

	jsonb_image_start(&reader->attribute_image);
	otlp_order_start(&reader->attribute_order);
	otlp_flatten(&reader->source, attributes, &reader->attribute_image, NULL,
				 &reader->attribute_order);
	span->attributes = jsonb_image_finish(&reader->attribute_image);
	if (span->events == NULL)
		span->events = reader->no_parts;
	if (span->links == NULL)
		span->links = reader->no_parts;
	span->attribute_order = otlp_order_bytes(&reader->attribute_order);
	span->event_order = otlp_order_bytes(&reader->event_order);
	span->link_order = otlp_order_bytes(&reader->link_order);
	otlp_decide(span);
	reader->consume(reader->state, span);
	reader->span_bytes = NULL;
}

static void
otlp_read_scope_spans(OtlpReader *reader, const JsonbContainer *object)
{
	const JsonbContainer *scope = NULL;
	const JsonbContainer *spans = NULL;
	OtlpBytes schema_url = {NULL, 0};
	const FieldName *name;
	FieldScan fields;
	JsonbValue value;
	JsonbScan scan;

	OTLP_FIELDS(&fields, object, scope_spans_fields);
	while (field_next(&fields, &name, &value))
	{
		switch (name->field)
		{
			case FIELD_SCOPE:
				scope = otlp_object(reader, &value, name->name);
				break;
			case FIELD_SPANS:
				spans = otlp_array(reader, &value, name->name);
				break;
			default:
				schema_url = otlp_text(reader, &value, name->name);
				break;
		}
	}
	otlp_read_group(reader, scope, true, &reader->scope, &reader->scope_image,
					&reader->scope_order);
	reader->scope.schema_url = schema_url;
	if (spans == NULL)
		return;
	jsonb_scan_open(&scan, spans);
	while (jsonb_scan_element(&scan, &value))
	{
		MemoryContext old = MemoryContextSwitchTo(reader->span_context);

		CHECK_FOR_INTERRUPTS();
		reader->span_index = scan.next - 1;
		reader->in_span = true;
		otlp_read_span(reader, otlp_object(reader, &value, "The element"));
		reader->in_span = false;
		MemoryContextSwitchTo(old);
		MemoryContextReset(reader->span_context);
	}
}

/* The scopes of a resource: a list of them, or two, if old and new names are mixed. */
static void
otlp_read_scopes(OtlpReader *reader, const JsonbContainer *scopes, const char *name)
{
	JsonbValue value;
	JsonbScan scan;

	reader->scopes_name = name;
	reader->in_scope = true;
	jsonb_scan_open(&scan, scopes);
	while (jsonb_scan_element(&scan, &value))
	{
		CHECK_FOR_INTERRUPTS();
		reader->scope_index = scan.next - 1;
		otlp_read_scope_spans(reader, otlp_object(reader, &value, "The element"));
	}
	reader->in_scope = false;
}

static void
otlp_read_resource_spans(OtlpReader *reader, const JsonbContainer *object)
{
	const JsonbContainer *resource = NULL;
	OtlpBytes schema_url = {NULL, 0};
	const FieldName *name;
	FieldScan fields;
	JsonbValue value;
	bool is_read = false;

	/* all but the scopes come first: their names are shorter */
	OTLP_FIELDS(&fields, object, resource_spans_fields);
	while (field_next(&fields, &name, &value))
	{
		switch (name->field)
		{
			case FIELD_RESOURCE:
				resource = otlp_object(reader, &value, name->name);
				break;
			case FIELD_SCHEMA_URL:
				schema_url = otlp_text(reader, &value, name->name);
				break;
			default:
				if (!is_read)
					otlp_read_group(reader, resource, false, &reader->resource,
									&reader->resource_image, &reader->resource_order);
				is_read = true;
				reader->resource.schema_url = schema_url;
				otlp_read_scopes(reader, otlp_array(reader, &value, name->name), name->name);
				break;
		}
	}
}

static Jsonb *
otlp_empty_array(void)
{
	StringInfoData image;
	JsonbWriter list;

	jsonb_image_init(&image);
	jsonb_open(&image, &list, false, 0);
	return jsonb_image_finish(&image);
}

/* Hand over the spans of a payload, in their order. */
void
otlp_read(const Jsonb *payload, bool hygiene, OtlpConsume consume, void *state)
{
	OtlpReader *reader = palloc0(sizeof(OtlpReader));
	const FieldName *name;
	FieldScan fields;
	JsonbValue value;
	JsonbScan scan;

	if (!JsonContainerIsObject(&payload->root))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid OTLP/JSON"),
				 errdetail("The payload is not an object."), errhint(PAYLOAD_HINT)));
	otlp_source_init(&reader->source, hygiene, otlp_locate);
	reader->consume = consume;
	reader->state = state;
	reader->span_context = AllocSetContextCreate(CurrentMemoryContext, "OTLP span",
												 ALLOCSET_DEFAULT_SIZES);
	jsonb_image_init(&reader->resource_image);
	jsonb_image_init(&reader->scope_image);
	jsonb_image_init(&reader->attribute_image);
	jsonb_image_init(&reader->event_image);
	jsonb_image_init(&reader->link_image);
	reader->no_parts = otlp_empty_array();
	otlp_order_init(&reader->resource_order);
	otlp_order_init(&reader->scope_order);
	otlp_order_init(&reader->attribute_order);
	otlp_order_init(&reader->event_order);
	otlp_order_init(&reader->link_order);
	OTLP_FIELDS(&fields, &payload->root, payload_fields);
	while (field_next(&fields, &name, &value))
	{
		if (!jsonb_is_array(&value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid OTLP/JSON"),
					 errdetail("%s is not an array.", name->name), errhint(PAYLOAD_HINT)));
		jsonb_scan_open(&scan, value.val.binary.data);
		while (jsonb_scan_element(&scan, &value))
		{
			CHECK_FOR_INTERRUPTS();
			reader->resource_index = scan.next - 1;
			otlp_read_resource_spans(reader, otlp_object(reader, &value, "The element"));
		}
	}
	MemoryContextDelete(reader->span_context);
}
