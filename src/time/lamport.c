/*
 * lamport.c
 *		Lamport timestamps.
 *
 * A counter that each event increments and each message raises (Lamport,
 * "Time, clocks, and the ordering of events in a distributed system", 1978):
 * if a happened before b, then a's timestamp is less.  The converse does not
 * hold, so these order events but do not tell causes from coincidence.
 *
 * Stored as a bigint of 0 to 2^63-1, by value, so comparison, hashing, max and
 * min are those of bigint.  Binary image, version 1:
 *
 *		int8		version, 1
 *		int64		the counter
 */
#include "core/compat.h"

#include <ctype.h>

#include "core/compare.h"
#include "core/input.h"
#include "core/wire.h"
#include "time/lamport.h"
#include "utils/fmgrprotos.h"

#define LAMPORT_WIRE_VERSION 1
#define LAMPORT_HINT         "Write a Lamport timestamp as a whole number from 0 to 9223372036854775807."

PG_FUNCTION_INFO_V1(lamport_in);
Datum
lamport_in(PG_FUNCTION_ARGS)
{
	char *token = pstrdup(PG_GETARG_CSTRING(0));
	InputSource source = input_from_text("lamport", LAMPORT_HINT, SOFT_ERROR_CONTEXT(fcinfo));
	uint64 counter = 0;
	Size length;

	while (isspace((unsigned char) *token))
		token++;
	length = strlen(token);
	while (length > 0 && isspace((unsigned char) token[length - 1]))
		token[--length] = '\0';
	input_counter_fault(&source, input_counter(token, &counter), "The timestamp", token);
	PG_RETURN_INT64((int64) counter);
}

PG_FUNCTION_INFO_V1(lamport_out);
Datum
lamport_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(psprintf(INT64_FORMAT, PG_GETARG_INT64(0)));
}

PG_FUNCTION_INFO_V1(lamport_recv);
Datum
lamport_recv(PG_FUNCTION_ARGS)
{
	StringInfo msg = (StringInfo) PG_GETARG_POINTER(0);
	InputSource source = input_from_binary("lamport");
	uint64 counter;

	wire_get_version(msg, &source, LAMPORT_WIRE_VERSION);
	counter = wire_get_counter(msg, &source, "the counter");
	wire_end(msg, &source);
	PG_RETURN_INT64((int64) counter);
}

PG_FUNCTION_INFO_V1(lamport_send);
Datum
lamport_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	wire_begin(&buf, LAMPORT_WIRE_VERSION);
	pq_sendint64(&buf, PG_GETARG_INT64(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(lamport_from_bigint);
Datum
lamport_from_bigint(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) input_counter_argument(PG_GETARG_INT64(0), "counter", "lamport"));
}

PG_FUNCTION_INFO_V1(lamport_from_integer);
Datum
lamport_from_integer(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) input_counter_argument(PG_GETARG_INT32(0), "counter", "lamport"));
}

/* The timestamp of the next event after one stamped "counter". */
int64
lamport_next(int64 counter)
{
	if (counter == PG_INT64_MAX)
	{
		InputSource source = input_from_arguments("lamport");

		input_out_of_range(&source, "The counter is already " INT64_FORMAT ".", PG_INT64_MAX);
	}
	return counter + 1;
}

PG_FUNCTION_INFO_V1(lamport_tick);
Datum
lamport_tick(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(lamport_next(PG_GETARG_INT64(0)));
}

PG_FUNCTION_INFO_V1(lamport_receive);
Datum
lamport_receive(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(lamport_next(Max(PG_GETARG_INT64(0), PG_GETARG_INT64(1))));
}

/*
 * Order: that of bigint
 */

static int
lamport_cmp_internal(FunctionCallInfo fcinfo)
{
	int64 a = PG_GETARG_INT64(0);
	int64 b = PG_GETARG_INT64(1);

	return (a > b) - (a < b);
}

static bool
lamport_eq_internal(FunctionCallInfo fcinfo)
{
	return PG_GETARG_INT64(0) == PG_GETARG_INT64(1);
}

COMPARISON_FUNCTIONS(lamport);

PG_FUNCTION_INFO_V1(lamport_larger);
Datum
lamport_larger(PG_FUNCTION_ARGS)
{
	return int8larger(fcinfo);
}

PG_FUNCTION_INFO_V1(lamport_smaller);
Datum
lamport_smaller(PG_FUNCTION_ARGS)
{
	return int8smaller(fcinfo);
}

PG_FUNCTION_INFO_V1(lamport_hash);
Datum
lamport_hash(PG_FUNCTION_ARGS)
{
	return hashint8(fcinfo);
}

PG_FUNCTION_INFO_V1(lamport_hash_extended);
Datum
lamport_hash_extended(PG_FUNCTION_ARGS)
{
	return hashint8extended(fcinfo);
}

PG_FUNCTION_INFO_V1(lamport_sortsupport);
Datum
lamport_sortsupport(PG_FUNCTION_ARGS)
{
	return btint8sortsupport(fcinfo);
}
