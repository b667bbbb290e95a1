/* cloudwatch.c: the output's options, what must hold between them, its start and end. */
#include "cw_int.h"

#define AT(member)     offsetof(cw_conf, member)
#define CREATE(member) offsetof(cw_create_conf, member)

static const char *const bad_names[] = {"escape", "reject", NULL};
static const char *const missing_names[] = {"retry", "reject", NULL};
static const char *const large_names[] = {"truncate", "dead_letter", NULL};
static const char *const class_names[] = {"standard", "infrequent_access", "delivery", NULL};

static const sl_option create_options[] = {
    {"group", SL_OPT_BOOL, CREATE(group), .def = "false",
     .help = "Create groups that are missing. Needs `logs:CreateLogGroup` and, for `retention_days`, "
             "`logs:PutRetentionPolicy`."},
    {"stream", SL_OPT_BOOL, CREATE(stream), .def = "true",
     .help = "Create streams that are missing. Needs `logs:CreateLogStream`."},
    {"retention_days", SL_OPT_INT, CREATE(retention_days), .def = "0", .min = 0, .max = 3653, .unit = "days",
     .help =
         "How long groups that are created keep their events; 0: for ever. CloudWatch Logs knows 1, 3, 5, 7, "
         "14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."},
    {"log_group_class", SL_OPT_ENUM, CREATE(log_group_class), .def = "standard", .names = class_names,
     .help = "Class of groups that are created; it can't be changed later."},
    {"tags", SL_OPT_MAP, CREATE(tags),
     .help = "Tags of groups that are created, 50 at most. Needs `logs:TagResource`."},
    {"kms_key_id", SL_OPT_STRING, CREATE(kms_key_id),
     .help = "ARN of the key with which groups that are created are encrypted."},
    {0}};

static const sl_option options[] = {
    SL_OPT_INLINE_TABLE(cw_conf, aws, sl_aws_options),
    {"group", SL_OPT_TEMPLATE, AT(group), .flags = SL_OPT_REQUIRED,
     .help =
         "Log group that a record goes to: strftime of its time in UTC, `{{ field }}` from the record. Where "
         "a field is missing the record is a dead letter: `{{ field | \"default\" }}`."},
    {"stream", SL_OPT_TEMPLATE, AT(stream), .flags = SL_OPT_REQUIRED,
     .help =
         "Log stream, made in the same way. Requests are formed by stream; the fewer there are, the larger "
         "are the requests."},
    {"in_order", SL_OPT_BOOL, AT(in_order), .def = "true",
     .help =
         "Requests for one stream go one after another, those for others beside them, so that events of the "
         "same millisecond stay in order. `false`: all side by side."},
    {"bad_names", SL_OPT_ENUM, AT(bad_names), .def = "escape", .names = bad_names,
     .help =
         "A name from a record that CloudWatch Logs would not take: `escape` puts `_` for what may not be "
         "there and cuts it at 512 characters, `reject` makes the record a dead letter."},
    {"create", SL_OPT_GROUP, AT(create), .rows = create_options,
     .help = "What to create when it is missing."},
    {"missing", SL_OPT_ENUM, AT(missing), .def = "retry", .names = missing_names,
     .help = "Records for a group or stream that is missing and must not be created: `retry` waits until "
             "somebody "
             "creates it, `reject` makes them dead letters."},
    {"field", SL_OPT_PATH, AT(field),
     .help = "Send the text of this field alone. Where it is missing or empty: the whole record."},
    {"emf", SL_OPT_BOOL, AT(emf), .def = "false",
     .help = "Records are in the embedded metric format: has CloudWatch extract the metrics."},
    {"max_event_size", SL_OPT_SIZE, AT(max_event_size), .def = "1MiB", .min = 256, .max = CW_MAX_BYTES,
     .help =
         "Largest event, counted as its message and 26 bytes. Endpoints that are older than April 2025 take "
         "`256KiB`."},
    {"too_large", SL_OPT_ENUM, AT(too_large), .def = "truncate", .names = large_names,
     .help =
         "A larger event: `truncate` cuts it between two characters and marks it with `" CW_TRUNCATED "`, "
         "`dead_letter` keeps it whole."},
    {"max_event_age", SL_OPT_DURATION, AT(max_event_age_ns), .def = "14d", .min = 60e9, .max = 14 * 86400e9,
     .help = "Older records are dead letters without having been sent: CloudWatch Logs refuses what is older "
             "than "
             "14 days or than the group's retention."},
    SL_OPT_INLINE_TABLE(cw_conf, http, sl_http_transfer_options),
    {0}};

/* ---- check ---- */

static int check_name(const char *option, const sl_template *tpl, bool (*is_valid)(sl_span), const char *rule,
                      sl_err *err)
{
    if (!sl_template_is_constant(tpl)) return 0;
    sl_buf name = SL_BUF_NONE;
    sl_reader nothing = {0};
    sl_template_write(tpl, &nothing, &name);
    int rc = 0;
    if (!is_valid(sl_buf_span(&name)))
        rc = sl_err_set(err, SL_E_CONFIG, "option `%s`: \"" SL_SPAN_FMT "\" is no name for it: %s", option,
                        SL_SPAN_ARG(sl_buf_span(&name)), rule);
    sl_buf_release(&name);
    return rc;
}

static int check_names(const cw_conf *conf, sl_err *err)
{
    int rc =
        check_name("group", conf->group, cw_group_is_valid,
                   "1 to 512 of the letters a-z and A-Z, digits and _ - / . #, not beginning with aws/", err);
    if (rc < 0) return rc;
    return check_name("stream", conf->stream, cw_stream_is_valid, "1 to 512 characters without : and *", err);
}

/* PutRetentionPolicy, "retentionInDays". */
static bool is_retention(int64_t days)
{
    static const int allowed[] = {0,   1,   3,   5,   7,    14,   30,   60,   90,   120,  150, 180,
                                  365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};
    for (size_t i = 0; i < SL_LEN(allowed); i++) {
        if (allowed[i] == days) return true;
    }
    return false;
}

#define MAX_TAGS      50
#define MAX_TAG_KEY   128
#define MAX_TAG_VALUE 256

static int check_create(const cw_create_conf *create, sl_err *err)
{
    if (!is_retention(create->retention_days))
        return sl_err_set(
            err, SL_E_CONFIG,
            "option `create.retention_days`: CloudWatch Logs does not know %lld days: use 1, 3, 5, 7, 14, "
            "30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653",
            (long long)create->retention_days);
    if (create->tags.count > MAX_TAGS)
        return sl_err_set(err, SL_E_CONFIG, "option `create.tags`: a group has %d tags at most", MAX_TAGS);
    for (size_t i = 0; i < create->tags.count; i++) {
        const sl_opt_pair *tag = &SL_LIST_AT(create->tags, sl_opt_pair, i);
        if (!tag->key.len || tag->key.len > MAX_TAG_KEY || tag->value.len > MAX_TAG_VALUE)
            return sl_err_set(err, SL_E_CONFIG,
                              "option `create.tags`: a key has 1 to %d bytes, a value %d at most",
                              MAX_TAG_KEY, MAX_TAG_VALUE);
    }
    return 0;
}

/* A group that keeps its events for less takes no older ones. */
static void lower_max_age(cw_conf *conf)
{
    int64_t retention_ns = conf->create.retention_days * 24 * 3600 * SL_NS_PER_S;
    if (conf->create.group && retention_ns && retention_ns < conf->max_event_age_ns)
        conf->max_event_age_ns = retention_ns;
}

static int check(void *arg, sl_err *err)
{
    cw_conf *conf = arg;
    int rc = sl_aws_conf_check(&conf->aws, err);
    if (rc == 0) rc = sl_http_transfer_check(&conf->http, err);
    if (rc == 0 && conf->http.compress == SL_COMPRESS_ZSTD)
        rc = sl_err_set(err, SL_E_CONFIG, "option `compress`: CloudWatch Logs takes gzip");
    if (rc == 0) rc = check_names(conf, err);
    if (rc == 0) rc = check_create(&conf->create, err);
    lower_max_age(conf);
    return rc;
}

/* ---- start and end ---- */

static void *start(sl_output *out, const void *conf, sl_err *err)
{
    (void)err;
    cw_output *cw = sl_calloc(1, sizeof *cw);
    cw->out = out;
    cw->conf = conf;
    cw->truncated = sl_output_counter(out, "events_truncated_total", "Events cut at `max_event_size`.");
    cw->field_fallbacks = sl_output_counter(out, "field_fallbacks_total",
                                            "Records sent whole because `field` was missing or empty.");
    cw->groups_created = sl_output_counter(out, "groups_created_total", "Log groups created.");
    cw->streams_created = sl_output_counter(out, "streams_created_total", "Log streams created.");
    cw_places_init(&cw->places, conf);
    cw_auth_start(cw);
    return cw;
}

static const sl_http_conf *http(void *self)
{
    return &((cw_output *)self)->http;
}

static sl_span partition(void *self, const sl_batch *batch, const sl_record *rec)
{
    return cw_place_of(&((cw_output *)self)->places, batch, rec);
}

static bool in_order(void *self)
{
    return ((cw_output *)self)->conf->in_order;
}

static void stop(void *self)
{
    cw_output *cw = self;
    cw_create_release(cw);
    cw_auth_release(cw);
}

static void release(void *self)
{
    cw_output *cw = self;
    cw_places_release(&cw->places);
    sl_reader_release(&cw->reader);
    sl_buf_release(&cw->text);
    sl_tape_release(&cw->tape);
    sl_free(cw);
}

static const sl_output_ops ops = {
    .start = start,
    .http = http,
    .encode = cw_encode,
    .partition = partition,
    .in_order = in_order,
    .doubles = true,
    .by_time = true,
    .judge = cw_judge,
    .prepare = cw_prepare,
    .headers = cw_headers,
    .connect = cw_connect,
    .stop = stop,
    .free = release,
    .max_age_ns = CW_MAX_AGE_NS,
    .max_per_second = CW_MAX_RATE,
};

const sl_plugin sl_output_cloudwatch = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_OUTPUT,
    .name = "cloudwatch",
    .help = "Writes to Amazon CloudWatch Logs. `request.max_age` is 1s and `request.max_per_second` 5000, "
            "the default "
            "quota of an account in a region, unless they are given.",
    .options = options,
    .conf_size = sizeof(cw_conf),
    .check = check,
    .output = &ops,
};
