/*
 * merge_row.c
 *		The trigger of merged tables: rows that arrive are merged, rows that are
 *		written here are stamped.
 *
 * PostgreSQL's logical replication applies a change as its publisher made it, so
 * the last to arrive overwrites.  This trigger is called for every row that is
 * about to be written, last of the BEFORE triggers, and decides what is.
 *
 * Where a row arrives (session_replication_role is "replica", as in the
 * processes that apply), what is written is the join of the row that is there
 * and the one that arrives.  If that is the row that is there, nothing is
 * written: so nothing is published, and a change that every server republishes
 * stops where it is known.  The order of arrival, and how often a change does,
 * make no difference: any connected topology converges.
 *
 *		INSERT	becomes INSERT .. ON CONFLICT DO UPDATE, a statement of our own,
 *				since an INSERT that meets a row here would fail, and go on failing.
 *				To look first would race with the inserts of sessions here.
 *		UPDATE	joins.  Values that were not sent, because they are unchanged and
 *				large, are those of the row that is there, which has them in it.
 *		DELETE	removes as a local one does; merged tables do not publish any.
 *
 * Where a session here writes a row, it may only add to its lattice columns: a
 * literal, or a value that starts from '{}', would use dots and counters for the
 * second time, and the peers would take it for what they know already.  Plain
 * columns are stamped, merge_columns.c.  DELETE makes a stamped removal, an
 * UPDATE that travels, merge_presence.c.
 *
 * A row that was removed stays, for its peers, until purge_removed deletes it.
 * An INSERT of its key here deletes it first: what travels is an INSERT, so
 * that peers where it has been purged get the row too.  It goes on from the old
 * one, since peers that have that will join the two.
 *
 * Purging has a consequence here.  When everyone has seen a removal, a row may
 * be gone on one server and still be there, removed, on another.  A new row of
 * that key, made where it is gone, does not go on from it; so a removed row that
 * everyone has seen, and which meets a row that was written since, counts as
 * gone.  (See merge_nodes.c for why the server that meets it can tell.)
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "core/dot_store.h"
#include "core/query.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "replication/merge_columns.h"
#include "replication/merge_counts.h"
#include "replication/merge_intent.h"
#include "replication/merge_nodes.h"
#include "replication/merge_presence.h"
#include "replication/merge_rule.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Reports of the same kind are this far apart, at least. */
#define REPORT_INTERVAL_MS 60000

/* Values of a row. */
typedef struct RowValues
{
	Datum *values;
	bool *nulls;
} RowValues;

/* A call of the trigger. */
typedef struct MergeRow
{
	TriggerData *trigger;
	Relation table;
	TupleDesc desc;
	MergeRule *rule;
	RowValues old; /* not of INSERT */
	RowValues new; /* not of DELETE */
} MergeRow;

static void
row_values_open(RowValues *row, HeapTuple tuple, TupleDesc desc)
{
	row->values = palloc(sizeof(Datum) * desc->natts);
	row->nulls = palloc(sizeof(bool) * desc->natts);
	heap_deform_tuple(tuple, desc, row->values, row->nulls);
}

static void
row_take(RowValues *row, const RowValues *from, int column)
{
	row->values[column] = from->values[column];
	row->nulls[column] = from->nulls[column];
}

static bool
row_same(const MergeRow *row, int column)
{
	const MergeColumn *definition = &row->rule->columns[column];

	if (row->old.nulls[column] || row->new.nulls[column])
		return row->old.nulls[column] && row->new.nulls[column];
	return datum_image_eq(row->old.values[column], row->new.values[column], definition->typbyval,
						  definition->typlen);
}

static Datum
row_result(const MergeRow *row, const RowValues *values)
{
	return PointerGetDatum(heap_form_tuple(row->desc, values->values, values->nulls));
}

/* The key, for messages. */
static const char *
row_key(const MergeRow *row, const RowValues *values)
{
	StringInfoData names;
	StringInfoData texts;

	initStringInfo(&names);
	initStringInfo(&texts);
	for (int i = 0; i < row->rule->ncolumns; i++)
	{
		Oid function;
		bool isvarlena;

		if (row->rule->columns[i].kind != MERGE_COLUMN_KEY)
			continue;
		getTypeOutputInfo(TupleDescAttr(row->desc, i)->atttypid, &function, &isvarlena);
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", row->rule->columns[i].name);
		appendStringInfo(&texts, "%s%s", texts.len > 0 ? ", " : "",
						 values->nulls[i] ? "null"
										  : OidOutputFunctionCall(function, values->values[i]));
	}
	return psprintf("(%s)=(%s)", names.data, texts.data);
}

/* The node that writes; it must have a name that it may go on using. */
static NodeName
row_local_node(MergeRow *row)
{
	MergeRule *rule = row->rule;
	NodeName node;

	node.name = node_name_local();
	node.length = strlen(node.name);
	if (rule->checked_node && strcmp(rule->checked_node, node.name) == 0)
		return node;
	if (merge_node_is_retired(rule->extension, node.name))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("node \"%s\" has been retired", node.name),
				 errdetail("Merged tables take no more writes under this name: dots would be used "
						   "for the second time."),
				 errhint("If new_incarnation() has given this server another name, connect again; "
						 "see SHOW distributed.node. If forget_node() was called for a server that "
						 "is back, call new_incarnation().")));
	rule->checked_node = MemoryContextStrdup(rule->context, node.name);
	return node;
}

/* A table that has got a plain column that has no place for its stamps. */
static void
row_check_columns(const MergeRow *row)
{
	const MergeRule *rule = row->rule;

	if (rule->unstamped >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of merged table \"%s\" is not merged",
						rule->columns[rule->unstamped].name, RelationGetRelationName(row->table)),
				 errdetail("The column was added after enable_merge was called, or is no longer in "
						   "the replica identity."),
				 errhint("Call enable_merge again.")));
}

/*
 * Statements of our own
 */

/* Copies of values that lie in a row which goes away, in its toast table too. */
static void
row_own_values(const MergeRow *row, RowValues *values)
{
	for (int i = 0; i < row->desc->natts; i++)
	{
		const MergeColumn *column = &row->rule->columns[i];

		if (values->nulls[i] || column->typbyval)
			continue;
		values->values[i] = column->typlen == -1
			? PointerGetDatum(PG_DETOAST_DATUM_COPY(values->values[i]))
			: datumCopy(values->values[i], false, column->typlen);
	}
}

/* Run one of the two INSERTs for a row. */
static void
row_run_insert(MergeRow *row, MergeIntent intent, const char *sql, MergeArrival *arrival)
{
	MergeRule *rule = row->rule;
	Datum *values = palloc(sizeof(Datum) * rule->ninsert);
	char *nulls = palloc(rule->ninsert);

	for (int i = 0; i < rule->ninsert; i++)
	{
		values[i] = row->new.values[rule->insert_columns[i]];
		nulls[i] = row->new.nulls[rule->insert_columns[i]] ? 'n' : ' ';
	}
	query_connect();
	merge_intent_run(intent, row->table,
					 query_plan(rule->table, sql, rule->ninsert, rule->insert_types), values, nulls,
					 arrival);
	query_finish();
}

/* Delete a row that we have locked, and nothing else: no trigger and no foreign key acts on it. */
static void
row_delete_version(const MergeRow *row, ItemPointer place)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());

	simple_table_tuple_delete(row->table, place, snapshot);
	UnregisterSnapshot(snapshot);
}

/*
 * Rows that arrive
 */

/* Tell, now and then, that this server has made writes that it does not know. */
static void
row_report_own(const MergeRow *row, NodeName node, const RowValues *arrived)
{
	static TimestampTz reported = 0;
	TimestampTz now = GetCurrentTimestamp();

	merge_counts_add(row->rule->table, MERGE_OWN_DOTS);
	if (reported != 0 && !TimestampDifferenceExceeds(reported, now, REPORT_INTERVAL_MS))
		return;
	reported = now;
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("a row of table \"%s\" brings writes of this node, \"%.*s\", that this server "
					"has not made",
					RelationGetRelationName(row->table), (int) node.length, node.name),
			 errdetail("Row %s. The server was restored from an old copy, or two servers have one "
					   "name. What it writes as \"%.*s\" from now on may be lost.",
					   row_key(row, arrived), (int) node.length, node.name),
			 errhint("Call new_incarnation(), which gives the server a name of its own.")));
}

static void
row_check_own(const MergeRow *row, const RowValues *arrived, const RowValues *there)
{
	int presence = row->rule->presence;
	const char *name = node_name_setting();
	NodeName node;
	uint64 counter;

	if (name == NULL || arrived->nulls[presence])
		return;
	node.name = name;
	node.length = strlen(name);
	counter = merge_presence_counter(arrived->values[presence], node);
	if (counter == 0 ||
		(there && !there->nulls[presence] &&
		 counter <= merge_presence_counter(there->values[presence], node)))
		return;
	/* a row that was purged here comes back with what it had */
	if (counter > merge_node_closed(row->rule->extension, node.name))
		row_report_own(row, node, arrived);
}

/*
 * Let new := old | new, column by column.  NULL says less than any value.
 */
static void
row_join_columns(MergeRow *row, MergeArrival *arrival)
{
	MergeRule *rule = row->rule;
	bool lacking = false; /* has what arrives all that is there? */

	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeColumn *column = &rule->columns[i];
		Datum joined;

		if (column->kind != MERGE_COLUMN_LATTICE)
			continue;
		if (row->old.nulls[i])
			arrival->changed |= !row->new.nulls[i];
		else if (row->new.nulls[i])
		{
			row_take(&row->new, &row->old, i);
			lacking = true;
		}
		else if (row_same(row, i))
			row_take(&row->new, &row->old, i);
		else
		{
			joined = FunctionCall2Coll(&column->merge, InvalidOid, row->old.values[i],
									   row->new.values[i]);
			lacking |= !datum_image_eq(joined, row->new.values[i], column->typbyval,
									   column->typlen);
			row->new.values[i] = joined;
			if (row_same(row, i))
				row_take(&row->new, &row->old, i);
			else
				arrival->changed = true;
		}
	}
	arrival->conflict = arrival->changed && lacking;
}

/* Does everyone know of a removal, so that the row may have been purged elsewhere? */
static bool
row_may_be_purged(const MergeRow *row, Datum presence)
{
	return !row->rule->permanent && merge_presence_stable(presence, row->rule->extension);
}

/*
 * Of two rows, has one been removed, as everyone knows, and been written again?
 * Then there is nothing to join: the new one may have begun anew, where the old
 * one had been purged, and if not it has all of that.  Its context does not tell,
 * for the dot of a new row claims all before it of the node's.
 */
static bool
row_is_gone(const MergeRow *row, const RowValues *removed, const RowValues *other)
{
	int presence = row->rule->presence;

	return !removed->nulls[presence] && !other->nulls[presence] &&
		merge_presence_removed(removed->values[presence]) &&
		merge_presence_outlives(other->values[presence], removed->values[presence]) &&
		row_may_be_purged(row, removed->values[presence]);
}

/*
 * A key does not change.  One that is equal but not the same, such as 1.00 for 1.0,
 * gives way to that which is there, or replicas would differ.  Has that changed
 * the new row?
 */
static bool
row_keep_key(MergeRow *row)
{
	bool changed = false;

	for (int i = 0; i < row->rule->ncolumns; i++)
	{
		MergeColumn *column = &row->rule->columns[i];

		if (column->kind != MERGE_COLUMN_KEY || row_same(row, i))
			continue;
		if (row->old.nulls[i] || row->new.nulls[i] ||
			!DatumGetBool(FunctionCall2Coll(&column->equal, column->collation, row->old.values[i],
											row->new.values[i])))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("key of a row of merged table \"%s\" cannot be changed",
							RelationGetRelationName(row->table)),
					 errdetail("Row %s: column \"%s\" would change.", row_key(row, &row->old),
							   column->name),
					 errhint("Insert a row with the new key, and delete this one.")));
		row_take(&row->new, &row->old, i);
		changed = true;
	}
	return changed;
}

/* Was the row removed, and will it be there? */
static bool
row_comes_back(const MergeRow *row)
{
	int presence = row->rule->presence;

	return !row->old.nulls[presence] && !row->new.nulls[presence] &&
		merge_presence_removed(row->old.values[presence]) &&
		!merge_presence_removed(row->new.values[presence]);
}

/*
 * A row arrives where there is one of its key.  One that comes back is inserted
 * anew, so that it travels on as an INSERT: there may be peers where it has been
 * purged, and which hear of it from here only.
 */
static HeapTuple
row_join(MergeRow *row, MergeArrival *arrival)
{
	MergeRule *rule = row->rule;
	int stamps = rule->stamps;
	bool replaces;

	(void) row_keep_key(row);
	arrival->met = true;
	arrival->changed = false;
	if (row_same(row, rule->presence))
		replaces = false;
	else
	{
		if (row_is_gone(row, &row->new, &row->old))
			return NULL;
		row_check_own(row, &row->new, &row->old);
		replaces = row_is_gone(row, &row->old, &row->new);
	}
	if (replaces)
		arrival->changed = true;
	else
		row_join_columns(row, arrival);
	if (!arrival->changed)
		return NULL;
	for (int i = 0; i < rule->ncolumns; i++)
	{
		if (rule->columns[i].kind != MERGE_COLUMN_PLAIN)
			continue;
		row_take(&row->new, &row->old, i);
		/* in a row of which nothing stays, what is not stamped is NULL */
		row->new.nulls[i] |= replaces && !rule->columns[i].has_default;
	}
	if (stamps >= 0 && !row->new.nulls[stamps] && (replaces || !row_same(row, stamps)))
		merge_columns_follow(rule, row->new.values[stamps],
							 replaces || row->old.nulls[stamps] ? NULL : &row->old.values[stamps],
							 row->new.values, row->new.nulls);
	if (!row_comes_back(row))
		return (HeapTuple) DatumGetPointer(row_result(row, &row->new));
	row_own_values(row, &row->new);
	row_delete_version(row, &row->trigger->tg_trigtuple->t_self);
	row_run_insert(row, INTENT_PASS, rule->insert_sql, NULL);
	return NULL;
}

static void
row_count_arrival(const MergeRow *row, const MergeArrival *arrival)
{
	Oid table = row->rule->table;

	merge_counts_add(table,
					 !arrival->met          ? MERGE_INSERTED
						 : arrival->changed ? MERGE_MERGED
											: MERGE_UNCHANGED);
	if (arrival->conflict)
		merge_counts_add(table, MERGE_CONFLICTS);
}

/* Fill a slot with the row of the same key that is there, locked; false if there is none. */
static bool
row_find(const MergeRow *row, LockTupleMode mode, TupleTableSlot *there)
{
	TupleTableSlot *key = MakeSingleTupleTableSlot(row->desc, &TTSOpsVirtual);
	bool found;

	memcpy(key->tts_values, row->new.values, sizeof(Datum) * row->desc->natts);
	memcpy(key->tts_isnull, row->new.nulls, sizeof(bool) * row->desc->natts);
	ExecStoreVirtualTuple(key);
	found = RelationFindReplTupleByIndex(row->table, row->rule->identity_index, mode, key, there);
	ExecDropSingleTupleTableSlot(key);
	return found;
}

static bool
row_exists(const MergeRow *row)
{
	TupleTableSlot *there = table_slot_create(row->table, NULL);
	bool found = row_find(row, LockTupleKeyShare, there);

	ExecDropSingleTupleTableSlot(there);
	return found;
}

/* A row arrives by INSERT: insert it, or join it, by a statement of our own. */
static void
row_arrive(MergeRow *row)
{
	MergeRule *rule = row->rule;
	MergeArrival arrival = {0};

	if (rule->stamps >= 0 && !row->new.nulls[rule->stamps])
		merge_columns_follow(rule, row->new.values[rule->stamps], NULL, row->new.values,
							 row->new.nulls);
	if (!row->new.nulls[rule->presence] &&
		merge_presence_removed(row->new.values[rule->presence]) &&
		row_may_be_purged(row, row->new.values[rule->presence]) && !row_exists(row))
	{
		/* it has been purged here */
		arrival.met = true;
		row_count_arrival(row, &arrival);
		return;
	}
	row_run_insert(row, INTENT_ARRIVE, rule->arrive_sql, &arrival);
	if (!arrival.met)
		row_check_own(row, &row->new, NULL);
	row_count_arrival(row, &arrival);
}

/*
 * Rows that are written here
 */

/* The hidden columns of a row that is written whole; their defaults may be gone. */
static void
row_fill_hidden(const MergeRow *row, RowValues *values)
{
	const MergeRule *rule = row->rule;

	if (values->nulls[rule->presence])
		values->values[rule->presence] = rule->no_presence;
	values->nulls[rule->presence] = false;
	if (rule->stamps < 0)
		return;
	if (values->nulls[rule->stamps])
		values->values[rule->stamps] = rule->no_stamps;
	values->nulls[rule->stamps] = false;
}

/*
 * Does what is new in a lattice column go on from what is old?  NULL is what
 * has not begun.
 */
static bool
row_continues(const MergeRow *row, int column)
{
	MergeColumn *definition = &row->rule->columns[column];
	Datum joined;

	if (row->old.nulls[column] || row_same(row, column))
		return true;
	if (row->new.nulls[column])
		return false;
	joined = FunctionCall2Coll(&definition->merge, InvalidOid, row->old.values[column],
							   row->new.values[column]);
	return datum_image_eq(joined, row->new.values[column], definition->typbyval,
						  definition->typlen);
}

static void
row_check_growth(const MergeRow *row, int column)
{
	if (!row_continues(row, column))
		ereport(
			ERROR,
			(errcode(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION),
			 errmsg("column \"%s\" of merged table \"%s\" may only grow",
					row->rule->columns[column].name, RelationGetRelationName(row->table)),
			 errdetail("The new value in row %s does not include the old one; the peers would "
					   "take it for what they know already.",
					   row_key(row, &row->old)),
			 errhint("Change the value that is there, with increment, +, add, remove, set, put, "
					 "enable and the like, or join the two: SET %s = %s | value.",
					 quote_identifier(row->rule->columns[column].name),
					 quote_identifier(row->rule->columns[column].name))));
}

static void
row_check_hidden(const MergeRow *row, int column)
{
	if (column >= 0 && !row_same(row, column))
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("column \"%s\" of merged table \"%s\" cannot be updated",
						row->rule->columns[column].name, RelationGetRelationName(row->table)),
				 errdetail("Merging keeps it.")));
}

/*
 * A lattice column that gets its first value.  There may have been a row of this
 * key that was purged, and of which a peer may know: its dots are not to be used
 * again.
 */
static void
row_begin_column(MergeRow *row, int column, NodeName node)
{
	const MergeColumn *definition = &row->rule->columns[column];
	Datum begun;

	if (definition->counting == COUNTS_BY_DOT && row->rule->last_dot > 0 &&
		!row->new.nulls[column] &&
		merge_begin_after(row->rule->last_dot, row->new.values[column], node, &begun))
		row->new.values[column] = begun;
}

/* UPDATE of a session. */
static HeapTuple
row_update(MergeRow *row)
{
	MergeRule *rule = row->rule;
	NodeName node = row_local_node(row);
	bool kept;
	bool changed = false;
	bool stamped = false;
	MergeStamps stamps;

	if (!row->old.nulls[rule->presence] && merge_presence_removed(row->old.values[rule->presence]))
		return NULL;
	row_check_columns(row);
	kept = row_keep_key(row);
	row_check_hidden(row, rule->presence);
	row_check_hidden(row, rule->stamps);
	row_fill_hidden(row, &row->new);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeColumnKind kind = rule->columns[i].kind;

		if ((kind != MERGE_COLUMN_LATTICE && kind != MERGE_COLUMN_PLAIN) || i == rule->presence ||
			i == rule->stamps || row_same(row, i))
			continue;
		changed = true;
		if (kind == MERGE_COLUMN_LATTICE)
		{
			row_check_growth(row, i);
			if (row->old.nulls[i])
				row_begin_column(row, i, node);
		}
		else
		{
			if (!stamped)
				merge_stamps_open(&stamps, rule, row->new.values[rule->stamps], node);
			stamped = true;
			merge_stamps_write(&stamps, i, row->new.values[i], row->new.nulls[i]);
		}
	}
	if (!changed)
		return kept ? (HeapTuple) DatumGetPointer(row_result(row, &row->new))
					: row->trigger->tg_newtuple;
	if (stamped)
		row->new.values[rule->stamps] = merge_stamps_close(&stamps);
	if (rule->keep)
		row->new.values[rule->presence] = merge_presence_write(row->new.values[rule->presence],
															   node, true);
	return (HeapTuple) DatumGetPointer(row_result(row, &row->new));
}

/*
 * A lattice column of a row that takes the place of a removed one: what is new
 * goes on from what is old.
 */
static void
row_continue_column(MergeRow *row, int column, NodeName node)
{
	MergeColumn *definition = &row->rule->columns[column];
	Datum old = row->old.values[column];
	Datum new = row->new.values[column];
	bool isnull = row->new.nulls[column];
	Datum result;

	if (row->old.nulls[column])
	{
		row_begin_column(row, column, node);
		return;
	}
	if (definition->counting == COUNTS_NOTHING)
	{
		if (isnull)
			row_take(&row->new, &row->old, column);
		else
			row->new.values[column] = FunctionCall2Coll(&definition->merge, InvalidOid, old, new);
	}
	else if (merge_continue(definition->counting, old, isnull ? NULL : &new, node, &result))
	{
		row->new.values[column] = result;
		row->new.nulls[column] = false;
	}
	else if (!row_continues(row, column))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("new row of merged table \"%s\" does not go on from the removed one",
						RelationGetRelationName(row->table)),
				 errdetail("Row %s was removed, but peers may still have it; in column \"%s\" of "
						   "the new row other nodes than \"%.*s\" have written.",
						   row_key(row, &row->old), definition->name, (int) node.length, node.name),
				 errhint("Insert the row with '{}' in the column, and change it by UPDATE.")));
}

/* Take up what a removed row was; it is in row->old. */
static void
row_continue_removed(MergeRow *row, NodeName node)
{
	MergeRule *rule = row->rule;

	for (int i = 0; i < rule->ncolumns; i++)
	{
		if (rule->columns[i].kind == MERGE_COLUMN_LATTICE && i != rule->presence &&
			i != rule->stamps)
			row_continue_column(row, i, node);
	}
	row_take(&row->new, &row->old, rule->presence);
	if (rule->stamps >= 0)
		row_take(&row->new, &row->old, rule->stamps);
	row_fill_hidden(row, &row->new);
}

/*
 * If there is a removed row of this key, delete it, since it would be in the
 * way, and go on from it.  That is done to the table itself: no trigger and no
 * foreign key is to act on it.
 */
static bool
row_take_over(MergeRow *row, NodeName node)
{
	MergeRule *rule = row->rule;
	bool taken = false;
	TupleTableSlot *there = table_slot_create(row->table, NULL);

	if (row_find(row, LockTupleKeyShare, there))
	{
		bool isnull;
		Datum presence = slot_getattr(there, rule->presence + 1, &isnull);

		if (!isnull && merge_presence_removed(presence) && row_find(row, LockTupleExclusive, there))
		{
			slot_getallattrs(there);
			row->old.values = there->tts_values;
			row->old.nulls = there->tts_isnull;
			if (merge_presence_removed(row->old.values[rule->presence]))
			{
				row_continue_removed(row, node);
				row_own_values(row, &row->new);
				row_delete_version(row, &there->tts_tid);
				taken = true;
			}
		}
	}
	ExecDropSingleTupleTableSlot(there);
	return taken;
}

/* INSERT of a session. */
static HeapTuple
row_insert(MergeRow *row)
{
	MergeRule *rule = row->rule;
	NodeName node = row_local_node(row);

	row_check_columns(row);
	row_fill_hidden(row, &row->new);
	if (!row_take_over(row, node))
	{
		/* it may have been purged just now */
		AcceptInvalidationMessages();
		rule = row->rule = merge_rule_get(row->trigger, rule->extension);
		for (int i = 0; i < rule->ncolumns; i++)
		{
			if (rule->columns[i].kind == MERGE_COLUMN_LATTICE && i != rule->presence)
				row_begin_column(row, i, node);
		}
	}
	if (rule->stamps >= 0)
	{
		MergeStamps stamps;

		merge_stamps_open(&stamps, rule, row->new.values[rule->stamps], node);
		for (int i = 0; i < rule->ncolumns; i++)
		{
			/* no column needs to be told that it is NULL, unless it would be something else */
			if (rule->columns[i].kind == MERGE_COLUMN_PLAIN &&
				(!row->new.nulls[i] || rule->columns[i].has_default ||
				 merge_stamps_has(&stamps, i)))
				merge_stamps_write(&stamps, i, row->new.values[i], row->new.nulls[i]);
		}
		row->new.values[rule->stamps] = merge_stamps_close(&stamps);
	}
	row->new.values[rule->presence] = merge_presence_write(row->new.values[rule->presence], node,
														   true);
	return (HeapTuple) DatumGetPointer(row_result(row, &row->new));
}

/* The row of an UPDATE that removes it; NULL if it has been removed already. */
static HeapTuple
row_remove(MergeRow *row)
{
	MergeRule *rule = row->rule;

	row_fill_hidden(row, &row->old);
	if (merge_presence_removed(row->old.values[rule->presence]))
		return NULL;
	row->old.values[rule->presence] = merge_presence_write(row->old.values[rule->presence],
														   row_local_node(row), false);
	return (HeapTuple) DatumGetPointer(row_result(row, &row->old));
}

/* DELETE: an UPDATE of our own does it. */
static void
row_delete(MergeRow *row, bool arrives)
{
	MergeRule *rule = row->rule;
	ItemPointer place = &row->trigger->tg_trigtuple->t_self;
	Oid type = TIDOID;
	Datum value = PointerGetDatum(place);

	if (!row->old.nulls[rule->presence] && merge_presence_removed(row->old.values[rule->presence]))
		return;
	if (arrives && node_name_setting() == NULL)
	{
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a row of merged table \"%s\" is not deleted, since the local node has no "
						"name",
						RelationGetRelationName(row->table)),
				 errdetail("Row %s. A publication of a merged table publishes no DELETE.",
						   row_key(row, &row->old)),
				 errhint("Set distributed.node, and have the publisher publish 'insert, update' "
						 "only.")));
		return;
	}
	(void) row_local_node(row);
	query_connect();
	if (merge_intent_run(INTENT_REMOVE, row->table,
						 query_plan(rule->table, rule->remove_sql, 1, &type), &value, NULL,
						 NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not remove a row of merged table \"%s\" due to concurrent update",
						RelationGetRelationName(row->table))));
	query_finish();
}

/*
 * A row from before the table was merged: its plain columns count as written at
 * the beginning of time, so that whatever is written after wins.
 */
static HeapTuple
row_stamp(MergeRow *row)
{
	MergeRule *rule = row->rule;
	HybridTime beginning = {0, 0};
	MergeStamps stamps;

	if (rule->stamps < 0)
		return NULL;
	row_fill_hidden(row, &row->new);
	merge_stamps_open(&stamps, rule, row->new.values[rule->stamps], row_local_node(row));
	merge_stamps_at(&stamps, beginning);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		if (rule->columns[i].kind == MERGE_COLUMN_PLAIN &&
			(!row->new.nulls[i] || rule->columns[i].has_default) && !merge_stamps_has(&stamps, i))
			merge_stamps_write(&stamps, i, row->new.values[i], row->new.nulls[i]);
	}
	row->new.values[rule->stamps] = merge_stamps_close(&stamps);
	return (HeapTuple) DatumGetPointer(row_result(row, &row->new));
}

/*
 * A row from before a plain column was added: what others have written there
 * has arrived in the stamps, and waits for the column.
 */
static HeapTuple
row_follow(MergeRow *row)
{
	MergeRule *rule = row->rule;
	bool changed = false;

	if (rule->stamps < 0 || row->new.nulls[rule->stamps])
		return NULL;
	merge_columns_follow(rule, row->new.values[rule->stamps], NULL, row->new.values,
						 row->new.nulls);
	for (int i = 0; i < rule->ncolumns; i++)
		changed = changed || (rule->columns[i].kind == MERGE_COLUMN_PLAIN && !row_same(row, i));
	return changed ? (HeapTuple) DatumGetPointer(row_result(row, &row->new)) : NULL;
}

/*
 * The trigger
 */

static void
row_open(MergeRow *row, TriggerData *trigger, Oid extension)
{
	memset(row, 0, sizeof(*row));
	row->trigger = trigger;
	row->table = trigger->tg_relation;
	row->desc = RelationGetDescr(row->table);
	row->rule = merge_rule_get(trigger, extension);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		row_values_open(&row->new, trigger->tg_trigtuple, row->desc);
	else
		row_values_open(&row->old, trigger->tg_trigtuple, row->desc);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		row_values_open(&row->new, trigger->tg_newtuple, row->desc);
}

/* A row that tells what a node has seen tells also by which way it has come. */
static void
row_hear(const MergeRow *row)
{
	int node;
	int seen;

	if (!row->rule->permanent)
		return;
	node = SPI_fnumber(row->desc, "node") - 1;
	seen = SPI_fnumber(row->desc, "seen") - 1;
	if (node >= 0 && seen >= 0 && !row->new.nulls[node] && !row->new.nulls[seen])
		merge_node_heard(row->rule->extension, row->new.values[node], row->new.values[seen]);
}

static HeapTuple
row_on_insert(MergeRow *row, bool arrives)
{
	if (!arrives)
		return row_insert(row);
	row_hear(row);
	row_arrive(row);
	return NULL;
}

static HeapTuple
row_on_update(MergeRow *row, bool arrives, MergeIntent intent)
{
	MergeArrival arrival = {0};
	HeapTuple result;

	if (intent == INTENT_STAMP)
		return row_stamp(row);
	if (intent == INTENT_FOLLOW)
		return row_follow(row);
	if (intent == INTENT_REMOVE)
	{
		merge_underway.intent = INTENT_NONE;
		return row_remove(row);
	}
	if (intent == INTENT_ARRIVE && !merge_underway.arrival->met)
		return row_join(row, merge_underway.arrival);
	if (!arrives)
		return row_update(row);
	row_hear(row);
	result = row_join(row, &arrival);
	row_count_arrival(row, &arrival);
	return result;
}

/* The row is purged: which dots have been used in it? */
static void
row_note_dots(const MergeRow *row)
{
	uint64 *last = &merge_underway.arrival->last_dot;

	for (int i = 0; i < row->rule->ncolumns; i++)
	{
		const MergeColumn *column = &row->rule->columns[i];

		if (column->kind == MERGE_COLUMN_LATTICE && i != row->rule->presence &&
			column->counting == COUNTS_BY_DOT && !row->old.nulls[i])
		{
			EntryTable store;

			entry_table_open(&store, PG_DETOAST_DATUM_PACKED(row->old.values[i]));
			*last = Max(*last, dot_store_last_dot(&store, NULL));
		}
	}
}

/* Is this the INSERT of row_arrive? */
static bool
merge_is_offered(const TriggerData *trigger, MergeIntent intent)
{
	if (intent != INTENT_ARRIVE || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		merge_underway.arrival->offered)
		return false;
	merge_underway.arrival->offered = true;
	return true;
}

PG_FUNCTION_INFO_V1(merge_row);
Datum
merge_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	MergeIntent intent = INTENT_NONE;
	bool arrives = SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA;
	HeapTuple result = NULL;
	MergeRow row;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg(
					 "function \"merge_row\" must be called as a trigger before a row is written"),
				 errhint("enable_merge makes the triggers of a merged table.")));
	if (merge_underway.table == RelationGetRelid(trigger->tg_relation))
		intent = merge_underway.intent;
	if (intent == INTENT_PASS || merge_is_offered(trigger, intent))
		PG_RETURN_POINTER(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
																	 : trigger->tg_trigtuple);
	row_open(&row, trigger, extension_namespace(fcinfo));
	if (intent == INTENT_PURGE && TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		row_note_dots(&row);
		PG_RETURN_POINTER(trigger->tg_trigtuple);
	}
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		result = row_on_insert(&row, arrives);
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		result = row_on_update(&row, arrives, intent);
	else
		row_delete(&row, arrives);
	PG_RETURN_POINTER(result);
}

PG_FUNCTION_INFO_V1(merge_truncate);
Datum
merge_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"merge_truncate\" must be called as a trigger")));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("merged table \"%s\" cannot be truncated",
					RelationGetRelationName(trigger->tg_relation)),
			 errdetail("The peers would bring the rows back."),
			 errhint("Use DELETE, which travels, and purge_removed when all servers have seen it; "
					 "or call disable_merge first.")));
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(merge_row_is_present);
Datum
merge_row_is_present(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!merge_presence_removed(PG_GETARG_DATUM(0)));
}
