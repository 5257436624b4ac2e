/*
 * wire.h
 *		Binary images of values: send and receive.
 *
 * Every image starts with one version byte; integers are big-endian; a string
 * is its length in bytes (int32) and its bytes in the client's encoding.
 */
#ifndef DISTRIBUTED_WIRE_H
#define DISTRIBUTED_WIRE_H

#include "postgres.h"

#include "core/input.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"

extern void wire_begin(StringInfo buf, uint8 version);
extern void wire_put_string(StringInfo buf, const char *bytes, int length);

extern int wire_get_version(StringInfo msg, const InputSource *source, uint8 newest);
extern uint8 wire_get_byte(StringInfo msg, const InputSource *source, const char *part);
extern uint32 wire_get_uint32(StringInfo msg, const InputSource *source, const char *part);
extern uint64 wire_get_uint64(StringInfo msg, const InputSource *source, const char *part);
extern uint64 wire_get_counter(StringInfo msg, const InputSource *source, const char *part);
extern uint32 wire_get_count(StringInfo msg, const InputSource *source, const char *part,
							 Size least);
extern char *wire_get_string(StringInfo msg, const InputSource *source, const char *part,
							 int *length);
extern void wire_end(StringInfo msg, const InputSource *source);

#endif /* DISTRIBUTED_WIRE_H */
