/* aws_canonical.c: paths, queries and headers in their canonical spelling. */
#include "aws_canonical.h"
#include <stdlib.h>

/* ---- percent-encoding ---- */

static bool is_unreserved(unsigned char c) /* RFC 3986, 2.3 */
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void sl_aws_uri_encode(sl_buf *out, sl_span text, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (is_unreserved(c) || (keep_slash && c == '/')) {
            sl_buf_append_char(out, (char)c);
        } else {
            char three[3] = {'%', digits[c >> 4], digits[c & 15]};
            sl_buf_append(out, three, sizeof three);
        }
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* What stands there is encoded already, but maybe not every byte, or in lower case. */
static void encode_anew(sl_buf *out, sl_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool has_two = c == '%' && text.len - i > 2;
        int high = has_two ? hex_value(text.ptr[i + 1]) : -1, low = has_two ? hex_value(text.ptr[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        sl_aws_uri_encode(out, (sl_span){&c, 1}, false);
    }
}

/* ---- the path ---- */

static void drop_segment(sl_buf *out, size_t start)
{
    while (out->len > start && out->ptr[out->len - 1] != '/')
        out->len--;
    if (out->len > start) out->len--;
}

/* Invariant: what was written ends without a slash; `slash` says that one is to stand at the end. */
static void resolve_path(sl_buf *out, sl_span path)
{
    size_t start = out->len;
    bool slash = true;
    for (size_t at = 0; at < path.len;) {
        const char *end = memchr(path.ptr + at, '/', path.len - at);
        sl_span segment = {path.ptr + at, end ? (size_t)(end - path.ptr) - at : path.len - at};
        bool up = sl_span_is_cstr(segment, "..");
        bool none = !segment.len || sl_span_is_cstr(segment, ".");
        at += segment.len + 1;
        if (up) drop_segment(out, start);
        if (!up && !none) {
            sl_buf_append_char(out, '/');
            sl_aws_uri_encode(out, segment, false);
        }
        slash = end || up || none;
    }
    if (slash) sl_buf_append_char(out, '/');
}

void sl_aws_canonical_path(sl_buf *out, sl_span path, bool as_is)
{
    if (!as_is)
        resolve_path(out, path);
    else if (path.len)
        sl_buf_append_span(out, path);
    else
        sl_buf_append_char(out, '/');
}

/* ---- the query ---- */

/* A parameter, or a header: where its encoded name and value stand in a scratch buffer. */
typedef struct pair {
    sl_span name, value;
    size_t order; /* as given: qsort() is not stable */
} pair;

static int compare_spans(sl_span a, sl_span b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name_and_value(const void *one, const void *two)
{
    const pair *a = one, *b = two;
    int order = compare_spans(a->name, b->name);
    return order ? order : compare_spans(a->value, b->value);
}

static size_t count_parameters(sl_span query)
{
    size_t count = 1;
    for (size_t i = 0; i < query.len; i++)
        count += query.ptr[i] == '&';
    return count;
}

static pair encode_parameter(sl_buf *text, sl_span parameter)
{
    size_t equals = sl_span_find(parameter, SL_SPAN("="), 0), from = text->len;
    encode_anew(text, (sl_span){parameter.ptr, equals});
    size_t middle = text->len;
    if (equals < parameter.len)
        encode_anew(text, (sl_span){parameter.ptr + equals + 1, parameter.len - equals - 1});
    return (pair){.name = {text->ptr + from, middle - from},
                  .value = {text->ptr + middle, text->len - middle}};
}

void sl_aws_canonical_query(sl_buf *out, sl_span query)
{
    if (!query.len) return;
    sl_buf text = SL_BUF_NONE;
    sl_buf_reserve(&text, 3 * query.len); /* no append moves it: the pairs point into it */
    pair *pairs = sl_calloc(count_parameters(query), sizeof *pairs);
    size_t count = 0;
    for (size_t at = 0; at < query.len;) {
        size_t end = sl_span_find(query, SL_SPAN("&"), at);
        if (end > at) pairs[count++] = encode_parameter(&text, (sl_span){query.ptr + at, end - at});
        at = end + 1;
    }
    qsort(pairs, count, sizeof *pairs, by_name_and_value);
    for (size_t i = 0; i < count; i++) {
        if (i) sl_buf_append_char(out, '&');
        sl_buf_append_span(out, pairs[i].name);
        sl_buf_append_char(out, '=');
        sl_buf_append_span(out, pairs[i].value);
    }
    sl_free(pairs);
    sl_buf_release(&text);
}

/* ---- headers ---- */

static int by_name_and_order(const void *one, const void *two)
{
    const pair *a = one, *b = two;
    int order = compare_spans(a->name, b->name);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void append_value(sl_buf *out, sl_span value)
{
    bool gap = false, any = false;
    for (size_t i = 0; i < value.len; i++) {
        if (is_white(value.ptr[i])) {
            gap = any;
            continue;
        }
        if (gap) sl_buf_append_char(out, ' ');
        sl_buf_append_char(out, value.ptr[i]);
        gap = false;
        any = true;
    }
}

static sl_span append_lower(sl_buf *out, const char *name)
{
    size_t from = out->len;
    for (; *name; name++)
        sl_buf_append_char(out, (char)(*name >= 'A' && *name <= 'Z' ? *name + ('a' - 'A') : *name));
    return (sl_span){out->ptr + from, out->len - from};
}

static void write_headers(sl_buf *out, sl_buf *names, const pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool more = i && sl_span_is(pairs[i].name, pairs[i - 1].name);
        if (more) {
            out->len--; /* the line goes on */
            sl_buf_append_char(out, ',');
        } else {
            sl_buf_append_span(out, pairs[i].name);
            sl_buf_append_char(out, ':');
            if (i) sl_buf_append_char(names, ';');
            sl_buf_append_span(names, pairs[i].name);
        }
        append_value(out, pairs[i].value);
        sl_buf_append_char(out, '\n');
    }
}

void sl_aws_canonical_headers(sl_buf *out, sl_buf *names, const sl_http_header *headers, size_t count)
{
    sl_buf text = SL_BUF_NONE;
    size_t room = 0;
    for (size_t i = 0; i < count; i++)
        room += strlen(headers[i].name);
    sl_buf_reserve(&text, room + 1); /* no append moves it */
    pair *pairs = sl_calloc(count, sizeof *pairs);
    for (size_t i = 0; i < count; i++)
        pairs[i] =
            (pair){.name = append_lower(&text, headers[i].name), .value = headers[i].value, .order = i};
    qsort(pairs, count, sizeof *pairs, by_name_and_order);
    write_headers(out, names, pairs, count);
    sl_free(pairs);
    sl_buf_release(&text);
}
