/* glob.c: reads patterns into parts and matches paths against them. */
#include "glob_int.h"
#include <stdlib.h>
#include <unistd.h>

/* ---- one name ---- */

static size_t character_len(const char *s, const char *end)
{
    size_t len = 1;
    if ((unsigned char)*s >= 0xc0)
        while (len < 4 && s + len < end && ((unsigned char)s[len] & 0xc0) == 0x80)
            len++;
    return len;
}

/* The class that starts after `[`. Returns where it ends, behind `]`, or NULL when it never does. */
static const char *match_class(const char *p, unsigned char c, bool *hit)
{
    bool negated = *p == '!' || *p == '^';
    if (negated) p++;
    bool found = false;
    for (const char *first = p; *p && (*p != ']' || p == first); p++) {
        if (*p == '\\' && p[1]) p++;
        unsigned char low = (unsigned char)*p, high = low;
        if (p[1] == '-' && p[2] && p[2] != ']') {
            p += 2;
            if (*p == '\\' && p[1]) p++;
            high = (unsigned char)*p;
        }
        if (c >= low && c <= high) found = true;
    }
    *hit = found != negated;
    return *p ? p + 1 : NULL;
}

/* Matches what p asks of the text at s, except `*`. Returns bytes of text used, 0 when it does not match;
 * moves *p on. */
static size_t match_one(const char **p, const char *s, const char *end)
{
    const char *pattern = *p;
    if (s == end || !*pattern) return 0;
    if (*pattern == '?') {
        *p = pattern + 1;
        return character_len(s, end);
    }
    if (*pattern == '[') {
        bool hit;
        const char *after = match_class(pattern + 1, (unsigned char)*s, &hit);
        if (after) {
            *p = after;
            return hit ? 1 : 0;
        }
    } else if (*pattern == '\\' && pattern[1]) {
        pattern++;
    }
    *p = pattern + 1;
    return *pattern == *s ? 1 : 0;
}

/* After a mismatch the last `*` takes one byte more: linear in practice, never exponential. */
static bool match_wild(const char *p, const char *s, const char *end)
{
    const char *star = NULL, *star_s = NULL;
    for (;;) {
        if (*p == '*') {
            star = ++p;
            star_s = s;
            continue;
        }
        if (s == end && !*p) return true;
        size_t used = match_one(&p, s, end);
        if (used) {
            s += used;
        } else {
            if (!star || star_s == end) return false;
            p = star;
            s = ++star_s;
        }
    }
}

bool tail_glob_match_name(const glob_part *part, sl_span name, bool hidden)
{
    if (part->kind == GLOB_LITERAL) return sl_span_is_cstr(name, part->text);
    if (name.len && name.ptr[0] == '.' && !hidden && part->text[0] != '.') return false;
    if (part->kind == GLOB_ANY) return true;
    return match_wild(part->text, name.ptr, name.ptr + name.len);
}

/* ---- whole paths ---- */

/* Parts from `i` on against the rest of a path. leads: the path may end while parts are left. Depth is
 * bounded by the names of the path, work by their number to the power of TAIL_MAX_ANY. */
static bool match_parts(const glob *g, size_t i, const char *rest, bool hidden, bool leads)
{
    while (*rest == '/')
        rest++;
    if (!*rest) return leads ? i < g->count : i == g->count;
    if (i == g->count) return false;
    sl_span name = {rest, strcspn(rest, "/")};
    const glob_part *part = &g->parts[i];
    if (part->kind == GLOB_ANY && match_parts(g, i + 1, rest, hidden, leads)) return true;
    if (!tail_glob_match_name(part, name, hidden)) return false;
    return match_parts(g, part->kind == GLOB_ANY ? i : i + 1, rest + name.len, hidden, leads);
}

bool tail_globs_match(const tail_globs *globs, const char *path)
{
    for (size_t i = 0; i < globs->count; i++)
        if (match_parts(&globs->items[i], 0, path, globs->hidden, false)) return true;
    return false;
}

bool tail_globs_leads(const tail_globs *globs, const char *path)
{
    for (size_t i = 0; i < globs->count; i++)
        if (match_parts(&globs->items[i], 0, path, globs->hidden, true)) return true;
    return false;
}

/* ---- reading patterns ---- */

static bool has_wildcard(const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' && text[1])
            text++;
        else if (strchr("*?[", *text))
            return true;
    }
    return false;
}

static void unescape(char *text)
{
    char *out = text;
    for (; *text; text++) {
        if (*text == '\\' && text[1]) text++;
        *out++ = *text;
    }
    *out = '\0';
}

static void add_part(glob *g, glob_part_kind kind, sl_span text)
{
    g->parts = sl_realloc(g->parts, (g->count + 1) * sizeof *g->parts);
    glob_part part = {kind, sl_strndup(text.ptr, text.len)};
    if (kind == GLOB_LITERAL) unescape(part.text);
    g->parts[g->count++] = part;
}

static int split(glob *g, const char *pattern, sl_err *err)
{
    int any = 0;
    glob_part_kind kind = GLOB_LITERAL;
    for (const char *p = pattern; *p;) {
        while (*p == '/')
            p++;
        sl_span name = {p, strcspn(p, "/")};
        p += name.len;
        if (name.len == 0 || sl_span_is_cstr(name, ".")) continue;
        if (sl_span_is_cstr(name, "**")) {
            if (kind == GLOB_ANY) continue;
            kind = GLOB_ANY;
            any++;
        } else {
            char *text = sl_strndup(name.ptr, name.len);
            kind = has_wildcard(text) ? GLOB_WILD : GLOB_LITERAL;
            sl_free(text);
        }
        add_part(g, kind, name);
        if (any > TAIL_MAX_ANY || g->count >= TAIL_MAX_PARTS)
            return sl_err_set(err, SL_E_LIMIT, "the pattern `%s` has too many %s: at most %d", pattern,
                              any > TAIL_MAX_ANY ? "`**`" : "names",
                              any > TAIL_MAX_ANY ? TAIL_MAX_ANY : TAIL_MAX_PARTS);
    }
    if (g->count == 0) return sl_err_set(err, SL_E_SYNTAX, "the pattern `%s` names no file", pattern);
    if (kind == GLOB_ANY) add_part(g, GLOB_WILD, SL_SPAN("*"));
    return 0;
}

static int add_plain(tail_globs *globs, const char *pattern, sl_err *err)
{
    if (globs->count == TAIL_MAX_GLOBS)
        return sl_err_set(err, SL_E_LIMIT, "too many patterns: at most %d, `{a,b}` written out",
                          TAIL_MAX_GLOBS);
    globs->items = sl_realloc(globs->items, (globs->count + 1) * sizeof *globs->items);
    glob *g = &globs->items[globs->count++];
    *g = (glob){NULL, 0};
    sl_buf path = SL_BUF_NONE;
    if (globs->hidden && !strchr(pattern, '/')) {
        sl_buf_append_cstr(&path, "/**/");
    } else if (*pattern != '/') {
        char *cwd = getcwd(NULL, 0);
        sl_buf_printf(&path, "%s/", cwd ? cwd : "");
        free(cwd);
    }
    sl_buf_append_cstr(&path, pattern);
    int rc = path.len < TAIL_MAX_PATH
                 ? split(g, sl_buf_cstr(&path), err)
                 : sl_err_set(err, SL_E_LIMIT, "a pattern is longer than %d bytes", TAIL_MAX_PATH);
    sl_buf_release(&path);
    return rc;
}

/* The brace that closes the one at p, or NULL. *commas: how many separate its choices. */
static const char *closing_brace(const char *p, int *commas)
{
    int depth = 0;
    *commas = 0;
    for (; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '{')
            depth++;
        else if (*p == ',' && depth == 1)
            ++*commas;
        else if (*p == '}' && --depth == 0)
            return p;
    }
    return NULL;
}

/* The first brace that offers a choice; others stand for themselves. */
static const char *find_choice(const char *p, const char **close)
{
    for (; *p; p++) {
        int commas;
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '{' && (*close = closing_brace(p, &commas)) && commas)
            return p;
    }
    return NULL;
}

/* Writes out the first choice and goes on with each result. Each level has one brace less, and the number of
 * results is limited, so it ends. */
static int add_pattern(tail_globs *globs, const char *pattern, sl_err *err)
{
    const char *close, *open = find_choice(pattern, &close);
    if (!open) return add_plain(globs, pattern, err);
    int depth = 0, rc = 0;
    const char *from = open + 1;
    for (const char *p = from; p <= close && rc == 0; p++) {
        if (*p == '\\' && p[1]) {
            p++;
        } else if (*p == '{') {
            depth++;
        } else if (*p == '}' && p != close) {
            depth--;
        } else if (p == close || (*p == ',' && depth == 0)) {
            sl_buf one = SL_BUF_NONE;
            sl_buf_printf(&one, "%.*s%.*s%s", (int)(open - pattern), pattern, (int)(p - from), from,
                          close + 1);
            rc = add_pattern(globs, sl_buf_cstr(&one), err);
            sl_buf_release(&one);
            from = p + 1;
        }
    }
    return rc;
}

tail_globs *tail_globs_new(sl_list patterns, tail_glob_kind kind, sl_err *err)
{
    tail_globs *globs = sl_calloc(1, sizeof *globs);
    globs->hidden = kind == TAIL_GLOB_NAMES;
    for (size_t i = 0; i < patterns.count; i++) {
        sl_span pattern = SL_LIST_AT(patterns, sl_span, i);
        char *text = sl_strndup(pattern.ptr, pattern.len);
        int rc = add_pattern(globs, text, err);
        sl_free(text);
        if (rc < 0) {
            tail_globs_free(globs);
            return NULL;
        }
    }
    return globs;
}

void tail_globs_free(tail_globs *globs)
{
    if (!globs) return;
    for (size_t i = 0; i < globs->count; i++) {
        for (size_t k = 0; k < globs->items[i].count; k++)
            sl_free(globs->items[i].parts[k].text);
        sl_free(globs->items[i].parts);
    }
    sl_free(globs->items);
    sl_free(globs);
}
