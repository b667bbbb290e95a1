/* path.c: field paths. A path is one block: the steps, their decoded keys, and its text. */
#include "base/utf8.h"
#include "record_int.h"

/* What sl_path_parse() and the parsers of conditions and templates share: where they are in the text. */
typedef struct cursor {
    sl_span text;
    size_t at;
    size_t column; /* bytes before text, for messages */
    sl_err *err;
} cursor;

static int fail(cursor *c, size_t at, const char *what)
{
    sl_err_set(c->err, SL_E_SYNTAX, "column %zu: %s", c->column + at + 1, what);
    return -1;
}

static int peek(const cursor *c)
{
    return c->at < c->text.len ? (unsigned char)c->text.ptr[c->at] : -1;
}

static int parse_name(cursor *c, sl_buf *keys, sl_step *step)
{
    size_t start = c->at;
    while (sl_path__is_name_byte(peek(c)))
        c->at++;
    if (c->at == start) {
        if (peek(c) < 0) return fail(c, start, "a field name is missing at the end");
        return fail(c, start,
                    "a field name is expected here; write names with other characters as [\"...\"]");
    }
    *step = (sl_step){.key = {NULL, c->at - start}, .index = (uint32_t)keys->len};
    sl_buf_append(keys, c->text.ptr + start, c->at - start);
    return 0;
}

static int parse_index(cursor *c, sl_step *step)
{
    size_t start = c->at;
    uint64_t index = 0;
    for (; peek(c) >= '0' && peek(c) <= '9'; c->at++) {
        index = index * 10 + (uint64_t)(peek(c) - '0');
        if (index >= UINT32_MAX) return fail(c, start, "the array index is too large");
    }
    *step = (sl_step){.key = {NULL, SIZE_MAX}, .index = (uint32_t)index};
    return 0;
}

/* `"key"` or `'key'`, with JSON's escapes (and \' in single quotes). */
static int parse_quoted(cursor *c, sl_buf *keys, sl_step *step)
{
    size_t start = c->at, used;
    size_t before = keys->len;
    const char *wrong =
        sl_text__unquote((sl_span){c->text.ptr + c->at, c->text.len - c->at}, SL_ESCAPES_JSON, keys, &used);
    if (wrong) return fail(c, start + used, wrong);
    c->at += used;
    *step = (sl_step){.key = {NULL, keys->len - before}, .index = (uint32_t)before};
    return 0;
}

static int parse_bracket(cursor *c, sl_buf *keys, sl_step *step)
{
    size_t open = c->at++;
    int first = peek(c);
    int res;
    if (first == '"' || first == '\'')
        res = parse_quoted(c, keys, step);
    else if (first >= '0' && first <= '9')
        res = parse_index(c, step);
    else
        return fail(c, c->at, "a quoted name or an array index is expected after `[`");
    if (res != 0) return res;
    if (peek(c) != ']') return fail(c, open, "this `[` has no `]`");
    c->at++;
    return 0;
}

static int parse_steps(cursor *c, sl_buf *keys, sl_step *steps, uint32_t *count)
{
    for (*count = 0;; ++*count) {
        int next = peek(c);
        if (*count > 0 && next != '.' && next != '[') return 0;
        if (*count == SL_PATH_MAX_STEPS) return fail(c, c->at, "the path has more than 32 steps");
        if (next == '.' && *count > 0) c->at++;
        int res = next == '[' ? parse_bracket(c, keys, &steps[*count]) : parse_name(c, keys, &steps[*count]);
        if (res != 0) return res;
        if (*count == 0 && steps[0].key.len == SIZE_MAX)
            return fail(c, 0, "a path begins with a field name, since a record is an object");
    }
}

static sl_path *make_path(sl_span text, const sl_step *steps, uint32_t count, const sl_buf *keys)
{
    size_t steps_size = count * sizeof(*steps);
    sl_path *path = sl_alloc(sizeof(*path) + steps_size + keys->len + text.len + 1);
    char *key_text = (char *)path->steps + steps_size, *own_text = key_text + keys->len;
    if (keys->len) memcpy(key_text, keys->ptr, keys->len);
    memcpy(own_text, text.ptr, text.len);
    own_text[text.len] = '\0';
    path->text = (sl_span){own_text, text.len};
    path->count = count;
    for (uint32_t i = 0; i < count; i++) {
        bool is_index = steps[i].key.len == SIZE_MAX;
        path->steps[i].key = is_index ? SL_SPAN_NONE : (sl_span){key_text + steps[i].index, steps[i].key.len};
        path->steps[i].index = is_index ? steps[i].index : 0;
    }
    return path;
}

sl_path *sl_path__parse_prefix(sl_span text, size_t column, size_t *used, sl_err *err)
{
    cursor c = {.text = text, .column = column, .err = err};
    if (c.text.len > SL_PATH_MAX_TEXT) c.text.len = SL_PATH_MAX_TEXT;
    sl_buf keys = SL_BUF_NONE;
    sl_step steps[SL_PATH_MAX_STEPS];
    uint32_t count = 0;
    sl_path *path = NULL;
    bool done = parse_steps(&c, &keys, steps, &count) == 0;
    if (done && !sl_utf8_is_valid((sl_span){text.ptr, c.at}))
        done = fail(&c, 0, "the path is not UTF-8") == 0;
    if (done) {
        path = make_path((sl_span){text.ptr, c.at}, steps, count, &keys);
        *used = c.at;
    }
    sl_buf_release(&keys);
    return path;
}

sl_path *sl_path_parse(sl_span text, sl_err *err)
{
    size_t used = 0;
    if (text.len > SL_PATH_MAX_TEXT) {
        sl_err_set(err, SL_E_LIMIT, "column %u: the path is longer than %u bytes", SL_PATH_MAX_TEXT + 1,
                   SL_PATH_MAX_TEXT);
        return NULL;
    }
    sl_path *path = sl_path__parse_prefix(text, 0, &used, err);
    if (!path || used == text.len) return path;
    sl_path_free(path);
    cursor c = {.text = text, .err = err};
    fail(&c, used, "this character can't stand in a path; write such names as [\"...\"]");
    return NULL;
}

void sl_path_free(sl_path *path)
{
    sl_free(path);
}

sl_span sl_path_text(const sl_path *path)
{
    return path->text;
}

uint32_t sl_path_length(const sl_path *path)
{
    return path->count;
}

sl_span sl_path_step(const sl_path *path, uint32_t i, uint32_t *index)
{
    sl_assert(i < path->count);
    *index = path->steps[i].index;
    return path->steps[i].key;
}

bool sl_path_overlaps(const sl_path *a, const sl_path *b)
{
    uint32_t count = a->count < b->count ? a->count : b->count;
    for (uint32_t i = 0; i < count; i++) {
        const sl_step *x = &a->steps[i], *y = &b->steps[i];
        bool same = x->key.ptr && y->key.ptr ? sl_span_is(x->key, y->key)
                                             : !x->key.ptr && !y->key.ptr && x->index == y->index;
        if (!same) return false;
    }
    return true;
}

/* ---- finding ---- */

static uint32_t find_member(sl_span key, sl_span text, const sl_token *tok, uint32_t object)
{
    uint32_t found = 0, end = tok[object].next;
    for (uint32_t k = object + 1; k < end; k = tok[k + 1].next) {
        sl_span name = sl_token__text(text, &tok[k]);
        bool same = SL_UNLIKELY(tok[k].flags & SL_TOKEN_ESCAPED) ? sl_key__is(name, tok[k].flags, key)
                                                                 : sl_name__is(name, key);
        if (same) found = k + 1;
    }
    return found;
}

static uint32_t find_element(uint32_t index, const sl_token *tok, uint32_t array)
{
    uint32_t e = array + 1;
    for (; e < tok[array].next && index > 0; index--)
        e = tok[e].next;
    return e < tok[array].next ? e : 0;
}

uint32_t sl_path__step(const sl_step *step, sl_span text, const sl_token *tok, uint32_t at)
{
    if (step->key.ptr) return tok[at].type == SL_JSON_OBJECT ? find_member(step->key, text, tok, at) : 0;
    return tok[at].type == SL_JSON_ARRAY ? find_element(step->index, tok, at) : 0;
}

uint32_t sl_path_find(const sl_path *path, sl_span text, const sl_token *tok)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < path->count; i++) {
        at = sl_path__step(&path->steps[i], text, tok, at);
        if (at == 0) return 0;
    }
    return at;
}
