/* kafka_output_conf.c: the output's options, what must hold between them, and librdkafka's configuration made
 * of them.
 */
#include "kafka_int.h"
#include <stdio.h>
#include <stdlib.h>

#define AT(member) offsetof(kafka_output_conf, member)

/* Beside its bytes a message costs librdkafka some 400: it counts as this many at least. */
#define LEAST_MESSAGE 1024
#define MAX_NS_OF_MS  (900 * SL_NS_PER_S)

static const char *const format_names[] = {"record", "field", NULL};
static const char *const acks_names[] = {"all", "leader", NULL};
static const char *const compress_names[] = {"none", "gzip", "snappy", "lz4", "zstd", NULL};

const sl_option kafka_output_options[] = {
    SL_OPT_INLINE_TABLE(kafka_output_conf, cluster, kafka_options),
    {"topic", SL_OPT_TEMPLATE, AT(topic), .flags = SL_OPT_REQUIRED,
     .help = "Topic that a record goes to: strftime of its time in UTC, `{{ field }}` from the record. A "
             "record for which it gives no legal name, or that of a topic that is neither there nor made by "
             "the brokers, is a dead letter."},
    {"key", SL_OPT_TEMPLATE, AT(key),
     .help = "Key of the message, `{{ requestId }}`; where a field is missing, none."},
    {"partition_by", SL_OPT_STRING, AT(partition_by), .def = "key",
     .help = "`key`: by the hash of the key, the same as in Java clients (murmur2), at random without one; "
             "`random`; or a template whose text is hashed instead, `{{ host }}`."},
    {"headers", SL_OPT_MAP, AT(headers),
     .help = "Headers of the message, each value a template; where a field is missing, there is none."},
    {"id_header", SL_OPT_STRING, AT(id_header), .def = "sluice-id",
     .help = "Header with the record's id, the same whenever it is sent: consumers can tell by it what came "
             "twice. The text is that of `_id` in Elasticsearch. Empty: none."},
    {"format", SL_OPT_ENUM, AT(format), .def = "record", .names = format_names,
     .help = "`record`: the record as a JSON object; `field`: the text of `field` alone, as it is."},
    {"field", SL_OPT_PATH, AT(field), .help = "For `format: field`. A record without it is a dead letter."},
    {"tombstone", SL_OPT_CONDITION, AT(tombstone),
     .help = "Records that are sent without a value, which deletes their key from a compacted topic."},
    {"acks", SL_OPT_ENUM, AT(acks), .def = "all", .names = acks_names,
     .help = "`all`: a record is delivered when all replicas in sync have it; `leader`: when the partition's "
             "leader has it, and it is lost with that."},
    {"idempotence", SL_OPT_BOOL, AT(idempotence), .def = "true",
     .help =
         "No record twice and none out of order in a partition when brokers are slow or change. What is "
         "sent again after `message_timeout`, a restart or a fatal error may be there twice all the same."},
    {"message_timeout", SL_OPT_DURATION, AT(message_timeout_ns), .def = "5m", .min = 1e6, .max = 2.1e15,
     .help = "How long librdkafka tries to send a record before the record is given back, to be sent again "
             "from the buffer. Long: fewer are sent twice."},
    {"linger", SL_OPT_DURATION, AT(linger_ns), .def = "2ms", .min = 0, .max = (double)MAX_NS_OF_MS,
     .help =
         "How long a message waits inside librdkafka for others to fill its batch. They come at once, for "
         "`request.max_age` has gathered them before."},
    {"compress", SL_OPT_ENUM, AT(compress), .def = "none", .names = compress_names,
     .help = "Compression of batches, also as the brokers keep them."},
    {"compress_level", SL_OPT_INT, AT(compress_level), .def = "0", .min = 0, .max = 12,
     .help = "0: the codec's default; gzip goes to 9, lz4 and zstd to 12."},
    {"max_message", SL_OPT_SIZE, AT(max_message), .def = "1000000", .min = 1000, .max = 1e9,
     .help = "Larger messages are dead letters without being sent. Brokers have a limit too, "
             "`message.max.bytes`, and one for each topic."},
    {"memory", SL_OPT_SIZE, AT(memory), .def = "32MiB", .min = 1 << 20, .max = (double)(UINT64_C(1) << 40),
     .help = "Most that messages may take inside librdkafka; each counts as 1 KiB at least. More wait in the "
             "buffer."},
    {0}};

/* ---- check ---- */

bool kafka_topic_is_valid(sl_span name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (!name.len || name.len > KAFKA_MAX_TOPIC) return false;
    if (sl_span_is_cstr(name, ".") || sl_span_is_cstr(name, "..")) return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!name.ptr[i] || !strchr(allowed, name.ptr[i])) return false;
    }
    return true;
}

/* The same for all records: known now, in whole. */
static int check_topic(kafka_output_conf *conf, sl_err *err)
{
    if (!sl_template_is_constant(conf->topic)) return 0;
    sl_buf name = SL_BUF_NONE;
    sl_reader none = {0};
    sl_template_write(conf->topic, &none, &name);
    bool valid = kafka_topic_is_valid(sl_buf_span(&name));
    if (valid)
        snprintf(conf->topic_name, sizeof conf->topic_name, "%s", sl_buf_cstr(&name));
    else
        sl_err_set(err, SL_E_CONFIG,
                   "option `topic`: \"" SL_SPAN_FMT
                   "\" is no name of a topic: 1 to %d letters, digits, dots, "
                   "_ and -",
                   SL_SPAN_ARG(sl_buf_span(&name)), KAFKA_MAX_TOPIC);
    sl_buf_release(&name);
    return valid ? 0 : SL_E_CONFIG;
}

static sl_template *parse_template(const char *option, sl_span name, sl_span text, sl_err *err)
{
    sl_err why = SL_ERR_NONE;
    sl_template *tpl = sl_template_parse(text, &why);
    if (tpl) return tpl;
    if (name.len)
        sl_err_set(err, SL_E_CONFIG, "option `%s`: value of \"" SL_SPAN_FMT "\": %s", option,
                   SL_SPAN_ARG(name), why.text);
    else
        sl_err_set(err, SL_E_CONFIG, "option `%s`: %s", option, why.text);
    return NULL;
}

static int check_partition_by(kafka_output_conf *conf, sl_err *err)
{
    sl_span by = conf->partition_by;
    if (sl_span_is_cstr(by, "key") || sl_span_is_cstr(by, "random")) return 0;
    conf->partition_template = parse_template("partition_by", SL_SPAN_NONE, by, err);
    if (!conf->partition_template) return SL_E_CONFIG;
    if (!sl_template_is_constant(conf->partition_template)) return 0;
    return sl_err_set(err, SL_E_CONFIG,
                      "option `partition_by`: \"" SL_SPAN_FMT "\" is the same for all records: write key, "
                      "random, or a template with a field",
                      SL_SPAN_ARG(by));
}

static int check_headers(kafka_output_conf *conf, sl_err *err)
{
    if (!conf->headers.count) return 0;
    conf->header_templates = sl_calloc(conf->headers.count, sizeof *conf->header_templates);
    for (size_t i = 0; i < conf->headers.count; i++) {
        const sl_opt_pair *pair = &SL_LIST_AT(conf->headers, sl_opt_pair, i);
        sl_template *value = parse_template("headers", pair->key, pair->value, err);
        if (!value) return SL_E_CONFIG;
        conf->header_templates[conf->header_count++] =
            (kafka_header_template){sl_strndup(pair->key.ptr, pair->key.len), value};
    }
    return 0;
}

static int check_message(const kafka_output_conf *conf, sl_err *err)
{
    if (conf->format == KAFKA_FORMAT_FIELD && !conf->field)
        return sl_err_set(err, SL_E_CONFIG, "option `format`: `field` needs option `field`");
    if (conf->format != KAFKA_FORMAT_FIELD && conf->field)
        return sl_err_set(err, SL_E_CONFIG, "option `field` needs `format: field`");
    if (conf->tombstone && !conf->key)
        return sl_err_set(err, SL_E_CONFIG, "option `tombstone` needs `key`: what is deleted is a key");
    if (conf->acks != KAFKA_ACKS_ALL && conf->idempotence)
        return sl_err_set(err, SL_E_CONFIG, "option `acks`: `leader` needs `idempotence: false`");
    if (conf->memory < conf->max_message)
        return sl_err_set(err, SL_E_CONFIG, "option `memory`: a message of `max_message` would never fit in");
    return 0;
}

/* `batch.size` may come from the free map. */
static uint64_t batch_bytes(const rd_kafka_conf_t *rk_conf, const kafka_output_conf *conf)
{
    char text[24] = "0";
    size_t size = sizeof text;
    rd_kafka_conf_get(rk_conf, "batch.size", text, &size);
    uint64_t batch = strtoull(text, NULL, 10);
    return batch < conf->max_message ? batch : conf->max_message;
}

int kafka_output_check(void *arg, sl_err *err)
{
    kafka_output_conf *conf = arg;
    int rc = check_topic(conf, err);
    if (rc == 0) rc = check_partition_by(conf, err);
    if (rc == 0) rc = check_headers(conf, err);
    if (rc == 0) rc = check_message(conf, err);
    if (rc < 0) return rc;
    rd_kafka_conf_t *rk_conf = kafka_output_rd_conf(conf, false, err);
    if (!rk_conf) return SL_E_CONFIG;
    conf->flight_bytes = batch_bytes(rk_conf, conf) / 10 * 9;
    rc = kafka_conf_try(rk_conf, &conf->cluster, RD_KAFKA_PRODUCER, err);
    rd_kafka_conf_destroy(rk_conf);
    return rc;
}

void kafka_output_conf_release(void *arg)
{
    kafka_output_conf *conf = arg;
    sl_template_free(conf->partition_template);
    for (size_t i = 0; i < conf->header_count; i++) {
        sl_free(conf->header_templates[i].name);
        sl_template_free(conf->header_templates[i].value);
    }
    sl_free(conf->header_templates);
}

/* ---- librdkafka's properties ---- */

static const kafka_owned owned[] = {
    {"acks", "use option `acks`"},
    {"request.required.acks", "use option `acks`"},
    {"enable.idempotence", "use option `idempotence`"},
    {"message.timeout.ms", "use option `message_timeout`"},
    {"delivery.timeout.ms", "use option `message_timeout`"},
    {"linger.ms", "use option `linger`"},
    {"queue.buffering.max.ms", "use option `linger`"},
    {"compression.codec", "use option `compress`"},
    {"compression.type", "use option `compress`"},
    {"compression.level", "use option `compress_level`"},
    {"message.max.bytes", "use option `max_message`"},
    {"queue.buffering.max.kbytes", "use option `memory`"},
    {"queue.buffering.max.messages", "use option `memory`"},
    {"partitioner", "use option `partition_by`"},
    {"transactional.id", "transactions are not supported"},
    {"delivery.report.only.error", "a record is delivered when its report says so"},
    {0}};

static int set_sending(rd_kafka_conf_t *rk_conf, const kafka_output_conf *conf, sl_err *err)
{
    bool random = sl_span_is_cstr(conf->partition_by, "random");
    int rc = kafka_conf_set(rk_conf, "acks", "acks", conf->acks == KAFKA_ACKS_ALL ? "all" : "1", err);
    if (rc == 0)
        rc = kafka_conf_set(rk_conf, "idempotence", "enable.idempotence",
                            conf->idempotence ? "true" : "false", err);
    if (rc == 0)
        rc = kafka_conf_set_u64(rk_conf, "message_timeout", "message.timeout.ms",
                                (uint64_t)(conf->message_timeout_ns / SL_NS_PER_MS), err);
    if (rc == 0)
        rc =
            kafka_conf_set(rk_conf, "partition_by", "partitioner", random ? "random" : "murmur2_random", err);
    /* A batch is complete when it is sent: waiting for company of its segments only costs time. */
    if (rc == 0) rc = kafka_conf_set(rk_conf, "linger", "socket.nagle.disable", "true", err);
    return rc;
}

static int set_sizes(rd_kafka_conf_t *rk_conf, const kafka_output_conf *conf, sl_err *err)
{
    int rc = kafka_conf_set_u64(rk_conf, "max_message", "message.max.bytes", conf->max_message, err);
    if (rc == 0)
        rc = kafka_conf_set_u64(rk_conf, "memory", "queue.buffering.max.kbytes", conf->memory / 1024, err);
    if (rc == 0)
        rc = kafka_conf_set_u64(rk_conf, "memory", "queue.buffering.max.messages",
                                conf->memory / LEAST_MESSAGE, err);
    if (rc == 0)
        rc = kafka_conf_set(rk_conf, "compress", "compression.codec", compress_names[conf->compress], err);
    if (rc == 0 && conf->compress_level)
        rc = kafka_conf_set_u64(rk_conf, "compress_level", "compression.level",
                                (uint64_t)conf->compress_level, err);
    return rc;
}

/* After the free map: nothing may put two messages into one batch, or take messages without a key for such
 * as may go anywhere ("sticky") when it is a template that says where. */
static int set_batches(rd_kafka_conf_t *rk_conf, const kafka_output_conf *conf, bool alone, sl_err *err)
{
    uint64_t linger_ms = alone ? 0 : (uint64_t)(conf->linger_ns / SL_NS_PER_MS);
    int rc = kafka_conf_set_u64(rk_conf, "linger", "linger.ms", linger_ms, err);
    if (rc == 0 && alone) rc = kafka_conf_set(rk_conf, "rdkafka", "batch.num.messages", "1", err);
    if (rc == 0 && conf->partition_template)
        rc = kafka_conf_set(rk_conf, "partition_by", "sticky.partitioning.linger.ms", "0", err);
    return rc;
}

rd_kafka_conf_t *kafka_output_rd_conf(const kafka_output_conf *conf, bool alone, sl_err *err)
{
    rd_kafka_conf_t *rk_conf = kafka_conf_new(&conf->cluster, err);
    if (!rk_conf) return NULL;
    int rc = set_sending(rk_conf, conf, err);
    if (rc == 0) rc = set_sizes(rk_conf, conf, err);
    if (rc == 0) rc = kafka_conf_add_free(rk_conf, &conf->cluster, owned, err);
    if (rc == 0) rc = set_batches(rk_conf, conf, alone, err);
    if (rc == 0) return rk_conf;
    rd_kafka_conf_destroy(rk_conf);
    return NULL;
}
