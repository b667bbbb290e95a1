/* The output side on the winston corpus: encoding bulk bodies, reading bulk answers, and the whole of an
 * output worker that sends to a sink in this process over loopback. Of the latter only the output's own
 * thread is counted; the kernel does most of the receiving on its time. The part's limit is 0.7 s/GB. */
#include "bench.h"
#include "bench_args.h"

#include "../../plugins/outputs/elasticsearch/es_int.h"
#include "delivery/delivery_int.h"
#include "net/compress.h"

#include <arpa/inet.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CORPUS_BYTES (64u << 20)
#define BATCH_BYTES  (256u * 1024)
#define ROUNDS       16 /* of the corpus through the worker */

extern const sl_plugin sl_output_elasticsearch;

typedef struct work {
    bench_corpus corpus;
    sl_batch **batches;
    size_t batch_count;
    es_conf conf;
    es_output es;
    sl_request req;
    sl_record_ref *refs;
    sl_buf answer;
    sl_compressor *compressor; /* the one that is timed */
    sl_buf packed;
} work;

/* ---- batches of the corpus ---- */

/* A sealed batch of lines from `first` on, as tail and parse would make it. Returns the line behind it. */
static size_t make_batch(const bench_corpus *corpus, size_t first, uint64_t origin, sl_batch **out)
{
    size_t last = first;
    while (last < corpus->count && corpus->starts[last + 1] - corpus->starts[first] <= BATCH_BYTES)
        last++;
    sl_batch *batch = sl_batch_new();
    size_t len = corpus->starts[last] - corpus->starts[first];
    char *text = sl_batch_try_alloc(batch, len);
    memcpy(text, corpus->text + corpus->starts[first], len);
    for (size_t i = first; i < last; i++) {
        sl_span line = {text + (corpus->starts[i] - corpus->starts[first]),
                        corpus->starts[i + 1] - corpus->starts[i] - 1};
        sl_batch_add(batch, line, SL_RECORD_RAW | SL_RECORD_TIME, sl_clock_wall_ns(),
                     origin + corpus->starts[i]);
        sl_record_parse_json(batch, &batch->recs[i - first]);
    }
    batch->source = (sl_id){1, 2};
    if (sl_batch_seal(batch) != 0) bench_usage_error("out of memory");
    *out = batch;
    return last;
}

static void make_batches(work *env)
{
    env->batches = bench_alloc((CORPUS_BYTES / BATCH_BYTES + 16) * 2 * sizeof *env->batches);
    for (size_t at = 0; at < env->corpus.count;)
        at = make_batch(&env->corpus, at, 0, &env->batches[env->batch_count++]);
}

/* ---- encoding and reading answers ---- */

/* A request of all of the batch's records. */
static void encode_batch(work *env, sl_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        env->refs[i] = (sl_record_ref){batch, &batch->recs[i]};
    env->req.recs = env->refs;
    env->req.count = batch->count;
    sl_buf_clear(&env->req.body);
    sl_buf_clear(&env->req.path);
    es_encode(&env->es, &env->req);
}

static uint64_t encode_all(void *context)
{
    work *env = context;
    uint64_t sum = 0;
    for (size_t b = 0; b < env->batch_count; b++) {
        encode_batch(env, env->batches[b]);
        sum += env->req.body.len;
    }
    return sum;
}

static uint64_t compress_all(void *context)
{
    work *env = context;
    uint64_t sum = 0;
    for (size_t b = 0; b < env->batch_count; b++) {
        encode_batch(env, env->batches[b]);
        if (sl_compressor_run(env->compressor, sl_buf_span(&env->req.body), &env->packed) != 0)
            bench_usage_error("out of memory");
        sum += env->packed.len;
    }
    return sum;
}

static void bench_compress(work *env, int type, const char *name, double limit)
{
    env->compressor = sl_compressor_new(type, 1);
    bench_run_beside(name, compress_all, env, env->corpus.len, env->corpus.count, limit);
    sl_compressor_free(env->compressor);
}

static void write_answer(sl_buf *out, size_t items)
{
    sl_buf_clear(out);
    sl_buf_append_cstr(out, "{\"errors\":false,\"items\":[");
    for (size_t i = 0; i < items; i++)
        sl_buf_append_cstr(out, i ? ",{\"create\":{\"status\":201}}" : "{\"create\":{\"status\":201}}");
    sl_buf_append_cstr(out, "]}");
}

static uint64_t judge_all(void *context)
{
    work *env = context;
    sl_arena arena = SL_ARENA_NONE;
    sl_verdict verdict = {.count = (uint32_t)env->corpus.count, .arena = &arena};
    sl_answer answer = {.status = 200, .body = sl_buf_span(&env->answer), .url = SL_SPAN("http://es")};
    sl_request req = {.count = verdict.count};
    es_judge(&env->es, &req, &answer, &verdict);
    if (verdict.kind != SL_VERDICT_DELIVERED)
        bench_usage_error("the answer is not taken: %s", verdict.reason);
    return verdict.count;
}

static void init_output(work *env, const char *index)
{
    static sl_counter counter;
    env->conf.index = sl_template_parse(sl_span_of(index), NULL);
    env->conf.index_fallback = SL_SPAN("other");
    env->es = (es_output){.conf = &env->conf, .id_fallbacks = &counter, .conflicts = &counter};
    es_index_init(&env->es.index, &env->conf, &counter);
}

static void release_output(work *env)
{
    es_index_release(&env->es.index);
    sl_reader_release(&env->es.reader);
    sl_buf_release(&env->es.value);
    sl_template_free(env->conf.index);
}

/* ---- the sink: reads bulk requests and says that all is well ---- */

static size_t body_length(const char *head)
{
    const char *at = strcasestr(head, "\r\nContent-Length:");
    return at ? strtoull(at + 17, NULL, 10) : 0;
}

static size_t count_lines(const char *ptr, size_t len)
{
    size_t lines = 0;
    for (const char *at = ptr, *end = ptr + len; (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    return lines;
}

/* Records in a body; a compressed one is read into `plain` first. */
static size_t count_records(const char *head, sl_span body, sl_buf *plain)
{
    if (!strcasestr(head, "\r\nContent-Encoding: gzip")) return count_lines(body.ptr, body.len) / 2;
    struct libdeflate_decompressor *gzip = libdeflate_alloc_decompressor();
    sl_buf_reserve(plain, 4 << 20);
    if (libdeflate_gzip_decompress(gzip, body.ptr, body.len, plain->ptr, plain->cap, &plain->len))
        bench_usage_error("a body is no gzip");
    libdeflate_free_decompressor(gzip);
    return count_lines(plain->ptr, plain->len) / 2;
}

static bool read_more(int fd, sl_buf *in)
{
    sl_buf_reserve(in, 1 << 20);
    ssize_t got = recv(fd, in->ptr + in->len, in->cap - in->len - 1, 0);
    if (got <= 0) return false;
    in->len += (size_t)got;
    in->ptr[in->len] = '\0';
    return true;
}

static bool serve_request(int fd, sl_buf *in, sl_buf *answer, sl_buf *plain)
{
    in->len = 0;
    const char *end = NULL;
    while (!end) {
        if (!read_more(fd, in)) return false;
        end = strstr(in->ptr, "\r\n\r\n");
    }
    size_t head = (size_t)(end - in->ptr) + 4, body = body_length(in->ptr);
    while (in->len < head + body) {
        if (!read_more(fd, in)) return false;
    }
    write_answer(answer, count_records(in->ptr, (sl_span){in->ptr + head, body}, plain));
    char line[128];
    int len = snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", answer->len);
    return send(fd, line, (size_t)len, MSG_MORE | MSG_NOSIGNAL) == len &&
           send(fd, answer->ptr, answer->len, MSG_NOSIGNAL) == (ssize_t)answer->len;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    sl_buf in = SL_BUF_NONE, answer = SL_BUF_NONE, plain = SL_BUF_NONE;
    while (serve_request(fd, &in, &answer, &plain))
        ;
    close(fd);
    sl_buf_release(&in);
    sl_buf_release(&answer);
    sl_buf_release(&plain);
    return NULL;
}

static void *accept_all(void *arg)
{
    int listener = (int)(intptr_t)arg;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);
        pthread_detach(thread);
    }
    return NULL;
}

static unsigned start_sink(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    pthread_t thread;
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) != 0 ||
        pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)fd) != 0)
        bench_usage_error("cannot listen");
    return ntohs(addr.sin_port);
}

/* ---- the worker ---- */

static double loop_cpu;

static void read_cpu(void *arg)
{
    (void)arg;
    loop_cpu = bench_cpu_seconds();
}

static void on_acked(void *arg, uint64_t next)
{
    (void)arg;
    (void)next;
}

static void on_drained(void *arg)
{
    __atomic_store_n((bool *)arg, true, __ATOMIC_RELEASE);
}

static sl_delivery_conf delivery_conf(void)
{
    return (sl_delivery_conf){.request = {.max_bytes = 1 << 20,
                                          .max_records = 10000,
                                          .max_age_ns = 20 * SL_NS_PER_MS,
                                          .concurrency = 8},
                              .retry = {.initial_ns = SL_NS_PER_S, .max_ns = SL_NS_PER_S}};
}

/* Batches are made anew each round, on this thread: each has its own sequence and records. */
static void offer_rounds(const work *env, sl_output_worker *worker, sl_output_ledger *ledger)
{
    uint64_t sequence = 1;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        for (size_t at = 0; at < env->corpus.count; sequence++) {
            sl_batch *batch;
            at = make_batch(&env->corpus, at, round << 32, &batch);
            batch->sequence = sequence;
            sl_output_worker_offer(worker, sequence, sequence, batch->count, batch);
            sl_batch_unref(batch);
            while (sl_ledger_get(&ledger->buffered) > 8192)
                usleep(100);
        }
    }
}

static void deliver(const work *env, unsigned port, int compress, const char *name)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    sl_span urls[1] = {sl_span_of(url)};
    es_conf conf = env->conf;
    conf.http = (sl_http_conf){.url = {urls, 1},
                               .compress = compress,
                               .timeout_ns = 60 * SL_NS_PER_S,
                               .connect_timeout_ns = SL_NS_PER_S,
                               .max_answer = 64 << 20};
    sl_delivery_conf delivery = delivery_conf();
    sl_output_ledger ledger = {0};
    bool drained = false;
    sl_output_worker_conf worker_conf = {.name = "bench",
                                         .pipeline = "bench",
                                         .plugin = &sl_output_elasticsearch,
                                         .conf = &conf,
                                         .delivery = &delivery,
                                         .first = 1,
                                         .next = 1,
                                         .ledger = &ledger,
                                         .acked = on_acked};
    sl_err err = SL_ERR_NONE;
    sl_output_worker *worker = sl_output_worker_start(&worker_conf, &err);
    if (!worker) bench_usage_error("%s", err.text);
    int64_t began = sl_clock_mono_ns();
    offer_rounds(env, worker, &ledger);
    sl_output_worker_drain(worker, on_drained, &drained);
    while (!__atomic_load_n(&drained, __ATOMIC_ACQUIRE))
        usleep(1000);
    double wall = (double)(sl_clock_mono_ns() - began) / 1e9;
    sl_loop_call_wait(worker->loop, read_cpu, NULL);
    double bytes = (double)env->corpus.len * ROUNDS, records = (double)env->corpus.count * ROUNDS;
    printf("%-28s %8.1f ns/record %6.2f GB/s %7.3f s/GB   (wall %.1f s, %llu retries)\n", name,
           loop_cpu / records * 1e9, bytes / loop_cpu / 1e9, loop_cpu / bytes * 1e9, wall,
           (unsigned long long)ledger.retries);
    fflush(stdout);
    sl_output_worker_stop(worker);
}

int main(void)
{
    work env = {.corpus = bench_corpus_load("winston", CORPUS_BYTES)};
    make_batches(&env);
    env.refs = bench_alloc(100000 * sizeof *env.refs);
    bench_heading("the output side, winston corpus");
    init_output(&env, "booking");
    size_t len = env.corpus.len, count = env.corpus.count;
    double encode = bench_s_per_gb(bench_run("encode, one index", encode_all, &env, len, count), len);
    bench_compress(&env, SL_COMPRESS_GZIP, "encode and gzip", encode + BENCH_LIMIT_GZIP);
    bench_compress(&env, SL_COMPRESS_ZSTD, "encode and zstd", encode + BENCH_LIMIT_ZSTD);
    release_output(&env);
    init_output(&env, "booking-%Y.%m.%d");
    bench_run("encode, an index a day", encode_all, &env, len, count);
    write_answer(&env.answer, env.corpus.count);
    bench_run("judge", judge_all, &env, len, count);
    unsigned port = start_sink();
    deliver(&env, port, SL_COMPRESS_NONE, "deliver");
    deliver(&env, port, SL_COMPRESS_GZIP, "deliver, gzip");
    release_output(&env);
    for (size_t i = 0; i < env.batch_count; i++)
        sl_batch_unref(env.batches[i]);
    sl_buf_release(&env.answer);
    sl_buf_release(&env.packed);
    sl_buf_release(&env.req.body);
    sl_buf_release(&env.req.path);
    free(env.batches);
    free(env.refs);
    bench_corpus_release(&env.corpus);
    return 0;
}
