/* journal_side_open.c: how the journal side begins and ends: its loop, the journal, the outputs. */
#include "base/metrics.h"
#include "journal_side_int.h"
#include <sluice/fs.h>
#include <stdio.h>

/* How often the log says that inputs wait. */
#define REFUSED_LOG_NS (60 * SL_NS_PER_S)

static void queue_init(sl_parcel_queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void report_opening(sl_journal_side *side, const sl_journal_report *report)
{
    const char *name = side->conf.pipeline->name;
    if (report->first_problem[0])
        sl_warn("journal",
                "%s: mended while opening: %llu bytes of a torn tail cut, %llu damaged frames (%llu records) "
                "set aside, %llu frames missing; first: %s",
                name, (unsigned long long)report->torn_bytes, (unsigned long long)report->quarantined_frames,
                (unsigned long long)report->quarantined_records, (unsigned long long)report->missing_frames,
                report->first_problem);
    if (report->records)
        sl_info("journal", "%s: %llu records in %llu frames are still to be delivered", name,
                (unsigned long long)report->records, (unsigned long long)report->frames);
}

static void make_metrics(sl_journal_side *side)
{
    const char *labels[] = {"pipeline", side->conf.pipeline->name, NULL};
    side->metrics.bytes =
        sl_metrics_new(side, SL_METRIC_GAUGE, "sluice_journal_bytes", "Bytes the journal holds.", labels);
    side->metrics.segments =
        sl_metrics_new(side, SL_METRIC_GAUGE, "sluice_journal_segments", "Segments of the journal.", labels);
    side->metrics.frames =
        sl_metrics_new(side, SL_METRIC_GAUGE, "sluice_journal_frames", "Frames in the journal.", labels);
    side->metrics.append_errors =
        sl_metrics_new(side, SL_METRIC_COUNTER, "sluice_journal_append_errors_total",
                       "Writes that the disk refused; they were repeated.", labels);
    side->metrics.sync_errors =
        sl_metrics_new(side, SL_METRIC_COUNTER, "sluice_journal_sync_errors_total",
                       "Failed fsyncs of the journal; their frames were written again.", labels);
}

/* Whether an earlier configuration left a journal on disk here. */
static bool has_folder(const sl_journal_side *side)
{
    struct stat st;
    return sl_fs_stat(side->dir, &st) == 0;
}

static bool has_output_that_doubles(const sl_pipeline_conf *conf)
{
    for (size_t i = 0; i < conf->outputs.count; i++) {
        if (conf->outputs.items[i]->plugin->output->doubles) return true;
    }
    return false;
}

static sl_journal *open_as(sl_journal_side *side, sl_journal_type type, const char *const *names,
                           sl_journal_report *report, sl_err *err)
{
    sl_journal_conf conf = side->conf.pipeline->buffer;
    conf.type = type;
    conf.loop = side->loop;
    conf.set_aside = side->conf.set_aside;
    conf.exact_cursors = has_output_that_doubles(side->conf.pipeline);
    side->on_disk = type == SL_JOURNAL_DISK;
    return sl_journal_open(side->dir, &conf, names, side->n_outputs, &sl_journal_side__events, side, report,
                           err);
}

/* A buffer that was on disk and is to be in memory stays on disk until all that it holds is delivered: the
 * outputs count on the order in which records were read. */
static sl_journal *open_journal(sl_journal_side *side, const char *const *names, sl_journal_report *report,
                                sl_err *err)
{
    sl_journal_type wanted = side->conf.pipeline->buffer.type;
    if (wanted == SL_JOURNAL_DISK || !has_folder(side)) return open_as(side, wanted, names, report, err);
    sl_journal *left = open_as(side, SL_JOURNAL_DISK, names, report, err);
    if (left && report->records)
        sl_warn("journal", "%s: the buffer stays on disk until the next start or reload that finds it empty",
                side->conf.pipeline->name);
    if (!left || report->records) return left;
    sl_journal_close(left);
    return open_as(side, wanted, names, report, err);
}

typedef struct open_call {
    sl_journal_side *side;
    sl_err *err;
} open_call;

static void open_on_loop(void *arg)
{
    open_call *call = arg;
    sl_journal_side *side = call->side;
    const char **names = sl_calloc(side->n_outputs, sizeof *names);
    for (unsigned i = 0; i < side->n_outputs; i++)
        names[i] = side->conf.pipeline->outputs.items[i]->name;
    sl_journal_report report = {0};
    side->journal = open_journal(side, names, &report, call->err);
    sl_free(names);
    if (!side->journal) return;
    report_opening(side, &report);
    side->safe_sequence = sl_journal_next(side->journal) - 1;
    sl_ledger_add(&side->conf.ledger->recovered, report.records);
    sl_ledger_add(&side->conf.ledger->journaled, report.records);
    /* What is damaged is among those records: the outputs count it when they get there. */
    side->tick = sl_timer_new(side->loop, sl_journal_side__on_tick, side);
    side->retry = sl_timer_new(side->loop, sl_journal_side__on_retry, side);
    sl_journal_side__on_tick(side);
}

static int start_output(sl_journal_side *side, unsigned index, sl_err *err)
{
    const sl_pipeline_conf *pipeline = side->conf.pipeline;
    sl_output_link_conf conf = {
        .use = pipeline->outputs.items[index],
        .pipeline = pipeline->name,
        .loop = side->loop,
        .journal = side->journal,
        .index = index,
        .folder = side->on_disk ? side->dir : NULL,
        .data_dir = side->conf.data_dir,
        .once = side->conf.once,
        .letters = side->conf.letters,
        .drained = sl_journal_side__on_drained,
        .arg = side,
    };
    return sl_output_link_start(&side->outputs[index], &conf, err);
}

static int start_parts(sl_journal_side *side, sl_err *err)
{
    open_call call = {side, err};
    sl_loop_call_wait(side->loop, open_on_loop, &call);
    if (!side->journal) return err->code;
    for (unsigned i = 0; i < side->n_outputs; i++) {
        int rc = start_output(side, i, err);
        if (rc < 0) return rc;
    }
    return 0;
}

sl_journal_side *sl_journal_side_start(const sl_journal_side_conf *conf, sl_err *err)
{
    unsigned n_outputs = (unsigned)conf->pipeline->outputs.count;
    sl_journal_side *side = sl_calloc(1, sizeof *side + n_outputs * sizeof *side->outputs);
    side->conf = *conf;
    side->n_outputs = n_outputs;
    side->refused_limit = (sl_log_limit){.burst = 1, .interval_ns = REFUSED_LOG_NS};
    queue_init(&side->waiting);
    queue_init(&side->unsafe);
    pthread_mutex_init(&side->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&side->changed, &attr);
    pthread_condattr_destroy(&attr);
    snprintf(side->dir, sizeof side->dir, "%s/journal/%s", conf->data_dir, conf->pipeline->name);
    char name[16];
    snprintf(name, sizeof name, "j:%s", conf->pipeline->name);
    side->loop = sl_loop_new(name);
    make_metrics(side);
    if (start_parts(side, err) == 0) return side;
    sl_journal_side_stop(side);
    sl_journal_side_free(side);
    return NULL;
}

static void close_on_loop(void *arg)
{
    sl_journal_side *side = arg;
    side->stopping = true;
    if (side->journal) sl_journal_close(side->journal);
    side->journal = NULL;
    sl_journal_side__return_unsafe(side);
    sl_timer_free(side->tick);
    sl_timer_free(side->retry);
    side->tick = side->retry = NULL;
}

void sl_journal_side_stop(sl_journal_side *side)
{
    /* The outputs' last acknowledgements are posted before their loops are joined, so they run before the
     * journal closes. */
    for (unsigned i = 0; i < side->n_outputs; i++)
        sl_output_link_stop(&side->outputs[i]);
    sl_loop_call_wait(side->loop, close_on_loop, side);
    sl_loop_free(side->loop);
    side->loop = NULL;
}

void sl_journal_side_free(sl_journal_side *side)
{
    if (!side) return;
    sl_metrics_retire(side);
    pthread_mutex_destroy(&side->lock);
    pthread_cond_destroy(&side->changed);
    sl_free(side);
}
