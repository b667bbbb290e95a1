/* <condition> NUL <line>: parsed or refused with a column; holds the same for the open and the sealed record.
 */
#include <sluice/record.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool holds(const sl_condition *cond, sl_batch *batch)
{
    sl_reader reader = {0};
    sl_reader_set(&reader, batch, batch->recs);
    bool held = sl_condition_eval(cond, &reader);
    sl_reader_release(&reader);
    return held;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, 0, size);
    if (!end) return 0;
    sl_span text = {(const char *)data, (size_t)(end - data)};
    sl_span line = {(const char *)end + 1, size - text.len - 1};
    sl_err err = SL_ERR_NONE;
    sl_condition *cond = sl_condition_parse(text, &err);
    if (!cond) {
        if (strncmp(err.text, "column ", 7) != 0) abort();
        return 0;
    }
    sl_batch *batch = sl_batch_new();
    sl_batch_add(batch, sl_batch_dup(batch, line), SL_RECORD_RAW | SL_RECORD_OFFSET, 1, 2);
    sl_record_parse_json(batch, batch->recs);
    bool open = holds(cond, batch);
    if (sl_batch_seal(batch) != 0) abort();
    if (holds(cond, batch) != open) abort();
    sl_batch_unref(batch);
    sl_condition_free(cond);
    return 0;
}
