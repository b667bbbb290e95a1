#include "check_main.h"
#include "config/options.h"
#include "filters.h"
#include "records.h"

#include <stdio.h>

extern const sl_plugin sl_filter_parse;

#define READ_TIME "\"@timestamp\":\"2024-05-01T12:34:56.789Z\""

/* What one line becomes, as an output would send it; "" when it does not go on. */
static const char *parsed(const char *yaml, sl_span line)
{
    static sl_buf kept;
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, yaml);
    sl_batch *batch = sl_batch_new();
    sl_batch_add(batch, sl_batch_dup(batch, line), SL_RECORD_RAW, SL_TEST_TIME_NS, 17);
    sl_test_filter_apply(filter, batch);
    sl_test_filter_free(filter);
    sl_buf_clear(&kept);
    sl_buf_append_cstr(&kept, sl_test_batch_written(batch));
    return sl_buf_cstr(&kept);
}

START_TEST(parse__options_are_well_formed)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_options_check(sl_filter_parse.options, sl_filter_parse.conf_size, &err) == 0, "%s",
                  err.text);
}
END_TEST

/* Issue: every kind of bad input has one result, and one counter. */
START_TEST(parse__every_kind_of_line_has_its_result)
{
    static char deep[20100] = "";
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    static char digits[600] = "{\"n\":", digits_after[700];
    memset(digits + 5, '7', 500);
    digits[505] = '}';
    snprintf(digits_after, sizeof(digits_after), "{" READ_TIME ",%s\n", digits + 1);
    static const char noise[] = "\x7f\x45\x4c\x46\x02\x01\x01\0\0\xff\xfe\x80";
    const struct {
        sl_span line;
        const char *counter, *value; /* what is counted, by one */
        const char *written;
    } cases[] = {
        {SL_SPAN("{\"a\":1}"), "records_total", NULL, "{" READ_TIME ",\"a\":1}\n"},
        {SL_SPAN("{\"a\":1}\r"), "records_total", NULL, "{" READ_TIME ",\"a\":1}\n"},
        {SL_SPAN("  \t{\"a\":1}  "), "records_total", NULL, "{" READ_TIME ",\"a\":1}\n"},
        {SL_SPAN("\xef\xbb\xbf{\"a\":1}"), "records_total", NULL, "{" READ_TIME ",\"a\":1}\n"},
        {SL_SPAN("{}"), "records_total", NULL, "{" READ_TIME "}\n"},
        {SL_SPAN("{\"a\":1,\"a\":2}"), "records_total", NULL, "{" READ_TIME ",\"a\":1,\"a\":2}\n"},
        {sl_span_of(digits), "records_total", NULL, digits_after},
        {SL_SPAN("{\"a\":1e999,\"b\":-0.00}"), "records_total", NULL,
         "{" READ_TIME ",\"a\":1e999,\"b\":-0.00}\n"},
        {SL_SPAN("{\"a\":\"\xff\xfe\"}"), "repaired_total", NULL,
         "{" READ_TIME ",\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}\n"},
        {SL_SPAN("{\"a\":\"x\\ud800y\"}"), "repaired_total", NULL, "{" READ_TIME ",\"a\":\"x\\ufffdy\"}\n"},
        {SL_SPAN("{\"a\":\"\\ud83d\\ude00\"}"), "records_total", NULL,
         "{" READ_TIME ",\"a\":\"\\ud83d\\ude00\"}\n"},
        {SL_SPAN(""), "empty_total", NULL, ""},
        {SL_SPAN("\r"), "empty_total", NULL, ""},
        {SL_SPAN(" \t "), "empty_total", NULL, ""},
        {SL_SPAN("\xef\xbb\xbf"), "empty_total", NULL, ""},
        {SL_SPAN("plain"), "errors_total", "not_json",
         "{" READ_TIME ",\"message\":\"plain\",\"parse_error\":\"a byte that can start no value\"}\n"},
        {SL_SPAN("\xef\xbb\xbfplain"), "errors_total", "not_json",
         "{" READ_TIME ",\"message\":\"plain\",\"parse_error\":\"a byte that can start no value\"}\n"},
        {SL_SPAN("[1,2]"), "errors_total", "not_object",
         "{" READ_TIME ",\"message\":\"[1,2]\",\"parse_error\":\"not a JSON object\"}\n"},
        {SL_SPAN("\"text\""), "errors_total", "not_object",
         "{" READ_TIME ",\"message\":\"\\\"text\\\"\",\"parse_error\":\"not a JSON object\"}\n"},
        {SL_SPAN("12"), "errors_total", "not_object",
         "{" READ_TIME ",\"message\":\"12\",\"parse_error\":\"not a JSON object\"}\n"},
        {SL_SPAN("nulx"), "errors_total", "bad_literal", NULL},
        {SL_SPAN("{\"a\":01}"), "errors_total", "bad_number", NULL},
        {SL_SPAN("{\"a\":\"\\x\"}"), "errors_total", "bad_escape", NULL},
        {SL_SPAN("{\"a\":\"\t\"}"), "errors_total", "control_character",
         "{" READ_TIME ",\"message\":\"{\\\"a\\\":\\\"\\t\\\"}\",\"parse_error\":\"a control character "
         "inside a string\"}\n"},
        {SL_SPAN("{\"a\":\"\0\"}"), "errors_total", "control_character",
         "{" READ_TIME ",\"message\":\"{\\\"a\\\":\\\"\\u0000\\\"}\",\"parse_error\":\"a control character "
         "inside a string\"}\n"},
        {SL_SPAN("\0\0\0{\"a\":1}"), "errors_total", "not_json",
         "{" READ_TIME
         ",\"message\":\"\\u0000\\u0000\\u0000{\\\"a\\\":1}\",\"parse_error\":\"a byte that can start no "
         "value\"}\n"},
        {SL_SPAN("{\"a\":1"), "errors_total", "unterminated",
         "{" READ_TIME ",\"message\":\"{\\\"a\\\":1\",\"parse_error\":\"the text ends inside a value\"}\n"},
        {SL_SPAN("{\"a\" 1}"), "errors_total", "bad_structure", NULL},
        {SL_SPAN("{\"a\":1}{\"b\":2}"), "errors_total", "trailing_text",
         "{" READ_TIME
         ",\"message\":\"{\\\"a\\\":1}{\\\"b\\\":2}\",\"parse_error\":\"more text after the value\"}\n"},
        {{deep, 20000}, "errors_total", "too_deep", NULL},
        {{noise, sizeof(noise) - 1},
         "errors_total",
         "not_json",
         "{" READ_TIME ",\"message\":\"\x7f"
         "ELF\\u0002\\u0001\\u0001\\u0000\\u0000\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
         "\"parse_error\":\"a byte that can start no value\"}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, "json");
        sl_batch *batch = sl_batch_new();
        /* neighbours, who must not notice */
        sl_batch_add(batch, SL_SPAN("{\"before\":1}"), SL_RECORD_RAW, SL_TEST_TIME_NS, 0);
        sl_batch_add(batch, sl_batch_dup(batch, cases[i].line), SL_RECORD_RAW, SL_TEST_TIME_NS, 1);
        sl_batch_add(batch, SL_SPAN("{\"after\":1}"), SL_RECORD_RAW, SL_TEST_TIME_NS, 2);
        sl_test_filter_apply(filter, batch);
        uint64_t count = sl_test_filter_count(filter, cases[i].counter, cases[i].value);
        bool all_records = strcmp(cases[i].counter, "records_total") == 0;
        ck_assert_msg(count == (all_records ? 3 : 1), "case %zu: %s is %d", i, cases[i].counter, (int)count);
        uint64_t errors = 0;
        if (!cases[i].value || strcmp(cases[i].value, "not_json") != 0)
            errors = sl_test_filter_count(filter, "errors_total", "not_json");
        ck_assert_uint_eq(errors, 0);
        const char *written = sl_test_batch_written(batch);
        const char *before = "{" READ_TIME ",\"before\":1}\n", *after = "{" READ_TIME ",\"after\":1}\n";
        ck_assert_msg(strncmp(written, before, strlen(before)) == 0, "case %zu: %s", i, written);
        written += strlen(before);
        size_t middle = strlen(written) - strlen(after);
        ck_assert_str_eq(written + middle, after);
        if (cases[i].written)
            ck_assert_msg(middle == strlen(cases[i].written) &&
                              memcmp(written, cases[i].written, middle) == 0,
                          "case %zu: %.*s is not %s", i, (int)middle, written, cases[i].written);
        sl_test_filter_free(filter);
    }
}
END_TEST

START_TEST(parse__what_fails_is_kept_dropped_or_dead_lettered)
{
    static const struct {
        const char *yaml;
        sl_fate fate;
        const char *reason, *sealed;
    } cases[] = {
        {"json", SL_FATE_LIVE, NULL,
         "{\"message\":\"oops\",\"parse_error\":\"a byte that can start no value\"}\n"},
        {"{on_error: keep, error_field: \"why not\"}", SL_FATE_LIVE, NULL,
         "{\"message\":\"oops\",\"why not\":\"a byte that can start no value\"}\n"},
        {"{on_error: drop}", SL_FATE_DROPPED, "parse_error", ""},
        {"{on_error: dead_letter}", SL_FATE_DEAD_LETTERED, "a byte that can start no value", ""},
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

START_TEST(parse__gives_a_record_its_time)
{
    static const struct {
        const char *yaml, *line, *written;
    } cases[] = {
        /* the fields that are looked at by themselves */
        {"json", "{\"timestamp\":\"2020-01-02T03:04:05Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"timestamp\":\"2020-01-02T03:04:05Z\"}\n"},
        {"json", "{\"time\":\"2020-01-02 03:04:05\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"time\":\"2020-01-02 03:04:05\"}\n"},
        {"json", "{\"ts\":1577934245.5}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.500Z\",\"ts\":1577934245.5}\n"},
        {"json", "{\"ts\":\"1577934245500\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.500Z\",\"ts\":\"1577934245500\"}\n"},
        {"json", "{\"timestamp\":\"2020\\u002d01-02T03:04:05Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"timestamp\":\"2020\\u002d01-02T03:04:05Z\"}\n"},
        {"json", "{\"time\":35,\"ts\":\"2020-01-02T03:04:05Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"time\":35,\"ts\":\"2020-01-02T03:04:05Z\"}\n"},
        {"json", "{\"timestamp\":\"later\",\"ts\":\"2020-01-02T03:04:05Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"timestamp\":\"later\",\"ts\":\"2020-01-02T03:04:"
         "05Z\"}\n"},
        {"json", "{\"time\":null}", "{" READ_TIME ",\"time\":null}\n"},
        {"json", "{\"time\":{\"a\":1}}", "{" READ_TIME ",\"time\":{\"a\":1}}\n"},
        /* the record's own @timestamp */
        {"json", "{\"@timestamp\":\"2020-01-02T03:04:05Z\"}", "{\"@timestamp\":\"2020-01-02T03:04:05Z\"}\n"},
        {"json", "{\"@timestamp\":\"2020-01-02T03:04:05.123456+02:00\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.123456+02:00\"}\n"},
        {"json", "{\"@timestamp\":\"2020-01-02 03:04:05\",\"a\":1}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"a\":1}\n"},
        {"json", "{\"@timestamp\":\"2020-01-02T03:04:05\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\"}\n"},
        {"json", "{\"@timestamp\":\"2020-01-02T03:04:05,5Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.500Z\"}\n"},
        {"json", "{\"@timestamp\":\"2020-01-02T03:04:05+0200\"}",
         "{\"@timestamp\":\"2020-01-02T01:04:05.000Z\"}\n"},
        {"json", "{\"@timestamp\":\"2020-01-02T03:04:05.1234567891Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.123456789Z\"}\n"},
        {"json", "{\"@timestamp\":\"20200102T030405Z\"}", "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\"}\n"},
        {"json", "{\"@timestamp\":\"2020-01-02T03:04Z\"}", "{\"@timestamp\":\"2020-01-02T03:04:00.000Z\"}\n"},
        {"json", "{\"@timestamp\":\"2016-12-31T23:59:60Z\"}",
         "{\"@timestamp\":\"2016-12-31T23:59:59.999999999Z\"}\n"},
        {"json", "{\"a\":1,\"@timestamp\":1577934245}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"a\":1}\n"},
        {"json", "{\"@timestamp\":1577934245,\"a\":1,\"@timestamp\":1577934246}",
         "{\"@timestamp\":\"2020-01-02T03:04:06.000Z\",\"a\":1}\n"},
        {"json", "{\"@timestamp\":\"soon\",\"a\":1}",
         "{" READ_TIME ",\"a\":1,\"@timestamp_original\":\"soon\"}\n"},
        {"json", "{\"@timestamp\":17,\"a\":1}", "{" READ_TIME ",\"a\":1,\"@timestamp_original\":17}\n"},
        {"json", "{\"@timestamp\":\"soon\",\"time\":\"2020-01-02T03:04:05Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"time\":\"2020-01-02T03:04:05Z\",\"@timestamp_"
         "original\":\"soon\"}\n"},
        {"{time: {keep: false}}", "{\"@timestamp\":\"2020-01-02T03:04:05Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05Z\"}\n"},
        /* asked for */
        {"{time: {field: at}}", "{\"at\":1577934245,\"time\":\"2021-01-02T03:04:05Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"at\":1577934245,\"time\":\"2021-01-02T03:04:05Z\"}"
         "\n"},
        {"{time: at}", "{\"at\":1577934245}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"at\":1577934245}\n"},
        {"{time: {field: meta.at, keep: false}}", "{\"meta\":{\"at\":1577934245,\"x\":1}}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"meta\":{\"x\":1}}\n"},
        {"{time: {field: [x, at]}}", "{\"at\":1577934245}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"at\":1577934245}\n"},
        {"{time: at}", "{\"at\":1577934245,\"@timestamp\":\"2021-01-02T03:04:05Z\"}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"at\":1577934245}\n"},
        {"{time: at}", "{\"@timestamp\":\"2021-01-02T03:04:05Z\"}",
         "{\"@timestamp\":\"2021-01-02T03:04:05Z\"}\n"},
        {"{time: at}", "{\"at\":\"x\"}", "{" READ_TIME ",\"at\":\"x\"}\n"},
        {"{time: at}", "{\"at\":35}", "{" READ_TIME ",\"at\":35}\n"},
        {"{time: {zone: Europe/Berlin}}", "{\"time\":\"2020-07-02 03:04:05\"}",
         "{\"@timestamp\":\"2020-07-02T01:04:05.000Z\",\"time\":\"2020-07-02 03:04:05\"}\n"},
        {"{time: {zone: \"+02:00\"}}", "{\"@timestamp\":\"2020-07-02T03:04:05\"}",
         "{\"@timestamp\":\"2020-07-02T01:04:05.000Z\"}\n"},
        {"{time: {field: t, format: \"%d/%b/%Y:%H:%M:%S %z\"}}", "{\"t\":\"02/Jan/2020:03:04:05 +0100\"}",
         "{\"@timestamp\":\"2020-01-02T02:04:05.000Z\",\"t\":\"02/Jan/2020:03:04:05 +0100\"}\n"},
        {"{time: {field: t, format: \"%b %e %H:%M:%S\"}}", "{\"t\":\"Dec  1 03:04:05\"}",
         "{\"@timestamp\":\"2023-12-01T03:04:05.000Z\",\"t\":\"Dec  1 03:04:05\"}\n"},
        {"{time: {field: t, format: \"%Y%m%d\"}}", "{\"t\":20200102}",
         "{\"@timestamp\":\"2020-01-02T00:00:00.000Z\",\"t\":20200102}\n"},
        {"{time: {field: t, format: \"%Y\\u002d%m-%d\"}}", "{\"t\":\"2020-01-02T03:04:05Z\"}",
         "{" READ_TIME ",\"t\":\"2020-01-02T03:04:05Z\"}\n"},
        {"{time: {field: \"@timestamp\", format: \"%Y-%m-%dT%H:%M:%SZ\"}}",
         "{\"@timestamp\":\"2020-01-02T03:04:05Z\"}", "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\"}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++)
        ck_assert_str_eq(parsed(cases[i].yaml, sl_span_of(cases[i].line)), cases[i].written);
}
END_TEST

START_TEST(parse__counts_times_that_are_bad_or_missing)
{
    static const struct {
        const char *yaml, *line;
        uint64_t bad, missing;
    } cases[] = {
        {"json", "{\"time\":\"2020-01-02T03:04:05Z\"}", 0, 0},
        {"json", "{\"a\":1}", 0, 1},
        {"json", "{\"time\":35}", 0, 1},
        {"json", "{\"time\":\"soon\"}", 1, 0},
        {"json", "{\"@timestamp\":\"soon\"}", 1, 0},
        {"json", "{\"time\":\"soon\",\"ts\":1577934245}", 0, 0},
        {"{time: at}", "{\"at\":35}", 1, 0},
        {"{time: at}", "{\"a\":1}", 0, 1},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, cases[i].yaml);
        sl_batch *batch = sl_test_batch_raw(NULL, 0, cases[i].line);
        sl_test_filter_apply(filter, batch);
        ck_assert_msg(sl_test_filter_count(filter, "bad_times_total", NULL) == cases[i].bad &&
                          sl_test_filter_count(filter, "missing_times_total", NULL) == cases[i].missing,
                      "%s", cases[i].line);
        sl_test_filter_free(filter);
        sl_batch_unref(batch);
    }
}
END_TEST

START_TEST(parse__json_inside_a_field)
{
    static const struct {
        const char *line, *written;
    } cases[] = {
        {"{\"log\":\"{\\\"a\\\":1,\\\"time\\\":\\\"2020-01-02T03:04:05Z\\\"}\\n\",\"s\":1}",
         "{\"@timestamp\":\"2020-01-02T03:04:05.000Z\",\"log\":{\"a\":1,\"time\":\"2020-01-02T03:04:05Z\"},"
         "\"s\":1}\n"},
        {"{\"log\":\"oops\"}",
         "{" READ_TIME ",\"log\":\"oops\",\"parse_error\":\"a byte that can start no value\"}\n"},
        {"{\"log\":\"[]\"}", "{" READ_TIME ",\"log\":\"[]\",\"parse_error\":\"not a JSON object\"}\n"},
        {"{\"log\":5}", "{" READ_TIME ",\"log\":5}\n"},
        {"{\"other\":5}", "{" READ_TIME ",\"other\":5}\n"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, "{field: log}");
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, cases[i].line);
        sl_test_filter_apply(filter, batch);
        ck_assert_str_eq(sl_test_batch_written(batch), cases[i].written);
        sl_test_filter_free(filter);
    }
    /* a line that is still one is read as {"message":…} first */
    ck_assert_str_eq(parsed("{field: message}", SL_SPAN("{\"a\":1}")),
                     "{" READ_TIME ",\"message\":{\"a\":1}}\n");
}
END_TEST

START_TEST(parse__leaves_objects_alone_but_takes_wrapped_lines)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_parse, "json");
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
    uint32_t count;
    sl_record_parse_json(batch, &batch->recs[0]);
    sl_record_tokens(batch, &batch->recs[1], &count); /* an earlier step read it as an object */
    sl_record_tokens(batch, &batch->recs[2], &count);
    sl_path *path = sl_test_path("x");
    sl_record_set(batch, &batch->recs[2], path, SL_SPAN("0"));
    sl_test_filter_apply(filter, batch);
    ck_assert_uint_eq(sl_test_filter_count(filter, "records_total", NULL), 1);
    ck_assert_str_eq(sl_test_batch_sealed(batch),
                     "{\"a\":1}\n{\"b\":2}\n{\"message\":\"{\\\"c\\\":3}\",\"x\":0}\n");
    sl_path_free(path);
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(parse__settings_that_can_not_be_are_refused)
{
    static const struct {
        const char *yaml, *error;
    } cases[] = {
        {"xml", "json"},
        {"{on_error: ignore}", "dead_letter"},
        {"{error_field: message}", "option `error_field`: \"message\" can't be used"},
        {"{error_field: \"\"}", "option `error_field`: \"\" can't be used"},
        {"{time: {zone: Mars/Base}}", "option `time.zone`: there is no time zone \"Mars/Base\""},
        {"{time: {format: \"%H:%M\"}}", "option `time.format`: column 6: the time format gives no day"},
        {"{time: {field: \"a..b\"}}", "a field name is expected here"},
        {"{tine: x}", "time"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        const char *errors = "";
        ck_assert_msg(!sl_test_filter_try(&sl_filter_parse, cases[i].yaml, &errors), "%s", cases[i].yaml);
        ck_assert_msg(strstr(errors, cases[i].error) != NULL, "%s: %s", cases[i].yaml, errors);
    }
}
END_TEST

SL_TEST_MAIN("parse", parse__options_are_well_formed, parse__every_kind_of_line_has_its_result,
             parse__what_fails_is_kept_dropped_or_dead_lettered, parse__gives_a_record_its_time,
             parse__counts_times_that_are_bad_or_missing, parse__json_inside_a_field,
             parse__leaves_objects_alone_but_takes_wrapped_lines, parse__settings_that_can_not_be_are_refused)
