/* The straight-line program: the work of the benchmark rows and nothing else, in one thread with blocking
 * calls.
 *
 * It reads a file, or those of a folder one after the other, to the end in blocks, splits lines, scans them as JSON, takes out secrets, gives ids,
 * appends each block compressed to a journal file, and posts it to a bulk API. It survives nothing: no fault,
 * no restart, no second file. What it costs is what can be had on this machine, and so the measure for an
 * agent that does the same safely. */
#include "bench_args.h"
#include "straight_line.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#define BLOCK_SIZE                                                                                           \
    (512u << 10) /* read at once, and one request: block, request and journal frame fit the L2 cache */
#define OUT_SIZE (4 * BLOCK_SIZE + LINE_GROWTH)

typedef struct options {
    const char *file, *folder, *journal;
    bool json, redact, gzip;
    uint16_t port;
} options;

typedef struct run {
    options opt;
    int file; /* at the place that is read next; -1 before a folder's first */
    DIR *folder;
    int journal, sock;
    char *block, *out, *docs,
        *packed; /* docs: the journal's records; out: the request, with actions and ids */
    size_t packed_room;
    size_t filled;   /* bytes of the block */
    uint64_t offset; /* of the block in all that is read */
    ZSTD_CCtx *zstd;
    struct libdeflate_compressor *deflate;
    time_t synced;
} run;

static const char usage[] = "usage: straight-line --file FILE|--folder FOLDER --port N [--json] [--redact] "
                            "[--gzip] [--journal FILE]\n";

static void parse_options(options *opt, int argc, char **argv)
{
    static const struct option list[] = {
        {"file", required_argument, NULL, 'f'}, {"folder", required_argument, NULL, 'd'},
        {"port", required_argument, NULL, 'p'}, {"journal", required_argument, NULL, 'j'},
        {"json", no_argument, NULL, 's'},       {"redact", no_argument, NULL, 'r'},
        {"gzip", no_argument, NULL, 'g'},       {0},
    };
    for (int letter; (letter = getopt_long(argc, argv, "", list, NULL)) != -1;) {
        switch (letter) {
        case 'f': opt->file = optarg; break;
        case 'd': opt->folder = optarg; break;
        case 'p': opt->port = (uint16_t)bench_parse_number("--port", optarg, 1, 65535); break;
        case 'j': opt->journal = optarg; break;
        case 's': opt->json = true; break;
        case 'r': opt->redact = true; break;
        case 'g': opt->gzip = true; break;
        default: fputs(usage, stderr); exit(2);
        }
    }
    if (!opt->file == !opt->folder || !opt->port)
        bench_usage_error("--file or --folder, and --port are needed");
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
        bench_die("connecting to %u failed", port);
    return fd;
}

/* {"create":{"_id":"<XXH3-128 of file and offset>"}} */
static char *put_action(char *out, uint64_t offset)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t origin[2] = {1, offset};
    XXH128_hash_t hash = XXH3_128bits(origin, sizeof(origin));
    uint64_t halves[2] = {hash.high64, hash.low64};
    memcpy(out, "{\"create\":{\"_id\":\"", 18);
    out += 18;
    for (int half = 0; half < 2; half++)
        for (int shift = 60; shift >= 0; shift -= 4)
            *out++ = digits[halves[half] >> shift & 15];
    memcpy(out, "\"}}\n", 4);
    return out + 4;
}

/* Encodes the whole lines of the block into `out`, and into `docs` without actions when there is a journal:
 * ids would not compress, and follow from the offset. Returns the bytes of the block used. */
static size_t encode_block(run *job, size_t len, size_t *out_len, size_t *docs_len)
{
    const char *at = job->block, *end = job->block + len, *newline;
    char *out = job->out, *docs = job->docs;
    while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
        size_t line_len = (size_t)(newline - at);
        if ((size_t)(out - job->out) + 2 * line_len + LINE_GROWTH > OUT_SIZE)
            break; /* the rest is read again */
        out = put_action(out, job->offset + (uint64_t)(at - job->block));
        char *doc = out;
        out =
            job->opt.json ? line_json(at, line_len, job->opt.redact, out) : line_unparsed(at, line_len, out);
        *out++ = '\n';
        at = newline + 1;
        if (!job->opt.journal) continue;
        memcpy(docs, doc, (size_t)(out - doc));
        docs += out - doc;
    }
    *out_len = (size_t)(out - job->out);
    *docs_len = (size_t)(docs - job->docs);
    return (size_t)(at - job->block);
}

/* Appends a frame: length, record bytes, checksum, zstd payload; makes the file safe once a second. */
static void append_journal(run *job, size_t len)
{
    size_t packed = ZSTD_compressCCtx(job->zstd, job->packed, job->packed_room, job->docs, len, 1);
    if (ZSTD_isError(packed)) bench_usage_error("compressing failed: %s", ZSTD_getErrorName(packed));
    uint64_t head[3] = {packed, len, XXH3_64bits(job->packed, packed)};
    struct iovec parts[] = {{head, sizeof(head)}, {job->packed, packed}};
    if (writev(job->journal, parts, 2) != (ssize_t)(sizeof(head) + packed))
        bench_die("appending to the journal failed");
    time_t now = time(NULL);
    if (now == job->synced) return;
    if (fdatasync(job->journal)) bench_die("syncing the journal failed");
    job->synced = now;
}

static void send_all(int sock, struct iovec *parts, int count)
{
    while (count) {
        ssize_t done = writev(sock, parts, count);
        if (done < 0) bench_die("sending failed");
        while (count && (size_t)done >= parts->iov_len) {
            done -= (ssize_t)parts++->iov_len;
            count--;
        }
        if (count) {
            parts->iov_base = (char *)parts->iov_base + done;
            parts->iov_len -= (size_t)done;
        }
    }
}

static void post(run *job, const char *body, size_t len)
{
    char head[256], answer[4096];
    int head_len =
        snprintf(head, sizeof(head),
                 "POST /bench/_bulk?filter_path=errors,items.*.error HTTP/1.1\r\nHost: localhost\r\n"
                 "Content-Type: application/x-ndjson\r\n%sContent-Length: %zu\r\n\r\n",
                 job->opt.gzip ? "Content-Encoding: gzip\r\n" : "", len);
    struct iovec parts[] = {{head, (size_t)head_len}, {(void *)body, len}};
    send_all(job->sock, parts, 2);
    size_t got = 0;
    while (got < sizeof(answer) - 1) {
        ssize_t more = recv(job->sock, answer + got, sizeof(answer) - 1 - got, 0);
        if (more <= 0) bench_die("reading the answer failed");
        got += (size_t)more;
        answer[got] = '\0';
        if (strstr(answer, "{\"errors\":false}")) return;
    }
    bench_usage_error("the receiver answered with errors");
}

static void deliver_block(run *job, size_t len, size_t docs_len)
{
    if (job->opt.journal) append_journal(job, docs_len);
    if (!job->opt.gzip) {
        post(job, job->out, len);
        return;
    }
    size_t packed = libdeflate_gzip_compress(job->deflate, job->out, len, job->packed, job->packed_room);
    if (packed == 0) bench_usage_error("compressing failed: no room");
    post(job, job->packed, packed);
}

static void open_input(run *job)
{
    job->file = -1;
    if (job->opt.folder) {
        job->folder = opendir(job->opt.folder);
        if (!job->folder) bench_die("opening %s failed", job->opt.folder);
    } else {
        job->file = open(job->opt.file, O_RDONLY | O_CLOEXEC);
        if (job->file < 0) bench_die("opening %s failed", job->opt.file);
    }
}

/* False: there is none. */
static bool open_next(run *job)
{
    if (job->file >= 0) close(job->file);
    job->file = -1;
    struct dirent *entry = NULL;
    while (job->folder && (entry = readdir(job->folder)) && entry->d_name[0] == '.') {
    }
    if (!entry) return false;
    job->file = openat(dirfd(job->folder), entry->d_name, O_RDONLY | O_CLOEXEC);
    if (job->file < 0) bench_die("opening %s failed", entry->d_name);
    return true;
}

/* Fills the block; false when it stays empty. */
static bool fill_block(run *job)
{
    while (job->filled < BLOCK_SIZE) {
        ssize_t len = job->file < 0 ? 0 : read(job->file, job->block + job->filled, BLOCK_SIZE - job->filled);
        if (len < 0) bench_die("reading failed");
        job->filled += (size_t)len;
        if (len == 0 && !open_next(job)) break;
    }
    return job->filled > 0;
}

static void start(run *job)
{
    open_input(job);
    job->sock = connect_to(job->opt.port);
    job->journal = -1;
    if (job->opt.journal) {
        job->journal = open(job->opt.journal, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (job->journal < 0) bench_die("opening %s failed", job->opt.journal);
    }
    job->block = bench_alloc(BLOCK_SIZE + 64);
    memset(job->block + BLOCK_SIZE, 0, 64);
    job->out = bench_alloc(OUT_SIZE);
    job->docs = bench_alloc(OUT_SIZE);
    job->packed_room = ZSTD_compressBound(OUT_SIZE) + 1024;
    job->packed = bench_alloc(job->packed_room);
    job->zstd = ZSTD_createCCtx();
    job->deflate = libdeflate_alloc_compressor(1);
    job->synced = time(NULL);
}

static void stop(run *job)
{
    libdeflate_free_compressor(job->deflate);
    ZSTD_freeCCtx(job->zstd);
    free(job->packed);
    free(job->docs);
    free(job->out);
    free(job->block);
    if (job->journal >= 0 && (fdatasync(job->journal) || close(job->journal)))
        bench_die("closing the journal failed");
    close(job->sock);
    if (job->file >= 0) close(job->file);
    if (job->folder) closedir(job->folder);
}

int main(int argc, char **argv)
{
    run job = {0};
    parse_options(&job.opt, argc, argv);
    start(&job);
    while (fill_block(&job)) {
        size_t made, docs, used = encode_block(&job, job.filled, &made, &docs);
        if (used == 0) bench_usage_error("a line is longer than a block, or not ended");
        deliver_block(&job, made, docs);
        job.offset += used;
        job.filled -= used;
        memmove(job.block, job.block + used, job.filled);
    }
    stop(&job);
    return 0;
}
