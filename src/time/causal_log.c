/*
 * causal_log.c
 *		Writing causal logs: create_causal_log, log_event, and the trigger
 *		that stamps plain inserts.
 *
 * The clock of a new event is the clock of its node's last event, merged with
 * what was received, and ticked (Fidge 1988, Mattern 1989; see vclock.c).  A
 * node's events are one after another, so whoever logs one holds a lock on
 * (log, origin) until the transaction ends: the next one then finds it
 * committed, or gone as if it had never happened.  Events of different nodes do
 * not wait for one another.
 *
 * The last event is read as of now, also in a transaction whose snapshot is
 * older: what such a transaction logs comes after what others have committed,
 * although it cannot see that.
 *
 * Statements are planned once per session and log.
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "core/bytes.h"
#include "core/node_table.h"
#include "core/shared_clock.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "time/hlc.h"
#include "time/log_table.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/* Tells our locks from the advisory ones of users, which have 1 and 2 there. */
#define CAUSAL_LOG_LOCK 0xc10c

/* How this session writes to a log. */
typedef struct LogWriter
{
	Oid namespace;     /* of the extension, which the statements name */
	Oid relid;         /* what is written to */
	Oid root;          /* where all events are: the whole table of a partition */
	SPIPlanPtr last;   /* the last event of origin $1, from $2 on; NULL while it is not built */
	SPIPlanPtr append; /* a new event; NULL while there was none */
	bool has_event;
	bool has_key; /* the last event is found by an index */
	bool planned; /* has "last" been planned? */
	bool valid;   /* nothing that it depends on has changed */
	bool listed;  /* log_writers has it */
	int users;    /* calls in progress */

	/* the last event that this session has logged there, to begin the search */
	int64 seq;
	Size origin_length;
	char origin[NODE_NAME_MAX];
} LogWriter;

typedef struct LogWriterSlot
{
	Oid relid;
	LogWriter *writer;
} LogWriterSlot;

static HTAB *log_writers = NULL;

/* Parameters of LogWriter.append. */
enum
{
	APPEND_ORIGIN,
	APPEND_SEQ,
	APPEND_CLOCK,
	APPEND_AT,
	APPEND_EVENT,
	APPEND_PARAMETERS
};

/* What an event is stamped with. */
typedef struct EventStamp
{
	int64 seq;
	struct varlena *clock;
} EventStamp;

/*
 * Creating a log
 */

static void
causal_log_run(const char *sql)
{
	int result = SPI_execute(sql, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute returned %s: %s", SPI_result_code_string(result), sql);
}

PG_FUNCTION_INFO_V1(create_causal_log);
Datum
create_causal_log(PG_FUNCTION_ARGS)
{
	const char *schema = extension_schema(fcinfo);
	RangeVar *name = makeRangeVarFromNameList(textToQualifiedNameList(PG_GETARG_TEXT_PP(0)));
	Oid namespace = RangeVarGetCreationNamespace(name);
	const char *log = quote_qualified_identifier(isTempNamespace(namespace)
													 ? "pg_temp"
													 : get_namespace_name(namespace),
												 name->relname);
	Oid relid;

	/*
	 * The names of nodes compare by their bytes, as in clocks.  An event that
	 * its own clock counts has an origin that can be in a clock, so the
	 * check takes care of that, too.
	 */
	query_connect();
	causal_log_run(psprintf("CREATE TABLE %s ("
							"origin pg_catalog.text COLLATE pg_catalog.\"C\" NOT NULL "
							"DEFAULT %s.local_node(), "
							"seq pg_catalog.int8 NOT NULL, "
							"clock %s.vclock NOT NULL, "
							"at %s.hlc NOT NULL DEFAULT %s.hlc_now(), "
							"event pg_catalog.jsonb, "
							"PRIMARY KEY (origin, seq), "
							"CHECK (seq OPERATOR(pg_catalog.>) 0 AND "
							"(clock OPERATOR(%s.->) origin) OPERATOR(pg_catalog.=) seq))",
							log, schema, schema, schema, schema, schema));
	causal_log_run(
		psprintf("CREATE INDEX ON %s USING gist (clock %s.vclock_gist_ops)", log, schema));
	causal_log_run(psprintf("CREATE TRIGGER causal_log_stamp BEFORE INSERT ON %s "
							"FOR EACH ROW EXECUTE FUNCTION %s.causal_log_stamp()",
							log, schema));
	causal_log_run(psprintf("COMMENT ON TABLE %s IS "
							"'causal log: the events of several nodes and what caused what'",
							log));
	query_finish();
	relid = get_relname_relid(name->relname, namespace);
	PG_RETURN_OID(relid);
}

/*
 * Prepared statements
 */

static void
log_writer_free(LogWriter *writer)
{
	if (writer->last)
		SPI_freeplan(writer->last);
	if (writer->append)
		SPI_freeplan(writer->append);
	pfree(writer);
}

static void
log_writer_forget(Datum argument, Oid relid)
{
	HASH_SEQ_STATUS status;
	LogWriterSlot *slot;

	hash_seq_init(&status, log_writers);
	while ((slot = hash_seq_search(&status)) != NULL)
	{
		LogWriter *writer = slot->writer;

		if (writer && (!OidIsValid(relid) || writer->relid == relid || writer->root == relid))
			writer->valid = false;
	}
}

/* A schema may have been renamed, which tables in it are not told of. */
static void
log_writer_forget_names(Datum argument, int cache, uint32 hash)
{
	log_writer_forget(argument, InvalidOid);
}

static void
log_writers_init(void)
{
	HASHCTL control;

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(LogWriterSlot);
	log_writers = hash_create("distributed causal logs", 16, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(log_writer_forget, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, log_writer_forget_names, (Datum) 0);
}

static SPIPlanPtr
log_writer_prepare(const char *sql, int count, Oid *types)
{
	SPIPlanPtr plan = SPI_prepare_cursor(sql, count, types, CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare returned %s: %s", SPI_result_code_string(SPI_result), sql);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	return plan;
}

/* Of a partition, the whole table. */
static Oid
log_writer_root(Oid relid)
{
	List *ancestors;

	if (!get_rel_relispartition(relid))
		return relid;
	ancestors = get_partition_ancestors(relid);
	return ancestors == NIL ? relid : llast_oid(ancestors);
}

/*
 * The writer of a log, which the caller has locked against changes; call it
 * between query_connect and query_finish, and log_writer_leave at the end.
 */
static LogWriter *
log_writer_enter(FunctionCallInfo fcinfo, Oid relid)
{
	Oid namespace = extension_namespace(fcinfo);
	LogWriterSlot *slot;
	LogWriter *writer;
	LogTable log;
	Oid types[2] = {TEXTOID, INT8OID};
	bool found;

	if (log_writers == NULL)
		log_writers_init();
	slot = hash_search(log_writers, &relid, HASH_ENTER, &found);
	if (!found)
		slot->writer = NULL;
	writer = slot->writer;
	if (writer && writer->valid && writer->last && writer->namespace == namespace)
	{
		writer->users++;
		return writer;
	}
	if (writer)
	{
		/* a trigger that logs an event may have changed the table before */
		slot->writer = NULL;
		writer->listed = false;
		if (writer->users == 0)
			log_writer_free(writer);
	}
	writer = MemoryContextAllocZero(TopMemoryContext, sizeof(LogWriter));
	writer->namespace = namespace;
	writer->relid = relid;
	writer->root = log_writer_root(relid);
	writer->listed = true;
	/* what changes from here on makes it invalid again, if not for this call */
	writer->valid = true;
	slot->writer = writer;

	log_table_open(&log, fcinfo, relid);
	writer->has_event = log.has_event;
	if (writer->root != relid)
		log_table_open(&log, fcinfo, writer->root);
	writer->has_key = log.has_key;
	writer->last = log_writer_prepare(psprintf("SELECT l.seq::pg_catalog.int8, l.clock FROM %s l "
											   "WHERE l.origin OPERATOR(pg_catalog.=) $1 "
											   "AND l.seq OPERATOR(pg_catalog.>=) $2 "
											   "ORDER BY l.seq DESC LIMIT 1",
											   log.name),
									  2, types);
	writer->users++;
	return writer;
}

static void
log_writer_leave(LogWriter *writer)
{
	if (--writer->users == 0 && !writer->listed)
		log_writer_free(writer);
}

/* The expression that turns the event $5 into what the column takes. */
static const char *
log_writer_event(Oid relid)
{
	Oid type = getBaseType(get_atttype(relid, get_attnum(relid, "event")));

	if (type == JSONBOID)
		return "$5";
	if (type == JSONOID)
		return "$5::pg_catalog.json";
	/* a string is the text itself, as log_table.c reads it */
	if (TypeCategory(type) == TYPCATEGORY_STRING)
		return "$5 OPERATOR(pg_catalog.#>>) '{}'";
	return psprintf("($5 OPERATOR(pg_catalog.#>>) '{}')::%s", format_type_be_qualified(type));
}

static SPIPlanPtr
log_writer_prepare_append(FunctionCallInfo fcinfo, Oid relid)
{
	LogTable log;
	StringInfoData columns;
	StringInfoData values;
	Oid types[APPEND_PARAMETERS];

	log_table_open(&log, fcinfo, relid);
	types[APPEND_ORIGIN] = TEXTOID;
	types[APPEND_SEQ] = INT8OID;
	types[APPEND_CLOCK] = log.clock_type;
	types[APPEND_AT] = log.hlc_type;
	types[APPEND_EVENT] = JSONBOID;
	initStringInfo(&columns);
	initStringInfo(&values);
	appendStringInfoString(&columns, "origin, clock");
	appendStringInfoString(&values, "$1, $3");
	/* it may be generated from the clock */
	if (get_attgenerated(relid, get_attnum(relid, "seq")) == '\0')
	{
		appendStringInfoString(&columns, ", seq");
		appendStringInfoString(&values, ", $2");
	}
	if (log.has_at)
	{
		appendStringInfoString(&columns, ", at");
		appendStringInfoString(&values, ", $4");
	}
	if (log.has_event)
	{
		appendStringInfoString(&columns, ", event");
		appendStringInfo(&values, ", %s", log_writer_event(relid));
	}
	return log_writer_prepare(psprintf("INSERT INTO %s (%s) VALUES (%s)", log.name, columns.data,
									   values.data),
							  APPEND_PARAMETERS, types);
}

/*
 * Stamping events
 */

/* Until the transaction ends, nobody else logs an event of this node. */
static void
log_writer_lock(const LogWriter *writer, NodeName origin)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, writer->root,
						 hash_bytes((const unsigned char *) origin.name, (int) origin.length),
						 CAUSAL_LOG_LOCK);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/*
 * Find the last event of a node, of those from number "from" on; the row is then
 * in SPI_tuptable.
 */
static bool
log_writer_find_last(LogWriter *writer, Datum origin, int64 from)
{
	Datum values[2];
	Snapshot snapshot = InvalidSnapshot;
	bool plan = writer->has_key && (!writer->planned || !SPI_plan_is_valid(writer->last));
	int nesting = 0;
	int result;

	values[0] = origin;
	values[1] = Int64GetDatum(from);
	if (IsolationUsesXactSnapshot())
		snapshot = GetLatestSnapshot();
	if (plan)
	{
		/* a table that is small now may have grown when the plan is used */
		nesting = NewGUCNestLevel();
		(void) set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
	result = SPI_execute_snapshot(writer->last, values, NULL, snapshot, InvalidSnapshot, false,
								  true, 1);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot returned %s", SPI_result_code_string(result));
	if (plan)
		AtEOXact_GUC(true, nesting);
	writer->planned = true;
	return SPI_processed > 0;
}

/*
 * The same of all events.  A scan of a btree looks at all matching tuples of a
 * page at once, so it pays to begin where this session has been; if nothing is
 * left there, after a rollback, that was no use.
 */
static bool
log_writer_read_last(LogWriter *writer, NodeName origin)
{
	Datum name = PointerGetDatum(cstring_to_text_with_len(origin.name, (int) origin.length));

	return (bytes_compare(origin.name, origin.length, writer->origin, writer->origin_length) == 0 &&
			log_writer_find_last(writer, name, writer->seq)) ||
		log_writer_find_last(writer, name, PG_INT64_MIN);
}

/*
 * The stamp of the next event of a node which has received "received" (or
 * nothing, if NULL), in the memory context "context".
 */
static EventStamp
log_writer_stamp(LogWriter *writer, NodeName origin, struct varlena *received,
				 MemoryContext context)
{
	EventStamp stamp;
	NodeEntries none;
	NodeTable clock;
	int64 last = 0;
	MemoryContext old;
	bool found;

	log_writer_lock(writer, origin);
	found = log_writer_read_last(writer, origin);
	old = MemoryContextSwitchTo(context);
	node_entries_init(&none, 0);
	node_table_open(&clock, received ? received : node_table_write(&none, 1, 0), 1);
	if (found)
	{
		HeapTuple row = SPI_tuptable->vals[0];
		TupleDesc desc = SPI_tuptable->tupdesc;
		NodeTable before;
		bool isnull;
		Datum value = SPI_getbinval(row, desc, 2, &isnull);

		if (!isnull)
		{
			node_table_open(&before, PG_DETOAST_DATUM_PACKED(value), 1);
			if (received)
				node_table_open(&clock, node_table_combine(&before, &clock, NODE_JOIN), 1);
			else
				clock = before;
		}
		last = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	}
	/* a table without the check may number events by other means */
	if (last > 0 && (uint64) last > node_table_get(&clock, origin.name, origin.length, 0))
		node_table_open(&clock,
						node_table_set(&clock, origin.name, origin.length, 0, (uint64) last), 1);
	stamp.clock = node_table_increment(&clock, origin, 0, 1, "vclock");
	node_table_open(&clock, stamp.clock, 1);
	stamp.seq = (int64) node_table_get(&clock, origin.name, origin.length, 0);
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	writer->seq = stamp.seq;
	writer->origin_length = origin.length;
	memcpy(writer->origin, origin.name, origin.length);
	return stamp;
}

static NodeName
causal_log_local_node(void)
{
	NodeName node;

	node.name = node_name_local();
	node.length = strlen(node.name);
	return node;
}

/*
 * log_event
 */

/* The timestamp is taken while the lock is held, so it grows as seq does. */
static bool
log_writer_append(LogWriter *writer, FunctionCallInfo fcinfo, NodeName origin, EventStamp stamp)
{
	Datum values[APPEND_PARAMETERS];
	char nulls[APPEND_PARAMETERS];
	int result;

	if (writer->append == NULL)
		writer->append = log_writer_prepare_append(fcinfo, writer->relid);
	memset(nulls, ' ', sizeof(nulls));
	values[APPEND_ORIGIN] = PointerGetDatum(
		cstring_to_text_with_len(origin.name, (int) origin.length));
	values[APPEND_SEQ] = Int64GetDatum(stamp.seq);
	values[APPEND_CLOCK] = PointerGetDatum(stamp.clock);
	values[APPEND_AT] = hlc_result(shared_clock_tick());
	values[APPEND_EVENT] = PG_GETARG_DATUM(1);
	if (PG_ARGISNULL(1))
		nulls[APPEND_EVENT] = 'n';
	result = SPI_execute_plan(writer->append, values, nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(result));
	return SPI_processed > 0;
}

/* Stamp and append the event that the arguments are; null if it was not stored. */
static struct varlena *
log_writer_log(LogWriter *writer, FunctionCallInfo fcinfo, MemoryContext context)
{
	struct varlena *received = PG_ARGISNULL(2) ? NULL : PG_GETARG_VARLENA_PP(2);
	NodeName origin = PG_ARGISNULL(3) ? causal_log_local_node()
									  : node_name_argument(fcinfo, 3, "vclock");
	EventStamp stamp;

	if (!writer->has_event && !PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("log \"%s\" has no column \"event\"", get_rel_name(writer->relid)),
				 errdetail("An event was given, which cannot be stored."),
				 errhint("Log null as the event, or add the column: event jsonb.")));
	stamp = log_writer_stamp(writer, origin, received, context);
	/* a trigger or a rule of the user's may drop it */
	return log_writer_append(writer, fcinfo, origin, stamp) ? stamp.clock : NULL;
}

PG_FUNCTION_INFO_V1(log_event);
Datum
log_event(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	struct varlena *volatile clock = NULL;
	LogWriter *writer;
	Oid relid;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("log must not be null"),
				 errhint("Pass the name of a causal log; create_causal_log makes one.")));
	relid = PG_GETARG_OID(0);

	/* before the lock on the origin, in the order in which an INSERT takes them */
	LockRelationOid(relid, RowExclusiveLock);
	query_connect();
	writer = log_writer_enter(fcinfo, relid);
	PG_TRY();
	{
		clock = log_writer_log(writer, fcinfo, context);
	}
	PG_FINALLY();
	{
		log_writer_leave(writer);
	}
	PG_END_TRY();
	query_finish();
	if (clock == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(clock);
}

/*
 * The trigger
 */

static AttrNumber
causal_log_stamp_column(Relation relation, const char *name)
{
	AttrNumber column = (AttrNumber) SPI_fnumber(RelationGetDescr(relation), name);

	if (column > 0 && TupleDescAttr(RelationGetDescr(relation), column - 1)->attgenerated != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("cannot stamp events of \"%s\"", RelationGetRelationName(relation)),
				 errdetail("Its column \"%s\" is generated, which triggers cannot fill in.", name),
				 errhint("Use log_event, or make it a plain column with a check constraint.")));
	return column;
}

/* A value of type "type" as the column wants it, which may be of a kindred type. */
static Datum
causal_log_stamp_value(Relation relation, AttrNumber number, Oid type, Datum value)
{
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), number - 1);
	Oid function;
	Oid parameter;
	bool varlena;

	if (column->atttypid == type)
		return value;
	getTypeOutputInfo(type, &function, &varlena);
	value = CStringGetDatum(OidOutputFunctionCall(function, value));
	getTypeInputInfo(column->atttypid, &function, &parameter);
	return OidInputFunctionCall(function, DatumGetCString(value), parameter, column->atttypmod);
}

/* The node at which an inserted event happened: the one of the row, or this one. */
static NodeName
causal_log_stamp_origin(HeapTuple row, TupleDesc desc)
{
	InputSource source = input_from_arguments("vclock");
	NodeName origin;

	origin.name = SPI_getvalue(row, desc, SPI_fnumber(desc, "origin"));
	if (origin.name == NULL)
		return causal_log_local_node();
	origin.length = strlen(origin.name);
	node_name_check(&source, origin.name, origin.length);
	return origin;
}

/* The stamp of an inserted event, whose clock so far is what was received. */
static void
log_writer_stamp_row(LogWriter *writer, HeapTuple row, TupleDesc desc, MemoryContext context,
					 NodeName *origin, EventStamp *stamp)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	bool isnull;
	Datum clock = heap_getattr(row, SPI_fnumber(desc, "clock"), desc, &isnull);
	struct varlena *received = isnull ? NULL : PG_DETOAST_DATUM_PACKED(clock);

	*origin = causal_log_stamp_origin(row, desc);
	MemoryContextSwitchTo(old);
	*stamp = log_writer_stamp(writer, *origin, received, context);
}

static void
causal_log_stamp_event(FunctionCallInfo fcinfo, Relation relation, HeapTuple row, NodeName *origin,
					   EventStamp *stamp)
{
	MemoryContext context = CurrentMemoryContext;
	LogWriter *writer;

	query_connect();
	writer = log_writer_enter(fcinfo, RelationGetRelid(relation));
	PG_TRY();
	{
		log_writer_stamp_row(writer, row, RelationGetDescr(relation), context, origin, stamp);
	}
	PG_FINALLY();
	{
		log_writer_leave(writer);
	}
	PG_END_TRY();
	query_finish();
}

/* Fill in what a row without a number lacks. */
static HeapTuple
causal_log_stamp_row(FunctionCallInfo fcinfo, Relation relation, HeapTuple row)
{
	TupleDesc desc = RelationGetDescr(relation);
	Oid namespace = extension_namespace(fcinfo);
	Oid hlc_type = extension_type(namespace, "hlc");
	AttrNumber column;
	NodeName origin;
	EventStamp stamp;
	int columns[4];
	Datum values[4];
	bool nulls[4] = {false, false, false, false};
	int count = 0;

	/* it has the columns of a log, or this would not return */
	causal_log_stamp_event(fcinfo, relation, row, &origin, &stamp);

	column = causal_log_stamp_column(relation, "origin");
	if (heap_attisnull(row, column, desc))
	{
		columns[count] = column;
		values[count++] =
			causal_log_stamp_value(relation, column, TEXTOID,
								   PointerGetDatum(
									   cstring_to_text_with_len(origin.name, (int) origin.length)));
	}
	column = causal_log_stamp_column(relation, "seq");
	columns[count] = column;
	values[count++] = causal_log_stamp_value(relation, column, INT8OID, Int64GetDatum(stamp.seq));
	column = causal_log_stamp_column(relation, "clock");
	columns[count] = column;
	values[count++] = causal_log_stamp_value(relation, column, extension_type(namespace, "vclock"),
											 PointerGetDatum(stamp.clock));
	/* a default was taken before the lock, so it may be less than that of the last event */
	column = (AttrNumber) SPI_fnumber(desc, "at");
	if (column > 0 && getBaseType(TupleDescAttr(desc, column - 1)->atttypid) == hlc_type)
	{
		column = causal_log_stamp_column(relation, "at");
		columns[count] = column;
		values[count++] = causal_log_stamp_value(relation, column, hlc_type,
												 hlc_result(shared_clock_tick()));
	}
	return heap_modify_tuple_by_cols(row, desc, count, columns, values, nulls);
}

PG_FUNCTION_INFO_V1(causal_log_stamp);
Datum
causal_log_stamp(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation relation;
	AttrNumber seq;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"causal_log_stamp\" was not called as a trigger")));
	relation = trigger->tg_relation;
	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" cannot stamp events", trigger->tg_trigger->tgname),
				 errdetail("It is not fired before each row of an INSERT."),
				 errhint("Define it as BEFORE INSERT ON ... FOR EACH ROW.")));
	seq = (AttrNumber) SPI_fnumber(RelationGetDescr(relation), "seq");
	/* a row that has its number is complete: it comes from another log, or from log_event */
	if (seq > 0 && !heap_attisnull(trigger->tg_trigtuple, seq, RelationGetDescr(relation)))
		PG_RETURN_POINTER(trigger->tg_trigtuple);
	PG_RETURN_POINTER(causal_log_stamp_row(fcinfo, relation, trigger->tg_trigtuple));
}
