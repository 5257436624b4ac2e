/*
 * dot_store_io.c
 *		Dot stores as JSON and as binary images.
 *
 * JSON: one object of the entries, the context and, where there are dots
 * beyond the context's prefixes, the cloud:
 *
 *		{"elements": ENTRIES, "context": {"a": 1}, "cloud": [["c", 7, 9]]}
 *
 * A group of entries is an array of dots, ["a", 1], or where entries have
 * values of objects, {"value": "x", "dot": ["a", 1]}.  Without keys ENTRIES is
 * one group, with keys an object of groups.  What is empty may be left out in
 * input; output leaves out only an empty cloud, and writes {} for the empty
 * store.  Read in any order; ranges of the cloud may overlap, since what they
 * mean is the set of their dots.
 *
 * Binary, behind the version byte:
 *
 *		int32		number of nodes
 *		for each node, sorted by name:
 *			int32	length of the name, and the name in the client's encoding
 *			int64	prefix: the node's dots 1 to this are known
 *			int32	number of further ranges, and for each, sorted:
 *				int64 first, int64 last
 *		int32		number of entries
 *		for each entry, sorted by key, then by node and counter:
 *			int32	length of the key, and the key (where entries have keys)
 *			int32	node, by its number above, from 0
 *			int64	counter
 *			int32	length of the value, and the value (where entries have values)
 *
 * Nothing may come in another order: it would not be what a sender of this
 * encoding sent.  (A database whose encoding sorts otherwise does send another
 * order; between such databases values go as text.)
 */
#include "core/compat.h"

#include "core/dot_store.h"
#include "core/dot_store_io.h"
#include "core/node_table_io.h"
#include "core/wire.h"
#include "miscadmin.h"
#include "utils/memutils.h"

static inline const DotStoreFace *
store_face(const JsonFace *face)
{
	return (const DotStoreFace *) face;
}

static const char *
quote_dot(const NodeEntry *node, uint64 counter)
{
	return psprintf("[%s, " UINT64_FORMAT "]", json_tree_quote(node->name, (int) node->length),
					counter);
}

/* An entry as the subject of a sentence. */
static const char *
entry_subject(const DotStoreFace *face, const Entry *entry)
{
	if (!face->keyed)
		return face->noun;
	return psprintf("%s %s", face->noun, json_tree_quote(entry->key, (int) entry->key_length));
}

static int
compare_dots(const void *x, const void *y)
{
	const Entry *a = *(const Entry *const *) x;
	const Entry *b = *(const Entry *const *) y;

	CHECK_FOR_INTERRUPTS();
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return (a->time > b->time) - (a->time < b->time);
}

/*
 * Every entry's dot is in the context, and no two entries have one dot.  The
 * ranges are sorted.
 */
static bool
check_dots(const DotStoreFace *face, const EntryDraft *draft, const InputSource *source)
{
	uint32 count = draft->nentries;
	const Entry **sorted;
	uint32 range = 0;

	sorted = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(*sorted) * ((Size) count + 1));
	for (uint32 i = 0; i < count; i++)
		sorted[i] = &draft->entries[i];
	qsort(sorted, count, sizeof(*sorted), compare_dots);
	for (uint32 i = 0; i < count; i++)
	{
		const Entry *entry = sorted[i];
		const NodeEntry *node = &draft->nodes.items[entry->node];

		if (i > 0 && compare_dots(&sorted[i - 1], &sorted[i]) == 0)
			return input_malformed(source, "The dot %s occurs more than once.",
								   quote_dot(node, entry->time));
		while (
			range < draft->nranges &&
			(draft->ranges[range].node < entry->node ||
			 (draft->ranges[range].node == entry->node && draft->ranges[range].last < entry->time)))
			range++;
		if (range == draft->nranges || draft->ranges[range].node != entry->node ||
			draft->ranges[range].first > entry->time)
			return input_malformed(source, "%s has the dot %s, which is not in the context.",
								   entry_subject(face, entry), quote_dot(node, entry->time));
	}
	pfree(sorted);
	return true;
}

/*
 * JSON
 */

/* The counter of a dot or range. */
static bool
read_counter(const JsonTree *json, const char *subject, const InputSource *source, uint64 *counter)
{
	InputFault fault;

	if (json->kind != JSON_TREE_NUMBER)
		return input_malformed(source, "%s is %s, not a number.", subject,
							   json_tree_kind_name(json->kind));
	fault = input_counter(json->text, counter);
	if (fault != INPUT_FINE)
		return input_counter_fault(source, fault, subject, json->text);
	if (*counter == 0)
		return input_malformed(source, "%s is 0; dots count from 1.", subject);
	return true;
}

/*
 * An array of a node and counters, ["c", 7, 9].
 */
static bool
read_dots(const JsonTree *json, const char *what, int counters, const InputSource *source,
		  const char **node, uint64 *counter)
{
	if (json->kind != JSON_TREE_ARRAY || json->nchildren != 1 + counters ||
		json->children[0]->kind != JSON_TREE_STRING)
		return input_malformed(source, "%s is not an array of a node and %s.", what,
							   counters == 1 ? "its counter" : "its first and last counter");
	*node = json->children[0]->text;
	if (!node_name_check(source, *node, strlen(*node)))
		return false;
	for (int i = 0; i < counters; i++)
	{
		if (!read_counter(json->children[1 + i], "The counter of a dot", source, &counter[i]))
			return false;
	}
	return true;
}

static bool
read_entry(const DotStoreFace *face, const JsonTree *json, const char *key, EntryDraft *draft,
		   const InputSource *source)
{
	static const char *const names[2] = {"value", "dot"};
	Entry entry = {.key = key, .key_length = (uint32) strlen(key), .value = ""};
	const char *node;
	const JsonTree *dot = json;

	if (face->valued)
	{
		const JsonTree *members[2];

		if (!json_tree_members(json, source, "An entry", names, 2, members))
			return false;
		if (members[0] == NULL || members[0]->kind != JSON_TREE_STRING)
			return input_malformed(source, "%s has no string \"value\".",
								   entry_subject(face, &entry));
		if (members[1] == NULL)
			return input_malformed(source, "%s has no \"dot\".", entry_subject(face, &entry));
		entry.value = members[0]->text;
		entry.value_length = (uint32) strlen(entry.value);
		dot = members[1];
	}
	if (!read_dots(dot, "A dot", 1, source, &node, &entry.time))
		return false;
	if (!node_entries_find(&draft->nodes, node, strlen(node), &entry.node))
		return input_malformed(source, "%s has a dot of node %s, which is not in the context.",
							   entry_subject(face, &entry),
							   json_tree_quote(node, (int) strlen(node)));
	*entry_draft_add(draft) = entry;
	return true;
}

/* The entries of one key, or all of a type without keys. */
static bool
read_group(const DotStoreFace *face, const JsonTree *json, const char *key, EntryDraft *draft,
		   const InputSource *source)
{
	Entry entry = {.key = key, .key_length = (uint32) strlen(key)};

	if (json->kind != JSON_TREE_ARRAY)
		return input_malformed(source, "%s is %s, not an array.",
							   face->keyed ? entry_subject(face, &entry)
										   : psprintf("\"%s\"", face->member),
							   json_tree_kind_name(json->kind));
	if (face->keyed && json->nchildren == 0)
		return input_malformed(source, "%s has no dot.", entry_subject(face, &entry));
	for (int i = 0; i < json->nchildren; i++)
	{
		if (!read_entry(face, json->children[i], key, draft, source))
			return false;
	}
	return true;
}

static bool
read_entries(const DotStoreFace *face, const JsonTree *json, EntryDraft *draft,
			 const InputSource *source)
{
	if (!face->keyed)
		return read_group(face, json, "", draft, source);
	if (json->kind != JSON_TREE_OBJECT)
		return input_malformed(source, "\"%s\" is %s, not an object.", face->member,
							   json_tree_kind_name(json->kind));
	if (!json_tree_check_unique(json, source, face->noun))
		return false;
	for (int i = 0; i < json->nchildren; i++)
	{
		if (!read_group(face, json->children[i], json->children[i]->name, draft, source))
			return false;
	}
	return true;
}

/* Context and cloud, as the draft's nodes and ranges. */
static bool
read_context(const JsonTree *context, const JsonTree *cloud, EntryDraft *draft,
			 const InputSource *source)
{
	NodeTable prefixes = {0};
	uint32 node = 0;

	if (context && context->kind != JSON_TREE_OBJECT)
		return input_malformed(source, "\"context\" is %s, not an object.",
							   json_tree_kind_name(context->kind));
	if (context)
	{
		struct varlena *flat = node_table_from_json(context, 1, source);

		if (flat == NULL)
			return false;
		node_table_open(&prefixes, flat, 1);
		node_entries_copy(&draft->nodes, &prefixes);
	}
	if (cloud && cloud->kind != JSON_TREE_ARRAY)
		return input_malformed(source, "\"cloud\" is %s, not an array.",
							   json_tree_kind_name(cloud->kind));
	for (int i = 0; cloud && i < cloud->nchildren; i++)
	{
		const char *name;
		uint64 ends[2];

		if (!read_dots(cloud->children[i], "An entry of \"cloud\"", 2, source, &name, ends))
			return false;
		if (ends[0] > ends[1])
			return input_malformed(
				source,
				"An entry of \"cloud\" ends before it begins: [%s, " UINT64_FORMAT
				", " UINT64_FORMAT "].",
				json_tree_quote(name, (int) strlen(name)), ends[0], ends[1]);
		node_entries_add(&draft->nodes, name, strlen(name));
	}
	node_entries_sort(&draft->nodes, 0, NODE_DUPLICATES_JOIN, NULL);

	for (uint32 i = 0; i < draft->nodes.count; i++)
		draft->nodes.items[i].counters[0] = 0;
	if (context)
	{
		NodeCursor cursor;

		for (node_cursor_open(&cursor, &prefixes); !node_cursor_done(&cursor);
			 node_cursor_next(&cursor))
		{
			node_entries_find(&draft->nodes, cursor.name, node_cursor_length(&cursor), &node);
			entry_draft_add_range(draft, node, 1, node_table_counter(&prefixes, cursor.index));
		}
	}
	for (int i = 0; cloud && i < cloud->nchildren; i++)
	{
		const char *name;
		uint64 ends[2];

		read_dots(cloud->children[i], "An entry of \"cloud\"", 2, source, &name, ends);
		node_entries_find(&draft->nodes, name, strlen(name), &node);
		entry_draft_add_range(draft, node, ends[0], ends[1]);
	}
	dot_store_sort_context(draft);
	return true;
}

struct varlena *
dot_store_face_read(const JsonFace *face, const JsonTree *json, const InputSource *source)
{
	const DotStoreFace *store = store_face(face);
	const char *names[3];
	const JsonTree *members[3];
	EntryDraft draft;

	names[0] = store->member;
	names[1] = "context";
	names[2] = "cloud";
	entry_draft_init(&draft, 0);
	if (!json_tree_members(json, source, "The value", names, 3, members) ||
		!read_context(members[1], members[2], &draft, source) ||
		(members[0] && !read_entries(store, members[0], &draft, source)) ||
		!check_dots(store, &draft, source))
		return NULL;
	entry_draft_sort(&draft, dot_store_order);
	return dot_store_build(&draft);
}

void
dot_store_face_write(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	const DotStoreFace *store = store_face(face);
	EntryTable table;
	EntryCursor cursor;
	NodeEntries nodes;
	const char *separator;

	entry_table_open(&table, value);
	if (table.nodes.nnodes == 0)
	{
		appendStringInfoString(buf, "{}");
		return;
	}
	node_entries_init(&nodes, table.nodes.nnodes);
	node_entries_copy(&nodes, &table.nodes);

	appendStringInfo(buf, "{\"%s\": %c", store->member, store->keyed ? '{' : '[');
	for (entry_cursor_open(&cursor, &table); entry_cursor_next(&cursor);)
	{
		const Entry *entry = &cursor.entry;
		const NodeEntry *node = &nodes.items[entry->node];

		CHECK_FOR_INTERRUPTS();
		if (store->keyed && cursor.begins_key)
		{
			appendStringInfoString(buf, cursor.index > 1 ? "], " : "");
			json_tree_append_string(buf, entry->key, (int) entry->key_length);
			appendStringInfoString(buf, ": [");
		}
		else
			appendStringInfoString(buf, cursor.index > 1 ? ", " : "");
		if (store->valued)
		{
			appendStringInfoString(buf, "{\"value\": ");
			json_tree_append_string(buf, entry->value, (int) entry->value_length);
			appendStringInfoString(buf, ", \"dot\": ");
		}
		appendStringInfoChar(buf, '[');
		json_tree_append_string(buf, node->name, (int) node->length);
		appendStringInfo(buf, ", " UINT64_FORMAT "]%s", entry->time, store->valued ? "}" : "");
	}
	if (store->keyed && table.nentries > 0)
		appendStringInfoChar(buf, ']');
	appendStringInfo(buf, "%c, \"context\": {", store->keyed ? '}' : ']');
	separator = "";
	for (uint32 i = 0; i < nodes.count; i++)
	{
		uint64 prefix = packed_get(&table.columns[NODE_PREFIX], i);

		if (prefix == 0)
			continue;
		appendStringInfoString(buf, separator);
		json_tree_append_string(buf, nodes.items[i].name, (int) nodes.items[i].length);
		appendStringInfo(buf, ": " UINT64_FORMAT, prefix);
		separator = ", ";
	}
	appendStringInfoChar(buf, '}');
	for (uint32 i = 0; i < table.nranges; i++)
	{
		DotRange range = entry_table_range(&table, i);
		const NodeEntry *node = &nodes.items[range.node];

		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(buf, i == 0 ? ", \"cloud\": [[" : ", [");
		json_tree_append_string(buf, node->name, (int) node->length);
		appendStringInfo(buf, ", " UINT64_FORMAT ", " UINT64_FORMAT "]", range.first, range.last);
	}
	appendStringInfoString(buf, table.nranges > 0 ? "]}" : "}");
}

/*
 * Binary
 */

static void
receive_context(EntryDraft *draft, StringInfo msg, const InputSource *source)
{
	uint32 count = wire_get_count(msg, source, "the number of nodes",
								  2 * sizeof(uint32) + 1 + sizeof(uint64));

	for (uint32 i = 0; i < count; i++)
	{
		int length;
		char *name = wire_get_string(msg, source, "a node name", &length);
		uint64 prefix = wire_get_uint64(msg, source, "a counter");
		uint64 last = prefix;
		uint32 ranges = wire_get_count(msg, source, "the number of ranges", 2 * sizeof(uint64));

		node_name_check(source, name, length);
		if (i > 0 &&
			bytes_compare(draft->nodes.items[i - 1].name, draft->nodes.items[i - 1].length, name,
						  length) >= 0)
			input_unordered(source, psprintf("Node %s", json_tree_quote(name, length)));
		node_entries_add(&draft->nodes, name, length);
		if (prefix > PG_INT64_MAX)
			input_out_of_range(source, "The counter of %s is greater than " INT64_FORMAT ".",
							   json_tree_quote(name, length), PG_INT64_MAX);
		if (prefix == 0 && ranges == 0)
			input_malformed(source, "Node %s counts nothing.", json_tree_quote(name, length));
		if (prefix > 0)
			entry_draft_add_range(draft, i, 1, prefix);
		for (uint32 r = 0; r < ranges; r++)
		{
			uint64 first = wire_get_uint64(msg, source, "a range");
			uint64 end = wire_get_uint64(msg, source, "a range");

			if (first > PG_INT64_MAX || end > PG_INT64_MAX)
				input_out_of_range(source, "A range of %s exceeds " INT64_FORMAT ".",
								   json_tree_quote(name, length), PG_INT64_MAX);
			if (first <= last + 1 || end < first)
				input_malformed(source, "The ranges of %s are not sorted and apart.",
								json_tree_quote(name, length));
			entry_draft_add_range(draft, i, first, end);
			last = end;
		}
	}
}

struct varlena *
dot_store_face_receive(const JsonFace *face, StringInfo msg, int version, const InputSource *source)
{
	const DotStoreFace *store = store_face(face);
	EntryDraft draft;
	uint32 count;

	entry_draft_init(&draft, 0);
	receive_context(&draft, msg, source);
	count = wire_get_count(msg, source, "the number of entries",
						   sizeof(uint32) * (1 + store->keyed + store->valued) + sizeof(uint64));
	for (uint32 i = 0; i < count; i++)
	{
		Entry entry = {.key = "", .value = ""};
		int length;

		if (store->keyed)
		{
			entry.key = wire_get_string(msg, source, "a key", &length);
			entry.key_length = (uint32) length;
		}
		entry.node = wire_get_uint32(msg, source, "a node");
		if (entry.node >= draft.nodes.count)
			input_malformed(source, "%s has a dot of node number %u, which is not in the context.",
							entry_subject(store, &entry), entry.node);
		entry.time = wire_get_uint64(msg, source, "a counter");
		if (entry.time > PG_INT64_MAX)
			input_out_of_range(source, "A counter is greater than " INT64_FORMAT ".", PG_INT64_MAX);
		if (store->valued)
		{
			entry.value = wire_get_string(msg, source, "a value", &length);
			entry.value_length = (uint32) length;
		}
		if (i > 0 && dot_store_order(&draft.entries[i - 1], &entry) >= 0)
			input_unordered(source, entry_subject(store, &entry));
		*entry_draft_add(&draft) = entry;
	}
	check_dots(store, &draft, source);
	return dot_store_build(&draft);
}

void
dot_store_face_send(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	const DotStoreFace *store = store_face(face);
	EntryTable table;
	EntryCursor cursor;
	NodeCursor node;
	uint32 next = 0;

	entry_table_open(&table, value);
	pq_sendint32(buf, table.nodes.nnodes);
	for (node_cursor_open(&node, &table.nodes); !node_cursor_done(&node); node_cursor_next(&node))
	{
		uint32 first = next;

		wire_put_string(buf, node.name, (int) node_cursor_length(&node));
		pq_sendint64(buf, packed_get(&table.columns[NODE_PREFIX], node.index));
		while (next < table.nranges && entry_table_range(&table, next).node == node.index)
			next++;
		pq_sendint32(buf, next - first);
		for (; first < next; first++)
		{
			DotRange range = entry_table_range(&table, first);

			CHECK_FOR_INTERRUPTS();
			pq_sendint64(buf, range.first);
			pq_sendint64(buf, range.last);
		}
	}
	pq_sendint32(buf, table.nentries);
	for (entry_cursor_open(&cursor, &table); entry_cursor_next(&cursor);)
	{
		const Entry *entry = &cursor.entry;

		CHECK_FOR_INTERRUPTS();
		if (store->keyed)
			wire_put_string(buf, entry->key, (int) entry->key_length);
		pq_sendint32(buf, entry->node);
		pq_sendint64(buf, entry->time);
		if (store->valued)
			wire_put_string(buf, entry->value, (int) entry->value_length);
	}
}
