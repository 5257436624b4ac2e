/*
 * row_stamp.c
 *		Is a row of a replicated table there, and who wrote which of its columns
 *		when.
 *
 * Two servers that have the same row must be able to join what each has done to
 * it since they last heard of one another.  Columns of lattice types join by
 * themselves; for all others the later write wins, and for the row itself it must
 * be known whether it was removed, and whether whoever removed it had seen the
 * last write.  A row stamp says both, and no value of any column.
 *
 * Join, stored bytes, and why it is a lattice: core/write_stamp.c; JSON and binary
 * image: core/write_stamp_io.c.  (Presence is an optimized add-wins set of one
 * element: A. Bieniusa et al., "An optimized conflict-free replicated set", 2012;
 * writes are last-writer-wins registers by hybrid time: S. Kulkarni et al.,
 * "Logical physical clocks", 2014.)
 */
#include "core/compat.h"

#include "core/batch_state.h"
#include "core/compare.h"
#include "core/entry_table.h"
#include "core/sort_key.h"
#include "core/stamped_map.h"
#include "core/write_stamp.h"
#include "core/write_stamp_io.h"
#include "miscadmin.h"
#include "replication/merge_presence.h"
#include "replication/walsender.h"
#include "utils/builtins.h"

/*
 * Reading and writing
 */

PG_FUNCTION_INFO_V1(row_stamp_in);
Datum
row_stamp_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &row_stamp_face);
}

/* A walsender marks what it sends to other servers, so that merged tables know it. */
static const struct varlena *
row_stamp_to_write(FunctionCallInfo fcinfo)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);

	return am_walsender ? row_stamp_marked(value, STAMP_ARRIVES) : value;
}

PG_FUNCTION_INFO_V1(row_stamp_out);
Datum
row_stamp_out(PG_FUNCTION_ARGS)
{
	return json_face_out_value(row_stamp_to_write(fcinfo), &row_stamp_face);
}

PG_FUNCTION_INFO_V1(row_stamp_recv);
Datum
row_stamp_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &row_stamp_face);
}

PG_FUNCTION_INFO_V1(row_stamp_send);
Datum
row_stamp_send(PG_FUNCTION_ARGS)
{
	return json_face_send_value(row_stamp_to_write(fcinfo), &row_stamp_face);
}

PG_FUNCTION_INFO_V1(row_stamp_from_jsonb);
Datum
row_stamp_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &row_stamp_face);
}

PG_FUNCTION_INFO_V1(row_stamp_to_jsonb);
Datum
row_stamp_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &row_stamp_face);
}

PG_FUNCTION_INFO_V1(row_stamp_to_json);
Datum
row_stamp_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &row_stamp_face);
}

/*
 * From version 1.0
 */

/* Times before 1970 count as its beginning, as those of rows that were there before merging. */
static void
row_stamp_take_writes(RowStamp *stamp, const EntryTable *map)
{
	EntryCursor cursor;

	entry_cursor_open(&cursor, map);
	while (entry_cursor_next(&cursor))
	{
		const Entry *entry = &cursor.entry;
		WriteStamp write = {stamped_entry_time(entry), entry_table_node(map, entry->node), 0};

		CHECK_FOR_INTERRUPTS();
		write.at.nanoseconds = Min(Max(write.at.nanoseconds, 0), STAMP_MAX);
		if (entry->key_length > 0 && entry->key_length <= STAMP_COLUMN_MAX)
			row_stamp_set_column(stamp, entry->key, entry->key_length, write);
	}
}

PG_FUNCTION_INFO_V1(row_stamp_from_columns);
Datum
row_stamp_from_columns(PG_FUNCTION_ARGS)
{
	EntryTable presence;
	EntryTable writes;
	RowStamp stamp;

	entry_table_open(&presence, PG_GETARG_VARLENA_PP(0));
	entry_table_open(&writes, PG_GETARG_VARLENA_PP(1));
	merge_presence_read(&stamp, &presence);
	row_stamp_take_writes(&stamp, &writes);
	PG_RETURN_POINTER(row_stamp_close(&stamp));
}

/*
 * What all lattices have
 */

static struct varlena *
row_stamp_join_two(const struct varlena *x, const struct varlena *y)
{
	RowStamp a;
	RowStamp b;
	RowStamp joined;

	row_stamp_open(&a, x);
	row_stamp_open(&b, y);
	row_stamp_join(&joined, &a, &b);
	return row_stamp_close(&joined);
}

/* Neighbours first, so that each byte is copied as often as the number of rounds. */
static struct varlena *
row_stamp_join_all(const struct varlena *const *values, uint32 count)
{
	const struct varlena **left = palloc(sizeof(*left) * count);

	memcpy(left, values, sizeof(*left) * count);
	while (count > 1)
	{
		uint32 joined = 0;

		for (uint32 i = 0; i < count; i += 2)
		{
			CHECK_FOR_INTERRUPTS();
			left[joined++] = i + 1 < count ? row_stamp_join_two(left[i], left[i + 1]) : left[i];
		}
		count = joined;
	}
	return unconstify(struct varlena *, left[0]);
}

static const BatchLattice row_stamp_lattice = BATCH_LATTICE("row stamp", row_stamp_join_all);

PG_FUNCTION_INFO_V1(row_stamp_merge);
Datum
row_stamp_merge(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &row_stamp_lattice.base);
}

/* Two values; whoever compares may call often, and keeps what is not given back. */
static int
row_stamp_compare_datums(Datum x, Datum y)
{
	struct varlena *left = PG_DETOAST_DATUM_PACKED(x);
	struct varlena *right = PG_DETOAST_DATUM_PACKED(y);
	RowStamp a;
	RowStamp b;
	int order;

	row_stamp_open(&a, left);
	row_stamp_open(&b, right);
	order = row_stamp_compare(&a, &b);
	row_stamp_release(&a);
	row_stamp_release(&b);
	if (left != (struct varlena *) DatumGetPointer(x))
		pfree(left);
	if (right != (struct varlena *) DatumGetPointer(y))
		pfree(right);
	return order;
}

/* Does "whole" include "part", that is, does the join say no more? */
static bool
row_stamp_includes(FunctionCallInfo fcinfo, int whole, int part)
{
	RowStamp a;
	RowStamp b;
	RowStamp joined;

	row_stamp_open(&a, PG_GETARG_VARLENA_PP(whole));
	row_stamp_open(&b, PG_GETARG_VARLENA_PP(part));
	row_stamp_join(&joined, &a, &b);
	return row_stamp_compare(&joined, &a) == 0;
}

PG_FUNCTION_INFO_V1(row_stamp_contained);
Datum
row_stamp_contained(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(row_stamp_includes(fcinfo, 1, 0));
}

PG_FUNCTION_INFO_V1(row_stamp_contains);
Datum
row_stamp_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(row_stamp_includes(fcinfo, 0, 1));
}

static int
row_stamp_cmp_internal(FunctionCallInfo fcinfo)
{
	return row_stamp_compare_datums(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
}

/* A value without its marks, which say nothing of the row. */
static Datum
row_stamp_unmarked(Datum value)
{
	struct varlena *stamp = PG_DETOAST_DATUM_PACKED(value);

	return PointerGetDatum(row_stamp_marks(stamp) ? row_stamp_marked(stamp, 0) : stamp);
}

static void
row_stamp_unmark_arguments(FunctionCallInfo fcinfo, int count)
{
	for (int i = 0; i < count; i++)
		fcinfo->args[i].value = row_stamp_unmarked(fcinfo->args[i].value);
}

static bool
row_stamp_eq_internal(FunctionCallInfo fcinfo)
{
	row_stamp_unmark_arguments(fcinfo, 2);
	return lattice_equal(fcinfo);
}

COMPARISON_FUNCTIONS(row_stamp);

PG_FUNCTION_INFO_V1(row_stamp_hash);
Datum
row_stamp_hash(PG_FUNCTION_ARGS)
{
	row_stamp_unmark_arguments(fcinfo, 1);
	return lattice_hash(fcinfo);
}

PG_FUNCTION_INFO_V1(row_stamp_hash_extended);
Datum
row_stamp_hash_extended(PG_FUNCTION_ARGS)
{
	row_stamp_unmark_arguments(fcinfo, 1);
	return lattice_hash_extended(fcinfo);
}

static int
row_stamp_compare_sorted(Datum x, Datum y, SortSupport ssup)
{
	return row_stamp_compare_datums(x, y);
}

/* What comes first in the order. */
static Datum
row_stamp_abbreviate(Datum original, SortSupport ssup)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(original);
	RowStamp stamp;
	uint64 greatest;

	row_stamp_open(&stamp, value);
	greatest = row_stamp_greatest(&stamp);
	row_stamp_release(&stamp);
	if (value != (struct varlena *) DatumGetPointer(original))
		pfree(value);
	return sort_key(greatest);
}

PG_FUNCTION_INFO_V1(row_stamp_sortsupport);
Datum
row_stamp_sortsupport(PG_FUNCTION_ARGS)
{
	sort_key_install((SortSupport) PG_GETARG_POINTER(0), row_stamp_compare_sorted,
					 row_stamp_abbreviate);
	PG_RETURN_VOID();
}

/*
 * Asking
 */

PG_FUNCTION_INFO_V1(row_stamp_is_present);
Datum
row_stamp_is_present(PG_FUNCTION_ARGS)
{
	RowStamp stamp;

	row_stamp_open(&stamp, PG_GETARG_VARLENA_PP(0));
	PG_RETURN_BOOL(row_stamp_present(&stamp));
}

PG_FUNCTION_INFO_V1(row_stamp_get_context);
Datum
row_stamp_get_context(PG_FUNCTION_ARGS)
{
	RowStamp stamp;

	row_stamp_open(&stamp, PG_GETARG_VARLENA_PP(0));
	PG_RETURN_POINTER(row_stamp_context(&stamp));
}

/* The last write of the column in the second argument; false if there was none. */
static bool
row_stamp_argument(FunctionCallInfo fcinfo, WriteStamp *write)
{
	text *column = PG_GETARG_TEXT_PP(1);
	RowStamp stamp;

	row_stamp_open(&stamp, PG_GETARG_VARLENA_PP(0));
	*write = row_stamp_column(&stamp, VARDATA_ANY(column), (uint32) VARSIZE_ANY_EXHDR(column));
	return write->node.length > 0;
}

PG_FUNCTION_INFO_V1(row_stamp_stamp);
Datum
row_stamp_stamp(PG_FUNCTION_ARGS)
{
	WriteStamp write;
	char *at;

	if (!row_stamp_argument(fcinfo, &write))
		PG_RETURN_NULL();
	at = palloc(HYBRID_TIME_BYTES);
	hybrid_time_store(at, write.at);
	PG_RETURN_POINTER(at);
}

PG_FUNCTION_INFO_V1(row_stamp_node);
Datum
row_stamp_node(PG_FUNCTION_ARGS)
{
	WriteStamp write;

	if (!row_stamp_argument(fcinfo, &write))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(write.node.name, (int) write.node.length));
}
