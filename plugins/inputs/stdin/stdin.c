/* stdin.c: lines from standard input, for pipes and tests.
 *
 * Standard input cannot be read again: what was taken from it and is not yet in the journal is lost with the
 * process. So there are no receipts, and the source id is a new one each run; a record's origin is the offset
 * of its line.
 *
 * One read a turn, and only when one will not block: the descriptor stays in blocking mode, as it may be
 * shared with a shell. A regular file cannot be polled and is always ready: it is read turn by turn.
 *
 * Bytes are read straight into the batch's arena. The unfinished last line is copied to the next batch.
 */
#include <errno.h>
#include <sluice/plugin.h>
#include <unistd.h>

#define COMPONENT(in) sl_input_name((in)->core)

typedef struct stdin_conf {
    uint64_t max_line;
    bool skip_empty_lines;
} stdin_conf;

typedef struct input {
    sl_input *core;
    const stdin_conf *conf;
    sl_loop *loop;
    sl_id source;
    sl_poll *poll; /* NULL: always ready */
    sl_timer *age; /* of the batch's oldest line */
    sl_message turn;
    bool turn_posted, stopped, dying, ended;

    sl_batch *batch;
    char *bytes; /* in its arena */
    size_t cap, filled;
    size_t done;     /* bytes of lines that are in the batch, or skipped */
    uint64_t offset; /* of bytes[0] in the stream */
    bool skip;       /* the rest of a line that was cut follows */

    sl_counter *lines, *truncated, *empty;
    sl_log_limit long_line;
} input;

/* ---- lines ---- */

static bool add_line(input *in, size_t from, size_t end)
{
    size_t len = end - from;
    if (len > 0 && in->bytes[end - 1] == '\r') len--;
    uint16_t flags = SL_RECORD_RAW;
    sl_span text = {in->bytes + from, len};
    if (text.len == 0 && in->conf->skip_empty_lines) {
        sl_counter_add(in->empty, 1);
        return true;
    }
    if (text.len > in->conf->max_line) {
        text.len = sl_span_cut(text, in->conf->max_line);
        flags |= SL_RECORD_TRUNCATED;
        sl_counter_add(in->truncated, 1);
        sl_log_limited(&in->long_line, SL_LOG_WARN, COMPONENT(in),
                       "the line at offset %llu is longer than `max_line` and was cut",
                       (unsigned long long)(in->offset + from));
    }
    sl_counter_add(in->lines, 1);
    return sl_batch_add(in->batch, text, flags, sl_clock_wall_ns(), in->offset + from) != NULL;
}

static void take_lines(input *in)
{
    const char *newline;
    while ((newline = memchr(in->bytes + in->done, '\n', in->filled - in->done))) {
        size_t end = (size_t)(newline - in->bytes);
        if (!in->skip && !add_line(in, in->done, end))
            sl_bug("a batch of one read has no room for its lines");
        in->skip = false;
        in->done = end + 1;
    }
    size_t rest = in->filled - in->done;
    if (in->skip) {
        in->done = in->filled;
    } else if (rest > in->conf->max_line + 1) { /* the one may be a CR */
        add_line(in, in->done, in->filled);
        in->done = in->filled;
        in->skip = true;
    }
}

/* ---- batches ---- */

/* Begins a new batch with the unfinished line, and lets the old one go. The room doubles with a long line, so
 * that each of its bytes is copied twice at most. */
static bool begin_batch(input *in)
{
    size_t rest = in->filled - in->done, room = rest > SL_BATCH_BYTES ? rest : SL_BATCH_BYTES;
    sl_batch *batch = sl_batch_new(), *old = in->batch;
    char *bytes = sl_batch_try_alloc(batch, rest + room);
    if (!bytes) {
        sl_batch_unref(batch);
        return false;
    }
    if (rest) memcpy(bytes, in->bytes + in->done, rest);
    batch->source = in->source;
    in->offset += in->done;
    in->batch = batch;
    in->bytes = bytes;
    in->cap = rest + room;
    in->filled = rest;
    in->done = 0;
    if (old && old->count)
        sl_input_emit(in->core, old);
    else
        sl_batch_unref(old);
    return true;
}

/* Emits what is complete; without memory, later. */
static void emit(input *in)
{
    sl_timer_stop(in->age);
    if (in->batch && in->batch->count && !begin_batch(in)) sl_timer_start(in->age, SL_BATCH_AGE_NS, 0);
}

/* ---- reading ---- */

static void wait_for_input(input *in)
{
    if (in->stopped || in->ended) return;
    if (in->poll) {
        sl_poll_start(in->poll, SL_READABLE);
    } else if (!in->turn_posted) {
        in->turn_posted = true;
        sl_loop_post(in->loop, &in->turn);
    }
}

static void on_age(void *arg)
{
    emit(arg);
    wait_for_input(arg);
}

/* What is left has no newline, and nothing else will bring it again. */
static void take_rest(input *in)
{
    if (in->filled > in->done && !in->skip) add_line(in, in->done, in->filled);
    in->done = in->filled;
}

static void end_of_input(input *in, int error)
{
    in->ended = true;
    if (in->poll) sl_poll_stop(in->poll);
    if (error) {
        sl_err err = SL_ERR_NONE;
        sl_err_sys(&err, error, "standard input cannot be read");
        sl_error(COMPONENT(in), "%s", err.text);
        sl_input_not_ready(in->core, &err);
    }
    take_rest(in);
    emit(in);
    if (sl_input_once(in->core))
        sl_input_finished(in->core);
    else
        sl_info(COMPONENT(in), "standard input has ended");
}

static bool has_room(input *in)
{
    return (in->batch && in->cap - in->filled >= SL_BATCH_BYTES / 4) || begin_batch(in);
}

static void read_once(input *in)
{
    bool may_read = sl_input_may_read(in->core); /* if not, resume() goes on */
    if (!may_read || !has_room(in)) {
        if (in->poll) sl_poll_stop(in->poll);
        if (may_read) sl_timer_start(in->age, SL_BATCH_AGE_NS, 0); /* for memory */
        return;
    }
    size_t room = in->cap - in->filled;
    ssize_t n =
        sl_fs_read(STDIN_FILENO, in->bytes + in->filled, room < SL_BATCH_BYTES ? room : SL_BATCH_BYTES);
    if (n <= 0 && n != -EAGAIN) {
        end_of_input(in, (int)-n);
        return;
    }
    if (n > 0) in->filled += (size_t)n;
    take_lines(in);
    if (in->batch->count && in->filled >= SL_BATCH_BYTES / 2)
        emit(in);
    else if (in->batch->count && !sl_timer_is_active(in->age))
        sl_timer_start(in->age, SL_BATCH_AGE_NS, 0);
    wait_for_input(in);
}

static void on_readable(void *arg, int events)
{
    (void)events;
    read_once(arg);
}

/* There is one standard input: two that read it would each get some of the lines, nobody could say which. */
static bool taken; /* atomic */

static void destroy(input *in)
{
    __atomic_store_n(&taken, false, __ATOMIC_RELEASE);
    sl_poll_free(in->poll);
    sl_timer_free(in->age);
    sl_batch_unref(in->batch);
    sl_free(in);
}

static void on_turn(sl_message *msg)
{
    input *in = sl_container_of(msg, input, turn);
    in->turn_posted = false;
    if (in->dying)
        destroy(in);
    else if (!in->stopped && !in->ended)
        read_once(in);
}

/* ---- the plugin ---- */

static void *start(sl_input *core, const void *conf, sl_err *err)
{
    if (__atomic_exchange_n(&taken, true, __ATOMIC_ACQ_REL)) {
        sl_err_set(err, SL_E_CONFIG,
                   "input `stdin` stands in two places: define it once under `inputs:`, and name it in each "
                   "pipeline");
        return NULL;
    }
    input *in = sl_calloc(1, sizeof *in);
    in->core = core;
    in->conf = conf;
    in->loop = sl_input_loop(core);
    in->source = sl_id_random();
    in->turn.run = on_turn;
    in->age = sl_timer_new(in->loop, on_age, in);
    in->poll = sl_poll_new(in->loop, STDIN_FILENO, on_readable, in);
    in->lines = sl_input_counter(core, "lines_total", "Lines read from standard input.");
    in->truncated =
        sl_input_counter(core, "lines_truncated_total", "Lines longer than `max_line`, cut there.");
    in->empty = sl_input_counter(core, "lines_empty_total", "Empty lines left out.");
    wait_for_input(in);
    return in;
}

static void resume(void *self)
{
    wait_for_input(self);
}

static void stop(void *self)
{
    input *in = self;
    in->stopped = true;
    if (in->poll) sl_poll_stop(in->poll);
    sl_timer_stop(in->age);
    if (in->batch) take_rest(in);
    if (in->batch && in->batch->count) {
        sl_input_emit(in->core, in->batch);
        in->batch = NULL;
    }
}

static void free_input(void *self)
{
    input *in = self;
    if (in->turn_posted)
        in->dying = true; /* on_turn() frees */
    else
        destroy(in);
}

static const sl_option options[] = {
    {"max_line", SL_OPT_SIZE, offsetof(stdin_conf, max_line), .def = "1MiB", .min = 256, .max = 1u << 28,
     .help = "Longer lines are cut there, between two characters, marked and counted."},
    {"skip_empty_lines", SL_OPT_BOOL, offsetof(stdin_conf, skip_empty_lines), .def = "true",
     .help = "Leaves empty lines out and counts them."},
    {0}};

static const sl_input_ops ops = {.start = start, .resume = resume, .stop = stop, .free = free_input};

const sl_plugin sl_input_stdin = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_INPUT,
    .name = "stdin",
    .help = "Lines from standard input. It cannot be read again: what is not yet in the journal when the "
            "agent is killed is "
            "lost.",
    .options = options,
    .conf_size = sizeof(stdin_conf),
    .input = &ops,
};
