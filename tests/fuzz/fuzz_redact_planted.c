/* <secret> <nesting> <sign before> <sign behind> <text>: a secret planted in the middle of any text, in a
 * string, which may be JSON in a string in a string. It must not survive, whatever stands around it.
 */
#include "../../plugins/filters/redact/redact_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What stands in the text, and what of it must be gone. */
static const struct {
    const char *text, *secret;
} planted[] = {
    {"bob.smith@example.com", "bob.smith@example.com"},
    {"4111111111111111", "4111111111111111"},
    {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN", "eyJzdWIiOiIxMjM0In0"},
    {"Bearer mF9B5f41JqMabcdef0123456789", "mF9B5f41JqMabcdef0123456789"},
    {"Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"},
    {"AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"},
    {"-----BEGIN PRIVATE KEY-----MIIEvQIBADANBg-----END PRIVATE KEY-----", "MIIEvQIBADANBg"},
    {"DE89370400440532013000", "DE89370400440532013000"},
    {"203.0.113.77", "203.0.113.77"},
    {"2001:db8:85a3::8a2e:370:7334", "2001:db8:85a3::8a2e:370:7334"},
    {"+14155552671", "+14155552671"},
    {"123-45-6789", "123-45-6789"},
    {"postgres://app:hunter2hunter2@db", "hunter2hunter2"},
    {"password=hunter2hunter2", "hunter2hunter2"},
};
/* None of these can be a part of what it stands beside. */
static const char before[] = " \n\t,;|()<>{}", behind[] = " \n\t;()<>{}";

static redact *all_detectors(void)
{
    static int detect[] = {REDACT_DETECT_ALL};
    static redact *made;
    if (made) return made;
    redact_conf conf = {.detect = {detect, SL_LEN(detect)}, .action = {.with = SL_SPAN("[REDACTED]")}};
    sl_err err = SL_ERR_NONE;
    redact_rules *rules = redact_rules_new(&conf, &err);
    made = rules ? redact_new(rules, &err) : NULL;
    if (!made) abort();
    return made;
}

/* {"m": text}, `nesting` times in itself. */
static void nest(sl_buf *text, unsigned nesting)
{
    sl_buf json = SL_BUF_NONE;
    for (unsigned i = 0; i <= nesting; i++) {
        sl_buf_clear(&json);
        sl_buf_append_cstr(&json, "{\"m\":");
        sl_json_write_string(&json, sl_buf_span(text));
        sl_buf_append_char(&json, '}');
        sl_buf_clear(text);
        sl_buf_append_span(text, sl_buf_span(&json));
    }
    sl_buf_release(&json);
}

/* The text of {"m":text}, in the place of the object. */
static void unnest(sl_buf *json)
{
    sl_tape tape = {0};
    if (sl_json_index(&tape, sl_buf_span(json)).error != SL_JSON_OK) abort();
    if (tape.len != 3 || tape.tok[2].type != SL_JSON_STRING) abort();
    json->len = sl_json_unescape((sl_span){json->ptr + tape.tok[2].off, tape.tok[2].len}, json->ptr);
    sl_tape_release(&tape);
}

/* Looked for as it is read, not as it is spelled: "\u00123-45" holds no 123. */
static void check(sl_span json, unsigned nesting, const char *secret)
{
    sl_tape tape = {0};
    sl_buf out = SL_BUF_NONE;
    if (sl_json_index(&tape, json).error != SL_JSON_OK) abort();
    const redact_edits *edits = redact_text(all_detectors(), json, tape.tok, tape.len);
    if (!edits || redact_edits_apply(edits, json, &out) != 0) abort();
    for (unsigned i = 0; i <= nesting; i++)
        unnest(&out);
    if (sl_span_find(sl_buf_span(&out), sl_span_of(secret), 0) < out.len) abort();
    sl_buf_release(&out);
    sl_tape_release(&tape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4) return 0;
    size_t which = data[0] % SL_LEN(planted), len = size - 4;
    const char *around = (const char *)data + 4, *secret = planted[which].secret;
    if (memmem(around, len, secret, strlen(secret))) return 0;
    sl_buf text = SL_BUF_NONE;
    sl_buf_append(&text, around, len / 2);
    sl_buf_append_char(&text, before[data[2] % (sizeof before - 1)]);
    sl_buf_append_cstr(&text, planted[which].text);
    sl_buf_append_char(&text, behind[data[3] % (sizeof behind - 1)]);
    sl_buf_append(&text, around + len / 2, len - len / 2);
    unsigned nesting = data[1] % 4;
    nest(&text, nesting);
    check(sl_buf_span(&text), nesting, secret);
    sl_buf_release(&text);
    return 0;
}
