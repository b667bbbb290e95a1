#include "kafka_fixture.h"

/* What an error means for a record, as one table. */

static const struct {
    rd_kafka_resp_err_t code;
    kafka_fate in_batch, alone;
} table[] = {
    {RD_KAFKA_RESP_ERR_NO_ERROR, KAFKA_DELIVERED, KAFKA_DELIVERED},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, KAFKA_ALONE, KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, KAFKA_ALONE, KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, KAFKA_ALONE, KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, KAFKA_ALONE, KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, KAFKA_ALONE, KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, KAFKA_REFUSED, KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, KAFKA_REFUSED, KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, KAFKA_REFUSED, KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, KAFKA_AGAIN, KAFKA_AGAIN},
    {RD_KAFKA_RESP_ERR__TRANSPORT, KAFKA_AGAIN, KAFKA_AGAIN},
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, KAFKA_AGAIN, KAFKA_AGAIN},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, KAFKA_AGAIN, KAFKA_AGAIN},
    {RD_KAFKA_RESP_ERR__FATAL, KAFKA_AGAIN, KAFKA_AGAIN},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, KAFKA_AGAIN, KAFKA_AGAIN},
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, KAFKA_AGAIN, KAFKA_AGAIN},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, KAFKA_AGAIN, KAFKA_AGAIN},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, KAFKA_AGAIN, KAFKA_AGAIN},
    {RD_KAFKA_RESP_ERR_UNKNOWN, KAFKA_AGAIN, KAFKA_AGAIN},
    {9999, KAFKA_AGAIN, KAFKA_AGAIN}, /* a code that comes with a later Kafka */
};

START_TEST(kafka_verdict__each_error_has_its_meaning)
{
    for (size_t i = 0; i < SL_LEN(table); i++) {
        ck_assert_msg(kafka_fate_of(table[i].code, false, true) == table[i].in_batch, "%s",
                      rd_kafka_err2name(table[i].code));
        ck_assert_msg(kafka_fate_of(table[i].code, true, true) == table[i].alone, "%s",
                      rd_kafka_err2name(table[i].code));
    }
}
END_TEST

/* One wrong field must not hold up what goes elsewhere; where all goes to one topic a person has to act. */
START_TEST(kafka_verdict__a_forbidden_topic_is_the_records_fault_only_if_the_record_named_it)
{
    ck_assert_int_eq(kafka_fate_of(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, true, true), KAFKA_AGAIN);
    ck_assert_int_eq(kafka_fate_of(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, true, false), KAFKA_REFUSED);
}
END_TEST

SL_TEST_MAIN("kafka_verdict", kafka_verdict__each_error_has_its_meaning,
             kafka_verdict__a_forbidden_topic_is_the_records_fault_only_if_the_record_named_it)
