/*
 * otlp_value.h
 *		Attributes of OTLP/JSON, and the flat form in which they are stored.
 */
#ifndef DISTRIBUTED_OTLP_VALUE_H
#define DISTRIBUTED_OTLP_VALUE_H

#include "postgres.h"

#include "core/jsonb_image.h"

/* Levels of attribute values in attribute values. */
#define OTLP_DEPTH_MOST 500

/* An attribute of a list that is being flattened. */
typedef struct OtlpKey
{
	const char *key;
	int length;
	uint32 place;                /* in the list as it came */
	int64 overflow;              /* if not 0: it counts attributes left out */
	const JsonbContainer *value; /* AnyValue, or NULL */
} OtlpKey;

/* What is being read, how, and from where. */
typedef struct OtlpSource
{
	bool hygiene;
	/* says, in an error's detail, which part of it has the fault */
	void (*locate)(const struct OtlpSource *source, StringInfo detail);
	const char *key; /* attribute that is being read, or NULL */
	int key_length;
	OtlpKey *keys; /* of the lists that are being flattened, inner ones last */
	uint32 nkeys;
	uint32 maxkeys;
} OtlpSource;

/* The order of keys in a list and the lists in it, while it is flattened. */
typedef struct OtlpOrder
{
	StringInfoData bytes;
	bool differs; /* from that of jsonb */
} OtlpOrder;

/* The same, while the list is restored. */
typedef struct OtlpOrderCursor
{
	const uint8 *next;
	const uint8 *end;
} OtlpOrderCursor;

pg_noreturn extern void otlp_fault(const OtlpSource *source, int sqlstate, const char *hint,
								   const char *detail, ...) pg_attribute_printf(4, 5);
extern const char *otlp_excerpt(const char *text, int length);
extern const char *otlp_value_name(const JsonbValue *value);

extern void otlp_source_init(OtlpSource *source, bool hygiene,
							 void (*locate)(const OtlpSource *source, StringInfo detail));
extern int64 otlp_integer(const OtlpSource *source, const JsonbValue *value, const char *name,
						  int64 least, int64 most);

extern bool otlp_is_integer(const char *text);
extern const char *otlp_read_double(const OtlpSource *source, const JsonbValue *value,
									Numeric *number);
extern JsonbValue otlp_read_bytes(const OtlpSource *source, const JsonbValue *value);
extern bool otlp_is_wrapper_name(const char *key, int length);

extern void otlp_order_init(OtlpOrder *order);
extern void otlp_order_start(OtlpOrder *order);
extern void otlp_order_append(StringInfo out, uint64 number);
extern bool otlp_order_next(OtlpOrderCursor *cursor, uint64 *number);

/*
 * A list of KeyValue (NULL if there is none) as an object, which becomes a
 * child of "parent" or, if that is NULL, the whole image.
 */
extern void otlp_flatten(OtlpSource *source, const JsonbContainer *list, StringInfo image,
						 JsonbWriter *parent, OtlpOrder *order);

/* An attribute that is a string. */
typedef struct OtlpLabel
{
	const char *key;
	const char *value;
} OtlpLabel;

/* The list that an object was made of, and some labels, as a child of "parent". */
extern void otlp_restore(const JsonbContainer *object, const OtlpLabel *labels, uint32 nlabels,
						 StringInfo image, JsonbWriter *parent, OtlpOrderCursor *order);

#endif /* DISTRIBUTED_OTLP_VALUE_H */
