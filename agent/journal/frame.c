/* frame.c: a sealed batch to the bytes of a frame and back (FORMAT.md, "Frame").
 *
 * Encoding compresses table and texts one after another, each in its place: the texts are not copied. The
 * result is copied once into memory of just its size, since the journal may keep it until the disk has it.
 *
 * Decoding trusts nothing: every length is bounded before memory is asked for, every column must fit what the
 * header says, and the texts must fill the payload to its last byte. The checksum of the payload is verified
 * first, so what fails later was written so.
 */
#include "format.h"

#include <zstd.h>
#include <zstd_errors.h>

#define SL_FLAGS_NOT_STORED (SL_RECORD_RAW | SL_RECORD_INDEXED)
/* A zstd block of 4 bytes can stand for 128 KiB; nothing is smaller. */
#define ZSTD_MAX_RATIO 32768u
#define ID_LEN         16

#define FASTEST_LEVEL    1
#define FASTEST_HASH_LOG 13 /* 32 KiB of positions; zstd's own choice is 14 */

struct sl_frame_coder {
    int level;
    ZSTD_CCtx *cctx; /* made at first need: readers never compress, workers never decompress */
    ZSTD_DCtx *dctx;
    sl_buf table;
    sl_buf out;
};

sl_frame_coder *sl_frame_coder_new(int level)
{
    sl_frame_coder *coder = sl_calloc(1, sizeof(*coder));
    coder->level = level;
    return coder;
}

void sl_frame_coder_free(sl_frame_coder *coder)
{
    if (!coder) return;
    ZSTD_freeCCtx(coder->cctx);
    ZSTD_freeDCtx(coder->dctx);
    sl_buf_release(&coder->table);
    sl_buf_release(&coder->out);
    sl_free(coder);
}

void sl_frame_release(sl_frame *frame)
{
    sl_buf_release(&frame->bytes);
}

sl_frame sl_frame_bare(const sl_batch *batch)
{
    return (sl_frame){.records = batch->count, .raw_bytes = sl_batch_held_bytes(batch)};
}

/* ---- encoding ---- */

static char *put_bytes(char *at, sl_span s)
{
    at = sl_put_varint(at, s.len);
    if (s.len) memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static char *put_flags(char *at, const sl_batch *batch)
{
    for (uint32_t i = 0; i < batch->count;) {
        uint16_t flags = batch->recs[i].flags & (uint16_t)~SL_FLAGS_NOT_STORED;
        uint32_t run = i;
        while (++i < batch->count && (batch->recs[i].flags & (uint16_t)~SL_FLAGS_NOT_STORED) == flags)
            ;
        at = sl_put_varint(at, i - run);
        at = sl_put_varint(at, flags);
    }
    return at;
}

/* Differences are taken modulo 2^64, so that any two times and origins have one. */
static char *put_times(char *at, const sl_batch *batch, int64_t before)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        int64_t time = batch->recs[i].time_ns;
        at = sl_put_varint(at, sl_zigzag((int64_t)((uint64_t)time - (uint64_t)before)));
        before = time;
    }
    return at;
}

static char *put_origins(char *at, const sl_batch *batch)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        at = sl_put_varint(at, sl_zigzag((int64_t)(batch->recs[i].origin - before)));
        before = batch->recs[i].origin;
    }
    return at;
}

static char *put_id(char *at, sl_id id)
{
    sl_put64(at, id.hi);
    sl_put64(at + 8, id.lo);
    return at + ID_LEN;
}

static char *put_ids(char *at, const sl_batch *batch)
{
    for (uint32_t i = 0; batch->ids && i < batch->count; i++)
        if (batch->recs[i].flags & SL_RECORD_ID) at = put_id(at, batch->ids[i]);
    return at;
}

static size_t table_max(const sl_batch *batch)
{
    /* lengths up to 5 bytes, a flag run of 3 + 3, times and origins 10 each */
    return ID_LEN + 2 * SL_VARINT_MAX + batch->common.len + batch->target.len +
           (size_t)batch->count * (5 + 6 + 2 * SL_VARINT_MAX + (batch->ids ? ID_LEN : 0));
}

static void write_table(const sl_batch *batch, const sl_frame_header *hdr, sl_buf *out)
{
    char *at = out->ptr;
    at = put_id(at, batch->source);
    at = put_bytes(at, batch->common);
    at = put_bytes(at, batch->target);
    for (uint32_t i = 0; i < batch->count; i++)
        at = sl_put_varint(at, batch->recs[i].len);
    at = put_flags(at, batch);
    at = put_times(at, batch, hdr->first_time);
    at = put_origins(at, batch);
    at = put_ids(at, batch);
    out->len = (size_t)(at - out->ptr);
}

static int measure(const sl_batch *batch, sl_frame_header *hdr, sl_err *err)
{
    *hdr = (sl_frame_header){.records = batch->count,
                             .version = batch->ids ? SL_FRAME_WITH_IDS : SL_FORMAT_VERSION};
    if (batch->text_len > SL_MAX_FRAME_RAW - table_max(batch) || table_max(batch) > SL_MAX_FRAME_RAW)
        return sl_err_set(err, SL_E_LIMIT,
                          "a batch of %zu bytes is too large for a frame of the journal (limit %u)",
                          batch->text_len, SL_MAX_FRAME_RAW);
    if (batch->target.len > SL_MAX_TARGET)
        return sl_err_set(err, SL_E_LIMIT, "an output's name of %zu bytes is too long (limit %u)",
                          batch->target.len, SL_MAX_TARGET);
    for (uint32_t i = 0; i < batch->count; i++) {
        const sl_record *rec = &batch->recs[i];
        if (rec->len > SL_MAX_RECORD_LEN)
            return sl_err_set(err, SL_E_LIMIT, "a record of %u bytes is too large for the journal (limit %u)",
                              rec->len, SL_MAX_RECORD_LEN);
        if (i == 0 || rec->time_ns < hdr->first_time) hdr->first_time = rec->time_ns;
        if (i == 0 || rec->time_ns > hdr->last_time) hdr->last_time = rec->time_ns;
    }
    return 0;
}

/* At the fastest level the table of matches is halved, so that it stays in a processor's first cache: a
 * tenth faster for a hundredth of the ratio (texts of 561 bytes in batches of 256 KiB). */
static bool make_compressor(sl_frame_coder *coder)
{
    if (!(coder->cctx = ZSTD_createCCtx())) return false;
    ZSTD_CCtx_setParameter(coder->cctx, ZSTD_c_compressionLevel, coder->level);
    if (coder->level == FASTEST_LEVEL) ZSTD_CCtx_setParameter(coder->cctx, ZSTD_c_hashLog, FASTEST_HASH_LOG);
    return true;
}

/* Appends one zstd frame. False: out of memory, the only thing that can fail with room for the bound. */
static bool compress(sl_frame_coder *coder, const char *ptr, size_t len)
{
    sl_buf *out = &coder->out;
    if (sl_buf_try_reserve(out, ZSTD_compressBound(len)) != 0) return false;
    size_t n = ZSTD_compress2(coder->cctx, out->ptr + out->len, out->cap - out->len, ptr, len);
    if (ZSTD_isError(n)) return false;
    out->len += n;
    return true;
}

static bool write_payload(sl_frame_coder *coder, const sl_batch *batch, sl_frame_header *hdr)
{
    sl_buf *out = &coder->out;
    size_t raw_len = coder->table.len + batch->text_len;
    hdr->raw_len = (uint32_t)raw_len;
    out->len = SL_FRAME_HEADER;
    hdr->codec = SL_CODEC_ZSTD;
    if (coder->level != 0) {
        if (!compress(coder, coder->table.ptr, coder->table.len)) return false;
        if (batch->text_len && !compress(coder, batch->text, batch->text_len)) return false;
        if (out->len - SL_FRAME_HEADER < raw_len) return true;
    }
    hdr->codec = SL_CODEC_STORED;
    out->len = SL_FRAME_HEADER;
    if (sl_buf_try_reserve(out, raw_len) != 0) return false;
    sl_buf_append(out, coder->table.ptr, coder->table.len);
    sl_buf_append(out, batch->text, batch->text_len);
    return true;
}

static bool encode_into_scratch(sl_frame_coder *coder, const sl_batch *batch, sl_frame_header *hdr)
{
    if (coder->level != 0 && !coder->cctx && !make_compressor(coder)) return false;
    coder->table.len = coder->out.len = 0;
    if (sl_buf_try_reserve(&coder->table, table_max(batch)) != 0) return false;
    if (sl_buf_try_reserve(&coder->out, SL_FRAME_HEADER) != 0) return false;
    write_table(batch, hdr, &coder->table);
    if (!write_payload(coder, batch, hdr)) return false;
    size_t payload_len = coder->out.len - SL_FRAME_HEADER;
    hdr->payload_len = (uint32_t)payload_len;
    hdr->payload_sum = sl_format__sum(coder->out.ptr + SL_FRAME_HEADER, payload_len, 0);
    sl_frame_header__encode(hdr, 0, coder->out.ptr);
    return true;
}

/* A single huge batch must not make the scratch huge for ever. */
static void trim_scratch(sl_buf *buf)
{
    if (buf->cap > (4u << 20)) sl_buf_release(buf);
}

int sl_frame_encode(sl_frame_coder *coder, const sl_batch *batch, sl_frame *out, sl_err *err)
{
    sl_assert(batch->sealed && batch->count <= SL_MAX_RECORDS);
    *out = (sl_frame){.records = batch->count, .raw_bytes = batch->bytes};
    sl_frame_header hdr;
    int rc = measure(batch, &hdr, err);
    if (rc < 0) return rc;
    if (encode_into_scratch(coder, batch, &hdr) && sl_buf_try_reserve(&out->bytes, coder->out.len) == 0)
        sl_buf_append_span(&out->bytes, sl_buf_span(&coder->out));
    else
        rc = sl_err_set(err, SL_E_NOMEM, "out of memory for the journal's frame of a batch of %zu bytes",
                        batch->text_len);
    trim_scratch(&coder->table);
    trim_scratch(&coder->out);
    return rc;
}

/* ---- decoding ---- */

typedef struct cursor {
    const char *at, *end;
} cursor;

static bool get_bytes(cursor *c, size_t max, sl_span *out)
{
    uint64_t len;
    c->at = c->at ? sl_get_varint(c->at, c->end, &len) : NULL;
    if (!c->at || len > max || len > (size_t)(c->end - c->at)) return false;
    *out = (sl_span){c->at, (size_t)len};
    c->at += len;
    return true;
}

/* Where each column begins, found by stepping over the ones before. */
typedef struct columns {
    cursor lengths, flags, times, origins, ids;
    const char *texts;
} columns;

static bool skip_varints(cursor *c, uint32_t count, uint64_t max, uint64_t *sum)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t v;
        if (!(c->at = sl_get_varint(c->at, c->end, &v)) || v > max) return false;
        if (sum) *sum += v;
    }
    return true;
}

static bool skip_flags(cursor *c, uint32_t count, uint64_t *with_id)
{
    while (count) {
        uint64_t run, flags;
        if (!(c->at = sl_get_varint(c->at, c->end, &run)) || run == 0 || run > count) return false;
        if (!(c->at = sl_get_varint(c->at, c->end, &flags)) || flags > UINT16_MAX) return false;
        if (flags & SL_RECORD_ID) *with_id += run;
        count -= (uint32_t)run;
    }
    return true;
}

static bool find_columns(cursor c, const sl_frame_header *hdr, columns *out)
{
    uint32_t count = hdr->records;
    uint64_t text_len = 0, with_id = 0;
    out->lengths = c;
    if (!skip_varints(&c, count, SL_MAX_RECORD_LEN, &text_len)) return false;
    out->flags = c;
    if (!skip_flags(&c, count, &with_id)) return false;
    out->times = c;
    if (!skip_varints(&c, count, UINT64_MAX, NULL)) return false;
    out->origins = c;
    if (!skip_varints(&c, count, UINT64_MAX, NULL)) return false;
    out->ids = c;
    if (hdr->version < SL_FRAME_WITH_IDS) with_id = 0;
    if (with_id > (uint64_t)(c.end - c.at) / ID_LEN) return false;
    c.at += with_id * ID_LEN;
    out->texts = c.at;
    return text_len + count == (uint64_t)(c.end - c.at);
}

static inline uint64_t next_varint(cursor *c)
{
    uint64_t v = 0;
    c->at = sl_get_varint(c->at, c->end, &v);
    return v;
}

static sl_id get_id(const char *at)
{
    return (sl_id){sl_get64(at), sl_get64(at + 8)};
}

/* The columns have been walked once: no varint in them is bad. */
static int add_records(sl_batch *batch, columns *cols, const sl_frame_header *hdr)
{
    const char *text = cols->texts;
    uint64_t time = (uint64_t)hdr->first_time, origin = 0, run = 0;
    uint16_t flags = 0;
    for (uint32_t i = 0; i < hdr->records; i++, run--) {
        if (run == 0) {
            run = next_varint(&cols->flags);
            flags = (uint16_t)next_varint(&cols->flags) & (uint16_t)~SL_FLAGS_NOT_STORED;
        }
        size_t len = (size_t)next_varint(&cols->lengths);
        time += (uint64_t)sl_unzigzag(next_varint(&cols->times));
        origin += (uint64_t)sl_unzigzag(next_varint(&cols->origins));
        if (len < 2 || text[0] != '{' || text[len - 1] != '}' || text[len] != '\n') return SL_E_CORRUPT;
        sl_record *rec = sl_batch_add(batch, (sl_span){text, len}, flags, (int64_t)time, origin);
        if (!rec) return SL_E_NOMEM;
        if (SL_UNLIKELY(flags & SL_RECORD_ID) && hdr->version >= SL_FRAME_WITH_IDS) {
            if (!sl_batch_set_id(batch, rec, get_id(cols->ids.at))) return SL_E_NOMEM;
            cols->ids.at += ID_LEN;
        }
        text += len + 1;
    }
    return 0;
}

static int read_payload(sl_batch *batch, const char *raw, const sl_frame_header *hdr)
{
    cursor c = {raw, raw + hdr->raw_len};
    sl_span common, target;
    if (hdr->raw_len < ID_LEN) return SL_E_CORRUPT;
    batch->source = get_id(raw);
    c.at += ID_LEN;
    if (!get_bytes(&c, SL_MAX_COMMON_LEN, &common) || !get_bytes(&c, SL_MAX_TARGET, &target))
        return SL_E_CORRUPT;
    if (sl_batch_set_common(batch, common) != 0) return SL_E_CORRUPT;
    if (target.len) sl_batch_set_target(batch, target);
    columns cols;
    if (!find_columns(c, hdr, &cols)) return SL_E_CORRUPT;
    int rc = add_records(batch, &cols, hdr);
    if (rc == 0) rc = sl_batch_seal(batch);
    if (rc == 0) batch->sequence = hdr->sequence;
    return rc;
}

/* The payload's own bytes, decompressed where needed, in the batch's arena; the seal keeps them as its text.
 */
static int unpack(sl_frame_coder *coder, const sl_frame_header *hdr, const char *payload, char *raw)
{
    if (hdr->codec == SL_CODEC_STORED) {
        if (hdr->raw_len != hdr->payload_len) return SL_E_CORRUPT;
        memcpy(raw, payload, hdr->raw_len);
        return 0;
    }
    if (!coder->dctx && !(coder->dctx = ZSTD_createDCtx())) return SL_E_NOMEM;
    size_t n = ZSTD_decompressDCtx(coder->dctx, raw, hdr->raw_len, payload, hdr->payload_len);
    if (ZSTD_isError(n))
        return ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation ? SL_E_NOMEM : SL_E_CORRUPT;
    return n == hdr->raw_len ? 0 : SL_E_CORRUPT;
}

static int check_frame(const sl_frame_header *hdr, sl_span bytes, sl_err *err)
{
    if (!hdr->readable)
        return sl_err_set(err, SL_E_VERSION,
                          "the frame is of format version %u, which this agent does not know", hdr->version);
    const char *payload = bytes.ptr + SL_FRAME_HEADER;
    if (sl_frame_header__total(hdr) != bytes.len || hdr->raw_len / ZSTD_MAX_RATIO > hdr->payload_len ||
        sl_format__sum(payload, hdr->payload_len, 0) != hdr->payload_sum)
        return sl_err_set(err, SL_E_CORRUPT, "the frame's checksum or length is wrong");
    return 0;
}

int sl_frame_decode(sl_frame_coder *coder, sl_span bytes, sl_batch **out, sl_err *err)
{
    sl_frame_header hdr;
    if (!sl_frame_header__parse(bytes.ptr, bytes.len, &hdr))
        return sl_err_set(err, SL_E_CORRUPT, "these bytes are no frame");
    int rc = check_frame(&hdr, bytes, err);
    if (rc < 0) return rc;
    sl_batch *batch = sl_batch_new();
    char *raw = sl_batch_try_alloc(batch, hdr.raw_len);
    rc = raw ? unpack(coder, &hdr, bytes.ptr + SL_FRAME_HEADER, raw) : SL_E_NOMEM;
    if (rc == 0) rc = read_payload(batch, raw, &hdr);
    if (rc == 0) {
        *out = batch;
        return 0;
    }
    sl_batch_unref(batch);
    if (rc == SL_E_NOMEM) return sl_err_set(err, rc, "out of memory for a frame of %u bytes", hdr.raw_len);
    return sl_err_set(err, rc, "the frame's checksum is right but its payload can't be read");
}
