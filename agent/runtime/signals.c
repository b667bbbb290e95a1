/* signals.c: signals as calls on the main loop. */
#include "signals.h"
#include "loop_int.h"

struct sl_signal {
    uv_signal_t uv;
    void (*fn)(void *arg);
    void *arg;
};

static void on_signal(uv_signal_t *uv, int number)
{
    (void)number;
    sl_signal *sig = sl_container_of(uv, sl_signal, uv);
    sig->fn(sig->arg);
}

sl_signal *sl_signal_new(sl_loop *loop, int number, void (*fn)(void *arg), void *arg)
{
    sl_signal *sig = sl_calloc(1, sizeof *sig);
    sig->fn = fn;
    sig->arg = arg;
    if (uv_signal_init(sl_loop__uv(loop), &sig->uv) != 0 || uv_signal_start(&sig->uv, on_signal, number) != 0)
        sl_bug("cannot watch signal %d", number);
    return sig;
}

static void on_closed(uv_handle_t *handle)
{
    sl_free(sl_container_of((uv_signal_t *)handle, sl_signal, uv));
}

void sl_signal_free(sl_signal *sig)
{
    if (sig) uv_close((uv_handle_t *)&sig->uv, on_closed);
}
