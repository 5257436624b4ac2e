/*
 * merge_columns.c
 *		Plain columns of a merged table and their stamps.
 *
 * A plain column follows its last writer.  Who that is, and what was written,
 * is in the row's column _merge_stamps, a map from names of columns to texts
 * with stamps; a removed key stands for NULL.  That map is what travels.  A
 * column that has no stamp has not been written since the table is merged, or
 * got its value from a default that is the same everywhere.
 *
 * The texts must mean the same to every server, whatever the settings of the
 * session that writes: dates are ISO, floating-point numbers are exact, names
 * of other objects have their schema.
 */
#include "core/compat.h"

#include "core/shared_clock.h"
#include "core/stamped_map.h"
#include "miscadmin.h"
#include "replication/merge_columns.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"

static void
canonical_setting(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
}

/* Have texts of values written and read alike everywhere; AtEOXact_GUC ends that. */
static int
canonical_settings(const MergeRule *rule)
{
	int level = NewGUCNestLevel();

	if (DateStyle != USE_ISO_DATES)
		canonical_setting("datestyle", "ISO");
	if (IntervalStyle != INTSTYLE_POSTGRES)
		canonical_setting("intervalstyle", "postgres");
	if (extra_float_digits < 1)
		canonical_setting("extra_float_digits", "1");
	if (bytea_output != BYTEA_OUTPUT_HEX)
		canonical_setting("bytea_output", "hex");
	if (rule->needs_path)
		canonical_setting("search_path", "pg_catalog");
	if (rule->needs_money)
		canonical_setting("lc_monetary", "C");
	return level;
}

/* The last write of a column. */
static bool
stamp_find(const EntryTable *map, const MergeColumn *column, Entry *entry)
{
	EntryCursor cursor;
	uint32 from;
	uint32 to;

	if (!entry_table_find(map, column->name, strlen(column->name), &from, &to))
		return false;
	entry_table_seek(&cursor, map, from);
	entry_cursor_next(&cursor);
	*entry = cursor.entry;
	return true;
}

static void
stamps_map_open(EntryTable *map, Datum value)
{
	entry_table_open(map, (struct varlena *) PG_DETOAST_DATUM_PACKED(value));
}

/* Prepare to write stamps into a map, for a node, with the time that it is. */
void
merge_stamps_open(MergeStamps *stamps, const MergeRule *rule, Datum map, NodeName node)
{
	memset(stamps, 0, sizeof(*stamps));
	stamps->rule = rule;
	stamps->map = PointerGetDatum(PG_DETOAST_DATUM_PACKED(map));
	stamps->node = node;
}

/* With this time instead. */
void
merge_stamps_at(MergeStamps *stamps, HybridTime at)
{
	stamps->at = at;
	stamps->started = true;
}

bool
merge_stamps_has(const MergeStamps *stamps, int column)
{
	EntryTable map;
	Entry entry;

	stamps_map_open(&map, stamps->map);
	return stamp_find(&map, &stamps->rule->columns[column], &entry);
}

/*
 * A column has this value from now on.  The write comes after the one that it
 * takes the place of, wherever that was made: clocks may differ.
 */
void
merge_stamps_write(MergeStamps *stamps, int column, Datum value, bool isnull)
{
	MergeColumn *definition = &stamps->rule->columns[column];
	Entry entry = {.key = definition->name,
				   .key_length = strlen(definition->name),
				   .value = "",
				   .removed = isnull};
	HybridTime at;
	EntryTable map;
	Entry last;

	if (!stamps->started)
		merge_stamps_at(stamps, shared_clock_tick());
	at = stamps->at;
	stamps_map_open(&map, stamps->map);
	if (stamp_find(&map, definition, &last))
	{
		HybridTime before = stamped_entry_time(&last);

		if (hybrid_time_compare(at, before) <= 0)
			at = hybrid_time_tick(before, at.nanoseconds);
	}
	if (!isnull)
	{
		Size length;

		if (stamps->settings == 0)
			stamps->settings = canonical_settings(stamps->rule);
		entry.value = OutputFunctionCall(&definition->output, value);
		length = strlen(entry.value);
		entry.value_length = length;
	}
	stamps->map = PointerGetDatum(
		stamped_map_write((const struct varlena *) DatumGetPointer(stamps->map), entry, at,
						  stamps->node));
}

Datum
merge_stamps_close(MergeStamps *stamps)
{
	if (stamps->settings > 0)
		AtEOXact_GUC(true, stamps->settings);
	return stamps->map;
}

static bool
same_write(const EntryTable *a, const Entry *x, const EntryTable *b, const Entry *y)
{
	NodeName left = entry_table_node(a, x->node);
	NodeName right = entry_table_node(b, y->node);

	return x->time == y->time && x->logical == y->logical && x->removed == y->removed &&
		entry_compare_values(x, y) == 0 &&
		bytes_compare(left.name, left.length, right.name, right.length) == 0;
}

/*
 * Give plain columns the values of their last writes.  "before" is the map that
 * they follow already, or NULL; a column that was never written is left as it
 * is.
 */
void
merge_columns_follow(const MergeRule *rule, Datum map, const Datum *before, Datum *values,
					 bool *nulls)
{
	EntryTable now;
	EntryTable last;
	int settings = 0;

	stamps_map_open(&now, map);
	if (before)
		stamps_map_open(&last, *before);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeColumn *column = &rule->columns[i];
		Entry entry;
		Entry earlier;

		if (column->kind != MERGE_COLUMN_PLAIN || !stamp_find(&now, column, &entry))
			continue;
		if (before && stamp_find(&last, column, &earlier) &&
			same_write(&now, &entry, &last, &earlier))
			continue;
		if (settings == 0)
			settings = canonical_settings(rule);
		nulls[i] = entry.removed;
		values[i] = InputFunctionCall(&column->input,
									  entry.removed ? NULL
													: pnstrdup(entry.value, entry.value_length),
									  column->input_parameter, column->typmod);
	}
	if (settings > 0)
		AtEOXact_GUC(true, settings);
}
