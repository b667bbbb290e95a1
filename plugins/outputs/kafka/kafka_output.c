/* kafka_output.c: the Kafka output: its start and end, and requests that come and go.
 *
 * librdkafka batches, retries and keeps the order of a partition; what it can't deliver comes back to the
 * engine, which sends it again from memory or the journal, or buries it with the broker's reason.
 */
#include "kafka_int.h"
#include <stdio.h>

static sl_counter *counter_of(void *owner, const char *name, const char *help, const char *label,
                              const char *value)
{
    return sl_output_counter_labelled(owner, name, help, label, value);
}

static void kafka_free(void *self)
{
    kafka_output *output = self;
    kafka_producer_release(&output->usual);
    kafka_producer_release(&output->alone);
    kafka_encoder_release(&output->encoder);
    kafka_stats_free(output->stats);
    sl_free(output);
}

static void *kafka_start(sl_output *out, const void *conf, sl_err *err)
{
    kafka_output *output = sl_calloc(1, sizeof *output);
    output->out = out;
    output->conf = conf;
    output->full =
        sl_output_counter(out, "queue_full_total", "Times that records waited for room in `memory`.");
    output->rebuilt =
        sl_output_counter(out, "producers_rebuilt_total", "Producers made anew after a fatal error.");
    output->batches_refused = sl_output_counter(
        out, "batches_refused_total",
        "Requests whose records were sent again one by one, for a broker refused them together.");
    output->stats = kafka_stats_new(counter_of, out);
    kafka_encoder_init(&output->encoder, conf);
    kafka_producer_init(&output->usual, output, false);
    kafka_producer_init(&output->alone, output, true);
    if (kafka_producer_open(&output->usual, err) == 0) return output;
    kafka_free(output);
    return NULL;
}

static void kafka_send(void *self, sl_request *req)
{
    kafka_output *output = self;
    kafka_request *request = kafka_request_new(req);
    if (!request) {
        sl_verdict verdict;
        sl_verdict_init(&verdict, req);
        sl_verdict_set(&verdict, SL_VERDICT_RETRY, "no memory for a request of %u records", req->count);
        sl_request_done(output->out, req, &verdict);
        return;
    }
    bool alone = kafka_request_is_alone(req);
    if (alone) sl_counter_add(output->batches_refused, 1);
    kafka_producer_send(alone ? &output->alone : &output->usual, request);
}

static int kafka_connect_to(const void *arg, sl_err *err)
{
    const kafka_output_conf *conf = arg;
    rd_kafka_conf_t *rk_conf = kafka_output_rd_conf(conf, false, err);
    if (!rk_conf) return SL_E_CONFIG;
    return kafka_connect(rk_conf, &conf->cluster, conf->topic_name[0] ? conf->topic_name : NULL, err);
}

static const sl_output_ops ops = {
    .start = kafka_start,
    .send = kafka_send,
    .free = kafka_free,
    .connect = kafka_connect_to,
};

const sl_plugin sl_output_kafka = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_OUTPUT,
    .name = "kafka",
    .help = "Writes to Apache Kafka 0.11 or later.",
    .options = kafka_output_options,
    .conf_size = sizeof(kafka_output_conf),
    .check = kafka_output_check,
    .conf_release = kafka_output_conf_release,
    .output = &ops,
};
