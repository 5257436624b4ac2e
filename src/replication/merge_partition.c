/*
 * merge_partition.c
 *		Which partition of a merged table a row belongs to.
 *
 * Removals are in one companion of the whole table, and their rows were in one of its
 * partitions, which the key tells: it has the partition key.
 */
#include "core/compat.h"

#include "access/table.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "replication/merge_partition.h"

/* The executor's own routing, as the apply worker uses it. */
static Oid
partition_find(Relation root, TupleTableSlot *row)
{
	EState *estate = CreateExecutorState();
	MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
	ModifyTableState *state = makeNode(ModifyTableState);
	ResultRelInfo *result = makeNode(ResultRelInfo);
	RangeTblEntry *entry = makeNode(RangeTblEntry);
	PartitionTupleRouting *routing;
	ResultRelInfo *leaf;
	Oid found;

	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(root);
	entry->relkind = root->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
	compat_init_range_table(estate, entry, NULL);
	InitResultRelInfo(result, root, 1, NULL, 0);
	compat_set_result_relation(estate, result);
	state->ps.plan = NULL;
	state->ps.state = estate;
	state->operation = CMD_INSERT;
	state->resultRelInfo = result;
	routing = compat_setup_routing(estate, state, root);
	MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	leaf = ExecFindPartition(state, result, routing, row, estate);
	found = RelationGetRelid(leaf->ri_RelationDesc);
	MemoryContextSwitchTo(caller);
	ExecCleanupTupleRouting(state, routing);
	ExecResetTupleTable(estate->es_tupleTable, false);
	FreeExecutorState(estate);
	return found;
}

/* The table itself, or the partition of a row, open. */
Relation
merge_partition_open(Relation root, const MergeRule *rule, const RowValues *row)
{
	TupleTableSlot *slot;
	Oid leaf;

	if (root->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return root;
	slot = MakeSingleTupleTableSlot(RelationGetDescr(root), &TTSOpsVirtual);
	row_values_to_slot(slot, row);
	leaf = partition_find(root, slot);
	ExecDropSingleTupleTableSlot(slot);
	return table_open(leaf, RowExclusiveLock);
}
