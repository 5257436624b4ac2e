/*
 * merge_ddl.c
 *		Definitions of tables, changed by SQL.
 *
 * This is the one place where merging runs SQL in a user's schema, and it changes
 * definitions only; rows are written by merge_store.c.  Statements run as the caller,
 * who owns the table, with a search path on which nobody else's objects are, and every
 * name is written out and quoted.
 */
#include "core/compat.h"

#include "catalog/pg_attribute.h"
#include "core/query.h"
#include "replication/merge_ddl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

/* Run a statement between query_connect and query_finish. */
void
merge_ddl(const char *format, ...)
{
	QueryArguments none = {0};
	StringInfoData sql;

	initStringInfo(&sql);
	for (;;)
	{
		va_list arguments;
		int needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&sql, format, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&sql, needed);
	}
	query_run(sql.data, &none);
}

/* A table's name, as statements have it. */
const char *
merge_table_name(Oid table)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)),
									  get_rel_name(table));
}

/* A column's type, with its collation, as a definition has it. */
const char *
merge_column_type(Form_pg_attribute column)
{
	const char *type = format_type_extended(column->atttypid, column->atttypmod,
											FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);

	if (!OidIsValid(column->attcollation) ||
		column->attcollation == get_typcollation(column->atttypid))
		return type;
	return psprintf("%s COLLATE %s", type, generate_collation_name(column->attcollation));
}
