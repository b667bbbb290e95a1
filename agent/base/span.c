/* span.c: looking at bytes that somebody else owns. */
#include <sluice/base.h>

static unsigned char fold(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool sl_span_is_nocase(sl_span a, sl_span b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (fold((unsigned char)a.ptr[i]) != fold((unsigned char)b.ptr[i])) return false;
    }
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

sl_span sl_span_trim(sl_span s)
{
    while (s.len && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool sl_span_starts_with(sl_span s, sl_span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool sl_span_ends_with(sl_span s, sl_span suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

size_t sl_span_find(sl_span s, sl_span needle, size_t from)
{
    if (from > s.len || needle.len > s.len - from) return s.len;
    if (needle.len == 0) return from;
    const char *hit = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
    return hit ? (size_t)(hit - s.ptr) : s.len;
}

/* Bytes that are no UTF-8 may be cut anywhere: a run of more than three continuation bytes is none. */
size_t sl_span_cut(sl_span s, size_t max)
{
    if (s.len <= max) return s.len;
    size_t len = max;
    for (int i = 0; i < 3 && len > 0 && ((unsigned char)s.ptr[len] & 0xc0) == 0x80; i++)
        len--;
    return ((unsigned char)s.ptr[len] & 0xc0) == 0x80 ? max : len;
}
