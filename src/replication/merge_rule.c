/*
 * merge_rule.c
 *		What is known of a merged table: how each of its columns is merged, and
 *		where its removed rows are.
 *
 * All of it follows from the definitions of the table, of its companion, and of the
 * publications that send it; there is no list of merged tables elsewhere.  A session
 * works it out once per table, by OID, and again when any of these changes.
 *
 * Anybody may put our triggers on a table of theirs, so nothing is taken for
 * granted: what a table lacks is an error.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_type.h"
#include "core/query.h"
#include "core/write_stamp.h"
#include "replication/merge_purge.h"
#include "replication/merge_rule.h"
#include "replication/merge_shape.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* A hash of names is of all columns but a few, at most so many. */
#define RULE_MAX_UNTOLD 3

/* Of a table with more, at most two. */
#define RULE_MANY_COLUMNS 128

typedef struct MergeRuleSlot
{
	Oid table;
	MergeRule *rule;
} MergeRuleSlot;

static HTAB *merge_rules = NULL;

/* Rules that were replaced, but may be in use further up in the stack. */
static List *merge_rules_replaced = NIL;

/* How often has something changed? */
static uint64 merge_rules_changes = 0;

/*
 * The table and its companion
 */

static void
rule_refuse(const MergeShape *shape, int sqlstate, const char *message, const char *hint)
{
	ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message), errhint("%s", hint)));
}

/* What a table must have for its rows to be merged, whoever made the triggers. */
static void
rule_check(const MergeShape *shape)
{
	const char *again = "Call enable_merge again.";

	if (shape->stamp == 0 && shape->old_presence != 0)
		rule_refuse(shape, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					psprintf("rows of \"%s\" are merged in the form of version 1.0", shape->name),
					"Call enable_merge again, which brings the table to that of this version.");
	if (shape->row_trigger == NULL)
		rule_refuse(shape, ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
					psprintf("table \"%s\" has a trigger of merged tables, and is none",
							 shape->name),
					"enable_merge makes the triggers of a merged table.");
	if (shape->stamp == 0)
		rule_refuse(shape, ERRCODE_UNDEFINED_COLUMN,
					psprintf("merged table \"%s\" has no column \"%s\" of type row_stamp",
							 shape->name, MERGE_STAMP_COLUMN),
					again);
	if (!OidIsValid(shape->key_index))
		rule_refuse(shape, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					psprintf("merged table \"%s\" has lost its replica identity", shape->name),
					"Give it a primary key, or use ALTER TABLE ... REPLICA IDENTITY USING INDEX.");
	if (!OidIsValid(shape->companion))
		rule_refuse(shape, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					psprintf("merged table \"%s\" has no companion for its removed rows",
							 shape->name),
					again);
}

/*
 * Columns
 */

/* The first half of the MD5: the same on every server. */
static uint64
rule_name_hash(const char *name)
{
	uint8 digest[MD5_DIGEST_LENGTH];
	uint64 hash = 0;

	compat_md5(name, strlen(name), digest);
	for (int i = 0; i < (int) sizeof(hash); i++)
		hash = hash << 8 | digest[i];
	return hash;
}

/* Of the names of some columns: the sum, without carry, of theirs. */
uint64
merge_columns_hash(Relation table, const Bitmapset *columns)
{
	uint64 hash = 0;
	int column = -1;

	while ((column = bms_next_member(columns, column)) >= 0)
		hash ^= rule_name_hash(merge_column_name(table, (AttrNumber) column));
	return hash;
}

/* Keys are equal where the index that tells rows apart has them equal. */
static void
rule_key_column(MergeRule *rule, MergeColumn *column, AttrNumber number)
{
	Relation index = index_open(rule->key_index, AccessShareLock);

	column->kind = MERGE_COLUMN_KEY;
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		Oid type = index->rd_opcintype[i];
		Oid equal;

		if (index->rd_index->indkey.values[i] != number)
			continue;
		equal = get_opfamily_member(index->rd_opfamily[i], type, type, BTEqualStrategyNumber);
		if (!OidIsValid(equal))
			elog(ERROR, "index \"%s\" has no equality", RelationGetRelationName(index));
		fmgr_info_cxt(get_opcode(equal), &column->equal, rule->context);
		column->collation = index->rd_indcollation[i];
	}
	index_close(index, AccessShareLock);
}

/* Types with others inside have their OIDs in each value, which differ from server to server. */
static bool
rule_has_oids(Oid type)
{
	type = getBaseType(type);
	return OidIsValid(get_element_type(type)) || get_typtype(type) != TYPTYPE_BASE;
}

static void
rule_plain_column(MergeRule *rule, MergeColumn *column, Form_pg_attribute attribute)
{
	column->kind = MERGE_COLUMN_PLAIN;
	column->hash = rule_name_hash(column->name);
	column->may_lack = attribute->attlen == -1 && attribute->attstorage != TYPSTORAGE_PLAIN;
	column->has_oids = column->may_lack && rule_has_oids(attribute->atttypid);
	rule->has_plain = true;
	if (!rule->lww)
		rule->unmerged = attribute->attnum - 1;
}

static void
rule_column(MergeRule *rule, const MergeShape *shape, Form_pg_attribute attribute)
{
	AttrNumber number = attribute->attnum;
	MergeColumn *column = &rule->columns[number - 1];

	column->name = MemoryContextStrdup(rule->context, NameStr(attribute->attname));
	column->length = (uint32) strlen(column->name);
	column->type = attribute->atttypid;
	column->typlen = attribute->attlen;
	column->typbyval = attribute->attbyval;
	column->companion = -1;
	if (bms_is_member(number, shape->key))
		rule_key_column(rule, column, number);
	else if (bms_is_member(number, shape->lattices))
	{
		Oid base;
		Oid function = merge_lattice_function(attribute->atttypid, shape->extension, &base);

		column->kind = MERGE_COLUMN_LATTICE;
		column->counting = merge_counting_of(base, shape->extension);
		fmgr_info_cxt(function, &column->merge, rule->context);
	}
	else if (bms_is_member(number, shape->plain))
		rule_plain_column(rule, column, attribute);
}

/* Columns of the companion are those of the same name and type. */
static void
rule_companion(MergeRule *rule, const MergeShape *shape)
{
	Relation companion = table_open(shape->companion, AccessShareLock);
	TupleDesc desc = RelationGetDescr(companion);
	MergeShape removed;

	merge_shape_read(&removed, companion, shape->extension);
	if (removed.stamp == 0 || !OidIsValid(removed.key_index))
		rule_refuse(shape, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					psprintf("companion \"%s\" of merged table \"%s\" has no key, or no column "
							 "\"%s\"",
							 removed.name, shape->name, MERGE_STAMP_COLUMN),
					"Call enable_merge again.");
	rule->companion = shape->companion;
	rule->companion_key = removed.key_index;
	rule->companion_stamp = removed.stamp - 1;
	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeColumn *column = &rule->columns[i];

		if (column->kind == MERGE_COLUMN_IGNORED)
			continue;
		for (int j = 0; j < desc->natts; j++)
		{
			Form_pg_attribute there = TupleDescAttr(desc, j);

			if (!there->attisdropped && there->atttypid == column->type &&
				strcmp(NameStr(there->attname), column->name) == 0)
				column->companion = j;
		}
		if (column->companion < 0 && column->kind != MERGE_COLUMN_PLAIN)
			rule->uncompanioned = i;
	}
	for (int i = 0; i < list_length(removed.key_columns); i++)
	{
		AttrNumber key = (AttrNumber) list_nth_int(removed.key_columns, i);
		bool is_key = false;

		for (int j = 0; j < rule->ncolumns; j++)
			is_key |= rule->columns[j].kind == MERGE_COLUMN_KEY &&
				rule->columns[j].companion == key - 1;
		if (!is_key || list_length(removed.key_columns) != list_length(shape->key_columns))
			rule_refuse(shape, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
						psprintf("companion \"%s\" of merged table \"%s\" has another key",
								 removed.name, shape->name),
						"Call enable_merge again.");
	}
	table_close(companion, AccessShareLock);
}

/*
 * Which columns are sent?  Those that all publications of the table have, or of a
 * table of which it is a partition.
 */
static void
rule_publication(MergeRule *rule, Oid publication, Oid table)
{
	HeapTuple tuple = SearchSysCache2(PUBLICATIONRELMAP, ObjectIdGetDatum(table),
									  ObjectIdGetDatum(publication));
	Bitmapset *columns = NULL;
	bool isnull = true;
	Datum value = (Datum) 0;

	if (!HeapTupleIsValid(tuple))
		return;
	if (COMPAT_PUBLICATION_COLUMNS > 0)
		value = SysCacheGetAttr(PUBLICATIONRELMAP, tuple, COMPAT_PUBLICATION_COLUMNS, &isnull);
	if (!isnull)
		columns = compat_published_columns(value);
	ReleaseSysCache(tuple);
	for (int i = 0; !isnull && i < rule->ncolumns; i++)
	{
		MergeColumn *column = &rule->columns[i];

		if (column->kind == MERGE_COLUMN_PLAIN &&
			!bms_is_member(get_attnum(table, column->name), columns))
			column->sent = false;
	}
}

static void
rule_publications(MergeRule *rule, Relation table)
{
	List *tables = list_make1_oid(rule->table);
	ListCell *cell;

	if (table->rd_rel->relispartition)
		tables = list_concat(tables, get_partition_ancestors(rule->table));
	for (int i = 0; i < rule->ncolumns; i++)
		rule->columns[i].sent = true;
	foreach (cell, tables)
	{
		List *publications = GetRelationPublications(lfirst_oid(cell));
		ListCell *publication;

		foreach (publication, publications)
		{
			rule_publication(rule, lfirst_oid(publication), lfirst_oid(cell));
		}
	}
	for (int i = 0; i < rule->ncolumns; i++)
	{
		if (rule->columns[i].kind == MERGE_COLUMN_PLAIN && rule->columns[i].sent)
			rule->sent_columns ^= rule->columns[i].hash;
	}
}

/*
 * Of which columns is a hash of names?  It is the sum (without carry) of those of
 * the names.  Where it is not that of all columns that are sent, few columns will
 * make the difference, which were added or taken out; where it is that of none so
 * found, no column is known to be meant.
 */
static Bitmapset *
rule_find_told(MergeRule *rule, uint64 hash)
{
	Bitmapset *told = NULL;
	uint64 rest = hash;
	int missing[RULE_MAX_UNTOLD];
	int count = 0;
	int n = rule->ncolumns;

	for (int i = 0; i < n; i++)
	{
		if (rule->columns[i].kind == MERGE_COLUMN_PLAIN)
		{
			told = bms_add_member(told, i);
			rest ^= rule->columns[i].hash;
		}
	}
	if (rest == 0)
		return told;
	for (int i = 0; i < n && count == 0; i++)
	{
		if (!bms_is_member(i, told))
			continue;
		if (rule->columns[i].hash == rest)
			missing[count++] = i;
		for (int j = i + 1; j < n && count == 0; j++)
		{
			uint64 two = rule->columns[i].hash ^ rule->columns[j].hash;

			if (!bms_is_member(j, told))
				continue;
			if (two == rest)
			{
				missing[count++] = i;
				missing[count++] = j;
			}
			for (int k = j + 1; k < n && n <= RULE_MANY_COLUMNS && count == 0; k++)
			{
				if (bms_is_member(k, told) && (two ^ rule->columns[k].hash) == rest)
				{
					missing[count++] = i;
					missing[count++] = j;
					missing[count++] = k;
				}
			}
		}
	}
	if (count == 0)
		return NULL;
	while (count > 0)
		told = bms_del_member(told, missing[--count]);
	return told;
}

/* The columns that a hash of names is of; none, if that cannot be told. */
static const Bitmapset *
rule_told(MergeRule *rule, uint64 hash)
{
	if (hash != rule->told)
	{
		MemoryContext before = MemoryContextSwitchTo(rule->context);

		bms_free(rule->told_columns);
		rule->told_columns = rule_find_told(rule, hash);
		rule->told = hash;
		MemoryContextSwitchTo(before);
	}
	return rule->told_columns;
}

/* Did the write of a row, with this hash of the names of its columns, write a column? */
bool
merge_rule_covers(MergeRule *rule, uint64 hash, int column)
{
	if (hash == 0)
		return true; /* of a row that was there before merging */
	if (hash == rule->sent_columns)
		return rule->columns[column].sent;
	return bms_is_member(column, rule_told(rule, hash));
}

/* Is it known of which columns a hash is?  Not where one of them is no longer there. */
bool
merge_rule_knows(MergeRule *rule, uint64 hash)
{
	return hash == 0 || hash == rule->sent_columns || rule_told(rule, hash) != NULL;
}

/*
 * Building and keeping
 */

static void
rule_build(MergeRule *rule, Relation table, Oid extension)
{
	TupleDesc desc = RelationGetDescr(table);
	MergeShape shape;

	merge_shape_read(&shape, table, extension);
	rule_check(&shape);
	rule->extension = extension;
	rule->owner = shape.owner;
	rule->key_index = shape.key_index;
	rule->root = rule->table;
	if (table->rd_rel->relispartition)
		rule->root = llast_oid(get_partition_ancestors(rule->table));
	rule->lww = strcmp(shape.row_trigger->tgargs[0], MERGE_LWW) == 0;
	rule->keep = strcmp(shape.row_trigger->tgargs[1], MERGE_KEEP) == 0;
	rule->stamp = shape.stamp - 1;
	rule->unmerged = -1;
	rule->uncompanioned = -1;
	rule->toast_target = (Size) RelationGetToastTupleTarget(table, (int) TOAST_TUPLE_TARGET);
	rule->ncolumns = desc->natts;
	rule->columns = MemoryContextAllocZero(rule->context, sizeof(MergeColumn) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
		rule_column(rule, &shape, TupleDescAttr(desc, i));
	rule_companion(rule, &shape);
	rule_publications(rule, table);
	/* how nodes are told from those that were never heard of, and those that join hear of it */
	rule->permanent = shape.table == get_relname_relid("merge_nodes", extension);
	rule->last_dot = merge_purged_dot(extension, rule->root);
}

/* The definition of a table or of its companion, or of any, has changed. */
static void
rule_invalidate_relation(Datum argument, Oid relation)
{
	HASH_SEQ_STATUS status;
	MergeRuleSlot *slot;

	merge_rules_changes++;
	hash_seq_init(&status, merge_rules);
	while ((slot = hash_seq_search(&status)) != NULL)
	{
		if (slot->rule &&
			(!OidIsValid(relation) || slot->table == relation || slot->rule->companion == relation))
			slot->rule->valid = false;
	}
}

/* A type, a function, or a publication. */
static void
rule_invalidate_all(Datum argument, int cache, uint32 hash)
{
	rule_invalidate_relation((Datum) 0, InvalidOid);
}

/* At its end, nothing of the transaction is on the stack. */
static void
rule_forget_replaced(XactEvent event, void *argument)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	while (merge_rules_replaced != NIL)
	{
		MergeRule *rule = linitial(merge_rules_replaced);

		merge_rules_replaced = list_delete_first(merge_rules_replaced);
		MemoryContextDelete(rule->context);
	}
}

static void
rule_start(void)
{
	HASHCTL control;

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(MergeRuleSlot);
	merge_rules = hash_create("distributed merge rules", 16, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(rule_invalidate_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, rule_invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, rule_invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(PUBLICATIONRELMAP, rule_invalidate_all, (Datum) 0);
	RegisterXactCallback(rule_forget_replaced, NULL);
}

/* How a table is merged.  It stays valid to the transaction's end. */
MergeRule *
merge_rule_get(Relation table, Oid extension)
{
	Oid oid = RelationGetRelid(table);
	MemoryContext context;
	MergeRuleSlot *slot;
	MergeRule *rule;
	uint64 changes;
	bool found;

	if (merge_rules == NULL)
		rule_start();
	slot = hash_search(merge_rules, &oid, HASH_ENTER, &found);
	if (!found)
		slot->rule = NULL;
	if (slot->rule && slot->rule->valid && slot->rule->extension == extension)
		return slot->rule;

	context = AllocSetContextCreate(CurTransactionContext, "merge rule", ALLOCSET_SMALL_SIZES);
	rule = MemoryContextAllocZero(context, sizeof(MergeRule));
	rule->table = oid;
	rule->context = context;
	changes = merge_rules_changes;
	rule_build(rule, table, extension);
	/* if something has changed meanwhile, it is to be built again */
	rule->valid = changes == merge_rules_changes;
	MemoryContextSetParent(context, CacheMemoryContext);
	slot = hash_search(merge_rules, &oid, HASH_ENTER, &found);
	if (slot->rule)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		merge_rules_replaced = lappend(merge_rules_replaced, slot->rule);
		MemoryContextSwitchTo(before);
	}
	slot->rule = rule;
	return rule;
}

/* The table, not a partition, whose removed rows are in a companion; or none. */
Oid
merge_rule_companion_of(Relation companion, Oid extension)
{
	HASH_SEQ_STATUS status;
	MergeRuleSlot *slot;
	Oid oid = RelationGetRelid(companion);
	Oid found = InvalidOid;

	if (merge_rules == NULL)
		rule_start();
	hash_seq_init(&status, merge_rules);
	while ((slot = hash_seq_search(&status)) != NULL)
	{
		if (slot->rule && slot->rule->valid && slot->rule->companion == oid &&
			slot->rule->extension == extension && slot->rule->root == slot->table)
			found = slot->table;
	}
	if (!OidIsValid(found) &&
		merge_shape_is_companion(companion, companion->rd_rel->relowner, extension))
		found = merge_shape_companion_of(oid, extension);
	return found;
}
