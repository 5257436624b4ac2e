/*
 * write_stamp_io.h
 *		Row stamps as JSON and as binary images.
 */
#ifndef DISTRIBUTED_WRITE_STAMP_IO_H
#define DISTRIBUTED_WRITE_STAMP_IO_H

#include "postgres.h"

#include "core/json_face.h"

extern const JsonFace row_stamp_face;

extern char *row_stamp_to_text(const struct varlena *value);

#endif /* DISTRIBUTED_WRITE_STAMP_IO_H */
