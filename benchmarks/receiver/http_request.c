/* Request heads and chunked bodies. Nothing here reads or writes a socket. */
#include "http_request.h"

#include <string.h>
#include <strings.h>

typedef struct slice {
    const char *at;
    size_t len;
} slice;

static bool equals(slice text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

static slice trim(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    return (slice){at, (size_t)(end - at)};
}

/* METHOD SP target SP HTTP/1.x */
static int parse_request_line(http_request *request, const char *in, const char *end)
{
    const char *target = memchr(in, ' ', (size_t)(end - in));
    if (!target) return 400;
    const char *version = memchr(target + 1, ' ', (size_t)(end - target - 1));
    if (!version || target[1] != '/' || !memchr("01", end[-1], 2) || end - version != 9 ||
        memcmp(version, " HTTP/1.", 8) != 0)
        return 400;
    slice method = {in, (size_t)(target - in)};
    request->method = equals(method, "GET")    ? HTTP_GET
                      : equals(method, "HEAD") ? HTTP_HEAD
                      : equals(method, "POST") ? HTTP_POST
                      : equals(method, "PUT")  ? HTTP_PUT
                                               : HTTP_OTHER;
    request->close = end[-1] == '0';
    const char *path = target + 1;
    const char *mark = memchr(path, '?', (size_t)(version - path));
    const char *path_end = mark ? mark : version;
    request->path = (uint32_t)(path - in);
    request->path_len = (uint32_t)(path_end - path);
    request->query = (uint32_t)(path_end - in) + (mark != NULL);
    request->query_len = (uint32_t)(version - path_end) - (mark != NULL);
    return 0;
}

static int parse_length(http_request *request, slice value)
{
    if (value.len == 0 || value.len > 18) return 400;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') return 400;
        request->body_len = request->body_len * 10 + (uint64_t)(value.at[i] - '0');
    }
    return request->body_len > HTTP_MAX_BODY ? 413 : 0;
}

static int parse_header(http_request *request, bool *has_length, const char *line, const char *end)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (!colon) return 400;
    slice name = {line, (size_t)(colon - line)};
    slice value = trim(colon + 1, end);
    if (equals(name, "content-length")) {
        if (*has_length) return 400;
        *has_length = true;
        return parse_length(request, value);
    }
    if (equals(name, "transfer-encoding")) {
        if (request->chunked || !equals(value, "chunked")) return 501;
        request->chunked = true;
    } else if (equals(name, "content-encoding")) {
        if (!equals(value, "gzip") && !equals(value, "identity")) return 415;
        request->gzip = equals(value, "gzip");
    } else if (equals(name, "connection")) {
        if (equals(value, "close")) request->close = true;
        if (equals(value, "keep-alive")) request->close = false;
    } else if (equals(name, "expect")) {
        request->expects_continue = equals(value, "100-continue");
    }
    return 0;
}

int http_request_parse(http_request *request, const char *in, size_t len)
{
    const char *blank = memmem(in, len < HTTP_MAX_HEAD ? len : HTTP_MAX_HEAD, "\r\n\r\n", 4);
    if (!blank) return len >= HTTP_MAX_HEAD ? 431 : 1;
    memset(request, 0, sizeof(*request));
    request->head_len = (uint32_t)(blank - in) + 4;
    const char *line_end = memchr(in, '\r', (size_t)(blank - in + 1));
    int refused = parse_request_line(request, in, line_end);
    bool has_length = false;
    while (!refused && line_end < blank) {
        const char *line = line_end + 2;
        line_end = memmem(line, (size_t)(blank + 2 - line), "\r\n", 2);
        if (!line_end) return 400;
        refused = parse_header(request, &has_length, line, line_end);
    }
    if (!refused && has_length && request->chunked) refused = 400;
    return refused;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of anything but data: sizes, extensions, line ends, trailers. Returns false when it may not stand
 * there. */
static bool step(http_chunks *chunks, char c)
{
    switch (chunks->state) {
    case CHUNK_SIZE:
        if (hex_digit(c) >= 0) {
            chunks->left = chunks->left * 16 + (uint64_t)hex_digit(c);
            return ++chunks->digits <= 8;
        }
        if (chunks->digits == 0 || (c != '\r' && c != ';' && c != ' ')) return false;
        chunks->state = CHUNK_EXTENSION;
        return true;
    case CHUNK_EXTENSION:
        if (c != '\n') return ++chunks->digits < HTTP_MAX_HEAD;
        chunks->state = chunks->left ? CHUNK_DATA : CHUNK_TRAILER;
        chunks->digits = 0;
        return true;
    case CHUNK_DATA_END:
        if (c == '\n') chunks->state = CHUNK_SIZE;
        return c == '\r' || c == '\n';
    default: /* CHUNK_TRAILER: lines up to an empty one */
        if (c == '\n' && chunks->line_len == 0)
            chunks->state = CHUNK_DONE;
        else if (c == '\n')
            chunks->line_len = 0;
        else if (c != '\r')
            chunks->line_len++;
        return chunks->line_len < HTTP_MAX_HEAD;
    }
}

int http_chunks_decode(http_chunks *chunks, const char *in, size_t len, char *out, uint64_t total,
                       size_t *used, size_t *written)
{
    size_t at = 0, made = 0;
    bool good = true;
    while (good && at < len && chunks->state != CHUNK_DONE) {
        if (chunks->state != CHUNK_DATA) {
            good = step(chunks, in[at++]);
            continue;
        }
        size_t part = len - at < chunks->left ? len - at : (size_t)chunks->left;
        memcpy(out + made, in + at, part);
        at += part;
        made += part;
        chunks->left -= part;
        if (chunks->left == 0) chunks->state = CHUNK_DATA_END;
        good = total + made <= HTTP_MAX_BODY;
    }
    *used = at;
    *written = made;
    if (!good) return -1;
    return chunks->state == CHUNK_DONE;
}
