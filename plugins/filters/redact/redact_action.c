/* redact_action.c: what stands in the place of a secret. Nothing of it may look like a secret again, nor
 * change when the same rules see it once more: a mask masks to itself, a hash is known by its form. */
#include "redact_int.h"

#include <openssl/evp.h>

#define HASH_BYTES  32
#define HASH_PREFIX "[hmac:"
#define HASH_MIN    8 /* characters of a hash, at least */

static sl_span arena_text(redact *r, size_t len)
{
    char *text = sl_arena_try_alloc(&r->arena, len ? len : 1);

    if (!text) r->failed = true;
    return text ? (sl_span){text, len} : SL_SPAN_NONE;
}

/* ---- mask -------------------------------------------------------------------------------------- */

static bool continues(char c)
{
    return (c & 0xc0) == 0x80;
}

/* The text as it will be once its invalid UTF-8 is repaired, which writing it does. Most text is all ASCII.
 */
static sl_span repaired(redact *r, sl_span text)
{
    bool ascii = true;

    for (size_t i = 0; i < text.len && ascii; i++)
        ascii = (unsigned char)text.ptr[i] < 0x80;
    if (ascii) return text;
    sl_span escaped = redact__escaped(r, text);
    sl_span out = arena_text(r, escaped.len);
    if (out.ptr) out.len = sl_json_unescape(escaped, (char *)out.ptr);
    return out;
}

/* A star for each hidden character; at most half of them stay readable. */
static sl_span mask(redact *r, sl_span text, uint32_t keep)
{
    sl_span secret = repaired(r, text);
    size_t characters = 0, at = 0;

    for (size_t i = 0; i < secret.len; i++)
        characters += !continues(secret.ptr[i]);
    size_t hidden = characters - (keep < characters / 2 ? keep : characters / 2);
    for (size_t seen = 0; at < secret.len; at++) {
        if (!continues(secret.ptr[at]) && seen++ == hidden) break;
    }
    sl_span out = arena_text(r, hidden + secret.len - at);
    if (!out.ptr) return out;
    memset((char *)out.ptr, '*', hidden);
    memcpy((char *)out.ptr + hidden, secret.ptr + at, secret.len - at);
    return out;
}

/* ---- hash -------------------------------------------------------------------------------------- */

static size_t write_hex(const unsigned char *bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < HASH_BYTES; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    return 2 * HASH_BYTES;
}

static size_t write_base64url(const unsigned char *bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = 0;
    unsigned have = 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < HASH_BYTES; i++) {
        bits = bits << 8 | bytes[i];
        for (have += 8; have >= 6; have -= 6)
            out[len++] = digits[bits >> (have - 6) & 63];
    }
    out[len++] = digits[bits << (6 - have) & 63];
    return len;
}

/* HMAC-SHA256 (RFC 2104) of the plain text, cut to the configured length: [hmac:0f3a…]. The context keeps the
 * key. */
static sl_span hash(redact *r, sl_span secret)
{
    unsigned char bytes[HASH_BYTES];
    char digits[2 * HASH_BYTES];
    size_t len = 0, want = r->rules->hash_length;

    if (EVP_MAC_init(r->hmac, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(r->hmac, (const unsigned char *)secret.ptr, secret.len) != 1 ||
        EVP_MAC_final(r->hmac, bytes, &len, sizeof bytes) != 1 || len != HASH_BYTES) {
        r->failed = true; /* OpenSSL has nothing but memory to run out of here */
        return SL_SPAN_NONE;
    }
    len = r->rules->hash_encoding == REDACT_HEX ? write_hex(bytes, digits) : write_base64url(bytes, digits);
    if (want > len) want = len;
    sl_span out = arena_text(r, sizeof HASH_PREFIX + want);
    if (!out.ptr) return out;
    memcpy((char *)out.ptr, HASH_PREFIX, sizeof HASH_PREFIX - 1);
    memcpy((char *)out.ptr + sizeof HASH_PREFIX - 1, digits, want);
    ((char *)out.ptr)[out.len - 1] = ']';
    return out;
}

/* Length of the hash that text begins with, or 0. */
static size_t hash_length(sl_span text)
{
    size_t at = sizeof HASH_PREFIX - 1;

    if (!sl_span_starts_with(text, SL_SPAN(HASH_PREFIX))) return 0;
    while (at < text.len && (is_alnum(text.ptr[at]) || text.ptr[at] == '-' || text.ptr[at] == '_'))
        at++;
    return at - (sizeof HASH_PREFIX - 1) >= HASH_MIN && char_at(text, at) == ']' ? at + 1 : 0;
}

bool redact_is_in_hash(sl_span text, size_t start)
{
    size_t first =
        start > 2 * HASH_BYTES + sizeof HASH_PREFIX ? start - 2 * HASH_BYTES - sizeof HASH_PREFIX : 0;

    for (size_t at = start + 1; at-- > first;) {
        size_t len = text.ptr[at] == '[' ? hash_length((sl_span){text.ptr + at, text.len - at}) : 0;
        if (len > 0) return start < at + len;
    }
    return false;
}

/* ---- the whole --------------------------------------------------------------------------------- */

sl_span redact__stand_in(redact *r, const redact_action *action, sl_span secret)
{
    switch (action->verb) {
    case REDACT_REPLACE: return action->with;
    case REDACT_MASK: return mask(r, secret, action->keep);
    case REDACT_HASH: return hash(r, secret);
    case REDACT_REMOVE: break;
    }
    return SL_SPAN("");
}

size_t redact_own_mark(const redact_action *action, sl_span text)
{
    bool with = action->verb == REDACT_REPLACE || action->verb == REDACT_MASK; /* objects can't be masked */

    if (with && action->with.len && sl_span_starts_with(text, action->with)) return action->with.len;
    return action->verb == REDACT_HASH ? hash_length(text) : 0;
}

sl_span redact__escaped(redact *r, sl_span plain)
{
    bool clean = true;

    for (size_t i = 0; i < plain.len && clean; i++)
        clean = plain.ptr[i] >= ' ' && plain.ptr[i] != '"' && plain.ptr[i] != '\\' && plain.ptr[i] != 0x7f;
    if (clean) return plain;
    sl_buf_clear(&r->scratch);
    if (plain.len > SL_MAX_RECORD_LEN || sl_buf_try_reserve(&r->scratch, 6 * plain.len + 128) != 0) {
        r->failed = true;
        return SL_SPAN_NONE;
    }
    sl_json_write_escaped(&r->scratch, plain);
    sl_span out = arena_text(r, r->scratch.len);
    if (out.ptr) memcpy((char *)out.ptr, r->scratch.ptr, out.len);
    return out;
}
