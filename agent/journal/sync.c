/* sync.c: when a written frame is safe, and what happens when the disk says no.
 *
 * Frames that are not safe are kept in memory, in order. A sync covers one segment up to what was written
 * when it began; only when it succeeds are those frames let go. One runs at a time, on a thread of its own
 * when the journal has a loop, so that appends and deliveries go on meanwhile; the result comes back to the
 * journal's loop.
 *
 * After a failed sync nothing that the file holds beyond the last good one is believed, however the next sync
 * ends: the kernel may have thrown the pages away. The frames are written again from memory to a new file,
 * and only when that one is synced and has its name are they safe. Meanwhile nothing is appended.
 */
#include "journal_int.h"

#include <sluice/fault.h>
#include <stdio.h>

struct sl_sync_job {
    sl_message go, back;
    sl_disk_journal *journal; /* NULL: it was closed meanwhile */
    sl_loop *home;
    int fd;
    uint64_t up_to; /* frames before it are covered */
    int result;     /* 0 or a negative errno */
    bool close_fd;
};

/* ---- the frames that are not safe ---- */

void sl_sync__keep(sl_disk_journal *j, uint64_t sequence, uint64_t off, sl_buf *bytes)
{
    sl_unsafe *kept = sl_alloc(sizeof(*kept));
    *kept = (sl_unsafe){.sequence = sequence, .off = off, .at = sl_clock_mono_ns(), .bytes = *bytes};
    *bytes = (sl_buf)SL_BUF_NONE;
    if (!j->unsafe) j->unsafe_last = &j->unsafe;
    *j->unsafe_last = kept;
    j->unsafe_last = &kept->next;
    j->unsafe_bytes += kept->bytes.len;
}

void sl_sync__release(sl_disk_journal *j, uint64_t next)
{
    uint64_t last = 0;
    while (j->unsafe && j->unsafe->sequence < next) {
        sl_unsafe *kept = j->unsafe;
        j->unsafe = kept->next;
        j->unsafe_bytes -= kept->bytes.len;
        last = kept->sequence;
        sl_buf_release(&kept->bytes);
        sl_free(kept);
    }
    if (j->suspect && next >= j->suspect_next) j->suspect = false;
    if (!last) return;
    j->safe = last;
    j->base.events.safe(j->base.arg, last);
}

/* ---- syncing ---- */

static void close_synced(sl_disk_journal *j)
{
    size_t rolled = j->appending ? j->count - 1 : j->count;
    uint64_t unsafe_from = j->unsafe ? j->unsafe->sequence : UINT64_MAX;
    for (size_t i = rolled; i-- > 0 && j->segs[i].fd >= 0;)
        if (j->segs[i].next <= unsafe_from) sl_segment__close(&j->segs[i]);
}

static void take_failure(sl_disk_journal *j, int result)
{
    const sl_segment *seg = sl_disk__find(j, j->unsafe->sequence);
    sl_err err = SL_ERR_NONE;
    sl_err_sys(&err, -result,
               "syncing the journal %s failed: its last frames are written again to a new segment", j->dir);
    j->sync_errors++;
    j->suspect = true;
    j->suspect_next = seg->next;
    sl_disk__trouble(j, &err);
}

static void take_result(sl_disk_journal *j, uint64_t up_to, int result)
{
    if (result == 0) {
        SL_FAULT(FRAME_SYNCED);
        sl_sync__release(j, up_to);
        close_synced(j);
    } else if (j->unsafe && j->unsafe->sequence < up_to) {
        take_failure(j, result);
    }
}

/* On the thread of syncs. */
static void run_job(sl_message *msg)
{
    sl_sync_job *job = sl_container_of(msg, sl_sync_job, go);
    job->result = sl_fs_fdatasync(job->fd);
    sl_loop_post(job->home, &job->back);
}

static void end_job(sl_disk_journal *j, sl_sync_job *job)
{
    j->job = NULL;
    if (job->close_fd) sl_fs_close(job->fd);
    take_result(j, job->up_to, job->result);
}

/* On the journal's loop. */
static void on_job_back(sl_message *msg)
{
    sl_sync_job *job = sl_container_of(msg, sl_sync_job, back);
    sl_disk_journal *j = job->journal;
    if (j) {
        end_job(j, job);
        if (j->base.conf.fsync == SL_FSYNC_BATCH || j->unsafe_bytes >= SL_SYNC_BYTES) sl_sync__start(j);
        if (!j->suspect) sl_disk__room(j, SL_REFUSED_SYNC);
    }
    sl_free(job);
}

static void post_job(sl_disk_journal *j, const sl_segment *seg)
{
    sl_sync_job *job = sl_calloc(1, sizeof(*job));
    *job = (sl_sync_job){
        .go.run = run_job,
        .back.run = on_job_back,
        .journal = j,
        .home = j->base.conf.loop,
        .fd = seg->fd,
        .up_to = seg->next,
    };
    j->job = job;
    sl_loop_post(j->sync_loop, &job->go);
}

void sl_sync__start(sl_disk_journal *j)
{
    if (j->job || j->suspect || !j->unsafe) return;
    sl_segment *seg = sl_disk__find(j, j->unsafe->sequence);
    sl_assert(seg && seg->fd >= 0);
    if (j->base.conf.loop)
        post_job(j, seg);
    else
        take_result(j, seg->next, sl_fs_fdatasync(seg->fd));
}

static void nothing(void *arg)
{
    (void)arg;
}

void sl_sync__finish(sl_disk_journal *j)
{
    sl_sync_job *job = j->job;
    if (!job) return;
    /* When the thread has come to this call the sync before it is done. Its message home finds no journal. */
    sl_loop_call_wait(j->sync_loop, nothing, NULL);
    job->journal = NULL;
    end_job(j, job);
}

int64_t sl_sync__interval(const sl_disk_journal *j)
{
    return sl_clock_early(j->base.conf.fsync_interval_ns, j->opened_at);
}

bool sl_sync__is_due(const sl_disk_journal *j, int64_t now)
{
    if (!j->unsafe || j->job || j->suspect) return false;
    return j->base.conf.fsync == SL_FSYNC_BATCH || j->unsafe_bytes >= SL_SYNC_BYTES ||
           now - j->unsafe->at >= sl_sync__interval(j);
}

void sl_sync__close(sl_disk_journal *j, sl_segment *seg)
{
    if (seg->fd >= 0 && j->job && j->job->fd == seg->fd) {
        j->job->close_fd = true;
        seg->fd = -1;
    }
    sl_segment__close(seg);
}

/* ---- writing again ---- */

/* All frames of `old` from the first unsafe one on, into a file that has no name of a segment yet. */
static int write_copies(sl_disk_journal *j, const sl_segment *old, sl_segment *seg)
{
    sl_frame_header hdr;
    sl_unsafe *kept = j->unsafe;
    sl_assert(sl_frame_header__parse(kept->bytes.ptr, kept->bytes.len, &hdr));
    int rc = sl_segment__create(seg, j->dir, ".new", j->cursors.id, hdr.sequence, hdr.first_record);
    for (; rc == 0 && kept && kept->sequence < old->next; kept = kept->next) {
        sl_frame_header__parse(kept->bytes.ptr, kept->bytes.len, &hdr);
        rc = sl_segment__append(seg, sl_buf_span(&kept->bytes), &hdr);
    }
    return rc;
}

static int give_name(sl_disk_journal *j, const sl_segment *seg)
{
    char from[SL_PATH_LEN], to[SL_PATH_LEN];
    sl_segment__path(j->dir, seg->first, ".new", from);
    sl_segment__path(j->dir, seg->first, "", to);
    int rc = sl_fs_fdatasync(seg->fd);
    if (rc == 0) rc = sl_fs_rename(from, to);
    return rc == 0 ? sl_fs_sync_dir(j->dir) : rc;
}

/* The new segment takes over from the old one: in its place, or behind what of it is safe. */
static void take_over(sl_disk_journal *j, sl_segment *old, const sl_segment *seg, uint64_t cut_at)
{
    sl_sync__close(j, old);
    if (seg->first == old->first) {
        *old = *seg;
        return;
    }
    char path[SL_PATH_LEN];
    sl_segment__path(j->dir, old->first, "", path);
    int fd = sl_fs_open(path, O_WRONLY, 0);
    if (fd >= 0 && sl_fs_ftruncate(fd, (off_t)cut_at) == 0) old->bytes = cut_at;
    if (fd >= 0) sl_fs_close(fd);
    old->next = seg->first;
    old->next_record = seg->first_record;
    old->frames -= seg->frames < old->frames ? seg->frames : old->frames;
    size_t at = (size_t)(old - j->segs) + 1;
    sl_segment *new = sl_disk__insert(j, at);
    *new = *seg;
    new->goes_with_previous = true;
}

static int give_up_copy(sl_disk_journal *j, sl_segment *seg, int rc)
{
    char path[SL_PATH_LEN];
    sl_err err = SL_ERR_NONE;
    sl_segment__path(j->dir, j->unsafe->sequence, ".new", path);
    sl_segment__close(seg);
    sl_fs_unlink(path);
    sl_err_sys(&err, -rc, "the journal %s can't write its last frames again after a failed sync", j->dir);
    sl_disk__trouble(j, &err);
    return err.code;
}

int sl_sync__rewrite(sl_disk_journal *j)
{
    sl_assert(j->suspect && j->unsafe && !j->job);
    sl_segment *old = sl_disk__find(j, j->unsafe->sequence);
    sl_segment seg = {.fd = -1};
    bool was_last = old == &j->segs[j->count - 1] && j->appending;
    uint64_t cut_at = j->unsafe->off;
    int rc = write_copies(j, old, &seg);
    if (rc == 0 && !was_last) (void)sl_segment__seal(&seg, j->cursors.id);
    if (rc == 0) rc = give_name(j, &seg);
    if (rc < 0) return give_up_copy(j, &seg, rc);
    take_over(j, old, &seg, cut_at);
    sl_sync__release(j, seg.next);
    sl_disk__no_trouble(j);
    close_synced(j);
    return 0;
}
