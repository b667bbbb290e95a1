#include "check_main.h"
#include "config/conf_memory.h"
#include "config/env_subst.h"
#include "config/secrets.h"
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>

static sl_arena arena;
static sl_subst result;
static sl_err err;
static const char *hint;
static size_t at, len;

static int run(const char *text)
{
    err = (sl_err)SL_ERR_NONE;
    at = len = SIZE_MAX;
    return sl_env_subst(sl_span_of(text), &arena, &result, &at, &len, &hint, &err);
}

START_TEST(env_subst__puts_in_variables_and_defaults)
{
    static const struct {
        const char *text, *want;
        bool changed;
    } cases[] = {{"plain", "plain", false},
                 {"${SLUICE_A}", "alpha", true},
                 {"x-${SLUICE_A}-${SLUICE_A}y", "x-alpha-alphay", true},
                 {"${SLUICE_NONE:-d e}", "d e", true},
                 {"${SLUICE_EMPTY:-d}", "d", true},
                 {"${SLUICE_EMPTY}", "", true},
                 {"${SLUICE_A:-d}", "alpha", true},
                 {"${SLUICE_NONE:-}", "", true},
                 {"a$b $1 $", "a$b $1 $", false},
                 {"$$", "$", false},
                 {"$${SLUICE_A}", "${SLUICE_A}", false},
                 {"^a$|b$$", "^a$|b$", false},
                 {"${SLUICE_NEST}", "${SLUICE_A}", true}};
    setenv("SLUICE_A", "alpha", 1);
    setenv("SLUICE_EMPTY", "", 1);
    setenv("SLUICE_NEST", "${SLUICE_A}", 1);
    unsetenv("SLUICE_NONE");
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        ck_assert_msg(run(cases[i].text) == 0, "%s: %s", cases[i].text, err.text);
        ck_assert_str_eq(result.text.ptr, cases[i].want);
        ck_assert_uint_eq(result.text.len, strlen(cases[i].want));
        ck_assert_msg(result.changed == cases[i].changed, "%s", cases[i].text);
        ck_assert(!result.secret);
    }
    sl_arena_release(&arena);
}
END_TEST

START_TEST(env_subst__errors_have_their_place_and_never_a_value)
{
    static const struct {
        const char *text;
        int code;
        size_t at, len;
        const char *says;
    } cases[] = {
        {"ab${SLUICE_NONE}", SL_E_NOT_FOUND, 2, 14, "the environment variable `SLUICE_NONE` is not set"},
        {"${SLUICE_A", SL_E_SYNTAX, 0, 10, "`${` is not closed"},
        {"${}", SL_E_SYNTAX, 0, 3, "not the name of an environment variable"},
        {"${hunter2!}", SL_E_SYNTAX, 0, 11, "not the name of an environment variable"},
        {"${1A}", SL_E_SYNTAX, 0, 5, "not the name of an environment variable"},
        {"${A:-${B}}", SL_E_SYNTAX, 0, 9, "references do not nest"},
        {"${file:relative}", SL_E_SYNTAX, 0, 16, "must be absolute"},
        {"${file:}", SL_E_SYNTAX, 0, 8, "must be absolute"},
        {"${file:/no/such/file}", SL_E_NOT_FOUND, 0, 21, "cannot read /no/such/file: No such file"}};
    unsetenv("SLUICE_NONE");
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        ck_assert_msg(run(cases[i].text) == cases[i].code, "%s: %s", cases[i].text, err.text);
        ck_assert_msg(at == cases[i].at && len == cases[i].len, "%s: %zu %zu", cases[i].text, at, len);
        ck_assert_msg(strstr(err.text, cases[i].says), "%s: %s", cases[i].text, err.text);
        ck_assert_msg(hint != NULL && !strstr(err.text, "hunter2"), "%s", cases[i].text);
    }
    sl_arena_release(&arena);
}
END_TEST

/* Writes a file and substitutes it. */
static int run_file(const char *content, size_t size)
{
    char path[300], text[320];
    snprintf(path, sizeof path, "%s/secret", sl_test_dir());
    ck_assert_int_eq(sl_fs_write_file(path, content, size, 0600), 0);
    snprintf(text, sizeof text, "a ${file:%s} b", path);
    return run(text);
}

START_TEST(env_subst__files_lose_one_line_break_and_are_secret)
{
    ck_assert_int_eq(run_file("hunter2\n", 8), 0);
    ck_assert_str_eq(result.text.ptr, "a hunter2 b");
    ck_assert(result.secret && result.changed);
    ck_assert_int_eq(run_file("hunter2\r\n", 9), 0);
    ck_assert_str_eq(result.text.ptr, "a hunter2 b");
    ck_assert_int_eq(run_file("x\n\n", 3), 0);
    ck_assert_str_eq(result.text.ptr, "a x\n b");
    ck_assert_int_eq(run_file("", 0), 0);
    ck_assert_str_eq(result.text.ptr, "a  b");
    ck_assert_int_eq(run_file("a\0b", 3), SL_E_SYNTAX);
    ck_assert_ptr_nonnull(strstr(err.text, "NUL"));
    sl_arena_release(&arena);
}
END_TEST

START_TEST(env_subst__sizes_are_bounded)
{
    static char big[SL_MAX_SUBST_VALUE];
    memset(big, 'x', sizeof big);
    ck_assert_int_eq(run_file(big, SL_MAX_SUBST_FILE + 1), SL_E_LIMIT);
    ck_assert_int_eq(run_file(big, SL_MAX_SUBST_FILE), 0);
    big[60000] = '\0';
    setenv("SLUICE_BIG", big, 1);
    ck_assert_int_eq(run("${SLUICE_BIG}${SLUICE_BIG}${SLUICE_BIG}${SLUICE_BIG}"), 0);
    ck_assert_int_eq(run("${SLUICE_BIG}${SLUICE_BIG}${SLUICE_BIG}${SLUICE_BIG}${SLUICE_BIG}"), SL_E_LIMIT);
    sl_arena_release(&arena);
}
END_TEST

START_TEST(secrets__are_known_by_their_key)
{
    static const char *const yes[] = {
        "password", "X-Api-Key", "sasl.Password", "client-secret", "Authorization", "apikey", "pwd"};
    static const char *const no[] = {"path", "key", "user", "url", "topic", "keys", ""};
    for (size_t i = 0; i < SL_LEN(yes); i++)
        ck_assert_msg(sl_key_is_secret(sl_span_of(yes[i])), "%s", yes[i]);
    for (size_t i = 0; i < SL_LEN(no); i++)
        ck_assert_msg(!sl_key_is_secret(sl_span_of(no[i])), "%s", no[i]);
}
END_TEST

START_TEST(secrets__shown_text_is_short_clean_and_without_passwords)
{
    sl_buf out = SL_BUF_NONE;
    sl_buf_append_shown(&out, SL_SPAN("https://u:hunter2@h\x1b[0m\xc3\xa9\xc3\xa9"), 26);
    ck_assert_str_eq(sl_buf_cstr(&out), "https://u:***@h [0m\xc3\xa9…");
    sl_buf_clear(&out);
    sl_buf_append_shown(&out, SL_SPAN("https://u:hunter2@h"), 14); /* cut inside the password */
    ck_assert_str_eq(sl_buf_cstr(&out), "https://u:***…");
    sl_buf_release(&out);
}
END_TEST

static int released[3], released_count;
static void on_release(void *arg)
{
    released[released_count++] = *(int *)arg;
}

START_TEST(conf_memory__releases_the_newest_first)
{
    static int numbers[] = {1, 2, 3};
    sl_conf_memory *memory = sl_conf_memory_new();
    for (size_t i = 0; i < 3; i++)
        sl_conf_memory_own(memory, &numbers[i], on_release);
    sl_span copy = sl_conf_memory_dup(memory, SL_SPAN("abc"), true);
    ck_assert_str_eq(copy.ptr, "abc");
    ck_assert_str_eq(sl_conf_memory_dup(memory, SL_SPAN_NONE, true).ptr, "");
    sl_conf_memory_free(memory);
    ck_assert_int_eq(released_count, 3);
    ck_assert(released[0] == 3 && released[1] == 2 && released[2] == 1);
}
END_TEST

SL_TEST_MAIN("env_subst", env_subst__puts_in_variables_and_defaults,
             env_subst__errors_have_their_place_and_never_a_value,
             env_subst__files_lose_one_line_break_and_are_secret, env_subst__sizes_are_bounded,
             secrets__are_known_by_their_key, secrets__shown_text_is_short_clean_and_without_passwords,
             conf_memory__releases_the_newest_first)
