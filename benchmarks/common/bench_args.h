/* Command line values shared by the benchmark tools: sizes, counts, and dying with one sentence.
 *
 * The tools are short-lived programs run by `benchmarks/run` and the tests, so a bad argument ends them at
 * once with exit code 2, and a failed system call with exit code 1; both say what failed and where on stderr.
 */
#ifndef BENCH_ARGS_H
#define BENCH_ARGS_H

#include <stdint.h>

/* Prints "PROGRAM: message" on stderr and exits 2. For wrong arguments. */
__attribute__((noreturn, format(printf, 1, 2))) void bench_usage_error(const char *fmt, ...);

/* Prints "PROGRAM: message: strerror(errno)" on stderr and exits 1. For failed system calls. */
__attribute__((noreturn, format(printf, 1, 2))) void bench_die(const char *fmt, ...);

/* Parses "4096", "100K", "10KB", "64MiB", "1GB" (K, M, G are powers of 1000; Ki, Mi, Gi of 1024; case is
 * ignored). `option` names the option in the error. Exits 2 unless `min` <= value <= `max`. */
uint64_t bench_parse_size(const char *option, const char *text, uint64_t min, uint64_t max);

/* Parses a decimal number without unit; exits 2 unless `min` <= value <= `max`. */
uint64_t bench_parse_number(const char *option, const char *text, uint64_t min, uint64_t max);

/* malloc/realloc that exit 1 with a message when memory is short. Never return NULL. */
void *bench_alloc(uint64_t size);
void *bench_realloc(void *old, uint64_t size);

#endif
