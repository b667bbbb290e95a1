/* Looking into a journal: everything is found, nothing is changed, and what is being written is not called
 * damage. */
#include "check_main.h"
#include "journal/inspect.h"
#include "journal_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static kit k;

typedef struct found {
    uint64_t segments, sealed, frames, records, batches, problems;
    char last[SL_PATH_LEN];
} found;

static bool on_segment(void *arg, const sl_inspected *seg)
{
    found *f = arg;
    f->segments++;
    f->sealed += seg->sealed;
    ck_assert_uint_gt(seg->next, seg->first);
    ck_assert_uint_gt(seg->raw_bytes, 0);
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
    const sl_inspector to = {&f, on_segment, on_frame, verify ? NULL : on_batch, on_problem, verify};
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

START_TEST(inspect__what_is_half_written_is_no_damage)
{
    size_t len;
    fill(20);
    char path[512], *bytes = kit_read_file(kit_segment(&k, k.last_segment), &len);
    snprintf(path, sizeof(path), "%s", kit_segment(&k, k.last_segment));
    for (size_t cut = len - 1; cut > len - 9000; cut -= 97) {
        kit_write_file(path, bytes, cut);
        found f = look(true);
        ck_assert_uint_eq(f.problems, 0);
        ck_assert_uint_eq(f.frames, 19);
    }
    free(bytes);
    kit_release(&k);
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
             inspect__what_is_half_written_is_no_damage, inspect__names_damage_and_changes_nothing,
             inspect__no_folder_is_told)
