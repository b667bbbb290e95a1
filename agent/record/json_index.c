/* json_index.c: the second stage of the JSON index. It visits the places the scanner marked, in order, and
 * writes the tape. All of RFC 8259 is checked here, except for control characters in strings, which the
 * scanner finds.
 *
 * Invariants:
 *  - After an opening quote the next mark is its closing quote or the end mark: the scanner marks nothing
 *    inside strings.
 *  - A value takes at least one mark, so the count of marks bounds the count of tokens and the tape grows
 *    once a text.
 *  - While a container is open, its token's `next` holds the position of the container around it: the stack
 *    lives in the tape, and there is no recursion.
 */
#include "record/json_scan.h"

#define NO_CONTAINER UINT32_MAX
#define END_OF_TEXT  (-1)

typedef struct indexer {
    const char *text;
    uint32_t len;
    const sl_json_scan *scan;
    bool special;   /* some string of the text may hold a backslash or a byte >= 0x80 */
    uint64_t marks; /* of the present block, those not visited yet */
    uint32_t block;
    sl_token *tok; /* room for every token of this text */
    uint32_t count;
    uint32_t open; /* innermost open container */
    uint16_t depth;
    bool lone_surrogate;
    sl_json_error error;
    uint32_t at;
} indexer;

static const char *const error_texts[] = {
    [SL_JSON_OK] = "valid",
    [SL_JSON_EMPTY] = "nothing but white space",
    [SL_JSON_NOT_JSON] = "a byte that can start no value",
    [SL_JSON_BAD_LITERAL] = "a word that is not true, false or null",
    [SL_JSON_BAD_NUMBER] = "a malformed number",
    [SL_JSON_BAD_ESCAPE] = "a malformed escape sequence inside a string",
    [SL_JSON_CONTROL_CHARACTER] = "a control character inside a string",
    [SL_JSON_UNTERMINATED] = "the text ends inside a value",
    [SL_JSON_BAD_STRUCTURE] = "a bracket, comma, colon or key is missing or out of place",
    [SL_JSON_TRAILING] = "more text after the value",
    [SL_JSON_TOO_DEEP] = "nested too deeply",
    [SL_JSON_TOO_LONG] = "longer than a JSON text may be here",
    [SL_JSON_NO_MEMORY] = "out of memory",
};

const char *sl_json_error_text(sl_json_error error)
{
    return (size_t)error < SL_LEN(error_texts) ? error_texts[error] : "unknown error";
}

/* Returns false, so that a check can `return fail(…)`. */
static inline bool fail(indexer *ix, sl_json_error error, uint32_t at)
{
    ix->error = at >= ix->len && error != SL_JSON_EMPTY ? SL_JSON_UNTERMINATED : error;
    ix->at = at;
    return false;
}

/* ---- marks ------------------------------------------------------------------------------------- */

/* The next mark's position. The end mark, at len, is the last; whoever gets it must not ask again. */
static inline uint32_t next_mark(indexer *ix)
{
    while (SL_UNLIKELY(ix->marks == 0))
        ix->marks = ix->scan->blocks[++ix->block].structural;
    uint32_t at = ix->block * SL_JSON_BLOCK + (uint32_t)__builtin_ctzll(ix->marks);
    ix->marks &= ix->marks - 1;
    return at;
}

static inline int byte_at(const indexer *ix, uint32_t at)
{
    return SL_LIKELY(at < ix->len) ? (unsigned char)ix->text[at] : END_OF_TEXT;
}

/* ---- strings ----------------------------------------------------------------------------------- */

/* The first backslash in [at, end), or end. */
static uint32_t find_backslash(const sl_json_scan *scan, uint32_t at, uint32_t end)
{
    while (at < end) {
        uint64_t bits = scan->blocks[at / SL_JSON_BLOCK].backslash >> (at % SL_JSON_BLOCK);
        if (bits) {
            at += (uint32_t)__builtin_ctzll(bits);
            return at < end ? at : end;
        }
        at = (at / SL_JSON_BLOCK + 1) * SL_JSON_BLOCK;
    }
    return end;
}

static bool has_non_ascii(const sl_json_scan *scan, uint32_t at, uint32_t end)
{
    while (at < end) {
        uint64_t bits = scan->blocks[at / SL_JSON_BLOCK].non_ascii >> (at % SL_JSON_BLOCK);
        if (bits) return at + (uint32_t)__builtin_ctzll(bits) < end;
        at = (at / SL_JSON_BLOCK + 1) * SL_JSON_BLOCK;
    }
    return false;
}

/* The four hexadecimal digits of an escape \uXXXX at `escape`, or -1 when it is none. */
static int32_t escaped_unit(const char *escape, const char *end)
{
    int32_t unit = 0;

    if (end - escape < 6 || escape[0] != '\\' || escape[1] != 'u') return -1;
    for (int i = 2; i < 6; i++) {
        char c = escape[i];
        int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* Bytes of the escape sequence at text + at, or 0 when it is malformed. The byte after a backslash that
 * starts an escape is always inside the string, for the closing quote is not escaped. */
static uint32_t escape_length(const char *text, uint32_t at, uint32_t end, bool *lone)
{
    switch (text[at + 1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return 2;
    case 'u': break;
    default: return 0;
    }
    int32_t unit = escaped_unit(text + at, text + end);
    if (unit < 0) return 0;
    if (unit < 0xd800 || unit > 0xdfff) return 6;
    int32_t partner = unit < 0xdc00 ? escaped_unit(text + at + 6, text + end) : -1;
    if (partner >= 0xdc00 && partner <= 0xdfff) return 12;
    *lone = true;
    return 6;
}

/* Checks the escapes of the string [at, end) and finds its flags. Returns the place of a malformed escape, or
 * end. */
static uint32_t inspect_string(const char *text, const sl_json_scan *scan, uint32_t at, uint32_t end,
                               uint8_t *flags)
{
    if (has_non_ascii(scan, at, end)) *flags |= SL_TOKEN_NON_ASCII;
    while ((at = find_backslash(scan, at, end)) < end) {
        bool lone = false;
        uint32_t len = escape_length(text, at, end, &lone);
        if (len == 0) return at;
        *flags |= (uint8_t)(SL_TOKEN_ESCAPED | (lone ? SL_TOKEN_LONE_SURROGATE : 0));
        at += len;
    }
    return end;
}

static inline void emit(indexer *ix, uint32_t off, uint32_t len, sl_json_type type, uint8_t flags)
{
    uint32_t i = ix->count++;

    ix->tok[i] = (sl_token){off, len, i + 1, ix->depth, (uint8_t)type, flags};
}

static inline bool take_string(indexer *ix, uint32_t quote, uint8_t flags)
{
    uint32_t off = quote + 1, end = next_mark(ix);

    if (SL_UNLIKELY(end >= ix->len)) return fail(ix, SL_JSON_UNTERMINATED, ix->len);
    if (SL_UNLIKELY(ix->special)) {
        uint32_t bad = inspect_string(ix->text, ix->scan, off, end, &flags);
        if (bad < end) return fail(ix, SL_JSON_BAD_ESCAPE, bad);
        ix->lone_surrogate |= (flags & SL_TOKEN_LONE_SURROGATE) != 0;
    }
    emit(ix, off, end - off, SL_JSON_STRING, flags);
    return true;
}

/* ---- numbers and literals ---------------------------------------------------------------------- */

/* A number or literal may be followed by these only; whether they fit there is for the structure to say. */
static inline bool ends_scalar(int c)
{
    switch (c) {
    case END_OF_TEXT:
    case ',':
    case '}':
    case ']':
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case ':':
    case '{':
    case '[':
    case '"': return true;
    default: return false;
    }
}

static inline uint32_t skip_digits(const indexer *ix, uint32_t at)
{
    while (at < ix->len && (unsigned char)(ix->text[at] - '0') <= 9)
        at++;
    return at;
}

/* number = [ "-" ] ( "0" / 1-9 *DIGIT ) [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "-" / "+" ] 1*DIGIT ] */
static inline bool take_number(indexer *ix, uint32_t start)
{
    uint32_t digits = start + (ix->text[start] == '-');
    uint32_t at = byte_at(ix, digits) == '0' ? digits + 1 : skip_digits(ix, digits);

    if (at == digits) return fail(ix, SL_JSON_BAD_NUMBER, at);
    if (byte_at(ix, at) == '.') {
        digits = at + 1;
        at = skip_digits(ix, digits);
        if (at == digits) return fail(ix, SL_JSON_BAD_NUMBER, at);
    }
    if ((byte_at(ix, at) | 0x20) == 'e') {
        digits = at + 1;
        if (byte_at(ix, digits) == '-' || byte_at(ix, digits) == '+') digits++;
        at = skip_digits(ix, digits);
        if (at == digits) return fail(ix, SL_JSON_BAD_NUMBER, at);
    }
    if (!ends_scalar(byte_at(ix, at))) return fail(ix, SL_JSON_BAD_NUMBER, at);
    emit(ix, start, at - start, SL_JSON_NUMBER, 0);
    return true;
}

static inline bool take_literal(indexer *ix, uint32_t start, const char *word, uint32_t len,
                                sl_json_type type)
{
    for (uint32_t i = 1; i < len; i++) {
        if (byte_at(ix, start + i) != word[i])
            return fail(ix, SL_JSON_BAD_LITERAL, start + i >= ix->len ? ix->len : start);
    }
    if (!ends_scalar(byte_at(ix, start + len))) return fail(ix, SL_JSON_BAD_LITERAL, start);
    emit(ix, start, len, type, 0);
    return true;
}

/* A value that is no container and no string. */
static inline bool take_scalar(indexer *ix, uint32_t at, int c)
{
    switch (c) {
    case '-':
    case '0' ... '9': return take_number(ix, at);
    case 't': return take_literal(ix, at, "true", 4, SL_JSON_TRUE);
    case 'f': return take_literal(ix, at, "false", 5, SL_JSON_FALSE);
    case 'n': return take_literal(ix, at, "null", 4, SL_JSON_NULL);
    case ',':
    case ':':
    case ']':
    case '}': return fail(ix, SL_JSON_BAD_STRUCTURE, at);
    case END_OF_TEXT: return fail(ix, ix->count == 0 ? SL_JSON_EMPTY : SL_JSON_UNTERMINATED, at);
    default: return fail(ix, SL_JSON_NOT_JSON, at);
    }
}

/* ---- structure --------------------------------------------------------------------------------- */

static inline bool open_container(indexer *ix, uint32_t at, sl_json_type type)
{
    if (ix->depth >= SL_JSON_MAX_DEPTH) return fail(ix, SL_JSON_TOO_DEEP, at);
    uint32_t here = ix->count;
    emit(ix, at, 0, type, 0);
    ix->tok[here].next = ix->open;
    ix->open = here;
    ix->depth++;
    return true;
}

static inline void close_container(indexer *ix, uint32_t at)
{
    sl_token *container = &ix->tok[ix->open];

    ix->open = container->next;
    ix->depth--;
    container->len = at + 1 - container->off;
    container->next = ix->count;
}

/* One value, and with it the whole text: containers are walked by going round, not by calling. */
static bool walk(indexer *ix)
{
    uint32_t at = next_mark(ix);

value:;
    int c = byte_at(ix, at);
    if (c == '"') {
        if (!take_string(ix, at, 0)) return false;
    } else if (c == '{') {
        if (!open_container(ix, at, SL_JSON_OBJECT)) return false;
        at = next_mark(ix);
        if (byte_at(ix, at) != '}') goto key;
        close_container(ix, at);
    } else if (c == '[') {
        if (!open_container(ix, at, SL_JSON_ARRAY)) return false;
        at = next_mark(ix);
        if (byte_at(ix, at) != ']') goto value;
        close_container(ix, at);
    } else if (!take_scalar(ix, at, c)) {
        return false;
    }

    for (;;) { /* behind a value */
        at = next_mark(ix);
        if (ix->open == NO_CONTAINER) return at == ix->len || fail(ix, SL_JSON_TRAILING, at);
        bool in_object = ix->tok[ix->open].type == SL_JSON_OBJECT;
        c = byte_at(ix, at);
        if (c == ',') {
            at = next_mark(ix);
            if (in_object) goto key;
            goto value;
        }
        if (c != (in_object ? '}' : ']')) return fail(ix, SL_JSON_BAD_STRUCTURE, at);
        close_container(ix, at);
    }

key:
    if (byte_at(ix, at) != '"') return fail(ix, SL_JSON_BAD_STRUCTURE, at);
    if (!take_string(ix, at, SL_TOKEN_KEY)) return false;
    at = next_mark(ix);
    if (byte_at(ix, at) != ':') return fail(ix, SL_JSON_BAD_STRUCTURE, at);
    at = next_mark(ix);
    goto value;
}

/* ---- memory ------------------------------------------------------------------------------------ */

static bool reserve_scratch(sl_tape *tape, size_t len)
{
    size_t size = sl_json_block_count(len) * sizeof(sl_json_block);

    if (SL_LIKELY(size <= tape->scratch_cap)) return true;
    sl_free(tape->scratch);
    tape->scratch = sl_try_alloc(size);
    tape->scratch_cap = tape->scratch ? size : 0;
    return tape->scratch != NULL;
}

static bool reserve_tokens(sl_tape *tape, uint32_t extra)
{
    if (SL_LIKELY(tape->tok && tape->cap - tape->len >= extra)) return true;
    uint64_t want = (uint64_t)tape->len + extra;
    uint64_t cap = want > 2 * (uint64_t)tape->cap ? want : 2 * (uint64_t)tape->cap;
    if (cap == 0) cap = 1; /* a text without any token: the tape is no null pointer all the same */
    if (cap > UINT32_MAX) cap = UINT32_MAX;
    if (cap < want) return false;
    sl_token *tok = sl_try_realloc(tape->tok, (size_t)cap * sizeof *tok);
    if (!tok) return false;
    tape->tok = tok;
    tape->cap = (uint32_t)cap;
    return true;
}

void sl_tape_release(sl_tape *tape)
{
    sl_free(tape->tok);
    sl_free(tape->scratch);
    *tape = (sl_tape){0};
}

/* ---- the whole --------------------------------------------------------------------------------- */

sl_json_result sl_json_index(sl_tape *tape, sl_span text)
{
    sl_json_result result = {SL_JSON_OK, 0, 0, false, false};

    if (text.len > SL_JSON_MAX_TEXT)
        return (sl_json_result){.error = SL_JSON_TOO_LONG, .at = SL_JSON_MAX_TEXT};
    if (!reserve_scratch(tape, text.len)) return (sl_json_result){.error = SL_JSON_NO_MEMORY};
    sl_json_scan scan = {.blocks = tape->scratch};
    sl_json_scan__run(text.ptr, text.len, &scan);
    if (!reserve_tokens(tape, scan.marks)) return (sl_json_result){.error = SL_JSON_NO_MEMORY};

    indexer ix = {.text = text.ptr,
                  .len = (uint32_t)text.len,
                  .scan = &scan,
                  .special = (scan.backslash | scan.non_ascii) != 0,
                  .marks = scan.blocks[0].structural,
                  .tok = tape->tok + tape->len,
                  .open = NO_CONTAINER};
    bool ok = walk(&ix);
    result.non_ascii = scan.non_ascii != 0;
    if (SL_UNLIKELY(scan.control_at != UINT32_MAX) && (ok || scan.control_at < ix.at))
        ok = fail(&ix, SL_JSON_CONTROL_CHARACTER, scan.control_at);
    if (!ok) {
        result.error = ix.error;
        result.at = ix.at;
        return result;
    }
    result.lone_surrogate = ix.lone_surrogate;
    result.tokens = ix.count;
    tape->len += ix.count;
    return result;
}
