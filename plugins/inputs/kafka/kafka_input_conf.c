/* kafka_input_conf.c: the input's options, what must hold between them, and librdkafka's configuration made
 * of them.
 */
#include "kafka_input_int.h"
#include <regex.h>
#include <stdio.h>

#define AT(member)    offsetof(kafka_input_conf, member)
#define FIELD(member) offsetof(kafka_field_names, member)

static const char *const assignor_names[] = {"cooperative-sticky", "range", "roundrobin", NULL};
static const char *const isolation_names[] = {"read_committed", "read_uncommitted", NULL};
static const char *const tombstone_names[] = {"skip", "record", NULL};

static const sl_option field_options[] = {
    {"key", SL_OPT_STRING, FIELD(key), .help = "Of the message's key, a text; none where it has none."},
    {"topic", SL_OPT_STRING, FIELD(topic), .help = "Of the topic's name."},
    {"partition", SL_OPT_STRING, FIELD(partition), .help = "Of the partition's number."},
    {"offset", SL_OPT_STRING, FIELD(offset), .help = "Of the message's offset."},
    {"time", SL_OPT_STRING, FIELD(time),
     .help = "Of the message's time. Without it, too, that is the record's `@timestamp` until `parse` finds "
             "a better one."},
    {"headers", SL_OPT_STRING, FIELD(headers), .help = "Of an object with the message's headers."},
    {0}};

const sl_option kafka_input_options[] = {
    SL_OPT_INLINE_TABLE(kafka_input_conf, cluster, kafka_options),
    {"topics", SL_OPT_STRING, AT(topics), .flags = SL_OPT_LIST | SL_OPT_REQUIRED,
     .help = "Topics to read; `^logs\\.` stands for all that match the regular expression, also those made "
             "later."},
    {"group", SL_OPT_STRING, AT(group), .flags = SL_OPT_REQUIRED,
     .help = "Consumer group: its members share the partitions, and the brokers keep how far it has read."},
    {"start", SL_OPT_STRING, AT(start), .def = "earliest",
     .help = "Where to begin in a partition of which the group has read nothing yet: `earliest`, `latest`, "
             "or at a time, `2026-05-01T12:00:00Z`."},
    {"instance_id", SL_OPT_STRING, AT(instance_id),
     .help = "Static membership: a name of its own for each member. One that comes back within "
             "`session_timeout` has its partitions as before, and the others notice nothing."},
    {"assignor", SL_OPT_ENUM, AT(assignor), .def = "cooperative-sticky", .names = assignor_names,
     .help = "How the group shares the partitions; the same in all members. With `cooperative-sticky` only "
             "those that change hands stop for a moment."},
    {"isolation", SL_OPT_ENUM, AT(isolation), .def = "read_committed", .names = isolation_names,
     .help = "Whether messages of transactions that were not committed are left out."},
    {"fields", SL_OPT_GROUP, AT(fields), .rows = field_options,
     .help = "Names of fields to add to each record, `{topic: topic, key: key}`. One that the record has by "
             "itself stays."},
    {"id_header", SL_OPT_STRING, AT(id_header), .def = "sluice-id",
     .help =
         "Header with the id that the record had where it was read first, as the `kafka` output writes it: "
         "it keeps that, so that what was sent twice is one document in Elasticsearch. Whoever may write "
         "to the topics chooses the ids. Without the header, and with an empty name here, ids come from "
         "cluster, topic, partition and offset."},
    {"tombstones", SL_OPT_ENUM, AT(tombstones), .def = "skip", .names = tombstone_names,
     .help = "Messages without a value: `skip` leaves them out and counts them; `record` makes "
             "`{\"tombstone\":true}` of them, with the `fields` asked for."},
    {"max_message", SL_OPT_SIZE, AT(max_message), .def = "1MiB", .min = 256, .max = 1u << 28,
     .help = "Longer values are cut there, between two characters, marked and counted."},
    {"memory", SL_OPT_SIZE, AT(memory), .def = "32MiB", .min = 4 << 20, .max = 2e12,
     .help =
         "Most that messages may take inside librdkafka until they are read; an answer under way comes on "
         "top, 4 MiB a broker. When it is full librdkafka 2.0 fetches no more for a second: much less than "
         "what is read in a second makes reading slow."},
    {"session_timeout", SL_OPT_DURATION, AT(session_timeout_ns), .def = "45s", .min = 1e9, .max = 3.6e12,
     .help = "A member that the brokers have not heard of for so long loses its partitions to the others."},
    {"commit", SL_OPT_DURATION, AT(commit_ns), .def = "5s", .min = 1e8, .max = 3.6e12,
     .help = "How often the brokers are told how far the group has read; also when partitions leave and at "
             "the end. What is read twice after a `kill -9` has the same ids."},
    {0}};

/* ---- check ---- */

/* librdkafka compiles them with regcomp(), too. */
static int check_topics(const kafka_input_conf *conf, sl_err *err)
{
    for (size_t i = 0; i < conf->topics.count; i++) {
        sl_span topic = SL_LIST_AT(conf->topics, sl_span, i);
        if (!topic.len || memchr(topic.ptr, '\0', topic.len))
            return sl_err_set(err, SL_E_CONFIG, "option `topics`: item %zu is empty or holds a NUL", i + 1);
        if (topic.ptr[0] != '^') continue;
        regex_t regex;
        int code = regcomp(&regex, topic.ptr, REG_EXTENDED | REG_NOSUB);
        char why[128];
        if (code) regerror(code, &regex, why, sizeof why);
        if (code)
            return sl_err_set(err, SL_E_CONFIG, "option `topics`: " SL_SPAN_FMT ": %s", SL_SPAN_ARG(topic),
                              why);
        regfree(&regex);
    }
    return 0;
}

static int check_start(kafka_input_conf *conf, sl_err *err)
{
    if (sl_span_is_cstr(conf->start, "earliest") || sl_span_is_cstr(conf->start, "latest")) return 0;
    int64_t ns;
    bool is_date = memchr(conf->start.ptr, '-', conf->start.len);
    if (!is_date || !sl_time_parse(conf->start, NULL, &ns) || ns < 0)
        return sl_err_set(err, SL_E_CONFIG,
                          "option `start`: \"" SL_SPAN_FMT
                          "\" is neither earliest nor latest nor a time such as 2026-05-01T12:00:00Z",
                          SL_SPAN_ARG(conf->start));
    conf->from_time = true;
    conf->start_ms = ns / SL_NS_PER_MS;
    return 0;
}

/* "message" is what a value that is no object becomes; "@timestamp" is the record's time anyway. */
static bool is_taken(const sl_span *names, size_t i)
{
    bool taken = sl_span_is_cstr(names[i], "@timestamp") || sl_span_is_cstr(names[i], "message");
    for (size_t k = 0; k < i; k++)
        taken = taken || sl_span_is(names[i], names[k]);
    return names[i].len && taken;
}

static int check_fields(const kafka_input_conf *conf, sl_err *err)
{
    const kafka_field_names *f = &conf->fields;
    const sl_span names[] = {f->key, f->topic, f->partition, f->offset, f->time, f->headers};
    for (size_t i = 0; i < SL_LEN(names); i++)
        if (is_taken(names, i))
            return sl_err_set(err, SL_E_CONFIG, "option `fields`: the name \"" SL_SPAN_FMT "\" is taken",
                              SL_SPAN_ARG(names[i]));
    return 0;
}

int kafka_input_check(void *arg, sl_err *err)
{
    kafka_input_conf *conf = arg;
    int rc = check_topics(conf, err);
    if (rc == 0) rc = check_start(conf, err);
    if (rc == 0) rc = check_fields(conf, err);
    if (rc == 0 && !conf->group.len) rc = sl_err_set(err, SL_E_CONFIG, "option `group` is empty");
    if (rc < 0) return rc;
    rd_kafka_conf_t *rk_conf = kafka_input_rd_conf(conf, false, err);
    if (!rk_conf) return SL_E_CONFIG;
    rc = kafka_conf_try(rk_conf, &conf->cluster, RD_KAFKA_CONSUMER, err);
    rd_kafka_conf_destroy(rk_conf);
    return rc;
}

/* ---- librdkafka's properties ---- */

static const kafka_owned owned[] = {
    {"group.id", "use option `group`"},
    {"group.instance.id", "use option `instance_id`"},
    {"auto.offset.reset", "use option `start`"},
    {"partition.assignment.strategy", "use option `assignor`"},
    {"isolation.level", "use option `isolation`"},
    {"session.timeout.ms", "use option `session_timeout`"},
    {"auto.commit.interval.ms", "use option `commit`"},
    {"enable.auto.commit", "offsets are committed when their records are safe"},
    {"enable.auto.offset.store", "offsets are committed when their records are safe"},
    {"enable.partition.eof", "sluice asks for it where it needs it"},
    {"queued.max.messages.kbytes", "use option `memory`"},
    {"fetch.max.bytes", "use option `memory`"},
    {0}};

static int set_text(rd_kafka_conf_t *rk_conf, const char *option, const char *property, sl_span value,
                    sl_err *err)
{
    char *text = sl_strndup(value.ptr, value.len);
    int rc = kafka_conf_set(rk_conf, option, property, text, err);
    sl_free(text);
    return rc;
}

static int set_group(rd_kafka_conf_t *rk_conf, const kafka_input_conf *conf, sl_err *err)
{
    int rc = set_text(rk_conf, "group", "group.id", conf->group, err);
    if (rc == 0 && conf->instance_id.len)
        rc = set_text(rk_conf, "instance_id", "group.instance.id", conf->instance_id, err);
    if (rc == 0)
        rc = kafka_conf_set(rk_conf, "assignor", "partition.assignment.strategy",
                            assignor_names[conf->assignor], err);
    if (rc == 0)
        rc = kafka_conf_set(rk_conf, "isolation", "isolation.level", isolation_names[conf->isolation], err);
    if (rc == 0)
        rc = kafka_conf_set_u64(rk_conf, "session_timeout", "session.timeout.ms",
                                (uint64_t)(conf->session_timeout_ns / SL_NS_PER_MS), err);
    return rc;
}

/* Three heartbeats fit into a session. */
static int set_heartbeat(rd_kafka_conf_t *rk_conf, const kafka_input_conf *conf, sl_err *err)
{
    int64_t third = conf->session_timeout_ns / SL_NS_PER_MS / 3;
    if (third >= 3000) return 0; /* librdkafka's default */
    return kafka_conf_set_u64(rk_conf, "session_timeout", "heartbeat.interval.ms", (uint64_t)third, err);
}

static int set_offsets(rd_kafka_conf_t *rk_conf, const kafka_input_conf *conf, bool once, sl_err *err)
{
    bool latest = sl_span_is_cstr(conf->start, "latest");
    int rc = kafka_conf_set(rk_conf, "start", "auto.offset.reset", latest ? "latest" : "earliest", err);
    if (rc == 0) rc = kafka_conf_set(rk_conf, "commit", "enable.auto.commit", "true", err);
    if (rc == 0) rc = kafka_conf_set(rk_conf, "commit", "enable.auto.offset.store", "false", err);
    if (rc == 0)
        rc = kafka_conf_set_u64(rk_conf, "commit", "auto.commit.interval.ms",
                                (uint64_t)(conf->commit_ns / SL_NS_PER_MS), err);
    if (rc == 0 && once) rc = kafka_conf_set(rk_conf, "start", "enable.partition.eof", "true", err);
    return rc;
}

/* librdkafka goes on fetching a partition until the queue is full: an answer of each broker may come beyond
 * it. */
static int set_sizes(rd_kafka_conf_t *rk_conf, const kafka_input_conf *conf, sl_err *err)
{
    uint64_t fetch = conf->memory / 4 < KAFKA_MAX_FETCH ? conf->memory / 4 : KAFKA_MAX_FETCH;
    int rc = kafka_conf_set_u64(rk_conf, "memory", "queued.max.messages.kbytes", conf->memory / 1024, err);
    if (rc == 0) rc = kafka_conf_set_u64(rk_conf, "memory", "fetch.max.bytes", fetch, err);
    return rc;
}

rd_kafka_conf_t *kafka_input_rd_conf(const kafka_input_conf *conf, bool once, sl_err *err)
{
    rd_kafka_conf_t *rk_conf = kafka_conf_new(&conf->cluster, err);
    if (!rk_conf) return NULL;
    int rc = set_group(rk_conf, conf, err);
    if (rc == 0) rc = set_heartbeat(rk_conf, conf, err);
    if (rc == 0) rc = set_offsets(rk_conf, conf, once, err);
    if (rc == 0) rc = set_sizes(rk_conf, conf, err);
    if (rc == 0) rc = kafka_conf_add_free(rk_conf, &conf->cluster, owned, err);
    if (rc == 0) return rk_conf;
    rd_kafka_conf_destroy(rk_conf);
    return NULL;
}
