/*
 * trace_services.c
 *		The services that take part in a trace.
 */
#include "core/compat.h"

#include "trace/trace_services.h"

/* A span, and the service that it belongs to by its name. */
typedef struct ServiceSpan
{
	const char *name;
	uint32 span;
} ServiceSpan;

static int
trace_services_compare_names(const void *a, const void *b)
{
	const ServiceSpan *left = a;
	const ServiceSpan *right = b;
	int order = left->name == right->name ? 0 : strcmp(left->name, right->name);

	if (order != 0)
		return order;
	return (left->span > right->span) - (left->span < right->span);
}

static int
trace_services_compare_first(const void *a, const void *b)
{
	const TraceService *left = a;
	const TraceService *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

void
trace_services_list(TraceServices *list, const SpanForest *forest)
{
	Size nspans = forest->nspans;
	ServiceSpan *spans = MemoryContextAllocHuge(CurrentMemoryContext,
												sizeof(ServiceSpan) * (nspans + 1));

	list->services = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(TraceService) * (nspans + 1));
	list->service_of = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (nspans + 1));
	list->count = 0;
	for (uint32 i = 0; i < nspans; i++)
	{
		spans[i].name = forest->spans[i].service;
		spans[i].span = i;
	}
	qsort(spans, nspans, sizeof(ServiceSpan), trace_services_compare_names);
	for (uint32 i = 0; i < nspans; i++)
	{
		TraceService *service = &list->services[list->count];

		if (i > 0 && strcmp(spans[i].name, spans[i - 1].name) == 0)
			service--;
		else
		{
			service->name = spans[i].name;
			service->first = spans[i].span;
			list->count++;
		}
		/* for now, the first span stands for the service */
		list->service_of[spans[i].span] = service->first;
	}
	qsort(list->services, list->count, sizeof(TraceService), trace_services_compare_first);
	/* in order again, so that the first span of a service comes before its others */
	for (uint32 i = 0, next = 0; i < nspans; i++)
	{
		uint32 first = list->service_of[i];

		list->service_of[i] = first == i ? next++ : list->service_of[first];
	}
	pfree(spans);
}
