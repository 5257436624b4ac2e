/*
 * span_id.h
 *		Ids of spans, as they are stored and passed.
 */
#ifndef DISTRIBUTED_SPAN_ID_H
#define DISTRIBUTED_SPAN_ID_H

#include "postgres.h"

#include "port/pg_bswap.h"

#define SPAN_ID_BYTES 8

/* The number that has an id's bytes from the most significant one on, and back. */
static inline uint64
span_id_load(const uint8 *bytes)
{
	uint64 id;

	memcpy(&id, bytes, sizeof(id));
	return pg_ntoh64(id);
}

static inline void
span_id_store(uint8 *bytes, uint64 id)
{
	id = pg_hton64(id);
	memcpy(bytes, &id, sizeof(id));
}

#endif /* DISTRIBUTED_SPAN_ID_H */
