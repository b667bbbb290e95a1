/* recover.c: opening a journal whatever it looks like.
 *
 * Damage stops nothing: what can't be read is set aside, what can't be set aside is left alone, and
 * all of it is counted and the first place named. A segment that is sealed is taken at its word, so that
 * opening costs two small reads a segment; the others are walked with every checksum verified, and sealed
 * then.
 */
#include "recover.h"

#include <errno.h>
#include <sluice/fault.h>
#include <stdio.h>

typedef struct scan {
    const char *dir;
    sl_segment *seg;
    sl_journal_report *report;
    sl_walk walk;
    uint64_t end; /* of what stays */
    bool cut;     /* something behind `end` goes */
    bool sealed;
    bool damaged;
    bool header_true;
} scan;

void sl_recover__note(sl_journal_report *report, const char *fmt, ...)
{
    if (report->first_problem[0]) return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(report->first_problem, sizeof(report->first_problem), fmt, args);
    va_end(args);
}

static void note_place(const scan *s, uint64_t off, const char *what)
{
    char path[SL_PATH_LEN];
    sl_segment__path(s->dir, s->seg->first, "", path);
    sl_recover__note(s->report, "%s at offset %llu: %s", path, (unsigned long long)off, what);
}

/* ---- walking an unsealed segment ---- */

static void set_aside(scan *s, const sl_walk_item *item, const char *what)
{
    s->damaged = true;
    s->report->quarantined_frames++;
    int64_t copied = sl_quarantine__copy(s->dir, s->seg->first, &s->walk, item->off, item->len);
    if (copied > 0) s->report->quarantined_bytes += (uint64_t)copied;
    note_place(s, item->off, what);
}

/* A true header: its numbers count even when its payload is bad. */
static void count_frame(scan *s, const sl_frame_header *hdr)
{
    sl_segment *seg = s->seg;
    if (seg->frames++ == 0) {
        seg->first_written = hdr->written;
        if (!s->header_true) seg->first_record = seg->next_record = hdr->first_record;
    }
    if (hdr->first_record > seg->next_record)
        s->report->quarantined_records += hdr->first_record - seg->next_record;
    seg->last_written = hdr->written;
    if (hdr->sequence >= seg->next) seg->next = hdr->sequence + 1;
    uint64_t next_record = hdr->first_record + hdr->records;
    if (next_record > seg->next_record) seg->next_record = next_record;
}

static int take_frame(scan *s, const sl_walk_item *item)
{
    int rc = sl_walk__verify(&s->walk, item);
    if (rc < 0) return rc;
    count_frame(s, &item->hdr);
    if (rc != 0) {
        set_aside(s, item, "the payload's checksum is wrong");
        s->report->quarantined_records += item->hdr.records;
    } else if (!item->hdr.readable) {
        note_place(s, item->off, "a frame of a later version, which this agent can't read");
    }
    return 0;
}

/* Returns 1 to go on, 0 at the end, or a negative errno. */
static int take_item(scan *s, const sl_walk_item *item)
{
    int rc = 0;
    switch (item->found) {
    case SL_WALK_FRAME: rc = take_frame(s, item); break;
    case SL_WALK_DAMAGE: set_aside(s, item, "no frame can be read there"); break;
    case SL_WALK_TORN:
        s->cut = true;
        s->report->torn_bytes += item->len;
        note_place(s, item->off, "what follows was being written when the agent ended");
        return 0;
    case SL_WALK_SEAL:
        s->sealed = true;
        s->end = item->off + item->len;
        s->cut = s->end < s->walk.size;
        return 0;
    case SL_WALK_END: return 0;
    }
    if (rc < 0) return rc;
    sl_walk__pass(&s->walk, item);
    s->end = s->walk.off;
    return 1;
}

static int walk_all(scan *s)
{
    int rc;
    do {
        sl_walk_item item;
        rc = sl_walk__look(&s->walk, &item);
        if (rc == 0) rc = take_item(s, &item);
    } while (rc > 0);
    return rc;
}

/* Cuts the tail and seals, so that the next opening need not walk it again. What fails here is tried again
 * then. */
static void finish_file(scan *s, uint64_t id)
{
    char path[SL_PATH_LEN];
    sl_segment__path(s->dir, s->seg->first, "", path);
    int fd = sl_fs_open(path, O_RDWR, 0);
    if (fd < 0) {
        sl_recover__note(s->report, "%s can't be mended: %s", path, strerror(-fd));
        return;
    }
    int rc = s->cut ? sl_fs_ftruncate(fd, (off_t)s->end) : 0;
    if (rc == 0) s->seg->bytes = s->end;
    s->seg->fd = fd;
    if (rc == 0 && !s->sealed) rc = sl_segment__seal(s->seg, id);
    if (rc == 0) rc = sl_fs_fdatasync(fd);
    if (rc < 0) sl_recover__note(s->report, "%s can't be mended: %s", path, strerror(-rc));
    SL_FAULT(SEGMENT_MENDED);
    sl_segment__close(s->seg);
}

static void remove_file(scan *s)
{
    char path[SL_PATH_LEN];
    sl_segment__path(s->dir, s->seg->first, "", path);
    int rc = s->damaged ? sl_quarantine__move(s->dir, s->seg->first) : sl_fs_unlink(path);
    if (rc < 0) sl_recover__note(s->report, "%s can't be put aside: %s", path, strerror(-rc));
}

/* ---- one segment ---- */

/* True when the seal at the end of the file fits; *seg is filled from it then. */
static bool take_seal(scan *s, const sl_segment_header *hdr)
{
    char bytes[SL_SEAL];
    sl_seal seal;
    uint64_t size = s->walk.size;
    if (!s->header_true || size < SL_SEGMENT_HEADER + SL_SEAL) return false;
    if (sl_fs_pread_all(s->walk.fd, bytes, SL_SEAL, (off_t)(size - SL_SEAL)) != SL_SEAL) return false;
    if (!sl_seal__decode(bytes, s->walk.id, &seal)) return false;
    if (seal.offset != size - SL_SEAL || seal.first != hdr->first || seal.frames == 0) return false;
    if (seal.next <= seal.first || seal.next > SL_MAX_SEQUENCE) return false;
    *s->seg = (sl_segment){
        .first = hdr->first,
        .next = seal.next,
        .first_record = hdr->first_record,
        .next_record = seal.next_record,
        .frames = seal.frames,
        .bytes = size,
        .first_written = seal.first_written,
        .last_written = seal.last_written,
        .fd = -1,
    };
    return true;
}

/* 1: the segment stays and *seg tells what it holds. 0: it does not. A negative errno: it can't be looked
 * into, and may be sound: passing over it would lose what it holds, and give its numbers again. */
static int examine(const char *dir, uint64_t first, uint64_t id, sl_segment *seg, sl_journal_report *report)
{
    sl_segment_header hdr = {0};
    scan s = {
        .dir = dir, .seg = seg, .report = report, .walk = {.skip_errors = true}, .end = SL_SEGMENT_HEADER};
    *seg = (sl_segment){.first = first, .next = first, .fd = -1};
    int rc = sl_walk__open(&s.walk, dir, first, id, SL_WALK_ALL, &hdr, &s.header_true);
    if (rc == -EISDIR) note_place(&s, 0, "a folder with the name of a segment is left alone");
    if (rc < 0) return rc == -EISDIR ? 0 : rc;
    bool known = !s.header_true || hdr.version == SL_FORMAT_VERSION;
    if (!known) note_place(&s, 0, "a segment of a later version, which this agent can't read");
    if (!s.header_true && s.walk.size >= SL_SEGMENT_HEADER)
        note_place(&s, 0, "the segment's header is damaged");
    bool stays = known && take_seal(&s, &hdr);
    if (known && !stays) {
        seg->first_record = seg->next_record = s.header_true ? hdr.first_record : 0;
        seg->bytes = s.walk.size;
        rc = walk_all(&s);
        stays = seg->frames > 0;
        if (stays && rc == 0) finish_file(&s, s.walk.id);
    }
    s.damaged = s.damaged || !known;
    if (!stays && s.walk.errors_seen) rc = -EIO; /* a disk that gives nothing proves no damage */
    if (!stays && rc == 0) remove_file(&s);
    sl_walk__close(&s.walk);
    return rc < 0 ? rc : stays;
}

/* ---- all of them ---- */

static void delete_leftover(const char *dir, const char *name)
{
    char path[SL_PATH_LEN + 256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    sl_fs_unlink(path);
}

/* A segment ends where the next one begins. */
static void clip(sl_recovered *out)
{
    for (size_t i = 0; i + 1 < out->count; i++) {
        const sl_segment *next = &out->segs[i + 1];
        if (out->segs[i].next > next->first) {
            out->segs[i].next = next->first;
            out->segs[i].next_record = next->first_record;
        }
    }
}

/* A file that can't be read however often it was tried, on a disk that can still move it: damage. How much it
 * held only the record numbers behind it will tell. */
static int give_up(const char *dir, uint64_t first, int rc, sl_journal_report *report)
{
    char path[SL_PATH_LEN];
    if ((rc != -EIO && rc != -EUCLEAN) || sl_quarantine__move(dir, first) < 0) return rc;
    sl_segment__path(dir, first, "", path);
    report->quarantined_frames++;
    sl_recover__note(report, "%s can't be read: %s", path, strerror(-rc));
    return 0;
}

static int examine_all(const char *dir, const uint64_t *firsts, size_t count, bool set_aside,
                       sl_recovered *out, sl_journal_report *report, sl_err *err)
{
    char path[SL_PATH_LEN];
    for (size_t i = 0; i < count; i++) {
        int rc = examine(dir, firsts[i], out->id, &out->segs[out->count], report);
        if (rc < 0 && set_aside) rc = give_up(dir, firsts[i], rc, report);
        sl_segment__path(dir, firsts[i], "", path);
        if (rc < 0) return sl_err_sys(err, -rc, "cannot look into %s, which may hold records", path);
        /* A file that could not be put aside keeps its name: no new segment must get it. */
        if (rc == 0) out->at_least = firsts[i] + 1;
        out->count += (size_t)rc;
    }
    return 0;
}

int sl_recover__segments(const char *dir, uint64_t id, bool set_aside, sl_recovered *out,
                         sl_journal_report *report, sl_err *err)
{
    uint64_t *firsts;
    size_t count;
    int rc = sl_segment__list(dir, &firsts, &count, delete_leftover);
    if (rc < 0) return sl_err_sys(err, -rc, "cannot list the journal's folder %s", dir);
    *out = (sl_recovered){.id = id ? id : sl_walk__find_id(dir, firsts, count), .at_least = 1};
    out->segs = sl_calloc(count ? count : 1, sizeof(*out->segs));
    rc = examine_all(dir, firsts, count, set_aside, out, report, err);
    sl_free(firsts);
    if (rc < 0) {
        sl_free(out->segs);
        return rc;
    }
    clip(out);
    report->segments = out->count;
    return 0;
}
