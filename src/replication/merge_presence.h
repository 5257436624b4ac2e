/*
 * merge_presence.h
 *		Presence of rows of version 1.0.
 */
#ifndef DISTRIBUTED_MERGE_PRESENCE_H
#define DISTRIBUTED_MERGE_PRESENCE_H

#include "postgres.h"

#include "core/entry_table.h"
#include "core/write_stamp.h"

extern void merge_presence_read(RowStamp *stamp, const EntryTable *flag);
extern struct varlena *merge_presence_stamp(const struct varlena *flag);

#endif /* DISTRIBUTED_MERGE_PRESENCE_H */
