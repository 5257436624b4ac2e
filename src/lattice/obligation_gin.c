/*
 * obligation_gin.c
 *		GIN indexes on obligations and their states.
 *
 * A row has an index entry for each of its obligations, by name, and one for
 * each state that any of them is in: so "which rows are in conflict" is asked
 * of the index as "which rows have this obligation" is.  The first letter of
 * an entry tells the two kinds apart.
 *
 * has_conflicts(l) is no operator, but the planner is told that it is the same
 * as l @@ 'conflict', so it may be asked of an index as well.
 */
#include "core/compat.h"

#include "access/stratnum.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "core/gin_key.h"
#include "core/query.h"
#include "core/rows.h"
#include "lattice/obligation_lattice.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

#define OBLIGATION_STRATEGY_ANY   RTOverlapStrategyNumber
#define OBLIGATION_STRATEGY_ALL   RTContainsStrategyNumber
#define OBLIGATION_STRATEGY_ONE   9
#define OBLIGATION_STRATEGY_STATE 16

#define KIND_OBLIGATION 'o'
#define KIND_STATE      's'

static Datum
index_entry(char kind, const char *name, uint32 length)
{
	text *entry = palloc(VARHDRSZ + 1 + length);

	SET_VARSIZE(entry, VARHDRSZ + 1 + length);
	VARDATA(entry)[0] = kind;
	memcpy(VARDATA(entry) + 1, name, length);
	return gin_key(PointerGetDatum(entry));
}

static Datum
obligation_entry(Datum name)
{
	return index_entry(KIND_OBLIGATION, VARDATA_ANY(DatumGetPointer(name)),
					   VARSIZE_ANY_EXHDR(DatumGetPointer(name)));
}

static Datum
state_entry(uint8 state)
{
	const char *label = lattice_state_lattice.labels[state];

	return index_entry(KIND_STATE, label, (uint32) strlen(label));
}

PG_FUNCTION_INFO_V1(obligation_gin_extract);
Datum
obligation_gin_extract(PG_FUNCTION_ARGS)
{
	int32 *nkeys = (int32 *) PG_GETARG_POINTER(1);
	EntryTable table;
	EntryCursor cursor;
	Obligation obligation;
	bool states[FINITE_LATTICE_MAX] = {false};
	Datum *keys;
	int32 count = 0;

	entry_table_argument(fcinfo, 0, &table);
	keys = palloc(sizeof(Datum) * ((Size) entry_table_count_keys(&table) + FINITE_LATTICE_MAX));
	for (entry_cursor_open(&cursor, &table); obligation_next(&cursor, &obligation);)
	{
		keys[count++] = index_entry(KIND_OBLIGATION, obligation.name, obligation.length);
		states[obligation.state] = true;
	}
	for (uint8 state = 0; state < lattice_state_lattice.nstates; state++)
	{
		if (states[state])
			keys[count++] = state_entry(state);
	}
	*nkeys = count;
	PG_RETURN_POINTER(keys);
}

PG_FUNCTION_INFO_V1(obligation_gin_query);
Datum
obligation_gin_query(PG_FUNCTION_ARGS)
{
	int32 *nkeys = (int32 *) PG_GETARG_POINTER(1);
	StrategyNumber strategy = PG_GETARG_UINT16(2);
	int32 *search_mode = (int32 *) PG_GETARG_POINTER(6);
	Datum *keys;
	int count = 1;

	if (strategy == OBLIGATION_STRATEGY_STATE)
	{
		keys = palloc(sizeof(Datum));
		keys[0] = state_entry(finite_lattice_argument(fcinfo, 0, &lattice_state_lattice));
	}
	else if (strategy == OBLIGATION_STRATEGY_ONE)
	{
		keys = palloc(sizeof(Datum));
		keys[0] = obligation_entry(PointerGetDatum(PG_GETARG_TEXT_PP(0)));
	}
	else
	{
		keys = text_array_items(PG_GETARG_ARRAYTYPE_P(0), "obligations", &count);
		for (int i = 0; i < count; i++)
			keys[i] = obligation_entry(keys[i]);
		/* every value has all of no obligations */
		if (count == 0 && strategy == OBLIGATION_STRATEGY_ALL)
			*search_mode = GIN_SEARCH_MODE_ALL;
	}
	*nkeys = count;
	PG_RETURN_POINTER(keys);
}

PG_FUNCTION_INFO_V1(obligation_gin_consistent);
Datum
obligation_gin_consistent(PG_FUNCTION_ARGS)
{
	GinTernaryValue *check = (GinTernaryValue *) PG_GETARG_POINTER(0);
	StrategyNumber strategy = PG_GETARG_UINT16(1);
	int32 nkeys = PG_GETARG_INT32(3);
	Datum *keys = (Datum *) PG_GETARG_POINTER(5);

	PG_RETURN_GIN_TERNARY_VALUE(
		gin_keys_consistent(check, keys, nkeys, strategy != OBLIGATION_STRATEGY_ANY));
}

/* l @@ 'conflict', as an expression. */
static OpExpr *
in_conflict_clause(Oid funcid, Node *l)
{
	Oid schema = get_func_namespace(funcid);
	Oid state = extension_type(schema, "lattice_state");
	List *name = list_make2(makeString(get_namespace_name(schema)), makeString(pstrdup("@@")));
	Const *conflict = makeConst(state, -1, InvalidOid, sizeof(uint8),
								UInt8GetDatum(finite_lattice_top(&lattice_state_lattice)), false,
								true);
	OpExpr *clause = (OpExpr *) make_opclause(OpernameGetOprid(name, exprType(l), state), BOOLOID,
											  false, (Expr *) l, (Expr *) conflict, InvalidOid,
											  InvalidOid);

	set_opfuncid(clause);
	return clause;
}

/*
 * Planner support of has_conflicts(l): an index can be asked for, and
 * statistics tell how many rows have, l @@ 'conflict'.
 */
PG_FUNCTION_INFO_V1(obligation_lattice_has_conflicts_support);
Datum
obligation_lattice_has_conflicts_support(PG_FUNCTION_ARGS)
{
	Node *node = (Node *) PG_GETARG_POINTER(0);

	if (IsA(node, SupportRequestIndexCondition))
	{
		SupportRequestIndexCondition *request = (SupportRequestIndexCondition *) node;

		if (is_funcclause(request->node) && request->indexarg == 0)
		{
			Node *l = linitial(((FuncExpr *) request->node)->args);
			OpExpr *condition = in_conflict_clause(request->funcid, l);

			if (op_in_opfamily(condition->opno, request->opfamily))
			{
				request->lossy = false;
				PG_RETURN_POINTER(list_make1(condition));
			}
		}
	}
	else if (IsA(node, SupportRequestSelectivity))
	{
		SupportRequestSelectivity *request = (SupportRequestSelectivity *) node;
		OpExpr *condition = in_conflict_clause(request->funcid, linitial(request->args));

		request->selectivity = clause_selectivity(request->root, (Node *) condition,
												  request->varRelid, request->jointype,
												  request->sjinfo);
		PG_RETURN_POINTER(request);
	}
	PG_RETURN_POINTER(NULL);
}
