/* Argument parsing and dying, for the benchmark tools only. */
#include "bench_args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

extern char *program_invocation_short_name;

void bench_usage_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

void bench_die(const char *fmt, ...)
{
    int error = errno;
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, fmt, args);
    fprintf(stderr, ": %s\n", strerror(error));
    va_end(args);
    exit(1);
}

static uint64_t unit_factor(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {
        {"", 1},           {"B", 1},           {"K", 1000},       {"KB", 1000},
        {"KiB", 1024},     {"M", 1000000},     {"MB", 1000000},   {"MiB", 1u << 20},
        {"G", 1000000000}, {"GB", 1000000000}, {"GiB", 1u << 30},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcasecmp(unit, units[i].name) == 0) return units[i].factor;
    return 0;
}

static uint64_t parse(const char *option, const char *text, uint64_t min, uint64_t max, int with_unit)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    uint64_t factor = with_unit ? unit_factor(end) : (*end == '\0');
    if (*text < '0' || *text > '9' || errno || factor == 0)
        bench_usage_error("%s %s is not a %s; write for example %s", option, text,
                          with_unit ? "size" : "number", with_unit ? "64MiB or 1GB" : "1000");
    if (__builtin_mul_overflow(value, factor, &value) || value < min || value > max)
        bench_usage_error("%s %s is out of range; give %" PRIu64 " to %" PRIu64, option, text, min, max);
    return value;
}

uint64_t bench_parse_size(const char *option, const char *text, uint64_t min, uint64_t max)
{
    return parse(option, text, min, max, 1);
}

uint64_t bench_parse_number(const char *option, const char *text, uint64_t min, uint64_t max)
{
    return parse(option, text, min, max, 0);
}

void *bench_alloc(uint64_t size)
{
    return bench_realloc(NULL, size);
}

void *bench_realloc(void *old, uint64_t size)
{
    void *memory = realloc(old, size ? size : 1);
    if (!memory) bench_die("allocating %" PRIu64 " bytes failed", size);
    return memory;
}
