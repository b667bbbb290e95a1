/* kafka_read.c: messages to batches, receipts to offsets.
 *
 * One turn takes as much as one batch holds, spread over the partitions that brought it; each partition has
 * an open batch of its own, since a batch has one source. They are emitted together, when they are large
 * enough or the oldest record is SL_BATCH_AGE_NS old.
 */
#include "kafka_input_int.h"
#include <sys/eventfd.h>

/* ---- receipts ---- */

typedef struct batch_note {
    kafka_input *in;
    kafka_part *part;
    int64_t position; /* safe up to here with this batch */
} batch_note;

/* A partition that is not ours: librdkafka would refuse it, and nobody asks. */
static void store(kafka_input *in, kafka_part *part, int64_t position)
{
    if (part->gone || part->unsafe || position < 0 || !in->client) return;
    part->safe = position;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, part->topic, part->number)->offset = position;
    rd_kafka_resp_err_t code = rd_kafka_offsets_store(kafka_client_handle(in->client), list);
    if (code)
        sl_log_limited(&in->commit_limit, SL_LOG_WARN, sl_input_name(in->core),
                       "cannot store offset %lld of %s/%d, it will be read again: %s", (long long)position,
                       part->topic, (int)part->number, rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(list);
}

/* What was looked at and made no record (tombstones, empty values) is safe when all before it is. */
static void store_idle(kafka_input *in, kafka_part *part)
{
    if (part->receipts || part->batch || part->leaving || part->safe == part->position) return;
    store(in, part, part->position);
}

static void on_released(void *arg, bool safe)
{
    batch_note *note = arg;
    kafka_input *in = note->in;
    kafka_part *part = note->part;
    part->receipts--;
    if (!safe) part->unsafe = true;
    store(in, part, note->position);
    if (!part->gone) store_idle(in, part);
    kafka_part_free_if_done(part);
    kafka_group_settle(in);
    sl_free(note);
}

/* ---- batches ---- */

static void emit(kafka_input *in, kafka_part *part)
{
    sl_batch *batch = part->batch;
    if (!batch) return;
    part->batch = NULL;
    if (!batch->count) {
        sl_batch_unref(batch);
        return;
    }
    in->open_bytes -= batch->bytes;
    batch_note *note = sl_alloc(sizeof *note);
    *note = (batch_note){in, part, part->position};
    part->receipts++;
    batch->source = part->source;
    batch->receipt = sl_receipt_new(in->core, on_released, note);
    sl_input_emit(in->core, batch);
}

void kafka_read_emit_all(kafka_input *in)
{
    sl_timer_stop(in->age);
    for (size_t i = 0; i < in->part_count; i++)
        emit(in, in->parts[i]);
}

void kafka_read_drop(kafka_input *in, kafka_part *part)
{
    if (!part->batch) return;
    in->open_bytes -= part->batch->bytes;
    sl_batch_unref(part->batch);
    part->batch = NULL;
}

/* ---- messages ---- */

static bool is_of(const rd_kafka_message_t *message, const kafka_part *part)
{
    return message->rkt && message->partition == part->number &&
           strcmp(rd_kafka_topic_name(message->rkt), part->topic) == 0;
}

void kafka_read_forget(kafka_input *in, const kafka_part *part)
{
    size_t kept = in->taken_at;
    for (size_t i = in->taken_at; i < in->taken_count; i++) {
        if (!part || is_of(in->taken[i], part))
            rd_kafka_message_destroy(in->taken[i]);
        else
            in->taken[kept++] = in->taken[i];
    }
    in->taken_count = kept;
}

static bool fetch(kafka_input *in)
{
    ssize_t n = rd_kafka_consume_batch_queue(in->messages, 0, in->taken, KAFKA_TURN_MESSAGES);
    in->taken_at = 0;
    in->taken_count = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* Once: how far to read is what the first answer said that the partition held. */
static void note_end(kafka_input *in, kafka_part *part, bool at_end)
{
    int64_t low, high;
    rd_kafka_t *rk = kafka_client_handle(in->client);
    if (part->end < 0 && rd_kafka_get_watermark_offsets(rk, part->topic, part->number, &low, &high) == 0)
        part->end = high;
    if (at_end || (part->end >= 0 && part->position >= part->end)) part->ended = true;
}

/* False: no memory. A batch that is full goes out and makes room. */
static bool add(kafka_input *in, kafka_part *part, const rd_kafka_message_t *message)
{
    if (kafka_record_add(in, part, message)) return true;
    emit(in, part);
    return kafka_record_add(in, part, message);
}

static void take_error(kafka_input *in, kafka_part *part, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (part && sl_input_once(in->core)) note_end(in, part, true);
        return;
    }
    sl_log_limited(&in->trouble_limit, SL_LOG_WARN, sl_input_name(in->core), "%s/%d: %s",
                   message->rkt ? rd_kafka_topic_name(message->rkt) : "?", (int)message->partition,
                   rd_kafka_message_errstr(message));
}

/* What comes of partitions that leave is left to their next owner. False: no memory, again later. */
static bool take(kafka_input *in, const rd_kafka_message_t *message)
{
    kafka_part *part =
        message->rkt ? kafka_group_find(in, rd_kafka_topic_name(message->rkt), message->partition) : NULL;
    if (message->err) {
        take_error(in, part, message);
        return true;
    }
    if (!part) return true;
    if (part->position < 0) part->safe = message->offset;
    if (!add(in, part, message)) return false;
    part->position = message->offset + 1;
    if (!part->batch) store_idle(in, part);
    if (sl_input_once(in->core)) note_end(in, part, false);
    return true;
}

/* ---- turns ---- */

void kafka_read_wake(kafka_input *in)
{
    eventfd_write(in->fd, 1);
}

/* Up to a batch's worth. False: there is no memory for more. */
static bool take_some(kafka_input *in, bool *drained)
{
    size_t bytes = 0;
    while (bytes < SL_BATCH_BYTES) {
        if (in->taken_at == in->taken_count && !fetch(in)) {
            *drained = true;
            return true;
        }
        rd_kafka_message_t *message = in->taken[in->taken_at];
        if (!take(in, message)) return false;
        bytes += message->len + sizeof(sl_record);
        rd_kafka_message_destroy(message);
        in->taken_at++;
    }
    return true;
}

void kafka_read_turn(kafka_input *in)
{
    if (in->stopped || !in->client || !sl_input_may_read(in->core)) return; /* resume() goes on */
    bool drained = false;
    bool fits = take_some(in, &drained);
    if (in->open_bytes >= SL_BATCH_BYTES / 2 || !fits) kafka_read_emit_all(in);
    if ((in->open_bytes || !fits) && !sl_timer_is_active(in->age))
        sl_timer_start(in->age, SL_BATCH_AGE_NS, 0);
    if (!drained && fits) kafka_read_wake(in);
    kafka_read_finish_if_done(in);
}

void kafka_read_finish_if_done(kafka_input *in)
{
    if (!sl_input_once(in->core) || in->finished || in->stopped || !in->joined || in->lookup) return;
    for (size_t i = 0; i < in->part_count; i++)
        if (!in->parts[i]->ended) return;
    kafka_read_emit_all(in);
    in->finished = true;
    sl_input_finished(in->core);
}
