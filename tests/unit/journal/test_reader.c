/* Readers: from the files alone, beside a running journal, over whatever is missing. */
#include "check_main.h"
#include "journal_kit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static kit k;
static kit_seen seen;
static sl_journal_reader *reader;
static uint64_t next, lost;

static int read_at(uint64_t sequence, uint64_t *found)
{
    sl_batch *batch;
    sl_err err = SL_ERR_NONE;
    int rc = sl_journal_reader_read(reader, sequence, &batch, &next, &lost, &err);
    if (rc < 0) {
        ck_assert_str_ne(err.text, "");
        return rc;
    }
    *found = batch->sequence;
    sl_batch_unref(batch);
    return 0;
}

static void check_at(uint64_t sequence, uint64_t expected)
{
    uint64_t found = 0;
    ck_assert_int_eq(read_at(sequence, &found), 0);
    ck_assert_uint_eq(found, expected);
}

/* Frames of 10 records, several segments. firsts: where they begin. */
static size_t fill(uint64_t frames, uint64_t *firsts)
{
    size_t n = 0;
    kit_init(&k);
    k.conf.compress_level = 0;
    k.conf.fsync = SL_FSYNC_OFF;
    kit_open(&k);
    for (uint64_t i = 0; i < frames; i++) {
        ck_assert_int_eq(kit_append(&k, 100), 0);
        if (n == 0 || firsts[n - 1] != k.last_segment) firsts[n++] = k.last_segment;
    }
    reader = sl_journal_reader_new(k.dir);
    return n;
}

static void end_test(void)
{
    sl_journal_reader_free(reader);
    kit_release(&k);
}

START_TEST(reader__jumps_forth_and_back)
{
    uint64_t firsts[64], found;
    fill(60, firsts);
    for (uint64_t i = 1; i <= 60; i++)
        check_at(i, i);
    for (uint64_t i = 60; i >= 1; i--)
        check_at(i, i);
    for (uint64_t i = 0; i < 200; i++)
        check_at(1 + i * 37 % 60, 1 + i * 37 % 60);
    ck_assert_int_eq(read_at(61, &found), SL_E_NOT_FOUND);
    ck_assert_int_eq(read_at(61, &found), SL_E_NOT_FOUND);
    check_at(7, 7);
    kit_append(&k, 100);
    check_at(61, 61);
    end_test();
}
END_TEST

START_TEST(reader__an_empty_folder_and_none_have_no_frame)
{
    uint64_t found;
    kit_init(&k);
    reader = sl_journal_reader_new(k.dir);
    ck_assert_int_eq(read_at(1, &found), SL_E_NOT_FOUND);
    kit_open(&k);
    ck_assert_int_eq(read_at(1, &found), SL_E_NOT_FOUND);
    kit_append(&k, 1);
    check_at(1, 1);
    end_test();
}
END_TEST

START_TEST(reader__steps_over_what_was_dropped_also_under_its_feet)
{
    uint64_t firsts[64], found;
    size_t n = fill(60, firsts);
    ck_assert_uint_ge(n, 5);
    check_at(1, 1);
    sl_journal_ack(k.journal, 0, firsts[3]);
    ck_assert_int_ne(access(kit_segment(&k, 1), F_OK), 0);
    /* the open file is still readable: that does no harm; when it ends, the reader goes on behind the gap */
    ck_assert_int_eq(read_at(2, &found), 0);
    check_at(firsts[1], firsts[3]);
    check_at(2, firsts[3]);
    sl_journal_ack(k.journal, 0, 61);
    check_at(firsts[3] + 1, firsts[3] + 1);
    end_test();
}
END_TEST

START_TEST(reader__a_missing_segment_is_lost_exactly_once)
{
    uint64_t firsts[64];
    size_t n = fill(60, firsts);
    ck_assert_uint_ge(n, 4);
    check_at(1, 1);
    unlink(kit_segment(&k, firsts[1]));
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.damaged, 1);
    ck_assert_uint_eq(seen.lost, (firsts[2] - firsts[1]) * 100);
    ck_assert_uint_eq(seen.lost + seen.records, 6000);
    end_test();
}
END_TEST

static void damage(uint64_t first, uint64_t at, size_t len)
{
    size_t size;
    char *bytes = kit_read_file(kit_segment(&k, first), &size);
    ck_assert_uint_lt(at, size);
    memset(bytes + at, 0x33, at + len < size ? len : size - at);
    kit_write_file(kit_segment(&k, first), bytes, size);
    free(bytes);
}

START_TEST(reader__damage_at_the_end_of_a_segment_belongs_to_it)
{
    uint64_t firsts[64];
    fill(60, firsts);
    damage(firsts[1], 40000, SIZE_MAX - 40000); /* also its seal */
    uint64_t sequence = firsts[1], found;
    int rc;
    while ((rc = read_at(sequence, &found)) == 0)
        sequence = found + 1;
    uint64_t begin = sequence, sum = 0;
    for (; rc == SL_E_CORRUPT; rc = read_at(sequence, &found)) {
        sum += lost;
        sequence = next;
    }
    ck_assert_uint_eq(found, firsts[2]);
    ck_assert_uint_eq(sum, (firsts[2] - begin) * 100);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.lost + seen.records, 6000);
    end_test();
}
END_TEST

START_TEST(reader__a_cut_segment_is_counted_by_the_next_one)
{
    uint64_t firsts[64];
    fill(60, firsts);
    ck_assert_int_eq(truncate(kit_segment(&k, firsts[1]), 30000), 0);
    kit_read(&k, 1, &seen);
    ck_assert_uint_gt(seen.lost, 0);
    ck_assert_uint_eq(seen.lost + seen.records, 6000);
    end_test();
}
END_TEST

START_TEST(reader__damage_to_the_very_end_is_not_found_and_heals_with_the_next_frame)
{
    uint64_t firsts[64], found;
    size_t n = fill(60, firsts);
    sl_journal_stats stats;
    sl_journal_stats_get(k.journal, &stats);
    size_t size;
    free(kit_read_file(kit_segment(&k, firsts[n - 1]), &size));
    damage(firsts[n - 1], size - 500, 500); /* the last frame's payload */
    ck_assert_int_eq(read_at(60, &found), SL_E_CORRUPT);
    ck_assert_uint_eq(lost, 100);
    ck_assert_uint_eq(next, 61);
    damage(firsts[n - 1], size - 11000, 11000); /* and its header */
    sl_journal_reader_free(reader);
    reader = sl_journal_reader_new(k.dir);
    ck_assert_int_eq(read_at(60, &found), SL_E_NOT_FOUND);
    kit_append(&k, 100);
    ck_assert_int_eq(read_at(60, &found), SL_E_CORRUPT);
    ck_assert_uint_eq(next, 61);
    ck_assert_uint_eq(lost, 100);
    check_at(61, 61);
    end_test();
}
END_TEST

static ssize_t failing_pread(int fd, void *buf, size_t len, off_t off)
{
    if (off < 20000 && off + (off_t)len > 20000) return -EIO;
    return sl_fs_real()->pread(fd, buf, len, off);
}

START_TEST(reader__a_place_that_can_not_be_read_is_given_up_after_some_tries)
{
    sl_fs_ops ops = *sl_fs_real();
    uint64_t firsts[64], found, sequence = 1, errors = 0, gone = 0;
    ops.pread = failing_pread;
    fill(10, firsts);
    ck_assert_uint_eq(firsts[0], 1);
    sl_fs_swap(&ops);
    while (sequence <= 5) {
        int rc = read_at(sequence, &found);
        if (rc == SL_E_IO) ck_assert_uint_le(++errors, SL_READ_TRIES * 2);
        if (rc == SL_E_CORRUPT) gone += lost, sequence = next;
        if (rc == 0) sequence = found + 1;
    }
    sl_fs_swap(NULL);
    ck_assert_uint_ge(errors, SL_READ_TRIES);
    ck_assert_uint_ge(gone, 100);
    ck_assert_uint_le(gone, 200);
    end_test();
}
END_TEST

START_TEST(reader__an_error_that_passes_costs_nothing)
{
    uint64_t firsts[64], found;
    fill(10, firsts);
    check_at(1, 1);
    sl_journal_reader_free(reader);
    reader = sl_journal_reader_new(k.dir);
    for (uint64_t i = 1; i < SL_READ_TRIES; i++) {
        disk_fail(DISK_READ, 1, 100, EIO, false);
        ck_assert_int_eq(read_at(1, &found), SL_E_IO);
        disk_heal();
    }
    for (uint64_t i = 1; i <= 10; i++)
        check_at(i, i);
    end_test();
}
END_TEST

/* ---- beside a writer ---- */

static uint64_t told; /* atomic: frames up to here exist */
static bool stop;     /* atomic */

static void *read_beside(void *arg)
{
    uint64_t *bad = arg, sequence = 1, n = 0;
    sl_journal_reader *own = sl_journal_reader_new(k.dir);
    for (;;) {
        bool last = __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
        uint64_t end = __atomic_load_n(&told, __ATOMIC_ACQUIRE);
        while (sequence <= end) {
            sl_batch *batch;
            uint64_t after, gone;
            sl_err err = SL_ERR_NONE;
            int rc = sl_journal_reader_read(own, sequence, &batch, &after, &gone, &err);
            if (rc != 0 || batch->sequence != sequence) {
                ++*bad;
                sequence++;
                continue;
            }
            for (uint32_t i = 0; i < batch->count; i++)
                if (kit_number(&batch->recs[i]) != n++) ++*bad;
            sl_batch_unref(batch);
            sequence++;
        }
        if (last) break;
    }
    sl_journal_reader_free(own);
    return NULL;
}

START_TEST(reader__keeps_up_with_a_writer_on_another_thread)
{
    pthread_t threads[2];
    uint64_t bad[2] = {0};
    kit_init(&k);
    k.conf.fsync = SL_FSYNC_OFF;
    kit_open(&k);
    told = 0;
    stop = false;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, read_beside, &bad[i]);
    for (int i = 0; i < 400; i++) {
        ck_assert_int_eq(kit_append(&k, 1 + (uint32_t)i * 13 % 200), 0);
        __atomic_store_n(&told, k.appended, __ATOMIC_RELEASE);
        if (i % 50 == 0) sl_retention__roll((sl_disk_journal *)k.journal);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(bad[i], 0);
    }
    kit_release(&k);
}
END_TEST

SL_TEST_MAIN("reader", reader__jumps_forth_and_back, reader__an_empty_folder_and_none_have_no_frame,
             reader__steps_over_what_was_dropped_also_under_its_feet,
             reader__a_missing_segment_is_lost_exactly_once,
             reader__damage_at_the_end_of_a_segment_belongs_to_it,
             reader__a_cut_segment_is_counted_by_the_next_one,
             reader__damage_to_the_very_end_is_not_found_and_heals_with_the_next_frame,
             reader__a_place_that_can_not_be_read_is_given_up_after_some_tries,
             reader__an_error_that_passes_costs_nothing, reader__keeps_up_with_a_writer_on_another_thread)
