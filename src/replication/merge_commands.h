/*
 * merge_commands.h
 *		The texts of the commands that link servers, and part them.
 */
#ifndef DISTRIBUTED_MERGE_COMMANDS_H
#define DISTRIBUTED_MERGE_COMMANDS_H

#include "postgres.h"

#include "nodes/pg_list.h"

extern char *merge_command_settings(int links);
extern char *merge_command_role(const char *role, bool bypass_security);
extern char *merge_command_grants(const char *role, const char *schemas, const char *tables);
extern char *merge_command_subscribe(const char *name, const char *conninfo,
									 const char *publication);
extern char *merge_command_wait(const char *schema, const char *name);
extern char *merge_command_unsubscribe(const char *name);
extern char *merge_command_delivered(List *slots);
extern char *merge_command_drop_slot(const char *slot);
extern char *merge_command_forget(const char *schema, const char *node);

#endif /* DISTRIBUTED_MERGE_COMMANDS_H */
