/* What the receiver counts: records by their running number (each once, doubled, missing), bytes, latency.
 *
 * Plain data, one thread. The bitmap has one bit a number, so 100 million records cost 12.5 MB. */
#ifndef TALLY_H
#define TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TALLY_MAX_NUMBER                                                                                     \
    (UINT64_C(1) << 33)         /* numbers from here on count as unexpected; bounds the bitmap to 1 GiB */
#define TALLY_BUCKETS (64 * 32) /* latency: 32 steps a power of two, so a quantile is right to 3.2 % */

typedef struct tally {
    bool expecting;    /* `expected` was given */
    uint64_t expected; /* numbers 0 .. expected-1 must come, each once */
    uint64_t *seen;    /* the bitmap; owned */
    uint64_t seen_words;
    uint64_t highest;    /* highest number seen + 1 */
    uint64_t records;    /* documents received */
    uint64_t unique;     /* expected numbers seen at least once */
    uint64_t doubled;    /* documents whose number had been seen */
    uint64_t unexpected; /* documents numbered beyond `expected` or the limit */
    uint64_t unnumbered; /* documents without a number */
    uint64_t malformed;  /* documents that are not one object on one line */
    uint64_t requests;   /* bulk requests answered with 200 */
    uint64_t refused;    /* requests answered with an error */
    uint64_t bytes;      /* bulk bodies, decompressed */
    uint64_t wire_bytes; /* bulk bodies as they came */
    int64_t last_ns;     /* wall clock of the last bulk request answered with 200; 0: none */
    uint64_t canaries;   /* secrets found in bulk bodies */
    uint64_t latency_count;
    uint64_t latency_max; /* ns */
    uint64_t latency[TALLY_BUCKETS];
} tally;

/* Prepares for `expected` records, or any number of them when !expecting. */
void tally_init(tally *counts, bool expecting, uint64_t expected);
void tally_release(tally *counts);

/* Counts a record numbered `n`. */
void tally_number(tally *counts, uint64_t n);

/* Counts the way of one record, in ns; clocks set back count as 0. */
void tally_latency(tally *counts, int64_t ns);

/* The latency that the share `quantile` (0..1) of the records did not exceed, in ns; 0 without records. */
uint64_t tally_quantile(const tally *counts, double quantile);

/* Records expected (without --check: below the highest number seen) that never came. */
uint64_t tally_missing(const tally *counts);

/* Writes everything as one line of JSON with the process's own processor time; returns the length written,
 * which is below `room`. `room` of 1024 bytes is enough. */
size_t tally_format(const tally *counts, char *out, size_t room);

#endif
