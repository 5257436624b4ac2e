/*
 * saga_constraint.c
 *		What must hold among the obligations of a saga: the type
 *		saga_constraint, read and checked.
 *
 * Constraints come as an array of composites, in any order and with their
 * obligations in any order and repeated.  They leave here sorted by name, each
 * with the set of its obligations, so that what is found does not depend on
 * how they were written.
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "core/bytes.h"
#include "core/json_tree.h"
#include "lattice/saga_constraint.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* The attributes of the composite. */
enum
{
	CONSTRAINT_NAME,
	CONSTRAINT_KIND,
	CONSTRAINT_OBLIGATIONS,
	CONSTRAINT_ATTRIBUTES
};

static const Oid attribute_types[CONSTRAINT_ATTRIBUTES] = {TEXTOID, TEXTOID, TEXTARRAYOID};

static const char *const kind_labels[] = {
	[SAGA_ALL_OR_NOTHING] = "all_or_nothing",
	[SAGA_MUTUAL_EXCLUSION] = "mutual_exclusion",
	[SAGA_IMPLIES] = "implies",
};

#define NAME_HINT        "Every constraint has a name of its own, by which its findings are told apart."
#define KIND_HINT        "The kinds are all_or_nothing, mutual_exclusion and implies."
#define OBLIGATIONS_HINT "Name the obligations that the constraint is about."
#define IMPLIES_HINT \
	"Name first the obligation that implies the others, then at least one that it implies."

const char *
saga_kind_label(SagaKind kind)
{
	return kind_labels[kind];
}

pg_noreturn static void
constraint_fault(int code, const char *message, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(code), errmsg("%s", message), errdetail_internal("%s", detail),
			 errhint("%s", hint)));
}

static SagaName
constraint_text(Datum datum)
{
	text *value = DatumGetTextPP(datum);
	SagaName name = {VARDATA_ANY(value), (uint32) VARSIZE_ANY_EXHDR(value)};

	return name;
}

static char *
quote(SagaName name)
{
	return json_tree_quote(name.bytes, (int) name.length);
}

static int
compare_names(const void *x, const void *y)
{
	const SagaName *a = x;
	const SagaName *b = y;

	CHECK_FOR_INTERRUPTS();
	return bytes_compare(a->bytes, a->length, b->bytes, b->length);
}

static int
compare_constraints(const void *x, const void *y)
{
	return compare_names(&((const SagaConstraint *) x)->name, &((const SagaConstraint *) y)->name);
}

/* Sort names and drop those that are repeated; how many remain. */
static uint32
unique_names(SagaName *names, uint32 count)
{
	uint32 kept = 0;

	qsort(names, count, sizeof(SagaName), compare_names);
	for (uint32 i = 0; i < count; i++)
	{
		if (kept == 0 || compare_names(&names[kept - 1], &names[i]) != 0)
			names[kept++] = names[i];
	}
	return kept;
}

static void
read_kind(SagaConstraint *constraint, Datum datum)
{
	SagaName label = constraint_text(datum);

	for (int kind = 0; kind < (int) lengthof(kind_labels); kind++)
	{
		if (strlen(kind_labels[kind]) == label.length &&
			memcmp(kind_labels[kind], label.bytes, label.length) == 0)
		{
			constraint->kind = kind;
			return;
		}
	}
	constraint_fault(ERRCODE_INVALID_PARAMETER_VALUE, "unknown kind of constraint",
					 psprintf("Constraint %s has the kind %s.", quote(constraint->name),
							  quote(label)),
					 KIND_HINT);
}

static void
read_obligations(SagaConstraint *constraint, Datum datum)
{
	Datum *items;
	bool *nulls;
	int count;
	uint32 premises = constraint->kind == SAGA_IMPLIES ? 1 : 0;
	uint32 others;

	deconstruct_array(DatumGetArrayTypeP(datum), TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls,
					  &count);
	if (count == 0)
		constraint_fault(ERRCODE_INVALID_PARAMETER_VALUE, "constraint without obligations",
						 psprintf("Constraint %s names no obligation.", quote(constraint->name)),
						 OBLIGATIONS_HINT);
	constraint->obligations = palloc(sizeof(SagaName) * (Size) count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			constraint_fault(ERRCODE_NULL_VALUE_NOT_ALLOWED,
							 "obligation of a constraint must not be null",
							 psprintf("Obligation %d of constraint %s is null.", i + 1,
									  quote(constraint->name)),
							 OBLIGATIONS_HINT);
		constraint->obligations[i] = constraint_text(items[i]);
		if (constraint->obligations[i].length == 0)
			constraint_fault(ERRCODE_INVALID_PARAMETER_VALUE,
							 "obligation of a constraint must not be empty",
							 psprintf("Obligation %d of constraint %s is the empty text.", i + 1,
									  quote(constraint->name)),
							 OBLIGATIONS_HINT);
	}
	pfree(items);
	pfree(nulls);

	/* what a premise implies is the set of the others */
	others = 0;
	for (uint32 i = premises; i < (uint32) count; i++)
	{
		SagaName *obligation = &constraint->obligations[i];

		if (premises == 0 || compare_names(&constraint->obligations[0], obligation) != 0)
			constraint->obligations[premises + others++] = *obligation;
	}
	others = unique_names(constraint->obligations + premises, others);
	constraint->nobligations = premises + others;
	if (others == 0)
		constraint_fault(ERRCODE_INVALID_PARAMETER_VALUE, "implication of nothing",
						 psprintf("Constraint %s, of kind implies, names only the obligation %s.",
								  quote(constraint->name), quote(constraint->obligations[0])),
						 IMPLIES_HINT);
}

static void
constraint_read(SagaConstraint *constraint, int number, const Datum *values, const bool *nulls)
{
	if (nulls[CONSTRAINT_NAME])
		constraint_fault(ERRCODE_NULL_VALUE_NOT_ALLOWED, "name of a constraint must not be null",
						 psprintf("Element %d of the array of constraints has no name.", number),
						 NAME_HINT);
	constraint->name = constraint_text(values[CONSTRAINT_NAME]);
	if (constraint->name.length == 0)
		constraint_fault(ERRCODE_INVALID_PARAMETER_VALUE, "name of a constraint must not be empty",
						 psprintf("Element %d of the array of constraints has the empty name.",
								  number),
						 NAME_HINT);
	if (nulls[CONSTRAINT_KIND])
		constraint_fault(ERRCODE_NULL_VALUE_NOT_ALLOWED, "kind of a constraint must not be null",
						 psprintf("Constraint %s has no kind.", quote(constraint->name)),
						 KIND_HINT);
	read_kind(constraint, values[CONSTRAINT_KIND]);
	if (nulls[CONSTRAINT_OBLIGATIONS])
		constraint_fault(ERRCODE_NULL_VALUE_NOT_ALLOWED,
						 "obligations of a constraint must not be null",
						 psprintf("Constraint %s has null for obligations.",
								  quote(constraint->name)),
						 OBLIGATIONS_HINT);
	read_obligations(constraint, values[CONSTRAINT_OBLIGATIONS]);
}

/*
 * The composite's attributes.  Its owner can change them, and then the array
 * does not hold what is read here.
 */
static TupleDesc
constraint_desc(Oid type)
{
	TupleDesc desc = lookup_rowtype_tupdesc(type, -1);

	for (int i = 0; i < CONSTRAINT_ATTRIBUTES; i++)
	{
		if (i >= desc->natts || TupleDescAttr(desc, i)->atttypid != attribute_types[i])
			elog(ERROR, "type %s has been altered", format_type_be(type));
	}
	return desc;
}

/*
 * The constraints of an array of any dimensions, sorted by name.  Their names
 * lie in the array, or in copies of the current memory context.
 */
SagaConstraint *
saga_constraints_read(ArrayType *array, uint32 *count)
{
	Oid type = ARR_ELEMTYPE(array);
	int16 length;
	bool by_value;
	char align;
	Datum *items;
	bool *nulls;
	int nitems;
	TupleDesc desc;
	Datum *values;
	bool *missing;
	SagaConstraint *constraints;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align, &items, &nulls, &nitems);
	desc = constraint_desc(type);
	values = palloc(sizeof(Datum) * desc->natts);
	missing = palloc(sizeof(bool) * desc->natts);
	constraints = MemoryContextAllocHuge(CurrentMemoryContext,
										 sizeof(SagaConstraint) * ((Size) nitems + 1));
	for (int i = 0; i < nitems; i++)
	{
		HeapTupleData tuple = {0};

		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			constraint_fault(ERRCODE_NULL_VALUE_NOT_ALLOWED, "constraint must not be null",
							 psprintf("Element %d of the array of constraints is null.", i + 1),
							 "Leave out what is no constraint, with FILTER for example.");
		tuple.t_data = DatumGetHeapTupleHeader(items[i]);
		tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);
		heap_deform_tuple(&tuple, desc, values, missing);
		constraint_read(&constraints[i], i + 1, values, missing);
	}
	ReleaseTupleDesc(desc);

	qsort(constraints, nitems, sizeof(SagaConstraint), compare_constraints);
	for (int i = 1; i < nitems; i++)
	{
		if (compare_constraints(&constraints[i - 1], &constraints[i]) == 0)
			constraint_fault(ERRCODE_INVALID_PARAMETER_VALUE,
							 "constraints must have distinct names",
							 psprintf("Constraint %s occurs more than once.",
									  quote(constraints[i].name)),
							 NAME_HINT);
	}
	*count = (uint32) nitems;
	return constraints;
}
