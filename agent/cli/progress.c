/* progress.c: numbers for a person who waits. */
#include "progress.h"
#include <stdio.h>
#include <unistd.h>

#define RENEW_NS (200 * SL_NS_PER_MS)

struct sl_progress {
    sl_app *app;
    sl_timer *timer;
    int64_t started_ns;
};

typedef struct totals {
    uint64_t received, bytes, settled; /* settled: records that every output has dealt with */
} totals;

/* Of several outputs the slowest counts. */
static uint64_t settled_by_all(const sl_pipeline *pipeline)
{
    uint64_t least = UINT64_MAX;
    for (unsigned o = 0; o < sl_pipeline_output_count(pipeline); o++) {
        const sl_output_ledger *ledger = sl_pipeline_output_ledger(pipeline, o);
        uint64_t n = sl_ledger_get(&ledger->delivered) + sl_ledger_get(&ledger->filtered) +
                     sl_ledger_get(&ledger->dead_lettered);
        if (n < least) least = n;
    }
    return least == UINT64_MAX ? 0 : least;
}

static totals add_up(const sl_app *app)
{
    totals sum = {0};
    unsigned count;
    sl_pipeline *const *pipelines = sl_app_pipelines(app, &count);
    for (unsigned i = 0; i < count; i++) {
        const sl_pipeline_ledger *ledger = sl_pipeline_ledger_of(pipelines[i]);
        sum.received += sl_ledger_get(&ledger->received) + sl_ledger_get(&ledger->recovered);
        sum.bytes += sl_ledger_get(&ledger->received_bytes);
        sum.settled += sl_ledger_get(&ledger->filtered) + settled_by_all(pipelines[i]);
    }
    return sum;
}

static void draw(void *arg)
{
    enum { BAR = 30 };
    sl_progress *progress = arg;
    totals sum = add_up(progress->app);
    double seconds = (double)(sl_clock_mono_ns() - progress->started_ns) / SL_NS_PER_S;
    int filled = sum.received
                     ? (int)((sum.settled < sum.received ? sum.settled : sum.received) * BAR / sum.received)
                     : 0;
    fprintf(stderr, "\r\033[K[%.*s%*s] %llu of %llu records read are delivered, %.1f MB/s", filled,
            "##############################", BAR - filled, "", (unsigned long long)sum.settled,
            (unsigned long long)sum.received, seconds > 0 ? (double)sum.bytes / 1e6 / seconds : 0.0);
    fflush(stderr);
}

sl_progress *sl_progress_start(sl_app *app)
{
    if (!isatty(STDERR_FILENO)) return NULL;
    sl_progress *progress = sl_calloc(1, sizeof *progress);
    progress->app = app;
    progress->started_ns = sl_clock_mono_ns();
    progress->timer = sl_timer_new(sl_app_main_loop(app), draw, progress);
    sl_timer_start(progress->timer, RENEW_NS, RENEW_NS);
    return progress;
}

void sl_progress_stop(sl_progress *progress)
{
    if (!progress) return;
    draw(progress);
    fputc('\n', stderr);
    sl_timer_free(progress->timer);
    sl_free(progress);
}

static void print_count(const char *label, uint64_t n, bool always)
{
    if (n || always) fprintf(stderr, "  %s %llu", label, (unsigned long long)n);
}

static void print_drops(const sl_drops *drops)
{
    for (unsigned i = 0; i < SL_LEDGER_REASONS && drops->reason[i]; i++)
        fprintf(stderr, "  dropped (%s) %llu", drops->reason[i], (unsigned long long)drops->count[i]);
}

static void print_output(const char *name, const sl_output_ledger *ledger)
{
    fprintf(stderr, "  -> %s:", name);
    print_count("delivered", sl_ledger_get(&ledger->delivered), true);
    print_count("kept out by `when`", sl_ledger_get(&ledger->filtered), false);
    print_count("still in the journal", sl_ledger_get(&ledger->buffered) + sl_ledger_get(&ledger->in_flight),
                false);
    print_count("dead-lettered", sl_ledger_get(&ledger->dead_lettered), false);
    print_count("retried requests", sl_ledger_get(&ledger->retries), false);
    print_drops(&ledger->dropped);
    fputc('\n', stderr);
}

static void print_input(sl_pipeline *pipeline, unsigned i)
{
    char status[SL_ERR_TEXT_MAX];
    sl_pipeline_input_status(pipeline, i, status, sizeof status);
    if (strcmp(status, "ok") != 0)
        fprintf(stderr, "  <- %s: %s\n", sl_pipeline_input_name(pipeline, i), status);
}

static void print_pipeline(sl_pipeline *pipeline)
{
    const sl_pipeline_ledger *ledger = sl_pipeline_ledger_of(pipeline);
    fprintf(stderr, "%s:", sl_pipeline_name(pipeline));
    print_count("received", sl_ledger_get(&ledger->received), true);
    print_count("recovered from the journal", sl_ledger_get(&ledger->recovered), false);
    print_count("filtered", sl_ledger_get(&ledger->filtered), false);
    print_count("dead-lettered", sl_ledger_get(&ledger->dead_lettered), false);
    print_drops(&ledger->dropped);
    fputc('\n', stderr);
    for (unsigned i = 0; i < sl_pipeline_input_count(pipeline); i++)
        print_input(pipeline, i);
    for (unsigned o = 0; o < sl_pipeline_output_count(pipeline); o++)
        print_output(sl_pipeline_output_name(pipeline, o), sl_pipeline_output_ledger(pipeline, o));
}

void sl_progress_print_summary(const sl_app *app, double seconds, bool complete)
{
    unsigned count;
    sl_pipeline *const *pipelines = sl_app_pipelines(app, &count);
    for (unsigned i = 0; i < count; i++)
        print_pipeline(pipelines[i]);
    totals sum = add_up(app);
    fprintf(stderr, "%s in %.2f s, %.1f MB/s\n",
            complete ? "every record is accounted for and delivered" : "not every record was delivered",
            seconds, seconds > 0 ? (double)sum.bytes / 1e6 / seconds : 0.0);
}
