/*
 * spacetime_svg.c
 *		The space-time diagram of a log, as SVG.
 *
 * One horizontal lane per node, time from left to right, a dot per event, and
 * an arrow from each direct cause at another node: the diagram of Lamport,
 * "Time, clocks, and the ordering of events in a distributed system", 1978.
 * There is no common time, so an event stands in the first column that is to
 * the right of all its causes: the length of the longest causal chain that ends
 * with it.  All arrows then point to the right.
 *
 * The picture is SVG 1.1 with a style sheet and without scripts, fonts or other
 * files.  What goes beyond that (colours for dark screens, arrows that stand
 * out when one points at their effect) other viewers ignore.
 */
#include "core/compat.h"

#include "core/markup.h"
#include "core/node_table_io.h"
#include "core/svg.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "time/spacetime_svg.h"

/* All lengths are in pixels. */
#define SVG_HEADER       84   /* above the first lane */
#define SVG_FOOTER       36   /* below the last one */
#define SVG_MIN_WIDTH    720  /* for the header */
#define SVG_NAME_MOST    32   /* letters of a node's name that are shown */
#define SVG_NAME_LEAST   8    /* bytes of a name that are shown in any case */
#define SVG_PREFIX_LEAST 4    /* letters less that make it worth leaving out what names share */
#define SVG_TEXT_MOST    120  /* letters of a line of the header */
#define SVG_TITLE_MOST   600  /* letters of an event, and of its clock, in its title */
#define SVG_REPEAT       1200 /* after which lanes are named again */
#define SVG_TICK         5    /* columns from one number on the axis to the next */
#define SVG_LANE_COLOURS 8    /* classes c0 to c7, for each of which there are arrow heads */
#define SVG_SWAP_ROUNDS  100  /* attempts to put lanes into a better order */
#define SVG_SMALL        80   /* events, up to which there is room between columns */
#define SVG_NUMBER_ALL   150  /* events, up to which each shows its number */
#define SVG_NUMBER_EVERY 5    /* otherwise every fifth of a lane does */
#define SVG_WIDE_LANES   12   /* lanes, up to which there is room between them */
#define SVG_MEDIUM_LANES 40

typedef struct SvgArrow
{
	uint32 cause;
	uint32 effect;
} SvgArrow;

typedef struct SvgDiagram
{
	StringInfo out;
	const EventGraph *graph;
	uint32 chosen; /* event, or SPACETIME_NO_EVENT */

	uint32 *columns; /* of each event, from 0 */
	uint32 ncolumns;
	SvgArrow *arrows; /* by effect, in causal order */
	uint32 narrows;
	uint32 *lanes;   /* of each origin, from the top */
	uint32 *origins; /* of each lane */

	uint32 skip;   /* bytes that all names begin with, if they are left out */
	int names;     /* width of the lanes' names */
	int step;      /* from column to column */
	int pitch;     /* from lane to lane */
	int radius;    /* of a dot */
	uint32 repeat; /* columns after which lanes are named again */
	int width;     /* of all */
} SvgDiagram;

static const char diagram_light[] =
	".rail{stroke:#d8dce3}.life{stroke:#9aa3b2;stroke-width:1.5}"
	".name{font-weight:600}.tag{fill:#fff;stroke:#d8dce3}"
	".nr{fill:#667085;font-size:9px}"
	".arrows{fill:none;stroke-width:1.2;stroke-opacity:.55}"
	".dots circle{stroke:#fff;stroke-width:1.5;fill:currentColor}"
	".dots g use{visibility:hidden;pointer-events:none;fill:none;stroke-width:2.4}"
	".dots g:hover use{visibility:visible}.dots g:hover circle{stroke:#111;stroke-width:2}"
	".past{color:#2f6bd8}.future{color:#e06a1b}.beside{color:#b4bac5}.chosen{color:#111827}"
	"path{stroke:currentColor}marker path{fill:currentColor;stroke:none}"
	".dots .ring{fill:none;stroke:currentColor}";

static const char diagram_dark[] =
	".rail{stroke:#343b47}.life{stroke:#667085}.nr{fill:#98a2b3}.tag{fill:#14171c;stroke:#3d4552}"
	".dots circle{stroke:#14171c}.dots g:hover circle{stroke:#fff}"
	".past{color:#6c9bf5}.future{color:#f28b45}.beside{color:#5b6473}"
	".chosen{color:#fff}";

/*
 * Layout
 */

static void
svg_add_arrow(SvgDiagram *diagram, uint32 *capacity, uint32 cause, uint32 effect)
{
	if (diagram->narrows == *capacity)
	{
		*capacity *= 2;
		diagram->arrows = repalloc_huge(diagram->arrows, sizeof(SvgArrow) * (Size) *capacity);
	}
	diagram->arrows[diagram->narrows].cause = cause;
	diagram->arrows[diagram->narrows++].effect = effect;
}

/* Each event's column, and the arrows. */
static void
svg_place_events(SvgDiagram *diagram)
{
	const EventGraph *graph = diagram->graph;
	uint32 *parents = palloc(sizeof(uint32) * ((Size) graph->norigins + 1));
	uint32 *next = palloc0(sizeof(uint32) * ((Size) graph->norigins + 1));
	uint32 capacity = 1024;

	diagram->columns = MemoryContextAllocHuge(CurrentMemoryContext,
											  sizeof(uint32) * ((Size) graph->nevents + 1));
	diagram->arrows = palloc(sizeof(SvgArrow) * capacity);
	for (uint32 event = 0; event < graph->nevents; event++)
	{
		uint32 origin = graph->events[event].origin;
		uint32 count = event_graph_parents(graph, event, parents);
		/* in a log whose clocks are wrong, a node's events may be concurrent */
		uint32 column = next[origin];

		for (uint32 i = 0; i < count; i++)
		{
			column = Max(column, diagram->columns[parents[i]] + 1);
			if (graph->events[parents[i]].origin != origin)
				svg_add_arrow(diagram, &capacity, parents[i], event);
		}
		diagram->columns[event] = column;
		next[origin] = column + 1;
		diagram->ncolumns = Max(diagram->ncolumns, column + 1);
	}
	pfree(next);
	pfree(parents);
}

/* Of each origin, the origins at the other ends of its arrows. */
typedef struct SvgPeers
{
	Size *begin; /* of each origin, and the end of the last */
	uint32 *peers;
} SvgPeers;

static SvgPeers
svg_list_peers(const SvgDiagram *diagram)
{
	const GraphEvent *events = diagram->graph->events;
	uint32 norigins = diagram->graph->norigins;
	SvgPeers list;
	Size *end;

	list.begin = palloc0(sizeof(Size) * ((Size) norigins + 2));
	list.peers = MemoryContextAllocHuge(CurrentMemoryContext,
										sizeof(uint32) * (2 * (Size) diagram->narrows + 1));
	/* count two places ahead, so that filling moves each begin to where it belongs */
	end = list.begin + 1;
	for (uint32 i = 0; i < diagram->narrows; i++)
	{
		end[events[diagram->arrows[i].cause].origin + 1]++;
		end[events[diagram->arrows[i].effect].origin + 1]++;
	}
	for (uint32 i = 1; i < norigins; i++)
		end[i] += end[i - 1];
	for (uint32 i = 0; i < diagram->narrows; i++)
	{
		uint32 cause = events[diagram->arrows[i].cause].origin;
		uint32 effect = events[diagram->arrows[i].effect].origin;

		list.peers[end[cause]++] = effect;
		list.peers[end[effect]++] = cause;
	}
	return list;
}

/*
 * How many more of an origin's arrows lead to lanes below "lane" + 1 than lead
 * to lanes above "lane".
 */
static int64
svg_lane_pull(const SvgDiagram *diagram, const SvgPeers *list, uint32 origin, uint32 lane)
{
	int64 pull = 0;

	for (Size i = list->begin[origin]; i < list->begin[origin + 1]; i++)
	{
		uint32 other = diagram->lanes[list->peers[i]];

		if (other > lane + 1)
			pull++;
		else if (other < lane)
			pull--;
	}
	return pull;
}

/*
 * Put lanes near one another that exchange many messages.  The names are in
 * order at first; neighbours change places as long as that makes all arrows
 * together span fewer lanes.
 */
static void
svg_order_lanes(SvgDiagram *diagram)
{
	uint32 norigins = diagram->graph->norigins;
	SvgPeers list = svg_list_peers(diagram);
	bool better = true;

	diagram->lanes = palloc(sizeof(uint32) * ((Size) norigins + 1));
	diagram->origins = palloc(sizeof(uint32) * ((Size) norigins + 1));
	for (uint32 i = 0; i < norigins; i++)
		diagram->lanes[i] = diagram->origins[i] = i;
	for (int round = 0; round < SVG_SWAP_ROUNDS && better; round++)
	{
		better = false;
		for (uint32 lane = 0; lane + 1 < norigins; lane++)
		{
			uint32 upper = diagram->origins[lane];
			uint32 lower = diagram->origins[lane + 1];

			CHECK_FOR_INTERRUPTS();
			if (svg_lane_pull(diagram, &list, upper, lane) <=
				svg_lane_pull(diagram, &list, lower, lane))
				continue;
			diagram->origins[lane] = lower;
			diagram->origins[lane + 1] = upper;
			diagram->lanes[lower] = lane;
			diagram->lanes[upper] = lane + 1;
			better = true;
		}
	}
	pfree(list.begin);
	pfree(list.peers);
}

/* How many bytes all names begin with, if the names need cutting; else 0. */
static uint32
svg_common_prefix(const EventGraph *graph)
{
	const GraphOrigin *first = &graph->origins[0];
	const GraphOrigin *last = &graph->origins[graph->norigins - 1];
	uint32 common = 0;
	bool cut = false;

	for (uint32 i = 0; i < graph->norigins; i++)
		cut |= markup_width(graph->origins[i].name, SVG_NAME_MOST) > SVG_NAME_MOST;
	if (!cut || graph->norigins < 2)
		return 0;
	/* they are sorted by their bytes */
	while (common < first->length && first->name[common] == last->name[common])
		common++;
	/* the first one may be the beginning of all others; something of it must stay */
	common = Min(common, first->length - Min(first->length, SVG_NAME_LEAST));
	common = (uint32) pg_mbcliplen(first->name, (int) first->length, (int) common);
	return common < SVG_PREFIX_LEAST ? 0 : common;
}

/* Lengths that depend on how much there is. */
static void
svg_measure(SvgDiagram *diagram)
{
	const EventGraph *graph = diagram->graph;
	uint32 name = 4;

	diagram->skip = graph->norigins == 0 ? 0 : svg_common_prefix(graph);
	for (uint32 i = 0; i < graph->norigins; i++)
		name = Max(name, markup_width(graph->origins[i].name + diagram->skip, SVG_NAME_MOST));
	name = Min(name, SVG_NAME_MOST) + (diagram->skip > 0 ? 1 : 0);
	diagram->names = (int) name * SVG_CHARACTER + 24;
	diagram->step = graph->nevents <= SVG_SMALL ? 40 : 24;
	if (graph->norigins <= SVG_WIDE_LANES)
		diagram->pitch = 48;
	else
		diagram->pitch = graph->norigins <= SVG_MEDIUM_LANES ? 36 : 28;
	diagram->radius = graph->nevents <= SVG_SMALL ? 7 : 5;
	/* not for a few columns at the end */
	diagram->repeat = (uint32) (SVG_REPEAT / diagram->step);
	if (diagram->ncolumns < diagram->repeat + diagram->repeat / 2)
		diagram->repeat = diagram->ncolumns + 1;
}

static int
svg_x(const SvgDiagram *diagram, uint32 column)
{
	return SVG_MARGIN + diagram->names + (int) column * diagram->step +
		(int) (column / diagram->repeat) * diagram->names + diagram->step / 2;
}

static int
svg_y(const SvgDiagram *diagram, uint32 lane)
{
	return SVG_HEADER + (int) lane * diagram->pitch + diagram->pitch / 2;
}

static int
svg_event_x(const SvgDiagram *diagram, uint32 event)
{
	return svg_x(diagram, diagram->columns[event]);
}

static int
svg_event_y(const SvgDiagram *diagram, uint32 event)
{
	return svg_y(diagram, diagram->lanes[diagram->graph->events[event].origin]);
}

/*
 * Drawing
 */

/* The class that gives an event its colour. */
static const char *
svg_event_class(const SvgDiagram *diagram, uint32 event)
{
	static const char *const orders[] = {[ORDER_EQUAL] = "beside",
										 [ORDER_BEFORE] = "past",
										 [ORDER_AFTER] = "future",
										 [ORDER_CONCURRENT] = "beside"};
	const GraphEvent *events = diagram->graph->events;

	if (diagram->chosen == SPACETIME_NO_EVENT)
		return svg_colours[diagram->lanes[events[event].origin] % SVG_LANE_COLOURS];
	if (event == diagram->chosen)
		return "chosen";
	return orders[node_table_order(&events[event].clock, &events[diagram->chosen].clock)];
}

/* An arrow has the colour of its cause; but that of the past ends with the chosen event. */
static const char *
svg_arrow_class(const SvgDiagram *diagram, const SvgArrow *arrow)
{
	const char *cause = svg_event_class(diagram, arrow->cause);
	const char *effect;

	if (diagram->chosen == SPACETIME_NO_EVENT)
		return cause;
	effect = svg_event_class(diagram, arrow->effect);
	if (strcmp(cause, "past") == 0 && (arrow->effect == diagram->chosen || effect == cause))
		return "past";
	if (strcmp(effect, "future") == 0 && (arrow->cause == diagram->chosen || effect == cause))
		return "future";
	return "beside";
}

/* The style sheet, and the arrows' heads: one for each colour. */
static void
svg_draw_styles(SvgDiagram *diagram)
{
	static const char *const classes[] = {"c0", "c1", "c2",   "c3",     "c4",    "c5",
										  "c6", "c7", "past", "future", "beside"};
	int tip = diagram->radius + 1; /* how far from the centre of the dot */
	StringInfoData light;

	initStringInfo(&light);
	appendStringInfoString(&light, diagram_light);
	for (Size i = 0; i < lengthof(classes); i++)
		appendStringInfo(&light, "path.%s{marker-end:url(#to-%s)}", classes[i], classes[i]);
	svg_append_style(diagram->out, light.data, diagram_dark);
	appendStringInfoString(diagram->out, "<defs>\n");
	for (Size i = 0; i < lengthof(classes); i++)
		appendStringInfo(diagram->out,
						 "<marker id=\"to-%s\" class=\"%s\" markerUnits=\"userSpaceOnUse\" "
						 "markerWidth=\"8\" markerHeight=\"8\" refX=\"%d\" refY=\"4\" "
						 "orient=\"auto\"><path d=\"M0 1L8 4L0 7z\"/></marker>\n",
						 classes[i], classes[i], 8 + tip);
	appendStringInfoString(diagram->out, "</defs>\n");
}

/* A colour and what it means, as far as the width allows; "x" moves behind it. */
static void
svg_draw_key(SvgDiagram *diagram, int *x, const char *class, const char *label)
{
	uint32 most = (uint32) (diagram->width - SVG_MARGIN - *x - SVG_KEY) / SVG_CHARACTER;

	*x = svg_append_key(diagram->out, *x, 49, class, label, Min(most, SVG_TEXT_MOST));
}

/* The event that was chosen, and what the colours mean. */
static void
svg_draw_legend(SvgDiagram *diagram)
{
	static const char *const classes[] = {"past", "future", "beside"};
	static const char *const labels[] = {"in its past", "in its future", "concurrent"};
	const GraphEvent *chosen = &diagram->graph->events[diagram->chosen];
	uint32 counts[lengthof(classes)] = {0};
	StringInfoData label;
	int x = SVG_MARGIN;

	for (uint32 event = 0; event < diagram->graph->nevents; event++)
	{
		const char *class = svg_event_class(diagram, event);

		for (Size i = 0; i < lengthof(classes); i++)
			counts[i] += strcmp(class, classes[i]) == 0;
	}
	appendStringInfoString(diagram->out, "<g class=\"legend\">\n");
	for (Size i = 0; i < lengthof(classes); i++)
	{
		char *key = psprintf("%u %s", counts[i], labels[i]);

		svg_draw_key(diagram, &x, classes[i], key);
	}
	initStringInfo(&label);
	appendStringInfo(&label, "%s " INT64_FORMAT,
					 event_graph_origin(diagram->graph, diagram->chosen)->name, chosen->seq);
	if (chosen->text != NULL)
		appendStringInfo(&label, ": %s", chosen->text);
	svg_draw_key(diagram, &x, "chosen", label.data);
	appendStringInfoString(diagram->out, "</g>\n");
}

static void
svg_draw_header(SvgDiagram *diagram, const char *name)
{
	const EventGraph *graph = diagram->graph;

	svg_append_text(diagram->out, SVG_MARGIN, 25, "head", name, SVG_TEXT_MOST);
	if (graph->nevents == 0)
		svg_append_text(diagram->out, SVG_MARGIN, 49, "soft", "The log has no events.",
						MARKUP_WHOLE);
	else if (diagram->chosen != SPACETIME_NO_EVENT)
		svg_draw_legend(diagram);
	else
		svg_append_text(
			diagram->out, SVG_MARGIN, 49, "soft",
			psprintf("%u events of %u nodes. Arrows lead from direct causes; a column is a "
					 "step of the longest causal chain.",
					 graph->nevents, graph->norigins),
			MARKUP_WHOLE);
}

/* Numbers of columns, and what guides the eye. */
static void
svg_draw_grid(SvgDiagram *diagram)
{
	uint32 nlanes = diagram->graph->norigins;
	int bottom = SVG_HEADER + (int) nlanes * diagram->pitch;

	for (uint32 lane = 0; lane < nlanes; lane += 2)
		appendStringInfo(diagram->out,
						 "<rect class=\"band\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
						 SVG_HEADER + (int) lane * diagram->pitch, diagram->width, diagram->pitch);
	for (uint32 column = 0; column < diagram->ncolumns; column++)
	{
		int x = svg_x(diagram, column);

		CHECK_FOR_INTERRUPTS();
		if (column != 0 && (column + 1) % SVG_TICK != 0)
			continue;
		appendStringInfo(diagram->out,
						 "<path class=\"grid\" d=\"M%d %dV%d\"/>"
						 "<text class=\"tick\" x=\"%d\" y=\"%d\">%u</text>"
						 "<text class=\"tick\" x=\"%d\" y=\"%d\">%u</text>\n",
						 x, SVG_HEADER, bottom, x, SVG_HEADER - 6, column + 1, x, bottom + 14,
						 column + 1);
	}
}

/* A node's lane, drawn strongly from its first event to its last. */
static void
svg_draw_lane(SvgDiagram *diagram, uint32 lane)
{
	const GraphOrigin *origin = &diagram->graph->origins[diagram->origins[lane]];
	uint32 first = PG_UINT32_MAX;
	uint32 last = 0;
	int y = svg_y(diagram, lane);

	for (uint32 i = 0; i < origin->nevents; i++)
	{
		first = Min(first, diagram->columns[origin->events[i]]);
		last = Max(last, diagram->columns[origin->events[i]]);
	}
	appendStringInfo(
		diagram->out,
		"<path class=\"rail\" d=\"M%d %dH%d\"/><path class=\"life\" d=\"M%d %dH%d\"/>\n",
		SVG_MARGIN + diagram->names, y, diagram->width - SVG_MARGIN, svg_x(diagram, first), y,
		svg_x(diagram, last));
}

/* A node's name, at the beginning of its lane and once more now and then. */
static void
svg_draw_names(SvgDiagram *diagram, uint32 lane)
{
	const GraphOrigin *origin = &diagram->graph->origins[diagram->origins[lane]];
	int y = svg_y(diagram, lane);

	for (uint32 column = 0; column < diagram->ncolumns; column += diagram->repeat)
	{
		int x = svg_x(diagram, column) - diagram->step / 2 - diagram->names;

		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(diagram->out, "<g><title>");
		markup_append(diagram->out, MARKUP_XML, origin->name, MARKUP_WHOLE);
		appendStringInfoString(diagram->out, "</title>");
		if (column > 0)
			appendStringInfo(diagram->out,
							 "<rect class=\"tag\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"18\" "
							 "rx=\"9\"/>",
							 x + 2, y - 9, diagram->names - 4);
		appendStringInfo(diagram->out, "<text x=\"%d\" y=\"%d\" class=\"%s\">%s",
						 column > 0 ? x + 12 : x, y + 4, column > 0 ? "soft" : "name",
						 diagram->skip > 0 ? "&#8230;" : "");
		markup_append(diagram->out, MARKUP_XML, origin->name + diagram->skip, SVG_NAME_MOST);
		appendStringInfoString(diagram->out, "</text></g>\n");
	}
}

/* Numbers of events, of as many as leave the picture clear. */
static void
svg_draw_numbers(SvgDiagram *diagram)
{
	const EventGraph *graph = diagram->graph;

	for (uint32 event = 0; event < graph->nevents; event++)
	{
		int64 seq = graph->events[event].seq;

		CHECK_FOR_INTERRUPTS();
		/* that of the chosen event is in the header */
		if (event != diagram->chosen &&
			(graph->nevents <= SVG_NUMBER_ALL || seq % SVG_NUMBER_EVERY == 0))
			appendStringInfo(diagram->out,
							 "<text class=\"nr\" x=\"%d\" y=\"%d\">" INT64_FORMAT "</text>\n",
							 svg_event_x(diagram, event) + diagram->radius - 1,
							 svg_event_y(diagram, event) + diagram->radius + 8, seq);
	}
}

/* The arrows, those of one effect in a group that its dot can refer to. */
static void
svg_draw_arrows(SvgDiagram *diagram)
{
	StringInfo out = diagram->out;

	appendStringInfoString(out, "<g class=\"arrows\">\n");
	for (uint32 i = 0; i < diagram->narrows; i++)
	{
		const SvgArrow *arrow = &diagram->arrows[i];
		int from = svg_event_x(diagram, arrow->cause);
		int to = svg_event_x(diagram, arrow->effect);
		int bend = Min((to - from) / 2, diagram->step);

		CHECK_FOR_INTERRUPTS();
		if (i == 0 || arrow->effect != arrow[-1].effect)
			appendStringInfo(out, "<g id=\"to%u\">", arrow->effect);
		/* it leaves along the lane, and so keeps off the dots in between */
		appendStringInfo(out, "<path class=\"%s\" d=\"M%d %dQ%d %d %d %d\"/>",
						 svg_arrow_class(diagram, arrow), from, svg_event_y(diagram, arrow->cause),
						 from + bend, svg_event_y(diagram, arrow->cause), to,
						 svg_event_y(diagram, arrow->effect));
		if (i + 1 == diagram->narrows || arrow->effect != arrow[1].effect)
			appendStringInfoString(out, "</g>\n");
	}
	appendStringInfoString(out, "</g>\n");
}

/* What is said of an event when one points at it. */
void
spacetime_append_title(StringInfo out, MarkupFormat format, const EventGraph *graph, uint32 event)
{
	const GraphEvent *it = &graph->events[event];
	StringInfoData clock;

	markup_append(out, format, event_graph_origin(graph, event)->name, MARKUP_WHOLE);
	appendStringInfo(out, " " INT64_FORMAT, it->seq);
	if (it->text != NULL)
	{
		markup_append(out, format, "\n", MARKUP_WHOLE);
		markup_append(out, format, it->text, SVG_TITLE_MOST);
	}
	if (it->at != NULL)
	{
		markup_append(out, format, "\n", MARKUP_WHOLE);
		markup_append(out, format, it->at, MARKUP_WHOLE);
	}
	initStringInfo(&clock);
	node_table_to_json(&clock, &it->clock);
	markup_append(out, format, "\n", MARKUP_WHOLE);
	markup_append(out, format, clock.data, SVG_TITLE_MOST);
	pfree(clock.data);
}

static void
svg_draw_dots(SvgDiagram *diagram)
{
	StringInfo out = diagram->out;
	const EventGraph *graph = diagram->graph;
	uint32 arrow = 0;

	appendStringInfoString(out, "<g class=\"dots\">\n");
	for (uint32 event = 0; event < graph->nevents; event++)
	{
		int x = svg_event_x(diagram, event);
		int y = svg_event_y(diagram, event);

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(out, "<g class=\"%s\"><title>", svg_event_class(diagram, event));
		spacetime_append_title(out, MARKUP_XML, graph, event);
		appendStringInfoString(out, "</title>");
		if (arrow < diagram->narrows && diagram->arrows[arrow].effect == event)
		{
			appendStringInfo(out, "<use xlink:href=\"#to%u\"/>", event);
			while (arrow < diagram->narrows && diagram->arrows[arrow].effect == event)
				arrow++;
		}
		if (event == diagram->chosen)
			appendStringInfo(out, "<circle class=\"ring\" cx=\"%d\" cy=\"%d\" r=\"%d\"/>", x, y,
							 diagram->radius + 5);
		appendStringInfo(out, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\"/>", x, y, diagram->radius);
		appendStringInfoString(out, "</g>\n");
	}
	appendStringInfoString(out, "</g>\n");
}

/* Append the diagram of a log to "out", with the past and future of an event if one is chosen. */
void
spacetime_svg_draw(StringInfo out, const EventGraph *graph, const char *name, uint32 chosen)
{
	SvgDiagram diagram = {.out = out, .graph = graph, .chosen = chosen};
	int height;

	svg_place_events(&diagram);
	svg_order_lanes(&diagram);
	svg_measure(&diagram);
	diagram.width = Max(SVG_MIN_WIDTH, svg_x(&diagram, diagram.ncolumns) + SVG_MARGIN);
	height = SVG_HEADER + (int) graph->norigins * diagram.pitch + SVG_FOOTER;

	svg_append_open(out, diagram.width, height, psprintf("Space-time diagram of %s", name),
					psprintf("%u events of %u nodes, a lane per node; arrows lead from direct "
							 "causes to their effects.",
							 graph->nevents, graph->norigins));
	svg_draw_styles(&diagram);
	appendStringInfoString(out, "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
	svg_draw_header(&diagram, name);
	svg_draw_grid(&diagram);
	for (uint32 lane = 0; lane < graph->norigins; lane++)
		svg_draw_lane(&diagram, lane);
	svg_draw_numbers(&diagram);
	svg_draw_arrows(&diagram);
	for (uint32 lane = 0; lane < graph->norigins; lane++)
		svg_draw_names(&diagram, lane);
	svg_draw_dots(&diagram);
	appendStringInfoString(out, "</svg>\n");
}
