/* Any JSON, and any text as a string in JSON: what the filter makes of it is valid JSON, its edits are in
 * order, and a second pass changes nothing; every form of marking finds the same. The first byte chooses the
 * action. */
#include "../../plugins/filters/redact/redact_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ACTIONS 4

static redact *instance(unsigned action)
{
    static redact *made[ACTIONS];
    static int detect[] = {REDACT_DETECT_ALL};
    static redact_key_conf keys[] = {
        {.match = SL_SPAN("default")}, {.match = SL_SPAN("a.b")}, {.match = SL_SPAN("x-*")}};
    static sl_span except[] = {SL_SPAN("keep")};

    if (made[action]) return made[action];
    redact_conf conf = {
        .keys = {keys, SL_LEN(keys)},
        .except = {except, SL_LEN(except)},
        .detect = {detect, SL_LEN(detect)},
        .action = {.with = SL_SPAN("[REDACTED]"), .mask = 4, .verb = (int)action, .verb_set = true},
        .hash = {.key = SL_SPAN("0123456789abcdef"), .length = 16}};
    sl_err err = SL_ERR_NONE;
    redact_rules *rules = redact_rules_new(&conf, &err);
    made[action] = rules ? redact_new(rules, &err) : NULL;
    if (!made[action]) abort();
    return made[action];
}

/* Redacts text, valid JSON, into out. Returns whether anything changed. */
static bool pass(redact *r, sl_span text, sl_buf *out)
{
    sl_tape tape = {0};

    if (sl_json_index(&tape, text).error != SL_JSON_OK) abort();
    const redact_edits *edits = redact_text(r, text, tape.tok, tape.len);
    if (!edits) abort();
    for (uint32_t i = 1; i < edits->count; i++) {
        if (edits->items[i].off < edits->items[i - 1].off + edits->items[i - 1].len) abort();
    }
    if (redact_edits_apply(edits, text, out) != 0) abort();
    bool changed = !sl_span_is(text, sl_buf_span(out));
    sl_tape_release(&tape);
    return changed;
}

static void check(redact *r, sl_span text)
{
    sl_buf once = SL_BUF_NONE, twice = SL_BUF_NONE;

    pass(r, text, &once);
    if (pass(r, sl_buf_span(&once), &twice)) abort();
    sl_buf_release(&once);
    sl_buf_release(&twice);
}

/* Every form of marking sets the same bits. */
static void compare_marks(sl_span text, uint32_t detect)
{
    static const char *const forms[] = {"avx2", "avx512", "neon"};
    size_t words = redact_marks_size(text.len);
    uint64_t *want = sl_calloc(words, sizeof *want), *got = sl_calloc(words, sizeof *got);

    redact_marks__portable(text.ptr, text.len, detect, want);
    for (size_t i = 0; i < SL_LEN(forms); i++) {
        redact_marker marker = redact_marker_named(forms[i]);
        if (!marker) continue;
        marker(text.ptr, text.len, detect, got);
        if (memcmp(want, got, words * sizeof *want) != 0) abort();
    }
    sl_free(want);
    sl_free(got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_tape tape = {0};
    sl_buf wrapped = SL_BUF_NONE;

    if (size < 1) return 0;
    redact *r = instance(data[0] % ACTIONS);
    sl_span text = {(const char *)data + 1, size - 1};
    bool json = sl_json_index(&tape, text).error == SL_JSON_OK && tape.tok[0].type <= SL_JSON_ARRAY;
    if (json) check(r, text);
    compare_marks(text, REDACT_DEFAULT_DETECT);
    compare_marks(text, (UINT32_C(1) << REDACT_DETECTOR_COUNT) - 1);
    compare_marks(text, (uint32_t)size * UINT32_C(2654435761));
    sl_buf_append_cstr(&wrapped, "{\"m\":");
    sl_json_write_string(&wrapped, text);
    sl_buf_append_cstr(&wrapped, ",\"n\":[1,{\"x-y\":2}]}");
    check(r, sl_buf_span(&wrapped));
    sl_tape_release(&tape);
    sl_buf_release(&wrapped);
    return 0;
}
