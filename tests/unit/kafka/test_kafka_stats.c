#include "../../../plugins/common/kafka_client.h"
#include "base/metrics.h"
#include "check_main.h"
#include <stdio.h>

/* librdkafka's statistics as metrics. */

static sl_counter *counter(void *owner, const char *name, const char *help, const char *label,
                           const char *value)
{
    char full[128];
    snprintf(full, sizeof full, "sluice_kafka_%s", name);
    const char *labels[] = {label, value, NULL};
    bool total = sl_span_ends_with(sl_span_of(name), SL_SPAN("_total"));
    return sl_metrics_new(owner, total ? SL_METRIC_COUNTER : SL_METRIC_GAUGE, full, help,
                          label ? labels : NULL);
}

static void expect(const char *line)
{
    sl_buf page = SL_BUF_NONE;
    sl_metrics_write(&page);
    sl_buf text = SL_BUF_NONE;
    sl_buf_printf(&text, "\n%s\n", line);
    ck_assert_msg(strstr(sl_buf_cstr(&page), sl_buf_cstr(&text)) != NULL, "no line %s in\n%s", line,
                  page.ptr);
    sl_buf_release(&text);
    sl_buf_release(&page);
}

#define BROKER(name, node, source, state, errors)                                                            \
    "\"" name "\":{\"name\":\"" name "\",\"nodeid\":" node ",\"source\":\"" source "\",\"state\":\"" state   \
    "\",\"outbuf_cnt\":2,\"waitresp_cnt\":3,\"txerrs\":" errors                                              \
    ",\"req_timeouts\":1,\"rtt\":{\"avg\":1500,\"p99\":9000}}"

static bool read_text(kafka_stats *stats, const char *text)
{
    return kafka_stats_read(stats, sl_span_of(text));
}

START_TEST(kafka_stats__a_report_becomes_metrics)
{
    int owner;
    kafka_stats *stats = kafka_stats_new(counter, &owner);
    ck_assert(
        read_text(stats, "{\"msg_cnt\":7,\"msg_size\":700,\"brokers\":{" BROKER(
                             "a:1/bootstrap", "-1", "configured", "UP",
                             "9") "," BROKER("a:1/1", "1", "learned", "UP",
                                             "4") "," BROKER("b:1/2", "2", "learned", "DOWN",
                                                             "0") "," BROKER("TxnCoordinator", "1", "logical",
                                                                             "DOWN", "0") "}}"));
    expect("sluice_kafka_queue_messages 7");
    expect("sluice_kafka_queue_bytes 700");
    expect("sluice_kafka_brokers_up 1");
    expect("sluice_kafka_broker_up{broker=\"1\"} 1");
    expect("sluice_kafka_broker_up{broker=\"2\"} 0");
    expect("sluice_kafka_broker_rtt_microseconds{broker=\"1\"} 1500");
    expect("sluice_kafka_broker_rtt_p99_microseconds{broker=\"1\"} 9000");
    expect("sluice_kafka_broker_requests_waiting{broker=\"1\"} 5");
    expect("sluice_kafka_broker_request_errors_total{broker=\"1\"} 5");
    /* A new client counts from 0; the metric goes on. */
    ck_assert(read_text(stats, "{\"brokers\":{" BROKER("a:1/1", "1", "learned", "UP", "2") "}}"));
    expect("sluice_kafka_broker_request_errors_total{broker=\"1\"} 8");
    expect("sluice_kafka_queue_messages 0");
    kafka_stats_free(stats);
    sl_metrics_retire(&owner);
}
END_TEST

START_TEST(kafka_stats__nonsense_changes_nothing)
{
    int owner;
    kafka_stats *stats = kafka_stats_new(counter, &owner);
    ck_assert(read_text(stats, "{\"msg_cnt\":5}"));
    ck_assert(!read_text(stats, ""));
    ck_assert(!read_text(stats, "{\"msg_cnt\":6"));
    ck_assert(!read_text(stats, "[1]"));
    expect("sluice_kafka_queue_messages 5");
    ck_assert(read_text(stats, "{\"msg_cnt\":\"x\",\"msg_size\":-3,\"brokers\":{\"a\":1,\"b\":[]}}"));
    expect("sluice_kafka_queue_messages 0");
    expect("sluice_kafka_queue_bytes 0");
    ck_assert(read_text(stats, "{\"msg_size\":99999999999999999999999999}"));
    expect("sluice_kafka_queue_bytes 0");
    kafka_stats_free(stats);
    sl_metrics_retire(&owner);
}
END_TEST

START_TEST(kafka_stats__brokers_beyond_the_limit_are_only_counted)
{
    int owner;
    kafka_stats *stats = kafka_stats_new(counter, &owner);
    sl_buf text = SL_BUF_NONE;
    sl_buf_append_cstr(&text, "{\"brokers\":{");
    for (int i = 0; i < KAFKA_STATS_MAX_BROKERS + 10; i++)
        sl_buf_printf(&text, "%s\"b%d\":{\"nodeid\":%d,\"state\":\"UP\"}", i ? "," : "", i, i);
    sl_buf_append_cstr(&text, "}}");
    ck_assert(read_text(stats, sl_buf_cstr(&text)));
    expect("sluice_kafka_brokers_up 266");
    sl_buf_release(&text);
    kafka_stats_free(stats);
    sl_metrics_retire(&owner);
}
END_TEST

SL_TEST_MAIN("kafka_stats", kafka_stats__a_report_becomes_metrics, kafka_stats__nonsense_changes_nothing,
             kafka_stats__brokers_beyond_the_limit_are_only_counted)
