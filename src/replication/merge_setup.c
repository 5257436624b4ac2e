/*
 * merge_setup.c
 *		Having servers send their rows to one another.
 *
 * merge_subscription_commands prints what is to be run on each server.  The
 * order matters in two ways.  The triggers come before any subscription, or rows
 * that arrive overwrite.  And a server that joins is subscribed to before it
 * subscribes: then the others know of it when it copies their rows, and purge
 * nothing that it may have copied and not have acknowledged.
 *
 * Which servers are linked, and in which order, is decided here; merge_commands.c
 * has the texts.
 */
#include "core/compat.h"

#include "access/table.h"
#include "common/hashfn.h"
#include "core/node_name.h"
#include "core/query.h"
#include "replication/merge_commands.h"
#include "replication/merge_conninfo.h"
#include "replication/merge_ddl.h"
#include "replication/merge_publication.h"
#include "replication/merge_shape.h"
#include "replication/walreceiver.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/*
 * What is to be linked
 */

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
	const char *conninfo; /* by which the others reach it */
	MergeConninfo to;     /* what is known of that */
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
	MergePeer *peers;  /* by name */
	int first;         /* which one the others join, or the centre of a star */
	int last;          /* which one is to join, or -1 */
	int leaving;       /* which one is to leave, or -1 */
	HTAB *names;       /* of subscriptions */
	List *tables;      /* merged ones of this database */
	bool row_security; /* has one of them that? */
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
			merge_conninfo_read(&peer->to, peer->conninfo);
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

/* Are two peers, by their places, linked? */
static bool
setup_linked(const MergeSetup *setup, int a, int b)
{
	int distance = abs(a - b);

	if (distance == 0)
		return false;
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

/* With how many others? */
static int
setup_links(const MergeSetup *setup, int which)
{
	int links = 0;

	for (int i = 0; i < setup->count; i++)
		links += setup_linked(setup, which, i);
	return links;
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

/*
 * Servers
 */

/* The merged tables of this database, which are those of all servers. */
static void
setup_tables(MergeSetup *setup)
{
	ListCell *cell;

	setup->tables = merge_publication_tables(setup->extension,
											 extension_table(setup->extension, "merge_nodes"));
	if (setup->tables == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no table of this database is merged"),
				 errhint("Call enable_merge for the tables that are to be.")));
	foreach (cell, setup->tables)
	{
		Relation table = table_open(lfirst_oid(cell), AccessShareLock);

		setup->row_security |= table->rd_rel->relrowsecurity;
		table_close(table, NoLock);
	}
}

/* Where what was removed from a table is. */
static Oid
setup_companion(const MergeSetup *setup, Oid relid)
{
	Relation table = table_open(relid, AccessShareLock);
	MergeShape shape;

	merge_shape_read(&shape, table, setup->extension);
	table_close(table, AccessShareLock);
	if (!OidIsValid(shape.companion))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("merged table \"%s\" has no companion", shape.name),
				 errhint("Call enable_merge for it again.")));
	return shape.companion;
}

/* All that is published of merged tables, as a statement names it. */
static List *
setup_published(const MergeSetup *setup)
{
	List *names = NIL;
	ListCell *cell;

	foreach (cell, setup->tables)
	{
		Oid table = lfirst_oid(cell);

		names = lappend(names, (char *) merge_table_name(table));
		names = lappend(names, (char *) merge_table_name(setup_companion(setup, table)));
	}
	return names;
}

/* Where it is; and where what belongs to the extension is, which everybody may read. */
static const char *
setup_published_schemas(const MergeSetup *setup)
{
	Oid schema = setup->extension;
	List *schemas = list_make1_oid(schema);
	StringInfoData names;
	ListCell *cell;

	foreach (cell, setup->tables)
	{
		schemas = list_append_unique_oid(schemas, get_rel_namespace(lfirst_oid(cell)));
	}
	initStringInfo(&names);
	foreach (cell, schemas)
	{
		appendStringInfo(&names, "%s%s", names.len ? ", " : "",
						 quote_identifier(get_namespace_name(lfirst_oid(cell))));
	}
	return names.data;
}

/* Strings, separated by commas; quoted as literals if they are to be. */
static const char *
setup_list(const List *strings, bool quoted)
{
	StringInfoData list;
	const ListCell *cell;

	initStringInfo(&list);
	foreach (cell, strings)
	{
		appendStringInfo(&list, "%s%s", list.len ? ", " : "",
						 quoted ? quote_literal_cstr(lfirst(cell)) : (char *) lfirst(cell));
	}
	return list.data;
}

/* What enable_merge was called with for a table. */
static const char *
setup_enable_command(const MergeSetup *setup, Oid relid, List **names)
{
	Relation table = table_open(relid, AccessShareLock);
	StringInfoData command;
	MergeShape shape;

	merge_shape_read(&shape, table, setup->extension);
	*names = lappend(*names, pstrdup(shape.qualified));
	initStringInfo(&command);
	appendStringInfo(&command, "SELECT %s.enable_merge(%s", setup->schema,
					 quote_literal_cstr(shape.qualified));
	for (int i = 0; shape.row_trigger && i < shape.row_trigger->tgnargs; i++)
		appendStringInfo(&command, ", %s", quote_literal_cstr(shape.row_trigger->tgargs[i]));
	appendStringInfoString(&command, ");");
	table_close(table, AccessShareLock);
	return command.data;
}

/* What a server must have room for. */
static void
setup_settings(MergeSetup *setup, int which)
{
	setup_emit(setup, setup->peers[which].node, merge_command_settings(setup_links(setup, which)),
			   "Settings of the server, which are read at its start; it says which ones do not "
			   "suffice. Standbys and other links come on top.");
}

/* Whom the others connect as, if the connection string says so. */
static void
setup_role(MergeSetup *setup, const MergePeer *peer)
{
	const char *role = peer->to.user;
	StringInfoData remark;

	if (role == NULL)
		return;
	initStringInfo(&remark);
	appendStringInfo(&remark,
					 "The role as which the others connect. Should it need a password: \\password "
					 "%s. And pg_hba.conf must let it in: host %s %s ADDRESS-OF-THE-OTHERS "
					 "scram-sha-256; then SELECT pg_reload_conf().",
					 quote_identifier(role),
					 quote_identifier(peer->to.dbname ? peer->to.dbname : role),
					 quote_identifier(role));
	if (setup->row_security)
		appendStringInfoString(&remark,
							   " BYPASSRLS: it is to copy all rows, also where tables "
							   "have policies.");
	setup_emit(setup, peer->node, merge_command_role(role, setup->row_security), remark.data);
	setup_emit(setup, peer->node,
			   merge_command_grants(role, setup_published_schemas(setup),
									setup_list(setup_published(setup), false)),
			   "It reads the tables when they are copied; merge_nodes, which is everybody's, too.");
}

/* What makes a server one that merges. */
static void
setup_server(MergeSetup *setup, int which)
{
	const MergePeer *peer = &setup->peers[which];
	List *names = NIL;
	ListCell *cell;

	setup_settings(setup, which);
	setup_emit(setup, peer->node,
			   psprintf("%sCREATE EXTENSION IF NOT EXISTS distributed WITH SCHEMA %s;",
						strcmp(setup->schema, "public") == 0
							? ""
							: psprintf("CREATE SCHEMA IF NOT EXISTS %s; ", setup->schema),
						setup->schema),
			   psprintf("In %s, as a superuser. The database is there before (CREATE DATABASE), "
						"and so are the tables: pg_dump --schema-only --no-publications "
						"--no-subscriptions of another server brings them.",
						peer->to.dbname
							? psprintf("the database %s", quote_identifier(peer->to.dbname))
							: "the database to which the connection string leads"));
	setup_emit(setup, peer->node,
			   psprintf("ALTER DATABASE :\"DBNAME\" SET distributed.node = %1$s; "
						"SET distributed.node = %1$s;",
						quote_literal_cstr(peer->node)),
			   "Every server has a name of its own, a copy of a server, too.");
	foreach (cell, setup->tables)
	{
		setup_emit(setup, peer->node, setup_enable_command(setup, lfirst_oid(cell), &names),
				   "All servers merge before any of them subscribes: what arrives before would "
				   "overwrite.");
	}
	setup_emit(setup, peer->node,
			   psprintf("SELECT %s.create_merge_publication(%s, ARRAY[%s]::regclass[]);",
						setup->schema, quote_literal_cstr(setup->publication),
						setup_list(names, true)),
			   peer->to.user
				   ? "From now on nothing is purged that this server has not seen."
				   : "From now on nothing is purged that this server has not seen. The connection "
					 "string names no user: the others connect as the operating system's user that "
					 "runs them, who is to be a role here, with LOGIN and REPLICATION, may read "
					 "the tables, and is let in by pg_hba.conf.");
	setup_role(setup, peer);
}

/*
 * Links
 */

static void
setup_link(MergeSetup *setup, const MergePeer *from, const MergePeer *to, const char *why)
{
	const char *name = setup_subscription_name(setup, from, to);
	StringInfoData remark;

	initStringInfo(&remark);
	appendStringInfo(&remark, "%s subscribes to %s%s", to->node, from->node, why);
	appendStringInfoString(&remark,
						   " copy_data: rows that are copied merge with those that are there, and "
						   "none is left out; synchronous_commit: what was seen here stays, after "
						   "a crash, too");
	if (COMPAT_DISABLE_ON_ERROR)
		appendStringInfoString(&remark,
							   "; disable_on_error: what fails is tried again, and the "
							   "link goes on");
	if (COMPAT_ORIGIN)
		appendStringInfoString(&remark,
							   "; origin: what others wrote is passed on, so that every row "
							   "comes whole and in order, by whichever way; an echo changes "
							   "nothing, and ends there");
	appendStringInfo(&remark,
					 ". If the slot exists already, an earlier attempt has left it; on %s: SELECT "
					 "pg_drop_replication_slot(%s); and again.",
					 from->node, quote_literal_cstr(name));
	setup_emit(setup, to->node, merge_command_subscribe(name, from->conninfo, setup->publication),
			   remark.data);
	setup_emit(setup, to->node, merge_command_wait(setup->schema, name),
			   psprintf("Wait until the rows of %s are copied: one link after the other, so that "
						"copies do not pile up. An error if nothing comes for 10 minutes, or if "
						"copying fails again and again, says what is wrong.",
						from->node));
}

/* All servers become those that merge, or one comes to them. */
static void
setup_join(MergeSetup *setup)
{
	int *order = palloc(sizeof(int) * setup->count);

	setup_order(setup, order);
	for (int i = 0; i < setup->count; i++)
	{
		/* who is there needs room for one more, and its role may be from before that */
		if (setup->last < 0 || order[i] == setup->last)
			setup_server(setup, order[i]);
		else if (setup_linked(setup, order[i], setup->last))
		{
			setup_settings(setup, order[i]);
			setup_role(setup, &setup->peers[order[i]]);
		}
	}
	for (int i = 1; i < setup->count; i++)
	{
		const MergePeer *joining = &setup->peers[order[i]];

		if (setup->last >= 0 && order[i] != setup->last)
			continue;
		for (int there = 0; there < i; there++)
		{
			if (setup_linked(setup, order[there], order[i]))
				setup_link(setup, joining, &setup->peers[order[there]],
						   ", which joins, before that one subscribes itself.");
		}
		for (int there = 0; there < i; there++)
		{
			if (setup_linked(setup, order[there], order[i]))
				setup_link(setup, &setup->peers[order[there]], joining,
						   ", which knows of it by now and keeps what it may need.");
		}
	}
}

/*
 * One server leaves.  What it has is sent first, and its neighbours in a ring are
 * linked before that is cut.  Then subscriptions go before slots, which nobody may
 * use any more.  Neither side talks to the other, for who leaves may be gone.  Who
 * stays drops what links there may be, also ones of an earlier topology.
 */
static void
setup_leave(MergeSetup *setup)
{
	const MergePeer *leaving = &setup->peers[setup->leaving];
	const char **from = palloc(sizeof(char *) * setup->count);
	const char **to = palloc(sizeof(char *) * setup->count);
	const char *gone = psprintf(" If %s is gone for good, leave this out.", leaving->node);
	List *slots = NIL;
	int staying = setup->leaving == setup->first ? (setup->first + 1) % setup->count : setup->first;

	if (setup->topology == TOPOLOGY_STAR && setup->leaving == setup->first && setup->count > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("node \"%s\" is the center of the star, and cannot leave", leaving->node),
				 errhint("Link the others first: as a mesh, a ring, or a star with another "
						 "center.")));
	for (int i = 0; i < setup->count; i++)
	{
		if (i == setup->leaving)
			continue;
		from[i] = setup_subscription_name(setup, leaving, &setup->peers[i]);
		to[i] = setup_subscription_name(setup, &setup->peers[i], leaving);
		slots = lappend(slots, unconstify(char *, from[i]));
	}
	if (setup->topology == TOPOLOGY_RING && setup->count > 3)
	{
		const MergePeer *left = &setup->peers[(setup->leaving + setup->count - 1) % setup->count];
		const MergePeer *right = &setup->peers[(setup->leaving + 1) % setup->count];

		const char *why = ": the ring is closed without the one that leaves. Each must be let in "
						  "by the other's pg_hba.conf.";

		setup_link(setup, left, right, why);
		setup_link(setup, right, left, why);
	}
	setup_emit(setup, leaving->node, merge_command_delivered(slots),
			   psprintf("Nobody writes here any more. Wait until the others have all that was "
						"written, 10 minutes at most.%s",
						gone));
	for (int i = 0; i < setup->count; i++)
	{
		if (i != setup->leaving)
			setup_emit(setup, setup->peers[i].node, merge_command_unsubscribe(from[i]),
					   psprintf("Nothing comes from %s any more.", leaving->node));
	}
	for (int i = 0; i < setup->count; i++)
	{
		if (i == setup->leaving)
			continue;
		setup_emit(setup, leaving->node, merge_command_unsubscribe(to[i]),
				   psprintf("Nothing comes from %s any more.%s", setup->peers[i].node, gone));
		setup_emit(setup, leaving->node, merge_command_drop_slot(from[i]),
				   psprintf("No WAL is kept for %s any more.%s", setup->peers[i].node, gone));
	}
	setup_emit(setup, leaving->node,
			   psprintf("DROP PUBLICATION IF EXISTS %s;", quote_identifier(setup->publication)),
			   psprintf("Its tables are still merged ones, under a name that the others are about "
						"to forget: should it go on by itself, SELECT %s.disable_merge(...) of "
						"each. To come back it needs another name.%s",
						setup->schema, gone));
	for (int i = 0; i < setup->count; i++)
	{
		if (i != setup->leaving)
			setup_emit(setup, setup->peers[i].node, merge_command_drop_slot(to[i]),
					   psprintf("No WAL is kept for %s any more.", leaving->node));
	}
	setup_emit(setup, setup->peers[staying].node,
			   merge_command_forget(setup->schema, leaving->node),
			   "On one server, for all: purging does not wait for it any more.");
}

PG_FUNCTION_INFO_V1(merge_subscription_commands);
Datum
merge_subscription_commands(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"peers", "topology", "publication"};
	MergeSetup setup = {0};
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
	/* version 1.0 of the extension has five arguments */
	setup.leaving = -1;
	if (PG_NARGS() > 5 && !PG_ARGISNULL(5))
		setup.leaving = setup_find(&setup, "leaving", text_to_cstring(PG_GETARG_TEXT_PP(5)));
	if (setup.last >= 0 && setup.leaving >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("joining and leaving cannot both be given"),
				 errhint("One server after the other.")));

	row_set_open(&setup.answer, fcinfo);
	query_connect();
	level = query_path_enter();
	if (setup.leaving >= 0)
		setup_leave(&setup);
	else
	{
		setup_tables(&setup);
		setup_join(&setup);
	}
	query_path_leave(level);
	query_finish();
	PG_RETURN_NULL();
}
