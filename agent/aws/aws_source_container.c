/* aws_source_container.c: the endpoint that ECS and EKS Pod Identity give to a container.
 *
 * The credentials go in the clear, and the token with which they are asked for, too: a URL without TLS must stay on
 * this machine. Names are not looked up, only addresses are believed. Source: "Container credential provider", AWS
 * SDKs and Tools Reference Guide (feature-container-credentials.html).
 */
#include "aws_answer.h"
#include "aws_source.h"
#include "net/url.h"
#include <arpa/inet.h>

#define ECS_HOST "http://169.254.170.2"

static const sl_aws_spelling spelling = {NULL, "AccessKeyId", "SecretAccessKey", "Token", "Expiration"};

/* ---- which hosts may be asked ---- */

static bool is_local_v4(const char *text)
{
    struct in_addr ip;
    if (inet_pton(AF_INET, text, &ip) != 1) return false;
    uint32_t host = ntohl(ip.s_addr);
    return host >> 24 == 127 || host == 0xa9feaa02 || host == 0xa9feaa17; /* 169.254.170.2, 169.254.170.23 */
}

static bool is_local_v6(const char *text)
{
    static const struct in6_addr eks = {{{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23}}};
    struct in6_addr ip;
    return inet_pton(AF_INET6, text, &ip) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&ip) || memcmp(&ip, &eks, sizeof ip) == 0);
}

static bool is_local(sl_span host)
{
    if (sl_span_is_nocase(host, SL_SPAN("localhost"))) return true;
    bool v6 = host.len > 2 && host.ptr[0] == '[';
    char *text = v6 ? sl_strndup(host.ptr + 1, host.len - 2) : sl_strndup(host.ptr, host.len);
    bool local = v6 ? is_local_v6(text) : is_local_v4(text);
    sl_free(text);
    return local;
}

static int use_full_uri(sl_aws_ask *ask, sl_span uri, sl_err *err)
{
    size_t scheme = sl_span_find(uri, SL_SPAN("://"), 0) + 3;
    size_t host_end = scheme < uri.len ? sl_span_find(uri, SL_SPAN("/"), scheme) : uri.len;
    sl_span base = {uri.ptr, host_end};
    int rc = sl_url_check(base, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "it must hold neither", err);
    if (rc < 0) return rc;
    sl_url_parts parts = sl_url_split(base);
    if (!parts.https && !is_local(parts.host))
        return sl_err_set(err, SL_E_CONFIG,
                          "AWS_CONTAINER_CREDENTIALS_FULL_URI names \"" SL_SPAN_FMT
                          "\": without https it must be a "
                          "loopback address, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]",
                          SL_SPAN_ARG(parts.host));
    ask->want.url = sl_arena_dup(&ask->arena, base);
    ask->want.path = host_end < uri.len
                         ? sl_arena_dup(&ask->arena, (sl_span){uri.ptr + host_end, uri.len - host_end})
                         : SL_SPAN("/");
    return 0;
}

static int use_relative_uri(sl_aws_ask *ask, sl_span uri, sl_err *err)
{
    if (uri.ptr[0] != '/')
        return sl_err_set(err, SL_E_CONFIG, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a /");
    ask->want.url = SL_SPAN(ECS_HOST);
    ask->want.path = sl_arena_dup(&ask->arena, uri);
    return 0;
}

/* ---- the request ---- */

/* The file's token is replaced from time to time: it is read anew. */
static int add_token(sl_aws_ask *ask, sl_err *err)
{
    sl_span file = sl_aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    sl_span token = sl_aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    sl_buf text = SL_BUF_NONE;
    int rc = 0;
    if (file.len) {
        char *path = sl_strndup(file.ptr, file.len);
        rc = sl_aws_token_file(path, &text, err);
        sl_free(path);
        token = sl_buf_span(&text);
    }
    for (size_t i = 0; rc == 0 && i < token.len; i++) {
        if (token.ptr[i] < ' ' || token.ptr[i] > '~')
            rc = sl_err_set(err, SL_E_CONFIG, "AWS_CONTAINER_AUTHORIZATION_TOKEN can stand in no header");
    }
    if (rc == 0 && token.len) sl_aws_want_header(&ask->want, "Authorization", token);
    sl_aws_wipe_buf(&text);
    return rc;
}

static int begin(sl_aws_ask *ask, sl_err *err)
{
    sl_span relative = sl_aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    sl_span full = sl_aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative.len && !full.len)
        return sl_err_set(err, SL_E_NOT_FOUND,
                          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
    int rc = relative.len ? use_relative_uri(ask, relative, err) : use_full_uri(ask, full, err);
    if (rc == 0) rc = add_token(ask, err);
    ask->want.method = "GET";
    ask->want.local = true;
    return rc == 0 ? SL_E_AGAIN : rc;
}

static int step(sl_aws_ask *ask, sl_err *err)
{
    if (ask->step++ == 0) return begin(ask, err);
    return sl_aws_answer_json(ask->answer->body, &spelling, sl_aws_source_container.name, &ask->keys, err);
}

const sl_aws_source sl_aws_source_container = {.name = "container", .step = step};
