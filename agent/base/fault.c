/* fault.c: named durable steps at which a test can end the process as if by `kill -9` (SL_FAULT in fs.h). */
#include <signal.h>
#include <sluice/fs.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_FAULT_NAME 64

bool sl_fault_armed;
static char armed_name[MAX_FAULT_NAME];
static uint64_t passes_left; /* atomic: any thread may pass */

void sl_fault_init(void)
{
    const char *value = getenv("SLUICE_FAULT");
    if (!value || !*value) return;
    const char *colon = strrchr(value, ':');
    size_t len = colon ? (size_t)(colon - value) : strlen(value);
    if (len >= sizeof armed_name) len = sizeof armed_name - 1;
    memcpy(armed_name, value, len);
    armed_name[len] = '\0';
    passes_left = colon ? strtoull(colon + 1, NULL, 10) : 1;
    sl_fault_armed = passes_left > 0;
}

void sl_fault_hit(const char *name)
{
    if (strcmp(name, armed_name) != 0) return;
    if (__atomic_sub_fetch(&passes_left, 1, __ATOMIC_RELAXED) == 0) kill(getpid(), SIGKILL);
}
