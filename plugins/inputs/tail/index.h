/* index.h: a hash table from 64-bit keys to objects. Several objects may have one key; the caller tells them
 * apart. */
#ifndef TAIL_INDEX_H
#define TAIL_INDEX_H

#include <sluice/base.h>

typedef struct tail_index {
    struct tail_slot *slots;
    size_t cap;   /* a power of two, or 0 */
    size_t count; /* objects */
    size_t used;  /* objects and graves */
} tail_index;

void tail_index_add(tail_index *index, uint64_t key, void *item);
void tail_index_remove(tail_index *index, uint64_t key, void *item); /* fine when it is not there */
/* The next object with this key; *at is 0 before the first call. NULL: no more. No change in between. */
void *tail_index_next(const tail_index *index, uint64_t key, size_t *at);
void tail_index_release(tail_index *index);
void tail_index_release_items(tail_index *index); /* and sl_free() of every object */

#endif
