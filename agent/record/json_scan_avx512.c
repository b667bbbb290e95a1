/* json_scan_avx512.c: the scanner for x86-64 with AVX-512BW, a block an instruction; comparisons give bit
 * masks by themselves. The tables are those of json_scan_avx2.c. */
#include "record/json_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,pclmul")))

#define SPACES    ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0
#define OPERATORS 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0

TARGET static inline void classify(const char *bytes, sl_json_classes *is)
{
    const __m512i spaces = _mm512_broadcast_i32x4(_mm_setr_epi8(SPACES));
    const __m512i operators = _mm512_broadcast_i32x4(_mm_setr_epi8(OPERATORS));
    __m512i block = _mm512_loadu_si512(bytes);
    __m512i folded = _mm512_or_si512(block, _mm512_set1_epi8(0x20));

    is->quote = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('"'));
    is->backslash = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\\'));
    is->control = _mm512_cmplt_epu8_mask(block, _mm512_set1_epi8(0x20));
    is->non_ascii = _mm512_movepi8_mask(block);
    is->space = _mm512_cmpeq_epi8_mask(block, _mm512_shuffle_epi8(spaces, block));
    is->op = _mm512_cmpeq_epi8_mask(folded, _mm512_shuffle_epi8(operators, block)) & ~is->control;
}

TARGET static inline uint64_t toggle(uint64_t bits)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)bits), _mm_set1_epi8((char)0xff), 0);

    return (uint64_t)_mm_cvtsi128_si64(product);
}

TARGET void sl_json_scan__avx512(const char *text, size_t len, sl_json_scan *scan)
{
    SL_JSON_SCAN_BODY(classify, toggle, text, len, scan);
}

#endif
