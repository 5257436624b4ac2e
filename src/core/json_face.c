/*
 * json_face.c
 *		Input and output of a type whose text is JSON.
 *
 * Casts to json, and to and from jsonb, go through the text form: one reader and one writer
 * per type decide what is valid, whichever way a value comes.
 */
#include "core/compat.h"

#include "core/json_face.h"
#include "core/wire.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

static struct varlena *
json_face_read(const char *text, const JsonFace *face, struct Node *escontext)
{
	InputSource source = input_from_text(face->type_name, face->hint, escontext);
	JsonTree *json = json_tree_read(text, strlen(text), &source);

	return json ? face->read(face, json, &source) : NULL;
}

static StringInfoData
json_face_write(const struct varlena *value, const JsonFace *face)
{
	StringInfoData buf;

	initStringInfo(&buf);
	face->write(face, &buf, value);
	return buf;
}

Datum
json_face_in(FunctionCallInfo fcinfo, const JsonFace *face)
{
	PG_RETURN_POINTER(json_face_read(PG_GETARG_CSTRING(0), face, SOFT_ERROR_CONTEXT(fcinfo)));
}

/* Of a value that is not the function's argument as it is. */
Datum
json_face_out_value(const struct varlena *value, const JsonFace *face)
{
	PG_RETURN_CSTRING(json_face_write(value, face).data);
}

Datum
json_face_out(FunctionCallInfo fcinfo, const JsonFace *face)
{
	return json_face_out_value(PG_GETARG_VARLENA_PP(0), face);
}

Datum
json_face_recv(FunctionCallInfo fcinfo, const JsonFace *face)
{
	StringInfo msg = (StringInfo) PG_GETARG_POINTER(0);
	InputSource source = input_from_binary(face->type_name);
	int version = wire_get_version(msg, &source, face->wire_version);
	struct varlena *value = face->receive(face, msg, version, &source);

	wire_end(msg, &source);
	PG_RETURN_POINTER(value);
}

Datum
json_face_send_value(const struct varlena *value, const JsonFace *face)
{
	StringInfoData buf;

	wire_begin(&buf, face->wire_version);
	face->send(face, &buf, value);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
json_face_send(FunctionCallInfo fcinfo, const JsonFace *face)
{
	return json_face_send_value(PG_GETARG_VARLENA_PP(0), face);
}

Datum
json_face_from_jsonb(FunctionCallInfo fcinfo, const JsonFace *face)
{
	Jsonb *jsonb = PG_GETARG_JSONB_P(0);
	char *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));

	PG_RETURN_POINTER(json_face_read(text, face, NULL));
}

Datum
json_face_to_jsonb(FunctionCallInfo fcinfo, const JsonFace *face)
{
	StringInfoData text = json_face_write(PG_GETARG_VARLENA_PP(0), face);

	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data));
}

/*
 * Because there is a cast to json, to_jsonb() and row_to_json() nest the value
 * instead of quoting its text.
 */
Datum
json_face_to_json(FunctionCallInfo fcinfo, const JsonFace *face)
{
	StringInfoData text = json_face_write(PG_GETARG_VARLENA_PP(0), face);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
}
