/*
 * merge_setup.c
 *		Having servers send their rows to one another.
 *
 * merge_subscription_commands prints what is to be run on each server.  The
 * order matters in two ways.  The triggers come before any subscription, or rows
 * that arrive overwrite.  And a server that joins is subscribed to before it
 * subscribes: then the others know of it when it copies their rows, and purge
 * nothing that it may have copied and not have acknowledged.
 */
#include "core/compat.h"

#include "access/table.h"
#include "common/hashfn.h"
#include "core/node_name.h"
#include "core/query.h"
#include "replication/merge_publication.h"
#include "replication/merge_shape.h"
#include "replication/walreceiver.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

typedef enum MergeTopology
{
	TOPOLOGY_MESH,
	TOPOLOGY_RING,
	TOPOLOGY_STAR
} MergeTopology;

static const char *const topology_names[] = {"mesh", "ring", "star"};

typedef struct MergePeer
{
	const char *node;
	const char *conninfo;
} MergePeer;

/* The names of subscriptions and of slots are as long as that, at most. */
#define SUBSCRIPTION_NAME_MAX 63

typedef struct MergeSetup
{
	RowSet answer;
	int32 step;
	Oid extension;
	const char *schema;      /* the extension's, quoted */
	const char *publication; /* its name */
	const char *prefix;      /* of the names of subscriptions */
	MergeTopology topology;
	int count;
	MergePeer *peers; /* by name */
	int first;        /* which one the others join, or the centre of a star */
	int last;         /* which one is to join, or -1 */
	HTAB *names;      /* of subscriptions */
} MergeSetup;

static int
merge_peer_order(const void *a, const void *b)
{
	return strcmp(((const MergePeer *) a)->node, ((const MergePeer *) b)->node);
}

static void
setup_conninfo_context(void *peer)
{
	errcontext("connection string of node \"%s\"", ((const MergePeer *) peer)->node);
}

/* A connection string that is none is better found now than on each server. */
static void
setup_check_conninfo(const MergePeer *peer)
{
	ErrorContextCallback context = {error_context_stack, setup_conninfo_context,
									unconstify(MergePeer *, peer)};

	load_file("libpqwalreceiver", false);
	error_context_stack = &context;
	compat_check_conninfo(peer->conninfo);
	error_context_stack = context.previous;
}

static void
setup_peers(MergeSetup *setup, Jsonb *peers)
{
	InputSource source = input_from_arguments("jsonb");
	JsonbIterator *iterator = JsonbIteratorInit(&peers->root);
	JsonbIteratorToken token;
	JsonbValue value;

	if (!JB_ROOT_IS_OBJECT(peers))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("peers must be a JSON object"),
				 errhint("Write them as '{\"node\": \"connection string\", ...}'.")));
	setup->peers = palloc(sizeof(MergePeer) * (JB_ROOT_COUNT(peers) + 1));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		MergePeer *peer = &setup->peers[setup->count];

		if (token == WJB_KEY)
		{
			node_name_check(&source, value.val.string.val, value.val.string.len);
			peer->node = pnstrdup(value.val.string.val, value.val.string.len);
		}
		else if (token == WJB_VALUE)
		{
			if (value.type != jbvString || value.val.string.len == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("connection string of node \"%s\" must be a string, and not empty",
								peer->node),
						 errhint("Write it as \"host=... dbname=...\".")));
			peer->conninfo = pnstrdup(value.val.string.val, value.val.string.len);
			setup_check_conninfo(peer);
			setup->count++;
		}
	}
	if (setup->count < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be two peers, at least"),
				 errhint("Name all servers, this one, too.")));
	qsort(setup->peers, setup->count, sizeof(MergePeer), merge_peer_order);
}

/* Names are taken once; padded, so that they are equal where their bytes are. */
static void
setup_names(MergeSetup *setup)
{
	HASHCTL control;

	memset(&control, 0, sizeof(control));
	control.keysize = NAMEDATALEN;
	control.entrysize = NAMEDATALEN;
	control.hcxt = CurrentMemoryContext;
	setup->names = hash_create("names of subscriptions", 256, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Which peer is that? */
static int
setup_find(const MergeSetup *setup, const char *what, const char *node)
{
	for (int i = 0; i < setup->count; i++)
	{
		if (strcmp(setup->peers[i].node, node) == 0)
			return i;
	}
	if (what)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s node \"%s\" is not one of the peers", what, node)));
	return -1;
}

static MergeTopology
setup_topology(const char *name)
{
	for (int i = 0; i < (int) lengthof(topology_names); i++)
	{
		if (strcmp(name, topology_names[i]) == 0)
			return (MergeTopology) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown topology \"%s\"", name),
			 errhint("It is one of mesh, ring and star.")));
}

static void
setup_emit(MergeSetup *setup, const char *node, const char *command, const char *remark)
{
	Datum values[4];
	bool nulls[4] = {false};

	values[0] = Int32GetDatum(++setup->step);
	values[1] = CStringGetTextDatum(node);
	values[2] = CStringGetTextDatum(command);
	values[3] = CStringGetTextDatum(remark);
	row_set_add(&setup->answer, values, nulls);
}

/* What names of slots are made of: lower-case letters, digits and underscores. */
static char *
slot_word(const char *name)
{
	char *word = pstrdup(name);

	for (char *byte = word; *byte; byte++)
	{
		if (*byte >= 'A' && *byte <= 'Z')
			*byte = (char) (*byte - 'A' + 'a');
		else if (!((*byte >= 'a' && *byte <= 'z') || (*byte >= '0' && *byte <= '9')))
			*byte = '_';
	}
	return word;
}

/*
 * The name of a subscription, and of its slot at the publisher.  It tells who
 * sends to whom; one that is too long ends with a hash instead.
 */
static const char *
setup_subscription_name(MergeSetup *setup, const MergePeer *from, const MergePeer *to)
{
	char *name = psprintf("%s_%s_to_%s", setup->prefix, slot_word(from->node), slot_word(to->node));
	char key[NAMEDATALEN] = {0};
	bool taken;

	if (strlen(name) > SUBSCRIPTION_NAME_MAX)
	{
		uint32 hash = DatumGetUInt32(hash_any((const unsigned char *) name, (int) strlen(name)));

		name = psprintf("%.*s_%08x", SUBSCRIPTION_NAME_MAX - 9, name, hash);
	}
	strlcpy(key, name, NAMEDATALEN);
	(void) hash_search(setup->names, key, HASH_ENTER, &taken);
	if (taken)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("two subscriptions would have the name \"%s\"", name),
				 errdetail("The name of a slot has lower-case letters, digits and "
						   "underscores only, and at most %d bytes.",
						   SUBSCRIPTION_NAME_MAX),
				 errhint("Give the nodes names that differ in letters and digits.")));
	return name;
}

static void
setup_link(MergeSetup *setup, const MergePeer *from, const MergePeer *to, bool joins)
{
	const char *name = setup_subscription_name(setup, from, to);
	StringInfoData options;
	StringInfoData remark;

	initStringInfo(&options);
	initStringInfo(&remark);
	appendStringInfo(&remark, "%s subscribes to %s", to->node, from->node);
	appendStringInfoString(&remark,
						   joins ? ", which knows of it by now and keeps what it may need. "
								 : ", which joins, before that one subscribes itself. ");
	appendStringInfoString(&options, "copy_data = true");
	appendStringInfoString(&remark,
						   "copy_data: rows that are copied merge with those that are "
						   "there, and none is left out");
	if (COMPAT_DISABLE_ON_ERROR)
	{
		appendStringInfoString(&options, ", disable_on_error = false");
		appendStringInfoString(&remark,
							   "; disable_on_error: what fails is tried again, and the "
							   "link goes on");
	}
	if (COMPAT_ORIGIN)
	{
		appendStringInfoString(&options, ", origin = any");
		appendStringInfoString(&remark,
							   "; origin: what others wrote is passed on, so that every row "
							   "comes whole and in order, by whichever way; an echo changes "
							   "nothing, and ends there");
	}
	appendStringInfoString(&remark, ".");
	setup_emit(setup, to->node,
			   psprintf("CREATE SUBSCRIPTION %s CONNECTION %s PUBLICATION %s WITH (%s);",
						quote_identifier(name), quote_literal_cstr(from->conninfo),
						quote_identifier(setup->publication), options.data),
			   remark.data);
	setup_emit(setup, to->node,
			   psprintf("DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_subscription_rel r "
						"JOIN pg_subscription s ON s.oid = r.srsubid WHERE s.subname = %s "
						"AND r.srsubstate <> 'r') LOOP PERFORM pg_sleep(0.2); END LOOP; END $$;",
						quote_literal_cstr(name)),
			   psprintf("Wait until the rows of %s are copied: one link after the other, so that "
						"copies do not pile up.",
						from->node));
}

/* Are two peers, by their places, linked? */
static bool
setup_linked(const MergeSetup *setup, int a, int b)
{
	int distance = abs(a - b);

	switch (setup->topology)
	{
		case TOPOLOGY_MESH:
			return true;
		case TOPOLOGY_RING:
			return distance == 1 || distance == setup->count - 1;
		case TOPOLOGY_STAR:
			return a == setup->first || b == setup->first;
	}
	return false;
}

/*
 * The order in which peers join: around, from the first one, so that in a ring
 * each joins its neighbour; who is to join comes last.
 */
static void
setup_order(const MergeSetup *setup, int *order)
{
	int count = 0;

	for (int i = 0; i < setup->count; i++)
	{
		int which = (setup->first + i) % setup->count;

		if (which != setup->last)
			order[count++] = which;
	}
	if (setup->last >= 0)
		order[count] = setup->last;
}

/* What enable_merge was called with for a table, whose name is added to a list. */
static const char *
setup_enable_command(const MergeSetup *setup, Oid relid, StringInfo names)
{
	Relation table = table_open(relid, AccessShareLock);
	StringInfoData command;
	MergeShape shape;

	merge_shape_read(&shape, table, setup->extension);
	appendStringInfo(names, "%s%s", names->len ? ", " : "", quote_literal_cstr(shape.qualified));
	initStringInfo(&command);
	appendStringInfo(&command, "SELECT %s.enable_merge(%s", setup->schema,
					 quote_literal_cstr(shape.qualified));
	for (int i = 0; shape.row_trigger && i < shape.row_trigger->tgnargs; i++)
		appendStringInfo(&command, ", %s", quote_literal_cstr(shape.row_trigger->tgargs[i]));
	appendStringInfoString(&command, ");");
	table_close(table, AccessShareLock);
	return command.data;
}

/* What makes a server one that merges. */
static void
setup_server(MergeSetup *setup, const MergePeer *peer, List *tables)
{
	StringInfoData names;
	ListCell *cell;

	setup_emit(setup, peer->node,
			   psprintf("%sCREATE EXTENSION IF NOT EXISTS distributed WITH SCHEMA %s;",
						strcmp(setup->schema, "public") == 0
							? ""
							: psprintf("CREATE SCHEMA IF NOT EXISTS %s; ", setup->schema),
						setup->schema),
			   "The tables are there before: pg_dump --schema-only of another server brings them. "
			   "wal_level must be logical.");
	setup_emit(setup, peer->node,
			   psprintf("ALTER DATABASE :\"DBNAME\" SET distributed.node = %1$s; "
						"SET distributed.node = %1$s;",
						quote_literal_cstr(peer->node)),
			   "Every server has a name of its own, a copy of a server, too.");
	initStringInfo(&names);
	foreach (cell, tables)
	{
		setup_emit(setup, peer->node, setup_enable_command(setup, lfirst_oid(cell), &names),
				   "All servers merge before any of them subscribes: what arrives before would "
				   "overwrite.");
	}
	setup_emit(setup, peer->node,
			   psprintf("SELECT %s.create_merge_publication(%s, ARRAY[%s]::regclass[]);",
						setup->schema, quote_literal_cstr(setup->publication), names.data),
			   "From now on nothing is purged that this server has not seen.");
}

PG_FUNCTION_INFO_V1(merge_subscription_commands);
Datum
merge_subscription_commands(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"peers", "topology", "publication"};
	MergeSetup setup = {0};
	List *tables;
	int *order;
	int local;
	int level;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
	}
	setup.extension = extension_namespace(fcinfo);
	setup.schema = extension_schema(fcinfo);
	setup.publication = NameStr(*PG_GETARG_NAME(2));
	setup.prefix = slot_word(setup.publication);
	setup.topology = setup_topology(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	setup_peers(&setup, PG_GETARG_JSONB_P(0));
	setup_names(&setup);
	local = node_name_setting() ? setup_find(&setup, NULL, node_name_setting()) : -1;
	setup.first = Max(local, 0);
	if (setup.topology == TOPOLOGY_STAR)
		setup.first = 0;
	if (!PG_ARGISNULL(3))
	{
		if (setup.topology != TOPOLOGY_STAR)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a %s has no center", topology_names[setup.topology]),
					 errhint("Leave it out, or choose the topology star.")));
		setup.first = setup_find(&setup, "center", text_to_cstring(PG_GETARG_TEXT_PP(3)));
	}
	setup.last = -1;
	if (!PG_ARGISNULL(4))
		setup.last = setup_find(&setup, "joining", text_to_cstring(PG_GETARG_TEXT_PP(4)));

	row_set_open(&setup.answer, fcinfo);
	query_connect();
	level = query_path_enter();
	tables = merge_publication_tables(setup.extension, extension_table(setup.extension, "merge_nodes"));
	if (tables == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no table of this database is merged"),
				 errhint("Call enable_merge for the tables that are to be.")));
	order = palloc(sizeof(int) * setup.count);
	setup_order(&setup, order);
	for (int i = 0; i < setup.count; i++)
	{
		if (setup.last < 0 || order[i] == setup.last)
			setup_server(&setup, &setup.peers[order[i]], tables);
	}
	for (int i = 1; i < setup.count; i++)
	{
		const MergePeer *joining = &setup.peers[order[i]];

		if (setup.last >= 0 && order[i] != setup.last)
			continue;
		for (int there = 0; there < i; there++)
		{
			if (setup_linked(&setup, order[there], order[i]))
				setup_link(&setup, joining, &setup.peers[order[there]], false);
		}
		for (int there = 0; there < i; there++)
		{
			if (setup_linked(&setup, order[there], order[i]))
				setup_link(&setup, &setup.peers[order[there]], joining, true);
		}
	}
	query_path_leave(level);
	query_finish();
	PG_RETURN_NULL();
}
