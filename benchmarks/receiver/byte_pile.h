/* A growing run of bytes: what a connection has read, a decoded body, an answer to be sent. */
#ifndef BYTE_PILE_H
#define BYTE_PILE_H

#include "bench_args.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Zeroed is empty. Owned by the struct that embeds it; pile_release() frees. */
typedef struct byte_pile {
    char *data;
    size_t len, room;
} byte_pile;

/* Makes place for `more` bytes behind the ones there. The caller bounds `more`. */
static inline void pile_reserve(byte_pile *pile, size_t more)
{
    if (pile->room - pile->len >= more) return;
    size_t room = pile->room ? pile->room : 4096;
    while (room - pile->len < more)
        room *= 2;
    pile->data = bench_realloc(pile->data, room);
    pile->room = room;
}

static inline void pile_put(byte_pile *pile, const char *bytes, size_t len)
{
    pile_reserve(pile, len);
    memcpy(pile->data + pile->len, bytes, len);
    pile->len += len;
}

#define PILE_LIT(pile, s) pile_put(pile, "" s, sizeof(s) - 1)

/* Drops the first `len` bytes. */
static inline void pile_drop(byte_pile *pile, size_t len)
{
    memmove(pile->data, pile->data + len, pile->len - len);
    pile->len -= len;
}

static inline void pile_release(byte_pile *pile)
{
    free(pile->data);
    *pile = (byte_pile){0};
}

#endif
