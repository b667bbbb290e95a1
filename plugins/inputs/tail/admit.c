/* admit.c: what is a new inode? A file of its own gets an id, and the ids of one round become durable in one
 * commit, before any of their records can leave. */
#include "tail_int.h"
#include <errno.h>

#define CHUNK (64u * 1024)

/* ---- where to begin ---- */

/* The start of the line that byte off - 1 is in; with *skip when it begins more than max_line before. */
static int find_line_start(const tail *t, int fd, uint64_t off, uint64_t *start, bool *skip)
{
    char *chunk = sl_alloc(CHUNK);
    uint64_t at = off, floor = off > t->conf->max_line ? off - t->conf->max_line : 0;
    ssize_t n = 0;
    *start = floor;
    *skip = floor > 0;
    while (at > floor) {
        uint64_t from = at - floor > CHUNK ? at - CHUNK : floor;
        n = sl_fs_pread_all(fd, chunk, (size_t)(at - from), (off_t)from);
        if (n <= 0) break;
        const char *newline = memrchr(chunk, '\n', (size_t)n);
        if (newline) {
            *start = from + (uint64_t)(newline - chunk) + 1;
            *skip = false;
            break;
        }
        at = from;
    }
    sl_free(chunk);
    return n < 0 ? (int)n : 0;
}

static int begin_at(tail *t, tail_file *f, const tail_suspect *s)
{
    uint64_t off = f->start_off, size = (uint64_t)s->st.st_size;
    bool skip = false;
    if (f->start == TAIL_START_BEGIN || off > size) off = 0; /* truncated meanwhile: all of it is new */
    if (f->start == TAIL_START_LINE && off) {
        int rc = find_line_start(t, f->fd, off, &off, &skip);
        if (rc < 0) return rc;
    }
    int rc = tail_pos_read(f->fd, off, &f->pos);
    f->pos.skip = skip;
    f->ckpt = f->pos;
    return rc;
}

/* ---- copies ---- */

void tail_take_over(tail *t, tail_file *original, tail_file *f)
{
    sl_counter_add(t->count.copies, 1);
    tail_log(t, TAIL_MSG_COPY, SL_LOG_INFO, "%s goes on at offset %llu in %s", original->path,
             (unsigned long long)original->pos.off, f->path);
    char *old_path = sl_strdup(original->path);
    bool wanted = tail_is_wanted(t, f->path);
    tail_file_set_state(t, original, TAIL_FOLLOWED);
    tail_file_rebind(t, original, f);
    original->rotated = true;
    if (!wanted && !original->shown) original->shown = sl_strdup(old_path);
    sl_free(old_path);
    tail_file_free(t, f);
    tail_make_dirty(t, original);
    tail_make_ready(t, original);
}

static void begin_after(tail *t, tail_file *f, const tail_file *original, const tail_suspect *s)
{
    uint64_t size = (uint64_t)s->st.st_size;
    f->start = TAIL_START_EXACT;
    f->start_off = size < original->pos.off ? size : original->pos.off;
    f->rotated = true;
    sl_counter_add(t->count.copies, 1);
    tail_log(t, TAIL_MSG_COPY, SL_LOG_INFO,
             "%s is a copy of %s: it is not read again, but what follows offset %llu is", f->path,
             original->path, (unsigned long long)f->start_off);
}

/* A copy is fresh, and its original is truncated soon after it was made. */
static bool may_wait(const tail *t, const tail_file *f, const tail_suspect *s)
{
    int64_t ctime_ns = s->st.st_ctim.tv_sec * SL_NS_PER_S + s->st.st_ctim.tv_nsec;
    return !sl_input_once(t->in) && sl_clock_mono_ns() - f->changed_ns < t->times.hold &&
           sl_clock_wall_ns() - ctime_ns < t->times.hold;
}

/* A head that was short when it was read and is longer now tells more. */
static bool has_longer_head(const tail_suspect *s)
{
    struct stat st;
    return s->head_len < TAIL_HEAD && sl_fs_fstat(s->fd, &st) == 0 && (uint64_t)st.st_size > s->head_len;
}

/* False: f is no more, or has to wait. */
static bool is_own_file(tail *t, tail_file *f, tail_suspect *s)
{
    tail_file *original;
    bool equal;
    s->equal_to = f->equal_so_far ? f->twin : NULL;
    tail_copy answer = tail_judge_all(t, s, f, &original, &equal);
    if (answer == TAIL_COPY_TAKE) {
        tail_take_over(t, original, f);
        return false;
    }
    if (answer == TAIL_COPY_WAIT && may_wait(t, f, s)) {
        tail_file_set_state(t, f, TAIL_HELD);
        f->equal_so_far = equal || (f->twin == original && f->equal_so_far);
        f->twin = original;
        tail_make_timed(t, f, true);
        return false;
    }
    f->twin = NULL;
    tail_file_set_state(t, f, TAIL_NEW);
    if (answer == TAIL_COPY_NONE && has_longer_head(s)) {
        tail_make_ready(t, f);
        return false;
    }
    if (answer == TAIL_COPY_AFTER) begin_after(t, f, original, s);
    return true;
}

/* ---- one file ---- */

static void name_it(tail *t, tail_file *f, const tail_suspect *s, size_t head_len)
{
    tail_file_set_head(t, f, (tail_head){.hash = tail_hash(s->head, head_len), .len = (uint16_t)head_len});
    f->id = sl_id_random();
    tail_file_set_state(t, f, TAIL_NAMED);
    tail_append(&t->named, &f->named);
}

static void failed(tail *t, tail_file *f, int error)
{
    if (error == -ESTALE || error == -ENOENT) {
        tail_make_checked(t, f);
        return;
    }
    sl_counter_add(t->count.open_errors, 1);
    tail_log(t, TAIL_MSG_OPEN, SL_LOG_WARN, "%s cannot be read: %s; it is tried again", f->path,
             strerror(-error));
    f->waiting = true;
    tail_make_timed(t, f, true);
}

static void find_out(tail *t, tail_file *f)
{
    tail_suspect s;
    int rc = tail_file_open(t, f);
    if (rc == 0) rc = tail_suspect_read(&s, f->fd, f->path);
    if (rc != 0) {
        failed(t, f, rc);
        return;
    }
    bool changed = f->size != (uint64_t)s.st.st_size || f->mtime_ns != tail_mtime_ns(&s.st);
    tail_note_size(f, &s.st);
    f->born_ns = s.born_ns; /* its inode may have been another file's when it was met */
    size_t head_len = tail_head_len(s.head, s.head_len, tail_is_complete(t, f));
    if (head_len > 0 || changed) tail_meet_before(t, f);
    if (head_len > 0 && is_own_file(t, f, &s)) {
        rc = begin_at(t, f, &s);
        if (rc < 0)
            failed(t, f, rc);
        else
            name_it(t, f, &s, head_len);
    } else if (head_len == 0) {
        tail_update_timed(t, f);
        if (sl_input_once(t->in)) f->done = true; /* empty */
    }
}

/* Others are opened meanwhile, to be compared with it: its own descriptor must stay. */
static void admit_one(tail *t, tail_file *f)
{
    t->admitting = f;
    find_out(t, f);
    t->admitting = NULL;
}

void tail_admit(tail *t)
{
    while (tail_is_linked(&t->fresh)) {
        tail_file *f = TAIL_FILE(t->fresh.next, ready);
        tail_unlink(&f->ready);
        /* An answer may put others at the end of the list, or f itself before it is answered, or take f away.
         */
        if (f->state == TAIL_NEW || f->state == TAIL_HELD)
            admit_one(t, f);
        else
            tail_make_ready(t, f);
    }
    if (tail_is_linked(&t->named) && !t->save_failed) tail_save_named(t);
}
