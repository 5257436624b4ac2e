/*
 * stamped_map_io.h
 *		Stamped maps as JSON and as binary images.
 */
#ifndef DISTRIBUTED_STAMPED_MAP_IO_H
#define DISTRIBUTED_STAMPED_MAP_IO_H

#include "postgres.h"

#include "core/hybrid_time.h"
#include "core/json_face.h"
#include "core/node_name.h"
#include "utils/jsonb.h"

/* A type on this kernel: with keys a map, without a register. */
typedef struct StampedMapFace
{
	JsonFace base;
	bool keyed;
} StampedMapFace;

extern struct varlena *stamped_map_face_read(const JsonFace *face, const JsonTree *json,
											 const InputSource *source);
extern void stamped_map_face_write(const JsonFace *face, StringInfo buf,
								   const struct varlena *value);
extern struct varlena *stamped_map_face_receive(const JsonFace *face, StringInfo msg, int version,
												const InputSource *source);
extern void stamped_map_face_send(const JsonFace *face, StringInfo buf,
								  const struct varlena *value);

extern struct varlena *stamped_map_from_document(Jsonb *document, HybridTime at, NodeName node,
												 const InputSource *source);

#define STAMPED_MAP_FACE(name, has_key, form) \
	{ \
		.base = \
			{ \
				.type_name = name, \
				.hint = form, \
				.wire_version = 1, \
				.read = stamped_map_face_read, \
				.write = stamped_map_face_write, \
				.receive = stamped_map_face_receive, \
				.send = stamped_map_face_send, \
			}, \
		.keyed = has_key, \
	}

#endif /* DISTRIBUTED_STAMPED_MAP_IO_H */
