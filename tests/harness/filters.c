/* filters.c: one filter by itself. */
#include "filters.h"

#include "config/options.h"

#include <check.h>
#include <stdio.h>

#define MAX_COUNTERS 64

typedef struct named_counter {
    const char *name, *value; /* value NULL: no label */
    sl_counter counter;
} named_counter;

/* What a filter sees of the pipeline. */
struct sl_filter {
    const char *name;
    named_counter counters[MAX_COUNTERS];
    size_t count;
};

struct sl_test_filter {
    sl_filter filter;
    const sl_plugin *plugin;
    sl_conf_memory *memory;
    void *conf, *self;
};

const char *sl_filter_name(sl_filter *filter)
{
    return filter->name;
}

sl_counter *sl_filter_counter_labelled(sl_filter *filter, const char *name, const char *help,
                                       const char *label, const char *value)
{
    ck_assert(help && *help && (label != NULL) == (value != NULL));
    ck_assert_uint_lt(filter->count, MAX_COUNTERS);
    named_counter *made = &filter->counters[filter->count++];
    *made = (named_counter){.name = name, .value = value};
    return &made->counter;
}

sl_counter *sl_filter_counter(sl_filter *filter, const char *name, const char *help)
{
    return sl_filter_counter_labelled(filter, name, help, NULL, NULL);
}

static const char *printed(const sl_problems *problems, const sl_err *err)
{
    static char text[8192];
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    if (err->code) sl_buf_append_cstr(&out, err->text);
    snprintf(text, sizeof(text), "%s", sl_buf_cstr(&out));
    sl_buf_release(&out);
    return text;
}

static int read_conf(sl_test_filter *filter, const sl_plugin *plugin, const char *yaml, sl_problems *problems)
{
    sl_buf text = SL_BUF_NONE;
    sl_buf_printf(&text, "it: %s\n", yaml);
    filter->memory = sl_conf_memory_new();
    filter->conf = sl_arena_zalloc(&filter->memory->arena, plugin->conf_size);
    sl_span kept = sl_conf_memory_dup(filter->memory, sl_buf_span(&text), false);
    sl_buf_release(&text);
    sl_problems_add_source(problems, "test.yaml", kept);
    sl_node *tree = sl_yaml_parse(&filter->memory->arena, "test.yaml", kept, false, problems);
    if (!tree) return SL_E_CONFIG;
    sl_option_context ctx = {.problems = problems, .memory = filter->memory};
    sl_option_target target = {.rows = plugin->options, .conf = filter->conf};
    const sl_member *member = sl_node_find(tree, "it");
    sl_options_read(&ctx, member->value, member->mark, "the filter", &target, 1);
    return sl_problems_errors(problems) ? SL_E_CONFIG : 0;
}

sl_test_filter *sl_test_filter_try(const sl_plugin *plugin, const char *yaml, const char **errors)
{
    sl_problems *problems = sl_problems_new();
    sl_test_filter *filter = sl_calloc(1, sizeof(*filter));
    sl_err err = SL_ERR_NONE;
    int res = read_conf(filter, plugin, yaml, problems);
    if (res == 0 && plugin->check) res = plugin->check(filter->conf, &err);
    if (res == 0) {
        filter->plugin = plugin;
        filter->filter.name = plugin->name;
        filter->self = plugin->filter->start(&filter->filter, filter->conf, &err);
        ck_assert_msg(filter->self != NULL, "%s", err.text);
    } else {
        if (errors) *errors = printed(problems, &err);
        if (plugin->conf_release) plugin->conf_release(filter->conf); /* as the agent does */
        sl_conf_memory_free(filter->memory);
        sl_free(filter);
        filter = NULL;
    }
    sl_problems_free(problems);
    return filter;
}

sl_test_filter *sl_test_filter_new(const sl_plugin *plugin, const char *yaml)
{
    const char *errors = "";
    sl_test_filter *filter = sl_test_filter_try(plugin, yaml, &errors);
    ck_assert_msg(filter != NULL, "%s: %s", yaml, errors);
    return filter;
}

void sl_test_filter_free(sl_test_filter *filter)
{
    filter->plugin->filter->free(filter->self);
    if (filter->plugin->conf_release) filter->plugin->conf_release(filter->conf);
    sl_conf_memory_free(filter->memory);
    sl_free(filter);
}

void sl_test_filter_apply(sl_test_filter *filter, sl_batch *batch)
{
    filter->plugin->filter->apply(filter->self, batch);
}

uint64_t sl_test_filter_count(const sl_test_filter *filter, const char *name, const char *value)
{
    for (size_t i = 0; i < filter->filter.count; i++) {
        const named_counter *c = &filter->filter.counters[i];
        bool same_value = value && c->value ? strcmp(value, c->value) == 0 : value == c->value;
        if (strcmp(c->name, name) == 0 && same_value) return c->counter.value;
    }
    ck_abort_msg("there is no counter %s %s", name, value ? value : "");
}
