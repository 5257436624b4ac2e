/*
 * obligation_io.c
 *		Obligations as JSON and as binary images.
 *
 * JSON: {"obligation": {"witness": "state"}}; each obligation has a witness.
 *
 * Binary, behind the version byte:
 *
 *		int32		number of obligations
 *		for each, sorted by name:
 *			int32	length of the name, and the name
 *			int32	number of its witnesses, at least 1
 *			for each, sorted by name:
 *				int32	length of the name, and the name
 *				int8	number of the state, see lattice_state.h
 */
#include "core/compat.h"

#include "core/json_face.h"
#include "core/wire.h"
#include "lattice/obligation_lattice.h"
#include "miscadmin.h"

#define OBLIGATION_HINT \
	"Write obligations, witnesses and states as JSON, such as {\"o1\": {\"a\": \"committed\"}}; " \
	"the states are unknown, reserved, committed, aborted and conflict."

bool
obligation_check_name(const InputSource *source, Size length)
{
	if (length == 0)
		return input_malformed(source, "An obligation's name is empty.");
	return true;
}

/* The reports on one obligation. */
static bool
read_obligation(const JsonTree *json, EntryCollection *reports, const InputSource *whole)
{
	InputSource part = *whole;
	const InputSource *source = &part;

	if (!obligation_check_name(whole, strlen(json->name)))
		return false;
	part.key = json->name;
	if (json->kind != JSON_TREE_OBJECT)
		return input_malformed(source, "The reports are %s, not an object.",
							   json_tree_kind_name(json->kind));
	if (json->nchildren == 0)
		return input_malformed(source, "The obligation has no witness.");
	if (!json_tree_check_unique(json, source, "Witness"))
		return false;
	for (int i = 0; i < json->nchildren; i++)
	{
		const JsonTree *report = json->children[i];
		NodeName witness = {report->name, strlen(report->name)};
		Entry entry = {.key = json->name, .key_length = (uint32) strlen(json->name), .value = ""};
		int state;

		if (!node_name_check(source, witness.name, witness.length))
			return false;
		if (report->kind != JSON_TREE_STRING)
			return input_malformed(source,
								   "The state that witness %s reported is %s, not a string.",
								   json_tree_quote(witness.name, (int) witness.length),
								   json_tree_kind_name(report->kind));
		state = finite_lattice_find(&lattice_state_lattice, report->text);
		if (state < 0)
			return input_malformed(source, "Witness %s reported \"%s\", which is no state.",
								   json_tree_quote(witness.name, (int) witness.length),
								   report->text);
		entry.time = (uint64) state;
		entry_collection_add(reports, entry, witness);
	}
	return true;
}

static struct varlena *
obligation_read(const JsonFace *face, const JsonTree *json, const InputSource *source)
{
	EntryCollection reports;

	if (json->kind != JSON_TREE_OBJECT)
	{
		input_malformed(source, "The value is %s, not an object.", json_tree_kind_name(json->kind));
		return NULL;
	}
	if (!json_tree_check_unique(json, source, "Obligation"))
		return NULL;
	entry_collection_init(&reports, json->nchildren);
	for (int i = 0; i < json->nchildren; i++)
	{
		if (!read_obligation(json->children[i], &reports, source))
			return NULL;
	}
	return entry_collection_build(&reports, &obligation_rule);
}

static void
obligation_write(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	EntryTable table;
	EntryCursor cursor;
	NodeEntries nodes;

	entry_table_open(&table, value);
	node_entries_init(&nodes, table.nodes.nnodes);
	node_entries_copy(&nodes, &table.nodes);
	appendStringInfoChar(buf, '{');
	for (entry_cursor_open(&cursor, &table); entry_cursor_next(&cursor);)
	{
		const Entry *entry = &cursor.entry;
		const NodeEntry *witness = &nodes.items[entry->node];

		CHECK_FOR_INTERRUPTS();
		if (cursor.begins_key)
		{
			appendStringInfoString(buf, cursor.index > 1 ? "}, " : "");
			json_tree_append_string(buf, entry->key, (int) entry->key_length);
			appendStringInfoString(buf, ": {");
		}
		else
			appendStringInfoString(buf, ", ");
		json_tree_append_string(buf, witness->name, (int) witness->length);
		appendStringInfo(buf, ": \"%s\"", lattice_state_lattice.labels[obligation_reported(entry)]);
	}
	appendStringInfoString(buf, table.nentries > 0 ? "}}" : "}");
}

static struct varlena *
obligation_receive(const JsonFace *face, StringInfo msg, int version, const InputSource *source)
{
	EntryCollection reports;
	Entry before = {0};
	uint32 count = wire_get_count(msg, source, "the number of obligations",
								  3 * sizeof(uint32) + 1 + 1 + 1);

	entry_collection_init(&reports, count);
	for (uint32 i = 0; i < count; i++)
	{
		Entry entry = {.value = ""};
		NodeName last = {0};
		uint32 witnesses;
		int length;

		entry.key = wire_get_string(msg, source, "an obligation", &length);
		entry.key_length = (uint32) length;
		obligation_check_name(source, entry.key_length);
		if (i > 0 && entry_compare_keys(&before, &entry) >= 0)
			input_unordered(source, psprintf("Obligation %s", json_tree_quote(entry.key, length)));
		before = entry;
		witnesses = wire_get_count(msg, source, "the number of witnesses", sizeof(uint32) + 1 + 1);
		if (witnesses == 0)
			input_malformed(source, "Obligation %s has no witness.",
							json_tree_quote(entry.key, (int) entry.key_length));
		for (uint32 j = 0; j < witnesses; j++)
		{
			NodeName witness;

			witness.name = wire_get_string(msg, source, "a node name", &length);
			witness.length = length;
			node_name_check(source, witness.name, witness.length);
			if (j > 0 && bytes_compare(last.name, last.length, witness.name, witness.length) >= 0)
				input_unordered(source,
								psprintf("Witness %s", json_tree_quote(witness.name, length)));
			last = witness;
			entry.time = wire_get_byte(msg, source, "a state");
			if (entry.time >= lattice_state_lattice.nstates)
				input_malformed(source, "There is no state number %d.", (int) entry.time);
			entry_collection_add(&reports, entry, witness);
		}
	}
	return entry_collection_build(&reports, &obligation_rule);
}

static void
obligation_send(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	EntryTable table;
	EntryCursor cursor;
	NodeEntries nodes;
	Obligation obligation;

	entry_table_open(&table, value);
	node_entries_init(&nodes, table.nodes.nnodes);
	node_entries_copy(&nodes, &table.nodes);
	pq_sendint32(buf, entry_table_count_keys(&table));
	for (entry_cursor_open(&cursor, &table); obligation_next(&cursor, &obligation);)
	{
		EntryCursor report;

		wire_put_string(buf, obligation.name, (int) obligation.length);
		pq_sendint32(buf, obligation.to - obligation.from);
		entry_table_seek(&report, &table, obligation.from);
		while (report.index < obligation.to && entry_cursor_next(&report))
		{
			const NodeEntry *witness = &nodes.items[report.entry.node];

			wire_put_string(buf, witness->name, (int) witness->length);
			pq_sendbyte(buf, obligation_reported(&report.entry));
		}
	}
}

static const JsonFace obligation_face = {
	.type_name = "obligation_lattice",
	.hint = OBLIGATION_HINT,
	.wire_version = 1,
	.read = obligation_read,
	.write = obligation_write,
	.receive = obligation_receive,
	.send = obligation_send,
};

PG_FUNCTION_INFO_V1(obligation_lattice_in);
Datum
obligation_lattice_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &obligation_face);
}

PG_FUNCTION_INFO_V1(obligation_lattice_out);
Datum
obligation_lattice_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &obligation_face);
}

PG_FUNCTION_INFO_V1(obligation_lattice_recv);
Datum
obligation_lattice_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &obligation_face);
}

PG_FUNCTION_INFO_V1(obligation_lattice_send);
Datum
obligation_lattice_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &obligation_face);
}

PG_FUNCTION_INFO_V1(obligation_lattice_from_jsonb);
Datum
obligation_lattice_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &obligation_face);
}

PG_FUNCTION_INFO_V1(obligation_lattice_to_jsonb);
Datum
obligation_lattice_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &obligation_face);
}

PG_FUNCTION_INFO_V1(obligation_lattice_to_json);
Datum
obligation_lattice_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &obligation_face);
}
