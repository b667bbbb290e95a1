/* inspect.c: see the header. Segments may be deleted, and the last one written to, while this looks. */
#include "inspect.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

typedef struct inspection {
    const sl_inspector *to;
    const char *dir;
    sl_frame_coder *coder;
    sl_inspected seg;
    uint64_t end_record; /* record number behind the last frame seen */
    uint64_t after;      /* first of the next segment; UINT64_MAX: this is the last one */
    sl_walk walk;
} inspection;

static bool tell_problem(inspection *in, uint64_t off, uint64_t len, const char *what)
{
    char path[SL_PATH_LEN], text[SL_PATH_LEN + 256];
    in->seg.damaged++;
    if (!in->to->problem) return true;
    sl_segment__path(in->dir, in->seg.first, "", path);
    snprintf(text, sizeof(text), "%s at offset %llu, %llu bytes: %s", path, (unsigned long long)off,
             (unsigned long long)len, what);
    return in->to->problem(in->to->arg, text);
}

static bool read_payload(inspection *in, const sl_walk_item *item)
{
    sl_span bytes;
    sl_batch *batch = NULL;
    sl_err err = SL_ERR_NONE;
    int rc = sl_walk__frame(&in->walk, item, &bytes);
    if (rc < 0) return tell_problem(in, item->off, item->len, strerror(-rc));
    if (sl_frame_decode(in->coder, bytes, &batch, &err) < 0)
        return tell_problem(in, item->off, item->len, err.text);
    bool on = !in->to->batch || in->to->batch(in->to->arg, batch);
    sl_batch_unref(batch);
    return on;
}

static bool take_frame(inspection *in, const sl_walk_item *item)
{
    const sl_frame_header *hdr = &item->hdr;
    if (in->seg.frames++ == 0) in->seg.first_written = hdr->written;
    in->seg.last_written = hdr->written;
    in->seg.next = hdr->sequence + 1;
    in->seg.records += hdr->records;
    in->end_record = hdr->first_record + hdr->records;
    in->seg.raw_bytes += hdr->raw_len;
    if (in->to->frame && !in->to->frame(in->to->arg, hdr)) return false;
    return !(in->to->batch || in->to->verify) || read_payload(in, item);
}

/* False: the walk is over, for this segment (*on true) or at all. */
static bool take_item(inspection *in, const sl_walk_item *item, bool *on)
{
    switch (item->found) {
    case SL_WALK_FRAME:
        if (item->hdr.sequence >= in->after) return false;
        *on = take_frame(in, item);
        return *on;
    case SL_WALK_DAMAGE:
        *on = tell_problem(in, item->off, item->len, "no frame can be read there");
        return *on;
    case SL_WALK_SEAL:
        in->seg.sealed = true;
        in->seg.next = item->seal.next;
        in->end_record = item->seal.next_record;
        return false;
    case SL_WALK_TORN:
        *on = tell_problem(in, item->off, item->len, "the segment ends within a frame");
        return false;
    case SL_WALK_END: return false;
    }
    return false;
}

/* Whether somebody may be writing the end of this segment: then he was given the time to. */
static bool gave_time(const inspection *in)
{
    if (in->after != UINT64_MAX || in->to->patience_ns == 0) return false;
    struct timespec moment = {.tv_sec = in->to->patience_ns / SL_NS_PER_S,
                              .tv_nsec = in->to->patience_ns % SL_NS_PER_S};
    nanosleep(&moment, NULL);
    return true;
}

static int look(inspection *in, sl_walk_item *item)
{
    int rc = sl_walk__look(&in->walk, item);
    bool unfinished = item->found == SL_WALK_TORN || (item->found == SL_WALK_DAMAGE && item->to_end);
    if (rc < 0 || !unfinished || !gave_time(in)) return rc;
    sl_walk__forget(&in->walk);
    return sl_walk__look(&in->walk, item);
}

static bool walk_segment(inspection *in)
{
    bool on = true;
    for (;;) {
        sl_walk_item item;
        int rc = look(in, &item);
        if (rc < 0) return tell_problem(in, in->walk.off, 0, strerror(-rc));
        if (!take_item(in, &item, &on)) break;
        sl_walk__pass(&in->walk, &item);
    }
    in->seg.bytes = in->walk.size;
    return on && (!in->to->segment || in->to->segment(in->to->arg, &in->seg));
}

/* Record numbers run through: what a segment begins with follows what the one before it ended with. */
static bool tell_gap(const inspection *in, const sl_inspected *before, uint64_t begins)
{
    char path[SL_PATH_LEN], text[SL_PATH_LEN + 256];
    if (!before->first || begins <= in->end_record || !in->to->problem) return true;
    sl_segment__path(in->dir, before->first, "", path);
    snprintf(text, sizeof(text), "%s at offset %llu: %llu records that were written behind it are not there",
             path, (unsigned long long)before->bytes, (unsigned long long)(begins - in->end_record));
    return in->to->problem(in->to->arg, text);
}

static int open_segment(inspection *in, uint64_t id, sl_segment_header *hdr, bool *is_true)
{
    in->walk = (sl_walk){.skip_errors = true};
    size_t ahead = in->to->batch || in->to->verify ? SL_WALK_ALL : SL_WALK_HEADERS;
    return sl_walk__open(&in->walk, in->dir, in->seg.first, id, ahead, hdr, is_true);
}

static bool inspect_segment(inspection *in, uint64_t first, uint64_t id)
{
    sl_segment_header hdr;
    bool is_true;
    sl_inspected before = in->seg;
    in->seg = (sl_inspected){.first = first, .next = first};
    int rc = open_segment(in, id, &hdr, &is_true);
    if (rc == 0 && !is_true && gave_time(in)) {
        sl_walk__close(&in->walk);
        rc = open_segment(in, id, &hdr, &is_true);
    }
    if (rc == -ENOENT) {
        in->seg.first = 0; /* every output has passed it */
        return true;
    }
    if (rc < 0) return tell_problem(in, 0, 0, strerror(-rc));
    bool on = is_true ? tell_gap(in, &before, hdr.first_record)
                      : tell_problem(in, 0, SL_SEGMENT_HEADER, "the segment's header is damaged");
    on = on && walk_segment(in);
    sl_walk__close(&in->walk);
    return on;
}

/* What the saved cursors knew of before the walk and what it has not met; but not what was delivered and
 * deleted meanwhile. */
static uint64_t count_missing(const inspection *in, const sl_cursors *cursors, bool any)
{
    uint64_t next = any ? in->seg.next : 0, next_record = any ? in->end_record : 0;
    if (sl_cursors__missing(cursors, next, next_record) == 0) return 0;
    sl_cursors now;
    sl_cursors__load(&now, in->dir);
    now.next_sequence = cursors->next_sequence;
    now.next_record = cursors->next_record;
    uint64_t frames = sl_cursors__missing(&now, next, next_record);
    sl_cursors__close(&now);
    return frames;
}

static void tell_missing(const inspection *in, const sl_cursors *cursors, bool any)
{
    char path[SL_PATH_LEN], text[SL_PATH_LEN + 256];
    uint64_t frames = count_missing(in, cursors, any);
    if (!frames || !in->to->problem) return;
    sl_segment__path(in->dir, in->seg.first, "", path);
    snprintf(text, sizeof(text), "%s at offset %llu: %llu frames that were written are not there",
             any ? path : in->dir, (unsigned long long)in->seg.bytes, (unsigned long long)frames);
    in->to->problem(in->to->arg, text);
}

/* Asked of the cursors as they are after the list was made: what was deleted before is behind them. */
static void tell_missing_before(const inspection *in, uint64_t first)
{
    char path[SL_PATH_LEN], text[SL_PATH_LEN + 256];
    sl_cursors now;
    sl_cursors__load(&now, in->dir);
    uint64_t frames = sl_cursors__missing_before(&now, first);
    sl_cursors__close(&now);
    if (!frames || !in->to->problem) return;
    sl_segment__path(in->dir, first, "", path);
    snprintf(text, sizeof(text), "%s at offset 0: %llu frames that stood before it are not there", path,
             (unsigned long long)frames);
    in->to->problem(in->to->arg, text);
}

static void inspect_all(inspection *in, const sl_cursors *cursors, const uint64_t *firsts, size_t count)
{
    uint64_t id = cursors->id ? cursors->id : sl_walk__find_id(in->dir, firsts, count);
    if (cursors->lost && in->to->problem)
        in->to->problem(in->to->arg, "neither slot of the cursors can be read");
    if (count) tell_missing_before(in, firsts[0]);
    bool on = true;
    for (size_t i = 0; i < count && on; i++) {
        in->after = i + 1 < count ? firsts[i + 1] : UINT64_MAX;
        on = inspect_segment(in, firsts[i], id);
    }
    if (on) tell_missing(in, cursors, count > 0);
}

int sl_journal_inspect(const char *dir, const sl_inspector *inspector, sl_err *err)
{
    uint64_t *firsts;
    size_t count;
    sl_cursors cursors;
    /* Before the segments: what a save knows of was written before it. */
    sl_cursors__load(&cursors, dir);
    int rc = sl_segment__list(dir, &firsts, &count, NULL);
    if (rc == 0) {
        inspection in = {.to = inspector, .dir = dir, .coder = sl_frame_coder_new(0)};
        inspect_all(&in, &cursors, firsts, count);
        sl_frame_coder_free(in.coder);
        sl_free(firsts);
    }
    sl_cursors__close(&cursors);
    if (rc == -ENOENT) return sl_err_set(err, SL_E_NOT_FOUND, "there is no journal in %s", dir);
    return rc < 0 ? sl_err_sys(err, -rc, "cannot list %s", dir) : 0;
}
