/*
 * critical_path.c
 *		Where the time of traces went: what they waited for, and what each span
 *		did itself; and which service calls which.
 *
 * The critical path of a span is found from its end backwards: the child that
 * ended last is what the span was waiting for until then; before that child
 * started, the one that ended last of those that ended earlier; and so on, and
 * the same within each child.  What remains, between those children, is the
 * span's own.  This is how Jaeger UI computes it, including these rules: a child
 * counts only for the time that it lies within its parent, and not at all if it
 * lies outside; one that ended exactly when the next one starts is passed over;
 * and nobody waits for a consumer of what a producer sent.
 *
 * The children of a span are sorted once, by end, and never looked at again
 * after they have been passed; the way down is kept in an array, not in the
 * recursion of functions.  So the path takes time as the sorting of the spans
 * does, whatever their form.
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "core/hybrid_time.h"
#include "core/rows.h"
#include "miscadmin.h"
#include "trace/critical_path.h"
#include "trace/hex_id.h"
#include "trace/span_id.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * The path of one root
 */

/* The part of a child that lies within its parent. */
typedef struct PathChild
{
	int64 start;
	int64 end;
	uint32 span;
} PathChild;

/* A span on the way down. */
typedef struct PathSpan
{
	PathChild part;
	int64 until;     /* from here on, its time is accounted for */
	bool is_new;     /* is that its end, so that a child may end there, too? */
	uint32 children; /* begin here in the array of children */
	uint32 next;     /* of them, the first that has not been passed */
} PathSpan;

typedef struct PathFinder
{
	const SpanForest *forest;
	PathSpan *way;
	uint32 depth;
	uint32 way_capacity;
	PathChild *children; /* of the spans on the way */
	uint32 nchildren;
	uint32 children_capacity;
	CriticalSection *sections;
	uint32 nsections;
	uint32 sections_capacity;
} PathFinder;

/* Room for one more. */
static void *
path_grow(void *array, uint32 count, uint32 *capacity, Size size)
{
	if (count < *capacity)
		return array;
	*capacity = Max(*capacity * 2, 16);
	if (array == NULL)
		return MemoryContextAllocHuge(CurrentMemoryContext, size * *capacity);
	return repalloc_huge(array, size * *capacity);
}

/* By end, the last first; of those that end together, the first to start. */
static int
path_child_compare(const void *x, const void *y)
{
	const PathChild *a = x;
	const PathChild *b = y;

	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	return (a->span > b->span) - (a->span < b->span);
}

/* The part of a child that its parent may have waited for; false if there is none. */
static bool
path_child_part(const SpanForest *forest, const PathChild *parent, uint32 child, PathChild *part)
{
	const ForestSpan *span = &forest->spans[child];

	if (forest->spans[parent->span].kind == SPAN_KIND_PRODUCER && span->kind == SPAN_KIND_CONSUMER)
		return false;
	if (span->start >= parent->start ? span->start >= parent->end : span->end <= parent->start)
		return false;
	part->span = child;
	part->start = Max(span->start, parent->start);
	part->end = Min(span->end, parent->end);
	return true;
}

static void
path_go_down(PathFinder *finder, const PathChild *part)
{
	const SpanForest *forest = finder->forest;
	PathSpan *span;

	finder->way = path_grow(finder->way, finder->depth, &finder->way_capacity, sizeof(PathSpan));
	span = &finder->way[finder->depth++];
	span->part = *part;
	span->until = part->end;
	span->is_new = true;
	span->children = span->next = finder->nchildren;
	for (uint32 child = span_forest_child(forest, part->span); child != NO_SPAN;
		 child = span_forest_sibling(forest, child))
	{
		finder->children = path_grow(finder->children, finder->nchildren,
									 &finder->children_capacity, sizeof(PathChild));
		if (path_child_part(forest, &span->part, child, &finder->children[finder->nchildren]))
			finder->nchildren++;
	}
	if (finder->nchildren > span->children)
		qsort(finder->children + span->children, finder->nchildren - span->children,
			  sizeof(PathChild), path_child_compare);
}

/* What a span did itself before "until"; none if that is no time. */
static void
path_add_section(PathFinder *finder, const PathSpan *span, int64 start)
{
	CriticalSection *section;

	if (start == span->until)
		return;
	finder->sections = path_grow(finder->sections, finder->nsections, &finder->sections_capacity,
								 sizeof(CriticalSection));
	section = &finder->sections[finder->nsections++];
	section->span = span->part.span;
	section->start = start;
	section->end = span->until;
}

void
critical_path_sections(const SpanForest *forest, uint32 root, CriticalSection **sections,
					   uint32 *count)
{
	PathFinder finder = {0};
	PathChild part = {forest->spans[root].start, forest->spans[root].end, root};

	finder.forest = forest;
	path_go_down(&finder, &part);
	while (finder.depth > 0)
	{
		PathSpan *span = &finder.way[finder.depth - 1];

		CHECK_FOR_INTERRUPTS();
		while (span->next < finder.nchildren && !span->is_new &&
			   finder.children[span->next].end >= span->until)
			span->next++;
		if (span->next < finder.nchildren)
		{
			part = finder.children[span->next++];
			path_add_section(&finder, span, part.end);
			span->until = part.start;
			span->is_new = false;
			path_go_down(&finder, &part);
		}
		else
		{
			path_add_section(&finder, span, span->part.start);
			finder.nchildren = span->children;
			finder.depth--;
		}
	}
	if (finder.way)
		pfree(finder.way);
	if (finder.children)
		pfree(finder.children);
	*sections = finder.sections;
	*count = finder.nsections;
}

bool
critical_path_starts(const SpanForest *forest, uint32 span)
{
	return forest->spans[span].parent == NO_SPAN &&
		(forest->spans[span].finding == PARENT_NONE || !forest->rooted);
}

PG_FUNCTION_INFO_V1(critical_path);
Datum
critical_path(PG_FUNCTION_ARGS)
{
	TraceStore store;
	SpanForest forest;
	RowSet rows;

	trace_store_open(&store, fcinfo, 0);
	row_set_open(&rows, fcinfo);
	query_connect();
	span_forest_read(&forest, &store, PG_GETARG_DATUM(1));
	for (uint32 root = 0; root != NO_SPAN; root = span_forest_sibling(&forest, root))
	{
		CriticalSection *sections;
		uint32 count;

		if (!critical_path_starts(&forest, root))
			continue;
		critical_path_sections(&forest, root, &sections, &count);
		for (uint32 i = 0; i < count; i++)
		{
			Datum values[3];
			bool nulls[3] = {false, false, false};

			values[0] = Int64GetDatum((int64) forest.spans[sections[i].span].span_id);
			values[1] = Int64GetDatum(sections[i].start);
			values[2] = Int64GetDatum(sections[i].end);
			row_set_add(&rows, values, nulls);
		}
		if (sections)
			pfree(sections);
	}
	query_finish();
	return (Datum) 0;
}

/*
 * The paths of many traces, by operation
 */

typedef struct OperationName
{
	const char *service;
	const char *name;
} OperationName;

typedef struct OperationTotal
{
	OperationName operation; /* the key */
	int64 traces;
	int64 sections;
	int64 self;        /* nanoseconds */
	uint64 last_trace; /* the number of the one that was counted last */
} OperationTotal;

typedef struct PathSummary
{
	MemoryContext context; /* of the names */
	HTAB *operations;
	uint64 ntraces;
	int64 self; /* of all operations */
} PathSummary;

static uint32
operation_name_hash(const void *key, Size size)
{
	const OperationName *operation = key;

	return hash_bytes((const unsigned char *) operation->service, strlen(operation->service)) * 31 +
		hash_bytes((const unsigned char *) operation->name, strlen(operation->name));
}

static int
operation_name_match(const void *x, const void *y, Size size)
{
	const OperationName *a = x;
	const OperationName *b = y;

	return strcmp(a->service, b->service) != 0 || strcmp(a->name, b->name) != 0;
}

static void
path_summary_add_to(int64 *total, int64 start, int64 end)
{
	int64 length;

	if (pg_sub_s64_overflow(end, start, &length) || pg_add_s64_overflow(*total, length, total))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("bigint out of range"),
				 errdetail("Critical paths of 292 years and more cannot be summed up.")));
}

static void
path_summary_add_section(PathSummary *summary, const SpanForest *forest,
						 const CriticalSection *section)
{
	const ForestSpan *span = &forest->spans[section->span];
	OperationName name = {span->service, span->name};
	OperationTotal *total;
	bool found;

	total = hash_search(summary->operations, &name, HASH_ENTER, &found);
	if (!found)
	{
		total->operation.service = MemoryContextStrdup(summary->context, span->service);
		total->operation.name = MemoryContextStrdup(summary->context, span->name);
		total->traces = total->sections = total->self = 0;
		total->last_trace = 0;
	}
	if (total->last_trace != summary->ntraces)
		total->traces++;
	total->last_trace = summary->ntraces;
	total->sections++;
	path_summary_add_to(&total->self, section->start, section->end);
	path_summary_add_to(&summary->self, section->start, section->end);
}

static void
path_summary_add_trace(void *state, const SpanForest *forest)
{
	PathSummary *summary = state;

	summary->ntraces++;
	for (uint32 root = 0; root != NO_SPAN; root = span_forest_sibling(forest, root))
	{
		CriticalSection *sections;
		uint32 count;

		if (!critical_path_starts(forest, root))
			continue;
		critical_path_sections(forest, root, &sections, &count);
		for (uint32 i = 0; i < count; i++)
			path_summary_add_section(summary, forest, &sections[i]);
	}
}

static int
operation_total_compare(const void *x, const void *y)
{
	const OperationTotal *a = *(const OperationTotal *const *) x;
	const OperationTotal *b = *(const OperationTotal *const *) y;
	int order;

	if (a->self != b->self)
		return a->self > b->self ? -1 : 1;
	order = strcmp(a->operation.service, b->operation.service);
	return order != 0 ? order : strcmp(a->operation.name, b->operation.name);
}

/* Those that took most come first. */
static void
path_summary_write(const PathSummary *summary, RowSet *rows)
{
	long count = hash_get_num_entries(summary->operations);
	OperationTotal **totals = palloc(sizeof(OperationTotal *) * (count + 1));
	OperationTotal *total;
	HASH_SEQ_STATUS scan;
	long i = 0;

	hash_seq_init(&scan, summary->operations);
	while ((total = hash_seq_search(&scan)) != NULL)
		totals[i++] = total;
	qsort(totals, count, sizeof(OperationTotal *), operation_total_compare);
	for (i = 0; i < count; i++)
	{
		Datum values[6];
		bool nulls[6] = {false, false, false, false, false, false};

		total = totals[i];
		values[0] = CStringGetTextDatum(total->operation.service);
		values[1] = CStringGetTextDatum(total->operation.name);
		values[2] = Int64GetDatum(total->traces);
		values[3] = Int64GetDatum(total->sections);
		values[4] = Int64GetDatum(total->self);
		values[5] = Float8GetDatum((double) total->self / (double) summary->self);
		row_set_add(rows, values, nulls);
	}
}

static void
path_summary_run(FunctionCallInfo fcinfo, const TraceStore *store, const char *condition,
				 QueryArguments *arguments)
{
	PathSummary summary = {0};
	HASHCTL control;
	RowSet rows;

	row_set_open(&rows, fcinfo);
	query_connect();
	summary.context = CurrentMemoryContext;
	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(OperationName);
	control.entrysize = sizeof(OperationTotal);
	control.hash = operation_name_hash;
	control.match = operation_name_match;
	control.hcxt = CurrentMemoryContext;
	summary.operations = hash_create("distributed operations", 256, &control,
									 HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	span_forest_each(store, condition, arguments, path_summary_add_trace, &summary);
	path_summary_write(&summary, &rows);
	query_finish();
}

/* A time as nanoseconds since 1970; one beyond what they can tell, as the last of them. */
static int64
time_bound(TimestampTz time)
{
	if (time <= hybrid_time_to_timestamp(PG_INT64_MIN))
		return PG_INT64_MIN;
	if (time > hybrid_time_to_timestamp(PG_INT64_MAX))
		return PG_INT64_MAX;
	return hybrid_time_from_timestamp(time);
}

/* A condition: traces that start between two arguments, the latter excluded. */
static const char *
traces_between(const TraceStore *store, FunctionCallInfo fcinfo, int first, const char *span,
			   QueryArguments *arguments)
{
	TimestampTz from = PG_GETARG_TIMESTAMPTZ(first);
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(first + 1);

	if (TIMESTAMP_IS_NOBEGIN(from) && TIMESTAMP_IS_NOEND(until))
		return "true";
	query_argument(arguments, INT8OID, Int64GetDatum(time_bound(from)), false);
	query_argument(arguments, INT8OID, Int64GetDatum(time_bound(until)), false);
	return psprintf("%s.trace_id OPERATOR(%s.=) ANY (SELECT t.trace_id FROM %s t "
					"WHERE t.start_ns OPERATOR(pg_catalog.>=) $1 "
					"AND t.start_ns OPERATOR(pg_catalog.<) $2)",
					span, store->extension, store->traces);
}

PG_FUNCTION_INFO_V1(critical_path_summary_between);
Datum
critical_path_summary_between(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	TraceStore store;

	trace_store_open(&store, fcinfo, 0);
	path_summary_run(fcinfo, &store, traces_between(&store, fcinfo, 1, "s", &arguments),
					 &arguments);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(critical_path_summary_of);
Datum
critical_path_summary_of(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	TraceStore store;

	trace_store_open(&store, fcinfo, 0);
	query_argument(&arguments, get_fn_expr_argtype(fcinfo->flinfo, 1), PG_GETARG_DATUM(1), false);
	path_summary_run(fcinfo, &store,
					 psprintf("s.trace_id OPERATOR(%s.=) ANY ($1)", store.extension), &arguments);
	return (Datum) 0;
}

/*
 * Self time
 */

/* The time of a span that none of its children covers. */
static uint64
self_time_of(const SpanForest *forest, uint32 which)
{
	const ForestSpan *span = &forest->spans[which];
	int64 covered = span->start; /* up to here */
	uint64 self = 0;

	/* children come by start */
	for (uint32 i = span_forest_child(forest, which); i != NO_SPAN;
		 i = span_forest_sibling(forest, i))
	{
		const ForestSpan *child = &forest->spans[i];

		if (child->start >= span->end)
			break;
		if (child->start > covered)
			self += (uint64) child->start - (uint64) covered;
		covered = Max(covered, child->end);
	}
	if (span->end > covered)
		self += (uint64) span->end - (uint64) covered;
	return self;
}

PG_FUNCTION_INFO_V1(self_time);
Datum
self_time(PG_FUNCTION_ARGS)
{
	TraceStore store;
	SpanForest forest;
	RowSet rows;
	MemoryContext row;
	MemoryContext old;

	trace_store_open(&store, fcinfo, 0);
	row_set_open(&rows, fcinfo);
	query_connect();
	span_forest_read(&forest, &store, PG_GETARG_DATUM(1));
	row = AllocSetContextCreate(CurrentMemoryContext, "distributed self time row",
								ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(row);
	for (uint32 i = 0; i < forest.nspans; i++)
	{
		const ForestSpan *span = &forest.spans[i];
		int64 duration;
		Datum values[5];
		bool nulls[5] = {false, false, false, false, false};

		if (pg_sub_s64_overflow(span->end, span->start, &duration))
		{
			uint8 span_id[SPAN_ID_BYTES];

			span_id_store(span_id, span->span_id);
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("bigint out of range"),
					 errdetail("Span %s lasts for more than 292 years.",
							   hex_id_write(span_id, SPAN_ID_BYTES))));
		}
		values[0] = Int64GetDatum((int64) span->span_id);
		values[1] = CStringGetTextDatum(span->service);
		values[2] = CStringGetTextDatum(span->name);
		values[3] = Int64GetDatum(duration);
		values[4] = Int64GetDatum((int64) self_time_of(&forest, i));
		row_set_add(&rows, values, nulls);
		MemoryContextReset(row);
	}
	MemoryContextSwitchTo(old);
	query_finish();
	return (Datum) 0;
}

/*
 * Services
 *
 * A call is a span whose parent belongs to another service.  It failed if it
 * ended with an error, or if the caller's side of it, the client's or producer's
 * span, did: a call may fail on the way.
 */
PG_FUNCTION_INFO_V1(service_graph);
Datum
service_graph(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	TraceStore store;
	RowSet rows;
	int path;

	trace_store_open(&store, fcinfo, 0);
	row_set_open(&rows, fcinfo);
	query_connect();
	path = query_path_enter();
	query_rows(
		psprintf(
			"SELECT p.service_name, c.service_name, count(*), "
			"count(*) FILTER (WHERE c.status = 'error' "
			"OR (p.status = 'error' AND p.kind IN ('client', 'producer'))), "
			"round(avg(c.end_ns - c.start_ns))::int8, max(c.end_ns - c.start_ns) "
			"FROM %s c JOIN %s p ON p.trace_id OPERATOR(%s.=) c.trace_id AND p.span_id OPERATOR(%s.=) c.parent_span_id "
			"WHERE p.service_name <> c.service_name AND %s GROUP BY 1, 2 "
			"ORDER BY p.service_name COLLATE \"C\", c.service_name COLLATE \"C\"",
			store.spans, store.spans, store.extension, store.extension,
			traces_between(&store, fcinfo, 1, "c", &arguments)),
		&arguments, &rows);
	query_path_leave(path);
	query_finish();
	return (Datum) 0;
}
