/* http_connect.c: whether the addresses of an HTTP service answer, asked once and waited for: for `sluice check
 * --connect`, which has no loops of its own. */
#include "net/http_client.h"
#include "verdict.h"
#include <semaphore.h>

#define MAX_WAIT_NS (10 * SL_NS_PER_S) /* a person waits for it */

typedef struct trial {
    sl_http_conf conf; /* of one address */
    const char *path;
    sl_loop *loop;
    sl_http_client *client;
    sem_t answered;
    sl_err err; /* code 0: it lets us in */
} trial;

static void on_answer(void *arg, const sl_answer *answer)
{
    trial *t = arg;
    sl_arena arena = SL_ARENA_NONE;
    sl_verdict verdict = {.kind = SL_VERDICT_DELIVERED, .arena = &arena};
    sl_verdict_of(answer, &verdict);
    if (verdict.kind != SL_VERDICT_DELIVERED) sl_err_set(&t->err, SL_E_NETWORK, "%s", verdict.reason);
    sl_arena_release(&arena);
    sem_post(&t->answered);
}

static void ask(void *arg)
{
    trial *t = arg;
    t->client = sl_http_client_new(t->loop, &t->conf);
    sl_http_send send = {.method = "GET", .path = sl_span_of(t->path), .answered = on_answer, .arg = t};
    sl_http_client_send(t->client, &send);
}

static void end(void *arg)
{
    sl_http_client_free(((trial *)arg)->client);
}

static int try_address(sl_loop *loop, const sl_http_conf *conf, size_t i, const char *path, sl_err *err)
{
    trial t = {.conf = *conf, .path = path, .loop = loop};
    t.conf.url = (sl_list){&SL_LIST_AT(conf->url, sl_span, i), 1};
    if (t.conf.timeout_ns > MAX_WAIT_NS) t.conf.timeout_ns = MAX_WAIT_NS;
    sem_init(&t.answered, 0, 0);
    sl_loop_call_wait(loop, ask, &t);
    while (sem_wait(&t.answered) < 0) {
    } /* a signal */
    sl_loop_call_wait(loop, end, &t);
    sem_destroy(&t.answered);
    if (t.err.code && !err->code) *err = t.err;
    return t.err.code;
}

int sl_http_connect(const sl_http_conf *conf, const char *path, sl_err *err)
{
    sl_loop *loop = sl_loop_new("connect");
    size_t good = 0;
    for (size_t i = 0; i < conf->url.count; i++)
        good += try_address(loop, conf, i, path, err) == 0;
    sl_loop_free(loop);
    if (good == conf->url.count) return 0;
    if (conf->url.count == 1) return err->code;
    return sl_err_prefix(err, "%zu of %zu addresses let us in", good, conf->url.count);
}
