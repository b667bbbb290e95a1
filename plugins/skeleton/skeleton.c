/* skeleton.c: the smallest plugin of each kind, in one shared object, to start from.
 *
 * Build it against the installed headers (CMakeLists.txt here, or `cc -shared -fPIC $(pkg-config --cflags
 * sluice) skeleton.c -o skeleton.so`) and name it in `service.plugins`. Then:
 *
 *   inputs:  [{ticker: {lines: 3}}]
 *   filters: [{stamp: {field: seen_by, value: "me"}}]
 *   outputs: [{tally: {path: /tmp/tally}}]
 */
#include <sluice/plugin.h>

/* ---- an input: so many lines, then no more ---- */

typedef struct ticker_conf {
    int64_t lines;
} ticker_conf;

static const sl_option ticker_options[] = {{"lines", SL_OPT_INT, offsetof(ticker_conf, lines), .def = "1",
                                            .min = 1, .max = 1000, .help = "How many lines."},
                                           {0}};

static void *ticker_start(sl_input *in, const void *conf, sl_err *err)
{
    (void)err;
    const ticker_conf *ticker = conf;
    sl_batch *batch = sl_batch_new();
    batch->source = sl_id_random();
    for (int64_t i = 0; i < ticker->lines; i++)
        sl_batch_add(batch, SL_SPAN("a line of the ticker"), SL_RECORD_RAW, sl_clock_wall_ns(), (uint64_t)i);
    sl_input_emit(in, batch);
    if (sl_input_once(in)) sl_input_finished(in);
    return in;
}

static void ticker_nothing(void *self)
{
    (void)self;
}

static const sl_input_ops ticker_ops = {
    .start = ticker_start,
    .resume = ticker_nothing,
    .stop = ticker_nothing,
    .free = ticker_nothing,
};

static const sl_plugin sl_input_ticker = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_INPUT,
    .name = "ticker",
    .help = "Emits a few lines.",
    .options = ticker_options,
    .conf_size = sizeof(ticker_conf),
    .input = &ticker_ops,
};

/* ---- a filter: sets one field in every record ---- */

typedef struct stamp_conf {
    sl_path *field;
    sl_span value;
} stamp_conf;

static const sl_option stamp_options[] = {
    {"field", SL_OPT_PATH, offsetof(stamp_conf, field), .flags = SL_OPT_REQUIRED | SL_OPT_MAIN,
     .help = "The field to set."},
    {"value", SL_OPT_STRING, offsetof(stamp_conf, value), .def = "yes", .help = "What it is set to."},
    {0}};

typedef struct stamp {
    const stamp_conf *conf;
    sl_buf json;
    sl_counter *stamped;
} stamp;

static void *stamp_start(sl_filter *filter, const void *conf, sl_err *err)
{
    (void)err;
    stamp *self = sl_calloc(1, sizeof *self);
    self->conf = conf;
    self->stamped = sl_filter_counter(filter, "records_total", "Records stamped.");
    sl_json_write_string(&self->json, self->conf->value);
    return self;
}

static void stamp_apply(void *arg, sl_batch *batch)
{
    stamp *self = arg;
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (rec->fate != SL_FATE_LIVE) continue;
        if (sl_record_set(batch, rec, self->conf->field, sl_batch_dup(batch, sl_buf_span(&self->json))) == 0)
            sl_counter_add(self->stamped, 1);
    }
}

static void stamp_free(void *arg)
{
    stamp *self = arg;
    sl_buf_release(&self->json);
    sl_free(self);
}

static const sl_filter_ops stamp_ops = {
    .start = stamp_start,
    .apply = stamp_apply,
    .free = stamp_free,
};

static const sl_plugin sl_filter_stamp = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_FILTER,
    .name = "stamp",
    .help = "Sets one field in every record.",
    .options = stamp_options,
    .conf_size = sizeof(stamp_conf),
    .filter = &stamp_ops,
};

/* ---- an output: writes the last record and how many came before it ---- */

typedef struct tally_conf {
    sl_span path;
} tally_conf;

static const sl_option tally_options[] = {{"path", SL_OPT_STRING, offsetof(tally_conf, path),
                                           .flags = SL_OPT_REQUIRED | SL_OPT_MAIN,
                                           .help = "The file to keep."},
                                          {0}};

typedef struct tally {
    sl_output *out;
    const tally_conf *conf;
    uint64_t records;
} tally;

static void *tally_start(sl_output *out, const void *conf, sl_err *err)
{
    (void)err;
    tally *self = sl_calloc(1, sizeof *self);
    self->out = out;
    self->conf = conf;
    return self;
}

static void tally_send(void *arg, sl_request *req)
{
    tally *self = arg;
    sl_verdict verdict;
    sl_verdict_init(&verdict, req);
    sl_buf text = SL_BUF_NONE;
    sl_buf_append_u64(&text, self->records + req->count);
    sl_buf_append_char(&text, ' ');
    sl_record_write(req->recs[req->count - 1].batch, req->recs[req->count - 1].rec, &text);
    sl_buf_append_char(&text, '\n');
    int rc = sl_fs_write_file(self->conf->path.ptr, text.ptr, text.len, 0644);
    if (rc < 0)
        sl_verdict_set(&verdict, SL_VERDICT_RETRY, "cannot write %s", self->conf->path.ptr);
    else
        self->records += req->count;
    sl_buf_release(&text);
    sl_request_done(self->out, req, &verdict);
}

static void tally_free(void *self)
{
    sl_free(self);
}

static const sl_output_ops tally_ops = {
    .start = tally_start,
    .send = tally_send,
    .free = tally_free,
    .max_in_flight = 1,
};

static const sl_plugin sl_output_tally = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_OUTPUT,
    .name = "tally",
    .help = "Keeps the number of records and the last one in a file.",
    .options = tally_options,
    .conf_size = sizeof(tally_conf),
    .output = &tally_ops,
};

/* What the agent looks for when it loads this object. */
__attribute__((visibility("default"))) extern const sl_plugin *const sl_plugins[];
const sl_plugin *const sl_plugins[] = {&sl_input_ticker, &sl_filter_stamp, &sl_output_tally, NULL};
