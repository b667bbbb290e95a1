/* pipeline_conf_check.c: what a plugin's own check() finds wrong, shown at the place it speaks of.
 *
 * check() sees the options' values, not where they were written. So its message names the option, and may
 * quote the key or value in it; both are looked for in what was written. It may also quote what `${…}` has
 * put in, which nobody is to see.
 */
#include "../plugin/registry.h"
#include "pipeline_conf_int.h"

#define OPTION "option `"

/* The member that the path in the message names, `auth.user`, and what follows it; NULL: there is none. */
static const sl_member *find_option(const sl_node *map, const char *path, const char **rest)
{
    const sl_member *member = NULL;
    for (const char *name = path;;) {
        size_t len = strcspn(name, ".`");
        if (len == 0 || !name[len] || map->type != SL_NODE_MAP) return NULL;
        member = sl_node_find_span(map, (sl_span){name, len});
        if (!member) return NULL;
        map = member->value;
        name += len + 1;
        *rest = name;
        if (name[-1] == '`') return member;
    }
}

/* The first key or value below the option's that reads `text`; false: none does. */
static bool find_text(const sl_node *node, sl_span text, sl_mark *mark)
{
    for (uint32_t i = 0; i < node->count; i++) {
        bool map = node->type == SL_NODE_MAP;
        const sl_node *value = map ? node->members[i].value : node->items[i];
        bool key = map && sl_span_is(node->members[i].key, text);
        if (!key && !(value->type == SL_NODE_SCALAR && sl_span_is(value->text, text))) continue;
        *mark = key ? node->members[i].mark : value->mark;
        return true;
    }
    return node->type == SL_NODE_SCALAR && sl_span_is(node->text, text);
}

/* What stands first in quotes, "…" or `…`; empty: nothing. */
static sl_span first_quoted(const char *text)
{
    const char *open = strpbrk(text, "\"`");
    const char *close = open ? strchr(open + 1, *open) : NULL;
    return close ? (sl_span){open + 1, (size_t)(close - open - 1)} : SL_SPAN_NONE;
}

/* Looks in the options, or in each of a list of them. */
static sl_mark mark_of(const sl_node *options, sl_mark mark, const char *message)
{
    size_t count = options->type == SL_NODE_LIST ? options->count : 1;
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        const sl_node *map = options->type == SL_NODE_LIST ? options->items[i] : options;
        const char *rest = NULL;
        const sl_member *option = find_option(map, message + sizeof OPTION - 1, &rest);
        if (!option) continue;
        if (!found) mark = option->mark;
        found = true;
        sl_span quoted = first_quoted(rest);
        if (quoted.len && find_text(option->value, quoted, &mark)) return mark;
    }
    return mark;
}

void sl_conf__check_use(const sl_option_context *ctx, const sl_plugin *plugin, void *conf,
                        const sl_node *options, sl_mark mark)
{
    sl_err err = SL_ERR_NONE;
    if (plugin->conf_release) sl_conf_memory_own(ctx->memory, conf, plugin->conf_release);
    if (!plugin->check || plugin->check(conf, &err) >= 0) return;
    const char *text = err.text[0] ? err.text : "its options do not go together";
    if (strncmp(text, OPTION, sizeof OPTION - 1) == 0) mark = mark_of(options, mark, text);
    sl_buf message = SL_BUF_NONE;
    sl_buf_append_cstr(&message, text);
    sl_node_hide_values(options, &message);
    sl_problems_error(ctx->problems, mark, NULL, "%s `%s`: %s", sl_plugin_kind_name(plugin->kind),
                      plugin->name, sl_buf_cstr(&message));
    sl_buf_release(&message);
}
