/* What the machine can do: the parts of which every way through an agent is made, each alone on one core,
 * over the winston corpus. Beside each, what the design found on its machine. */
#include "bench.h"
#include "bench_args.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#define CORPUS_BYTES (64u << 20)
#define BLOCK        (512u << 10) /* bytes handled at once: a batch */

typedef struct limits {
    bench_corpus corpus;
    char *block; /* BLOCK bytes and more, for what is read or packed */
    size_t block_room;
    int file, sock;
    ZSTD_CCtx *zstd;
    struct libdeflate_compressor *deflate;
    size_t packed; /* bytes that the last round of packing made */
} limits;

static size_t block_at(const limits *env, size_t at)
{
    return env->corpus.len - at < BLOCK ? env->corpus.len - at : BLOCK;
}

static uint64_t read_file(void *context)
{
    limits *env = context;
    ssize_t got;
    uint64_t total = 0;
    for (off_t at = 0; (got = pread(env->file, env->block, BLOCK, at)) > 0; at += got)
        total += (uint64_t)got;
    return total;
}

static uint64_t find_lines(void *context)
{
    const limits *env = context;
    const char *at = env->corpus.text, *end = at + env->corpus.len;
    uint64_t lines = 0;
    for (; (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    return lines;
}

static uint64_t copy(void *context)
{
    limits *env = context;
    for (size_t at = 0; at < env->corpus.len; at += BLOCK)
        memcpy(env->block, env->corpus.text + at, block_at(env, at));
    return (uint64_t)env->block[0];
}

static uint64_t hash_blocks(void *context)
{
    const limits *env = context;
    uint64_t sum = 0;
    for (size_t at = 0; at < env->corpus.len; at += BLOCK)
        sum += XXH3_64bits(env->corpus.text + at, block_at(env, at));
    return sum;
}

static uint64_t hash_records(void *context)
{
    const limits *env = context;
    uint64_t sum = 0;
    for (size_t i = 0; i < env->corpus.count; i++) {
        uint64_t origin[2] = {1, env->corpus.starts[i]};
        sum += XXH3_128bits(origin, sizeof(origin)).low64;
    }
    return sum;
}

static uint64_t pack_zstd(void *context)
{
    limits *env = context;
    env->packed = 0;
    for (size_t at = 0; at < env->corpus.len; at += BLOCK)
        env->packed += ZSTD_compressCCtx(env->zstd, env->block, env->block_room, env->corpus.text + at,
                                         block_at(env, at), 1);
    return env->packed;
}

static uint64_t pack_gzip(void *context)
{
    limits *env = context;
    env->packed = 0;
    for (size_t at = 0; at < env->corpus.len; at += BLOCK)
        env->packed += libdeflate_gzip_compress(env->deflate, env->corpus.text + at, block_at(env, at),
                                                env->block, env->block_room);
    return env->packed;
}

static uint64_t send_loopback(void *context)
{
    limits *env = context;
    for (size_t at = 0; at < env->corpus.len;) {
        ssize_t sent = send(env->sock, env->corpus.text + at, block_at(env, at), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) bench_die("sending failed");
        if (sent > 0) at += (size_t)sent;
    }
    return env->corpus.len;
}

/* A file without a name that holds the corpus, in the page cache. */
static int make_file(const bench_corpus *corpus)
{
    char path[] = "/tmp/sluice-bench-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) bench_die("making a file in /tmp failed");
    unlink(path);
    for (size_t at = 0; at < corpus->len;) {
        ssize_t done = write(fd, corpus->text + at, corpus->len - at);
        if (done < 0) bench_die("writing a file in /tmp failed");
        at += (size_t)done;
    }
    return fd;
}

/* A process that reads and drops what is sent to `listener`. */
static pid_t start_reader(int listener)
{
    pid_t pid = fork();
    if (pid < 0) bench_die("starting a reader failed");
    if (pid > 0) return pid;
    int sock = accept(listener, NULL, NULL);
    char *sink = bench_alloc(BLOCK);
    while (recv(sock, sink, BLOCK, 0) > 0) {
    }
    _exit(0);
}

static int connect_reader(pid_t *reader)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&address, &len))
        bench_die("listening on loopback failed");
    *reader = start_reader(listener); /* before there is a socket that it would keep open */
    int sock = socket(AF_INET, SOCK_STREAM, 0);
    if (sock < 0 || connect(sock, (struct sockaddr *)&address, len))
        bench_die("connecting over loopback failed");
    close(listener);
    return sock;
}

static void run_packing(limits *env, const char *name, bench_work *work, double limit)
{
    bench_run_beside(name, work, env, env->corpus.len, env->corpus.count, limit);
    printf("%-42s %10.2f\n", "  ratio", (double)env->corpus.len / (double)env->packed);
}

int main(void)
{
    limits env = {.corpus = bench_corpus_load("winston", CORPUS_BYTES)};
    size_t len = env.corpus.len, count = env.corpus.count;
    env.block_room = ZSTD_compressBound(BLOCK) + BLOCK;
    env.block = bench_alloc(env.block_room);
    env.file = make_file(&env.corpus);
    env.zstd = ZSTD_createCCtx();
    env.deflate = libdeflate_alloc_compressor(1);
    bench_heading("limits, winston corpus");
    bench_run_beside("read, page cache", read_file, &env, len, count, BENCH_LIMIT_READ);
    bench_run_beside("find lines", find_lines, &env, len, count, BENCH_LIMIT_LINES);
    bench_run("copy", copy, &env, len, count);
    bench_run("XXH3-64 of blocks", hash_blocks, &env, len, count);
    bench_run_beside("XXH3-128 of file and offset", hash_records, &env, len, count, BENCH_LIMIT_HASH);
    run_packing(&env, "zstd level 1, 512 KiB frames", pack_zstd, BENCH_LIMIT_ZSTD);
    run_packing(&env, "gzip level 1, 512 KiB members", pack_gzip, BENCH_LIMIT_GZIP);
    pid_t reader;
    env.sock = connect_reader(&reader);
    bench_run_beside("send over loopback", send_loopback, &env, len, count, BENCH_LIMIT_SEND);
    close(env.sock);
    waitpid(reader, NULL, 0);
    close(env.file);
    ZSTD_freeCCtx(env.zstd);
    libdeflate_free_compressor(env.deflate);
    free(env.block);
    bench_corpus_release(&env.corpus);
    return 0;
}
