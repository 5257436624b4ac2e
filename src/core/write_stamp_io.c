/*
 * write_stamp_io.c
 *		Row stamps as JSON and as binary images.
 *
 * JSON: what was seen of each node, and its live dot; the write of the row, and
 * those of columns that differ from it, null where there was none:
 *
 *		{"context": {"a": 17}, "live": {"a": 17},
 *		 "row": {"at": "2026-12-01T09:00:00.000000000Z/0", "node": "a", "hash": "00000000000000ff"},
 *		 "columns": {"name": {"at": ..., "node": "b"}, "new": null}}
 *
 * A value on its way to another server has "arrives": true as well.  A member that has nothing to say is left out; a hash has 16 hexadecimal digits.
 *
 * Binary, behind the version byte:
 *
 *		int32		number of nodes of which something was seen
 *		for each node:
 *			int32	length of the name, and the name
 *			int64	context
 *			int64	live dot, or 0
 *		WRITE		of the row; of a value on its way, its first byte is 2 more
 *		int32		number of columns listed
 *		for each:
 *			int32	length of the name, and the name
 *			WRITE
 *
 * where a WRITE is
 *
 *		int8		1, or 0: there was none, and nothing follows
 *		int64		nanoseconds
 *		int32		logical counter
 *		int32		length of the node's name, and the name
 *		int64		hash, or 0
 *
 * Nodes and columns are read in any order, since a change of encoding may change
 * it.  What no sender writes is an error: a node of which nothing was seen, a
 * column that says what the row says.
 */
#include "core/compat.h"

#include "core/node_table_io.h"
#include "core/wire.h"
#include "core/write_stamp.h"
#include "core/write_stamp_io.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define ROW_STAMP_HINT \
	"Write it as JSON, such as {\"context\": {\"a\": 17}, \"live\": {\"a\": 17}, " \
	"\"row\": {\"at\": \"2026-12-01T09:00:00.000000000Z/0\", \"node\": \"a\"}}."

#define HASH_DIGITS 16

/* In the first byte of the row's write. */
#define WIRE_ARRIVES 2

/* Bytes that a column takes at least: length, one byte of name, no write. */
#define WIRE_COLUMN_MIN (sizeof(uint32) + 1 + 1)

/* Nodes have a context and a live dot each. */
static const NodeTableFace stamp_nodes_face = NODE_TABLE_FACE("row_stamp", 2, NULL);

/*
 * What every value must keep to
 */

/*
 * Nobody writes what leaves no room for later writes.  But these may have been made
 * at another server, after one that is at the limit.
 */
static inline uint64
stamp_limit(uint8 marks)
{
	return marks & STAMP_ARRIVES ? PG_INT64_MAX - 1 : STAMP_MAX;
}

static bool
stamp_add_node(RowStamp *stamp, NodeName node, uint64 context, uint64 live,
			   const InputSource *source)
{
	StampNode *added = &stamp->nodes[stamp->nnodes++];

	added->node = node;
	added->context = context;
	added->live = live;
	if (context > stamp_limit(stamp->marks))
		return input_out_of_range(source, "The context of %s is greater than " UINT64_FORMAT ".",
								  json_tree_quote(node.name, (int) node.length),
								  stamp_limit(stamp->marks));
	if (live > context)
		return input_malformed(source, "The live dot of %s is greater than its context.",
							   json_tree_quote(node.name, (int) node.length));
	return true;
}

static bool
stamp_check_write(const WriteStamp *write, uint8 marks, const InputSource *source)
{
	if (!node_name_check(source, write->node.name, write->node.length))
		return false;
	if (write->at.nanoseconds < 0 || (uint64) write->at.nanoseconds > stamp_limit(marks))
		return input_out_of_range(source,
								  "The time of a write is before 1970 or after " UINT64_FORMAT
								  " nanoseconds of it.",
								  stamp_limit(marks));
	return true;
}

static bool
stamp_check_column(const StampColumn *column, const InputSource *source)
{
	if (column->length == 0)
		return input_malformed(source, "A column's name is empty.");
	if (column->length > STAMP_COLUMN_MAX)
		return input_malformed(source, "Column name \"%.*s...\" has %u bytes, more than %d.",
							   pg_mbcliplen(column->name, (int) column->length, 32), column->name,
							   column->length, STAMP_COLUMN_MAX);
	return true;
}

static int
stamp_column_sort(const void *a, const void *b)
{
	CHECK_FOR_INTERRUPTS();
	return stamp_column_order(a, b);
}

/* NULL after a soft error. */
static struct varlena *
stamp_build(RowStamp *stamp, const InputSource *source)
{
	if (stamp->ncolumns > 1)
		qsort(stamp->columns, stamp->ncolumns, sizeof(StampColumn), stamp_column_sort);
	for (uint32 i = 1; i < stamp->ncolumns; i++)
	{
		const StampColumn *column = &stamp->columns[i];

		if (stamp_column_order(column - 1, column) != 0)
			continue;
		input_malformed(source, "Column %s occurs more than once.",
						json_tree_quote(column->name, (int) column->length));
		return NULL;
	}
	return row_stamp_close(stamp);
}

/*
 * JSON
 */

static bool
read_hash(const JsonTree *json, const InputSource *source, uint64 *hash)
{
	*hash = 0;
	if (json == NULL)
		return true;
	if (json->kind != JSON_TREE_STRING || strlen(json->text) != HASH_DIGITS ||
		strspn(json->text, "0123456789abcdef") != HASH_DIGITS)
		return input_malformed(source, "\"hash\" is not a string of %d hexadecimal digits.",
							   HASH_DIGITS);
	for (const char *digit = json->text; *digit; digit++)
		*hash = *hash << 4 | (uint64) (*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
	if (*hash == 0)
		return input_malformed(source, "\"hash\" is 0: leave it out where there is none.");
	return true;
}

static bool
read_write(const JsonTree *json, const InputSource *source, uint8 marks, WriteStamp *write)
{
	static const char *const members[3] = {"at", "node", "hash"};
	const JsonTree *found[3];

	memset(write, 0, sizeof(*write));
	if (!json_tree_members(json, source, "The write", members, 3, found))
		return false;
	for (int which = 0; which < 2; which++)
	{
		if (found[which] == NULL)
			return input_malformed(source, "The write has no \"%s\".", members[which]);
		if (found[which]->kind != JSON_TREE_STRING)
			return input_malformed(source, "\"%s\" is %s, not a string.", members[which],
								   json_tree_kind_name(found[which]->kind));
	}
	write->node.name = found[1]->text;
	write->node.length = strlen(write->node.name);
	return hybrid_time_read(found[0]->text, source, &write->at) &&
		read_hash(found[2], source, &write->hash) && stamp_check_write(write, marks, source);
}

/* A member that counts for each node; none counts nothing. */
static bool
read_counters(const JsonTree *json, const char *member, const InputSource *whole, NodeTable *table)
{
	InputSource part = *whole;
	NodeEntries nobody;
	struct varlena *counters;

	part.key = member;
	node_entries_init(&nobody, 0);
	counters = json ? node_table_from_json(json, 1, &part) : node_table_write(&nobody, 1, 0);
	if (counters)
		node_table_open(table, counters, 1);
	return counters != NULL;
}

static bool
read_nodes(RowStamp *stamp, const NodeTable *context, const NodeTable *live,
		   const InputSource *source)
{
	NodePairs pairs;

	for (node_pairs_open(&pairs, context, live); node_pairs_next(&pairs);)
	{
		NodeName node = {pairs.name, pairs.length};

		CHECK_FOR_INTERRUPTS();
		if (!stamp_add_node(stamp, node, node_pair_counter(context, pairs.in_a, 0),
							node_pair_counter(live, pairs.in_b, 0), source))
			return false;
	}
	return true;
}

static bool
read_column(const JsonTree *json, const InputSource *whole, RowStamp *stamp)
{
	StampColumn *column = &stamp->columns[stamp->ncolumns++];
	InputSource part = *whole;

	memset(column, 0, sizeof(*column));
	column->name = json->name;
	column->length = (uint32) strlen(json->name);
	if (!stamp_check_column(column, whole))
		return false;
	part.key = json->name;
	return json->kind == JSON_TREE_NULL || read_write(json, &part, stamp->marks, &column->write);
}

static struct varlena *
row_stamp_read(const JsonFace *face, const JsonTree *json, const InputSource *source)
{
	static const char *const members[5] = {"context", "live", "row", "columns", "arrives"};
	const JsonTree *found[5];
	InputSource row = *source;
	NodeTable context;
	NodeTable live;
	RowStamp stamp;

	row.key = "row";
	if (!json_tree_members(json, source, "The value", members, 5, found) ||
		!read_counters(found[0], members[0], source, &context) ||
		!read_counters(found[1], members[1], source, &live))
		return NULL;
	if (found[3] && found[3]->kind != JSON_TREE_OBJECT)
	{
		input_malformed(source, "\"columns\" is %s, not an object.",
						json_tree_kind_name(found[3]->kind));
		return NULL;
	}
	if (found[4] && (found[4]->kind != JSON_TREE_BOOLEAN || strcmp(found[4]->text, "true") != 0))
	{
		input_malformed(source, "\"arrives\" is not true.");
		return NULL;
	}
	row_stamp_init(&stamp, context.nnodes + live.nnodes,
				   found[3] ? (uint32) found[3]->nchildren : 0);
	stamp.marks = found[4] ? STAMP_ARRIVES : 0;
	if (!read_nodes(&stamp, &context, &live, source) ||
		(found[2] && !read_write(found[2], &row, stamp.marks, &stamp.row)))
		return NULL;
	for (int i = 0; found[3] && i < found[3]->nchildren; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!read_column(found[3]->children[i], source, &stamp))
			return NULL;
	}
	return stamp_build(&stamp, source);
}

static void
write_write(StringInfo buf, const WriteStamp *write)
{
	char at[HYBRID_TIME_TEXT_SIZE];

	if (write->node.length == 0)
	{
		appendStringInfoString(buf, "null");
		return;
	}
	hybrid_time_write(write->at, at);
	appendStringInfo(buf, "{\"at\": \"%s\", \"node\": ", at);
	json_tree_append_string(buf, write->node.name, (int) write->node.length);
	if (write->hash != 0)
		appendStringInfo(buf, ", \"hash\": \"%08x%08x\"", (uint32) (write->hash >> 32),
						 (uint32) write->hash);
	appendStringInfoChar(buf, '}');
}

/* A member of the whole, or of a member. */
static void
write_name(StringInfo buf, int start, const char *name, Size length)
{
	if (buf->len > start)
		appendStringInfoString(buf, ", ");
	json_tree_append_string(buf, name, (int) length);
	appendStringInfoString(buf, ": ");
}

static void
write_counters(StringInfo buf, int start, const RowStamp *stamp, bool live)
{
	const char *member = live ? "live" : "context";
	bool any = false;

	for (uint32 i = 0; i < stamp->nnodes; i++)
	{
		const StampNode *node = &stamp->nodes[i];
		uint64 counter = live ? node->live : node->context;

		CHECK_FOR_INTERRUPTS();
		if (counter == 0)
			continue;
		if (!any)
		{
			write_name(buf, start, member, strlen(member));
			appendStringInfoChar(buf, '{');
		}
		else
			appendStringInfoString(buf, ", ");
		any = true;
		json_tree_append_string(buf, node->node.name, (int) node->node.length);
		appendStringInfo(buf, ": " UINT64_FORMAT, counter);
	}
	if (any)
		appendStringInfoChar(buf, '}');
}

static void
row_stamp_text(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	RowStamp stamp;
	int start;

	row_stamp_open(&stamp, value);
	appendStringInfoChar(buf, '{');
	start = buf->len;
	write_counters(buf, start, &stamp, false);
	write_counters(buf, start, &stamp, true);
	if (stamp.row.node.length > 0)
	{
		write_name(buf, start, "row", strlen("row"));
		write_write(buf, &stamp.row);
	}
	if (stamp.ncolumns > 0)
	{
		write_name(buf, start, "columns", strlen("columns"));
		appendStringInfoChar(buf, '{');
		start = buf->len;
		for (uint32 i = 0; i < stamp.ncolumns; i++)
		{
			CHECK_FOR_INTERRUPTS();
			write_name(buf, start, stamp.columns[i].name, stamp.columns[i].length);
			write_write(buf, &stamp.columns[i].write);
		}
		appendStringInfoChar(buf, '}');
	}
	if (stamp.marks & STAMP_ARRIVES)
		appendStringInfo(buf, "%s\"arrives\": true", buf->data[buf->len - 1] == '{' ? "" : ", ");
	appendStringInfoChar(buf, '}');
}

/*
 * Binary
 */

static void
receive_write(StringInfo msg, const InputSource *source, WriteStamp *write, bool is_row,
			  uint8 *marks)
{
	uint8 mark = wire_get_byte(msg, source, "the mark of a write");
	int length;

	memset(write, 0, sizeof(*write));
	if (is_row && (mark & WIRE_ARRIVES))
	{
		*marks = STAMP_ARRIVES;
		mark -= WIRE_ARRIVES;
	}
	if (mark > 1)
		input_malformed(source, "The mark of a write is %d.", mark);
	if (mark == 0)
		return;
	write->at.nanoseconds = (int64) wire_get_uint64(msg, source, "the nanoseconds");
	write->at.logical = wire_get_uint32(msg, source, "the logical counter");
	write->node.name = wire_get_string(msg, source, "a node name", &length);
	write->node.length = length;
	write->hash = wire_get_uint64(msg, source, "a hash");
	stamp_check_write(write, *marks, source);
}

static struct varlena *
row_stamp_receive(const JsonFace *face, StringInfo msg, int version, const InputSource *source)
{
	NodeTable nodes;
	RowStamp stamp;
	NodeCursor cursor;
	WriteStamp row;
	uint8 marks = 0;
	uint32 count;

	node_table_open(&nodes, node_table_face_receive(&stamp_nodes_face.base, msg, version, source),
					2);
	receive_write(msg, source, &row, true, &marks);
	count = wire_get_count(msg, source, "the number of columns", WIRE_COLUMN_MIN);
	row_stamp_init(&stamp, nodes.nnodes, count);
	stamp.row = row;
	stamp.marks = marks;
	for (node_cursor_open(&cursor, &nodes); !node_cursor_done(&cursor); node_cursor_next(&cursor))
	{
		NodeName node = {cursor.name, node_cursor_length(&cursor)};

		stamp_add_node(&stamp, node,
					   node_table_counter(&nodes, node_table_slot(&nodes, cursor.index, 0)),
					   node_table_counter(&nodes, node_table_slot(&nodes, cursor.index, 1)),
					   source);
	}
	for (uint32 i = 0; i < count; i++)
	{
		StampColumn *column = &stamp.columns[stamp.ncolumns++];
		int length;

		CHECK_FOR_INTERRUPTS();
		column->name = wire_get_string(msg, source, "a column name", &length);
		column->length = (uint32) length;
		stamp_check_column(column, source);
		receive_write(msg, source, &column->write, false, &marks);
		if (!row_stamp_lists(&stamp, column))
			input_malformed(source, "Column %s says what the row says.",
							json_tree_quote(column->name, length));
	}
	return stamp_build(&stamp, source);
}

static void
send_write(StringInfo buf, const WriteStamp *write, uint8 marks)
{
	pq_sendbyte(buf, (write->node.length > 0) + (marks & STAMP_ARRIVES ? WIRE_ARRIVES : 0));
	if (write->node.length == 0)
		return;
	pq_sendint64(buf, write->at.nanoseconds);
	pq_sendint32(buf, write->at.logical);
	wire_put_string(buf, write->node.name, (int) write->node.length);
	pq_sendint64(buf, write->hash);
}

static void
row_stamp_image(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	RowStamp stamp;
	uint32 seen = 0;

	row_stamp_open(&stamp, value);
	for (uint32 i = 0; i < stamp.nnodes; i++)
		seen += stamp.nodes[i].context > 0;
	pq_sendint32(buf, seen);
	for (uint32 i = 0; i < stamp.nnodes; i++)
	{
		const StampNode *node = &stamp.nodes[i];

		CHECK_FOR_INTERRUPTS();
		if (node->context == 0)
			continue;
		wire_put_string(buf, node->node.name, (int) node->node.length);
		pq_sendint64(buf, node->context);
		pq_sendint64(buf, node->live);
	}
	send_write(buf, &stamp.row, stamp.marks);
	pq_sendint32(buf, stamp.ncolumns);
	for (uint32 i = 0; i < stamp.ncolumns; i++)
	{
		CHECK_FOR_INTERRUPTS();
		wire_put_string(buf, stamp.columns[i].name, (int) stamp.columns[i].length);
		send_write(buf, &stamp.columns[i].write, 0);
	}
}

/* For statements. */
char *
row_stamp_to_text(const struct varlena *value)
{
	StringInfoData text;

	initStringInfo(&text);
	row_stamp_text(&row_stamp_face, &text, value);
	return text.data;
}

const JsonFace row_stamp_face = {
	.type_name = "row_stamp",
	.hint = ROW_STAMP_HINT,
	.wire_version = 1,
	.read = row_stamp_read,
	.write = row_stamp_text,
	.receive = row_stamp_receive,
	.send = row_stamp_image,
};
