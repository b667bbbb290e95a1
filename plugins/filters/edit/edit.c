/* edit.c: the filter that changes fields.
 *
 * Operations run in the order of the list; those of one map in the order copy, rename, convert, default, set,
 * remove. Each does one of three things to a record, the last two counted: changes it; finds nothing to do
 * (no such field, a template whose field is missing); or can't be done (a value that has no such type, a
 * field inside something that is no object), then the field stays as it is.
 */
#include "edit_int.h"

typedef struct edit_conf {
    edit_ops ops;
    sl_list steps;        /* edit_ops */
    edit_program program; /* made by check() */
} edit_conf;

#define OPERATION_ROWS(type, field)                                                                          \
    {"copy", SL_OPT_MAP, offsetof(type, field copy),                                                         \
     .help = "`from: to`: the field also under another name."},                                              \
        {"rename", SL_OPT_MAP, offsetof(type, field rename),                                                 \
         .help = "`from: to`: the field under another name."},                                               \
        {"convert", SL_OPT_MAP, offsetof(type, field convert),                                               \
         .help = "`field: type`, with `string`, `int`, `float` or `bool`."},                                 \
        {"default", SL_OPT_JSON, offsetof(type, field defaults),                                             \
         .help = "`field: value` for fields that are missing or null. Values as in `set`."},                 \
        {"set", SL_OPT_JSON, offsetof(type, field set),                                                      \
         .help = "`field: value`. A text is a template (`{{ user.id }}`, `%Y`), any other value is taken "   \
                 "as it is."},                                                                               \
    {                                                                                                        \
        "remove", SL_OPT_PATH, offsetof(type, field remove), .flags = SL_OPT_LIST,                           \
                                                             .help = "Fields to take out."                   \
    }

#define NOTHING
static const sl_option step_options[] = {OPERATION_ROWS(edit_ops, NOTHING), {0}};

static const sl_option options[] = {OPERATION_ROWS(edit_conf, ops.),
                                    {"steps", SL_OPT_GROUP, offsetof(edit_conf, steps), .rows = step_options,
                                     .row_size = sizeof(edit_ops), .flags = SL_OPT_LIST | SL_OPT_MAIN,
                                     .help = "Several maps of operations, one after another; for another "
                                             "order than that of one map, which is: copy, rename, "
                                             "convert, default, set, remove."},
                                    {0}};

static void conf_release(void *arg)
{
    edit_program_release(&((edit_conf *)arg)->program);
}

static int check(void *arg, sl_err *err)
{
    edit_conf *conf = arg;
    int res = edit_compile(&conf->program, &conf->ops, err);
    for (size_t i = 0; i < conf->steps.count && res == 0; i++)
        res = edit_compile(&conf->program, &SL_LIST_AT(conf->steps, edit_ops, i), err);
    if (res == 0 && conf->program.count == 0)
        res = sl_err_set(err, SL_E_CONFIG,
                         "nothing to do: give at least one of copy, rename, convert, default, set, remove");
    return res;
}

/* ---- the instance ---- */

typedef enum outcome { CHANGED, NOTHING_TO_DO, FAILED } outcome;

typedef struct edit_filter {
    const edit_program *program;
    sl_reader reader;
    sl_buf json, text, scratch;
    sl_counter *done[3]; /* by outcome */
} edit_filter;

static void *start(sl_filter *filter, const void *conf, sl_err *err)
{
    static const char *const names[] = {"changed", "nothing_to_do", "failed"};
    (void)err;
    edit_filter *self = sl_calloc(1, sizeof(*self));
    self->program = &((const edit_conf *)conf)->program;
    for (size_t i = 0; i < SL_LEN(names); i++)
        self->done[i] = sl_filter_counter_labelled(filter, "operations_total",
                                                   "Operations on fields of records.", "result", names[i]);
    return self;
}

static outcome set_json(edit_filter *self, sl_batch *batch, sl_record *rec, const sl_path *path)
{
    return sl_record_set(batch, rec, path, sl_buf_span(&self->json)) == 0 ? CHANGED : FAILED;
}

/* A copy is spelled anew where its text had escapes; all else is taken over byte by byte. */
static void write_value(const sl_value *value, sl_buf *json)
{
    if (value->type == SL_JSON_STRING)
        sl_json_write_string(json, value->text);
    else
        sl_buf_append_span(json, value->text);
}

static outcome copy_or_rename(edit_filter *self, sl_batch *batch, sl_record *rec, const edit_step *step)
{
    sl_value value;
    if (!sl_record_get(batch, rec, step->path, &self->scratch, &value)) return NOTHING_TO_DO;
    write_value(&value, &self->json);
    outcome done = set_json(self, batch, rec, step->to);
    if (done == CHANGED && step->kind == EDIT_RENAME) sl_record_remove(batch, rec, step->path);
    return done;
}

static outcome convert(edit_filter *self, sl_batch *batch, sl_record *rec, const edit_step *step)
{
    sl_value value;
    if (!sl_record_get(batch, rec, step->path, &self->scratch, &value)) return NOTHING_TO_DO;
    if (step->type == SL_CONVERT_STRING && value.type == SL_JSON_STRING) return NOTHING_TO_DO;
    if (!sl_value_convert(&value, step->type, &self->json)) return FAILED;
    if (value.type != SL_JSON_STRING && sl_span_is(value.text, sl_buf_span(&self->json)) &&
        step->type != SL_CONVERT_STRING)
        return NOTHING_TO_DO;
    return set_json(self, batch, rec, step->path);
}

static outcome set(edit_filter *self, sl_batch *batch, sl_record *rec, const edit_step *step)
{
    sl_value value;
    if (step->kind == EDIT_DEFAULT && sl_record_get(batch, rec, step->path, &self->scratch, &value) &&
        value.type != SL_JSON_NULL)
        return NOTHING_TO_DO;
    if (!step->text) {
        sl_buf_append_span(&self->json, step->json);
        return set_json(self, batch, rec, step->path);
    }
    sl_reader_set(&self->reader, batch, rec);
    sl_buf_clear(&self->text);
    if (sl_template_write(step->text, &self->reader, &self->text) != 0) return NOTHING_TO_DO;
    sl_json_write_string(&self->json, sl_buf_span(&self->text));
    return set_json(self, batch, rec, step->path);
}

static outcome run_step(edit_filter *self, sl_batch *batch, sl_record *rec, const edit_step *step)
{
    sl_buf_clear(&self->json);
    switch (step->kind) {
    case EDIT_COPY:
    case EDIT_RENAME: return copy_or_rename(self, batch, rec, step);
    case EDIT_CONVERT: return convert(self, batch, rec, step);
    case EDIT_DEFAULT:
    case EDIT_SET: return set(self, batch, rec, step);
    default: return sl_record_remove(batch, rec, step->path) ? CHANGED : NOTHING_TO_DO;
    }
}

static void apply(void *arg, sl_batch *batch)
{
    edit_filter *self = arg;
    uint64_t done[3] = {0};
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (rec->fate != SL_FATE_LIVE) continue;
        for (uint32_t s = 0; s < self->program->count; s++)
            done[run_step(self, batch, rec, &self->program->steps[s])]++;
    }
    for (size_t i = 0; i < SL_LEN(done); i++)
        sl_counter_add(self->done[i], done[i]);
}

static void stop(void *arg)
{
    edit_filter *self = arg;
    sl_reader_release(&self->reader);
    sl_buf_release(&self->json);
    sl_buf_release(&self->text);
    sl_buf_release(&self->scratch);
    sl_free(self);
}

static const sl_filter_ops ops = {.start = start, .apply = apply, .free = stop};

const sl_plugin sl_filter_edit = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_FILTER,
    .name = "edit",
    .help = "Changes fields: set, rename, copy, remove, convert, default.",
    .options = options,
    .conf_size = sizeof(edit_conf),
    .check = check,
    .conf_release = conf_release,
    .filter = &ops,
};
