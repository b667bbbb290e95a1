/* pacer.h: at most so many requests a second: a token bucket, for services with a quota.
 *
 * Requests are spread evenly: the bucket holds what PACER_BURST_NS brings, so that no second sees more than
 * its rate by more than that, and a timer that comes late loses nothing. Pure: no clock, no loop.
 */
#ifndef SLUICE_PACER_H
#define SLUICE_PACER_H

#include <sluice/base.h>

#define SL_PACER_BURST_NS (20 * SL_NS_PER_MS)

typedef struct sl_pacer {
    int64_t interval_ns; /* between two requests; 0: no limit */
    int64_t free_at_ns;  /* when everything sent so far has been paid for at one a interval */
} sl_pacer;

/* per_second 0: no limit. */
void sl_pacer_init(sl_pacer *pacer, uint64_t per_second);
/* When the next request may be sent: now_ns or later. */
int64_t sl_pacer_next(const sl_pacer *pacer, int64_t now_ns);
/* One is sent now, which sl_pacer_next() allowed. */
void sl_pacer_sent(sl_pacer *pacer, int64_t now_ns);

#endif
