/*
 * shared_clock.c
 *		The hybrid logical clock that all sessions of a server share.
 *
 * Kulkarni et al., "Logical physical clocks" (2014): a time is the wall clock's
 * if that has moved on, else the last time with its counter one higher; a time
 * that was received counts as a last one.  The kernel of that is
 * hybrid_time_tick; here is the last time, and how sessions share it.
 *
 * It lives in a small file in the data directory, distributed.clock, that each
 * session maps into its memory when it first asks for the time.  So it needs no
 * preloading, writes no WAL, works on a standby, and what it was survives a
 * crash of the server: the pages of a mapped file are the kernel's.  When the
 * operating system goes down with it, they may be lost.  The file tells in
 * which boot it was written, and at the first use in another one the clock
 * starts distributed.max_clock_offset ahead of the wall clock, where no time
 * given before can have been unless the wall clock was set back as well.
 *
 * A time has 96 bits, but only 64 can be compared and swapped at once.  So the
 * word that is swapped, "current", either is the time or names it:
 *
 *		bit 63 = 0	bits 0-62 are the nanoseconds, and the counter is 0: as
 *					good as always, for the wall clock moves on between calls
 *		bit 63 = 1	bits 42-62 are the number of a cell, bits 0-41 its issue
 *
 * Each process has two cells of its own.  To publish a time with a counter, it
 * writes that into the cell of its that is not current, under a new issue
 * number, and then swaps the word.  A cell does not change while it is current,
 * and a word never comes back: so whoever succeeds in swapping knows that what
 * it read before was the current time, whole; whoever fails tries again with
 * what is current then.  Nobody ever waits, and a process that is killed half
 * way leaves nothing behind but a cell that nobody reads.
 */
#include "core/compat.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/shared_clock.h"
#include "core/shared_file.h"
#include "core/wall_clock.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/fd.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

#define CLOCK_FILE   "distributed.clock"
#define CLOCK_MAGIC  UINT64CONST(0x314b434f4c434c48) /* "HLCLOCK1" in little-endian order */
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 40
#define CACHE_LINE   128
#define NS_PER_MS    INT64CONST(1000000)

#define WORD_NAMES_CELL (UINT64CONST(1) << 63)
#define WORD_CELL_SHIFT 42
#define WORD_ISSUE_MASK ((UINT64CONST(1) << WORD_CELL_SHIFT) - 1)
#define WORD_MAX_CELLS  (UINT64CONST(1) << (63 - WORD_CELL_SHIFT))

/* A wall clock that is behind by less than this was read just before another session's. */
#define READ_LATE_NS 1000

/* Have a cache line ready for writing by when it is needed, where that is known how to. */
#if defined(__GNUC__) && defined(__x86_64__)
#define clock_prefetch(address) asm volatile("prefetchw %0" : : "m"(*(address)))
#else
#define clock_prefetch(address) ((void) 0)
#endif

typedef struct ClockCell
{
	pg_atomic_uint64 nanoseconds;
	pg_atomic_uint64 logical;
	pg_atomic_uint64 issue; /* under which it was last published */
} ClockCell;

/* What the file holds.  Only the first part is ever read from one of another server. */
typedef struct SharedClock
{
	uint64 magic;
	uint64 ncells;

	/* The server that made the file: sequences and cells are its processes'. */
	int64 server_start;
	int64 server_pid;
	char boot_id[BOOT_ID_SIZE];

	/* What all sessions write has a cache line of its own. */
	union
	{
		pg_atomic_uint64 word;
		char line[CACHE_LINE];
	} current;
	union
	{
		pg_atomic_uint64 count;
		char line[CACHE_LINE];
	} refused;

	ClockCell cells[FLEXIBLE_ARRAY_MEMBER];
} SharedClock;

int shared_clock_max_offset = 500;

static SharedClock *shared_clock = NULL;

void
shared_clock_define_settings(void)
{
	wall_clock_define_setting();
	DefineCustomIntVariable("distributed.max_clock_offset",
							"How far ahead of the wall clock a received time may be.",
							"A time that is further ahead is refused, for it would take the clocks "
							"of all who hear of it ahead.",
							&shared_clock_max_offset, 500, 0, INT_MAX, PGC_SUSET, GUC_UNIT_MS, NULL,
							NULL, NULL);
}

/*
 * Reading and publishing times
 */

static HybridTime
clock_read(SharedClock *clock, uint64 word)
{
	HybridTime time = {(int64) word, 0};

	if (word & WORD_NAMES_CELL)
	{
		ClockCell *cell = &clock->cells[(word & ~WORD_NAMES_CELL) >> WORD_CELL_SHIFT];

		pg_read_barrier();
		time.nanoseconds = (int64) pg_atomic_read_u64(&cell->nanoseconds);
		time.logical = (uint32) pg_atomic_read_u64(&cell->logical);
	}
	return time;
}

/* The word that stands for a time, to be swapped for the current one. */
static uint64
clock_word(SharedClock *clock, HybridTime time, uint64 current)
{
	uint64 number = 2 * (uint64) compat_my_proc_number();
	ClockCell *cell;
	uint64 issue;

	if (time.logical == 0)
		return (uint64) time.nanoseconds;
	if ((current & WORD_NAMES_CELL) && (current & ~WORD_NAMES_CELL) >> WORD_CELL_SHIFT == number)
		number++;
	cell = &clock->cells[number];
	issue = (pg_atomic_read_u64(&cell->issue) + 1) & WORD_ISSUE_MASK;
	pg_atomic_write_u64(&cell->issue, issue);
	pg_atomic_write_u64(&cell->nanoseconds, (uint64) time.nanoseconds);
	pg_atomic_write_u64(&cell->logical, time.logical);
	return WORD_NAMES_CELL | number << WORD_CELL_SHIFT | issue;
}

/*
 * The next time after the last one, and after "remote" where that is given.
 */
static HybridTime
clock_advance(SharedClock *clock, const HybridTime *remote)
{
	for (;;)
	{
		uint64 word = pg_atomic_read_u64(&clock->current.word);
		HybridTime last = clock_read(clock, word);
		int64 now = wall_clock_now();
		HybridTime time;

		if (remote && hybrid_time_compare(last, *remote) < 0)
			last = *remote;
		time = hybrid_time_tick(last, now);
		if (pg_atomic_compare_exchange_u64(&clock->current.word, &word,
										   clock_word(clock, time, word)))
			return time;
	}
}

/*
 * The file
 */

/* Which boot of the operating system this is; empty where it does not tell. */
static void
clock_boot_id(char *boot_id)
{
	int file = OpenTransientFile(BOOT_ID_FILE, O_RDONLY | PG_BINARY);

	memset(boot_id, 0, BOOT_ID_SIZE);
	if (file < 0)
		return;
	if (read(file, boot_id, BOOT_ID_SIZE - 1) < 0)
		memset(boot_id, 0, BOOT_ID_SIZE);
	CloseTransientFile(file);
}

static Size
clock_size(uint64 ncells)
{
	return offsetof(SharedClock, cells) + sizeof(ClockCell) * (Size) ncells;
}

static bool
clock_is_ours(const void *content, Size size)
{
	const SharedClock *clock = content;

	return size == clock_size(2 * (uint64) MaxBackends) && clock->magic == CLOCK_MAGIC &&
		clock->ncells == 2 * (uint64) MaxBackends && clock->server_start == PgStartTime &&
		clock->server_pid == PostmasterPid;
}

/*
 * The last time in a file of an earlier server, rounded up to one that needs no
 * cell.  A file that makes no sense does not say.
 */
static bool
clock_last_of(SharedClock *clock, Size size, int64 *nanoseconds)
{
	uint64 word;
	HybridTime last;

	if (size < offsetof(SharedClock, cells) || clock->magic != CLOCK_MAGIC ||
		clock->ncells > WORD_MAX_CELLS || size != clock_size(clock->ncells))
		return false;
	word = pg_atomic_read_u64(&clock->current.word);
	if ((word & WORD_NAMES_CELL) && (word & ~WORD_NAMES_CELL) >> WORD_CELL_SHIFT >= clock->ncells)
		return false;
	last = clock_read(clock, word);
	if (last.nanoseconds < 0)
		return false;
	if (last.logical > 0 && last.nanoseconds < PG_INT64_MAX)
		last.nanoseconds++;
	*nanoseconds = last.nanoseconds;
	return true;
}

/* What the file of this server holds at first, after that of another one. */
static void *
clock_make(const void *old, Size old_size, Size *size)
{
	SharedClock *clock;
	int64 start = 0;
	bool trusted = true;

	*size = clock_size(2 * (uint64) MaxBackends);
	clock = palloc0(*size);
	clock->magic = CLOCK_MAGIC;
	clock->ncells = 2 * (uint64) MaxBackends;
	clock->server_start = PgStartTime;
	clock->server_pid = PostmasterPid;
	clock_boot_id(clock->boot_id);
	if (old_size > 0)
		trusted = clock_last_of(unconstify(void *, old), old_size, &start) &&
			memcmp(((const SharedClock *) old)->boot_id, clock->boot_id, BOOT_ID_SIZE) == 0;
	if (!trusted)
		start = Max(start, wall_clock_now() + shared_clock_max_offset * NS_PER_MS);
	pg_atomic_init_u64(&clock->current.word, (uint64) start);
	pg_atomic_init_u64(&clock->refused.count, 0);
	for (uint64 i = 0; i < clock->ncells; i++)
	{
		pg_atomic_init_u64(&clock->cells[i].nanoseconds, 0);
		pg_atomic_init_u64(&clock->cells[i].logical, 0);
		pg_atomic_init_u64(&clock->cells[i].issue, 0);
	}
	return clock;
}

/* The first process of a server makes the file anew from what the last server left. */
static const SharedFile clock_file = {CLOCK_FILE, clock_is_ours, clock_make};

static inline SharedClock *
clock_attached(void)
{
	if (unlikely(shared_clock == NULL))
		shared_clock = shared_file_map(&clock_file, ERROR);
	return shared_clock;
}

/*
 * A time later than all that were given or received on this server.
 *
 * Between reading the wall clock and the word, another session may have got a
 * later time.  It had that from the same wall clock, which therefore has passed
 * it by now: then the next nanosecond is as good a reading as a new one.
 */
HybridTime
shared_clock_tick(void)
{
	SharedClock *clock = clock_attached();
	HybridTime time = {0, 0};
	uint64 word;
	uint64 now;

	clock_prefetch(&clock->current.word);
	now = (uint64) Max(wall_clock_now(), 0);
	word = pg_atomic_read_u64(&clock->current.word);
	for (;;)
	{
		if (unlikely(now <= word))
		{
			/* a word that names a cell is greater than any time */
			if (now == word || word - now >= READ_LATE_NS)
				return clock_advance(clock, NULL);
			now = word + 1;
		}
		if (likely(pg_atomic_compare_exchange_u64(&clock->current.word, &word, now)))
		{
			time.nanoseconds = (int64) now;
			return time;
		}
	}
}

/* Raise an error if a time that was received is too far ahead of the wall clock. */
void
shared_clock_refuse_ahead(HybridTime remote, int64 now)
{
	uint64 ahead = (uint64) remote.nanoseconds - (uint64) now;
	HybridTime wall_clock = {now, 0};
	char remote_text[HYBRID_TIME_TEXT_SIZE];
	char now_text[HYBRID_TIME_TEXT_SIZE];

	if (remote.nanoseconds <= now || ahead <= (uint64) shared_clock_max_offset * NS_PER_MS)
		return;
	pg_atomic_fetch_add_u64(&clock_attached()->refused.count, 1);
	hybrid_time_write(remote, remote_text);
	hybrid_time_write(wall_clock, now_text);
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("received time is too far ahead of the local clock"),
			 errdetail("The received time is %s, the local clock shows %s: " UINT64_FORMAT
					   ".%03d ms ahead, and distributed.max_clock_offset is %d ms.",
					   remote_text, now_text, ahead / NS_PER_MS, (int) (ahead % NS_PER_MS / 1000),
					   shared_clock_max_offset),
			 errhint("Synchronize the clocks of both servers, for example by NTP, or raise "
					 "distributed.max_clock_offset.")));
}

/*
 * A time later than "remote", which was received, and than all before.
 */
HybridTime
shared_clock_receive(HybridTime remote)
{
	shared_clock_refuse_ahead(remote, wall_clock_now());
	return clock_advance(clock_attached(), &remote);
}

SharedClockStatus
shared_clock_status(void)
{
	SharedClock *clock = clock_attached();
	SharedClockStatus status;
	uint64 word;

	/* a time is whole if it is still the current one after it was read */
	do
	{
		word = pg_atomic_read_u64(&clock->current.word);
		status.last = clock_read(clock, word);
		pg_read_barrier();
	} while (word != pg_atomic_read_u64(&clock->current.word));
	status.used = word != 0;
	status.wall_clock = wall_clock_now();
	status.refused = pg_atomic_read_u64(&clock->refused.count);
	return status;
}
