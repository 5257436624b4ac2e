/*
 * dot_store_io.h
 *		Dot stores as JSON and as binary images.
 */
#ifndef DISTRIBUTED_DOT_STORE_IO_H
#define DISTRIBUTED_DOT_STORE_IO_H

#include "postgres.h"

#include "core/json_face.h"

/* A type on this kernel: what its entries are called, and what they have. */
typedef struct DotStoreFace
{
	JsonFace base;
	const char *member; /* of the JSON object */
	const char *noun;   /* one of them, at the beginning of a sentence */
	bool keyed;
	bool valued;
} DotStoreFace;

extern struct varlena *dot_store_face_read(const JsonFace *face, const JsonTree *json,
										   const InputSource *source);
extern void dot_store_face_write(const JsonFace *face, StringInfo buf, const struct varlena *value);
extern struct varlena *dot_store_face_receive(const JsonFace *face, StringInfo msg, int version,
											  const InputSource *source);
extern void dot_store_face_send(const JsonFace *face, StringInfo buf, const struct varlena *value);

#define DOT_STORE_FACE(name, member_name, member_noun, has_key, has_value, form) \
	{ \
		.base = \
			{ \
				.type_name = name, \
				.hint = form, \
				.wire_version = 1, \
				.read = dot_store_face_read, \
				.write = dot_store_face_write, \
				.receive = dot_store_face_receive, \
				.send = dot_store_face_send, \
			}, \
		.member = member_name, .noun = member_noun, .keyed = has_key, .valued = has_value, \
	}

#endif /* DISTRIBUTED_DOT_STORE_IO_H */
