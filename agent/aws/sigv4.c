/* sigv4.c: canonical request -> string to sign -> signature -> headers. SHA-256 and HMAC are OpenSSL's. */
#include "sigv4.h"
#include "aws_canonical.h"
#include "aws_keys.h"
#include "base/civil.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#define ALGORITHM     "AWS4-HMAC-SHA256"
#define HEX_LEN       (2 * SL_SHA256_LEN)
#define TIME_LEN      16 /* 20150830T123600Z */
#define DAY_LEN       8
#define MAX_HEADERS   32 /* of a request that is signed, ours included */
#define SECURITY_NAME "X-Amz-Security-Token"

/* ---- hashes ---- */

static void append_hex(sl_buf *out, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        sl_buf_append_char(out, digits[bytes[i] >> 4]);
        sl_buf_append_char(out, digits[bytes[i] & 15]);
    }
}

static void append_sha256(sl_buf *out, sl_span text)
{
    unsigned char digest[SL_SHA256_LEN];
    if (EVP_Digest(text.len ? text.ptr : "", text.len, digest, NULL, EVP_sha256(), NULL) != 1)
        sl_bug("OpenSSL has no SHA-256");
    append_hex(out, digest, sizeof digest);
}

static void hmac(const void *key, size_t key_len, sl_span text, unsigned char out[SL_SHA256_LEN])
{
    if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.ptr, text.len, out, NULL))
        sl_bug("OpenSSL has no HMAC");
}

static void format_time(int64_t now_ns, char out[TIME_LEN + 1])
{
    sl_civil c = sl_civil_from_ns(now_ns);
    int len = snprintf(out, TIME_LEN + 1, "%04d%02u%02uT%02u%02u%02uZ", c.year % 10000, c.month % 100u,
                       c.day % 100u, c.hour % 100u, c.minute % 100u, c.second % 100u);
    sl_assert(len == TIME_LEN);
}

/* ---- the key ---- */

static void append_scope(sl_buf *out, const sl_sigv4_scope *scope)
{
    char time[TIME_LEN + 1];
    format_time(scope->now_ns, time);
    sl_buf_append(out, time, DAY_LEN);
    sl_buf_append_char(out, '/');
    sl_buf_append_span(out, scope->region);
    sl_buf_append_char(out, '/');
    sl_buf_append_cstr(out, scope->service);
    sl_buf_append_cstr(out, "/aws4_request");
}

static void derive(unsigned char key[SL_SHA256_LEN], const sl_sigv4_scope *scope)
{
    char time[TIME_LEN + 1];
    format_time(scope->now_ns, time);
    sl_buf first = SL_BUF_NONE;
    sl_buf_append_cstr(&first, "AWS4");
    sl_buf_append_span(&first, scope->credentials->secret_access_key);
    hmac(first.ptr, first.len, (sl_span){time, DAY_LEN}, key);
    hmac(key, SL_SHA256_LEN, scope->region, key);
    hmac(key, SL_SHA256_LEN, sl_span_of(scope->service), key);
    hmac(key, SL_SHA256_LEN, SL_SPAN("aws4_request"), key);
    sl_wipe(first.ptr, first.len);
    sl_buf_release(&first);
}

/* The scope holds no NUL, so that it and the secret cannot be cut apart at another place. */
static const unsigned char *signing_key(sl_sigv4 *sigv4, const sl_sigv4_scope *scope)
{
    sl_buf key_of = SL_BUF_NONE;
    append_scope(&key_of, scope);
    sl_buf_append_char(&key_of, '\0');
    sl_buf_append_span(&key_of, scope->credentials->secret_access_key);
    if (sl_span_is(sl_buf_span(&key_of), sl_buf_span(&sigv4->key_of))) {
        sl_aws_wipe_buf(&key_of);
    } else {
        sl_aws_wipe_buf(&sigv4->key_of);
        sigv4->key_of = key_of;
        derive(sigv4->key, scope);
    }
    return sigv4->key;
}

void sl_sigv4_release(sl_sigv4 *sigv4)
{
    sl_aws_wipe_buf(&sigv4->key_of);
    sl_wipe(sigv4->key, sizeof sigv4->key);
}

/* ---- the steps ---- */

/* Those of the request, and ours but Authorization. */
typedef struct signed_list {
    sl_http_header items[MAX_HEADERS];
    size_t count;
    char time[TIME_LEN + 1];
    sl_buf body_hash;
} signed_list;

static void list_headers(signed_list *list, const sl_sigv4_scope *scope, const sl_aws_request *req)
{
    sl_assert(req->header_count + SL_AWS_SIGNED_HEADERS <= MAX_HEADERS);
    *list = (signed_list){.count = 0};
    append_sha256(&list->body_hash, req->body);
    format_time(scope->now_ns, list->time);
    list->items[list->count++] = (sl_http_header){"X-Amz-Date", {list->time, TIME_LEN}};
    if (scope->credentials->session_token.len)
        list->items[list->count++] = (sl_http_header){SECURITY_NAME, scope->credentials->session_token};
    if (scope->s3)
        list->items[list->count++] = (sl_http_header){"X-Amz-Content-Sha256", sl_buf_span(&list->body_hash)};
    list->items[list->count++] = (sl_http_header){"Host", scope->host};
    for (size_t i = 0; i < req->header_count; i++)
        list->items[list->count++] = req->headers[i];
}

static void append_canonical(const sl_sigv4_scope *scope, const sl_aws_request *req, const signed_list *list,
                             sl_buf *out, sl_buf *names)
{
    size_t mark = sl_span_find(req->path, SL_SPAN("?"), 0);
    size_t query = mark < req->path.len ? mark + 1 : mark;
    sl_buf_append_cstr(out, req->method);
    sl_buf_append_char(out, '\n');
    sl_aws_canonical_path(out, (sl_span){req->path.ptr, mark}, scope->s3);
    sl_buf_append_char(out, '\n');
    if (query < req->path.len)
        sl_aws_canonical_query(out, (sl_span){req->path.ptr + query, req->path.len - query});
    sl_buf_append_char(out, '\n');
    sl_aws_canonical_headers(out, names, list->items, list->count);
    sl_buf_append_char(out, '\n');
    sl_buf_append_span(out, sl_buf_span(names));
    sl_buf_append_char(out, '\n');
    sl_buf_append_span(out, sl_buf_span(&list->body_hash));
}

void sl_sigv4_canonical_request(const sl_sigv4_scope *scope, const sl_aws_request *req, sl_buf *out,
                                sl_buf *signed_names)
{
    signed_list list;
    list_headers(&list, scope, req);
    append_canonical(scope, req, &list, out, signed_names);
    sl_buf_release(&list.body_hash);
}

void sl_sigv4_string_to_sign(const sl_sigv4_scope *scope, sl_span canonical_request, sl_buf *out)
{
    char time[TIME_LEN + 1];
    format_time(scope->now_ns, time);
    sl_buf_append_cstr(out, ALGORITHM "\n");
    sl_buf_append(out, time, TIME_LEN);
    sl_buf_append_char(out, '\n');
    append_scope(out, scope);
    sl_buf_append_char(out, '\n');
    append_sha256(out, canonical_request);
}

/* ---- the headers ---- */

static void append_authorization(sl_sigv4 *sigv4, const sl_sigv4_scope *scope, sl_span string_to_sign,
                                 sl_span names, sl_buf *out)
{
    unsigned char signature[SL_SHA256_LEN];
    hmac(signing_key(sigv4, scope), SL_SHA256_LEN, string_to_sign, signature);
    sl_buf_append_cstr(out, ALGORITHM " Credential=");
    sl_buf_append_span(out, scope->credentials->access_key_id);
    sl_buf_append_char(out, '/');
    append_scope(out, scope);
    sl_buf_append_cstr(out, ", SignedHeaders=");
    sl_buf_append_span(out, names);
    sl_buf_append_cstr(out, ", Signature=");
    append_hex(out, signature, sizeof signature);
}

/* The values are copied into out->text one after another; they point into it once it has stopped growing. */
static void fill_headers(sl_aws_headers *out, const signed_list *list, size_t ours)
{
    out->items[0] = (sl_http_header){"Authorization", {NULL, out->text.len}};
    out->count = 1;
    for (size_t i = 0; i < ours; i++) {
        out->items[out->count++] = list->items[i];
        sl_buf_append_span(&out->text, list->items[i].value);
    }
    for (size_t i = 0, at = 0; i < out->count; at += out->items[i++].value.len)
        out->items[i].value.ptr = out->text.ptr + at;
}

void sl_sigv4_sign(sl_sigv4 *sigv4, const sl_sigv4_scope *scope, const sl_aws_request *req,
                   sl_aws_headers *out)
{
    signed_list list;
    sl_buf canonical = SL_BUF_NONE, to_sign = SL_BUF_NONE, names = SL_BUF_NONE;
    list_headers(&list, scope, req);
    append_canonical(scope, req, &list, &canonical, &names);
    sl_sigv4_string_to_sign(scope, sl_buf_span(&canonical), &to_sign);
    sl_buf_clear(&out->text);
    append_authorization(sigv4, scope, sl_buf_span(&to_sign), sl_buf_span(&names), &out->text);
    fill_headers(out, &list, list.count - 1 - req->header_count);
    sl_buf_release(&list.body_hash);
    sl_aws_wipe_buf(&canonical); /* holds the session token */
    sl_buf_release(&to_sign);
    sl_buf_release(&names);
}

/* ---- the query ---- */

static void append_parameter(sl_buf *out, const char *name, sl_span value)
{
    sl_buf_append_cstr(out, name);
    sl_aws_uri_encode(out, value, false);
}

static void append_query(const sl_sigv4_scope *scope, unsigned expires_s, sl_buf *out)
{
    char time[TIME_LEN + 1];
    format_time(scope->now_ns, time);
    sl_buf credential = SL_BUF_NONE;
    sl_buf_append_span(&credential, scope->credentials->access_key_id);
    sl_buf_append_char(&credential, '/');
    append_scope(&credential, scope);
    append_parameter(out, "X-Amz-Algorithm=", SL_SPAN(ALGORITHM));
    append_parameter(out, "&X-Amz-Credential=", sl_buf_span(&credential));
    append_parameter(out, "&X-Amz-Date=", (sl_span){time, TIME_LEN});
    sl_buf_printf(out, "&X-Amz-Expires=%u", expires_s);
    append_parameter(out, "&X-Amz-SignedHeaders=", SL_SPAN("host"));
    if (scope->credentials->session_token.len)
        append_parameter(out, "&" SECURITY_NAME "=", scope->credentials->session_token);
    sl_buf_release(&credential);
}

void sl_sigv4_presign(sl_sigv4 *sigv4, const sl_sigv4_scope *scope, sl_span path, unsigned expires_s,
                      sl_buf *out)
{
    unsigned char signature[SL_SHA256_LEN];
    sl_buf whole = SL_BUF_NONE, canonical = SL_BUF_NONE, to_sign = SL_BUF_NONE, names = SL_BUF_NONE;
    sl_buf_append_span(&whole, path);
    sl_buf_append_char(&whole, sl_span_find(path, SL_SPAN("?"), 0) < path.len ? '&' : '?');
    append_query(scope, expires_s, &whole);
    signed_list list = {.count = 1};
    list.items[0] = (sl_http_header){"Host", scope->host};
    append_sha256(&list.body_hash, SL_SPAN_NONE);
    const sl_aws_request req = {.method = "GET", .path = sl_buf_span(&whole)};
    append_canonical(scope, &req, &list, &canonical, &names);
    sl_sigv4_string_to_sign(scope, sl_buf_span(&canonical), &to_sign);
    hmac(signing_key(sigv4, scope), SL_SHA256_LEN, sl_buf_span(&to_sign), signature);
    sl_buf_append_span(out, sl_buf_span(&whole));
    sl_buf_append_cstr(out, "&X-Amz-Signature=");
    append_hex(out, signature, sizeof signature);
    sl_buf_release(&list.body_hash);
    sl_aws_wipe_buf(&whole); /* as the canonical request: they hold the session token */
    sl_aws_wipe_buf(&canonical);
    sl_buf_release(&to_sign);
    sl_buf_release(&names);
}

void sl_aws_headers_release(sl_aws_headers *headers)
{
    sl_aws_wipe_buf(&headers->text);
    headers->count = 0;
}
