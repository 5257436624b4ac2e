/*
 * svg.c
 *		Pictures: what all of them have alike.
 *
 * A picture is SVG 1.1 with a style sheet and without scripts, fonts or other
 * files, so it can be opened as it is, shown in a page by <img>, or converted.
 * What goes beyond that (colours for dark screens, what happens when one points
 * at something) other viewers ignore.
 *
 * A class c0 to c11 sets the text colour, which everything inside may take on as
 * currentColor.
 */
#include "core/compat.h"

#include "core/markup.h"
#include "core/svg.h"

const char *const svg_colours[SVG_COLOURS] = {"c0", "c1", "c2", "c3", "c4",  "c5",
											  "c6", "c7", "c8", "c9", "c10", "c11"};

static const char svg_light[] =
	"svg{background:#fff;font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}"
	".paper{fill:#fff}.band{fill:#f6f7f9}.grid{stroke:#e4e7ec;fill:none}"
	"text{fill:#1f2733}.head{font-size:15px;font-weight:600}"
	".soft{fill:#667085}.tick{fill:#98a2b3;font-size:10px;text-anchor:middle}"
	".c0{color:#4269d0}.c1{color:#e0762a}.c2{color:#3a9a4b}.c3{color:#9a5fd6}"
	".c4{color:#1f9aa0}.c5{color:#d64f8f}.c6{color:#9c6b4e}.c7{color:#8f8a00}"
	".c8{color:#64748b}.c9{color:#4aa8e0}.c10{color:#84b62c}.c11{color:#c49be8}"
	".legend circle{fill:currentColor}";

static const char svg_dark[] = "svg{background:#14171c}.paper{fill:#14171c}"
							   ".band{fill:#1a1e25}.grid{stroke:#2a303a}"
							   "text{fill:#e6e9ee}.soft{fill:#98a2b3}.c0{color:#7d9bf0}";

/* The beginning of a picture; what stands for it where it cannot be seen must be given. */
void
svg_append_open(StringInfo out, int width, int height, const char *title, const char *description)
{
	appendStringInfo(out,
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" "
					 "xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\" "
					 "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
					 "aria-labelledby=\"title desc\">\n<title id=\"title\">",
					 width, height, width, height);
	markup_append(out, MARKUP_XML, title, MARKUP_WHOLE);
	appendStringInfoString(out, "</title>\n<desc id=\"desc\">");
	markup_append(out, MARKUP_XML, description, MARKUP_WHOLE);
	appendStringInfoString(out, "</desc>\n");
}

/* The style sheet: what all pictures have, one's own rules, and what differs on dark screens. */
void
svg_append_style(StringInfo out, const char *light, const char *dark)
{
	appendStringInfo(out, "<style>%s%s@media(prefers-color-scheme:dark){%s%s}</style>\n", svg_light,
					 light, svg_dark, dark);
}

void
svg_append_text(StringInfo out, int x, int y, const char *class, const char *text, uint32 most)
{
	appendStringInfo(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	markup_append(out, MARKUP_XML, text, most);
	appendStringInfoString(out, "</text>\n");
}

/* A colour and what it means, at most so many letters of it; returns where the next one may be. */
int
svg_append_key(StringInfo out, int x, int y, const char *class, const char *label, uint32 most)
{
	appendStringInfo(out, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"6\"/>\n", class, x + 6,
					 y - 4);
	svg_append_text(out, x + SVG_KEY, y, "key", label, most);
	return x + 2 * SVG_KEY + SVG_CHARACTER * (int) Min(markup_width(label, most), most);
}
