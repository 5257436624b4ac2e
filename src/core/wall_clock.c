/*
 * wall_clock.c
 *		What time it is, to the nanosecond; and the setting that lets tests say.
 *
 * distributed.test_clock is empty, or a duration by which the wall clock of the
 * session is off, such as -400ms, or @ and nanoseconds since 1970 at which it
 * stands still, such as @1795352400123456789.
 */
#include "core/compat.h"

#include <errno.h>

#include "common/int.h"
#include "core/wall_clock.h"

#define NS_PER_MS INT64CONST(1000000)

TestClock wall_clock_test;

static char *test_clock_setting = NULL;

static bool
test_clock_read(const char *text, TestClock *clock)
{
	const char *hint = NULL;
	int milliseconds;

	clock->active = text[0] != '\0';
	clock->still = text[0] == '@';
	clock->nanoseconds = 0;
	if (clock->still)
	{
		char *end;
		long long nanoseconds;

		errno = 0;
		nanoseconds = strtoll(text + 1, &end, 10);
		clock->nanoseconds = nanoseconds;
		if (errno == 0 && end != text + 1 && *end == '\0')
			return true;
	}
	else if (!clock->active)
		return true;
	else if (parse_int(text, &milliseconds, GUC_UNIT_MS, &hint))
	{
		clock->nanoseconds = milliseconds * NS_PER_MS;
		return true;
	}
	GUC_check_errdetail("\"%s\" is neither a duration, such as -400ms, nor @ and nanoseconds "
						"since 1970.",
						text);
	return false;
}

static bool
check_test_clock(char **newval, void **extra, GucSource source)
{
	TestClock clock;

	return *newval == NULL || test_clock_read(*newval, &clock);
}

static void
assign_test_clock(const char *newval, void *extra)
{
	test_clock_read(newval ? newval : "", &wall_clock_test);
}

void
wall_clock_define_setting(void)
{
	DefineCustomStringVariable(
		"distributed.test_clock", "What the wall clock shows, for tests only.",
		"Empty, or a duration by which it is off, or @ and nanoseconds since "
		"1970 at which it stands still.",
		&test_clock_setting, "", PGC_SUSET, GUC_NOT_IN_SAMPLE, check_test_clock, assign_test_clock,
		NULL);
}

/* What the wall clock shows in place of "now". */
int64
wall_clock_test_now(int64 now)
{
	int64 shifted;

	if (wall_clock_test.still)
		return wall_clock_test.nanoseconds;
	return pg_add_s64_overflow(now, wall_clock_test.nanoseconds, &shifted) ? now : shifted;
}
