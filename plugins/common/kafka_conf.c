/* kafka_conf.c: the options of a cluster, and librdkafka's properties made of them.
 *
 * Each thing is said in one place: a property that has an option is refused under `rdkafka:`, so that neither
 * overrides the other unseen. Reasons are librdkafka's own, except where it would quote a secret.
 */
#include "kafka_client.h"
#include <stdio.h>

#define SASL(member) offsetof(kafka_sasl_conf, member)
#define TLS(member)  offsetof(kafka_tls_conf, member)

static const char *const mechanism_names[] = {"none",        "plain",  "scram-sha-256", "scram-sha-512",
                                              "oauthbearer", "gssapi", "aws-msk-iam",   NULL};

static const sl_option sasl_options[] = {
    {"mechanism", SL_OPT_ENUM, SASL(mechanism), .def = "none", .names = mechanism_names,
     .help = "`plain` sends the password as it is: use it with `tls`. `gssapi` is Kerberos. `aws-msk-iam` "
             "logs in to Amazon MSK with the credentials of AWS that are found, or those under `aws`."},
    {"username", SL_OPT_STRING, SASL(username), .help = "For `plain` and `scram-…`."},
    {"password", SL_OPT_SECRET, SASL(password), .help = "For `plain` and `scram-…`."},
    {"token_file", SL_OPT_STRING, SASL(token_file),
     .help = "For `oauthbearer`: file with the token, read anew before it ends (`exp` of a JWT; else every 4 "
             "minutes)."},
    {"service_name", SL_OPT_STRING, SASL(service_name), .def = "kafka",
     .help = "For `gssapi`: the brokers' principal without host and realm."},
    {"principal", SL_OPT_STRING, SASL(principal), .help = "For `gssapi`: the principal to log in as."},
    {"keytab", SL_OPT_STRING, SASL(keytab), .help = "For `gssapi`: file with the principal's keys."},
    {"aws", SL_OPT_GROUP, SASL(aws), .rows = sl_aws_options,
     .help = "For `aws-msk-iam`: credentials and region."},
    {0}};

static const sl_option tls_options[] = {
    {"enabled", SL_OPT_BOOL, TLS(enabled), .def = "true", .flags = SL_OPT_MAIN,
     .help = "`tls: true` is enough where the system's authorities do."},
    {"verify", SL_OPT_BOOL, TLS(files.verify), .def = "true",
     .help = "Whether the brokers' certificates and names must be right. Off, anyone on the way can read and "
             "change what is sent."},
    {"ca", SL_OPT_STRING, TLS(files.ca),
     .help = "PEM file of the authorities to trust, instead of the system's."},
    {"cert", SL_OPT_STRING, TLS(files.cert), .help = "PEM file of the client certificate."},
    {"key", SL_OPT_STRING, TLS(files.key), .help = "PEM file of the client certificate's key."},
    {"key_password", SL_OPT_SECRET, TLS(files.key_password), .help = "Password of `key`."},
    {0}};

static const char *const off_names[] = {"off", NULL};

const sl_option kafka_options[] = {
    {"brokers", SL_OPT_STRING, offsetof(kafka_conf, brokers),
     .flags = SL_OPT_LIST | SL_OPT_REQUIRED | SL_OPT_MAIN,
     .help = "Brokers to ask for the others, `kafka-1:9092`; two or three of a cluster are enough."},
    {"client_id", SL_OPT_STRING, offsetof(kafka_conf, client_id), .def = "sluice",
     .help = "Name in the brokers' logs and quotas."},
    {"tls", SL_OPT_GROUP, offsetof(kafka_conf, tls), .rows = tls_options,
     .set_offset = offsetof(kafka_conf, tls_written),
     .help = "TLS to the brokers; without it they are spoken to in the clear."},
    {"sasl", SL_OPT_GROUP, offsetof(kafka_conf, sasl), .rows = sasl_options, .help = "How to log in."},
    {"statistics", SL_OPT_DURATION, offsetof(kafka_conf, statistics_ns), .def = "10s", .min = 1e8,
     .max = 8.64e13, .names = off_names,
     .help = "How often the metrics of queues and brokers are made anew."},
    {"rdkafka", SL_OPT_MAP, offsetof(kafka_conf, rdkafka),
     .help = "Any other property of librdkafka, `socket.keepalive.enable: true`; see its CONFIGURATION.md."},
    {0}};

/* ---- one property ---- */

/* What librdkafka's reason would quote. */
static bool is_secret(const char *property)
{
    static const char *const parts[] = {"password", "secret", ".pem", "oauthbearer.config", "extensions"};
    for (size_t i = 0; i < SL_LEN(parts); i++) {
        if (strstr(property, parts[i])) return true;
    }
    return false;
}

static rd_kafka_conf_res_t set(rd_kafka_conf_t *rk_conf, const char *property, const char *value,
                               char *reason, size_t size)
{
    reason[0] = '\0';
    rd_kafka_conf_res_t res = rd_kafka_conf_set(rk_conf, property, value, reason, size);
    if (res == RD_KAFKA_CONF_INVALID && is_secret(property))
        snprintf(reason, size, "librdkafka can't use its value, which is not shown here");
    return res;
}

int kafka_conf_set(rd_kafka_conf_t *rk_conf, const char *option, const char *property, const char *value,
                   sl_err *err)
{
    char reason[SL_ERR_TEXT_MAX / 2];
    if (set(rk_conf, property, value, reason, sizeof reason) == RD_KAFKA_CONF_OK) return 0;
    return sl_err_set(err, SL_E_CONFIG, "option `%s`: %s", option, reason);
}

int kafka_conf_set_u64(rd_kafka_conf_t *rk_conf, const char *option, const char *property, uint64_t value,
                       sl_err *err)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return kafka_conf_set(rk_conf, option, property, text, err);
}

/* Empty: the property keeps its default. */
static int set_span(rd_kafka_conf_t *rk_conf, const char *option, const char *property, sl_span value,
                    sl_err *err)
{
    if (!value.len) return 0;
    if (memchr(value.ptr, '\0', value.len))
        return sl_err_set(err, SL_E_CONFIG, "option `%s`: it holds a NUL", option);
    char *text = sl_strndup(value.ptr, value.len);
    int rc = kafka_conf_set(rk_conf, option, property, text, err);
    sl_wipe(text, value.len);
    sl_free(text);
    return rc;
}

/* ---- brokers ---- */

static int set_brokers(rd_kafka_conf_t *rk_conf, const kafka_conf *conf, sl_err *err)
{
    sl_buf list = SL_BUF_NONE;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < conf->brokers.count; i++) {
        sl_span broker = SL_LIST_AT(conf->brokers, sl_span, i);
        bool bad = !broker.len || strcspn(broker.ptr, ", \t") != broker.len;
        if (bad || sl_span_find(broker, SL_SPAN("://"), 0) != broker.len)
            rc =
                sl_err_set(err, SL_E_CONFIG,
                           "option `brokers`: \"" SL_SPAN_FMT "\" is no broker: write host:port, one an item",
                           SL_SPAN_ARG(broker));
        if (i) sl_buf_append_char(&list, ',');
        sl_buf_append_span(&list, broker);
    }
    if (rc == 0) rc = kafka_conf_set(rk_conf, "brokers", "bootstrap.servers", sl_buf_cstr(&list), err);
    sl_buf_release(&list);
    return rc;
}

/* ---- TLS and SASL ---- */

static bool uses_tls(const kafka_conf *conf)
{
    return conf->tls_written && conf->tls.enabled;
}

static int set_tls(rd_kafka_conf_t *rk_conf, const kafka_conf *conf, sl_err *err)
{
    if (!uses_tls(conf)) return 0;
    const sl_tls_conf *tls = &conf->tls.files;
    int rc = sl_tls_conf_check(tls, err);
    if (rc == 0 && !tls->verify)
        rc = kafka_conf_set(rk_conf, "tls.verify", "enable.ssl.certificate.verification", "false", err);
    if (rc == 0) rc = set_span(rk_conf, "tls.ca", "ssl.ca.location", tls->ca, err);
    if (rc == 0) rc = set_span(rk_conf, "tls.cert", "ssl.certificate.location", tls->cert, err);
    /* One file may hold both, as in the options of HTTP outputs. */
    if (rc == 0)
        rc = set_span(rk_conf, "tls.key", "ssl.key.location", tls->key.len ? tls->key : tls->cert, err);
    if (rc == 0) rc = set_span(rk_conf, "tls.key_password", "ssl.key.password", tls->key_password, err);
    return rc;
}

static bool is_written(const kafka_conf *conf, const char *property)
{
    for (size_t i = 0; i < conf->rdkafka.count; i++) {
        if (sl_span_is_cstr(SL_LIST_AT(conf->rdkafka, sl_opt_pair, i).key, property)) return true;
    }
    return false;
}

/* librdkafka can ask a provider itself where it was built with libcurl (Debian's was not), or make tokens
 * without a signature for tests; both by its own properties. */
static int check_oauthbearer(const kafka_conf *conf, sl_err *err)
{
    bool own = is_written(conf, "sasl.oauthbearer.method") ||
               is_written(conf, "enable.sasl.oauthbearer.unsecure.jwt");
    if (own || conf->sasl.token_file.len) return 0;
    return sl_err_set(err, SL_E_CONFIG, "option `sasl`: oauthbearer needs `token_file`");
}

const char *kafka_conf_token_file(const kafka_conf *conf)
{
    return conf->sasl.token_file.len ? conf->sasl.token_file.ptr : NULL;
}

static int check_msk(const kafka_conf *conf, sl_err *err)
{
    if (!uses_tls(conf))
        return sl_err_set(err, SL_E_CONFIG, "option `sasl.mechanism`: aws-msk-iam needs `tls: true`");
    sl_err why = SL_ERR_NONE;
    if (sl_aws_conf_check(&conf->sasl.aws, &why) == 0) return 0;
    const char *text = why.text;
    bool named = sl_span_starts_with(sl_span_of(text), SL_SPAN("option `"));
    return sl_err_set(err, SL_E_CONFIG, "option `sasl.aws%s%s", named ? "." : "`: ", named ? text + 8 : text);
}

static int set_password(rd_kafka_conf_t *rk_conf, const kafka_sasl_conf *sasl, sl_err *err)
{
    if (!sasl->username.len || !sasl->password.len)
        return sl_err_set(err, SL_E_CONFIG, "option `sasl`: %s needs `username` and `password`",
                          mechanism_names[sasl->mechanism]);
    int rc = set_span(rk_conf, "sasl.username", "sasl.username", sasl->username, err);
    return rc < 0 ? rc : set_span(rk_conf, "sasl.password", "sasl.password", sasl->password, err);
}

static int set_gssapi(rd_kafka_conf_t *rk_conf, const kafka_sasl_conf *sasl, sl_err *err)
{
    int rc = set_span(rk_conf, "sasl.service_name", "sasl.kerberos.service.name", sasl->service_name, err);
    if (rc == 0) rc = set_span(rk_conf, "sasl.principal", "sasl.kerberos.principal", sasl->principal, err);
    return rc < 0 ? rc : set_span(rk_conf, "sasl.keytab", "sasl.kerberos.keytab", sasl->keytab, err);
}

static int set_sasl(rd_kafka_conf_t *rk_conf, const kafka_conf *conf, sl_err *err)
{
    static const char *const values[] = {
        "", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI", "OAUTHBEARER"};
    const kafka_sasl_conf *sasl = &conf->sasl;
    if (sasl->mechanism == KAFKA_SASL_NONE) {
        bool stray = sasl->username.len || sasl->password.len || sasl->token_file.len || sasl->principal.len;
        return stray ? sl_err_set(err, SL_E_CONFIG, "option `sasl`: `mechanism` is missing") : 0;
    }
    int rc = kafka_conf_set(rk_conf, "sasl.mechanism", "sasl.mechanisms", values[sasl->mechanism], err);
    if (rc < 0) return rc;
    switch ((kafka_mechanism)sasl->mechanism) {
    case KAFKA_SASL_OAUTHBEARER: return check_oauthbearer(conf, err);
    case KAFKA_SASL_GSSAPI: return set_gssapi(rk_conf, sasl, err);
    case KAFKA_SASL_AWS_MSK_IAM: return check_msk(conf, err);
    default: return set_password(rk_conf, sasl, err);
    }
}

static int set_protocol(rd_kafka_conf_t *rk_conf, const kafka_conf *conf, sl_err *err)
{
    static const char *const protocols[2][2] = {{"plaintext", "sasl_plaintext"}, {"ssl", "sasl_ssl"}};
    const char *protocol = protocols[uses_tls(conf)][conf->sasl.mechanism != KAFKA_SASL_NONE];
    return kafka_conf_set(rk_conf, "tls", "security.protocol", protocol, err);
}

/* ---- all of it ---- */

rd_kafka_conf_t *kafka_conf_new(const kafka_conf *conf, sl_err *err)
{
    rd_kafka_conf_t *rk_conf = rd_kafka_conf_new();
    int rc = set_brokers(rk_conf, conf, err);
    if (rc == 0) rc = set_span(rk_conf, "client_id", "client.id", conf->client_id, err);
    if (rc == 0) rc = set_protocol(rk_conf, conf, err);
    if (rc == 0) rc = set_tls(rk_conf, conf, err);
    if (rc == 0) rc = set_sasl(rk_conf, conf, err);
    if (rc == 0 && conf->statistics_ns > 0)
        rc = kafka_conf_set_u64(rk_conf, "statistics", "statistics.interval.ms",
                                (uint64_t)(conf->statistics_ns / SL_NS_PER_MS), err);
    if (rc == 0) return rk_conf;
    rd_kafka_conf_destroy(rk_conf);
    return NULL;
}

/* ---- the free map ---- */

static const kafka_owned shared_owned[] = {{"bootstrap.servers", "use option `brokers`"},
                                           {"metadata.broker.list", "use option `brokers`"},
                                           {"client.id", "use option `client_id`"},
                                           {"security.protocol", "it follows from options `tls` and `sasl`"},
                                           {"enable.ssl.certificate.verification", "use option `tls.verify`"},
                                           {"ssl.ca.location", "use option `tls.ca`"},
                                           {"ssl.certificate.location", "use option `tls.cert`"},
                                           {"ssl.key.location", "use option `tls.key`"},
                                           {"ssl.key.password", "use option `tls.key_password`"},
                                           {"sasl.mechanism", "use option `sasl.mechanism`"},
                                           {"sasl.mechanisms", "use option `sasl.mechanism`"},
                                           {"sasl.username", "use option `sasl.username`"},
                                           {"sasl.password", "use option `sasl.password`"},
                                           {"sasl.kerberos.service.name", "use option `sasl.service_name`"},
                                           {"sasl.kerberos.principal", "use option `sasl.principal`"},
                                           {"sasl.kerberos.keytab", "use option `sasl.keytab`"},
                                           {"statistics.interval.ms", "use option `statistics`"},
                                           {"log.queue", "the agent's log takes what librdkafka says"},
                                           {"enabled_events", "sluice asks for the events that it needs"},
                                           {0}};

static const char *instead_of(const kafka_owned *owned, const char *property)
{
    for (; owned->property; owned++) {
        if (strcmp(owned->property, property) == 0) return owned->instead;
    }
    return NULL;
}

static int add_free(rd_kafka_conf_t *rk_conf, const char *property, const char *value,
                    const kafka_owned *owned, sl_err *err)
{
    const char *instead = instead_of(shared_owned, property);
    if (!instead) instead = instead_of(owned, property);
    if (instead)
        return sl_err_set(err, SL_E_CONFIG, "option `rdkafka`: \"%s\" can't be set here: %s", property,
                          instead);
    char reason[SL_ERR_TEXT_MAX / 2];
    if (set(rk_conf, property, value, reason, sizeof reason) == RD_KAFKA_CONF_OK) return 0;
    return sl_err_set(err, SL_E_CONFIG, "option `rdkafka`: \"%s\": %s", property, reason);
}

int kafka_conf_add_free(rd_kafka_conf_t *rk_conf, const kafka_conf *conf, const kafka_owned *owned,
                        sl_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < conf->rdkafka.count; i++) {
        const sl_opt_pair *pair = &SL_LIST_AT(conf->rdkafka, sl_opt_pair, i);
        char *property = sl_strndup(pair->key.ptr, pair->key.len);
        char *value = sl_strndup(pair->value.ptr, pair->value.len);
        rc = add_free(rk_conf, property, value, owned, err);
        sl_wipe(value, pair->value.len);
        sl_free(value);
        sl_free(property);
    }
    return rc;
}

/* ---- trying it ---- */

static void say_nothing(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    (void)rk;
    (void)level;
    (void)fac;
    (void)text;
}

int kafka_conf_try(const rd_kafka_conf_t *rk_conf, const kafka_conf *conf, rd_kafka_type_t type, sl_err *err)
{
    rd_kafka_conf_t *trial = rd_kafka_conf_dup(rk_conf);
    rd_kafka_conf_set_log_cb(trial, say_nothing);
    /* No broker to go to, and no ticket or token to ask for. */
    int rc = kafka_conf_set(trial, "brokers", "bootstrap.servers", "", err);
    if (rc == 0)
        rc = kafka_conf_set(trial, "tls", "security.protocol", uses_tls(conf) ? "ssl" : "plaintext", err);
    if (rc == 0) rc = kafka_conf_set(trial, "rdkafka", "test.mock.num.brokers", "0", err);
    char reason[SL_ERR_TEXT_MAX / 2] = "";
    rd_kafka_t *rk = rc == 0 ? rd_kafka_new(type, trial, reason, sizeof reason) : NULL;
    if (rk) {
        rd_kafka_destroy(rk);
        return 0;
    }
    rd_kafka_conf_destroy(trial);
    return rc < 0 ? rc : sl_err_set(err, SL_E_CONFIG, "librdkafka refuses this configuration: %s", reason);
}
