/*
 * markup.h
 *		Texts of users in documents that other tools read.
 */
#ifndef DISTRIBUTED_MARKUP_H
#define DISTRIBUTED_MARKUP_H

#include "postgres.h"

#include "lib/stringinfo.h"

typedef enum MarkupFormat
{
	MARKUP_XML,    /* XML 1.0, as content or as an attribute's value in double quotes */
	MARKUP_DOT,    /* Graphviz: a label in double quotes */
	MARKUP_MERMAID /* Mermaid: a label in double quotes */
} MarkupFormat;

/* A text of any width: for markup_append. */
#define MARKUP_WHOLE PG_UINT32_MAX

extern void markup_append(StringInfo out, MarkupFormat format, const char *text, uint32 most);
extern uint32 markup_width(const char *text, uint32 most);

#endif /* DISTRIBUTED_MARKUP_H */
