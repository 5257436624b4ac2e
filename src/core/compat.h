/*
 * compat.h
 *		The one place that knows how the supported servers (13 to 18) differ.
 *
 * Everything else is written for the newest spelling; older servers get it
 * from here.
 */
#ifndef DISTRIBUTED_COMPAT_H
#define DISTRIBUTED_COMPAT_H

#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "common/jsonapi.h"
#include "common/md5.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/sortsupport.h"

#if PG_VERSION_NUM < 130000
#error "distributed needs PostgreSQL 13 or newer"
#endif

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#endif

/*
 * Soft errors (16): input functions may hand a bad value back to the caller
 * instead of throwing.  Before that, saving an error means throwing it.
 */
#if PG_VERSION_NUM < 160000
#define errsave(context, ...)      ereport(ERROR, __VA_ARGS__)
#define SOFT_ERROR_CONTEXT(fcinfo) ((struct Node *) NULL)
#else
#define SOFT_ERROR_CONTEXT(fcinfo) ((fcinfo)->context)
#endif

/*
 * How many bytes of a text the server converts before one that makes it throw.
 * Asked only for soft errors (16); before 14 a conversion cannot be tried at all.
 */
static inline int
compat_convertible(const char *text, int length, int from, int to)
{
#if PG_VERSION_NUM < 160000
	return length;
#else
	Oid proc;
	int size;
	unsigned char *converted;
	int done;

	if (from == to || to == PG_SQL_ASCII || length == 0)
		return length;
	if (from == PG_SQL_ASCII)
		return pg_encoding_verifymbstr(to, text, length);
	proc = FindDefaultConversionProc(from, to);
	if (!OidIsValid(proc))
		return length;
	size = (length + 1) * MAX_CONVERSION_GROWTH;
	converted = palloc(size);
	done = pg_do_encoding_conversion_buf(proc, from, to, (unsigned char *) unconstify(char *, text),
										 length, converted, size, true);
	pfree(converted);
	return done;
#endif
}

/* Semantic actions of the JSON parser return a result since 16. */
#if PG_VERSION_NUM < 160000
typedef void JsonActionResult;
#define JSON_ACTION_DONE return
#else
typedef JsonParseErrorType JsonActionResult;
#define JSON_ACTION_DONE return JSON_SUCCESS
#endif

static inline JsonLexContext *
compat_json_lexer(char *json, int length, int encoding)
{
#if PG_VERSION_NUM < 170000
	return makeJsonLexContextCstringLen(json, length, encoding, true);
#else
	return makeJsonLexContextCstringLen(NULL, json, length, encoding, true);
#endif
}

/* Counted strings lost the flag of the second protocol version in 17. */
#if PG_VERSION_NUM < 170000
#define compat_send_counted_text(buf, bytes, length) pq_sendcountedtext(buf, bytes, length, false)
#else
#define compat_send_counted_text(buf, bytes, length) pq_sendcountedtext(buf, bytes, length)
#endif

/*
 * Comparing Datums as unsigned numbers: a sort that finds the server's own
 * function (15) skips calling it.
 */
#if PG_VERSION_NUM < 150000
static inline int
compat_unsigned_datum_compare(Datum x, Datum y, SortSupport ssup)
{
	return (x > y) - (x < y);
}
#else
#define compat_unsigned_datum_compare ssup_datum_unsigned_cmp
#endif

/* Unknown settings under our prefix are mistakes: 15 rejects, older ones warn. */
static inline void
compat_reserve_settings(const char *prefix)
{
#if PG_VERSION_NUM < 150000
	EmitWarningsOnPlaceholders(prefix);
#else
	MarkGUCPrefixReserved(prefix);
#endif
}

/* Functions that do not return are marked at the front since 18. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* The number of this process, less than MaxBackends; 17 took it out of PGPROC. */
#if PG_VERSION_NUM < 170000
#define compat_my_proc_number() (MyProc->pgprocno)
#else
#define compat_my_proc_number() (MyProcNumber)
#endif

/* What logical replication can do. */
#define COMPAT_COLUMN_LISTS        (PG_VERSION_NUM >= 150000)
#define COMPAT_SCHEMA_PUBLICATIONS (PG_VERSION_NUM >= 150000)
#define COMPAT_STREAMING           (PG_VERSION_NUM >= 140000)
#define COMPAT_BINARY              (PG_VERSION_NUM >= 140000)
#define COMPAT_COPY_PROGRESS       (PG_VERSION_NUM >= 140000)
#define COMPAT_TWO_PHASE           (PG_VERSION_NUM >= 150000)
#define COMPAT_DISABLE_ON_ERROR    (PG_VERSION_NUM >= 150000)
#define COMPAT_ERROR_COUNTS        (PG_VERSION_NUM >= 150000)
#define COMPAT_ORIGIN              (PG_VERSION_NUM >= 160000)

/* Whether a connection must have a password is asked since 16. */
#if PG_VERSION_NUM < 160000
#define compat_check_conninfo(conninfo) walrcv_check_conninfo(conninfo)
#else
#define compat_check_conninfo(conninfo) walrcv_check_conninfo(conninfo, false)
#endif

/* The server says why it cannot hash since 15. */
static inline void
compat_md5(const void *bytes, size_t length, void *digest)
{
#if PG_VERSION_NUM < 150000
	if (!pg_md5_binary(bytes, length, digest))
		elog(ERROR, "could not compute MD5 hash");
#else
	const char *why = NULL;

	if (!pg_md5_binary(bytes, length, digest, &why))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("could not compute %s hash: %s", "MD5", why)));
#endif
}

/* One function tells who owns an object of whatever kind since 16. */
static inline bool
compat_owns_table(Oid table, Oid role)
{
#if PG_VERSION_NUM < 160000
	return pg_class_ownercheck(table, role);
#else
	return object_ownercheck(RelationRelationId, table, role);
#endif
}

/*
 * Writing rows, as the apply worker does.  Before 14 the result relation was found
 * in the executor's state.  These are macros, so that only who uses them needs the
 * executor's headers.
 */
#if PG_VERSION_NUM < 140000
#define compat_set_result_relation(estate, result) \
	((estate)->es_result_relations = (result), (estate)->es_num_result_relations = 1, \
	 (estate)->es_result_relation_info = (result))
#define compat_simple_insert(result, estate, row) ExecSimpleRelationInsert(estate, row)
#define compat_simple_update(result, estate, epq, there, row) \
	ExecSimpleRelationUpdate(estate, epq, there, row)
#define compat_simple_delete(result, estate, epq, there) \
	ExecSimpleRelationDelete(estate, epq, there)
#define compat_compute_generated(result, estate, row, command) \
	ExecComputeStoredGenerated(estate, row, command)
#else
#define compat_set_result_relation(estate, result) \
	((estate)->es_opened_result_relations = lappend((estate)->es_opened_result_relations, result))
#define compat_simple_insert(result, estate, row) ExecSimpleRelationInsert(result, estate, row)
#define compat_simple_update(result, estate, epq, there, row) \
	ExecSimpleRelationUpdate(result, estate, epq, there, row)
#define compat_simple_delete(result, estate, epq, there) \
	ExecSimpleRelationDelete(result, estate, epq, there)
#define compat_compute_generated(result, estate, row, command) \
	ExecComputeStoredGenerated(result, estate, row, command)
#endif

#if PG_VERSION_NUM < 140000
#define compat_check_index(result, row, estate, conflict, arbiters) \
	ExecCheckIndexConstraints(row, estate, conflict, arbiters)
#elif PG_VERSION_NUM < 180000
#define compat_check_index(result, row, estate, conflict, arbiters) \
	ExecCheckIndexConstraints(result, row, estate, conflict, arbiters)
#else
#define compat_check_index(result, row, estate, conflict, arbiters) \
	ExecCheckIndexConstraints(result, row, estate, conflict, &(row)->tts_tid, arbiters)
#endif

/* What an update says of indexes: since 16 also that only those that summarize need it. */
#if PG_VERSION_NUM < 140000
#define compat_insert_index(result, row, estate, update, speculative, conflicts, arbiters) \
	ExecInsertIndexTuples(row, estate, speculative, conflicts, arbiters)
#elif PG_VERSION_NUM < 160000
#define compat_insert_index(result, row, estate, update, speculative, conflicts, arbiters) \
	ExecInsertIndexTuples(result, row, estate, update, speculative, conflicts, arbiters)
#else
#define compat_insert_index(result, row, estate, update, speculative, conflicts, arbiters) \
	ExecInsertIndexTuples(result, row, estate, update, speculative, conflicts, arbiters, false)
#endif
#if PG_VERSION_NUM < 160000
#define CompatUpdateIndexes           bool
#define compat_needs_indexes(indexes) (indexes)
#define compat_insert_index_updated(result, row, estate, indexes) \
	compat_insert_index(result, row, estate, true, false, NULL, NIL)
#define compat_plan_qual_init(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1)
#else
#define CompatUpdateIndexes           TU_UpdateIndexes
#define compat_needs_indexes(indexes) ((indexes) != TU_None)
#define compat_insert_index_updated(result, row, estate, indexes) \
	ExecInsertIndexTuples(result, row, estate, true, false, NULL, NIL, (indexes) == TU_Summarizing)
#define compat_plan_qual_init(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL)
#endif

/* One table, whose columns are updated; from 16 on that is said beside the range table. */
#if PG_VERSION_NUM < 160000
#define compat_init_range_table(estate, entry, updated) \
	((entry)->updatedCols = (updated), ExecInitRangeTable(estate, list_make1(entry)))
#else
#if PG_VERSION_NUM < 180000
#define compat_init_ranges(estate, entry, permissions) \
	ExecInitRangeTable(estate, list_make1(entry), permissions)
#else
#define compat_init_ranges(estate, entry, permissions) \
	ExecInitRangeTable(estate, list_make1(entry), permissions, bms_make_singleton(1))
#endif
#define compat_init_range_table(estate, entry, updated) \
	do \
	{ \
		List *permissions_ = NIL; \
		addRTEPermissionInfo(&permissions_, entry)->updatedCols = (updated); \
		compat_init_ranges(estate, entry, permissions_); \
	} while (0)
#endif

/* Rows of partitioned tables find their partitions alike since 14. */
#if PG_VERSION_NUM < 140000
#define compat_setup_routing(estate, state, root) \
	ExecSetupPartitionTupleRouting(estate, state, root)
#else
#define compat_setup_routing(estate, state, root) ExecSetupPartitionTupleRouting(estate, root)
#endif

/* Publications send chosen columns since 15. */
#if PG_VERSION_NUM < 150000
#define COMPAT_PUBLICATION_COLUMNS        0
#define compat_published_columns(columns) ((Bitmapset *) NULL)
#else
#define COMPAT_PUBLICATION_COLUMNS Anum_pg_publication_rel_prattrs
#define compat_published_columns(columns) \
	pub_collist_to_bitmapset(NULL, columns, CurrentMemoryContext)
#endif

/* The columns that an UPDATE names are told to triggers since 14. */
#if PG_VERSION_NUM < 140000
#define compat_updated_columns(trigger) ((Bitmapset *) NULL)
#else
#define compat_updated_columns(trigger) ((trigger)->tg_updatedcols)
#endif

/* Views that read their tables as whoever reads the view came with 15. */
#if PG_VERSION_NUM < 150000
#define COMPAT_SECURITY_INVOKER ""
#else
#define COMPAT_SECURITY_INVOKER "WITH (security_invoker = true) "
#endif

#endif /* DISTRIBUTED_COMPAT_H */
