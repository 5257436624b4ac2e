/*
 * merge_row.c
 *		(to be written)
 */
#include "core/compat.h"

#include "fmgr.h"

PG_FUNCTION_INFO_V1(merge_row);
Datum
merge_row(PG_FUNCTION_ARGS)
{
	elog(ERROR, "not yet");
}

PG_FUNCTION_INFO_V1(merge_truncate);
Datum
merge_truncate(PG_FUNCTION_ARGS)
{
	elog(ERROR, "not yet");
}

PG_FUNCTION_INFO_V1(merge_row_is_present);
Datum
merge_row_is_present(PG_FUNCTION_ARGS)
{
	elog(ERROR, "not yet");
}
