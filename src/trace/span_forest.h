/*
 * span_forest.h
 *		The spans of one trace, and who is whose parent.
 */
#ifndef DISTRIBUTED_SPAN_FOREST_H
#define DISTRIBUTED_SPAN_FOREST_H

#include "postgres.h"

#include "trace/trace_schema.h"

#define NO_SPAN PG_UINT32_MAX

/* How a span stands to the parent that it names. */
typedef enum ParentFinding
{
	PARENT_NONE,    /* names none: a root */
	PARENT_FOUND,   /* is its child */
	PARENT_MISSING, /* an orphan: the trace has no such span; a root here */
	PARENT_CYCLE    /* following parents would lead back here; cut, a root here */
} ParentFinding;

typedef struct ForestSpan
{
	uint64 span_id;
	uint64 parent_id; /* as it came, 0 if there is none */
	int64 start;      /* nanoseconds since 1970 */
	int64 end;        /* the same; of a span that has not ended, the last time known of the trace */
	bool ended;
	bool is_error;
	int kind;   /* index of span_kind_labels, or -1 if unspecified */
	int status; /* index of span_status_labels */
	const char *name;
	const char *service;
	uint64 clock; /* equal if timed by the same clock; only where it was asked for */

	ParentFinding finding;
	uint32 parent; /* index in the forest, or NO_SPAN for a root */
	uint32 depth;  /* 0 for a root */
	/*
	 * Nested intervals: b is a descendant of a exactly if a.enter < b.enter
	 * and b.leave <= a.leave.  Enter is also the span's place in depth-first
	 * order, from 1; leave is the enter of its last descendant, or its own.
	 */
	uint32 enter;
	uint32 leave;
} ForestSpan;

/* What spans are sorted by. */
typedef struct ForestKey
{
	uint64 span_id;
	int64 start;
	uint32 span; /* index in the forest */
} ForestKey;

/* Spans in depth-first order: roots by start, then children by start (ties: by span_id). */
typedef struct SpanForest
{
	Datum trace_id;
	uint32 nspans;
	ForestSpan *spans;
	ForestKey *ids; /* by span_id; of several spans with one id, by start */
	int64 start;    /* the earliest start */
	int64 end;      /* the latest end */
	bool rooted;    /* does any span name no parent? */
} SpanForest;

/* The labels of span_kind and span_status, and where some of them stand. */
extern const char *const span_kind_labels[];
extern const int span_kind_count;
extern const char *const span_status_labels[];
extern const int span_status_count;

#define SPAN_KIND_SERVER   1
#define SPAN_KIND_CLIENT   2
#define SPAN_KIND_PRODUCER 3
#define SPAN_KIND_CONSUMER 4
#define SPAN_STATUS_ERROR  3

/* The values of an enum are OIDs, which differ from database to database: those of labels. */
extern void span_forest_labels(Oid type, const char *const *labels, int count, Oid *oids);

/*
 * Read a trace, in the current memory context, between query_connect and
 * query_finish; an error if the store has no span of it.
 */
extern void span_forest_read(SpanForest *forest, const TraceStore *store, Datum trace_id);

/* The same, with the clocks. */
extern void span_forest_read_clocks(SpanForest *forest, const TraceStore *store, Datum trace_id);

/* Called for each trace, which is gone when it returns, as is the current memory context. */
typedef void (*SpanForestConsume)(void *state, const SpanForest *forest);

/* Hand over all traces of whose id a condition on "s" holds, by id. */
extern void span_forest_each(const TraceStore *store, const char *condition,
							 QueryArguments *arguments, SpanForestConsume consume, void *state);

/* The index of a span (of several with this id, the first to start), or NO_SPAN. */
extern uint32 span_forest_find(const SpanForest *forest, uint64 span_id);

/*
 * The index of a span's first child, and of the next child of its parent, or
 * NO_SPAN; children come in the order of their indexes.
 */
static inline uint32
span_forest_child(const SpanForest *forest, uint32 span)
{
	return forest->spans[span].leave > span + 1 ? span + 1 : NO_SPAN;
}

static inline uint32
span_forest_sibling(const SpanForest *forest, uint32 span)
{
	uint32 parent = forest->spans[span].parent;
	uint32 next = forest->spans[span].leave;
	uint32 end = parent == NO_SPAN ? forest->nspans : forest->spans[parent].leave;

	return next < end ? next : NO_SPAN;
}

#endif /* DISTRIBUTED_SPAN_FOREST_H */
