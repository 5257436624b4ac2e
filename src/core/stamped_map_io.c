/*
 * stamped_map_io.c
 *		Stamped maps as JSON and as binary images.
 *
 * JSON: a write is {"value": "x", "at": "2026-11-22T13:00:00.000000000Z/0",
 * "node": "a"}, or with "value": null a removal.  A register is one write, or
 * {} if it was never written; a map is an object of writes, {"key": WRITE}.
 *
 * Binary, behind the version byte:
 *
 *		int32		number of writes; of a register at most 1
 *		for each write, sorted by key:
 *			int32	length of the key, and the key (of a map)
 *			int64	nanoseconds
 *			int32	logical counter
 *			int32	length of the node's name, and the name
 *			int8	1: the key was removed; 0: what follows is its value
 *			int32	length of the value, and the value
 */
#include "core/compat.h"

#include "core/stamped_map.h"
#include "core/stamped_map_io.h"
#include "core/wire.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"

static inline bool
face_keyed(const JsonFace *face)
{
	return ((const StampedMapFace *) face)->keyed;
}

/* A write as the subject of a sentence. */
static const char *
write_subject(bool keyed, const Entry *entry)
{
	if (!keyed)
		return "The value";
	return psprintf("Key %s", json_tree_quote(entry->key, (int) entry->key_length));
}

static bool
read_write(const JsonTree *json, bool keyed, EntryCollection *writes, const InputSource *source)
{
	static const char *const members[3] = {"value", "at", "node"};
	Entry entry = {.key = keyed ? json->name : "", .value = ""};
	NodeName node;
	InputSource part = *source;
	const JsonTree *found[3];
	HybridTime at;

	entry.key_length = (uint32) strlen(entry.key);
	part.key = keyed ? json->name : NULL;
	source = &part;
	if (!json_tree_members(json, source, "The write", members, 3, found))
		return false;
	for (int which = 0; which < 3; which++)
	{
		if (found[which] == NULL)
			return input_malformed(source, "The write has no \"%s\".", members[which]);
		if (found[which]->kind == JSON_TREE_STRING ||
			(which == 0 && keyed && found[which]->kind == JSON_TREE_NULL))
			continue;
		return input_malformed(source, "\"%s\" is %s, not a string%s.", members[which],
							   json_tree_kind_name(found[which]->kind),
							   which == 0 && keyed ? " or null" : "");
	}
	entry.removed = found[0]->kind == JSON_TREE_NULL;
	if (!entry.removed)
	{
		entry.value = found[0]->text;
		entry.value_length = (uint32) strlen(entry.value);
	}
	node.name = found[2]->text;
	node.length = strlen(node.name);
	if (!hybrid_time_read(found[1]->text, source, &at) ||
		!node_name_check(source, node.name, node.length))
		return false;
	stamped_entry_set_time(&entry, at);
	entry_collection_add(writes, entry, node);
	return true;
}

struct varlena *
stamped_map_face_read(const JsonFace *face, const JsonTree *json, const InputSource *source)
{
	EntryCollection writes;

	entry_collection_init(&writes, 0);
	if (json->kind != JSON_TREE_OBJECT)
	{
		input_malformed(source, "The value is %s, not an object.", json_tree_kind_name(json->kind));
		return NULL;
	}
	if (!face_keyed(face))
	{
		if (json->nchildren > 0 && !read_write(json, false, &writes, source))
			return NULL;
	}
	else
	{
		if (!json_tree_check_unique(json, source, "Key"))
			return NULL;
		for (int i = 0; i < json->nchildren; i++)
		{
			if (!read_write(json->children[i], true, &writes, source))
				return NULL;
		}
	}
	return entry_collection_build(&writes, &stamped_map_rule);
}

void
stamped_map_face_write(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	bool keyed = face_keyed(face);
	EntryTable table;
	EntryCursor cursor;
	NodeEntries nodes;
	char at[HYBRID_TIME_TEXT_SIZE];

	entry_table_open(&table, value);
	node_entries_init(&nodes, table.nodes.nnodes);
	node_entries_copy(&nodes, &table.nodes);
	if (keyed || table.nentries == 0)
		appendStringInfoChar(buf, '{');
	for (entry_cursor_open(&cursor, &table); entry_cursor_next(&cursor);)
	{
		const Entry *entry = &cursor.entry;
		const NodeEntry *node = &nodes.items[entry->node];

		CHECK_FOR_INTERRUPTS();
		if (keyed)
		{
			appendStringInfoString(buf, cursor.index > 1 ? ", " : "");
			json_tree_append_string(buf, entry->key, (int) entry->key_length);
			appendStringInfoString(buf, ": ");
		}
		appendStringInfoString(buf, "{\"value\": ");
		if (entry->removed)
			appendStringInfoString(buf, "null");
		else
			json_tree_append_string(buf, entry->value, (int) entry->value_length);
		hybrid_time_write(stamped_entry_time(entry), at);
		appendStringInfo(buf, ", \"at\": \"%s\", \"node\": ", at);
		json_tree_append_string(buf, node->name, (int) node->length);
		appendStringInfoChar(buf, '}');
	}
	if (keyed || table.nentries == 0)
		appendStringInfoChar(buf, '}');
}

struct varlena *
stamped_map_face_receive(const JsonFace *face, StringInfo msg, int version,
						 const InputSource *source)
{
	bool keyed = face_keyed(face);
	EntryCollection writes;
	Entry before = {0};
	uint32 count = wire_get_count(msg, source, "the number of writes",
								  sizeof(uint32) * (3 + keyed) + sizeof(uint64) + 2);

	if (!keyed && count > 1)
		input_malformed(source, "A register has %u writes, more than 1.", count);
	entry_collection_init(&writes, count);
	for (uint32 i = 0; i < count; i++)
	{
		Entry entry = {.key = ""};
		HybridTime at;
		NodeName node;
		int length;
		int removed;

		if (keyed)
		{
			entry.key = wire_get_string(msg, source, "a key", &length);
			entry.key_length = (uint32) length;
		}
		at.nanoseconds = (int64) wire_get_uint64(msg, source, "the nanoseconds");
		at.logical = wire_get_uint32(msg, source, "the logical counter");
		node.name = wire_get_string(msg, source, "a node name", &length);
		node.length = length;
		node_name_check(source, node.name, node.length);
		removed = wire_get_byte(msg, source, "the mark of a removal");
		entry.value = wire_get_string(msg, source, "a value", &length);
		entry.value_length = (uint32) length;
		if (removed > keyed)
			input_malformed(source, "The mark of a removal is %d.", removed);
		if (removed && length > 0)
			input_malformed(source, "%s is removed and has a value.", write_subject(keyed, &entry));
		if (i > 0 && entry_compare_keys(&before, &entry) >= 0)
			input_unordered(source, write_subject(keyed, &entry));
		entry.removed = removed != 0;
		stamped_entry_set_time(&entry, at);
		entry_collection_add(&writes, entry, node);
		before = entry;
	}
	return entry_collection_build(&writes, &stamped_map_rule);
}

void
stamped_map_face_send(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	EntryTable table;
	EntryCursor cursor;
	NodeEntries nodes;

	entry_table_open(&table, value);
	node_entries_init(&nodes, table.nodes.nnodes);
	node_entries_copy(&nodes, &table.nodes);
	pq_sendint32(buf, table.nentries);
	for (entry_cursor_open(&cursor, &table); entry_cursor_next(&cursor);)
	{
		const Entry *entry = &cursor.entry;
		HybridTime at = stamped_entry_time(entry);

		CHECK_FOR_INTERRUPTS();
		if (face_keyed(face))
			wire_put_string(buf, entry->key, (int) entry->key_length);
		pq_sendint64(buf, at.nanoseconds);
		pq_sendint32(buf, at.logical);
		wire_put_string(buf, nodes.items[entry->node].name, (int) nodes.items[entry->node].length);
		pq_sendbyte(buf, entry->removed);
		wire_put_string(buf, entry->value, (int) entry->value_length);
	}
}

/*
 * A member of a document as the value of a write: a string as it is, null as
 * the removal of the key, anything else in its JSON form.
 */
static void
document_value(const JsonbValue *member, Entry *entry)
{
	switch (member->type)
	{
		case jbvNull:
			entry->removed = true;
			return;
		case jbvString:
			entry->value = member->val.string.val;
			entry->value_length = (uint32) member->val.string.len;
			return;
		case jbvNumeric:
			entry->value = DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(member->val.numeric)));
			break;
		case jbvBool:
			entry->value = member->val.boolean ? "true" : "false";
			break;
		default:
			entry->value = JsonbToCString(NULL, member->val.binary.data, member->val.binary.len);
	}
	entry->value_length = (uint32) strlen(entry->value);
}

/* The members of a JSON object as writes of one time and node. */
struct varlena *
stamped_map_from_document(Jsonb *document, HybridTime at, NodeName node, const InputSource *source)
{
	JsonbIterator *members = JsonbIteratorInit(&document->root);
	JsonbValue item;
	EntryCollection writes;

	if (JsonbIteratorNext(&members, &item, true) != WJB_BEGIN_OBJECT)
		input_malformed(source, "The document is not a JSON object.");
	entry_collection_init(&writes, 0);
	while (JsonbIteratorNext(&members, &item, true) == WJB_KEY)
	{
		Entry entry = {.key = item.val.string.val,
					   .key_length = (uint32) item.val.string.len,
					   .value = ""};

		JsonbIteratorNext(&members, &item, true);
		document_value(&item, &entry);
		stamped_entry_set_time(&entry, at);
		entry_collection_add(&writes, entry, node);
	}
	return entry_collection_build(&writes, &stamped_map_rule);
}
