/* Multi-needle search by one rare 8-byte window a needle; see needles.h. */
#include "needles.h"

#include "bench_args.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILTER_BITS 24 /* one bit a hash: 2 MiB, which stays in the L2 cache */
#define RARITY_BITS 22 /* counters of windows while loading */

typedef struct needle {
    const char *text; /* in the file's bytes */
    uint32_t len;
    uint32_t window; /* offset of the window that stands for it */
    uint32_t next;   /* in its bucket's chain, index + 1; 0 ends it */
} needle;

struct needles {
    char *file;
    needle *list;
    uint32_t count;
    uint32_t *buckets; /* index + 1 of a chain's first needle */
    uint32_t bucket_bits;
    uint8_t filter[1u << (FILTER_BITS - 3)];
};

static inline uint64_t hash_window(const char *at)
{
    uint64_t window;
    memcpy(&window, at, sizeof(window));
    return window * 0x9e3779b97f4a7c15u;
}

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "re");
    if (!file || fseek(file, 0, SEEK_END)) bench_die("opening %s failed", path);
    long size = ftell(file);
    if (size < 0) bench_die("reading %s failed", path);
    rewind(file);
    char *data = bench_alloc((uint64_t)size + 1);
    *len = fread(data, 1, (size_t)size, file);
    if (ferror(file)) bench_die("reading %s failed", path);
    fclose(file);
    data[*len] = '\n'; /* the last line may lack its end */
    return data;
}

static void split_lines(needles *set, size_t len, const char *path)
{
    uint64_t room = 0;
    for (const char *at = set->file, *end = at + len; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end + 1 - at));
        size_t line_len = (size_t)(line_end - at);
        if (line_len && line_len < NEEDLE_MIN)
            bench_usage_error("%s: a secret of %zu bytes is too short to look for; it needs %d", path,
                              line_len, NEEDLE_MIN);
        if (set->count == room) {
            room = room ? room * 2 : 1024;
            set->list = bench_realloc(set->list, room * sizeof(needle));
        }
        if (line_len) set->list[set->count++] = (needle){.text = at, .len = (uint32_t)line_len};
        at = line_end + 1;
    }
}

/* Chooses for each needle the window that the fewest needles have. */
static void choose_windows(needles *set)
{
    uint16_t *rarity = calloc(1u << RARITY_BITS, sizeof(uint16_t));
    if (!rarity) bench_die("allocating counters failed");
    for (uint32_t i = 0; i < set->count; i++)
        for (uint32_t at = 0; at + NEEDLE_MIN <= set->list[i].len; at++) {
            uint16_t *counter = &rarity[hash_window(set->list[i].text + at) >> (64 - RARITY_BITS)];
            if (*counter != UINT16_MAX) ++*counter;
        }
    for (uint32_t i = 0; i < set->count; i++) {
        needle *entry = &set->list[i];
        uint16_t best = UINT16_MAX;
        for (uint32_t at = 0; at + NEEDLE_MIN <= entry->len; at++) {
            uint16_t seen = rarity[hash_window(entry->text + at) >> (64 - RARITY_BITS)];
            if (seen < best) {
                best = seen;
                entry->window = at;
            }
        }
    }
    free(rarity);
}

static bool is_known(const needles *set, const needle *entry, uint32_t chain)
{
    for (; chain; chain = set->list[chain - 1].next) {
        const needle *other = &set->list[chain - 1];
        if (other->len == entry->len && memcmp(other->text, entry->text, entry->len) == 0) return true;
    }
    return false;
}

static void fill_table(needles *set)
{
    while ((1u << set->bucket_bits) < set->count * 2u && set->bucket_bits < 31)
        set->bucket_bits++;
    set->buckets = calloc(1u << set->bucket_bits, sizeof(uint32_t));
    if (!set->buckets) bench_die("allocating the table of secrets failed");
    for (uint32_t i = 0; i < set->count; i++) {
        needle *entry = &set->list[i];
        uint64_t hash = hash_window(entry->text + entry->window);
        uint32_t *bucket = &set->buckets[hash >> (64 - set->bucket_bits)];
        if (is_known(set, entry, *bucket)) continue;
        entry->next = *bucket;
        *bucket = i + 1;
        uint64_t bit = hash >> (64 - FILTER_BITS);
        set->filter[bit >> 3] |= (uint8_t)(1u << (bit & 7));
    }
}

needles *needles_load(const char *path)
{
    needles *set = bench_alloc(sizeof(*set));
    memset(set, 0, sizeof(*set));
    set->bucket_bits = 10;
    size_t len;
    set->file = read_file(path, &len);
    split_lines(set, len, path);
    choose_windows(set);
    fill_table(set);
    return set;
}

void needles_free(needles *set)
{
    if (!set) return;
    free(set->file);
    free(set->list);
    free(set->buckets);
    free(set);
}

/* Needles whose window stands at text + at. */
static uint64_t count_at(const needles *set, const char *text, size_t len, size_t at, uint64_t hash)
{
    uint64_t found = 0;
    for (uint32_t chain = set->buckets[hash >> (64 - set->bucket_bits)]; chain;
         chain = set->list[chain - 1].next) {
        const needle *entry = &set->list[chain - 1];
        if (entry->window > at || entry->len > len - (at - entry->window)) continue;
        found += memcmp(text + at - entry->window, entry->text, entry->len) == 0;
    }
    return found;
}

uint64_t needles_count(const needles *set, const char *text, size_t len)
{
    uint64_t found = 0;
    for (size_t at = 0; at + NEEDLE_MIN <= len; at++) {
        uint64_t hash = hash_window(text + at);
        uint64_t bit = hash >> (64 - FILTER_BITS);
        if (set->filter[bit >> 3] & (1u << (bit & 7))) found += count_at(set, text, len, at, hash);
    }
    return found;
}
