/*
 * entry_union.h
 *		Several entry tables as one: the nodes of all, and the entries of all in
 *		one sequence.
 */
#ifndef DISTRIBUTED_ENTRY_UNION_H
#define DISTRIBUTED_ENTRY_UNION_H

#include "postgres.h"

#include "core/entry_table.h"

typedef struct EntryUnion
{
	EntryDraft draft; /* nodes, not counted; entries, in order where they stand */

	/* The number in the union of node i of table t: numbers[starts[t] + i]. */
	uint32 *numbers;
	Size *starts;
} EntryUnion;

extern void entry_union_open(EntryUnion *all, const struct varlena *const *values, uint32 count,
							 EntryOrder order);
extern void entry_union_close(EntryUnion *all);
extern void entry_draft_sort(EntryDraft *draft, EntryOrder order);
extern void entry_draft_drop_unused_nodes(EntryDraft *draft);

static inline uint32
entry_union_node(const EntryUnion *all, uint32 table, uint32 node)
{
	return all->numbers[all->starts[table] + node];
}

#endif /* DISTRIBUTED_ENTRY_UNION_H */
