/* dead_letter.c: see the header. The journal does the work: frames, syncs, damage, limits. It has one cursor,
 * of the letters that were sent again. */
#include "dead_letter.h"
#include "base/metrics.h"
#include "journal/journal.h"
#include <pthread.h>
#include <sluice/fault.h>
#include <sluice/logger.h>
#include <stdio.h>

#define CURSOR_NAME "sent_again"
#define FRAME_TEXT  (UINT32_C(64) << 20) /* bytes of letters after which a frame is full */

struct sl_dead_letters {
    char folder[SL_DEAD_LETTERS_PATH];
    pthread_mutex_t lock;
    sl_journal *journal; /* NULL: not open yet */
    sl_frame_coder *coder;
    uint64_t safe;
    sl_counter *cut;
    sl_log_limit cut_limit;
};

void sl_dead_letters_folder(const char *data_dir, const char *pipeline, char out[SL_DEAD_LETTERS_PATH])
{
    snprintf(out, SL_DEAD_LETTERS_PATH, "%s/dead_letters/%s", data_dir, pipeline);
}

void sl_dead_letters_request_path(const char *data_dir, const char *pipeline, char out[SL_DEAD_LETTERS_PATH])
{
    snprintf(out, SL_DEAD_LETTERS_PATH, "%s/dead_letters/%s.replay", data_dir, pipeline);
}

uint64_t sl_dead_letters_first(const char *folder)
{
    return sl_journal_saved_cursor(folder, CURSOR_NAME);
}

sl_dead_letters *sl_dead_letters_open(const char *data_dir, const char *pipeline)
{
    sl_dead_letters *letters = sl_calloc(1, sizeof *letters);
    sl_dead_letters_folder(data_dir, pipeline, letters->folder);
    pthread_mutex_init(&letters->lock, NULL);
    const char *labels[] = {"pipeline", pipeline, NULL};
    letters->cut = sl_metrics_new(letters, SL_METRIC_COUNTER, "sluice_dead_letters_cut_total",
                                  "Dead letters that keep only the beginning of their record.", labels);
    return letters;
}

void sl_dead_letters_close(sl_dead_letters *letters)
{
    if (!letters) return;
    sl_metrics_retire(letters);
    sl_journal_close(letters->journal);
    sl_frame_coder_free(letters->coder);
    pthread_mutex_destroy(&letters->lock);
    sl_free(letters);
}

/* ---- the journal below ---- */

static void on_safe(void *arg, uint64_t sequence)
{
    ((sl_dead_letters *)arg)->safe = sequence;
}

static void on_appended(void *arg, uint64_t sequence, uint64_t segment, uint32_t records, sl_batch *batch)
{
    (void)arg;
    (void)sequence;
    (void)segment;
    (void)records;
    (void)batch;
}

/* Blocks when full: never called. */
static void on_dropped_before(void *arg, uint64_t sequence, const char *reason)
{
    (void)arg;
    sl_bug("dead letters before %llu are dropped: %s", (unsigned long long)sequence, reason);
}

static void on_room(void *arg)
{
    (void)arg;
} /* who was refused asks again by himself */

static int open_journal(sl_dead_letters *letters, sl_err *err)
{
    static const sl_journal_events events = {on_safe, on_appended, on_dropped_before, on_room};
    static const char *const cursors[] = {CURSOR_NAME};
    static const sl_journal_conf conf = {
        .type = SL_JOURNAL_DISK,
        .max_size = SL_DEAD_LETTERS_MAX_SIZE,
        .segment_size = 16u << 20,
        .segment_age_ns = 24 * 3600 * SL_NS_PER_S,
        .fsync = SL_FSYNC_BATCH,
        .when_full = SL_FULL_BLOCK,
        .compress_level = 1,
    };
    if (letters->journal) return 0;
    sl_journal_report report;
    letters->journal = sl_journal_open(letters->folder, &conf, cursors, 1, &events, letters, &report, err);
    if (!letters->journal) return sl_err_prefix(err, "dead letters");
    if (report.first_problem[0]) sl_warn("dead letters", "mended while opening: %s", report.first_problem);
    if (!letters->coder) letters->coder = sl_frame_coder_new((int)conf.compress_level);
    return 0;
}

/* ---- writing ---- */

/* The first of the letters, as many as FRAME_TEXT allows: *count becomes how many. NULL: memory is out. */
static sl_batch *batch_of(const sl_dead_letter *letter, size_t *count, sl_err *err)
{
    sl_batch *batch = sl_batch_new();
    sl_buf text = SL_BUF_NONE;
    size_t left = *count;
    bool fits = true;
    for (*count = 0; *count < left && batch->bytes < FRAME_TEXT && fits; letter++, ++*count) {
        sl_buf_clear(&text);
        sl_dead_letter_format(letter, &text);
        char *copy = sl_batch_try_alloc(batch, text.len);
        if (copy) memcpy(copy, text.ptr, text.len);
        fits =
            copy && sl_batch_add(batch, (sl_span){copy, text.len}, 0, letter->first_time_ns, letter->origin);
    }
    sl_buf_release(&text);
    if (fits && sl_batch_seal(batch) == 0) return batch;
    sl_batch_unref(batch);
    sl_err_set(err, SL_E_NOMEM, "out of memory for %zu dead letters", left);
    return NULL;
}

/* A frame that was written but could not be synced counts as not written: it may come twice, it is never
 * missing. */
static int append(sl_dead_letters *letters, sl_batch *batch, sl_err *err)
{
    sl_frame frame = {0};
    int rc = open_journal(letters, err);
    if (rc == 0) rc = sl_frame_encode(letters->coder, batch, &frame, err);
    if (rc == 0) rc = sl_journal_append(letters->journal, &frame, batch, err);
    sl_frame_release(&frame);
    if (rc < 0) return sl_err_prefix(err, "dead letters");
    if (letters->safe < batch->sequence) sl_journal_tick(letters->journal, sl_clock_mono_ns());
    if (letters->safe >= batch->sequence) {
        SL_FAULT(DEAD_LETTER_WRITTEN);
        return 0;
    }
    return sl_err_set(err, SL_E_IO, "dead letters in %s could not be synced", letters->folder);
}

static void count_cut(sl_dead_letters *letters, const sl_dead_letter *letter, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (letter[i].record.len <= SL_DEAD_LETTER_MAX_RECORD) continue;
        sl_counter_add(letters->cut, 1);
        sl_log_limited(&letters->cut_limit, SL_LOG_WARN, "dead letters",
                       "of a record of %zu bytes for %s only the first %u are kept", letter[i].record.len,
                       letter[i].output, SL_DEAD_LETTER_MAX_RECORD);
    }
}

/* Writes the first of the letters, *count becomes how many. */
static int write_some(sl_dead_letters *letters, const sl_dead_letter *letter, size_t *count, sl_err *err)
{
    sl_batch *batch = batch_of(letter, count, err);
    if (!batch) return SL_E_NOMEM;
    int rc = append(letters, batch, err);
    sl_batch_unref(batch);
    if (rc == 0) count_cut(letters, letter, *count);
    return rc;
}

int sl_dead_letters_write(sl_dead_letters *letters, const sl_dead_letter *letter, size_t count, sl_err *err)
{
    int rc = 0;
    pthread_mutex_lock(&letters->lock);
    while (count > 0 && rc == 0) {
        size_t some = count;
        rc = write_some(letters, letter, &some, err);
        letter += some;
        count -= some;
    }
    pthread_mutex_unlock(&letters->lock);
    return rc;
}

int sl_dead_letters_ack(sl_dead_letters *letters, uint64_t next, sl_err *err)
{
    pthread_mutex_lock(&letters->lock);
    int rc = open_journal(letters, err);
    if (rc == 0) {
        sl_journal_ack(letters->journal, 0, next);
        sl_journal_tick(letters->journal, sl_clock_mono_ns());
    }
    pthread_mutex_unlock(&letters->lock);
    return rc;
}
