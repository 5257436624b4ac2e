/*
 * merge_time.c
 *		The times of this server's writes.
 *
 * All rows that a transaction writes have one time, so that of two transactions
 * that write the same columns of the same rows one wins everywhere.  It is that of
 * the server's hybrid clock, in nanoseconds, when the transaction first needs one.
 *
 * Where a row has that time already, or a later one, the transaction takes a new
 * time, and keeps it: the row is written twice, and both versions are sent.  So it
 * does for what it writes after it has removed something, since a row that is
 * inserted again must not be taken for removed.
 *
 * A row may have a time that is later than the clock's: another server's clock was
 * ahead.  Then one write has the time that comes next, and the clock is left alone.
 *
 * A transaction has a number before it has a time: acknowledge_removals relies on
 * it (merge_acknowledge.c).  And no time is before one up to which this server has told
 * that it has all its rows, whatever the clock says: it may have been put back, and
 * its file may be gone, as after pg_upgrade.
 */
#include "core/compat.h"

#include "access/xact.h"
#include "core/shared_clock.h"
#include "replication/merge_time.h"

static uint64 transaction_time = 0; /* 0: it has none yet */
static bool transaction_removes = false;
static uint64 time_begins_after = 0;

static void
merge_time_end(XactEvent event, void *argument)
{
	transaction_time = 0;
	transaction_removes = false;
}

/* Take no time up to this one. */
void
merge_time_begin_after(uint64 horizon)
{
	time_begins_after = Max(time_begins_after, horizon);
}

static void
merge_time_take(void)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(merge_time_end, NULL);
	registered = true;
	(void) GetTopTransactionId();
	transaction_time = Max((uint64) Max(shared_clock_tick().nanoseconds, 1), time_begins_after + 1);
	transaction_removes = false;
}

static uint64
merge_time_after(uint64 after)
{
	if (transaction_time <= after)
	{
		uint64 before = transaction_time;

		merge_time_take();
		/* the clock counts within a nanosecond, too */
		if (transaction_time <= before)
			transaction_time = before + 1;
	}
	return Max(transaction_time, after + 1);
}

/* The time of a row that is inserted or updated, and whose times are up to "after". */
uint64
merge_time_of_write(uint64 after)
{
	if (transaction_time == 0)
		merge_time_take();
	else if (transaction_removes)
	{
		after = Max(after, transaction_time);
		transaction_removes = false;
	}
	return merge_time_after(after);
}

/* The same for one that is removed. */
uint64
merge_time_of_removal(uint64 after)
{
	uint64 time;

	if (transaction_time == 0)
		merge_time_take();
	time = merge_time_after(after);
	transaction_removes = true;
	return time;
}
