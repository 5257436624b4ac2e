/*
 * hex_id.h
 *		Identifiers that are written as hexadecimal digits.
 */
#ifndef DISTRIBUTED_HEX_ID_H
#define DISTRIBUTED_HEX_ID_H

#include "postgres.h"

#include "core/input.h"
#include "fmgr.h"

extern int hex_digit_value(char digit);
extern bool hex_id_read(const InputSource *source, const char *text, Size length, uint8 *id,
						Size size);
extern char *hex_id_write(const uint8 *id, Size size);
extern bool hex_id_is_nil(const uint8 *id, Size size);
extern void hex_id_random(uint8 *id, Size size);
extern const uint8 *hex_id_bytea(FunctionCallInfo fcinfo, int number, const char *type_name,
								 Size size);
extern void hex_id_receive(FunctionCallInfo fcinfo, const char *type_name, const char *part,
						   uint8 *id, Size size);
extern Datum hex_id_send(const uint8 *id, Size size);

#endif /* DISTRIBUTED_HEX_ID_H */
