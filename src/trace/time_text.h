/*
 * time_text.h
 *		Times in pictures: durations, moments, and ticks of an axis.
 */
#ifndef DISTRIBUTED_TIME_TEXT_H
#define DISTRIBUTED_TIME_TEXT_H

#include "postgres.h"

#include "lib/stringinfo.h"

extern void time_text_append_duration(StringInfo out, uint64 duration);
extern void time_text_append_moment(StringInfo out, int64 moment);
extern uint64 time_text_tick_step(uint64 duration, uint32 most);
extern void time_text_append_tick(StringInfo out, uint64 tick, uint64 duration);

#endif /* DISTRIBUTED_TIME_TEXT_H */
