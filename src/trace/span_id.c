/*
 * span_id.c
 *		Ids of spans.
 *
 * 8 bytes that name a span within its trace (W3C Trace Context, Level 2,
 * section 3.2.2.4).  The one of zeros, nil, names none: it is a value here, as
 * in trace_id.c.
 *
 * Stored as a bigint of the same 64 bits, by value, the first byte being the
 * most significant one; so casting between the two costs nothing.  Order: by
 * the bytes, that is, unsigned.  Binary image: hex_id.c.
 */
#include "core/compat.h"

#include "core/compare.h"
#include "trace/hex_id.h"
#include "trace/span_id.h"
#include "utils/fmgrprotos.h"
#include "utils/sortsupport.h"

#define SPAN_ID_HINT "Write a span id as 16 hexadecimal digits."

static inline uint64
span_id_argument(FunctionCallInfo fcinfo, int number)
{
	return (uint64) PG_GETARG_INT64(number);
}

PG_FUNCTION_INFO_V1(span_id_in);
Datum
span_id_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);
	InputSource source = input_from_text("span_id", SPAN_ID_HINT, SOFT_ERROR_CONTEXT(fcinfo));
	uint8 bytes[SPAN_ID_BYTES] = {0};

	hex_id_read(&source, text, strlen(text), bytes, sizeof(bytes));
	PG_RETURN_INT64((int64) span_id_load(bytes));
}

PG_FUNCTION_INFO_V1(span_id_out);
Datum
span_id_out(PG_FUNCTION_ARGS)
{
	uint8 bytes[SPAN_ID_BYTES];

	span_id_store(bytes, span_id_argument(fcinfo, 0));
	PG_RETURN_CSTRING(hex_id_write(bytes, sizeof(bytes)));
}

PG_FUNCTION_INFO_V1(span_id_recv);
Datum
span_id_recv(PG_FUNCTION_ARGS)
{
	uint8 bytes[SPAN_ID_BYTES];

	hex_id_receive(fcinfo, "span_id", "the span id", bytes, sizeof(bytes));
	PG_RETURN_INT64((int64) span_id_load(bytes));
}

PG_FUNCTION_INFO_V1(span_id_send);
Datum
span_id_send(PG_FUNCTION_ARGS)
{
	uint8 bytes[SPAN_ID_BYTES];

	span_id_store(bytes, span_id_argument(fcinfo, 0));
	return hex_id_send(bytes, sizeof(bytes));
}

PG_FUNCTION_INFO_V1(span_id_from_bytea);
Datum
span_id_from_bytea(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) span_id_load(hex_id_bytea(fcinfo, 0, "span_id", SPAN_ID_BYTES)));
}

PG_FUNCTION_INFO_V1(span_id_to_bytea);
Datum
span_id_to_bytea(PG_FUNCTION_ARGS)
{
	bytea *bytes = palloc(VARHDRSZ + SPAN_ID_BYTES);

	SET_VARSIZE(bytes, VARHDRSZ + SPAN_ID_BYTES);
	span_id_store((uint8 *) VARDATA(bytes), span_id_argument(fcinfo, 0));
	PG_RETURN_BYTEA_P(bytes);
}

PG_FUNCTION_INFO_V1(span_id_random);
Datum
span_id_random(PG_FUNCTION_ARGS)
{
	uint8 bytes[SPAN_ID_BYTES];

	hex_id_random(bytes, sizeof(bytes));
	PG_RETURN_INT64((int64) span_id_load(bytes));
}

PG_FUNCTION_INFO_V1(span_id_is_nil);
Datum
span_id_is_nil(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(span_id_argument(fcinfo, 0) == 0);
}

/*
 * Order
 */

static int
compare_ids(uint64 a, uint64 b)
{
	return (a > b) - (a < b);
}

static int
span_id_cmp_internal(FunctionCallInfo fcinfo)
{
	return compare_ids(span_id_argument(fcinfo, 0), span_id_argument(fcinfo, 1));
}

static bool
span_id_eq_internal(FunctionCallInfo fcinfo)
{
	return span_id_argument(fcinfo, 0) == span_id_argument(fcinfo, 1);
}

COMPARISON_FUNCTIONS(span_id);

static int
compare_sorted(Datum x, Datum y, SortSupport ssup)
{
	return compare_ids((uint64) DatumGetInt64(x), (uint64) DatumGetInt64(y));
}

PG_FUNCTION_INFO_V1(span_id_sortsupport);
Datum
span_id_sortsupport(PG_FUNCTION_ARGS)
{
	((SortSupport) PG_GETARG_POINTER(0))->comparator = compare_sorted;
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(span_id_hash);
Datum
span_id_hash(PG_FUNCTION_ARGS)
{
	return hashint8(fcinfo);
}

PG_FUNCTION_INFO_V1(span_id_hash_extended);
Datum
span_id_hash_extended(PG_FUNCTION_ARGS)
{
	return hashint8extended(fcinfo);
}
