/*
 * hybrid_time.h
 *		Hybrid logical timestamps: nanoseconds and a logical counter.
 */
#ifndef DISTRIBUTED_HYBRID_TIME_H
#define DISTRIBUTED_HYBRID_TIME_H

#include "postgres.h"

#include "core/input.h"
#include "datatype/timestamp.h"

typedef struct HybridTime
{
	int64 nanoseconds; /* since 1970-01-01 00:00:00 UTC */
	uint32 logical;    /* orders events of one nanosecond */
} HybridTime;

/* Stored without padding: 8 and 4 bytes, aligned to 4. */
#define HYBRID_TIME_BYTES 12

/* 2262-04-11T23:47:16.854775807Z/4294967295 and NUL */
#define HYBRID_TIME_TEXT_SIZE 42

extern bool hybrid_time_read(const char *text, const InputSource *source, HybridTime *time);
extern void hybrid_time_write(HybridTime time, char *text);
extern HybridTime hybrid_time_tick(HybridTime last, int64 now);
extern int64 hybrid_time_from_timestamp(TimestampTz timestamp);
extern TimestampTz hybrid_time_to_timestamp(int64 nanoseconds);

static inline HybridTime
hybrid_time_load(const void *stored)
{
	HybridTime time;

	memcpy(&time.nanoseconds, stored, sizeof(int64));
	memcpy(&time.logical, (const char *) stored + sizeof(int64), sizeof(uint32));
	return time;
}

static inline void
hybrid_time_store(void *stored, HybridTime time)
{
	memcpy(stored, &time.nanoseconds, sizeof(int64));
	memcpy((char *) stored + sizeof(int64), &time.logical, sizeof(uint32));
}

static inline int
hybrid_time_compare(HybridTime a, HybridTime b)
{
	if (a.nanoseconds != b.nanoseconds)
		return a.nanoseconds < b.nanoseconds ? -1 : 1;
	return (a.logical > b.logical) - (a.logical < b.logical);
}

#endif /* DISTRIBUTED_HYBRID_TIME_H */
