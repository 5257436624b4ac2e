/*
 * otlp_write.c
 *		Spans as OTLP/JSON.
 *
 * What is written is the canonical form of proto3 in JSON: fields by their
 * lowerCamelCase names, 64-bit integers as strings, enums as numbers, ids as
 * lower-case digits, and nothing for fields that have the default value.
 * Spans of the same resource and scope stand together, those that came first
 * first.
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "trace/hex_id.h"
#include "trace/otlp_write.h"
#include "trace/span_forest.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

/* A resource, or a scope of a resource, and what is in it, in order. */
typedef struct GroupNode
{
	const OtlpGroup *group;
	const char *identity; /* what tells it from others in the same parent */
	int identity_length;
	struct GroupNode *parent;      /* of a resource, the root */
	struct GroupNode *next;        /* in its parent */
	struct GroupNode *same_hash;   /* another one */
	struct GroupNode *first_child; /* scopes of a resource */
	struct GroupNode *last_child;
	uint32 children;
	struct SpanNode *first_span; /* spans of a scope */
	struct SpanNode *last_span;
	uint32 spans;
} GroupNode;

typedef struct SpanNode
{
	OtlpSpan span;
	struct SpanNode *next;
} SpanNode;

typedef struct GroupEntry
{
	uint64 hash;
	GroupNode *node;
} GroupEntry;

struct OtlpWriter
{
	MemoryContext context;
	HTAB *groups;
	GroupNode root;
	StringInfoData identity;
};

/*
 * Collecting
 */

OtlpWriter *
otlp_writer_create(void)
{
	OtlpWriter *writer = palloc0(sizeof(OtlpWriter));
	HASHCTL control;

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(uint64);
	control.entrysize = sizeof(GroupEntry);
	control.hcxt = CurrentMemoryContext;
	writer->context = CurrentMemoryContext;
	writer->groups = hash_create("OTLP groups", 64, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	initStringInfo(&writer->identity);
	return writer;
}

static OtlpBytes
otlp_copy_bytes(OtlpBytes bytes)
{
	OtlpBytes copy = {NULL, 0};

	if (bytes.length > 0)
	{
		copy.data = memcpy(palloc((Size) bytes.length), bytes.data, (Size) bytes.length);
		copy.length = bytes.length;
	}
	return copy;
}

static Jsonb *
otlp_copy_jsonb(const Jsonb *value)
{
	return memcpy(palloc(VARSIZE(value)), value, VARSIZE(value));
}

static void
otlp_add_identity(StringInfo identity, const void *data, int length)
{
	appendBinaryStringInfo(identity, (const char *) &length, sizeof(length));
	if (length > 0)
		appendBinaryStringInfo(identity, data, length);
}

/* The node of a group in its parent, which is made if it is new. */
static GroupNode *
otlp_group_node(OtlpWriter *writer, GroupNode *parent, const OtlpGroup *group)
{
	StringInfo identity = &writer->identity;
	GroupEntry *entry;
	GroupNode *node;
	OtlpGroup *copy;
	uint64 hash;
	bool found;

	resetStringInfo(identity);
	otlp_add_identity(identity, group->attributes, (int) VARSIZE(group->attributes));
	otlp_add_identity(identity, group->order.data, group->order.length);
	otlp_add_identity(identity, group->name.data, group->name.length);
	otlp_add_identity(identity, group->version.data, group->version.length);
	otlp_add_identity(identity, group->schema_url.data, group->schema_url.length);
	otlp_add_identity(identity, &group->dropped_attributes, sizeof(group->dropped_attributes));
	hash = DatumGetUInt64(hash_any_extended((unsigned char *) identity->data, identity->len,
											(uint64) (uintptr_t) parent));
	entry = hash_search(writer->groups, &hash, HASH_ENTER, &found);
	if (!found)
		entry->node = NULL;
	for (node = entry->node; node; node = node->same_hash)
	{
		if (node->parent == parent && node->identity_length == identity->len &&
			memcmp(node->identity, identity->data, (Size) identity->len) == 0)
			return node;
	}
	copy = palloc(sizeof(OtlpGroup));
	*copy = *group;
	copy->attributes = otlp_copy_jsonb(group->attributes);
	copy->order = otlp_copy_bytes(group->order);
	copy->name = otlp_copy_bytes(group->name);
	copy->version = otlp_copy_bytes(group->version);
	copy->schema_url = otlp_copy_bytes(group->schema_url);
	node = palloc0(sizeof(GroupNode));
	node->group = copy;
	node->identity = memcpy(palloc((Size) identity->len), identity->data, (Size) identity->len);
	node->identity_length = identity->len;
	node->parent = parent;
	node->same_hash = entry->node;
	entry->node = node;
	if (parent->last_child)
		parent->last_child->next = node;
	else
		parent->first_child = node;
	parent->last_child = node;
	parent->children++;
	return node;
}

void
otlp_writer_add(OtlpWriter *writer, const OtlpSpan *span)
{
	MemoryContext old = MemoryContextSwitchTo(writer->context);
	SpanNode *node = palloc(sizeof(SpanNode));
	GroupNode *scope = otlp_group_node(writer,
									   otlp_group_node(writer, &writer->root, span->resource),
									   span->scope);

	node->span = *span;
	node->span.name = otlp_copy_bytes(span->name);
	node->span.status_message = otlp_copy_bytes(span->status_message);
	node->span.trace_state = otlp_copy_bytes(span->trace_state);
	node->span.attributes = otlp_copy_jsonb(span->attributes);
	node->span.events = otlp_copy_jsonb(span->events);
	node->span.links = otlp_copy_jsonb(span->links);
	node->span.attribute_order = otlp_copy_bytes(span->attribute_order);
	node->span.event_order = otlp_copy_bytes(span->event_order);
	node->span.link_order = otlp_copy_bytes(span->link_order);
	node->span.resource = NULL;
	node->span.scope = NULL;
	node->next = NULL;
	if (scope->last_span)
		scope->last_span->next = node;
	else
		scope->first_span = node;
	scope->last_span = node;
	scope->spans++;
	MemoryContextSwitchTo(old);
}

/*
 * Writing
 *
 * Members are collected, in the order of their names in jsonb, without those
 * that have the default value, and then written, names first.
 */

typedef enum MemberKind
{
	MEMBER_TEXT,   /* bytes */
	MEMBER_ID,     /* length bytes, as digits */
	MEMBER_NUMBER, /* as a number */
	MEMBER_LONG,   /* as a string */
	MEMBER_NUMERIC,
	MEMBER_ATTRIBUTES,
	MEMBER_WRITTEN /* by a function */
} MemberKind;

typedef struct Member
{
	const char *name;
	MemberKind kind;
	OtlpBytes bytes;
	int64 number;
	Numeric numeric;
	const JsonbContainer *attributes;
	OtlpOrderCursor *order; /* of their keys */
	const OtlpLabel *labels;
	uint32 nlabels;
	void (*write)(StringInfo image, JsonbWriter *parent, const void *state);
	const void *state;
} Member;

#define MEMBERS_MOST 16

typedef struct MemberList
{
	int count;
	Member members[MEMBERS_MOST];
} MemberList;

static Member *
member_add(MemberList *list, const char *name, MemberKind kind)
{
	Member *member = &list->members[list->count++];

	Assert(list->count <= MEMBERS_MOST);
	Assert(list->count == 1 ||
		   jsonb_key_compare(member[-1].name, (int) strlen(member[-1].name), name,
							 (int) strlen(name)) < 0);
	member->name = name;
	member->kind = kind;
	return member;
}

static void
member_text(MemberList *list, const char *name, OtlpBytes text)
{
	if (text.length > 0)
		member_add(list, name, MEMBER_TEXT)->bytes = text;
}

static void
member_id(MemberList *list, const char *name, const uint8 *id, int size)
{
	OtlpBytes bytes = {(const char *) id, size};

	member_add(list, name, MEMBER_ID)->bytes = bytes;
}

static void
member_number(MemberList *list, const char *name, MemberKind kind, int64 number)
{
	if (number != 0)
		member_add(list, name, kind)->number = number;
}

/* A number as it is stored: someone may have put any there. */
static void
member_numeric(MemberList *list, const char *name, Numeric number, bool is_long)
{
	char *text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	OtlpBytes bytes = {text, (int) strlen(text)};

	if (strcmp(text, "0") == 0)
		return;
	if (is_long)
		member_text(list, name, bytes);
	else
		member_add(list, name, MEMBER_NUMERIC)->numeric = number;
}

static void
member_attributes(MemberList *list, const char *name, const JsonbContainer *attributes,
				  OtlpOrderCursor *order, const OtlpLabel *labels, uint32 nlabels)
{
	Member *member;

	if (JsonContainerSize(attributes) + nlabels == 0)
		return;
	member = member_add(list, name, MEMBER_ATTRIBUTES);
	member->labels = labels;
	member->nlabels = nlabels;
	member->attributes = attributes;
	member->order = order;
}

static void
member_written(MemberList *list, const char *name,
			   void (*write)(StringInfo image, JsonbWriter *parent, const void *state),
			   const void *state)
{
	Member *member = member_add(list, name, MEMBER_WRITTEN);

	member->write = write;
	member->state = state;
}

static void
member_write(const Member *member, StringInfo image, JsonbWriter *object)
{
	char number[24];
	char *digits;

	switch (member->kind)
	{
		case MEMBER_TEXT:
			jsonb_put_string(image, object, member->bytes.data, (Size) member->bytes.length);
			break;
		case MEMBER_ID:
			digits = hex_id_write((const uint8 *) member->bytes.data, (Size) member->bytes.length);
			jsonb_put_string(image, object, digits, strlen(digits));
			pfree(digits);
			break;
		case MEMBER_NUMBER:
			jsonb_put_integer(image, object, member->number);
			break;
		case MEMBER_LONG:
			snprintf(number, sizeof(number), INT64_FORMAT, member->number);
			jsonb_put_string(image, object, number, strlen(number));
			break;
		case MEMBER_NUMERIC:
			jsonb_put_numeric(image, object, member->numeric);
			break;
		case MEMBER_ATTRIBUTES:
			otlp_restore(member->attributes, member->labels, member->nlabels, image, object,
						 member->order);
			break;
		case MEMBER_WRITTEN:
			member->write(image, object, member->state);
			break;
	}
}

/* The members collected, as an object in "parent", or as the whole image. */
static void
member_list_write(const MemberList *list, StringInfo image, JsonbWriter *parent)
{
	JsonbWriter object;

	jsonb_open(image, &object, true, (uint32) list->count);
	for (int i = 0; i < list->count; i++)
		jsonb_put_string(image, &object, list->members[i].name, strlen(list->members[i].name));
	for (int i = 0; i < list->count; i++)
		member_write(&list->members[i], image, &object);
	if (parent)
		jsonb_close_into(image, &object, parent);
}

static OtlpOrderCursor
otlp_cursor(OtlpBytes order)
{
	OtlpOrderCursor cursor = {(const uint8 *) order.data,
							  (const uint8 *) order.data + order.length};

	return cursor;
}

/* Names in an event or link as it is stored, and in OTLP, in the order of the latter. */
typedef struct PartName
{
	const char *stored;
	const char *otlp;
	enum jbvType type; /* other values, which someone put there, are left out */
	bool is_long;      /* a string in OTLP */
} PartName;

static const PartName event_names[] = {
	{"name", "name", jbvString, false},
	{"attributes", "attributes", jbvBinary, false},
	{"time_ns", "timeUnixNano", jbvNumeric, true},
	{"dropped_attributes_count", "droppedAttributesCount", jbvNumeric, false},
};

static const PartName link_names[] = {
	{"flags", "flags", jbvNumeric, false},
	{"span_id", "spanId", jbvString, false},
	{"trace_id", "traceId", jbvString, false},
	{"attributes", "attributes", jbvBinary, false},
	{"trace_state", "traceState", jbvString, false},
	{"dropped_attributes_count", "droppedAttributesCount", jbvNumeric, false},
};

static void
otlp_write_part(StringInfo image, JsonbWriter *list, const JsonbContainer *part,
				const PartName *names, int count, OtlpOrderCursor *order)
{
	MemberList members;

	members.count = 0;
	for (int i = 0; i < count; i++)
	{
		JsonbValue value;

		if (!getKeyJsonValueFromContainer((JsonbContainer *) part, names[i].stored,
										  (int) strlen(names[i].stored), &value) ||
			value.type != names[i].type)
			continue;
		if (value.type == jbvString)
		{
			OtlpBytes text = {value.val.string.val, value.val.string.len};

			member_text(&members, names[i].otlp, text);
		}
		else if (value.type == jbvNumeric)
			member_numeric(&members, names[i].otlp, value.val.numeric, names[i].is_long);
		else if (JsonContainerIsObject(value.val.binary.data))
			member_attributes(&members, names[i].otlp, value.val.binary.data, order, NULL, 0);
	}
	member_list_write(&members, image, list);
}

static void
otlp_write_parts(StringInfo image, JsonbWriter *parent, const Jsonb *parts, OtlpBytes bytes,
				 const PartName *names, int count)
{
	OtlpOrderCursor order = otlp_cursor(bytes);
	JsonbWriter list;
	JsonbScan scan;
	JsonbValue part;

	jsonb_scan_open(&scan, &parts->root);
	jsonb_open(image, &list, false, scan.count);
	while (jsonb_scan_element(&scan, &part))
	{
		CHECK_FOR_INTERRUPTS();
		if (jsonb_is_object(&part))
			otlp_write_part(image, &list, part.val.binary.data, names, count, &order);
		else
		{
			MemberList none;

			none.count = 0;
			member_list_write(&none, image, &list);
		}
	}
	jsonb_close_into(image, &list, parent);
}

static void
otlp_write_events(StringInfo image, JsonbWriter *parent, const void *state)
{
	const OtlpSpan *span = state;

	otlp_write_parts(image, parent, span->events, span->event_order, event_names,
					 lengthof(event_names));
}

static void
otlp_write_links(StringInfo image, JsonbWriter *parent, const void *state)
{
	const OtlpSpan *span = state;

	otlp_write_parts(image, parent, span->links, span->link_order, link_names,
					 lengthof(link_names));
}

static void
otlp_write_status(StringInfo image, JsonbWriter *parent, const void *state)
{
	const OtlpSpan *span = state;
	MemberList members;

	members.count = 0;
	member_number(&members, "code", MEMBER_NUMBER, span->otlp_status);
	member_text(&members, "message", span->status_message);
	member_list_write(&members, image, parent);
}

static bool
otlp_has_label(const OtlpSpan *span, const char *key, const char *label)
{
	JsonbValue value;

	return getKeyJsonValueFromContainer(&span->attributes->root, key, (int) strlen(key), &value) &&
		value.type == jbvString && value.val.string.len == (int) strlen(label) &&
		memcmp(value.val.string.val, label, strlen(label)) == 0;
}

/*
 * Attributes that a span needs for its kind and status to be read again: one
 * that OTLP had came with them, one that was recorded here may lack them.
 */
static uint32
otlp_missing_labels(const OtlpSpan *span, OtlpLabel *labels)
{
	uint32 count = 0;

	if (span->kind > SPAN_KIND_CONSUMER &&
		!otlp_has_label(span, "span.kind", span_kind_labels[span->kind]))
	{
		labels[count].key = "span.kind";
		labels[count++].value = span_kind_labels[span->kind];
	}
	if (!otlp_status_is_known(span->status) &&
		!otlp_has_label(span, "span.status", span_status_labels[span->status]))
	{
		labels[count].key = "span.status";
		labels[count++].value = span_status_labels[span->status];
	}
	return count;
}

static void
otlp_write_span(StringInfo image, JsonbWriter *list, const OtlpSpan *span)
{
	OtlpOrderCursor order = otlp_cursor(span->attribute_order);
	MemberList members;
	OtlpLabel labels[2];
	uint32 nlabels = otlp_missing_labels(span, labels);

	members.count = 0;
	member_number(&members, "kind", MEMBER_NUMBER, span->otlp_kind);
	member_text(&members, "name", span->name);
	member_number(&members, "flags", MEMBER_NUMBER, span->flags);
	if (JsonContainerSize(&span->links->root) > 0)
		member_written(&members, "links", otlp_write_links, span);
	if (JsonContainerSize(&span->events->root) > 0)
		member_written(&members, "events", otlp_write_events, span);
	member_id(&members, "spanId", span->span_id, SPAN_ID_BYTES);
	if (span->otlp_status != 0 || span->status_message.length > 0)
		member_written(&members, "status", otlp_write_status, span);
	member_id(&members, "traceId", span->trace_id, TRACE_ID_BYTES);
	member_attributes(&members, "attributes", &span->attributes->root, &order, labels, nlabels);
	member_text(&members, "traceState", span->trace_state);
	if (span->has_parent)
		member_id(&members, "parentSpanId", span->parent_span_id, SPAN_ID_BYTES);
	if (span->has_ended)
		member_number(&members, "endTimeUnixNano", MEMBER_LONG, span->end);
	member_number(&members, "droppedLinksCount", MEMBER_NUMBER, span->dropped_links);
	member_number(&members, "startTimeUnixNano", MEMBER_LONG, span->start);
	member_number(&members, "droppedEventsCount", MEMBER_NUMBER, span->dropped_events);
	member_number(&members, "droppedAttributesCount", MEMBER_NUMBER, span->dropped_attributes);
	member_list_write(&members, image, list);
}

static void
otlp_write_spans(StringInfo image, JsonbWriter *parent, const void *state)
{
	const GroupNode *scope = state;
	JsonbWriter list;

	jsonb_open(image, &list, false, scope->spans);
	for (const SpanNode *node = scope->first_span; node; node = node->next)
	{
		CHECK_FOR_INTERRUPTS();
		otlp_write_span(image, &list, &node->span);
	}
	jsonb_close_into(image, &list, parent);
}

/* A resource, or a scope. */
static void
otlp_write_group(StringInfo image, JsonbWriter *parent, const void *state)
{
	const OtlpGroup *group = state;
	OtlpOrderCursor order = otlp_cursor(group->order);
	MemberList members;

	members.count = 0;
	member_text(&members, "name", group->name);
	member_text(&members, "version", group->version);
	member_attributes(&members, "attributes", &group->attributes->root, &order, NULL, 0);
	member_number(&members, "droppedAttributesCount", MEMBER_NUMBER, group->dropped_attributes);
	member_list_write(&members, image, parent);
}

static bool
otlp_group_is_empty(const OtlpGroup *group)
{
	return group->name.length == 0 && group->version.length == 0 &&
		group->dropped_attributes == 0 && JsonContainerSize(&group->attributes->root) == 0;
}

static void
otlp_write_scopes(StringInfo image, JsonbWriter *parent, const void *state)
{
	const GroupNode *resource = state;
	JsonbWriter list;

	jsonb_open(image, &list, false, resource->children);
	for (const GroupNode *scope = resource->first_child; scope; scope = scope->next)
	{
		MemberList members;

		members.count = 0;
		if (!otlp_group_is_empty(scope->group))
			member_written(&members, "scope", otlp_write_group, scope->group);
		member_written(&members, "spans", otlp_write_spans, scope);
		member_text(&members, "schemaUrl", scope->group->schema_url);
		member_list_write(&members, image, &list);
	}
	jsonb_close_into(image, &list, parent);
}

static void
otlp_write_resources(StringInfo image, JsonbWriter *parent, const void *state)
{
	const OtlpWriter *writer = state;
	JsonbWriter list;

	jsonb_open(image, &list, false, writer->root.children);
	for (const GroupNode *resource = writer->root.first_child; resource; resource = resource->next)
	{
		MemberList members;

		members.count = 0;
		if (!otlp_group_is_empty(resource->group))
			member_written(&members, "resource", otlp_write_group, resource->group);
		member_text(&members, "schemaUrl", resource->group->schema_url);
		member_written(&members, "scopeSpans", otlp_write_scopes, resource);
		member_list_write(&members, image, &list);
	}
	jsonb_close_into(image, &list, parent);
}

Jsonb *
otlp_writer_finish(OtlpWriter *writer)
{
	StringInfoData image;
	MemberList members;

	jsonb_image_init(&image);
	members.count = 0;
	if (writer->root.children > 0)
		member_written(&members, "resourceSpans", otlp_write_resources, writer);
	member_list_write(&members, &image, NULL);
	return jsonb_image_finish(&image);
}
