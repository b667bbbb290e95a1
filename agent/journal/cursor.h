/* cursor.h: where each output stands, kept in one small file with two slots (FORMAT.md, "Cursors").
 *
 * Belongs to the journal's loop. The first n_outputs cursors are the outputs of this run, in their order;
 * behind them come those of outputs that are not there at present.
 */
#ifndef SLUICE_JOURNAL_CURSOR_H
#define SLUICE_JOURNAL_CURSOR_H

#include "segment.h"

#define SL_CURSOR_SLOT 65536u

typedef struct sl_cursor {
    char *name;
    uint64_t next;        /* its output is done with all before */
    int64_t absent_since; /* wall time; 0: its output is there */
} sl_cursor;

typedef struct sl_cursors {
    sl_cursor *list;
    unsigned n_outputs, count;
    uint64_t generation;
    uint64_t id;            /* the journal's, as the file says; 0: it does not */
    uint64_t next_sequence; /* the journal's next frame gets at least these */
    uint64_t next_record;
    char path[SL_PATH_LEN];
    int fd;             /* -1: not open */
    unsigned kept_slot; /* 0 or 1: never written over before the other one is synced */
    bool moved;         /* not saved yet */
    bool lost;          /* the file was there, and neither slot could be read */
} sl_cursors;

/* Reads the file. 0, also when it is missing or damaged: that leaves nothing behind but `lost`. A negative
 * errno: it is there but can't be opened; then it is `lost` for those who only look, but nothing must be
 * saved: the next load might find what stood there before, and believe it. */
int sl_cursors__load(sl_cursors *cursors, const char *dir);
/* Puts the outputs of this run first. One without a cursor starts at the lowest there is, or at `first` when
 * there is none; no cursor stays below `first`. Forgets those that have been absent for longer than their
 * grace. */
void sl_cursors__match(sl_cursors *cursors, const char *const *outputs, unsigned n_outputs, uint64_t first);
/* Writes the slot that is not kept; durable: syncs it, and keeps it from then on. 0 or a negative errno: then
 * nothing changed and the next call writes anew. */
int sl_cursors__save(sl_cursors *cursors, bool durable);
void sl_cursors__close(sl_cursors *cursors);
/* Frames that the last save knew of and that are not there: the segments end before `next_sequence` and
 * `next_record` (both 0: there are none). They were never synced when the power went, or were cut off; 0 when
 * every output is done with them. As loaded, before matching. */
uint64_t sl_cursors__missing(const sl_cursors *cursors, uint64_t next_sequence, uint64_t next_record);
/* Frames before the segment that begins with `first`, the first there is, that some output was not done with:
 * a segment goes only after a save that every output has passed it. As loaded, before matching. */
uint64_t sl_cursors__missing_before(const sl_cursors *cursors, uint64_t first);
/* The lowest cursor of the outputs of this run; next_sequence when there are no outputs. */
uint64_t sl_cursors__lowest(const sl_cursors *cursors);

#endif
