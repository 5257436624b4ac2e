/*
 * trace_rows.c
 *		The spans of a trace that a picture of it shows.
 *
 * A trace of 100,000 spans would make a picture that nobody can look at.  So
 * there is a limit, up to which the most important spans get a row: first the
 * critical path, the sections of which explain how long the trace took, the
 * longest first; then the spans that failed, those that have not ended, and the
 * others; of each kind the longer ones first.  With each come its ancestors, so
 * that what is shown is a forest, too.
 */
#include "core/compat.h"

#include "miscadmin.h"
#include "trace/trace_rows.h"

typedef enum RowRank
{
	RANK_CRITICAL,
	RANK_FAILED,
	RANK_OPEN,
	RANK_OTHER
} RowRank;

typedef struct RowCandidate
{
	RowRank rank;
	uint64 duration; /* of the longest section, or of the span */
	uint32 span;
} RowCandidate;

static int
trace_rows_compare(const void *a, const void *b)
{
	const RowCandidate *left = a;
	const RowCandidate *right = b;

	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	if (left->duration != right->duration)
		return left->duration > right->duration ? -1 : 1;
	return (left->span > right->span) - (left->span < right->span);
}

static RowCandidate *
trace_rows_rank(const TraceRows *rows)
{
	const SpanForest *forest = rows->forest;
	RowCandidate *candidates = MemoryContextAllocHuge(CurrentMemoryContext,
													  sizeof(RowCandidate) *
														  ((Size) forest->nspans + 1));

	for (uint32 i = 0; i < forest->nspans; i++)
	{
		const ForestSpan *span = &forest->spans[i];

		if (span->is_error)
			candidates[i].rank = RANK_FAILED;
		else
			candidates[i].rank = span->ended ? RANK_OTHER : RANK_OPEN;
		candidates[i].duration = (uint64) span->end - (uint64) span->start;
		candidates[i].span = i;
	}
	for (uint32 i = 0; i < rows->nsections; i++)
	{
		const CriticalSection *section = &rows->sections[i];
		RowCandidate *candidate = &candidates[section->span];
		uint64 duration = (uint64) section->end - (uint64) section->start;

		if (candidate->rank != RANK_CRITICAL)
			candidate->duration = 0;
		candidate->rank = RANK_CRITICAL;
		candidate->duration = Max(candidate->duration, duration);
	}
	qsort(candidates, forest->nspans, sizeof(RowCandidate), trace_rows_compare);
	return candidates;
}

/* Choose a span and its ancestors, if they are at most "most"; returns how many that are. */
static uint32
trace_rows_take(const SpanForest *forest, bool *chosen, uint32 span, uint32 most)
{
	uint32 count = 0;

	for (uint32 i = span; i != NO_SPAN && !chosen[i]; i = forest->spans[i].parent)
		if (++count > most)
			return 0;
	for (uint32 i = span; i != NO_SPAN && !chosen[i]; i = forest->spans[i].parent)
		chosen[i] = true;
	return count;
}

static void
trace_rows_limit(const TraceRows *rows, bool *chosen, uint32 most)
{
	RowCandidate *candidates = trace_rows_rank(rows);

	for (uint32 i = 0; i < rows->forest->nspans && most > 0; i++)
	{
		CHECK_FOR_INTERRUPTS();
		most -= trace_rows_take(rows->forest, chosen, candidates[i].span, most);
	}
	pfree(candidates);
}

/* The critical paths of all roots that have one. */
static void
trace_rows_find_sections(TraceRows *rows)
{
	const SpanForest *forest = rows->forest;

	for (uint32 root = 0; root < forest->nspans; root = forest->spans[root].leave)
	{
		CriticalSection *sections;
		uint32 count;
		Size size;

		CHECK_FOR_INTERRUPTS();
		if (!critical_path_starts(forest, root))
			continue;
		critical_path_sections(forest, root, &sections, &count);
		size = sizeof(CriticalSection) * ((Size) rows->nsections + count);
		if (rows->sections == NULL)
			rows->sections = sections;
		else
		{
			rows->sections = repalloc_huge(rows->sections, size);
			memcpy(rows->sections + rows->nsections, sections, sizeof(CriticalSection) * count);
			pfree(sections);
		}
		rows->nsections += count;
	}
}

/* Choose at most so many rows for the spans of a trace, at least one if it has any. */
void
trace_rows_choose(TraceRows *rows, const SpanForest *forest, uint32 most)
{
	bool *chosen = MemoryContextAllocHuge(CurrentMemoryContext, (Size) forest->nspans + 1);
	/* of each span without a row, the row of its nearest ancestor that has one */
	uint32 *below = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(uint32) * ((Size) forest->nspans + 1));

	memset(rows, 0, sizeof(TraceRows));
	rows->forest = forest;
	trace_rows_find_sections(rows);
	memset(chosen, forest->nspans <= most, forest->nspans);
	if (forest->nspans > most)
		trace_rows_limit(rows, chosen, most);
	rows->rows = MemoryContextAllocExtended(CurrentMemoryContext,
											sizeof(TraceRow) *
												((Size) Min(most, forest->nspans) + 1),
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	rows->row_of = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(uint32) * ((Size) forest->nspans + 1));
	for (uint32 i = 0; i < forest->nspans; i++)
	{
		/* parents come before their children */
		uint32 parent = forest->spans[i].parent;
		uint32 nearest = parent == NO_SPAN ? NO_ROW : below[parent];

		rows->row_of[i] = NO_ROW;
		below[i] = nearest;
		if (chosen[i])
		{
			rows->rows[rows->nrows].span = i;
			rows->rows[rows->nrows].parent = nearest;
			rows->row_of[i] = below[i] = rows->nrows++;
		}
		else if (nearest != NO_ROW)
			rows->rows[nearest].hidden++;
	}
	pfree(below);
	pfree(chosen);
}
