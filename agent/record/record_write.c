/* record_write.c: a sealed record as the outputs send it, and its id. */
#include "record_int.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static void put_u64(unsigned char *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(value >> 8 * i);
}

/* The hashed bytes are fixed for ever: source hi, source lo, origin, each little-endian. */
sl_id sl_record_id(const sl_batch *batch, const sl_record *rec)
{
    if (rec->flags & SL_RECORD_ID) return batch->ids[rec - batch->recs];
    unsigned char bytes[24];
    put_u64(bytes, batch->source.hi);
    put_u64(bytes + 8, batch->source.lo);
    put_u64(bytes + 16, rec->origin);
    XXH128_hash_t hash = XXH3_128bits(bytes, sizeof(bytes));
    return (sl_id){.hi = hash.high64, .lo = hash.low64};
}

#define TIME_HEAD   "\"@timestamp\":\""
#define OFFSET_HEAD "\"offset\":"

size_t sl_batch_join_max(const sl_batch *batch)
{
    return sizeof(TIME_HEAD) + SL_TIME_TEXT_MAX + 2 + batch->common.len + 1 + sizeof(OFFSET_HEAD) +
           SL_U64_TEXT_MAX + 1;
}

void sl_record_write(const sl_batch *batch, const sl_record *rec, sl_buf *out)
{
    sl_buf_reserve(out, sl_batch_join_max(batch) + rec->len);
    size_t start = out->len;
    out->ptr[out->len++] = '{';
    if (rec->flags & SL_RECORD_TIME) {
        sl_buf_append_span(out, SL_SPAN(TIME_HEAD));
        sl_json_write_time(out, rec->time_ns);
        sl_buf_append_span(out, SL_SPAN("\","));
    }
    if ((rec->flags & SL_RECORD_COMMON) && batch->common.len > 0) {
        sl_buf_append_span(out, batch->common);
        sl_buf_append_char(out, ',');
    }
    if (rec->flags & SL_RECORD_OFFSET) {
        sl_buf_append_span(out, SL_SPAN(OFFSET_HEAD));
        sl_buf_append_u64(out, rec->origin);
        sl_buf_append_char(out, ',');
    }
    uint32_t own = 1;
    while (rec->text[own] == ' ' || rec->text[own] == '\t' || rec->text[own] == '\r')
        own++;
    if (rec->text[own] == '}' && out->len > start + 1) out->len--; /* no own fields: no comma before them */
    sl_buf_append(out, rec->text + own, rec->len - own);
}
