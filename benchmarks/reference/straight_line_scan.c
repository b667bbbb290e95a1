/* One line through AVX2: its strings, its secrets, its copy. Trusts the corpus to be well-formed JSON. */
#include "straight_line.h"

#include <immintrin.h>
#include <string.h>

typedef struct cut {
    uint32_t from, to; /* in the line */
} cut;

typedef struct scan {
    const char *line;
    uint32_t len;
    uint32_t cut_count;
    cut cuts[LINE_MAX_CUTS];
    uint32_t time_at, time_len; /* the value of "timestamp"; length 0: none */
} scan;

static inline __m256i load(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)at);
}

static inline __m256i equal(__m256i block, char c)
{
    return _mm256_cmpeq_epi8(block, _mm256_set1_epi8(c));
}

/* Bytes from `low` to `high`, both below 128, as a mask. */
static inline __m256i between(__m256i block, char low, char high)
{
    return _mm256_and_si256(_mm256_cmpgt_epi8(block, _mm256_set1_epi8((char)(low - 1))),
                            _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(high + 1)), block));
}

static bool is_secret_key(const char *key, uint32_t len)
{
    switch (len) {
    case 5: return memcmp(key, "token", 5) == 0;
    case 6: return memcmp(key, "cookie", 6) == 0 || memcmp(key, "secret", 6) == 0;
    case 8: return memcmp(key, "password", 8) == 0;
    case 9: return memcmp(key, "x-api-key", 9) == 0;
    case 13: return memcmp(key, "authorization", 13) == 0;
    default: return false;
    }
}

/* The value of "timestamp" starts at `at`, when it is a string. */
static void take_time(scan *state, uint32_t at)
{
    const char *end = at < state->len ? memchr(state->line + at, '"', state->len - at) : NULL;
    if (!end || end - state->line - at > 32) return;
    state->time_at = at;
    state->time_len = (uint32_t)(end - state->line) - at;
}

/* A string stands in [from, to): a key when a colon follows. Returns whether it is a secret's key. */
static bool take_string(scan *state, uint32_t from, uint32_t to, bool secret, bool redact)
{
    const char *text = state->line + from;
    if (text[to - from + 1] == ':') {
        if (to - from == 9 && !state->time_len && memcmp(text, "timestamp", 9) == 0) take_time(state, to + 3);
        return redact && is_secret_key(text, to - from);
    }
    if (secret && state->cut_count < LINE_MAX_CUTS) state->cuts[state->cut_count++] = (cut){from, to};
    return false;
}

/* Finds every string by its quotes; a backslash takes the byte after it along. */
static void find_strings(scan *state, bool redact)
{
    uint32_t open = 0, skip = 0;
    bool inside = false, secret = false;
    for (uint32_t at = 0; at < state->len; at += 32) {
        __m256i block = load(state->line + at);
        uint32_t hits =
            (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(equal(block, '"'), equal(block, '\\')));
        for (; hits; hits &= hits - 1) {
            uint32_t pos = at + (uint32_t)__builtin_ctz(hits);
            if (pos >= state->len) return;
            if (pos < skip) continue;
            if (state->line[pos] == '\\') {
                skip = pos + 2;
            } else if (!inside) {
                open = pos + 1;
                inside = true;
            } else {
                secret = take_string(state, open, pos, secret, redact);
                inside = false;
            }
        }
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == '+' || c == '%';
}

static cut email_around(const scan *state, uint32_t at)
{
    uint32_t from = at, to = at + 1;
    while (from > 0 && is_word(state->line[from - 1]))
        from--;
    while (to < state->len && is_word(state->line[to]))
        to++;
    return (cut){from, from < at && to > at + 1 ? to : from};
}

static cut jwt_from(const scan *state, uint32_t at)
{
    uint32_t to = at, dots = 0;
    for (; to < state->len && is_word(state->line[to]); to++)
        dots += state->line[to] == '.';
    return (cut){at, dots == 2 ? to : at};
}

/* 13 to 19 digits, blanks and dashes between them allowed, that pass Luhn. */
static cut card_from(const scan *state, uint32_t at)
{
    char digits[20];
    uint32_t count = 0, to = at, end = at;
    for (; to < state->len && count < 20; to++) {
        char c = state->line[to];
        if (c >= '0' && c <= '9') {
            digits[count++] = (char)(c - '0');
            end = to + 1;
        } else if (c != ' ' && c != '-') {
            break;
        }
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t digit = (uint32_t)digits[count - 1 - i];
        sum += i % 2 ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
    }
    bool number = at > 0 && state->line[at - 1] == ':'; /* a bare number, not in a string */
    return (cut){at, count >= 13 && count <= 19 && sum % 10 == 0 && !number ? end : at};
}

/* Where 13 bytes of digits, blanks and dashes start that do not go on from before: `mask` has a bit for each
 * such byte. */
static uint64_t long_runs(uint64_t mask)
{
    uint64_t run = mask & mask >> 1;
    run &= run >> 2;
    run &= run >> 4;
    run &= run >> 5;
    return run;
}

static uint64_t mask64(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

static __m256i card_bytes(__m256i block)
{
    return _mm256_or_si256(between(block, '0', '9'), _mm256_or_si256(equal(block, ' '), equal(block, '-')));
}

static void take_content(scan *state, uint32_t pos, uint32_t *done)
{
    if (pos < *done || pos >= state->len || state->cut_count == LINE_MAX_CUTS) return;
    char c = state->line[pos];
    cut found = c == '@' ? email_around(state, pos) : c == 'e' ? jwt_from(state, pos) : card_from(state, pos);
    if (found.to == found.from || found.from < *done) return;
    state->cuts[state->cut_count++] = found;
    *done = found.to;
}

/* Finds e-mails, JWTs and cards anywhere in the line; blocks overlap by 13 bytes so that none hides on an
 * edge. */
static void find_content(scan *state)
{
    uint32_t done = 0;
    for (uint32_t at = 0; at < state->len; at += 64 - 13) {
        const char *p = state->line + at;
        __m256i low = load(p), high = load(p + 32);
        uint64_t hits = mask64(equal(low, '@'), equal(high, '@'));
        hits |= mask64(equal(low, 'e'), equal(high, 'e')) & mask64(equal(low, 'y'), equal(high, 'y')) >> 1 &
                mask64(equal(low, 'J'), equal(high, 'J')) >> 2;
        uint64_t runs = long_runs(mask64(card_bytes(low), card_bytes(high)));
        runs &= mask64(between(low, '0', '9'), between(high, '0', '9'));
        for (hits |= runs; hits; hits &= hits - 1)
            take_content(state, at + (uint32_t)__builtin_ctzll(hits), &done);
    }
}

static void sort_cuts(scan *state)
{
    for (uint32_t i = 1; i < state->cut_count; i++) {
        cut moved = state->cuts[i];
        uint32_t j = i;
        for (; j > 0 && state->cuts[j - 1].from > moved.from; j--)
            state->cuts[j] = state->cuts[j - 1];
        state->cuts[j] = moved;
    }
}

static char *put(char *out, const char *bytes, size_t len)
{
    memcpy(out, bytes, len);
    return out + len;
}

static char *put_time(const scan *state, char *out)
{
    if (state->time_len < 19) return put(out, "{", 1);
    out = put(out, "{\"@timestamp\":\"", 15);
    char *time = out;
    out = put(out, state->line + state->time_at, state->time_len);
    time[10] = 'T';
    if (state->time_len == 19) out = put(out, ".000Z", 5);
    return put(out, "\",", 2);
}

char *line_json(const char *line, size_t len, bool redact, char *out)
{
    scan state = {.line = line, .len = (uint32_t)len};
    find_strings(&state, redact);
    if (redact) {
        find_content(&state);
        sort_cuts(&state);
    }
    out = put_time(&state, out);
    uint32_t at = 1;
    for (uint32_t i = 0; i < state.cut_count; i++) {
        if (state.cuts[i].from < at) continue; /* within one already made */
        out = put(out, line + at, state.cuts[i].from - at);
        out = put(out, "[REDACTED]", 10);
        at = state.cuts[i].to;
    }
    return put(out, line + at, len - at);
}

/* For each mask of eight bytes the shuffle that spreads them, leaving a hole (0x80) before each byte in the
 * mask. */
static uint8_t spread[256][16];

__attribute__((constructor)) static void fill_spread(void)
{
    for (int mask = 0; mask < 256; mask++) {
        int made = 0;
        for (int i = 0; i < 8; i++) {
            if (mask >> i & 1) spread[mask][made++] = 0x80;
            spread[mask][made++] = (uint8_t)i;
        }
    }
}

char *line_unparsed(const char *line, size_t len, char *out)
{
    const __m128i backslash = _mm_set1_epi8('\\'), quote = _mm_set1_epi8('"');
    out = put(out, "{\"message\":\"", 12);
    for (size_t at = 0; at < len; at += 8) {
        __m128i block = _mm_loadl_epi64((const __m128i *)(line + at));
        __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash));
        uint32_t valid = len - at < 8 ? (uint32_t)(len - at) : 8;
        uint32_t mask = (uint32_t)_mm_movemask_epi8(hits) & ((1u << valid) - 1);
        __m128i order = _mm_loadu_si128((const __m128i *)spread[mask]);
        __m128i holes = _mm_and_si128(_mm_cmpgt_epi8(_mm_setzero_si128(), order), backslash);
        _mm_storeu_si128((__m128i *)out, _mm_or_si128(_mm_shuffle_epi8(block, order), holes));
        out += valid + (uint32_t)__builtin_popcount(mask);
    }
    return put(out, "\"}", 2);
}
