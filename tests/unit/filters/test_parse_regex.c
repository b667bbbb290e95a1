#include "check_main.h"
#include "parse_cases.h"

extern const sl_plugin sl_filter_parse;

#define FILL                                                                                                 \
    "a text to be cut \"anywhere\", of which no two lines have as much as the other, and of a hundred "      \
    "bytes or more"
#define REGEX(more) "{format: regex, " more "}"

START_TEST(regex__groups_become_members)
{
    static const sl_line_case cases[] = {
        {REGEX("pattern: '(?<b>\\w+) (?<a>\\w+)'"), SL_SPAN("one two"), "missing_times_total", NULL,
         "{" SL_TEST_READ_TIME ",\"b\":\"one\",\"a\":\"two\"}\n"},
        {REGEX("pattern: '(?:(?<x>x)|(?<y>y))(?<z>z)?'"), SL_SPAN("y"), NULL, NULL,
         "{" SL_TEST_READ_TIME ",\"y\":\"y\"}\n"},
        {REGEX("pattern: '(?<x>a)?b'"), SL_SPAN("b"), NULL, NULL, "{" SL_TEST_READ_TIME "}\n"},
        {REGEX("pattern: '(?<all>(?<in>\\w) (\\w))'"), SL_SPAN("-a b-"), NULL, NULL,
         "{" SL_TEST_READ_TIME ",\"all\":\"a b\",\"in\":\"a\"}\n"},
        {REGEX("pattern: '(?|(?<v>a)1|(?<v>b)2)'"), SL_SPAN("b2"), NULL, NULL,
         "{" SL_TEST_READ_TIME ",\"v\":\"b\"}\n"},
        {REGEX("pattern: \"(?'q'.)(?P<p>.)\""), SL_SPAN("\xc3\xa9\xe2\x82\xac"), NULL, NULL,
         "{" SL_TEST_READ_TIME ",\"q\":\"\xc3\xa9\",\"p\":\"\xe2\x82\xac\"}\n"},
        {REGEX("pattern: '(?<e>)(?<r>.*)'"), SL_SPAN("x"), NULL, NULL,
         "{" SL_TEST_READ_TIME ",\"e\":\"\",\"r\":\"x\"}\n"},
        /* types */
        {REGEX("pattern: '(?<n>\\S+) (?<f>\\S+) (?<b>\\S+)', types: {n: int, f: float, b: bool}"),
         SL_SPAN("007 1.50 yes"), NULL, NULL, "{" SL_TEST_READ_TIME ",\"n\":7,\"f\":1.50,\"b\":true}\n"},
        {REGEX("pattern: '(?<n>\\S+) (?<f>\\S+)', types: {n: int, f: float}"), SL_SPAN("-12.9 -1e5"), NULL,
         NULL, "{" SL_TEST_READ_TIME ",\"n\":-12,\"f\":-1e5}\n"},
        {REGEX("pattern: '(?<n>.+)', types: {n: int}"), SL_SPAN("123456789012345678901234567890"), NULL, NULL,
         "{" SL_TEST_READ_TIME ",\"n\":123456789012345678901234567890}\n"},
        {REGEX("pattern: '(?<bytes>\\S+)', types: {bytes: int}"), SL_SPAN("-"), "unconverted_total", NULL,
         "{" SL_TEST_READ_TIME ",\"bytes\":\"-\"}\n"},
        {REGEX("pattern: '(?<n>\\d*)x', types: {n: int}"), SL_SPAN("x"), "unconverted_total", NULL,
         "{" SL_TEST_READ_TIME ",\"n\":\"\"}\n"},
        {REGEX("pattern: '(?<f>\\S+)', types: {f: float}"), SL_SPAN("NaN"), "unconverted_total", NULL,
         "{" SL_TEST_READ_TIME ",\"f\":\"NaN\"}\n"},
        {REGEX("pattern: '(?<f>\\S+)', types: {f: float}"), SL_SPAN("1.\xff"), "unconverted_total", NULL,
         "{" SL_TEST_READ_TIME ",\"f\":\"1.\xef\xbf\xbd\"}\n"},
        /* times */
        {REGEX("pattern: '(?<time>\\S+) (?<m>.*)'"), SL_SPAN("2020-01-02T03:04:05Z hi"), NULL, NULL,
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"time\":\"2020-01-02T03:04:05Z\",\"m\":\"hi\"}\n"},
        {REGEX("pattern: '(?<ts>\\S+)', types: {ts: float}"), SL_SPAN("1577934245.5"), NULL, NULL,
         "{\"@timestamp\":\"2020-01-02T03:04:05.500Z\",\"ts\":1577934245.5}\n"},
        {REGEX("pattern: '(?<time>\\d+)', types: {time: int}"), SL_SPAN("35"), NULL, NULL,
         "{" SL_TEST_READ_TIME ",\"time\":35}\n"},
        {REGEX("pattern: '(?<time>\\d+)'"), SL_SPAN("35"), "bad_times_total", NULL,
         "{" SL_TEST_READ_TIME ",\"time\":\"35\"}\n"},
        {REGEX("pattern: '(?<x>\\S+) (?<at>.+)', time: {field: [x, at], zone: Europe/Berlin, keep: false}"),
         SL_SPAN("soon 2020-07-02 03:04:05"), NULL, NULL,
         "{\"@timestamp\":\"2020-07-02T01:04:05.000Z\",\"x\":\"soon\"}\n"},
        {REGEX("pattern: '(?<at>.+)', time: {field: at, format: \"%b %e %H:%M:%S\"}"),
         SL_SPAN("Dec  1 03:04:05"), NULL, NULL,
         "{\"@timestamp\":\"2023-12-01T03:04:05.000Z\",\"at\":\"Dec  1 03:04:05\"}\n"},
        /* names that are joined as well */
        {REGEX("pattern: '(?<offset>\\d+)'"), SL_SPAN("5"), NULL, NULL,
         "{" SL_TEST_READ_TIME ",\"offset\":\"5\"}\n"},
        /* a pattern that goes back over and over */
        {REGEX("pattern: '^(?<a>(a+)+)$'"), SL_SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
         "errors_total", "match_limit",
         "{" SL_TEST_READ_TIME ",\"message\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\","
         "\"parse_error\":\"" SL_TEST_LIMITED "\"}\n"},
        {REGEX("pattern: '(*NO_JIT)^(?<a>(a+)+)$'"),
         SL_SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"), "errors_total", "match_limit",
         "{" SL_TEST_READ_TIME ",\"message\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\",\"parse_"
         "error\":\"" SL_TEST_LIMITED "\"}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++)
        sl_test_line_check(&cases[i]);
}
END_TEST

START_TEST(regex__what_fails_is_kept_dropped_or_dead_lettered)
{
    static const struct {
        const char *yaml;
        sl_fate fate;
        const char *reason, *sealed;
    } cases[] = {
        {"{format: nginx, error_field: why}", SL_FATE_LIVE, NULL,
         "{\"message\":\"oops\",\"why\":\"" SL_TEST_NO_MATCH "\"}\n"},
        {"{format: nginx, on_error: drop}", SL_FATE_DROPPED, "parse_error", ""},
        {"{format: nginx, on_error: dead_letter}", SL_FATE_DEAD_LETTERED, SL_TEST_NO_MATCH, ""},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, cases[i].yaml);
        sl_batch *batch = sl_test_batch_raw(NULL, 0, "oops");
        sl_test_filter_apply(filter, batch);
        ck_assert_int_eq(batch->recs[0].fate, cases[i].fate);
        if (cases[i].reason) ck_assert_str_eq(batch->recs[0].drop_reason, cases[i].reason);
        ck_assert_str_eq(sl_test_batch_sealed(batch), cases[i].sealed);
        sl_test_filter_free(filter);
    }
}
END_TEST

START_TEST(regex__a_line_that_was_cut_says_so)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, REGEX("pattern: '(?<a>.*)'"));
    ck_assert_str_eq(sl_test_line_parsed(filter, SL_RECORD_TRUNCATED, SL_SPAN("x")),
                     "{" SL_TEST_READ_TIME ",\"a\":\"x\",\"truncated\":true}\n");
    sl_test_filter_free(filter);
    filter = sl_test_filter_new(&sl_filter_parse, REGEX("pattern: '(?<truncated>.*)'"));
    ck_assert_str_eq(sl_test_line_parsed(filter, SL_RECORD_TRUNCATED, SL_SPAN("x")),
                     "{" SL_TEST_READ_TIME ",\"truncated\":\"x\"}\n");
    sl_test_filter_free(filter);
}
END_TEST

/* No name is there twice: the record's own wins, as with JSON. */
START_TEST(regex__names_in_common_are_there_once)
{
    sl_test_filter *filter =
        sl_test_filter_new(&sl_filter_parse, REGEX("pattern: '(?<host>\\w+)(?: (?<offset>\\w+))?'"));
    sl_batch *batch =
        sl_test_batch_raw("\"host\":\"h\",\"file\":\"f\"", SL_RECORD_COMMON | SL_RECORD_OFFSET, "a b\nc\n");
    sl_test_filter_apply(filter, batch);
    ck_assert_str_eq(sl_test_batch_written(batch),
                     "{" SL_TEST_READ_TIME ",\"file\":\"f\",\"host\":\"a\",\"offset\":\"b\"}\n"
                     "{" SL_TEST_READ_TIME ",\"offset\":4,\"file\":\"f\",\"host\":\"c\"}\n");
    sl_test_filter_free(filter);
    filter = sl_test_filter_new(&sl_filter_parse, REGEX("pattern: '(?<a>.*)'"));
    batch = sl_test_batch_raw("\"truncated\":0", SL_RECORD_COMMON | SL_RECORD_TRUNCATED, "x\n");
    sl_test_filter_apply(filter, batch);
    ck_assert_str_eq(sl_test_batch_written(batch),
                     "{" SL_TEST_READ_TIME ",\"a\":\"x\",\"truncated\":true}\n");
    sl_test_filter_free(filter);
}
END_TEST

/* Many lines fill several pieces of the arena; those that fail stand between the others. */
START_TEST(regex__a_batch_keeps_its_order)
{
    sl_buf lines = SL_BUF_NONE, want = SL_BUF_NONE;
    for (int i = 0; i < 5000; i++) {
        if (i % 7 == 3) {
            sl_buf_printf(&lines, "oops%d\n", i);
            sl_buf_printf(&want, "{\"message\":\"oops%d\",\"parse_error\":\"" SL_TEST_NO_MATCH "\"}\n", i);
        } else {
            sl_buf_printf(&lines, "n=%d %.*s\n", i, i % 100, FILL);
            sl_buf_printf(&want, "{\"n\":%d,\"rest\":", i);
            sl_json_write_string(&want, (sl_span){FILL, (size_t)(i % 100)});
            sl_buf_append_cstr(&want, "}\n");
        }
    }
    sl_test_filter *filter =
        sl_test_filter_new(&sl_filter_parse, REGEX("pattern: '^n=(?<n>\\d+) (?<rest>.*)', types: {n: int}"));
    sl_batch *batch = sl_test_batch_raw(NULL, 0, sl_buf_cstr(&lines));
    sl_test_filter_apply(filter, batch);
    sl_test_batch_expect(batch, &want);
    ck_assert_uint_eq(sl_test_filter_count(filter, "errors_total", "no_match"), 714);
    sl_test_filter_free(filter);
    sl_buf_release(&lines);
    sl_buf_release(&want);
}
END_TEST

START_TEST(regex__a_field_gives_way_to_its_object)
{
    static const struct {
        const char *line, *written;
    } cases[] = {
        {"{\"log\":\"2020-01-02T03:04:05Z \\\"hi\\\"\\n\",\"s\":1}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"log\":{\"time\":\"2020-01-02T03:04:05Z\",\"m\":"
         "\"\\\"hi\\\"\"},"
         "\"s\":1}\n"},
        {"{\"log\":\"a b\"}", "{" SL_TEST_READ_TIME ",\"log\":{\"time\":\"a\",\"m\":\"b\"}}\n"},
        {"{\"log\":\"oops\"}",
         "{" SL_TEST_READ_TIME ",\"log\":\"oops\",\"parse_error\":\"" SL_TEST_NO_MATCH "\"}\n"},
        {"{\"log\":\"\"}", "{" SL_TEST_READ_TIME ",\"log\":\"\"}\n"},
        {"{\"log\":5}", "{" SL_TEST_READ_TIME ",\"log\":5}\n"},
        {"{\"other\":5}", "{" SL_TEST_READ_TIME ",\"other\":5}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_test_filter *filter =
            sl_test_filter_new(&sl_filter_parse, REGEX("pattern: '^(?<time>\\S+) (?<m>.*)$', field: log"));
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, cases[i].line);
        sl_test_filter_apply(filter, batch);
        ck_assert_str_eq(sl_test_batch_written(batch), cases[i].written);
        sl_test_filter_free(filter);
    }
}
END_TEST

static const char *many_groups(int count)
{
    static sl_buf yaml;
    sl_buf_clear(&yaml);
    sl_buf_append_cstr(&yaml, "{format: regex, pattern: '");
    for (int i = 0; i < count; i++)
        sl_buf_printf(&yaml, "(?<g%d>.)", i);
    sl_buf_append_cstr(&yaml, "'}");
    return sl_buf_cstr(&yaml);
}

START_TEST(regex__settings_that_can_not_be_are_refused)
{
    static const struct {
        const char *yaml, *error;
    } cases[] = {
        {"regex", "option `format`: \"regex\" needs the option `pattern`"},
        {"{pattern: '(?<a>.)'}", "option `pattern`: the format \"json\" has none"},
        {"{types: {a: int}}", "option `types`: the format \"json\" has none"},
        {"{format: nginx, pattern: '(?<a>.)'}", "option `pattern`: the format \"nginx\" has none"},
        {REGEX("pattern: 'a'"), "option `pattern`: it has no named group"},
        {REGEX("pattern: '(?<a>.)(?<a>.)'"), "two named subpatterns have the same name"},
        {REGEX("pattern: '(?J)(?<a>.)(?<a>.)'"), "option `pattern`: column 15: two groups have the name a"},
        {REGEX("pattern: '(?<a>.'"), "missing closing parenthesis"},
        {REGEX("pattern: '(?<1>.)'"), "test.yaml:1:34: error: `pattern`"},
        {REGEX("pattern: '(?<a>.)', types: {b: int}"), "option `types`: the pattern has no group \"b\""},
        {REGEX("pattern: '(?<a>.)', types: {a: long}"),
         "\"long\" is no type; take string, int, float or bool"},
        {"{format: nginx, time: {format: \"%H\"}}", "option `time.format`"},
    };
    const char *errors = "";
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        ck_assert_msg(!sl_test_filter_try(&sl_filter_parse, cases[i].yaml, &errors), "%s", cases[i].yaml);
        ck_assert_msg(strstr(errors, cases[i].error) != NULL, "%s: %s", cases[i].yaml, errors);
    }
    ck_assert(!sl_test_filter_try(&sl_filter_parse, many_groups(SL_REGEX_MAX_GROUPS + 1), &errors));
    ck_assert_msg(strstr(errors, "it has 65 groups, 64 are the most") != NULL, "%s", errors);
    sl_test_filter_free(sl_test_filter_new(&sl_filter_parse, many_groups(SL_REGEX_MAX_GROUPS)));
}
END_TEST

SL_TEST_MAIN("parse_regex", regex__groups_become_members, regex__what_fails_is_kept_dropped_or_dead_lettered,
             regex__a_line_that_was_cut_says_so, regex__names_in_common_are_there_once,
             regex__a_batch_keeps_its_order, regex__a_field_gives_way_to_its_object,
             regex__settings_that_can_not_be_are_refused)
