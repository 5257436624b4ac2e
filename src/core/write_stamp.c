/*
 * write_stamp.c
 *		The kernel of row stamps: is a row there, and who wrote which of its
 *		columns when.
 *
 * A row stamp rides on a row of a replicated table, and says of it what must be
 * known to join it with the same row of another server.  It has two parts, which
 * do not depend on each other; the join joins both.
 *
 * Presence.  A write of the row makes a dot, a number of the node that writes,
 * and that dot holds the row in place of all that the node has seen.  Of each node
 * the stamp has a context c, all of its dots up to which were seen, and a live dot
 * d, 0 < d <= c, or none.  The row was removed if no node has one.  Of two live
 * dots of one node the later was written in place of the earlier, so one is
 * enough.  Join, for each node: the greater context, and a live dot that either
 * both have, or one has and the other has not seen.  Two different ones cannot
 * both be unseen, for d1 > c2 >= d2 and d2 > c1 >= d1 contradict each other.
 * Each dot is unknown, live or gone, in this order, and the join is the greater
 * of the two for every dot: that is what makes it commutative, associative and
 * idempotent.  (It is the join of core/dot_store.c, of stores whose contexts have
 * no gaps and whose entries are bare dots.)
 *
 * Writes.  For every name there may be, when and by which node a column of that
 * name was last written: the stamp of the row, or one of the few that are listed.
 * Listed ones may be later than the row's or earlier.  Join: for every name the
 * later write, by time, then node, then hash.  A function from names to a total
 * order, joined by maximum at each place, is a lattice; that all but finitely many
 * names have one value, which is stored once, changes nothing about that.  What
 * says the same as the row's is not listed, so equal states have equal bytes.
 *
 * No value of a column is in here.  But some values may not come with a row, as
 * PostgreSQL does not send again what is large and unchanged, and does not send
 * what the sender's table lacks.  So that a stamp can be told from one that
 * vouches for something else, the write of a large value has a hash of it, and
 * that of a row one of the names of all columns that it wrote.
 *
 * Dots and times end at STAMP_MAX, which is checked where values are read: what
 * comes after always has room.
 *
 * Stored bytes, behind the header.  A varint has seven bits per byte, lowest
 * first; "from base" is the difference to the base as a varint, zigzag.
 *
 *		uint8		0x10, the version; + 1 if the row's write has a hash; + 2 and + 4
 *					are marks of a value on its way, which is never stored
 *		varint		number of nodes, those of writes too
 *		uint64		base: the greatest context; if there is none, the time of the
 *					row's write; not where there are no nodes
 *		for each node, sorted: uint8 length, name
 *		for each node:
 *			varint	base - context + 1, or 0: nothing seen
 *			varint	context - live + 1, or 0: no live dot (not where nothing was seen)
 *		varint		node of the row's write + 1, or 0: there was none
 *		varint		its nanoseconds, from base
 *		varint		its logical counter
 *		uint64		its hash, if it has one
 *		varint		number of columns listed
 *		for each, sorted:
 *			uint8	length, name
 *			varint	(node + 1) * 4, + 2 with a logical counter, + 1 with a hash; or 0
 *			varint	nanoseconds, from base
 *			varint	logical counter, if not 0
 *			uint64	hash, if not 0
 *
 * Behind a 0 that stands for no write, its other parts are left out.  A row that
 * a node with a name of six bytes has just inserted takes 32 bytes, with a short
 * header; a column that it writes a day later, eight and the name.
 */
#include "core/compat.h"

#include "core/node_table.h"
#include "core/write_stamp.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define STAMP_VERSION      0x10
#define STAMP_ROW_HAS_HASH 0x01
#define COLUMN_HAS_HASH    1
#define COLUMN_HAS_LOGICAL 2
#define COLUMN_NODE_SHIFT  2

/* Bytes of a varint of 64 bits. */
#define VARINT_MAX 10

/*
 * Reading
 */

static inline uint64
get_varint(const char **at)
{
	uint64 value = 0;

	for (int shift = 0;; shift += 7)
	{
		uint8 byte = (uint8) * (*at)++;

		value |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
}

static inline uint64
get_uint64(const char **at)
{
	uint64 value;

	memcpy(&value, *at, sizeof(value));
	*at += sizeof(value);
	return value;
}

static inline int64
get_from_base(const char **at, uint64 base)
{
	uint64 zigzag = get_varint(at);

	return (int64) (base + ((zigzag >> 1) ^ (0 - (zigzag & 1))));
}

/* Arrays have room for a power of two. */
static inline Size
stamp_capacity(uint32 count)
{
	Size capacity = STAMP_INLINE;

	while (capacity < count)
		capacity *= 2;
	return capacity;
}

/* An empty stamp, with room. */
void
row_stamp_init(RowStamp *stamp, uint32 nodes, uint32 columns)
{
	stamp->nnodes = 0;
	stamp->ncolumns = 0;
	stamp->marks = 0;
	stamp->nodes = stamp->inline_nodes;
	stamp->columns = stamp->inline_columns;
	if (nodes > STAMP_INLINE)
		stamp->nodes = MemoryContextAllocHuge(CurrentMemoryContext,
											  sizeof(StampNode) * stamp_capacity(nodes));
	if (columns > STAMP_INLINE)
		stamp->columns = MemoryContextAllocHuge(CurrentMemoryContext,
												sizeof(StampColumn) * stamp_capacity(columns));
	memset(&stamp->row, 0, sizeof(stamp->row));
}

/* Read a stored value, detoasted, with a short or long header; it must stay. */
void
row_stamp_open(RowStamp *stamp, const struct varlena *flat)
{
	const char *at = VARDATA_ANY(flat);
	uint8 head = (uint8) *at++;
	uint32 nnodes = (uint32) get_varint(&at);
	uint64 base = nnodes > 0 ? get_uint64(&at) : 0;
	const char *names = at;
	uint32 ncolumns;
	uint64 which;

	for (uint32 i = 0; i < nnodes; i++)
		at += 1 + (uint8) *at;
	/* the columns are counted behind all that; their room is made there */
	row_stamp_init(stamp, nnodes, 0);
	stamp->nnodes = nnodes;
	stamp->marks = head & STAMP_MARKS;
	for (uint32 i = 0; i < nnodes; i++)
	{
		StampNode *node = &stamp->nodes[i];
		uint64 seen = get_varint(&at);

		node->node.length = (uint8) *names++;
		node->node.name = names;
		names += node->node.length;
		node->context = seen == 0 ? 0 : base - (seen - 1);
		node->live = 0;
		if (seen != 0)
		{
			uint64 live = get_varint(&at);

			node->live = live == 0 ? 0 : node->context - (live - 1);
		}
	}
	which = get_varint(&at);
	if (which != 0)
	{
		stamp->row.node = stamp->nodes[which - 1].node;
		stamp->row.at.nanoseconds = get_from_base(&at, base);
		stamp->row.at.logical = (uint32) get_varint(&at);
		if (head & STAMP_ROW_HAS_HASH)
			stamp->row.hash = get_uint64(&at);
	}
	ncolumns = (uint32) get_varint(&at);
	if (ncolumns > STAMP_INLINE)
		stamp->columns = MemoryContextAllocHuge(CurrentMemoryContext,
												sizeof(StampColumn) * stamp_capacity(ncolumns));
	stamp->ncolumns = ncolumns;
	for (uint32 i = 0; i < ncolumns; i++)
	{
		StampColumn *column = &stamp->columns[i];

		column->length = (uint8) *at++;
		column->name = at;
		at += column->length;
		memset(&column->write, 0, sizeof(column->write));
		which = get_varint(&at);
		if (which == 0)
			continue;
		column->write.node = stamp->nodes[(which >> COLUMN_NODE_SHIFT) - 1].node;
		column->write.at.nanoseconds = get_from_base(&at, base);
		if (which & COLUMN_HAS_LOGICAL)
			column->write.at.logical = (uint32) get_varint(&at);
		if (which & COLUMN_HAS_HASH)
			column->write.hash = get_uint64(&at);
	}
	Assert(at == (const char *) VARDATA_ANY(flat) + VARSIZE_ANY_EXHDR(flat));
}

/* Give back what a large one took; for functions whose memory outlives the call. */
void
row_stamp_release(RowStamp *stamp)
{
	if (stamp->nodes != stamp->inline_nodes)
		pfree(stamp->nodes);
	if (stamp->columns != stamp->inline_columns)
		pfree(stamp->columns);
}

/* Where a node is, or would be. */
uint32
row_stamp_find_node(const RowStamp *stamp, NodeName node, bool *found)
{
	uint32 low = 0;
	uint32 high = stamp->nnodes;

	*found = false;
	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;
		NodeName there = stamp->nodes[middle].node;
		int order = bytes_compare(there.name, there.length, node.name, node.length);

		if (order == 0)
		{
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What is not listed was written with the row, whose hash is not one of a value. */
static inline WriteStamp
row_stamp_unlisted(const RowStamp *stamp)
{
	WriteStamp write = stamp->row;

	write.hash = 0;
	return write;
}

/* A column that is listed, or NULL. */
const StampColumn *
row_stamp_find_column(const RowStamp *stamp, const char *name, uint32 length)
{
	uint32 low = 0;
	uint32 high = stamp->ncolumns;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;
		const StampColumn *column = &stamp->columns[middle];
		int order = bytes_compare(column->name, column->length, name, length);

		if (order == 0)
			return column;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The last write of a column; if it is of no node, there was none. */
WriteStamp
row_stamp_column(const RowStamp *stamp, const char *name, uint32 length)
{
	const StampColumn *column = row_stamp_find_column(stamp, name, length);

	return column ? column->write : row_stamp_unlisted(stamp);
}

/* Is the row there?  One of which nothing is known is: nobody has removed it. */
bool
row_stamp_present(const RowStamp *stamp)
{
	bool known = false;

	for (uint32 i = 0; i < stamp->nnodes; i++)
	{
		if (stamp->nodes[i].live > 0)
			return true;
		known |= stamp->nodes[i].context > 0;
	}
	return !known;
}

/* What was seen of each node: a vclock. */
struct varlena *
row_stamp_context(const RowStamp *stamp)
{
	NodeEntries seen;

	node_entries_init(&seen, stamp->nnodes);
	for (uint32 i = 0; i < stamp->nnodes; i++)
	{
		const StampNode *node = &stamp->nodes[i];

		if (node->context > 0)
			node_entries_add(&seen, node->node.name, node->node.length)->counters[0] =
				node->context;
	}
	return node_table_write(&seen, 1, 0);
}

/*
 * Writing
 */

static inline char *
put_varint(char *at, uint64 value)
{
	while (value >= 0x80)
	{
		*at++ = (char) (value | 0x80);
		value >>= 7;
	}
	*at++ = (char) value;
	return at;
}

static inline char *
put_uint64(char *at, uint64 value)
{
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static inline char *
put_from_base(char *at, int64 value, uint64 base)
{
	int64 difference = (int64) ((uint64) value - base);

	return put_varint(at, ((uint64) difference << 1) ^ (difference < 0 ? PG_UINT64_MAX : 0));
}

static inline char *
put_name(char *at, const char *name, Size length)
{
	*at++ = (char) length;
	memcpy(at, name, length);
	return at + length;
}

static inline bool
stamp_is_write(const WriteStamp *write)
{
	return write->node.length > 0;
}

/* Does a column need to be listed, or does it say what the row says? */
bool
row_stamp_lists(const RowStamp *stamp, const StampColumn *column)
{
	WriteStamp unlisted = row_stamp_unlisted(stamp);

	return write_stamp_compare(&column->write, &unlisted) != 0;
}

static int
stamp_node_sort(const void *a, const void *b)
{
	return stamp_node_order(a, b);
}

/* Nodes that are to be stored: those of which something was seen, and those of writes. */
static void
stamp_note_node(const RowStamp *stamp, const WriteStamp *write, bool *used, RowStamp *others)
{
	bool found;
	uint32 index;

	if (!stamp_is_write(write))
		return;
	index = row_stamp_find_node(stamp, write->node, &found);
	if (found)
		used[index] = true;
	else
	{
		StampNode *other = &others->nodes[others->nnodes++];

		memset(other, 0, sizeof(*other));
		other->node = write->node;
	}
}

static void
stamp_collect_nodes(RowStamp *stored, const RowStamp *stamp)
{
	bool few[STAMP_INLINE];
	bool *used = few;
	RowStamp others;
	uint32 next = 0;

	if (stamp->nnodes > STAMP_INLINE)
		used = MemoryContextAllocHuge(CurrentMemoryContext, stamp->nnodes);
	for (uint32 i = 0; i < stamp->nnodes; i++)
		used[i] = stamp->nodes[i].context > 0;
	row_stamp_init(&others, stamp->ncolumns + 1, 0);
	stamp_note_node(stamp, &stamp->row, used, &others);
	for (uint32 i = 0; i < stamp->ncolumns; i++)
	{
		if (row_stamp_lists(stamp, &stamp->columns[i]))
			stamp_note_node(stamp, &stamp->columns[i].write, used, &others);
	}
	if (others.nnodes > 1)
		qsort(others.nodes, others.nnodes, sizeof(StampNode), stamp_node_sort);
	row_stamp_init(stored, stamp->nnodes + others.nnodes, 0);
	for (uint32 i = 0; i <= stamp->nnodes; i++)
	{
		while (next < others.nnodes &&
			   (i == stamp->nnodes || stamp_node_order(&others.nodes[next], &stamp->nodes[i]) < 0))
		{
			if (stored->nnodes == 0 ||
				stamp_node_order(&stored->nodes[stored->nnodes - 1], &others.nodes[next]) != 0)
				stored->nodes[stored->nnodes++] = others.nodes[next];
			next++;
		}
		if (i < stamp->nnodes && used[i])
			stored->nodes[stored->nnodes++] = stamp->nodes[i];
	}
}

static inline uint64
stamp_node_number(const RowStamp *stored, const WriteStamp *write)
{
	bool found;

	if (!stamp_is_write(write))
		return 0;
	return row_stamp_find_node(stored, write->node, &found) + 1;
}

/* The greatest context. */
uint64
row_stamp_greatest(const RowStamp *stamp)
{
	uint64 greatest = 0;

	for (uint32 i = 0; i < stamp->nnodes; i++)
		greatest = Max(greatest, stamp->nodes[i].context);
	return greatest;
}

static char *
stamp_put_columns(char *at, const RowStamp *stamp, const RowStamp *stored, uint64 base)
{
	uint32 listed = 0;

	for (uint32 i = 0; i < stamp->ncolumns; i++)
		listed += row_stamp_lists(stamp, &stamp->columns[i]);
	at = put_varint(at, listed);
	for (uint32 i = 0; i < stamp->ncolumns; i++)
	{
		const StampColumn *column = &stamp->columns[i];
		const WriteStamp *write = &column->write;
		uint64 head = stamp_node_number(stored, write) << COLUMN_NODE_SHIFT;

		CHECK_FOR_INTERRUPTS();
		if (!row_stamp_lists(stamp, column))
			continue;
		at = put_name(at, column->name, column->length);
		if (head != 0)
			head |= (write->at.logical != 0 ? COLUMN_HAS_LOGICAL : 0) |
				(write->hash != 0 ? COLUMN_HAS_HASH : 0);
		at = put_varint(at, head);
		if (head != 0)
			at = put_from_base(at, write->at.nanoseconds, base);
		if (head & COLUMN_HAS_LOGICAL)
			at = put_varint(at, write->at.logical);
		if (head & COLUMN_HAS_HASH)
			at = put_uint64(at, write->hash);
	}
	return at;
}

/* No more bytes than that are needed. */
static Size
stamp_room(const RowStamp *stamp, const RowStamp *stored)
{
	Size room = VARHDRSZ + 1 + 5 * VARINT_MAX + 2 * sizeof(uint64);

	for (uint32 i = 0; i < stored->nnodes; i++)
		room += 1 + stored->nodes[i].node.length + 2 * VARINT_MAX;
	for (uint32 i = 0; i < stamp->ncolumns; i++)
		room += 1 + stamp->columns[i].length + 3 * VARINT_MAX + sizeof(uint64);
	return room;
}

/* The value to be stored. */
struct varlena *
row_stamp_close(const RowStamp *stamp)
{
	RowStamp stored;
	struct varlena *flat;
	uint64 base;
	char *at;

	stamp_collect_nodes(&stored, stamp);
	base = row_stamp_greatest(&stored);
	if (base == 0)
		base = (uint64) stamp->row.at.nanoseconds;
	flat = palloc(stamp_room(stamp, &stored));
	at = VARDATA(flat);
	*at++ = (char) (STAMP_VERSION | (stamp->row.hash != 0 ? STAMP_ROW_HAS_HASH : 0) | stamp->marks);
	at = put_varint(at, stored.nnodes);
	if (stored.nnodes > 0)
		at = put_uint64(at, base);
	for (uint32 i = 0; i < stored.nnodes; i++)
		at = put_name(at, stored.nodes[i].node.name, stored.nodes[i].node.length);
	for (uint32 i = 0; i < stored.nnodes; i++)
	{
		const StampNode *node = &stored.nodes[i];

		Assert(node->live <= node->context);
		at = put_varint(at, node->context == 0 ? 0 : base - node->context + 1);
		if (node->context > 0)
			at = put_varint(at, node->live == 0 ? 0 : node->context - node->live + 1);
	}
	at = put_varint(at, stamp_node_number(&stored, &stamp->row));
	if (stamp_is_write(&stamp->row))
	{
		at = put_from_base(at, stamp->row.at.nanoseconds, base);
		at = put_varint(at, stamp->row.at.logical);
		if (stamp->row.hash != 0)
			at = put_uint64(at, stamp->row.hash);
	}
	at = stamp_put_columns(at, stamp, &stored, base);
	SET_VARSIZE(flat, at - (char *) flat);
	return flat;
}

/*
 * Marks
 */

uint8
row_stamp_marks(const struct varlena *flat)
{
	return (uint8) *VARDATA_ANY(flat) & STAMP_MARKS;
}

/* A copy with these marks, and no others. */
struct varlena *
row_stamp_marked(const struct varlena *flat, uint8 marks)
{
	Size size = VARSIZE_ANY(flat);
	struct varlena *copy = palloc(size);
	char *head;

	memcpy(copy, flat, size);
	head = VARDATA_ANY(copy);
	*head = (char) (((uint8) *head & ~STAMP_MARKS) | marks);
	return copy;
}

/*
 * Changing
 */

/* The latest time of anything in a stamp, in nanoseconds. */
uint64
row_stamp_latest(const RowStamp *stamp)
{
	int64 latest = Max((int64) row_stamp_greatest(stamp), stamp->row.at.nanoseconds);

	for (uint32 i = 0; i < stamp->ncolumns; i++)
		latest = Max(latest, stamp->columns[i].write.at.nanoseconds);
	return (uint64) latest;
}

/* Make room for another element of an array that may be the stamp's own. */
static void *
stamp_grow(void *items, const void *inline_items, uint32 count, Size size)
{
	void *grown;

	/* arrays grow when their counts are powers of two, the inline ones' room among them */
	if (count < STAMP_INLINE || (count & (count - 1)) != 0)
		return items;
	grown = MemoryContextAllocHuge(CurrentMemoryContext, size * 2 * (Size) count);
	memcpy(grown, items, size * count);
	if (items != inline_items)
		pfree(items);
	return grown;
}

/* The entry of a node, which is made where there is none. */
static StampNode *
stamp_need_node(RowStamp *stamp, NodeName node)
{
	bool found;
	uint32 index = row_stamp_find_node(stamp, node, &found);
	StampNode *entry;

	if (found)
		return &stamp->nodes[index];
	stamp->nodes = stamp_grow(stamp->nodes, stamp->inline_nodes, stamp->nnodes, sizeof(StampNode));
	entry = &stamp->nodes[index];
	memmove(entry + 1, entry, sizeof(StampNode) * (stamp->nnodes - index));
	stamp->nnodes++;
	entry->node = node;
	entry->context = 0;
	entry->live = 0;
	return entry;
}

static StampNode *
stamp_end_dots(RowStamp *stamp, NodeName node, uint64 dot)
{
	StampNode *entry = stamp_need_node(stamp, node);

	for (uint32 i = 0; i < stamp->nnodes; i++)
		stamp->nodes[i].live = 0;
	Assert(dot > entry->context);
	entry->context = dot;
	return entry;
}

/* A node has written the row: its dot holds the row in place of all before. */
void
row_stamp_write(RowStamp *stamp, NodeName node, uint64 dot)
{
	stamp_end_dots(stamp, node, dot)->live = dot;
}

/* A node has removed it. */
void
row_stamp_remove(RowStamp *stamp, NodeName node, uint64 dot)
{
	(void) stamp_end_dots(stamp, node, dot);
}

/* A node has seen the row, which is held by the dots that it has. */
void
row_stamp_touch(RowStamp *stamp, NodeName node, uint64 dot)
{
	StampNode *entry = stamp_need_node(stamp, node);

	entry->context = Max(entry->context, dot);
}

/* The last write of one column. */
void
row_stamp_set_column(RowStamp *stamp, const char *name, uint32 length, WriteStamp write)
{
	StampColumn column = {name, length, write};
	uint32 index = 0;
	int order = -1;

	while (index < stamp->ncolumns &&
		   (order = stamp_column_order(&stamp->columns[index], &column)) < 0)
		index++;
	if (order == 0)
	{
		stamp->columns[index].write = write;
		return;
	}
	stamp->columns = stamp_grow(stamp->columns, stamp->inline_columns, stamp->ncolumns,
								sizeof(StampColumn));
	memmove(&stamp->columns[index + 1], &stamp->columns[index],
			sizeof(StampColumn) * (stamp->ncolumns - index));
	stamp->columns[index] = column;
	stamp->ncolumns++;
}

/* Of the row, and so of all columns that are not listed. */
void
row_stamp_set_row(RowStamp *stamp, WriteStamp write)
{
	stamp->row = write;
}

/*
 * The lattice
 */

/* Which write was made last?  No write comes before all others. */
int
write_stamp_compare(const WriteStamp *a, const WriteStamp *b)
{
	int order = hybrid_time_compare(a->at, b->at);

	if (order == 0 && stamp_is_write(a) && stamp_is_write(b))
		order = bytes_compare(a->node.name, a->node.length, b->node.name, b->node.length);
	else if (order == 0)
		order = stamp_is_write(a) - stamp_is_write(b);
	if (order == 0)
		order = (a->hash > b->hash) - (a->hash < b->hash);
	return order;
}

static inline WriteStamp
write_stamp_later(const WriteStamp *a, const WriteStamp *b)
{
	return write_stamp_compare(a, b) < 0 ? *b : *a;
}

/* A walk along the nodes, or the columns, of two stamps in step. */
typedef struct StampPair
{
	uint32 a;
	uint32 b;
	int order; /* in which of them is the current one: < 0 in a, 0 in both, > 0 in b */
} StampPair;

static inline bool
stamp_pair_next_node(StampPair *pair, const RowStamp *a, const RowStamp *b, StampNode *left,
					 StampNode *right)
{
	if (pair->a == a->nnodes && pair->b == b->nnodes)
		return false;
	if (pair->a == a->nnodes)
		pair->order = 1;
	else if (pair->b == b->nnodes)
		pair->order = -1;
	else
		pair->order = stamp_node_order(&a->nodes[pair->a], &b->nodes[pair->b]);
	memset(left, 0, sizeof(*left));
	memset(right, 0, sizeof(*right));
	if (pair->order <= 0)
		*left = a->nodes[pair->a++];
	if (pair->order >= 0)
		*right = b->nodes[pair->b++];
	return true;
}

static inline bool
stamp_pair_next_column(StampPair *pair, const RowStamp *a, const RowStamp *b, StampColumn *left,
					   StampColumn *right)
{
	CHECK_FOR_INTERRUPTS();
	if (pair->a == a->ncolumns && pair->b == b->ncolumns)
		return false;
	if (pair->a == a->ncolumns)
		pair->order = 1;
	else if (pair->b == b->ncolumns)
		pair->order = -1;
	else
		pair->order = stamp_column_order(&a->columns[pair->a], &b->columns[pair->b]);
	if (pair->order <= 0)
		*left = a->columns[pair->a++];
	if (pair->order >= 0)
		*right = b->columns[pair->b++];
	if (pair->order < 0)
	{
		*right = *left;
		right->write = row_stamp_unlisted(b);
	}
	if (pair->order > 0)
	{
		*left = *right;
		left->write = row_stamp_unlisted(a);
	}
	return true;
}

/* The join of two stamps, whose names the result borrows. */
void
row_stamp_join(RowStamp *result, const RowStamp *a, const RowStamp *b)
{
	StampPair nodes = {0};
	StampPair columns = {0};
	StampNode left;
	StampNode right;
	StampColumn one;
	StampColumn other;

	row_stamp_init(result, a->nnodes + b->nnodes, a->ncolumns + b->ncolumns);
	while (stamp_pair_next_node(&nodes, a, b, &left, &right))
	{
		StampNode *joined = &result->nodes[result->nnodes++];

		joined->node = nodes.order <= 0 ? left.node : right.node;
		joined->context = Max(left.context, right.context);
		joined->live = 0;
		if (left.live > right.context || left.live == right.live)
			joined->live = left.live;
		else if (right.live > left.context)
			joined->live = right.live;
	}
	result->row = write_stamp_later(&a->row, &b->row);
	while (stamp_pair_next_column(&columns, a, b, &one, &other))
	{
		one.write = write_stamp_later(&one.write, &other.write);
		if (row_stamp_lists(result, &one))
			result->columns[result->ncolumns++] = one;
	}
}

/*
 * The order for sorting.  It extends inclusion, since it looks at one place after
 * the other, always in the same order, and what includes more is not less at any
 * of them: first the greatest context, which tells most pairs apart, then all
 * contexts; where these are equal, a dot that is gone says more than a live one.
 */
int
row_stamp_compare(const RowStamp *a, const RowStamp *b)
{
	uint64 greatest_a = row_stamp_greatest(a);
	uint64 greatest_b = row_stamp_greatest(b);
	StampPair nodes = {0};
	StampPair columns = {0};
	StampNode left;
	StampNode right;
	StampColumn one;
	StampColumn other;
	int order = 0;

	if (greatest_a != greatest_b)
		return greatest_a < greatest_b ? -1 : 1;
	while (stamp_pair_next_node(&nodes, a, b, &left, &right))
	{
		if (left.context != right.context)
			return left.context < right.context ? -1 : 1;
		if (order == 0 && left.live != right.live)
		{
			/* 0 becomes the greatest */
			order = left.live - 1 < right.live - 1 ? -1 : 1;
		}
	}
	if (order == 0)
		order = write_stamp_compare(&a->row, &b->row);
	while (order == 0 && stamp_pair_next_column(&columns, a, b, &one, &other))
		order = write_stamp_compare(&one.write, &other.write);
	return order;
}
