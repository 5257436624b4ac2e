/*
 * live_clock.c
 *		hlc_now() and hlc_receive(): the server's hybrid logical clock.
 *
 * The clock itself, its source, and how sessions share it are in
 * core/shared_clock.c.
 */
#include "core/compat.h"

#include "core/rows.h"
#include "core/shared_clock.h"
#include "time/hlc.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(hlc_now);
Datum
hlc_now(PG_FUNCTION_ARGS)
{
	return hlc_result(shared_clock_tick());
}

PG_FUNCTION_INFO_V1(hlc_receive);
Datum
hlc_receive(PG_FUNCTION_ARGS)
{
	return hlc_result(shared_clock_receive(hlc_argument(fcinfo, 0)));
}

static Datum
live_clock_interval(int64 microseconds)
{
	Interval *interval = palloc0(sizeof(Interval));

	interval->time = microseconds;
	return IntervalPGetDatum(interval);
}

PG_FUNCTION_INFO_V1(hlc_status);
Datum
hlc_status(PG_FUNCTION_ARGS)
{
	enum
	{
		LAST_TIME,
		WALL_CLOCK,
		CLOCK_OFFSET,
		MAX_CLOCK_OFFSET,
		REFUSALS,
		SHARED,
		COLUMNS
	};
	SharedClockStatus status = shared_clock_status();
	TimestampTz wall_clock = hybrid_time_to_timestamp(status.wall_clock);
	Datum values[COLUMNS];
	bool nulls[COLUMNS] = {false};
	RowSet rows;

	row_set_open(&rows, fcinfo);
	nulls[LAST_TIME] = nulls[CLOCK_OFFSET] = !status.used;
	values[LAST_TIME] = hlc_result(status.last);
	values[WALL_CLOCK] = TimestampTzGetDatum(wall_clock);
	values[CLOCK_OFFSET] = live_clock_interval(hybrid_time_to_timestamp(status.last.nanoseconds) -
											   wall_clock);
	values[MAX_CLOCK_OFFSET] = live_clock_interval((int64) shared_clock_max_offset * 1000);
	values[REFUSALS] = Int64GetDatum((int64) status.refused);
	values[SHARED] = BoolGetDatum(true);
	row_set_add(&rows, values, nulls);
	return (Datum) 0;
}
