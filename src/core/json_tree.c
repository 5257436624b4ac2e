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
