/* Matching filter_path patterns against the few paths a bulk answer can have. */
#include "filter_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAX_FILTER 1024 /* bytes of a filter_path that are looked at */

static const struct {
    const char *name; /* below items.<operation>. when it is a part of an item */
    unsigned part;
} leaves[] = {
    {"took", ANSWER_TOOK},          {"errors", ANSWER_ERRORS},         {"_index", ANSWER_ITEM_INDEX},
    {"_id", ANSWER_ITEM_ID},        {"_version", ANSWER_ITEM_VERSION}, {"result", ANSWER_ITEM_RESULT},
    {"status", ANSWER_ITEM_STATUS},
};

static const char *const operations[] = {"create", "index", "update", "delete"};

/* One name against one pattern with '*'. */
static bool matches_name(const char *pattern, size_t pattern_len, const char *name, size_t name_len)
{
    size_t at = 0, star = pattern_len, resume = 0;
    for (size_t i = 0; i < name_len;) {
        if (at < pattern_len && pattern[at] == '*') {
            star = at++;
            resume = i;
        } else if (at < pattern_len && pattern[at] == name[i]) {
            at++;
            i++;
        } else if (star < pattern_len) {
            at = star + 1;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (at < pattern_len && pattern[at] == '*')
        at++;
    return at == pattern_len;
}

/* A pattern of names against a path of names; a pattern that ends early takes all below. */
static bool matches_path(const char *pattern, size_t pattern_len, const char *path)
{
    if (pattern_len == 0) return true;
    if (*path == '\0') return false;
    const char *dot = memchr(pattern, '.', pattern_len);
    size_t name_len = dot ? (size_t)(dot - pattern) : pattern_len;
    const char *rest = dot ? dot + 1 : pattern + pattern_len;
    size_t rest_len = pattern_len - (size_t)(rest - pattern);
    size_t part_len = strcspn(path, ".");
    const char *below = path + part_len + (path[part_len] == '.');
    if (name_len == 2 && memcmp(pattern, "**", 2) == 0)
        return matches_path(rest, rest_len, path) || matches_path(pattern, pattern_len, below);
    return matches_name(pattern, name_len, path, part_len) && matches_path(rest, rest_len, below);
}

static unsigned parts_of_pattern(const char *pattern, size_t len)
{
    unsigned parts = 0;
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        if (!(leaves[i].part & ANSWER_ITEMS)) {
            if (matches_path(pattern, len, leaves[i].name)) parts |= leaves[i].part;
            continue;
        }
        for (size_t op = 0; op < sizeof(operations) / sizeof(operations[0]); op++) {
            char path[64];
            snprintf(path, sizeof(path), "items.%s.%s", operations[op], leaves[i].name);
            if (matches_path(pattern, len, path)) parts |= leaves[i].part;
        }
    }
    return parts;
}

/* Copies a query value with %2C and %2A put back; returns its length. */
static size_t unescape(const char *in, size_t len, char *out)
{
    size_t made = 0;
    for (size_t i = 0; i < len && made < MAX_FILTER; i++) {
        bool escaped = in[i] == '%' && i + 2 < len && in[i + 1] == '2';
        char last = escaped ? (char)(in[i + 2] | 0x20) : 0;
        if (last == 'c' || last == 'a') {
            out[made++] = last == 'c' ? ',' : '*';
            i += 2;
        } else {
            out[made++] = in[i];
        }
    }
    return made;
}

static unsigned parts_of_filter(const char *filter, size_t len)
{
    unsigned included = 0, excluded = 0;
    bool includes = false;
    for (size_t at = 0; at < len;) {
        const char *comma = memchr(filter + at, ',', len - at);
        size_t pattern_len = comma ? (size_t)(comma - filter) - at : len - at;
        if (pattern_len && filter[at] == '-') {
            excluded |= parts_of_pattern(filter + at + 1, pattern_len - 1);
        } else if (pattern_len) {
            includes = true;
            included |= parts_of_pattern(filter + at, pattern_len);
        }
        at += pattern_len + 1;
    }
    return (includes ? included : ANSWER_ALL) & ~excluded;
}

unsigned filter_path_parts(const char *query, size_t len)
{
    static const char name[] = "filter_path=";
    for (size_t at = 0; at < len;) {
        const char *and = memchr(query + at, '&', len - at);
        size_t end = and? (size_t)(and-query) : len;
        if (end - at >= sizeof(name) - 1 && memcmp(query + at, name, sizeof(name) - 1) == 0) {
            char filter[MAX_FILTER] = "";
            at += sizeof(name) - 1;
            return parts_of_filter(filter, unescape(query + at, end - at, filter));
        }
        at = end + 1;
    }
    return ANSWER_ALL;
}
