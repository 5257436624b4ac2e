/*
 * header_field.h
 *		What the values of HTTP header fields have in common.
 */
#ifndef DISTRIBUTED_HEADER_FIELD_H
#define DISTRIBUTED_HEADER_FIELD_H

#include "postgres.h"

/* OWS of RFC 9110, section 5.6.3: a space or a tab. */
static inline bool
header_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Leave out the blanks around a value or a part of it. */
static inline void
header_trim(const char **text, Size *length)
{
	while (*length > 0 && header_is_blank(**text))
	{
		(*text)++;
		(*length)--;
	}
	while (*length > 0 && header_is_blank((*text)[*length - 1]))
		(*length)--;
}

#endif /* DISTRIBUTED_HEADER_FIELD_H */
