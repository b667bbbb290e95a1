/* cw_connect.c: whether CloudWatch Logs is there and knows these credentials: DescribeLogGroups for one group,
 * which changes nothing. Who may write logs need not be allowed to ask: that the service says so is good enough,
 * for it has checked the signature. */
#include "cw_int.h"
#include <errno.h>
#include <semaphore.h>
#include <time.h>

#define MAX_WAIT_S 10 /* a person waits for it */

typedef struct trial {
    const cw_conf *conf;
    cw_output cw; /* what signing needs of it */
    sl_loop *loop;
    sem_t changed;
    int rc; /* of sl_aws_ready() */
    sl_err err;
    const sl_http_header *headers;
    size_t header_count;
} trial;

static void on_changed(void *arg)
{
    sem_post(&((trial *)arg)->changed);
}

static void begin(void *arg)
{
    trial *t = arg;
    t->cw.aws = sl_aws_new(t->loop, &t->conf->aws, &cw_service, &t->cw.http, on_changed, t);
}

static void look(void *arg)
{
    trial *t = arg;
    t->rc = sl_aws_ready(t->cw.aws, &t->err);
}

static void sign(void *arg)
{
    trial *t = arg;
    t->cw.url[0] = sl_aws_url(t->cw.aws);
    t->cw.http.url = (sl_list){t->cw.url, 1};
    sl_outgoing out = {.method = "POST",
                       .path = SL_SPAN("/"),
                       .content_type = CW_CONTENT_TYPE,
                       .body = SL_SPAN("{\"limit\":1}"),
                       .action = "DescribeLogGroups"};
    if (!cw_headers(&t->cw, &out, &t->headers, &t->header_count))
        t->rc = sl_err_set(&t->err, SL_E_AGAIN, "the credentials ended just now: try again");
}

static void end(void *arg)
{
    cw_auth_release(&((trial *)arg)->cw);
}

static void await_credentials(trial *t)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += MAX_WAIT_S;
    sl_loop_call_wait(t->loop, look, t);
    while (t->rc == SL_E_AGAIN) {
        if (sem_timedwait(&t->changed, &until) < 0 && errno == ETIMEDOUT) {
            t->rc = sl_err_set(&t->err, SL_E_TIMEOUT, "no credentials within %d s", MAX_WAIT_S);
            return;
        }
        sl_loop_call_wait(t->loop, look, t);
    }
}

static int judge(void *arg, const sl_answer *answer, sl_err *err)
{
    (void)arg;
    if (answer->status >= 200 && answer->status < 300) return 0;
    sl_tape tape = {0};
    cw_error error;
    cw_error_read(answer->body, &tape, &error);
    sl_tape_release(&tape);
    if (strcmp(error.type, "AccessDeniedException") == 0) return 0;
    return sl_err_set(err, SL_E_REJECTED, "%s (status %d) from " SL_SPAN_FMT ": " SL_SPAN_FMT,
                      error.type[0] ? error.type : "no reason known", answer->status,
                      SL_SPAN_ARG(answer->url), SL_SPAN_ARG(error.message));
}

static int ask(trial *t, sl_err *err)
{
    sl_http_trial request = {.method = "POST",
                             .path = "/",
                             .content_type = CW_CONTENT_TYPE,
                             .body = SL_SPAN("{\"limit\":1}"),
                             .headers = t->headers,
                             .header_count = t->header_count,
                             .judge = judge};
    return sl_http_try(&t->cw.http, &request, err);
}

int cw_connect(const void *conf, sl_err *err)
{
    trial t = {.conf = conf};
    t.cw.conf = conf;
    t.cw.http = t.conf->http;
    t.loop = sl_loop_new("connect");
    sem_init(&t.changed, 0, 0);
    sl_loop_call_wait(t.loop, begin, &t);
    await_credentials(&t);
    if (t.rc == 0) sl_loop_call_wait(t.loop, sign, &t);
    int rc = t.rc;
    if (rc < 0 && err) *err = t.err;
    if (rc == 0) rc = ask(&t, err);
    sl_loop_call_wait(t.loop, end, &t);
    sl_loop_free(t.loop);
    sem_destroy(&t.changed);
    return rc;
}
