/* window.h: frames that were taken and are not all dealt with yet, in order: the place where requests that
 * end in any order become a cursor that moves in order.
 *
 * A frame is done when each of its records has its final fate: delivered, filtered, or durable among the dead
 * letters. It then lets go of its batch at once; the cursor passes it when all before it are done, too. One
 * loop.
 */
#ifndef SLUICE_WINDOW_H
#define SLUICE_WINDOW_H

#include <sluice/plugin.h>

typedef struct sl_window_frame {
    uint64_t sequence;
    sl_batch *batch; /* a reference; NULL when done */
    uint32_t open;   /* records without a final fate */
} sl_window_frame;

typedef struct sl_window {
    sl_window_frame *ring;
    size_t cap, head, count; /* cap: a power of two */
    uint64_t *held;          /* the worker's count of bytes it holds */
} sl_window;

void sl_window_init(sl_window *window, uint64_t *held);
void sl_window_release(sl_window *window);
/* Takes the reference and adds its bytes to `held`. Sequences must rise. */
void sl_window_push(sl_window *window, sl_batch *batch);
/* These records, all of frames in the window, have their final fate. */
void sl_window_settle(sl_window *window, const sl_record_ref *recs, size_t count);
/* The first frame that is not done; `next` when there is none. Forgets those before it. */
uint64_t sl_window_cursor(sl_window *window, uint64_t next);

#endif
