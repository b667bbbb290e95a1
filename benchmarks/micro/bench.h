/* A tiny timing harness: runs a piece of work for a while, several times, and prints what a record and a GB
 * of it cost.
 *
 * A micro benchmark is one file micro/bench_<file>.c with a main() that loads a corpus, calls bench_run() for
 * each part, and prints beside it the part's limit on the machine, where there is one (micro/bench_limits.c
 * measures those). Times are processor time of the calling thread, so that others on the machine disturb
 * little. */
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

/* Prints the row's heading. */
void bench_heading(const char *title);

/* Processor seconds of the calling thread. */
double bench_cpu_seconds(void);

#endif
