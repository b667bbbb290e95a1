/* The log lines every benchmark and load test reads: seeded, and the same byte for byte on every machine.
 *
 * A record depends only on (kind, seed, number), so corpora of different lengths share their beginning, and
 * the pacer writes the same records live that the generator writes to a file. Numbers start at 0 and every
 * JSON record carries its own as "n":123 (an access line as ?n=123), which is what the receiver counts by.
 *
 * Kinds:
 *   winston  JSON as the Node applications write it, about 561 bytes on average, one quarter with request
 *            headers (authorization, x-api-key, cookie), one fifth with a body (e-mail, card number, password
 *            or token).
 *   loguru   JSON as a Python application with loguru writes it, with ", " and ": " between the parts.
 *   access   Apache/nginx combined access log lines.
 *   sized    JSON records of one exact size. */
#ifndef CORPUS_H
#define CORPUS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CORPUS_MIN_SIZED 100         /* bytes; the smallest record that holds the fixed fields */
#define CORPUS_MAX_SIZED (16u << 20) /* bytes; the largest record of kind `sized` */
#define CORPUS_MAX_PLAIN 8192        /* bytes; no record of the other kinds is longer */

typedef enum { CORPUS_WINSTON, CORPUS_LOGURU, CORPUS_ACCESS, CORPUS_SIZED } corpus_kind;

/* One stream of records. Plain data owned by the caller; one thread. */
typedef struct corpus {
    corpus_kind kind;
    uint64_t seed;
    uint32_t size;  /* bytes of a record with its newline, for CORPUS_SIZED */
    FILE *canaries; /* every planted secret is written here, one a line; NULL: nowhere. Not owned. */
    int64_t cached_second;
    char second_text[19]; /* cached_second as "YYYY-MM-DD HH:mm:ss" */
} corpus;

/* Prepares `gen`. `size` counts for CORPUS_SIZED only and must lie between the limits above. */
void corpus_init(corpus *gen, corpus_kind kind, uint64_t seed, uint32_t size);

/* The kind called `name`, or -1. */
int corpus_kind_find(const char *name);

/* The most bytes corpus_record() can write for this stream. */
size_t corpus_max_record(const corpus *gen);

/* Writes record `n` with its newline at `at`, which has room for corpus_max_record() bytes; returns its end.
 * `written_ns` > 0 is the wall clock (ns since 1970): the record is dated with it and carries it as "t":<ns>,
 * for measuring latency (JSON kinds only). 0: dates advance with the number from a fixed day, no "t". */
char *corpus_record(corpus *gen, uint64_t n, int64_t written_ns, char *at);

#endif
