#include "../../../plugins/filters/redact/redact_int.h"
#include "check_main.h"
#include "json_random.h"

#include <stdio.h>
#include <stdlib.h>

#define ALL ((UINT32_C(1) << REDACT_DETECTOR_COUNT) - 1)

static void check_alike(const char *name, sl_span text, uint32_t detect)
{
    redact_marker marker = redact_marker_named(name);
    size_t size = redact_marks_size(text.len) * sizeof(uint64_t);

    if (!marker) return;
    /* Their own allocations, so that reading or writing beyond is seen. */
    char *own = malloc(text.len ? text.len : 1);
    uint64_t *want = malloc(size), *got = malloc(size);
    if (text.len) memcpy(own, text.ptr, text.len);
    redact_marks__portable(own, text.len, detect, want);
    marker(own, text.len, detect, got);
    for (size_t i = 0; i < size / sizeof *want; i++)
        ck_assert_msg(want[i] == got[i], "%s, detect %x, word %zu: %016lx is not %016lx in `" SL_SPAN_FMT "`",
                      name, detect, i, (unsigned long)got[i], (unsigned long)want[i], SL_SPAN_ARG(text));
    free(own);
    free(want);
    free(got);
}

START_TEST(redact_marks__are_the_same_in_every_form)
{
    static const char *const parts[] = {
        "@",    "%40",   "eyJ", "Bearer ", "basic ", "AKIA", "ASIA", "access", "-----", "=", ":",
        "://",  "10.0.", "+1",  "(2",      "1-2",    "12",   "3456", "7",      " ",     "-", "  ",
        "DE89", "de1",   "abc", "B",       "border", "--",   "\xc3", "4 5",    "a1b2",  "."};
    sl_random random = {31};
    sl_buf text = SL_BUF_NONE;

    for (int round = 0; round < 40000; round++) {
        sl_buf_clear(&text);
        for (uint32_t n = sl_random_below(&random, 60); n > 0; n--)
            sl_buf_append_cstr(&text, parts[sl_random_below(&random, SL_LEN(parts))]);
        uint32_t detect = round % 3 ? ALL : (uint32_t)sl_random_next(&random) & ALL;
        check_alike("avx512", sl_buf_span(&text), detect);
        check_alike("avx2", sl_buf_span(&text), detect);
        check_alike("neon", sl_buf_span(&text), detect);
    }
    sl_buf_release(&text);
}
END_TEST

START_TEST(redact_marks__find_a_run_at_every_place)
{
    char text[200];

    for (size_t len = 11; len < 70; len++) {
        for (size_t at = 0; at + len <= sizeof text; at++) {
            memset(text, 'x', sizeof text);
            memset(text + at, '7', len);
            for (size_t gap = at + 3; gap + 1 < at + len && len % 2; gap += 4)
                text[gap] = gap % 8 ? ' ' : '-';
            check_alike("avx512", (sl_span){text, sizeof text}, ALL);
            check_alike("avx2", (sl_span){text, sizeof text}, ALL);
            uint64_t marks[4];
            redact_marks(text, sizeof text, REDACT_BIT(CARD), marks);
            unsigned count = 0;
            for (size_t i = 0; i < 4; i++)
                count += (unsigned)__builtin_popcountll(marks[i]);
            bool marked = len > 13; /* odd lengths have gaps: 13 bytes are too few digits */
            ck_assert_uint_eq(count, marked);
            if (marked) ck_assert(marks[(at + 12) / 64] >> ((at + 12) % 64) & 1);
        }
    }
}
END_TEST

START_TEST(redact_marks__are_none_in_plain_text)
{
    static const char text[] =
        "the quick brown fox jumps over the lazy dog, twice; and /again/ 12 times. 2024-09-17";
    uint64_t marks[3];

    ck_assert(!redact_marks(text, sizeof text - 1, ALL & ~REDACT_BIT(PHONE), marks));
    ck_assert(redact_marks("a@b", 3, REDACT_BIT(EMAIL), marks));
    ck_assert(!redact_marks("a@b", 3, REDACT_BIT(CARD), marks));
    ck_assert(!redact_marks(NULL, 0, ALL, marks));
    ck_assert_ptr_null(redact_marker_named("abacus"));
}
END_TEST

SL_TEST_MAIN("redact_marks", redact_marks__are_the_same_in_every_form,
             redact_marks__find_a_run_at_every_place, redact_marks__are_none_in_plain_text)
