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

/* Spans in depth-first order: roots by start, then children by start (ties: by span_id). */
typedef struct SpanForest
{
	Datum trace_id;
	uint32 nspans;
	ForestSpan *spans;
	int64 start; /* the earliest start */
	int64 end;   /* the latest end */
} SpanForest;

extern const char *const span_kind_labels[];
extern const int span_kind_count;
extern const char *const span_status_labels[];
extern const int span_status_count;

/*
 * Read a trace, in the current memory context, between query_connect and
 * query_finish; an error if the store has no span of it.
 */
extern void span_forest_read(SpanForest *forest, const TraceStore *store, Datum trace_id);

/* The index of a span, or NO_SPAN. */
extern uint32 span_forest_find(const SpanForest *forest, uint64 span_id);

#endif /* DISTRIBUTED_SPAN_FOREST_H */
