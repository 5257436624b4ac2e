/*
 * trace_id.c
 *		Ids of traces.
 *
 * 16 bytes that name a trace everywhere (W3C Trace Context, Level 2, section
 * 3.2.2.3).  The one of zeros, nil, names none: it is a value here, since
 * foreign data has it, but the context of a span never does.
 *
 * Stored as those bytes, by reference, like a uuid, so casting between the two
 * costs nothing.  Order: by the bytes.  Binary image: hex_id.c.
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "core/compare.h"
#include "core/sort_key.h"
#include "port/pg_bswap.h"
#include "trace/hex_id.h"
#include "trace/trace_id.h"

#define TRACE_ID_HINT "Write a trace id as 32 hexadecimal digits."

PG_FUNCTION_INFO_V1(trace_id_in);
Datum
trace_id_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);
	InputSource source = input_from_text("trace_id", TRACE_ID_HINT, SOFT_ERROR_CONTEXT(fcinfo));
	uint8 *id = palloc(TRACE_ID_BYTES);

	if (!hex_id_read(&source, text, strlen(text), id, TRACE_ID_BYTES))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(id);
}

PG_FUNCTION_INFO_V1(trace_id_out);
Datum
trace_id_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(hex_id_write(trace_id_argument(fcinfo, 0), TRACE_ID_BYTES));
}

PG_FUNCTION_INFO_V1(trace_id_recv);
Datum
trace_id_recv(PG_FUNCTION_ARGS)
{
	uint8 *id = palloc(TRACE_ID_BYTES);

	hex_id_receive(fcinfo, "trace_id", "the trace id", id, TRACE_ID_BYTES);
	PG_RETURN_POINTER(id);
}

PG_FUNCTION_INFO_V1(trace_id_send);
Datum
trace_id_send(PG_FUNCTION_ARGS)
{
	return hex_id_send(trace_id_argument(fcinfo, 0), TRACE_ID_BYTES);
}

PG_FUNCTION_INFO_V1(trace_id_from_bytea);
Datum
trace_id_from_bytea(PG_FUNCTION_ARGS)
{
	uint8 *id = palloc(TRACE_ID_BYTES);

	memcpy(id, hex_id_bytea(fcinfo, 0, "trace_id", TRACE_ID_BYTES), TRACE_ID_BYTES);
	PG_RETURN_POINTER(id);
}

PG_FUNCTION_INFO_V1(trace_id_to_bytea);
Datum
trace_id_to_bytea(PG_FUNCTION_ARGS)
{
	bytea *bytes = palloc(VARHDRSZ + TRACE_ID_BYTES);

	SET_VARSIZE(bytes, VARHDRSZ + TRACE_ID_BYTES);
	memcpy(VARDATA(bytes), trace_id_argument(fcinfo, 0), TRACE_ID_BYTES);
	PG_RETURN_BYTEA_P(bytes);
}

PG_FUNCTION_INFO_V1(trace_id_random);
Datum
trace_id_random(PG_FUNCTION_ARGS)
{
	uint8 *id = palloc(TRACE_ID_BYTES);

	hex_id_random(id, TRACE_ID_BYTES);
	PG_RETURN_POINTER(id);
}

PG_FUNCTION_INFO_V1(trace_id_is_nil);
Datum
trace_id_is_nil(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(hex_id_is_nil(trace_id_argument(fcinfo, 0), TRACE_ID_BYTES));
}

/*
 * Order
 */

static int
trace_id_cmp_internal(FunctionCallInfo fcinfo)
{
	return memcmp(trace_id_argument(fcinfo, 0), trace_id_argument(fcinfo, 1), TRACE_ID_BYTES);
}

static bool
trace_id_eq_internal(FunctionCallInfo fcinfo)
{
	return trace_id_cmp_internal(fcinfo) == 0;
}

COMPARISON_FUNCTIONS(trace_id);

static int
compare_sorted(Datum x, Datum y, SortSupport ssup)
{
	return memcmp(DatumGetPointer(x), DatumGetPointer(y), TRACE_ID_BYTES);
}

static Datum
abbreviate(Datum original, SortSupport ssup)
{
	uint64 prefix;

	memcpy(&prefix, DatumGetPointer(original), sizeof(prefix));
	return sort_key(pg_ntoh64(prefix));
}

PG_FUNCTION_INFO_V1(trace_id_sortsupport);
Datum
trace_id_sortsupport(PG_FUNCTION_ARGS)
{
	sort_key_install((SortSupport) PG_GETARG_POINTER(0), compare_sorted, abbreviate);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(trace_id_hash);
Datum
trace_id_hash(PG_FUNCTION_ARGS)
{
	return hash_any(trace_id_argument(fcinfo, 0), TRACE_ID_BYTES);
}

PG_FUNCTION_INFO_V1(trace_id_hash_extended);
Datum
trace_id_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended(trace_id_argument(fcinfo, 0), TRACE_ID_BYTES, PG_GETARG_INT64(1));
}
