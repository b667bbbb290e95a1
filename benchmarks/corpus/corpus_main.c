/* sluice-corpus: writes a corpus to one file, or split in contiguous parts over many, and prints what it
 * wrote as JSON.
 *
 * Whole records only: writing stops with the record that reaches --bytes. With --files, each file gets an
 * equal share of the bytes and the numbers run on from one file to the next. */
#include "bench_args.h"
#include "corpus.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_CHUNK (1u << 20) /* bytes gathered for one write */
#define MAX_FILES   1000000

typedef struct job {
    corpus gen;
    const char *kind_name;
    const char *path;
    uint64_t bytes;
    uint64_t files;
    char *buffer;
    uint64_t next;    /* number of the next record */
    uint64_t written; /* bytes so far, all files */
} job;

static const char usage[] = "usage: sluice-corpus --kind winston|loguru|access|sized --bytes SIZE [--seed N] "
                            "[--size SIZE] [--files N]\n"
                            "                     [--canaries FILE] FILE|DIRECTORY\n"
                            "Writes a seeded corpus of log lines. A directory is made and filled with "
                            "app-000000.log and so on; --files above\n"
                            "1 asks for one. --size is the length of a record of kind `sized`. --canaries "
                            "notes every planted secret, one a\n"
                            "line. Prints {\"kind\",\"seed\",\"records\",\"bytes\",\"files\"} as JSON.\n";

static void write_all(int fd, const char *data, size_t len, const char *path)
{
    while (len) {
        ssize_t done = write(fd, data, len);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) bench_die("writing %s failed", path);
        data += done;
        len -= (size_t)done;
    }
}

/* Writes records to `path` until the whole corpus has `goal` bytes. */
static void write_file(job *run, const char *path, uint64_t goal)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) bench_die("opening %s failed", path);
    char *at = run->buffer;
    while (run->written + (uint64_t)(at - run->buffer) < goal) {
        at = corpus_record(&run->gen, run->next++, 0, at);
        if (at - run->buffer < WRITE_CHUNK) continue;
        write_all(fd, run->buffer, (size_t)(at - run->buffer), path);
        run->written += (uint64_t)(at - run->buffer);
        at = run->buffer;
    }
    write_all(fd, run->buffer, (size_t)(at - run->buffer), path);
    run->written += (uint64_t)(at - run->buffer);
    if (close(fd)) bench_die("closing %s failed", path);
}

static void write_directory(job *run)
{
    if (mkdir(run->path, 0755) && errno != EEXIST) bench_die("making directory %s failed", run->path);
    for (uint64_t i = 0; i < run->files; i++) {
        char *path;
        if (asprintf(&path, "%s/app-%06" PRIu64 ".log", run->path, i) < 0) bench_die("naming a file failed");
        write_file(run, path, (uint64_t)((unsigned __int128)run->bytes * (i + 1) / run->files));
        free(path);
    }
}

static FILE *open_canaries(const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file) bench_die("opening %s failed", path);
    return file;
}

static void parse_options(job *run, int argc, char **argv)
{
    static const struct option options[] = {
        {"kind", required_argument, NULL, 'k'},  {"bytes", required_argument, NULL, 'b'},
        {"seed", required_argument, NULL, 's'},  {"size", required_argument, NULL, 'z'},
        {"files", required_argument, NULL, 'f'}, {"canaries", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},        {0},
    };
    int kind = -1;
    uint64_t seed = 1, size = 1000;
    FILE *canaries = NULL;
    for (int letter; (letter = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (letter) {
        case 'k':
            run->kind_name = optarg;
            kind = corpus_kind_find(optarg);
            if (kind < 0)
                bench_usage_error("--kind %s is unknown; give winston, loguru, access or sized", optarg);
            break;
        case 'b': run->bytes = bench_parse_size("--bytes", optarg, 1, UINT64_C(1) << 45); break;
        case 's': seed = bench_parse_number("--seed", optarg, 0, UINT64_MAX); break;
        case 'z': size = bench_parse_size("--size", optarg, CORPUS_MIN_SIZED, CORPUS_MAX_SIZED); break;
        case 'f': run->files = bench_parse_number("--files", optarg, 1, MAX_FILES); break;
        case 'c': canaries = open_canaries(optarg); break;
        case 'h': fputs(usage, stdout); exit(0);
        default: exit(2);
        }
    }
    if (kind < 0 || run->bytes == 0 || optind != argc - 1)
        bench_usage_error("--kind, --bytes and one path are needed; try --help");
    run->path = argv[optind];
    corpus_init(&run->gen, (corpus_kind)kind, seed, (uint32_t)size);
    run->gen.canaries = canaries;
}

int main(int argc, char **argv)
{
    job run = {.files = 1};
    parse_options(&run, argc, argv);
    run.buffer = bench_alloc(WRITE_CHUNK + corpus_max_record(&run.gen));
    struct stat status;
    if (run.files > 1 || (stat(run.path, &status) == 0 && S_ISDIR(status.st_mode)))
        write_directory(&run);
    else
        write_file(&run, run.path, run.bytes);
    free(run.buffer);
    if (run.gen.canaries && fclose(run.gen.canaries)) bench_die("writing the canaries failed");
    printf("{\"kind\":\"%s\",\"seed\":%" PRIu64 ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"files\":%" PRIu64 "}\n",
           run.kind_name, run.gen.seed, run.next, run.written, run.files);
    return 0;
}
