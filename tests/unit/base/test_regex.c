#include "check_main.h"
#include <pthread.h>
#include <sluice/option.h>
#include <stdio.h>

static sl_regex *parse(const char *pattern)
{
    sl_err err = SL_ERR_NONE;
    sl_regex *regex = sl_regex_parse(sl_span_of(pattern), &err);
    ck_assert_msg(regex != NULL, "%s: %s", pattern, err.text);
    return regex;
}

/* Where the pattern first matches, as "start-end", "none" or "limited". */
static void expect(const char *pattern, sl_span text, size_t from, const char *want)
{
    sl_regex *regex = parse(pattern);
    size_t start = 0, end = 0;
    bool limited = false;
    char got[64];
    if (sl_regex_find(regex, text, from, &start, &end, &limited))
        snprintf(got, sizeof got, "%zu-%zu", start, end);
    else
        snprintf(got, sizeof got, limited ? "limited" : "none");
    ck_assert_msg(strcmp(got, want) == 0, "/%s/ from %zu: %s, expected %s", pattern, from, got, want);
    sl_regex_free(regex);
}

START_TEST(regex__finds_the_first_match_from_a_place)
{
    sl_span text = SL_SPAN("ab12cd345");
    expect("[0-9]+", text, 0, "2-4");
    expect("[0-9]+", text, 3, "3-4");
    expect("[0-9]+", text, 4, "6-9");
    expect("[0-9]+", text, 9, "none");
    expect("[0-9]+", text, 10, "none");
    expect("(a)(b)(1)", text, 0, "0-3");
    expect("", SL_SPAN_NONE, 0, "0-0");
}
END_TEST

START_TEST(regex__matches_whole_characters)
{
    expect("^.$", SL_SPAN("\u00e9"), 0, "0-2");
    expect("[\u00e9\u00fc]+", SL_SPAN("x\u00f6\u00fc\u00e9y"), 0, "3-7");
    expect("(?i)\u00c9", SL_SPAN("caf\u00e9"), 0, "3-5");
    expect("\\xe9", SL_SPAN("\u00e9"), 0, "0-2");
    expect(".", SL_SPAN("\u00e9x"), 1, "2-3"); /* from inside a character: from the next */
    expect("a.b", SL_SPAN("a\0b"), 0, "0-3");
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_regex_parse(SL_SPAN("a\\Cb"), &err));
}
END_TEST

/* PCRE2 10.42 with JIT takes no é for these outside of classes. */
START_TEST(regex__negated_escapes_take_characters_beyond_ascii)
{
    sl_span text = SL_SPAN("1.\u00e9\u20ac z");
    expect("\\S+", text, 0, "0-7");
    expect("\\D\\W\\S", text, 0, "1-7");
    expect("(?<=\\S) z", text, 0, "7-9");
    expect("[\\S]+", text, 0, "0-7");
    expect("[^\\S]", text, 0, "7-8");
    expect("[]\\S]+", text, 0, "0-7");
    expect("[^]\\S]", text, 0, "7-8");
    expect("[[:digit:]\\W]+", text, 0, "0-8");
    expect("[[:]\\S", SL_SPAN("[\u00e9"), 0, "0-3");
    expect("[a[:x]\\S[:]", SL_SPAN("x\u00e9:"), 0, "0-4");
    expect("[[:^alpha:]\\]]\\S", SL_SPAN("]\u00e9"), 0, "0-3");
    expect("(?x) [0-9] # a [ that is none\n \\S [\\S]", text, 0, "0-4");
    expect("(?#[)\\S[\\S]+", text, 0, "0-7");
    expect("(?i:\\S+)", text, 0, "0-7");
    expect("\\Q\\S\\E", SL_SPAN("a\\Sb"), 0, "1-3");
    expect("\\\\S", SL_SPAN("a\\Sb"), 0, "1-3");
    expect("\\[\\S]", SL_SPAN("a[\u00e9]b"), 0, "1-5");
    expect("[\\]]\\S", SL_SPAN("a]\u00e9b"), 0, "1-4");
}
END_TEST

static bool capture(const sl_regex *regex, const char *text, sl_span *groups)
{
    bool limited;
    return sl_regex_capture(regex, sl_span_of(text), groups, &limited);
}

START_TEST(regex__named_groups_are_read_in_order)
{
    sl_err err = SL_ERR_NONE;
    sl_span got[SL_REGEX_MAX_GROUPS];
    sl_regex *regex = parse("(?<z>a)?(b)(?<y>c|(?<x>d))");
    ck_assert_int_eq(sl_regex_check_groups(regex, &err), 0);
    ck_assert_uint_eq(sl_regex_groups(regex), 3);
    static const char *const names[] = {"z", "y", "x"};
    for (uint32_t i = 0; i < 3; i++)
        ck_assert(sl_span_is_cstr(sl_regex_group(regex, i), names[i]));
    ck_assert(capture(regex, "-abc", got));
    ck_assert(sl_span_is_cstr(got[0], "a") && sl_span_is_cstr(got[1], "c") && !got[2].ptr);
    ck_assert(capture(regex, "bd", got));
    ck_assert(!got[0].ptr && sl_span_is_cstr(got[1], "d") && sl_span_is_cstr(got[2], "d"));
    ck_assert(!capture(regex, "x", got));
    sl_regex_free(regex);
    regex = parse("(?<v>\\x{100}?\u00e9?[^\\x{200}])\\z"); /* no pattern for ASCII alone */
    ck_assert(capture(regex, "ab", got) && sl_span_is_cstr(got[0], "b"));
    ck_assert(capture(regex, "\u00e9b", got) && sl_span_is_cstr(got[0], "\u00e9b"));
    sl_regex_free(regex);
    regex = parse("(?<empty>)");
    ck_assert(capture(regex, "", got) && got[0].ptr && got[0].len == 0);
    sl_regex_free(regex);
}
END_TEST

START_TEST(regex__passes_over_bytes_that_are_no_utf8)
{
    sl_span text = SL_SPAN("a\xff"
                           "b\xc3"
                           "c");
    expect("b", text, 0, "2-3");
    expect("b.c", text, 0, "none");
    expect("c$", text, 0, "4-5");
}
END_TEST

START_TEST(regex__tells_the_column_of_a_syntax_error)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_regex_parse(SL_SPAN("ab(c"), &err));
    ck_assert_int_eq(err.code, SL_E_SYNTAX);
    ck_assert_str_eq(err.text, "column 5: missing closing parenthesis");
    ck_assert_ptr_null(sl_regex_parse(SL_SPAN("(*UCP)a"), &err));
    ck_assert_int_eq(err.code, SL_E_SYNTAX);
}
END_TEST

START_TEST(regex__refuses_a_pattern_that_is_too_long)
{
    static char pattern[16 * 1024 + 1];
    memset(pattern, 'a', sizeof pattern);
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_regex_parse((sl_span){pattern, sizeof pattern}, &err));
    ck_assert_int_eq(err.code, SL_E_SYNTAX);
    sl_regex *longest = sl_regex_parse((sl_span){pattern, sizeof pattern - 1}, &err);
    ck_assert_ptr_nonnull(longest);
    sl_regex_free(longest);
}
END_TEST

START_TEST(regex__gives_up_on_catastrophic_backtracking_and_says_so)
{
    int64_t begun = sl_clock_mono_ns();
    static char text[40]; /* short of the limits of stack and heap, far beyond that of steps */
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    expect("^(a+)+$", (sl_span){text, sizeof text}, 0, "limited");
    expect("^(?:a|a)+\\z", (sl_span){text, sizeof text}, 0, "limited");
    ck_assert_int_lt(sl_clock_mono_ns() - begun, 2 * SL_NS_PER_S);
}
END_TEST

static void *match_many(void *arg)
{
    const sl_regex *regex = arg;
    intptr_t hits = 0;
    for (int i = 0; i < 2000; i++) {
        size_t start, end;
        bool limited;
        hits +=
            sl_regex_find(regex, SL_SPAN("key=value; token=abc"), 0, &start, &end, &limited) && start == 11;
    }
    return (void *)hits;
}

START_TEST(regex__is_shared_by_threads)
{
    sl_regex *regex = parse("token=\\w+");
    pthread_t threads[4];
    for (size_t i = 0; i < SL_LEN(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, match_many, regex), 0);
    for (size_t i = 0; i < SL_LEN(threads); i++) {
        void *hits = NULL;
        pthread_join(threads[i], &hits);
        ck_assert_int_eq((intptr_t)hits, 2000);
    }
    ck_assert(sl_span_is(sl_regex_text(regex), SL_SPAN("token=\\w+")));
    sl_regex_free(regex);
}
END_TEST

SL_TEST_MAIN("regex", regex__finds_the_first_match_from_a_place, regex__matches_whole_characters,
             regex__passes_over_bytes_that_are_no_utf8, regex__negated_escapes_take_characters_beyond_ascii,
             regex__named_groups_are_read_in_order, regex__tells_the_column_of_a_syntax_error,
             regex__refuses_a_pattern_that_is_too_long,
             regex__gives_up_on_catastrophic_backtracking_and_says_so, regex__is_shared_by_threads)
