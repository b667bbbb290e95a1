/* redact_marks_avx2.c: marks 32 bytes at a time, for x86-64 with AVX2. */
#include "redact_int.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define VEC    32
typedef __m256i vec;
typedef __m256i hits; /* 0xff or 0 */

TARGET static inline vec load(const char *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}
TARGET static inline vec folded(vec v)
{
    return _mm256_or_si256(v, _mm256_set1_epi8(0x20));
}
TARGET static inline hits either(hits a, hits b)
{
    return _mm256_or_si256(a, b);
}
TARGET static inline hits both(hits a, hits b)
{
    return _mm256_and_si256(a, b);
}
TARGET static inline hits without(hits a, hits b)
{
    return _mm256_andnot_si256(b, a);
}
TARGET static inline hits none(void)
{
    return _mm256_setzero_si256();
}
TARGET static inline hits is(vec v, char c)
{
    return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c));
}
/* Whether low <= v < low + count, unsigned. */
TARGET static inline hits in_range(vec v, char low, char count)
{
    vec from_low = _mm256_sub_epi8(v, _mm256_set1_epi8(low));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(from_low, _mm256_set1_epi8((char)(count - 1))), from_low);
}
TARGET static inline hits digits(vec v)
{
    return in_range(v, '0', 10);
}
TARGET static inline hits letters(vec v)
{
    return in_range(folded(v), 'a', 26);
}
TARGET static inline uint64_t bits(hits h)
{
    return (uint32_t)_mm256_movemask_epi8(h);
}

#include "redact_marks_vector.h"

TARGET void redact_marks__avx2(const char *text, size_t len, uint32_t detect, uint64_t *marks)
{
    mark_text(text, len, detect, marks);
}

#endif
