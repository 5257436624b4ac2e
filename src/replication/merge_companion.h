/*
 * merge_companion.h
 *		Making the companion of a merged table.
 */
#ifndef DISTRIBUTED_MERGE_COMPANION_H
#define DISTRIBUTED_MERGE_COMPANION_H

#include "postgres.h"

#include "replication/merge_shape.h"

extern Oid merge_companion_prepare(const MergeShape *shape);
extern List *merge_companion_lacks(const MergeShape *shape, Relation table);
extern void merge_companion_depend(const MergeShape *shape, Oid companion);
extern bool merge_companion_depends(const MergeShape *shape);
extern void merge_trigger_drop(Oid table, const char *name);
extern void merge_trigger_prepare(const MergeShape *shape, Oid table, const Trigger *there,
								  const char *name, const char *definition);

#endif /* DISTRIBUTED_MERGE_COMPANION_H */
