/* null.c: takes every record and forgets it. For measuring and for trying filters out. */
#include <sluice/plugin.h>

static const sl_option options[] = {{0}};

typedef struct null_conf {
    char unused;
} null_conf;

static void *null_start(sl_output *out, const void *conf, sl_err *err)
{
    (void)conf;
    (void)err;
    return out;
}

static void null_send(void *self, sl_request *req)
{
    sl_verdict verdict;
    sl_verdict_init(&verdict, req);
    sl_request_done(self, req, &verdict);
}

static void null_free(void *self)
{
    (void)self;
}

static const sl_output_ops ops = {
    .start = null_start,
    .send = null_send,
    .free = null_free,
    .max_in_flight = 1,
};

const sl_plugin sl_output_null = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_OUTPUT,
    .name = "null",
    .help = "Takes every record and forgets it.",
    .options = options,
    .conf_size = sizeof(null_conf),
    .output = &ops,
};
