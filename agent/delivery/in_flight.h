/* in_flight.h: how many requests may be under way at once: found out, not configured.
 *
 * Additive increase, multiplicative decrease with a slow start, as TCP finds its window (RFC 5681), on whole
 * requests: Vector and Netflix's concurrency-limits do the same for HTTP. It starts at one; while requests
 * succeed as fast as before and the limit is what holds more back, it grows by one a request (slow start: it
 * doubles with each round trip), after the first trouble by one a round trip. Trouble (429, 5xx, time-outs)
 * halves it, once for all requests that were under way together. Pure: no clock, no loop.
 */
#ifndef SLUICE_IN_FLIGHT_H
#define SLUICE_IN_FLIGHT_H

#include <sluice/base.h>

typedef struct sl_in_flight {
    uint32_t count; /* under way */
    uint32_t max;   /* configured */
    double limit;   /* 1 <= limit <= max */
    bool slow_start;
    int64_t mean_ns;     /* smoothed latency of successes; 0: none yet */
    int64_t last_cut_ns; /* when it was halved last */
} sl_in_flight;

/* Slower than this many times the mean: the other side is queueing, do not push on. */
#define SL_IN_FLIGHT_SLOW 2

void sl_in_flight_init(sl_in_flight *in_flight, uint32_t max);
static inline bool sl_in_flight_has_room(const sl_in_flight *in_flight)
{
    return in_flight->count < (uint32_t)in_flight->limit;
}
static inline void sl_in_flight_sent(sl_in_flight *in_flight)
{
    in_flight->count++;
}
/* A request came to its end. pressure: the other side is overloaded or away. */
void sl_in_flight_done(sl_in_flight *in_flight, int64_t sent_ns, int64_t now_ns, bool pressure);

#endif
