/*
 * trace_services.h
 *		The services that take part in a trace.
 */
#ifndef DISTRIBUTED_TRACE_SERVICES_H
#define DISTRIBUTED_TRACE_SERVICES_H

#include "postgres.h"

#include "trace/span_forest.h"

typedef struct TraceService
{
	const char *name;
	uint32 first; /* its first span in the forest */
} TraceService;

/* In the order in which the forest first names them. */
typedef struct TraceServices
{
	TraceService *services;
	uint32 count;
	uint32 *service_of; /* of each span */
} TraceServices;

extern void trace_services_list(TraceServices *list, const SpanForest *forest);

#endif /* DISTRIBUTED_TRACE_SERVICES_H */
