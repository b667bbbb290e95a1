/* fault.c: see the header. */
#include <signal.h>
#include <sluice/base.h>
#include <sluice/fault.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef SLUICE_FAULT_POINTS

#define NAME(constant, name) name,
static const char *const names[] = {SL_FAULT_POINTS(NAME)};

static sl_fault armed = SL_FAULT_COUNT; /* none */
static uint64_t passes_left;            /* atomic: any thread may pass */

void sl_fault_pass(sl_fault fault)
{
    if (SL_LIKELY(fault != armed)) return;
    if (__atomic_sub_fetch(&passes_left, 1, __ATOMIC_RELAXED) == 0) kill(getpid(), SIGKILL);
}

void sl_fault_init(void)
{
    const char *value = getenv("SLUICE_FAULT");
    if (!value || !*value) return;
    size_t len = strcspn(value, ":");
    passes_left = value[len] ? strtoull(value + len + 1, NULL, 10) : 1;
    for (int i = 0; i < SL_FAULT_COUNT; i++)
        if (strlen(names[i]) == len && memcmp(names[i], value, len) == 0) armed = (sl_fault)i;
    if (armed != SL_FAULT_COUNT && passes_left > 0) return;
    fprintf(stderr, "sluice: SLUICE_FAULT=%s names no fault point and number of passes\n", value);
    exit(EXIT_FAILURE);
}

#else

void sl_fault_pass(sl_fault fault)
{
    (void)fault;
}
void sl_fault_init(void) {}

#endif
