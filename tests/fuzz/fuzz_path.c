/* <path> NUL <JSON>: any path finds, sets and removes in any record, and what is sealed is JSON again. */
#include <sluice/record.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sl_batch *batch_of(sl_span line)
{
    sl_batch *batch = sl_batch_new();
    if (sl_batch_set_common(batch, SL_SPAN("\"file\":\"/a\",\"k\":{\"p\":1}")) != 0) abort();
    sl_batch_add(batch, sl_batch_dup(batch, line), SL_RECORD_RAW | SL_RECORD_COMMON | SL_RECORD_OFFSET, 1, 2);
    sl_record_parse_json(batch, batch->recs);
    return batch;
}

/* One line, a JSON object, also as it is written. */
static void check_sealed(sl_batch *batch)
{
    sl_tape tape = {0};
    sl_buf out = SL_BUF_NONE;
    if (sl_batch_seal(batch) != 0) abort();
    sl_record *rec = batch->recs;
    if (memchr(rec->text, '\n', rec->len)) abort();
    sl_record_write(batch, rec, &out);
    if (sl_json_index(&tape, sl_buf_span(&out)).error != SL_JSON_OK) abort();
    if (tape.tok[0].type != SL_JSON_OBJECT) abort();
    sl_buf_release(&out);
    sl_tape_release(&tape);
    sl_batch_unref(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, 0, size);
    if (!end) return 0;
    sl_span text = {(const char *)data, (size_t)(end - data)};
    sl_span line = {(const char *)end + 1, size - text.len - 1};
    sl_err err = SL_ERR_NONE;
    sl_path *path = sl_path_parse(text, &err);
    if (!path) {
        if (strncmp(err.text, "column ", 7) != 0) abort();
        return 0;
    }
    sl_buf scratch = SL_BUF_NONE;
    sl_value value;

    sl_batch *batch = batch_of(line);
    int res = sl_record_set(batch, batch->recs, path, SL_SPAN("{\"set\":[1]}"));
    bool found = sl_record_get(batch, batch->recs, path, &scratch, &value);
    if (res == 0 && (!found || !sl_span_is_cstr(value.text, "{\"set\":[1]}"))) abort();
    if (res != 0 && res != SL_E_NOT_FOUND) abort();
    check_sealed(batch);

    batch = batch_of(line);
    found = sl_record_get(batch, batch->recs, path, &scratch, &value);
    bool removed = sl_record_remove(batch, batch->recs, path);
    if (found && !removed) abort();
    check_sealed(batch);

    sl_buf_release(&scratch);
    sl_path_free(path);
    return 0;
}
