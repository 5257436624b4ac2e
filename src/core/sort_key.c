/*
 * sort_key.c
 *		Sorting by a number that comes first in a type's order.
 *
 * If a type's order is decided first by a number, such as the sum of a
 * clock's counters, that number is an abbreviated key: most comparisons of a
 * sort then neither fetch nor read the values.  Making a key costs no more
 * than one comparison, so abbreviation is never given up.
 */
#include "core/compat.h"

#include "core/sort_key.h"

static bool
sort_key_abort(int count, SortSupport ssup)
{
	return false;
}

/*
 * Sort by "compare", and by the keys that "abbreviate" makes where the sort
 * wants such.  Keys are compared as unsigned numbers; equal keys decide
 * nothing.
 */
void
sort_key_install(SortSupport ssup, int (*compare)(Datum x, Datum y, SortSupport ssup),
				 Datum (*abbreviate)(Datum original, SortSupport ssup))
{
	ssup->comparator = compare;
	if (ssup->abbreviate)
	{
		ssup->comparator = compat_unsigned_datum_compare;
		ssup->abbrev_converter = abbreviate;
		ssup->abbrev_abort = sort_key_abort;
		ssup->abbrev_full_comparator = compare;
	}
}
