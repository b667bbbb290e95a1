/* registry.h: the plugins there are: those built in (plugins/plugins.list) and those loaded from shared
 * objects.
 *
 * Filled by the main thread before any pipeline starts, read-only and free for any thread afterwards.
 */
#ifndef SLUICE_REGISTRY_H
#define SLUICE_REGISTRY_H

#include <sluice/plugin.h>

extern const sl_plugin *const sl_registry__builtin[]; /* NULL-terminated; generated */

/* NULL when there is none of that kind and name. */
const sl_plugin *sl_registry_find(sl_plugin_kind kind, sl_span name);
/* Every plugin, built-in first, in the order of the list; fn returns false to stop. */
void sl_registry_each(bool (*fn)(void *arg, const sl_plugin *plugin), void *arg);
const char *sl_plugin_kind_name(sl_plugin_kind kind); /* "input"; static */

/* Loads a shared object and takes in every descriptor of its `sl_plugins` array:
 *   const sl_plugin *const sl_plugins[] = {&sl_output_mine, NULL};
 * SL_E_NOT_FOUND, SL_E_VERSION (built for another ABI), SL_E_EXISTS (kind and name are taken), SL_E_SYNTAX
 * (no such array), SL_E_CONFIG (a wrong row of options), SL_E_LIMIT. It stays loaded; loading it again
 * changes nothing. */
int sl_registry_load(const char *path, sl_err *err);

#endif
