/*
 * markup.c
 *		Texts of users in documents that other tools read.
 *
 * A text may hold anything, so whatever the format would take for its own is
 * escaped.  Characters that XML 1.0 forbids (section 2.2: most control
 * characters, U+FFFE and U+FFFF) cannot be written there at all, not even as
 * references; they become U+FFFD.  So they do in the other formats, whose tools
 * make SVG of it in the end.
 *
 * Such documents are in UTF-8 unless they say otherwise.  In a database of
 * another encoding, characters outside of ASCII are written as references by
 * number: the document is right however a client converts or stores it.  In one
 * of encoding SQL_ASCII a text that is not UTF-8 is of unknown encoding, and
 * those characters become U+FFFD.
 */
#include "core/compat.h"

#include "core/markup.h"
#include "mb/pg_wchar.h"

#define MARKUP_UNKNOWN  0xFFFD /* replacement character */
#define MARKUP_ELLIPSIS 0x2026

/* A text, character by character. */
typedef struct MarkupReader
{
	const char *text; /* UTF-8, if readable */
	const char *at;
	bool readable; /* are bytes above ASCII UTF-8? */
	pg_wchar character;
	int width; /* of the character, in columns of a terminal */
} MarkupReader;

static void
markup_reader_open(MarkupReader *reader, const char *text)
{
	int length = (int) strlen(text);

	reader->readable = true;
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		reader->readable = pg_verify_mbstr(PG_UTF8, text, length, true);
	else
		text = pg_server_to_any(text, length, PG_UTF8);
	reader->text = reader->at = text;
}

static void
markup_reader_close(MarkupReader *reader, const char *text)
{
	if (reader->text != text)
		pfree(unconstify(char *, reader->text));
}

/* The next character, with those replaced that no document may contain. */
static bool
markup_reader_next(MarkupReader *reader)
{
	const unsigned char *at = (const unsigned char *) reader->at;

	if (*at == '\0')
		return false;
	reader->width = 1;
	if (*at < 0x80 || !reader->readable)
	{
		reader->character = *at < 0x80 ? *at : MARKUP_UNKNOWN;
		reader->at++;
	}
	else
	{
		reader->character = utf8_to_unicode(at);
		reader->width = Max(pg_encoding_dsplen(PG_UTF8, reader->at), 0);
		reader->at += pg_utf_mblen(at);
	}
	if ((reader->character < 0x20 && strchr("\t\n\r", (int) reader->character) == NULL) ||
		reader->character == 0xFFFE || reader->character == 0xFFFF)
		reader->character = MARKUP_UNKNOWN;
	return true;
}

static void
markup_append_ascii(StringInfo out, MarkupFormat format, char c, bool first)
{
	switch (format)
	{
		case MARKUP_XML:
			if (c == '&')
				appendStringInfoString(out, "&amp;");
			else if (c == '<')
				appendStringInfoString(out, "&lt;");
			else if (c == '>')
				appendStringInfoString(out, "&gt;");
			else if (c == '"')
				appendStringInfoString(out, "&quot;");
			else if (c == '\r')
				appendStringInfoString(out, "&#13;");
			else
				appendStringInfoChar(out, c);
			break;
		case MARKUP_DOT:
			/* labels know backslash sequences, and entities as in HTML */
			if (c == '"' || c == '\\')
				appendStringInfo(out, "\\%c", c);
			else if (c == '&')
				appendStringInfoString(out, "&amp;");
			else if (c == '\n')
				appendStringInfoString(out, "\\n");
			else if (c != '\r')
				appendStringInfoChar(out, c);
			break;
		case MARKUP_MERMAID:

			/*
			 * A label is read as Markdown with HTML, and some characters are
			 * special in any place: all are written by number that may be.
			 */
			if (c == '\n' || c == '\r' || c == '\t')
				appendStringInfoChar(out, ' ');
			else if (strchr("\"#$%&()*+.;<>[\\]^_`{|}~!", c) != NULL || (first && c == '-'))
				appendStringInfo(out, "#%d;", c);
			else
				appendStringInfoChar(out, c);
			break;
	}
}

static void
markup_append_character(StringInfo out, MarkupFormat format, pg_wchar character, bool first)
{
	if (character < 0x80)
		markup_append_ascii(out, format, (char) character, first);
	else if (GetDatabaseEncoding() == PG_UTF8)
	{
		unsigned char bytes[8] = {0};

		unicode_to_utf8(character, bytes);
		appendStringInfoString(out, (char *) bytes);
	}
	else
		appendStringInfo(out, format == MARKUP_MERMAID ? "#%u;" : "&#%u;",
						 (unsigned int) character);
}

/*
 * The width of a text, in columns of a terminal (where a Chinese character
 * takes two), as far as it is at most "most"; else more than that.
 */
uint32
markup_width(const char *text, uint32 most)
{
	MarkupReader reader;
	uint32 width = 0;

	markup_reader_open(&reader, text);
	while (width <= most && markup_reader_next(&reader))
		width += reader.width;
	markup_reader_close(&reader, text);
	return width;
}

/* Append a text, escaped; if it is wider than "most", its beginning and an ellipsis. */
void
markup_append(StringInfo out, MarkupFormat format, const char *text, uint32 most)
{
	bool cut = most != MARKUP_WHOLE && markup_width(text, most) > most;
	uint32 left = cut ? most - 1 : MARKUP_WHOLE;
	MarkupReader reader;
	bool first = true;

	markup_reader_open(&reader, text);
	while (markup_reader_next(&reader) && (!cut || (uint32) reader.width <= left))
	{
		markup_append_character(out, format, reader.character, first);
		left -= cut ? reader.width : 0;
		first = false;
	}
	if (cut)
		markup_append_character(out, format, MARKUP_ELLIPSIS, first);
	markup_reader_close(&reader, text);
}
