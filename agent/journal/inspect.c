/* inspect.c: see the header. Segments may be deleted, and the last one written to, while this looks. */
#include "inspect.h"

#include <errno.h>
#include <stdio.h>

typedef struct inspection {
    const sl_inspector *to;
    const char *dir;
    sl_frame_coder *coder;
    sl_inspected seg;
    uint64_t after; /* first of the next segment; UINT64_MAX: this is the last one */
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
    in->seg.raw_bytes += hdr->raw_len;
    if (in->to->frame && !in->to->frame(in->to->arg, hdr)) return false;
    return !(in->to->batch || in->to->verify) || read_payload(in, item);
}

/* False: the walk is over, for this segment (*on true) or at all. */
static bool take_item(inspection *in, const sl_walk_item *item, bool *on)
{
    /* Behind the last frame of the last segment the agent may be writing just now. */
    bool live = in->after == UINT64_MAX;
    switch (item->found) {
    case SL_WALK_FRAME:
        if (item->hdr.sequence >= in->after) return false;
        *on = take_frame(in, item);
        return *on;
    case SL_WALK_DAMAGE:
        if (item->to_end && live) return false;
        *on = tell_problem(in, item->off, item->len, "no frame can be read there");
        return *on;
    case SL_WALK_SEAL: in->seg.sealed = true; return false;
    case SL_WALK_TORN:
        if (!live) *on = tell_problem(in, item->off, item->len, "the segment ends within a frame");
        return false;
    case SL_WALK_END: return false;
    }
    return false;
}

static bool walk_segment(inspection *in)
{
    bool on = true;
    for (;;) {
        sl_walk_item item;
        int rc = sl_walk__look(&in->walk, &item);
        if (rc < 0) return tell_problem(in, in->walk.off, 0, strerror(-rc));
        if (!take_item(in, &item, &on)) break;
        sl_walk__pass(&in->walk, &item);
    }
    in->seg.bytes = in->walk.size;
    return on && (!in->to->segment || in->to->segment(in->to->arg, &in->seg));
}

static bool inspect_segment(inspection *in, uint64_t first, uint64_t id)
{
    sl_segment_header hdr;
    bool is_true;
    in->seg = (sl_inspected){.first = first, .next = first};
    in->walk = (sl_walk){.skip_errors = true};
    size_t ahead = in->to->batch || in->to->verify ? SL_WALK_ALL : SL_WALK_HEADERS;
    int rc = sl_walk__open(&in->walk, in->dir, first, id, ahead, &hdr, &is_true);
    if (rc == -ENOENT) return true;
    if (rc < 0) return tell_problem(in, 0, 0, strerror(-rc));
    bool on = is_true || tell_problem(in, 0, SL_SEGMENT_HEADER, "the segment's header is damaged");
    on = on && walk_segment(in);
    sl_walk__close(&in->walk);
    return on;
}

int sl_journal_inspect(const char *dir, const sl_inspector *inspector, sl_err *err)
{
    uint64_t *firsts;
    size_t count;
    sl_cursors cursors;
    int rc = sl_segment__list(dir, &firsts, &count, NULL);
    if (rc == -ENOENT) return sl_err_set(err, SL_E_NOT_FOUND, "there is no journal in %s", dir);
    if (rc < 0) return sl_err_sys(err, -rc, "cannot list %s", dir);
    sl_cursors__load(&cursors, dir);
    uint64_t id = cursors.id ? cursors.id : sl_walk__find_id(dir, firsts, count);
    if (cursors.lost && inspector->problem)
        inspector->problem(inspector->arg, "neither slot of the cursors can be read");
    sl_cursors__close(&cursors);
    inspection in = {.to = inspector, .dir = dir, .coder = sl_frame_coder_new(0)};
    bool on = true;
    for (size_t i = 0; i < count && on; i++) {
        in.after = i + 1 < count ? firsts[i + 1] : UINT64_MAX;
        on = inspect_segment(&in, firsts[i], id);
    }
    sl_frame_coder_free(in.coder);
    sl_free(firsts);
    return 0;
}
