/* retention.c: which segments stay: rolling, deleting what is read, giving up what is too old or too much.
 *
 * Whole segments go, the oldest first. Before one goes the cursors are saved and synced, so that no cursor
 * ever stands on frames that are gone and the running numbers survive the last segment. Where that fails (a
 * full disk may be the very reason to delete) one segment is kept to carry the numbers; a cursor that is
 * found below the first segment later is moved up to it.
 */
#include "journal_int.h"

#include <errno.h>
#include <sluice/fault.h>

void sl_retention__roll(sl_disk_journal *j)
{
    if (!j->appending) return;
    sl_segment *seg = &j->segs[j->count - 1];
    /* Without its seal it will be walked at the next opening; nothing else depends on it. */
    (void)sl_segment__seal(seg, j->cursors.id);
    j->appending = false;
    if (!j->unsafe || j->unsafe->sequence >= seg->next) sl_sync__close(j, seg);
    SL_FAULT(SEGMENT_ROLLED);
}

/* ---- deleting ---- */

static bool delete_first(sl_disk_journal *j)
{
    char path[SL_PATH_LEN];
    sl_segment__path(j->dir, j->segs[0].first, "", path);
    int rc = sl_fs_unlink(path);
    if (rc < 0 && rc != -ENOENT) {
        sl_err err = SL_ERR_NONE;
        sl_err_sys(&err, -rc, "cannot delete %s", path);
        sl_disk__trouble(j, &err);
        return false;
    }
    sl_sync__close(j, &j->segs[0]);
    memmove(&j->segs[0], &j->segs[1], --j->count * sizeof(j->segs[0]));
    sl_disk__no_trouble(j);
    SL_FAULT(SEGMENT_DELETED);
    return true;
}

static bool save_cursors(sl_disk_journal *j)
{
    j->cursors_saved_at = sl_clock_mono_ns();
    return sl_cursors__save(&j->cursors, j->base.conf.fsync != SL_FSYNC_OFF) == 0;
}

bool sl_retention__reclaim(sl_disk_journal *j)
{
    uint64_t lowest = sl_cursors__lowest(&j->cursors);
    size_t gone = 0, most = j->appending ? j->count - 1 : j->count;
    while (gone < most && j->segs[gone].next <= lowest)
        gone++;
    if (gone == 0) return false;
    if (!save_cursors(j) && gone == j->count) gone--;
    bool any = false;
    /* What every output has dealt with is as safe as can be. */
    if (gone) sl_sync__release(j, j->segs[gone - 1].next);
    for (; gone > 0 && delete_first(j); gone--)
        any = true;
    return any;
}

/* ---- giving up ---- */

/* Cursors that stand before `next` move there. True when there was one: something is lost. */
static bool move_cursors(sl_disk_journal *j, uint64_t next)
{
    bool any = false;
    for (unsigned i = 0; i < j->cursors.n_outputs; i++) {
        sl_cursor *cursor = &j->cursors.list[i];
        if (cursor->next >= next) continue;
        cursor->next = next;
        j->cursors.moved = any = true;
    }
    return any;
}

bool sl_retention__drop_oldest(sl_disk_journal *j, const char *reason)
{
    if (j->count == 0) return false;
    if (j->count == 1) sl_retention__roll(j);
    size_t gone = 1;
    while (gone < j->count && j->segs[gone].goes_with_previous)
        gone++;
    if (gone == j->count) sl_retention__roll(j);
    uint64_t next = j->segs[gone - 1].next;
    bool lost = move_cursors(j, next);
    if (!save_cursors(j) && gone == j->count && gone > 1) gone--;
    if (lost) j->base.events.dropped_before(j->base.arg, next, reason);
    sl_sync__release(j, next);
    bool any = false;
    for (; gone > 0 && delete_first(j); gone--)
        any = true;
    return any;
}

/* ---- by age ---- */

/* A segment is rolled well before its oldest frame is too old, so that max_age does not drop young ones
 * along. */
static int64_t roll_age(const sl_journal_conf *conf)
{
    int64_t age = conf->segment_age_ns;
    if (conf->max_age_ns > 0 && (age <= 0 || age > conf->max_age_ns / 4)) age = conf->max_age_ns / 4;
    return age;
}

/* When the segment that takes frames is to be rolled; INT64_MAX: not by its age. */
static int64_t roll_time(const sl_disk_journal *j)
{
    int64_t age = roll_age(&j->base.conf);
    if (!j->appending || age <= 0) return INT64_MAX;
    const sl_segment *seg = &j->segs[j->count - 1];
    return seg->frames > 0 ? seg->first_written + age : INT64_MAX;
}

void sl_retention__by_age(sl_disk_journal *j)
{
    const sl_journal_conf *conf = &j->base.conf;
    int64_t now = sl_clock_wall_ns();
    if (now >= roll_time(j)) sl_retention__roll(j);
    while (conf->max_age_ns > 0 && j->count > (j->appending ? 1u : 0u) &&
           now - j->segs[0].last_written > conf->max_age_ns)
        if (!sl_retention__drop_oldest(j, "max_age")) break;
}

int64_t sl_retention__due(const sl_disk_journal *j)
{
    const sl_journal_conf *conf = &j->base.conf;
    int64_t now = sl_clock_wall_ns(), at = roll_time(j);
    if (conf->max_age_ns > 0 && j->count) {
        int64_t drop = j->segs[0].last_written + conf->max_age_ns + 1;
        if (drop < at) at = drop;
    }
    if (at == INT64_MAX) return INT64_MAX;
    return at > now ? at - now : 0;
}
