/*
 * time_text.c
 *		Times in pictures: durations, moments, and ticks of an axis.
 *
 * Units are markup, since there is a character outside of ASCII among them.
 */
#include "core/compat.h"

#include "core/hybrid_time.h"
#include "trace/time_text.h"

typedef struct TimeUnit
{
	uint64 length; /* in nanoseconds */
	const char *name;
} TimeUnit;

#define NANOSECONDS_PER_SECOND UINT64CONST(1000000000)

static const TimeUnit time_units[] = {
	{1, "ns"},
	{1000, "&#181;s"},
	{1000000, "ms"},
	{NANOSECONDS_PER_SECOND, "s"},
	{60 * NANOSECONDS_PER_SECOND, "min"},
	{3600 * NANOSECONDS_PER_SECOND, "h"},
	{86400 * NANOSECONDS_PER_SECOND, "d"},
};

#define UNIT_SECOND 3

/* What is left of "number" divided by 10^"decimals", without zeros at its end. */
static void
time_text_append_decimal(StringInfo out, uint64 number, int decimals)
{
	uint64 divisor = 1;

	for (; decimals > 0 && number % 10 == 0; decimals--)
		number /= 10;
	for (int i = 0; i < decimals; i++)
		divisor *= 10;
	appendStringInfo(out, UINT64_FORMAT, number / divisor);
	if (decimals > 0)
		appendStringInfo(out, ".%0*d", decimals, (int) (number % divisor));
}

/* How long something took, in three digits or two units. */
void
time_text_append_duration(StringInfo out, uint64 duration)
{
	uint64 minute = time_units[UNIT_SECOND + 1].length;
	int unit;

	for (unit = 0; unit <= UNIT_SECOND && duration < minute; unit++)
	{
		uint64 length = time_units[unit].length;
		int decimals = 0;
		uint64 number = duration;

		if (unit > 0 && duration < 100 * length)
			decimals = duration < 10 * length ? 2 : 1;
		for (int i = 0; i < decimals; i++)
			number *= 10;
		number = (number + length / 2) / length;
		if (number >= 1000 && decimals == 0 && unit < UNIT_SECOND)
			continue;
		time_text_append_decimal(out, number, decimals);
		appendStringInfo(out, " %s", time_units[unit].name);
		return;
	}
	for (unit = (int) lengthof(time_units) - 1; duration < time_units[unit].length; unit--)
		;
	appendStringInfo(out, UINT64_FORMAT " %s", duration / time_units[unit].length,
					 time_units[unit].name);
	duration = duration % time_units[unit].length / time_units[unit - 1].length;
	if (duration > 0)
		appendStringInfo(out, " " UINT64_FORMAT " %s", duration, time_units[unit - 1].name);
}

/* A moment, in nanoseconds since 1970. */
void
time_text_append_moment(StringInfo out, int64 moment)
{
	HybridTime time = {.nanoseconds = moment};
	char text[HYBRID_TIME_TEXT_SIZE];

	hybrid_time_write(time, text);
	/* without "Z/0", and without thousandths that are 0 */
	text[strlen(text) - 3] = '\0';
	while (strlen(text) > 3 && strcmp(text + strlen(text) - 3, "000") == 0)
		text[strlen(text) - 3] = '\0';
	if (text[strlen(text) - 1] == '.')
		text[strlen(text) - 1] = '\0';
	appendStringInfo(out, "%sZ", text);
}

/*
 * The step from one tick of an axis to the next: the least one that is round in
 * its unit, and leaves at most so many beside the one at 0.
 */
uint64
time_text_tick_step(uint64 duration, uint32 most)
{
	static const uint64 seconds[] = {1,   2,   5,    10,   15,   30,    60,    120,   300,
									 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
	uint64 least = duration / most + 1;
	uint64 unit = 1;

	if (least > NANOSECONDS_PER_SECOND / 2)
	{
		for (Size i = 0; i < lengthof(seconds); i++)
			if (seconds[i] * NANOSECONDS_PER_SECOND >= least)
				return seconds[i] * NANOSECONDS_PER_SECOND;
		unit = time_units[lengthof(time_units) - 1].length;
	}
	while (5 * unit < least)
		unit *= 10;
	if (unit >= least)
		return unit;
	return 2 * unit >= least ? 2 * unit : 5 * unit;
}

/* A tick of an axis of this length: in one unit all along it, also 1000 us before 1200 us. */
void
time_text_append_tick(StringInfo out, uint64 tick, uint64 duration)
{
	int unit = (int) lengthof(time_units) - 1;

	while (unit > 0 && duration / 3 < time_units[unit].length)
		unit--;
	/* steps may be halves of the unit */
	if (unit == 0)
		time_text_append_decimal(out, tick, 0);
	else
		time_text_append_decimal(out, tick / (time_units[unit].length / 10), 1);
	appendStringInfo(out, " %s", time_units[unit].name);
}
