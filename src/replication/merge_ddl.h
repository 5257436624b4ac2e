/*
 * merge_ddl.h
 *		Definitions of tables, changed by SQL.
 */
#ifndef DISTRIBUTED_MERGE_DDL_H
#define DISTRIBUTED_MERGE_DDL_H

#include "postgres.h"

extern void merge_ddl(const char *format, ...) pg_attribute_printf(1, 2);
extern const char *merge_table_name(Oid table);
extern const char *merge_column_type(Form_pg_attribute column);

#endif /* DISTRIBUTED_MERGE_DDL_H */
