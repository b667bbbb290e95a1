#include "check_main.h"
#include "delivery/pacer.h"

#define START 1000000000000

/* Sends whenever it may, looking every `step`; the most in any one second, and in all. */
static unsigned play(uint64_t per_second, int64_t step, int64_t seconds, unsigned *most)
{
    static int64_t sent[200000];
    unsigned count = 0, first = 0;
    sl_pacer pacer;
    sl_pacer_init(&pacer, per_second);
    *most = 0;
    for (int64_t now = START; now < START + seconds * SL_NS_PER_S; now += step) {
        while (count < SL_LEN(sent) && sl_pacer_next(&pacer, now) <= now) {
            sl_pacer_sent(&pacer, now);
            sent[count++] = now;
            while (sent[first] <= now - SL_NS_PER_S)
                first++;
            if (count - first > *most) *most = count - first;
        }
    }
    return count;
}

START_TEST(pacer__keeps_to_its_rate_however_often_it_is_asked)
{
    const uint64_t rates[] = {1, 7, 50, 333, 5000};
    const int64_t steps[] = {SL_NS_PER_MS / 10, SL_NS_PER_MS, 15 * SL_NS_PER_MS};
    for (size_t r = 0; r < SL_LEN(rates); r++) {
        for (size_t s = 0; s < SL_LEN(steps); s++) {
            unsigned most, count = play(rates[r], steps[s], 4, &most);
            ck_assert_msg(most <= rates[r] + rates[r] / 50 + 1, "%u in a second at %llu", most,
                          (unsigned long long)rates[r]);
            if (rates[r] <= 7 || steps[s] <= SL_NS_PER_MS)
                ck_assert_msg(count + count / 20 + 1 >= 4 * rates[r], "%u in 4 s at %llu", count,
                              (unsigned long long)rates[r]);
        }
    }
}
END_TEST

START_TEST(pacer__says_when_the_next_may_go)
{
    sl_pacer pacer;
    sl_pacer_init(&pacer, 10);
    ck_assert_int_eq(sl_pacer_next(&pacer, START), START);
    sl_pacer_sent(&pacer, START);
    ck_assert_int_eq(sl_pacer_next(&pacer, START + 5), START + 100 * SL_NS_PER_MS);
    sl_pacer_sent(&pacer, START + 100 * SL_NS_PER_MS);
    ck_assert_int_eq(sl_pacer_next(&pacer, START), START + 200 * SL_NS_PER_MS);
}
END_TEST

START_TEST(pacer__a_pause_saves_nothing_up)
{
    sl_pacer pacer;
    sl_pacer_init(&pacer, 1000);
    int64_t now = START + 3600 * SL_NS_PER_S;
    unsigned burst = 0;
    for (; sl_pacer_next(&pacer, now) <= now; burst++)
        sl_pacer_sent(&pacer, now);
    ck_assert_uint_eq(burst, 20); /* what 20 ms bring */
}
END_TEST

START_TEST(pacer__without_a_rate_holds_nothing_back)
{
    sl_pacer pacer;
    sl_pacer_init(&pacer, 0);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(sl_pacer_next(&pacer, START), START);
        sl_pacer_sent(&pacer, START);
    }
}
END_TEST

SL_TEST_MAIN("pacer", pacer__keeps_to_its_rate_however_often_it_is_asked, pacer__says_when_the_next_may_go,
             pacer__a_pause_saves_nothing_up, pacer__without_a_rate_holds_nothing_back)
