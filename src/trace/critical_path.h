/*
 * critical_path.h
 *		Which spans a trace was waiting for.
 */
#ifndef DISTRIBUTED_CRITICAL_PATH_H
#define DISTRIBUTED_CRITICAL_PATH_H

#include "postgres.h"

#include "trace/span_forest.h"

typedef struct CriticalSection
{
	uint32 span;
	int64 start; /* nanoseconds since 1970 */
	int64 end;   /* the same, greater than start */
} CriticalSection;

/*
 * The critical path under a root: its sections from the last one to the first,
 * palloc'd.
 */
extern void critical_path_sections(const SpanForest *forest, uint32 root,
								   CriticalSection **sections, uint32 *count);

/*
 * Does a span begin a critical path?  Roots do; where a trace has none, what
 * stands for one does.
 */
extern bool critical_path_starts(const SpanForest *forest, uint32 span);

#endif /* DISTRIBUTED_CRITICAL_PATH_H */
