/* quoted.c: quoted strings in paths, conditions and templates. */
#include "base/utf8.h"
#include "record_int.h"

static void append_utf8(sl_buf *out, uint32_t code_point)
{
    char bytes[4] = {0};
    size_t len = sl_utf8_encode(code_point, bytes);
    sl_buf_append(out, bytes, len);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int32_t sl_text__hex4(sl_span text, size_t at)
{
    int32_t value = 0;
    for (size_t i = at; i < at + 4; i++) {
        int digit = i < text.len ? hex_digit(text.ptr[i]) : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* \uXXXX at `at` (its backslash), a pair of surrogates as one character. Returns its length, 0 when it is
 * none. */
static size_t unescape_unicode(sl_span text, size_t at, sl_buf *out)
{
    int32_t high = sl_text__hex4(text, at + 2);
    if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF)) return 0;
    if (high < 0xD800 || high > 0xDBFF) {
        append_utf8(out, (uint32_t)high);
        return 6;
    }
    if (at + 8 > text.len || text.ptr[at + 6] != '\\' || text.ptr[at + 7] != 'u') return 0;
    int32_t low = sl_text__hex4(text, at + 8);
    if (low < 0xDC00 || low > 0xDFFF) return 0;
    append_utf8(out, 0x10000 + ((uint32_t)(high - 0xD800) << 10) + (uint32_t)(low - 0xDC00));
    return 12;
}

/* One escape at `at` (its backslash). Returns its length, 0 when there is no such escape. */
static size_t unescape(sl_span text, size_t at, sl_buf *out)
{
    static const char names[] = "\"'\\/bfnrt", bytes[] = "\"'\\/\b\f\n\r\t";
    char c = at + 1 < text.len ? text.ptr[at + 1] : '\0';
    if (c == 'u') return unescape_unicode(text, at, out);
    const char *name = c ? strchr(names, c) : NULL;
    if (!name) return 0;
    sl_buf_append_char(out, bytes[name - names]);
    return 2;
}

const char *sl_text__unquote(sl_span text, sl_escapes escapes, sl_buf *out, size_t *used)
{
    char quote = text.ptr[0];
    size_t at = 1;
    while (at < text.len && text.ptr[at] != quote) {
        char c = text.ptr[at];
        *used = at;
        if (c != '\\') {
            sl_buf_append_char(out, c);
            at++;
        } else if (escapes == SL_ESCAPES_REGEX) {
            if (at + 1 >= text.len) break;
            if (text.ptr[at + 1] != quote) sl_buf_append_char(out, c);
            sl_buf_append_char(out, text.ptr[at + 1]);
            at += 2;
        } else {
            size_t len = unescape(text, at, out);
            if (len == 0) return "unknown escape; known are \\\" \\' \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX";
            at += len;
        }
    }
    *used = 0;
    if (at >= text.len) return "this quote is not closed";
    *used = at + 1;
    return NULL;
}
