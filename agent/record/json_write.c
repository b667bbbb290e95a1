/* json_write.c: writing JSON strings, numbers and times, and reading strings back.
 *
 * Every line that is not parsed goes through sl_json_write_escaped(), and a line of JSON has a quote every
 * seven bytes. So the common bytes, quotes and backslashes included, are copied by an escaper without a
 * branch a byte, and only control characters and non-ASCII text come here one by one.
 */
#include "base/civil.h"
#include "base/utf8.h"
#include "record/json_escape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ESCAPE_CHUNK 4096 /* bytes escaped between two looks at the buffer's room */

/* ---- strings ----------------------------------------------------------------------------------- */

static void write_control(sl_buf *buf, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

    if (letters[c]) {
        const char escape[2] = {'\\', letters[c]};
        sl_buf_append(buf, escape, sizeof escape);
    } else {
        const char escape[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        sl_buf_append(buf, escape, sizeof escape);
    }
}

/* Writes what stopped the escaper: control characters and non-ASCII text in front. Returns the bytes taken.
 */
static size_t write_special(sl_buf *buf, const char *text, size_t len, size_t *replaced)
{
    size_t at = 0;

    while (at < len) {
        unsigned char c = (unsigned char)text[at];
        if (c >= 0x80) {
            int sequence = sl_utf8_sequence(text + at, len - at);
            if (sequence > 0) {
                sl_buf_append(buf, text + at, (size_t)sequence);
                at += (size_t)sequence;
            } else {
                sl_buf_append(buf, SL_UTF8_REPLACEMENT, SL_UTF8_REPLACEMENT_LEN);
                at += (size_t)-sequence;
                ++*replaced;
            }
        } else if (c < 0x20) {
            write_control(buf, c);
            at++;
        } else {
            break;
        }
    }
    return at;
}

size_t sl_json_write_escaped(sl_buf *buf, sl_span text)
{
    size_t at = 0, replaced = 0;

    while (at < text.len) {
        size_t chunk = text.len - at < ESCAPE_CHUNK ? text.len - at : ESCAPE_CHUNK;
        sl_buf_reserve(buf, 2 * chunk + SL_JSON_ESCAPE_SLACK);
        sl_json_escaped done = sl_json_escape__run(text.ptr + at, chunk, buf->ptr + buf->len);
        buf->len += done.written;
        at += done.taken;
        if (done.taken < chunk) at += write_special(buf, text.ptr + at, text.len - at, &replaced);
    }
    return replaced;
}

size_t sl_json_write_string(sl_buf *buf, sl_span text)
{
    sl_buf_append_char(buf, '"');
    size_t replaced = sl_json_write_escaped(buf, text);
    sl_buf_append_char(buf, '"');
    return replaced;
}

static uint32_t hex_digit(char c)
{
    return c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
}

static uint32_t hex_unit(const char *digits)
{
    return hex_digit(digits[0]) << 12 | hex_digit(digits[1]) << 8 | hex_digit(digits[2]) << 4 |
           hex_digit(digits[3]);
}

/* Decodes the valid escape \uXXXX at text, with its partner if it is the first of a pair. Returns the bytes
 * taken. */
static size_t decode_unit(const char *text, size_t len, uint32_t *code_point)
{
    uint32_t unit = hex_unit(text + 2);

    *code_point = unit;
    if (unit < 0xd800 || unit > 0xdbff || len < 12 || text[6] != '\\' || text[7] != 'u') return 6;
    uint32_t low = hex_unit(text + 8);
    if (low < 0xdc00 || low > 0xdfff) return 6;
    *code_point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

size_t sl_json_unescape(sl_span text, char *out)
{
    static const char plain[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    size_t at = 0, written = 0;

    while (at < text.len) {
        const char *slash = memchr(text.ptr + at, '\\', text.len - at);
        size_t run = (slash ? (size_t)(slash - text.ptr) : text.len) - at;
        memmove(out + written, text.ptr + at, run); /* out may be text itself */
        at += run;
        written += run;
        if (!slash) break;
        if (text.ptr[at + 1] == 'u') {
            uint32_t code_point;
            at += decode_unit(text.ptr + at, text.len - at, &code_point);
            written += sl_utf8_encode(code_point, out + written);
        } else {
            out[written++] = plain[(unsigned char)text.ptr[at + 1]];
            at += 2;
        }
    }
    return written;
}

/* ---- numbers and times ------------------------------------------------------------------------- */

void sl_json_write_i64(sl_buf *buf, int64_t value)
{
    if (value < 0) {
        sl_buf_append_char(buf, '-');
        sl_buf_append_u64(buf, 0 - (uint64_t)value);
    } else {
        sl_buf_append_u64(buf, (uint64_t)value);
    }
}

void sl_json_write_double(sl_buf *buf, double value)
{
    char text[320]; /* 24 are used; the compiler assumes any precision */

    if (!isfinite(value)) {
        sl_buf_append_cstr(buf, "null");
        return;
    }
    /* More digits read back at least as near, so the fewest that suffice are found by halving. 17 always do.
     */
    int low = 1, high = 17;
    while (low < high) {
        int middle = (low + high) / 2;
        snprintf(text, sizeof text, "%.*g", middle, value);
        if (strtod(text, NULL) == value)
            high = middle;
        else
            low = middle + 1;
    }
    snprintf(text, sizeof text, "%.*g", low, value);
    sl_buf_append_cstr(buf, text);
}

static char *put_digits(char *out, uint32_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + width;
}

void sl_json_write_time(sl_buf *buf, int64_t ns)
{
    sl_civil c = sl_civil_from_ns(ns);
    uint32_t fraction = (uint32_t)c.ns;

    sl_buf_reserve(buf, 30);
    char *out = buf->ptr + buf->len;
    out = put_digits(out, (uint32_t)c.year, 4);
    *out++ = '-';
    out = put_digits(out, c.month, 2);
    *out++ = '-';
    out = put_digits(out, c.day, 2);
    *out++ = 'T';
    out = put_digits(out, c.hour, 2);
    *out++ = ':';
    out = put_digits(out, c.minute, 2);
    *out++ = ':';
    out = put_digits(out, c.second, 2);
    *out++ = '.';
    if (fraction % 1000)
        out = put_digits(out, fraction, 9);
    else if (fraction % 1000000)
        out = put_digits(out, fraction / 1000, 6);
    else
        out = put_digits(out, fraction / 1000000, 3);
    *out++ = 'Z';
    buf->len = (size_t)(out - buf->ptr);
}
