/* index.c: open addressing with linear probing; a removed object leaves a grave until the table is rebuilt.
 */
#include "index.h"

#define MIN_CAP 64

typedef struct tail_slot {
    uint64_t key;
    void *item; /* NULL: free; GRAVE: was removed */
} tail_slot;

static char grave_mark;
#define GRAVE ((void *)&grave_mark)

static size_t home(const tail_index *index, uint64_t key)
{
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (index->cap - 1);
}

static void place(tail_index *index, uint64_t key, void *item)
{
    size_t i = home(index, key);
    while (index->slots[i].item && index->slots[i].item != GRAVE)
        i = (i + 1) & (index->cap - 1);
    if (!index->slots[i].item) index->used++;
    index->slots[i] = (tail_slot){key, item};
    index->count++;
}

/* At most two thirds are in use afterwards, graves are gone. */
static void rebuild(tail_index *index)
{
    tail_index old = *index;
    index->cap = MIN_CAP;
    while (index->cap < old.count * 2 + 2)
        index->cap *= 2;
    index->slots = sl_calloc(index->cap, sizeof *index->slots);
    index->count = index->used = 0;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].item && old.slots[i].item != GRAVE)
            place(index, old.slots[i].key, old.slots[i].item);
    sl_free(old.slots);
}

void tail_index_add(tail_index *index, uint64_t key, void *item)
{
    if ((index->used + 1) * 3 > index->cap * 2) rebuild(index);
    place(index, key, item);
}

void tail_index_remove(tail_index *index, uint64_t key, void *item)
{
    if (!index->cap) return;
    for (size_t i = home(index, key); index->slots[i].item; i = (i + 1) & (index->cap - 1)) {
        if (index->slots[i].item != item || index->slots[i].key != key) continue;
        index->slots[i].item = GRAVE;
        index->count--;
        return;
    }
}

void *tail_index_next(const tail_index *index, uint64_t key, size_t *at)
{
    if (!index->cap) return NULL;
    for (size_t step = *at;; step++) {
        const tail_slot *slot = &index->slots[(home(index, key) + step) & (index->cap - 1)];
        if (!slot->item) return NULL;
        if (slot->item == GRAVE || slot->key != key) continue;
        *at = step + 1;
        return slot->item;
    }
}

void tail_index_release(tail_index *index)
{
    sl_free(index->slots);
    *index = (tail_index){NULL, 0, 0, 0};
}

void tail_index_release_items(tail_index *index)
{
    for (size_t i = 0; i < index->cap; i++)
        if (index->slots[i].item != GRAVE) sl_free(index->slots[i].item);
    tail_index_release(index);
}
