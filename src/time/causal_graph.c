/*
 * causal_graph.c
 *		Questions to causal logs: what came before an event and what after,
 *		how deep it lies, where a log ends, what may have raced.
 *
 * An event happened before another exactly if its clock is less, so most
 * answers are one query with an operator of vclock, which a GiST index on the
 * clocks serves.  Three things are known of logs besides.  The past of a clock
 * holds, of each node, only the first so many events, which an index on
 * (origin, seq) finds at once.  The clocks of one node grow, so the last event
 * of a node speaks for the earlier ones: for the frontier and for cuts it is
 * enough to look at one event of each node.  And events that are sorted by
 * clock come after their causes.
 *
 * Cuts: F. Mattern, "Virtual time and global states of distributed systems",
 * 1989.
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "core/rows.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/tcopprot.h"
#include "time/event_graph.h"
#include "time/log_table.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* A clock of more nodes is not asked for node by node. */
#define PAST_MAX_NODES 100

/* A past that may be a greater part of the log is not, either. */
#define PAST_MAX_PART 0.25

/* The columns of an event, as functions return them, and their order. */
static const char *
causal_graph_columns(const LogTable *log)
{
	return psprintf("l.origin::pg_catalog.text, l.seq::pg_catalog.int8, l.clock, %s, %s", log->at,
					log->event);
}

/* A row that lacks what makes an event is none. */
#define IS_EVENT "l.origin IS NOT NULL AND l.seq IS NOT NULL AND l.clock IS NOT NULL"

#define CAUSES_FIRST "ORDER BY l.clock, l.origin::pg_catalog.text COLLATE pg_catalog.\"C\", l.seq"

/* The log that is the first argument. */
static void
causal_graph_open(LogTable *log, FunctionCallInfo fcinfo)
{
	log_table_open(log, fcinfo, PG_GETARG_OID(0));
}

/*
 * What is true for all events in the past of a clock: of each node only the
 * first so many.  Said in this way, the planner can read them by an index on
 * (origin, seq), and will where that is cheaper than one on the clocks.
 * Where it is not worth trying, this is "true".
 */
static const char *
causal_graph_past_ranges(const LogTable *log, Datum clock)
{
	NodeTable nodes;
	NodeCursor node;
	StringInfoData ranges;
	double events = 0;

	node_table_open(&nodes, PG_DETOAST_DATUM_PACKED(clock), 1);
	if (!log->has_key || nodes.nnodes == 0 || nodes.nnodes > PAST_MAX_NODES)
		return "true";
	for (uint32 i = 0; i < nodes.nnodes; i++)
		events += (double) node_table_counter(&nodes, i);
	if (log->tuples > 0 && events > log->tuples * PAST_MAX_PART)
		return "true";
	initStringInfo(&ranges);
	appendStringInfoChar(&ranges, '(');
	for (node_cursor_open(&node, &nodes); !node_cursor_done(&node); node_cursor_next(&node))
		appendStringInfo(&ranges,
						 "%sl.origin OPERATOR(pg_catalog.=) %s "
						 "AND l.seq OPERATOR(pg_catalog.<=) " UINT64_FORMAT,
						 node.index == 0 ? "" : " OR ",
						 quote_literal_cstr(pnstrdup(node.name, node_cursor_length(&node))),
						 node_table_counter(&nodes, node.index));
	appendStringInfoChar(&ranges, ')');
	return ranges.data;
}

typedef struct FoundClock
{
	MemoryContext context;
	Datum clock;
	bool found;
} FoundClock;

static void
causal_graph_keep_clock(void *state, HeapTuple row, TupleDesc desc)
{
	FoundClock *found = state;
	MemoryContext old = MemoryContextSwitchTo(found->context);
	bool isnull;
	Datum clock = SPI_getbinval(row, desc, 1, &isnull);

	found->clock = PointerGetDatum(PG_DETOAST_DATUM_COPY(clock));
	found->found = true;
	MemoryContextSwitchTo(old);
}

/*
 * The clock of the event (origin, seq) that the arguments from "first" on name;
 * call it between query_connect and query_finish.
 */
static Datum
causal_graph_clock_of(const LogTable *log, FunctionCallInfo fcinfo, int first)
{
	FoundClock found = {CurrentMemoryContext, (Datum) 0, false};
	QueryArguments arguments = {0};

	query_argument(&arguments, TEXTOID, PG_GETARG_DATUM(first), false);
	query_argument(&arguments, INT8OID, PG_GETARG_DATUM(first + 1), false);
	query_each(
		psprintf("SELECT l.clock::%s.vclock FROM %s l WHERE l.origin OPERATOR(pg_catalog.=) $1 "
				 "AND l.seq OPERATOR(pg_catalog.=) $2 AND l.clock IS NOT NULL LIMIT 1",
				 log->schema, log->name),
		&arguments, causal_graph_keep_clock, &found);
	if (!found.found)
		log_table_no_event(log, text_to_cstring(PG_GETARG_TEXT_PP(first)),
						   PG_GETARG_INT64(first + 1));
	return found.clock;
}

/*
 * Past, future, and neither
 */

/* The events whose clock stands so to the one that the arguments give. */
static Datum
causal_graph_related(FunctionCallInfo fcinfo, const char *operator, bool past)
{
	QueryArguments arguments = {0};
	LogTable log;
	RowSet rows;
	Datum clock;

	causal_graph_open(&log, fcinfo);
	row_set_open(&rows, fcinfo);
	query_connect();
	clock = PG_NARGS() == 2 ? PG_GETARG_DATUM(1) : causal_graph_clock_of(&log, fcinfo, 1);
	query_argument(&arguments, log.clock_type, clock, false);
	query_rows(psprintf("SELECT %s FROM %s l WHERE l.clock OPERATOR(%s.%s) $1 AND %s "
						"AND " IS_EVENT " " CAUSES_FIRST,
						causal_graph_columns(&log), log.name, log.schema, operator,
						past ? causal_graph_past_ranges(&log, clock) : "true"),
			   &arguments, &rows);
	query_finish();
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(causal_past);
Datum
causal_past(PG_FUNCTION_ARGS)
{
	return causal_graph_related(fcinfo, "<<", true);
}

PG_FUNCTION_INFO_V1(causal_future);
Datum
causal_future(PG_FUNCTION_ARGS)
{
	return causal_graph_related(fcinfo, ">>", false);
}

PG_FUNCTION_INFO_V1(concurrent_with);
Datum
concurrent_with(PG_FUNCTION_ARGS)
{
	return causal_graph_related(fcinfo, "||", false);
}

/*
 * The end of a log
 */

/* The events of a set "latest" of one event per node that no other one includes. */
static const char *
causal_graph_maximal(const LogTable *log, const char *latest)
{
	return psprintf("WITH RECURSIVE %s SELECT l.* FROM latest l WHERE NOT EXISTS "
					"(SELECT FROM latest m WHERE l.clock OPERATOR(%s.<<) m.clock) " CAUSES_FIRST,
					latest, log->schema);
}

PG_FUNCTION_INFO_V1(frontier);
Datum
frontier(PG_FUNCTION_ARGS)
{
	const char *latest;
	const char *columns;
	LogTable log;
	RowSet rows;

	causal_graph_open(&log, fcinfo);
	columns = causal_graph_columns(&log);
	row_set_open(&rows, fcinfo);
	query_connect();
	if (log.has_key)
		/* from origin to origin, and there from the end */
		latest = psprintf(
			"origins AS ((SELECT l.origin FROM %s l ORDER BY l.origin LIMIT 1) UNION ALL "
			"SELECT (SELECT l.origin FROM %s l WHERE l.origin OPERATOR(pg_catalog.>) o.origin "
			"ORDER BY l.origin LIMIT 1) FROM origins o WHERE o.origin IS NOT NULL), "
			"latest (origin, seq, clock, at, event) AS MATERIALIZED (SELECT e.* FROM origins o, "
			"LATERAL (SELECT %s FROM %s l WHERE l.origin OPERATOR(pg_catalog.=) o.origin "
			"AND " IS_EVENT " ORDER BY l.seq DESC LIMIT 1) e)",
			log.name, log.name, columns, log.name);
	else
		latest = psprintf("latest (origin, seq, clock, at, event) AS MATERIALIZED ("
						  "SELECT DISTINCT ON (l.origin) %s FROM %s l WHERE " IS_EVENT
						  " ORDER BY l.origin, l.seq DESC)",
						  columns, log.name);
	query_rows(causal_graph_maximal(&log, latest), NULL, &rows);
	query_finish();
	return (Datum) 0;
}

static void
causal_graph_keep_boolean(void *state, HeapTuple row, TupleDesc desc)
{
	bool isnull;

	*(bool *) state = DatumGetBool(SPI_getbinval(row, desc, 1, &isnull));
}

/*
 * A cut takes the first so many events of each node.  It is consistent if none
 * of them has a cause that it leaves out: if the cut, as a clock, includes
 * their clocks.
 */
PG_FUNCTION_INFO_V1(is_consistent_cut);
Datum
is_consistent_cut(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	const char *sql;
	LogTable log;
	bool consistent = false;

	causal_graph_open(&log, fcinfo);
	query_connect();
	if (log.has_key)
		/* of each node, the last event that is in */
		sql = psprintf("SELECT NOT EXISTS (SELECT FROM %s.each($1) n, LATERAL ("
					   "SELECT l.clock FROM %s l WHERE l.origin OPERATOR(pg_catalog.=) n.node "
					   "AND l.seq OPERATOR(pg_catalog.<=) n.counter AND " IS_EVENT
					   " ORDER BY l.seq DESC LIMIT 1) e WHERE NOT e.clock OPERATOR(%s.<@) $1)",
					   log.schema, log.name, log.schema);
	else
		sql = psprintf("SELECT NOT EXISTS (SELECT FROM %s l WHERE l.seq OPERATOR(pg_catalog.<=) "
					   "($1 OPERATOR(%s.->) l.origin::pg_catalog.text) "
					   "AND NOT l.clock OPERATOR(%s.<@) $1)",
					   log.name, log.schema, log.schema);
	query_argument(&arguments, log.clock_type, PG_GETARG_DATUM(1), false);
	query_each(sql, &arguments, causal_graph_keep_boolean, &consistent);
	query_finish();
	PG_RETURN_BOOL(consistent);
}

/*
 * Races
 *
 * Events come sorted by key, then clock.  Those of one key are kept as chains,
 * each event of a chain after the one before it: an event is at the end of a
 * chain if it is after that, which it is for the chain of its own origin.  A
 * new event is not before any of them.  What it races with are the last events
 * of each chain, up to one that is before it, for the rest is before that one.
 * So it takes a comparison per chain, and one per race.
 */

typedef struct RaceEvent
{
	struct RaceEvent *previous; /* of the chain; it is before this one */
	Datum origin;
	int64 seq;
	NodeTable clock;
} RaceEvent;

typedef struct RaceChain
{
	const text *origin;
	RaceEvent *last;
} RaceChain;

typedef struct Races
{
	RowSet rows;
	MemoryContext group; /* what is kept of the events of one key */
	text *key;
	RaceChain *chains;
	uint32 nchains;
	uint32 capacity;
} Races;

static inline bool
text_equal(const text *a, const text *b)
{
	Size length = VARSIZE_ANY_EXHDR(a);

	return length == VARSIZE_ANY_EXHDR(b) && memcmp(VARDATA_ANY(a), VARDATA_ANY(b), length) == 0;
}

static void
races_begin_group(Races *races, text *key)
{
	MemoryContext old;

	MemoryContextReset(races->group);
	old = MemoryContextSwitchTo(races->group);
	races->key = (text *) PG_DETOAST_DATUM_COPY(PointerGetDatum(key));
	races->nchains = 0;
	races->capacity = 16;
	races->chains = palloc(sizeof(RaceChain) * races->capacity);
	MemoryContextSwitchTo(old);
}

static void
races_report(Races *races, const RaceEvent *a, const RaceEvent *b)
{
	Datum values[5];
	bool nulls[5] = {false, false, false, false, false};

	values[0] = PointerGetDatum(races->key);
	values[1] = a->origin;
	values[2] = Int64GetDatum(a->seq);
	values[3] = b->origin;
	values[4] = Int64GetDatum(b->seq);
	row_set_add(&races->rows, values, nulls);
}

/* Put an event at the end of a chain of its origin, or let it begin one. */
static void
races_append(Races *races, RaceEvent *event, RaceChain *own)
{
	if (own == NULL)
	{
		if (races->nchains == races->capacity)
		{
			races->capacity *= 2;
			races->chains = repalloc_huge(races->chains,
										  sizeof(RaceChain) * (Size) races->capacity);
		}
		own = &races->chains[races->nchains++];
		own->origin = (const text *) DatumGetPointer(event->origin);
		own->last = NULL;
	}
	event->previous = own->last;
	own->last = event;
}

static void
races_add(void *state, HeapTuple row, TupleDesc desc)
{
	Races *races = state;
	bool isnull;
	text *key = DatumGetTextPP(SPI_getbinval(row, desc, 1, &isnull));
	RaceChain *own = NULL;
	RaceEvent *event;
	MemoryContext old;

	if (races->key == NULL || !text_equal(key, races->key))
		races_begin_group(races, key);
	old = MemoryContextSwitchTo(races->group);
	event = palloc(sizeof(RaceEvent));
	event->origin = PointerGetDatum(PG_DETOAST_DATUM_COPY(SPI_getbinval(row, desc, 2, &isnull)));
	event->seq = DatumGetInt64(SPI_getbinval(row, desc, 3, &isnull));
	node_table_open(&event->clock, PG_DETOAST_DATUM_COPY(SPI_getbinval(row, desc, 4, &isnull)), 1);

	for (uint32 i = 0; i < races->nchains; i++)
	{
		RaceChain *chain = &races->chains[i];
		RaceEvent *other = chain->last;
		PartialOrder order;

		while ((order = node_table_order(&other->clock, &event->clock)) == ORDER_CONCURRENT)
		{
			races_report(races, other, event);
			other = other->previous;
			if (other == NULL)
				break;
		}
		if (other == chain->last && order == ORDER_BEFORE &&
			text_equal(chain->origin, (text *) DatumGetPointer(event->origin)))
			own = chain;
	}
	races_append(races, event, own);
	MemoryContextSwitchTo(old);
}

/* A mistake in the key is shown there, not in the query that calls us. */
static void
races_syntax_error(void *key)
{
	int position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(key);
	}
}

/*
 * The key is SQL of the caller's, and runs with the caller's rights.  It has to
 * be one expression, though, so that it cannot end our query and begin
 * another: what may stand alone behind SELECT, and is nothing more, is one.
 */
static void
races_check_key(const char *key)
{
	char *sql = psprintf("SELECT %s", key);
	ErrorContextCallback context = {error_context_stack, races_syntax_error, sql};
	List *statements;
	SelectStmt *select = NULL;

	error_context_stack = &context;
	statements = pg_parse_query(sql);
	error_context_stack = context.previous;
	if (list_length(statements) == 1)
	{
		Node *statement = linitial_node(RawStmt, statements)->stmt;

		if (IsA(statement, SelectStmt))
			select = (SelectStmt *) statement;
	}
	if (select == NULL || list_length(select->targetList) != 1 ||
		linitial_node(ResTarget, select->targetList)->name != NULL ||
		select->distinctClause != NIL || select->intoClause != NULL || select->fromClause != NIL ||
		select->whereClause != NULL || select->groupClause != NIL || select->havingClause != NULL ||
		select->windowClause != NIL || select->valuesLists != NIL || select->sortClause != NIL ||
		select->limitOffset != NULL || select->limitCount != NULL || select->lockingClause != NIL ||
		select->op != SETOP_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR), errmsg("the key is not an expression"),
				 errdetail("The key is: %s", key),
				 errhint("Write one SQL expression over the columns of the log, such as: "
						 "event ->> 'key'.")));
}

PG_FUNCTION_INFO_V1(races);
Datum
races(PG_FUNCTION_ARGS)
{
	char *key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Races races = {0};
	LogTable log;

	causal_graph_open(&log, fcinfo);
	races_check_key(key);
	row_set_open(&races.rows, fcinfo);
	races.group = AllocSetContextCreate(CurrentMemoryContext, "distributed races",
										ALLOCSET_DEFAULT_SIZES);
	query_connect();
	/* the line break ends a comment in the key; the offset keeps it from being evaluated twice */
	query_each(psprintf("SELECT k.key, k.origin, k.seq, k.clock FROM (SELECT (%s\n"
						")::pg_catalog.text COLLATE pg_catalog.\"C\" AS key, "
						"l.origin::pg_catalog.text COLLATE pg_catalog.\"C\" AS origin, "
						"l.seq::pg_catalog.int8 AS seq, l.clock::%s.vclock AS clock FROM %s l "
						"WHERE " IS_EVENT " OFFSET 0) k "
						"WHERE k.key IS NOT NULL ORDER BY k.key, k.clock, k.origin, k.seq",
						key, log.schema, log.name),
			   NULL, races_add, &races);
	query_finish();
	MemoryContextDelete(races.group);
	return (Datum) 0;
}

/*
 * Direct causes
 */

/*
 * The direct causes of one event.  Of each node, only the last event in the
 * past can be one.
 */
PG_FUNCTION_INFO_V1(causal_parents_of);
Datum
causal_parents_of(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	const char *columns;
	const char *latest;
	LogTable log;
	RowSet rows;

	causal_graph_open(&log, fcinfo);
	columns = causal_graph_columns(&log);
	row_set_open(&rows, fcinfo);
	query_connect();
	query_argument(&arguments, log.clock_type, causal_graph_clock_of(&log, fcinfo, 1), false);
	if (log.has_key)
		latest = psprintf("latest (origin, seq, clock, at, event) AS MATERIALIZED ("
						  "SELECT e.* FROM %s.each($1) n, LATERAL (SELECT %s FROM %s l "
						  "WHERE l.origin OPERATOR(pg_catalog.=) n.node "
						  "AND l.seq OPERATOR(pg_catalog.<=) n.counter "
						  "AND l.clock OPERATOR(%s.<<) $1 ORDER BY l.seq DESC LIMIT 1) e)",
						  log.schema, columns, log.name, log.schema);
	else
		latest = psprintf("latest (origin, seq, clock, at, event) AS MATERIALIZED ("
						  "SELECT DISTINCT ON (l.origin) %s FROM %s l "
						  "WHERE l.clock OPERATOR(%s.<<) $1 AND " IS_EVENT
						  " ORDER BY l.origin, l.seq DESC)",
						  columns, log.name, log.schema);
	query_rows(causal_graph_maximal(&log, latest), &arguments, &rows);
	query_finish();
	return (Datum) 0;
}

/* Origin and number of an event as two columns of a row. */
static void
causal_graph_name_event(const EventGraph *graph, uint32 event, Datum *values)
{
	const GraphOrigin *origin = event_graph_origin(graph, event);

	values[0] = PointerGetDatum(cstring_to_text_with_len(origin->name, (int) origin->length));
	values[1] = Int64GetDatum(graph->events[event].seq);
}

/* Of all events: each event with each direct cause. */
PG_FUNCTION_INFO_V1(causal_parents_all);
Datum
causal_parents_all(PG_FUNCTION_ARGS)
{
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "distributed parents",
											  ALLOCSET_DEFAULT_SIZES);
	EventGraph *graph;
	uint32 *parents;
	LogTable log;
	RowSet rows;

	causal_graph_open(&log, fcinfo);
	row_set_open(&rows, fcinfo);
	query_connect();
	graph = event_graph_load(&log, false);
	parents = palloc(sizeof(uint32) * ((Size) graph->norigins + 1));
	for (uint32 event = 0; event < graph->nevents; event++)
	{
		uint32 count = event_graph_parents(graph, event, parents);
		MemoryContext old = MemoryContextSwitchTo(row);
		Datum values[4];
		bool nulls[4] = {false, false, false, false};

		causal_graph_name_event(graph, event, values);
		for (uint32 i = 0; i < count; i++)
		{
			causal_graph_name_event(graph, parents[i], values + 2);
			row_set_add(&rows, values, nulls);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(row);
	}
	query_finish();
	MemoryContextDelete(row);
	return (Datum) 0;
}

/*
 * Depth: the number of events on the longest causal chain that ends with an event
 */

PG_FUNCTION_INFO_V1(causal_depth_all);
Datum
causal_depth_all(PG_FUNCTION_ARGS)
{
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "distributed depths",
											  ALLOCSET_DEFAULT_SIZES);
	EventGraph *graph;
	uint32 *depths;
	LogTable log;
	RowSet rows;

	causal_graph_open(&log, fcinfo);
	row_set_open(&rows, fcinfo);
	query_connect();
	graph = event_graph_load(&log, false);
	depths = event_graph_depths(graph);
	for (uint32 event = 0; event < graph->nevents; event++)
	{
		MemoryContext old = MemoryContextSwitchTo(row);
		Datum values[3];
		bool nulls[3] = {false, false, false};

		causal_graph_name_event(graph, event, values);
		values[2] = Int64GetDatum((int64) depths[event]);
		row_set_add(&rows, values, nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row);
	}
	query_finish();
	MemoryContextDelete(row);
	return (Datum) 0;
}

/* Of one event; what is not in its past does not matter. */
PG_FUNCTION_INFO_V1(causal_depth_of);
Datum
causal_depth_of(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	text *origin = PG_GETARG_TEXT_PP(1);
	EventGraph *graph;
	LogTable log;
	Datum clock;
	uint32 event;
	uint32 depth;

	causal_graph_open(&log, fcinfo);
	query_connect();
	clock = causal_graph_clock_of(&log, fcinfo, 1);
	query_argument(&arguments, log.clock_type, clock, false);
	graph = event_graph_load_some(&log, false,
								  psprintf("l.clock OPERATOR(%s.<@) $1 AND %s", log.schema,
										   causal_graph_past_ranges(&log, clock)),
								  &arguments);
	if (!event_graph_find(graph, VARDATA_ANY(origin), VARSIZE_ANY_EXHDR(origin), PG_GETARG_INT64(2),
						  &event))
		log_table_no_event(&log, text_to_cstring(origin), PG_GETARG_INT64(2));
	depth = event_graph_depths(graph)[event];
	query_finish();
	PG_RETURN_INT64((int64) depth);
}
