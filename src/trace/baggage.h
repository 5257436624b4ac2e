/*
 * baggage.h
 *		The header field "baggage": what an application sends along.
 */
#ifndef DISTRIBUTED_BAGGAGE_H
#define DISTRIBUTED_BAGGAGE_H

#include "postgres.h"

#include "core/input.h"
#include "core/json_tree.h"
#include "lib/stringinfo.h"

/* Bytes of all of it, written as a header field. */
#define BAGGAGE_MOST 65536

/* Packed items, sorted by key; see baggage.c. */
typedef struct Baggage
{
	const char *bytes;
	Size size;
} Baggage;

/* The value is in the server's encoding, the others are ASCII; none ends in NUL. */
typedef struct BaggageItem
{
	const char *key;
	const char *value;
	const char *properties; /* as in the header field, without the first semicolon */
	uint16 key_length;
	uint16 value_length;
	uint16 properties_length;
} BaggageItem;

/* Items on their way, in any order. */
typedef struct BaggageBuilder
{
	BaggageItem *items;
	uint32 count;
	uint32 max;
	Size size; /* as a header field */
} BaggageBuilder;

extern void baggage_builder_init(BaggageBuilder *builder);
extern bool baggage_add(BaggageBuilder *builder, const char *key, Size key_length,
						const char *value, Size value_length, const char *properties,
						Size properties_length, const InputSource *source);
extern bool baggage_build(BaggageBuilder *builder, const InputSource *source, Baggage *baggage);

extern bool baggage_read_header(const char *text, Size length, const InputSource *source,
								Baggage *baggage);
extern bool baggage_read_json(const JsonTree *json, const InputSource *source, Baggage *baggage);
extern bool baggage_read_properties(const char *text, Size length, const InputSource *source,
									StringInfo canonical);

extern bool baggage_next(const Baggage *baggage, Size *at, BaggageItem *item);
extern uint32 baggage_count(const Baggage *baggage);
extern void baggage_write_header(StringInfo buf, const Baggage *baggage);
extern void baggage_write_json(StringInfo buf, const Baggage *baggage, bool properties);

#endif /* DISTRIBUTED_BAGGAGE_H */
