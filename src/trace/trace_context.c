/*
 * trace_context.c
 *		Contexts of spans.
 *
 * What one process tells the next about the span that calls it: W3C Trace
 * Context, Level 2 (traceparent.c, tracestate.c), W3C Baggage (baggage.c), and
 * besides, the parent of that span, the region that it is in, and when the
 * context was made.
 *
 * Stored bytes, behind the varlena header; integers have their most significant
 * byte first:
 *
 *		bytes		trace id, 16
 *		int64		created at, nanoseconds since 1970, or 0
 *		bytes		span id, 8
 *		bytes		id of the parent span, 8, or zeros
 *		uint8		flags
 *		uint16		length of the tracestate
 *		uint16		length of the region
 *		bytes		tracestate, canonical
 *		bytes		region, in the server's encoding
 *		rest		baggage, packed (baggage.c)
 *
 * Every part has one form, so equal contexts have equal bytes.  The order is
 * that of the bytes: by trace, and within it by the time of making.
 *
 * Binary image, version 1; strings are a length (int32) and bytes:
 *
 *		int8		version, 1
 *		bytes		trace id, 16
 *		bytes		span id, 8
 *		bytes		id of the parent span, 8, or zeros
 *		int8		flags
 *		int64		created at, nanoseconds since 1970, or 0
 *		string		tracestate, canonical, or empty
 *		string		region, or empty
 *		int32		number of baggage items
 *		for each, sorted by key:
 *			string	key
 *			string	value
 *			string	properties, canonical, or empty
 */
#include "core/compat.h"

#include "core/bytes.h"
#include "core/compare.h"
#include "core/hybrid_time.h"
#include "core/json_face.h"
#include "core/lattice.h"
#include "core/sort_key.h"
#include "core/wall_clock.h"
#include "core/wire.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "trace/hex_id.h"
#include "trace/trace_context.h"
#include "trace/tracestate.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#define TYPE_NAME "trace_context"
#define TRACE_CONTEXT_HINT \
	"Write a traceparent, such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, or JSON " \
	"that has one, {\"traceparent\": \"...\", \"tracestate\": \"...\"}."
#define HEADERS_HINT \
	"A tracestate or baggage that cannot be read may be left out; without a valid traceparent start " \
	"a trace with new_trace_context()."

/* where the parts of the stored form begin */
enum
{
	TRACE_ID_AT = 0,
	CREATED_AT_AT = TRACE_ID_AT + TRACE_ID_BYTES,
	SPAN_ID_AT = CREATED_AT_AT + sizeof(int64),
	PARENT_SPAN_ID_AT = SPAN_ID_AT + SPAN_ID_BYTES,
	FLAGS_AT = PARENT_SPAN_ID_AT + SPAN_ID_BYTES,
	TRACESTATE_LENGTH_AT = FLAGS_AT + 1,
	REGION_LENGTH_AT = TRACESTATE_LENGTH_AT + sizeof(uint16),
	TRACESTATE_AT = REGION_LENGTH_AT + sizeof(uint16)
};

/*
 * The stored form
 */

void
trace_context_open(TraceContext *context, const struct varlena *stored)
{
	const char *bytes = VARDATA_ANY(stored);
	uint64 created_at;
	uint16 length;

	memcpy(context->parent.trace_id, bytes + TRACE_ID_AT, TRACE_ID_BYTES);
	memcpy(&created_at, bytes + CREATED_AT_AT, sizeof(created_at));
	context->created_at = (int64) pg_ntoh64(created_at);
	memcpy(context->parent.span_id, bytes + SPAN_ID_AT, SPAN_ID_BYTES);
	memcpy(context->parent_span_id, bytes + PARENT_SPAN_ID_AT, SPAN_ID_BYTES);
	context->parent.flags = (uint8) bytes[FLAGS_AT];
	memcpy(&length, bytes + TRACESTATE_LENGTH_AT, sizeof(length));
	context->tracestate_length = pg_ntoh16(length);
	memcpy(&length, bytes + REGION_LENGTH_AT, sizeof(length));
	context->region_length = pg_ntoh16(length);
	context->tracestate = bytes + TRACESTATE_AT;
	context->region = context->tracestate + context->tracestate_length;
	context->baggage.bytes = context->region + context->region_length;
	context->baggage.size = VARSIZE_ANY_EXHDR(stored) - (context->baggage.bytes - bytes);
}

struct varlena *
trace_context_build(const TraceContext *context)
{
	Size total = VARHDRSZ + TRACESTATE_AT + context->tracestate_length + context->region_length +
		context->baggage.size;
	struct varlena *stored = palloc(total);
	char *bytes = VARDATA(stored);
	uint64 created_at = pg_hton64((uint64) context->created_at);
	uint16 tracestate_length = pg_hton16((uint16) context->tracestate_length);
	uint16 region_length = pg_hton16((uint16) context->region_length);

	SET_VARSIZE(stored, total);
	memcpy(bytes + TRACE_ID_AT, context->parent.trace_id, TRACE_ID_BYTES);
	memcpy(bytes + CREATED_AT_AT, &created_at, sizeof(created_at));
	memcpy(bytes + SPAN_ID_AT, context->parent.span_id, SPAN_ID_BYTES);
	memcpy(bytes + PARENT_SPAN_ID_AT, context->parent_span_id, SPAN_ID_BYTES);
	bytes[FLAGS_AT] = (char) context->parent.flags;
	memcpy(bytes + TRACESTATE_LENGTH_AT, &tracestate_length, sizeof(tracestate_length));
	memcpy(bytes + REGION_LENGTH_AT, &region_length, sizeof(region_length));
	bytes += TRACESTATE_AT;
	if (context->tracestate_length > 0)
		memcpy(bytes, context->tracestate, context->tracestate_length);
	bytes += context->tracestate_length;
	if (context->region_length > 0)
		memcpy(bytes, context->region, context->region_length);
	bytes += context->region_length;
	if (context->baggage.size > 0)
		memcpy(bytes, context->baggage.bytes, context->baggage.size);
	return stored;
}

static inline void
trace_context_argument(FunctionCallInfo fcinfo, int number, TraceContext *context)
{
	trace_context_open(context, PG_GETARG_VARLENA_PP(number));
}

static bool
has_parent_span(const TraceContext *context)
{
	return !hex_id_is_nil(context->parent_span_id, SPAN_ID_BYTES);
}

/*
 * Setting parts, which are checked
 */

bool
trace_context_set_region(TraceContext *context, const char *region, Size length,
						 const InputSource *source)
{
	Size utf8_length = length;

	if (length == 0)
		return input_malformed(source, "The region is empty.");
	if (length <= REGION_MOST)
	{
		const char *utf8 = input_convert(source, region, (int) length, GetDatabaseEncoding(),
										 PG_UTF8);

		if (utf8 == NULL)
			return false;
		if (utf8 != region)
			utf8_length = strlen(utf8);
	}
	if (utf8_length > REGION_MOST)
		return input_malformed(source, "The region has %zu bytes, more than %d.", utf8_length,
							   REGION_MOST);
	context->region = region;
	context->region_length = length;
	return true;
}

/* 0 would be read as none, and nobody traced before 1970. */
bool
trace_context_set_created_at(TraceContext *context, int64 nanoseconds, const InputSource *source)
{
	if (nanoseconds <= 0)
		return input_out_of_range(
			source, "A context cannot be created before 1970-01-01T00:00:00.000000001Z.");
	context->created_at = nanoseconds;
	return true;
}

static bool
set_tracestate(TraceContext *context, const char *text, Size length, const InputSource *source)
{
	StringInfoData canonical;

	initStringInfo(&canonical);
	if (!tracestate_read(text, length, source, &canonical))
		return false;
	context->tracestate = canonical.data;
	context->tracestate_length = canonical.len;
	return true;
}

/* RFC 3339, without the logical counter that a hybrid timestamp has. */
static bool
read_created_at(TraceContext *context, const char *text, const InputSource *source)
{
	HybridTime time;

	if (strchr(text, ':') == NULL || strchr(text, '/') != NULL)
		return input_malformed(source, "\"%s\" is no time such as 2026-11-22T13:00:00.123456789Z.",
							   text);
	return hybrid_time_read(text, source, &time) &&
		trace_context_set_created_at(context, time.nanoseconds, source);
}

/*
 * Input and output
 */

static struct varlena *
trace_context_read(const JsonFace *face, const JsonTree *json, const InputSource *source)
{
	enum
	{
		TRACEPARENT,
		TRACESTATE,
		PARENT_SPAN_ID,
		REGION,
		CREATED_AT,
		BAGGAGE,
		MEMBERS
	};
	static const char *const names[MEMBERS] = {"traceparent", "tracestate", "parent_span_id",
											   "region",      "created_at", "baggage"};
	const JsonTree *members[MEMBERS];
	const char *texts[MEMBERS] = {NULL};
	TraceContext context = {.created_at = 0};

	if (!json_tree_members(json, source, "A trace context", names, MEMBERS, members))
		return NULL;
	/* null says, as leaving it out does, that there is none */
	for (int i = 0; i < MEMBERS; i++)
	{
		if (members[i] && members[i]->kind == JSON_TREE_NULL)
			members[i] = NULL;
		if (members[i] == NULL || i == BAGGAGE)
			continue;
		if (members[i]->kind != JSON_TREE_STRING)
		{
			input_malformed(source, "The member \"%s\" is %s, not a string.", names[i],
							json_tree_kind_name(members[i]->kind));
			return NULL;
		}
		texts[i] = members[i]->text;
	}
	if (texts[TRACEPARENT] == NULL)
	{
		input_malformed(source, "A trace context has no \"traceparent\".");
		return NULL;
	}
	if (!traceparent_read(texts[TRACEPARENT], strlen(texts[TRACEPARENT]), source, &context.parent))
		return NULL;
	if (texts[TRACESTATE] &&
		!set_tracestate(&context, texts[TRACESTATE], strlen(texts[TRACESTATE]), source))
		return NULL;
	if (texts[PARENT_SPAN_ID])
	{
		InputSource part = *source;

		part.place = "The parent span id: ";
		if (!hex_id_read(&part, texts[PARENT_SPAN_ID], strlen(texts[PARENT_SPAN_ID]),
						 context.parent_span_id, SPAN_ID_BYTES))
			return NULL;
		if (!has_parent_span(&context))
		{
			input_malformed(source, "The parent span id is nil.");
			return NULL;
		}
	}
	if (texts[REGION] &&
		!trace_context_set_region(&context, texts[REGION], strlen(texts[REGION]), source))
		return NULL;
	if (texts[CREATED_AT] && !read_created_at(&context, texts[CREATED_AT], source))
		return NULL;
	if (members[BAGGAGE] && !baggage_read_json(members[BAGGAGE], source, &context.baggage))
		return NULL;
	return trace_context_build(&context);
}

static void
write_member(StringInfo buf, const char *name, const char *text, Size length)
{
	appendStringInfo(buf, ", \"%s\": ", name);
	json_tree_append_string(buf, text, (int) length);
}

static void
trace_context_write(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	TraceContext context;

	trace_context_open(&context, value);
	appendStringInfoString(buf, "{\"traceparent\": \"");
	traceparent_write(buf, &context.parent);
	appendStringInfoChar(buf, '"');
	if (context.tracestate_length > 0)
		write_member(buf, "tracestate", context.tracestate, context.tracestate_length);
	if (has_parent_span(&context))
		write_member(buf, "parent_span_id", hex_id_write(context.parent_span_id, SPAN_ID_BYTES),
					 2 * SPAN_ID_BYTES);
	if (context.region_length > 0)
		write_member(buf, "region", context.region, context.region_length);
	if (context.created_at != 0)
	{
		char text[HYBRID_TIME_TEXT_SIZE];
		HybridTime time = {context.created_at, 0};

		hybrid_time_write(time, text);
		write_member(buf, "created_at", text, strchr(text, '/') - text);
	}
	if (context.baggage.size > 0)
	{
		appendStringInfoString(buf, ", \"baggage\": ");
		baggage_write_json(buf, &context.baggage, true);
	}
	appendStringInfoChar(buf, '}');
}

static void
receive_id(StringInfo msg, const InputSource *source, const char *part, uint8 *id, Size size)
{
	for (Size i = 0; i < size; i++)
		id[i] = wire_get_byte(msg, source, part);
}

static void
receive_baggage(StringInfo msg, const InputSource *source, Baggage *baggage)
{
	BaggageBuilder builder;
	const char *before = NULL;
	uint32 count = wire_get_count(msg, source, "the number of baggage items",
								  3 * sizeof(uint32) + 1);

	baggage_builder_init(&builder);
	for (uint32 i = 0; i < count; i++)
	{
		int key_length;
		int value_length;
		int properties_length;
		const char *key = wire_get_string(msg, source, "a key of the baggage", &key_length);
		const char *value = wire_get_string(msg, source, "a value of the baggage", &value_length);
		const char *properties = wire_get_string(msg, source, "properties of the baggage",
												 &properties_length);
		StringInfoData canonical;

		if (before && strcmp(before, key) >= 0)
			input_unordered(source, "A key of the baggage");
		before = key;
		initStringInfo(&canonical);
		baggage_read_properties(properties, properties_length, source, &canonical);
		if (strcmp(properties, canonical.data) != 0)
			input_malformed(source, "Properties of the baggage are not in their canonical form.");
		baggage_add(&builder, key, key_length, value, value_length, properties, properties_length,
					source);
	}
	baggage_build(&builder, source, baggage);
}

static struct varlena *
trace_context_receive(const JsonFace *face, StringInfo msg, int version, const InputSource *source)
{
	TraceContext context = {.created_at = 0};
	uint64 created_at;
	const char *text;
	int length;

	receive_id(msg, source, "the trace id", context.parent.trace_id, TRACE_ID_BYTES);
	receive_id(msg, source, "the span id", context.parent.span_id, SPAN_ID_BYTES);
	traceparent_check(&context.parent, source);
	receive_id(msg, source, "the parent span id", context.parent_span_id, SPAN_ID_BYTES);
	context.parent.flags = wire_get_byte(msg, source, "the flags");
	created_at = wire_get_counter(msg, source, "the time of creation");
	if (created_at != 0)
		trace_context_set_created_at(&context, (int64) created_at, source);
	text = wire_get_string(msg, source, "the tracestate", &length);
	set_tracestate(&context, text, length, source);
	if (context.tracestate_length != (Size) length)
		input_malformed(source, "The tracestate is not in its canonical form.");
	text = wire_get_string(msg, source, "the region", &length);
	if (length > 0)
		trace_context_set_region(&context, text, length, source);
	receive_baggage(msg, source, &context.baggage);
	return trace_context_build(&context);
}

static void
trace_context_send_image(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	TraceContext context;
	BaggageItem item;

	trace_context_open(&context, value);
	pq_sendbytes(buf, (const char *) context.parent.trace_id, TRACE_ID_BYTES);
	pq_sendbytes(buf, (const char *) context.parent.span_id, SPAN_ID_BYTES);
	pq_sendbytes(buf, (const char *) context.parent_span_id, SPAN_ID_BYTES);
	pq_sendbyte(buf, context.parent.flags);
	pq_sendint64(buf, (uint64) context.created_at);
	wire_put_string(buf, context.tracestate, (int) context.tracestate_length);
	wire_put_string(buf, context.region, (int) context.region_length);
	pq_sendint32(buf, baggage_count(&context.baggage));
	for (Size at = 0; baggage_next(&context.baggage, &at, &item);)
	{
		wire_put_string(buf, item.key, item.key_length);
		wire_put_string(buf, item.value, item.value_length);
		wire_put_string(buf, item.properties, item.properties_length);
	}
}

static const JsonFace trace_context_face = {
	.type_name = TYPE_NAME,
	.hint = TRACE_CONTEXT_HINT,
	.wire_version = 1,
	.read = trace_context_read,
	.write = trace_context_write,
	.receive = trace_context_receive,
	.send = trace_context_send_image,
};

/* JSON, or a traceparent as it comes. */
PG_FUNCTION_INFO_V1(trace_context_in);
Datum
trace_context_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	InputSource source;
	TraceContext context = {.created_at = 0};

	if (text[strspn(text, " \t\r\n")] == '{')
		return json_face_in(fcinfo, &trace_context_face);
	source = input_from_text(TYPE_NAME, TRACE_CONTEXT_HINT, SOFT_ERROR_CONTEXT(fcinfo));
	if (!traceparent_read(text, strlen(text), &source, &context.parent))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(trace_context_build(&context));
}

PG_FUNCTION_INFO_V1(trace_context_out);
Datum
trace_context_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &trace_context_face);
}

PG_FUNCTION_INFO_V1(trace_context_recv);
Datum
trace_context_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &trace_context_face);
}

PG_FUNCTION_INFO_V1(trace_context_send);
Datum
trace_context_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &trace_context_face);
}

PG_FUNCTION_INFO_V1(trace_context_from_jsonb);
Datum
trace_context_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &trace_context_face);
}

PG_FUNCTION_INFO_V1(trace_context_to_jsonb);
Datum
trace_context_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &trace_context_face);
}

PG_FUNCTION_INFO_V1(trace_context_to_json);
Datum
trace_context_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &trace_context_face);
}

/*
 * Making contexts
 */

static void
set_baggage_argument(TraceContext *context, Jsonb *jsonb, const InputSource *source)
{
	char *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));

	baggage_read_json(json_tree_read(text, (int) strlen(text), source), source, &context->baggage);
}

static void
set_created_at_argument(TraceContext *context, TimestampTz timestamp, const InputSource *source)
{
	if (timestamp > hybrid_time_to_timestamp(PG_INT64_MAX))
		input_out_of_range(source,
						   "A context cannot be created after 2262-04-11T23:47:16.854775807Z.");
	/* what is too early for nanoseconds is refused like all that is before 1970 */
	trace_context_set_created_at(context,
								 timestamp > hybrid_time_to_timestamp(0)
									 ? hybrid_time_from_timestamp(timestamp)
									 : 0,
								 source);
}

/* From its parts: trace_id, span_id, flags, tracestate, parent span, region, created at, baggage. */
PG_FUNCTION_INFO_V1(trace_context_make);
Datum
trace_context_make(PG_FUNCTION_ARGS)
{
	InputSource source = input_from_arguments(TYPE_NAME);
	TraceContext context = {.created_at = 0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	memcpy(context.parent.trace_id, trace_id_argument(fcinfo, 0), TRACE_ID_BYTES);
	span_id_store(context.parent.span_id, (uint64) PG_GETARG_INT64(1));
	context.parent.flags = DatumGetUInt8(PG_GETARG_DATUM(2));
	traceparent_check(&context.parent, &source);
	if (!PG_ARGISNULL(3))
	{
		text *tracestate = PG_GETARG_TEXT_PP(3);

		set_tracestate(&context, VARDATA_ANY(tracestate), VARSIZE_ANY_EXHDR(tracestate), &source);
	}
	if (!PG_ARGISNULL(4))
	{
		span_id_store(context.parent_span_id, (uint64) PG_GETARG_INT64(4));
		if (!has_parent_span(&context))
			input_malformed(&source, "The parent span id is nil.");
	}
	if (!PG_ARGISNULL(5))
	{
		text *region = PG_GETARG_TEXT_PP(5);

		trace_context_set_region(&context, VARDATA_ANY(region), VARSIZE_ANY_EXHDR(region), &source);
	}
	if (!PG_ARGISNULL(6))
		set_created_at_argument(&context, PG_GETARG_TIMESTAMPTZ(6), &source);
	if (!PG_ARGISNULL(7))
		set_baggage_argument(&context, PG_GETARG_JSONB_P(7), &source);
	PG_RETURN_POINTER(trace_context_build(&context));
}

/* From the header fields traceparent, tracestate and baggage. */
PG_FUNCTION_INFO_V1(trace_context_from_headers);
Datum
trace_context_from_headers(PG_FUNCTION_ARGS)
{
	InputSource source = input_from_text(TYPE_NAME, HEADERS_HINT, NULL);
	TraceContext context = {.created_at = 0};
	text *field;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	field = PG_GETARG_TEXT_PP(0);
	traceparent_read(VARDATA_ANY(field), VARSIZE_ANY_EXHDR(field), &source, &context.parent);
	if (!PG_ARGISNULL(1))
	{
		field = PG_GETARG_TEXT_PP(1);
		set_tracestate(&context, VARDATA_ANY(field), VARSIZE_ANY_EXHDR(field), &source);
	}
	if (!PG_ARGISNULL(2))
	{
		field = PG_GETARG_TEXT_PP(2);
		baggage_read_header(VARDATA_ANY(field), VARSIZE_ANY_EXHDR(field), &source,
							&context.baggage);
	}
	PG_RETURN_POINTER(trace_context_build(&context));
}

/* Of a new trace, in a region or none, with flags. */
PG_FUNCTION_INFO_V1(trace_context_new);
Datum
trace_context_new(PG_FUNCTION_ARGS)
{
	InputSource source = input_from_arguments(TYPE_NAME);
	TraceContext context = {.created_at = 0};

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	hex_id_random(context.parent.trace_id, TRACE_ID_BYTES);
	hex_id_random(context.parent.span_id, SPAN_ID_BYTES);
	context.parent.flags = DatumGetUInt8(PG_GETARG_DATUM(1));
	if (!PG_ARGISNULL(0))
	{
		text *region = PG_GETARG_TEXT_PP(0);

		trace_context_set_region(&context, VARDATA_ANY(region), VARSIZE_ANY_EXHDR(region), &source);
	}
	trace_context_set_created_at(&context, wall_clock_now(), &source);
	PG_RETURN_POINTER(trace_context_build(&context));
}

/* Of a new span that the context's own one calls. */
PG_FUNCTION_INFO_V1(trace_context_child);
Datum
trace_context_child(PG_FUNCTION_ARGS)
{
	InputSource source = input_from_arguments(TYPE_NAME);
	TraceContext context;

	trace_context_argument(fcinfo, 0, &context);
	memcpy(context.parent_span_id, context.parent.span_id, SPAN_ID_BYTES);
	do
		hex_id_random(context.parent.span_id, SPAN_ID_BYTES);
	while (memcmp(context.parent.span_id, context.parent_span_id, SPAN_ID_BYTES) == 0);
	trace_context_set_created_at(&context, wall_clock_now(), &source);
	PG_RETURN_POINTER(trace_context_build(&context));
}

/*
 * Reading them
 */

PG_FUNCTION_INFO_V1(trace_context_traceparent);
Datum
trace_context_traceparent(PG_FUNCTION_ARGS)
{
	TraceContext context;
	StringInfoData buf;

	trace_context_argument(fcinfo, 0, &context);
	initStringInfo(&buf);
	traceparent_write(&buf, &context.parent);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

PG_FUNCTION_INFO_V1(trace_context_tracestate);
Datum
trace_context_tracestate(PG_FUNCTION_ARGS)
{
	TraceContext context;

	trace_context_argument(fcinfo, 0, &context);
	if (context.tracestate_length == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(context.tracestate, (int) context.tracestate_length));
}

PG_FUNCTION_INFO_V1(trace_context_trace_id);
Datum
trace_context_trace_id(PG_FUNCTION_ARGS)
{
	TraceContext context;
	uint8 *id = palloc(TRACE_ID_BYTES);

	trace_context_argument(fcinfo, 0, &context);
	memcpy(id, context.parent.trace_id, TRACE_ID_BYTES);
	PG_RETURN_POINTER(id);
}

PG_FUNCTION_INFO_V1(trace_context_span_id);
Datum
trace_context_span_id(PG_FUNCTION_ARGS)
{
	TraceContext context;

	trace_context_argument(fcinfo, 0, &context);
	PG_RETURN_INT64((int64) span_id_load(context.parent.span_id));
}

PG_FUNCTION_INFO_V1(trace_context_parent_span_id);
Datum
trace_context_parent_span_id(PG_FUNCTION_ARGS)
{
	TraceContext context;

	trace_context_argument(fcinfo, 0, &context);
	if (!has_parent_span(&context))
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) span_id_load(context.parent_span_id));
}

PG_FUNCTION_INFO_V1(trace_context_flags);
Datum
trace_context_flags(PG_FUNCTION_ARGS)
{
	TraceContext context;

	trace_context_argument(fcinfo, 0, &context);
	return UInt8GetDatum(context.parent.flags);
}

PG_FUNCTION_INFO_V1(trace_context_region);
Datum
trace_context_region(PG_FUNCTION_ARGS)
{
	TraceContext context;

	trace_context_argument(fcinfo, 0, &context);
	if (context.region_length == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(context.region, (int) context.region_length));
}

PG_FUNCTION_INFO_V1(trace_context_created_at);
Datum
trace_context_created_at(PG_FUNCTION_ARGS)
{
	TraceContext context;

	trace_context_argument(fcinfo, 0, &context);
	if (context.created_at == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(hybrid_time_to_timestamp(context.created_at));
}

PG_FUNCTION_INFO_V1(trace_context_created_at_ns);
Datum
trace_context_created_at_ns(PG_FUNCTION_ARGS)
{
	TraceContext context;

	trace_context_argument(fcinfo, 0, &context);
	if (context.created_at == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(context.created_at);
}

/* Keys and values, without properties. */
PG_FUNCTION_INFO_V1(trace_context_baggage);
Datum
trace_context_baggage(PG_FUNCTION_ARGS)
{
	TraceContext context;
	StringInfoData buf;

	trace_context_argument(fcinfo, 0, &context);
	initStringInfo(&buf);
	baggage_write_json(&buf, &context.baggage, false);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

/* The value of a key, or null. */
PG_FUNCTION_INFO_V1(trace_context_baggage_value);
Datum
trace_context_baggage_value(PG_FUNCTION_ARGS)
{
	text *key = PG_GETARG_TEXT_PP(1);
	TraceContext context;
	BaggageItem item;

	trace_context_argument(fcinfo, 0, &context);
	for (Size at = 0; baggage_next(&context.baggage, &at, &item);)
	{
		if (bytes_compare(item.key, item.key_length, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)) == 0)
			PG_RETURN_TEXT_P(cstring_to_text_with_len(item.value, item.value_length));
	}
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(trace_context_baggage_header);
Datum
trace_context_baggage_header(PG_FUNCTION_ARGS)
{
	TraceContext context;
	StringInfoData buf;

	trace_context_argument(fcinfo, 0, &context);
	if (context.baggage.size == 0)
		PG_RETURN_NULL();
	initStringInfo(&buf);
	baggage_write_header(&buf, &context.baggage);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

/*
 * Order
 */

static int
compare_stored(const struct varlena *a, const struct varlena *b)
{
	return bytes_compare(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a), VARDATA_ANY(b),
						 VARSIZE_ANY_EXHDR(b));
}

static int
compare_sorted(Datum x, Datum y, SortSupport ssup)
{
	struct varlena *a = PG_DETOAST_DATUM_PACKED(x);
	struct varlena *b = PG_DETOAST_DATUM_PACKED(y);
	int order = compare_stored(a, b);

	if ((Pointer) a != DatumGetPointer(x))
		pfree(a);
	if ((Pointer) b != DatumGetPointer(y))
		pfree(b);
	return order;
}

static int
trace_context_cmp_internal(FunctionCallInfo fcinfo)
{
	return compare_sorted(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), NULL);
}

static bool
trace_context_eq_internal(FunctionCallInfo fcinfo)
{
	return lattice_equal(fcinfo);
}

COMPARISON_FUNCTIONS(trace_context);

static Datum
abbreviate(Datum original, SortSupport ssup)
{
	struct varlena *stored = PG_DETOAST_DATUM_PACKED(original);
	uint64 prefix;

	memcpy(&prefix, VARDATA_ANY(stored) + TRACE_ID_AT, sizeof(prefix));
	if ((Pointer) stored != DatumGetPointer(original))
		pfree(stored);
	return sort_key(pg_ntoh64(prefix));
}

PG_FUNCTION_INFO_V1(trace_context_sortsupport);
Datum
trace_context_sortsupport(PG_FUNCTION_ARGS)
{
	sort_key_install((SortSupport) PG_GETARG_POINTER(0), compare_sorted, abbreviate);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(trace_context_hash);
Datum
trace_context_hash(PG_FUNCTION_ARGS)
{
	return lattice_hash(fcinfo);
}

PG_FUNCTION_INFO_V1(trace_context_hash_extended);
Datum
trace_context_hash_extended(PG_FUNCTION_ARGS)
{
	return lattice_hash_extended(fcinfo);
}
