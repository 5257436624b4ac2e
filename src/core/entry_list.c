/*
 * entry_list.c
 *		Keys and values of an entry table, for SQL.
 */
#include "core/compat.h"

#include "core/entry_list.h"
#include "core/rows.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* The keys that have a live entry, in order. */
static void
collect_keys(const EntryTable *table, TextList *keys)
{
	EntryCursor cursor;

	text_list_init(keys, table->nentries);
	for (entry_cursor_open(&cursor, table); entry_cursor_next(&cursor);)
	{
		CHECK_FOR_INTERRUPTS();
		if (cursor.begins_key && !cursor.entry.removed)
			text_list_add(keys, cursor.entry.key, cursor.entry.key_length);
	}
}

Datum *
entry_list_key_datums(const EntryTable *table, uint32 *count)
{
	TextList keys;

	collect_keys(table, &keys);
	*count = keys.count;
	return keys.items;
}

/* The same as an array. */
Datum
entry_list_keys(const EntryTable *table)
{
	TextList keys;

	collect_keys(table, &keys);
	return text_list_array(&keys);
}

/* The same as rows. */
Datum
entry_list_key_rows(FunctionCallInfo fcinfo, const EntryTable *table)
{
	RowSet rows;
	TextList keys;
	bool null = false;

	row_set_open(&rows, fcinfo);
	collect_keys(table, &keys);
	for (uint32 i = 0; i < keys.count; i++)
		row_set_add(&rows, &keys.items[i], &null);
	return (Datum) 0;
}

static int
compare_values(const void *x, const void *y)
{
	CHECK_FOR_INTERRUPTS();
	return entry_compare_values(x, y);
}

/* The different values of entries from .. to - 1, sorted, as an array. */
Datum
entry_list_values(const EntryTable *table, uint32 from, uint32 to)
{
	Entry *entries = palloc(sizeof(Entry) * Max(1, to - from));
	EntryCursor cursor;
	TextList values;

	entry_table_seek(&cursor, table, from);
	for (uint32 i = 0; i < to - from && entry_cursor_next(&cursor); i++)
		entries[i] = cursor.entry;
	qsort(entries, to - from, sizeof(Entry), compare_values);
	text_list_init(&values, to - from);
	for (uint32 i = 0; i < to - from; i++)
	{
		if (i == 0 || entry_compare_values(&entries[i - 1], &entries[i]) != 0)
			text_list_add(&values, entries[i].value, entries[i].value_length);
	}
	return text_list_array(&values);
}

static bool
has_key(const EntryTable *table, Datum key)
{
	uint32 from;
	uint32 to;

	return entry_table_find(table, VARDATA_ANY(DatumGetPointer(key)),
							VARSIZE_ANY_EXHDR(DatumGetPointer(key)), &from, &to);
}

/* Has a table all keys of an array?  "what" they are is for errors. */
bool
entry_list_has_all(const EntryTable *table, ArrayType *array, const char *what)
{
	int count;
	Datum *keys = text_array_items(array, what, &count);
	int found = 0;

	while (found < count && has_key(table, keys[found]))
		found++;
	return found == count;
}

/* Has it any? */
bool
entry_list_has_any(const EntryTable *table, ArrayType *array, const char *what)
{
	int count;
	Datum *keys = text_array_items(array, what, &count);

	for (int i = 0; i < count; i++)
	{
		if (has_key(table, keys[i]))
			return true;
	}
	return false;
}
