/* Records on the winston corpus, in batches as an input makes them: copying the lines into a batch (which
 * stands for the read), parsing, sealing kept, edited and wrapped, and what conditions, times and templates
 * cost a record. Rows that build batches include the rows before them that they rest on. */
#include "bench.h"
#include "bench_args.h"

#include <sluice/plugin.h>

#include <stdlib.h>

#define CORPUS_BYTES (64u << 20)
#define PARTS        2 /* batches on which the parts are timed: in the cache, as they are when their turn comes */

typedef struct work {
    bench_corpus corpus;
    sl_reader reader;
    sl_condition *cond;
    sl_template *tpl;
    sl_timezone *zone;
    sl_path *path;
    sl_batch *parsed[PARTS]; /* open and parsed */
    size_t bytes, records;   /* of those */
    sl_buf out;
} work;

typedef enum step { FILL, PARSE, PARSE_SPLICE, PARSE_SET, RAW } step;

static void add_lines(work *env, sl_batch *batch, size_t *line)
{
    const bench_corpus *c = &env->corpus;
    size_t first = *line;
    while (*line < c->count && c->starts[*line + 1] - c->starts[first] <= SL_BATCH_BYTES)
        ++*line;
    size_t len = c->starts[*line] - c->starts[first];
    char *buf = sl_batch_try_alloc(batch, len);
    memcpy(buf, c->text + c->starts[first], len);
    for (size_t i = first; i < *line; i++) {
        sl_span text = {buf + (c->starts[i] - c->starts[first]), c->starts[i + 1] - c->starts[i] - 1};
        sl_batch_add(batch, text, SL_RECORD_RAW | SL_RECORD_COMMON, 0, c->starts[i]);
    }
}

static void work_on(work *env, sl_batch *batch, step what)
{
    if (what == FILL || what == RAW) return;
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (sl_record_parse_json(batch, rec).json.error) continue;
        uint32_t count;
        if (what == PARSE_SPLICE) {
            const sl_token *tok = sl_record_tokens(batch, rec, &count);
            sl_record_splice(batch, rec, tok[2].off, tok[2].len, SL_SPAN("[REDACTED]"));
        }
        if (what == PARSE_SET) sl_record_set(batch, rec, env->path, SL_SPAN("\"production\""));
    }
}

static uint64_t run(work *env, step what)
{
    uint64_t sum = 0;
    for (size_t line = 0; line < env->corpus.count;) {
        sl_batch *batch = sl_batch_new();
        sl_batch_set_common(batch, SL_SPAN("\"file\":\"/var/log/booking/app.log\""));
        add_lines(env, batch, &line);
        work_on(env, batch, what);
        if (what != FILL) sl_batch_seal(batch);
        sum += batch->count;
        sl_batch_unref(batch);
    }
    return sum;
}

static uint64_t fill(void *env)
{
    return run(env, FILL);
}
static uint64_t parse(void *env)
{
    return run(env, PARSE);
}
static uint64_t parse_splice(void *env)
{
    return run(env, PARSE_SPLICE);
}
static uint64_t parse_set(void *env)
{
    return run(env, PARSE_SET);
}
static uint64_t wrap(void *env)
{
    return run(env, RAW);
}

/* ---- parts ---- */

static void parse_parts(work *env)
{
    size_t line = 0;
    for (size_t b = 0; b < PARTS; b++) {
        sl_batch *batch = env->parsed[b] = sl_batch_new();
        sl_batch_set_common(batch, SL_SPAN("\"file\":\"/var/log/booking/app.log\""));
        add_lines(env, batch, &line);
        work_on(env, batch, PARSE);
        env->bytes += batch->bytes + batch->count;
        env->records += batch->count;
    }
}

static uint64_t condition(void *arg)
{
    work *env = arg;
    uint64_t held = 0;
    for (size_t b = 0; b < PARTS; b++)
        for (uint32_t i = 0; i < env->parsed[b]->count; i++) {
            sl_reader_set(&env->reader, env->parsed[b], &env->parsed[b]->recs[i]);
            held += sl_condition_eval(env->cond, &env->reader);
        }
    return held;
}

static uint64_t template(void *arg)
{
    work *env = arg;
    uint64_t len = 0;
    for (size_t b = 0; b < PARTS; b++)
        for (uint32_t i = 0; i < env->parsed[b]->count; i++) {
            sl_buf_clear(&env->out);
            sl_reader_set(&env->reader, env->parsed[b], &env->parsed[b]->recs[i]);
            sl_template_write(env->tpl, &env->reader, &env->out);
            len += env->out.len;
        }
    return len;
}

static uint64_t encode(void *arg)
{
    work *env = arg;
    uint64_t len = 0;
    for (size_t b = 0; b < PARTS; b++) {
        sl_buf_clear(&env->out);
        for (uint32_t i = 0; i < env->parsed[b]->count; i++)
            sl_record_write(env->parsed[b], &env->parsed[b]->recs[i], &env->out);
        len += env->out.len;
    }
    return len;
}

static uint64_t id(void *arg)
{
    work *env = arg;
    uint64_t sum = 0;
    for (size_t b = 0; b < PARTS; b++)
        for (uint32_t i = 0; i < env->parsed[b]->count; i++)
            sum += sl_record_id(env->parsed[b], &env->parsed[b]->recs[i]).lo;
    return sum;
}

static uint64_t read_times(work *env, sl_span text, const sl_timezone *zone)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < env->records; i++) {
        int64_t ns = 0;
        __asm__ volatile("" : "+r"(text.ptr)); /* each time anew */
        sl_time_parse(text, zone, &ns);
        sum += (uint64_t)ns;
    }
    return sum;
}

static uint64_t time_rfc3339(void *env)
{
    return read_times(env, SL_SPAN("2024-05-01T12:34:56.789Z"), NULL);
}
static uint64_t time_local(void *arg)
{
    work *env = arg;
    return read_times(env, SL_SPAN("2024-05-01 12:34:56"), env->zone);
}
static uint64_t time_epoch(void *env)
{
    return read_times(env, SL_SPAN("1714566896789"), NULL);
}

/* limit: in s/GB, 0 without one. Returns s/GB. */
static double bench(work *env, const char *name, bench_work *part, double limit)
{
    size_t len = env->corpus.len;
    return bench_s_per_gb(bench_run_beside(name, part, env, len, env->corpus.count, limit), len);
}

static void bench_part(work *env, const char *name, bench_work *part, double limit)
{
    bench_run_beside(name, part, env, env->bytes, env->records, limit);
}

int main(void)
{
    sl_memory_tune();
    work env = {.corpus = bench_corpus_load("winston", CORPUS_BYTES)};
    sl_err err = SL_ERR_NONE;
    env.cond = sl_condition_parse(SL_SPAN("url == \"/health\" and statusCode < 400"), &err);
    env.tpl = sl_template_parse(SL_SPAN("booking-{{ level }}-%Y.%m.%d"), &err);
    env.zone = sl_timezone_parse(SL_SPAN("Europe/Berlin"), &err);
    env.path = sl_path_parse(SL_SPAN("env"), &err);
    if (!env.cond || !env.tpl || !env.zone || !env.path) bench_usage_error("%s", err.text);

    bench_heading("batches, winston corpus");
    /* Filling copies once, as applying splices and writing do; parsing adds the index. */
    double copy = bench(&env, "fill", fill, 0);
    double parsed = copy + BENCH_LIMIT_INDEX;
    bench(&env, "fill, parse, seal (kept)", parse, parsed);
    bench(&env, "fill, parse, one splice each, seal", parse_splice, parsed + copy);
    bench(&env, "fill, parse, one field set each, seal", parse_set, parsed + copy);
    bench(&env, "fill, wrap raw lines at the seal", wrap, 2 * copy);

    parse_parts(&env);
    bench_heading("parts, a record");
    bench_part(&env, "condition with two comparisons", condition, 0);
    bench_part(&env, "template with a field and a date", template, 0);
    bench_part(&env, "write with @timestamp and a common field", encode, copy);
    bench_part(&env, "id", id, BENCH_LIMIT_HASH);
    bench_part(&env, "time: RFC 3339", time_rfc3339, 0);
    bench_part(&env, "time: local, Europe/Berlin", time_local, 0);
    bench_part(&env, "time: epoch ms", time_epoch, 0);
    return 0;
}
