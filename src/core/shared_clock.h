/*
 * shared_clock.h
 *		The hybrid logical clock that all sessions of a server share.
 */
#ifndef DISTRIBUTED_SHARED_CLOCK_H
#define DISTRIBUTED_SHARED_CLOCK_H

#include "postgres.h"

#include "core/hybrid_time.h"

/* How the clock stands. */
typedef struct SharedClockStatus
{
	bool used;       /* has it given a time yet? */
	HybridTime last; /* the last one */
	int64 wall_clock;
	uint64 refused; /* received times that were too far ahead */
} SharedClockStatus;

extern int shared_clock_max_offset; /* in milliseconds */

extern void shared_clock_define_settings(void);
extern HybridTime shared_clock_tick(void);
extern HybridTime shared_clock_receive(HybridTime remote);
extern void shared_clock_refuse_ahead(HybridTime remote, int64 now);
extern SharedClockStatus shared_clock_status(void);

#endif /* DISTRIBUTED_SHARED_CLOCK_H */
