/* The JSON scanner on the winston corpus, record by record: the first stage alone, the whole index, and
 * escaping a line as a string, for every scanner that the processor has. */
#include "bench.h"
#include "bench_args.h"

#include "record/json_escape.h"
#include "record/json_scan.h"

#include <stdio.h>
#include <stdlib.h>

#define CORPUS_BYTES (64u << 20)
#define LONGEST      65536 /* bytes; longer than any record of the corpus */

typedef struct work {
    bench_corpus corpus;
    sl_tape tape;
    sl_json_block *blocks;
    char *escaped;
} work;

static sl_span record_at(const work *env, size_t i)
{
    const uint32_t *starts = env->corpus.starts;
    return (sl_span){env->corpus.text + starts[i], starts[i + 1] - starts[i] - 1};
}

static uint64_t scan_all(void *context)
{
    work *env = context;
    sl_json_scan scan = {.blocks = env->blocks};
    uint64_t sum = 0;
    for (size_t i = 0; i < env->corpus.count; i++) {
        sl_span record = record_at(env, i);
        sl_json_scan__run(record.ptr, record.len, &scan);
        sum += scan.marks;
    }
    return sum;
}

static uint64_t index_all(void *context)
{
    work *env = context;
    uint64_t sum = 0;
    for (size_t i = 0; i < env->corpus.count; i++) {
        env->tape.len = 0;
        sl_json_result result = sl_json_index(&env->tape, record_at(env, i));
        if (result.error)
            bench_usage_error("record %zu is not JSON: %s", i, sl_json_error_text(result.error));
        sum += result.tokens;
    }
    return sum;
}

static uint64_t escape_all(void *context)
{
    work *env = context;
    uint64_t sum = 0;
    for (size_t i = 0; i < env->corpus.count; i++) {
        sl_span record = record_at(env, i);
        sum += sl_json_escape__run(record.ptr, record.len, env->escaped).written;
    }
    return sum;
}

int main(void)
{
    static const char *const scanners[] = {"portable", "neon", "avx2", "avx512"};
    work env = {.corpus = bench_corpus_load("winston", CORPUS_BYTES)};
    env.blocks = bench_alloc(sl_json_block_count(LONGEST) * sizeof(sl_json_block));
    env.escaped = bench_alloc(2 * LONGEST + SL_JSON_ESCAPE_SLACK);
    bench_heading("JSON index, winston corpus");
    for (size_t i = 0; i < sizeof(scanners) / sizeof(scanners[0]); i++) {
        char name[64];
        if (sl_json_scanner_use(scanners[i])) continue;
        snprintf(name, sizeof(name), "scan, %s", scanners[i]);
        bench_run(name, scan_all, &env, env.corpus.len, env.corpus.count);
        snprintf(name, sizeof(name), "index, %s", scanners[i]);
        bench_run_beside(name, index_all, &env, env.corpus.len, env.corpus.count, BENCH_LIMIT_INDEX);
        snprintf(name, sizeof(name), "escape, %s", scanners[i]);
        bench_run(name, escape_all, &env, env.corpus.len, env.corpus.count);
    }
    sl_tape_release(&env.tape);
    free(env.blocks);
    free(env.escaped);
    bench_corpus_release(&env.corpus);
    return 0;
}
