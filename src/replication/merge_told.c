/*
 * merge_told.c
 *		Which horizons this server has told.
 *
 * Nobody else tells up to which time all rows of a node have been sent, so what the
 * others have heard of this one are times that it has told itself.  If not, it was
 * restored from an old copy, which does not know what it has told since, or another
 * server has its name.  To know the last one would not do: a server that was restored
 * tells later ones at once.
 *
 * But a restored server has been started.  So what is kept is, for each start of the
 * server, the first and the last horizon that it has told from then on: what was told
 * and forgotten lies between two of these spans, or behind them all.  It is an array of
 * bigint, with three of them for each start: when that was, as a timestamptz, the first
 * and the last.
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "replication/merge_told.h"

/* Of more starts, the oldest count as one. */
#define TOLD_MAX_SPANS 32

typedef struct ToldSpan
{
	int64 start;
	int64 first;
	int64 last;
} ToldSpan;

/* The spans of an array, without what is no span; room for one more. */
static ToldSpan *
told_spans(ArrayType *told, int *count)
{
	Datum *values = NULL;
	bool *nulls = NULL;
	int nvalues = 0;
	ToldSpan *spans;

	if (told)
		deconstruct_array(told, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values,
						  &nulls, &nvalues);
	*count = 0;
	spans = palloc0(sizeof(ToldSpan) * (nvalues / 3 + 1));
	for (int i = 0; i + 2 < nvalues; i += 3)
	{
		ToldSpan *span = &spans[*count];

		if (nulls[i] || nulls[i + 1] || nulls[i + 2])
			continue;
		span->start = DatumGetInt64(values[i]);
		span->first = DatumGetInt64(values[i + 1]);
		span->last = DatumGetInt64(values[i + 2]);
		(*count)++;
	}
	return spans;
}

/* Has this server told a horizon?  NULL: it has told none. */
bool
merge_told_has(ArrayType *told, int64 horizon)
{
	int count;
	ToldSpan *spans = told_spans(told, &count);

	for (int i = 0; i < count; i++)
	{
		if (spans[i].first <= horizon && horizon <= spans[i].last)
			return true;
	}
	return false;
}

/* It tells one, having been started at a time. */
ArrayType *
merge_told_add(ArrayType *told, TimestampTz start, int64 horizon)
{
	int count;
	ToldSpan *spans = told_spans(told, &count);
	ToldSpan *last = count > 0 ? &spans[count - 1] : NULL;
	Datum *values;

	if (last && last->start == start)
		last->last = Max(last->last, horizon);
	else
	{
		spans[count].start = start;
		spans[count].first = spans[count].last = horizon;
		count++;
	}
	if (count > TOLD_MAX_SPANS)
	{
		spans[1].first = spans[0].first;
		spans[1].last = Max(spans[0].last, spans[1].last);
		spans++;
		count--;
	}
	values = palloc(sizeof(Datum) * 3 * count);
	for (int i = 0; i < count; i++)
	{
		values[3 * i] = Int64GetDatum(spans[i].start);
		values[3 * i + 1] = Int64GetDatum(spans[i].first);
		values[3 * i + 2] = Int64GetDatum(spans[i].last);
	}
	return construct_array(values, 3 * count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
						   TYPALIGN_DOUBLE);
}
