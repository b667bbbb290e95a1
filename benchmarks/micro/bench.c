/* The timing harness; see bench.h. */
#include "bench.h"

#include "bench_args.h"
#include "corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPEATS     5
#define MIN_SECONDS 0.3
#define READ_BEYOND 64

static volatile uint64_t kept; /* results of the work */

bench_corpus bench_corpus_load(const char *kind, size_t bytes)
{
    int found = corpus_kind_find(kind);
    if (found < 0) bench_usage_error("there is no corpus of kind %s", kind);
    corpus gen;
    corpus_init(&gen, (corpus_kind)found, 1, 1000);
    bench_corpus made = {.text = bench_alloc(bytes + corpus_max_record(&gen) + READ_BEYOND)};
    size_t room = bytes / 64 + 2;
    made.starts = bench_alloc(room * sizeof(uint32_t));
    char *at = made.text;
    while ((size_t)(at - made.text) < bytes && made.count + 1 < room) {
        made.starts[made.count] = (uint32_t)(at - made.text);
        at = corpus_record(&gen, made.count++, 0, at);
    }
    made.len = (size_t)(at - made.text);
    made.starts[made.count] = (uint32_t)made.len;
    memset(at, 0, READ_BEYOND);
    return made;
}

void bench_corpus_release(bench_corpus *loaded)
{
    free(loaded->text);
    free(loaded->starts);
    *loaded = (bench_corpus){0};
}

double bench_cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Seconds a round, over as many rounds as MIN_SECONDS holds. */
static double time_rounds(bench_work *work, void *context)
{
    double start = bench_cpu_seconds(), now;
    uint64_t rounds = 0;
    do {
        kept += work(context);
        rounds++;
        now = bench_cpu_seconds();
    } while (now - start < MIN_SECONDS);
    return (now - start) / (double)rounds;
}

static bench_result time_work(bench_work *work, void *context)
{
    double times[REPEATS];
    kept += work(context);
    for (int i = 0; i < REPEATS; i++)
        times[i] = time_rounds(work, context);
    qsort(times, REPEATS, sizeof(times[0]), by_value);
    return (bench_result){times[0], times[REPEATS / 2]};
}

double bench_s_per_gb(bench_result result, size_t bytes)
{
    return result.median * 1e9 / (double)bytes;
}

bench_result bench_run(const char *name, bench_work *work, void *context, size_t bytes, size_t records)
{
    return bench_run_beside(name, work, context, bytes, records, 0);
}

bench_result bench_run_beside(const char *name, bench_work *work, void *context, size_t bytes, size_t records,
                              double limit)
{
    bench_result result = time_work(work, context);
    double s_per_gb = bench_s_per_gb(result, bytes);
    printf("%-42s %10.1f %10.2f %10.3f %10.3f", name, result.median * 1e9 / (double)records, 1 / s_per_gb,
           s_per_gb, result.best * 1e9 / (double)bytes);
    if (limit > 0) printf(" %10.3f %7.2f", limit, s_per_gb / limit);
    putchar('\n');
    fflush(stdout);
    return result;
}

void bench_heading(const char *title)
{
    printf("%-42s %10s %10s %10s %10s %10s %7s\n", title, "ns/record", "GB/s", "s/GB", "best s/GB", "limit",
           "times");
}
