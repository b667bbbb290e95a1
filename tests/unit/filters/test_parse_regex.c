#include "check_main.h"
#include "filters.h"
#include "records.h"

#include <stdio.h>

extern const sl_plugin sl_filter_parse, sl_filter_redact;

#define READ_TIME "\"@timestamp\":\"2024-05-01T12:34:56.789Z\""
#define LINE_TIME "\"@timestamp\":\"2000-10-10T20:55:36.000Z\""
#define STAMP     "[10/Oct/2000:13:55:36 -0700]"
#define CLIENT    "\"client\":\"192.0.2.1\","
#define TIME      "\"time\":\"10/Oct/2000:13:55:36 -0700\","
#define GET       "\"method\":\"GET\",\"path\":\"/a\",\"protocol\":\"HTTP/1.1\","
#define OK        "\"status\":200,\"bytes\":12"
#define HEAD      "192.0.2.1 - - " STAMP " \"GET /a HTTP/1.1\" 200 12"
#define BOTH_HEAD "{" LINE_TIME "," CLIENT TIME GET OK

#define NO_MATCH "the pattern does not match"
#define LIMITED  "the pattern took too many steps"

/* What one line becomes, as an output would send it; "" when it does not go on. Counters stay in the filter. */
static const char *run(sl_test_filter *filter, uint16_t flags, sl_span line)
{
    sl_batch *batch = sl_batch_new();
    sl_batch_add(batch, sl_batch_dup(batch, line), SL_RECORD_RAW | flags, SL_TEST_TIME_NS, 17);
    sl_test_filter_apply(filter, batch);
    return sl_test_batch_written(batch);
}

/* The sealed text, however long it is. */
static void expect_sealed(sl_batch *batch, const sl_buf *want)
{
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert(sl_span_is((sl_span){batch->text, batch->text_len}, sl_buf_span(want)));
    sl_batch_unref(batch);
}

typedef struct line_case {
    const char *yaml;
    sl_span line;
    const char *counter, *value; /* what is counted, once; NULL: nothing but records_total */
    const char *written;
} line_case;

static void check_case(const line_case *c)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, c->yaml);
    const char *written = run(filter, 0, c->line);
    ck_assert_msg(strcmp(written, c->written) == 0, "%s, %.200s:\n%.400s is not\n%.400s", c->yaml,
                  c->line.ptr, written, c->written);
    if (c->counter) ck_assert_uint_eq(sl_test_filter_count(filter, c->counter, c->value), 1);
    bool failed = c->counter && strcmp(c->counter, "errors_total") == 0;
    bool empty = c->counter && strcmp(c->counter, "empty_total") == 0;
    ck_assert_uint_eq(sl_test_filter_count(filter, "records_total", NULL), !failed && !empty);
    if (!c->counter) {
        ck_assert_uint_eq(sl_test_filter_count(filter, "repaired_total", NULL), 0);
        ck_assert_uint_eq(sl_test_filter_count(filter, "unconverted_total", NULL), 0);
        ck_assert_uint_eq(sl_test_filter_count(filter, "bad_times_total", NULL), 0);
    }
    sl_test_filter_free(filter);
}

#define KEPT(text) "{" READ_TIME ",\"message\":\"" text "\",\"parse_error\":\"" NO_MATCH "\"}\n"

START_TEST(access__every_kind_of_line_has_its_result)
{
    static const line_case cases[] = {
        /* as the manuals of Apache and nginx have them */
        {"apache_common", SL_SPAN("127.0.0.1 - frank " STAMP " \"GET /apache_pb.gif HTTP/1.0\" 200 2326"),
         NULL, NULL,
         "{" LINE_TIME ",\"client\":\"127.0.0.1\",\"user\":\"frank\"," TIME
         "\"method\":\"GET\",\"path\":\"/apache_pb.gif\",\"protocol\":\"HTTP/"
         "1.0\",\"status\":200,\"bytes\":2326}\n"},
        {"apache_combined",
         SL_SPAN("127.0.0.1 - frank " STAMP " \"GET /apache_pb.gif HTTP/1.0\" 200 2326 "
                 "\"http://www.example.com/start.html\" \"Mozilla/4.08 [en] (Win98; I ;Nav)\""),
         NULL, NULL,
         "{" LINE_TIME ",\"client\":\"127.0.0.1\",\"user\":\"frank\"," TIME
         "\"method\":\"GET\",\"path\":\"/apache_pb.gif\",\"protocol\":\"HTTP/"
         "1.0\",\"status\":200,\"bytes\":2326,"
         "\"referer\":\"http://www.example.com/start.html\",\"agent\":\"Mozilla/4.08 [en] (Win98; I "
         ";Nav)\"}\n"},
        {"nginx", SL_SPAN(HEAD " \"-\" \"curl/8.5.0\""), NULL, NULL,
         BOTH_HEAD ",\"agent\":\"curl/8.5.0\"}\n"},
        {"{format: nginx}", SL_SPAN(HEAD " \"-\" \"-\"\r"), NULL, NULL, BOTH_HEAD "}\n"},
        {"nginx", SL_SPAN("\xef\xbb\xbf" HEAD " \"-\" \"-\""), NULL, NULL, BOTH_HEAD "}\n"},
        /* what is written `-`, or nothing */
        {"apache_common", SL_SPAN("192.0.2.1 - - " STAMP " \"GET /a HTTP/1.1\" 304 -"), NULL, NULL,
         "{" LINE_TIME "," CLIENT TIME GET "\"status\":304}\n"},
        {"apache_common", SL_SPAN("192.0.2.1 - - " STAMP " \"-\" 408 -"), NULL, NULL,
         "{" LINE_TIME "," CLIENT TIME "\"status\":408}\n"},
        {"nginx", SL_SPAN("192.0.2.1 - - " STAMP " \"\" 400 0 \"\" \"\""), NULL, NULL,
         "{" LINE_TIME "," CLIENT TIME
         "\"request\":\"\",\"status\":400,\"bytes\":0,\"referer\":\"\",\"agent\":\"\"}\n"},
        {"nginx", SL_SPAN(HEAD " \"-\" \"-x\""), NULL, NULL, BOTH_HEAD ",\"agent\":\"-x\"}\n"},
        /* clients, users */
        {"apache_common", SL_SPAN("2001:db8::1 id \"\" " STAMP " \"GET /a HTTP/1.1\" 200 12"), NULL, NULL,
         "{" LINE_TIME ",\"client\":\"2001:db8::1\",\"ident\":\"id\",\"user\":\"\\\"\\\"\"," TIME GET OK
         "}\n"},
        {"apache_common", SL_SPAN("192.0.2.1 - john van doe " STAMP " \"GET /a HTTP/1.1\" 200 12"), NULL,
         NULL, "{" LINE_TIME "," CLIENT "\"user\":\"john van doe\"," TIME GET OK "}\n"},
        {"apache_common", SL_SPAN("192.0.2.1 - a[b] " STAMP " \"GET /a HTTP/1.1\" 200 12"), NULL, NULL,
         "{" LINE_TIME "," CLIENT "\"user\":\"a[b]\"," TIME GET OK "}\n"},
        /* requests */
        {"apache_common", SL_SPAN("192.0.2.1 - - " STAMP " \"GET /a\" 200 12"), NULL, NULL,
         "{" LINE_TIME "," CLIENT TIME "\"method\":\"GET\",\"path\":\"/a\"," OK "}\n"},
        {"apache_common", SL_SPAN("192.0.2.1 - - " STAMP " \"M-SEARCH * HTTP/2.0\" 200 12"), NULL, NULL,
         "{" LINE_TIME "," CLIENT TIME "\"method\":\"M-SEARCH\",\"path\":\"*\",\"protocol\":\"HTTP/2.0\"," OK
         "}\n"},
        {"apache_common", SL_SPAN("192.0.2.1 - - " STAMP " \"GET /a b HTTP/1.1\" 200 12"), NULL, NULL,
         "{" LINE_TIME "," CLIENT TIME "\"request\":\"GET /a b HTTP/1.1\"," OK "}\n"},
        {"apache_common", SL_SPAN("192.0.2.1 - - " STAMP " \"\\x16\\x03\\x01\" 400 12"), NULL, NULL,
         "{" LINE_TIME "," CLIENT TIME
         "\"request\":\"\\\\x16\\\\x03\\\\x01\",\"status\":400,\"bytes\":12}\n"},
        {"apache_common", SL_SPAN("192.0.2.1 - - " STAMP " \"GET /\\\"quoted\\\" HTTP/1.1\" 200 12"), NULL,
         NULL,
         "{" LINE_TIME "," CLIENT TIME
         "\"method\":\"GET\",\"path\":\"/\\\\\\\"quoted\\\\\\\"\",\"protocol\":\"HTTP/1.1\"," OK "}\n"},
        /* user agents that are meant to hurt */
        {"nginx", SL_SPAN(HEAD " \"-\" \"a\\\"b\\\\\""), NULL, NULL,
         BOTH_HEAD ",\"agent\":\"a\\\\\\\"b\\\\\\\\\"}\n"},
        {"nginx", SL_SPAN(HEAD " \"-\" \"\\\",\\\"x\\\":\\\"\""), NULL, NULL,
         BOTH_HEAD ",\"agent\":\"\\\\\\\",\\\\\\\"x\\\\\\\":\\\\\\\"\"}\n"},
        {"nginx", SL_SPAN(HEAD " \"-\" \"tab\there\x01\x1f\x7f\""), NULL, NULL,
         BOTH_HEAD ",\"agent\":\"tab\\there\\u0001\\u001f\x7f\"}\n"},
        {"nginx", SL_SPAN(HEAD " \"-\" \"nul\0here\""), NULL, NULL,
         BOTH_HEAD ",\"agent\":\"nul\\u0000here\"}\n"},
        {"nginx", SL_SPAN(HEAD " \"-\" \"caf\xc3\xa9 \xf0\x9f\x98\x80\""), NULL, NULL,
         BOTH_HEAD ",\"agent\":\"caf\xc3\xa9 \xf0\x9f\x98\x80\"}\n"},
        {"nginx", SL_SPAN(HEAD " \"-\" \"caf\xe9\""), "repaired_total", NULL,
         BOTH_HEAD ",\"agent\":\"caf\xef\xbf\xbd\"}\n"},
        {"nginx", SL_SPAN(HEAD " \"\xff\xfe\" \"\xf0\x9f\x98\""), "repaired_total", NULL,
         BOTH_HEAD ",\"referer\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"agent\":\"\xef\xbf\xbd\"}\n"},
        {"nginx", SL_SPAN(HEAD " \"-\" \"${jndi:ldap://x/a}\""), NULL, NULL,
         BOTH_HEAD ",\"agent\":\"${jndi:ldap://x/a}\"}\n"},
        /* more than the format has, and less */
        {"nginx", SL_SPAN(HEAD " \"-\" \"-\" \"10.0.0.1\" 0.002"), NULL, NULL,
         BOTH_HEAD ",\"extra\":\"\\\"10.0.0.1\\\" 0.002\"}\n"},
        {"apache_common", SL_SPAN(HEAD " \"-\" \"x\""), NULL, NULL,
         BOTH_HEAD ",\"extra\":\"\\\"-\\\" \\\"x\\\"\"}\n"},
        {"nginx", SL_SPAN(HEAD), "errors_total", "no_match",
         KEPT("192.0.2.1 - - " STAMP " \\\"GET /a HTTP/1.1\\\" 200 12")},
        {"nginx", SL_SPAN(HEAD " \"-\" \"cut"), "errors_total", "no_match",
         KEPT("192.0.2.1 - - " STAMP " \\\"GET /a HTTP/1.1\\\" 200 12 \\\"-\\\" \\\"cut")},
        {"nginx", SL_SPAN("oops \xff"), "errors_total", "no_match", KEPT("oops \xef\xbf\xbd")},
        {"nginx", SL_SPAN("{\"a\":1}"), "errors_total", "no_match", KEPT("{\\\"a\\\":1}")},
        {"nginx", SL_SPAN(""), "empty_total", NULL, ""},
        {"nginx", SL_SPAN(" \t\r"), "empty_total", NULL, ""},
        /* times */
        {"apache_common", SL_SPAN("192.0.2.1 - - [soon] \"GET /a HTTP/1.1\" 200 12"), "bad_times_total", NULL,
         "{" READ_TIME "," CLIENT "\"time\":\"soon\"," GET OK "}\n"},
        {"{format: apache_common, time: {keep: false}}", SL_SPAN(HEAD), NULL, NULL,
         "{" LINE_TIME "," CLIENT GET OK "}\n"},
        {"{format: apache_common, time: {format: \"%d/%b/%Y\"}}",
         SL_SPAN("192.0.2.1 - - [10/Oct/2000] \"GET /a HTTP/1.1\" 200 12"), NULL, NULL,
         "{\"@timestamp\":\"2000-10-10T00:00:00.000Z\"," CLIENT "\"time\":\"10/Oct/2000\"," GET OK "}\n"},
        {"{format: apache_common, types: {status: string}}", SL_SPAN(HEAD), NULL, NULL,
         "{" LINE_TIME "," CLIENT TIME GET "\"status\":\"200\",\"bytes\":12}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++)
        check_case(&cases[i]);
}
END_TEST

#define REGEX(more) "{format: regex, " more "}"

START_TEST(regex__groups_become_members)
{
    static const line_case cases[] = {
        {REGEX("pattern: '(?<b>\\w+) (?<a>\\w+)'"), SL_SPAN("one two"), "missing_times_total", NULL,
         "{" READ_TIME ",\"b\":\"one\",\"a\":\"two\"}\n"},
        {REGEX("pattern: '(?:(?<x>x)|(?<y>y))(?<z>z)?'"), SL_SPAN("y"), NULL, NULL,
         "{" READ_TIME ",\"y\":\"y\"}\n"},
        {REGEX("pattern: '(?<x>a)?b'"), SL_SPAN("b"), NULL, NULL, "{" READ_TIME "}\n"},
        {REGEX("pattern: '(?<all>(?<in>\\w) (\\w))'"), SL_SPAN("-a b-"), NULL, NULL,
         "{" READ_TIME ",\"all\":\"a b\",\"in\":\"a\"}\n"},
        {REGEX("pattern: '(?|(?<v>a)1|(?<v>b)2)'"), SL_SPAN("b2"), NULL, NULL,
         "{" READ_TIME ",\"v\":\"b\"}\n"},
        {REGEX("pattern: \"(?'q'.)(?P<p>.)\""), SL_SPAN("\xc3\xa9\xe2\x82\xac"), NULL, NULL,
         "{" READ_TIME ",\"q\":\"\xc3\xa9\",\"p\":\"\xe2\x82\xac\"}\n"},
        {REGEX("pattern: '(?<e>)(?<r>.*)'"), SL_SPAN("x"), NULL, NULL,
         "{" READ_TIME ",\"e\":\"\",\"r\":\"x\"}\n"},
        /* types */
        {REGEX("pattern: '(?<n>\\S+) (?<f>\\S+) (?<b>\\S+)', types: {n: int, f: float, b: bool}"),
         SL_SPAN("007 1.50 yes"), NULL, NULL, "{" READ_TIME ",\"n\":7,\"f\":1.50,\"b\":true}\n"},
        {REGEX("pattern: '(?<n>\\S+) (?<f>\\S+)', types: {n: int, f: float}"), SL_SPAN("-12.9 -1e5"), NULL,
         NULL, "{" READ_TIME ",\"n\":-12,\"f\":-1e5}\n"},
        {REGEX("pattern: '(?<n>.+)', types: {n: int}"), SL_SPAN("123456789012345678901234567890"), NULL, NULL,
         "{" READ_TIME ",\"n\":123456789012345678901234567890}\n"},
        {REGEX("pattern: '(?<bytes>\\S+)', types: {bytes: int}"), SL_SPAN("-"), "unconverted_total", NULL,
         "{" READ_TIME ",\"bytes\":\"-\"}\n"},
        {REGEX("pattern: '(?<n>\\d*)x', types: {n: int}"), SL_SPAN("x"), "unconverted_total", NULL,
         "{" READ_TIME ",\"n\":\"\"}\n"},
        {REGEX("pattern: '(?<f>\\S+)', types: {f: float}"), SL_SPAN("NaN"), "unconverted_total", NULL,
         "{" READ_TIME ",\"f\":\"NaN\"}\n"},
        {REGEX("pattern: '(?<f>\\S+)', types: {f: float}"), SL_SPAN("1.\xff"), "unconverted_total", NULL,
         "{" READ_TIME ",\"f\":\"1.\xef\xbf\xbd\"}\n"},
        /* times */
        {REGEX("pattern: '(?<time>\\S+) (?<m>.*)'"), SL_SPAN("2020-01-02T03:04:05Z hi"), NULL, NULL,
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"time\":\"2020-01-02T03:04:05Z\",\"m\":\"hi\"}\n"},
        {REGEX("pattern: '(?<ts>\\S+)', types: {ts: float}"), SL_SPAN("1577934245.5"), NULL, NULL,
         "{\"@timestamp\":\"2020-01-02T03:04:05.500Z\",\"ts\":1577934245.5}\n"},
        {REGEX("pattern: '(?<time>\\d+)', types: {time: int}"), SL_SPAN("35"), NULL, NULL,
         "{" READ_TIME ",\"time\":35}\n"},
        {REGEX("pattern: '(?<time>\\d+)'"), SL_SPAN("35"), "bad_times_total", NULL,
         "{" READ_TIME ",\"time\":\"35\"}\n"},
        {REGEX("pattern: '(?<x>\\S+) (?<at>.+)', time: {field: [x, at], zone: Europe/Berlin, keep: false}"),
         SL_SPAN("soon 2020-07-02 03:04:05"), NULL, NULL,
         "{\"@timestamp\":\"2020-07-02T01:04:05.000Z\",\"x\":\"soon\"}\n"},
        {REGEX("pattern: '(?<at>.+)', time: {field: at, format: \"%b %e %H:%M:%S\"}"),
         SL_SPAN("Dec  1 03:04:05"), NULL, NULL,
         "{\"@timestamp\":\"2023-12-01T03:04:05.000Z\",\"at\":\"Dec  1 03:04:05\"}\n"},
        /* names that are joined as well */
        {REGEX("pattern: '(?<offset>\\d+)'"), SL_SPAN("5"), NULL, NULL, "{" READ_TIME ",\"offset\":\"5\"}\n"},
        /* a pattern that goes back over and over */
        {REGEX("pattern: '^(?<a>(a+)+)$'"), SL_SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
         "errors_total", "match_limit",
         "{" READ_TIME
         ",\"message\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\",\"parse_error\":\"" LIMITED
         "\"}\n"},
        {REGEX("pattern: '(*NO_JIT)^(?<a>(a+)+)$'"),
         SL_SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"), "errors_total", "match_limit",
         "{" READ_TIME
         ",\"message\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\",\"parse_error\":\"" LIMITED
         "\"}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++)
        check_case(&cases[i]);
}
END_TEST

/* A megabyte in one field costs no stack, no match limit, and arrives as it is. */
START_TEST(access__a_very_long_line_is_read_whole)
{
    enum { LEN = 1 << 20 };
    static const char fills[] = {'a', '\x01', '\\'};
    for (size_t i = 0; i < SL_LEN(fills); i++) {
        sl_buf line = SL_BUF_NONE, want = SL_BUF_NONE, agent = SL_BUF_NONE;
        for (size_t n = 0; n < LEN; n++)
            sl_buf_append_char(&agent, fills[i]);
        sl_buf_printf(&line, "%s \"-\" \"", HEAD);
        sl_buf_append_span(&line, sl_buf_span(&agent));
        sl_buf_append_char(&line, '"');
        sl_buf_append_cstr(&want, "{" CLIENT TIME GET OK ",\"agent\":");
        sl_json_write_string(&want, sl_buf_span(&agent));
        sl_buf_append_cstr(&want, "}\n");
        sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, "nginx");
        sl_batch *batch = sl_test_batch_raw(NULL, 0, sl_buf_cstr(&line));
        sl_test_filter_apply(filter, batch);
        expect_sealed(batch, &want);
        sl_test_filter_free(filter);
        sl_buf_release(&line);
        sl_buf_release(&want);
        sl_buf_release(&agent);
    }
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
         "{\"message\":\"oops\",\"why\":\"" NO_MATCH "\"}\n"},
        {"{format: nginx, on_error: drop}", SL_FATE_DROPPED, "parse_error", ""},
        {"{format: nginx, on_error: dead_letter}", SL_FATE_DEAD_LETTERED, NO_MATCH, ""},
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
    ck_assert_str_eq(run(filter, SL_RECORD_TRUNCATED, SL_SPAN("x")),
                     "{" READ_TIME ",\"a\":\"x\",\"truncated\":true}\n");
    sl_test_filter_free(filter);
    filter = sl_test_filter_new(&sl_filter_parse, REGEX("pattern: '(?<truncated>.*)'"));
    ck_assert_str_eq(run(filter, SL_RECORD_TRUNCATED, SL_SPAN("x")), "{" READ_TIME ",\"truncated\":\"x\"}\n");
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
                     "{" READ_TIME ",\"file\":\"f\",\"host\":\"a\",\"offset\":\"b\"}\n"
                     "{" READ_TIME ",\"offset\":4,\"file\":\"f\",\"host\":\"c\"}\n");
    sl_test_filter_free(filter);
    filter = sl_test_filter_new(&sl_filter_parse, REGEX("pattern: '(?<a>.*)'"));
    batch = sl_test_batch_raw("\"truncated\":0", SL_RECORD_COMMON | SL_RECORD_TRUNCATED, "x\n");
    sl_test_filter_apply(filter, batch);
    ck_assert_str_eq(sl_test_batch_written(batch), "{" READ_TIME ",\"a\":\"x\",\"truncated\":true}\n");
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
            sl_buf_printf(&want, "{\"message\":\"oops%d\",\"parse_error\":\"" NO_MATCH "\"}\n", i);
        } else {
            sl_buf_printf(&lines, "n=%d %.*s\n", i, i % 100, HEAD HEAD);
            sl_buf_printf(&want, "{\"n\":%d,\"rest\":", i);
            sl_json_write_string(&want, (sl_span){HEAD HEAD, (size_t)(i % 100)});
            sl_buf_append_cstr(&want, "}\n");
        }
    }
    sl_test_filter *filter =
        sl_test_filter_new(&sl_filter_parse, REGEX("pattern: '^n=(?<n>\\d+) (?<rest>.*)', types: {n: int}"));
    sl_batch *batch = sl_test_batch_raw(NULL, 0, sl_buf_cstr(&lines));
    sl_test_filter_apply(filter, batch);
    expect_sealed(batch, &want);
    ck_assert_uint_eq(sl_test_filter_count(filter, "errors_total", "no_match"), 714);
    sl_test_filter_free(filter);
    sl_buf_release(&lines);
    sl_buf_release(&want);
}
END_TEST

/* Each second is read once a batch, but no line gets the time of another. */
START_TEST(access__lines_of_other_seconds_have_their_own_time)
{
    static const char *const times[] = {"36", "36", "37", "36", "38", "38", "xx", "38"};
    sl_buf lines = SL_BUF_NONE;
    for (size_t i = 0; i < SL_LEN(times); i++)
        sl_buf_printf(&lines, "192.0.2.1 - - [10/Oct/2000:13:55:%s -0700] \"GET /a HTTP/1.1\" 200 12\n",
                      times[i]);
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, "apache_common");
    sl_batch *batch = sl_test_batch_raw(NULL, 0, sl_buf_cstr(&lines));
    sl_test_filter_apply(filter, batch);
    for (size_t i = 0; i < SL_LEN(times); i++) {
        int64_t want = INT64_C(971211300) * SL_NS_PER_S +
                       (int64_t)(times[i][0] == '3' ? 36 + times[i][1] - '6' : 0) * SL_NS_PER_S;
        ck_assert_int_eq(batch->recs[i].time_ns, times[i][0] == 'x' ? SL_TEST_TIME_NS : want);
    }
    sl_batch_unref(batch);
    sl_test_filter_free(filter);
    sl_buf_release(&lines);
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
        {"{\"log\":\"a b\"}", "{" READ_TIME ",\"log\":{\"time\":\"a\",\"m\":\"b\"}}\n"},
        {"{\"log\":\"oops\"}", "{" READ_TIME ",\"log\":\"oops\",\"parse_error\":\"" NO_MATCH "\"}\n"},
        {"{\"log\":\"\"}", "{" READ_TIME ",\"log\":\"\"}\n"},
        {"{\"log\":5}", "{" READ_TIME ",\"log\":5}\n"},
        {"{\"other\":5}", "{" READ_TIME ",\"other\":5}\n"},
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

/* What comes behind reads, edits and redacts such a record like any other. */
START_TEST(access__the_steps_behind_see_an_object)
{
    sl_test_filter *parse = sl_test_filter_new(&sl_filter_parse, "nginx");
    sl_test_filter *redact = sl_test_filter_new(&sl_filter_redact, "{keys: [user], detect: [email]}");
    sl_batch *batch = sl_test_batch_raw(NULL, 0,
                                        "192.0.2.1 - anna " STAMP
                                        " \"GET /?to=anna@example.com HTTP/1.1\" 502 12 \"-\" \"-\"\n" HEAD
                                        " \"-\" \"-\"\n");
    sl_test_filter_apply(parse, batch);
    sl_err err = SL_ERR_NONE;
    sl_condition *failed = sl_condition_parse(SL_SPAN("status >= 500 and path startswith \"/\""), &err);
    sl_template *index = sl_template_parse(SL_SPAN("access-%Y.%m-{{ method }}"), &err);
    ck_assert_msg(failed && index, "%s", err.text);
    sl_reader reader = {0};
    sl_buf name = SL_BUF_NONE;
    for (uint32_t i = 0; i < 2; i++) {
        sl_reader_set(&reader, batch, &batch->recs[i]);
        ck_assert_int_eq(sl_condition_eval(failed, &reader), i == 0);
        sl_buf_clear(&name);
        ck_assert_int_eq(sl_template_write(index, &reader, &name), 0);
        ck_assert_str_eq(sl_buf_cstr(&name), "access-2000.10-GET");
    }
    sl_test_filter_apply(redact, batch);
    ck_assert_str_eq(sl_test_batch_written(batch),
                     "{" LINE_TIME "," CLIENT "\"user\":\"[REDACTED]\"," TIME
                     "\"method\":\"GET\",\"path\":\"/?to=[REDACTED]\",\"protocol\":\"HTTP/"
                     "1.1\",\"status\":502,\"bytes\":12}\n" BOTH_HEAD "}\n");
    sl_buf_release(&name);
    sl_reader_release(&reader);
    sl_condition_free(failed);
    sl_template_free(index);
    sl_test_filter_free(parse);
    sl_test_filter_free(redact);
}
END_TEST

/* An earlier step has made objects of lines: they are lines still. */
START_TEST(access__takes_wrapped_lines_and_leaves_objects_alone)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, "apache_common");
    sl_batch *batch = sl_test_batch_raw(NULL, 0, HEAD "\n{\"a\":1}\n");
    uint32_t count;
    sl_record_tokens(batch, &batch->recs[0], &count);
    sl_record_parse_json(batch, &batch->recs[1]);
    sl_test_filter_apply(filter, batch);
    ck_assert_str_eq(sl_test_batch_written(batch), BOTH_HEAD "}\n{" READ_TIME ",\"a\":1}\n");
    sl_test_filter_free(filter);
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

SL_TEST_MAIN("parse_regex", access__every_kind_of_line_has_its_result, regex__groups_become_members,
             access__a_very_long_line_is_read_whole, regex__what_fails_is_kept_dropped_or_dead_lettered,
             regex__a_line_that_was_cut_says_so, regex__names_in_common_are_there_once,
             regex__a_batch_keeps_its_order, access__lines_of_other_seconds_have_their_own_time,
             regex__a_field_gives_way_to_its_object, access__the_steps_behind_see_an_object,
             access__takes_wrapped_lines_and_leaves_objects_alone,
             regex__settings_that_can_not_be_are_refused)
