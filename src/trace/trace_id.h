/*
 * trace_id.h
 *		Ids of traces, as they are stored and passed.
 */
#ifndef DISTRIBUTED_TRACE_ID_H
#define DISTRIBUTED_TRACE_ID_H

#include "postgres.h"

#include "fmgr.h"

#define TRACE_ID_BYTES 16

static inline const uint8 *
trace_id_argument(FunctionCallInfo fcinfo, int number)
{
	return (const uint8 *) PG_GETARG_POINTER(number);
}

#endif /* DISTRIBUTED_TRACE_ID_H */
