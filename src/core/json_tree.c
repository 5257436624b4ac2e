/*
 * json_tree.c
 *		JSON text as a tree that a type's reader can walk.
 *
 * Every non-scalar type is written as JSON (RFC 8259).  PostgreSQL's own
 * parser (common/jsonapi.h) does the reading; its callbacks differ between
 * server versions and cannot report a soft error on all of them, so they only
 * record what they see, in order and with duplicate keys kept, and the types
 * judge the tree afterwards.  Strings come de-escaped, in the server's
 * encoding and without NUL bytes; numbers come as the literal token, so no
 * digit is lost to floating point.
 */
#include "core/compat.h"

#include "core/json_tree.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/json.h"
#include "utils/memutils.h"

typedef struct JsonTreeReader
{
	JsonTree *root;
	JsonTree *open;    /* innermost unfinished object or array */
	const char *field; /* key of the value that comes next, or NULL */
} JsonTreeReader;

static JsonTree *
json_tree_attach(JsonTreeReader *reader, JsonTreeKind kind, const char *text)
{
	JsonTree *node = palloc0(sizeof(JsonTree));
	JsonTree *parent = reader->open;

	CHECK_FOR_INTERRUPTS();
	node->kind = kind;
	node->name = reader->field;
	node->text = text;
	node->parent = parent;
	reader->field = NULL;

	if (parent == NULL)
		reader->root = node;
	else
	{
		if (parent->nchildren == parent->maxchildren)
		{
			parent->maxchildren = Max(8, parent->maxchildren * 2);
			parent->children = parent->children
				? repalloc_huge(parent->children, sizeof(JsonTree *) * parent->maxchildren)
				: palloc(sizeof(JsonTree *) * parent->maxchildren);
		}
		parent->children[parent->nchildren++] = node;
	}
	return node;
}

static JsonActionResult
json_tree_object_start(void *state)
{
	JsonTreeReader *reader = state;

	reader->open = json_tree_attach(reader, JSON_TREE_OBJECT, NULL);
	JSON_ACTION_DONE;
}

static JsonActionResult
json_tree_array_start(void *state)
{
	JsonTreeReader *reader = state;

	reader->open = json_tree_attach(reader, JSON_TREE_ARRAY, NULL);
	JSON_ACTION_DONE;
}

static JsonActionResult
json_tree_container_end(void *state)
{
	JsonTreeReader *reader = state;

	reader->open = reader->open->parent;
	JSON_ACTION_DONE;
}

static JsonActionResult
json_tree_field_start(void *state, char *name, bool isnull)
{
	JsonTreeReader *reader = state;

	reader->field = name;
	JSON_ACTION_DONE;
}

static JsonActionResult
json_tree_scalar(void *state, char *token, JsonTokenType type)
{
	JsonTreeReader *reader = state;
	JsonTreeKind kind = JSON_TREE_NULL;

	switch (type)
	{
		case JSON_TOKEN_STRING:
			kind = JSON_TREE_STRING;
			break;
		case JSON_TOKEN_NUMBER:
			kind = JSON_TREE_NUMBER;
			break;
		case JSON_TOKEN_TRUE:
		case JSON_TOKEN_FALSE:
			kind = JSON_TREE_BOOLEAN;
			break;
		case JSON_TOKEN_NULL:
			break;
		default:
			elog(ERROR, "unexpected JSON token type %d", (int) type);
	}
	json_tree_attach(reader, kind, token);
	JSON_ACTION_DONE;
}

/*
 * Parse "length" bytes of "text".  Returns NULL after a soft error.
 */
JsonTree *
json_tree_read(const char *text, int length, const InputSource *source)
{
	JsonTreeReader reader = {0};
	JsonSemAction actions = {0};
	JsonLexContext *lexer;
	JsonParseErrorType result;

	actions.semstate = &reader;
	actions.object_start = json_tree_object_start;
	actions.object_end = json_tree_container_end;
	actions.object_field_start = json_tree_field_start;
	actions.array_start = json_tree_array_start;
	actions.array_end = json_tree_container_end;
	actions.scalar = json_tree_scalar;

	lexer = compat_json_lexer(unconstify(char *, text), length, GetDatabaseEncoding());
	result = pg_parse_json(lexer, &actions);
	if (result != JSON_SUCCESS)
	{
		input_malformed(source, "%s", json_errdetail(result, lexer));
		return NULL;
	}
	return reader.root;
}

const char *
json_tree_kind_name(JsonTreeKind kind)
{
	switch (kind)
	{
		case JSON_TREE_OBJECT:
			return "an object";
		case JSON_TREE_ARRAY:
			return "an array";
		case JSON_TREE_STRING:
			return "a string";
		case JSON_TREE_NUMBER:
			return "a number";
		case JSON_TREE_BOOLEAN:
			return "a boolean";
		case JSON_TREE_NULL:
			return "null";
	}
	return "a value";
}

/*
 * The members of an object that has some of "names" and no others; those that
 * are missing come as NULL.  "what" begins the sentence about a fault.
 */
bool
json_tree_members(const JsonTree *object, const InputSource *source, const char *what,
				  const char *const *names, int count, const JsonTree **members)
{
	if (object->kind != JSON_TREE_OBJECT)
		return input_malformed(source, "%s is %s, not an object.", what,
							   json_tree_kind_name(object->kind));
	for (int which = 0; which < count; which++)
		members[which] = NULL;
	for (int i = 0; i < object->nchildren; i++)
	{
		const JsonTree *child = object->children[i];
		int which = 0;

		while (which < count && strcmp(child->name, names[which]) != 0)
			which++;
		if (which == count)
			return input_malformed(source, "%s has an unknown member %s.", what,
								   json_tree_quote(child->name, (int) strlen(child->name)));
		if (members[which])
			return input_malformed(source, "%s has the member %s more than once.", what,
								   json_tree_quote(child->name, (int) strlen(child->name)));
		members[which] = child;
	}
	return true;
}

static int
json_tree_compare_names(const void *x, const void *y)
{
	CHECK_FOR_INTERRUPTS();
	return strcmp((*(JsonTree *const *) x)->name, (*(JsonTree *const *) y)->name);
}

/* Does every key of an object occur once?  "what" a key is begins the sentence. */
bool
json_tree_check_unique(const JsonTree *object, const InputSource *source, const char *what)
{
	JsonTree **sorted;

	if (object->nchildren < 2)
		return true;
	sorted = MemoryContextAllocHuge(CurrentMemoryContext,
									sizeof(JsonTree *) * (Size) object->nchildren);
	memcpy(sorted, object->children, sizeof(JsonTree *) * (Size) object->nchildren);
	qsort(sorted, object->nchildren, sizeof(JsonTree *), json_tree_compare_names);
	for (int i = 1; i < object->nchildren; i++)
	{
		const char *name = sorted[i]->name;

		if (strcmp(sorted[i - 1]->name, name) == 0)
			return input_malformed(source, "%s %s occurs more than once.", what,
								   json_tree_quote(name, (int) strlen(name)));
	}
	pfree(sorted);
	return true;
}

/* Append a string literal; "bytes" need not end with NUL. */
void
json_tree_append_string(StringInfo buf, const char *bytes, int length)
{
	char local[256];
	char *copy = length < (int) sizeof(local) ? local : palloc(length + 1);

	memcpy(copy, bytes, length);
	copy[length] = '\0';
	escape_json(buf, copy);
	if (copy != local)
		pfree(copy);
}

/* The same as a string of its own, to name a part in an error. */
char *
json_tree_quote(const char *bytes, int length)
{
	StringInfoData buf;

	initStringInfo(&buf);
	json_tree_append_string(&buf, bytes, length);
	return buf.data;
}
