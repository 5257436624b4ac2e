/*
 * merge_publication.h
 *		Publishing merged tables to servers that merge.
 */
#ifndef DISTRIBUTED_MERGE_PUBLICATION_H
#define DISTRIBUTED_MERGE_PUBLICATION_H

#include "postgres.h"

#include "nodes/pg_list.h"

extern List *merge_publication_tables(Oid extension, Oid nodes);

#endif /* DISTRIBUTED_MERGE_PUBLICATION_H */
