/* A letter as the journal holds it, and any bytes as a record that becomes one. The first: nothing, or a
 * batch that can be sealed and written. The second: what comes back is what was put in.
 */
#include "base/utf8.h"
#include "delivery/dead_letter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_letter(sl_span text, sl_tape *tape)
{
    sl_batch *batch = sl_dead_letter_parse(text, 1, tape);
    if (!batch) return;
    sl_buf out = SL_BUF_NONE;
    if (batch->count != 1 || !batch->target.len) abort();
    if (sl_batch_seal(batch) != 0) abort();
    sl_record_write(batch, batch->recs, &out);
    tape->len = 0;
    if (sl_json_index(tape, sl_buf_span(&out)).error != SL_JSON_OK) abort();
    if (tape->tok[0].type != SL_JSON_OBJECT) abort();
    sl_buf_release(&out);
    sl_batch_unref(batch);
}

/* As a line, whatever it is; as an object when it is one. */
static void there_and_back(sl_span record, sl_tape *tape)
{
    tape->len = 0;
    bool object = sl_json_index(tape, record).error == SL_JSON_OK && tape->tok[0].type == SL_JSON_OBJECT;
    sl_buf text = SL_BUF_NONE, error = SL_BUF_NONE;
    sl_buf_append_span(&error, record);
    sl_dead_letter letter = {.output = "search",
                             .reason = "rejected",
                             .first_error = sl_buf_cstr(&error),
                             .last_error = NULL,
                             .source = {1, 2},
                             .origin = UINT64_MAX,
                             .record = record,
                             .raw = !object};
    sl_dead_letter_format(&letter, &text);
    sl_batch *batch = sl_dead_letter_parse(sl_buf_span(&text), 1, tape);
    if (!batch || batch->source.lo != 2 || batch->recs[0].origin != UINT64_MAX) abort();
    sl_span back = {batch->recs[0].text, batch->recs[0].len};
    if (object && !sl_span_is(back, sl_span_trim(record))) abort();
    if (!object && sl_utf8_is_valid(record) && !sl_span_is(back, record)) abort();
    sl_batch_unref(batch);
    sl_buf_release(&text);
    sl_buf_release(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_span text = {(const char *)data, size};
    sl_tape tape = {0};
    read_letter(text, &tape);
    there_and_back(text, &tape);
    sl_tape_release(&tape);
    return 0;
}
