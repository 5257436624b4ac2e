/*
 * trace_timeline.h
 *		The timeline of a trace, as SVG.
 */
#ifndef DISTRIBUTED_TRACE_TIMELINE_H
#define DISTRIBUTED_TRACE_TIMELINE_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "trace/trace_rows.h"

extern void trace_timeline_draw(StringInfo out, const TraceRows *rows);

#endif /* DISTRIBUTED_TRACE_TIMELINE_H */
