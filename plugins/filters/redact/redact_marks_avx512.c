/* redact_marks_avx512.c: marks 64 bytes at a time, for x86-64 with AVX-512BW; a comparison gives bits by
 * itself. */
#include "redact_int.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))
#define VEC    64
typedef __m512i vec;
typedef uint64_t hits;

TARGET static inline vec load(const char *p)
{
    return _mm512_loadu_si512(p);
}
TARGET static inline vec folded(vec v)
{
    return _mm512_or_si512(v, _mm512_set1_epi8(0x20));
}
TARGET static inline hits either(hits a, hits b)
{
    return a | b;
}
TARGET static inline hits both(hits a, hits b)
{
    return a & b;
}
TARGET static inline hits without(hits a, hits b)
{
    return a & ~b;
}
TARGET static inline hits none(void)
{
    return 0;
}
TARGET static inline hits is(vec v, char c)
{
    return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}
TARGET static inline hits in_range(vec v, char low, char count)
{
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(low)), _mm512_set1_epi8(count));
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
    return h;
}

#include "redact_marks_vector.h"

TARGET void redact_marks__avx512(const char *text, size_t len, uint32_t detect, uint64_t *marks)
{
    mark_text(text, len, detect, marks);
}

#endif
