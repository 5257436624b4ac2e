/*
 * spacetime.c
 *		Pictures of a causal log.
 *
 * spacetime_svg draws the log itself; to_dot and to_mermaid hand the graph of
 * its events and their direct causes to Graphviz and Mermaid, which lay it out.
 */
#include "core/compat.h"

#include "core/markup.h"
#include "miscadmin.h"
#include "time/event_graph.h"
#include "time/log_table.h"
#include "time/spacetime_svg.h"
#include "utils/builtins.h"

/* Letters of an event that stand in its box; all of it is in the tooltip, where there is one. */
#define GRAPH_LABEL_MOST 60

/* Describe the log that is the first argument, and read all of it. */
static EventGraph *
spacetime_load(FunctionCallInfo fcinfo, LogTable *log)
{
	MemoryContext context = CurrentMemoryContext;
	EventGraph *graph;

	log_table_open(log, fcinfo, PG_GETARG_OID(0));
	query_connect();
	MemoryContextSwitchTo(context);
	graph = event_graph_load(log, true);
	query_finish();
	return graph;
}

/* A document without the end of its last line, which clients write themselves. */
static Datum
spacetime_result(const StringInfoData *out)
{
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out->data, out->len - 1));
}

PG_FUNCTION_INFO_V1(spacetime_svg);
Datum
spacetime_svg(PG_FUNCTION_ARGS)
{
	uint32 chosen = SPACETIME_NO_EVENT;
	LogTable log;
	EventGraph *graph;
	StringInfoData out;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1) != PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("half an event is chosen"),
				 errdetail("%s is given, but %s is null.", PG_ARGISNULL(1) ? "seq" : "origin",
						   PG_ARGISNULL(1) ? "origin" : "seq"),
				 errhint("Choose an event by its origin and seq, or give neither.")));
	graph = spacetime_load(fcinfo, &log);
	if (!PG_ARGISNULL(1))
	{
		const char *origin = text_to_cstring(PG_GETARG_TEXT_PP(1));
		int64 seq = PG_GETARG_INT64(2);

		if (!event_graph_find(graph, origin, strlen(origin), seq, &chosen))
			log_table_no_event(&log, origin, seq);
	}
	initStringInfo(&out);
	spacetime_svg_draw(&out, graph, log.name, chosen);
	return spacetime_result(&out);
}

/* Where the two formats differ; both have a group per node, and then the arrows. */
typedef struct GraphFormat
{
	MarkupFormat markup;
	const char *group;          /* before the number of a node */
	const char *group_label;    /* before its name */
	const char *group_labelled; /* behind its name */
	const char *group_end;
	const char *event_label; /* before that of an event */
	const char *tooltip;     /* before what is said of it; NULL if there is no place for that */
	const char *arrow;
} GraphFormat;

static const GraphFormat graph_dot = {
	.markup = MARKUP_DOT,
	.group = "cluster",
	.group_label = " {\n    label=\"",
	.group_labelled = "\"",
	.group_end = "}",
	.event_label = " [label=\"",
	.tooltip = "\" tooltip=\"",
	.arrow = "->",
};

static const GraphFormat graph_mermaid = {
	.markup = MARKUP_MERMAID,
	.group = "n",
	.group_label = "[\"",
	.group_labelled = "\"]",
	.group_end = "end",
	.event_label = "[\"",
	.tooltip = NULL,
	.arrow = "-->",
};

static void
graph_append_event(StringInfo out, const GraphFormat *format, const EventGraph *graph, uint32 event)
{
	const GraphEvent *it = &graph->events[event];

	appendStringInfo(out, "    e%u%s" INT64_FORMAT, event + 1, format->event_label, it->seq);
	if (it->text != NULL)
	{
		appendStringInfoString(out, ": ");
		markup_append(out, format->markup, it->text, GRAPH_LABEL_MOST);
	}
	if (format->tooltip != NULL)
	{
		appendStringInfoString(out, format->tooltip);
		spacetime_append_title(out, format->markup, graph, event);
	}
	appendStringInfoString(out, "\"]\n");
}

/* The events of each node, then the direct causes of each event. */
static void
graph_append(StringInfo out, const GraphFormat *format, const EventGraph *graph)
{
	uint32 *parents = palloc(sizeof(uint32) * ((Size) graph->norigins + 1));

	for (uint32 i = 0; i < graph->norigins; i++)
	{
		const GraphOrigin *origin = &graph->origins[i];

		appendStringInfo(out, "  subgraph %s%u%s", format->group, i + 1, format->group_label);
		markup_append(out, format->markup, origin->name, MARKUP_WHOLE);
		appendStringInfo(out, "%s\n", format->group_labelled);
		for (uint32 j = 0; j < origin->nevents; j++)
		{
			CHECK_FOR_INTERRUPTS();
			graph_append_event(out, format, graph, origin->events[j]);
		}
		appendStringInfo(out, "  %s\n", format->group_end);
	}
	for (uint32 event = 0; event < graph->nevents; event++)
	{
		uint32 count = event_graph_parents(graph, event, parents);

		for (uint32 i = 0; i < count; i++)
			appendStringInfo(out, "  e%u %s e%u\n", parents[i] + 1, format->arrow, event + 1);
	}
	pfree(parents);
}

PG_FUNCTION_INFO_V1(spacetime_dot);
Datum
spacetime_dot(PG_FUNCTION_ARGS)
{
	LogTable log;
	EventGraph *graph = spacetime_load(fcinfo, &log);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "digraph {\n  graph [rankdir=LR label=\"");
	markup_append(&out, MARKUP_DOT, log.name, MARKUP_WHOLE);
	appendStringInfoString(&out, "\"]\n  node [shape=box style=rounded]\n");
	graph_append(&out, &graph_dot, graph);
	appendStringInfoString(&out, "}\n");
	return spacetime_result(&out);
}

PG_FUNCTION_INFO_V1(spacetime_mermaid);
Datum
spacetime_mermaid(PG_FUNCTION_ARGS)
{
	LogTable log;
	EventGraph *graph = spacetime_load(fcinfo, &log);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "flowchart LR\n");
	graph_append(&out, &graph_mermaid, graph);
	return spacetime_result(&out);
}
