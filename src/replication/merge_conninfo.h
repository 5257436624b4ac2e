/*
 * merge_conninfo.h
 *		Whom a connection string connects as, and to which database.
 */
#ifndef DISTRIBUTED_MERGE_CONNINFO_H
#define DISTRIBUTED_MERGE_CONNINFO_H

#include "postgres.h"

/* NULL where the string does not say. */
typedef struct MergeConninfo
{
	char *user;
	char *dbname;
} MergeConninfo;

extern void merge_conninfo_read(MergeConninfo *info, const char *conninfo);

#endif /* DISTRIBUTED_MERGE_CONNINFO_H */
