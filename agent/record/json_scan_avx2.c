/* json_scan_avx2.c: the scanner for x86-64 with AVX2 and carry-less multiplication, 32 bytes an instruction.
 */
#include "record/json_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,pclmul")))

/* Two tables by the low four bits of a byte: a byte is white space when it equals its own row of the first,
 * and an operator when it, with bit 0x20 set, equals its own row of the second. Bytes >= 0x80 give row value
 * 0. Setting the bit also takes 0x0c for a comma and 0x1a for a colon; as control characters they are taken
 * out afterwards. */
#define SPACES    ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0
#define OPERATORS 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0

TARGET static inline uint64_t mask(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

TARGET static inline uint64_t equal(__m256i low, __m256i high, char byte)
{
    __m256i all = _mm256_set1_epi8(byte);

    return mask(_mm256_cmpeq_epi8(low, all), _mm256_cmpeq_epi8(high, all));
}

TARGET static inline __m256i is_row(__m256i bytes, __m256i compared, __m256i table)
{
    return _mm256_cmpeq_epi8(compared, _mm256_shuffle_epi8(table, bytes));
}

TARGET static inline __m256i is_control(__m256i bytes)
{
    __m256i limit = _mm256_set1_epi8(0x1f);

    return _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, limit), limit);
}

TARGET static inline void classify(const char *bytes, sl_json_classes *is)
{
    const __m256i spaces = _mm256_setr_epi8(SPACES, SPACES);
    const __m256i operators = _mm256_setr_epi8(OPERATORS, OPERATORS);
    const __m256i bit = _mm256_set1_epi8(0x20);
    __m256i low = _mm256_loadu_si256((const __m256i *)bytes);
    __m256i high = _mm256_loadu_si256((const __m256i *)(bytes + 32));

    is->quote = equal(low, high, '"');
    is->backslash = equal(low, high, '\\');
    is->control = mask(is_control(low), is_control(high));
    is->non_ascii = mask(low, high);
    is->space = mask(is_row(low, low, spaces), is_row(high, high, spaces));
    is->op = mask(is_row(low, _mm256_or_si256(low, bit), operators),
                  is_row(high, _mm256_or_si256(high, bit), operators)) &
             ~is->control;
}

TARGET static inline uint64_t toggle(uint64_t bits)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)bits), _mm_set1_epi8((char)0xff), 0);

    return (uint64_t)_mm_cvtsi128_si64(product);
}

TARGET void sl_json_scan__avx2(const char *text, size_t len, sl_json_scan *scan)
{
    SL_JSON_SCAN_BODY(classify, toggle, text, len, scan);
}

#endif
