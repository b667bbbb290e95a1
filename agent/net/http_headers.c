/* http_headers.c: authorization and fixed headers as curl wants them. */
#include "http_headers.h"

typedef struct sl_header_list {
    const char *type, *encoding;
    struct curl_slist *lines;
    struct sl_header_list *next;
} sl_header_list;

static void append_pair_base64(sl_buf *out, sl_span user, sl_span password)
{
    sl_buf plain = SL_BUF_NONE;
    sl_buf_append_span(&plain, user);
    sl_buf_append_char(&plain, ':');
    sl_buf_append_span(&plain, password);
    sl_buf_append_base64(out, sl_buf_span(&plain));
    sl_wipe(plain.ptr, plain.len);
    sl_buf_release(&plain);
}

static char *make_authorization(const sl_auth_conf *auth)
{
    sl_buf line = SL_BUF_NONE;
    if (auth->user.len) {
        sl_buf_append_cstr(&line, "Authorization: Basic ");
        append_pair_base64(&line, auth->user, auth->password);
    } else if (auth->api_key.len) {
        sl_buf_append_cstr(&line, "Authorization: ApiKey ");
        if (memchr(auth->api_key.ptr, ':', auth->api_key.len)) /* id:key; base64 has no colon */
            sl_buf_append_base64(&line, auth->api_key);
        else
            sl_buf_append_span(&line, auth->api_key);
    } else if (auth->bearer.len) {
        sl_buf_append_cstr(&line, "Authorization: Bearer ");
        sl_buf_append_span(&line, auth->bearer);
    } else {
        return NULL;
    }
    char *copy = sl_strndup(line.ptr, line.len);
    sl_wipe(line.ptr, line.len);
    sl_buf_release(&line);
    return copy;
}

static struct curl_slist *append_line(struct curl_slist *lines, const char *line)
{
    struct curl_slist *longer = curl_slist_append(lines, line);
    if (!longer) sl_out_of_memory(strlen(line));
    return longer;
}

/* "Name;" is curl's way to write a header without a value. */
static struct curl_slist *append_header(struct curl_slist *lines, sl_span name, sl_span value)
{
    sl_buf line = SL_BUF_NONE;
    sl_buf_append_span(&line, name);
    sl_buf_append_cstr(&line, value.len ? ": " : ";");
    sl_buf_append_span(&line, value);
    struct curl_slist *longer = append_line(lines, sl_buf_cstr(&line));
    sl_wipe(line.ptr, line.len);
    sl_buf_release(&line);
    return longer;
}

static void wipe_lines(struct curl_slist *lines)
{
    for (struct curl_slist *at = lines; at; at = at->next)
        sl_wipe(at->data, strlen(at->data));
    curl_slist_free_all(lines);
}

static sl_header_list *make_list(const sl_http_headers *headers, const char *type, const char *encoding)
{
    sl_header_list *list = sl_calloc(1, sizeof *list);
    list->type = type;
    list->encoding = encoding;
    list->lines = append_line(NULL, "Expect:"); /* no "100-continue" and no round trip for it */
    if (type) append_header(list->lines, SL_SPAN("Content-Type"), sl_span_of(type));
    if (encoding) append_header(list->lines, SL_SPAN("Content-Encoding"), sl_span_of(encoding));
    if (headers->authorization) append_line(list->lines, headers->authorization);
    for (size_t i = 0; i < headers->conf->headers.count; i++) {
        const sl_opt_pair *header = &SL_LIST_AT(headers->conf->headers, sl_opt_pair, i);
        append_header(list->lines, header->key, header->value);
    }
    return list;
}

void sl_http_headers_init(sl_http_headers *headers, const sl_http_conf *conf)
{
    *headers = (sl_http_headers){.conf = conf, .authorization = make_authorization(&conf->auth)};
}

void sl_http_headers_release(sl_http_headers *headers)
{
    for (sl_header_list *list = headers->made, *next; list; list = next) {
        next = list->next;
        wipe_lines(list->lines);
        sl_free(list);
    }
    if (headers->authorization) sl_wipe(headers->authorization, strlen(headers->authorization));
    sl_free(headers->authorization);
    *headers = (sl_http_headers){0};
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

struct curl_slist *sl_http_headers_get(sl_http_headers *headers, const char *type, const char *encoding)
{
    for (sl_header_list *list = headers->made; list; list = list->next) {
        if (is_same(list->type, type) && is_same(list->encoding, encoding)) return list->lines;
    }
    sl_header_list *list = make_list(headers, type, encoding);
    list->next = headers->made;
    headers->made = list;
    return list->lines;
}

struct curl_slist *sl_http_headers_put_on(struct curl_slist *list, const sl_http_header *headers,
                                          size_t count)
{
    struct curl_slist *lines = NULL;
    for (size_t i = 0; i < count; i++)
        lines = append_header(lines, sl_span_of(headers[i].name), headers[i].value);
    if (!lines) return list;
    struct curl_slist *last = lines;
    while (last->next)
        last = last->next;
    last->next = list;
    return lines;
}

void sl_http_headers_take_off(struct curl_slist *lines, size_t count)
{
    if (!count) return;
    struct curl_slist *last = lines;
    while (--count)
        last = last->next;
    last->next = NULL;
    wipe_lines(lines);
}
