/* loop_int.h: the libuv loop behind an sl_loop, for net/ only. */
#ifndef SLUICE_LOOP_INT_H
#define SLUICE_LOOP_INT_H

#include <sluice/loop.h>
#include <uv.h>

/* On the loop's own thread only. */
uv_loop_t *sl_loop__uv(sl_loop *loop);

#endif
