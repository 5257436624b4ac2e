/*
 * packed.h
 *		Columns of unsigned integers, each as wide as its greatest one needs.
 *
 * A column of width 0 has no bytes and holds only zeros, so what a type does
 * not use costs nothing.  Integers are in the machine's byte order, unaligned.
 */
#ifndef DISTRIBUTED_PACKED_H
#define DISTRIBUTED_PACKED_H

#include "postgres.h"

typedef struct PackedColumn
{
	const char *bytes;
	uint8 width; /* 0, 1, 2, 4 or 8 */
} PackedColumn;

static inline uint8
packed_width(uint64 greatest)
{
	if (greatest <= PG_UINT8_MAX)
		return greatest == 0 ? 0 : 1;
	if (greatest <= PG_UINT16_MAX)
		return 2;
	return greatest <= PG_UINT32_MAX ? 4 : 8;
}

/* A width as the three bits that are stored, and back. */
static inline uint32
packed_width_code(uint8 width)
{
	return width == 8 ? 4 : width == 4 ? 3 : width;
}

static inline uint8
packed_width_decode(uint32 code)
{
	static const uint8 widths[8] = {0, 1, 2, 4, 8};

	return widths[code];
}

static inline uint64
packed_get(const PackedColumn *column, uint32 index)
{
	switch (column->width)
	{
		case 0:
			return 0;
		case 1:
			return (uint8) column->bytes[index];
		case 2:
		{
			uint16 value;

			memcpy(&value, column->bytes + (Size) index * sizeof(value), sizeof(value));
			return value;
		}
		case 4:
		{
			uint32 value;

			memcpy(&value, column->bytes + (Size) index * sizeof(value), sizeof(value));
			return value;
		}
		default:
		{
			uint64 value;

			memcpy(&value, column->bytes + (Size) index * sizeof(value), sizeof(value));
			return value;
		}
	}
}

/* The column is being built: its bytes are the caller's own. */
static inline void
packed_put(const PackedColumn *column, uint32 index, uint64 value)
{
	char *bytes = unconstify(char *, column->bytes);

	switch (column->width)
	{
		case 0:
			Assert(value == 0);
			break;
		case 1:
			bytes[index] = (char) value;
			break;
		case 2:
		{
			uint16 narrow = (uint16) value;

			memcpy(bytes + (Size) index * sizeof(narrow), &narrow, sizeof(narrow));
			break;
		}
		case 4:
		{
			uint32 narrow = (uint32) value;

			memcpy(bytes + (Size) index * sizeof(narrow), &narrow, sizeof(narrow));
			break;
		}
		default:
			memcpy(bytes + (Size) index * sizeof(value), &value, sizeof(value));
	}
}

#endif /* DISTRIBUTED_PACKED_H */
