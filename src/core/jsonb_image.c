/*
 * jsonb_image.c
 *		Writing jsonb byte by byte.
 *
 * The server makes jsonb from a tree of values that it sorts and then
 * flattens.  Who knows the number of children beforehand, and the order of
 * keys, can write the same bytes at once.  They are those that utils/jsonb.h
 * describes: a header, an entry for each child (of an object, first the keys),
 * then the children's bytes; numbers, objects and arrays are aligned to four
 * bytes, and the padding counts as theirs.  An entry has its child's length;
 * every 32nd has the offset of its end instead.
 */
#include "core/compat.h"

#include "core/jsonb_image.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

void
jsonb_image_init(StringInfo image)
{
	initStringInfo(image);
	jsonb_image_start(image);
}

/* Begin another value in the same memory. */
void
jsonb_image_start(StringInfo image)
{
	static const char header[VARHDRSZ];

	resetStringInfo(image);
	appendBinaryStringInfo(image, header, VARHDRSZ);
}

/* The value, once all is written; it stays where it was written. */
Jsonb *
jsonb_image_finish(StringInfo image)
{
	SET_VARSIZE(image->data, image->len);
	return (Jsonb *) image->data;
}

static inline void
jsonb_image_pad(StringInfo image)
{
	while (image->len != (int) INTALIGN(image->len))
		appendStringInfoCharMacro(image, '\0');
}

void
jsonb_open(StringInfo image, JsonbWriter *writer, bool is_object, uint32 count)
{
	uint32 entries = is_object ? 2 * count : count;
	uint32 header = count | (is_object ? JB_FOBJECT : JB_FARRAY);

	if (count > Min(JB_CMASK, MaxAllocSize / (2 * sizeof(JEntry))))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many elements for a jsonb value: %u", count)));
	writer->begin = (uint32) image->len;
	jsonb_image_pad(image);
	appendBinaryStringInfo(image, (char *) &header, sizeof(header));
	writer->entries = (uint32) image->len;
	writer->count = entries;
	writer->next = 0;
	enlargeStringInfo(image, (int) (entries * sizeof(JEntry)));
	image->len += (int) (entries * sizeof(JEntry));
	writer->data = (uint32) image->len;
	writer->total = 0;
}

/* What was written since the last child is another one. */
static inline void
jsonb_put_entry(StringInfo image, JsonbWriter *writer, JEntry type)
{
	uint32 total = (uint32) image->len - writer->data;
	JEntry entry;

	Assert(writer->next < writer->count);
	if (total > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a jsonb value would be longer than %u bytes", JENTRY_OFFLENMASK)));
	entry = type |
		(writer->next % JB_OFFSET_STRIDE == 0 ? total | JENTRY_HAS_OFF : total - writer->total);
	memcpy(image->data + writer->entries + writer->next * sizeof(JEntry), &entry, sizeof(entry));
	writer->total = total;
	writer->next++;
}

void
jsonb_put_string(StringInfo image, JsonbWriter *writer, const char *text, Size length)
{
	appendBinaryStringInfo(image, text, (int) length);
	jsonb_put_entry(image, writer, JENTRY_ISSTRING);
}

void
jsonb_put_numeric(StringInfo image, JsonbWriter *writer, Numeric number)
{
	jsonb_image_pad(image);
	appendBinaryStringInfo(image, (char *) number, (int) VARSIZE_ANY(number));
	jsonb_put_entry(image, writer, JENTRY_ISNUMERIC);
}

void
jsonb_put_integer(StringInfo image, JsonbWriter *writer, int64 number)
{
	Datum numeric = DirectFunctionCall1(int8_numeric, Int64GetDatum(number));

	jsonb_put_numeric(image, writer, DatumGetNumeric(numeric));
	pfree(DatumGetPointer(numeric));
}

void
jsonb_put_boolean(StringInfo image, JsonbWriter *writer, bool value)
{
	jsonb_put_entry(image, writer, value ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE);
}

void
jsonb_put_null(StringInfo image, JsonbWriter *writer)
{
	jsonb_put_entry(image, writer, JENTRY_ISNULL);
}

/* A copy of an object or array. */
void
jsonb_put_container(StringInfo image, JsonbWriter *writer, const JsonbContainer *container,
					Size length)
{
	jsonb_image_pad(image);
	appendBinaryStringInfo(image, (const char *) container, (int) length);
	jsonb_put_entry(image, writer, JENTRY_ISCONTAINER);
}

/* An object or array that was opened after its writer's last child is complete. */
void
jsonb_close_into(StringInfo image, const JsonbWriter *child, JsonbWriter *writer)
{
	Assert(child->next == child->count);
	Assert(child->begin == writer->data + writer->total);
	jsonb_put_entry(image, writer, JENTRY_ISCONTAINER);
}
