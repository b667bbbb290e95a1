/* keep_drop.c: two filters that differ in one word: keep takes out the records for which the condition does
 * not hold, drop those for which it does. What they take out is counted as filtered in the ledger. A raw line
 * is read as the record it would become, and stays a line. */
#include <sluice/plugin.h>

typedef struct select_conf {
    sl_condition *when;
} select_conf;

typedef struct select_filter {
    const sl_condition *when;
    bool wanted; /* what the condition says of records that stay */
    sl_reader reader;
    sl_counter *taken_out;
} select_filter;

static void *start(sl_filter *filter, const void *conf, bool wanted)
{
    select_filter *self = sl_calloc(1, sizeof(*self));
    self->when = ((const select_conf *)conf)->when;
    self->wanted = wanted;
    self->taken_out = sl_filter_counter(filter, "records_total", "Records taken out.");
    return self;
}

static void *keep_start(sl_filter *filter, const void *conf, sl_err *err)
{
    (void)err;
    return start(filter, conf, true);
}

static void *drop_start(sl_filter *filter, const void *conf, sl_err *err)
{
    (void)err;
    return start(filter, conf, false);
}

static void apply(void *arg, sl_batch *batch)
{
    select_filter *self = arg;
    uint32_t before = batch->live;
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (rec->fate != SL_FATE_LIVE) continue;
        sl_reader_set(&self->reader, batch, rec);
        if (sl_condition_eval(self->when, &self->reader) != self->wanted)
            sl_record_set_fate(batch, rec, SL_FATE_FILTERED, NULL);
    }
    sl_counter_add(self->taken_out, before - batch->live);
}

static void stop(void *arg)
{
    select_filter *self = arg;
    sl_reader_release(&self->reader);
    sl_free(self);
}

static const sl_option keep_options[] = {
    {"when", SL_OPT_CONDITION, offsetof(select_conf, when), .flags = SL_OPT_REQUIRED | SL_OPT_MAIN,
     .help = "Only records for which this holds go on, e.g. `level in [\"warn\", \"error\"]`."},
    {0}};

static const sl_option drop_options[] = {
    {"when", SL_OPT_CONDITION, offsetof(select_conf, when), .flags = SL_OPT_REQUIRED | SL_OPT_MAIN,
     .help = "Records for which this holds are taken out, e.g. `url == \"/health\" and statusCode < 400`."},
    {0}};

static const sl_filter_ops keep_ops = {.start = keep_start, .apply = apply, .free = stop};
static const sl_filter_ops drop_ops = {.start = drop_start, .apply = apply, .free = stop};

const sl_plugin sl_filter_keep = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_FILTER,
    .name = "keep",
    .help = "Lets only those records go on for which a condition holds.",
    .options = keep_options,
    .conf_size = sizeof(select_conf),
    .filter = &keep_ops,
};

const sl_plugin sl_filter_drop = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_FILTER,
    .name = "drop",
    .help = "Takes out the records for which a condition holds.",
    .options = drop_options,
    .conf_size = sizeof(select_conf),
    .filter = &drop_ops,
};
