/* The option rows of every plugin that is built in: well formed, with defaults that can be read, and not in
 * the way of what every use has. */
#include "check_main.h"
#include "config/options.h"
#include "pipeline/pipeline_conf_int.h"
#include "plugin/registry.h"

static unsigned plugins;

static bool check_plugin(void *arg, const sl_plugin *plugin)
{
    (void)arg;
    sl_err err = SL_ERR_NONE;
    const char *kind = sl_plugin_kind_name(plugin->kind);
    ck_assert_msg(plugin->abi == SL_ABI_VERSION, "%s %s has another ABI", kind, plugin->name);
    ck_assert_msg(plugin->help && plugin->help[0] && plugin->help[strlen(plugin->help) - 1] == '.',
                  "the help of %s %s is no sentence", kind, plugin->name);
    ck_assert_msg(sl_options_check(plugin->options, plugin->conf_size, &err) == 0, "%s %s: %s", kind,
                  plugin->name, err.text);
    plugins++;
    return true;
}

START_TEST(builtin_rows__are_well_formed)
{
    sl_registry_each(check_plugin, NULL);
    ck_assert_uint_gt(plugins, 0);
}
END_TEST

static bool check_common(void *arg, const sl_plugin *plugin)
{
    for (const sl_option *row = sl_delivery_options; row->type != SL_OPT_NONE; row++)
        ck_assert_msg(plugin->kind != SL_PLUGIN_OUTPUT ||
                          !sl_options_find(plugin->options, sl_span_of(row->name)),
                      "output %s has an option `%s`, as every output has", plugin->name, row->name);
    (void)arg;
    return true;
}

START_TEST(builtin_rows__leave_the_common_names_alone)
{
    sl_registry_each(check_common, NULL);
}
END_TEST

static bool check_name(void *arg, const sl_plugin *plugin)
{
    const sl_plugin *found = sl_registry_find(plugin->kind, sl_span_of(plugin->name));
    (void)arg;
    ck_assert_msg(found == plugin, "%s %s stands twice in plugins.list", sl_plugin_kind_name(plugin->kind),
                  plugin->name);
    return true;
}

START_TEST(builtin_rows__names_are_unique)
{
    sl_registry_each(check_name, NULL);
}
END_TEST

SL_TEST_MAIN("builtin_rows", builtin_rows__are_well_formed, builtin_rows__leave_the_common_names_alone,
             builtin_rows__names_are_unique)
