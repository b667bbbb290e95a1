/* http_options.c: the options that every HTTP output shares, and what must hold between them. */
#include "url.h"
#include <sluice/fs.h>
#include <sluice/http.h>
#include <stdio.h>

#define MAX_URLS 256

static const sl_option auth_options[] = {
    {"user", SL_OPT_STRING, offsetof(sl_auth_conf, user), .help = "User name of basic authentication."},
    {"password", SL_OPT_SECRET, offsetof(sl_auth_conf, password),
     .help = "Password of basic authentication."},
    {"api_key", SL_OPT_SECRET, offsetof(sl_auth_conf, api_key),
     .help = "Sent as `Authorization: ApiKey …`: the encoded key, or `id:key`, which is encoded for you."},
    {"bearer", SL_OPT_SECRET, offsetof(sl_auth_conf, bearer),
     .help = "Token sent as `Authorization: Bearer …`."},
    {0}};

static const sl_option tls_options[] = {
    {"verify", SL_OPT_BOOL, offsetof(sl_tls_conf, verify), .def = "true",
     .help = "Whether the server's certificate and name must be right. Off, anyone on the way can read and "
             "change what "
             "is sent; `ca` or `pinned_key` is nearly always what is wanted instead."},
    {"ca", SL_OPT_STRING, offsetof(sl_tls_conf, ca),
     .help = "PEM file of the authorities to trust, instead of the system's."},
    {"cert", SL_OPT_STRING, offsetof(sl_tls_conf, cert), .help = "PEM file of the client certificate."},
    {"key", SL_OPT_STRING, offsetof(sl_tls_conf, key), .help = "PEM file of the client certificate's key."},
    {"key_password", SL_OPT_SECRET, offsetof(sl_tls_conf, key_password), .help = "Password of `key`."},
    {"pinned_key", SL_OPT_STRING, offsetof(sl_tls_conf, pinned_key),
     .help = "`sha256//<base64>` of the server's public key; any other key is refused."},
    {"server_name", SL_OPT_STRING, offsetof(sl_tls_conf, server_name),
     .help = "Name that the certificate must carry, where it is not the URL's host; also sent as the host."},
    {0}};

static const char *const compress_names[] = {"none", "gzip", "zstd", NULL};

const sl_option sl_http_transfer_options[] = {
    {"tls", SL_OPT_GROUP, offsetof(sl_http_conf, tls), .rows = tls_options,
     .help = "For `https` addresses. TLS 1.2 or later. Each new connection reads the files anew; none is "
             "used for more "
             "than ten minutes."},
    {"headers", SL_OPT_MAP, offsetof(sl_http_conf, headers), .help = "Further headers of every request."},
    {"compress", SL_OPT_ENUM, offsetof(sl_http_conf, compress), .def = "none", .names = compress_names,
     .help = "Compression of request bodies: six to ten times less traffic for more processor time."},
    {"compress_level", SL_OPT_INT, offsetof(sl_http_conf, compress_level), .def = "1", .min = 1, .max = 19,
     .help = "1 is the fastest; gzip goes to 12, zstd to 19."},
    {"timeout", SL_OPT_DURATION, offsetof(sl_http_conf, timeout_ns), .def = "60s", .min = 1e8, .max = 3.6e12,
     .help = "Longest time from sending a request to the end of its answer."},
    {"connect_timeout", SL_OPT_DURATION, offsetof(sl_http_conf, connect_timeout_ns), .def = "10s", .min = 1e7,
     .max = 6e11, .help = "Longest time to connect, TLS included."},
    {"max_answer", SL_OPT_SIZE, offsetof(sl_http_conf, max_answer), .def = "16MiB", .min = 1024,
     .max = (double)(UINT64_C(1) << 30),
     .help = "A longer answer is not read to its end and counts as broken."},
    {"proxy", SL_OPT_SECRET, offsetof(sl_http_conf, proxy),
     .help = "HTTP or SOCKS proxy, `http://proxy:3128`. `http_proxy` and the like in the environment are not "
             "read."},
    {0}};

const sl_option sl_http_options[] = {
    {"url", SL_OPT_STRING, offsetof(sl_http_conf, url), .flags = SL_OPT_LIST | SL_OPT_MAIN,
     .help =
         "Addresses, `https://host:9200`; a path is put before every request's own. Requests are spread over "
         "those that answer."},
    {"auth", SL_OPT_GROUP, offsetof(sl_http_conf, auth), .rows = auth_options,
     .help = "How to log in; one of the ways."},
    {"", SL_OPT_INLINE, 0, .rows = sl_http_transfer_options},
    {0}};

/* ---- URLs ---- */

static int check_urls(const sl_http_conf *conf, sl_err *err)
{
    if (!conf->url.count) return sl_err_set(err, SL_E_CONFIG, "option `url` is missing: where to send to");
    if (conf->url.count > MAX_URLS)
        return sl_err_set(err, SL_E_CONFIG, "option `url`: more than %d addresses", MAX_URLS);
    for (size_t i = 0; i < conf->url.count; i++) {
        char what[64];
        snprintf(what, sizeof what, "option `url`: address %zu", i + 1);
        int rc = sl_url_check(SL_LIST_AT(conf->url, sl_span, i), what, "write them under `auth`", err);
        if (rc < 0) return rc;
    }
    return 0;
}

/* ---- headers and authentication ---- */

static bool is_token_char(unsigned char c) /* RFC 9110, 5.6.2 */
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool has_control_char(sl_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) return true;
    }
    return false;
}

static bool is_ours(sl_span name)
{
    static const char *const ours[] = {"Content-Length",    "Content-Encoding", "Content-Type",
                                       "Transfer-Encoding", "Expect",           "Connection"};
    for (size_t i = 0; i < SL_LEN(ours); i++) {
        if (sl_span_is_nocase(name, sl_span_of(ours[i]))) return true;
    }
    return false;
}

static int check_header(const sl_http_conf *conf, const sl_opt_pair *header, sl_err *err)
{
    bool token = header->key.len > 0;
    for (size_t i = 0; i < header->key.len; i++)
        token = token && is_token_char((unsigned char)header->key.ptr[i]);
    if (!token)
        return sl_err_set(err, SL_E_CONFIG, "option `headers`: \"" SL_SPAN_FMT "\" is no name of a header",
                          SL_SPAN_ARG(header->key));
    if (has_control_char(header->value))
        return sl_err_set(err, SL_E_CONFIG,
                          "option `headers`: the value of " SL_SPAN_FMT
                          " holds a line break or control character",
                          SL_SPAN_ARG(header->key));
    if (is_ours(header->key))
        return sl_err_set(err, SL_E_CONFIG, "option `headers`: " SL_SPAN_FMT " is set by sluice itself",
                          SL_SPAN_ARG(header->key));
    bool logs_in = conf->auth.user.len || conf->auth.api_key.len || conf->auth.bearer.len;
    if (logs_in && sl_span_is_nocase(header->key, SL_SPAN("Authorization")))
        return sl_err_set(err, SL_E_CONFIG,
                          "option `headers`: Authorization comes from `auth` already: give one of them");
    return 0;
}

static int check_auth(const sl_auth_conf *auth, sl_err *err)
{
    if ((auth->user.len || auth->password.len) + (auth->api_key.len > 0) + (auth->bearer.len > 0) > 1)
        return sl_err_set(err, SL_E_CONFIG,
                          "option `auth`: give one of `user` with `password`, `api_key` and `bearer`");
    if (auth->password.len && !auth->user.len)
        return sl_err_set(err, SL_E_CONFIG, "option `auth`: `password` needs a `user`");
    const struct {
        const char *name;
        sl_span value;
    } secrets[] = {{"user", auth->user},
                   {"password", auth->password},
                   {"api_key", auth->api_key},
                   {"bearer", auth->bearer}};
    for (size_t i = 0; i < SL_LEN(secrets); i++) {
        if (has_control_char(secrets[i].value))
            return sl_err_set(err, SL_E_CONFIG, "option `auth`: `%s` holds a line break or control character",
                              secrets[i].name);
    }
    return 0;
}

/* ---- TLS ---- */

static int check_file(const char *option, sl_span path, sl_err *err)
{
    if (!path.len) return 0;
    char *copy = sl_strndup(path.ptr, path.len);
    int fd = sl_fs_open(copy, O_RDONLY, 0);
    int rc = 0;
    if (fd < 0) {
        sl_err_sys(err, -fd, "option `tls.%s`: cannot read %s", option, copy);
        rc = err ? (err->code = SL_E_CONFIG) : SL_E_CONFIG;
    } else {
        sl_fs_close(fd);
    }
    sl_free(copy);
    return rc;
}

int sl_tls_conf_check(const sl_tls_conf *tls, sl_err *err)
{
    if (!tls->cert.len && tls->key.len)
        return sl_err_set(err, SL_E_CONFIG, "option `tls.key` needs `tls.cert`");
    if (tls->pinned_key.len && !sl_span_starts_with(tls->pinned_key, SL_SPAN("sha256//")))
        return sl_err_set(err, SL_E_CONFIG,
                          "option `tls.pinned_key`: write it as sha256//<base64 of the public key's hash>");
    int rc = check_file("ca", tls->ca, err);
    if (rc == 0) rc = check_file("cert", tls->cert, err);
    if (rc == 0) rc = check_file("key", tls->key, err);
    return rc;
}

int sl_http_transfer_check(const sl_http_conf *conf, sl_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < conf->headers.count; i++)
        rc = check_header(conf, &SL_LIST_AT(conf->headers, sl_opt_pair, i), err);
    if (rc == 0) rc = sl_tls_conf_check(&conf->tls, err);
    if (rc == 0 && conf->compress == SL_COMPRESS_GZIP && conf->compress_level > 12)
        rc = sl_err_set(err, SL_E_CONFIG, "option `compress_level`: gzip goes from 1 to 12");
    return rc;
}

int sl_http_conf_check(const sl_http_conf *conf, sl_err *err)
{
    int rc = check_urls(conf, err);
    if (rc == 0) rc = check_auth(&conf->auth, err);
    return rc == 0 ? sl_http_transfer_check(conf, err) : rc;
}
