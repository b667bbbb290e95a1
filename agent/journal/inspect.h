/* inspect.h: looking into a journal's folder from outside, for `sluice journal`. Reads only, changes nothing,
 * and may run beside the agent.
 */
#ifndef SLUICE_JOURNAL_INSPECT_H
#define SLUICE_JOURNAL_INSPECT_H

#include "cursor.h"

/* One segment as it was found. */
typedef struct sl_inspected {
    uint64_t first, next; /* sequences [first, next) */
    uint64_t frames, records;
    uint64_t bytes, raw_bytes; /* of the file; of its frames before compression */
    int64_t first_written, last_written;
    bool sealed;
    uint64_t damaged; /* places; each was told as a problem */
} sl_inspected;

typedef struct sl_inspector {
    void *arg;
    /* Each may be NULL. Returning false ends the walk. */
    bool (*segment)(void *arg, const sl_inspected *seg);
    bool (*frame)(void *arg, const sl_frame_header *hdr);
    bool (*batch)(void *arg,
                  const sl_batch *batch); /* payloads are read and decoded only if this is set, or verify */
    /* What can't be read, with file and offset. Damage in a header is always told, in a payload when it is
     * read. */
    bool (*problem)(void *arg, const char *text);
    bool verify;
    /* What stands unfinished at the end of the last segment may be just being written: then it is looked at
     * again after this time, and told only if it is as before. 0: nobody writes. */
    int64_t patience_ns;
} sl_inspector;

/* 0; SL_E_NOT_FOUND: there is no such folder; SL_E_IO and others: it can't be listed. */
int sl_journal_inspect(const char *dir, const sl_inspector *inspector, sl_err *err);

#endif
