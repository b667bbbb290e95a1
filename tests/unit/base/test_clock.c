#include "check_main.h"
#include <sluice/base.h>

START_TEST(early__is_half_of_the_age_between_ten_milliseconds_and_the_interval)
{
    sl_clock_fake(0);
    int64_t began = sl_clock_mono_ns();
    ck_assert_int_eq(sl_clock_early(SL_NS_PER_S, began), 10 * SL_NS_PER_MS);
    ck_assert_int_eq(sl_clock_early(SL_NS_PER_MS, began), SL_NS_PER_MS);
    sl_clock_advance(300 * SL_NS_PER_MS);
    ck_assert_int_eq(sl_clock_early(SL_NS_PER_S, began), 150 * SL_NS_PER_MS);
    sl_clock_advance(SL_NS_PER_S * 60);
    ck_assert_int_eq(sl_clock_early(SL_NS_PER_S, began), SL_NS_PER_S);
    sl_clock_fake(-1);
}
END_TEST

SL_TEST_MAIN("clock", early__is_half_of_the_age_between_ten_milliseconds_and_the_interval)
