/* The journal in memory: a batch is safe when every output has dealt with it, and not before. */
#include "check_main.h"
#include "journal_kit.h"

static kit k;

static void open_memory(int when_full, uint64_t max_size)
{
    kit_init(&k);
    k.conf.type = SL_JOURNAL_MEMORY;
    k.conf.when_full = when_full;
    k.conf.max_size = max_size;
    k.outputs[1] = "slow";
    k.n_outputs = 2;
    ck_assert(kit_open(&k));
}

START_TEST(memory__safe_follows_the_slowest_output)
{
    open_memory(SL_FULL_BLOCK, 0);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(kit_append(&k, 10), 0);
    ck_assert_uint_eq(k.appended, 5);
    ck_assert_uint_eq(k.safe, 0);
    sl_journal_ack(k.journal, 0, 6);
    ck_assert_uint_eq(k.safe, 0);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 0);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 1), 50);
    sl_journal_ack(k.journal, 1, 4);
    ck_assert_uint_eq(k.safe, 3);
    sl_journal_ack(k.journal, 1, 3); /* backwards is nothing */
    ck_assert_uint_eq(sl_journal_first(k.journal, 1), 4);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 1), 20);
    kit_release(&k);
}
END_TEST

START_TEST(memory__block_waits_for_room)
{
    open_memory(SL_FULL_BLOCK, 10000);
    int rc;
    while ((rc = kit_append(&k, 10)) == 0)
        ;
    ck_assert_int_eq(rc, SL_E_FULL);
    sl_journal_stats stats;
    sl_journal_stats_get(k.journal, &stats);
    ck_assert_uint_le(stats.bytes, 10000);
    ck_assert_uint_gt(stats.bytes, 8000);
    sl_journal_ack(k.journal, 0, 3);
    ck_assert_uint_eq(k.rooms, 0);
    sl_journal_ack(k.journal, 1, 3);
    ck_assert_uint_eq(k.rooms, 1);
    ck_assert_int_eq(kit_append(&k, 10), 0);
    kit_release(&k);
}
END_TEST

START_TEST(memory__drops_by_policy)
{
    open_memory(SL_FULL_DROP_NEWEST, 10000);
    while (kit_append(&k, 10) == 0)
        ;
    ck_assert_int_eq(kit_append(&k, 10), 1);
    kit_release(&k);
    open_memory(SL_FULL_DROP_OLDEST, 10000);
    for (int i = 0; i < 30; i++)
        ck_assert_int_eq(kit_append(&k, 10), 0);
    ck_assert_str_eq(k.reason, "drop_oldest");
    ck_assert_uint_eq(k.safe, k.dropped_before - 1);
    ck_assert_uint_eq(sl_journal_first(k.journal, 0), k.dropped_before);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 300 - (k.dropped_before - 1) * 10);
    kit_release(&k);
}
END_TEST

START_TEST(memory__takes_any_batch_when_empty)
{
    open_memory(SL_FULL_BLOCK, 100);
    ck_assert_int_eq(kit_append(&k, 100), 0);
    ck_assert_int_eq(kit_append(&k, 1), SL_E_FULL);
    kit_release(&k);
}
END_TEST

START_TEST(memory__max_age_drops)
{
    sl_clock_fake(1000 * SL_NS_PER_S);
    open_memory(SL_FULL_BLOCK, 0);
    ((sl_journal *)k.journal)->conf.max_age_ns = 10 * SL_NS_PER_S;
    kit_append(&k, 10);
    sl_clock_advance(6 * SL_NS_PER_S);
    kit_append(&k, 10);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    ck_assert_uint_eq(k.dropped_before, 0);
    sl_clock_advance(5 * SL_NS_PER_S);
    ck_assert_int_le(sl_journal_tick(k.journal, sl_clock_mono_ns()), SL_NS_PER_S);
    ck_assert_uint_eq(k.dropped_before, 2);
    ck_assert_str_eq(k.reason, "max_age");
    ck_assert_uint_eq(k.safe, 1);
    kit_release(&k);
    sl_clock_fake(-1);
}
END_TEST

START_TEST(memory__without_outputs_nothing_is_kept)
{
    kit_init(&k);
    k.conf.type = SL_JOURNAL_MEMORY;
    k.n_outputs = 0;
    kit_open(&k);
    ck_assert_int_eq(kit_append(&k, 10), 0);
    ck_assert_uint_eq(k.safe, 1);
    kit_release(&k);
}
END_TEST

SL_TEST_MAIN("memory", memory__safe_follows_the_slowest_output, memory__block_waits_for_room,
             memory__drops_by_policy, memory__takes_any_batch_when_empty, memory__max_age_drops,
             memory__without_outputs_nothing_is_kept)
