/* json_scan_neon.c: the scanner for 64-bit ARM, 16 bytes an instruction. */
#include "record/json_scan.h"

#if defined(__aarch64__)
#include <arm_neon.h>

/* Four comparison results (0xff or 0 a byte) become 64 bits: keep one bit a byte, then add neighbours three
 * times. */
static inline uint64_t mask(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
    const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t ab = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
    uint8x16_t cd = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
    uint8x16_t all = vpaddq_u8(ab, cd);

    all = vpaddq_u8(all, all);
    return vgetq_lane_u64(vreinterpretq_u64_u8(all), 0);
}

#define MASK(test) mask(test(v[0]), test(v[1]), test(v[2]), test(v[3]))

static inline uint8x16_t is_quote(uint8x16_t v)
{
    return vceqq_u8(v, vdupq_n_u8('"'));
}
static inline uint8x16_t is_backslash(uint8x16_t v)
{
    return vceqq_u8(v, vdupq_n_u8('\\'));
}
static inline uint8x16_t is_control(uint8x16_t v)
{
    return vcltq_u8(v, vdupq_n_u8(0x20));
}
static inline uint8x16_t is_non_ascii(uint8x16_t v)
{
    return vcgeq_u8(v, vdupq_n_u8(0x80));
}

/* A byte is in the set when it equals the row of the table that its low four bits name. */
static inline uint8x16_t is_space(uint8x16_t v)
{
    const uint8x16_t rows = {' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0};

    return vceqq_u8(v, vqtbl1q_u8(rows, vandq_u8(v, vdupq_n_u8(0x0f))));
}

static inline uint8x16_t is_operator(uint8x16_t v)
{
    const uint8x16_t rows = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0};
    uint8x16_t folded =
        vorrq_u8(v, vdupq_n_u8(0x20)); /* takes 0x0c for a comma, 0x1a for a colon: see classify */

    return vceqq_u8(folded, vqtbl1q_u8(rows, vandq_u8(v, vdupq_n_u8(0x0f))));
}

static inline void classify(const char *bytes, sl_json_classes *is)
{
    uint8x16_t v[4];

    for (unsigned i = 0; i < 4; i++)
        v[i] = vld1q_u8((const uint8_t *)bytes + 16 * i);
    is->quote = MASK(is_quote);
    is->backslash = MASK(is_backslash);
    is->control = MASK(is_control);
    is->non_ascii = MASK(is_non_ascii);
    is->space = MASK(is_space);
    is->op = MASK(is_operator) & ~is->control;
}

static inline uint64_t toggle(uint64_t bits)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

void sl_json_scan__neon(const char *text, size_t len, sl_json_scan *scan)
{
    SL_JSON_SCAN_BODY(classify, toggle, text, len, scan);
}

#endif
