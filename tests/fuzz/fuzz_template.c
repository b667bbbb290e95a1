/* <template> NUL <line>: parsed or refused with a column; writes the same from the open and the sealed
 * record, or nothing. */
#include <sluice/record.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int write(const sl_template *tpl, sl_batch *batch, sl_buf *out)
{
    sl_reader reader = {0};
    sl_reader_set(&reader, batch, batch->recs);
    int res = sl_template_write(tpl, &reader, out);
    if (res != 0 && out->len != 0) abort();
    sl_reader_release(&reader);
    return res;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, 0, size);
    if (!end) return 0;
    sl_span text = {(const char *)data, (size_t)(end - data)};
    sl_span line = {(const char *)end + 1, size - text.len - 1};
    sl_err err = SL_ERR_NONE;
    sl_template *tpl = sl_template_parse(text, &err);
    if (!tpl) {
        if (strncmp(err.text, "column ", 7) != 0) abort();
        return 0;
    }
    sl_batch *batch = sl_batch_new();
    sl_batch_add(batch, sl_batch_dup(batch, line), SL_RECORD_RAW, 1714566896789000000, 2);
    sl_record_parse_json(batch, batch->recs);
    sl_buf open = SL_BUF_NONE, sealed = SL_BUF_NONE;
    int res = write(tpl, batch, &open);
    if (sl_batch_seal(batch) != 0) abort();
    if (write(tpl, batch, &sealed) != res || !sl_span_is(sl_buf_span(&open), sl_buf_span(&sealed))) abort();
    sl_buf_release(&open);
    sl_buf_release(&sealed);
    sl_batch_unref(batch);
    sl_template_free(tpl);
    return 0;
}
