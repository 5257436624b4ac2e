/*
 * wire.c
 *		Binary images of values: send and receive.
 *
 * pqformat does the work; these functions add what its readers lack: an
 * invalid image is reported as such (22P03, naming the part), not as a broken
 * protocol, and a count is held against the bytes that are left before
 * anything of that size is allocated.
 */
#include "core/compat.h"

#include <ctype.h>

#include "core/wire.h"

void
wire_begin(StringInfo buf, uint8 version)
{
	pq_begintypsend(buf);
	pq_sendbyte(buf, version);
}

void
wire_put_string(StringInfo buf, const char *bytes, int length)
{
	compat_send_counted_text(buf, bytes, length);
}

static void
wire_require(StringInfo msg, const InputSource *source, const char *part, Size bytes)
{
	Size left = msg->len - msg->cursor;

	if (left < bytes)
		input_malformed(source, "The image ends within %s: bytes needed %zu, left %zu.", part,
						bytes, left);
}

int
wire_get_version(StringInfo msg, const InputSource *source, uint8 newest)
{
	int version;

	wire_require(msg, source, "the version", 1);
	version = pq_getmsgbyte(msg);
	if (version < 1 || version > newest)
		input_malformed(source, "Version %d is unknown; this server reads versions 1 to %d.",
						version, newest);
	return version;
}

uint8
wire_get_byte(StringInfo msg, const InputSource *source, const char *part)
{
	wire_require(msg, source, part, 1);
	return (uint8) pq_getmsgbyte(msg);
}

uint32
wire_get_uint32(StringInfo msg, const InputSource *source, const char *part)
{
	wire_require(msg, source, part, sizeof(uint32));
	return pq_getmsgint(msg, sizeof(uint32));
}

uint64
wire_get_uint64(StringInfo msg, const InputSource *source, const char *part)
{
	wire_require(msg, source, part, sizeof(uint64));
	return (uint64) pq_getmsgint64(msg);
}

/* A counter, 0 to 2^63-1. */
uint64
wire_get_counter(StringInfo msg, const InputSource *source, const char *part)
{
	uint64 counter = wire_get_uint64(msg, source, part);

	if (counter > PG_INT64_MAX)
		input_out_of_range(source, "%c%s is greater than " INT64_FORMAT ".", toupper(part[0]),
						   part + 1, PG_INT64_MAX);
	return counter;
}

/* A number of items, each of which takes at least "least" bytes. */
uint32
wire_get_count(StringInfo msg, const InputSource *source, const char *part, Size least)
{
	uint32 count = wire_get_uint32(msg, source, part);
	Size left = msg->len - msg->cursor;

	if (count > left / least)
		input_malformed(source, "The bytes left, %zu, are too few for %s, %u.", left, part, count);
	return count;
}

/* A string in the server's encoding, NUL-terminated; pqformat verifies it. */
char *
wire_get_string(StringInfo msg, const InputSource *source, const char *part, int *length)
{
	uint32 bytes = wire_get_uint32(msg, source, part);

	wire_require(msg, source, part, bytes);
	return pq_getmsgtext(msg, (int) bytes, length);
}

void
wire_end(StringInfo msg, const InputSource *source)
{
	if (msg->cursor < msg->len)
		input_malformed(source, "Bytes after the end of the image: %d.", msg->len - msg->cursor);
}
