/* Counting records by number, and latencies in logarithmic buckets. */
#include "tally.h"

#include "bench_args.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define STEP_BITS 5 /* 2^5 buckets a power of two */

static void grow(tally *counts, uint64_t numbers)
{
    uint64_t words = counts->seen_words ? counts->seen_words : 1024;
    while (words * 64 < numbers)
        words *= 2;
    counts->seen = bench_realloc(counts->seen, words * sizeof(uint64_t));
    memset(counts->seen + counts->seen_words, 0, (words - counts->seen_words) * sizeof(uint64_t));
    counts->seen_words = words;
}

void tally_init(tally *counts, bool expecting, uint64_t expected)
{
    memset(counts, 0, sizeof(*counts));
    counts->expecting = expecting;
    counts->expected = expected;
    grow(counts, expecting ? expected : 0);
}

void tally_release(tally *counts)
{
    free(counts->seen);
    counts->seen = NULL;
}

void tally_number(tally *counts, uint64_t n)
{
    if (n >= TALLY_MAX_NUMBER || (counts->expecting && n >= counts->expected)) {
        counts->unexpected++;
        return;
    }
    if (n >= counts->seen_words * 64) grow(counts, n + 1);
    uint64_t bit = UINT64_C(1) << (n & 63);
    uint64_t *word = &counts->seen[n >> 6];
    if (*word & bit)
        counts->doubled++;
    else
        counts->unique++;
    *word |= bit;
    if (n >= counts->highest) counts->highest = n + 1;
}

static uint32_t bucket_of(uint64_t ns)
{
    if (ns < 1u << STEP_BITS) return (uint32_t)ns;
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(ns) - STEP_BITS;
    return ((shift + 1) << STEP_BITS) + (uint32_t)((ns >> shift) & ((1u << STEP_BITS) - 1));
}

/* The highest value that falls into a bucket. */
static uint64_t bucket_top(uint32_t bucket)
{
    if (bucket < 1u << STEP_BITS) return bucket;
    uint32_t shift = (bucket >> STEP_BITS) - 1;
    uint64_t mantissa = (bucket & ((1u << STEP_BITS) - 1)) + (1u << STEP_BITS);
    return ((mantissa + 1) << shift) - 1;
}

void tally_latency(tally *counts, int64_t ns)
{
    uint64_t value = ns > 0 ? (uint64_t)ns : 0;
    counts->latency[bucket_of(value)]++;
    counts->latency_count++;
    if (value > counts->latency_max) counts->latency_max = value;
}

uint64_t tally_quantile(const tally *counts, double quantile)
{
    uint64_t wanted = (uint64_t)((double)counts->latency_count * quantile);
    uint64_t below = 0;
    if (wanted >= counts->latency_count) return counts->latency_max;
    for (uint32_t i = 0; i < TALLY_BUCKETS; i++) {
        below += counts->latency[i];
        if (below > wanted) {
            uint64_t top = bucket_top(i);
            return top < counts->latency_max ? top : counts->latency_max;
        }
    }
    return counts->latency_max;
}

uint64_t tally_missing(const tally *counts)
{
    return (counts->expecting ? counts->expected : counts->highest) - counts->unique;
}

static double processor_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

size_t tally_format(const tally *counts, char *out, size_t room)
{
    int len = snprintf(
        out, room,
        "{\"records\":%" PRIu64 ",\"unique\":%" PRIu64 ",\"doubled\":%" PRIu64 ",\"missing\":%" PRIu64
        ",\"unexpected\":%" PRIu64 ",\"unnumbered\":%" PRIu64 ",\"malformed\":%" PRIu64
        ",\"canaries\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"wire_bytes\":%" PRIu64 ",\"requests\":%" PRIu64
        ",\"refused\":%" PRIu64 ",\"last_ns\":%" PRIi64 ",\"latency_ns\":{\"count\":%" PRIu64
        ",\"p50\":%" PRIu64 ",\"p99\":%" PRIu64 ",\"max\":%" PRIu64 "},\"cpu_seconds\":%.3f}\n",
        counts->records, counts->unique, counts->doubled, tally_missing(counts), counts->unexpected,
        counts->unnumbered, counts->malformed, counts->canaries, counts->bytes, counts->wire_bytes,
        counts->requests, counts->refused, counts->last_ns, counts->latency_count,
        tally_quantile(counts, 0.5), tally_quantile(counts, 0.99), counts->latency_max, processor_seconds());
    return (size_t)len < room ? (size_t)len : room - 1;
}
