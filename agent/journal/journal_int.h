/* journal_int.h: inside of the journal: the two kinds behind one set of calls, and the parts of the one on
 * disk.
 *
 * Everything here belongs to the journal's loop. The one crossing is a sync job (sync.c).
 */
#ifndef SLUICE_JOURNAL_INT_H
#define SLUICE_JOURNAL_INT_H

#include "cursor.h"
#include "recover.h"

/* ---- the two kinds ---- */

typedef struct sl_journal_ops {
    void (*close)(sl_journal *journal);
    int (*append)(sl_journal *journal, sl_frame *frame, sl_batch *batch, sl_err *err);
    void (*ack)(sl_journal *journal, unsigned output, uint64_t next);
    int64_t (*tick)(sl_journal *journal, int64_t now_mono_ns);
    uint64_t (*first)(const sl_journal *journal, unsigned output);
    uint64_t (*next)(const sl_journal *journal);
    void (*stats)(const sl_journal *journal, sl_journal_stats *out);
    size_t (*backlog)(const sl_journal *journal, unsigned output, sl_backlog *out, size_t max);
} sl_journal_ops;

struct sl_journal {
    const sl_journal_ops *ops;
    sl_journal_conf conf;
    sl_journal_events events;
    void *arg;
};

sl_journal *sl_journal__open_disk(const char *dir, const sl_journal_conf *conf, const char *const *outputs,
                                  unsigned n_outputs, const sl_journal_events *events, void *arg,
                                  sl_journal_report *report, sl_err *err);
sl_journal *sl_journal__open_memory(const sl_journal_conf *conf, unsigned n_outputs,
                                    const sl_journal_events *events, void *arg);

/* ---- the one on disk ---- */

#define SL_SYNC_BYTES        (UINT64_C(2) << 20) /* an interval's sync does not wait for more than this */
#define SL_CURSOR_SAVE_NS    SL_NS_PER_S
#define SL_MIN_SEGMENT       (64u * 1024)
#define SL_SEGMENTS_AT_LEAST 8                    /* max_size is cut into at least so many segments */
#define SL_DISK_RETRY_NS     (500 * SL_NS_PER_MS) /* after the disk refused; doubles */
#define SL_DISK_RETRY_MAX_NS (5 * SL_NS_PER_S)

/* A frame that is written but not safe: its bytes, in case the sync fails. */
typedef struct sl_unsafe {
    struct sl_unsafe *next;
    uint64_t sequence;
    uint64_t off; /* in its segment */
    int64_t at;   /* monotonic: when it was appended */
    sl_buf bytes;
} sl_unsafe;

/* Why the last append was refused, until room() has been called. */
typedef enum sl_refused { SL_REFUSED_NOT, SL_REFUSED_SIZE, SL_REFUSED_SYNC, SL_REFUSED_DISK } sl_refused;

typedef struct sl_sync_job sl_sync_job;

typedef struct sl_disk_journal {
    sl_journal base;
    char *dir;
    sl_segment *segs; /* ascending */
    size_t count, cap;
    bool appending;                      /* the last segment takes frames */
    sl_cursors cursors;                  /* and with them the id and the next numbers */
    int64_t opened_at, cursors_saved_at; /* monotonic */

    sl_unsafe *unsafe, **unsafe_last; /* ascending */
    uint64_t unsafe_bytes;
    uint64_t safe;         /* highest sequence that `safe` told of */
    bool suspect;          /* a sync failed: the first unsafe frames must be written again */
    uint64_t suspect_next; /* where the segment ends whose sync failed */
    sl_loop *sync_loop;    /* made when opening: later there may be no descriptors for it; NULL: syncs run
                            * where they are asked for */
    sl_sync_job *job;      /* on its way, or NULL */

    sl_refused refused;
    int64_t retry_at, retry_after; /* monotonic; for DISK and suspect */
    uint64_t append_errors, sync_errors;
    char trouble[SL_ERR_TEXT_MAX]; /* empty: none */
} sl_disk_journal;

/* disk.c */
extern const sl_journal_ops sl_disk__ops;
void sl_disk__free(sl_disk_journal *j); /* the memory and the descriptors; nothing is written */
sl_segment *sl_disk__find(sl_disk_journal *j, uint64_t sequence); /* the segment that holds it, or NULL */
sl_segment *sl_disk__insert(sl_disk_journal *j, size_t at);       /* a place for a new one */
bool sl_disk__has_unread(const sl_disk_journal *j);
uint64_t sl_disk__bytes(const sl_disk_journal *j);
/* Sets trouble from the error and the time of the next attempt. */
void sl_disk__trouble(sl_disk_journal *j, const sl_err *err);
/* Something has worked again; forgets the trouble unless appends are refused for it. */
void sl_disk__no_trouble(sl_disk_journal *j);
/* Tells the owner that an append may be tried again, if it waits for that. */
void sl_disk__room(sl_disk_journal *j, sl_refused waiting_for);

/* sync.c */
/* Begins a sync of the oldest segment that needs one, unless one is under way. */
void sl_sync__start(sl_disk_journal *j);
/* Waits for the one under way and takes its result. */
void sl_sync__finish(sl_disk_journal *j);
/* `fsync` as an interval: shorter while the journal has not been open for long. */
int64_t sl_sync__interval(const sl_disk_journal *j);
bool sl_sync__is_due(const sl_disk_journal *j, int64_t now);
/* Keeps a written frame until it is safe. Takes the bytes. */
void sl_sync__keep(sl_disk_journal *j, uint64_t sequence, uint64_t off, sl_buf *bytes);
/* Frames before `next` are safe, or need not be any more; tells so. */
void sl_sync__release(sl_disk_journal *j, uint64_t next);
/* Closes a segment's file, or leaves that to the sync that is using it. */
void sl_sync__close(sl_disk_journal *j, sl_segment *seg);
/* After a failed sync: writes the frames again. 0, or an error that is in `trouble` too. */
int sl_sync__rewrite(sl_disk_journal *j);

/* retention.c */
/* Ends the segment that is appended to. */
void sl_retention__roll(sl_disk_journal *j);
/* Deletes what every output has passed. True: there is more room now. */
bool sl_retention__reclaim(sl_disk_journal *j);
/* Gives up the oldest segment, read or not. False: there is none, or it can't be deleted. */
bool sl_retention__drop_oldest(sl_disk_journal *j, const char *reason);
/* Rolls by age and drops by max_age. */
void sl_retention__by_age(sl_disk_journal *j);
/* When by_age has something to do next: ns from now, or INT64_MAX. */
int64_t sl_retention__due(const sl_disk_journal *j);

/* position.c */
/* The record number at which `sequence` begins, and how many frames of its segment stand before it: found by
 * walking the headers. */
uint64_t sl_position__record(const sl_disk_journal *j, uint64_t sequence, uint64_t *frames_before);
size_t sl_position__backlog(const sl_disk_journal *j, uint64_t cursor, sl_backlog *out, size_t max);
/* Frames and records at and behind the lowest cursor. */
void sl_position__count(const sl_disk_journal *j, uint64_t *frames, uint64_t *records);

#endif
