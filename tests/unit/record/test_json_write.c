#include "base/utf8.h"
#include "check_main.h"
#include "json_random.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- strings ----------------------------------------------------------------------------------- */

static const char *const scanners[] = {"portable", "avx2", "avx512", "neon"};

static void check_string(sl_span text, const char *want, size_t replaced)
{
    for (size_t s = 0; s < SL_LEN(scanners); s++) {
        if (sl_json_scanner_use(scanners[s]) != 0) continue;
        sl_buf buf = SL_BUF_NONE;
        sl_buf_append_cstr(&buf, "<");
        ck_assert_uint_eq(sl_json_write_string(&buf, text), replaced);
        ck_assert_str_eq(sl_buf_cstr(&buf) + 1, want);
        sl_buf_release(&buf);
    }
}

START_TEST(json_write__escapes_what_must_be_and_nothing_else)
{
    check_string(SL_SPAN(""), "\"\"", 0);
    check_string(SL_SPAN("plain text / with 'marks' <&>"), "\"plain text / with 'marks' <&>\"", 0);
    check_string(SL_SPAN("\""), "\"\\\"\"", 0);
    check_string(SL_SPAN("a\\b"), "\"a\\\\b\"", 0);
    check_string(SL_SPAN("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"", 0);
    check_string(SL_SPAN("\x00\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"", 0);
    check_string(SL_SPAN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
                 0);
    check_string(SL_SPAN("{\"a\":\"b\\n\"}"), "\"{\\\"a\\\":\\\"b\\\\n\\\"}\"", 0);
}
END_TEST

/* All masks of quotes and backslashes among sixteen bytes, and the first byte that needs more thought at each
 * place. */
START_TEST(json_write__escapes_every_pattern)
{
    for (uint32_t marked = 0; marked < 0x10000; marked += 1 + marked % 3) {
        char text[16], want[36], *end = want;
        size_t stop = marked % 17;
        *end++ = '"';
        for (size_t i = 0; i < 16; i++) {
            text[i] = (char)(marked >> i & 1 ? (i % 3 ? '"' : '\\') : i == stop ? '\n' : 'a' + (int)i);
            if (text[i] == '"' || text[i] == '\\' || text[i] == '\n') *end++ = '\\';
            *end++ = text[i] == '\n' ? 'n' : text[i];
        }
        memcpy(end, "\"", 2);
        check_string((sl_span){text, 16}, want, 0);
    }
}
END_TEST

START_TEST(json_write__replaces_invalid_utf8_and_counts)
{
    check_string(SL_SPAN("a\xff"
                         "b"),
                 "\"a\xef\xbf\xbd"
                 "b\"",
                 1);
    check_string(SL_SPAN("\xe2\x82"), "\"\xef\xbf\xbd\"", 1);
    check_string(SL_SPAN("\xe2\x82\"\xed\xa0\x80"),
                 "\"\xef\xbf\xbd\\\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", 4);
}
END_TEST

/* What the writer makes of any bytes must be one valid string that reads back as those bytes, repaired. */
static void check_round_trip(sl_span text)
{
    sl_buf json = SL_BUF_NONE, repaired = SL_BUF_NONE;
    sl_tape tape = {0};
    size_t replaced = sl_json_write_string(&json, text);

    ck_assert_uint_eq(sl_utf8_repair(&repaired, text), replaced);
    ck_assert(sl_utf8_is_valid(sl_buf_span(&json)));
    ck_assert_int_eq(sl_json_index(&tape, sl_buf_span(&json)).error, SL_JSON_OK);
    ck_assert_uint_eq(tape.len, 1);
    char *back = malloc(json.len);
    size_t len = sl_json_unescape((sl_span){json.ptr + tape.tok[0].off, tape.tok[0].len}, back);
    ck_assert(sl_span_is((sl_span){back, len}, sl_buf_span(&repaired)));
    free(back);
    sl_buf_release(&json);
    sl_buf_release(&repaired);
    sl_tape_release(&tape);
}

START_TEST(json_write__writes_any_bytes_so_that_they_read_back)
{
    sl_random random = {4711};
    static const char telling[] =
        "\"\"\\\\\\/ab{}:,\n\t\x01\x1f\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xed\xa0";
    char *text = malloc(20000);

    for (int round = 0; round < 6000; round++) {
        size_t len = sl_random_below(&random, round % 100 ? 200 : 20000);
        uint32_t kind = sl_random_below(&random, 4);
        for (size_t i = 0; i < len; i++) {
            uint64_t r = sl_random_next(&random);
            text[i] = kind == 0             ? (char)r
                      : kind == 1 && r % 8  ? (char)('a' + r / 8 % 26)
                      : kind == 2 && r % 50 ? (char)(r / 50 % 3 ? 'x' : '"')
                                            : telling[r / 512 % (sizeof telling - 1)];
        }
        char *own = malloc(len ? len : 1); /* just this size: reading past its end is seen */
        memcpy(own, text, len);
        for (size_t s = 0; s < SL_LEN(scanners); s++) {
            if (sl_json_scanner_use(scanners[s]) == 0) check_round_trip((sl_span){own, len});
        }
        free(own);
    }
    free(text);
}
END_TEST

/* ---- reading strings back ---------------------------------------------------------------------- */

static void check_unescape(sl_span spelling, sl_span want)
{
    char *out = malloc(spelling.len + 1);
    size_t len = sl_json_unescape(spelling, out);
    ck_assert_msg(sl_span_is((sl_span){out, len}, want), SL_SPAN_FMT " gives " SL_SPAN_FMT,
                  SL_SPAN_ARG(spelling), (int)len, out);
    memcpy(out, spelling.ptr, spelling.len);
    ck_assert_uint_eq(sl_json_unescape((sl_span){out, spelling.len}, out), want.len); /* in place */
    ck_assert_mem_eq(out, want.ptr, want.len);
    free(out);
}

START_TEST(json_write__unescape_decodes_every_escape)
{
    check_unescape(SL_SPAN(""), SL_SPAN(""));
    check_unescape(SL_SPAN("plain"), SL_SPAN("plain"));
    check_unescape(SL_SPAN("\\\"\\\\\\/\\b\\f\\n\\r\\t"), SL_SPAN("\"\\/\b\f\n\r\t"));
    check_unescape(SL_SPAN("\\u0000x"), SL_SPAN("\0x"));
    check_unescape(SL_SPAN("\\u0041\\u00e9\\u20AC"), SL_SPAN("A\xc3\xa9\xe2\x82\xac"));
    check_unescape(SL_SPAN("<\\ud83d\\uDE00>"), SL_SPAN("<\xf0\x9f\x98\x80>"));
    check_unescape(SL_SPAN("\\uDBFF\\uDFFF"), SL_SPAN("\xf4\x8f\xbf\xbf"));
    check_unescape(SL_SPAN("\\ud800"), SL_SPAN("\xef\xbf\xbd"));
    check_unescape(SL_SPAN("\\udc00\\ud800\\u0041"), SL_SPAN("\xef\xbf\xbd\xef\xbf\xbd"
                                                             "A"));
    check_unescape(SL_SPAN("\\ud800\\n\\ud83d\\ude00"), SL_SPAN("\xef\xbf\xbd\n\xf0\x9f\x98\x80"));
}
END_TEST

START_TEST(json_write__any_spelling_reads_back)
{
    sl_random random = {99};
    sl_span text = SL_SPAN("user@example.com \"\\/\b\f\n\r\t \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 end");

    for (int round = 0; round < 500; round++) {
        sl_buf spelled = SL_BUF_NONE;
        sl_json_random_spelling(&random, text, &spelled);
        check_unescape((sl_span){spelled.ptr + 1, spelled.len - 2}, text);
        sl_buf_release(&spelled);
    }
}
END_TEST

/* ---- numbers and times ------------------------------------------------------------------------- */

static const char *double_text(double value)
{
    static sl_buf buf;
    sl_buf_clear(&buf);
    sl_json_write_double(&buf, value);
    return sl_buf_cstr(&buf);
}

START_TEST(json_write__doubles_are_shortest_and_read_back)
{
    ck_assert_str_eq(double_text(0), "0");
    ck_assert_str_eq(double_text(-0.0), "-0");
    ck_assert_str_eq(double_text(0.1), "0.1");
    ck_assert_str_eq(double_text(0.1 + 0.2), "0.30000000000000004");
    ck_assert_str_eq(double_text(5e-324), "5e-324");
    ck_assert_str_eq(double_text(DBL_MAX), "1.7976931348623157e+308");
    ck_assert_str_eq(double_text(1234567), "1234567");
    ck_assert_str_eq(double_text(NAN), "null");
    ck_assert_str_eq(double_text(-INFINITY), "null");
    sl_random random = {5};
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = sl_random_next(&random);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        ck_assert(strtod(double_text(value), NULL) == value);
    }
}
END_TEST

START_TEST(json_write__integers_of_all_sizes)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"}, {-1, "-1"}, {INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_buf buf = SL_BUF_NONE;
        sl_json_write_i64(&buf, cases[i].value);
        ck_assert_str_eq(sl_buf_cstr(&buf), cases[i].text);
        sl_buf_release(&buf);
    }
}
END_TEST

START_TEST(json_write__times_have_as_few_digits_as_keep_them)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {INT64_C(1700000000123000000), "2023-11-14T22:13:20.123Z"},
        {INT64_C(1700000000123456000), "2023-11-14T22:13:20.123456Z"},
        {INT64_C(1700000000123456789), "2023-11-14T22:13:20.123456789Z"},
        {INT64_C(1709251199000000000), "2024-02-29T23:59:59.000Z"},
        {INT64_C(951782400000000000), "2000-02-29T00:00:00.000Z"},
        {INT64_C(951868800000000000), "2000-03-01T00:00:00.000Z"},
        {INT64_C(4107542400000000000), "2100-03-01T00:00:00.000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_buf buf = SL_BUF_NONE;
        sl_json_write_time(&buf, cases[i].ns);
        ck_assert_str_eq(sl_buf_cstr(&buf), cases[i].text);
        sl_buf_release(&buf);
    }
}
END_TEST

SL_TEST_MAIN("json_write", json_write__escapes_every_pattern,
             json_write__escapes_what_must_be_and_nothing_else, json_write__replaces_invalid_utf8_and_counts,
             json_write__writes_any_bytes_so_that_they_read_back, json_write__unescape_decodes_every_escape,
             json_write__any_spelling_reads_back, json_write__doubles_are_shortest_and_read_back,
             json_write__integers_of_all_sizes, json_write__times_have_as_few_digits_as_keep_them)
