#include "check_main.h"
#include "delivery/ledger.h"
#include <pthread.h>
#include <stdio.h>

START_TEST(ledger__drops_are_counted_by_reason)
{
    sl_drops drops = {0};
    char same[] = "max_age"; /* equal text, another address */
    sl_drops_add(&drops, "max_age", 3);
    sl_drops_add(&drops, "drop_oldest", 4);
    sl_drops_add(&drops, same, 5);
    sl_drops_add(&drops, "never", 0);
    ck_assert_str_eq(drops.reason[0], "max_age");
    ck_assert_uint_eq(drops.count[0], 8);
    ck_assert_uint_eq(drops.count[1], 4);
    ck_assert_ptr_null(drops.reason[2]);
    ck_assert_uint_eq(sl_drops_total(&drops), 12);
}
END_TEST

START_TEST(ledger__too_many_reasons_are_other)
{
    static char names[SL_LEDGER_REASONS + 5][16];
    sl_drops drops = {0};
    for (size_t i = 0; i < SL_LEN(names); i++) {
        snprintf(names[i], sizeof names[i], "reason_%zu", i);
        sl_drops_add(&drops, names[i], 1);
    }
    ck_assert_str_eq(drops.reason[SL_LEDGER_REASONS - 1], "other");
    ck_assert_uint_eq(drops.count[SL_LEDGER_REASONS - 1], 6);
    ck_assert_uint_eq(sl_drops_total(&drops), SL_LEN(names));
}
END_TEST

static sl_drops shared;

static void *add_many(void *arg)
{
    (void)arg;
    static const char *const reasons[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 20000; i++)
        sl_drops_add(&shared, reasons[i % 4], 1);
    return NULL;
}

START_TEST(ledger__threads_do_not_lose_counts)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(shared.count[i], 20000);
    ck_assert_ptr_null(shared.reason[4]);
}
END_TEST

SL_TEST_MAIN("ledger", ledger__drops_are_counted_by_reason, ledger__too_many_reasons_are_other,
             ledger__threads_do_not_lose_counts)
