/* journal.h: the buffer of a pipeline: an ordered run of frames, each one sealed batch, read by every output
 * through a cursor of its own.
 *
 * Owner: one loop of its own (the pipeline's journal loop), on which every function here must be called,
 * except where it says otherwise. A frame is encoded (and compressed) by the worker that sealed the batch,
 * before it gets here; the journal numbers, writes, syncs, rolls, trims and acknowledges. Readers run on the
 * output loops and touch only files.
 *
 * Two kinds with the same calls: on disk (DESIGN 4, FORMAT.md) and in memory (then nothing is written, and a
 * batch is safe only when every output has delivered it).
 */
#ifndef SLUICE_JOURNAL_H
#define SLUICE_JOURNAL_H

#include <sluice/base.h>
#include <sluice/loop.h>
#include <sluice/record.h>

#define SL_JOURNAL_FOLDER      "journal" /* journals live in data_dir/journal/<pipeline> */
#define SL_JOURNAL_MAX_OUTPUTS 256
#define SL_JOURNAL_MAX_NAME    128                 /* bytes of an output's name */
#define SL_MAX_FRAME_RAW       (UINT32_C(1) << 30) /* bytes of a frame before compression */
#define SL_MAX_UNSYNCED        (UINT64_C(4) << 20) /* bytes of frames kept in memory until the disk has them */
#define SL_CURSOR_GRACE_NS     (7 * 24 * 3600 * SL_NS_PER_S)

typedef enum sl_journal_type { SL_JOURNAL_DISK, SL_JOURNAL_MEMORY } sl_journal_type;
typedef enum sl_when_full { SL_FULL_BLOCK, SL_FULL_DROP_OLDEST, SL_FULL_DROP_NEWEST } sl_when_full;
typedef enum sl_fsync_mode { SL_FSYNC_BATCH, SL_FSYNC_INTERVAL, SL_FSYNC_OFF } sl_fsync_mode;

typedef struct sl_journal_conf {
    int type;              /* sl_journal_type */
    uint64_t max_size;     /* bytes on disk (memory: of records) */
    uint64_t segment_size; /* bytes */
    int64_t
        segment_age_ns; /* a segment with frames older than this is rolled, so that retention can free it */
    int64_t max_age_ns; /* frames older than this are dropped with reason `max_age`; 0: never */
    int fsync;          /* sl_fsync_mode */
    int64_t fsync_interval_ns;
    int when_full;          /* sl_when_full */
    int64_t compress_level; /* zstd; 0: stored as it is */
    /* No option: the loop that calls the journal. Syncs then run on a thread of their own, and their results
     * come back here. NULL: syncs run inside append, tick and close. */
    sl_loop *loop;
    /* No option: the cursors are saved whenever one moves, else once a second. What was delivered behind a cursor
     * is delivered again after a kill. */
    bool exact_cursors;
    /* No option: a segment that can't be read now is taken for damage and moved to quarantine/, where the
     * disk can still do that much; else opening fails, for it may be readable the next time. */
    bool set_aside;
} sl_journal_conf;

/* A batch as it will stand in the journal: everything but its sequence number. Made on any thread. */
typedef struct sl_frame {
    sl_buf
        bytes; /* header (sequence and header checksum still open) and payload; empty for a memory journal */
    uint32_t records;
    uint64_t raw_bytes; /* of the texts; for a memory journal, all the memory that the batch takes */
} sl_frame;
typedef struct sl_frame_coder sl_frame_coder; /* a zstd context and scratch memory; one a thread */
sl_frame_coder *sl_frame_coder_new(int level);
void sl_frame_coder_free(sl_frame_coder *coder);
/* batch: sealed. 0; SL_E_LIMIT: more than SL_MAX_FRAME_RAW bytes, or a record over SL_MAX_RECORD_LEN, which
 * no journal takes; SL_E_NOMEM. */
int sl_frame_encode(sl_frame_coder *coder, const sl_batch *batch, sl_frame *out, sl_err *err);
/* What stands in for a frame in a memory journal: the counts alone. batch: sealed. */
sl_frame sl_frame_bare(const sl_batch *batch);
/* The reverse of encode: a sealed batch with the same records, ids, times, flags (but INDEXED), common
 * fields, target and text, and its sequence. `bytes` is exactly one frame, of any origin: all is bounded and
 * checked but the header's own checksum, which whoever found the frame has looked at. SL_E_CORRUPT,
 * SL_E_VERSION, SL_E_NOMEM. */
int sl_frame_decode(sl_frame_coder *coder, sl_span bytes, sl_batch **out, sl_err *err);
void sl_frame_release(sl_frame *frame);

typedef struct sl_journal sl_journal;

/* What opening found: everything that was mended is counted here and logged by the opener. Damage is looked
 * for in segments that were not closed in order; elsewhere the readers find it, when they get there. */
typedef struct sl_journal_report {
    uint64_t segments;
    /* Not yet passed by every cursor. Damaged ones are among them: their readers will tell them as lost, so
     * that the ledger balances. */
    uint64_t frames, records;
    uint64_t torn_bytes; /* cut from the tails of segments: what was being written when the agent ended */
    uint64_t quarantined_frames, quarantined_records, quarantined_bytes; /* copied to quarantine/ */
    uint64_t missing_frames; /* known to the cursors, not there: never synced when the power went, or cut off
                              */
    uint64_t cursors_lost; /* 1: the cursor file could not be read; every output starts at the first frame */
    char first_problem[SL_ERR_TEXT_MAX]; /* names file and offset; empty when nothing was wrong */
} sl_journal_report;

/* Called from within append, ack and tick. Only room() may call the journal in turn. */
typedef struct sl_journal_events {
    /* Every batch up to and including `sequence` is as safe as fsync says (disk) or delivered by all outputs
     * (memory). In order, each sequence at most once. */
    void (*safe)(void *arg, uint64_t sequence);
    /* A new frame can be read by the outputs. segment: first sequence of the segment it stands in (a memory
     * journal: the same as sequence). batch: its sealed batch; who keeps it takes a reference. */
    void (*appended)(void *arg, uint64_t sequence, uint64_t segment, uint32_t records, sl_batch *batch);
    /* Segments with frames before `sequence` are given up (drop_oldest, max_age); reason is static
     * snake_case. The journal counts nothing: an output may hold some of those frames in memory already and
     * will still deliver them. Each output worker counts what it had not taken yet
     * (sl_output_worker_drop_before). */
    void (*dropped_before)(void *arg, uint64_t sequence, const char *reason);
    /* There is room again after sl_journal_append() returned SL_E_FULL or an error of the disk. */
    void (*room)(void *arg);
} sl_journal_events;

/* Opens or creates `dir` (created with 0700) for these outputs, by name. An output without a cursor starts at
 * the lowest cursor there is, so that a renamed output loses nothing. The cursor of an output that is no
 * longer there keeps no frames; it is forgotten after SL_CURSOR_GRACE_NS, with a line in the log. Neither
 * damage nor a full disk fails it; a folder that can't be made or listed, or a file in it that can't be
 * opened, does: what it holds must not be passed over; try again later, and after many times with
 * conf->set_aside. tick must then be called from a timer. */
sl_journal *sl_journal_open(const char *dir, const sl_journal_conf *conf, const char *const *outputs,
                            unsigned n_outputs, const sl_journal_events *events, void *arg,
                            sl_journal_report *report, sl_err *err);
/* Syncs, saves the cursors, closes. safe() is called for what the last sync reached. NULL is fine. */
void sl_journal_close(sl_journal *journal);

/* 0: written; `safe` follows, by policy. The frame's bytes are the journal's then (the frame is left empty),
 * batch->sequence is set; the batch itself stays the caller's, the journal takes references of its own.
 * SL_E_FULL: max_size is reached and when_full is block. SL_E_AGAIN: more than SL_MAX_UNSYNCED bytes wait for
 * the disk to sync. Another error: the disk refused; nothing is half-written that a reader could see. In all
 * these cases keep frame and batch and append them again after room(). A frame always fits into a journal
 * that holds nothing unread. With drop_newest a frame without room is given up: 1 is returned, the caller
 * counts its records as dropped (`journal_full`) and takes its receipt as safe. */
int sl_journal_append(sl_journal *journal, sl_frame *frame, sl_batch *batch, sl_err *err);
/* From now on max_size refuses nothing: before a close that waits for what is on the way. */
void sl_journal_lift_limit(sl_journal *journal);
/* Output o has dealt with every frame before `next`. The cursor is saved lazily, and always before segments
 * are deleted. */
void sl_journal_ack(sl_journal *journal, unsigned output, uint64_t next);
/* Interval sync, roll by age, max_age, retry after disk errors, cursor saving. Returns when it wants to be
 * called next (ns from now). */
int64_t sl_journal_tick(sl_journal *journal, int64_t now_mono_ns);

uint64_t sl_journal_first(const sl_journal *journal, unsigned output); /* where the output's cursor stands */
uint64_t sl_journal_next(const sl_journal *journal); /* the sequence the next frame will get */
typedef struct sl_journal_stats {
    uint64_t bytes, segments;
    uint64_t frames; /* behind the lowest cursor */
    uint64_t append_errors, sync_errors;
    const char *trouble; /* NULL, or what the disk last said, while it refuses */
} sl_journal_stats;
void sl_journal_stats_get(const sl_journal *journal, sl_journal_stats *out);
/* Records at or behind the cursor of `output`, counted from the frames themselves. */
uint64_t sl_journal_buffered(const sl_journal *journal, unsigned output);

/* The same by segment, oldest first: `first` is the segment's first sequence, `records` how many of its
 * records stand at or behind the cursor of `output`. */
typedef struct sl_backlog {
    uint64_t first;
    uint64_t records;
} sl_backlog;
/* Fills at most max entries, returns how many there are. */
size_t sl_journal_backlog(const sl_journal *journal, unsigned output, sl_backlog *out, size_t max);

/* Where the cursor of `output` was saved last in the journal at dir; 0 when there is none. Reads a file; any
 * thread. */
uint64_t sl_journal_saved_cursor(const char *dir, const char *output);

/* ---- readers: on any one thread each, beside the running journal or on a stopped one ---- */

#define SL_READ_TRIES 4

/* Reads frames from the files. Knows nothing of the journal's memory: it is told up to which sequence frames
 * exist (through `appended`). */
typedef struct sl_journal_reader sl_journal_reader;
sl_journal_reader *sl_journal_reader_new(const char *dir);
void sl_journal_reader_free(sl_journal_reader *reader);
/* The frame with the lowest sequence >= `sequence`. 0: *out is a sealed batch, batch->sequence tells which;
 * frames that the journal has dropped are stepped over silently.
 * SL_E_CORRUPT: what stands there can't be read and has been copied to quarantine/; err names file and
 * offset; go on with *next_sequence, and count *lost_records as lost: exact, since frames carry running
 * numbers, and all from the segment of `sequence`. SL_E_NOT_FOUND: nothing there. Below the sequence that
 * `appended` told of this means that the rest was dropped (dropped_before is on its way), or is damaged to
 * the very end: what is not taken yet is lost. SL_E_IO: the disk refused; try again later: what can't be read
 * after SL_READ_TRIES times counts as damaged. SL_E_NOMEM. */
int sl_journal_reader_read(sl_journal_reader *reader, uint64_t sequence, sl_batch **out,
                           uint64_t *next_sequence, uint64_t *lost_records, sl_err *err);

#endif
