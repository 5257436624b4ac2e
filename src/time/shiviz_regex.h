/*
 * shiviz_regex.h
 *		Regular expressions as ShiViz takes them.
 */
#ifndef DISTRIBUTED_SHIVIZ_REGEX_H
#define DISTRIBUTED_SHIVIZ_REGEX_H

#include "postgres.h"

#include "mb/pg_wchar.h"

/* The groups that such an expression must have. */
typedef enum ShivizGroup
{
	SHIVIZ_HOST,
	SHIVIZ_CLOCK,
	SHIVIZ_EVENT
} ShivizGroup;

#define SHIVIZ_NGROUPS (SHIVIZ_EVENT + 1)

/* A part of the text; -1 to -1 for a group that took no part in a match. */
typedef struct ShivizSpan
{
	long from;
	long to;
} ShivizSpan;

typedef struct ShivizRegex ShivizRegex;

extern ShivizRegex *shiviz_regex_compile(const char *source, int length);
extern bool shiviz_regex_match(ShivizRegex *regex, const pg_wchar *text, Size length, Size start,
							   ShivizSpan *whole, ShivizSpan *groups);

#endif /* DISTRIBUTED_SHIVIZ_REGEX_H */
