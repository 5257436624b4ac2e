/*
 * shared_file.c
 *		Small files in the data directory that all sessions map into their memory.
 *
 * They are shared memory that needs no preloading, and which survives a crash of
 * the server: the pages of a mapped file are the kernel's.
 *
 * Who finds a file that is not there, or not what it should be, writes another
 * one, and lets it take the place of the old one in one step.  They do it one
 * after the other, under a lock on the file, and whoever has got the lock looks
 * whether what is locked still is the file of that name.
 */
#include "core/compat.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/shared_file.h"
#include "miscadmin.h"
#include "storage/fd.h"

static void
shared_file_fault(const char *name, const char *what, int elevel)
{
	ereport(elevel,
			(errcode_for_file_access(), errmsg("could not %s file \"%s\": %m", what, name)));
}

/* Close a file of which nothing is mapped; false, for the caller to return. */
static bool
shared_file_give_up(const char *name, const char *what, int file, int elevel)
{
	int saved_errno = errno;

	if (file >= 0)
		CloseTransientFile(file);
	errno = saved_errno;
	shared_file_fault(name, what, elevel);
	return false;
}

/* Write a file, and let it take the place of the one that has the name. */
static bool
shared_file_replace(const char *name, const void *content, Size size, int elevel)
{
	char *new_name = psprintf("%s.new", name);
	int file = OpenTransientFile(new_name, O_RDWR | O_CREAT | O_TRUNC | PG_BINARY);

	if (file < 0)
		return shared_file_give_up(new_name, "create", file, elevel);
	errno = 0;
	if (write(file, content, size) != (ssize_t) size)
	{
		if (errno == 0)
			errno = ENOSPC;
		return shared_file_give_up(new_name, "write", file, elevel);
	}
	if (CloseTransientFile(file) != 0)
		return shared_file_give_up(new_name, "close", -1, elevel);
	return durable_rename(new_name, name, elevel) == 0;
}

/* Open the file and lock it, as that which has the name then; -1 if that fails. */
static int
shared_file_open(const char *name, struct stat *status, int elevel)
{
	for (;;)
	{
		int file = OpenTransientFile(name, O_RDWR | O_CREAT | PG_BINARY);
		struct stat named;

		if (file < 0)
		{
			shared_file_fault(name, "open", elevel);
			return -1;
		}
		while (flock(file, LOCK_EX) != 0)
		{
			if (errno != EINTR)
			{
				shared_file_give_up(name, "lock", file, elevel);
				return -1;
			}
			CHECK_FOR_INTERRUPTS();
		}
		if (fstat(file, status) != 0)
		{
			shared_file_give_up(name, "stat", file, elevel);
			return -1;
		}
		if (stat(name, &named) == 0 && named.st_ino == status->st_ino)
			return file;
		CloseTransientFile(file);
	}
}

/*
 * Map the file, made or made anew where need be; NULL if that fails, and "elevel"
 * is less than ERROR.
 */
void *
shared_file_map(const SharedFile *shared, int elevel)
{
	for (;;)
	{
		struct stat status;
		int file = shared_file_open(shared->name, &status, elevel);
		Size size;
		void *content;
		void *map = NULL;
		bool again = false;

		if (file < 0)
			return NULL;
		size = (Size) status.st_size;
		content = palloc(Max(size, 1));
		errno = EIO;
		if (size > 0 && read(file, content, size) != (ssize_t) size)
			shared_file_fault(shared->name, "read", elevel);
		else if (size > 0 && shared->is_current(content, size))
		{
			map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
			if (map == MAP_FAILED)
			{
				shared_file_fault(shared->name, "map", elevel);
				map = NULL;
			}
		}
		else
		{
			Size new_size;
			void *new_content = shared->make(content, size, &new_size);

			again = shared_file_replace(shared->name, new_content, new_size, elevel);
			pfree(new_content);
		}
		pfree(content);
		/* closing alone would not do: what is mapped keeps the file open, and locked */
		flock(file, LOCK_UN);
		CloseTransientFile(file);
		if (!again)
			return map;
	}
}
