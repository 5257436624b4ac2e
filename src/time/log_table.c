/*
 * log_table.c
 *		A table that is a causal log.
 *
 * A causal log has one row per event: origin, the node where it happened; seq,
 * its number there; and clock, its vector clock, of which seq is the counter
 * of origin.  It may have at, a hybrid timestamp, and event, of any type; more
 * columns do not matter.  Any table with these columns will do, or a view.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/relation.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "time/log_table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#define LOG_TABLE_HINT \
	"A causal log has the columns origin text, seq bigint and clock vclock, and may have " \
	"at hlc and event jsonb; create_causal_log makes one."

/* A column's number and type, or 0 where there is no such column. */
static AttrNumber
log_table_column(Relation relation, const char *name, Oid *type)
{
	TupleDesc desc = RelationGetDescr(relation);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
		{
			*type = getBaseType(column->atttypid);
			return column->attnum;
		}
	}
	*type = InvalidOid;
	return 0;
}

static void
log_table_refuse(Relation relation, const char *detail, const char *column, const char *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("\"%s\" is not a causal log", RelationGetRelationName(relation)),
			 errdetail(detail, column, type), errhint(LOG_TABLE_HINT)));
}

static bool
log_table_is_btree(Oid index)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	bool btree = HeapTupleIsValid(tuple) &&
		((Form_pg_class) GETSTRUCT(tuple))->relam == BTREE_AM_OID;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return btree;
}

/* Is there a btree index whose first columns are these? */
static bool
log_table_find_key(Relation relation, AttrNumber origin, AttrNumber seq)
{
	List *indexes = RelationGetIndexList(relation);
	ListCell *cell;
	bool found = false;

	foreach (cell, indexes)
	{
		HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		if (index->indisvalid && index->indnkeyatts >= 2 && index->indkey.values[0] == origin &&
			index->indkey.values[1] == seq && heap_attisnull(tuple, Anum_pg_index_indpred, NULL) &&
			log_table_is_btree(index->indexrelid))
			found = true;
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	return found;
}

/*
 * Describe the table "relid" to a function that is being called, or refuse it.
 */
void
log_table_open(LogTable *log, FunctionCallInfo fcinfo, Oid relid)
{
	Oid namespace = extension_namespace(fcinfo);
	Relation relation = relation_open(relid, AccessShareLock);
	AttrNumber origin;
	AttrNumber seq;
	Oid type;

	switch (relation->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" is not a table", RelationGetRelationName(relation)),
					 errhint(LOG_TABLE_HINT)));
	}
	log->relid = relid;
	log->name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
										   RelationGetRelationName(relation));
	log->schema = quote_identifier(get_namespace_name(namespace));
	log->clock_type = extension_type(namespace, "vclock");
	log->hlc_type = extension_type(namespace, "hlc");

	origin = log_table_column(relation, "origin", &type);
	if (origin == 0)
		log_table_refuse(relation, "It has no column \"%s\" of type %s.", "origin", "text");
	if (type != TEXTOID && type != VARCHAROID && type != NAMEOID)
		log_table_refuse(relation, "Its column \"%s\" is not of type %s.", "origin", "text");
	seq = log_table_column(relation, "seq", &type);
	if (seq == 0)
		log_table_refuse(relation, "It has no column \"%s\" of type %s.", "seq", "bigint");
	if (type != INT8OID && type != INT4OID)
		log_table_refuse(relation, "Its column \"%s\" is not of type %s.", "seq", "bigint");
	if (log_table_column(relation, "clock", &type) == 0)
		log_table_refuse(relation, "It has no column \"%s\" of type %s.", "clock", "vclock");
	if (type != log->clock_type)
		log_table_refuse(relation, "Its column \"%s\" is not of type %s.", "clock", "vclock");

	/* a column at of another type is the user's own affair */
	log->has_at = log_table_column(relation, "at", &type) != 0 && type == log->hlc_type;
	log->at = log->has_at ? "l.at" : psprintf("NULL::%s.hlc", log->schema);
	log->has_event = log_table_column(relation, "event", &type) != 0;
	if (!log->has_event)
	{
		log->event = "NULL::pg_catalog.jsonb";
		log->event_text = "NULL::pg_catalog.text";
	}
	else if (type == JSONBOID)
	{
		log->event = "l.event";
		log->event_text =
			"CASE pg_catalog.jsonb_typeof(l.event) WHEN 'string' "
			"THEN l.event OPERATOR(pg_catalog.#>>) '{}' ELSE l.event::pg_catalog.text END";
	}
	else
	{
		log->event = "pg_catalog.to_jsonb(l.event)";
		log->event_text = "l.event::pg_catalog.text";
	}
	log->has_key = log_table_find_key(relation, origin, seq);
	log->tuples = relation->rd_rel->reltuples;
	relation_close(relation, AccessShareLock);
}

/* The log lacks an event that it is asked about. */
void
log_table_no_event(const LogTable *log, const char *origin, int64 seq)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND), errmsg("there is no such event in log %s", log->name),
			 errdetail("It has no event " INT64_FORMAT " of origin \"%s\".", seq, origin)));
}
