/* backoff.h: how long to wait before trying again: exponential back-off with full jitter.
 *
 * The n-th wait is drawn evenly from (0, min(max, initial * 2^(n-1))]: many agents that lost the same server
 * do not come back as one wave ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015). One object a
 * thing that fails and recovers; one thread at a time.
 */
#ifndef SLUICE_BACKOFF_H
#define SLUICE_BACKOFF_H

#include <sluice/base.h>

#define SL_BACKOFF_LEAST_NS SL_NS_PER_MS /* no wait is shorter */

typedef struct sl_backoff {
    int64_t initial_ns, max_ns;
    uint32_t failures; /* in a row */
    uint64_t random;
} sl_backoff;

void sl_backoff_init(sl_backoff *backoff, int64_t initial_ns, int64_t max_ns);
/* One more failure: the ns to wait now. */
int64_t sl_backoff_next(sl_backoff *backoff);
static inline void sl_backoff_reset(sl_backoff *backoff)
{
    backoff->failures = 0;
}
/* A wait for somebody who counts by himself: failures from 1. */
int64_t sl_backoff_delay(sl_backoff *backoff, uint32_t failures);

#endif
