/* test_watch.c: events of folders and files arrive in order, wait while stopped, and the object may end in
 * its own call. */
#include "check_main.h"
#include <sluice/fs.h>
#include <sluice/loop.h>
#include <stdio.h>

typedef struct seen {
    sl_loop *loop;
    sl_watch *watch;
    sl_timer *timer;
    sl_buf log;
    const char *until; /* ends the loop when the log ends so */
    bool free_in_call;
} seen;

static void on_events(void *arg, const sl_watch_event *events, size_t count)
{
    seen *s = arg;
    for (size_t i = 0; i < count; i++) {
        const char *what = events[i].mask & IN_CREATE       ? "create"
                           : events[i].mask & IN_MOVED_FROM ? "from"
                           : events[i].mask & IN_MOVED_TO   ? "to"
                           : events[i].mask & IN_MODIFY     ? "modify"
                                                            : "other";
        sl_buf_printf(&s->log, "%s:%s ", what, events[i].name);
    }
    if (count || !sl_span_ends_with(sl_buf_span(&s->log), sl_span_of(s->until))) return;
    if (s->free_in_call) {
        sl_watch_free(s->watch);
        s->watch = NULL;
    }
    sl_loop_stop(s->loop);
}

static void on_timer(void *arg)
{
    seen *s = arg;
    sl_loop_stop(s->loop);
}

static seen start(void)
{
    seen s = {.loop = sl_loop_main_new(), .until = "never"};
    return s;
}

static void begin(seen *s)
{
    s->watch = sl_watch_new(s->loop, on_events, s, NULL);
    s->timer = sl_timer_new(s->loop, on_timer, s);
    sl_watch_start(s->watch);
}

/* Until the awaited event, or for at most the time given. */
static void run_for(seen *s, int64_t ns)
{
    sl_timer_start(s->timer, ns, 0);
    sl_loop_run(s->loop);
    sl_timer_stop(s->timer);
}

static void end(seen *s)
{
    sl_watch_free(s->watch);
    sl_timer_free(s->timer);
    sl_buf_release(&s->log);
    sl_loop_free(s->loop);
}

static void append(const char *path)
{
    FILE *f = fopen(path, "a");
    ck_assert_ptr_nonnull(f);
    fputs("x", f);
    fclose(f);
}

START_TEST(watch__tells_creation_and_both_halves_of_a_rename)
{
    seen s = start();
    begin(&s);
    char dir[256], a[300], b[300];
    snprintf(dir, sizeof dir, "%s", sl_test_dir());
    snprintf(a, sizeof a, "%s/a", dir);
    snprintf(b, sizeof b, "%s/b", dir);
    int id = sl_watch_add(s.watch, dir, IN_CREATE | IN_MOVE);
    ck_assert_int_ge(id, 0);
    ck_assert_int_eq(sl_watch_add(s.watch, dir, IN_CREATE | IN_MOVE), id);
    append(a);
    sl_fs_rename(a, b);
    s.until = "to:b ";
    run_for(&s, 5 * SL_NS_PER_S);
    ck_assert_str_eq(sl_buf_cstr(&s.log), "create:a from:a to:b ");
    end(&s);
}
END_TEST

START_TEST(watch__events_wait_while_it_is_stopped)
{
    seen s = start();
    begin(&s);
    char file[300];
    snprintf(file, sizeof file, "%s/f", sl_test_dir());
    append(file);
    ck_assert_int_ge(sl_watch_add(s.watch, file, IN_MODIFY), 0);
    sl_watch_stop(s.watch);
    append(file);
    append(file);
    run_for(&s, 50 * SL_NS_PER_MS);
    ck_assert_uint_eq(s.log.len, 0);
    sl_watch_read(s.watch);
    ck_assert_str_eq(sl_buf_cstr(&s.log), "modify: ");
    sl_buf_clear(&s.log);
    append(file);
    append(file);
    sl_watch_start(s.watch);
    s.until = "modify: ";
    run_for(&s, 5 * SL_NS_PER_S);
    ck_assert_str_eq(sl_buf_cstr(&s.log), "modify: "); /* two equal ones are one */
    end(&s);
}
END_TEST

START_TEST(watch__may_be_freed_in_its_own_call)
{
    seen s = start();
    begin(&s);
    s.free_in_call = true;
    s.until = "create:a ";
    char dir[256], a[300];
    snprintf(dir, sizeof dir, "%s", sl_test_dir());
    snprintf(a, sizeof a, "%s/a", dir);
    sl_watch_add(s.watch, dir, IN_CREATE);
    append(a);
    run_for(&s, 5 * SL_NS_PER_S);
    ck_assert_ptr_null(s.watch);
    end(&s);
}
END_TEST

START_TEST(watch__what_is_not_there_is_an_errno)
{
    seen s = start();
    begin(&s);
    ck_assert_int_eq(sl_watch_add(s.watch, "/nonexistent/x", IN_MODIFY), -2);
    end(&s);
}
END_TEST

SL_TEST_MAIN("watch", watch__tells_creation_and_both_halves_of_a_rename,
             watch__events_wait_while_it_is_stopped, watch__may_be_freed_in_its_own_call,
             watch__what_is_not_there_is_an_errno)
