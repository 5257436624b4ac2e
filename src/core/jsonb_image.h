/*
 * jsonb_image.h
 *		Reading jsonb in place, and writing it byte by byte.
 */
#ifndef DISTRIBUTED_JSONB_IMAGE_H
#define DISTRIBUTED_JSONB_IMAGE_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

/*
 * Reading: the members of an object, by key (shorter keys first, then by
 * bytes), or the elements of an array.
 */
typedef struct JsonbScan
{
	const JsonbContainer *container;
	uint32 count; /* members or elements */
	uint32 next;
	const char *data;
	uint32 key_offset;
	uint32 value_offset;
} JsonbScan;

/* A value is a scalar, or jbvBinary, an object or array to scan. */
static inline void
jsonb_scan_value(JsonbScan *scan, uint32 index, uint32 *offset, JsonbValue *value)
{
	JEntry entry = scan->container->children[index];
	uint32 start = *offset;

	JBE_ADVANCE_OFFSET(*offset, entry);
	switch (entry & JENTRY_TYPEMASK)
	{
		case JENTRY_ISSTRING:
			value->type = jbvString;
			value->val.string.val = (char *) scan->data + start;
			value->val.string.len = (int) (*offset - start);
			break;
		case JENTRY_ISNUMERIC:
			value->type = jbvNumeric;
			value->val.numeric = (Numeric) (scan->data + INTALIGN(start));
			break;
		case JENTRY_ISBOOL_TRUE:
		case JENTRY_ISBOOL_FALSE:
			value->type = jbvBool;
			value->val.boolean = JBE_ISBOOL_TRUE(entry);
			break;
		case JENTRY_ISCONTAINER:
			value->type = jbvBinary;
			value->val.binary.data = (JsonbContainer *) (scan->data + INTALIGN(start));
			value->val.binary.len = (int) (*offset - INTALIGN(start));
			break;
		default:
			value->type = jbvNull;
			break;
	}
}

static inline void
jsonb_scan_open(JsonbScan *scan, const JsonbContainer *container)
{
	uint32 count = JsonContainerSize(container);
	bool is_object = JsonContainerIsObject(container);

	scan->container = container;
	scan->count = count;
	scan->next = 0;
	scan->data = (const char *) &container->children[is_object ? 2 * count : count];
	scan->key_offset = 0;
	scan->value_offset = is_object && count > 0 ? getJsonbOffset(container, (int) count) : 0;
}

/* The next member of an object; false after the last. */
static inline bool
jsonb_scan_member(JsonbScan *scan, const char **key, int *length, JsonbValue *value)
{
	uint32 start = scan->key_offset;

	if (scan->next == scan->count)
		return false;
	JBE_ADVANCE_OFFSET(scan->key_offset, scan->container->children[scan->next]);
	*key = scan->data + start;
	*length = (int) (scan->key_offset - start);
	jsonb_scan_value(scan, scan->count + scan->next, &scan->value_offset, value);
	scan->next++;
	return true;
}

/* The next element of an array; false after the last. */
static inline bool
jsonb_scan_element(JsonbScan *scan, JsonbValue *value)
{
	if (scan->next == scan->count)
		return false;
	jsonb_scan_value(scan, scan->next, &scan->value_offset, value);
	scan->next++;
	return true;
}

static inline bool
jsonb_is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static inline bool
jsonb_is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

/* The order of keys in objects. */
static inline int
jsonb_key_compare(const char *a, int a_length, const char *b, int b_length)
{
	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return memcmp(a, b, (size_t) a_length);
}

/*
 * Writing: an object or array that is being written.  How many children it
 * gets is said when it is opened; an object gets its keys, in their order and
 * each once, and then the values in the same order.
 */
typedef struct JsonbWriter
{
	uint32 begin;   /* where its bytes begin, with padding */
	uint32 entries; /* where its entries are */
	uint32 count;   /* entries it gets */
	uint32 next;
	uint32 data; /* where the bytes of its children are */
	uint32 total;
} JsonbWriter;

extern void jsonb_image_init(StringInfo image);
extern void jsonb_image_start(StringInfo image);
extern Jsonb *jsonb_image_finish(StringInfo image);
extern void jsonb_open(StringInfo image, JsonbWriter *writer, bool is_object, uint32 count);
extern void jsonb_put_string(StringInfo image, JsonbWriter *writer, const char *text, Size length);
extern void jsonb_put_numeric(StringInfo image, JsonbWriter *writer, Numeric number);
extern void jsonb_put_integer(StringInfo image, JsonbWriter *writer, int64 number);
extern void jsonb_put_boolean(StringInfo image, JsonbWriter *writer, bool value);
extern void jsonb_put_null(StringInfo image, JsonbWriter *writer);
extern void jsonb_put_container(StringInfo image, JsonbWriter *writer,
								const JsonbContainer *container, Size length);
extern void jsonb_close_into(StringInfo image, const JsonbWriter *child, JsonbWriter *writer);

#define jsonb_put_literal(image, writer, literal) \
	jsonb_put_string(image, writer, literal, sizeof(literal) - 1)

#endif /* DISTRIBUTED_JSONB_IMAGE_H */
