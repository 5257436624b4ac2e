/*
 * hlc.h
 *		Hybrid logical timestamps as arguments and results.
 */
#ifndef DISTRIBUTED_HLC_H
#define DISTRIBUTED_HLC_H

#include "postgres.h"

#include "core/hybrid_time.h"
#include "fmgr.h"

static inline HybridTime
hlc_argument(FunctionCallInfo fcinfo, int number)
{
	return hybrid_time_load(PG_GETARG_POINTER(number));
}

static inline Datum
hlc_result(HybridTime time)
{
	void *stored = palloc(HYBRID_TIME_BYTES);

	hybrid_time_store(stored, time);
	return PointerGetDatum(stored);
}

#endif /* DISTRIBUTED_HLC_H */
