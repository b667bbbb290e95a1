/* conf_plugins.h: a fixed set of plugins for tests of the configuration, so that what is expected does not
 * change when a real plugin gets an option. Including it replaces the built-in plugins of the program in this
 * test: their options are like those of the real ones, and none of them can run.
 */
#ifndef SLUICE_CONF_PLUGINS_H
#define SLUICE_CONF_PLUGINS_H

#include "plugin/registry.h"
#include <sluice/plugin.h>

/* ---- inputs ---- */

typedef struct conf_tail {
    sl_list path, exclude;
    int read_from;
    uint64_t max_line;
    int64_t ignore_older;
    bool repair_utf8;
} conf_tail;

#define TAIL(member) offsetof(conf_tail, member)
static const char *const conf_read_from[] = {"start", "end", NULL};
static const sl_option conf_tail_rows[] = {
    {"path", SL_OPT_STRING, TAIL(path), .flags = SL_OPT_LIST | SL_OPT_REQUIRED | SL_OPT_MAIN,
     .help = "Files to follow: paths or globs, `**` for any number of folders."},
    {"exclude", SL_OPT_STRING, TAIL(exclude), .flags = SL_OPT_LIST, .help = "Globs of files to leave alone."},
    {"read_from", SL_OPT_ENUM, TAIL(read_from), .def = "start", .names = conf_read_from,
     .help = "Where reading of a file starts that was never seen before."},
    {"max_line", SL_OPT_SIZE, TAIL(max_line), .def = "1MiB", .min = 256, .max = 256 << 20,
     .help = "Longer lines are cut there, marked and counted."},
    {"ignore_older", SL_OPT_DURATION, TAIL(ignore_older), .def = "0",
     .help = "Files not written for this long are left alone."},
    {"repair_utf8", SL_OPT_BOOL, TAIL(repair_utf8), .def = "true", .help = "Invalid bytes become U+FFFD."},
    {0},
};

static const sl_option conf_none_rows[] = {{0}};

/* ---- filters ---- */

typedef struct conf_parse {
    int format;
    struct {
        sl_path *field;
    } time;
} conf_parse;

static const char *const conf_formats[] = {"json", "regex", NULL};
static const sl_option conf_time_rows[] = {
    {"field", SL_OPT_PATH, 0, .flags = SL_OPT_MAIN, .help = "The field with the time."}, {0}};
static const sl_option conf_parse_rows[] = {
    {"format", SL_OPT_ENUM, offsetof(conf_parse, format), .flags = SL_OPT_MAIN | SL_OPT_REQUIRED,
     .names = conf_formats, .help = "What a line is."},
    {"time", SL_OPT_GROUP, offsetof(conf_parse, time), .rows = conf_time_rows, .help = "The record's time."},
    {0},
};

typedef struct conf_pattern {
    sl_span name;
    sl_regex *regex;
} conf_pattern;

typedef struct conf_redact {
    sl_list keys, detect, patterns;
    sl_span with, hash_key;
} conf_redact;

static const char *const conf_detectors[] = {"email", "card", "jwt", "bearer", NULL};
static const sl_option conf_pattern_rows[] = {
    {"name", SL_OPT_STRING, offsetof(conf_pattern, name), .flags = SL_OPT_REQUIRED,
     .help = "Its name in the counters."},
    {"regex", SL_OPT_REGEX, offsetof(conf_pattern, regex), .flags = SL_OPT_REQUIRED,
     .help = "What is a secret."},
    {0},
};
static const sl_option conf_redact_rows[] = {
    {"keys", SL_OPT_STRING, offsetof(conf_redact, keys), .flags = SL_OPT_LIST,
     .help = "Keys whose values are secrets."},
    {"detect", SL_OPT_ENUM, offsetof(conf_redact, detect), .flags = SL_OPT_LIST, .names = conf_detectors,
     .help = "Detectors that look into values."},
    {"patterns", SL_OPT_GROUP, offsetof(conf_redact, patterns), .flags = SL_OPT_LIST,
     .rows = conf_pattern_rows, .row_size = sizeof(conf_pattern), .help = "Detectors of one's own."},
    {"with", SL_OPT_STRING, offsetof(conf_redact, with), .def = "'[REDACTED]'",
     .help = "What stands in its place."},
    {"hash_key", SL_OPT_SECRET, offsetof(conf_redact, hash_key), .help = "Key of the hash."},
    {0},
};

typedef struct conf_drop {
    sl_condition *when;
} conf_drop;

static const sl_option conf_drop_rows[] = {
    {"when", SL_OPT_CONDITION, offsetof(conf_drop, when), .flags = SL_OPT_MAIN | SL_OPT_REQUIRED,
     .help = "Which records go."},
    {0},
};

/* ---- outputs ---- */

typedef struct conf_search {
    sl_list url;
    sl_template *index;
    struct {
        sl_span user, password, api_key;
    } auth;
    sl_list headers;
    int released;
} conf_search;

#define AUTH(member) (offsetof(conf_search, auth.member) - offsetof(conf_search, auth))
static const sl_option conf_auth_rows[] = {
    {"user", SL_OPT_STRING, AUTH(user), .help = "User of basic authentication."},
    {"password", SL_OPT_SECRET, AUTH(password), .help = "Its password."},
    {"api_key", SL_OPT_SECRET, AUTH(api_key), .help = "API key."},
    {0},
};
static const sl_option conf_search_rows[] = {
    {"url", SL_OPT_STRING, offsetof(conf_search, url), .flags = SL_OPT_LIST | SL_OPT_REQUIRED | SL_OPT_MAIN,
     .help = "Where the nodes are."},
    {"index", SL_OPT_TEMPLATE, offsetof(conf_search, index), .def = "\"logs-%Y.%m.%d\"",
     .help = "The index of a record."},
    {"auth", SL_OPT_GROUP, offsetof(conf_search, auth), .rows = conf_auth_rows, .help = "Who we are."},
    {"headers", SL_OPT_MAP, offsetof(conf_search, headers), .help = "Headers of each request."},
    {0},
};

static int conf_search_check(void *arg, sl_err *err)
{
    const conf_search *conf = arg;
    if (conf->auth.user.len && conf->auth.api_key.len)
        return sl_err_set(
            err, SL_E_CONFIG,
            "option `auth.user`: basic authentication and an API key exclude each other: remove one");
    return 0;
}

static int conf_search_released; /* how often conf_release ran */
static void conf_search_release(void *arg)
{
    (void)arg;
    conf_search_released++;
}

static const sl_input_ops conf_input_ops = {0};
static const sl_filter_ops conf_filter_ops = {0};
static const sl_output_ops conf_output_ops = {0};

#define CONF_PLUGIN(kind_, name_, help_, rows_, size_, ...)                                                  \
    {                                                                                                        \
        .abi = SL_ABI_VERSION, .kind = (kind_), .name = (name_), .help = (help_), .options = (rows_),        \
        .conf_size = (size_), __VA_ARGS__                                                                    \
    }

static const sl_plugin conf_plugins[] = {
    CONF_PLUGIN(SL_PLUGIN_INPUT, "tail", "Follows files.", conf_tail_rows, sizeof(conf_tail),
                .input = &conf_input_ops),
    CONF_PLUGIN(SL_PLUGIN_INPUT, "stdin", "Reads standard input.", conf_none_rows, 0,
                .input = &conf_input_ops),
    CONF_PLUGIN(SL_PLUGIN_FILTER, "parse", "Makes records of lines.", conf_parse_rows, sizeof(conf_parse),
                .filter = &conf_filter_ops),
    CONF_PLUGIN(SL_PLUGIN_FILTER, "redact", "Takes secrets out.", conf_redact_rows, sizeof(conf_redact),
                .filter = &conf_filter_ops),
    CONF_PLUGIN(SL_PLUGIN_FILTER, "drop", "Drops records.", conf_drop_rows, sizeof(conf_drop),
                .filter = &conf_filter_ops),
    CONF_PLUGIN(SL_PLUGIN_OUTPUT, "elasticsearch", "Sends to Elasticsearch or OpenSearch.", conf_search_rows,
                sizeof(conf_search), .check = conf_search_check, .conf_release = conf_search_release,
                .output = &conf_output_ops),
    CONF_PLUGIN(SL_PLUGIN_OUTPUT, "stdout", "Writes to standard output.", conf_none_rows, 0,
                .output = &conf_output_ops),
};

const sl_plugin *const sl_registry__builtin[] = {
    &conf_plugins[0], &conf_plugins[1], &conf_plugins[2], &conf_plugins[3],
    &conf_plugins[4], &conf_plugins[5], &conf_plugins[6], NULL};

#endif
