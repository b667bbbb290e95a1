/* detect_email.c: e-mail addresses as they are written (RFC 5321 and 6531), also
 * with the @ as `%40` as in URLs. The domain needs a dot and a last part that can be a top-level domain, so
 * that `root@localhost`, `lodash@4.17.21` and `logo@2x.png` are none.
 */
#include "redact_int.h"

#define MAX_LOCAL  128 /* bytes looked at before the @; addresses have 64 at most */
#define MAX_DOMAIN 255

static bool is_local(char c)
{
    return is_alnum(c) || (c & 0x80) || strchr("._%+-'", c) != NULL;
}

static size_t local_start(sl_span text, size_t at)
{
    size_t start = at;

    if (char_at(text, at - 1) == '"') { /* "bob smith"@example.com */
        for (start = at - 1; start > 0 && at - start < MAX_LOCAL && text.ptr[start - 1] != '"';)
            start--;
        return start > 0 && text.ptr[start - 1] == '"' ? start - 1 : at;
    }
    while (start > 0 && at - start < MAX_LOCAL && text.ptr[start - 1] && is_local(text.ptr[start - 1]))
        start--;
    while (start < at && strchr(".'-", text.ptr[start]))
        start++;
    return start;
}

static bool is_domain(char c)
{
    return is_alnum(c) || c == '-' || c == '.' || (c & 0x80);
}

static size_t domain_end(sl_span text, size_t at)
{
    size_t end = at;

    while (end < text.len && end - at < MAX_DOMAIN && is_domain(text.ptr[end]))
        end++;
    while (end > at && (text.ptr[end - 1] == '.' || text.ptr[end - 1] == '-'))
        end--;
    return end;
}

/* Endings of files, which image and script names with an @ have. None is a top-level domain. */
static bool is_file_ending(sl_span label)
{
    static const char endings[][8] = {"png", "jpg",  "jpeg", "gif", "svg", "webp", "ico", "css",  "js",
                                      "map", "json", "html", "htm", "tgz", "gz",   "jar", "woff", "woff2"};

    if (label.len >= sizeof endings[0]) return false;
    for (size_t i = 0; i < SL_LEN(endings); i++) {
        bool as_long = endings[i][label.len] == '\0'; /* or shorter, and then NULs differ */
        if (as_long && sl_span_is_nocase(label, (sl_span){endings[i], label.len})) return true;
    }
    return false;
}

/* Whether some label behind the first begins like a top-level domain: with two letters or with non-ASCII
 * text. */
static bool is_domain_name(sl_span domain)
{
    size_t dot = sl_span_find(domain, SL_SPAN("."), 0), last = 0;

    if (dot == 0 || domain.len == 0) return false;
    bool found = false;
    for (; dot < domain.len; dot = sl_span_find(domain, SL_SPAN("."), dot + 1)) {
        char first = char_at(domain, dot + 1), second = char_at(domain, dot + 2);
        if (first == '.') return false;
        found = found || (first & 0x80) || (is_letter(first) && is_letter(second));
        last = dot + 1;
    }
    return found && !is_file_ending((sl_span){domain.ptr + last, domain.len - last});
}

/* git@host:path, where the repository is and not who works in it. */
static bool is_repository(sl_span text, size_t start, size_t sign, size_t end)
{
    return sl_span_is((sl_span){text.ptr + start, sign - start}, SL_SPAN("git")) &&
           char_at(text, end) == ':' && is_alnum(char_at(text, end + 1));
}

bool detect_email(sl_span text, size_t at, size_t *start, size_t *end)
{
    size_t sign = at;

    if (text.ptr[at] != '@') {
        if (at < 2 || text.ptr[at] != '0' || text.ptr[at - 1] != '4' || text.ptr[at - 2] != '%') return false;
        sign = at - 2;
    }
    *start = local_start(text, sign);
    *end = domain_end(text, at + 1);
    if (is_repository(text, *start, sign, *end)) return false;
    return *start < sign && is_domain_name((sl_span){text.ptr + at + 1, *end - at - 1});
}
