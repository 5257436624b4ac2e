/*
 * lamport.h
 *		Lamport timestamps.
 */
#ifndef DISTRIBUTED_LAMPORT_H
#define DISTRIBUTED_LAMPORT_H

#include "postgres.h"

extern int64 lamport_next(int64 counter);

#endif /* DISTRIBUTED_LAMPORT_H */
