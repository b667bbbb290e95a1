/* detect_ip.c: IPv4 and IPv6 addresses (RFC 4291, 5952). Version numbers and times look much alike, so a
 * number of four parts behind a letter, or behind `name/`, is none, nor is anything with colons that is no
 * whole address. */
#include "redact_int.h"

/* ---- IPv4 -------------------------------------------------------------------------------------- */

/* Past the four parts at `at`, or `at` itself when they are not there. */
static size_t skip_ipv4(sl_span text, size_t at)
{
    size_t from = at;

    for (unsigned part = 0; part < 4; part++) {
        unsigned value = 0, len = 0;
        if (part > 0 && char_at(text, at++) != '.') return from;
        for (; len < 3 && is_digit(char_at(text, at + len)); len++)
            value = value * 10 + (unsigned)(text.ptr[at + len] - '0');
        if (len == 0 || value > 255 || (len > 1 && text.ptr[at] == '0')) return from;
        at += len;
    }
    return at;
}

/* at: the first digit behind a dot. */
bool detect_ipv4(sl_span text, size_t at, size_t *start, size_t *end)
{
    if (char_at(text, at - 1) != '.') return false;
    *start = at - 1;
    while (*start > 0 && at - *start < 5 && is_digit(text.ptr[*start - 1]))
        --*start;
    char left = char_at(text, *start - 1), before_left = char_at(text, *start - 2);
    if (is_alnum(left) || left == '.' || (left == '/' && is_letter(before_left))) return false;
    *end = skip_ipv4(text, *start);
    if (*end == *start) return false;
    char right = char_at(text, *end);
    return !is_alnum(right) && !(right == '.' && is_digit(char_at(text, *end + 1)));
}

/* ---- IPv6 -------------------------------------------------------------------------------------- */

#define IPV6_MAX 45 /* characters: eight groups, or six and an IPv4 address */

static bool is_ipv6_char(char c)
{
    return is_hex(c) || c == ':';
}

/* What has been read of an address. */
typedef struct ipv6 {
    size_t at;
    unsigned groups;
    bool gap; /* `::` was there */
} ipv6;

/* One group, or the IPv4 address at the end. */
static bool read_group(sl_span text, ipv6 *ip)
{
    unsigned len = 0;

    while (is_hex(char_at(text, ip->at + len)))
        len++;
    if (char_at(text, ip->at + len) == '.' && len <= 3) {
        size_t end = skip_ipv4(text, ip->at);
        if (end > ip->at) {
            ip->at = end;
            ip->groups += 2;
            return true;
        }
    }
    if (len == 0 || len > 4) return false;
    ip->at += len;
    ip->groups++;
    return true;
}

/* Past the address at `from`, or `from` itself. */
static size_t skip_ipv6(sl_span text, size_t from)
{
    ipv6 ip = {from, 0, false};

    if (char_at(text, from) == ':') {
        if (char_at(text, from + 1) != ':') return from;
        ip.at += 2;
        ip.gap = true;
    }
    bool more = read_group(text, &ip);
    if (!more && !ip.gap) return from;
    while (more && ip.groups < 8 && char_at(text, ip.at) == ':') {
        ipv6 next = ip;
        if (char_at(text, ++next.at) == ':') {
            if (ip.gap) return from;
            next.gap = true;
            next.at++;
            more = read_group(text, &next); /* it may end with the gap */
        } else if (!read_group(text, &next)) {
            break; /* this colon is the text's */
        }
        ip = next;
    }
    return (ip.gap && ip.groups < 8) || ip.groups == 8 ? ip.at : from;
}

/* Whether the colon at `at` ends a group of an address, and so what is behind it does not begin one. */
static bool ends_group(sl_span text, size_t at)
{
    size_t start = at;

    while (start > 0 && at - start < 5 && is_hex(text.ptr[start - 1]))
        start--;
    char left = char_at(text, start - 1);
    return left == ':' || (start < at && at - start <= 4 && !is_alnum(left) && left != '_');
}

/* at: a colon. An address is read from its front once, at its first colon. */
bool detect_ipv6(sl_span text, size_t at, size_t *start, size_t *end)
{
    *start = at;
    while (*start > 0 && at - *start < 5 && is_hex(text.ptr[*start - 1]))
        --*start;
    char left = char_at(text, *start - 1);
    if (is_alnum(left) || left == '_') return false;
    if (left == ':' && (*start == at || ends_group(text, *start - 1))) return false;
    *end = skip_ipv6(text, *start);
    if (*end - *start < 3 || *end - *start > IPV6_MAX) return false;
    char right = char_at(text, *end);
    if (is_alnum(right) || right == '_') return false;
    if (right == ':' && is_ipv6_char(char_at(text, *end + 1))) return false;
    for (size_t i = *start; i < *end; i++) {
        if (is_digit(text.ptr[i])) return true; /* Dead::Beef is a name */
    }
    return false;
}
