#include "check_main.h"
#include <sluice/base.h>

START_TEST(buf__appends_what_it_is_given)
{
    sl_buf buf = SL_BUF_NONE;
    sl_buf_append_cstr(&buf, "ab");
    sl_buf_append_char(&buf, 'c');
    sl_buf_append_u64(&buf, UINT64_MAX);
    sl_buf_printf(&buf, "-%d-%s", 7,
                  "a text that is longer than the room that is left in the buffer, by far");
    ck_assert_str_eq(sl_buf_cstr(&buf),
                     "abc18446744073709551615-7-a text that is longer than the room that is "
                     "left in the buffer, by far");
    sl_buf_release(&buf);
    ck_assert_ptr_null(buf.ptr);
}
END_TEST

START_TEST(buf__refuses_an_impossible_size_without_changing)
{
    sl_buf buf = SL_BUF_NONE;
    sl_buf_append_cstr(&buf, "kept");
    ck_assert_int_eq(sl_buf_try_reserve(&buf, SIZE_MAX - 2), SL_E_NOMEM);
    ck_assert_str_eq(sl_buf_cstr(&buf), "kept");
    sl_buf_release(&buf);
}
END_TEST

static void expect_base64(const char *plain, const char *text)
{
    sl_buf buf = SL_BUF_NONE;
    sl_buf_append_base64(&buf, sl_span_of(plain));
    ck_assert_str_eq(sl_buf_cstr(&buf), text);
    sl_buf_clear(&buf);
    ck_assert(sl_buf_append_unbase64(&buf, sl_span_of(text)));
    ck_assert_str_eq(sl_buf_cstr(&buf), plain);
    sl_buf_release(&buf);
}

/* RFC 4648, section 10, and the digits in which the alphabets differ. */
START_TEST(buf__base64_and_back)
{
    expect_base64("", "");
    expect_base64("f", "Zg==");
    expect_base64("fo", "Zm8=");
    expect_base64("foo", "Zm9v");
    expect_base64("foob", "Zm9vYg==");
    expect_base64("fooba", "Zm9vYmE=");
    expect_base64("foobar", "Zm9vYmFy");
    expect_base64("~\xc3\xbf\xc3\xbe?", "fsO/w74/");
    sl_buf buf = SL_BUF_NONE;
    ck_assert(sl_buf_append_unbase64(&buf, SL_SPAN("fsO_w74_Zg")));
    ck_assert_str_eq(sl_buf_cstr(&buf), "~\xc3\xbf\xc3\xbe?f");
    sl_buf_release(&buf);
}
END_TEST

START_TEST(buf__what_is_no_base64_is_refused)
{
    static const char *const texts[] = {"Z", "Zm9vY", "Zm 9v", "Zm9v=Zg", "Zg===", "=", "Zm9\xc3"};
    for (size_t i = 0; i < SL_LEN(texts); i++) {
        sl_buf buf = SL_BUF_NONE;
        ck_assert_msg(!sl_buf_append_unbase64(&buf, sl_span_of(texts[i])), "%s", texts[i]);
        sl_buf_release(&buf);
    }
}
END_TEST

START_TEST(arena__gives_aligned_distinct_memory_and_clears)
{
    sl_arena arena = SL_ARENA_NONE;
    char *first = sl_arena_alloc(&arena, 1);
    char *second = sl_arena_alloc(&arena, 100000);
    char *third = sl_arena_alloc(&arena, 1);
    ck_assert_uint_eq((uintptr_t)first % 16, 0);
    ck_assert_uint_eq((uintptr_t)second % 16, 0);
    ck_assert_ptr_eq(third, first + 16); /* a large request does not end the newest block */
    memset(second, 'x', 100000);
    sl_arena_clear(&arena);
    ck_assert_uint_eq(arena.total, SL_ARENA_BLOCK);
    ck_assert_ptr_eq(sl_arena_alloc(&arena, 1), first);
    sl_arena_release(&arena);
    ck_assert_uint_eq(arena.total, 0);
}
END_TEST

START_TEST(err__names_the_system_error_and_takes_prefixes)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_int_eq(sl_err_sys(&err, 28, "cannot write %s", "x.seg"), SL_E_FULL);
    ck_assert_str_eq(err.text, "cannot write x.seg: No space left on device");
    sl_err_prefix(&err, "journal %s", "booking");
    ck_assert_str_eq(err.text, "journal booking: cannot write x.seg: No space left on device");
    ck_assert_str_eq(sl_err_name(err.code), "SL_E_FULL");
}
END_TEST

START_TEST(id__is_32_digits)
{
    char text[SL_ID_TEXT_LEN];
    sl_id_format((sl_id){0x0123456789abcdefULL, 0xfedcba9876543210ULL}, text);
    ck_assert_int_eq(memcmp(text, "0123456789abcdeffedcba9876543210", 32), 0);
}
END_TEST

START_TEST(id__is_22_characters_of_base64url)
{
    char text[SL_ID_SHORT_LEN];
    sl_id_format_short((sl_id){0x0123456789abcdefULL, 0xfedcba9876543210ULL}, text);
    ck_assert_int_eq(memcmp(text, "ASNFZ4mrze_-3LqYdlQyEA", 22), 0);
}
END_TEST

START_TEST(id__is_read_back_and_nothing_else_is)
{
    static const char *const bad[] = {"", "ASNFZ4mrze_-3LqYdlQyE", "ASNFZ4mrze_-3LqYdlQyEAA",
                                      "ASNFZ4mrze+-3LqYdlQyEA", "ASNFZ4mrze_-3LqYdlQyEB"};
    sl_id id;
    for (int i = 0; i < 1000; i++) {
        char text[SL_ID_SHORT_LEN];
        sl_id made = sl_id_random();
        sl_id_format_short(made, text);
        ck_assert(sl_id_parse_short((sl_span){text, sizeof text}, &id));
        ck_assert(id.hi == made.hi && id.lo == made.lo);
    }
    for (size_t i = 0; i < SL_LEN(bad); i++)
        ck_assert_msg(!sl_id_parse_short(sl_span_of(bad[i]), &id), "%s", bad[i]);
    ck_assert(!sl_id_parse_short(SL_SPAN("ASNFZ4mrze\0-3LqYdlQyEA"), &id));
}
END_TEST

SL_TEST_MAIN("base", buf__appends_what_it_is_given, buf__refuses_an_impossible_size_without_changing,
             buf__base64_and_back, buf__what_is_no_base64_is_refused,
             arena__gives_aligned_distinct_memory_and_clears, err__names_the_system_error_and_takes_prefixes,
             id__is_32_digits, id__is_22_characters_of_base64url, id__is_read_back_and_nothing_else_is)
