/* elasticsearch.c: the output's options, what must hold between them, its start and end. */
#include "es_int.h"

#define AT(member) offsetof(es_conf, member)

static const char *const action_names[] = {"create", "index", "update", NULL};

static const sl_option install_options[] = {
    {"name", SL_OPT_STRING, offsetof(es_install_conf, name), .def = "sluice",
     .help = "Name of the template and of the policy."},
    {"template", SL_OPT_STRING, offsetof(es_install_conf, template_file), .flags = SL_OPT_FILE,
     .help = "JSON file with an index template, as `PUT _index_template` takes it. Needs Elasticsearch 7.8."},
    {"policy", SL_OPT_STRING, offsetof(es_install_conf, policy_file), .flags = SL_OPT_FILE,
     .help = "JSON file with a lifecycle policy: for Elasticsearch as `PUT _ilm/policy` takes it, for "
             "OpenSearch as "
             "`PUT _plugins/_ism/policies` does."},
    {"overwrite", SL_OPT_BOOL, offsetof(es_install_conf, overwrite), .def = "false",
     .help = "Replace what is there under this name; else it is left as it is."},
    {0}};

static const sl_option options[] = {
    SL_OPT_INLINE_TABLE(es_conf, http, sl_http_options),
    {"cloud_id", SL_OPT_STRING, AT(cloud_id),
     .help = "Elastic Cloud's id of the deployment, instead of `url`."},
    {"index", SL_OPT_TEMPLATE, AT(index), .def = "sluice-%Y.%m.%d", .set_offset = AT(index_written),
     .help = "Index (or alias) that a record goes to: strftime of its time in UTC, `{{ field }}` from the "
             "record."},
    {"index_fallback", SL_OPT_STRING, AT(index_fallback), .def = "sluice-unrouted",
     .help = "Where a record goes for which `index` gives no name: a field is missing, or the name is not "
             "allowed."},
    {"data_stream", SL_OPT_TEMPLATE, AT(data_stream),
     .help = "Data stream to write to, `logs-booking-production`, instead of `index`. Needs `action: "
             "create`. Ids are known "
             "within one backing index: a record whose answer was lost just before a rollover may be there "
             "twice."},
    {"action", SL_OPT_ENUM, AT(action), .def = "create", .names = action_names,
     .help = "`create` never changes a document that is there (a record sent twice is in the index once), "
             "`index` replaces "
             "it, `update` merges the record into it or creates it."},
    {"id", SL_OPT_TEMPLATE, AT(id),
     .help = "The document's `_id`, `{{ requestId }}`. Without it, or where it is empty or over 512 bytes: "
             "the id that "
             "sluice gives to each record."},
    {"pipeline", SL_OPT_TEMPLATE, AT(pipeline), .help = "Ingest pipeline; where a field is missing, none."},
    {"routing", SL_OPT_TEMPLATE, AT(routing), .help = "Routing value; where a field is missing, none."},
    {"install", SL_OPT_GROUP, AT(install), .rows = install_options,
     .help = "What to put on the server before the first record."},
    {0}};

/* ---- check ---- */

static int use_cloud_id(es_conf *conf, sl_err *err)
{
    if (!conf->cloud_id.len) return 0;
    if (conf->http.url.count)
        return sl_err_set(err, SL_E_CONFIG, "option `cloud_id`: give it or `url`, not both");
    char *url = es_cloud_id_url(conf->cloud_id);
    if (!url)
        return sl_err_set(err, SL_E_CONFIG,
                          "option `cloud_id`: it is none; copy it from the deployment's page");
    conf->cloud_url[0] = sl_span_of(url);
    conf->http.url = (sl_list){conf->cloud_url, 1};
    return 0;
}

static int check_name(const char *option, sl_span name, sl_err *err)
{
    if (es_index_is_valid(name)) return 0;
    return sl_err_set(err, SL_E_CONFIG,
                      "option `%s`: \"" SL_SPAN_FMT
                      "\" is no name of an index: 1 to 255 bytes, lower case, not "
                      "beginning with - _ + or a dot, without blanks and any of \\ / * ? \" < > | , # :",
                      option, SL_SPAN_ARG(name));
}

/* Only a constant is known here in whole. */
static int check_template_name(const char *option, const sl_template *tpl, sl_err *err)
{
    if (!sl_template_is_constant(tpl)) return 0;
    sl_buf name = SL_BUF_NONE;
    es_constant_write(tpl, &name);
    int rc = check_name(option, sl_buf_span(&name), err);
    sl_buf_release(&name);
    return rc;
}

static int check_target(const es_conf *conf, sl_err *err)
{
    int rc = check_template_name("index", conf->index, err);
    if (rc == 0) rc = check_name("index_fallback", conf->index_fallback, err);
    if (rc < 0 || !conf->data_stream) return rc;
    if (conf->index_written)
        return sl_err_set(err, SL_E_CONFIG, "option `data_stream`: give it or `index`, not both");
    if (conf->action != ES_CREATE)
        return sl_err_set(err, SL_E_CONFIG, "option `action`: data streams take nothing but `create`");
    return check_template_name("data_stream", conf->data_stream, err);
}

static int read_json_file(const char *option, sl_span path, sl_buf *out, sl_err *err)
{
    if (!path.len) return 0;
    char *copy = sl_strndup(path.ptr, path.len);
    int rc = sl_fs_read_file(copy, SL_MAX_OPTION_FILE, out);
    if (rc < 0) {
        sl_err_sys(err, -rc, "option `install.%s`: cannot read %s", option, copy);
        rc = SL_E_CONFIG;
    } else {
        sl_tape tape = {0};
        sl_json_result result = sl_json_index(&tape, sl_buf_span(out));
        bool object = result.error == SL_JSON_OK && tape.tok[0].type == SL_JSON_OBJECT;
        sl_tape_release(&tape);
        if (!object)
            rc = sl_err_set(err, SL_E_CONFIG, "option `install.%s`: %s is no JSON object (byte %u)", option,
                            copy, result.at);
    }
    if (err && rc < 0) err->code = rc;
    sl_free(copy);
    return rc;
}

static int check_install(es_install_conf *install, sl_err *err)
{
    if (!es_index_is_valid(install->name))
        return sl_err_set(err, SL_E_CONFIG, "option `install.name`: use lower-case letters, digits, - and _");
    int rc = read_json_file("template", install->template_file, &install->template, err);
    if (rc == 0) rc = read_json_file("policy", install->policy_file, &install->policy, err);
    return rc;
}

static int check(void *arg, sl_err *err)
{
    es_conf *conf = arg;
    int rc = use_cloud_id(conf, err);
    if (rc == 0) rc = sl_http_conf_check(&conf->http, err);
    if (rc == 0) rc = check_target(conf, err);
    if (rc == 0) rc = check_install(&conf->install, err);
    return rc;
}

static void conf_release(void *arg)
{
    es_conf *conf = arg;
    sl_free((char *)(uintptr_t)conf->cloud_url[0].ptr);
    sl_buf_release(&conf->install.template);
    sl_buf_release(&conf->install.policy);
}

/* ---- start and end ---- */

static void *start(sl_output *out, const void *conf, sl_err *err)
{
    (void)err;
    es_output *es = sl_calloc(1, sizeof *es);
    es->out = out;
    es->conf = conf;
    es->id_fallbacks =
        sl_output_counter(out, "id_fallbacks_total", "Records for which `id` gave no usable text.");
    es->conflicts =
        sl_output_counter(out, "conflicts_total",
                          "Records delivered with `create` whose id was in the index already: sent "
                          "twice, or another record with the same `id`.");
    es_index_init(&es->index, conf,
                  sl_output_counter(out, "index_fallbacks_total", "Records that went to `index_fallback`."));
    return es;
}

static const sl_http_conf *http(void *self)
{
    return &((es_output *)self)->conf->http;
}

static void stop(void *self)
{
    (void)self; /* nothing of its own is under way: its requests are the client's */
}

static void release(void *self)
{
    es_output *es = self;
    es_index_release(&es->index);
    sl_reader_release(&es->reader);
    sl_buf_release(&es->value);
    sl_buf_release(&es->text);
    sl_tape_release(&es->tape);
    sl_free(es);
}

static int connect_to(const void *conf, sl_err *err)
{
    return sl_http_connect(&((const es_conf *)conf)->http, "/", err);
}

static const sl_output_ops ops = {
    .start = start,
    .http = http,
    .encode = es_encode,
    .judge = es_judge,
    .prepare = es_prepare,
    .connect = connect_to,
    .stop = stop,
    .free = release,
};

const sl_plugin sl_output_elasticsearch = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_OUTPUT,
    .name = "elasticsearch",
    .help = "Writes to Elasticsearch 7 or later, or OpenSearch, through the bulk API.",
    .options = options,
    .conf_size = sizeof(es_conf),
    .check = check,
    .conf_release = conf_release,
    .output = &ops,
};
