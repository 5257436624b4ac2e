/*
 * event_graph.c
 *		The events of a log in memory, and what directly caused what.
 *
 * The clocks give happened-before as a relation of all pairs.  Its transitive
 * reduction is what a person wants to see: the direct causes of an event, which
 * have no other event between themselves and it.  An event's causes at one node
 * are the first so many of that node's, so only the last of them can be direct:
 * at most one candidate per node that its clock names, found by binary search.
 * Of the candidates those remain that no other one includes.
 *
 * Clocks are compared as they are, not taken on trust: in a log whose program
 * was wrong, an event that a clock counts but does not include is no cause.
 */
#include "core/compat.h"

#include "miscadmin.h"
#include "time/event_graph.h"
#include "utils/builtins.h"

#define GRAPH_INITIAL_EVENTS 1024

/* What the loading query returns. */
enum
{
	COLUMN_ORIGIN = 1,
	COLUMN_SEQ,
	COLUMN_CLOCK,
	COLUMN_TEXT,
	COLUMN_AT
};

typedef struct GraphLoader
{
	EventGraph *graph;
	MemoryContext context; /* where the graph lives */
	uint32 capacity;
	const char **origins; /* of each event, while they are not numbered */
} GraphLoader;

static void
event_graph_load_row(void *state, HeapTuple row, TupleDesc desc)
{
	GraphLoader *loader = state;
	EventGraph *graph = loader->graph;
	MemoryContext old = MemoryContextSwitchTo(loader->context);
	GraphEvent *event;
	Datum value;
	bool isnull;

	if (graph->nevents == loader->capacity)
	{
		if (loader->capacity > PG_UINT32_MAX / 2)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("the log has too many events")));
		loader->capacity *= 2;
		graph->events = repalloc_huge(graph->events, sizeof(GraphEvent) * (Size) loader->capacity);
		loader->origins = repalloc_huge(loader->origins, sizeof(char *) * (Size) loader->capacity);
	}
	event = &graph->events[graph->nevents];
	value = SPI_getbinval(row, desc, COLUMN_ORIGIN, &isnull);
	loader->origins[graph->nevents] = TextDatumGetCString(value);
	event->seq = DatumGetInt64(SPI_getbinval(row, desc, COLUMN_SEQ, &isnull));
	value = SPI_getbinval(row, desc, COLUMN_CLOCK, &isnull);
	node_table_open(&event->clock, PG_DETOAST_DATUM_COPY(value), 1);
	value = SPI_getbinval(row, desc, COLUMN_TEXT, &isnull);
	event->text = isnull ? NULL : TextDatumGetCString(value);
	value = SPI_getbinval(row, desc, COLUMN_AT, &isnull);
	event->at = isnull ? NULL : TextDatumGetCString(value);
	graph->nevents++;
	MemoryContextSwitchTo(old);
}

static int
graph_origin_compare(const void *x, const void *y)
{
	const GraphOrigin *a = x;
	const GraphOrigin *b = y;

	return bytes_compare(a->name, a->length, b->name, b->length);
}

static int
graph_origin_compare_names(const void *x, const void *y)
{
	return strcmp(*(const char *const *) x, *(const char *const *) y);
}

static const GraphOrigin *
event_graph_find_origin(const EventGraph *graph, const char *name, Size length)
{
	GraphOrigin wanted = {name, (uint32) length, 0, NULL};

	return bsearch(&wanted, graph->origins, graph->norigins, sizeof(GraphOrigin),
				   graph_origin_compare);
}

/* The distinct origins, and to each event the number of its own. */
static void
event_graph_number_origins(EventGraph *graph, const char **origins)
{
	const char **sorted = MemoryContextAllocHuge(CurrentMemoryContext,
												 sizeof(char *) * ((Size) graph->nevents + 1));

	memcpy(sorted, origins, sizeof(char *) * (Size) graph->nevents);
	qsort(sorted, graph->nevents, sizeof(char *), graph_origin_compare_names);
	graph->norigins = 0;
	for (uint32 i = 0; i < graph->nevents; i++)
	{
		if (i == 0 || strcmp(sorted[i - 1], sorted[i]) != 0)
			sorted[graph->norigins++] = sorted[i];
	}
	graph->origins = palloc0(sizeof(GraphOrigin) * ((Size) graph->norigins + 1));
	for (uint32 i = 0; i < graph->norigins; i++)
	{
		graph->origins[i].name = sorted[i];
		graph->origins[i].length = (uint32) strlen(sorted[i]);
	}
	pfree(sorted);
	for (uint32 i = 0; i < graph->nevents; i++)
	{
		const GraphOrigin *origin = event_graph_find_origin(graph, origins[i], strlen(origins[i]));

		graph->events[i].origin = (uint32) (origin - graph->origins);
		graph->origins[graph->events[i].origin].nevents++;
	}
}

typedef struct GraphSeq
{
	int64 seq;
	uint32 event;
} GraphSeq;

static int
graph_seq_compare(const void *x, const void *y)
{
	const GraphSeq *a = x;
	const GraphSeq *b = y;

	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return (a->event > b->event) - (a->event < b->event);
}

/* The events of each origin, by their number there. */
static void
event_graph_list_events(EventGraph *graph)
{
	GraphSeq *seqs = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(GraphSeq) * ((Size) graph->nevents + 1));
	uint32 *events = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(uint32) * ((Size) graph->nevents + 1));
	uint32 at = 0;

	for (uint32 i = 0; i < graph->norigins; i++)
	{
		graph->origins[i].events = events + at;
		at += graph->origins[i].nevents;
		graph->origins[i].nevents = 0;
	}
	for (uint32 i = 0; i < graph->nevents; i++)
	{
		GraphOrigin *origin = &graph->origins[graph->events[i].origin];
		GraphSeq *seq = &seqs[origin->events - events + origin->nevents++];

		seq->seq = graph->events[i].seq;
		seq->event = i;
	}
	for (uint32 i = 0; i < graph->norigins; i++)
	{
		GraphOrigin *origin = &graph->origins[i];
		GraphSeq *first = &seqs[origin->events - events];

		CHECK_FOR_INTERRUPTS();
		qsort(first, origin->nevents, sizeof(GraphSeq), graph_seq_compare);
		for (uint32 j = 0; j < origin->nevents; j++)
			origin->events[j] = first[j].event;
	}
	pfree(seqs);
}

/* Read a whole log. */
EventGraph *
event_graph_load(const LogTable *log, bool texts)
{
	return event_graph_load_some(log, texts, "true", NULL);
}

/*
 * Read the events that meet an SQL condition; call it between query_connect and
 * query_finish, with the memory context current that is to hold the graph.
 * Without "texts" the events' texts and timestamps are left out.
 */
EventGraph *
event_graph_load_some(const LogTable *log, bool texts, const char *condition,
					  QueryArguments *arguments)
{
	GraphLoader loader;
	EventGraph *graph = palloc0(sizeof(EventGraph));

	loader.graph = graph;
	loader.context = CurrentMemoryContext;
	loader.capacity = GRAPH_INITIAL_EVENTS;
	loader.origins = palloc(sizeof(char *) * loader.capacity);
	graph->events = palloc(sizeof(GraphEvent) * loader.capacity);
	query_each(psprintf("SELECT l.origin::pg_catalog.text, l.seq::pg_catalog.int8, "
						"l.clock::%s.vclock, %s, "
						"(%s)::pg_catalog.text FROM %s l "
						"WHERE l.origin IS NOT NULL AND l.seq IS NOT NULL AND l.clock IS NOT NULL "
						"AND %s ORDER BY l.clock, l.origin COLLATE \"C\", l.seq",
						log->schema, texts ? log->event_text : "NULL::pg_catalog.text",
						texts ? log->at : "NULL", log->name, condition),
			   arguments, event_graph_load_row, &loader);
	event_graph_number_origins(graph, loader.origins);
	event_graph_list_events(graph);
	return graph;
}

/* How many events of an origin have a number of at most "seq". */
static uint32
graph_origin_count_until(const EventGraph *graph, const GraphOrigin *origin, uint64 seq)
{
	uint32 low = 0;
	uint32 high = origin->nevents;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;
		int64 candidate = graph->events[origin->events[middle]].seq;

		if (candidate < 0 || (uint64) candidate <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The event of that number at that node, if the log has it. */
bool
event_graph_find(const EventGraph *graph, const char *origin, Size length, int64 seq, uint32 *event)
{
	const GraphOrigin *found = event_graph_find_origin(graph, origin, length);
	uint32 count;

	if (found == NULL || seq < 0)
		return false;
	count = graph_origin_count_until(graph, found, (uint64) seq);
	if (count == 0)
		return false;
	*event = found->events[count - 1];
	return graph->events[*event].seq == seq;
}

/*
 * The last event of each node in the past of "event", into an array with room
 * for one event of each origin; returns how many.
 */
static uint32
event_graph_latest(const EventGraph *graph, uint32 event, uint32 *latest)
{
	const NodeTable *clock = &graph->events[event].clock;
	NodeCursor cursor;
	uint32 count = 0;

	for (node_cursor_open(&cursor, clock); !node_cursor_done(&cursor); node_cursor_next(&cursor))
	{
		const GraphOrigin *origin = event_graph_find_origin(graph, cursor.name,
															node_cursor_length(&cursor));
		uint32 candidate;

		CHECK_FOR_INTERRUPTS();
		if (origin == NULL)
			continue;
		candidate = graph_origin_count_until(graph, origin,
											 node_table_counter(clock, cursor.index));
		/* usually the first one is it; but the event itself is not its own past */
		while (candidate > 0 && !event_graph_before(graph, origin->events[candidate - 1], event))
			candidate--;
		if (candidate > 0)
			latest[count++] = origin->events[candidate - 1];
	}
	return count;
}

static int
graph_later_first(const void *x, const void *y)
{
	uint32 a = *(const uint32 *) x;
	uint32 b = *(const uint32 *) y;

	return (a < b) - (a > b);
}

/*
 * The direct causes of an event, in causal order, into an array with room for
 * one event of each origin; returns how many.
 */
uint32
event_graph_parents(const EventGraph *graph, uint32 event, uint32 *parents)
{
	uint32 candidates = event_graph_latest(graph, event, parents);
	uint32 count = 0;

	/* later ones first: what includes a candidate has been kept before it, or is included too */
	qsort(parents, candidates, sizeof(uint32), graph_later_first);
	for (uint32 i = 0; i < candidates; i++)
	{
		bool direct = true;

		CHECK_FOR_INTERRUPTS();
		for (uint32 j = 0; j < count && direct; j++)
			direct = !event_graph_before(graph, parents[i], parents[j]);
		if (direct)
			parents[count++] = parents[i];
	}
	for (uint32 i = 0; i < count / 2; i++)
	{
		uint32 swapped = parents[i];

		parents[i] = parents[count - 1 - i];
		parents[count - 1 - i] = swapped;
	}
	return count;
}

/*
 * Of each event, the number of events on the longest causal chain that ends
 * with it; 1 where nothing caused it.
 */
uint32 *
event_graph_depths(const EventGraph *graph)
{
	uint32 *depths = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(uint32) * ((Size) graph->nevents + 1));
	uint32 *latest = palloc(sizeof(uint32) * ((Size) graph->norigins + 1));

	/* causes come before effects; a node's depths grow, so its latest event is enough */
	for (uint32 event = 0; event < graph->nevents; event++)
	{
		uint32 count = event_graph_latest(graph, event, latest);

		depths[event] = 1;
		for (uint32 i = 0; i < count; i++)
			depths[event] = Max(depths[event], depths[latest[i]] + 1);
	}
	pfree(latest);
	return depths;
}
