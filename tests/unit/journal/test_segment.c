/* Segments as files: names, appending, cutting, and the walk over what stands in them. */
#include "check_main.h"
#include "journal_kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID 0x1234u

static char dir[256];
static sl_segment seg;

static void create(uint64_t first, uint64_t first_record)
{
    kit_new_dir(dir);
    ck_assert_int_eq(sl_segment__create(&seg, dir, "", ID, first, first_record), 0);
}

/* A frame of one batch with its numbers in place. */
static sl_buf make_frame(uint64_t sequence, uint64_t first_record, uint32_t records, sl_frame_header *hdr)
{
    sl_frame frame;
    sl_frame_coder *coder = sl_frame_coder_new(0);
    sl_batch *batch = kit_batch(first_record, records, 100);
    ck_assert_int_eq(sl_frame_encode(coder, batch, &frame, NULL), 0);
    ck_assert(sl_frame_header__parse(frame.bytes.ptr, frame.bytes.len, hdr));
    hdr->sequence = sequence;
    hdr->first_record = first_record;
    hdr->written = (int64_t)sequence * 1000;
    sl_frame_header__encode(hdr, ID, frame.bytes.ptr);
    sl_batch_unref(batch);
    sl_frame_coder_free(coder);
    return frame.bytes;
}

static int append(uint64_t sequence, uint64_t first_record, uint32_t records)
{
    sl_frame_header hdr;
    sl_buf bytes = make_frame(sequence, first_record, records, &hdr);
    int rc = sl_segment__append(&seg, sl_buf_span(&bytes), &hdr);
    sl_buf_release(&bytes);
    return rc;
}

static uint64_t file_size(uint64_t first)
{
    char path[SL_PATH_LEN];
    struct stat st;
    sl_segment__path(dir, first, "", path);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : UINT64_MAX;
}

START_TEST(segment__names_sort_as_numbers_do)
{
    static const uint64_t firsts[] = {1, 9, 10, 99999999999u, SL_MAX_SEQUENCE - 1};
    uint64_t *list;
    size_t count;
    kit_new_dir(dir);
    for (size_t i = SL_LEN(firsts); i-- > 0;) {
        ck_assert_int_eq(sl_segment__create(&seg, dir, "", ID, firsts[i], 0), 0);
        sl_segment__close(&seg);
    }
    ck_assert_int_eq(sl_segment__list(dir, &list, &count, NULL), 0);
    ck_assert_uint_eq(count, SL_LEN(firsts));
    ck_assert_int_eq(memcmp(list, firsts, sizeof(firsts)), 0);
    sl_free(list);
    ck_assert_int_eq(sl_segment__list("/nonexistent/journal", &list, &count, NULL), -ENOENT);
}
END_TEST

START_TEST(segment__appending_moves_its_numbers)
{
    create(5, 50);
    ck_assert_int_eq(append(5, 50, 3), 0);
    ck_assert_int_eq(append(6, 53, 4), 0);
    ck_assert_uint_eq(seg.first, 5);
    ck_assert_uint_eq(seg.next, 7);
    ck_assert_uint_eq(seg.next_record, 57);
    ck_assert_uint_eq(seg.frames, 2);
    ck_assert_int_eq(seg.first_written, 5000);
    ck_assert_int_eq(seg.last_written, 6000);
    ck_assert_uint_eq(seg.bytes, file_size(5));
    ck_assert_int_eq(sl_segment__seal(&seg, ID), 0);
    ck_assert_uint_eq(seg.bytes, file_size(5));
    sl_segment__close(&seg);
}
END_TEST

START_TEST(segment__a_failed_write_leaves_nothing_behind)
{
    create(1, 0);
    append(1, 0, 3);
    uint64_t size = seg.bytes;
    disk_fail(DISK_WRITE, 1, 1, ENOSPC, true);
    ck_assert_int_eq(append(2, 3, 3), -ENOSPC);
    disk_heal();
    ck_assert_uint_eq(seg.bytes, size);
    ck_assert_uint_eq(file_size(1), size);
    ck_assert_uint_eq(seg.next, 2);
    ck_assert(!seg.broken);
    ck_assert_int_eq(append(2, 3, 3), 0);
    sl_segment__close(&seg);
}
END_TEST

START_TEST(segment__what_can_not_be_cut_is_broken)
{
    create(1, 0);
    append(1, 0, 3);
    disk_fail(DISK_WRITE | DISK_TRUNCATE, 1, 2, EIO, true);
    ck_assert_int_eq(append(2, 3, 3), -EIO);
    disk_heal();
    ck_assert(seg.broken);
    ck_assert_int_eq(sl_segment__seal(&seg, ID), -EIO);
    sl_segment__close(&seg);
}
END_TEST

START_TEST(segment__creation_that_fails_leaves_no_file)
{
    kit_new_dir(dir);
    disk_fail(DISK_WRITE, 1, 1, ENOSPC, true);
    ck_assert_int_eq(sl_segment__create(&seg, dir, "", ID, 1, 0), -ENOSPC);
    disk_heal();
    ck_assert_uint_eq(file_size(1), UINT64_MAX);
}
END_TEST

/* ---- the walk ---- */

static sl_walk walk;
static sl_walk_item item;

static void walk_from_start(size_t ahead)
{
    sl_segment_header hdr;
    bool is_true;
    walk = (sl_walk){.fd = -1};
    ck_assert_int_eq(sl_walk__open(&walk, dir, 1, ID, ahead, &hdr, &is_true), 0);
    ck_assert(is_true);
    ck_assert_uint_eq(hdr.id, ID);
}

static sl_walk_found step(void)
{
    ck_assert_int_eq(sl_walk__look(&walk, &item), 0);
    sl_walk__pass(&walk, &item);
    return item.found;
}

START_TEST(walk__goes_from_frame_to_frame_whatever_it_reads_ahead)
{
    static const size_t aheads[] = {1, 100, 4096, 256 * 1024};
    create(1, 0);
    for (uint64_t i = 1; i <= 40; i++)
        append(i, (i - 1) * 9, 9);
    sl_segment__seal(&seg, ID);
    sl_segment__close(&seg);
    for (size_t a = 0; a < SL_LEN(aheads); a++) {
        walk_from_start(aheads[a]);
        for (uint64_t i = 1; i <= 40; i++) {
            sl_span bytes;
            ck_assert_int_eq(sl_walk__look(&walk, &item), 0);
            ck_assert_int_eq(item.found, SL_WALK_FRAME);
            ck_assert_uint_eq(item.hdr.sequence, i);
            ck_assert_int_eq(sl_walk__verify(&walk, &item), 0);
            ck_assert_int_eq(sl_walk__frame(&walk, &item, &bytes), 0);
            ck_assert_uint_eq(bytes.len, item.len);
            ck_assert_uint_eq(sl_format__sum(bytes.ptr + SL_FRAME_HEADER, bytes.len - SL_FRAME_HEADER, 0),
                              item.hdr.payload_sum);
            sl_walk__pass(&walk, &item);
        }
        ck_assert_int_eq(step(), SL_WALK_SEAL);
        ck_assert_uint_eq(item.seal.next, 41);
        ck_assert_int_eq(step(), SL_WALK_END);
        sl_walk__close(&walk);
    }
}
END_TEST

START_TEST(walk__a_file_that_grows_is_seen)
{
    create(1, 0);
    append(1, 0, 5);
    walk_from_start(SL_WALK_ALL);
    ck_assert_int_eq(step(), SL_WALK_FRAME);
    ck_assert_int_eq(step(), SL_WALK_END);
    append(2, 5, 5);
    ck_assert_int_eq(step(), SL_WALK_FRAME);
    ck_assert_uint_eq(item.hdr.sequence, 2);
    sl_walk__close(&walk);
    sl_segment__close(&seg);
}
END_TEST

/* Damage of any length, also longer than what is read at once. */
START_TEST(walk__finds_the_next_frame_behind_damage)
{
    static const uint64_t lengths[] = {1, 79, 80, 1023, 1024, 4096, 300000};
    for (size_t i = 0; i < SL_LEN(lengths); i++) {
        char *junk = malloc(lengths[i]);
        for (uint64_t b = 0; b < lengths[i]; b++)
            junk[b] = "SLJFx"[b % 5]; /* looks like many a frame */
        create(1, 0);
        append(1, 0, 5);
        ck_assert_int_eq(sl_fs_pwrite_all(seg.fd, junk, lengths[i], (off_t)seg.bytes), 0);
        seg.bytes += lengths[i];
        append(2, 5, 5);
        sl_segment__close(&seg);
        walk_from_start(SL_WALK_HEADERS);
        ck_assert_int_eq(step(), SL_WALK_FRAME);
        ck_assert_int_eq(step(), SL_WALK_DAMAGE);
        ck_assert_uint_eq(item.len, lengths[i]);
        ck_assert(!item.to_end);
        ck_assert_int_eq(step(), SL_WALK_FRAME);
        ck_assert_uint_eq(item.hdr.sequence, 2);
        ck_assert_int_eq(step(), SL_WALK_END);
        sl_walk__close(&walk);
        free(junk);
    }
}
END_TEST

static ssize_t bad_page(int fd, void *buf, size_t len, off_t off)
{
    if (off < 3 * 4096 && off + (off_t)len > 2 * 4096) return -EIO;
    return sl_fs_real()->pread(fd, buf, len, off);
}

START_TEST(walk__steps_around_a_page_that_can_not_be_read)
{
    sl_fs_ops ops = *sl_fs_real();
    ops.pread = bad_page;
    create(1, 0);
    for (uint64_t i = 1; i <= 40; i++)
        append(i, (i - 1) * 5, 5);
    sl_segment__close(&seg);
    sl_fs_swap(&ops);
    walk_from_start(SL_WALK_HEADERS);
    int rc;
    while ((rc = sl_walk__look(&walk, &item)) == 0)
        sl_walk__pass(&walk, &item);
    ck_assert_int_eq(rc, -EIO);
    sl_walk__close(&walk);
    walk_from_start(SL_WALK_HEADERS);
    walk.skip_errors = true;
    uint64_t good = 0, last = 0;
    while (sl_walk__look(&walk, &item) == 0 && item.found != SL_WALK_END) {
        if (item.found == SL_WALK_FRAME && sl_walk__verify(&walk, &item) == 0)
            good++, last = item.hdr.sequence;
        ck_assert_int_ne(item.found, SL_WALK_TORN);
        sl_walk__pass(&walk, &item);
    }
    ck_assert_uint_eq(last, 40);
    ck_assert_uint_ge(good, 40 - 10);
    ck_assert_uint_lt(good, 40);
    sl_walk__close(&walk);
    sl_fs_swap(NULL);
}
END_TEST

START_TEST(quarantine__is_bounded)
{
    create(1, 0);
    for (uint64_t i = 1; i <= 5; i++)
        append(i, (i - 1) * 5, 5);
    sl_segment__close(&seg);
    walk_from_start(SL_WALK_HEADERS);
    ck_assert_int_eq(sl_quarantine__copy(dir, 1, &walk, 64, 200), 200);
    ck_assert_int_eq(sl_quarantine__copy(dir, 1, &walk, 64, 200), 0); /* it is there */
    ck_assert_int_eq(sl_quarantine__copy(dir, 1, &walk, 65, SL_QUARANTINE_BYTES), 0);
    for (int i = 0; i < SL_QUARANTINE_FILES; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/quarantine/%d.bad", dir, i);
        kit_write_file(path, "", 0);
    }
    ck_assert_int_eq(sl_quarantine__copy(dir, 1, &walk, 66, 200), 0);
    sl_walk__close(&walk);
}
END_TEST

SL_TEST_MAIN("segment", segment__names_sort_as_numbers_do, segment__appending_moves_its_numbers,
             segment__a_failed_write_leaves_nothing_behind, segment__what_can_not_be_cut_is_broken,
             segment__creation_that_fails_leaves_no_file,
             walk__goes_from_frame_to_frame_whatever_it_reads_ahead, walk__a_file_that_grows_is_seen,
             walk__finds_the_next_frame_behind_damage, walk__steps_around_a_page_that_can_not_be_read,
             quarantine__is_bounded)
