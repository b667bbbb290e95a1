/* problem_line.c: shows the line of a problem with a caret below it.
 *
 * The line is untrusted bytes and may hold secrets. It is drawn character by character: hidden ranges become
 * one `***` each, control characters and bytes that are no UTF-8 become `?`, a tab one space (so that the
 * caret stands right), and of a long line only a window around the caret is shown.
 */
#include "config_int.h"
#include "secrets.h"

#define WINDOW     110 /* characters shown of a line */
#define LOOK_BACK  200 /* lines */
#define MAX_RANGES 64  /* hidden ranges of one line */
#define BEFORE     80  /* of these at most this many before the caret */

size_t sl_text__break(sl_span text, size_t at)
{
    const unsigned char *p = (const unsigned char *)text.ptr + at;
    size_t left = text.len - at;
    if (left == 0) return 0;
    if (p[0] == '\n') return 1;
    if (p[0] == '\r') return left > 1 && p[1] == '\n' ? 2 : 1;
    if (left > 1 && p[0] == 0xC2 && p[1] == 0x85) return 2;
    if (left > 2 && p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9)) return 3;
    return 0;
}

size_t sl_text__char(sl_span text, size_t at)
{
    unsigned char c = (unsigned char)text.ptr[at];
    size_t len = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    if (len == 0 || len > text.len - at) return 1;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)text.ptr[at + i] & 0xC0) != 0x80) return 1;
    }
    return len;
}

/* The line'th line without its break (line counts from 1). */
static bool find_line(sl_span text, uint32_t line, sl_span *out)
{
    size_t at = 0;
    while (--line) {
        while (at < text.len && !sl_text__break(text, at))
            at++;
        if (at == text.len) return false;
        at += sl_text__break(text, at);
    }
    size_t end = at;
    while (end < text.len && !sl_text__break(text, end))
        end++;
    *out = (sl_span){text.ptr + at, end - at};
    return true;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* The name that ends just before the colon at `colon`, quotes and spaces left out. */
static sl_span name_before(sl_span line, size_t colon)
{
    size_t end = colon;
    while (end > 0 && !is_name_byte(line.ptr[end - 1])) {
        char c = line.ptr[--end];
        if (c != '"' && c != '\'' && c != ' ') return SL_SPAN_NONE;
    }
    size_t start = end;
    while (start > 0 && is_name_byte(line.ptr[start - 1]))
        start--;
    return (sl_span){line.ptr + start, end - start};
}

/* In a file that doesn't parse: from which byte on a line is hidden because a key says so; SIZE_MAX: nowhere.
 */
static size_t hidden_from(sl_span line)
{
    for (size_t i = 0; i < line.len; i++) {
        if ((line.ptr[i] != ':' && line.ptr[i] != '=') || !sl_key_is_secret(name_before(line, i))) continue;
        do
            i++;
        while (i < line.len && line.ptr[i] == ' ');
        return i;
    }
    return SIZE_MAX;
}

/* The same in a comment, for what was commented out is a secret still. */
static size_t hidden_in_comment(sl_span line)
{
    size_t at = 0;
    while (at < line.len && !(line.ptr[at] == '#' && (at == 0 || line.ptr[at - 1] == ' ')))
        at++;
    size_t from = hidden_from((sl_span){line.ptr + at, line.len - at});
    return from == SIZE_MAX ? from : at + from;
}

static size_t indent_of(sl_span line)
{
    size_t i = 0;
    while (i < line.len && line.ptr[i] == ' ')
        i++;
    return i;
}

/* The line before *line; false at the start of the text. Only LF counts: two lines that are taken for one
 * hide more, not less. */
static bool step_back(sl_span text, sl_span *line)
{
    size_t end = (size_t)(line->ptr - text.ptr);
    if (end == 0) return false;
    size_t start = end - 1;
    while (start > 0 && text.ptr[start - 1] != '\n')
        start--;
    *line = (sl_span){text.ptr + start, end - 1 - start};
    return true;
}

/* The same for a line that belongs to a key on a line before it: all of it is hidden. Who asks farther back
 * than a person would read gets a hidden line. */
static bool continues_secret(sl_span text, sl_span self)
{
    sl_span before = self;
    bool has_key = sl_span_find(self, SL_SPAN(":"), 0) < self.len;
    for (unsigned i = 0; i < LOOK_BACK; i++) {
        if (!step_back(text, &before)) return false;
        bool is_parent = indent_of(before) < indent_of(self) && indent_of(before) < before.len;
        if (hidden_from(before) != SIZE_MAX) return is_parent || !has_key;
        if (sl_span_find(before, SL_SPAN(":"), 0) < before.len && (is_parent || !has_key)) return false;
    }
    return true;
}

/* Where a line is drawn to. out NULL: only measured. */
typedef struct pen {
    sl_buf *out;
    uint32_t cell;  /* next cell, from 0 */
    uint32_t first; /* the window's first cell */
} pen;

static void put(pen *p, const char *bytes, size_t len)
{
    if (p->out && p->cell >= p->first && p->cell < p->first + WINDOW) sl_buf_append(p->out, bytes, len);
    p->cell++;
}

static void put_char(pen *p, sl_span line, size_t at, size_t len)
{
    const unsigned char *c = (const unsigned char *)line.ptr + at;
    if (c[0] == '\t')
        put(p, " ", 1);
    else if (c[0] < ' ' || c[0] == 0x7f || (len == 1 && c[0] >= 0x80) ||
             (len == 2 && c[0] == 0xC2 && c[1] < 0xA0))
        put(p, "?", 1);
    else
        put(p, line.ptr + at, len);
}

/* What of the line must not be seen. */
typedef struct cover {
    size_t from; /* bytes from here on */
    size_t url_start, url_end;
    struct {
        uint32_t start, end; /* columns */
    } ranges[MAX_RANGES];
    size_t count;
} cover;

/* Takes the hidden ranges that touch this line. With more than there is room for, the whole line is hidden.
 */
static void gather_ranges(const sl_problems *problems, const char *file, uint32_t line, cover *c)
{
    for (size_t i = 0; i < problems->hidden_count; i++) {
        const sl_mark *h = &problems->hidden[i];
        uint32_t last = h->end_line ? h->end_line : h->line;
        if (line < h->line || line > last || strcmp(h->file, file) != 0) continue;
        if (c->count == MAX_RANGES) {
            c->from = 0;
            return;
        }
        c->ranges[c->count].start = line == h->line ? h->column : 1;
        c->ranges[c->count++].end = line == h->end_line ? h->end_column : UINT32_MAX;
    }
}

static bool is_covered(cover *c, sl_span line, size_t at, uint32_t column)
{
    if (at >= c->url_end && c->url_end < line.len &&
        !sl_url_find_password(line, c->url_end, &c->url_start, &c->url_end))
        c->url_start = c->url_end = line.len;
    bool hide = at >= c->from || (at >= c->url_start && at < c->url_end);
    for (size_t i = 0; !hide && i < c->count; i++)
        hide = column >= c->ranges[i].start && column < c->ranges[i].end;
    return hide;
}

/* Draws the line; *caret and *carets become the cell and width of what stands from column to end (characters,
 * from 1). */
static void draw(const sl_mark *mark, sl_span line, cover c, pen *p, uint32_t *caret, uint32_t *carets)
{
    uint32_t end = mark->end_line == mark->line ? mark->end_column : mark->column + 1;
    uint32_t column = 1, run = 0; /* run: first cell of the present *** */
    bool hiding = false;
    *caret = *carets = 0;
    for (size_t at = 0; at < line.len; column++) {
        size_t len = sl_text__char(line, at);
        bool hide = is_covered(&c, line, at, column);
        if (hide && !hiding) run = p->cell;
        if (column == mark->column) *caret = hide ? run : p->cell;
        if (hide && !hiding) {
            for (size_t i = 0; i < strlen(SL_SECRET_SHOWN); i++)
                put(p, &SL_SECRET_SHOWN[i], 1);
        } else if (!hide) {
            put_char(p, line, at, len);
        }
        if (column >= mark->column && column < end) *carets = p->cell - *caret;
        hiding = hide;
        at += len;
    }
    if (column <= mark->column) *caret = p->cell; /* past the end of the line */
    if (*carets == 0) *carets = 1;
}

void sl_problem__show_line(const sl_problems *problems, const sl_problem *problem, sl_buf *out)
{
    sl_span line;
    if (problem->source == UINT32_MAX || problem->mark.line == 0) return;
    const sl_source *source = &problems->sources[problem->source];
    if (!find_line(source->text, problem->mark.line, &line) || line.len == 0) return;

    cover c = {.from = hidden_in_comment(line)};
    gather_ranges(problems, problem->mark.file, problem->mark.line, &c);
    size_t by_name = SIZE_MAX;
    if (source->hide_by_name) by_name = continues_secret(source->text, line) ? 0 : hidden_from(line);
    if (by_name < c.from) c.from = by_name;

    uint32_t caret, carets;
    pen measure = {NULL, 0, 0};
    draw(&problem->mark, line, c, &measure, &caret, &carets);

    pen p = {out, 0, caret > BEFORE ? caret - BEFORE : 0};
    sl_buf_append_cstr(out, p.first ? "  | …" : "  | ");
    draw(&problem->mark, line, c, &p, &caret, &carets);
    sl_buf_append_cstr(out, p.cell > p.first + WINDOW ? "…\n  | " : "\n  | ");
    uint32_t indent = caret - p.first + (p.first ? 1 : 0);
    for (uint32_t i = 0; i < indent; i++)
        sl_buf_append_char(out, ' ');
    for (uint32_t i = 0; i < carets && caret - p.first + i < WINDOW; i++)
        sl_buf_append_char(out, '^');
    if (caret - p.first >= WINDOW) sl_buf_append_char(out, '^');
    sl_buf_append_char(out, '\n');
}
