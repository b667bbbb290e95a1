/* template.c: texts with parts of the record's time and fields. Compiled into pieces, written one after
 * another. */
#include "time_int.h"

#define SL_TEMPLATE_MAX_TEXT (16u * 1024)

typedef enum piece_kind { PIECE_TEXT, PIECE_TIME, PIECE_FIELD } piece_kind;

typedef struct piece {
    piece_kind kind;
    char directive;   /* TIME: the letter behind % */
    bool has_default; /* FIELD */
    sl_span text;     /* TEXT: itself; FIELD: the default */
    sl_path *path;    /* FIELD: owned */
    struct piece *next;
} piece;

struct sl_template {
    sl_arena arena;
    sl_span text;
    piece *first;
    bool has_time, has_fields;
};

/* ---- compiling ---- */

typedef struct parser {
    sl_template *tpl;
    sl_span text;
    size_t at;
    piece **end;  /* where the next piece is linked */
    sl_buf plain; /* text not yet made a piece */
    sl_err *err;
} parser;

static bool fail(parser *p, size_t at, const char *what)
{
    sl_err_set(p->err, SL_E_SYNTAX, "column %zu: %s", at + 1, what);
    return false;
}

static piece *add_piece(parser *p, piece_kind kind)
{
    piece *new = sl_arena_zalloc(&p->tpl->arena, sizeof(*new));
    new->kind = kind;
    *p->end = new;
    p->end = &new->next;
    return new;
}

static void end_plain(parser *p)
{
    if (p->plain.len == 0) return;
    add_piece(p, PIECE_TEXT)->text = sl_arena_dup(&p->tpl->arena, sl_buf_span(&p->plain));
    sl_buf_clear(&p->plain);
}

static sl_span rest_of(const parser *p)
{
    return (sl_span){p->text.ptr + p->at, p->text.len - p->at};
}

static bool parse_time(parser *p)
{
    char directive = p->at + 1 < p->text.len ? p->text.ptr[p->at + 1] : '\0';
    if (directive == '%') {
        sl_buf_append_char(&p->plain, '%');
    } else if (directive && strchr("YmdHMSjyeL", directive)) {
        end_plain(p);
        add_piece(p, PIECE_TIME)->directive = directive;
        p->tpl->has_time = true;
    } else {
        return fail(
            p, p->at,
            "unknown `%` directive; known are %Y %m %d %H %M %S %j %y %e %L, and %% for a percent sign");
    }
    p->at += 2;
    return true;
}

static void skip_space(parser *p)
{
    while (p->at < p->text.len && (p->text.ptr[p->at] == ' ' || p->text.ptr[p->at] == '\t'))
        p->at++;
}

static bool parse_default(parser *p, piece *field)
{
    p->at++;
    skip_space(p);
    sl_span rest = rest_of(p);
    if (rest.len == 0 || (*rest.ptr != '"' && *rest.ptr != '\''))
        return fail(p, p->at, "a default in quotes is expected after `|`");
    size_t used;
    sl_buf text = SL_BUF_NONE;
    const char *wrong = sl_text__unquote(rest, SL_ESCAPES_JSON, &text, &used);
    if (!wrong) field->text = sl_arena_dup(&p->tpl->arena, sl_buf_span(&text));
    sl_buf_release(&text);
    if (wrong) return fail(p, p->at + used, wrong);
    field->has_default = true;
    p->at += used;
    skip_space(p);
    return true;
}

static bool parse_field(parser *p)
{
    size_t open = p->at, used = 0;
    end_plain(p);
    piece *field = add_piece(p, PIECE_FIELD);
    p->tpl->has_fields = true;
    p->at += 2;
    skip_space(p);
    field->path = sl_path__parse_prefix(rest_of(p), p->at, &used, p->err);
    if (!field->path) return false;
    p->at += used;
    skip_space(p);
    if (p->at < p->text.len && p->text.ptr[p->at] == '|' && !parse_default(p, field)) return false;
    if (sl_span_starts_with(rest_of(p), SL_SPAN("}}"))) {
        p->at += 2;
        return true;
    }
    if (p->at == p->text.len) return fail(p, open, "this `{{` has no `}}`");
    return fail(p, p->at, "`}}` is expected behind the field (or `| \"default\"`)");
}

static bool parse_pieces(parser *p)
{
    while (p->at < p->text.len) {
        if (p->text.ptr[p->at] == '%') {
            if (!parse_time(p)) return false;
        } else if (sl_span_starts_with(rest_of(p), SL_SPAN("{{"))) {
            if (!parse_field(p)) return false;
        } else {
            sl_buf_append_char(&p->plain, p->text.ptr[p->at++]);
        }
    }
    end_plain(p);
    return true;
}

sl_template *sl_template_parse(sl_span text, sl_err *err)
{
    if (text.len > SL_TEMPLATE_MAX_TEXT) {
        sl_err_set(err, SL_E_LIMIT, "column %u: the template is longer than %u bytes",
                   SL_TEMPLATE_MAX_TEXT + 1, SL_TEMPLATE_MAX_TEXT);
        return NULL;
    }
    sl_template *tpl = sl_calloc(1, sizeof(*tpl));
    tpl->text = sl_arena_dup(&tpl->arena, text);
    parser p = {.tpl = tpl, .text = text, .end = &tpl->first, .err = err};
    bool done = parse_pieces(&p);
    sl_buf_release(&p.plain);
    if (done) return tpl;
    sl_template_free(tpl);
    return NULL;
}

void sl_template_free(sl_template *tpl)
{
    if (!tpl) return;
    for (piece *p = tpl->first; p; p = p->next)
        sl_path_free(p->path);
    sl_arena_release(&tpl->arena);
    sl_free(tpl);
}

bool sl_template_is_constant(const sl_template *tpl)
{
    return !tpl->has_time && !tpl->has_fields;
}

bool sl_template_has_fields(const sl_template *tpl)
{
    return tpl->has_fields;
}

sl_span sl_template_text(const sl_template *tpl)
{
    return tpl->text;
}

static int64_t granule_of(char directive)
{
    switch (directive) {
    case 'H': return 3600 * SL_NS_PER_S;
    case 'M': return 60 * SL_NS_PER_S;
    case 'S': return SL_NS_PER_S;
    case 'L': return SL_NS_PER_MS;
    default: return 86400 * SL_NS_PER_S;
    }
}

int64_t sl_template_granule(const sl_template *tpl)
{
    if (tpl->has_fields) return 0;
    int64_t least = granule_of('d');
    for (const piece *at = tpl->first; at; at = at->next) {
        int64_t granule = at->kind == PIECE_TIME ? granule_of(at->directive) : least;
        if (granule < least) least = granule;
    }
    return least;
}

/* ---- writing ---- */

/* Right-aligned in `width`, filled up with `fill`. */
static void put_number(sl_buf *out, unsigned value, int width, char fill)
{
    char digits[8];
    for (int i = width - 1; i >= 0; i--) {
        digits[i] = value > 0 || i == width - 1 ? (char)('0' + value % 10) : fill;
        value /= 10;
    }
    sl_buf_append(out, digits, (size_t)width);
}

static void write_time(char directive, const sl_civil *c, sl_buf *out)
{
    switch (directive) {
    case 'Y': put_number(out, (unsigned)c->year, 4, '0'); break;
    case 'y': put_number(out, (unsigned)c->year % 100, 2, '0'); break;
    case 'm': put_number(out, c->month, 2, '0'); break;
    case 'd': put_number(out, c->day, 2, '0'); break;
    case 'e': put_number(out, c->day, 2, ' '); break;
    case 'H': put_number(out, c->hour, 2, '0'); break;
    case 'M': put_number(out, c->minute, 2, '0'); break;
    case 'S': put_number(out, c->second, 2, '0'); break;
    case 'L': put_number(out, (unsigned)c->ns / 1000000, 3, '0'); break;
    default: /* 'j' */
        put_number(
            out,
            (unsigned)(sl_days_from_date(c->year, c->month, c->day) - sl_days_from_date(c->year, 1, 1) + 1),
            3, '0');
    }
}

/* False when the field is not there, or nothing that can stand in a text. */
static bool write_field(const piece *field, sl_reader *reader, sl_buf *out)
{
    sl_value value;
    bool usable = sl_reader_get(reader, field->path, &value) && value.type != SL_JSON_OBJECT &&
                  value.type != SL_JSON_ARRAY && value.type != SL_JSON_NULL;
    if (!usable && !field->has_default) return false;
    sl_buf_append_span(out, usable ? value.text : field->text);
    return true;
}

int sl_template_write(const sl_template *tpl, sl_reader *reader, sl_buf *out)
{
    size_t start = out->len;
    sl_civil civil = {0};
    if (tpl->has_time) civil = sl_civil_from_ns(reader->rec->time_ns);
    for (const piece *p = tpl->first; p; p = p->next) {
        if (p->kind == PIECE_TEXT)
            sl_buf_append_span(out, p->text);
        else if (p->kind == PIECE_TIME)
            write_time(p->directive, &civil, out);
        else if (!write_field(p, reader, out)) {
            out->len = start;
            return SL_E_NOT_FOUND;
        }
    }
    return 0;
}
