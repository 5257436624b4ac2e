/*
 * trace_timeline.c
 *		The timeline of a trace, as SVG.
 *
 * A row per span, in depth-first order: on the left its service and operation,
 * indented by depth; on the right a bar from its start to its end, on an axis of
 * nanoseconds since the trace started; behind the bar how long it took, for
 * which there is always room, for beyond the axis is a margin.  The layout is
 * that of Jaeger's timeline.  No text stands on a bar.
 *
 * The critical path is a line in the bars of its spans, and where it passes from
 * one span to another, a thin one from row to row: all of it can be followed
 * with the eye from the end to the start.
 *
 * Names are as wide as the viewer's font makes them, which is not known here:
 * they are cut to about what fits, and what is still too wide is clipped.
 *
 * Times may be any, and differ by more than fits into an int64: differences are
 * taken as uint64.
 */
#include "core/compat.h"

#include "core/markup.h"
#include "core/svg.h"
#include "miscadmin.h"
#include "trace/hex_id.h"
#include "trace/span_id.h"
#include "trace/time_text.h"
#include "trace/trace_id.h"
#include "trace/trace_services.h"
#include "trace/trace_timeline.h"

/* All lengths are in pixels. */
#define TIMELINE_WIDTH       1000
#define TIMELINE_NAMES_LEAST 190 /* width of the column of names */
#define TIMELINE_NAMES_MOST  400
#define TIMELINE_BEYOND      92  /* behind the axis, for durations */
#define TIMELINE_INDENT      14  /* from a span to its children, if there is room */
#define TIMELINE_TREE_LEAST  6   /* indent at which lines from parents to children are clear */
#define TIMELINE_MARK        10  /* from the beginning of a row to its text */
#define TIMELINE_LINE        20  /* of the header */
#define TIMELINE_AXIS        26  /* above the rows and below */
#define TIMELINE_BAR_LEAST   2   /* of a span that took no time at all */
#define TIMELINE_OPEN_LEAST  12  /* of one that has not ended */
#define TIMELINE_TICKS       10  /* on the axis, at most, beside that at 0 */
#define TIMELINE_BOTTOM_AXIS 700 /* height from which the axis is repeated below */
#define TIMELINE_KEYS_MOST   24  /* services in the legend */
#define TIMELINE_KEY_LETTERS 40  /* of a service's name in the legend */
#define TIMELINE_TITLE_MOST  600 /* letters of attributes and messages in titles */
#define TIMELINE_HEAD_MOST   110 /* letters of the first line */

/* What depends on how many rows there are. */
typedef struct RowSize
{
	uint32 rows; /* up to this many */
	int pitch;   /* from row to row */
	int bar;     /* height of a bar */
	int font;
} RowSize;

static const RowSize row_sizes[] = {
	{40, 24, 14, 12},
	{120, 18, 11, 11},
	{300, 14, 9, 10},
	{PG_UINT32_MAX, 12, 8, 9},
};

typedef struct Timeline
{
	StringInfo out;
	const TraceRows *rows;
	const SpanForest *forest;
	TraceServices services;
	RowSize size;
	uint32 errors;
	uint32 open;
	uint32 orphans;
	uint32 cycles;
	uint32 events;  /* in rows */
	uint32 deepest; /* depth of a row */
	int names;      /* width of the column of names */
	int axis;       /* x of the trace's start */
	int length;     /* of the axis */
	int top;        /* of the first row */
} Timeline;

static const char timeline_light[] =
	".name{clip-path:url(#names)}.name tspan{unicode-bidi:isolate}"
	".service{font-weight:600}.operation{fill:#475467}.amiss{fill:#b54708;font-style:italic}"
	".hit{fill:#98a2b3;fill-opacity:0}.rows g:hover .hit{fill-opacity:.14}"
	".bar,.mark{fill:currentColor}.failed .bar{stroke:#d92d20;stroke-width:1.6}"
	".open{fill:currentColor;fill-opacity:.3;stroke:currentColor;stroke-dasharray:4 2}"
	".failed .open{stroke:#d92d20}"
	".critical{stroke:#101828;stroke-width:2.4;fill:none}"
	".passes{stroke:#101828;stroke-opacity:.4;fill:none}"
	".event{stroke:#101828;stroke-width:1.2;fill:none}.tree{stroke:#cfd4dc;fill:none}"
	/* a rim, only where it does not cover the text itself */
	"@supports(paint-order:stroke){.took{stroke:#fff;stroke-width:3;stroke-linejoin:round;"
	"paint-order:stroke}}"
	".failed .took,.bad{fill:#b42318}.sign{fill:#d92d20}.sign path{stroke:#fff;stroke-width:1.6}";

static const char timeline_dark[] =
	".operation{fill:#c3c9d4}.amiss{fill:#fdb022}.critical,.event{stroke:#fff}"
	".passes{stroke:#fff;stroke-opacity:.45}.tree{stroke:#3d4552}"
	"@supports(paint-order:stroke){.took{stroke:#14171c}}"
	".failed .took,.bad{fill:#f97066}.failed .bar,.failed .open{stroke:#f97066}";

/*
 * Layout
 */

static const ForestSpan *
timeline_span(const Timeline *timeline, uint32 row)
{
	return &timeline->forest->spans[timeline->rows->rows[row].span];
}

static uint64
timeline_duration(const Timeline *timeline)
{
	return (uint64) timeline->forest->end - (uint64) timeline->forest->start;
}

static double
timeline_x(const Timeline *timeline, int64 time)
{
	uint64 duration = timeline_duration(timeline);
	double since = (double) ((uint64) time - (uint64) timeline->forest->start);

	/* what an event says of its time may be anything */
	if (time <= timeline->forest->start || duration == 0)
		return timeline->axis;
	if (time >= timeline->forest->end)
		return timeline->axis + timeline->length;
	return timeline->axis + since / (double) duration * timeline->length;
}

static int
timeline_y(const Timeline *timeline, uint32 row)
{
	return timeline->top + (int) row * timeline->size.pitch;
}

static int
timeline_middle(const Timeline *timeline, uint32 row)
{
	return timeline_y(timeline, row) + timeline->size.pitch / 2;
}

/* Where a row's text would begin if all had room enough; deep ones move together. */
static int
timeline_indent(const Timeline *timeline, uint32 depth)
{
	int64 most = timeline->names * 2 / 5;

	if ((int64) timeline->deepest * TIMELINE_INDENT <= most)
		return (int) depth * TIMELINE_INDENT;
	return (int) (depth * most / timeline->deepest);
}

static int
timeline_letters(const Timeline *timeline, int pixels)
{
	return Max(0, pixels * 12 / (SVG_CHARACTER * timeline->size.font));
}

static uint32
timeline_row_depth(const Timeline *timeline, uint32 row)
{
	return timeline_span(timeline, row)->depth;
}

static void
timeline_count(Timeline *timeline)
{
	const SpanForest *forest = timeline->forest;

	for (uint32 i = 0; i < forest->nspans; i++)
	{
		timeline->errors += forest->spans[i].is_error;
		timeline->open += !forest->spans[i].ended;
		timeline->orphans += forest->spans[i].finding == PARENT_MISSING;
		timeline->cycles += forest->spans[i].finding == PARENT_CYCLE;
	}
	for (uint32 row = 0; row < timeline->rows->nrows; row++)
	{
		timeline->events += timeline->rows->rows[row].nevents;
		timeline->deepest = Max(timeline->deepest, timeline_row_depth(timeline, row));
	}
}

/* Lengths that depend on how much there is. */
static void
timeline_measure(Timeline *timeline)
{
	int which = 0;
	int widest = 0;

	while (timeline->rows->nrows > row_sizes[which].rows)
		which++;
	timeline->size = row_sizes[which];
	for (uint32 row = 0; row < timeline->rows->nrows; row++)
	{
		const ForestSpan *span = timeline_span(timeline, row);
		uint32 letters = 1 + markup_width(span->service, TIMELINE_NAMES_MOST) +
			markup_width(span->name, TIMELINE_NAMES_MOST);
		int width = (int) letters * SVG_CHARACTER * timeline->size.font / 12 +
			(int) Min(span->depth, TIMELINE_NAMES_MOST) * TIMELINE_INDENT + 3 * TIMELINE_MARK;

		widest = Max(widest, width);
	}
	timeline->names = Min(Max(widest, TIMELINE_NAMES_LEAST), TIMELINE_NAMES_MOST);
	timeline->axis = SVG_MARGIN + timeline->names + 12;
	timeline->length = TIMELINE_WIDTH - TIMELINE_BEYOND - timeline->axis;
}

static const char *
timeline_colour(const Timeline *timeline, uint32 span)
{
	return svg_colours[timeline->services.service_of[span] % SVG_COLOURS];
}

/*
 * Header
 */

static void
timeline_append_count(StringInfo out, uint32 count, const char *one, const char *many)
{
	appendStringInfo(out, "%u %s", count, count == 1 ? one : many);
}

/* Something that is not as it should be, if there is any. */
static void
timeline_append_amiss(StringInfo out, const char *class, uint32 count, const char *one,
					  const char *many)
{
	if (count == 0)
		return;
	appendStringInfo(out, " &#183; <tspan class=\"%s\">", class);
	timeline_append_count(out, count, one, many);
	appendStringInfoString(out, "</tspan>");
}

static void
timeline_draw_header(Timeline *timeline)
{
	const SpanForest *forest = timeline->forest;
	StringInfo out = timeline->out;

	svg_append_text(out, SVG_MARGIN, 27, "head",
					psprintf("%s: %s", forest->spans[0].service, forest->spans[0].name),
					TIMELINE_HEAD_MOST);
	appendStringInfo(out, "<text x=\"%d\" y=\"%d\" class=\"soft\">trace %s &#183; ", SVG_MARGIN, 48,
					 hex_id_write((const uint8 *) DatumGetPointer(forest->trace_id),
								  TRACE_ID_BYTES));
	time_text_append_moment(out, forest->start);
	appendStringInfoString(out, " &#183; ");
	time_text_append_duration(out, timeline_duration(timeline));
	appendStringInfoString(out, " &#183; ");
	timeline_append_count(out, forest->nspans, "span", "spans");
	appendStringInfoString(out, " &#183; ");
	timeline_append_count(out, timeline->services.count, "service", "services");
	timeline_append_amiss(out, "bad", timeline->errors, "error", "errors");
	appendStringInfoString(out, "</text>\n");
}

/* A new line of the legend, if there is no room for so many pixels more. */
static void
timeline_wrap(int *x, int *y, int width)
{
	if (*x == SVG_MARGIN || *x + width <= TIMELINE_WIDTH - SVG_MARGIN)
		return;
	*x = SVG_MARGIN;
	*y += TIMELINE_LINE;
}

/* A mark, which is 12 pixels wide and as high, and what it means. */
static void
timeline_draw_key(Timeline *timeline, int *x, int *y, const char *mark, const char *label)
{
	int width = 2 * SVG_KEY + SVG_CHARACTER * (int) strlen(label);

	timeline_wrap(x, y, width);
	appendStringInfo(timeline->out, "<g transform=\"translate(%d %d)\">%s</g>\n", *x, *y - 4, mark);
	svg_append_text(timeline->out, *x + SVG_KEY, *y, "key", label, MARKUP_WHOLE);
	*x += width;
}

/* A word that marks names, explained. */
static void
timeline_draw_word(Timeline *timeline, int *x, int *y, const char *label)
{
	int width = SVG_KEY + SVG_CHARACTER * (int) strlen(label);

	timeline_wrap(x, y, width);
	svg_append_text(timeline->out, *x, *y, "amiss", label, MARKUP_WHOLE);
	*x += width;
}

/* The services and their colours, and what is in the picture besides bars; returns its bottom. */
static int
timeline_draw_legend(Timeline *timeline)
{
	const TraceServices *services = &timeline->services;
	int x = SVG_MARGIN;
	int y = 48 + TIMELINE_LINE;

	appendStringInfoString(timeline->out, "<g class=\"legend\">\n");
	for (uint32 i = 0; i < Min(services->count, TIMELINE_KEYS_MOST); i++)
	{
		const char *name = services->services[i].name;
		int width = (int) Min(markup_width(name, TIMELINE_KEY_LETTERS), TIMELINE_KEY_LETTERS);

		timeline_wrap(&x, &y, 2 * SVG_KEY + SVG_CHARACTER * width);
		x = svg_append_key(timeline->out, x, y, svg_colours[i % SVG_COLOURS], name,
						   TIMELINE_KEY_LETTERS);
	}
	if (services->count > TIMELINE_KEYS_MOST)
		svg_append_text(timeline->out, x, y, "soft",
						psprintf("and %u more", services->count - TIMELINE_KEYS_MOST),
						MARKUP_WHOLE);
	x = SVG_MARGIN;
	y += TIMELINE_LINE;
	if (timeline->rows->nsections > 0)
		timeline_draw_key(timeline, &x, &y, "<path class=\"critical\" d=\"M0 0H13\"/>",
						  "critical path");
	if (timeline->errors > 0)
		timeline_draw_key(timeline, &x, &y, "<use xlink:href=\"#sign\" x=\"6\"/>", "error");
	if (timeline->events > 0)
		timeline_draw_key(timeline, &x, &y, "<path class=\"event\" d=\"M6 -6V6\"/>", "event");
	if (timeline->open > 0)
		timeline_draw_key(timeline, &x, &y, "<path class=\"c8 open\" d=\"M0 -5H9L13 0L9 5H0Z\"/>",
						  "not ended");
	if (timeline->orphans > 0)
		timeline_draw_word(timeline, &x, &y, "orphan: its parent is missing");
	if (timeline->cycles > 0)
		timeline_draw_word(timeline, &x, &y, "cycle: its parents lead back to it");
	appendStringInfoString(timeline->out, "</g>\n");
	return y;
}

/*
 * Rows
 */

static void
timeline_draw_axis(Timeline *timeline)
{
	StringInfo out = timeline->out;
	uint64 duration = timeline_duration(timeline);
	uint64 step = time_text_tick_step(duration, TIMELINE_TICKS);
	int bottom = timeline_y(timeline, timeline->rows->nrows);
	bool twice = bottom > TIMELINE_BOTTOM_AXIS;

	for (uint64 tick = 0; tick <= duration; tick += step)
	{
		int64 time = (int64) ((uint64) timeline->forest->start + tick);
		double x = timeline_x(timeline, time);

		appendStringInfo(out, "<path class=\"grid\" d=\"M%.1f %dV%d\"/>", x, timeline->top, bottom);
		for (int i = 0; i <= (twice ? 1 : 0); i++)
		{
			appendStringInfo(out, "<text class=\"tick\" x=\"%.1f\" y=\"%d\">", x,
							 i == 0 ? timeline->top - 8 : bottom + 16);
			time_text_append_tick(out, tick, duration);
			appendStringInfoString(out, "</text>");
		}
		appendStringInfoChar(out, '\n');
		if (PG_UINT64_MAX - tick < step)
			break;
	}
}

static void
timeline_draw_bands(Timeline *timeline)
{
	for (uint32 row = 0; row < timeline->rows->nrows; row += 2)
		appendStringInfo(timeline->out,
						 "<rect class=\"band\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
						 timeline_y(timeline, row), TIMELINE_WIDTH, timeline->size.pitch);
}

/* Lines from parents to their children, where they are not too close to one another. */
static void
timeline_draw_tree(Timeline *timeline)
{
	uint32 nrows = timeline->rows->nrows;
	uint32 *last; /* of each row, the row of its last child, or 0 */

	if (timeline_indent(timeline, 1) < TIMELINE_TREE_LEAST)
		return;
	last = palloc0(sizeof(uint32) * ((Size) nrows + 1));
	for (uint32 row = 0; row < nrows; row++)
		if (timeline->rows->rows[row].parent != NO_ROW)
			last[timeline->rows->rows[row].parent] = row;
	appendStringInfoString(timeline->out, "<path class=\"tree\" d=\"");
	for (uint32 row = 0; row < nrows; row++)
	{
		int x = SVG_MARGIN + timeline_indent(timeline, timeline_row_depth(timeline, row)) + 2;
		uint32 parent = timeline->rows->rows[row].parent;

		if (parent != NO_ROW)
			appendStringInfo(timeline->out, "M%d %dH%d",
							 SVG_MARGIN +
								 timeline_indent(timeline, timeline_row_depth(timeline, parent)) +
								 2,
							 timeline_middle(timeline, row), x);
		if (last[row] > 0)
			appendStringInfo(timeline->out, "M%d %dV%d", x, timeline_middle(timeline, row),
							 timeline_middle(timeline, last[row]));
	}
	appendStringInfoString(timeline->out, "\"/>\n");
	pfree(last);
}

static int
timeline_compare_sections(const void *a, const void *b)
{
	const CriticalSection *left = a;
	const CriticalSection *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	if (left->end != right->end)
		return left->end < right->end ? -1 : 1;
	return (left->span > right->span) - (left->span < right->span);
}

/* Where the critical path passes from one span to another. */
static void
timeline_draw_passes(Timeline *timeline)
{
	const TraceRows *rows = timeline->rows;
	Size size = sizeof(CriticalSection) * (Size) rows->nsections;
	CriticalSection *sections;

	if (rows->nsections == 0)
		return;
	sections = MemoryContextAllocHuge(CurrentMemoryContext, size);
	memcpy(sections, rows->sections, size);
	qsort(sections, rows->nsections, sizeof(CriticalSection), timeline_compare_sections);
	appendStringInfoString(timeline->out, "<path class=\"passes\" d=\"");
	for (uint32 i = 1; i < rows->nsections; i++)
	{
		uint32 from = rows->row_of[sections[i - 1].span];
		uint32 to = rows->row_of[sections[i].span];

		if (from != NO_ROW && to != NO_ROW && from != to &&
			sections[i - 1].end == sections[i].start)
			appendStringInfo(timeline->out, "M%.1f %dV%d", timeline_x(timeline, sections[i].start),
							 timeline_middle(timeline, from), timeline_middle(timeline, to));
	}
	appendStringInfoString(timeline->out, "\"/>\n");
	pfree(sections);
}

static void
timeline_append_id(StringInfo out, uint64 id)
{
	uint8 bytes[SPAN_ID_BYTES];

	span_id_store(bytes, id);
	appendStringInfoString(out, hex_id_write(bytes, SPAN_ID_BYTES));
}

/* What is said of a span when one points at it. */
static void
timeline_draw_title(Timeline *timeline, const TraceRow *row)
{
	const ForestSpan *span = &timeline->forest->spans[row->span];
	StringInfo out = timeline->out;

	appendStringInfoString(out, "<title>");
	markup_append(out, MARKUP_XML, span->service, MARKUP_WHOLE);
	appendStringInfoString(out, ": ");
	markup_append(out, MARKUP_XML, span->name, MARKUP_WHOLE);
	appendStringInfoString(out, "\nat ");
	time_text_append_duration(out, (uint64) span->start - (uint64) timeline->forest->start);
	if (span->ended)
	{
		appendStringInfoString(out, ", took ");
		time_text_append_duration(out, (uint64) span->end - (uint64) span->start);
	}
	else
		appendStringInfoString(out, ", has not ended");
	appendStringInfo(out, "\n%s%s%s", span->kind < 0 ? "" : span_kind_labels[span->kind],
					 span->kind < 0 ? "" : ", ", span_status_labels[span->status]);
	if (row->status_message != NULL)
	{
		appendStringInfoString(out, ": ");
		markup_append(out, MARKUP_XML, row->status_message, TIMELINE_TITLE_MOST);
	}
	appendStringInfoString(out, "\nspan ");
	timeline_append_id(out, span->span_id);
	if (span->finding == PARENT_MISSING || span->finding == PARENT_CYCLE)
	{
		appendStringInfoString(out, ", parent ");
		timeline_append_id(out, span->parent_id);
		appendStringInfoString(out, span->finding == PARENT_CYCLE ? " is below it" : " is missing");
	}
	if (row->hidden > 0)
		appendStringInfo(out, "\n%u below it left out", row->hidden);
	if (row->attributes != NULL)
	{
		appendStringInfoChar(out, '\n');
		markup_append(out, MARKUP_XML, row->attributes, TIMELINE_TITLE_MOST);
	}
	appendStringInfoString(out, "</title>");
}

/* The word for what is wrong with a span's parent, or NULL. */
static const char *
timeline_amiss(const ForestSpan *span)
{
	if (span->finding == PARENT_MISSING)
		return "orphan";
	return span->finding == PARENT_CYCLE ? "cycle" : NULL;
}

/* Service and operation, cut so that something of both is seen. */
static void
timeline_draw_name(Timeline *timeline, uint32 row)
{
	const ForestSpan *span = timeline_span(timeline, row);
	StringInfo out = timeline->out;
	int x = SVG_MARGIN + timeline_indent(timeline, span->depth);
	int middle = timeline_middle(timeline, row);
	int bar = timeline->size.bar;
	const char *amiss = timeline_amiss(span);
	char *hidden = psprintf(" +%u", timeline->rows->rows[row].hidden);
	int letters;
	int service;

	appendStringInfo(out, "<rect class=\"mark\" x=\"%d\" y=\"%d\" width=\"4\" height=\"%d\"/>", x,
					 middle - bar / 2, bar);
	x += TIMELINE_MARK;
	if (span->is_error)
	{
		/* it is 13 pixels wide, and becomes as high as the bar */
		appendStringInfo(out,
						 "<use xlink:href=\"#sign\" transform=\"translate(%d %d) scale(.%d)\"/>",
						 x + bar / 2 - 1, middle, bar * 7);
		x += bar + 3;
	}
	letters = timeline_letters(timeline, SVG_MARGIN + timeline->names - x);
	appendStringInfo(out, "<text class=\"name\" x=\"%d\" y=\"%d\">", x,
					 middle + timeline->size.font * 3 / 8);
	if (amiss != NULL)
	{
		appendStringInfo(out, "<tspan class=\"amiss\">%s</tspan> ", amiss);
		letters -= (int) strlen(amiss) + 1;
	}
	if (timeline->rows->rows[row].hidden > 0)
		letters -= (int) strlen(hidden);
	letters = Max(letters, 2);
	service = Max(letters / 2, letters - 1 - (int) markup_width(span->name, (uint32) letters));
	appendStringInfoString(out, "<tspan class=\"service\">");
	markup_append(out, MARKUP_XML, span->service, (uint32) Max(service, 1));
	letters -= 1 + (int) Min(markup_width(span->service, (uint32) service), (uint32) service);
	appendStringInfoString(out, "</tspan> <tspan class=\"operation\">");
	markup_append(out, MARKUP_XML, span->name, (uint32) Max(letters, 1));
	appendStringInfoString(out, "</tspan>");
	if (timeline->rows->rows[row].hidden > 0)
		appendStringInfo(out, "<tspan class=\"soft\">%s</tspan>", hidden);
	appendStringInfoString(out, "</text>");
	pfree(hidden);
}

/* Events, as far as they do not fall together. */
static void
timeline_draw_events(Timeline *timeline, uint32 row)
{
	const TraceRow *it = &timeline->rows->rows[row];
	int beyond = Max((timeline->size.pitch - timeline->size.bar) / 3, 1);
	int top = timeline_middle(timeline, row) - timeline->size.bar / 2 - beyond;

	for (uint32 i = 0; i < it->nevents;)
	{
		double x = timeline_x(timeline, it->events[i].time);
		uint32 first = i;

		while (i < it->nevents && timeline_x(timeline, it->events[i].time) < x + 1)
			i++;
		appendStringInfo(timeline->out, "<path class=\"event\" d=\"M%.1f %dv%d\"><title>", x, top,
						 timeline->size.bar + 2 * beyond);
		markup_append(timeline->out, MARKUP_XML, it->events[first].name, TIMELINE_TITLE_MOST);
		if (it->events[first].time >= timeline->forest->start)
		{
			appendStringInfoString(timeline->out, "\nat ");
			time_text_append_duration(timeline->out,
									  (uint64) it->events[first].time -
										  (uint64) timeline->forest->start);
		}
		if (i > first + 1)
			appendStringInfo(timeline->out, "\nand %u more", i - first - 1);
		appendStringInfoString(timeline->out, "</title></path>");
	}
}

/* The bar, and how long it took. */
static void
timeline_draw_bar(Timeline *timeline, uint32 row)
{
	const ForestSpan *span = timeline_span(timeline, row);
	StringInfo out = timeline->out;
	int height = timeline->size.bar;
	int top = timeline_middle(timeline, row) - height / 2;
	double from = timeline_x(timeline, span->start);
	double width = timeline_x(timeline, span->end) - from;

	if (span->ended)
	{
		width = Max(width, TIMELINE_BAR_LEAST);
		appendStringInfo(out,
						 "<rect class=\"bar\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
						 "rx=\"%d\"/>",
						 from, top, width, height, width > 2 * TIMELINE_BAR_LEAST ? 2 : 0);
	}
	else
	{
		width = Max(width, TIMELINE_OPEN_LEAST);
		appendStringInfo(out, "<path class=\"open\" d=\"M%.1f %dh%.1fl4 %.1fl-4 %.1fh-%.1fz\"/>",
						 from, top, width - 4, height / 2.0, height / 2.0, width - 4);
	}
	timeline_draw_events(timeline, row);
	appendStringInfo(out, "<text class=\"took\" x=\"%.1f\" y=\"%d\">", from + width + 6,
					 timeline_middle(timeline, row) + timeline->size.font * 3 / 8);
	if (span->ended)
		time_text_append_duration(out, (uint64) span->end - (uint64) span->start);
	else
		appendStringInfoString(out, "not ended");
	appendStringInfoString(out, "</text>");
}

static void
timeline_draw_rows(Timeline *timeline)
{
	StringInfo out = timeline->out;

	appendStringInfo(out, "<g class=\"rows\" font-size=\"%d\">\n", timeline->size.font);
	for (uint32 row = 0; row < timeline->rows->nrows; row++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfo(out, "<g class=\"%s%s\">",
						 timeline_colour(timeline, timeline->rows->rows[row].span),
						 timeline_span(timeline, row)->is_error ? " failed" : "");
		timeline_draw_title(timeline, &timeline->rows->rows[row]);
		appendStringInfo(out, "<rect class=\"hit\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
						 timeline_y(timeline, row), TIMELINE_WIDTH, timeline->size.pitch);
		timeline_draw_name(timeline, row);
		timeline_draw_bar(timeline, row);
		appendStringInfoString(out, "</g>\n");
	}
	appendStringInfoString(out, "</g>\n");
}

/* The critical path itself, above the bars; pointing at it is pointing at them. */
static void
timeline_draw_critical(Timeline *timeline)
{
	const TraceRows *rows = timeline->rows;

	if (rows->nsections == 0)
		return;
	appendStringInfoString(timeline->out, "<path class=\"critical\" pointer-events=\"none\" d=\"");
	for (uint32 i = 0; i < rows->nsections; i++)
	{
		uint32 row = rows->row_of[rows->sections[i].span];
		double from = timeline_x(timeline, rows->sections[i].start);
		double to = timeline_x(timeline, rows->sections[i].end);

		if (row != NO_ROW)
			appendStringInfo(timeline->out, "M%.1f %dH%.1f", from, timeline_middle(timeline, row),
							 Max(to, from + 1));
	}
	appendStringInfoString(timeline->out, "\"/>\n");
}

/* Append the timeline of a trace that has spans, and rows for some of them. */
void
trace_timeline_draw(StringInfo out, const TraceRows *rows)
{
	StringInfoData body;
	Timeline timeline = {.out = &body, .rows = rows, .forest = rows->forest};
	uint32 hidden = rows->forest->nspans - rows->nrows;
	int bottom;

	initStringInfo(&body);
	trace_services_list(&timeline.services, rows->forest);
	timeline_count(&timeline);
	timeline_measure(&timeline);
	timeline_draw_header(&timeline);
	timeline.top = timeline_draw_legend(&timeline) + TIMELINE_AXIS + 6;
	bottom = timeline_y(&timeline, rows->nrows);
	timeline_draw_bands(&timeline);
	timeline_draw_axis(&timeline);
	timeline_draw_tree(&timeline);
	timeline_draw_passes(&timeline);
	timeline_draw_rows(&timeline);
	timeline_draw_critical(&timeline);
	if (hidden > 0)
		appendStringInfo(&body,
						 "<text class=\"soft\" x=\"%d\" y=\"%d\">&#8230; and %u more %s</text>\n",
						 SVG_MARGIN, bottom + 17, hidden, hidden == 1 ? "span" : "spans");

	svg_append_open(
		out, TIMELINE_WIDTH, bottom + TIMELINE_AXIS,
		psprintf("Timeline of trace %s",
				 hex_id_write((const uint8 *) DatumGetPointer(rows->forest->trace_id),
							  TRACE_ID_BYTES)),
		psprintf("%u of %u spans, a row for each, indented by depth; bars from their starts to "
				 "their ends.",
				 rows->nrows, rows->forest->nspans));
	svg_append_style(out, timeline_light, timeline_dark);
	appendStringInfo(out,
					 "<defs><clipPath id=\"names\"><rect width=\"%d\" height=\"%d\"/></clipPath>"
					 "<g id=\"sign\" class=\"sign\"><circle r=\"6.5\"/>"
					 "<path d=\"M0 -4V1M0 2.6V4.2\"/></g></defs>\n"
					 "<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n",
					 SVG_MARGIN + timeline.names, bottom + TIMELINE_AXIS);
	appendBinaryStringInfo(out, body.data, body.len);
	appendStringInfoString(out, "</svg>\n");
	pfree(body.data);
}
