/* journal_reader.c: reads frames back, on an output's thread, from the files alone.
 *
 * A reader stands in one segment, behind the last frame it has passed, and knows the record number that must
 * come next. Frames in order cost one read of the file for several small ones, or two for a large one; a jump
 * walks the headers of one segment.
 *
 * Trust: a list of the folder may be old. The journal beside it deletes segments from the front and may
 * replace the end of one by a new one (FORMAT.md, "A failed sync"). So before anything is called damaged or
 * finished the folder is listed anew once; and a segment that has lost its name is dropped, whatever stood in
 * it.
 */
#include "cursor.h"

#include <errno.h>

struct sl_journal_reader {
    char *dir;
    uint64_t id; /* 0: not known yet */
    sl_frame_coder *coder;
    uint64_t *firsts; /* segments when last listed */
    size_t count;
    sl_buf hopeless;   /* of uint64_t: segments that can't even be opened; as if they were not there */
    uint64_t entering; /* the one that is being opened; 0: none */

    bool open;
    uint64_t first; /* of the open segment */
    uint64_t after; /* first of the one behind it; 0: none is known */
    sl_walk walk;
    uint64_t sequence;  /* the lowest that can stand at walk.off */
    uint64_t record;    /* the record number there when nothing is missing, or UNKNOWN */
    unsigned io_errors; /* in a row */
};

#define UNKNOWN UINT64_MAX

/* One call of read: what is asked for, and what came of it. */
typedef struct request {
    uint64_t sequence;
    bool checked; /* the folder has been listed and the file read anew in this call */
    sl_batch *batch;
    uint64_t next_sequence, lost;
    sl_err *err;
} request;

/* What one step came to; errors are negative errnos. */
typedef enum step { STEP_ON, STEP_FOUND, STEP_LOST, STEP_NOTHING } step;

sl_journal_reader *sl_journal_reader_new(const char *dir)
{
    sl_journal_reader *reader = sl_calloc(1, sizeof(*reader));
    reader->dir = sl_strdup(dir);
    reader->coder = sl_frame_coder_new(0);
    reader->walk.fd = -1;
    return reader;
}

static void leave_segment(sl_journal_reader *reader)
{
    if (reader->open) sl_walk__close(&reader->walk);
    reader->open = false;
}

void sl_journal_reader_free(sl_journal_reader *reader)
{
    if (!reader) return;
    leave_segment(reader);
    sl_frame_coder_free(reader->coder);
    sl_free(reader->firsts);
    sl_buf_release(&reader->hopeless);
    sl_free(reader->dir);
    sl_free(reader);
}

/* ---- segments ---- */

static void find_after(sl_journal_reader *reader)
{
    reader->after = 0;
    for (size_t i = reader->count; i-- > 0 && reader->firsts[i] > reader->first;)
        reader->after = reader->firsts[i];
}

static void find_id(sl_journal_reader *reader)
{
    sl_cursors cursors;
    sl_cursors__load(&cursors, reader->dir);
    reader->id = cursors.id;
    sl_cursors__close(&cursors);
    if (!reader->id) reader->id = sl_walk__find_id(reader->dir, reader->firsts, reader->count);
}

static bool is_hopeless(const sl_journal_reader *reader, uint64_t first)
{
    for (size_t at = 0; at < reader->hopeless.len; at += sizeof(first))
        if (memcmp(reader->hopeless.ptr + at, &first, sizeof(first)) == 0) return true;
    return false;
}

static void take_out_hopeless(sl_journal_reader *reader)
{
    size_t kept = 0;
    for (size_t i = 0; i < reader->count; i++)
        if (!is_hopeless(reader, reader->firsts[i])) reader->firsts[kept++] = reader->firsts[i];
    reader->count = kept;
}

static int list_anew(sl_journal_reader *reader)
{
    sl_free(reader->firsts);
    int rc = sl_segment__list(reader->dir, &reader->firsts, &reader->count, NULL);
    if (reader->hopeless.len) take_out_hopeless(reader);
    find_after(reader);
    if (rc == 0 && !reader->id) find_id(reader);
    return rc;
}

/* Before a judgement: once a call the folder is listed and the file read anew. True: it was done just now,
 * look again. */
static bool check_anew(sl_journal_reader *reader, request *req, int *rc)
{
    if (req->checked) return false;
    req->checked = true;
    *rc = list_anew(reader);
    if (!reader->open) return true;
    struct stat st;
    if (sl_fs_fstat(reader->walk.fd, &st) == 0 && st.st_nlink == 0)
        leave_segment(reader);
    else
        sl_walk__forget(&reader->walk);
    return true;
}

/* The segment in which `sequence` stands or would; the first one when it stands before all; 0: there is none.
 */
static uint64_t segment_for(const sl_journal_reader *reader, uint64_t sequence)
{
    uint64_t found = reader->count ? reader->firsts[0] : 0;
    for (size_t i = reader->count; i-- > 0;)
        if (reader->firsts[i] <= sequence) return reader->firsts[i];
    return found;
}

/* Stands at the segment's begin then. -ENOENT: it was deleted meanwhile. */
static int enter_segment(sl_journal_reader *reader, uint64_t first)
{
    sl_segment_header hdr;
    bool is_true;
    leave_segment(reader);
    reader->entering = first;
    reader->walk.skip_errors = reader->io_errors >= SL_READ_TRIES;
    int rc = sl_walk__open(&reader->walk, reader->dir, first, reader->id, SL_WALK_ALL, &hdr, &is_true);
    if (rc < 0) return rc;
    reader->entering = 0;
    reader->open = true;
    reader->first = first;
    reader->sequence = first;
    reader->record = is_true ? hdr.first_record : UNKNOWN;
    find_after(reader);
    return 0;
}

/* Into the segment of the sequence, unless the reader stands rightly already. */
static int place(sl_journal_reader *reader, request *req)
{
    bool behind = reader->open && req->sequence >= reader->sequence;
    if (behind && (!reader->after || req->sequence < reader->after)) return STEP_ON;
    for (int tries = 0; tries < 2; tries++) {
        uint64_t first = segment_for(reader, req->sequence);
        /* What stood before the first segment was dropped. */
        if (first > req->sequence) req->sequence = first;
        int rc = first ? enter_segment(reader, first) : -ENOENT;
        if (rc != -ENOENT) return rc;
        reader->entering = 0;
        rc = list_anew(reader);
        if (rc < 0) return rc == -ENOENT ? STEP_NOTHING : rc;
    }
    return STEP_NOTHING;
}

/* ---- steps ---- */

static void pass(sl_journal_reader *reader, const sl_walk_item *item)
{
    sl_walk__pass(&reader->walk, item);
    reader->sequence = item->hdr.sequence + 1;
    reader->record = item->hdr.first_record + item->hdr.records;
}

static step tell_lost(sl_journal_reader *reader, request *req, const sl_walk_item *item, uint64_t next,
                      uint64_t lost)
{
    char path[SL_PATH_LEN];
    sl_segment__path(reader->dir, reader->first, "", path);
    req->next_sequence = next;
    req->lost = lost;
    sl_err_set(req->err, SL_E_CORRUPT, "%s is damaged at or before offset %llu: %llu records are lost", path,
               (unsigned long long)item->off, (unsigned long long)lost);
    return STEP_LOST;
}

static uint64_t missing_before(const sl_journal_reader *reader, uint64_t record)
{
    return reader->record != UNKNOWN && record > reader->record ? record - reader->record : 0;
}

static void set_aside(sl_journal_reader *reader, const sl_walk_item *item)
{
    /* A copy that fails, as on a full disk, changes nothing about what is lost. */
    (void)sl_quarantine__copy(reader->dir, reader->first, &reader->walk, item->off, item->len);
}

/* Nothing more in this segment. */
static int end_segment(sl_journal_reader *reader, request *req, const sl_walk_item *item)
{
    int rc = STEP_ON;
    if (check_anew(reader, req, &rc)) return rc;
    if (!reader->after) {
        bool known = item->found == SL_WALK_SEAL && req->sequence < item->seal.next;
        uint64_t lost = known ? missing_before(reader, item->seal.next_record) : 0;
        if (!lost) return STEP_NOTHING;
        reader->record = item->seal.next_record;
        return tell_lost(reader, req, item, item->seal.next, lost);
    }
    uint64_t record = reader->record, next = reader->after;
    rc = enter_segment(reader, next);
    if (rc == -ENOENT) {
        reader->entering = 0;
        req->checked = false;
        return STEP_ON;
    }
    if (rc < 0) return rc;
    uint64_t start = reader->record;
    reader->record = record;
    uint64_t lost = start == UNKNOWN ? 0 : missing_before(reader, start);
    if (start != UNKNOWN) reader->record = start;
    if (lost) return tell_lost(reader, req, item, next, lost);
    req->sequence = next; /* there is nothing between */
    return STEP_ON;
}

static int pass_damage(sl_journal_reader *reader, request *req, const sl_walk_item *item)
{
    int rc = STEP_ON;
    if (check_anew(reader, req, &rc)) return rc;
    if (item->to_end && !reader->after) return STEP_NOTHING;
    set_aside(reader, item);
    sl_walk__pass(&reader->walk, item);
    return STEP_ON;
}

static int give_up_frame(sl_journal_reader *reader, request *req, const sl_walk_item *item)
{
    int rc = STEP_ON;
    if (check_anew(reader, req, &rc)) return rc;
    set_aside(reader, item);
    pass(reader, item);
    return tell_lost(reader, req, item, item->hdr.sequence + 1, item->hdr.records);
}

static int read_frame(sl_journal_reader *reader, request *req, const sl_walk_item *item)
{
    sl_span bytes;
    int rc = sl_walk__frame(&reader->walk, item, &bytes);
    if (rc < 0) return rc;
    rc = sl_frame_decode(reader->coder, bytes, &req->batch, req->err);
    if (rc == SL_E_NOMEM) return -ENOMEM;
    if (rc < 0) return give_up_frame(reader, req, item);
    pass(reader, item);
    return STEP_FOUND;
}

static int take_frame(sl_journal_reader *reader, request *req, const sl_walk_item *item)
{
    uint64_t sequence = item->hdr.sequence;
    if (reader->after && sequence >= reader->after) return end_segment(reader, req, item);
    if (sequence < req->sequence) {
        pass(reader, item);
        return STEP_ON;
    }
    uint64_t lost = sequence > req->sequence ? missing_before(reader, item->hdr.first_record) : 0;
    if (!lost) return read_frame(reader, req, item);
    int rc = STEP_ON;
    if (check_anew(reader, req, &rc)) return rc;
    reader->sequence = sequence;
    reader->record = item->hdr.first_record;
    return tell_lost(reader, req, item, sequence, lost);
}

static int take_step(sl_journal_reader *reader, request *req)
{
    sl_walk_item item;
    int rc = place(reader, req);
    if (rc != STEP_ON) return rc;
    rc = sl_walk__look(&reader->walk, &item);
    if (rc < 0) return rc;
    switch (item.found) {
    case SL_WALK_FRAME: return take_frame(reader, req, &item);
    case SL_WALK_DAMAGE: return pass_damage(reader, req, &item);
    default: return end_segment(reader, req, &item);
    }
}

/* ---- the call ---- */

/* A page that can't be read time and again is taken for damage, a segment that can't be opened for none: one
 * bad place does not stop an output. */
static int tell_error(sl_journal_reader *reader, int rc, sl_err *err)
{
    if (rc == -ENOMEM)
        return sl_err_set(err, SL_E_NOMEM, "out of memory for reading the journal %s", reader->dir);
    if (++reader->io_errors >= SL_READ_TRIES) {
        bool hopeless = reader->entering && reader->io_errors > SL_READ_TRIES;
        if (hopeless) sl_buf_append(&reader->hopeless, &reader->entering, sizeof(reader->entering));
        take_out_hopeless(reader);
        leave_segment(reader);
    }
    return sl_err_sys(err, -rc, "cannot read the journal %s", reader->dir);
}

int sl_journal_reader_read(sl_journal_reader *reader, uint64_t sequence, sl_batch **out,
                           uint64_t *next_sequence, uint64_t *lost_records, sl_err *err)
{
    request req = {.sequence = sequence, .err = err};
    int rc;
    while ((rc = take_step(reader, &req)) == STEP_ON)
        ;
    if (rc < 0) return tell_error(reader, rc, err);
    if (rc == STEP_NOTHING)
        return sl_err_set(err, SL_E_NOT_FOUND, "the journal %s has no frame there", reader->dir);
    if (reader->io_errors) {
        /* The next bad place gets its own tries. */
        reader->io_errors = 0;
        reader->walk.skip_errors = false;
    }
    if (rc == STEP_LOST) {
        *next_sequence = req.next_sequence;
        *lost_records = req.lost;
        return SL_E_CORRUPT;
    }
    *out = req.batch;
    return 0;
}
