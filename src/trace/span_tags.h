/*
 * span_tags.h
 *		Tags of spans, as Jaeger's storage queries understand them.
 */
#ifndef DISTRIBUTED_SPAN_TAGS_H
#define DISTRIBUTED_SPAN_TAGS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

extern bool span_tag_unwrap(JsonbContainer *container, JsonbValue *value);
extern void span_tags_check(const Jsonb *tags);
extern bool span_tags_index_conditions(StringInfo sql, const char *expression, const Jsonb *tags,
									   const text *service);

#endif /* DISTRIBUTED_SPAN_TAGS_H */
