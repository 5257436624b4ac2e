/*
 * tracestate.h
 *		The header field "tracestate".
 */
#ifndef DISTRIBUTED_TRACESTATE_H
#define DISTRIBUTED_TRACESTATE_H

#include "postgres.h"

#include "core/input.h"
#include "lib/stringinfo.h"

/* Members of a list, and characters of a key or of a value. */
#define TRACESTATE_MEMBERS_MOST 32
#define TRACESTATE_PART_MOST    256

extern bool tracestate_read(const char *text, Size length, const InputSource *source,
							StringInfo canonical);

#endif /* DISTRIBUTED_TRACESTATE_H */
