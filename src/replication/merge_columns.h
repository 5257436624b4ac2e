/*
 * merge_columns.h
 *		Plain columns of a merged table and their stamps.
 */
#ifndef DISTRIBUTED_MERGE_COLUMNS_H
#define DISTRIBUTED_MERGE_COLUMNS_H

#include "postgres.h"

#include "core/hybrid_time.h"
#include "core/node_name.h"
#include "replication/merge_rule.h"

/* Stamps that are being written. */
typedef struct MergeStamps
{
	const MergeRule *rule;
	Datum map;
	NodeName node;
	HybridTime at;
	bool started; /* is "at" known? */
	int settings; /* level of the settings, or 0 */
} MergeStamps;

extern void merge_stamps_open(MergeStamps *stamps, const MergeRule *rule, Datum map, NodeName node);
extern void merge_stamps_at(MergeStamps *stamps, HybridTime at);
extern void merge_stamps_write(MergeStamps *stamps, int column, Datum value, bool isnull);
extern bool merge_stamps_has(const MergeStamps *stamps, int column);
extern Datum merge_stamps_close(MergeStamps *stamps);
extern void merge_columns_follow(const MergeRule *rule, Datum map, const Datum *before,
								 Datum *values, bool *nulls);

#endif /* DISTRIBUTED_MERGE_COLUMNS_H */
