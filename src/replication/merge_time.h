/*
 * merge_time.h
 *		The times of this server's writes.
 */
#ifndef DISTRIBUTED_MERGE_TIME_H
#define DISTRIBUTED_MERGE_TIME_H

#include "postgres.h"

extern void merge_time_begin_after(uint64 horizon);
extern uint64 merge_time_of_write(uint64 after);
extern uint64 merge_time_of_removal(uint64 after);

#endif /* DISTRIBUTED_MERGE_TIME_H */
