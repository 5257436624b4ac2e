/*
 * stamped_map.h
 *		The kernel of last-writer-wins registers and maps: values with stamps,
 *		joined by the greatest.
 */
#ifndef DISTRIBUTED_STAMPED_MAP_H
#define DISTRIBUTED_STAMPED_MAP_H

#include "postgres.h"

#include "core/entry_kernel.h"
#include "core/entry_map.h"
#include "core/hybrid_time.h"
#include "core/json_face.h"
#include "fmgr.h"

extern const EntryKernel stamped_map_kernel;

extern const EntryRule stamped_map_rule;

extern struct varlena *stamped_map_of(Entry entry, HybridTime at, NodeName node);
extern const struct varlena *stamped_map_write(const struct varlena *map, Entry entry,
											   HybridTime at, NodeName node);

/* Nanoseconds as an entry's time: unsigned, order kept. */
static inline void
stamped_entry_set_time(Entry *entry, HybridTime at)
{
	entry->time = (uint64) at.nanoseconds ^ UINT64CONST(0x8000000000000000);
	entry->logical = at.logical;
}

static inline HybridTime
stamped_entry_time(const Entry *entry)
{
	HybridTime at;

	at.nanoseconds = (int64) (entry->time ^ UINT64CONST(0x8000000000000000));
	at.logical = entry->logical;
	return at;
}

#endif /* DISTRIBUTED_STAMPED_MAP_H */
