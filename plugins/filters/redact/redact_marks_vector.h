/* redact_marks_vector.h: the loop of redact_marks for a vector unit, and the digit runs. Included by
 * redact_marks_avx2.c and redact_marks_neon.c, which define before:
 *   TARGET                       attributes of every function
 *   typedef … vec                a vector of VEC bytes, compared bytes are 0xff or 0
 *   vec load(const char *)       unaligned
 *   vec either(vec, vec), both(vec, vec), none(void)
 *   vec is(vec, char), is_nocase(vec, char lower-case letter), digits(vec), letters(vec)
 *   uint64_t bits(vec)           the top bit of each byte, VEC of them
 */

#define FRONT 16 /* bytes before a block that must be readable; the table looks back 7 at most */

/* What 64 bytes are, as bits. */
typedef struct block_bits {
    uint64_t marks, digit, gap;
} block_bits;

TARGET static inline vec gaps(vec v)
{
    return either(is(v, '-'), is(v, ' '));
}

/* Marks of detectors that are nearly always on. */
TARGET static inline vec common_marks(const char *p, uint32_t detect)
{
    vec v = load(p), v1 = load(p - 1), v2 = load(p - 2), v4 = load(p - 4), marks = none();

    if (detect & REDACT_BIT(EMAIL)) {
        vec percent = both(is(v, '0'), both(is(v1, '4'), is(v2, '%')));
        marks = either(marks, either(is(v, '@'), percent));
    }
    if (detect & REDACT_BIT(URL_CREDENTIALS))
        marks = either(marks, both(is(v, '/'), both(is(v1, '/'), is(v2, ':'))));
    if (detect & REDACT_BIT(JWT)) marks = either(marks, both(is(v, 'J'), is(v1, 'y')));
    if (detect & REDACT_BIT(BEARER))
        marks = either(marks, both(is_nocase(v, 'r'), is_nocase(load(p - 5), 'b')));
    if (detect & REDACT_BIT(BASIC)) marks = either(marks, both(is_nocase(v, 'c'), is_nocase(v4, 'b')));
    if (detect & REDACT_BIT(AWS_KEY)) {
        vec id = both(is(v, 'A'), both(is(v1, 'I'), is(load(p - 3), 'A')));
        vec name = both(is_nocase(v, 'c'), both(is_nocase(v1, 'c'), is_nocase(v2, 'a')));
        marks = either(marks, either(id, name));
    }
    if (detect & REDACT_BIT(PRIVATE_KEY))
        marks = either(marks, both(is(v, '-'), both(is(v2, '-'), is(v4, '-'))));
    if (detect & REDACT_BIT(KEY_VALUE)) marks = either(marks, is(v, '='));
    if (detect & (REDACT_BIT(KEY_VALUE) | REDACT_BIT(IPV6))) marks = either(marks, is(v, ':'));
    return marks;
}

#define RARE (REDACT_BIT(IPV4) | REDACT_BIT(PHONE) | REDACT_BIT(SSN) | REDACT_BIT(IBAN))

/* Marks of the others, all of them digits. */
TARGET static inline vec rare_marks(const char *p, uint32_t detect)
{
    vec v1 = load(p - 1), v2 = load(p - 2), marks = none();

    if (detect & REDACT_BIT(IPV4)) marks = either(marks, both(is(v1, '.'), digits(v2)));
    if (detect & REDACT_BIT(PHONE)) {
        vec inner = either(gaps(v1), either(is(v1, '.'), either(is(v1, '/'), is(v1, ')'))));
        marks = either(marks, either(both(inner, digits(v2)), either(is(v1, '+'), is(v1, '('))));
    }
    if (detect & REDACT_BIT(SSN)) marks = either(marks, both(gaps(load(p - 4)), gaps(load(p - 7))));
    if (detect & REDACT_BIT(IBAN))
        marks = either(marks, both(digits(v1), both(letters(v2), letters(load(p - 3)))));
    return both(marks, digits(load(p)));
}

TARGET static inline block_bits mark_block(const char *p, uint32_t detect)
{
    block_bits block = {0, 0, 0};

    for (unsigned i = 0; i < 64; i += VEC) {
        vec marks = common_marks(p + i, detect);
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

TARGET static void mark_text(const char *text, size_t len, uint32_t detect, uint64_t *marks)
{
    run_carry carry = {0, 0, 0};
    char pad[FRONT + 64];

    for (size_t at = 0; at <= len; at += 64) {
        const char *p = text + at;
        if (at < FRONT || len - at < 64) { /* the first block and the last have nothing around them */
            size_t front = at < FRONT ? at : FRONT, rest = len - at < 64 ? len - at : 64;
            memset(pad, 0, sizeof pad);
            if (front + rest > 0) memcpy(pad + FRONT - front, p - front, front + rest);
            p = pad + FRONT;
        }
        block_bits block = mark_block(p, detect);
        marks[at / 64] = block.marks;
        if (detect & REDACT_BIT(CARD)) marks[at / 64] |= thirteenths(block, &carry);
    }
}
