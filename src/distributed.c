/*
 * distributed.c
 *		The shared library: what happens when a session loads it.
 */
#include "core/compat.h"

#include "core/node_name.h"
#include "core/shared_clock.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	node_name_define_setting();
	shared_clock_define_settings();
	compat_reserve_settings("distributed");
}
