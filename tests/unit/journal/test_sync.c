/* When a frame is safe, and what a failed sync does: it is never taken for success later. */
#include "check_main.h"
#include "journal_kit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static kit k;
static kit_seen seen;

static void retry(void)
{
    sl_clock_advance(SL_DISK_RETRY_MAX_NS + 1);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
}

static void open_journal(int fsync)
{
    sl_clock_fake(1000 * SL_NS_PER_S);
    kit_init(&k);
    k.conf.fsync = fsync;
    ck_assert(kit_open(&k));
}

static void end_test(void)
{
    kit_release(&k);
    sl_clock_fake(-1);
}

static void check_all(uint64_t records)
{
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, records);
    ck_assert_uint_eq(seen.lost, 0);
    for (uint64_t n = 0; n < records; n++)
        ck_assert_uint_eq(seen.count[n], 1);
}

START_TEST(sync__interval_waits_but_not_longer)
{
    open_journal(SL_FSYNC_INTERVAL);
    sl_clock_advance(10 * SL_NS_PER_S);
    kit_append(&k, 10);
    sl_clock_advance(SL_NS_PER_S / 2);
    int64_t next = sl_journal_tick(k.journal, sl_clock_mono_ns());
    kit_append(&k, 10);
    ck_assert_uint_eq(k.safe, 0);
    ck_assert_int_eq(next, SL_NS_PER_S / 2);
    sl_clock_advance(next);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    ck_assert_uint_eq(k.safe, 2);
    kit_append(&k, 10);
    kit_close(&k);
    ck_assert_uint_eq(k.safe, 3);
    end_test();
}
END_TEST

/* Half of the time since it was opened: who is killed soon, again and again, still gets ahead. */
START_TEST(sync__interval_is_shorter_at_the_beginning)
{
    open_journal(SL_FSYNC_INTERVAL);
    kit_append(&k, 10);
    ck_assert_int_eq(sl_journal_tick(k.journal, sl_clock_mono_ns()), 10 * SL_NS_PER_MS);
    ck_assert_uint_eq(k.safe, 0);
    sl_clock_advance(10 * SL_NS_PER_MS);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    ck_assert_uint_eq(k.safe, 1);
    sl_journal_ack(k.journal, 0, 2);
    sl_clock_advance(90 * SL_NS_PER_MS);
    kit_append(&k, 10);
    ck_assert_int_eq(sl_journal_tick(k.journal, sl_clock_mono_ns()), 50 * SL_NS_PER_MS);
    ck_assert_uint_eq(k.safe, 1);
    ck_assert_uint_eq(sl_journal_saved_cursor(k.dir, "out"), 2);
    end_test();
}
END_TEST

START_TEST(sync__interval_does_not_let_memory_grow)
{
    open_journal(SL_FSYNC_INTERVAL);
    k.conf.compress_level = 0;
    kit_close(&k);
    kit_open(&k);
    for (int i = 0; i < 100 && !k.safe; i++)
        ck_assert_int_eq(kit_append(&k, 2000), 0);
    ck_assert_uint_gt(k.safe, 0);
    end_test();
}
END_TEST

START_TEST(sync__off_is_safe_when_written)
{
    open_journal(SL_FSYNC_OFF);
    disk_fail(DISK_SYNC, 1, UINT64_MAX, EIO, false);
    for (uint64_t i = 1; i < 5; i++) {
        ck_assert_int_eq(kit_append(&k, 10), 0);
        ck_assert_uint_eq(k.safe, i);
    }
    disk_heal();
    end_test();
}
END_TEST

/* The disk fails one sync and then says yes to everything, as Linux does. */
START_TEST(sync__a_sync_that_fails_once_makes_nothing_safe_but_rewritten_frames)
{
    open_journal(SL_FSYNC_BATCH);
    for (int i = 0; i < 3; i++)
        kit_append(&k, 10);
    disk_fail(DISK_SYNC, 1, 1, EIO, false);
    ck_assert_int_eq(kit_append(&k, 10), 0); /* written */
    ck_assert_uint_eq(k.safe, 3);
    disk_fail(DISK_ANY, 1, 0, 0, false);
    ck_assert_int_eq(kit_append(&k, 10), SL_E_IO); /* nothing more before it is mended */
    ck_assert_uint_eq(disk_calls(), 0);
    sl_journal_stats stats;
    sl_journal_stats_get(k.journal, &stats);
    ck_assert_uint_eq(stats.sync_errors, 1);
    ck_assert_ptr_nonnull(stats.trouble);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    ck_assert_uint_eq(k.safe, 3); /* not yet: a back-off */
    retry();
    disk_heal();
    ck_assert_uint_eq(k.safe, 4);
    ck_assert_uint_eq(k.rooms, 1);
    ck_assert_int_eq(access(kit_segment(&k, 4), F_OK), 0);
    ck_assert_int_eq(kit_append(&k, 10), 0);
    ck_assert_uint_eq(k.safe, 5);
    sl_journal_stats_get(k.journal, &stats);
    ck_assert_ptr_null(stats.trouble);
    check_all(50);
    ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), 50);
    kit_kill(&k);
    kit_open(&k);
    ck_assert_uint_eq(k.report.records, 50);
    ck_assert_str_eq(k.report.first_problem, "");
    check_all(50);
    end_test();
}
END_TEST

START_TEST(sync__a_first_segment_of_which_nothing_is_safe_is_replaced)
{
    open_journal(SL_FSYNC_INTERVAL);
    kit_append(&k, 10);
    kit_append(&k, 10);
    disk_fail(DISK_SYNC, 1, 1, EIO, false);
    sl_clock_advance(SL_NS_PER_S);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    disk_heal();
    ck_assert_uint_eq(k.safe, 0);
    /* what the kernel may do with pages it could not write: the copy on disk is not the one in memory */
    kit_write_file(kit_segment(&k, 1), "gone", 4);
    retry();
    ck_assert_uint_eq(k.safe, 2);
    sl_journal_stats stats;
    sl_journal_stats_get(k.journal, &stats);
    ck_assert_uint_eq(stats.segments, 1);
    check_all(20);
    ck_assert_int_eq(kit_append(&k, 10), 0);
    check_all(30);
    end_test();
}
END_TEST

START_TEST(sync__a_reader_in_the_old_segment_goes_on_in_the_new_one)
{
    sl_batch *batch;
    uint64_t next, lost;
    open_journal(SL_FSYNC_INTERVAL);
    kit_append(&k, 10);
    kit_append(&k, 10);
    sl_clock_advance(SL_NS_PER_S);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    kit_append(&k, 10);
    kit_append(&k, 10);
    sl_journal_reader *reader = sl_journal_reader_new(k.dir);
    ck_assert_int_eq(sl_journal_reader_read(reader, 1, &batch, &next, &lost, NULL), 0);
    sl_batch_unref(batch);
    disk_fail(DISK_SYNC, 1, 1, EIO, false);
    sl_clock_advance(SL_NS_PER_S);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    disk_heal();
    size_t len;
    char *bytes = kit_read_file(kit_segment(&k, 1), &len);
    memset(bytes + len / 2 + 50, 0, len - len / 2 - 50); /* the pages were thrown away */
    retry();
    ck_assert_uint_eq(k.safe, 4);
    kit_write_file(kit_segment(&k, 1), bytes, len);
    free(bytes);
    for (uint64_t sequence = 2; sequence < 5; sequence++) {
        ck_assert_int_eq(sl_journal_reader_read(reader, sequence, &batch, &next, &lost, NULL), 0);
        ck_assert_uint_eq(batch->sequence, sequence);
        sl_batch_unref(batch);
    }
    ck_assert_int_eq(sl_journal_reader_read(reader, 5, &batch, &next, &lost, NULL), SL_E_NOT_FOUND);
    sl_journal_reader_free(reader);
    kit_kill(&k);
    kit_open(&k);
    check_all(40);
    end_test();
}
END_TEST

/* Each call of the rewriting fails in turn. */
START_TEST(sync__rewriting_is_tried_until_it_succeeds)
{
    for (uint64_t at = 1;; at++) {
        open_journal(SL_FSYNC_BATCH);
        kit_append(&k, 10);
        disk_fail(DISK_SYNC, 1, 1, EIO, false);
        kit_append(&k, 10);
        disk_fail(DISK_ANY & ~DISK_TRUNCATE, at, 1, at % 2 ? ENOSPC : EIO, at % 3 == 0);
        retry();
        bool failed = disk_failed();
        disk_heal();
        if (failed) ck_assert_int_eq(kit_append(&k, 10) == 0, k.safe >= 2);
        retry();
        ck_assert_uint_ge(k.safe, 2);
        while (k.appended < 3)
            ck_assert_int_eq(kit_append(&k, 10), 0);
        check_all(k.number);
        kit_kill(&k);
        kit_open(&k);
        check_all(k.number);
        end_test();
        if (!failed) break;
        ck_assert_uint_lt(at, 50);
    }
}
END_TEST

START_TEST(sync__rewritten_frames_are_dropped_with_the_segment_they_came_from)
{
    open_journal(SL_FSYNC_BATCH);
    for (int i = 0; i < 3; i++)
        kit_append(&k, 10);
    disk_fail(DISK_SYNC, 1, 1, EIO, false);
    kit_append(&k, 10);
    disk_heal();
    retry();
    sl_disk_journal *j = (sl_disk_journal *)k.journal;
    ck_assert_uint_eq(j->count, 2);
    ck_assert(sl_retention__drop_oldest(j, "drop_oldest"));
    ck_assert_uint_eq(k.dropped_before, 5);
    ck_assert_uint_eq(j->count, 0);
    ck_assert_int_eq(kit_append(&k, 10), 0);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, 10);
    end_test();
}
END_TEST

START_TEST(sync__what_all_outputs_have_passed_need_not_be_rewritten)
{
    open_journal(SL_FSYNC_BATCH);
    kit_append(&k, 10);
    disk_fail(DISK_SYNC, 1, 1, EIO, false);
    kit_append(&k, 10);
    disk_heal();
    sl_disk_journal *j = (sl_disk_journal *)k.journal;
    ck_assert(j->suspect);
    sl_retention__roll(j);
    sl_journal_ack(k.journal, 0, 3);
    ck_assert_uint_eq(k.safe, 2);
    ck_assert(!j->suspect);
    retry();
    ck_assert_int_eq(kit_append(&k, 10), 0);
    ck_assert_uint_eq(k.safe, 3);
    end_test();
}
END_TEST

/* ---- beside the appends ---- */

static sl_loop *home;
static uint64_t want;

static void open_on_loop(void *arg)
{
    (void)arg;
    kit_init(&k);
    k.conf.loop = home;
    k.conf.compress_level = 0;
    ck_assert(kit_open(&k));
}
static int refused; /* the loop's thread must not fail a test by itself */
static void append_some(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20 && !refused; i++)
        refused = kit_append(&k, 50);
}
static void append_one(void *arg)
{
    (void)arg;
    refused = kit_append(&k, 50);
}
static void look(void *arg)
{
    *(uint64_t *)arg = k.safe;
}
static void tick_now(void *arg)
{
    (void)arg;
    sl_journal_tick(k.journal, sl_clock_mono_ns());
}
static void close_on_loop(void *arg)
{
    (void)arg;
    kit_close(&k);
}

static void wait_safe(uint64_t sequence)
{
    uint64_t safe = 0;
    for (int i = 0; i < 20000 && safe < sequence; i++) {
        usleep(1000);
        sl_loop_call_wait(home, look, &safe);
    }
    ck_assert_uint_eq(safe, sequence);
}

START_TEST(sync__runs_beside_the_appends_on_a_loop)
{
    home = sl_loop_new("journal");
    sl_loop_call_wait(home, open_on_loop, NULL);
    for (want = 20; want <= 400; want += 20)
        sl_loop_call_wait(home, append_some, NULL);
    wait_safe(400);
    sl_loop_call_wait(home, append_some, NULL);
    ck_assert_int_eq(refused, 0);
    sl_loop_call_wait(home, close_on_loop, NULL);
    ck_assert_uint_eq(k.safe, 420);
    sl_loop_free(home);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, 420 * 50);
    kit_release(&k);
}
END_TEST

START_TEST(sync__a_failure_beside_the_appends_is_mended_too)
{
    home = sl_loop_new("journal");
    sl_loop_call_wait(home, open_on_loop, NULL);
    sl_loop_call_wait(home, append_some, NULL);
    wait_safe(20);
    disk_fail(DISK_SYNC, 1, 1, EIO, false);
    sl_loop_call_wait(home, append_one, NULL);
    ck_assert_int_eq(refused, 0);
    while (!disk_failed())
        usleep(1000);
    usleep(20000);
    sl_loop_call_wait(home, append_one, NULL);
    ck_assert_int_eq(refused, SL_E_IO);
    uint64_t safe = 0;
    for (int i = 0; i < 200 && safe < 21; i++) {
        usleep(20000);
        sl_loop_call_wait(home, tick_now, NULL);
        sl_loop_call_wait(home, look, &safe);
    }
    wait_safe(21);
    refused = 0;
    sl_loop_call_wait(home, append_some, NULL);
    ck_assert_int_eq(refused, 0);
    wait_safe(41);
    sl_loop_call_wait(home, close_on_loop, NULL);
    sl_loop_free(home);
    disk_heal();
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, 41 * 50);
    ck_assert_uint_eq(seen.lost, 0);
    kit_release(&k);
}
END_TEST

/* A sync that never ends: appends are refused before memory grows beyond its bound. */
static uint64_t stuck; /* atomic */
static int stuck_sync(int fd, bool data_only)
{
    while (__atomic_load_n(&stuck, __ATOMIC_ACQUIRE))
        usleep(1000);
    return sl_fs_real()->fsync(fd, data_only);
}
static void append_until_refused(void *arg)
{
    int rc;
    uint64_t bytes = 0;
    while ((rc = kit_append(&k, 2000)) == 0)
        bytes += 200000;
    refused = rc;
    *(uint64_t *)arg = bytes;
}

START_TEST(sync__a_slow_disk_bounds_the_memory)
{
    static sl_fs_ops slow;
    uint64_t bytes = 0;
    home = sl_loop_new("journal");
    sl_loop_call_wait(home, open_on_loop, NULL);
    sl_loop_call_wait(home, append_some, NULL);
    wait_safe(20);
    slow = *sl_fs_real();
    slow.fsync = stuck_sync;
    stuck = 1;
    sl_fs_swap(&slow);
    ((sl_disk_journal *)k.journal)->base.conf.segment_size = 64 << 20;
    sl_loop_call_wait(home, append_until_refused, &bytes);
    ck_assert_int_eq(refused, SL_E_AGAIN);
    ck_assert_uint_gt(bytes, SL_MAX_UNSYNCED / 2);
    ck_assert_uint_le(bytes, SL_MAX_UNSYNCED);
    ck_assert_uint_eq(k.rooms, 0);
    __atomic_store_n(&stuck, 0, __ATOMIC_RELEASE);
    wait_safe(20 + bytes / 200000);
    ck_assert_uint_ge(k.rooms, 1);
    sl_loop_call_wait(home, close_on_loop, NULL);
    sl_loop_free(home);
    sl_fs_swap(NULL);
    kit_release(&k);
}
END_TEST

SL_TEST_MAIN("sync", sync__interval_waits_but_not_longer, sync__interval_is_shorter_at_the_beginning,
             sync__interval_does_not_let_memory_grow, sync__off_is_safe_when_written,
             sync__a_sync_that_fails_once_makes_nothing_safe_but_rewritten_frames,
             sync__a_first_segment_of_which_nothing_is_safe_is_replaced,
             sync__a_reader_in_the_old_segment_goes_on_in_the_new_one,
             sync__rewriting_is_tried_until_it_succeeds,
             sync__rewritten_frames_are_dropped_with_the_segment_they_came_from,
             sync__what_all_outputs_have_passed_need_not_be_rewritten,
             sync__runs_beside_the_appends_on_a_loop, sync__a_failure_beside_the_appends_is_mended_too,
             sync__a_slow_disk_bounds_the_memory)
