/*
 * span_recording.c
 *		Spans from SQL: start_span, end_span, add_event, add_link.
 *
 * A program with an OpenTelemetry SDK keeps a span in memory and exports it when
 * it has ended.  From SQL it is a row from the start: with no end and the status
 * in_progress, so that what hangs or was cut short can be seen, and rolled back
 * with what it tells of.  What identifies it and can be passed on, also to
 * programs with an SDK, is its trace context.
 *
 * Kinds and statuses that OTLP lacks are also attributes (span.kind and
 * span.status), from which to_otlp and ingest_otlp know them.  These marks are
 * not counted among the attributes that hygiene keeps.
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "core/enum_label.h"
#include "core/hybrid_time.h"
#include "core/node_name.h"
#include "core/wall_clock.h"
#include "trace/flat_value.h"
#include "trace/hex_id.h"
#include "trace/span_forest.h"
#include "trace/span_id.h"
#include "trace/trace_context.h"
#include "trace/trace_id.h"
#include "trace/trace_schema.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Flags of a new trace: sampled. */
#define NEW_TRACE_FLAGS 1

/* The first of the kinds that OTLP lacks. */
#define KIND_MARKED_FROM "encode"

/* The span that a call is about. */
typedef struct RecordedSpan
{
	TraceStore store;
	TraceContext context;
	Datum trace_id;
	Datum span_id;

	/* its row, once it has been locked */
	int64 start;
	const char *name;
	const char *kind; /* NULL if unspecified */
} RecordedSpan;

/*
 * Arguments
 */

static void
require_argument(FunctionCallInfo fcinfo, int number, const char *what)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", what)));
}

/* The arguments store and context, which come first. */
static void
span_argument(FunctionCallInfo fcinfo, RecordedSpan *span)
{
	require_argument(fcinfo, 0, "the trace store of a span");
	require_argument(fcinfo, 1, "the context of a span");
	trace_store_open(&span->store, fcinfo, 0);
	trace_context_open(&span->context, PG_GETARG_VARLENA_PP(1));
	span->trace_id = PointerGetDatum(span->context.parent.trace_id);
	span->span_id = Int64GetDatum((int64) span_id_load(span->context.parent.span_id));
}

static const char *
span_ids(const RecordedSpan *span)
{
	return psprintf("%s of trace %s", hex_id_write(span->context.parent.span_id, SPAN_ID_BYTES),
					hex_id_write(span->context.parent.trace_id, TRACE_ID_BYTES));
}

/* Attributes, of which null stands for none; of which span, the detail says. */
static Jsonb *
attributes_argument(FunctionCallInfo fcinfo, int number, const char *span)
{
	Jsonb *attributes;

	if (PG_ARGISNULL(number))
		return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	attributes = PG_GETARG_JSONB_P(number);
	if (!JB_ROOT_IS_OBJECT(attributes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes must be a JSON object, not a JSON %s",
						text_to_cstring(DatumGetTextPP(
							DirectFunctionCall1(jsonb_typeof, JsonbPGetDatum(attributes))))),
				 errdetail("They are for span %s.", span)));
	return attributes;
}

/*
 * An attribute that stands for a kind or status cannot contradict the one that is
 * given: of the labels from "first" to "last", it may only name that.
 */
static void
check_mark(const Jsonb *attributes, const char *mark, const char *given, const char *const *labels,
		   int first, int last, const char *span)
{
	JsonbValue root;
	JsonbValue *value;

	flat_root(&root, unconstify(Jsonb *, attributes));
	value = flat_member(&root, mark);
	for (int i = first; value && i <= last; i++)
	{
		if (flat_is_text(value, labels[i]) && !(given && strcmp(given, labels[i]) == 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("attribute \"%s\" contradicts the span: \"%s\", not \"%s\"", mark,
							labels[i], given ? given : "unspecified"),
					 errdetail("It is for span %s.", span),
					 errhint("Leave it out: it follows from the kind and the status.")));
	}
}

static void
check_marks(const Jsonb *attributes, const char *kind, const char *status, const char *span)
{
	int encode = 0;

	while (strcmp(span_kind_labels[encode], KIND_MARKED_FROM) != 0)
		encode++;
	check_mark(attributes, "span.kind", kind, span_kind_labels, encode, span_kind_count - 1, span);
	for (int i = 0; i < span_status_count; i++)
	{
		if (strcmp(span_status_labels[i], "in_progress") == 0 ||
			strcmp(span_status_labels[i], "cancelled") == 0 ||
			strcmp(span_status_labels[i], "dropped") == 0)
			check_mark(attributes, "span.status", status, span_status_labels, i, i, span);
	}
}

/* Nanoseconds since 1970, now if the argument is null. */
static int64
time_argument(FunctionCallInfo fcinfo, int number)
{
	TimestampTz time;

	if (PG_ARGISNULL(number))
		return wall_clock_now();
	time = PG_GETARG_TIMESTAMPTZ(number);
	/* infinity is beyond either */
	if (time <= hybrid_time_to_timestamp(PG_INT64_MIN) ||
		time > hybrid_time_to_timestamp(PG_INT64_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time of a span is out of range"),
				 errdetail("It is infinite, or before 1677-09-21 or after 2262-04-11.")));
	return hybrid_time_from_timestamp(time);
}

static void
pass(QueryArguments *arguments, FunctionCallInfo fcinfo, int number, Oid type)
{
	query_argument(arguments, type, PG_ARGISNULL(number) ? (Datum) 0 : PG_GETARG_DATUM(number),
				   PG_ARGISNULL(number));
}

static void
pass_of_ours(QueryArguments *arguments, FunctionCallInfo fcinfo, int number, const char *type)
{
	pass(arguments, fcinfo, number, extension_type(extension_namespace(fcinfo), type));
}

/* Clocks may come as objects that a statement could change in place. */
static void
pass_clock(QueryArguments *arguments, FunctionCallInfo fcinfo, int number)
{
	bool isnull = PG_ARGISNULL(number);

	query_argument(arguments, extension_type(extension_namespace(fcinfo), "vclock"),
				   isnull ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(number))),
				   isnull);
}

static void
pass_text(QueryArguments *arguments, const char *text)
{
	query_argument(arguments, TEXTOID, text ? CStringGetTextDatum(text) : (Datum) 0, text == NULL);
}

static void
pass_ids(QueryArguments *arguments, const RecordedSpan *span)
{
	query_argument(arguments, span->store.trace_id_type, span->trace_id, false);
	query_argument(arguments, span->store.span_id_type, span->span_id, false);
}

/*
 * Expressions of statements
 */

/* The marks of a kind and a status, as attributes. */
static const char *
marks(const char *kind, const char *status)
{
	return psprintf("jsonb_strip_nulls(jsonb_build_object("
					"'span.kind', CASE WHEN %1$s >= '" KIND_MARKED_FROM "' THEN %1$s END, "
					"'span.status', "
					"CASE WHEN %2$s IN ('in_progress', 'cancelled', 'dropped') THEN %2$s END))",
					kind, status);
}

/* Attributes, cleaned if the store wants that; goes with options(). */
static const char *
cleaned(const TraceStore *store, const char *attributes)
{
	return psprintf("CASE WHEN o.hygiene THEN %2$s.clean_attributes(%1$s) ELSE %1$s END",
					attributes, store->extension);
}

static const char *
options(const TraceStore *store)
{
	return psprintf("(SELECT coalesce((SELECT hygiene FROM %s), true)) AS o (hygiene)",
					store->options);
}

/*
 * Starting
 */

/* A region of the attributes is that of the context, too, and so of the span's children. */
static void
take_region(TraceContext *context, Jsonb *attributes)
{
	InputSource source = input_from_arguments("trace_context");
	JsonbValue root;
	JsonbValue *region;

	flat_root(&root, attributes);
	region = flat_member(&root, "region");
	if (region && region->type == jbvString && region->val.string.len > 0 &&
		region->val.string.len <= REGION_MOST)
		trace_context_set_region(context, region->val.string.val, region->val.string.len, &source);
}

/* What emits the spans: as the caller says, or the local node, or the application. */
static const char *
service_argument(FunctionCallInfo fcinfo, int number)
{
	const char *service;

	if (!PG_ARGISNULL(number))
		return text_to_cstring(PG_GETARG_TEXT_PP(number));
	service = GetConfigOption("distributed.node", true, false);
	if (service && *service)
		return node_name_local();
	service = GetConfigOption("application_name", true, false);
	return service && *service ? service : NULL;
}

/* The context of a new span, which is the root of a new trace if there is no parent. */
static struct varlena *
start_context(TraceContext *context, const struct varlena *parent, Jsonb *attributes, int64 start)
{
	InputSource source = input_from_arguments("trace_context");

	memset(context, 0, sizeof(TraceContext));
	if (parent)
	{
		trace_context_open(context, parent);
		memcpy(context->parent_span_id, context->parent.span_id, SPAN_ID_BYTES);
		context->created_at = 0;
	}
	else
	{
		hex_id_random(context->parent.trace_id, TRACE_ID_BYTES);
		context->parent.flags = NEW_TRACE_FLAGS;
	}
	do
		hex_id_random(context->parent.span_id, SPAN_ID_BYTES);
	while (memcmp(context->parent.span_id, context->parent_span_id, SPAN_ID_BYTES) == 0);
	/* a context cannot be older than 1970 */
	if (start > 0)
		trace_context_set_created_at(context, start, &source);
	take_region(context, attributes);
	return trace_context_build(context);
}

PG_FUNCTION_INFO_V1(start_span);
Datum
start_span(PG_FUNCTION_ARGS)
{
	enum
	{
		STORE,
		NAME,
		PARENT,
		KIND,
		ATTRIBUTES,
		SERVICE,
		CLOCK,
		AT,
		START_TIME
	};
	QueryArguments arguments = {0};
	RecordedSpan span;
	TraceContext *context = &span.context;
	struct varlena *result;
	Jsonb *attributes;
	const char *name;
	const char *kind = NULL;
	int path;

	require_argument(fcinfo, STORE, "the trace store of a span");
	require_argument(fcinfo, NAME, "the name of a span");
	memset(&span, 0, sizeof(span));
	trace_store_open(&span.store, fcinfo, STORE);
	name = text_to_cstring(PG_GETARG_TEXT_PP(NAME));
	if (!PG_ARGISNULL(KIND))
		kind =
			span_kind_labels[enum_label_argument(fcinfo, KIND, span_kind_labels, span_kind_count)];
	attributes = attributes_argument(fcinfo, ATTRIBUTES, psprintf("\"%s\"", name));
	check_marks(attributes, kind, "in_progress", psprintf("\"%s\"", name));
	span.start = time_argument(fcinfo, START_TIME);

	result = start_context(context, PG_ARGISNULL(PARENT) ? NULL : PG_GETARG_VARLENA_PP(PARENT),
						   attributes, span.start);
	span.trace_id = PointerGetDatum(context->parent.trace_id);
	span.span_id = Int64GetDatum((int64) span_id_load(context->parent.span_id));

	query_connect();
	path = query_path_enter();
	pass_ids(&arguments, &span);
	query_argument(&arguments, span.store.span_id_type,
				   Int64GetDatum((int64) span_id_load(context->parent_span_id)),
				   PG_ARGISNULL(PARENT));
	query_argument(&arguments, INT8OID, Int64GetDatum(span.start), false);
	pass_of_ours(&arguments, fcinfo, KIND, "span_kind");
	pass(&arguments, fcinfo, NAME, TEXTOID);
	query_argument(&arguments, JSONBOID, JsonbPGetDatum(attributes), false);
	query_argument(&arguments, extension_type(extension_namespace(fcinfo), "trace_context"),
				   PointerGetDatum(result), false);
	pass_text(&arguments, service_argument(fcinfo, SERVICE));
	pass_clock(&arguments, fcinfo, CLOCK);
	pass_of_ours(&arguments, fcinfo, AT, "hlc");
	query_argument(&arguments, INT8OID, Int64GetDatum(context->parent.flags), false);
	query_run(
		psprintf(
			"INSERT INTO %1$s (trace_id, span_id, parent_span_id, start_ns, kind, name, "
			"status, attributes, trace_state, flags, resource, clock, at) "
			"SELECT $1, $2, $3, $4, $5, $6, 'in_progress', %2$s || %3$s, %6$s.tracestate($8), $12, "
			"%4$s, $10, $11 FROM %5$s, LATERAL (SELECT "
			"jsonb_strip_nulls(jsonb_build_object('region', %6$s.region($8))) || $7, "
			"jsonb_strip_nulls(jsonb_build_object('service.name', $9))) "
			"AS a (attributes, resource)",
			span.store.spans, cleaned(&span.store, "a.attributes"),
			marks("$5", psprintf("'in_progress'::%s.span_status", span.store.extension)),
			cleaned(&span.store, "a.resource"), options(&span.store), span.store.extension),
		&arguments);
	query_path_leave(path);
	query_finish();
	PG_RETURN_POINTER(result);
}

/*
 * Changing what has been started
 */

/*
 * Lock the span, which must be there and not have ended.  Its trace is locked
 * first, as evict_traces does and as the trigger on spans would later, so that
 * nobody waits for one another.
 */
static void
lock_span(RecordedSpan *span, const char *problem)
{
	QueryArguments arguments = {0};
	HeapTuple row;
	TupleDesc desc;
	bool ended;
	bool isnull;
	int64 end;

	pass_ids(&arguments, span);
	query_run(psprintf("SELECT FROM %s t WHERE t.trace_id OPERATOR(%s.=) $1 FOR NO KEY UPDATE",
					   span->store.traces, span->store.extension),
			  &arguments);
	if (query_run(
			psprintf("SELECT s.start_ns::int8, s.end_ns::int8, s.name, s.kind::text FROM %s s "
					 "WHERE s.trace_id OPERATOR(%s.=) $1 AND s.span_id OPERATOR(%s.=) $2 "
					 "ORDER BY s.end_ns IS NOT NULL, s.start_ns LIMIT 1 FOR UPDATE",
					 span->store.spans, span->store.extension, span->store.extension),
			&arguments) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no such span in store \"%s\"", span->store.name),
				 errdetail("It has no span %s.", span_ids(span)),
				 errhint("start_span records one.")));
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	span->start = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	end = DatumGetInt64(SPI_getbinval(row, desc, 2, &isnull));
	ended = !isnull;
	span->name = SPI_getvalue(row, desc, 3);
	span->kind = SPI_getvalue(row, desc, 4);
	if (ended)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s", problem),
				 errdetail("Span %s, \"%s\", ended at " INT64_FORMAT " ns.", span_ids(span),
						   span->name, end)));
}

/*
 * The end that an argument says.  Timestamps are less exact than starts, and
 * the clock may have been set back: neither makes an end come before its start.
 */
static int64
end_argument(FunctionCallInfo fcinfo, int number, const RecordedSpan *span)
{
	int64 end = time_argument(fcinfo, number);

	if (end >= span->start)
		return end;
	if (PG_ARGISNULL(number) ||
		hybrid_time_to_timestamp(end) == hybrid_time_to_timestamp(span->start))
		return span->start;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a span cannot end before it starts"),
			 errdetail("Span %s, \"%s\", starts at " INT64_FORMAT
					   " ns, and the end is " INT64_FORMAT " ns.",
					   span_ids(span), span->name, span->start, end)));
}

PG_FUNCTION_INFO_V1(end_span);
Datum
end_span(PG_FUNCTION_ARGS)
{
	enum
	{
		STORE,
		CONTEXT,
		STATUS,
		MESSAGE,
		ATTRIBUTES,
		CLOCK,
		AT,
		END_TIME
	};
	QueryArguments arguments = {0};
	RecordedSpan span;
	Jsonb *attributes;
	const char *status;
	int64 end;
	int64 duration;
	int path;

	span_argument(fcinfo, &span);
	require_argument(fcinfo, STATUS, "the status of a span");
	status = span_status_labels[enum_label_argument(fcinfo, STATUS, span_status_labels,
													span_status_count)];
	if (strcmp(status, "in_progress") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a span cannot end with the status in_progress"),
				 errdetail("It is for span %s.", span_ids(&span))));
	attributes = attributes_argument(fcinfo, ATTRIBUTES, span_ids(&span));

	query_connect();
	path = query_path_enter();
	lock_span(&span, "the span has already ended");
	check_marks(attributes, span.kind, status, span_ids(&span));
	end = end_argument(fcinfo, END_TIME, &span);
	pass_ids(&arguments, &span);
	query_argument(&arguments, INT8OID, Int64GetDatum(span.start), false);
	query_argument(&arguments, INT8OID, Int64GetDatum(end), false);
	pass_of_ours(&arguments, fcinfo, STATUS, "span_status");
	pass(&arguments, fcinfo, MESSAGE, TEXTOID);
	query_argument(&arguments, JSONBOID, JsonbPGetDatum(attributes), false);
	pass_clock(&arguments, fcinfo, CLOCK);
	pass_of_ours(&arguments, fcinfo, AT, "hlc");
	/* marks are taken off before, and set again after the attributes are cleaned */
	query_run(
		psprintf("UPDATE %1$s s SET end_ns = $4, status = $5, status_message = $6, "
				 "attributes = %2$s || %3$s, "
				 "clock = coalesce(s.clock OPERATOR(%5$s.|) $8, s.clock, $8), "
				 "at = greatest(s.at, $9), key_order = NULL FROM %4$s "
				 "WHERE s.trace_id OPERATOR(%5$s.=) $1 AND s.span_id OPERATOR(%5$s.=) $2 "
				 "AND s.start_ns = $3",
				 span.store.spans,
				 cleaned(&span.store,
						 psprintf("((s.attributes - ARRAY(SELECT jsonb_object_keys(%s))) || $7)",
								  marks("s.kind", "s.status"))),
				 marks("s.kind", "$5"), options(&span.store), span.store.extension),
		&arguments);
	query_path_leave(path);
	query_finish();
	/* what is longer than a bigint can count is as long as that */
	if (pg_sub_s64_overflow(end, span.start, &duration))
		duration = PG_INT64_MAX;
	PG_RETURN_INT64(duration);
}

/*
 * Append an element to one of the arrays of a span: what an expression of
 * arguments makes, and the attributes $4.
 */
static void
append_to_span(const RecordedSpan *span, QueryArguments *arguments, const char *column,
			   const char *element)
{
	query_run(
		psprintf("UPDATE %1$s s SET %2$s = s.%2$s || jsonb_build_array(jsonb_strip_nulls(%3$s) "
				 "|| CASE WHEN $4 = '{}' THEN '{}' "
				 "ELSE jsonb_build_object('attributes', %4$s) END), key_order = NULL "
				 "FROM %5$s "
				 "WHERE s.trace_id OPERATOR(%6$s.=) $1 AND s.span_id OPERATOR(%6$s.=) $2 "
				 "AND s.start_ns = $3",
				 span->store.spans, column, element, cleaned(&span->store, "$4"),
				 options(&span->store), span->store.extension),
		arguments);
}

static void
pass_span(QueryArguments *arguments, const RecordedSpan *span, Jsonb *attributes)
{
	pass_ids(arguments, span);
	query_argument(arguments, INT8OID, Int64GetDatum(span->start), false);
	query_argument(arguments, JSONBOID, JsonbPGetDatum(attributes), false);
}

PG_FUNCTION_INFO_V1(add_event);
Datum
add_event(PG_FUNCTION_ARGS)
{
	enum
	{
		STORE,
		CONTEXT,
		NAME,
		ATTRIBUTES,
		EVENT_TIME
	};
	QueryArguments arguments = {0};
	RecordedSpan span;
	Jsonb *attributes;
	int path;

	span_argument(fcinfo, &span);
	require_argument(fcinfo, NAME, "the name of an event");
	attributes = attributes_argument(fcinfo, ATTRIBUTES, span_ids(&span));

	query_connect();
	path = query_path_enter();
	lock_span(&span, "an event cannot be added to a span that has ended");
	pass_span(&arguments, &span, attributes);
	query_argument(&arguments, INT8OID, Int64GetDatum(time_argument(fcinfo, EVENT_TIME)), false);
	pass(&arguments, fcinfo, NAME, TEXTOID);
	append_to_span(&span, &arguments, "events",
				   "jsonb_build_object('time_ns', $5, 'name', nullif($6, ''))");
	query_path_leave(path);
	query_finish();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(add_link);
Datum
add_link(PG_FUNCTION_ARGS)
{
	enum
	{
		STORE,
		CONTEXT,
		LINKED,
		ATTRIBUTES
	};
	QueryArguments arguments = {0};
	RecordedSpan span;
	TraceContext linked;
	Jsonb *attributes;
	int path;

	span_argument(fcinfo, &span);
	require_argument(fcinfo, LINKED, "the context of a linked span");
	trace_context_open(&linked, PG_GETARG_VARLENA_PP(LINKED));
	attributes = attributes_argument(fcinfo, ATTRIBUTES, span_ids(&span));

	query_connect();
	path = query_path_enter();
	lock_span(&span, "a link cannot be added to a span that has ended");
	pass_span(&arguments, &span, attributes);
	pass_text(&arguments, hex_id_write(linked.parent.trace_id, TRACE_ID_BYTES));
	pass_text(&arguments, hex_id_write(linked.parent.span_id, SPAN_ID_BYTES));
	query_argument(&arguments, INT8OID, Int64GetDatum(linked.parent.flags),
				   linked.parent.flags == 0);
	pass_text(&arguments,
			  linked.tracestate_length == 0
				  ? NULL
				  : pnstrdup(linked.tracestate, linked.tracestate_length));
	append_to_span(&span, &arguments, "links",
				   "jsonb_build_object('trace_id', $5, 'span_id', $6, 'flags', $7, "
				   "'trace_state', $8)");
	query_path_leave(path);
	query_finish();
	PG_RETURN_VOID();
}
