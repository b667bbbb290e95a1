/* <flags> <length of the first slot, 2 bytes> <slots>: the journal's file of cursors. Flag 1: the sums of
 * both slots are made right first, so that lies in them are believed. Whatever stands there loads; what was
 * loaded keeps its bounds, and what is saved is loaded again as it was.
 */
#include "journal/cursor.h"
#include "journal/format.h"
#include "scratch_dir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sign(char *slot)
{
    uint32_t len = sl_get32(slot + 40);
    if (len <= SL_CURSOR_SLOT - 8) sl_put64(slot + len, sl_format__sum(slot, len, 0));
}

/* The fuzzer's bytes begin each slot; the rest of it is zeros. */
static void write_file(const uint8_t *data, size_t size)
{
    static char slots[2 * SL_CURSOR_SLOT];
    size_t first = (size_t)(data[1] | data[2] << 8);
    memset(slots, 0, sizeof slots);
    size_t rest = size - 3;
    if (first > rest) first = rest;
    memcpy(slots, data + 3, first);
    size_t second = rest - first < SL_CURSOR_SLOT ? rest - first : SL_CURSOR_SLOT;
    memcpy(slots + SL_CURSOR_SLOT, data + 3 + first, second);
    if (data[0] & 1) sign(slots);
    if (data[0] & 1) sign(slots + SL_CURSOR_SLOT);
    scratch_write(SL_CURSORS_FILE, slots, data[0] & 2 ? SL_CURSOR_SLOT + second : sizeof slots);
}

static void check(const sl_cursors *cursors)
{
    if (cursors->next_sequence > SL_MAX_SEQUENCE || cursors->next_record > SL_MAX_SEQUENCE) abort();
    for (unsigned i = 0; i < cursors->count; i++)
        if (!cursors->list[i].name[0] || strlen(cursors->list[i].name) > SL_JOURNAL_MAX_NAME) abort();
}

static void check_alike(const sl_cursors *a, const sl_cursors *b)
{
    bool alike = a->count == b->count && a->id == b->id && a->next_sequence == b->next_sequence &&
                 a->next_record == b->next_record && !b->lost;
    for (unsigned i = 0; alike && i < a->count; i++)
        alike = strcmp(a->list[i].name, b->list[i].name) == 0 && a->list[i].next == b->list[i].next;
    if (!alike) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const outputs[] = {"search", "file"};
    if (size < 3) return 0;
    scratch_make();
    write_file(data, size);
    sl_cursors cursors, again;
    sl_cursors__load(&cursors, scratch);
    check(&cursors);
    sl_cursors__match(&cursors, outputs, SL_LEN(outputs), 1);
    if (sl_cursors__lowest(&cursors) > cursors.next_sequence) abort();
    if (sl_cursors__save(&cursors, true) != 0) abort();
    sl_cursors__load(&again, scratch);
    check_alike(&cursors, &again);
    sl_cursors__close(&again);
    sl_cursors__close(&cursors);
    return 0;
}
