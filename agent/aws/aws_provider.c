/* aws_provider.c: one user of a service: its credentials, kept fresh, its region and URL, and its signatures.
 *
 * Invariants: at most one search at a time; a timer runs whenever none is under way, so that whatever went wrong is
 * tried again. How long credentials are good is told by the wall clock, which may be set, and stands still in no
 * suspended machine: it is looked at once a minute.
 */
#include "aws_search.h"
#include "base/backoff.h"
#include "net/url.h"
#include "sigv4.h"
#include <sluice/logger.h>
#include <stdio.h>

/* The waits after a search that gave none, or one after the service refused what was found. */
#define LEAST_WAIT_NS (2 * SL_NS_PER_S)
#define MOST_WAIT_NS  (60 * SL_NS_PER_S)
/* Credentials are refreshed that long before they end, or at half of their life where that is later. */
#define EARLY_NS (5 * 60 * SL_NS_PER_S)

struct sl_aws {
    sl_loop *loop;
    const sl_aws_conf *conf;
    const sl_aws_service *service;
    const sl_http_conf *http;
    void (*changed)(void *arg);
    void *arg;
    char log_name[64];
    sl_aws_search *search; /* NULL: none is under way */
    sl_timer *turn;
    sl_backoff backoff;
    int64_t searched_ns; /* monotonic time at which the latest search began */
    int64_t retry_ns;    /* monotonic time of the next search after one that failed; 0: the latest did not */
    int64_t refresh_ns;  /* wall clock; 0: never */
    bool refused;        /* the service did not take what is in keys: wait for the next search */
    bool told;           /* what changed() told: ready or not */
    sl_aws_keys keys;
    sl_err err; /* of the latest search */
    char *region;
    sl_buf url;
    sl_sigv4 sigv4;
};

/* ---- time ---- */

static bool has_ended(const sl_aws *aws)
{
    int64_t ends = aws->keys.credentials.expires_ns;
    return ends && sl_clock_wall_ns() >= ends;
}

static bool is_ready(const sl_aws *aws)
{
    return sl_aws_keys_has(&aws->keys) && aws->region && !aws->refused && !has_ended(aws);
}

/* With jitter of a fifth: many agents that began together do not all come at once. */
static int64_t refresh_time(int64_t ends)
{
    if (!ends) return 0;
    int64_t now = sl_clock_wall_ns(), half = (ends - now) / 2, early = half < EARLY_NS ? half : EARLY_NS;
    sl_backoff jitter;
    sl_backoff_init(&jitter, early / 5 + 1, early / 5 + 1);
    return ends - early - sl_backoff_next(&jitter);
}

static void plan(sl_aws *aws)
{
    int64_t wait = MOST_WAIT_NS, mono = sl_clock_mono_ns();
    if (aws->retry_ns && aws->retry_ns - mono < wait) wait = aws->retry_ns - mono;
    if (!aws->retry_ns && aws->refresh_ns && aws->refresh_ns - sl_clock_wall_ns() < wait)
        wait = aws->refresh_ns - sl_clock_wall_ns();
    int64_t next = aws->searched_ns + LEAST_WAIT_NS / 4 - mono;
    sl_timer_start(aws->turn, wait > next ? wait : next > 0 ? next : 0, 0);
}

/* ---- searching ---- */

static int set_region(sl_aws *aws, sl_span region, sl_err *err)
{
    if (aws->region) return 0;
    int rc = sl_aws_endpoint(aws->conf, aws->service, region, &aws->url, err);
    if (rc == 0) aws->region = sl_strndup(region.ptr, region.len);
    return rc;
}

static int check_life(const sl_aws_credentials *credentials, sl_err *err)
{
    if (!credentials->expires_ns || credentials->expires_ns > sl_clock_wall_ns()) return 0;
    return sl_err_set(err, SL_E_REJECTED,
                      "no AWS credentials: those of %s have ended already: is the clock right?",
                      credentials->source);
}

static void log_failure(const sl_aws *aws)
{
    int64_t left = aws->keys.credentials.expires_ns - sl_clock_wall_ns();
    if (is_ready(aws) && aws->keys.credentials.expires_ns)
        sl_warn(aws->log_name, "credentials could not be refreshed, those in use end in %lld s: %s",
                (long long)(left / SL_NS_PER_S), aws->err.text);
}

static void on_found(void *arg, sl_aws_keys *keys, sl_span region, const sl_err *err)
{
    sl_aws *aws = arg;
    aws->err = *err;
    int rc = keys ? check_life(&keys->credentials, &aws->err) : err->code;
    if (rc == 0) rc = set_region(aws, region, &aws->err);
    if (keys && rc == 0) {
        sl_aws_keys_release(&aws->keys);
        aws->keys = *keys;
        *keys = (sl_aws_keys){.credentials = {.source = NULL}};
        aws->refused = false;
        aws->retry_ns = 0;
        aws->refresh_ns = refresh_time(aws->keys.credentials.expires_ns);
        sl_backoff_reset(&aws->backoff);
    } else {
        aws->retry_ns = sl_clock_mono_ns() + LEAST_WAIT_NS + sl_backoff_next(&aws->backoff);
        log_failure(aws);
    }
    sl_aws_search_free(aws->search);
    aws->search = NULL;
    plan(aws);
    aws->told = is_ready(aws);
    aws->changed(aws->arg);
}

static bool is_due(const sl_aws *aws)
{
    if (aws->refused || !sl_aws_keys_has(&aws->keys) || aws->retry_ns)
        return !aws->retry_ns || sl_clock_mono_ns() >= aws->retry_ns;
    return aws->refresh_ns && sl_clock_wall_ns() >= aws->refresh_ns;
}

static void on_turn(void *arg)
{
    sl_aws *aws = arg;
    if (is_due(aws)) {
        aws->searched_ns = sl_clock_mono_ns();
        aws->search =
            sl_aws_search_new(aws->loop, aws->conf, aws->http, sl_span_of(aws->region), on_found, aws);
    } else {
        plan(aws);
    }
    if (aws->told && !is_ready(aws)) {
        aws->told = false;
        aws->changed(aws->arg);
    }
}

/* ---- what its user calls ---- */

sl_aws *sl_aws_new(sl_loop *loop, const sl_aws_conf *conf, const sl_aws_service *service,
                   const sl_http_conf *http, void (*changed)(void *arg), void *arg)
{
    sl_assert_on(loop);
    sl_aws *aws = sl_calloc(1, sizeof *aws);
    *aws = (sl_aws){
        .loop = loop, .conf = conf, .service = service, .http = http, .changed = changed, .arg = arg};
    snprintf(aws->log_name, sizeof aws->log_name, "aws %s", service->name);
    sl_backoff_init(&aws->backoff, LEAST_WAIT_NS, MOST_WAIT_NS);
    aws->turn = sl_timer_new(loop, on_turn, aws);
    sl_timer_start(aws->turn, 0, 0);
    return aws;
}

void sl_aws_free(sl_aws *aws)
{
    if (!aws) return;
    sl_assert_on(aws->loop);
    sl_aws_search_free(aws->search);
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
    if (is_ready(aws)) return 0;
    if (!aws->err.code) return sl_err_set(err, SL_E_AGAIN, "AWS credentials were asked for");
    if (err) *err = aws->err;
    return aws->err.code;
}

const sl_aws_credentials *sl_aws_credentials_get(const sl_aws *aws)
{
    sl_assert_on(aws->loop);
    return is_ready(aws) ? &aws->keys.credentials : NULL;
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
    if (aws->search || aws->refused || !sl_aws_keys_has(&aws->keys)) return;
    aws->refused = true;
    aws->told = false;
    int64_t wait = aws->searched_ns + LEAST_WAIT_NS - sl_clock_mono_ns();
    sl_timer_start(aws->turn, wait > 0 ? wait : 0, 0);
}

/* ---- signing ---- */

/* The host as the client says it in Host: with `tls.server_name`, that is the name. */
static void append_host(const sl_aws *aws, const sl_url_parts *url, sl_buf *host)
{
    sl_buf_append_span(host, aws->http->tls.server_name.len ? aws->http->tls.server_name : url->host);
    if (!url->port.len) return;
    sl_buf_append_char(host, ':');
    sl_buf_append_span(host, url->port);
}

/* The scope of a signature; host: filled, what the scope points to. */
static sl_sigv4_scope scope_of(const sl_aws *aws, const sl_url_parts *url, int64_t now_ns, sl_buf *host)
{
    const sl_aws_credentials *credentials = sl_aws_credentials_get(aws);
    sl_assert(credentials);
    append_host(aws, url, host);
    return (sl_sigv4_scope){.credentials = credentials,
                            .region = sl_span_of(aws->region),
                            .host = sl_buf_span(host),
                            .service = aws->service->name,
                            .s3 = aws->service->s3,
                            .now_ns = now_ns};
}

void sl_aws_sign(sl_aws *aws, const sl_aws_request *req, int64_t now_ns, sl_aws_headers *out)
{
    sl_url_parts url = sl_url_split(sl_buf_span(&aws->url));
    sl_buf host = SL_BUF_NONE, path = SL_BUF_NONE;
    sl_sigv4_scope scope = scope_of(aws, &url, now_ns, &host);
    sl_buf_append_span(&path, url.path);
    sl_buf_append_span(&path, req->path);
    sl_aws_request whole = *req;
    whole.path = sl_buf_span(&path);
    sl_sigv4_sign(&aws->sigv4, &scope, &whole, out);
    sl_buf_release(&host);
    sl_buf_release(&path);
}

void sl_aws_presign(sl_aws *aws, sl_span path, unsigned expires_s, int64_t now_ns, sl_buf *url)
{
    sl_span base = sl_buf_span(&aws->url);
    sl_url_parts parts = sl_url_split(base);
    sl_buf host = SL_BUF_NONE, whole = SL_BUF_NONE;
    sl_sigv4_scope scope = scope_of(aws, &parts, now_ns, &host);
    sl_buf_append_span(&whole, parts.path);
    sl_buf_append_span(&whole, path);
    sl_buf_append(url, base.ptr, (size_t)(parts.path.ptr - base.ptr));
    sl_sigv4_presign(&aws->sigv4, &scope, sl_buf_span(&whole), expires_s, url);
    sl_buf_release(&host);
    sl_buf_release(&whole);
}
