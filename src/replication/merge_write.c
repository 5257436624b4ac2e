/*
 * merge_write.c
 *		Rows of merged tables that are written here.
 *
 * Where a session here writes a row, it may only add to its lattice columns: a
 * literal, or a value that starts from '{}', would use dots and counters for the
 * second time, and the peers would take it for what they know already.  In an INSERT
 * a value is what is added, also where the row is there, and ON CONFLICT DO UPDATE
 * sets the column to what was to be inserted, or to its join with what is there.  So
 * what an INSERT proposes is remembered until the next row, for the UPDATE that may
 * follow: in the memory of the row, which ends with it.
 *
 * Each write is stamped: the hidden column comes to say that the row is there, and
 * which plain columns were written now.  An UPDATE that changes nothing is stamped,
 * too: it moves the row, and PostgreSQL's apply may miss a row that moves while it
 * looks for it; what it has missed comes back as the echo of this UPDATE.
 *
 * A plain column that nobody has written yet, as one that was added later, is stamped
 * where an UPDATE names it, though it stays what it is: SET c = c makes the values of
 * this server those of all.
 */
#include "core/compat.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "core/dot_store.h"
#include "core/query.h"
#include "miscadmin.h"
#include "replication/merge_local.h"
#include "replication/merge_purge.h"
#include "replication/merge_shape.h"
#include "replication/merge_time.h"
#include "replication/merge_write.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Values of fewer bytes are never stored elsewhere. */
#define ALWAYS_SENT_SIZE 24

/* What an INSERT proposes. */
typedef struct MergeProposal
{
	Oid table;
	MemoryContext row; /* in which triggers are called for it */
	HeapTuple tuple;
	MemoryContextCallback forget;
} MergeProposal;

static MergeProposal *proposal = NULL;

/*
 * The node
 */

/* The node that writes; it must have a name that it may go on using. */
NodeName
merge_local_node(MergeRule *rule)
{
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
	merge_time_begin_after(merge_node_horizon(rule->extension, node.name));
	merge_time_begin_after(merge_purged_time(rule->extension, rule->root));
	rule->checked_node = MemoryContextStrdup(rule->context, node.name);
	return node;
}

/*
 * Keys
 */

/* The key, for messages. */
const char *
merge_key_text(const MergeRule *rule, const RowValues *row)
{
	StringInfoData names;
	StringInfoData texts;

	initStringInfo(&names);
	initStringInfo(&texts);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		Oid function;
		bool isvarlena;

		if (rule->columns[i].kind != MERGE_COLUMN_KEY)
			continue;
		getTypeOutputInfo(rule->columns[i].type, &function, &isvarlena);
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", rule->columns[i].name);
		appendStringInfo(&texts, "%s%s", texts.len > 0 ? ", " : "",
						 row->nulls[i] ? "null" : OidOutputFunctionCall(function, row->values[i]));
	}
	return psprintf("(%s)=(%s)", names.data, texts.data);
}

static bool
key_column_equal(MergeColumn *column, const RowValues *a, const RowValues *b, int i)
{
	return !a->nulls[i] && !b->nulls[i] &&
		DatumGetBool(
			FunctionCall2Coll(&column->equal, column->collation, a->values[i], b->values[i]));
}

/*
 * A key does not change.  One that is equal but not the same, such as 1.00 for 1.0,
 * gives way to that which is there, or replicas would differ.
 */
void
merge_keep_key(MergeRule *rule, Relation table, RowValues *row, const RowValues *there,
			   bool *changed)
{
	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeColumn *column = &rule->columns[i];

		if (column->kind != MERGE_COLUMN_KEY || row_same(rule, there, row, i))
			continue;
		if (!key_column_equal(column, there, row, i))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("key of a row of merged table \"%s\" cannot be changed",
							RelationGetRelationName(table)),
					 errdetail("Row %s: column \"%s\" would change.", merge_key_text(rule, there),
							   column->name),
					 errhint("Insert a row with the new key, and delete this one.")));
		row_take(row, there, i);
		*changed = true;
	}
}

/*
 * Stamps
 */

static WriteStamp
write_at(uint64 time, NodeName node)
{
	WriteStamp write = {{(int64) time, 0}, node, 0};

	return write;
}

/* Are values of a row stored elsewhere, or will they be, as it is so large? */
bool
merge_row_is_large(const MergeRule *rule, TupleDesc desc, const RowValues *row)
{
	if (!rule->has_plain)
		return false;
	for (int i = 0; i < rule->ncolumns; i++)
	{
		const MergeColumn *column = &rule->columns[i];

		if (column->kind == MERGE_COLUMN_PLAIN && column->may_lack && !row->nulls[i] &&
			VARATT_IS_EXTERNAL(DatumGetPointer(row->values[i])))
			return true;
	}
	return heap_compute_data_size(desc, row->values, row->nulls) + SizeofHeapTupleHeader >
		rule->toast_target;
}

static bool
value_may_be_large(const MergeColumn *column, const RowValues *row, int i)
{
	return column->kind == MERGE_COLUMN_PLAIN && column->may_lack && !row->nulls[i] &&
		toast_raw_datum_size(row->values[i]) > ALWAYS_SENT_SIZE;
}

/* Have the writes of large values say which values. */
void
merge_stamp_large_values(MergeRule *rule, const RowValues *row, RowStamp *stamp)
{
	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeColumn *column = &rule->columns[i];
		WriteStamp write;

		if (!value_may_be_large(column, row, i))
			continue;
		write = merge_column_write(rule, stamp, i);
		if (write.node.length == 0 || write.hash != 0)
			continue;
		write.hash = merge_value_hash(column, row->values[i]);
		row_stamp_set_column(stamp, column->name, column->length, write);
	}
}

/* The stamp of a row that begins. */
void
merge_stamp_new_row(MergeRule *rule, TupleDesc desc, RowValues *row, NodeName node)
{
	uint64 time = merge_time_of_write(0);
	RowStamp stamp;

	row_stamp_init(&stamp, 1, 0);
	row_stamp_write(&stamp, node, time);
	if (rule->has_plain)
	{
		WriteStamp write = write_at(time, node);

		write.hash = rule->sent_columns;
		row_stamp_set_row(&stamp, write);
		if (merge_row_is_large(rule, desc, row))
			merge_stamp_large_values(rule, row, &stamp);
	}
	row_set_stamp(rule, row, row_stamp_close(&stamp));
}

/*
 * Lattice columns
 */

/*
 * One that gets its first value.  There may have been a row of this key that was
 * purged, and of which a peer may know: its dots are not to be used again.
 */
static void
begin_column(MergeRule *rule, RowValues *row, int column, NodeName node)
{
	const MergeColumn *definition = &rule->columns[column];
	Datum begun;

	if (definition->counting == COUNTS_BY_DOT && rule->last_dot > 0 && !row->nulls[column] &&
		merge_begin_after(rule->last_dot, row->values[column], node, &begun))
		row->values[column] = begun;
}

static void
check_growth(MergeRule *rule, Relation table, const RowValues *row, const RowValues *there,
			 int column)
{
	const char *name;

	if (merge_column_includes(rule, column, row, there))
		return;
	name = quote_identifier(rule->columns[column].name);
	ereport(
		ERROR,
		(errcode(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION),
		 errmsg("column \"%s\" of merged table \"%s\" may only grow", rule->columns[column].name,
				RelationGetRelationName(table)),
		 errdetail("The new value in row %s does not include the old one; the peers would "
				   "take it for what they know already.",
				   merge_key_text(rule, there)),
		 errhint("Change the value that is there, by the operators and functions of its type "
				 "(+, -, increment, add, remove, set, put, enable, tick and the like): SET %s = "
				 "function(%s.%s, ...).",
				 name, quote_identifier(RelationGetRelationName(table)), name)));
}

/*
 * A lattice column of a key that is inserted again: what is new goes on from what
 * was removed.  Where others than this node have counted in it, both are joined.
 */
static void
take_over_column(MergeRule *rule, RowValues *row, const RowValues *removed, int column,
				 NodeName node)
{
	MergeColumn *definition = &rule->columns[column];
	Datum old = removed->values[column];
	Datum fresh = row->values[column];
	bool isnull = row->nulls[column];
	Datum result;

	if (removed->nulls[column])
		return;
	if (merge_continue(definition->counting, old, isnull ? NULL : &fresh, node, true, &result))
		row->values[column] = result;
	else if (isnull)
		row_take(row, removed, column);
	else
		row->values[column] = FunctionCall2Coll(&definition->merge, InvalidOid, old, fresh);
	row->nulls[column] = false;
}

/* A row takes up what a removed one of its key was. */
void
merge_take_over(MergeRule *rule, Relation table, RowValues *row, const RowValues *removed)
{
	NodeName node = merge_local_node(rule);
	RowStamp gone;
	RowStamp here;
	RowStamp joined;
	uint64 time;

	for (int i = 0; i < rule->ncolumns; i++)
	{
		if (rule->columns[i].kind == MERGE_COLUMN_LATTICE)
			take_over_column(rule, row, removed, i, node);
	}
	/* it is written after all that it takes up, also where a clock was ahead */
	row_stamp_open(&gone, row_stamp_of(rule, removed));
	row_stamp_open(&here, row_stamp_of(rule, row));
	row_stamp_join(&joined, &here, &gone);
	time = merge_time_of_write(row_stamp_latest(&joined));
	row_stamp_write(&joined, node, time);
	joined.ncolumns = 0;
	if (rule->has_plain)
	{
		WriteStamp write = write_at(time, node);

		write.hash = rule->sent_columns;
		row_stamp_set_row(&joined, write);
		if (merge_row_is_large(rule, RelationGetDescr(table), row))
			merge_stamp_large_values(rule, row, &joined);
	}
	row_set_stamp(rule, row, row_stamp_close(&joined));
}

/*
 * INSERT
 */

static void
check_columns(const MergeRule *rule, Relation table)
{
	if (rule->unmerged >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of merged table \"%s\" is not merged",
						rule->columns[rule->unmerged].name, RelationGetRelationName(table)),
				 errdetail("The column was added after enable_merge was called, or is no longer in "
						   "the replica identity."),
				 errhint("Call enable_merge again.")));
}

static void
forget_proposal(void *which)
{
	if (proposal == which)
		proposal = NULL;
}

/* Triggers are called in the memory of the row, which no other statement has. */
static HeapTuple
propose(MergeRule *rule, HeapTuple tuple)
{
	MergeProposal *new;
	bool counts = false;

	for (int i = 0; i < rule->ncolumns && !counts; i++)
		counts = rule->columns[i].kind == MERGE_COLUMN_LATTICE;
	if (!counts)
		return tuple;
	new = palloc(sizeof(MergeProposal));
	new->table = rule->table;
	new->row = CurrentMemoryContext;
	new->tuple = tuple;
	new->forget.func = forget_proposal;
	new->forget.arg = new;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &new->forget);
	proposal = new;
	return tuple;
}

/* The hidden column is nobody's to write; but what was dumped may be restored. */
static bool
is_restored(MergeRule *rule, Relation table, const RowValues *row)
{
	RowStamp stamp;

	if (row->nulls[rule->stamp])
		return false;
	row_stamp_open(&stamp, row_stamp_of(rule, row));
	if (stamp.nnodes == 0 && stamp.ncolumns == 0 && stamp.row.node.length == 0)
		return false;
	if (!compat_owns_table(rule->table, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("cannot insert a value into column \"%s\" of merged table \"%s\"",
						MERGE_STAMP_COLUMN, RelationGetRelationName(table)),
				 errdetail(
					 "Merging keeps it. Only the owner of the table may restore rows with it."),
				 errhint("Leave the column out: name the others.")));
	return true;
}

HeapTuple
merge_write_insert(const TriggerData *trigger, MergeRule *rule, RowValues *row)
{
	Relation table = trigger->tg_relation;
	NodeName node = merge_local_node(rule);

	check_columns(rule, table);
	if (is_restored(rule, table, row))
		return trigger->tg_trigtuple;
	for (int i = 0; i < rule->ncolumns; i++)
	{
		if (rule->columns[i].kind == MERGE_COLUMN_LATTICE)
			begin_column(rule, row, i, node);
	}
	merge_stamp_new_row(rule, RelationGetDescr(table), row, node);
	return propose(rule, heap_form_tuple(RelationGetDescr(table), row->values, row->nulls));
}

/*
 * UPDATE
 */

/* What the INSERT proposed for the row that this UPDATE is about, if it is an upsert's. */
static bool
proposal_open(MergeRule *rule, TupleDesc desc, const RowValues *there, RowValues *proposed)
{
	if (proposal == NULL || proposal->table != rule->table || proposal->row != CurrentMemoryContext)
		return false;
	row_values_open(proposed, proposal->tuple, desc);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeColumn *column = &rule->columns[i];

		if (column->kind == MERGE_COLUMN_KEY && !key_column_equal(column, there, proposed, i))
			return false;
	}
	return true;
}

/* A lattice column that is set to what was proposed: add that. */
static void
add_proposed(MergeRule *rule, RowValues *row, const RowValues *there, const RowValues *proposed,
			 int column, NodeName node)
{
	MergeColumn *definition = &rule->columns[column];
	Datum old = there->values[column];
	Datum added = proposed->values[column];
	Datum joined;
	Datum result;

	if (proposed->nulls[column] || there->nulls[column] || row->nulls[column])
		return;
	joined = FunctionCall2Coll(&definition->merge, InvalidOid, old, added);
	if (!row_same(rule, row, proposed, column) &&
		!datum_image_eq(joined, row->values[column], definition->typbyval, definition->typlen))
		return;
	if (merge_continue(definition->counting, old, &added, node, false, &result))
		row->values[column] = result;
	else
		row->values[column] = joined;
}

static void
check_hidden(MergeRule *rule, Relation table, const RowValues *row, const RowValues *there)
{
	if (!row_same(rule, row, there, rule->stamp))
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("column \"%s\" of merged table \"%s\" cannot be updated",
						MERGE_STAMP_COLUMN, RelationGetRelationName(table)),
				 errdetail("Merging keeps it.")));
}

HeapTuple
merge_write_update(const TriggerData *trigger, MergeRule *rule, RowValues *row,
				   const RowValues *there)
{
	Relation table = trigger->tg_relation;
	TupleDesc desc = RelationGetDescr(table);
	NodeName node = merge_local_node(rule);
	const Bitmapset *named = compat_updated_columns(trigger);
	RowValues proposed;
	RowStamp stamp;
	WriteStamp now;
	uint64 time;
	bool kept = false;
	bool is_upsert;

	check_columns(rule, table);
	merge_keep_key(rule, table, row, there, &kept);
	check_hidden(rule, table, row, there);
	is_upsert = proposal_open(rule, desc, there, &proposed);
	row_stamp_open(&stamp, row_stamp_of(rule, there));
	(void) merge_forget_columns(rule, &stamp);
	time = merge_time_of_write(row_stamp_latest(&stamp));
	now = write_at(time, node);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeColumn *column = &rule->columns[i];
		bool is_named = bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, named);

		if (column->kind == MERGE_COLUMN_LATTICE)
		{
			if (is_upsert && (is_named || named == NULL))
				add_proposed(rule, row, there, &proposed, i, node);
			if (row_same(rule, row, there, i))
				continue;
			check_growth(rule, table, row, there, i);
			if (there->nulls[i])
				begin_column(rule, row, i, node);
		}
		else if (column->kind == MERGE_COLUMN_PLAIN && column->sent &&
				 (!row_same(rule, row, there, i) ||
				  (is_named && merge_column_write(rule, &stamp, i).node.length == 0)))
			row_stamp_set_column(&stamp, column->name, column->length, now);
	}
	if (rule->keep)
		row_stamp_write(&stamp, node, time);
	else
		row_stamp_touch(&stamp, node, time);
	if (merge_row_is_large(rule, desc, row))
		merge_stamp_large_values(rule, row, &stamp);
	row_set_stamp(rule, row, row_stamp_close(&stamp));
	return heap_form_tuple(desc, row->values, row->nulls);
}
