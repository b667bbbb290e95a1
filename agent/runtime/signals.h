/* signals.h: signals as calls on the main loop; that loop's thread only. */
#ifndef SLUICE_SIGNALS_H
#define SLUICE_SIGNALS_H

#include <sluice/loop.h>

typedef struct sl_signal sl_signal;
sl_signal *sl_signal_new(sl_loop *loop, int number, void (*fn)(void *arg), void *arg);
void sl_signal_free(sl_signal *sig); /* NULL is fine */

#endif
