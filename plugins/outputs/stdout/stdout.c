/* stdout.c: NDJSON on standard output.
 *
 * Whoever reads it may be slow, or stand still for hours. A write that waits would keep the output's loop
 * from everything else, so that the agent could not stop; and the descriptor cannot be made non-blocking, for
 * the shell and other programs may share it (nor is it certain to be blocking, for the same reason). So: no
 * more is written at once than poll(2) has promised to be taken, and the loop is waited on for a moment only.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sluice/plugin.h>
#include <unistd.h>

#define PATIENCE_NS (20 * SL_NS_PER_MS) /* longest time in a row that the loop is kept from other work */

static const sl_option options[] = {{0}};

typedef struct stdout_conf {
    char unused;
} stdout_conf;

typedef struct stdout_output {
    sl_output *out;
    sl_timer *again; /* goes on with `req` */
    sl_request *req; /* being written; NULL: none */
    size_t written;  /* bytes of its body */
    size_t piece;    /* bytes that are taken at once by what is ready to take any */
    bool closed;     /* the reader went away */
} stdout_output;

static void encode(sl_request *req)
{
    sl_buf_clear(&req->body);
    for (uint32_t i = 0; i < req->count; i++) {
        sl_record_write(req->recs[i].batch, req->recs[i].rec, &req->body);
        sl_buf_append_char(&req->body, '\n');
    }
}

/* Nobody will ever read the rest: the agent ends as if asked to, and keeps what is buffered. */
static void reader_gone(stdout_output *self)
{
    if (self->closed) return;
    self->closed = true;
    sl_error(sl_output_name(self->out),
             "standard output is closed: the agent stops; what is buffered stays in the journal");
    kill(getpid(), SIGTERM);
}

/* False: it takes nothing for now. What is wrong with it is left to the write to tell. */
static bool is_ready(int64_t until_ns)
{
    int64_t left = until_ns - sl_clock_mono_ns();
    struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return left > 0 && poll(&fd, 1, (int)(left / SL_NS_PER_MS) + 1) != 0;
}

/* 0: all of it is written; -EAGAIN: it takes no more for now; or another negative errno. */
static int write_on(stdout_output *self)
{
    sl_span body = sl_buf_span(&self->req->body);
    int64_t until_ns = sl_clock_mono_ns() + PATIENCE_NS;
    while (self->written < body.len) {
        if (!is_ready(until_ns)) return -EAGAIN;
        size_t left = body.len - self->written;
        ssize_t n =
            sl_fs_write(STDOUT_FILENO, body.ptr + self->written, left < self->piece ? left : self->piece);
        if (n < 0) return (int)n;
        self->written += (size_t)n;
    }
    return 0;
}

static void go_on(void *arg)
{
    stdout_output *self = arg;
    sl_request *req = self->req;
    int rc = write_on(self);
    if (rc == -EAGAIN) {
        sl_timer_start(self->again, SL_NS_PER_MS, 0);
        return;
    }
    if (rc == -EPIPE) reader_gone(self);
    sl_verdict verdict;
    sl_verdict_init(&verdict, req);
    if (rc < 0) {
        sl_err err = SL_ERR_NONE;
        sl_err_sys(&err, -rc, "cannot write to standard output");
        sl_verdict_set(&verdict, SL_VERDICT_RETRY, "%s", err.text);
    }
    self->req = NULL;
    sl_request_done(self->out, req, &verdict);
}

static void stdout_send(void *arg, sl_request *req)
{
    stdout_output *self = arg;
    encode(req);
    self->req = req;
    self->written = 0;
    go_on(self);
}

/* ---- life ---- */

/* A pipe, socket or terminal that is ready takes PIPE_BUF bytes without waiting; a file takes any number. */
static size_t piece_of(int fd)
{
    struct stat st;
    return sl_fs_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? SIZE_MAX : PIPE_BUF;
}

static void *stdout_start(sl_output *out, const void *conf, sl_err *err)
{
    (void)conf;
    (void)err;
    stdout_output *self = sl_calloc(1, sizeof *self);
    self->out = out;
    self->piece = piece_of(STDOUT_FILENO);
    self->again = sl_timer_new(sl_output_loop(out), go_on, self);
    return self;
}

static void stdout_free(void *arg)
{
    stdout_output *self = arg;
    sl_timer_free(self->again);
    sl_free(self);
}

static const sl_output_ops ops = {
    .start = stdout_start,
    .send = stdout_send,
    .free = stdout_free,
    .max_in_flight = 1,
};

const sl_plugin sl_output_stdout = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_OUTPUT,
    .name = "stdout",
    .help = "Writes records to standard output, one JSON object a line.",
    .options = options,
    .conf_size = sizeof(stdout_conf),
    .output = &ops,
};
