/*
 * vclock_gist.c
 *		GiST index on vector clocks: << >> || <@ @> =.
 *
 * Clocks are points of a lattice, and a lattice has boxes: all clocks between
 * a low and a high one.  An inner key is the box of its subtree, low the meet
 * and high the join of what is below; a leaf key is the clock.  Against the
 * clock q of a query,
 *
 *		a clock of the box may be before q		only if low <= q,
 *		                          after q		only if q <= high,
 *		                          concurrent	unless high <= q or q <= low.
 *
 * In a system whose nodes hear of one another a page of events that were
 * close in time makes a slim box, nearly all boxes lie wholly before or after
 * q, and each question reads little more than its answer.
 *
 * An index page should hold several tuples.  A key that would grow over
 * KEY_SIZE_MAX therefore keeps only some of its nodes and is "open": of the
 * others it says nothing, so a match must be checked in the table.  Which
 * nodes stay is decided by a hash of the name, so that different keys keep the
 * same ones and their boxes can be told apart.
 *
 * Stored bytes (vclock_box): a node table with one counter per node, the
 * clock itself, or, with flag BOX, with two, low and high; flag OPEN as above.
 */
#include "core/compat.h"

#include "access/gist.h"
#include "access/stratnum.h"
#include "common/hashfn.h"
#include "core/node_table.h"
#include "core/node_table_io.h"

#define BOX_FLAG  0x01 /* two counters per node: low and high */
#define OPEN_FLAG 0x02 /* nodes that are not listed may count anything */

#define KEY_SIZE_MAX (BLCKSZ / 8)

/* What it costs a box not to know a node any more: more than any usual growth. */
#define OPENING_PENALTY 1e6

/* Operators of the opclass. */
#define STRATEGY_BEFORE     1
#define STRATEGY_AFTER      2
#define STRATEGY_CONCURRENT 3
#define STRATEGY_CONTAINED  4
#define STRATEGY_CONTAINS   5
#define STRATEGY_EQUAL      6

/* An index key, opened: two views of the same nodes. */
typedef struct Box
{
	NodeTable low;
	NodeTable high;
	bool exact; /* low and high are the clock itself */
	bool open;
} Box;

static void
box_open(Box *box, Datum key)
{
	struct varlena *flat = PG_DETOAST_DATUM_PACKED(key);
	NodeTable table;

	node_table_open(&table, flat, 1);
	box->exact = table.flags == 0;
	box->open = (table.flags & OPEN_FLAG) != 0;
	if (table.flags & BOX_FLAG)
	{
		node_table_open(&table, flat, 2);
		box->low = node_table_column(&table, 0);
		box->high = node_table_column(&table, 1);
	}
	else
		box->low = box->high = table;
}

static inline uint64
box_low(const Box *box, int64 index)
{
	return node_pair_counter(&box->low, index, 0);
}

static inline uint64
box_high(const Box *box, int64 index)
{
	return node_pair_counter(&box->high, index, 0);
}

/* Does the box say nothing of this node? */
static inline bool
box_ignores(const Box *box, int64 index)
{
	return box->open && index < 0;
}

/*
 * Keys of limited size
 */

typedef struct NodeRank
{
	uint32 hash;
	uint32 index;
} NodeRank;

static int
node_rank_compare(const void *x, const void *y)
{
	const NodeRank *a = x;
	const NodeRank *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

static int
node_index_compare(const void *x, const void *y)
{
	const NodeRank *a = x;
	const NodeRank *b = y;

	return (a->index > b->index) - (a->index < b->index);
}

/*
 * Drop nodes until the key of a box fits.  Returns false if nothing had to go.
 */
static bool
entries_limit(NodeEntries *entries)
{
	Size names_size = 0;
	bool wide = false;
	uint32 kept;
	NodeRank *ranks;

	for (uint32 i = 0; i < entries->count; i++)
	{
		names_size += entries->items[i].length;
		wide |= entries->items[i].counters[1] > PG_UINT32_MAX;
	}
	if (node_table_flat_size(entries->count, names_size, 2, wide) <= KEY_SIZE_MAX)
		return false;

	ranks = palloc(sizeof(NodeRank) * entries->count);
	for (uint32 i = 0; i < entries->count; i++)
	{
		ranks[i].hash = hash_bytes((const unsigned char *) entries->items[i].name,
								   (int) entries->items[i].length);
		ranks[i].index = i;
	}
	qsort(ranks, entries->count, sizeof(NodeRank), node_rank_compare);
	names_size = 0;
	for (kept = 0; kept < entries->count; kept++)
	{
		names_size += entries->items[ranks[kept].index].length;
		if (node_table_flat_size(kept + 1, names_size, 2, wide) > KEY_SIZE_MAX)
			break;
	}
	qsort(ranks, kept, sizeof(NodeRank), node_index_compare);
	for (uint32 i = 0; i < kept; i++)
		entries->items[i] = entries->items[ranks[i].index];
	entries->count = kept;
	pfree(ranks);
	return true;
}

/* Write a box; its entries are sorted, with low and high for counters. */
static Datum
box_write(NodeEntries *entries, bool open)
{
	open |= entries_limit(entries);
	return PointerGetDatum(node_table_write(entries, 2, BOX_FLAG | (open ? OPEN_FLAG : 0)));
}

/*
 * The least box around two keys.
 */
static Datum
box_union(Datum x, Datum y)
{
	Box a;
	Box b;
	NodePairs pairs;
	NodeEntries entries;
	Datum result;

	box_open(&a, x);
	box_open(&b, y);
	node_entries_init(&entries, a.high.nnodes + b.high.nnodes);
	node_pairs_open(&pairs, &a.high, &b.high);
	while (node_pairs_next(&pairs))
	{
		NodeEntry *entry;

		if (box_ignores(&a, pairs.in_a) || box_ignores(&b, pairs.in_b))
			continue;
		entry = node_entries_add(&entries, pairs.name, pairs.length);
		entry->counters[0] = Min(box_low(&a, pairs.in_a), box_low(&b, pairs.in_b));
		entry->counters[1] = Max(box_high(&a, pairs.in_a), box_high(&b, pairs.in_b));
	}
	result = box_write(&entries, a.open || b.open);
	pfree(entries.items);
	return result;
}

/*
 * Internal type of the index keys: it can be looked at, but not entered.
 */

PG_FUNCTION_INFO_V1(vclock_box_in);
Datum
vclock_box_in(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot accept a value of type %s", "vclock_box"),
			 errdetail("The type only occurs inside GiST indexes on vector clocks.")));
	PG_RETURN_VOID(); /* keep compiler quiet */
}

PG_FUNCTION_INFO_V1(vclock_box_out);
Datum
vclock_box_out(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	Box box;

	box_open(&box, PG_GETARG_DATUM(0));
	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"low\": ");
	node_table_to_json(&buf, &box.low);
	appendStringInfoString(&buf, ", \"high\": ");
	node_table_to_json(&buf, &box.high);
	appendStringInfo(&buf, ", \"open\": %s}", box.open ? "true" : "false");
	PG_RETURN_CSTRING(buf.data);
}

/*
 * Support functions
 */

PG_FUNCTION_INFO_V1(vclock_gist_compress);
Datum
vclock_gist_compress(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);
	GISTENTRY *result;
	struct varlena *flat;
	Datum key;

	if (!entry->leafkey)
		PG_RETURN_POINTER(entry);

	flat = PG_DETOAST_DATUM_PACKED(entry->key);
	key = PointerGetDatum(flat);
	if (VARSIZE_ANY(flat) > KEY_SIZE_MAX)
	{
		NodeTable clock;
		NodeEntries entries;

		node_table_open(&clock, flat, 1);
		node_entries_init(&entries, clock.nnodes);
		node_entries_copy(&entries, &clock);
		for (uint32 i = 0; i < entries.count; i++)
			entries.items[i].counters[1] = entries.items[i].counters[0];
		key = box_write(&entries, false);
		pfree(entries.items);
	}
	result = palloc(sizeof(GISTENTRY));
	gistentryinit(*result, key, entry->rel, entry->page, entry->offset, false);
	PG_RETURN_POINTER(result);
}

PG_FUNCTION_INFO_V1(vclock_gist_consistent);
Datum
vclock_gist_consistent(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);
	StrategyNumber strategy = (StrategyNumber) PG_GETARG_UINT16(2);
	bool *recheck = (bool *) PG_GETARG_POINTER(4);
	NodeTable query;
	Box box;
	PartialOrder low;
	bool low_le;
	bool low_ge;
	bool high_le;
	bool high_ge;

	node_table_open(&query, PG_GETARG_VARLENA_PP(1), 1);
	box_open(&box, entry->key);
	*recheck = !box.exact;

	low = node_table_order(&box.low, &query);
	low_le = (low & ORDER_AFTER) == 0;
	low_ge = (low & ORDER_BEFORE) == 0;
	if (box.exact)
	{
		/* a leaf key that is the clock itself: the answer is final */
		switch (strategy)
		{
			case STRATEGY_BEFORE:
				PG_RETURN_BOOL(low == ORDER_BEFORE);
			case STRATEGY_AFTER:
				PG_RETURN_BOOL(low == ORDER_AFTER);
			case STRATEGY_CONCURRENT:
				PG_RETURN_BOOL(low == ORDER_CONCURRENT);
			case STRATEGY_CONTAINED:
				PG_RETURN_BOOL(low_le);
			case STRATEGY_CONTAINS:
				PG_RETURN_BOOL(low_ge);
			case STRATEGY_EQUAL:
				PG_RETURN_BOOL(low == ORDER_EQUAL);
		}
		elog(ERROR, "unrecognized strategy number: %u", strategy);
	}

	/* of nodes that an open box does not list, high is as great as it gets */
	if (box.open)
	{
		NodeTable known;

		node_table_open(&known, node_table_restrict(&query, &box.high), 1);
		high_le = false;
		high_ge = (node_table_order(&box.high, &known) & ORDER_BEFORE) == 0;
	}
	else
	{
		PartialOrder high = node_table_order(&box.high, &query);

		high_le = (high & ORDER_AFTER) == 0;
		high_ge = (high & ORDER_BEFORE) == 0;
	}
	switch (strategy)
	{
		case STRATEGY_BEFORE:
		case STRATEGY_CONTAINED:
			PG_RETURN_BOOL(low_le);
		case STRATEGY_AFTER:
		case STRATEGY_CONTAINS:
			PG_RETURN_BOOL(high_ge);
		case STRATEGY_CONCURRENT:
			PG_RETURN_BOOL(!high_le && !low_ge);
		case STRATEGY_EQUAL:
			PG_RETURN_BOOL(low_le && high_ge);
	}
	elog(ERROR, "unrecognized strategy number: %u", strategy);
	PG_RETURN_BOOL(false); /* keep compiler quiet */
}

PG_FUNCTION_INFO_V1(vclock_gist_union);
Datum
vclock_gist_union(PG_FUNCTION_ARGS)
{
	GistEntryVector *entries = (GistEntryVector *) PG_GETARG_POINTER(0);
	int *size = (int *) PG_GETARG_POINTER(1);
	Datum box = entries->vector[0].key;

	/* also of one key, so that an inner key is always a box */
	if (entries->n == 1)
		box = box_union(box, box);
	for (int i = 1; i < entries->n; i++)
	{
		Datum larger = box_union(box, entries->vector[i].key);

		if (i > 1)
			pfree(DatumGetPointer(box));
		box = larger;
	}
	*size = (int) VARSIZE_ANY(DatumGetPointer(box));
	PG_RETURN_DATUM(box);
}

PG_FUNCTION_INFO_V1(vclock_gist_same);
Datum
vclock_gist_same(PG_FUNCTION_ARGS)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	bool *same = (bool *) PG_GETARG_POINTER(2);

	*same = VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
	PG_RETURN_POINTER(same);
}

/*
 * How much the box must grow for another key: the sum over all nodes.  A box
 * that would be opened loses what it knows of some nodes altogether.
 */
PG_FUNCTION_INFO_V1(vclock_gist_penalty);
Datum
vclock_gist_penalty(PG_FUNCTION_ARGS)
{
	GISTENTRY *original = (GISTENTRY *) PG_GETARG_POINTER(0);
	GISTENTRY *added = (GISTENTRY *) PG_GETARG_POINTER(1);
	float *penalty = (float *) PG_GETARG_POINTER(2);
	float8 growth = 0;
	Box a;
	Box b;
	NodePairs pairs;

	box_open(&a, original->key);
	box_open(&b, added->key);
	node_pairs_open(&pairs, &a.high, &b.high);
	while (node_pairs_next(&pairs))
	{
		uint64 low;
		uint64 high;

		if (box_ignores(&a, pairs.in_a))
			continue;
		if (box_ignores(&b, pairs.in_b))
		{
			growth += OPENING_PENALTY;
			continue;
		}
		low = box_low(&a, pairs.in_a);
		high = box_high(&a, pairs.in_a);
		if (box_low(&b, pairs.in_b) < low)
			growth += low - box_low(&b, pairs.in_b);
		if (box_high(&b, pairs.in_b) > high)
			growth += box_high(&b, pairs.in_b) - high;
	}
	*penalty = (float) growth;
	PG_RETURN_POINTER(penalty);
}

/*
 * Splitting a page
 *
 * Sort the keys along one axis and cut in the middle.  Two axes are tried: the
 * sum of all counters, which is time where nodes hear of one another, and the
 * one node along which the keys lie farthest apart, which separates groups of
 * nodes that do not.  The cut with the slimmer boxes wins.
 */

typedef struct SplitKey
{
	float8 position;
	OffsetNumber offset;
} SplitKey;

static int
split_key_compare(const void *x, const void *y)
{
	const SplitKey *a = x;
	const SplitKey *b = y;

	if (a->position != b->position)
		return a->position < b->position ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The boxes of both halves of the sorted keys. */
typedef struct Split
{
	SplitKey *keys;
	int nkeys;
	int nleft;
	Datum left;
	Datum right;
} Split;

static Datum
split_half(const GistEntryVector *entries, const SplitKey *keys, int count)
{
	Datum box = entries->vector[keys[0].offset].key;

	box = box_union(box, box);
	for (int i = 1; i < count; i++)
	{
		Datum larger = box_union(box, entries->vector[keys[i].offset].key);

		pfree(DatumGetPointer(box));
		box = larger;
	}
	return box;
}

static float8
box_width(Datum key)
{
	Box box;
	float8 width = 0;

	box_open(&box, key);
	for (uint32 i = 0; i < box.high.nnodes; i++)
		width += (float8) (box_high(&box, i) - box_low(&box, i));
	return width;
}

static void
split_cut(Split *split, const GistEntryVector *entries)
{
	qsort(split->keys, split->nkeys, sizeof(SplitKey), split_key_compare);
	split->nleft = split->nkeys / 2;
	split->left = split_half(entries, split->keys, split->nleft);
	split->right = split_half(entries, split->keys + split->nleft, split->nkeys - split->nleft);
}

static float8
box_total(const Box *box)
{
	NodeSum low = node_table_sum(&box->low);
	NodeSum high = node_table_sum(&box->high);

	return ((float8) low.high + (float8) high.high) * 18446744073709551616.0 + (float8) low.low +
		(float8) high.low;
}

PG_FUNCTION_INFO_V1(vclock_gist_picksplit);
Datum
vclock_gist_picksplit(PG_FUNCTION_ARGS)
{
	GistEntryVector *entries = (GistEntryVector *) PG_GETARG_POINTER(0);
	GIST_SPLITVEC *result = (GIST_SPLITVEC *) PG_GETARG_POINTER(1);
	int nkeys = entries->n - FirstOffsetNumber;
	Box *boxes = palloc(sizeof(Box) * nkeys);
	Split total = {0};
	Split single = {0};
	const Split *chosen = &total;
	Box all;
	uint64 widest = 0;
	uint32 axis = 0;
	Datum whole;

	total.nkeys = single.nkeys = nkeys;
	total.keys = palloc(sizeof(SplitKey) * nkeys);
	single.keys = palloc(sizeof(SplitKey) * nkeys);
	whole = entries->vector[FirstOffsetNumber].key;
	for (int i = 0; i < nkeys; i++)
	{
		OffsetNumber offset = FirstOffsetNumber + i;

		box_open(&boxes[i], entries->vector[offset].key);
		total.keys[i].offset = offset;
		total.keys[i].position = box_total(&boxes[i]);
		whole = box_union(whole, entries->vector[offset].key);
	}
	split_cut(&total, entries);

	box_open(&all, whole);
	for (uint32 i = 0; i < all.high.nnodes; i++)
	{
		uint64 width = box_high(&all, i) - box_low(&all, i);

		if (width > widest)
		{
			widest = width;
			axis = i;
		}
	}
	if (widest > 0)
	{
		NodeCursor node;

		node_cursor_open(&node, &all.high);
		while (node.index < axis)
			node_cursor_next(&node);
		for (int i = 0; i < nkeys; i++)
		{
			uint32 index;
			bool found = node_table_find(&boxes[i].high, node.name, node_cursor_length(&node),
										 &index);

			single.keys[i].offset = FirstOffsetNumber + i;
			single.keys[i].position = found
				? (float8) box_low(&boxes[i], index) + (float8) box_high(&boxes[i], index)
				: 0;
		}
		split_cut(&single, entries);
		if (box_width(single.left) + box_width(single.right) <
			box_width(total.left) + box_width(total.right))
			chosen = &single;
	}

	result->spl_left = palloc(sizeof(OffsetNumber) * nkeys);
	result->spl_right = palloc(sizeof(OffsetNumber) * nkeys);
	result->spl_nleft = chosen->nleft;
	result->spl_nright = nkeys - chosen->nleft;
	for (int i = 0; i < chosen->nleft; i++)
		result->spl_left[i] = chosen->keys[i].offset;
	for (int i = chosen->nleft; i < nkeys; i++)
		result->spl_right[i - chosen->nleft] = chosen->keys[i].offset;
	result->spl_ldatum = chosen->left;
	result->spl_rdatum = chosen->right;
	PG_RETURN_POINTER(result);
}

/*
 * Building by sorting (14 and newer): leaf keys by the sum of their counters,
 * so that a page holds events that were close in time.
 */

static Datum
box_abbreviate(Datum original, SortSupport ssup)
{
	Box box;

	box_open(&box, original);
	return node_sum_sort_key(node_table_sum(&box.high));
}

static int
box_sort_compare(Datum x, Datum y, SortSupport ssup)
{
	Box a;
	Box b;

	box_open(&a, x);
	box_open(&b, y);
	return node_table_compare(&a.high, &b.high);
}

PG_FUNCTION_INFO_V1(vclock_gist_sortsupport);
Datum
vclock_gist_sortsupport(PG_FUNCTION_ARGS)
{
	sort_key_install((SortSupport) PG_GETARG_POINTER(0), box_sort_compare, box_abbreviate);
	PG_RETURN_VOID();
}
