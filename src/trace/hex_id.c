/*
 * hex_id.c
 *		Identifiers that are written as hexadecimal digits.
 *
 * W3C Trace Context (Level 2, section 3.2) writes the ids of traces and spans
 * as so many lower-case digits.  Upper-case ones are read as well, for there
 * is nothing else that they could mean, and OTLP/JSON has them.
 *
 * Binary image, version 1:
 *
 *		int8		version, 1
 *		bytes		the id, 16 of a trace, 8 of a span
 */
#include "core/compat.h"

#include "core/wire.h"
#include "trace/hex_id.h"

#define HEX_ID_WIRE_VERSION 1

/* What a digit stands for, or -1 if it is none. */
int
hex_digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* Read "length" characters as an id of "size" bytes. */
bool
hex_id_read(const InputSource *source, const char *text, Size length, uint8 *id, Size size)
{
	if (length != 2 * size)
		return input_malformed(source, "%zu digits are needed; the length of the text is %zu.",
							   2 * size, length);
	for (Size i = 0; i < length; i++)
	{
		int value = hex_digit_value(text[i]);

		if (value < 0 && IS_HIGHBIT_SET(text[i]))
			return input_malformed(source, "Character %zu is no hexadecimal digit.", i + 1);
		if (value < 0)
			return input_malformed(source, "Character %zu, \"%c\", is no hexadecimal digit.", i + 1,
								   text[i]);
		id[i / 2] = (uint8) (i % 2 == 0 ? value << 4 : id[i / 2] | value);
	}
	return true;
}

char *
hex_id_write(const uint8 *id, Size size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = palloc(2 * size + 1);

	for (Size i = 0; i < size; i++)
	{
		text[2 * i] = digits[id[i] >> 4];
		text[2 * i + 1] = digits[id[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}

bool
hex_id_is_nil(const uint8 *id, Size size)
{
	for (Size i = 0; i < size; i++)
	{
		if (id[i] != 0)
			return false;
	}
	return true;
}

/* An id that nobody else has, and that is not nil. */
void
hex_id_random(uint8 *id, Size size)
{
	do
	{
		if (!pg_strong_random(id, size))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	} while (hex_id_is_nil(id, size));
}

/* The bytes that a cast from bytea gets. */
const uint8 *
hex_id_bytea(FunctionCallInfo fcinfo, int number, const char *type_name, Size size)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(number);
	InputSource source = input_from_arguments(type_name);

	if (VARSIZE_ANY_EXHDR(bytes) != size)
		input_malformed(&source, "%zu bytes are needed, not %zu.", size,
						(Size) VARSIZE_ANY_EXHDR(bytes));
	return (const uint8 *) VARDATA_ANY(bytes);
}

void
hex_id_receive(FunctionCallInfo fcinfo, const char *type_name, const char *part, uint8 *id,
			   Size size)
{
	StringInfo msg = (StringInfo) PG_GETARG_POINTER(0);
	InputSource source = input_from_binary(type_name);

	wire_get_version(msg, &source, HEX_ID_WIRE_VERSION);
	for (Size i = 0; i < size; i++)
		id[i] = wire_get_byte(msg, &source, part);
	wire_end(msg, &source);
}

Datum
hex_id_send(const uint8 *id, Size size)
{
	StringInfoData buf;

	wire_begin(&buf, HEX_ID_WIRE_VERSION);
	pq_sendbytes(&buf, (const char *) id, (int) size);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
