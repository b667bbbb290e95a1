/* kafka_input_int.h: the Kafka input as its parts see it. One loop: the input's.
 *
 *   consumer queue: rebalances, errors  -> kafka_group.c: which partitions are ours
 *   message queue                       -> kafka_read.c: a batch a partition -> pipeline
 *                                          receipts -> offsets that may be committed
 *
 * librdkafka fetches on threads of its own into the message queue, `memory` bytes at most, and no more while
 * nobody takes from it: that is all of the back-pressure. The consumer queue is a queue of its own, served
 * whatever the pipeline does: so a full pipeline never costs the membership in the group.
 *
 * An offset is stored when the receipt of the batch that brought it says that it is safe, and only while the
 * partition is ours; librdkafka commits what is stored, periodically and when a partition leaves.
 */
#ifndef KAFKA_INPUT_INT_H
#define KAFKA_INPUT_INT_H

#include "../../common/kafka_client.h"

#define KAFKA_TURN_MESSAGES  512                 /* taken from librdkafka at a time */
#define KAFKA_MAX_FETCH      (UINT64_C(4) << 20) /* of a broker's answer, unless one message is larger */
#define KAFKA_REVOKE_WAIT_NS (5 * SL_NS_PER_S)   /* for receipts, before a partition is given to another */
#define KAFKA_TICK_NS        SL_NS_PER_S
#define KAFKA_MAX_LAGS       1024 /* partitions with a metric of their own */

typedef enum kafka_tombstones { KAFKA_TOMBSTONES_SKIP, KAFKA_TOMBSTONES_RECORD } kafka_tombstones;

/* Names of members to add; empty: not asked for. */
typedef struct kafka_field_names {
    sl_span key, topic, partition, offset, time, headers;
} kafka_field_names;

typedef struct kafka_input_conf {
    kafka_conf cluster;
    sl_list topics; /* of sl_span */
    sl_span group, start, instance_id;
    sl_span id_header; /* empty: none */
    int assignor, isolation;
    kafka_field_names fields;
    int tombstones; /* kafka_tombstones */
    uint64_t max_message, memory;
    int64_t session_timeout_ns, commit_ns;
    /* Derived by check(). */
    bool from_time; /* `start` is one: */
    int64_t start_ms;
} kafka_input_conf;

/* ---- kafka_input_conf.c ---- */

extern const sl_option kafka_input_options[];
int kafka_input_check(void *conf, sl_err *err);
/* librdkafka's configuration. once: the ends of partitions are told. NULL with err. */
rd_kafka_conf_t *kafka_input_rd_conf(const kafka_input_conf *conf, bool once, sl_err *err);

/* ---- partitions ---- */

/* One assignment of one partition. A partition that leaves and comes back is another object: receipts of
 * before move nothing. */
typedef struct kafka_part {
    char *topic;
    int32_t number;
    bool leaving; /* revoked: nothing more is read, receipts still count */
    bool gone;    /* not ours any more; freed with its last receipt */
    bool unsafe;  /* a batch will never be safe in this run: nothing behind it may be stored */
    bool ended;   /* once: everything up to `end` was read */
    sl_id source;
    sl_batch *batch;  /* open; NULL: none */
    int64_t position; /* behind the last message that was looked at; -1: none yet */
    int64_t safe;     /* all before it is safe; from the first message on */
    int64_t end;      /* once: the high watermark when reading began; -1: not known yet */
    uint32_t receipts;
    sl_counter *lag; /* NULL: too many partitions */
} kafka_part;

typedef struct kafka_lag {
    char *name; /* "topic/3" */
    sl_counter *cell;
} kafka_lag;

struct kafka_lookup;

typedef struct kafka_input {
    sl_input *core;
    const kafka_input_conf *conf;
    sl_loop *loop;
    kafka_client *client;       /* NULL: being made anew */
    rd_kafka_queue_t *messages; /* what partitions bring */
    int fd;                     /* eventfd: there are messages */
    sl_poll *poll;
    sl_timer *age;    /* of the oldest record in an open batch; also waits for memory */
    sl_timer *revoke; /* waits for receipts */
    sl_timer *tick;
    bool stopped, broken, joined, finished;
    int64_t reopen_at_ns;

    kafka_part **parts; /* those that are ours, leaving ones too */
    size_t part_count;
    kafka_part *last;                         /* that brought a message */
    rd_kafka_topic_partition_list_t *revoked; /* to be given up when its receipts are there; NULL: none */
    struct kafka_lookup *lookup;              /* offsets by time, under way; NULL: none */

    rd_kafka_message_t *taken[KAFKA_TURN_MESSAGES]; /* from `at` on: not yet looked at */
    size_t taken_count, taken_at;
    size_t open_bytes; /* in open batches */
    sl_buf scratch;
    sl_tape tape;

    kafka_stats *stats;
    kafka_lag *lags;
    size_t lag_count;
    sl_counter *records, *bytes, *tombstones, *empty, *cut, *rebalances, *assigned, *given_up, *commit_errors;
    sl_log_limit cut_limit, commit_limit, trouble_limit, start_limit;
    enum { KAFKA_NO_TROUBLE, KAFKA_NO_BROKER, KAFKA_REFUSED_BY_GROUP } trouble;
} kafka_input;

/* ---- kafka_group.c: which partitions are ours ---- */

void kafka_group_rebalance(kafka_input *in, rd_kafka_event_t *event);
/* A receipt came: what waited for it may leave. */
void kafka_group_settle(kafka_input *in);
void kafka_group_give_up(void *in); /* of the timer: no more waiting */
/* The partition, if it is ours and stays so. */
kafka_part *kafka_group_find(kafka_input *in, const char *topic, int32_t number);
/* What librdkafka still waits to hear of a rebalance, before the client ends: else it would wait on. */
void kafka_group_answer(kafka_input *in);
/* Nothing is ours any more, without a word to the brokers: the client is lost, or ends. */
void kafka_group_forget(kafka_input *in);
void kafka_part_free_if_done(kafka_part *part);
/* From here on partitions begin where the list says. Called by the look-up. */
void kafka_group_assign(kafka_input *in, const rd_kafka_topic_partition_list_t *list);

/* ---- kafka_read.c: messages to batches, receipts to offsets ---- */

void kafka_read_turn(kafka_input *in);
/* Messages wait, or there is room again: a turn comes. */
void kafka_read_wake(kafka_input *in);
void kafka_read_emit_all(kafka_input *in);
void kafka_read_drop(kafka_input *in, kafka_part *part); /* its open batch: read again by the next owner */
/* Messages that were taken and not looked at; of one partition, or (NULL) all. */
void kafka_read_forget(kafka_input *in, const kafka_part *part);
/* Once: everything is read; says so to the core. */
void kafka_read_finish_if_done(kafka_input *in);

/* ---- kafka_record.c: one message as a record ---- */

/* What of `fields` is the same for all records of a partition, as JSON members. */
void kafka_record_common(const kafka_input_conf *conf, const kafka_part *part, sl_buf *out);
/* Adds it to the partition's batch. False: no memory, to be tried again. */
bool kafka_record_add(kafka_input *in, kafka_part *part, const rd_kafka_message_t *message);

/* ---- kafka_lookup.c: where partitions begin, by time ---- */

/* For `start: <time>`. Asks, on a thread of its own, for the committed offsets and, where there are none, for
 * the first offset at or after the time; then kafka_group_assign(). What the brokers do not tell is asked
 * again. */
void kafka_lookup_start(kafka_input *in, const rd_kafka_topic_partition_list_t *list);
void kafka_lookup_cancel(kafka_input *in);

#endif
