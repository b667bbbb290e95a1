/* The file output alone: the engine's calls are played by this test. */
#include "../../../plugins/outputs/file/file_int.h"
#include "check_main.h"
#include "state/state_db.h"
#include <errno.h>
#include <libdeflate.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

extern const sl_plugin sl_output_file;

/* ---- the engine, played ---- */

static sl_state *state;
static sl_verdict_kind last_verdict;
static char last_reason[SL_REASON_MAX];

sl_state *sl_output_state(sl_output *out, sl_err *unused)
{
    (void)out;
    (void)unused;
    return state;
}
static sl_loop *loop;
sl_loop *sl_output_loop(sl_output *out)
{
    (void)out;
    if (!loop) loop = sl_loop_main_new();
    return loop;
}
const char *sl_output_name(sl_output *out)
{
    (void)out;
    return "file";
}
void sl_verdict_init(sl_verdict *verdict, const sl_request *req)
{
    (void)req;
    memset(verdict, 0, sizeof *verdict);
}
void sl_verdict_set(sl_verdict *verdict, sl_verdict_kind kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    verdict->kind = kind;
    vsnprintf(verdict->reason, sizeof verdict->reason, fmt, args);
    va_end(args);
}
void sl_request_done(sl_output *out, sl_request *req, const sl_verdict *verdict)
{
    (void)out;
    (void)req;
    last_verdict = verdict->kind;
    snprintf(last_reason, sizeof last_reason, "%s", verdict->reason);
}

/* ---- a file output in a folder of its own ---- */

static char dir[256], path[300];
static file_conf conf;
static void *output;

static void start(void)
{
    sl_err err = SL_ERR_NONE;
    state = sl_state_open(dir, SL_SPAN("output/p/file"), &err);
    ck_assert_msg(state != NULL, "%s", err.text);
    output = sl_output_file.output->start(NULL, &conf, &err);
    ck_assert_msg(output != NULL, "%s", err.text);
}

static void stop(void)
{
    sl_output_file.output->free(output);
    sl_state_close(state);
}

static void set_up(void)
{
    snprintf(dir, sizeof dir, "%s", sl_test_dir());
    snprintf(path, sizeof path, "%s/out/app.ndjson", dir);
    conf =
        (file_conf){.path = sl_span_of(path), .mode = 0640, .rotate = {.size = 1 << 30, .age_ns = INT64_MAX}};
    start();
}

static sl_batch *batch_of(uint64_t sequence, uint64_t source, int first, int count)
{
    sl_batch *batch = sl_batch_new();
    batch->source = (sl_id){source, 1};
    for (int i = 0; i < count; i++) {
        char text[64];
        int len = snprintf(text, sizeof text, "{\"n\":%d}", first + i);
        char *copy = sl_batch_try_alloc(batch, (size_t)len);
        memcpy(copy, text, (size_t)len);
        sl_batch_add(batch, (sl_span){copy, (size_t)len}, 0, 0, (uint64_t)(first + i));
    }
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    batch->sequence = sequence;
    return batch;
}

static sl_verdict_kind send_some(const sl_batch *batch, uint32_t from, uint32_t count)
{
    sl_record_ref *refs = sl_calloc(count, sizeof *refs);
    for (uint32_t i = 0; i < count; i++)
        refs[i] = (sl_record_ref){batch, &batch->recs[from + i]};
    sl_request req = {.recs = refs, .count = count, .attempt = 1};
    sl_output_file.output->send(output, &req);
    sl_buf_release(&req.body);
    sl_free(refs);
    return last_verdict;
}

static sl_verdict_kind send_all(const sl_batch *batch)
{
    return send_some(batch, 0, batch->count);
}

static void expect_content(const char *file, const char *expected)
{
    sl_buf text = SL_BUF_NONE;
    ck_assert_int_eq(sl_fs_read_file(file, 1 << 20, &text), 0);
    ck_assert_str_eq(sl_buf_cstr(&text), expected);
    sl_buf_release(&text);
}

/* ---- tests ---- */

START_TEST(file__writes_one_line_a_record)
{
    set_up();
    sl_batch *batch = batch_of(1, 1, 0, 3);
    ck_assert_int_eq(send_all(batch), SL_VERDICT_DELIVERED);
    expect_content(path, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
    sl_batch_unref(batch);
    stop();
}
END_TEST

START_TEST(file__what_is_sent_again_after_a_kill_is_not_written_twice)
{
    set_up();
    sl_batch *first = batch_of(1, 1, 0, 2), *second = batch_of(2, 1, 2, 3);
    send_all(first);
    send_some(second, 0, 1);
    stop();
    start();
    send_all(first);
    send_all(second); /* its first record stands there already */
    expect_content(path, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n");
    sl_batch_unref(first);
    sl_batch_unref(second);
    stop();
}
END_TEST

START_TEST(file__what_is_read_again_from_its_source_is_not_written_twice)
{
    set_up();
    sl_batch *journaled = batch_of(1, 1, 0, 3), *read_again = batch_of(7, 1, 1, 4),
             *other = batch_of(8, 2, 1, 1);
    send_all(journaled);
    stop();
    start();
    send_all(read_again); /* in another frame: two records of it stand there already */
    send_all(other);      /* the same origins, another source */
    expect_content(path, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":1}\n");
    sl_batch_unref(journaled);
    sl_batch_unref(read_again);
    sl_batch_unref(other);
    stop();
}
END_TEST

START_TEST(file__a_dead_letter_sent_again_is_written)
{
    set_up();
    sl_batch *batch = batch_of(1, 1, 5, 1), *letter = sl_batch_new();
    send_all(batch);
    letter->source = (sl_id){1, 1};
    sl_batch_set_target(letter, SL_SPAN("file"));
    sl_batch_add(letter, SL_SPAN("{\"n\":3}"), 0, 0, 3);
    ck_assert_int_eq(sl_batch_seal(letter), 0);
    send_all(letter);
    expect_content(path, "{\"n\":5}\n{\"n\":3}\n");
    sl_batch_unref(batch);
    sl_batch_unref(letter);
    stop();
}
END_TEST

START_TEST(file__only_the_sources_noted_last_are_remembered)
{
    set_up();
    for (uint64_t source = 1; source <= 8192; source++) {
        sl_batch *batch = batch_of(source, source, 0, 1);
        send_all(batch);
        sl_batch_unref(batch);
    }
    stop();
    start();
    sl_batch *old = batch_of(9000, 1, 0, 1), *new = batch_of(9001, 8192, 0, 1);
    struct stat before, after;
    ck_assert_int_eq(sl_fs_stat(path, &before), 0);
    send_all(new);
    ck_assert_int_eq(sl_fs_stat(path, &after), 0);
    ck_assert_int_eq(before.st_size, after.st_size);
    send_all(old);
    ck_assert_int_eq(sl_fs_stat(path, &after), 0);
    ck_assert_int_gt(after.st_size, before.st_size);
    sl_batch_unref(old);
    sl_batch_unref(new);
    stop();
}
END_TEST

START_TEST(file__bytes_written_but_not_noted_are_cut)
{
    set_up();
    sl_batch *batch = batch_of(1, 1, 0, 1);
    send_all(batch);
    stop();
    FILE *file = fopen(path, "a");
    fputs("{\"n\":1}\n{\"n\":", file);
    fclose(file);
    start();
    sl_batch *again = batch_of(2, 1, 1, 1);
    send_all(again);
    expect_content(path, "{\"n\":0}\n{\"n\":1}\n");
    sl_batch_unref(batch);
    sl_batch_unref(again);
    stop();
}
END_TEST

static ssize_t half_then_full(int fd, const struct iovec *iov, int n, off_t off)
{
    static int calls;
    if (calls++ % 2 == 0)
        return sl_fs_real()->pwritev(fd, &(struct iovec){iov->iov_base, iov->iov_len / 2}, 1, off);
    (void)n;
    return -ENOSPC;
}

START_TEST(file__a_full_disk_is_tried_again_and_leaves_whole_lines)
{
    set_up();
    sl_batch *first = batch_of(1, 1, 0, 1), *second = batch_of(2, 1, 1, 3);
    send_all(first);
    sl_fs_ops full = *sl_fs_real();
    full.pwritev = half_then_full;
    sl_fs_swap(&full);
    ck_assert_int_eq(send_all(second), SL_VERDICT_RETRY);
    ck_assert_ptr_nonnull(strstr(last_reason, "No space left"));
    ck_assert_ptr_nonnull(strstr(last_reason, path));
    sl_fs_swap(NULL);
    expect_content(path, "{\"n\":0}\n");
    ck_assert_int_eq(send_all(second), SL_VERDICT_DELIVERED);
    expect_content(path, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    sl_batch_unref(first);
    sl_batch_unref(second);
    stop();
}
END_TEST

/* Whether what is written can be noted in the state database. */
static void let_note(bool allowed)
{
    char db[300];
    sqlite3 *direct;
    snprintf(db, sizeof db, "%s/" SL_STATE_DB_NAME, dir);
    ck_assert_int_eq(sqlite3_open(db, &direct), SQLITE_OK);
    const char *sql = allowed
                          ? "DROP TRIGGER refuse"
                          : "CREATE TRIGGER refuse BEFORE INSERT ON state WHEN CAST(NEW.key AS TEXT) LIKE "
                            "'source/%' BEGIN SELECT RAISE(ABORT, 'refused'); END";
    ck_assert_int_eq(sqlite3_exec(direct, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(direct);
}

START_TEST(file__what_could_not_be_noted_stands_there_once)
{
    set_up();
    sl_batch *first = batch_of(1, 1, 0, 1), *second = batch_of(2, 1, 1, 2), *third = batch_of(3, 1, 3, 1);
    send_all(first);
    let_note(false);
    ck_assert_int_eq(send_all(second), SL_VERDICT_RETRY);
    ck_assert_int_eq(send_all(second), SL_VERDICT_RETRY);
    let_note(true);
    ck_assert_int_eq(send_all(second), SL_VERDICT_DELIVERED);
    ck_assert_int_eq(send_all(third), SL_VERDICT_DELIVERED);
    expect_content(path, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    sl_batch_unref(first);
    sl_batch_unref(second);
    sl_batch_unref(third);
    stop();
}
END_TEST

/* The process ends between the first write to a file and its note: no file is known yet, or the one before it
 * was. */
START_TEST(file__a_first_write_that_was_not_noted_is_cut)
{
    for (int known = 0; known < 2; known++) {
        set_up();
        conf.rotate.size = 10;
        sl_batch *before = batch_of(1, 1, 0, 2), *batch = batch_of(2, 1, 2, 1);
        if (known) send_all(before); /* the next one rotates */
        let_note(false);
        ck_assert_int_eq(send_all(batch), SL_VERDICT_RETRY);
        expect_content(path, "{\"n\":2}\n");
        stop();
        let_note(true);
        start();
        ck_assert_int_eq(send_all(batch), SL_VERDICT_DELIVERED);
        expect_content(path, "{\"n\":2}\n");
        sl_batch_unref(before);
        sl_batch_unref(batch);
        stop();
    }
}
END_TEST

static int count_files(char out[][600], int max)
{
    char folder[300];
    snprintf(folder, sizeof folder, "%s/out", dir);
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort), kept = 0;
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.' && kept < max)
            snprintf(out[kept++], 600, "%s/%s", folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return kept;
}

static void write_batches(uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i <= to; i++) {
        sl_batch *batch = batch_of(i, 1, (int)i * 10, 2);
        ck_assert_int_eq(send_all(batch), SL_VERDICT_DELIVERED);
        sl_batch_unref(batch);
    }
}

START_TEST(file__rotates_by_size_and_keeps_the_newest)
{
    static char files[16][600];
    set_up();
    conf.rotate.size = 10;
    conf.keep.count = 2;
    write_batches(1, 5);
    ck_assert_int_eq(count_files(files, 16), 3);
    expect_content(files[0], "{\"n\":50}\n{\"n\":51}\n");
    expect_content(files[1], "{\"n\":30}\n{\"n\":31}\n");
    expect_content(files[2], "{\"n\":40}\n{\"n\":41}\n");
    stop();
}
END_TEST

START_TEST(file__rotates_by_age)
{
    static char files[16][600];
    set_up();
    sl_clock_fake(1700000000 * SL_NS_PER_S);
    conf.rotate.age_ns = 60 * SL_NS_PER_S;
    write_batches(1, 1);
    sl_clock_advance(59 * SL_NS_PER_S);
    write_batches(2, 2);
    ck_assert_int_eq(count_files(files, 16), 1);
    sl_clock_advance(2 * SL_NS_PER_S);
    write_batches(3, 3);
    ck_assert_int_eq(count_files(files, 16), 2);
    ck_assert_ptr_nonnull(strstr(files[1], "app.ndjson.20231114T221421Z"));
    sl_clock_fake(-1);
    stop();
}
END_TEST

static void expect_unpacked(const char *file, int kind, const char *expected)
{
    sl_buf packed = SL_BUF_NONE;
    char text[256];
    size_t len = 0;
    ck_assert_int_eq(sl_fs_read_file(file, 1 << 20, &packed), 0);
    if (kind == FILE_COMPRESS_ZSTD) {
        len = ZSTD_decompress(text, sizeof text - 1, packed.ptr, packed.len);
        ck_assert(!ZSTD_isError(len));
    } else {
        struct libdeflate_decompressor *gzip = libdeflate_alloc_decompressor();
        ck_assert_int_eq(
            libdeflate_gzip_decompress(gzip, packed.ptr, packed.len, text, sizeof text - 1, &len), 0);
        libdeflate_free_decompressor(gzip);
    }
    text[len] = '\0';
    ck_assert_str_eq(text, expected);
    sl_buf_release(&packed);
}

static void rotate_compressed(int kind, const char *suffix)
{
    static char files[16][600];
    set_up();
    conf.rotate.size = 10;
    conf.compress = kind;
    write_batches(1, 2);
    ck_assert_int_eq(count_files(files, 16), 2);
    ck_assert(sl_span_ends_with(sl_span_of(files[1]), sl_span_of(suffix)));
    expect_unpacked(files[1], kind, "{\"n\":10}\n{\"n\":11}\n");
    stop();
}

START_TEST(file__rotated_files_are_compressed)
{
    rotate_compressed(FILE_COMPRESS_GZIP, ".gz");
    rotate_compressed(FILE_COMPRESS_ZSTD, ".zst");
}
END_TEST

/* The power may go between any two of these. */
static enum { NOTHING, FILE_SYNCED, RENAMED, FOLDER_SYNCED, REMOVED } done;

static int ordered_fsync(int fd, bool data_only)
{
    struct stat st;
    ck_assert_int_eq(fstat(fd, &st), 0);
    if (!S_ISDIR(st.st_mode) && done == NOTHING) done = FILE_SYNCED;
    if (S_ISDIR(st.st_mode) && done == RENAMED) done = FOLDER_SYNCED;
    return sl_fs_real()->fsync(fd, data_only);
}
static int ordered_rename(const char *from, const char *to)
{
    if (sl_span_ends_with(sl_span_of(from), SL_SPAN(".new")) && done == FILE_SYNCED) done = RENAMED;
    return sl_fs_real()->rename(from, to);
}
static int ordered_unlink(const char *name)
{
    ck_assert_int_eq(done, FOLDER_SYNCED);
    done = REMOVED;
    return sl_fs_real()->unlink(name);
}

START_TEST(file__the_plain_file_goes_when_the_compressed_one_is_on_the_disk)
{
    set_up();
    conf.rotate.size = 10;
    conf.compress = FILE_COMPRESS_GZIP;
    write_batches(1, 1);
    sl_fs_ops ordered = *sl_fs_real();
    ordered.fsync = ordered_fsync;
    ordered.rename = ordered_rename;
    ordered.unlink = ordered_unlink;
    done = NOTHING;
    sl_fs_swap(&ordered);
    write_batches(2, 2);
    sl_fs_swap(NULL);
    ck_assert_int_eq(done, REMOVED);
    stop();
}
END_TEST

START_TEST(file__a_compression_that_a_crash_interrupted_is_done_again)
{
    static char files[16][600];
    char plain[600], half[620];
    set_up();
    conf.rotate.size = 10;
    write_batches(1, 2);
    ck_assert_int_eq(count_files(files, 16), 2);
    snprintf(plain, sizeof plain, "%s", files[1]);
    snprintf(half, sizeof half, "%s.gz.new", plain);
    fclose(fopen(half, "w"));
    stop();
    conf.compress = FILE_COMPRESS_GZIP;
    start();
    ck_assert_int_eq(count_files(files, 16), 2);
    expect_unpacked(files[1], FILE_COMPRESS_GZIP, "{\"n\":10}\n{\"n\":11}\n");
    stop();
}
END_TEST

static sl_verdict_kind send_one(int number)
{
    sl_batch *batch = batch_of((uint64_t)number, 1, number, 1);
    sl_verdict_kind verdict = send_all(batch);
    sl_batch_unref(batch);
    return verdict;
}

START_TEST(file__what_was_moved_or_removed_by_others_is_begun_anew)
{
    char moved[320];
    set_up();
    snprintf(moved, sizeof moved, "%s.moved", path);
    send_one(1);
    ck_assert_int_eq(rename(path, moved), 0);
    ck_assert_int_eq(send_one(2), SL_VERDICT_DELIVERED);
    expect_content(path, "{\"n\":2}\n");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(send_one(3), SL_VERDICT_DELIVERED);
    expect_content(moved, "{\"n\":1}\n");
    expect_content(path, "{\"n\":3}\n");
    stop();
}
END_TEST

START_TEST(file__what_was_cut_by_others_gets_no_hole)
{
    set_up();
    send_one(1);
    send_one(2);
    ck_assert_int_eq(truncate(path, 0), 0);
    sl_fs_ops full = *sl_fs_real();
    full.pwritev = half_then_full;
    sl_fs_swap(&full);
    ck_assert_int_eq(send_one(3), SL_VERDICT_RETRY);
    sl_fs_swap(NULL);
    expect_content(path, "");
    stop();
}
END_TEST

START_TEST(file__is_written_by_one_alone)
{
    set_up();
    send_one(1);
    void *first = output;
    sl_state *first_state = state;
    start(); /* as by another process */
    ck_assert_int_eq(send_one(2), SL_VERDICT_RETRY);
    ck_assert_ptr_nonnull(strstr(last_reason, "another process"));
    expect_content(path, "{\"n\":1}\n");
    sl_output_file.output->free(first);
    sl_state_close(first_state);
    ck_assert_int_eq(send_one(2), SL_VERDICT_DELIVERED);
    expect_content(path, "{\"n\":1}\n{\"n\":2}\n");
    stop();
}
END_TEST

START_TEST(file__a_fifo_or_device_is_refused_without_waiting)
{
    set_up();
    char folder[300];
    snprintf(folder, sizeof folder, "%s/out", dir);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    ck_assert_int_eq(mkfifo(path, 0644), 0);
    ck_assert_int_eq(send_one(1), SL_VERDICT_RETRY);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    ck_assert_int_eq(send_one(1), SL_VERDICT_RETRY);
    ck_assert_ptr_nonnull(strstr(last_reason, "no regular file"));
    close(reader);
    conf.path = SL_SPAN("/dev/null");
    ck_assert_int_eq(send_one(1), SL_VERDICT_RETRY);
    stop();
}
END_TEST

START_TEST(file__grows_old_while_the_agent_is_away)
{
    static char files[16][600];
    set_up();
    send_one(1);
    stop();
    struct timespec later = {time(NULL) + 3600, 0};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[]){later, later}, 0), 0);
    conf.rotate.age_ns = 60 * SL_NS_PER_S;
    start();
    sl_clock_fake((time(NULL) + 61) * SL_NS_PER_S); /* it was written to later than it was begun */
    send_one(2);
    sl_clock_fake(-1);
    ck_assert_int_eq(count_files(files, 16), 2);
    stop();
}
END_TEST

static void end_loop(void *arg)
{
    (void)arg;
    sl_loop_stop(loop);
}

START_TEST(file__is_rotated_by_age_while_nothing_comes)
{
    static char files[16][600];
    set_up();
    stop();
    conf.rotate.age_ns = SL_NS_PER_S;
    conf.keep.count = 1;
    start();
    send_one(1);
    sl_timer *end = sl_timer_new(loop, end_loop, NULL);
    sl_timer_start(end, 3500 * SL_NS_PER_MS, 0);
    sl_loop_run(loop);
    sl_timer_free(end);
    ck_assert_int_eq(count_files(files, 16), 2);
    expect_content(files[0], "");
    expect_content(files[1], "{\"n\":1}\n");
    stop();
}
END_TEST

static int no_room(int at, const char *name, int flags, mode_t mode)
{
    if (sl_span_ends_with(sl_span_of(name), SL_SPAN(".new"))) return -ENOSPC;
    return sl_fs_real()->open(at, name, flags, mode);
}

START_TEST(file__what_cannot_be_compressed_is_still_limited)
{
    static char files[16][600];
    set_up();
    conf.rotate.size = 10;
    conf.keep.count = 2;
    conf.compress = FILE_COMPRESS_GZIP;
    sl_fs_ops full = *sl_fs_real();
    full.open = no_room;
    sl_fs_swap(&full);
    write_batches(1, 6);
    sl_fs_swap(NULL);
    ck_assert_int_eq(count_files(files, 16), 3);
    stop();
}
END_TEST

START_TEST(file__names_of_others_are_left_alone)
{
    static const char *const names[] = {"Z.bak", "Z.gz.part", "Z-", "Z-old", "Z.lz4"};
    char other[400];
    struct stat st;
    set_up();
    stop();
    char folder[300];
    snprintf(folder, sizeof folder, "%s/out", dir);
    sl_fs_mkdirs(folder, 0755);
    for (size_t i = 0; i < SL_LEN(names); i++) {
        snprintf(other, sizeof other, "%s.20200101T000000%s", path, names[i]);
        fclose(fopen(other, "w"));
    }
    conf.keep.age_ns = SL_NS_PER_MS;
    conf.compress = FILE_COMPRESS_GZIP;
    usleep(2000);
    start();
    for (size_t i = 0; i < SL_LEN(names); i++) {
        snprintf(other, sizeof other, "%s.20200101T000000%s", path, names[i]);
        ck_assert_msg(sl_fs_stat(other, &st) == 0, "%s is gone", other);
    }
    stop();
}
END_TEST

START_TEST(file__a_path_is_one_file)
{
    static const struct {
        const char *path;
        int rc;
    } cases[] = {{"/d/app.ndjson", 0}, {"app", 0},           {"/d/{app}%", 0},
                 {"", SL_E_CONFIG},    {"/d/", SL_E_CONFIG}, {"/d/{{ app }}.log", SL_E_CONFIG}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_err err = SL_ERR_NONE;
        file_conf any = {.path = sl_span_of(cases[i].path), .mode_text = SL_SPAN("0600")};
        ck_assert_msg(sl_output_file.check(&any, &err) == cases[i].rc, "%s", cases[i].path);
    }
}
END_TEST

START_TEST(file__permissions_are_octal)
{
    sl_err err = SL_ERR_NONE;
    file_conf good = {.path = SL_SPAN("a"), .mode_text = SL_SPAN("0600")},
              bad = {.path = SL_SPAN("a"), .mode_text = SL_SPAN("0888")};
    ck_assert_int_eq(sl_output_file.check(&good, &err), 0);
    ck_assert_int_eq(good.mode, 0600);
    ck_assert_int_eq(sl_output_file.check(&bad, &err), SL_E_CONFIG);
}
END_TEST

SL_TEST_MAIN("file", file__writes_one_line_a_record,
             file__what_is_sent_again_after_a_kill_is_not_written_twice,
             file__what_is_read_again_from_its_source_is_not_written_twice,
             file__a_dead_letter_sent_again_is_written, file__only_the_sources_noted_last_are_remembered,
             file__bytes_written_but_not_noted_are_cut,
             file__a_full_disk_is_tried_again_and_leaves_whole_lines,
             file__what_could_not_be_noted_stands_there_once, file__a_first_write_that_was_not_noted_is_cut,
             file__rotates_by_size_and_keeps_the_newest, file__rotates_by_age,
             file__rotated_files_are_compressed, file__a_compression_that_a_crash_interrupted_is_done_again,
             file__the_plain_file_goes_when_the_compressed_one_is_on_the_disk, file__permissions_are_octal,
             file__what_was_moved_or_removed_by_others_is_begun_anew,
             file__what_was_cut_by_others_gets_no_hole, file__is_written_by_one_alone,
             file__a_fifo_or_device_is_refused_without_waiting, file__grows_old_while_the_agent_is_away,
             file__is_rotated_by_age_while_nothing_comes, file__what_cannot_be_compressed_is_still_limited,
             file__names_of_others_are_left_alone, file__a_path_is_one_file)
