#include "check_main.h"
#include "delivery/in_flight.h"

#define MS SL_NS_PER_MS

/* Fills what there is room for and ends it all, each after `latency`. Returns how many there were. */
static uint32_t round_trip(sl_in_flight *in_flight, int64_t *now, int64_t latency, bool pressure)
{
    uint32_t sent = 0;
    int64_t began = *now;
    for (; sl_in_flight_has_room(in_flight); sent++)
        sl_in_flight_sent(in_flight);
    *now += latency;
    for (uint32_t i = 0; i < sent; i++)
        sl_in_flight_done(in_flight, began, *now, pressure);
    ck_assert_uint_eq(in_flight->count, 0);
    return sent;
}

START_TEST(in_flight__grows_while_latency_holds_up_to_its_most)
{
    sl_in_flight in_flight;
    sl_in_flight_init(&in_flight, 8);
    int64_t now = 0;
    uint32_t last = 0;
    ck_assert_uint_eq(round_trip(&in_flight, &now, 10 * MS, false), 1);
    for (int i = 0; i < 50; i++) {
        uint32_t sent = round_trip(&in_flight, &now, 10 * MS, false);
        ck_assert_uint_ge(sent, last);
        last = sent;
    }
    ck_assert_uint_eq(last, 8);
}
END_TEST

START_TEST(in_flight__pressure_halves_it_once_for_all_that_were_under_way)
{
    sl_in_flight in_flight;
    sl_in_flight_init(&in_flight, 64);
    int64_t now = 0;
    for (int i = 0; i < 200; i++)
        round_trip(&in_flight, &now, 10 * MS, false);
    ck_assert_uint_eq((uint32_t)in_flight.limit, 64);
    const uint32_t wanted[] = {32, 16, 8, 4, 2, 1, 1};
    for (size_t i = 0; i < SL_LEN(wanted); i++) {
        now += MS;
        round_trip(&in_flight, &now, 10 * MS, true);
        ck_assert_uint_eq((uint32_t)in_flight.limit, wanted[i]);
    }
    /* From here by one a round trip, not by doubling. */
    const uint32_t slow[] = {2, 3};
    for (size_t i = 0; i < SL_LEN(slow); i++) {
        round_trip(&in_flight, &now, 10 * MS, false);
        ck_assert_uint_le((uint32_t)in_flight.limit, slow[i]);
    }
    ck_assert_uint_ge((uint32_t)in_flight.limit, 2);
}
END_TEST

START_TEST(in_flight__does_not_grow_when_answers_slow_down)
{
    sl_in_flight in_flight;
    sl_in_flight_init(&in_flight, 64);
    int64_t now = 0;
    for (int i = 0; i < 3; i++)
        round_trip(&in_flight, &now, 10 * MS, false);
    double limit = in_flight.limit;
    sl_in_flight_sent(&in_flight);
    while (sl_in_flight_has_room(&in_flight))
        sl_in_flight_sent(&in_flight);
    sl_in_flight_done(&in_flight, now, now + 100 * MS, false);
    ck_assert(in_flight.limit == limit);
}
END_TEST

START_TEST(in_flight__does_not_grow_when_the_limit_holds_nothing_back)
{
    sl_in_flight in_flight;
    sl_in_flight_init(&in_flight, 64);
    int64_t now = 0;
    round_trip(&in_flight, &now, 10 * MS, false);
    double limit = in_flight.limit;
    for (int i = 0; i < 100; i++) {
        sl_in_flight_sent(&in_flight);
        sl_in_flight_done(&in_flight, now, now + 10 * MS, false);
    }
    ck_assert(in_flight.limit == limit);
}
END_TEST

SL_TEST_MAIN("in_flight", in_flight__grows_while_latency_holds_up_to_its_most,
             in_flight__pressure_halves_it_once_for_all_that_were_under_way,
             in_flight__does_not_grow_when_answers_slow_down,
             in_flight__does_not_grow_when_the_limit_holds_nothing_back)
