/* utf8.c: checking and repairing UTF-8.
 *
 * Log text is mostly ASCII, so runs of it are skipped sixteen bytes at a time; the rest is judged sequence by
 * sequence with the ranges of the second byte that RFC 3629, section 4, gives for each first byte.
 */
#include "base/utf8.h"

#define TOPS UINT64_C(0x8080808080808080)

size_t sl_utf8_ascii_prefix(const char *text, size_t len)
{
    size_t at = 0;

    for (; len - at >= 16; at += 16) {
        uint64_t pair[2];
        memcpy(pair, text + at, sizeof pair);
        if ((pair[0] | pair[1]) & TOPS) break;
    }
    if (at > 0 && at < len && len - at < 16) { /* the last sixteen, some of them again */
        uint64_t pair[2];
        memcpy(pair, text + len - 16, sizeof pair);
        if (!((pair[0] | pair[1]) & TOPS)) return len;
    }
    while (at < len && (unsigned char)text[at] < 0x80)
        at++;
    return at;
}

/* How many continuation bytes follow a first byte, and the range of the first of them. */
typedef struct lead {
    uint8_t more, low, high;
} lead;

static inline lead lead_of(unsigned char c)
{
    if (c >= 0xc2 && c <= 0xdf) return (lead){1, 0x80, 0xbf};
    if (c == 0xe0) return (lead){2, 0xa0, 0xbf}; /* below: overlong */
    if (c == 0xed) return (lead){2, 0x80, 0x9f}; /* above: surrogates */
    if (c >= 0xe1 && c <= 0xef) return (lead){2, 0x80, 0xbf};
    if (c == 0xf0) return (lead){3, 0x90, 0xbf}; /* below: overlong */
    if (c >= 0xf1 && c <= 0xf3) return (lead){3, 0x80, 0xbf};
    if (c == 0xf4) return (lead){3, 0x80, 0x8f}; /* above: beyond U+10FFFF */
    return (lead){0, 0, 0};
}

int sl_utf8_sequence(const char *text, size_t len)
{
    const unsigned char *byte = (const unsigned char *)text;

    if (byte[0] < 0x80) return 1;
    lead is = lead_of(byte[0]);
    if (is.more == 0 || len < 2 || byte[1] < is.low || byte[1] > is.high) return -1;
    for (int i = 2; i <= is.more; i++) {
        if ((size_t)i >= len || (byte[i] & 0xc0) != 0x80) return -i;
    }
    return is.more + 1;
}

bool sl_utf8_is_valid(sl_span text)
{
    size_t at = 0;

    while (at < text.len) {
        at += sl_utf8_ascii_prefix(text.ptr + at, text.len - at);
        while (at < text.len && (unsigned char)text.ptr[at] >= 0x80) {
            int len = sl_utf8_sequence(text.ptr + at, text.len - at);
            if (len < 0) return false;
            at += (size_t)len;
        }
    }
    return true;
}

size_t sl_utf8_repair(sl_buf *out, sl_span text)
{
    size_t at = 0, kept = 0, replaced = 0; /* [kept, at): good and not copied yet */

    while (at < text.len) {
        at += sl_utf8_ascii_prefix(text.ptr + at, text.len - at);
        if (at >= text.len) break;
        int len = sl_utf8_sequence(text.ptr + at, text.len - at);
        if (len > 0) {
            at += (size_t)len;
            continue;
        }
        sl_buf_append(out, text.ptr + kept, at - kept);
        sl_buf_append(out, SL_UTF8_REPLACEMENT, SL_UTF8_REPLACEMENT_LEN);
        at += (size_t)-len;
        kept = at;
        replaced++;
    }
    sl_buf_append(out, text.ptr + kept, at - kept);
    return replaced;
}

size_t sl_utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if ((code_point >= 0xd800 && code_point <= 0xdfff) || code_point > 0x10ffff) code_point = 0xfffd;
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}
