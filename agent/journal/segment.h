/* segment.h: the files of a journal: segments, the walk over their frames, the quarantine.
 *
 * Shared by the writing journal, the readers and `sluice journal`. Nothing here knows about cursors, limits
 * or syncing. Every object belongs to one thread.
 */
#ifndef SLUICE_JOURNAL_SEGMENT_H
#define SLUICE_JOURNAL_SEGMENT_H

#include "format.h"
#include <sluice/fs.h>

#define SL_PATH_LEN         4096
#define SL_MAX_DIR          (SL_PATH_LEN - 128) /* bytes of a journal's folder name */
#define SL_SEGMENT_DIGITS   20
#define SL_CURSORS_FILE     "cursors"
#define SL_QUARANTINE_DIR   "quarantine"
#define SL_QUARANTINE_FILES 1000
#define SL_QUARANTINE_BYTES (UINT64_C(256) << 20)

/* ---- segments ---- */

/* One segment: what it holds, and its file while it is open for writing. */
typedef struct sl_segment {
    uint64_t first, next; /* sequences [first, next); equal: no frame yet */
    uint64_t first_record, next_record;
    uint64_t frames;
    uint64_t bytes; /* of the file: where the next frame goes */
    int64_t first_written, last_written;
    int fd;                  /* -1: not open */
    bool broken;             /* its tail could not be cut: nothing more is appended */
    bool goes_with_previous; /* holds frames written again: dropped together with the segment before it */
} sl_segment;

/* dir/<first>.seg, or with a suffix behind it. */
void sl_segment__path(const char *dir, uint64_t first, const char *suffix, char out[SL_PATH_LEN]);
/* The first sequences of all segments in dir, ascending; free with sl_free(). leftovers: NULL, or called for
 * each name that ends in ".new". 0 or a negative errno. */
int sl_segment__list(const char *dir, uint64_t **firsts, size_t *count,
                     void (*leftover)(const char *dir, const char *name));
/* Makes the file (suffix as above) with its header and fills *seg. 0, or a negative errno: nothing is left
 * behind. */
int sl_segment__create(sl_segment *seg, const char *dir, const char *suffix, uint64_t id, uint64_t first,
                       uint64_t first_record);
/* Appends one whole frame. 0, or a negative errno: cut back, or broken is set. */
int sl_segment__append(sl_segment *seg, sl_span frame, const sl_frame_header *hdr);
/* Writes the seal. A failure costs only time at the next opening: 0 or a negative errno. */
int sl_segment__seal(sl_segment *seg, uint64_t id);
void sl_segment__close(sl_segment *seg);

/* ---- walking over a segment's frames ---- */

typedef enum sl_walk_found {
    SL_WALK_END,   /* the file ends here, as it should */
    SL_WALK_FRAME, /* a true header, and all of its payload is there; its checksum is not looked at */
    SL_WALK_SEAL,
    SL_WALK_TORN,   /* the rest of the file was being written when the agent ended */
    SL_WALK_DAMAGE, /* bytes that are none of these, up to the next that are, or the end */
} sl_walk_found;

typedef struct sl_walk_item {
    sl_walk_found found;
    uint64_t off, len;
    sl_frame_header hdr; /* FRAME, and TORN when has_header */
    bool has_header;
    bool to_end;  /* DAMAGE: nothing true follows in this file */
    sl_seal seal; /* SEAL */
} sl_walk_item;

typedef struct sl_walk {
    int fd;
    uint64_t id;
    uint64_t off;  /* of the next item */
    uint64_t size; /* of the file when it was last looked at */
    size_t ahead;  /* how much is read at once */
    /* Pages that can't be read count as zeros, instead of failing. */
    bool skip_errors;
    bool errors_seen;
    sl_buf window;
    uint64_t window_at;
} sl_walk;

#define SL_WALK_HEADERS 4096u          /* ahead: for looking at headers only */
#define SL_WALK_ALL     (256u * 1024u) /* ahead: for reading everything */

/* Opens dir/<first>.seg. Fills *hdr and sets *hdr_true when the segment's header is right; the walk starts
 * behind it either way. id: the journal's, or 0 to take the header's. 0 or a negative errno. */
int sl_walk__open(sl_walk *walk, const char *dir, uint64_t first, uint64_t id, size_t ahead,
                  sl_segment_header *hdr, bool *hdr_true);
void sl_walk__close(sl_walk *walk);
/* The id in the first segment header that is true; 0: there is none. */
uint64_t sl_walk__find_id(const char *dir, const uint64_t *firsts, size_t count);
/* Reads anew from now on: what was read ahead may have been half written then. */
void sl_walk__forget(sl_walk *walk);
/* Looks at what stands at walk->off. Does not move. 0 or a negative errno. */
int sl_walk__look(sl_walk *walk, sl_walk_item *item);
static inline void sl_walk__pass(sl_walk *walk, const sl_walk_item *item)
{
    walk->off = item->off + item->len;
}
/* Is the payload's checksum right? Reads it piece by piece. 0, SL_E_CORRUPT (as a positive 1), or a negative
 * errno. */
int sl_walk__verify(sl_walk *walk, const sl_walk_item *item);
/* The bytes of a whole frame, valid until the next call. 0, or a negative errno (-ENOMEM). */
int sl_walk__frame(sl_walk *walk, const sl_walk_item *item, sl_span *out);

/* ---- quarantine ---- */

/* Copies bytes [off, off + len) of the walk's file to dir/quarantine/<first>-<off>.bad, unless it is there or
 * the quarantine is full. Returns the bytes copied, 0 when there was nothing to do, or a negative errno. */
int64_t sl_quarantine__copy(const char *dir, uint64_t first, sl_walk *walk, uint64_t off, uint64_t len);
/* Moves the whole segment there. 0 or a negative errno. */
int sl_quarantine__move(const char *dir, uint64_t first);

#endif
