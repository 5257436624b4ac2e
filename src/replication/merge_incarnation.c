/*
 * merge_incarnation.c
 *		Names that are not to be used any more, and new ones.
 *
 * Where two servers write under one name, as one and its copy, each takes the
 * other's rows for what it has seen and dropped.  So the copy makes up a new name,
 * and the old one is retired: there, since the original may go on under it; or,
 * by removing its row, everywhere.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "core/node_name.h"
#include "core/query.h"
#include "miscadmin.h"
#include "replication/merge_local.h"
#include "replication/merge_nodes.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(forget_node);
Datum
forget_node(PG_FUNCTION_ARGS)
{
	const char *node = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid extension = extension_namespace(fcinfo);

	if (strcmp(node, node_name_local()) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("node \"%s\" is this one", node),
				 errhint(
					 "Call forget_node on another server; a server that is to go on under another "
					 "name calls new_incarnation.")));
	if (merge_node_standing(extension, node) != NODE_PRESENT)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("node \"%s\" does not exist", node),
				 errhint("The table merge_nodes lists the nodes.")));
	PreventCommandIfReadOnly("forget_node()");
	merge_node_remove(extension, node);
	PG_RETURN_VOID();
}

/* Hexadecimal digits that tell the names of a server and its copies apart. */
#define INCARNATION_DIGITS 8

/* How long a name is without the suffix of an earlier call. */
static Size
incarnation_base(const char *node)
{
	Size length = strlen(node);
	const char *suffix = node + length - INCARNATION_DIGITS;

	if (length > INCARNATION_DIGITS + 1 && suffix[-1] == '.' &&
		strspn(suffix, "0123456789abcdef") == INCARNATION_DIGITS)
		return length - INCARNATION_DIGITS - 1;
	return length;
}

static char *
incarnation_name(const char *node)
{
	int room = NODE_NAME_MAX - INCARNATION_DIGITS - 1;
	uint32 random;

	if (!pg_strong_random(&random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	return psprintf("%.*s.%08x", pg_mbcliplen(node, (int) incarnation_base(node), room), node,
					random);
}

/* Set the name for the database, as the caller may or may not, and for this session. */
static void
incarnation_begin(const char *node)
{
	QueryArguments none = {0};

	query_run(psprintf("ALTER DATABASE %s SET distributed.node = %s",
					   quote_identifier(get_database_name(MyDatabaseId)), quote_literal_cstr(node)),
			  &none);
	(void) set_config_option("distributed.node", node, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET,
							 true, 0, false);
}

/* A setting of a role comes before that of the database. */
static void
incarnation_warn_of_roles(void)
{
	QueryArguments arguments = {0};
	char *roles;

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(MyDatabaseId), false);
	query_run("SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(r.rolname), ', ') "
			  "FROM pg_catalog.pg_db_role_setting s "
			  "JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) s.setrole, "
			  "pg_catalog.unnest(s.setconfig) c "
			  "WHERE (s.setdatabase OPERATOR(pg_catalog.=) $1 "
			  "OR s.setdatabase OPERATOR(pg_catalog.=) 0::pg_catalog.oid) "
			  "AND pg_catalog.lower(pg_catalog.split_part(c, '=', 1)) OPERATOR(pg_catalog.=) "
			  "'distributed.node'",
			  &arguments);
	roles = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (roles)
		ereport(WARNING,
				(errmsg("roles have node names of their own"),
				 errdetail("Their sessions do not use the database's new name: %s.", roles),
				 errhint("Use ALTER ROLE ... RESET distributed.node; if it was set for the role in "
						 "this database, ALTER ROLE ... IN DATABASE ... RESET distributed.node.")));
}

/* Sessions are to look again whether they may write merged tables. */
void
merge_nodes_check_again(Oid extension)
{
	Oid function = extension_trigger_function(extension, "merge_row");
	Relation triggers = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(triggers, InvalidOid, false, NULL, 0, NULL);
	HeapTuple tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		if (trigger->tgfoid == function &&
			SearchSysCacheExists1(RELOID, ObjectIdGetDatum(trigger->tgrelid)))
			CacheInvalidateRelcacheByRelid(trigger->tgrelid);
	}
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
}

PG_FUNCTION_INFO_V1(new_incarnation);
Datum
new_incarnation(PG_FUNCTION_ARGS)
{
	const char *old = pstrdup(node_name_local());
	const char *node = incarnation_name(old);
	bool forget = PG_GETARG_BOOL(0);
	Oid extension = extension_namespace(fcinfo);

	query_connect();
	incarnation_begin(node);
	incarnation_warn_of_roles();
	query_finish();

	merge_node_insert(extension, node);
	merge_node_retire(extension, old);
	if (forget)
	{
		/* its removal is what retires the name, so it must have been there */
		merge_node_insert(extension, old);
		merge_node_remove(extension, old);
	}
	merge_nodes_check_again(extension);
	ereport(NOTICE,
			(errmsg("this server must not use the name \"%s\" any more", old),
			 errdetail("Sessions that have been connected under it cannot write merged tables."),
			 errhint("Connect again; disable and enable subscriptions, so that their workers start "
					 "anew.")));
	if (merge_node_standing(extension, old) == NODE_PRESENT)
		ereport(NOTICE,
				(errmsg("purging waits for \"%s\"", old),
				 errhint("Use forget_node if no other server has that name.")));
	return CStringGetTextDatum(node);
}
