/* kafka_group.c: which partitions are ours.
 *
 * The brokers tell which partitions come and which leave; what stays is not touched (cooperative rebalancing,
 * KIP-429). One that leaves is read no further; its batches on the way get KAFKA_REVOKE_WAIT_NS to become
 * safe, so that their offsets are committed and nobody reads them twice. What is not safe by then is read
 * again by the next owner, under the same ids. After it no offset of the partition is stored any more.
 */
#include "kafka_input_int.h"
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- partitions ---- */

static void put_text(sl_buf *out, const char *text)
{
    sl_buf_append(out, text, strlen(text) + 1);
}

/* The same for each member and each run: who reads a message gives its record the same id. What is hashed is
 * fixed for ever: cluster id, topic, partition, each ended by a NUL. A topic has the same name in many
 * clusters, so the cluster's id is part of it; brokers before 0.10.1 have none. */
static sl_id source_of(kafka_input *in, const char *topic, int32_t number)
{
    char *cluster = rd_kafka_clusterid(kafka_client_handle(in->client), 0);
    sl_buf place = SL_BUF_NONE;
    put_text(&place, cluster ? cluster : "");
    put_text(&place, topic);
    sl_buf_printf(&place, "%d", (int)number);
    sl_buf_append_char(&place, '\0');
    XXH128_hash_t hash = XXH3_128bits(place.ptr, place.len);
    sl_buf_release(&place);
    if (cluster) rd_kafka_mem_free(kafka_client_handle(in->client), cluster);
    return (sl_id){.hi = hash.high64, .lo = hash.low64};
}

static sl_counter *lag_of(kafka_input *in, const char *topic, int32_t number)
{
    char name[300];
    snprintf(name, sizeof name, "%s/%d", topic, (int)number);
    for (size_t i = 0; i < in->lag_count; i++)
        if (strcmp(in->lags[i].name, name) == 0) return in->lags[i].cell;
    if (in->lag_count == KAFKA_MAX_LAGS) return NULL;
    in->lags = sl_realloc(in->lags, (in->lag_count + 1) * sizeof *in->lags);
    kafka_lag *lag = &in->lags[in->lag_count++];
    lag->name = sl_strdup(name);
    lag->cell = sl_input_counter_labelled(
        in->core, "lag_messages", "Messages of the partition that are not safe yet.", "partition", name);
    return lag->cell;
}

static void add_part(kafka_input *in, const char *topic, int32_t number)
{
    kafka_part *part = sl_calloc(1, sizeof *part);
    part->topic = sl_strdup(topic);
    part->number = number;
    part->position = part->end = -1;
    part->source = source_of(in, topic, number);
    part->lag = lag_of(in, topic, number);
    in->parts = sl_realloc(in->parts, (in->part_count + 1) * sizeof(kafka_part *));
    in->parts[in->part_count++] = part;
    sl_counter_set(in->assigned, in->part_count);
}

void kafka_part_free_if_done(kafka_part *part)
{
    if (!part->gone || part->receipts) return;
    sl_free(part->topic);
    sl_free(part);
}

static void remove_part(kafka_input *in, size_t at)
{
    kafka_part *part = in->parts[at];
    kafka_read_drop(in, part);
    kafka_read_forget(in, part);
    if (part->receipts) sl_counter_add(in->given_up, 1);
    if (part->lag) sl_counter_set(part->lag, 0);
    in->parts[at] = in->parts[--in->part_count];
    in->last = NULL;
    sl_counter_set(in->assigned, in->part_count);
    part->gone = true;
    kafka_part_free_if_done(part);
}

static size_t index_of(const kafka_input *in, const char *topic, int32_t number)
{
    for (size_t i = 0; i < in->part_count; i++)
        if (in->parts[i]->number == number && strcmp(in->parts[i]->topic, topic) == 0) return i;
    return SIZE_MAX;
}

kafka_part *kafka_group_find(kafka_input *in, const char *topic, int32_t number)
{
    kafka_part *last = in->last;
    if (last && last->number == number && strcmp(last->topic, topic) == 0) return last;
    size_t at = index_of(in, topic, number);
    if (at == SIZE_MAX || in->parts[at]->leaving) return NULL;
    return in->last = in->parts[at];
}

void kafka_group_forget(kafka_input *in)
{
    kafka_lookup_cancel(in);
    sl_timer_stop(in->revoke);
    if (in->revoked) rd_kafka_topic_partition_list_destroy(in->revoked);
    in->revoked = NULL;
    while (in->part_count)
        remove_part(in, in->part_count - 1);
    kafka_read_forget(in, NULL);
}

/* ---- they come ---- */

static bool is_cooperative(const kafka_input *in)
{
    const char *protocol = rd_kafka_rebalance_protocol(kafka_client_handle(in->client));
    return protocol && strcmp(protocol, "COOPERATIVE") == 0;
}

static void say(kafka_input *in, const char *what, const rd_kafka_topic_partition_list_t *list)
{
    sl_buf text = SL_BUF_NONE;
    for (int i = 0; i < list->cnt && i < 20; i++)
        sl_buf_printf(&text, " %s/%d", list->elems[i].topic, (int)list->elems[i].partition);
    if (list->cnt > 20) sl_buf_printf(&text, " and %d more", list->cnt - 20);
    sl_info(sl_input_name(in->core), "%d partitions %s:%s", list->cnt, what,
            list->cnt ? sl_buf_cstr(&text) : " none");
    sl_buf_release(&text);
}

static void check(kafka_input *in, const char *what, rd_kafka_error_t *error)
{
    if (!error) return;
    sl_log_limited(&in->trouble_limit, SL_LOG_WARN, sl_input_name(in->core), "cannot %s partitions: %s", what,
                   rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

static void assign(kafka_input *in, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_t *rk = kafka_client_handle(in->client);
    if (is_cooperative(in)) {
        check(in, "take", rd_kafka_incremental_assign(rk, list));
        return;
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(rk, list);
    check(in, "take", code ? rd_kafka_error_new(code, "%s", rd_kafka_err2str(code)) : NULL);
}

/* What a partition brings goes to the message queue, not to the one that must be served at all times. */
void kafka_group_assign(kafka_input *in, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_t *rk = kafka_client_handle(in->client);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *place = &list->elems[i];
        if (index_of(in, place->topic, place->partition) != SIZE_MAX) continue;
        add_part(in, place->topic, place->partition);
        rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(rk, place->topic, place->partition);
        if (!queue) continue; /* no such partition any more: assign() says so */
        rd_kafka_queue_forward(queue, in->messages);
        rd_kafka_queue_destroy(queue);
    }
    assign(in, list);
    in->joined = true;
    kafka_read_finish_if_done(in);
}

static void take(kafka_input *in, const rd_kafka_topic_partition_list_t *list)
{
    say(in, "come", list);
    if (in->conf->from_time && list->cnt)
        kafka_lookup_start(in, list);
    else
        kafka_group_assign(in, list);
}

/* ---- they leave ---- */

static void leave(kafka_input *in, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        size_t at = index_of(in, list->elems[i].topic, list->elems[i].partition);
        if (at != SIZE_MAX) remove_part(in, at);
    }
    rd_kafka_t *rk = kafka_client_handle(in->client);
    if (is_cooperative(in))
        check(in, "give up", rd_kafka_incremental_unassign(rk, list));
    else
        rd_kafka_assign(rk, NULL);
}

static void leave_now(kafka_input *in)
{
    rd_kafka_topic_partition_list_t *list = in->revoked;
    sl_timer_stop(in->revoke);
    in->revoked = NULL;
    leave(in, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_group_settle(kafka_input *in)
{
    if (!in->revoked) return;
    for (size_t i = 0; i < in->part_count; i++)
        if (in->parts[i]->leaving && in->parts[i]->receipts && !in->parts[i]->unsafe) return;
    leave_now(in);
}

void kafka_group_give_up(void *arg)
{
    kafka_input *in = arg;
    if (!in->revoked) return;
    sl_info(sl_input_name(in->core),
            "partitions leave before all that was read of them is safe: their next owner reads it again, "
            "under the same ids");
    leave_now(in);
}

static void give(kafka_input *in, const rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(kafka_client_handle(in->client));
    say(in, lost ? "are lost: the group has given them to others" : "leave", list);
    kafka_lookup_cancel(in);
    in->last = NULL;
    for (int i = 0; i < list->cnt; i++) {
        size_t at = index_of(in, list->elems[i].topic, list->elems[i].partition);
        if (at == SIZE_MAX) continue;
        in->parts[at]->leaving = true;
        kafka_read_drop(in, in->parts[at]);
    }
    in->revoked = rd_kafka_topic_partition_list_copy(list);
    if (lost) {
        leave_now(in);
        return;
    }
    sl_timer_start(in->revoke, KAFKA_REVOKE_WAIT_NS, 0);
    kafka_group_settle(in);
}

void kafka_group_answer(kafka_input *in)
{
    if (in->revoked) leave_now(in);
    if (!in->lookup) return;
    kafka_lookup_cancel(in);
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    assign(in, none);
    rd_kafka_topic_partition_list_destroy(none);
}

/* librdkafka waits for an answer to each: there is never a second one before, but when the partitions are
 * lost meanwhile. */
void kafka_group_rebalance(kafka_input *in, rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    sl_counter_add(in->rebalances, 1);
    if (in->revoked) leave_now(in);
    switch (rd_kafka_event_error(event)) {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS: take(in, list); break;
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS: give(in, list); break;
    default:
        sl_warn(sl_input_name(in->core), "a rebalance failed: %s", rd_kafka_event_error_string(event));
        kafka_group_forget(in);
        rd_kafka_assign(kafka_client_handle(in->client), NULL);
    }
}
