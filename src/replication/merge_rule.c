/*
 * merge_rule.c
 *		What is known of a merged table: how each of its columns is merged.
 *
 * All of it follows from the table's definition and the arguments of its
 * trigger; there is no list of merged tables elsewhere.  A session works it
 * out once per table, and again when the table's definition changes.
 *
 * Anybody may put the trigger on a table of theirs, so nothing is taken for
 * granted: the hidden columns have the types that C code takes them for, or
 * the trigger raises an error.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "replication/merge_purge.h"
#include "replication/merge_rule.h"
#include "replication/merge_shape.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct MergeRuleSlot
{
	Oid table;
	MergeRule *rule;
} MergeRuleSlot;

static HTAB *merge_rules = NULL;

/* Rules that were replaced, but may be in use further up in the stack. */
static List *merge_rules_replaced = NIL;

/*
 * Do the texts of a type's values mean the same whatever the search path is?
 * Not those of regclass and its kin, and what has them inside.
 */
static bool
merge_rule_text_is_plain(Oid type)
{
	switch (getBaseType(type))
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case BYTEAOID:
		case DATEOID:
		case TIMEOID:
		case TIMETZOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case INTERVALOID:
		case UUIDOID:
		case JSONOID:
		case JSONBOID:
		case INETOID:
		case CIDROID:
		case BITOID:
		case VARBITOID:
			return true;
		default:
			return false;
	}
}

/* The value {} of a column of our own. */
static Datum
merge_rule_bottom(MergeRule *rule, TupleDesc desc, int column)
{
	MemoryContext before = MemoryContextSwitchTo(rule->context);
	Oid input;
	Oid parameter;
	Datum bottom;

	getTypeInputInfo(TupleDescAttr(desc, column)->atttypid, &input, &parameter);
	bottom = OidInputFunctionCall(input, pstrdup("{}"), parameter, -1);
	MemoryContextSwitchTo(before);
	return bottom;
}

static void
merge_rule_plain_column(MergeRule *rule, MergeColumn *column, Form_pg_attribute attribute)
{
	Oid function;
	bool isvarlena;

	column->kind = MERGE_COLUMN_PLAIN;
	getTypeOutputInfo(attribute->atttypid, &function, &isvarlena);
	fmgr_info_cxt(function, &column->output, rule->context);
	getTypeInputInfo(attribute->atttypid, &function, &column->input_parameter);
	fmgr_info_cxt(function, &column->input, rule->context);
	column->typmod = attribute->atttypmod;
	column->has_default = attribute->atthasdef;
	if (getBaseType(attribute->atttypid) == CASHOID)
		rule->needs_money = true;
	else if (!merge_rule_text_is_plain(attribute->atttypid))
		rule->needs_path = rule->needs_money = true;
}

/* What a table must have for its rows to be merged, whoever made the trigger. */
static void
merge_rule_check(const MergeShape *shape, const Trigger *trigger)
{
	if (trigger->tgnargs != 2)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" of table \"%s\" has %d arguments, not 2", trigger->tgname,
						shape->name, trigger->tgnargs),
				 errhint("enable_merge makes the triggers of a merged table.")));
	if (shape->reserved)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of merged table \"%s\" is not of type %s", shape->reserved,
						shape->name, format_type_be(shape->reserved_type))));
	if (shape->presence == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("merged table \"%s\" has no column \"%s\"", shape->name,
						MERGE_PRESENCE_COLUMN),
				 errhint("enable_merge makes it.")));
	if (!OidIsValid(shape->key_index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("merged table \"%s\" has lost its replica identity", shape->name),
				 errhint("Give it a primary key, or use ALTER TABLE ... REPLICA IDENTITY USING "
						 "INDEX.")));
}

/* The columns of the key, for a statement. */
static const char *
merge_rule_key(const MergeShape *shape, Relation table)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < list_length(shape->key_columns); i++)
	{
		AttrNumber column = (AttrNumber) list_nth_int(shape->key_columns, i);

		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(merge_column_name(table, column)));
	}
	return list.data;
}

/* The statements that the trigger runs itself. */
static void
merge_rule_statements(MergeRule *rule, const MergeShape *shape, Relation table)
{
	MemoryContext before = MemoryContextSwitchTo(rule->context);
	TupleDesc desc = RelationGetDescr(table);
	const char *name = MemoryContextStrdup(rule->context, shape->qualified);
	StringInfoData columns;
	StringInfoData values;
	StringInfoData changes;

	initStringInfo(&columns);
	initStringInfo(&values);
	initStringInfo(&changes);
	rule->insert_columns = palloc(sizeof(int) * rule->ncolumns);
	rule->insert_types = palloc(sizeof(Oid) * rule->ncolumns);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *column = quote_identifier(NameStr(attribute->attname));

		if (rule->columns[i].kind == MERGE_COLUMN_IGNORED)
			continue;
		rule->insert_types[rule->ninsert] = attribute->atttypid;
		rule->insert_columns[rule->ninsert++] = i;
		appendStringInfo(&columns, "%s%s", rule->ninsert > 1 ? ", " : "", column);
		appendStringInfo(&values, "%s$%d", rule->ninsert > 1 ? ", " : "", rule->ninsert);
		/* plain columns follow their stamps */
		if (rule->columns[i].kind == MERGE_COLUMN_LATTICE)
			appendStringInfo(&changes, "%s%s = EXCLUDED.%s", changes.len > 0 ? ", " : "", column,
							 column);
	}
	rule->insert_sql = psprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)", name,
								columns.data, values.data);
	rule->arrive_sql = psprintf("%s ON CONFLICT (%s) DO UPDATE SET %s", rule->insert_sql,
								merge_rule_key(shape, table), changes.data);
	rule->remove_sql = psprintf("UPDATE ONLY %s SET %s = %s WHERE ctid OPERATOR(pg_catalog.=) $1",
								name, MERGE_PRESENCE_COLUMN, MERGE_PRESENCE_COLUMN);
	MemoryContextSwitchTo(before);
}

/* Keys are equal where the index that tells rows apart has them equal. */
static void
merge_rule_key_column(MergeRule *rule, MergeColumn *column, AttrNumber number)
{
	Relation index = index_open(rule->identity_index, AccessShareLock);

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

static void
merge_rule_build_column(MergeRule *rule, const MergeShape *shape, Form_pg_attribute attribute)
{
	AttrNumber number = attribute->attnum;
	MergeColumn *column = &rule->columns[number - 1];

	column->name = MemoryContextStrdup(rule->context, NameStr(attribute->attname));
	column->typlen = attribute->attlen;
	column->typbyval = attribute->attbyval;
	if (bms_is_member(number, shape->key))
		merge_rule_key_column(rule, column, number);
	else if (bms_is_member(number, shape->lattices) || number == shape->presence ||
			 number == shape->stamps)
	{
		Oid base;
		Oid function = merge_lattice_function(attribute->atttypid, shape->extension, &base);

		column->kind = MERGE_COLUMN_LATTICE;
		column->counting = merge_counting_of(base, shape->extension);
		fmgr_info_cxt(function, &column->merge, rule->context);
	}
	else if (bms_is_member(number, shape->plain))
	{
		merge_rule_plain_column(rule, column, attribute);
		if (!rule->lww || rule->stamps < 0)
			rule->unstamped = number - 1;
	}
}

static void
merge_rule_build(MergeRule *rule, const TriggerData *trigger, Oid extension)
{
	Relation table = trigger->tg_relation;
	TupleDesc desc = RelationGetDescr(table);
	Trigger *definition = trigger->tg_trigger;
	MergeShape shape;

	merge_shape_read(&shape, table, extension);
	merge_rule_check(&shape, definition);
	rule->extension = extension;
	rule->identity_index = shape.key_index;
	rule->lww = strcmp(definition->tgargs[0], MERGE_LWW) == 0;
	rule->keep = strcmp(definition->tgargs[1], MERGE_KEEP) == 0;
	/* how nodes are told from those that were never heard of, and those that join hear of it */
	rule->permanent = shape.table == get_relname_relid("merge_nodes", extension);
	rule->presence = shape.presence - 1;
	rule->stamps = shape.stamps - 1;
	rule->unstamped = -1;
	rule->no_presence = merge_rule_bottom(rule, desc, rule->presence);
	if (rule->stamps >= 0)
		rule->no_stamps = merge_rule_bottom(rule, desc, rule->stamps);
	rule->ncolumns = desc->natts;
	rule->columns = MemoryContextAllocZero(rule->context, sizeof(MergeColumn) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
		merge_rule_build_column(rule, &shape, TupleDescAttr(desc, i));
	merge_rule_statements(rule, &shape, table);
	rule->last_dot = merge_purged_dot(extension, rule->table);
}

/* The definition of one table, or of any, has changed. */
static void
merge_rule_invalidate(Datum argument, Oid table)
{
	HASH_SEQ_STATUS status;
	MergeRuleSlot *slot;

	if (OidIsValid(table))
	{
		slot = hash_search(merge_rules, &table, HASH_FIND, NULL);
		if (slot && slot->rule)
			slot->rule->valid = false;
		return;
	}
	hash_seq_init(&status, merge_rules);
	while ((slot = hash_seq_search(&status)) != NULL)
	{
		if (slot->rule)
			slot->rule->valid = false;
	}
}

/* At its end, nothing of the transaction is on the stack. */
static void
merge_rule_forget_replaced(XactEvent event, void *argument)
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
merge_rule_start(void)
{
	HASHCTL control;

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(MergeRuleSlot);
	merge_rules = hash_create("distributed merge rules", 16, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(merge_rule_invalidate, (Datum) 0);
	RegisterXactCallback(merge_rule_forget_replaced, NULL);
}

/* How the table of the trigger is merged.  It stays valid to the transaction's end. */
MergeRule *
merge_rule_get(const TriggerData *trigger, Oid extension)
{
	Oid table = RelationGetRelid(trigger->tg_relation);
	MemoryContext context;
	MergeRuleSlot *slot;
	MergeRule *rule;
	bool found;

	if (merge_rules == NULL)
		merge_rule_start();
	slot = hash_search(merge_rules, &table, HASH_ENTER, &found);
	if (!found)
		slot->rule = NULL;
	if (slot->rule && slot->rule->valid && slot->rule->extension == extension)
		return slot->rule;

	context = AllocSetContextCreate(CurTransactionContext, "merge rule", ALLOCSET_SMALL_SIZES);
	rule = MemoryContextAllocZero(context, sizeof(MergeRule));
	rule->table = table;
	rule->context = context;
	merge_rule_build(rule, trigger, extension);
	MemoryContextSetParent(context, CacheMemoryContext);
	slot = hash_search(merge_rules, &table, HASH_ENTER, &found);
	if (slot->rule)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		merge_rules_replaced = lappend(merge_rules_replaced, slot->rule);
		MemoryContextSwitchTo(before);
	}
	rule->valid = true;
	slot->rule = rule;
	return rule;
}
