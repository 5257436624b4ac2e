/*
 * merge_conninfo.c
 *		Whom a connection string connects as, and to which database.
 *
 * libpq knows, but the server does not link it, and what it gives of libpq's
 * parser is only whether a string is a connection string.  So this reads the two
 * forms that there are, keywords and values as in "host=b user=link", and URIs as
 * in "postgresql://link@b/shop", as libpq does.  Strings that come here have been
 * checked; one that is wrong says nothing, or nonsense, but does no harm.
 *
 * What a string leaves to a service file, or to the environment of whoever
 * connects, is not known here.
 */
#include "postgres.h"

#include "replication/merge_conninfo.h"

/* The last of several counts. */
static void
conninfo_note(MergeConninfo *info, const char *key, char *value)
{
	if (*value == '\0')
		return;
	if (strcmp(key, "user") == 0)
		info->user = value;
	else if (strcmp(key, "dbname") == 0)
		info->dbname = value;
}

static const char *
conninfo_skip_blanks(const char *at)
{
	while (*at && strchr(" \t\n\r\v\f", *at))
		at++;
	return at;
}

/* A value ends with a blank or, if it began with one, with a quote. */
static char *
conninfo_value(const char **string)
{
	const char *at = *string;
	char *value = palloc(strlen(at) + 1);
	bool quoted = *at == '\'';
	int length = 0;

	if (quoted)
		at++;
	while (*at && (quoted ? *at != '\'' : !strchr(" \t\n\r\v\f", *at)))
	{
		if (*at == '\\' && at[1])
			at++;
		value[length++] = *at++;
	}
	value[length] = '\0';
	*string = quoted && *at ? at + 1 : at;
	return value;
}

static void
conninfo_read_keywords(MergeConninfo *info, const char *at)
{
	while (*(at = conninfo_skip_blanks(at)))
	{
		Size length = strcspn(at, "= \t\n\r\v\f");
		char *key = pnstrdup(at, length);

		at = conninfo_skip_blanks(at + length);
		if (*at != '=')
			return;
		at = conninfo_skip_blanks(at + 1);
		conninfo_note(info, key, conninfo_value(&at));
	}
}

static int
hexadecimal(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* A part of a URI, in which %20 is a blank. */
static char *
conninfo_part(const char *at, Size length)
{
	char *part = palloc(length + 1);
	Size count = 0;

	for (Size i = 0; i < length; i++)
	{
		if (at[i] == '%' && i + 2 < length && hexadecimal(at[i + 1]) >= 0 &&
			hexadecimal(at[i + 2]) >= 0)
		{
			part[count++] = (char) (hexadecimal(at[i + 1]) * 16 + hexadecimal(at[i + 2]));
			i += 2;
		}
		else
			part[count++] = at[i];
	}
	part[count] = '\0';
	return part;
}

/* What comes behind "postgresql://". */
static void
conninfo_read_uri(MergeConninfo *info, const char *at)
{
	Size length = strcspn(at, "@/");

	if (at[length] == '@')
	{
		conninfo_note(info, "user", conninfo_part(at, strcspn(at, ":@")));
		at += length + 1;
	}
	at += strcspn(at, "/?");
	if (*at == '/')
	{
		length = strcspn(++at, "?");
		conninfo_note(info, "dbname", conninfo_part(at, length));
		at += length;
	}
	while (*at)
	{
		const char *key = at + 1; /* behind ? or & */
		const char *value = key + strcspn(key, "=&");

		if (*value == '=')
			conninfo_note(info, conninfo_part(key, value - key),
						  conninfo_part(value + 1, strcspn(value + 1, "&")));
		at = key + strcspn(key, "&");
	}
}

void
merge_conninfo_read(MergeConninfo *info, const char *conninfo)
{
	static const char *const schemes[] = {"postgresql://", "postgres://"};

	memset(info, 0, sizeof(MergeConninfo));
	for (int i = 0; i < (int) lengthof(schemes); i++)
	{
		if (strncmp(conninfo, schemes[i], strlen(schemes[i])) == 0)
		{
			conninfo_read_uri(info, conninfo + strlen(schemes[i]));
			return;
		}
	}
	conninfo_read_keywords(info, conninfo);
}
