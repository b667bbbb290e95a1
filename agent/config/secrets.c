/* secrets.c: what looks like a secret. Errs on the side of hiding: a line shown with a hole is still useful,
 * a leaked password is not undone. */
#include "secrets.h"

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
    return c == '-' || c == ' ' ? '_' : c;
}

static bool contains(sl_span key, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= key.len; i++) {
        size_t k = 0;
        while (k < len && fold(key.ptr[i + k]) == word[k])
            k++;
        if (k == len) return true;
    }
    return false;
}

bool sl_key_is_secret(sl_span key)
{
    static const char *const words[] = {"pass",      "pwd",           "secret",   "token",      "api_key",
                                        "apikey",    "private_key",   "bearer",   "credential", "access_key",
                                        "accesskey", "authorization", "auth_key", "cookie"};
    for (size_t i = 0; i < SL_LEN(words); i++) {
        if (contains(key, words[i])) return true;
    }
    return false;
}

/* Bytes that can't stand in the user part of a URL. */
static bool ends_authority(char c)
{
    return (unsigned char)c <= ' ' || c == '/' || c == '"' || c == '\'' || c == '<' || c == '>';
}

bool sl_url_find_password(sl_span text, size_t from, size_t *start, size_t *end)
{
    for (size_t at = sl_span_find(text, SL_SPAN("://"), from); at < text.len;
         at = sl_span_find(text, SL_SPAN("://"), at + 3)) {
        size_t colon = 0, last_at = 0;
        for (size_t i = at + 3; i < text.len && !ends_authority(text.ptr[i]); i++) {
            if (text.ptr[i] == ':' && !colon) colon = i;
            if (text.ptr[i] == '@') last_at = i; /* the last one: a password may hold `@` */
        }
        if (!colon || last_at <= colon) continue;
        *start = colon + 1;
        *end = last_at;
        return true;
    }
    return false;
}

static void append_clean(sl_buf *out, sl_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        sl_buf_append_char(out, c < ' ' || c == 0x7f ? ' ' : (char)c);
    }
}

/* At most max bytes of text, not ending inside a character. */
static sl_span cut(sl_span text, size_t max)
{
    if (text.len <= max) return text;
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xC0) == 0x80)
        max--;
    return (sl_span){text.ptr, max};
}

void sl_buf_append_shown(sl_buf *out, sl_span text, size_t max)
{
    sl_span shown = cut(text, max);
    size_t at = 0, start, end;
    while (sl_url_find_password(text, at, &start, &end) && start < shown.len) {
        append_clean(out, (sl_span){text.ptr + at, start - at});
        sl_buf_append_cstr(out, SL_SECRET_SHOWN);
        at = end;
    }
    if (at < shown.len) append_clean(out, (sl_span){text.ptr + at, shown.len - at});
    if (shown.len < text.len) sl_buf_append_cstr(out, "…");
}
