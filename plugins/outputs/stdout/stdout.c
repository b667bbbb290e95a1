/* stdout.c: NDJSON on standard output. Writing blocks this output's own loop and nothing else. */
#include <errno.h>
#include <signal.h>
#include <sluice/plugin.h>
#include <unistd.h>

static const sl_option options[] = {{0}};

typedef struct stdout_conf {
    char unused;
} stdout_conf;

typedef struct stdout_output {
    sl_output *out;
    bool closed; /* the reader went away */
} stdout_output;

static void *stdout_start(sl_output *out, const void *conf, sl_err *err)
{
    (void)conf;
    (void)err;
    stdout_output *self = sl_calloc(1, sizeof *self);
    self->out = out;
    return self;
}

static void encode(sl_request *req)
{
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

static void stdout_send(void *arg, sl_request *req)
{
    stdout_output *self = arg;
    sl_verdict verdict;
    sl_verdict_init(&verdict, req);
    sl_buf_clear(&req->body);
    encode(req);
    int rc = sl_fs_pwrite_all(STDOUT_FILENO, req->body.ptr, req->body.len, -1);
    if (rc == -EPIPE) reader_gone(self);
    if (rc < 0) {
        sl_err err = SL_ERR_NONE;
        sl_err_sys(&err, -rc, "cannot write to standard output");
        sl_verdict_set(&verdict, SL_VERDICT_RETRY, "%s", err.text);
    }
    sl_request_done(self->out, req, &verdict);
}

static void stdout_free(void *self)
{
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
