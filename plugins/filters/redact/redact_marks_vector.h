/* redact_marks_vector.h: the loop of redact_marks for a vector unit, and the digit runs. Included by
 * redact_marks_avx2.c, redact_marks_avx512.c and redact_marks_neon.c, which define before:
 *   TARGET                        attributes of every function
 *   VEC                           bytes of a vector: 16, 32 or 64
 *   vec, hits                     a vector, and what a comparison of one gives
 *   vec load(const char *)        unaligned
 *   vec folded(vec)               each byte with bit 0x20 set: capitals are small then
 *   hits is(vec, char), digits(vec), letters(vec)
 *   hits either(hits, hits), both(hits, hits), without(hits, hits), none(void)
 *   uint64_t bits(hits)           one bit a byte, VEC of them
 */

#define INLINE TARGET static inline __attribute__((always_inline))

#define FRONT 16 /* bytes before a block that must be readable; the table looks back 7 at most */

/* What 64 bytes are, as bits. */
typedef struct block_bits {
    uint64_t marks, digit, gap;
} block_bits;

INLINE hits gaps(vec v)
{
    return either(is(v, '-'), is(v, ' '));
}

/* Marks of detectors that are nearly always on. */
INLINE hits common_marks(const char *p, uint32_t detect)
{
    vec v = load(p), v1 = load(p - 1), v2 = load(p - 2), v4 = load(p - 4);
    hits marks = none();

    if (detect & REDACT_BIT(EMAIL)) {
        hits percent = both(is(v, '0'), both(is(v1, '4'), is(v2, '%')));
        marks = either(marks, either(is(v, '@'), percent));
    }
    if (detect & REDACT_BIT(URL_CREDENTIALS))
        marks = either(marks, both(is(v, '/'), both(is(v1, '/'), is(v2, ':'))));
    if (detect & REDACT_BIT(JWT)) marks = either(marks, both(is(v, 'J'), both(is(v1, 'y'), is(v2, 'e'))));
    if (detect & REDACT_BIT(BEARER)) {
        hits end = both(is(folded(v), 'r'), is(folded(v1), 'e'));
        marks = either(marks, both(end, is(folded(load(p - 5)), 'b')));
    }
    if (detect & REDACT_BIT(BASIC)) marks = either(marks, both(is(folded(v), 'c'), is(folded(v4), 'b')));
    if (detect & REDACT_BIT(AWS_KEY)) {
        hits id = both(is(v, 'A'), both(is(v1, 'I'), is(load(p - 3), 'A')));
        hits name = both(is(folded(v), 'c'), both(is(folded(v1), 'c'), is(folded(v2), 'a')));
        marks = either(marks, either(id, name));
    }
    if (detect & REDACT_BIT(PRIVATE_KEY))
        marks = either(marks, both(is(v, '-'), both(is(v2, '-'), is(v4, '-'))));
    if (detect & REDACT_BIT(KEY_VALUE)) {
        hits option = both(is(v, '-'), is(v1, '-')), percent = both(is(v1, '3'), is(v2, '%'));
        hits element = both(is(v, '/'), is(v1, '<'));
        marks = either(marks, either(either(is(v, '='), element), either(option, percent)));
    }
    if (detect & REDACT_BIT(IPV6))
        marks = either(marks, is(v1, ':'));
    else if (detect & REDACT_BIT(KEY_VALUE))
        marks = either(marks, without(is(v1, ':'), both(digits(v), digits(v2))));
    return marks;
}

#define RARE (REDACT_BIT(IPV4) | REDACT_BIT(PHONE) | REDACT_BIT(SSN) | REDACT_BIT(IBAN))

/* Marks of the others, all of them digits. */
INLINE hits rare_marks(const char *p, uint32_t detect)
{
    vec v1 = load(p - 1), v2 = load(p - 2);
    hits marks = none();

    if (detect & REDACT_BIT(IPV4)) marks = either(marks, both(is(v1, '.'), digits(v2)));
    if (detect & REDACT_BIT(PHONE)) {
        hits inner = either(gaps(v1), either(is(v1, '.'), either(is(v1, '/'), is(v1, ')'))));
        marks = either(marks, either(both(inner, digits(v2)), either(is(v1, '+'), is(v1, '('))));
    }
    if (detect & REDACT_BIT(SSN)) marks = either(marks, both(gaps(load(p - 4)), gaps(load(p - 7))));
    if (detect & REDACT_BIT(IBAN))
        marks = either(marks, both(digits(v1), both(letters(v2), letters(load(p - 3)))));
    return both(marks, digits(load(p)));
}

INLINE block_bits mark_block(const char *p, uint32_t detect)
{
    block_bits block = {0, 0, 0};

    for (unsigned i = 0; i < 64; i += VEC) {
        hits marks = common_marks(p + i, detect);
        if (detect & RARE) marks = either(marks, rare_marks(p + i, detect));
        block.marks |= bits(marks) << i;
        if (detect & REDACT_BIT(CARD)) {
            vec v = load(p + i);
            block.digit |= bits(digits(v)) << i;
            block.gap |= bits(gaps(v)) << i;
        }
    }
    return block;
}

/* What one block tells the next about digits. */
typedef struct run_carry {
    uint64_t digit, run, long_run;
} run_carry;

/* The bits of a block moved up by n, the places below filled from the block before. */
TARGET static inline uint64_t moved(uint64_t bits, uint64_t bits_before, unsigned n)
{
    return bits << n | bits_before >> (64 - n);
}

/* The 13th bytes of runs. Bit i of `x` becomes: the run is 2, 4, 8, 13 long at i; the last 12 bits of the
 * block before are taken along, in a word of their own, for its runs may go on here. */
TARGET static inline uint64_t thirteenths(block_bits block, run_carry *carry)
{
    uint64_t run = block.digit | (block.gap & moved(block.digit, carry->digit, 1));
    uint64_t old = carry->run, x = run;
    static const unsigned steps[] = {1, 2, 4, 5};

    for (unsigned i = 0; i < 4; i++) {
        x &= moved(x, old, steps[i]);
        old &= old << steps[i]; /* bits whose past is cut off may be wrong only where 12 more do not follow */
    }
    uint64_t first = x & ~moved(x, carry->long_run, 1);
    *carry = (run_carry){block.digit, run, x};
    return first;
}

/* The block at `at` of a text. All bytes that the vectors touch must be the text's: at its ends a copy
 * serves, or, in a text long enough, the last 64 bytes do for the last block. */
INLINE block_bits block_at(const char *text, size_t len, size_t at, uint32_t detect)
{
    size_t rest = len - at;
    char pad[FRONT + 64];

    if (SL_LIKELY(at >= FRONT && rest >= 64)) return mark_block(text + at, detect);
    if (rest == 0) return (block_bits){0, 0, 0};
    if (at == 0 && rest >= 64) {
        memset(pad, 0, FRONT);
        memcpy(pad + FRONT, text, 64);
        return mark_block(pad + FRONT, detect);
    }
    if (len >= FRONT + 64) {
        block_bits block = mark_block(text + len - 64, detect);
        return (block_bits){block.marks >> (64 - rest), block.digit >> (64 - rest), block.gap >> (64 - rest)};
    }
    size_t front = at < FRONT ? at : FRONT;
    memset(pad, 0, sizeof pad);
    memcpy(pad + FRONT - front, text + at - front, front + rest);
    return mark_block(pad + FRONT, detect);
}

/* Few runs are 13 bytes long, so they are looked at one by one. */
INLINE uint64_t long_enough(uint64_t runs, const char *text, size_t len, size_t at)
{
    for (uint64_t left = runs; left; left &= left - 1) {
        if (redact_marks__is_short_run(text, len, at + (size_t)__builtin_ctzll(left)))
            runs &= ~(left & (0 - left));
    }
    return runs;
}

INLINE void mark_text_for(const char *text, size_t len, uint32_t detect, uint64_t *marks)
{
    run_carry carry = {0, 0, 0};

    for (size_t at = 0; at <= len; at += 64) {
        block_bits block = block_at(text, len, at, detect);
        if (detect & REDACT_BIT(CARD)) block.marks |= long_enough(thirteenths(block, &carry), text, len, at);
        if (len - at < 64) block.marks &= (UINT64_C(1) << (len - at)) - 1; /* a colon may be the last byte */
        marks[at / 64] = block.marks;
    }
}

/* Where it is known what is looked for, the compiler drops the questions from the loop: worth a third of the
 * time. */
TARGET static void mark_text(const char *text, size_t len, uint32_t detect, uint64_t *marks)
{
    const uint32_t few = REDACT_BIT(EMAIL) | REDACT_BIT(CARD) | REDACT_BIT(JWT) | REDACT_BIT(BEARER);

    if (detect == REDACT_DEFAULT_DETECT)
        mark_text_for(text, len, REDACT_DEFAULT_DETECT, marks);
    else if (detect == few)
        mark_text_for(text, len, few, marks);
    else
        mark_text_for(text, len, detect, marks);
}
