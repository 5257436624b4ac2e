/*
 * hlc.c
 *		Hybrid logical timestamps.
 *
 * The kernel, its source and the text form are in core/hybrid_time.c.
 *
 * Stored bytes: int64 nanoseconds since 1970-01-01 UTC, then uint32 logical
 * counter, 12 bytes aligned to 4, by reference.  Binary image, version 1:
 *
 *		int8		version, 1
 *		int64		nanoseconds since 1970-01-01 UTC
 *		int32		logical counter, unsigned
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "core/compare.h"
#include "core/hybrid_time.h"
#include "core/sort_key.h"
#include "core/wire.h"
#include "time/hlc.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#define HLC_WIRE_VERSION 1
#define HLC_HINT \
	"Write a hybrid timestamp as 2026-11-22T13:00:00.123456789Z/7, or as nanoseconds.logical, 17.0."

PG_FUNCTION_INFO_V1(hlc_in);
Datum
hlc_in(PG_FUNCTION_ARGS)
{
	InputSource source = input_from_text("hlc", HLC_HINT, SOFT_ERROR_CONTEXT(fcinfo));
	HybridTime time;

	if (!hybrid_time_read(PG_GETARG_CSTRING(0), &source, &time))
		PG_RETURN_NULL();
	return hlc_result(time);
}

PG_FUNCTION_INFO_V1(hlc_out);
Datum
hlc_out(PG_FUNCTION_ARGS)
{
	char *text = palloc(HYBRID_TIME_TEXT_SIZE);

	hybrid_time_write(hlc_argument(fcinfo, 0), text);
	PG_RETURN_CSTRING(text);
}

PG_FUNCTION_INFO_V1(hlc_recv);
Datum
hlc_recv(PG_FUNCTION_ARGS)
{
	StringInfo msg = (StringInfo) PG_GETARG_POINTER(0);
	InputSource source = input_from_binary("hlc");
	HybridTime time;

	wire_get_version(msg, &source, HLC_WIRE_VERSION);
	time.nanoseconds = (int64) wire_get_uint64(msg, &source, "the nanoseconds");
	time.logical = wire_get_uint32(msg, &source, "the logical counter");
	wire_end(msg, &source);
	return hlc_result(time);
}

PG_FUNCTION_INFO_V1(hlc_send);
Datum
hlc_send(PG_FUNCTION_ARGS)
{
	HybridTime time = hlc_argument(fcinfo, 0);
	StringInfoData buf;

	wire_begin(&buf, HLC_WIRE_VERSION);
	pq_sendint64(&buf, time.nanoseconds);
	pq_sendint32(&buf, time.logical);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(hlc_make);
Datum
hlc_make(PG_FUNCTION_ARGS)
{
	int64 logical = PG_GETARG_INT64(1);
	HybridTime time;

	if (logical < 0 || logical > PG_UINT32_MAX)
	{
		InputSource source = input_from_arguments("hlc");

		input_out_of_range(&source, "The logical counter " INT64_FORMAT " is not between 0 and %u.",
						   logical, PG_UINT32_MAX);
	}
	time.nanoseconds = hybrid_time_from_timestamp(PG_GETARG_TIMESTAMPTZ(0));
	time.logical = (uint32) logical;
	return hlc_result(time);
}

PG_FUNCTION_INFO_V1(hlc_physical);
Datum
hlc_physical(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(hybrid_time_to_timestamp(hlc_argument(fcinfo, 0).nanoseconds));
}

PG_FUNCTION_INFO_V1(hlc_nanoseconds);
Datum
hlc_nanoseconds(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(hlc_argument(fcinfo, 0).nanoseconds);
}

PG_FUNCTION_INFO_V1(hlc_logical);
Datum
hlc_logical(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) hlc_argument(fcinfo, 0).logical);
}

/* As timestamps are subtracted: days and time, to the microsecond. */
PG_FUNCTION_INFO_V1(hlc_minus);
Datum
hlc_minus(PG_FUNCTION_ARGS)
{
	TimestampTz a = hybrid_time_to_timestamp(hlc_argument(fcinfo, 0).nanoseconds);
	TimestampTz b = hybrid_time_to_timestamp(hlc_argument(fcinfo, 1).nanoseconds);

	return DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(a), TimestampTzGetDatum(b));
}

/* The distance that ranges of timestamps are packed by, in seconds. */
PG_FUNCTION_INFO_V1(hlc_seconds_between);
Datum
hlc_seconds_between(PG_FUNCTION_ARGS)
{
	HybridTime a = hlc_argument(fcinfo, 0);
	HybridTime b = hlc_argument(fcinfo, 1);

	/* exact before it is rounded: a double does not tell near times of today apart */
	if (hybrid_time_compare(a, b) >= 0)
		PG_RETURN_FLOAT8((float8) ((uint64) a.nanoseconds - (uint64) b.nanoseconds) / 1e9);
	PG_RETURN_FLOAT8(-((float8) ((uint64) b.nanoseconds - (uint64) a.nanoseconds) / 1e9));
}

PG_FUNCTION_INFO_V1(hlc_tick_at);
Datum
hlc_tick_at(PG_FUNCTION_ARGS)
{
	int64 now = hybrid_time_from_timestamp(PG_GETARG_TIMESTAMPTZ(1));

	return hlc_result(hybrid_time_tick(hlc_argument(fcinfo, 0), now));
}

PG_FUNCTION_INFO_V1(hlc_receive_at);
Datum
hlc_receive_at(PG_FUNCTION_ARGS)
{
	HybridTime local = hlc_argument(fcinfo, 0);
	HybridTime remote = hlc_argument(fcinfo, 1);
	int64 now = hybrid_time_from_timestamp(PG_GETARG_TIMESTAMPTZ(2));

	return hlc_result(
		hybrid_time_tick(hybrid_time_compare(local, remote) < 0 ? remote : local, now));
}

/*
 * Order
 */

static int
hlc_cmp_internal(FunctionCallInfo fcinfo)
{
	return hybrid_time_compare(hlc_argument(fcinfo, 0), hlc_argument(fcinfo, 1));
}

static bool
hlc_eq_internal(FunctionCallInfo fcinfo)
{
	return memcmp(PG_GETARG_POINTER(0), PG_GETARG_POINTER(1), HYBRID_TIME_BYTES) == 0;
}

COMPARISON_FUNCTIONS(hlc);

PG_FUNCTION_INFO_V1(hlc_larger);
Datum
hlc_larger(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(hlc_cmp_internal(fcinfo) >= 0 ? 0 : 1));
}

PG_FUNCTION_INFO_V1(hlc_smaller);
Datum
hlc_smaller(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(hlc_cmp_internal(fcinfo) <= 0 ? 0 : 1));
}

PG_FUNCTION_INFO_V1(hlc_hash);
Datum
hlc_hash(PG_FUNCTION_ARGS)
{
	return hash_any((const unsigned char *) PG_GETARG_POINTER(0), HYBRID_TIME_BYTES);
}

PG_FUNCTION_INFO_V1(hlc_hash_extended);
Datum
hlc_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended((const unsigned char *) PG_GETARG_POINTER(0), HYBRID_TIME_BYTES,
							 PG_GETARG_INT64(1));
}

/*
 * Sorting reads both parts in place.  Nanoseconds tie only within a burst, so
 * as an abbreviated key they decide nearly every comparison.
 */
static int
hlc_sort_compare(Datum x, Datum y, SortSupport ssup)
{
	return hybrid_time_compare(hybrid_time_load(DatumGetPointer(x)),
							   hybrid_time_load(DatumGetPointer(y)));
}

/* Signed to unsigned, order kept. */
static Datum
hlc_abbreviate(Datum original, SortSupport ssup)
{
	int64 nanoseconds = hybrid_time_load(DatumGetPointer(original)).nanoseconds;

	return sort_key((uint64) nanoseconds ^ UINT64CONST(0x8000000000000000));
}

PG_FUNCTION_INFO_V1(hlc_sortsupport);
Datum
hlc_sortsupport(PG_FUNCTION_ARGS)
{
	sort_key_install((SortSupport) PG_GETARG_POINTER(0), hlc_sort_compare, hlc_abbreviate);
	PG_RETURN_VOID();
}
