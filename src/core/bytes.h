/*
 * bytes.h
 *		The one order of names, keys and values.
 */
#ifndef DISTRIBUTED_BYTES_H
#define DISTRIBUTED_BYTES_H

#include "postgres.h"

/*
 * By bytes, and a prefix before its extensions.  No collation: the order is
 * the same on every server, whatever library it was built with.
 */
static inline int
bytes_compare(const char *a, Size alen, const char *b, Size blen)
{
	int order = memcmp(a, b, Min(alen, blen));

	if (order != 0)
		return order;
	return (alen > blen) - (alen < blen);
}

#endif /* DISTRIBUTED_BYTES_H */
