/* Writing one record: a cursor without bounds checks, and the record's own random numbers.
 *
 * No check is made because corpus_record()'s caller gives room for the longest record there can be, and every
 * function here writes a bounded number of bytes. Private to corpus/. */
#ifndef CORPUS_PEN_H
#define CORPUS_PEN_H

#include "corpus.h"

#include <string.h>

typedef struct corpus_pen {
    char *at;
    uint64_t rng[4]; /* xoshiro256** */
    corpus *gen;
    uint64_t n;
    int64_t time_ns;    /* the record's date */
    int64_t written_ns; /* > 0: to be written as "t" */
} corpus_pen;

typedef struct corpus_word {
    const char *text;
    uint32_t len;
} corpus_word;

#define CORPUS_WORD(s)                                                                                       \
    {                                                                                                        \
        s, sizeof(s) - 1                                                                                     \
    }
#define CORPUS_PICK(pen, set) pen_word(pen, &(set)[rng_below(pen, sizeof(set) / sizeof((set)[0]))])
#define PEN_LIT(pen, s)       pen_bytes(pen, "" s, sizeof(s) - 1)

/* splitmix64: seeds the generator below from (seed, number). http://xoshiro.di.unimi.it/splitmix64.c */
static inline uint64_t rng_split(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* xoshiro256**: https://prng.di.unimi.it/xoshiro256starstar.c */
static inline uint64_t rng_next(corpus_pen *pen)
{
    uint64_t *s = pen->rng;
    uint64_t x = s[1] * 5;
    uint64_t result = ((x << 7) | (x >> 57)) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/* A number below `limit`, 1 <= limit <= 2^32; the bias of the multiplication is far below what a corpus
 * shows. */
static inline uint32_t rng_below(corpus_pen *pen, uint64_t limit)
{
    return (uint32_t)(((rng_next(pen) >> 32) * limit) >> 32);
}

static inline void pen_bytes(corpus_pen *pen, const char *bytes, size_t len)
{
    memcpy(pen->at, bytes, len);
    pen->at += len;
}

static inline void pen_word(corpus_pen *pen, const corpus_word *word)
{
    pen_bytes(pen, word->text, word->len);
}

/* `value` in decimal. */
static inline void pen_u64(corpus_pen *pen, uint64_t value)
{
    char digits[20];
    int start = 20;
    do {
        digits[--start] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    pen_bytes(pen, digits + start, (size_t)(20 - start));
}

/* The last `width` decimal digits of `value`, with leading zeros. */
static inline void pen_padded(corpus_pen *pen, uint64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        pen->at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    pen->at += width;
}

/* `len` random characters of an alphabet whose size is 2^bits. */
static inline void pen_alphabet(corpus_pen *pen, const char *alphabet, int bits, size_t len)
{
    uint64_t random = 0;
    int left = 0;
    for (size_t i = 0; i < len; i++) {
        if (left < bits) {
            random = rng_next(pen);
            left = 64;
        }
        *pen->at++ = alphabet[random & ((1u << bits) - 1)];
        random >>= bits;
        left -= bits;
    }
}

/* Random lower-case hex, and random base64url without padding (RFC 4648, section 5). */
void pen_hex(corpus_pen *pen, size_t len);
void pen_base64url(corpus_pen *pen, size_t len);

/* A random version 4 UUID (RFC 9562), 36 characters. */
void pen_uuid(corpus_pen *pen);

/* The record's date as "YYYY-MM-DD HH:mm:ss" with `separator` in place of the blank. */
void pen_second(corpus_pen *pen, char separator);

/* The `width` (3 or 6) first digits of the record's fraction of a second, without the point. */
void pen_fraction(corpus_pen *pen, int width);

/* "n":123, and, where asked for, "t":1700000000000000000, with `gap` (may be empty) after each colon and
 * comma. */
void pen_number(corpus_pen *pen, const char *gap);

/* The kinds. Each writes one record without its newline. */
void corpus_winston(corpus_pen *pen);
void corpus_loguru(corpus_pen *pen);
void corpus_access(corpus_pen *pen);
void corpus_sized(corpus_pen *pen);

#endif
