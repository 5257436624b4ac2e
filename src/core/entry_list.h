/*
 * entry_list.h
 *		Keys and values of an entry table, for SQL.
 */
#ifndef DISTRIBUTED_ENTRY_LIST_H
#define DISTRIBUTED_ENTRY_LIST_H

#include "postgres.h"

#include "core/entry_table.h"
#include "fmgr.h"
#include "utils/array.h"

extern Datum *entry_list_key_datums(const EntryTable *table, uint32 *count);
extern Datum entry_list_keys(const EntryTable *table);
extern Datum entry_list_values(const EntryTable *table, uint32 from, uint32 to);
extern bool entry_list_has_all(const EntryTable *table, ArrayType *array, const char *what);
extern bool entry_list_has_any(const EntryTable *table, ArrayType *array, const char *what);
extern Datum entry_list_key_rows(FunctionCallInfo fcinfo, const EntryTable *table);

#endif /* DISTRIBUTED_ENTRY_LIST_H */
