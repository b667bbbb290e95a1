/* json_scan.h: the first stage of the JSON index, inside agent/record only.
 *
 * A scanner turns a text into bit masks, one bit a byte, 64 bytes a block: where strings open and close,
 * where the brackets, commas and colons between them stand, and where a number or literal begins. The second
 * stage (json_index.c) then visits only these places. Every scanner gives the same masks for the same text.
 *
 * The shared inline functions below hold what is the same for all of them: everything after the bytes have
 * been classified. The way to find escaped quotes and the inside of strings without a branch a byte is the
 * one of Langdale and Lemire, "Parsing Gigabytes of JSON per Second" (2019).
 */
#ifndef SL_RECORD_JSON_SCAN_H
#define SL_RECORD_JSON_SCAN_H

#include <sluice/json.h>

#define SL_JSON_BLOCK 64

/* What the second stage needs of 64 bytes. Bits beyond the end of the text are 0, except for the end mark. */
typedef struct sl_json_block {
    uint64_t
        structural; /* unescaped quotes, `{}[]:,` outside strings, first bytes of all else outside strings */
    uint64_t backslash;
    uint64_t non_ascii;
} sl_json_block;

/* The result of the first stage. `blocks` is the caller's, room for sl_json_block_count(len). The bit at
 * position len is set in `structural` as the end mark, so the second stage never runs past it. */
typedef struct sl_json_scan {
    sl_json_block *blocks;
    uint64_t backslash; /* any bit of the blocks' */
    uint64_t non_ascii;
    uint32_t control_at; /* the first byte below 0x20 inside a string; UINT32_MAX: none */
    uint32_t marks;      /* structural bits of all blocks, at least: the end mark may be counted or not */
} sl_json_scan;

static inline size_t sl_json_block_count(size_t len)
{
    return len / SL_JSON_BLOCK + 1;
}

typedef void (*sl_json_scanner)(const char *text, size_t len, sl_json_scan *scan);

void sl_json_scan__portable(const char *text, size_t len, sl_json_scan *scan);
#if defined(__x86_64__)
void sl_json_scan__avx2(const char *text, size_t len, sl_json_scan *scan);
void sl_json_scan__avx512(const char *text, size_t len, sl_json_scan *scan);
#elif defined(__aarch64__)
void sl_json_scan__neon(const char *text, size_t len, sl_json_scan *scan);
#endif

/* Runs the scanner in use over the text. */
void sl_json_scan__run(const char *text, size_t len, sl_json_scan *scan);

/* ---- shared by the scanners -------------------------------------------------------------------- */

/* 64 bytes classified, nothing else known about them. `control`: below 0x20. `space`: the four of the
 * grammar. */
typedef struct sl_json_classes {
    uint64_t quote, backslash, op, space, control, non_ascii;
} sl_json_classes;

/* What one block tells the next. */
typedef struct sl_json_carry {
    uint64_t escaped; /* 1: the first byte is escaped */
    uint64_t inside;  /* all ones: the first byte is inside a string */
    uint64_t scalar;  /* 1: the byte before belongs to a number, a literal or to nothing valid */
} sl_json_carry;

#define SL_JSON_INLINE static inline __attribute__((always_inline))

/* Bytes that follow an odd run of backslashes. A run that begins at an even place carries, when added to
 * itself, a bit to the place behind its end: odd there means an odd run; and the other way round. */
SL_JSON_INLINE uint64_t sl_json_scan__escaped(uint64_t backslash, sl_json_carry *carry)
{
    const uint64_t even = UINT64_C(0x5555555555555555);
    uint64_t escaped = carry->escaped;

    if (SL_LIKELY(backslash == 0)) {
        carry->escaped = 0;
        return escaped;
    }
    backslash &= ~escaped;
    uint64_t starts = backslash & ~(backslash << 1);
    uint64_t even_ends, odd_ends;
    (void)__builtin_add_overflow(backslash, starts & even, &even_ends);
    carry->escaped = __builtin_add_overflow(backslash, starts & ~even, &odd_ends);
    return escaped | (even_ends & ~backslash & ~even) | (odd_ends & ~backslash & even);
}

SL_JSON_INLINE uint64_t sl_json_scan__quotes(const sl_json_classes *is, sl_json_carry *carry)
{
    return is->quote & ~sl_json_scan__escaped(is->backslash, carry);
}

/* quotes: the unescaped ones. toggled: their running parity, bit i the xor of quotes' bits 0 to i. */
SL_JSON_INLINE void sl_json_scan__finish(const sl_json_classes *is, uint64_t quotes, uint64_t toggled,
                                         size_t at, sl_json_carry *carry, sl_json_scan *scan)
{
    uint64_t inside = toggled ^ carry->inside; /* with the opening quote, without the closing one */
    uint64_t scalar = ~(is->op | is->space | quotes | inside);
    sl_json_block *block = &scan->blocks[at / SL_JSON_BLOCK];

    carry->inside = (uint64_t)((int64_t)inside >> 63);
    block->structural = quotes | (is->op & ~inside) | (scalar & ~(scalar << 1 | carry->scalar));
    carry->scalar = scalar >> 63;
    scan->marks += (uint32_t)__builtin_popcountll(block->structural);
    block->backslash = is->backslash;
    block->non_ascii = is->non_ascii;
    scan->backslash |= is->backslash;
    scan->non_ascii |= is->non_ascii;
    if (SL_UNLIKELY(is->control & inside) && scan->control_at == UINT32_MAX)
        scan->control_at = (uint32_t)(at + (size_t)__builtin_ctzll(is->control & inside));
}

/* The last block: the text's tail, filled up with spaces. Returns its bytes in `pad`. */
SL_JSON_INLINE const char *sl_json_scan__tail(const char *text, size_t len, size_t at,
                                              char pad[SL_JSON_BLOCK])
{
    memset(pad, ' ', SL_JSON_BLOCK);
    if (len > at) memcpy(pad, text + at, len - at);
    return pad;
}

SL_JSON_INLINE void sl_json_scan__begin(sl_json_scan *scan)
{
    scan->backslash = 0;
    scan->non_ascii = 0;
    scan->marks = 0;
    scan->control_at = UINT32_MAX;
}

/* Sets the end mark, and takes away what the padding may have added: only the mark stands at or after len. */
SL_JSON_INLINE void sl_json_scan__end(size_t len, sl_json_scan *scan)
{
    uint64_t mark = UINT64_C(1) << (len % SL_JSON_BLOCK);
    sl_json_block *last = &scan->blocks[len / SL_JSON_BLOCK];

    last->structural = (last->structural & (mark - 1)) | mark;
}

/* The loop of every scanner. classify(const char *bytes, sl_json_classes *) and toggle(uint64_t) are inline
 * functions of the caller with its own target attributes; a macro, for a function would not be compiled for
 * that target. */
#define SL_JSON_SCAN_BODY(classify, toggle, text, len, scan)                                                 \
    do {                                                                                                     \
        sl_json_carry carry_ = {0, 0, 0};                                                                    \
        char pad_[SL_JSON_BLOCK];                                                                            \
        sl_json_classes is_;                                                                                 \
        sl_json_scan__begin(scan);                                                                           \
        for (size_t at_ = 0; at_ <= (len); at_ += SL_JSON_BLOCK) {                                           \
            bool whole_ = (len)-at_ >= SL_JSON_BLOCK;                                                        \
            classify(whole_ ? (text) + at_ : sl_json_scan__tail(text, len, at_, pad_), &is_);                \
            uint64_t quotes_ = sl_json_scan__quotes(&is_, &carry_);                                          \
            sl_json_scan__finish(&is_, quotes_, toggle(quotes_), at_, &carry_, scan);                        \
        }                                                                                                    \
        sl_json_scan__end(len, scan);                                                                        \
    } while (0)

#endif
