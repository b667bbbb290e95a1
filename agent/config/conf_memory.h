/* conf_memory.h: the one owner of all that a parsed configuration points to. One thread at a time. */
#ifndef SLUICE_CONFIG_CONF_MEMORY_H
#define SLUICE_CONFIG_CONF_MEMORY_H

#include <sluice/base.h>

typedef struct sl_conf_memory {
    sl_arena arena; /* structs, lists, texts */
    struct sl_conf_owned *owned;
} sl_conf_memory;

sl_conf_memory *sl_conf_memory_new(void);
/* Releases what is owned, the newest first, then the arena. NULL is fine. */
void sl_conf_memory_free(sl_conf_memory *memory);
/* release(ptr) is called once, when the memory is freed. */
void sl_conf_memory_own(sl_conf_memory *memory, void *ptr, void (*release)(void *ptr));
/* A copy, NUL-terminated behind its end; a secret one is wiped before it is freed. */
sl_span sl_conf_memory_dup(sl_conf_memory *memory, sl_span text, bool secret);

#endif
