/* Any bytes: the scanners agree, the tape is well-formed, and what is written of the bytes reads back. */
#include <sluice/json.h>

#include <stdlib.h>

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
    check_writing(text);
    sl_tape_release(&first);
    sl_tape_release(&other);
    return 0;
}
