/* arena.c: memory freed as one. Blocks form a chain, newest first; a request larger than a block gets a block
 * of its own size behind the newest, so that the room left in the newest is not given up. */
#include <sluice/base.h>

typedef struct sl_arena_block {
    struct sl_arena_block *older;
    size_t size; /* bytes of data */
    _Alignas(16) char data[];
} sl_arena_block;

#define ALIGN 16u

static size_t aligned(size_t size)
{
    return (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
}

static sl_arena_block *new_block(sl_arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(sl_arena_block)) return NULL;
    sl_arena_block *block = sl_try_alloc(sizeof *block + size);
    if (!block) return NULL;
    block->size = size;
    arena->total += size;
    return block;
}

static void *alloc_slow(sl_arena *arena, size_t size)
{
    size_t standard = arena->block_size ? arena->block_size : SL_ARENA_BLOCK;
    if (size > standard / 2 && arena->block) {
        sl_arena_block *own = new_block(arena, size);
        if (!own) return NULL;
        own->older = arena->block->older;
        arena->block->older = own;
        return own->data;
    }
    sl_arena_block *block = new_block(arena, size > standard ? size : standard);
    if (!block) return NULL;
    block->older = arena->block;
    arena->block = block;
    arena->used = size;
    return block->data;
}

void *sl_arena_try_alloc(sl_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGN) return NULL;
    size = aligned(size ? size : 1);
    if (SL_LIKELY(arena->block && arena->block->size - arena->used >= size)) {
        void *ptr = arena->block->data + arena->used;
        arena->used += size;
        return ptr;
    }
    return alloc_slow(arena, size);
}

void *sl_arena_alloc(sl_arena *arena, size_t size)
{
    void *ptr = sl_arena_try_alloc(arena, size);
    if (SL_UNLIKELY(!ptr)) sl_out_of_memory(size);
    return ptr;
}

void *sl_arena_zalloc(sl_arena *arena, size_t size)
{
    return memset(sl_arena_alloc(arena, size), 0, size);
}

char *sl_arena_strndup(sl_arena *arena, const char *text, size_t len)
{
    char *copy = sl_arena_alloc(arena, len + 1);
    if (len) memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

sl_span sl_arena_dup(sl_arena *arena, sl_span s)
{
    return (sl_span){sl_arena_strndup(arena, s.ptr, s.len), s.len};
}

static void free_older(sl_arena *arena, sl_arena_block *block)
{
    while (block) {
        sl_arena_block *older = block->older;
        arena->total -= block->size;
        sl_free(block);
        block = older;
    }
}

void sl_arena_clear(sl_arena *arena)
{
    if (!arena->block) return;
    free_older(arena, arena->block->older);
    arena->block->older = NULL;
    arena->used = 0;
}

void sl_arena_release(sl_arena *arena)
{
    free_older(arena, arena->block);
    arena->block = NULL;
    arena->used = 0;
}
