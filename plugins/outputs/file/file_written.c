/* file_written.c: see file_int.h.
 *
 * One value a source: the origin of the last record of it that stands in the file. Records of one source come
 * in the order of their origins, so what is not behind that mark stands there already. The KEEP_SOURCES
 * sources noted last are kept; a source that has been silent for longer than that many others has nothing
 * left to be sent again. Values are little-endian. The key "file" holds device, inode and size of the file as
 * of the last commit.
 */
#include "file_int.h"
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEP_SOURCES 4096
#define MAX_COMMITS  (UINT64_C(1) << 62) /* no file output lives so long: a value beyond it is damage */

typedef struct source_mark {
    sl_id source;
    uint64_t origin; /* of the last record written */
    uint64_t noted;  /* when: a count of commits, persistent only by order */
} source_mark;

struct file_written {
    sl_state *state;
    source_mark *marks; /* sorted by source */
    size_t count, cap;
    uint64_t commits;
    uint64_t device, inode, size;
    bool known;
};

typedef struct stored_mark {
    uint64_t origin, noted;
} stored_mark;

typedef struct stored_file {
    uint64_t device, inode, size;
} stored_file;

/* ---- the marks in memory ---- */

static int compare_ids(sl_id a, sl_id b)
{
    if (a.hi != b.hi) return a.hi < b.hi ? -1 : 1;
    return a.lo == b.lo ? 0 : a.lo < b.lo ? -1 : 1;
}

/* Where the source stands, or would stand. */
static size_t place_of(const file_written *written, sl_id source)
{
    size_t low = 0, high = written->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_ids(written->marks[middle].source, source) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static source_mark *find(const file_written *written, sl_id source)
{
    size_t at = place_of(written, source);
    bool there = at < written->count && compare_ids(written->marks[at].source, source) == 0;
    return there ? &written->marks[at] : NULL;
}

static source_mark *find_or_add(file_written *written, sl_id source)
{
    source_mark *mark = find(written, source);
    if (mark) return mark;
    if (written->count == written->cap) {
        written->cap = written->cap ? written->cap * 2 : 16;
        written->marks = sl_realloc(written->marks, written->cap * sizeof *written->marks);
    }
    size_t at = place_of(written, source);
    memmove(&written->marks[at + 1], &written->marks[at], (written->count - at) * sizeof *written->marks);
    written->count++;
    written->marks[at] = (source_mark){.source = source};
    return &written->marks[at];
}

/* ---- loading ---- */

#define SOURCE_KEY_LEN (7 + SL_ID_TEXT_LEN) /* "source/" and the id */

static void format_key(char out[SOURCE_KEY_LEN], sl_id source)
{
    memcpy(out, "source/", 7);
    sl_id_format(source, out + 7);
}

static void load_mark(file_written *written, sl_span key, sl_span value)
{
    unsigned long long hi, lo;
    stored_mark stored;
    char text[SOURCE_KEY_LEN + 1];
    if (value.len != sizeof stored || key.len != SOURCE_KEY_LEN) return;
    memcpy(text, key.ptr, key.len);
    text[key.len] = '\0';
    if (sscanf(text, "source/%16llx%16llx", &hi, &lo) != 2) return;
    char spelled[SOURCE_KEY_LEN]; /* two keys that mean one source would hide each other */
    format_key(spelled, (sl_id){hi, lo});
    if (memcmp(spelled, key.ptr, SOURCE_KEY_LEN) != 0) return;
    memcpy(&stored, value.ptr, sizeof stored);
    if (le64toh(stored.noted) > MAX_COMMITS) return;
    source_mark *mark = find_or_add(written, (sl_id){hi, lo});
    mark->origin = le64toh(stored.origin);
    mark->noted = le64toh(stored.noted);
    if (mark->noted > written->commits) written->commits = mark->noted;
}

static bool load_entry(void *arg, sl_span key, sl_span value)
{
    file_written *written = arg;
    stored_file stored;
    if (!sl_span_is_cstr(key, "file")) {
        load_mark(written, key, value);
        return true;
    }
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
    file_written_free(written);
    return NULL;
}

void file_written_free(file_written *written)
{
    if (!written) return;
    sl_free(written->marks);
    sl_free(written);
}

/* ---- asking ---- */

bool file_written_has(const file_written *written, sl_record_ref ref)
{
    if (ref.batch->target.len) return false;
    const source_mark *mark = find(written, ref.batch->source);
    return mark && mark->noted && ref.rec->origin <= mark->origin;
}

int64_t file_written_cut(const file_written *written, const struct stat *file)
{
    bool same = written->known && written->device == file->st_dev && written->inode == file->st_ino;
    return same && (uint64_t)file->st_size > written->size ? (int64_t)written->size : -1;
}

/* ---- noting ---- */

static int put_mark(file_written *written, sl_record_ref last, sl_err *err)
{
    char key[SOURCE_KEY_LEN];
    source_mark *mark = find_or_add(written, last.batch->source);
    if (!mark->noted || last.rec->origin > mark->origin) mark->origin = last.rec->origin;
    mark->noted = written->commits;
    stored_mark stored = {htole64(mark->origin), htole64(mark->noted)};
    format_key(key, mark->source);
    return sl_state_put(written->state, (sl_span){key, sizeof key},
                        (sl_span){(const char *)&stored, sizeof stored}, err);
}

static int by_noted(const void *a, const void *b)
{
    const source_mark *x = a, *y = b;
    return x->noted < y->noted ? -1 : x->noted > y->noted;
}

static int by_source(const void *a, const void *b)
{
    return compare_ids(((const source_mark *)a)->source, ((const source_mark *)b)->source);
}

/* When there are twice as many as are kept, the older half goes. */
static int forget_the_oldest(file_written *written, sl_err *err)
{
    if (written->count < 2 * KEEP_SOURCES) return 0;
    qsort(written->marks, written->count, sizeof *written->marks, by_noted);
    int rc = 0;
    for (size_t i = 0; i < written->count - KEEP_SOURCES && rc == 0; i++) {
        char key[SOURCE_KEY_LEN];
        format_key(key, written->marks[i].source);
        rc = sl_state_remove(written->state, (sl_span){key, sizeof key}, err);
    }
    memmove(written->marks, written->marks + written->count - KEEP_SOURCES,
            KEEP_SOURCES * sizeof *written->marks);
    written->count = KEEP_SOURCES;
    qsort(written->marks, written->count, sizeof *written->marks, by_source);
    return rc;
}

static int put_file(file_written *written, const struct stat *file, sl_err *err)
{
    stored_file stored = {htole64(file->st_dev), htole64(file->st_ino), htole64((uint64_t)file->st_size)};
    return sl_state_put(written->state, SL_SPAN("file"), (sl_span){(const char *)&stored, sizeof stored},
                        err);
}

int file_written_begin(file_written *written, const struct stat *file, sl_err *err)
{
    written->device = file->st_dev;
    written->inode = file->st_ino;
    written->size = (uint64_t)file->st_size;
    written->known = true;
    int rc = put_file(written, file, err);
    return rc < 0 ? rc : sl_state_commit(written->state, false, err);
}

int file_written_commit(file_written *written, const sl_request *req, const struct stat *file, sl_err *err)
{
    written->commits++;
    for (uint32_t i = 0; i < req->count; i++) {
        bool last_of_batch = i + 1 == req->count || req->recs[i + 1].batch != req->recs[i].batch;
        if (!last_of_batch || req->recs[i].batch->target.len) continue;
        int rc = put_mark(written, req->recs[i], err);
        if (rc < 0) return rc;
    }
    int rc = forget_the_oldest(written, err);
    return rc < 0 ? rc : file_written_begin(written, file, err);
}
