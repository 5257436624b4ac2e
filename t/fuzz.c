/*
 * fuzz.c
 *		Every type reads anything: it gives an error or a value, and that value
 *		is what was said.
 *
 * A libpq client that sends mutated values as parameters of prepared
 * statements, in text or binary format.  Each input must end in one of two
 * ways:
 *
 *	- an error of severity ERROR whose SQLSTATE says that the input is wrong
 *	  (see text_states and binary_states).  From PostgreSQL 16 on
 *	  pg_input_is_valid() must agree, without an error of its own;
 *	- a value.  Its text read again, and its binary image read again, must be
 *	  equal to it and give the same text and the same image, and the laws of
 *	  its type must hold (see Laws).  Neither channel may change a value
 *	  silently: what a text means is asked of a reader of PostgreSQL's own
 *	  (FuzzType.meaning), and an image must come back byte for byte, or, where
 *	  its parts may come in any order, with the same bytes (of a range, which
 *	  the server puts into its normal form, only the bounds are ours).
 *
 * A lost connection, a timeout, or any other SQLSTATE is a failure.  So is a
 * run in which hardly anything was accepted or rejected.
 *
 *		fuzz [--seed N] [--count N] CONNINFO TYPE text|binary
 *		fuzz --input HEX CONNINFO TYPE text|binary		one input, say a reported one
 *		fuzz --types									the types, one per line
 *
 * The same seed gives the same inputs on every machine, as long as the same
 * ones are accepted.  The database needs the extension; t/030_fuzz.pl compiles
 * this and runs it for every type.  To compile it by hand:
 *
 *		cc -I$(pg_config --includedir) t/fuzz.c -L$(pg_config --libdir) -lpq -o fuzz
 *
 * A new type joins by one line of "types".
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libpq-fe.h"

#define lengthof(array) (sizeof(array) / sizeof((array)[0]))

/* How the image that comes back stands to the one that was accepted. */
typedef enum ImageRule
{
	IMAGE_SAME,
	IMAGE_ANY_ORDER, /* its parts may have come in another order */
	IMAGE_NORMALISED /* the server has put it into its normal form */
} ImageRule;

/* What must hold for every value of a type. */
typedef enum Laws
{
	NO_LAWS,
	JOIN_LAWS,    /* merge(x, x) = x, x <@ x */
	LATTICE_LAWS, /* and by way of jsonb it stays x */
	DELTA_LAWS    /* and the delta of x that one needs who has nothing is x */
} Laws;

/*
 * How a text is made longer: by "member" behind "marker", time and again.  In
 * it each # stands for a number greater than the one before, $ for one as
 * great or a little greater.
 */
typedef struct Growth
{
	const char *marker;
	const char *member;
} Growth;

typedef struct FuzzType
{
	const char *name;
	Laws laws;
	ImageRule rule;
	const char *also[4];    /* what the server's own part of the I/O may say, besides */
	const char *meaning[4]; /* SQL: does "a" mean what the text "input" says, in all respects? */
	Growth growth[4];       /* if any */
	const char *corpus[16]; /* valid texts to start from */
} FuzzType;

/* SQL: does the timestamp "a" mean what the text "input" says? */
#define HLC_MEANING \
	"CASE WHEN input ~ '^\\s*-?\\d+\\.'" \
	" THEN nanoseconds(a) = split_part(input, '.', 1)::numeric" \
	"  AND logical(a) = split_part(input, '.', 2)::numeric" \
	" ELSE physical(a) - split_part(input, '/', 1)::timestamptz" \
	"   BETWEEN interval '-1 microsecond' AND interval '1 microsecond'" \
	"  AND (nanoseconds(a) % 1000000000 + 1000000000) % 1000000000" \
	"   = coalesce(substring(split_part(input, '/', 1) FROM '\\.\\d+'), '0')::numeric * 1000000000" \
	"  AND logical(a) = CASE WHEN input ~ '/' THEN split_part(input, '/', 2) ELSE '0' END::numeric" \
	" END"

/*
 * SQL: is "a" as JSON exactly what the text must become?  "entries" makes the
 * entries from the text's, "member" of "store", and "none" is what there is
 * without any.  The dots that the text knows, as prefixes and as ranges in any
 * order, are put together to ranges that do not touch; those from 1 are the
 * prefixes.  Counters are numeric, lest anything overflows.
 */
#define DOT_STORE_MEANS(member, entries, none) \
	"a::jsonb = (WITH i AS (SELECT input::jsonb AS store)," \
	" range (node, first, last) AS (" \
	"  SELECT key, 1::numeric, value::numeric FROM i, jsonb_each(store -> 'context')" \
	"   WHERE value <> '0'" \
	"  UNION ALL SELECT r ->> 0, (r -> 1)::numeric, (r -> 2)::numeric" \
	"   FROM i, jsonb_array_elements(store -> 'cloud') r)," \
	" split AS (SELECT *, first > 1 + max(last) OVER (PARTITION BY node ORDER BY first, last" \
	"   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS apart FROM range)," \
	" numbered AS (SELECT *, count(*) FILTER (WHERE apart) OVER (PARTITION BY node" \
	"   ORDER BY first, last ROWS UNBOUNDED PRECEDING) AS number FROM split)," \
	" known AS (SELECT node, min(first) AS first, max(last) AS last FROM numbered" \
	"   GROUP BY node, number)" \
	" SELECT CASE WHEN count(*) = 0 THEN '{}' ELSE jsonb_build_object(" \
	"   '" member "', coalesce((" entries "), '" none "')," \
	"   'context', coalesce(jsonb_object_agg(node, last) FILTER (WHERE first = 1), '{}'))" \
	"  || CASE WHEN bool_or(first > 1) THEN jsonb_build_object('cloud'," \
	"   jsonb_agg(jsonb_build_array(node, first, last) ORDER BY node COLLATE \"C\", first)" \
	"    FILTER (WHERE first > 1)) ELSE '{}' END END FROM known)"

/* SQL: what the accessor finds, too */
#define CONTEXT_MEANS "context(a)::jsonb = coalesce(a::jsonb -> 'context', '{}')"

/* SQL: an array in the order of the dots that "dot" finds in its items d */
#define BY_DOT(array, dot) \
	"SELECT jsonb_agg(d ORDER BY (" dot " ->> 0) COLLATE \"C\", (" dot " -> 1)::numeric)" \
	" FROM jsonb_array_elements(" array ") d"
#define GROUP_OF(member, dot) "SELECT (" BY_DOT("store -> '" member "'", dot) ") FROM i"
#define GROUPS_OF(member, dot) \
	"SELECT jsonb_object_agg(key, (" BY_DOT("value", \
											dot) ")) FROM i, jsonb_each(store -> '" member "')"

/* SQL: an array of what a query gives, sorted as the types sort */
#define SORTED(query) "ARRAY(SELECT s FROM (" query ") q (s) ORDER BY s COLLATE \"C\")"

/* SQL: what else is asked of a state, "terminal" being the states that end it */
#define STATE_MEANS(terminal) \
	"is_terminal(a) = (input IN (" terminal ")) AND is_conflict(a) = (input = 'conflict')"

/* SQL: is what "found" counts of nodes what the member says, but for zeros? */
#define STAMP_COUNTS(member, found) \
	found " = (SELECT coalesce(jsonb_object_agg(key, value) FILTER (WHERE value <> '0'), '{}')" \
		  " FROM jsonb_each(coalesce(input::jsonb -> '" member "', '{}')))"

/* SQL: is the last write of a column what JSON says, with the hash that was found? */
#define STAMP_WRITE(column, json, hash) \
	"stamp(a, " column ") IS NOT DISTINCT FROM (" json " ->> 'at')::hlc" \
	" AND node(a, " column ") IS NOT DISTINCT FROM " json " ->> 'node'" \
	" AND " hash " IS NOT DISTINCT FROM " json " ->> 'hash'"

/* Both kinds of flags hold nothing but dots. */
#define FLAG_CORPUS(member) \
	{ \
		"{}", "{\"" member "\": [[\"a\", 1]], \"context\": {\"a\": 1}}", \
			"{\"" member \
			"\": [[\"b\", 2], [\"a\", 3], [\"a\", 1]], \"context\": {\"b\": 2, \"a\": 9," \
			" \"c\": 0}}", \
			"{\"" member "\": [[\"c\", 8], [\"a\", 4]], \"context\": {\"a\": 2}," \
			" \"cloud\": [[\"c\", 7, 9], [\"a\", 4, 4], [\"a\", 3, 3], [\"c\", 5, 8]]}", \
			"{\"" member \
			"\": [[\"\xc3\xbc\", 4294967296], [\"\\u00fc\", 4294967295], [\"\\\"\\\\\\n\"," \
			" 2]], \"context\": {\"\\u00fc\": 4294967296}, \"cloud\": [[\"\\\"\\\\\\n\", 2, 2]]}", \
			"{\"" member "\": [], \"context\": {\"a\": 1, \"b\": 255, \"c\": 65536}}", \
			" { \"cloud\" : [ [ \"c\" , 2 , 3 ] ] , \"" member "\" : [ ] } ", \
			"{\"" member "\": [[\"big\", 9223372036854775807], [\"c\", 9223372036854775806]]," \
			" \"context\": {\"big\": 9223372036854775807}, \"cloud\": [[\"c\", 9223372036854775806," \
			" 9223372036854775807]]}" \
	}

/*
 * SQL: the JSON of a context, {} where the text "input" is a traceparent as it
 * comes; and that traceparent, without the blanks around it.
 */
#define CONTEXT_JSON        "(CASE WHEN input ~ '^[ \\t\\r\\n]*\\{' THEN input::jsonb ELSE '{}' END)"
#define CONTEXT_TRACEPARENT "btrim(coalesce(" CONTEXT_JSON " ->> 'traceparent', input), E' \\t')"

/* SQL: the members of the header field "field" with the blanks around them, and their numbers. */
#define HEADER_MEMBERS(field) "unnest(string_to_array(" field ", ',')) WITH ORDINALITY m (m, n)"

static const FuzzType types[] = {
	{"vclock",
	 LATTICE_LAWS,
	 IMAGE_ANY_ORDER,
	 {NULL},
	 {"a::jsonb = (SELECT coalesce(jsonb_object_agg(key, value) FILTER (WHERE value <> '0'), '{}')"
	  " FROM jsonb_each(input::jsonb))"},
	 {{"{", "\"n#\": #"}},
	 {"{}", "{\"a\": 1}", "{\"a\": 1, \"b\": 2, \"c\": 3}", "{ \"b\" :7,\"a\":0 }",
	  "{\"a\": 4294967295, \"b\": 4294967296}", "{\"x\": 9223372036854775807, \"y\": 1}",
	  "{\"\\u00e9\": 3, \"\\ud83d\\ude00\": 4, \"\\\"\\\\\\n\": 5}", "{\"\xc3\xbc\": 1}",
	  "{\"eu-west-1a/7\": 120, \"eu-west-1b/3\": 99, \"us-east-1c/12\": 345678}"}},
	{"lamport",
	 NO_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {"a::bigint = input::numeric"},
	 {{NULL, NULL}},
	 {"0", "1", "42", " 7 ", "007", "4294967295", "4294967296", "9223372036854775807"}},
	{"hlc",
	 NO_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {HLC_MEANING},
	 {{NULL, NULL}},
	 {"2026-11-22T13:00:00.123456789Z/7", "2026-11-22 13:00:00Z", "17.0", "-1.4294967295",
	  "1969-12-31T23:59:59.999999999Z/0", "2000-02-29T23:59:59.5-11:30/12", "0.0",
	  "1677-09-21T00:12:43.145224192Z/1", "2262-04-11T23:47:16.854775807Z/4294967295",
	  " 2024-02-29T00:00:00+0200 ", "-9223372036854775808.0", "9223372036854775807.1"}},
	/* a range is PostgreSQL's; it calls hlc's I/O for the bounds */
	{"hlcrange",
	 NO_LAWS,
	 IMAGE_NORMALISED,
	 {"22000" /* bounds in the wrong order */, "08P01" /* an image cut off */, NULL},
	 {"isempty(a) OR lower_inf(a) OR upper_inf(a) OR lower(a) <= upper(a)"},
	 {{NULL, NULL}},
	 {"empty", "(,)", "[17.0,18.0)", "[17.0,17.0]", "(-1.4294967295,0.0)",
	  "[2026-11-22T13:00:00.123456789Z/7,)", "(,2262-04-11T23:47:16.854775807Z/4294967295]",
	  "[\"2026-11-22 13:00:00Z\", 2026-11-23T00:00:00+02:00/1]",
	  "[-9223372036854775808.0,9223372036854775807.4294967295]"}},
	{"logical_time",
	 NO_LAWS,
	 IMAGE_ANY_ORDER,
	 {NULL},
	 {"a::jsonb::logical_time = a AND CASE kind(a)"
	  " WHEN 'lamport' THEN a::jsonb = input::jsonb"
	  " WHEN 'vector' THEN a::jsonb -> 'vector' = (SELECT coalesce(jsonb_object_agg(key, value)"
	  "   FILTER (WHERE value <> '0'), '{}') FROM jsonb_each(input::jsonb -> 'vector'))"
	  " ELSE (SELECT " HLC_MEANING
	  "  FROM (SELECT a::hlc, input::jsonb ->> 'hybrid') v (a, input)) END"},
	 {{"{\"vector\": {", "\"n#\": #"}},
	 {"{\"lamport\": 0}", "{\"lamport\": 42}", " { \"lamport\" : 9223372036854775807 } ",
	  "{\"vector\": {}}", "{\"vector\": {\"a\": 1, \"b\": 2}}",
	  "{\"vector\": {\"b\": 4294967296, \"a\": 0, \"\\u00e9\": 3}}", "{\"hybrid\": \"17.0\"}",
	  "{\"hybrid\": \"2026-11-22T13:00:00.123456789Z/7\"}",
	  "{\"hybrid\": \"-9223372036854775808.4294967295\"}"}},
	{"gcounter",
	 DELTA_LAWS,
	 IMAGE_ANY_ORDER,
	 {NULL},
	 {"a::jsonb = (SELECT coalesce(jsonb_object_agg(key, value) FILTER (WHERE value <> '0'), '{}')"
	  " FROM jsonb_each(input::jsonb))",
	  "value(a) = (SELECT coalesce(sum(value::numeric), 0) FROM jsonb_each(input::jsonb))"},
	 {{"{", "\"n#\": #"}},
	 {"{}", "{\"a\": 3}", "{\"a\": 1, \"b\": 2, \"c\": 3}", "{ \"b\" :7,\"a\":0 }",
	  "{\"a\": 255, \"b\": 256, \"c\": 65535, \"d\": 65536, \"e\": 4294967295, \"f\": 4294967296}",
	  "{\"x\": 9223372036854775807, \"y\": 9223372036854775807, \"z\": 9223372036854775807}",
	  "{\"\\u00e9\": 3, \"\\ud83d\\ude00\": 4, \"\\\"\\\\\\n\": 5, \"\xe6\x97\xa5\": 6}"}},
	{"pncounter",
	 DELTA_LAWS,
	 IMAGE_ANY_ORDER,
	 {NULL},
	 {"a::jsonb = (SELECT coalesce(jsonb_object_agg(key, value) FILTER (WHERE value <> '[0, 0]'),"
	  "  '{}') FROM jsonb_each(input::jsonb))",
	  "value(a) = (SELECT coalesce(sum((value -> 0)::numeric - (value -> 1)::numeric), 0)"
	  "  FROM jsonb_each(input::jsonb))"},
	 {{"{", "\"n#\": [#, #]"}, {"{", "\"n#\": [0, #]"}},
	 {"{}", "{\"a\": [5, 2]}", "{\"a\": [1, 0], \"b\": [0, 2], \"c\": [0, 0]}",
	  "{ \"b\" :[ 7,7 ],\"a\":[0,9] }", "{\"a\": [4294967295, 4294967296], \"b\": [255, 65536]}",
	  "{\"x\": [9223372036854775807, 0], \"y\": [0, 9223372036854775807],"
	  " \"z\": [9223372036854775807, 9223372036854775807], \"zz\": [9223372036854775807, 1]}",
	  "{\"\\u00e9\": [3, 1], \"\\ud83d\\ude00\": [0, 4], \"\\\"\\\\\\n\": [5, 5]}"}},
	{"lww_register",
	 LATTICE_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {"a::jsonb - 'at' = input::jsonb - 'at' AND (a::jsonb ? 'at') = (input::jsonb ? 'at')",
	  "coalesce(value(a), '-') = coalesce(input::jsonb ->> 'value', '-')"
	  " AND coalesce(node(a), '') = coalesce(input::jsonb ->> 'node', '')",
	  "(a::jsonb ->> 'at')::hlc IS NOT DISTINCT FROM stamp(a)",
	  "stamp(a) IS NULL OR (SELECT " HLC_MEANING
	  " FROM (SELECT stamp(a), input::jsonb ->> 'at') w (a, input))"},
	 {{NULL, NULL}},
	 {"{}", "{\"value\": \"x\", \"at\": \"2026-11-22T13:00:00.123456789Z/7\", \"node\": \"a\"}",
	  "{\"value\": \"\", \"at\": \"17.0\", \"node\": \"a\"}",
	  " { \"node\" :\"b\",\"at\":\"0.0\" , \"value\":\" \" } ",
	  "{\"node\": \"\\u00e9\", \"value\": \"\\ud83d\\ude00 \\\"\\\\\\n\", \"at\": "
	  "\"-1.4294967295\"}",
	  "{\"value\": \"{\\\"k\\\": [1, null]}\", \"at\": \"2026-11-22 13:00:00Z\", \"node\": "
	  "\"\xc3\xbc\"}",
	  "{\"value\": \"null\", \"at\": \"-9223372036854775808.0\", \"node\": \"null\"}",
	  "{\"value\": \"\xe6\x97\xa5\", \"at\": \"2262-04-11T23:47:16.854775807Z/4294967295\","
	  " \"node\": \"eu-west-1a/7\"}",
	  "{\"value\": \"v\", \"at\": \" 2000-02-29T23:59:59.5-11:30/12 \", \"node\": \"a\"}"}},
	{"lww_map",
	 DELTA_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 /* every write, the removals too; then those that the accessors show */
	 {"(SELECT bool_and(coalesce(same AND (" HLC_MEANING
	  "), false)) FROM (SELECT i.value - 'at' = o.value - 'at', (o.value ->> 'at')::hlc,"
	  "   i.value ->> 'at' FROM jsonb_each(input::jsonb) i FULL JOIN jsonb_each(a::jsonb) o"
	  "   USING (key)) w (same, a, input)) IS NOT FALSE",
	  "NOT EXISTS (SELECT FROM jsonb_each(input::jsonb) i FULL JOIN each(a) o USING (key)"
	  " WHERE i.value -> 'value' IS DISTINCT FROM 'null'"
	  "  AND (ROW (o.value, o.at, o.node) = ROW (i.value ->> 'value',"
	  "   (i.value ->> 'at')::hlc, i.value ->> 'node')) IS NOT TRUE)",
	  "document(a) = (SELECT coalesce(jsonb_object_agg(key, value -> 'value')"
	  " FILTER (WHERE value -> 'value' <> 'null'), '{}') FROM jsonb_each(input::jsonb))"},
	 {{"{", "\"k#\": {\"value\": \"v#\", \"at\": \"#.0\", \"node\": \"n\"}"},
	  {"{", "\"k#\": {\"value\": null, \"at\": \"17.7\", \"node\": \"n#\"}"}},
	 {"{}",
	  "{\"k\": {\"value\": \"x\", \"at\": \"2026-11-22T13:00:00.123456789Z/7\", \"node\": \"a\"}}",
	  "{\"k\": {\"value\": null, \"at\": \"17.0\", \"node\": \"a\"}}",
	  "{\"k\": {\"value\": \"\", \"at\": \"17.0\", \"node\": \"b\"},"
	  " \"l\": {\"value\": null, \"at\": \"18.0\", \"node\": \"a\"},"
	  " \"\": {\"value\": \"null\", \"at\": \"17.1\", \"node\": \"a\"}}",
	  " { \"z\" :{\"node\":\"b\",\"at\":\"0.0\" , \"value\":\" \" } , \"a\":{ \"at\" : "
	  "\"-9223372036854775808.0\",\"node\":\"c\",\"value\":\"1\"} } ",
	  "{\"\\u00e9\": {\"value\": \"\\ud83d\\ude00\", \"at\": \"-1.4294967295\", \"node\": \"\xc3\xbc\"},"
	  " \"\\\"\\\\\\n\": {\"value\": \"\\\"\\\\\\t\", \"at\": \"2026-11-22 13:00:00Z\", \"node\": "
	  "\"\\\"\"}, \"\xe6\x97\xa5\": {\"value\": null, \"at\": \"1.2\", \"node\": \"\xe6\x97\xa5\"}}",
	  "{\"at\": {\"value\": \"at\", \"at\": \"2262-04-11T23:47:16.854775807Z/4294967295\", \"node\": \"at\"},"
	  " \"node\": {\"value\": \"{\\\"k\\\": [1, null]}\", \"at\": \"1969-12-31T23:59:59.999999999Z/0\","
	  " \"node\": \"value\"}}"}},
	{"mv_register",
	 DELTA_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {DOT_STORE_MEANS("values", GROUP_OF("values", "(d -> 'dot')"), "[]"), CONTEXT_MEANS,
	  "siblings(a) = " SORTED("SELECT DISTINCT v ->> 'value'"
							  " FROM jsonb_array_elements(input::jsonb -> 'values') v")},
	 {{"\"values\": [", "{\"value\": \"v#\", \"dot\": [\"big\", #]}"},
	  {"\"context\": {", "\"n#\": #"},
	  {"\"cloud\": [", "[\"c\", #, $]"}},
	 {"{}", "{\"values\": [{\"value\": \"x\", \"dot\": [\"a\", 3]}], \"context\": {\"a\": 3}}",
	  "{\"values\": [{\"value\": \"x\", \"dot\": [\"a\", 3]}, {\"value\": \"y\", \"dot\": [\"b\", 1]},"
	  " {\"value\": \"x\", \"dot\": [\"b\", 2]}], \"context\": {\"b\": 2, \"a\": 9, \"c\": 0}}",
	  "{\"values\": [{\"dot\": [\"c\", 8], \"value\": \"\"}], \"context\": {\"a\": 2},"
	  " \"cloud\": [[\"c\", 7, 9], [\"a\", 4, 4], [\"a\", 3, 3], [\"c\", 5, 8]]}",
	  "{\"values\": [{\"value\": \"\\u00e9 \\\"\\\\\\n\", \"dot\": [\"\xc3\xbc\", 4294967296]},"
	  " {\"value\": \"\\ud83d\\ude00\", \"dot\": [\"\\u00fc\", 4294967295]}],"
	  " \"context\": {\"\\u00fc\": 4294967296}}",
	  "{\"values\": [], \"context\": {\"a\": 1, \"b\": 255, \"c\": 65536}}",
	  " { \"cloud\" : [ [ \"c\" , 2 , 3 ] ] , \"values\" : [ ] } ",
	  "{\"values\": [{\"value\": \"dot\", \"dot\": [\"big\", 9223372036854775807]}],"
	  " \"context\": {\"big\": 9223372036854775807}, \"cloud\": [[\"c\", 9223372036854775806, "
	  "9223372036854775807]]}"}},
	{"orset",
	 DELTA_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {DOT_STORE_MEANS("elements", GROUPS_OF("elements", "d"), "{}"), CONTEXT_MEANS,
	  "elements(a) = " SORTED("SELECT jsonb_object_keys(input::jsonb -> 'elements')")},
	 {{"\"elements\": {", "\"e#\": [[\"big\", #]]"},
	  {"\"context\": {", "\"n#\": #"},
	  {"\"cloud\": [", "[\"c\", #, $]"}},
	 {"{}", "{\"elements\": {\"apple\": [[\"a\", 1]]}, \"context\": {\"a\": 1}}",
	  "{\"elements\": {\"y\": [[\"b\", 2], [\"a\", 3], [\"a\", 1]], \"\": [[\"b\", 1]]},"
	  " \"context\": {\"b\": 2, \"a\": 9, \"c\": 0}}",
	  "{\"elements\": {\"x\": [[\"c\", 8], [\"a\", 4]]}, \"context\": {\"a\": 2},"
	  " \"cloud\": [[\"c\", 7, 9], [\"a\", 4, 4], [\"a\", 3, 3], [\"c\", 5, 8]]}",
	  "{\"elements\": {\"\\u00e9\": [[\"\xc3\xbc\", 4294967296]], \"\\ud83d\\ude00 \\\"\\\\\\n\":"
	  " [[\"\\u00fc\", 4294967295]], \"\xe6\x97\xa5\": [[\"\xe6\x97\xa5\", 1]]},"
	  " \"context\": {\"\\u00fc\": 4294967296, \"\xe6\x97\xa5\": 1}}",
	  "{\"elements\": {}, \"context\": {\"a\": 1, \"b\": 255, \"c\": 65536}}",
	  " { \"cloud\" : [ [ \"c\" , 2 , 3 ] ] , \"elements\" : { } } ",
	  "{\"elements\": {\"context\": [[\"big\", 9223372036854775807]], \"a\": [[\"c\", "
	  "9223372036854775806]]}, \"context\": {\"big\": 9223372036854775807},"
	  " \"cloud\": [[\"c\", 9223372036854775806, 9223372036854775807]]}",
	  "{\"elements\": {\"p\": [[\"a\", 1]], \"q\": [[\"a\", 2]], \"pq\": [[\"a\", 3]], \"r\":"
	  " [[\"a\", 4], [\"b\", 5]]}, \"context\": {\"a\": 4}, \"cloud\": [[\"b\", 1, 4], [\"b\", 5, 5]]}"}},
	{"or_map",
	 DELTA_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {DOT_STORE_MEANS("entries", GROUPS_OF("entries", "(d -> 'dot')"), "{}"), CONTEXT_MEANS,
	  "keys(a) = " SORTED("SELECT jsonb_object_keys(input::jsonb -> 'entries')"),
	  "(SELECT bool_and((a -> key) = ARRAY(SELECT s FROM"
	  "  (SELECT DISTINCT v ->> 'value' FROM jsonb_array_elements(value) v) q (s)"
	  "  ORDER BY s COLLATE \"C\")) FROM jsonb_each(input::jsonb -> 'entries')) IS NOT FALSE"},
	 {{"\"entries\": {", "\"k#\": [{\"value\": \"v#\", \"dot\": [\"big\", #]}]"},
	  {"\"context\": {", "\"n#\": #"},
	  {"\"cloud\": [", "[\"c\", #, $]"}},
	 {"{}",
	  "{\"entries\": {\"k\": [{\"value\": \"x\", \"dot\": [\"a\", 1]}]}, \"context\": {\"a\": 1}}",
	  "{\"entries\": {\"l\": [{\"value\": \"x\", \"dot\": [\"b\", 2]}, {\"value\": \"x\", \"dot\": [\"a\", 3]},"
	  " {\"value\": \"y\", \"dot\": [\"a\", 1]}], \"\": [{\"value\": \"\", \"dot\": [\"b\", 1]}]},"
	  " \"context\": {\"b\": 2, \"a\": 9, \"c\": 0}}",
	  "{\"entries\": {\"k\": [{\"dot\": [\"c\", 8], \"value\": \"null\"}], \"kk\": [{\"value\": \"4\","
	  " \"dot\": [\"a\", 4]}]}, \"context\": {\"a\": 2},"
	  " \"cloud\": [[\"c\", 7, 9], [\"a\", 4, 4], [\"a\", 3, 3], [\"c\", 5, 8]]}",
	  "{\"entries\": {\"\\u00e9\": [{\"value\": \"\xe6\x97\xa5\", \"dot\": [\"\xc3\xbc\", 4294967296]}],"
	  " \"\\\"\\\\\\n\": [{\"value\": \"\\ud83d\\ude00 \\\"\\\\\\t\", \"dot\": [\"\\u00fc\", 4294967295]}]},"
	  " \"context\": {\"\\u00fc\": 4294967296}}",
	  "{\"entries\": {}, \"context\": {\"a\": 1, \"b\": 255, \"c\": 65536}}",
	  " { \"cloud\" : [ [ \"c\" , 2 , 3 ] ] , \"entries\" : { } } ",
	  "{\"entries\": {\"dot\": [{\"value\": \"dot\", \"dot\": [\"big\", 9223372036854775807]}]},"
	  " \"context\": {\"big\": 9223372036854775807}, \"cloud\": [[\"c\", 9223372036854775806, "
	  "9223372036854775807]]}"}},
	{"ew_flag",
	 DELTA_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {DOT_STORE_MEANS("enabled", GROUP_OF("enabled", "d"), "[]"), CONTEXT_MEANS,
	  "value(a) = (jsonb_array_length(coalesce(input::jsonb -> 'enabled', '[]')) > 0)"},
	 {{"\"enabled\": [", "[\"big\", #]"},
	  {"\"context\": {", "\"n#\": #"},
	  {"\"cloud\": [", "[\"c\", #, $]"}},
	 FLAG_CORPUS("enabled")},
	{"dw_flag",
	 DELTA_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {DOT_STORE_MEANS("disabled", GROUP_OF("disabled", "d"), "[]"), CONTEXT_MEANS,
	  "value(a) = (jsonb_array_length(coalesce(input::jsonb -> 'disabled', '[]')) = 0)"},
	 {{"\"disabled\": [", "[\"big\", #]"},
	  {"\"context\": {", "\"n#\": #"},
	  {"\"cloud\": [", "[\"c\", #, $]"}},
	 FLAG_CORPUS("disabled")},
	{"trace_id",
	 NO_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {"a::text = lower(input)", "a::uuid = input::uuid", "a::bytea = decode(input, 'hex')",
	  "is_nil(a) = (input ~ '^0*$') AND a::uuid::trace_id = a AND a::bytea::trace_id = a"},
	 {{NULL, NULL}},
	 {"5b8efff798038103d269b633813fc60c", "5B8EFFF798038103D269B633813FC60C",
	  "00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff",
	  "0af7651916cd43dd8448eb211c80319c"}},
	{"span_id",
	 NO_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {"a::text = lower(input)", "a::bytea = decode(input, 'hex') AND a::bytea::span_id = a",
	  "a::bigint = ('x' || input)::bit(64)::bigint AND a::bigint::span_id = a",
	  "is_nil(a) = (input ~ '^0*$')"},
	 {{NULL, NULL}},
	 {"eee19b7ec3c1b174", "EEE19B7EC3C1B174", "0000000000000000", "8000000000000000",
	  "ffffffffffffffff"}},
	{"trace_flags",
	 NO_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {"a::text = lower(input)", "a::integer = ('x' || input)::bit(8)::integer",
	  "a::integer::trace_flags = a"},
	 {{NULL, NULL}},
	 {"00", "01", "02", "7f", "FF"}},
	{"trace_context",
	 NO_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 /* the ids and flags; of a later version than 00, only two flags */
	 {"(SELECT traceparent(a) = CASE WHEN h LIKE '00%' THEN h ELSE '00' || substr(h, 3, 51)"
	  "   || '0' || to_hex(('x' || substr(h, 54, 2))::bit(8)::integer & 3) END"
	  "  AND trace_id(a) = substr(h, 4, 32)::trace_id AND span_id(a) = substr(h, 37, 16)::span_id"
	  " FROM (SELECT " CONTEXT_TRACEPARENT ") s (h))",
	  /* the other members, but for the lists */
	  "(SELECT region(a) IS NOT DISTINCT FROM j ->> 'region'"
	  "  AND parent_span_id(a) IS NOT DISTINCT FROM (j ->> 'parent_span_id')::span_id"
	  "  AND (created_at_ns(a) IS NULL) = (j ->> 'created_at' IS NULL)"
	  "  AND (SELECT a IS NULL OR " HLC_MEANING
	  "   FROM (SELECT (a::jsonb ->> 'created_at')::hlc, j ->> 'created_at') w (a, input))"
	  "  AND coalesce(tracestate(a), '') = coalesce((SELECT string_agg(btrim(m, E' \\t'), ',' ORDER BY n)"
	  "   FROM " HEADER_MEMBERS("j ->> 'tracestate'") " WHERE btrim(m, E' \\t') <> ''), '')"
													  " FROM (SELECT " CONTEXT_JSON ") s (j))",
	  /* the baggage; of a header field with other than ASCII, only the keys */
	  "(SELECT CASE WHEN jsonb_typeof(b) = 'object' THEN baggage(a) = (SELECT coalesce(jsonb_object_agg("
	  "   key, CASE jsonb_typeof(value) WHEN 'object' THEN value -> 'value' ELSE value END), '{}')"
	  "   FROM jsonb_each(b))"
	  "  WHEN b #>> '{}' ~ '%[89A-Fa-f]' THEN ARRAY(SELECT k FROM jsonb_object_keys(baggage(a)) k"
	  "    ORDER BY k COLLATE \"C\") = ARRAY(SELECT btrim(split_part(m, '=', 1), E' \\t') COLLATE \"C\" AS k"
	  "   FROM " HEADER_MEMBERS(
		  "b #>> '{}'") " ORDER BY k)"
						"  ELSE baggage(a) = (SELECT coalesce(jsonb_object_agg(btrim(split_part(m, '=', 1), E' \\t'),"
						"   coalesce((SELECT string_agg(CASE WHEN c[1] LIKE '\\%%' THEN chr(('x' || substr(c[1], 2))::bit(8)"
						"     ::integer) ELSE c[1] END, '' ORDER BY i) FROM regexp_matches(btrim(substr(split_part(m, ';', 1),"
						"    strpos(m, '=') + 1), E' \\t'), '%..|.', 'g') WITH ORDINALITY r (c, i)), '')), '{}')"
						"   FROM " HEADER_MEMBERS(
							"b #>> '{}'") " WHERE btrim(m, E' \\t') <> '') END"
										  " FROM (SELECT coalesce(" CONTEXT_JSON
										  " -> 'baggage', 'null')) s (b))",
	  /* and by way of jsonb, of the header fields and of bytes it stays what it is */
	  "a::jsonb::trace_context = a AND to_bytes(from_bytes(to_bytes(a))) = to_bytes(a)"
	  " AND trace_context_from_headers(traceparent(a), tracestate(a), baggage_header(a))::jsonb"
	  "  = a::jsonb - '{region,created_at,parent_span_id}'::text[]"},
	 {{"\"baggage\": {", "\"k#\": \"v#\""},
	  {"\"baggage\": \"", "k#=v#"},
	  {"\"tracestate\": \"", "t#=#"},
	  {"\"properties\": \"", "p#=#;q"}},
	 {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	  "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-what-the-future-will-be-like",
	  " \t00-ffffffffffffffffffffffffffffffff-0000000000000001-00 ",
	  "{\"traceparent\": \"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}",
	  "{\"traceparent\": \" fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-07\", \"tracestate\":"
	  " \"rojo=00f067aa0ba902b7 , ,\\tcongo@x=t61rcWkgMzE\"}",
	  "{\"traceparent\": \"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03\", \"tracestate\":"
	  " \"a= b\", \"parent_span_id\": \"00F067AA0BA902B7\", \"region\": \"eu-\\u00e9 \\ud83d\\ude00\","
	  " \"created_at\": \"2026-11-22T13:00:00.123456789Z\", \"baggage\": {\"userId\": \"Am\\u00e9lie\","
	  " \"serverNode\": {\"value\": \"DF 28\", \"properties\": \"ttl=30;internal\"}}}",
	  " { \"baggage\" : { \"b\" : \"\" , \"a\" : \"\\\"\\\\,;=% \\n\" } , \"created_at\" : \"2026-11-22 14:00:00+01\""
	  " , \"region\" : null , \"traceparent\" : \"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\" } ",
	  "{\"baggage\": \"userId=alice , serverNode=DF%2028;ttl = 30; internal,b==%3d\", \"traceparent\":"
	  " \"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}",
	  "{\"baggage\": \"userId=Am%C3%A9lie,x=%FF%E2%82;p=%C3%a9\", \"traceparent\":"
	  " \"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\", \"region\": \"r\"}"}},
	{"lattice_state",
	 JOIN_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {"a::text = input AND input::lattice_state = a",
	  STATE_MEANS("'committed', 'aborted', 'conflict'")},
	 {{NULL, NULL}},
	 {"unknown", "reserved", "committed", "aborted", "conflict"}},
	{"lease_state",
	 JOIN_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {"a::text = input AND input::lease_state = a",
	  STATE_MEANS("'released', 'expired', 'conflict'")},
	 {{NULL, NULL}},
	 {"unknown", "active", "released", "expired", "conflict"}},
	{"obligation_lattice",
	 DELTA_LAWS,
	 IMAGE_SAME,
	 {NULL},
	 {"a::jsonb = input::jsonb",
	  "ARRAY(SELECT ROW (obligation, node, reported::text) FROM entries(a)) = ARRAY(SELECT"
	  " ROW (o.key, w.key, w.value) FROM jsonb_each(input::jsonb) o, jsonb_each_text(o.value) w"
	  " ORDER BY o.key COLLATE \"C\", w.key COLLATE \"C\")",
	  "(SELECT bool_and(state(a, o.key) = (SELECT merge(w.value::lattice_state)"
	  " FROM jsonb_each_text(o.value) w)) FROM jsonb_each(input::jsonb) o) IS NOT FALSE",
	  "obligations(a) = " SORTED("SELECT jsonb_object_keys(input::jsonb)")},
	 {{"{", "\"o#\": {\"a\": \"reserved\"}"}, {": {", "\"n#\": \"committed\""}},
	 {"{}", "{\"o1\": {\"a\": \"committed\"}}",
	  "{\"o1\": {\"a\": \"committed\", \"b\": \"aborted\"}, \"o2\": {\"b\": \"reserved\","
	  " \"a\": \"unknown\"}}",
	  " { \"z\" :{ \"b\":\"conflict\" , \"a\" :\"unknown\"} , \"a\":{\"c7\" : \"aborted\" } } ",
	  "{\"\\u00e9\": {\"\\ud83d\\ude00\": \"reserved\", \"\\\"\\\\\\n\": \"committed\"},"
	  " \"\\\"\\\\\\n\": {\"\xc3\xbc\": \"conflict\"}, \"\xe6\x97\xa5\": {\"\xe6\x97\xa5\": "
	  "\"\\u0061borted\"}}",
	  "{\"{\": {\"{\": \"reserved\", \"}\": \"aborted\"}, \"\\\": {\\\"\": {\", \": \"committed\"},"
	  " \" \": {\"\\\"\": \"unknown\"}}",
	  "{\"committed\": {\"committed\": \"committed\", \"aborted\": \"reserved\"},"
	  " \"aborted\": {\"aborted\": \"aborted\", \"committed\": \"unknown\"}}",
	  "{\"order-7/step 10\": {\"eu-west-1a/7\": \"reserved\", \"eu-west-1b/3\": \"committed\","
	  " \"us-east-1c/12\": \"unknown\"}, \"order-7/step 2\": {\"eu-west-1a/7\": \"committed\"},"
	  " \"order-42\": {\"0\": \"aborted\", \"1\": \"committed\"}}"}},
	{"row_stamp",
	 LATTICE_LAWS,
	 IMAGE_ANY_ORDER,
	 {NULL},
	 {STAMP_COUNTS("context", "context(a)::jsonb"),
	  STAMP_COUNTS(
		  "live",
		  "coalesce(a::jsonb -> 'live', '{}')") " AND is_present(a) = (context(a) = '{}' OR a::jsonb ? 'live')",
	  STAMP_WRITE("''", "input::jsonb -> 'row'", "a::jsonb #>> '{row,hash}'"),
	  "(SELECT bool_and(" STAMP_WRITE(
		  "key", "value",
		  "a::jsonb #>> ARRAY['columns', key, 'hash']") ")"
														" FROM jsonb_each(input::jsonb -> 'columns')) IS NOT FALSE"},
	 {{"\"context\": {", "\"n#\": #"},
	  {"\"columns\": {", "\"c#\": {\"at\": \"#.0\", \"node\": \"m#\"}"}},
	 {"{}", "{\"context\": {\"a\": 1}, \"live\": {\"a\": 1}}",
	  "{\"context\": {\"a\": 17, \"b\": 9}, \"live\": {\"b\": 8}, \"row\": {\"at\": \"17.0\", \"node\": \"a\"}}",
	  "{\"row\": {\"at\": \"2026-11-22T13:00:00.123456789Z/7\", \"node\": \"a\", \"hash\": \"00000000000000ff\"},"
	  " \"columns\": {\"name\": {\"at\": \"3.1\", \"node\": \"b\"}, \"new\": null, \"big\": {\"at\": \"2.0\","
	  " \"node\": \"a\", \"hash\": \"fedcba9876543210\"}}}",
	  " { \"columns\" : { \"\\u00e9\" : null , \"\\\"\\\\\\n\" : { \"node\" : \"\xe6\x97\xa5\" , \"at\" : \"0.4294967295\" } } } ",
	  "{\"context\": {\"berlin\": 1790000000000000000, \"tokyo\": 1790000086400000000}, \"live\": {\"berlin\":"
	  " 1790000000000000000, \"tokyo\": 1790000086400000000}, \"row\": {\"at\": \"1790000000000000000.0\", \"node\":"
	  " \"berlin\", \"hash\": \"0123456789abcdef\"}, \"columns\": {\"status\": {\"at\": \"1790000086400000000.0\","
	  " \"node\": \"tokyo\"}}}",
	  "{\"context\": {\"big\": 9214364837600034815}, \"live\": {\"big\": 1}, \"row\": {\"at\":"
	  " \"9214364837600034815.0\", \"node\": \"big\"}}",
	  "{\"arrives\": true, \"context\": {\"a\": 17, \"b\": 9}, \"live\": {\"b\": 8}, \"row\": {\"at\":"
	  " \"17.0\", \"node\": \"a\"}}"}},
};

/* What an error may say. */
static const char *const text_states[] =
	{"22P02", /* not of the type's form */
	 "22003", /* number out of range */
	 "22021", /* not of the client's encoding */
	 "22P05", /* no such character in the server's encoding, or \u0000 */
	 NULL};
static const char *const binary_states[] = {"22P03", "22003", "22021", "22P05", NULL};

/* JSON nested this deep may be refused as PostgreSQL's own json does. */
#define DEEP_NESTING 1000
#define TOO_COMPLEX  "54001"

#define INPUT_MAX      400000 /* bytes of the largest input */
#define POOL_INPUT_MAX 4096   /* of one that others are made from */
#define POOL_SIZE      256
#define BATCH          200  /* inputs on their way at a time */
#define SEED_TEXTS     2000 /* texts that are tried to find images to start from */
#define REPORTED_MAX   10   /* failures shown in full */
#define LEAST_SHARE    0.05 /* that must be accepted, and rejected */

typedef struct Bytes
{
	size_t length;
	char *data; /* what is sent ends in a NUL that is not counted */
} Bytes;

/* A parameterised execution of a prepared statement. */
typedef struct Execution
{
	int nparams;
	const char *values[3];
	int lengths[3];
	int formats[3];
	PGresult *result;
} Execution;

/* What is tried now. */
static const FuzzType *type;
static bool binary;
static PGconn *conn;

/* Values that mutation starts from; the first "fixed" ones stay. */
typedef struct Pool
{
	Bytes items[POOL_SIZE];
	size_t count;
	size_t fixed;
} Pool;

static Pool texts;
static Pool images;

/* What happened. */
static long ninputs;
static long naccepted;
static long nfailures;

static struct
{
	char state[6];
	long count;
} rejected[8];

/*
 * Random numbers: splitmix64.
 */

static uint64_t rng_state;

static uint64_t
rng_next(void)
{
	uint64_t x = (rng_state += UINT64_C(0x9e3779b97f4a7c15));

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* 0 to limit - 1 */
static size_t
rng_below(size_t limit)
{
	return (size_t) (rng_next() % limit);
}

/*
 * Reporting
 */

static void
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(2);
}

static void
failure(const Bytes *input, const char *format, ...)
{
	va_list args;

	if (nfailures++ >= REPORTED_MAX)
		return;
	printf("FAILURE: %s as %s: ", type->name, binary ? "binary" : "text");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n  rerun with --input ");
	for (size_t i = 0; i < input->length; i++)
		printf("%02x", (unsigned char) input->data[i]);
	printf("\n");
}

static void
count_rejected(const char *state)
{
	size_t i = 0;

	while (i < lengthof(rejected) - 1 && rejected[i].count > 0 &&
		   strcmp(rejected[i].state, state) != 0)
		i++;
	snprintf(rejected[i].state, sizeof(rejected[i].state), "%s", state);
	rejected[i].count++;
}

/*
 * Executing
 */

static void
set_param(Execution *execution, int number, const char *value, size_t length, bool as_binary)
{
	execution->values[number] = value;
	execution->lengths[number] = (int) length;
	execution->formats[number] = as_binary;
	if (execution->nparams <= number)
		execution->nparams = number + 1;
}

/*
 * Execute a statement with many parameters and keep the results.  All of them
 * travel together where libpq can do that, each as a transaction of its own.
 */
static void
execute(const char *statement, Execution *executions, size_t count, const Bytes *inputs)
{
#ifdef LIBPQ_HAS_PIPELINING
	for (size_t i = 0; i < count; i++)
	{
		Execution *e = &executions[i];

		if (PQsendQueryPrepared(conn, statement, e->nparams, e->values, e->lengths, e->formats,
								1) != 1 ||
			PQpipelineSync(conn) != 1)
		{
			failure(&inputs[i], "cannot send (or lost with an input just before): %s",
					PQerrorMessage(conn));
			exit(2);
		}
	}
#endif
	for (size_t i = 0; i < count; i++)
	{
		Execution *e = &executions[i];
#ifdef LIBPQ_HAS_PIPELINING
		PGresult *end;

		e->result = PQgetResult(conn);
		while ((end = PQgetResult(conn)) != NULL)
			PQclear(end);
		end = PQgetResult(conn);
		if (PQstatus(conn) == CONNECTION_OK && PQresultStatus(end) != PGRES_PIPELINE_SYNC)
			die("lost track of the results");
		PQclear(end);
#else
		e->result = PQexecPrepared(conn, statement, e->nparams, e->values, e->lengths, e->formats,
								   1);
#endif
		if (PQstatus(conn) != CONNECTION_OK)
		{
			failure(&inputs[i], "connection lost: %s", PQerrorMessage(conn));
			exit(2);
		}
	}
}

static const char *
error_state(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return state ? state : "none";
}

static bool
nested_deep(const Bytes *input)
{
	int openings = 0;

	for (size_t i = 0; i < input->length; i++)
		openings += input->data[i] == '[' || input->data[i] == '{';
	return openings > DEEP_NESTING;
}

static bool
state_allowed(const char *state, const Bytes *input)
{
	const char *const *allowed = binary ? binary_states : text_states;

	for (; *allowed; allowed++)
	{
		if (strcmp(state, *allowed) == 0)
			return true;
	}
	for (allowed = type->also; *allowed; allowed++)
	{
		if (strcmp(state, *allowed) == 0)
			return true;
	}
	return !binary && strcmp(state, TOO_COMPLEX) == 0 && nested_deep(input);
}

static void
judge_rejected(const PGresult *result, const Bytes *input)
{
	const char *state = error_state(result);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	count_rejected(state);
	if (!state_allowed(state, input) || !severity || strcmp(severity, "ERROR") != 0)
		failure(input, "it is refused with SQLSTATE %s: %s", state, PQresultErrorMessage(result));
}

static bool
same_bytes(const PGresult *x, int xcolumn, const PGresult *y, int ycolumn)
{
	int length = PQgetlength(x, 0, xcolumn);

	return length == PQgetlength(y, 0, ycolumn) &&
		memcmp(PQgetvalue(x, 0, xcolumn), PQgetvalue(y, 0, ycolumn), length) == 0;
}

static bool
is_true(const PGresult *result, int column)
{
	return !PQgetisnull(result, 0, column) && PQgetlength(result, 0, column) == 1 &&
		PQgetvalue(result, 0, column)[0] == 1;
}

/* Is the image that was sent the one that came back? */
static bool
same_image(const Bytes *input, const char *image, size_t length)
{
	int surplus[256] = {0};

	if (type->rule == IMAGE_NORMALISED)
		return true;
	if (input->length != length)
		return false;
	if (type->rule == IMAGE_SAME)
		return memcmp(input->data, image, length) == 0;
	for (size_t i = 0; i < length; i++)
	{
		surplus[(unsigned char) input->data[i]]++;
		surplus[(unsigned char) image[i]]--;
	}
	for (size_t i = 0; i < lengthof(surplus); i++)
	{
		if (surplus[i] != 0)
			return false;
	}
	return true;
}

/*
 * The value came out as "first" (image, text).  Now it was read again from
 * both: "again" holds image, text, image, text and three verdicts.
 */
static void
judge_accepted(const PGresult *first, const PGresult *again, const Bytes *input)
{
	if (PQresultStatus(again) != PGRES_TUPLES_OK)
	{
		failure(input, "the value is not read again, SQLSTATE %s: %s", error_state(again),
				PQresultErrorMessage(again));
		return;
	}
	if (!same_bytes(first, 0, again, 0) || !same_bytes(first, 1, again, 1))
		failure(input, "its text %s is read as %s, or the image changes", PQgetvalue(first, 0, 1),
				PQgetvalue(again, 0, 1));
	if (!same_bytes(first, 0, again, 2) || !same_bytes(first, 1, again, 3))
		failure(input, "the image of %s is read as %s, or comes out as another",
				PQgetvalue(first, 0, 1), PQgetvalue(again, 0, 3));
	if (!is_true(again, 4))
		failure(input, "%s read from text and from binary are not equal", PQgetvalue(first, 0, 1));
	if (!is_true(again, 5))
		failure(input, "a law of its type does not hold for x = %s", PQgetvalue(first, 0, 1));
	if (!is_true(again, 6))
		failure(input, "the value means something else: %s", PQgetvalue(first, 0, 1));
	if (binary && !same_image(input, PQgetvalue(first, 0, 0), (size_t) PQgetlength(first, 0, 0)))
		failure(input, "the image that is sent comes back as another, of %s",
				PQgetvalue(first, 0, 1));
}

/*
 * The pool
 */

static void
pool_add(Pool *pool, const char *data, size_t length)
{
	Bytes *entry;

	if (length == 0 || length > POOL_INPUT_MAX)
		return;
	if (pool->count < POOL_SIZE)
		entry = &pool->items[pool->count++];
	else
	{
		entry = &pool->items[pool->fixed + rng_below(POOL_SIZE - pool->fixed)];
		free(entry->data);
	}
	entry->data = malloc(length + 1);
	if (entry->data == NULL)
		die("out of memory");
	entry->length = length;
	memcpy(entry->data, data, length);
	entry->data[length] = '\0';
}

/*
 * Try some inputs.  Of the accepted ones some join the pool; if "seeding",
 * the images of all that is accepted join theirs.
 */
static void
try_inputs(const Bytes *inputs, size_t count, bool seeding)
{
	static Execution probes[BATCH];
	static Execution checks[BATCH];
	static Bytes checked[BATCH];
	static size_t origin[BATCH];
	static Execution soft[BATCH];
	static Bytes refused[BATCH];
	size_t nchecks = 0;
	size_t nsoft = 0;

	memset(probes, 0, sizeof(probes));
	memset(checks, 0, sizeof(checks));
	memset(soft, 0, sizeof(soft));
	for (size_t i = 0; i < count; i++)
		set_param(&probes[i], 0, inputs[i].data, inputs[i].length, binary);
	execute("probe", probes, count, inputs);
	ninputs += (long) count;

	for (size_t i = 0; i < count; i++)
	{
		const PGresult *first = probes[i].result;

		if (PQresultStatus(first) == PGRES_TUPLES_OK)
		{
			Execution *check = &checks[nchecks];

			naccepted++;
			set_param(check, 0, PQgetvalue(first, 0, 1), 0, false);
			set_param(check, 1, PQgetvalue(first, 0, 0), PQgetlength(first, 0, 0), true);
			set_param(check, 2, binary ? NULL : inputs[i].data, 0, false);
			origin[nchecks] = i;
			checked[nchecks++] = inputs[i];
		}
		else
		{
			judge_rejected(first, &inputs[i]);
			/* not what a parameter of type text may not be, or what runs out of stack */
			if (!binary && strcmp(error_state(first), "22021") != 0 &&
				strcmp(error_state(first), TOO_COMPLEX) != 0)
			{
				set_param(&soft[nsoft], 0, inputs[i].data, 0, false);
				refused[nsoft++] = inputs[i];
			}
		}
	}

	execute("check", checks, nchecks, checked);
	for (size_t i = 0; i < nchecks; i++)
	{
		const PGresult *first = probes[origin[i]].result;

		judge_accepted(first, checks[i].result, &checked[i]);
		if (seeding)
			pool_add(&images, PQgetvalue(first, 0, 0), (size_t) PQgetlength(first, 0, 0));
		else if (rng_below(16) == 0)
			pool_add(binary ? &images : &texts, checked[i].data, checked[i].length);
	}

	if (nsoft > 0 && PQserverVersion(conn) >= 160000)
	{
		execute("soft", soft, nsoft, refused);
		for (size_t i = 0; i < nsoft; i++)
		{
			const PGresult *result = soft[i].result;

			if (PQresultStatus(result) != PGRES_TUPLES_OK)
				failure(&refused[i], "not a soft error: SQLSTATE %s: %s", error_state(result),
						PQresultErrorMessage(result));
			else if (!is_true(result, 0))
				failure(&refused[i], "pg_input_is_valid() says that it is valid");
			PQclear(soft[i].result);
		}
	}
	for (size_t i = 0; i < nchecks; i++)
		PQclear(checks[i].result);
	for (size_t i = 0; i < count; i++)
		PQclear(probes[i].result);
}

/*
 * Making inputs
 */

static const char *const numbers[] = {"0",
									  "1",
									  "2",
									  "10",
									  "-1",
									  "-0",
									  "00",
									  "01",
									  "2147483647",
									  "2147483648",
									  "4294967295",
									  "4294967296",
									  "9223372036854775807",
									  "9223372036854775808",
									  "-9223372036854775808",
									  "-9223372036854775809",
									  "18446744073709551615",
									  "18446744073709551616",
									  "18446744073709551617",
									  "99999999999999999999999999999999",
									  "1e3",
									  "1E-1",
									  "1.0",
									  "0.5",
									  "1e999",
									  "0x10",
									  "1_000",
									  "NaN",
									  "Infinity",
									  ""};

/* Valid numbers, so that much is accepted. */
#define NUMBERS_COMMON 4

static const char *const tokens[] = {"{",
									 "}",
									 "[",
									 "]",
									 ",",
									 ":",
									 "\"",
									 "\\",
									 "{}",
									 "[]",
									 "null",
									 "true",
									 "false",
									 "\"a\"",
									 "\"\"",
									 "\"a\": 1",
									 ", \"b\": 2",
									 "\\u0000",
									 "\\u0001",
									 "\\u00e9",
									 "\\ud83d",
									 "\\ude00",
									 "\\ud83d\\ude00",
									 "\\u12",
									 "\\x",
									 "\xc3\xa9",
									 "\xe2\x82\xac",
									 "\xf0\x9f\x98\x80",
									 "\xff",
									 "\xc3",
									 "\xc0\x80",
									 "\xed\xa0\x80",
									 "\xf5\x80\x80\x80",
									 "\xef\xbb\xbf",
									 " ",
									 "\t",
									 "\n",
									 "\r",
									 "\v",
									 "\x01",
									 "\x7f",
									 "-",
									 "+",
									 ".",
									 "..",
									 "/",
									 "Z",
									 "z",
									 "T",
									 "e",
									 "'",
									 "%s%n",
									 "$1",
									 "//",
									 "2026-11-22",
									 "T24:00:00",
									 "23:59:60",
									 "12:34:56",
									 "+00",
									 "-15:59",
									 "+16:00",
									 "17.0",
									 "infinity",
									 "now",
									 "2025-02-29",
									 "0000-01-01",
									 "9999-12-31",
									 "BC",
									 "\"lamport\": ",
									 "\"vector\": ",
									 "\"hybrid\": ",
									 "\"elements\": ",
									 "\"entries\": ",
									 "\"values\": ",
									 "\"enabled\": ",
									 "\"disabled\": ",
									 "\"context\": ",
									 "\"cloud\": ",
									 "\"value\": ",
									 "\"dot\": ",
									 "\"at\": ",
									 "\"node\": ",
									 "\"17.0\"",
									 "[\"a\", 1]",
									 "[\"a\", 2]",
									 "[\"a\", 2, 5]",
									 "[5, 2]",
									 "[\"c\", 7, 9], "};

static const uint64_t boundaries[] = {0,
									  1,
									  2,
									  0x7f,
									  0x80,
									  0xff,
									  0x100,
									  0x7fff,
									  0x8000,
									  0xffff,
									  0x10000,
									  0x7fffffff,
									  0x80000000,
									  0xfffffffe,
									  0xffffffff,
									  UINT64_C(0x100000000),
									  UINT64_C(0x7ffffffffffffffe),
									  UINT64_C(0x7fffffffffffffff),
									  UINT64_C(0x8000000000000000),
									  UINT64_C(0x8000000000000001),
									  UINT64_C(0xffffffffffffffff)};

/* Replace "removed" bytes at a position by others. */
static void
replace(Bytes *input, size_t position, size_t removed, const char *bytes, size_t length)
{
	size_t rest = input->length - position - removed;

	if (input->length - removed + length > INPUT_MAX)
		return;
	memmove(input->data + position + length, input->data + position + removed, rest);
	memcpy(input->data + position, bytes, length);
	input->length += length - removed;
}

static void
insert(Bytes *input, size_t position, const char *bytes, size_t length)
{
	replace(input, position, 0, bytes, length);
}

/* A random range of the input, mostly a short one. */
static size_t
pick_range(const Bytes *input, size_t *position)
{
	size_t limit;

	*position = rng_below(input->length + 1);
	limit = input->length - *position;
	if (limit > 16 && rng_below(4) > 0)
		limit = 16;
	return rng_below(limit + 1);
}

static const Bytes *
pick_from_pool(void)
{
	const Pool *pool = binary ? &images : &texts;

	return &pool->items[rng_below(rng_below(2) == 0 ? pool->fixed : pool->count)];
}

static void
put_integer(char *bytes, uint64_t integer, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char) (integer >> 8 * (length - 1 - i));
}

/* Changes that suit any kind of bytes. */
static void
mutate_bytes(Bytes *input)
{
	char copy[POOL_INPUT_MAX];
	size_t position;
	size_t length;
	const Bytes *other;

	switch (rng_below(7))
	{
		case 0: /* flip a bit */
			if (input->length > 0)
				input->data[rng_below(input->length)] ^= (char) (1 << rng_below(8));
			break;
		case 1: /* overwrite or insert a byte */
			length = rng_below(2);
			position = rng_below(input->length + 1 - (input->length > 0 ? length : 0));
			copy[0] = (char) rng_next();
			replace(input, position, input->length > 0 ? length : 0, copy, 1);
			break;
		case 2: /* delete */
			length = pick_range(input, &position);
			replace(input, position, length, "", 0);
			break;
		case 3: /* duplicate */
			length = pick_range(input, &position);
			if (length <= sizeof(copy))
			{
				memcpy(copy, input->data + position, length);
				insert(input, position, copy, length);
			}
			break;
		case 4: /* truncate */
			input->length = rng_below(input->length + 1);
			break;
		case 5: /* go on as another */
			other = pick_from_pool();
			position = rng_below(other->length + 1);
			length = rng_below(input->length + 1);
			replace(input, length, input->length - length, other->data + position,
					other->length - position);
			break;
		case 6: /* replace a stretch by that of another */
			other = pick_from_pool();
			length = other->length < input->length ? other->length : input->length;
			if (length > 0)
			{
				position = rng_below(length);
				length = rng_below(length - position) + 1;
				memcpy(input->data + position, other->data + position, length);
			}
			break;
	}
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static void
mutate_image(Bytes *input)
{
	uint64_t integer = boundaries[rng_below(lengthof(boundaries))];
	size_t size = rng_below(2) == 0 ? 4 : 8;
	char bytes[8];
	size_t position;

	switch (rng_below(5))
	{
		case 0: /* an integer that is read before a length is checked */
			put_integer(bytes, integer, size);
			if (input->length >= size)
				replace(input, rng_below(input->length - size + 1), size, bytes, size);
			break;
		case 1:
			put_integer(bytes, integer, size);
			insert(input, rng_below(input->length + 1), bytes, size);
			break;
		case 2: /* one more or less: versions, counts, lengths */
			if (input->length > 0)
				input->data[rng_below(input->length)] += rng_below(2) == 0 ? 1 : -1;
			break;
		case 3: /* some random bytes in place */
			if (input->length == 0)
				break;
			position = rng_below(input->length);
			for (size_t i = position; i < input->length && i < position + 8; i++)
				input->data[i] = (char) rng_next();
			break;
		case 4: /* another letter, so that names and values change */
			position = rng_below(input->length + 1);
			while (position < input->length && !is_letter(input->data[position]))
				position++;
			if (position < input->length)
				input->data[position] = (char) ('a' + rng_below(26));
			break;
	}
}

/* Give another number for one of the numbers of a text. */
static void
mutate_number(Bytes *input)
{
	char own[24];
	const char *number = own;
	size_t start;
	size_t end;

	if (input->length == 0)
		return;
	start = rng_below(input->length);
	while (start < input->length && !is_digit(input->data[start]))
		start++;
	while (start > 0 && is_digit(input->data[start - 1]))
		start--;
	for (end = start; end < input->length && is_digit(input->data[end]); end++)
		;
	switch (rng_below(4))
	{
		case 0:
			number = numbers[rng_below(lengthof(numbers))];
			break;
		case 1:
			number = numbers[rng_below(NUMBERS_COMMON)];
			break;
		case 2:
			snprintf(own, sizeof(own), "%" PRIu64, rng_next() >> rng_below(64));
			break;
		case 3: /* as many digits as before */
			for (size_t i = start; i < end; i++)
				input->data[i] = (char) ('0' + rng_below(10));
			return;
	}
	replace(input, start, end - start, number, strlen(number));
}

/* Give another string for one between quotes. */
static void
mutate_string(Bytes *input)
{
	static const int lengths[] = {0, 1, 2, 3, 8, 127, 128, 254, 255, 256, 300, 4000};
	char string[4000];
	size_t length = lengths[rng_below(lengthof(lengths))];
	size_t start;
	size_t end;

	for (start = rng_below(input->length + 1); start < input->length; start++)
	{
		if (input->data[start] == '"')
			break;
	}
	if (start >= input->length)
		return;
	for (end = ++start; end < input->length && input->data[end] != '"'; end++)
		;
	for (size_t i = 0; i < length; i++)
		string[i] = (char) ('a' + rng_below(26));
	switch (rng_below(4))
	{
		case 0: /* of two bytes per character, with an odd one at the end */
			for (size_t i = 0; i + 1 < length; i += 2)
				memcpy(string + i, "\xc3\xa4", 2);
			break;
		case 1:
			if (length > 8)
				memcpy(string, "\\u00e9\\n", 8);
			break;
	}
	replace(input, start, end - start, string, length);
}

/* Where a string stands in a text; its length if nowhere. */
static size_t
find_string(const Bytes *input, const char *string)
{
	size_t length = strlen(string);
	size_t position = 0;

	while (
		position < input->length &&
		(input->length - position < length || memcmp(input->data + position, string, length) != 0))
		position++;
	return position;
}

/* Give the value some or many members more. */
static void
mutate_members(Bytes *input)
{
	size_t count = rng_below(8) == 0 ? rng_below(300) : rng_below(6);
	int step = 11 + (int) rng_below(53);
	uint64_t number = (rng_next() >> 1) >> rng_below(63);
	const Growth *growth = type->growth;
	size_t ways = 0;
	size_t position;

	while (ways < lengthof(type->growth) && growth[ways].marker)
		ways++;
	if (ways == 0)
		return;
	growth += rng_below(ways);
	position = find_string(input, growth->marker);
	if (position == input->length)
		return;
	position += strlen(growth->marker);
	for (size_t i = 0; i < count; i++)
	{
		char member[128];
		size_t length = 0;
		bool first = position < input->length && strchr("]}", input->data[position]) != NULL;

		for (const char *c = growth->member; *c; c++)
		{
			if (*c == '#')
				number += 1 + (rng_next() >> step);
			else if (*c == '$')
				number += rng_below(4);
			if (*c == '#' || *c == '$')
				length += (size_t) snprintf(member + length, sizeof(member) - length, "%" PRIu64,
											number);
			else
				member[length++] = *c;
		}
		insert(input, position, first ? "" : ", ", first ? 0 : 2);
		insert(input, position, member, length);
	}
}

/*
 * Pick a member of an object or an item of an array, from its first byte to
 * the comma or the bracket behind it.  Any text will do.
 */
static bool
pick_part(const Bytes *input, size_t *start, size_t *end)
{
	size_t from = rng_below(input->length + 1);
	size_t position;
	bool quoted = false;
	int depth = 0;

	for (position = 0; position < input->length; position++)
	{
		char c = input->data[position];

		if (c == '\\' && quoted)
			position++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && strchr("{[,", c) != NULL && position >= from)
			break;
	}
	*start = position + 1;
	if (*start >= input->length)
		return false;
	quoted = false;
	for (position = *start; position < input->length; position++)
	{
		char c = input->data[position];

		if (c == '\\' && quoted)
			position++;
		else if (c == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (c == '{' || c == '[')
			depth++;
		else if (depth == 0 && (c == '}' || c == ']' || c == ','))
			break;
		else if (c == '}' || c == ']')
			depth--;
	}
	*end = position < input->length ? position : input->length;
	return true;
}

/* Take a member or item away, repeat it, or put one of another text there. */
static void
mutate_parts(Bytes *input)
{
	static char part[POOL_INPUT_MAX];
	const Bytes *source = input;
	size_t start;
	size_t end;
	size_t length;

	if (rng_below(2) == 0)
	{
		source = pick_from_pool();
		if (!pick_part(source, &start, &end))
			return;
	}
	else if (!pick_part(input, &start, &end))
		return;
	length = end - start;
	if (length > sizeof(part))
		return;
	memcpy(part, source->data + start, length);
	if (source != input && !pick_part(input, &start, &end))
		return;
	switch (rng_below(3))
	{
		case 0: /* with a comma, before it or behind it */
			if (end < input->length && input->data[end] == ',')
				end++;
			else if (start > 0 && input->data[start - 1] == ',')
				start--;
			replace(input, start, end - start, "", 0);
			break;
		case 1:
			insert(input, start, ", ", 2);
			insert(input, start, part, length);
			break;
		case 2:
			replace(input, start, end - start, part, length);
			break;
	}
}

static void
mutate_text(Bytes *input)
{
	const char *token = tokens[rng_below(lengthof(tokens))];
	size_t position;

	switch (rng_below(10))
	{
		case 0:
		case 1:
		case 2:
			mutate_number(input);
			break;
		case 3:
			mutate_string(input);
			break;
		case 4:
			mutate_members(input);
			break;
		case 5:
			insert(input, rng_below(input->length + 1), token, strlen(token));
			break;
		case 6:
		case 7:
			mutate_parts(input);
			break;
		case 8: /* blanks where JSON takes them, and at both ends */
			position = rng_below(3) == 0 ? 0 : rng_below(input->length + 1);
			while (position > 0 && position < input->length &&
				   strchr("{},:", input->data[position]) == NULL)
				position++;
			insert(input, position, "  " + rng_below(2), 1);
			break;
		case 9:
			mutate_bytes(input);
			break;
	}
}

/* Nothing but brackets, closed or not. */
static void
make_nested(Bytes *input)
{
	static const char *const openings[] = {"[", "{\"a\":", "[{\"a\":", "{\"a\": [1, "};
	static const char *const closings[] = {"]", "}", "}]", "]}"};
	size_t which = rng_below(lengthof(openings));
	size_t depth = rng_below(8) == 0 ? 20000 : rng_below(200);
	bool closed = rng_below(2) == 0;

	input->length = 0;
	for (size_t i = 0; i < depth; i++)
		insert(input, input->length, openings[which], strlen(openings[which]));
	insert(input, input->length, "1", 1);
	for (size_t i = 0; i < depth && closed; i++)
		insert(input, input->length, closings[which], strlen(closings[which]));
}

static void
make_random(Bytes *input)
{
	bool of_tokens = !binary && rng_below(2) == 0;
	size_t length = rng_below(40);

	input->length = 0;
	for (size_t i = 0; i < length; i++)
	{
		const char *token = tokens[rng_below(lengthof(tokens))];
		char byte = (char) rng_next();

		if (of_tokens)
			insert(input, input->length, token, strlen(token));
		else
			insert(input, input->length, &byte, 1);
	}
}

static void
make_input(Bytes *input)
{
	size_t kind = rng_below(1000);
	size_t changes = rng_below(2) == 0 ? 1 : 1 + rng_below(4);

	if (kind < 50)
		make_random(input);
	else if (kind < 53 && !binary)
		make_nested(input);
	else
	{
		const Bytes *start = pick_from_pool();

		input->length = start->length;
		memcpy(input->data, start->data, start->length);
		for (size_t i = 0; i < changes; i++)
		{
			if (!binary)
				mutate_text(input);
			else if (rng_below(2) == 0)
				mutate_image(input);
			else
				mutate_bytes(input);
		}
	}
	/* libpq sends a text up to its first NUL byte */
	for (size_t i = 0; i < input->length && !binary; i++)
	{
		if (input->data[i] == '\0')
			input->data[i] = '0';
	}
	input->data[input->length] = '\0';
}

static void
fuzz(long count, bool seeding)
{
	static Bytes inputs[BATCH];

	while (count > 0)
	{
		size_t n = count < BATCH ? (size_t) count : BATCH;

		for (size_t i = 0; i < n; i++)
		{
			if (inputs[i].data == NULL)
				inputs[i].data = malloc(INPUT_MAX + 1);
			if (inputs[i].data == NULL)
				die("out of memory");
			make_input(&inputs[i]);
		}
		try_inputs(inputs, n, seeding);
		count -= (long) n;
	}
}

/*
 * Setting up
 */

static void
prepare(const char *name, const char *format, ...)
{
	char sql[16384];
	va_list args;
	PGresult *result;

	va_start(args, format);
	vsnprintf(sql, sizeof(sql), format, args);
	va_end(args);
	result = PQprepare(conn, name, sql, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die("cannot prepare %s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
}

static void
open_connection(const char *conninfo)
{
	static const char *const settings =
		"SET client_encoding = 'UTF8'; SET statement_timeout = '60s'; SET timezone = 'UTC';"
		"SET plan_cache_mode = force_generic_plan; SET datestyle = 'ISO'";
	char laws[256] = "true";
	char meaning[8192] = "true";
	size_t length = strlen(meaning);
	PGresult *result;

	conn = PQconnectdb(conninfo);
	if (PQstatus(conn) != CONNECTION_OK)
		die("%s", PQerrorMessage(conn));
	result = PQexec(conn, settings);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die("%s", PQerrorMessage(conn));
	PQclear(result);

	prepare("probe", "SELECT a, a::text FROM (SELECT $1::%s AS a) s", type->name);
	if (type->laws == JOIN_LAWS)
		snprintf(laws, sizeof(laws), "merge(a, b) = a AND a <@ b");
	else if (type->laws != NO_LAWS)
		snprintf(laws, sizeof(laws), "merge(a, b) = a AND a <@ b AND a::jsonb::%s = a%s",
				 type->name, type->laws == DELTA_LAWS ? " AND delta(a, '{}') = a" : "");
	for (size_t i = 0; i < lengthof(type->meaning) && type->meaning[i]; i++)
		length += (size_t) snprintf(meaning + length, sizeof(meaning) - length, " AND (%s)",
									type->meaning[i]);
	prepare("check",
			"SELECT a, a::text, b, b::text, a = b, %s, input IS NULL OR (%s)"
			" FROM (SELECT $1::%s AS a, $2::%s AS b, $3::text AS input) s",
			laws, meaning, type->name, type->name);
	if (PQserverVersion(conn) >= 160000)
		prepare("soft", "SELECT NOT pg_input_is_valid($1::text, '%s')", type->name);
#ifdef LIBPQ_HAS_PIPELINING
	if (PQenterPipelineMode(conn) != 1)
		die("%s", PQerrorMessage(conn));
#endif
}

/* The corpus; for the binary channel, its images and those of mutated texts. */
static void
fill_pools(void)
{
	for (size_t i = 0; i < lengthof(type->corpus) && type->corpus[i]; i++)
		pool_add(&texts, type->corpus[i], strlen(type->corpus[i]));
	texts.fixed = texts.count;
	if (!binary)
		return;

	binary = false;
	try_inputs(texts.items, texts.count, true);
	images.fixed = images.count;
	if (images.fixed != texts.fixed)
		die("FAILURE: the corpus is not all accepted");
	fuzz(SEED_TEXTS, true);
	binary = true;
	naccepted = ninputs = 0;
	memset(rejected, 0, sizeof(rejected));
}

static int
try_one(const char *hex)
{
	Bytes input = {0, malloc(strlen(hex) / 2 + 1)};

	for (unsigned int byte; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		input.data[input.length++] = (char) byte;
	input.data[input.length] = '\0';
	try_inputs(&input, 1, false);
	if (naccepted == 1)
		printf("accepted\n");
	else
		printf("refused with SQLSTATE %s\n", rejected[0].state);
	return nfailures > 0;
}

static void
usage(void)
{
	die("usage: fuzz [--seed N] [--count N] [--input HEX] CONNINFO TYPE text|binary\n"
		"       fuzz --types");
}

int
main(int argc, char **argv)
{
	uint64_t seed = 1;
	long count = 100000;
	const char *hex = NULL;
	time_t started = time(NULL);
	int arg = 1;

	for (; arg < argc && strncmp(argv[arg], "--", 2) == 0; arg += 2)
	{
		if (strcmp(argv[arg], "--types") == 0)
		{
			for (size_t i = 0; i < lengthof(types); i++)
				printf("%s\n", types[i].name);
			return 0;
		}
		if (arg + 1 >= argc)
			usage();
		if (strcmp(argv[arg], "--seed") == 0)
			seed = strtoull(argv[arg + 1], NULL, 0);
		else if (strcmp(argv[arg], "--count") == 0)
			count = strtol(argv[arg + 1], NULL, 0);
		else if (strcmp(argv[arg], "--input") == 0)
			hex = argv[arg + 1];
		else
			usage();
	}
	if (argc - arg != 3)
		usage();
	for (size_t i = 0; i < lengthof(types); i++)
	{
		if (strcmp(types[i].name, argv[arg + 1]) == 0)
			type = &types[i];
	}
	if (type == NULL)
		die("unknown type %s", argv[arg + 1]);
	binary = strcmp(argv[arg + 2], "binary") == 0;
	if (!binary && strcmp(argv[arg + 2], "text") != 0)
		usage();

	rng_state = seed;
	open_connection(argv[arg]);
	if (hex)
		return try_one(hex);
	fill_pools();
	fuzz(count, false);
	PQfinish(conn);

	printf("%s as %s: seed %" PRIu64 ", %ld inputs in %ld s: %ld accepted", type->name,
		   argv[arg + 2], seed, ninputs, (long) (time(NULL) - started), naccepted);
	for (size_t i = 0; i < lengthof(rejected) && rejected[i].count > 0; i++)
		printf(", %ld %s", rejected[i].count, rejected[i].state);
	printf("; %ld failures\n", nfailures);
	if ((double) naccepted < LEAST_SHARE * (double) ninputs ||
		(double) (ninputs - naccepted) < LEAST_SHARE * (double) ninputs)
		die("FAILURE: too little is accepted or rejected for this to prove anything");
	return nfailures > 0;
}
