#include "check_main.h"
#include "config/options.h"
#include <float.h>
#include <sluice/http.h>
#include <sluice/record.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct pattern {
    sl_span name;
    sl_regex *regex;
    int64_t keep;
} pattern;

typedef struct inner {
    int64_t depth;
    sl_span password;
} inner;

typedef struct conf {
    sl_list path;
    bool on;
    int64_t count;
    double factor;
    uint64_t size;
    bool size_set;
    int64_t every;
    int64_t workers;
    double share;
    sl_span text;
    sl_span secret;
    int mode;
    sl_list modes;
    sl_path *field;
    sl_template *tpl;
    sl_condition *when;
    sl_regex *regex;
    sl_span json;
    inner group;
    sl_list patterns;
    sl_list headers;
    inner flat;
} conf;

#define AT(member) offsetof(conf, member)
static const char *const modes[] = {"start", "end", NULL};
static const char *const words[] = {"auto", "none", NULL};
static const sl_option pattern_rows[] = {
    {"name", SL_OPT_STRING, offsetof(pattern, name), .flags = SL_OPT_REQUIRED, .help = "Name."},
    {"regex", SL_OPT_REGEX, offsetof(pattern, regex), .flags = SL_OPT_REQUIRED | SL_OPT_MAIN,
     .help = "Regex."},
    {"keep", SL_OPT_INT, offsetof(pattern, keep), .def = "4", .help = "Keep."},
    {0},
};
static const sl_option group_rows[] = {
    {"depth", SL_OPT_INT, offsetof(inner, depth), .def = "3", .min = 1, .max = 9, .help = "Depth."},
    {"password", SL_OPT_SECRET, offsetof(inner, password), .help = "Password."},
    {0},
};
static const sl_option flat_rows[] = {
    {"flat_depth", SL_OPT_INT, offsetof(inner, depth), .def = "7", .help = "Depth."},
    {"flat_pin", SL_OPT_SECRET, offsetof(inner, password), .help = "Password."},
    {0},
};
static const sl_option rows[] = {
    {"path", SL_OPT_STRING, AT(path), .flags = SL_OPT_LIST | SL_OPT_REQUIRED | SL_OPT_MAIN, .help = "Paths."},
    {"on", SL_OPT_BOOL, AT(on), .def = "true", .help = "On."},
    {"count", SL_OPT_INT, AT(count), .def = "5", .min = -10, .max = 10, .help = "Count."},
    {"factor", SL_OPT_FLOAT, AT(factor), .def = "0.5", .help = "Factor."},
    {"size", SL_OPT_SIZE, AT(size), .def = "1MiB", .min = 256, .max = 64 << 20, .set_offset = AT(size_set),
     .help = "Size."},
    {"every", SL_OPT_DURATION, AT(every), .def = "5s", .min = 1e6, .help = "Every."},
    {"workers", SL_OPT_INT, AT(workers), .def = "auto", .min = 1, .max = 8, .names = words,
     .help = "Workers."},
    {"share", SL_OPT_FRACTION, AT(share), .def = "5%", .help = "Share."},
    {"text", SL_OPT_STRING, AT(text), .help = "Text."},
    {"secret", SL_OPT_SECRET, AT(secret), .help = "Secret."},
    {"mode", SL_OPT_ENUM, AT(mode), .def = "end", .names = modes, .help = "Mode."},
    {"modes", SL_OPT_ENUM, AT(modes), .def = "[end, start]", .names = modes, .flags = SL_OPT_LIST,
     .help = "Modes."},
    {"field", SL_OPT_PATH, AT(field), .def = "a.b", .help = "Field."},
    {"tpl", SL_OPT_TEMPLATE, AT(tpl), .help = "Template."},
    {"when", SL_OPT_CONDITION, AT(when), .help = "Condition."},
    {"regex", SL_OPT_REGEX, AT(regex), .help = "Regex."},
    {"json", SL_OPT_JSON, AT(json), .def = "null", .help = "Json."},
    {"group", SL_OPT_GROUP, AT(group), .rows = group_rows, .help = "Group."},
    {"patterns", SL_OPT_GROUP, AT(patterns), .flags = SL_OPT_LIST, .rows = pattern_rows,
     .row_size = sizeof(pattern), .help = "Patterns."},
    {"headers", SL_OPT_MAP, AT(headers), .help = "Headers."},
    SL_OPT_INLINE_TABLE(conf, flat, flat_rows),
    {0},
};

static sl_conf_memory *memory;
static sl_arena tree;
static conf got;
static char said[16384];

/* Reads the text into `got`; what is wrong is in `said`. Returns the number of errors. */
static size_t read_text(const char *text)
{
    sl_problems *problems = sl_problems_new();
    memory = sl_conf_memory_new();
    memset(&got, 0, sizeof got);
    sl_problems_add_source(problems, "t.yaml", sl_span_of(text));
    sl_node *node = sl_yaml_parse(&tree, "t.yaml", sl_span_of(text), true, problems);
    ck_assert_msg(node != NULL, "%s", text);
    sl_option_context ctx = {problems, memory};
    sl_option_target target = {rows, &got};
    sl_options_read(&ctx, node, (sl_mark){"t.yaml", 1, 1, 0, 0}, "input `tail`", &target, 1);
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    snprintf(said, sizeof said, "%s", sl_buf_cstr(&out));
    sl_buf_release(&out);
    size_t errors = sl_problems_errors(problems);
    sl_problems_free(problems);
    return errors;
}

static void end(void)
{
    sl_conf_memory_free(memory);
    sl_arena_release(&tree);
}

START_TEST(options__the_table_is_well_formed)
{
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(sl_options_check(rows, sizeof(conf), &err) == 0, "%s", err.text);
}
END_TEST

START_TEST(options__have_their_defaults)
{
    ck_assert_uint_eq(read_text("path: x"), 0);
    ck_assert(got.on && got.count == 5 && got.factor == 0.5 && got.size == 1 << 20 && !got.size_set);
    ck_assert(got.every == 5 * SL_NS_PER_S && got.workers == -1 && got.share == 0.05 && got.mode == 1);
    ck_assert(got.text.len == 0 && got.text.ptr != NULL && got.secret.len == 0);
    ck_assert(got.modes.count == 2 && SL_LIST_AT(got.modes, int, 0) == 1 &&
              SL_LIST_AT(got.modes, int, 1) == 0);
    ck_assert_str_eq(sl_path_text(got.field).ptr, "a.b");
    ck_assert_str_eq(got.json.ptr, "null");
    ck_assert(got.group.depth == 3 && got.flat.depth == 7 && got.patterns.count == 0 &&
              got.headers.count == 0);
    ck_assert(got.tpl == NULL && got.when == NULL && got.regex == NULL);
    end();
}
END_TEST

START_TEST(options__take_every_type)
{
    setenv("SLUICE_TEST_SIZE", "2MiB", 1);
    ck_assert_uint_eq(
        read_text(
            "path: [/a, /b]\non: false\ncount: -3\nfactor: 1.5e3\nsize: ${SLUICE_TEST_SIZE}\nevery: 1h30m\n"
            "workers: 4\nshare: 12.5%\ntext: '5'\nsecret: hunter2\nmode: start\nmodes: start\n"
            "field: headers[\"x-y\"]\ntpl: \"{{ a }}-%Y\"\nwhen: 'a == 1'\nregex: '\\d+'\n"
            "json: {a: [1, '2', true, null, x, 1.50], b: {}}\ngroup: {depth: 9, password: p}\n"
            "patterns: [{name: n, regex: x, keep: 1}, {name: m, regex: y}]\n"
            "headers: {X-A: b, n: 5}\nflat_depth: 1\nflat_pin: q\n"),
        0);
    ck_assert(got.path.count == 2 && sl_span_is_cstr(SL_LIST_AT(got.path, sl_span, 1), "/b"));
    ck_assert(!got.on && got.count == -3 && got.factor == 1500 && got.size == 2 << 20 && got.size_set);
    ck_assert(got.every == 5400 * SL_NS_PER_S && got.workers == 4 && got.share == 0.125);
    ck_assert_str_eq(got.text.ptr, "5");
    ck_assert_str_eq(got.secret.ptr, "hunter2");
    ck_assert(got.mode == 0 && got.modes.count == 1 && SL_LIST_AT(got.modes, int, 0) == 0);
    ck_assert(got.field && got.tpl && got.when && sl_span_is_cstr(sl_regex_text(got.regex), "\\d+"));
    ck_assert_str_eq(got.json.ptr, "{\"a\":[1,\"2\",true,null,\"x\",1.50],\"b\":{}}");
    ck_assert(got.group.depth == 9 && sl_span_is_cstr(got.group.password, "p"));
    ck_assert_uint_eq(got.patterns.count, 2);
    ck_assert(SL_LIST_AT(got.patterns, pattern, 0).keep == 1 &&
              SL_LIST_AT(got.patterns, pattern, 1).keep == 4);
    ck_assert(sl_span_is_cstr(sl_regex_text(SL_LIST_AT(got.patterns, pattern, 1).regex), "y"));
    ck_assert(got.headers.count == 2 && sl_span_is_cstr(SL_LIST_AT(got.headers, sl_opt_pair, 1).key, "n"));
    ck_assert(sl_span_is_cstr(SL_LIST_AT(got.headers, sl_opt_pair, 1).value, "5"));
    ck_assert(got.flat.depth == 1 && sl_span_is_cstr(got.flat.password, "q"));
    end();
}
END_TEST

START_TEST(options__a_single_value_goes_to_the_main_row)
{
    ck_assert_uint_eq(read_text("/var/log/a.log"), 0);
    ck_assert(got.path.count == 1 && sl_span_is_cstr(SL_LIST_AT(got.path, sl_span, 0), "/var/log/a.log"));
    end();
    ck_assert_uint_eq(read_text("[/a, /b]"), 0);
    ck_assert_uint_eq(got.path.count, 2);
    end();
}
END_TEST

/* What each mistake says, wherever it stands. */
static const struct {
    const char *text, *says;
} mistakes[] = {
    {"pth: x", "t.yaml:1:1: error: `pth` is not an option of input `tail`\n  | pth: ***\n  | ^^^\n  hint: "
               "did you mean `path`?"},
    {"{}",
     "t.yaml:1:1: error: input `tail` needs the option `path`\n  | {}\n  | ^\n  hint: add `path: …`. Paths."},
    {"path: []", "the list `path` is empty"},
    {"path: ", "`path` has no value"},
    {"path: ~", "`path` has no value"},
    {"path: {a: b}", "t.yaml:1:7: error: `path` must be text, not a map"},
    {"path: [[a]]", "t.yaml:1:8: error: `path` must be text, not a list"},
    {"path: x\nxyzzy: 1", "hint: its options are `path`, `on`, `count`"},
    {"path: x\ndepth: 1", "hint: it belongs inside `group: {…}`"},
    {"path: x\non: yes", "t.yaml:2:5: error: `on` must be `true` or `false`, not `yes`"},
    {"path: x\ncount: 1.5", "`count` must be a whole number, not `1.5`"},
    {"path: x\ncount: 99999999999999999999", "`count` must be a whole number"},
    {"path: x\ncount: 11", "t.yaml:2:8: error: `count` must be from -10 to 10, not `11`"},
    {"path: x\nfactor: 0x10", "`factor` must be a number, not `0x10`"},
    {"path: x\nfactor: 1e999", "`factor` must be a number, not `1e999`"},
    {"path: x\nsize: 64M", "hint: the unit is unclear: write MB (powers of 1000) or MiB (powers of 1024)"},
    {"path: x\nsize: 12", "`size` must be from 256B to 64MiB, not `12`"},
    {"path: x\nsize: [1MiB]", "`size` must be a size, not a list"},
    {"path: x\nevery: 5", "hint: a duration needs a unit"},
    {"path: x\nevery: 1us", "`every` must be at least 1ms, not `1us`"},
    {"path: x\nworkers: atuo",
     "`workers` must be a whole number, `auto` or `none`, not `atuo`\n  | workers: atuo\n  |          ^^^^\n"
     "  hint: did you mean `auto`?"},
    {"path: x\nworkers: 0", "`workers` must be from 1 to 8, not `0`"},
    {"path: x\nshare: 500%", "`share` must be a fraction, not `500%`"},
    {"path: x\nmode: strat", "`mode` must be `start` or `end`, not `strat`\n  | mode: strat\n  |       "
                             "^^^^^\n  hint: did you mean `start`?"},
    {"path: x\nmodes: [start, nope]", "t.yaml:2:16: error: `modes` must be `start` or `end`, not `nope`"},
    {"path: x\nfield: 'a..b'", "t.yaml:2:11: error: `field`:"},
    {"path: x\nregex: 'a(b'", "t.yaml:2:12: error: `regex`: missing closing parenthesis"},
    {"path: x\nwhen: 'a =='", "error: `when`:"},
    {"path: x\ntpl: '{{ a'", "error: `tpl`:"},
    {"path: x\ngroup: 5", "`group` takes a map of options, not a single value"},
    {"path: x\ngroup: {dpth: 5}", "`dpth` is not an option of `group`\n  | group: {dpth: ***}"},
    {"path: x\npatterns: [{name: n}]", "t.yaml:2:12: error: `patterns` needs the option `regex`"},
    {"path: x\npatterns: abc", "`patterns` needs the option `name`"},
    {"path: x\nheaders: [a]", "`headers` must be a map from names to text, not a list"},
    {"path: x\nheaders: {a: [b]}", "`a` in `headers` must be text, not a list"},
    {"path: ${SLUICE_TEST_NONE}\nmode: ${SLUICE_TEST_NONE}",
     "the environment variable `SLUICE_TEST_NONE` is not set"},
    {"path: x\nsize: ${SLUICE_TEST_EMPTY}", "`size` must be a size, not the empty value put in for `${…}`"},
};

START_TEST(options__say_what_is_wrong_where_and_what_to_do)
{
    unsetenv("SLUICE_TEST_NONE");
    setenv("SLUICE_TEST_EMPTY", "", 1);
    for (size_t i = 0; i < SL_LEN(mistakes); i++) {
        size_t errors = read_text(mistakes[i].text);
        ck_assert_msg(errors > 0 && strstr(said, mistakes[i].says), "%s\nsays\n%s\nnot\n%s", mistakes[i].text,
                      said, mistakes[i].says);
        end();
    }
}
END_TEST

START_TEST(options__report_all_mistakes_at_once)
{
    ck_assert_uint_eq(read_text("pth: x\ncount: many\nsize: -1\nmode: no\ngroup: {depth: 10, x: 1}\n"),
                      6); /* `path` is not missed, it is misspelt */
    end();
}
END_TEST

START_TEST(options__never_show_a_secret)
{
    setenv("SLUICE_TEST_SECRET", "hunter2", 1);
    setenv("SLUICE_TEST_EMPTY", "", 1);
    static const char *const cases[] = {
        "{secret: hunter2, pth: 1}",
        "{secret: [hunter2], path: x}",
        "{path: x, secret: {a: hunter2}}",
        "{path: x, secret:\n {a: hunter2}}",
        "{path: x, secrt: hunter2}",
        "{path: x, group: hunter2}",
        "{path: x, group: [hunter2]}",
        "{path: x, group: {pasword: hunter2}}",
        "{path: x, group: {password: hunter2, depth: 99}}",
        "{path: x, flat_pin: hunter2, mode: x}",
        "{path: x, size: \"${SLUICE_TEST_SECRET}\"}",
        "{path: x, mode: \"${SLUICE_TEST_SECRET}\"}",
        "{path: x, regex: \"(${SLUICE_TEST_SECRET}\"}",
        "{path: x, when: \"${SLUICE_TEST_SECRET} ==\"}",
        "{path: x, unknown_thing: {deep: [hunter2]}}",
        "{path: x, secret: abc, secret: hunter2}",
        "{path: x, headers: {authorization: hunter2, b: []}}",
        "{path: x, size: http://u:hunter2@h}",
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        ck_assert_msg(read_text(cases[i]) > 0 || strstr(cases[i], "abc"), "no error: %s", cases[i]);
        ck_assert_msg(!strstr(said, "hunter2"), "%s shows\n%s", cases[i], said);
        end();
    }
    /* A reference is no secret: its line shows where the value comes from. */
    ck_assert_uint_eq(read_text("{path: x, secret: \"${SLUICE_TEST_SECRET}\", cnt: 1}"), 1);
    ck_assert_ptr_nonnull(strstr(said, "secret: \"${SLUICE_TEST_SECRET}\", cnt: ***"));
    end();
    ck_assert_uint_eq(read_text("{path: x, secret: \"${SLUICE_TEST_EMPTY}\"}"), 1);
    ck_assert_ptr_nonnull(strstr(said, "`secret` is empty"));
    end();
}
END_TEST

START_TEST(options__lists_are_bounded)
{
    sl_buf text = SL_BUF_NONE;
    sl_buf_append_cstr(&text, "path: [");
    for (int i = 0; i <= SL_MAX_OPTION_ITEMS; i++)
        sl_buf_append_cstr(&text, "a,");
    sl_buf_append_cstr(&text, "]");
    ck_assert_uint_eq(read_text(sl_buf_cstr(&text)), 1);
    ck_assert_ptr_nonnull(strstr(said, "`path` has 10001 items; at most 10000 are allowed"));
    sl_buf_release(&text);
    end();
}
END_TEST

/* Tables that a plugin's author could get wrong. */
START_TEST(options__wrong_tables_are_found)
{
    static const sl_option twice[] = {
        {"a", SL_OPT_BOOL, 0, .help = "A."}, {"a", SL_OPT_BOOL, 8, .help = "A."}, {0}};
    static const sl_option overlap[] = {
        {"a", SL_OPT_INT, 0, .help = "A."}, {"b", SL_OPT_INT, 4, .help = "B."}, {0}};
    static const sl_option outside[] = {{"a", SL_OPT_INT, 60, .help = "A."}, {0}};
    static const sl_option bad_default[] = {{"a", SL_OPT_SIZE, 0, .def = "1M", .help = "A."}, {0}};
    static const sl_option out_of_range[] = {{"a", SL_OPT_INT, 0, .def = "9", .max = 5, .help = "A."}, {0}};
    static const sl_option no_help[] = {{"a", SL_OPT_INT, 0, .help = NULL}, {0}};
    static const sl_option camel[] = {{"aB", SL_OPT_INT, 0, .help = "A."}, {0}};
    static const sl_option no_names[] = {{"a", SL_OPT_ENUM, 0, .help = "A."}, {0}};
    static const sl_option two_mains[] = {{"a", SL_OPT_INT, 0, .flags = SL_OPT_MAIN, .help = "A."},
                                          {"b", SL_OPT_INT, 8, .flags = SL_OPT_MAIN, .help = "B."},
                                          {0}};
    static const sl_option in_group[] = {{"g", SL_OPT_GROUP, 0, .rows = outside, .help = "A."}, {0}};
    static const struct {
        const sl_option *rows;
        const char *says;
    } cases[] = {{twice, "stands twice"},
                 {overlap, "overlaps that of `a`"},
                 {outside, "outside the struct"},
                 {bad_default, "its default is wrong"},
                 {out_of_range, "its default is wrong"},
                 {no_help, "no help"},
                 {camel, "snake_case"},
                 {no_names, "needs names"},
                 {two_mains, "second row"},
                 {in_group, "outside the struct"}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_err err = SL_ERR_NONE;
        ck_assert_int_eq(sl_options_check(cases[i].rows, 64, &err), SL_E_CONFIG);
        ck_assert_msg(strstr(err.text, cases[i].says), "%s, not %s", err.text, cases[i].says);
    }
}
END_TEST

SL_TEST_MAIN("options", options__the_table_is_well_formed, options__have_their_defaults,
             options__take_every_type, options__a_single_value_goes_to_the_main_row,
             options__say_what_is_wrong_where_and_what_to_do, options__report_all_mistakes_at_once,
             options__never_show_a_secret, options__lists_are_bounded, options__wrong_tables_are_found)
