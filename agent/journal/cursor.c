/* cursor.c: the file of cursors.
 *
 * Invariant: the slot that was synced last is not written over before the other one has been synced. So a
 * write that is cut short, by the end of the process or of the power, leaves one good slot. A failed sync
 * keeps it too: the next save writes the other slot anew, and only its own sync counts.
 */
#include "cursor.h"
#include "journal.h"

#include <errno.h>
#include <sluice/fault.h>
#include <sluice/logger.h>
#include <stdio.h>

#define MAGIC      "SLJC"
#define SLOT_FIXED 48u
#define SUM_LEN    8u
#define ENTRY      18u /* of an entry without its name */
#define MAX_COUNT  (2u * SL_JOURNAL_MAX_OUTPUTS)

_Static_assert(SLOT_FIXED + SL_JOURNAL_MAX_OUTPUTS * (ENTRY + SL_JOURNAL_MAX_NAME) + SUM_LEN <=
                   SL_CURSOR_SLOT,
               "the cursors of all outputs that may be there fit into a slot");

/* ---- reading ---- */

static void drop_list(sl_cursors *cursors)
{
    for (unsigned i = 0; i < cursors->count; i++)
        sl_free(cursors->list[i].name);
    sl_free(cursors->list);
    cursors->list = NULL;
    cursors->count = cursors->n_outputs = 0;
}

static bool is_true_slot(const char *slot)
{
    if (memcmp(slot, MAGIC, SL_MAGIC_LEN) != 0 || slot[4] != SL_FORMAT_VERSION) return false;
    uint32_t len = sl_get32(slot + 40);
    if (len < SLOT_FIXED || len > SL_CURSOR_SLOT - SUM_LEN) return false;
    return sl_get64(slot + len) == sl_format__sum(slot, len, 0);
}

static bool parse_entries(sl_cursors *cursors, const char *at, const char *end, unsigned count,
                          uint64_t next_sequence)
{
    cursors->list = sl_calloc(count ? count : 1, sizeof(*cursors->list));
    for (unsigned i = 0; i < count; i++) {
        if ((size_t)(end - at) < ENTRY) return false;
        size_t name_len = sl_get16(at + 16);
        if (name_len == 0 || name_len > SL_JOURNAL_MAX_NAME || name_len > (size_t)(end - at) - ENTRY)
            return false;
        if (memchr(at + ENTRY, '\0', name_len) || (int64_t)sl_get64(at + 8) < 0) return false;
        cursors->list[cursors->count++] = (sl_cursor){
            .next = sl_get64(at),
            .absent_since = (int64_t)sl_get64(at + 8),
            .name = sl_strndup(at + ENTRY, name_len),
        };
        if (sl_get64(at) > next_sequence) return false;
        at += ENTRY + name_len;
    }
    return at == end;
}

static bool parse_slot(sl_cursors *cursors, const char *slot)
{
    if (!is_true_slot(slot)) return false;
    if (sl_get64(slot + 16) >= SL_MAX_SEQUENCE) return false; /* no later one could be told from it */
    if (sl_get64(slot + 24) == 0) return false;               /* the first frame is 1 */
    if (sl_get64(slot + 24) > SL_MAX_SEQUENCE || sl_get64(slot + 32) > SL_MAX_SEQUENCE) return false;
    uint16_t count = sl_get16(slot + 6);
    if (count > MAX_COUNT ||
        !parse_entries(cursors, slot + SLOT_FIXED, slot + sl_get32(slot + 40), count, sl_get64(slot + 24))) {
        drop_list(cursors);
        return false;
    }
    cursors->id = sl_get64(slot + 8);
    cursors->generation = sl_get64(slot + 16);
    cursors->next_sequence = sl_get64(slot + 24);
    cursors->next_record = sl_get64(slot + 32);
    return true;
}

static uint64_t generation_of(const char *slot)
{
    return is_true_slot(slot) ? sl_get64(slot + 16) : 0;
}

static bool is_blank(const char *slots)
{
    for (size_t i = 0; i < 2 * SL_CURSOR_SLOT; i++)
        if (slots[i]) return false;
    return true;
}

/* Each slot by itself: a page that can't be read must not take the other slot along. 0 or a negative errno.
 */
static int read_slots(const char *path, char *slots, bool *failed)
{
    int fd = sl_fs_open(path, O_RDONLY, 0);
    if (fd < 0) return fd;
    for (unsigned i = 0; i < 2; i++) {
        char *slot = slots + i * SL_CURSOR_SLOT;
        if (sl_fs_pread_all(fd, slot, SL_CURSOR_SLOT, (off_t)(i * SL_CURSOR_SLOT)) < 0) *failed = true;
    }
    sl_fs_close(fd);
    return 0;
}

/* Zeros are what a run leaves that ended before its first save. */
static void parse_slots(sl_cursors *cursors, const char *slots, bool failed)
{
    unsigned newer = generation_of(slots + SL_CURSOR_SLOT) > generation_of(slots);
    bool found = parse_slot(cursors, slots + newer * SL_CURSOR_SLOT);
    cursors->kept_slot = newer;
    if (!found && parse_slot(cursors, slots + !newer * SL_CURSOR_SLOT)) {
        cursors->kept_slot = !newer;
        found = true;
    }
    cursors->lost = !found && (failed || !is_blank(slots));
}

int sl_cursors__load(sl_cursors *cursors, const char *dir)
{
    *cursors = (sl_cursors){.fd = -1, .next_sequence = 1};
    snprintf(cursors->path, sizeof(cursors->path), "%s/" SL_CURSORS_FILE, dir);
    char *slots = sl_calloc(2, SL_CURSOR_SLOT);
    bool failed = false;
    int rc = read_slots(cursors->path, slots, &failed);
    if (rc == 0) parse_slots(cursors, slots, failed);
    if (rc == -ENOENT) rc = 0;
    if (rc < 0) cursors->lost = true;
    sl_free(slots);
    return rc;
}

static uint64_t lowest_present(const sl_cursors *cursors)
{
    uint64_t lowest = cursors->next_sequence;
    for (unsigned i = 0; i < cursors->count; i++) {
        const sl_cursor *cursor = &cursors->list[i];
        if (!cursor->absent_since && cursor->next < lowest) lowest = cursor->next;
    }
    return lowest;
}

uint64_t sl_cursors__missing_before(const sl_cursors *cursors, uint64_t first)
{
    uint64_t lowest = lowest_present(cursors);
    return cursors->count && lowest < first ? first - lowest : 0;
}

uint64_t sl_cursors__missing(const sl_cursors *cursors, uint64_t next_sequence, uint64_t next_record)
{
    uint64_t from = lowest_present(cursors);
    if (from < next_sequence) from = next_sequence;
    return next_record < cursors->next_record && from < cursors->next_sequence ? cursors->next_sequence - from
                                                                               : 0;
}

/* ---- matching with the outputs of this run ---- */

static sl_cursor *find(sl_cursors *cursors, const char *name)
{
    for (unsigned i = 0; i < cursors->count; i++)
        if (cursors->list[i].name && strcmp(cursors->list[i].name, name) == 0) return &cursors->list[i];
    return NULL;
}

static uint64_t lowest_of_all(const sl_cursors *cursors, uint64_t otherwise)
{
    uint64_t lowest = cursors->count ? UINT64_MAX : otherwise;
    for (unsigned i = 0; i < cursors->count; i++)
        if (cursors->list[i].next < lowest) lowest = cursors->list[i].next;
    return lowest;
}

/* Keeps an absent output's cursor, unless its grace is over. */
static bool is_kept(sl_cursor *cursor, int64_t now)
{
    if (cursor->absent_since == 0) cursor->absent_since = now;
    if (now - cursor->absent_since <= SL_CURSOR_GRACE_NS) return true;
    sl_info("journal", "output %s has been gone for a week: where it stood (frame %llu) is forgotten",
            cursor->name, (unsigned long long)cursor->next);
    return false;
}

void sl_cursors__match(sl_cursors *cursors, const char *const *outputs, unsigned n_outputs, uint64_t first)
{
    uint64_t start = lowest_of_all(cursors, first);
    unsigned room = n_outputs + cursors->count, count = 0;
    sl_cursor *list = sl_calloc(room ? room : 1, sizeof(*list));
    for (unsigned i = 0; i < n_outputs; i++) {
        sl_cursor *known = find(cursors, outputs[i]);
        list[count] = (sl_cursor){.name = sl_strdup(outputs[i]), .next = known ? known->next : start};
        if (list[count].next < first) list[count].next = first;
        if (known) sl_free(known->name), known->name = NULL;
        count++;
    }
    int64_t now = sl_clock_wall_ns();
    for (unsigned i = 0; i < cursors->count; i++) {
        sl_cursor *cursor = &cursors->list[i];
        if (!cursor->name) continue;
        if (count < MAX_COUNT && is_kept(cursor, now))
            list[count++] = *cursor;
        else
            sl_free(cursor->name);
    }
    sl_free(cursors->list);
    cursors->list = list;
    cursors->count = count;
    cursors->n_outputs = n_outputs;
    cursors->moved = true;
}

uint64_t sl_cursors__lowest(const sl_cursors *cursors)
{
    uint64_t lowest = cursors->next_sequence;
    for (unsigned i = 0; i < cursors->n_outputs; i++)
        if (cursors->list[i].next < lowest) lowest = cursors->list[i].next;
    return lowest;
}

/* ---- writing ---- */

/* Absent outputs that no longer fit are left out: the file never grows beyond its slots. */
static uint32_t write_entries(const sl_cursors *cursors, char *slot, unsigned *count)
{
    char *at = slot + SLOT_FIXED, *end = slot + SL_CURSOR_SLOT - SUM_LEN;
    *count = 0;
    for (unsigned i = 0; i < cursors->count; i++) {
        const sl_cursor *cursor = &cursors->list[i];
        size_t name_len = strlen(cursor->name);
        if (ENTRY + name_len > (size_t)(end - at)) break;
        sl_put64(at, cursor->next);
        sl_put64(at + 8, (uint64_t)cursor->absent_since);
        sl_put16(at + 16, (uint16_t)name_len);
        memcpy(at + ENTRY, cursor->name, name_len);
        at += ENTRY + name_len;
        (*count)++;
    }
    return (uint32_t)(at - slot);
}

static uint32_t write_slot(const sl_cursors *cursors, char *slot)
{
    unsigned count;
    memset(slot, 0, SLOT_FIXED);
    uint32_t len = write_entries(cursors, slot, &count);
    memcpy(slot, MAGIC, SL_MAGIC_LEN);
    slot[4] = SL_FORMAT_VERSION;
    sl_put16(slot + 6, (uint16_t)count);
    sl_put64(slot + 8, cursors->id);
    sl_put64(slot + 16, cursors->generation + 1);
    sl_put64(slot + 24, cursors->next_sequence);
    sl_put64(slot + 32, cursors->next_record);
    sl_put32(slot + 40, len);
    sl_put64(slot + len, sl_format__sum(slot, len, 0));
    return len + SUM_LEN;
}

static int open_file(sl_cursors *cursors)
{
    if (cursors->fd >= 0) return 0;
    int fd = sl_fs_open(cursors->path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return fd;
    /* The room of both slots is taken now: a disk that is full later does not keep cursors from moving. Where
     * a file system can't do that, it can't. */
    (void)sl_fs_fallocate(fd, 0, 0, 2 * SL_CURSOR_SLOT);
    cursors->fd = fd;
    return 0;
}

int sl_cursors__save(sl_cursors *cursors, bool durable)
{
    int rc = open_file(cursors);
    if (rc < 0) return rc;
    char *slot = sl_alloc(SL_CURSOR_SLOT);
    uint32_t len = write_slot(cursors, slot);
    unsigned other = !cursors->kept_slot;
    rc = sl_fs_pwrite_all(cursors->fd, slot, len, (off_t)(other * SL_CURSOR_SLOT));
    sl_free(slot);
    if (rc == 0 && durable) rc = sl_fs_fdatasync(cursors->fd);
    if (rc < 0) return rc;
    if (durable) cursors->kept_slot = other;
    cursors->generation++;
    cursors->moved = false;
    SL_FAULT(CURSOR_SAVED);
    return 0;
}

void sl_cursors__close(sl_cursors *cursors)
{
    if (cursors->fd >= 0) sl_fs_close(cursors->fd);
    cursors->fd = -1;
    drop_list(cursors);
}

uint64_t sl_journal_saved_cursor(const char *dir, const char *output)
{
    sl_cursors cursors;
    uint64_t next = 0;
    sl_cursors__load(&cursors, dir);
    for (unsigned i = 0; i < cursors.count; i++) {
        if (strcmp(cursors.list[i].name, output) == 0) next = cursors.list[i].next;
    }
    sl_cursors__close(&cursors);
    return next;
}
