/*
 * replica_repair.c
 *		Finding what differs between replicas, and sending it again.
 *
 * compare_replicas computes a digest of a table's rows: the MD5 of each row
 * together with the digest of the rows before it, in the order of the key.
 * What goes in is what any server would say of a row, whatever its encoding,
 * the session's settings, the order of the columns and the type's number there:
 * the text of each value, under fixed settings and in UTF-8.  (What the types'
 * send functions give would not do: for an array or a composite it has the
 * numbers of the types, which are another server's own, and texts come in the
 * client's encoding.)
 *
 * Ranges are for looking closer: they hold equally many rows of this server,
 * and each ends with the row with which the next one begins.  So together they
 * cover all keys there may be elsewhere, and nothing falls between two of them.
 *
 * resync sends rows again as if they were new: whole, through the companion, where
 * each is inserted and deleted.  An UPDATE would not do.  It says nothing of large
 * values that it leaves as they are, so they would stay missing; and who lacks
 * the row skips it.  What arrives through the companion has all values, is inserted
 * where the row is missing, and merged where it is not.  Nothing happens to the row
 * here.  Removals are inserted anew into the companion.
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_operator.h"
#include "core/query.h"
#include "miscadmin.h"
#include "replication/merge_ddl.h"
#include "replication/merge_removal.h"
#include "replication/merge_rule.h"
#include "replication/merge_shape.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#define DIGEST_BYTES 16

/*
 * Settings under which a value has one text, on every server.  An extension
 * may have given a type its own; those that follow the session are not known.
 */
static const char *const canonical_settings[][2] = {
	{"DateStyle", "ISO, YMD"},   {"IntervalStyle", "postgres"},    {"TimeZone", "UTC"},
	{"extra_float_digits", "3"}, {"bytea_output", "hex"},          {"xmlbinary", "base64"},
	{"lc_monetary", "C"},        {"quote_all_identifiers", "off"}, {"row_security", "off"},
};

static int
repair_settings_enter(void)
{
	int level = query_path_enter();

	for (int i = 0; i < (int) lengthof(canonical_settings); i++)
		(void) set_config_option(canonical_settings[i][0], canonical_settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

/*
 * Keys
 */

/* An operator of the type's default order, written out. */
static const char *
repair_operator(Oid type, int strategy)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	Oid operator= InvalidOid;
	HeapTuple tuple;
	Form_pg_operator form;
	const char *written;

	if (OidIsValid(entry->btree_opf))
		operator= get_opfamily_member(entry->btree_opf, entry->btree_opintype,
									  entry->btree_opintype, strategy);
	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "type %s has no order", format_type_be(type));
	form = (Form_pg_operator) GETSTRUCT(tuple);
	written = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
					   NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return written;
}

static Form_pg_attribute
repair_column(Relation table, int column)
{
	return TupleDescAttr(RelationGetDescr(table), column - 1);
}

/* A key column of the row t, as it is compared: in the same order on all servers. */
static const char *
repair_key_column(Relation table, int column)
{
	Form_pg_attribute key = repair_column(table, column);

	return psprintf("t.%s%s", quote_identifier(NameStr(key->attname)),
					OidIsValid(get_typcollation(key->atttypid)) ? " COLLATE pg_catalog.\"C\"" : "");
}

/* The text of an element of a bound; NULL if it has none. */
static char *
repair_bound_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

static void
repair_bad_bound(const char *which, Relation table, const MergeShape *shape)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be an array of the values of a key of \"%s\"", which, shape->name),
			 errdetail("The key has the columns %s.",
					   merge_quoted_names(merge_column_names(table, shape->key))),
			 errhint("Write it as '[\"value\", ...]'.")));
}

/*
 * Append a condition on the row t: that its key is not before, or not after, the
 * bound, whose values become arguments.
 */
static void
repair_bound(StringInfo where, QueryArguments *arguments, Relation table, const MergeShape *shape,
			 Jsonb *bound, bool is_lower)
{
	const char *which = is_lower ? "from_key" : "to_key";
	int within = is_lower ? BTGreaterEqualStrategyNumber : BTLessEqualStrategyNumber;
	int beyond = is_lower ? BTGreaterStrategyNumber : BTLessStrategyNumber;
	int keys = list_length(shape->key_columns);

	if (!JB_ROOT_IS_ARRAY(bound) || JB_ROOT_IS_SCALAR(bound) ||
		JB_ROOT_COUNT(bound) != (uint32) keys)
		repair_bad_bound(which, table, shape);

	/* the first column on its own, too, for the index on them */
	for (int i = 0; i < keys; i++)
	{
		int column = list_nth_int(shape->key_columns, i);
		Oid type = repair_column(table, column)->atttypid;
		const char *name = repair_key_column(table, column);
		char *text = repair_bound_text(getIthJsonbValueFromContainer(&bound->root, i));
		Oid input;
		Oid parameter;

		if (text == NULL)
			repair_bad_bound(which, table, shape);
		getTypeInputInfo(type, &input, &parameter);
		query_argument(arguments, type, OidInputFunctionCall(input, text, parameter, -1), false);
		appendStringInfo(where, " AND (%s %s $%d", name, repair_operator(type, within),
						 arguments->count);
		if (i + 1 < keys)
			appendStringInfo(where, " AND (%s %s $%d OR (true", name, repair_operator(type, beyond),
							 arguments->count);
	}
	for (int i = 0; i < keys; i++)
		appendStringInfoString(where, i + 1 < keys ? ")))" : ")");
}

/* Both, where they are given, behind another condition. */
static void
repair_bounds(StringInfo where, QueryArguments *arguments, Relation table, const MergeShape *shape,
			  Jsonb *from, Jsonb *to)
{
	if (from)
		repair_bound(where, arguments, table, shape, from, true);
	if (to)
		repair_bound(where, arguments, table, shape, to, false);
}

static void
repair_need_key(const MergeShape *shape)
{
	int keys = list_length(shape->key_columns);

	if (keys == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no replica identity", shape->name),
				 errhint("Give it a primary key, or ALTER TABLE ... REPLICA IDENTITY USING "
						 "INDEX.")));
	if (2 * keys > QUERY_MAX_ARGUMENTS)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the key of \"%s\" has %d columns, more than %d", shape->name, keys,
						QUERY_MAX_ARGUMENTS / 2)));
}

/*
 * Comparing
 */

/* One column of the rows that are read. */
typedef struct ComparedColumn
{
	int number;
	const char *name;
	FmgrInfo output;
} ComparedColumn;

typedef struct Comparison
{
	RowSet answer;
	int count;
	ComparedColumn *columns; /* by name */
	int keys;
	int *key; /* which of them are the key's */
	MemoryContext row;
	uint8 start[DIGEST_BYTES]; /* of a range */

	/* the ranges, and the rows read so far */
	int64 total;
	int32 ranges;
	int64 position;

	/* the range that is being read */
	int32 range;
	int64 rows;
	uint8 digest[DIGEST_BYTES];
	Datum first_key;
	bool first_open;

	/* the last range reaches as far as was asked */
	Datum to_key;
	bool to_open;
} Comparison;

static int
compared_column_order(const void *a, const void *b)
{
	return strcmp(((const ComparedColumn *) a)->name, ((const ComparedColumn *) b)->name);
}

/* Choose the columns: what is computed from others need not be compared. */
static void
comparison_columns(Comparison *comparison, Relation table, const MergeShape *shape)
{
	int natts = RelationGetNumberOfAttributes(table);

	comparison->columns = palloc(sizeof(ComparedColumn) * natts);
	comparison->count = 0;
	for (int number = 1; number <= natts; number++)
	{
		Form_pg_attribute column = repair_column(table, number);
		ComparedColumn *compared;
		Oid output;
		bool is_varlena;

		if (column->attisdropped || bms_is_member(number, shape->derived))
			continue;
		compared = &comparison->columns[comparison->count++];
		compared->number = number;
		compared->name = NameStr(column->attname);
		getTypeOutputInfo(column->atttypid, &output, &is_varlena);
		fmgr_info(output, &compared->output);
	}
	qsort(comparison->columns, comparison->count, sizeof(ComparedColumn), compared_column_order);
	comparison->keys = list_length(shape->key_columns);
	comparison->key = palloc(sizeof(int) * comparison->keys);
	for (int key = 0; key < comparison->keys; key++)
	{
		for (int i = 0; i < comparison->count; i++)
		{
			if (comparison->columns[i].number == list_nth_int(shape->key_columns, key))
				comparison->key[key] = i;
		}
	}
}

/* A text with its length before it; NULL has none. */
static void
comparison_append(StringInfo bytes, const char *text)
{
	uint32 length = PG_UINT32_MAX;
	char *converted = NULL;

	if (text)
	{
		converted = pg_server_to_any(text, (int) strlen(text), PG_UTF8);
		length = (uint32) strlen(converted);
	}
	for (int shift = 24; shift >= 0; shift -= 8)
		appendStringInfoChar(bytes, (char) ((length >> shift) & 0xff));
	if (text)
		appendBinaryStringInfo(bytes, converted, (int) length);
}

/* A digest begins with the names of the columns. */
static void
comparison_start(Comparison *comparison)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < comparison->count; i++)
		comparison_append(&names, comparison->columns[i].name);
	compat_md5(names.data, names.len, comparison->start);
	memcpy(comparison->digest, comparison->start, DIGEST_BYTES);
	comparison->range = 1;
	comparison->rows = 0;
	comparison->position = 0;
}

/* The row's key as it is shown, and can be given as a bound. */
static Datum
comparison_key(const Comparison *comparison, char *const *texts)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	for (int key = 0; key < comparison->keys; key++)
	{
		if (key)
			appendStringInfoString(&json, ", ");
		escape_json(&json, texts[comparison->key[key]]);
	}
	appendStringInfoChar(&json, ']');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* The range is over; the row of this key is its last one. */
static void
comparison_end_range(Comparison *comparison, Datum last_key, bool last_open)
{
	Datum values[5];
	bool nulls[5] = {false, comparison->first_open, last_open, false, false};
	char hex[2 * DIGEST_BYTES + 1];

	for (int i = 0; i < DIGEST_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", comparison->digest[i]);
	values[0] = Int32GetDatum(comparison->range);
	values[1] = comparison->first_key;
	values[2] = last_key;
	values[3] = Int64GetDatum(comparison->rows);
	values[4] = CStringGetTextDatum(hex);
	row_set_add(&comparison->answer, values, nulls);
	memcpy(comparison->digest, comparison->start, DIGEST_BYTES);
	comparison->range++;
	comparison->rows = 0;
}

static void
comparison_row(void *state, HeapTuple row, TupleDesc desc)
{
	Comparison *comparison = state;
	MemoryContext caller = MemoryContextSwitchTo(comparison->row);
	char **texts = palloc(sizeof(char *) * comparison->count);
	StringInfoData bytes;
	bool is_border;

	CHECK_FOR_INTERRUPTS();
	initStringInfo(&bytes);
	appendStringInfoSpaces(&bytes, DIGEST_BYTES);
	for (int i = 0; i < comparison->count; i++)
	{
		bool isnull;
		Datum value = heap_getattr(row, i + 1, desc, &isnull);

		texts[i] = isnull ? NULL : OutputFunctionCall(&comparison->columns[i].output, value);
		comparison_append(&bytes, texts[i]);
	}
	is_border = comparison->range < comparison->ranges &&
		comparison->position == comparison->range * (comparison->total - 1) / comparison->ranges;
	memcpy(bytes.data, comparison->digest, DIGEST_BYTES);
	compat_md5(bytes.data, bytes.len, comparison->digest);
	comparison->rows++;
	comparison->position++;
	if (is_border)
	{
		Datum key = comparison_key(comparison, texts);

		comparison_end_range(comparison, key, false);
		/* the next one begins with the same row */
		memcpy(bytes.data, comparison->digest, DIGEST_BYTES);
		compat_md5(bytes.data, bytes.len, comparison->digest);
		comparison->rows = 1;
		MemoryContextSwitchTo(caller);
		comparison->first_key = PointerGetDatum(PG_DETOAST_DATUM_COPY(key));
		comparison->first_open = false;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(comparison->row);
}

PG_FUNCTION_INFO_V1(compare_replicas);
Datum
compare_replicas(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	Comparison comparison = {0};
	MergeShape shape;
	StringInfoData from;
	StringInfoData wanted;
	Relation table;
	int level;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s to compare must not be null", PG_ARGISNULL(0) ? "table" : "ranges")));
	if (PG_GETARG_INT32(1) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("ranges must be at least 1")));
	table = table_open(PG_GETARG_OID(0), AccessShareLock);
	merge_shape_read(&shape, table, extension_namespace(fcinfo));
	repair_need_key(&shape);
	row_set_open(&comparison.answer, fcinfo);
	query_connect();
	level = repair_settings_enter();

	initStringInfo(&from);
	appendStringInfo(&from, " FROM %s%s AS t WHERE ",
					 table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
					 shape.qualified);
	appendStringInfoString(&from, "true");
	comparison.first_open = PG_ARGISNULL(2);
	comparison.to_open = PG_ARGISNULL(3);
	if (!comparison.first_open)
		comparison.first_key = PG_GETARG_DATUM(2);
	if (!comparison.to_open)
		comparison.to_key = PG_GETARG_DATUM(3);
	repair_bounds(&from, &arguments, table, &shape,
				  comparison.first_open ? NULL : DatumGetJsonbP(comparison.first_key),
				  comparison.to_open ? NULL : DatumGetJsonbP(comparison.to_key));

	comparison_columns(&comparison, table, &shape);
	comparison_start(&comparison);
	comparison.ranges = PG_GETARG_INT32(1);
	if (comparison.ranges > 1)
	{
		bool isnull;
		int64 total = 0;

		/* by the snapshot with which the rows are read */
		if (SPI_execute_with_args(psprintf("SELECT count(*)%s", from.data), arguments.count,
								  arguments.types, arguments.values, arguments.nulls, true,
								  0) == SPI_OK_SELECT)
			total = DatumGetInt64(
				SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		comparison.total = total;
		comparison.ranges = (int32) Min(comparison.ranges, Max(total - 1, 1));
	}

	initStringInfo(&wanted);
	for (int i = 0; i < comparison.count; i++)
		appendStringInfo(&wanted, "%s t.%s", i ? "," : "SELECT",
						 quote_identifier(comparison.columns[i].name));
	appendStringInfoString(&wanted, from.data);
	for (int key = 0; key < comparison.keys; key++)
		appendStringInfo(&wanted, "%s %s", key ? "," : " ORDER BY",
						 repair_key_column(table, list_nth_int(shape.key_columns, key)));
	comparison.row = AllocSetContextCreate(CurrentMemoryContext, "compared row",
										   ALLOCSET_DEFAULT_SIZES);
	query_each(wanted.data, &arguments, comparison_row, &comparison);
	comparison_end_range(&comparison, comparison.to_key, comparison.to_open);

	query_path_leave(level);
	query_finish();
	table_close(table, NoLock);
	PG_RETURN_NULL();
}

/*
 * Sending again
 */

/* Sending what a query finds, of a table or of its companion. */
typedef struct Resync
{
	Oid extension;
	MergeRule *rule;
	bool removals;        /* are the rows the companion's? */
	MemoryContext memory; /* of a row */
	uint64 sent;
} Resync;

/* Values by the columns of the table, from a row of the query, which has its name for each. */
static void
resync_values(const MergeRule *rule, HeapTuple tuple, TupleDesc desc, RowValues *row)
{
	row_values_init(row, rule->ncolumns);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		const MergeColumn *column = &rule->columns[i];
		int number = column->name ? SPI_fnumber(desc, column->name) : SPI_ERROR_NOATTRIBUTE;

		if (number > 0 && (column->kind != MERGE_COLUMN_IGNORED || i == rule->stamp))
			row->values[i] = heap_getattr(tuple, number, desc, &row->nulls[i]);
	}
}

static void
resync_row(void *state, HeapTuple tuple, TupleDesc desc)
{
	Resync *resync = state;
	MemoryContext caller = MemoryContextSwitchTo(resync->memory);
	RowValues row;

	CHECK_FOR_INTERRUPTS();
	resync_values(resync->rule, tuple, desc, &row);
	if (resync->removals)
		resync->sent += merge_removal_renew(resync->rule, &row);
	else
	{
		merge_removal_pass(resync->rule, &row);
		resync->sent++;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(resync->memory);
}

PG_FUNCTION_INFO_V1(resync);
Datum
resync(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	Resync resync = {0};
	MergeShape shape;
	StringInfoData where;
	Relation companion;
	Relation table;
	int level;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table to resync must not be null")));
	/* before anybody waits for the lock */
	if (!compat_owns_table(PG_GETARG_OID(0), GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(PG_GETARG_OID(0)));
	PreventCommandIfReadOnly("resync()");
	resync.extension = extension_namespace(fcinfo);
	table = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	merge_shape_read(&shape, table, resync.extension);
	if (shape.row_trigger == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not merged", shape.name),
				 errhint("Call enable_merge for it.")));
	repair_need_key(&shape);
	/* what is known of the companion holds from when it is locked */
	companion = table_open(merge_rule_get(table, resync.extension)->companion, RowExclusiveLock);
	resync.rule = merge_rule_get(table, resync.extension);
	resync.memory = AllocSetContextCreate(CurrentMemoryContext, "resync", ALLOCSET_DEFAULT_SIZES);
	query_connect();
	level = repair_settings_enter();
	initStringInfo(&where);
	repair_bounds(&where, &arguments, table, &shape, PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1),
				  PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2));
	query_each(psprintf("SELECT * FROM %s%s AS t WHERE true%s",
						table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
						shape.qualified, where.data),
			   &arguments, resync_row, &resync);
	resync.removals = true;
	query_each(psprintf("SELECT * FROM ONLY %s AS t WHERE true%s",
						merge_table_name(resync.rule->companion), where.data),
			   &arguments, resync_row, &resync);
	query_path_leave(level);
	query_finish();
	table_close(companion, NoLock);
	table_close(table, NoLock);
	PG_RETURN_INT64((int64) resync.sent);
}
