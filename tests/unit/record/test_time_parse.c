#include "check_main.h"
#include "golden.h"
#include "record/time_int.h"

#include <sluice/fs.h>
#include <sluice/record.h>
#include <stdlib.h>

static const char *formatted(bool parsed, int64_t ns)
{
    static sl_buf text;
    sl_buf_clear(&text);
    if (!parsed) return "-";
    sl_json_write_time(&text, ns);
    return sl_buf_cstr(&text);
}

static sl_timezone *zone_of(const char *name)
{
    sl_err err = SL_ERR_NONE;
    sl_timezone *zone = sl_timezone_parse(sl_span_of(name), &err);
    ck_assert_msg(zone != NULL, "%s: %s", name, err.text);
    return zone;
}

static bool check_recognised(const sl_golden_case *c)
{
    /* Exactly as long as the text: a reader of one byte too many is caught by the sanitizer. */
    char *text = sl_strndup(c->part[0], strlen(c->part[0]));
    size_t len = strlen(text);
    char *exact = sl_alloc(len);
    memcpy(exact, text, len);
    sl_timezone *zone = zone_of(c->part[1]);
    int64_t ns = 0;
    bool parsed = sl_time_parse((sl_span){exact, len}, zone, &ns);
    const char *got = formatted(parsed, ns);
    bool right = strcmp(got, c->part[2]) == 0;
    sl_timezone_free(zone);
    sl_free(exact);
    sl_free(text);
    return right || sl_golden_wrong(c, "%s in %s is %s, not %s", c->part[0], c->part[1], got, c->part[2]);
}

START_TEST(time__is_recognised_or_not)
{
    ck_assert_int_ge(sl_golden_each("time/recognised.txt", 3, check_recognised), 300);
    int64_t ns;
    ck_assert(!sl_time_parse(SL_SPAN_NONE, NULL, &ns));
    ck_assert(sl_time_parse(SL_SPAN("2024-05-01 00:00"), NULL, &ns));
}
END_TEST

static bool check_format(const sl_golden_case *c)
{
    sl_err err = SL_ERR_NONE;
    sl_time_format *format = sl_time_format_parse(sl_span_of(c->part[0]), &err);
    if (!format) return sl_golden_wrong(c, "%s: %s", c->part[0], err.text);
    sl_timezone *zone = zone_of(c->part[2]);
    int64_t ns = 0, now = 0;
    if (strcmp(c->part[3], "-") != 0) ck_assert(sl_time_parse(sl_span_of(c->part[3]), NULL, &now));
    bool parsed = sl_time_parse_format(format, sl_span_of(c->part[1]), zone, now, &ns);
    const char *got = formatted(parsed, ns);
    bool right = strcmp(got, c->part[4]) == 0;
    sl_timezone_free(zone);
    sl_time_format_free(format);
    return right || sl_golden_wrong(c, "%s by %s is %s, not %s", c->part[1], c->part[0], got, c->part[4]);
}

START_TEST(time__is_read_by_a_format)
{
    ck_assert_int_ge(sl_golden_each("time/formats.txt", 5, check_format), 70);
}
END_TEST

static bool check_format_error(const sl_golden_case *c)
{
    sl_err err = SL_ERR_NONE;
    sl_time_format *format = sl_time_format_parse(sl_span_of(c->part[0]), &err);
    bool right = !format && strncmp(err.text, c->part[1], strlen(c->part[1])) == 0;
    sl_time_format_free(format);
    return right || sl_golden_wrong(c, "%s: %s", c->part[0], format ? "is accepted" : err.text);
}

START_TEST(time__formats_that_tell_no_day_are_refused)
{
    ck_assert_int_ge(sl_golden_each("time/format_errors.txt", 2, check_format_error), 9);
    char long_format[400];
    memset(long_format, 'x', sizeof(long_format));
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_time_format_parse((sl_span){long_format, sizeof(long_format)}, &err));
    ck_assert_int_eq(err.code, SL_E_LIMIT);
}
END_TEST

static bool check_zone_error(const sl_golden_case *c)
{
    sl_err err = SL_ERR_NONE;
    sl_timezone *zone = sl_timezone_parse(sl_span_of(c->part[0]), &err);
    bool right = !zone && strncmp(err.text, c->part[1], strlen(c->part[1])) == 0;
    sl_timezone_free(zone);
    return right || sl_golden_wrong(c, "%s: %s", c->part[0], zone ? "is accepted" : err.text);
}

START_TEST(time__names_that_are_no_zones_are_refused)
{
    ck_assert_int_ge(sl_golden_each("time/zone_errors.txt", 2, check_zone_error), 10);
    sl_err err = SL_ERR_NONE;
    ck_assert_ptr_null(sl_timezone_parse((sl_span){"UTC\0x", 5}, &err));
    ck_assert_ptr_null(sl_timezone_parse(SL_SPAN(""), &err));
}
END_TEST

START_TEST(time__local_is_what_the_system_says)
{
    int64_t ns;
    setenv("TZ", "Asia/Tokyo", 1);
    sl_timezone *zone = zone_of("local");
    ck_assert(sl_time_parse(SL_SPAN("2024-05-01 12:00:00"), zone, &ns));
    ck_assert_str_eq(formatted(true, ns), "2024-05-01T03:00:00.000Z");
    sl_timezone_free(zone);
    unsetenv("TZ");
    zone = zone_of("local");
    sl_timezone_free(zone);
}
END_TEST

/* Every cut and every changed byte of a real zone file: refused or read, never read beyond its end. */
START_TEST(time__a_damaged_zone_file_is_refused)
{
    sl_buf file = SL_BUF_NONE;
    ck_assert_int_eq(sl_fs_read_file("/usr/share/zoneinfo/Europe/Berlin", 1 << 20, &file), 0);
    sl_err err = SL_ERR_NONE;
    for (size_t len = 0; len < file.len; len += 7) {
        char *cut = sl_alloc(len + 1);
        memcpy(cut, file.ptr, len);
        sl_timezone *zone = sl_tzif__parse((sl_span){cut, len}, "cut", &err);
        ck_assert_msg(!zone, "%zu of %zu bytes are accepted", len, file.len);
        ck_assert_str_eq(err.text, "the file of time zone \"cut\" is damaged");
        sl_free(cut);
    }
    for (size_t at = 0; at < file.len; at++) {
        char was = file.ptr[at];
        file.ptr[at] = (char)(was ^ 0xff);
        sl_timezone *zone = sl_tzif__parse(sl_buf_span(&file), "changed", &err);
        if (zone) sl_timezone__to_utc(zone, 1700000000);
        sl_timezone_free(zone);
        file.ptr[at] = was;
    }
    sl_buf_release(&file);
}
END_TEST

START_TEST(time__rules_are_expanded_or_refused)
{
    static const struct {
        const char *rule;
        int count; /* -1: no rule; else at least so many */
    } cases[] = {
        {"UTC0", 0},
        {"<+03>-3", 0},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 300},
        {"EST5EDT,M3.2.0,M11.1.0", 300},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 300},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 300},
        {"XXX3EDT4,0/0,J365/23", 100},
        {"AAA-1BBB-2,J60,J300", 300},
        {"AAA-1BBB,59/2:30:15,300", 300},
        {"", -1},
        {"CET", -1},
        {"CET-1CEST", -1},
        {"CET-1CEST,M3.5.0", -1},
        {"CET-1CEST,M13.5.0,M10.5.0", -1},
        {"CET-1CEST,M3.6.0,M10.5.0", -1},
        {"CET-1CEST,M3.5.7,M10.5.0", -1},
        {"CET-1CEST,J0,J300", -1},
        {"CET-1CEST,J366,J300", -1},
        {"CET-1CEST,M3.5.0,M10.5.0/168", -1},
        {"CET-1CEST,M3.5.0,M10.5.0x", -1},
        {"CET-25", -1},
        {"CET-1:60", -1},
        {"<+03-3", -1},
        {"<>-3", -1},
        {"1", -1},
    };
    static sl_transition out[SL_MAX_RULE_TRANSITIONS];
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        int count = sl_tz_rule__expand(sl_span_of(cases[i].rule), 0, out);
        bool right = cases[i].count <= 0 ? count == cases[i].count : count >= cases[i].count;
        ck_assert_msg(right, "`%s`: %d", cases[i].rule, count);
        for (int j = 1; j < count; j++)
            ck_assert_msg(out[j].at > out[j - 1].at, "`%s` is not in order at %d", cases[i].rule, j);
    }
    ck_assert_int_le(sl_tz_rule__expand(SL_SPAN("CET-1CEST,M3.5.0,M10.5.0/3"), INT64_MIN, out),
                     SL_MAX_RULE_TRANSITIONS);
}
END_TEST

/* Every day of 800 years, and both ways. */
START_TEST(time__days_and_dates_agree)
{
    int64_t day = sl_days_from_date(1600, 1, 1);
    ck_assert_int_eq(sl_days_from_date(1970, 1, 1), 0);
    ck_assert_int_eq(sl_days_from_date(2000, 3, 1), 11017);
    for (int year = 1600; year < 2400; year++) {
        for (unsigned month = 1; month <= 12; month++) {
            for (unsigned of_month = 1; of_month <= sl_days_in_month(year, month); of_month++, day++) {
                sl_civil c;
                sl_date_from_days(day, &c);
                ck_assert(c.year == year && c.month == month && c.day == of_month);
                ck_assert_int_eq(sl_days_from_date(year, month, of_month), day);
            }
        }
    }
    ck_assert_uint_eq(sl_weekday(0), 4);
    ck_assert_uint_eq(sl_weekday(-1), 3);
}
END_TEST

SL_TEST_MAIN("time_parse", time__is_recognised_or_not, time__is_read_by_a_format,
             time__formats_that_tell_no_day_are_refused, time__names_that_are_no_zones_are_refused,
             time__local_is_what_the_system_says, time__a_damaged_zone_file_is_refused,
             time__rules_are_expanded_or_refused, time__days_and_dates_agree)
