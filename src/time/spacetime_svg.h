/*
 * spacetime_svg.h
 *		The space-time diagram of a log.
 */
#ifndef DISTRIBUTED_SPACETIME_SVG_H
#define DISTRIBUTED_SPACETIME_SVG_H

#include "postgres.h"

#include "core/markup.h"
#include "lib/stringinfo.h"
#include "time/event_graph.h"

/* Instead of an event, where none is chosen. */
#define SPACETIME_NO_EVENT PG_UINT32_MAX

extern void spacetime_svg_draw(StringInfo out, const EventGraph *graph, const char *name,
							   uint32 chosen);
extern void spacetime_append_title(StringInfo out, MarkupFormat format, const EventGraph *graph,
								   uint32 event);

#endif /* DISTRIBUTED_SPACETIME_SVG_H */
