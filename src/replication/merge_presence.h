/*
 * merge_presence.h
 *		Is a row of a merged table there?
 */
#ifndef DISTRIBUTED_MERGE_PRESENCE_H
#define DISTRIBUTED_MERGE_PRESENCE_H

#include "postgres.h"

#include "core/node_name.h"

extern bool merge_presence_removed(Datum presence);
extern bool merge_presence_outlives(Datum presence, Datum removed);
extern bool merge_presence_stable(Datum presence, Oid extension);
extern uint64 merge_presence_counter(Datum presence, NodeName node);
extern Datum merge_presence_write(Datum presence, NodeName node, bool present);

#endif /* DISTRIBUTED_MERGE_PRESENCE_H */
