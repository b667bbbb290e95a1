/* cw_auth.c: credentials, signatures, and the time that they hold.
 *
 * prepare() waits for the credentials, and for the region where it is not configured: then the address is
 * known, and delivery begins. A signature is made anew for each attempt. The service refuses one whose time is
 * more than minutes off its own; where its answer shows that our clock is what is wrong, its time is used from
 * then on.
 */
#include "cw_int.h"
#include <stdio.h>

#define CLOCK_TOLERANCE_NS (60 * SL_NS_PER_S) /* the service's own is five minutes */

const sl_aws_service cw_service = {.name = "logs", .host = "logs", .gov_is_fips = true};

int64_t cw_now_ns(const cw_output *cw)
{
    return sl_clock_wall_ns() + cw->clock_offset_ns;
}

bool cw_correct_clock(cw_output *cw, const sl_answer *answer)
{
    if (!answer->date_ns) return false;
    int64_t off = answer->date_ns - cw_now_ns(cw);
    if (off > -CLOCK_TOLERANCE_NS && off < CLOCK_TOLERANCE_NS) return false;
    cw->clock_offset_ns += off;
    sl_log_limited(
        &cw->clock_limit, SL_LOG_WARN, sl_output_name(cw->out),
        "the clock of this machine is %lld s off that of CloudWatch Logs, whose is used for signatures: "
        "set it right",
        (long long)(cw->clock_offset_ns / SL_NS_PER_S));
    return true;
}

/* ---- credentials ---- */

static void look(cw_output *cw)
{
    sl_err err = SL_ERR_NONE;
    int rc = sl_aws_ready(cw->aws, &err);
    if (rc == SL_E_AGAIN) return; /* changed() comes */
    if (rc < 0) {
        sl_output_not_ready(cw->out, &err);
        return;
    }
    cw->preparing = false;
    cw->url[0] = sl_aws_url(cw->aws);
    cw->http.url = (sl_list){cw->url, 1};
    sl_output_ready(cw->out);
}

static void on_changed(void *arg)
{
    cw_output *cw = arg;
    if (cw->preparing) look(cw);
}

void cw_prepare(void *self)
{
    cw_output *cw = self;
    cw->preparing = true;
    look(cw);
}

void cw_auth_start(cw_output *cw)
{
    cw->http = cw->conf->http;
    cw->aws = sl_aws_new(sl_output_loop(cw->out), &cw->conf->aws, &cw_service, &cw->http, on_changed, cw);
}

void cw_auth_release(cw_output *cw)
{
    sl_aws_free(cw->aws);
    sl_aws_headers_release(&cw->signature);
}

/* ---- headers ---- */

bool cw_headers(void *self, const sl_outgoing *out, const sl_http_header **headers, size_t *count)
{
    cw_output *cw = self;
    if (sl_aws_ready(cw->aws, NULL) != 0) return false;
    snprintf(cw->target, sizeof cw->target, CW_TARGET_PREFIX "%s",
             out->action ? out->action : "PutLogEvents");
    sl_http_header *to = cw->headers;
    size_t own = 0;
    to[own++] = (sl_http_header){"X-Amz-Target", sl_span_of(cw->target)};
    if (cw->conf->emf && !out->action)
        to[own++] = (sl_http_header){"x-amzn-logs-format", SL_SPAN("json/emf")};
    size_t all = own;
    if (out->content_type) to[all++] = (sl_http_header){"Content-Type", sl_span_of(out->content_type)};
    if (out->content_encoding)
        to[all++] = (sl_http_header){"Content-Encoding", sl_span_of(out->content_encoding)};
    sl_aws_request request = {
        .method = out->method, .path = out->path, .headers = to, .header_count = all, .body = out->body};
    sl_aws_sign(cw->aws, &request, cw_now_ns(cw), &cw->signature);
    memcpy(to + own, cw->signature.items, cw->signature.count * sizeof *to);
    *headers = to;
    *count = own + cw->signature.count;
    return true;
}
