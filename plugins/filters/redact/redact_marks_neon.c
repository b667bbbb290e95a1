/* redact_marks_neon.c: marks 16 bytes at a time, for 64-bit ARM. */
#include "redact_int.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define TARGET
#define VEC 16
typedef uint8x16_t vec;
typedef uint8x16_t hits; /* 0xff or 0 */

static inline vec load(const char *p)
{
    return vld1q_u8((const uint8_t *)p);
}
static inline vec folded(vec v)
{
    return vorrq_u8(v, vdupq_n_u8(0x20));
}
static inline hits either(hits a, hits b)
{
    return vorrq_u8(a, b);
}
static inline hits both(hits a, hits b)
{
    return vandq_u8(a, b);
}
static inline hits without(hits a, hits b)
{
    return vbicq_u8(a, b);
}
static inline hits none(void)
{
    return vdupq_n_u8(0);
}
static inline hits is(vec v, char c)
{
    return vceqq_u8(v, vdupq_n_u8((uint8_t)c));
}
static inline hits digits(vec v)
{
    return vcltq_u8(vsubq_u8(v, vdupq_n_u8('0')), vdupq_n_u8(10));
}
static inline hits letters(vec v)
{
    return vcltq_u8(vsubq_u8(folded(v), vdupq_n_u8('a')), vdupq_n_u8(26));
}
static inline uint64_t bits(hits h)
{
    const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t one = vandq_u8(h, bit);

    return vaddv_u8(vget_low_u8(one)) | (uint64_t)vaddv_u8(vget_high_u8(one)) << 8;
}

#include "redact_marks_vector.h"

void redact_marks__neon(const char *text, size_t len, uint32_t detect, uint64_t *marks)
{
    mark_text(text, len, detect, marks);
}

#endif
