/* parse_formats.c: from format, pattern and types to the groups that become members.
 *
 * A known format is a pattern with types and a time like anybody's own; there is nothing else to it.
 *
 * Access lines are written as mod_log_config and ngx_http_log_module document it: a `-` stands for what is
 * not there, so its group takes no part and the member is left out; inside quotes a quote is `\"` (Apache) or
 * `\x22` (nginx), and stays so. A request that is no HTTP (noise on the port) is `request`, as a whole; what
 * stands behind the last field is `extra`, since formats are often lengthened. `client` is not called `host`,
 * which is what records often have in common: the name of the machine.
 *   https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats
 *   https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format
 *
 * The patterns never go back over a long run: what repeats is possessive, or ends before what follows it. So
 * a line of a megabyte costs as much a byte as a short one.
 */
#include "parse_int.h"

#define QUOTED(name) "(?<" name ">[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+)"

#define ACCESS_HEAD                                                                                          \
    "(?s)^(?<client>\\S+) (?:-|(?<ident>\\S+)) (?:-|(?<user>\\S+(?: [^\\s\\[]\\S*)*)) "                      \
    "\\[(?<time>[^\\]]+)\\] "
#define ACCESS_REQUEST                                                                                       \
    "\"(?:-|(?<method>[A-Z-]+) (?<path>[^\\s\"\\\\]++(?:\\\\.[^\\s\"\\\\]*+)*+)(?: "                         \
    "(?<protocol>HTTP/[0-9.]+))?"                                                                            \
    "|" QUOTED("request") ")\" "
#define ACCESS_STATUS "(?:-|(?<status>[0-9]{3})) (?:-|(?<bytes>[0-9]+))"
#define ACCESS_FROM   " \"(?:-|" QUOTED("referer") ")\" \"(?:-|" QUOTED("agent") ")\""
#define ACCESS_END    "(?: (?<extra>.+))?\\z"

#define COMMON   ACCESS_HEAD ACCESS_REQUEST ACCESS_STATUS ACCESS_END
#define COMBINED ACCESS_HEAD ACCESS_REQUEST ACCESS_STATUS ACCESS_FROM ACCESS_END

typedef struct typed_group {
    const char *name;
    sl_convert type;
} typed_group;

typedef struct known_format {
    const char *pattern;
    typed_group types[4]; /* ends with a NULL name */
    const char *time;     /* how the group `time` is written */
} known_format;

enum { FORMAT_JSON, FORMAT_REGEX, FORMAT_APACHE_COMBINED, FORMAT_APACHE_COMMON, FORMAT_NGINX, FORMATS };

const char *const parse_format_names[FORMATS + 1] = {
    [FORMAT_JSON] = "json",
    [FORMAT_REGEX] = "regex",
    [FORMAT_APACHE_COMBINED] = "apache_combined",
    [FORMAT_APACHE_COMMON] = "apache_common",
    [FORMAT_NGINX] = "nginx",
};

#define ACCESS_TYPES                                                                                         \
    {                                                                                                        \
        {"status", SL_CONVERT_INT},                                                                          \
        {                                                                                                    \
            "bytes", SL_CONVERT_INT                                                                          \
        }                                                                                                    \
    }
#define ACCESS_TIME "%d/%b/%Y:%H:%M:%S %z"

static const known_format known_formats[FORMATS] = {
    [FORMAT_APACHE_COMBINED] = {COMBINED, ACCESS_TYPES, ACCESS_TIME},
    [FORMAT_APACHE_COMMON] = {COMMON, ACCESS_TYPES, ACCESS_TIME},
    [FORMAT_NGINX] = {COMBINED, ACCESS_TYPES, ACCESS_TIME},
};

/* ---- groups ---- */

static parse_group *find_group(parse_pattern *made, sl_span name)
{
    for (uint32_t i = 0; i < made->count; i++)
        if (sl_span_is(sl_regex_group(made->regex, i), name)) return &made->groups[i];
    return NULL;
}

static int make_groups(parse_pattern *made, sl_err *err)
{
    if (sl_regex_check_groups(made->regex, err) != 0) return sl_err_prefix(err, "option `pattern`");
    made->count = sl_regex_groups(made->regex);
    if (made->count == 0)
        return sl_err_set(
            err, SL_E_CONFIG,
            "option `pattern`: it has no named group; write `(?<name>…)` around what is to be a member");
    sl_buf head = SL_BUF_NONE;
    for (uint32_t i = 0; i < made->count; i++) {
        sl_buf_clear(&head);
        sl_buf_append_char(&head, ',');
        sl_json_write_string(&head, sl_regex_group(made->regex, i));
        sl_buf_append_char(&head, ':');
        sl_assert(head.len <= PARSE_HEAD_MAX);
        memcpy(made->groups[i].head, head.ptr, head.len);
        made->groups[i].head_len = (uint32_t)head.len;
    }
    sl_buf_release(&head);
    made->has_truncated = find_group(made, SL_SPAN("truncated")) != NULL;
    return 0;
}

static int set_types(parse_pattern *made, const sl_list *types, sl_err *err)
{
    for (size_t i = 0; i < types->count; i++) {
        sl_opt_pair pair = SL_LIST_AT(*types, sl_opt_pair, i);
        parse_group *group = find_group(made, pair.key);
        if (!group)
            return sl_err_set(err, SL_E_CONFIG,
                              "option `types`: the pattern has no group \"" SL_SPAN_FMT "\"",
                              SL_SPAN_ARG(pair.key));
        if (!sl_convert_find(pair.value, &group->type))
            return sl_err_set(err, SL_E_CONFIG,
                              "option `types`: \"" SL_SPAN_FMT "\" is no type; take " SL_CONVERT_NAMES,
                              SL_SPAN_ARG(pair.value));
    }
    return 0;
}

/* ---- formats ---- */

static int use_known(parse_conf *conf, const known_format *known, sl_err *err)
{
    parse_pattern *made = conf->groups;
    made->own = sl_regex_parse(sl_span_of(known->pattern), err);
    if (!made->own) sl_bug("the pattern of %s: %s", parse_format_names[conf->format], err->text);
    made->regex = made->own;
    int res = make_groups(made, err);
    for (const typed_group *typed = known->types; res == 0 && typed->name; typed++)
        find_group(made, sl_span_of(typed->name))->type = typed->type;
    if (conf->time.format.len == 0) conf->time.format = sl_span_of(known->time);
    return res;
}

static int refuse_for(const parse_conf *conf, const char *option, sl_err *err)
{
    return sl_err_set(err, SL_E_CONFIG, "option `%s`: the format \"%s\" has none; it is for `format: regex`",
                      option, parse_format_names[conf->format]);
}

int parse_formats_check(parse_conf *conf, sl_err *err)
{
    if (conf->format != FORMAT_REGEX && conf->pattern) return refuse_for(conf, "pattern", err);
    if (conf->format == FORMAT_JSON) return conf->types.count ? refuse_for(conf, "types", err) : 0;
    if (conf->format == FORMAT_REGEX && !conf->pattern)
        return sl_err_set(
            err, SL_E_CONFIG,
            "option `format`: \"regex\" needs the option `pattern`, an expression with groups `(?<name>…)`");
    conf->groups = sl_calloc(1, sizeof(*conf->groups));
    int res;
    if (conf->format == FORMAT_REGEX) {
        conf->groups->regex = conf->pattern;
        res = make_groups(conf->groups, err);
    } else {
        res = use_known(conf, &known_formats[conf->format], err);
    }
    return res == 0 ? set_types(conf->groups, &conf->types, err) : res;
}

void parse_formats_link(parse_conf *conf)
{
    parse_pattern *made = conf->groups;
    for (uint32_t i = 0; made && i < conf->time.count; i++) {
        const sl_path *path = conf->time.candidates[i].path;
        uint32_t index;
        sl_span name = sl_path_step(path, 0, &index);
        parse_group *group = name.ptr && sl_path_length(path) == 1 ? find_group(made, name) : NULL;
        if (!group || group->time) continue;
        group->time = path;
        made->times[made->time_count++] = (uint8_t)(group - made->groups);
    }
}

void parse_formats_release(parse_conf *conf)
{
    if (!conf->groups) return;
    sl_regex_free(conf->groups->own);
    sl_free(conf->groups);
}
