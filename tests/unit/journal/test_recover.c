/* Opening a journal whatever it looks like: nothing stops it, nothing is lost in silence. */
#include "check_main.h"
#include "journal_kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAMES  4
#define RECORDS 2

static kit k;
static kit_seen seen;

typedef struct image {
    char *bytes;
    size_t len;
    uint64_t at[FRAMES + 1]; /* where the frames begin, and where the last one ends */
} image;

/* A journal of one segment with FRAMES frames, sealed or as kill -9 leaves it. */
static image make_journal(bool sealed)
{
    image img;
    kit_init(&k);
    k.conf.compress_level = 0;
    ck_assert(kit_open(&k));
    img.at[0] = SL_SEGMENT_HEADER;
    for (int i = 0; i < FRAMES; i++) {
        ck_assert_int_eq(kit_append(&k, RECORDS), 0);
        sl_journal_stats stats;
        sl_journal_stats_get(k.journal, &stats);
        img.at[i + 1] = stats.bytes;
    }
    if (sealed)
        kit_close(&k);
    else
        kit_kill(&k);
    img.bytes = kit_read_file(kit_segment(&k, 1), &img.len);
    ck_assert_uint_eq(img.len, img.at[FRAMES] + (sealed ? SL_SEAL : 0));
    return img;
}

static void put_back(const char *bytes, size_t len)
{
    kit_empty_dir(k.dir, ".seg");
    char quarantine[512];
    snprintf(quarantine, sizeof(quarantine), "%s/" SL_QUARANTINE_DIR, k.dir);
    kit_empty_dir(quarantine, "");
    kit_write_file(kit_segment(&k, 1), bytes, len);
}

static void check_nothing_twice(void)
{
    uint8_t most = 0;
    for (size_t n = 0; n < SL_LEN(seen.count); n++)
        most |= seen.count[n];
    ck_assert_uint_le(most, 1);
}

START_TEST(recover__a_torn_tail_is_cut_and_counted_wherever_it_tore)
{
    image img = make_journal(false);
    for (uint64_t len = img.at[FRAMES - 1]; len < img.at[FRAMES]; len++) {
        put_back(img.bytes, len);
        ck_assert(kit_open(&k));
        ck_assert_uint_eq(k.report.torn_bytes, len - img.at[FRAMES - 1]);
        ck_assert_uint_eq(k.report.quarantined_frames, 0);
        ck_assert_uint_eq(k.report.records, (FRAMES - 1) * RECORDS);
        ck_assert_int_eq(len > img.at[FRAMES - 1], strstr(k.report.first_problem, "00001.seg") != NULL);
        k.number = (FRAMES - 1) * RECORDS;
        ck_assert_int_eq(kit_append(&k, RECORDS), 0);
        kit_read(&k, 1, &seen);
        ck_assert_uint_eq(seen.records, FRAMES * RECORDS);
        ck_assert_uint_eq(seen.lost, 0);
        check_nothing_twice();
        kit_kill(&k);
    }
    free(img.bytes);
    kit_release(&k);
}
END_TEST

START_TEST(recover__what_was_cut_is_not_cut_again)
{
    image img = make_journal(false);
    put_back(img.bytes, img.at[FRAMES] - 5);
    kit_open(&k);
    ck_assert_uint_gt(k.report.torn_bytes, 0);
    kit_kill(&k);
    kit_open(&k);
    ck_assert_uint_eq(k.report.torn_bytes, 0);
    ck_assert_str_eq(k.report.first_problem, "");
    free(img.bytes);
    kit_release(&k);
}
END_TEST

/* Cut between two frames: nothing in the segment tells, but the cursors were saved with it. */
START_TEST(recover__frames_cut_off_without_a_trace_are_told)
{
    image img = make_journal(true);
    put_back(img.bytes, img.at[FRAMES - 1]);
    ck_assert(kit_open(&k));
    ck_assert_uint_eq(k.report.missing_frames, 1);
    char place[64];
    snprintf(place, sizeof(place), "00001.seg at offset %llu",
             (unsigned long long)img.at[FRAMES - 1] + SL_SEAL);
    ck_assert_msg(strstr(k.report.first_problem, place) != NULL, "%s", k.report.first_problem);
    kit_close(&k);
    ck_assert(kit_open(&k)); /* told once */
    ck_assert_uint_eq(k.report.missing_frames, 0);
    kit_close(&k);
    kit_empty_dir(k.dir, ".seg");
    ck_assert(kit_open(&k));
    ck_assert_uint_eq(k.report.missing_frames, FRAMES);
    kit_kill(&k);
    free(img.bytes);
    kit_release(&k);
}
END_TEST

/* Three segments, two frames each, none delivered. */
static void make_segments(void)
{
    kit_init(&k);
    k.conf.compress_level = 0;
    ck_assert(kit_open(&k));
    for (int i = 0; i < 6; i++) {
        if (i % 2 == 0) sl_retention__roll((sl_disk_journal *)k.journal);
        ck_assert_int_eq(kit_append(&k, RECORDS), 0);
    }
    kit_close(&k);
}

START_TEST(recover__a_first_segment_that_is_gone_is_told)
{
    static const size_t left[] = {0, SL_SEGMENT_HEADER - 1};
    for (size_t i = 0; i <= SL_LEN(left); i++) {
        make_segments();
        if (i < SL_LEN(left))
            ck_assert_int_eq(truncate(kit_segment(&k, 1), (off_t)left[i]), 0);
        else
            ck_assert_int_eq(unlink(kit_segment(&k, 1)), 0);
        ck_assert(kit_open(&k));
        ck_assert_uint_eq(k.report.missing_frames, 2);
        ck_assert_msg(strstr(k.report.first_problem, "00003.seg") != NULL, "%s", k.report.first_problem);
        kit_close(&k);
        ck_assert(kit_open(&k)); /* told once */
        ck_assert_uint_eq(k.report.missing_frames, 0);
        kit_release(&k);
    }
}
END_TEST

START_TEST(recover__a_first_segment_that_was_delivered_is_no_loss)
{
    make_segments();
    ck_assert(kit_open(&k));
    sl_journal_ack(k.journal, 0, 3);
    kit_close(&k);
    ck_assert(kit_open(&k));
    ck_assert_uint_eq(k.report.missing_frames, 0);
    ck_assert_str_eq(k.report.first_problem, "");
    kit_release(&k);
}
END_TEST

/* ---- a segment that the disk does not give ---- */

static int its_error;
static int open_but_one(int dir, const char *path, int flags, mode_t mode)
{
    return strstr(path, "00003.seg") ? -its_error : sl_fs_real()->open(dir, path, flags, mode);
}

static bool open_without(int error, bool set_aside)
{
    static sl_fs_ops ops;
    ops = *sl_fs_real();
    ops.open = open_but_one;
    its_error = error;
    k.conf.set_aside = set_aside;
    sl_fs_swap(&ops);
    bool opened = kit_open(&k);
    sl_fs_swap(NULL);
    return opened;
}

START_TEST(recover__a_segment_that_the_disk_does_not_give_may_come_back)
{
    static const int errors[] = {EIO, EUCLEAN, EMFILE, ENOMEM};
    make_segments();
    for (size_t i = 0; i < SL_LEN(errors); i++) {
        ck_assert(!open_without(errors[i], false));
        ck_assert_msg(sl_err_may_pass(&k.err) && strstr(k.err.text, "00003.seg"), "%s", k.err.text);
    }
    ck_assert(!open_without(EMFILE, true)); /* this says nothing of the segment */
    ck_assert(kit_open(&k));
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, 6 * RECORDS);
    ck_assert_uint_eq(seen.lost, 0);
    kit_release(&k);
}
END_TEST

START_TEST(recover__a_segment_that_the_disk_never_gives_is_set_aside)
{
    char path[512];
    make_segments();
    ck_assert_msg(open_without(EIO, true), "%s", k.err.text);
    ck_assert_ptr_nonnull(strstr(k.report.first_problem, "00003.seg"));
    snprintf(path, sizeof(path), "%s/" SL_QUARANTINE_DIR "/00000000000000000003-0.seg", k.dir);
    ck_assert_int_eq(access(path, F_OK), 0);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, 4 * RECORDS);
    ck_assert_uint_eq(seen.lost, 2 * RECORDS);
    kit_release(&k);
}
END_TEST

/* No output has moved: the numbers are saved all the same. */
START_TEST(recover__frames_cut_off_after_a_kill_are_told)
{
    sl_clock_fake(1000 * SL_NS_PER_S);
    kit_init(&k);
    k.conf.compress_level = 0;
    ck_assert(kit_open(&k));
    ck_assert_int_eq(kit_append(&k, RECORDS), 0);
    sl_journal_stats stats;
    sl_journal_stats_get(k.journal, &stats);
    ck_assert_int_eq(kit_append(&k, RECORDS), 0);
    sl_clock_advance(2 * SL_NS_PER_S);
    sl_journal_tick(k.journal, sl_clock_mono_ns());
    kit_kill(&k);
    ck_assert_int_eq(truncate(kit_segment(&k, 1), (off_t)stats.bytes), 0);
    ck_assert(kit_open(&k));
    ck_assert_uint_eq(k.report.missing_frames, 1);
    kit_release(&k);
    sl_clock_fake(-1);
}
END_TEST

START_TEST(recover__missing_frames_that_were_delivered_are_no_loss)
{
    image img = make_journal(false);
    ck_assert(kit_open(&k));
    sl_journal_ack(k.journal, 0, FRAMES + 1);
    kit_close(&k);
    put_back(img.bytes, img.at[FRAMES - 1]);
    ck_assert(kit_open(&k));
    ck_assert_uint_eq(k.report.missing_frames, 0);
    kit_release(&k);
    free(img.bytes);
}
END_TEST

START_TEST(recover__zeros_behind_the_last_frame_are_a_torn_tail)
{
    image img = make_journal(false);
    img.bytes = realloc(img.bytes, img.len + 10000);
    memset(img.bytes + img.len, 0, 10000);
    put_back(img.bytes, img.len + 10000);
    kit_open(&k);
    ck_assert_uint_eq(k.report.torn_bytes, 10000);
    ck_assert_uint_eq(k.report.records, FRAMES * RECORDS);
    free(img.bytes);
    kit_release(&k);
}
END_TEST

/* One flipped byte costs at most the frame it hit, and never in silence. */
static void check_flip(const image *img, size_t at, bool sealed)
{
    char *bytes = malloc(img->len);
    memcpy(bytes, img->bytes, img->len);
    bytes[at] ^= 0x40;
    put_back(bytes, img->len);
    ck_assert(kit_open(&k));
    kit_read(&k, 1, &seen);
    check_nothing_twice();
    uint64_t missing = FRAMES * RECORDS - seen.records;
    bool told = seen.lost || k.report.torn_bytes || k.report.quarantined_frames;
    ck_assert_msg(missing == 0 || told, "flip at %zu: %llu records lost in silence", at,
                  (unsigned long long)missing);
    ck_assert_msg(missing == 0 || missing == RECORDS, "flip at %zu: %llu records lost", at,
                  (unsigned long long)missing);
    bool in_last = at >= img->at[FRAMES - 1];
    if (sealed || !in_last) ck_assert_uint_eq(seen.lost, missing);
    if (sealed || !in_last) ck_assert_uint_eq(sl_journal_buffered(k.journal, 0), FRAMES * RECORDS);
    kit_kill(&k);
    free(bytes);
}

START_TEST(recover__no_flipped_byte_of_an_open_segment_loses_in_silence)
{
    image img = make_journal(false);
    for (size_t at = 0; at < img.len; at++)
        check_flip(&img, at, false);
    free(img.bytes);
    kit_release(&k);
}
END_TEST

START_TEST(recover__no_flipped_byte_of_a_sealed_segment_loses_in_silence)
{
    image img = make_journal(true);
    for (size_t at = 0; at < img.len; at++)
        check_flip(&img, at, true);
    free(img.bytes);
    kit_release(&k);
}
END_TEST

START_TEST(recover__damage_is_copied_to_quarantine)
{
    image img = make_journal(false);
    size_t len, want = img.at[3] - img.at[2];
    img.bytes[img.at[2] + 200] ^= 1;
    put_back(img.bytes, img.len);
    kit_open(&k);
    ck_assert_uint_eq(k.report.quarantined_frames, 1);
    ck_assert_uint_eq(k.report.quarantined_records, RECORDS);
    ck_assert_uint_eq(k.report.quarantined_bytes, want);
    ck_assert_ptr_nonnull(strstr(k.report.first_problem, "offset"));
    char path[512];
    snprintf(path, sizeof(path), "%s/quarantine/00000000000000000001-%llu.bad", k.dir,
             (unsigned long long)img.at[2]);
    char *copy = kit_read_file(path, &len);
    ck_assert_uint_eq(len, want);
    ck_assert_int_eq(memcmp(copy, img.bytes + img.at[2], len), 0);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.lost, RECORDS);
    ck_assert_uint_eq(seen.damaged, 1);
    free(copy);
    free(img.bytes);
    kit_release(&k);
}
END_TEST

/* A true header of another journal inside a damaged frame is not taken for the next frame. */
START_TEST(recover__a_foreign_frame_inside_damage_is_not_read)
{
    image img = make_journal(true);
    sl_frame_header hdr = {
        .payload_len = 20, .raw_len = 20, .records = 1, .sequence = 3, .first_record = 2 * RECORDS};
    memset(img.bytes + img.at[2], 0x55, SL_FRAME_HEADER);
    sl_frame_header__encode(&hdr, sl_get64(img.bytes + 8) ^ 1, img.bytes + img.at[2] + 100);
    put_back(img.bytes, img.len);
    kit_open(&k);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, (FRAMES - 1) * RECORDS);
    ck_assert_uint_eq(seen.lost, RECORDS);
    free(img.bytes);
    kit_release(&k);
}
END_TEST

START_TEST(recover__two_damaged_places_are_counted_apart)
{
    image img = make_journal(true);
    memset(img.bytes + img.at[0] + 2, 0x55, 100);
    memset(img.bytes + img.at[2] + 2, 0x55, 100);
    memset(img.bytes + img.at[3] + 2, 0x55, 100);
    put_back(img.bytes, img.len);
    kit_open(&k);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, 1 * RECORDS);
    ck_assert_uint_eq(seen.lost, 3 * RECORDS);
    ck_assert_uint_eq(seen.damaged, 2);
    free(img.bytes);
    kit_release(&k);
}
END_TEST

START_TEST(recover__the_id_is_found_elsewhere_when_a_header_is_bad)
{
    image img = make_journal(true);
    char path[512];
    img.bytes[10] ^= 1;
    put_back(img.bytes, img.len);
    kit_open(&k); /* from the cursors */
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, FRAMES * RECORDS);
    k.conf.fsync = SL_FSYNC_OFF;
    kit_append(&k, 1);
    kit_kill(&k);
    kit_write_file(kit_segment(&k, 1), img.bytes, img.len);
    snprintf(path, sizeof(path), "%s/cursors", k.dir);
    unlink(path);
    kit_open(&k); /* from the other segment */
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, FRAMES * RECORDS + 1);
    kit_kill(&k);
    put_back(img.bytes, img.len);
    unlink(path);
    ck_assert(kit_open(&k)); /* nowhere: all is set aside, and the journal works */
    ck_assert_uint_eq(k.report.segments, 0);
    ck_assert_uint_gt(k.report.quarantined_frames, 0);
    snprintf(path, sizeof(path), "%s/quarantine/00000000000000000001-0.seg", k.dir);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(kit_append(&k, 1), 0);
    free(img.bytes);
    kit_release(&k);
}
END_TEST

START_TEST(recover__strange_files_do_no_harm)
{
    static const char *const names[] = {"00000000000000000002.seg.new",
                                        "0000000000000000000x.seg",
                                        "00000000000000000000.seg",
                                        "99999999999999999999.seg",
                                        "1.seg",
                                        "readme"};
    char path[512];
    kit_init(&k);
    kit_open(&k);
    kit_append(&k, RECORDS);
    kit_close(&k);
    for (size_t i = 0; i < SL_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", k.dir, names[i]);
        kit_write_file(path, "x", 1);
    }
    kit_write_file(kit_segment(&k, 500), "", 0); /* begun, never written */
    kit_write_file(kit_segment(&k, 600),
                   "garbage, more than a header's worth of it, so that something is there to look at", 80);
    mkdir(kit_segment(&k, 700), 0700);
    ck_assert(kit_open(&k));
    ck_assert_uint_eq(k.report.segments, 1);
    ck_assert_uint_gt(sl_journal_next(k.journal), 700); /* that name is taken */
    snprintf(path, sizeof(path), "%s/%s", k.dir, names[0]);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_ne(access(kit_segment(&k, 500), F_OK), 0);
    ck_assert_int_eq(kit_append(&k, RECORDS), 0);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, 2 * RECORDS);
    rmdir(kit_segment(&k, 700));
    kit_release(&k);
}
END_TEST

static void set_version(char *bytes, size_t len, uint64_t seed, uint8_t version)
{
    bytes[4] = (char)version;
    sl_put64(bytes + len - 8, sl_format__sum(bytes, len - 8, seed));
}

START_TEST(recover__a_later_version_is_stepped_over_and_counted)
{
    image img = make_journal(true);
    set_version(img.bytes + img.at[1], SL_FRAME_HEADER, sl_get64(img.bytes + 8), SL_FRAME_WITH_IDS + 1);
    put_back(img.bytes, img.len);
    kit_open(&k);
    kit_read(&k, 1, &seen);
    ck_assert_uint_eq(seen.records, (FRAMES - 1) * RECORDS);
    ck_assert_uint_eq(seen.lost, RECORDS);
    kit_kill(&k);
    set_version(img.bytes, SL_SEGMENT_HEADER, 0, 2);
    put_back(img.bytes, img.len);
    kit_open(&k);
    ck_assert_uint_eq(k.report.segments, 0);
    ck_assert_ptr_nonnull(strstr(k.report.first_problem, "later version"));
    free(img.bytes);
    kit_release(&k);
}
END_TEST

SL_TEST_MAIN("recover", recover__a_torn_tail_is_cut_and_counted_wherever_it_tore,
             recover__what_was_cut_is_not_cut_again, recover__frames_cut_off_without_a_trace_are_told,
             recover__frames_cut_off_after_a_kill_are_told, recover__a_first_segment_that_is_gone_is_told,
             recover__a_first_segment_that_was_delivered_is_no_loss,
             recover__a_segment_that_the_disk_does_not_give_may_come_back,
             recover__a_segment_that_the_disk_never_gives_is_set_aside,
             recover__missing_frames_that_were_delivered_are_no_loss,
             recover__zeros_behind_the_last_frame_are_a_torn_tail,
             recover__no_flipped_byte_of_an_open_segment_loses_in_silence,
             recover__no_flipped_byte_of_a_sealed_segment_loses_in_silence,
             recover__damage_is_copied_to_quarantine, recover__a_foreign_frame_inside_damage_is_not_read,
             recover__two_damaged_places_are_counted_apart,
             recover__the_id_is_found_elsewhere_when_a_header_is_bad, recover__strange_files_do_no_harm,
             recover__a_later_version_is_stepped_over_and_counted)
