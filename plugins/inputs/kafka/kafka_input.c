/* kafka_input.c: the Kafka input: its start and end, its client, and what the brokers complain of. */
#include "kafka_input_int.h"
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>

#define REOPEN_NS       (10 * SL_NS_PER_S)
#define END_PATIENCE_NS (5 * SL_NS_PER_S) /* for the last commit and the farewell to the group */

/* ---- what keeps it from reading ---- */

static bool is_connection(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__RESOLVE;
}

/* What a person mends; librdkafka goes on trying. It has no line of its own in the log. */
static bool is_refusal(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED: return true;
    default: return false;
    }
}

static void set_trouble(kafka_input *in, int kind, const char *text)
{
    sl_err err = SL_ERR_NONE;
    in->trouble = kind;
    sl_err_set(&err, SL_E_IO, "%s", text);
    sl_input_not_ready(in->core, &err);
}

static void clear_trouble(kafka_input *in)
{
    if (in->trouble == KAFKA_NO_TROUBLE) return;
    in->trouble = KAFKA_NO_TROUBLE;
    sl_input_ready(in->core);
}

static void on_error(void *arg, rd_kafka_resp_err_t code, bool fatal, const char *text)
{
    kafka_input *in = arg;
    if (fatal) {
        sl_error(sl_input_name(in->core),
                 "the group does not take this member any more, joining anew in %d s: %s",
                 (int)(REOPEN_NS / SL_NS_PER_S), text);
        set_trouble(in, KAFKA_REFUSED_BY_GROUP, text);
        in->broken = true;
        sl_timer_start(in->tick, 0, KAFKA_TICK_NS);
    } else if (is_refusal(code)) {
        sl_log_limited(&in->trouble_limit, SL_LOG_WARN, sl_input_name(in->core), "%s", text);
        if (!in->part_count) set_trouble(in, KAFKA_REFUSED_BY_GROUP, text);
    } else if (is_connection(code)) {
        set_trouble(in, KAFKA_NO_BROKER, text);
    }
}

/* ---- events ---- */

static void on_commit(kafka_input *in, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET) return;
    sl_counter_add(in->commit_errors, 1);
    sl_log_limited(&in->commit_limit, SL_LOG_WARN, sl_input_name(in->core),
                   "offsets could not be committed: %s", rd_kafka_err2str(code));
}

static void on_event(void *arg, rd_kafka_event_t *event)
{
    kafka_input *in = arg;
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_REBALANCE:
        kafka_group_rebalance(in, event);
        if (in->part_count) clear_trouble(in);
        break;
    case RD_KAFKA_EVENT_OFFSET_COMMIT: on_commit(in, event); break;
    default: break;
    }
}

static void on_messages(void *arg, int events)
{
    (void)events;
    kafka_input *in = arg;
    eventfd_t count;
    eventfd_read(in->fd, &count); /* before the queue is looked at: nothing is missed */
    if (in->trouble == KAFKA_NO_BROKER) clear_trouble(in);
    kafka_read_turn(in);
}

static void on_age(void *arg)
{
    kafka_input *in = arg;
    kafka_read_emit_all(in);
    if (in->taken_at < in->taken_count) kafka_read_wake(in);
}

/* ---- the client ---- */

static int subscribe(kafka_input *in, sl_err *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(4);
    for (size_t i = 0; i < in->conf->topics.count; i++)
        rd_kafka_topic_partition_list_add(topics, SL_LIST_AT(in->conf->topics, sl_span, i).ptr,
                                          RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(kafka_client_handle(in->client), topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code ? sl_err_set(err, SL_E_CONFIG, "option `topics`: %s", rd_kafka_err2str(code)) : 0;
}

static void close_client(kafka_input *in, int64_t patience_ns)
{
    if (!in->client) return;
    if (!in->broken) kafka_group_answer(in);
    kafka_group_forget(in);
    rd_kafka_queue_io_event_enable(in->messages, -1, NULL, 0);
    rd_kafka_queue_destroy(in->messages);
    kafka_client_close(in->client, patience_ns, NULL, NULL);
    in->messages = NULL;
    in->client = NULL;
    in->joined = false;
}

static int open_client(kafka_input *in, sl_err *err)
{
    static const eventfd_t one = 1;
    rd_kafka_conf_t *rk_conf = kafka_input_rd_conf(in->conf, sl_input_once(in->core), err);
    if (!rk_conf) return SL_E_CONFIG;
    kafka_client_conf conf = {.type = RD_KAFKA_CONSUMER,
                              .loop = in->loop,
                              .name = sl_input_name(in->core),
                              .events = RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT,
                              .cluster = &in->conf->cluster,
                              .stats = in->stats,
                              .event = on_event,
                              .error = on_error,
                              .arg = in};
    in->client = kafka_client_new(rk_conf, &conf, err);
    if (!in->client) return SL_E_CONFIG;
    in->messages = rd_kafka_queue_new(kafka_client_handle(in->client));
    rd_kafka_queue_io_event_enable(in->messages, in->fd, &one, sizeof one);
    int rc = subscribe(in, err);
    if (rc < 0) close_client(in, 0);
    return rc;
}

/* After a fatal error. What was read and is not safe is read again, by whoever has the partitions then. */
static void reopen(kafka_input *in)
{
    sl_err err = SL_ERR_NONE;
    if (in->broken) {
        close_client(in, 0);
        in->broken = false;
        in->reopen_at_ns = sl_clock_mono_ns() + REOPEN_NS;
    } else if (sl_clock_mono_ns() >= in->reopen_at_ns && open_client(in, &err) < 0) {
        in->reopen_at_ns = sl_clock_mono_ns() + REOPEN_NS;
        set_trouble(in, KAFKA_REFUSED_BY_GROUP, err.text);
        sl_error(sl_input_name(in->core), "trying again: %s", err.text);
    }
}

static void show_lags(kafka_input *in)
{
    int64_t low, high;
    rd_kafka_t *rk = kafka_client_handle(in->client);
    for (size_t i = 0; i < in->part_count; i++) {
        const kafka_part *part = in->parts[i];
        if (!part->lag || part->position < 0) continue;
        if (rd_kafka_get_watermark_offsets(rk, part->topic, part->number, &low, &high) != 0) continue;
        sl_counter_set(part->lag, high > part->safe ? (uint64_t)(high - part->safe) : 0);
    }
}

/* Looks at the consumer queue even if nothing came: who does not ask for `max.poll.interval.ms` is taken for
 * dead by librdkafka itself. */
static void on_tick(void *arg)
{
    kafka_input *in = arg;
    if (in->broken || !in->client) {
        reopen(in);
        return;
    }
    kafka_client_poll(in->client);
    show_lags(in);
    if (in->trouble == KAFKA_NO_BROKER && kafka_stats_brokers_up(in->stats)) clear_trouble(in);
}

/* ---- the plugin ---- */

static sl_counter *counter_of(void *owner, const char *name, const char *help, const char *label,
                              const char *value)
{
    return sl_input_counter_labelled(owner, name, help, label, value);
}

static void make_counters(kafka_input *in)
{
    sl_input *core = in->core;
    in->records = sl_input_counter(core, "records_total", "Messages that became records.");
    in->bytes = sl_input_counter(core, "bytes_total", "Bytes of their values.");
    in->tombstones = sl_input_counter(core, "tombstones_total", "Messages without a value.");
    in->empty = sl_input_counter(core, "empty_total", "Messages with an empty value, left out.");
    in->cut =
        sl_input_counter(core, "messages_truncated_total", "Values longer than `max_message`, cut there.");
    in->rebalances = sl_input_counter(core, "rebalances_total", "Times that partitions came or left.");
    in->assigned = sl_input_counter(core, "partitions_assigned", "Partitions that are this member's.");
    in->given_up =
        sl_input_counter(core, "partitions_left_unsafe_total",
                         "Partitions that left before all that was read of them was safe: their next owner "
                         "reads it again.");
    in->commit_errors =
        sl_input_counter(core, "commit_errors_total", "Commits of offsets that the brokers did not take.");
    in->stats = kafka_stats_new(counter_of, core);
}

static void destroy(kafka_input *in)
{
    close_client(in, END_PATIENCE_NS);
    sl_timer_free(in->age);
    sl_timer_free(in->revoke);
    sl_timer_free(in->tick);
    sl_poll_free(in->poll);
    if (in->fd >= 0) sl_fs_close(in->fd);
    for (size_t i = 0; i < in->lag_count; i++)
        sl_free(in->lags[i].name);
    sl_free(in->lags);
    sl_free(in->parts);
    sl_buf_release(&in->scratch);
    sl_tape_release(&in->tape);
    kafka_stats_free(in->stats);
    sl_free(in);
}

static int open_poll(kafka_input *in, sl_err *err)
{
    in->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (in->fd < 0) return sl_err_sys(err, errno, "cannot make an eventfd");
    in->poll = sl_poll_new(in->loop, in->fd, on_messages, in);
    if (!in->poll) return sl_err_set(err, SL_E_IO, "cannot poll an eventfd");
    sl_poll_start(in->poll, SL_READABLE);
    return 0;
}

static void *start(sl_input *core, const void *conf, sl_err *err)
{
    kafka_input *in = sl_calloc(1, sizeof *in);
    in->core = core;
    in->conf = conf;
    in->loop = sl_input_loop(core);
    in->fd = -1;
    make_counters(in);
    in->age = sl_timer_new(in->loop, on_age, in);
    in->revoke = sl_timer_new(in->loop, kafka_group_give_up, in);
    in->tick = sl_timer_new(in->loop, on_tick, in);
    if (open_poll(in, err) == 0 && open_client(in, err) == 0) {
        sl_timer_start(in->tick, KAFKA_TICK_NS, KAFKA_TICK_NS);
        return in;
    }
    destroy(in);
    return NULL;
}

static void resume(void *self)
{
    kafka_read_wake(self);
}

/* The client stays: receipts still come, and their offsets are committed at the end. What is in open batches
 * is read again next time. */
static void stop(void *self)
{
    kafka_input *in = self;
    in->stopped = true;
    sl_timer_stop(in->age);
    for (size_t i = 0; i < in->part_count; i++)
        kafka_read_drop(in, in->parts[i]);
    kafka_read_forget(in, NULL);
}

static void free_input(void *self)
{
    destroy(self);
}

static const sl_input_ops ops = {.start = start, .resume = resume, .stop = stop, .free = free_input};

const sl_plugin sl_input_kafka = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_INPUT,
    .name = "kafka",
    .help = "Reads topics of Apache Kafka 0.11 or later as a member of a consumer group.",
    .options = kafka_input_options,
    .conf_size = sizeof(kafka_input_conf),
    .check = kafka_input_check,
    .input = &ops,
};
