/* The secrets planted in the corpus, and the note taken of each. */
#include "corpus_secret.h"

static void note(const corpus_pen *pen, const char *start)
{
    FILE *canaries = pen->gen->canaries;
    if (!canaries) return;
    fwrite(start, 1, (size_t)(pen->at - start), canaries);
    fputc('\n', canaries);
}

/* Base64url without padding of `len` bytes (RFC 4648, section 5). */
static void put_base64url(corpus_pen *pen, const char *bytes, size_t len)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t left = (uint32_t)(len - i);
        uint32_t group = (uint32_t)(uint8_t)bytes[i] << 16;
        if (left > 1) group |= (uint32_t)(uint8_t)bytes[i + 1] << 8;
        if (left > 2) group |= (uint8_t)bytes[i + 2];
        uint32_t chars = left > 2 ? 4 : left + 1;
        for (uint32_t c = 0; c < chars; c++)
            *pen->at++ = alphabet[(group >> (18 - 6 * c)) & 63];
    }
}

void secret_jwt(corpus_pen *pen)
{
    char *start = pen->at;
    uint64_t issued = (uint64_t)(pen->time_ns / 1000000000);
    char claims[128] = "";
    corpus_pen text = {.at = claims};
    PEN_LIT(&text, "{\"sub\":\"u-");
    pen_u64(&text, 10000 + rng_below(pen, 90000));
    PEN_LIT(&text, "\",\"tenant\":\"t-");
    pen_u64(&text, 1 + rng_below(pen, 40));
    PEN_LIT(&text, "\",\"iat\":");
    pen_u64(&text, issued);
    PEN_LIT(&text, ",\"exp\":");
    pen_u64(&text, issued + 3600);
    PEN_LIT(&text, "}");
    PEN_LIT(pen, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."); /* {"alg":"HS256","typ":"JWT"} */
    put_base64url(pen, claims, (size_t)(text.at - claims));
    PEN_LIT(pen, ".");
    pen_base64url(pen, 43);
    note(pen, start);
}

void secret_base64url(corpus_pen *pen, size_t len)
{
    char *start = pen->at;
    pen_base64url(pen, len);
    note(pen, start);
}

void secret_hex(corpus_pen *pen, size_t len)
{
    char *start = pen->at;
    pen_hex(pen, len);
    note(pen, start);
}

static char luhn_digit(const char *digits, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++) {
        int digit = digits[count - 1 - i] - '0';
        if (i % 2 == 0) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

void secret_card(corpus_pen *pen)
{
    static const char *const prefixes[] = {"4111", "4539", "5105", "5425", "3714"};
    char *start = pen->at;
    uint32_t issuer = rng_below(pen, 5);
    int count = issuer == 4 ? 15 : 16;
    char digits[16];
    memcpy(digits, prefixes[issuer], 4);
    corpus_pen rest = {.at = digits + 4};
    pen_padded(&rest, rng_next(pen) >> 20, count - 5);
    digits[count - 1] = luhn_digit(digits, count - 1);
    char separator = " -"[rng_below(pen, 2)];
    int grouped = count == 16 && rng_below(pen, 2);
    for (int i = 0; i < count; i++) {
        if (grouped && i && i % 4 == 0) *pen->at++ = separator;
        *pen->at++ = digits[i];
    }
    note(pen, start);
}

void secret_email(corpus_pen *pen, const corpus_word *first, const corpus_word *last)
{
    static const corpus_word domains[] = {CORPUS_WORD("@example.com"), CORPUS_WORD("@mail.example.org"),
                                          CORPUS_WORD("@example.co.za"), CORPUS_WORD("@post.example.net")};
    char *start = pen->at;
    pen_word(pen, first);
    PEN_LIT(pen, ".");
    pen_word(pen, last);
    pen_u64(pen, rng_below(pen, 100000));
    CORPUS_PICK(pen, domains);
    note(pen, start);
}
