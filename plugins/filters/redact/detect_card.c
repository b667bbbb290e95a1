/* detect_card.c: payment card numbers: 13 to 19 digits with the check digit of Luhn (ISO/IEC 7812-1), in one
 * piece or in groups with a space or dash between.
 *
 * One number in ten passes Luhn's test by chance, so what is a number of another kind has to be told apart:
 * the first digit must be one that cards of that length begin with, and times, parts of decimal fractions,
 * digits inside hexadecimal ids and phone numbers with a plus are left alone. Digits in unusual groups (a
 * list of numbers is such) must besides begin like the numbers of a card network.
 */
#include "redact_int.h"

#include <stdlib.h>

#define MIN_DIGITS 13
#define MAX_DIGITS 19
#define MAX_GROUPS 6 /* more are a list of numbers, or bytes */

/* Digits that may be a card: a window of whole groups. */
typedef struct window {
    char digit[MAX_DIGITS];
    uint8_t group[MAX_DIGITS]; /* digits in each group */
    unsigned digits, groups;
    size_t start, end;
} window;

static bool is_gap(char c)
{
    return c == ' ' || c == '-';
}

static bool passes_luhn(const window *w)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < w->digits; i++) {
        unsigned value = (unsigned)(w->digit[w->digits - 1 - i] - '0');
        if (i % 2) value = value < 5 ? 2 * value : 2 * value - 9;
        sum += value;
    }
    return sum % 10 == 0;
}

/* The number that the first `count` digits make. */
static unsigned prefix(const window *w, unsigned count)
{
    unsigned value = 0;

    for (unsigned i = 0; i < count; i++)
        value = 10 * value + (unsigned)(w->digit[i] - '0');
    return value;
}

/* First digits by length. Numbers that begin with 1 or 0 are far more often times, ids or zeros than cards.
 */
static bool begins_like_card(const window *w)
{
    static const char *const first[] = {"456", "356", "12356"}; /* of 13, 14, 15 digits */

    if (w->digits <= 15) return strchr(first[w->digits - MIN_DIGITS], w->digit[0]) != NULL;
    return w->digit[0] >= '2';
}

/* The networks: numbers from low to high of `places` digits begin cards of these lengths. */
static bool is_network(const window *w)
{
    static const struct {
        unsigned places, low, high, min, max;
    } networks[] = {
        {1, 4, 4, 13, 19},       /* Visa */
        {2, 51, 55, 16, 16},     /* Mastercard */
        {4, 2221, 2720, 16, 16}, /* Mastercard */
        {2, 34, 34, 15, 15},     /* American Express */
        {2, 37, 37, 15, 15},     /* American Express */
        {3, 300, 305, 14, 19},   /* Diners Club */
        {2, 36, 36, 14, 19},     /* Diners Club */
        {2, 38, 39, 14, 19},     /* Diners Club */
        {4, 3528, 3589, 16, 19}, /* JCB */
        {4, 6011, 6011, 16, 19}, /* Discover */
        {3, 644, 659, 16, 19},   /* Discover, RuPay */
        {2, 62, 62, 16, 19},     /* UnionPay */
        {2, 81, 82, 16, 16},     /* UnionPay, RuPay */
        {2, 50, 50, 13, 19},     /* Maestro, Verve, RuPay */
        {2, 56, 58, 13, 19},     /* Maestro */
        {2, 60, 60, 13, 19},     /* Maestro, RuPay */
        {2, 63, 63, 13, 19},     /* Maestro */
        {2, 67, 67, 13, 19},     /* Maestro */
        {4, 2200, 2204, 16, 19}, /* Mir */
        {4, 9792, 9792, 16, 16}, /* Troy */
    };

    for (size_t i = 0; i < SL_LEN(networks); i++) {
        unsigned value = prefix(w, networks[i].places);
        if (value >= networks[i].low && value <= networks[i].high)
            if (w->digits >= networks[i].min && w->digits <= networks[i].max) return true;
    }
    return false;
}

/* Cards are printed as 4-4-4-…, 4-6-5 and 4-6-4, old ones as 4-3-3-3 and 4-4-5. */
static bool is_usual_grouping(const window *w)
{
    static const char *const usual[] = {"4444", "44443", "44442", "44441", "4441",
                                        "465",  "464",   "4333",  "445"};

    for (size_t i = 0; i < SL_LEN(usual); i++) {
        if (strlen(usual[i]) != w->groups) continue;
        unsigned g = 0;
        while (g < w->groups && w->group[g] == usual[i][g] - '0')
            g++;
        if (g == w->groups) return true;
    }
    return false;
}

/* YYYYMMDDhhmmss and milliseconds. Without these it has 14 digits, and no card of 14 begins with 19 or 20. */
static bool is_written_time(const window *w)
{
    if (w->groups > 1 || w->digits != 17) return false;
    unsigned day = prefix(w, 8), clock = 0;
    for (unsigned i = 8; i < 14; i++)
        clock = 10 * clock + (unsigned)(w->digit[i] - '0');
    return day / 1000000 - 19 < 2 && day / 100 % 100 - 1 < 12 && day % 100 - 1 < 31 && clock / 10000 < 24 &&
           clock / 100 % 100 < 60 && clock % 100 < 61;
}

static bool is_one_digit_repeated(const window *w)
{
    for (unsigned i = 1; i < w->digits; i++) {
        if (w->digit[i] != w->digit[0]) return false;
    }
    return true;
}

/* Whether the digits are the middle of a longer word of nothing but hexadecimal digits: of an id or a digest.
 */
static bool is_in_hex_word(sl_span text, const window *w)
{
    size_t start = w->start, end = w->end;

    while (start > 0 && w->start - start < 64 && is_hex(text.ptr[start - 1]))
        start--;
    while (end < text.len && end - w->end < 64 && is_hex(text.ptr[end]))
        end++;
    if (char_at(text, start - 1) == '%') /* an escape before it, or the %B of a magnetic stripe */
        start = w->start - start > 2 ? start + 2 : w->start;
    if (start == w->start && end == w->end) return false;
    bool goes_on = (start > 0 && is_alnum(text.ptr[start - 1])) || is_alnum(char_at(text, end));
    return !goes_on;
}

#define UUID 36

static bool is_uuid_at(sl_span text, size_t at)
{
    if (text.len < UUID || at > text.len - UUID) return false;
    for (size_t i = 0; i < UUID; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.ptr[at + i] != '-' : !is_hex(text.ptr[at + i])) return false;
    }
    return !is_hex(char_at(text, at - 1)) && !is_hex(char_at(text, at + UUID));
}

/* Whether the window is groups of a UUID that happen to have no letters. */
static bool is_in_uuid(sl_span text, const window *w)
{
    size_t least = w->end > UUID ? w->end - UUID : 0;

    for (size_t at = least; w->groups > 1 && at <= w->start; at++) {
        if (is_uuid_at(text, at)) return true;
    }
    return false;
}

/* Whether nothing but zeros stands behind the point at `at`: a card that was read as a number and written
 * again.
 */
static bool is_whole(sl_span text, size_t at)
{
    do
        at++;
    while (char_at(text, at) == '0');
    return !is_alnum(char_at(text, at)) && char_at(text, at) != '.';
}

/* Whether what stands beside the window makes it part of another kind of number. */
static bool has_bad_neighbours(sl_span text, const window *w)
{
    char left = char_at(text, w->start - 1), right = char_at(text, w->end);

    if (left == '+') return true;
    if ((left | 0x20) == 'x' && char_at(text, w->start - 2) == '0') return true; /* 0x4000000000000002 */
    if (left == '.' && is_digit(char_at(text, w->start - 2))) return true;
    if (right == '.' && is_digit(char_at(text, w->end + 1)) && !is_whole(text, w->end)) return true;
    return is_in_hex_word(text, w) || is_in_uuid(text, w);
}

/* Whether dashes tie the window to letters, as the groups of a UUID are tied. */
static bool is_tied_to_letters(sl_span text, const window *w)
{
    if (char_at(text, w->end) == '-' && is_letter(char_at(text, w->end + 1))) return true;
    return w->start > 1 && text.ptr[w->start - 1] == '-' && is_letter(text.ptr[w->start - 2]);
}

static bool is_card(sl_span text, const window *w)
{
    if (w->digits < MIN_DIGITS || !begins_like_card(w) || !passes_luhn(w)) return false;
    if (is_one_digit_repeated(w) || is_written_time(w) || has_bad_neighbours(text, w)) return false;
    if (w->groups == 1 || is_usual_grouping(w)) return true;
    return w->groups <= MAX_GROUPS && is_network(w) && !is_tied_to_letters(text, w);
}

/* Adds the group of digits at `at` to the window; false when there is none or it is too long. */
static bool add_group(sl_span text, size_t at, window *w)
{
    unsigned count = 0;

    for (; is_digit(char_at(text, at + count)); count++) {
        if (w->digits == MAX_DIGITS) return false;
        w->digit[w->digits++] = text.ptr[at + count];
    }
    if (count == 0) return false;
    w->group[w->groups++] = (uint8_t)count;
    w->end = at + count;
    return true;
}

/* The longest card of whole groups that starts with the group at `at`. */
static bool card_at(sl_span text, size_t at, size_t *end)
{
    window w = {.start = at, .end = at};
    bool found = false;

    while (add_group(text, w.groups ? w.end + 1 : at, &w)) {
        if (is_card(text, &w)) {
            *end = w.end;
            found = true;
        }
        if (!is_gap(char_at(text, w.end))) break;
    }
    return found;
}

/* at: where the search begins, the first digit of a run or the end of an earlier card in it. It goes on to
 * the end of the run: digits with single gaps. */
bool detect_card(sl_span text, size_t at, size_t *start, size_t *end)
{
    for (;;) {
        if (is_gap(char_at(text, at))) at++;
        if (!is_digit(char_at(text, at))) return false;
        *start = at;
        if (card_at(text, at, end)) return true;
        while (is_digit(char_at(text, at)))
            at++;
        if (!is_gap(char_at(text, at))) return false;
    }
}

/* ---- numbers ------------------------------------------------------------------------------------- */

/* The digits of a number's value, when that is whole and positive and has at most MAX_DIGITS; else 0. */
static size_t whole_digits(sl_span number, char *digits)
{
    size_t count = 0, at = 0;
    long shift = 0; /* the value is the digits times ten to this */
    bool point = false;

    for (; at < number.len && (number.ptr[at] | 0x20) != 'e'; at++) {
        char c = number.ptr[at];
        if (c != '.' && (!is_digit(c) || count == REDACT_MAX_NAME)) return 0;
        point = point || c == '.';
        shift -= point && c != '.';
        if (is_digit(c) && (count > 0 || c != '0')) digits[count++] = c;
    }
    long exponent = at < number.len ? strtol(number.ptr + at + 1, NULL, 10) : 0;
    if (exponent < -REDACT_MAX_NAME || exponent > REDACT_MAX_NAME) return 0;
    shift += exponent;
    for (; shift < 0 && count > 0 && digits[count - 1] == '0'; shift++)
        count--;
    if (shift < 0 || shift > MAX_DIGITS || count + (size_t)shift > MAX_DIGITS) return 0;
    for (; shift > 0; shift--)
        digits[count++] = '0';
    return count;
}

bool detect_card_number(sl_span number)
{
    char digits[REDACT_MAX_NAME];
    size_t start, end, count = whole_digits(number, digits);

    return count > 0 && detect_card((sl_span){digits, count}, 0, &start, &end) && end - start == count;
}
