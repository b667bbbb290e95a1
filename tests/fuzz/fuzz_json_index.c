/* Any bytes: the scanners agree, the tape is well-formed, it says what a parser of others' making says, token
 * by token, and what is written of the bytes reads back. */
#include <sluice/json.h>

#include <stdlib.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tape(const sl_tape *tape, size_t size)
{
    for (uint32_t i = 0; i < tape->len; i++) {
        const sl_token *tok = &tape->tok[i];
        if ((size_t)tok->off + tok->len > size || tok->next <= i || tok->next > tape->len) abort();
        if (tok->flags & SL_TOKEN_KEY && (tok->type != SL_JSON_STRING || i + 1 >= tape->len)) abort();
    }
    if (tape->len && tape->tok[0].next != tape->len) abort();
}

static void unescape_strings(const sl_tape *tape, const char *text)
{
    for (uint32_t i = 0; i < tape->len; i++) {
        const sl_token *tok = &tape->tok[i];
        if (tok->type != SL_JSON_STRING) continue;
        char *out = malloc(tok->len + 1);
        if (sl_json_unescape((sl_span){text + tok->off, tok->len}, out) > tok->len) abort();
        free(out);
    }
}

#ifdef HAVE_JANSSON

/* ---- against jansson ---- */

/* It refuses some texts that the grammar of RFC 8259 allows: NUL in keys, lone surrogates, numbers that
 * overflow, bad UTF-8, depth. */
static bool is_beyond_grammar(const json_error_t *error)
{
    static const char *const reasons[] = {"overflow",
                                          "too big",
                                          "unable to decode byte",
                                          "invalid Unicode '",
                                          "NUL byte in object key",
                                          "maximum parsing depth"};
    for (size_t i = 0; i < SL_LEN(reasons); i++)
        if (strstr(error->text, reasons[i])) return true;
    return false;
}

static size_t decode(sl_span text, const sl_token *tok, char *out)
{
    return sl_json_unescape((sl_span){text.ptr + tok->off, tok->len}, out);
}

static void compare_string(sl_span text, const sl_token *tok, const json_t *value)
{
    char *out = malloc(tok->len + 1);
    size_t len = decode(text, tok, out);
    if (len != json_string_length(value) || memcmp(out, json_string_value(value), len) != 0) abort();
    free(out);
}

static void compare_number(sl_span text, const sl_token *tok, const json_t *value)
{
    char *spelled = strndup(text.ptr + tok->off, tok->len);
    bool real = strpbrk(spelled, ".eE") != NULL;
    if (real != json_is_real(value)) abort();
    if (real && strtod(spelled, NULL) != json_real_value(value)) abort();
    if (!real && strtoll(spelled, NULL, 10) != json_integer_value(value)) abort();
    free(spelled);
}

static void compare(sl_span text, const sl_token *tape, uint32_t at, const json_t *value);

/* Of equal keys jansson keeps the last value. */
static void compare_object(sl_span text, const sl_token *tape, uint32_t at, const json_t *value)
{
    json_t *left = json_copy((json_t *)(uintptr_t)value);
    for (uint32_t k = at + 1; k < tape[at].next; k = tape[k + 1].next) {
        char *key = malloc(tape[k].len + 1);
        key[decode(text, &tape[k], key)] = '\0';
        bool again = false;
        for (uint32_t l = tape[k + 1].next; l < tape[at].next && !again; l = tape[l + 1].next) {
            char *other = malloc(tape[l].len + 1);
            other[decode(text, &tape[l], other)] = '\0';
            again = strcmp(key, other) == 0;
            free(other);
        }
        if (!again) compare(text, tape, k + 1, json_object_get(value, key));
        if (!again && json_object_del(left, key) != 0) abort();
        free(key);
    }
    if (json_object_size(left) != 0) abort();
    json_decref(left);
}

static void compare_array(sl_span text, const sl_token *tape, uint32_t at, const json_t *value)
{
    size_t i = 0;
    for (uint32_t e = at + 1; e < tape[at].next; e = tape[e].next)
        compare(text, tape, e, json_array_get(value, i++));
    if (i != json_array_size(value)) abort();
}

static void compare(sl_span text, const sl_token *tape, uint32_t at, const json_t *value)
{
    const sl_token *tok = &tape[at];
    bool same = value != NULL;
    switch (same ? tok->type : UINT8_MAX) {
    case SL_JSON_OBJECT:
        same = json_is_object(value);
        if (same) compare_object(text, tape, at, value);
        break;
    case SL_JSON_ARRAY:
        same = json_is_array(value);
        if (same) compare_array(text, tape, at, value);
        break;
    case SL_JSON_STRING:
        same = json_is_string(value);
        if (same) compare_string(text, tok, value);
        break;
    case SL_JSON_NUMBER:
        same = json_is_number(value);
        if (same) compare_number(text, tok, value);
        break;
    case SL_JSON_TRUE: same = json_is_true(value); break;
    case SL_JSON_FALSE: same = json_is_false(value); break;
    case SL_JSON_NULL: same = json_is_null(value); break;
    default: same = false; break;
    }
    if (!same) abort();
}

static void check_against_jansson(sl_span text, const sl_tape *tape, sl_json_error ours)
{
    json_error_t error;
    if (memchr(text.ptr, '\0', text.len)) { /* the end of the text to jansson */
        if (ours == SL_JSON_OK) abort();
        return;
    }
    json_t *value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value && ours != SL_JSON_OK && ours != SL_JSON_TOO_DEEP) abort();
    if (!value && ours == SL_JSON_OK && !is_beyond_grammar(&error)) abort();
    if (value && ours == SL_JSON_OK) compare(text, tape->tok, 0, value);
    json_decref(value);
}
#endif

static void check_writing(sl_span text)
{
    sl_buf json = SL_BUF_NONE;
    sl_tape tape = {0};

    sl_json_write_string(&json, text);
    if (sl_json_index(&tape, sl_buf_span(&json)).error != SL_JSON_OK || tape.len != 1) abort();
    sl_buf_release(&json);
    sl_tape_release(&tape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const scanners[] = {"portable", "avx2", "avx512", "neon"};
    sl_span text = {(const char *)data, size};
    sl_tape first = {0}, other = {0};

    sl_json_scanner_use("portable");
    sl_json_result want = sl_json_index(&first, text);
    check_tape(&first, size);
    unescape_strings(&first, text.ptr);
    for (size_t s = 1; s < SL_LEN(scanners); s++) {
        if (sl_json_scanner_use(scanners[s]) != 0) continue;
        other.len = 0;
        sl_json_result got = sl_json_index(&other, text);
        if (got.error != want.error || got.at != want.at || got.tokens != want.tokens) abort();
        if (got.tokens && memcmp(first.tok, other.tok, got.tokens * sizeof *first.tok) != 0) abort();
    }
#ifdef HAVE_JANSSON
    check_against_jansson(text, &first, want.error);
#endif
    check_writing(text);
    sl_tape_release(&first);
    sl_tape_release(&other);
    return 0;
}
