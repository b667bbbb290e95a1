/* conf_memory.c: an arena and a list of what must be released before it. */
#include "conf_memory.h"

typedef struct sl_conf_owned {
    void *ptr;
    void (*release)(void *ptr);
    struct sl_conf_owned *next;
} sl_conf_owned;

sl_conf_memory *sl_conf_memory_new(void)
{
    return sl_calloc(1, sizeof(sl_conf_memory));
}

void sl_conf_memory_free(sl_conf_memory *memory)
{
    if (!memory) return;
    for (sl_conf_owned *owned = memory->owned; owned; owned = owned->next)
        owned->release(owned->ptr);
    sl_arena_release(&memory->arena);
    sl_free(memory);
}

void sl_conf_memory_own(sl_conf_memory *memory, void *ptr, void (*release)(void *ptr))
{
    sl_conf_owned *owned = sl_arena_alloc(&memory->arena, sizeof *owned);
    *owned = (sl_conf_owned){ptr, release, memory->owned};
    memory->owned = owned;
}

static void wipe(void *arg)
{
    sl_span *secret = arg;
    sl_wipe((char *)secret->ptr, secret->len);
}

sl_span sl_conf_memory_dup(sl_conf_memory *memory, sl_span text, bool secret)
{
    sl_span copy = {sl_arena_strndup(&memory->arena, text.len ? text.ptr : "", text.len), text.len};
    if (secret && copy.len) {
        sl_span *kept = sl_arena_alloc(&memory->arena, sizeof *kept);
        *kept = copy;
        sl_conf_memory_own(memory, kept, wipe);
    }
    return copy;
}
