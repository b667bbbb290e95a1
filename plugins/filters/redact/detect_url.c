/* detect_url.c: credentials in URLs (RFC 3986, 3.2.1). */
#include "redact_int.h"

#define TOKEN_LEN 16 /* a user without password of this length that has digits is a token */

static bool ends_authority(char c)
{
    return (unsigned char)c <= ' ' || strchr("/?#\"'<>`\\", c) != NULL;
}

/* at: the second slash of `://`. What stands between it and the last @ of the authority, when that has a
 * password or is a token. */
bool detect_url_credentials(sl_span text, size_t at, size_t *start, size_t *end)
{
    if (at < 3 || text.ptr[at - 1] != '/' || text.ptr[at - 2] != ':' || !is_alnum(text.ptr[at - 3]))
        return false;
    *start = *end = at + 1;
    for (size_t i = *start; i < text.len && !ends_authority(text.ptr[i]); i++) {
        if (text.ptr[i] == '@') *end = i;
    }
    sl_span user = {text.ptr + *start, *end - *start};
    const char *colon = user.len ? memchr(user.ptr, ':', user.len) : NULL;
    if (colon) return colon + 1 < user.ptr + user.len;
    if (user.len < TOKEN_LEN) return false;
    for (size_t i = 0; i < user.len; i++) {
        if (is_digit(user.ptr[i])) return true;
    }
    return false;
}
