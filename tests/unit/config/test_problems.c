#include "check_main.h"
#include "config/problems.h"
#include <stdio.h>

static sl_problems *problems;

static void begin(const char *text)
{
    problems = sl_problems_new();
    sl_problems_add_source(problems, "a.yaml", sl_span_of(text));
}

static sl_mark at(uint32_t line, uint32_t column, uint32_t end)
{
    return (sl_mark){"a.yaml", line, column, end ? line : 0, end};
}

/* Ends the test with what must be printed. */
static void expect(const char *want)
{
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    ck_assert_str_eq(sl_buf_cstr(&out), want);
    sl_buf_release(&out);
    sl_problems_free(problems);
}

START_TEST(problems__are_sorted_by_place_and_told_once)
{
    begin("one: 1\ntwo: 2\n");
    sl_problems_add_source(problems, "b.yaml", SL_SPAN("x"));
    sl_problems_error(problems, (sl_mark){"b.yaml", 1, 1, 0, 0}, NULL, "in b");
    sl_problems_error(problems, at(2, 6, 7), "do it", "second");
    sl_problems_warn(problems, at(1, 6, 0), NULL, "first");
    sl_problems_error(problems, at(2, 6, 7), "do it", "second");
    sl_problems_error(problems, (sl_mark){0}, NULL, "no file");
    sl_problems_error(problems, (sl_mark){.file = "a.yaml"}, NULL, "whole file");
    ck_assert_uint_eq(sl_problems_errors(problems), 4);
    ck_assert_uint_eq(sl_problems_warnings(problems), 1);
    expect("a.yaml: error: whole file\n"
           "a.yaml:1:6: warning: first\n  | one: 1\n  |      ^\n"
           "a.yaml:2:6: error: second\n  | two: 2\n  |      ^\n  hint: do it\n"
           "b.yaml:1:1: error: in b\n  | x\n  | ^\n"
           "error: no file\n");
}
END_TEST

START_TEST(problems__carets_stand_right_behind_tabs_and_wide_bytes)
{
    begin("\tk\xc3\xa9y: v\r\nnext: \x1b[31mx\x01\xff\n");
    sl_problems_error(problems, at(1, 2, 5), NULL, "e");
    sl_problems_error(problems, at(2, 7, 8), NULL, "f");
    expect("a.yaml:1:2: error: e\n  |  k\xc3\xa9y: v\n  |  ^^^\n"
           "a.yaml:2:7: error: f\n  | next: ?[31mx??\n  |       ^\n");
}
END_TEST

START_TEST(problems__hide_secrets_found_before_and_after)
{
    begin("auth: {password: hunter2, usr: me}\nkey: |\n  hunter2\n  more\n");
    sl_problems_hide(problems, at(1, 18, 25));
    sl_problems_error(problems, at(1, 27, 30), NULL, "unknown");
    sl_problems_error(problems, at(1, 18, 25), NULL, "bad");
    sl_problems_error(problems, at(3, 3, 0), NULL, "inside");
    sl_problems_hide(problems, (sl_mark){"a.yaml", 2, 6, 5, 1});
    expect("a.yaml:1:18: error: bad\n  | auth: {password: ***, usr: me}\n  |                  ^^^\n"
           "a.yaml:1:27: error: unknown\n  | auth: {password: ***, usr: me}\n  |                       ^^^\n"
           "a.yaml:3:3: error: inside\n  | ***\n  | ^^^\n");
}
END_TEST

START_TEST(problems__hide_a_line_with_many_secrets_whole)
{
    char line[301];
    for (size_t i = 0; i < 100; i++)
        memcpy(line + i * 3, "ab ", 4);
    begin(line);
    for (uint32_t i = 0; i < 100; i++)
        sl_problems_hide(problems, at(1, i * 3 + 1, i * 3 + 3));
    sl_problems_error(problems, at(1, 1, 2), NULL, "e");
    expect("a.yaml:1:1: error: e\n  | ***\n  | ^^^\n");
}
END_TEST

START_TEST(problems__hide_to_the_end_of_the_line_without_an_end)
{
    begin("a: hunter2 hunter2\n");
    sl_problems_hide(problems, at(1, 4, 0));
    sl_problems_error(problems, at(1, 1, 2), NULL, "e");
    expect("a.yaml:1:1: error: e\n  | a: ***\n  | ^\n");
}
END_TEST

START_TEST(problems__hide_passwords_in_urls)
{
    begin("url: [https://me:hunter2@es:9200, http://x:p@ss@y/a@b, http://host:80/c@d]\n");
    sl_problems_error(problems, at(1, 1, 4), NULL, "e");
    expect("a.yaml:1:1: error: e\n  | url: [https://me:***@es:9200, http://x:***@y/a@b, http://host:80/c@d]\n"
           "  | ^^^\n");
}
END_TEST

START_TEST(problems__show_a_window_of_a_long_line)
{
    char line[400];
    memset(line, 'a', sizeof line);
    line[200] = 'X';
    line[sizeof line - 1] = '\0';
    begin(line);
    sl_problems_error(problems, at(1, 201, 202), NULL, "e");
    char want[512];
    snprintf(want, sizeof want, "a.yaml:1:201: error: e\n  | …%.80sX%.29s…\n  | %81s^\n", line, line, "");
    expect(want);
}
END_TEST

START_TEST(problems__past_the_end_are_shown_behind_the_line)
{
    begin("ab\n");
    sl_problems_error(problems, at(1, 9, 0), NULL, "e");
    sl_problems_error(problems, at(7, 1, 0), NULL, "f");
    expect("a.yaml:1:9: error: e\n  | ab\n  |   ^\na.yaml:7:1: error: f\n");
}
END_TEST

START_TEST(problems__are_counted_beyond_those_kept)
{
    begin("a\n");
    for (int i = 0; i < SL_MAX_PROBLEMS + 5; i++)
        sl_problems_error(problems, at(0, 0, 0), NULL, "e%d", i);
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    ck_assert_ptr_nonnull(strstr(sl_buf_cstr(&out), "error: e99\nand 5 more: mend these first\n"));
    ck_assert_uint_eq(sl_problems_errors(problems), SL_MAX_PROBLEMS + 5);
    sl_buf_release(&out);
    sl_problems_free(problems);
}
END_TEST

SL_TEST_MAIN("problems", problems__are_sorted_by_place_and_told_once,
             problems__carets_stand_right_behind_tabs_and_wide_bytes,
             problems__hide_secrets_found_before_and_after, problems__hide_a_line_with_many_secrets_whole,
             problems__hide_to_the_end_of_the_line_without_an_end, problems__hide_passwords_in_urls,
             problems__show_a_window_of_a_long_line, problems__past_the_end_are_shown_behind_the_line,
             problems__are_counted_beyond_those_kept)
