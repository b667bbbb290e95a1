#include "base/units.h"
#include "check_main.h"

static const struct {
    const char *text;
    int code;
    uint64_t bytes;
    const char *advice; /* what the error says */
} sizes[] = {
    {"0", 0, 0, NULL},
    {"512", 0, 512, NULL},
    {"1B", 0, 1, NULL},
    {"10kB", 0, 10000, NULL},
    {"64MiB", 0, UINT64_C(64) << 20, NULL},
    {"1.5GiB", 0, UINT64_C(1610612736), NULL},
    {"2.000kB", 0, 2000, NULL},
    {"0.5KiB", 0, 512, NULL},
    {"3TB", 0, UINT64_C(3000000000000), NULL},
    {"16777215TiB", 0, UINT64_C(16777215) << 40, NULL},
    {"16777216TiB", SL_E_RANGE, 0, "2^64"},
    {"18446744073709551615", 0, UINT64_MAX, NULL},
    {"18446744073709551616", SL_E_RANGE, 0, "2^64"},
    {"18446744073709551620", SL_E_RANGE, 0, "2^64"},
    {"99999999999999999999999999", SL_E_RANGE, 0, "2^64"},
    {"0.3B", SL_E_SYNTAX, 0, "whole number of bytes"},
    {"1.0001kB", SL_E_SYNTAX, 0, "whole number of bytes"},
    {"", SL_E_SYNTAX, 0, "64MiB"},
    {"MiB", SL_E_SYNTAX, 0, "64MiB"},
    {"-1MiB", SL_E_SYNTAX, 0, "64MiB"},
    {"1.MiB", SL_E_SYNTAX, 0, "64MiB"},
    {".5MiB", SL_E_SYNTAX, 0, "64MiB"},
    {"64 MiB", SL_E_SYNTAX, 0, "no space"},
    {"1MiB2", SL_E_SYNTAX, 0, "64MiB"},
    {"1.5.2MiB", SL_E_SYNTAX, 0, "64MiB"},
    {"64M", SL_E_SYNTAX, 0, "MB (powers of 1000) or MiB (powers of 1024)"},
    {"64KB", SL_E_SYNTAX, 0, "kB (powers of 1000) or KiB (powers of 1024)"},
    {"64mib", SL_E_SYNTAX, 0, "write MiB"},
};

START_TEST(units__sizes_are_read_exactly_or_refused)
{
    for (size_t i = 0; i < SL_LEN(sizes); i++) {
        uint64_t bytes = 0;
        sl_err err = SL_ERR_NONE;
        int rc = sl_size_parse(sl_span_of(sizes[i].text), &bytes, &err);
        ck_assert_msg(rc == sizes[i].code, "%s: %d", sizes[i].text, rc);
        ck_assert_msg(bytes == sizes[i].bytes, "%s: %llu", sizes[i].text, (unsigned long long)bytes);
        if (sizes[i].advice)
            ck_assert_msg(strstr(err.text, sizes[i].advice), "%s: %s", sizes[i].text, err.text);
    }
}
END_TEST

#define S SL_NS_PER_S
static const struct {
    const char *text;
    int code;
    int64_t ns;
    const char *advice;
} durations[] = {
    {"0", 0, 0, NULL},
    {"0s", 0, 0, NULL},
    {"5s", 0, 5 * S, NULL},
    {"100ms", 0, S / 10, NULL},
    {"1us", 0, 1000, NULL},
    {"7ns", 0, 7, NULL},
    {"1h30m", 0, 5400 * S, NULL},
    {"7d", 0, 604800 * S, NULL},
    {"2w", 0, 1209600 * S, NULL},
    {"1.5s", 0, 1500 * SL_NS_PER_MS, NULL},
    {"1m0.25s", 0, 60250 * SL_NS_PER_MS, NULL},
    {"1w2d3h4m5s6ms7us8ns", 0, INT64_C(788645006007008), NULL},
    {"9223372036854775807ns", 0, INT64_MAX, NULL},
    {"9223372036854775808ns", SL_E_RANGE, 0, "292 years"},
    {"15251w", SL_E_RANGE, 0, "292 years"},
    {"15250w10d", SL_E_RANGE, 0, "292 years"},
    {"99999999999999999999999d", SL_E_RANGE, 0, "292 years"},
    {"5", SL_E_SYNTAX, 0, "needs a unit"},
    {"1h30", SL_E_SYNTAX, 0, "needs a unit"},
    {"", SL_E_SYNTAX, 0, "5s"},
    {"s", SL_E_SYNTAX, 0, "5s"},
    {"-5s", SL_E_SYNTAX, 0, "5s"},
    {"5 s", SL_E_SYNTAX, 0, "5s"},
    {"5sec", SL_E_SYNTAX, 0, "5s"},
    {"5S", SL_E_SYNTAX, 0, "5s"},
    {"30m1h", SL_E_SYNTAX, 0, "larger units first"},
    {"1s1s", SL_E_SYNTAX, 0, "at most once"},
    {"0.5ns", SL_E_SYNTAX, 0, "whole number of nanoseconds"},
    {"1h ", SL_E_SYNTAX, 0, "5s"},
};

START_TEST(units__durations_are_read_exactly_or_refused)
{
    for (size_t i = 0; i < SL_LEN(durations); i++) {
        int64_t ns = 0;
        sl_err err = SL_ERR_NONE;
        int rc = sl_duration_parse(sl_span_of(durations[i].text), &ns, &err);
        ck_assert_msg(rc == durations[i].code, "%s: %d %s", durations[i].text, rc, err.text);
        ck_assert_msg(ns == durations[i].ns, "%s: %lld", durations[i].text, (long long)ns);
        if (durations[i].advice)
            ck_assert_msg(strstr(err.text, durations[i].advice), "%s: %s", durations[i].text, err.text);
    }
}
END_TEST

START_TEST(units__fractions_are_read_exactly_or_refused)
{
    static const struct {
        const char *text;
        int code;
        double value;
    } cases[] = {{"5%", 0, 0.05},
                 {"0.05", 0, 0.05},
                 {"100%", 0, 1},
                 {"1", 0, 1},
                 {"0", 0, 0},
                 {"12.5%", 0, 0.125},
                 {"0.1%", 0, 0.001},
                 {"101%", SL_E_RANGE, 0},
                 {"1.01", SL_E_RANGE, 0},
                 {"5", SL_E_RANGE, 0},
                 {"", SL_E_SYNTAX, 0},
                 {"%", SL_E_SYNTAX, 0},
                 {"5 %", SL_E_SYNTAX, 0},
                 {"-5%", SL_E_SYNTAX, 0},
                 {"5%%", SL_E_SYNTAX, 0},
                 {"1e-2", SL_E_SYNTAX, 0},
                 {"0.0000000000000000000001", SL_E_RANGE, 0}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        double value = 0;
        sl_err err = SL_ERR_NONE;
        int rc = sl_fraction_parse(sl_span_of(cases[i].text), &value, &err);
        ck_assert_msg(rc == cases[i].code, "%s: %d", cases[i].text, rc);
        ck_assert_msg(value == cases[i].value, "%s: %g", cases[i].text, value);
        ck_assert((rc == 0) == (err.text[0] == '\0'));
    }
}
END_TEST

START_TEST(units__sizes_print_as_they_read_back)
{
    static const struct {
        uint64_t bytes;
        const char *exact, *brief;
    } cases[] = {{0, "0B", "0B"},
                 {513, "513B", "513B"},
                 {1024, "1KiB", "1.00KiB"},
                 {10000, "10kB", "9.77KiB"},
                 {UINT64_C(64) << 20, "64MiB", "64.0MiB"},
                 {UINT64_C(1610612736), "1536MiB", "1.50GiB"},
                 {UINT64_C(1000) << 20, "1000MiB", "1000MiB"},
                 {UINT64_MAX, "18446744073709551615B", "16777216TiB"}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_buf buf = SL_BUF_NONE;
        sl_size_format(&buf, cases[i].bytes);
        ck_assert_str_eq(sl_buf_cstr(&buf), cases[i].exact);
        uint64_t back = 1;
        ck_assert_int_eq(sl_size_parse(sl_buf_span(&buf), &back, NULL), 0);
        ck_assert(back == cases[i].bytes);
        sl_buf_clear(&buf);
        sl_size_format_short(&buf, cases[i].bytes);
        ck_assert_str_eq(sl_buf_cstr(&buf), cases[i].brief);
        sl_buf_release(&buf);
    }
}
END_TEST

START_TEST(units__durations_print_as_they_read_back)
{
    static const struct {
        int64_t ns;
        const char *exact, *brief;
    } cases[] = {{0, "0s", "0s"},
                 {7, "7ns", "7ns"},
                 {1500, "1us500ns", "1.50us"},
                 {20 * SL_NS_PER_MS, "20ms", "20.0ms"},
                 {90 * S, "1m30s", "1m30s"},
                 {5400 * S, "1h30m", "1h30m"},
                 {INT64_C(7) * 86400 * S, "1w", "7d00h"},
                 {INT64_C(10) * 86400 * S, "10d", "10d00h"},
                 {12345 * SL_NS_PER_MS, "12s345ms", "12.3s"},
                 {-5 * S, "-5s", "-5.00s"},
                 {INT64_MAX, "106751d23h47m16s854ms775us807ns", "106751d23h"}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_buf buf = SL_BUF_NONE;
        sl_duration_format(&buf, cases[i].ns);
        ck_assert_str_eq(sl_buf_cstr(&buf), cases[i].exact);
        int64_t back = -1;
        if (cases[i].ns >= 0) {
            ck_assert_int_eq(sl_duration_parse(sl_buf_span(&buf), &back, NULL), 0);
            ck_assert(back == cases[i].ns);
        }
        sl_buf_clear(&buf);
        sl_duration_format_short(&buf, cases[i].ns);
        ck_assert_str_eq(sl_buf_cstr(&buf), cases[i].brief);
        sl_buf_release(&buf);
    }
}
END_TEST

START_TEST(units__fractions_print_as_they_read_back)
{
    static const char *const texts[] = {"0%", "5%", "12.5%", "0.1%", "33.333%", "100%"};
    for (size_t i = 0; i < SL_LEN(texts); i++) {
        double value = -1;
        ck_assert_int_eq(sl_fraction_parse(sl_span_of(texts[i]), &value, NULL), 0);
        sl_buf buf = SL_BUF_NONE;
        sl_fraction_format(&buf, value);
        ck_assert_str_eq(sl_buf_cstr(&buf), texts[i]);
        sl_buf_release(&buf);
    }
}
END_TEST

SL_TEST_MAIN("units", units__sizes_are_read_exactly_or_refused, units__durations_are_read_exactly_or_refused,
             units__fractions_are_read_exactly_or_refused, units__sizes_print_as_they_read_back,
             units__durations_print_as_they_read_back, units__fractions_print_as_they_read_back)
