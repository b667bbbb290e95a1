/* kafka_lookup.c: where partitions begin, by time.
 *
 * librdkafka 2.0 asks for offsets by time, and for committed ones beside it, only in calls that block. They are
 * made on a thread of their own, seldom and for moments: when partitions come. The group waits for the answer
 * to its assignment meanwhile. Whoever cancels waits for a call under way.
 */
#include "kafka_input_int.h"
#include <pthread.h>
#include <time.h>

#define CALL_TIMEOUT_MS 1000
#define PAUSE_NS        (200 * SL_NS_PER_MS)

typedef struct kafka_lookup {
    kafka_input *in; /* NULL: cancelled */
    sl_loop *loop;
    const char *name; /* of the input, for the log */
    rd_kafka_t *rk;
    int64_t start_ms;
    rd_kafka_topic_partition_list_t *list;
    sl_log_limit limit;
    bool cancelled; /* atomic */
    pthread_t thread;
    sl_message done;
} kafka_lookup;

/* ---- on the thread ---- */

static bool failed(kafka_lookup *lookup, rd_kafka_resp_err_t code)
{
    if (!code) return false;
    sl_log_limited(&lookup->limit, SL_LOG_WARN, lookup->name,
                   "cannot ask the brokers where to begin by `start`, trying again: %s",
                   rd_kafka_err2str(code));
    return true;
}

/* The first error of a partition. */
static rd_kafka_resp_err_t error_in(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err) return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Those of which the group has read nothing yet. */
static rd_kafka_topic_partition_list_t *without_offset(const kafka_lookup *lookup)
{
    rd_kafka_topic_partition_list_t *times = rd_kafka_topic_partition_list_new(lookup->list->cnt);
    for (int i = 0; i < lookup->list->cnt; i++) {
        const rd_kafka_topic_partition_t *place = &lookup->list->elems[i];
        if (place->offset < 0)
            rd_kafka_topic_partition_list_add(times, place->topic, place->partition)->offset =
                lookup->start_ms;
    }
    return times;
}

/* Where they end now, into lookup->list. */
static bool ask_ends(kafka_lookup *lookup, const rd_kafka_topic_partition_list_t *places)
{
    for (int i = 0; i < places->cnt; i++) {
        const rd_kafka_topic_partition_t *place = &places->elems[i];
        int64_t low, high;
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
            lookup->rk, place->topic, place->partition, &low, &high, CALL_TIMEOUT_MS);
        if (failed(lookup, code)) return false;
        rd_kafka_topic_partition_list_set_offset(lookup->list, place->topic, place->partition, high);
    }
    return true;
}

/* Where nothing is as young as the time, reading begins at the end as it was before that was asked: "the end"
 * itself would be a later one, and what came between would be passed over. */
static bool ask_times(kafka_lookup *lookup, rd_kafka_topic_partition_list_t *times)
{
    if (!times->cnt) return true;
    if (!ask_ends(lookup, times)) return false;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(lookup->rk, times, CALL_TIMEOUT_MS);
    if (!code) code = error_in(times);
    if (failed(lookup, code)) return false;
    for (int i = 0; i < times->cnt; i++) {
        const rd_kafka_topic_partition_t *place = &times->elems[i];
        if (place->offset >= 0)
            rd_kafka_topic_partition_list_set_offset(lookup->list, place->topic, place->partition,
                                                     place->offset);
    }
    return true;
}

static bool ask(kafka_lookup *lookup)
{
    for (int i = 0; i < lookup->list->cnt; i++)
        lookup->list->elems[i].offset = RD_KAFKA_OFFSET_INVALID; /* of an attempt before */
    rd_kafka_resp_err_t code = rd_kafka_committed(lookup->rk, lookup->list, CALL_TIMEOUT_MS);
    if (!code) code = error_in(lookup->list);
    if (failed(lookup, code)) return false;
    rd_kafka_topic_partition_list_t *times = without_offset(lookup);
    bool known = ask_times(lookup, times);
    rd_kafka_topic_partition_list_destroy(times);
    return known;
}

static void *run(void *arg)
{
    kafka_lookup *lookup = arg;
    while (!__atomic_load_n(&lookup->cancelled, __ATOMIC_ACQUIRE) && !ask(lookup))
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    sl_loop_post(lookup->loop, &lookup->done);
    return NULL;
}

/* ---- on the loop ---- */

static void on_done(sl_message *msg)
{
    kafka_lookup *lookup = sl_container_of(msg, kafka_lookup, done);
    kafka_input *in = lookup->in;
    if (in) {
        pthread_join(lookup->thread, NULL);
        in->lookup = NULL;
        kafka_group_assign(in, lookup->list);
    }
    rd_kafka_topic_partition_list_destroy(lookup->list);
    sl_free(lookup);
}

void kafka_lookup_start(kafka_input *in, const rd_kafka_topic_partition_list_t *list)
{
    kafka_lookup_cancel(in);
    kafka_lookup *lookup = sl_calloc(1, sizeof *lookup);
    lookup->in = in;
    lookup->loop = in->loop;
    lookup->name = sl_input_name(in->core);
    lookup->rk = kafka_client_handle(in->client);
    lookup->start_ms = in->conf->start_ms;
    lookup->list = rd_kafka_topic_partition_list_copy(list);
    lookup->done.run = on_done;
    if (pthread_create(&lookup->thread, NULL, run, lookup) == 0) {
        in->lookup = lookup;
        return;
    }
    sl_error(sl_input_name(in->core), "cannot start a thread: partitions are read from their beginning");
    kafka_group_assign(in, list);
    rd_kafka_topic_partition_list_destroy(lookup->list);
    sl_free(lookup);
}

void kafka_lookup_cancel(kafka_input *in)
{
    kafka_lookup *lookup = in->lookup;
    if (!lookup) return;
    __atomic_store_n(&lookup->cancelled, true, __ATOMIC_RELEASE);
    pthread_join(lookup->thread, NULL);
    lookup->in = NULL; /* its message is on the way, and frees it */
    in->lookup = NULL;
}
