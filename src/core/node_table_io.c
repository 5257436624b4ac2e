/*
 * node_table_io.c
 *		Node tables as JSON and as binary images.
 *
 * JSON: one object, node to counter, nodes in order: {"a": 1, "b": 2}; with
 * two counters per node, node to array: {"a": [5, 2]}.  Read in any order;
 * nodes that count nothing are dropped.
 *
 * Binary, part of an image that starts with a version byte:
 *
 *		int32		number of nodes
 *		for each node:
 *			int32	length of the name in bytes
 *			bytes	the name, in the client's encoding
 *			int64	counter, once or twice
 *
 * Read in any order, since a change of encoding may change it; a node that
 * counts nothing is an error there, for no sender writes one.
 */
#include "core/compat.h"

#include "core/node_table_io.h"
#include "core/wire.h"
#include "miscadmin.h"

/* Bytes that a node takes at least: length, one byte of name, counters. */
#define WIRE_NODE_MIN(arity) (sizeof(uint32) + 1 + (arity) * sizeof(uint64))

static bool
read_json_counter(const JsonTree *json, const char *node, const InputSource *source,
				  uint64 *counter)
{
	InputFault fault;

	if (json->kind != JSON_TREE_NUMBER)
		return input_malformed(source, "The counter of %s is %s, not a number.",
							   json_tree_quote(node, (int) strlen(node)),
							   json_tree_kind_name(json->kind));
	fault = input_counter(json->text, counter);
	if (fault == INPUT_FINE)
		return true;
	return input_counter_fault(source, fault,
							   psprintf("The counter of %s",
										json_tree_quote(node, (int) strlen(node))),
							   json->text);
}

/* NULL after a soft error. */
struct varlena *
node_table_from_json(const JsonTree *json, uint8 arity, const InputSource *source)
{
	NodeEntries entries;

	if (json->kind != JSON_TREE_OBJECT)
	{
		input_malformed(source, "The value is %s, not an object.", json_tree_kind_name(json->kind));
		return NULL;
	}
	node_entries_init(&entries, json->nchildren);
	for (int i = 0; i < json->nchildren; i++)
	{
		const JsonTree *child = json->children[i];
		Size length = strlen(child->name);
		NodeEntry *entry;

		if (!node_name_check(source, child->name, length))
			return NULL;
		entry = node_entries_add(&entries, child->name, length);
		if (arity == 1)
		{
			if (!read_json_counter(child, child->name, source, &entry->counters[0]))
				return NULL;
		}
		else
		{
			if (child->kind != JSON_TREE_ARRAY || child->nchildren != arity)
			{
				input_malformed(source, "The entry of %s is not an array of %d counters.",
								json_tree_quote(child->name, (int) length), arity);
				return NULL;
			}
			for (int which = 0; which < arity; which++)
			{
				if (!read_json_counter(child->children[which], child->name, source,
									   &entry->counters[which]))
					return NULL;
			}
		}
	}
	return node_table_build(&entries, arity, source);
}

void
node_table_to_json(StringInfo buf, const NodeTable *table)
{
	NodeCursor cursor;

	appendStringInfoChar(buf, '{');
	for (node_cursor_open(&cursor, table); !node_cursor_done(&cursor); node_cursor_next(&cursor))
	{
		CHECK_FOR_INTERRUPTS();
		if (cursor.index > 0)
			appendStringInfoString(buf, ", ");
		json_tree_append_string(buf, cursor.name, (int) node_cursor_length(&cursor));
		appendStringInfoString(buf, table->arity == 1 ? ": " : ": [");
		for (int which = 0; which < table->arity; which++)
			appendStringInfo(buf, which == 0 ? UINT64_FORMAT : ", " UINT64_FORMAT,
							 node_table_counter(table,
												node_table_slot(table, cursor.index, which)));
		if (table->arity > 1)
			appendStringInfoChar(buf, ']');
	}
	appendStringInfoChar(buf, '}');
}

static inline uint8
face_arity(const JsonFace *face)
{
	return ((const NodeTableFace *) face)->arity;
}

struct varlena *
node_table_face_read(const JsonFace *face, const JsonTree *json, const InputSource *source)
{
	return node_table_from_json(json, face_arity(face), source);
}

void
node_table_face_write(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	NodeTable table;

	node_table_open(&table, value, face_arity(face));
	node_table_to_json(buf, &table);
}

struct varlena *
node_table_face_receive(const JsonFace *face, StringInfo msg, int version,
						const InputSource *source)
{
	uint8 arity = face_arity(face);
	uint32 count = wire_get_count(msg, source, "the number of nodes", WIRE_NODE_MIN(arity));
	NodeEntries entries;

	node_entries_init(&entries, count);
	for (uint32 i = 0; i < count; i++)
	{
		int length;
		char *name = wire_get_string(msg, source, "a node name", &length);
		NodeEntry *entry;
		uint64 any = 0;

		node_name_check(source, name, length);
		entry = node_entries_add(&entries, name, length);
		for (int which = 0; which < arity; which++)
		{
			uint64 counter = wire_get_uint64(msg, source, "a counter");

			if (counter > PG_INT64_MAX)
				input_out_of_range(source, "The counter of %s is greater than " INT64_FORMAT ".",
								   json_tree_quote(name, length), PG_INT64_MAX);
			entry->counters[which] = counter;
			any |= counter;
		}
		if (any == 0)
			input_malformed(source, "Node %s counts nothing.", json_tree_quote(name, length));
	}
	return node_table_build(&entries, arity, source);
}

void
node_table_face_send(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	NodeTable table;
	NodeCursor cursor;

	node_table_open(&table, value, face_arity(face));
	pq_sendint32(buf, table.nnodes);
	for (node_cursor_open(&cursor, &table); !node_cursor_done(&cursor); node_cursor_next(&cursor))
	{
		CHECK_FOR_INTERRUPTS();
		wire_put_string(buf, cursor.name, (int) node_cursor_length(&cursor));
		for (int which = 0; which < table.arity; which++)
			pq_sendint64(buf,
						 node_table_counter(&table, node_table_slot(&table, cursor.index, which)));
	}
}
