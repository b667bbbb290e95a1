/* kafka_stats.c: librdkafka's statistics, a JSON text, as metrics.
 *
 * It comes from this process, but names and addresses in it come from brokers: it is read through the index,
 * and what is missing or of another type counts as 0.
 */
#include "kafka_client.h"
#include <stdio.h>

/* Of a broker, in the order of `broker_metrics`. */
enum { UP, RTT, RTT_P99, WAITING, FAILED, BROKER_METRICS };

static const struct {
    const char *name, *help;
} broker_metrics[BROKER_METRICS] = {
    [UP] = {"broker_up", "Whether there is a connection to the broker that is ready for requests."},
    [RTT] = {"broker_rtt_microseconds", "Mean time from a request to its answer."},
    [RTT_P99] = {"broker_rtt_p99_microseconds", "Time from a request to its answer, 99th percentile."},
    [WAITING] = {"broker_requests_waiting", "Requests that are to be sent or have no answer yet."},
    [FAILED] = {"broker_request_errors_total", "Requests that could not be sent or had no answer in time."},
};

typedef struct broker {
    int64_t node;
    uint64_t failed; /* as the client told last: a new one begins at 0 */
    sl_counter *cells[BROKER_METRICS];
} broker;

struct kafka_stats {
    kafka_counter_fn *counter;
    void *owner;
    sl_counter *messages, *bytes, *brokers_up;
    broker *brokers;
    size_t count;
    sl_tape tape;
};

kafka_stats *kafka_stats_new(kafka_counter_fn *counter, void *owner)
{
    kafka_stats *stats = sl_calloc(1, sizeof *stats);
    stats->counter = counter;
    stats->owner = owner;
    stats->messages =
        counter(owner, "queue_messages", "Messages inside librdkafka: waiting or under way.", NULL, NULL);
    stats->bytes = counter(owner, "queue_bytes", "Bytes of these messages.", NULL, NULL);
    stats->brokers_up = counter(owner, "brokers_up", "Brokers with a connection that is ready.", NULL, NULL);
    return stats;
}

void kafka_stats_free(kafka_stats *stats)
{
    if (!stats) return;
    sl_tape_release(&stats->tape);
    sl_free(stats->brokers);
    sl_free(stats);
}

/* ---- reading ---- */

/* Tape position of the member's value in the object at `object`; 0: none (0 is the report itself). */
static uint32_t find(const kafka_stats *stats, sl_span json, uint32_t object, const char *name)
{
    const sl_token *tok = stats->tape.tok;
    if (tok[object].type != SL_JSON_OBJECT) return 0;
    for (uint32_t key = object + 1; key < tok[object].next; key = tok[key + 1].next) {
        if (sl_span_is_cstr((sl_span){json.ptr + tok[key].off, tok[key].len}, name)) return key + 1;
    }
    return 0;
}

static int64_t number(const kafka_stats *stats, sl_span json, uint32_t object, const char *name)
{
    uint32_t at = find(stats, json, object, name);
    if (!at || stats->tape.tok[at].type != SL_JSON_NUMBER) return 0;
    const char *digits = json.ptr + stats->tape.tok[at].off;
    uint32_t len = stats->tape.tok[at].len;
    bool negative = digits[0] == '-';
    int64_t value = 0;
    for (uint32_t i = negative; i < len && digits[i] >= '0' && digits[i] <= '9'; i++) {
        if (value > INT64_MAX / 10 - 1) return 0;
        value = value * 10 + (digits[i] - '0');
    }
    return negative ? -value : value;
}

static uint64_t gauge(const kafka_stats *stats, sl_span json, uint32_t object, const char *name)
{
    int64_t value = number(stats, json, object, name);
    return value > 0 ? (uint64_t)value : 0;
}

static bool is_text(const kafka_stats *stats, sl_span json, uint32_t object, const char *name,
                    const char *text)
{
    uint32_t at = find(stats, json, object, name);
    if (!at) return false;
    const sl_token *tok = &stats->tape.tok[at];
    return sl_span_is_cstr((sl_span){json.ptr + tok->off, tok->len}, text);
}

/* ---- brokers ---- */

static broker *make_broker(kafka_stats *stats, int64_t node)
{
    if (stats->count == KAFKA_STATS_MAX_BROKERS) return NULL;
    stats->brokers = sl_realloc(stats->brokers, (stats->count + 1) * sizeof *stats->brokers);
    broker *made = &stats->brokers[stats->count++];
    made->node = node;
    char label[24];
    snprintf(label, sizeof label, "%lld", (long long)node);
    for (int i = 0; i < BROKER_METRICS; i++)
        made->cells[i] =
            stats->counter(stats->owner, broker_metrics[i].name, broker_metrics[i].help, "broker", label);
    return made;
}

static broker *get_broker(kafka_stats *stats, int64_t node)
{
    for (size_t i = 0; i < stats->count; i++) {
        if (stats->brokers[i].node == node) return &stats->brokers[i];
    }
    return make_broker(stats, node);
}

static void read_broker(kafka_stats *stats, sl_span json, uint32_t object, bool up)
{
    broker *to = get_broker(stats, number(stats, json, object, "nodeid"));
    if (!to) return;
    uint32_t rtt = find(stats, json, object, "rtt");
    sl_counter_set(to->cells[UP], up);
    sl_counter_set(to->cells[RTT], rtt ? gauge(stats, json, rtt, "avg") : 0);
    sl_counter_set(to->cells[RTT_P99], rtt ? gauge(stats, json, rtt, "p99") : 0);
    sl_counter_set(to->cells[WAITING],
                   gauge(stats, json, object, "outbuf_cnt") + gauge(stats, json, object, "waitresp_cnt"));
    uint64_t failed = gauge(stats, json, object, "txerrs") + gauge(stats, json, object, "req_timeouts");
    sl_counter_add(to->cells[FAILED], failed < to->failed ? failed : failed - to->failed);
    to->failed = failed;
}

/* Brokers that are only named in the configuration have no number; "logical" are second connections to the
 * coordinator. */
static uint64_t read_brokers(kafka_stats *stats, sl_span json, uint32_t brokers)
{
    uint64_t up_count = 0;
    for (uint32_t key = brokers + 1; key < stats->tape.tok[brokers].next;
         key = stats->tape.tok[key + 1].next) {
        uint32_t object = key + 1;
        if (!find(stats, json, object, "nodeid") || number(stats, json, object, "nodeid") < 0) continue;
        if (is_text(stats, json, object, "source", "logical")) continue;
        bool up = is_text(stats, json, object, "state", "UP");
        up_count += up;
        read_broker(stats, json, object, up);
    }
    return up_count;
}

bool kafka_stats_read(kafka_stats *stats, sl_span json)
{
    stats->tape.len = 0;
    if (sl_json_index(&stats->tape, json).error != SL_JSON_OK) return false;
    if (stats->tape.tok[0].type != SL_JSON_OBJECT) return false;
    sl_counter_set(stats->messages, gauge(stats, json, 0, "msg_cnt"));
    sl_counter_set(stats->bytes, gauge(stats, json, 0, "msg_size"));
    uint32_t brokers = find(stats, json, 0, "brokers");
    bool has = brokers && stats->tape.tok[brokers].type == SL_JSON_OBJECT;
    sl_counter_set(stats->brokers_up, has ? read_brokers(stats, json, brokers) : 0);
    return true;
}

uint64_t kafka_stats_brokers_up(const kafka_stats *stats)
{
    return sl_counter_get(stats->brokers_up);
}
