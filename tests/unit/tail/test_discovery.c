/* test_discovery.c: how files are found, what is not a file, what cannot be read, and what the kernel does
 * not tell. */
#include "rig.h"
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static void begin(rig *r, const char *pattern, int round)
{
    rig_init(r);
    rig_path(r, pattern);
    if (round == 1) r->conf.watch = TAIL_WATCH_POLL;
}

static void make_folder(rig *r, const char *name)
{
    ck_assert_int_eq(sl_fs_mkdirs(rig_file(r, name), 0755), 0);
}

/* ---- folders ---- */

START_TEST(folders__new_ones_are_found_with_their_files)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "logs/**/*.log", round);
        rig_start(&r); /* not even the first folder is there */
        make_folder(&r, "logs");
        rig_append(&r, "logs/a.log", "one\n");
        rig_expect(&r, "one", NULL);
        make_folder(&r, "logs/x/y/z"); /* faster than a watch can follow */
        rig_append(&r, "logs/x/y/z/b.log", "two\n");
        rig_append(&r, "logs/x/c.log", "three\n");
        rig_expect(&r, "one", "two", "three", NULL);
        make_folder(&r, "elsewhere/in");
        rig_append(&r, "elsewhere/in/d.log", "four\n");
        rig_rename(&r, "elsewhere", "logs/elsewhere");
        rig_expect(&r, "one", "two", "three", "four", NULL);
        rig_append(&r, "logs/elsewhere/in/d.log", "five\n");
        rig_append(&r, "logs/elsewhere/in/e.txt", "no\n");
        rig_expect(&r, "one", "two", "three", "four", "five", NULL);
        rig_release(&r);
    }
}
END_TEST

START_TEST(folders__one_that_is_removed_and_made_again_is_followed_again)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "logs/app/*.log", round);
        make_folder(&r, "logs/app");
        rig_append(&r, "logs/app/a.log", "one\n");
        rig_start(&r);
        rig_expect(&r, "one", NULL);
        rig_rename(&r, "logs/app", "logs/old");
        rig_append(&r, "logs/old/a.log", "two\n");
        rig_expect(&r, "one", "two", NULL); /* the open file is read on */
        make_folder(&r, "logs/app");
        rig_append(&r, "logs/app/a.log", "three\n");
        rig_expect(&r, "one", "two", "three", NULL);
        rig_remove(&r, "logs/app/a.log");
        ck_assert_int_eq(rmdir(rig_file(&r, "logs/app")), 0);
        make_folder(&r, "logs/app");
        rig_append(&r, "logs/app/b.log", "four\n");
        rig_expect(&r, "one", "two", "three", "four", NULL);
        rig_release(&r);
    }
}
END_TEST

/* A folder whose time is older than its file system's clock is fine is looked at only when that changes. */
START_TEST(folders__polled_ones_are_looked_at_also_after_a_while)
{
    rig r;
    begin(&r, "*.log", 1);
    rig_append(&r, "a.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_sleep_ms(2500);
    rig_append(&r, "b.log", "two\n");
    rig_sleep_ms(1000);
    ck_assert_uint_eq(rig_delivered(&r), 2);
    rig_release(&r);
}
END_TEST

START_TEST(folders__a_link_to_one_may_be_swapped)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "current/*.log", round);
        make_folder(&r, "v1");
        make_folder(&r, "v2");
        rig_append(&r, "v1/a.log", "one\n");
        rig_append(&r, "v2/a.log", "two\n");
        ck_assert_int_eq(symlink("v1", rig_file(&r, "current")), 0);
        rig_start(&r);
        rig_expect(&r, "one", NULL);
        ck_assert_int_eq(symlink("v2", rig_file(&r, "new")), 0);
        rig_rename(&r, "new", "current");
        rig_expect(&r, "one", "two", NULL);
        rig_append(&r, "v2/b.log", "three\n");
        rig_append(&r, "v2/a.log", "four\n");
        rig_expect(&r, "one", "two", "three", "four", NULL);
        rig_release(&r);
    }
}
END_TEST

START_TEST(files__excluded_ones_are_left_alone_also_when_renamed_to)
{
    rig r;
    begin(&r, "*", 0);
    rig_exclude(&r, "*.gz");
    rig_exclude(&r, "skip-*");
    rig_append(&r, "a.log", "one\n");
    rig_append(&r, "a.log.1.gz", "no\n");
    rig_append(&r, "skip-me", "no\n");
    rig_append(&r, ".hidden", "no\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_append(&r, "b.gz", "no\n");
    rig_append(&r, ".c", "later\n");
    rig_rename(&r, ".c", "c");
    rig_expect(&r, "one", "later", NULL);
    rig_release(&r);
}
END_TEST

/* ---- what is not a file ---- */

START_TEST(odd__pipes_folders_sockets_and_dangling_links_are_counted_and_never_waited_for)
{
    for (int round = 0; round < 2; round++) {
        rig r;
        begin(&r, "*.log", round);
        r.times.rescan = 50 * SL_NS_PER_MS; /* they are told once for all that */
        ck_assert_int_eq(mkfifo(rig_file(&r, "pipe.log"), 0644), 0);
        make_folder(&r, "folder.log");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(address.sun_path, sizeof address.sun_path, "%.60s/socket.log", r.dir);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
        ck_assert_int_eq(symlink("nowhere", rig_file(&r, "dangling.log")), 0);
        ck_assert_int_eq(symlink("loop.log", rig_file(&r, "loop.log")), 0);
        rig_append(&r, "real.log", "one\n");
        rig_append(&r, "empty.log", "");
        rig_start(&r);
        rig_expect(&r, "one", NULL);
        rig_sleep_ms(150);
        ck_assert_uint_eq(rig_count(&r, "not_regular_total"), 3);
        rig_append(&r, "nowhere", "two\n"); /* the link leads somewhere now */
        rig_expect(&r, "one", "two", NULL);
        close(fd);
        rig_release(&r);
    }
}
END_TEST

/* ---- a file system that fails ---- */

static int fail_open, fail_read; /* errnos for paths or files named so */
static sl_fs_ops failing;

static int failing_open(int dir, const char *path, int flags, mode_t mode)
{
    int error = __atomic_load_n(&fail_open, __ATOMIC_RELAXED);
    if (error && strstr(path, "secret")) return -error;
    return sl_fs_real()->open(dir, path, flags, mode);
}

static ssize_t failing_pread(int fd, void *buf, size_t len, off_t off)
{
    int error = __atomic_load_n(&fail_read, __ATOMIC_RELAXED);
    return error ? -error : sl_fs_real()->pread(fd, buf, len, off);
}

static void swap_in_failing(void)
{
    failing = *sl_fs_real();
    failing.open = failing_open;
    failing.pread = failing_pread;
    sl_fs_swap(&failing);
}

START_TEST(failing__a_permission_that_comes_later_is_noticed)
{
    rig r;
    begin(&r, "*.log", 0);
    swap_in_failing();
    fail_open = EACCES;
    rig_append(&r, "secret.log", "one\n");
    rig_append(&r, "plain.log", "two\n");
    rig_start(&r);
    rig_expect(&r, "two", NULL);
    ck_assert_uint_ge(rig_count(&r, "open_errors_total"), 1);
    __atomic_store_n(&fail_open, 0, __ATOMIC_RELAXED);
    chmod(rig_file(&r, "secret.log"), 0600); /* the event that tells */
    rig_expect(&r, "one", "two", NULL);
    rig_release(&r);
    sl_fs_swap(NULL);
}
END_TEST

START_TEST(failing__a_file_that_vanishes_between_listing_and_opening_is_no_error)
{
    rig r;
    begin(&r, "*.log", 0);
    swap_in_failing();
    fail_open = ENOENT;
    rig_append(&r, "secret.log", "one\n");
    rig_append(&r, "plain.log", "two\n");
    rig_start(&r);
    rig_expect(&r, "two", NULL);
    ck_assert_uint_eq(rig_count(&r, "open_errors_total"), 0);
    rig_release(&r);
    fail_open = 0;
    sl_fs_swap(NULL);
}
END_TEST

START_TEST(failing__reads_are_tried_again)
{
    rig r;
    begin(&r, "*.log", 0);
    swap_in_failing();
    rig_append(&r, "a.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    __atomic_store_n(&fail_read, EIO, __ATOMIC_RELAXED);
    rig_append(&r, "a.log", "two\n");
    rig_append(&r, "b.log", "three\n");
    rig_sleep_ms(100);
    __atomic_store_n(&fail_read, 0, __ATOMIC_RELAXED);
    rig_expect(&r, "one", "two", "three", NULL);
    ck_assert_uint_ge(rig_count(&r, "read_errors_total"), 1);
    ck_assert_uint_eq(rig_count(&r, "files_truncated_total"), 0);
    rig_release(&r);
    sl_fs_swap(NULL);
}
END_TEST

START_TEST(failing__nothing_leaves_before_its_id_is_durable)
{
    rig r;
    begin(&r, "*.log", 0);
    rig_append(&r, "a.log", "one\n");
    rig_append(&r, ".b", "two\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    rig_sleep_ms(60);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was, none = {.rlim_cur = 1};
    getrlimit(RLIMIT_FSIZE, &was);
    none.rlim_max = was.rlim_max;
    setrlimit(RLIMIT_FSIZE, &none); /* stands in for a full disk */
    rig_rename(&r, ".b", "b.log");
    rig_sleep_ms(200);
    ck_assert_uint_eq(rig_delivered(&r), 1);
    ck_assert_uint_ge(rig_count(&r, "checkpoint_errors_total"), 1);
    setrlimit(RLIMIT_FSIZE, &was);
    rig_expect(&r, "one", "two", NULL);
    rig_sleep_ms(60);
    rig_kill(&r);
    rig_append(&r, "b.log", "three\n");
    rig_start(&r);
    rig_expect(&r, "one", "two", "three", NULL);
    rig_release(&r);
}
END_TEST

/* ---- events ---- */

static void lose_events(void *arg)
{
    rig *r = arg;
    char name[64];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "new-%d.log", i);
        rig_append(r, name, "new\n");
    }
    rig_append(r, "a.log", "two\n");
    rig_rename(r, "b.log", "b.log.1");
    rig_append(r, "b.log", "three\n");
    sl_watch_free(r->self->watch); /* all that is queued goes with it */
    r->self->watch = NULL;
    sl_watch_event lost = {.id = -1, .mask = IN_Q_OVERFLOW, .name = ""};
    tail_note_events(r->self, &lost, 1);
    tail_work(r->self);
}

START_TEST(events__when_they_are_lost_everything_is_looked_at)
{
    rig r;
    begin(&r, "*.log", 0);
    rig_append(&r, "a.log", "one\n");
    rig_append(&r, "b.log", "b\n");
    rig_start(&r);
    rig_expect(&r, "one", "b", NULL);
    rig_sleep_ms(20);
    sl_loop_call_wait(r.in.loop, lose_events, &r);
    rig_expect_total(&r, 54);
    ck_assert_uint_eq(rig_times_seen(&r, "two"), 1);
    ck_assert_uint_eq(rig_times_seen(&r, "three"), 1);
    ck_assert_uint_eq(rig_count(&r, "watch_overflows_total"), 1);
    rig_release(&r);
}
END_TEST

/* Writes through a mapping raise no event at all: the rescan finds them. */
START_TEST(events__what_raises_none_is_found_by_the_rescan)
{
    rig r;
    begin(&r, "*.log", 0);
    r.times.rescan = 50 * SL_NS_PER_MS;
    rig_append(&r, "a.log", "one\n");
    rig_start(&r);
    rig_expect(&r, "one", NULL);
    sl_loop_call_wait(r.in.loop, (void (*)(void *))sl_watch_stop, r.self->watch);
    rig_append(&r, "a.log", "two\n");
    rig_append(&r, "b.log", "three\n");
    rig_expect(&r, "one", "two", "three", NULL);
    rig_release(&r);
}
END_TEST

START_TEST(events__a_line_is_there_within_milliseconds)
{
    rig r;
    begin(&r, "*.log", 0);
    r.times = tail_default_times;
    rig_append(&r, "a.log", "0\n");
    rig_start(&r);
    rig_wait(&r, 1);
    int slow = 0;
    for (int i = 1; i <= 20; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d\n", i);
        rig_sleep_ms(7);
        int64_t before = sl_clock_mono_ns();
        rig_append(&r, i % 2 ? "a.log" : "b.log", text);
        while (rig_delivered(&r) < (size_t)i + 1 && sl_clock_mono_ns() - before < SL_NS_PER_S)
            usleep(200);
        slow += sl_clock_mono_ns() - before > 40 * SL_NS_PER_MS;
    }
    ck_assert_int_le(slow, 3); /* the machine may be busy now and then */
    rig_release(&r);
}
END_TEST

static bool append_value(void *arg, sl_span key, sl_span value)
{
    (void)key;
    sl_buf_append_span(arg, value);
    return true;
}

START_TEST(state__old_generations_are_forgotten)
{
    rig r;
    begin(&r, "*.log", 0);
    r.times.linger_deleted = r.times.quiet = 10 * SL_NS_PER_MS;
    r.times.rescan = 50 * SL_NS_PER_MS;
    r.times.keep_ended = 0;
    rig_append(&r, "a.log", "one\n");
    rig_append(&r, "b.log", "two\n");
    rig_start(&r);
    rig_expect(&r, "one", "two", NULL);
    rig_remove(&r, "a.log");
    rig_sleep_ms(1500); /* ages count in seconds */
    rig_stop(&r);
    sl_buf out = SL_BUF_NONE;
    sl_state *state = sl_state_open(r.state_dir, SL_SPAN("tail"), NULL);
    sl_state_each(state, append_value, &out, NULL);
    ck_assert_ptr_nonnull(strstr(sl_buf_cstr(&out), "b.log"));
    ck_assert_ptr_null(strstr(out.ptr, "a.log"));
    sl_state_close(state);
    sl_buf_release(&out);
    rig_release(&r);
}
END_TEST

SL_TEST_MAIN("tail discovery", folders__new_ones_are_found_with_their_files,
             folders__one_that_is_removed_and_made_again_is_followed_again,
             folders__polled_ones_are_looked_at_also_after_a_while, folders__a_link_to_one_may_be_swapped,
             files__excluded_ones_are_left_alone_also_when_renamed_to,
             odd__pipes_folders_sockets_and_dangling_links_are_counted_and_never_waited_for,
             failing__a_permission_that_comes_later_is_noticed,
             failing__a_file_that_vanishes_between_listing_and_opening_is_no_error,
             failing__reads_are_tried_again, failing__nothing_leaves_before_its_id_is_durable,
             events__when_they_are_lost_everything_is_looked_at,
             events__what_raises_none_is_found_by_the_rescan, events__a_line_is_there_within_milliseconds,
             state__old_generations_are_forgotten)
