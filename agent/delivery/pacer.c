/* pacer.c: the bucket as one point in time (the "virtual scheduling" form of the generic cell rate algorithm,
 * ITU-T I.371): the bucket is as full as `free_at` lies behind now. */
#include "pacer.h"

void sl_pacer_init(sl_pacer *pacer, uint64_t per_second)
{
    *pacer = (sl_pacer){.interval_ns = per_second ? SL_NS_PER_S / (int64_t)per_second : 0};
}

int64_t sl_pacer_next(const sl_pacer *pacer, int64_t now_ns)
{
    if (!pacer->interval_ns) return now_ns;
    int64_t burst = SL_PACER_BURST_NS > pacer->interval_ns ? SL_PACER_BURST_NS - pacer->interval_ns : 0;
    int64_t at = pacer->free_at_ns - burst;
    return at > now_ns ? at : now_ns;
}

void sl_pacer_sent(sl_pacer *pacer, int64_t now_ns)
{
    if (pacer->free_at_ns < now_ns) pacer->free_at_ns = now_ns;
    pacer->free_at_ns += pacer->interval_ns;
}
