/* buf.c: a growing run of bytes. Grows by half, so that a long run of appends copies each byte a constant
 * number of times. */
#include <sluice/base.h>
#include <stdio.h>

#define BUF_FIRST 64u

static size_t grown(const sl_buf *buf, size_t extra)
{
    size_t need = buf->len + extra;
    if (need < extra) return 0;
    size_t cap = buf->cap + buf->cap / 2;
    if (cap < BUF_FIRST) cap = BUF_FIRST;
    return cap < need ? need : cap;
}

void sl_buf_release(sl_buf *buf)
{
    sl_free(buf->ptr);
    *buf = (sl_buf)SL_BUF_NONE;
}

void sl_buf_grow(sl_buf *buf, size_t extra)
{
    size_t cap = grown(buf, extra);
    if (!cap) sl_bug("a buffer of more than SIZE_MAX bytes");
    buf->ptr = sl_realloc(buf->ptr, cap);
    buf->cap = cap;
}

int sl_buf_try_reserve(sl_buf *buf, size_t extra)
{
    if (buf->cap - buf->len >= extra) return 0;
    size_t cap = grown(buf, extra);
    char *ptr = cap ? sl_try_realloc(buf->ptr, cap) : NULL;
    if (!ptr) return SL_E_NOMEM;
    buf->ptr = ptr;
    buf->cap = cap;
    return 0;
}

void sl_buf_append_cstr(sl_buf *buf, const char *text)
{
    sl_buf_append(buf, text, strlen(text));
}

void sl_buf_append_u64(sl_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    sl_buf_append(buf, digits + at, sizeof digits - at);
}

void sl_buf_printf(sl_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    size_t room = buf->cap - buf->len;
    int len = vsnprintf(buf->ptr ? buf->ptr + buf->len : NULL, room, fmt, args);
    va_end(args);
    if (len < 0) sl_bug("bad format \"%s\"", fmt);
    if ((size_t)len >= room) {
        sl_buf_reserve(buf, (size_t)len + 1);
        vsnprintf(buf->ptr + buf->len, (size_t)len + 1, fmt, again);
    }
    va_end(again);
    buf->len += (size_t)len;
}

const char *sl_buf_cstr(sl_buf *buf)
{
    sl_buf_reserve(buf, 1);
    buf->ptr[buf->len] = '\0';
    return buf->ptr;
}
