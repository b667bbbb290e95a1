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
