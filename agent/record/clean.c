/* clean.c: what JSON's grammar lets pass but a record must not hold: bytes that are no UTF-8, escapes of lone
 * surrogates, newlines between tokens. Found rarely; then the text is copied once and mended in the copy. */
#include "base/utf8.h"
#include "record_int.h"

bool sl_text__is_unclean(sl_span text, const sl_json_result *json)
{
    return json->lone_surrogate || memchr(text.ptr, '\n', text.len) ||
           (json->non_ascii && !sl_utf8_is_valid(text));
}

static bool is_surrogate(int32_t unit, int32_t first)
{
    return unit >= first && unit < first + 0x400;
}

/* In valid JSON a backslash is always inside a string and the start of a whole escape. The replacement is as
 * long. */
static size_t mend_surrogates(char *text, size_t len)
{
    size_t mended = 0;
    sl_span span = {text, len};
    char *at = text;
    while ((at = memchr(at, '\\', (size_t)(text + len - at))) != NULL) {
        size_t off = (size_t)(at - text);
        int32_t unit = at[1] == 'u' ? sl_text__hex4(span, off + 2) : -1;
        bool high = is_surrogate(unit, 0xD800);
        bool pair = high && off + 12 <= len && at[6] == '\\' && at[7] == 'u' &&
                    is_surrogate(sl_text__hex4(span, off + 8), 0xDC00);
        if (!pair && (high || is_surrogate(unit, 0xDC00))) {
            memcpy(at + 2, "fffd", 4);
            mended++;
        }
        at += pair ? 12 : 2;
    }
    return mended;
}

/* A copy in the arena, with *replaced bad sequences as U+FFFD. ptr NULL when memory is out. */
static sl_span copy_repaired(sl_batch *batch, sl_span text, size_t *replaced)
{
    sl_buf *buf = &batch->_scratch;
    sl_buf_clear(buf);
    if (text.len > SL_MAX_RECORD_GROWN / 3 || sl_buf_try_reserve(buf, 3 * text.len) != 0) return SL_SPAN_NONE;
    *replaced = sl_utf8_repair(buf, text);
    char *copy = sl_arena_try_alloc(&batch->arena, buf->len);
    if (copy) memcpy(copy, buf->ptr, buf->len);
    return (sl_span){copy, copy ? buf->len : 0};
}

bool sl_batch_repair_utf8(sl_batch *batch, sl_span *text, size_t *replaced)
{
    *replaced = 0;
    if (SL_LIKELY(sl_utf8_is_valid(*text))) return true;
    sl_span copy = copy_repaired(batch, *text, replaced);
    if (copy.ptr) *text = copy;
    return copy.ptr != NULL;
}

bool sl_text__clean(sl_batch *batch, sl_span *text, size_t *replaced)
{
    sl_span copy = copy_repaired(batch, *text, replaced);
    if (!copy.ptr) return false;
    char *bytes = (char *)copy.ptr;
    *replaced += mend_surrogates(bytes, copy.len);
    for (char *at = bytes; (at = memchr(at, '\n', copy.len - (size_t)(at - bytes))) != NULL;)
        *at = ' ';
    *text = copy;
    return true;
}
