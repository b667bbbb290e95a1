/* seal.c: makes an open batch immutable: all texts one after another, each followed by '\n'.
 *
 * Records that nobody edited and that already lie so behind each other (as lines in a read buffer do) are a
 * run, and a run is copied as one. When the whole batch is one run that fills most of the arena, nothing is
 * copied at all.
 *
 * Until everything is written nothing is changed but the index, which is given up first: a failure for lack
 * of memory leaves the batch as it was, and the seal can be tried again. Meanwhile tape_len holds each
 * record's new length.
 */
#include "record_int.h"

#include "tape_pool.h"

typedef struct plan {
    size_t size;             /* bytes of the sealed text; an estimate when there are raw lines */
    bool one_run;            /* all live records are untouched and lie back to back */
    const char *first, *end; /* of that run */
} plan;

static bool is_untouched(const sl_record *rec)
{
    return !(rec->flags & SL_RECORD_RAW) && !rec->splices;
}

static bool follows(const char *end, const sl_record *rec)
{
    return rec->text == end + 1 && *end == '\n';
}

/* Returns false when a record would grow beyond all bounds. */
static bool make_plan(sl_batch *batch, plan *p)
{
    *p = (plan){.one_run = true};
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (rec->fate != SL_FATE_LIVE) continue;
        uint64_t len = rec->splices ? sl_record__spliced_len(rec) : rec->len;
        if (len > SL_MAX_RECORD_GROWN) return false;
        rec->flags &= (uint16_t)~SL_RECORD_INDEXED;
        rec->tape_len = (uint32_t)len;
        p->size += len + 1;
        if (rec->flags & SL_RECORD_RAW) p->size += SL_WRAP_MAX + len / 8;
        if (!is_untouched(rec) || (p->first && !follows(p->end, rec))) p->one_run = false;
        if (!p->first) p->first = rec->text;
        p->end = rec->text + rec->len;
    }
    return true;
}

/* A line whose wrapping would put a name beside an equal common one becomes an object first; edits settle the
 * rest. */
static int settle_wrapped_names(sl_batch *batch)
{
    bool clash = sl_batch__joined_by(batch, SL_NAME_MESSAGE) || sl_batch__joined_by(batch, SL_NAME_TRUNCATED);
    if (!clash) return 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (rec->fate != SL_FATE_LIVE || !(rec->flags & SL_RECORD_RAW)) continue;
        uint32_t tokens;
        if (!sl_record_tokens(batch, rec, &tokens)) return SL_E_NOMEM;
    }
    return 0;
}

/* The read buffer may become the text when it holds the whole run, and little else is in the arena. */
static bool can_keep_buffer(const sl_batch *batch, const plan *p)
{
    if (!p->one_run || !p->first || !batch->_buf) return false;
    const char *buf_end = batch->_buf + batch->_buf_len;
    if (p->first < batch->_buf || p->end > buf_end || *p->end != '\n') return false;
    return p->size >= batch->arena.total - batch->arena.total / 4;
}

static int copy_run(sl_buf *out, const char *from, const char *end)
{
    size_t len = (size_t)(end - from);
    if (sl_buf_try_reserve(out, len + 1) != 0) return SL_E_NOMEM;
    memcpy(out->ptr + out->len, from, len);
    out->len += len;
    out->ptr[out->len++] = '\n';
    return 0;
}

static int copy_changed(sl_record *rec, sl_buf *out, uint32_t *repaired)
{
    size_t start = out->len;
    bool raw = rec->flags & SL_RECORD_RAW;
    size_t room = raw ? 6 * (size_t)rec->len + SL_WRAP_MAX : rec->tape_len;
    if (sl_buf_try_reserve(out, room + 1) != 0) return SL_E_NOMEM;
    if (raw) {
        *repaired += sl_record__wrap(rec, out);
        rec->tape_len = (uint32_t)(out->len - start);
    } else {
        sl_record__apply_splices(rec, out->ptr + start, rec->tape_len);
        out->len += rec->tape_len;
    }
    out->ptr[out->len++] = '\n';
    return 0;
}

static int copy_texts(sl_batch *batch, sl_buf *out, uint32_t *repaired)
{
    uint32_t i = 0;
    while (i < batch->count) {
        sl_record *rec = &batch->recs[i++];
        if (rec->fate != SL_FATE_LIVE) continue;
        if (!is_untouched(rec)) {
            if (copy_changed(rec, out, repaired) != 0) return SL_E_NOMEM;
            continue;
        }
        const char *run = rec->text, *end = run + rec->len;
        for (; i < batch->count; i++) {
            rec = &batch->recs[i];
            if (rec->fate != SL_FATE_LIVE || !is_untouched(rec) || !follows(end, rec)) break;
            end = rec->text + rec->len;
        }
        if (copy_run(out, run, end) != 0) return SL_E_NOMEM;
    }
    return 0;
}

/* Points the live records into the new text and closes the gaps that the others leave in the table. */
static void settle_table(sl_batch *batch)
{
    const char *at = batch->text;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record rec = batch->recs[i];
        if (rec.fate != SL_FATE_LIVE) continue;
        if (rec.flags & SL_RECORD_RAW) rec.flags |= SL_RECORD_TIME | SL_RECORD_VALID_UTF8;
        rec.flags &= (uint16_t)~SL_RECORD_RAW;
        rec.text = at;
        rec.len = rec.tape_len;
        rec.tape_at = rec.tape_len = 0;
        rec.splices = NULL;
        at += (size_t)rec.len + 1;
        if (batch->ids) batch->ids[kept] = batch->ids[i];
        batch->recs[kept++] = rec;
    }
    sl_assert(kept == batch->live);
    batch->count = kept;
    batch->text_len = (size_t)(at - batch->text);
    batch->bytes = batch->text_len - kept;
    sl_record *recs = sl_try_realloc(batch->recs, (kept ? kept : 1) * sizeof(*recs));
    if (recs) {
        batch->recs = recs;
        batch->cap = kept ? kept : 1;
    }
    sl_id *ids = batch->ids ? sl_try_realloc(batch->ids, batch->cap * sizeof(*ids)) : NULL;
    if (ids) batch->ids = ids;
}

static void free_editing_memory(sl_batch *batch, bool keep_arena)
{
    if (!keep_arena) sl_arena_release(&batch->arena);
    sl_tape_pool_give(&batch->tape);
    sl_buf_release(&batch->_scratch);
    batch->source_name = SL_SPAN_NONE;
    batch->_buf = NULL;
    batch->_buf_len = 0;
    batch->_objects = (sl_buf)SL_BUF_NONE;
}

int sl_batch_seal(sl_batch *batch)
{
    sl_assert(!batch->sealed);
    plan p;
    if (settle_wrapped_names(batch) != 0 || !make_plan(batch, &p)) return SL_E_NOMEM;
    bool keep = can_keep_buffer(batch, &p);
    sl_buf out = SL_BUF_NONE;
    if (!keep && p.size > 0) {
        out = (sl_buf){.ptr = sl_try_alloc(p.size), .cap = p.size};
        uint32_t repaired = 0;
        if (!out.ptr || copy_texts(batch, &out, &repaired) != 0) {
            sl_buf_release(&out);
            return SL_E_NOMEM;
        }
        batch->repaired += repaired;
        char *exact = out.cap > out.len + out.len / 16 ? sl_try_realloc(out.ptr, out.len) : NULL;
        if (exact) out.ptr = exact;
    }
    batch->text = keep ? (char *)p.first : out.ptr;
    settle_table(batch);
    free_editing_memory(batch, keep);
    batch->sealed = true;
    return 0;
}
