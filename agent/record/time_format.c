/* time_format.c: times by a strptime format. The format is compiled into a list of small steps, with compound
 * directives
 * (%T) written out, and is proved to give a day; a text is then read in one go. Names are English: a log's
 * months do not change with the locale of the agent. */
#include "time_int.h"

#define MAX_FORMAT 256u
#define MAX_STEPS  256u

/* One step: a directive's letter, ' ' for white space, or LITERAL and the byte. */
enum { LITERAL = 1, SPACE = ' ' };

typedef struct step {
    char kind;
    char literal;
} step;

struct sl_time_format {
    uint32_t count;
    bool has_year;
    step steps[MAX_STEPS];
};

/* What a text gave. */
typedef struct fields {
    sl_civil civil;
    int century, year_of_century; /* -1: not given */
    int day_of_year;              /* 0: not given */
    int hour12;                   /* -1: not given */
    bool pm;
    bool has_epoch;
    int64_t epoch;
    int32_t offset;
} fields;

/* ---- compiling ---- */

static const char *expansion_of(char directive)
{
    switch (directive) {
    case 'c': return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x': return "%m/%d/%y";
    case 'F': return "%Y-%m-%d";
    case 'R': return "%H:%M";
    case 'r': return "%I:%M:%S %p";
    case 'T':
    case 'X': return "%H:%M:%S";
    default: return NULL;
    }
}

typedef struct compiler {
    sl_time_format *format;
    sl_span text; /* the user's, for columns */
    size_t at;
    sl_err *err;
} compiler;

static bool fail(compiler *c, const char *what)
{
    sl_err_set(c->err, SL_E_SYNTAX, "column %zu: %s", c->at + 1, what);
    return false;
}

static bool add_step(compiler *c, char kind, char literal)
{
    if (c->format->count == MAX_STEPS) return fail(c, "the time format has too many parts");
    c->format->steps[c->format->count++] = (step){kind, literal};
    return true;
}

static bool add_text(compiler *c, char byte)
{
    bool space = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
    return space ? add_step(c, SPACE, 0) : add_step(c, LITERAL, byte);
}

static bool add_directive(compiler *c, char directive)
{
    const char *expansion = expansion_of(directive);
    if (expansion) {
        for (const char *p = expansion; *p; p++)
            if (!(*p == '%' ? add_directive(c, *++p) : add_text(c, *p))) return false;
        return true;
    }
    switch (directive) {
    case '%': return add_step(c, LITERAL, '%');
    case 'n':
    case 't': return add_step(c, SPACE, 0);
    case 'h': return add_step(c, 'b', 0);
    case 'B': return add_step(c, 'b', 0);
    case 'A': return add_step(c, 'a', 0);
    case 'e': return add_step(c, 'd', 0);
    case 'k': return add_step(c, 'H', 0);
    case 'l': return add_step(c, 'I', 0);
    default:
        if (directive && strchr("aCdHIjLMSUWYbfmpsuwyzZ", directive)) return add_step(c, directive, 0);
        return fail(c, "unknown directive; known are those of strptime, and %L %f %s %z %Z");
    }
}

static bool has(const sl_time_format *format, char kind)
{
    for (uint32_t i = 0; i < format->count; i++)
        if (format->steps[i].kind == kind) return true;
    return false;
}

static bool check_format(compiler *c)
{
    sl_time_format *f = c->format;
    f->has_year = has(f, 'Y') || has(f, 'y');
    if (has(f, 's')) return true;
    bool gives_day = has(f, 'j') || (has(f, 'd') && (has(f, 'm') || has(f, 'b')));
    if (!gives_day) return fail(c, "the time format gives no day; it needs %d with %m or %b, or %j, or %s");
    if (has(f, 'I') && !has(f, 'p')) return fail(c, "%I tells the hour only together with %p");
    if (has(f, 'C') && !has(f, 'y')) return fail(c, "%C tells the year only together with %y");
    return true;
}

static bool compile(compiler *c)
{
    while (c->at < c->text.len) {
        char byte = c->text.ptr[c->at];
        if (byte != '%') {
            if (!add_text(c, byte)) return false;
            c->at++;
            continue;
        }
        size_t at = c->at + 1;
        if (at < c->text.len && (c->text.ptr[at] == 'E' || c->text.ptr[at] == 'O')) at++;
        if (at >= c->text.len) return fail(c, "`%` has no letter behind it; a percent sign is written %%");
        if (!add_directive(c, c->text.ptr[at])) return false;
        c->at = at + 1;
    }
    return check_format(c);
}

sl_time_format *sl_time_format_parse(sl_span format, sl_err *err)
{
    if (format.len > MAX_FORMAT) {
        sl_err_set(err, SL_E_LIMIT, "column %u: the time format is longer than %u bytes", MAX_FORMAT + 1,
                   MAX_FORMAT);
        return NULL;
    }
    compiler c = {.format = sl_calloc(1, sizeof(sl_time_format)), .text = format, .err = err};
    if (compile(&c)) return c.format;
    sl_time_format_free(c.format);
    return NULL;
}

void sl_time_format_free(sl_time_format *format)
{
    sl_free(format);
}

/* ---- reading ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(sl_span *text)
{
    while (text->len > 0 && is_space(*text->ptr))
        text->ptr++, text->len--;
}

static void advance(sl_span *text, size_t n)
{
    text->ptr += n;
    text->len -= n;
}

/* Up to max_digits digits, behind any white space, within the range. */
static bool read_int(sl_span *text, int max_digits, int min, int max, int *out)
{
    skip_space(text);
    int value = 0, i = 0;
    for (; i < max_digits && (size_t)i < text->len; i++) {
        unsigned digit = (unsigned)(unsigned char)text->ptr[i] - '0';
        if (digit > 9) break;
        value = value * 10 + (int)digit;
    }
    advance(text, (size_t)i);
    *out = value;
    return i > 0 && value >= min && value <= max;
}

static bool read_u8(sl_span *text, int min, int max, uint8_t *out)
{
    int value;
    if (!read_int(text, 2, min, max, &value)) return false;
    *out = (uint8_t)value;
    return true;
}

/* A name, long or cut to three letters, in any case. Returns its number, or -1. */
static int read_name(sl_span *text, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        for (size_t len = strlen(names[i]);; len = 3) {
            if (text->len >= len && sl_span_is_nocase((sl_span){text->ptr, len}, (sl_span){names[i], len})) {
                advance(text, len);
                return i;
            }
            if (len == 3) break;
        }
    }
    return -1;
}

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

static bool read_epoch(sl_span *text, fields *f)
{
    size_t i = 0;
    for (f->epoch = 0; i < text->len && i < 11; i++) {
        unsigned digit = (unsigned)(unsigned char)text->ptr[i] - '0';
        if (digit > 9) break;
        f->epoch = f->epoch * 10 + digit;
    }
    advance(text, i);
    f->has_epoch = true;
    return i > 0;
}

static bool read_fraction(sl_span *text, size_t max_digits, fields *f)
{
    sl_span part = {text->ptr, text->len < max_digits ? text->len : max_digits};
    size_t used = sl_time__parse_fraction(part, &f->civil.ns);
    advance(text, used);
    return used > 0;
}

static bool read_zone(sl_span *text, fields *f, bool by_name)
{
    size_t used = 0;
    if (by_name && text->len >= 3 && (!memcmp(text->ptr, "UTC", 3) || !memcmp(text->ptr, "GMT", 3))) {
        f->offset = 0;
        used = 3;
    } else if (!by_name || (text->len > 0 && *text->ptr == 'Z')) {
        used = sl_time__parse_offset(*text, &f->offset);
    }
    advance(text, used);
    return used > 0;
}

static bool read_half(sl_span *text, fields *f)
{
    if (text->len < 2 || (text->ptr[1] | 0x20) != 'm') return false;
    char half = (char)(text->ptr[0] | 0x20);
    f->pm = half == 'p';
    advance(text, 2);
    return half == 'a' || half == 'p';
}

static bool read_step(const step *s, sl_span *text, fields *f)
{
    sl_civil *c = &f->civil;
    int value;
    switch (s->kind) {
    case LITERAL:
        if (text->len == 0 || *text->ptr != s->literal) return false;
        advance(text, 1);
        return true;
    case SPACE: skip_space(text); return true;
    case 'Y': return read_int(text, 4, 0, 9999, &c->year);
    case 'C': return read_int(text, 2, 0, 99, &f->century);
    case 'y': return read_int(text, 2, 0, 99, &f->year_of_century);
    case 'm': return read_u8(text, 1, 12, &c->month);
    case 'd': return read_u8(text, 1, 31, &c->day);
    case 'j': return read_int(text, 3, 1, 366, &f->day_of_year);
    case 'H': return read_u8(text, 0, 23, &c->hour);
    case 'I': return read_int(text, 2, 1, 12, &f->hour12);
    case 'M': return read_u8(text, 0, 59, &c->minute);
    case 'S': return read_u8(text, 0, 60, &c->second);
    case 'p': return read_half(text, f);
    case 'a': return read_name(text, weekdays, 7) >= 0;
    case 'b':
        value = read_name(text, months, 12);
        c->month = (uint8_t)(value + 1);
        return value >= 0;
    case 'u': return read_int(text, 1, 1, 7, &value);
    case 'w': return read_int(text, 1, 0, 6, &value);
    case 'U':
    case 'W': return read_int(text, 2, 0, 53, &value);
    case 'L': return read_fraction(text, 3, f);
    case 'f': return read_fraction(text, 9, f);
    case 's': return read_epoch(text, f);
    case 'z': return read_zone(text, f, false);
    default: return read_zone(text, f, true); /* 'Z' */
    }
}

/* ---- from fields to a time ---- */

static bool settle(fields *f, const sl_timezone *zone, int64_t *ns)
{
    sl_civil c = f->civil;
    if (f->day_of_year > 0) {
        if (f->day_of_year == 366 && !sl_is_leap_year(c.year)) return false;
        sl_date_from_days(sl_days_from_date(c.year, 1, 1) + f->day_of_year - 1, &c);
    }
    return sl_civil__to_ns(&c, f->offset, zone, ns);
}

/* The year, of those around now, that brings the time nearest; February 29th has few to choose from. */
static bool settle_nearest(fields *f, const sl_timezone *zone, int64_t now_ns, int64_t *ns)
{
    sl_civil now = sl_civil_from_ns(now_ns);
    bool found = false;
    uint64_t best = 0;
    for (int32_t year = now.year - 4; year <= now.year + 4; year++) {
        int64_t at;
        f->civil.year = year;
        if (!settle(f, zone, &at)) continue;
        uint64_t away = at > now_ns ? (uint64_t)at - (uint64_t)now_ns : (uint64_t)now_ns - (uint64_t)at;
        if (found && away >= best) continue;
        found = true;
        best = away;
        *ns = at;
    }
    return found;
}

bool sl_time_parse_format(const sl_time_format *format, sl_span text, const sl_timezone *zone, int64_t now_ns,
                          int64_t *ns)
{
    fields f = {.century = -1, .year_of_century = -1, .hour12 = -1, .offset = SL_NO_OFFSET};
    for (uint32_t i = 0; i < format->count; i++)
        if (!read_step(&format->steps[i], &text, &f)) return false;
    if (text.len > 0) return false;
    if (f.has_epoch)
        return !__builtin_mul_overflow(f.epoch, SL_NS_PER_S, ns) &&
               !__builtin_add_overflow(*ns, f.civil.ns, ns);
    if (f.hour12 >= 0) f.civil.hour = (uint8_t)(f.hour12 % 12 + (f.pm ? 12 : 0));
    if (f.year_of_century >= 0) {
        int century = f.century >= 0 ? f.century : f.year_of_century < 69 ? 20 : 19;
        f.civil.year = century * 100 + f.year_of_century;
    }
    return format->has_year ? settle(&f, zone, ns) : settle_nearest(&f, zone, now_ns, ns);
}
