/* disk_open.c: the journal on disk, from a folder to what disk.c works on: recovers the segments, reads the
 * cursors, and settles which numbers come next.
 */
#include "journal_int.h"

#include <stdio.h>

/* A folder that was made just now must not vanish with the power. */
static int make_dir(const char *dir, sl_err *err)
{
    struct stat st;
    char parent[SL_PATH_LEN];
    if (strlen(dir) > SL_MAX_DIR)
        return sl_err_set(err, SL_E_LIMIT, "the path %s is too long for a journal", dir);
    if (sl_fs_stat(dir, &st) == 0 && S_ISDIR(st.st_mode)) return 0;
    int rc = sl_fs_mkdirs(dir, 0700);
    snprintf(parent, sizeof(parent), "%s", dir);
    /* The two levels that may be new: data_dir/journal/<pipeline>. */
    for (int level = 0; level < 2 && rc == 0; level++) {
        char *slash = strrchr(parent, '/');
        if (!slash || slash == parent) break;
        *slash = '\0';
        rc = sl_fs_sync_dir(parent);
    }
    return rc < 0 ? sl_err_sys(err, -rc, "cannot make the journal's folder %s", dir) : 0;
}

static uint64_t new_id(void)
{
    uint64_t id;
    do
        id = sl_id_random().lo;
    while (id == 0);
    return id;
}

/* The highest of what the segments and the last save know: a sequence is never used twice. No cursor stands
 * behind what was saved with it. */
static void settle_numbers(sl_cursors *cursors, const sl_recovered *found)
{
    uint64_t *next_sequence = &cursors->next_sequence;
    if (*next_sequence < found->at_least) *next_sequence = found->at_least;
    if (found->count == 0) return;
    const sl_segment *last = &found->segs[found->count - 1];
    if (*next_sequence < last->next) *next_sequence = last->next;
    /* Records that were never safe and are gone are no loss: their inputs read them again. */
    cursors->next_record = last->next_record;
}

/* Not lost in silence, but not counted as lost either: what was never safe is read again by its input. */
static void tell_missing_before(const sl_disk_journal *j, const sl_segment *seg, sl_journal_report *report)
{
    char path[SL_PATH_LEN];
    uint64_t frames = sl_cursors__missing_before(&j->cursors, seg->first);
    if (!frames) return;
    report->missing_frames += frames;
    sl_segment__path(j->dir, seg->first, "", path);
    sl_recover__note(report, "%s at offset 0: %llu frames that stood before it are not there", path,
                     (unsigned long long)frames);
}

static void tell_missing(const sl_disk_journal *j, const sl_recovered *found, sl_journal_report *report)
{
    char path[SL_PATH_LEN];
    const sl_segment *last = found->count ? &found->segs[found->count - 1] : NULL;
    uint64_t frames = sl_cursors__missing(&j->cursors, last ? last->next : 0, last ? last->next_record : 0);
    report->missing_frames = frames;
    if (!frames) return;
    if (!last) {
        sl_recover__note(report, "%s: there is no segment, but %llu frames were written and not delivered",
                         j->dir, (unsigned long long)frames);
        return;
    }
    sl_segment__path(j->dir, last->first, "", path);
    sl_recover__note(report, "%s at offset %llu: %llu frames that were written behind it are not there", path,
                     (unsigned long long)last->bytes, (unsigned long long)frames);
}

static int load(sl_disk_journal *j, const char *const *outputs, unsigned n_outputs, sl_journal_report *report,
                sl_err *err)
{
    sl_recovered found;
    int rc = sl_cursors__load(&j->cursors, j->dir);
    if (rc < 0) return sl_err_sys(err, -rc, "cannot read %s", j->cursors.path);
    report->cursors_lost = j->cursors.lost;
    if (j->cursors.lost)
        sl_recover__note(report, "%s can't be read: every output starts at the first frame", j->cursors.path);
    rc = sl_recover__segments(j->dir, j->cursors.id, j->base.conf.set_aside, &found, report, err);
    if (rc < 0) return rc;
    j->segs = found.segs;
    j->count = found.count;
    j->cap = found.count ? found.count : 1;
    tell_missing(j, &found, report);
    if (found.count) tell_missing_before(j, &found.segs[0], report);
    settle_numbers(&j->cursors, &found);
    j->cursors.id = found.id ? found.id : new_id();
    j->safe = j->cursors.next_sequence - 1;
    sl_cursors__match(&j->cursors, outputs, n_outputs,
                      found.count ? found.segs[0].first : j->cursors.next_sequence);
    sl_position__count(j, &report->frames, &report->records);
    return 0;
}

sl_journal *sl_journal__open_disk(const char *dir, const sl_journal_conf *conf, const char *const *outputs,
                                  unsigned n_outputs, const sl_journal_events *events, void *arg,
                                  sl_journal_report *report, sl_err *err)
{
    if (make_dir(dir, err) < 0) return NULL;
    sl_disk_journal *j = sl_calloc(1, sizeof(*j));
    j->base = (sl_journal){.ops = &sl_disk__ops, .conf = *conf, .events = *events, .arg = arg};
    j->dir = sl_strdup(dir);
    j->opened_at = sl_clock_mono_ns();
    if (load(j, outputs, n_outputs, report, err) < 0) {
        sl_disk__free(j);
        return NULL;
    }
    if (conf->loop) j->sync_loop = sl_loop_new("sync");
    /* The id must not get lost with the first segment's header. A disk that refuses now is asked again by
     * tick. */
    (void)sl_cursors__save(&j->cursors, conf->fsync != SL_FSYNC_OFF);
    /* A slot that could not be read may be readable again later: none of them is left as it was. */
    if (j->cursors.lost) (void)sl_cursors__save(&j->cursors, conf->fsync != SL_FSYNC_OFF);
    return &j->base;
}
