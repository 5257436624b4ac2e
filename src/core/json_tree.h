/*
 * json_tree.h
 *		JSON text as a tree that a type's reader can walk.
 */
#ifndef DISTRIBUTED_JSON_TREE_H
#define DISTRIBUTED_JSON_TREE_H

#include "postgres.h"

#include "core/input.h"
#include "lib/stringinfo.h"

typedef enum JsonTreeKind
{
	JSON_TREE_OBJECT,
	JSON_TREE_ARRAY,
	JSON_TREE_STRING,
	JSON_TREE_NUMBER,
	JSON_TREE_BOOLEAN,
	JSON_TREE_NULL
} JsonTreeKind;

typedef struct JsonTree JsonTree;

struct JsonTree
{
	JsonTreeKind kind;
	const char *name; /* key in the enclosing object, or NULL */
	const char *text; /* scalar: de-escaped string, or literal token */
	int nchildren;    /* object or array */
	int maxchildren;
	JsonTree **children;
	JsonTree *parent;
};

extern JsonTree *json_tree_read(const char *text, int length, const InputSource *source);
extern const char *json_tree_kind_name(JsonTreeKind kind);
extern bool json_tree_members(const JsonTree *object, const InputSource *source, const char *what,
							  const char *const *names, int count, const JsonTree **members);
extern bool json_tree_check_unique(const JsonTree *object, const InputSource *source,
								   const char *what);
extern void json_tree_append_string(StringInfo buf, const char *bytes, int length);
extern char *json_tree_quote(const char *bytes, int length);

#endif /* DISTRIBUTED_JSON_TREE_H */
