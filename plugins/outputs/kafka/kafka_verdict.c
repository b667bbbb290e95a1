/* kafka_verdict.c: what a delivery report's error means for the record. The one place that decides it.
 *
 * The table, and why (codes: https://kafka.apache.org/protocol#protocol_error_codes; those that begin with
 * `_` are librdkafka's own):
 *
 *   too large (MSG_SIZE_TOO_LARGE, RECORD_LIST_TOO_LARGE,    refused, if it was alone in its batch; else
 *     INVALID_MSG_SIZE)                                       the batch may be what was too large
 *   INVALID_RECORD, INVALID_TIMESTAMP, POLICY_VIOLATION,     the same: a broker refuses the batch for one of
 *     UNSUPPORTED_FOR_MESSAGE_FORMAT                          its records
 *   no such topic, a name that can't be one                  refused: it is not made by sending to it, or it
 *                                                             would have been. One that was there is waited
 *                                                             for first, see kafka_topic_may_return()
 *   TOPIC_AUTHORIZATION_FAILED                               a topic that comes from the record: refused, for
 *                                                             one wrong field must not hold up the rest. A
 *                                                             fixed one: again, for a person mends it
 *   everything else: time-outs, transport, leaders,          again: the record may be fine. Two that were
 *     replicas, quotas, credentials, what was purged or       sent may become two of them in the topic: a
 *     fell to a fatal error, what is not known here            report that is lost is no report
 */
#include "kafka_int.h"

bool kafka_is_unknown_topic(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

kafka_fate kafka_fate_of(rd_kafka_resp_err_t code, bool alone, bool topic_fixed)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return KAFKA_DELIVERED;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT: return alone ? KAFKA_REFUSED : KAFKA_ALONE;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION: return KAFKA_REFUSED;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: return topic_fixed ? KAFKA_AGAIN : KAFKA_REFUSED;
    default: return KAFKA_AGAIN;
    }
}
