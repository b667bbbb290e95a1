/* follow.c: one file's turn, and what time does to files.
 *
 * A turn asks, in this order: is the descriptor good, is the generation still the one we know (size and head;
 * the bytes before the position are proven by the read itself), is there something complete to read. Whatever
 * changes a file while nobody looks is so found before a byte of it is taken for something it is not.
 */
#include "tail_int.h"
#include <errno.h>

/* ---- what is known of a file ---- */

void tail_note_size(tail_file *f, const struct stat *st)
{
    uint64_t size = (uint64_t)st->st_size;
    int64_t mtime_ns = tail_mtime_ns(st);
    if (size != f->size || mtime_ns != f->mtime_ns) f->changed_ns = sl_clock_mono_ns();
    f->size = size;
    f->mtime_ns = mtime_ns;
}

bool tail_is_complete(const tail *t, const tail_file *f)
{
    if (sl_input_once(t->in) || (t->stopping && f->deleted)) return true;
    return (f->rotated || f->left_ns) && sl_clock_mono_ns() - f->changed_ns >= t->times.quiet;
}

void tail_update_timed(tail *t, tail_file *f)
{
    bool wait = f->state == TAIL_HELD || f->left_ns || f->waiting;
    char *from = !wait && f->pos.off < f->size ? tail_rotated_from(f->path) : NULL;
    tail_make_timed(t, f, wait || from || (f->pos.off < f->size && f->rotated));
    sl_free(from);
}

void tail_file_left(tail *t, tail_file *f, bool deleted)
{
    if (deleted && !f->deleted) sl_counter_add(t->count.deletions, 1);
    f->deleted = deleted;
    f->rotated = true;
    f->left_ns = f->changed_ns = sl_clock_mono_ns();
    tail_make_ready(t, f);
    tail_make_timed(t, f, true);
}

/* ---- another generation ---- */

static void wake_held(tail *t)
{
    for (tail_link *at = t->timed.next; at != &t->timed; at = at->next) {
        tail_file *f = TAIL_FILE(at, timed);
        if (f->state == TAIL_HELD) tail_make_ready(t, f);
    }
}

static bool has_held_copy(const tail *t, const tail_file *f)
{
    for (const tail_link *at = t->timed.next; at != &t->timed; at = at->next)
        if (TAIL_FILE(at, timed)->twin == f) return true;
    return false;
}

static void tell_lost(tail *t, const tail_file *f, uint64_t lost)
{
    sl_counter_add(t->count.lost_files, 1);
    sl_counter_add(t->count.lost_bytes, lost);
    tail_log(
        t, TAIL_MSG_LOST, SL_LOG_WARN,
        "%s was truncated before it was read: %llu bytes after offset %llu are lost unless a copy turns up",
        f->path, (unsigned long long)lost, (unsigned long long)f->pos.off);
}

void tail_seek_copy(tail *t, tail_file *f, uint64_t size_before)
{
    uint64_t lost = size_before > f->pos.off ? size_before - f->pos.off : 0;
    if (!has_held_copy(t, f) && !tail_find_copy(t, f) && lost) tell_lost(t, f, lost);
}

/* What was seen last of a file, before it is looked at again. */
typedef struct seen {
    uint64_t size;
    int64_t mtime_ns;
} seen;

static seen seen_of(const tail_file *f)
{
    return (seen){f->size, f->mtime_ns};
}

/* The inode of f holds other bytes: they are a generation of their own; `last` is what was seen of f itself.
 */
static void begin_anew(tail *t, tail_file *f, tail_verdict verdict, seen last)
{
    tail_file *g = tail_file_new(t);
    tail_file_rebind(t, g, f);
    g->rotated = false; /* its writer may be another one: the inode may be a new file's */
    if (f->shown) g->shown = sl_strdup(f->shown);
    tail_make_timed(t, g, g->left_ns != 0);
    if (verdict == TAIL_SHRUNK) {
        g->start = TAIL_START_EXACT;
        g->start_off = g->size;
        sl_counter_add(t->count.shrunk, 1);
    }
    sl_counter_add(t->count.truncations, 1);
    tail_log(t, TAIL_MSG_TRUNCATED, SL_LOG_INFO,
             "%s was %s at %llu bytes; it had been read up to offset %llu", f->path,
             verdict == TAIL_SHRUNK ? "cut" : "truncated or written anew", (unsigned long long)g->size,
             (unsigned long long)f->pos.off);
    f->size = last.size;
    f->mtime_ns = last.mtime_ns;
    tail_file_end(t, f, TAIL_END_TRUNCATED);
    tail_make_ready(t, g);
    wake_held(t);
    if (verdict == TAIL_OTHER) tail_seek_copy(t, f, last.size);
}

/* ---- a turn ---- */

static void cannot_read(tail *t, tail_file *f, int error)
{
    if (error == -ESTALE || error == -ENOENT) {
        tail_make_checked(t, f);
        return;
    }
    sl_counter_add(t->count.read_errors, 1);
    tail_log(t, TAIL_MSG_READ, SL_LOG_WARN, "%s cannot be read at offset %llu: %s; it is tried again",
             f->path, (unsigned long long)f->pos.off, strerror(-error));
    f->waiting = true;
    tail_make_timed(t, f, true);
}

/* False: the turn is over. */
static bool is_as_known(tail *t, tail_file *f)
{
    struct stat st;
    int rc = tail_file_open(t, f);
    if (rc == 0) rc = sl_fs_fstat(f->fd, &st);
    if (rc != 0) {
        cannot_read(t, f, rc);
        return false;
    }
    f->waiting = false;
    seen last = seen_of(f);
    tail_note_size(f, &st);
    tail_head head = f->head;
    tail_verdict verdict = f->size < f->pos.off ? tail_verify(f->fd, f->size, &f->pos, &head)
                                                : tail_head_verify(f->fd, f->pos.off, &head);
    if (verdict == TAIL_UNKNOWN) {
        cannot_read(t, f, -EIO);
        return false;
    }
    if (verdict != TAIL_SAME) {
        begin_anew(t, f, verdict, last);
        return false;
    }
    if (head.len != f->head.len) {
        tail_file_set_head(t, f, head);
        tail_make_dirty(t, f);
    }
    return true;
}

void tail_check_generation(tail *t, tail_file *f)
{
    is_as_known(t, f);
}

bool tail_follow(tail *t, tail_file *f)
{
    seen last = seen_of(f);
    if (f->state != TAIL_FOLLOWED || !is_as_known(t, f)) return false;
    switch (tail_read_batch(t, f)) {
    case TAIL_READ_MORE: return true;
    case TAIL_READ_OTHER: begin_anew(t, f, TAIL_OTHER, last); return false;
    case TAIL_READ_FAILED: cannot_read(t, f, -EIO); return false;
    case TAIL_READ_END: break;
    }
    tail_update_timed(t, f);
    if (sl_input_once(t->in)) {
        f->done = true;
        tail_file_close(t, f);
    }
    return false;
}

/* The last chance for what has no name any more: as much as the pipeline takes is read. */
static void read_deleted(tail *t, tail_file *f)
{
    while (sl_input_may_read(t->in) && tail_follow(t, f)) {
    }
    if (f->state == TAIL_FOLLOWED && f->size > f->pos.off) {
        sl_counter_add(t->count.lost_files, 1);
        sl_counter_add(t->count.lost_bytes, f->size - f->pos.off);
        tail_log(t, TAIL_MSG_LOST, SL_LOG_ERROR,
                 "%s was deleted and cannot be read to its end before the agent stops: %llu bytes after "
                 "offset %llu are "
                 "lost",
                 f->path, (unsigned long long)(f->size - f->pos.off), (unsigned long long)f->pos.off);
    }
}

void tail_read_deleted(tail *t)
{
    t->stopping = true;
    for (tail_link *at = t->files.next, *next; at != &t->files; at = next) {
        next = at->next;
        tail_file *f = TAIL_FILE(at, all);
        if (f->state == TAIL_FOLLOWED && f->deleted && f->fd >= 0) read_deleted(t, f);
    }
}

/* ---- time ---- */

static bool has_lingered(const tail *t, const tail_file *f)
{
    if (!f->left_ns || f->size > f->pos.off) return false;
    int64_t since = f->left_ns > f->changed_ns ? f->left_ns : f->changed_ns;
    return sl_clock_mono_ns() - since >= (f->deleted ? t->times.linger_deleted : t->times.linger_renamed);
}

/* A file without a checkpoint, such as an empty one, just goes. */
static void check_time(tail *t, tail_file *f)
{
    if (!f->rotated && f->size > f->pos.off) f->rotated = tail_looks_rotated(t, f);
    if (f->state == TAIL_HELD || f->waiting || (f->size > f->pos.off && tail_is_complete(t, f)))
        tail_make_ready(t, f);
    else if (has_lingered(t, f))
        tail_file_end(t, f, TAIL_END_DELETED);
    else
        tail_update_timed(t, f);
}

void tail_check_times(tail *t)
{
    tail_link *at = t->timed.next;
    while (at != &t->timed) {
        tail_file *f = TAIL_FILE(at, timed);
        at = at->next;
        check_time(t, f);
    }
}

/* ---- looking, where no event tells ---- */

static void look_at(tail *t, tail_file *f)
{
    struct stat st;
    bool by_fd = f->lost_path || (f->left_ns && f->fd >= 0);
    if (by_fd && f->fd < 0) return;
    int rc = by_fd ? sl_fs_fstat(f->fd, &st) : sl_fs_stat(f->path, &st);
    if (rc < 0 || st.st_dev != f->dev || st.st_ino != f->ino) {
        tail_make_checked(t, f);
        return;
    }
    if (by_fd && st.st_nlink == 0 && !f->deleted) tail_file_left(t, f, true);
    if ((uint64_t)st.st_size != f->size || tail_mtime_ns(&st) != f->mtime_ns) tail_make_ready(t, f);
}

/* A file that has been still for a while is polled less often; each in a round of its own. */
#define STILL_NS     (60 * SL_NS_PER_S)
#define STILL_ROUNDS 4

bool tail_look_at_files(tail *t, bool polled_only)
{
    bool any = false;
    int64_t now = sl_clock_mono_ns();
    for (tail_link *at = t->files.next; at != &t->files; at = at->next) {
        tail_file *f = TAIL_FILE(at, all);
        if (!tail_has_inode(f) || (polled_only && f->watch_id >= 0)) continue;
        any = true;
        bool still = polled_only && now - f->changed_ns > STILL_NS;
        if (!still || (t->poll_round + f->ino) % STILL_ROUNDS == 0) look_at(t, f);
    }
    return any;
}
