/*
 * trace_flags.c
 *		Flags of a trace.
 *
 * One byte that travels with a trace (W3C Trace Context, section 3.2.2.5).
 * Bit 0 says that the caller records the trace: it is sampled.  Bit 1 asks to
 * record everything: debug.  (Level 2 of the specification uses bit 1 to say
 * that the trace id is random; who follows it reads that here.)  The other
 * bits are kept as they come.
 *
 * Stored as that byte, by value.  Order: by number.  Binary image, version 1:
 *
 *		int8		version, 1
 *		int8		the flags
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "core/compare.h"
#include "trace/hex_id.h"
#include "utils/sortsupport.h"

#define TRACE_FLAGS_HINT "Write the flags as 2 hexadecimal digits, such as 01 for sampled."

#define TRACE_FLAG_SAMPLED 0x01
#define TRACE_FLAG_DEBUG   0x02

static inline uint8
trace_flags_argument(FunctionCallInfo fcinfo, int number)
{
	return DatumGetUInt8(PG_GETARG_DATUM(number));
}

PG_FUNCTION_INFO_V1(trace_flags_in);
Datum
trace_flags_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);
	InputSource source = input_from_text("trace_flags", TRACE_FLAGS_HINT,
										 SOFT_ERROR_CONTEXT(fcinfo));
	uint8 flags = 0;

	hex_id_read(&source, text, strlen(text), &flags, sizeof(flags));
	return UInt8GetDatum(flags);
}

PG_FUNCTION_INFO_V1(trace_flags_out);
Datum
trace_flags_out(PG_FUNCTION_ARGS)
{
	uint8 flags = trace_flags_argument(fcinfo, 0);

	PG_RETURN_CSTRING(hex_id_write(&flags, sizeof(flags)));
}

PG_FUNCTION_INFO_V1(trace_flags_recv);
Datum
trace_flags_recv(PG_FUNCTION_ARGS)
{
	uint8 flags;

	hex_id_receive(fcinfo, "trace_flags", "the flags", &flags, sizeof(flags));
	return UInt8GetDatum(flags);
}

PG_FUNCTION_INFO_V1(trace_flags_send);
Datum
trace_flags_send(PG_FUNCTION_ARGS)
{
	uint8 flags = trace_flags_argument(fcinfo, 0);

	return hex_id_send(&flags, sizeof(flags));
}

PG_FUNCTION_INFO_V1(trace_flags_from_integer);
Datum
trace_flags_from_integer(PG_FUNCTION_ARGS)
{
	int32 flags = PG_GETARG_INT32(0);

	if (flags < 0 || flags > PG_UINT8_MAX)
	{
		InputSource source = input_from_arguments("trace_flags");

		input_out_of_range(&source, "The flags are a number of 0 to 255, not %d.", flags);
	}
	return UInt8GetDatum((uint8) flags);
}

PG_FUNCTION_INFO_V1(trace_flags_to_integer);
Datum
trace_flags_to_integer(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(trace_flags_argument(fcinfo, 0));
}

PG_FUNCTION_INFO_V1(trace_flags_is_sampled);
Datum
trace_flags_is_sampled(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((trace_flags_argument(fcinfo, 0) & TRACE_FLAG_SAMPLED) != 0);
}

PG_FUNCTION_INFO_V1(trace_flags_is_debug);
Datum
trace_flags_is_debug(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((trace_flags_argument(fcinfo, 0) & TRACE_FLAG_DEBUG) != 0);
}

/*
 * Order
 */

static int
trace_flags_cmp_internal(FunctionCallInfo fcinfo)
{
	return (int) trace_flags_argument(fcinfo, 0) - (int) trace_flags_argument(fcinfo, 1);
}

static bool
trace_flags_eq_internal(FunctionCallInfo fcinfo)
{
	return trace_flags_cmp_internal(fcinfo) == 0;
}

COMPARISON_FUNCTIONS(trace_flags);

static int
compare_sorted(Datum x, Datum y, SortSupport ssup)
{
	return (int) DatumGetUInt8(x) - (int) DatumGetUInt8(y);
}

PG_FUNCTION_INFO_V1(trace_flags_sortsupport);
Datum
trace_flags_sortsupport(PG_FUNCTION_ARGS)
{
	((SortSupport) PG_GETARG_POINTER(0))->comparator = compare_sorted;
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(trace_flags_hash);
Datum
trace_flags_hash(PG_FUNCTION_ARGS)
{
	return hash_uint32(trace_flags_argument(fcinfo, 0));
}

PG_FUNCTION_INFO_V1(trace_flags_hash_extended);
Datum
trace_flags_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_uint32_extended(trace_flags_argument(fcinfo, 0), PG_GETARG_INT64(1));
}
