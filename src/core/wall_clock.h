/*
 * wall_clock.h
 *		What time it is, to the nanosecond.
 */
#ifndef DISTRIBUTED_WALL_CLOCK_H
#define DISTRIBUTED_WALL_CLOCK_H

#include "postgres.h"

#include <time.h>

/* What the setting distributed.test_clock says; see wall_clock.c. */
typedef struct TestClock
{
	bool active;
	bool still; /* stands still at "nanoseconds", else is off by them */
	int64 nanoseconds;
} TestClock;

extern TestClock wall_clock_test;

extern void wall_clock_define_setting(void);
extern int64 wall_clock_test_now(int64 now);

/* Nanoseconds since 1970-01-01 00:00:00 UTC. */
static inline int64
wall_clock_now(void)
{
	struct timespec now;
	int64 nanoseconds;

	clock_gettime(CLOCK_REALTIME, &now);
	nanoseconds = (int64) now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
	return unlikely(wall_clock_test.active) ? wall_clock_test_now(nanoseconds) : nanoseconds;
}

#endif /* DISTRIBUTED_WALL_CLOCK_H */
