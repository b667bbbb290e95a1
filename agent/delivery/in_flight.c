/* in_flight.c: see the header. */
#include "in_flight.h"

#define MEAN_SHIFT 3 /* each sample moves the mean by an eighth, as RFC 6298 does */

void sl_in_flight_init(sl_in_flight *in_flight, uint32_t max)
{
    *in_flight = (sl_in_flight){.max = max ? max : 1, .limit = 1, .slow_start = true};
}

/* Those sent before the last cut failed of the same cause: it has been paid for. */
static void cut(sl_in_flight *in_flight, int64_t sent_ns, int64_t now_ns)
{
    in_flight->slow_start = false;
    if (in_flight->last_cut_ns && sent_ns <= in_flight->last_cut_ns) return;
    in_flight->last_cut_ns = now_ns;
    in_flight->limit = in_flight->limit > 2 ? in_flight->limit / 2 : 1;
}

static void grow(sl_in_flight *in_flight)
{
    in_flight->limit += in_flight->slow_start ? 1 : 1 / in_flight->limit;
    if (in_flight->limit > in_flight->max) in_flight->limit = in_flight->max;
}

void sl_in_flight_done(sl_in_flight *in_flight, int64_t sent_ns, int64_t now_ns, bool pressure)
{
    bool was_full = !sl_in_flight_has_room(in_flight);
    in_flight->count--;
    if (pressure) {
        cut(in_flight, sent_ns, now_ns);
        return;
    }
    int64_t latency = now_ns - sent_ns;
    bool slow = in_flight->mean_ns && latency > SL_IN_FLIGHT_SLOW * in_flight->mean_ns;
    in_flight->mean_ns += in_flight->mean_ns ? (latency - in_flight->mean_ns) >> MEAN_SHIFT : latency;
    if (slow)
        in_flight->slow_start = false;
    else if (was_full)
        grow(in_flight);
}
