/*
 * trace_context_bytes.c
 *		Contexts of spans as bytes, for programs that pass them on.
 *
 * A compact form that needs no database to read; integers have their most
 * significant byte first:
 *
 *		bytes		trace id, 16
 *		bytes		id of the parent span, 8, or zeros
 *		bytes		span id, 8
 *		uint8		flags
 *		uint64		created at, nanoseconds since 1970, or 0
 *		uint16		length of the region, or 0
 *		bytes		region, UTF-8
 *		uint16		number of baggage items
 *		for each:
 *			uint16	length of the key
 *			bytes	key
 *			uint16	length of the value
 *			bytes	value, UTF-8
 *
 * It has no place for the tracestate, nor for properties of baggage.
 */
#include "core/compat.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "trace/hex_id.h"
#include "trace/trace_context.h"

#define TYPE_NAME  "trace_context"
#define BYTES_HINT "Pass what to_bytes() has written, whole."

typedef struct ByteReader
{
	const char *at;
	Size left;
	InputSource source;
} ByteReader;

static const char *
take_bytes(ByteReader *reader, const char *part, Size size)
{
	const char *bytes = reader->at;

	if (reader->left < size)
		input_malformed(&reader->source, "The bytes end within %s: bytes needed %zu, left %zu.",
						part, size, reader->left);
	reader->at += size;
	reader->left -= size;
	return bytes;
}

/* An unsigned integer of 1 to 8 bytes. */
static uint64
take_integer(ByteReader *reader, const char *part, Size size)
{
	const uint8 *bytes = (const uint8 *) take_bytes(reader, part, size);
	uint64 value = 0;

	for (Size i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* UTF-8 behind its length, as text of the server; NUL-terminated. */
static const char *
take_text(ByteReader *reader, const char *length_part, const char *part, Size *length)
{
	Size size = (Size) take_integer(reader, length_part, sizeof(uint16));
	const char *utf8 = take_bytes(reader, part, size);
	char *copy;
	char *text;

	/* this finds NUL as well */
	if (!pg_verify_mbstr(PG_UTF8, utf8, (int) size, true))
		input_malformed(&reader->source, "The bytes of %s are not UTF-8, or have a zero.", part);
	copy = pnstrdup(utf8, size);
	text = pg_any_to_server(copy, (int) size, PG_UTF8);
	*length = strlen(text);
	return text;
}

PG_FUNCTION_INFO_V1(trace_context_from_bytes);
Datum
trace_context_from_bytes(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	ByteReader reader = {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes),
						 input_from_binary(TYPE_NAME)};
	TraceContext context = {.created_at = 0};
	BaggageBuilder builder;
	uint64 created_at;
	uint32 count;
	const char *region;
	Size length;

	reader.source.hint = BYTES_HINT;
	memcpy(context.parent.trace_id, take_bytes(&reader, "the trace id", TRACE_ID_BYTES),
		   TRACE_ID_BYTES);
	memcpy(context.parent_span_id, take_bytes(&reader, "the parent span id", SPAN_ID_BYTES),
		   SPAN_ID_BYTES);
	memcpy(context.parent.span_id, take_bytes(&reader, "the span id", SPAN_ID_BYTES),
		   SPAN_ID_BYTES);
	traceparent_check(&context.parent, &reader.source);
	context.parent.flags = (uint8) take_integer(&reader, "the flags", 1);
	created_at = take_integer(&reader, "the time of creation", sizeof(uint64));
	if (created_at > PG_INT64_MAX)
		input_out_of_range(&reader.source, "The time of creation is greater than " INT64_FORMAT ".",
						   PG_INT64_MAX);
	context.created_at = (int64) created_at;
	region = take_text(&reader, "the length of the region", "the region", &length);
	if (length > 0)
		trace_context_set_region(&context, region, length, &reader.source);

	count = (uint32) take_integer(&reader, "the number of baggage items", sizeof(uint16));
	baggage_builder_init(&builder);
	for (uint32 i = 0; i < count; i++)
	{
		Size key_length;
		Size value_length;
		const char *key = take_text(&reader, "the length of a key of the baggage",
									"a key of the baggage", &key_length);
		const char *value = take_text(&reader, "the length of a value of the baggage",
									  "a value of the baggage", &value_length);

		baggage_add(&builder, key, key_length, value, value_length, "", 0, &reader.source);
	}
	baggage_build(&builder, &reader.source, &context.baggage);
	if (reader.left > 0)
		input_malformed(&reader.source, "Bytes after the end of the context: %zu.", reader.left);
	PG_RETURN_POINTER(trace_context_build(&context));
}

/* Text of the server as UTF-8 behind its length. */
static void
put_text(StringInfo buf, const char *text, Size length)
{
	char *utf8 = pg_server_to_any(text, (int) length, PG_UTF8);

	if (utf8 != text)
		length = strlen(utf8);
	pq_sendint16(buf, (uint16) length);
	pq_sendbytes(buf, utf8, (int) length);
}

PG_FUNCTION_INFO_V1(trace_context_to_bytes);
Datum
trace_context_to_bytes(PG_FUNCTION_ARGS)
{
	TraceContext context;
	BaggageItem item;
	StringInfoData buf;

	trace_context_open(&context, PG_GETARG_VARLENA_PP(0));
	pq_begintypsend(&buf);
	pq_sendbytes(&buf, (const char *) context.parent.trace_id, TRACE_ID_BYTES);
	pq_sendbytes(&buf, (const char *) context.parent_span_id, SPAN_ID_BYTES);
	pq_sendbytes(&buf, (const char *) context.parent.span_id, SPAN_ID_BYTES);
	pq_sendbyte(&buf, context.parent.flags);
	pq_sendint64(&buf, (uint64) context.created_at);
	put_text(&buf, context.region, context.region_length);
	pq_sendint16(&buf, (uint16) baggage_count(&context.baggage));
	for (Size at = 0; baggage_next(&context.baggage, &at, &item);)
	{
		put_text(&buf, item.key, item.key_length);
		put_text(&buf, item.value, item.value_length);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
