/* batch.c: the life of a batch, and its record table.
 *
 * An open batch belongs to one worker. It borrows its tape from a small pool, since a tape is as large as the
 * text and would otherwise be page-faulted in anew for each batch. Whoever drops the last reference of a
 * sealed batch frees it, on whatever thread that is; no other field but the counter changes after the seal.
 */
#include "record_int.h"

#include "tape_pool.h"

#define FIRST_RECORDS 64u

sl_batch *sl_batch_new(void)
{
    sl_batch *batch = sl_calloc(1, sizeof(*batch));
    batch->refs = 1;
    sl_tape_pool_take(&batch->tape);
    return batch;
}

sl_batch *sl_batch_ref(sl_batch *batch)
{
    sl_assert(batch->sealed);
    __atomic_add_fetch(&batch->refs, 1, __ATOMIC_RELAXED);
    return batch;
}

void sl_batch_unref(sl_batch *batch)
{
    if (!batch) return;
    int left = __atomic_sub_fetch(&batch->refs, 1, __ATOMIC_ACQ_REL);
    sl_assert(left >= 0);
    if (left > 0) return;
    bool text_in_arena = batch->arena.block != NULL;
    if (batch->sealed && !text_in_arena) sl_free(batch->text);
    sl_arena_release(&batch->arena);
    sl_tape_pool_give(&batch->tape);
    sl_buf_release(&batch->_scratch);
    sl_free(batch->_common);
    sl_free((char *)(uintptr_t)batch->target.ptr);
    sl_free(batch->recs);
    sl_free(batch->ids);
    sl_free(batch);
}

size_t sl_batch_held_bytes(const sl_batch *batch)
{
    bool text_in_arena = batch->arena.block != NULL;
    size_t text = text_in_arena ? batch->arena.total : batch->text_len;
    size_t ids = batch->ids ? batch->cap * sizeof(*batch->ids) : 0;
    return text + batch->cap * sizeof(*batch->recs) + ids + sizeof(*batch);
}

char *sl_batch_try_alloc(sl_batch *batch, size_t len)
{
    sl_assert(!batch->sealed);
    /* One byte more, so that the byte behind a record may always be looked at. */
    if (len == SIZE_MAX) return NULL;
    char *ptr = sl_arena_try_alloc(&batch->arena, len + 1);
    if (!ptr) return NULL;
    ptr[len] = '\0';
    if (len > batch->_buf_len) {
        batch->_buf = ptr;
        batch->_buf_len = len;
    }
    return ptr;
}

sl_span sl_batch_dup(sl_batch *batch, sl_span s)
{
    return sl_arena_dup(&batch->arena, s);
}

void sl_batch_set_target(sl_batch *batch, sl_span output)
{
    sl_assert(!batch->sealed && !batch->target.ptr);
    batch->target = (sl_span){sl_strndup(output.ptr, output.len), output.len};
}

static bool grow_table(sl_batch *batch)
{
    if (batch->cap >= SL_MAX_RECORDS) return false;
    uint32_t cap = batch->cap ? batch->cap * 2 : FIRST_RECORDS;
    sl_id *ids = batch->ids ? sl_try_realloc(batch->ids, cap * sizeof(*ids)) : NULL;
    if (batch->ids && !ids) return false;
    batch->ids = ids;
    sl_record *recs = sl_try_realloc(batch->recs, cap * sizeof(*recs));
    if (!recs) return false;
    batch->recs = recs;
    batch->cap = cap;
    return true;
}

sl_record *sl_batch_add(sl_batch *batch, sl_span text, uint16_t flags, int64_t time_ns, uint64_t origin)
{
    sl_assert(!batch->sealed && text.len <= SL_MAX_RECORD_LEN);
    if (SL_UNLIKELY(batch->count == batch->cap) && !grow_table(batch)) return NULL;
    sl_record *rec = &batch->recs[batch->count++];
    *rec = (sl_record){
        .text = text.ptr,
        .len = (uint32_t)text.len,
        .flags = flags & (uint16_t) ~(SL_RECORD_INDEXED | SL_RECORD_ID),
        .fate = SL_FATE_LIVE,
        .time_ns = time_ns,
        .origin = origin,
    };
    batch->live++;
    batch->bytes += text.len;
    return rec;
}

bool sl_batch_set_id(sl_batch *batch, sl_record *rec, sl_id id)
{
    sl_assert(!batch->sealed && rec >= batch->recs && rec < batch->recs + batch->count);
    if (!batch->ids) batch->ids = sl_try_alloc(batch->cap * sizeof(*batch->ids));
    if (!batch->ids) return false;
    batch->ids[rec - batch->recs] = id;
    rec->flags |= SL_RECORD_ID;
    return true;
}

void sl_record_set_fate(sl_batch *batch, sl_record *rec, sl_fate fate, const char *reason)
{
    bool was_live = rec->fate == SL_FATE_LIVE;
    sl_assert(!batch->sealed && fate != SL_FATE_LIVE);
    sl_assert(was_live || (rec->fate == SL_FATE_DEAD_LETTERED && fate == SL_FATE_DROPPED));
    sl_assert((reason != NULL) == (fate != SL_FATE_FILTERED));
    rec->fate = (uint8_t)fate;
    rec->drop_reason = reason;
    batch->live -= was_live;
}
