/* kafka_fixture.h: the Kafka output's configuration from YAML. Included by one .c of a program. */
#ifndef SLUICE_KAFKA_FIXTURE_H
#define SLUICE_KAFKA_FIXTURE_H

#include "../../../plugins/outputs/kafka/kafka_int.h"
#include "kafka_mock.h"
#include "plugin_conf.h"

extern const sl_plugin sl_output_kafka;

typedef struct kafka_fixture {
    kafka_output_conf conf;
    char said[2048 + SL_ERR_TEXT_MAX]; /* what is wrong with it */
    sl_test_conf read;
} kafka_fixture;

/* True when the configuration is right. kafka_fixture_end() is due in any case. */
static inline bool kafka_fixture_read(kafka_fixture *f, const char *yaml)
{
    *f = (kafka_fixture){.said = ""};
    sl_err err = SL_ERR_NONE;
    bool right = sl_test_conf_read(&f->read, "output `kafka`", sl_output_kafka.options, &f->conf, yaml);
    int rc = right ? sl_output_kafka.check(&f->conf, &err) : -1;
    snprintf(f->said, sizeof f->said, "%s%s", f->read.said, err.text);
    return rc == 0;
}

static inline void kafka_fixture_end(kafka_fixture *f)
{
    sl_output_kafka.conf_release(&f->conf);
    sl_test_conf_end(&f->read);
}

#endif
