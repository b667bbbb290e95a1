#include "cw_fixture.h"
#include <stdlib.h>

static char *repeat(const char *piece, size_t times)
{
    static char text[8192];
    text[0] = '\0';
    for (size_t i = 0; i < times; i++)
        strcat(text, piece);
    return text;
}

START_TEST(names__of_groups_have_their_rules)
{
    const char *const good[] = {"a", "/aws/lambda/f", "A-z_0.9#/", "aws", "aws-x/", "xaws/"};
    const char *const bad[] = {"", "a b", "a:b", "a*b", "é", "aws/x", "aws/", "a\n", "a\"b"};
    for (size_t i = 0; i < SL_LEN(good); i++)
        ck_assert_msg(cw_group_is_valid(sl_span_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < SL_LEN(bad); i++)
        ck_assert_msg(!cw_group_is_valid(sl_span_of(bad[i])), "%s", bad[i]);
    ck_assert(cw_group_is_valid(sl_span_of(repeat("a", 511))));
    ck_assert(cw_group_is_valid(sl_span_of(repeat("a", 512))));
    ck_assert(!cw_group_is_valid(sl_span_of(repeat("a", 513))));
}
END_TEST

START_TEST(names__of_streams_have_their_rules)
{
    const char *const good[] = {"a", "a b", "é/…", "[$LATEST]0"};
    const char *const bad[] = {"", "a:b", "*", "a\tb", "\x7f"};
    for (size_t i = 0; i < SL_LEN(good); i++)
        ck_assert_msg(cw_stream_is_valid(sl_span_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < SL_LEN(bad); i++)
        ck_assert_msg(!cw_stream_is_valid(sl_span_of(bad[i])), "%s", bad[i]);
    /* 512 characters, however many bytes. */
    ck_assert(cw_stream_is_valid(sl_span_of(repeat("é", 511))));
    ck_assert(cw_stream_is_valid(sl_span_of(repeat("é", 512))));
    ck_assert(!cw_stream_is_valid(sl_span_of(repeat("é", 513))));
}
END_TEST

static void check_escape(bool group, const char *raw, const char *wanted)
{
    sl_buf out = SL_BUF_NONE;
    (group ? cw_group_escape : cw_stream_escape)(sl_span_of(raw), &out);
    ck_assert_str_eq(sl_buf_cstr(&out), wanted);
    ck_assert((group ? cw_group_is_valid : cw_stream_is_valid)(sl_buf_span(&out)));
    sl_buf_release(&out);
}

START_TEST(names__are_escaped_to_what_looks_like_them)
{
    check_escape(true, "a b:c", "a_b_c");
    check_escape(true, "über", "_ber");
    check_escape(true, "€", "_");
    check_escape(true, "", "_");
    check_escape(true, "aws/x", "_aws/x");
    char *wide = strdup(repeat("a", 600)), *narrow = strdup(repeat("a", 512));
    check_escape(true, wide, narrow);
    free(wide);
    free(narrow);
    check_escape(false, "a:b*c\nd", "a_b_c_d");
    check_escape(false, "über:", "über_");
    check_escape(false, "", "_");
    char *long_one = strdup(repeat("é", 513)), *cut = strdup(repeat("é", 512));
    check_escape(false, long_one, cut);
    free(long_one);
    free(cut);
}
END_TEST

static void check_place(cw_fixture *f, const char *line, const char *group, const char *stream,
                        const char *reason)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, line);
    batch->recs[0].time_ns = SL_TEST_TIME_NS;
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    sl_span key = cw_place_of(&f->cw.places, batch, &batch->recs[0]), g = SL_SPAN_NONE, s = SL_SPAN_NONE,
            why = SL_SPAN_NONE;
    bool place = cw_place_split(key, &g, &s, &why);
    ck_assert_msg(place == !reason, "%s", line);
    ck_assert_msg(!place || (sl_span_is_cstr(g, group) && sl_span_is_cstr(s, stream)), "%s: " SL_SPAN_FMT,
                  line, SL_SPAN_ARG(key));
    ck_assert_msg(place || sl_span_find(why, sl_span_of(reason), 0) < why.len, SL_SPAN_FMT, SL_SPAN_ARG(why));
    sl_batch_unref(batch);
}

START_TEST(places__come_from_the_record)
{
    cw_fixture f;
    ck_assert_msg(cw_fixture_read(&f, "{region: eu-west-1, group: '/app/{{ a }}', stream: '{{ b }}-%Y'}"),
                  "%s", f.said);
    check_place(&f, "{\"a\":\"x\",\"b\":\"y\"}\n", "/app/x", "y-2024", NULL);
    check_place(&f, "{\"a\":\"x\",\"b\":\"y\"}\n", "/app/x", "y-2024", NULL);
    check_place(&f, "{\"a\":\"x y\",\"b\":\"y:z\"}\n", "/app/x_y", "y_z-2024", NULL);
    check_place(&f, "{\"b\":\"y\"}\n", NULL, NULL, "field");
    check_place(&f, "{\"a\":\"x\"}\n", NULL, NULL, "field");
    check_place(&f, "{\"a\":\"x\",\"b\":\"y\"}\n", "/app/x", "y-2024", NULL);
    /* The names meet at another place. */
    check_place(&f, "{\"a\":\"xy\",\"b\":\"z\"}\n", "/app/xy", "z-2024", NULL);
    check_place(&f, "{\"a\":\"x\",\"b\":\"yz\"}\n", "/app/x", "yz-2024", NULL);
    check_place(&f, "{\"a\":\"x\\u0000\",\"b\":\"\\u0000y\"}\n", "/app/x_", "_y-2024", NULL);
    cw_fixture_end(&f);
}
END_TEST

START_TEST(places__that_are_not_allowed_may_be_rejected)
{
    cw_fixture f;
    ck_assert_msg(
        cw_fixture_read(&f, "{region: eu-west-1, group: '{{ a }}', stream: '{{ b }}', bad_names: reject}"),
        "%s", f.said);
    check_place(&f, "{\"a\":\"x\",\"b\":\"y\"}\n", "x", "y", NULL);
    check_place(&f, "{\"a\":\"x y\",\"b\":\"y\"}\n", NULL, NULL, "not allowed");
    check_place(&f, "{\"a\":\"x\",\"b\":\"y:\"}\n", NULL, NULL, "not allowed");
    check_place(&f, "{\"a\":\"\",\"b\":\"y\"}\n", NULL, NULL, "not allowed");
    check_place(&f, "{\"a\":\"x\",\"b\":\"y\"}\n", "x", "y", NULL);
    cw_fixture_end(&f);
}
END_TEST

START_TEST(places__without_fields_change_with_the_time)
{
    cw_fixture f;
    ck_assert_msg(cw_fixture_read(&f, "{region: eu-west-1, group: g, stream: '%Y-%m-%dT%H'}"), "%s", f.said);
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{}\n{}\n{}\n{}\n");
    const int64_t hour = 3600 * SL_NS_PER_S;
    const int64_t times[] = {SL_TEST_TIME_NS, SL_TEST_TIME_NS + hour, SL_TEST_TIME_NS, -1};
    const char *const wanted[] = {"2024-05-01T12", "2024-05-01T13", "2024-05-01T12", "1969-12-31T23"};
    for (size_t i = 0; i < SL_LEN(times); i++)
        batch->recs[i].time_ns = times[i];
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    for (size_t i = 0; i < SL_LEN(times); i++) {
        sl_span group, stream, why;
        ck_assert(cw_place_split(cw_place_of(&f.cw.places, batch, &batch->recs[i]), &group, &stream, &why));
        ck_assert(sl_span_is_cstr(stream, wanted[i]));
    }
    sl_batch_unref(batch);
    cw_fixture_end(&f);
}
END_TEST

SL_TEST_MAIN("cw_names", names__of_groups_have_their_rules, names__of_streams_have_their_rules,
             names__are_escaped_to_what_looks_like_them, places__come_from_the_record,
             places__that_are_not_allowed_may_be_rejected, places__without_fields_change_with_the_time)
