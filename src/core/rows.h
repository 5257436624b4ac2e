/*
 * rows.h
 *		Functions that return sets.
 */
#ifndef DISTRIBUTED_ROWS_H
#define DISTRIBUTED_ROWS_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"
#include "utils/tuplestore.h"

/* The rows that a call returns, all at once. */
typedef struct RowSet
{
	Tuplestorestate *store;
	TupleDesc desc;
} RowSet;

extern void row_set_open(RowSet *rows, FunctionCallInfo fcinfo);
extern void row_set_add(RowSet *rows, Datum *values, bool *nulls);

/* Texts that become an array. */
typedef struct TextList
{
	Datum *items;
	uint32 count;
} TextList;

extern void text_list_init(TextList *list, uint32 most);
extern void text_list_add(TextList *list, const char *bytes, uint32 length);
extern Datum text_list_array(const TextList *list);
extern Datum *text_array_items(ArrayType *array, const char *what, int *count);

#endif /* DISTRIBUTED_ROWS_H */
