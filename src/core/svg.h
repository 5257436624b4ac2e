/*
 * svg.h
 *		Pictures: what all of them have alike.
 */
#ifndef DISTRIBUTED_SVG_H
#define DISTRIBUTED_SVG_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* All lengths are in pixels. */
#define SVG_MARGIN    20
#define SVG_CHARACTER 7  /* width of a letter; a wide one takes two */
#define SVG_KEY       18 /* from a mark in a legend to its meaning */
#define SVG_COLOURS   12 /* classes c0 to c11; the first ones are told apart most easily */

extern const char *const svg_colours[SVG_COLOURS];

extern void svg_append_open(StringInfo out, int width, int height, const char *title,
							const char *description);
extern void svg_append_style(StringInfo out, const char *light, const char *dark);
extern void svg_append_text(StringInfo out, int x, int y, const char *class, const char *text,
							uint32 most);
extern int svg_append_key(StringInfo out, int x, int y, const char *class, const char *label,
						  uint32 most);

#endif /* DISTRIBUTED_SVG_H */
