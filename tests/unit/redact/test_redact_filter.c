/* The filter as the agent runs it: configuration, batches, counters. */
#include "check_main.h"
#include "config/options.h"
#include "filters.h"
#include "records.h"

#include "../../../plugins/filters/redact/redact_int.h"

#include <stdlib.h>
#include <time.h>

extern const sl_plugin sl_filter_redact;

START_TEST(redact__changes_the_records_of_a_batch)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_redact, "{}");
    sl_batch *batch = sl_test_batch_parsed("\"host\":\"h\"", SL_RECORD_COMMON,
                                           "{\"m\":\"mail bob@example.com\",\"password\":\"x\"}\n"
                                           "{\"m\":\"clean\"}\n"
                                           "{\"list\":[{\"token\":\"a\"},{\"token\":\"b\"}]}");
    sl_test_filter_apply(filter, batch);
    ck_assert_uint_eq(sl_test_filter_count(filter, "redacted_total", "email"), 1);
    ck_assert_uint_eq(sl_test_filter_count(filter, "redacted_total", "key:password"), 1);
    ck_assert_uint_eq(sl_test_filter_count(filter, "redacted_total", "key:token"), 2);
    ck_assert_uint_eq(sl_test_filter_count(filter, "redacted_total", "card"), 0);
    ck_assert_uint_eq(sl_test_filter_count(filter, "records_redacted_total", NULL), 2);
    ck_assert_str_eq(sl_test_batch_sealed(batch),
                     "{\"m\":\"mail [REDACTED]\",\"password\":\"[REDACTED]\"}\n"
                     "{\"m\":\"clean\"}\n"
                     "{\"list\":[{\"token\":\"[REDACTED]\"},{\"token\":\"[REDACTED]\"}]}\n");
    sl_test_filter_free(filter);
}
END_TEST

/* A file's name is a field that is joined to the record when an output writes it. */
START_TEST(redact__covers_what_all_records_have_in_common)
{
    static const char common[] = "\"host\":\"h\",\"file\":\"/home/bob@example.com/app.log\"";
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_redact, "{keys: [inode], detect: [email]}");
    sl_batch *batch = sl_test_batch_parsed(common, SL_RECORD_COMMON, "{\"n\":1}\n{\"host\":\"own\",\"n\":2}");
    sl_test_filter_apply(filter, batch);
    ck_assert_str_eq(sl_test_batch_sealed(batch),
                     "{\"host\":\"h\",\"file\":\"/home/[REDACTED]/app.log\",\"n\":1}\n"
                     "{\"file\":\"/home/[REDACTED]/app.log\",\"host\":\"own\",\"n\":2}\n");
    ck_assert_uint_eq(sl_test_filter_count(filter, "redacted_total", "email"), 2);

    batch = sl_test_batch_parsed("\"host\":\"h\",\"inode\":5", SL_RECORD_COMMON, "{\"n\":1}");
    sl_test_filter_apply(filter, batch);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"host\":\"h\",\"inode\":\"[REDACTED]\",\"n\":1}\n");
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(redact__covers_lines_that_are_no_json)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_redact, "{detect: all}");
    sl_batch *batch = sl_test_batch_raw(NULL, 0, "login of bob@example.com\n{\"password\":\"hunter2\",\"cut");
    sl_test_filter_apply(filter, batch);
    ck_assert_str_eq(sl_test_batch_sealed(batch),
                     "{\"message\":\"login of [REDACTED]\"}\n"
                     "{\"message\":\"{\\\"password\\\":\\\"[REDACTED]\\\",\\\"cut\"}\n");
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(redact__takes_members_out_of_records)
{
    sl_test_filter *filter =
        sl_test_filter_new(&sl_filter_redact, "{keys: [a], detect: [email], action: remove}");
    sl_batch *batch =
        sl_test_batch_parsed(NULL, 0,
                             "{\"a\":1,\"A\":2}\n{\"x\":1,\"a\":{},\"a\":[1],\"m\":\"b@example.com\"}\n"
                             "{\"a\":1,\"x\":[\"b@example.com\",2,\"c@example.com\"]}");
    sl_test_filter_apply(filter, batch);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{}\n{\"x\":1,\"a\":{}}\n{\"x\":[2]}\n");
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(redact__leaves_records_alone_that_are_gone)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_redact, "{}");
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"password\":\"x\"}\n{\"password\":\"y\"}");
    sl_record_set_fate(batch, &batch->recs[0], SL_FATE_FILTERED, NULL);
    sl_test_filter_apply(filter, batch);
    ck_assert_uint_eq(sl_test_filter_count(filter, "records_redacted_total", NULL), 1);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"password\":\"[REDACTED]\"}\n");
    sl_test_filter_free(filter);
}
END_TEST

/* ---- configuration ----------------------------------------------------------------------------- */

START_TEST(redact__options_are_well_formed)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_options_check(sl_filter_redact.options, sl_filter_redact.conf_size, &err) == 0, "%s",
                  err.text);
}
END_TEST

START_TEST(redact__refuses_what_makes_no_sense)
{
    static const struct {
        const char *yaml, *error;
    } cases[] = {
        {"{detect: [email, none]}", "`none` can't stand beside a detector"},
        {"{detect: [emali]}", "did you mean `email`?"},
        {"{action: hash}", "needs a `key` of 16 bytes or more"},
        {"{actions: {email: hash}, hash: {key: short}}", "needs a `key` of 16 bytes or more"},
        {"{keys: [\"\"]}", "option `keys`: `` names nothing"},
        {"{keys: [\"-_-\"]}", "option `keys`: `-_-` names nothing"},
        {"{except: [\"a[x\"]}", "option `except`"},
        {"{keys: [a..b]}", "option `keys`: `a..b`: column 3"},
        {"{patterns: [{name: x, regex: a}, {name: x, regex: b}]}", "two are named `x`"},
        {"{patterns: [{regex: a}]}", "needs the option `name`"},
        {"{patterns: [{name: x, regex: '('}]}", "regex"},
        {"{keys: [{match: a, acton: hash}]}", "did you mean `action`?"},
        {"{actions: {emial: hash}}", "did you mean `email`?"},
        {"{mask: -1}", "mask"},
        {"{hash: {length: 4}}", "length"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        const char *errors = "";
        ck_assert_msg(!sl_test_filter_try(&sl_filter_redact, cases[i].yaml, &errors), "%s", cases[i].yaml);
        ck_assert_msg(strstr(errors, cases[i].error) != NULL, "%s: %s", cases[i].yaml, errors);
    }
    const char *errors = "";
    ck_assert(!sl_test_filter_try(&sl_filter_redact, "{action: hash, hash: {key: tooshortkey}}", &errors));
    ck_assert_ptr_null(strstr(errors, "tooshortkey"));
}
END_TEST

/* ---- hostile input ----------------------------------------------------------------------------- */

/* One record with a string of `count` times `part`, redacted; its processor time in seconds. */
static double seconds_for(sl_test_filter *filter, const char *part, size_t count)
{
    sl_buf line = SL_BUF_NONE, text = SL_BUF_NONE;
    for (size_t i = 0; i < count; i++)
        sl_buf_append_cstr(&text, part);
    sl_buf_append_cstr(&line, "{\"m\":");
    sl_json_write_string(&line, sl_buf_span(&text));
    sl_buf_append_char(&line, '}');
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, sl_buf_cstr(&line));
    clock_t begin = clock();
    sl_test_filter_apply(filter, batch);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    sl_batch_unref(batch);
    sl_buf_release(&line);
    sl_buf_release(&text);
    return seconds;
}

/* Twice the text may cost twice the time, not four times: what repeats is made to be as bad as can be. */
START_TEST(redact__costs_grow_in_line_with_the_text)
{
    static const char *const parts[] = {"@",
                                        "a@",
                                        "a%40",
                                        "1 ",
                                        "12-",
                                        "password=",
                                        "password=\"",
                                        "secret={",
                                        "token: [",
                                        "-----BEGIN PRIVATE KEY-----",
                                        "-----BEGIN PRIVATE KEY-----\n-----END",
                                        "eyJ",
                                        "eyJhbGciOi.eyJ",
                                        "Bearer ",
                                        "bearer:",
                                        "://",
                                        "://u:p@",
                                        "{\"a\":",
                                        "[\"",
                                        "{\"a\":1}",
                                        "1:",
                                        "::",
                                        "1.1.",
                                        "+1",
                                        "(1",
                                        "0-1",
                                        "DE12",
                                        "\"password\":\"",
                                        "\\\"password\\\":\\\"",
                                        ",a=",
                                        "password=a,",
                                        "cookie: ",
                                        "aws_secret_access_key",
                                        "[hmac:"};
    sl_test_filter *filter = sl_test_filter_new(
        &sl_filter_redact, "{detect: all, action: hash, hash: {key: \"0123456789abcdef\"}}");
    for (size_t i = 0; i < SL_LEN(parts); i++) {
        size_t count = 60000 / strlen(parts[i]);
        double once = seconds_for(filter, parts[i], count), more = seconds_for(filter, parts[i], 8 * count);
        ck_assert_msg(more < 0.05 || more < 24 * once, "`%s`: %.4f s, eight times of it %.4f s", parts[i],
                      once, more);
    }
    sl_test_filter_free(filter);
}
END_TEST

START_TEST(redact__replaces_json_that_is_nested_beyond_reason)
{
    sl_test_filter *filter = sl_test_filter_new(&sl_filter_redact, "{}");
    sl_buf text = SL_BUF_NONE, outer = SL_BUF_NONE;
    sl_buf_append_cstr(&text, "{\"password\":\"hunter2\"}");
    for (int i = 0; i < 11; i++) {
        sl_buf_clear(&outer);
        sl_buf_append_cstr(&outer, "{\"b\":");
        sl_json_write_string(&outer, sl_buf_span(&text));
        sl_buf_append_char(&outer, '}');
        sl_buf swap = text;
        text = outer;
        outer = swap;
    }
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, sl_buf_cstr(&text));
    sl_test_filter_apply(filter, batch);
    ck_assert_uint_eq(sl_test_filter_count(filter, "redacted_total", "nested"), 1);
    const char *out = sl_test_batch_sealed(batch);
    ck_assert_ptr_null(strstr(out, "hunter2"));
    ck_assert_ptr_nonnull(strstr(out, "[REDACTED]"));
    sl_buf_release(&text);
    sl_buf_release(&outer);
    sl_test_filter_free(filter);
}
END_TEST

SL_TEST_MAIN("redact_filter", redact__changes_the_records_of_a_batch,
             redact__covers_what_all_records_have_in_common, redact__covers_lines_that_are_no_json,
             redact__takes_members_out_of_records, redact__leaves_records_alone_that_are_gone,
             redact__options_are_well_formed, redact__refuses_what_makes_no_sense,
             redact__costs_grow_in_line_with_the_text, redact__replaces_json_that_is_nested_beyond_reason)
