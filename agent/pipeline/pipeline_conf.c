/* pipeline_conf.c: composes the configuration: sections, pipelines, what refers to what.
 *
 * Nothing here stops at the first problem. Where a part could not be read its name stays known, so that one
 * mistake is one message. The result exists only when there was no error at all.
 */
#include "pipeline_conf.h"
#include "../config/config_file.h"
#include "../config/suggest.h"
#include "../plugin/registry.h"
#include "pipeline_conf_int.h"

static const char *const sections[] = {"service", "inputs", "outputs", "pipelines", NULL};
static const char *const pipeline_keys[] = {"inputs", "filters", "outputs", "buffer", NULL};

typedef struct work {
    sl_option_context ctx;
    const sl_node *root;
    sl_config *config;
    sl_conf__definitions inputs, outputs;
} work;

/* ---- keys ---- */

static bool is_one_of(const char *const *names, sl_span key)
{
    while (*names && !sl_span_is_cstr(key, *names))
        names++;
    return *names != NULL;
}

static void write_names(sl_buf *out, const char *const *names, const char *where)
{
    sl_buf_printf(out, "the keys of %s are", where);
    for (const char *const *name = names; *name; name++)
        sl_buf_printf(out, "%s `%s`", name == names ? "" : ",", *name);
}

/* Refuses every key of the map that is not among the names. where: "a pipeline". True: there was none. */
static bool check_keys(work *w, const sl_node *map, const char *const *names, const char *where)
{
    bool good = true;
    for (uint32_t i = 0; i < map->count; i++) {
        const sl_member *member = &map->members[i];
        if (is_one_of(names, member->key)) continue;
        good = false;
        sl_suggest s = sl_suggest_for(member->key);
        sl_buf hint = SL_BUF_NONE;
        for (const char *const *name = names; *name; name++)
            sl_suggest_offer(&s, *name);
        const char *inside =
            names == sections && sl_options_find(sl_conf__service_rows, member->key)       ? "service"
            : names == pipeline_keys && sl_options_find(sl_conf__buffer_rows, member->key) ? "buffer"
                                                                                           : NULL;
        if (inside)
            sl_buf_printf(&hint, "it belongs inside `%s: {…}`", inside);
        else if (s.best)
            sl_buf_printf(&hint, "did you mean `%s`?", s.best);
        else
            write_names(&hint, names, where);
        /* Nobody knows what options are in it, and which of them are secrets. */
        if (member->value->type != SL_NODE_SCALAR) sl_problems_hide(w->ctx.problems, member->value->mark);
        sl_problems_error(w->ctx.problems, member->mark, sl_buf_cstr(&hint), "`%.64s` is not a key of %s",
                          member->key.ptr, where);
        sl_buf_release(&hint);
    }
    return good;
}

static const sl_node *section(const work *w, const char *name)
{
    const sl_member *member = sl_node_find(w->root, name);
    return member && !sl_node_is_null(member->value) ? member->value : NULL;
}

/* ---- parts ---- */

static void load_plugins(work *w)
{
    const sl_service_conf *service = &w->config->service;
    const sl_node *node = section(w, "service");
    const sl_member *member = node ? sl_node_find(node, "plugins") : NULL;
    for (size_t i = 0; i < service->n_plugins; i++) {
        sl_err err = SL_ERR_NONE;
        if (!service->plugins[i] || sl_registry_load(service->plugins[i], &err) == 0) continue;
        const sl_node *at = member ? member->value : w->root;
        if (at->type == SL_NODE_LIST) at = at->items[i];
        sl_problems_error(w->ctx.problems, at->mark, NULL, "%s", err.text);
    }
}

static sl_use_list read_uses(work *w, sl_plugin_kind kind, const sl_member *member, const char *key,
                             bool needed, sl_pipeline_conf *pipeline)
{
    sl_conf__definitions *same = kind == SL_PLUGIN_INPUT    ? &w->inputs
                                 : kind == SL_PLUGIN_OUTPUT ? &w->outputs
                                                            : NULL;
    const sl_conf__definitions *other = kind == SL_PLUGIN_INPUT ? &w->outputs : &w->inputs;
    const sl_member *uses = sl_node_find(member->value, key);
    size_t errors = sl_problems_errors(w->ctx.problems);
    sl_use_list list = {NULL, 0};
    if (uses) list = sl_conf__read_uses(&w->ctx, kind, uses->value, pipeline->name, same, other);
    if (needed && list.count == 0 && sl_problems_errors(w->ctx.problems) == errors) {
        const char *hint = kind == SL_PLUGIN_INPUT ? "add `inputs: [{tail: {path: /var/log/app/*.log}}]`"
                                                   : "add `outputs: [{stdout: {}}]`";
        sl_problems_error(w->ctx.problems, uses ? uses->mark : member->mark, hint, "pipeline `%s` has no %s",
                          pipeline->name, key);
    }
    return list;
}

static void read_pipeline(work *w, const sl_member *member, sl_pipeline_conf *pipeline)
{
    pipeline->name = sl_arena_strndup(&w->ctx.memory->arena, member->key.ptr, member->key.len);
    pipeline->mark = member->mark;
    sl_conf__check_name(&w->ctx, member->key, member->mark, "a pipeline");
    if (member->value->type != SL_NODE_MAP) {
        sl_problems_error(w->ctx.problems, member->mark, "write `{inputs: […], filters: […], outputs: […]}`",
                          "pipeline `%s` must be a map, not %s", pipeline->name, sl_node_noun(member->value));
        return;
    }
    check_keys(w, member->value, pipeline_keys, "a pipeline");
    pipeline->inputs = read_uses(w, SL_PLUGIN_INPUT, member, "inputs", true, pipeline);
    pipeline->filters = read_uses(w, SL_PLUGIN_FILTER, member, "filters", false, pipeline);
    pipeline->outputs = read_uses(w, SL_PLUGIN_OUTPUT, member, "outputs", true, pipeline);
    const sl_member *buffer = sl_node_find(member->value, "buffer");
    sl_conf__read_buffer(&w->ctx, buffer ? buffer->value : NULL, &pipeline->buffer);
    pipeline->digest = sl_conf__digest_pipeline(pipeline, buffer ? buffer->value : NULL);
}

/* keys_known: false: a section has a wrong name, which may be this one. */
static void read_pipelines(work *w, bool keys_known)
{
    const sl_member *member = sl_node_find(w->root, "pipelines");
    const sl_node *map = section(w, "pipelines");
    if (!map && !keys_known) return;
    if (!map || (map->type == SL_NODE_MAP && map->count == 0)) {
        sl_problems_error(w->ctx.problems, member ? member->mark : w->root->mark,
                          "add `pipelines: {main: {inputs: [{stdin: {}}], outputs: [{stdout: {}}]}}`",
                          "the configuration has no pipeline");
        return;
    }
    if (map->type != SL_NODE_MAP) {
        sl_problems_error(
            w->ctx.problems, map->mark, "write `pipelines: {name: {inputs: […], outputs: […]}}`",
            "`pipelines` must be a map of at most %d names, not %s", SL_MAX_PIPELINES, sl_node_noun(map));
        return;
    }
    if (map->count > SL_MAX_PIPELINES) {
        sl_problems_error(w->ctx.problems, map->members[SL_MAX_PIPELINES].mark,
                          "run the others in another process with a `data_dir` of its own",
                          "there are %u pipelines, and at most %d can be", map->count, SL_MAX_PIPELINES);
        return;
    }
    sl_pipeline_conf *pipelines = sl_arena_zalloc(&w->ctx.memory->arena, map->count * sizeof *pipelines);
    for (uint32_t i = 0; i < map->count; i++)
        read_pipeline(w, &map->members[i], &pipelines[i]);
    w->config->pipelines = pipelines;
    w->config->n_pipelines = map->count;
}

/* ---- the whole ---- */

static void warn_unused(work *w, const sl_conf__definitions *defs)
{
    for (size_t i = 0; i < defs->count; i++) {
        if (defs->items[i].used) continue;
        const char *kind = sl_plugin_kind_name(defs->kind);
        sl_problems_warn(w->ctx.problems, defs->items[i].mark, "name it in a pipeline, or remove it",
                         "%s `%s` is defined but no pipeline uses it", kind, defs->items[i].use->name);
    }
}

static const sl_use_list *uses_of(const sl_pipeline_conf *pipeline, sl_plugin_kind kind)
{
    return kind == SL_PLUGIN_INPUT ? &pipeline->inputs : &pipeline->outputs;
}

/* Every use of the kind once: shared ones, then those written in pipelines. */
static sl_use_list gather(work *w, const sl_conf__definitions *defs)
{
    size_t capacity = defs->count, count = 0;
    for (size_t i = 0; i < w->config->n_pipelines; i++)
        capacity += uses_of(&w->config->pipelines[i], defs->kind)->count;
    const sl_plugin_use **items = sl_arena_zalloc(&w->ctx.memory->arena, (capacity + 1) * sizeof *items);
    for (size_t i = 0; i < defs->count; i++) {
        if (defs->items[i].used) items[count++] = defs->items[i].use;
    }
    for (size_t i = 0; i < w->config->n_pipelines; i++) {
        const sl_use_list *list = uses_of(&w->config->pipelines[i], defs->kind);
        for (size_t k = 0; k < list->count; k++) {
            if (list->items[k]->pipeline) items[count++] = list->items[k];
        }
    }
    return (sl_use_list){items, count};
}

static void compose(work *w)
{
    bool keys_known = check_keys(w, w->root, sections, "the configuration");
    sl_conf__read_service(&w->ctx, section(w, "service"), &w->config->service);
    load_plugins(w);
    sl_conf__read_definitions(&w->ctx, sl_node_find(w->root, "inputs"), &w->inputs);
    sl_conf__read_definitions(&w->ctx, sl_node_find(w->root, "outputs"), &w->outputs);
    read_pipelines(w, keys_known);
    if (sl_problems_errors(w->ctx.problems))
        return; /* what looks unused may only be misspelt where it is used */
    sl_conf__check_unique(&w->ctx, w->config);
    warn_unused(w, &w->inputs);
    warn_unused(w, &w->outputs);
    w->config->inputs = gather(w, &w->inputs);
    w->config->outputs = gather(w, &w->outputs);
}

sl_config *sl_config_load(const char *const *paths, size_t n_paths, sl_problems *problems)
{
    sl_conf_memory *memory = sl_conf_memory_new();
    sl_arena tree = SL_ARENA_NONE;
    work w = {.ctx = {problems, memory},
              .inputs = {.kind = SL_PLUGIN_INPUT},
              .outputs = {.kind = SL_PLUGIN_OUTPUT}};
    w.config = sl_arena_zalloc(&memory->arena, sizeof *w.config);
    w.config->memory = memory;
    w.root = sl_config_files_read(paths, n_paths, &memory->arena, &tree, problems);
    if (w.root) compose(&w);
    sl_arena_release(&tree);
    if (sl_problems_errors(problems) == 0) return w.config;
    sl_conf_memory_free(memory);
    return NULL;
}

void sl_config_free(sl_config *config)
{
    if (config) sl_conf_memory_free(config->memory);
}
