/* kafka_mock.h: librdkafka's mock cluster: brokers of its own on loopback ports, which speak the protocol,
 * keep messages, and fail when asked to. It lives on a client that does nothing else. Included by one .c of a
 * program.
 */
#ifndef SLUICE_KAFKA_MOCK_H
#define SLUICE_KAFKA_MOCK_H

#include "check_main.h"
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KAFKA_API_PRODUCE 0 /* https://kafka.apache.org/protocol#protocol_api_keys */

typedef struct kafka_mock {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    const char *brokers;
} kafka_mock;

static inline void kafka_mock_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];
    ck_assert_msg(rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK, "%s",
                  reason);
}

static inline rd_kafka_t *kafka_mock_client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char reason[256];
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof reason);
    ck_assert_msg(rk != NULL, "%s", reason);
    return rk;
}

static inline void kafka_mock_start(kafka_mock *mock, int brokers)
{
    mock->rk = kafka_mock_client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    mock->cluster = rd_kafka_mock_cluster_new(mock->rk, brokers);
    ck_assert_ptr_nonnull(mock->cluster);
    mock->brokers = rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

static inline void kafka_mock_stop(kafka_mock *mock)
{
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->rk);
}

/* ---- reading back ---- */

/* Calls found() for each message of the topic's partitions, in order within each, until `count` came; fails
 * the test when they don't within 20 s. */
static inline void kafka_mock_read(kafka_mock *mock, const char *topic, int partitions, unsigned count,
                                   void (*found)(void *arg, const rd_kafka_message_t *message), void *arg)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    kafka_mock_set(conf, "bootstrap.servers", mock->brokers);
    kafka_mock_set(conf, "group.id", "reader");
    kafka_mock_set(conf, "auto.offset.reset", "earliest");
    kafka_mock_set(conf, "fetch.wait.max.ms", "20");
    rd_kafka_t *rk = kafka_mock_client(RD_KAFKA_CONSUMER, conf);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    ck_assert_int_eq(rd_kafka_assign(rk, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    unsigned got = 0;
    for (int empty = 0; got < count && empty < 2000;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 10);
        empty += !message;
        if (message && !message->err) {
            found(arg, message);
            got++;
        }
        if (message) rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy(rk);
    ck_assert_uint_eq(got, count);
}

#endif
