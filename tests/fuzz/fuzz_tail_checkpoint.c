/* <key> <value> NUL <key> <value> …: checkpoints of files as the state database may hand them over. Whatever
 * stands there, tail starts with it, looks for the files, stops, and starts again: then it understands just
 * as much as before, and what it wrote itself.
 */
#include "../../plugins/inputs/tail/tail_int.h"
#include "scratch_dir.h"
#include "state/state_db.h"

#include <pthread.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what the core gives an input: a loop, a database, counters; records are thrown away ---- */

struct sl_input {
    sl_loop *loop;
    sl_state *state;
};

struct sl_receipt {
    void (*released)(void *arg, bool safe);
    void *arg;
};

static sl_counter cell, bad;

sl_loop *sl_input_loop(sl_input *in)
{
    return in->loop;
}
const char *sl_input_name(sl_input *in)
{
    return (void)in, "tail";
}
sl_state *sl_input_state(sl_input *in)
{
    return in->state;
}
bool sl_input_once(sl_input *in)
{
    return (void)in, true;
}
bool sl_input_may_read(sl_input *in)
{
    return (void)in, true;
}
void sl_input_count_dropped(sl_input *in, const char *reason, uint64_t records)
{
    (void)in, (void)reason, (void)records;
}
void sl_input_finished(sl_input *in)
{
    (void)in;
}
void sl_input_not_ready(sl_input *in, const sl_err *err)
{
    (void)in, (void)err;
}
void sl_input_ready(sl_input *in)
{
    (void)in;
}
sl_counter *sl_input_counter(sl_input *in, const char *name, const char *help)
{
    (void)in, (void)help;
    return strstr(name, "checkpoint") ? &bad : &cell;
}
sl_receipt *sl_receipt_new(sl_input *in, void (*released)(void *arg, bool safe), void *arg)
{
    (void)in;
    sl_receipt *receipt = sl_calloc(1, sizeof *receipt);
    *receipt = (sl_receipt){released, arg};
    return receipt;
}
void sl_input_emit(sl_input *in, sl_batch *batch)
{
    (void)in;
    sl_receipt *receipt = batch->receipt;
    batch->receipt = NULL;
    receipt->released(receipt->arg, true);
    sl_free(receipt);
    sl_batch_unref(batch);
}

extern const sl_plugin sl_input_tail;

/* ---- one run ---- */

static struct sl_input in;
static tail_conf conf;
static sl_span text;
static void *self;

static void put_all(void)
{
    for (const char *at = text.ptr, *end = at + text.len; at < end;) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        if (!stop) stop = end;
        const char *space = memchr(at, ' ', (size_t)(stop - at));
        sl_span key = {at, space ? (size_t)(space - at) : 0};
        if (key.len && key.len <= SL_STATE_MAX_KEY)
            if (sl_state_put(in.state, key, (sl_span){space + 1, (size_t)(stop - space - 1)}, NULL) != 0)
                abort();
        at = stop + 1;
    }
    if (sl_state_commit(in.state, false, NULL) != 0) abort();
}

static void start(void *arg)
{
    const bool *fresh = arg;
    in.state = sl_state_open(scratch, SL_SPAN("tail"), NULL);
    if (!in.state) abort();
    if (*fresh) put_all();
    sl_counter_set(&bad, 0);
    self = sl_input_tail.input->start(&in, &conf, NULL);
    if (!self) abort();
}

static void stop(void *arg)
{
    (void)arg;
    sl_input_tail.input->stop(self);
    sl_input_tail.input->free(self);
    sl_state_close(in.state);
}

/* Returns how many checkpoints were not understood. */
static uint64_t run(bool fresh)
{
    in.loop = sl_loop_new("fuzz");
    sl_loop_call_wait(in.loop, start, &fresh);
    uint64_t bad_at_start = sl_counter_get(&bad);
    sl_loop_call_wait(in.loop, stop, NULL);
    sl_loop_free(in.loop);
    return bad_at_start;
}

static void configure(void)
{
    static sl_span pattern;
    static char path[300];
    snprintf(path, sizeof path, "%s/*.log", scratch);
    pattern = sl_span_of(path);
    conf = (tail_conf){.path = {&pattern, 1},
                       .max_line = 1 << 10,
                       .file_field = SL_SPAN("file"),
                       .watch = TAIL_WATCH_POLL,
                       .poll_interval = SL_NS_PER_S,
                       .max_open_files = 64};
    if (sl_input_tail.check(&conf, NULL) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scratch_make();
    sl_log_min = SL_LOG_ERROR + 1;
    text = (sl_span){(const char *)data, size};
    scratch_write("a.log", "first\nsecond\n", 13);
    configure();
    uint64_t first = run(true);
    if (run(false) != first) abort();
    sl_input_tail.conf_release(&conf);
    scratch_empty();
    return 0;
}
