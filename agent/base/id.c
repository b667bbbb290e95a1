/* id.c: 128-bit names, as text and from chance. */
#include <errno.h>
#include <sluice/base.h>
#include <sys/random.h>

static void format_half(uint64_t half, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 15; i >= 0; i--) {
        out[i] = digits[half & 15];
        half >>= 4;
    }
}

void sl_id_format(sl_id id, char out[SL_ID_TEXT_LEN])
{
    format_half(id.hi, out);
    format_half(id.lo, out + 16);
}

static const char short_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 128 bits, the highest first, in 21 digits of 6 bits and one of 2 bits and four zeros. */
void sl_id_format_short(sl_id id, char out[SL_ID_SHORT_LEN])
{
    const char *digits = short_digits;
    for (int i = 0; i < 10; i++)
        out[i] = digits[id.hi >> (58 - 6 * i) & 63];
    out[10] = digits[(id.hi << 2 | id.lo >> 62) & 63];
    for (int i = 0; i < 10; i++)
        out[11 + i] = digits[id.lo >> (56 - 6 * i) & 63];
    out[21] = digits[id.lo << 4 & 63];
}

bool sl_id_parse_short(sl_span text, sl_id *id)
{
    if (text.len != SL_ID_SHORT_LEN) return false;
    uint64_t hi = 0, lo = 0;
    for (size_t i = 0; i < SL_ID_SHORT_LEN; i++) {
        const char *digit = text.ptr[i] ? strchr(short_digits, text.ptr[i]) : NULL;
        if (!digit) return false;
        uint64_t value = (uint64_t)(digit - short_digits);
        bool last = i == SL_ID_SHORT_LEN - 1; /* two bits of it count */
        if (last && value & 15) return false;
        int bits = last ? 2 : 6;
        hi = hi << bits | lo >> (64 - bits);
        lo = lo << bits | (last ? value >> 4 : value);
    }
    *id = (sl_id){hi, lo};
    return true;
}

sl_id sl_id_random(void)
{
    sl_id id;
    ssize_t got;
    do {
        got = getrandom(&id, sizeof id, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof id) sl_bug("the kernel gave no random bytes");
    return id;
}
