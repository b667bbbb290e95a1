/* One record of any kind: seeds its random numbers, dates it, and calls its kind. */
#include "corpus_pen.h"

#define FIRST_SECOND 1709251200 /* 2024-03-01T00:00:00Z: where dates start when none is given */
#define STEP_NS      2000000    /* each record is 2 ms younger than the one before */

typedef struct kind_row {
    const char *name;
    void (*write)(corpus_pen *pen);
} kind_row;

static const kind_row kinds[] = {
    [CORPUS_WINSTON] = {"winston", corpus_winston},
    [CORPUS_LOGURU] = {"loguru", corpus_loguru},
    [CORPUS_ACCESS] = {"access", corpus_access},
    [CORPUS_SIZED] = {"sized", corpus_sized},
};

int corpus_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0) return (int)i;
    return -1;
}

void corpus_init(corpus *gen, corpus_kind kind, uint64_t seed, uint32_t size)
{
    *gen = (corpus){.kind = kind, .seed = seed, .size = size, .cached_second = -1};
}

size_t corpus_max_record(const corpus *gen)
{
    return gen->kind == CORPUS_SIZED ? gen->size : CORPUS_MAX_PLAIN;
}

char *corpus_record(corpus *gen, uint64_t n, int64_t written_ns, char *at)
{
    corpus_pen pen = {.at = at, .gen = gen, .n = n, .written_ns = written_ns};
    pen.time_ns = written_ns > 0 ? written_ns : FIRST_SECOND * INT64_C(1000000000) + (int64_t)n * STEP_NS;
    uint64_t state = gen->seed;
    state = rng_split(&state) ^ n;
    for (int i = 0; i < 4; i++)
        pen.rng[i] = rng_split(&state);
    kinds[gen->kind].write(&pen);
    *pen.at++ = '\n';
    return pen.at;
}
