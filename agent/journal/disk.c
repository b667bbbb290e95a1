/* disk.c: the journal on disk: appending, acknowledging, ticking, closing. Its parts are disk_open.c, sync.c
 * (when a frame is safe), retention.c (which segments stay), cursor.c, recover.c and position.c.
 *
 * Invariants:
 *  - Segments are ascending and only the last may be appended to. One run never appends to another
 *    run's segment.
 *  - A frame gets its sequence when it has been written whole, not before; a refused append has
 *    changed nothing.
 *  - Whatever the disk refuses is tried again; meanwhile appends are refused and nothing is forgotten.
 */
#include "journal_int.h"

#include <errno.h>
#include <sluice/fault.h>
#include <stdio.h>

static sl_disk_journal *disk_of(sl_journal *journal)
{
    return sl_container_of(journal, sl_disk_journal, base);
}
static const sl_disk_journal *const_disk_of(const sl_journal *journal)
{
    return (const sl_disk_journal *)((const char *)journal - offsetof(sl_disk_journal, base));
}

/* ---- shared with the other parts ---- */

sl_segment *sl_disk__find(sl_disk_journal *j, uint64_t sequence)
{
    for (size_t i = j->count; i-- > 0;)
        if (j->segs[i].first <= sequence) return sequence < j->segs[i].next ? &j->segs[i] : NULL;
    return NULL;
}

sl_segment *sl_disk__insert(sl_disk_journal *j, size_t at)
{
    if (j->count == j->cap) {
        j->cap = j->cap ? 2 * j->cap : 16;
        j->segs = sl_realloc(j->segs, j->cap * sizeof(*j->segs));
    }
    memmove(&j->segs[at + 1], &j->segs[at], (j->count - at) * sizeof(*j->segs));
    j->count++;
    return &j->segs[at];
}

bool sl_disk__has_unread(const sl_disk_journal *j)
{
    return j->count && sl_cursors__lowest(&j->cursors) < j->segs[j->count - 1].next;
}

uint64_t sl_disk__bytes(const sl_disk_journal *j)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < j->count; i++)
        bytes += j->segs[i].bytes;
    return bytes;
}

void sl_disk__trouble(sl_disk_journal *j, const sl_err *err)
{
    snprintf(j->trouble, sizeof(j->trouble), "%s", err->text);
    j->retry_after = j->retry_after ? 2 * j->retry_after : SL_DISK_RETRY_NS;
    if (j->retry_after > SL_DISK_RETRY_MAX_NS) j->retry_after = SL_DISK_RETRY_MAX_NS;
    j->retry_at = sl_clock_mono_ns() + j->retry_after;
}

void sl_disk__no_trouble(sl_disk_journal *j)
{
    if (j->suspect || j->refused == SL_REFUSED_DISK) return;
    j->trouble[0] = '\0';
    j->retry_after = 0;
}

void sl_disk__room(sl_disk_journal *j, sl_refused waiting_for)
{
    if (j->refused != waiting_for) return;
    j->refused = SL_REFUSED_NOT;
    j->base.events.room(j->base.arg);
}

/* ---- appending ---- */

static uint64_t segment_limit(const sl_journal_conf *conf)
{
    uint64_t limit = conf->segment_size;
    if (conf->max_size && limit > conf->max_size / SL_SEGMENTS_AT_LEAST)
        limit = conf->max_size / SL_SEGMENTS_AT_LEAST;
    return limit > SL_MIN_SEGMENT ? limit : SL_MIN_SEGMENT;
}

/* The name of a new segment must last as long as the frames in it. */
static int begin_segment(sl_disk_journal *j)
{
    sl_segment seg;
    char path[SL_PATH_LEN];
    int rc =
        sl_segment__create(&seg, j->dir, "", j->cursors.id, j->cursors.next_sequence, j->cursors.next_record);
    if (rc < 0) return rc;
    if (j->base.conf.fsync != SL_FSYNC_OFF && (rc = sl_fs_sync_dir(j->dir)) < 0) {
        sl_segment__close(&seg);
        sl_segment__path(j->dir, seg.first, "", path);
        sl_fs_unlink(path);
        return rc;
    }
    SL_FAULT(SEGMENT_CREATED);
    *sl_disk__insert(j, j->count) = seg;
    j->appending = true;
    return 0;
}

/* Nothing was ever written whole to it: the next one gets its name. */
static void discard_empty(sl_disk_journal *j)
{
    sl_segment__close(&j->segs[--j->count]);
    j->appending = false;
}

/* A segment to which `len` bytes may be appended. 0 or a negative errno. */
static int ready_segment(sl_disk_journal *j, size_t len)
{
    if (j->appending) {
        const sl_segment *seg = &j->segs[j->count - 1];
        bool fits = seg->frames == 0 || seg->bytes + len <= segment_limit(&j->base.conf);
        if (fits && !seg->broken) return 0;
        if (seg->frames > 0)
            sl_retention__roll(j);
        else
            discard_empty(j);
    }
    return begin_segment(j);
}

/* 0 or a negative errno; then nothing has changed that a reader could see. */
static int write_frame(sl_disk_journal *j, sl_frame *frame)
{
    sl_frame_header hdr;
    int rc = ready_segment(j, frame->bytes.len);
    if (rc < 0) return rc;
    sl_assert(sl_frame_header__parse(frame->bytes.ptr, frame->bytes.len, &hdr));
    hdr.sequence = j->cursors.next_sequence;
    hdr.first_record = j->cursors.next_record;
    hdr.written = sl_clock_wall_ns();
    sl_frame_header__encode(&hdr, j->cursors.id, frame->bytes.ptr);
    return sl_segment__append(&j->segs[j->count - 1], sl_buf_span(&frame->bytes), &hdr);
}

static int refuse(sl_disk_journal *j, sl_refused why, int code)
{
    j->refused = why;
    return code;
}

static int refuse_for_size(sl_disk_journal *j, sl_err *err)
{
    sl_err_set(err, SL_E_FULL,
               "the journal %s is full (max_size %llu bytes): the outputs must catch up first", j->dir,
               (unsigned long long)j->base.conf.max_size);
    return refuse(j, SL_REFUSED_SIZE, SL_E_FULL);
}

static int refuse_for_disk(sl_disk_journal *j, int rc, sl_err *err)
{
    sl_err own = SL_ERR_NONE;
    sl_err_sys(&own, -rc, "cannot write to the journal %s", j->dir);
    j->append_errors++;
    sl_disk__trouble(j, &own);
    if (err) *err = own;
    return refuse(j, SL_REFUSED_DISK, own.code);
}

/* What is read and may go, goes: also what stands in the segment that is appended to. True: something went.
 */
static bool free_what_is_read(sl_disk_journal *j)
{
    bool any = sl_retention__reclaim(j);
    if (sl_disk__has_unread(j) || !j->appending || j->segs[j->count - 1].frames == 0) return any;
    sl_retention__roll(j);
    return sl_retention__reclaim(j) || any;
}

/* 0: there is room; 1: the frame is to be given up; SL_E_FULL. */
static int make_room(sl_disk_journal *j, size_t len, sl_err *err)
{
    const sl_journal_conf *conf = &j->base.conf;
    if (!conf->max_size || sl_disk__bytes(j) + len <= conf->max_size) return 0;
    free_what_is_read(j);
    while (sl_disk__bytes(j) + len > conf->max_size && sl_disk__has_unread(j)) {
        if (conf->when_full == SL_FULL_DROP_NEWEST) return 1;
        if (conf->when_full == SL_FULL_BLOCK) return refuse_for_size(j, err);
        if (!sl_retention__drop_oldest(j, "drop_oldest")) return refuse_for_disk(j, -EIO, err);
    }
    return 0;
}

/* The disk itself is full: what helps against max_size may help here. True: try once more. */
static bool free_disk(sl_disk_journal *j)
{
    if (free_what_is_read(j)) return true;
    return j->base.conf.when_full == SL_FULL_DROP_OLDEST && sl_disk__has_unread(j) &&
           sl_retention__drop_oldest(j, "drop_oldest");
}

/* 0, 1 (given up), or an error code. */
static int write_or_refuse(sl_disk_journal *j, sl_frame *frame, sl_err *err)
{
    int rc;
    while ((rc = write_frame(j, frame)) < 0) {
        if (rc != -ENOSPC && rc != -EDQUOT) break;
        if (free_disk(j)) continue;
        if (j->base.conf.when_full == SL_FULL_DROP_NEWEST) return 1;
        break;
    }
    return rc < 0 ? refuse_for_disk(j, rc, err) : 0;
}

/* Frames that are not safe are kept in memory: no more than that. */
static int check_unsafe(sl_disk_journal *j, size_t len, sl_err *err)
{
    if (j->unsafe && j->unsafe_bytes + len > SL_MAX_UNSYNCED) sl_sync__start(j);
    if (j->suspect) {
        sl_err_set(err, SL_E_IO, "%s", j->trouble);
        return refuse(j, SL_REFUSED_DISK, SL_E_IO);
    }
    if (!j->unsafe || j->unsafe_bytes + len <= SL_MAX_UNSYNCED) return 0;
    sl_err_set(err, SL_E_AGAIN, "the disk under the journal %s is slow to sync: appends wait for it", j->dir);
    return refuse(j, SL_REFUSED_SYNC, SL_E_AGAIN);
}

static void take_frame(sl_disk_journal *j, sl_frame *frame, sl_batch *batch)
{
    const sl_segment *seg = &j->segs[j->count - 1];
    uint64_t sequence = j->cursors.next_sequence, off = seg->bytes - frame->bytes.len;
    SL_FAULT(FRAME_WRITTEN);
    j->cursors.next_sequence = seg->next;
    j->cursors.next_record = seg->next_record;
    j->cursors.moved = true; /* a later opening knows by the numbers what was cut off */
    batch->sequence = sequence;
    j->refused = SL_REFUSED_NOT;
    sl_disk__no_trouble(j);
    j->base.events.appended(j->base.arg, sequence, seg->first, frame->records, batch);
    if (j->base.conf.fsync == SL_FSYNC_OFF) {
        sl_frame_release(frame);
        j->safe = sequence;
        j->base.events.safe(j->base.arg, sequence);
        return;
    }
    sl_sync__keep(j, sequence, off, &frame->bytes);
    if (j->base.conf.fsync == SL_FSYNC_BATCH || j->unsafe_bytes >= SL_SYNC_BYTES) sl_sync__start(j);
}

static int append(sl_journal *journal, sl_frame *frame, sl_batch *batch, sl_err *err)
{
    sl_disk_journal *j = disk_of(journal);
    int rc = check_unsafe(j, frame->bytes.len, err);
    if (rc == 0) rc = make_room(j, frame->bytes.len, err);
    if (rc == 0) rc = write_or_refuse(j, frame, err);
    if (rc != 0) return rc;
    take_frame(j, frame, batch);
    return 0;
}

/* ---- acknowledging and ticking ---- */

static void save_cursors(sl_disk_journal *j, int64_t now);

static void ack(sl_journal *journal, unsigned output, uint64_t next)
{
    sl_disk_journal *j = disk_of(journal);
    sl_assert(output < j->cursors.n_outputs && next <= j->cursors.next_sequence);
    sl_cursor *cursor = &j->cursors.list[output];
    if (next <= cursor->next) return;
    cursor->next = next;
    j->cursors.moved = true;
    if (j->base.conf.exact_cursors) save_cursors(j, sl_clock_mono_ns());
    bool freed = j->count && j->segs[0].next <= sl_cursors__lowest(&j->cursors) && sl_retention__reclaim(j);
    if (freed || !sl_disk__has_unread(j)) sl_disk__room(j, SL_REFUSED_SIZE);
}

static void save_cursors(sl_disk_journal *j, int64_t now)
{
    int64_t interval = j->base.conf.exact_cursors ? 0 : sl_clock_early(SL_CURSOR_SAVE_NS, j->opened_at);
    if (!j->cursors.moved || now - j->cursors_saved_at < interval) return;
    j->cursors_saved_at = now;
    int rc = sl_cursors__save(&j->cursors, false);
    if (rc == 0) {
        sl_disk__no_trouble(j);
        return;
    }
    sl_err err = SL_ERR_NONE;
    sl_err_sys(&err, -rc, "cannot save the cursors of the journal %s", j->dir);
    sl_disk__trouble(j, &err);
}

static int64_t next_tick(const sl_disk_journal *j, int64_t now)
{
    const sl_journal_conf *conf = &j->base.conf;
    int64_t next = sl_clock_early(SL_CURSOR_SAVE_NS, j->opened_at);
    /* Never longer than the interval: then a frame that is appended right after this tick is still synced in
     * time. */
    int64_t interval = sl_sync__interval(j);
    if (conf->fsync == SL_FSYNC_INTERVAL && interval < next) next = interval;
    if (conf->fsync == SL_FSYNC_INTERVAL && j->unsafe && !j->job && !j->suspect) {
        int64_t sync = j->unsafe->at + interval - now;
        if (sync < next) next = sync;
    }
    if (j->trouble[0] && j->retry_at - now < next && j->retry_at > now) next = j->retry_at - now;
    int64_t age = j->trouble[0] ? next : sl_retention__due(j);
    if (age < next) next = age;
    return next > SL_NS_PER_MS ? next : SL_NS_PER_MS;
}

static int64_t tick(sl_journal *journal, int64_t now)
{
    sl_disk_journal *j = disk_of(journal);
    if (j->suspect && !j->job && now >= j->retry_at) sl_sync__rewrite(j);
    if (sl_sync__is_due(j, now)) sl_sync__start(j);
    if (!j->trouble[0] || now >= j->retry_at) sl_retention__by_age(j);
    bool freed = sl_retention__reclaim(j);
    save_cursors(j, now);
    int64_t next = next_tick(j, now);
    if (freed) sl_disk__room(j, SL_REFUSED_SIZE);
    if (!j->suspect && now >= j->retry_at) sl_disk__room(j, SL_REFUSED_DISK);
    return next;
}

/* ---- looking ---- */

static uint64_t first(const sl_journal *journal, unsigned output)
{
    return const_disk_of(journal)->cursors.list[output].next;
}
static uint64_t next(const sl_journal *journal)
{
    return const_disk_of(journal)->cursors.next_sequence;
}

static void stats(const sl_journal *journal, sl_journal_stats *out)
{
    const sl_disk_journal *j = const_disk_of(journal);
    *out = (sl_journal_stats){
        .bytes = sl_disk__bytes(j),
        .segments = j->count,
        .frames = j->cursors.next_sequence - sl_cursors__lowest(&j->cursors),
        .append_errors = j->append_errors,
        .sync_errors = j->sync_errors,
        .trouble = j->trouble[0] ? j->trouble : NULL,
    };
}

static size_t backlog(const sl_journal *journal, unsigned output, sl_backlog *out, size_t max)
{
    const sl_disk_journal *j = const_disk_of(journal);
    return sl_position__backlog(j, j->cursors.list[output].next, out, max);
}

/* ---- closing ---- */

void sl_disk__free(sl_disk_journal *j)
{
    while (j->unsafe) {
        sl_unsafe *kept = j->unsafe;
        j->unsafe = kept->next;
        sl_buf_release(&kept->bytes);
        sl_free(kept);
    }
    for (size_t i = 0; i < j->count; i++)
        sl_segment__close(&j->segs[i]);
    if (j->sync_loop) sl_loop_free(j->sync_loop);
    sl_cursors__close(&j->cursors);
    sl_free(j->segs);
    sl_free(j->dir);
    sl_free(j);
}

static void close_disk(sl_journal *journal)
{
    sl_disk_journal *j = disk_of(journal);
    j->base.conf.loop = NULL; /* the last syncs run here */
    sl_sync__finish(j);
    if (j->suspect) sl_sync__rewrite(j);
    sl_retention__roll(j);
    for (uint64_t before = 0; j->unsafe && !j->suspect && j->unsafe->sequence != before;) {
        before = j->unsafe->sequence;
        sl_sync__start(j);
    }
    sl_retention__reclaim(j);
    (void)sl_cursors__save(&j->cursors, j->base.conf.fsync != SL_FSYNC_OFF);
    sl_disk__free(j);
}

const sl_journal_ops sl_disk__ops = {
    .close = close_disk,
    .append = append,
    .ack = ack,
    .tick = tick,
    .first = first,
    .next = next,
    .stats = stats,
    .backlog = backlog,
};
