/* <codec: even stored, odd zstd; 2: with ids> <records> <payload>: under a header whose sums are right, so that the
 * decoder itself is reached; and the whole input as it is. Whatever decodes is a sealed batch that can be
 * written and encoded again to the same.
 */
#include "journal/format.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_batch(sl_frame_coder *coder, sl_batch *batch)
{
    sl_frame frame;
    sl_batch *again;
    sl_buf out = SL_BUF_NONE;
    for (uint32_t i = 0; i < batch->count; i++)
        sl_record_write(batch, &batch->recs[i], &out);
    sl_buf_release(&out);
    if (sl_frame_encode(coder, batch, &frame, NULL) != 0) abort();
    if (sl_frame_decode(coder, sl_buf_span(&frame.bytes), &again, NULL) != 0) abort();
    if (again->count != batch->count || again->text_len != batch->text_len) abort();
    if (batch->text_len && memcmp(again->text, batch->text, batch->text_len) != 0) abort();
    for (uint32_t i = 0; i < batch->count; i++) {
        const sl_record *was = &batch->recs[i], *is = &again->recs[i];
        if (is->time_ns != was->time_ns || is->origin != was->origin || is->flags != was->flags) abort();
        if (sl_record_id(again, is).lo != sl_record_id(batch, was).lo) abort();
    }
    sl_batch_unref(again);
    sl_frame_release(&frame);
}

static void decode(sl_frame_coder *coder, sl_span bytes)
{
    sl_batch *batch;
    sl_err err = SL_ERR_NONE;
    int rc = sl_frame_decode(coder, bytes, &batch, &err);
    if (rc != 0 && !err.text[0]) abort();
    if (rc != 0) return;
    check_batch(coder, batch);
    sl_batch_unref(batch);
}

static void decode_under_header(sl_frame_coder *coder, const uint8_t *data, size_t size)
{
    sl_frame_header hdr = {
        .codec = data[0] & 1, .records = data[1], .sequence = 1, .payload_len = (uint32_t)(size - 2)};
    if (data[0] & 2) hdr.version = SL_FRAME_WITH_IDS;
    hdr.raw_len = hdr.codec ? 1u << 16 : hdr.payload_len;
    /* a stored payload has one right length; of a compressed one the first bytes tell it, or it is wrong */
    if (hdr.codec && size > 4) hdr.raw_len = sl_get16((const char *)data + 2);
    hdr.payload_sum = sl_format__sum(data + 2, size - 2, 0);
    char *bytes = malloc(SL_FRAME_HEADER + size - 2);
    if (!bytes) return;
    sl_frame_header__encode(&hdr, 0, bytes);
    memcpy(bytes + SL_FRAME_HEADER, data + 2, size - 2);
    decode(coder, (sl_span){bytes, SL_FRAME_HEADER + size - 2});
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_frame_coder *coder = sl_frame_coder_new(1);
    decode(coder, (sl_span){(const char *)data, size});
    if (size > 2) decode_under_header(coder, data, size);
    sl_frame_coder_free(coder);
    return 0;
}
