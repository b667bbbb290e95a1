/* pipeline_conf_unique.c: rows flagged SL_OPT_UNIQUE: what two uses of an output must not share.
 *
 * Each occurrence in a pipeline is an output of its own, also where several pipelines name one definition.
 * Values are compared as paths are spelled, without what changes nothing (`//`, `/./`): links are for the
 * running agent to find.
 */
#include "pipeline_conf_int.h"

typedef struct occurrence {
    const sl_plugin_use *use;
    const char *pipeline;
} occurrence;

static void write_plain(sl_span path, sl_buf *out)
{
    for (size_t i = 0; i < path.len; i++) {
        sl_span rest = {path.ptr + i, path.len - i};
        if (sl_span_starts_with(rest, SL_SPAN("//"))) continue;
        if (sl_span_starts_with(rest, SL_SPAN("/./"))) {
            i++;
            continue;
        }
        sl_buf_append_char(out, path.ptr[i]);
    }
}

static bool are_one(sl_span a, sl_span b)
{
    sl_buf plain_a = SL_BUF_NONE, plain_b = SL_BUF_NONE;
    write_plain(a, &plain_a);
    write_plain(b, &plain_b);
    bool one = sl_span_is(sl_buf_span(&plain_a), sl_buf_span(&plain_b));
    sl_buf_release(&plain_a);
    sl_buf_release(&plain_b);
    return one;
}

static sl_span value_of(const occurrence *o, const sl_option *row)
{
    return *(const sl_span *)((const char *)o->use->conf + row->offset);
}

static void compare(const sl_option_context *ctx, const occurrence *first, const occurrence *second)
{
    for (const sl_option *row = first->use->plugin->options; row->type != SL_OPT_NONE; row++) {
        if (!(row->flags & SL_OPT_UNIQUE) || !are_one(value_of(first, row), value_of(second, row))) continue;
        sl_problems_error(ctx->problems, second->use->mark, "give each one of its own",
                          "output `%s` of pipeline `%s` has the same `%s` as output `%s` of pipeline `%s`",
                          second->use->name, second->pipeline, row->name, first->use->name, first->pipeline);
    }
}

void sl_conf__check_unique(const sl_option_context *ctx, const sl_config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->n_pipelines; i++)
        count += config->pipelines[i].outputs.count;
    occurrence *all = sl_calloc(count + 1, sizeof *all);
    count = 0;
    for (size_t i = 0; i < config->n_pipelines; i++) {
        const sl_pipeline_conf *pipeline = &config->pipelines[i];
        for (size_t k = 0; k < pipeline->outputs.count; k++)
            all[count++] = (occurrence){pipeline->outputs.items[k], pipeline->name};
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++)
            if (all[k].use->plugin == all[i].use->plugin) compare(ctx, &all[k], &all[i]);
    }
    sl_free(all);
}
