/* redact_marks_neon.c: marks 16 bytes at a time, for 64-bit ARM. */
#include "redact_int.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define TARGET
#define VEC 16
typedef uint8x16_t vec;

static inline vec load(const char *p)
{
    return vld1q_u8((const uint8_t *)p);
}
static inline vec either(vec a, vec b)
{
    return vorrq_u8(a, b);
}
static inline vec both(vec a, vec b)
{
    return vandq_u8(a, b);
}
static inline vec none(void)
{
    return vdupq_n_u8(0);
}
static inline vec is(vec v, char c)
{
    return vceqq_u8(v, vdupq_n_u8((uint8_t)c));
}
static inline vec is_nocase(vec v, char c)
{
    return is(either(v, vdupq_n_u8(0x20)), c);
}
static inline vec digits(vec v)
{
    return vcltq_u8(vsubq_u8(v, vdupq_n_u8('0')), vdupq_n_u8(10));
}
static inline vec letters(vec v)
{
    return vcltq_u8(vsubq_u8(either(v, vdupq_n_u8(0x20)), vdupq_n_u8('a')), vdupq_n_u8(26));
}
static inline uint64_t bits(vec v)
{
    const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t one = vandq_u8(v, bit);

    return vaddv_u8(vget_low_u8(one)) | (uint64_t)vaddv_u8(vget_high_u8(one)) << 8;
}

#include "redact_marks_vector.h"

void redact_marks__neon(const char *text, size_t len, uint32_t detect, uint64_t *marks)
{
    mark_text(text, len, detect, marks);
}

#endif
