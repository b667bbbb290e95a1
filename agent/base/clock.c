/* clock.c: the two clocks, and a fake one for tests. The fake is one flag and two numbers: a test sets it
 * before it starts threads. */
#include <sluice/base.h>
#include <time.h>

static bool faked;
static int64_t fake_wall, fake_mono;

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * SL_NS_PER_S + ts.tv_nsec;
}

int64_t sl_clock_wall_ns(void)
{
    return SL_UNLIKELY(faked) ? fake_wall : read_clock(CLOCK_REALTIME);
}

int64_t sl_clock_mono_ns(void)
{
    return SL_UNLIKELY(faked) ? fake_mono : read_clock(CLOCK_MONOTONIC);
}

#define LEAST_EARLY (10 * SL_NS_PER_MS)

int64_t sl_clock_early(int64_t interval, int64_t began)
{
    int64_t early = (sl_clock_mono_ns() - began) / 2;
    if (early < LEAST_EARLY) early = LEAST_EARLY;
    return early < interval ? early : interval;
}

void sl_clock_fake(int64_t wall_ns)
{
    faked = wall_ns >= 0;
    fake_wall = wall_ns;
    fake_mono = SL_NS_PER_S;
}

void sl_clock_advance(int64_t ns)
{
    fake_wall += ns;
    fake_mono += ns;
}
