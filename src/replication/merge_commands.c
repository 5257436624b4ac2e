/*
 * merge_commands.c
 *		The texts of the commands that link servers, and part them.
 *
 * Every command is one line for psql, says what it needs, and does nothing where
 * it has been run.  CREATE SUBSCRIPTION makes its slot itself, so it cannot be run
 * in a block, and is what a query prints if there is no such subscription, for
 * \gexec.  To make the slot beforehand would not do: run again where a slot was
 * lost, and the subscription is still there, that would go on behind what was not
 * sent, and nobody would know.
 */
#include "core/compat.h"

#include "replication/merge_commands.h"
#include "replication/merge_shape.h"
#include "utils/builtins.h"

/* How long a printed wait goes on without progress, as an interval, and in seconds. */
#define COMMAND_PATIENCE         "10 min"
#define COMMAND_PATIENCE_SECONDS 600

/* Workers that copy tables of one link, max_sync_workers_per_subscription. */
#define COPY_WORKERS 2

/* That a subscription is there; names are a database's own, the catalog is all databases'. */
#define SUBSCRIPTION_HERE \
	"SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid " \
	"WHERE s.subname = %s AND d.datname = current_database()"

/* A body of code, or a statement, in quotes that leave it legible. */
static char *
command_quoted(const char *body)
{
	char *tag = pstrdup("");

	while (strstr(body, psprintf("$%s$", tag)))
		tag = psprintf("%sq", tag);
	return psprintf("$%s$%s%s$%s$", tag, body, *body && body[strlen(body) - 1] == '$' ? " " : "",
					tag);
}

static char *
command_block(const char *body)
{
	return psprintf("DO %s;", command_quoted(body));
}

/*
 * A slot for each link, and one for each table that is copied; as many senders;
 * as many workers, and origins, for the way back.  Besides, there is the launcher,
 * and parallel queries are to go on.
 */
char *
merge_command_settings(int links)
{
	int each = links + COPY_WORKERS;

	return command_block(psprintf(
		" DECLARE change text; BEGIN SELECT string_agg(format('ALTER SYSTEM SET %%s = %%s;', "
		"name, needed), ' ') INTO change FROM (VALUES ('wal_level', 'logical'), "
		"('max_replication_slots', '%d'), ('max_active_replication_origins', '%d'), "
		"('max_wal_senders', '%d'), ('max_logical_replication_workers', '%d'), "
		"('max_worker_processes', '%d')) v (name, needed) WHERE CASE name WHEN 'wal_level' "
		"THEN current_setting(name) <> needed ELSE current_setting(name, true)::integer < "
		"needed::integer END; IF change IS NOT NULL THEN RAISE EXCEPTION 'settings of this "
		"server do not suffice for its links' USING HINT = change || ' Then restart it.'; "
		"END IF; END ",
		each, each, each, each, each + 4));
}

char *
merge_command_role(const char *role, bool bypass_security)
{
	const char *name = quote_identifier(role);

	return psprintf("%s ALTER ROLE %s LOGIN REPLICATION%s;",
					command_block(
						psprintf(" BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s) "
								 "THEN CREATE ROLE %s; END IF; END ",
								 quote_literal_cstr(role), name)),
					name, bypass_security ? " BYPASSRLS" : "");
}

char *
merge_command_grants(const char *role, const char *schemas, const char *tables)
{
	const char *name = quote_identifier(role);

	return psprintf("GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT ON %s TO %s;", schemas, name,
					tables, name);
}

/* All options that matter, since defaults differ from version to version. */
static const char *
command_options(void)
{
	StringInfoData options;

	initStringInfo(&options);
	appendStringInfoString(&options, "copy_data = true, synchronous_commit = 'on'");
	if (COMPAT_BINARY)
		appendStringInfoString(&options, ", binary = false");
	if (COMPAT_STREAMING)
		appendStringInfoString(&options, ", streaming = off");
	if (COMPAT_TWO_PHASE)
		appendStringInfoString(&options, ", two_phase = false");
	if (COMPAT_DISABLE_ON_ERROR)
		appendStringInfoString(&options, ", disable_on_error = false");
	if (COMPAT_ORIGIN)
		appendStringInfoString(&options, ", origin = any");
	return options.data;
}

char *
merge_command_subscribe(const char *name, const char *conninfo, const char *publication)
{
	char *statement = psprintf("CREATE SUBSCRIPTION %s CONNECTION %s PUBLICATION %s WITH (%s)",
							   quote_identifier(name), quote_literal_cstr(conninfo),
							   quote_identifier(publication), command_options());

	return psprintf("SELECT %s WHERE NOT EXISTS (" SUBSCRIPTION_HERE ") \\gexec",
					command_quoted(statement), quote_literal_cstr(name));
}

char *
merge_command_wait(const char *schema, const char *name)
{
	return psprintf("SELECT %s.merge_copy_wait(%s, '" COMMAND_PATIENCE "');", schema,
					quote_literal_cstr(name));
}

/* Without a word to the publisher, which may be gone, and so may the slot. */
char *
merge_command_unsubscribe(const char *name)
{
	const char *quoted = quote_identifier(name);

	return command_block(
		psprintf(" BEGIN IF EXISTS (" SUBSCRIPTION_HERE ") THEN ALTER SUBSCRIPTION %s DISABLE; "
				 "ALTER SUBSCRIPTION %s SET (slot_name = NONE); DROP SUBSCRIPTION %s; END IF; "
				 "END ",
				 quote_literal_cstr(name), quoted, quoted, quoted));
}

/* Until all that was written here is on the disks of who has these slots. */
char *
merge_command_delivered(List *slots)
{
	StringInfoData list;
	ListCell *cell;

	initStringInfo(&list);
	foreach (cell, slots)
	{
		appendStringInfo(&list, "%s%s", list.len ? ", " : "", quote_literal_cstr(lfirst(cell)));
	}
	return command_block(psprintf(
		" DECLARE written pg_lsn := pg_current_wal_lsn(); BEGIN FOR second IN 1 .. %d LOOP "
		"PERFORM FROM pg_replication_slots WHERE slot_name IN (%s) AND confirmed_flush_lsn < "
		"written; IF NOT FOUND THEN RETURN; END IF; PERFORM pg_sleep(1); END LOOP; RAISE "
		"EXCEPTION 'what this server has written has not arrived at all others' USING HINT = "
		"'In pg_replication_slots, see active and confirmed_flush_lsn; the log of who is behind says why.'; END ",
		COMMAND_PATIENCE_SECONDS, list.data));
}

/* Who has it is to go, or is gone, and the server has not noticed yet. */
char *
merge_command_drop_slot(const char *slot)
{
	const char *name = quote_literal_cstr(slot);

	return command_block(psprintf(
		" BEGIN FOR i IN 1 .. 100 LOOP PERFORM pg_terminate_backend(active_pid) FROM "
		"pg_replication_slots WHERE slot_name = %s AND database = current_database() AND active; "
		"EXIT WHEN NOT FOUND; PERFORM pg_sleep(0.1); END LOOP; PERFORM "
		"pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND "
		"database = current_database(); END ",
		name, name));
}

char *
merge_command_forget(const char *schema, const char *node)
{
	return psprintf("SELECT %s.forget_node(node) FROM %s.merge_nodes WHERE node = %s;", schema,
					schema, quote_literal_cstr(node));
}
