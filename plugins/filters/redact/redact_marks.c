/* redact_marks.c: the one pass over a text that finds where a detector should look, and its portable form.
 *
 * A mark is the byte that completes what the detector looks for first. `p` is the place, `p-1` the byte
 * before it:
 *
 *   email                    @, and the 0 of `%40`
 *   url_credentials          / with / at p-1 and : at p-2
 *   card                     13th byte of a run of digits with single spaces or dashes behind them, unless
 *                            the run ends there with fewer than 13 digits, as `2026-03-01 12:30` does
 *   jwt                      J with y at p-1 and e at p-2
 *   bearer                   r with e at p-1 and b at p-5, in any case
 *   basic                    c with b at p-4, in any case
 *   aws_key                  A with I at p-1 and A at p-3
 *                            c with c at p-1 and a at p-2, in any case
 *   private_key              - with - at p-2 and p-4
 *   key_value                =, and what follows a : (unless ipv6 is off and digits stand on both sides)
 *                            - with - at p-1; any byte with 3 at p-1 and % at p-2 (`%3D`, `%3A`)
 *                            / with < at p-1
 *   ipv6                     what follows a :
 *   ipv4                     digit with . at p-1 and digit at p-2
 *   phone                    digit with + or ( at p-1
 *                            digit with one of `-. /)` at p-1 and a digit at p-2
 *   ssn                      digit with - or space at p-4 and p-7
 *   iban                     digit with digit at p-1 and letters at p-2 and p-3
 *
 * A mark may be no secret, but no secret is without a mark. The forms for vector units set the same bits.
 */
#include "redact_int.h"

#include <stdatomic.h>

static char before(const char *text, size_t at, size_t back)
{
    return at >= back ? text[at - back] : '\0';
}

static bool is_gap(char c)
{
    return c == ' ' || c == '-';
}

static bool marks_letter(const char *text, size_t at, uint32_t detect)
{
    char c = text[at] | 0x20;

    if (c == 'r')
        return detect & REDACT_BIT(BEARER) && (before(text, at, 1) | 0x20) == 'e' &&
               (before(text, at, 5) | 0x20) == 'b';
    if (c == 'j')
        return detect & REDACT_BIT(JWT) && text[at] == 'J' && before(text, at, 1) == 'y' &&
               before(text, at, 2) == 'e';
    if (c == 'a')
        return detect & REDACT_BIT(AWS_KEY) && text[at] == 'A' && before(text, at, 1) == 'I' &&
               before(text, at, 3) == 'A';
    if (c != 'c') return false;
    if (detect & REDACT_BIT(BASIC) && (before(text, at, 4) | 0x20) == 'b') return true;
    return detect & REDACT_BIT(AWS_KEY) && (before(text, at, 1) | 0x20) == 'c' &&
           (before(text, at, 2) | 0x20) == 'a';
}

static bool marks_digit(const char *text, size_t at, uint32_t detect)
{
    char one = before(text, at, 1), two = before(text, at, 2);

    if (detect & REDACT_BIT(EMAIL) && text[at] == '0' && one == '4' && two == '%') return true;
    if (detect & REDACT_BIT(IPV4) && one == '.' && is_digit(two)) return true;
    if (detect & REDACT_BIT(PHONE)) {
        if (one == '+' || one == '(') return true;
        if ((is_gap(one) || one == '.' || one == '/' || one == ')') && is_digit(two)) return true;
    }
    if (detect & REDACT_BIT(SSN) && is_gap(before(text, at, 4)) && is_gap(before(text, at, 7))) return true;
    return detect & REDACT_BIT(IBAN) && is_digit(one) && is_letter(two) && is_letter(before(text, at, 3));
}

static bool marks_sign(const char *text, size_t at, uint32_t detect)
{
    switch (text[at]) {
    case '@': return detect & REDACT_BIT(EMAIL);
    case '=': return detect & REDACT_BIT(KEY_VALUE);
    case '/':
        if (detect & REDACT_BIT(KEY_VALUE) && before(text, at, 1) == '<') return true;
        return detect & REDACT_BIT(URL_CREDENTIALS) && before(text, at, 1) == '/' &&
               before(text, at, 2) == ':';
    case '-':
        if (detect & REDACT_BIT(KEY_VALUE) && before(text, at, 1) == '-') return true;
        return detect & REDACT_BIT(PRIVATE_KEY) && before(text, at, 2) == '-' && before(text, at, 4) == '-';
    default: return false;
    }
}

static bool follows_colon(const char *text, size_t at, uint32_t detect)
{
    if (detect & REDACT_BIT(IPV6)) return true;
    return detect & REDACT_BIT(KEY_VALUE) && !(is_digit(text[at]) && is_digit(before(text, at, 2)));
}

bool redact_marks__is_short_run(const char *text, size_t len, size_t at)
{
    bool goes_on = at + 1 < len && (is_digit(text[at + 1]) || (is_gap(text[at + 1]) && is_digit(text[at])));
    if (goes_on) return false;
    for (size_t i = at - 12; i <= at; i++) {
        if (is_gap(text[i])) return true;
    }
    return false;
}

static bool follows_percent_3(const char *text, size_t at, uint32_t detect)
{
    return detect & REDACT_BIT(KEY_VALUE) && before(text, at, 1) == '3' && before(text, at, 2) == '%';
}

/* Most bytes can be no mark and in no run. */
enum { PLAIN, LETTER, DIGIT, SIGN };
static const uint8_t kinds[256] = {
    ['a'] = LETTER, ['A'] = LETTER, ['c'] = LETTER, ['C'] = LETTER, ['J'] = LETTER,       ['r'] = LETTER,
    ['R'] = LETTER, ['@'] = SIGN,   ['='] = SIGN,   [':'] = SIGN,   ['/'] = SIGN,         ['-'] = SIGN,
    [' '] = SIGN,   ['0'] = DIGIT,  ['1'] = DIGIT,  ['2'] = DIGIT,  ['3' ... '9'] = DIGIT};

void redact_marks__portable(const char *text, size_t len, uint32_t detect, uint64_t *marks)
{
    unsigned run = 0;

    memset(marks, 0, redact_marks_size(len) * sizeof *marks);
    for (size_t at = 0; at < len; at++) {
        uint8_t kind = kinds[(unsigned char)text[at]];
        bool in_run = kind == DIGIT || (kind == SIGN && is_gap(text[at]) && is_digit(before(text, at, 1)));
        run = in_run ? run + 1 : 0;
        bool mark = (before(text, at, 1) == ':' && follows_colon(text, at, detect)) ||
                    follows_percent_3(text, at, detect);
        if (SL_LIKELY(kind == PLAIN && !mark)) continue;
        mark = mark ||
               (run == 13 && detect & REDACT_BIT(CARD) && !redact_marks__is_short_run(text, len, at)) ||
               (kind == LETTER && marks_letter(text, at, detect)) ||
               (kind == DIGIT && marks_digit(text, at, detect)) ||
               (kind == SIGN && marks_sign(text, at, detect));
        if (mark) marks[at / 64] |= UINT64_C(1) << (at % 64);
    }
}

/* ---- which form runs --------------------------------------------------------------------------- */

redact_marker redact_marker_named(const char *name)
{
#if defined(__x86_64__)
    if (strcmp(name, "avx512") == 0) return __builtin_cpu_supports("avx512bw") ? redact_marks__avx512 : NULL;
    if (strcmp(name, "avx2") == 0) return __builtin_cpu_supports("avx2") ? redact_marks__avx2 : NULL;
#elif defined(__aarch64__)
    if (strcmp(name, "neon") == 0) return redact_marks__neon;
#endif
    return strcmp(name, "portable") == 0 ? redact_marks__portable : NULL;
}

static redact_marker fastest(void)
{
    static const char *const names[] = {"avx512", "avx2", "neon", "portable"};
    redact_marker marker = NULL;

    for (size_t i = 0; !marker; i++)
        marker = redact_marker_named(names[i]);
    return marker;
}

bool redact_marks(const char *text, size_t len, uint32_t detect, uint64_t *marks)
{
    static _Atomic(redact_marker) chosen;
    redact_marker marker = atomic_load_explicit(&chosen, memory_order_relaxed);
    uint64_t any = 0;

    if (SL_UNLIKELY(!marker)) {
        marker = fastest();
        atomic_store_explicit(&chosen, marker, memory_order_relaxed);
    }
    marker(text, len, detect, marks);
    for (size_t i = 0; i < redact_marks_size(len); i++)
        any |= marks[i];
    return any != 0;
}
