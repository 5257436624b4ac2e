/*
 * obligation_lattice.c
 *		Obligations, and what their witnesses have reported.
 *
 * An obligation is something that is to be brought to an end, such as a step
 * of a saga.  Several nodes watch it, its witnesses, and each reports the state
 * that it saw, as lattice_state.c has them.
 *
 * Join: for each obligation and witness the join of the reported states.  In
 * particular, a later report of one witness joins its earlier one, it does not
 * replace it.  That is what makes the merge free of order: reports arrive late,
 * twice and in any order, and nothing in them tells which was made last, so a
 * rule by which one replaces the other would give different values on
 * different replicas.  With the join, the value is a function of the set of
 * reports alone.  A witness that knows more says more, and is believed; one
 * that contradicts itself is in conflict with itself, and that stays.
 *
 * (A map from keys to a lattice is a lattice, see core/entry_map.c; P. Almeida,
 * A. Shoker, C. Baquero, "Delta state replicated data types", 2018, appendix.)
 *
 * A report of "unknown" is kept: its witness takes part, and has seen nothing.
 *
 * Stored bytes: an entry table, core/entry_table.c, whose keys are the
 * obligations, whose nodes are the witnesses, and where the time of an entry is
 * the number of the state.  The state of an obligation is not stored: it is the
 * join of a few bytes.  Binary image: obligation_io.c.
 */
#include "core/compat.h"

#include "core/compare.h"
#include "core/entry_list.h"
#include "core/rows.h"
#include "core/sort_key.h"
#include "lattice/obligation_lattice.h"
#include "miscadmin.h"
#include "utils/builtins.h"

static bool
report_includes(const Entry *a, const Entry *b)
{
	return finite_lattice_includes(&lattice_state_lattice, obligation_reported(a),
								   obligation_reported(b));
}

static uint64
report_join(const Entry *a, const Entry *b)
{
	return finite_lattice_join(&lattice_state_lattice, obligation_reported(a),
							   obligation_reported(b));
}

/* One report for each obligation and witness. */
const EntryRule obligation_rule = {
	.by_node = true,
	.includes = report_includes,
	.join = report_join,
};

static struct varlena *
obligation_join(const struct varlena *const *values, uint32 count)
{
	return entry_map_join(&obligation_rule, values, count);
}

static bool
obligation_includes(const EntryTable *a, const EntryTable *b)
{
	return entry_map_includes(&obligation_rule, a, b);
}

/*
 * The total order for sorting.  It extends inclusion: what includes more has
 * more reports, or the same ones and of them some with a greater state, whose
 * number is greater.
 */
static int
obligation_compare(const EntryTable *a, const EntryTable *b)
{
	if (a->nentries != b->nentries)
		return a->nentries < b->nentries ? -1 : 1;
	return entry_table_compare(a, b);
}

static Datum
obligation_sort_key(const EntryTable *table)
{
	return sort_key((uint64) table->nentries << 32);
}

static const EntryKernel obligation_kernel = {
	.lattice = BATCH_LATTICE("obligation lattice", obligation_join),
	.includes = obligation_includes,
	.compare = obligation_compare,
	.sort_key = obligation_sort_key,
};

/*
 * What all lattices have
 */

PG_FUNCTION_INFO_V1(obligation_lattice_merge);
Datum
obligation_lattice_merge(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &obligation_kernel.lattice.base);
}

PG_FUNCTION_INFO_V1(obligation_lattice_contained);
Datum
obligation_lattice_contained(PG_FUNCTION_ARGS)
{
	return entry_kernel_contained(fcinfo, &obligation_kernel);
}

PG_FUNCTION_INFO_V1(obligation_lattice_contains);
Datum
obligation_lattice_contains(PG_FUNCTION_ARGS)
{
	return entry_kernel_contains(fcinfo, &obligation_kernel);
}

static int
obligation_lattice_cmp_internal(FunctionCallInfo fcinfo)
{
	return entry_kernel_compare(fcinfo, &obligation_kernel);
}

static bool
obligation_lattice_eq_internal(FunctionCallInfo fcinfo)
{
	return lattice_equal(fcinfo);
}

COMPARISON_FUNCTIONS(obligation_lattice);

PG_FUNCTION_INFO_V1(obligation_lattice_hash);
Datum
obligation_lattice_hash(PG_FUNCTION_ARGS)
{
	return lattice_hash(fcinfo);
}

PG_FUNCTION_INFO_V1(obligation_lattice_hash_extended);
Datum
obligation_lattice_hash_extended(PG_FUNCTION_ARGS)
{
	return lattice_hash_extended(fcinfo);
}

PG_FUNCTION_INFO_V1(obligation_lattice_sortsupport);
Datum
obligation_lattice_sortsupport(PG_FUNCTION_ARGS)
{
	return entry_kernel_sortsupport(fcinfo, &obligation_kernel);
}

/* What another replica lacks. */
PG_FUNCTION_INFO_V1(obligation_lattice_delta);
Datum
obligation_lattice_delta(PG_FUNCTION_ARGS)
{
	EntryTable table;
	EntryTable other;

	entry_table_argument(fcinfo, 0, &table);
	entry_table_argument(fcinfo, 1, &other);
	PG_RETURN_POINTER(entry_map_delta(&obligation_rule, &table, &other));
}

/*
 * Reporting
 */

/* The report in the arguments from "number" on: obligation, witness, state. */
static Entry
report_argument(FunctionCallInfo fcinfo, int number, NodeName *witness)
{
	InputSource source = input_from_arguments("obligation_lattice");
	text *obligation = PG_GETARG_TEXT_PP(number);
	Entry entry = {.key = VARDATA_ANY(obligation),
				   .key_length = VARSIZE_ANY_EXHDR(obligation),
				   .value = ""};

	obligation_check_name(&source, entry.key_length);
	*witness = node_name_argument(fcinfo, number + 1, "obligation_lattice");
	entry.time = finite_lattice_argument(fcinfo, number + 2, &lattice_state_lattice);
	return entry;
}

PG_FUNCTION_INFO_V1(obligation_lattice_observe);
Datum
obligation_lattice_observe(PG_FUNCTION_ARGS)
{
	NodeName witness;
	Entry report = report_argument(fcinfo, 1, &witness);

	PG_RETURN_POINTER(entry_map_put(&obligation_rule, PG_GETARG_VARLENA_PP(0), report, witness));
}

/*
 * observe(obligation, node, state) as an aggregate: the state is a lattice, so
 * partial ones are merged.  A row without any report is skipped, as an outer
 * join makes them; half a report is not.
 */
PG_FUNCTION_INFO_V1(obligation_lattice_observe_transition);
Datum
obligation_lattice_observe_transition(PG_FUNCTION_ARGS)
{
	static const char *const parts[] = {"obligation", "node", "state"};
	const LatticeType *type = &obligation_kernel.lattice.base;
	bool first = PG_ARGISNULL(0);
	MergeState *state;
	NodeName witness;
	struct varlena *flat;
	int missing = 0;

	for (int i = 0; i < 3; i++)
		missing += PG_ARGISNULL(i + 1);
	if (missing == 3)
	{
		if (first)
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	for (int i = 0; missing > 0 && i < 3; i++)
	{
		if (PG_ARGISNULL(i + 1))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", parts[i]),
					 errdetail("A report was given without its %s.", parts[i])));
	}
	state = lattice_aggregate_state(fcinfo, type);
	flat = entry_map_single(report_argument(fcinfo, 1, &witness), witness);
	if (first)
		type->load(state, flat);
	else
		type->absorb(state, flat);
	return EOHPGetRWDatum(&state->eoh);
}

/*
 * Reading
 */

/* The reports on an obligation, from .. to - 1; their join. */
static uint8
merged_state(const EntryTable *table, uint32 from, uint32 to)
{
	EntryCursor cursor;
	uint8 state = 0;

	entry_table_seek(&cursor, table, from);
	while (cursor.index < to && entry_cursor_next(&cursor))
		state = finite_lattice_join(&lattice_state_lattice, state,
									obligation_reported(&cursor.entry));
	return state;
}

/* Where the obligation in argument 1 has its reports; false if there are none. */
static bool
find_obligation(FunctionCallInfo fcinfo, EntryTable *table, uint32 *from, uint32 *to)
{
	text *obligation = PG_GETARG_TEXT_PP(1);

	entry_table_argument(fcinfo, 0, table);
	return entry_table_find(table, VARDATA_ANY(obligation), VARSIZE_ANY_EXHDR(obligation), from,
							to);
}

/* Of an obligation nobody reported on, unknown. */
PG_FUNCTION_INFO_V1(obligation_lattice_state);
Datum
obligation_lattice_state(PG_FUNCTION_ARGS)
{
	EntryTable table;
	uint32 from;
	uint32 to;

	find_obligation(fcinfo, &table, &from, &to);
	return UInt8GetDatum(merged_state(&table, from, to));
}

PG_FUNCTION_INFO_V1(obligation_lattice_witnesses);
Datum
obligation_lattice_witnesses(PG_FUNCTION_ARGS)
{
	EntryTable table;
	EntryCursor cursor;
	TextList names;
	uint32 from;
	uint32 to;

	find_obligation(fcinfo, &table, &from, &to);
	text_list_init(&names, to - from);
	entry_table_seek(&cursor, &table, from);
	while (cursor.index < to && entry_cursor_next(&cursor))
	{
		NodeName node = entry_table_node(&table, cursor.entry.node);

		text_list_add(&names, node.name, (uint32) node.length);
	}
	return text_list_array(&names);
}

PG_FUNCTION_INFO_V1(obligation_lattice_obligations);
Datum
obligation_lattice_obligations(PG_FUNCTION_ARGS)
{
	EntryTable table;

	entry_table_argument(fcinfo, 0, &table);
	return entry_list_keys(&table);
}

/*
 * The next obligation behind a cursor: its reports, from .. to - 1, and their
 * join.  False at the end.
 */
bool
obligation_next(EntryCursor *cursor, Obligation *obligation)
{
	const PackedColumn *ends = &cursor->table->columns[ENTRY_KEY_END];
	uint32 nentries = cursor->table->nentries;

	obligation->from = cursor->index;
	obligation->state = 0;
	if (!entry_cursor_next(cursor))
		return false;
	obligation->name = cursor->entry.key;
	obligation->length = cursor->entry.key_length;
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		obligation->state = finite_lattice_join(&lattice_state_lattice, obligation->state,
												obligation_reported(&cursor->entry));
		if (cursor->index == nentries || packed_get(ends, cursor->index) != cursor->key_end)
			break;
		entry_cursor_next(cursor);
	}
	obligation->to = cursor->index;
	return true;
}

static bool
in_conflict(const Obligation *obligation)
{
	return finite_lattice_is_conflict(&lattice_state_lattice, obligation->state);
}

/* One row for each report: of all obligations, or those in conflict. */
static Datum
report_rows(FunctionCallInfo fcinfo, bool conflicts_only)
{
	EntryTable table;
	EntryCursor cursor;
	NodeEntries nodes;
	Obligation obligation;
	RowSet rows;

	entry_table_argument(fcinfo, 0, &table);
	row_set_open(&rows, fcinfo);
	node_entries_init(&nodes, table.nodes.nnodes);
	node_entries_copy(&nodes, &table.nodes);
	for (entry_cursor_open(&cursor, &table); obligation_next(&cursor, &obligation);)
	{
		EntryCursor report;
		text *name;

		if (conflicts_only && !in_conflict(&obligation))
			continue;
		name = cstring_to_text_with_len(obligation.name, (int) obligation.length);
		entry_table_seek(&report, &table, obligation.from);
		while (report.index < obligation.to && entry_cursor_next(&report))
		{
			const NodeEntry *node = &nodes.items[report.entry.node];
			text *witness = cstring_to_text_with_len(node->name, (int) node->length);
			bool nulls[4] = {false, false, false, false};
			Datum values[4];

			values[0] = PointerGetDatum(name);
			values[1] = UInt8GetDatum(obligation.state);
			values[2] = PointerGetDatum(witness);
			values[3] = UInt8GetDatum(obligation_reported(&report.entry));
			row_set_add(&rows, values, nulls);
			pfree(witness);
		}
		pfree(name);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(obligation_lattice_entries);
Datum
obligation_lattice_entries(PG_FUNCTION_ARGS)
{
	return report_rows(fcinfo, false);
}

PG_FUNCTION_INFO_V1(obligation_lattice_conflicts);
Datum
obligation_lattice_conflicts(PG_FUNCTION_ARGS)
{
	return report_rows(fcinfo, true);
}

/* Has any obligation that state? */
static bool
has_state(FunctionCallInfo fcinfo, uint8 state)
{
	EntryTable table;
	EntryCursor cursor;
	Obligation obligation;

	entry_table_argument(fcinfo, 0, &table);
	for (entry_cursor_open(&cursor, &table); obligation_next(&cursor, &obligation);)
	{
		if (obligation.state == state)
			return true;
	}
	return false;
}

PG_FUNCTION_INFO_V1(obligation_lattice_has_state);
Datum
obligation_lattice_has_state(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(has_state(fcinfo, finite_lattice_argument(fcinfo, 1, &lattice_state_lattice)));
}

PG_FUNCTION_INFO_V1(obligation_lattice_has_conflicts);
Datum
obligation_lattice_has_conflicts(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(has_state(fcinfo, finite_lattice_top(&lattice_state_lattice)));
}

PG_FUNCTION_INFO_V1(obligation_lattice_has);
Datum
obligation_lattice_has(PG_FUNCTION_ARGS)
{
	EntryTable table;
	uint32 from;
	uint32 to;

	PG_RETURN_BOOL(find_obligation(fcinfo, &table, &from, &to));
}

PG_FUNCTION_INFO_V1(obligation_lattice_has_all);
Datum
obligation_lattice_has_all(PG_FUNCTION_ARGS)
{
	EntryTable table;

	entry_table_argument(fcinfo, 0, &table);
	PG_RETURN_BOOL(entry_list_has_all(&table, PG_GETARG_ARRAYTYPE_P(1), "obligations"));
}

PG_FUNCTION_INFO_V1(obligation_lattice_has_any);
Datum
obligation_lattice_has_any(PG_FUNCTION_ARGS)
{
	EntryTable table;

	entry_table_argument(fcinfo, 0, &table);
	PG_RETURN_BOOL(entry_list_has_any(&table, PG_GETARG_ARRAYTYPE_P(1), "obligations"));
}
