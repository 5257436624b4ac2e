/*
 * trace_context.h
 *		Contexts of spans, as they are stored and passed.
 */
#ifndef DISTRIBUTED_TRACE_CONTEXT_H
#define DISTRIBUTED_TRACE_CONTEXT_H

#include "postgres.h"

#include "core/input.h"
#include "trace/baggage.h"
#include "trace/traceparent.h"

/* Bytes of a region, as UTF-8. */
#define REGION_MOST 65535

/* What is absent is nil, 0 or empty. */
typedef struct TraceContext
{
	Traceparent parent;
	uint8 parent_span_id[SPAN_ID_BYTES];
	int64 created_at;       /* nanoseconds since 1970 */
	const char *tracestate; /* canonical */
	Size tracestate_length;
	const char *region;
	Size region_length;
	Baggage baggage;
} TraceContext;

extern void trace_context_open(TraceContext *context, const struct varlena *stored);
extern struct varlena *trace_context_build(const TraceContext *context);
extern bool trace_context_set_region(TraceContext *context, const char *region, Size length,
									 const InputSource *source);
extern bool trace_context_set_created_at(TraceContext *context, int64 nanoseconds,
										 const InputSource *source);

#endif /* DISTRIBUTED_TRACE_CONTEXT_H */
