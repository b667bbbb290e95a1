/* aws_provider.c: one user of a service: its credentials, kept fresh, its region and URL, and its signatures.
 *
 * Sources are asked from a timer of its own, so that changed() is never called from within a call of the user.
 */
#include "aws_source.h"
#include "base/backoff.h"
#include "net/url.h"
#include "sigv4.h"

/* After nothing was found or the service refused what was: the waits between two searches. */
#define LEAST_WAIT_NS (2 * SL_NS_PER_S)
#define MOST_WAIT_NS  (60 * SL_NS_PER_S)

const sl_aws_source *const sl_aws_sources[SL_AWS_SOURCES] = {&sl_aws_source_options,
                                                             &sl_aws_source_environment};

struct sl_aws {
    sl_loop *loop;
    const sl_aws_conf *conf;
    const sl_aws_service *service;
    const sl_http_conf *http;
    void (*changed)(void *arg);
    void *arg;
    sl_timer *turn; /* the next search, or a change to be told */
    sl_backoff backoff;
    sl_aws_keys keys;
    sl_err err;       /* what `ready` says: code 0 when keys and URL are there */
    int64_t asked_ns; /* monotonic time of the latest search; 0: none yet */
    sl_buf url;
    char *region;
    sl_sigv4 sigv4;
};

/* ---- searching ---- */

static int ask_one(sl_aws *aws, const sl_aws_source *source, sl_aws_ask *ask, sl_err *err)
{
    *ask = (sl_aws_ask){.conf = aws->conf};
    int rc = source->step(ask, err);
    return rc < 0 ? sl_err_prefix(err, "%s", source->name) : 0;
}

static void add_reason(sl_err *all, const sl_err *one)
{
    size_t len = strlen(all->text), room = sizeof all->text - len;
    size_t more = sl_span_cut(sl_span_of(one->text), room > 2 ? room - 3 : 0);
    if (!more) return;
    memcpy(all->text + len, "; ", 2);
    memcpy(all->text + len + 2, one->text, more);
    all->text[len + 2 + more] = '\0';
}

/* The first source that is set up decides. */
static int ask_sources(sl_aws *aws, sl_aws_ask *ask, sl_err *err)
{
    int only = aws->conf->credentials;
    size_t from = only ? (size_t)only - 1 : 0, to = only ? (size_t)only : SL_AWS_SOURCES;
    sl_err all = SL_ERR_NONE;
    for (size_t i = from; i < to; i++) {
        sl_err one = SL_ERR_NONE;
        int rc = ask_one(aws, sl_aws_sources[i], ask, &one);
        if (rc == 0) return 0;
        if (i == from)
            all = one;
        else
            add_reason(&all, &one);
        all.code = rc;
        if (rc != SL_E_NOT_FOUND) break;
    }
    *err = all;
    return sl_err_prefix(err, "no AWS credentials");
}

static int find_url(sl_aws *aws, sl_err *err)
{
    if (aws->region) return 0;
    sl_span region = sl_aws_known_region(aws->conf);
    if (!region.len)
        return sl_err_set(err, SL_E_NOT_FOUND, "no AWS region: set option `region`, or AWS_REGION");
    sl_buf_clear(&aws->url);
    int rc = sl_aws_endpoint(aws->conf, aws->service, region, &aws->url, err);
    if (rc == 0) aws->region = sl_strndup(region.ptr, region.len);
    return rc;
}

static void on_turn(void *arg)
{
    sl_aws *aws = arg;
    sl_aws_ask ask;
    sl_err err = SL_ERR_NONE;
    aws->asked_ns = sl_clock_mono_ns();
    int rc = ask_sources(aws, &ask, &err);
    if (rc == 0) {
        sl_aws_keys_release(&aws->keys);
        aws->keys = ask.keys;
        rc = find_url(aws, &err);
    }
    aws->err = err;
    if (rc < 0)
        sl_timer_start(aws->turn, LEAST_WAIT_NS + sl_backoff_next(&aws->backoff), 0);
    else
        sl_backoff_reset(&aws->backoff);
    aws->changed(aws->arg);
}

/* ---- what its user calls ---- */

sl_aws *sl_aws_new(sl_loop *loop, const sl_aws_conf *conf, const sl_aws_service *service,
                   const sl_http_conf *http, void (*changed)(void *arg), void *arg)
{
    sl_assert_on(loop);
    sl_aws *aws = sl_calloc(1, sizeof *aws);
    *aws = (sl_aws){
        .loop = loop, .conf = conf, .service = service, .http = http, .changed = changed, .arg = arg};
    sl_backoff_init(&aws->backoff, LEAST_WAIT_NS, MOST_WAIT_NS);
    aws->turn = sl_timer_new(loop, on_turn, aws);
    sl_timer_start(aws->turn, 0, 0);
    return aws;
}

void sl_aws_free(sl_aws *aws)
{
    if (!aws) return;
    sl_assert_on(aws->loop);
    sl_timer_free(aws->turn);
    sl_aws_keys_release(&aws->keys);
    sl_sigv4_release(&aws->sigv4);
    sl_buf_release(&aws->url);
    sl_free(aws->region);
    sl_free(aws);
}

int sl_aws_ready(const sl_aws *aws, sl_err *err)
{
    sl_assert_on(aws->loop);
    if (!aws->asked_ns) return sl_err_set(err, SL_E_AGAIN, "AWS credentials were asked for");
    if (aws->err.code < 0 && err) *err = aws->err;
    return aws->err.code;
}

const sl_aws_credentials *sl_aws_credentials_get(const sl_aws *aws)
{
    return sl_aws_ready(aws, NULL) == 0 ? &aws->keys.credentials : NULL;
}

sl_span sl_aws_region(const sl_aws *aws)
{
    return sl_span_of(aws->region);
}

sl_span sl_aws_url(const sl_aws *aws)
{
    return aws->region ? sl_buf_span(&aws->url) : SL_SPAN_NONE;
}

void sl_aws_expired(sl_aws *aws)
{
    sl_assert_on(aws->loop);
    int64_t now = sl_clock_mono_ns();
    int64_t due = aws->asked_ns + LEAST_WAIT_NS;
    if (!sl_timer_is_active(aws->turn)) sl_timer_start(aws->turn, due > now ? due - now : 0, 0);
}

/* The host as the client says it in Host: with `tls.server_name`, that is the name. */
static void append_host(const sl_aws *aws, const sl_url_parts *url, sl_buf *host)
{
    sl_buf_append_span(host, aws->http->tls.server_name.len ? aws->http->tls.server_name : url->host);
    if (!url->port.len) return;
    sl_buf_append_char(host, ':');
    sl_buf_append_span(host, url->port);
}

void sl_aws_sign(sl_aws *aws, const sl_aws_request *req, int64_t now_ns, sl_aws_headers *out)
{
    const sl_aws_credentials *credentials = sl_aws_credentials_get(aws);
    sl_assert(credentials);
    sl_url_parts url = sl_url_split(sl_buf_span(&aws->url));
    sl_buf host = SL_BUF_NONE, path = SL_BUF_NONE;
    append_host(aws, &url, &host);
    sl_buf_append_span(&path, url.path);
    sl_buf_append_span(&path, req->path);
    sl_sigv4_scope scope = {.credentials = credentials,
                            .region = sl_span_of(aws->region),
                            .host = sl_buf_span(&host),
                            .service = aws->service->name,
                            .s3 = aws->service->s3,
                            .now_ns = now_ns};
    sl_aws_request whole = *req;
    whole.path = sl_buf_span(&path);
    sl_sigv4_sign(&aws->sigv4, &scope, &whole, out);
    sl_buf_release(&host);
    sl_buf_release(&path);
}
