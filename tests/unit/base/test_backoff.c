#include "base/backoff.h"
#include "check_main.h"

START_TEST(backoff__doubles_its_ceiling_up_to_the_longest)
{
    sl_backoff backoff;
    sl_backoff_init(&backoff, 100 * SL_NS_PER_MS, SL_NS_PER_S);
    const int64_t ceilings_ms[] = {100, 200, 400, 800, 1000, 1000};
    for (size_t i = 0; i < SL_LEN(ceilings_ms); i++) {
        int64_t longest = 0;
        for (int n = 0; n < 500; n++) {
            int64_t delay = sl_backoff_delay(&backoff, (uint32_t)i + 1);
            ck_assert_int_ge(delay, SL_BACKOFF_LEAST_NS);
            ck_assert_int_le(delay, ceilings_ms[i] * SL_NS_PER_MS);
            if (delay > longest) longest = delay;
        }
        /* Full jitter uses the whole range: 500 draws all below 80 % have a chance of 10^-49. */
        ck_assert_int_gt(longest, ceilings_ms[i] * SL_NS_PER_MS * 8 / 10);
    }
    ck_assert_int_le(sl_backoff_delay(&backoff, UINT32_MAX), SL_NS_PER_S);
}
END_TEST

START_TEST(backoff__counts_failures_in_a_row)
{
    sl_backoff backoff;
    sl_backoff_init(&backoff, SL_NS_PER_MS, SL_NS_PER_S);
    for (uint32_t i = 1; i <= 40; i++) {
        sl_backoff_next(&backoff);
        ck_assert_uint_eq(backoff.failures, i);
    }
    sl_backoff_reset(&backoff);
    ck_assert_int_eq(sl_backoff_next(&backoff), SL_NS_PER_MS);
}
END_TEST

START_TEST(backoff__two_agents_do_not_come_back_together)
{
    sl_backoff a, b;
    sl_backoff_init(&a, SL_NS_PER_S, SL_NS_PER_S);
    sl_backoff_init(&b, SL_NS_PER_S, SL_NS_PER_S);
    ck_assert_int_ne(sl_backoff_next(&a), sl_backoff_next(&b));
}
END_TEST

SL_TEST_MAIN("backoff", backoff__doubles_its_ceiling_up_to_the_longest, backoff__counts_failures_in_a_row,
             backoff__two_agents_do_not_come_back_together)
