/* base64.c: RFC 4648. Decoding takes the alphabets of sections 4 and 5, which differ in two digits, alike. */
#include <sluice/base.h>

void sl_buf_append_base64(sl_buf *buf, sl_span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < have ? (unsigned char)bytes.ptr[i + k] : 0u);
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63],
                        digits[bits & 63]};
        memset(four + have + 1, '=', 3 - have);
        sl_buf_append(buf, four, 4);
    }
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool sl_buf_append_unbase64(sl_buf *buf, sl_span text)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t whole = text.len;
    while (whole - text.len < 2 && text.len && text.ptr[text.len - 1] == '=')
        text.len--;
    bool padded = text.len < whole;
    if (text.len % 4 == 1 || (padded && whole % 4 != 0)) return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.ptr[i]);
        if (digit < 0) return false;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        sl_buf_append_char(buf, (char)(bits >> have & 0xff));
    }
    return true;
}
