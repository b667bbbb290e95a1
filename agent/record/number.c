/* number.c: numbers for comparing. Integers of up to 18 digits and short decimals, which is what logs hold,
 * are read digit by digit; the rest by strtod. */
#include "number.h"

#include <stdlib.h>

#define EXACT_POWERS 22 /* powers of ten that a double holds exactly */

static const double powers[EXACT_POWERS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* [-]digits[.digits] with at most 18 digits in all: the digits as an integer, and how many stand behind the
 * point. */
static bool read_short(sl_span text, int64_t *digits, int *behind)
{
    size_t i = text.len > 0 && *text.ptr == '-', count = 0;
    bool point = false;
    int64_t value = 0;
    *behind = -1;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '.' && !point) {
            point = true;
            *behind = 0;
            continue;
        }
        if (!is_digit(c) || ++count > 18) return false;
        value = value * 10 + (c - '0');
        *behind += point;
    }
    *digits = *text.ptr == '-' ? -value : value;
    return count > 0;
}

static bool is_integer(const char *text)
{
    for (text += *text == '-'; *text; text++) {
        if (!is_digit(*text)) return false;
    }
    return true;
}

/* False when the integer does not fit. */
static bool read_long_integer(const char *text, int64_t *out)
{
    int64_t value = 0;
    bool negative = *text == '-';
    for (text += negative; *text; text++) {
        int digit = *text - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *out = value;
    return true;
}

bool sl_number_read(sl_span text, sl_number *out)
{
    int64_t digits;
    int behind;
    *out = (sl_number){.is_int = true};
    if (SL_LIKELY(read_short(text, &digits, &behind))) {
        if (behind < 0) {
            out->i = digits;
            return true;
        }
        if (digits >= -(INT64_C(1) << 53) && digits <= INT64_C(1) << 53) {
            *out = (sl_number){.d = (double)digits / powers[behind]};
            return true;
        }
    }
    if (text.len > SL_MAX_NUMBER_TEXT) return false;
    char copy[SL_MAX_NUMBER_TEXT + 1];
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    bool integer = is_integer(copy);
    if (integer && read_long_integer(copy, &out->i)) return true;
    *out = (sl_number){.d = strtod(copy, NULL), .big = integer ? text : SL_SPAN_NONE};
    return true;
}

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_int_double(int64_t i, double d)
{
    if (d >= 9223372036854775808.0) return -1;
    if (d < -9223372036854775808.0) return 1;
    int64_t whole = (int64_t)d;
    if (i != whole) return sign(i, whole);
    double rest = d - (double)whole;
    return (rest < 0) - (rest > 0);
}

/* Spellings of two integers that are both too long for 64 bits. JSON has no zeros in front: the longer one is
 * farther from 0. */
static int compare_big(sl_span a, sl_span b)
{
    bool negative = *a.ptr == '-';
    if (negative != (*b.ptr == '-')) return negative ? -1 : 1;
    int farther = a.len != b.len ? (a.len > b.len) - (a.len < b.len) : memcmp(a.ptr, b.ptr, a.len);
    return negative ? -farther : farther;
}

/* How one stands to an integer of 64 bits. */
static int side_of_big(sl_span big)
{
    return *big.ptr == '-' ? -1 : 1;
}

int sl_number_compare(const sl_number *a, const sl_number *b)
{
    if (a->big.len && b->big.len) return compare_big(a->big, b->big);
    if (a->big.len && b->is_int) return side_of_big(a->big);
    if (b->big.len && a->is_int) return -side_of_big(b->big);
    if (a->is_int && b->is_int) return sign(a->i, b->i);
    if (a->is_int) return compare_int_double(a->i, b->d);
    if (b->is_int) return -compare_int_double(b->i, a->d);
    return (a->d > b->d) - (a->d < b->d);
}
