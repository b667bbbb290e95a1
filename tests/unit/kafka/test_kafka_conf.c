#include "../../../plugins/common/kafka_client.h"
#include "kafka_mock.h"
#include "plugin_conf.h"
#include <librdkafka/rdkafka.h>

/* The options of a cluster, alone: what becomes of them as librdkafka's properties. */

static const kafka_owned owned[] = {{"acks", "use option `acks`"}, {0}};

typedef struct fixture {
    kafka_conf conf;
    rd_kafka_conf_t *rk_conf; /* NULL: refused */
    char said[2048 + SL_ERR_TEXT_MAX];
    sl_test_conf read;
} fixture;

static void make(fixture *f)
{
    sl_err err = SL_ERR_NONE;
    f->rk_conf = kafka_conf_new(&f->conf, &err);
    int rc = f->rk_conf ? kafka_conf_add_free(f->rk_conf, &f->conf, owned, &err) : err.code;
    if (rc == 0) rc = kafka_conf_try(f->rk_conf, &f->conf, RD_KAFKA_PRODUCER, &err);
    snprintf(f->said, sizeof f->said, "%s", err.text);
    if (rc == 0) return;
    if (f->rk_conf) rd_kafka_conf_destroy(f->rk_conf);
    f->rk_conf = NULL;
}

static void read_yaml(fixture *f, const char *yaml)
{
    *f = (fixture){.rk_conf = NULL};
    if (sl_test_conf_read(&f->read, "output `kafka`", kafka_options, &f->conf, yaml))
        make(f);
    else
        snprintf(f->said, sizeof f->said, "%s", f->read.said);
}

static void end(fixture *f)
{
    if (f->rk_conf) rd_kafka_conf_destroy(f->rk_conf);
    sl_test_conf_end(&f->read);
}

static const char *get(const fixture *f, const char *property)
{
    static char value[512];
    size_t size = sizeof value;
    if (rd_kafka_conf_get(f->rk_conf, property, value, &size) != RD_KAFKA_CONF_OK) return "";
    return value;
}

static void expect(const char *yaml, const char *property, const char *value)
{
    fixture f;
    read_yaml(&f, yaml);
    ck_assert_msg(f.rk_conf != NULL, "%s\n%s", yaml, f.said);
    ck_assert_str_eq(get(&f, property), value);
    end(&f);
}

static void expect_refused(const char *yaml, const char *why)
{
    fixture f;
    read_yaml(&f, yaml);
    ck_assert_msg(f.rk_conf == NULL, "taken: %s", yaml);
    ck_assert_msg(strstr(f.said, why) != NULL, "said: %s\ninstead of: %s", f.said, why);
    ck_assert_msg(!strstr(f.said, "hunter2"), "a secret is shown: %s", f.said);
    end(&f);
}

#define PASSWORD "username: u, password: hunter2"

START_TEST(kafka_conf__options_become_properties)
{
    expect("brokers: [a:1, b]", "bootstrap.servers", "a:1,b");
    expect("brokers: a:1", "client.id", "sluice");
    expect("brokers: a:1", "security.protocol", "plaintext");
    expect("brokers: a:1", "statistics.interval.ms", "10000");
    expect("{brokers: a:1, statistics: off}", "statistics.interval.ms", "0");
    expect("{brokers: a:1, tls: true}", "security.protocol", "ssl");
    expect("{brokers: a:1, tls: {}}", "security.protocol", "ssl");
    expect("{brokers: a:1, tls: false}", "security.protocol", "plaintext");
    expect("{brokers: a:1, tls: {verify: false}}", "enable.ssl.certificate.verification", "false");
    expect("{brokers: a:1, sasl: {mechanism: plain, " PASSWORD "}}", "security.protocol", "sasl_plaintext");
    expect("{brokers: a:1, tls: true, sasl: {mechanism: plain, " PASSWORD "}}", "security.protocol",
           "sasl_ssl");
    expect("{brokers: a:1, sasl: {mechanism: scram-sha-512, " PASSWORD "}}", "sasl.mechanisms",
           "SCRAM-SHA-512");
    expect("{brokers: a:1, sasl: {mechanism: plain, " PASSWORD "}}", "sasl.password", "hunter2");
    expect("{brokers: a:1, sasl: {mechanism: gssapi, keytab: /k}}", "sasl.kerberos.keytab", "/k");
    expect("{brokers: a:1, sasl: {mechanism: oauthbearer, token_file: /t}}", "sasl.mechanisms",
           "OAUTHBEARER");
    expect("{brokers: a:1, tls: true, sasl: {mechanism: aws-msk-iam}}", "sasl.mechanisms", "OAUTHBEARER");
    expect("{brokers: a:1, rdkafka: {socket.keepalive.enable: true}}", "socket.keepalive.enable", "true");
    expect("{brokers: a:1, rdkafka: {batch.size: 4096}}", "batch.size", "4096");
}
END_TEST

START_TEST(kafka_conf__what_librdkafka_refuses_is_said_with_its_reason)
{
    expect_refused("{brokers: a:1, rdkafka: {linger.mss: 5}}",
                   "option `rdkafka`: \"linger.mss\": No such configuration property");
    expect_refused("{brokers: a:1, rdkafka: {batch.size: large}}",
                   "option `rdkafka`: \"batch.size\": Invalid value");
    expect_refused("{brokers: a:1, rdkafka: {batch.size: 0}}", "\"batch.size\": Configuration property");
    expect_refused("{brokers: a:1, rdkafka: {dr_msg_cb: x}}", "\"dr_msg_cb\"");
    expect_refused("{brokers: a:1, rdkafka: {queuing.strategy: lifo, enable.idempotence: true}}",
                   "librdkafka refuses this configuration: ");
    expect_refused("{brokers: a:1, tls: true, rdkafka: {ssl.key.pem: hunter2}}", "librdkafka refuses this");
}
END_TEST

START_TEST(kafka_conf__what_has_an_option_is_refused_as_a_property)
{
    expect_refused("{brokers: a:1, rdkafka: {bootstrap.servers: 'b:1'}}",
                   "option `rdkafka`: \"bootstrap.servers\" can't be set here: use option `brokers`");
    expect_refused("{brokers: a:1, rdkafka: {acks: 1}}", "use option `acks`");
    expect_refused("{brokers: a:1, rdkafka: {sasl.password: hunter2}}", "use option `sasl.password`");
    expect_refused("{brokers: a:1, rdkafka: {log.queue: false}}", "the agent's log");
}
END_TEST

START_TEST(kafka_conf__options_that_do_not_go_together_are_refused)
{
    expect_refused("brokers: 'http://a:1'", "option `brokers`: \"http://a:1\" is no broker");
    expect_refused("brokers: 'a:1,b:1'", "one an item");
    expect_refused("brokers: ''", "is no broker");
    expect_refused("{brokers: a:1, sasl: {" PASSWORD "}}", "`mechanism` is missing");
    expect_refused("{brokers: a:1, sasl: {mechanism: plain, username: u}}",
                   "plain needs `username` and `password`");
    expect_refused("{brokers: a:1, sasl: {mechanism: oauthbearer}}", "oauthbearer needs `token_file`");
    expect_refused("{brokers: a:1, sasl: {mechanism: plain, username: \"a\\0b\", password: x}}",
                   "holds a NUL");
    expect_refused("{brokers: a:1, sasl: {mechanism: aws-msk-iam}}", "aws-msk-iam needs `tls: true`");
    expect_refused("{brokers: a:1, tls: true, sasl: {mechanism: aws-msk-iam, aws: {access_key_id: x}}}",
                   "option `sasl.aws.");
    expect_refused("{brokers: a:1, tls: {ca: /nowhere/ca.pem}}",
                   "option `tls.ca`: cannot read /nowhere/ca.pem");
    expect_refused("{brokers: a:1, tls: {key: /k}}", "option `tls.key` needs `tls.cert`");
    expect_refused("{brokers: a:1, tls: {cert: /proc/self/status}}", "librdkafka refuses this configuration");
}
END_TEST

START_TEST(kafka_conf__connect_tells_what_the_brokers_say)
{
    fixture f;
    sl_err err = SL_ERR_NONE;
    kafka_mock mock;
    kafka_mock_start(&mock, 1);
    char yaml[256];
    snprintf(yaml, sizeof yaml, "brokers: ['%s']", mock.brokers);
    read_yaml(&f, yaml);
    ck_assert_msg(kafka_connect(rd_kafka_conf_dup(f.rk_conf), &f.conf, NULL, &err) == 0, "%s", err.text);
    ck_assert_int_eq(rd_kafka_mock_topic_create(mock.cluster, "secret", 1, 1), 0);
    ck_assert_msg(kafka_connect(rd_kafka_conf_dup(f.rk_conf), &f.conf, "secret", &err) == 0, "%s", err.text);
    rd_kafka_mock_topic_set_error(mock.cluster, "secret", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    ck_assert_int_eq(kafka_connect(rd_kafka_conf_dup(f.rk_conf), &f.conf, "secret", &err), SL_E_ACCESS);
    ck_assert_msg(strstr(err.text, "topic secret: Broker: Topic authorization failed"), "%s", err.text);
    end(&f);
    kafka_mock_stop(&mock);
}
END_TEST

SL_TEST_MAIN("kafka_conf", kafka_conf__options_become_properties,
             kafka_conf__what_librdkafka_refuses_is_said_with_its_reason,
             kafka_conf__what_has_an_option_is_refused_as_a_property,
             kafka_conf__options_that_do_not_go_together_are_refused,
             kafka_conf__connect_tells_what_the_brokers_say)
