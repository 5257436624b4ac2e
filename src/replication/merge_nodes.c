/*
 * merge_nodes.c
 *		(to be written)
 */
#include "core/compat.h"

#include "fmgr.h"
#include "replication/merge_nodes.h"

bool
merge_node_is_retired(Oid extension, const char *node)
{
	return false;
}

PG_FUNCTION_INFO_V1(stable_removals);
Datum
stable_removals(PG_FUNCTION_ARGS)
{
	PG_RETURN_NULL();
}
