/* pipeline_conf_uses.c: uses of plugins: a map of one key, the plugin's name, to its options; or, for inputs
 * and outputs, the name of a definition.
 */
#include "../config/suggest.h"
#include "../plugin/registry.h"
#include "pipeline_conf_int.h"
#include <stdio.h>

static const char *section_of(sl_plugin_kind kind)
{
    return kind == SL_PLUGIN_INPUT ? "inputs" : kind == SL_PLUGIN_FILTER ? "filters" : "outputs";
}

static const char *kind_with_article(sl_plugin_kind kind)
{
    return kind == SL_PLUGIN_INPUT ? "an input" : kind == SL_PLUGIN_FILTER ? "a filter" : "an output";
}

static const char *article_of(sl_plugin_kind kind)
{
    return kind == SL_PLUGIN_FILTER ? "a" : "an";
}

/* ---- names that are not known ---- */

typedef struct survey {
    sl_plugin_kind kind;
    sl_suggest suggest;
    sl_buf names;               /* of this kind */
    const sl_plugin *elsewhere; /* another kind's plugin of exactly this name */
} survey;

static bool look_at(void *arg, const sl_plugin *plugin)
{
    survey *s = arg;
    if (plugin->kind == s->kind) {
        sl_suggest_offer(&s->suggest, plugin->name);
        sl_buf_printf(&s->names, s->names.len ? ", `%s`" : "`%s`", plugin->name);
    } else if (sl_span_is_cstr(s->suggest.word, plugin->name)) {
        s->elsewhere = plugin;
    }
    return true;
}

static survey survey_plugins(sl_plugin_kind kind, sl_span name)
{
    survey s = {kind, sl_suggest_for(name), SL_BUF_NONE, NULL};
    sl_registry_each(look_at, &s);
    return s;
}

static void refuse_plugin(const sl_option_context *ctx, sl_plugin_kind kind, sl_span name, sl_mark mark)
{
    survey s = survey_plugins(kind, name);
    sl_buf hint = SL_BUF_NONE;
    if (s.elsewhere)
        sl_buf_printf(&hint, "`%s` is %s %s: it belongs under `%s`", s.elsewhere->name,
                      article_of(s.elsewhere->kind), sl_plugin_kind_name(s.elsewhere->kind),
                      section_of(s.elsewhere->kind));
    else if (s.suggest.best)
        sl_buf_printf(&hint, "did you mean `%s`?", s.suggest.best);
    else
        sl_buf_printf(&hint, "there are " SL_SPAN_FMT, SL_SPAN_ARG(s.names));
    sl_problems_error(ctx->problems, mark, sl_buf_cstr(&hint), "there is no %s plugin `%.64s`",
                      sl_plugin_kind_name(kind), name.ptr);
    sl_buf_release(&s.names);
    sl_buf_release(&hint);
}

static const sl_conf__definition *find_definition(const sl_conf__definitions *defs, sl_span name)
{
    for (size_t i = 0; defs && i < defs->count; i++) {
        if (sl_span_is_cstr(name, defs->items[i].use->name)) return &defs->items[i];
    }
    return NULL;
}

static void refuse_reference(const sl_option_context *ctx, const sl_node *node,
                             const sl_conf__definitions *same, const sl_conf__definitions *other)
{
    sl_suggest s = sl_suggest_for(node->text);
    for (size_t i = 0; i < same->count; i++)
        sl_suggest_offer(&s, same->items[i].use->name);
    const char *kind = sl_plugin_kind_name(same->kind);
    sl_buf hint = SL_BUF_NONE;
    if (sl_registry_find(same->kind, node->text))
        sl_buf_printf(&hint, "to use the plugin here, write `%s: {…}`", node->text.ptr);
    else if (s.best)
        sl_buf_printf(&hint, "did you mean `%s`?", s.best);
    else if (find_definition(other, node->text))
        sl_buf_printf(&hint, "`%s` is %s %s", node->text.ptr, article_of(other->kind),
                      sl_plugin_kind_name(other->kind));
    else
        sl_buf_printf(&hint, "define it under `%s:`, or write a plugin with its options",
                      section_of(same->kind));
    sl_problems_error(ctx->problems, node->mark, sl_buf_cstr(&hint), "no %s `%.64s` is defined", kind,
                      node->text.ptr);
    sl_buf_release(&hint);
}

/* ---- one use ---- */

/* The options and, unless the plugin has one of its own, the `name`. */
static sl_plugin_use *read_options(const sl_option_context *ctx, const sl_plugin *plugin,
                                   const sl_member *member, sl_conf__name *name)
{
    sl_plugin_use *use = sl_arena_zalloc(&ctx->memory->arena, sizeof *use);
    void *conf = sl_arena_zalloc(&ctx->memory->arena, plugin->conf_size ? plugin->conf_size : 1);
    sl_delivery_conf *delivery = NULL;
    sl_option_target targets[3] = {{plugin->options, conf}};
    size_t count = 1;
    if (plugin->kind == SL_PLUGIN_OUTPUT) {
        delivery = sl_arena_zalloc(&ctx->memory->arena, sizeof *delivery);
        targets[count++] = (sl_option_target){sl_delivery_options, delivery};
    }
    if (name && plugin->kind != SL_PLUGIN_FILTER && !sl_options_find(plugin->options, SL_SPAN("name")))
        targets[count++] = (sl_option_target){
            plugin->kind == SL_PLUGIN_INPUT ? sl_conf__input_rows : sl_conf__output_rows, name};

    char where[128];
    snprintf(where, sizeof where, "%s `%s`", sl_plugin_kind_name(plugin->kind), plugin->name);
    size_t errors = sl_problems_errors(ctx->problems);
    sl_options_read(ctx, member->value, member->mark, where, targets, count);
    if (sl_problems_errors(ctx->problems) == errors)
        sl_conf__check_use(ctx, plugin, conf, member->value, member->mark);
    *use = (sl_plugin_use){.plugin = plugin,
                           .conf = conf,
                           .delivery = delivery,
                           .mark = member->mark,
                           .digest = sl_conf__digest_use(plugin, member->value, conf)};
    return use;
}

/* The key of a map that is to hold one plugin's name; NULL when it holds more or none. */
static const sl_member *plugin_key(const sl_option_context *ctx, sl_plugin_kind kind, const sl_node *map)
{
    if (map->count == 1) return &map->members[0];
    const char *noun = sl_plugin_kind_name(kind);
    if (map->count == 0) {
        sl_problems_error(ctx->problems, map->mark, "write `{plugin: {option: value}}`",
                          "this %s names no plugin", noun);
        return NULL;
    }
    const sl_member *first = &map->members[0], *second = &map->members[1];
    bool flat = sl_registry_find(kind, first->key) && sl_node_is_null(first->value);
    char hint[200];
    snprintf(hint, sizeof hint,
             flat ? "indent the options of `%.64s` more than its name"
                  : "start `%.64s` with `- ` on a line of its own",
             flat ? first->key.ptr : second->key.ptr);
    for (uint32_t i = 0; i < map->count; i++)
        sl_problems_hide(ctx->problems, map->members[i].value->mark);
    sl_problems_error(ctx->problems, second->mark, hint,
                      "%s %s is a map of one key, its plugin; here `%.64s` follows `%.64s`", article_of(kind),
                      noun, second->key.ptr, first->key.ptr);
    return NULL;
}

/* A plugin with its options. name: takes the option `name` (NULL: the use has a name already). NULL: it could
 * not be read. */
static sl_plugin_use *read_use(const sl_option_context *ctx, sl_plugin_kind kind, const sl_node *map,
                               sl_conf__name *name)
{
    const sl_member *member = plugin_key(ctx, kind, map);
    if (!member) return NULL;
    const sl_plugin *plugin = sl_registry_find(kind, member->key);
    if (plugin) return read_options(ctx, plugin, member, name);
    sl_problems_hide(ctx->problems, member->value->mark);
    refuse_plugin(ctx, kind, member->key, member->mark);
    return NULL;
}

/* ---- definitions ---- */

void sl_conf__read_definitions(const sl_option_context *ctx, const sl_member *section,
                               sl_conf__definitions *defs)
{
    if (!section || sl_node_is_null(section->value)) return;
    const char *noun = sl_plugin_kind_name(defs->kind);
    const sl_node *map = section->value;
    if (map->type != SL_NODE_MAP) {
        char hint[100];
        snprintf(hint, sizeof hint, "write `name: {plugin: {option: value}}` for each %s", noun);
        sl_problems_error(ctx->problems, map->mark, hint, "`%s` must be a map of names, not %s",
                          section->key.ptr, sl_node_noun(map));
        return;
    }
    defs->items = sl_arena_zalloc(&ctx->memory->arena, (map->count + 1) * sizeof *defs->items);
    for (uint32_t i = 0; i < map->count; i++) {
        const sl_member *member = &map->members[i];
        sl_plugin_use *use = NULL;
        if (!sl_conf__check_name(ctx, member->key, member->mark, kind_with_article(defs->kind))) continue;
        if (member->value->type == SL_NODE_MAP)
            use = read_use(ctx, defs->kind, member->value, NULL);
        else
            sl_problems_error(ctx->problems, member->value->mark, "write `{plugin: {option: value}}`",
                              "%s `%s` must be a plugin with its options, not %s", noun, member->key.ptr,
                              sl_node_noun(member->value));
        if (!use) {
            /* The name stays known, so that its uses are not reported, too. */
            use = sl_arena_zalloc(&ctx->memory->arena, sizeof *use);
        }
        use->name = sl_arena_strndup(&ctx->memory->arena, member->key.ptr, member->key.len);
        defs->items[defs->count++] = (sl_conf__definition){use, member->mark, false};
    }
}

/* ---- the uses of a pipeline ---- */

typedef struct reading {
    const sl_option_context *ctx;
    sl_plugin_kind kind;
    const char *pipeline;
    sl_conf__definitions *same;
    const sl_conf__definitions *other;
    sl_plugin_use **items;
    size_t count;
} reading;

static bool is_taken(const reading *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i]->name && strcmp(r->items[i]->name, name) == 0) return true;
    }
    return false;
}

static void take_reference(reading *r, const sl_node *node)
{
    const sl_option_context *ctx = r->ctx;
    if (node->bad) return;
    if (!r->same) {
        const sl_plugin *plugin = sl_registry_find(r->kind, node->text);
        char hint[100] = "";
        if (plugin) snprintf(hint, sizeof hint, "write `%s: {}`", plugin->name);
        if (plugin)
            sl_problems_error(ctx->problems, node->mark, hint, "a filter is a map of one key, its plugin");
        else
            refuse_plugin(ctx, r->kind, node->text, node->mark);
        return;
    }
    sl_conf__definition *def = (sl_conf__definition *)find_definition(r->same, node->text);
    if (!def) {
        refuse_reference(ctx, node, r->same, r->other);
        return;
    }
    def->used = true;
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i] != def->use) continue;
        sl_problems_error(ctx->problems, node->mark, "remove one of them",
                          "%s `%s` stands twice in this pipeline", sl_plugin_kind_name(r->kind),
                          def->use->name);
        return;
    }
    r->items[r->count++] = (sl_plugin_use *)def->use;
}

static void take_inline(reading *r, const sl_node *node)
{
    sl_conf__name name = {SL_SPAN_NONE};
    sl_plugin_use *use = read_use(r->ctx, r->kind, node, &name);
    if (!use) return;
    use->pipeline = r->pipeline;
    const sl_node *options = node->members[0].value;
    const sl_member *written = name.name.len ? sl_node_find(options, "name") : NULL;
    if (written && sl_conf__check_name(r->ctx, name.name, written->value->mark, kind_with_article(r->kind))) {
        if (is_taken(r, name.name.ptr) || find_definition(r->same, name.name))
            sl_problems_error(r->ctx->problems, written->value->mark, "choose another one",
                              "the name `%s` is taken by another %s", name.name.ptr,
                              sl_plugin_kind_name(r->kind));
        use->name = name.name.ptr;
    }
    r->items[r->count++] = use;
}

/* Gives every use without a name the plugin's, numbered when it is taken. */
static void name_uses(reading *r)
{
    for (size_t i = 0; i < r->count; i++) {
        sl_plugin_use *use = r->items[i];
        if (use->name || !use->plugin) continue;
        char name[SL_MAX_NAME + 16];
        snprintf(name, sizeof name, "%s", use->plugin->name);
        for (unsigned n = 2; is_taken(r, name); n++)
            snprintf(name, sizeof name, "%s-%u", use->plugin->name, n);
        use->name = sl_arena_strndup(&r->ctx->memory->arena, name, strlen(name));
    }
}

sl_use_list sl_conf__read_uses(const sl_option_context *ctx, sl_plugin_kind kind, const sl_node *node,
                               const char *pipeline, sl_conf__definitions *same,
                               const sl_conf__definitions *other)
{
    sl_node *single = (sl_node *)node;
    sl_node **nodes = node->type == SL_NODE_LIST ? node->items : &single;
    size_t count = node->type == SL_NODE_LIST ? node->count : 1;
    if (sl_node_is_null(node)) count = 0;
    if (count > SL_MAX_USES) {
        sl_problems_error(ctx->problems, node->mark, "use several pipelines",
                          "a pipeline may have at most %d %s", SL_MAX_USES, section_of(kind));
        count = 0;
    }
    reading r = {ctx, kind, pipeline, same, other, NULL, 0};
    r.items = sl_arena_zalloc(&ctx->memory->arena, (count + 1) * sizeof(sl_plugin_use *));
    for (size_t i = 0; i < count; i++) {
        if (nodes[i]->type == SL_NODE_MAP)
            take_inline(&r, nodes[i]);
        else if (nodes[i]->type == SL_NODE_SCALAR && !sl_node_is_null(nodes[i]))
            take_reference(&r, nodes[i]);
        else
            sl_problems_error(ctx->problems, nodes[i]->mark, "write `plugin: {option: value}`",
                              "%s %s is a map of one key, its plugin, not %s", article_of(kind),
                              sl_plugin_kind_name(kind), sl_node_noun(nodes[i]));
    }
    name_uses(&r);
    return (sl_use_list){(const sl_plugin_use *const *)r.items, r.count};
}
