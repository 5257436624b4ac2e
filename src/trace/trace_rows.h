/*
 * trace_rows.h
 *		The spans of a trace that a picture of it shows.
 */
#ifndef DISTRIBUTED_TRACE_ROWS_H
#define DISTRIBUTED_TRACE_ROWS_H

#include "postgres.h"

#include "trace/critical_path.h"
#include "trace/span_forest.h"

#define NO_ROW PG_UINT32_MAX

/* An event of a span. */
typedef struct TraceEvent
{
	int64 time; /* nanoseconds since 1970 */
	const char *name;
} TraceEvent;

typedef struct TraceRow
{
	uint32 span;
	uint32 parent; /* the row of its parent, or NO_ROW */
	uint32 hidden; /* descendants without a row whose nearest ancestor with a row is this */

	/* for whoever draws it to fill in */
	const char *status_message; /* or NULL */
	const char *attributes;     /* or NULL */
	TraceEvent *events;
	uint32 nevents;
} TraceRow;

/* Rows from the top, in the order of the forest. */
typedef struct TraceRows
{
	const SpanForest *forest;
	CriticalSection *sections;
	uint32 nsections;
	TraceRow *rows;
	uint32 nrows;
	uint32 *row_of; /* of each span, or NO_ROW */
} TraceRows;

extern void trace_rows_choose(TraceRows *rows, const SpanForest *forest, uint32 most);

#endif /* DISTRIBUTED_TRACE_ROWS_H */
