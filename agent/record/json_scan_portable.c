/* json_scan_portable.c: the scanner for processors without a faster one, in plain C. It is the twin that the
 * others are tested against.
 *
 * Eight bytes at a time are compared in one 64-bit word: each test leaves 0x80 in the bytes that match and 0
 * in the others, exactly (no carry crosses a byte), and one multiplication gathers the eight top bits.
 */
#include "record/json_scan.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define TOP        EACH(0x80)

static inline uint64_t load(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* 0x80 in every byte of word that is zero. */
static inline uint64_t zeros(uint64_t word)
{
    return ~(((word & ~TOP) + ~TOP) | word) & TOP;
}

static inline uint64_t equal(uint64_t word, uint8_t byte)
{
    return zeros(word ^ EACH(byte));
}

/* 0x80 in every byte below 0x20: those without any of the three upper bits. */
static inline uint64_t below_space(uint64_t word)
{
    return zeros(word & EACH(0xe0));
}

/* The top bit of byte i becomes bit i. */
static inline uint64_t gather(uint64_t tops)
{
    return ((tops >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

static inline void classify(const char *bytes, sl_json_classes *is)
{
    *is = (sl_json_classes){0};
    for (unsigned i = 0; i < SL_JSON_BLOCK; i += 8) {
        uint64_t word = load(bytes + i);
        uint64_t folded = word | EACH(0x20); /* [ and { are one bit apart, as are ] and } */
        uint64_t control = below_space(word);
        uint64_t brackets = (equal(folded, '{') | equal(folded, '}')) & ~control;
        uint64_t white = equal(word, ' ') | equal(word, '\n') | equal(word, '\t') | equal(word, '\r');

        is->quote |= gather(equal(word, '"')) << i;
        is->backslash |= gather(equal(word, '\\')) << i;
        is->op |= gather(brackets | equal(word, ',') | equal(word, ':')) << i;
        is->space |= gather(white) << i;
        is->control |= gather(control) << i;
        is->non_ascii |= gather(word & TOP) << i;
    }
}

static inline uint64_t toggle(uint64_t bits)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

void sl_json_scan__portable(const char *text, size_t len, sl_json_scan *scan)
{
    SL_JSON_SCAN_BODY(classify, toggle, text, len, scan);
}
