/*
 * hybrid_time.c
 *		Hybrid logical timestamps: nanoseconds and a logical counter.
 *
 * Kulkarni et al., "Logical physical clocks" (2014): a timestamp follows
 * physical time, and where that does not advance, a counter does, so that an
 * event's timestamp is greater than those of all its causes and yet close to
 * the time of day.  The total order is (nanoseconds, logical).
 *
 * Text: RFC 3339 in UTC with nine digits of fraction, then the logical
 * counter: 2026-11-22T13:00:00.123456789Z/7.  Fixed-width up to the counter,
 * and independent of every setting.  Read as well: fewer digits of fraction or
 * none, a blank or small t for the T, a small z or a numeric offset for the Z,
 * no counter (then it is 0), and the short form nanoseconds.logical, 17.0.
 */
#include "core/compat.h"

#include <ctype.h>

#include "common/int.h"
#include "core/hybrid_time.h"
#include "utils/datetime.h"

#define NS_PER_SECOND   INT64CONST(1000000000)
#define NS_PER_US       INT64CONST(1000)
#define SECONDS_PER_DAY INT64CONST(86400)

/* microseconds from 1970 to 2000, where PostgreSQL counts from */
#define EPOCH_SHIFT_US ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

static int64
floor_divide(int64 dividend, int64 divisor)
{
	int64 quotient = dividend / divisor;

	if (dividend % divisor < 0)
		quotient--;
	return quotient;
}

/* seconds and a fraction of 0 to 999999999 ns; false where 64 bits do not do */
static bool
combine_nanoseconds(int64 seconds, int64 fraction, int64 *nanoseconds)
{
	/* the earliest second has no whole nanosecond count of its own */
	if (seconds < 0)
	{
		seconds++;
		fraction -= NS_PER_SECOND;
	}
	return !pg_mul_s64_overflow(seconds, NS_PER_SECOND, nanoseconds) &&
		!pg_add_s64_overflow(*nanoseconds, fraction, nanoseconds);
}

/*
 * Read exactly "digits" digits.
 */
static bool
read_digits(const char **cursor, int digits, int *number)
{
	int value = 0;

	for (int i = 0; i < digits; i++)
	{
		char c = (*cursor)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*cursor += digits;
	*number = value;
	return true;
}

static bool
read_literal(const char **cursor, char c)
{
	if (**cursor != c)
		return false;
	(*cursor)++;
	return true;
}

/*
 * Read decimal digits, at least one, as a number of at most "limit".
 */
static bool
read_number(const char **cursor, uint64 limit, bool *fits, uint64 *number)
{
	uint64 value = 0;

	if (**cursor < '0' || **cursor > '9')
		return false;
	*fits = true;
	for (; **cursor >= '0' && **cursor <= '9'; (*cursor)++)
	{
		uint64 digit = **cursor - '0';

		if (value > (limit - digit) / 10)
			*fits = false;
		else
			value = value * 10 + digit;
	}
	*number = value;
	return true;
}

static bool
read_logical(const char **cursor, const InputSource *source, const char *text, HybridTime *time)
{
	uint64 logical;
	bool fits;

	if (!read_number(cursor, PG_UINT32_MAX, &fits, &logical))
		return input_malformed(source, "The logical counter of \"%s\" is not a whole number.",
							   text);
	if (!fits)
		return input_out_of_range(source, "The logical counter of \"%s\" is greater than %u.", text,
								  PG_UINT32_MAX);
	time->logical = (uint32) logical;
	return true;
}

/*
 * The rest of a text: only blanks may follow.
 */
static bool
read_end(const char *cursor, const InputSource *source, const char *text)
{
	while (isspace((unsigned char) *cursor))
		cursor++;
	if (*cursor != '\0')
		return input_malformed(source, "There is trailing text in \"%s\": \"%s\".", text, cursor);
	return true;
}

/* 17.0 */
static bool
read_short_form(const char *cursor, const InputSource *source, const char *text, HybridTime *time)
{
	bool negative = read_literal(&cursor, '-');
	uint64 limit = (uint64) PG_INT64_MAX + (negative ? 1 : 0);
	uint64 magnitude;
	bool fits;

	if (!read_number(&cursor, limit, &fits, &magnitude) || !read_literal(&cursor, '.'))
		return input_malformed(source, "\"%s\" is neither a timestamp nor nanoseconds.logical.",
							   text);
	if (!fits)
		return input_out_of_range(source, "The nanoseconds of \"%s\" do not fit in 64 bits.", text);
	time->nanoseconds = negative ? (int64) (0 - magnitude) : (int64) magnitude;
	return read_logical(&cursor, source, text, time) && read_end(cursor, source, text);
}

/* The fraction behind the point, as nanoseconds. */
static bool
read_fraction(const char **cursor, const InputSource *source, const char *text, int64 *fraction)
{
	int64 unit = NS_PER_SECOND / 10;

	*fraction = 0;
	if (!read_literal(cursor, '.'))
		return true;
	if (**cursor < '0' || **cursor > '9')
		return input_malformed(source, "The fraction of the seconds is missing in \"%s\".", text);
	for (; **cursor >= '0' && **cursor <= '9'; (*cursor)++)
	{
		if (unit == 0)
			return input_malformed(
				source, "The fraction of the seconds has more than nine digits in \"%s\".", text);
		*fraction += (**cursor - '0') * unit;
		unit /= 10;
	}
	return true;
}

/* Z, +02, +02:00 or +0200, as seconds east of Greenwich */
static bool
read_zone(const char **cursor, int *offset)
{
	bool west = **cursor == '-';
	int hours;
	int minutes = 0;

	*offset = 0;
	if (read_literal(cursor, 'Z') || read_literal(cursor, 'z'))
		return true;
	if (!read_literal(cursor, west ? '-' : '+') || !read_digits(cursor, 2, &hours))
		return false;
	if (read_literal(cursor, ':'))
	{
		if (!read_digits(cursor, 2, &minutes))
			return false;
	}
	else if (**cursor >= '0' && **cursor <= '9' && !read_digits(cursor, 2, &minutes))
		return false;
	if (hours > 15 || minutes > 59)
		return false;
	*offset = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
	return true;
}

bool
hybrid_time_read(const char *text, const InputSource *source, HybridTime *time)
{
	const char *cursor = text;
	const char *start;
	int year;
	int month;
	int day;
	int hour;
	int minute;
	int second;
	int offset;
	int64 fraction;
	int64 seconds;

	while (isspace((unsigned char) *cursor))
		cursor++;
	start = cursor;
	if (!read_digits(&cursor, 4, &year) || !read_literal(&cursor, '-'))
		return read_short_form(start, source, text, time);
	if (!read_digits(&cursor, 2, &month) || !read_literal(&cursor, '-') ||
		!read_digits(&cursor, 2, &day) ||
		!(read_literal(&cursor, 'T') || read_literal(&cursor, 't') || read_literal(&cursor, ' ')) ||
		!read_digits(&cursor, 2, &hour) || !read_literal(&cursor, ':') ||
		!read_digits(&cursor, 2, &minute) || !read_literal(&cursor, ':') ||
		!read_digits(&cursor, 2, &second))
		return input_malformed(source, "\"%s\" does not start with a date and a time.", text);
	if (month < 1 || month > 12)
		return input_malformed(source, "There is no month %d in \"%s\".", month, text);
	if (year == 0)
		return input_malformed(source, "There is no year 0 in \"%s\".", text);
	if (day < 1 || day > day_tab[isleap(year)][month - 1])
		return input_malformed(source, "There is no day %d of that month in \"%s\".", day, text);
	if (hour > 23 || minute > 59 || second > 59)
		return input_malformed(source, "There is no time %02d:%02d:%02d in \"%s\".", hour, minute,
							   second, text);
	if (!read_fraction(&cursor, source, text, &fraction))
		return false;
	if (!read_zone(&cursor, &offset))
		return input_malformed(source, "There is no time zone, such as Z or +02:00, in \"%s\".",
							   text);
	seconds = (int64) (date2j(year, month, day) - UNIX_EPOCH_JDATE) * SECONDS_PER_DAY +
		(hour * 60 + minute) * 60 + second - offset;
	if (!combine_nanoseconds(seconds, fraction, &time->nanoseconds))
		return input_out_of_range(source,
								  "\"%s\" is before 1677-09-21T00:12:43.145224192Z or after "
								  "2262-04-11T23:47:16.854775807Z.",
								  text);
	time->logical = 0;
	if (read_literal(&cursor, '/') && !read_logical(&cursor, source, text, time))
		return false;
	return read_end(cursor, source, text);
}

/* Write into HYBRID_TIME_TEXT_SIZE bytes. */
void
hybrid_time_write(HybridTime time, char *text)
{
	int64 seconds = floor_divide(time.nanoseconds, NS_PER_SECOND);
	int64 fraction = (int64) ((uint64) time.nanoseconds -
							  (uint64) seconds * (uint64) NS_PER_SECOND);
	int64 days = floor_divide(seconds, SECONDS_PER_DAY);
	int second_of_day = (int) (seconds - days * SECONDS_PER_DAY);
	int year;
	int month;
	int day;

	j2date((int) days + UNIX_EPOCH_JDATE, &year, &month, &day);
	snprintf(text, HYBRID_TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ/%u", year, month,
			 day, second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60, (int) fraction,
			 time.logical);
}

/*
 * The time of an event after "last" when the physical clock shows "now".  To
 * receive a message is the same, with the later of the local and the received
 * time for "last".
 */
HybridTime
hybrid_time_tick(HybridTime last, int64 now)
{
	HybridTime time = {now, 0};

	if (now > last.nanoseconds)
		return time;
	time = last;
	if (time.logical < PG_UINT32_MAX)
		time.logical++;
	else if (time.nanoseconds < PG_INT64_MAX)
	{
		time.nanoseconds++;
		time.logical = 0;
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range for type %s", "hlc"),
				 errdetail("There is no time after the greatest one.")));
	return time;
}

/* Nanoseconds since 1970 of a timestamp with time zone; exact, or an error. */
int64
hybrid_time_from_timestamp(TimestampTz timestamp)
{
	int64 nanoseconds;

	if (TIMESTAMP_NOT_FINITE(timestamp) ||
		pg_add_s64_overflow(timestamp, EPOCH_SHIFT_US, &nanoseconds) ||
		pg_mul_s64_overflow(nanoseconds, NS_PER_US, &nanoseconds))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range for type %s", "hlc"),
				 errdetail(
					 "The timestamp is infinite, or before 1677-09-21 or after 2262-04-11.")));
	return nanoseconds;
}

/* The microsecond that nanoseconds since 1970 fall in. */
TimestampTz
hybrid_time_to_timestamp(int64 nanoseconds)
{
	return floor_divide(nanoseconds, NS_PER_US) - EPOCH_SHIFT_US;
}
