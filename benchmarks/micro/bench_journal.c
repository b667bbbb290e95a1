/* The journal on the winston corpus, in batches as an input makes them: encoding frames, appending them to
 * files (not synced: that is the disk's time), and reading them back. Beside each stands zstd alone on the
 * same bytes, which is most of what there is to do. */
#include "bench.h"
#include "bench_args.h"

#include "journal/journal.h"

#include <sluice/plugin.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#define CORPUS_BYTES (32u << 20)
#define LEVEL        1

typedef struct work {
    bench_corpus corpus;
    sl_batch **batches;
    size_t count;
    sl_frame_coder *coder;
    ZSTD_CCtx *zstd;
    ZSTD_DCtx *unzstd;
    char *packed, *plain; /* of one batch */
    size_t packed_room, plain_room;
    char **frames; /* each batch's text by zstd alone */
    size_t *frame_lens;
    char dir[64];
    uint64_t first, next; /* sequences of what stands in the journal at dir */
    uint64_t safe;        /* the last sequence that the journal called safe */
} work;

/* ---- batches ---- */

static sl_batch *make_batch(const bench_corpus *corpus, size_t *line)
{
    size_t first = *line;
    while (*line < corpus->count && corpus->starts[*line + 1] - corpus->starts[first] <= SL_BATCH_BYTES)
        ++*line;
    sl_batch *batch = sl_batch_new();
    size_t len = corpus->starts[*line] - corpus->starts[first];
    char *text = sl_batch_try_alloc(batch, len);
    memcpy(text, corpus->text + corpus->starts[first], len);
    for (size_t i = first; i < *line; i++) {
        sl_span record = {text + (corpus->starts[i] - corpus->starts[first]),
                          corpus->starts[i + 1] - corpus->starts[i] - 1};
        sl_batch_add(batch, record, SL_RECORD_RAW | SL_RECORD_TIME, sl_clock_wall_ns(), corpus->starts[i]);
        sl_record_parse_json(batch, &batch->recs[i - first]);
    }
    if (sl_batch_seal(batch) != 0) bench_usage_error("out of memory");
    return batch;
}

static void make_batches(work *env)
{
    env->batches = bench_alloc((CORPUS_BYTES / SL_BATCH_BYTES + 16) * 2 * sizeof *env->batches);
    for (size_t line = 0; line < env->corpus.count;)
        env->batches[env->count++] = make_batch(&env->corpus, &line);
    for (size_t i = 0; i < env->count; i++)
        if (env->batches[i]->text_len > env->plain_room) env->plain_room = env->batches[i]->text_len;
    env->packed_room = ZSTD_compressBound(env->plain_room);
    env->packed = bench_alloc(env->packed_room);
    env->plain = bench_alloc(env->plain_room);
}

/* ---- zstd alone ---- */

static uint64_t pack_all(void *context)
{
    work *env = context;
    uint64_t sum = 0;
    for (size_t i = 0; i < env->count; i++)
        sum += ZSTD_compressCCtx(env->zstd, env->packed, env->packed_room, env->batches[i]->text,
                                 env->batches[i]->text_len, LEVEL);
    return sum;
}

static void keep_packed(work *env)
{
    env->frames = bench_alloc(env->count * sizeof *env->frames);
    env->frame_lens = bench_alloc(env->count * sizeof *env->frame_lens);
    for (size_t i = 0; i < env->count; i++) {
        env->frame_lens[i] = ZSTD_compressCCtx(env->zstd, env->packed, env->packed_room,
                                               env->batches[i]->text, env->batches[i]->text_len, LEVEL);
        env->frames[i] = bench_alloc(env->frame_lens[i]);
        memcpy(env->frames[i], env->packed, env->frame_lens[i]);
    }
}

static uint64_t unpack_all(void *context)
{
    work *env = context;
    uint64_t sum = 0;
    for (size_t i = 0; i < env->count; i++)
        sum +=
            ZSTD_decompressDCtx(env->unzstd, env->plain, env->plain_room, env->frames[i], env->frame_lens[i]);
    return sum;
}

/* ---- the journal ---- */

static uint64_t encode_all(void *context)
{
    work *env = context;
    sl_err err = SL_ERR_NONE;
    uint64_t sum = 0;
    for (size_t i = 0; i < env->count; i++) {
        sl_frame frame = {0};
        if (sl_frame_encode(env->coder, env->batches[i], &frame, &err) != 0)
            bench_usage_error("%s", err.text);
        sum += frame.bytes.len;
        sl_frame_release(&frame);
    }
    return sum;
}

static void on_safe(void *arg, uint64_t sequence)
{
    ((work *)arg)->safe = sequence;
}
static void on_appended(void *arg, uint64_t sequence, uint64_t segment, uint32_t records, sl_batch *batch)
{
    (void)arg, (void)sequence, (void)segment, (void)records, (void)batch;
}
static void on_dropped(void *arg, uint64_t sequence, const char *reason)
{
    (void)arg, (void)sequence;
    bench_usage_error("the journal dropped frames: %s", reason);
}
static void on_room(void *arg)
{
    (void)arg;
}

static sl_journal *open_journal(work *env)
{
    static const sl_journal_events events = {on_safe, on_appended, on_dropped, on_room};
    static const char *const outputs[] = {"out"};
    sl_journal_conf conf = {.type = SL_JOURNAL_DISK,
                            .max_size = UINT64_C(1) << 40,
                            .segment_size = 64 << 20,
                            .fsync = SL_FSYNC_OFF,
                            .compress_level = LEVEL};
    sl_journal_report report;
    sl_err err = SL_ERR_NONE;
    sl_journal *journal = sl_journal_open(env->dir, &conf, outputs, 1, &events, env, &report, &err);
    if (!journal) bench_usage_error("%s", err.text);
    return journal;
}

static void append_batches(work *env, sl_journal *journal)
{
    sl_err err = SL_ERR_NONE;
    for (size_t i = 0; i < env->count; i++) {
        sl_frame frame = {0};
        int res = sl_frame_encode(env->coder, env->batches[i], &frame, &err);
        if (res == 0) res = sl_journal_append(journal, &frame, env->batches[i], &err);
        if (res != 0) bench_usage_error("%s", err.text);
        sl_frame_release(&frame);
    }
}

/* A journal that is opened, filled, acknowledged (so that its files go) and closed. */
static uint64_t append_all(void *context)
{
    work *env = context;
    sl_journal *journal = open_journal(env);
    append_batches(env, journal);
    uint64_t next = sl_journal_next(journal);
    sl_journal_ack(journal, 0, next);
    sl_journal_close(journal);
    return next;
}

static void fill(work *env)
{
    sl_journal *journal = open_journal(env);
    env->first = sl_journal_next(journal);
    append_batches(env, journal);
    env->next = sl_journal_next(journal);
    sl_journal_close(journal);
}

static uint64_t read_all(void *context)
{
    work *env = context;
    sl_err err = SL_ERR_NONE;
    uint64_t records = 0;
    sl_journal_reader *reader = sl_journal_reader_new(env->dir);
    for (uint64_t at = env->first, next, lost; at < env->next; at++) {
        sl_batch *batch;
        if (sl_journal_reader_read(reader, at, &batch, &next, &lost, &err) != 0)
            bench_usage_error("%s", err.text);
        records += batch->count;
        sl_batch_unref(batch);
    }
    sl_journal_reader_free(reader);
    if (records != env->corpus.count)
        bench_usage_error("%zu records became another number", env->corpus.count);
    return records;
}

/* ---- */

static double bench(work *env, const char *name, bench_work *part, double limit)
{
    size_t len = env->corpus.len;
    return bench_s_per_gb(bench_run_beside(name, part, env, len, env->corpus.count, limit), len);
}

static void init(work *env)
{
    *env = (work){.corpus = bench_corpus_load("winston", CORPUS_BYTES), .coder = sl_frame_coder_new(LEVEL)};
    env->zstd = ZSTD_createCCtx();
    env->unzstd = ZSTD_createDCtx();
    snprintf(env->dir, sizeof env->dir, "/tmp/sluice-bench-XXXXXX");
    if (!mkdtemp(env->dir)) bench_die("making a folder in /tmp failed");
    make_batches(env);
    keep_packed(env);
}

static void remove_journal(const char *dir)
{
    DIR *open = opendir(dir);
    if (!open) bench_die("reading %s failed", dir);
    for (struct dirent *entry; (entry = readdir(open));)
        if (entry->d_name[0] != '.' && unlinkat(dirfd(open), entry->d_name, 0))
            bench_die("emptying %s failed", dir);
    closedir(open);
    if (rmdir(dir)) bench_die("removing %s failed", dir);
}

static void release(work *env)
{
    remove_journal(env->dir);
    for (size_t i = 0; i < env->count; i++) {
        sl_batch_unref(env->batches[i]);
        free(env->frames[i]);
    }
    free(env->batches);
    free(env->frames);
    free(env->frame_lens);
    free(env->packed);
    free(env->plain);
    ZSTD_freeCCtx(env->zstd);
    ZSTD_freeDCtx(env->unzstd);
    sl_frame_coder_free(env->coder);
    bench_corpus_release(&env->corpus);
}

int main(void)
{
    work env;
    sl_memory_tune();
    init(&env);
    bench_heading("journal, winston corpus");
    double pack = bench(&env, "zstd alone", pack_all, BENCH_LIMIT_ZSTD);
    double unpack = bench(&env, "zstd alone, back", unpack_all, 0);
    bench(&env, "encode frames", encode_all, pack);
    bench(&env, "encode and append", append_all, pack);
    fill(&env);
    bench(&env, "read and decode", read_all, unpack);
    release(&env);
    return 0;
}
