/* sluice-pacer: writes winston records to a file at a steady rate, each with the time it was written, as an
 * application would that logs all the time. The receiver measures latency from these times.
 *
 * Every millisecond it writes, in one call, the whole records that are due by then. Late ticks are made up
 * for, so the rate holds on average; how late the worst one was is printed, because a late writer makes no
 * honest latency. */
#include "bench_args.h"
#include "corpus.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS      1000000
#define NS_IN_SECOND INT64_C(1000000000)
#define MAX_BURST    (4u << 20) /* bytes written in one call at most, when much is due */

typedef struct pace {
    corpus gen;
    const char *path;
    int fd;
    uint64_t rate;    /* bytes a second */
    uint64_t seconds; /* how long */
    uint64_t records, bytes;
    int64_t worst_late; /* ns a tick came after its time */
    char *buffer;
} pace;

static const char usage[] =
    "usage: sluice-pacer --rate SIZE --seconds N [--seed N] FILE\n"
    "Appends winston records with \"t\":<ns since 1970> to FILE, SIZE bytes a second for N\n"
    "seconds. Prints {\"records\",\"bytes\",\"seconds\",\"worst_late_ms\"} as JSON.\n";

static int64_t clock_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * NS_IN_SECOND + now.tv_nsec;
}

static void write_all(const pace *job, const char *data, size_t len)
{
    while (len) {
        ssize_t done = write(job->fd, data, len);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) bench_die("writing %s failed", job->path);
        data += done;
        len -= (size_t)done;
    }
}

/* Writes the records that take the file to `due` bytes. */
static void write_due(pace *job, uint64_t due)
{
    while (job->bytes < due) {
        char *at = job->buffer;
        while (job->bytes + (uint64_t)(at - job->buffer) < due && at - job->buffer < MAX_BURST)
            at = corpus_record(&job->gen, job->records++, clock_ns(CLOCK_REALTIME), at);
        write_all(job, job->buffer, (size_t)(at - job->buffer));
        job->bytes += (uint64_t)(at - job->buffer);
    }
}

static void keep_pace(pace *job)
{
    int64_t start = clock_ns(CLOCK_MONOTONIC);
    int64_t end = start + (int64_t)job->seconds * NS_IN_SECOND;
    for (int64_t tick = start + TICK_NS; tick <= end; tick += TICK_NS) {
        struct timespec until = {tick / NS_IN_SECOND, tick % NS_IN_SECOND};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
        }
        int64_t late = clock_ns(CLOCK_MONOTONIC) - tick;
        if (late > job->worst_late) job->worst_late = late;
        write_due(job, (uint64_t)((unsigned __int128)job->rate * (uint64_t)(tick - start) / NS_IN_SECOND));
    }
}

static void parse_options(pace *job, int argc, char **argv)
{
    static const struct option options[] = {
        {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 't'},
        {"seed", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    uint64_t seed = 1;
    for (int letter; (letter = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (letter) {
        case 'r': job->rate = bench_parse_size("--rate", optarg, 1, UINT64_C(10000000000)); break;
        case 't': job->seconds = bench_parse_number("--seconds", optarg, 1, 1000000); break;
        case 's': seed = bench_parse_number("--seed", optarg, 0, UINT64_MAX); break;
        case 'h': fputs(usage, stdout); exit(0);
        default: exit(2);
        }
    }
    if (!job->rate || !job->seconds || optind != argc - 1)
        bench_usage_error("--rate, --seconds and one file are needed; try --help");
    job->path = argv[optind];
    corpus_init(&job->gen, CORPUS_WINSTON, seed, 0);
}

int main(int argc, char **argv)
{
    pace job = {0};
    parse_options(&job, argc, argv);
    job.fd = open(job.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (job.fd < 0) bench_die("opening %s failed", job.path);
    job.buffer = bench_alloc(MAX_BURST + corpus_max_record(&job.gen));
    keep_pace(&job);
    if (close(job.fd)) bench_die("closing %s failed", job.path);
    free(job.buffer);
    printf("{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"seconds\":%" PRIu64 ",\"worst_late_ms\":%.3f}\n",
           job.records, job.bytes, job.seconds, (double)job.worst_late / 1e6);
    return 0;
}
