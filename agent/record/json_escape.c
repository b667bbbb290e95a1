/* json_escape.c: the inner loop of string writing, for each kind of processor.
 *
 * A line of JSON that is written as a string has a quote every few bytes, far too often to branch on. So the
 * vector loops always write the form with room for escapes and let the length decide: bytes are spread out
 * with a shuffle, or doubled and squeezed together again, and the place of the next write moves by the bytes
 * that count. What lies beyond that place is overwritten by the next step, or is slack that the caller allows
 * for.
 */
#include "record/json_escape.h"

sl_json_escaped sl_json_escape__portable(const char *text, size_t len, char *out)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    sl_json_escaped done = {0, 0};

    while (done.taken < len) {
        uint64_t word;
        if (len - done.taken >= sizeof word) {
            memcpy(&word, text + done.taken, sizeof word);
            /* The lowest byte that hits is always found; more may seem to hit above it, which costs time
             * only. */
            uint64_t quotes = word ^ (ones * '"'), slashes = word ^ (ones * '\\');
            uint64_t hit = (word - ones * 0x20) | (quotes - ones) | (slashes - ones) | word;
            if (!(hit & tops)) {
                memcpy(out + done.written, &word, sizeof word);
                done.taken += sizeof word;
                done.written += sizeof word;
                continue;
            }
        }
        size_t stop = len - done.taken > sizeof word ? done.taken + sizeof word : len;
        while (done.taken < stop) {
            unsigned char c = (unsigned char)text[done.taken];
            if (c < 0x20 || c >= 0x80) return done;
            out[done.written] = '\\';
            done.written += c == '"' || c == '\\';
            out[done.written++] = (char)c;
            done.taken++;
        }
    }
    return done;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Where the bytes of a group of four come from when those in the mask get a backslash before them; S: the
 * backslash. Row 0b0010, for one: byte 0, a backslash, bytes 1, 2, 3. */
#define S 0x80
static const uint8_t spread[16][8] = {
    {0, 1, 2, 3, S, S, S, S}, {S, 0, 1, 2, 3, S, S, S}, {0, S, 1, 2, 3, S, S, S}, {S, 0, S, 1, 2, 3, S, S},
    {0, 1, S, 2, 3, S, S, S}, {S, 0, 1, S, 2, 3, S, S}, {0, S, 1, S, 2, 3, S, S}, {S, 0, S, 1, S, 2, 3, S},
    {0, 1, 2, S, 3, S, S, S}, {S, 0, 1, 2, S, 3, S, S}, {0, S, 1, 2, S, 3, S, S}, {S, 0, S, 1, 2, S, 3, S},
    {0, 1, S, 2, S, 3, S, S}, {S, 0, 1, S, 2, S, 3, S}, {0, S, 1, S, 2, S, 3, S}, {S, 0, S, 1, S, 2, S, 3},
};
#undef S

#define AVX2 __attribute__((target("avx2,popcnt")))

/* Writes bytes first to first + 7 of the block; `marked` has the bits of those to be escaped. Returns the
 * bytes written. */
AVX2 static inline size_t spread_eight(__m128i block, char first, unsigned marked, char *out)
{
    unsigned low = marked & 15, high = marked >> 4 & 15;
    __m128i from = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)spread[low]),
                                      _mm_loadl_epi64((const __m128i *)spread[high]));
    const __m128i places = _mm_add_epi8(_mm_set1_epi8(first), _mm_set_epi32(0x04040404, 0x04040404, 0, 0));

    from = _mm_add_epi8(from, places); /* keeps the top bit */
    __m128i bytes = _mm_blendv_epi8(_mm_shuffle_epi8(block, from), _mm_set1_epi8('\\'), from);
    size_t half = 4 + (size_t)__builtin_popcount(low);
    _mm_storel_epi64((__m128i *)out, bytes);
    _mm_storeh_pi((__m64 *)(out + half), _mm_castsi128_ps(bytes));
    return half + 4 + (size_t)__builtin_popcount(high);
}

AVX2 sl_json_escaped sl_json_escape__avx2(const char *text, size_t len, char *out)
{
    sl_json_escaped done = {0, 0};

    while (len - done.taken >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(text + done.taken));
        __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                     _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
        unsigned marked = (unsigned)_mm_movemask_epi8(marks);
        /* Signed: bytes >= 0x80 are less than a space too. */
        unsigned stop = (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(_mm_set1_epi8(0x20), block));
        char *to = out + done.written;
        size_t half = spread_eight(block, 0, marked, to);
        half += spread_eight(block, 8, marked >> 8, to + half);
        if (SL_UNLIKELY(stop)) {
            unsigned kept = (unsigned)__builtin_ctz(stop);
            done.taken += kept;
            done.written += kept + (unsigned)__builtin_popcount(marked & ((1u << kept) - 1));
            return done;
        }
        done.taken += 16;
        done.written += half;
    }
    sl_json_escaped rest = sl_json_escape__portable(text + done.taken, len - done.taken, out + done.written);
    return (sl_json_escaped){done.taken + rest.taken, done.written + rest.written};
}

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi2,popcnt")))

AVX512 sl_json_escaped sl_json_escape__avx512(const char *text, size_t len, char *out)
{
    sl_json_escaped done = {0, 0};

    while (done.taken < len) {
        size_t left = len - done.taken;
        uint32_t there = left < 32 ? (UINT32_C(1) << left) - 1 : UINT32_MAX;
        __m256i block = _mm256_maskz_loadu_epi8(there, text + done.taken);
        uint32_t marked = _mm256_cmpeq_epi8_mask(block, _mm256_set1_epi8('"')) |
                          _mm256_cmpeq_epi8_mask(block, _mm256_set1_epi8('\\'));
        uint32_t stop =
            _mm256_cmplt_epi8_mask(block, _mm256_set1_epi8(0x20)); /* signed; also where no text is left */
        /* Backslash and byte by turns; then all but the backslashes that are not called for move together. */
        __m512i pairs =
            _mm512_or_si512(_mm512_slli_epi16(_mm512_cvtepu8_epi16(block), 8), _mm512_set1_epi16('\\'));
        uint64_t keep = UINT64_C(0xaaaaaaaaaaaaaaaa) | _pdep_u64(marked, UINT64_C(0x5555555555555555));
        _mm512_storeu_si512(out + done.written, _mm512_maskz_compress_epi8(keep, pairs));
        if (SL_UNLIKELY(stop)) {
            unsigned kept = (unsigned)__builtin_ctz(stop);
            done.taken += kept;
            done.written += kept + (unsigned)__builtin_popcount(marked & ((UINT32_C(1) << kept) - 1));
            return done;
        }
        done.taken += 32;
        done.written += 32 + (unsigned)__builtin_popcount(marked);
    }
    return done;
}

#endif
