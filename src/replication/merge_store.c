/*
 * merge_store.c
 *		Rows of tables, found, inserted, updated and deleted by table access.
 *
 * This is how merging writes: to the relation that it is given, by no name and in no
 * other role, as PostgreSQL's apply worker does (execReplication.c), whose functions
 * it calls.  On a user's table, everything fires that would fire for that worker,
 * but for the trigger "~merge_after", since what that sees to is done where the row
 * is written.  On companions, and on tables of the extension, nothing fires: no
 * trigger, and no constraint.
 *
 * Each store has an executor state, and a queue of after triggers, of its own, which
 * end when it is closed; and each write is a command of its own, so that whatever
 * comes next sees it.
 *
 * Inserts are speculative: where somebody else inserts the key at the same time, one
 * of both becomes an update.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "commands/trigger.h"
#include "executor/nodeModifyTable.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "replication/merge_shape.h"
#include "replication/merge_store.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Columns that an update of the whole row sets: not those of the key, which stay. */
static Bitmapset *
store_updated_columns(Relation table)
{
	Bitmapset *key = RelationGetIndexAttrBitmap(table, INDEX_ATTR_BITMAP_IDENTITY_KEY);
	Bitmapset *updated = NULL;
	TupleDesc desc = RelationGetDescr(table);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		int member = column->attnum - FirstLowInvalidHeapAttributeNumber;

		if (!column->attisdropped && !column->attgenerated && !bms_is_member(member, key))
			updated = bms_add_member(updated, member);
	}
	return updated;
}

/* Triggers that are not to fire; the descriptor is the store's own copy. */
static void
store_silence_triggers(MergeStore *store)
{
	TriggerDesc *triggers = store->result->ri_TrigDesc;

	if (store->fires == STORE_FIRES_NOTHING)
		store->result->ri_TrigDesc = NULL;
	for (int i = 0; store->fires == STORE_FIRES_USERS && triggers && i < triggers->numtriggers; i++)
	{
		if (strcmp(triggers->triggers[i].tgname, MERGE_AFTER_TRIGGER) == 0)
			triggers->triggers[i].tgenabled = TRIGGER_DISABLED;
	}
}

/* To find rows of a table only, nothing else is needed. */
void
merge_store_open(MergeStore *store, Relation table, Oid key_index, MergeStoreFires fires)
{
	memset(store, 0, sizeof(*store));
	store->table = table;
	store->key_index = key_index;
	store->fires = fires;
}

/* What writing needs. */
static void
store_prepare(MergeStore *store)
{
	RangeTblEntry *entry;
	Relation table = store->table;
	MemoryContext caller;

	if (store->writes)
		return;
	store->writes = true;
	store->estate = CreateExecutorState();
	caller = MemoryContextSwitchTo(store->estate->es_query_cxt);
	entry = makeNode(RangeTblEntry);
	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(table);
	entry->relkind = table->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
	compat_init_range_table(store->estate, entry,
							store->fires == STORE_FIRES_USERS ? store_updated_columns(table)
															  : NULL);
	store->result = makeNode(ResultRelInfo);
	InitResultRelInfo(store->result, table, 1, NULL, 0);
	compat_set_result_relation(store->estate, store->result);
	store_silence_triggers(store);
	ExecOpenIndices(store->result, true);
	MemoryContextSwitchTo(caller);
	AfterTriggerBeginQuery();
}

/* A slot for rows that are to be written. */
TupleTableSlot *
merge_store_slot(MergeStore *store)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(store->table), &TTSOpsVirtual);

	ExecClearTuple(slot);
	return slot;
}

/*
 * Find, and lock, the row with the key in a slot of the table's form; store->there
 * is then that row.
 */
bool
merge_store_find(MergeStore *store, TupleTableSlot *key, LockTupleMode mode)
{
	if (store->there == NULL)
		store->there = table_slot_create(store->table, NULL);
	CommandCounterIncrement(); /* a row of the statement that we are called for is to be seen */
	return RelationFindReplTupleByIndex(store->table, store->key_index, mode, key, store->there);
}

/* The next write is a command of its own. */
static EState *
store_command(MergeStore *store)
{
	store_prepare(store);
	store->estate->es_output_cid = GetCurrentCommandId(true);
	return store->estate;
}

/*
 * Where no constraint is checked, this one is: what reads rows relies on it, and would
 * take whatever lies in a null's place for its value.
 */
static void
store_check_nulls(const MergeStore *store, TupleTableSlot *row)
{
	TupleDesc desc = RelationGetDescr(store->table);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (column->attnotnull && slot_attisnull(row, i + 1) &&
			(!column->attgenerated || column->attgenerated == ATTRIBUTE_GENERATED_STORED))
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in column \"%s\" of table \"%s\", which is NOT NULL",
							NameStr(column->attname), RelationGetRelationName(store->table)),
					 errdetail("The column is not one that the extension has made."),
					 errhint("Drop it, or use ALTER TABLE ... DROP NOT NULL.")));
	}
}

static void
store_check(MergeStore *store, TupleTableSlot *row, CmdType command)
{
	Relation table = store->table;
	TupleConstr *constraints = RelationGetDescr(table)->constr;

	row->tts_tableOid = RelationGetRelid(table);
	if (constraints && constraints->has_generated_stored)
		compat_compute_generated(store->result, store->estate, row, command);
	if (store->fires == STORE_FIRES_NOTHING)
	{
		store_check_nulls(store, row);
		return;
	}
	if (constraints)
		ExecConstraints(store->result, row, store->estate);
	if (table->rd_rel->relispartition)
		ExecPartitionCheck(store->result, row, store->estate, true);
}

/* Insert one more row; false if there is one of its key by now. */
bool
merge_store_insert(MergeStore *store, TupleTableSlot *row)
{
	EState *estate = store_command(store);
	List *arbiters = list_make1_oid(store->key_index);
	ItemPointerData conflict;
	bool conflicts = false;
	List *recheck;
	uint32 token;

	store_check(store, row, CMD_INSERT);
	ExecMaterializeSlot(row);
	if (!compat_check_index(store->result, row, estate, &conflict, arbiters))
		return false;
	token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
	table_tuple_insert_speculative(store->table, row, estate->es_output_cid, 0, NULL, token);
	recheck = compat_insert_index(store->result, row, estate, false, true, &conflicts, arbiters);
	table_tuple_complete_speculative(store->table, row, token, !conflicts);
	SpeculativeInsertionLockRelease(GetCurrentTransactionId());
	if (!conflicts)
		ExecARInsertTriggers(estate, store->result, row, recheck, NULL);
	CommandCounterIncrement();
	return !conflicts;
}

/*
 * Let the row that was found become another one.  A user's triggers see it before it
 * is written, ours among them.
 */
void
merge_store_update(MergeStore *store, TupleTableSlot *row)
{
	EState *estate = store_command(store);

	if (store->fires == STORE_FIRES_USERS)
	{
		EPQState epq;

		compat_plan_qual_init(&epq, estate);
		EvalPlanQualSetSlot(&epq, store->there);
		compat_simple_update(store->result, estate, &epq, store->there, row);
		EvalPlanQualEnd(&epq);
	}
	else
	{
		CompatUpdateIndexes update_indexes;

		store_check(store, row, CMD_UPDATE);
		ExecMaterializeSlot(row);
		simple_table_tuple_update(store->table, &store->there->tts_tid, row, estate->es_snapshot,
								  &update_indexes);
		if (compat_needs_indexes(update_indexes))
			list_free(compat_insert_index_updated(store->result, row, estate, update_indexes));
	}
	CommandCounterIncrement();
}

/* Delete the row that was found. */
void
merge_store_delete(MergeStore *store)
{
	EState *estate = store_command(store);

	if (store->fires == STORE_FIRES_USERS)
	{
		EPQState epq;

		compat_plan_qual_init(&epq, estate);
		EvalPlanQualSetSlot(&epq, store->there);
		compat_simple_delete(store->result, estate, &epq, store->there);
		EvalPlanQualEnd(&epq);
	}
	else
		simple_table_tuple_delete(store->table, &store->there->tts_tid, estate->es_snapshot);
	CommandCounterIncrement();
}

/* A row arrives at a user's table: its triggers are called, and ours does the rest. */
void
merge_store_arrive(MergeStore *store, TupleTableSlot *row)
{
	EState *estate = store_command(store);

	compat_simple_insert(store->result, estate, row);
	CommandCounterIncrement();
}

/*
 * Send a row to all peers, and keep it not: it is inserted and deleted.  Nobody else
 * sees it, so no index needs to know of it.
 */
void
merge_store_pass(MergeStore *store, TupleTableSlot *row)
{
	EState *estate = store_command(store);

	store_check_nulls(store, row);
	ExecMaterializeSlot(row);
	row->tts_tableOid = RelationGetRelid(store->table);
	table_tuple_insert(store->table, row, estate->es_output_cid, 0, NULL);
	CommandCounterIncrement();
	simple_table_tuple_delete(store->table, &row->tts_tid, estate->es_snapshot);
	CommandCounterIncrement();
}

void
merge_store_close(MergeStore *store)
{
	if (store->there)
		ExecDropSingleTupleTableSlot(store->there);
	if (!store->writes)
		return;
	AfterTriggerEndQuery(store->estate);
	ExecCloseIndices(store->result);
	ExecResetTupleTable(store->estate->es_tupleTable, false);
	FreeExecutorState(store->estate);
}
