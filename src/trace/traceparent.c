/*
 * traceparent.c
 *		The header field "traceparent".
 *
 * W3C Trace Context, Level 2, section 3.2:
 *
 *		00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *
 * that is, version, trace id, parent id (the span that calls) and flags, in
 * lower-case hexadecimal digits.  Version ff is forbidden, and neither id may
 * be nil.  Version 00 ends there.  A later version may go on behind a dash;
 * what follows is not looked at, and of the flags only the two are taken over
 * that are known here, since it is written back as version 00 (section 3.2.4).
 */
#include "core/compat.h"

#include "trace/header_field.h"
#include "trace/hex_id.h"
#include "trace/traceparent.h"

#define TRACEPARENT_LENGTH 55

/* where its fields begin */
#define TRACE_ID_AT 3
#define SPAN_ID_AT  36
#define FLAGS_AT    53

/* the flags of version 00: sampled, and random trace id */
#define TRACEPARENT_FLAGS 0x03

/* Read one field, and the dash behind it if there must be one. */
static bool
read_field(const char *text, Size from, const char *what, bool dash, const InputSource *source,
		   uint8 *bytes, Size size)
{
	Size end = from + 2 * size;

	for (Size i = from; i < end; i++)
	{
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
			return input_malformed(
				source,
				"Character %zu of the traceparent, within the %s, is no lower-case hexadecimal digit.",
				i + 1, what);
	}
	if (dash && text[end] != '-')
		return input_malformed(source,
							   "Character %zu of the traceparent, behind the %s, is no dash.",
							   end + 1, what);
	return hex_id_read(source, text + from, 2 * size, bytes, size);
}

/* Blanks around it are no part of it. */
bool
traceparent_read(const char *text, Size length, const InputSource *source, Traceparent *parent)
{
	uint8 version = 0;

	header_trim(&text, &length);
	if (length < TRACEPARENT_LENGTH)
		return input_malformed(source, "The length of the traceparent is %zu, less than %d.",
							   length, TRACEPARENT_LENGTH);
	if (!read_field(text, 0, "version", true, source, &version, sizeof(version)))
		return false;
	if (version == 0xff)
		return input_malformed(source, "Version ff of the traceparent is forbidden.");
	if (version == 0 && length != TRACEPARENT_LENGTH)
		return input_malformed(source,
							   "The length of the traceparent is %zu; in version 00 it is %d.",
							   length, TRACEPARENT_LENGTH);
	if (!read_field(text, TRACE_ID_AT, "trace id", true, source, parent->trace_id,
					sizeof(parent->trace_id)) ||
		!read_field(text, SPAN_ID_AT, "parent id", true, source, parent->span_id,
					sizeof(parent->span_id)) ||
		!read_field(text, FLAGS_AT, "flags", length > TRACEPARENT_LENGTH, source, &parent->flags,
					sizeof(parent->flags)))
		return false;
	if (version > 0)
		parent->flags &= TRACEPARENT_FLAGS;
	return traceparent_check(parent, source);
}

bool
traceparent_check(const Traceparent *parent, const InputSource *source)
{
	if (hex_id_is_nil(parent->trace_id, sizeof(parent->trace_id)))
		return input_malformed(source, "The trace id is nil.");
	if (hex_id_is_nil(parent->span_id, sizeof(parent->span_id)))
		return input_malformed(source, "The span id is nil.");
	return true;
}

void
traceparent_write(StringInfo buf, const Traceparent *parent)
{
	char *trace_id = hex_id_write(parent->trace_id, sizeof(parent->trace_id));
	char *span_id = hex_id_write(parent->span_id, sizeof(parent->span_id));

	appendStringInfo(buf, "00-%s-%s-%02x", trace_id, span_id, parent->flags);
	pfree(trace_id);
	pfree(span_id);
}
