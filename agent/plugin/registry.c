/* registry.c: finding plugins by kind and name; loading those that are not built in. */
#include "registry.h"
#include "config/options.h"
#include <dlfcn.h>

#define MAX_LOADED 64

static const sl_plugin *loaded[MAX_LOADED];
static size_t loaded_count;

void sl_registry_each(bool (*fn)(void *arg, const sl_plugin *plugin), void *arg)
{
    for (const sl_plugin *const *at = sl_registry__builtin; *at; at++) {
        if (!fn(arg, *at)) return;
    }
    for (size_t i = 0; i < loaded_count; i++) {
        if (!fn(arg, loaded[i])) return;
    }
}

typedef struct search {
    sl_plugin_kind kind;
    sl_span name;
    const sl_plugin *hit;
} search;

static bool matches(void *arg, const sl_plugin *plugin)
{
    search *s = arg;
    if (plugin->kind == s->kind && sl_span_is_cstr(s->name, plugin->name)) s->hit = plugin;
    return !s->hit;
}

const sl_plugin *sl_registry_find(sl_plugin_kind kind, sl_span name)
{
    search s = {kind, name, NULL};
    sl_registry_each(matches, &s);
    return s.hit;
}

const char *sl_plugin_kind_name(sl_plugin_kind kind)
{
    switch (kind) {
    case SL_PLUGIN_INPUT: return "input";
    case SL_PLUGIN_FILTER: return "filter";
    case SL_PLUGIN_OUTPUT: return "output";
    }
    return "plugin";
}

static int take_in(const char *path, const sl_plugin *plugin, sl_err *err)
{
    if (plugin->abi != SL_ABI_VERSION)
        return sl_err_set(
            err, SL_E_VERSION,
            "%s: plugin `%s` is built for ABI %u, this program has %u: rebuild it against its headers", path,
            plugin->name, plugin->abi, SL_ABI_VERSION);
    const sl_plugin *known = sl_registry_find(plugin->kind, sl_span_of(plugin->name));
    if (known == plugin) return 0; /* loaded before: a reload names the same files */
    if (known)
        return sl_err_set(err, SL_E_EXISTS, "%s: there is already %s `%s`: give the plugin another name",
                          path, sl_plugin_kind_name(plugin->kind), plugin->name);
    if (sl_options_check(plugin->options, plugin->conf_size, err) < 0)
        return sl_err_prefix(err, "%s: plugin `%s`", path, plugin->name);
    if (loaded_count == MAX_LOADED)
        return sl_err_set(err, SL_E_LIMIT, "%s: more than %d plugins are loaded", path, MAX_LOADED);
    loaded[loaded_count++] = plugin;
    return 0;
}

int sl_registry_load(const char *path, sl_err *err)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) return sl_err_set(err, SL_E_NOT_FOUND, "cannot load plugin %s: %s", path, dlerror());
    const sl_plugin *const *list = dlsym(object, "sl_plugins");
    if (!list) {
        dlclose(object);
        return sl_err_set(err, SL_E_SYNTAX,
                          "%s is no sluice plugin: it does not define the array `sl_plugins`", path);
    }
    for (; *list; list++) {
        int rc = take_in(path, *list, err);
        if (rc < 0) return rc;
    }
    return 0;
}
