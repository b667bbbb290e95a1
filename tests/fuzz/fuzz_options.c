/* fuzz_options.c: any YAML against a table with a row of every type: values in range, or problems. */
#include "config/options.h"
#include <sluice/http.h>
#include <sluice/record.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct item {
    sl_span name;
    sl_regex *regex;
    sl_list tags;
} item;

typedef struct conf {
    sl_list path;
    bool on;
    int64_t count;
    double factor;
    uint64_t size;
    int64_t every;
    double share;
    sl_span secret;
    int mode;
    sl_path *field;
    sl_template *tpl;
    sl_condition *when;
    sl_span json;
    struct {
        int64_t depth;
    } group;
    sl_list items;
    sl_list headers;
    sl_http_conf http;
} conf;

#define AT(member) offsetof(conf, member)
static const char *const modes[] = {"start", "end", NULL};
static const char *const words[] = {"auto", NULL};
static const sl_option item_rows[] = {
    {"name", SL_OPT_STRING, offsetof(item, name), .flags = SL_OPT_REQUIRED, .help = "Name."},
    {"regex", SL_OPT_REGEX, offsetof(item, regex), .flags = SL_OPT_MAIN, .help = "Regex."},
    {"tags", SL_OPT_STRING, offsetof(item, tags), .flags = SL_OPT_LIST, .def = "[a, b]", .help = "Tags."},
    {0},
};
static const sl_option group_rows[] = {
    {"depth", SL_OPT_INT, 0, .def = "3", .min = 1, .max = 9, .help = "Depth."},
    {0},
};
static const sl_option rows[] = {
    {"path", SL_OPT_STRING, AT(path), .flags = SL_OPT_LIST | SL_OPT_REQUIRED | SL_OPT_MAIN, .help = "Paths."},
    {"on", SL_OPT_BOOL, AT(on), .def = "true", .help = "On."},
    {"count", SL_OPT_INT, AT(count), .def = "5", .min = 1, .max = 10, .names = words, .help = "Count."},
    {"factor", SL_OPT_FLOAT, AT(factor), .def = "0.5", .min = -1, .max = 1, .help = "Factor."},
    {"size", SL_OPT_SIZE, AT(size), .def = "1MiB", .min = 256, .max = 64 << 20, .help = "Size."},
    {"every", SL_OPT_DURATION, AT(every), .def = "5s", .min = 1e6, .max = 1e12, .help = "Every."},
    {"share", SL_OPT_FRACTION, AT(share), .def = "5%", .help = "Share."},
    {"secret", SL_OPT_SECRET, AT(secret), .help = "Secret."},
    {"mode", SL_OPT_ENUM, AT(mode), .def = "end", .names = modes, .help = "Mode."},
    {"field", SL_OPT_PATH, AT(field), .help = "Field."},
    {"tpl", SL_OPT_TEMPLATE, AT(tpl), .help = "Template."},
    {"when", SL_OPT_CONDITION, AT(when), .help = "Condition."},
    {"json", SL_OPT_JSON, AT(json), .help = "Json."},
    {"group", SL_OPT_GROUP, AT(group), .rows = group_rows, .help = "Group."},
    {"items", SL_OPT_GROUP, AT(items), .flags = SL_OPT_LIST, .rows = item_rows, .row_size = sizeof(item),
     .help = "Items."},
    {"headers", SL_OPT_MAP, AT(headers), .help = "Headers."},
    SL_OPT_INLINE_TABLE(conf, http, sl_http_options),
    {0},
};

/* What the rows promise of every value, also when there were problems elsewhere. */
static void check_ranges(const conf *c, bool clean)
{
    bool good = (c->count == -1 || (c->count >= 1 && c->count <= 10)) && c->factor >= -1 && c->factor <= 1 &&
                c->size >= 256 && c->size <= 64 << 20 && c->every >= 1000000 && c->share >= 0 &&
                c->share <= 1 && (c->mode == 0 || c->mode == 1) && c->group.depth >= 1 &&
                c->group.depth <= 9 && c->path.count > 0;
    if (clean && !good) abort();
    for (size_t i = 0; clean && i < c->items.count; i++) {
        if (!SL_LIST_AT(c->items, item, i).name.ptr) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_arena tree = SL_ARENA_NONE;
    sl_problems *problems = sl_problems_new();
    sl_option_context ctx = {problems, sl_conf_memory_new()};
    sl_span text = {(const char *)data, size};
    sl_problems_add_source(problems, "fuzz.yaml", text);
    sl_node *root = sl_yaml_parse(&tree, "fuzz.yaml", text, true, problems);
    conf c = {.on = false};
    sl_option_target target = {rows, &c};
    if (root) {
        sl_options_read(&ctx, root, root->mark, "input `fuzz`", &target, 1);
        check_ranges(&c, sl_problems_errors(problems) == 0);
    }
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    sl_buf_release(&out);
    sl_conf_memory_free(ctx.memory);
    sl_problems_free(problems);
    sl_arena_release(&tree);
    return 0;
}
