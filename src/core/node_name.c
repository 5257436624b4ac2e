/*
 * node_name.c
 *		Names of nodes, and the name of this one.
 *
 * A node is whatever counts events of its own: a server, a session, a
 * process.  Its name travels inside every value, so there is no table of
 * nodes; the setting distributed.node only saves the caller from repeating
 * the local name.
 */
#include "core/compat.h"

#include "core/node_name.h"
#include "mb/pg_wchar.h"

static char *local_node_setting = NULL;

/*
 * Is the name valid text here?  Settings of a role serve databases of any
 * encoding, and when they are read the database's is not known yet.
 */
static bool local_node_verified = false;

static bool
check_local_node(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || strlen(*newval) <= NODE_NAME_MAX)
		return true;
	GUC_check_errdetail("A node name has at most %d bytes, this one has %zu.", NODE_NAME_MAX,
						strlen(*newval));
	return false;
}

static void
assign_local_node(const char *newval, void *extra)
{
	local_node_verified = false;
}

void
node_name_define_setting(void)
{
	DefineCustomStringVariable("distributed.node",
							   "Name of this node in clocks and replicated values.",
							   "Functions that take a node name use it where none is given.",
							   &local_node_setting, "", PGC_USERSET, 0, check_local_node,
							   assign_local_node, NULL);
}

/* The local node's name, or NULL where it is unset. */
const char *
node_name_setting(void)
{
	if (local_node_setting == NULL || local_node_setting[0] == '\0')
		return NULL;
	if (!local_node_verified)
	{
		pg_verifymbstr(local_node_setting, (int) strlen(local_node_setting), false);
		local_node_verified = true;
	}
	return local_node_setting;
}

/* The same; an error that says how to set it where it is unset. */
const char *
node_name_local(void)
{
	const char *name = node_name_setting();

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the local node has no name"),
				 errdetail("No node was given, and the setting \"distributed.node\" is not set."),
				 errhint("Use SET distributed.node = 'name' for the session, "
						 "ALTER DATABASE ... SET distributed.node = 'name' for the database, "
						 "or pass the node as an argument.")));
	return name;
}

bool
node_name_check(const InputSource *source, const char *name, Size length)
{
	if (length == 0)
		return input_malformed(source, "A node name is empty.");
	if (length > NODE_NAME_MAX)
		return input_malformed(source, "Node name \"%.*s...\" has %zu bytes, more than %d.",
							   pg_mbcliplen(name, (int) length, 32), name, length, NODE_NAME_MAX);
	return true;
}

/*
 * The node given to a function of "type_name"; it stays valid during the call.
 * A function that is called without that argument, as an operator is, acts for
 * the local node.
 */
NodeName
node_name_argument(FunctionCallInfo fcinfo, int number, const char *type_name)
{
	InputSource source = input_from_arguments(type_name);
	NodeName node;
	text *value;

	if (PG_NARGS() <= number)
	{
		node.name = node_name_local();
		node.length = strlen(node.name);
		return node;
	}
	value = PG_GETARG_TEXT_PP(number);
	node.name = VARDATA_ANY(value);
	node.length = VARSIZE_ANY_EXHDR(value);
	node_name_check(&source, node.name, node.length);
	return node;
}
