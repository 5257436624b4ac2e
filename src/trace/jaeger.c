/*
 * jaeger.c
 *		A trace as the JSON that Jaeger's user interface loads.
 *
 * The spans are converted as Jaeger converts OTLP when it stores it, and the
 * result is what its HTTP API answers to GET /api/traces/ID.  There a process
 * is a resource, a tag is an attribute with its type, a log is an event, a
 * reference is a parent or a link, and times are microseconds.
 *
 * Spans come by start, then in the order in which they came to the store.  What
 * is odd about one stands in its warnings.
 *
 * Sources: OpenTelemetry to Jaeger transformation (translator/jaeger of the
 * OpenTelemetry collector), OpenTelemetry's mapping to non-OTLP formats, and
 * Jaeger's uimodel.
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "core/json_tree.h"
#include "trace/flat_value.h"
#include "trace/hex_id.h"
#include "trace/span_forest.h"
#include "trace/span_id.h"
#include "trace/trace_id.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Greater integers are not exact in JavaScript; Jaeger writes them as strings. */
#define GREATEST_SAFE_INTEGER ((INT64CONST(1) << 53) - 1)

/* Jaeger's own way to pass on warnings in an attribute. */
#define WARNINGS_ATTRIBUTE "jaeger.internal.warnings"

/* The flag of OTLP and of Jaeger that says that a trace is sampled. */
#define SAMPLED_FLAG 1

/* What the query returns, in this order. */
enum
{
	COLUMN_SPAN_ID,
	COLUMN_PARENT_SPAN_ID,
	COLUMN_START,
	COLUMN_END,
	COLUMN_KIND,
	COLUMN_STATUS,
	COLUMN_NAME,
	COLUMN_STATUS_MESSAGE,
	COLUMN_ATTRIBUTES,
	COLUMN_EVENTS,
	COLUMN_LINKS,
	COLUMN_TRACE_STATE,
	COLUMN_FLAGS,
	COLUMN_RESOURCE,
	COLUMN_SERVICE,
	COLUMN_SCOPE_NAME,
	COLUMN_SCOPE_VERSION,
	COLUMN_DROPPED_ATTRIBUTES,
	COLUMN_DROPPED_EVENTS,
	COLUMN_DROPPED_LINKS,
	COLUMN_COUNT
};

/* Spans of one resource share a process. */
typedef struct JaegerProcess
{
	Jsonb *resource;
	text *service;
	struct JaegerProcess *same_hash;
	struct JaegerProcess *next;
	int number; /* from 1 */
} JaegerProcess;

typedef struct ProcessSlot
{
	uint64 hash;
	JaegerProcess *processes;
} ProcessSlot;

typedef struct JaegerTrace
{
	StringInfoData out;
	SpanForest forest;
	char trace_id[TRACE_ID_BYTES * 2 + 1]; /* as the store writes it */
	MemoryContext context;                 /* of what lasts for the trace */
	MemoryContext span_context;            /* of what is needed for one span */
	HTAB *slots;
	JaegerProcess *first;
	JaegerProcess *last;
} JaegerTrace;

/*
 * Tags: {"key": .., "type": .., "value": ..}
 */

static void
begin_tag(StringInfo out, const char *key, int length, const char *type)
{
	flat_begin_item(out);
	appendStringInfoString(out, "{\"key\":");
	json_tree_append_string(out, key, length);
	appendStringInfo(out, ",\"type\":\"%s\",\"value\":", type);
}

static void
append_text_tag(StringInfo out, const char *key, const char *text)
{
	begin_tag(out, key, (int) strlen(key), "string");
	json_tree_append_string(out, text, (int) strlen(text));
	appendStringInfoChar(out, '}');
}

static void
append_number_tag(StringInfo out, const JsonbValue *key, const JsonbValue *number)
{
	char *token = flat_number(number);
	long long integer;

	errno = 0;
	integer = strtoll(token, NULL, 10);
	if (strchr(token, '.') != NULL || errno != 0)
	{
		begin_tag(out, key->val.string.val, key->val.string.len, "float64");
		appendStringInfo(out, "%s}", token);
	}
	else
	{
		bool safe = integer <= GREATEST_SAFE_INTEGER && integer >= -GREATEST_SAFE_INTEGER;

		begin_tag(out, key->val.string.val, key->val.string.len, "int64");
		appendStringInfo(out, safe ? "%s}" : "\"%s\"}", token);
	}
}

static void
append_tag(StringInfo out, const JsonbValue *key, const JsonbValue *value)
{
	const char *name = key->val.string.val;
	int length = key->val.string.len;
	JsonbValue *inner;

	if (value->type == jbvNumeric)
	{
		append_number_tag(out, key, value);
		return;
	}
	if (value->type == jbvString)
	{
		begin_tag(out, name, length, "string");
		flat_append_text(out, value);
	}
	else if (value->type == jbvBool)
	{
		begin_tag(out, name, length, "bool");
		flat_append_json(out, value);
	}
	else if (value->type != jbvBinary)
	{
		/* no value: to Jaeger an empty string */
		begin_tag(out, name, length, "string");
		appendStringInfoString(out, "\"\"");
	}
	else if ((inner = flat_only_member(value, "bytesValue")) != NULL && inner->type == jbvString)
	{
		begin_tag(out, name, length, "binary");
		flat_append_text(out, inner);
	}
	else if ((inner = flat_only_member(value, "doubleValue")) != NULL && inner->type == jbvString)
	{
		begin_tag(out, name, length, "float64");
		flat_append_text(out, inner);
	}
	else
	{
		StringInfoData json;

		initStringInfo(&json);
		flat_append_json(&json, value);
		begin_tag(out, name, length, "string");
		json_tree_append_string(out, json.data, json.len);
		pfree(json.data);
	}
	appendStringInfoChar(out, '}');
}

/* All attributes but one. */
static void
append_tags(StringInfo out, const JsonbValue *attributes, const char *except)
{
	JsonbIterator *walk;
	JsonbValue key;
	JsonbValue value;

	if (attributes == NULL || !flat_is_object(attributes))
		return;
	walk = flat_walk(attributes);
	while (flat_next_member(&walk, &key, &value))
	{
		if (!(except && flat_is_text(&key, except)))
			append_tag(out, &key, &value);
	}
}

/*
 * Processes
 */

static JaegerProcess *
find_process(JaegerTrace *trace, Datum resource_datum, Datum service_datum)
{
	Jsonb *resource = flat_column(resource_datum, true, "resource");
	Size size = VARSIZE(resource);
	uint64 hash = DatumGetUInt64(hash_any_extended((unsigned char *) resource, (int) size, 0));
	JaegerProcess *process;
	ProcessSlot *slot;
	MemoryContext old;
	bool found;

	slot = hash_search(trace->slots, &hash, HASH_ENTER, &found);
	if (!found)
		slot->processes = NULL;
	for (process = slot->processes; process; process = process->same_hash)
	{
		if (VARSIZE(process->resource) == size && memcmp(process->resource, resource, size) == 0)
			return process;
	}
	old = MemoryContextSwitchTo(trace->context);
	process = palloc0(sizeof(JaegerProcess));
	process->resource = DatumGetJsonbPCopy(resource_datum);
	process->service = DatumGetTextPCopy(service_datum);
	process->number = trace->last ? trace->last->number + 1 : 1;
	process->same_hash = slot->processes;
	slot->processes = process;
	if (trace->last)
		trace->last->next = process;
	else
		trace->first = process;
	trace->last = process;
	MemoryContextSwitchTo(old);
	return process;
}

static void
append_processes(StringInfo out, const JaegerTrace *trace)
{
	appendStringInfoString(out, "\"processes\":{");
	for (const JaegerProcess *process = trace->first; process; process = process->next)
	{
		JsonbValue resource;

		flat_root(&resource, process->resource);
		flat_begin_item(out);
		appendStringInfo(out, "\"p%d\":{\"serviceName\":", process->number);
		json_tree_append_string(out, VARDATA_ANY(process->service),
								(int) VARSIZE_ANY_EXHDR(process->service));
		appendStringInfoString(out, ",\"tags\":[");
		append_tags(out, &resource, "service.name");
		appendStringInfoString(out, "]}");
	}
	appendStringInfoChar(out, '}');
}

/*
 * Spans
 */

static char *
span_id_text(uint64 id)
{
	uint8 bytes[SPAN_ID_BYTES];

	span_id_store(bytes, id);
	return hex_id_write(bytes, SPAN_ID_BYTES);
}

static void
append_reference(StringInfo out, const char *type, const char *trace_id, const char *span_id)
{
	flat_begin_item(out);
	appendStringInfo(out, "{\"refType\":\"%s\",\"traceID\":", type);
	json_tree_append_string(out, trace_id, (int) strlen(trace_id));
	appendStringInfoString(out, ",\"spanID\":");
	json_tree_append_string(out, span_id, (int) strlen(span_id));
	appendStringInfoChar(out, '}');
}

static const char *
link_type(const JsonbValue *link)
{
	JsonbValue *attributes = flat_member(link, "attributes");
	JsonbValue *type = attributes ? flat_member(attributes, "opentracing.ref_type") : NULL;

	return type && flat_is_text(type, "child_of") ? "CHILD_OF" : "FOLLOWS_FROM";
}

/* What a member of a link is, if it is a string; else NULL. */
static char *
link_text(const JsonbValue *link, const char *key)
{
	JsonbValue *value = flat_member(link, key);

	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * The parent comes first, where Jaeger looks for it.  A link to it says what
 * kind of reference that is.
 */
static void
append_references(StringInfo out, const JaegerTrace *trace, const char *parent,
				  const JsonbValue *links)
{
	StringInfoData others;
	JsonbIterator *walk = flat_walk(links);
	JsonbValue link;
	const char *parent_type = "CHILD_OF";

	initStringInfo(&others);
	appendStringInfoChar(&others, '[');
	while (flat_next_element(&walk, &link))
	{
		char *trace_id = link_text(&link, "trace_id");
		char *span_id = link_text(&link, "span_id");

		if (trace_id == NULL || span_id == NULL)
			continue;
		if (parent && strcmp(span_id, parent) == 0 && strcmp(trace_id, trace->trace_id) == 0)
			parent_type = link_type(&link);
		else
			append_reference(&others, link_type(&link), trace_id, span_id);
	}
	appendStringInfoString(out, ",\"references\":[");
	if (parent)
		append_reference(out, parent_type, trace->trace_id, parent);
	if (others.len > 1)
	{
		flat_begin_item(out);
		appendBinaryStringInfo(out, others.data + 1, others.len - 1);
	}
	appendStringInfoChar(out, ']');
}

/* A tag that is made of a column, unless there is an attribute that says the same. */
static void
append_column_tag(StringInfo out, const JsonbValue *attributes, const char *key, const char *text)
{
	JsonbValue *attribute = flat_member(attributes, key);

	if (text && *text && !(attribute && flat_is_text(attribute, text)))
		append_text_tag(out, key, text);
}

static void
append_count_tag(StringInfo out, const char *key, bool isnull, Datum count)
{
	if (isnull || DatumGetInt64(count) == 0)
		return;
	begin_tag(out, key, (int) strlen(key), "int64");
	appendStringInfo(out, INT64_FORMAT "}", DatumGetInt64(count));
}

static char *
column_text(const Datum *values, const bool *nulls, int column)
{
	return nulls[column] ? NULL : TextDatumGetCString(values[column]);
}

static void
append_span_tags(StringInfo out, const JsonbValue *attributes, const Datum *values,
				 const bool *nulls)
{
	char *status = column_text(values, nulls, COLUMN_STATUS);
	bool ok = strcmp(status, "ok") == 0;
	bool error = strcmp(status, "error") == 0;

	appendStringInfoString(out, ",\"tags\":[");
	append_column_tag(out, attributes, "otel.scope.name",
					  column_text(values, nulls, COLUMN_SCOPE_NAME));
	append_column_tag(out, attributes, "otel.scope.version",
					  column_text(values, nulls, COLUMN_SCOPE_VERSION));
	append_tags(out, attributes, WARNINGS_ATTRIBUTE);
	append_column_tag(out, attributes, "span.kind", column_text(values, nulls, COLUMN_KIND));
	if (ok || error)
		append_column_tag(out, attributes, "otel.status_code", ok ? "OK" : "ERROR");
	else if (strcmp(status, "unset") != 0)
		append_column_tag(out, attributes, "span.status", status);
	if (error)
	{
		JsonbValue *attribute = flat_member(attributes, "error");

		if (!(attribute && attribute->type == jbvBool && attribute->val.boolean))
		{
			begin_tag(out, "error", (int) strlen("error"), "bool");
			appendStringInfoString(out, "true}");
		}
	}
	append_column_tag(out, attributes, "otel.status_description",
					  column_text(values, nulls, COLUMN_STATUS_MESSAGE));
	append_column_tag(out, attributes, "w3c.tracestate",
					  column_text(values, nulls, COLUMN_TRACE_STATE));
	append_count_tag(out, "otel.dropped_attributes_count", nulls[COLUMN_DROPPED_ATTRIBUTES],
					 values[COLUMN_DROPPED_ATTRIBUTES]);
	append_count_tag(out, "otel.dropped_events_count", nulls[COLUMN_DROPPED_EVENTS],
					 values[COLUMN_DROPPED_EVENTS]);
	append_count_tag(out, "otel.dropped_links_count", nulls[COLUMN_DROPPED_LINKS],
					 values[COLUMN_DROPPED_LINKS]);
	appendStringInfoChar(out, ']');
}

static int64
microseconds(int64 nanoseconds)
{
	return nanoseconds / 1000;
}

static void
append_logs(StringInfo out, const JsonbValue *events)
{
	JsonbIterator *walk = flat_walk(events);
	JsonbValue event;

	appendStringInfoString(out, ",\"logs\":[");
	while (flat_next_element(&walk, &event))
	{
		JsonbValue *time;
		JsonbValue *name;
		JsonbValue *attributes;
		JsonbValue *dropped;
		int64 nanoseconds = 0;

		if (!flat_is_object(&event))
			continue;
		time = flat_member(&event, "time_ns");
		name = flat_member(&event, "name");
		attributes = flat_member(&event, "attributes");
		dropped = flat_member(&event, "dropped_attributes_count");
		if (time && time->type == jbvNumeric)
			nanoseconds = strtoll(flat_number(time), NULL, 10);
		flat_begin_item(out);
		appendStringInfo(out, "{\"timestamp\":" INT64_FORMAT ",\"fields\":[",
						 microseconds(nanoseconds));
		if (name && name->type == jbvString && name->val.string.len > 0 &&
			!(attributes && flat_member(attributes, "event")))
		{
			begin_tag(out, "event", (int) strlen("event"), "string");
			flat_append_text(out, name);
			appendStringInfoChar(out, '}');
		}
		append_tags(out, attributes, NULL);
		if (dropped && dropped->type == jbvNumeric)
		{
			begin_tag(out, "otel.dropped_attributes_count",
					  (int) strlen("otel.dropped_attributes_count"), "int64");
			appendStringInfo(out, "%s}", flat_number(dropped));
		}
		appendStringInfoString(out, "]}");
	}
	appendStringInfoChar(out, ']');
}

static void
append_warning(StringInfo out, const char *warning)
{
	flat_begin_item(out);
	json_tree_append_string(out, warning, (int) strlen(warning));
}

static void
append_warnings(StringInfo out, const JsonbValue *attributes, const ForestSpan *span,
				const char *parent)
{
	JsonbValue *given = flat_member(attributes, WARNINGS_ATTRIBUTE);
	int start;

	appendStringInfoString(out, ",\"warnings\":");
	start = out->len;
	appendStringInfoChar(out, '[');
	if (given && flat_is_array(given))
	{
		JsonbIterator *walk = flat_walk(given);
		JsonbValue warning;

		while (flat_next_element(&walk, &warning))
		{
			if (warning.type == jbvString)
			{
				flat_begin_item(out);
				flat_append_text(out, &warning);
			}
		}
	}
	if (!span->ended)
		append_warning(out, "the span has not ended");
	if (span->finding == PARENT_MISSING)
		append_warning(out, psprintf("its parent %s is not in the trace", parent));
	if (span->finding == PARENT_CYCLE)
		append_warning(out, psprintf("its parent %s is also below it, and was cut off", parent));
	if (out->len == start + 1)
	{
		/* as Jaeger says that there are none */
		out->len = start;
		appendStringInfoString(out, "null");
	}
	else
		appendStringInfoChar(out, ']');
}

static void
append_span(void *state, HeapTuple row, TupleDesc desc)
{
	static const int required[] = {COLUMN_SPAN_ID, COLUMN_START, COLUMN_NAME,     COLUMN_ATTRIBUTES,
								   COLUMN_EVENTS,  COLUMN_LINKS, COLUMN_RESOURCE, COLUMN_SERVICE};
	JaegerTrace *trace = state;
	StringInfo out = &trace->out;
	MemoryContext old = MemoryContextSwitchTo(trace->span_context);
	Datum values[COLUMN_COUNT];
	bool nulls[COLUMN_COUNT];
	JsonbValue attributes;
	JsonbValue links;
	JsonbValue events;
	const ForestSpan *span;
	const JaegerProcess *process;
	const char *parent = NULL;
	uint64 id;
	uint32 which;
	int64 start;
	int64 duration = 0;

	heap_deform_tuple(row, desc, values, nulls);
	query_not_null(desc, nulls, required, lengthof(required));
	id = (uint64) DatumGetInt64(values[COLUMN_SPAN_ID]);
	which = span_forest_find(&trace->forest, id);
	if (which == NO_SPAN)
		elog(ERROR, "span %s was not there before", span_id_text(id));
	span = &trace->forest.spans[which];
	flat_root(&attributes, flat_column(values[COLUMN_ATTRIBUTES], true, "attributes"));
	flat_root(&links, flat_column(values[COLUMN_LINKS], false, "links"));
	flat_root(&events, flat_column(values[COLUMN_EVENTS], false, "events"));
	start = DatumGetInt64(values[COLUMN_START]);
	/* the difference of any two times fits if it is unsigned */
	if (!nulls[COLUMN_END])
		duration = (int64) (((uint64) DatumGetInt64(values[COLUMN_END]) - (uint64) start) / 1000);
	if (!nulls[COLUMN_PARENT_SPAN_ID])
		parent = span_id_text((uint64) DatumGetInt64(values[COLUMN_PARENT_SPAN_ID]));
	process = find_process(trace, values[COLUMN_RESOURCE], values[COLUMN_SERVICE]);

	flat_begin_item(out);
	appendStringInfo(out, "{\"traceID\":\"%s\",\"spanID\":\"%s\"", trace->trace_id,
					 span_id_text(id));
	if (!nulls[COLUMN_FLAGS] && (DatumGetInt64(values[COLUMN_FLAGS]) & SAMPLED_FLAG))
		appendStringInfo(out, ",\"flags\":%d", SAMPLED_FLAG);
	appendStringInfoString(out, ",\"operationName\":");
	json_tree_append_string(out, VARDATA_ANY(DatumGetTextPP(values[COLUMN_NAME])),
							(int) VARSIZE_ANY_EXHDR(DatumGetTextPP(values[COLUMN_NAME])));
	append_references(out, trace, span->finding == PARENT_CYCLE ? NULL : parent, &links);
	appendStringInfo(out, ",\"startTime\":" INT64_FORMAT ",\"duration\":" INT64_FORMAT,
					 microseconds(start), duration);
	append_span_tags(out, &attributes, values, nulls);
	append_logs(out, &events);
	appendStringInfo(out, ",\"processID\":\"p%d\"", process->number);
	append_warnings(out, &attributes, span, parent);
	appendStringInfoChar(out, '}');

	MemoryContextSwitchTo(old);
	MemoryContextReset(trace->span_context);
}

static void
open_slots(JaegerTrace *trace)
{
	HASHCTL control;

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(uint64);
	control.entrysize = sizeof(ProcessSlot);
	control.hcxt = trace->context;
	trace->slots = hash_create("processes of a trace", 16, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

PG_FUNCTION_INFO_V1(to_jaeger);
Datum
to_jaeger(PG_FUNCTION_ARGS)
{
	Datum trace_id = PG_GETARG_DATUM(1);
	QueryArguments arguments = {0};
	JaegerTrace trace;
	TraceStore store;

	memset(&trace, 0, sizeof(trace));
	trace_store_open(&store, fcinfo, 0);
	trace.context = CurrentMemoryContext;
	trace.span_context = AllocSetContextCreate(trace.context, "span for jaeger",
											   ALLOCSET_DEFAULT_SIZES);
	strlcpy(trace.trace_id, hex_id_write(trace_id_argument(fcinfo, 1), TRACE_ID_BYTES),
			sizeof(trace.trace_id));
	open_slots(&trace);
	initStringInfo(&trace.out);
	appendStringInfo(&trace.out, "{\"data\":[{\"traceID\":\"%s\",\"spans\":[", trace.trace_id);

	query_connect();
	MemoryContextSwitchTo(trace.context);
	span_forest_read(&trace.forest, &store, trace_id);
	query_argument(&arguments, store.trace_id_type, trace_id, false);
	query_each(
		psprintf("SELECT s.span_id::%2$s.span_id, s.parent_span_id::%2$s.span_id, "
				 "s.start_ns::pg_catalog.int8, s.end_ns::pg_catalog.int8, "
				 "s.kind::pg_catalog.text, s.status::pg_catalog.text, s.name::pg_catalog.text, "
				 "s.status_message::pg_catalog.text, s.attributes::pg_catalog.jsonb, "
				 "s.events::pg_catalog.jsonb, s.links::pg_catalog.jsonb, "
				 "s.trace_state::pg_catalog.text, s.flags::pg_catalog.int8, "
				 "s.resource::pg_catalog.jsonb, s.service_name::pg_catalog.text, "
				 "s.scope_name::pg_catalog.text, s.scope_version::pg_catalog.text, "
				 "s.dropped_attributes_count::pg_catalog.int8, "
				 "s.dropped_events_count::pg_catalog.int8, s.dropped_links_count::pg_catalog.int8 "
				 "FROM %1$s s WHERE s.trace_id OPERATOR(%2$s.=) $1 "
				 "ORDER BY s.start_ns, s.arrival",
				 store.spans, store.extension),
		&arguments, append_span, &trace);
	query_finish();

	appendStringInfoString(&trace.out, "],");
	append_processes(&trace.out, &trace);
	appendStringInfoString(&trace.out,
						   ",\"warnings\":null}],\"total\":0,\"limit\":0,\"offset\":0,"
						   "\"errors\":null}");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(trace.out.data)));
}
