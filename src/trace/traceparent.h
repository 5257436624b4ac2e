/*
 * traceparent.h
 *		The header field "traceparent".
 */
#ifndef DISTRIBUTED_TRACEPARENT_H
#define DISTRIBUTED_TRACEPARENT_H

#include "postgres.h"

#include "core/input.h"
#include "lib/stringinfo.h"
#include "trace/span_id.h"
#include "trace/trace_id.h"

typedef struct Traceparent
{
	uint8 trace_id[TRACE_ID_BYTES];
	uint8 span_id[SPAN_ID_BYTES];
	uint8 flags;
} Traceparent;

extern bool traceparent_read(const char *text, Size length, const InputSource *source,
							 Traceparent *parent);
extern bool traceparent_check(const Traceparent *parent, const InputSource *source);
extern void traceparent_write(StringInfo buf, const Traceparent *parent);

#endif /* DISTRIBUTED_TRACEPARENT_H */
