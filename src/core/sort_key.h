/*
 * sort_key.h
 *		Sorting by a number that comes first in a type's order.
 */
#ifndef DISTRIBUTED_SORT_KEY_H
#define DISTRIBUTED_SORT_KEY_H

#include "postgres.h"

#include "utils/sortsupport.h"

extern void sort_key_install(SortSupport ssup, int (*compare)(Datum x, Datum y, SortSupport ssup),
							 Datum (*abbreviate)(Datum original, SortSupport ssup));

/* A key as a Datum; where that has 32 bits, the upper half is what sorts. */
static inline Datum
sort_key(uint64 key)
{
	return (Datum) (key >> (64 - 8 * sizeof(Datum)));
}

#endif /* DISTRIBUTED_SORT_KEY_H */
