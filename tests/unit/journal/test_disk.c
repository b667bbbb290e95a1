/* The journal on disk, when nothing goes wrong: what is appended is read, acknowledged, kept across runs and
 * limited. */
#include "check_main.h"
#include "journal_kit.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static kit k;
static kit_seen seen;

static void check_all_once(uint64_t from, uint64_t to)
{
    for (uint64_t n = 0; n < to; n++)
        ck_assert_msg(seen.count[n] == (n >= from), "record %llu seen %u times", (unsigned long long)n,
                      seen.count[n]);
    ck_assert_uint_eq(seen.lost, 0);
}

static sl_journal_stats stats(void)
{
    sl_journal_stats s;
    sl_journal_stats_get(k.journal, &s);
    return s;
}

START_TEST(disk__a_new_journal_is_empty)
{
    kit_init(&k);
    ck_assert_msg(kit_open(&k), "%s", k.err.text);
    ck_assert_uint_eq(sl_journal_first(k.journal, 0), 1);
    ck_assert_uint_eq(sl_journal_next(k.journal), 1);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 0);
    ck_assert_str_eq(k.report.first_problem, "");
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, 0);
    kit_release(&k);
}
END_TEST

START_TEST(disk__what_is_appended_is_safe_and_readable)
{
    kit_init(&k);
    kit_open(&k);
    for (int i = 1; i <= 30; i++) {
        ck_assert_int_eq(kit_append(&k, 10), 0);
        ck_assert_uint_eq(k.appended, (uint64_t)i);
        ck_assert_uint_eq(k.safe, (uint64_t)i);
    }
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 300);
    kit_read(&k, 1, &seen);
    check_all_once(0, 300);
    kit_read(&k, 11, &seen);
    check_all_once(100, 300);
    kit_release(&k);
}
END_TEST

START_TEST(disk__goes_on_after_a_restart)
{
    kit_init(&k);
    for (int run = 0; run < 5; run++) {
        ck_assert(kit_open(&k));
        ck_assert_str_eq(k.report.first_problem, "");
        ck_assert_uint_eq(k.report.records, (uint64_t)run * 30);
        ck_assert_uint_eq(k.report.frames, (uint64_t)run * 3);
        ck_assert_uint_eq(sl_journal_next(k.journal), (uint64_t)run * 3 + 1);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(kit_append(&k, 10), 0);
        if (run % 2)
            kit_kill(&k);
        else
            kit_close(&k);
    }
    kit_read(&k, 1, &seen);
    check_all_once(0, 150);
    kit_release(&k);
}
END_TEST

START_TEST(disk__rolls_and_deletes_what_every_output_has_passed)
{
    kit_init(&k);
    k.outputs[1] = "slow";
    k.n_outputs = 2;
    k.conf.compress_level = 0;
    kit_open(&k);
    while (stats().segments < 4)
        ck_assert_int_eq(kit_append(&k, 100), 0);
    uint64_t end = sl_journal_next(k.journal), second = k.last_segment;
    sl_journal_ack(k.journal, 0, end);
    ck_assert_uint_eq(stats().segments, 4);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 0);
    sl_journal_ack(k.journal, 1, second);
    ck_assert_uint_eq(stats().segments, 1);
    ck_assert_uint_eq(sl_journal_first(k.journal, 1), second);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 1), k.number - (second - 1) * 100);
    kit_read(&k, 1, &seen); /* what is gone is stepped over silently */
    check_all_once((second - 1) * 100, k.number);
    kit_release(&k);
}
END_TEST

START_TEST(disk__numbers_survive_the_last_segment)
{
    kit_init(&k);
    k.conf.segment_age_ns = 10 * SL_NS_PER_S;
    sl_clock_fake(1000 * SL_NS_PER_S);
    kit_open(&k);
    for (int i = 0; i < 5; i++)
        kit_append(&k, 10);
    sl_journal_ack(k.journal, 0, 6);
    sl_clock_advance(11 * SL_NS_PER_S);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    ck_assert_uint_eq(stats().segments, 0);
    kit_kill(&k);
    kit_open(&k);
    ck_assert_uint_eq(sl_journal_next(k.journal), 6);
    ck_assert_int_eq(kit_append(&k, 10), 0);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 10);
    kit_read(&k, 6, &seen);
    check_all_once(50, 60);
    kit_release(&k);
    sl_clock_fake(-1);
}
END_TEST

START_TEST(disk__buffered_and_backlog_are_counted_inside_a_segment)
{
    kit_init(&k);
    k.conf.compress_level = 0;
    kit_open(&k);
    for (int i = 0; i < 30; i++)
        ck_assert_int_eq(kit_append(&k, 100), 0);
    ck_assert_uint_gt(stats().segments, 2);
    for (uint64_t next = 1; next <= 31; next++) {
        sl_backlog list[16];
        uint64_t sum = 0, before = 0;
        sl_journal_ack(k.journal, 0, next);
        ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 3000 - (next - 1) * 100);
        size_t n = sl_journal_backlog(k.journal, 0, list, 16);
        ck_assert_uint_le(n, stats().segments);
        for (size_t i = 0; i < n; i++) {
            ck_assert_uint_gt(list[i].first, before);
            before = list[i].first;
            sum += list[i].records;
        }
        ck_assert_uint_eq(sum, 3000 - (next - 1) * 100);
    }
    kit_release(&k);
}
END_TEST

/* ---- limits ---- */

static void fill(int when_full, uint64_t max_size)
{
    kit_init(&k);
    k.conf.max_size = max_size;
    k.conf.when_full = when_full;
    k.conf.compress_level = 0;
    ck_assert(kit_open(&k));
}

START_TEST(disk__block_refuses_until_there_is_room)
{
    fill(SL_FULL_BLOCK, 1 << 20);
    int rc;
    while ((rc = kit_append(&k, 100)) == 0)
        ;
    ck_assert_int_eq(rc, SL_E_FULL);
    ck_assert_int_eq(k.err.sys, 0);
    ck_assert_uint_le(stats().bytes, 1 << 20);
    ck_assert_uint_gt(stats().bytes, (1 << 20) - 20000);
    ck_assert_uint_ge(stats().segments, 8);
    uint64_t held = k.number;
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), held);
    sl_journal_ack(k.journal, 0, 2);
    ck_assert_uint_eq(k.rooms, 0);
    sl_journal_ack(k.journal, 0, 40);
    ck_assert_uint_eq(k.rooms, 1);
    ck_assert_int_eq(kit_append(&k, 100), 0);
    kit_read(&k, 40, &seen);
    ck_assert_uint_eq(seen.lost, 0);
    ck_assert_uint_eq(seen.records, held + 100 - 3900);
    kit_release(&k);
}
END_TEST

START_TEST(disk__an_empty_journal_takes_any_frame)
{
    fill(SL_FULL_BLOCK, 100000);
    ck_assert_int_eq(kit_append(&k, 2000), 0);
    ck_assert_int_eq(kit_append(&k, 1), SL_E_FULL);
    sl_journal_ack(k.journal, 0, 2);
    ck_assert_uint_eq(k.rooms, 1);
    ck_assert_int_eq(kit_append(&k, 2000), 0);
    ck_assert_uint_eq(stats().segments, 1);
    kit_release(&k);
}
END_TEST

START_TEST(disk__drop_newest_gives_the_frame_up)
{
    fill(SL_FULL_DROP_NEWEST, 1 << 20);
    int rc;
    while ((rc = kit_append(&k, 100)) == 0)
        ;
    ck_assert_int_eq(rc, 1);
    uint64_t next = sl_journal_next(k.journal);
    ck_assert_int_eq(kit_append(&k, 100), 1);
    ck_assert_uint_eq(sl_journal_next(k.journal), next);
    ck_assert_uint_eq(k.dropped_before, 0);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), k.number);
    kit_release(&k);
}
END_TEST

START_TEST(disk__drop_oldest_tells_up_to_where)
{
    fill(SL_FULL_DROP_OLDEST, 1 << 20);
    while (k.dropped_before == 0)
        ck_assert_int_eq(kit_append(&k, 100), 0);
    ck_assert_str_eq(k.reason, "drop_oldest");
    ck_assert_uint_eq(sl_journal_first(k.journal, 0), k.dropped_before);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), k.number - (k.dropped_before - 1) * 100);
    ck_assert_uint_le(stats().bytes, 1 << 20);
    sl_journal_ack(k.journal, 0, 2); /* what an output had in memory and delivers late is no news */
    ck_assert_uint_eq(sl_journal_first(k.journal, 0), k.dropped_before);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.lost, 0);
    ck_assert_uint_eq(seen.records, k.number - (k.dropped_before - 1) * 100);
    kit_release(&k);
}
END_TEST

START_TEST(disk__drop_oldest_spares_an_output_that_has_passed)
{
    fill(SL_FULL_DROP_OLDEST, 1 << 20);
    for (int i = 0; i < 300; i++) {
        ck_assert_int_eq(kit_append(&k, 100), 0);
        if (k.appended > 5) sl_journal_ack(k.journal, 0, k.appended - 5);
    }
    ck_assert_uint_eq(k.dropped_before, 0);
    kit_release(&k);
}
END_TEST

START_TEST(disk__max_age_drops_old_segments_only)
{
    kit_init(&k);
    k.conf.max_age_ns = 100 * SL_NS_PER_S;
    sl_clock_fake(1000 * SL_NS_PER_S);
    kit_open(&k);
    for (int i = 0; i < 40; i++) {
        ck_assert_int_eq(kit_append(&k, 10), 0);
        sl_clock_advance(10 * SL_NS_PER_S);
        sl_journal_tick(k.journal, sl_clock_mono_ns());
    }
    ck_assert_str_eq(k.reason, "max_age");
    /* nothing younger than 100 s is gone, nothing older than 100 s and a quarter is there */
    ck_assert_uint_ge(k.dropped_before, 41 - 13);
    ck_assert_uint_le(k.dropped_before, 41 - 9);
    kit_release(&k);
    sl_clock_fake(-1);
}
END_TEST

/* ---- outputs that come and go ---- */

START_TEST(disk__a_new_output_starts_at_the_lowest_cursor)
{
    kit_init(&k);
    kit_open(&k);
    for (int i = 0; i < 10; i++)
        kit_append(&k, 10);
    sl_journal_ack(k.journal, 0, 4);
    kit_close(&k);
    k.outputs[0] = "renamed";
    kit_open(&k);
    ck_assert_uint_eq(sl_journal_first(k.journal, 0), 4);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 70);
    sl_journal_ack(k.journal, 0, 8);
    kit_close(&k);
    k.outputs[0] = "out"; /* back within its grace: where it stood */
    kit_open(&k);
    ck_assert_uint_eq(sl_journal_first(k.journal, 0), 4);
    kit_release(&k);
}
END_TEST

START_TEST(disk__a_cursor_beyond_the_frames_raises_the_next_number)
{
    kit_init(&k);
    kit_open(&k);
    for (int i = 0; i < 5; i++)
        kit_append(&k, 10);
    sl_journal_ack(k.journal, 0, 6);
    kit_close(&k);
    /* what a power loss does to frames that were delivered from memory: their bytes are gone, the cursor is
     * not */
    char path[512];
    snprintf(path, sizeof(path), "%s", kit_segment(&k, 1));
    ck_assert(access(path, F_OK) != 0 || unlink(path) == 0);
    kit_open(&k);
    ck_assert_uint_eq(sl_journal_next(k.journal), 6);
    ck_assert_int_eq(kit_append(&k, 10), 0);
    ck_assert_uint_eq(k.appended, 6);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 10);
    kit_release(&k);
}
END_TEST

START_TEST(disk__cursors_move_lazily_but_not_far)
{
    kit_init(&k);
    sl_clock_fake(1000 * SL_NS_PER_S);
    kit_open(&k);
    for (int i = 0; i < 5; i++)
        kit_append(&k, 10);
    sl_journal_ack(k.journal, 0, 3);
    ck_assert_int_le(sl_journal_tick(k.journal, sl_clock_mono_ns()), SL_NS_PER_S);
    sl_clock_advance(SL_NS_PER_S);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    sl_journal_ack(k.journal, 0, 4);
    kit_kill(&k);
    kit_open(&k);
    ck_assert_uint_eq(sl_journal_first(k.journal, 0), 3);
    kit_release(&k);
    sl_clock_fake(-1);
}
END_TEST

/* What stands in the file now, whatever the journal in memory knows. */
static uint64_t saved_cursor(void)
{
    sl_cursors cursors = {.fd = -1};
    ck_assert_int_eq(sl_cursors__load(&cursors, k.dir), 0);
    uint64_t next = cursors.count ? cursors.list[0].next : 0;
    sl_cursors__close(&cursors);
    return next;
}

START_TEST(disk__exact_cursors_are_saved_with_each_move)
{
    for (int exact = 0; exact <= 1; exact++) {
        kit_init(&k);
        sl_clock_fake(1000 * SL_NS_PER_S);
        k.conf.exact_cursors = exact;
        ck_assert(kit_open(&k));
        sl_clock_advance(SL_NS_PER_S);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(kit_append(&k, 10), 0);
        sl_journal_tick(k.journal, sl_clock_mono_ns());
        for (uint64_t next = 2; next <= 4; next++) {
            sl_journal_ack(k.journal, 0, next);
            if (exact) ck_assert_uint_eq(saved_cursor(), next);
        }
        ck_assert_msg((saved_cursor() == 4) == exact, "%d", exact);
        kit_kill(&k);
        kit_release(&k);
        sl_clock_fake(-1);
    }
}
END_TEST

START_TEST(disk__refuses_names_and_folders_it_cannot_take)
{
    static char name[SL_JOURNAL_MAX_NAME + 2];
    kit_init(&k);
    memset(name, 'x', sizeof(name) - 1);
    k.outputs[0] = name;
    ck_assert(!kit_open(&k));
    ck_assert_int_eq(k.err.code, SL_E_LIMIT);
    k.outputs[0] = "out";
    snprintf(k.dir, sizeof(k.dir), "/proc/sluice/p");
    ck_assert(!kit_open(&k));
    ck_assert_ptr_nonnull(strstr(k.err.text, "/proc/sluice/p"));
    kit_release(&k);
}
END_TEST

SL_TEST_MAIN("disk", disk__a_new_journal_is_empty, disk__what_is_appended_is_safe_and_readable,
             disk__goes_on_after_a_restart, disk__rolls_and_deletes_what_every_output_has_passed,
             disk__numbers_survive_the_last_segment, disk__buffered_and_backlog_are_counted_inside_a_segment,
             disk__block_refuses_until_there_is_room, disk__an_empty_journal_takes_any_frame,
             disk__drop_newest_gives_the_frame_up, disk__drop_oldest_tells_up_to_where,
             disk__drop_oldest_spares_an_output_that_has_passed, disk__max_age_drops_old_segments_only,
             disk__a_new_output_starts_at_the_lowest_cursor,
             disk__a_cursor_beyond_the_frames_raises_the_next_number, disk__cursors_move_lazily_but_not_far,
             disk__exact_cursors_are_saved_with_each_move, disk__refuses_names_and_folders_it_cannot_take)
