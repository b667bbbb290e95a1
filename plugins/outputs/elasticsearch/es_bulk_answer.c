/* es_bulk_answer.c: see the header. A cursor over JSON text with small steps; a step that fails leaves
 * `wrong` set, and every later step does nothing. */
#include "es_bulk_answer.h"

#define MAX_DEPTH 64 /* of what is skipped */

typedef struct cursor {
    const char *at, *end;
    const char *wrong;
} cursor;

static void fail(cursor *c, const char *what)
{
    if (!c->wrong) c->wrong = what;
    c->at = c->end;
}

static void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t'))
        c->at++;
}

/* Takes one punctuation character if it is next. */
static bool take(cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static void want(cursor *c, char wanted, const char *else_what)
{
    if (!take(c, wanted)) fail(c, else_what);
}

/* A string's spelling, between the quotes. */
static sl_span read_string(cursor *c)
{
    want(c, '"', "a string is missing");
    const char *start = c->at;
    while (c->at < c->end && *c->at != '"')
        c->at += *c->at == '\\' && c->end - c->at > 1 ? 2 : 1;
    if (c->at >= c->end) {
        fail(c, "it ends inside a string");
        return SL_SPAN_NONE;
    }
    return (sl_span){start, (size_t)(c->at++ - start)};
}

static bool is_scalar_end(char ch)
{
    return ch == ',' || ch == '}' || ch == ']' || ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t';
}

static sl_span read_scalar(cursor *c)
{
    skip_space(c);
    const char *start = c->at;
    while (c->at < c->end && !is_scalar_end(*c->at))
        c->at++;
    if (c->at == start) fail(c, "a value is missing");
    return (sl_span){start, (size_t)(c->at - start)};
}

/* Any value; brackets are only counted, which is enough to find its end. */
static void skip_value(cursor *c)
{
    unsigned depth = 0;
    do {
        skip_space(c);
        char ch = c->at < c->end ? *c->at : '\0';
        if (ch == '"') {
            read_string(c);
        } else if (ch == '{' || ch == '[') {
            c->at++;
            if (++depth > MAX_DEPTH) fail(c, "it is nested too deeply");
        } else if (depth && (ch == '}' || ch == ']')) {
            depth--;
            c->at++;
        } else if (depth && (ch == ',' || ch == ':')) {
            c->at++;
        } else {
            read_scalar(c);
        }
    } while (depth && !c->wrong);
}

/* The members of an object: calls fn with the cursor before each value, which fn must take. */
static void read_object(cursor *c, void (*fn)(cursor *c, sl_span key, void *arg), void *arg)
{
    want(c, '{', "an object is missing");
    if (take(c, '}')) return;
    do {
        sl_span key = read_string(c);
        want(c, ':', "a colon is missing");
        if (c->wrong) return;
        fn(c, key, arg);
    } while (!c->wrong && take(c, ','));
    if (!c->wrong) want(c, '}', "an object does not end");
}

static bool is_next(cursor *c, char wanted)
{
    skip_space(c);
    return c->at < c->end && *c->at == wanted;
}

/* ---- errors ---- */

static void read_text(cursor *c, sl_span *text)
{
    if (is_next(c, '"'))
        *text = read_string(c);
    else
        skip_value(c); /* null */
}

static void on_cause_member(cursor *c, sl_span key, void *arg)
{
    es_item *item = arg;
    if (sl_span_is(key, SL_SPAN("type")))
        read_text(c, &item->cause_type);
    else if (sl_span_is(key, SL_SPAN("reason")))
        read_text(c, &item->cause_reason);
    else
        skip_value(c);
}

static void on_error_member(cursor *c, sl_span key, void *arg)
{
    es_item *item = arg;
    if (sl_span_is(key, SL_SPAN("type")))
        read_text(c, &item->type);
    else if (sl_span_is(key, SL_SPAN("reason")))
        read_text(c, &item->reason);
    else if (sl_span_is(key, SL_SPAN("caused_by")) && is_next(c, '{'))
        read_object(c, on_cause_member, item);
    else
        skip_value(c);
}

/* An object, or in old versions a plain text. */
static void read_error(cursor *c, es_item *item)
{
    if (is_next(c, '{'))
        read_object(c, on_error_member, item);
    else
        read_text(c, &item->reason);
}

static int read_status(cursor *c)
{
    sl_span text = read_scalar(c);
    int status = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || status > 999) return 0;
        status = status * 10 + (text.ptr[i] - '0');
    }
    return status;
}

static void on_member(cursor *c, sl_span key, void *arg)
{
    es_item *item = arg;
    if (sl_span_is(key, SL_SPAN("status")))
        item->status = read_status(c);
    else if (sl_span_is(key, SL_SPAN("error")))
        read_error(c, item);
    else
        skip_value(c);
}

void es_error_answer_read(sl_span body, es_item *item)
{
    *item = (es_item){0};
    cursor c = {body.ptr, body.ptr + body.len, NULL};
    read_object(&c, on_member, item);
}

/* ---- items ---- */

typedef struct reading {
    void (*fn)(void *arg, uint32_t at, uint32_t count, const es_item *item);
    void *arg;
    uint32_t items;
    bool has_items;
} reading;

/* {"create":{…}}: the action's name tells nothing new. */
static void on_action(cursor *c, sl_span key, void *arg)
{
    (void)key;
    read_object(c, on_member, arg);
}

/* How many times the bytes [start, c->at) follow once more. */
static uint32_t take_repeats(cursor *c, const char *start)
{
    size_t len = (size_t)(c->at - start);
    uint32_t count = 0;
    while ((size_t)(c->end - c->at) >= len && memcmp(c->at, start, len) == 0) {
        c->at += len;
        count++;
    }
    return count;
}

static void read_items(cursor *c, reading *r)
{
    want(c, '[', "`items` is no array");
    if (take(c, ']')) return;
    bool more = true;
    while (more && !c->wrong) {
        es_item item = {0};
        skip_space(c);
        const char *start = c->at;
        read_object(c, on_action, &item);
        more = take(c, ',');
        if (c->wrong) return;
        skip_space(c);
        uint32_t count = 1 + (more ? take_repeats(c, start) : 0);
        if (count > UINT32_MAX - r->items) {
            fail(c, "it has too many items");
            return;
        }
        r->fn(r->arg, r->items, count, &item);
        r->items += count;
    }
    want(c, ']', "`items` does not end");
}

static void on_answer_member(cursor *c, sl_span key, void *arg)
{
    reading *r = arg;
    if (sl_span_is(key, SL_SPAN("items"))) {
        r->has_items = true;
        read_items(c, r);
    } else {
        skip_value(c);
    }
}

const char *es_bulk_answer_read(sl_span body,
                                void (*fn)(void *arg, uint32_t at, uint32_t count, const es_item *item),
                                void *arg, uint32_t *items)
{
    cursor c = {body.ptr, body.ptr + body.len, NULL};
    reading r = {.fn = fn, .arg = arg};
    read_object(&c, on_answer_member, &r);
    skip_space(&c);
    *items = r.items;
    if (c.wrong) return c.wrong;
    if (c.at < c.end) return "something follows its end";
    return r.has_items ? NULL : "it has no `items`";
}
