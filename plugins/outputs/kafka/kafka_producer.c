/* kafka_producer.c: messages into librdkafka, reports out of it, and a new producer where the old one is lost.
 *
 * Invariant: a request is in one list of one producer; it leaves when each of its records was handed over and
 * each message has its report. A client is ended only when it has no message of ours any more, or for good:
 * so no report of one can be taken for another's.
 *
 * A full queue is no error: the request waits in `waiting` where it stands, and goes on when reports have made
 * room. A producer that met a fatal error (https://github.com/confluentinc/librdkafka/blob/v2.0.2/INTRODUCTION.md,
 * "Fatal errors") takes no more; what it had is purged, which makes reports of it all.
 *
 * Flights. An idempotent producer of librdkafka (2.0 and others) sends no second batch of a partition before
 * the first has its answer: its limit of five requests counts messages. And while messages of the partition
 * are due meanwhile its thread spins, for the whole round trip. So such a producer gets a flight at a time:
 * what fits into one batch, and nothing more until all reports of it are there. `linger` must be longer than
 * handing over a flight takes, or it becomes two batches.
 */
#include "kafka_int.h"
#include <stdio.h>

#define FIRST_BACKOFF_NS (100 * SL_NS_PER_MS)
#define MAX_BACKOFF_NS   (30 * SL_NS_PER_S)
#define ALONE_IDLE_NS    (60 * SL_NS_PER_S) /* after that the second producer is ended until the next need */
#define END_PATIENCE_NS  (5 * SL_NS_PER_S)

#define FLIGHT_MESSAGE_OVERHEAD 96 /* of a message in its batch: sizes, header with the id */
#define FLIGHT_ALONE            5  /* messages, each a batch, that librdkafka sends at a time */
#define FLIGHT_PATIENCE_NS                                                                                   \
    (1 * SL_NS_PER_S) /* a partition without leader does not hold up the others longer */

/* ---- topics ---- */

/* Called in rd_kafka_produceva(), or by a thread of librdkafka once it knows the topic's partitions. The same
 * hash as in Java clients. */
static int32_t pick_partition(const rd_kafka_topic_t *topic, const void *key, size_t key_len, int32_t count,
                              void *topic_opaque, void *message_opaque)
{
    const kafka_message *message = message_opaque;
    if (!message->partition)
        return rd_kafka_msg_partitioner_random(topic, key, key_len, count, topic_opaque, message_opaque);
    return rd_kafka_msg_partitioner_murmur2(topic, message->partition, message->partition_len, count,
                                            topic_opaque, message_opaque);
}

static rd_kafka_topic_t *make_topic(kafka_producer *producer, const char *name)
{
    rd_kafka_t *rk = kafka_client_handle(producer->client);
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(rk);
    if (producer->output->conf->partition_template)
        rd_kafka_topic_conf_set_partitioner_cb(conf, pick_partition);
    return kafka_topic_new(rk, name, conf);
}

/* NULL: there is none; reason tells why. */
static rd_kafka_topic_t *get_topic(kafka_producer *producer, sl_span name, char *reason)
{
    if (!name.len) return producer->fixed;
    rd_kafka_topic_t *topic = kafka_topics_find(&producer->topics, name);
    if (topic) return topic;
    if (producer->topics.count == KAFKA_MAX_TOPICS) {
        snprintf(reason, SL_REASON_MAX, "it is for one more topic, and %d is all that are sent to at a time",
                 KAFKA_MAX_TOPICS);
        return NULL;
    }
    char *text = sl_strndup(name.ptr, name.len);
    topic = make_topic(producer, text);
    sl_free(text);
    if (topic)
        kafka_topics_add(&producer->topics, name, topic);
    else
        snprintf(reason, SL_REASON_MAX, "%s", rd_kafka_err2str(rd_kafka_last_error()));
    return topic;
}

/* ---- the client's life ---- */

static void lose_topics(kafka_producer *producer)
{
    kafka_topics_release(&producer->topics);
    kafka_topic_free(producer->fixed);
    producer->fixed = NULL;
}

static void end_client(kafka_producer *producer, int64_t patience_ns, void (*released)(void *), void *arg)
{
    lose_topics(producer);
    kafka_client_close(producer->client, patience_ns, released, arg);
    producer->client = NULL;
    producer->ending = false;
}

static void retry_later(kafka_producer *producer)
{
    sl_timer_start(producer->timer, producer->backoff_ns, 0);
    producer->backoff_ns *= 2;
    if (producer->backoff_ns > MAX_BACKOFF_NS) producer->backoff_ns = MAX_BACKOFF_NS;
}

/* After a fatal error. Not from within an event: the client may be ended. */
static void begin_end(kafka_producer *producer, rd_kafka_resp_err_t code, const char *text)
{
    if (producer->ending) return;
    producer->ending = true;
    kafka_output *output = producer->output;
    sl_counter_add(output->rebuilt, 1);
    sl_log_limited(&output->fatal_limit, SL_LOG_ERROR, sl_output_name(output->out),
                   "the producer is made anew: %s: %s", rd_kafka_err2name(code), text);
    rd_kafka_purge(kafka_client_handle(producer->client),
                   RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    if (!producer->open) sl_timer_start(producer->timer, 0, 0);
}

static bool is_idle(const kafka_producer *producer)
{
    return !producer->open && !producer->waiting.first;
}

/* ---- out: messages ---- */

enum { VU_TOPIC, VU_FLAGS, VU_VALUE, VU_KEY, VU_TIME, VU_OPAQUE, VU_HEADERS, VU_COUNT };

static rd_kafka_resp_err_t produce(kafka_producer *producer, rd_kafka_topic_t *topic, kafka_message *message,
                                   const kafka_encoded *encoded)
{
    rd_kafka_vu_t vus[VU_COUNT]; /* not zeroed: each has room for what is to come */
    vus[VU_TOPIC].vtype = RD_KAFKA_VTYPE_RKT;
    vus[VU_TOPIC].u.rkt = topic;
    vus[VU_FLAGS].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    vus[VU_FLAGS].u.i = 0; /* neither copied nor freed: the request's body */
    vus[VU_VALUE].vtype = RD_KAFKA_VTYPE_VALUE;
    vus[VU_VALUE].u.mem.ptr = (void *)(uintptr_t)encoded->value.ptr;
    vus[VU_VALUE].u.mem.size = encoded->value.len;
    vus[VU_KEY].vtype = RD_KAFKA_VTYPE_KEY;
    vus[VU_KEY].u.mem.ptr = (void *)(uintptr_t)encoded->key.ptr;
    vus[VU_KEY].u.mem.size = encoded->key.len;
    vus[VU_TIME].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    vus[VU_TIME].u.i64 = encoded->time_ms;
    vus[VU_OPAQUE].vtype = RD_KAFKA_VTYPE_OPAQUE;
    vus[VU_OPAQUE].u.ptr = message;
    vus[VU_HEADERS].vtype = RD_KAFKA_VTYPE_HEADERS;
    vus[VU_HEADERS].u.headers = encoded->headers;
    size_t count = encoded->headers ? VU_COUNT : VU_HEADERS;
    rd_kafka_error_t *error = rd_kafka_produceva(kafka_client_handle(producer->client), vus, count);
    if (!error) return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code =
        rd_kafka_error_is_fatal(error) ? RD_KAFKA_RESP_ERR__FATAL : rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (encoded->headers) rd_kafka_headers_destroy(encoded->headers);
    return code;
}

static void note(kafka_producer *producer, kafka_request *request, uint32_t i, rd_kafka_resp_err_t code,
                 bool alone, const rd_kafka_topic_t *topic)
{
    char reason[SL_REASON_MAX];
    bool fixed = producer->output->conf->topic_name[0] != '\0';
    kafka_fate fate = kafka_fate_of(code, alone, fixed);
    if (kafka_is_unknown_topic(code) && kafka_topic_may_return(topic)) fate = KAFKA_AGAIN;
    snprintf(reason, sizeof reason, "topic %s: %s", rd_kafka_topic_name(topic), rd_kafka_err2str(code));
    kafka_request_note(request, i, fate, reason);
}

/* True: the record is dealt with, or handed over. False: it has to wait. */
static bool hand_over(kafka_producer *producer, kafka_request *request, uint32_t i)
{
    char reason[SL_REASON_MAX];
    kafka_encoded encoded = {.headers = NULL};
    size_t mark = request->body.len;
    request->messages[i].request = request;
    request->messages[i].index = i;
    bool fits = kafka_encode(&producer->output->encoder, request, i, &encoded, reason);
    rd_kafka_topic_t *topic = fits ? get_topic(producer, encoded.topic, reason) : NULL;
    if (!topic) {
        if (encoded.headers) rd_kafka_headers_destroy(encoded.headers);
        request->body.len = mark;
        kafka_request_note(request, i, KAFKA_REFUSED, reason);
        return true;
    }
    rd_kafka_resp_err_t code = produce(producer, topic, &request->messages[i], &encoded);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        request->open++;
        producer->open++;
        producer->flight.messages++;
        producer->flight.bytes += encoded.value.len + encoded.key.len + FLIGHT_MESSAGE_OVERHEAD;
        return true;
    }
    request->body.len = mark;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        sl_counter_add(producer->output->full, 1);
        return false;
    }
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char text[SL_ERR_TEXT_MAX];
        code = rd_kafka_fatal_error(kafka_client_handle(producer->client), text, sizeof text);
        begin_end(producer, code, text);
        return false;
    }
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        snprintf(reason, sizeof reason, "a message of %zu bytes is larger than `max_message`",
                 encoded.value.len + encoded.key.len);
        kafka_request_note(request, i, KAFKA_REFUSED, reason);
        return true;
    }
    note(producer, request, i, code, true, topic);
    return true;
}

static void finish_if_done(kafka_producer *producer, kafka_request *request)
{
    if (request->open || request->handed < request->req->count) return;
    kafka_requests_remove(&producer->sent, request);
    kafka_request_finish(producer->output, request);
}

/* ---- flights ---- */

static bool is_flight_full(const kafka_producer *producer)
{
    return producer->flight.messages >= producer->flight.max_messages ||
           producer->flight.bytes >= producer->flight.max_bytes;
}

/* False: the one before has reports to come. */
static bool begin_flight(kafka_producer *producer)
{
    if (!producer->output->conf->idempotence) return true;
    int64_t now = sl_clock_mono_ns();
    int64_t until = producer->flight.began_ns + FLIGHT_PATIENCE_NS;
    if (producer->open && now < until) {
        if (!sl_timer_is_active(producer->timer)) sl_timer_start(producer->timer, until - now, 0);
        return false;
    }
    producer->flight.began_ns = now;
    producer->flight.messages = 0;
    producer->flight.bytes = 0;
    return true;
}

/* As many messages as there is room for. */
static void fill_flight(kafka_producer *producer)
{
    while (!producer->ending && producer->waiting.first) {
        kafka_request *request = producer->waiting.first;
        while (request->handed < request->req->count && !is_flight_full(producer) &&
               hand_over(producer, request, request->handed))
            request->handed++;
        if (request->handed < request->req->count) return;
        kafka_requests_remove(&producer->waiting, request);
        kafka_requests_push(&producer->sent, request);
        finish_if_done(producer, request);
    }
}

static void pump(kafka_producer *producer)
{
    if (producer->pumping) return; /* a request that was finished brought the next one */
    if (!producer->client || producer->ending || !producer->waiting.first) return;
    if (!begin_flight(producer)) return;
    producer->pumping = true;
    fill_flight(producer);
    producer->pumping = false;
}

void kafka_producer_send(kafka_producer *producer, kafka_request *request)
{
    request->producer = producer;
    kafka_requests_push(&producer->waiting, request);
    if (!producer->client && !sl_timer_is_active(producer->timer)) sl_timer_start(producer->timer, 0, 0);
    pump(producer);
}

/* ---- in: reports ---- */

static void take_report(kafka_producer *producer, const rd_kafka_message_t *report, bool alone)
{
    kafka_message *message = report->_private;
    kafka_request *request = message->request;
    sl_assert(request->producer == producer && request->open && producer->open);
    request->open--;
    producer->open--;
    if (report->err)
        note(producer, request, message->index, report->err, alone, report->rkt);
    else
        kafka_topic_took_record(report->rkt);
    if (request->handed == request->req->count) finish_if_done(producer, request);
}

static void on_event(void *arg, rd_kafka_event_t *event)
{
    kafka_producer *producer = arg;
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_DR) return;
    bool alone = rd_kafka_event_message_count(event) == 1; /* the messages of one batch */
    const rd_kafka_message_t *report = rd_kafka_event_message_next(event);
    if (report && !report->err) producer->backoff_ns = FIRST_BACKOFF_NS;
    for (; report; report = rd_kafka_event_message_next(event))
        take_report(producer, report, alone);
}

static void on_served(void *arg)
{
    kafka_producer *producer = arg;
    if (!producer->open) sl_timer_stop(producer->timer);
    pump(producer);
    if (producer->ending && !producer->open)
        sl_timer_start(producer->timer, 0, 0);
    else if (producer->alone && is_idle(producer))
        sl_timer_start(producer->timer, ALONE_IDLE_NS, 0);
}

/* What keeps everything from being sent, as the page shows it. */
static bool is_trouble(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__RESOLVE;
}

/* Where to mend it; librdkafka's own text names its properties, not our options. NULL: not here. */
static const char *advice(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        return "check `sasl.mechanism`, `sasl.username` and `sasl.password`";
    case RD_KAFKA_RESP_ERR__SSL: return "check `brokers`, `tls.ca`, `tls.cert` and `tls.key`";
    default: return NULL;
    }
}

static void tell_trouble(kafka_output *output, rd_kafka_resp_err_t code, const char *text)
{
    char all[SL_ERR_TEXT_MAX];
    const char *where = advice(code);
    snprintf(all, sizeof all, "%s%s%s", where ? where : "", where ? ": " : "", text);
    sl_output_trouble(output->out, all);
    if (where) sl_log_limited(&output->trouble_limit, SL_LOG_ERROR, sl_output_name(output->out), "%s", all);
}

static void on_error(void *arg, rd_kafka_resp_err_t code, bool fatal, const char *text)
{
    kafka_producer *producer = arg;
    if (fatal)
        begin_end(producer, code, text);
    else if (!is_idle(producer) && is_trouble(code))
        tell_trouble(producer->output, code, text);
}

/* ---- begin and end ---- */

int kafka_producer_open(kafka_producer *producer, sl_err *err)
{
    kafka_output *output = producer->output;
    rd_kafka_conf_t *rk_conf = kafka_output_rd_conf(output->conf, producer->alone, err);
    if (!rk_conf) return SL_E_CONFIG;
    kafka_client_conf conf = {.type = RD_KAFKA_PRODUCER,
                              .loop = sl_output_loop(output->out),
                              .name = sl_output_name(output->out),
                              .events = RD_KAFKA_EVENT_DR,
                              .cluster = &output->conf->cluster,
                              .stats = producer->alone ? NULL : output->stats,
                              .event = on_event,
                              .served = on_served,
                              .error = on_error,
                              .arg = producer};
    producer->client = kafka_client_new(rk_conf, &conf, err);
    if (!producer->client) return SL_E_CONFIG;
    if (output->conf->topic_name[0]) producer->fixed = make_topic(producer, output->conf->topic_name);
    return 0;
}

static void open_again(kafka_producer *producer)
{
    kafka_output *output = producer->output;
    sl_err err = SL_ERR_NONE;
    if (kafka_producer_open(producer, &err) < 0) {
        sl_log_limited(&output->fatal_limit, SL_LOG_ERROR, sl_output_name(output->out), "trying again: %s",
                       err.text);
        sl_output_trouble(output->out, err.text);
        retry_later(producer);
        return;
    }
    pump(producer);
}

static void on_timer(void *arg)
{
    kafka_producer *producer = arg;
    if (producer->ending) {
        if (producer->open) return; /* the last report starts it again */
        end_client(producer, 0, NULL, NULL);
        retry_later(producer);
    } else if (!producer->client) {
        open_again(producer);
    } else if (producer->alone && is_idle(producer)) {
        end_client(producer, 0, NULL, NULL);
    } else {
        pump(producer); /* a flight takes too long */
    }
}

void kafka_producer_init(kafka_producer *producer, kafka_output *output, bool alone)
{
    *producer = (kafka_producer){.output = output, .alone = alone, .backoff_ns = FIRST_BACKOFF_NS};
    bool flights = output->conf->idempotence;
    producer->flight.max_bytes = flights ? output->conf->flight_bytes : UINT64_MAX;
    producer->flight.max_messages = flights && alone ? FLIGHT_ALONE : UINT64_MAX;
    producer->timer = sl_timer_new(sl_output_loop(output->out), on_timer, producer);
}

/* What librdkafka may still read from. */
static void free_requests(void *arg)
{
    for (kafka_request *request = arg; request;) {
        kafka_request *next = request->next;
        kafka_request_free(request);
        request = next;
    }
}

void kafka_producer_release(kafka_producer *producer)
{
    sl_timer_free(producer->timer);
    while (producer->waiting.first) {
        kafka_request *request = producer->waiting.first;
        kafka_requests_remove(&producer->waiting, request);
        kafka_requests_push(&producer->sent, request);
    }
    if (producer->client)
        end_client(producer, END_PATIENCE_NS, free_requests, producer->sent.first);
    else
        free_requests(producer->sent.first);
}
