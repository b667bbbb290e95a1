/* test_state_db.c: values survive, damage is set aside, failures leave the notes for the next commit. */
#include "check_main.h"
#include "state/state_db.h"
#include <sluice/fs.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static sl_state *open_in(const char *dir, const char *scope)
{
    sl_err err = SL_ERR_NONE;
    sl_state *state = sl_state_open(dir, sl_span_of(scope), &err);
    ck_assert_msg(state != NULL, "%s", err.text);
    ck_assert_int_eq(err.code, 0);
    return state;
}

static void put(sl_state *state, const char *key, const char *value)
{
    ck_assert_int_eq(sl_state_put(state, sl_span_of(key), sl_span_of(value), NULL), 0);
}

static void check_value(sl_state *state, const char *key, const char *expected)
{
    sl_buf value = SL_BUF_NONE;
    sl_err err = SL_ERR_NONE;
    int rc = sl_state_get(state, sl_span_of(key), &value, &err);
    if (expected) {
        ck_assert_msg(rc == 0, "%s: %s", key, err.text);
        ck_assert_str_eq(sl_buf_cstr(&value), expected);
    } else {
        ck_assert_int_eq(rc, SL_E_NOT_FOUND);
    }
    sl_buf_release(&value);
}

START_TEST(state__values_survive_closing_and_scopes_never_meet)
{
    const char *dir = sl_test_dir();
    sl_state *a = open_in(dir, "input/a/tail"), *b = open_in(dir, "input/b/tail");
    put(a, "k", "one");
    put(b, "k", "two");
    put(a, "gone", "x");
    check_value(a, "k", NULL); /* not before the commit */
    ck_assert_int_eq(sl_state_commit(a, false, NULL), 0);
    ck_assert_int_eq(sl_state_commit(b, true, NULL), 0);
    ck_assert_int_eq(sl_state_remove(a, SL_SPAN("gone"), NULL), 0);
    put(a, "k", "three");
    put(a, "k", "four");
    ck_assert_int_eq(sl_state_commit(a, true, NULL), 0);
    sl_state_close(a);
    sl_state_close(b);
    a = open_in(dir, "input/a/tail");
    b = open_in(dir, "input/b/tail");
    check_value(a, "k", "four");
    check_value(b, "k", "two");
    check_value(a, "gone", NULL);
    sl_state_close(a);
    sl_state_close(b);
}
END_TEST

static bool collect(void *arg, sl_span key, sl_span value)
{
    sl_buf *out = arg;
    sl_buf_printf(out, SL_SPAN_FMT "=" SL_SPAN_FMT " ", SL_SPAN_ARG(key), SL_SPAN_ARG(value));
    return out->len < 20;
}

static bool collect_scope(void *arg, sl_span scope, sl_span key, sl_span value)
{
    sl_buf_printf(arg, SL_SPAN_FMT "/" SL_SPAN_FMT "=" SL_SPAN_FMT " ", SL_SPAN_ARG(scope), SL_SPAN_ARG(key),
                  SL_SPAN_ARG(value));
    return true;
}

START_TEST(state__each_goes_in_order_and_stops_when_told)
{
    const char *dir = sl_test_dir();
    sl_state *state = open_in(dir, "s"), *other = open_in(dir, "t");
    put(state, "c", "3333");
    put(state, "a", "1111");
    put(state, "b", "");
    put(state, "d", "4444");
    put(other, "a", "9");
    sl_state_commit(state, false, NULL);
    sl_state_commit(other, false, NULL);
    sl_buf out = SL_BUF_NONE;
    ck_assert_int_eq(sl_state_each(state, collect, &out, NULL), 0);
    ck_assert_str_eq(sl_buf_cstr(&out), "a=1111 b= c=3333 d=4444 ");
    sl_buf_clear(&out);
    ck_assert_int_eq(sl_state_each_scope(dir, collect_scope, &out, NULL), 0);
    ck_assert_str_eq(sl_buf_cstr(&out), "s/a=1111 s/b= s/c=3333 s/d=4444 t/a=9 ");
    sl_buf_release(&out);
    sl_state_close(state);
    sl_state_close(other);
    ck_assert_int_eq(sl_state_each_scope(sl_test_dir(), collect_scope, &out, NULL), SL_E_NOT_FOUND);
}
END_TEST

START_TEST(state__what_is_too_large_is_refused)
{
    sl_state *state = open_in(sl_test_dir(), "s");
    char *big = sl_calloc(1, SL_STATE_MAX_VALUE + 1);
    ck_assert_int_eq(sl_state_put(state, SL_SPAN("k"), (sl_span){big, SL_STATE_MAX_VALUE + 1}, NULL),
                     SL_E_RANGE);
    ck_assert_int_eq(sl_state_put(state, (sl_span){big, SL_STATE_MAX_KEY + 1}, SL_SPAN("v"), NULL),
                     SL_E_RANGE);
    ck_assert_int_eq(sl_state_put(state, SL_SPAN("k"), (sl_span){big, SL_STATE_MAX_VALUE}, NULL), 0);
    ck_assert_int_eq(sl_state_commit(state, false, NULL), 0);
    sl_free(big);
    sl_state_close(state);
}
END_TEST

static bool has_file_like(const char *dir, const char *part)
{
    DIR *d = sl_fs_opendir(dir);
    bool found = false;
    for (struct dirent *e; (e = sl_fs_readdir(d));)
        if (strstr(e->d_name, part)) found = true;
    sl_fs_closedir(d);
    return found;
}

static void write_at(const char *dir, const char *name, long offset, sl_span bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, offset ? "r+" : "w");
    ck_assert_ptr_nonnull(f);
    fseek(f, offset, SEEK_SET);
    fwrite(bytes.ptr, 1, bytes.len, f);
    fclose(f);
}

START_TEST(state__what_is_no_database_is_set_aside)
{
    const char *dir = sl_test_dir();
    write_at(dir, "state.db", 0,
             SL_SPAN("this is certainly not a database, and it is longer than the header of one, which has "
                     "a hundred bytes"));
    sl_state *state = open_in(dir, "s");
    ck_assert(has_file_like(dir, "state.db.damaged-"));
    put(state, "k", "v");
    ck_assert_int_eq(sl_state_commit(state, true, NULL), 0);
    sl_state_close(state);
}
END_TEST

START_TEST(state__a_damaged_page_is_found_at_opening_and_set_aside)
{
    const char *dir = sl_test_dir();
    sl_state *state = open_in(dir, "s");
    char key[32];
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        put(state, key, "some value of some length, so that there are several pages");
    }
    sl_state_commit(state, true, NULL);
    sl_state_close(state);
    char junk[4096];
    memset(junk, 0xa5, sizeof junk);
    write_at(dir, "state.db", 4096 * 3, (sl_span){junk, sizeof junk});
    state = open_in(dir, "s");
    check_value(state, "key-1", NULL);
    ck_assert(has_file_like(dir, "state.db.damaged-"));
    sl_state_close(state);
    sl_state_close(open_in(dir, "s")); /* and only once */
}
END_TEST

START_TEST(state__a_newer_format_is_refused_and_left_alone)
{
    const char *dir = sl_test_dir();
    sl_state_close(open_in(dir, "s"));
    char path[512];
    snprintf(path, sizeof path, "%s/state.db", dir);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL);
    sqlite3_close(db);
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_state_open(dir, SL_SPAN("s"), &err));
    ck_assert_int_eq(err.code, SL_E_VERSION);
    ck_assert(!has_file_like(dir, "damaged"));
}
END_TEST

START_TEST(state__a_folder_that_is_not_there_is_an_error_with_its_name)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_state_open("/nonexistent/dir", SL_SPAN("s"), &err));
    ck_assert_int_eq(err.code, SL_E_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/dir"));
    ck_assert_ptr_null(sl_state_open(sl_test_dir(), SL_SPAN_NONE, &err));
    ck_assert_int_eq(err.code, SL_E_RANGE);
}
END_TEST

/* A limit on the file size stands in for a full disk: SQLite gets EFBIG as it would get ENOSPC. */
START_TEST(state__a_commit_that_fails_keeps_the_notes_for_the_next_one)
{
    const char *dir = sl_test_dir();
    sl_state *state = open_in(dir, "s");
    put(state, "before", "1");
    ck_assert_int_eq(sl_state_commit(state, true, NULL), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was, tight;
    getrlimit(RLIMIT_FSIZE, &was);
    tight = (struct rlimit){.rlim_cur = 16 * 1024, .rlim_max = was.rlim_max};
    setrlimit(RLIMIT_FSIZE, &tight);
    char big[8192];
    memset(big, 'x', sizeof big);
    for (char key[2] = "a"; key[0] < 'i'; key[0]++)
        ck_assert_int_eq(sl_state_put(state, sl_span_of(key), (sl_span){big, sizeof big}, NULL), 0);
    sl_err err = SL_ERR_NONE;
    ck_assert_int_eq(sl_state_commit(state, true, &err), SL_E_STATE);
    ck_assert_int_ne(err.text[0], 0);
    check_value(state, "before", "1");
    check_value(state, "a", NULL);
    ck_assert_int_eq(sl_state_commit(state, true, &err), SL_E_STATE);
    setrlimit(RLIMIT_FSIZE, &was);
    ck_assert_int_eq(sl_state_commit(state, true, NULL), 0);
    sl_buf value = SL_BUF_NONE;
    ck_assert_int_eq(sl_state_get(state, SL_SPAN("h"), &value, NULL), 0);
    ck_assert_uint_eq(value.len, sizeof big);
    sl_buf_release(&value);
    sl_state_close(state);
}
END_TEST

START_TEST(state__what_was_committed_survives_a_kill)
{
    const char *dir = sl_test_dir();
    pid_t pid = fork();
    if (pid == 0) {
        sl_state *state = sl_state_open(dir, SL_SPAN("s"), NULL);
        sl_state_put(state, SL_SPAN("soft"), SL_SPAN("1"), NULL);
        sl_state_commit(state, false, NULL);
        sl_state_put(state, SL_SPAN("hard"), SL_SPAN("2"), NULL);
        sl_state_commit(state, true, NULL);
        sl_state_put(state, SL_SPAN("lost"), SL_SPAN("3"), NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    sl_state *state = open_in(dir, "s");
    check_value(state, "soft", "1");
    check_value(state, "hard", "2");
    check_value(state, "lost", NULL);
    sl_state_close(state);
}
END_TEST

START_TEST(state__two_handles_commit_in_turn)
{
    const char *dir = sl_test_dir();
    sl_state *a = open_in(dir, "a"), *b = open_in(dir, "b");
    for (int i = 0; i < 200; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        put(a, "k", value); /* a's notes are open while b commits */
        put(b, "k", value);
        ck_assert_int_eq(sl_state_commit(b, false, NULL), 0);
        ck_assert_int_eq(sl_state_commit(a, i % 50 == 0, NULL), 0);
    }
    check_value(a, "k", "199");
    check_value(b, "k", "199");
    ck_assert_int_eq(sl_state_commit(a, true, NULL), 0); /* nothing noted, but something to sync */
    sl_state_close(a);
    sl_state_close(b);
}
END_TEST

SL_TEST_MAIN("state_db", state__values_survive_closing_and_scopes_never_meet,
             state__each_goes_in_order_and_stops_when_told, state__what_is_too_large_is_refused,
             state__what_is_no_database_is_set_aside, state__a_damaged_page_is_found_at_opening_and_set_aside,
             state__a_newer_format_is_refused_and_left_alone,
             state__a_folder_that_is_not_there_is_an_error_with_its_name,
             state__a_commit_that_fails_keeps_the_notes_for_the_next_one,
             state__what_was_committed_survives_a_kill, state__two_handles_commit_in_turn)
