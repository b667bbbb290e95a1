/* rig.h: the tail input with a small pipeline of our own behind it, for tests.
 *
 * The input runs on a loop of its own, on real files. What it emits is noted. A receipt is released at once,
 * or when the test says so. rig_kill() drops all memory as a kill would: records whose receipt had not been
 * released are gone or not, by chance; rig_start() then starts from the state database. What is delivered is
 * kept by record id over all runs: the same id must always bring the same text.
 */
#ifndef TAIL_RIG_H
#define TAIL_RIG_H

#include "../../../plugins/inputs/tail/tail_int.h"
#include "check_main.h"
#include "state/state_db.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct rig_record {
    sl_id source;
    uint64_t origin;
    char *text;
    size_t len;
    uint16_t flags;
    char *common;
} rig_record;

struct sl_receipt {
    struct sl_receipt *next;
    void (*released)(void *arg, bool safe);
    void *arg;
    rig_record *recs;
    size_t count;
};

typedef struct rig_counter {
    char name[64];
    sl_counter cell;
} rig_counter;

struct sl_input {
    sl_loop *loop;
    sl_state *state;
    bool once, finished, full, hold_receipts;
    pthread_mutex_t lock;
    sl_receipt *oldest, **newest;
    sl_receipt *being_made;
    rig_record *delivered; /* each id once, in the order of arrival */
    size_t n_delivered, cap;
    tail_index by_id, by_text;
    size_t emitted, batches;
    rig_counter counters[64];
    size_t n_counters;
};

typedef struct rig {
    char state_dir[256], dir[256];
    struct sl_input in;
    tail_conf conf;
    sl_span paths[8], excludes[8];
    tail_times times;
    tail *self;
    unsigned seed;
} rig;

/* ---- what the core gives an input ---- */

sl_loop *sl_input_loop(sl_input *in)
{
    return in->loop;
}
const char *sl_input_name(sl_input *in)
{
    return (void)in, "tail test";
}
sl_state *sl_input_state(sl_input *in)
{
    return in->state;
}
bool sl_input_once(sl_input *in)
{
    return in->once;
}
bool sl_input_may_read(sl_input *in)
{
    return !in->full;
}
void sl_input_not_ready(sl_input *in, const sl_err *err)
{
    (void)in, (void)err;
}
void sl_input_ready(sl_input *in)
{
    (void)in;
}
void sl_input_count_dropped(sl_input *in, const char *reason, uint64_t n)
{
    (void)in, (void)reason, (void)n;
}

void sl_input_finished(sl_input *in)
{
    pthread_mutex_lock(&in->lock);
    in->finished = true;
    pthread_mutex_unlock(&in->lock);
}

sl_counter *sl_input_counter(sl_input *in, const char *name, const char *help)
{
    (void)help;
    for (size_t i = 0; i < in->n_counters; i++)
        if (strcmp(in->counters[i].name, name) == 0) return &in->counters[i].cell;
    rig_counter *counter = &in->counters[in->n_counters++];
    snprintf(counter->name, sizeof counter->name, "%s", name);
    return &counter->cell;
}

sl_receipt *sl_receipt_new(sl_input *in, void (*released)(void *arg, bool safe), void *arg)
{
    sl_receipt *receipt = sl_calloc(1, sizeof *receipt);
    receipt->released = released;
    receipt->arg = arg;
    in->being_made = receipt;
    return receipt;
}

static uint64_t rig_key(const rig_record *rec)
{
    return rec->source.lo ^ (rec->origin * UINT64_C(0x9e3779b97f4a7c15));
}

/* The indexes hold 1 + the position in `delivered`. */
static rig_record *rig_at(const sl_input *in, const void *item)
{
    return &in->delivered[(uintptr_t)item - 1];
}

static void rig_deliver(sl_input *in, rig_record *rec)
{
    size_t at = 0;
    for (void *item; (item = tail_index_next(&in->by_id, rig_key(rec), &at));) {
        rig_record *had = rig_at(in, item);
        if (had->origin != rec->origin || memcmp(&had->source, &rec->source, sizeof rec->source) != 0)
            continue;
        ck_assert_msg(had->len == rec->len && memcmp(had->text, rec->text, rec->len) == 0,
                      "one id, two texts: `%.60s` and `%.60s`", had->text, rec->text);
        sl_free(rec->text);
        sl_free(rec->common);
        return;
    }
    if (in->n_delivered == in->cap) {
        in->cap = in->cap ? in->cap * 2 : 256;
        in->delivered = sl_realloc(in->delivered, in->cap * sizeof *in->delivered);
    }
    in->delivered[in->n_delivered++] = *rec;
    tail_index_add(&in->by_id, rig_key(rec), (void *)(uintptr_t)in->n_delivered);
    tail_index_add(&in->by_text, tail_hash(rec->text, rec->len), (void *)(uintptr_t)in->n_delivered);
}

/* safe: as a pipeline; lost: the process was killed before the batch was safe anywhere. */
static void rig_release_oldest(sl_input *in, bool safe, bool lost)
{
    pthread_mutex_lock(&in->lock);
    sl_receipt *receipt = in->oldest;
    in->oldest = receipt->next;
    if (!in->oldest) in->newest = &in->oldest;
    for (size_t i = 0; i < receipt->count; i++) {
        if (!lost) {
            rig_deliver(in, &receipt->recs[i]);
        } else {
            sl_free(receipt->recs[i].text);
            sl_free(receipt->recs[i].common);
        }
    }
    pthread_mutex_unlock(&in->lock);
    receipt->released(receipt->arg, safe);
    sl_free(receipt->recs);
    sl_free(receipt);
}

static void rig_release_all(void *arg)
{
    sl_input *in = arg;
    while (in->oldest)
        rig_release_oldest(in, true, false);
}

void sl_input_emit(sl_input *in, sl_batch *batch)
{
    sl_assert_on(in->loop);
    sl_assert(batch->count > 0 && batch->receipt);
    pthread_mutex_lock(&in->lock);
    sl_receipt *receipt = batch->receipt;
    receipt->recs = sl_calloc(batch->count, sizeof *receipt->recs);
    receipt->count = batch->count;
    for (uint32_t i = 0; i < batch->count; i++) {
        const sl_record *rec = &batch->recs[i];
        receipt->recs[i] = (rig_record){.source = batch->source,
                                        .origin = rec->origin,
                                        .text = sl_strndup(rec->text, rec->len),
                                        .len = rec->len,
                                        .flags = rec->flags,
                                        .common = sl_strndup(batch->common.ptr, batch->common.len)};
    }
    in->emitted += batch->count;
    in->batches++;
    *in->newest = receipt;
    in->newest = &receipt->next;
    bool hold = in->hold_receipts;
    pthread_mutex_unlock(&in->lock);
    batch->receipt = NULL;
    sl_batch_unref(batch);
    if (!hold) sl_loop_call(in->loop, rig_release_all, in);
}

extern const sl_plugin sl_input_tail;

/* ---- life ---- */

static void rig_init(rig *r)
{
    memset(r, 0, sizeof *r);
    snprintf(r->state_dir, sizeof r->state_dir, "%s", sl_test_dir());
    snprintf(r->dir, sizeof r->dir, "%s", sl_test_dir());
    pthread_mutex_init(&r->in.lock, NULL);
    r->in.newest = &r->in.oldest;
    r->conf = (tail_conf){.max_line = 1 << 20,
                          .file_field = SL_SPAN("file"),
                          .poll_interval = 20 * SL_NS_PER_MS,
                          .max_open_files = 4096,
                          .skip_empty_lines = true};
    r->times = tail_default_times;
    r->times.pause = SL_NS_PER_MS;
    r->times.check = 10 * SL_NS_PER_MS;
    r->times.save = 20 * SL_NS_PER_MS;
    r->times.quiet = r->times.hold = 300 * SL_NS_PER_MS;
    sl_log_min = getenv("RIG_LOG") ? SL_LOG_DEBUG : SL_LOG_ERROR + 1;
}

/* A pattern below the rig's folder. */
static void rig_path(rig *r, const char *pattern)
{
    sl_buf path = SL_BUF_NONE;
    sl_buf_printf(&path, "%s/%s", r->dir, pattern);
    r->paths[r->conf.path.count] = sl_span_of(sl_strdup(sl_buf_cstr(&path)));
    sl_buf_release(&path);
    r->conf.path.items = r->paths;
    r->conf.path.count++;
}

static void rig_exclude(rig *r, const char *pattern)
{
    r->excludes[r->conf.exclude.count++] = sl_span_of(pattern);
    r->conf.exclude.items = r->excludes;
}

static void rig_start_here(void *arg)
{
    rig *r = arg;
    sl_err err = SL_ERR_NONE;
    r->in.state = sl_state_open(r->state_dir, SL_SPAN("tail"), &err);
    ck_assert_msg(r->in.state != NULL, "%s", err.text);
    tail_times before = tail_default_times;
    tail_default_times = r->times;
    r->self = sl_input_tail.input->start(&r->in, &r->conf, &err);
    tail_default_times = before;
    ck_assert_msg(r->self != NULL, "%s", err.text);
}

static void rig_start(rig *r)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_input_tail.check(&r->conf, &err) == 0, "%s", err.text);
    r->in.loop = sl_loop_new("rig");
    r->in.finished = false;
    sl_loop_call_wait(r->in.loop, rig_start_here, r);
}

static void rig_stop_here(void *arg)
{
    rig *r = arg;
    sl_input_tail.input->stop(r->self);
    rig_release_all(&r->in);
    sl_input_tail.input->free(r->self);
    sl_state_close(r->in.state);
}

static void rig_kill_here(void *arg)
{
    rig *r = arg;
    r->self->stopped = true; /* no orderly stop */
    while (r->in.oldest)
        rig_release_oldest(&r->in, false, rand_r(&r->seed) % 2);
    tail_link *lists[] = {&r->self->dirty, &r->self->named};
    for (size_t i = 0; i < SL_LEN(lists); i++)
        while (tail_is_linked(lists[i]))
            tail_unlink(lists[i]->next);
    sl_input_tail.input->free(r->self);
    sl_state_close(r->in.state);
}

static void rig_end_run(rig *r, void (*how)(void *arg))
{
    sl_loop_call_wait(r->in.loop, how, r);
    sl_loop_free(r->in.loop);
    sl_input_tail.conf_release(&r->conf);
    r->self = NULL;
}
static void rig_stop(rig *r)
{
    rig_end_run(r, rig_stop_here);
}
static void rig_kill(rig *r)
{
    rig_end_run(r, rig_kill_here);
}

static void rig_release(rig *r)
{
    if (r->self) rig_stop(r);
    for (size_t i = 0; i < r->in.n_delivered; i++) {
        sl_free(r->in.delivered[i].text);
        sl_free(r->in.delivered[i].common);
    }
    sl_free(r->in.delivered);
    tail_index_release(&r->in.by_id);
    tail_index_release(&r->in.by_text);
    for (size_t i = 0; i < r->conf.path.count; i++)
        sl_free((void *)(uintptr_t)r->paths[i].ptr);
    pthread_mutex_destroy(&r->in.lock);
}

/* ---- what came out ---- */

static uint64_t rig_count(rig *r, const char *name)
{
    for (size_t i = 0; i < r->in.n_counters; i++)
        if (strcmp(r->in.counters[i].name, name) == 0)
            return __atomic_load_n(&r->in.counters[i].cell.value, __ATOMIC_RELAXED);
    ck_abort_msg("no counter %s", name);
}

static size_t rig_delivered(rig *r)
{
    pthread_mutex_lock(&r->in.lock);
    size_t n = r->in.n_delivered;
    pthread_mutex_unlock(&r->in.lock);
    return n;
}

static void rig_sleep_ms(int ms)
{
    usleep((useconds_t)ms * 1000);
}

/* Until n records are delivered; says what came when they never are. */
static void rig_wait(rig *r, size_t n)
{
    for (int i = 0; i < 10000 && rig_delivered(r) < n; i++)
        rig_sleep_ms(1);
    if (rig_delivered(r) >= n) return;
    for (size_t i = 0; i < r->in.n_delivered && i < 50; i++)
        fprintf(stderr, "  %.80s\n", r->in.delivered[i].text);
    ck_abort_msg("%zu records came, not %zu", rig_delivered(r), n);
}

/* Nothing more comes. */
static void rig_settle(rig *r)
{
    size_t n;
    do {
        n = rig_delivered(r);
        rig_sleep_ms(60);
    } while (n != rig_delivered(r));
}

static size_t rig_times_seen(rig *r, const char *text)
{
    size_t n = 0, at = 0, len = strlen(text);
    pthread_mutex_lock(&r->in.lock);
    for (void *item; (item = tail_index_next(&r->in.by_text, tail_hash(text, len), &at));) {
        rig_record *rec = rig_at(&r->in, item);
        n += rec->len == len && memcmp(rec->text, text, len) == 0;
    }
    pthread_mutex_unlock(&r->in.lock);
    return n;
}

/* Exactly these records, in any order, each once. The list ends with NULL. */
static void rig_expect(rig *r, ...)
{
    va_list args;
    size_t n = 0;
    va_start(args, r);
    while (va_arg(args, const char *))
        n++;
    va_end(args);
    rig_wait(r, n);
    rig_settle(r);
    va_start(args, r);
    for (const char *text; (text = va_arg(args, const char *));)
        ck_assert_msg(rig_times_seen(r, text) == 1, "`%s` came %zu times", text, rig_times_seen(r, text));
    va_end(args);
    for (size_t i = n; i < r->in.n_delivered; i++)
        fprintf(stderr, "  record %zu: %.80s\n", i, r->in.delivered[i].text);
    ck_assert_uint_eq(r->in.n_delivered, n);
}

/* ---- files ---- */

static const char *rig_file(rig *r, const char *name)
{
    static char paths[8][600];
    static int at;
    char *path = paths[at++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", r->dir, name);
    return path;
}

static void rig_write(rig *r, const char *name, const char *mode, sl_span bytes)
{
    FILE *f = fopen(rig_file(r, name), mode);
    ck_assert_msg(f != NULL, "%s", name);
    ck_assert_uint_eq(fwrite(bytes.ptr, 1, bytes.len, f), bytes.len);
    fclose(f);
}
static void rig_append(rig *r, const char *name, const char *text)
{
    rig_write(r, name, "a", sl_span_of(text));
}

static void rig_rename(rig *r, const char *from, const char *to)
{
    ck_assert_int_eq(rename(rig_file(r, from), rig_file(r, to)), 0);
}
static void rig_remove(rig *r, const char *name)
{
    ck_assert_int_eq(unlink(rig_file(r, name)), 0);
}
static void rig_truncate(rig *r, const char *name, off_t len)
{
    ck_assert_int_eq(truncate(rig_file(r, name), len), 0);
}

static void rig_copy(rig *r, const char *from, const char *to)
{
    sl_buf bytes = SL_BUF_NONE;
    ck_assert_int_eq(sl_fs_read_file(rig_file(r, from), 1 << 30, &bytes), 0);
    rig_write(r, to, "w", sl_buf_span(&bytes));
    sl_buf_release(&bytes);
}

/* `count` lines "<prefix> <number> …", long enough that a few make a whole head. */
static void rig_lines(rig *r, const char *name, const char *prefix, int from, int count)
{
    sl_buf text = SL_BUF_NONE;
    for (int i = from; i < from + count; i++)
        sl_buf_printf(&text, "%s %06d some words to make the line a little longer than it would be\n", prefix,
                      i);
    rig_write(r, name, "a", sl_buf_span(&text));
    sl_buf_release(&text);
}

/* Every one of those lines came once. */
static void rig_expect_lines(rig *r, const char *prefix, int from, int count)
{
    char text[200];
    for (int i = from; i < from + count; i++) {
        snprintf(text, sizeof text, "%s %06d some words to make the line a little longer than it would be",
                 prefix, i);
        ck_assert_msg(rig_times_seen(r, text) == 1, "`%.40s` came %zu times", text, rig_times_seen(r, text));
    }
}

static void rig_expect_total(rig *r, size_t n)
{
    rig_wait(r, n);
    rig_settle(r);
    ck_assert_uint_eq(rig_delivered(r), n);
}

/* Functions that one test file or another does not use. */
__attribute__((unused)) static void *const rig_used[] = {
    rig_path,  rig_exclude, rig_start,        rig_stop,         rig_kill,   rig_release,
    rig_count, rig_expect,  rig_append,       rig_rename,       rig_remove, rig_truncate,
    rig_copy,  rig_lines,   rig_expect_lines, rig_expect_total, rig_init};

#endif
