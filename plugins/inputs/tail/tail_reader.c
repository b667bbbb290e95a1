/* tail_reader.c: from bytes to lines to a batch.
 *
 * One read a batch, straight into the batch's arena; records point into it. The read begins up to TAIL_MARK
 * bytes before the position, so that the same system call that brings new bytes also proves that those before
 * are still the ones that were read: a file that was truncated and grew past the position again is found
 * here.
 *
 * A line that is not complete stays in the file and is read again when it has grown: the page cache keeps it
 * for us. What is known to hold no newline is not searched again, so a long line that grows slowly costs each
 * byte twice at most. A line over max_line is emitted cut, as soon as so much of it is there; the rest is
 * skipped as it comes.
 */
#include "tail_int.h"

#define MIN_PROBE      (64u * 1024) /* an unfinished line longer than this is searched before it is read */
#define BOM            "\xef\xbb\xbf"
#define MAX_HOLE_READS 16 /* a turn */

/* What is being made. */
typedef struct read_job {
    tail *t;
    tail_file *f;
    sl_batch *batch;
    char *bytes; /* the first is at offset pos.off */
    size_t len;
    size_t done; /* bytes that are read: lines, or skipped */
    bool skip;   /* after `done` goes on a line that was cut */
    bool full;   /* the batch takes no more */
    uint16_t flags;
    int64_t now_ns;
} read_job;

/* ---- lines ---- */

static bool add_line(read_job *job, size_t from, size_t len, uint16_t flags)
{
    tail *t = job->t;
    uint64_t off = job->f->pos.off + from;
    sl_span text = {job->bytes + from, len};
    if (off == 0 && sl_span_starts_with(text, SL_SPAN(BOM))) text = (sl_span){text.ptr + 3, text.len - 3};
    if (text.len == 0 && t->conf->skip_empty_lines) {
        sl_counter_add(t->count.empty, 1);
        return true;
    }
    if (sl_batch_add(job->batch, text, job->flags | flags, job->now_ns, off)) return true;
    job->full = true;
    return false;
}

static bool add_cut_line(read_job *job, size_t from, size_t len)
{
    tail *t = job->t;
    size_t keep = sl_span_cut((sl_span){job->bytes + from, len}, t->conf->max_line);
    if (!add_line(job, from, keep, SL_RECORD_TRUNCATED)) return false;
    sl_counter_add(t->count.truncated, 1);
    sl_counter_add(t->count.cut_bytes, len - keep);
    tail_log(t, TAIL_MSG_LINE, SL_LOG_WARN,
             "%s: the line at offset %llu is longer than `max_line` and was cut", job->f->path,
             (unsigned long long)(job->f->pos.off + from));
    return true;
}

/* NULs where a line should begin: a hole, left by a writer that goes on at its old place after a truncation.
 */
static size_t skip_nuls(read_job *job, size_t from, size_t end)
{
    size_t at = from;
    while (at < end && job->bytes[at] == '\0')
        at++;
    if (at > from) {
        sl_counter_add(job->t->count.nul_bytes, at - from);
        tail_log(job->t, TAIL_MSG_NUL, SL_LOG_WARN, "%s: %zu NUL bytes at offset %llu were skipped",
                 job->f->path, at - from, (unsigned long long)(job->f->pos.off + from));
    }
    return at;
}

/* One complete line, [from, end), without its newline. */
static bool take_line(read_job *job, size_t from, size_t end)
{
    if (SL_UNLIKELY(from < end && job->bytes[from] == '\0')) from = skip_nuls(job, from, end);
    size_t len = end - from;
    if (len > 0 && job->bytes[end - 1] == '\r') len--;
    if (SL_UNLIKELY(len > job->t->conf->max_line)) return add_cut_line(job, from, len);
    return add_line(job, from, len, 0);
}

/* Up to and with the newline of a line that was cut before. */
static void skip_rest(read_job *job)
{
    const char *newline = memchr(job->bytes + job->done, '\n', job->len - job->done);
    size_t end = newline ? (size_t)(newline - job->bytes) : job->len;
    sl_counter_add(job->t->count.cut_bytes, end - job->done);
    job->done = newline ? end + 1 : end;
    job->skip = !newline;
}

static void take_lines(read_job *job)
{
    if (job->skip) skip_rest(job);
    uint64_t lines = 0;
    while (!job->full) {
        const char *newline = memchr(job->bytes + job->done, '\n', job->len - job->done);
        if (!newline) break;
        size_t end = (size_t)(newline - job->bytes);
        if (!take_line(job, job->done, end)) break;
        job->done = end + 1;
        lines++;
    }
    sl_counter_add(job->t->count.lines, lines);
}

/* ---- what is left without a newline ---- */

static bool is_all_nul(const char *bytes, size_t len)
{
    return len > 0 && bytes[0] == '\0' && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* The unfinished last line: cut when it is too long already, read as it is when its file is complete. */
static void take_rest(read_job *job)
{
    tail *t = job->t;
    size_t rest = job->len - job->done;
    if (rest == 0 || job->full || is_all_nul(job->bytes + job->done, rest)) return;
    uint64_t end = job->f->pos.off + job->len;
    if (rest > t->conf->max_line) {
        if (!add_cut_line(job, job->done, rest)) return;
        job->done = job->len;
        job->skip = true;
    } else if (end >= job->f->size && tail_is_complete(t, job->f)) {
        if (!take_line(job, job->done, job->len)) return;
        job->done = job->len;
        sl_counter_add(t->count.lines, 1);
        sl_counter_add(t->count.unended, 1);
        tail_log(t, TAIL_MSG_UNENDED, SL_LOG_INFO,
                 "%s ends at offset %llu without a newline: its last line was read", job->f->path,
                 (unsigned long long)end);
    }
}

/* ---- receipts ---- */

typedef struct batch_note {
    tail *t;
    tail_file *f;
    tail_pos pos; /* safe up to here with this batch */
} batch_note;

static void on_released(void *arg, bool safe)
{
    batch_note *note = arg;
    tail_file *f = note->f;
    f->receipts--;
    if (f->forgotten) {
        if (f->receipts == 0) sl_free(f);
    } else {
        if (!safe) f->unsafe = true;
        if (!f->unsafe) {
            f->ckpt = note->pos;
            tail_make_dirty(note->t, f);
        }
    }
    sl_free(note);
}

static void emit(read_job *job, tail_pos pos)
{
    tail *t = job->t;
    tail_file *f = job->f;
    batch_note *note = sl_alloc(sizeof *note);
    *note = (batch_note){t, f, pos};
    f->receipts++;
    job->batch->source = f->id;
    job->batch->source_name = sl_batch_dup(job->batch, sl_span_of(f->shown ? f->shown : f->path));
    job->batch->receipt = sl_receipt_new(t->in, on_released, note);
    f->pos = pos;
    t->batches++;
    sl_input_emit(t->in, job->batch);
}

/* ---- reading ---- */

static void set_common(const tail *t, const tail_file *f, sl_batch *batch)
{
    if (!t->conf->include_file) return;
    sl_buf members = SL_BUF_NONE;
    sl_json_write_string(&members, t->conf->file_field);
    sl_buf_append_char(&members, ':');
    sl_json_write_string(&members, sl_span_of(f->shown ? f->shown : f->path));
    sl_batch_set_common(batch, sl_buf_span(&members));
    sl_buf_release(&members);
}

/* Reads `want` bytes from pos on, with the marked bytes before them. */
static tail_read fill(read_job *job, size_t want)
{
    tail_file *f = job->f;
    size_t lead = f->pos.len;
    char *bytes = sl_batch_try_alloc(job->batch, lead + want);
    if (!bytes) return TAIL_READ_FAILED;
    ssize_t n = sl_fs_pread_all(f->fd, bytes, lead + want, (off_t)(f->pos.off - lead));
    if (n < 0) return TAIL_READ_FAILED;
    if ((size_t)n < lead || tail_hash(bytes, lead) != f->pos.hash) return TAIL_READ_OTHER;
    job->bytes = bytes + lead;
    job->len = (size_t)n - lead;
    return TAIL_READ_MORE;
}

/* Whether the new bytes of a long unfinished line can end it. */
static bool can_end_line(read_job *job)
{
    tail_file *f = job->f;
    uint64_t seen = f->no_newline, max = job->t->conf->max_line;
    if (seen < MIN_PROBE || f->pos.skip || tail_is_complete(job->t, f)) return true;
    size_t want =
        f->size - f->pos.off - seen < SL_BATCH_BYTES ? (size_t)(f->size - f->pos.off - seen) : SL_BATCH_BYTES;
    char *bytes = sl_try_alloc(want ? want : 1);
    if (!bytes) return true;
    ssize_t n = sl_fs_pread_all(f->fd, bytes, want, (off_t)(f->pos.off + seen));
    bool ends = n < 0 || memchr(bytes, '\n', (size_t)n) || seen + (uint64_t)n > max;
    if (!ends) f->no_newline += (uint32_t)n;
    sl_free(bytes);
    return ends;
}

/* Fills the batch with lines; reads more at once as long as not even one line fits. */
static tail_read read_lines(read_job *job)
{
    tail_file *f = job->f;
    uint64_t left = f->size - f->pos.off, limit = job->t->conf->max_line + 2;
    size_t want = left < SL_BATCH_BYTES ? (size_t)left : SL_BATCH_BYTES;
    for (;;) {
        tail_read rc = fill(job, want);
        if (rc != TAIL_READ_MORE) return rc;
        take_lines(job);
        bool stuck = job->done == 0 && !job->full && job->len == want && want < left && want < limit &&
                     !is_all_nul(job->bytes, job->len);
        if (!stuck) break;
        want = want * 4 < limit ? want * 4 : (size_t)limit;
        if (want > left) want = (size_t)left;
        job->skip = f->pos.skip;
    }
    take_rest(job);
    return TAIL_READ_MORE;
}

typedef enum hole { HOLE_ENDS, HOLE_GOES_ON, HOLE_TO_THE_END } hole;

/* Moves f->nul_to to the first byte from there on that is not NUL, as far as one turn allows. */
static hole search_data(tail_file *f)
{
    char *bytes = sl_alloc(SL_BATCH_BYTES);
    hole found = HOLE_GOES_ON;
    for (int i = 0; i < MAX_HOLE_READS && found == HOLE_GOES_ON; i++) {
        off_t data = sl_fs_seek(f->fd, (off_t)f->nul_to, SEEK_DATA);
        ssize_t n = data < 0 ? 0 : sl_fs_pread(f->fd, bytes, SL_BATCH_BYTES, data);
        size_t nuls = 0;
        while (n > 0 && nuls < (size_t)n && bytes[nuls] == '\0')
            nuls++;
        if (n <= 0)
            found = HOLE_TO_THE_END;
        else if (nuls < (size_t)n)
            found = HOLE_ENDS;
        if (n > 0) f->nul_to = (uint64_t)data + nuls;
    }
    sl_free(bytes);
    return found;
}

/* NULs up to the end are a hole behind which a writer goes on, or room made beforehand and still to be
 * filled. They are passed over only when data follows them: then the position moves without a record. */
static tail_read pass_hole(read_job *job)
{
    tail_file *f = job->f;
    uint64_t was = f->pos.off;
    if (f->nul_to < was + job->len) f->nul_to = was + job->len;
    hole found = search_data(f);
    if (found != HOLE_ENDS) return found == HOLE_GOES_ON ? TAIL_READ_MORE : TAIL_READ_END;
    tail_pos pos;
    if (tail_pos_read(f->fd, f->nul_to, &pos) < 0) return TAIL_READ_FAILED;
    sl_counter_add(job->t->count.nul_bytes, pos.off - was);
    tail_log(job->t, TAIL_MSG_NUL, SL_LOG_WARN, "%s: %llu NUL bytes at offset %llu were skipped", f->path,
             (unsigned long long)(pos.off - was), (unsigned long long)was);
    f->pos = pos;
    return TAIL_READ_MORE;
}

/* Nothing came of the bytes that were read (empty lines, a cut one's rest, a hole): when no receipt is on its
 * way, all before is safe and so is this. */
static void move_checkpoint(tail *t, tail_file *f)
{
    if (f->receipts || f->unsafe) return;
    f->ckpt = f->pos;
    tail_make_dirty(t, f);
}

/* How much of the rest is known to hold no newline. NULs may still be filled in place: not known. */
static uint32_t without_newline(const read_job *job)
{
    const char *rest = job->bytes + job->done;
    size_t len = job->len - job->done;
    const char *nul = len ? memchr(rest, '\0', len) : NULL;
    if (nul) len = (size_t)(nul - rest);
    if (job->full) len = 0;
    return len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
}

static tail_read finish(read_job *job)
{
    tail_file *f = job->f;
    tail *t = job->t;
    uint64_t was = f->pos.off, read_to = was + job->len;
    if (job->full && job->batch->count == 0) return TAIL_READ_FAILED;
    sl_counter_add(t->count.bytes, job->done);
    tail_pos pos = tail_pos_make(was + job->done, job->bytes + job->done, job->skip);
    f->no_newline = without_newline(job);
    bool only_nuls = job->done == 0 && is_all_nul(job->bytes, job->len);
    if (job->batch->count) {
        emit(job, pos);
        job->batch = NULL;
    } else if (!only_nuls) {
        f->pos = pos;
        if (job->done) move_checkpoint(t, f);
    } else {
        return pass_hole(job);
    }
    return job->full || read_to < f->size ? TAIL_READ_MORE : TAIL_READ_END;
}

tail_read tail_read_batch(tail *t, tail_file *f)
{
    if (f->pos.off >= f->size) return TAIL_READ_END;
    read_job job = {
        .t = t, .f = f, .skip = f->pos.skip, .now_ns = sl_clock_wall_ns(), .flags = SL_RECORD_RAW};
    if (!can_end_line(&job)) return f->pos.off + f->no_newline < f->size ? TAIL_READ_MORE : TAIL_READ_END;
    if (t->conf->include_file) job.flags |= SL_RECORD_COMMON;
    if (t->conf->include_offset) job.flags |= SL_RECORD_OFFSET;
    job.batch = sl_batch_new();
    set_common(t, f, job.batch);
    tail_read rc = read_lines(&job);
    if (rc == TAIL_READ_MORE) rc = finish(&job);
    sl_batch_unref(job.batch);
    return rc;
}
