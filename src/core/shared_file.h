/*
 * shared_file.h
 *		Small files in the data directory that all sessions map into their memory.
 */
#ifndef DISTRIBUTED_SHARED_FILE_H
#define DISTRIBUTED_SHARED_FILE_H

#include "postgres.h"

typedef struct SharedFile
{
	const char *name;

	/* Is this what the file should hold? */
	bool (*is_current)(const void *content, Size size);

	/*
	 * What it should hold instead, palloc'd, when it holds "old", of "old_size"
	 * bytes: 0 if there was no file.
	 */
	void *(*make)(const void *old, Size old_size, Size *size);
} SharedFile;

extern void *shared_file_map(const SharedFile *file, int elevel);

#endif /* DISTRIBUTED_SHARED_FILE_H */
