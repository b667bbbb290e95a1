/* Looking into a journal: everything is found, nothing is changed, and what is being written is not called
 * damage. */
#include "check_main.h"
#include "journal/inspect.h"
#include "journal_kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static kit k;
static int64_t patience_ns;

typedef struct found {
    uint64_t segments, sealed, frames, records, batches, problems;
    char last[SL_PATH_LEN];
} found;

static bool on_segment(void *arg, const sl_inspected *seg)
{
    found *f = arg;
    f->segments++;
    f->sealed += seg->sealed;
    ck_assert_uint_eq(seg->next > seg->first, seg->frames > 0);
    ck_assert_uint_eq(seg->raw_bytes > 0, seg->frames > 0);
    return true;
}
static bool on_frame(void *arg, const sl_frame_header *hdr)
{
    found *f = arg;
    f->frames++;
    f->records += hdr->records;
    return true;
}
static bool on_batch(void *arg, const sl_batch *batch)
{
    found *f = arg;
    ck_assert_uint_eq(kit_number(&batch->recs[0]), f->batches * 100);
    f->batches++;
    return true;
}
static bool on_problem(void *arg, const char *text)
{
    found *f = arg;
    f->problems++;
    snprintf(f->last, sizeof(f->last), "%s", text);
    return true;
}

static found look(bool verify)
{
    found f = {0};
    const sl_inspector to = {&f,         on_segment, on_frame,   verify ? NULL : on_batch,
                             on_problem, verify,     patience_ns};
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_journal_inspect(k.dir, &to, &err) == 0, "%s", err.text);
    return f;
}

static void fill(int frames)
{
    kit_init(&k);
    k.conf.compress_level = 0;
    k.conf.fsync = SL_FSYNC_OFF;
    kit_open(&k);
    for (int i = 0; i < frames; i++)
        kit_append(&k, 100);
}

START_TEST(inspect__finds_all_beside_the_running_journal)
{
    fill(20);
    found f = look(false);
    ck_assert_uint_eq(f.segments, 4);
    ck_assert_uint_eq(f.sealed, 3);
    ck_assert_uint_eq(f.frames, 20);
    ck_assert_uint_eq(f.batches, 20);
    ck_assert_uint_eq(f.records, 2000);
    ck_assert_uint_eq(f.problems, 0);
    kit_release(&k);
}
END_TEST

static struct {
    char path[512], *bytes;
    size_t len;
} growing;

static void *finish_writing(void *arg)
{
    usleep(50000);
    kit_write_file(growing.path, growing.bytes, growing.len);
    return arg;
}

START_TEST(inspect__what_is_being_written_is_no_damage)
{
    pthread_t writer;
    fill(20);
    snprintf(growing.path, sizeof(growing.path), "%s", kit_segment(&k, k.last_segment));
    growing.bytes = kit_read_file(growing.path, &growing.len);
    patience_ns = SL_NS_PER_S;
    kit_write_file(growing.path, growing.bytes, growing.len - 500);
    ck_assert_int_eq(pthread_create(&writer, NULL, finish_writing, NULL), 0);
    found f = look(true);
    pthread_join(writer, NULL);
    patience_ns = 0;
    ck_assert_uint_eq(f.problems, 0);
    ck_assert_uint_eq(f.frames, 20);
    free(growing.bytes);
    kit_release(&k);
}
END_TEST

/* ---- every place of a segment, damaged ---- */

#define FRAMES 4

/* Two segments of FRAMES frames; the first is looked at. */
static char *two_segments(size_t *len, uint64_t starts[FRAMES + 2], bool last_only)
{
    sl_journal_stats stats;
    kit_init(&k);
    k.conf.compress_level = 0;
    kit_open(&k);
    for (int i = 0; i < FRAMES; i++) {
        sl_journal_stats_get(k.journal, &stats);
        starts[i] = i ? stats.bytes : SL_SEGMENT_HEADER;
        kit_append(&k, 1);
    }
    sl_journal_stats_get(k.journal, &stats);
    starts[FRAMES] = stats.bytes;
    kit_close(&k);
    if (!last_only) {
        kit_open(&k);
        kit_append(&k, 1);
        kit_close(&k);
    }
    char *bytes = kit_read_file(kit_segment(&k, 1), len);
    starts[FRAMES + 1] = *len;
    ck_assert_uint_eq(*len, starts[FRAMES] + SL_SEAL);
    return bytes;
}

/* The problem told names the file, and an offset at or before the damage: where what is damaged begins. */
static void check_named(const found *f, uint64_t at, const uint64_t starts[FRAMES + 2])
{
    const char *told = strstr(f->last, "00000000000000000001.seg at offset ");
    ck_assert_msg(f->problems > 0, "damage at %llu is not told", (unsigned long long)at);
    ck_assert_msg(told != NULL, "damage at %llu: %s", (unsigned long long)at, f->last);
    uint64_t off = strtoull(told + strlen("00000000000000000001.seg at offset "), NULL, 10), begins = 0;
    for (int i = 0; i <= FRAMES && starts[i] <= at; i++)
        begins = starts[i];
    ck_assert_msg(off == begins, "damage at %llu is told at %llu instead of %llu", (unsigned long long)at,
                  (unsigned long long)off, (unsigned long long)begins);
}

static void check_flips(bool last_only)
{
    size_t len;
    uint64_t starts[FRAMES + 2];
    char *bytes = two_segments(&len, starts, last_only);
    for (size_t at = 0; at < len; at++) {
        for (int bit = 0; bit < 8; bit += 7) {
            bytes[at] ^= (char)(1 << bit);
            kit_write_file(kit_segment(&k, 1), bytes, len);
            found f = look(true);
            bytes[at] ^= (char)(1 << bit);
            check_named(&f, at, starts);
        }
    }
    free(bytes);
    kit_release(&k);
}

START_TEST(inspect__every_flipped_byte_is_named)
{
    check_flips(false);
}
END_TEST

START_TEST(inspect__every_flipped_byte_of_the_last_segment_is_named)
{
    check_flips(true);
}
END_TEST

/* Cut anywhere: also between two frames, and where only the seal is gone with the last of them. */
static void check_cuts(bool last_only)
{
    size_t len;
    uint64_t starts[FRAMES + 2];
    char *bytes = two_segments(&len, starts, last_only);
    for (size_t left = 0; left < len; left++) {
        kit_write_file(kit_segment(&k, 1), bytes, left);
        found f = look(true);
        /* without its seal alone a segment is whole: it is as kill -9 leaves it */
        if (left == starts[FRAMES])
            ck_assert_uint_eq(f.problems, 0);
        else
            ck_assert_msg(f.problems > 0, "a cut to %zu bytes is not told", left);
        if (f.problems) ck_assert_ptr_nonnull(strstr(f.last, "00000000000000000001.seg at offset "));
    }
    free(bytes);
    kit_release(&k);
}

START_TEST(inspect__every_cut_is_named)
{
    check_cuts(false);
}
END_TEST

START_TEST(inspect__every_cut_of_the_last_segment_is_named)
{
    check_cuts(true);
}
END_TEST

START_TEST(inspect__names_damage_and_changes_nothing)
{
    size_t len, after;
    char quarantine[512];
    fill(20);
    char *bytes = kit_read_file(kit_segment(&k, 1), &len);
    bytes[15000] ^= 1;
    kit_write_file(kit_segment(&k, 1), bytes, len);
    found f = look(true);
    ck_assert_uint_eq(f.problems, 1);
    ck_assert_ptr_nonnull(strstr(f.last, "00000000000000000001.seg at offset "));
    ck_assert_uint_eq(f.frames, 20);
    memset(bytes + SL_SEGMENT_HEADER, 0, 200);
    kit_write_file(kit_segment(&k, 1), bytes, len);
    f = look(true);
    ck_assert_uint_eq(f.problems, 2);
    ck_assert_uint_eq(f.frames, 19);
    char *again = kit_read_file(kit_segment(&k, 1), &after);
    ck_assert_uint_eq(after, len);
    ck_assert_int_eq(memcmp(again, bytes, len), 0);
    snprintf(quarantine, sizeof(quarantine), "%.400s/quarantine", k.dir);
    ck_assert_int_ne(access(quarantine, F_OK), 0);
    free(again);
    free(bytes);
    kit_release(&k);
}
END_TEST

START_TEST(inspect__no_folder_is_told)
{
    const sl_inspector to = {0};
    sl_err err = SL_ERR_NONE;
    ck_assert_int_eq(sl_journal_inspect("/proc/nothing/here", &to, &err), SL_E_NOT_FOUND);
}
END_TEST

SL_TEST_MAIN("inspect", inspect__finds_all_beside_the_running_journal,
             inspect__what_is_being_written_is_no_damage, inspect__every_flipped_byte_is_named,
             inspect__every_flipped_byte_of_the_last_segment_is_named, inspect__every_cut_is_named,
             inspect__every_cut_of_the_last_segment_is_named, inspect__names_damage_and_changes_nothing,
             inspect__no_folder_is_told)
