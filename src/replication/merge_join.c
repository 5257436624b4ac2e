/*
 * merge_join.c
 *		The join of two rows of a merged table.
 *
 * It is a join column by column, so it is commutative, associative and idempotent
 * as they are: lattice columns by their own merge function, the hidden column by
 * that of row stamps, and of each plain column the value that was written later.
 *
 * Which write a value is of, the row's stamp says: the one that is listed for the
 * column, else that of the row, if the row's write was one of this column too.  It
 * was not where the writer's table had no such column, or did not send it: so the
 * stamp has a hash of the names of the columns that it covers.  A column that
 * neither lists nor covers has not been written, and any write of it wins.
 *
 * A stamp never vouches for a value that did not come.  PostgreSQL does not send a
 * large value that an UPDATE leaves as it was, and what we see in its place is the
 * value that is here.  So the write of a large value has a hash of it, and where
 * that is not the hash of what we see, the write is not taken over: the row is
 * incomplete, until it is sent whole.
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "replication/merge_join.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/*
 * Values
 */

void
row_values_init(RowValues *row, int count)
{
	row->values = palloc0(sizeof(Datum) * count);
	row->nulls = palloc(sizeof(bool) * count);
	memset(row->nulls, true, sizeof(bool) * count);
}

void
row_values_open(RowValues *row, HeapTuple tuple, TupleDesc desc)
{
	row->values = palloc(sizeof(Datum) * desc->natts);
	row->nulls = palloc(sizeof(bool) * desc->natts);
	heap_deform_tuple(tuple, desc, row->values, row->nulls);
}

/* Values are borrowed. */
void
row_values_copy(RowValues *row, const RowValues *from, int count)
{
	row->values = palloc(sizeof(Datum) * count);
	row->nulls = palloc(sizeof(bool) * count);
	memcpy(row->values, from->values, sizeof(Datum) * count);
	memcpy(row->nulls, from->nulls, sizeof(bool) * count);
}

/* From a slot, which must stay. */
void
row_values_from_slot(RowValues *row, TupleTableSlot *slot)
{
	RowValues there = {slot->tts_values, slot->tts_isnull};

	slot_getallattrs(slot);
	row_values_copy(row, &there, slot->tts_tupleDescriptor->natts);
}

void
row_values_to_slot(TupleTableSlot *slot, const RowValues *row)
{
	int count = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, row->values, sizeof(Datum) * count);
	memcpy(slot->tts_isnull, row->nulls, sizeof(bool) * count);
	ExecStoreVirtualTuple(slot);
}

/* Copies of values that lie in a row which goes away, in its toast table too. */
void
row_values_own(const MergeRule *rule, RowValues *row)
{
	for (int i = 0; i < rule->ncolumns; i++)
	{
		const MergeColumn *column = &rule->columns[i];

		if (row->nulls[i] || column->typbyval || column->typlen == 0)
			continue;
		row->values[i] = column->typlen == -1
			? PointerGetDatum(PG_DETOAST_DATUM_COPY(row->values[i]))
			: datumCopy(row->values[i], false, column->typlen);
	}
}

void
row_take(RowValues *row, const RowValues *from, int column)
{
	row->values[column] = from->values[column];
	row->nulls[column] = from->nulls[column];
}

bool
row_same(const MergeRule *rule, const RowValues *a, const RowValues *b, int column)
{
	const MergeColumn *definition = &rule->columns[column];

	if (a->nulls[column] || b->nulls[column])
		return a->nulls[column] && b->nulls[column];
	if (definition->typbyval || a->values[column] == b->values[column])
		return a->values[column] == b->values[column];
	if (definition->typlen == -1 && VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(a->values[column])) &&
		VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(b->values[column])) &&
		memcmp(DatumGetPointer(a->values[column]), DatumGetPointer(b->values[column]),
			   VARSIZE_EXTERNAL(DatumGetPointer(a->values[column]))) == 0)
		return true; /* the same stored value */
	return datum_image_eq(a->values[column], b->values[column], definition->typbyval,
						  definition->typlen);
}

/*
 * Stamps
 */

/* The hidden column, whose default may be gone. */
struct varlena *
row_stamp_of(const MergeRule *rule, const RowValues *row)
{
	RowStamp empty;

	if (!row->nulls[rule->stamp])
		return PG_DETOAST_DATUM_PACKED(row->values[rule->stamp]);
	row_stamp_init(&empty, 0, 0);
	return row_stamp_close(&empty);
}

void
row_set_stamp(const MergeRule *rule, RowValues *row, struct varlena *stamp)
{
	row->values[rule->stamp] = PointerGetDatum(stamp);
	row->nulls[rule->stamp] = false;
}

/* Of a removal, whose plain columns have no values, only what is seen of the row. */
struct varlena *
row_stamp_without_writes(const struct varlena *flat)
{
	WriteStamp none = {0};
	RowStamp stamp;

	row_stamp_open(&stamp, flat);
	stamp.ncolumns = 0;
	row_stamp_set_row(&stamp, none);
	return row_stamp_close(&stamp);
}

/* The last write of a plain column; of no node, if there was none. */
WriteStamp
merge_column_write(MergeRule *rule, const RowStamp *stamp, int column)
{
	const MergeColumn *definition = &rule->columns[column];
	const StampColumn *listed = NULL;
	WriteStamp write = {0};

	if (stamp->ncolumns > 0)
		listed = row_stamp_find_column(stamp, definition->name, definition->length);
	if (listed)
		return listed->write;
	if (stamp->row.node.length > 0 && merge_rule_covers(rule, stamp->row.hash, column))
	{
		write = stamp->row;
		write.hash = 0;
	}
	return write;
}

/*
 * Take out the names that the table lacks; false if there are none.  Servers have
 * columns before they are sent, so such a name is of one that was dropped, or renamed.
 */
bool
merge_forget_columns(const MergeRule *rule, RowStamp *stamp)
{
	uint32 kept = 0;
	bool forgotten;

	for (uint32 i = 0; i < stamp->ncolumns; i++)
	{
		const StampColumn *listed = &stamp->columns[i];
		bool known = false;

		for (int j = 0; j < rule->ncolumns && !known; j++)
		{
			const MergeColumn *column = &rule->columns[j];

			known = column->kind == MERGE_COLUMN_PLAIN && column->length == listed->length &&
				memcmp(column->name, listed->name, listed->length) == 0;
		}
		if (known)
			stamp->columns[kept++] = *listed;
	}
	forgotten = kept < stamp->ncolumns;
	stamp->ncolumns = kept;
	return forgotten;
}

/* The text of a value that has OIDs inside, under settings that are the same everywhere. */
static char *
merge_value_text(const MergeColumn *column, Datum value)
{
	static const char *const settings[][2] = {
		{"DateStyle", "ISO, YMD"},   {"IntervalStyle", "postgres"}, {"TimeZone", "UTC"},
		{"extra_float_digits", "3"}, {"bytea_output", "hex"},       {"xmlbinary", "base64"},
		{"lc_monetary", "C"},        {"search_path", "pg_catalog"},
	};
	int level = NewGUCNestLevel();
	Oid output;
	bool is_varlena;
	char *text;

	for (int i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	getTypeOutputInfo(column->type, &output, &is_varlena);
	text = OidOutputFunctionCall(output, value);
	AtEOXact_GUC(true, level);
	return text;
}

/* A hash of a large value, never 0: its length, and a checksum of its bytes. */
uint64
merge_value_hash(const MergeColumn *column, Datum value)
{
	const char *bytes;
	Size size;
	pg_crc32c checksum;

	if (column->has_oids)
	{
		bytes = merge_value_text(column, value);
		size = strlen(bytes);
	}
	else
	{
		struct varlena *flat = PG_DETOAST_DATUM_PACKED(value);

		bytes = VARDATA_ANY(flat);
		size = VARSIZE_ANY_EXHDR(flat);
	}
	INIT_CRC32C(checksum);
	COMP_CRC32C(checksum, bytes, size);
	FIN_CRC32C(checksum);
	return ((uint64) size + 1) | ((uint64) checksum << 32);
}

/*
 * The join
 */

/* Is what a lattice column has in one row included in another's?  NULL says least. */
bool
merge_column_includes(MergeRule *rule, int column, const RowValues *whole, const RowValues *part)
{
	MergeColumn *definition = &rule->columns[column];
	Datum joined;

	if (part->nulls[column] || row_same(rule, whole, part, column))
		return true;
	if (whole->nulls[column])
		return false;
	joined = FunctionCall2Coll(&definition->merge, InvalidOid, part->values[column],
							   whole->values[column]);
	return datum_image_eq(joined, whole->values[column], definition->typbyval, definition->typlen);
}

/* Let row := there | row; true if that is less than it was. */
static bool
join_lattice(MergeRule *rule, RowValues *row, const RowValues *there, int column,
			 MergeOutcome *outcome)
{
	MergeColumn *definition = &rule->columns[column];
	Datum joined;
	bool lacks;

	if (there->nulls[column])
	{
		outcome->changed |= !row->nulls[column];
		return false;
	}
	if (row->nulls[column] || row_same(rule, row, there, column))
	{
		lacks = row->nulls[column];
		row_take(row, there, column);
		return lacks;
	}
	joined = FunctionCall2Coll(&definition->merge, InvalidOid, there->values[column],
							   row->values[column]);
	lacks = !datum_image_eq(joined, row->values[column], definition->typbyval, definition->typlen);
	row->values[column] = joined;
	if (row_same(rule, row, there, column))
		row_take(row, there, column);
	else
		outcome->changed = true;
	return lacks;
}

/* Has the value that a write is of come with it?  A column that was large may be of another type. */
static bool
join_vouched(const MergeColumn *column, const WriteStamp *write, const RowValues *row, int which)
{
	return write->hash == 0 || !column->may_lack ||
		(!row->nulls[which] && write->hash == merge_value_hash(column, row->values[which]));
}

/* The same for a plain column; "joined" comes to say whose value it is. */
static bool
join_plain(MergeRule *rule, RowValues *row, const RowValues *there, int column,
		   const RowStamp *arrived, const RowStamp *stood, RowStamp *joined, MergeOutcome *outcome)
{
	const MergeColumn *definition = &rule->columns[column];
	WriteStamp here = merge_column_write(rule, stood, column);
	WriteStamp came = merge_column_write(rule, arrived, column);
	int order = write_stamp_compare(&came, &here);
	WriteStamp result = here;
	WriteStamp said;

	if (order > 0 && !join_vouched(definition, &came, row, column))
		outcome->incomplete = true;
	else if (order > 0)
		result = came;
	if (order <= 0 || outcome->incomplete ||
		(hybrid_time_compare(came.at, here.at) == 0 && came.node.length == here.node.length &&
		 memcmp(came.node.name, here.node.name, here.node.length) == 0))
		row_take(row, there, column);
	said = merge_column_write(rule, joined, column);
	if (write_stamp_compare(&said, &result) != 0)
		row_stamp_set_column(joined, definition->name, definition->length, result);
	return order < 0;
}

/*
 * Let row := there | row.  Keys are those that are there.
 */
void
merge_join_rows(MergeRule *rule, RowValues *row, const RowValues *there, MergeOutcome *outcome)
{
	struct varlena *before = row_stamp_of(rule, there);
	struct varlena *after;
	RowStamp stood;
	RowStamp arrived;
	RowStamp joined;
	bool lacks = false;

	memset(outcome, 0, sizeof(*outcome));
	row_stamp_open(&stood, before);
	row_stamp_open(&arrived, row_stamp_of(rule, row));
	row_stamp_join(&joined, &stood, &arrived);
	(void) merge_forget_columns(rule, &joined);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeOutcome column = {0};

		switch (rule->columns[i].kind)
		{
			case MERGE_COLUMN_LATTICE:
				lacks |= join_lattice(rule, row, there, i, outcome);
				break;
			case MERGE_COLUMN_PLAIN:
				lacks |= join_plain(rule, row, there, i, &arrived, &stood, &joined, &column);
				outcome->incomplete |= column.incomplete;
				break;
			case MERGE_COLUMN_KEY:
				row_take(row, there, i);
				break;
			case MERGE_COLUMN_IGNORED:
				break;
		}
	}
	after = row_stamp_close(&joined);
	row_set_stamp(rule, row, after);
	outcome->changed |= VARSIZE_ANY_EXHDR(after) != VARSIZE_ANY_EXHDR(before) ||
		memcmp(VARDATA_ANY(after), VARDATA_ANY(before), VARSIZE_ANY_EXHDR(after)) != 0;
	outcome->conflict = outcome->changed && lacks;
}
