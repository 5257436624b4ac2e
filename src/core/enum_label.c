/*
 * enum_label.c
 *		Arguments and results whose type is one of the extension's enums.
 *
 * An enum's values are OIDs that differ from database to database.
 */
#include "core/compat.h"

#include "catalog/pg_enum.h"
#include "core/enum_label.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/*
 * The label number "which" of "count", as the result of the function that is
 * being called.  Their OIDs are looked up once for each query.
 */
Datum
enum_label_result(FunctionCallInfo fcinfo, const char *const *labels, int count, int which)
{
	Oid *oids = fcinfo->flinfo->fn_extra;

	Assert(which >= 0 && which < count);
	if (oids == NULL)
	{
		Oid type = get_func_rettype(fcinfo->flinfo->fn_oid);

		oids = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Oid) * count);
		for (int i = 0; i < count; i++)
		{
			oids[i] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid, ObjectIdGetDatum(type),
									  CStringGetDatum(labels[i]));
			if (!OidIsValid(oids[i]))
				elog(ERROR, "enum %u has no label \"%s\"", type, labels[i]);
		}
		fcinfo->flinfo->fn_extra = oids;
	}
	PG_RETURN_OID(oids[which]);
}

/* Which of the labels an argument is. */
int
enum_label_argument(FunctionCallInfo fcinfo, int number, const char *const *labels, int count)
{
	Oid oid = PG_GETARG_OID(number);
	HeapTuple tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(oid));
	int which = 0;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for enum value %u", oid);
	while (which < count &&
		   strcmp(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel), labels[which]) != 0)
		which++;
	ReleaseSysCache(tuple);
	if (which == count)
		elog(ERROR, "unknown enum value %u", oid);
	return which;
}
