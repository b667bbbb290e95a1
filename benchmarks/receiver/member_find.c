/* Member search, sixteen bytes at a time where SSE2 is there. */
#include "member_find.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool parse_number(const char *at, const char *end, uint64_t *value)
{
    const char *start = at;
    uint64_t number = 0;
    for (; at < end && *at >= '0' && *at <= '9' && at - start < 19; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    *value = number;
    return at > start;
}

/* `at` is on the quote before the name. */
static bool parse_member(const char *at, const char *end, uint64_t *value)
{
    at += 2;
    at += at < end && *at == '\\';
    if (end - at < 3 || at[0] != '"' || at[1] != ':') return false;
    at += 2;
    at += *at == ' ';
    return parse_number(at, end, value);
}

bool member_find(const char *text, size_t len, char name, uint64_t *value)
{
    const char *at = text, *end = text + len;
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), letter = _mm_set1_epi8(name);
    for (; end - at >= 18; at += 16) {
        __m128i first = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)at), quote);
        __m128i second = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(at + 1)), letter);
        __m128i third = _mm_loadu_si128((const __m128i *)(at + 2));
        third = _mm_or_si128(_mm_cmpeq_epi8(third, quote), _mm_cmpeq_epi8(third, backslash));
        unsigned hits = (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_and_si128(first, second), third));
        for (; hits; hits &= hits - 1)
            if (parse_member(at + __builtin_ctz(hits), end, value)) return true;
    }
#endif
    while (end - at >= 4 && (at = memchr(at, '"', (size_t)(end - at - 3)))) {
        if (at[1] == name && parse_member(at, end, value)) return true;
        at++;
    }
    return false;
}

bool member_find_query(const char *text, size_t len, char name, uint64_t *value)
{
    const char needle[] = {'?', name, '='};
    const char *at = memmem(text, len, needle, sizeof(needle));
    return at && parse_number(at + sizeof(needle), text + len, value);
}
