/* timer.c: timers on a loop, in nanoseconds rounded up to libuv's milliseconds: never early. */
#include "loop_int.h"

struct sl_timer {
    uv_timer_t uv;
    sl_loop *loop;
    void (*fn)(void *arg);
    void *arg;
    bool running; /* fn is being called by the timer */
};

static void on_timer(uv_timer_t *uv)
{
    sl_timer *timer = sl_container_of(uv, sl_timer, uv);
    timer->running = true;
    timer->fn(timer->arg);
    timer->running = false; /* a freed timer is still there: it is closed at the end of the turn */
}

sl_timer *sl_timer_new(sl_loop *loop, void (*fn)(void *arg), void *arg)
{
    sl_timer *timer = sl_calloc(1, sizeof *timer);
    timer->loop = loop;
    timer->fn = fn;
    timer->arg = arg;
    uv_timer_init(sl_loop__uv(loop), &timer->uv);
    return timer;
}

static uint64_t milliseconds(int64_t ns)
{
    return ns <= 0 ? 0 : (uint64_t)((ns + SL_NS_PER_MS - 1) / SL_NS_PER_MS);
}

void sl_timer_start(sl_timer *timer, int64_t delay_ns, int64_t repeat_ns)
{
    sl_assert_on(timer->loop);
    /* The loop's own time may be old after long work: a delay counts from now. */
    uv_update_time(timer->uv.loop);
    /* libuv before 1.45 runs a timer that starts itself again without delay for ever, and nothing else. */
    if (timer->running && delay_ns <= 0) delay_ns = 1;
    uv_timer_start(&timer->uv, on_timer, milliseconds(delay_ns), milliseconds(repeat_ns));
}

void sl_timer_stop(sl_timer *timer)
{
    sl_assert_on(timer->loop);
    uv_timer_stop(&timer->uv);
}

bool sl_timer_is_active(const sl_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv);
}

static void on_closed(uv_handle_t *handle)
{
    sl_free(sl_container_of((uv_timer_t *)handle, sl_timer, uv));
}

void sl_timer_free(sl_timer *timer)
{
    if (!timer) return;
    sl_assert_on(timer->loop);
    uv_close((uv_handle_t *)&timer->uv, on_closed);
}
