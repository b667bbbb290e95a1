#include "base/utf8.h"
#include "check_main.h"

#include <stdlib.h>

static void check_repair(sl_span text, const char *want, size_t replaced)
{
    sl_buf out = SL_BUF_NONE;
    ck_assert_uint_eq(sl_utf8_repair(&out, text), replaced);
    ck_assert_str_eq(sl_buf_cstr(&out), want);
    ck_assert_int_eq(sl_utf8_is_valid(text), replaced == 0);
    ck_assert(sl_utf8_is_valid(sl_buf_span(&out)));
    sl_buf_release(&out);
}

#define R "\xef\xbf\xbd"

START_TEST(utf8__keeps_what_is_well_formed)
{
    check_repair(SL_SPAN(""), "", 0);
    check_repair(SL_SPAN("plain text that is longer than sixteen bytes"),
                 "plain text that is longer than sixteen bytes", 0);
    check_repair(SL_SPAN("0123456789abcdef\xc3\xa9 0123456789abcdef"),
                 "0123456789abcdef\xc3\xa9 0123456789abcdef", 0);
    check_repair(SL_SPAN("\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
                 "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 0);
}
END_TEST

START_TEST(utf8__replaces_each_maximal_subpart)
{
    check_repair(SL_SPAN("\x80"), R, 1);
    check_repair(SL_SPAN("a\xc0\xafz"), "a" R R "z", 2);   /* overlong */
    check_repair(SL_SPAN("\xe0\x9f\xbf"), R R R, 3);       /* overlong */
    check_repair(SL_SPAN("\xed\xa0\x80"), R R R, 3);       /* a surrogate */
    check_repair(SL_SPAN("\xf4\x90\x80\x80"), R R R R, 4); /* beyond U+10FFFF */
    check_repair(SL_SPAN("\xf5\xff\xfe"), R R R, 3);
    check_repair(SL_SPAN("\xe2\x82"), R, 1); /* cut */
    check_repair(SL_SPAN("\xf0\x9f\x98"), R, 1);
    check_repair(SL_SPAN("\xf0\x9f\x98z"), R "z", 1);
    check_repair(SL_SPAN("\xc3\xc3\xa9"), R "\xc3\xa9", 1);
    /* Unicode 15, table 3-8 */
    check_repair(SL_SPAN("a\xf1\x80\x80\xe1\x80\xc2"
                         "b\x80"
                         "c\x80\xbf"
                         "d"),
                 "a" R R R "b" R "c" R R "d", 6);
}
END_TEST

/* Every sequence of up to three bytes, and those of four that matter, against the definition: decode, and
 * encode again. */
static bool decodes(const unsigned char *text, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = text[0];
    size_t want = c < 0x80                ? 1
                  : c >= 0xc0 && c < 0xe0 ? 2
                  : c >= 0xe0 && c < 0xf0 ? 3
                  : c >= 0xf0 && c < 0xf8 ? 4
                                          : 0;

    if (want == 0 || len < want) return false;
    if (want > 1) c &= 0x7fu >> want;
    for (size_t i = 1; i < want; i++) {
        if ((text[i] & 0xc0) != 0x80) return false;
        c = c << 6 | (text[i] & 0x3f);
    }
    if (want > 1 && (c < least[want] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)) return false;
    char back[4];
    return sl_utf8_encode(c, back) == want && memcmp(back, text, want) == 0;
}

START_TEST(utf8__judges_every_sequence_as_decoding_does)
{
    unsigned char text[4];

    for (uint32_t first = 0; first < 256; first++) {
        for (uint32_t rest = 0; rest < 0x10000; rest++) {
            text[0] = (unsigned char)first;
            text[1] = (unsigned char)(rest >> 8);
            text[2] = (unsigned char)rest;
            text[3] = (unsigned char)(0x7f + rest % 3 * 0x20); /* 7f, 9f, bf */
            size_t len = 1 + rest % 4;
            if ((sl_utf8_sequence((const char *)text, len) > 0) != decodes(text, len))
                ck_abort_msg("%02x %02x %02x %02x, %zu bytes", text[0], text[1], text[2], text[3], len);
        }
    }
}
END_TEST

START_TEST(utf8__finds_a_bad_byte_at_every_place)
{
    for (size_t len = 1; len < 70; len++) {
        char *text = malloc(len);
        memset(text, 'a', len);
        ck_assert_uint_eq(sl_utf8_ascii_prefix(text, len), len);
        for (size_t at = 0; at < len; at++) {
            text[at] = (char)0xff;
            ck_assert_uint_eq(sl_utf8_ascii_prefix(text, len), at);
            ck_assert(!sl_utf8_is_valid((sl_span){text, len}));
            text[at] = 'a';
        }
        free(text);
    }
}
END_TEST

START_TEST(utf8__encodes_no_surrogates)
{
    char out[4];
    ck_assert_uint_eq(sl_utf8_encode(0xd800, out), 3);
    ck_assert_mem_eq(out, R, 3);
    ck_assert_uint_eq(sl_utf8_encode(0x110000, out), 3);
    ck_assert_mem_eq(out, R, 3);
}
END_TEST

SL_TEST_MAIN("utf8", utf8__keeps_what_is_well_formed, utf8__replaces_each_maximal_subpart,
             utf8__judges_every_sequence_as_decoding_does, utf8__finds_a_bad_byte_at_every_place,
             utf8__encodes_no_surrogates)
