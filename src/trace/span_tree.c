/*
 * span_tree.c
 *		The spans of a trace as a tree, and what is odd about it.
 *
 * The numbering of span_forest.c answers every question about the structure:
 * descendants are the spans numbered from a span's enter to its leave, and
 * children are found by going from one's leave to the next.
 *
 * Clocks of different hosts differ, so a child may seem to start before its
 * parent.  The estimate is that of Jaeger's clock skew adjuster: a child on
 * another host is moved into the middle of its parent, as if request and
 * response took equally long; one that lasted longer than its parent, which
 * cannot have waited for it, is moved only to its start.  The children on its
 * own host move with it.  The spans are gone through from the roots, so a span
 * is compared with where its parent has been moved to.
 *
 * Two things differ.  A child that stands out by no more than a tolerance is
 * left alone; and of spans that nobody waits for, those that a consumer makes of
 * a producer's, and those whose end is not known, only the start is compared.
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "core/rows.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "trace/hex_id.h"
#include "trace/span_forest.h"
#include "trace/span_id.h"
#include "trace/trace_id.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* A store whose row of options is gone has this tolerance. */
#define SKEW_TOLERANCE_NS INT64CONST(100000000)

/* Beyond these times, 146 years from 1970, none is estimated: differences would overflow. */
#define SKEW_TIME_MOST (INT64CONST(1) << 62)

/* Spans of a cycle that are named, at most. */
#define CYCLE_SPANS_NAMED 5

/* What trace_findings finds. */
#define FINDING_MISSING_PARENT "missing_parent"
#define FINDING_CYCLE          "cycle"
#define FINDING_SEVERAL_ROOTS  "several_roots"
#define FINDING_REPEATED_ID    "repeated_id"
#define FINDING_CLOCK_SKEW     "clock_skew"

/* The columns of span_node. */
enum
{
	NODE_SPAN_ID,
	NODE_PARENT_SPAN_ID,
	NODE_DEPTH,
	NODE_ENTER,
	NODE_LEAVE,
	NODE_FINDING,
	NODE_SERVICE,
	NODE_NAME,
	NODE_KIND,
	NODE_STATUS,
	NODE_START,
	NODE_END,
	NODE_SKEW,
	NODE_ADJUSTED_START,
	NODE_ADJUSTED_END,
	NODE_COLUMNS
};

typedef struct SpanTree
{
	TraceStore store;
	SpanForest forest;
	int64 *skews; /* of each span */
	RowSet rows;
	MemoryContext row; /* what a row is made of */
	Oid *kinds;        /* of each label */
	Oid *statuses;
} SpanTree;

static const char *
span_id_text(uint64 span_id)
{
	uint8 bytes[SPAN_ID_BYTES];

	span_id_store(bytes, span_id);
	return hex_id_write(bytes, SPAN_ID_BYTES);
}

/*
 * Clock skew
 */

static inline bool
skew_can_be_estimated(int64 time)
{
	return time > -SKEW_TIME_MOST && time < SKEW_TIME_MOST;
}

/* Does nobody wait for the child, or is it not known how long? */
static bool
skew_knows_start_only(const ForestSpan *parent, const ForestSpan *child)
{
	return !parent->ended || !child->ended ||
		(parent->kind == SPAN_KIND_PRODUCER && child->kind == SPAN_KIND_CONSUMER) ||
		(uint64) child->end - (uint64) child->start > (uint64) parent->end - (uint64) parent->start;
}

/* What to add to the times of a child on another host than its parent. */
static int64
skew_estimate(const ForestSpan *parent, int64 parent_skew, const ForestSpan *child, int64 tolerance)
{
	int64 start = parent->start + parent_skew;
	int64 end = parent->end + parent_skew;

	if (!skew_can_be_estimated(start) || !skew_can_be_estimated(end) ||
		!skew_can_be_estimated(child->start) || !skew_can_be_estimated(child->end))
		return 0;
	if (skew_knows_start_only(parent, child))
		return start - child->start > tolerance ? start - child->start : 0;
	if (Max(start - child->start, child->end - end) <= tolerance)
		return 0;
	return start + ((end - start) - (child->end - child->start)) / 2 - child->start;
}

static void
span_tree_estimate_skews(SpanTree *tree, int64 tolerance)
{
	const SpanForest *forest = &tree->forest;

	tree->skews = MemoryContextAllocHuge(CurrentMemoryContext,
										 sizeof(int64) * (Size) forest->nspans);
	for (uint32 i = 0; i < forest->nspans; i++)
	{
		const ForestSpan *span = &forest->spans[i];
		int64 skew = 0;
		int64 moved;

		if (span->parent != NO_SPAN)
		{
			const ForestSpan *parent = &forest->spans[span->parent];

			skew = tree->skews[span->parent];
			if (span->clock != parent->clock)
				skew = skew_estimate(parent, skew, span, tolerance);
		}
		/* a time that no longer fits says that the clock is not to be trusted at all */
		if (pg_add_s64_overflow(span->start, skew, &moved) ||
			pg_add_s64_overflow(span->end, skew, &moved))
			skew = 0;
		tree->skews[i] = skew;
	}
}

static void
span_tree_keep_tolerance(void *state, HeapTuple row, TupleDesc desc)
{
	bool isnull;

	*(int64 *) state = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
}

static int64
span_tree_tolerance(const TraceStore *store)
{
	int64 tolerance = SKEW_TOLERANCE_NS;

	query_each(psprintf("SELECT least(pg_catalog.date_part('epoch', o.clock_skew_tolerance) "
						"OPERATOR(pg_catalog.*) 1e9::pg_catalog.float8, 4e18)::pg_catalog.int8 "
						"FROM %s o",
						store->options),
			   NULL, span_tree_keep_tolerance, &tolerance);
	return tolerance;
}

/*
 * Rows
 */

/* The trace that the first two arguments name; call query_finish in the end. */
static void
span_tree_open(SpanTree *tree, FunctionCallInfo fcinfo)
{
	trace_store_open(&tree->store, fcinfo, 0);
	row_set_open(&tree->rows, fcinfo);
	query_connect();
	tree->row = AllocSetContextCreate(CurrentMemoryContext, "distributed span tree row",
									  ALLOCSET_SMALL_SIZES);
	span_forest_read_clocks(&tree->forest, &tree->store, PG_GETARG_DATUM(1));
	span_tree_estimate_skews(tree, span_tree_tolerance(&tree->store));
}

/* The span that the third argument names. */
static uint32
span_tree_span(const SpanTree *tree, FunctionCallInfo fcinfo)
{
	uint64 span_id = (uint64) PG_GETARG_INT64(2);
	uint32 span = span_forest_find(&tree->forest, span_id);

	if (span == NO_SPAN)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no such span in store \"%s\"", tree->store.name),
				 errdetail("Trace %s has no span %s.",
						   hex_id_write((const uint8 *) DatumGetPointer(tree->forest.trace_id),
										TRACE_ID_BYTES),
						   span_id_text(span_id))));
	return span;
}

static void
span_tree_add(SpanTree *tree, uint32 which)
{
	const ForestSpan *span = &tree->forest.spans[which];
	int64 skew = tree->skews[which];
	MemoryContext old = MemoryContextSwitchTo(tree->row);
	Datum values[NODE_COLUMNS] = {0};
	bool nulls[NODE_COLUMNS] = {0};

	values[NODE_SPAN_ID] = Int64GetDatum((int64) span->span_id);
	values[NODE_PARENT_SPAN_ID] = Int64GetDatum((int64) span->parent_id);
	nulls[NODE_PARENT_SPAN_ID] = span->parent_id == 0;
	values[NODE_DEPTH] = UInt32GetDatum(span->depth);
	values[NODE_ENTER] = UInt32GetDatum(span->enter);
	values[NODE_LEAVE] = UInt32GetDatum(span->leave);
	if (span->finding == PARENT_MISSING || span->finding == PARENT_CYCLE)
		values[NODE_FINDING] = CStringGetTextDatum(
			span->finding == PARENT_MISSING ? FINDING_MISSING_PARENT : FINDING_CYCLE);
	else
		nulls[NODE_FINDING] = true;
	values[NODE_SERVICE] = CStringGetTextDatum(span->service);
	values[NODE_NAME] = CStringGetTextDatum(span->name);
	if (span->kind >= 0)
		values[NODE_KIND] = ObjectIdGetDatum(tree->kinds[span->kind]);
	else
		nulls[NODE_KIND] = true;
	values[NODE_STATUS] = ObjectIdGetDatum(tree->statuses[span->status]);
	values[NODE_START] = Int64GetDatum(span->start);
	values[NODE_END] = Int64GetDatum(span->end);
	values[NODE_SKEW] = Int64GetDatum(skew);
	values[NODE_ADJUSTED_START] = Int64GetDatum(span->start + skew);
	values[NODE_ADJUSTED_END] = Int64GetDatum(span->end + skew);
	nulls[NODE_END] = nulls[NODE_ADJUSTED_END] = !span->ended;
	row_set_add(&tree->rows, values, nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(tree->row);
}

static void
span_tree_find_labels(SpanTree *tree)
{
	tree->kinds = palloc(sizeof(Oid) * span_kind_count);
	tree->statuses = palloc(sizeof(Oid) * span_status_count);
	span_forest_labels(TupleDescAttr(tree->rows.desc, NODE_KIND)->atttypid, span_kind_labels,
					   span_kind_count, tree->kinds);
	span_forest_labels(TupleDescAttr(tree->rows.desc, NODE_STATUS)->atttypid, span_status_labels,
					   span_status_count, tree->statuses);
}

PG_FUNCTION_INFO_V1(span_tree);
Datum
span_tree(PG_FUNCTION_ARGS)
{
	SpanTree tree;

	span_tree_open(&tree, fcinfo);
	span_tree_find_labels(&tree);
	for (uint32 i = 0; i < tree.forest.nspans; i++)
		span_tree_add(&tree, i);
	query_finish();
	return (Datum) 0;
}

/*
 * Relatives of a span
 */

typedef void (*SpanTreeRelatives)(SpanTree *tree, uint32 span);

static Datum
span_tree_related(FunctionCallInfo fcinfo, SpanTreeRelatives relatives)
{
	SpanTree tree;
	uint32 span;

	span_tree_open(&tree, fcinfo);
	span = span_tree_span(&tree, fcinfo);
	span_tree_find_labels(&tree);
	relatives(&tree, span);
	query_finish();
	return (Datum) 0;
}

static void
span_tree_add_children(SpanTree *tree, uint32 span)
{
	for (uint32 child = span_forest_child(&tree->forest, span); child != NO_SPAN;
		 child = span_forest_sibling(&tree->forest, child))
		span_tree_add(tree, child);
}

PG_FUNCTION_INFO_V1(span_tree_children);
Datum
span_tree_children(PG_FUNCTION_ARGS)
{
	return span_tree_related(fcinfo, span_tree_add_children);
}

static void
span_tree_add_descendants(SpanTree *tree, uint32 span)
{
	for (uint32 i = span + 1; i < tree->forest.spans[span].leave; i++)
		span_tree_add(tree, i);
}

PG_FUNCTION_INFO_V1(span_tree_descendants);
Datum
span_tree_descendants(PG_FUNCTION_ARGS)
{
	return span_tree_related(fcinfo, span_tree_add_descendants);
}

static void
span_tree_add_ancestors(SpanTree *tree, uint32 span)
{
	const ForestSpan *spans = tree->forest.spans;
	uint32 *way = MemoryContextAllocHuge(CurrentMemoryContext,
										 sizeof(uint32) * ((Size) spans[span].depth + 1));
	uint32 length = 0;

	for (uint32 parent = spans[span].parent; parent != NO_SPAN; parent = spans[parent].parent)
		way[length++] = parent;
	while (length > 0)
		span_tree_add(tree, way[--length]);
}

PG_FUNCTION_INFO_V1(span_tree_ancestors);
Datum
span_tree_ancestors(PG_FUNCTION_ARGS)
{
	return span_tree_related(fcinfo, span_tree_add_ancestors);
}

/* By what spans say, so that the orphans of a span that never came are siblings. */
static void
span_tree_add_siblings(SpanTree *tree, uint32 span)
{
	const ForestSpan *spans = tree->forest.spans;

	if (spans[span].parent_id == 0)
		return;
	for (uint32 i = 0; i < tree->forest.nspans; i++)
	{
		if (i != span && spans[i].parent_id == spans[span].parent_id)
			span_tree_add(tree, i);
	}
}

PG_FUNCTION_INFO_V1(span_tree_siblings);
Datum
span_tree_siblings(PG_FUNCTION_ARGS)
{
	return span_tree_related(fcinfo, span_tree_add_siblings);
}

/*
 * What is odd
 */

static void
trace_findings_add(SpanTree *tree, const char *finding, uint32 span, const char *explanation)
{
	Datum values[3];
	bool nulls[3] = {false, false, false};

	values[0] = CStringGetTextDatum(finding);
	values[1] = Int64GetDatum((int64) tree->forest.spans[span].span_id);
	values[2] = CStringGetTextDatum(explanation);
	row_set_add(&tree->rows, values, nulls);
}

static const char *
count_of(uint32 count, const char *noun)
{
	return psprintf("%u %s%s", count, noun, count == 1 ? "" : "s");
}

/* The way from a span that a cycle was cut at up to the one that it names as its parent, and it. */
static const char *
trace_findings_cycle(const SpanTree *tree, uint32 span)
{
	const ForestSpan *spans = tree->forest.spans;
	uint32 last = span_forest_find(&tree->forest, spans[span].parent_id);
	uint32 length = spans[last].depth - spans[span].depth + 1;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "following parents leads back here: %s",
					 span_id_text(spans[span].span_id));
	for (uint32 at = last, named = 1; at != span; at = spans[at].parent, named++)
	{
		if (named == CYCLE_SPANS_NAMED)
		{
			appendStringInfo(&out, ", and %u more", length - named);
			break;
		}
		appendStringInfo(&out, ", %s", span_id_text(spans[at].span_id));
	}
	appendStringInfoString(&out, "; taken for a root");
	return out.data;
}

static void
trace_findings_of(SpanTree *tree, uint32 which, uint32 first_root)
{
	const SpanForest *forest = &tree->forest;
	const ForestSpan *span = &forest->spans[which];

	switch (span->finding)
	{
		case PARENT_NONE:
			if (which != first_root)
				trace_findings_add(tree, FINDING_SEVERAL_ROOTS, which,
								   psprintf("names no parent, like %s, which started first",
											span_id_text(forest->spans[first_root].span_id)));
			break;
		case PARENT_FOUND:
			if (forest->spans[span->parent].clock != span->clock && tree->skews[which] != 0)
				trace_findings_add(
					tree, FINDING_CLOCK_SKEW, which,
					psprintf(
						"lies outside of its parent %s, which another clock timed, unless " INT64_FORMAT
						" ns are %s its times",
						span_id_text(span->parent_id),
						tree->skews[which] < 0 ? -tree->skews[which] : tree->skews[which],
						tree->skews[which] < 0 ? "taken from" : "added to"));
			break;
		case PARENT_MISSING:
			trace_findings_add(tree, FINDING_MISSING_PARENT, which,
							   psprintf("its parent %s has not come; %s below it",
										span_id_text(span->parent_id),
										count_of(span->leave - span->enter, "span")));
			break;
		case PARENT_CYCLE:
			trace_findings_add(tree, FINDING_CYCLE, which, trace_findings_cycle(tree, which));
			break;
	}
	if (span_forest_find(forest, span->span_id) != which)
		trace_findings_add(tree, FINDING_REPEATED_ID, which,
						   "has the id of a span that started earlier, which is taken for the "
						   "parent of those that name it");
}

PG_FUNCTION_INFO_V1(trace_findings);
Datum
trace_findings(PG_FUNCTION_ARGS)
{
	SpanTree tree;
	uint32 first_root = NO_SPAN;

	span_tree_open(&tree, fcinfo);
	for (uint32 i = 0; i < tree.forest.nspans; i++)
	{
		if (tree.forest.spans[i].finding == PARENT_NONE && first_root == NO_SPAN)
			first_root = i;
		trace_findings_of(&tree, i, first_root);
	}
	query_finish();
	return (Datum) 0;
}
