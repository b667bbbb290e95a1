/* http_connect.c: whether the addresses of an HTTP service answer, asked once and waited for: for `sluice check
 * --connect`, which has no loops of its own. */
#include "net/http_client.h"
#include "verdict.h"
#include <semaphore.h>

#define MAX_WAIT_NS (10 * SL_NS_PER_S) /* a person waits for it */

typedef struct attempt {
    sl_http_conf conf; /* of one address */
    const sl_http_trial *trial;
    sl_loop *loop;
    sl_http_client *client;
    sem_t answered;
    sl_err err; /* code 0: it lets us in */
} attempt;

static int judge_status(const sl_answer *answer, sl_err *err)
{
    sl_arena arena = SL_ARENA_NONE;
    sl_verdict verdict = {.kind = SL_VERDICT_DELIVERED, .arena = &arena};
    sl_verdict_of(answer, &verdict);
    if (verdict.kind != SL_VERDICT_DELIVERED) sl_err_set(err, SL_E_NETWORK, "%s", verdict.reason);
    sl_arena_release(&arena);
    return err->code;
}

static void on_answer(void *arg, const sl_answer *answer)
{
    attempt *a = arg;
    const sl_http_trial *trial = a->trial;
    bool judged = trial->judge && answer->transport == SL_TRANSPORT_OK;
    int rc = judged ? trial->judge(trial->arg, answer, &a->err) : judge_status(answer, &a->err);
    sl_assert(rc == a->err.code);
    sem_post(&a->answered);
}

static void ask(void *arg)
{
    attempt *a = arg;
    const sl_http_trial *trial = a->trial;
    a->client = sl_http_client_new(a->loop, &a->conf);
    sl_http_send send = {.method = trial->method,
                         .path = sl_span_of(trial->path),
                         .content_type = trial->content_type,
                         .body = trial->body,
                         .headers = trial->headers,
                         .header_count = trial->header_count,
                         .answered = on_answer,
                         .arg = a};
    sl_http_client_send(a->client, &send);
}

static void end(void *arg)
{
    sl_http_client_free(((attempt *)arg)->client);
}

static int try_address(sl_loop *loop, const sl_http_conf *conf, size_t i, const sl_http_trial *trial,
                       sl_err *err)
{
    attempt a = {.conf = *conf, .trial = trial, .loop = loop};
    a.conf.url = (sl_list){&SL_LIST_AT(conf->url, sl_span, i), 1};
    if (a.conf.timeout_ns > MAX_WAIT_NS) a.conf.timeout_ns = MAX_WAIT_NS;
    sem_init(&a.answered, 0, 0);
    sl_loop_call_wait(loop, ask, &a);
    while (sem_wait(&a.answered) < 0) {
    } /* a signal */
    sl_loop_call_wait(loop, end, &a);
    sem_destroy(&a.answered);
    if (a.err.code && !err->code) *err = a.err;
    return a.err.code;
}

int sl_http_try(const sl_http_conf *conf, const sl_http_trial *trial, sl_err *err)
{
    sl_loop *loop = sl_loop_new("connect");
    size_t good = 0;
    for (size_t i = 0; i < conf->url.count; i++)
        good += try_address(loop, conf, i, trial, err) == 0;
    sl_loop_free(loop);
    if (good == conf->url.count) return 0;
    if (conf->url.count == 1) return err->code;
    return sl_err_prefix(err, "%zu of %zu addresses let us in", good, conf->url.count);
}

int sl_http_connect(const sl_http_conf *conf, const char *path, sl_err *err)
{
    return sl_http_try(conf, &(sl_http_trial){.method = "GET", .path = path}, err);
}
