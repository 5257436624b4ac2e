/*
 * json_face.h
 *		Input and output of a type whose text is JSON.
 */
#ifndef DISTRIBUTED_JSON_FACE_H
#define DISTRIBUTED_JSON_FACE_H

#include "postgres.h"

#include "core/input.h"
#include "core/json_tree.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

typedef struct JsonFace JsonFace;

/*
 * What differs from type to type.  A kernel whose types differ further extends
 * this.  Values are detoasted, with a short or long header.
 */
struct JsonFace
{
	const char *type_name;
	const char *hint;   /* the form that is expected */
	uint8 wire_version; /* of the images that are sent; older ones are read */

	/* From JSON; NULL after a soft error. */
	struct varlena *(*read)(const JsonFace *face, const JsonTree *json, const InputSource *source);
	void (*write)(const JsonFace *face, StringInfo buf, const struct varlena *value);

	/* The image behind the version byte. */
	struct varlena *(*receive)(const JsonFace *face, StringInfo msg, int version,
							   const InputSource *source);
	void (*send)(const JsonFace *face, StringInfo buf, const struct varlena *value);
};

extern Datum json_face_in(FunctionCallInfo fcinfo, const JsonFace *face);
extern Datum json_face_out(FunctionCallInfo fcinfo, const JsonFace *face);
extern Datum json_face_out_value(const struct varlena *value, const JsonFace *face);
extern Datum json_face_send_value(const struct varlena *value, const JsonFace *face);
extern Datum json_face_recv(FunctionCallInfo fcinfo, const JsonFace *face);
extern Datum json_face_send(FunctionCallInfo fcinfo, const JsonFace *face);
extern Datum json_face_from_jsonb(FunctionCallInfo fcinfo, const JsonFace *face);
extern Datum json_face_to_jsonb(FunctionCallInfo fcinfo, const JsonFace *face);
extern Datum json_face_to_json(FunctionCallInfo fcinfo, const JsonFace *face);

#endif /* DISTRIBUTED_JSON_FACE_H */
