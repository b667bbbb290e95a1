/* poll.c: readiness of a descriptor on a loop. */
#include "loop_int.h"

struct sl_poll {
    uv_poll_t uv;
    sl_loop *loop;
    void (*fn)(void *arg, int events);
    void *arg;
};

static void on_ready(uv_poll_t *uv, int status, int events)
{
    sl_poll *poll = sl_container_of(uv, sl_poll, uv);
    int ready = ((events & UV_READABLE) ? SL_READABLE : 0) | ((events & UV_WRITABLE) ? SL_WRITABLE : 0);
    /* An error is readable: the read that follows says which. */
    poll->fn(poll->arg, status < 0 ? SL_READABLE : ready);
}

sl_poll *sl_poll_new(sl_loop *loop, int fd, void (*fn)(void *arg, int events), void *arg)
{
    sl_poll *poll = sl_calloc(1, sizeof *poll);
    poll->loop = loop;
    poll->fn = fn;
    poll->arg = arg;
    if (uv_poll_init(sl_loop__uv(loop), &poll->uv, fd) != 0) {
        sl_free(poll);
        return NULL;
    }
    return poll;
}

void sl_poll_start(sl_poll *poll, int events)
{
    sl_assert_on(poll->loop);
    uv_poll_start(&poll->uv,
                  ((events & SL_READABLE) ? UV_READABLE : 0) | ((events & SL_WRITABLE) ? UV_WRITABLE : 0),
                  on_ready);
}

void sl_poll_stop(sl_poll *poll)
{
    sl_assert_on(poll->loop);
    uv_poll_stop(&poll->uv);
}

static void on_closed(uv_handle_t *handle)
{
    sl_free(sl_container_of((uv_poll_t *)handle, sl_poll, uv));
}

void sl_poll_free(sl_poll *poll)
{
    if (!poll) return;
    sl_assert_on(poll->loop);
    uv_close((uv_handle_t *)&poll->uv, on_closed);
}
