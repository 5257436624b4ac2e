/*
 * attribute_hygiene.h
 *		What attributes may not keep: secrets, control bytes, great length.
 */
#ifndef DISTRIBUTED_ATTRIBUTE_HYGIENE_H
#define DISTRIBUTED_ATTRIBUTE_HYGIENE_H

#include "postgres.h"

/* Attributes of one span, event, link, scope or resource that are kept. */
#define HYGIENE_ATTRIBUTES_MOST 64
/* Bytes of a value that are kept. */
#define HYGIENE_VALUE_MOST 1024
/* What stands for the value of a secret. */
#define HYGIENE_REDACTED "<redacted>"
/* The attribute that counts those left out. */
#define HYGIENE_OVERFLOW "_overflow_attributes"

/* Must the value of this key be redacted? */
extern bool hygiene_key_is_secret(const char *key, int length);

/*
 * A value without control bytes and cut to length; false if it is fine as it is,
 * else *cleaned is palloc'd, without a NUL at its end.
 */
extern bool hygiene_clean_text(const char *text, int length, char **cleaned, int *cleaned_length);

#endif /* DISTRIBUTED_ATTRIBUTE_HYGIENE_H */
