/*
 * entry_map.h
 *		Maps that are joined entry by entry.
 */
#ifndef DISTRIBUTED_ENTRY_MAP_H
#define DISTRIBUTED_ENTRY_MAP_H

#include "postgres.h"

#include "core/entry_table.h"
#include "core/node_name.h"

/*
 * What differs from map to map.  The entries that are compared belong to one
 * draft, splice or table, so their nodes have numbers in common.
 */
typedef struct EntryRule
{
	/* Is there an entry for each key and node?  Else there is one for each key. */
	bool by_node;

	/* Does entry a include b, of the same key (and node)? */
	bool (*includes)(const Entry *a, const Entry *b);

	/*
	 * The time of the join where neither includes the other, greater than
	 * that of either.  NULL: one always does.
	 */
	uint64 (*join)(const Entry *a, const Entry *b);
} EntryRule;

/* Entries that are being read, in any order. */
typedef struct EntryCollection
{
	EntryDraft draft;  /* its entries' nodes are places in: */
	NodeEntries names; /* one for each entry */
} EntryCollection;

extern struct varlena *entry_map_join(const EntryRule *rule, const struct varlena *const *values,
									  uint32 count);
extern const struct varlena *entry_map_put(const EntryRule *rule, const struct varlena *map,
										   Entry entry, NodeName node);
extern bool entry_map_includes(const EntryRule *rule, const EntryTable *a, const EntryTable *b);
extern struct varlena *entry_map_delta(const EntryRule *rule, const EntryTable *map,
									   const EntryTable *other);

extern struct varlena *entry_map_single(Entry entry, NodeName node);
extern struct varlena *entry_map_build(EntryDraft *draft);

extern void entry_collection_init(EntryCollection *collection, uint32 entries);
extern void entry_collection_add(EntryCollection *collection, Entry entry, NodeName node);
extern struct varlena *entry_collection_build(EntryCollection *collection, const EntryRule *rule);

#endif /* DISTRIBUTED_ENTRY_MAP_H */
