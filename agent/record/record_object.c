/* record_object.c: records that a parser writes itself.
 *
 * Their objects stand one after another, each with a newline behind it, in pieces of the arena: an allocation
 * is paid once in some hundred records, and the seal copies them as one run.
 */
#include "record_int.h"

#define OBJECTS_PIECE (64u * 1024)

bool sl_record_object_begin(sl_batch *batch, size_t len, sl_buf *out)
{
    sl_buf *piece = &batch->_objects;
    sl_assert(!batch->sealed);
    if (len > SL_MAX_RECORD_GROWN) return false;
    if (piece->cap - piece->len < len + 1) {
        size_t size = len + 1 > OBJECTS_PIECE ? len + 1 : OBJECTS_PIECE;
        char *ptr = sl_arena_try_alloc(&batch->arena, size);
        if (!ptr) return false;
        *piece = (sl_buf){.ptr = ptr, .cap = size};
    }
    *out = (sl_buf){.ptr = piece->ptr + piece->len, .cap = len};
    return true;
}

bool sl_record_object_end(sl_batch *batch, sl_record *rec, const sl_buf *out, bool settle)
{
    sl_buf *piece = &batch->_objects;
    sl_record before = *rec;
    uint32_t count;
    sl_assert(out->ptr == piece->ptr + piece->len && out->len < piece->cap - piece->len);
    rec->text = out->ptr;
    rec->len = (uint32_t)out->len;
    rec->flags &= (uint16_t) ~(SL_RECORD_RAW | SL_RECORD_WRAPPED | SL_RECORD_INDEXED);
    rec->flags |= SL_RECORD_VALID_UTF8 | SL_RECORD_TIME;
    if (SL_UNLIKELY(settle)) {
        const sl_token *tok = sl_record_tokens(batch, rec, &count);
        if (!tok) {
            *rec = before;
            return false;
        }
        sl_record__settle_joins(batch, rec, tok);
    }
    out->ptr[out->len] = '\n';
    piece->len += out->len + 1;
    return true;
}

bool sl_batch_joins(const sl_batch *batch, sl_span name)
{
    return sl_batch__joined_by(batch, name) != 0;
}
