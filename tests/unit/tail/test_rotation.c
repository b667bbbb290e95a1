/* test_rotation.c: files that are renamed, copied, truncated, deleted, replaced: every line once, under any
 * of it. */
#include "rig.h"

/* Each case runs watched and polled. */
static void begin(rig *r, const char *pattern, int round)
{
    rig_init(r);
    rig_path(r, pattern);
    if (round == 1) r->conf.watch = TAIL_WATCH_POLL;
}

static size_t count_open(rig *r)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *e; (e = readdir(dir));) {
        char link[64], target[600];
        snprintf(link, sizeof link, "/proc/self/fd/%.20s", e->d_name);
        ssize_t len = readlink(link, target, sizeof target - 1);
        if (len <= 0) continue;
        target[len] = '\0';
        n += strncmp(target, r->dir, strlen(r->dir)) == 0;
    }
    closedir(dir);
    return n;
}

/* ---- renames ---- */

START_TEST(rename__the_old_file_is_drained_and_the_new_one_read)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "app.log", round);
        rig_lines(&r, "app.log", "a", 0, 100);
        rig_start(&r);
        rig_wait(&r, 100);
        rig_lines(&r, "app.log", "a", 100, 100);
        rig_rename(&r, "app.log", "app.log.1");
        rig_lines(&r, "app.log", "b", 0, 100);
        rig_lines(&r, "app.log.1", "a", 200, 100); /* its writer still has it open */
        rig_expect_total(&r, 400);
        rig_expect_lines(&r, "a", 0, 300);
        rig_expect_lines(&r, "b", 0, 100);
        rig_release(&r);
    }
}
END_TEST

static void rotate(rig *r, int keep)
{
    char from[64], to[64];
    for (int i = keep - 1; i >= 0; i--) {
        snprintf(from, sizeof from, i ? "app.log.%d" : "app.log", i);
        snprintf(to, sizeof to, "app.log.%d", i + 1);
        rename(rig_file(r, from), rig_file(r, to));
    }
}

START_TEST(rename__rotations_faster_than_the_reader_lose_nothing)
{
    rig r;
    begin(&r, "app.log", 0);
    rig_start(&r);
    for (int i = 0; i < 20; i++) {
        rig_lines(&r, "app.log", "a", i * 100, 100);
        rotate(&r, 30);
    }
    rig_expect_total(&r, 2000);
    rig_expect_lines(&r, "a", 0, 2000);
    rig_release(&r);
}
END_TEST

/* When the new name is looked at, the file has gone on to another one. */
static rig *overtaken; /* NULL: it has happened */

static int stat_overtaken(const char *path, struct stat *st, bool follow)
{
    rig *r = overtaken;
    if (r && strcmp(path, rig_file(r, "app.log.1")) == 0) {
        overtaken = NULL;
        rig_rename(r, "app.log.1", "app.log.2");
    }
    return sl_fs_real()->stat(path, st, follow);
}

static void rotate_unseen(void *arg)
{
    rig *r = arg;
    rig_append(r, "app.log", "one\n");
    rig_rename(r, "app.log", "app.log.1");
    rig_append(r, "app.log", "two\n");
}

START_TEST(rename__a_file_that_is_renamed_faster_than_it_is_looked_at_is_found)
{
    rig r;
    sl_fs_ops ops = *sl_fs_real();
    ops.stat = stat_overtaken;
    begin(&r, "app.log", 0);
    rig_start(&r);
    overtaken = &r;
    sl_fs_swap(&ops);
    sl_loop_call_wait(r.in.loop, rotate_unseen, &r);
    rig_expect(&r, "one", "two", NULL);
    sl_fs_swap(NULL);
    ck_assert_ptr_null(overtaken);
    rig_release(&r);
}
END_TEST

START_TEST(rename__a_file_that_was_read_and_closed_is_not_read_again_under_its_next_name)
{
    rig r;
    begin(&r, "app.log", 0);
    r.times.linger_renamed = 20 * SL_NS_PER_MS;
    rig_append(&r, "app.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_rename(&r, "app.log", "app.log.1");
    rig_append(&r, "app.log", "two\n");
    rig_expect(&r, "one", "two", NULL);
    rig_sleep_ms(100);
    ck_assert_uint_eq(count_open(&r), 1);
    rig_rename(&r, "app.log.1", "app.log.2");
    rig_append(&r, "app.log", "three\n");
    rig_expect(&r, "one", "two", "three", NULL);
    rig_release(&r);
}
END_TEST

START_TEST(rename__rotations_while_the_pipeline_is_full_lose_nothing)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "app.log*", round);
        rig_start(&r);
        r.in.full = true;
        for (int i = 0; i < 10; i++) {
            rig_lines(&r, "app.log", "a", i * 100, 100);
            rotate(&r, 30);
        }
        rig_sleep_ms(50);
        r.in.full = false;
        sl_loop_call_wait(r.in.loop, sl_input_tail.input->resume, r.self);
        rig_expect_total(&r, 1000);
        rig_expect_lines(&r, "a", 0, 1000);
        rig_release(&r);
    }
}
END_TEST

START_TEST(rename__rotations_while_stopped_are_found_by_inode)
{
    const char *patterns[] = {"app.log", "app.log*"};
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, patterns[round], 0);
        rig_lines(&r, "app.log", "a", 0, 100);
        rig_start(&r);
        rig_wait(&r, 100);
        rig_stop(&r);
        rig_lines(&r, "app.log", "a", 100, 50);
        rotate(&r, 5);
        rig_lines(&r, "app.log", "a", 150, 50);
        rotate(&r, 5);
        rig_lines(&r, "app.log", "a", 200, 50);
        rig_start(&r);
        rig_expect_total(&r, 250);
        rig_expect_lines(&r, "a", 0, 250);
        rig_release(&r);
    }
}
END_TEST

START_TEST(rename__an_unfinished_last_line_is_read_when_the_file_is_complete)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "app.log", round);
        rig_append(&r, "app.log", "one\ntwo");
        rig_append(&r, "gone.log", "x");
        rig_start(&r);
        rig_expect(&r, "one", NULL);
        rig_rename(&r, "app.log", "app.log.1");
        rig_expect(&r, "one", NULL); /* it may still grow */
        rig_append(&r, "app.log.1", ", two");
        rig_sleep_ms(400);
        rig_expect(&r, "one", "two, two", NULL);
        ck_assert_uint_eq(rig_count(&r, "lines_unended_total"), 1);
        rig_append(&r, "app.log.1", "\nthree\n");
        rig_expect(&r, "one", "two, two", "three", NULL);
        rig_release(&r);
    }
}
END_TEST

START_TEST(rename__files_keep_their_id)
{
    rig r;
    begin(&r, "*.log", 0);
    rig_append(&r, "a.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_rename(&r, "a.log", "b.log");
    rig_append(&r, "b.log", "two\n");
    rig_expect(&r, "one", "two", NULL);
    rig_stop(&r);
    rig_rename(&r, "b.log", "c.log");
    rig_append(&r, "c.log", "three\n");
    rig_start(&r);
    rig_expect(&r, "one", "two", "three", NULL);
    ck_assert_mem_eq(&r.in.delivered[0].source, &r.in.delivered[2].source, sizeof(sl_id));
    rig_release(&r);
}
END_TEST

/* app.log -> app.2026-01-01_00-00-01_000001.log, as loguru names them. */
START_TEST(rename__to_a_stamp_before_the_extension_is_known_as_rotation)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "app.log", round);
        rig_append(&r, "app.log", "one\n");
        rig_start(&r);
        rig_expect(&r, "one", NULL);
        rig_stop(&r);
        rig_append(&r, "app.log", "two\n");
        rig_rename(&r, "app.log", "app.2026-01-01_00-00-01_000001.log");
        rig_append(&r, "app.log", "three\nunended");
        rig_rename(&r, "app.log", "app.2026-01-01_00-00-02_000001.log");
        rig_append(&r, "app.log", "four\n");
        rig_append(&r, "app1.log", "another\n");
        rig_start(&r);
        rig_expect(&r, "one", "two", "three", "unended", "four", NULL);
        rig_release(&r);
    }
}
END_TEST

/* logrotate rotates what is empty, too; the program is told later. */
START_TEST(rename__of_an_empty_file_that_is_written_to_later)
{
    rig r;
    begin(&r, "app.log", 0);
    rig_append(&r, "app.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_rename(&r, "app.log", "app.log.2");
    rig_append(&r, "app.log", "");
    rig_sleep_ms(30);
    rig_append(&r, "app.log.2", "two\n");
    rig_expect(&r, "one", "two", NULL);
    rig_stop(&r);
    rig_rename(&r, "app.log", "app.log.1");
    rig_append(&r, "app.log", "three\n");
    rig_start(&r);
    rig_expect(&r, "one", "two", "three", NULL);
    rig_append(&r, "app.log.1", "four\n");
    rig_expect(&r, "one", "two", "three", "four", NULL);
    rig_release(&r);
}
END_TEST

/* Several in one interval of polling, the known one gone by then. */
START_TEST(rename__rotations_between_two_polls_are_found_when_the_known_file_was_removed)
{
    rig r;
    begin(&r, "app.log", 1);
    r.conf.poll_interval = 200 * SL_NS_PER_MS;
    rig_append(&r, "app.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_rename(&r, "app.log", "app.log.3");
    rig_remove(&r, "app.log.3");
    rig_append(&r, "app.log", "two\n");
    rig_rename(&r, "app.log", "app.log.2");
    rig_append(&r, "app.log", "three\n");
    rig_rename(&r, "app.log", "app.log.1");
    rig_append(&r, "app.log", "four\n");
    rig_expect(&r, "one", "two", "three", "four", NULL);
    rig_release(&r);
}
END_TEST

/* The file has come and gone before anybody looked. */
START_TEST(rename__rotations_before_the_first_look_are_found)
{
    rig r;
    begin(&r, "app.log", 1);
    r.conf.poll_interval = 200 * SL_NS_PER_MS;
    rig_append(&r, "app.log.7", "of a time before\n");
    rig_sleep_ms(20);
    rig_start(&r);
    rig_append(&r, "app.log", "one\n");
    rig_rename(&r, "app.log", "app.log.2");
    rig_append(&r, "app.log", "two\n");
    rig_rename(&r, "app.log", "app.log.1");
    rig_append(&r, "app.log", "three\n");
    rig_expect(&r, "one", "two", "three", NULL);
    rig_release(&r);
}
END_TEST

/* It gets its name in the folder when that has been listed, but for the look at this one. */
static rig *late; /* NULL: it has happened */

static int stat_with_a_late_one(const char *path, struct stat *st, bool follow)
{
    rig *r = late;
    if (r && strcmp(path, rig_file(r, "app.log.1")) == 0) {
        late = NULL;
        rig_rename(r, "aside/two", "app.log.2");
    }
    return sl_fs_real()->stat(path, st, follow);
}

static void rotate_with_a_late_one(void *arg)
{
    rig *r = arg;
    rig_remove(r, "app.log"); /* else its new name would be looked for, in another listing */
    rig_append(r, "aside/two", "two\n");
    rig_append(r, "app.log", "three\n");
    rig_rename(r, "app.log", "app.log.1");
    rig_append(r, "app.log", "four\n");
    late = r;
}

START_TEST(rename__a_file_that_a_listing_passes_over_is_found)
{
    rig r;
    sl_fs_ops ops = *sl_fs_real();
    ops.stat = stat_with_a_late_one;
    begin(&r, "app.log", 1);
    sl_fs_mkdirs(rig_file(&r, "aside"), 0755);
    rig_append(&r, "app.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    sl_fs_swap(&ops);
    sl_loop_call_wait(r.in.loop, rotate_with_a_late_one, &r);
    rig_expect(&r, "one", "two", "three", "four", NULL);
    sl_fs_swap(NULL);
    ck_assert_ptr_null(late);
    rig_release(&r);
}
END_TEST

/* The name without the stamp is a link to it: it is written to, its last line is not complete. */
START_TEST(rename__a_stamped_file_that_a_link_leads_to_is_not_rotated)
{
    rig r;
    begin(&r, "app-*", 0);
    r.times.quiet = 50 * SL_NS_PER_MS;
    rig_append(&r, "app-20260101", "one\nhalf");
    ck_assert_int_eq(symlink("app-20260101", rig_file(&r, "app")), 0);
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_sleep_ms(200);
    rig_append(&r, "app-20260101", " and half\n");
    rig_expect(&r, "one", "half and half", NULL);
    rig_release(&r);
}
END_TEST

/* ---- copytruncate ---- */

/* The copy is complete before the truncation; the pattern sees it or not. */
START_TEST(copytruncate__is_read_once_running)
{
    const char *patterns[] = {"app.log", "app.log*"};
    for (int round = 0; round < 4; round++) {
        for (int lines = 3; lines <= 300; lines *= 100) {
            rig r;
            begin(&r, patterns[round / 2], round % 2);
            rig_lines(&r, "app.log", "a", 0, lines);
            rig_start(&r);
            rig_wait(&r, (size_t)lines);
            rig_copy(&r, "app.log", "app.log.1");
            rig_sleep_ms(round % 2 ? 100 : 20);
            rig_truncate(&r, "app.log", 0);
            rig_lines(&r, "app.log", "b", 0, lines + 50); /* longer than before */
            rig_expect_total(&r, (size_t)lines * 2 + 50);
            rig_expect_lines(&r, "a", 0, lines);
            rig_expect_lines(&r, "b", 0, lines + 50);
            rig_sleep_ms(400); /* longer than a suspect is held */
            rig_expect_total(&r, (size_t)lines * 2 + 50);
            rig_release(&r);
        }
    }
}
END_TEST

START_TEST(copytruncate__what_was_not_read_before_is_read_from_the_copy)
{
    const char *patterns[] = {"app.log", "app.log*"};
    for (int round = 0; round < 4; round++) {
        rig r;
        begin(&r, patterns[round / 2], round % 2);
        rig_lines(&r, "app.log", "a", 0, 100);
        rig_start(&r);
        rig_wait(&r, 100);
        r.in.full = true;
        rig_lines(&r, "app.log", "a", 100, 5000);
        rig_copy(&r, "app.log", "app.log.1");
        rig_truncate(&r, "app.log", 0);
        rig_lines(&r, "app.log", "b", 0, 10);
        rig_sleep_ms(60);
        r.in.full = false;
        sl_loop_call_wait(r.in.loop, sl_input_tail.input->resume, r.self);
        rig_expect_total(&r, 5110);
        rig_expect_lines(&r, "a", 0, 5100);
        rig_expect_lines(&r, "b", 0, 10);
        /* the old generation went on in the copy: one id, offsets that go on */
        ck_assert_mem_eq(&r.in.delivered[0].source, &r.in.delivered[200].source, sizeof(sl_id));
        ck_assert_uint_eq(rig_count(&r, "bytes_lost_total"), 0);
        rig_release(&r);
    }
}
END_TEST

START_TEST(copytruncate__is_read_once_when_it_happens_while_stopped)
{
    const char *patterns[] = {"app.log", "app.log*"};
    for (int round = 0; round < 4; round++) {
        rig r;
        begin(&r, patterns[round / 2], 0);
        int more = round % 2 ? 500 : 0; /* new bytes: shorter or longer than the old ones */
        rig_lines(&r, "app.log", "a", 0, 100);
        rig_start(&r);
        rig_wait(&r, 100);
        rig_sleep_ms(60);
        rig_kill(&r);
        rig_lines(&r, "app.log", "a", 100, 50);
        rig_copy(&r, "app.log", "app.log.1");
        rig_truncate(&r, "app.log", 0);
        rig_lines(&r, "app.log", "b", 0, 20 + more);
        rig_start(&r);
        rig_expect_total(&r, 170 + (size_t)more);
        rig_expect_lines(&r, "a", 0, 150);
        rig_expect_lines(&r, "b", 0, 20 + more);
        rig_stop(&r);
        rig_start(&r);
        rig_expect_total(&r, 170 + (size_t)more);
        rig_release(&r);
    }
}
END_TEST

static void copy_in_pieces(rig *r, const char *from, const char *to, size_t first, size_t piece, int pause_ms)
{
    sl_buf bytes = SL_BUF_NONE;
    sl_fs_read_file(rig_file(r, from), 1 << 30, &bytes);
    for (size_t at = 0, len = first; at < bytes.len; at += len, len = piece) {
        if (at > 0) rig_sleep_ms(pause_ms);
        if (len > bytes.len - at) len = bytes.len - at;
        rig_write(r, to, "a", (sl_span){bytes.ptr + at, len});
    }
    sl_buf_release(&bytes);
}

START_TEST(copytruncate__a_copy_that_grows_slowly_is_waited_for)
{
    rig r;
    begin(&r, "app.log*", 0);
    rig_lines(&r, "app.log", "a", 0, 1000);
    rig_start(&r);
    rig_wait(&r, 1000);
    copy_in_pieces(&r, "app.log", "app.log.1", 8000, 8000, 30);
    rig_sleep_ms(30);
    rig_truncate(&r, "app.log", 0);
    rig_lines(&r, "app.log", "b", 0, 10);
    rig_expect_total(&r, 1010);
    rig_release(&r);
}
END_TEST

START_TEST(copytruncate__a_copy_begun_with_less_than_a_head_is_waited_for)
{
    rig r;
    begin(&r, "app.log*", 0);
    rig_lines(&r, "app.log", "a", 0, 300);
    rig_start(&r);
    rig_wait(&r, 300);
    copy_in_pieces(&r, "app.log", "app.log.1", 700, SIZE_MAX, 100);
    rig_truncate(&r, "app.log", 0);
    rig_lines(&r, "app.log", "b", 0, 10);
    rig_expect_total(&r, 310);
    rig_sleep_ms(400);
    rig_expect_total(&r, 310);
    rig_release(&r);
}
END_TEST

/* The last lines are written, and read, after the copy was made: they are in neither file afterwards. */
START_TEST(copytruncate__a_copy_shorter_than_what_was_read_is_not_read_again)
{
    rig r;
    begin(&r, "app.log*", 0);
    rig_lines(&r, "app.log", "a", 0, 200);
    rig_start(&r);
    rig_wait(&r, 200);
    rig_copy(&r, "app.log", "app.log.1");
    rig_lines(&r, "app.log", "a", 200, 5);
    rig_wait(&r, 205);
    rig_truncate(&r, "app.log", 0);
    rig_lines(&r, "app.log", "b", 0, 10);
    rig_expect_total(&r, 215);
    rig_sleep_ms(400);
    rig_expect_total(&r, 215);
    rig_kill(&r);
    rig_lines(&r, "app.log.1", "late", 0, 5); /* and yet it is followed from there */
    rig_start(&r);
    rig_expect_total(&r, 220);
    rig_release(&r);
}
END_TEST

static void grow_copy_and_truncate(void *arg)
{
    rig *r = arg;
    rig_lines(r, "app.log.1", "a", 200, 50);
    rig_truncate(r, "app.log", 0);
}

/* The copying ends, and the original is truncated, at one moment of the judgement. */
static struct {
    rig *r; /* NULL: it has happened */
    ino_t original, copy;
    bool head_read;     /* of the copy, which was not complete */
    bool at_comparison; /* else when the original is looked at */
} moment;

static ino_t inode_of(int fd)
{
    struct stat st;
    return sl_fs_real()->fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static void let_it_happen(bool comparing)
{
    rig *r = moment.r;
    if (!r || !moment.head_read || comparing != moment.at_comparison) return;
    moment.r = NULL;
    grow_copy_and_truncate(r);
}

static ssize_t pread_at_the_moment(int fd, void *buf, size_t len, off_t off)
{
    ssize_t n = sl_fs_real()->pread(fd, buf, len, off);
    if (inode_of(fd) != moment.copy) return n;
    if (off == 0) moment.head_read = true;
    if (off > 0) let_it_happen(true);
    return n;
}

static int fstat_at_the_moment(int fd, struct stat *st)
{
    if (inode_of(fd) == moment.original) let_it_happen(false);
    return sl_fs_real()->fstat(fd, st);
}

START_TEST(copytruncate__may_end_in_the_middle_of_the_judgement)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        struct stat st;
        begin(&r, "app.log*", 0);
        rig_lines(&r, "app.log", "a", 0, 250);
        rig_start(&r);
        rig_expect_total(&r, 250);
        rig_lines(&r, ".copy", "a", 0, 200);
        moment.at_comparison = round == 1;
        moment.head_read = false;
        ck_assert_int_eq(stat(rig_file(&r, "app.log"), &st), 0);
        moment.original = st.st_ino;
        ck_assert_int_eq(stat(rig_file(&r, ".copy"), &st), 0);
        moment.copy = st.st_ino;
        moment.r = &r;
        sl_fs_ops ops = *sl_fs_real();
        ops.pread = pread_at_the_moment;
        ops.fstat = fstat_at_the_moment;
        sl_fs_swap(&ops);
        rig_rename(&r, ".copy", "app.log.1");
        rig_sleep_ms(300);
        sl_fs_swap(NULL);
        ck_assert_ptr_null(moment.r);
        rig_lines(&r, "app.log", "b", 0, 10);
        rig_expect_total(&r, 260);
        rig_sleep_ms(400);
        rig_expect_total(&r, 260);
        rig_expect_lines(&r, "a", 0, 250);
        rig_expect_lines(&r, "b", 0, 10);
        rig_release(&r);
    }
}
END_TEST

/* The copy is judged before the truncation is known: the judgement finds it, and wakes the copy once more. */
START_TEST(copytruncate__a_copy_that_waits_is_admitted_once)
{
    rig r;
    begin(&r, "app.log*", 0);
    rig_lines(&r, "app.log", "a", 0, 300);
    rig_start(&r);
    rig_expect_total(&r, 300);
    rig_lines(&r, "app.log.1", "a", 0, 200); /* what a copy is that is not complete */
    rig_sleep_ms(20);
    sl_loop_call_wait(r.in.loop, grow_copy_and_truncate, &r);
    rig_lines(&r, "app.log", "b", 0, 10);
    rig_expect_total(&r, 310);
    rig_expect_lines(&r, "b", 0, 10);
    rig_release(&r);
}
END_TEST

START_TEST(copytruncate__several_generations_in_a_row)
{
    const char *patterns[] = {"app.log", "app.log*"};
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, patterns[round], 0);
        rig_start(&r);
        for (int i = 0; i < 6; i++) {
            rig_lines(&r, "app.log", "a", i * 100, 100);
            rig_wait(&r, (size_t)i * 100 + 1);
            for (int k = 5; k > 0; k--) {
                char from[32], to[32];
                snprintf(from, sizeof from, "app.log.%d", k);
                snprintf(to, sizeof to, "app.log.%d", k + 1);
                rename(rig_file(&r, from), rig_file(&r, to));
            }
            rig_copy(&r, "app.log", "app.log.1");
            rig_truncate(&r, "app.log", 0);
        }
        rig_expect_total(&r, 600);
        rig_expect_lines(&r, "a", 0, 600);
        rig_release(&r);
    }
}
END_TEST

/* Written, copied to where no pattern looks, and truncated, between two looks at the empty file. */
static void rotate_what_was_seen_empty(void *arg)
{
    rig *r = arg;
    rig_lines(r, "app.log", "b", 0, 3);
    rig_rename(r, "app.log.1", "app.log.2");
    rig_copy(r, "app.log", "app.log.1");
    rig_truncate(r, "app.log", 0);
}

static void rotate_and_write_on(void *arg)
{
    rotate_what_was_seen_empty(arg);
    rig_lines(arg, "app.log", "c", 0, 100);
}

START_TEST(copytruncate__a_generation_that_came_and_went_unseen_is_read_from_its_copy)
{
    for (int round = 0; round < 8; round++) {
        rig r;
        begin(&r, "app.log", round / 2 % 2);
        rig_lines(&r, "app.log", "a", 0, 10);
        rig_start(&r);
        rig_expect_total(&r, 10);
        rig_copy(&r, "app.log", "app.log.1");
        rig_truncate(&r, "app.log", 0);
        for (int i = 0; i < 1000 && rig_count(&r, "copies_total") == 0; i++)
            rig_sleep_ms(1);
        ck_assert_uint_eq(rig_count(&r, "copies_total"), 1);
        if (round / 4) rig_stop(&r);
        if (round / 4) rig_start(&r);
        sl_loop_call_wait(r.in.loop, round % 2 ? rotate_what_was_seen_empty : rotate_and_write_on, &r);
        if (round % 2) rig_expect_total(&r, 13); /* as empty as before */
        if (round % 2) rig_lines(&r, "app.log", "c", 0, 100);
        rig_expect_total(&r, 113);
        rig_expect_lines(&r, "a", 0, 10);
        rig_expect_lines(&r, "b", 0, 3);
        rig_expect_lines(&r, "c", 0, 100);
        rig_release(&r);
    }
}
END_TEST

/* Two rotations of which only the last copy is kept. */
static void rotate_twice_and_write_on(void *arg)
{
    rig *r = arg;
    rig_truncate(r, "app.log", 0);
    rig_lines(r, "app.log", "b", 0, 3);
    rig_copy(r, "app.log", "app.log.1");
    rig_truncate(r, "app.log", 0);
    rig_lines(r, "app.log", "c", 0, 2);
}

START_TEST(copytruncate__a_generation_is_found_when_the_copy_of_the_one_before_is_gone)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "app.log", round);
        rig_lines(&r, "app.log", "a", 0, 10);
        rig_start(&r);
        rig_expect_total(&r, 10);
        sl_loop_call_wait(r.in.loop, rotate_twice_and_write_on, &r);
        rig_expect_total(&r, 15);
        rig_expect_lines(&r, "b", 0, 3);
        rig_expect_lines(&r, "c", 0, 2);
        rig_release(&r);
    }
}
END_TEST

START_TEST(copytruncate__a_writer_that_goes_on_at_its_place_leaves_a_hole_that_is_skipped)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "app.log", round);
        rig_start(&r);
        int fd = open(rig_file(&r, "app.log"), O_WRONLY | O_CREAT, 0644);
        for (int i = 0; i < 3; i++) {
            sl_buf text = SL_BUF_NONE;
            for (int k = 0; k < 2000; k++)
                sl_buf_printf(&text, "line %d of generation %d\n", k, i);
            ck_assert_int_eq(write(fd, text.ptr, text.len), (int)text.len);
            sl_buf_release(&text);
            rig_wait(&r, (size_t)(i + 1) * 2000);
            ck_assert_int_eq(ftruncate(fd, 0), 0);
            if (i == 0) rig_sleep_ms(60);
        }
        close(fd);
        rig_expect_total(&r, 6000);
        ck_assert_uint_gt(rig_count(&r, "nul_bytes_skipped_total"), 40000);
        for (size_t i = 0; i < r.in.n_delivered; i++)
            ck_assert_ptr_null(memchr(r.in.delivered[i].text, 0, r.in.delivered[i].len));
        rig_release(&r);
    }
}
END_TEST

/* ---- what only looks like a copy ---- */

START_TEST(copies__equal_files_are_files_of_their_own)
{
    rig r;
    begin(&r, "*.log", 0);
    rig_lines(&r, "a.log", "x", 0, 100);
    rig_lines(&r, "b.log", "x", 0, 100);
    rig_append(&r, "small-1.log", "started\n");
    rig_start(&r);
    rig_wait(&r, 201);
    rig_append(&r, "small-2.log", "started\n");
    rig_copy(&r, "a.log", "c.log"); /* held for a while */
    rig_expect_total(&r, 302);
    ck_assert_uint_eq(rig_count(&r, "copies_total"), 0);
    rig_release(&r);
}
END_TEST

START_TEST(copies__a_file_made_anew_with_the_same_bytes_is_read_again)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "*.log", round);
        rig_lines(&r, "job.log", "x", 0, 100);
        rig_start(&r);
        rig_wait(&r, 100);
        rig_remove(&r, "job.log");
        rig_lines(&r, "job.log", "x", 0, 100);
        rig_expect_total(&r, 200);
        rig_stop(&r);
        rig_remove(&r, "job.log");
        rig_lines(&r, "job.log", "x", 0, 100);
        rig_start(&r);
        rig_expect_total(&r, 300);
        rig_release(&r);
    }
}
END_TEST

START_TEST(copies__a_file_moved_between_file_systems_is_not_read_again)
{
    rig r;
    begin(&r, "{in,archive}/*.log", 0);
    sl_fs_mkdirs(rig_file(&r, "in"), 0755);
    sl_fs_mkdirs(rig_file(&r, "archive"), 0755);
    rig_lines(&r, "in/app.log", "x", 0, 100);
    rig_start(&r);
    rig_wait(&r, 100);
    rig_copy(&r, "in/app.log", "archive/app.log"); /* mv: copy, then unlink */
    rig_sleep_ms(20);
    rig_remove(&r, "in/app.log");
    rig_sleep_ms(500);
    rig_lines(&r, "archive/app.log", "x", 100, 10);
    rig_expect_total(&r, 110);
    rig_stop(&r);
    rig_copy(&r, "archive/app.log", "in/app.log"); /* and while stopped */
    rig_remove(&r, "archive/app.log");
    rig_start(&r);
    rig_lines(&r, "in/app.log", "x", 110, 10);
    rig_expect_total(&r, 120);
    rig_release(&r);
}
END_TEST

/* ---- truncation without a copy ---- */

START_TEST(truncate__what_comes_after_is_another_generation)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "app.log", round);
        rig_append(&r, "app.log", "one\ntwo\n");
        rig_start(&r);
        rig_expect(&r, "one", "two", NULL);
        rig_write(&r, "app.log", "w", SL_SPAN("three\n"));
        rig_expect(&r, "one", "two", "three", NULL);
        rig_write(&r, "app.log", "w", SL_SPAN("four, which is longer than what was there before it\n"));
        rig_expect(&r, "one", "two", "three", "four, which is longer than what was there before it", NULL);
        ck_assert_uint_eq(rig_count(&r, "files_truncated_total"), 2);
        rig_kill(&r);
        rig_write(&r, "app.log", "w",
                  SL_SPAN("five, which is again longer than what was there before it, also\n"));
        rig_start(&r);
        rig_wait(&r, 5);
        rig_expect_total(&r, 5);
        rig_release(&r);
    }
}
END_TEST

START_TEST(truncate__bytes_that_were_lost_are_counted)
{
    rig r;
    begin(&r, "app.log", 0);
    rig_append(&r, "app.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    r.in.full = true;
    rig_append(&r, "app.log", "lost\n");
    rig_sleep_ms(20);
    sl_loop_call_wait(r.in.loop, sl_input_tail.input->resume, r.self); /* a turn that only looks */
    rig_sleep_ms(20);
    r.in.full = false;
    rig_append(&r, "app.log", "unfinished");
    rig_expect(&r, "one", "lost", NULL);
    rig_write(&r, "app.log", "w", SL_SPAN("new\n"));
    rig_expect(&r, "one", "lost", "new", NULL);
    ck_assert_uint_eq(rig_count(&r, "bytes_lost_total"), 10);
    ck_assert_uint_eq(rig_count(&r, "files_lost_total"), 1);
    rig_release(&r);
}
END_TEST

START_TEST(truncate__a_file_cut_at_its_end_is_not_read_again)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "app.log", round);
        rig_lines(&r, "app.log", "a", 0, 100);
        rig_start(&r);
        rig_wait(&r, 100);
        struct stat st;
        stat(rig_file(&r, "app.log"), &st);
        rig_truncate(&r, "app.log", st.st_size / 100 * 60);
        rig_sleep_ms(60);
        rig_lines(&r, "app.log", "b", 0, 100);
        rig_expect_total(&r, 200);
        rig_expect_lines(&r, "b", 0, 100);
        ck_assert_uint_eq(rig_count(&r, "files_shrunk_total"), 1);
        rig_stop(&r);
        rig_truncate(&r, "app.log", st.st_size / 100 * 50);
        rig_start(&r);
        rig_sleep_ms(30);
        rig_lines(&r, "app.log", "c", 0, 10);
        rig_expect_total(&r, 210);
        rig_expect_lines(&r, "c", 0, 10);
        rig_release(&r);
    }
}
END_TEST

/* As a new file does that has got the inode of one that was closed and removed. */
static void rename_and_write_anew(void *arg)
{
    rig *r = arg;
    rig_rename(r, "a.log", "b.log");
    rig_write(r, "b.log", "w", SL_SPAN("two\nhalf"));
}

START_TEST(truncate__what_is_written_anew_after_a_rename_is_not_complete)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "*.log", round);
        r.times.quiet = 50 * SL_NS_PER_MS;
        rig_append(&r, "a.log", "one\n");
        rig_start(&r);
        rig_expect(&r, "one", NULL);
        sl_loop_call_wait(r.in.loop, rename_and_write_anew, &r);
        rig_expect(&r, "one", "two", NULL);
        rig_sleep_ms(200);
        rig_append(&r, "b.log", " and half\n");
        rig_expect(&r, "one", "two", "half and half", NULL);
        rig_release(&r);
    }
}
END_TEST

/* ---- deletion ---- */

START_TEST(delete__what_was_not_read_is_read_from_the_open_file)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "app.log", round);
        rig_append(&r, "app.log", "one\n");
        rig_start(&r);
        rig_expect(&r, "one", NULL);
        r.in.full = true;
        rig_lines(&r, "app.log", "a", 0, 10000);
        int fd = open(rig_file(&r, "app.log"), O_WRONLY | O_APPEND);
        rig_remove(&r, "app.log");
        rig_lines(&r, "app.log", "b", 0, 10);
        rig_sleep_ms(60);
        r.in.full = false;
        sl_loop_call_wait(r.in.loop, sl_input_tail.input->resume, r.self);
        rig_wait(&r, 10011);
        ck_assert_int_eq(write(fd, "from the grave\nunfinished", 25), 25);
        close(fd);
        rig_wait(&r, 10013);
        rig_expect_total(&r, 10013);
        ck_assert_uint_eq(rig_times_seen(&r, "unfinished"), 1);
        ck_assert_uint_eq(rig_count(&r, "files_deleted_total"), 1);
        rig_release(&r);
    }
}
END_TEST

START_TEST(delete__a_deleted_file_is_closed_after_a_while)
{
    rig r;
    begin(&r, "*.log", 0);
    r.times.linger_deleted = 100 * SL_NS_PER_MS;
    r.times.quiet = 20 * SL_NS_PER_MS;
    rig_append(&r, "a.log", "one\n");
    rig_append(&r, "empty.log", "");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    ck_assert_uint_eq(count_open(&r), 2);
    rig_remove(&r, "a.log");
    rig_remove(&r, "empty.log");
    rig_sleep_ms(300);
    ck_assert_uint_eq(count_open(&r), 0);
    rig_release(&r);
}
END_TEST

START_TEST(inode__one_that_is_used_again_is_another_file)
{
    rig r;
    begin(&r, "*.log", 0);
    rig_append(&r, "a.log", "the same first line\nsecond of a\n");
    rig_start(&r);
    rig_wait(&r, 2);
    rig_stop(&r);
    rig_remove(&r, "a.log");
    rig_append(&r, "b.log", "the same first line\n"); /* ext4 gives the same inode */
    rig_start(&r);
    rig_append(&r, "b.log", "second of b\n");
    rig_expect_total(&r, 4);
    ck_assert_uint_eq(rig_times_seen(&r, "the same first line"), 2);
    rig_release(&r);
}
END_TEST

/* What is known of the inode is a file that is closed and removed; the copy that has its inode now is renamed
 * before anybody looks. */
static void copy_into_its_inode(void *arg)
{
    rig *r = arg;
    rig_remove(r, "app.log.2");
    rig_copy(r, "app.log", "app.log.1");
    rig_truncate(r, "app.log", 0);
    rig_rename(r, "app.log.1", "app.log.2");
}

START_TEST(inode__one_that_a_copy_uses_again_is_known_after_a_restart)
{
    rig r;
    char name[64];
    begin(&r, "*.log*", 0);
    r.conf.max_open_files = TAIL_MIN_OPEN;
    rig_lines(&r, "app.log.2", "old", 0, 100);
    rig_lines(&r, "app.log", "a", 0, 300);
    rig_start(&r);
    rig_expect_total(&r, 400);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "f%02d.log", i);
        rig_lines(&r, name, name, 0, 10);
    }
    rig_expect_total(&r, 600);
    sl_loop_call_wait(r.in.loop, copy_into_its_inode, &r);
    rig_lines(&r, "app.log", "b", 0, 10);
    rig_expect_total(&r, 610);
    rig_sleep_ms(400); /* saved */
    rig_kill(&r);
    rig_start(&r);
    rig_sleep_ms(400);
    rig_expect_total(&r, 610);
    rig_expect_lines(&r, "a", 0, 300);
    rig_release(&r);
}
END_TEST

/* ---- links ---- */

START_TEST(link__a_swapped_one_leads_to_a_new_file_and_the_old_is_drained)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "current.log", round);
        rig_append(&r, "app-1", "one\n");
        ck_assert_int_eq(symlink("app-1", rig_file(&r, "current.log")), 0);
        rig_start(&r);
        rig_expect(&r, "one", NULL);
        rig_append(&r, "app-1", "two\n");
        rig_append(&r, "app-2", "three\n");
        ck_assert_int_eq(symlink("app-2", rig_file(&r, "new")), 0);
        rig_rename(&r, "new", "current.log");
        rig_expect(&r, "one", "two", "three", NULL);
        rig_append(&r, "app-2", "four\n");
        rig_append(&r, "app-1", "five\n");
        rig_expect(&r, "one", "two", "three", "four", "five", NULL);
        rig_release(&r);
    }
}
END_TEST

START_TEST(link__two_names_of_one_file_are_one_file)
{
    rig r;
    begin(&r, "*.log", 0);
    rig_append(&r, "a.log", "one\n");
    ck_assert_int_eq(link(rig_file(&r, "a.log"), rig_file(&r, "b.log")), 0);
    ck_assert_int_eq(symlink("a.log", rig_file(&r, "c.log")), 0);
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_append(&r, "b.log", "two\n");
    rig_expect(&r, "one", "two", NULL);
    rig_remove(&r, "a.log");
    rig_append(&r, "b.log", "three\n");
    rig_expect(&r, "one", "two", "three", NULL);
    rig_release(&r);
}
END_TEST

/* As kubelet does it: the link stays, the file behind it is rotated. */
START_TEST(link__a_second_name_met_first_after_a_restart_is_no_rename)
{
    const char *others[] = {"0.log", "m.log", "z.log"};
    rig r;
    begin(&r, "*.log", 0);
    r.times.quiet = 50 * SL_NS_PER_MS;
    rig_append(&r, "app.log", "one\nhalf");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_stop(&r);
    for (size_t i = 0; i < SL_LEN(others); i++)
        ck_assert_int_eq(link(rig_file(&r, "app.log"), rig_file(&r, others[i])), 0);
    rig_start(&r);
    rig_sleep_ms(50);
    for (size_t i = 0; i < SL_LEN(others); i++)
        rig_remove(&r, others[i]);
    rig_sleep_ms(200);
    rig_append(&r, "app.log", " and half\n");
    rig_expect(&r, "one", "half and half", NULL);
    ck_assert_uint_eq(rig_count(&r, "files_renamed_total"), 0);
    rig_release(&r);
}
END_TEST

START_TEST(link__the_file_behind_it_is_rotated)
{
    rig r;
    begin(&r, "containers/*.log", 0);
    r.times.rescan = 100 * SL_NS_PER_MS;
    sl_fs_mkdirs(rig_file(&r, "containers"), 0755);
    sl_fs_mkdirs(rig_file(&r, "pods"), 0755);
    rig_append(&r, "pods/0.log", "one\n");
    ck_assert_int_eq(symlink("../pods/0.log", rig_file(&r, "containers/app.log")), 0);
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_append(&r, "pods/0.log", "two\n");
    rig_rename(&r, "pods/0.log", "pods/0.log.20260101");
    rig_sleep_ms(30);
    rig_append(&r, "pods/0.log", "three\n");
    rig_expect(&r, "one", "two", "three", NULL);
    rig_release(&r);
}
END_TEST

static void begin_container(rig *r, const char *pattern, int round)
{
    begin(r, pattern, round);
    r->times.rescan = 60 * SL_NS_PER_S; /* not what finds it */
    sl_fs_mkdirs(rig_file(r, "containers"), 0755);
    sl_fs_mkdirs(rig_file(r, "pods"), 0755);
    rig_append(r, "pods/0.log", "one\n");
    ck_assert_int_eq(symlink("../pods/0.log", rig_file(r, "containers/app.log")), 0);
    r->conf.include_file = true;
    rig_start(r);
    rig_expect(r, "one", NULL);
}

static void expect_shown(rig *r, const char *name)
{
    for (size_t i = 0; i < r->in.n_delivered; i++)
        ck_assert_msg(strstr(r->in.delivered[i].common, name) != NULL, "%s", r->in.delivered[i].common);
}

/* The folder of the link shows nothing of it. */
START_TEST(link__what_it_leads_to_is_found_as_soon_as_it_is_made)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin_container(&r, "containers/*.log", round);
        rig_rename(&r, "pods/0.log", "pods/0.log.20260101-000001");
        rig_sleep_ms(100);
        rig_append(&r, "pods/0.log", "two\n");
        rig_expect(&r, "one", "two", NULL);
        expect_shown(&r, "containers/app.log");
        rig_release(&r);
    }
}
END_TEST

START_TEST(link__rotations_behind_it_that_are_faster_than_the_reader_lose_nothing)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin_container(&r, "containers/*.log", round);
        rig_append(&r, "pods/0.log", "two\n");
        rig_rename(&r, "pods/0.log", "pods/0.log.20260101-000001");
        rig_append(&r, "pods/0.log", "three\n");
        rig_rename(&r, "pods/0.log", "pods/0.log.20260101-000002");
        rig_append(&r, "pods/0.log", "four\n");
        rig_expect(&r, "one", "two", "three", "four", NULL);
        rig_release(&r);
    }
}
END_TEST

START_TEST(link__rotations_behind_it_while_stopped_lose_nothing)
{
    rig r;
    begin_container(&r, "containers/*.log", 0);
    rig_stop(&r);
    rig_append(&r, "pods/0.log", "two\n");
    rig_rename(&r, "pods/0.log", "pods/0.log.20260101-000001");
    rig_append(&r, "pods/0.log", "three\n");
    rig_rename(&r, "pods/0.log", "pods/0.log.20260101-000002");
    rig_append(&r, "pods/0.log", "four\n");
    rig_start(&r);
    rig_expect(&r, "one", "two", "three", "four", NULL);
    rig_release(&r);
}
END_TEST

/* The container was started again while the agent was stopped. */
START_TEST(link__a_file_that_none_leads_to_any_more_is_read_to_its_end)
{
    rig r;
    begin_container(&r, "containers/*.log", 0);
    rig_stop(&r);
    rig_append(&r, "pods/0.log", "two\n");
    rig_remove(&r, "containers/app.log");
    rig_append(&r, "pods/1.log", "three\n");
    ck_assert_int_eq(symlink("../pods/1.log", rig_file(&r, "containers/again.log")), 0);
    rig_start(&r);
    rig_expect(&r, "one", "two", "three", NULL);
    rig_release(&r);
}
END_TEST

START_TEST(link__one_that_comes_before_what_it_leads_to)
{
    for (int round = 0; round < 3; round++) {
        rig r;
        begin(&r, "containers/*.log", round == 1);
        if (round < 2) r.times.rescan = 60 * SL_NS_PER_S;
        if (round == 2) r.times.rescan = 50 * SL_NS_PER_MS; /* a folder that is not there is looked for */
        sl_fs_mkdirs(rig_file(&r, "containers"), 0755);
        if (round < 2) sl_fs_mkdirs(rig_file(&r, "pods"), 0755);
        rig_start(&r);
        ck_assert_int_eq(symlink("link", rig_file(&r, "containers/app.log")), 0);
        ck_assert_int_eq(symlink("../pods/0.log", rig_file(&r, "containers/link")), 0);
        rig_sleep_ms(30);
        if (round == 2) sl_fs_mkdirs(rig_file(&r, "pods"), 0755);
        rig_append(&r, "pods/0.log", "one\n");
        rig_expect(&r, "one", NULL);
        rig_release(&r);
    }
}
END_TEST

/* ---- descriptors ---- */

START_TEST(descriptors__more_files_than_may_be_open)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "*.log", round);
        r.conf.max_open_files = TAIL_MIN_OPEN;
        char name[64], text[64];
        for (int i = 0; i < 100; i++) {
            snprintf(name, sizeof name, "f%02d.log", i);
            rig_lines(&r, name, name, 0, 10);
        }
        rig_start(&r);
        rig_expect_total(&r, 1000);
        ck_assert_uint_le(count_open(&r), TAIL_MIN_OPEN);
        for (int i = 0; i < 100; i++) {
            snprintf(name, sizeof name, "f%02d.log", i);
            rig_lines(&r, name, name, 10, 10);
        }
        rig_expect_total(&r, 2000);
        rig_rename(&r, "f00.log", "moved.log"); /* closed by now */
        rig_lines(&r, "moved.log", "f00.log", 20, 10);
        rig_expect_total(&r, 2010);
        for (int i = 0; i < 100; i++) {
            snprintf(text, sizeof text, "f%02d.log", i);
            rig_expect_lines(&r, text, 0, i ? 20 : 30);
        }
        rig_release(&r);
    }
}
END_TEST

static void copy_and_truncate(void *arg)
{
    rig *r = arg;
    rig_copy(r, "app.log", "app.log.1");
    rig_truncate(r, "app.log", 0);
}

/* The other descriptors are those of deleted files, which are the last ones: while the original is opened to
 * be compared none but the copy's could be closed. */
START_TEST(descriptors__the_copy_keeps_its_own_while_it_is_judged)
{
    rig r;
    char name[64];
    begin(&r, "*.log*", 0);
    r.conf.max_open_files = TAIL_MIN_OPEN;
    rig_lines(&r, "app.log", "a", 0, 300);
    for (int i = 1; i < TAIL_MIN_OPEN; i++) {
        snprintf(name, sizeof name, "gone%d.log", i);
        rig_lines(&r, name, name, 0, 10);
    }
    rig_start(&r);
    rig_expect_total(&r, 300 + (TAIL_MIN_OPEN - 1) * 10);
    for (int i = 1; i < TAIL_MIN_OPEN; i++) {
        snprintf(name, sizeof name, "gone%d.log", i);
        rig_remove(&r, name);
    }
    rig_sleep_ms(20);
    sl_loop_call_wait(r.in.loop, copy_and_truncate, &r);
    rig_lines(&r, "app.log", "b", 0, 10);
    rig_expect_total(&r, 310 + (TAIL_MIN_OPEN - 1) * 10);
    rig_expect_lines(&r, "b", 0, 10);
    rig_release(&r);
}
END_TEST

/* All rotated at once, to names that are not followed: each may be written to for a while. */
START_TEST(descriptors__rotated_files_leave_room_for_others)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "*.log", round);
        r.conf.max_open_files = TAIL_MIN_OPEN;
        char name[64], moved[64];
        rig_start(&r);
        for (int i = 0; i < 50; i++) {
            snprintf(name, sizeof name, "f%02d.log", i);
            snprintf(moved, sizeof moved, "f%02d.log.1", i);
            rig_lines(&r, name, name, 0, 10);
            rig_expect_total(&r, (size_t)(i * 10 + 10));
            rig_rename(&r, name, moved);
            rig_sleep_ms(5);
        }
        rig_lines(&r, "new.log", "new", 0, 10);
        rig_expect_total(&r, 510);
        ck_assert_uint_le(count_open(&r), TAIL_MIN_OPEN);
        rig_lines(&r, "f00.log.1", "f00.log", 10, 10); /* closed by now */
        rig_expect_total(&r, 520);
        rig_release(&r);
    }
}
END_TEST

SL_TEST_MAIN(
    "tail rotation", rename__the_old_file_is_drained_and_the_new_one_read,
    rename__rotations_faster_than_the_reader_lose_nothing,
    rename__a_file_that_is_renamed_faster_than_it_is_looked_at_is_found,
    rename__a_file_that_was_read_and_closed_is_not_read_again_under_its_next_name,
    rename__rotations_while_the_pipeline_is_full_lose_nothing,
    rename__rotations_while_stopped_are_found_by_inode,
    rename__an_unfinished_last_line_is_read_when_the_file_is_complete, rename__files_keep_their_id,
    rename__to_a_stamp_before_the_extension_is_known_as_rotation,
    rename__rotations_between_two_polls_are_found_when_the_known_file_was_removed,
    rename__rotations_before_the_first_look_are_found, rename__a_file_that_a_listing_passes_over_is_found,
    rename__a_stamped_file_that_a_link_leads_to_is_not_rotated,
    rename__of_an_empty_file_that_is_written_to_later, copytruncate__is_read_once_running,
    copytruncate__what_was_not_read_before_is_read_from_the_copy,
    copytruncate__is_read_once_when_it_happens_while_stopped,
    copytruncate__a_copy_that_grows_slowly_is_waited_for,
    copytruncate__a_copy_shorter_than_what_was_read_is_not_read_again,
    copytruncate__a_copy_begun_with_less_than_a_head_is_waited_for,
    copytruncate__may_end_in_the_middle_of_the_judgement, copytruncate__a_copy_that_waits_is_admitted_once,
    copytruncate__several_generations_in_a_row,
    copytruncate__a_generation_that_came_and_went_unseen_is_read_from_its_copy,
    copytruncate__a_generation_is_found_when_the_copy_of_the_one_before_is_gone,
    copytruncate__a_writer_that_goes_on_at_its_place_leaves_a_hole_that_is_skipped,
    copies__equal_files_are_files_of_their_own, copies__a_file_made_anew_with_the_same_bytes_is_read_again,
    copies__a_file_moved_between_file_systems_is_not_read_again,
    truncate__what_comes_after_is_another_generation, truncate__bytes_that_were_lost_are_counted,
    truncate__a_file_cut_at_its_end_is_not_read_again,
    truncate__what_is_written_anew_after_a_rename_is_not_complete,
    delete__what_was_not_read_is_read_from_the_open_file, delete__a_deleted_file_is_closed_after_a_while,
    inode__one_that_is_used_again_is_another_file, inode__one_that_a_copy_uses_again_is_known_after_a_restart,
    link__a_swapped_one_leads_to_a_new_file_and_the_old_is_drained, link__two_names_of_one_file_are_one_file,
    link__a_second_name_met_first_after_a_restart_is_no_rename, link__the_file_behind_it_is_rotated,
    link__what_it_leads_to_is_found_as_soon_as_it_is_made,
    link__rotations_behind_it_that_are_faster_than_the_reader_lose_nothing,
    link__rotations_behind_it_while_stopped_lose_nothing,
    link__a_file_that_none_leads_to_any_more_is_read_to_its_end, link__one_that_comes_before_what_it_leads_to,
    descriptors__more_files_than_may_be_open, descriptors__the_copy_keeps_its_own_while_it_is_judged,
    descriptors__rotated_files_leave_room_for_others)
