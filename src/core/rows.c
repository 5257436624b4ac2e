/*
 * rows.c
 *		Functions that return sets, and arrays of texts.
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "core/rows.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/*
 * Begin the result of a set-returning function, whose rows are those that its
 * caller expects.
 */
void
row_set_open(RowSet *rows, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (info == NULL || !IsA(info, ReturnSetInfo) || (info->allowedModes & SFRM_Materialize) == 0 ||
		info->expectedDesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	old = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
	rows->desc = CreateTupleDescCopy(info->expectedDesc);
	rows->store = tuplestore_begin_heap((info->allowedModes & SFRM_Materialize_Random) != 0, false,
										work_mem);
	MemoryContextSwitchTo(old);
	info->returnMode = SFRM_Materialize;
	info->setResult = rows->store;
	info->setDesc = rows->desc;
}

void
row_set_add(RowSet *rows, Datum *values, bool *nulls)
{
	CHECK_FOR_INTERRUPTS();
	tuplestore_putvalues(rows->store, rows->desc, values, nulls);
}

void
text_list_init(TextList *list, uint32 most)
{
	list->count = 0;
	list->items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * ((Size) most + 1));
}

void
text_list_add(TextList *list, const char *bytes, uint32 length)
{
	list->items[list->count++] = PointerGetDatum(cstring_to_text_with_len(bytes, (int) length));
}

Datum
text_list_array(const TextList *list)
{
	return PointerGetDatum(
		construct_array(list->items, (int) list->count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* The texts of an array argument, none of which may be null. */
Datum *
text_array_items(ArrayType *array, const char *what, int *count)
{
	Datum *items;
	bool *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, count);
	for (int i = 0; i < *count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", what),
					 errdetail("Element %d of the array is null.", i + 1)));
	}
	return items;
}
