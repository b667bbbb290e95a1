/* reference.c: option rows for people: as Markdown in the reference, as text on a terminal. */
#include "../base/units.h"
#include "options.h"
#include "schema.h"
#include <sluice/http.h> /* SL_OPT_INLINE */
#include <stdio.h>

#define MAX_PREFIX 200

/* One row as it is told. */
typedef struct entry {
    const sl_option *row;
    const char *prefix; /* "tls." */
    const sl_option
        *like; /* an earlier group beside it with the same rows, which are not told again; or NULL */
    unsigned width;
} entry;

typedef void (*entry_writer)(sl_buf *out, const entry *e);

static bool is_list(const sl_option *row)
{
    return (row->flags & SL_OPT_LIST) != 0;
}

static void write_limit(sl_buf *out, const sl_option *row, double value)
{
    if (row->type == SL_OPT_SIZE)
        sl_size_format(out, (uint64_t)value);
    else if (row->type == SL_OPT_DURATION)
        sl_duration_format(out, (int64_t)value);
    else
        sl_buf_printf(out, "%.15g", value);
}

/* "duration, 1s to 1h", "list of text", "`start` or `end`" */
static void write_type(sl_buf *out, const sl_option *row)
{
    sl_buf noun = SL_BUF_NONE;
    sl_option_write_noun(row, &noun);
    sl_span text = sl_buf_span(&noun);
    if (is_list(row)) sl_buf_append_cstr(out, "list of ");
    if (sl_span_starts_with(text, SL_SPAN("a "))) text = (sl_span){text.ptr + 2, text.len - 2};
    if (row->type == SL_OPT_GROUP && is_list(row)) text = SL_SPAN("maps");
    if (row->type == SL_OPT_SECRET) text = SL_SPAN("secret text");
    sl_buf_append_span(out, text);
    sl_buf_release(&noun);
    const sl_option *main_row = row->type == SL_OPT_GROUP ? sl_options_main(row->rows) : NULL;
    if (main_row) sl_buf_printf(out, ", or only `%s`", main_row->name);
    if (row->unit) sl_buf_printf(out, " (%s)", row->unit);
    if (row->min == 0 && row->max == 0) return;
    sl_buf_append_cstr(out, ", ");
    if (row->max == 0) sl_buf_append_cstr(out, "at least ");
    write_limit(out, row, row->min);
    if (row->max == 0) return;
    sl_buf_append_cstr(out, " to ");
    write_limit(out, row, row->max);
}

/* The first group of the table before `row` that has the same rows, or NULL. */
static const sl_option *find_like(const sl_option *table, const sl_option *row)
{
    if (row->type != SL_OPT_GROUP) return NULL;
    while (table < row && (table->type != SL_OPT_GROUP || table->rows != row->rows))
        table++;
    return table < row ? table : NULL;
}

static void each_row(sl_buf *out, const sl_option *rows, const char *prefix, unsigned width,
                     entry_writer write)
{
    for (const sl_option *row = rows; row && row->type != SL_OPT_NONE; row++) {
        if (row->type == SL_OPT_INLINE) {
            each_row(out, row->rows, prefix, width, write);
            continue;
        }
        const entry e = {row, prefix, find_like(rows, row), width};
        write(out, &e);
        if (row->type != SL_OPT_GROUP || e.like) continue;
        char inner[MAX_PREFIX];
        snprintf(inner, sizeof inner, "%s%s%s.", prefix, row->name, is_list(row) ? "[]" : "");
        each_row(out, row->rows, inner, width, write);
    }
}

/* The help and what follows from the row's flags. */
static void write_help(sl_buf *out, const entry *e)
{
    sl_buf_append_cstr(out, e->row->help);
    if (e->row->flags & SL_OPT_MAIN) sl_buf_append_cstr(out, " May be given alone, in the place of the map.");
    if (e->like) sl_buf_printf(out, " Its options are those of `%s%s`.", e->prefix, e->like->name);
}

/* ---- Markdown ---- */

/* A `|` would end the cell, a line break the table. */
static void write_cell(sl_buf *out, sl_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '|') sl_buf_append_char(out, '\\');
        sl_buf_append_char(out, text.ptr[i] == '\n' ? ' ' : text.ptr[i]);
    }
}

static void write_markdown_row(sl_buf *out, const entry *e)
{
    sl_buf type = SL_BUF_NONE, help = SL_BUF_NONE;
    write_type(&type, e->row);
    write_help(&help, e);
    sl_buf_printf(out, "| `%s%s` | ", e->prefix, e->row->name);
    write_cell(out, sl_buf_span(&type));
    if (e->row->flags & SL_OPT_REQUIRED)
        sl_buf_append_cstr(out, " | *required* | ");
    else if (e->row->def)
        sl_buf_printf(out, " | `%s` | ", e->row->def);
    else
        sl_buf_append_cstr(out, " | | ");
    write_cell(out, sl_buf_span(&help));
    sl_buf_append_cstr(out, " |\n");
    sl_buf_release(&type);
    sl_buf_release(&help);
}

void sl_reference_write_options(sl_buf *out, const sl_option *const *tables, size_t count)
{
    sl_buf_append_cstr(out, "| Option | Type | Default | Meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < count; i++)
        each_row(out, tables[i], "", 0, write_markdown_row);
}

/* ---- terminal ---- */

#define INDENT 6

/* Words of text, wrapped, each line indented. */
static void write_wrapped(sl_buf *out, sl_span text, unsigned width)
{
    size_t column = 0;
    for (size_t i = 0; i < text.len;) {
        while (i < text.len && text.ptr[i] == ' ')
            i++;
        size_t end = i;
        while (end < text.len && text.ptr[end] != ' ')
            end++;
        if (end == i) break;
        bool fits = column > 0 && column + 1 + (end - i) <= width;
        if (column > 0) sl_buf_append_char(out, fits ? ' ' : '\n');
        if (!fits) {
            sl_buf_printf(out, "%*s", INDENT, "");
            column = INDENT - 1;
        }
        sl_buf_append(out, text.ptr + i, end - i);
        column += 1 + (end - i);
        i = end;
    }
    sl_buf_append_char(out, '\n');
}

static void print_row(sl_buf *out, const entry *e)
{
    sl_buf help = SL_BUF_NONE;
    sl_buf_printf(out, "  %s%s  ", e->prefix, e->row->name);
    write_type(out, e->row);
    if (e->row->flags & SL_OPT_REQUIRED) sl_buf_append_cstr(out, ", required");
    if (e->row->def) sl_buf_printf(out, ", default %s", e->row->def);
    sl_buf_append_char(out, '\n');
    write_help(&help, e);
    write_wrapped(out, sl_buf_span(&help), e->width);
    sl_buf_release(&help);
}

void sl_options_print(sl_buf *out, const sl_option *const *tables, size_t count, unsigned width)
{
    for (size_t i = 0; i < count; i++)
        each_row(out, tables[i], "", width, print_row);
}
