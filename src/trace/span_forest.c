/*
 * span_forest.c
 *		The spans of one trace, and who is whose parent.
 *
 * A trace is read by one query.  Parents are looked up among the sorted span
 * ids; what is left without a parent, or goes round in a circle, becomes a root
 * and is marked.  Then the spans are put into depth-first order, which numbers
 * them as nested intervals (J. Celko, "Trees and Hierarchies in SQL", chapter
 * 4), so that a subtree is a range of the array and no answer walks along
 * parents.  Nothing here recurses: a trace may be one chain of any length, and
 * anybody can send one.  Time: linear, but for the sorting.
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "trace/span_forest.h"
#include "trace/trace_id.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define FOREST_INITIAL_SPANS 64

const char *const span_kind_labels[] = {
	"internal", "server",  "client", "producer", "consumer",   "encode",      "generate_repair",
	"transmit", "receive", "verify", "decode",   "retransmit", "acknowledge",
};
const int span_kind_count = lengthof(span_kind_labels);

const char *const span_status_labels[] = {
	"unset", "in_progress", "ok", "error", "cancelled", "dropped",
};
const int span_status_count = lengthof(span_status_labels);

/*
 * Reading
 */

/* What the query returns, in this order. */
enum
{
	COLUMN_TRACE_ID,
	COLUMN_SPAN_ID,
	COLUMN_PARENT_SPAN_ID,
	COLUMN_START,
	COLUMN_END,
	COLUMN_KIND,
	COLUMN_STATUS,
	COLUMN_NAME,
	COLUMN_SERVICE,
	COLUMN_CLOCK,
	COLUMN_COUNT
};

/*
 * What has one clock is a host.  A resource that names none is taken for one of
 * its own.
 */
#define CLOCK_OF_RESOURCE \
	"coalesce(pg_catalog.hashtextextended(coalesce(" \
	"s.resource OPERATOR(pg_catalog.->>) 'host.id', " \
	"s.resource OPERATOR(pg_catalog.->>) 'host.name', " \
	"s.resource OPERATOR(pg_catalog.->>) 'ip'), 0), " \
	"pg_catalog.jsonb_hash_extended(s.resource, 1))"

typedef struct ForestReader
{
	MemoryContext context; /* where the forest lives */
	SpanForest *forest;
	uint32 capacity;
	Oid kinds[lengthof(span_kind_labels)];
	Oid statuses[lengthof(span_status_labels)];

	/* where many traces are read */
	SpanForestConsume consume;
	void *state;
} ForestReader;

static const char *
span_forest_query(const TraceStore *store, bool clocks, const char *condition, const char *order)
{
	return psprintf(
		"SELECT s.trace_id::%1$s.trace_id, s.span_id::%1$s.span_id, "
		"s.parent_span_id::%1$s.span_id, s.start_ns::pg_catalog.int8, "
		"s.end_ns::pg_catalog.int8, s.kind::%1$s.span_kind, s.status::%1$s.span_status, "
		"s.name::pg_catalog.text, s.service_name::pg_catalog.text, %2$s "
		"FROM %3$s s WHERE %4$s%5$s",
		store->extension, clocks ? CLOCK_OF_RESOURCE : "0::pg_catalog.int8", store->spans,
		condition, order);
}

void
span_forest_labels(Oid type, const char *const *labels, int count, Oid *oids)
{
	for (int i = 0; i < count; i++)
	{
		oids[i] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid, ObjectIdGetDatum(type),
								  CStringGetDatum(labels[i]));
		if (!OidIsValid(oids[i]))
			elog(ERROR, "enum %u has no label \"%s\"", type, labels[i]);
	}
}

/* Call it with the first row. */
static void
span_forest_find_labels(ForestReader *reader, TupleDesc desc)
{
	span_forest_labels(TupleDescAttr(desc, COLUMN_KIND)->atttypid, span_kind_labels,
					   span_kind_count, reader->kinds);
	span_forest_labels(TupleDescAttr(desc, COLUMN_STATUS)->atttypid, span_status_labels,
					   span_status_count, reader->statuses);
}

static int
span_forest_label(const Oid *oids, int count, Oid oid)
{
	int which = 0;

	while (which < count && oids[which] != oid)
		which++;
	if (which == count)
		elog(ERROR, "unknown enum value %u", oid);
	return which;
}

static void
span_forest_begin(ForestReader *reader, SpanForest *forest)
{
	memset(reader, 0, sizeof(ForestReader));
	reader->context = CurrentMemoryContext;
	reader->forest = forest;
	memset(forest, 0, sizeof(SpanForest));
}

/* Services come again and again: the last one is kept as it is. */
static const char *
span_forest_service(const ForestSpan *previous, const text *service)
{
	Size length = VARSIZE_ANY_EXHDR(service);

	if (previous && strlen(previous->service) == length &&
		memcmp(previous->service, VARDATA_ANY(service), length) == 0)
		return previous->service;
	return text_to_cstring(service);
}

static void
span_forest_add(ForestReader *reader, HeapTuple row, TupleDesc desc)
{
	static const int required[] = {COLUMN_SPAN_ID, COLUMN_START, COLUMN_STATUS, COLUMN_NAME,
								   COLUMN_SERVICE};
	SpanForest *forest = reader->forest;
	Datum values[COLUMN_COUNT];
	bool nulls[COLUMN_COUNT];
	ForestSpan *span;

	if (forest->nspans == reader->capacity)
	{
		if (reader->capacity > PG_UINT32_MAX / 4)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("the trace has too many spans")));
		reader->capacity = Max(reader->capacity * 2, FOREST_INITIAL_SPANS);
		if (forest->spans == NULL)
			forest->spans = MemoryContextAllocHuge(CurrentMemoryContext,
												   sizeof(ForestSpan) * (Size) reader->capacity);
		else
			forest->spans = repalloc_huge(forest->spans,
										  sizeof(ForestSpan) * (Size) reader->capacity);
	}
	heap_deform_tuple(row, desc, values, nulls);
	query_not_null(desc, nulls, required, lengthof(required));
	span = &forest->spans[forest->nspans];
	memset(span, 0, sizeof(ForestSpan));
	span->span_id = (uint64) DatumGetInt64(values[COLUMN_SPAN_ID]);
	span->parent_id = nulls[COLUMN_PARENT_SPAN_ID]
		? 0
		: (uint64) DatumGetInt64(values[COLUMN_PARENT_SPAN_ID]);
	span->start = DatumGetInt64(values[COLUMN_START]);
	span->ended = !nulls[COLUMN_END];
	span->end = span->ended ? DatumGetInt64(values[COLUMN_END]) : span->start;
	span->kind = nulls[COLUMN_KIND]
		? -1
		: span_forest_label(reader->kinds, span_kind_count, DatumGetObjectId(values[COLUMN_KIND]));
	span->status = span_forest_label(reader->statuses, span_status_count,
									 DatumGetObjectId(values[COLUMN_STATUS]));
	span->is_error = span->status == SPAN_STATUS_ERROR;
	span->name = TextDatumGetCString(values[COLUMN_NAME]);
	span->service = span_forest_service(forest->nspans > 0 ? span - 1 : NULL,
										DatumGetTextPP(values[COLUMN_SERVICE]));
	span->clock = (uint64) DatumGetInt64(values[COLUMN_CLOCK]);
	span->parent = NO_SPAN;
	forest->nspans++;
}

/*
 * Who is whose parent
 */

static void *
span_forest_array(Size size, uint32 count)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, size * ((Size) count + 1));
}

/* The order of siblings. */
static int
span_forest_compare_starts(const void *x, const void *y)
{
	const ForestKey *a = x;
	const ForestKey *b = y;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->span_id > b->span_id) - (a->span_id < b->span_id);
}

static int
span_forest_compare_ids(const void *x, const void *y)
{
	const ForestKey *a = x;
	const ForestKey *b = y;

	if (a->span_id != b->span_id)
		return a->span_id < b->span_id ? -1 : 1;
	return (a->start > b->start) - (a->start < b->start);
}

static ForestKey *
span_forest_sort(const SpanForest *forest, int (*compare)(const void *, const void *))
{
	ForestKey *keys = span_forest_array(sizeof(ForestKey), forest->nspans);

	for (uint32 i = 0; i < forest->nspans; i++)
	{
		keys[i].span_id = forest->spans[i].span_id;
		keys[i].start = forest->spans[i].start;
		keys[i].span = i;
	}
	qsort(keys, forest->nspans, sizeof(ForestKey), compare);
	CHECK_FOR_INTERRUPTS();
	return keys;
}

uint32
span_forest_find(const SpanForest *forest, uint64 span_id)
{
	uint32 low = 0;
	uint32 high = forest->nspans;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;

		if (forest->ids[middle].span_id < span_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < forest->nspans && forest->ids[low].span_id == span_id ? forest->ids[low].span
																	   : NO_SPAN;
}

static void
span_forest_find_parents(SpanForest *forest)
{
	for (uint32 i = 0; i < forest->nspans; i++)
	{
		ForestSpan *span = &forest->spans[i];

		if (span->parent_id == 0)
			continue;
		span->parent = span_forest_find(forest, span->parent_id);
		span->finding = span->parent == NO_SPAN ? PARENT_MISSING : PARENT_FOUND;
	}
}

/* Of the spans of a cycle the first in the order of siblings becomes the root. */
static void
span_forest_cut_cycle(SpanForest *forest, uint32 span)
{
	ForestSpan *first = &forest->spans[span];

	for (uint32 i = forest->spans[span].parent; i != span; i = forest->spans[i].parent)
	{
		ForestSpan *other = &forest->spans[i];

		if (other->start < first->start ||
			(other->start == first->start && other->span_id < first->span_id))
			first = other;
	}
	first->finding = PARENT_CYCLE;
	first->parent = NO_SPAN;
}

/*
 * Go up from each span until there is no parent, or one that was seen: if that
 * was on the same way, a cycle is closed.
 */
static void
span_forest_cut_cycles(SpanForest *forest)
{
	uint32 *way = span_forest_array(sizeof(uint32), forest->nspans); /* 0: not seen yet */

	memset(way, 0, sizeof(uint32) * (Size) forest->nspans);
	for (uint32 i = 0; i < forest->nspans; i++)
	{
		uint32 span = i;

		while (span != NO_SPAN && way[span] == 0)
		{
			way[span] = i + 1;
			span = forest->spans[span].parent;
		}
		if (span != NO_SPAN && way[span] == i + 1)
			span_forest_cut_cycle(forest, span);
	}
	pfree(way);
}

/*
 * Depth-first order
 */

/*
 * The places of all spans in depth-first order.  Children are chained from the
 * last to the first, so that each list is in the order of siblings.
 */
static uint32 *
span_forest_places(const SpanForest *forest)
{
	ForestKey *order = span_forest_sort(forest, span_forest_compare_starts);
	uint32 *places = span_forest_array(sizeof(uint32), forest->nspans);
	uint32 *children = span_forest_array(sizeof(uint32), forest->nspans); /* the first of each */
	uint32 *siblings = span_forest_array(sizeof(uint32), forest->nspans); /* the next of each */
	uint32 place = 0;
	uint32 roots = NO_SPAN;
	uint32 span;

	for (uint32 i = 0; i < forest->nspans; i++)
		children[i] = NO_SPAN;
	for (uint32 i = forest->nspans; i-- > 0;)
	{
		uint32 parent;
		uint32 *list;

		span = order[i].span;
		parent = forest->spans[span].parent;
		list = parent == NO_SPAN ? &roots : &children[parent];
		siblings[span] = *list;
		*list = span;
	}
	pfree(order);
	span = roots;
	while (span != NO_SPAN)
	{
		places[span] = place++;
		if (children[span] != NO_SPAN)
		{
			span = children[span];
			continue;
		}
		while (span != NO_SPAN && siblings[span] == NO_SPAN)
			span = forest->spans[span].parent;
		if (span != NO_SPAN)
			span = siblings[span];
	}
	Assert(place == forest->nspans);
	pfree(children);
	pfree(siblings);
	return places;
}

static void
span_forest_number(SpanForest *forest)
{
	uint32 *places = span_forest_places(forest);
	ForestSpan *spans = span_forest_array(sizeof(ForestSpan), forest->nspans);

	for (uint32 i = 0; i < forest->nspans; i++)
	{
		ForestSpan *span = &spans[places[i]];

		*span = forest->spans[i];
		if (span->parent != NO_SPAN)
			span->parent = places[span->parent];
		span->enter = span->leave = places[i] + 1;
		forest->ids[i].span = places[forest->ids[i].span];
	}
	for (uint32 i = 0; i < forest->nspans; i++)
	{
		if (spans[i].parent != NO_SPAN)
			spans[i].depth = spans[spans[i].parent].depth + 1;
	}
	for (uint32 i = forest->nspans; i-- > 0;)
	{
		if (spans[i].parent != NO_SPAN)
		{
			ForestSpan *parent = &spans[spans[i].parent];

			parent->leave = Max(parent->leave, spans[i].leave);
		}
	}
	pfree(forest->spans);
	pfree(places);
	forest->spans = spans;
}

/* All spans have been added. */
static void
span_forest_finish(SpanForest *forest)
{
	forest->start = PG_INT64_MAX;
	forest->end = PG_INT64_MIN;
	for (uint32 i = 0; i < forest->nspans; i++)
	{
		forest->start = Min(forest->start, forest->spans[i].start);
		forest->end = Max(forest->end, forest->spans[i].end);
	}
	for (uint32 i = 0; i < forest->nspans; i++)
	{
		if (!forest->spans[i].ended)
			forest->spans[i].end = forest->end;
		forest->rooted |= forest->spans[i].parent_id == 0;
	}
	forest->ids = span_forest_sort(forest, span_forest_compare_ids);
	span_forest_find_parents(forest);
	span_forest_cut_cycles(forest);
	CHECK_FOR_INTERRUPTS();
	span_forest_number(forest);
}

static Datum
span_forest_trace_id(Datum trace_id)
{
	void *copy = palloc(TRACE_ID_BYTES);

	memcpy(copy, DatumGetPointer(trace_id), TRACE_ID_BYTES);
	return PointerGetDatum(copy);
}

/*
 * One trace
 */

static void
span_forest_read_row(void *state, HeapTuple row, TupleDesc desc)
{
	ForestReader *reader = state;
	MemoryContext old = MemoryContextSwitchTo(reader->context);

	if (reader->forest->nspans == 0)
		span_forest_find_labels(reader, desc);
	span_forest_add(reader, row, desc);
	MemoryContextSwitchTo(old);
}

static void
span_forest_read_as(SpanForest *forest, const TraceStore *store, Datum trace_id, bool clocks)
{
	QueryArguments arguments = {0};
	ForestReader reader;

	span_forest_begin(&reader, forest);
	forest->trace_id = span_forest_trace_id(trace_id);
	query_argument(&arguments, store->trace_id_type, trace_id, false);
	query_each(span_forest_query(store, clocks,
								 psprintf("s.trace_id OPERATOR(%s.=) $1", store->extension), ""),
			   &arguments, span_forest_read_row, &reader);
	if (forest->nspans == 0)
		trace_store_no_trace(store, trace_id);
	span_forest_finish(forest);
}

void
span_forest_read(SpanForest *forest, const TraceStore *store, Datum trace_id)
{
	span_forest_read_as(forest, store, trace_id, false);
}

void
span_forest_read_clocks(SpanForest *forest, const TraceStore *store, Datum trace_id)
{
	span_forest_read_as(forest, store, trace_id, true);
}

/*
 * Many traces
 */

/* The rows of a trace have come: hand it over and forget it. */
static void
span_forest_hand_over(ForestReader *reader)
{
	SpanForest *forest = reader->forest;

	if (forest->nspans > 0)
	{
		span_forest_finish(forest);
		reader->consume(reader->state, forest);
	}
	memset(forest, 0, sizeof(SpanForest));
	reader->capacity = 0;
	MemoryContextReset(reader->context);
}

static void
span_forest_each_row(void *state, HeapTuple row, TupleDesc desc)
{
	ForestReader *reader = state;
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	SpanForest *forest = reader->forest;
	static const int required[] = {0};
	bool isnull;
	Datum trace_id = SPI_getbinval(row, desc, COLUMN_TRACE_ID + 1, &isnull);

	query_not_null(desc, &isnull, required, lengthof(required));
	if (reader->kinds[0] == InvalidOid)
		span_forest_find_labels(reader, desc);
	if (forest->nspans > 0 &&
		memcmp(DatumGetPointer(forest->trace_id), DatumGetPointer(trace_id), TRACE_ID_BYTES) != 0)
		span_forest_hand_over(reader);
	if (forest->nspans == 0)
		forest->trace_id = span_forest_trace_id(trace_id);
	span_forest_add(reader, row, desc);
	MemoryContextSwitchTo(old);
}

void
span_forest_each(const TraceStore *store, const char *condition, QueryArguments *arguments,
				 SpanForestConsume consume, void *state)
{
	SpanForest forest;
	ForestReader reader;
	MemoryContext old;

	span_forest_begin(&reader, &forest);
	reader.context = AllocSetContextCreate(CurrentMemoryContext, "distributed span forest",
										   ALLOCSET_DEFAULT_SIZES);
	reader.consume = consume;
	reader.state = state;
	query_each(span_forest_query(store, false, condition, " ORDER BY s.trace_id"), arguments,
			   span_forest_each_row, &reader);
	old = MemoryContextSwitchTo(reader.context);
	span_forest_hand_over(&reader);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(reader.context);
}
