/* yaml_names.c: a set of names, each with a number: keys of a map, anchors of a file.
 *
 * Open addressing with linear probing. Names come from an untrusted file, so the hash is one whose collisions
 * nobody writes by hand; the limits of yaml_tree.h bound what remains.
 */
#include "yaml_int.h"

#include <xxhash.h>

#define FIRST_SLOTS 32u

static sl_yaml__name *find_slot(const sl_yaml__names *names, sl_span name, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (names->slots - 1);
    while (names->slot[at].used) {
        if (names->slot[at].hash == hash && sl_span_is(names->slot[at].text, name)) break;
        at = (at + 1) & (names->slots - 1);
    }
    return &names->slot[at];
}

/* Half of the slots stay empty. */
static void grow(sl_yaml__names *names)
{
    sl_yaml__names larger = {.slots = names->slots ? 2 * names->slots : FIRST_SLOTS, .count = names->count};
    larger.slot = sl_calloc(larger.slots, sizeof *larger.slot);
    for (uint32_t i = 0; i < names->slots; i++) {
        const sl_yaml__name *slot = &names->slot[i];
        if (slot->used) *find_slot(&larger, slot->text, slot->hash) = *slot;
    }
    sl_free(names->slot);
    *names = larger;
}

bool sl_yaml__names_find(const sl_yaml__names *names, sl_span name, uint32_t *number)
{
    if (names->count == 0) return false;
    const sl_yaml__name *slot = find_slot(names, name, XXH3_64bits(name.ptr, name.len));
    if (slot->used) *number = slot->number;
    return slot->used;
}

void sl_yaml__names_set(sl_yaml__names *names, sl_span name, uint32_t number)
{
    if (2 * names->count >= names->slots) grow(names);
    uint64_t hash = XXH3_64bits(name.ptr, name.len);
    sl_yaml__name *slot = find_slot(names, name, hash);
    names->count += !slot->used;
    *slot = (sl_yaml__name){name, hash, number, true};
}

void sl_yaml__names_release(sl_yaml__names *names)
{
    sl_free(names->slot);
    *names = (sl_yaml__names){0};
}
