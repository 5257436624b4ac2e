/*
 * baggage.c
 *		The header field "baggage": what an application sends along.
 *
 * W3C Baggage: a list of key=value, each perhaps with properties behind it,
 * which have no meaning here but are kept:
 *
 *		userId=alice,serverNode=DF%2028;ttl=30;internal
 *
 * A key is a token of RFC 7230.  Of values all but most of the ASCII characters
 * is written as UTF-8 with each byte as % and two digits; bytes that are no
 * UTF-8 are read as U+FFFD, the replacement character, as the specification
 * has it.
 *
 * The order of the list says nothing as long as no key occurs twice, which the
 * specification lets nobody rely on, and an object has no form for.  So it is
 * refused here, and items are sorted by key: then equal baggage has equal
 * bytes.  Packed they are, one after another
 *
 *		uint16		length of the key, of the value, of the properties,
 *					each with the most significant byte first
 *		bytes		the key, the value (in the server's encoding), the properties
 *
 * Properties are kept as the header has them, without blanks and with no more
 * percent signs than need be.
 */
#include "core/compat.h"

#include "core/bytes.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "trace/baggage.h"
#include "trace/header_field.h"

/* characters of a key that are shown in an error */
#define KEY_SHOWN 64

#define REPLACEMENT_CHARACTER "\xef\xbf\xbd"

static bool
is_token_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* What may stand in a value as it is; the percent sign has its own meaning. */
static bool
is_baggage_octet(char c)
{
	return c > ' ' && c <= '~' && c != '"' && c != ',' && c != ';' && c != '\\';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The beginning of a key, for an error. */
static char *
shown_key(const char *key, Size length)
{
	return pnstrdup(key, pg_mbcliplen(key, (int) Min(length, PG_INT16_MAX), KEY_SHOWN));
}

static bool
check_token(const char *text, Size length, const char *what, const InputSource *source)
{
	if (length == 0)
		return input_malformed(source, "A %s of the baggage is empty.", what);
	for (Size i = 0; i < length; i++)
	{
		if (!is_token_character(text[i]))
		{
			char *shown = shown_key(text, length);

			return input_malformed(source,
								   "Character %zu of %s %s of the baggage is not one of a token.",
								   i + 1, what, json_tree_quote(shown, (int) strlen(shown)));
		}
	}
	return true;
}

static bool
baggage_too_long(const InputSource *source)
{
	return input_malformed(source, "The baggage has more than %d bytes as a header field.",
						   BAGGAGE_MOST);
}

/*
 * Percent signs
 */

/*
 * How many bytes from here on belong together: a character, then "legal" is
 * true, or the beginning of one that does not go on as it must (Unicode,
 * section 3.9, maximal subpart).
 */
static Size
utf8_length(const uint8 *bytes, Size left, bool *legal)
{
	uint8 lead = bytes[0];
	uint8 least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	uint8 most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	Size length;
	Size i;

	if (lead < 0x80)
		length = 1;
	else if (lead >= 0xc2 && lead <= 0xdf)
		length = 2;
	else if (lead >= 0xe0 && lead <= 0xef)
		length = 3;
	else if (lead >= 0xf0 && lead <= 0xf4)
		length = 4;
	else
	{
		*legal = false;
		return 1;
	}
	for (i = 1; i < length && i < left && bytes[i] >= least && bytes[i] <= most; i++)
	{
		least = 0x80;
		most = 0xbf;
	}
	*legal = i == length;
	return i;
}

/* The UTF-8 that a value of a header field stands for. */
static bool
percent_decode(const char *text, Size length, const char *what, const InputSource *source,
			   StringInfo utf8)
{
	StringInfoData raw;
	bool legal;

	/* nothing that is longer can fit, and decoding it takes memory */
	if (length > BAGGAGE_MOST)
		return baggage_too_long(source);
	initStringInfo(&raw);
	for (Size i = 0; i < length; i++)
	{
		int high;
		int low;

		if (!is_baggage_octet(text[i]))
			return input_malformed(source,
								   "Character %zu of %s has to be written with a percent sign.",
								   i + 1, what);
		if (text[i] != '%')
		{
			appendStringInfoChar(&raw, text[i]);
			continue;
		}
		if (i + 2 >= length || (high = hex_value(text[i + 1])) < 0 ||
			(low = hex_value(text[i + 2])) < 0)
			return input_malformed(
				source, "Character %zu of %s is a percent sign without two hexadecimal digits.",
				i + 1, what);
		if (high == 0 && low == 0)
			return input_malformed(source, "Character %zu of %s is %%00, which no text can hold.",
								   i + 1, what);
		appendStringInfoChar(&raw, (char) (high << 4 | low));
		i += 2;
	}
	for (int at = 0; at < raw.len;)
	{
		Size bytes = utf8_length((const uint8 *) raw.data + at, raw.len - at, &legal);

		if (legal)
			appendBinaryStringInfo(utf8, raw.data + at, (int) bytes);
		else
			appendStringInfoString(utf8, REPLACEMENT_CHARACTER);
		at += (int) bytes;
	}
	pfree(raw.data);
	return true;
}

static void
percent_encode(StringInfo buf, const char *utf8, Size length)
{
	for (Size i = 0; i < length; i++)
	{
		if (is_baggage_octet(utf8[i]) && utf8[i] != '%')
			appendStringInfoChar(buf, utf8[i]);
		else
			appendStringInfo(buf, "%%%02X", (uint8) utf8[i]);
	}
}

/*
 * Building
 */

void
baggage_builder_init(BaggageBuilder *builder)
{
	memset(builder, 0, sizeof(*builder));
}

/*
 * Add an item, whose value is in the server's encoding and whose properties
 * are canonical.  The bytes must stay until the baggage is built.
 */
bool
baggage_add(BaggageBuilder *builder, const char *key, Size key_length, const char *value,
			Size value_length, const char *properties, Size properties_length,
			const InputSource *source)
{
	const char *utf8;
	Size length;
	Size size;

	CHECK_FOR_INTERRUPTS();
	/* a character takes no less as a header field */
	if (key_length > BAGGAGE_MOST || value_length > BAGGAGE_MOST ||
		properties_length > BAGGAGE_MOST)
		return baggage_too_long(source);
	if (!check_token(key, key_length, "key", source))
		return false;
	size = key_length + 1 + (builder->count > 0 ? 1 : 0);
	utf8 = input_convert(source, value, (int) value_length, GetDatabaseEncoding(), PG_UTF8);
	if (utf8 == NULL)
		return false;
	length = utf8 == value ? value_length : strlen(utf8);
	for (Size i = 0; i < length; i++)
		size += is_baggage_octet(utf8[i]) && utf8[i] != '%' ? 1 : 3;
	if (properties_length > 0)
		size += 1 + properties_length;
	builder->size += size;
	if (builder->size > BAGGAGE_MOST)
		return baggage_too_long(source);
	if (builder->count == builder->max)
	{
		builder->max = Max(8, builder->max * 2);
		builder->items = builder->items
			? repalloc(builder->items, sizeof(BaggageItem) * builder->max)
			: palloc(sizeof(BaggageItem) * builder->max);
	}
	builder->items[builder->count++] = (BaggageItem){
		.key = key,
		.value = value,
		.properties = properties,
		.key_length = (uint16) key_length,
		.value_length = (uint16) value_length,
		.properties_length = (uint16) properties_length,
	};
	return true;
}

static int
compare_items(const void *x, const void *y)
{
	const BaggageItem *a = x;
	const BaggageItem *b = y;

	return bytes_compare(a->key, a->key_length, b->key, b->key_length);
}

bool
baggage_build(BaggageBuilder *builder, const InputSource *source, Baggage *baggage)
{
	StringInfoData buf;

	if (builder->count > 1)
		qsort(builder->items, builder->count, sizeof(BaggageItem), compare_items);
	initStringInfo(&buf);
	for (uint32 i = 0; i < builder->count; i++)
	{
		const BaggageItem *item = &builder->items[i];
		uint16 lengths[3] = {pg_hton16(item->key_length), pg_hton16(item->value_length),
							 pg_hton16(item->properties_length)};

		if (i > 0 && compare_items(item - 1, item) == 0)
		{
			char *shown = shown_key(item->key, item->key_length);

			return input_malformed(source, "Key %s of the baggage occurs more than once.",
								   json_tree_quote(shown, (int) strlen(shown)));
		}
		appendBinaryStringInfo(&buf, (const char *) lengths, sizeof(lengths));
		appendBinaryStringInfo(&buf, item->key, item->key_length);
		appendBinaryStringInfo(&buf, item->value, item->value_length);
		appendBinaryStringInfo(&buf, item->properties, item->properties_length);
	}
	baggage->bytes = buf.data;
	baggage->size = buf.len;
	return true;
}

/*
 * Reading
 */

/* Up to the next separator; "text" goes on behind it, and is NULL at the end. */
static void
next_part(const char **text, const char *end, char separator, const char **part, Size *length)
{
	const char *at = memchr(*text, separator, end - *text);

	*part = *text;
	*length = (at ? at : end) - *text;
	*text = at ? at + 1 : NULL;
	header_trim(part, length);
}

/*
 * Append the canonical form of properties, such as "ttl=30;internal".  They may
 * be empty as a whole, but not one by one.
 */
bool
baggage_read_properties(const char *text, Size length, const InputSource *source,
						StringInfo canonical)
{
	const char *end = text + length;
	bool first = true;

	header_trim(&text, &length);
	if (length == 0)
		return true;
	while (text)
	{
		const char *name;
		const char *equals;
		const char *value;
		Size name_length;
		Size value_length;
		StringInfoData utf8;

		CHECK_FOR_INTERRUPTS();
		next_part(&text, end, ';', &name, &value_length);
		equals = memchr(name, '=', value_length);
		name_length = equals ? (Size) (equals - name) : value_length;
		value = equals ? equals + 1 : name;
		value_length = equals ? value_length - name_length - 1 : 0;
		header_trim(&name, &name_length);
		if (!check_token(name, name_length, "property", source))
			return false;
		if (!first)
			appendStringInfoChar(canonical, ';');
		first = false;
		appendBinaryStringInfo(canonical, name, (int) name_length);
		if (equals)
		{
			header_trim(&value, &value_length);
			initStringInfo(&utf8);
			if (!percent_decode(value, value_length, "the value of a property", source, &utf8))
				return false;
			appendStringInfoChar(canonical, '=');
			percent_encode(canonical, utf8.data, utf8.len);
			pfree(utf8.data);
		}
		if (canonical->len > BAGGAGE_MOST)
			return baggage_too_long(source);
	}
	return true;
}

/* key=value;properties */
static bool
read_member(BaggageBuilder *builder, const char *member, Size length, const InputSource *whole)
{
	InputSource part = *whole;
	const InputSource *source = &part;
	const char *semicolon = memchr(member, ';', length);
	Size main_length = semicolon ? (Size) (semicolon - member) : length;
	const char *equals = memchr(member, '=', main_length);
	const char *key = member;
	const char *value;
	const char *server;
	Size key_length;
	Size value_length;
	StringInfoData utf8;
	StringInfoData properties;

	if (equals == NULL)
		return input_malformed(whole, "Member %u of the baggage has no \"=\".", builder->count + 1);
	key_length = equals - member;
	value = equals + 1;
	value_length = main_length - key_length - 1;
	header_trim(&key, &key_length);
	header_trim(&value, &value_length);
	if (!check_token(key, key_length, "key", whole))
		return false;
	part.key = shown_key(key, key_length);
	initStringInfo(&utf8);
	if (!percent_decode(value, value_length, "the value", source, &utf8))
		return false;
	initStringInfo(&properties);
	if (semicolon)
	{
		const char *text = semicolon + 1;
		Size text_length = member + length - text;

		header_trim(&text, &text_length);
		if (text_length == 0)
			return input_malformed(source, "A property of the baggage is empty.");
		if (!baggage_read_properties(text, text_length, source, &properties))
			return false;
	}
	server = input_convert(source, utf8.data, utf8.len, PG_UTF8, GetDatabaseEncoding());
	if (server == NULL)
		return false;
	return baggage_add(builder, key, key_length, server,
					   server == utf8.data ? (Size) utf8.len : strlen(server), properties.data,
					   properties.len, whole);
}

/* A header field; if there is nothing in it but blanks, no baggage. */
bool
baggage_read_header(const char *text, Size length, const InputSource *source, Baggage *baggage)
{
	const char *end;
	BaggageBuilder builder;

	baggage_builder_init(&builder);
	header_trim(&text, &length);
	end = text + length;
	if (length == 0)
		text = NULL;
	while (text)
	{
		const char *member;
		Size size;

		next_part(&text, end, ',', &member, &size);
		if (!read_member(&builder, member, size, source))
			return false;
	}
	return baggage_build(&builder, source, baggage);
}

/* The value of a key: text, or an object that has properties besides. */
static bool
read_json_item(BaggageBuilder *builder, const JsonTree *json, const InputSource *whole)
{
	static const char *const names[] = {"value", "properties"};
	InputSource part = *whole;
	const InputSource *source = &part;
	const JsonTree *members[lengthof(names)] = {json, NULL};
	StringInfoData properties;

	if (!check_token(json->name, strlen(json->name), "key", whole))
		return false;
	part.key = shown_key(json->name, strlen(json->name));
	if (json->kind == JSON_TREE_OBJECT)
	{
		if (!json_tree_members(json, source, "The item of the baggage", names, lengthof(names),
							   members))
			return false;
		if (members[0] == NULL)
			return input_malformed(source, "The item of the baggage has no \"value\".");
		if (members[1] && members[1]->kind != JSON_TREE_STRING)
			return input_malformed(source, "The properties are %s, not a string.",
								   json_tree_kind_name(members[1]->kind));
	}
	if (members[0]->kind != JSON_TREE_STRING)
		return input_malformed(source, "The value is %s, not a string.",
							   json_tree_kind_name(members[0]->kind));
	initStringInfo(&properties);
	if (members[1] &&
		!baggage_read_properties(members[1]->text, strlen(members[1]->text), source, &properties))
		return false;
	return baggage_add(builder, json->name, strlen(json->name), members[0]->text,
					   strlen(members[0]->text), properties.data, properties.len, whole);
}

/* An object of keys and values, or a string that is the header field. */
bool
baggage_read_json(const JsonTree *json, const InputSource *source, Baggage *baggage)
{
	BaggageBuilder builder;

	if (json->kind == JSON_TREE_STRING)
		return baggage_read_header(json->text, strlen(json->text), source, baggage);
	if (json->kind != JSON_TREE_OBJECT)
		return input_malformed(source, "The baggage is %s, not an object or a string.",
							   json_tree_kind_name(json->kind));
	baggage_builder_init(&builder);
	for (int i = 0; i < json->nchildren; i++)
	{
		if (!read_json_item(&builder, json->children[i], source))
			return false;
	}
	return baggage_build(&builder, source, baggage);
}

/*
 * Using it
 */

/* The item at "at", which is 0 for the first one and moves on; false if there is none. */
bool
baggage_next(const Baggage *baggage, Size *at, BaggageItem *item)
{
	uint16 lengths[3];

	if (*at == baggage->size)
		return false;
	memcpy(lengths, baggage->bytes + *at, sizeof(lengths));
	item->key_length = pg_ntoh16(lengths[0]);
	item->value_length = pg_ntoh16(lengths[1]);
	item->properties_length = pg_ntoh16(lengths[2]);
	item->key = baggage->bytes + *at + sizeof(lengths);
	item->value = item->key + item->key_length;
	item->properties = item->value + item->value_length;
	*at = item->properties + item->properties_length - baggage->bytes;
	return true;
}

uint32
baggage_count(const Baggage *baggage)
{
	BaggageItem item;
	uint32 count = 0;

	for (Size at = 0; baggage_next(baggage, &at, &item);)
		count++;
	return count;
}

void
baggage_write_header(StringInfo buf, const Baggage *baggage)
{
	BaggageItem item;
	const char *before = "";

	for (Size at = 0; baggage_next(baggage, &at, &item);)
	{
		const char *utf8 = pg_server_to_any(item.value, item.value_length, PG_UTF8);

		appendStringInfoString(buf, before);
		before = ",";
		appendBinaryStringInfo(buf, item.key, item.key_length);
		appendStringInfoChar(buf, '=');
		percent_encode(buf, utf8, utf8 == item.value ? item.value_length : strlen(utf8));
		if (item.properties_length > 0)
		{
			appendStringInfoChar(buf, ';');
			appendBinaryStringInfo(buf, item.properties, item.properties_length);
		}
	}
}

/* As an object, with its properties if they are wanted and there are any. */
void
baggage_write_json(StringInfo buf, const Baggage *baggage, bool properties)
{
	BaggageItem item;
	const char *before = "{";

	for (Size at = 0; baggage_next(baggage, &at, &item);)
	{
		bool nested = properties && item.properties_length > 0;

		appendStringInfoString(buf, before);
		before = ", ";
		json_tree_append_string(buf, item.key, item.key_length);
		appendStringInfoString(buf, nested ? ": {\"value\": " : ": ");
		json_tree_append_string(buf, item.value, item.value_length);
		if (nested)
		{
			appendStringInfoString(buf, ", \"properties\": ");
			json_tree_append_string(buf, item.properties, item.properties_length);
			appendStringInfoChar(buf, '}');
		}
	}
	appendStringInfoString(buf, baggage->size > 0 ? "}" : "{}");
}
