/*
 * attribute_hygiene.c
 *		What attributes may not keep: secrets, control bytes, great length.
 *
 * The rules are those of a collector that cleans what it passes on.  A value
 * whose key contains the name of a secret is redacted.  Of other texts, control
 * bytes become "_", and what is over 1,024 bytes is cut at a character and gets
 * "...#" and the FNV-1a hash of the whole, so that long values can still be told
 * apart.  What has been cut is recognized and not cut again: cleaning a clean
 * value changes nothing.
 */
#include "core/compat.h"

#include "mb/pg_wchar.h"
#include "trace/attribute_hygiene.h"

/*
 * In lower case.  What contains one of these needs no entry of its own:
 * auth_token, auth-token and x-amz-security-token contain token, set-cookie
 * contains cookie, and x-api-key contains api-key.
 */
static const struct
{
	const char *name;
	int length;
} secrets[] = {
	{"authorization", 13}, {"api_key", 7},      {"api-key", 7},  {"bearer", 6},
	{"cookie", 6},         {"credentials", 11}, {"password", 8}, {"passwd", 6},
	{"private_key", 11},   {"private-key", 11}, {"session", 7},  {"secret", 6},
	{"token", 5},
};

#define SHORTEST_SECRET 5

/* Bytes that a secret's name may begin with, by their last five bits: a, b, c, p, s, t. */
#define SECRET_BEGINNINGS \
	(1U << ('a' & 31) | 1U << ('b' & 31) | 1U << ('c' & 31) | 1U << ('p' & 31) | \
	 1U << ('s' & 31) | 1U << ('t' & 31))

/* Between the kept part of a value and the hash of all of it. */
#define CUT_MARK         "...#"
#define CUT_MARK_BYTES   4
#define HASH_DIGITS      16
#define CUT_SUFFIX_BYTES (CUT_MARK_BYTES + HASH_DIGITS)

static inline char
ascii_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

static inline bool
ascii_starts_with(const char *text, const char *lower, int length)
{
	for (int i = 0; i < length; i++)
	{
		if (ascii_lower(text[i]) != lower[i])
			return false;
	}
	return true;
}

/* Must the value of this key be redacted?  Asked for each attribute of each span. */
bool
hygiene_key_is_secret(const char *key, int length)
{
	for (int i = 0; i + SHORTEST_SECRET <= length; i++)
	{
		if (likely((SECRET_BEGINNINGS >> (key[i] & 31) & 1) == 0))
			continue;
		for (int j = 0; j < (int) lengthof(secrets); j++)
		{
			if (ascii_lower(key[i]) == secrets[j].name[0] && secrets[j].length <= length - i &&
				ascii_starts_with(key + i, secrets[j].name, secrets[j].length))
				return true;
		}
	}
	return false;
}

static inline bool
is_control(char byte)
{
	return (unsigned char) byte < 0x20 || byte == 0x7f;
}

static bool
has_control(const char *text, int length)
{
	for (int i = 0; i < length; i++)
	{
		if (unlikely(is_control(text[i])))
			return true;
	}
	return false;
}

/* FNV-1a, 64 bits. */
static uint64
hygiene_hash(const char *text, int length)
{
	uint64 hash = UINT64CONST(0xcbf29ce484222325);

	for (int i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) text[i]) * UINT64CONST(0x100000001b3);
	return hash;
}

/* Is this what hygiene_clean_text makes of a long value? */
static bool
is_cut(const char *text, int length)
{
	const char *suffix = text + length - CUT_SUFFIX_BYTES;

	/* a character at the cut has at most so many bytes */
	if (length > HYGIENE_VALUE_MOST + CUT_SUFFIX_BYTES ||
		length <= HYGIENE_VALUE_MOST + CUT_SUFFIX_BYTES - MAX_MULTIBYTE_CHAR_LEN ||
		memcmp(suffix, CUT_MARK, CUT_MARK_BYTES) != 0)
		return false;
	for (int i = CUT_MARK_BYTES; i < CUT_SUFFIX_BYTES; i++)
	{
		if (!((suffix[i] >= '0' && suffix[i] <= '9') || (suffix[i] >= 'a' && suffix[i] <= 'f')))
			return false;
	}
	return true;
}

/*
 * A value without control bytes and cut to length; false if it is fine as it is,
 * else *cleaned is palloc'd, without a NUL at its end.
 */
bool
hygiene_clean_text(const char *text, int length, char **cleaned, int *cleaned_length)
{
	bool cut = length > HYGIENE_VALUE_MOST && !is_cut(text, length);
	int kept = cut ? pg_mbcliplen(text, length, HYGIENE_VALUE_MOST) : length;
	char *out;

	if (!cut && !has_control(text, length))
		return false;
	out = palloc(kept + CUT_SUFFIX_BYTES + 1);
	for (int i = 0; i < kept; i++)
		out[i] = is_control(text[i]) ? '_' : text[i];
	if (cut)
		kept += sprintf(out + kept, CUT_MARK "%016llx",
						(unsigned long long) hygiene_hash(text, length));
	*cleaned = out;
	*cleaned_length = kept;
	return true;
}
