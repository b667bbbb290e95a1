/* recover.h: what a journal's folder holds when it is opened, mended as FORMAT.md, "Opening", says. */
#ifndef SLUICE_JOURNAL_RECOVER_H
#define SLUICE_JOURNAL_RECOVER_H

#include "segment.h"

typedef struct sl_recovered {
    sl_segment *segs; /* ascending, none empty, none open; the caller's, sl_free() */
    size_t count;
    uint64_t id;       /* the journal's; 0: there is nothing to tell it */
    uint64_t at_least; /* the next sequence must not be lower: there are files whose inside is not known */
} sl_recovered;

/* id: what the cursors say, or 0. Fills its part of *report, which the caller has zeroed. 0; an error of the
 * disk: the folder can't be listed, or a segment not be looked into (and with set_aside not be moved either).
 * Damage is no error. */
int sl_recover__segments(const char *dir, uint64_t id, bool set_aside, sl_recovered *out,
                         sl_journal_report *report, sl_err *err);
/* Remembers the first problem of a report. */
void sl_recover__note(sl_journal_report *report, const char *fmt, ...) SL_PRINTF(2, 3);

#endif
