/*
 * gin_key.h
 *		Texts of any length as entries of GIN indexes.
 */
#ifndef DISTRIBUTED_GIN_KEY_H
#define DISTRIBUTED_GIN_KEY_H

#include "postgres.h"

#include "access/gin.h"

extern Datum gin_key(Datum whole);
extern GinTernaryValue gin_keys_consistent(const GinTernaryValue *check, const Datum *keys,
										   int32 nkeys, bool all);

#endif /* DISTRIBUTED_GIN_KEY_H */
