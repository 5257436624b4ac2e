/*
 * shiviz.c
 *		Logs in the form of ShiViz, read and written.
 *
 * ShiViz draws logs whose events carry vector clocks.  An event has three
 * parts: its host, its clock as JSON, and its text.  By default it is a line
 * of text followed by a line HOST {"a": 1, "b": 2}; many programs write the two
 * lines the other way around.  Any other form is told by a regular expression
 * with the groups host, clock and event, which a log may bring along as its
 * first line.  The second line then holds another expression, for what divides
 * several executions, or nothing.
 *
 * ShiViz passes over what it does not understand.  Here an event that is lost
 * would be a silently different answer to every question about causality, so
 * each line must belong to an event or be blank.
 *
 * Source: I. Beschastnikh, P. Wang, Y. Brun, M. Ernst, "Debugging distributed
 * systems", 2016, and the ShiViz program.
 */
#include "core/compat.h"

#include "core/input.h"
#include "core/json_tree.h"
#include "core/node_table.h"
#include "core/node_table_io.h"
#include "core/rows.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "time/event_graph.h"
#include "time/log_table.h"
#include "time/shiviz_regex.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Bytes of a line that an error shows. */
#define SHOWN_LENGTH 300

#define HEADER_MARK     "(?<clock>"
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* What ShiViz itself takes where nothing else is said. */
#define DEFAULT_REGEX "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})"

/* What we write where that does not do, with a mark at its end. */
#define RECORD_REGEX "--- (?<host>[^\\n]*?)\\n(?<clock>{[^\\n]*})\\n(?<event>[\\s\\S]*?)\\n"

#define FORM_HINT \
	"An event is a line of text and a line HOST {\"a\": 1, \"b\": 2}, in the same order " \
	"throughout; any other form needs a regular expression."

/* A piece of the log where it lies. */
typedef struct Piece
{
	const char *start; /* NULL for a line behind the last one */
	int length;
} Piece;

/* One event as it stands in the log. */
typedef struct LogEntry
{
	int line;    /* of its clock; from 1 */
	Piece shown; /* that line */
	Piece host;
	Piece clock;
	Piece event;
} LogEntry;

/* Which hosts and events there were; keys are padded with zero bytes. */
typedef struct SeenHost
{
	char name[NODE_NAME_MAX + 1];
	int64 number;
} SeenHost;

typedef struct SeenEventKey
{
	int64 seq;
	int64 host;
} SeenEventKey;

typedef struct SeenEvent
{
	SeenEventKey key;
	int line;
} SeenEvent;

typedef struct LogReader
{
	Piece text;        /* behind the header, without blank lines at the end */
	int first_line;    /* its number in the log */
	bool keep_returns; /* is a carriage return before a newline part of the text? */
	Piece *lines;
	int nlines;
	HTAB *hosts;
	HTAB *events;
	RowSet rows;
	MemoryContext row_context;
} LogReader;

static Piece
text_piece(const text *value)
{
	Piece piece = {VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value)};

	return piece;
}

static bool
is_blank_character(pg_wchar c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_blank(Piece piece)
{
	for (int i = 0; i < piece.length; i++)
	{
		if (!is_blank_character((unsigned char) piece.start[i]))
			return false;
	}
	return true;
}

static bool
piece_is(Piece piece, const char *text)
{
	return (Size) piece.length == strlen(text) && memcmp(piece.start, text, piece.length) == 0;
}

static bool
piece_begins(Piece piece, const char *text)
{
	return (Size) piece.length >= strlen(text) && memcmp(piece.start, text, strlen(text)) == 0;
}

static bool
piece_contains(Piece piece, const char *text)
{
	for (; piece.length > 0; piece.start++, piece.length--)
	{
		if (piece_begins(piece, text))
			return true;
	}
	return false;
}

/* Only in this encoding is there a byte order mark. */
static bool
begins_with_mark(Piece piece)
{
	return GetDatabaseEncoding() == PG_UTF8 && piece_begins(piece, BYTE_ORDER_MARK);
}

/* Where in the log a fault is, as the beginning of a detail. */
static char *
describe_line(int line, Piece shown)
{
	bool cut = shown.length > SHOWN_LENGTH;
	int length = cut ? pg_mbcliplen(shown.start, shown.length, SHOWN_LENGTH) : shown.length;

	return psprintf("Line %d, \"%.*s%s\": ", line, length, shown.length > 0 ? shown.start : "",
					cut ? "..." : "");
}

pg_noreturn static void log_refuse(int line, Piece shown, const char *reason, const char *hint);

static void
log_refuse(int line, Piece shown, const char *reason, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid ShiViz log"),
			 errdetail_internal("%s%s", describe_line(line, shown), reason),
			 hint ? errhint("%s", hint) : 0));
}

/*
 * Events become rows
 */

static HTAB *
create_seen(const char *what, Size keysize, Size entrysize)
{
	HASHCTL control;

	memset(&control, 0, sizeof(control));
	control.keysize = keysize;
	control.entrysize = entrysize;
	control.hcxt = CurrentMemoryContext;
	return hash_create(what, 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Note an event; returns the line of an earlier one of the same number, or 0. */
static int
note_event(LogReader *reader, Piece host, int64 seq, int line)
{
	char name[NODE_NAME_MAX + 1] = {0};
	SeenEventKey key;
	SeenHost *seen_host;
	SeenEvent *seen_event;
	bool found;

	memcpy(name, host.start, host.length);
	seen_host = hash_search(reader->hosts, name, HASH_ENTER, &found);
	if (!found)
		seen_host->number = hash_get_num_entries(reader->hosts);
	key.seq = seq;
	key.host = seen_host->number;
	seen_event = hash_search(reader->events, &key, HASH_ENTER, &found);
	if (found)
		return seen_event->line;
	seen_event->line = line;
	return 0;
}

static void
store_entry(LogReader *reader, const LogEntry *entry)
{
	MemoryContext old = MemoryContextSwitchTo(reader->row_context);
	InputSource source = input_from_text("vclock",
										 "Write a vector clock as a JSON object, such as "
										 "{\"a\": 1, \"b\": 2}.",
										 NULL);
	struct varlena *flat;
	NodeTable clock;
	Datum values[5];
	bool nulls[5] = {false};
	int64 seq;
	int earlier;

	source.message = gettext_noop("invalid ShiViz log");
	source.place = describe_line(entry->line, entry->shown);
	flat = node_table_from_json(json_tree_read(entry->clock.start, entry->clock.length, &source), 1,
								&source);
	node_table_open(&clock, flat, 1);
	seq = (int64) node_table_get(&clock, entry->host.start, entry->host.length, 0);
	if (seq == 0)
		log_refuse(entry->line, entry->shown,
				   psprintf("The clock does not count its own host, \"%s\".",
							pnstrdup(entry->host.start, entry->host.length)),
				   NULL);
	earlier = note_event(reader, entry->host, seq, entry->line);
	if (earlier != 0)
		log_refuse(entry->line, entry->shown,
				   psprintf("Event " INT64_FORMAT " of host \"%s\" is there already, in line %d.",
							seq, pnstrdup(entry->host.start, entry->host.length), earlier),
				   "A log is one execution, in which each host counts its events.");
	values[0] = PointerGetDatum(cstring_to_text_with_len(entry->host.start, entry->host.length));
	values[1] = Int64GetDatum(seq);
	values[2] = PointerGetDatum(flat);
	values[3] = PointerGetDatum(cstring_to_text_with_len(entry->event.start, entry->event.length));
	values[4] = Int32GetDatum(entry->line);
	row_set_add(&reader->rows, values, nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(reader->row_context);
}

/*
 * Events that are two lines
 */

static void
split_lines(LogReader *reader)
{
	const char *at = reader->text.start;
	const char *end = at + reader->text.length;
	int count = 0;

	for (const char *c = at; c < end; c++)
		count += *c == '\n';
	reader->lines = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(Piece) * ((Size) count + 1));
	reader->nlines = 0;
	while (at < end)
	{
		Piece *line = &reader->lines[reader->nlines++];
		const char *newline = memchr(at, '\n', end - at);

		line->start = at;
		line->length = (int) ((newline ? newline : end) - at);
		at += line->length + 1;
		if (newline && line->length > 0 && newline[-1] == '\r')
			line->length--;
	}
}

static Piece
line_piece(const LogReader *reader, int index)
{
	static const Piece none = {NULL, 0};

	return index < reader->nlines ? reader->lines[index] : none;
}

/*
 * Is this the line of a clock, HOST {..}?  Blanks may follow.  Whether the
 * clock is one is for its own reader to say.
 */
static bool
split_clock_line(Piece line, Piece *host, Piece *clock)
{
	int at = 0;

	while (line.length > 0 && is_blank_character((unsigned char) line.start[line.length - 1]))
		line.length--;
	while (at < line.length && !is_blank_character((unsigned char) line.start[at]))
		at++;
	host->start = line.start;
	host->length = at;
	while (at < line.length && (line.start[at] == ' ' || line.start[at] == '\t'))
		at++;
	clock->start = line.start + at;
	clock->length = line.length - at;
	return host->length > 0 && at > host->length && clock->length >= 2 && clock->start[0] == '{' &&
		clock->start[clock->length - 1] == '}';
}

/* Does "text" contain, at its beginning, ": 1" with any blanks? */
static bool
begins_with_count(const char *text, const char *end)
{
	while (text < end && is_blank_character((unsigned char) *text))
		text++;
	if (text == end || *text++ != ':')
		return false;
	while (text < end && is_blank_character((unsigned char) *text))
		text++;
	return text < end && *text >= '0' && *text <= '9';
}

/* Surely the clock of an event: it counts its own host. */
static bool
looks_like_clock(Piece line)
{
	Piece host;
	Piece clock;
	const char *end;

	if (!split_clock_line(line, &host, &clock))
		return false;
	end = clock.start + clock.length;
	for (const char *at = clock.start; at + host.length + 2 < end; at++)
	{
		if (at[0] == '"' && at[host.length + 1] == '"' &&
			memcmp(at + 1, host.start, host.length) == 0 &&
			begins_with_count(at + host.length + 2, end))
			return true;
	}
	return false;
}

static void
lines_refuse(const LogReader *reader, int index, const char *reason)
{
	log_refuse(reader->first_line + index, line_piece(reader, index), reason, FORM_HINT);
}

/*
 * A clock and then its text, or refuse.
 */
static void
check_clock_first(const LogReader *reader, int at, bool is_clock)
{
	Piece text = line_piece(reader, at + 1);

	if (!is_clock)
		lines_refuse(reader, at,
					 "This is not the line of a clock. The log begins with a clock, so each text "
					 "belongs below its clock.");
	if (text.start == NULL ||
		(looks_like_clock(text) && !looks_like_clock(line_piece(reader, at + 2))))
		lines_refuse(reader, at,
					 "The text of this clock's event is missing. The log begins with a clock, so "
					 "each text belongs below its clock.");
}

/*
 * A text and then its clock, or refuse.
 */
static void
check_text_first(const LogReader *reader, int at, bool is_clock)
{
	Piece clock = line_piece(reader, at + 1);

	if (looks_like_clock(line_piece(reader, at)) && !looks_like_clock(clock))
		lines_refuse(reader, at, "The text of this clock's event is missing in the line above.");
	if (is_blank(clock) || (!is_clock && looks_like_clock(line_piece(reader, at + 2))))
		lines_refuse(reader, at, "This event's clock is missing in the line below.");
	if (!is_clock)
		lines_refuse(reader, at + 1, "This is not the line of a clock.");
}

/*
 * Texts may contain anything, even what looks like a clock, so all depends on
 * the position: one line of text for each line with a clock, in the order of
 * the first event.
 */
static void
read_by_lines(LogReader *reader)
{
	int at = 0;
	bool clock_first;

	split_lines(reader);
	while (at < reader->nlines && is_blank(reader->lines[at]))
		at++;
	clock_first = looks_like_clock(line_piece(reader, at));
	while (at < reader->nlines)
	{
		int clock = clock_first ? at : at + 1;
		LogEntry entry;
		bool is_clock;

		if (is_blank(reader->lines[at]) &&
			(clock_first || !looks_like_clock(line_piece(reader, clock))))
		{
			at++;
			continue;
		}
		entry.line = reader->first_line + clock;
		entry.shown = line_piece(reader, clock);
		entry.event = line_piece(reader, clock_first ? at + 1 : at);
		is_clock = split_clock_line(entry.shown, &entry.host, &entry.clock);
		if (clock_first)
			check_clock_first(reader, at, is_clock);
		else
			check_text_first(reader, at, is_clock);
		store_entry(reader, &entry);
		at += 2;
	}
}

/*
 * Events that a regular expression finds
 */

/* The text as the engine takes it, and how far its lines were counted. */
typedef struct WideText
{
	pg_wchar *text;
	long length;
	long counted; /* up to here ... */
	int line;     /* ... we know the number of the line */
} WideText;

/* The text, with a line end behind its last line, and each line end one character. */
static void
widen_text(WideText *wide, const LogReader *reader)
{
	Size room = (Size) reader->text.length + 2;
	char *bytes = MemoryContextAllocHuge(CurrentMemoryContext, room);
	int length = 0;

	for (int i = 0; i < reader->text.length; i++)
	{
		char c = reader->text.start[i];

		if (c == '\r' && !reader->keep_returns && i + 1 < reader->text.length &&
			reader->text.start[i + 1] == '\n')
			continue;
		bytes[length++] = c;
	}
	if (length > 0)
		bytes[length++] = '\n';
	wide->text = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(pg_wchar) * room);
	wide->length = pg_mb2wchar_with_len(bytes, wide->text, length);
	wide->counted = 0;
	wide->line = reader->first_line;
	pfree(bytes);
}

/* The number of the line that holds a character; asked with growing positions. */
static int
wide_line(WideText *wide, long position)
{
	for (; wide->counted < position; wide->counted++)
		wide->line += wide->text[wide->counted] == '\n';
	return wide->line;
}

static Piece
wide_piece(const WideText *wide, ShivizSpan span)
{
	Piece piece = {"", 0};

	if (span.from < span.to)
	{
		Size length = span.to - span.from;
		char *bytes = MemoryContextAllocHuge(CurrentMemoryContext,
											 length * pg_database_encoding_max_length() + 1);

		piece.length = pg_wchar2mb_with_len(wide->text + span.from, bytes, (int) length);
		piece.start = bytes;
	}
	return piece;
}

/* The line around a character, as far as an error may show it. */
static Piece
wide_line_piece(const WideText *wide, long position)
{
	ShivizSpan line = {position, position};

	while (line.from > 0 && wide->text[line.from - 1] != '\n' &&
		   position - line.from < SHOWN_LENGTH)
		line.from--;
	while (line.to < wide->length && wide->text[line.to] != '\n' &&
		   line.to - line.from <= SHOWN_LENGTH)
		line.to++;
	return wide_piece(wide, line);
}

/* What a dot does not match. */
static bool
is_line_end(pg_wchar c)
{
	return c == '\n' || c == '\r';
}

/* Whole lines between two events must be blank. */
static void
check_between(WideText *wide, long from, long to)
{
	bool whole = from == 0 || is_line_end(wide->text[from - 1]);
	long blank = from;

	/* what is left of the line where the last event ended */
	for (; !whole && blank < to; blank++)
		whole = is_line_end(wide->text[blank]);
	/* the line where the next one begins may begin with anything */
	while (to > blank && !is_line_end(wide->text[to - 1]))
		to--;
	while (blank < to && is_blank_character(wide->text[blank]))
		blank++;
	if (blank < to)
	{
		int line = wide_line(wide, blank);

		log_refuse(line, wide_line_piece(wide, blank),
				   "The regular expression finds no event here.", NULL);
	}
}

static void
read_by_regex(LogReader *reader, Piece source)
{
	ShivizRegex *regex = shiviz_regex_compile(source.start, source.length);
	WideText wide;
	ShivizSpan whole;
	ShivizSpan groups[SHIVIZ_NGROUPS];
	long at = 0;
	long end = 0;

	widen_text(&wide, reader);
	while (at <= wide.length &&
		   shiviz_regex_match(regex, wide.text, wide.length, at, &whole, groups))
	{
		MemoryContext old;
		LogEntry entry;
		long clock = groups[SHIVIZ_CLOCK].from;

		CHECK_FOR_INTERRUPTS();
		at = whole.to;
		if (whole.from == whole.to)
		{
			/* nothing is no event, and must not be found again */
			at++;
			continue;
		}
		old = MemoryContextSwitchTo(reader->row_context);
		check_between(&wide, end, whole.from);
		entry.line = wide_line(&wide, clock < 0 ? whole.from : clock);
		entry.shown = wide_line_piece(&wide, clock < 0 ? whole.from : clock);
		if (groups[SHIVIZ_HOST].from == groups[SHIVIZ_HOST].to ||
			groups[SHIVIZ_CLOCK].from == groups[SHIVIZ_CLOCK].to)
			log_refuse(entry.line, entry.shown,
					   "The regular expression matches, but finds no host or no clock.", NULL);
		entry.host = wide_piece(&wide, groups[SHIVIZ_HOST]);
		entry.clock = wide_piece(&wide, groups[SHIVIZ_CLOCK]);
		entry.event = wide_piece(&wide, groups[SHIVIZ_EVENT]);
		MemoryContextSwitchTo(old);
		store_entry(reader, &entry);
		end = whole.to;
	}
	check_between(&wide, end, wide.length);
}

/* Take the first line off a text. */
static Piece
take_line(Piece *text)
{
	const char *newline = text->length > 0 ? memchr(text->start, '\n', text->length) : NULL;
	Piece line = {text->start, newline ? (int) (newline - text->start) : text->length};
	int taken = newline ? line.length + 1 : line.length;

	text->start += taken;
	text->length -= taken;
	if (newline && line.length > 0 && newline[-1] == '\r')
		line.length--;
	return line;
}

/*
 * The first two lines may tell how the rest is to be read.  Returns the
 * expression, or nothing for events that are two lines.
 */
static Piece
read_header(LogReader *reader, Piece given)
{
	Piece text = reader->text;
	Piece header = take_line(&text);

	if (piece_contains(header, HEADER_MARK))
	{
		Piece delimiter = take_line(&text);

		if (!is_blank(delimiter))
			log_refuse(2, delimiter, "This expression divides the log into several executions.",
					   "Read each execution as a log of its own, with an empty second line.");
		reader->text = text;
		reader->first_line = 3;
		if (given.start == NULL)
		{
			given = header;
			/* we end lines with a newline alone: a carriage return is text */
			reader->keep_returns = piece_begins(header, RECORD_REGEX) &&
				header.start + header.length < text.start && header.start[header.length] == '\n';
		}
	}
	if (given.start && piece_is(given, DEFAULT_REGEX))
		given.start = NULL;
	return given;
}

PG_FUNCTION_INFO_V1(shiviz_events);
Datum
shiviz_events(PG_FUNCTION_ARGS)
{
	LogReader reader = {.first_line = 1};
	Piece regex = {NULL, 0};

	row_set_open(&reader.rows, fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	reader.text = text_piece(PG_GETARG_TEXT_PP(0));
	if (begins_with_mark(reader.text))
	{
		reader.text.start += strlen(BYTE_ORDER_MARK);
		reader.text.length -= strlen(BYTE_ORDER_MARK);
	}
	while (reader.text.length > 0 && reader.text.start[reader.text.length - 1] == '\n')
	{
		reader.text.length--;
		if (reader.text.length > 0 && reader.text.start[reader.text.length - 1] == '\r')
			reader.text.length--;
	}
	if (!PG_ARGISNULL(1))
		regex = text_piece(PG_GETARG_TEXT_PP(1));
	reader.hosts = create_seen("hosts of a log", NODE_NAME_MAX + 1, sizeof(SeenHost));
	reader.events = create_seen("events of a log", sizeof(SeenEventKey), sizeof(SeenEvent));
	reader.row_context = AllocSetContextCreate(CurrentMemoryContext, "event of a log",
											   ALLOCSET_DEFAULT_SIZES);
	regex = read_header(&reader, regex);
	if (regex.start)
		read_by_regex(&reader, regex);
	else
		read_by_lines(&reader);
	return (Datum) 0;
}

/*
 * Writing
 */

static Piece
event_piece(const EventGraph *graph, uint32 event)
{
	const char *text = graph->events[event].text;
	Piece piece = {text ? text : "", text ? (int) strlen(text) : 0};

	return piece;
}

static Piece
host_piece(const EventGraph *graph, uint32 event)
{
	const GraphOrigin *origin = event_graph_origin(graph, event);
	Piece piece = {origin->name, (int) origin->length};

	return piece;
}

static void
append_clock_line(StringInfo out, const EventGraph *graph, uint32 event, char separator)
{
	Piece host = host_piece(graph, event);

	appendBinaryStringInfo(out, host.start, host.length);
	appendStringInfoChar(out, separator);
	node_table_to_json(out, &graph->events[event].clock);
	appendStringInfoChar(out, '\n');
}

pg_noreturn static void write_refuse(const LogTable *log, const char *detail);

static void
write_refuse(const LogTable *log, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("log %s cannot be written as a ShiViz log", log->name),
			 errdetail_internal("%s", detail),
			 errhint("There an event's number is what its clock counts of its own host, and a "
					 "host's name is one line.")));
}

/* Each event must come back with the same number, once. */
static void
check_numbers(const LogTable *log, const EventGraph *graph)
{
	for (uint32 i = 0; i < graph->norigins; i++)
	{
		const GraphOrigin *origin = &graph->origins[i];

		CHECK_FOR_INTERRUPTS();
		for (uint32 j = 0; j < origin->nevents; j++)
		{
			const GraphEvent *event = &graph->events[origin->events[j]];
			uint64 counter = node_table_get(&event->clock, origin->name, origin->length, 0);

			if (event->seq < 1 || counter != (uint64) event->seq)
				write_refuse(log,
							 psprintf("The clock of event " INT64_FORMAT
									  " of origin \"%s\" counts " UINT64_FORMAT
									  " events of that origin.",
									  event->seq, origin->name, counter));
			if (j > 0 && graph->events[origin->events[j - 1]].seq == event->seq)
				write_refuse(log,
							 psprintf("Event " INT64_FORMAT
									  " of origin \"%s\" occurs more than once.",
									  event->seq, origin->name));
		}
	}
}

/*
 * Might ShiViz take this text for the line of a clock?  It looks for one right
 * behind the event before.
 */
static bool
resembles_clock(Piece text)
{
	int at = 0;
	int blank;

	while (at < text.length && !is_blank_character((unsigned char) text.start[at]))
		at++;
	blank = at;
	while (at < text.length && (text.start[at] == ' ' || text.start[at] == '\t'))
		at++;
	return at > blank && at < text.length && text.start[at] == '{' &&
		memchr(text.start + at, '}', text.length - at) != NULL;
}

/* Will this event be read as it is when it stands on two lines? */
static bool
fits_two_lines(const EventGraph *graph, uint32 event, StringInfo scratch)
{
	Piece text = event_piece(graph, event);
	Piece host = host_piece(graph, event);

	for (int i = 0; i < host.length; i++)
	{
		if (is_blank_character((unsigned char) host.start[i]))
			return false;
	}
	if (strpbrk(text.start, "\r\n") != NULL || resembles_clock(text))
		return false;
	/* the first one tells the order of lines, and whether there is a header */
	if (event == 0)
		return !is_blank(text) && !begins_with_mark(text) && !piece_contains(text, HEADER_MARK);
	/* a blank line is an event's text only if a clock follows without any doubt */
	if (is_blank(text))
	{
		Piece line;

		resetStringInfo(scratch);
		append_clock_line(scratch, graph, event, ' ');
		line.start = scratch->data;
		line.length = scratch->len;
		return looks_like_clock(line);
	}
	return true;
}

static bool
all_fit_two_lines(const EventGraph *graph)
{
	StringInfoData scratch;

	initStringInfo(&scratch);
	for (uint32 event = 0; event < graph->nevents; event++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!fits_two_lines(graph, event, &scratch))
			return false;
	}
	return true;
}

static void
write_two_lines(StringInfo out, const EventGraph *graph)
{
	for (uint32 event = 0; event < graph->nevents; event++)
	{
		Piece text = event_piece(graph, event);

		CHECK_FOR_INTERRUPTS();
		appendBinaryStringInfo(out, text.start, text.length);
		appendStringInfoChar(out, '\n');
		append_clock_line(out, graph, event, ' ');
	}
}

/* The longest row of '=' at the beginning of a line, but the first, of any text. */
static int
longest_mark(const EventGraph *graph)
{
	int longest = 0;

	for (uint32 event = 0; event < graph->nevents; event++)
	{
		const char *at = event_piece(graph, event).start;

		CHECK_FOR_INTERRUPTS();
		while ((at = strchr(at, '\n')) != NULL)
		{
			int length = (int) strspn(++at, "=");

			longest = Max(longest, length);
		}
	}
	return longest;
}

/*
 * Any text, of any number of lines:
 *
 *		--- host
 *		{"host": 1}
 *		text
 *		===
 *
 * with more '=' than begin a line of any text.  The expression in the header
 * means the same to ShiViz as here: its first quantifier takes as little as
 * possible, so the match as a whole ends at the first such mark, and host and
 * clock are one line each.  A record neither begins nor ends with a blank,
 * since ShiViz cuts off those of the log.
 */
static void
write_records(StringInfo out, const LogTable *log, const EventGraph *graph)
{
	int length = Max(3, longest_mark(graph) + 1);
	char *mark = palloc(length + 1);

	memset(mark, '=', length);
	mark[length] = '\0';
	appendStringInfo(out, RECORD_REGEX "%s\n\n", mark);
	for (uint32 event = 0; event < graph->nevents; event++)
	{
		Piece text = event_piece(graph, event);
		Piece host = host_piece(graph, event);

		CHECK_FOR_INTERRUPTS();
		if (memchr(host.start, '\n', host.length))
			write_refuse(log,
						 psprintf("The name of origin \"%s\" has more than one line.", host.start));
		appendStringInfoString(out, "--- ");
		append_clock_line(out, graph, event, '\n');
		appendBinaryStringInfo(out, text.start, text.length);
		appendStringInfo(out, "\n%s\n", mark);
	}
}

PG_FUNCTION_INFO_V1(to_shiviz);
Datum
to_shiviz(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	LogTable log;
	EventGraph *graph;

	initStringInfo(&out);
	log_table_open(&log, fcinfo, PG_GETARG_OID(0));
	query_connect();
	graph = event_graph_load(&log, true);
	check_numbers(&log, graph);
	if (all_fit_two_lines(graph))
		write_two_lines(&out, graph);
	else
		write_records(&out, &log, graph);
	query_finish();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
