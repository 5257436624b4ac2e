/*
 * event_graph.h
 *		The events of a log in memory, and what directly caused what.
 */
#ifndef DISTRIBUTED_EVENT_GRAPH_H
#define DISTRIBUTED_EVENT_GRAPH_H

#include "postgres.h"

#include "core/node_table.h"
#include "time/log_table.h"

/* One event.  Events are numbered in an order that has causes before effects. */
typedef struct GraphEvent
{
	uint32 origin; /* index into the origins */
	int64 seq;
	NodeTable clock;
	const char *text; /* of the event, or NULL */
	const char *at;   /* its timestamp in text form, or NULL */
} GraphEvent;

/* A node and its events, ordered by their numbers there. */
typedef struct GraphOrigin
{
	const char *name;
	uint32 length;
	uint32 nevents;
	uint32 *events;
} GraphOrigin;

typedef struct EventGraph
{
	uint32 nevents;
	GraphEvent *events;
	uint32 norigins;
	GraphOrigin *origins; /* sorted by the bytes of their names */
} EventGraph;

extern EventGraph *event_graph_load(const LogTable *log, bool texts);
extern EventGraph *event_graph_load_some(const LogTable *log, bool texts, const char *condition,
										 QueryArguments *arguments);
extern bool event_graph_find(const EventGraph *graph, const char *origin, Size length, int64 seq,
							 uint32 *event);
extern uint32 event_graph_parents(const EventGraph *graph, uint32 event, uint32 *parents);
extern uint32 *event_graph_depths(const EventGraph *graph);

static inline const GraphOrigin *
event_graph_origin(const EventGraph *graph, uint32 event)
{
	return &graph->origins[graph->events[event].origin];
}

/* Did "cause" happen before "effect", as their clocks tell? */
static inline bool
event_graph_before(const EventGraph *graph, uint32 cause, uint32 effect)
{
	return node_table_order(&graph->events[cause].clock, &graph->events[effect].clock) ==
		ORDER_BEFORE;
}

#endif /* DISTRIBUTED_EVENT_GRAPH_H */
