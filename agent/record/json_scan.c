/* json_scan.c: which scanner runs, and which escaper with it. The fastest that this processor has is chosen
 * at the first use and stays, unless a test asks for another by name. The choice is one pointer, read and
 * written atomically; choosing twice does no harm. */
#include "record/json_scan.h"
#include "record/json_escape.h"

#include <stdatomic.h>

typedef struct scanner {
    const char *name;
    sl_json_scanner run;
    sl_json_escaper escape;
    bool (*supported)(void);
} scanner;

static bool always(void)
{
    return true;
}

#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2") && has_avx2();
}
#endif

/* Fastest first. */
static const scanner scanners[] = {
#if defined(__x86_64__)
    {"avx512", sl_json_scan__avx512, sl_json_escape__avx512, has_avx512},
    {"avx2", sl_json_scan__avx2, sl_json_escape__avx2, has_avx2},
#elif defined(__aarch64__)
    {"neon", sl_json_scan__neon, sl_json_escape__portable, always},
#endif
    {"portable", sl_json_scan__portable, sl_json_escape__portable, always},
};

static _Atomic(const scanner *) in_use;

static const scanner *current(void)
{
    const scanner *chosen = atomic_load_explicit(&in_use, memory_order_relaxed);

    if (SL_LIKELY(chosen != NULL)) return chosen;
    for (chosen = scanners; !chosen->supported(); chosen++)
        ;
    atomic_store_explicit(&in_use, chosen, memory_order_relaxed);
    return chosen;
}

void sl_json_scan__run(const char *text, size_t len, sl_json_scan *scan)
{
    current()->run(text, len, scan);
}

sl_json_escaped sl_json_escape__run(const char *text, size_t len, char *out)
{
    return current()->escape(text, len, out);
}

const char *sl_json_scanner_name(void)
{
    return current()->name;
}

int sl_json_scanner_use(const char *name)
{
    for (size_t i = 0; i < SL_LEN(scanners); i++) {
        if (strcmp(scanners[i].name, name) != 0) continue;
        if (!scanners[i].supported()) return SL_E_UNSUPPORTED;
        atomic_store_explicit(&in_use, &scanners[i], memory_order_relaxed);
        return 0;
    }
    return SL_E_UNSUPPORTED;
}
