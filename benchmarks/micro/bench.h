/* A tiny timing harness: runs a piece of work for a while, several times, and prints what a record and a GB
 * of it cost.
 *
 * A micro benchmark is one file micro/bench_<file>.c with a main() that loads a corpus and calls bench_run()
 * for each part, or bench_run_beside() where the part has a limit (micro/bench_limits.c measures the
 * machine's). Times are processor time of the calling thread, so that others on the machine disturb little.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* A corpus in memory, its lines found. Owned; readable for 64 bytes beyond its end. */
typedef struct bench_corpus {
    char *text;
    size_t len;
    uint32_t *starts; /* of each line; starts[count] is len */
    size_t count;
} bench_corpus;

/* What a part took alone on one core of the design's machine, in s/GB of winston lines. */
#define BENCH_LIMIT_READ   0.18
#define BENCH_LIMIT_LINES  0.14
#define BENCH_LIMIT_INDEX  0.43
#define BENCH_LIMIT_REDACT 0.30 /* what redaction adds to the sum of the parts */
#define BENCH_LIMIT_ZSTD   1.33
#define BENCH_LIMIT_GZIP   3.04
#define BENCH_LIMIT_HASH   0.05
#define BENCH_LIMIT_SEND   0.25

/* Makes about `bytes` of corpus `kind` ("winston", "loguru", "access") in memory; the same every time. */
bench_corpus bench_corpus_load(const char *kind, size_t bytes);
void bench_corpus_release(bench_corpus *corpus);

/* One round of the work over `context`. What it returns is kept, so that the compiler can't leave the work
 * out. */
typedef uint64_t bench_work(void *context);

typedef struct bench_result {
    double best, median; /* processor seconds a round */
} bench_result;

/* Runs `work` once to warm up, then five times for at least 0.3 processor seconds each, and prints one row:
 * name, ns/record, GB/s, s/GB (of the median), and the best. `bytes` and `records` are those of one round. */
bench_result bench_run(const char *name, bench_work *work, void *context, size_t bytes, size_t records);

/* The same, and beside it the part's limit in s/GB and how many times it the median is. The limit is what the
 * design found for the part, or what bench_s_per_gb() says of one that was run before. */
bench_result bench_run_beside(const char *name, bench_work *work, void *context, size_t bytes, size_t records,
                              double limit);

/* The median of a round over `bytes`, in s/GB. */
double bench_s_per_gb(bench_result result, size_t bytes);

/* Prints the row's heading. */
void bench_heading(const char *title);

/* Processor seconds of the calling thread. */
double bench_cpu_seconds(void);

#endif
