/*
 * otlp_restore.c
 *		Attributes as OTLP/JSON has them, of the form in which they are stored.
 */
#include "core/compat.h"

#include "miscadmin.h"
#include "trace/otlp_value.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* An object that is one value as OTLP has it. */
static bool
otlp_is_wrapper(const JsonbContainer *object)
{
	JsonbScan scan;
	JsonbValue value;
	const char *key;
	int length;

	if (JsonContainerSize(object) != 1)
		return false;
	jsonb_scan_open(&scan, object);
	return jsonb_scan_member(&scan, &key, &length, &value) && otlp_is_wrapper_name(key, length) &&
		(length == 11 && key[0] == 'k' ? jsonb_is_object(&value) : value.type == jbvString);
}

/* Pass over what is noted of a value. */
static void
otlp_order_skip(OtlpOrderCursor *order, const JsonbContainer *container)
{
	bool is_object = JsonContainerIsObject(container);
	JsonbScan scan;
	JsonbValue value;
	const char *key;
	int length;
	uint64 number;

	check_stack_depth();
	if (is_object && otlp_is_wrapper(container))
		return;
	if (is_object && JsonContainerSize(container) > 1 && otlp_order_next(order, &number) &&
		number % 2 == 1)
	{
		for (uint64 count = number / 2; count > 0 && otlp_order_next(order, &number); count--)
			;
	}
	jsonb_scan_open(&scan, container);
	while (is_object ? jsonb_scan_member(&scan, &key, &length, &value)
					 : jsonb_scan_element(&scan, &value))
	{
		if (value.type == jbvBinary)
			otlp_order_skip(order, value.val.binary.data);
	}
}

/* A member of an object that is being restored. */
typedef struct FlatMember
{
	const char *key;
	int length;
	JsonbValue value;
	OtlpOrderCursor order; /* of what is in the value */
} FlatMember;

/*
 * The places of "count" members, in the order in which they came, or NULL if
 * that is the sorted one, or unknown: someone changed the attributes.
 */
static uint32 *
otlp_order_read(OtlpOrderCursor *order, uint32 count)
{
	uint32 *places;
	bool *seen;
	uint64 number;
	bool broken;

	if (count < 2 || !otlp_order_next(order, &number))
		return NULL;
	broken = number / 2 != count;
	if (!broken && number % 2 == 0)
		return NULL;
	places = palloc_extended(sizeof(uint32) * (Size) count, MCXT_ALLOC_HUGE);
	seen = palloc_extended(sizeof(bool) * (Size) count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < count && !broken; i++)
	{
		broken = !otlp_order_next(order, &number) || number >= count || seen[number];
		if (!broken)
		{
			places[i] = (uint32) number;
			seen[number] = true;
		}
	}
	pfree(seen);
	if (!broken)
		return places;
	order->next = order->end;
	pfree(places);
	return NULL;
}

static void otlp_restore_value(const JsonbValue *flat, StringInfo image, JsonbWriter *parent,
							   OtlpOrderCursor *order);

static void
otlp_put_kind(StringInfo image, JsonbWriter *value, const char *kind)
{
	jsonb_open(image, value, true, 1);
	jsonb_put_string(image, value, kind, strlen(kind));
}

/* The object or array in ArrayValue or KeyValueList, which leave out an empty one. */
static void
otlp_restore_container(const JsonbContainer *flat, StringInfo image, JsonbWriter *value,
					   OtlpOrderCursor *order)
{
	JsonbWriter values;
	bool empty = JsonContainerSize(flat) == 0;

	jsonb_open(image, &values, true, empty ? 0 : 1);
	if (!empty)
	{
		jsonb_put_literal(image, &values, "values");
		if (JsonContainerIsObject(flat))
			otlp_restore(flat, NULL, 0, image, &values, order);
		else
		{
			JsonbWriter list;
			JsonbScan scan;
			JsonbValue element;

			jsonb_scan_open(&scan, flat);
			jsonb_open(image, &list, false, scan.count);
			while (jsonb_scan_element(&scan, &element))
				otlp_restore_value(&element, image, &list, order);
			jsonb_close_into(image, &list, &values);
		}
	}
	jsonb_close_into(image, &values, value);
}

static void
otlp_restore_value(const JsonbValue *flat, StringInfo image, JsonbWriter *parent,
				   OtlpOrderCursor *order)
{
	JsonbWriter value;
	char *text;

	check_stack_depth();
	switch (flat->type)
	{
		case jbvNull:
			jsonb_open(image, &value, true, 0);
			break;
		case jbvString:
			otlp_put_kind(image, &value, "stringValue");
			jsonb_put_string(image, &value, flat->val.string.val, (Size) flat->val.string.len);
			break;
		case jbvBool:
			otlp_put_kind(image, &value, "boolValue");
			jsonb_put_boolean(image, &value, flat->val.boolean);
			break;
		case jbvNumeric:
			text = DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(flat->val.numeric)));
			/* a whole number that is none of OTLP's was not made of one */
			if (strchr(text, '.') || !otlp_is_integer(text))
			{
				otlp_put_kind(image, &value, "doubleValue");
				jsonb_put_numeric(image, &value, flat->val.numeric);
			}
			else
			{
				otlp_put_kind(image, &value, "intValue");
				jsonb_put_string(image, &value, text, strlen(text));
			}
			pfree(text);
			break;
		default:
			if (JsonContainerIsArray(flat->val.binary.data))
			{
				otlp_put_kind(image, &value, "arrayValue");
				otlp_restore_container(flat->val.binary.data, image, &value, order);
			}
			else if (otlp_is_wrapper(flat->val.binary.data))
			{
				jsonb_put_container(image, parent, flat->val.binary.data,
									(Size) flat->val.binary.len);
				return;
			}
			else
			{
				otlp_put_kind(image, &value, "kvlistValue");
				otlp_restore_container(flat->val.binary.data, image, &value, order);
			}
			break;
	}
	jsonb_close_into(image, &value, parent);
}

void
otlp_restore(const JsonbContainer *object, const OtlpLabel *labels, uint32 nlabels,
			 StringInfo image, JsonbWriter *parent, OtlpOrderCursor *order)
{
	uint32 count = JsonContainerSize(object);
	uint32 *places = otlp_order_read(order, count);
	FlatMember *members = palloc_extended(sizeof(FlatMember) * Max((Size) count, 1),
										  MCXT_ALLOC_HUGE);
	JsonbWriter list;
	JsonbScan scan;

	CHECK_FOR_INTERRUPTS();
	jsonb_scan_open(&scan, object);
	for (uint32 i = 0; i < count; i++)
	{
		jsonb_scan_member(&scan, &members[i].key, &members[i].length, &members[i].value);
		/* in this order the lists in the values were noted */
		members[i].order = *order;
		if (places && members[i].value.type == jbvBinary)
			otlp_order_skip(order, members[i].value.val.binary.data);
	}
	jsonb_open(image, &list, false, count + nlabels);
	for (uint32 i = 0; i < count; i++)
	{
		FlatMember *member = &members[places ? places[i] : i];
		bool has_key = member->length > 0;
		bool has_value = member->value.type != jbvNull;
		JsonbWriter entry;

		jsonb_open(image, &entry, true, has_key + has_value);
		if (has_key)
			jsonb_put_literal(image, &entry, "key");
		if (has_value)
			jsonb_put_literal(image, &entry, "value");
		if (has_key)
			jsonb_put_string(image, &entry, member->key, (Size) member->length);
		if (has_value)
			otlp_restore_value(&member->value, image, &entry, places ? &member->order : order);
		jsonb_close_into(image, &entry, &list);
	}
	for (uint32 i = 0; i < nlabels; i++)
	{
		JsonbWriter entry;
		JsonbWriter value;

		jsonb_open(image, &entry, true, 2);
		jsonb_put_literal(image, &entry, "key");
		jsonb_put_literal(image, &entry, "value");
		jsonb_put_string(image, &entry, labels[i].key, strlen(labels[i].key));
		otlp_put_kind(image, &value, "stringValue");
		jsonb_put_string(image, &value, labels[i].value, strlen(labels[i].value));
		jsonb_close_into(image, &value, &entry);
		jsonb_close_into(image, &entry, &list);
	}
	jsonb_close_into(image, &list, parent);
	pfree(members);
	if (places)
		pfree(places);
}
