/* <header name> NUL <header value> NUL <path with query> NUL <body>: whatever is sent, a request has one canonical
 * form: of as many lines as it must have, in characters that no server reads otherwise; and signing it again gives the
 * same. */
#include "aws/aws_canonical.h"
#include "aws/sigv4.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(const uint8_t **data, size_t *size, sl_span *out)
{
    const uint8_t *end = memchr(*data, 0, *size);
    if (!end) return false;
    *out = (sl_span){(const char *)*data, (size_t)(end - *data)};
    *size -= out->len + 1;
    *data = end + 1;
    return true;
}

static bool is_spelt(sl_span text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!plain && !strchr(more, c)) return false;
    }
    return true;
}

static void check_spelling(sl_span path)
{
    size_t mark = sl_span_find(path, SL_SPAN("?"), 0);
    sl_buf out = SL_BUF_NONE, again = SL_BUF_NONE;
    sl_aws_canonical_path(&out, (sl_span){path.ptr, mark}, false);
    if (!out.len || out.ptr[0] != '/' || !is_spelt(sl_buf_span(&out), "-._~/%")) abort();
    sl_buf_clear(&out);
    if (mark < path.len) sl_aws_canonical_query(&out, (sl_span){path.ptr + mark + 1, path.len - mark - 1});
    if (!is_spelt(sl_buf_span(&out), "-._~%=&")) abort();
    sl_aws_canonical_query(&again, sl_buf_span(&out)); /* what is canonical stays so */
    if (!sl_span_is(sl_buf_span(&out), sl_buf_span(&again))) abort();
    sl_buf_release(&out);
    sl_buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_span name, value, path;
    if (!take(&data, &size, &name) || !take(&data, &size, &value) || !take(&data, &size, &path)) return 0;
    if (memchr(path.ptr, '\n', path.len)) return 0; /* no request line holds one */
    sl_aws_credentials credentials = {.access_key_id = SL_SPAN("ID"),
                                      .secret_access_key = SL_SPAN("secret"),
                                      .session_token = SL_SPAN("token")};
    sl_http_header header = {name.ptr, value};
    sl_aws_request req = {.method = "POST",
                          .path = path,
                          .headers = &header,
                          .header_count = 1,
                          .body = {(const char *)data, size}};
    sl_sigv4 sigv4 = {.key = {0}};
    sl_aws_headers out[2] = {{.count = 0}, {.count = 0}};
    for (int s3 = 0; s3 < 2; s3++) {
        sl_sigv4_scope scope = {.credentials = &credentials,
                                .region = SL_SPAN("r"),
                                .host = SL_SPAN("h"),
                                .service = "s",
                                .s3 = s3,
                                .now_ns = INT64_C(1440938160) * SL_NS_PER_S};
        for (int i = 0; i < 2; i++)
            sl_sigv4_sign(&sigv4, &scope, &req, &out[i]);
        if (out[0].count != (s3 ? 4u : 3u)) abort();
        for (size_t i = 0; i < out[0].count; i++) {
            if (!sl_span_is(out[0].items[i].value, out[1].items[i].value)) abort();
        }
    }
    check_spelling(path);
    sl_aws_headers_release(&out[0]);
    sl_aws_headers_release(&out[1]);
    sl_sigv4_release(&sigv4);
    return 0;
}
