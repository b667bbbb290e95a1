/* file_written.c: see file_int.h.
 *
 * One value a frame, under its sequence; the newest KEEP_FRAMES are kept, far more than a journal's cursor
 * can lag behind (it is saved within a second). Values are little-endian: source hi, lo, first origin (8
 * bytes each), records written (4). The key "file" holds device, inode and size of the file as of the last
 * commit.
 */
#include "file_int.h"
#include <endian.h>
#include <stdio.h>

#define KEEP_FRAMES 8192

typedef struct frame_mark {
    uint64_t sequence;
    sl_id source;
    uint64_t first_origin;
    uint32_t written; /* records from the frame's first on */
} frame_mark;

struct file_written {
    sl_state *state;
    frame_mark frames[KEEP_FRAMES]; /* at sequence % KEEP_FRAMES; sequence 0: none */
    uint64_t device, inode, size;
    bool known;
};

typedef struct stored_frame {
    uint64_t source_hi, source_lo, first_origin;
    uint32_t written, zero;
} stored_frame;

typedef struct stored_file {
    uint64_t device, inode, size;
} stored_file;

static frame_mark *slot(const file_written *written, uint64_t sequence)
{
    return (frame_mark *)(uintptr_t)&written->frames[sequence % KEEP_FRAMES];
}

static void format_key(char out[24], uint64_t sequence)
{
    snprintf(out, 24, "frame/%016llx", (unsigned long long)sequence);
}

/* ---- loading ---- */

static void load_frame(file_written *written, sl_span key, sl_span value)
{
    unsigned long long sequence;
    stored_frame stored;
    char text[24] = {0};
    if (value.len != sizeof stored || key.len >= sizeof text) return;
    memcpy(text, key.ptr, key.len);
    if (sscanf(text, "frame/%16llx", &sequence) != 1 || sequence == 0) return;
    memcpy(&stored, value.ptr, sizeof stored);
    *slot(written, sequence) = (frame_mark){
        .sequence = sequence,
        .source = {le64toh(stored.source_hi), le64toh(stored.source_lo)},
        .first_origin = le64toh(stored.first_origin),
        .written = le32toh(stored.written),
    };
}

static bool load_entry(void *arg, sl_span key, sl_span value)
{
    file_written *written = arg;
    if (!sl_span_is_cstr(key, "file")) {
        load_frame(written, key, value);
        return true;
    }
    stored_file stored;
    if (value.len != sizeof stored) return true;
    memcpy(&stored, value.ptr, sizeof stored);
    written->device = le64toh(stored.device);
    written->inode = le64toh(stored.inode);
    written->size = le64toh(stored.size);
    written->known = true;
    return true;
}

file_written *file_written_load(sl_state *state, sl_err *err)
{
    file_written *written = sl_calloc(1, sizeof *written);
    written->state = state;
    if (sl_state_each(state, load_entry, written, err) == 0) return written;
    sl_free(written);
    return NULL;
}

void file_written_free(file_written *written)
{
    sl_free(written);
}

/* ---- asking ---- */

static bool is_same_frame(const frame_mark *mark, const sl_batch *batch)
{
    return mark->sequence == batch->sequence && mark->source.hi == batch->source.hi &&
           mark->source.lo == batch->source.lo && mark->first_origin == batch->recs[0].origin;
}

bool file_written_has(const file_written *written, sl_record_ref ref)
{
    const frame_mark *mark = slot(written, ref.batch->sequence);
    return is_same_frame(mark, ref.batch) && (uint32_t)(ref.rec - ref.batch->recs) < mark->written;
}

int64_t file_written_cut(const file_written *written, const struct stat *file)
{
    bool same = written->known && written->device == file->st_dev && written->inode == file->st_ino;
    return same && (uint64_t)file->st_size > written->size ? (int64_t)written->size : -1;
}

/* ---- noting ---- */

static int put_frame(file_written *written, const frame_mark *mark, sl_err *err)
{
    char key[24];
    stored_frame stored = {htole64(mark->source.hi), htole64(mark->source.lo), htole64(mark->first_origin),
                           htole32(mark->written), 0};
    format_key(key, mark->sequence);
    return sl_state_put(written->state, sl_span_of(key), (sl_span){(const char *)&stored, sizeof stored},
                        err);
}

static int forget_frame(file_written *written, uint64_t sequence, sl_err *err)
{
    char key[24];
    format_key(key, sequence);
    return sl_state_remove(written->state, sl_span_of(key), err);
}

/* Takes the slot of a frame; the one that stood there, KEEP_FRAMES sequences ago, is forgotten. */
static int note_frame(file_written *written, sl_record_ref last, sl_err *err)
{
    frame_mark *mark = slot(written, last.batch->sequence);
    if (mark->sequence && mark->sequence != last.batch->sequence) {
        int rc = forget_frame(written, mark->sequence, err);
        if (rc < 0) return rc;
    }
    uint32_t records = (uint32_t)(last.rec - last.batch->recs) + 1;
    uint32_t before = is_same_frame(mark, last.batch) ? mark->written : 0;
    *mark = (frame_mark){last.batch->sequence, last.batch->source, last.batch->recs[0].origin,
                         records > before ? records : before};
    return put_frame(written, mark, err);
}

static int put_file(file_written *written, const struct stat *file, sl_err *err)
{
    stored_file stored = {htole64(file->st_dev), htole64(file->st_ino), htole64((uint64_t)file->st_size)};
    return sl_state_put(written->state, SL_SPAN("file"), (sl_span){(const char *)&stored, sizeof stored},
                        err);
}

int file_written_commit(file_written *written, const sl_request *req, const struct stat *file, sl_err *err)
{
    for (uint32_t i = 0; i < req->count; i++) {
        bool last_of_frame = i + 1 == req->count || req->recs[i + 1].batch != req->recs[i].batch;
        if (!last_of_frame || req->recs[i].batch->sequence == 0) continue;
        int rc = note_frame(written, req->recs[i], err);
        if (rc < 0) return rc;
    }
    int rc = put_file(written, file, err);
    if (rc == 0) rc = sl_state_commit(written->state, false, err);
    if (rc < 0) return rc;
    written->device = file->st_dev;
    written->inode = file->st_ino;
    written->size = (uint64_t)file->st_size;
    written->known = true;
    return 0;
}
