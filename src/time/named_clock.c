/*
 * named_clock.c
 *		Clocks that all sessions of a database share, durably.
 *
 * A clock is a row of the table named_clocks, which holds the time of its last
 * event.  So it is transactional: to tick locks the row until the transaction
 * ends, so that no two events get one time, and an event that is rolled back
 * has not happened.
 *
 * The table belongs to the extension, and these functions write it as its
 * owner; who made a clock owns it, and may let it tick, as may the members of
 * that role.  Everybody may read all clocks.
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "core/enum_label.h"
#include "core/node_name.h"
#include "core/query.h"
#include "core/shared_clock.h"
#include "core/wall_clock.h"
#include "time/lamport.h"
#include "time/logical_time.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* A call for one clock. */
typedef struct NamedClock
{
	const char *table; /* its name, quoted */
	Oid time_type;     /* logical_time */
	Datum name;

	QueryCaller caller;

	/* the row, once it is known */
	const char *node; /* or NULL */
	struct varlena *now;
	Oid owner;
} NamedClock;

/* Become the owner of the table, and connect. */
static void
named_clock_begin(NamedClock *clock, FunctionCallInfo fcinfo)
{
	Oid namespace = extension_namespace(fcinfo);

	memset(clock, 0, sizeof(*clock));
	clock->table = quote_qualified_identifier(get_namespace_name(namespace), "named_clocks");
	clock->time_type = extension_type(namespace, "logical_time");
	clock->name = PG_GETARG_DATUM(0);
	query_connect_as_owner(&clock->caller, extension_table(namespace, "named_clocks"));
}

static void
named_clock_end(NamedClock *clock)
{
	query_finish_as_owner(&clock->caller);
}

/* Read the clock; "locking" is what the query ends with. */
static void
named_clock_read(NamedClock *clock, const char *locking)
{
	QueryArguments arguments = {0};
	HeapTuple row;
	TupleDesc desc;
	Datum value;
	bool isnull;

	query_argument(&arguments, TEXTOID, clock->name, false);
	if (query_run(
			psprintf("SELECT node, now, owner FROM %s WHERE name OPERATOR(pg_catalog.=) $1 %s",
					 clock->table, locking),
			&arguments) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("clock \"%s\" does not exist", TextDatumGetCString(clock->name)),
				 errhint("Make it with create_clock; the table named_clocks lists all "
						 "clocks.")));
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	value = SPI_getbinval(row, desc, 1, &isnull);
	clock->node = isnull ? NULL : TextDatumGetCString(value);
	clock->now = PG_DETOAST_DATUM_COPY(SPI_getbinval(row, desc, 2, &isnull));
	clock->owner = DatumGetObjectId(SPI_getbinval(row, desc, 3, &isnull));
}

/* May the caller let this clock tick? */
static void
named_clock_check_owner(const NamedClock *clock)
{
	if (!has_privs_of_role(clock->caller.user, clock->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of clock \"%s\"", TextDatumGetCString(clock->name)),
				 errhint("A clock that several roles use belongs to a role of which all of "
						 "them are members: create it after SET ROLE.")));
}

/*
 * The time of the next event, and after "remote" where that is of the same kind.
 */
static struct varlena *
named_clock_next(const NamedClock *clock, const struct varlena *remote)
{
	LogicalTime last;
	LogicalTime received;
	bool merge = false;

	logical_time_open(&last, clock->now);
	if (remote)
	{
		logical_time_open(&received, remote);
		merge = received.kind == last.kind;
	}
	switch (last.kind)
	{
		case LOGICAL_LAMPORT:
			if (merge)
				last.lamport = Max(last.lamport, received.lamport);
			return logical_time_from_lamport((uint64) lamport_next((int64) last.lamport));
		case LOGICAL_VECTOR:
		{
			NodeName node = {clock->node, strlen(clock->node)};

			if (merge)
				node_table_open(&last.vector,
								node_table_combine(&last.vector, &received.vector, NODE_JOIN), 1);
			return logical_time_from_vector(
				node_table_increment(&last.vector, node, 0, 1, "vclock"));
		}
		case LOGICAL_HYBRID:
		{
			int64 now = wall_clock_now();

			if (merge)
			{
				shared_clock_refuse_ahead(received.hybrid, now);
				if (hybrid_time_compare(last.hybrid, received.hybrid) < 0)
					last.hybrid = received.hybrid;
			}
			return logical_time_from_hybrid(hybrid_time_tick(last.hybrid, now));
		}
	}
	return NULL;
}

/* What is to be returned must outlive the connection. */
static Datum
named_clock_result(const struct varlena *time)
{
	return SPI_datumTransfer(PointerGetDatum(time), false, -1);
}

/* Tick, and after "remote" where that is given. */
static Datum
named_clock_advance(FunctionCallInfo fcinfo, const struct varlena *remote)
{
	QueryArguments arguments = {0};
	NamedClock clock;
	Datum next;

	named_clock_begin(&clock, fcinfo);
	named_clock_read(&clock, "FOR NO KEY UPDATE");
	named_clock_check_owner(&clock);
	next = named_clock_result(named_clock_next(&clock, remote));
	query_argument(&arguments, TEXTOID, clock.name, false);
	query_argument(&arguments, clock.time_type, next, false);
	query_run(psprintf("UPDATE %s SET now = $2 WHERE name OPERATOR(pg_catalog.=) $1", clock.table),
			  &arguments);
	named_clock_end(&clock);
	return next;
}

PG_FUNCTION_INFO_V1(clock_tick);
Datum
clock_tick(PG_FUNCTION_ARGS)
{
	return named_clock_advance(fcinfo, NULL);
}

PG_FUNCTION_INFO_V1(clock_receive);
Datum
clock_receive(PG_FUNCTION_ARGS)
{
	return named_clock_advance(fcinfo, PG_GETARG_VARLENA_PP(1));
}

PG_FUNCTION_INFO_V1(clock_now);
Datum
clock_now(PG_FUNCTION_ARGS)
{
	NamedClock clock;
	Datum now;

	named_clock_begin(&clock, fcinfo);
	named_clock_read(&clock, "");
	now = named_clock_result(clock.now);
	named_clock_end(&clock);
	return now;
}

/* The time of a clock by which nothing has happened yet. */
static struct varlena *
named_clock_start(LogicalKind kind)
{
	HybridTime never = {0, 0};
	NodeEntries nobody;

	switch (kind)
	{
		case LOGICAL_LAMPORT:
			return logical_time_from_lamport(0);
		case LOGICAL_VECTOR:
			node_entries_init(&nobody, 0);
			return logical_time_from_vector(node_table_write(&nobody, 1, 0));
		case LOGICAL_HYBRID:
			return logical_time_from_hybrid(never);
	}
	return NULL;
}

PG_FUNCTION_INFO_V1(create_clock);
Datum
create_clock(PG_FUNCTION_ARGS)
{
	InputSource source = input_from_arguments("vclock");
	QueryArguments arguments = {0};
	NamedClock clock;
	LogicalKind kind;
	text *node = NULL;
	Datum now;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of a clock must not be null", PG_ARGISNULL(0) ? "name" : "kind")));
	if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME), errmsg("name of a clock must not be empty")));
	kind = (LogicalKind) enum_label_argument(fcinfo, 1, logical_kind_labels, LOGICAL_KINDS);
	if (!PG_ARGISNULL(2))
		node = PG_GETARG_TEXT_PP(2);
	else if (kind == LOGICAL_VECTOR)
		node = cstring_to_text(node_name_local());
	if (node)
		node_name_check(&source, VARDATA_ANY(node), VARSIZE_ANY_EXHDR(node));

	named_clock_begin(&clock, fcinfo);
	now = named_clock_result(named_clock_start(kind));
	query_argument(&arguments, TEXTOID, clock.name, false);
	query_argument(&arguments, get_fn_expr_argtype(fcinfo->flinfo, 1), PG_GETARG_DATUM(1), false);
	query_argument(&arguments, TEXTOID, PointerGetDatum(node), node == NULL);
	query_argument(&arguments, clock.time_type, now, false);
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(clock.caller.user), false);
	if (query_run(psprintf("INSERT INTO %s (name, kind, node, now, owner) "
						   "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING",
						   clock.table),
				  &arguments) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("clock \"%s\" already exists", TextDatumGetCString(clock.name))));
	named_clock_end(&clock);
	return now;
}

PG_FUNCTION_INFO_V1(drop_clock);
Datum
drop_clock(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	NamedClock clock;

	named_clock_begin(&clock, fcinfo);
	named_clock_read(&clock, "FOR UPDATE");
	named_clock_check_owner(&clock);
	query_argument(&arguments, TEXTOID, clock.name, false);
	query_run(psprintf("DELETE FROM %s WHERE name OPERATOR(pg_catalog.=) $1", clock.table),
			  &arguments);
	named_clock_end(&clock);
	PG_RETURN_VOID();
}
