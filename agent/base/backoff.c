/* backoff.c: the jitter needs no quality beyond "agents differ": a splitmix64 step, seeded by the kernel. */
#include "backoff.h"

void sl_backoff_init(sl_backoff *backoff, int64_t initial_ns, int64_t max_ns)
{
    *backoff = (sl_backoff){.initial_ns = initial_ns, .max_ns = max_ns, .random = sl_id_random().lo};
}

static uint64_t next_random(sl_backoff *backoff)
{
    uint64_t z = backoff->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int64_t ceiling(const sl_backoff *backoff, uint32_t failures)
{
    int64_t cap = backoff->initial_ns;
    for (uint32_t i = 1; i < failures && cap < backoff->max_ns; i++)
        cap = cap > INT64_MAX / 2 ? INT64_MAX : cap * 2;
    return cap < backoff->max_ns ? cap : backoff->max_ns;
}

int64_t sl_backoff_delay(sl_backoff *backoff, uint32_t failures)
{
    int64_t cap = ceiling(backoff, failures);
    if (cap <= SL_BACKOFF_LEAST_NS) return SL_BACKOFF_LEAST_NS;
    int64_t delay = (int64_t)(next_random(backoff) % (uint64_t)cap) + 1;
    return delay < SL_BACKOFF_LEAST_NS ? SL_BACKOFF_LEAST_NS : delay;
}

int64_t sl_backoff_next(sl_backoff *backoff)
{
    if (backoff->failures < UINT32_MAX) backoff->failures++;
    return sl_backoff_delay(backoff, backoff->failures);
}
